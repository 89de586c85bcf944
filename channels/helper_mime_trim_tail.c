/*
 * What stands at the ends of a text. At its tail, again and again until nothing more is
 * found: a quote, a line of a phone, a signature below a delimiter or a closing, a
 * legal or list footer. At its head: warnings of the receiving server.
 *
 * Each step takes at least one line or ends the loop, and looks at no more than a fixed
 * number of lines beyond those that it takes. In doubt a line stays.
 */
#include <string.h>

#include "channels/helper_mime_trim_impl.h"

#define LOOK_BACK 60 /* lines */

/* ---- what the lines behind a delimiter or closing are like ---- */

struct tail_view {
        unsigned n; /* not empty */
        unsigned n_questions, n_sentences, n_long, n_contacts, n_official;
};

static bool
has_phone(const char *s, size_t n)
{
        size_t digits = 0, letters = 0;

        for (size_t i = 0; i < n; i++) {
                digits += s[i] >= '0' && s[i] <= '9';
                letters +=
                    (s[i] >= 'a' && s[i] <= 'z') || ((unsigned char)s[i] & 0xc0) == 0xc0;
        }
        return digits >= 7 && letters <= 20;
}

static bool
is_link(const struct trim *t, size_t i)
{
        size_t n;
        const char *s = trim_folded(t, i, &n);

        return trim_may(t, i, WORD_LINK) && word_stands(WORD_LINK, s, n);
}

static bool
is_contact(const struct trim *t, size_t i)
{
        size_t n;
        const char *s = trim_folded(t, i, &n);

        return (t->lines[i].flags & LINE_HAS_ADDRESS) || is_link(t, i) ||
               has_phone(s, n) ||
               (n < 80 && trim_may(t, i, WORD_CONTACT) &&
                   word_stands(WORD_CONTACT, s, n));
}

static bool
is_official(const struct trim *t, size_t i)
{
        size_t n;
        const char *s = trim_folded(t, i, &n);

        return (trim_may(t, i, WORD_LEGAL1) && word_stands(WORD_LEGAL1, s, n)) ||
               (trim_may(t, i, WORD_FOOTER) && word_stands(WORD_FOOTER, s, n));
}

/* Looked at once: several rules ask for the same lines. */
static void
line_view(const struct trim *t, size_t i)
{
        struct trim_line *l = &t->lines[i];

        if (l->flags & LINE_VIEWED)
                return;
        l->flags |= LINE_VIEWED;
        if (is_contact(t, i))
                l->flags |= LINE_CONTACT;
        if (is_official(t, i))
                l->flags |= LINE_OFFICIAL;
}

static void
view_add(const struct trim *t, size_t i, struct tail_view *v)
{
        size_t n;
        const char *s = trim_folded(t, i, &n);

        if (n == 0)
                return;
        v->n++;
        v->n_questions += s[n - 1] == '?';
        v->n_sentences += strchr(".!?;,:", s[n - 1]) != NULL;
        v->n_long += n > 90;
        line_view(t, i);
        v->n_contacts += (t->lines[i].flags & LINE_CONTACT) != 0;
        v->n_official += (t->lines[i].flags & LINE_OFFICIAL) != 0;
}

/* ---- delimiters ---- */

enum delimiter { DELIMITER_NONE, DELIMITER_DASHES, DELIMITER_LINE, DELIMITER_RULE };

static enum delimiter
delimiter_at(const struct trim *t, size_t i)
{
        char c;
        size_t n = trim_rule(t, i, &c);

        if (n == 0)
                return DELIMITER_NONE;
        if (n == 2 && c == '-')
                return DELIMITER_DASHES;
        if (c == 'm' || c == '.' || (c == '_' && n >= 2))
                return DELIMITER_LINE;
        return n >= 3 ? DELIMITER_RULE : DELIMITER_NONE;
}

/* Is the delimiter at i used in the text above as well, so often that the person
 * divides with it? (A signature and a footer may each have one.) */
static bool
is_divider(const struct trim *t, size_t i, enum delimiter d)
{
        size_t from = i > LOOK_BACK ? i - LOOK_BACK : 0;
        unsigned n = 0;

        for (size_t k = from; k < i; k++)
                n += trim_is_text(t, k) && delimiter_at(t, k) == d;
        return n >= (d == DELIMITER_RULE ? 1 : 2);
}

/* "-- " with its blank: what RFC 3676 asks for, and nothing else writes. */
static bool
is_exact(const struct trim *t, size_t i)
{
        return t->lines[i].to - t->lines[i].from == 3 &&
               t->text[t->lines[i].to - 1] == ' ';
}

/* Are the lines behind the delimiter at i a signature? */
static bool
is_signature(const struct trim *t, size_t i, enum delimiter d, const struct tail_view *v)
{
        if (v->n_official > 0)
                return true;
        if (!is_exact(t, i) && is_divider(t, i, d))
                return false;
        switch (d) {
        case DELIMITER_DASHES:
                if (is_exact(t, i))
                        return v->n <= 20;
                return v->n_questions == 0 &&
                       (v->n <= 6 || v->n_contacts > 0 || v->n_sentences * 2 < v->n);
        case DELIMITER_LINE:
                return v->n_questions == 0 && v->n <= 10 &&
                       (v->n <= 3 || v->n_contacts > 0 || v->n_sentences * 2 < v->n);
        case DELIMITER_RULE:
                return v->n > 0 && v->n_questions == 0 && v->n <= 8 && v->n_long == 0 &&
                       (v->n_contacts > 0 ? v->n_sentences <= 1
                                          : v->n <= 3 && v->n_sentences == 0);
        case DELIMITER_NONE:
                break;
        }
        return false;
}

static bool
tail_delimiter(struct trim *t)
{
        struct tail_view v = {0};

        for (size_t i = t->end; i > 0 && t->end - i < LOOK_BACK && v.n <= 25; i--) {
                enum delimiter d;

                if (t->lines[i - 1].flags & LINE_TAKEN)
                        continue;
                if (t->lines[i - 1].kind != LINE_TEXT &&
                    t->lines[i - 1].kind != LINE_EMPTY &&
                    t->lines[i - 1].kind != LINE_SIGNATURE)
                        return false;
                d = delimiter_at(t, i - 1);
                if (d == DELIMITER_NONE) {
                        view_add(t, i - 1, &v);
                        continue;
                }
                if (t->first_text >= i - 1 || !is_signature(t, i - 1, d, &v))
                        return false;
                trim_take(t, i - 1, t->end, "signature", "below a delimiter line");
                t->end = i - 1;
                return true;
        }
        return false;
}

/* ---- closings ---- */

/* "С уважением, Иван Петров": the closing and at most a name behind it. */
static bool
is_closing(const struct trim *t, size_t i)
{
        size_t n, used, words = 0;
        const char *s = trim_folded(t, i, &n);

        if (n > 70 || t->lines[i].kind != LINE_TEXT)
                return false;
        used = word_begins(WORD_CLOSING, s, n);
        if (used == 0)
                return false;
        for (size_t k = used; k < n; k++) {
                words += s[k] == ' ';
                if (s[k] == '?')
                        return false;
        }
        return used == n ||
               (words <= 4 && (used > 8 ? true : s[used] == ',' || words == 0));
}

static bool
tail_closing(struct trim *t)
{
        struct tail_view v = {0};

        for (size_t i = t->end; i > 0 && t->end - i < LOOK_BACK && v.n <= 10; i--) {
                if (t->lines[i - 1].flags & LINE_TAKEN)
                        continue;
                if (t->lines[i - 1].kind != LINE_TEXT &&
                    t->lines[i - 1].kind != LINE_EMPTY)
                        return false;
                if (is_closing(t, i - 1) && v.n > 0) {
                        if (v.n_contacts == 0 || v.n_questions > 0 || v.n_long > 0 ||
                            v.n_sentences * 2 > v.n || t->first_text >= i - 1)
                                return false;
                        trim_take(
                            t, i - 1, t->end, "signature", "after a closing formula");
                        t->end = i - 1;
                        return true;
                }
                view_add(t, i - 1, &v);
        }
        return false;
}

/* ---- footers ---- */

/* The first line of the last paragraph; t->end when it is too long for a footer. */
static size_t
last_paragraph(const struct trim *t)
{
        size_t i = t->end;

        while (i > 0 && t->end - i < 30 && trim_is_text(t, i - 1))
                i--;
        return t->end - i < 30 ? i : t->end;
}

static bool
begins_footer(const struct trim *t, size_t i, bool linked)
{
        size_t n, used;
        const char *s = trim_folded(t, i, &n);

        while (n > 0 && (s[0] == '[' || s[0] == '-' || s[0] == ' ' || s[0] == '<'))
                s++, n--;
        used = word_starts(WORD_FOOTER, s, n);
        return used > 24 || (used > 0 && linked);
}

static bool
tail_footer(struct trim *t)
{
        size_t first = last_paragraph(t);
        bool linked = false;

        for (size_t i = first; i < t->end; i++)
                linked |= (t->lines[i].flags & LINE_HAS_ADDRESS) != 0 || is_link(t, i);
        for (size_t i = first; i < t->end; i++) {
                if (!begins_footer(t, i, linked) || t->first_text >= i)
                        continue;
                /* A rule directly above belongs to it. */
                if (i > first && delimiter_at(t, i - 1) != DELIMITER_NONE)
                        i--;
                trim_take(t, i, t->end, "footer", "of a list, a scanner or a system");
                t->end = i;
                return true;
        }
        return false;
}

static bool
tail_legal(struct trim *t)
{
        size_t first = last_paragraph(t), from = t->end, bytes = 0;
        unsigned strong = 0, weak = 0;

        for (size_t i = first; i < t->end; i++) {
                size_t n;
                const char *s = trim_folded(t, i, &n);
                unsigned sure =
                    trim_may(t, i, WORD_LEGAL1) ? word_count(WORD_LEGAL1, s, n) : 0;
                unsigned some =
                    trim_may(t, i, WORD_LEGAL) ? word_count(WORD_LEGAL, s, n) : 0;

                if (sure + some > 0 && from == t->end)
                        from = i;
                strong += sure;
                weak += some;
                bytes += t->lines[i].to - t->lines[i].from;
        }
        if (!(strong > 0 && (weak > 0 || bytes > 160 || strong > 1)) && !(weak >= 3))
                return false;
        if (from == t->end)
                return false;
        /* What stands above it in the same paragraph belongs to it unless it is short:
         * a name, a closing. */
        while (from > first && t->lines[from - 1].to - t->lines[from - 1].from > 55)
                from--;
        if (t->first_text >= from)
                return false;
        trim_take(t, from, t->end, "legal footer", "words of a confidentiality notice");
        t->end = from;
        return true;
}

/* "-Abhishek Kona" as the last line, set apart: a name, as on Usenet. */
static bool
tail_name(struct trim *t)
{
        size_t i = t->end - 1, n, words = 0;
        const char *s = t->text + t->lines[i].from;
        const char *f = trim_folded(t, i, &n);

        if (n < 3 || n > 40 || s[0] != '-' ||
            !((s[1] >= 'A' && s[1] <= 'Z') || s[1] & 0x80))
                return false;
        if (i < 2 || t->lines[i - 1].kind != LINE_EMPTY || t->first_text >= i)
                return false;
        for (size_t k = 1; k < n; k++) {
                words += f[k] == ' ';
                if (!((f[k] >= 'a' && f[k] <= 'z') || f[k] & 0x80 || f[k] == ' ' ||
                        f[k] == '.'))
                        return false;
        }
        /* A list's last item has others above it. */
        if (words > 2 || t->text[t->lines[i - 2].from] == '-')
                return false;
        trim_take(t, i, t->end, "signature", "a name behind a dash");
        t->end = i;
        return true;
}

/* Below a quote, with an answer above it: a few short lines that tell how to reach
 * somebody. */
static bool
tail_card(struct trim *t)
{
        size_t first = last_paragraph(t), i = first;
        struct tail_view v = {0};

        for (size_t k = first; k < t->end; k++)
                view_add(t, k, &v);
        if (v.n < 2 || v.n > 7 || v.n_contacts == 0 || v.n_questions > 0 ||
            v.n_long > 0 || v.n_sentences > 0)
                return false;
        while (i > 0 && t->lines[i - 1].kind == LINE_EMPTY)
                i--;
        if (i == 0 || t->lines[i - 1].kind != LINE_QUOTE || t->first_text >= i)
                return false;
        trim_take(
            t, first, t->end, "signature", "below the quote, how to reach somebody");
        t->end = first;
        return true;
}

/* ---- quotes ---- */

static bool
tail_quote(struct trim *t)
{
        size_t first = t->end;
        unsigned least = 255, most = 0;
        bool attributed = false;

        while (first > 0) {
                const struct trim_line *l = &t->lines[first - 1];

                if (l->kind != LINE_QUOTE && l->kind != LINE_EMPTY &&
                    l->kind != LINE_ATTRIBUTION && !(l->flags & LINE_TAKEN))
                        break;
                if (l->kind == LINE_QUOTE && l->depth > 0) {
                        least = l->depth < least ? l->depth : least;
                        most = l->depth > most ? l->depth : most;
                }
                attributed |= l->kind == LINE_ATTRIBUTION;
                first--;
        }
        /* A person may quote a log in a first mail; then nothing says who is quoted. */
        if (!t->has_attribution && !t->is_reply && (least == most || most < 2))
                return false;
        trim_take(t, first, t->end, "quote",
            attributed ? "at the end, below an attribution" : "at the end");
        t->end = first;
        return true;
}

/* The lines of the same kind around i, which is one that a program or PGP appended. */
size_t
trim_appended(struct trim *t, size_t i)
{
        size_t from = i, to = i + 1;
        uint8_t kind = t->lines[i].kind;
        bool marked = t->lines[i].flags & LINE_MARKED;

        while (from > 0 && t->lines[from - 1].kind == kind)
                from--;
        while (to < t->end && t->lines[to].kind == kind)
                to++;
        if (kind == LINE_ARMOUR)
                trim_take(t, from, to, "armour", "of PGP");
        else
                trim_take(t, from, to, "signature",
                    marked ? "marked so in the HTML" : "a program appended it");
        return to;
}

static bool
tail_step(struct trim *t)
{
        while (t->end > 0 && (t->lines[t->end - 1].kind == LINE_EMPTY ||
                                 (t->lines[t->end - 1].flags & LINE_TAKEN)))
                t->end--;
        if (t->end == 0)
                return false;
        switch ((enum line_kind)t->lines[t->end - 1].kind) {
        case LINE_SIGNATURE:
        case LINE_ARMOUR:
                trim_appended(t, t->end - 1);
                return true;
        case LINE_QUOTE:
        case LINE_ATTRIBUTION:
                return tail_quote(t);
        case LINE_TEXT:
                return tail_delimiter(t) || tail_legal(t) || tail_footer(t) ||
                       tail_closing(t) || tail_name(t) || tail_card(t);
        case LINE_HEADER:
        case LINE_ORIGINAL:
        case LINE_FORWARD:
        case LINE_ABOVE:
        case LINE_EMPTY:
                break;
        }
        return false;
}

void
trim_tail(struct trim *t)
{
        t->first_text = t->n_lines;
        for (size_t i = 0; i < t->end; i++) {
                char c;

                if (trim_is_text(t, i) && trim_rule(t, i, &c) == 0) {
                        t->first_text = i;
                        break;
                }
        }
        while (tail_step(t))
                ;
}

/* ---- banners ---- */

/* Does a warning begin here, and is it all of the line? */
static bool
is_banner(const struct trim *t, size_t i)
{
        size_t n;
        const char *s = trim_folded(t, i, &n);
        bool begins = word_starts(WORD_BANNER, s, n) > 0;

        if (s[0] == '[')
                return begins && s[n - 1] == ']';
        for (size_t k = 0; k < 12 && n > 0 && !begins; k++) {
                begins = word_starts(WORD_BANNER, s, n) > 0;
                s++, n--;
        }
        return begins && (n < 60 || word_stands(WORD_BANNER2, s, n));
}

static size_t
banner_end(const struct trim *t, size_t i)
{
        size_t n, first = i++;
        char c;

        for (; i < t->end && i - first < 8 && trim_is_text(t, i); i++) {
                const char *s = trim_folded(t, i, &n);

                if (!word_stands(WORD_BANNER2, s, n) && !is_banner(t, i) &&
                    trim_rule(t, i, &c) == 0)
                        break;
        }
        return i;
}

void
trim_head(struct trim *t)
{
        for (int k = 0; k < 4; k++) {
                size_t i = trim_next(t, 0), end;
                char c;

                if (i >= t->end || t->lines[i].kind != LINE_TEXT)
                        return;
                if (trim_rule(t, i, &c) >= 3 && i + 1 < t->end && is_banner(t, i + 1))
                        end = banner_end(t, i + 1);
                else if (is_banner(t, i))
                        end = banner_end(t, i);
                else
                        return;
                if (trim_next(t, end) >= t->end)
                        return;
                trim_take(t, i, end, "banner", "a warning of the receiving server");
        }
}
