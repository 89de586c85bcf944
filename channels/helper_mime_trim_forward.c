/*
 * A mail forwarded inside the text: where it begins and who wrote it. What a person
 * forwards is content, unlike what a person answers; so only the first marker counts,
 * and none that stands in or behind something answered.
 */
#include <string.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_trim_impl.h"

#define FORWARD_TEXT_MAX ((size_t)256 * 1024)

/* The header of a mail within the next few lines? */
static bool
header_follows(const struct trim *t, size_t i)
{
        size_t value;

        for (size_t k = i + 1; k < t->n_lines && k < i + 5; k++)
                if (t->lines[k].n_fold > 0 && trim_label(t, k, &value) != WORD_KINDS)
                        return true;
        return false;
}

static bool
has_dashes(const struct trim *t, size_t i)
{
        size_t n;
        const char *s = trim_folded(t, i, &n);

        return n > 2 && s[0] == '-' && s[1] == '-';
}

/* Is line i inside a quote that began above it? */
static bool
is_inside_quote(const struct trim *t, size_t i)
{
        for (size_t k = i; k > 0; k--) {
                if (t->lines[k - 1].kind == LINE_EMPTY)
                        continue;
                return t->lines[k - 1].kind == LINE_QUOTE && t->lines[k - 1].n_fold > 0;
        }
        return false;
}

static bool
says_something(const struct trim *t, size_t from)
{
        for (size_t i = from; i < t->n_lines; i++)
                if (t->lines[i].n_fold > 0)
                        return true;
        return false;
}

size_t
trim_forward_find(struct trim *t)
{
        bool text = false, quote = false;

        for (size_t i = 0; i < t->n_lines; i++) {
                switch ((enum line_kind)t->lines[i].kind) {
                case LINE_TEXT:
                        text = true;
                        break;
                case LINE_FORWARD:
                        if (is_inside_quote(t, i))
                                return t->n_lines;
                        if ((has_dashes(t, i) || header_follows(t, i)) &&
                            says_something(t, i + 1))
                                return i;
                        break;
                case LINE_ORIGINAL:
                case LINE_HEADER:
                        /* At the very top of a mail that answers nothing: a forward
                         * without a marker. */
                        if (t->is_forward || (!text && !quote && !t->is_reply))
                                return says_something(t, i + 1) ? i : t->n_lines;
                        return t->n_lines;
                case LINE_ATTRIBUTION:
                        if (!t->is_forward && text)
                                return t->n_lines;
                        if (t->is_forward)
                                return says_something(t, i + 1) ? i : t->n_lines;
                        break;
                case LINE_QUOTE:
                        quote = true;
                        break;
                case LINE_ABOVE:
                        return t->n_lines;
                case LINE_EMPTY:
                case LINE_SIGNATURE:
                case LINE_ARMOUR:
                        break;
                }
        }
        return t->n_lines;
}

/* ---- who wrote it ---- */

/* What stands behind the label, as written. */
static const char *
raw_value(const struct trim *t, size_t i, size_t *n)
{
        const char *s = t->text + t->lines[i].from, *end = t->text + t->lines[i].to, *p;

        while (s < end && (*s == '>' || *s == ' '))
                s++;
        for (p = s; p < end && p - s < 90 && *p != ':'; p++)
                if (end - p > 2 && memcmp(p, "：", 3) == 0) {
                        p += 2;
                        break;
                }
        s = p < end ? p + 1 : end;
        while (s < end && (*s == ' ' || *s == '*' || *s == '\t' || *s == '\r'))
                s++;
        while (end > s && (end[-1] == ' ' || end[-1] == '*' || end[-1] == '\r'))
                end--;
        *n = (size_t)(end - s);
        return s;
}

static bool
is_address_byte(char c)
{
        return (c & 0x80) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z') ||
               (c != '\0' && strchr(".-_+=%&'/@!#$~", c) != NULL);
}

/* "Name <a@b>", "Name [mailto:a@b]", "a@b": the first address and what is before it. */
static void
read_sender(struct trim *t, const char *s, size_t n, struct forwarded_mail *f)
{
        const char *at = memchr(s, '@', n), *from = at, *to = at, *end = s + n;
        const char *name_end = end;

        if (at != NULL) {
                while (from > s && is_address_byte(from[-1]))
                        from--;
                while (to < end && is_address_byte(*to))
                        to++;
                while (to > from && (to[-1] == '.' || to[-1] == '\''))
                        to--;
                if (from < at && to > at + 1)
                        f->address =
                            arena_strndup(t->m->arena, from, (size_t)(to - from));
                name_end = from;
        }
        for (const char *p = s; p < name_end; p++)
                if (*p == '<' || *p == '[' || *p == '(')
                        name_end = p;
        while (s < name_end && strchr(" \"'", *s) != NULL)
                s++;
        while (name_end > s && strchr(" \"'", name_end[-1]) != NULL)
                name_end--;
        f->name = arena_strndup(t->m->arena, s, (size_t)(name_end - s));
}

static void
read_field(struct trim *t, size_t i, enum word_kind label, struct forwarded_mail *f)
{
        size_t n;
        const char *s = raw_value(t, i, &n);

        if (label == WORD_FROM && f->address[0] == '\0' && f->name[0] == '\0')
                read_sender(t, s, n, f);
        else if (label == WORD_SUBJECT && f->subject[0] == '\0')
                f->subject = arena_strndup(t->m->arena, s, n);
        else if (label == WORD_DATE && f->sent_at_us == 0)
                f->sent_at_us = mime_header_date(s, n);
}

/* The fields from line i on; returns the line behind them. */
static size_t
read_fields(struct trim *t, size_t i, struct forwarded_mail *f)
{
        size_t n_labels = 0, gap = 0, behind = i;

        for (; i < t->n_lines && gap < 4; i++) {
                enum word_kind label = WORD_KINDS;
                size_t value;

                if (t->lines[i].n_fold == 0) {
                        if (n_labels > 0)
                                break;
                        continue;
                }
                label = trim_label(t, i, &value);
                if (label == WORD_KINDS) {
                        gap++;
                        continue;
                }
                read_field(t, i, label, f);
                n_labels++;
                gap = 0;
                behind = i + 1;
        }
        /* Lines between the last label and an empty line continue it, unless they are
         * all that the mail says. */
        if (n_labels >= 2 && i < t->n_lines && t->lines[i].n_fold == 0 &&
            i - behind < 3 && says_something(t, i))
                behind = i;
        return n_labels > 0 ? behind : 0;
}

/* What it says: without the > if every line has one. */
static const char *
read_text(struct trim *t, size_t from)
{
        struct buf b AUTO_BUF = BUF_INIT;
        bool quoted = true;

        for (size_t i = from; i < t->n_lines; i++)
                quoted &= t->lines[i].depth > 0 || t->lines[i].n_fold == 0;
        while (from < t->n_lines && t->lines[from].n_fold == 0)
                from++;
        for (size_t i = from; i < t->n_lines && b.len < FORWARD_TEXT_MAX; i++) {
                const char *s = t->text + t->lines[i].from,
                           *end = t->text + t->lines[i].to;

                while (quoted && s < end && *s == ' ')
                        s++;
                if (quoted && s < end && *s == '>') {
                        s++;
                        s += s < end && *s == ' ';
                }
                buf_add(&b, s, (size_t)(end - s));
                buf_addc(&b, '\n');
        }
        while (b.len > 0 && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == ' '))
                b.len--;
        return arena_strndup(t->m->arena, buf_str(&b), b.len);
}

size_t
trim_forward_read(struct trim *t, size_t at, bool whole)
{
        struct forwarded_mail *f = arena_alloc(t->m->arena, sizeof *f);
        size_t i = at, n, behind;
        char c;

        *f = (struct forwarded_mail){"", "", "", 0, "", "", "", whole};
        while (i < t->n_lines &&
               (t->lines[i].kind == LINE_FORWARD || t->lines[i].kind == LINE_ORIGINAL ||
                   t->lines[i].n_fold == 0 || trim_rule(t, i, &c) > 0))
                i++;
        for (; i < t->n_lines && t->lines[i].kind == LINE_ATTRIBUTION; i++) {
                const char *s = t->text + t->lines[i].from;

                n = t->lines[i].to - t->lines[i].from;
                if (f->address[0] == '\0' && memchr(s, '@', n) != NULL)
                        read_sender(t, s, n, f);
                f->name = "";
        }
        behind = read_fields(t, i, f);
        if (behind > i)
                i = behind;
        f->text = read_text(t, i);
        if (t->m->forwarded == NULL)
                t->m->forwarded = f;
        message_find(t->m, "trim", "forwarded mail", "from line %zu on, of %s", at + 1,
            f->address[0] != '\0' ? f->address : "an unknown sender");
        return i;
}
