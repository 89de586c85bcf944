/*
 * An index of words in memory: which tickets have words that begin so? Pure, no I/O;
 * daemon/search.c keeps it in step with the store.
 *
 * A word is a run of letters and digits, folded (case, ё = е), at most 24 characters of it.
 * Every ticket has its set of words; a search names beginnings, and all of them must be
 * among a ticket's words. The memory is about 14 bytes a word of a ticket, and 100 for each
 * different word of the desk (tests/bench/search.py: 100,000 tickets of a hundred words,
 * 400,000 different: 184 MB).
 */
#ifndef HELPLINE_MODEL_WORDS_H
#define HELPLINE_MODEL_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"

struct words_index;

struct words_index *words_index_new(void);
void words_index_free(struct words_index **x);

/* The words of a text, each once and sorted, added to those that are there; at most max. */
struct words_list {
        const char **words;
        size_t n;
        size_t max;
};
void words_of(struct arena *a, const char *text, size_t len, struct words_list *out);

/* This ticket has these words and no others; n 0 forgets it. */
void
words_set(struct words_index *x, uint64_t ticket, const char *const *words, size_t n);
/* Tickets that have a word for each of these beginnings, below `before` (0: all), the
 * highest numbers first: at most max of them into out. Returns how many. The work is
 * bounded by the size of the index. */
size_t words_find(struct words_index *x, const char *const *begins, size_t n,
    uint64_t before, uint64_t *out, size_t max);

size_t words_n_tickets(const struct words_index *x);
size_t words_n_words(const struct words_index *x); /* different ones */

#endif
