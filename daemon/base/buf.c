/* A growing byte buffer; see buf.h. */
#include "daemon/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/arena.h"

void
buf_fini(struct buf *b)
{
        free(b->data);
        b->data = NULL;
        b->len = b->room = 0;
}

void
buf_clear(struct buf *b)
{
        b->len = 0;
        if (b->data != NULL)
                b->data[0] = '\0';
}

char *
buf_reserve(struct buf *b, size_t n)
{
        size_t want = b->len + n + 1;

        if (want > b->room) {
                size_t room = b->room < 64 ? 64 : b->room;

                while (room < want)
                        room *= 2;
                b->data = xrealloc(b->data, room);
                b->room = room;
                b->data[b->len] = '\0';
        }
        return b->data + b->len;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
        char *to = buf_reserve(b, n);

        if (n > 0)
                memcpy(to, p, n);
        b->len += n;
        b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *s)
{
        buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
        buf_add(b, &c, 1);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (n < 0)
                return;
        buf_reserve(b, (size_t)n + 1);
        va_start(ap, fmt);
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
        va_end(ap);
        b->len += (size_t)n;
}

void
buf_consume(struct buf *b, size_t n)
{
        if (n == 0)
                return;
        memmove(b->data, b->data + n, b->len - n);
        b->len -= n;
        b->data[b->len] = '\0';
}

const char *
buf_str(const struct buf *b)
{
        return b->data == NULL ? "" : b->data;
}
