/*
 * HTML -> text; see helper_mime_html.h.
 *
 * One pass over the words of the HTML (helper_mime_html_token.h) with the open elements
 * at hand (helper_mime_html_stack.h). Line ends, blanks, list marks and what parts cells
 * are wished for when the HTML says so and written before the next letter, so that
 * nothing stands at the end of a line and empty elements leave nothing behind.
 */
#include "channels/helper_mime_html.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_html_mark.h"
#include "channels/helper_mime_html_stack.h"
#include "channels/helper_mime_html_token.h"
#include "daemon/base/utf8.h"

#define MAX_HREF 4000 /* longer addresses are not shown */
#define MAX_QUOTES 10
#define MAX_LISTS 10
#define MAX_TABLES 50
#define MAX_OPEN 2000 /* elements in elements */
#define MAX_MARK 48 /* bytes of a list's mark */
#define MAX_SHOWN 1024 /* addresses remembered, a power of two */
#define SHORT_CELL 60

/* What closing an element undoes. */
#define DOES_QUOTE 1u
#define DOES_LIST 2u
#define DOES_LINK 4u
#define DOES_TABLE 8u
#define DOES_MARK 16u
#define DOES_CITE 32u

struct table {
        bool plain; /* said to be for the layout only */
        bool data; /* has head cells or a border */
        bool row; /* a cell of the row has been opened */
        size_t cell_at; /* where the last cell's text begins */
        unsigned cell_line; /* number of the line it begins on */
        bool wide; /* the row has more than one cell */
};

struct html {
        struct buf *out;
        size_t start; /* where our text begins in out */
        size_t max; /* bytes we may write */
        bool cut; /* that was not enough */

        unsigned newlines; /* wanted before the next character, 0..2 */
        bool space; /* a blank wanted before it */
        bool line_open; /* something stands on the current line */
        bool blank_line; /* a hard blank stood where a line begins */
        const char *hold; /* a cell begins: instead of line ends this; NULL: no */
        unsigned n_lines; /* written */
        unsigned quotes; /* open blockquotes */
        unsigned between; /* fewest quotes open since the line ends were wanted */
        bool cell_fresh; /* a cell begins, it has no letter yet */

        unsigned lists; /* open lists */
        unsigned number[MAX_LISTS]; /* next number of each; 0: bullets */
        char mark[MAX_MARK]; /* of an item that has no text yet, "" none */

        unsigned tables; /* open tables */
        struct table table[MAX_TABLES];

        struct buf href; /* of the open link, "" when none is worth showing */
        size_t link_at; /* where its text begins in out */
        uint64_t shown[MAX_SHOWN]; /* hashes of addresses shown; 0 free */
        unsigned n_shown;

        struct html_stack open;
        struct html_marker *marker; /* NULL: nobody asked */
        struct buf scratch; /* a value */
        struct buf one; /* a character */
};

/* ---- writing ---- */

/* Bytes that begin a line before its first letter, at most. */
static size_t
line_start_size(const struct html *h)
{
        return h->newlines * (1 + h->quotes) + h->quotes + 2 + strlen(h->mark);
}

static void
put_line_start(struct html *h)
{
        if (h->out->len > h->start)
                for (; h->newlines > 0; h->newlines--) {
                        buf_addc(h->out, '\n');
                        h->n_lines++;
                        for (unsigned i = 0; h->newlines > 1 && i < h->between; i++)
                                buf_addc(h->out, '>');
                }
        h->newlines = 0;
        h->space = false;
        h->blank_line = false;
        for (unsigned i = 0; i < h->quotes; i++)
                buf_addc(h->out, '>');
        if (h->quotes > 0)
                buf_addc(h->out, ' ');
        h->line_open = true;
}

/* The first letter of a cell tells on which line it stands. */
static void
cell_begins(struct html *h)
{
        h->cell_fresh = false;
        if (h->tables > 0 && h->tables <= MAX_TABLES) {
                h->table[h->tables - 1].cell_at = h->out->len;
                h->table[h->tables - 1].cell_line = h->n_lines;
        }
}

static void
put_mark(struct html *h)
{
        buf_adds(h->out, h->mark);
        buf_addc(h->out, ' ');
        h->mark[0] = '\0';
}

static void
put_bytes(struct html *h, const char *s, size_t n)
{
        size_t used = h->out->len - h->start + line_start_size(h);

        if (used + n + 4 > h->max) {
                h->cut = true;
                n = used + 4 < h->max ? utf8_cut(s, n, h->max - used - 4) : 0;
                if (n == 0)
                        return;
        }
        if (h->newlines > 0 || !h->line_open)
                put_line_start(h);
        else if (h->hold != NULL)
                buf_adds(h->out, h->hold);
        else if (h->space)
                buf_addc(h->out, ' ');
        h->hold = NULL;
        if (h->mark[0] != '\0')
                put_mark(h);
        if (h->cell_fresh)
                cell_begins(h);
        h->space = false;
        buf_add(h->out, s, n);
}

/* At least n line ends before the next character. */
static void
want_newlines(struct html *h, unsigned n)
{
        if (h->hold != NULL)
                return;
        if (h->blank_line)
                n = 2;
        h->blank_line = false;
        if (h->cell_fresh && n > 1)
                n = 1;
        if (h->newlines == 0)
                h->between = h->quotes;
        if (h->newlines < n)
                h->newlines = n;
        h->space = false;
}

static void
line_break(struct html *h)
{
        if (h->hold != NULL)
                return;
        if (h->newlines == 0)
                h->between = h->quotes;
        if (h->newlines < 2)
                h->newlines++;
        h->space = false;
}

/* Invisible characters that mails use as filling. */
static bool
is_filling(uint32_t cp)
{
        return cp == 0xad || cp == 0x34f || cp == 0x61c ||
               (cp >= 0x115f && cp <= 0x1160) || (cp >= 0x17b4 && cp <= 0x17b5) ||
               (cp >= 0x180b && cp <= 0x180e) || (cp >= 0x200b && cp <= 0x200f) ||
               (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) ||
               cp == 0x3164 || cp == 0xfeff || (cp >= 0xe0000 && cp <= 0xe007f);
}

static bool
is_space(uint32_t cp)
{
        return cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r' || cp == '\f' ||
               cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
               (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 ||
               cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

/* A blank: collapsed, or kept in what is preformatted. */
static void
put_space(struct html *h, uint32_t cp, bool pre)
{
        bool starts = h->newlines > 0 || !h->line_open;

        if (pre && (cp == '\n' || cp == 0x2028 || cp == 0x2029))
                line_break(h);
        else if (pre && (cp == ' ' || cp == '\t' || cp == 0xa0))
                put_bytes(h, cp == '\t' ? "\t" : " ", 1);
        else if (starts && cp == 0xa0)
                h->blank_line = true;
        else if (!starts && h->mark[0] == '\0' && h->hold == NULL)
                h->space = true;
}

static void
put_text_char(struct html *h, uint32_t cp, bool pre)
{
        if (is_filling(cp))
                return;
        if (is_space(cp)) {
                put_space(h, cp, pre);
        } else if (cp >= 32 && (cp < 127 || cp > 159)) {
                buf_clear(&h->one);
                utf8_add(&h->one, cp);
                put_bytes(h, h->one.data, h->one.len);
        }
}

/* Bytes from s that are letters of ASCII and nothing else. */
static size_t
plain_run(const char *s, size_t n, bool raw)
{
        size_t i = 0;

        while (i < n && (unsigned char)s[i] > ' ' && (unsigned char)s[i] < 127 &&
               (raw || s[i] != '&'))
                i++;
        return i;
}

static void
put_text(struct html *h, const char *s, size_t n, bool raw)
{
        bool pre = html_stack_pre(&h->open);
        size_t used;

        for (size_t i = 0; i < n && !h->cut; i += used) {
                uint32_t cp;

                used = plain_run(s + i, n - i, raw);
                if (used > 0) {
                        put_bytes(h, s + i, used);
                        continue;
                }
                if (s[i] == '&')
                        cp = html_entity(s + i, n - i, false, &used);
                else
                        cp = utf8_next(s + i, n - i, &used);
                put_text_char(h, cp, pre);
        }
}

/* A text that is no HTML, on one line. */
static void
put_value(struct html *h, const char *s, size_t n)
{
        size_t used;

        for (size_t i = 0; i < n; i += used)
                put_text_char(h, utf8_next(s + i, n - i, &used), false);
}

/* ---- links and images ---- */

static uint64_t
hash_of(const char *s, size_t n)
{
        uint64_t hash = 14695981039346656037u;

        for (size_t i = 0; i < n; i++)
                hash = (hash ^ (unsigned char)s[i]) * 1099511628211u;
        return hash != 0 ? hash : 1;
}

/* Notes the address as shown; true when it was already. */
static bool
was_shown(struct html *h, const struct buf *href)
{
        uint64_t hash = hash_of(href->data, href->len);
        size_t i = hash % MAX_SHOWN;

        while (h->shown[i] != 0 && h->shown[i] != hash)
                i = (i + 1) % MAX_SHOWN;
        if (h->shown[i] == hash)
                return true;
        if (h->n_shown < MAX_SHOWN / 2) {
                h->shown[i] = hash;
                h->n_shown++;
        }
        return false;
}

/* Cuts "mailto:" and what follows a "?"; other addresses stay. */
static void
shorten_mailto(struct buf *href)
{
        char *end;

        buf_consume(href, 7);
        end = href->len > 0 ? memchr(href->data, '?', href->len) : NULL;
        if (end != NULL)
                href->len = (size_t)(end - href->data);
        if (href->len == 0 || memchr(href->data, '@', href->len) == NULL)
                buf_clear(href);
}

static void
link_open(struct html *h, const struct html_attrs *a)
{
        struct buf *href = &h->href;
        const char *s;

        html_value(a, ATTR_HREF, href, MAX_HREF + 8);
        s = buf_str(href);
        if (href->len <= MAX_HREF && strncasecmp(s, "mailto:", 7) == 0)
                shorten_mailto(href);
        else if (href->len > MAX_HREF || (strncasecmp(s, "http://", 7) != 0 &&
                                             strncasecmp(s, "https://", 8) != 0))
                buf_clear(href);
        h->link_at = h->out->len;
}

/* The part of an address that people write: no "https://", "www.", "/" at its end. */
static struct html_value
bare_address(const struct buf *href)
{
        struct html_value v = {href->data, href->len};
        const char *rest = memmem(v.s, v.n, "://", 3);

        if (rest != NULL) {
                v.n -= (size_t)(rest - v.s) + 3;
                v.s = rest + 3;
        }
        if (v.n > 4 && strncasecmp(v.s, "www.", 4) == 0) {
                v.s += 4;
                v.n -= 4;
        }
        while (v.n > 0 && v.s[v.n - 1] == '/')
                v.n--;
        return v;
}

/* Does the link's text hold its address? Only its ends are compared, for speed. */
static bool
shows_address(const char *text, size_t n, const struct html_value *bare)
{
        if (n > bare->n + 200 || n < bare->n)
                return false;
        for (size_t i = 0; i + bare->n <= n; i++)
                if (strncasecmp(text + i, bare->s, bare->n) == 0)
                        return true;
        return false;
}

/* "text <address>", unless the text is the address or it was told before. */
static void
link_close(struct html *h)
{
        size_t shown = h->out->len > h->link_at ? h->out->len - h->link_at : 0;
        unsigned newlines = h->newlines;
        struct html_value bare;

        if (h->href.len == 0 || shown == 0) {
                buf_clear(&h->href);
                return;
        }
        bare = bare_address(&h->href);
        if (!shows_address(h->out->data + h->link_at, shown, &bare) &&
            !was_shown(h, &h->href)) {
                h->newlines = 0; /* on the line of its text */
                h->space = true;
                h->hold = NULL;
                put_bytes(h, "<", 1);
                put_bytes(h, h->href.data, h->href.len);
                put_bytes(h, ">", 1);
                h->newlines = newlines;
        }
        buf_clear(&h->href);
}

/* Outlook describes pictures by their files' names. */
static bool
is_file_name(const char *s)
{
        static const char *const types[] = {
            ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg"};
        size_t n = strlen(s);

        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                size_t len = strlen(types[i]);

                if (n > len && strcasecmp(s + n - len, types[i]) == 0)
                        return true;
        }
        return false;
}

static void
image(struct html *h, const struct html_attrs *a)
{
        struct buf *b = &h->scratch;
        size_t len;

        if (html_value(a, ATTR_DATA_EMOJI, b, 20) && b->len > 0 && b->len < 20) {
                put_value(h, b->data, b->len);
                return;
        }
        if (!html_value(a, ATTR_ALT, b, 204))
                return;
        len = utf8_cut(buf_str(b), b->len, 199);
        b->len = len;
        if (len == 0 || strspn(b->data, " \t\xc2\xa0") >= len || is_file_name(buf_str(b)))
                return;
        if (len <= 16 && (unsigned char)b->data[0] >= 0xe2) { /* an emoji as a picture */
                put_value(h, b->data, len);
                return;
        }
        put_bytes(h, "[", 1);
        put_value(h, b->data, len);
        h->space = false;
        put_bytes(h, "]", 1);
}

/* ---- lists ---- */

static unsigned
small_number(const struct html_attrs *a, enum html_attr attr)
{
        double v = a->v[attr].s != NULL ? html_number(&a->v[attr]) : -1;

        return v > 0 && v < 1e6 ? (unsigned)v : 0;
}

static void
list_item(struct html *h, const struct html_attrs *a)
{
        unsigned depth = h->lists < MAX_LISTS ? h->lists : MAX_LISTS;
        int indent = depth > 0 ? (int)(depth - 1) * 2 : 0;
        unsigned *number = depth > 0 ? &h->number[depth - 1] : NULL;

        want_newlines(h, 1);
        if (number != NULL && *number > 0) {
                if (small_number(a, ATTR_VALUE) > 0)
                        *number = small_number(a, ATTR_VALUE);
                snprintf(h->mark, sizeof(h->mark), "%*s%u.", indent, "", (*number)++);
        } else {
                snprintf(h->mark, sizeof(h->mark), "%*s-", indent, "");
        }
}

static void
list_open(struct html *h, enum html_element e, const struct html_attrs *a)
{
        unsigned start = small_number(a, ATTR_START);

        want_newlines(h, h->lists == 0 ? 2 : 1);
        if (h->lists++ < MAX_LISTS)
                h->number[h->lists - 1] = e != HTML_OL ? 0 : start > 0 ? start : 1;
}

static void
list_closed(struct html *h)
{
        h->mark[0] = '\0';
        h->lists -= h->lists > 0;
        want_newlines(h, h->lists == 0 ? 2 : 1);
}

/* ---- tables ---- */

static struct table *
table_now(struct html *h)
{
        return h->tables > 0 && h->tables <= MAX_TABLES ? &h->table[h->tables - 1] : NULL;
}

static void
table_open(struct html *h, const struct html_attrs *a)
{
        struct table *t;

        h->hold = NULL;
        want_newlines(h, 1);
        h->tables++;
        t = table_now(h);
        if (t == NULL)
                return;
        memset(t, 0, sizeof(*t));
        t->plain = a->v[ATTR_ROLE].s != NULL &&
                   (html_value_is(&a->v[ATTR_ROLE], "presentation") ||
                       html_value_is(&a->v[ATTR_ROLE], "none"));
        t->data = small_number(a, ATTR_BORDER) > 0 || a->v[ATTR_RULES].n > 0;
}

static void
row_open(struct html *h)
{
        struct table *t = table_now(h);

        h->hold = NULL;
        want_newlines(h, 1);
        if (t == NULL)
                return;
        if ((t->data || t->wide) && h->newlines > 1) /* rows of a list, no paragraphs */
                h->newlines = 1;
        t->row = t->wide = false;
}

/* What parts the cell before from the one that begins. */
static const char *
cell_parting(const struct html *h, const struct table *t)
{
        size_t len = h->out->len - t->cell_at;
        char last = h->out->data[h->out->len - 1];

        if (last == ':')
                return " ";
        if (t->data)
                return " | ";
        if (t->plain || last == ']' || last == '>' || len < 3 || len > SHORT_CELL)
                return " ";
        return " | ";
}

static void
cell_open(struct html *h, enum html_element e)
{
        struct table *t = table_now(h);
        bool row = t != NULL && t->row;

        if (t == NULL) {
                want_newlines(h, 1);
                return;
        }
        t->data = t->data || e == HTML_TH;
        t->wide = row;
        if (row && h->hold == NULL && !h->cell_fresh && h->out->len > h->start) {
                if (t->cell_line == h->n_lines)
                        h->hold = cell_parting(h, t);
                else
                        want_newlines(h, 1);
        }
        if (h->hold != NULL)
                h->newlines = 0;
        t->row = true;
        h->cell_fresh = true;
}

static void
table_closed(struct html *h)
{
        h->tables -= h->tables > 0;
        h->hold = NULL;
        want_newlines(h, 1);
}

/* ---- elements ---- */

/* Line ends around a paragraph; Word's have no margins, and lists' and cells' neither. */
static unsigned
margin_of(const struct html *h, const struct html_token *t, const struct html_attrs *a,
    const struct html_look *look)
{
        const struct html_value *class = &a->v[ATTR_CLASS];

        if (t->element != HTML_P)
                return 2;
        if (look->tight || h->mark[0] != '\0')
                return 1;
        return class->n >= 3 && strncasecmp(class->s, "Mso", 3) == 0 ? 1 : 2;
}

static void
begin_element(struct html *h, const struct html_token *t, const struct html_attrs *a,
    const struct html_look *look, unsigned *effects)
{
        switch (t->element) {
        case HTML_P:
        case HTML_H1:
        case HTML_H2:
        case HTML_H3:
        case HTML_H4:
        case HTML_H5:
        case HTML_H6:
                want_newlines(h, margin_of(h, t, a, look));
                break;
        case HTML_DL:
                want_newlines(h, 2);
                break;
        case HTML_LI:
                list_item(h, a);
                break;
        case HTML_OL:
        case HTML_UL:
        case HTML_MENU:
        case HTML_DIR:
                list_open(h, t->element, a);
                *effects |= DOES_LIST;
                break;
        case HTML_BLOCKQUOTE:
                want_newlines(h, 1);
                if (!look->indented && h->quotes < MAX_QUOTES) {
                        h->hold = NULL;
                        want_newlines(h, 1);
                        h->quotes++;
                        *effects |= DOES_QUOTE;
                }
                break;
        case HTML_TABLE:
                table_open(h, a);
                *effects |= DOES_TABLE;
                break;
        case HTML_TR:
                row_open(h);
                break;
        case HTML_TD:
        case HTML_TH:
                cell_open(h, t->element);
                break;
        case HTML_A:
                link_open(h, a);
                *effects |= DOES_LINK;
                break;
        case HTML_Q:
                put_bytes(h, "\"", 1);
                *effects |= DOES_CITE;
                break;
        default:
                if (html_sort(t->element) & HTML_BLOCK)
                        want_newlines(h, 1);
                break;
        }
}

/* An element without content. */
static void
void_element(struct html *h, const struct html_token *t, const struct html_attrs *a)
{
        if (t->element == HTML_BR) {
                line_break(h);
        } else if (t->element == HTML_HR) {
                want_newlines(h, 1);
                put_bytes(h, "----", 4);
                want_newlines(h, 1);
        } else if (t->element == HTML_IMG) {
                image(h, a);
        }
}

/* The margin below is written down when an element opens: its attributes are gone. */
#define DOES_WIDE 64u

static void
on_closed(void *arg, struct html_open *o, int index)
{
        struct html *h = arg;

        if (o->effects & DOES_LINK)
                link_close(h);
        if (o->effects & DOES_CITE)
                put_bytes(h, "\"", 1);
        if ((o->effects & DOES_MARK) && h->marker != NULL)
                html_marker_closed(
                    h->marker, index, buf_str(h->out) + h->start, h->out->len - h->start);
        if (o->effects & DOES_QUOTE) {
                want_newlines(h, 1);
                h->quotes -= h->quotes > 0;
                h->between = h->between < h->quotes ? h->between : h->quotes;
        }
        if (o->effects & DOES_LIST)
                list_closed(h);
        if (o->effects & DOES_TABLE)
                table_closed(h);
        if (o->element == HTML_LI)
                h->mark[0] = '\0';
        if (o->element == HTML_TR)
                h->hold = NULL;
        if (html_sort(o->element) & HTML_BLOCK)
                want_newlines(h, o->effects & DOES_WIDE ? 2 : 1);
}

static void
sign(struct html *h, const struct html_token *t, const struct html_attrs *a,
    const struct html_look *look, const char *rest, size_t n_rest, unsigned *effects)
{
        enum html_sign s = html_sign_of(t->element, a, look, &h->scratch);

        if (s == SIGN_NONE || (s == SIGN_REST_IF && !html_heads_follow(rest, n_rest)))
                return;
        html_marker_open(
            h->marker, s, h->open.n, buf_str(h->out) + h->start, h->out->len - h->start);
        *effects |= DOES_MARK;
}

static void
on_open(struct html *h, const struct html_reader *r, const struct html_token *t)
{
        struct html_attrs a;
        struct html_look look;
        unsigned effects = 0;
        struct html_open *o;

        if (t->element == HTML_BODY || t->element == HTML_HTML || t->element == HTML_HEAD)
                return;
        html_attributes(t, &a);
        html_look(t->element, &a, &h->scratch, &look);
        html_stack_imply(&h->open, t->element);
        if (html_stack_seen(&h->open) && !look.hidden) {
                if (h->marker != NULL && t->n > 0)
                        sign(h, t, &a, &look, r->s + r->at, r->n - r->at, &effects);
                if (html_sort(t->element) & HTML_VOID)
                        void_element(h, t, &a);
                else
                        begin_element(h, t, &a, &look, &effects);
        }
        if ((html_sort(t->element) & HTML_VOID) || (t->element == HTML_OTHER && t->empty))
                return;
        if ((t->element == HTML_P && margin_of(h, t, &a, &look) == 2) ||
            (t->element >= HTML_H1 && t->element <= HTML_H6) || t->element == HTML_DL)
                effects |= DOES_WIDE;
        o = html_stack_push(&h->open, t, &look);
        if (o != NULL)
                o->effects = effects;
}

static void
on_close(struct html *h, const struct html_token *t)
{
        if (t->element == HTML_BR) /* browsers take </br> for <br> */
                line_break(h);
        else if (t->element == HTML_P && h->open.top[HTML_P] < 0)
                want_newlines(h, 2);
        else
                html_stack_close(&h->open, t, true);
}

bool
mime_html_text_marked(
    struct buf *out, const char *html, size_t n, size_t max, struct text_marks *marks)
{
        struct html h = {.out = out, .start = out->len, .max = max};
        struct html_marker marker;
        struct html_reader r;
        struct html_token t;

        html_marker_init(&marker);
        h.marker = marks != NULL ? &marker : NULL;
        html_stack_init(&h.open, MAX_OPEN, on_closed, &h);
        html_reader_init(&r, html, n);
        while (!h.cut && html_next(&r, &t)) {
                if (t.type == HTML_OPEN)
                        on_open(&h, &r, &t);
                else if (t.type == HTML_CLOSE)
                        on_close(&h, &t);
                else if (html_stack_seen(&h.open))
                        put_text(&h, t.s, t.n, t.raw);
        }
        html_stack_close_all(&h.open);
        while (out->len > h.start && strchr(" \t\n", out->data[out->len - 1]) != NULL)
                out->data[--out->len] = '\0';
        if (marks != NULL)
                html_marker_end(
                    &marker, buf_str(out) + h.start, out->len - h.start, marks);
        html_marker_fini(&marker);
        html_stack_fini(&h.open);
        buf_fini(&h.href);
        buf_fini(&h.scratch);
        buf_fini(&h.one);
        return h.cut;
}

bool
mime_html_text(struct buf *out, const char *html, size_t n, size_t max)
{
        return mime_html_text_marked(out, html, n, max, NULL);
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
