/*
 * The command line: options stand anywhere, before the verb and behind it. Which there
 * are is told by the table of verbs, so the verb is looked for first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tool/tool.h"
#include "daemon/version.h"

struct reader {
        struct tool *t;
        int argc;
        char **argv;
        int at; /* the word that is read */
        int n_words; /* kept at the front of argv: the verb and its words */
        bool only_words; /* after -- */
};

/* The verb is the first word that is no option and no value of one. */
static const struct verb *
verb_look(int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                const struct verb_option *o;
                const char *s = argv[i];

                if (*s != '-' || s[1] == '\0')
                        return verb_find(s);
                if (strcmp(s, "--") == 0)
                        return i + 1 < argc ? verb_find(argv[i + 1]) : NULL;
                if (s[1] == '-' ? strchr(s, '=') != NULL : s[2] != '\0')
                        continue;
                o = s[1] == '-' ? verb_option_find(NULL, s + 2, strlen(s + 2), 0)
                                : verb_option_find(NULL, "", 0, s[1]);
                if (o == NULL)
                        for (const struct verb *v = verbs; o == NULL && v->name; v++)
                                o = s[1] == '-'
                                        ? verb_option_find(v, s + 2, strlen(s + 2), 0)
                                        : verb_option_find(v, "", 0, s[1]);
                i += o != NULL && o->kind != VALUE_NONE;
        }
        return NULL;
}

static int
common_set(struct tool *t, const struct verb_option *o, const char *value)
{
        if (strcmp(o->name, "config") == 0)
                t->client.file = value;
        else if (strcmp(o->name, "server") == 0)
                t->client.server = value;
        else if (strcmp(o->name, "json") == 0)
                t->json = true;
        else if (strcmp(o->name, "csv") == 0)
                t->csv = true;
        else if (strcmp(o->name, "quiet") == 0)
                t->quiet = true;
        else if (strcmp(o->name, "trace") == 0)
                t->client.trace = true;
        else if (strcmp(o->name, "version") == 0) {
                puts("helpline " HELPLINE_VERSION);
                return TOOL_DONE;
        } else {
                struct buf b AUTO_BUF = BUF_INIT;

                help_format(t->verb, &b);
                fputs(buf_str(&b), stdout);
                return TOOL_DONE;
        }
        return -1;
}

static int
option_set(struct tool *t, const struct verb_option *o, const char *value)
{
        for (const struct verb_option *c = common_options; c->name != NULL; c++)
                if (c == o)
                        return common_set(t, o, value);
        if (strcmp(o->name, "fix") == 0)
                t->fix = true;
        else if (strcmp(o->name, "form") == 0)
                t->form = value;
        else if (strcmp(o->name, "phone") == 0 && t->verb->run == verb_explain)
                t->phone = value;
        else if (strcmp(o->name, "sender") == 0)
                t->sender = value;
        if (t->n_given == MAX_OPTIONS)
                return tool_fail(TOOL_USAGE, tr("too many options"));
        t->given[t->n_given++] =
            (struct option_given){o, o->kind == VALUE_NONE ? NULL : value};
        return -1;
}

static int
option_unknown(const struct reader *r, const char *s)
{
        if (r->t->verb != NULL)
                return tool_fail(TOOL_USAGE, tr("unknown option %s (helpline help %s)"),
                    s, r->t->verb->name);
        return tool_fail(TOOL_USAGE, tr("unknown option %s (helpline help)"), s);
}

/* --name, --name=value, --name value */
static int
long_read(struct reader *r, const char *s)
{
        size_t n = strcspn(s + 2, "=");
        const struct verb_option *o = verb_option_find(r->t->verb, s + 2, n, 0);
        const char *value = s[2 + n] == '=' ? s + 3 + n : NULL;

        if (o == NULL)
                return option_unknown(r, s);
        if (o->kind == VALUE_NONE && value != NULL)
                return tool_fail(TOOL_USAGE, tr("--%s takes no value"), o->name);
        if (o->kind != VALUE_NONE && value == NULL) {
                if (r->at + 1 >= r->argc)
                        return tool_fail(TOOL_USAGE, tr("--%s takes a value: %s"),
                            o->name, tr(o->value));
                value = r->argv[++r->at];
        }
        return option_set(r->t, o, value);
}

/* -q, -m TEXT, -mTEXT, -qw */
static int
short_read(struct reader *r, const char *s)
{
        for (const char *p = s + 1; *p != '\0'; p++) {
                const struct verb_option *o = verb_option_find(r->t->verb, "", 0, *p);
                const char *value = p + 1;
                int code;

                if (o == NULL)
                        return option_unknown(r, s);
                if (o->kind != VALUE_NONE && *value == '\0') {
                        if (r->at + 1 >= r->argc)
                                return tool_fail(TOOL_USAGE, tr("-%c takes a value: %s"),
                                    o->letter, tr(o->value));
                        value = r->argv[++r->at];
                }
                code = option_set(r->t, o, value);
                if (code != -1 || o->kind != VALUE_NONE)
                        return code;
        }
        return -1;
}

/* Is it a word and no option? "-" is; of tag also "-slow". */
static bool
is_word(const struct reader *r, const char *s)
{
        const struct verb *v = r->t->verb;

        if (r->only_words || *s != '-' || s[1] == '\0')
                return true;
        if (v == NULL || !(v->flags & VERB_SIGNS) || r->n_words < 2)
                return false;
        return s[1] != '-' && !(s[2] == '\0' && verb_option_find(v, "", 0, s[1]) != NULL);
}

int
options_parse(struct tool *t, int *argc, char ***argv)
{
        struct reader r = {.t = t, .argc = *argc, .argv = *argv, .n_words = 1};

        t->verb = verb_look(*argc, *argv);
        for (r.at = 1; r.at < r.argc; r.at++) {
                char *s = r.argv[r.at];
                int code = -1;

                if (!r.only_words && strcmp(s, "--") == 0)
                        r.only_words = true;
                else if (is_word(&r, s))
                        r.argv[r.n_words++] = s;
                else
                        code = s[1] == '-' ? long_read(&r, s) : short_read(&r, s);
                if (code != -1)
                        return code;
                if (r.n_words == 2 && t->verb != NULL && (t->verb->flags & VERB_RAW))
                        while (++r.at < r.argc)
                                r.argv[r.n_words++] = r.argv[r.at];
        }
        r.argv[r.n_words] = NULL;
        *argc = r.n_words - 1;
        *argv = r.argv + 1;
        return -1;
}

const char *
tool_option(const struct tool *t, const char *name)
{
        for (size_t i = t->n_given; i > 0; i--)
                if (strcmp(t->given[i - 1].option->name, name) == 0)
                        return t->given[i - 1].value != NULL ? t->given[i - 1].value : "";
        return NULL;
}
