/* What may stay of styles and addresses; see helper_mime_html_style.h. */
#include "channels/helper_mime_html_style.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_html_look.h"

#define MAX_VALUE 200
#define MAX_ADDRESS 4000

enum kind {
        K_COLOR,
        K_WORDS,
        K_FAMILY,
        K_SIZE, /* of letters */
        K_LINE, /* height of a line */
        K_SPACES, /* 1 to 4 lengths */
        K_WIDTH,
        K_WEIGHT,
        K_BORDER
};

static const struct {
        const char *name;
        const char *written; /* NULL: as its name */
        enum kind kind;
} properties[] = {
    {"background", "background-color", K_COLOR},
    {"background-color", NULL, K_COLOR},
    {"border", NULL, K_BORDER},
    {"border-bottom", NULL, K_BORDER},
    {"border-collapse", NULL, K_WORDS},
    {"border-color", NULL, K_COLOR},
    {"border-left", NULL, K_BORDER},
    {"border-right", NULL, K_BORDER},
    {"border-style", NULL, K_WORDS},
    {"border-top", NULL, K_BORDER},
    {"border-width", NULL, K_SPACES},
    {"color", NULL, K_COLOR},
    {"direction", NULL, K_WORDS},
    {"font-family", NULL, K_FAMILY},
    {"font-size", NULL, K_SIZE},
    {"font-style", NULL, K_WORDS},
    {"font-variant", NULL, K_WORDS},
    {"font-weight", NULL, K_WEIGHT},
    {"line-height", NULL, K_LINE},
    {"list-style-type", NULL, K_WORDS},
    {"margin", NULL, K_SPACES},
    {"margin-bottom", NULL, K_SPACES},
    {"margin-left", NULL, K_SPACES},
    {"margin-right", NULL, K_SPACES},
    {"margin-top", NULL, K_SPACES},
    {"max-width", NULL, K_WIDTH},
    {"padding", NULL, K_SPACES},
    {"padding-bottom", NULL, K_SPACES},
    {"padding-left", NULL, K_SPACES},
    {"padding-right", NULL, K_SPACES},
    {"padding-top", NULL, K_SPACES},
    {"text-align", NULL, K_WORDS},
    {"text-decoration", NULL, K_WORDS},
    {"text-transform", NULL, K_WORDS},
    {"vertical-align", NULL, K_WORDS},
    {"white-space", NULL, K_WORDS},
    {"width", NULL, K_WIDTH},
};

static bool
only(const struct html_value *v, const char *more)
{
        for (size_t i = 0; i < v->n; i++)
                if (!isalnum((unsigned char)v->s[i]) && strchr(more, v->s[i]) == NULL)
                        return false;
        return v->n > 0 && memchr(v->s, '\0', v->n) == NULL;
}

bool
html_is_words(const struct html_value *v)
{
        for (size_t i = 0; i < v->n; i++)
                if (isdigit((unsigned char)v->s[i]))
                        return false;
        return v->n <= 60 && only(v, "- ");
}

static bool
begins(const struct html_value *v, const char *word)
{
        size_t n = strlen(word);

        return v->n > n && strncasecmp(v->s, word, n) == 0;
}

bool
html_is_color(const struct html_value *v)
{
        struct html_value rest = {v->s, v->n};

        if (v->n < 2 || v->n > 60)
                return false;
        if (v->s[0] == '#') {
                rest.s++;
                rest.n--;
                return rest.n <= 8 && only(&rest, "");
        }
        if ((begins(v, "rgb(") || begins(v, "rgba(") || begins(v, "hsl(") ||
                begins(v, "hsla(")) &&
            v->s[v->n - 1] == ')') {
                const char *open = memchr(v->s, '(', v->n);

                rest.s = open + 1;
                rest.n = v->n - (size_t)(rest.s - v->s) - 1;
                return only(&rest, " ,.%");
        }
        return html_is_words(v) && memchr(v->s, ' ', v->n) == NULL;
}

/* A unit in px; 0: there is no such unit. */
static double
unit_px(const struct html_value *unit)
{
        static const struct {
                const char *name;
                double px;
        } units[] = {{"", 1}, {"px", 1}, {"pt", 1.333}, {"em", 16}, {"rem", 16},
            {"ex", 8}, {"%", 10}, {"cm", 37.8}, {"mm", 3.78}, {"in", 96}, {"pc", 16}};

        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                if (html_value_is(unit, units[i].name))
                        return units[i].px;
        return 0;
}

bool
html_is_length(const struct html_value *v, double min, double max)
{
        struct html_value unit = {v->s, v->n};
        double number = html_number(v);
        double px;

        while (unit.n > 0 && (isdigit((unsigned char)*unit.s) || *unit.s == '.')) {
                unit.s++;
                unit.n--;
        }
        px = unit_px(&unit);
        return number >= 0 && v->n <= 16 && px > 0 && number * px >= min &&
               number * px <= max;
}

/* The next word of a value at *at, brackets kept together; n is 0 at the end. */
static struct html_value
next_word(const struct html_value *v, size_t *at)
{
        unsigned brackets = 0;
        struct html_value w;

        while (*at < v->n && v->s[*at] == ' ')
                (*at)++;
        w = (struct html_value){v->s + *at, 0};
        for (; *at < v->n && (brackets > 0 || v->s[*at] != ' '); (*at)++, w.n++) {
                brackets += v->s[*at] == '(';
                brackets -= v->s[*at] == ')' && brackets > 0;
        }
        return w;
}

static bool
is_spaces(const struct html_value *v)
{
        size_t at = 0;
        unsigned n = 0;

        for (;;) {
                struct html_value w = next_word(v, &at);

                if (w.n == 0)
                        return n >= 1 && n <= 4;
                if (!html_is_length(&w, 0, 400) && !html_value_is(&w, "auto"))
                        return false;
                n++;
        }
}

static bool
is_border(const struct html_value *v)
{
        size_t at = 0;
        unsigned n = 0;

        for (;;) {
                struct html_value w = next_word(v, &at);

                if (w.n == 0)
                        return n >= 1 && n <= 3;
                if (!html_is_length(&w, 0, 20) && !html_is_color(&w))
                        return false;
                n++;
        }
}

/* Without unit it is times the letters' height, "%" of that. */
static bool
is_line_height(const struct html_value *v)
{
        double number = html_number(v);
        char last = v->s[v->n - 1];

        if (html_value_is(v, "normal"))
                return true;
        if (isdigit((unsigned char)last))
                return only(v, ".") && number >= 0.8 && number <= 4;
        if (last == '%')
                return html_is_length(v, 800, 4000);
        return html_is_length(v, 10, 100);
}

/* Letters that can be read and do not fill the screen. */
static bool
is_letter_size(const struct html_value *v)
{
        if (isalpha((unsigned char)v->s[0]))
                return html_is_words(v);
        if (v->s[v->n - 1] == '%')
                return html_is_length(v, 500, 4000);
        return !isdigit((unsigned char)v->s[v->n - 1]) && html_is_length(v, 7, 80);
}

static bool
is_kind(const struct html_value *v, enum kind kind)
{
        switch (kind) {
        case K_COLOR:
                return html_is_color(v);
        case K_WORDS:
                return html_is_words(v);
        case K_FAMILY:
                return only(v, " ,'\"-");
        case K_SIZE:
                return is_letter_size(v);
        case K_LINE:
                return is_line_height(v);
        case K_SPACES:
                return is_spaces(v);
        case K_WIDTH:
                return html_value_is(v, "auto") || html_is_length(v, 1, 2000);
        case K_WEIGHT:
                return v->n <= 10 && only(v, "");
        case K_BORDER:
                return is_border(v);
        }
        return false;
}

static void
add_declaration(const char *name, const struct html_value *v, struct buf *out)
{
        if (out->len > 0)
                buf_addc(out, ';');
        buf_adds(out, name);
        buf_addc(out, ':');
        for (size_t i = 0; i < v->n; i++)
                if (v->s[i] != '\'' && v->s[i] != '"') /* names need no quotes */
                        buf_addc(out, (char)tolower((unsigned char)v->s[i]));
}

void
html_style_clean(const char *style, size_t n, struct buf *out)
{
        const char *at = style;
        struct html_declaration d;
        struct html_value color = {NULL, 0};
        struct html_value ground = {NULL, 0};
        size_t n_properties = sizeof(properties) / sizeof(properties[0]);

        buf_clear(out);
        while (html_declaration(&at, style + n, &d)) {
                size_t i = 0;
                const char *name;

                while (i < n_properties && !html_value_is(&d.name, properties[i].name))
                        i++;
                if (i == n_properties || d.value.n > MAX_VALUE ||
                    !is_kind(&d.value, properties[i].kind))
                        continue;
                name = properties[i].written != NULL ? properties[i].written
                                                     : properties[i].name;
                if (strcmp(name, "color") == 0)
                        color = d.value;
                else if (strcmp(name, "background-color") == 0)
                        ground = d.value;
                add_declaration(name, &d.value, out);
        }
        /* letters must not vanish because something else was dropped */
        if (color.n > 0 &&
            ((color.n == ground.n && strncasecmp(color.s, ground.s, color.n) == 0) ||
                html_value_is(&color, "transparent")))
                buf_clear(out);
}

/* ---- addresses ---- */

static bool
has_scheme(const char *s, size_t n, const char *scheme)
{
        size_t len = strlen(scheme);

        return n > len && strncasecmp(s, scheme, len) == 0;
}

bool
html_address_clean(const char *s, size_t n, struct buf *out)
{
        bool web;

        buf_clear(out);
        while (n > 0 && *s == ' ') {
                s++;
                n--;
        }
        while (n > 0 && s[n - 1] == ' ')
                n--;
        web = has_scheme(s, n, "http://") || has_scheme(s, n, "https://");
        if (n > MAX_ADDRESS ||
            !(web || has_scheme(s, n, "mailto:") || has_scheme(s, n, "tel:")))
                return false;
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c == ' ')
                        buf_adds(out, "%20");
                else if (c == '"' || c == '<' || c == '>' || c == '\\' || c == '`')
                        buf_addf(out, "%%%02X", c);
                else if (c > 32 && c != 127)
                        buf_addc(out, (char)c);
        }
        return true;
}
