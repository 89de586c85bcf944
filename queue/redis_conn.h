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
        const char *address;  /* "unix:/path" or "host:port" */
        const char *password; /* "" none */
        unsigned db;
        int64_t connect_ms;   /* deadline of connecting and handshake */
        int64_t command_ms;   /* deadline of a command in flight: then the connection is rebuilt */
        bool blocking;        /* for XREAD BLOCK: one command at a time, longer deadline */
};

struct redis_conn_handlers {
        /* Connected and logged in; commands sent from here go before those that waited
         * or are repeated (script load). Call redis_conn_ready() when done. */
        void (*on_connect)(void *arg);
        void (*on_disconnect)(void *arg, const struct err *why);
};

/* err NULL: reply holds the answer (which may be a Redis error, type
 * REDIS_REPLY_ERROR). Else ERR_RETRY (never sent) or ERR_UNSURE (sent, no answer). */
typedef void (*redis_fn)(void *arg, const struct err *err, const struct redisReply *reply);

struct redis_conn *redis_conn_new(struct loop *loop, const struct redis_conn_options *o,
    const struct redis_conn_handlers *h, void *arg);
void redis_conn_start(struct redis_conn *c);
void redis_conn_ready(struct redis_conn *c);
/* Ends it; everything waiting or in flight is answered with an error first. */
void redis_conn_free(struct redis_conn **c);
bool redis_conn_is_ready(const struct redis_conn *c);
size_t redis_conn_pending(const struct redis_conn *c);
/* Queue a command. repeat: send it again after a reconnect (it is idempotent).
 * deadline_ms: from now, waiting and flying together. */
void redis_conn_send(struct redis_conn *c, int argc, const char *const *argv, const size_t *lens,
    bool repeat, int64_t deadline_ms, redis_fn fn, void *arg);
/* The same ahead of everything else (only from on_connect). */
void redis_conn_send_first(struct redis_conn *c, int argc, const char *const *argv, const size_t *lens,
    redis_fn fn, void *arg);

#endif
