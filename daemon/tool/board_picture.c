/*
 * The picture of the live board: the head, the lines, who is there, what waits, what has
 * happened. Pure text work; what a customer wrote goes through screen.c by the tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"
#include "daemon/base/zone.h"
#include "daemon/tool/board.h"
#include "daemon/tool/tool.h"

#define LEAST_WAITING 4

void
board_facts_fini(struct board_facts *f)
{
        json_decref(f->stats);
        json_decref(f->lines);
        json_decref(f->agents);
        json_decref(f->waiting);
        for (size_t i = 0; i < BOARD_EVENTS; i++)
                free(f->events[i]);
        *f = (struct board_facts){.trouble = ""};
}

/* "18:55:03" on the wall. */
static void
wall(int64_t us, char out[16])
{
        char text[20];

        zone_format("", us, text);
        snprintf(out, 16, "%.8s", strlen(text) > 11 ? text + 11 : "");
}

void
board_event_format(const json_t *e, int64_t now_us, struct buf *out)
{
        static const char *const keys[] = {"line", "agent", "why"};
        int64_t at = now_us;
        char clock[16];

        clock_parse(json_str(e, "at", ""), &at);
        wall(at, clock);
        buf_addf(out, "%s  ", clock);
        screen_add_line(out, tool_name_of(json_str(e, "event", "?")),
            strlen(tool_name_of(json_str(e, "event", "?"))));
        if (*json_str(e, "ticket", "") != '\0') {
                buf_adds(out, "  #");
                screen_add_line(
                    out, json_str(e, "ticket", ""), strlen(json_str(e, "ticket", "")));
        }
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                const char *s = json_str(e, keys[i], "");

                if (*s == '\0')
                        continue;
                buf_adds(out, i == 2 ? ": " : "  ");
                screen_add_line(out, s, strlen(s));
        }
}

/* ---- the parts, each with its own rows ---- */

static size_t
rows_of(const struct buf *b)
{
        size_t n = 0;

        for (size_t i = 0; i < b->len; i++)
                n += b->data[i] == '\n';
        return n;
}

static void
head_format(const struct board_facts *f, int64_t now_us, size_t columns, struct buf *out)
{
        const json_t *outbox = json_obj(f->stats, "outbox");
        long long dead = (long long)json_int(outbox, "dead", 0);
        struct buf left AUTO_BUF = BUF_INIT;
        const char *desk = json_str(f->stats, "desk", "helpline");
        char clock[16];
        size_t used;

        wall(now_us, clock);
        buf_adds(out, screen_style(STYLE_BOLD));
        screen_add_line(&left, desk, strlen(desk));
        used = screen_add_cut(out, buf_str(&left), columns > 40 ? columns - 40 : 20);
        buf_adds(out, screen_style(STYLE_NONE));
        buf_clear(&left);
        buf_addf(&left, "  %s", clock);
        if (f->stats != NULL)
                buf_addf(&left, "  %s",
                    json_bool(f->stats, "live", false) ? tr("live")
                                                       : tr("rehearsal: mail is held"));
        if (dead > 0)
                buf_addf(&left, tr("  %lld dead letters"), dead);
        screen_add_cut(out, buf_str(&left), columns > used ? columns - used : 0);
        buf_addc(out, '\n');
        if (*f->trouble == '\0')
                return;
        buf_adds(out, screen_style(STYLE_RED));
        screen_add_cut(out, f->trouble, columns);
        buf_addf(out, "%s\n", screen_style(STYLE_NONE));
}

static void
table_of(const char *command, const json_t *docs, size_t columns, bool titles,
    size_t most, struct buf *out)
{
        struct table *table = lists_table(command);

        for (size_t i = 0; i < json_array_size(docs) && i < most; i++)
                lists_add(command, table, json_array_get(docs, i));
        if (table_rows(table) > 0)
                table_format(table, TABLE_SCREEN, columns, titles, out);
        table_free(&table);
}

static void
agents_format(const struct board_facts *f, size_t columns, struct buf *out)
{
        struct buf row AUTO_BUF = BUF_INIT;
        size_t n_offline = 0;

        for (size_t i = 0; i < json_array_size(f->agents); i++) {
                const json_t *a = json_array_get(f->agents, i);
                const char *presence = json_str(a, "presence", "offline");
                const char *name = json_str(a, "agent", "?");

                if (strcmp(presence, "offline") == 0 && json_int(a, "used", 0) == 0) {
                        n_offline++;
                        continue;
                }
                buf_adds(&row, row.len > 0 ? " · " : "");
                screen_add_line(&row, name, strlen(name));
                buf_addf(&row, " %lld/%lld", (long long)json_int(a, "used", 0),
                    (long long)json_int(a, "holds", 0));
                if (strcmp(presence, "ready") != 0)
                        buf_addf(&row, " (%s)", tool_name_of(presence));
        }
        if (n_offline > 0)
                buf_addf(&row, tr("%s%zu offline"), row.len > 0 ? " · " : "", n_offline);
        if (row.len > 0)
                screen_add_wrapped(out, buf_str(&row), columns, "");
}

static void
events_format(const struct board_facts *f, size_t columns, size_t most, struct buf *out)
{
        for (size_t i = 0; i < most && i < BOARD_EVENTS && f->events[i] != NULL; i++) {
                buf_adds(out, screen_style(STYLE_DIM));
                screen_add_cut(out, f->events[i], columns);
                buf_addf(out, "%s\n", screen_style(STYLE_NONE));
        }
}

/* What does not fit is left out at the bottom, and said. */
static void
rows_cut(struct buf *b, size_t rows)
{
        size_t n = 0;

        for (size_t i = 0; rows > 0 && i < b->len; i++)
                if (b->data[i] == '\n' && ++n == rows) {
                        b->len = i + 1;
                        b->data[b->len] = '\0';
                        return;
                }
}

void
board_format(const struct board_facts *f, int64_t now_us, size_t columns, size_t rows,
    struct buf *out)
{
        struct buf waiting AUTO_BUF = BUF_INIT, events AUTO_BUF = BUF_INIT;
        size_t n_waiting = json_array_size(f->waiting), room, n_events;

        head_format(f, now_us, columns, out);
        buf_addc(out, '\n');
        table_of("LINES", f->lines, columns, true, SIZE_MAX, out);
        buf_addc(out, '\n');
        agents_format(f, columns, out);
        buf_addc(out, '\n');
        room = rows == 0             ? n_waiting + BOARD_EVENTS + 3
               : rows > rows_of(out) ? rows - rows_of(out)
                                     : 0;
        n_events = room > LEAST_WAITING + 3 ? (room - LEAST_WAITING) / 2 : 0;
        events_format(f, columns, n_events, &events);
        n_events = rows_of(&events) + (events.len > 0);
        room = room > n_events + 1 ? room - n_events - 1 : 0;
        table_of("QUEUE", f->waiting, columns, true, room, &waiting);
        if (n_waiting == 0 && *f->trouble == '\0')
                buf_addf(&waiting, "%s\n", tr("nothing waits"));
        buf_adds(out, buf_str(&waiting));
        if (events.len > 0)
                buf_addf(out, "\n%s", buf_str(&events));
        rows_cut(out, rows);
}
