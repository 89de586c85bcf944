/*
 * The index; see words.h.
 *
 *     word   -> sorted slots of the tickets that have it
 *     slot   -> ticket number and its words
 *
 * Words are found by a hash table; those that begin so, by an array in the order of their
 * bytes, to which new words are added unsorted and sorted in when TAIL_MAX wait or
 * somebody asks, so that nobody pays for many. A word that no ticket has
 * any more stays until a quarter of all are such; then all are looked through at once.
 */
#include "daemon/model/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8.h"

enum { WORD_CHARS = 24, WORD_BYTES = WORD_CHARS * 4, TAIL_MAX = 2048, REPEATS = 4 };

struct word {
        uint32_t *slots; /* sorted */
        uint32_t n, room;
        uint32_t hash;
        char text[]; /* folded */
};

struct slot {
        uint64_t ticket; /* 0: free */
        struct word **words;
        uint32_t n;
};

struct words_index {
        struct word **table; /* open addressing; NULL free */
        size_t n_table; /* a power of two */
        struct word **order; /* by text up to n_sorted, then as they came */
        size_t n_words, n_sorted, order_room;
        size_t n_empty; /* words without a ticket */
        struct slot *slots;
        size_t n_slots, slot_room;
        uint32_t *free_slots;
        size_t n_free, free_room;
        uint64_t *by_ticket; /* slot + 1 by ticket, open addressing: pairs */
        size_t n_by_ticket; /* pairs of room, a power of two */
        size_t n_tickets;
};

/* ---- small tables ---- */

static void *
room_for(void *items, size_t n, size_t *room, size_t size)
{
        if (n < *room)
                return items;
        *room = *room == 0 ? 64 : *room * 2;
        return xrealloc(items, *room * size);
}

static uint32_t
hash_of(const char *s)
{
        uint32_t h = 2166136261u;

        for (; *s != '\0'; s++)
                h = (h ^ (unsigned char)*s) * 16777619u;
        return h;
}

static size_t
ticket_hash(uint64_t ticket)
{
        return (size_t)((ticket * 0x9e3779b97f4a7c15u) >> 20);
}

struct words_index *
words_index_new(void)
{
        struct words_index *x = xcalloc(1, sizeof *x);

        x->n_table = 1024;
        x->table = xcalloc(x->n_table, sizeof *x->table);
        x->n_by_ticket = 1024;
        x->by_ticket = xcalloc(x->n_by_ticket * 2, sizeof *x->by_ticket);
        return x;
}

void
words_index_free(struct words_index **xp)
{
        struct words_index *x = *xp;

        if (x == NULL)
                return;
        for (size_t i = 0; i < x->n_words; i++) {
                free(x->order[i]->slots);
                free(x->order[i]);
        }
        for (size_t i = 0; i < x->n_slots; i++)
                free(x->slots[i].words);
        free(x->table);
        free(x->order);
        free(x->slots);
        free(x->free_slots);
        free(x->by_ticket);
        free(x);
        *xp = NULL;
}

/* ---- words of a text ---- */

static bool
is_word_char(uint32_t cp)
{
        if (cp < 128)
                return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'z') ||
                       (cp >= 'A' && cp <= 'Z');
        return cp != 0xfffd && cp >= 0xc0 && cp != 0xd7 && cp != 0xf7 &&
               !(cp >= 0x2000 && cp <= 0x2bff) && !(cp >= 0x3000 && cp <= 0x303f) &&
               !(cp >= 0xfe00 && cp <= 0xfe0f) && cp != 0xfeff;
}

static void
list_add(struct arena *a, struct words_list *l, const char *word, size_t len)
{
        if (len == 0 || l->n >= l->max * REPEATS)
                return;
        l->words = arena_grow(a, l->words, l->n, sizeof *l->words);
        l->words[l->n++] = arena_strndup(a, word, len);
}

static int
word_compare(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
list_unique(struct words_list *l)
{
        size_t n = 0;

        if (l->n == 0)
                return;
        qsort(l->words, l->n, sizeof *l->words, word_compare);
        for (size_t i = 0; i < l->n; i++)
                if (n == 0 || strcmp(l->words[n - 1], l->words[i]) != 0)
                        l->words[n++] = l->words[i];
        l->n = n < l->max ? n : l->max;
}

void
words_of(struct arena *a, const char *text, size_t len, struct words_list *out)
{
        struct buf word AUTO_BUF = BUF_INIT;
        size_t used, chars = 0;

        for (size_t i = 0; i < len; i += used) {
                uint32_t cp = utf8_next(text + i, len - i, &used);

                if (is_word_char(cp)) {
                        if (chars++ < WORD_CHARS)
                                utf8_add(&word, utf8_fold_char(cp));
                        continue;
                }
                list_add(a, out, buf_str(&word), word.len);
                buf_clear(&word);
                chars = 0;
        }
        list_add(a, out, buf_str(&word), word.len);
        list_unique(out);
}

/* ---- the table of words ---- */

static size_t
table_find(const struct words_index *x, const char *text, uint32_t hash)
{
        size_t i = hash & (x->n_table - 1);

        while (x->table[i] != NULL &&
               (x->table[i]->hash != hash || strcmp(x->table[i]->text, text) != 0))
                i = (i + 1) & (x->n_table - 1);
        return i;
}

static void
table_rebuild(struct words_index *x, size_t n)
{
        free(x->table);
        x->n_table = n;
        x->table = xcalloc(n, sizeof *x->table);
        for (size_t k = 0; k < x->n_words; k++) {
                struct word *w = x->order[k];

                x->table[table_find(x, w->text, w->hash)] = w;
        }
}

/* Words nobody has any more go, all at once. */
static void
index_clean(struct words_index *x)
{
        size_t n = 0, n_sorted = 0;

        if (x->n_empty < 1024 || x->n_empty < x->n_words / 4)
                return;
        for (size_t i = 0; i < x->n_words; i++) {
                struct word *w = x->order[i];

                if (w->n == 0) {
                        free(w->slots);
                        free(w);
                        continue;
                }
                n_sorted += i < x->n_sorted;
                x->order[n++] = w;
        }
        x->n_words = n;
        x->n_sorted = n_sorted;
        x->n_empty = 0;
        table_rebuild(x, x->n_table);
}

static struct word *
word_of(struct words_index *x, const char *text)
{
        uint32_t hash = hash_of(text);
        size_t len = strlen(text), at = table_find(x, text, hash);
        struct word *w = x->table[at];

        if (w != NULL)
                return w;
        w = xcalloc(1, sizeof *w + len + 1);
        w->hash = hash;
        memcpy(w->text, text, len + 1);
        x->table[at] = w;
        x->order = room_for(x->order, x->n_words, &x->order_room, sizeof(void *));
        x->order[x->n_words++] = w;
        x->n_empty++;
        if (x->n_words * 2 > x->n_table)
                table_rebuild(x, x->n_table * 2);
        return w;
}

/* ---- which slots have a word ---- */

static uint32_t
slots_place(const struct word *w, uint32_t slot)
{
        uint32_t lo = 0, hi = w->n;

        while (lo < hi) {
                uint32_t mid = lo + (hi - lo) / 2;

                if (w->slots[mid] < slot)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

static void
word_add(struct words_index *x, struct word *w, uint32_t slot)
{
        uint32_t at = slots_place(w, slot);

        if (w->n == w->room) {
                w->room = w->room == 0 ? 2 : w->room + w->room / 2 + 1;
                w->slots = xrealloc(w->slots, w->room * sizeof *w->slots);
        }
        memmove(w->slots + at + 1, w->slots + at, (w->n - at) * sizeof *w->slots);
        w->slots[at] = slot;
        x->n_empty -= w->n++ == 0;
}

static void
word_remove(struct words_index *x, struct word *w, uint32_t slot)
{
        uint32_t at = slots_place(w, slot);

        memmove(w->slots + at, w->slots + at + 1, (w->n - at - 1) * sizeof *w->slots);
        x->n_empty += --w->n == 0;
}

/* ---- their order ---- */

static int
order_compare(const void *a, const void *b)
{
        return strcmp((*(struct word *const *)a)->text, (*(struct word *const *)b)->text);
}

/* The first of the n sorted ones that is not before text. */
static size_t
order_place(const struct words_index *x, size_t n, const char *text)
{
        size_t lo = 0, hi = n;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (strcmp(x->order[mid]->text, text) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

/* New words are sorted, then put in from the last on, block by block. */
static void
order_sort(struct words_index *x)
{
        size_t n = x->n_words - x->n_sorted, sorted = x->n_sorted, end = x->n_words;
        struct word **fresh;

        if (n == 0)
                return;
        qsort(x->order + sorted, n, sizeof *x->order, order_compare);
        fresh = xcalloc(n, sizeof(void *));
        memcpy(fresh, x->order + sorted, n * sizeof *fresh);
        while (n > 0) {
                size_t at = order_place(x, sorted, fresh[n - 1]->text);

                end -= sorted - at;
                memmove(x->order + end, x->order + at, (sorted - at) * sizeof *x->order);
                sorted = at;
                x->order[--end] = fresh[--n];
        }
        free(fresh);
        x->n_sorted = x->n_words;
}

/* ---- tickets ---- */

static size_t
ticket_place(const struct words_index *x, uint64_t ticket)
{
        size_t i = ticket_hash(ticket) & (x->n_by_ticket - 1);

        while (x->by_ticket[2 * i] != 0 && x->by_ticket[2 * i] != ticket)
                i = (i + 1) & (x->n_by_ticket - 1);
        return i;
}

static void
tickets_rebuild(struct words_index *x, size_t n)
{
        free(x->by_ticket);
        x->n_by_ticket = n;
        x->by_ticket = xcalloc(n * 2, sizeof *x->by_ticket);
        for (size_t k = 0; k < x->n_slots; k++) {
                size_t at;

                if (x->slots[k].ticket == 0)
                        continue;
                at = ticket_place(x, x->slots[k].ticket);
                x->by_ticket[2 * at] = x->slots[k].ticket;
                x->by_ticket[2 * at + 1] = k;
        }
}

static uint32_t
slot_new(struct words_index *x, uint64_t ticket)
{
        size_t at, slot = x->n_slots;

        if (x->n_free > 0) {
                slot = x->free_slots[--x->n_free];
        } else {
                x->slots =
                    room_for(x->slots, x->n_slots, &x->slot_room, sizeof *x->slots);
                x->n_slots++;
        }
        x->slots[slot] = (struct slot){.ticket = ticket};
        if (++x->n_tickets * 2 > x->n_by_ticket) {
                tickets_rebuild(x, x->n_by_ticket * 2);
                return (uint32_t)slot;
        }
        at = ticket_place(x, ticket);
        x->by_ticket[2 * at] = ticket;
        x->by_ticket[2 * at + 1] = slot;
        return (uint32_t)slot;
}

/* Out of an open table: what stands behind it in its run is put in again. */
static void
ticket_forget(struct words_index *x, uint64_t ticket)
{
        size_t mask = x->n_by_ticket - 1, i = ticket_place(x, ticket);

        x->by_ticket[2 * i] = 0;
        for (i = (i + 1) & mask; x->by_ticket[2 * i] != 0; i = (i + 1) & mask) {
                uint64_t moved = x->by_ticket[2 * i], slot = x->by_ticket[2 * i + 1];
                size_t at;

                x->by_ticket[2 * i] = 0;
                at = ticket_place(x, moved);
                x->by_ticket[2 * at] = moved;
                x->by_ticket[2 * at + 1] = slot;
        }
        x->n_tickets--;
}

static void
slot_clear(struct words_index *x, uint32_t slot)
{
        struct slot *s = &x->slots[slot];

        for (uint32_t i = 0; i < s->n; i++)
                word_remove(x, s->words[i], slot);
        free(s->words);
        s->words = NULL;
        s->n = 0;
}

void
words_set(struct words_index *x, uint64_t ticket, const char *const *words, size_t n)
{
        size_t at = ticket_place(x, ticket);
        bool known = x->by_ticket[2 * at] == ticket && ticket != 0;
        uint32_t slot = known ? (uint32_t)x->by_ticket[2 * at + 1] : 0;
        struct slot *s;

        if (ticket == 0 || (!known && n == 0))
                return;
        if (known)
                slot_clear(x, slot);
        if (n == 0) {
                ticket_forget(x, ticket);
                x->slots[slot].ticket = 0;
                x->free_slots = room_for(
                    x->free_slots, x->n_free, &x->free_room, sizeof *x->free_slots);
                x->free_slots[x->n_free++] = slot;
                index_clean(x);
                return;
        }
        if (!known)
                slot = slot_new(x, ticket);
        s = &x->slots[slot];
        s->words = xcalloc(n, sizeof(void *));
        for (s->n = 0; s->n < n; s->n++) {
                s->words[s->n] = word_of(x, words[s->n]);
                word_add(x, s->words[s->n], slot);
        }
        index_clean(x);
        if (x->n_words - x->n_sorted > TAIL_MAX)
                order_sort(x);
}

/* ---- finding ---- */

static void
bits_of(const struct words_index *x, const char *begin, uint64_t *bits)
{
        size_t len = strlen(begin);

        for (size_t i = order_place(x, x->n_sorted, begin);
             i < x->n_sorted && strncmp(x->order[i]->text, begin, len) == 0; i++)
                for (uint32_t k = 0; k < x->order[i]->n; k++)
                        bits[x->order[i]->slots[k] / 64] |= 1ull
                                                            << x->order[i]->slots[k] % 64;
}

/* Among the highest so far, kept as a heap with the lowest on top? */
static void
top_add(uint64_t *out, size_t *n, size_t max, uint64_t ticket)
{
        size_t i;

        if (*n < max) {
                for (i = (*n)++; i > 0 && out[(i - 1) / 2] > ticket; i = (i - 1) / 2)
                        out[i] = out[(i - 1) / 2];
                out[i] = ticket;
                return;
        }
        if (max == 0 || ticket <= out[0])
                return;
        for (i = 0;;) {
                size_t kid = 2 * i + 1;

                if (kid + 1 < max && out[kid + 1] < out[kid])
                        kid++;
                if (kid >= max || out[kid] >= ticket)
                        break;
                out[i] = out[kid];
                i = kid;
        }
        out[i] = ticket;
}

static int
descending(const void *a, const void *b)
{
        uint64_t l = *(const uint64_t *)a, r = *(const uint64_t *)b;

        return l < r ? 1 : l > r ? -1 : 0;
}

size_t
words_find(struct words_index *x, const char *const *begins, size_t n, uint64_t before,
    uint64_t *out, size_t max)
{
        size_t n_bits = x->n_slots / 64 + 1, found = 0;
        uint64_t *all, *one;

        if (n == 0)
                return 0;
        order_sort(x);
        all = xcalloc(n_bits, sizeof *all);
        one = xcalloc(n_bits, sizeof *one);
        for (size_t i = 0; i < n; i++) {
                memset(one, 0, n_bits * sizeof *one);
                bits_of(x, begins[i], one);
                for (size_t k = 0; k < n_bits; k++)
                        all[k] = i == 0 ? one[k] : all[k] & one[k];
        }
        for (size_t k = 0; k < n_bits; k++)
                for (uint64_t left = all[k]; left != 0; left &= left - 1) {
                        uint64_t ticket =
                            x->slots[k * 64 + (size_t)__builtin_ctzll(left)].ticket;

                        if (before == 0 || ticket < before)
                                top_add(out, &found, max, ticket);
                }
        free(all);
        free(one);
        qsort(out, found, sizeof *out, descending);
        return found;
}

size_t
words_n_tickets(const struct words_index *x)
{
        return x->n_tickets;
}

size_t
words_n_words(const struct words_index *x)
{
        return x->n_words;
}
