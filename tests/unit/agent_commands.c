/*
 * The table of commands: consistent in itself, the same as docs/protocol.md, and
 * its words parsed as the manual says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"

/* ---- helpers ---- */

struct parsed {
        struct arena *arena;
        struct call call; /* only its values are used */
        struct err err;
        int rc;
};

/* Words separated by blanks; _ stands for an empty one, ~ for a blank. */
static struct parsed
parse(const char *line)
{
        struct parsed p = {.arena = arena_new()};
        struct resp_arg argv[80];
        char *copy = arena_strdup(p.arena, line);
        int argc = 0;

        for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " ")) {
                for (char *s = w; *s != '\0'; s++)
                        if (*s == '~')
                                *s = ' ';
                argv[argc].s = strcmp(w, "_") == 0 ? "" : w;
                argv[argc].len = strlen(argv[argc].s);
                argc++;
        }
        p.call.command = command_lookup(argv, argc, &p.err);
        p.rc = p.call.command == NULL ? -1
                                      : args_parse(p.call.command, argv, argc, p.arena,
                                            &p.call.values, &p.call.n_values, &p.err);
        return p;
}

static void
want_error(const char *line, const char *code, const char *text)
{
        struct parsed p = parse(line);

        if (p.rc != -1)
                fail_msg("%s: was accepted", line);
        assert_string_equal(p.err.code, code);
        if (strncmp(p.err.text, text, strlen(text)) != 0)
                fail_msg("%s: got '%s', expected '%s'", line, p.err.text, text);
        arena_free(&p.arena);
}

static void
want_value(const char *line, const char *name, const char *value)
{
        struct parsed p = parse(line);

        if (p.rc != 0)
                fail_msg("%s: %s", line, p.err.text);
        assert_string_equal(call_arg(&p.call, name), value);
        arena_free(&p.arena);
}

static void
want_number(const char *line, const char *name, int64_t value)
{
        struct parsed p = parse(line);

        if (p.rc != 0)
                fail_msg("%s: %s", line, p.err.text);
        assert_int_equal(call_num(&p.call, name, -1), value);
        arena_free(&p.arena);
}

/* ---- the table ---- */

static void
names_are_unique_and_upper(void **state)
{
        (void)state;
        for (size_t i = 0; i < n_commands; i++) {
                for (const char *s = commands[i].name; *s != '\0'; s++)
                        assert_true(isupper((unsigned char)*s) || *s == ' ');
                assert_ptr_equal(command_find(commands[i].name, strlen(commands[i].name)),
                    &commands[i]);
                assert_true(commands[i].summary[0] != '\0');
                assert_true(
                    commands[i].run != NULL || (commands[i].flags & CMD_CONTAINER));
        }
}

static void
what_changes_takes_an_id(void **state)
{
        (void)state;
        for (size_t i = 0; i < n_commands; i++) {
                bool has = false;

                for (const struct arg_spec *s = commands[i].args;
                     s != NULL && s->name != NULL; s++)
                        has = has || s->type == ARG_KEY;
                if (commands[i].flags & CMD_CHANGES)
                        assert_true(has);
        }
}

static char *
read_manual(void)
{
        FILE *f = fopen("docs/protocol.md", "r");
        char *text = calloc(1, 200000);

        assert_non_null(f);
        assert_true(fread(text, 1, 199999, f) > 1000);
        fclose(f);
        return text;
}

/* Every command stands in the manual, with the very words of the table. */
static void
manual_has_every_command(void **state)
{
        char *manual = read_manual();

        (void)state;
        for (size_t i = 0; i < n_commands; i++) {
                struct buf head AUTO_BUF = BUF_INIT, usage AUTO_BUF = BUF_INIT;

                if (commands[i].flags & CMD_CONTAINER)
                        continue;
                command_usage(&commands[i], &usage);
                buf_addf(&head, "\n### `%s`\n", buf_str(&usage));
                if (strstr(manual, buf_str(&head)) == NULL)
                        fail_msg(
                            "docs/protocol.md has no heading for: %s", buf_str(&usage));
        }
        free(manual);
}

/* Every command of the manual stands in the table. */
static void
table_has_every_command(void **state)
{
        char *manual = read_manual();
        size_t n = 0, n_containers = 0;

        (void)state;
        for (const char *s = manual; (s = strstr(s, "\n### `")) != NULL; s++) {
                char line[256];
                bool found = false;

                snprintf(line, sizeof line, "%.*s", (int)strcspn(s + 6, "`"), s + 6);
                for (size_t i = 0; i < n_commands; i++) {
                        struct buf usage AUTO_BUF = BUF_INIT;

                        command_usage(&commands[i], &usage);
                        found = found || strcmp(buf_str(&usage), line) == 0;
                }
                if (!found)
                        fail_msg("the table has no command: %s", line);
                n++;
        }
        for (size_t i = 0; i < n_commands; i++)
                n_containers += (commands[i].flags & CMD_CONTAINER) != 0;
        assert_int_equal(n, n_commands - n_containers);
        free(manual);
}

/* The numbers of the manual's table of limits are those of the code. */
static void
manual_has_the_limits(void **state)
{
        char *manual = read_manual();
        const struct agents_limits *l = &agents_limits;

        (void)state;
        assert_int_equal(l->arg, 1 << 20);
        assert_int_equal(l->request, 4 << 20);
        assert_int_equal(l->text, 65536);
        assert_int_equal(l->document, 256 * 1024);
        assert_non_null(strstr(manual, "| one argument | 1 MB |"));
        assert_non_null(strstr(manual, "| one request | 4 MB (1 KB before AUTH"));
        assert_non_null(strstr(manual, "| arguments of a request | 64 |"));
        assert_non_null(strstr(manual, "| requests executed at a stretch | 1,000 |"));
        assert_non_null(
            strstr(manual, "| connections in all, of one address | 10,000 and 4,096 |"));
        assert_non_null(strstr(manual, "| subscriptions of a connection | 256 |"));
        assert_int_equal(l->args, 64);
        assert_int_equal(l->stretch, 1000);
        assert_int_equal(l->connections, 10000);
        assert_int_equal(l->per_address, 4096);
        assert_int_equal(l->subscriptions, 256);
        free(manual);
}

/* ---- looking up ---- */

static void
redis_words_for_unknown(void **state)
{
        (void)state;
        want_error("FLY", "ERR", "unknown command 'FLY'");
        want_error("TOKEN~NEW", "ERR", "unknown command 'TOKEN NEW'");
        want_error("CLIENT TRACKING on", "ERR",
            "unknown subcommand 'TRACKING'. Try CLIENT HELP.");
        want_error("client maint_notifications on", "ERR",
            "unknown subcommand 'maint_notifications'. Try CLIENT HELP.");
        want_error("CLIENT", "ERR", "wrong number of arguments for 'client' command");
        want_error("TAKE", "ERR", "wrong number of arguments for 'take' command");
        want_error("TIME now", "ERR", "wrong number of arguments for 'time' command");
        want_error(
            "CLIENT ID 1", "ERR", "wrong number of arguments for 'client|id' command");
        want_error("AUTH", "ERR", "wrong number of arguments for 'auth' command");
        want_error("REPLY 1042", "ERR", "wrong number of arguments for 'reply' command");
}

static void
arities(void **state)
{
        (void)state;
        assert_int_equal(command_arity(command_find("PING", 4)), -1);
        assert_int_equal(command_arity(command_find("TIME", 4)), 1);
        assert_int_equal(command_arity(command_find("AUTH", 4)), -2);
        assert_int_equal(command_arity(command_find("RESERVE", 7)), -1);
        assert_int_equal(command_arity(command_find("TAKE", 4)), -2);
        assert_int_equal(command_arity(command_find("REPLY", 5)), -3);
        assert_int_equal(command_arity(command_find("EVENTS", 6)), -3);
        assert_int_equal(command_arity(command_find("CLIENT", 6)), -2);
        assert_int_equal(command_arity(command_find("CLIENT ID", 9)), 2);
}

/* ---- options ---- */

static void
options_in_any_order_and_case(void **state)
{
        (void)state;
        want_number("RESERVE block 5000 Count 3", "BLOCK", 5000);
        want_number("reserve COUNT 3 BLOCK 0", "COUNT", 3);
        want_number("RESERVE COUNT 3 BLOCK 0", "BLOCK", 0);
        want_value("RESERVE ID k1 LINE first", "LINE", "first");
        want_value("RESERVE ID k1 LINE first", "ID", "k1");
        want_value("reply 1042 Hello status Resolved seen 1042.7", "STATUS", "Resolved");
        want_number("RELEASE 1042 DELAY 1h30m", "DELAY", 5400000);
        want_number("SHOW 1042 BEFORE 1042.7", "BEFORE", 7);
        want_value("EVENTS AFTER 0", "AFTER", "0");
        want_number("BLOB 1042.3 2.1 OFFSET 0", "ticket", 3);
}

/* The text stands at its place, or behind TEXT at the end. */
static void
text_may_stand_last(void **state)
{
        (void)state;
        want_value("REPLY 1042 Hello", "text", "Hello");
        want_value("REPLY 1042 TEXT Hello", "text", "Hello");
        want_value("REPLY 1042 STATUS held TEXT Hello", "text", "Hello");
        want_value("REPLY 1042 STATUS held ID k TEXT Hello", "ID", "k");
        want_value("REPLY 1042 STATUS held TEXT STATUS", "text", "STATUS");
        want_value("REPLY 1042 status", "text", "status");
        want_value("REPLY 1042 TEXT", "text", "TEXT");
        want_value("NOTE 1042 LEASE 3 TEXT Hello", "text", "Hello");
        want_value("NOTE 1042 TEXT LEASE 3", "text", "TEXT");
        want_value("RESOLVE 1042 TEXT Bye SEEN 1042.1", "TEXT", "Bye");
}

static void
options_that_are_wrong(void **state)
{
        (void)state;
        want_error("RESERVE BLOCK", "BADARG",
            "BLOCK: expected a value behind it (ms), got the end");
        want_error("RESERVE BLOCK soon", "BADARG",
            "BLOCK: expected a number from 0 to 86400000, got 'soon'");
        want_error("RESERVE COUNT 0", "BADARG", "COUNT: expected a number from 1 to 100");
        want_error(
            "RESERVE COUNT 101", "BADARG", "COUNT: expected a number from 1 to 100");
        want_error(
            "RESERVE COUNT 07", "BADARG", "COUNT: expected a number from 1 to 100");
        want_error(
            "RESERVE COUNT 1 COUNT 2", "BADARG", "COUNT: expected once, got twice");
        want_error("RESERVE NOW 1", "BADARG",
            "RESERVE: expected one of BLOCK, COUNT, LINE, CHANNEL, ID, got 'NOW'");
        want_error("RESERVE CHANNEL fax", "BADARG",
            "CHANNEL: expected email, web or phone, got 'fax'");
        want_error("TAKE first", "BADARG",
            "ticket: expected a ticket's number such as 1042, got 'first'");
        want_error("TAKE 0", "BADARG", "ticket: expected a ticket's number");
        want_error("TAKE 99999999999999999999", "BADARG", "ticket: expected a ticket's");
        want_error("UNSEND 1042", "BADARG",
            "message: expected a message's id such as 1042.7, got '1042'");
        want_error("SHOW 1042 BEFORE 7", "BADARG", "BEFORE: expected a message's id");
        want_error("REPLY 1042 Hi STATUS open", "BADARG",
            "STATUS: expected waiting, resolved or held, got 'open'");
        want_error("REPLY 1042 Hi TO somebody", "BADARG", "TO: expected a mail address");
        want_error("REPLY 1042 _", "BADARG", "text: expected a text that is not empty");
        want_error("REPLY 1042 \xff", "BADARG", "text: expected text in UTF-8");
        want_error("LIST STATE open", "BADARG", "STATE: expected queued, held, waiting");
        want_error("RELEASE 1042 DELAY 90", "BADARG",
            "DELAY: expected a duration such as 90s, 15m or 2h, got '90'");
        want_error("EVENTS AFTER now", "BADARG", "AFTER: expected 0 or an event's seq");
        want_error("EVENTS", "BADARG", "AFTER: expected (seq), got nothing");
        want_error("SUBSCRIBE all", "BADARG",
            "channel: expected me, desk, line:NAME or ticket:ID, got 'all'");
        want_error("TAKE 1042 ID two~words", "BADARG",
            "ID: expected 1 to 64 printable ASCII characters without blank");
        want_error(
            "BLOB 1042 x", "BADARG", "part: expected a part such as 2 or 2.1, or html");
        want_error("OUTBOX SHOW x", "BADARG", "entry: expected an entry's number");
}

static void
texts_have_their_limit(void **state)
{
        size_t n = agents_limits.text + 1;
        char *text = malloc(n + 1), *line = malloc(n + 40);

        (void)state;
        memset(text, 'x', n);
        text[n] = '\0';
        snprintf(line, n + 40, "REPLY 1042 %s", text);
        want_error(line, "TOOBIG", "text: 65537 bytes, at most 65536");
        text[n - 1] = '\0';
        snprintf(line, n + 40, "REPLY 1042 %s", text);
        want_value(line, "text", text);
        text[1025] = '\0';
        snprintf(line, n + 40, "REOPEN 1042 %s", text);
        want_error(line, "BADARG", "reason: expected at most 1024 bytes, got 1025");
        free(text);
        free(line);
}

static void
durations(void **state)
{
        int64_t ms = 0;

        (void)state;
        assert_true(duration_parse("90s", &ms) && ms == 90000);
        assert_true(duration_parse("1h30m", &ms) && ms == 5400000);
        assert_true(duration_parse("3d", &ms) && ms == 259200000);
        assert_false(duration_parse("", &ms));
        assert_false(duration_parse("10", &ms));
        assert_false(duration_parse("m", &ms));
        assert_false(duration_parse("1y", &ms));
        assert_false(duration_parse("-1h", &ms));
        assert_false(duration_parse("999999999w", &ms));
}

/* ---- COMMAND's answers are whole and of the right shape ---- */

static void
read_back(const struct buf *b, struct arena *a, struct resp_value *v)
{
        struct err err;

        if (resp_value_parse(b->data, b->len, 1 << 20, a, v, &err) != (long)b->len)
                fail_msg("not one whole answer");
}

static void
command_answers(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        for (int proto = 2; proto <= 3; proto++) {
                struct buf info AUTO_BUF = BUF_INIT, docs AUTO_BUF = BUF_INIT;
                const struct resp_arg words[] = {
                    {"reply", 5}, {"nothing", 7}, {"client|id", 9}};
                struct buf some AUTO_BUF = BUF_INIT;
                struct resp_value v;

                command_info_all(&info, proto);
                read_back(&info, a, &v);
                assert_int_equal(v.n_items, command_count());
                assert_int_equal(v.items[0].n_items, 10);
                command_docs(&docs, proto, NULL, 0);
                read_back(&docs, a, &v);
                assert_int_equal(v.type, proto == 3 ? RESP_MAP : RESP_ARRAY);
                command_info_some(&some, proto, words, 3);
                read_back(&some, a, &v);
                assert_int_equal(v.n_items, 3);
                assert_string_equal(v.items[0].items[0].s, "reply");
                assert_int_equal(v.items[1].type, RESP_NULL);
                assert_string_equal(v.items[2].items[0].s, "client|id");
        }
}

static void
help_lists_subcommands(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct resp_value v;

        (void)state;
        command_help("TOKEN", &b);
        read_back(&b, a, &v);
        assert_int_equal(v.n_items, 1 + 2 * 4);
        assert_string_equal(v.items[1].s, "NEW agent [NAME name]");
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(names_are_unique_and_upper),
            cmocka_unit_test(what_changes_takes_an_id),
            cmocka_unit_test(manual_has_every_command),
            cmocka_unit_test(table_has_every_command),
            cmocka_unit_test(manual_has_the_limits),
            cmocka_unit_test(redis_words_for_unknown),
            cmocka_unit_test(arities),
            cmocka_unit_test(options_in_any_order_and_case),
            cmocka_unit_test(text_may_stand_last),
            cmocka_unit_test(options_that_are_wrong),
            cmocka_unit_test(texts_have_their_limit),
            cmocka_unit_test(durations),
            cmocka_unit_test(command_answers),
            cmocka_unit_test(help_lists_subcommands),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
