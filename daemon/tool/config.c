/*
 * helpline config show: what is set, and where. Offline, out of the files.
 */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "daemon/tool/tool.h"

int
verb_config(struct tool *t, int argc, char **argv)
{
        struct config_report report = {.text = BUF_INIT};
        struct buf out AUTO_BUF = BUF_INIT;
        int rc;

        if (argc != 2 || strcmp(argv[1], "show") != 0)
                return tool_fail(TOOL_USAGE, "usage: helpline config show [--json]");
        rc = config_show(t->client.file, t->json, &out, &report);
        fputs(buf_str(&report.text), stderr);
        config_report_fini(&report);
        if (rc == -1)
                return TOOL_USAGE;
        fputs(buf_str(&out), stdout);
        if (t->json)
                putchar('\n');
        return TOOL_DONE;
}
