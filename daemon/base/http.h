/*
 * The gate: HTTP/1.1 for forms, pages, pushes and health; see http.c for why it is our
 * own and http_gate.h for its rules.
 *
 * Every connection has a deadline for its header and a least rate for its body, a bound
 * on bytes of both, connections are counted in all and per address. Refused and closed:
 * two Content-Length or one that is not all digits, Transfer-Encoding other than exactly
 * "chunked" or beside a length, a header name that is no token, a folded or NUL-holding
 * header, bare LF, HTTP/1.1 without Host, absolute URIs. Bodies are handed on as they
 * come and never held. Requests of one connection come one after the other.
 */
#ifndef HELPLINE_BASE_HTTP_H
#define HELPLINE_BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/loop.h"

struct http; /* the server */
struct http_request; /* one request: lives until http_answer or on_gone returns */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_OTHER };

/* Numbers: 0 takes the default that stands beside each. */
struct http_options {
        const char *const *listen; /* "127.0.0.1:7780" or "unix:/path" */
        size_t n_listen;
        bool next_free_port; /* demo: a taken port is not an error */
        const char *const *proxies; /* addresses ("unix") whose X-Forwarded-For counts */
        size_t n_proxies;
        size_t max_header; /* 16 KB */
        size_t max_connections; /* 1000 */
        /* 50; IPv6 by its /64. A proxy counts as whom it names, for as long as that one's
         * request lasts; a proxy that names nobody is not counted. */
        unsigned max_per_address;
        int64_t header_ms; /* 10 s for a whole header */
        int64_t idle_ms; /* 60 s between requests */
        int64_t body_min_rate; /* bytes/s a body must keep up over 30 s; 1000 */
        int64_t body_window_ms; /* those 30 s */
        int64_t answer_ms; /* 120 s for http_answer after the body's end; then 503 */
};

enum { HTTP_ANSWERED = -1, HTTP_LATER = -2 };

struct http_handlers {
        /* The header is there. Return the largest body wanted (0: none; a larger one gets
         * 413), HTTP_ANSWERED after answering at once with http_answer, or HTTP_LATER: the
         * body is not read until http_want. */
        int64_t (*on_header)(void *arg, struct http_request *r);
        /* Bytes of the body in order. -1: answered already, eat the rest. */
        int (*on_body)(void *arg, struct http_request *r, const char *p, size_t n);
        /* The body is whole: answer now or later. */
        void (*on_end)(void *arg, struct http_request *r);
        /* No answer is wanted any more: the client is gone, or the gate itself has
         * answered (body too large, too slow or broken; no http_answer in time;
         * http_close). Forget r. Never called before on_header or after http_answer. */
        void (*on_gone)(void *arg, struct http_request *r);
        /* A stream's output has left for the kernel. May be NULL. */
        void (*on_drain)(void *arg, struct http_request *r);
        /* Of connections with a state (http_set_peer_state); may be NULL. The client has
         * ended its side; and, last of all, the connection is no more. broke: what was
         * answered last cannot have arrived for sure. */
        void (*on_eof)(void *arg, void *peer_state);
        void (*on_closed)(void *arg, void *peer_state, bool broke);
};

struct http *http_open(struct loop *loop, const struct http_options *o,
    const struct http_handlers *h, void *arg, struct err *err);
void http_close(struct http **h);
const char *http_address(const struct http *h); /* where it really listens */
size_t http_connections(const struct http *h);
/* No new connections; what is under way ends. */
void http_drain(struct http *h);

enum http_method http_method(const struct http_request *r);
const char *
http_path(const struct http_request *r); /* decoded once, without query; "/" first */
const char *http_query(const struct http_request *r); /* raw, without "?"; "" none */
const char *http_header(const struct http_request *r, const char *name); /* "" absent */
const char *
http_client(const struct http_request *r); /* address, through trusted proxies */
bool http_is_secure(
    const struct http_request *r); /* X-Forwarded-Proto https of a trusted proxy */
void http_set_state(struct http_request *r, void *state);
void *http_state(const struct http_request *r);

/* What the handlers keep for a connection, over its requests; NULL at first. */
void http_set_peer_state(struct http_request *r, void *state);
void *http_peer_state(const struct http_request *r);
/* Has the client ended or lost the connection, whatever the loop has seen so far? */
bool http_peer_gone(const struct http_request *r);
/* It has proved who it is: it no longer counts among its address's connections. */
void http_is_known(struct http_request *r);
/* After HTTP_LATER: the body may come, or on_end at once when there is none. */
void http_want(struct http_request *r, int64_t max);

/* A header of the answer (CR, LF and NUL in it are an assert: ours to prevent). */
void http_add_header(struct http_request *r, const char *name, const char *value);
/* The whole answer, once; then r is no more. Security headers (nosniff, same-origin
 * referrer, no framing, a strict Content-Security-Policy, no-store) are added by itself
 * where http_add_header has not set them; form-action 'self' also forbids a form's
 * redirect to another site. type: "" for none. The body of an answer to HEAD is left
 * out by itself. */
void http_answer(
    struct http_request *r, int status, const char *type, const void *body, size_t n);

/* Instead of http_answer: an answer without a foreseen end (server-sent events), written
 * piece by piece; r lives until http_stream_end, or on_gone. What was written and has not
 * left is the caller's to bound. */
void http_stream_begin(struct http_request *r, int status, const char *type);
void http_stream_write(struct http_request *r, const void *p, size_t n);
size_t http_stream_unsent(const struct http_request *r);
void http_stream_end(struct http_request *r);

/* Pure, for tests and the fuzzer: may this header block (request line and headers with
 * their CRLFs, up to and with the empty line) pass the gate? Status to answer, 0: pass. */
int http_gate_check(const char *head, size_t n, struct err *err);

#endif
