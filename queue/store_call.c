/*
 * One call of the script: its arguments, what becomes of it when the script is not
 * loaded or the answer is an error, and the hints in the answer.
 *
 * Every changing call carries a key or a nonce, so the connection may repeat it after
 * a reconnect: done once, answered the same.
 */
#include "queue/store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "queue/desk_script.h"

static struct call *
store_call_new(struct store *s, store_call_on_fn on, void *arg)
{
        struct arena *a = arena_new();
        struct call *c = arena_alloc(a, sizeof(*c));

        c->s = s;
        c->a = a;
        c->on = on;
        c->arg = arg;
        c->repeat = true;
        return c;
}

static void
store_call_free(struct call *c)
{
        struct arena *a = c->a;

        arena_free(&a);
}

struct call *
store_call_verb(struct store *s, const char *verb, store_call_on_fn on, void *arg)
{
        struct call *c = store_call_new(s, on, arg);

        c->script = true;
        store_call_add(c, "EVALSHA");
        store_call_add(c, s->sha);
        store_call_add(c, "1");
        store_call_add(c, KEY_PREFIX);
        store_call_add(c, verb);
        store_call_addn(c, clock_now_us());
        store_call_add(c, s->daemon);
        return c;
}

struct call *
store_call_plain(struct store *s, const char *command, store_call_on_fn on, void *arg)
{
        struct call *c = store_call_new(s, on, arg);

        store_call_add(c, command);
        return c;
}

void
store_call_addl(struct call *c, const char *s, size_t len)
{
        c->argv = arena_grow(c->a, c->argv, c->n, sizeof(*c->argv));
        c->lens = arena_grow(c->a, c->lens, c->n, sizeof(*c->lens));
        c->argv[c->n] = arena_strndup(c->a, s, len);
        c->lens[c->n++] = len;
}

void
store_call_add(struct call *c, const char *s)
{
        s = s != NULL ? s : "";
        store_call_addl(c, s, strlen(s));
}

void
store_call_addn(struct call *c, int64_t n)
{
        store_call_addf(c, "%" PRId64, n);
}

void
store_call_addf(struct call *c, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        store_call_add(c, arena_vprintf(c->a, fmt, ap));
        va_end(ap);
}

void
store_call_change(struct call *c, const struct change *ch)
{
        for (size_t i = 0; i < ch->n_args; i++)
                store_call_addl(c, ch->args[i].s, ch->args[i].len);
}

const char *
store_nonce(struct store *s, struct arena *a)
{
        return arena_printf(a, "%s-%" PRIu64, s->daemon, ++s->n_nonces);
}

/* ---- the answer ---- */

/* What an error of the script or of Redis means to the asker. */
static void
store_call_error(const redisReply *r, struct err *err)
{
        const char *text = strchr(r->str, ' ');

        text = text != NULL ? text + 1 : r->str;
        if (strncmp(r->str, "STATE ", 6) == 0)
                err_code(err, ERR_STATE, "STATE", "%.400s", text);
        else if (strncmp(r->str, "NOSUCH ", 7) == 0)
                err_code(err, ERR_NOTFOUND, "NOSUCH", "%.400s", text);
        else if (strncmp(r->str, "CLOCK ", 6) == 0)
                err_set(err, ERR_RETRY, "%.400s: set this host's clock", text);
        else if (strncmp(r->str, "BADKEY ", 7) == 0 || strncmp(r->str, "BADARG ", 7) == 0)
                err_code(err, ERR_REJECT, "TRYAGAIN", "%.400s", text);
        else {
                bool is_full;

                redis_error_kind(r, err);
                is_full =
                    strcmp(err->code, "OOM") == 0 || strcmp(err->code, "MISCONF") == 0;
                /* Redis's words (NOAUTH, MOVED) would mean something else to an agent. */
                snprintf(err->code, sizeof err->code, "%s", is_full ? "452" : "TRYAGAIN");
        }
}

/* What our own script made eligible. */
static void
store_call_hints(struct call *c, const redisReply *r)
{
        uint64_t seq = (uint64_t)reply_int(r, 1);
        const redisReply *list = reply_at(r, 2);

        if (seq > c->s->hintseq)
                c->s->hintseq = seq;
        for (size_t i = 0; list != NULL && i < list->elements; i++)
                store_hint(c->s, reply_str(list, i), seq);
}

static bool
store_call_has_hints(const redisReply *r)
{
        return r->elements > 2 && reply_at(r, 1)->type == REDIS_REPLY_STRING &&
               reply_at(r, 2)->type == REDIS_REPLY_ARRAY;
}

static void store_call_on_reply(void *arg, const struct err *err, const redisReply *r);

static void
store_call_again(struct call *c)
{
        redis_conn_send(c->s->conn, (int)c->n, c->argv, c->lens, c->repeat,
            c->s->command_ms, store_call_on_reply, c);
}

static void
store_call_on_loaded(void *arg, const struct err *err, const redisReply *r)
{
        struct call *c = arg;

        if (err != NULL || r->type == REDIS_REPLY_ERROR)
                store_call_on_reply(c, err, r);
        else
                store_call_again(c);
}

/* Someone has flushed the scripts. */
static void
store_call_load(struct call *c)
{
        size_t len;
        const char *argv[] = {"SCRIPT", "LOAD", desk_script(&len)};
        const size_t lens[] = {6, 4, len};

        c->n_loads++;
        redis_conn_send(
            c->s->conn, 3, argv, lens, true, c->s->command_ms, store_call_on_loaded, c);
}

static void
store_call_on_reply(void *arg, const struct err *err, const redisReply *r)
{
        struct call *c = arg;
        struct err why;

        if (err == NULL && r->type == REDIS_REPLY_ERROR) {
                if (c->script && c->n_loads < 2 && redis_error_is(r, "NOSCRIPT")) {
                        store_call_load(c);
                        return;
                }
                store_call_error(r, &why);
                err = &why;
        } else if (err == NULL && c->script &&
                   (r->type != REDIS_REPLY_ARRAY || r->elements < 1)) {
                err_set(&why, ERR_REJECT, "the store's script gave a strange answer");
                err = &why;
        }
        c->on(c, err, err == NULL ? r : NULL);
        if (err == NULL && c->script && store_call_has_hints(r))
                store_call_hints(c, r);
        store_call_free(c);
}

struct store_call_refusal {
        struct call *c;
        struct err why;
};

static void
store_call_on_refusal(void *arg)
{
        struct store_call_refusal *f = arg;

        store_call_on_reply(f->c, &f->why, NULL);
}

void
store_call_fail(struct call *c, const struct err *why)
{
        struct store_call_refusal *f = arena_alloc(c->a, sizeof(*f));

        f->c = c;
        f->why = *why;
        loop_later(c->s->loop, store_call_on_refusal, f);
}

void
store_call_send(struct call *c)
{
        struct err why;

        if (c->s->conn != NULL && !c->s->stopping &&
            (!c->script || c->s->sha[0] != '\0')) {
                store_call_again(c);
                return;
        }
        err_set(&why, ERR_RETRY,
            c->s->stopping ? "helplined is stopping"
                           : "the store is not up yet: try again");
        store_call_fail(c, &why);
}

void
store_call_send_first(struct call *c)
{
        redis_conn_send_first(
            c->s->conn, (int)c->n, c->argv, c->lens, store_call_on_reply, c);
}

const struct err *
err_told(const struct err *err)
{
        static const struct err none = {.kind = ERR_NONE};

        return err == NULL ? &none : err;
}

void
store_call_on_done(struct call *c, const struct err *err, const redisReply *r)
{
        struct err why;

        if (err == NULL && r->type == REDIS_REPLY_ARRAY &&
            strcmp(reply_str(r, 0), "NOSUCH") == 0) {
                err_code(&why, ERR_NOTFOUND, "NOSUCH", "there is none of that name");
                err = &why;
        }
        if (c->done != NULL)
                c->done(c->arg, err_told(err));
}

/* ---- reading answers ---- */

const redisReply *
reply_at(const redisReply *r, size_t i)
{
        static const redisReply none = {.type = REDIS_REPLY_NIL};

        if (r == NULL || r->type != REDIS_REPLY_ARRAY || i >= r->elements)
                return &none;
        return r->element[i];
}

const char *
reply_str(const redisReply *r, size_t i)
{
        const redisReply *e = reply_at(r, i);

        return e->type == REDIS_REPLY_STRING || e->type == REDIS_REPLY_STATUS ? e->str
                                                                              : "";
}

int64_t
reply_int(const redisReply *r, size_t i)
{
        const redisReply *e = reply_at(r, i);

        return e->type == REDIS_REPLY_INTEGER ? e->integer
                                              : strtoll(reply_str(r, i), NULL, 10);
}

int64_t
time_ms(int64_t ms)
{
        return ms >= 0 && ms <= TIME_MAX_MS ? ms : 0;
}

int64_t
reply_ms(const redisReply *pairs, const char *field)
{
        return time_ms(strtoll(reply_field(pairs, field), NULL, 10));
}

size_t
reply_n(const redisReply *r, size_t i)
{
        const redisReply *e = reply_at(r, i);

        return e->type == REDIS_REPLY_ARRAY ? e->elements : 0;
}

const char *
reply_dup(const redisReply *r, size_t i, struct arena *a)
{
        const redisReply *e = reply_at(r, i);

        return e->type == REDIS_REPLY_STRING ? arena_strndup(a, e->str, (size_t)e->len)
                                             : "";
}

const char *
reply_field(const redisReply *pairs, const char *field)
{
        for (size_t i = 0; pairs->type == REDIS_REPLY_ARRAY && i + 1 < pairs->elements;
             i += 2)
                if (strcmp(reply_str(pairs, i), field) == 0)
                        return reply_str(pairs, i + 1);
        return "";
}

const char **
json_strings(const char *json, struct arena *a, size_t *n)
{
        json_t *list = json_read(json, strlen(json), 1 << 20, NULL);
        const char **out = NULL;

        *n = 0;
        for (size_t i = 0; i < json_array_size(list); i++) {
                const char *s = json_string_value(json_array_get(list, i));

                if (s == NULL)
                        continue;
                out = arena_grow(a, out, *n, sizeof(*out));
                out[(*n)++] = arena_strdup(a, s);
        }
        json_decref(list);
        return out;
}
