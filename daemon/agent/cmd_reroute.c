/*
 * REROUTE: waiting tickets through the rules as they are now, with their old arrival.
 *
 *     page of queued tickets -> each: read with its first message -> rules -> commit
 *
 * One page at a time, each ticket a change of its own that is refused when the ticket has
 * changed meanwhile (then it is looked at again). Killed in the middle: what was sent
 * through is; the command again does the rest, and nothing happens to what is already as
 * the rules want it. What people have put into a line stays there, unless it is named.
 */
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"

#define PAGE 100
#define TRIES 5

struct reroute { /* call->state */
        char cursor[24];
        unsigned n_pending; /* of this page */
        int64_t n_done;
        struct err err; /* the first that failed */
};

struct rerouting { /* one ticket */
        struct call *call;
        const char *ticket;
        unsigned n_tries;
};

static void reroute_page(struct call *c);
static void rerouting_read(struct rerouting *r);

static void
page_done(struct call *c)
{
        struct reroute *w = c->state;
        struct buf b AUTO_BUF = BUF_INIT;

        if (w->err.kind != ERR_NONE) {
                call_fail(c, &w->err);
        } else if (strcmp(w->cursor, "0") != 0) {
                reroute_page(c);
        } else {
                resp_int(&b, w->n_done);
                call_answer(c, &b);
        }
}

static void
rerouting_end(struct rerouting *r, const struct err *err)
{
        struct reroute *w = r->call->state;

        if (err->kind != ERR_NONE && w->err.kind == ERR_NONE)
                w->err = *err;
        if (--w->n_pending == 0)
                page_done(r->call);
}

/* ---- one ticket ---- */

/* Its tags, and what the rules now say besides. */
static const char *
tags_with(const struct ticket *t, const struct decision *d, struct arena *a)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i < t->n_tags; i++)
                jo_string(&o, t->tags[i]);
        for (size_t i = 0; i < d->n_tags; i++) {
                bool there = false;

                for (size_t k = 0; k < t->n_tags; k++)
                        there = there || strcmp(t->tags[k], d->tags[i]) == 0;
                if (!there)
                        jo_string(&o, d->tags[i]);
        }
        jo_close(&o, ']');
        return arena_strdup(a, buf_str(&b));
}

static bool
is_as_decided(const struct ticket *t, const struct decision *d, const char *tags)
{
        size_t n = 0;

        for (const char *s = tags; *s != '\0'; s++) /* words without quotes */
                n += *s == '"';
        return strcmp(t->class_id, d->class_doc.id) == 0 &&
               strcmp(t->line, d->line) == 0 && strcmp(t->route, d->route) == 0 &&
               t->priority == d->priority && n == 2 * t->n_tags && !t->by_hand;
}

/* 1: there is a change; 0: nothing to be done; -1: *err. */
static int
rerouting_decide(struct rerouting *r, const struct ticket_view *v,
    const struct message *m, struct arena *a, struct change *ch, struct err *err)
{
        struct call *c = r->call;
        const struct ticket *t = &v->ticket;
        struct facts f = {.message = m, .now_ms = clock_now_ms()};
        struct decision d;
        struct buf why AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct ticket_event e;
        const char *tags;

        rules_decide(c->agents->desk->config, &f, a, &d);
        tags = tags_with(t, &d, a);
        if (is_as_decided(t, &d, tags))
                return 0;
        desk_learn_class(c->agents->desk, &d.class_doc);
        jo_init(&o, &why);
        decision_format_sentences(&d, true, &o);
        call_event(c, t, EVENT_REROUTE, &e);
        e.line = d.line;
        e.route = d.route;
        e.priority = d.priority;
        e.class_doc = &d.class_doc;
        e.tags = tags;
        e.why = buf_str(&why);
        e.keep_ms = d.prefer == PREFER_LAST_AGENT ? d.prefer_ms : 0;
        return ticket_apply(t, &e, a, ch, err) == -1 ? -1 : 1;
}

static void
rerouting_on_commit(void *arg, const struct err *err, const char *stored,
    size_t stored_len, const char *stored_hash)
{
        struct rerouting *r = arg;
        struct reroute *w = r->call->state;

        (void)stored;
        (void)stored_len;
        (void)stored_hash;
        if (err->kind == ERR_STALE && ++r->n_tries < TRIES) {
                rerouting_read(r);
                return;
        }
        crash_point("reroute.committed");
        w->n_done += err->kind == ERR_NONE;
        rerouting_end(r, err);
}

static void
rerouting_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct rerouting *r = arg;
        struct arena *a AUTO_ARENA = arena_new();
        struct message *m AUTO_MESSAGE = NULL;
        struct change ch;
        struct commit commit = {.change = &ch, .idem = "", .idem_hash = "", .answer = ""};
        struct err why = {.kind = ERR_NONE};
        bool named = call_has(r->call, "ticket");
        int rc;

        if (err->kind != ERR_NONE) {
                rerouting_end(r, err);
                return;
        }
        if (!v->exists || v->ticket.state != TICKET_QUEUED) {
                if (named)
                        err_code(&why, v->exists ? ERR_STATE : ERR_NOTFOUND,
                            v->exists ? "STATE" : "NOSUCH", "%s %s%s",
                            v->exists ? "ticket" : "there is no ticket", r->ticket,
                            v->exists ? " does not wait in a queue" : "");
                rerouting_end(r, &why);
                return;
        }
        if ((v->ticket.by_hand && !named) || v->n_messages == 0 ||
            message_parse(v->messages[0], strlen(v->messages[0]), &m, &why) == -1) {
                rerouting_end(r, &why);
                return;
        }
        rc = rerouting_decide(r, v, m, a, &ch, &why);
        if (rc == 1)
                store_commit(
                    r->call->agents->desk->store, &commit, rerouting_on_commit, r);
        else
                rerouting_end(r, &why);
}

static void
rerouting_read(struct rerouting *r)
{
        const struct read_ticket q = {
            .id = r->ticket, .n_messages = 1, .before = 2, .idem = ""};

        store_read(r->call->agents->desk->store, &q, rerouting_on_view, r);
}

static void
rerouting_start(struct call *c, const char *ticket)
{
        struct reroute *w = c->state;
        struct rerouting *r = arena_alloc(c->arena, sizeof *r);

        r->call = c;
        r->ticket = arena_strdup(c->arena, ticket);
        w->n_pending++;
        rerouting_read(r);
}

/* ---- page by page ---- */

static void
reroute_on_page(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct call *c = arg;
        struct reroute *w = c->state;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        memcpy(w->cursor, cursor, strnlen(cursor, sizeof w->cursor - 1) + 1);
        w->n_pending = 1; /* until all have begun */
        for (size_t i = 0; i < n; i++)
                if (views[i].exists && views[i].ticket.state == TICKET_QUEUED)
                        rerouting_start(c, views[i].ticket.id);
        if (--w->n_pending == 0)
                page_done(c);
}

static void
reroute_page(struct call *c)
{
        const struct reroute *w = c->state;
        const struct list_query q = {.agent = "",
            .state = "queued",
            .line = call_arg(c, "LINE"),
            .cursor = w->cursor,
            .count = PAGE};

        store_list(c->agents->desk->store, &q, reroute_on_page, c);
}

void
cmd_reroute(struct call *c)
{
        const struct config *config = c->agents->desk->config;
        struct reroute *w = arena_alloc(c->arena, sizeof *w);

        c->state = w;
        memcpy(w->cursor, "0", 2);
        if (call_has(c, "ticket") && call_has(c, "LINE"))
                call_error(c, "BADARG", "REROUTE: expected a ticket or LINE, not both");
        else if (call_has(c, "LINE") && config_line(config, call_arg(c, "LINE")) == NULL)
                call_error(c, "NOSUCH", "there is no line '%s'", call_arg(c, "LINE"));
        else if (call_has(c, "ticket"))
                rerouting_start(c, call_arg(c, "ticket"));
        else
                reroute_page(c);
}
