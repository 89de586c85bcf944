/*
 * Dispatch meets the store: what dispatch.c wants pulled is pulled, hints and
 * heads reach it, classes it does not know are fetched first.
 *
 * A ticket taken for a connection that is gone goes back (agents_give_back). Killed
 * before: it is held and was never taken up, so the agent's grace returns it.
 *
 * Who is idle longest is the store's to say: it is asked whenever something of an
 * agent has changed, and what it says never moves dispatch's clock back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/limits.h"
#include "daemon/agent/server.h"
#include "daemon/base/crash.h"
#include "daemon/base/log.h"
#include "daemon/clockwork.h"
#include "daemon/desk.h"
#include "queue/ticket.h"

#define LEASE_BOT_MS (5 * 60000)
/* Beyond so many, new tickets go into one class per route and set of musts. */
#define CLASSES_MAX 4096

/* ---- pull ---- */

struct pulling {
        struct desk *desk;
        uint64_t n;
};

static void
on_pulled(void *arg, const struct err *err, const struct pull_answer *a)
{
        struct pulling *p = arg;
        struct desk *d = p->desk;
        struct dispatch_result r = {.err = err, .failed = err->kind != ERR_NONE};
        struct dispatch_head *heads = NULL;

        if (!r.failed) {
                crash_point("reserve.pulled");
                r.blocked = a->outcome == PULL_FULL || a->outcome == PULL_AWAY;
                r.tickets = a->tickets;
                r.n_tickets = a->n_tickets;
                r.used = a->used;
                r.hintseq = a->hintseq;
                heads = xcalloc(a->n_heads, sizeof *heads);
                for (size_t i = 0; i < a->n_heads; i++) {
                        heads[i].class_id = a->heads[i].class_id;
                        heads[i].v_us = a->heads[i].v_us;
                        heads[i].waits = a->heads[i].v_us != INT64_MAX;
                }
                r.heads = heads;
                r.n_heads = a->n_heads;
        }
        dispatch_pulled(d->dispatch, p->n, &r);
        free(heads);
        free(p);
}

int64_t
desk_lease_ms(const struct desk *d, const char *line, const char *agent)
{
        const struct agent_options *a = config_agent(d->config, agent);
        const struct line_options *l = config_line(d->config, line);

        if (a != NULL && a->role == ROLE_BOT)
                return LEASE_BOT_MS;
        return l != NULL ? l->lease_ms : 4 * 3600000LL;
}

int64_t
desk_own_ms(const struct desk *d, const char *owner)
{
        return config_agent(d->config, owner) == NULL ? 0 : agents_limits.own_ms;
}

void
desk_find_line(
    struct desk *d, const struct ticket *t, struct arena *a, struct ticket_event *e)
{
        struct class *k;

        if (config_line(d->config, t->line) != NULL)
                return;
        k = arena_alloc(a, sizeof *k);
        rules_class_handed(d->config, t, d->config->lines[0].name, a, k);
        desk_learn_class(d, k);
        e->line = arena_strdup(a, d->config->lines[0].name);
        e->class_doc = k;
}

/* Pairs line, ms for the script, in a. */
static size_t
lease_pairs(struct desk *d, const char *agent, struct arena *a, const char *const **out)
{
        const char **pairs = arena_alloc(a, (2 * d->config->n_lines + 1) * sizeof *pairs);

        for (size_t i = 0; i < d->config->n_lines; i++) {
                const char *line = d->config->lines[i].name;

                pairs[2 * i] = line;
                pairs[2 * i + 1] =
                    arena_printf(a, "%lld", (long long)desk_lease_ms(d, line, agent));
        }
        *out = pairs;
        return d->config->n_lines;
}

static void
pull_groups(struct arena *a, const struct dispatch_pull *p, struct pull *q)
{
        struct pull_group *groups = arena_alloc(a, (p->n_groups + 1) * sizeof *groups);

        for (size_t i = 0; i < p->n_groups; i++)
                groups[i] =
                    (struct pull_group){p->groups[i].cutoff_us, p->groups[i].handicap_us,
                        p->groups[i].classes, p->groups[i].n_classes};
        q->groups = groups;
        q->n_groups = p->n_groups;
}

static void
desk_pull(void *arg, const struct dispatch_pull *p)
{
        struct desk *d = arg;
        struct arena *a AUTO_ARENA = arena_new();
        struct pulling *w = xcalloc(1, sizeof *w);
        const struct reserve_request *r = p->request;
        struct pull q = {
            .agent = r->agent,
            .own = *r->line == '\0' && *r->channel == '\0',
            .ticket = "",
            .holds = p->holds,
            .count = r->count,
            .connection = r->connection,
            .default_lease_ms = desk_lease_ms(d, "", r->agent),
            .idem = r->idem,
            .idem_hash = r->idem_hash,
            .hinted = p->hinted,
            .make_ready = true,
        };

        pull_groups(a, p, &q);
        q.n_leases = lease_pairs(d, r->agent, a, &q.leases);
        w->desk = d;
        w->n = p->n;
        store_pull(d->store, &q, on_pulled, w);
}

void
desk_take(struct desk *d, const char *agent, const char *ticket, const char *class_id,
    const char *connection, const char *idem, const char *idem_hash, store_pull_fn fn,
    void *arg)
{
        struct arena *a AUTO_ARENA = arena_new();
        const struct agent_options *who = config_agent(d->config, agent);
        const struct pull_group group = {.classes = &class_id,
            .n_classes = 1,
            .cutoff_us = dispatch_knows_class(d->dispatch, class_id)
                             ? dispatch_cutoff_us(d->dispatch, agent, class_id)
                             : INT64_MAX};
        struct pull q = {
            .groups = &group,
            .n_groups = *class_id != '\0',
            .agent = agent,
            .own = true,
            .ticket = ticket,
            .holds = who == NULL ? 0 : who->holds,
            .count = 1,
            .connection = connection,
            .default_lease_ms = desk_lease_ms(d, "", agent),
            .idem = idem,
            .idem_hash = idem_hash,
            .hinted = "",
        };

        q.n_leases = lease_pairs(d, agent, a, &q.leases);
        store_pull(d->store, &q, fn, arg);
}

void
desk_assign(struct desk *d, const char *agent, const char *ticket, const char *by,
    const char *idem, const char *idem_hash, store_pull_fn fn, void *arg)
{
        struct arena *a AUTO_ARENA = arena_new();
        const struct agent_options *who = config_agent(d->config, agent);
        struct pull q = {
            .agent = agent,
            .ticket = ticket,
            .by = by,
            .holds = who == NULL ? 0 : who->holds,
            .count = 1,
            .connection = "",
            .default_lease_ms = desk_lease_ms(d, "", agent),
            .idem = idem,
            .idem_hash = idem_hash,
            .hinted = "",
        };

        q.n_leases = lease_pairs(d, agent, a, &q.leases);
        store_pull(d->store, &q, fn, arg);
}

/* ---- give back ---- */

static void
dispatch_give_back(
    void *arg, const char *agent, const char *ticket, const char *connection)
{
        struct desk *d = arg;

        agents_give_back(d->agents, agent, ticket, connection);
}

const struct dispatch_ops desk_dispatch_ops = {desk_pull, dispatch_give_back};

/* ---- hints, heads, classes ---- */

struct calendar_wanted {
        struct desk *desk;
        char id[CALENDAR_ID_LEN + 1];
};

/* One that is nowhere any more: better real time than steps that never come. */
static void
on_calendar(void *arg, const struct err *err, const char *text, size_t len)
{
        struct calendar_wanted *w = arg;
        struct arena *a AUTO_ARENA = arena_new();

        if (err->kind == ERR_NONE) {
                if (text == NULL)
                        log_error("CALENDAR",
                            "calendar=%s why=\"no calendar of that name is left: its "
                            "steps count in real time\"",
                            w->id);
                dispatch_set_calendar(w->desk->dispatch, w->id,
                    text == NULL ? "" : arena_strndup(a, text, len));
        }
        free(w);
}

static void
calendar_learn(struct desk *d, const struct class *c)
{
        struct calendar_wanted *w;

        if (dispatch_knows_calendar(d->dispatch, c->calendar))
                return;
        if (c->calendar_text != NULL && *c->calendar_text != '\0') {
                dispatch_set_calendar(d->dispatch, c->calendar, c->calendar_text);
                return;
        }
        w = xcalloc(1, sizeof *w);
        w->desk = d;
        snprintf(w->id, sizeof w->id, "%s", c->calendar);
        store_calendar(d->store, c->calendar, on_calendar, w);
}

void
desk_learn_class(struct desk *d, struct class *c)
{
        const struct calendar *calendar = config_calendar(d->config, c->calendar);

        if (calendar != NULL)
                c->calendar_text = calendar->text;
        calendar_learn(d, c);
        dispatch_set_class(d->dispatch, c);
}

bool
desk_admit_class(struct desk *d, struct class *c, struct arena *a)
{
        bool is_over = !dispatch_knows_class(d->dispatch, c->id) &&
                       dispatch_n_classes(d->dispatch) >= CLASSES_MAX;

        if (is_over) {
                class_strip(c, a);
                log_warn("OVERFLOW",
                    "route=%s class=%s why=\"more than %d classes: a ticket is taken "
                    "without its needs and steps\"",
                    log_quote(c->route), c->id, CLASSES_MAX);
                alert_tell(&d->alerts, d->config, ALERT_CLASSES,
                    "there are too many different demands on tickets: new ones are taken "
                    "without needs and steps; write fewer `need` sentences");
        }
        desk_learn_class(d, c);
        return is_over;
}

static void
class_text_learn(struct desk *d, const char *text, size_t len)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct class c;
        struct err bad;

        if (class_parse(text, len, a, &c, &bad) == 0)
                desk_learn_class(d, &c);
        else
                log_error("CLASS", "why=%s", log_quote(bad.text));
}

static void
on_classes(void *arg, const struct err *err, const char *const *texts, size_t n)
{
        struct desk *d = arg;

        if (err->kind != ERR_NONE)
                return;
        for (size_t i = 0; i < n; i++)
                class_text_learn(d, texts[i], strlen(texts[i]));
        desk_look(d);
}

void
desk_learn_classes(struct desk *d)
{
        store_classes(d->store, on_classes, d);
}

struct class_wanted {
        struct desk *desk;
        char id[CLASS_ID_LEN + 1];
        int64_t v_us;
        uint64_t seq;
};

static void
on_class(void *arg, const struct err *err, const char *text, size_t len)
{
        struct class_wanted *w = arg;

        if (err->kind == ERR_NONE && text != NULL) {
                class_text_learn(w->desk, text, len);
                dispatch_hint_class(w->desk->dispatch, w->id, w->v_us, w->seq);
        }
        free(w);
}

static void
class_fetch(struct desk *d, const char *id, int64_t v_us, uint64_t seq)
{
        struct class_wanted *w = xcalloc(1, sizeof *w);

        w->desk = d;
        w->v_us = v_us;
        w->seq = seq;
        snprintf(w->id, sizeof w->id, "%s", id);
        store_class(d->store, id, on_class, w);
}

struct idle_wanted {
        struct desk *desk;
        char *agent;
};

static void
on_idle(void *arg, const struct err *err, const struct agent_state *a)
{
        struct idle_wanted *w = arg;

        if (err->kind == ERR_NONE) {
                dispatch_set_idle(w->desk->dispatch, w->agent, a->idle_since_ms, a->used);
                agents_presence_is(w->desk->agents, w->agent, a->presence);
                absence_look(w->desk, w->agent, a);
        }
        free(w->agent);
        free(w);
}

/* Something of his has changed: has he finished a ticket, and when? */
static void
idle_fetch(struct desk *d, const char *agent)
{
        struct idle_wanted *w = xcalloc(1, sizeof *w);

        w->desk = d;
        w->agent = xstrdup(agent);
        store_agent(d->store, agent, on_idle, w);
}

void
desk_on_hint(struct desk *d, const struct hint *h)
{
        switch (h->kind) {
        case HINT_CLASS:
                if (dispatch_knows_class(d->dispatch, h->name))
                        dispatch_hint_class(d->dispatch, h->name, h->v_us, h->seq);
                else
                        class_fetch(d, h->name, h->v_us, h->seq);
                return;
        case HINT_AGENT:
                dispatch_hint_agent(d->dispatch, h->name, h->seq);
                idle_fetch(d, h->name);
                return;
        case HINT_ALL:
                dispatch_hint_all(d->dispatch, h->seq);
                return;
        }
}

static void
on_heads(void *arg, const struct err *err, const struct heads_answer *a)
{
        struct desk *d = arg;
        struct dispatch_head *heads;
        size_t n = 0;

        if (err->kind != ERR_NONE)
                return;
        heads = xcalloc(a->n_heads, sizeof *heads);
        for (size_t i = 0; i < a->n_heads; i++) {
                if (!dispatch_knows_class(d->dispatch, a->heads[i].class_id)) {
                        class_fetch(d, a->heads[i].class_id, a->heads[i].v_us, 0);
                        continue;
                }
                heads[n].class_id = a->heads[i].class_id;
                heads[n].v_us = a->heads[i].v_us;
                heads[n++].waits = true;
        }
        dispatch_look(d->dispatch, heads, n);
        free(heads);
}

void
desk_look(struct desk *d)
{
        store_heads(d->store, on_heads, d);
}

void
desk_set_agents(struct desk *d)
{
        dispatch_set_options(
            d->dispatch, d->config->help_delay_ms, d->config->balance_load);
        for (size_t i = 0; i < d->config->n_agents; i++) {
                const struct agent_options *a = &d->config->agents[i];

                dispatch_set_agent(d->dispatch, a->name, &a->profile, a->holds);
        }
}

void
desk_tell_agents(struct desk *d)
{
        const struct config *c = d->config;

        clockwork_tell_agents(d->clockwork);
        for (size_t i = 0; i < c->n_agents; i++)
                idle_fetch(d, c->agents[i].name);
}
