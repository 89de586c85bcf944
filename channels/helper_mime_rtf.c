/*
 * RTF; see helper_mime_rtf.h.
 *
 * The reader keeps a stack of groups; what is deeper than it is read with the settings
 * of the last. Bytes of a code page are gathered and decoded together, since a character
 * may have two.
 */
#include "channels/helper_mime_rtf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

#define WINDOW 4096u
#define MAX_GROUPS 200
#define MAX_FONTS 256
#define MAX_WORD 32

/* ---- unpacking ---- */

/* What every packed RTF may refer to before it has said anything. */
static const char window_start[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}"
    "{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArial"
    "Times New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

static uint32_t
word32(const char *s)
{
        const unsigned char *b = (const unsigned char *)s;

        return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
               (uint32_t)b[3] << 24;
}

static void
unpack(struct buf *out, const unsigned char *s, size_t n, size_t max)
{
        char window[WINDOW];
        unsigned at = sizeof(window_start) - 1;
        size_t i = 0;

        memset(window, ' ', sizeof(window));
        memcpy(window, window_start, sizeof(window_start) - 1);
        while (i < n) {
                unsigned flags = s[i++];

                for (int bit = 0; bit < 8 && i < n && out->len < max; bit++) {
                        unsigned from = at;
                        unsigned len = 1;

                        if (flags >> bit & 1) {
                                if (i + 2 > n)
                                        return;
                                from = (unsigned)s[i] << 4 | s[i + 1] >> 4;
                                len = (s[i + 1] & 15u) + 2;
                                i += 2;
                                if (from == at)
                                        return;
                        } else {
                                window[at] = (char)s[i++];
                        }
                        for (unsigned k = 0; k < len; k++) {
                                char c = window[(from + k) % WINDOW];

                                buf_addc(out, c);
                                window[at] = c;
                                at = (at + 1) % WINDOW;
                        }
                }
                if (out->len >= max)
                        return;
        }
}

bool
mime_rtf_unpack(struct buf *out, const char *s, size_t n, size_t max)
{
        size_t packed;

        if (n < 16)
                return false;
        packed = word32(s) < n - 4 ? word32(s) : n - 4;
        packed = packed > 12 ? packed - 12 : 0;
        if (memcmp(s + 8, "MELA", 4) == 0) {
                buf_add(out, s + 16, packed < max ? packed : max);
                return true;
        }
        if (memcmp(s + 8, "LZFu", 4) != 0)
                return false;
        unpack(out, (const unsigned char *)s + 16, packed, max);
        return true;
}

/* ---- reading ---- */

/* The settings of a group. */
struct group {
        bool hidden; /* a destination that says nothing */
        bool tag; /* \*\htmltag: HTML as it was */
        bool fonts; /* the font table */
        bool rtf_only; /* \htmlrtf: not part of the HTML */
        unsigned skip; /* \ucN: characters behind \uN that stand for it */
        unsigned codepage;
};

struct rtf {
        const char *s;
        size_t n;
        size_t at;
        struct buf *out;
        size_t max;
        bool html;
        struct group stack[MAX_GROUPS];
        unsigned depth; /* may count beyond the stack */
        struct group now;
        unsigned codepage; /* of the document */
        unsigned font; /* the one being defined */
        unsigned fonts[MAX_FONTS]; /* code pages; 0: the document's */
        unsigned to_skip; /* characters that stand for the \uN before */
        unsigned high; /* a surrogate waiting for its other half */
        struct buf bytes; /* in the code page, not yet decoded */
        unsigned bytes_codepage;
};

static void
flush_bytes(struct rtf *r)
{
        char charset[16];

        if (r->bytes.len == 0)
                return;
        snprintf(charset, sizeof(charset), "CP%u", r->bytes_codepage);
        mime_text_decode(
            r->out, buf_str(&r->bytes), r->bytes.len, charset, r->bytes.len * 3 + 8);
        buf_clear(&r->bytes);
}

/* Is what stands here part of what the reader sees? */
static bool
is_shown(const struct rtf *r)
{
        if (r->now.hidden || r->now.fonts)
                return false;
        return !r->html || r->now.tag || !r->now.rtf_only;
}

static void
put_byte(struct rtf *r, unsigned char c)
{
        if (r->to_skip > 0) {
                r->to_skip--;
                return;
        }
        if (!is_shown(r) || r->out->len >= r->max)
                return;
        if (r->bytes.len > 0 &&
            (r->bytes_codepage != r->now.codepage || r->bytes.len > 4000))
                flush_bytes(r);
        r->bytes_codepage = r->now.codepage;
        buf_addc(&r->bytes, (char)c);
}

static void
put_char(struct rtf *r, uint32_t cp)
{
        if (!is_shown(r) || r->out->len >= r->max)
                return;
        flush_bytes(r);
        utf8_add(r->out, cp);
}

static void
put_unicode(struct rtf *r, int value)
{
        uint32_t cp = (uint32_t)(value < 0 ? value + 65536 : value);

        if (cp >= 0xd800 && cp < 0xdc00) {
                r->high = cp;
        } else if (cp >= 0xdc00 && cp < 0xe000) {
                if (r->high != 0)
                        put_char(r, 0x10000 + ((r->high - 0xd800) << 10) + (cp - 0xdc00));
                r->high = 0;
        } else if (cp >= 32 && cp < 0x110000) {
                put_char(r, cp);
        }
        r->to_skip = r->now.skip;
}

static unsigned
charset_codepage(int charset)
{
        static const struct {
                int charset;
                unsigned codepage;
        } pages[] = {{0, 1252}, {128, 932}, {129, 949}, {134, 936}, {136, 950},
            {161, 1253}, {162, 1254}, {163, 1258}, {177, 1255}, {178, 1256}, {186, 1257},
            {204, 1251}, {222, 874}, {238, 1250}};

        for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
                if (pages[i].charset == charset)
                        return pages[i].codepage;
        return 0;
}

enum word {
        W_ANSICPG,
        W_CODEPAGE_FONT,
        W_FCHARSET,
        W_FONT,
        W_FONTTBL,
        W_FROMHTML,
        W_HIDE,
        W_HTMLRTF,
        W_HTMLTAG,
        W_LINE,
        W_PAR,
        W_TAB,
        W_U,
        W_UC,
        W_CHAR
};

static const struct {
        const char *name;
        enum word word;
        uint32_t cp; /* of W_CHAR */
} words[] = {{"ansicpg", W_ANSICPG, 0}, {"bullet", W_CHAR, 0x2022}, {"cell", W_TAB, 0},
    {"colortbl", W_HIDE, 0}, {"cpg", W_CODEPAGE_FONT, 0}, {"emdash", W_CHAR, 0x2014},
    {"endash", W_CHAR, 0x2013}, {"f", W_FONT, 0}, {"fcharset", W_FCHARSET, 0},
    {"fonttbl", W_FONTTBL, 0}, {"footer", W_HIDE, 0}, {"fromhtml", W_FROMHTML, 0},
    {"generator", W_HIDE, 0}, {"header", W_HIDE, 0}, {"htmlrtf", W_HTMLRTF, 0},
    {"htmltag", W_HTMLTAG, 0}, {"info", W_HIDE, 0}, {"ldblquote", W_CHAR, 0x201c},
    {"line", W_LINE, 0}, {"listtable", W_HIDE, 0}, {"lquote", W_CHAR, 0x2018},
    {"mhtmltag", W_HIDE, 0}, {"object", W_HIDE, 0}, {"par", W_PAR, 0},
    {"pict", W_HIDE, 0}, {"pntext", W_HIDE, 0}, {"rdblquote", W_CHAR, 0x201d},
    {"row", W_LINE, 0}, {"rquote", W_CHAR, 0x2019}, {"stylesheet", W_HIDE, 0},
    {"tab", W_TAB, 0}, {"u", W_U, 0}, {"uc", W_UC, 0}};

static void
set_font(struct rtf *r, int number)
{
        unsigned font = number >= 0 && number < MAX_FONTS ? (unsigned)number : 0;

        r->font = font;
        if (!r->now.fonts)
                r->now.codepage = r->fonts[font] != 0 ? r->fonts[font] : r->codepage;
}

static void
do_word(struct rtf *r, enum word word, uint32_t cp, int number, bool has_number)
{
        switch (word) {
        case W_ANSICPG:
                r->codepage = r->now.codepage =
                    number > 0 && number < 10000 ? (unsigned)number : 1252;
                break;
        case W_CODEPAGE_FONT:
        case W_FCHARSET:
                if (r->now.fonts)
                        r->fonts[r->font] = word == W_FCHARSET ? charset_codepage(number)
                                            : number > 0 && number < 10000
                                                ? (unsigned)number
                                                : 0;
                break;
        case W_FONT:
                set_font(r, number);
                break;
        case W_FONTTBL:
                r->now.fonts = true;
                break;
        case W_FROMHTML:
                r->html = true;
                break;
        case W_HIDE:
                r->now.hidden = true;
                break;
        case W_HTMLRTF:
                r->now.rtf_only = !has_number || number != 0;
                break;
        case W_HTMLTAG:
                r->now.hidden = !r->html;
                r->now.tag = true;
                break;
        case W_LINE:
        case W_PAR:
                put_char(r, '\n');
                break;
        case W_TAB:
                put_char(r, '\t');
                break;
        case W_U:
                put_unicode(r, number);
                break;
        case W_UC:
                r->now.skip = number >= 0 && number < 100 ? (unsigned)number : 1;
                break;
        case W_CHAR:
                put_char(r, cp);
                break;
        }
}

/* A word behind a backslash, its number and the one blank that ends it. */
static void
read_word(struct rtf *r, bool starred)
{
        char name[MAX_WORD];
        size_t len = 0;
        int number = 0;
        bool has_number;
        bool minus = false;

        while (r->at < r->n && ((r->s[r->at] | 32) >= 'a' && (r->s[r->at] | 32) <= 'z')) {
                if (len + 1 < sizeof(name))
                        name[len++] = r->s[r->at];
                r->at++;
        }
        name[len] = '\0';
        if (r->at < r->n && r->s[r->at] == '-') {
                minus = true;
                r->at++;
        }
        has_number = r->at < r->n && r->s[r->at] >= '0' && r->s[r->at] <= '9';
        for (; r->at < r->n && r->s[r->at] >= '0' && r->s[r->at] <= '9'; r->at++)
                if (number < 10000000)
                        number = number * 10 + (r->s[r->at] - '0');
        if (r->at < r->n && r->s[r->at] == ' ')
                r->at++;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(words[i].name, name) == 0) {
                        do_word(r, words[i].word, words[i].cp, minus ? -number : number,
                            has_number);
                        return;
                }
        if (starred)
                r->now.hidden = true;
}

static int
hex(char c)
{
        return c >= '0' && c <= '9'                 ? c - '0'
               : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                    : -1;
}

static void
read_control(struct rtf *r)
{
        char c = r->at < r->n ? r->s[r->at] : '\0';
        bool starred = false;

        if (c == '*' && r->at + 1 < r->n && r->s[r->at + 1] == '\\') {
                starred = true;
                r->at += 2;
                c = r->at < r->n ? r->s[r->at] : '\0';
        }
        if ((c | 32) >= 'a' && (c | 32) <= 'z') {
                read_word(r, starred);
                return;
        }
        r->at++;
        if (c == '\'' && r->at + 1 < r->n && hex(r->s[r->at]) >= 0 &&
            hex(r->s[r->at + 1]) >= 0) {
                put_byte(
                    r, (unsigned char)(hex(r->s[r->at]) * 16 + hex(r->s[r->at + 1])));
                r->at += 2;
        } else if (c == '\\' || c == '{' || c == '}') {
                put_byte(r, (unsigned char)c);
        } else if (c == '~') {
                put_char(r, ' ');
        } else if (c == '_') {
                put_char(r, '-');
        } else if (c == '\n' || c == '\r') {
                put_char(r, '\n');
        }
}

static void
group_open(struct rtf *r)
{
        if (r->depth < MAX_GROUPS)
                r->stack[r->depth] = r->now;
        r->depth++;
        r->to_skip = 0;
}

static void
group_close(struct rtf *r)
{
        r->to_skip = 0;
        if (r->depth == 0)
                return;
        if (--r->depth < MAX_GROUPS)
                r->now = r->stack[r->depth];
}

void
mime_rtf_text(struct buf *out, const char *s, size_t n, size_t max, bool *is_html)
{
        struct rtf *r = xcalloc(1, sizeof(*r));

        *r = (struct rtf){.s = s, .n = n, .out = out, .max = out->len + max};
        r->codepage = r->now.codepage = 1252;
        r->now.skip = 1;
        while (r->at < n && out->len < r->max) {
                char c = s[r->at++];

                if (c == '\\')
                        read_control(r);
                else if (c == '{')
                        group_open(r);
                else if (c == '}')
                        group_close(r);
                else if (c != '\r' && c != '\n')
                        put_byte(r, (unsigned char)c);
        }
        flush_bytes(r);
        *is_html = r->html;
        buf_fini(&r->bytes);
        free(r);
}
