/*
 * multipart/form-data from a stranger: whatever the pieces in which it comes, it must be
 * understood the same, and what is held stays inside the limits.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/form_parse.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct form_limits limits = {20, 500, 2000, 8000, 3000};

static int
parse(const char *s, size_t n, size_t step, struct arena *a,
    const struct form_part **parts, size_t *n_parts)
{
        struct err err = {0};
        struct form_parser *p =
            form_parser_new("multipart/form-data; boundary=X", &limits, a, &err);
        int rc = 0;

        for (size_t i = 0; i < n && rc == 0; i += step)
                rc = form_parser_feed(p, s + i, n - i < step ? n - i : step, &err);
        if (rc == 0)
                rc = form_parser_end(p, &err);
        CHECK((rc == -1) == (err.kind != ERR_NONE));
        *parts = form_parser_parts(p, n_parts);
        form_parser_free(&p);
        return rc;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        struct arena *a AUTO_ARENA = arena_new(), *b AUTO_ARENA = arena_new();
        const struct form_part *x, *y;
        size_t n_x, n_y, step = size > 0 ? data[0] % 13 + 1 : 1;
        const char *s = (const char *)data + (size > 0);
        size_t n = size > 0 ? size - 1 : 0;
        int rc = parse(s, n, n + 1, a, &x, &n_x);

        CHECK(parse(s, n, step, b, &y, &n_y) == rc);
        CHECK(n_x <= limits.max_parts && arena_size(a) < 400000);
        if (rc == -1)
                return 0;
        CHECK(n_x == n_y);
        for (size_t i = 0; i < n_x; i++) {
                CHECK(x[i].index == i + 1 && x[i].len == y[i].len &&
                      x[i].size == y[i].size);
                CHECK(x[i].value[x[i].len] == '\0');
                CHECK(memcmp(x[i].value, y[i].value, x[i].len) == 0);
                CHECK(strcmp(x[i].name, y[i].name) == 0);
                CHECK(strcmp(x[i].sha256, y[i].sha256) == 0);
                CHECK(strpbrk(x[i].filename, "/\\") == NULL);
        }
        return 0;
}
