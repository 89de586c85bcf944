/*
 * Tables of tickets (ls, search, queue), lines and agents.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/tool/tool.h"
#include "daemon/tool/when.h"

#define MAX_PAGES 100000
#define N_OF(table) (sizeof(table) / sizeof *(table))

/* ---- tickets ---- */

static const struct table_column ticket_columns[] = {
    {"id", "no.", true, 8},
    {"state", "state", false, 11},
    {"priority", "", false, 9},
    {"line", "line", false, 10},
    {"holder", "who", false, 10},
    {"since", "when", false, 18},
    {"customer", "customer", false, 18},
    {"subject", "subject", false, 0},
};

struct table *
tickets_table(void)
{
        return table_new(ticket_columns, N_OF(ticket_columns));
}

static enum style
style_of(const char *word)
{
        static const struct {
                const char *word;
                enum style style;
        } styles[] = {{"queued", STYLE_YELLOW}, {"held", STYLE_GREEN},
            {"waiting", STYLE_CYAN}, {"urgent", STYLE_RED}, {"high", STYLE_RED},
            {"ready", STYLE_GREEN}, {"away", STYLE_YELLOW}};

        for (size_t i = 0; i < N_OF(styles); i++)
                if (strcmp(styles[i].word, word) == 0)
                        return styles[i].style;
        return STYLE_NONE;
}

static void
cell_time(struct table *table, const json_t *o, const char *key, int64_t now_us)
{
        const char *at = json_str(o, key, "");
        char text[48] = "";
        int64_t us;

        if (clock_parse(at, &us))
                when_format(us, now_us, text);
        table_cell(table, text, at, STYLE_NONE);
}

static const char *
customer_name(const json_t *d)
{
        static const char *const lists[] = {"emails", "phones"};
        const json_t *c = json_obj(d, "customer");
        const char *name = json_str(c, "name", "");

        for (size_t i = 0; *name == '\0' && i < 2; i++) {
                const json_t *list = json_list(c, lists[i]);

                if (json_array_size(list) > 0)
                        name = json_string_value(json_array_get(list, 0));
        }
        return name;
}

void
tickets_table_add(struct table *table, const json_t *d, int64_t now_us)
{
        const char *state = json_str(d, "state", "?"),
                   *priority = json_str(d, "priority", "normal");
        const char *holder = json_str(d, "holder", "");
        bool queued = *json_str(d, "queued_at", "") != '\0';

        table_cell(table, json_str(d, "id", "?"), NULL, STYLE_BOLD);
        table_cell(table, tool_name_of(state), state, style_of(state));
        table_cell(table, strcmp(priority, "normal") == 0 ? "" : tool_name_of(priority),
            priority, style_of(priority));
        table_cell(table, json_str(d, "line", ""), NULL, STYLE_NONE);
        table_cell(table, holder, NULL, STYLE_NONE);
        cell_time(table, d, queued ? "queued_at" : "created_at", now_us);
        table_cell(table, customer_name(d), NULL, STYLE_NONE);
        table_cell(table, json_str(d, "subject", ""), NULL, STYLE_NONE);
}

/* One page; how many of its documents were taken (at most `room`). -1: no documents. */
static long
page_take(struct tool *t, struct table *table, const struct resp_value *page, size_t room)
{
        size_t n = page->n_items < room ? page->n_items : room;

        for (size_t i = 0; i < n; i++) {
                json_t *d;

                if (t->json) {
                        print_value(&page->items[i], true);
                        continue;
                }
                d = tool_document(&page->items[i]);
                if (d == NULL)
                        return -1;
                tickets_table_add(table, d, clock_now_us());
                json_decref(d);
        }
        return (long)n;
}

static int
pages_read(struct tool *t, struct command *c, struct table *table, size_t room)
{
        int argc = c->argc;
        size_t left = room;

        for (int page = 0; page < MAX_PAGES && left > 0; page++) {
                struct arena *a AUTO_ARENA = arena_new();
                struct resp_value v;
                long n;
                int code = tool_call(t, c->argc, c->argv, a, &v);

                if (code != 0)
                        return code;
                if (v.type != RESP_ARRAY || v.n_items != 2)
                        return tool_fail(TOOL_AWAY, tr("the daemon's answer is no list"));
                n = page_take(t, table, &v.items[1], left);
                if (n < 0)
                        return TOOL_AWAY;
                left -= (size_t)n;
                if (v.items[0].s == NULL || strcmp(v.items[0].s, "0") == 0)
                        return 0;
                c->argc = argc;
                command_add(c, "AFTER");
                command_add(c, arena_strdup(t->arena, v.items[0].s));
        }
        return 0;
}

static int
tickets_list(struct tool *t, struct command *c, const char *nothing)
{
        const char *count = tool_option(t, "count");
        size_t room = count == NULL ? SIZE_MAX : (size_t)strtoul(count, NULL, 10);
        struct table *table = tickets_table();
        int code = pages_read(t, c, table, room);

        if (code == 0 && !t->json) {
                tool_table(t, table);
                if (table_rows(table) == 0 && !t->quiet && screen_is_terminal())
                        puts(nothing);
        }
        table_free(&table);
        return code;
}

static int
mine_list(struct tool *t)
{
        struct table *table = tickets_table();
        struct resp_value v;
        int code = tool_call(t, 1, (const char *[]){"MINE"}, t->arena, &v);

        if (code == 0 && page_take(t, table, &v, SIZE_MAX) < 0)
                code = TOOL_AWAY;
        if (code == 0 && !t->json) {
                tool_table(t, table);
                if (table_rows(table) == 0 && !t->quiet && screen_is_terminal())
                        puts(tr("you hold no ticket"));
        }
        table_free(&table);
        return code;
}

/* ---- what is asked of me ---- */

static const struct table_column asked_columns[] = {
    {"id", "no.", true, 10},
    {"by", "asks", false, 12},
    {"whom", "whom", false, 14},
    {"at", "when", false, 18},
    {"question", "question", false, 0},
};

static void
asked_question(struct table *table, const json_t *q)
{
        static const char *const keys[] = {"agent", "line", "to"};
        const char *whom = "";

        for (size_t i = 0; i < N_OF(keys) && *whom == '\0'; i++)
                whom = json_str(q, keys[i], "");
        table_cell(table, json_str(q, "id", "?"), NULL, STYLE_BOLD);
        table_cell(table, json_str(q, "by", ""), NULL, STYLE_NONE);
        table_cell(table, whom, NULL, STYLE_NONE);
        cell_time(table, q, "asked_at", clock_now_us());
        table_cell(table, json_str(q, "question", ""), NULL, STYLE_NONE);
}

/* The open questions of a summary, and the answer that waits for its approval. */
static void
asked_add(struct table *table, const json_t *d)
{
        const json_t *list = json_list(d, "consultations"), *a = json_obj(d, "approval");
        const char *subject = json_str(d, "subject", "");
        struct arena *arena AUTO_ARENA = arena_new();

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *q = json_array_get(list, i);

                if (*json_str(q, "answered_at", "") == '\0')
                        asked_question(table, q);
        }
        if (*json_str(a, "message", "") == '\0')
                return;
        table_cell(table, json_str(a, "message", "?"), NULL, STYLE_BOLD);
        table_cell(table, json_str(a, "by", ""), NULL, STYLE_NONE);
        table_cell(table, json_str(a, "tutor", ""), NULL, STYLE_NONE);
        table_cell(table, "", NULL, STYLE_NONE);
        table_cell(table, arena_printf(arena, tr("to be approved: %s"), subject), subject,
            STYLE_NONE);
}

static int
asked_list(struct tool *t)
{
        struct table *table = table_new(asked_columns, N_OF(asked_columns));
        struct resp_value v;
        int code = tool_call(t, 2, (const char *[]){"MINE", "ASKED"}, t->arena, &v);

        for (size_t i = 0; code == 0 && i < v.n_items; i++) {
                json_t *d = t->json ? NULL : tool_document(&v.items[i]);

                if (t->json)
                        print_value(&v.items[i], true);
                else if (d != NULL)
                        asked_add(table, d);
                json_decref(d);
        }
        if (code == 0 && !t->json) {
                tool_table(t, table);
                if (table_rows(table) == 0 && !t->quiet && screen_is_terminal())
                        puts(tr("nobody asks you"));
        }
        table_free(&table);
        return code;
}

int
verb_ls(struct tool *t, int argc, char **argv)
{
        struct command c = {.argv = {"LIST"}, .argc = 1};
        int code;

        (void)argv;
        if (argc != 1)
                return tool_fail(TOOL_USAGE, tr("%s takes no words"), argv[0]);
        if (tool_option(t, "asked") != NULL)
                return asked_list(t);
        if (tool_option(t, "mine") != NULL)
                return mine_list(t);
        code = command_add_options(t, &c);
        return code != 0 ? code : tickets_list(t, &c, tr("no such tickets"));
}

int
verb_search(struct tool *t, int argc, char **argv)
{
        struct command c = {.argv = {"SEARCH"}, .argc = 1};
        int code = command_add_options(t, &c);

        if (argc < 2)
                return tool_fail(TOOL_USAGE, tr("usage: helpline %s %s"), t->verb->name,
                    tr(t->verb->words));
        for (int i = 1; i < argc; i++)
                command_add(&c, argv[i]);
        return code != 0 ? code : tickets_list(t, &c, tr("nothing found"));
}

/* ---- lines and agents ---- */

static const struct table_column line_columns[] = {
    {"line", "line", false, 24},
    {"queued", "queued", true, 9},
    {"held", "in hand", true, 9},
    {"oldest_s", "oldest", true, 10},
    {"ready", "ready", true, 9},
    {"away", "away", true, 9},
    {"agents", "all", true, 9},
};

static const struct table_column agent_columns[] = {
    {"agent", "who", false, 14},
    {"name", "name", false, 0},
    {"role", "role", false, 14},
    {"line", "line", false, 14},
    {"presence", "presence", false, 12},
    {"used", "in hand", true, 8},
    {"reason", "reason", false, 30},
};

static void
cell_number(struct table *table, const json_t *o, const char *key)
{
        char text[32];

        snprintf(text, sizeof text, "%lld", (long long)json_int(o, key, 0));
        table_cell(table, text, NULL, STYLE_NONE);
}

static void
line_add(struct table *table, const json_t *d)
{
        long long queued = (long long)json_int(d, "queued", 0);
        long long s = (long long)json_int(d, "oldest_s", 0);
        char human[32] = "", exact[32];

        if (queued > 0)
                when_span(s, human);
        snprintf(exact, sizeof exact, "%lld", s);
        table_cell(table, json_str(d, "line", "?"), NULL, STYLE_BOLD);
        cell_number(table, d, "queued");
        cell_number(table, d, "held");
        table_cell(table, human, exact, STYLE_NONE);
        cell_number(table, d, "ready");
        cell_number(table, d, "away");
        cell_number(table, d, "agents");
}

/* Why he is not there: what he has said, else until when his absence lasts. */
static void
agent_reason(struct table *table, const json_t *d)
{
        const char *reason = json_str(d, "reason", "");
        struct arena *a AUTO_ARENA = arena_new();
        char until[48];
        int64_t us;

        if (*reason == '\0' && clock_parse(json_str(d, "absent_until", ""), &us)) {
                when_format(us, clock_now_us(), until);
                reason = arena_printf(a, tr("absent until: %s"), until);
        }
        table_cell(table, reason, json_str(d, "reason", ""), STYLE_NONE);
}

static void
agent_add(struct table *table, const json_t *d)
{
        const char *role = json_str(d, "role", ""),
                   *presence = json_str(d, "presence", "");
        char hand[32], used[32];

        snprintf(used, sizeof used, "%lld", (long long)json_int(d, "used", 0));
        snprintf(hand, sizeof hand, tr("%s of %lld"), used,
            (long long)json_int(d, "holds", 0));
        table_cell(table, json_str(d, "agent", "?"), NULL, STYLE_BOLD);
        table_cell(table, json_str(d, "name", ""), NULL, STYLE_NONE);
        table_cell(table, tool_name_of(role), role, STYLE_NONE);
        table_cell(table, json_str(d, "line", ""), NULL, STYLE_NONE);
        table_cell(table, tool_name_of(presence), presence, style_of(presence));
        table_cell(table, hand, used, STYLE_NONE);
        agent_reason(table, d);
}

struct table *
lists_table(const char *command)
{
        if (strcmp(command, "LINES") == 0)
                return table_new(line_columns, N_OF(line_columns));
        if (strcmp(command, "AGENTS") == 0)
                return table_new(agent_columns, N_OF(agent_columns));
        return tickets_table();
}

void
lists_add(const char *command, struct table *table, const json_t *d)
{
        if (strcmp(command, "LINES") == 0)
                line_add(table, d);
        else if (strcmp(command, "AGENTS") == 0)
                agent_add(table, d);
        else
                tickets_table_add(table, d, clock_now_us());
}

int
lists_print(struct tool *t, const char *command, const struct resp_value *v)
{
        struct table *table = lists_table(command);

        for (size_t i = 0; i < v->n_items; i++) {
                json_t *d;

                if (t->json) {
                        print_value(&v->items[i], true);
                        continue;
                }
                d = tool_document(&v->items[i]);
                if (d != NULL)
                        lists_add(command, table, d);
                json_decref(d);
        }
        if (!t->json)
                tool_table(t, table);
        if (table_rows(table) == 0 && !t->json && !t->quiet && screen_is_terminal())
                puts(tr("nothing waits"));
        table_free(&table);
        return TOOL_DONE;
}
