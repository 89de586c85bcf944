/*
 * The live board: terminal, picture, and the loop that feeds it.
 */
#ifndef HELPLINE_TOOL_BOARD_H
#define HELPLINE_TOOL_BOARD_H

#include <stdbool.h>

#include "daemon/base/buf.h"
#include "daemon/base/json.h"

#define BOARD_EVENTS 12

/* What the desk has told. */
struct board_facts {
        json_t *stats; /* STATS; NULL while the daemon is away */
        json_t *lines; /* array of documents */
        json_t *agents;
        json_t *waiting; /* summaries, line by line in their order */
        const char *trouble; /* why there is nothing newer; "" all is well */
        char *events[BOARD_EVENTS]; /* the newest first; NULL none */
};

void board_facts_fini(struct board_facts *f);
/* The picture: at most `rows` lines of at most `columns`, each ended by \n. Pure but for
 * the time. rows 0: as many as it takes. */
void board_format(const struct board_facts *f, int64_t now_us, size_t columns,
    size_t rows, struct buf *out);
/* "18:55:03  queued  #5  first  why" of an event's document, without end of line. */
void board_event_format(const json_t *event, int64_t now_us, struct buf *out);

/* ---- the terminal: board_screen.c ---- */
/* The other screen, no echo, no cursor; on every way out (exit, signals, crashes, Ctrl-Z)
 * all is as before. */
void board_screen_enter(void);
void board_screen_leave(void);
/* Has a signal asked for the end? */
bool board_screen_is_over(void);
/* Has the size changed, or are we back from Ctrl-Z? Asked once. */
bool board_screen_is_stale(void);
void board_screen_draw(const struct buf *picture);

#endif
