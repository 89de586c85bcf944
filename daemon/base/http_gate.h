/*
 * The pure half of the HTTP gate: bytes in, facts out; only for daemon/base and tests.
 *
 * HTTP/1.0 and 1.1 requests as RFC 9112 writes them, without its tolerance: what two
 * readers could read in two ways is refused, because a proxy stands in front.
 */
#ifndef HELPLINE_BASE_HTTP_GATE_H
#define HELPLINE_BASE_HTTP_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/http.h"

enum {
        HTTP_LINE_MAX = 8192, /* the request line; longer: 414 */
        HTTP_FIELDS_MAX = 100, /* header lines; more: 431 */
        HTTP_CHUNK_EXT_MAX = 100, /* bytes of a chunk's extension */
        HTTP_TRAILER_MAX = 8192 /* bytes of all trailers */
};

struct http_field {
        const char *name; /* as sent */
        const char *value; /* without the blanks around it */
};

/* What a header block says. Strings belong to the arena. */
struct http_head {
        enum http_method method;
        unsigned minor; /* 0 or 1: HTTP/1.0, HTTP/1.1 */
        const char *path; /* decoded once, "/" first */
        const char *query; /* raw, without "?" */
        struct http_field *fields; /* in the order sent */
        size_t n_fields;
        int64_t length; /* Content-Length; -1: none */
        bool chunked; /* Transfer-Encoding: chunked */
        bool keep; /* the connection may go on after the answer */
        bool expect; /* Expect: 100-continue */
};

/* A letter of methods and header names (RFC 9110 "tchar")? */
bool http_token_char(unsigned char c);
/* Is the header block whole? 0 with *len its bytes up to and with the empty line, 0 for
 * "more to come"; else the status to answer: bad beyond repair, or over max bytes. */
int http_head_find(const char *p, size_t n, size_t max, size_t *len, struct err *err);
/* Reads a whole block. 0, or the status to answer (then *out is half filled). */
int http_head_parse(
    struct arena *a, const char *p, size_t n, struct http_head *out, struct err *err);
/* The first field of that name, any case; "" when absent. */
const char *http_head_field(const struct http_head *head, const char *name);

/* "%2e" and the like decoded once. 0, or 400: no "/" first, a bad escape, a control,
 * NUL, "\", an escaped "/", a "." or ".." segment, no UTF-8. */
int http_path_decode(
    struct arena *a, const char *p, size_t n, const char **path, struct err *err);

/* A chunked body, fed as it comes; zeroed is the beginning. */
struct http_chunks {
        int state; /* where in the grammar */
        unsigned digits; /* of the size being read */
        unsigned extra; /* bytes of the extension, or of all trailers */
        uint64_t left; /* of the chunk */
        uint64_t total; /* of all chunks begun so far */
};

enum { HTTP_CHUNKS_MORE = 0, HTTP_CHUNKS_END = 1 };

/* Takes *used of the n bytes, puts the body's bytes among them into out (room for n) and
 * their number into *n_out. HTTP_CHUNKS_MORE (all was used), HTTP_CHUNKS_END, or the
 * status to answer: 400, or 413 as soon as a size goes over max in all. */
int http_chunks_feed(struct http_chunks *c, const char *p, size_t n, uint64_t max,
    char *out, size_t *n_out, size_t *used, struct err *err);

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "::ffff:192.0.2.1" as one plain
 * address without port. false: it is none ("unix" is taken as it is). */
bool http_address_plain(const char *p, size_t n, char out[64]);
/* Who asks: peer, or, as long as that is one of the proxies, whom it names in
 * X-Forwarded-For (rightmost first). Plain addresses. */
void http_find_client(const struct http_head *head, const char *const *proxies,
    size_t n_proxies, const char *peer, char out[64]);
/* Does the nearest proxy say that the client came by https? (only of a trusted peer) */
bool http_forwarded_secure(const struct http_head *head);

/* The reason phrase; "Unknown" for others. */
const char *http_status_text(int status);
/* The head of an answer, with its empty line. n: bytes of its body, HTTP_NO_LENGTH when
 * only the connection's end ends it. own: header lines of the handler, whole; they stand
 * instead of ours of the same name. */
#define HTTP_NO_LENGTH ((size_t)-1)
void http_answer_head(struct buf *out, int status, const char *type, size_t n,
    const struct buf *own, const char *connection);
/* Is there a line of that name among whole header lines? */
bool http_lines_have(const char *lines, const char *name);

#endif
