/*
 * Finds what stands between a person's words and those of others: attribution lines
 * ("On ... wrote:", over up to five lines), blocks of header lines (Outlook's From,
 * Sent, To, Subject in any language), markers ("-----Original Message-----"), lines
 * that phones append, PGP's armour.
 *
 * An attribution is judged by its evidence: a verb of writing, a date, an address, how
 * it begins, how it ends. Around each line a fixed number of others is looked at.
 */
#include <string.h>

#include "channels/helper_mime_trim_impl.h"

#define WRAP 4 /* further lines over which an attribution may be wrapped */
#define ATTRIBUTION_MAX 420
#define CANDIDATES 4000 /* lines tried as the end of one; no mail has so many */

/* Without a > before it: text, or what the HTML alone calls a quote. */
static bool
is_bare(const struct trim_line *l)
{
        return l->kind == LINE_TEXT || (l->kind == LINE_QUOTE && l->depth == 0);
}

/* ---- header blocks ---- */

/* Where the colon of a label stands, n: none; *after: behind it. */
static size_t
colon_at(const char *s, size_t n, size_t *after)
{
        for (size_t i = 0; i < n && i < 60; i++) {
                if (s[i] == ':') {
                        *after = i + 1;
                        return i;
                }
                if (i + 2 < n && memcmp(s + i, "：", 3) == 0) {
                        *after = i + 3;
                        return i;
                }
        }
        return n;
}

enum word_kind
trim_label(const struct trim *t, size_t i, size_t *value)
{
        size_t n, after = 0, at;
        const char *s = trim_folded(t, i, &n);

        if (n < 2 || (at = colon_at(s, n, &after)) == n)
                return WORD_KINDS;
        while (at > 0 && (s[at - 1] == ' ' || s[at - 1] == '_'))
                at--;
        while (at > 0 && (s[0] == '|' || s[0] == '_' || s[0] == ' '))
                s++, at--, n--, after--;
        *value = after + (size_t)(s - trim_folded(t, i, &n));
        for (enum word_kind k = WORD_FROM; at > 0 && k <= WORD_OTHER; k++)
                if (word_is(k, s, at))
                        return k;
        return WORD_KINDS;
}

struct header_block {
        unsigned seen; /* bit of each kind of label */
        unsigned n_labels;
        bool has_address;
        size_t end; /* behind its last line */
};

/* Reads a block from line i on: labels, with up to two lines between them that
 * continue the one above, no two empty lines. */
static void
block_read(const struct trim *t, size_t i, struct header_block *b)
{
        size_t gap = 0, value;
        uint8_t depth = t->lines[i].depth;

        memset(b, 0, sizeof *b);
        for (b->end = i; i < t->n_lines && b->n_labels < 12 && gap < 3; i++) {
                enum word_kind k = WORD_KINDS;

                if (t->lines[i].depth != depth && !(t->lines[i].flags & LINE_MARKED))
                        break;
                if (t->lines[i].n_fold == 0 && (b->n_labels < 1 || gap > 0))
                        break;
                if (t->lines[i].n_fold > 0)
                        k = trim_label(t, i, &value);
                /* Two senders: the second belongs to another block. */
                if (k == WORD_FROM && (b->seen & 1u << k))
                        break;
                if (k == WORD_KINDS) {
                        gap++;
                        continue;
                }
                b->seen |= 1u << k;
                b->n_labels++;
                b->has_address |= (t->lines[i].flags & LINE_HAS_ADDRESS) != 0;
                b->end = i + 1;
                gap = 0;
        }
}

/* Is it the header of a mail, not a person's list ("From: London, To: Paris")? */
static bool
block_is_header(const struct header_block *b, bool announced)
{
        bool from = b->seen & 1u << WORD_FROM, date = b->seen & 1u << WORD_DATE,
             to = b->seen & 1u << WORD_TO, subject = b->seen & 1u << WORD_SUBJECT;
        unsigned kinds = (unsigned)(from + date + to + subject);

        if (announced && (from || date) && kinds >= 2)
                return true;
        if (kinds >= 3 && from && (subject || b->has_address))
                return true;
        return kinds >= 3 && subject && b->has_address;
}

/* The rule above line i ("________", perhaps with an empty line between), or i. */
static size_t
rule_above(const struct trim *t, size_t i)
{
        size_t k = i;
        char c;

        while (k > 0 && i - k < 2 && t->lines[k - 1].kind == LINE_EMPTY)
                k--;
        if (k > 0 && is_bare(&t->lines[k - 1]) && trim_rule(t, k - 1, &c) >= 3)
                return k - 1;
        return i;
}

/* Notes puts "Ann Lee ---23.11.2026 10:00:00---It leaks" above its header. */
static bool
is_notes_line(const struct trim *t, size_t i)
{
        size_t n;
        const char *s = trim_folded(t, i, &n), *p;

        if (t->lines[i].kind != LINE_TEXT || (t->lines[i].flags & LINE_HAS_TIME) == 0)
                return false;
        p = memmem(s, n, "---", 3);
        return p != NULL && p > s &&
               memmem(p + 3, n - 3 - (size_t)(p - s), "---", 3) != NULL;
}

static size_t
notes_above(const struct trim *t, size_t i)
{
        size_t k = i;

        while (k > 0 && i - k < 2 && t->lines[k - 1].kind == LINE_EMPTY)
                k--;
        return k > 0 && is_notes_line(t, k - 1) ? k - 1 : i;
}

/* "I got this:" and then a header: a person shows it, and goes on below. */
static bool
is_shown(const struct trim *t, size_t i)
{
        size_t n, k = i;
        const char *s;

        while (k > 0 && i - k < 3 && t->lines[k - 1].kind == LINE_EMPTY)
                k--;
        if (k == 0 || t->lines[k - 1].kind != LINE_TEXT)
                return false;
        s = trim_folded(t, k - 1, &n);
        return n > 0 && s[n - 1] == ':';
}

static void
lines_set(struct trim *t, size_t from, size_t to, enum line_kind kind)
{
        for (size_t i = from; i < to; i++)
                if (t->lines[i].kind != LINE_EMPTY)
                        t->lines[i].kind = (uint8_t)kind;
        t->lines[from].flags |= LINE_FIRST;
}

static size_t
find_header_block(struct trim *t, size_t i)
{
        struct header_block b;
        size_t value, above;
        bool announced;

        if (trim_label(t, i, &value) == WORD_KINDS)
                return i + 1;
        block_read(t, i, &b);
        above = rule_above(t, i);
        if (above == i)
                above = notes_above(t, i);
        announced = above < i;
        for (size_t k = i; k > 0 && i - k < 3 && !announced; k--)
                announced = t->lines[k - 1].kind == LINE_ORIGINAL ||
                            t->lines[k - 1].kind == LINE_FORWARD;
        if (b.end <= i || !block_is_header(&b, announced))
                return i + 1;
        if (!announced && !t->is_reply && is_shown(t, i))
                return b.end;
        t->has_attribution = true;
        if (is_bare(&t->lines[i])) /* in a quote it only tells that it is one */
                lines_set(t, above, b.end, LINE_HEADER);
        return b.end;
}

/* ---- markers ---- */

static size_t
count_dashes(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && (s[i] == '-' || s[i] == '_' || s[i] == '=' || s[i] == '~' ||
                            s[i] == '#' || s[i] == '+' || s[i] == ' '))
                i++;
        return i;
}

/* "-----Original Message-----", "Begin forwarded message:", "-- Forwarded by X --". */
static bool
is_marker(const struct trim *t, size_t i, enum word_kind kind)
{
        size_t n, dashes, used;
        const char *s = trim_folded(t, i, &n);

        if (n > 160 || n < 8)
                return false;
        dashes = count_dashes(s, n);
        used = word_begins(kind, s + dashes, n - dashes);
        if (used == 0)
                return false;
        s += dashes + used;
        n -= dashes + used;
        while (n > 0 && (s[0] == ' ' || s[0] == ':'))
                s++, n--;
        /* Something may follow ("Forwarded by Ann on 1.1.2026 -----"), then dashes. */
        if (n > 0 && count_dashes(s, n) < n)
                return dashes >= 3 && s[n - 1] == '-';
        return dashes >= 2 || n > 0 ||
               t->folded.data[t->lines[i].fold + t->lines[i].n_fold - 1] == ':';
}

static bool
is_above_line(const char *s, size_t n)
{
        return n < 200 && n > 12 && word_stands(WORD_ABOVE, s, n);
}

/* "Sent from my Pixel, please excuse typos", but not "Sent from my desk, is easier". */
static bool
is_sent_from(const char *s, size_t n)
{
        size_t at = word_begins(WORD_DEVICE, s, n), words = 0;

        if (at == 0 || n > 120)
                return false;
        for (; at < n && s[at] != ',' && s[at] != '.' && s[at] != ';' && s[at] != '<';
             at++) {
                if (s[at] == '!' || s[at] == '?')
                        return false;
                words += s[at] == ' ';
        }
        if (words == 0 || words > 8)
                return false;
        while (at < n && (s[at] == ',' || s[at] == '.' || s[at] == ';' || s[at] == ' '))
                at++;
        return at == n || s[at] == '<' || word_begins(WORD_EXCUSE, s + at, n - at) > 0;
}

static bool
is_mobile(const char *s, size_t n)
{
        if (n < 8 || n > 160)
                return false;
        while (n > 2 && (s[0] == '<' || s[0] == '(' || s[0] == '-' || s[0] == ' '))
                s++, n--;
        while (n > 2 && (s[n - 1] == '>' || s[n - 1] == ')' || s[n - 1] == '.') &&
               memchr(s, '<', n) == NULL && memchr(s, '(', n) == NULL)
                n--;
        if (is_sent_from(s, n))
                return (n > 12 && memcmp(s, "sent from my", 12) == 0) ||
                       word_stands(WORD_APP, s, n);
        return word_matches(WORD_MOBILE, s, n);
}

/* "-----BEGIN PGP SIGNED MESSAGE-----" and the Hash line; the signature as a whole. */
static size_t
find_armour(struct trim *t, size_t i)
{
        size_t n, end = i + 1;
        const char *s = trim_folded(t, i, &n);
        bool signature;

        if (n < 20 || memcmp(s, "-----begin pgp sign", 19) != 0)
                return i + 1;
        signature = n > 23 && memcmp(s + 19, "atur", 4) == 0;
        for (; end < t->n_lines && end < i + 60; end++) {
                s = trim_folded(t, end, &n);
                if (!signature && (n < 6 || memcmp(s, "hash: ", 6) != 0))
                        break;
                if (signature && n > 15 && memcmp(s, "-----end pgp si", 15) == 0) {
                        end++;
                        break;
                }
        }
        lines_set(t, i, end, LINE_ARMOUR);
        return end;
}

static void
find_markers(struct trim *t)
{
        for (size_t i = 0, n; i < t->n_lines; i++) {
                const char *s = trim_folded(t, i, &n);
                enum line_kind kind = (enum line_kind)t->lines[i].kind;

                if (n < 8 || (kind != LINE_TEXT && kind != LINE_QUOTE))
                        continue;
                if (is_marker(t, i, WORD_FORWARD))
                        t->lines[i].kind = LINE_FORWARD;
                else if (is_marker(t, i, WORD_ORIGINAL))
                        t->lines[i].kind =
                            is_bare(&t->lines[i]) ? LINE_ORIGINAL : LINE_QUOTE;
                else if (kind == LINE_TEXT && trim_may(t, i, WORD_ABOVE) &&
                         is_above_line(s, n))
                        t->lines[i].kind = LINE_ABOVE;
                else if (kind == LINE_TEXT && is_mobile(s, n))
                        t->lines[i].kind = LINE_SIGNATURE;
                else if (kind == LINE_TEXT)
                        i = find_armour(t, i) - 1;
                t->has_attribution |= t->lines[i].kind == LINE_ORIGINAL;
        }
}

/* ---- attributions ---- */

struct attribution {
        char s[ATTRIBUTION_MAX + 1];
        size_t n;
        unsigned flags; /* of its lines */
};

/* Lines [from, to] as one; false: too long. */
static bool
attribution_join(const struct trim *t, size_t from, size_t to, struct attribution *a)
{
        a->n = 0;
        a->flags = 0;
        for (size_t i = from; i <= to; i++) {
                size_t n;
                const char *s = trim_folded(t, i, &n);

                if (a->n + n + 1 > ATTRIBUTION_MAX)
                        return false;
                if (i > from)
                        a->s[a->n++] = ' ';
                memcpy(a->s + a->n, s, n);
                a->n += n;
                a->flags |= t->lines[i].flags;
        }
        /* Zimbra writes "- Le ...", Zoho "---- On ... wrote ----". */
        size_t dashes = count_dashes(a->s, a->n);

        memmove(a->s, a->s + dashes, a->n - dashes);
        a->n -= dashes;
        a->s[a->n] = '\0';
        return true;
}

/* "2016-03-03 17:21 GMT+01:00 Name", Gmail's of some years. */
static bool
is_iso_attribution(const char *s, size_t n)
{
        static const char shape[] = "####-##-## ##:## gmt";

        if (n < sizeof shape + 6 || n > 200)
                return false;
        for (size_t i = 0; shape[i] != '\0'; i++)
                if (shape[i] == '#' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
                        return false;
        return s[20] == '+' || s[20] == '-';
}

/* Ends with "<a@b>" or "a@b", blanks and a > or ] after it allowed. */
static bool
ends_with_address(const char *s, size_t n)
{
        while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '>' || s[n - 1] == ')' ||
                            s[n - 1] == ';' || s[n - 1] == '"'))
                n--;
        for (size_t i = n; i > 0 && n - i < 90; i--) {
                if (s[i - 1] == '@')
                        return i < n;
                if (s[i - 1] == ' ')
                        return false;
        }
        return false;
}

static bool
begins_like_attribution(const char *s, size_t n)
{
        if (n == 0)
                return false;
        return (s[0] >= '0' && s[0] <= '9') || word_begins(WORD_STARTER, s, n) > 0 ||
               word_begins(WORD_QUOTING, s, n) > 0;
}

enum verdict { NOT, WEAK, STRONG };

/* One that has no verb: "23.11.2026, 10:00, "Name" <a@b>:". */
static enum verdict
judge_without_verb(const struct attribution *a, size_t n, bool colon)
{
        bool begins = begins_like_attribution(a->s, n);

        if ((a->flags & LINE_HAS_DATE) && begins && ends_with_address(a->s, n) &&
            (colon || (a->s[0] >= '0' && a->s[0] <= '9' && n > 0 && a->s[n - 1] == '>')))
                return STRONG;
        if (colon && word_begins(WORD_QUOTING, a->s, n) > 0)
                return a->flags & LINE_HAS_ADDRESS ? STRONG : WEAK;
        if (colon && (a->flags & LINE_HAS_DATE) && (a->flags & LINE_HAS_ADDRESS) &&
            n > 0 && (a->s[n - 1] == ']' || a->s[n - 1] == ')'))
                return STRONG;
        return NOT;
}

/* What the joined lines are. */
static enum verdict
judge(const struct attribution *a)
{
        size_t n = a->n;
        bool colon = false, dashes = false;

        while (
            n > 0 && (a->s[n - 1] == ' ' || a->s[n - 1] == '-' || a->s[n - 1] == '[')) {
                dashes |= a->s[n - 1] == '-';
                n--;
        }
        if (n > 1 && a->s[n - 1] == ':') {
                colon = true;
                n--;
        } else if (n > 3 && memcmp(a->s + n - 3, "：", 3) == 0) {
                colon = true;
                n -= 3;
        }
        while (n > 0 && a->s[n - 1] == ' ')
                n--;
        if (n < 4)
                return NOT;
        if ((colon || dashes) && word_stands(WORD_WROTE, a->s, n)) {
                if (!(a->flags & (LINE_HAS_DATE | LINE_HAS_ADDRESS)))
                        return colon && n < 100 ? WEAK : NOT;
                if (a->flags & (LINE_HAS_ADDRESS | LINE_HAS_TIME))
                        return STRONG;
                return begins_like_attribution(a->s, n) &&
                               !word_stands(WORD_SELF, a->s, n)
                           ? STRONG
                           : WEAK;
        }
        return judge_without_verb(a, n, colon);
}

/* May line i be the last of an attribution? */
static bool
may_end(const struct trim *t, size_t i)
{
        size_t n;
        const char *s = trim_folded(t, i, &n);
        enum line_kind kind = (enum line_kind)t->lines[i].kind;

        if (n < 1 || (kind != LINE_TEXT && kind != LINE_QUOTE))
                return false;
        while (n > 1 && (s[n - 1] == ' ' || s[n - 1] == '['))
                n--;
        return s[n - 1] == ':' || s[n - 1] == '>' || (n > 3 && s[n - 1] == '-') ||
               (n >= 3 && memcmp(s + n - 3, "：", 3) == 0);
}

/* May line i be the first of a wrapped one? */
static bool
may_begin(const struct trim *t, size_t i)
{
        size_t n, dashes;
        const char *s = trim_folded(t, i, &n);

        dashes = count_dashes(s, n);
        return n > dashes &&
               ((t->lines[i].flags & (LINE_HAS_ADDRESS | LINE_HAS_DATE)) ||
                   s[n - 1] == '<' || begins_like_attribution(s + dashes, n - dashes) ||
                   (n < 60 && word_stands(WORD_WROTE, s, n))) &&
               s[dashes] != '<' && s[dashes] != '>';
}

static bool
same_block(const struct trim *t, size_t i, size_t k)
{
        return t->lines[k].kind == t->lines[i].kind && t->lines[k].n_fold > 0 &&
               t->lines[k].depth == t->lines[i].depth;
}

/* Does a sentence end here? A dot soon behind a number may be an
 * abbreviation's in a date: "23 нояб. 2026 г." */
static bool
ends_sentence(const char *s, size_t n)
{
        if (strchr(":!?;", s[n - 1]) != NULL)
                return true;
        if (s[n - 1] != '.')
                return false;
        for (size_t i = n - 1; i > 0 && n - i < 14; i--)
                if (s[i - 1] >= '0' && s[i - 1] <= '9')
                        return false;
        return true;
}

/* Do both begin with the same word: two beginnings? */
static bool
begins_alike(const char *a, size_t n, const char *b, size_t m)
{
        for (size_t i = 0; i < n && i < m && a[i] == b[i]; i++)
                if (a[i] == ' ')
                        return true;
        return false;
}

/* Is the line above part of the attribution found below it? A few words with a date, or
 * the name before a verb; not a line that begins as the one below does. */
static bool
is_part_above(const struct trim *t, size_t above, size_t first)
{
        size_t n, m, words = 1, dashes;
        const char *s = trim_folded(t, above, &n), *below = trim_folded(t, first, &m);
        bool digit = false, begins;

        if (ends_sentence(s, n))
                return false;
        dashes = count_dashes(s, n);
        for (size_t i = dashes; i < n; i++) {
                words += s[i] == ' ';
                digit |= s[i] >= '0' && s[i] <= '9';
        }
        if (words > (t->lines[above].flags & LINE_HAS_DATE ? 25 : 7) || n == dashes)
                return false;
        if ((t->lines[above].flags & LINE_HAS_ADDRESS) && memchr(s, '<', n) != NULL)
                return true;
        begins = begins_like_attribution(s + dashes, n - dashes) && (digit || words <= 3);
        if (!begins)
                return word_begins(WORD_WROTE, below, m) > 0 &&
                       ((t->lines[above].flags & LINE_HAS_ADDRESS) || words <= 5);
        return (t->lines[above].flags & LINE_HAS_DATE) ||
               !begins_alike(s + dashes, n - dashes, below, m);
}

/* Above line `first`, found to begin an attribution, its real beginning may stand:
 * "On Wed, 27 Jan 2016 at 22:48, Some\nOne <a@b> wrote:". */
static size_t
extend_up(const struct trim *t, size_t first, size_t last)
{
        struct attribution a;
        size_t best = first;

        for (size_t k = first; k > 0 && last - k < WRAP && same_block(t, last, k - 1);
             k--) {
                size_t n;
                const char *s = trim_folded(t, k - 1, &n);

                if (is_part_above(t, k - 1, best) &&
                    attribution_join(t, k - 1, last, &a) && judge(&a) == STRONG)
                        best = k - 1;
                else if (ends_sentence(s, n))
                        break;
        }
        return best;
}

/* The first line of the attribution that ends with line last, or last + 1. The
 * shortest that is sure, else the shortest that may be one. */
static size_t
attribution_first(const struct trim *t, size_t last, enum verdict *v)
{
        size_t weak = last + 1;

        for (size_t k = last; last - k <= WRAP && same_block(t, last, k); k--) {
                struct attribution a;
                enum verdict found = NOT;

                if (!attribution_join(t, k, last, &a))
                        break;
                if (k == last || may_begin(t, k))
                        found = judge(&a);
                if (found == STRONG &&
                    (a.s[0] != '<' || k == 0 || !same_block(t, last, k - 1))) {
                        *v = STRONG;
                        return extend_up(t, k, last);
                }
                if (found == WEAK && weak > last)
                        weak = k;
                if (k == 0)
                        break;
        }
        *v = weak <= last ? WEAK : NOT;
        return weak;
}

static bool
followed_by_quote(const struct trim *t, size_t i)
{
        i = trim_next(t, i);
        if (i >= t->end)
                return false;
        return t->lines[i].kind == LINE_QUOTE || t->text[t->lines[i].from] == '|';
}

static void
set_attribution(struct trim *t, size_t first, size_t last, enum verdict v)
{
        bool quoted = !is_bare(&t->lines[last]);
        size_t value;

        t->has_attribution = true;
        if (quoted) /* it stands in the quote: only tells that this is one */
                return;
        if (v == WEAK && !followed_by_quote(t, last + 1))
                return;
        while (first > 0 && last - first < 8 && same_block(t, last, first - 1) &&
               trim_label(t, first - 1, &value) >= WORD_FROM &&
               trim_label(t, first - 1, &value) <= WORD_SUBJECT)
                first--; /* "Кому: ..., Тема: ..." as yandex.ru writes above it */
        lines_set(t, first, last + 1, LINE_ATTRIBUTION);
        if (v == STRONG)
                t->lines[first].flags |= LINE_STRONG;
}

static void
find_attributions(struct trim *t)
{
        for (size_t i = 0, tried = 0; i < t->n_lines && tried < CANDIDATES; i++) {
                enum verdict v = NOT;
                size_t first;

                if (!is_bare(&t->lines[i]) && t->has_attribution)
                        continue;
                if (!may_end(t, i))
                        continue;
                tried++;
                first = attribution_first(t, i, &v);
                if (first <= i && (v == STRONG || followed_by_quote(t, i + 1)))
                        set_attribution(t, first, i, v);
        }
        for (size_t i = 0, n; i < t->n_lines; i++) {
                const char *s = trim_folded(t, i, &n);

                if (t->lines[i].kind == LINE_TEXT && is_iso_attribution(s, n))
                        set_attribution(t, i, i, STRONG);
        }
}

/* ---- quotes that only show beside an attribution ---- */

/* "IP> text" as The Bat! and others quote. */
static bool
is_initials_quote(const char *s, size_t n)
{
        size_t i = 0, letters = 0;

        while (i < n && letters < 5) {
                if (s[i] >= 'A' && s[i] <= 'Z')
                        i++;
                else if (i + 1 < n &&
                         ((s[i] == '\xd0' && (unsigned char)s[i + 1] >= 0x81 &&
                             (unsigned char)s[i + 1] <= 0xaf)))
                        i += 2;
                else
                        break;
                letters++;
        }
        return letters > 0 && letters < 5 && i < n && s[i] == '>';
}

static void
find_odd_quotes(struct trim *t)
{
        bool bars = false, attributed = t->is_reply;

        for (size_t i = 0; i < t->n_lines; i++) {
                struct trim_line *l = &t->lines[i];
                const char *s = t->text + l->from;
                size_t n = l->to - l->from;

                if (l->kind == LINE_EMPTY)
                        continue;
                if (l->kind == LINE_ATTRIBUTION) {
                        bars = attributed = true;
                        continue;
                }
                bars = bars && n > 0 && s[0] == '|';
                if (l->kind == LINE_TEXT &&
                    (bars || (attributed && is_initials_quote(s, n)))) {
                        l->kind = LINE_QUOTE;
                        l->depth = 1;
                }
        }
}

/* What a mail program broke off a long quoted line: directly between quoted lines, the
 * upper one long and with no end of a sentence. */
static void
find_broken_quotes(struct trim *t)
{
        for (size_t i = 1; i + 1 < t->n_lines; i++) {
                const struct trim_line *above = &t->lines[i - 1];
                size_t n = above->to - above->from;
                char last = n > 0 ? t->text[above->to - 1] : '\0';

                if (t->lines[i].kind != LINE_TEXT || above->kind != LINE_QUOTE ||
                    above->depth == 0 || t->lines[i + 1].kind != LINE_QUOTE || n < 60 ||
                    t->lines[i].to - t->lines[i].from > 60)
                        continue;
                if (last == '.' || last == '?' || last == '!' || last == ':')
                        continue;
                t->lines[i].kind = LINE_QUOTE;
                t->lines[i].depth = above->depth;
        }
}

void
trim_find_marks(struct trim *t)
{
        find_markers(t);
        for (size_t i = 0; i < t->n_lines;) {
                enum line_kind kind = (enum line_kind)t->lines[i].kind;

                i = kind == LINE_TEXT || kind == LINE_QUOTE ? find_header_block(t, i)
                                                            : i + 1;
        }
        find_attributions(t);
        find_odd_quotes(t);
        find_broken_quotes(t);
}
