/*
 * The lines of a text and what each is alone: empty, text, quoted; does it hold a date,
 * an address. One pass, each line looked at once.
 */
#include <stdio.h>
#include <string.h>

#include "channels/helper_mime_trim_impl.h"
#include "daemon/base/arena.h"

const char *
trim_folded(const struct trim *t, size_t i, size_t *n)
{
        *n = t->lines[i].n_fold;
        return t->folded.data == NULL ? "" : t->folded.data + t->lines[i].fold;
}

size_t
trim_next(const struct trim *t, size_t i)
{
        while (i < t->end &&
               (t->lines[i].kind == LINE_EMPTY || (t->lines[i].flags & LINE_TAKEN)))
                i++;
        return i;
}

bool
trim_is_text(const struct trim *t, size_t i)
{
        return t->lines[i].kind == LINE_TEXT && !(t->lines[i].flags & LINE_TAKEN);
}

bool
trim_has_text(const struct trim *t, size_t from, size_t to)
{
        for (size_t i = from; i < to; i++)
                if (trim_is_text(t, i))
                        return true;
        return false;
}

/* Bytes of the dash, rule or middle dot character at s, *c its class; 0: another. */
static size_t
rule_char(const char *s, size_t n, char *c)
{
        static const char *const dashes[] = {"—", "–", "‐", "‑", "−", "─", "━", "ᐧ"};

        if (strchr("-_=*~#+", s[0]) != NULL && s[0] != '\0') {
                *c = s[0];
                return 1;
        }
        for (size_t i = 0; i < sizeof dashes / sizeof dashes[0]; i++)
                if (n >= 3 && memcmp(s, dashes[i], 3) == 0) {
                        *c = i < 7 ? '-' : '.';
                        return 3;
                }
        return 0;
}

size_t
trim_rule(const struct trim *t, size_t i, char *c)
{
        const char *s = t->text + t->lines[i].from;
        size_t n = t->lines[i].to - t->lines[i].from, count = 0;

        *c = '\0';
        if (n > 500)
                return 0;
        for (size_t at = 0; at < n;) {
                char class;
                size_t used = s[at] == ' ' || s[at] == '\t' || s[at] == '\r'
                                  ? 0
                                  : rule_char(s + at, n - at, &class);

                if (used > 0) {
                        *c = count == 0 ? (used == 3 && class == '-' ? 'm' : class)
                             : *c == class || *c == 'm' ? *c
                                                        : 'x';
                        count++;
                } else if (s[at] != ' ' && s[at] != '\t' && s[at] != '\r')
                        return 0;
                at += used > 0 ? used : 1;
        }
        return count;
}

void
trim_take(struct trim *t, size_t from, size_t to, const char *what, const char *why)
{
        char found[60];
        size_t n = 0;

        for (size_t i = from; i < to; i++) {
                if (t->lines[i].flags & LINE_TAKEN)
                        continue;
                t->lines[i].flags |= LINE_TAKEN;
                if (t->lines[i].kind != LINE_EMPTY)
                        n++;
        }
        if (n == 0)
                return;
        t->n_taken += n;
        snprintf(found, sizeof found, "%zu line%s: %s", n, n == 1 ? "" : "s", what);
        message_find(t->m, "trim", found, "%s", why);
}

/* ---- one line ---- */

/* Depth of > at the start of a line, and what follows them. */
static unsigned
quote_depth(const char *s, size_t n, size_t *content)
{
        unsigned depth = 0;
        size_t i = 0, blanks = 0;

        for (; i < n; i++) {
                if (s[i] == '>') {
                        depth += depth < 200;
                        blanks = 0;
                } else if (s[i] == ' ' && blanks < 3)
                        blanks++;
                else
                        break;
        }
        *content = depth > 0 ? i : 0;
        return depth;
}

static bool
is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* "klo 10.00", "kl. 10.00": what makes of a number with a dot a time. */
static bool
is_hour_before(const char *s, size_t i)
{
        return i >= 4 &&
               (memcmp(s + i - 4, "klo ", 4) == 0 || memcmp(s + i - 4, "kl. ", 4) == 0 ||
                   memcmp(s + i - 4, " kl ", 4) == 0 ||
                   memcmp(s + i - 4, "lle ", 4) == 0);
}

/* The flags that a run of digits from i on gives: "2026", "10:00", "23.11.26". */
static unsigned
flags_of_number(const char *s, size_t n, size_t i, size_t *used)
{
        size_t k = i, d;

        while (k < n && is_digit(s[k]))
                k++;
        d = k - i;
        *used = d;
        if (d == 4 &&
            ((s[i] == '1' && s[i + 1] == '9') || (s[i] == '2' && s[i + 1] == '0')))
                return LINE_HAS_DATE;
        if (d > 2 || k + 2 >= n || !is_digit(s[k + 1]))
                return 0;
        if ((s[k] == ':' || s[k] == 'h' || s[k] == '.') && is_digit(s[k + 2]) &&
            (k + 3 >= n || !is_digit(s[k + 3])))
                return LINE_HAS_DATE |
                       (s[k] == '.' && !is_hour_before(s, i) ? 0 : LINE_HAS_TIME);
        if (s[k] == '/' && (s[k + 2] == '/' || (k + 3 < n && s[k + 3] == '/')))
                return LINE_HAS_DATE;
        return 0;
}

static bool
is_address_at(const char *s, size_t n, size_t at)
{
        if (at == 0 || at + 2 >= n || s[at - 1] == ' ' || s[at - 1] == '<')
                return false;
        for (size_t i = at + 1; i < n && s[i] != ' ' && s[i] != '>'; i++)
                if (s[i] == '.' && i > at + 1)
                        return true;
        return false;
}

static unsigned
flags_of(const char *s, size_t n)
{
        unsigned flags = 0;

        for (size_t i = 0; i < n;) {
                size_t used = 1;

                if (is_digit(s[i]))
                        flags |= flags_of_number(s, n, i, &used);
                else if (s[i] == '@' && !(flags & LINE_HAS_ADDRESS) &&
                         is_address_at(s, n, i))
                        flags |= LINE_HAS_ADDRESS;
                i += used > 0 ? used : 1;
        }
        return flags;
}

/* ---- all of them ---- */

static void
line_understand(struct trim *t, struct trim_line *l)
{
        const char *s = t->text + l->from;
        size_t n = l->to - l->from, content;

        if (n > 0 && s[n - 1] == '\r')
                n--;
        l->depth = (uint8_t)quote_depth(s, n, &content);
        l->fold = (uint32_t)t->folded.len;
        word_fold(&t->folded, s + content, n - content);
        l->n_fold = (uint16_t)(t->folded.len - l->fold);
        l->kind = l->depth > 0 ? LINE_QUOTE : l->n_fold == 0 ? LINE_EMPTY : LINE_TEXT;
        l->kinds = l->kind == LINE_TEXT ? word_kinds(t->folded.data + l->fold, l->n_fold)
                                        : ~(uint64_t)0;
        if (l->n_fold > 0)
                l->flags |= (uint16_t)flags_of(t->folded.data + l->fold, l->n_fold);
        /* A line of bare emphasis ("***") has something to show, though no words. */
        for (size_t i = 0; l->kind == LINE_EMPTY && i < n && i < 20; i++)
                if (s[i] == '*')
                        l->kind = LINE_TEXT;
}

/* What the HTML said of ranges, as kinds of the lines that begin in them. */
static void
lines_mark(struct trim *t, const struct text_marks *marks)
{
        size_t i = 0;

        for (size_t k = 0; marks != NULL && k < marks->n; k++) {
                const struct text_mark *mark = &marks->list[k];

                while (i < t->n_lines && t->lines[i].to <= mark->from &&
                       t->lines[i].from < mark->from)
                        i++;
                while (i < t->n_lines && t->lines[i].from < mark->from)
                        i++;
                for (; i < t->n_lines && t->lines[i].from < mark->to; i++) {
                        struct trim_line *l = &t->lines[i];

                        if (l->kind == LINE_EMPTY)
                                continue;
                        l->flags |= LINE_MARKED;
                        l->kind = mark->kind == TEXT_QUOTE ? LINE_QUOTE : LINE_SIGNATURE;
                        t->has_attribution |= mark->kind == TEXT_QUOTE;
                }
        }
}

void
trim_lines_split(struct trim *t, const struct text_marks *marks)
{
        size_t n = 1, from = 0;

        for (const char *p = t->text; (p = memchr(p, '\n', (size_t)(t->text + t->n - p)));
             p++)
                n++;
        t->lines = xcalloc(n, sizeof *t->lines);
        for (size_t i = 0; i < n; i++) {
                const char *nl = memchr(t->text + from, '\n', t->n - from);
                struct trim_line *l = &t->lines[i];

                l->from = (uint32_t)from;
                l->to = nl == NULL ? (uint32_t)t->n : (uint32_t)(nl - t->text);
                line_understand(t, l);
                from = (size_t)l->to + 1;
        }
        t->n_lines = t->end = n;
        lines_mark(t, marks);
}
