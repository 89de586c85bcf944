/*
 * One command under way: how it answers, and how it changes a ticket.
 *
 *     read the ticket (and the answer kept under its key) -> is it a repetition?
 *     -> ticket_apply() -> commit with the answer -> only then tell
 *
 * Killed before commit: nothing happened. After it, before the answer was
 * received: the client repeats, and gets the stored answer. STALE: somebody else
 * changed the ticket in between; read and decide again.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"

#define TRIES 5

/* ---- arguments ---- */

const struct arg_value *
call_value(const struct call *c, const char *name)
{
        for (unsigned i = 0; i < c->n_values; i++) {
                const struct arg_spec *s = c->values[i].spec;

                if (strcmp(s->option != NULL ? s->option : s->name, name) == 0)
                        return &c->values[i];
        }
        return NULL;
}

const char *
call_arg(const struct call *c, const char *name)
{
        const struct arg_value *v = call_value(c, name);

        return v == NULL ? "" : v->s;
}

bool
call_has(const struct call *c, const char *name)
{
        return call_value(c, name) != NULL;
}

int64_t
call_num(const struct call *c, const char *name, int64_t otherwise)
{
        const struct arg_value *v = call_value(c, name);

        return v == NULL ? otherwise : v->n;
}

/* ---- life ---- */

static void
hash_part(struct sha256 *h, const char *s, size_t len)
{
        char head[24];

        snprintf(head, sizeof head, "%zu:", len);
        sha256_add(h, head, strlen(head));
        sha256_add(h, s, len);
}

/* Over who asks and all words but the key: what makes two commands the same. */
static void
call_hash(struct call *c)
{
        struct sha256 *h = sha256_new();

        hash_part(h, c->me.who, strlen(c->me.who));
        hash_part(h, c->command->name, strlen(c->command->name));
        for (unsigned i = 0; i < c->n_values; i++) {
                const struct arg_spec *s = c->values[i].spec;
                const char *name = s->option != NULL ? s->option : "";

                if (s->type == ARG_KEY)
                        continue;
                hash_part(h, name, strlen(name));
                hash_part(h, c->values[i].s, c->values[i].len);
        }
        sha256_end(&h, c->hash);
}

struct call *
call_new(struct conn *conn, const struct command *cmd, struct resp_arg *argv, int argc,
    struct arena *arena)
{
        struct call *c = xcalloc(1, sizeof *c);

        c->conn = conn;
        c->agents = conn->agents;
        c->arena = arena;
        c->command = cmd;
        c->argv = argv;
        c->argc = argc;
        c->me = conn->me;
        c->proto = conn->proto;
        c->idem = "";
        c->began_ms = clock_now_ms();
        snprintf(c->connection, sizeof c->connection, "%s", conn->name);
        LIST_INSERT_HEAD(&c->agents->calls, c, link);
        return c;
}

void
call_ready(struct call *c)
{
        call_hash(c);
        if (call_has(c, "ID"))
                c->idem = arena_printf(c->arena, "%s:%s", c->me.who, call_arg(c, "ID"));
}

void
call_free(struct call *c)
{
        LIST_REMOVE(c, link);
        timer_free(&c->timer);
        buf_fini(&c->answer);
        arena_free(&c->arena);
        free(c);
}

void
call_answer(struct call *c, const struct buf *answer)
{
        struct conn *conn = c->conn;

        if (conn != NULL && answer != NULL)
                conn_write(conn, answer);
        call_free(c);
        if (conn != NULL)
                conn_call_done(conn);
}

void
call_ok(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_simple(&b, "OK");
        call_answer(c, &b);
}

void
call_error(struct call *c, const char *code, const char *fmt, ...)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        resp_error(&b, code, text);
        call_answer(c, &b);
}

void
answer_error(struct buf *b, const struct err *err)
{
        const char *code = "ERR";

        switch (err->kind) {
        case ERR_NONE:
                break;
        case ERR_RETRY:
        case ERR_STALE:
                code = "TRYAGAIN";
                break;
        case ERR_UNSURE:
                code = "UNSURE";
                break;
        case ERR_REJECT:
                code = "BADARG";
                break;
        case ERR_LIMIT:
                code = "TOOBIG";
                break;
        case ERR_NOTFOUND:
                code = "NOSUCH";
                break;
        case ERR_CONFIG:
        case ERR_STATE:
                code = "STATE";
                break;
        }
        if (isupper((unsigned char)err->code[0])) /* a digit is a mail server's code */
                code = err->code;
        resp_error(b, code, err->text);
}

void
call_fail(struct call *c, const struct err *err)
{
        struct buf b AUTO_BUF = BUF_INIT;

        answer_error(&b, err);
        call_answer(c, &b);
}

/* ---- changes ---- */

void
call_event(struct call *c, const struct ticket *t, enum ticket_event_type type,
    struct ticket_event *e)
{
        const struct desk *d = c->agents->desk;
        const struct line_options *line = config_line(d->config, t->line);

        *e = (struct ticket_event){.type = type,
            .now_ms = clock_now_ms(),
            .who = c->me.who,
            .agent = c->me.agent,
            .is_admin = c->me.is_lead,
            .lease = (uint64_t)call_num(c, "LEASE", 0),
            .lease_ms = desk_lease_ms(d, t->line, c->me.agent),
            .wrap_up_ms = line == NULL ? 0 : line->wrap_up_ms,
            .own_ms = desk_own_ms(d, t->owner),
            .reopen_ms = d->config->reopen_ms,
            .send_delay_ms = d->config->send_delay_ms,
            .text = "",
            .seen = "",
            .status = "",
            .target = "",
            .account = "",
            .entry = "",
            .delivery = "",
            .is_bot = c->me.is_bot};
        desk_clock_event(d, t, e);
}

/* Was this command, with these words, the last that changed the ticket? The store
 * keeps its hash and answer until anything else changes it. */
static bool
change_is_repeated(const struct call *c, const struct ticket *t)
{
        return !c->plan->always_anew && c->idem[0] == '\0' &&
               strcmp(c->hash, t->last_cmd) == 0 &&
               clock_now_ms() - t->last_cmd_ms <= agents_limits.repeat_ms;
}

/* The stored answer again; the holder's lease is renewed as by any command. */
static void
change_repeat(struct call *c, const struct ticket *t, const char *answer, size_t len)
{
        const struct quiet q = {.ticket = c->ticket,
            .agent = c->me.agent,
            .who = c->me.who,
            .type = EVENT_TOUCH,
            .connection = "",
            .adopt = ""};

        buf_clear(&c->answer);
        buf_add(&c->answer, answer, len);
        if (t != NULL && t->state == TICKET_HELD && c->me.agent[0] != '\0' &&
            strcmp(t->holder, c->me.agent) == 0)
                quiet_change(c->agents, &q, NULL, NULL);
        call_answer(c, &c->answer);
}

static void
change_other_words(struct call *c)
{
        call_error(c, "BADARG",
            "ID: this key was used for another command within 24 hours; use a new key");
}

static void change_read(struct call *c);

/* The answer names the ticket that was made. */
static void
change_name_made(struct call *c)
{
        struct buf whole AUTO_BUF = BUF_INIT;
        const char *text = buf_str(&c->answer), *at;

        while (c->made[0] != '\0' && (at = strstr(text, "$ticket$")) != NULL) {
                buf_add(&whole, text, (size_t)(at - text));
                buf_adds(&whole, c->made);
                text = at + strlen("$ticket$");
        }
        if (whole.len == 0)
                return;
        buf_adds(&whole, text);
        buf_clear(&c->answer);
        buf_add(&c->answer, whole.data, whole.len);
}

static void
change_on_commit(void *arg, const struct err *err, const char *stored, size_t stored_len,
    const char *stored_hash)
{
        struct call *c = arg;

        if (err->kind == ERR_STALE) {
                if (++c->n_tries < TRIES)
                        change_read(c);
                else
                        call_error(c, "TRYAGAIN",
                            "ticket %s changes too fast; send the same command again",
                            c->ticket);
                return;
        }
        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (stored != NULL && stored_len > 0) {
                if (stored_hash != NULL && strcmp(stored_hash, c->hash) != 0)
                        change_other_words(c);
                else
                        change_repeat(c, NULL, stored, stored_len);
                return;
        }
        crash_point("change.committed");
        change_name_made(c);
        session_took_up(c->agents, c->me.agent, c->ticket);
        call_answer(c, &c->answer);
}

static int
change_decide(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *ch, struct err *err)
{
        const struct ticket *t = &v->ticket;

        if (call_has(c, "LEASE") &&
            ((uint64_t)call_num(c, "LEASE", 0) != t->lease || t->state != TICKET_HELD ||
                strcmp(t->holder, c->me.agent) != 0))
                return err_code(err, ERR_STATE, "NOTHELD",
                    "lease %s of ticket %s is past, the last one was %" PRIu64 " (%s)",
                    call_arg(c, "LEASE"), t->id, t->lease,
                    t->owner[0] != '\0' ? t->owner : "nobody");
        return c->plan->apply(c, v, a, ch, err);
}

static void
change_commit(struct call *c, const struct ticket_view *v)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct change ch;
        struct commit commit = {.change = &ch,
            .idem = c->idem,
            .idem_hash = c->plan->always_anew ? "" : c->hash,
            .made = c->made};
        struct err err;

        if (change_decide(c, v, a, &ch, &err) == -1) {
                call_fail(c, &err);
                return;
        }
        buf_clear(&c->answer);
        c->plan->answer(c, &ch, &c->answer);
        commit.answer = buf_str(&c->answer);
        commit.answer_len = c->answer.len;
        crash_point("change.decided");
        store_commit(c->agents->desk->store, &commit, change_on_commit, c);
}

static void
change_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct call *c = arg;
        const struct ticket *t;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        t = v->exists && identity_sees(c->agents, &c->me, &v->ticket) ? &v->ticket : NULL;
        if (v->idem_hash != NULL && v->idem_hash[0] != '\0') {
                if (strcmp(v->idem_hash, c->hash) != 0)
                        change_other_words(c);
                else
                        change_repeat(c, t, v->idem_answer, v->idem_answer_len);
                return;
        }
        /* what he did himself he hears again, though it went out of his sight with it */
        if (v->exists && change_is_repeated(c, &v->ticket))
                change_repeat(c, t, v->ticket.last_ans, strlen(v->ticket.last_ans));
        else if (t == NULL)
                call_error(c, "NOSUCH", "there is no ticket %s", c->ticket);
        else
                change_commit(c, v);
}

static void
change_on_views(void *arg, const struct err *err, struct ticket_view *views, size_t n)
{
        struct call *c = arg;

        if (err->kind == ERR_NONE && n == 2 &&
            (!views[1].exists || !identity_sees(c->agents, &c->me, &views[1].ticket))) {
                call_error(c, "NOSUCH", "there is no ticket %s",
                    c->other_unnamed ? c->ticket : c->other);
                return;
        }
        c->other_ticket = n == 2 ? &views[1].ticket : NULL;
        c->other_levels = n == 2 ? views[1].n_levels : 0;
        c->n_other_parts = n == 2 ? views[1].n_parts : 0;
        change_on_view(c, err, views);
}

static void
change_read(struct call *c)
{
        const struct read_ticket r[] = {{.id = c->ticket,
                                            .n_messages = c->read_message > 0 ? 1 : 0,
                                            .before = c->read_message + 1,
                                            .idem = c->idem},
            {.id = c->other, .idem = ""}};

        c->made[0] = '\0';
        store_read_many(
            c->agents->desk->store, r, c->other == NULL ? 1 : 2, change_on_views, c);
}

void
call_change(struct call *c, const char *ticket, const struct change_plan *plan)
{
        c->ticket = arena_strdup(c->arena, ticket);
        c->plan = plan;
        change_read(c);
}

/* ---- changes without a command ---- */

struct quiet_job {
        struct agents *agents;
        struct arena *arena;
        struct quiet q; /* strings in arena */
        unsigned n_tries;
        quiet_fn done; /* NULL nobody asks */
        void *arg;
};

static void
quiet_end(struct quiet_job *j, const struct err *err)
{
        if (j->done != NULL)
                j->done(j->arg, err);
        arena_free(&j->arena);
        free(j);
}

static void quiet_read(struct quiet_job *j);

static void
quiet_on_commit(void *arg, const struct err *err, const char *stored, size_t stored_len,
    const char *stored_hash)
{
        struct quiet_job *j = arg;

        (void)stored;
        (void)stored_len;
        (void)stored_hash;
        if (err->kind == ERR_STALE && ++j->n_tries < TRIES)
                quiet_read(j);
        else
                quiet_end(j, err);
}

static int
quiet_decide(struct quiet_job *j, const struct ticket *t, struct arena *a,
    struct change *ch, struct err *err)
{
        const struct desk *d = j->agents->desk;
        struct ticket_event e = {.type = j->q.type,
            .now_ms = clock_now_ms(),
            .who = j->q.who,
            .agent = j->q.agent,
            .lease_ms = desk_lease_ms(d, t->line, j->q.agent),
            .own_ms = desk_own_ms(d, t->owner),
            .reopen_ms = d->config->reopen_ms,
            .text = "",
            .seen = "",
            .status = "",
            .target = "",
            .account = "",
            .entry = "",
            .delivery = ""};

        desk_clock_event(d, t, &e);
        if (j->q.adopt[0] == '\0')
                return ticket_apply(t, &e, a, ch, err);
        change_init(ch, a, t->id, t->version);
        change_set(ch, "untaken", j->q.adopt);
        change_set(ch, "seen", t->last_in);
        return 0;
}

static void
quiet_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct quiet_job *j = arg;
        struct arena *a AUTO_ARENA = arena_new();
        struct change ch;
        struct commit commit = {.change = &ch, .idem = "", .idem_hash = "", .answer = ""};
        struct err none = {.kind = ERR_NONE}, why = {.kind = ERR_NONE};

        if (err->kind != ERR_NONE)
                quiet_end(j, err);
        else if (!v->exists || v->ticket.state != TICKET_HELD ||
                 strcmp(v->ticket.holder, j->q.agent) != 0 ||
                 (j->q.connection[0] != '\0' &&
                     strcmp(v->ticket.untaken, j->q.connection) != 0))
                quiet_end(j, &none); /* there is nothing (left) to be done */
        else if (quiet_decide(j, &v->ticket, a, &ch, &why) == -1)
                quiet_end(j, &why);
        else
                store_commit(j->agents->desk->store, &commit, quiet_on_commit, j);
}

static void
quiet_read(struct quiet_job *j)
{
        const struct read_ticket r = {.id = j->q.ticket, .idem = ""};

        store_read(j->agents->desk->store, &r, quiet_on_view, j);
}

void
quiet_change(struct agents *a, const struct quiet *q, quiet_fn done, void *arg)
{
        struct quiet_job *j = xcalloc(1, sizeof *j);

        j->agents = a;
        j->arena = arena_new();
        j->q = *q;
        j->q.ticket = arena_strdup(j->arena, q->ticket);
        j->q.agent = arena_strdup(j->arena, q->agent);
        j->q.who = arena_strdup(j->arena, q->who);
        j->q.connection = arena_strdup(j->arena, q->connection);
        j->q.adopt = arena_strdup(j->arena, q->adopt);
        j->done = done;
        j->arg = arg;
        quiet_read(j);
}
