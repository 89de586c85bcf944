/*
 * The tree of parts of a mail (RFC 2045, 2046), over its raw bytes: every part is a
 * slice of them, so it is given back byte by byte as it was sent, and a tree costs no
 * more than its nodes.
 *
 * Tolerant: boundaries that are missing, never occur, are not closed, begin alike or
 * stand with blanks behind; headers without an end. What is no multipart after all is
 * text. Linear, but for the (at most MIME_MAX_DEPTH) boundaries open at a time.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_TREE_H
#define HELPLINE_CHANNELS_HELPER_MIME_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "channels/helper_mime_code.h"
#include "daemon/base/arena.h"

#define TREE_MAX_PARTS 2000u /* nodes; what is more is part of the last one */

struct mime_field { /* a raw value, folds and all; {"", 0}: the field is absent */
        const char *s;
        size_t n;
};

struct mime_part {
        const char *header; /* its block */
        size_t header_len;
        const char *body; /* still encoded; of a multipart all between its parts, too */
        size_t body_len;

        struct mime_field type_field; /* Content-Type */
        struct mime_field disposition; /* Content-Disposition */
        struct mime_field id; /* Content-ID */
        struct mime_field location; /* Content-Location */
        struct mime_field description; /* Content-Description */

        const char *type; /* "text/plain": what it counts as, lower-case */
        bool typed; /* it said so itself, readably */
        bool coded; /* it has a Content-Transfer-Encoding */
        enum mime_coding coding; /* what that says */

        const char *path; /* as IMAP numbers: "1", "2.1"; "" the root of several */
        unsigned depth; /* 0: the root */
        struct mime_part *parent;
        struct mime_part *child; /* the first; NULL: a leaf */
        struct mime_part *next;
        const char *odd; /* a constant: what was wrong with it, NULL nothing */
};

/* The tree of a header block and a body; a and the bytes must outlive it. A root
 * without parts is numbered `path`, the parts of one with parts behind prefix
 * ("": "1", "2"; "3": "3.1", "3.2"). */
struct mime_part *mime_tree(struct arena *a, const char *header, size_t header_len,
    const char *body, size_t body_len, const char *prefix, const char *path);

/* The next one in the order of the mail, down first; NULL at the end. */
struct mime_part *mime_tree_next(const struct mime_part *p);

/* "text/" any text, "text/plain" just that. */
bool mime_part_is(const struct mime_part *p, const char *type);
bool mime_part_is_multipart(const struct mime_part *p);
/* Is its disposition this word ("attachment")? */
bool mime_part_disposed(const struct mime_part *p, const char *word);

/* A plain parameter of a raw value ("charset"), cut to room - 1 bytes, as written.
 * False, and "" in out: there is none. */
bool
mime_field_param(const struct mime_field *f, const char *name, char *out, size_t room);

#endif
