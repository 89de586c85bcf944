/*
 * Agents: presence, grace, tokens. And the cursors of channels.
 */
#include "queue/store_impl.h"

#include <stdlib.h>
#include <string.h>

#define DUTIES 500 /* agents told of at once */

static const char *const presences[] = {"offline", "away", "ready"};

static void
agent_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct agent_state a = {.presence = PRESENCE_OFFLINE};

        if (err != NULL) {
                c->agent(c->arg, err_told(err), NULL);
                return;
        }
        for (int i = 0; i < 3; i++)
                if (strcmp(reply_str(r, 0), presences[i]) == 0)
                        a.presence = (enum presence)i;
        a.reason = reply_dup(r, 1, c->a);
        a.used = (unsigned)reply_int(r, 2);
        a.idle_since_ms = time_ms(reply_int(r, 3));
        a.absent_from_ms = time_ms(reply_int(r, 4));
        a.absent_until_ms = time_ms(reply_int(r, 5));
        a.absent = reply_int(r, 6) == 1;
        a.absent_moved = reply_int(r, 7) == 1;
        a.absent_deputy = reply_dup(r, 8, c->a);
        a.closed = reply_int(r, 9) == 1;
        c->agent(c->arg, err_told(NULL), &a);
}

void
store_agent(struct store *s, const char *agent, store_agent_fn fn, void *arg)
{
        static const char *const fields[] = {"presence", "reason", "used", "idle_since",
            "absent_from", "absent_until", "absent", "absent_moved", "absent_deputy",
            "closed"};
        struct call *c = store_call_plain(s, "HMGET", agent_on, arg);

        c->agent = fn;
        store_call_addf(c, KEY_AGENT "%s", agent);
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                store_call_add(c, fields[i]);
        store_call_send(c);
}

/* An absent agent's queue falls back in chunks: the same call again, until it is empty. */
static void
presence_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct call *again;

        if (err != NULL || reply_int(r, 3) != 1) {
                if (c->done != NULL)
                        c->done(c->arg, err_told(err));
                return;
        }
        again = store_call_verb(c->s, "presence", presence_on, c->arg);
        again->done = c->done;
        for (size_t i = 7; i < c->n; i++)
                store_call_add(again, c->argv[i]);
        store_call_send(again);
}

void
store_set_presence(struct store *s, const char *agent, enum presence p,
    const char *reason, const char *who, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "presence", presence_on, arg);

        c->done = fn;
        store_call_add(c, agent);
        store_call_add(c, presences[p]);
        store_call_add(c, reason);
        store_call_add(c, who);
        store_call_send(c);
}

void
store_set_grace(struct store *s, const char *agent, bool bot, int64_t at_ms,
    store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "grace", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, agent);
        store_call_add(c, bot ? "1" : "0");
        store_call_addn(c, at_ms);
        store_call_send(c);
}

void
store_set_absent(struct store *s, const char *agent, int64_t from_ms, int64_t until_ms,
    const char *deputy, const char *who, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "absent", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, agent);
        store_call_addn(c, from_ms);
        store_call_addn(c, until_ms);
        store_call_add(c, deputy);
        store_call_add(c, who);
        store_call_send(c);
}

void
store_absent_moved(
    struct store *s, const char *agent, int64_t until_ms, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "moved", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, agent);
        store_call_addn(c, until_ms);
        store_call_send(c);
}

void
store_set_agents(struct store *s, const struct agent_duty *duties, size_t n)
{
        for (size_t from = 0; from < n; from += DUTIES) {
                struct call *c = store_call_verb(s, "agents", store_call_on_done, NULL);

                for (size_t i = from; i < n && i < from + DUTIES; i++) {
                        store_call_add(c, duties[i].agent);
                        store_call_addn(c, duties[i].holds);
                        store_call_add(c, duties[i].deputy);
                        store_call_add(c, duties[i].closed ? "1" : "0");
                }
                store_call_send(c);
        }
}

/* ---- tokens ---- */

void
store_token_new(struct store *s, const struct token *t, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "token", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, t->id);
        store_call_add(c, t->agent);
        store_call_add(c, t->sha256);
        store_call_add(c, t->name);
        store_call_addn(c, t->created_ms);
        store_call_send(c);
}

static void
token_parse(const char *id, const redisReply *pairs, struct arena *a, struct token *t)
{
        t->id = arena_strdup(a, id);
        t->agent = arena_strdup(a, reply_field(pairs, "agent"));
        t->sha256 = arena_strdup(a, reply_field(pairs, "sha256"));
        t->name = arena_strdup(a, reply_field(pairs, "name"));
        t->created_ms = reply_ms(pairs, "created");
        t->used_ms = reply_ms(pairs, "used");
}

static void
token_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct token t;
        size_t n = 0;

        if (err == NULL && r->type == REDIS_REPLY_ARRAY && r->elements > 0) {
                token_parse(c->x, r, c->a, &t);
                n = 1;
        }
        c->tokens(c->arg, err_told(err), n > 0 ? &t : NULL, n);
}

void
store_token_find(struct store *s, const char *id, store_tokens_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "HGETALL", token_on, arg);

        c->tokens = fn;
        c->x = arena_strdup(c->a, id);
        store_call_addf(c, KEY_TOKEN "%s", id);
        store_call_send(c);
}

struct token_list {
        struct arena *a;
        struct token *tokens;
        size_t n;
        size_t n_left;
        struct err err;
        store_tokens_fn fn;
        void *arg;
};

static void
token_list_done(struct token_list *l)
{
        struct arena *a = l->a;
        bool ok = l->err.kind == ERR_NONE;

        l->fn(l->arg, err_told(ok ? NULL : &l->err), l->tokens, ok ? l->n : 0);
        arena_free(&a);
}

static void
token_list_one(void *arg, const struct err *err, const struct token *t, size_t n)
{
        struct token_list *l = arg;

        if (err != NULL)
                l->err = *err;
        for (size_t i = 0; i < n; i++)
                l->tokens[l->n++] = (struct token){.id = arena_strdup(l->a, t[i].id),
                    .agent = arena_strdup(l->a, t[i].agent),
                    .sha256 = arena_strdup(l->a, t[i].sha256),
                    .name = arena_strdup(l->a, t[i].name),
                    .created_ms = t[i].created_ms,
                    .used_ms = t[i].used_ms};
        if (--l->n_left == 0)
                token_list_done(l);
}

static void
token_list_on(struct call *c, const struct err *err, const redisReply *r)
{
        size_t n = err == NULL && r->type == REDIS_REPLY_ARRAY ? r->elements : 0;
        struct arena *a = arena_new();
        struct token_list *l = arena_alloc(a, sizeof(*l));

        l->a = a;
        l->fn = c->tokens;
        l->arg = c->arg;
        l->n_left = n;
        l->tokens = arena_alloc(a, (n + 1) * sizeof(*l->tokens));
        if (err != NULL)
                l->err = *err;
        if (n == 0)
                token_list_done(l);
        for (size_t i = 0; i < n; i++)
                store_token_find(c->s, reply_str(r, i), token_list_one, l);
}

void
store_token_list(struct store *s, const char *agent, store_tokens_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "SMEMBERS", token_list_on, arg);

        c->tokens = fn;
        if (agent[0] == '\0')
                store_call_add(c, KEY_TOKENS);
        else
                store_call_addf(c, KEY_AGENT_TOKENS "%s", agent);
        store_call_send(c);
}

void
store_token_drop(struct store *s, const char *id, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "untoken", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, id);
        store_call_send(c);
}

void
store_token_used(struct store *s, const char *id)
{
        struct call *c = store_call_verb(s, "tokused", store_call_on_done, NULL);

        store_call_add(c, id);
        store_call_send(c);
}

/* ---- cursors of channels ---- */

static void
cursor_on(struct call *c, const struct err *err, const redisReply *r)
{
        c->cursor(c->arg, err_told(err),
            err == NULL && r->type == REDIS_REPLY_STRING ? r->str : "");
}

void
store_cursor_get(struct store *s, const char *account, store_cursor_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "GET", cursor_on, arg);

        c->cursor = fn;
        store_call_add(c, arena_printf(c->a, "%s%s", KEY_CURSOR, account));
        store_call_send(c);
}

/* Written again when its answer is lost: the same words do the same. */
void
store_cursor_set(
    struct store *s, const char *account, const char *value, store_done_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "SET", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, arena_printf(c->a, "%s%s", KEY_CURSOR, account));
        store_call_add(c, value);
        store_call_send(c);
}
