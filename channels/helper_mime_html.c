/*
 * HTML -> text; see helper_mime_html.h.
 *
 * Linear: the reader only goes forward. Where it looks ahead for something that
 * may be missing (the end of a quote, of a tag, of a comment, of a script) it
 * notes what is not there and never looks for it again.
 */
#include "channels/helper_mime_html.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/utf8.h"

#define MAX_NAME 16
#define MAX_HREF 1000
#define MAX_QUOTES 10
#define MAX_LISTS 10

enum action {
        A_NONE,
        A_BREAK,
        A_BLOCK,
        A_PARA,
        A_ITEM,
        A_CELL,
        A_ROW,
        A_LINK,
        A_IMAGE,
        A_QUOTE,
        A_LIST,
        A_NUMBERED,
        A_PRE,
        A_RULE,
        A_SKIP
};

static const struct {
        const char *name;
        enum action action;
} tags[] = {
    {"a", A_LINK},
    {"address", A_BLOCK},
    {"article", A_BLOCK},
    {"aside", A_BLOCK},
    {"blockquote", A_QUOTE},
    {"body", A_BLOCK},
    {"br", A_BREAK},
    {"caption", A_BLOCK},
    {"center", A_BLOCK},
    {"dd", A_BLOCK},
    {"div", A_BLOCK},
    {"dl", A_PARA},
    {"dt", A_BLOCK},
    {"fieldset", A_BLOCK},
    {"figure", A_BLOCK},
    {"footer", A_BLOCK},
    {"form", A_BLOCK},
    {"h1", A_PARA},
    {"h2", A_PARA},
    {"h3", A_PARA},
    {"h4", A_PARA},
    {"h5", A_PARA},
    {"h6", A_PARA},
    {"header", A_BLOCK},
    {"hr", A_RULE},
    {"img", A_IMAGE},
    {"li", A_ITEM},
    {"main", A_BLOCK},
    {"nav", A_BLOCK},
    {"noframes", A_NONE},
    {"ol", A_NUMBERED},
    {"option", A_BLOCK},
    {"p", A_PARA},
    {"pre", A_PRE},
    {"script", A_SKIP},
    {"section", A_BLOCK},
    {"style", A_SKIP},
    {"table", A_BLOCK},
    {"tbody", A_BLOCK},
    {"td", A_CELL},
    {"textarea", A_BLOCK},
    {"th", A_CELL},
    {"thead", A_BLOCK},
    {"title", A_SKIP},
    {"tr", A_ROW},
    {"ul", A_LIST},
};

static const struct {
        const char *name;
        uint16_t cp;
} entities[] = {
    {"AMP", '&'},
    {"Aacute", 193},
    {"Agrave", 192},
    {"Auml", 196},
    {"Ccedil", 199},
    {"Eacute", 201},
    {"Egrave", 200},
    {"Euml", 203},
    {"GT", '>'},
    {"LT", '<'},
    {"Ntilde", 209},
    {"Oacute", 211},
    {"Ouml", 214},
    {"QUOT", '"'},
    {"Uacute", 218},
    {"Uuml", 220},
    {"aacute", 225},
    {"acirc", 226},
    {"acute", 180},
    {"aelig", 230},
    {"agrave", 224},
    {"amp", '&'},
    {"apos", '\''},
    {"aring", 229},
    {"atilde", 227},
    {"auml", 228},
    {"bdquo", 8222},
    {"brvbar", 166},
    {"bull", 8226},
    {"ccedil", 231},
    {"cent", 162},
    {"copy", 169},
    {"curren", 164},
    {"dagger", 8224},
    {"darr", 8595},
    {"deg", 176},
    {"divide", 247},
    {"eacute", 233},
    {"ecirc", 234},
    {"egrave", 232},
    {"emsp", ' '},
    {"ensp", ' '},
    {"euml", 235},
    {"euro", 8364},
    {"frac12", 189},
    {"frac14", 188},
    {"frac34", 190},
    {"ge", 8805},
    {"gt", '>'},
    {"harr", 8596},
    {"hellip", 8230},
    {"iacute", 237},
    {"icirc", 238},
    {"iexcl", 161},
    {"igrave", 236},
    {"infin", 8734},
    {"iquest", 191},
    {"iuml", 239},
    {"laquo", 171},
    {"larr", 8592},
    {"ldquo", 8220},
    {"le", 8804},
    {"lsaquo", 8249},
    {"lsquo", 8216},
    {"lt", '<'},
    {"mdash", 8212},
    {"micro", 181},
    {"middot", 183},
    {"minus", 8722},
    {"nbsp", ' '},
    {"ndash", 8211},
    {"ne", 8800},
    {"not", 172},
    {"ntilde", 241},
    {"oacute", 243},
    {"ocirc", 244},
    {"ograve", 242},
    {"ordf", 170},
    {"ordm", 186},
    {"oslash", 248},
    {"otilde", 245},
    {"ouml", 246},
    {"para", 182},
    {"permil", 8240},
    {"plusmn", 177},
    {"pound", 163},
    {"quot", '"'},
    {"raquo", 187},
    {"rarr", 8594},
    {"rdquo", 8221},
    {"reg", 174},
    {"rsaquo", 8250},
    {"rsquo", 8217},
    {"sbquo", 8218},
    {"sect", 167},
    {"shy", 173},
    {"sup1", 185},
    {"sup2", 178},
    {"sup3", 179},
    {"szlig", 223},
    {"thinsp", ' '},
    {"times", 215},
    {"trade", 8482},
    {"uacute", 250},
    {"uarr", 8593},
    {"ucirc", 251},
    {"ugrave", 249},
    {"uuml", 252},
    {"yacute", 253},
    {"yen", 165},
    {"yuml", 255},
    {"zwj", 8205},
    {"zwnj", 8204},
};

/* What Windows wrote into &#128; ... &#159;. */
static const uint16_t windows_1252[32] = {8364, 129, 8218, 402, 8222, 8230, 8224, 8225,
    710, 8240, 352, 8249, 338, 141, 381, 143, 144, 8216, 8217, 8220, 8221, 8226, 8211,
    8212, 732, 8482, 353, 8250, 339, 157, 382, 376};

struct html {
        const char *s; /* the input */
        size_t n;
        size_t at;

        struct buf scratch; /* one character */
        struct buf *out;
        size_t start; /* where our text begins in out */
        size_t max; /* bytes we may write */
        bool cut; /* that was not enough */

        unsigned newlines; /* wanted before the next character, 0..2 */
        bool space; /* a blank wanted before it */
        bool line_open; /* something stands on the current line */
        unsigned quotes; /* open blockquotes */
        unsigned pre; /* open pre elements */
        unsigned lists; /* open lists */
        unsigned number[MAX_LISTS]; /* next number of each; 0: bullets */

        char href[MAX_HREF + 1]; /* of the open link, "" when none is worth showing */
        size_t link_at; /* where its text begins in out */

        bool no_quote[2]; /* no " and no ' up to the end */
        bool no_gt; /* no > up to the end */
        bool no_comment_end; /* no --> up to the end */
};

/* A tag as cut out of the input. */
struct tag {
        char name[MAX_NAME];
        bool closing;
        const char *attrs; /* up to the > */
        size_t attrs_len;
};

/* ---- writing ---- */

static void
put_line_start(struct html *h)
{
        if (h->out->len > h->start)
                for (; h->newlines > 0; h->newlines--) {
                        buf_addc(h->out, '\n');
                        for (unsigned i = 0; h->newlines > 1 && i < h->quotes; i++)
                                buf_addc(h->out, '>');
                }
        h->newlines = 0;
        h->space = false;
        for (unsigned i = 0; i < h->quotes; i++)
                buf_addc(h->out, '>');
        if (h->quotes > 0)
                buf_addc(h->out, ' ');
        h->line_open = true;
}

static void
put_bytes(struct html *h, const char *s, size_t n)
{
        if (h->out->len - h->start + n + MAX_QUOTES * 2 + 4 > h->max) {
                h->cut = true;
                return;
        }
        if (h->newlines > 0 || !h->line_open)
                put_line_start(h);
        else if (h->space)
                buf_addc(h->out, ' ');
        h->space = false;
        buf_add(h->out, s, n);
}

static void
put_char(struct html *h, uint32_t cp)
{
        buf_clear(&h->scratch);
        utf8_add(&h->scratch, cp);
        put_bytes(h, h->scratch.data, h->scratch.len);
}

/* At least n line ends before the next character. */
static void
want_newlines(struct html *h, unsigned n)
{
        if (h->newlines < n)
                h->newlines = n;
        h->space = false;
}

static void
line_break(struct html *h)
{
        if (h->newlines < 2)
                h->newlines++;
        h->space = false;
}

/* Invisible characters that mails use as filling. */
static bool
is_filling(uint32_t cp)
{
        return cp == 0xad || cp == 0x34f || (cp >= 0x200b && cp <= 0x200f) ||
               (cp >= 0x2060 && cp <= 0x2064) || cp == 0xfeff;
}

static bool
is_space(uint32_t cp)
{
        return cp == ' ' || (cp >= 9 && cp <= 13) || cp == 0xa0 ||
               (cp >= 0x2000 && cp <= 0x200a);
}

static void
put_text_char(struct html *h, uint32_t cp)
{
        if (is_filling(cp) || cp == 0)
                return;
        if (h->pre > 0 && cp == '\n') {
                line_break(h);
        } else if (h->pre > 0 && (cp == ' ' || cp == '\t')) {
                put_bytes(h, cp == ' ' ? " " : "\t", 1);
        } else if (is_space(cp)) {
                if (h->line_open && h->newlines == 0)
                        h->space = true;
        } else if (cp >= 32 && cp != 127) {
                put_char(h, cp);
        }
}

/* ---- entities ---- */

static uint32_t
entity_by_name(const char *s, size_t n)
{
        size_t low = 0;
        size_t high = sizeof(entities) / sizeof(entities[0]);

        while (low < high) {
                size_t mid = (low + high) / 2;
                int c = strncmp(entities[mid].name, s, n);

                if (c == 0 && entities[mid].name[n] != '\0')
                        c = 1;
                if (c == 0)
                        return entities[mid].cp;
                if (c < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return 0;
}

static uint32_t
entity_by_number(const char *s, size_t n, size_t *used)
{
        bool hex = n > 0 && (s[0] == 'x' || s[0] == 'X');
        uint32_t cp = 0;
        size_t i = hex;

        for (; i < n &&
               (hex ? isxdigit((unsigned char)s[i]) : isdigit((unsigned char)s[i]));
             i++) {
                int digit =
                    isdigit((unsigned char)s[i]) ? s[i] - '0' : (s[i] | 32) - 'a' + 10;

                if (cp < 0x110000)
                        cp = cp * (hex ? 16 : 10) + (uint32_t)digit;
        }
        if (i == (size_t)hex)
                return 0;
        *used = i;
        if (cp >= 128 && cp < 160)
                return windows_1252[cp - 128];
        return cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000) ? 0xfffd : cp;
}

/* The character behind "&..." at s (n bytes from the &); *used bytes of it.
 * What is no entity is an ampersand. */
static uint32_t
entity_read(const char *s, size_t n, size_t *used)
{
        uint32_t cp = 0;
        size_t len = 0;

        *used = 1;
        if (n > 2 && s[1] == '#') {
                cp = entity_by_number(s + 2, n - 2 < 12 ? n - 2 : 12, &len);
                len += 2;
        } else {
                while (len + 1 < n && len < 10 && isalnum((unsigned char)s[len + 1]))
                        len++;
                cp = len > 0 ? entity_by_name(s + 1, len) : 0;
                len += 1;
        }
        if (cp == 0)
                return '&';
        *used = len + (len < n && s[len] == ';');
        return cp;
}

/* ---- tags ---- */

/* Offset of the > that ends the tag whose inside begins at `at`; n when the
 * input has none. */
static size_t
tag_end(struct html *h, size_t at)
{
        char before = 0;

        while (!h->no_gt && at < h->n && h->s[at] != '>') {
                char c = h->s[at++];
                bool *missing = c == '"' ? &h->no_quote[0] : &h->no_quote[1];
                const char *end;

                if ((c == '"' || c == '\'') && before == '=' && !*missing) {
                        end = memchr(h->s + at, c, h->n - at);
                        if (end != NULL)
                                at = (size_t)(end - h->s) + 1;
                        else
                                *missing = true;
                }
                if (!isspace((unsigned char)c))
                        before = c;
        }
        if (at >= h->n)
                h->no_gt = true;
        return h->no_gt ? h->n : at;
}

/* One attribute of a tag. */
struct attr {
        const char *name;
        size_t name_len;
        const char *value;
        size_t value_len;
};

/* The attribute at *s, which moves behind it; false at the end. */
static bool
attr_next(const char **at, const char *end, struct attr *a)
{
        const char *s = *at;
        char quote = 0;

        while (s < end && (isspace((unsigned char)*s) || *s == '/' || *s == '='))
                s++;
        for (a->name = s; s < end && *s != '=' && !isspace((unsigned char)*s); s++)
                ;
        a->name_len = (size_t)(s - a->name);
        a->value = s;
        a->value_len = 0;
        while (s < end && isspace((unsigned char)*s))
                s++;
        if (s < end && *s == '=') {
                for (s++; s < end && isspace((unsigned char)*s); s++)
                        ;
                if (s < end && (*s == '"' || *s == '\'') &&
                    memchr(s + 1, *s, (size_t)(end - s) - 1))
                        quote = *s++;
                for (a->value = s;
                     s < end && (quote ? *s != quote : !isspace((unsigned char)*s)); s++)
                        ;
                a->value_len = (size_t)(s - a->value);
                s += quote != 0;
        }
        *at = s;
        return a->name_len > 0;
}

/* The first bytes of a value, decoded. In an address only "&amp;" with its
 * semicolon is an entity, "&copy=1" is not. */
static void
attr_decode(const struct attr *a, struct buf *out, size_t max)
{
        size_t used;

        for (size_t i = 0; i < a->value_len && out->len < max; i += used) {
                uint32_t cp = (unsigned char)a->value[i];
                bool entity = false;

                used = 1;
                if (cp == '&') {
                        cp = entity_read(a->value + i, a->value_len - i, &used);
                        entity = used > 1 && a->value[i + used - 1] == ';';
                }
                if (entity && cp >= 32)
                        utf8_add(out, cp);
                else if (!entity && (unsigned char)a->value[i] >= 32)
                        buf_addc(out, a->value[i]);
                if (!entity)
                        used = 1;
        }
}

/* The value of an attribute into out (at most size - 1 bytes), "" when absent. */
static void
attribute(const struct tag *t, const char *name, char *out, size_t size)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const char *s = t->attrs;
        struct attr a;
        size_t len;

        out[0] = '\0';
        while (attr_next(&s, t->attrs + t->attrs_len, &a)) {
                if (a.name_len != strlen(name) ||
                    strncasecmp(a.name, name, a.name_len) != 0)
                        continue;
                attr_decode(&a, &b, size + 4); /* a whole character beyond the cut */
                len = utf8_cut(buf_str(&b), b.len, size - 1);
                memcpy(out, buf_str(&b), len);
                out[len] = '\0';
                return;
        }
}

static enum action
tag_action(const char *name)
{
        size_t low = 0;
        size_t high = sizeof(tags) / sizeof(tags[0]);

        while (low < high) {
                size_t mid = (low + high) / 2;
                int c = strcmp(tags[mid].name, name);

                if (c == 0)
                        return tags[mid].action;
                if (c < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return A_NONE;
}

/* Over the content of <script>, <style>, <title>, up to the closing tag. */
static void
skip_element(struct html *h, const char *name)
{
        size_t len = strlen(name);

        while (h->at < h->n) {
                const char *lt = memchr(h->s + h->at, '<', h->n - h->at);

                if (lt == NULL) {
                        h->at = h->n;
                        return;
                }
                h->at = (size_t)(lt - h->s);
                if (h->n - h->at > len + 1 && lt[1] == '/' &&
                    strncasecmp(lt + 2, name, len) == 0)
                        return;
                h->at++;
        }
}

static void
link_open(struct html *h, const struct tag *t)
{
        attribute(t, "href", h->href, sizeof(h->href));
        if (strncasecmp(h->href, "http://", 7) != 0 &&
            strncasecmp(h->href, "https://", 8) != 0)
                h->href[0] = '\0';
        h->link_at = h->out->len;
}

/* "text <address>", unless the text is the address. */
static void
link_close(struct html *h)
{
        size_t shown = h->out->len - h->link_at;
        const char *bare = strchr(h->href, ':');

        if (h->href[0] == '\0' || shown == 0)
                return;
        bare = bare != NULL ? bare + 3 : h->href;
        if (memmem(h->out->data + h->link_at, shown, bare,
                strlen(bare) - (bare[0] != '\0' && bare[strlen(bare) - 1] == '/')) ==
            NULL) {
                h->space = true;
                put_bytes(h, "<", 1);
                put_bytes(h, h->href, strlen(h->href));
                put_bytes(h, ">", 1);
        }
        h->href[0] = '\0';
}

static void
image(struct html *h, const struct tag *t)
{
        char alt[200];

        attribute(t, "alt", alt, sizeof(alt));
        if (strspn(alt, " \t\r\n") == strlen(alt))
                return;
        put_bytes(h, "[", 1);
        put_bytes(h, alt, strlen(alt));
        put_bytes(h, "]", 1);
}

static void
list_item(struct html *h)
{
        unsigned depth = h->lists < MAX_LISTS ? h->lists : MAX_LISTS;
        char mark[40];
        int n;

        want_newlines(h, 1);
        if (depth > 0 && h->number[depth - 1] > 0)
                n = snprintf(mark, sizeof(mark), "%*s%u.", (int)(depth - 1) * 2, "",
                    h->number[depth - 1]++);
        else
                n = snprintf(
                    mark, sizeof(mark), "%*s-", depth > 0 ? (int)(depth - 1) * 2 : 0, "");
        put_bytes(h, mark, (size_t)n);
        h->space = true;
}

static void
list_open(struct html *h, bool closing, bool numbered)
{
        want_newlines(h, h->lists == 0 || (closing && h->lists == 1) ? 2 : 1);
        if (closing)
                h->lists -= h->lists > 0;
        else if (h->lists++ < MAX_LISTS)
                h->number[h->lists - 1] = numbered;
}

static void
nest(unsigned *level, bool closing, unsigned max)
{
        if (closing)
                *level -= *level > 0;
        else
                *level += *level < max;
}

static void
act(struct html *h, const struct tag *t)
{
        switch (tag_action(t->name)) {
        case A_NONE:
                break;
        case A_BREAK:
                line_break(h);
                break;
        case A_BLOCK:
        case A_ROW:
                want_newlines(h, 1);
                break;
        case A_PARA:
                want_newlines(h, 2);
                break;
        case A_RULE:
                want_newlines(h, 1);
                put_bytes(h, "----", 4);
                want_newlines(h, 1);
                break;
        case A_ITEM:
                if (!t->closing)
                        list_item(h);
                break;
        case A_CELL:
                h->space = h->space || (h->line_open && h->newlines == 0);
                break;
        case A_LINK:
                link_close(h);
                if (!t->closing)
                        link_open(h, t);
                break;
        case A_IMAGE:
                image(h, t);
                break;
        case A_QUOTE:
                want_newlines(h, 1);
                nest(&h->quotes, t->closing, MAX_QUOTES);
                break;
        case A_LIST:
        case A_NUMBERED:
                list_open(h, t->closing, tag_action(t->name) == A_NUMBERED);
                break;
        case A_PRE:
                want_newlines(h, 1);
                nest(&h->pre, t->closing, 1);
                break;
        case A_SKIP:
                if (!t->closing)
                        skip_element(h, t->name);
                break;
        }
}

/* At "<!" or "<?": over the comment or declaration. */
static void
skip_declaration(struct html *h)
{
        const char *end = NULL;

        if (h->n - h->at >= 4 && memcmp(h->s + h->at, "<!--", 4) == 0 &&
            !h->no_comment_end) {
                end = memmem(h->s + h->at + 2, h->n - h->at - 2, "-->", 3);
                h->no_comment_end = end == NULL;
                if (end != NULL) {
                        h->at = (size_t)(end - h->s) + 3;
                        return;
                }
        }
        end = h->no_gt ? NULL : memchr(h->s + h->at, '>', h->n - h->at);
        h->no_gt = end == NULL;
        h->at = end != NULL ? (size_t)(end - h->s) + 1 : h->n;
}

/* At a "<". */
static void
read_tag(struct html *h)
{
        size_t at = h->at + 1;
        size_t n = 0;
        struct tag t = {.closing = at < h->n && h->s[at] == '/'};
        size_t end;

        at += t.closing;
        if (at < h->n && (h->s[at] == '!' || h->s[at] == '?') && !t.closing) {
                skip_declaration(h);
                return;
        }
        end = at < h->n && isalpha((unsigned char)h->s[at]) ? tag_end(h, at) : h->n;
        if (end >= h->n) { /* no tag: a lonely "<" */
                put_text_char(h, '<');
                h->at++;
                return;
        }
        for (; at < end && !isspace((unsigned char)h->s[at]) && h->s[at] != '/'; at++)
                if (n < MAX_NAME - 1)
                        t.name[n++] = (char)tolower((unsigned char)h->s[at]);
        t.attrs = h->s + at;
        t.attrs_len = end - at;
        h->at = end + 1;
        act(h, &t);
}

bool
mime_html_text(struct buf *out, const char *html, size_t n, size_t max)
{
        struct html h = {.s = html, .n = n, .out = out, .start = out->len, .max = max};
        size_t used;

        while (h.at < n && !h.cut) {
                if (html[h.at] == '<') {
                        read_tag(&h);
                } else if (html[h.at] == '&') {
                        uint32_t cp = entity_read(html + h.at, n - h.at, &used);

                        put_text_char(&h, cp);
                        h.at += used;
                } else {
                        put_text_char(&h, utf8_next(html + h.at, n - h.at, &used));
                        h.at += used;
                }
        }
        while (out->len > h.start && strchr(" \t\n", out->data[out->len - 1]) != NULL)
                out->data[--out->len] = '\0';
        buf_fini(&h.scratch);
        return h.cut;
}

bool
mime_html_text_marked(
    struct buf *out, const char *html, size_t n, size_t max, struct text_marks *marks)
{
        if (marks != NULL)
                *marks = (struct text_marks){NULL, 0};
        return mime_html_text(out, html, n, max);
}

void
mime_html_charset(const char *html, size_t n, char out[40])
{
        size_t len = 0;

        out[0] = '\0';
        n = n < 2048 ? n : 2048;
        for (size_t i = 0; i + 8 < n; i++) {
                if (strncasecmp(html + i, "charset=", 8) != 0)
                        continue;
                for (i += 8;
                     i < n && (html[i] == '"' || html[i] == '\'' || html[i] == ' '); i++)
                        ;
                while (i < n && len < 39 &&
                       (isalnum((unsigned char)html[i]) ||
                           strchr("-_:.", html[i]) != NULL) &&
                       html[i])
                        out[len++] = html[i++];
                out[len] = '\0';
                return;
        }
}
