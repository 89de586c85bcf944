/*
 * Arenas: memory of a record that lives and dies as one.
 *
 * Strings in a record are never NULL, "" when absent; arena_strdup(a, NULL)
 * gives "". Out of memory ends the process (nothing is acknowledged before it
 * is stored, so nothing is lost).
 */
#ifndef HELPLINE_BASE_ARENA_H
#define HELPLINE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
/* Frees all that was allocated from it and sets *a to NULL; *a may be NULL. */
void arena_free(struct arena **a);

/* n zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy, NUL-terminated; NULL gives "". */
char *arena_strdup(struct arena *a, const char *s);
/* A copy of n bytes (which may hold NULs), NUL-terminated. */
char *arena_strndup(struct arena *a, const void *s, size_t n);
char *
arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);
/* Bytes asked for so far. */
size_t arena_size(const struct arena *a);

/* A growing array inside an arena: returns the new array, doubles when full.
 * items: the old array or NULL, n: items in it, size: of one. */
void *arena_grow(struct arena *a, void *items, size_t n, size_t size);

/* malloc that cannot fail (ends the process), zeroed. Free with free(). */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);

/* `struct arena *a AUTO_ARENA = arena_new();` is freed on every path. */
#define AUTO_ARENA __attribute__((cleanup(arena_free)))
void free_cleanup(void *p);
#define AUTO_FREE __attribute__((cleanup(free_cleanup)))

#endif
