/*
 * Transfer encodings; see helper_mime_code.h.
 *
 * The decoders write into a block of fixed size and hand it on when it is full, so the
 * memory needed does not depend on the mail.
 */
#include "channels/helper_mime_code.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define BLOCK 8192
#define LOOK 4096 /* bytes looked at to tell what a body is */

struct out {
        code_fn fn;
        void *arg;
        size_t n;
        bool full; /* fn wants no more */
        char block[BLOCK];
};

static void
out_flush(struct out *o)
{
        if (o->n > 0 && !o->full)
                o->full = !o->fn(o->arg, o->block, o->n);
        o->n = 0;
}

static inline void
out_add(struct out *o, char c)
{
        o->block[o->n++] = c;
        if (o->n == BLOCK)
                out_flush(o);
}

/* ---- base64 ---- */

/* The six bits of a digit; 64: no digit; 65: '='. */
static const uint8_t base64_digit[256] = {
#define X 64
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, 62, X, X, X, 63, 52, 53, 54, 55, 56, 57, 58,
    59, 60, 61, X, X, X, 65, X, X, X, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X, X, X, X, X, X, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X
#undef X
};

/* Whole quartets of digits without anything between them: most of all base64. */
static size_t
base64_run(struct out *o, const char *s, size_t n)
{
        size_t i = 0;

        for (; i + 4 <= n && o->n + 3 < BLOCK; i += 4) {
                unsigned a = base64_digit[(unsigned char)s[i]];
                unsigned b = base64_digit[(unsigned char)s[i + 1]];
                unsigned c = base64_digit[(unsigned char)s[i + 2]];
                unsigned d = base64_digit[(unsigned char)s[i + 3]];

                if ((a | b | c | d) >= 64)
                        break;
                o->block[o->n++] = (char)(a << 2 | b >> 4);
                o->block[o->n++] = (char)(b << 4 | c >> 2);
                o->block[o->n++] = (char)(c << 6 | d);
        }
        return i;
}

static void
base64_rest(struct out *o, unsigned bits, unsigned have)
{
        if (have >= 2)
                out_add(o, (char)(have == 2 ? bits >> 4 : bits >> 10));
        if (have == 3)
                out_add(o, (char)(bits >> 2));
}

/* Behind padding: does base64 go on (pieces padded one by one), or do somebody's words
 * begin? */
static bool
base64_goes_on(const char *s, size_t n)
{
        size_t i = 0;
        size_t digits = 0;

        n = n < LOOK ? n : LOOK;
        while (i < n && (s[i] == '=' || s[i] == '\r' || s[i] == '\n'))
                i++;
        for (; i < n && s[i] != '\n' && s[i] != '\r' && s[i] != '='; i++) {
                if (base64_digit[(unsigned char)s[i]] >= 64)
                        return false;
                digits++;
        }
        return digits > 0;
}

static void
base64_decode(struct out *o, const char *s, size_t n)
{
        unsigned bits = 0;
        unsigned have = 0;

        for (size_t i = 0; i < n && !o->full; i++) {
                unsigned d;

                if (have == 0) {
                        i += base64_run(o, s + i, n - i);
                        if (o->n + 4 > BLOCK)
                                out_flush(o);
                        if (i == n)
                                break;
                }
                d = base64_digit[(unsigned char)s[i]];
                if (d < 64) {
                        bits = bits << 6 | d;
                        if (++have < 4)
                                continue;
                        out_add(o, (char)(bits >> 16));
                        out_add(o, (char)(bits >> 8));
                        out_add(o, (char)bits);
                        have = 0;
                } else if (d == 65) {
                        base64_rest(o, bits, have);
                        have = 0;
                        if (i > 0 && s[i - 1] != '=' && !base64_goes_on(s + i, n - i))
                                break;
                }
        }
        base64_rest(o, bits, have);
}

/* ---- quoted-printable ---- */

static int
hex(char c)
{
        return c >= '0' && c <= '9'                 ? c - '0'
               : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                    : -1;
}

/* Length of a soft line end at s (behind its '='), blanks before it included; 0: none. */
static size_t
soft_end(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && (s[i] == ' ' || s[i] == '\t'))
                i++;
        if (i < n && s[i] == '\r')
                i++;
        if (i < n && s[i] == '\n')
                return i + 1;
        return i > 0 && s[i - 1] == '\r' ? i : 0;
}

static void
quoted_escape(struct out *o, const char *s, size_t n, size_t *i)
{
        size_t soft = soft_end(s + *i + 1, n - *i - 1);

        if (soft > 0) {
                *i += soft;
        } else if (*i + 2 < n && hex(s[*i + 1]) >= 0 && hex(s[*i + 2]) >= 0) {
                out_add(o, (char)(hex(s[*i + 1]) << 4 | hex(s[*i + 2])));
                *i += 2;
        } else if (*i + 1 < n) { /* one at the very end is a soft line end, too */
                out_add(o, '=');
        }
}

/* Blanks at the end of a line were added on the way (RFC 2045 6.7 rule 3). */
static void
quoted_decode(struct out *o, const char *s, size_t n)
{
        for (size_t i = 0; i < n && !o->full; i++) {
                size_t end;

                if (s[i] == '=') {
                        quoted_escape(o, s, n, &i);
                        continue;
                }
                if (s[i] != ' ' && s[i] != '\t') {
                        out_add(o, s[i]);
                        continue;
                }
                for (end = i; end < n && (s[end] == ' ' || s[end] == '\t'); end++)
                        ;
                if (end < n && s[end] != '\n' && s[end] != '\r')
                        for (; i < end; i++)
                                out_add(o, s[i]);
                i = end - 1;
        }
}

/* ---- uuencode ---- */

/* The line at s: its length without the line end; *next behind it. */
static size_t
line_length(const char *s, size_t n, size_t at, size_t *next)
{
        const char *lf = memchr(s + at, '\n', n - at);
        size_t len = lf != NULL ? (size_t)(lf - s) - at : n - at;

        *next = at + len + (lf != NULL);
        while (len > 0 && s[at + len - 1] == '\r')
                len--;
        return len;
}

/* Bytes that an encoded line says to hold; 0: it is no such line (or the last one).
 * Blanks at its end may be lost, a check character may follow. */
static unsigned
uu_line(const char *s, size_t len)
{
        unsigned count;
        size_t want;

        if (len < 2 || s[0] <= 32 || s[0] > 96)
                return 0;
        count = (unsigned)(s[0] - 32) & 63;
        want = 1 + (count + 2) / 3 * 4;
        if (count == 0 || count > 45 || len > want + 2)
                return 0;
        for (size_t i = 1; i < len; i++)
                if (s[i] < 32 || s[i] > 96)
                        return 0;
        while (want > 1 && len < want && want - len <= 4)
                want--;
        return len >= want ? count : 0;
}

static bool
uu_begin(const char *s, size_t len, struct uu_file *u)
{
        size_t i = 6;

        if (len < 11 || strncmp(s, "begin ", 6) != 0)
                return false;
        while (i < len && s[i] >= '0' && s[i] <= '7')
                i++;
        if (i < 9 || i > 10 || i >= len || s[i] != ' ')
                return false;
        while (i < len && s[i] == ' ')
                i++;
        u->name = s + i;
        u->name_len = len - i;
        return u->name_len > 0;
}

/* Steps over the encoded lines; true when there was one at least. */
static bool
uu_lines(const char *s, size_t n, struct uu_file *u)
{
        size_t at = u->data;
        size_t next = at;
        bool any = false;

        for (; at < n; at = next) {
                size_t len = line_length(s, n, at, &next);

                if (uu_line(s + at, len) > 0) {
                        any = true;
                        continue;
                }
                if (len >= 3 && strncmp(s + at, "end", 3) == 0 &&
                    (len == 3 || s[at + 3] == ' ')) {
                        u->closed = true;
                        at = next;
                        break;
                }
                if (len > 2 || (len > 0 && s[at] != '`' && s[at] != ' '))
                        break;
        }
        u->end = at < n ? at : n;
        return any;
}

bool
mime_uu_next(const char *s, size_t n, size_t from, struct uu_file *u)
{
        size_t at = from;

        while (at < n) {
                const char *hit;
                size_t len;

                if (n - at >= 6 && memcmp(s + at, "begin ", 6) == 0) {
                        *u = (struct uu_file){.at = at};
                        len = line_length(s, n, at, &u->data);
                        if (uu_begin(s + at, len, u) && uu_lines(s, n, u))
                                return true;
                }
                do {
                        hit = memchr(s + at, '\n', n - at);
                        if (hit == NULL)
                                return false;
                        at = (size_t)(hit - s) + 1;
                } while (at < n && s[at] != 'b');
        }
        return false;
}

static void
uu_decode_line(struct out *o, const char *s, size_t len, unsigned count)
{
        for (size_t i = 1; count > 0; i += 4) {
                unsigned bits = 0;

                for (size_t k = i; k < i + 4; k++)
                        bits = bits << 6 | (k < len ? (unsigned)(s[k] - 32) & 63 : 0);
                for (int shift = 16; shift >= 0 && count > 0; shift -= 8, count--)
                        out_add(o, (char)(bits >> shift));
        }
}

static void
uu_file(struct out *o, const char *s, const struct uu_file *u)
{
        size_t next;

        for (size_t at = u->data; at < u->end && !o->full; at = next) {
                size_t len = line_length(s, u->end, at, &next);

                uu_decode_line(o, s + at, len, uu_line(s + at, len));
        }
}

bool
mime_uu_decode(const char *s, const struct uu_file *u, code_fn fn, void *arg)
{
        struct out o = {.fn = fn, .arg = arg};

        uu_file(&o, s, u);
        out_flush(&o);
        return !o.full;
}

/* ---- all of them ---- */

static bool
holds(const char *s, size_t n, const char *word)
{
        size_t len = strlen(word);

        for (size_t i = 0; i + len <= n; i++)
                if (strncasecmp(s + i, word, len) == 0)
                        return true;
        return false;
}

enum mime_coding
mime_coding_of(const char *value, size_t n)
{
        static const struct {
                const char *word;
                enum mime_coding coding;
        } names[] = {{"base64", CODING_BASE64}, {"base-64", CODING_BASE64},
            {"base_64", CODING_BASE64}, {"base 64", CODING_BASE64},
            {"b64", CODING_BASE64}, {"quoted", CODING_QUOTED},
            {"printable", CODING_QUOTED}, {"uue", CODING_UU}, {"uu-encode", CODING_UU},
            {"binhex", CODING_BINHEX}, {"yenc", CODING_YENC}};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (holds(value, n < 200 ? n : 200, names[i].word))
                        return names[i].coding;
        return CODING_NONE;
}

/* Its beginning holds what base64 never does. */
static bool
is_false_base64(const char *s, size_t n)
{
        size_t n_foreign = 0;
        size_t i = 0;

        if (n > LOOK / 2)
                n = LOOK / 2;
        for (i = 0; i < n; i++)
                n_foreign += base64_digit[(unsigned char)s[i]] == 64 && s[i] != '\r' &&
                             s[i] != '\n';
        return n > 0 && n_foreign * 20 > n;
}

/* Lines of one length, of digits alone, the last one shorter: nobody writes that. */
static bool
is_bare_base64(const char *s, size_t n)
{
        size_t width = 0;
        size_t at = 0;
        size_t next;
        size_t total = 0;
        bool last = false;

        while (at < n && at < LOOK) {
                size_t len = line_length(s, n, at, &next);

                if (len > 0 && (last || (width > 0 && len > width)))
                        return false;
                for (size_t i = 0; i < len; i++)
                        if (base64_digit[(unsigned char)s[at + i]] == 64)
                                return false;
                if (width == 0)
                        width = len;
                last = len < width;
                total += len;
                at = next;
        }
        return width >= 60 && width <= 76 && width % 4 == 0 && total > 2 * width;
}

/* Every '=' is an escape or a soft line end, and there are soft line ends. */
static bool
is_bare_quoted(const char *s, size_t n)
{
        size_t n_soft = 0;
        size_t n_escapes = 0;

        if (n > 4 * LOOK)
                n = 4 * LOOK;
        for (size_t i = 0; i < n; i++) {
                if ((unsigned char)s[i] >= 128)
                        return false;
                if (s[i] != '=' || i + 2 >= n)
                        continue;
                if (soft_end(s + i + 1, n - i - 1) > 0)
                        n_soft++;
                else if (hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0)
                        n_escapes++;
                else
                        return false;
        }
        return n_soft >= 2 && n_escapes >= 2;
}

enum mime_coding
mime_coding_truth(
    enum mime_coding said, bool labelled, bool is_text, const char *s, size_t n)
{
        if (said == CODING_BASE64 && is_false_base64(s, n))
                return is_bare_quoted(s, n) ? CODING_QUOTED : CODING_NONE;
        if (said == CODING_NONE && !labelled && is_text) {
                if (is_bare_base64(s, n))
                        return CODING_BASE64;
                if (is_bare_quoted(s, n))
                        return CODING_QUOTED;
        }
        return said;
}

bool
mime_decode(enum mime_coding c, const char *s, size_t n, code_fn fn, void *arg)
{
        struct out o;
        struct uu_file u;

        if (c == CODING_UU && !mime_uu_next(s, n, 0, &u))
                c = CODING_NONE;
        o.fn = fn;
        o.arg = arg;
        o.n = 0;
        o.full = false;
        switch (c) {
        case CODING_BASE64:
                base64_decode(&o, s, n);
                break;
        case CODING_QUOTED:
                quoted_decode(&o, s, n);
                break;
        case CODING_UU:
                uu_file(&o, s, &u);
                break;
        case CODING_NONE:
        case CODING_BINHEX:
        case CODING_YENC:
                return n == 0 || fn(arg, s, n);
        }
        out_flush(&o);
        return !o.full;
}
