/*
 * Parameters of Content-Type and Content-Disposition: file names above all. RFC 2231
 * in pieces and with percent escapes, RFC 2047 where it is forbidden, and what people's
 * programs write instead of both; see helper_mime_header.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_words.h"
#include "daemon/base/utf8.h"

#define MAX_PIECES 100
#define MAX_PIECE_BYTES 8192

/* One attribute=value. */
struct parameter {
        const char *name;
        size_t name_len;
        const char *value; /* raw, quotes removed */
        size_t value_len;
        bool quoted;
};

/* filename, filename*, filename*2, filename*2* */
struct piece {
        const char *value;
        size_t len;
        bool quoted;
        bool escaped; /* percent escapes */
        unsigned index;
};

static size_t
skip_blanks(const char *s, size_t n, size_t at)
{
        while (at < n && isspace((unsigned char)s[at]))
                at++;
        return at;
}

/* The closing quote is one behind which a value can end: names hold quotes of their own. */
static size_t
quoted_end(const char *s, size_t n, size_t at)
{
        size_t last = n;

        for (; at < n; at++) {
                size_t next;

                if (s[at] == '\\' && at + 1 < n &&
                    (s[at + 1] == '"' || s[at + 1] == '\\')) {
                        at++;
                        continue;
                }
                if (s[at] != '"')
                        continue;
                last = at;
                next = skip_blanks(s, n, at + 1);
                if (next == n || s[next] == ';' || next > at + 1)
                        return at;
        }
        return last;
}

/* The parameter at *pos (behind a semicolon); false at the end. */
static bool
next_parameter(const char *s, size_t n, size_t *pos, struct parameter *p)
{
        size_t at = skip_blanks(s, n, *pos);
        size_t end;

        if (at >= n)
                return false;
        p->name = s + at;
        while (at < n && s[at] != '=' && s[at] != ';' && !isspace((unsigned char)s[at]))
                at++;
        p->name_len = (size_t)(s + at - p->name);
        at = skip_blanks(s, n, at);
        p->value_len = 0;
        p->value = s + at;
        p->quoted = false;
        if (at < n && s[at] == '=') {
                at = skip_blanks(s, n, at + 1);
                p->quoted = at < n && s[at] == '"';
                if (p->quoted) {
                        end = quoted_end(s, n, ++at);
                } else {
                        const char *semicolon = memchr(s + at, ';', n - at);

                        end = semicolon != NULL ? (size_t)(semicolon - s) : n;
                }
                p->value = s + at;
                p->value_len = end - at;
                at = end;
        }
        while (at < n && s[at] != ';')
                at++;
        *pos = at + 1;
        while (!p->quoted && p->value_len > 0 &&
               isspace((unsigned char)p->value[p->value_len - 1]))
                p->value_len--;
        return true;
}

/* Is p one of name's? Then what it is. */
static bool
piece_of(const struct parameter *p, const char *name, struct piece *out)
{
        size_t n = strlen(name);
        size_t at = n;

        if (p->name_len < n || strncasecmp(p->name, name, n) != 0)
                return false;
        *out = (struct piece){
            .value = p->value, .len = p->value_len, .quoted = p->quoted, .index = 0};
        if (at == p->name_len)
                return true;
        if (p->name[at++] != '*')
                return false;
        if (at == p->name_len) {
                out->escaped = true;
                return true;
        }
        for (; at < p->name_len && isdigit((unsigned char)p->name[at]) &&
               out->index < 10000;
             at++)
                out->index = out->index * 10 + (unsigned)(p->name[at] - '0');
        if (!isdigit((unsigned char)p->name[at - 1]))
                return false;
        out->index++;
        out->escaped = at < p->name_len && p->name[at] == '*';
        return at + out->escaped == p->name_len;
}

static int
compare_pieces(const void *a, const void *b)
{
        const struct piece *x = a;
        const struct piece *y = b;

        return x->index < y->index ? -1 : x->index > y->index;
}

/* Removes folds and the backslashes before quotes and backslashes. A backslash before
 * all else belongs to a Windows path. */
static void
add_unquoted(struct buf *out, const struct piece *p)
{
        for (size_t i = 0; i < p->len; i++) {
                if (p->value[i] == '\r' || p->value[i] == '\n')
                        continue;
                if (p->quoted && p->value[i] == '\\' && i + 1 < p->len &&
                    (p->value[i + 1] == '"' || p->value[i + 1] == '\\'))
                        i++;
                buf_addc(out, p->value[i]);
        }
}

/* utf-8'ru'... at the beginning: its length and the charset, 0 when it is not there. */
static size_t
language_prefix(const char *s, size_t n, char charset[64])
{
        const char *first = memchr(s, '\'', n < 64 ? n : 64);
        const char *second =
            first != NULL ? memchr(first + 1, '\'', n - (size_t)(first - s) - 1) : NULL;

        if (second == NULL || second - first > 20)
                return 0;
        for (const char *p = s; p < first; p++)
                if (!isalnum((unsigned char)*p) && strchr("-_.:", *p) == NULL)
                        return 0;
        memcpy(charset, s, (size_t)(first - s));
        charset[first - s] = '\0';
        return (size_t)(second - s) + 1;
}

/* Values that nobody marked as escaped and that are: all escapes make whole UTF-8. */
static bool
is_escaped_utf8(const struct buf *raw, struct buf *out)
{
        if (strchr(buf_str(raw), '%') == NULL)
                return false;
        words_add_percent(out, raw->data, raw->len);
        for (size_t i = 0; i < out->len; i++)
                if ((unsigned char)out->data[i] >= 0x80)
                        return utf8_valid(out->data, out->len);
        return false;
}

/* The pieces of one way to write it -> text. */
static const char *
join(struct arena *a, struct piece *pieces, size_t n, const char *hint)
{
        struct words w = {.hint = hint};
        struct charset_verdict v;
        struct buf bytes AUTO_BUF = BUF_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        char charset[64] = "";
        bool escaped = false;

        qsort(pieces, n, sizeof(*pieces), compare_pieces);
        for (size_t i = 0; i < n; i++) {
                struct buf raw AUTO_BUF = BUF_INIT;
                size_t skip = 0;

                add_unquoted(&raw, &pieces[i]);
                if (i == 0 && raw.len > 0)
                        skip = language_prefix(raw.data, raw.len, charset);
                escaped = escaped || pieces[i].escaped || skip > 0;
                if (pieces[i].escaped || skip > 0)
                        words_add_percent(&bytes, buf_str(&raw) + skip, raw.len - skip);
                else
                        buf_add(&bytes, buf_str(&raw), raw.len);
        }
        if (!escaped && is_escaped_utf8(&bytes, &out))
                return words_text(&w, a, out.data, out.len);
        if (!escaped || memmem(buf_str(&bytes), bytes.len, "=?", 2) != NULL)
                return words_text(&w, a, buf_str(&bytes), bytes.len);
        buf_clear(&out);
        mime_text_decode_near(
            &out, buf_str(&bytes), bytes.len, charset, hint, MAX_PIECE_BYTES, &v);
        return words_text(&w, a, buf_str(&out), out.len);
}

const char *
mime_header_parameter(
    struct arena *a, const char *raw, size_t n, const char *name, const char *hint)
{
        struct piece plain[1];
        struct piece extended[1];
        struct piece pieces[MAX_PIECES];
        size_t n_plain = 0, n_extended = 0, n_pieces = 0, pos;
        struct parameter p;
        struct piece one;
        const char *text = "";

        if (n > MAX_PIECE_BYTES * 4)
                n = MAX_PIECE_BYTES * 4;
        pos = raw != NULL && memchr(raw, ';', n) != NULL
                  ? (size_t)((const char *)memchr(raw, ';', n) - raw) + 1
                  : n;
        while (next_parameter(raw, n, &pos, &p)) {
                if (!piece_of(&p, name, &one))
                        continue;
                if (one.index > 0 && n_pieces < MAX_PIECES)
                        pieces[n_pieces++] = one;
                else if (one.index == 0 && one.escaped && n_extended == 0)
                        extended[n_extended++] = one;
                else if (one.index == 0 && !one.escaped && n_plain == 0)
                        plain[n_plain++] = one;
        }
        if (n_extended > 0)
                text = join(a, extended, 1, hint);
        if (text[0] == '\0' && n_pieces > 0)
                text = join(a, pieces, n_pieces, hint);
        if (text[0] == '\0' && n_plain > 0)
                text = join(a, plain, 1, hint);
        return text;
}
