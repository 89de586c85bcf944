/*
 * Arenas; see arena.h. A list of blocks, each twice the last up to 64 KB; what
 * is larger than a block gets one of its own.
 */
#include "daemon/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_MIN 1024
#define BLOCK_MAX 65536

struct block {
        struct block *next;
        size_t used;
        size_t size;
        alignas(max_align_t) unsigned char bytes[];
};

struct arena {
        struct block *blocks; /* the first is the one being filled */
        size_t next_size; /* of the next block */
        size_t total; /* bytes asked for */
};

static void
die_no_memory(void)
{
        fputs("helpline: out of memory\n", stderr);
        abort();
}

void *
xcalloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size ? size : 1);

        if (p == NULL)
                die_no_memory();
        return p;
}

void *
xrealloc(void *p, size_t n)
{
        p = realloc(p, n ? n : 1);
        if (p == NULL)
                die_no_memory();
        return p;
}

char *
xstrdup(const char *s)
{
        size_t n = strlen(s) + 1;

        return memcpy(xcalloc(1, n), s, n);
}

void
free_cleanup(void *p)
{
        free(*(void **)p);
}

struct arena *
arena_new(void)
{
        struct arena *a = xcalloc(1, sizeof *a);

        a->next_size = BLOCK_MIN;
        return a;
}

void
arena_free(struct arena **ap)
{
        struct arena *a = *ap;

        if (a == NULL)
                return;
        for (struct block *b = a->blocks, *next; b != NULL; b = next) {
                next = b->next;
                free(b);
        }
        free(a);
        *ap = NULL;
}

static struct block *
arena_add_block(struct arena *a, size_t want)
{
        size_t size = want > a->next_size ? want : a->next_size;
        struct block *b = xcalloc(1, sizeof *b + size);

        b->size = size;
        if (a->next_size < BLOCK_MAX)
                a->next_size *= 2;
        if (want >= BLOCK_MAX && a->blocks != NULL) { /* keep filling the old one */
                b->next = a->blocks->next;
                a->blocks->next = b;
        } else {
                b->next = a->blocks;
                a->blocks = b;
        }
        return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
        const size_t align = alignof(max_align_t);
        struct block *b = a->blocks;
        void *p;

        if (n > SIZE_MAX / 2)
                die_no_memory();
        a->total += n;
        n = (n + align - 1) / align * align;
        if (n == 0)
                n = align;
        if (b == NULL || b->size - b->used < n)
                b = arena_add_block(a, n);
        p = b->bytes + b->used;
        b->used += n;
        return p;
}

char *
arena_strndup(struct arena *a, const void *s, size_t n)
{
        char *p = arena_alloc(a, n + 1);

        if (n > 0)
                memcpy(p, s, n);
        return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
        return s == NULL ? arena_strndup(a, "", 0) : arena_strndup(a, s, strlen(s));
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
        va_list again;
        char *p;
        int n;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        if (n < 0)
                return arena_strdup(a, "");
        p = arena_alloc(a, (size_t)n + 1);
        vsnprintf(p, (size_t)n + 1, fmt, ap);
        return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
        va_list ap;
        char *p;

        va_start(ap, fmt);
        p = arena_vprintf(a, fmt, ap);
        va_end(ap);
        return p;
}

size_t
arena_size(const struct arena *a)
{
        return a->total;
}

void *
arena_grow(struct arena *a, void *items, size_t n, size_t size)
{
        size_t room;
        void *p;

        if (n != 0 && (n & (n - 1)) != 0) /* full only at powers of two */
                return items;
        if (n != 0 && n < 4)
                return items;
        room = n == 0 ? 4 : n * 2;
        p = arena_alloc(a, room * size);
        if (n > 0)
                memcpy(p, items, n * size);
        return p;
}
