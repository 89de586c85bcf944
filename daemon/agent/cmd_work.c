/*
 * RESERVE, TAKE: how an agent gets tickets.
 *
 *     what lies there of a lost connection, else dispatch -> ids -> documents -> answer
 *
 * Killed after the pull and before the answer: the ticket is held and marked with
 * a connection that lives no more; the next RESERVE of the same agent gets it, or his
 * grace returns it. The connection gone when the ticket arrives: it goes back at
 * once, and nobody is blamed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"

#define MESSAGES 20
#define EMPTY_FIRST_MS 10

/* ---- the answer ---- */

struct giving { /* call->state of RESERVE and TAKE */
        const char **tickets;
        size_t n;
        bool settled; /* what could be taken over was */
        bool from_pull; /* else: what lay there of a lost connection */
        bool is_take;
        unsigned n_pending; /* adoptions and repeated takings under way */
};

static void reserve_start(struct call *c);
static void giving_read(struct call *c);

/* The answer cannot be received: back with all that was given over this connection. */
static void
giving_lost(struct call *c)
{
        const struct giving *g = c->state;

        for (size_t i = 0; i < g->n; i++)
                session_lost(c->agents, c->me.agent, g->tickets[i], c->connection);
        call_answer(c, NULL);
}

static void
null_answer(void *arg)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        resp_null_array(&b, c->proto);
        call_answer(c, &b);
}

/* Nothing: the more often in a row, the later, so that a loop does not spin. */
static void
reserve_nothing(struct call *c)
{
        int64_t waited = clock_now_ms() - c->began_ms, delay = 0;
        unsigned n = c->conn == NULL ? 0 : c->conn->n_empty++;

        c->is_parked = false;
        if (n > 1)
                delay = (int64_t)EMPTY_FIRST_MS << (n < 10 ? n - 2 : 8);
        if (delay > agents_limits.empty_ms)
                delay = agents_limits.empty_ms;
        if (waited >= delay) {
                null_answer(c);
                return;
        }
        timer_free(&c->timer);
        c->timer = timer_new(c->agents->desk->loop, null_answer, c);
        timer_set(c->timer, delay - waited);
}

static bool
giving_is_mine(const struct call *c, const struct ticket_view *v)
{
        return v->exists && v->ticket.state == TICKET_HELD &&
               strcmp(v->ticket.holder, c->me.agent) == 0;
}

static void
giving_write(struct call *c, const struct ticket_view *views, size_t n)
{
        const struct giving *g = c->state;
        struct buf docs AUTO_BUF = BUF_INIT, all AUTO_BUF = BUF_INIT;
        size_t n_docs = 0, max = agents_limits.reserve_answer / (n > 0 ? n : 1);

        if (max > agents_limits.document)
                max = agents_limits.document;
        for (size_t i = 0; i < n; i++) {
                struct buf doc AUTO_BUF = BUF_INIT;
                const struct ticket *t = &views[i].ticket;

                /* A repetition by ID tells all its connections the same. */
                if (!giving_is_mine(c, &views[i]) ||
                    (t->untaken[0] != '\0' && strcmp(t->untaken, c->connection) != 0 &&
                        c->idem[0] == '\0'))
                        continue;
                view_document(c->agents, &views[i], false, max, &doc);
                resp_bulk(&docs, doc.data, doc.len);
                n_docs++;
                if (strcmp(t->untaken, c->connection) == 0)
                        session_gave(c->conn, t->id);
        }
        if (n_docs == 0 && !g->from_pull) { /* another connection was faster */
                reserve_start(c);
                return;
        }
        if (n_docs == 0 && g->is_take) {
                call_error(c, "STATE", "ticket %s was taken away again", g->tickets[0]);
                return;
        }
        if (n_docs == 0) {
                reserve_nothing(c);
                return;
        }
        c->conn->n_empty = 0;
        if (!g->is_take)
                resp_array(&all, n_docs);
        buf_add(&all, docs.data, docs.len);
        crash_point("reserve.answer");
        call_answer(c, &all);
}

static void
giving_pending_done(struct call *c)
{
        struct giving *g = c->state;

        if (--g->n_pending == 0)
                giving_read(c);
}

static void
giving_adopted(void *arg, const struct err *err)
{
        (void)err; /* the documents are read again and say whose they are */
        giving_pending_done(arg);
}

static void
giving_taken(void *arg, const struct err *err, const struct pull_answer *a)
{
        (void)err;
        (void)a;
        giving_pending_done(arg);
}

/* A ticket of his that was given over another connection becomes one of this; one
 * that went back since (a repeated RESERVE) is taken again. */
static void
giving_settle(struct call *c, const struct ticket_view *v)
{
        struct giving *g = c->state;
        const struct ticket *t = &v->ticket;

        if (giving_is_mine(c, v)) {
                const struct quiet q = {.ticket = t->id,
                    .agent = c->me.agent,
                    .who = c->me.who,
                    .type = EVENT_TOUCH,
                    .connection = t->untaken,
                    .adopt = c->connection};

                if (t->untaken[0] == '\0' || strcmp(t->untaken, c->connection) == 0)
                        return;
                g->n_pending++;
                quiet_change(c->agents, &q, giving_adopted, c);
        } else if (v->exists && t->state == TICKET_QUEUED && c->idem[0] != '\0') {
                g->n_pending++;
                desk_take(c->agents->desk, c->me.agent, t->id, t->class_id, c->connection,
                    "", "", giving_taken, c);
        }
}

static void
giving_on_views(void *arg, const struct err *err, struct ticket_view *views, size_t n)
{
        struct call *c = arg;
        struct giving *g = c->state;

        if (c->conn == NULL || conn_is_gone(c->conn)) {
                giving_lost(c);
                return;
        }
        if (err->kind !=
            ERR_NONE) { /* held, and its document not to be had: the next RESERVE */
                if (c->conn->session != NULL)
                        c->conn->session->lost = true;
                for (size_t i = 0; i < g->n; i++)
                        session_lost(
                            c->agents, c->me.agent, g->tickets[i], c->connection);
                call_fail(c, err);
                return;
        }
        if (!g->settled) {
                g->settled = true;
                g->n_pending = 1;
                for (size_t i = 0; i < n; i++)
                        giving_settle(c, &views[i]);
                if (--g->n_pending > 0)
                        return;
        }
        giving_write(c, views, n);
}

static void
giving_read(struct call *c)
{
        const struct giving *g = c->state;
        struct read_ticket *r = arena_alloc(c->arena, g->n * sizeof *r);

        for (size_t i = 0; i < g->n; i++)
                r[i] = (struct read_ticket){.id = g->tickets[i],
                    .n_messages = MESSAGES,
                    .thread = true,
                    .log = true,
                    .idem = ""};
        store_read_many(c->agents->desk->store, r, g->n, giving_on_views, c);
}

static void
giving_tickets(struct call *c, const char *const *tickets, size_t n)
{
        struct giving *g = c->state;

        g->tickets = arena_alloc(c->arena, (n + 1) * sizeof *g->tickets);
        for (g->n = 0; g->n < n; g->n++)
                g->tickets[g->n] = arena_strdup(c->arena, tickets[g->n]);
}

/* ---- RESERVE ---- */

static void
reserve_on_answer(void *arg, const struct reserve_answer *a)
{
        struct call *c = arg;
        struct giving *g = c->state;

        c->reserve = NULL;
        c->is_parked = false;
        timer_free(&c->timer);
        switch (a->outcome) {
        case RESERVE_TAKEN:
                g->from_pull = true;
                g->settled =
                    c->idem[0] == '\0'; /* only a repeated one may hold surprises */
                giving_tickets(c, a->tickets, a->n_tickets);
                if (c->conn == NULL || conn_is_gone(c->conn))
                        giving_lost(c);
                else
                        giving_read(c);
                return;
        case RESERVE_NOTHING:
                reserve_nothing(c);
                return;
        case RESERVE_FAILED:
                call_fail(c, a->err);
                return;
        case RESERVE_DRAINING:
                call_error(c, "DRAINING", "no new tickets: this daemon is about to end");
                return;
        }
}

/* No answer is wanted any more (the connection is gone), or null is (time-out,
 * AWAY, QUIT). A pull that is under way is waited for, unless it is gone. */
static void
reserve_cancel(struct call *c, bool gone)
{
        if (c->reserve == NULL)
                return;
        if (!dispatch_cancel(c->agents->desk->dispatch, c->reserve, gone))
                return;
        c->reserve = NULL;
        c->is_parked = false;
        timer_free(&c->timer);
        if (gone)
                call_answer(c, NULL);
        else
                null_answer(c);
}

static void
reserve_timeout(void *arg)
{
        reserve_cancel(arg, false);
}

/* Over HTTP the wait is bounded: proxies in front do not wait for ever. */
static int64_t
reserve_block_ms(const struct call *c)
{
        int64_t ms = call_num(c, "BLOCK", 0),
                max = c->conn == NULL ? 0 : c->conn->max_block_ms;

        return max > 0 && (ms == 0 || ms > max) ? max : ms;
}

/* Through dispatch: pulled at once, parked when there is nothing and BLOCK was said. */
static void
reserve_start(struct call *c)
{
        int64_t block_ms = reserve_block_ms(c);
        int64_t left_ms = c->began_ms + block_ms - clock_now_ms();
        const struct reserve_request r = {.agent = c->me.agent,
            .count = (unsigned)call_num(c, "COUNT", 1),
            .block = call_has(c, "BLOCK") && (block_ms == 0 || left_ms > 0),
            .line = call_arg(c, "LINE"),
            .channel = call_arg(c, "CHANNEL"),
            .connection = c->connection,
            .idem = c->idem,
            .idem_hash = c->hash};

        if (c->conn == NULL || conn_is_gone(c->conn)) {
                call_answer(c, NULL);
                return;
        }
        c->reserve =
            dispatch_reserve(c->agents->desk->dispatch, &r, reserve_on_answer, c);
        if (c->reserve == NULL) {
                call_error(c, "DRAINING", "no new tickets: this daemon is about to end");
                return;
        }
        if (c->conn->session != NULL && c->conn->session->presence == PRESENCE_OFFLINE)
                c->conn->session->presence = PRESENCE_READY;
        c->is_parked = r.block;
        if (r.block && block_ms > 0) {
                c->timer = timer_new(c->agents->desk->loop, reserve_timeout, c);
                timer_set(c->timer, left_ms);
        }
}

/* Was it given over a connection that lives no more, and never taken up? */
static bool
is_left_over(const struct call *c, const struct ticket_view *v)
{
        const struct lost *l = NULL;
        const struct conn *over;

        if (!giving_is_mine(c, v) || v->ticket.untaken[0] == '\0')
                return false;
        over = conn_find(c->agents, v->ticket.untaken);
        if (over != NULL && !over->eof)
                return false;
        LIST_FOREACH(l, &c->agents->losts, link)
        if (strcmp(l->ticket, v->ticket.id) == 0)
                return false; /* on its way back */
        return true;
}

static bool
reserve_wants(const struct call *c, const struct ticket *t)
{
        const char *line = call_arg(c, "LINE"), *channel = call_arg(c, "CHANNEL");

        return (line[0] == '\0' || strcmp(line, t->line) == 0) &&
               (channel[0] == '\0' || strcmp(channel, t->channel) == 0);
}

static void
reserve_on_mine(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct call *c = arg;
        size_t n_left = 0, count = (size_t)call_num(c, "COUNT", 1);
        const char **ids;

        (void)cursor; /* nobody holds more than a page */
        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        ids = arena_alloc(c->arena, (n + 1) * sizeof *ids);
        for (size_t i = 0; i < n && n_left < count; i++)
                if (is_left_over(c, &views[i]) && reserve_wants(c, &views[i].ticket))
                        ids[n_left++] = views[i].ticket.id;
        if (n_left == 0) {
                if (c->conn != NULL && c->conn->session != NULL &&
                    call_arg(c, "LINE")[0] == '\0' && call_arg(c, "CHANNEL")[0] == '\0')
                        c->conn->session->lost = false;
                reserve_start(c);
                return;
        }
        giving_tickets(c, ids, n_left);
        giving_read(c);
}

static bool
is_draining(struct call *c)
{
        if (!c->agents->draining && !c->agents->desk->draining)
                return false;
        call_error(c, "DRAINING", "no new tickets: this daemon is about to end");
        return true;
}

static void
reserve_look(struct call *c)
{
        const struct list_query q = {.by_holder = true,
            .agent = c->me.agent,
            .state = "",
            .line = "",
            .cursor = "0",
            .count = 100};

        if (c->conn->session != NULL && c->conn->session->lost)
                store_list(c->agents->desk->store, &q, reserve_on_mine, c);
        else
                reserve_start(c);
}

void
reserve_look_again(struct session *s)
{
        struct conn *conn, *next;

        for (conn = TAILQ_FIRST(&s->conns); conn != NULL; conn = next) {
                struct call *c = conn->call;

                next = TAILQ_NEXT(conn, mates);
                if (c == NULL || !c->is_parked || c->reserve == NULL || conn->eof ||
                    !dispatch_cancel(s->agents->desk->dispatch, c->reserve, false))
                        continue;
                c->reserve = NULL;
                c->is_parked = false;
                timer_free(&c->timer);
                reserve_look(c);
        }
}

void
cmd_reserve(struct call *c)
{
        const struct desk *d = c->agents->desk;

        if (is_draining(c))
                return;
        if (call_has(c, "LINE") && config_line(d->config, call_arg(c, "LINE")) == NULL) {
                call_error(c, "NOSUCH", "there is no line '%s'", call_arg(c, "LINE"));
                return;
        }
        c->state = arena_alloc(c->arena, sizeof(struct giving));
        c->names_given = true;
        c->on_gone = reserve_cancel;
        reserve_look(c);
}

/* ---- TAKE ---- */

static void
take_done(void *arg, const struct err *err, const struct pull_answer *a)
{
        struct call *c = arg;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        switch (a->outcome) {
        case PULL_TAKEN:
                giving_tickets(c, a->tickets, a->n_tickets);
                giving_read(c);
                return;
        case PULL_FULL:
                call_error(c, "CAPACITY",
                    "you hold as many tickets as you may: finish or RELEASE one first");
                return;
        case PULL_AWAY:
                call_error(c, "STATE", "you are away: READY first");
                return;
        case PULL_REFUSED:
                call_error(c, a->code, "%s", a->why);
                return;
        case PULL_NOTHING:
                call_error(
                    c, "STATE", "ticket %s is not to be had", call_arg(c, "ticket"));
                return;
        }
}

/* A ticket that is kept for him is his, and what he got under this ID he hears again. */
static bool
take_may_know(const struct call *c, const struct ticket_view *v)
{
        const struct ticket *t = &v->ticket;

        return identity_sees(c->agents, &c->me, t) ||
               (t->state == TICKET_QUEUED && t->in_own &&
                   strcmp(t->owner, c->me.agent) == 0) ||
               (v->idem_hash != NULL && v->idem_hash[0] != '\0');
}

static void
take_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct call *c = arg;
        struct desk *d = c->agents->desk;
        const struct agent_options *o = config_agent(d->config, c->me.agent);
        const char *class_id = "";

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (v->exists && !take_may_know(c, v)) {
                call_error(c, "NOSUCH", "there is no ticket %s", v->ticket.id);
                return;
        }
        if (v->exists && o != NULL &&
            class_step(&v->ticket.class_doc, &o->profile) != STEP_NEVER) {
                desk_learn_class(d, &v->ticket.class_doc);
                class_id = v->ticket.class_id;
        }
        desk_take(d, c->me.agent, call_arg(c, "ticket"), class_id, c->connection, c->idem,
            c->hash, take_done, c);
}

void
cmd_take(struct call *c)
{
        const struct read_ticket r = {.id = call_arg(c, "ticket"), .idem = c->idem};
        struct giving *g = arena_alloc(c->arena, sizeof *g);

        if (is_draining(c))
                return;
        g->is_take = true;
        g->from_pull = true;
        c->state = g;
        c->names_given = true;
        store_read(c->agents->desk->store, &r, take_on_view, c);
}
