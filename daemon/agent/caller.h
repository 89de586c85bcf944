/*
 * A connection of an agent that speaks no RESP: POST /v1 and its events (daemon/web/api.c,
 * daemon/web/live.c). It is a connection like any other, with session, grace, limits and
 * the same table of commands; only its words come as a list, and its answers go as RESP3
 * to whoever made it, who writes them as he likes.
 *
 *     caller_login -> caller_new -> caller_call -> ops->answer -> caller_call ...
 *
 * It lives as long as the client's own connection: with caller_end a ticket that was given
 * over it and never named is treated as one of a lost connection.
 */
#ifndef HELPLINE_DAEMON_AGENT_CALLER_H
#define HELPLINE_DAEMON_AGENT_CALLER_H

#include "daemon/base/arena.h"
#include "daemon/base/resp.h"
#include "daemon/desk.h"

struct conn;
struct identity;

struct caller_ops {
        /* The answer of caller_call, in RESP3, perhaps still within it; n 0: there is none
         * (nobody is there to hear it). */
        void (*answer)(void *arg, const char *resp, size_t n);
        /* An entry of the journal that it listens to. */
        void (*event)(void *arg, const char *seq, const char *json, size_t n);
        /* Has the client ended its side, whatever the loop has seen so far? */
        bool (*is_gone)(void *arg);
        /* The daemon has ended it (its token was dropped, its agent is gone, the daemon
         * ends); a call under way gets no answer. The connection is no more. */
        void (*ended)(void *arg, const char *why);
};

/* Whose token is it? fn is called once, perhaps at once. */
typedef void (*caller_fn)(void *arg, const struct err *err, const struct identity *id);
void caller_login(struct agents *a, const char *token, caller_fn fn, void *arg);

/* Notes that somebody at that address was not let in. */
void caller_refused(struct agents *a, const char *address, const char *why);

/* A new connection of id from that address ("192.0.2.1"). NULL with *err: too many. It
 * blocks at most max_block_ms. */
struct conn *caller_new(struct agents *a, const char *address, const struct identity *id,
    int64_t max_block_ms, const struct caller_ops *ops, void *arg, struct err *err);
/* Runs a command; none may be under way. The arena (of argv) is its own from here on. */
void caller_call(struct conn *c, struct resp_arg *argv, int argc, struct arena *arena);
bool caller_is_busy(const struct conn *c);
/* The client has ended its side: what blocks is given up. */
void caller_eof(struct conn *c);
/* broke: what it was answered last cannot have arrived for sure. */
void caller_end(struct conn **c, bool broke);

/* What a command is like, before it is called. */
struct caller_command {
        bool takes_id; /* ID key: it changes something */
        bool is_bytes; /* answers bytes, not text */
        bool is_raw; /* its text may be the last words, behind TEXT */
};
struct caller_command caller_look(const struct resp_arg *argv, int argc);

/* Listens to a channel as SUBSCRIBE does, to none twice. -1 with *err. */
int caller_listen(struct conn *c, const char *channel, struct err *err);
void caller_listen_none(struct conn *c);
/* Would this event have been told? For those read from the journal. */
bool caller_hears(const struct conn *c, const char *json, size_t n);

/* An error as RESP, with its code. */
void answer_error(struct buf *b, const struct err *err);

#endif
