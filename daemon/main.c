/*
 * helplined: the daemon's main. Words on the command line, signals, exit codes;
 * the wiring is in desk.c.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/demo.h"
#include "daemon/desk.h"
#include "daemon/notify.h"
#include "daemon/version.h"

enum { EXIT_USAGE = 2 };

struct options {
        const char *file;
        const char *demo; /* its folder, NULL not a demo */
        bool check;
};

static const char usage[] =
    "usage: helplined [-c FILE]        run in the foreground (FILE: $HELPLINE_CONF,\n"
    "                                  else /etc/helpline/helpline.conf)\n"
    "       helplined -t [-c FILE]     check the configuration: exit 0, or 2 with its "
    "errors\n"
    "       helplined --demo [DIR]     a demo desk in DIR (default ./helpline-demo)\n"
    "       helplined --version\n"
    "See helplined(8).\n";

static int
options_parse(int argc, char **argv, struct options *o)
{
        static const struct option longs[] = {{"demo", no_argument, NULL, 'D'},
            {"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'},
            {"debug", no_argument, NULL, 'd'}, {NULL, 0, NULL, 0}};
        int c;

        while ((c = getopt_long(argc, argv, "c:tdh", longs, NULL)) != -1)
                switch (c) {
                case 'c':
                        o->file = optarg;
                        break;
                case 't':
                        o->check = true;
                        break;
                case 'd':
                        log_set_level(LOG_LEVEL_DEBUG);
                        break;
                case 'D':
                        o->demo = "helpline-demo";
                        break;
                case 'V':
                        puts("helplined " HELPLINE_VERSION);
                        exit(0);
                case 'h':
                        fputs(usage, stdout);
                        exit(0);
                default:
                        return -1;
                }
        if (o->demo != NULL && optind < argc)
                o->demo = argv[optind++];
        if (o->file == NULL)
                o->file = getenv("HELPLINE_CONF");
        if (o->file == NULL)
                o->file = "/etc/helpline/helpline.conf";
        return optind < argc ? -1 : 0;
}

static void
on_term(void *arg)
{
        desk_shutdown(arg, "signal");
}

static void
reload_now(void *arg)
{
        struct config_report report = {.text = BUF_INIT};
        struct err err;

        if (desk_reload(arg, &report, &err) == -1 && report.text.len > 0)
                fputs(buf_str(&report.text), stderr);
        config_report_fini(&report);
}

static void
on_hup(void *arg)
{
        struct desk *d = arg;

        janitor_count(d->janitor, reload_now, d);
}

static void
on_watchdog(void *arg)
{
        struct desk *d = arg;

        notify_send("WATCHDOG=1");
        timer_set(d->watchdog, notify_watchdog_ms());
}

/* No secret in a core: none is written, and nobody may attach. */
static void
protect_memory(void)
{
        if (getenv("HELPLINE_DEBUG") == NULL)
                prctl(PR_SET_DUMPABLE, 0);
}

static int
run(struct config *config, bool demo)
{
        struct loop *loop = loop_new();
        struct err err;
        struct desk *d;
        int code;

        clock_update();
        d = desk_open(loop, config, demo, &err);
        if (d == NULL) {
                fprintf(stderr, "helplined: %s\n", err.text);
                loop_free(&loop);
                return EXIT_USAGE;
        }
        loop_signal(loop, SIGTERM, on_term, d);
        loop_signal(loop, SIGINT, on_term, d);
        loop_signal(loop, SIGHUP, on_hup, d);
        if (notify_watchdog_ms() > 0) {
                d->watchdog = timer_new(loop, on_watchdog, d);
                timer_set(d->watchdog, 0);
        }
        loop_run(loop);
        code = d->exit_code;
        desk_free(&d);
        loop_free(&loop);
        return code;
}

int
main(int argc, char **argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct options o = {.file = NULL};
        struct config_report report = {.text = BUF_INIT};
        struct config *config;
        struct err err;
        int rc;

        if (options_parse(argc, argv, &o) == -1) {
                fputs(usage, stderr);
                return EXIT_USAGE;
        }
        if (o.demo != NULL && demo_prepare(o.demo, a, &o.file, &err) == -1) {
                fprintf(stderr, "helplined: %s\n", err.text);
                return EXIT_USAGE;
        }
        rc = config_load(o.file, &config, &report);
        fputs(buf_str(&report.text), stderr);
        if (rc == -1)
                fprintf(stderr, "%u error%s in %s\n", report.n_errors,
                    report.n_errors == 1 ? "" : "s", o.file);
        config_report_fini(&report);
        if (rc == -1)
                return EXIT_USAGE;
        if (o.check) {
                config_free(&config);
                return 0;
        }
        protect_memory();
        return run(config, o.demo != NULL);
}
