/* Files of bounce formats: any text gives a set or one error with its place, and its
 * patterns fit any line without harm. */
#include <stdlib.h>
#include <string.h>

#include "config/bounces_impl.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
try_lists(const struct bounce_system *y, const char *text, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        char *folded = arena_strndup(a, text, n);
        struct bounce_line l = {.s = text, .folded = folded, .n = n};

        bounces_fold(folded, text, n);
        for (int i = 0; i < BOUNCE_N_LISTS; i++) {
                struct bounce_captures c;

                if (bounce_system_fits(y, (enum bounce_list)i, &l, &c))
                        CHECK(c.address.s == NULL ||
                              (c.address.s >= text &&
                                  c.address.s + c.address.n <= text + n));
        }
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        const char *text = (const char *)data;
        struct bounce_set *s = bounces_new();
        struct err err = {0};

        if (bounces_read_text(s, "x.conf", "x", text, size, &err) == -1 ||
            bounces_finish(s, &err) == -1)
                CHECK(strncmp(err.text, "x.conf:", 7) == 0);
        else
                try_lists(s->systems[0], text, size);
        bounces_free(&s);
        return 0;
}
