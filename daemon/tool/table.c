/* Tables for people and for programs; see table.h. */
#include "daemon/tool/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8.h"
#include "daemon/tool/words.h"

#define GAP 2
#define LEAST_REST 8
#define LEAST 3

struct cell {
        const char *human; /* clean, one line */
        const char *exact;
        enum style style;
};

struct table {
        struct arena *arena;
        const struct table_column *columns;
        size_t n_columns;
        struct cell *cells; /* row by row */
        size_t n_cells;
};

struct table *
table_new(const struct table_column *columns, size_t n)
{
        struct table *t = xcalloc(1, sizeof *t);

        t->arena = arena_new();
        t->columns = columns;
        t->n_columns = n;
        return t;
}

void
table_free(struct table **t)
{
        if (*t == NULL)
                return;
        arena_free(&(*t)->arena);
        free(*t);
        *t = NULL;
}

static const char *
clean_copy(struct table *t, const char *s)
{
        struct buf b AUTO_BUF = BUF_INIT;

        screen_add_line(&b, s, strlen(s));
        return arena_strdup(t->arena, buf_str(&b));
}

void
table_cell(struct table *t, const char *human, const char *exact, enum style style)
{
        struct cell *c;

        t->cells = arena_grow(t->arena, t->cells, t->n_cells, sizeof *t->cells);
        c = &t->cells[t->n_cells++];
        c->human = clean_copy(t, human);
        c->exact = exact == NULL ? c->human : arena_strdup(t->arena, exact);
        c->style = style;
}

size_t
table_rows(const struct table *t)
{
        return t->n_cells / t->n_columns;
}

/* ---- on a terminal ---- */

static size_t
title_width(const struct table_column *c)
{
        const char *title = *c->title == '\0' ? "" : tr(c->title);

        return utf8_width(title, strlen(title));
}

/* A terminal too narrow for all: the widest give way, until nothing can. */
static void
widths_shrink(size_t *widths, size_t n, size_t too_much)
{
        while (too_much > 0) {
                size_t widest = 0;

                for (size_t c = 1; c < n; c++)
                        if (widths[c] > widths[widest])
                                widest = c;
                if (widths[widest] <= LEAST)
                        return;
                widths[widest]--;
                too_much--;
        }
}

/* Each column as wide as its widest cell (one that is empty all the way down is left out), at most `most`; what is left is for the one
 * without `most`. */
static void
table_widths(const struct table *t, size_t width, bool with_titles, size_t *widths)
{
        size_t used = 0, rest = SIZE_MAX;

        for (size_t c = 0; c < t->n_columns; c++) {
                size_t w = 0;

                for (size_t i = c; i < t->n_cells; i += t->n_columns) {
                        const char *s = t->cells[i].human;
                        size_t n = utf8_width(s, strlen(s));

                        w = n > w ? n : w;
                }
                if (with_titles && w > 0 && w < title_width(&t->columns[c]))
                        w = title_width(&t->columns[c]);
                if (t->columns[c].most > 0 && w > t->columns[c].most)
                        w = t->columns[c].most;
                widths[c] = w;
                if (t->columns[c].most == 0)
                        rest = c;
                else
                        used += w;
                used += w > 0 && c > 0 ? GAP : 0;
        }
        if (rest == SIZE_MAX || used + widths[rest] <= width)
                return;
        widths[rest] = width > used + LEAST_REST ? width - used : LEAST_REST;
        if (used + widths[rest] > width)
                widths_shrink(widths, t->n_columns, used + widths[rest] - width);
}

static void
add_blanks(struct buf *b, size_t n)
{
        while (n-- > 0)
                buf_addc(b, ' ');
}

static void
add_cell(
    struct buf *b, const char *s, enum style style, bool right, size_t width, bool last)
{
        struct buf text AUTO_BUF = BUF_INIT;
        size_t used = screen_add_cut(&text, s, width);

        if (right && width > used)
                add_blanks(b, width - used);
        if (style != STYLE_NONE && text.len > 0)
                buf_adds(b, screen_style(style));
        buf_adds(b, buf_str(&text));
        if (style != STYLE_NONE && text.len > 0)
                buf_adds(b, screen_style(STYLE_NONE));
        if (!right && !last && width > used)
                add_blanks(b, width - used);
}

static void
add_row(
    const struct table *t, const struct cell *row, const size_t *widths, struct buf *b)
{
        size_t last = t->n_columns - 1;
        bool first = true;

        while (last > 0 && *row[last].human == '\0')
                last--;
        for (size_t c = 0; c <= last; c++) {
                if (widths[c] == 0)
                        continue;
                if (!first)
                        add_blanks(b, GAP);
                first = false;
                add_cell(b, row[c].human, row[c].style, t->columns[c].right, widths[c],
                    c == last);
        }
        buf_addc(b, '\n');
}

static void
format_screen(const struct table *t, size_t width, bool with_titles, struct buf *out)
{
        struct arena *a AUTO_ARENA = arena_new();
        size_t *widths = arena_alloc(a, t->n_columns * sizeof *widths);
        struct cell *titles = arena_alloc(a, t->n_columns * sizeof *titles);

        table_widths(t, width, with_titles, widths);
        for (size_t c = 0; c < t->n_columns; c++) {
                titles[c].human =
                    *t->columns[c].title == '\0' ? "" : tr(t->columns[c].title);
                titles[c].style = STYLE_DIM;
        }
        if (with_titles)
                add_row(t, titles, widths, out);
        for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
                add_row(t, &t->cells[i], widths, out);
}

/* ---- for programs ---- */

void
csv_add(struct buf *b, const char *s)
{
        if (strpbrk(s, "\",\r\n") == NULL) {
                buf_adds(b, s);
                return;
        }
        buf_addc(b, '"');
        for (; *s != '\0'; s++) {
                if (*s == '"')
                        buf_addc(b, '"');
                buf_addc(b, *s);
        }
        buf_addc(b, '"');
}

static void
format_exact(const struct table *t, bool csv, struct buf *out)
{
        for (size_t c = 0; csv && c < t->n_columns; c++) {
                buf_adds(out, c > 0 ? "," : "");
                csv_add(out, t->columns[c].key);
        }
        buf_adds(out, csv ? "\r\n" : "");
        for (size_t i = 0; i < t->n_cells; i++) {
                bool last = (i + 1) % t->n_columns == 0;

                if (csv)
                        csv_add(out, t->cells[i].exact);
                else
                        screen_add_line(
                            out, t->cells[i].exact, strlen(t->cells[i].exact));
                buf_adds(out, last ? csv ? "\r\n" : "\n" : csv ? "," : "\t");
        }
}

void
table_format(const struct table *t, enum table_form form, size_t width, bool with_titles,
    struct buf *out)
{
        assert(t->n_cells % t->n_columns == 0);
        if (form == TABLE_SCREEN)
                format_screen(t, width, with_titles, out);
        else
                format_exact(t, form == TABLE_CSV, out);
}
