/*
 * helpline fsck: the check of the store for administrators and tests. What it
 * looks at is in queue/fsck.h; here are the words and the exit codes.
 */
#include <stdio.h>

#include "config/config.h"
#include "daemon/base/log.h"
#include "daemon/tool/tool.h"
#include "queue/fsck.h"

int
verb_fsck(struct tool *t, int argc, char **argv)
{
        struct config_report why = {.text = BUF_INIT};
        struct buf report AUTO_BUF = BUF_INIT;
        struct config *c = NULL;
        struct fsck_options o = {.fix = t->fix};
        unsigned n_differences = 0;
        struct err err;
        int rc;

        (void)argv;
        if (argc != 1)
                return tool_fail(TOOL_USAGE, "fsck takes no words, only --fix");
        if (t->client.server != NULL)
                return tool_fail(TOOL_USAGE,
                    "fsck looks at the store itself: run it on the "
                    "daemon's host, with -c FILE");
        if (config_load(t->client.file, &c, &why) == -1) {
                fputs(buf_str(&why.text), stderr);
                config_report_fini(&why);
                return tool_fail(TOOL_USAGE, "%s has errors", t->client.file);
        }
        config_report_fini(&why);
        log_set_level(LOG_LEVEL_WARN);
        o.where = c->store;
        o.password = c->store_password;
        o.state_dir = c->state;
        rc = fsck_run(&o, &report, &n_differences, &err);
        config_free(&c);
        fputs(buf_str(&report), stdout);
        if (rc == -1)
                return tool_fail(TOOL_AWAY, "%s", err.text);
        return n_differences > 0 ? TOOL_REFUSED : TOOL_DONE;
}
