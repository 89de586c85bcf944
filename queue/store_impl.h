/*
 * Inside of the store client: what its files share. Nobody else includes this.
 *
 * store.c        life: connecting, handshake, health, stopping
 * store_call.c   one call of the script: arguments, repeating, errors, hints
 * store_put.c    facts and put               store_pull.c    pull, heads, classes
 * store_ticket.c reading tickets, commit     store_agent.c   agents, tokens
 * store_outbox.c outbox, quarantine, clocks  store_events.c  the two streams
 * store_stats.c  numbers
 */
#ifndef HELPLINE_QUEUE_STORE_IMPL_H
#define HELPLINE_QUEUE_STORE_IMPL_H

#include <hiredis/hiredis.h>

#include "daemon/base/arena.h"
#include "queue/keys.h"
#include "queue/redis_child.h"
#include "queue/redis_conn.h"
#include "queue/store.h"

enum { DAEMON_ID_LEN = 12, SECRETS_MAX = 16, READ_MAX = 100 };

struct secret {
        char id; /* one character; 0: none */
        uint8_t bytes[32];
};

struct store {
        struct loop *loop;
        const struct store_handlers *h;
        void *arg;
        struct arena *arena; /* the options' strings */
        const char *kind; /* embedded, redis */
        const char *address; /* as stream.h wants it */
        const char *password;
        unsigned db;
        int64_t command_ms; /* deadline of a command */
        struct err bad_where; /* `where` could not be read: told at the start */

        struct redis_child *child; /* NULL: not embedded */
        /* all scripts, so answers come in the order of execution */
        struct redis_conn *conn;
        struct redis_conn *stream; /* XREAD BLOCK; NULL before the first handshake */
        bool up;
        bool stopping;
        bool fatal; /* told once */

        char daemon[DAEMON_ID_LEN + 1]; /* who we are, in hints and nonces */
        uint64_t n_nonces;
        uint64_t n_ticks; /* answered ones: the nonce of the next */
        char sha[41]; /* of the script, "" before the first handshake */
        struct secret secrets[SECRETS_MAX];
        bool live;
        uint64_t hintseq;
        const char *durability;
        bool aof; /* CONFIG GET said appendonly yes */
        double ms; /* last round trip */
        int64_t time_sent_us; /* of the TIME in flight, monotonic */

        struct timer *health; /* every second while connected */
        int64_t disk_looked_us; /* when, clock_mono_us() */
        unsigned n_health;
        enum disk_level disk;
        struct err disk_why;
        double memory; /* share of maxmemory in use; 0: no limit */

        char journal_id[48]; /* last entries read; "" not known yet */
        char hints_id[48];
        bool reading; /* an XREAD is in flight */
        char token[32]; /* on its way through the hints stream, "" none */
        int64_t token_sent_us;

        struct timer *stop_timer;
        int64_t stop_deadline_us;
        loop_fn stop_done;
        void *stop_arg;
};

/* One question to Redis, and how its answer is taken. */
struct call {
        struct store *s;
        struct arena *a; /* the call's own: arguments, then the answer's records */
        const char **argv;
        size_t *lens;
        size_t n;
        bool script; /* EVALSHA: reload on NOSCRIPT, mind hints */
        bool repeat; /* may be sent again after a reconnect */
        unsigned n_loads; /* how often the script was loaded again for it */
        /* err NULL: the answer is an array (of a script), else any reply but an error. */
        void (*on)(struct call *c, const struct err *err, const redisReply *r);
        union {
                void (*fn)(void); /* the asker's, cast by `on` */
                store_done_fn done;
                store_facts_fn facts;
                store_put_fn put;
                store_pull_fn pull;
                store_heads_fn heads;
                store_text_fn text;
                store_swept_fn swept;
                store_classes_fn texts;
                store_cursor_fn cursor;
                store_commit_fn commit;
                store_agent_fn agent;
                store_tokens_fn tokens;
                store_events_fn events;
                store_outbox_fn outbox;
                store_quarantine_fn quarantine;
                store_tick_fn tick;
                store_stats_fn stats;
        };
        void *arg; /* the asker's */
        void *x; /* on's own */
        size_t i; /* on's own */
};

typedef void (*store_call_on_fn)(
    struct call *c, const struct err *err, const redisReply *r);

/* A call of a verb: EVALSHA sha 1 {desk}: verb now daemon. Add arguments, set `fn`, send. */
struct call *
store_call_verb(struct store *s, const char *verb, store_call_on_fn on, void *arg);
/* A call of a plain command (repeatable). */
struct call *
store_call_plain(struct store *s, const char *command, store_call_on_fn on, void *arg);
void store_call_add(struct call *c, const char *s); /* copied; NULL is "" */
void store_call_addl(struct call *c, const char *s, size_t len);
void store_call_addn(struct call *c, int64_t n);
void store_call_addf(struct call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void store_call_change(struct call *c, const struct change *ch); /* its steps */
/* Sends it; the call frees itself after its answer. */
void store_call_send(struct call *c);
/* Answers it with this error in the next turn, without asking. */
void store_call_fail(struct call *c, const struct err *why);
/* For store.c: ahead of all others, from the handshake. */
void store_call_send_first(struct call *c);
/* on: the answer of a verb whose asker wants only to know that it is done. */
void store_call_on_done(struct call *c, const struct err *err, const redisReply *r);
/* Callers of the store always get an error to read: kind ERR_NONE when there is none. */
const struct err *err_told(const struct err *err);
/* A key of the daemon's own for what has none, unique for ever. */
const char *store_nonce(struct store *s, struct arena *a);

/* ---- answers: never NULL, "" when it is not there ---- */
const redisReply *reply_at(const redisReply *r, size_t i);
const char *reply_str(const redisReply *r, size_t i);
int64_t reply_int(const redisReply *r, size_t i);
/* A time in ms that the store holds, or 0: what else stands there must not overflow us. */
#define TIME_MAX_MS 253402300799000LL /* the last second of year 9999 */
int64_t time_ms(int64_t ms);
int64_t reply_ms(const redisReply *pairs, const char *field);
size_t reply_n(const redisReply *r, size_t i); /* items of the array at i */
const char *reply_dup(const redisReply *r, size_t i, struct arena *a);
/* The value of a field in a flat list of pairs, "" none. */
const char *reply_field(const redisReply *pairs, const char *field);
/* A JSON array of strings. */
const char **json_strings(const char *json, struct arena *a, size_t *n);

/* In rehearsal what is queued is shown as held. */
const char *
store_show_delivery(struct store *s, const char *json, size_t len, struct arena *a);

/* Fields of a ticket out of HGETALL's answer. */
int store_ticket_parse(const char *id, const redisReply *pairs, struct arena *a,
    struct ticket *out, struct err *err);
void store_hint(struct store *s, const char *text, uint64_t seq);
extern const struct redis_conn_handlers store_stream_handlers;
void store_streams_start(struct store *s);
void store_streams_check(struct store *s); /* every second */
/* So full (disk, memory) that agents must wait too? */
bool store_is_full(const struct store *s, struct err *err);
void store_fatal(struct store *s, const struct err *why);

#endif
