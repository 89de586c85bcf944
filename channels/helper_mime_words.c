/*
 * Encoded words; see helper_mime_words.h. The bytes of words of one charset that
 * follow each other are joined before they are converted, because senders cut
 * characters in the middle.
 */
#include "channels/helper_mime_words.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "daemon/base/utf8.h"

#define MAX_VALUE (256u << 10) /* bytes of one decoded value */
#define MAX_CHARSET 62

/* One =?charset?encoding?text?= */
struct word {
        char charset[MAX_CHARSET + 2];
        char encoding; /* B or Q */
        const char *text;
        size_t len;
        size_t used; /* bytes of it all */
};

struct decoder {
        struct words *w;
        struct buf *out;
        struct buf bytes; /* of the words not written yet */
        char charset[MAX_CHARSET + 2]; /* theirs */
        const char *from; /* where the first of them begins */
        const char *to; /* and the last ends */
};

/* ---- finding them ---- */

/* "=?utf-8?Q?" at s: its length and in w what it says; 0 when it is none. */
static size_t
word_head(const char *s, size_t n, struct word *w)
{
        size_t i = 2;
        size_t len = 0;

        if (n < 7 || s[0] != '=' || s[1] != '?')
                return 0;
        for (; i < n && s[i] != '?' && len <= MAX_CHARSET; i++) {
                if ((unsigned char)s[i] < 32 || (unsigned char)s[i] > 126 ||
                    strchr("=(),<>@", s[i]) != NULL ||
                    (s[i] == ' ' && len > 0 && (i + 1 == n || s[i + 1] != '?')))
                        return 0;
                if (s[i] != ' ')
                        w->charset[len++] = s[i];
        }
        w->charset[len] = '\0';
        if (len == 0 || len > MAX_CHARSET || i >= n)
                return 0;
        for (i++; i < n && s[i] == ' '; i++)
                ;
        if (i + 1 >= n || strchr("bBqQ", s[i]) == NULL || s[i] == '\0')
                return 0;
        w->encoding = (char)toupper((unsigned char)s[i]);
        for (i++; i < n && s[i] == ' '; i++)
                ;
        return i < n && s[i] == '?' ? i + 1 : 0;
}

/* Where the text of a word ends: at "?=", and some forget to escape a "?" before an
 * escape ("what?=20now?="). NULL: nowhere; *stop is then where the next one begins. */
static const char *
word_end(const struct word *w, const char *end, const char **stop)
{
        const char *soft = NULL; /* a "?=" that may be such an escape */
        const char *p = w->text;
        struct word next;

        for (; p < end && (p = memchr(p, '?', (size_t)(end - p))) != NULL; p++) {
                size_t left = (size_t)(end - p);

                if (left > 1 && p[1] == '=') {
                        if (w->encoding == 'B' || soft != NULL || left < 4 ||
                            !isxdigit((unsigned char)p[2]) ||
                            !isxdigit((unsigned char)p[3]))
                                return p;
                        soft = p;
                } else if (p > w->text && p[-1] == '=' &&
                           word_head(p - 1, left + 1, &next) > 0) {
                        *stop = p - 1;
                        return soft;
                }
        }
        *stop = end;
        return soft;
}

static bool
word_parse(const char *s, size_t n, struct word *w)
{
        size_t head = word_head(s, n, w);
        const char *stop = s + n;
        const char *end;

        if (head == 0)
                return false;
        w->text = s + head;
        end = word_end(w, s + n, &stop);
        if (end != NULL) {
                w->len = (size_t)(end - w->text);
                w->used = (size_t)(end - s) + 2;
                return true;
        }
        w->len = (size_t)(stop - w->text);
        w->used = (size_t)(stop - s);
        while (w->len > 0 && strchr(" \r\n\t?", w->text[w->len - 1]) != NULL)
                w->len--;
        return w->len > 0;
}

size_t
words_length(const char *s, size_t n)
{
        struct word w;

        return word_parse(s, n, &w) ? w.used : 0;
}

/* ---- their bytes ---- */

static int
base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

void
words_add_base64(struct buf *out, const char *s, size_t n)
{
        char *to = buf_reserve(out, n / 4 * 3 + 4);
        uint32_t bits = 0;
        unsigned n_bits = 0;
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                int v = base64_value(s[i]);

                if (s[i] == '=')
                        n_bits = bits = 0;
                if (v < 0)
                        continue;
                bits = bits << 6 | (uint32_t)v;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        to[len++] = (char)(bits >> n_bits);
                }
        }
        out->len += len;
        to[len] = '\0';
}

static int
hex_value(char c)
{
        if (isdigit((unsigned char)c))
                return c - '0';
        return isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

/* Is mark + two hexadecimal digits at s? */
static bool
is_escape(const char *s, size_t n, char mark)
{
        return n > 2 && s[0] == mark && hex_value(s[1]) >= 0 && hex_value(s[2]) >= 0;
}

/* Blanks in a word are either all from folding, or its writer's. */
static bool
has_own_blanks(const char *s, size_t n)
{
        bool fold = false;

        for (size_t i = 0; i < n; i++) {
                if ((s[i] == ' ' || s[i] == '\t') && !fold)
                        return true;
                fold = s[i] == '\r' || s[i] == '\n' ||
                       (fold && (s[i] == ' ' || s[i] == '\t'));
        }
        return false;
}

static void
add_q(struct buf *out, const char *s, size_t n)
{
        bool blanks = has_own_blanks(s, n);
        char *to = buf_reserve(out, n);
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                if (is_escape(s + i, n - i, '=')) {
                        to[len++] =
                            (char)(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2]));
                        i += 2;
                } else if (s[i] == '\r' || s[i] == '\n') {
                        continue;
                } else if (blanks || (s[i] != ' ' && s[i] != '\t')) {
                        to[len++] = s[i] == '_' ? ' ' : s[i];
                }
        }
        out->len += len;
        to[len] = '\0';
}

void
words_add_percent(struct buf *out, const char *s, size_t n)
{
        char *to = buf_reserve(out, n);
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                if (is_escape(s + i, n - i, '%')) {
                        to[len++] =
                            (char)(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2]));
                        i += 2;
                } else {
                        to[len++] = s[i];
                }
        }
        out->len += len;
        to[len] = '\0';
}

/* Says base64 and is the other encoding: "=D0=9F". */
static bool
is_false_base64(const char *s, size_t n)
{
        for (size_t i = 0; i + 3 < n; i++)
                if (is_escape(s + i, n - i, '='))
                        return true;
        return false;
}

/* ---- the text ---- */

static bool
decode_bytes(struct decoder *d, const char *s, size_t n, const char *charset)
{
        size_t start = d->out->len;
        struct charset_verdict v;

        mime_text_decode_near(d->out, s, n, charset, d->w->hint, MAX_VALUE, &v);
        if (charset_verdict_is_garbage(&v) && charset[0] != '\0') {
                d->out->len = start;
                return false;
        }
        if (!d->w->odd && !charset_verdict_is_ordinary(&v)) {
                d->w->odd = true;
                d->w->verdict = v;
        }
        return true;
}

/* What is no text in any charset stays as it was written. */
static void
decoder_flush(struct decoder *d)
{
        if (d->bytes.len > 0 && !decode_bytes(d, d->bytes.data, d->bytes.len, d->charset))
                utf8_add_clean(d->out, d->from, (size_t)(d->to - d->from));
        buf_clear(&d->bytes);
        d->from = NULL;
}

static void
decoder_word(struct decoder *d, const struct word *w, const char *from)
{
        if (strcasecmp(d->charset, w->charset) != 0)
                decoder_flush(d);
        if (d->from == NULL)
                d->from = from;
        d->to = from + w->used;
        memcpy(d->charset, w->charset, sizeof(d->charset));
        if (w->encoding == 'B' && !is_false_base64(w->text, w->len))
                words_add_base64(&d->bytes, w->text, w->len);
        else
                add_q(&d->bytes, w->text, w->len);
}

static bool
all_blank(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!isspace((unsigned char)s[i]))
                        return false;
        return true;
}

/* Copies without line ends and NULs; of the blanks around a fold one stays. */
static size_t
unfold(char *to, const char *s, size_t n)
{
        bool fold = false;
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                bool blank = s[i] == ' ' || s[i] == '\t';

                if (s[i] == '\n') {
                        fold = true;
                        while (len > 0 && to[len - 1] == ' ')
                                len--;
                }
                if (s[i] == '\r' || s[i] == '\n' || s[i] == '\0' || (fold && blank))
                        continue;
                if (fold && len > 0 && to[len - 1] != ' ')
                        to[len++] = ' ';
                fold = false;
                to[len++] = s[i] == '\t' ? ' ' : s[i];
        }
        if (fold)
                to[len++] = ' ';
        return len;
}

static void
decoder_plain(struct decoder *d, const char *s, size_t n)
{
        struct buf line AUTO_BUF = BUF_INIT;
        char *to = buf_reserve(&line, n);

        decoder_flush(d);
        line.len = unfold(to, s, n);
        if (line.len > 0)
                decode_bytes(d, line.data, line.len, "");
}

/* Tabs and line ends inside a value are blanks. */
static void
one_line(struct buf *b, size_t start)
{
        for (size_t i = start; i < b->len; i++)
                if (b->data[i] == '\n' || b->data[i] == '\t')
                        b->data[i] = ' ';
}

/* True when there was an encoded word. */
static bool
decode_once(struct words *words, struct buf *out, const char *raw, size_t n)
{
        struct decoder d = {.w = words, .out = out, .bytes = BUF_INIT};
        const char *p = raw;
        const char *end = raw + n;
        const char *from = raw;
        bool any = false;
        struct word w;

        while (p < end && (p = memchr(p, '=', (size_t)(end - p))) != NULL) {
                if (!word_parse(p, (size_t)(end - p), &w)) {
                        p++;
                        continue;
                }
                if (p > from && (!any || !all_blank(from, (size_t)(p - from))))
                        decoder_plain(&d, from, (size_t)(p - from));
                if (p > raw && p[-1] == ']' && !any) /* a tag that a filter glued to it */
                        buf_addc(out, ' ');
                decoder_word(&d, &w, p);
                from = p += w.used;
                any = true;
        }
        if (end > from)
                decoder_plain(&d, from, (size_t)(end - from));
        decoder_flush(&d);
        buf_fini(&d.bytes);
        return any;
}

void
words_decode(struct words *w, struct buf *out, const char *raw, size_t n)
{
        struct buf again AUTO_BUF = BUF_INIT;
        size_t start = out->len;
        const char *inner;

        if (n > MAX_VALUE)
                n = MAX_VALUE;
        if (decode_once(w, out, raw, n) && out->len > start &&
            (inner = memmem(out->data + start, out->len - start, "=?", 2)) != NULL &&
            words_length(inner, out->len - (size_t)(inner - out->data)) > 0) {
                /* some encode what is encoded already */
                buf_add(&again, out->data + start, out->len - start);
                out->len = start;
                decode_once(w, out, again.data, again.len);
        }
        one_line(out, start);
}

/* Is it ASCII without an encoded word? */
static bool
is_plain(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c >= 127 || (c < 32 && c != '\r' && c != '\n' && c != '\t') ||
                    (c == '=' && i + 1 < n && s[i + 1] == '?'))
                        return false;
        }
        return true;
}

const char *
words_text(struct words *w, struct arena *a, const char *raw, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char *text;

        if (n > MAX_VALUE)
                n = MAX_VALUE;
        while (n > 0 && (*raw == ' ' || *raw == '\t' || *raw == '\r' || *raw == '\n')) {
                raw++;
                n--;
        }
        if (!is_plain(raw, n)) {
                words_decode(w, &b, raw, n);
                raw = buf_str(&b);
                n = b.len;
        }
        while (n > 0 && (raw[n - 1] == ' ' || raw[n - 1] == '\t' || raw[n - 1] == '\r' ||
                            raw[n - 1] == '\n'))
                n--;
        while (n > 0 && *raw == ' ') {
                raw++;
                n--;
        }
        if (n == 0)
                return "";
        if (memchr(raw, '\n', n) == NULL && memchr(raw, '\t', n) == NULL &&
            memchr(raw, '\r', n) == NULL && memchr(raw, '\0', n) == NULL)
                return arena_strndup(a, raw, n);
        text = arena_alloc(a, n + 1);
        text[unfold(text, raw, n)] = '\0';
        return text;
}

void
mime_header_decode_as(struct buf *out, const char *raw, size_t n, const char *hint,
    struct charset_verdict *v)
{
        struct words w = {.hint = hint};

        words_decode(&w, out, raw, n);
        if (v != NULL && w.odd)
                *v = w.verdict;
        else if (v != NULL)
                *v = (struct charset_verdict){.charset = "UTF-8", .why = "declared"};
}

void
mime_header_decode(struct buf *out, const char *raw, size_t n)
{
        mime_header_decode_as(out, raw, n, "", NULL);
}

const char *
mime_header_text(struct arena *a, const char *raw, size_t n)
{
        struct words w = {.hint = ""};

        return words_text(&w, a, raw, n);
}
