/*
 * What is new in a text; see helper_mime_trim.h.
 *
 * The lines are split and named (helper_mime_trim_lines.c, helper_mime_trim_marks.c),
 * then taken away in this order: warnings at the head, what stands at the tail, what an
 * attribution, header block or marker in the middle begins, the tail again. A forward
 * is set aside first. Should no line of text remain, everything stays.
 *
 * Quotes that stand between a person's own words stay: the answers need them.
 */
#include "channels/helper_mime_trim.h"

#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_trim_impl.h"

void
text_marks_free(struct text_marks *m)
{
        free(m->list);
        m->list = NULL;
        m->n = 0;
}

/* ---- the middle ---- */

/* The line behind the run of lines of these kinds that begins at i. */
static size_t
run_end(const struct trim *t, size_t i, enum line_kind a, enum line_kind b)
{
        size_t end = i;

        for (; i < t->end; i++) {
                enum line_kind kind = (enum line_kind)t->lines[i].kind;

                if (kind == LINE_EMPTY)
                        continue;
                if (kind != a && kind != b)
                        break;
                if (i > end && (t->lines[i].flags & LINE_FIRST) && a == b)
                        break;
                end = i + 1;
        }
        return end;
}

/* The last quoted line that text follows, as index + 1; 0: none. */
static size_t
last_answered(const struct trim *t)
{
        size_t i = t->end;

        while (i > 0 && !trim_is_text(t, i - 1))
                i--;
        while (i > 0 && (t->lines[i - 1].kind != LINE_QUOTE ||
                            (t->lines[i - 1].flags & LINE_TAKEN)))
                i--;
        return i;
}

static size_t
first_text(const struct trim *t)
{
        size_t i = 0;

        while (i < t->end && !trim_is_text(t, i))
                i++;
        return i;
}

static void
cut(struct trim *t, size_t i, const char *what, const char *why)
{
        trim_take(t, i, t->end, what, why);
        t->end = i;
}

/* "Please reply above this line": below is not new, if something is above. */
static void
cut_below_marker(struct trim *t)
{
        size_t first = first_text(t);

        for (size_t i = 0; i < t->end; i++) {
                if (t->lines[i].kind != LINE_ABOVE)
                        continue;
                if (first < i) {
                        cut(t, i, "quote", "below \"reply above this line\"");
                        return;
                }
                trim_take(t, i, i + 1, "marker", "\"reply above this line\"");
        }
}

/* A header block or "Original Message": its quote is all that follows, unless that is
 * marked with > and answered below. */
static void
cut_below_header(struct trim *t)
{
        size_t first = first_text(t), answered = last_answered(t);

        for (size_t i = 0; i < t->end; i++) {
                size_t end;

                if (t->lines[i].kind != LINE_HEADER && t->lines[i].kind != LINE_ORIGINAL)
                        continue;
                end = run_end(t, i, LINE_HEADER, LINE_ORIGINAL);
                if (answered > end && trim_next(t, end) < t->end &&
                    t->lines[trim_next(t, end)].kind == LINE_QUOTE)
                        trim_take(t, i, end, "header", "of a quoted mail");
                else if (first < i) {
                        cut(t, i, "quote", "below the header of a quoted mail");
                        return;
                }
                i = end - 1;
        }
}

/* A quote at the top and all answers below it: the quote goes. */
static void
cut_top_quote(struct trim *t, size_t i)
{
        size_t end = run_end(t, i, LINE_QUOTE, LINE_ATTRIBUTION);

        for (size_t k = end; k < t->end; k++)
                if (t->lines[k].kind == LINE_QUOTE ||
                    t->lines[k].kind == LINE_ATTRIBUTION)
                        return;
        if (trim_has_text(t, end, t->end))
                trim_take(t, i, end, "quote", "above the answer");
}

static void
cut_attributions(struct trim *t)
{
        size_t first = first_text(t), answered = last_answered(t);

        for (size_t i = 0; i < t->end; i++) {
                size_t end, next;
                bool strong = t->lines[i].flags & LINE_STRONG;

                if (t->lines[i].kind != LINE_ATTRIBUTION)
                        continue;
                end = run_end(t, i, LINE_ATTRIBUTION, LINE_ATTRIBUTION);
                next = trim_next(t, end);
                if (strong && first < i && answered <= i &&
                    (next >= t->end || t->lines[next].kind != LINE_QUOTE)) {
                        cut(t, i, "quote", "below an attribution, not marked with >");
                        return;
                }
                if (first > i && next < t->end && t->lines[next].kind == LINE_QUOTE)
                        cut_top_quote(t, i);
                trim_take(t, i, end, "attribution", "\"... wrote:\" or the like");
                i = end - 1;
        }
}

static void
cut_middle(struct trim *t)
{
        size_t i;

        cut_below_marker(t);
        cut_below_header(t);
        cut_attributions(t);
        i = trim_next(t, 0);
        if (i < t->end && t->lines[i].kind == LINE_QUOTE &&
            (t->lines[i].flags & LINE_MARKED) && t->lines[i].depth == 0)
                cut_top_quote(t, i);
        for (i = 0; i < t->end; i++)
                if (t->lines[i].kind == LINE_SIGNATURE || t->lines[i].kind == LINE_ARMOUR)
                        i = trim_appended(t, i) - 1;
}

/* ---- the answer ---- */

/* The lines that nobody took, without empty ones at the ends. */
static const char *
what_remains(struct trim *t)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t last = 0;

        for (size_t i = 0; i < t->n_lines; i++) {
                const struct trim_line *l = &t->lines[i];

                if ((l->flags & LINE_TAKEN) || (l->kind == LINE_EMPTY && last == 0))
                        continue;
                buf_add(&b, t->text + l->from, l->to - l->from);
                if (l->kind != LINE_EMPTY)
                        last = b.len;
                buf_addc(&b, '\n');
        }
        return arena_strndup(t->m->arena, buf_str(&b), last);
}

/* The subject's prefixes: "Re:", "Fwd:", "AW:", "RE[2]:"; up to three. */
static void
read_subject(struct trim *t)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const char *s;
        size_t n;

        word_fold(&b, t->m->subject, strlen(t->m->subject));
        s = buf_str(&b);
        n = b.len;
        for (int k = 0; k < 3 && n > 0; k++) {
                size_t at = word_begins(WORD_FWD, s, n);
                bool forward = at > 0;

                if (at == 0)
                        at = word_begins(WORD_RE, s, n);
                while (at > 0 && at < n && strchr("[]()^0123456789 ", s[at]) != NULL)
                        at++;
                if (at == 0 || at >= n)
                        return;
                if (s[at] != ':' && memcmp(s + at, "：", n - at < 3 ? n - at : 3) != 0)
                        return;
                if (k == 0) {
                        t->is_forward = forward;
                        t->is_reply = !forward;
                }
                at++;
                while (at < n && ((unsigned char)s[at] == ' ' || (s[at] & 0x80 && k < 0)))
                        at++;
                s += at;
                n -= at;
        }
}

/* Words of text before line end. */
static size_t
count_words(const struct trim *t, size_t end)
{
        size_t words = 0;

        for (size_t i = 0, n; i < end && words < 100; i++) {
                const char *s = trim_folded(t, i, &n);

                if (!trim_is_text(t, i))
                        continue;
                words++;
                for (size_t k = 0; k < n; k++)
                        words += s[k] == ' ';
        }
        return words;
}

static void
trim_all(struct trim *t)
{
        size_t forward = trim_forward_find(t), text;

        t->end = forward;
        trim_head(t);
        trim_tail(t);
        cut_middle(t);
        trim_tail(t);
        if (forward < t->n_lines) {
                size_t words = count_words(t, forward);

                text = trim_forward_read(t, forward, words <= 6);
                if (words == 0 && t->m->forwarded->text[0] != '\0')
                        trim_take(t, forward, text, "header", "of the mail forwarded");
        } else if (t->n_taken > 0 && !trim_has_text(t, 0, t->n_lines)) {
                message_find(t->m, "trim", "all kept", "there is nothing but a quote");
                return;
        }
        if (t->n_taken > 0)
                t->m->new_text = what_remains(t);
}

void
mime_trim(struct message *m, const struct text_marks *marks)
{
        struct trim t = {.m = m, .text = m->text, .n = strlen(m->text)};

        m->new_text = "";
        if (t.n == 0 || t.n > UINT32_MAX / 2)
                return;
        t.is_reply = m->n_in_reply_to > 0 || m->n_references > 0;
        read_subject(&t);
        trim_lines_split(&t, marks);
        trim_find_marks(&t);
        trim_all(&t);
        free(t.lines);
        buf_fini(&t.folded);
}
