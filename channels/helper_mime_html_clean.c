/*
 * HTML -> HTML with only what is harmless; see helper_mime_html.h.
 *
 * Nothing of the input is copied: tags are written anew from an allow-list, their
 * attributes one by one from values that were understood, and text is escaped always.
 * No comment, no raw text, no drawing or formula is ever written, and every element is
 * closed in order: a browser reads it as we did.
 */
#include "channels/helper_mime_html.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_html_look.h"
#include "channels/helper_mime_html_stack.h"
#include "channels/helper_mime_html_style.h"
#include "channels/helper_mime_html_token.h"
#include "daemon/base/utf8.h"

#define MAX_OPEN 200 /* elements in elements; browsers stop at 512 */
#define MAX_VALUE 4096
#define MAX_CELLS 100 /* a cell spans */
#define MAX_RUN 1024 /* bytes of text written at once, so that a cut loses few */
#define WRITTEN 1u /* effect of an open element: its end tag must be written */

/* What an attribute's value must be. */
enum kind {
        K_ALIGN, /* a word */
        K_COLOR,
        K_COUNT, /* 1..100 */
        K_NUMBER, /* 0..9999 */
        K_LENGTH, /* of the old kind: "100", "50%" */
        K_FONT_SIZE, /* "+1" */
        K_FACE, /* a font's name */
        K_LIST, /* "1", "a", "disc" */
        K_DIR, /* direction of letters */
        K_LANG,
        K_CITE, /* only "cite" */
        K_FLAG, /* its presence says it */
        K_TEXT
};

/* HTML_N: of all elements. */
static const struct {
        enum html_element element;
        enum html_attr attr;
        enum kind kind;
} rules[] = {
    {HTML_N, ATTR_DIR, K_DIR},
    {HTML_N, ATTR_LANG, K_LANG},
    {HTML_N, ATTR_TITLE, K_TEXT},
    {HTML_BLOCKQUOTE, ATTR_TYPE, K_CITE},
    {HTML_CAPTION, ATTR_ALIGN, K_ALIGN},
    {HTML_COL, ATTR_SPAN, K_COUNT},
    {HTML_COL, ATTR_WIDTH, K_LENGTH},
    {HTML_COLGROUP, ATTR_SPAN, K_COUNT},
    {HTML_DIV, ATTR_ALIGN, K_ALIGN},
    {HTML_FONT, ATTR_COLOR, K_COLOR},
    {HTML_FONT, ATTR_FACE, K_FACE},
    {HTML_FONT, ATTR_SIZE, K_FONT_SIZE},
    {HTML_H1, ATTR_ALIGN, K_ALIGN},
    {HTML_H2, ATTR_ALIGN, K_ALIGN},
    {HTML_H3, ATTR_ALIGN, K_ALIGN},
    {HTML_H4, ATTR_ALIGN, K_ALIGN},
    {HTML_H5, ATTR_ALIGN, K_ALIGN},
    {HTML_H6, ATTR_ALIGN, K_ALIGN},
    {HTML_HR, ATTR_WIDTH, K_LENGTH},
    {HTML_LI, ATTR_VALUE, K_NUMBER},
    {HTML_OL, ATTR_REVERSED, K_FLAG},
    {HTML_OL, ATTR_START, K_NUMBER},
    {HTML_OL, ATTR_TYPE, K_LIST},
    {HTML_P, ATTR_ALIGN, K_ALIGN},
    {HTML_TABLE, ATTR_ALIGN, K_ALIGN},
    {HTML_TABLE, ATTR_BGCOLOR, K_COLOR},
    {HTML_TABLE, ATTR_BORDER, K_COUNT},
    {HTML_TABLE, ATTR_CELLPADDING, K_COUNT},
    {HTML_TABLE, ATTR_CELLSPACING, K_COUNT},
    {HTML_TABLE, ATTR_WIDTH, K_LENGTH},
    {HTML_TD, ATTR_ALIGN, K_ALIGN},
    {HTML_TD, ATTR_BGCOLOR, K_COLOR},
    {HTML_TD, ATTR_COLSPAN, K_COUNT},
    {HTML_TD, ATTR_NOWRAP, K_FLAG},
    {HTML_TD, ATTR_ROWSPAN, K_COUNT},
    {HTML_TD, ATTR_VALIGN, K_ALIGN},
    {HTML_TD, ATTR_WIDTH, K_LENGTH},
    {HTML_TH, ATTR_ALIGN, K_ALIGN},
    {HTML_TH, ATTR_BGCOLOR, K_COLOR},
    {HTML_TH, ATTR_COLSPAN, K_COUNT},
    {HTML_TH, ATTR_ROWSPAN, K_COUNT},
    {HTML_TH, ATTR_VALIGN, K_ALIGN},
    {HTML_TH, ATTR_WIDTH, K_LENGTH},
    {HTML_TR, ATTR_ALIGN, K_ALIGN},
    {HTML_TR, ATTR_BGCOLOR, K_COLOR},
    {HTML_TR, ATTR_VALIGN, K_ALIGN},
    {HTML_UL, ATTR_TYPE, K_LIST},
};

static const bool allowed[HTML_N] = {
    [HTML_A] = true,
    [HTML_ABBR] = true,
    [HTML_B] = true,
    [HTML_BIG] = true,
    [HTML_BLOCKQUOTE] = true,
    [HTML_BR] = true,
    [HTML_CAPTION] = true,
    [HTML_CENTER] = true,
    [HTML_CITE] = true,
    [HTML_CODE] = true,
    [HTML_COL] = true,
    [HTML_COLGROUP] = true,
    [HTML_DD] = true,
    [HTML_DEL] = true,
    [HTML_DFN] = true,
    [HTML_DIV] = true,
    [HTML_DL] = true,
    [HTML_DT] = true,
    [HTML_EM] = true,
    [HTML_FONT] = true,
    [HTML_H1] = true,
    [HTML_H2] = true,
    [HTML_H3] = true,
    [HTML_H4] = true,
    [HTML_H5] = true,
    [HTML_H6] = true,
    [HTML_HR] = true,
    [HTML_I] = true,
    [HTML_INS] = true,
    [HTML_KBD] = true,
    [HTML_LI] = true,
    [HTML_MARK] = true,
    [HTML_OL] = true,
    [HTML_P] = true,
    [HTML_PRE] = true,
    [HTML_Q] = true,
    [HTML_S] = true,
    [HTML_SAMP] = true,
    [HTML_SMALL] = true,
    [HTML_SPAN] = true,
    [HTML_STRIKE] = true,
    [HTML_STRONG] = true,
    [HTML_SUB] = true,
    [HTML_SUP] = true,
    [HTML_TABLE] = true,
    [HTML_TBODY] = true,
    [HTML_TD] = true,
    [HTML_TFOOT] = true,
    [HTML_TH] = true,
    [HTML_THEAD] = true,
    [HTML_TR] = true,
    [HTML_TT] = true,
    [HTML_U] = true,
    [HTML_UL] = true,
    [HTML_VAR] = true,
    [HTML_WBR] = true,
};

struct clean {
        struct buf *out;
        size_t start; /* where ours begins in out */
        size_t max; /* bytes we may write */
        size_t tail; /* bytes of the end tags still to be written */
        bool cut; /* that was not enough */
        struct html_stack open;
        struct buf tag; /* the tag that is being made */
        struct buf value; /* of an attribute */
        struct buf clean; /* the same when judged */
        struct buf style;
        struct buf one; /* a character */
};

/* ---- writing ---- */

static bool
fits(struct clean *c, size_t n)
{
        c->cut = c->cut || c->out->len - c->start + n + c->tail > c->max;
        return !c->cut;
}

/* Marks that turn the direction of what follows would reach out of the mail. */
static bool
is_bad(uint32_t cp)
{
        return (cp < 32 && cp != '\n' && cp != '\t') || (cp >= 127 && cp < 160) ||
               (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static void
add_escaped(struct buf *out, uint32_t cp)
{
        switch (cp) {
        case '&':
                buf_adds(out, "&amp;");
                break;
        case '<':
                buf_adds(out, "&lt;");
                break;
        case '>':
                buf_adds(out, "&gt;");
                break;
        case '"':
                buf_adds(out, "&quot;");
                break;
        case '\'':
                buf_adds(out, "&#39;");
                break;
        default:
                if (!is_bad(cp))
                        utf8_add(out, cp);
                break;
        }
}

static void
put_char(struct clean *c, uint32_t cp)
{
        buf_clear(&c->one);
        add_escaped(&c->one, cp);
        if (fits(c, c->one.len))
                buf_add(c->out, buf_str(&c->one), c->one.len);
}

static size_t
plain_run(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && i < MAX_RUN && (unsigned char)s[i] >= ' ' &&
               (unsigned char)s[i] < 127 && strchr("&<>\"'", s[i]) == NULL)
                i++;
        return i;
}

static void
put_text(struct clean *c, const char *s, size_t n, bool raw)
{
        size_t used;

        for (size_t i = 0; i < n && !c->cut; i += used) {
                used = plain_run(s + i, n - i);
                if (used > 0 && fits(c, used))
                        buf_add(c->out, s + i, used);
                else if (used == 0 && s[i] == '&' && !raw)
                        put_char(c, html_entity(s + i, n - i, false, &used));
                else if (used == 0)
                        put_char(c, utf8_next(s + i, n - i, &used));
        }
}

/* ---- attributes ---- */

/* name="value" of the tag that is being made. */
static void
add_attribute(struct clean *c, const char *name, const char *s, size_t n)
{
        size_t used;

        buf_addf(&c->tag, " %s=\"", name);
        for (size_t i = 0; i < n; i += used)
                add_escaped(&c->tag, utf8_next(s + i, n - i, &used));
        buf_addc(&c->tag, '"');
}

static bool
only_of(const struct html_value *v, const char *more)
{
        for (size_t i = 0; i < v->n; i++)
                if (v->s[i] == '\0' ||
                    (!isalnum((unsigned char)v->s[i]) && strchr(more, v->s[i]) == NULL))
                        return false;
        return v->n > 0;
}

static bool
is_integer(const struct html_value *v, double min, double max)
{
        double n = html_number(v);

        for (size_t i = 0; i < v->n; i++)
                if (!isdigit((unsigned char)v->s[i]))
                        return false;
        return v->n <= 6 && n >= min && n <= max;
}

static bool
is_old_length(const struct html_value *v)
{
        struct html_value number = {v->s, v->n};

        if (v->n > 1 && v->s[v->n - 1] == '%') {
                number.n--;
                return is_integer(&number, 1, 100);
        }
        return is_integer(v, 1, 2000);
}

static bool
is_font_size(const struct html_value *v)
{
        struct html_value digit = {v->s, v->n};

        if (v->n == 2 && (v->s[0] == '+' || v->s[0] == '-')) {
                digit.s++;
                digit.n--;
        }
        return digit.n == 1 && is_integer(&digit, 1, 7);
}

static bool
is_kind(const struct html_value *v, enum kind kind)
{
        switch (kind) {
        case K_ALIGN:
                return v->n <= 10 && html_is_words(v);
        case K_COLOR:
                return html_is_color(v);
        case K_COUNT:
                return is_integer(v, 0, MAX_CELLS);
        case K_NUMBER:
                return is_integer(v, 0, 9999);
        case K_LENGTH:
                return is_old_length(v);
        case K_FONT_SIZE:
                return is_font_size(v);
        case K_FACE:
                return v->n <= 100 && only_of(v, " ,-");
        case K_LIST:
                return v->n <= 10 && only_of(v, "");
        case K_DIR:
                return html_value_is(v, "ltr") || html_value_is(v, "rtl") ||
                       html_value_is(v, "auto");
        case K_LANG:
                return v->n <= 20 && only_of(v, "-");
        case K_CITE:
                return html_value_is(v, "cite");
        case K_FLAG:
                return true;
        case K_TEXT:
                return v->n > 0 && v->n <= 500;
        }
        return false;
}

static void
add_attributes(struct clean *c, enum html_element e, const struct html_attrs *a)
{
        for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
                struct html_value v;

                if ((rules[i].element != HTML_N && rules[i].element != e) ||
                    !html_value(a, rules[i].attr, &c->value, MAX_VALUE))
                        continue;
                v = (struct html_value){buf_str(&c->value), c->value.len};
                if (rules[i].kind == K_FLAG)
                        v.n = 0;
                if (is_kind(&v, rules[i].kind))
                        add_attribute(c, html_attr_name(rules[i].attr), v.s, v.n);
        }
        html_style_clean(buf_str(&c->style), c->style.len, &c->clean);
        if (c->clean.len > 0)
                add_attribute(c, "style", c->clean.data, c->clean.len);
}

static void
add_link(struct clean *c, const struct html_attrs *a)
{
        if (!html_value(a, ATTR_HREF, &c->value, MAX_VALUE) ||
            !html_address_clean(buf_str(&c->value), c->value.len, &c->clean))
                return;
        add_attribute(c, "href", buf_str(&c->clean), c->clean.len);
        buf_adds(&c->tag, " target=\"_blank\" rel=\"noopener noreferrer nofollow\"");
}

/* ---- elements ---- */

static bool
is_cid(const struct buf *b)
{
        if (b->len < 5 || b->len > 500 || strncasecmp(b->data, "cid:", 4) != 0)
                return false;
        for (size_t i = 4; i < b->len; i++)
                if (b->data[i] <= 32 || b->data[i] == 127 || b->data[i] == '\\')
                        return false;
        return true;
}

/* A picture of this mail; of any other only the words that describe it. */
static void
image(struct clean *c, const struct html_attrs *a)
{
        struct buf *alt = &c->clean;

        html_value(a, ATTR_ALT, alt, 400);
        if (html_value(a, ATTR_SRC, &c->value, MAX_VALUE) && is_cid(&c->value)) {
                buf_clear(&c->tag);
                buf_adds(&c->tag, "<img");
                memcpy(c->value.data, "cid:", 4);
                add_attribute(c, "src", c->value.data, c->value.len);
                add_attribute(c, "alt", buf_str(alt), alt->len);
                for (size_t i = 0; i < 2; i++) {
                        enum html_attr attr = i == 0 ? ATTR_WIDTH : ATTR_HEIGHT;
                        struct html_value v = a->v[attr];

                        if (v.s != NULL && is_old_length(&v))
                                add_attribute(c, html_attr_name(attr), v.s, v.n);
                }
                buf_addc(&c->tag, '>');
                if (fits(c, c->tag.len))
                        buf_add(c->out, c->tag.data, c->tag.len);
        } else if (strspn(buf_str(alt), " ") < alt->len) {
                put_char(c, '[');
                put_text(c, alt->data, alt->len, true);
                put_char(c, ']');
        }
}

static size_t
end_tag_size(enum html_element e)
{
        return html_sort(e) & HTML_VOID ? 0 : strlen(html_name(e)) + 3;
}

/* Writes the start tag; false when there is no room. */
static bool
write_start(struct clean *c, enum html_element e, const struct html_attrs *a)
{
        buf_clear(&c->tag);
        buf_addf(&c->tag, "<%s", html_name(e));
        if (e == HTML_A)
                add_link(c, a);
        add_attributes(c, e, a);
        buf_addc(&c->tag, '>');
        if (!fits(c, c->tag.len + end_tag_size(e)))
                return false;
        buf_add(c->out, c->tag.data, c->tag.len);
        c->tail += end_tag_size(e);
        return true;
}

static void
on_closed(void *arg, struct html_open *o, int index)
{
        struct clean *c = arg;

        (void)index;
        if (!(o->effects & WRITTEN))
                return;
        c->tail -= end_tag_size(o->element);
        buf_addf(c->out, "</%s>", html_name(o->element));
}

static void
on_open(struct clean *c, const struct html_token *t)
{
        struct html_attrs a;
        struct html_look look;
        struct html_open *o;

        if (t->element == HTML_BODY || t->element == HTML_HTML || t->element == HTML_HEAD)
                return;
        html_attributes(t, &a);
        html_look(t->element, &a, &c->style, &look);
        html_stack_imply(&c->open, t->element);
        if (html_sort(t->element) & HTML_VOID) {
                if (look.hidden || !html_stack_seen(&c->open))
                        return;
                if (t->element == HTML_IMG)
                        image(c, &a);
                else if (allowed[t->element])
                        write_start(c, t->element, &a);
                return;
        }
        if (t->element == HTML_OTHER && t->empty)
                return;
        o = html_stack_push(&c->open, t, &look);
        if (o != NULL && !o->hidden && allowed[t->element] &&
            write_start(c, t->element, &a))
                o->effects = WRITTEN;
}

static void
on_close(struct clean *c, const struct html_token *t)
{
        if (t->element == HTML_BR && html_stack_seen(&c->open)) {
                if (fits(c, 4))
                        buf_adds(c->out, "<br>");
        } else {
                html_stack_close(&c->open, t, false);
        }
}

bool
mime_html_clean(struct buf *out, const char *html, size_t n, size_t max)
{
        struct clean c = {.out = out, .start = out->len, .max = max};
        struct html_reader r;
        struct html_token t;

        html_stack_init(&c.open, MAX_OPEN, on_closed, &c);
        html_reader_init(&r, html, n);
        while (!c.cut && html_next(&r, &t)) {
                if (t.type == HTML_OPEN)
                        on_open(&c, &t);
                else if (t.type == HTML_CLOSE)
                        on_close(&c, &t);
                else if (html_stack_seen(&c.open))
                        put_text(&c, t.s, t.n, t.raw);
        }
        html_stack_close_all(&c.open);
        html_stack_fini(&c.open);
        buf_fini(&c.tag);
        buf_fini(&c.value);
        buf_fini(&c.clean);
        buf_fini(&c.style);
        buf_fini(&c.one);
        return c.cut;
}
