/*
 * The verbs that are more than their command: next, new, call, why.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/tool.h"
#include "daemon/tool/when.h"

/* ---- next ---- */

static int
no_work(struct tool *t)
{
        struct resp_value v;

        if (t->quiet || tool_ask(t, 1, (const char *[]){"MINE"}, t->arena, &v) != 0)
                return TOOL_NO_WORK;
        if (v.type == RESP_ARRAY && v.n_items > 0)
                return tool_fail(TOOL_NO_WORK,
                    tr("no further ticket for you now; in your hand: %zu"), v.n_items);
        return tool_fail(
            TOOL_NO_WORK, tr("no ticket for you now (or you are away: helpline ready)"));
}

int
verb_next(struct tool *t, int argc, char **argv)
{
        struct resp_value v;
        struct command c;
        int code = command_build(t, argc, argv, &c);

        if (code == 0 && tool_option(t, "wait") != NULL)
                t->client.timeout_ms = -1;
        if (code == 0)
                code = tool_call(t, c.argc, c.argv, t->arena, &v);
        if (code != 0)
                return code;
        if (v.type != RESP_ARRAY || v.n_items == 0)
                return no_work(t);
        for (size_t i = 0; i < v.n_items; i++) {
                if (i > 0 && !t->json && !t->csv)
                        putchar('\n');
                ticket_print(t, v.items[i].s, v.items[i].len);
        }
        return TOOL_DONE;
}

/* ---- new, call: one JSON object ---- */

static void
object_text(struct json_out *o, const char *key, const char *s)
{
        if (s != NULL && *s != '\0')
                jo_kstring(o, key, s);
}

static const char *
words_join(struct tool *t, int argc, char **argv)
{
        struct buf b AUTO_BUF = BUF_INIT;

        for (int i = 0; i < argc; i++)
                buf_addf(&b, "%s%s", i > 0 ? " " : "", argv[i]);
        return arena_strdup(t->arena, buf_str(&b));
}

static int
object_send(struct tool *t, const char *command, const struct buf *json, const char *text)
{
        struct command c = {
            .argv = {command, buf_str(json), "ID", key_new(t->arena)}, .argc = 4};
        struct resp_value v;
        int code = tool_call(t, c.argc, c.argv, t->arena, &v);

        if (code != 0) {
                if (*text != '\0')
                        text_keep(t, text);
                return code;
        }
        text_sent(t);
        c.ticket = "";
        return answer_done(t, &c, &v);
}

static int
new_fields(struct tool *t, struct json_out *o)
{
        bool any = false;

        for (size_t i = 0; i < t->n_given; i++) {
                const char *value = t->given[i].value, *equal;

                if (strcmp(t->given[i].option->name, "field") != 0)
                        continue;
                equal = strchr(value, '=');
                if (equal == NULL || equal == value)
                        return tool_fail(TOOL_USAGE, tr("--field takes NAME=VALUE"));
                if (!any) {
                        jo_key(o, "fields");
                        jo_open(o, '{');
                }
                any = true;
                jo_kstring(o, arena_strndup(t->arena, value, (size_t)(equal - value)),
                    equal + 1);
        }
        if (any)
                jo_close(o, '}');
        return 0;
}

static int
new_object(struct tool *t, const char *subject, const char *text, struct json_out *o)
{
        const char *ticket = tool_option(t, "ticket");
        int code;

        if (ticket != NULL && ticket_number(ticket) == NULL)
                return tool_fail(
                    TOOL_USAGE, tr("--%s takes a ticket's number"), "ticket");
        jo_open(o, '{');
        jo_key(o, "from");
        jo_open(o, '{');
        object_text(o, "name", tool_option(t, "name"));
        object_text(o, "address", tool_option(t, "from"));
        object_text(o, "phone", tool_option(t, "phone"));
        jo_close(o, '}');
        object_text(o, "subject", subject);
        object_text(o, "text", text);
        object_text(o, "language", tool_option(t, "language"));
        object_text(o, "ticket", ticket == NULL ? NULL : ticket_number(ticket));
        code = new_fields(t, o);
        jo_close(o, '}');
        return code;
}

int
verb_new(struct tool *t, int argc, char **argv)
{
        const char *subject = words_join(t, argc - 1, argv + 1), *text = "";
        bool has_text =
            tool_option(t, "message") != NULL || tool_option(t, "file") != NULL;
        struct buf json AUTO_BUF = BUF_INIT;
        struct json_out o;
        int code = 0;

        if (has_text || *subject == '\0' || text_wants_editor(t, 0))
                code = text_get(t, 0, NULL, NULL, &text);
        if (code != 0)
                return code;
        jo_init(&o, &json);
        code = new_object(t, subject, text, &o);
        return code != 0 ? code : object_send(t, "SUBMIT", &json, text);
}

/* "1h30m" in seconds. */
static int64_t
span_seconds(const char *s)
{
        int64_t total = 0, n = 0;

        for (; *s != '\0'; s++)
                if (*s >= '0' && *s <= '9') {
                        n = n * 10 + (*s - '0');
                } else {
                        total += n * (*s == 's'      ? 1
                                         : *s == 'm' ? 60
                                         : *s == 'h' ? 3600
                                         : *s == 'd' ? 86400
                                                     : 604800);
                        n = 0;
                }
        return total;
}

static int
call_object(struct tool *t, const char *number, const char *text, struct json_out *o)
{
        const char *at = tool_option(t, "at"), *lasted = tool_option(t, "lasted");
        const char *ticket = tool_option(t, "ticket");
        struct err err;
        int64_t at_us;
        char span[64];

        if (ticket != NULL && ticket_number(ticket) == NULL)
                return tool_fail(
                    TOOL_USAGE, tr("--%s takes a ticket's number"), "ticket");
        if (lasted != NULL && !when_duration(lasted, span))
                return tool_fail(TOOL_USAGE,
                    tr("--%s takes a duration (30m, 2h), not '%.100s'"), "lasted",
                    lasted);
        if (at != NULL && when_parse(at, clock_now_us(), WHEN_BACK, &at_us, &err) == -1)
                return tool_fail(TOOL_USAGE, "--at: %s", err.text);
        jo_open(o, '{');
        object_text(o, "ticket", ticket == NULL ? NULL : ticket_number(ticket));
        object_text(o, "number", number);
        object_text(o, "name", tool_option(t, "name"));
        jo_kstring(o, "direction", tool_option(t, "out") != NULL ? "out" : "in");
        jo_kstring(o, "result", tool_option(t, "missed") != NULL ? "missed" : "answered");
        if (lasted != NULL)
                jo_kint(o, "duration_s", span_seconds(span));
        if (at != NULL)
                jo_ktime(o, "started_at", at_us);
        object_text(o, "text", text);
        jo_close(o, '}');
        return 0;
}

int
verb_call(struct tool *t, int argc, char **argv)
{
        bool has_text =
            tool_option(t, "message") != NULL || tool_option(t, "file") != NULL;
        const char *text = argc > 2 ? words_join(t, argc - 2, argv + 2) : "";
        struct buf json AUTO_BUF = BUF_INIT;
        struct json_out o;
        int code = 0;

        if (argc < 2 && tool_option(t, "ticket") == NULL)
                return tool_fail(TOOL_USAGE, tr("usage: helpline %s %s"), t->verb->name,
                    tr(t->verb->words));
        if (has_text)
                code = text_get(t, argc > 2 ? argc - 2 : 0, argv + 2, NULL, &text);
        if (code != 0)
                return code;
        jo_init(&o, &json);
        code = call_object(t, argc > 1 ? argv[1] : "", text, &o);
        return code != 0 ? code : object_send(t, "LOGCALL", &json, text);
}

/* ---- absent ---- */

/* From now, when nothing else is said. */
int
verb_absent(struct tool *t, int argc, char **argv)
{
        const struct verb_option *from = verb_option_find(t->verb, "from", 4, 0);

        if (tool_option(t, "until") == NULL)
                return tool_fail(TOOL_USAGE, tr("usage: helpline %s %s"), t->verb->name,
                    tr(t->verb->words));
        if (tool_option(t, "from") == NULL && t->n_given < MAX_OPTIONS)
                t->given[t->n_given++] = (struct option_given){from, "now"};
        return verb_change(t, argc, argv);
}

/* ---- why ---- */

/* What does not fit goes on in rows indented as far as `left` is wide, which is plain and
 * ASCII or Cyrillic. */
static void
why_wrapped(struct buf *b, enum style style, const char *left, const char *text)
{
        size_t wide = utf8_width(left, strlen(left));
        struct buf rows AUTO_BUF = BUF_INIT, clean AUTO_BUF = BUF_INIT;
        char indent[32] = "";

        while (strlen(indent) < wide && strlen(indent) + 1 < sizeof indent)
                strcat(indent, " ");
        screen_add_line(&clean, text, strlen(text));
        if (clean.len == 0)
                buf_addc(&clean, '-');
        screen_add_wrapped(&rows, buf_str(&clean), screen_columns(), indent);
        buf_addf(b, "%s%s%s%s", screen_style(style), left, screen_style(STYLE_NONE),
            buf_str(&rows) + strlen(indent));
}

static void
why_row(struct buf *b, const char *title, const char *value)
{
        char left[64];
        size_t n = utf8_length(title, strlen(title));

        if (*value == '\0')
                return;
        snprintf(left, sizeof left, "%s%*s", title, n < 13 ? (int)(13 - n) : 1, "");
        why_wrapped(b, STYLE_NONE, left, value);
}

static void
why_skills(struct buf *b, const char *title, const json_t *skills)
{
        struct buf row AUTO_BUF = BUF_INIT;
        const char *name;
        json_t *level;

        json_object_foreach((json_t *)skills, name, level)
        {
                buf_addf(&row, "%s%s:%lld", row.len > 0 ? " " : "", name,
                    (long long)json_integer_value(level));
        }
        why_row(b, title, buf_str(&row));
}

static void
why_sentences(struct buf *b, const json_t *list)
{
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *s = json_array_get(list, i), *on = json_list(s, "on");
                struct arena *a AUTO_ARENA = arena_new();
                bool holds = json_bool(s, "holds", false);
                const char *left = holds ? tr("yes") : tr("no");
                int blanks = 4 - (int)utf8_length(left, strlen(left));

                why_wrapped(b, holds ? STYLE_GREEN : STYLE_DIM,
                    arena_printf(a, "  %s%*s ", left, blanks, ""),
                    arena_printf(
                        a, "%s  %s", json_str(s, "at", "?"), json_str(s, "text", "")));
                for (size_t k = 0; k < json_array_size(on); k++)
                        why_wrapped(b, STYLE_NONE, "         ",
                            json_string_value(json_array_get(on, k)));
        }
}

static void
why_steps(struct buf *b, const json_t *list)
{
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *s = json_array_get(list, i);
                const char *at = json_str(s, "at", "");
                struct arena *a AUTO_ARENA = arena_new();
                char when[48] = "";
                int64_t us;

                if (clock_parse(at, &us))
                        when_format(us, clock_now_us(), when);
                why_wrapped(b, STYLE_NONE,
                    arena_printf(a, "  %s %-6s ", tr("after"), json_str(s, "after", "?")),
                    arena_printf(
                        a, "%s  %s", json_str(s, "does", ""), *when != '\0' ? when : at));
        }
}

/* "anna  fits", "dina  later 15:00: …", "lena  no: …" */
static void
why_agents(struct buf *b, const json_t *list)
{
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *who = json_array_get(list, i);
                const char *against = json_str(who, "against", "");
                const char *name = json_str(who, "agent", "?");
                bool fits = json_bool(who, "fits", false);
                struct arena *a AUTO_ARENA = arena_new();
                size_t n = utf8_length(name, strlen(name));
                char at[48] = "";
                int64_t us;

                if (!fits && clock_parse(json_str(who, "from", ""), &us))
                        when_format(us, clock_now_us(), at);
                why_wrapped(b, fits ? STYLE_GREEN : STYLE_NONE,
                    arena_printf(a, "  %.60s%*s ", name, n < 14 ? (int)(14 - n) : 0, ""),
                    arena_printf(a, "%s%s%s%s%s",
                        fits          ? tr("fits")
                        : *at != '\0' ? tr("later")
                                      : tr("no"),
                        *at != '\0' ? " " : "", at, *against != '\0' ? ": " : "",
                        against));
        }
}

static void
why_format(const json_t *d, struct buf *b)
{
        static const char *const keys[] = {
            "route", "line", "priority", "language", "kind"};
        const json_t *tags = json_list(d, "tags");
        struct buf row AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                why_row(b, tr(keys[i]), tool_name_of(json_str(d, keys[i], "")));
        for (size_t i = 0; i < json_array_size(tags); i++)
                buf_addf(&row, "%s%s", i > 0 ? " " : "",
                    json_string_value(json_array_get(tags, i)));
        why_row(b, tr("tags"), buf_str(&row));
        why_skills(b, tr("needs"), json_obj(d, "needs"));
        why_skills(b, tr("musts"), json_obj(d, "musts"));
        if (json_array_size(json_list(d, "sentences")) > 0)
                buf_addf(b, "%s\n", tr("sentences"));
        why_sentences(b, json_list(d, "sentences"));
        if (json_array_size(json_list(d, "steps")) > 0)
                buf_addf(b, "%s\n", tr("steps"));
        why_steps(b, json_list(d, "steps"));
        buf_addf(b, "%s\n", tr("agents"));
        why_agents(b, json_list(d, "agents"));
}

int
verb_why(struct tool *t, int argc, char **argv)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct resp_value v;
        struct command c;
        json_t *doc;
        int code = command_build(t, argc, argv, &c);

        if (code == 0)
                code = tool_call(t, c.argc, c.argv, t->arena, &v);
        if (code != 0 || t->json)
                return code != 0 ? code : print_value(&v, false);
        doc = tool_document(&v);
        if (doc == NULL)
                return TOOL_AWAY;
        why_format(doc, &b);
        fwrite(buf_str(&b), 1, b.len, stdout);
        json_decref(doc);
        return TOOL_DONE;
}
