/*
 * RESP from a stranger: requests and answers. A request parsed from all bytes at
 * once must be the one parsed from growing beginnings as *need asks for them,
 * and formatting it and parsing that must give the same words.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/resp.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct resp_limits limits = {
    .max_arg = 200, .max_request = 1000, .max_args = 20, .max_inline = 300};

static void
check_same(int argc, const struct resp_arg *argv, int argc2, const struct resp_arg *argv2)
{
        CHECK(argc == argc2);
        for (int i = 0; i < argc; i++) {
                CHECK(argv[i].len == argv2[i].len);
                CHECK(memcmp(argv[i].s, argv2[i].s, argv[i].len) == 0);
                CHECK(argv[i].s[argv[i].len] == '\0');
        }
}

/* As a connection does: bytes come one by one, the parser is asked when there
 * are as many as it said it needs. Every part lies in memory of its own. */
static long
parse_growing(const char *p, size_t n, struct arena *a, struct resp_arg **argv, int *argc)
{
        size_t need = 1;

        while (need <= n) {
                struct err err = {0};
                size_t have = need;
                char *part = malloc(have);
                long used;

                memcpy(part, p, have);
                used =
                    resp_request_parse(part, have, &limits, a, argv, argc, &need, &err);
                free(part);
                if (used != 0)
                        return used;
                CHECK(need > have);
        }
        return 0;
}

static void
fuzz_request(const char *p, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct resp_arg *argv, *argv2;
        struct err err = {0};
        size_t need;
        int argc, argc2;
        long used = resp_request_parse(p, n, &limits, a, &argv, &argc, &need, &err);
        long used2 = parse_growing(p, n, a, &argv2, &argc2);

        CHECK((used == -1) == (err.kind != ERR_NONE));
        CHECK(used <= (long)n && used == used2);
        if (used <= 0)
                return;
        check_same(argc, argv, argc2, argv2);
        resp_request_format(&b, argc, argv);
        if (b.len > limits.max_request)
                return;
        used2 =
            resp_request_parse(b.data, b.len, &limits, a, &argv2, &argc2, &need, &err);
        if (err.kind == ERR_NONE) {
                CHECK(used2 == (long)b.len);
                check_same(argc, argv, argc2, argv2);
        }
}

static void
fuzz_value(const char *p, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v, again;
        struct err err = {0};
        long used = resp_value_parse(p, n, 1000, a, &v, &err);

        CHECK((used == -1) == (err.kind != ERR_NONE));
        CHECK(used <= (long)n);
        CHECK(arena_size(a) < 100000);
        if (used > 0)
                CHECK(resp_value_parse(p, (size_t)used, 1000, a, &again, &err) == used);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        char *p = malloc(size > 0 ? size : 1);

        if (size > 0)
                memcpy(p, data, size);
        fuzz_request(p, size);
        fuzz_value(p, size);
        free(p);
        return 0;
}
