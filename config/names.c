/* Declared names; see names.h. */
#include "config/names.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define SLOTS_MIN 64u
#define GUESSES_MAX 5000u /* names among which a mistyped one is looked for */

static size_t
name_hash(const char *s)
{
        uint64_t h = 1469598103934665603u; /* FNV-1a */

        for (; *s != '\0'; s++)
                h = (h ^ (unsigned char)*s) * 1099511628211u;
        return (size_t)(h ^ h >> 32);
}

static size_t *
names_slot(const struct names *n, const char *text)
{
        size_t i = name_hash(text) & (n->n_slots - 1);

        while (n->slots[i] != 0 && strcmp(n->items[n->slots[i] - 1].text, text) != 0)
                i = (i + 1) & (n->n_slots - 1);
        return &n->slots[i];
}

void
names_init(struct names *n, struct arena *a)
{
        memset(n, 0, sizeof *n);
        n->a = a;
        n->n_slots = SLOTS_MIN;
        n->slots = arena_alloc(a, n->n_slots * sizeof *n->slots);
}

const struct name *
names_find(const struct names *n, const char *text)
{
        size_t slot = n->n == 0 ? 0 : *names_slot(n, text);

        return slot == 0 ? NULL : &n->items[slot - 1];
}

static void
names_widen(struct names *n)
{
        assert(n->items != NULL); /* it is full of them */
        n->n_slots *= 2;
        n->slots = arena_alloc(n->a, n->n_slots * sizeof *n->slots);
        for (size_t i = 0; i < n->n; i++)
                *names_slot(n, n->items[i].text) = i + 1;
}

const struct name *
names_add(struct names *n, const char *text, struct place at)
{
        const struct name *known = names_find(n, text);

        if (known != NULL)
                return known;
        if (n->n * 2 >= n->n_slots)
                names_widen(n);
        n->items = arena_grow(n->a, n->items, n->n, sizeof *n->items);
        n->items[n->n] = (struct name){text, at, n->n};
        *names_slot(n, text) = n->n + 1;
        n->n++;
        return NULL;
}

void
names_unknown(const struct names *n, struct report *r, struct place p, const char *what,
    const char *word)
{
        struct guess g = GUESS_INIT;
        struct place known_at = {0};

        for (size_t i = 0; i < n->n && i < GUESSES_MAX && !report_is_full(r); i++) {
                const char *before = g.meant;

                guess_offer(&g, word, n->items[i].text);
                if (g.meant != before)
                        known_at = n->items[i].at;
        }
        report_unknown(r, p, what, word, "", &g, known_at);
}
