/*
 * helpline: the tool. Options, then one verb out of the table; see helpline(1).
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/tool/tool.h"

static int
usage(const char *unknown)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (unknown != NULL)
                return tool_fail(
                    TOOL_USAGE, tr("unknown verb '%s' (helpline help)"), unknown);
        help_format(NULL, &b);
        fputs(buf_str(&b), stderr);
        return TOOL_USAGE;
}

/* An agent's verbs act as the agent of the token, on the Unix socket too; the
 * administrator's go by the Unix user there. */
static void
token_choose(struct tool *t)
{
        const char *token = getenv("HELPLINE_TOKEN");

        if (t->client.server != NULL || (t->verb->flags & VERB_AGENT))
                t->client.token = token != NULL && *token != '\0' ? token : NULL;
}

int
main(int argc, char **argv)
{
        struct tool t = {.client = {.timeout_ms = 10000}};
        int code;

        setlocale(LC_CTYPE, "");
        words_choose();
        screen_init();
        clock_update();
        t.client.file = getenv("HELPLINE_CONF");
        if (t.client.file == NULL)
                t.client.file = "/etc/helpline/helpline.conf";
        code = options_parse(&t, &argc, &argv);
        if (code != -1)
                return code;
        if (t.verb == NULL)
                return usage(argc > 0 ? argv[0] : NULL);
        token_choose(&t);
        t.arena = arena_new();
        code = t.verb->run(&t, argc, argv);
        client_close(&t.connection);
        arena_free(&t.arena);
        if (fflush(stdout) != 0 && code == TOOL_DONE)
                return TOOL_REFUSED;
        return code;
}
