/*
 * Errors as values.
 *
 * A function that fails for outside reasons returns -1 and fills its last
 * parameter, a struct err. The kind says what the caller may do about it, the
 * text is one sentence for a person that says what to do.
 */
#ifndef HELPLINE_BASE_ERR_H
#define HELPLINE_BASE_ERR_H

#include <stdbool.h>

enum err_kind {
        ERR_NONE = 0,
        ERR_RETRY, /* not done; the same call may succeed later */
        ERR_UNSURE, /* done or not: repeat with the same idempotency key */
        ERR_REJECT, /* the input is bad and will stay bad */
        ERR_LIMIT, /* the input is too big, too deep or too many */
        ERR_STALE, /* decided on facts that have changed: read again */
        ERR_NOTFOUND, /* the thing named does not exist (any more) */
        ERR_CONFIG, /* the administrator must change something */
        ERR_STATE /* the thing exists, but its state forbids this */
};

struct err {
        enum err_kind kind;
        char code[16]; /* the protocol's word where one is known ("NOTHELD"), else "" */
        char text[480]; /* one sentence, one line of UTF-8 */
};

/* Fill *err (may be NULL) and return -1, so that `return err_set(...)` reads well. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a protocol code ("NOSUCH", "STATE", ...; see docs/protocol.md). */
int err_code(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Append ": " and strerror(errnum) to a fresh error. */
int err_errno(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "prefix: " before the text that is there. Returns -1. */
int
err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The kind as one lower-case word, for logs. */
const char *err_kind_name(enum err_kind kind);

#endif
