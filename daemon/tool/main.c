/*
 * helpline: the tool. Options, then one verb out of the table; see helpline(1).
 */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tool/tool.h"
#include "daemon/version.h"

static const struct verb {
        const char *name;
        int (*run)(struct tool *t, int argc, char **argv);
        const char *words;
        const char *help; /* NULL: `make run` calls it, people do not */
} verbs[] = {
    {"status", verb_status, "[--json]", "channels, queues, outbox, store"},
    {"check", verb_check, "", "check the configuration (as helplined -t)"},
    {"explain", verb_explain, "FILE|-|WORD=... ",
        "what the rules say of this mail, form, call"},
    {"reload", verb_plain, "", "read the configuration again"},
    {"live", verb_plain, "", "outgoing mail leaves"},
    {"rehearse", verb_plain, "", "outgoing mail is held and shown"},
    {"drain", verb_plain, "", "nothing new is taken or given"},
    {"agent", verb_agent, "token NAME", "a token for an agent, alone on standard output"},
    {"outbox", verb_outbox, "[show|retry|drop N]", "mail on its way out"},
    {"quarantine", verb_quarantine, "[show|retry|drop N]",
        "what could not be understood"},
    {"deliver", verb_deliver, "[-f SENDER] ADDRESS",
        "mail on standard input (sysexits.h)"},
    {"feed", verb_feed, "NAME", "call records on standard input (0, or 75: later)"},
    {"form", verb_form, "snippet NAME [LANG]",
        "a form's HTML, for a page of another site"},
    {"fsck", verb_fsck, "[--fix]", "check the store: 0 clean, 1 differences, 5 away"},
    {"demo", verb_demo, "", NULL},
    {"cmd", verb_command, "WORD ...", "any command of the protocol (docs/protocol.md)"},
};
#define N_VERBS (sizeof verbs / sizeof *verbs)

static void
print_usage(FILE *to)
{
        fputs("usage: helpline [-c FILE | --server HOST:PORT] VERB ...\n", to);
        for (size_t i = 0; i < N_VERBS; i++)
                if (verbs[i].help != NULL)
                        fprintf(to, "  %-10s %-20s %s\n", verbs[i].name, verbs[i].words,
                            verbs[i].help);
        fputs("FILE: default $HELPLINE_CONF, else /etc/helpline/helpline.conf; with "
              "--server the "
              "token is in $HELPLINE_TOKEN.\nSee helpline(1).\n",
            to);
}

static const struct verb *
verb_find(const char *name)
{
        for (size_t i = 0; i < N_VERBS; i++)
                if (strcmp(verbs[i].name, name) == 0)
                        return &verbs[i];
        return NULL;
}

/* Options may stand before and behind the verb, but everything after `cmd` is its own. */
static int
options_parse(int argc, char **argv, struct tool *t)
{
        static const struct option longs[] = {{"server", required_argument, NULL, 's'},
            {"json", no_argument, NULL, 'j'}, {"fix", no_argument, NULL, 'x'},
            {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
            {NULL, 0, NULL, 0}};
        int c;

        while ((c = getopt_long(argc, argv, "+c:f:h", longs, NULL)) != -1)
                switch (c) {
                case 'c':
                        t->client.file = optarg;
                        break;
                case 's':
                        t->client.server = optarg;
                        break;
                case 'j':
                        t->json = true;
                        break;
                case 'x':
                        t->fix = true;
                        break;
                case 'f':
                        t->sender = optarg;
                        break;
                case 'h':
                        print_usage(stdout);
                        exit(0);
                case 'V':
                        puts("helpline " HELPLINE_VERSION);
                        exit(0);
                default:
                        return -1;
                }
        return 0;
}

/* Moves the verb's own options in front of its words: `explain FILE --json`. */
static int
verb_options(int *argc, char **argv, struct tool *t)
{
        int n = 1;

        for (int i = 1; i < *argc; i++) {
                if (strcmp(argv[i], "--json") == 0)
                        t->json = true;
                else if (strcmp(argv[i], "--fix") == 0)
                        t->fix = true;
                else if (strcmp(argv[i], "--form") == 0 && i + 1 < *argc)
                        t->form = argv[++i];
                else if (strcmp(argv[i], "--phone") == 0 && i + 1 < *argc)
                        t->phone = argv[++i];
                else if (strcmp(argv[i], "-f") == 0 && i + 1 < *argc)
                        t->sender = argv[++i];
                else if (argv[i][0] == '-' && argv[i][1] != '\0')
                        return tool_fail(
                            -1, "unknown option %s (helpline --help)", argv[i]);
                else
                        argv[n++] = argv[i];
        }
        *argc = n;
        argv[n] = NULL;
        return 0;
}

int
main(int argc, char **argv)
{
        struct tool t = {.client = {.timeout_ms = 10000}};
        const struct verb *v;

        setlocale(LC_CTYPE, "");
        t.client.file = getenv("HELPLINE_CONF");
        if (t.client.file == NULL)
                t.client.file = "/etc/helpline/helpline.conf";
        if (options_parse(argc, argv, &t) == -1 || optind >= argc) {
                print_usage(stderr);
                return TOOL_USAGE;
        }
        argc -= optind;
        argv += optind;
        v = verb_find(argv[0]);
        if (v == NULL) {
                tool_fail(0, "unknown verb '%s'", argv[0]);
                print_usage(stderr);
                return TOOL_USAGE;
        }
        if (v->run != verb_command && verb_options(&argc, argv, &t) == -1)
                return TOOL_USAGE;
        return v->run(&t, argc, argv);
}
