/* Names that were declared, each with its place: a hash table in an arena. */
#ifndef HELPLINE_CONFIG_NAMES_H
#define HELPLINE_CONFIG_NAMES_H

#include <stddef.h>

#include "config/report.h"

struct name {
        const char *text;
        struct place at;
        size_t index; /* in the order they were added */
};

struct names {
        struct arena *a;
        struct name *items;
        size_t n;
        size_t *slots; /* index + 1, 0 is free; a power of two of them */
        size_t n_slots;
};

void names_init(struct names *n, struct arena *a);
/* NULL when it is not there. Valid until the next names_add. */
const struct name *names_find(const struct names *n, const char *text);
/* Adds it; when it is there already, that one is returned and nothing added. */
const struct name *names_add(struct names *n, const char *text, struct place at);
/* Reports "unknown WHAT 'word'WHERE" with the nearest of these names. */
void names_unknown(const struct names *n, struct report *r, struct place p,
    const char *what, const char *word);

#endif
