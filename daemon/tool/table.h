/*
 * Tables: aligned and cut to the terminal's width for people, tabs in a pipe, or CSV
 * (RFC 4180). Cells may hold text of any origin.
 */
#ifndef HELPLINE_TOOL_TABLE_H
#define HELPLINE_TOOL_TABLE_H

#include <stddef.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/tool/screen.h"

enum table_form { TABLE_SCREEN, TABLE_TABS, TABLE_CSV };

struct table_column {
        const char *key; /* the name in CSV: English, stable */
        const char *title; /* English, for the terminal; "" none */
        bool right; /* numbers */
        size_t most; /* columns at most on a terminal; 0: the rest of the row */
};

struct table;

struct table *table_new(const struct table_column *columns, size_t n);
void table_free(struct table **t);
/* The next cell, row by row. human: on a terminal; exact: for programs (NULL: the
 * same). */
void table_cell(struct table *t, const char *human, const char *exact, enum style style);
/* Append all rows. A terminal has a row of titles when with_titles; CSV always. width: of
 * the terminal. */
void table_format(const struct table *t, enum table_form form, size_t width,
    bool with_titles, struct buf *out);
size_t table_rows(const struct table *t);

/* One value as RFC 4180 wants it: quoted where needed. */
void csv_add(struct buf *b, const char *s);

#endif
