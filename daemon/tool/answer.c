/*
 * Answers as people want them: what every verb that speaks to the daemon shares.
 *
 * JSON documents are indented on a terminal and left alone in a pipe; errors go to
 * standard error with the protocol's code first, and in Russian with what it means.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/tool/tool.h"

#define JSON_MAX (16 << 20)

int
tool_fail(int code, const char *fmt, ...)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        const char *text;
        va_list ap;

        va_start(ap, fmt);
        text = arena_vprintf(a, fmt, ap);
        va_end(ap);
        screen_add(&b, text, strlen(text));
        fprintf(stderr, "helpline: %s\n", buf_str(&b));
        return code;
}

static bool
is_code(const char *error, const char *code)
{
        size_t n = strlen(code);

        return strncmp(error, code, n) == 0 && (error[n] == ' ' || error[n] == '\0');
}

int
tool_code_of(const char *error)
{
        static const char *const logins[] = {"NOAUTH", "WRONGPASS"};
        static const char *const aways[] = {"TRYAGAIN", "UNSURE", "DRAINING"};

        for (size_t i = 0; i < sizeof logins / sizeof *logins; i++)
                if (is_code(error, logins[i]))
                        return TOOL_NO_LOGIN;
        for (size_t i = 0; i < sizeof aways / sizeof *aways; i++)
                if (is_code(error, aways[i]))
                        return TOOL_AWAY;
        return TOOL_REFUSED;
}

/* What a code means, for who does not read the daemon's English; "" in English. */
static const char *
code_meaning(const char *error)
{
        static const struct {
                const char *code;
                const char *meaning;
        } codes[] = {
            {"NOAUTH", "not logged in"},
            {"WRONGPASS", "no such token"},
            {"NOPERM", "your role may not"},
            {"BADARG", "an argument is wrong"},
            {"NOSUCH", "there is no such thing"},
            {"NOTHELD", "you do not hold this ticket"},
            {"STATE", "the ticket's state forbids it"},
            {"STALE", "the customer has written what you have not seen"},
            {"CAPACITY", "your hands are full"},
            {"TRYAGAIN", "not done, the store is away; try again"},
            {"UNSURE", "done or not is unknown; look, then try again"},
            {"TOOBIG", "that is too big"},
            {"DRAINING", "the daemon is about to end"},
        };

        for (size_t i = 0; words_are_russian() && i < sizeof codes / sizeof *codes; i++)
                if (is_code(error, codes[i].code))
                        return tr(codes[i].meaning);
        return "";
}

int
tool_refused(const struct tool *t, const struct resp_value *error)
{
        const char *meaning = code_meaning(error->s);
        bool unnamed = t->client.token == NULL && t->verb != NULL &&
                       (t->verb->flags & VERB_AGENT) &&
                       (is_code(error->s, "NOPERM") || is_code(error->s, "NOAUTH"));

        tool_fail(0, "%.*s", (int)error->len, error->s);
        if (*meaning != '\0')
                fprintf(stderr, "  (%s)\n", meaning);
        if (unnamed)
                fputs(
                    tr("An agent's verb needs an agent: put a token into HELPLINE_TOKEN "
                       "(made by: helpline agent\ntoken NAME), or give your agent the "
                       "option `login` with your Unix name.\n"),
                    stderr);
        return tool_code_of(error->s);
}

static void
print_text(const char *s, size_t len, bool raw)
{
        struct buf b AUTO_BUF = BUF_INIT;
        json_t *j = NULL;
        char *pretty;

        if (!raw && len > 1 && (*s == '{' || *s == '[') && screen_is_terminal())
                j = json_read(s, len, JSON_MAX, NULL);
        pretty = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        if (pretty != NULL)
                screen_add_json(&b, pretty, strlen(pretty));
        else if (screen_is_terminal() && len > 1 && (*s == '{' || *s == '['))
                screen_add_json(&b, s, len);
        else if (screen_is_terminal())
                screen_add(&b, s, len);
        else
                buf_add(&b, s, len);
        if (b.len == 0 || b.data[b.len - 1] != '\n')
                buf_addc(&b, '\n');
        fwrite(b.data, 1, b.len, stdout);
        free(pretty);
        json_decref(j);
}

int
print_value(const struct resp_value *v, bool raw)
{
        int code = TOOL_DONE;

        switch (v->type) {
        case RESP_ERROR:
                return tool_fail(tool_code_of(v->s), "%.*s", (int)v->len, v->s);
        case RESP_INT:
        case RESP_BOOL:
                printf("%lld\n", (long long)v->i);
                return TOOL_DONE;
        case RESP_NULL:
                puts("(nothing)");
                return TOOL_DONE;
        case RESP_ARRAY:
        case RESP_SET:
        case RESP_PUSH:
        case RESP_MAP:
                for (size_t i = 0; i < v->n_items && code == TOOL_DONE; i++)
                        code = print_value(&v->items[i], raw);
                return code;
        case RESP_SIMPLE:
        case RESP_BULK:
        case RESP_VERBATIM:
        case RESP_DOUBLE:
        case RESP_BIGNUM:
                print_text(v->s, v->len, raw);
                return TOOL_DONE;
        }
        return TOOL_DONE;
}

void
print_quoted(const struct resp_value *v)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        if (v->type == RESP_INT)
                jo_int(&o, v->i);
        else if (v->type == RESP_NULL)
                jo_null(&o);
        else if (v->s != NULL && v->len > 0 && (*v->s == '{' || *v->s == '['))
                jo_raw(&o, v->s, v->len);
        else
                jo_stringn(&o, v->s == NULL ? "" : v->s, v->len);
        puts(buf_str(&b));
}

void
tool_table(const struct tool *t, const struct table *table)
{
        struct buf b AUTO_BUF = BUF_INIT;
        enum table_form form = t->csv                 ? TABLE_CSV
                               : screen_is_terminal() ? TABLE_SCREEN
                                                      : TABLE_TABS;

        if (table_rows(table) == 0 && form != TABLE_CSV)
                return;
        table_format(table, form, screen_columns(), !t->quiet, &b);
        fwrite(buf_str(&b), 1, b.len, stdout);
}

const char *
tool_name_of(const char *word)
{
        return tr(word);
}

int
tool_run(struct tool *t, int argc, const char *const *argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;
        int code = tool_call(t, argc, argv, a, &v);

        return code != 0 ? code : print_value(&v, t->json);
}
