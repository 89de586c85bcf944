/*
 * A growing byte buffer. Owned by whoever declares it; zero-initialised is
 * empty. Always NUL-terminated behind its last byte once anything was added.
 */
#ifndef HELPLINE_BASE_BUF_H
#define HELPLINE_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
        char *data; /* NULL while nothing was added */
        size_t len;
        size_t room;
};

/* clang-format off */
#define BUF_INIT {NULL, 0, 0}
/* clang-format on */

void buf_fini(struct buf *b); /* frees and makes it empty */
void buf_clear(struct buf *b); /* empty, memory kept */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes; returns where they go. Then add to b->len yourself. */
char *buf_reserve(struct buf *b, size_t n);
/* Remove n bytes from the front. */
void buf_consume(struct buf *b, size_t n);
/* The text, "" when empty. Valid until the next change. */
const char *buf_str(const struct buf *b);

#define AUTO_BUF __attribute__((cleanup(buf_fini)))

#endif
