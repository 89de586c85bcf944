/* Requests as clients send them: parsed, looked up in the table, their words sorted
 * and checked. Whatever comes, it is an answer or an error with a code. */
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct resp_limits limits = {4096, 16384, 64, 4096};
        const char *p = (const char *)data;

        for (;;) {
                struct arena *a AUTO_ARENA = arena_new();
                struct arg_value *values = NULL;
                const struct command *cmd;
                struct resp_arg *argv;
                unsigned n = 0;
                struct err err = {.kind = ERR_NONE};
                size_t need;
                int argc = 0;
                long used =
                    resp_request_parse(p, size, &limits, a, &argv, &argc, &need, &err);

                if (used <= 0)
                        return 0;
                p += used;
                size -= (size_t)used;
                if (argc == 0)
                        continue;
                cmd = command_lookup(argv, argc, &err);
                if (cmd != NULL)
                        args_parse(cmd, argv, argc, a, &values, &n, &err);
                if (err.kind != ERR_NONE && err.code[0] == '\0')
                        abort();
                for (unsigned i = 0; i < n; i++)
                        if (values[i].spec == NULL || strlen(values[i].s) > values[i].len)
                                abort();
        }
}
