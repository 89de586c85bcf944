/*
 * helpline help: out of the table of verbs, in the person's language.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/utf8.h"
#include "daemon/tool/tool.h"

#define COLUMN 26
#define COLUMNS 78

static void
help_row(struct buf *b, const char *left, const char *right)
{
        size_t width = utf8_width(left, strlen(left));

        buf_addf(b, "  %s", left);
        if (width + 2 > COLUMN) {
                buf_adds(b, "\n  ");
                width = 0;
        }
        for (size_t i = width; i < COLUMN; i++)
                buf_addc(b, ' ');
        buf_addf(b, "%s\n", right);
}

static void
help_options(const struct verb_option *o, struct buf *b)
{
        for (; o != NULL && o->name != NULL; o++) {
                char left[128];

                snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : " ",
                    o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                    o->value != NULL ? " " : "", o->value != NULL ? tr(o->value) : "");
                help_row(b, left, tr(o->help));
        }
}

static void
help_all(struct buf *b)
{
        buf_addf(b, "%s\n", tr("usage: helpline [OPTION ...] VERB [WORD ...]"));
        for (const struct verb *v = verbs; v->name != NULL; v++) {
                char left[128];

                if (*v->name == '\0')
                        buf_addf(b, "\n%s%s%s\n", screen_style(STYLE_BOLD),
                            tr(v->summary), screen_style(STYLE_NONE));
                if (v->flags & VERB_HIDDEN)
                        continue;
                snprintf(left, sizeof left, "%s", v->name);
                help_row(b, left, tr(v->summary));
        }
        buf_addf(b, "\n%s%s%s\n", screen_style(STYLE_BOLD), tr("Options of every verb"),
            screen_style(STYLE_NONE));
        help_options(common_options, b);
        buf_addc(b, '\n');
        screen_add_wrapped(b,
            tr("Without a ticket's number the one in your hand is meant. Times are said "
               "as "
               "people say them: 15:00, fri 15:00, tomorrow 9:00, 2h, 2026-12-01 10:00.\n"
               "All about a verb: helpline help VERB. The manual: helpline(1)."),
            COLUMNS, "");
}

void
help_format(const struct verb *v, struct buf *out)
{
        if (v == NULL) {
                help_all(out);
                return;
        }
        buf_addf(out, tr("usage: helpline %s %s"), v->name, tr(v->words));
        buf_addf(out, "\n  %s\n", tr(v->summary));
        if (v->about != NULL) {
                buf_addc(out, '\n');
                screen_add_wrapped(out, tr(v->about), COLUMNS, "");
        }
        if (v->options != NULL)
                buf_addc(out, '\n');
        help_options(v->options, out);
        if (v->command != NULL) {
                size_t n = strcspn(v->command, " ");

                buf_addc(out, '\n');
                buf_addf(out, tr("It is the command %.*s of docs/protocol.md."), (int)n,
                    v->command);
                buf_addc(out, '\n');
        }
}

int
verb_help(struct tool *t, int argc, char **argv)
{
        const struct verb *v = argc > 1 ? verb_find(argv[1]) : NULL;
        struct buf b AUTO_BUF = BUF_INIT;

        (void)t;
        if (argc > 2 || (argc == 2 && v == NULL))
                return tool_fail(
                    TOOL_USAGE, tr("unknown verb '%s' (helpline help)"), argv[1]);
        help_format(v, &b);
        fputs(buf_str(&b), stdout);
        return TOOL_DONE;
}
