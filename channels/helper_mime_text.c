/*
 * Charsets; see helper_mime_text.h. The converters are iconv's; what is ours is
 * the suspicion: labels lie, and a converter that stops at the first bad byte
 * would lose a customer's text. Labels are read in helper_mime_label.c, letters
 * weighed in helper_mime_guess.c.
 */
#include "channels/helper_mime_text.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "channels/helper_mime_guess.h"
#include "daemon/base/utf8.h"

#define ERRORS_PER 20 /* more than one bad byte in so many: the label lied */
#define MAX_DOUBLE (64u << 10) /* bytes looked at for text encoded twice */

static const char *const usual[] = {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32",
    "UTF-32LE", "UTF-32BE", "UTF-7", "KOI8-R", "KOI8-U", "KOI8-T", "CP1250", "CP1251",
    "CP1252", "CP1253", "CP1254", "CP1255", "CP1256", "CP1257", "CP1258", "CP437",
    "CP850", "CP852", "CP855", "CP866", "CP874", "CP932", "ISO-8859-1", "ISO-8859-2",
    "ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8",
    "ISO-8859-10", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16",
    "MACINTOSH", "MAC-CYRILLIC", "GB18030", "BIG5-HKSCS", "EUC-JP-MS", "ISO-2022-JP-2",
    "ISO-2022-KR", "UHC", "ARMSCII-8", "GEORGIAN-PS", "VISCII", "PT154"};

#define N_USUAL (sizeof(usual) / sizeof(usual[0]))

static iconv_t converters[N_USUAL];
static bool known[N_USUAL]; /* the system has it */
static bool preloaded;

void
mime_text_preload(void)
{
        for (size_t i = 0; i < N_USUAL && !preloaded; i++) {
                converters[i] = iconv_open("UTF-8", usual[i]);
                known[i] =
                    converters[i] != (iconv_t)-1; /* NOLINT: iconv's own error value */
        }
        preloaded = true;
}

/* Finds a converter, at its beginning; false when the charset is unknown. */
static bool
converter(const char *charset, iconv_t *cd)
{
        mime_text_preload();
        for (size_t i = 0; i < N_USUAL; i++)
                if (strcmp(charset, usual[i]) == 0 && known[i]) {
                        *cd = converters[i];
                        iconv(*cd, NULL, NULL, NULL, NULL);
                        return true;
                }
        return false;
}

/* Some converters keep the last letter back: a sign over it might follow. */
static void
flush(struct buf *out, iconv_t cd)
{
        char *to = buf_reserve(out, 64);
        size_t room = 64;

        iconv(cd, NULL, NULL, &to, &room);
        out->len += 64 - room;
}

/* Converts into out (raw UTF-8) until it holds max bytes; returns how many input
 * bytes fitted nothing, -1 when the charset is unknown. Gives up on bytes that are
 * mostly bad. */
static long
convert(struct buf *out, const char *s, size_t n, const char *charset, size_t max)
{
        iconv_t cd;
        char *in;
        size_t all = n;
        long n_bad = 0;

        if (!converter(charset, &cd))
                return -1;
        memcpy(
            &in, &s, sizeof(in)); /* iconv promises not to write, but not in its type */
        while (n > 0 && out->len < max) {
                char *to = buf_reserve(out, 16384);
                size_t room = 16384;
                size_t r = iconv(cd, &in, &n, &to, &room);

                out->len += 16384 - room;
                if (r != (size_t)-1 || errno == E2BIG)
                        continue;
                if (errno == EINVAL) /* ends in the middle of a character */
                        break;
                buf_adds(out, "\xef\xbf\xbd");
                in++;
                n--;
                n_bad++;
                if (n_bad > 2000 && (size_t)n_bad * ERRORS_PER > all - n)
                        return (long)all;
        }
        flush(out, cd);
        return n_bad;
}

unsigned
mime_text_code_point(const char *charset, unsigned char byte)
{
        char in[1] = {(char)byte};
        struct buf b AUTO_BUF = BUF_INIT;
        size_t used;

        if (convert(&b, in, 1, charset, 8) != 0 || b.len == 0)
                return 0;
        return utf8_next(b.data, b.len, &used);
}

/* ---- what the bytes look like ---- */

/* A text that is to be explained. */
struct sample {
        const char *s;
        size_t n;
        size_t n_high; /* bytes >= 0x80 */
        bool escape; /* ESC, SO: switches of character sets */
        bool zeros; /* or fours: the high halves of Latin and Cyrillic in UTF-16 */
        char name[40]; /* the label as iconv calls it, "" none */
        const char *hint; /* what other parts of the mail are written in */
        struct charset_verdict *v;
};

static size_t
count_high(const char *s, size_t n)
{
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += (unsigned char)s[i] >> 7;
        return count;
}

static void
verdict(struct sample *t, const char *charset, const char *why)
{
        snprintf(t->v->charset, sizeof t->v->charset, "%s", charset);
        t->v->why = why;
}

/* Takes the bytes as they are for UTF-8. */
static void
take(struct sample *t, struct buf *tmp, size_t max, const char *charset, const char *why)
{
        buf_add(tmp, t->s, t->n < max ? t->n : max);
        verdict(t, charset, why);
}

/* UTF-8 with a few bad bytes is still UTF-8: most sequences in it are whole. */
static bool
is_mostly_utf8(const char *s, size_t n)
{
        size_t good = 0;
        size_t bad = 0;

        for (size_t i = 0, used; i < n && i < 65536; i += used) {
                uint32_t cp = utf8_next(s + i, n - i, &used);

                good += used > 1;
                bad += cp == 0xfffd && used == 1;
        }
        return good > 2 && good > bad * 4;
}

/* ---- two and four bytes a character ---- */

/* Which half of the pairs holds the high bytes of Latin and Cyrillic letters? */
static const char *
wide_order(const char *s, size_t n)
{
        size_t high[2] = {0, 0};

        for (size_t i = 0; i < n && i < 2000; i++)
                high[i % 2] += s[i] == '\0' || s[i] == 4;
        if (high[0] + high[1] == 0)
                return "";
        return high[1] >= high[0] ? "UTF-16LE" : "UTF-16BE";
}

/* Unlabelled: nearly all pairs have such a byte, and all on the same side. */
static bool
is_unlabelled_wide(const char *s, size_t n)
{
        size_t high[2] = {0, 0};
        size_t most, least;

        if (n < 8 || n % 2 != 0)
                return false;
        if (n > 2000)
                n = 2000;
        for (size_t i = 0; i < n; i++)
                high[i % 2] += s[i] == '\0' || s[i] == 4;
        most = high[0] > high[1] ? high[0] : high[1];
        least = high[0] + high[1] - most;
        return most * 5 >= n * 2 && least * 10 <= most;
}

static bool
is_ascii_text(const struct sample *t)
{
        if (t->n_high > 0 || t->escape || t->zeros)
                return false;
        for (size_t i = 0; i < t->n && i < 2000; i++)
                if ((unsigned char)t->s[i] < 32 && strchr("\r\n\t\f", t->s[i]) == NULL)
                        return false;
        return true;
}

/* UTF-16 and UTF-32 by their mark or by where the zeros are; "" for all else. */
static const char *
wide_charset(const struct sample *t)
{
        const char *s = t->s;
        const char *order;

        if (t->n >= 4 &&
            (memcmp(s, "\xff\xfe\0", 4) == 0 || memcmp(s, "\0\0\xfe\xff", 4) == 0))
                return "UTF-32";
        if (t->n >= 2 && (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0))
                return "UTF-16";
        if (strncmp(t->name, "UTF-32", 6) == 0 && !is_ascii_text(t))
                return t->n > 0 && s[0] == '\0' ? "UTF-32BE" : "UTF-32LE";
        if (strncmp(t->name, "UTF-16", 6) != 0)
                return t->zeros && is_unlabelled_wide(s, t->n) ? wide_order(s, t->n) : "";
        if (is_ascii_text(t) && t->n > 2)
                return "";
        order = wide_order(s, t->n);
        if (order[0] != '\0')
                return order;
        return strcmp(t->name, "UTF-16LE") == 0 ? t->name : "UTF-16BE";
}

static bool
explain_wide(struct sample *t, struct buf *tmp, size_t max)
{
        const char *wide = wide_charset(t);

        if (wide[0] == '\0' || convert(tmp, t->s, t->n, wide, max) < 0 || tmp->len == 0)
                return false;
        verdict(t, wide,
            strncmp(t->name, "UTF-", 4) == 0 && strncmp(t->name, wide, 6) == 0
                ? "declared"
                : "byte order");
        return true;
}

/* ---- seven bits with switches ---- */

/* ISO-2022-JP and -KR in 7 bits -> EUC in 8: their sets differ by the high bit only.
 * False when a set is switched to that EUC has not. */
static bool
unescape(struct buf *out, const char *s, size_t n)
{
        char set = 'B'; /* B ASCII, $ two bytes, I half-width kana */
        char *to = buf_reserve(out, n * 2);
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];
                char third = i + 2 < n ? s[i + 2] : '\0';

                if (c == 27 && i + 2 < n && s[i + 1] == '(') {
                        set = third == 'I' ? 'I' : 'B';
                        i += 2;
                } else if (c == 27 && i + 2 < n && s[i + 1] == '$') {
                        if (third != '@' && third != 'B' && third != ')')
                                return false;
                        set = third == ')' ? set : '$';
                        i += third == ')' ? 3 : 2;
                } else if (c == 14 || c == 15) {
                        set = c == 14 ? '$' : 'B';
                } else if (c == '\n') {
                        set = 'B';
                        to[len++] = '\n';
                } else if (c > 32 && set == 'I') {
                        to[len++] = (char)0x8e;
                        to[len++] = (char)(c | 0x80);
                } else if (c > 32 && c < 127 && set == '$') {
                        to[len++] = (char)(c | 0x80);
                } else {
                        to[len++] = (char)c;
                }
        }
        out->len += len;
        return true;
}

/* HZ (RFC 1843): ~{ two bytes a character ~} */
static void
unescape_hz(struct buf *out, const char *s, size_t n)
{
        bool wide = false;

        for (size_t i = 0; i < n; i++) {
                if (s[i] != '~' || i + 1 == n) {
                        buf_addc(out, (char)(wide && s[i] > 32 ? s[i] | 0x80 : s[i]));
                        continue;
                }
                i++;
                if (s[i] == '{' || s[i] == '}')
                        wide = s[i] == '{';
                else if (s[i] == '~')
                        buf_addc(out, '~');
        }
}

static bool
explain_switched(struct sample *t, struct buf *tmp, size_t max)
{
        struct buf euc AUTO_BUF = BUF_INIT;
        bool korean = strcmp(t->name, "ISO-2022-KR") == 0 ||
                      memmem(t->s, t->n < 64 ? t->n : 64, "\033$)C", 4) != NULL;
        const char *charset = korean ? "UHC" : "EUC-JP-MS";

        if (strcmp(t->name, "HZ") == 0) {
                unescape_hz(&euc, t->s, t->n);
                convert(tmp, buf_str(&euc), euc.len, "GB18030", max);
                verdict(t, "HZ", "declared");
                return true;
        }
        if (!t->escape || (t->n_high > 0 && strncmp(t->name, "ISO-2022", 8) != 0) ||
            memchr(t->s, 27, t->n) == NULL)
                return false;
        if (!unescape(&euc, t->s, t->n)) {
                charset =
                    strncmp(t->name, "ISO-2022", 8) == 0 ? t->name : "ISO-2022-JP-2";
                if (convert(tmp, t->s, t->n, charset, max) < 0)
                        return false;
        } else if (convert(tmp, buf_str(&euc), euc.len, charset, max) > 0 &&
                   t->n_high > 0) {
                buf_clear(tmp);
                return false;
        }
        verdict(t, korean ? "ISO-2022-KR" : "ISO-2022-JP",
            strncmp(t->name, "ISO-2022", 8) == 0 ? "declared" : "escape sequences");
        return true;
}

/* ---- UTF-8, once and twice ---- */

/* The byte that stands for cp, -1 none. */
static int
byte_of(const uint16_t *points, uint32_t cp)
{
        if (cp < 128)
                return (int)cp;
        for (int b = 0; b < 128; b++)
                if (points[b] == cp)
                        return b + 128;
        return cp < 0xa0 ? (int)cp : -1; /* where the charset has no sign */
}

/* The bytes that text decoded as `charset` was made of; false when it was not, or they
 * are no UTF-8. The first sign beyond ASCII refutes that in nearly every text. */
static bool
undo(struct buf *out, const struct buf *text, const char *charset)
{
        const uint16_t *points = mime_guess_points(charset);
        size_t n_high = 0;

        for (size_t i = 0, used; i < text->len; i += used) {
                int byte =
                    byte_of(points, utf8_next(text->data + i, text->len - i, &used));

                if (byte == -1 ||
                    (byte >= 128 && n_high == 0 && (byte < 0xc3 || byte > 0xef)))
                        return false;
                if (byte >= 128 && ++n_high == 2 && byte > 0xbf)
                        return false;
                buf_addc(out, (char)byte);
        }
        return n_high >= 4 && utf8_valid(out->data, out->len);
}

/* Cyrillic bytes shown as Latin letters and encoded as those: "Ïðèâåò". */
static bool
unmask(struct buf *out, const struct buf *text, const char **charset)
{
        const uint16_t *latin = mime_guess_points("CP1252");
        size_t n_high = 0;
        struct guess g;

        for (size_t i = 0, used; i < text->len; i += used) {
                uint32_t cp = utf8_next(text->data + i, text->len - i, &used);
                int byte = byte_of(latin, cp);

                if (byte == -1 || cp == 0xd7)
                        return false;
                n_high += byte >= 128;
                buf_addc(out, (char)byte);
        }
        if (n_high < 6)
                return false;
        mime_guess(out->data, out->len, "", "CP1252", &g);
        *charset = g.charset;
        return g.n_high >= 6 && g.cost * 10 < g.declared * 6 && g.cost < g.n_high * 12 &&
               (strcmp(g.charset, "CP1251") == 0 || strncmp(g.charset, "KOI8", 4) == 0);
}

/* UTF-8 that someone took for Latin-1 or windows-1251 and encoded again. Only certain
 * where all of it is that. */
static void
undouble(struct sample *t, struct buf *tmp)
{
        static const char *const taken_for[] = {"CP1252", "CP1251", NULL};

        for (size_t i = 0; i < 3 && tmp->len <= MAX_DOUBLE; i++) {
                struct buf once AUTO_BUF = BUF_INIT;
                const char *charset = "UTF-8";

                if (taken_for[i] != NULL ? !undo(&once, tmp, taken_for[i])
                                         : !unmask(&once, tmp, &charset))
                        continue;
                buf_clear(tmp);
                if (taken_for[i] != NULL)
                        buf_add(tmp, once.data, once.len);
                else
                        convert(tmp, once.data, once.len, charset, SIZE_MAX);
                verdict(t, charset, "encoded twice");
                return;
        }
}

static bool
is_wide_label(const char *name)
{
        return strncmp(name, "GB", 2) == 0 || strncmp(name, "BIG5", 4) == 0 ||
               strcmp(name, "CP932") == 0 || strncmp(name, "EUC", 3) == 0 ||
               strcmp(name, "UHC") == 0;
}

/* The length without the character that the end cuts. */
static size_t
without_tail(const char *s, size_t n)
{
        size_t i = n;

        while (i > 0 && n - i < 3 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
                i--;
        return i > 0 && (unsigned char)s[i - 1] >= 0xc3 ? i - 1 : n;
}

static bool
explain_utf8(struct sample *t, struct buf *tmp, size_t max)
{
        bool declared = strcmp(t->name, "UTF-8") == 0;
        bool latin = t->name[0] == '\0' || strcmp(t->name, "CP1252") == 0;
        bool valid = utf8_valid(t->s, t->n);
        size_t whole = valid ? t->n : without_tail(t->s, t->n);

        if (!valid && whole < t->n && count_high(t->s, whole) > 1 &&
            utf8_valid(t->s, whole)) {
                t->n = whole;
                valid = true;
        }
        if (!valid) {
                if ((!declared && t->name[0] != '\0') || !is_mostly_utf8(t->s, t->n))
                        return false;
                take(t, tmp, max, "UTF-8", declared ? "declared" : "mostly UTF-8");
                return true;
        }
        if (!declared && !latin && t->n_high < (is_wide_label(t->name) ? 6 : 4))
                return false;
        take(t, tmp, max, "UTF-8", declared ? "declared" : "valid UTF-8");
        undouble(t, tmp);
        return true;
}

/* ---- the label, or the letters ---- */

static bool
explain_declared(struct sample *t, struct buf *tmp, size_t max, bool *bad)
{
        long n_bad;

        *bad = true;
        if (t->name[0] == '\0' || strncmp(t->name, "UTF-", 4) == 0 ||
            strncmp(t->name, "ISO-2022", 8) == 0)
                return false;
        n_bad = convert(tmp, t->s, t->n, t->name, max);
        *bad = n_bad < 0 || (size_t)n_bad * ERRORS_PER > t->n_high;
        if (*bad || !mime_guess_fits(t->s, t->n, t->name))
                return false;
        verdict(t, t->name, "declared");
        return true;
}

static void
explain_guess(struct sample *t, struct buf *tmp, size_t max, bool bad)
{
        const char *hint = t->hint;
        struct guess g;
        bool wide;

        if (strncmp(t->name, "ISO-2022-JP", 11) == 0)
                hint = "CP932";
        mime_guess(t->s, t->n, hint, t->name, &g);
        /* Cyrillic makes passable Chinese, Chinese never passable Cyrillic */
        wide = is_wide_label(t->name) && !is_wide_label(g.charset);
        if (!bad && (wide ? g.cost >= g.declared
                          : g.cost * 10 > g.declared * 7 || g.declared - g.cost < 16)) {
                verdict(t, t->name, "declared"); /* nothing fits much better */
                return;
        }
        buf_clear(tmp);
        if (g.garbage) {
                if (t->name[0] == '\0' || convert(tmp, t->s, t->n, t->name, max) < 0)
                        take(t, tmp, max, "", "");
                verdict(t, t->name, "no charset fits");
                return;
        }
        convert(tmp, t->s, t->n, g.charset, max);
        verdict(t, g.charset, "letter frequency");
}

/* Fills tmp by the first way that explains the bytes. */
static void
explain(struct sample *t, struct buf *tmp, size_t max)
{
        bool bad;

        if (t->n >= 3 && memcmp(t->s, "\xef\xbb\xbf", 3) == 0) {
                t->s += 3;
                t->n -= 3;
                t->n_high -= 3;
                take(t, tmp, max, "UTF-8", "byte order mark");
                if (utf8_valid(t->s, t->n) || is_mostly_utf8(t->s, t->n))
                        return;
                buf_clear(tmp);
        }
        if (explain_wide(t, tmp, max) || explain_switched(t, tmp, max))
                return;
        buf_clear(tmp);
        if (t->n_high == 0 && strcmp(t->name, "UTF-7") == 0 &&
            convert(tmp, t->s, t->n, "UTF-7", max) >= 0) {
                verdict(t, "UTF-7", "declared");
                return;
        }
        if (t->n_high == 0) {
                take(t, tmp, max, t->name[0] != '\0' ? t->name : "US-ASCII", "declared");
                return;
        }
        if (explain_utf8(t, tmp, max) || explain_declared(t, tmp, max, &bad))
                return;
        explain_guess(t, tmp, max, bad);
}

/* ---- the front ---- */

/* Bytes that mean the same in every charset but those with switches: no high ones, no
 * ESC, SO, NUL. */
static bool
sample_look(struct sample *t)
{
        t->n_high = count_high(t->s, t->n);
        t->escape = memchr(t->s, 27, t->n) != NULL || memchr(t->s, 14, t->n) != NULL;
        t->zeros = memchr(t->s, 0, t->n) != NULL || memchr(t->s, 4, t->n) != NULL;
        return t->n_high == 0 && !t->escape && !t->zeros &&
               strncmp(t->name, "UTF-16", 6) != 0 && strcmp(t->name, "UTF-7") != 0 &&
               strncmp(t->name, "UTF-32", 6) != 0 && strcmp(t->name, "HZ") != 0;
}

static bool
cut_to(struct buf *out, size_t start, size_t max)
{
        size_t len = out->len - start;

        if (len <= max)
                return false;
        out->len = start + utf8_cut(out->data + start, len, max);
        out->data[out->len] = '\0';
        return true;
}

bool
mime_text_decode_near(struct buf *out, const char *s, size_t n, const char *charset,
    const char *hint, size_t max, struct charset_verdict *v)
{
        struct buf tmp AUTO_BUF = BUF_INIT;
        struct sample t = {.s = s, .n = n, .hint = hint, .v = v};
        size_t start = out->len;
        bool cut;

        mime_text_label(charset, v->declared, t.name);
        verdict(&t, t.name[0] != '\0' ? t.name : "US-ASCII", "declared");
        if (n == 0)
                return false;
        if (sample_look(&t)) {
                cut = n > max * 2 + 64; /* CR LF becomes LF */
                utf8_add_clean(out, s, cut ? max * 2 + 64 : n);
                return cut_to(out, start, max) || cut;
        }
        explain(&t, &tmp, max + 64);
        if (tmp.len == 0)
                buf_adds(&tmp, "\xef\xbf\xbd");
        utf8_add_clean(out, buf_str(&tmp), tmp.len);
        return cut_to(out, start, max) || tmp.len > max + 63;
}

bool
mime_text_decode_as(struct buf *out, const char *s, size_t n, const char *charset,
    size_t max, struct charset_verdict *v)
{
        return mime_text_decode_near(out, s, n, charset, "", max, v);
}

bool
mime_text_decode(
    struct buf *out, const char *s, size_t n, const char *charset, size_t max)
{
        struct charset_verdict v;

        return mime_text_decode_near(out, s, n, charset, "", max, &v);
}

const char *
mime_text_guess(const char *s, size_t n)
{
        struct guess g;

        mime_guess(s, n, "", "", &g);
        return g.charset;
}

bool
charset_verdict_is_garbage(const struct charset_verdict *v)
{
        return strcmp(v->why, "no charset fits") == 0;
}

bool
charset_verdict_is_ordinary(const struct charset_verdict *v)
{
        return strcmp(v->why, "declared") == 0;
}
