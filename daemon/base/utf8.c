/*
 * UTF-8; see utf8.h. Nothing asks the process's locale: a rule must match the
 * same mail in every environment.
 */
#include "daemon/base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8_table.h"

#define BAD_CHAR 0xfffdu
#define N_OF(table) (sizeof(table) / sizeof(table)[0])

/* ---- walking ---- */

/* Bytes of the sequence that c begins and its bits in *cp; 0 when it begins none. */
static size_t
utf8_lead(unsigned char c, uint32_t *cp, uint32_t *least)
{
        if (c >= 0xc2 && c <= 0xdf) {
                *cp = c & 0x1f;
                *least = 0x80;
                return 2;
        }
        if (c >= 0xe0 && c <= 0xef) {
                *cp = c & 0x0f;
                *least = 0x800;
                return 3;
        }
        if (c >= 0xf0 && c <= 0xf4) {
                *cp = c & 0x07;
                *least = 0x10000;
                return 4;
        }
        return 0;
}

/* The character at s, or -1 when no well-formed sequence begins there. */
static int32_t
utf8_decode(const char *s, size_t n, size_t *used)
{
        const unsigned char *p = (const unsigned char *)s;
        uint32_t cp, least;
        size_t len;

        *used = 1;
        if (p[0] < 0x80)
                return p[0];
        len = utf8_lead(p[0], &cp, &least);
        if (len == 0 || len > n)
                return -1;
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return -1;
                cp = cp << 6 | (p[i] & 0x3f);
        }
        if (cp < least || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
                return -1;
        *used = len;
        return (int32_t)cp;
}

/* Bytes of the whole character of two or three bytes at s whose lead allows all
 * followers; 0 when it is another, or broken. */
static size_t
utf8_simple(const unsigned char *p, size_t n)
{
        if (p[0] >= 0xc2 && p[0] <= 0xdf)
                return n > 1 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
        if (p[0] > 0xe0 && p[0] <= 0xef && p[0] != 0xed)
                return n > 2 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 ? 3 : 0;
        return 0;
}

bool
utf8_valid(const char *s, size_t n)
{
        for (size_t i = 0, used; i < n; i += used) {
                uint64_t eight;

                if (n - i >= 8) {
                        memcpy(&eight, s + i, 8);
                        used = 8;
                        if ((eight & 0x8080808080808080u) == 0)
                                continue;
                }
                used = (unsigned char)s[i] < 0x80
                           ? 1
                           : utf8_simple((const unsigned char *)s + i, n - i);
                if (used == 0 && utf8_decode(s + i, n - i, &used) == -1)
                        return false;
        }
        return true;
}

uint32_t
utf8_next(const char *s, size_t n, size_t *used)
{
        int32_t cp = utf8_decode(s, n, used);

        return cp == -1 ? BAD_CHAR : (uint32_t)cp;
}

/* Writes cp into out[4] and returns its bytes. */
static size_t
utf8_encode(char *out, uint32_t cp)
{
        if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
                cp = BAD_CHAR;
        if (cp < 0x80) {
                out[0] = (char)cp;
                return 1;
        }
        if (cp < 0x800) {
                out[0] = (char)(0xc0 | cp >> 6);
                out[1] = (char)(0x80 | (cp & 0x3f));
                return 2;
        }
        if (cp < 0x10000) {
                out[0] = (char)(0xe0 | cp >> 12);
                out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
                out[2] = (char)(0x80 | (cp & 0x3f));
                return 3;
        }
        out[0] = (char)(0xf0 | cp >> 18);
        out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
        out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
        out[3] = (char)(0x80 | (cp & 0x3f));
        return 4;
}

void
utf8_add(struct buf *b, uint32_t cp)
{
        b->len += utf8_encode(buf_reserve(b, 4), cp);
        b->data[b->len] = '\0';
}

static bool
utf8_is_control(uint32_t cp)
{
        return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f);
}

/* Bytes at the beginning of s that need no cleaning: printable ASCII, LF, TAB, whole
 * characters that are no controls. */
static size_t
utf8_plain_run(const char *s, size_t n)
{
        const unsigned char *p = (const unsigned char *)s;
        size_t i = 0, used;

        while (i < n) {
                if ((p[i] >= 0x20 && p[i] < 0x7f) || p[i] == '\n' || p[i] == '\t')
                        used = 1;
                else if (p[i] < 0xc2 || (used = utf8_simple(p + i, n - i)) == 0 ||
                         (p[i] == 0xc2 && p[i + 1] < 0xa0))
                        break;
                i += used;
        }
        return i;
}

void
utf8_add_clean(struct buf *b, const char *s, size_t n)
{
        size_t used;

        buf_reserve(b, n);
        for (size_t i = 0; i < n; i += used) {
                uint32_t cp;

                used = utf8_plain_run(s + i, n - i);
                if (used > 0) {
                        buf_add(b, s + i, used);
                        continue;
                }
                cp = utf8_next(s + i, n - i, &used);
                if (cp == '\r') {
                        if (i + 1 == n || s[i + 1] != '\n')
                                buf_addc(b, '\n');
                } else if (cp == 0) {
                        utf8_add(b, BAD_CHAR);
                } else if (!utf8_is_control(cp)) {
                        utf8_add(b, cp);
                }
        }
}

void
utf8_make_line(char *s, size_t n)
{
        for (size_t i = 0, used; i < n; i += used) {
                int32_t cp = utf8_decode(s + i, n - i, &used);

                if (cp == '\t' || cp == '\n' || cp == '\r')
                        s[i] = ' ';
                else if (cp == -1 || utf8_is_control((uint32_t)cp))
                        memset(s + i, '?', used);
        }
}

size_t
utf8_cut(const char *s, size_t n, size_t max)
{
        size_t i = max, used;

        if (n <= max)
                return n;
        while (i > 0 && max - i < 3 && ((unsigned char)s[i] & 0xc0) == 0x80)
                i--;
        utf8_decode(s + i, n - i, &used);
        return used > max - i ? i : max;
}

size_t
utf8_length(const char *s, size_t n)
{
        size_t count = 0;

        for (size_t i = 0, used; i < n; i += used, count++)
                utf8_next(s + i, n - i, &used);
        return count;
}

/* ---- columns ---- */

static int
utf8_range_compare(const void *key, const void *item)
{
        uint32_t cp = *(const uint32_t *)key;
        const struct utf8_range *r = item;

        return cp < r->first ? -1 : cp > r->last ? 1 : 0;
}

#define IN_TABLE(cp, table)                                                              \
        (bsearch(&(cp), table, N_OF(table), sizeof(table)[0], utf8_range_compare) != NULL)

static size_t
utf8_columns(uint32_t cp)
{
        if (utf8_is_control(cp))
                return 0;
        if (cp < 0x300)
                return 1;
        if (IN_TABLE(cp, utf8_narrow)) /* first: some lie inside wide ranges */
                return 0;
        return IN_TABLE(cp, utf8_wide) ? 2 : 1;
}

size_t
utf8_width(const char *s, size_t n)
{
        size_t columns = 0;

        for (size_t i = 0, used; i < n; i += used)
                columns += utf8_columns(utf8_next(s + i, n - i, &used));
        return columns;
}

/* ---- folding ---- */

static int
utf8_fold_compare(const void *key, const void *item)
{
        uint32_t cp = *(const uint32_t *)key;
        const struct utf8_fold_range *r = item;

        return cp < r->first ? -1 : cp > r->last ? 1 : 0;
}

uint32_t
utf8_fold_char(uint32_t cp)
{
        const struct utf8_fold_range *r;

        if (cp < 0x80)
                return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
        if (cp == 0x401 || cp == 0x451) /* ё */
                return 0x435;
        if (cp >= 0x400 && cp <= 0x45f)
                return cp < 0x410 ? cp + 80 : cp < 0x430 ? cp + 32 : cp;
        r = bsearch(
            &cp, utf8_folds, N_OF(utf8_folds), sizeof utf8_folds[0], utf8_fold_compare);
        if (r == NULL || (cp - r->first) % (uint32_t)r->step != 0)
                return cp;
        return (uint32_t)((int32_t)cp + r->delta);
}

char *
utf8_fold(struct arena *a, const char *s, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;

        for (size_t i = 0, used; i < n; i += used) {
                char *to = buf_reserve(&b, 4);

                b.len += utf8_encode(to, utf8_fold_char(utf8_next(s + i, n - i, &used)));
        }
        return arena_strndup(a, b.data, b.len);
}

/* ---- scripts ---- */

static bool
utf8_is_latin(uint32_t cp)
{
        if (cp < 0x80)
                return (cp | 0x20) >= 'a' && (cp | 0x20) <= 'z';
        return (cp >= 0xc0 && cp <= 0x24f && cp != 0xd7 && cp != 0xf7) ||
               (cp >= 0x1e00 && cp <= 0x1eff);
}

static bool
utf8_is_cyrillic(uint32_t cp)
{
        return (cp >= 0x400 && cp <= 0x52f && (cp < 0x482 || cp > 0x489)) ||
               (cp >= 0x1c80 && cp <= 0x1c88) || (cp >= 0xa640 && cp <= 0xa66e);
}

const char *
utf8_language(const char *s, size_t n)
{
        size_t n_latin = 0, n_cyrillic = 0;

        for (size_t i = 0, used; i < n; i += used) {
                uint32_t cp = utf8_next(s + i, n - i, &used);

                n_latin += utf8_is_latin(cp);
                n_cyrillic += utf8_is_cyrillic(cp);
        }
        return n_cyrillic > n_latin ? "ru" : "en";
}

char
utf8_lookalike(uint32_t cp)
{
        for (size_t i = 0; i < N_OF(utf8_twins); i++)
                if (utf8_twins[i].cp == cp)
                        return utf8_twins[i].ascii;
        if ((cp >= 0xff21 && cp <= 0xff3a) ||
            (cp >= 0xff41 && cp <= 0xff5a)) /* full width */
                return (char)(cp - 0xfee0);
        return 0;
}

/* ---- distance ---- */

static uint32_t *
utf8_points(struct arena *a, const char *s, size_t *count)
{
        size_t n = strlen(s);
        uint32_t *out = arena_alloc(a, n * sizeof *out);

        *count = 0;
        for (size_t i = 0, used; i < n; i += used)
                out[(*count)++] = utf8_next(s + i, n - i, &used);
        return out;
}

static unsigned
least_of(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/* One row of the table, for the i-th character of a: only the columns that can
 * still be within the limit. row[0] is the new one, row[1] and row[2] those
 * before. Returns the smallest number in it. */
static unsigned
utf8_distance_row(unsigned *const row[3], const uint32_t *a, size_t i, const uint32_t *b,
    size_t n_b, unsigned limit)
{
        size_t from = i > limit ? i - limit : 1, to = i + limit < n_b ? i + limit : n_b;
        unsigned best;

        row[0][from - 1] = from == 1 ? (unsigned)i : limit + 1;
        best = row[0][from - 1];
        for (size_t j = from; j <= to; j++) {
                unsigned d = row[1][j - 1] + (a[i - 1] != b[j - 1]);

                d = least_of(d, row[0][j - 1] + 1);
                if (j < i + limit)
                        d = least_of(d, row[1][j] + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                        d = least_of(d, row[2][j - 2] + 1);
                row[0][j] = d;
                best = least_of(best, d);
        }
        return best;
}

unsigned
utf8_distance(const char *a, const char *b, unsigned limit)
{
        struct arena *mem AUTO_ARENA = arena_new();
        size_t n_a, n_b;
        uint32_t *pa = utf8_points(mem, a, &n_a), *pb = utf8_points(mem, b, &n_b);
        unsigned *row[3], best = 0;

        if ((n_a > n_b ? n_a - n_b : n_b - n_a) > limit)
                return limit + 1;
        for (int i = 0; i < 3; i++)
                row[i] = arena_alloc(mem, (n_b + 1) * sizeof *row[i]);
        for (size_t j = 0; j <= n_b; j++)
                row[1][j] = (unsigned)j;
        for (size_t i = 1; i <= n_a; i++) {
                unsigned *oldest = row[2], before = best;

                best = utf8_distance_row(row, pa, i, pb, n_b, limit);
                if (best > limit && before > limit) /* a swap looks back two rows */
                        return limit + 1;
                row[2] = row[1];
                row[1] = row[0];
                row[0] = oldest;
        }
        return least_of(row[1][n_b], limit + 1);
}
