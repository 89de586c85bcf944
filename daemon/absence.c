/*
 * Absence: what somebody has when his holiday begins goes to who stands for him.
 *
 * The clock `absent` (verb tick) makes him away and empties his own queue; here the rest
 * follows, ticket by ticket through the law: what he holds is queued for his deputies, what
 * waits for its customer gets another owner. First what he holds, then one walk over all
 * open tickets.
 *
 * Killed in between: the store says that he is absent and not yet that all was handed on
 * (`absent_moved`), so the next start walks again; what was done is not done twice, for a
 * ticket that is no longer his is left alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/limits.h"
#include "daemon/agent/server.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/log.h"
#include "daemon/desk.h"
#include "queue/ticket.h"

#define PAGE 100
#define TRIES 5
#define AGAIN_MS 1000

struct absence { /* the handing on of one agent's tickets */
        struct absence *next; /* in desk.absences */
        struct desk *desk;
        char *agent;
        int64_t until_ms; /* tells the absence from another */
        bool held_done; /* what he holds is through; now all open ones */
        char cursor[24];
        struct timer *timer; /* the store was away: again */
        unsigned n_pending; /* tickets of this page under way */
        unsigned n_moved;
        bool failed;
};

struct moving { /* one ticket of his */
        struct absence *absence;
        char ticket[24];
        unsigned n_tries;
};

static void absence_page(void *arg);

static void
absence_end(struct absence *b)
{
        struct absence **p = &b->desk->absences;

        while (*p != b)
                p = &(*p)->next;
        *p = b->next;
        timer_free(&b->timer);
        free(b->agent);
        free(b);
}

static void
absence_again(struct absence *b)
{
        timer_set(b->timer, AGAIN_MS);
}

static void
on_moved_all(void *arg, const struct err *err)
{
        struct absence *b = arg;

        if (err->kind != ERR_NONE) {
                absence_again(b);
                return;
        }
        log_info("ABSENT", "agent=%s handed-on=%u", log_quote(b->agent), b->n_moved);
        absence_end(b);
}

static void
page_done(struct absence *b)
{
        if (b->failed) {
                absence_again(b);
                return;
        }
        if (strcmp(b->cursor, "0") != 0) {
                absence_page(b);
                return;
        }
        if (!b->held_done) {
                b->held_done = true;
                absence_page(b);
                return;
        }
        crash_point("absence.walked");
        store_absent_moved(b->desk->store, b->agent, b->until_ms, on_moved_all, b);
}

/* ---- one ticket ---- */

static void moving_read(struct moving *m);

static void
moving_end(struct moving *m, bool ok)
{
        struct absence *b = m->absence;

        b->failed = b->failed || !ok;
        free(m);
        if (--b->n_pending == 0)
                page_done(b);
}

static void
moving_on_commit(void *arg, const struct err *err, const char *stored, size_t stored_len,
    const char *stored_hash)
{
        struct moving *m = arg;

        (void)stored;
        (void)stored_len;
        (void)stored_hash;
        if (err->kind == ERR_STALE && ++m->n_tries < TRIES) {
                moving_read(m);
                return;
        }
        crash_point("absence.moved");
        if (err->kind == ERR_NONE)
                m->absence->n_moved++;
        moving_end(m, err->kind == ERR_NONE);
}

/* Is there still something of his about it? */
static bool
is_his(const struct absence *b, const struct ticket *t)
{
        switch (t->state) {
        case TICKET_HELD:
                return strcmp(t->holder, b->agent) == 0;
        case TICKET_QUEUED:
                return t->in_own && strcmp(t->owner, b->agent) == 0;
        case TICKET_WAITING:
                return strcmp(t->owner, b->agent) == 0;
        case TICKET_RESOLVED:
        case TICKET_CLOSED:
        case TICKET_MERGED:
                break;
        }
        return false;
}

static void
moving_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct moving *m = arg;
        struct absence *b = m->absence;
        struct arena *a AUTO_ARENA = arena_new();
        struct change ch;
        struct commit commit = {.change = &ch, .idem = "", .idem_hash = "", .answer = ""};
        struct ticket_event e = {.type = EVENT_ABSENT,
            .now_ms = clock_now_ms(),
            .who = "helpline",
            .agent = b->agent,
            .own_ms = agents_limits.own_ms};
        struct err why = {.kind = ERR_NONE};

        if (err->kind == ERR_NONE && v->exists)
                desk_clock_event(b->desk, &v->ticket, &e);
        if (err->kind != ERR_NONE)
                moving_end(m, false);
        else if (!v->exists || !is_his(b, &v->ticket))
                moving_end(m, true);
        else if (ticket_apply(&v->ticket, &e, a, &ch, &why) == -1)
                moving_end(m, true);
        else
                store_commit(b->desk->store, &commit, moving_on_commit, m);
}

static void
moving_read(struct moving *m)
{
        const struct read_ticket r = {.id = m->ticket, .idem = ""};

        store_read(m->absence->desk->store, &r, moving_on_view, m);
}

/* ---- page by page ---- */

static void
absence_on_page(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct absence *b = arg;

        if (err->kind != ERR_NONE) {
                absence_again(b);
                return;
        }
        snprintf(b->cursor, sizeof b->cursor, "%s", cursor);
        b->n_pending = 1; /* until all are counted */
        for (size_t i = 0; i < n; i++) {
                struct moving *m;

                if (!views[i].exists || !is_his(b, &views[i].ticket))
                        continue;
                m = xcalloc(1, sizeof *m);
                m->absence = b;
                snprintf(m->ticket, sizeof m->ticket, "%s", views[i].ticket.id);
                b->n_pending++;
                moving_read(m);
        }
        if (--b->n_pending == 0)
                page_done(b);
}

static void
absence_page(void *arg)
{
        struct absence *b = arg;
        const struct list_query q = {.by_holder = !b->held_done,
            .agent = b->agent,
            .state = "",
            .line = "",
            .cursor = b->cursor,
            .count = PAGE};

        store_list(b->desk->store, &q, absence_on_page, b);
}

/* From the beginning. */
static void
absence_walk(void *arg)
{
        struct absence *b = arg;

        b->failed = b->held_done = false;
        snprintf(b->cursor, sizeof b->cursor, "0");
        absence_page(b);
}

void
absence_look(struct desk *d, const char *agent, const struct agent_state *st)
{
        struct absence *b;

        if (!st->absent || st->absent_moved || d->stopping)
                return;
        for (b = d->absences; b != NULL; b = b->next)
                if (strcmp(b->agent, agent) == 0)
                        return;
        b = xcalloc(1, sizeof *b);
        b->desk = d;
        b->agent = xstrdup(agent);
        b->until_ms = st->absent_until_ms;
        b->timer = timer_new(d->loop, absence_walk, b);
        b->next = d->absences;
        d->absences = b;
        agents_gone_away(d->agents, agent);
        crash_point("absence.begin");
        absence_walk(b);
}

void
absences_free(struct desk *d)
{
        while (d->absences != NULL)
                absence_end(d->absences); /* NOLINT: it takes itself off the list */
}
