/*
 * RESP, the Redis protocol (RESP2 and RESP3), both directions: requests of
 * agents are parsed and answered; commands to Redis are formatted here too when
 * hiredis is not at hand (tools). Pure text, no I/O.
 */
#ifndef HELPLINE_BASE_RESP_H
#define HELPLINE_BASE_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"

struct resp_arg {
        const char *s; /* NUL-terminated copy; may hold NULs, see len */
        size_t len;
};

/* ---- requests ---- */
struct resp_limits {
        size_t max_arg; /* bytes of one argument */
        size_t max_request; /* bytes of one request */
        unsigned max_args;
        size_t max_inline; /* bytes of one inline line */
};

/* Parse one request at p: an array of bulk strings, or one inline line (words,
 * "double quotes" with \n \r \t \b \a \xHH \" \\, 'single quotes' with \'), as
 * Redis does. An empty line or *0 is a request without arguments (skip it).
 * Returns the bytes used and argv and argc (in the arena); 0: more are needed
 * (*need says at least how many bytes in all, when known); -1: broken for good,
 * err->text begins with "Protocol error: " and err->code is "ERR", or "TOOBIG"
 * where kind is ERR_LIMIT (say it and close). Linear for a caller who asks again
 * when *need bytes are there; nothing is allocated before all of it is. */
long resp_request_parse(const char *p, size_t n, const struct resp_limits *lim,
    struct arena *a, struct resp_arg **argv, int *argc, size_t *need, struct err *err);
/* Format a request as an array of bulk strings. */
void resp_request_format(struct buf *b, int argc, const struct resp_arg *argv);

/* ---- answers, written ---- proto is 2 or 3 */
void resp_simple(struct buf *b, const char *s); /* +OK */
void resp_error(struct buf *b, const char *code, const char *text); /* -CODE text */
void resp_int(struct buf *b, int64_t v);
void resp_bulk(struct buf *b, const void *s, size_t n);
void resp_bulks(struct buf *b, const char *s);
void resp_null(struct buf *b, int proto); /* $-1 or _ */
void resp_null_array(struct buf *b, int proto); /* *-1 or _ */
void resp_array(struct buf *b, size_t n);
void resp_map(struct buf *b, int proto, size_t n_pairs); /* %n, or *2n in RESP2 */
void resp_push(struct buf *b, int proto, size_t n); /* >n, or *n in RESP2 */
void resp_bool(struct buf *b, int proto, bool v);
void resp_double(struct buf *b, int proto, double v);
void resp_verbatim(struct buf *b, int proto, const char *s, size_t n); /* =txt: or $ */

/* ---- answers, read (for tools and tests) ---- */
enum resp_type {
        RESP_SIMPLE,
        RESP_ERROR,
        RESP_INT,
        RESP_BULK,
        RESP_NULL,
        RESP_ARRAY,
        RESP_MAP,
        RESP_SET,
        RESP_PUSH,
        RESP_BOOL,
        RESP_DOUBLE,
        RESP_VERBATIM,
        RESP_BIGNUM
};
struct resp_value {
        enum resp_type type;
        const char *s; /* SIMPLE, ERROR, BULK, VERBATIM, DOUBLE, BIGNUM */
        size_t len;
        int64_t i; /* INT, BOOL */
        struct resp_value *items; /* ARRAY, SET, PUSH; MAP: key, value, key, ... */
        size_t n_items;
};
/* Bytes used, 0 when more are needed, -1 broken. At most 32 levels, max bytes. */
long resp_value_parse(const char *p, size_t n, size_t max, struct arena *a,
    struct resp_value *out, struct err *err);

#endif
