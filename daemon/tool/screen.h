/*
 * What reaches the terminal: its width, colours, and text that came from elsewhere made
 * harmless. Nothing that a customer wrote may move the cursor, rename the window or turn
 * the reading direction round.
 */
#ifndef HELPLINE_TOOL_SCREEN_H
#define HELPLINE_TOOL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"

enum style {
        STYLE_NONE,
        STYLE_BOLD,
        STYLE_DIM,
        STYLE_RED,
        STYLE_GREEN,
        STYLE_YELLOW,
        STYLE_CYAN
};

/* Looks at standard output, NO_COLOR, TERM, COLUMNS. */
void screen_init(void);
bool screen_is_terminal(void);
/* Columns and rows of the terminal now; 80 and 24 when it does not say. */
size_t screen_columns(void);
size_t screen_rows(void);
/* The sequence that begins a style, "" without colours; STYLE_NONE ends it. */
const char *screen_style(enum style s);
/* From now on no styles; returns whether there were. With true: styles again. */
bool screen_styled(bool yes);
void screen_use(bool terminal, bool colour, size_t columns); /* for tests */

/* Append text of any origin: valid UTF-8, no controls but \n and \t, nothing that turns
 * the direction of writing. */
void screen_add(struct buf *b, const char *s, size_t n);
/* The same as one line: tabs and line ends become blanks. */
void screen_add_line(struct buf *b, const char *s, size_t n);
/* JSON that a terminal survives: what is dangerous is written as \uXXXX. */
void screen_add_json(struct buf *b, const char *s, size_t n);
/* Append the beginning of clean text that fits into so many columns, with … where it
 * was cut; returns the columns used. */
size_t screen_add_cut(struct buf *b, const char *s, size_t columns);
/* Append clean text, each line broken at blanks to that many columns, after `indent`. */
void screen_add_wrapped(struct buf *b, const char *s, size_t columns, const char *indent);

#endif
