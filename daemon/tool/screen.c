/* What reaches the terminal; see screen.h. */
#include "daemon/tool/screen.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemon/base/utf8.h"

static struct {
        bool is_terminal;
        bool has_colour;
        size_t fixed; /* columns told by a test, 0: ask the terminal */
} screen;

void
screen_init(void)
{
        const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

        screen.is_terminal = isatty(STDOUT_FILENO);
        screen.has_colour = screen.is_terminal && (no == NULL || *no == '\0') &&
                            term != NULL && strcmp(term, "dumb") != 0 && *term != '\0';
}

void
screen_use(bool terminal, bool colour, size_t columns)
{
        screen.is_terminal = terminal;
        screen.has_colour = colour;
        screen.fixed = columns;
}

bool
screen_styled(bool yes)
{
        bool was = screen.has_colour;

        screen.has_colour = yes;
        return was;
}

bool
screen_is_terminal(void)
{
        return screen.is_terminal;
}

static size_t
screen_size(const char *name, size_t otherwise, bool rows)
{
        const char *told = getenv(name);
        struct winsize w;
        long n = 0;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
                n = rows ? w.ws_row : w.ws_col;
        if (n == 0 && told != NULL)
                n = strtol(told, NULL, 10);
        return n < 20 && !rows ? otherwise
               : n < 5         ? otherwise
               : n > 1000      ? 1000
                               : (size_t)n;
}

size_t
screen_columns(void)
{
        return screen.fixed > 0 ? screen.fixed : screen_size("COLUMNS", 80, false);
}

size_t
screen_rows(void)
{
        return screen_size("LINES", 24, true);
}

const char *
screen_style(enum style s)
{
        static const char *const codes[] = {[STYLE_NONE] = "\033[0m",
            [STYLE_BOLD] = "\033[1m",
            [STYLE_DIM] = "\033[2m",
            [STYLE_RED] = "\033[31m",
            [STYLE_GREEN] = "\033[32m",
            [STYLE_YELLOW] = "\033[33m",
            [STYLE_CYAN] = "\033[36m"};

        return screen.has_colour ? codes[s] : "";
}

/* ---- text of any origin ---- */

static bool
is_control(uint32_t cp)
{
        return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* Line and paragraph separators, marks and overrides of direction, what is not shown. */
static bool
is_unseen(uint32_t cp)
{
        return (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
               (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || cp == 0x061c ||
               (cp >= 0xe0000 && cp <= 0xe007f);
}

static void
add_clean(struct buf *b, const char *s, size_t n, bool line)
{
        for (size_t i = 0, used; i < n; i += used) {
                uint32_t cp = utf8_next(s + i, n - i, &used);

                if (cp == '\n' || cp == '\t')
                        buf_addc(b, line ? ' ' : (char)cp);
                else if (cp == '\r')
                        buf_adds(b, i + 1 < n && s[i + 1] == '\n' ? ""
                                    : line                        ? " "
                                                                  : "\n");
                else if (!is_control(cp) && !is_unseen(cp))
                        utf8_add(b, cp);
        }
}

void
screen_add(struct buf *b, const char *s, size_t n)
{
        add_clean(b, s, n, false);
}

void
screen_add_line(struct buf *b, const char *s, size_t n)
{
        add_clean(b, s, n, true);
}

void
screen_add_json(struct buf *b, const char *s, size_t n)
{
        for (size_t i = 0, used; i < n; i += used) {
                uint32_t cp = utf8_next(s + i, n - i, &used);

                if (cp == '\n' || cp == '\t')
                        buf_addc(b, (char)cp);
                else if (cp > 0xffff && is_unseen(cp))
                        buf_addf(b, "\\u%04x\\u%04x", 0xd7c0 + (cp >> 10),
                            0xdc00 + (cp & 0x3ff));
                else if (is_control(cp) || is_unseen(cp))
                        buf_addf(b, "\\u%04x", cp);
                else
                        utf8_add(b, cp);
        }
}

/* ---- fitting ---- */

size_t
screen_add_cut(struct buf *b, const char *s, size_t columns)
{
        size_t n = strlen(s), width = 0, end = 0;

        if (utf8_width(s, n) <= columns) {
                buf_add(b, s, n);
                return utf8_width(s, n);
        }
        if (columns == 0)
                return 0;
        for (size_t i = 0, used; i < n; i += used) {
                size_t w;

                utf8_next(s + i, n - i, &used);
                w = utf8_width(s + i, used);
                if (width + w > columns - 1)
                        break;
                width += w;
                end = i + used;
        }
        buf_add(b, s, end);
        buf_adds(b, "…");
        return width + 1;
}

/* Bytes of s that stand on one row: up to the last blank that fits, else as many as fit. */
static size_t
row_length(const char *s, size_t n, size_t columns)
{
        size_t width = 0, blank = 0;

        for (size_t i = 0, used; i < n; i += used) {
                utf8_next(s + i, n - i, &used);
                if (s[i] == ' ')
                        blank = i;
                width += s[i] == '\t' ? 8 : utf8_width(s + i, used);
                if (width > columns && i > 0)
                        return blank > 0 ? blank : i;
        }
        return n;
}

void
screen_add_wrapped(struct buf *b, const char *s, size_t columns, const char *indent)
{
        size_t room = columns > strlen(indent) + 10 ? columns - strlen(indent) : 10;

        while (*s != '\0') {
                size_t n = strcspn(s, "\n"), at = 0;

                do {
                        size_t row = row_length(s + at, n - at, room);

                        if (row > 0)
                                buf_adds(b, indent);
                        buf_add(b, s + at, row);
                        buf_addc(b, '\n');
                        at += row;
                        at += at < n && s[at] == ' ';
                } while (at < n);
                s += n + (s[n] == '\n');
        }
}
