/*
 * Answers as people want them: what every verb that speaks to the daemon shares.
 *
 * JSON documents are indented on a terminal and left alone in a pipe; errors go to
 * standard error with the protocol's code first.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/json.h"
#include "daemon/tool/tool.h"

#define JSON_MAX (16 << 20)

int
tool_fail(int code, const char *fmt, ...)
{
        va_list ap;

        fputs("helpline: ", stderr);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fputc('\n', stderr);
        return code;
}

int
tool_code_of(const char *error)
{
        static const char *const logins[] = {"NOAUTH", "WRONGPASS"};
        static const char *const aways[] = {"TRYAGAIN", "UNSURE", "DRAINING"};
        size_t n = strcspn(error, " ");

        for (size_t i = 0; i < sizeof logins / sizeof *logins; i++)
                if (strlen(logins[i]) == n && strncmp(error, logins[i], n) == 0)
                        return TOOL_NO_LOGIN;
        for (size_t i = 0; i < sizeof aways / sizeof *aways; i++)
                if (strlen(aways[i]) == n && strncmp(error, aways[i], n) == 0)
                        return TOOL_AWAY;
        return TOOL_REFUSED;
}

static void
print_text(const char *s, size_t len, bool raw)
{
        json_t *j = NULL;
        char *pretty;

        if (!raw && len > 1 && (*s == '{' || *s == '[') && isatty(STDOUT_FILENO))
                j = json_read(s, len, JSON_MAX, NULL);
        pretty = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        if (pretty != NULL)
                puts(pretty);
        else {
                fwrite(s, 1, len, stdout);
                if (len == 0 || s[len - 1] != '\n')
                        putchar('\n');
        }
        free(pretty);
        json_decref(j);
}

static int
print_value(const struct resp_value *v, bool raw)
{
        int code = TOOL_DONE;

        switch (v->type) {
        case RESP_ERROR:
                fprintf(stderr, "helpline: %.*s\n", (int)v->len, v->s);
                return tool_code_of(v->s);
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

int
tool_run(struct tool *t, int argc, const char *const *argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;
        struct client *c;
        struct err err;
        int code;

        c = client_open(&t->client, &code, &err);
        if (c == NULL)
                return tool_fail(code, "%s", err.text);
        if (client_call(c, argc, argv, a, &v, &err) == -1)
                code = tool_fail(TOOL_AWAY, "%s", err.text);
        else
                code = print_value(&v, t->json);
        client_close(&c);
        return code;
}
