/*
 * SEARCH: the index of words of all open tickets, in memory.
 *
 * It is built from the store when that comes up and follows the journal. A search first
 * takes in all that the journal has by then, so it is never older than the question:
 * whoever was told that his change is stored finds it. Killed: it is built again.
 */
#ifndef HELPLINE_DAEMON_SEARCH_H
#define HELPLINE_DAEMON_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"

struct desk;
struct search;

struct search *search_new(struct desk *d);
void search_free(struct search **s);
/* The store is there (again): all is read anew. */
void search_store_up(struct search *s);
/* The journal has grown. */
void search_event(struct search *s);

enum { SEARCH_MAX = 100, SEARCH_WORDS = 16 };
/* Open tickets that have words for all of these beginnings (words_of() them), below the
 * number `before` (0: all), the newest first, at most `count` <= SEARCH_MAX. ERR_RETRY
 * while the index is being built. Ids are plain numbers. */
typedef void (*search_fn)(
    void *arg, const struct err *err, const uint64_t *tickets, size_t n);
void search_find(struct search *s, const char *const *begins, size_t n, uint64_t before,
    unsigned count, search_fn fn, void *arg);

#endif
