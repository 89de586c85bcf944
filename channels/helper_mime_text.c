/*
 * Charsets; see helper_mime_text.h. The converters are iconv's; what is ours is
 * the suspicion: labels lie, and a converter that stops at the first bad byte
 * would lose a customer's text.
 */
#include "channels/helper_mime_text.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/utf8.h"

#define NAME_MAX_LEN 40
#define ERRORS_PER 20 /* more than one bad byte in so many: the label lied */

/* Labels as they come, and what the sender's software really wrote. */
static const struct {
        const char *label;
        const char *charset;
} aliases[] = {
    {"utf8", "UTF-8"},
    {"unicode-1-1-utf-8", "UTF-8"},
    {"utf-8mb4", "UTF-8"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"x-unicode-2-0-utf-7", "UTF-7"},
    {"iso-8859-1", "CP1252"},
    {"iso8859-1", "CP1252"},
    {"latin1", "CP1252"},
    {"latin-1", "CP1252"},
    {"windows-1252", "CP1252"},
    {"iso-8859-9", "CP1254"},
    {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},
    {"win-1251", "CP1251"},
    {"windows1251", "CP1251"},
    {"win1251", "CP1251"},
    {"x-cp1251", "CP1251"},
    {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},
    {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},
    {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-6-i", "ISO-8859-6"},
    {"koi8r", "KOI8-R"},
    {"koi8", "KOI8-R"},
    {"cskoi8r", "KOI8-R"},
    {"koi8u", "KOI8-U"},
    {"ibm866", "CP866"},
    {"cp-866", "CP866"},
    {"866", "CP866"},
    {"ibm850", "CP850"},
    {"cp-850", "CP850"},
    {"x-mac-cyrillic", "MAC-CYRILLIC"},
    {"x-mac-roman", "MACINTOSH"},
    {"gb2312", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"gbk", "GB18030"},
    {"cp936", "GB18030"},
    {"x-gbk", "GB18030"},
    {"euc-cn", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"x-x-big5", "BIG5-HKSCS"},
    {"cp950", "BIG5-HKSCS"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"x-sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"ms_kanji", "CP932"},
    {"euc-jp", "EUC-JP-MS"},
    {"x-euc-jp", "EUC-JP-MS"},
    {"iso-2022-jp", "ISO-2022-JP-2"},
    {"ks_c_5601-1987", "UHC"},
    {"ks_c_5601", "UHC"},
    {"euc-kr", "UHC"},
    {"cp949", "UHC"},
    {"ucs-2", "UTF-16"},
};

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

/* The charset behind a label, upper-case; "" when there is none or it says nothing. */
static void
charset_of(const char *label, char out[NAME_MAX_LEN])
{
        size_t n = 0;

        out[0] = '\0';
        while (label != NULL &&
               (*label == '"' || *label == '\'' || isspace((unsigned char)*label)))
                label++;
        for (; label != NULL && label[n] > 32 && label[n] < 127 &&
               strchr("\"';,*", label[n]) == NULL && n < NAME_MAX_LEN - 1;
             n++)
                out[n] = label[n];
        out[n] = '\0';
        for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
                if (strcasecmp(out, aliases[i].label) == 0)
                        snprintf(out, NAME_MAX_LEN, "%s", aliases[i].charset);
        for (n = 0; out[n] != '\0'; n++)
                out[n] = (char)toupper((unsigned char)out[n]);
        if (strcmp(out, "US-ASCII") == 0 || strcmp(out, "ASCII") == 0 ||
            strcmp(out, "ANSI_X3.4-1968") == 0 || strncmp(out, "UNKNOWN", 7) == 0 ||
            strncmp(out, "X-UNKNOWN", 9) == 0 || strcmp(out, "DEFAULT") == 0 ||
            strcmp(out, "8BIT") == 0 || strcmp(out, "BINARY") == 0)
                out[0] = '\0';
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

/* Converts into out (raw UTF-8) until it holds max bytes; returns how many input
 * bytes fitted nothing, -1 when the charset is unknown. */
static long
convert(struct buf *out, const char *s, size_t n, const char *charset, size_t max)
{
        iconv_t cd;
        char *in;
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
        }
        return n_bad;
}

static size_t
count_high(const char *s, size_t n)
{
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += (unsigned char)s[i] >= 0x80;
        return count;
}

static bool
is_letter(unsigned char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Cyrillic bytes stand in words of their own, accented Latin ones singly or in
 * twos among ASCII letters. */
static bool
is_western(const char *s, size_t n)
{
        size_t in_words = 0;
        size_t run = 0;
        size_t high = 0;
        size_t ascii = 0;

        for (size_t i = 0; i <= n; i++) {
                if (i < n && (unsigned char)s[i] >= 0x80) {
                        run++;
                        continue;
                }
                ascii += i < n && is_letter((unsigned char)s[i]);
                high += run;
                in_words += run > 2 ? run : 0;
                run = 0;
        }
        return high > 0 && in_words * 4 < high && ascii > high * 2;
}

const char *
mime_text_guess(const char *s, size_t n)
{
        size_t small_1251 = 0;
        size_t small_koi8 = 0;

        if (n > 65536)
                n = 65536;
        if (is_western(s, n))
                return "CP1252";
        for (size_t i = 0; i < n; i++) {
                small_1251 += (unsigned char)s[i] >= 0xe0;
                small_koi8 += (unsigned char)s[i] >= 0xc0 && (unsigned char)s[i] < 0xe0;
        }
        return small_koi8 > small_1251 ? "KOI8-R" : "CP1251";
}

/* A label that text in 7-bit bytes may need to be understood. */
static bool
is_seven_bit_charset(const char *charset)
{
        return strncmp(charset, "ISO-2022", 8) == 0 || strncmp(charset, "UTF-", 4) == 0;
}

/* UTF-16 and UTF-32 by their mark or by where the zeros are; "" for all else. */
static const char *
wide_charset(const char *s, size_t n, const char *charset)
{
        size_t even = 0;
        size_t odd = 0;

        if (n >= 4 &&
            (memcmp(s, "\xff\xfe\0", 4) == 0 || memcmp(s, "\0\0\xfe\xff", 4) == 0))
                return "UTF-32";
        if (n >= 2 && (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0))
                return "UTF-16";
        if (strncmp(charset, "UTF-16", 6) != 0)
                return "";
        for (size_t i = 0; i < n && i < 2000; i++)
                *(i % 2 ? &odd : &even) += s[i] == '\0';
        if (even + odd == 0)
                return strcmp(charset, "UTF-16") == 0 ? "UTF-16BE" : charset;
        return odd >= even ? "UTF-16LE" : "UTF-16BE";
}

/* Fills tmp by the first way that explains the bytes. */
static void
explain(struct buf *tmp, const char *s, size_t n, const char *charset, size_t max)
{
        size_t n_high = count_high(s, n);
        const char *wide = wide_charset(s, n, charset);
        long n_bad;

        if (wide[0] != '\0' && convert(tmp, s, n, wide, max) >= 0)
                return;
        if (n_high == 0 &&
            (!is_seven_bit_charset(charset) || strcmp(charset, "UTF-8") == 0)) {
                buf_add(tmp, s, n < max ? n : max);
                return;
        }
        if (n_high > 0 && utf8_valid(s, n) &&
            (n_high >= 4 || charset[0] == '\0' || strcmp(charset, "UTF-8") == 0)) {
                buf_add(tmp, s, n < max ? n : max);
                return;
        }
        n_bad = charset[0] != '\0' ? convert(tmp, s, n, charset, max) : -1;
        if (n_bad >= 0 && (size_t)n_bad * ERRORS_PER <= n)
                return;
        buf_clear(tmp);
        if (strncmp(charset, "ISO-2022-JP", 11) == 0 &&
            convert(tmp, s, n, "CP932", max) == 0)
                return;
        buf_clear(tmp);
        convert(tmp, s, n, mime_text_guess(s, n), max);
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

bool
mime_text_decode(
    struct buf *out, const char *s, size_t n, const char *charset, size_t max)
{
        struct buf tmp AUTO_BUF = BUF_INIT;
        char name[NAME_MAX_LEN];
        size_t start = out->len;
        size_t end;
        bool cut;

        charset_of(charset, name);
        if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
                s += 3;
                n -= 3;
                snprintf(name, sizeof(name), "UTF-8");
        }
        if ((name[0] == '\0' || strcmp(name, "UTF-8") == 0) && is_mostly_utf8(s, n))
                buf_add(&tmp, s, n < max + 64 ? n : max + 64);
        else
                explain(&tmp, s, n, name, max + 64);
        if (tmp.len == 0 && n > 0)
                convert(&tmp, s, n, mime_text_guess(s, n), max + 64);
        utf8_add_clean(out, buf_str(&tmp), tmp.len);
        cut = out->len - start > max || tmp.len > max + 63;
        if (out->len - start > max) {
                end = utf8_cut(out->data + start, out->len - start, max);
                out->len = start + end;
                out->data[out->len] = '\0';
        }
        return cut;
}

bool
mime_text_decode_as(struct buf *out, const char *s, size_t n, const char *charset,
    size_t max, struct charset_verdict *v)
{
        charset_of(charset, v->declared);
        snprintf(v->charset, sizeof v->charset, "%s", v->declared);
        v->why = "declared";
        return mime_text_decode(out, s, n, charset, max);
}

struct flow_line {
        const char *s;
        size_t len;
        size_t depth; /* how many > stand before it */
        bool flowed; /* ends in a blank: the next line goes on */
};

static void
flow_line_read(struct flow_line *l, const char *s, size_t len, bool delsp)
{
        l->depth = 0;
        while (len > 0 && *s == '>') {
                l->depth++;
                s++;
                len--;
        }
        if (len > 0 && *s == ' ') { /* space-stuffing */
                s++;
                len--;
        }
        l->flowed =
            len > 0 && s[len - 1] == ' ' && !(len == 3 && memcmp(s, "-- ", 3) == 0);
        if (l->flowed && delsp)
                len--;
        l->s = s;
        l->len = len;
}

void
mime_text_unflow(struct buf *text, bool delsp)
{
        struct buf out = BUF_INIT;
        size_t depth = 0;
        bool open = false;

        for (size_t at = 0; at < text->len;) {
                const char *end = memchr(text->data + at, '\n', text->len - at);
                size_t len =
                    end != NULL ? (size_t)(end - text->data) - at : text->len - at;
                struct flow_line l;

                flow_line_read(&l, text->data + at, len, delsp);
                if (open &&
                    (l.depth != depth || (l.len == 3 && memcmp(l.s, "-- ", 3) == 0))) {
                        buf_addc(&out, '\n');
                        open = false;
                }
                for (size_t i = 0; !open && i < l.depth; i++)
                        buf_addc(&out, '>');
                if (!open && l.depth > 0)
                        buf_addc(&out, ' ');
                buf_add(&out, l.s, l.len);
                depth = l.depth;
                open = l.flowed;
                if (!open && end != NULL)
                        buf_addc(&out, '\n');
                at += len + (end != NULL);
        }
        buf_fini(text);
        *text = out;
}
