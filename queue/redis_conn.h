/*
 * One connection to Redis: hiredis's reader and formatter over a stream
 * (LIBRARIES.md section 3 says why not hiredis's own async client).
 *
 * A FIFO of callbacks; at most 64 commands or 4 MB in flight, the rest waits
 * inside its own deadline; reconnect with back-off and jitter; what was in
 * flight at a disconnect and is marked repeatable is sent again in its old order.
 */
#ifndef HELPLINE_QUEUE_REDIS_CONN_H
#define HELPLINE_QUEUE_REDIS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"
#include "daemon/base/loop.h"

struct redis_conn;
struct redisReply;

struct redis_conn_options {
        const char *address; /* "unix:/path" or "host:port" */
        const char *password; /* "" none */
        unsigned db;
        int64_t connect_ms; /* deadline of connecting and handshake */
        /* deadline of a command in flight: then the connection is rebuilt */
        int64_t command_ms;
        bool blocking; /* for XREAD BLOCK: one command at a time, longer deadline */
};

struct redis_conn_handlers {
        /* Connected and logged in; commands sent from here go before those that waited
         * or are repeated (script load). Call redis_conn_ready() when done. */
        void (*on_connect)(void *arg);
        /* The connection is lost or could not be made (repeats of the same failure are told
         * once). It is built again by itself, after 50 ms to 2 s. */
        void (*on_disconnect)(void *arg, const struct err *why);
};

/* err NULL: reply holds the answer (which may be a Redis error, type
 * REDIS_REPLY_ERROR). Else ERR_RETRY (never sent) or ERR_UNSURE (sent, no answer). */
typedef void (*redis_fn)(
    void *arg, const struct err *err, const struct redisReply *reply);

struct redis_conn *redis_conn_new(struct loop *loop, const struct redis_conn_options *o,
    const struct redis_conn_handlers *h, void *arg);
void redis_conn_start(struct redis_conn *c);
void redis_conn_ready(struct redis_conn *c);
/* Ends it; everything waiting or in flight is answered with an error first. */
void redis_conn_free(struct redis_conn **c);
bool redis_conn_is_ready(const struct redis_conn *c);
/* Why it is not ready, one sentence (ERR_NONE while it is): what a sender may be told. */
const struct err *redis_conn_why(const struct redis_conn *c);
/* The server was just started: do not wait out the back-off. */
void redis_conn_kick(struct redis_conn *c);
/* Close and build again (the health check has lost faith in it). */
void redis_conn_rebuild(struct redis_conn *c, const char *why);
/* Commands waiting and in flight. */
size_t redis_conn_pending(const struct redis_conn *c);
/* Queue a command (copied). fn may be NULL: nobody wants the answer. repeat: send it again after a reconnect (it is idempotent).
 * deadline_ms: from now, waiting and flying together. */
void redis_conn_send(struct redis_conn *c, int argc, const char *const *argv,
    const size_t *lens, bool repeat, int64_t deadline_ms, redis_fn fn, void *arg);
/* The same ahead of everything else (only from on_connect). */
void redis_conn_send_first(struct redis_conn *c, int argc, const char *const *argv,
    const size_t *lens, redis_fn fn, void *arg);

/* What an error of Redis means; *err gets one sentence that says what to do.
 * ERR_NONE: the reply is no error.
 * ERR_RETRY: not done, may go later (LOADING, OOM, MISCONF, BUSY, READONLY, MASTERDOWN,
 *     NOREPLICAS, CLUSTERDOWN, TRYAGAIN, ASK, UNBLOCKED, NOSCRIPT: load and repeat).
 * ERR_CONFIG: the administrator must act (NOAUTH, WRONGPASS, NOPERM, MOVED).
 * ERR_REJECT: our own mistake or damaged data (WRONGTYPE, ERR ...).
 * err->code is the error's first word. Also finds the code inside of the text that
 * Redis 6 wraps around an error of a script. */
enum err_kind redis_error_kind(const struct redisReply *reply, struct err *err);
/* Does the reply bear this code ("NOSCRIPT")? */
bool redis_error_is(const struct redisReply *reply, const char *code);

#endif
