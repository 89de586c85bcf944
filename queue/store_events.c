/*
 * The two streams: the journal (on_event) and other daemons' hints (on_hint), read by a
 * connection of their own that blocks; and EVENTS, the journal's past.
 *
 * The journal is read from where we stopped, so a reconnect misses nothing. Health
 * sends a token round through the hints: a dead blocking connection leaves all else
 * looking well.
 */
#include "queue/store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"

enum { BLOCK_MS = 5000, TOKEN_EVERY_S = 10, TOKEN_MS = 7000 };

/* A journal entry as its event's JSON. */
static void
event_format(const char *seq, const redisReply *pairs, struct buf *b)
{
        static const char *const members[] = {
            "event", "ticket", "line", "agent", "who", "why"};
        struct json_out o;

        buf_clear(b);
        jo_init(&o, b);
        jo_open(&o, '{');
        jo_kstring(&o, "seq", seq);
        jo_ktime(&o, "at", reply_ms(pairs, "at") * 1000);
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                jo_kstring_or_null(&o, members[i], reply_field(pairs, members[i]));
        jo_close(&o, '}');
}

static void
stream_take_event(struct store *s, const redisReply *entry, struct buf *b)
{
        snprintf(s->journal_id, sizeof(s->journal_id), "%s", reply_str(entry, 0));
        event_format(reply_str(entry, 0), reply_at(entry, 1), b);
        if (s->h->on_event != NULL && !s->stopping)
                s->h->on_event(s->arg, s->journal_id, b->data, b->len);
}

static void
stream_take_hint(struct store *s, const redisReply *entry)
{
        const redisReply *pairs = reply_at(entry, 1);
        const char *h = reply_field(pairs, "h");
        const char *token = reply_field(pairs, "token");

        snprintf(s->hints_id, sizeof(s->hints_id), "%s", reply_str(entry, 0));
        if (strcmp(reply_field(pairs, "d"), s->daemon) == 0) {
                if (token[0] != '\0' && strcmp(token, s->token) == 0)
                        s->token[0] = '\0';
                return; /* our own hints came with the answer */
        }
        store_hint(s, h, strtoull(reply_field(pairs, "s"), NULL, 10));
}

static void stream_read(struct store *s);

static void
stream_on_read(void *arg, const struct err *err, const redisReply *r)
{
        struct store *s = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        s->reading = false;
        if (err != NULL || s->stopping)
                return; /* on_connect reads again */
        for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {
                const char *key = reply_str(reply_at(r, i), 0);
                const redisReply *list = reply_at(reply_at(r, i), 1);

                for (size_t j = 0; list->type == REDIS_REPLY_ARRAY && j < list->elements;
                     j++) {
                        if (strcmp(key, KEY_JOURNAL) == 0)
                                stream_take_event(s, list->element[j], &b);
                        else
                                stream_take_hint(s, list->element[j]);
                }
        }
        if (r->type == REDIS_REPLY_ERROR)
                log_warn("STREAM", "why=%s", log_quote(r->str)); /* health rebuilds it */
        else
                stream_read(s);
}

static void
stream_read(struct store *s)
{
        char block[16];
        const char *argv[] = {"XREAD", "COUNT", "500", "BLOCK", block, "STREAMS",
            KEY_JOURNAL, KEY_HINTS, s->journal_id, s->hints_id};

        if (s->reading)
                return;
        s->reading = true;
        snprintf(block, sizeof(block), "%d", BLOCK_MS);
        redis_conn_send(
            s->stream, 10, argv, NULL, false, BLOCK_MS + 3000, stream_on_read, s);
}

static void
stream_on_connect(void *arg)
{
        struct store *s = arg;

        s->token[0] = '\0';
        redis_conn_ready(s->stream);
        if (!s->stopping)
                stream_read(s);
}

const struct redis_conn_handlers store_stream_handlers = {
    .on_connect = stream_on_connect};

static void
stream_on_token(struct call *c, const struct err *err, const redisReply *r)
{
        (void)r;
        if (err != NULL)
                c->s->token[0] = '\0';
}

static void
stream_send_token(struct store *s)
{
        struct call *c = store_call_plain(s, "XADD", stream_on_token, NULL);

        snprintf(s->token, sizeof(s->token), "%" PRIu64, ++s->n_nonces);
        s->token_sent_us = clock_mono_us();
        c->repeat = false;
        store_call_add(c, KEY_HINTS);
        store_call_add(c, "MAXLEN");
        store_call_add(c, "~");
        store_call_add(c, "10000");
        store_call_add(c, "*");
        store_call_add(c, "d");
        store_call_add(c, s->daemon);
        store_call_add(c, "token");
        store_call_add(c, s->token);
        store_call_send(c);
}

void
store_streams_check(struct store *s)
{
        if (s->stream == NULL || !s->up)
                return;
        if (s->token[0] != '\0' && clock_mono_us() - s->token_sent_us > TOKEN_MS * 1000) {
                s->token[0] = '\0';
                redis_conn_rebuild(s->stream, "nothing comes through the hints stream");
        } else if (s->token[0] == '\0' && s->n_health % TOKEN_EVERY_S == 0 &&
                   redis_conn_is_ready(s->stream)) {
                if (!s->reading)
                        stream_read(s);
                stream_send_token(s);
        }
}

/* ---- EVENTS ---- */

const char *
store_journal_at(const struct store *s)
{
        return s->journal_id;
}

static void
events_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t n = err == NULL && r->type == REDIS_REPLY_ARRAY ? r->elements : 0;
        const char **seqs = arena_alloc(c->a, (n + 1) * sizeof(*seqs));
        const char **jsons = arena_alloc(c->a, (n + 1) * sizeof(*jsons));

        for (size_t i = 0; i < n; i++) {
                seqs[i] = reply_dup(r->element[i], 0, c->a);
                event_format(seqs[i], reply_at(r->element[i], 1), &b);
                jsons[i] = arena_strndup(c->a, b.data, b.len);
        }
        c->events(c->arg, err_told(err), seqs, jsons, n);
}

void
store_events(
    struct store *s, const char *after, unsigned count, store_events_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "XRANGE", events_on, arg);

        c->events = fn;
        store_call_add(c, KEY_JOURNAL);
        if (strcmp(after, "0") == 0 || after[0] == '\0')
                store_call_add(c, "-");
        else
                store_call_addf(c, "(%s", after);
        store_call_add(c, "+");
        store_call_add(c, "COUNT");
        store_call_addn(c, count);
        store_call_send(c);
}

static void
last_on(struct call *c, const struct err *err, const redisReply *r)
{
        const char *seq = "0";

        if (err == NULL && r->type == REDIS_REPLY_ARRAY && r->elements > 0)
                seq = reply_dup(r->element[0], 0, c->a);
        ((store_seq_fn)c->fn)(c->arg, err_told(err), seq);
}

void
store_journal_last(struct store *s, store_seq_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "XREVRANGE", last_on, arg);

        c->fn = (void (*)(void))fn;
        store_call_add(c, KEY_JOURNAL);
        store_call_add(c, "+");
        store_call_add(c, "-");
        store_call_add(c, "COUNT");
        store_call_add(c, "1");
        store_call_send(c);
}
