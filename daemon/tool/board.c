/*
 * helpline board: the desk, live. One connection hears the events of the desk, another
 * asks for the numbers: at once after an event, but not more than twice a second, and
 * every five seconds (ages grow). A daemon that goes away is tried again every two
 * seconds, with the last picture left standing.
 *
 * In a pipe: the picture once, then a line for each event.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/tool/board.h"
#include "daemon/tool/tool.h"

#define LEAST_MS 500
#define MOST_MS 5000
#define AGAIN_MS 2000
#define WAITING 100

struct board {
        struct tool *t;
        struct client *events; /* subscribed; NULL: away */
        struct board_facts facts;
        bool is_dirty; /* something has happened since it was asked */
        int64_t asked_ms; /* monotonic; 0 never */
        char trouble[512];
};

static int64_t
mono_ms(void)
{
        return clock_read_mono_us() / 1000;
}

/* ---- asking ---- */

/* The documents of an array answer, as one array; NULL: away or refused. */
static json_t *
board_ask(struct board *b, int argc, const char *const *argv, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;
        json_t *docs;
        int code;

        if (b->t->connection == NULL)
                b->t->connection = client_open(&b->t->client, &code, err);
        if (b->t->connection == NULL)
                return NULL;
        if (client_call(b->t->connection, argc, argv, a, &v, err) == -1) {
                client_close(&b->t->connection);
                return NULL;
        }
        if (v.type == RESP_ERROR) {
                err_set(err, ERR_REJECT, "%.*s", (int)v.len, v.s);
                return NULL;
        }
        if (v.type == RESP_BULK)
                return json_read(v.s, v.len, 16 << 20, err);
        docs = json_array();
        for (size_t i = 0; i < v.n_items; i++)
                json_array_append_new(
                    docs, json_read(v.items[i].s, v.items[i].len, 16 << 20, NULL));
        return docs;
}

static void
replace(json_t **old, json_t *new)
{
        json_decref(*old);
        *old = new;
}

/* What waits, in each line or in the one that was asked for. */
static json_t *
board_ask_waiting(struct board *b, const json_t *lines, struct err *err)
{
        const char *only = tool_option(b->t, "line");
        json_t *all = json_array();

        for (size_t i = 0; i < json_array_size(lines); i++) {
                const json_t *line = json_array_get(lines, i);
                const char *name = json_str(line, "line", "");
                json_t *part;

                if (json_int(line, "queued", 0) == 0 ||
                    (only != NULL && strcmp(only, name) != 0))
                        continue;
                part =
                    board_ask(b, 4, (const char *[]){"QUEUE", name, "COUNT", "100"}, err);
                if (part != NULL)
                        json_array_extend(all, part);
                json_decref(part);
                if (json_array_size(all) >= WAITING)
                        break;
        }
        return all;
}

static int
board_refresh(struct board *b, struct err *err)
{
        json_t *stats = board_ask(b, 1, (const char *[]){"STATS"}, err);
        json_t *lines =
            stats == NULL ? NULL : board_ask(b, 1, (const char *[]){"LINES"}, err);
        json_t *agents =
            lines == NULL ? NULL : board_ask(b, 1, (const char *[]){"AGENTS"}, err);

        b->asked_ms = mono_ms();
        b->is_dirty = false;
        if (agents == NULL) {
                json_decref(stats);
                json_decref(lines);
                return -1;
        }
        replace(&b->facts.waiting, board_ask_waiting(b, lines, err));
        replace(&b->facts.stats, stats);
        replace(&b->facts.lines, lines);
        replace(&b->facts.agents, agents);
        return 0;
}

/* ---- hearing ---- */

static int
board_subscribe(struct board *b, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *words[] = {"SUBSCRIBE", "desk"};
        struct resp_value v;
        int code;

        b->events = client_open(&b->t->client, &code, err);
        if (b->events == NULL)
                return -1;
        if (client_call(b->events, 2, words, a, &v, err) == 0 && v.type != RESP_ERROR)
                return 0;
        if (v.type == RESP_ERROR)
                err_set(err, ERR_REJECT, "%.*s", (int)v.len, v.s);
        client_close(&b->events);
        return -1;
}

static void
event_keep(struct board *b, const json_t *event)
{
        struct buf row AUTO_BUF = BUF_INIT;

        board_event_format(event, clock_now_us(), &row);
        free(b->facts.events[BOARD_EVENTS - 1]);
        memmove(&b->facts.events[1], &b->facts.events[0],
            (BOARD_EVENTS - 1) * sizeof *b->facts.events);
        b->facts.events[0] = xstrdup(buf_str(&row));
}

/* In a pipe: tabs between the values. */
static void
event_print(const json_t *e)
{
        static const char *const keys[] = {
            "at", "event", "ticket", "line", "agent", "why"};
        struct buf row AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
                const char *s = json_str(e, keys[i], "");

                buf_adds(&row, i > 0 ? "\t" : "");
                screen_add_line(&row, s, strlen(s));
        }
        puts(buf_str(&row));
        fflush(stdout);
}

/* Takes one frame. -1: the connection is gone. */
static int
board_hear(struct board *b, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;
        json_t *event;

        if (client_next(b->events, MOST_MS, a, &v, err) == -1) {
                client_close(&b->events);
                return -1;
        }
        if (v.n_items != 3 || strcmp(v.items[0].s, "message") != 0)
                return 0;
        event = json_read(v.items[2].s, v.items[2].len, 1 << 20, NULL);
        if (event != NULL && screen_is_terminal())
                event_keep(b, event);
        else if (event != NULL && b->t->json)
                print_value(&v.items[2], true), fflush(stdout);
        else if (event != NULL)
                event_print(event);
        json_decref(event);
        b->is_dirty = true;
        return 0;
}

/* ---- on a terminal ---- */

static void
board_trouble(struct board *b, const struct err *err)
{
        snprintf(b->trouble, sizeof b->trouble, "%s", err->text);
        b->facts.trouble = b->trouble;
}

/* How long it may wait for something to happen. */
static int
board_patience(const struct board *b, int64_t now_ms)
{
        int64_t after = b->events == NULL ? AGAIN_MS : b->is_dirty ? LEAST_MS : MOST_MS;
        int64_t left = b->asked_ms + after - now_ms;

        return left < 0 ? 0 : left > 1000 ? 1000 : (int)left; /* the clock ticks */
}

static void
board_turn(struct board *b)
{
        struct err err = {.text = ""};
        int64_t now = mono_ms();
        bool due = board_patience(b, now) == 0 || b->asked_ms == 0;

        clock_update();
        if (!due)
                return;
        if (b->events == NULL && board_subscribe(b, &err) == -1) {
                b->asked_ms = now;
                board_trouble(b, &err);
        } else if (board_refresh(b, &err) == -1) {
                client_close(&b->events);
                board_trouble(b, &err);
        } else {
                b->facts.trouble = "";
        }
}

static bool
key_ends(void)
{
        char keys[64];
        ssize_t n = read(STDIN_FILENO, keys, sizeof keys);

        for (ssize_t i = 0; i < n; i++)
                if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == 4)
                        return true;
        return false;
}

static void
board_draw(struct board *b)
{
        struct buf picture AUTO_BUF = BUF_INIT;

        board_format(
            &b->facts, clock_now_us(), screen_columns(), screen_rows(), &picture);
        board_screen_draw(&picture);
}

static int
board_live(struct board *b)
{
        bool keys = isatty(STDIN_FILENO);

        board_screen_enter();
        while (!board_screen_is_over()) {
                struct pollfd fds[2] = {
                    {keys ? STDIN_FILENO : -1, POLLIN, 0}, {-1, POLLIN, 0}};
                struct err err;

                board_turn(b);
                board_draw(b);
                fds[1].fd = b->events == NULL ? -1 : client_fd(b->events);
                if (b->events != NULL && client_has_answer(b->events))
                        fds[1].revents = POLLIN;
                else if (poll(fds, 2, board_patience(b, mono_ms())) == -1 &&
                         errno != EINTR)
                        break;
                if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
                        break;
                if ((fds[0].revents & POLLIN) && key_ends())
                        break;
                while (b->events != NULL &&
                       (fds[1].revents != 0 || client_has_answer(b->events))) {
                        fds[1].revents = 0;
                        if (board_hear(b, &err) == -1)
                                board_trouble(b, &err);
                }
        }
        board_screen_leave();
        return TOOL_DONE;
}

/* ---- in a pipe ---- */

static int
board_print(struct board *b)
{
        struct buf picture AUTO_BUF = BUF_INIT;
        struct err err = {.text = ""};

        if (board_refresh(b, &err) == -1)
                return tool_fail(TOOL_AWAY, "%s", err.text);
        board_format(&b->facts, clock_now_us(), screen_columns(), 0, &picture);
        fputs(buf_str(&picture), stdout);
        fflush(stdout);
        return TOOL_DONE;
}

/* Until the daemon or who reads us is gone. */
static int
board_follow(struct board *b)
{
        struct err err = {.text = ""};

        while (b->events != NULL) {
                struct pollfd fds[2] = {
                    {client_fd(b->events), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};

                if (!client_has_answer(b->events) && poll(fds, 2, -1) == -1)
                        break;
                if (fds[1].revents & (POLLERR | POLLHUP))
                        return TOOL_DONE;
                board_hear(b, &err);
        }
        return tool_fail(TOOL_AWAY, "%s", err.text);
}

int
verb_board(struct tool *t, int argc, char **argv)
{
        struct board b = {.t = t, .facts = {.trouble = ""}};
        struct err err = {.text = ""};
        int code = TOOL_DONE;

        (void)argv;
        if (argc != 1)
                return tool_fail(TOOL_USAGE, tr("%s takes no words"), argv[0]);
        if (screen_is_terminal() && tool_option(t, "once") == NULL) {
                code = board_live(&b);
        } else {
                if (tool_option(t, "once") == NULL && board_subscribe(&b, &err) == -1)
                        code = tool_fail(TOOL_AWAY, "%s", err.text);
                if (code == TOOL_DONE && !t->json)
                        code = board_print(&b);
                if (code == TOOL_DONE && b.events != NULL)
                        code = board_follow(&b);
        }
        client_close(&b.events);
        board_facts_fini(&b.facts);
        return code;
}
