/*
 * The verbs that are one command of the protocol, and check. What they do stands in
 * docs/protocol.md; what they print is made in answer.c.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "daemon/base/json.h"
#include "daemon/tool/tool.h"
#include "daemon/tool/when.h"

int
verb_command(struct tool *t, int argc, char **argv)
{
        if (argc < 2)
                return tool_fail(
                    TOOL_USAGE, tr("cmd takes a command: helpline cmd STATS"));
        return tool_run(t, argc - 1, (const char *const *)argv + 1);
}

int
verb_agent(struct tool *t, int argc, char **argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;
        struct client *c;
        struct err err;
        int code;

        if (argc != 3 || strcmp(argv[1], "token") != 0)
                return tool_fail(TOOL_USAGE, tr("usage: helpline agent token NAME"));
        c = client_open(&t->client, &code, &err);
        if (c == NULL)
                return tool_fail(code, "%s", err.text);
        code = client_call(c, 3, (const char *[]){"TOKEN", "NEW", argv[2]}, a, &v, &err);
        client_close(&c);
        if (code == -1)
                return tool_fail(TOOL_AWAY, "%s", err.text);
        if (v.type == RESP_ERROR)
                return tool_fail(tool_code_of(v.s), "%.*s", (int)v.len, v.s);
        printf("%.*s\n", (int)v.len, v.s);
        fprintf(stderr,
            tr("A token for %s; it is shown this once. He logs in with: AUTH TOKEN\n"),
            argv[2]);
        return TOOL_DONE;
}

int
verb_plain(struct tool *t, int argc, char **argv)
{
        char word[32];

        if (argc != 1)
                return tool_fail(TOOL_USAGE, tr("%s takes no words"), argv[0]);
        snprintf(word, sizeof word, "%s", argv[0]);
        for (char *p = word; *p != '\0'; p++)
                *p = (char)toupper((unsigned char)*p);
        return tool_run(t, 1, (const char *[]){word});
}

int
verb_check(struct tool *t, int argc, char **argv)
{
        struct config_report report = {.text = BUF_INIT};
        struct config *c = NULL;
        int rc;

        (void)argv;
        if (argc != 1)
                return tool_fail(
                    TOOL_USAGE, tr("check takes no words (helpline -c FILE check)"));
        rc = config_load(t->client.file, &c, &report);
        fputs(buf_str(&report.text), stderr);
        if (rc == -1)
                fprintf(stderr,
                    report.n_errors == 1 ? tr("%u error in %s\n")
                                         : tr("%u errors in %s\n"),
                    report.n_errors, t->client.file);
        else
                printf(tr("%s: agents %zu, lines %zu, mail accounts %zu; warnings %u\n"),
                    t->client.file, c->n_agents, c->n_lines, c->n_mails,
                    report.n_warnings);
        config_free(&c);
        config_report_fini(&report);
        return rc == -1 ? TOOL_USAGE : TOOL_DONE;
}

/* ---- status ---- */

static const struct table_column line_columns[] = {{"line", "line", false, 24},
    {"queued", "queued", true, 9}, {"held", "in hand", true, 9},
    {"ready", "ready", true, 9}, {"oldest", "oldest", true, 10}};

static void
print_lines(const json_t *lines)
{
        static const char *const keys[] = {"queued", "held", "ready"};
        struct table *table = table_new(line_columns, 5);
        struct buf b AUTO_BUF = BUF_INIT;
        const char *name;
        json_t *line;
        char text[32];

        json_object_foreach((json_t *)lines, name, line)
        {
                table_cell(table, name, NULL, STYLE_NONE);
                for (size_t i = 0; i < 3; i++) {
                        snprintf(text, sizeof text, "%lld",
                            (long long)json_int(line, keys[i], 0));
                        table_cell(table, text, NULL, STYLE_NONE);
                }
                when_span(json_int(line, "oldest_s", 0), text);
                table_cell(table, text, NULL, STYLE_NONE);
        }
        table_format(table, TABLE_SCREEN, screen_columns(), true, &b);
        fputs(buf_str(&b), stdout);
        table_free(&table);
}

static void
print_channels(const json_t *channels)
{
        for (size_t i = 0; i < json_array_size(channels); i++) {
                const json_t *c = json_array_get(channels, i);
                const char *last = json_str(c, "last_error", "");

                printf(tr("channel  %s (%s) %s%s%s\n"), json_str(c, "account", "?"),
                    json_str(c, "channel", "?"), tool_name_of(json_str(c, "state", "?")),
                    *last != '\0' ? ": " : "", last);
        }
}

static void
print_status(const json_t *s)
{
        const json_t *store = json_obj(s, "store"), *agents = json_obj(s, "agents");
        const json_t *in = json_obj(s, "in"), *out = json_obj(s, "outbox");
        const json_t *tickets = json_obj(s, "tickets");

        printf(tr("%s, helpline %s, up %lld s, %s\n"), json_str(s, "desk", "?"),
            json_str(s, "version", "?"), (long long)json_int(s, "uptime_s", 0),
            json_bool(s, tr("live"), false) ? tr("live")
                                            : tr("rehearsal: outgoing mail is held"));
        printf(tr("store    %s, durability %s\n"), json_str(store, "kind", "?"),
            json_str(store, "durability", "?"));
        printf(tr("tickets "));
        for (void *i = json_object_iter((json_t *)tickets); i != NULL;
             i = json_object_iter_next((json_t *)tickets, i))
                printf(" %s %lld", tool_name_of(json_object_iter_key(i)),
                    (long long)json_integer_value(json_object_iter_value(i)));
        printf(tr("\nagents   %lld ready, %lld away, %lld parked\n"),
            (long long)json_int(agents, "ready", 0),
            (long long)json_int(agents, "away", 0),
            (long long)json_int(agents, "parked", 0));
        printf(tr("in       %lld messages, %lld duplicates, %lld quarantined\n"),
            (long long)json_int(in, "messages", 0),
            (long long)json_int(in, "duplicates", 0),
            (long long)json_int(in, "quarantined", 0));
        printf(tr("outbox   %lld held, %lld queued, %lld deferred, %lld dead\n"),
            (long long)json_int(out, "held", 0), (long long)json_int(out, "queued", 0),
            (long long)json_int(out, "deferred", 0), (long long)json_int(out, "dead", 0));
        print_channels(json_list(s, "channels"));
        print_lines(json_obj(s, "lines"));
}

int
verb_status(struct tool *t, int argc, char **argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;
        struct client *c;
        struct err err;
        json_t *s;
        int code;

        (void)argv;
        if (argc != 1)
                return tool_fail(TOOL_USAGE, tr("status takes no words"));
        if (t->json)
                return tool_run(t, 1, (const char *[]){"STATS"});
        c = client_open(&t->client, &code, &err);
        if (c == NULL)
                return tool_fail(code, "%s", err.text);
        code = client_call(c, 1, (const char *[]){"STATS"}, a, &v, &err);
        client_close(&c);
        if (code == -1)
                return tool_fail(TOOL_AWAY, "%s", err.text);
        if (v.type != RESP_BULK)
                return tool_fail(tool_code_of(v.s), "%.*s", (int)v.len, v.s);
        s = json_read(v.s, v.len, 16 << 20, &err);
        if (s == NULL)
                return tool_fail(
                    TOOL_AWAY, "the daemon's answer is no JSON: %s", err.text);
        print_status(s);
        json_decref(s);
        return TOOL_DONE;
}
