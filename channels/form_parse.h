/*
 * What browsers and programs send: multipart/form-data (RFC 7578) and
 * application/x-www-form-urlencoded (WHATWG URL), streamed and bounded. Pure.
 *
 * Never holds a file: the bytes of file parts are passed on (and counted and hashed)
 * as they come. Field values are kept, each and all together bounded.
 */
#ifndef HELPLINE_CHANNELS_FORM_PARSE_H
#define HELPLINE_CHANNELS_FORM_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/err.h"

struct form_part {
        const char *name; /* of the field; %22 %0D %0A undone, "" none */
        bool is_file; /* had a filename */
        const char *filename; /* the last component of any path, decoded; "" not given */
        const char *type; /* its Content-Type, "" none */
        const char *value; /* fields: NUL-terminated, may hold NULs */
        size_t len;
        uint64_t size; /* files: bytes */
        char sha256[65]; /* files */
        unsigned index; /* 1-based place in the body: "part" of an attachment */
};

struct form_limits {
        size_t max_parts; /* 200 */
        size_t max_head; /* bytes of one part's header: 8 KB */
        size_t max_value; /* of one field: 256 KB */
        size_t max_values; /* of all fields together: 1 MB */
        uint64_t max_files; /* of all files together */
};

struct form_parser;

/* content_type: the request's header. -1 when it is neither of the two, or has no
 * (or an impossible) boundary. Parts live in arena a. */
struct form_parser *form_parser_new(const char *content_type,
    const struct form_limits *lim, struct arena *a, struct err *err);
/* Feed the next bytes. -1: broken (ERR_REJECT) or too big (ERR_LIMIT); err names the
 * byte and the field. */
int form_parser_feed(struct form_parser *p, const char *s, size_t n, struct err *err);
/* The end of the body. -1: it ended too early. */
int form_parser_end(struct form_parser *p, struct err *err);
const struct form_part *form_parser_parts(const struct form_parser *p, size_t *n);
void form_parser_free(struct form_parser **p);

#endif
