/*
 * What the server (http.c) and its connections (http_conn.c) share; only for these two.
 */
#ifndef HELPLINE_BASE_HTTP_IMPL_H
#define HELPLINE_BASE_HTTP_IMPL_H

#include <sys/queue.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/http.h"
#include "daemon/base/http_gate.h"
#include "daemon/base/stream.h"

enum conn_state { CONN_HEAD, CONN_BODY, CONN_WAIT, CONN_STREAM, CONN_EAT, CONN_LINGER };

struct http_request {
        struct http_conn *conn;
        struct arena *arena; /* of head */
        struct http_head head;
        char client[64]; /* plain address */
        bool secure; /* came by https to a trusted proxy */
        void *state; /* of the handlers */
        struct buf lines; /* header lines of the answer */
};

struct http_conn {
        struct http *http;
        struct stream *s; /* NULL once closed */
        struct timer *timer; /* what it means: see the file head */
        enum conn_state state;
        struct http_request *r; /* BODY, WAIT and STREAM; else NULL */
        void *peer_state; /* of the handlers, for the connection; NULL none */
        char peer[64]; /* plain address of the other end */
        bool is_proxy; /* peer is one of the trusted */
        bool is_refused; /* over the limits: counted apart */
        bool has_key; /* key holds whom it counts as */
        unsigned char key[16]; /* IPv6 address, its /64, or mapped IPv4 */
        bool running; /* inside conn_go: no second one */
        bool waking; /* conn_wake is asked for */
        bool eof; /* the client has ended its side */
        bool began; /* HEAD: the first byte is there */
        bool shut; /* LINGER: our side is ended */
        bool watched; /* LINGER: a reset would tell that the answer did not arrive */
        bool broke; /* it ended with an error */
        bool close_after; /* of the answer being sent */
        bool expect; /* the client waits for 100 Continue */
        bool is_head_method; /* no body in the answer */
        unsigned n_blank; /* blank lines before this request */
        bool chunked; /* the body comes in chunks */
        struct http_chunks chunks;
        uint64_t left; /* of a body with a length */
        uint64_t max_body; /* what on_header wants */
        uint64_t n_window; /* bytes of the body in this window */
        size_t unsent_before; /* output at the last look */
        LIST_ENTRY(http_conn) link; /* http.conns */
};

struct http {
        struct loop *loop;
        struct http_options o; /* numbers only: its lists are below */
        const struct http_handlers *h;
        void *arg;
        struct listener **listeners;
        size_t n_listeners;
        char **proxies; /* plain addresses */
        size_t n_proxies;
        char *address; /* of the first listener */
        LIST_HEAD(http_conn_list, http_conn) conns;
        size_t n_conns; /* without the refused */
        size_t n_refused;
        bool draining;
};

/* Takes an accepted descriptor: the connection waits for its first header. */
struct http_conn *http_conn_new(struct http *h, int fd, const struct peer *peer);
/* At once; its request is told on_gone. */
void http_conn_close(struct http_conn *c);
/* The gate's own answer and the end of the connection. */
void http_conn_refuse(struct http_conn *c, int status, const char *why);
/* Does what can be done with what is there. */
void http_conn_go(struct http_conn *c);

/* Counts c as that plain address. false: it has its fill of connections already. */
bool http_count_as(struct http_conn *c, const char *plain);

#endif
