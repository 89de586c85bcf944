/* The live board. */
#include "daemon/tool/tool.h"

int
verb_board(struct tool *t, int argc, char **argv)
{
        (void)argc;
        (void)argv;
        return tool_run(t, 1, (const char *[]){"STATS"});
}
