/*
 * The janitor: everything that happens because time has passed.
 *
 * Four times a second the verb tick turns what is due into state and claims
 * outbox entries for us; once a second, while somebody is parked, the heads of
 * all classes are looked over; every few seconds a chunk of sweeping and the
 * numbers of the lines. Nothing is armed here: a clock that ran out while the
 * daemon was dead is found by the first tick.
 *
 * Lists, the customers and what else lies beside the configuration are looked at too:
 * who has changed one need not say so. A file may be looked at while it is being
 * written, so it must have rested for a second; and one that cannot be used is
 * complained of once, not every five seconds.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/limits.h"
#include "daemon/base/log.h"
#include "daemon/clockwork.h"
#include "daemon/desk.h"
#include "daemon/outbox.h"

#define TICK_MS 250
#define LOOK_TURNS 4 /* of TICK_MS: 1 s */
#define SWEEP_TURNS 20 /* 5 s */
#define CLAIM_MS 600000

struct line_count {
        char *name;
        int64_t n; /* queued, in hand or waiting */
};

struct janitor {
        struct desk *desk;
        struct timer *timer;
        bool ticking; /* a tick is under way */
        bool sweeping;
        bool counting;
        unsigned turn;
        uint64_t data_seen; /* stamp of changed data files at the last look, 0 none */
        uint64_t data_stamp; /* of those that are being reloaded for */
        uint64_t data_bad; /* stamp at which a reload failed, 0 none */
        struct line_count *lines;
        size_t n_lines;
};

static void janitor_tick(struct janitor *j);

static void
on_tick(void *arg, const struct err *err, const struct tick_answer *a)
{
        struct janitor *j = arg;

        j->ticking = false;
        if (err->kind != ERR_NONE || j->desk->stopping)
                return;
        clockwork_come(j->desk->clockwork, a->clocks, a->n_clocks);
        for (size_t i = 0; i < a->n_outbox; i++)
                outbox_send(j->desk->outbox, a->outbox[i]);
        if (a->more)
                janitor_tick(j);
}

static void
janitor_tick(struct janitor *j)
{
        struct desk *d = j->desk;

        if (j->ticking || !store_is_up(d->store))
                return;
        j->ticking = true;
        store_tick(d->store, d->draining ? 0 : outbox_room(d->outbox), CLAIM_MS,
            agents_limits.own_ms, on_tick, j);
}

static void
on_swept(void *arg, const struct err *err, const char *const *classes, size_t n)
{
        struct janitor *j = arg;

        j->sweeping = false;
        for (size_t i = 0; i < n; i++)
                dispatch_forget_class(j->desk->dispatch, classes[i]);
        if (err->kind != ERR_NONE)
                log_debug("SWEEP", "why=%s", log_quote(err->text));
}

static void
counts_clear(struct janitor *j)
{
        for (size_t i = 0; i < j->n_lines; i++)
                free(j->lines[i].name);
        free(j->lines);
        j->lines = NULL;
        j->n_lines = 0;
}

static void
on_counted(void *arg, const struct err *err, const struct store_stats *st)
{
        struct janitor *j = arg;

        j->counting = false;
        if (err->kind != ERR_NONE)
                return;
        counts_clear(j);
        j->lines = xcalloc(st->n_lines, sizeof *j->lines);
        for (size_t i = 0; i < st->n_lines; i++) {
                j->lines[i].name = xstrdup(st->lines[i]);
                j->lines[i].n = st->queued[i] + st->held[i] + st->waiting[i];
        }
        j->n_lines = st->n_lines;
}

/* ---- somebody wants the numbers of this moment ---- */

struct counting { /* janitor_count() under way */
        struct janitor *janitor;
        loop_fn fn;
        void *arg;
};

static void
on_counted_now(void *arg, const struct err *err, const struct store_stats *st)
{
        struct counting *c = arg;

        on_counted(c->janitor, err, st);
        c->fn(c->arg);
        free(c);
}

void
janitor_count(struct janitor *j, loop_fn fn, void *arg)
{
        struct counting *c = xcalloc(1, sizeof *c);

        c->janitor = j;
        c->fn = fn;
        c->arg = arg;
        store_stats(j->desk->store, on_counted_now, c);
}

/* ---- the files beside the configuration ---- */

static void
data_reload(void *arg)
{
        struct janitor *j = arg;
        uint64_t stamp = j->data_stamp;
        struct err err = {.kind = ERR_NONE};

        if (j->desk->stopping)
                return;
        log_info("RELOAD", "why=\"a list, the customers or another file has changed\"");
        if (desk_reload(j->desk, NULL, &err) == -1)
                j->data_bad = stamp;
        else
                j->data_bad = 0;
}

/* Changed and at rest since the last look, and not one that was refused already. */
static void
data_look(struct janitor *j)
{
        const struct config *c = j->desk->config;
        uint64_t stamp, seen = j->data_seen;

        j->data_seen = 0;
        if (!config_data_changed(c))
                return;
        stamp = config_data_stamp(c);
        if (stamp == j->data_bad)
                return;
        if (stamp != seen)
                j->data_seen = stamp;
        else {
                j->data_stamp = stamp;
                janitor_count(j, data_reload, j);
        }
}

static void
on_turn(void *arg)
{
        struct janitor *j = arg;
        struct desk *d = j->desk;

        timer_set(j->timer, TICK_MS);
        if (d->stopping || !store_is_up(d->store))
                return;
        janitor_tick(j);
        j->turn++;
        if (j->turn % LOOK_TURNS == 0)
                clockwork_look_hours(d->clockwork);
        if (j->turn % LOOK_TURNS == 0 && dispatch_parked(d->dispatch) > 0)
                desk_look(d);
        if (j->turn % SWEEP_TURNS == 0 && !j->sweeping) {
                j->sweeping = true;
                store_sweep(d->store, on_swept, j);
        }
        if (j->turn % SWEEP_TURNS == 2 ||
            (j->data_seen != 0 && j->turn % LOOK_TURNS == 2))
                data_look(j);
        if (j->turn % SWEEP_TURNS == 1 && !j->counting) {
                j->counting = true;
                store_stats(d->store, on_counted, j);
        }
}

struct janitor *
janitor_new(struct desk *d)
{
        struct janitor *j = xcalloc(1, sizeof *j);

        j->desk = d;
        j->timer = timer_new(d->loop, on_turn, j);
        return j;
}

void
janitor_start(struct janitor *j)
{
        timer_set(j->timer, 0);
}

void
janitor_free(struct janitor **jp)
{
        struct janitor *j = *jp;

        if (j == NULL)
                return;
        timer_free(&j->timer);
        counts_clear(j);
        free(j);
        *jp = NULL;
}

int64_t
janitor_tickets(const struct janitor *j, const char *line)
{
        for (size_t i = 0; i < j->n_lines; i++)
                if (strcmp(j->lines[i].name, line) == 0)
                        return j->lines[i].n;
        return 0;
}
