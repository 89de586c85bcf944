/* The words of HTML; see helper_mime_html_token.h. */
#include "channels/helper_mime_html_token.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/utf8.h"

/* clang-format off */
static const struct {
        const char *name;
        unsigned sort;
} elements[HTML_N] = {
    [HTML_A] = {"a", HTML_FORMAT},
    [HTML_ABBR] = {"abbr", 0},
    [HTML_ADDRESS] = {"address", HTML_BLOCK},
    [HTML_AREA] = {"area", HTML_VOID},
    [HTML_ARTICLE] = {"article", HTML_BLOCK},
    [HTML_ASIDE] = {"aside", HTML_BLOCK},
    [HTML_B] = {"b", HTML_FORMAT},
    [HTML_BASE] = {"base", HTML_VOID},
    [HTML_BIG] = {"big", HTML_FORMAT},
    [HTML_BLOCKQUOTE] = {"blockquote", HTML_BLOCK},
    [HTML_BODY] = {"body", HTML_BLOCK},
    [HTML_BR] = {"br", HTML_VOID},
    [HTML_BUTTON] = {"button", 0},
    [HTML_CAPTION] = {"caption", HTML_BLOCK | HTML_SCOPE},
    [HTML_CENTER] = {"center", HTML_BLOCK},
    [HTML_CITE] = {"cite", 0},
    [HTML_CODE] = {"code", HTML_FORMAT},
    [HTML_COL] = {"col", HTML_VOID},
    [HTML_COLGROUP] = {"colgroup", 0},
    [HTML_DD] = {"dd", HTML_BLOCK},
    [HTML_DEL] = {"del", 0},
    [HTML_DETAILS] = {"details", HTML_BLOCK},
    [HTML_DFN] = {"dfn", 0},
    [HTML_DIR] = {"dir", HTML_BLOCK},
    [HTML_DIV] = {"div", HTML_BLOCK},
    [HTML_DL] = {"dl", HTML_BLOCK},
    [HTML_DT] = {"dt", HTML_BLOCK},
    [HTML_EM] = {"em", HTML_FORMAT},
    [HTML_EMBED] = {"embed", HTML_VOID},
    [HTML_FIELDSET] = {"fieldset", HTML_BLOCK},
    [HTML_FIGCAPTION] = {"figcaption", HTML_BLOCK},
    [HTML_FIGURE] = {"figure", HTML_BLOCK},
    [HTML_FONT] = {"font", HTML_FORMAT},
    [HTML_FOOTER] = {"footer", HTML_BLOCK},
    [HTML_FORM] = {"form", HTML_BLOCK},
    [HTML_FRAME] = {"frame", HTML_VOID},
    [HTML_H1] = {"h1", HTML_BLOCK},
    [HTML_H2] = {"h2", HTML_BLOCK},
    [HTML_H3] = {"h3", HTML_BLOCK},
    [HTML_H4] = {"h4", HTML_BLOCK},
    [HTML_H5] = {"h5", HTML_BLOCK},
    [HTML_H6] = {"h6", HTML_BLOCK},
    [HTML_HEAD] = {"head", 0},
    [HTML_HEADER] = {"header", HTML_BLOCK},
    [HTML_HR] = {"hr", HTML_VOID | HTML_BLOCK},
    [HTML_HTML] = {"html", HTML_BLOCK},
    [HTML_I] = {"i", HTML_FORMAT},
    [HTML_IFRAME] = {"iframe", HTML_RAW | HTML_UNSEEN},
    [HTML_IMG] = {"img", HTML_VOID},
    [HTML_INPUT] = {"input", HTML_VOID},
    [HTML_INS] = {"ins", 0},
    [HTML_KBD] = {"kbd", 0},
    [HTML_LI] = {"li", HTML_BLOCK},
    [HTML_LINK] = {"link", HTML_VOID},
    [HTML_LISTING] = {"listing", HTML_BLOCK},
    [HTML_MAIN] = {"main", HTML_BLOCK},
    [HTML_MARK] = {"mark", 0},
    [HTML_MATH] = {"math", 0},
    [HTML_MENU] = {"menu", HTML_BLOCK},
    [HTML_META] = {"meta", HTML_VOID},
    [HTML_NAV] = {"nav", HTML_BLOCK},
    [HTML_NOBR] = {"nobr", HTML_FORMAT},
    [HTML_OBJECT] = {"object", 0},
    [HTML_OL] = {"ol", HTML_BLOCK},
    [HTML_OPTGROUP] = {"optgroup", 0},
    [HTML_OPTION] = {"option", HTML_BLOCK},
    [HTML_P] = {"p", HTML_BLOCK},
    [HTML_PARAM] = {"param", HTML_VOID},
    [HTML_PLAINTEXT] = {"plaintext", HTML_BLOCK | HTML_RAW},
    [HTML_PRE] = {"pre", HTML_BLOCK},
    [HTML_Q] = {"q", 0},
    [HTML_S] = {"s", HTML_FORMAT},
    [HTML_SAMP] = {"samp", 0},
    [HTML_SCRIPT] = {"script", HTML_RAW | HTML_UNSEEN},
    [HTML_SECTION] = {"section", HTML_BLOCK},
    [HTML_SELECT] = {"select", 0},
    [HTML_SMALL] = {"small", HTML_FORMAT},
    [HTML_SOURCE] = {"source", HTML_VOID},
    [HTML_SPAN] = {"span", 0},
    [HTML_STRIKE] = {"strike", HTML_FORMAT},
    [HTML_STRONG] = {"strong", HTML_FORMAT},
    [HTML_STYLE] = {"style", HTML_RAW | HTML_UNSEEN},
    [HTML_SUB] = {"sub", 0},
    [HTML_SUMMARY] = {"summary", HTML_BLOCK},
    [HTML_SUP] = {"sup", 0},
    [HTML_SVG] = {"svg", HTML_UNSEEN},
    [HTML_TABLE] = {"table", HTML_BLOCK},
    [HTML_TBODY] = {"tbody", HTML_BLOCK},
    [HTML_TD] = {"td", HTML_BLOCK | HTML_SCOPE},
    [HTML_TEMPLATE] = {"template", HTML_UNSEEN},
    [HTML_TEXTAREA] = {"textarea", HTML_BLOCK | HTML_RAW},
    [HTML_TFOOT] = {"tfoot", HTML_BLOCK},
    [HTML_TH] = {"th", HTML_BLOCK | HTML_SCOPE},
    [HTML_THEAD] = {"thead", HTML_BLOCK},
    [HTML_TITLE] = {"title", HTML_RAW | HTML_UNSEEN},
    [HTML_TR] = {"tr", HTML_BLOCK},
    [HTML_TRACK] = {"track", HTML_VOID},
    [HTML_TT] = {"tt", HTML_FORMAT},
    [HTML_U] = {"u", HTML_FORMAT},
    [HTML_UL] = {"ul", HTML_BLOCK},
    [HTML_VAR] = {"var", 0},
    [HTML_WBR] = {"wbr", HTML_VOID},
    [HTML_XML] = {"xml", HTML_RAW | HTML_UNSEEN},
    [HTML_XMP] = {"xmp", HTML_BLOCK | HTML_RAW},
    [HTML_OTHER] = {"", 0},
};

static const char *const attributes[ATTR_N] = {
    "align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "cite",
    "class", "color", "colspan", "data-emoji", "data-marker", "data-signature-widget",
    "data-smartmail", "dir", "face", "height", "hidden", "href", "id", "lang", "name",
    "nowrap", "reversed", "role", "rowspan", "rules", "size", "span", "src", "start",
    "style", "tabindex", "title", "type", "valign", "value", "width"
};
/* clang-format on */

unsigned
html_sort(enum html_element e)
{
        return elements[e].sort;
}

const char *
html_name(enum html_element e)
{
        return elements[e].name;
}

const char *
html_attr_name(enum html_attr a)
{
        return attributes[a];
}

void
html_reader_init(struct html_reader *r, const char *s, size_t n)
{
        memset(r, 0, sizeof(*r));
        r->s = s;
        r->n = n;
        r->content = HTML_N;
}

static enum html_element
element_find(const char *name)
{
        size_t low = 0;
        size_t high = HTML_OTHER;

        while (low < high) {
                size_t mid = (low + high) / 2;
                int c = strcmp(elements[mid].name, name);

                if (c == 0)
                        return (enum html_element)mid;
                if (c < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return HTML_OTHER;
}

/* Offset of the > that ends the tag whose inside begins at `at`; n when the
 * input has none. */
static size_t
tag_end(struct html_reader *r, size_t at)
{
        char before = 0;

        while (!r->no_gt && at < r->n && r->s[at] != '>') {
                char c = r->s[at++];
                bool *missing = c == '"' ? &r->no_quote[0] : &r->no_quote[1];
                const char *end;

                if ((c == '"' || c == '\'') && before == '=' && !*missing) {
                        end = memchr(r->s + at, c, r->n - at);
                        if (end != NULL)
                                at = (size_t)(end - r->s) + 1;
                        else
                                *missing = true;
                }
                if (!isspace((unsigned char)c))
                        before = c;
        }
        if (at >= r->n)
                r->no_gt = true;
        return r->no_gt ? r->n : at;
}

/* At "<!" or "<?": over the comment or declaration. */
static void
skip_declaration(struct html_reader *r)
{
        const char *s = r->s + r->at;
        size_t left = r->n - r->at;
        const char *end = NULL;

        if (left >= 4 && memcmp(s, "<!--", 4) == 0 && !r->no_comment_end) {
                end = memmem(s + 2, left - 2, "-->", 3);
                r->no_comment_end = end == NULL;
                if (end != NULL) {
                        r->at = (size_t)(end - r->s) + 3;
                        return;
                }
        }
        end = r->no_gt ? NULL : memchr(s, '>', left);
        r->no_gt = end == NULL;
        r->at = end != NULL ? (size_t)(end - r->s) + 1 : r->n;
}

/* Where "</name" of the raw content at `at` stands; n when nowhere. */
static size_t
raw_end(const struct html_reader *r, size_t at, enum html_element e)
{
        const char *name = elements[e].name;
        size_t len = strlen(name);

        while (at < r->n) {
                const char *lt = memchr(r->s + at, '<', r->n - at);

                if (lt == NULL)
                        return r->n;
                at = (size_t)(lt - r->s);
                if (r->n - at > len + 2 && lt[1] == '/' &&
                    strncasecmp(lt + 2, name, len) == 0 &&
                    !isalnum((unsigned char)lt[2 + len]))
                        return at;
                at++;
        }
        return r->n;
}

/* The raw content of r->content as a text. Of an element that is never closed only
 * scripts and styles swallow the rest, so that broken HTML gives some text. */
static bool
read_raw(struct html_reader *r, struct html_token *t)
{
        enum html_element e = r->content;
        bool swallows = e == HTML_SCRIPT || e == HTML_STYLE || e == HTML_PLAINTEXT;
        size_t end = r->n;

        r->content = HTML_N;
        if (!r->no_end[e] && e != HTML_PLAINTEXT)
                end = raw_end(r, r->at, e);
        r->no_end[e] = end == r->n;
        if (end == r->n && !swallows)
                return false;
        t->type = HTML_TEXT;
        t->element = e;
        t->raw = e != HTML_TEXTAREA && e != HTML_TITLE;
        t->s = r->s + r->at;
        t->n = end - r->at;
        r->at = end;
        return t->n > 0;
}

/* "<john@example.org>" and "<https://example.org>" were meant to be read. */
static bool
is_address(const char *s, size_t n)
{
        size_t len = 0;

        while (len < n && len < 300 && !isspace((unsigned char)s[len]) && s[len] != '=')
                len++;
        return memchr(s, '@', len) != NULL || memmem(s, len, "://", 3) != NULL;
}

/* At a "<" that begins a tag: false when it does not. */
static bool
read_tag(struct html_reader *r, struct html_token *t)
{
        size_t at = r->at + 1;
        bool closing = at < r->n && r->s[at] == '/';
        char name[HTML_MAX_NAME + 1];
        uint32_t hash = 2166136261u;
        size_t n = 0;
        size_t end;

        at += closing;
        end = at < r->n && isalpha((unsigned char)r->s[at]) ? tag_end(r, at) : r->n;
        if (end >= r->n || is_address(r->s + at, end - at))
                return false;
        for (; at < end && !isspace((unsigned char)r->s[at]) && r->s[at] != '/'; at++) {
                char c = (char)tolower((unsigned char)r->s[at]);

                hash = (hash ^ (unsigned char)c) * 16777619u;
                if (n <= HTML_MAX_NAME)
                        name[n++] = c;
        }
        name[n <= HTML_MAX_NAME ? n : 0] = '\0';
        t->type = closing ? HTML_CLOSE : HTML_OPEN;
        t->element = element_find(name);
        t->hash = hash;
        t->s = r->s + at;
        t->n = end - at;
        t->empty = end > at && r->s[end - 1] == '/';
        r->at = end + 1;
        if (!closing && (elements[t->element].sort & HTML_RAW))
                r->content = t->element;
        return true;
}

static void
read_text(struct html_reader *r, struct html_token *t, size_t n)
{
        const char *lt = memchr(r->s + r->at + n, '<', r->n - r->at - n);

        t->type = HTML_TEXT;
        t->element = HTML_OTHER;
        t->s = r->s + r->at;
        t->n = lt != NULL ? (size_t)(lt - t->s) : r->n - r->at;
        r->at += t->n;
}

bool
html_next(struct html_reader *r, struct html_token *t)
{
        memset(t, 0, sizeof(*t));
        if (r->content != HTML_N && read_raw(r, t))
                return true;
        while (r->at < r->n) {
                char next = r->at + 1 < r->n ? r->s[r->at + 1] : '\0';

                if (r->s[r->at] != '<')
                        read_text(r, t, 0);
                else if (next == '!' || next == '?') {
                        skip_declaration(r);
                        continue;
                } else if (!read_tag(r, t))
                        read_text(r, t, 1);
                return true;
        }
        return false;
}

/* ---- attributes ---- */

static enum html_attr
attribute_find(const char *s, size_t n)
{
        size_t low = 0;
        size_t high = ATTR_N;

        while (low < high) {
                size_t mid = (low + high) / 2;
                int c = strncasecmp(attributes[mid], s, n);

                if (c == 0 && attributes[mid][n] == '\0')
                        return (enum html_attr)mid;
                if (c < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return ATTR_N;
}

/* The attribute's value behind its name; *at moves behind it. */
static struct html_value
value_read(const char **at, const char *end)
{
        const char *s = *at;
        struct html_value v = {s, 0};
        char quote = 0;

        while (s < end && isspace((unsigned char)*s))
                s++;
        if (s < end && *s == '=') {
                for (s++; s < end && isspace((unsigned char)*s); s++)
                        ;
                if (s < end && (*s == '"' || *s == '\'') &&
                    memchr(s + 1, *s, (size_t)(end - s) - 1))
                        quote = *s++;
                for (v.s = s;
                     s < end && (quote ? *s != quote : !isspace((unsigned char)*s)); s++)
                        ;
                v.n = (size_t)(s - v.s);
                s += quote != 0;
                *at = s;
        }
        return v;
}

void
html_attributes(const struct html_token *t, struct html_attrs *a)
{
        const char *s = t->s;
        const char *end = t->s + t->n;

        memset(a, 0, sizeof(*a));
        while (s < end) {
                const char *name;
                enum html_attr which;
                struct html_value v;

                while (s < end && (isspace((unsigned char)*s) || *s == '/' || *s == '='))
                        s++;
                for (name = s;
                     s < end && *s != '=' && *s != '/' && !isspace((unsigned char)*s);
                     s++)
                        ;
                if (s == name)
                        continue;
                which = attribute_find(name, (size_t)(s - name));
                v = value_read(&s, end);
                if (which != ATTR_N && a->v[which].s == NULL)
                        a->v[which] = v;
        }
}

bool
html_value(const struct html_attrs *a, enum html_attr name, struct buf *out, size_t max)
{
        const struct html_value *v = &a->v[name];
        size_t used;

        buf_clear(out);
        if (v->s == NULL)
                return false;
        for (size_t i = 0; i < v->n && out->len < max; i += used) {
                uint32_t cp = (unsigned char)v->s[i];

                used = 1;
                if (cp == '&')
                        cp = html_entity(v->s + i, v->n - i, true, &used);
                else if (cp >= 128)
                        cp = utf8_next(v->s + i, v->n - i, &used);
                if (cp >= 32 && (cp < 127 || cp > 159))
                        utf8_add(out, cp);
                else if (cp == '\n' || cp == '\t')
                        buf_addc(out, ' ');
        }
        return true;
}
