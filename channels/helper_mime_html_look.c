/* How an element looks; see helper_mime_html_look.h. */
#include "channels/helper_mime_html_look.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MAX_STYLE 4000 /* bytes of a style attribute that are read */

static bool
has_word(const struct html_value *v, const char *word)
{
        size_t len = strlen(word);

        for (size_t i = 0; i + len <= v->n; i++)
                if (strncasecmp(v->s + i, word, len) == 0)
                        return true;
        return false;
}

bool
html_value_is(const struct html_value *v, const char *word)
{
        return v->n == strlen(word) && strncasecmp(v->s, word, v->n) == 0;
}

static void
trim(struct html_value *v)
{
        while (v->n > 0 && isspace((unsigned char)v->s[0])) {
                v->s++;
                v->n--;
        }
        while (v->n > 0 && isspace((unsigned char)v->s[v->n - 1]))
                v->n--;
}

/* Where the declaration at s ends: at a ";" outside of quotes and brackets. */
static const char *
declaration_end(const char *s, const char *end)
{
        unsigned brackets = 0;
        char quote = 0;

        for (; s < end; s++) {
                if (quote != 0)
                        quote = *s == quote ? 0 : quote;
                else if (*s == '"' || *s == '\'')
                        quote = *s;
                else if (*s == '(')
                        brackets++;
                else if (*s == ')')
                        brackets -= brackets > 0;
                else if (*s == ';' && brackets == 0)
                        break;
        }
        return s;
}

bool
html_declaration(const char **at, const char *end, struct html_declaration *d)
{
        while (*at < end) {
                const char *s = *at;
                const char *stop = declaration_end(s, end);
                const char *colon = memchr(s, ':', (size_t)(stop - s));
                const char *mark;

                *at = stop < end ? stop + 1 : end;
                if (colon == NULL)
                        continue;
                d->name = (struct html_value){s, (size_t)(colon - s)};
                d->value = (struct html_value){colon + 1, (size_t)(stop - colon - 1)};
                mark = memchr(d->value.s, '!', d->value.n);
                if (mark != NULL)
                        d->value.n = (size_t)(mark - d->value.s);
                trim(&d->name);
                trim(&d->value);
                if (d->name.n > 0 && d->value.n > 0)
                        return true;
        }
        return false;
}

double
html_number(const struct html_value *v)
{
        double number = 0;
        double unit = 1;
        bool any = false;
        size_t i = 0;

        for (; i < v->n && i < 9 && isdigit((unsigned char)v->s[i]); i++, any = true)
                number = number * 10 + (v->s[i] - '0');
        if (i < v->n && v->s[i] == '.')
                for (i++; i < v->n && isdigit((unsigned char)v->s[i]); i++, any = true)
                        number += (v->s[i] - '0') * (unit /= 10);
        return any ? number : -1;
}

static bool
is_zero(const struct html_value *v)
{
        return html_number(v) == 0;
}

/* What several declarations say only together. */
struct parts {
        bool clipped; /* overflow: hidden */
        bool flat; /* no height or no width */
        bool away; /* placed far outside of the page */
        bool absolute;
        bool no_border;
        double left; /* margin in the style's unit */
        bool top_tight;
        bool bottom_tight;
        struct html_value color;
        struct html_value ground;
};

/* margin: 1 to 4 lengths. */
static void
look_at_margin(const struct html_value *v, struct parts *p)
{
        struct html_value side[4];
        size_t n = 0;

        for (size_t i = 0; i < v->n && n < 4;) {
                size_t from = i;

                while (i < v->n && !isspace((unsigned char)v->s[i]))
                        i++;
                side[n++] = (struct html_value){v->s + from, i - from};
                while (i < v->n && isspace((unsigned char)v->s[i]))
                        i++;
        }
        if (n == 0)
                return;
        p->top_tight = is_zero(&side[0]);
        p->bottom_tight = is_zero(&side[n > 2 ? 2 : 0]);
        p->left = html_number(&side[n > 3 ? 3 : n > 1 ? 1 : 0]);
}

static void
look_at_size(const struct html_value *v, struct html_look *look)
{
        double size = html_number(v);
        char last = v->s[v->n - 1];

        /* parts of a size that is inherited change nothing */
        if (size == 0)
                look->tiny = SAYS_YES;
        else if (size > 0 && last != '%' && !has_word(v, "em"))
                look->tiny = SAYS_NO;
        else if (size > 0 && has_word(v, "rem"))
                look->tiny = SAYS_NO;
        else if (size < 0 && !html_value_is(v, "inherit") &&
                 isalpha((unsigned char)v->s[0]))
                look->tiny = SAYS_NO;
}

static void
look_at_border(const struct html_declaration *d, struct html_look *look, struct parts *p)
{
        bool none = has_word(&d->value, "none") || is_zero(&d->value);

        if (html_value_is(&d->name, "border"))
                p->no_border = none;
        else if (html_value_is(&d->name, "border-left"))
                look->bar =
                    !none &&
                    (has_word(&d->value, "solid") || has_word(&d->value, "double") ||
                        has_word(&d->value, "dotted") || has_word(&d->value, "dashed"));
        else if (html_value_is(&d->name, "border-left-style"))
                look->bar = !none;
        else if (html_value_is(&d->name, "border-top"))
                look->top_bar =
                    !none && has_word(&d->value, "solid") && has_word(&d->value, "pt");
}

static void
look_at_place(const struct html_declaration *d, struct parts *p)
{
        const struct html_value *v = &d->value;

        if (html_value_is(&d->name, "position"))
                p->absolute = html_value_is(v, "absolute") || html_value_is(v, "fixed");
        else if ((html_value_is(&d->name, "left") || html_value_is(&d->name, "top")) &&
                 v->n > 4 && v->s[0] == '-')
                p->away = true;
        else if (html_value_is(&d->name, "text-indent") && v->n > 5 && v->s[0] == '-' &&
                 v->s[1] == '9')
                p->absolute = p->away = true;
}

static void
look_at_seen(enum html_element e, const struct html_declaration *d,
    struct html_look *look, struct parts *p)
{
        const struct html_value *v = &d->value;

        if (html_value_is(&d->name, "display"))
                look->hidden = html_value_is(v, "none");
        else if (html_value_is(&d->name, "visibility"))
                look->invisible =
                    html_value_is(v, "hidden") || html_value_is(v, "collapse") ? SAYS_YES
                                                                               : SAYS_NO;
        else if (html_value_is(&d->name, "opacity"))
                look->hidden = look->hidden || is_zero(v);
        else if (html_value_is(&d->name, "overflow"))
                p->clipped = html_value_is(v, "hidden");
        else if (html_value_is(&d->name, "max-height") ||
                 html_value_is(&d->name, "height") ||
                 html_value_is(&d->name, "max-width") || html_value_is(&d->name, "width"))
                p->flat = p->flat || is_zero(v);
        /* a link that only Word must not see is the button of all others */
        else if (html_value_is(&d->name, "mso-hide"))
                look->hidden = look->hidden || (e != HTML_A && html_value_is(v, "all"));
        else if (html_value_is(&d->name, "color"))
                p->color = *v;
        else if (html_value_is(&d->name, "background-color") ||
                 html_value_is(&d->name, "background"))
                p->ground = *v;
}

static void
look_at(enum html_element e, const struct html_declaration *d, struct html_look *look,
    struct parts *p)
{
        const struct html_value *v = &d->value;

        if (html_value_is(&d->name, "font-size"))
                look_at_size(v, look);
        else if (html_value_is(&d->name, "white-space"))
                look->pre = has_word(v, "pre") || html_value_is(v, "break-spaces")
                                ? SAYS_YES
                                : SAYS_NO;
        else if (html_value_is(&d->name, "margin"))
                look_at_margin(v, p);
        else if (html_value_is(&d->name, "margin-left"))
                p->left = html_number(v);
        else if (html_value_is(&d->name, "margin-top"))
                p->top_tight = is_zero(v);
        else if (html_value_is(&d->name, "margin-bottom"))
                p->bottom_tight = is_zero(v) || html_number(v) < 0.01;
        else if (d->name.n >= 6 && strncasecmp(d->name.s, "border", 6) == 0)
                look_at_border(d, look, p);
        else {
                look_at_seen(e, d, look, p);
                look_at_place(d, p);
        }
}

/* Letters in the colour of their own ground. */
static bool
is_camouflage(const struct parts *p)
{
        if (p->color.n > 0 && html_value_is(&p->color, "transparent"))
                return true;
        return p->color.n > 0 && p->color.n == p->ground.n && p->color.s[0] != 'i' &&
               strncasecmp(p->color.s, p->ground.s, p->color.n) == 0;
}

/* A comment within a word of a style hides the word from us only. */
static void
drop_comments(struct buf *b)
{
        size_t to = 0;

        for (size_t i = 0; i < b->len; i++) {
                const char *end = NULL;

                if (b->data[i] == '/' && i + 1 < b->len && b->data[i + 1] == '*') {
                        end = memmem(b->data + i + 2, b->len - i - 2, "*/", 2);
                        if (end == NULL)
                                break;
                        i = (size_t)(end - b->data) + 1;
                        continue;
                }
                b->data[to++] = b->data[i];
        }
        b->len = to;
}

void
html_look(enum html_element e, const struct html_attrs *a, struct buf *style,
    struct html_look *look)
{
        struct html_declaration d;
        struct parts p = {.left = -1};
        const char *at;
        const char *end;

        memset(look, 0, sizeof(*look));
        if (html_value(a, ATTR_STYLE, style, MAX_STYLE) && style->len > 0) {
                drop_comments(style);
                at = style->data;
                end = at + style->len;
                while (html_declaration(&at, end, &d))
                        look_at(e, &d, look, &p);
                look->hidden = look->hidden || (p.clipped && p.flat) ||
                               (p.absolute && p.away) || is_camouflage(&p);
        }
        look->hidden = look->hidden || a->v[ATTR_HIDDEN].s != NULL ||
                       (html_sort(e) & HTML_UNSEEN) != 0;
        look->tight = p.top_tight && p.bottom_tight;
        look->indented = p.no_border && !look->bar && p.left >= 30;
        if (e == HTML_PRE || e == HTML_XMP || e == HTML_LISTING || e == HTML_PLAINTEXT ||
            e == HTML_TEXTAREA)
                look->pre = SAYS_YES;
}
