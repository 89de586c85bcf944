/*
 * Errors of a configuration, gathered and printed; see report.h.
 *
 * At most REPORT_MAX are kept, the others are counted: a file of a megabyte of
 * rubbish must not make a gigabyte of errors.
 */
#include "config/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8.h"

#define REPORT_MAX 100u
#define SHOWN_BEFORE 100u /* characters of a long line shown before the caret */
#define SHOWN_MAX 160u /* and in all */
#define LINE_MAX_BYTES 10000u /* a longer line is not shown: nobody wrote it by hand */
#define CHARS_STEP 4096u /* bytes between two notes of the number of characters */
#define MASK "********"

struct entry {
        enum severity severity;
        struct place place;
        const char *message;
        const char *advice;
        size_t sequence; /* equal places stay in the order they were found */
};

struct report {
        struct arena *a;
        struct entry *entries;
        size_t n;
        size_t n_dropped;
        unsigned n_errors;
        unsigned n_warnings;
        bool last_kept; /* advice belongs to the last entry */
};

struct report *
report_new(struct arena *a)
{
        struct report *r = arena_alloc(a, sizeof *r);

        r->a = a;
        return r;
}

/* A message quotes words out of a file: nothing in it may steer a terminal. */
static const char *
harmless(char *s)
{
        utf8_make_line(s, strlen(s));
        return s;
}

static void
report_add(
    struct report *r, enum severity severity, struct place p, const char *fmt, va_list ap)
{
        r->n_errors += severity == SEVERITY_ERROR;
        r->n_warnings += severity == SEVERITY_WARNING;
        r->last_kept = r->n < REPORT_MAX;
        if (!r->last_kept) {
                r->n_dropped++;
                return;
        }
        r->entries = arena_grow(r->a, r->entries, r->n, sizeof *r->entries);
        r->entries[r->n] =
            (struct entry){severity, p, harmless(arena_vprintf(r->a, fmt, ap)), "", r->n};
        r->n++;
}

void
report_error(struct report *r, struct place p, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        report_add(r, SEVERITY_ERROR, p, fmt, ap);
        va_end(ap);
}

void
report_warning(struct report *r, struct place p, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        report_add(r, SEVERITY_WARNING, p, fmt, ap);
        va_end(ap);
}

void
report_advice(struct report *r, const char *fmt, ...)
{
        va_list ap;

        if (!r->last_kept)
                return;
        va_start(ap, fmt);
        r->entries[r->n - 1].advice = harmless(arena_vprintf(r->a, fmt, ap));
        va_end(ap);
}

unsigned
report_n_errors(const struct report *r)
{
        return r->n_errors;
}

bool
report_is_full(const struct report *r)
{
        return r->n >= REPORT_MAX;
}

/* ---- places ---- */

/* Characters that begin in so many bytes. */
static size_t
chars_in(const char *s, size_t n)
{
        size_t chars = 0;

        for (size_t i = 0; i < n; i++)
                chars += (s[i] & 0xc0) != 0x80;
        return chars;
}

static size_t
chars_before(const struct source *s, size_t at)
{
        size_t from = at - at % CHARS_STEP;

        return s->chars_at[from / CHARS_STEP] + chars_in(s->text + from, at - from);
}

void
source_index(struct source *s, struct arena *a)
{
        s->chars_at = arena_alloc(a, (s->len / CHARS_STEP + 1) * sizeof *s->chars_at);
        for (size_t i = 1; i <= s->len / CHARS_STEP; i++)
                s->chars_at[i] = s->chars_at[i - 1] +
                                 chars_in(s->text + (i - 1) * CHARS_STEP, CHARS_STEP);
        s->n_lines = 0;
        s->line_at = NULL;
        for (size_t at = 0;;) {
                const char *end;

                s->line_at = arena_grow(a, s->line_at, s->n_lines, sizeof *s->line_at);
                s->line_at[s->n_lines++] = at;
                end = memchr(s->text + at, '\n', s->len - at);
                if (end == NULL)
                        return;
                at = (size_t)(end - s->text) + 1;
        }
}

/* Index of the line that holds it. */
static size_t
line_of(struct place p)
{
        size_t low = 0, high = p.source->n_lines;

        while (high - low > 1) {
                size_t mid = low + (high - low) / 2;

                if (p.source->line_at[mid] <= p.at)
                        low = mid;
                else
                        high = mid;
        }
        return low;
}

size_t
place_line(struct place p)
{
        return line_of(p) + 1;
}

static size_t
column_of(struct place p)
{
        size_t from = p.source->line_at[line_of(p)];

        return chars_before(p.source, p.at) - chars_before(p.source, from) + 1;
}

const char *
place_name(struct place p, const struct source *beside, struct arena *a)
{
        if (p.source != beside)
                return place_full(p, a);
        return arena_printf(a, "%zu:%zu", place_line(p), column_of(p));
}

const char *
place_full(struct place p, struct arena *a)
{
        return arena_printf(
            a, "%s:%zu:%zu", p.source->shown, place_line(p), column_of(p));
}

const char *
place_file_line(struct place p, struct arena *a)
{
        return arena_printf(a, "%s:%zu", p.source->shown, place_line(p));
}

bool
place_begins_line(struct place p)
{
        for (size_t i = p.source->line_at[line_of(p)]; i < p.at; i++)
                if (p.source->text[i] != ' ' && p.source->text[i] != '\t')
                        return false;
        return true;
}

struct place
place_after(struct place p)
{
        return (struct place){p.source, p.at + p.len, 0};
}

/* ---- secrets in a line ---- */

bool
word_is_secret(const char *word)
{
        static const char *const words[] = {"pass", "passwd", "pwd", "passphrase",
            "secret", "token", "пароль", "Пароль", "ПАРОЛЬ"};
        char lower[40];
        size_t n = strlen(word);

        if (n >= sizeof lower)
                return false;
        for (size_t i = 0; i <= n; i++)
                lower[i] =
                    word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] + 32) : word[i];
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (strcmp(lower, words[i]) == 0)
                        return true;
        return n >= 6 && utf8_distance(lower, "password", 2) <= 2;
}

static size_t
skip_blanks(const char *s, size_t n, size_t i)
{
        while (i < n && (s[i] == ' ' || s[i] == '\t'))
                i++;
        return i;
}

/* The end of the word at i; a no-break space ends it too, though not in the grammar. */
static size_t
word_end(const char *s, size_t n, size_t i)
{
        while (i < n && strchr(" \t\r{};#\"(),", s[i]) == NULL &&
               !(n - i > 1 && memcmp(s + i, "\xc2\xa0", 2) == 0))
                i++;
        return i;
}

static bool
range_is(const char *s, size_t from, size_t to, const char *word)
{
        return to - from == strlen(word) && memcmp(s + from, word, to - from) == 0;
}

size_t
secret_word_len(const char *s, size_t n)
{
        size_t len = 0;
        char word[40] = "";

        while (len < n && s[len] != '=' && s[len] != ':')
                len++;
        if (len >= sizeof word)
                return 0;
        memcpy(word, s, len);
        word[len] = '\0';
        return word_is_secret(word) ? len : 0;
}

/* Does a sentence with a secret in it begin at i? Then the value's begin. */
static bool
secret_value(const char *s, size_t n, size_t i, size_t *from)
{
        bool quoted = s[i] == '"';
        size_t value, value_end, len;

        i += quoted;
        len = secret_word_len(s + i, word_end(s, n, i) - i);
        if (len == 0)
                return false;
        i += len;
        value = skip_blanks(s, n, i + (quoted && i < n && s[i] == '"'));
        value_end = word_end(s, n, value);
        if (value == n || s[value] == ';' || s[value] == '}' || s[value] == '\r' ||
            range_is(s, value, value_end, "file") ||
            range_is(s, value, value_end, "credential"))
                return false;
        *from = value;
        return true;
}

/* Where a URL ends that begins before i: at a blank, or at the quote around it. */
static size_t
url_end(const char *s, size_t n, size_t i, bool quoted)
{
        for (; i < n && (quoted ? s[i] != '"' : s[i] != ' ' && s[i] != '\t'); i++)
                if (quoted && s[i] == '\\' && i + 1 < n)
                        i++;
        return i < n ? i : n;
}

bool
secret_in_url(const char *s, size_t n, size_t *from, size_t *to)
{
        const char *begin = memmem(s, n, "://", 3), *colon, *at;

        begin = begin == NULL ? s : begin + 3;
        colon = memchr(begin, ':', n - (size_t)(begin - s));
        at = memrchr(begin, '@', n - (size_t)(begin - s));
        if (colon == NULL || at == NULL || at <= colon + 1)
                return false;
        *from = (size_t)(colon + 1 - s);
        *to = (size_t)(at - s);
        return true;
}

/* The same in the word that begins at i of a line. */
static bool
secret_in_word(const char *s, size_t n, size_t i, bool quoted, size_t *from, size_t *to)
{
        if ((i > 0 && strchr(quoted ? "\"" : " \t", s[i - 1]) == NULL) ||
            !secret_in_url(s + i, url_end(s, n, i, quoted) - i, from, to))
                return false;
        *from += i;
        *to += i;
        return true;
}

/* The next range to mask at or after i; to the end of the line for a value, for
 * whoever wrote one there may have written it without quotes. */
static bool
secret_find(const char *s, size_t n, size_t i, bool begin, size_t *from, size_t *to)
{
        bool quoted = false;

        for (; i < n; i++) {
                if (begin && s[i] != ' ' && s[i] != '\t') {
                        if (secret_value(s, n, i, from)) {
                                *to = n;
                                return true;
                        }
                        begin = false;
                }
                if (secret_in_word(s, n, i, quoted, from, to))
                        return true;
                if (s[i] == '\\' && quoted)
                        i++;
                else if (s[i] == '"')
                        quoted = !quoted;
                else if (!quoted && (s[i] == '{' || s[i] == ';' || s[i] == '}'))
                        begin = true;
        }
        return false;
}

/* ---- printing ---- */

struct line_view { /* one source line on its way to the screen */
        const char *s;
        size_t n; /* without its line end */
        size_t at; /* the caret, bytes from its begin */
        size_t len; /* underlined bytes */
        size_t first; /* first byte shown */
        size_t last; /* behind the last byte shown */
};

static void
view_cut(struct line_view *v)
{
        size_t n_chars = 0;

        v->first = v->at;
        while (v->first > 0 && n_chars < SHOWN_BEFORE) {
                v->first--;
                n_chars += (v->s[v->first] & 0xc0) != 0x80;
        }
        while (v->first > 0 && (v->s[v->first] & 0xc0) == 0x80)
                v->first--;
        n_chars = 0;
        for (v->last = v->first; v->last < v->n && n_chars <= SHOWN_MAX; v->last++)
                n_chars += (v->s[v->last] & 0xc0) != 0x80;
        while (v->last < v->n && (v->s[v->last] & 0xc0) == 0x80)
                v->last++;
}

static void
view_open(struct line_view *v, struct place p)
{
        size_t line = line_of(p), from = p.source->line_at[line];
        size_t end = line + 1 < p.source->n_lines ? p.source->line_at[line + 1] - 1
                                                  : p.source->len;

        if (end > from && p.source->text[end - 1] == '\r')
                end--;
        v->s = p.source->text + from;
        v->n = end - from;
        v->at = p.at - from > v->n ? v->n : p.at - from;
        v->len = v->at + p.len > v->n ? v->n - v->at : p.len;
        if (v->n <= LINE_MAX_BYTES)
                view_cut(v);
}

/* One character of a line, harmless on a terminal; tabs stay tabs. */
static void
char_show(struct buf *out, uint32_t cp)
{
        if (cp != '\t' && (cp < ' ' || (cp >= 0x7f && cp < 0xa0)))
                cp = 0xfffd;
        utf8_add(out, cp);
}

/* Writes the line and, in pad, what stands under it up to the caret. */
static void
view_show(const struct line_view *v, struct buf *out, struct buf *pad)
{
        size_t from = 0, to = 0, used;
        bool masked = secret_find(v->s, v->n, 0, true, &from, &to);

        if (v->first > 0) {
                buf_adds(out, "…");
                buf_addc(pad, ' ');
        }
        for (size_t i = 0; i < v->n; i += used) {
                size_t width = out->len;

                used = 1;
                if (masked && i == from) {
                        if (i < v->last && to > v->first)
                                buf_adds(out, MASK);
                        used = to - from;
                        masked = secret_find(v->s, v->n, to, false, &from, &to);
                } else {
                        uint32_t cp = utf8_next(v->s + i, v->n - i, &used);

                        if (i >= v->first && i < v->last)
                                char_show(out, cp);
                }
                if (i + used > v->at)
                        continue; /* the caret stands here or before */
                width = out->len - width;
                if (width == 1 && out->data[out->len - 1] == '\t')
                        buf_addc(pad, '\t');
                else
                        for (size_t w = utf8_width(out->data + out->len - width, width);
                             w > 0; w--)
                                buf_addc(pad, ' ');
        }
        if (v->last < v->n)
                buf_adds(out, "…");
}

static void
entry_print_line(const struct entry *e, struct buf *out)
{
        struct buf pad AUTO_BUF = BUF_INIT;
        struct line_view v;
        size_t width;

        view_open(&v, e->place);
        if (v.n > LINE_MAX_BYTES) {
                if (e->advice[0] != '\0')
                        buf_addf(out, "    %s\n", e->advice);
                return;
        }
        buf_adds(out, "    ");
        view_show(&v, out, &pad);
        buf_adds(out, "\n    ");
        buf_add(out, buf_str(&pad), pad.len);
        buf_addc(out, '^');
        width = utf8_width(v.s + v.at, v.len);
        for (size_t i = 1; i < width && i < SHOWN_MAX; i++)
                buf_addc(out, '~');
        if (e->advice[0] != '\0')
                buf_addf(out, " %s", e->advice);
        buf_addc(out, '\n');
}

static void
entry_print(const struct entry *e, struct arena *a, struct buf *out)
{
        const char *severity = e->severity == SEVERITY_ERROR ? "error" : "warning";

        if (e->place.source == NULL) {
                buf_addf(out, "%s: %s\n", severity, e->message);
                if (e->advice[0] != '\0')
                        buf_addf(out, "    %s\n", e->advice);
                return;
        }
        buf_addf(out, "%s: %s: %s\n", place_full(e->place, a), severity, e->message);
        entry_print_line(e, out);
}

static int
entry_compare(const void *x, const void *y)
{
        const struct entry *a = x, *b = y;
        size_t order_a = a->place.source == NULL ? 0 : a->place.source->order + 1;
        size_t order_b = b->place.source == NULL ? 0 : b->place.source->order + 1;

        if (order_a != order_b)
                return order_a < order_b ? -1 : 1;
        if (a->place.at != b->place.at)
                return a->place.at < b->place.at ? -1 : 1;
        return a->sequence < b->sequence ? -1 : 1;
}

void
report_print(struct report *r, struct config_report *out)
{
        if (r->n > 0)
                qsort(r->entries, r->n, sizeof *r->entries, entry_compare);
        r->last_kept = false;
        for (size_t i = 0; i < r->n; i++)
                entry_print(&r->entries[i], r->a, &out->text);
        if (r->n_dropped > 0)
                buf_addf(&out->text, "… and %zu more\n", r->n_dropped);
        out->n_errors += r->n_errors;
        out->n_warnings += r->n_warnings;
}

/* ---- guesses ---- */

/* The first character in which two words differ that look alike; both end there
 * when they do not. */
static bool
look_alike_at(const char *a, const char *b, size_t *at_a, size_t *at_b)
{
        size_t n_a = strlen(a), n_b = strlen(b), used_a, used_b, i, j;
        bool found = false;

        for (i = j = 0; i < n_a && j < n_b; i += used_a, j += used_b) {
                uint32_t x = utf8_next(a + i, n_a - i, &used_a);
                uint32_t y = utf8_next(b + j, n_b - j, &used_b);
                uint32_t lx = (unsigned char)utf8_lookalike(x),
                         ly = (unsigned char)utf8_lookalike(y);

                if (x == y)
                        continue;
                if ((lx == 0 ? x : lx) != (ly == 0 ? y : ly))
                        return false;
                if (!found) {
                        *at_a = i;
                        *at_b = j;
                }
                found = true;
        }
        return found && i == n_a && j == n_b;
}

void
guess_offer(struct guess *g, const char *wrong, const char *known)
{
        size_t length = utf8_length(wrong, strlen(wrong)), at, known_at;
        unsigned limit = length < 3 ? 0 : length < 5 ? 1 : 2, distance;

        if (g->look_alike)
                return;
        if (look_alike_at(wrong, known, &at, &known_at)) {
                g->meant = known;
                g->look_alike = true;
                return;
        }
        distance = utf8_distance(wrong, known, limit);
        if (distance <= limit && distance < g->best) {
                g->best = distance;
                g->meant = known;
        }
}

static const char *
script_of(uint32_t cp)
{
        if (cp < 0x80)
                return "Latin";
        if (cp >= 0x370 && cp < 0x400)
                return "Greek";
        if (cp >= 0x400 && cp < 0x530)
                return "Cyrillic";
        return "foreign";
}

static void
report_look_alike(struct report *r, struct place p, const char *what, const char *word,
    const char *where, const char *meant)
{
        size_t at = 0, meant_at = 0, used, meant_used;
        uint32_t cp, meant_cp;

        look_alike_at(word, meant, &at, &meant_at);
        cp = utf8_next(word + at, strlen(word) - at, &used);
        meant_cp = utf8_next(meant + meant_at, strlen(meant) - meant_at, &meant_used);
        if (p.len >= at + used)
                p = (struct place){p.source, p.at + at, used};
        report_error(r, p, "unknown %s '%s'%s: its letter %zu is a %s '%.*s'", what, word,
            where, utf8_length(word, at) + 1, script_of(cp), (int)used, word + at);
        report_advice(r, "type '%s' in %s letters", meant, script_of(meant_cp));
}

void
report_unknown(struct report *r, struct place p, const char *what, const char *word,
    const char *where, const struct guess *g, struct place known_at)
{
        size_t n = strlen(word), cut = utf8_cut(word, n, 80);

        if (g->look_alike) {
                report_look_alike(r, p, what, word, where, g->meant);
                return;
        }
        report_error(r, p, "unknown %s '%.*s%s'%s", what, (int)cut, word,
            cut < n ? "…" : "", where);
        if (g->meant != NULL && known_at.source != NULL)
                report_advice(r, "did you mean '%s'? (%s)", g->meant,
                    place_file_line(known_at, r->a));
        else if (g->meant != NULL)
                report_advice(r, "did you mean '%s'?", g->meant);
}
