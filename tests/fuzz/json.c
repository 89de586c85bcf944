/*
 * JSON from a stranger, and any bytes through our writer: what the writer writes
 * the reader takes. The UTF-8 walkers run over the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
fuzz_read(const char *s, size_t n)
{
        struct err err = {0};
        json_t *o = json_read(s, n, 2000, &err);

        CHECK((o == NULL) == (err.kind != ERR_NONE));
        CHECK(o == NULL || utf8_valid(s, n));
        json_str(o, "a", "");
        json_int(json_obj(o, "a"), "b", 0);
        CHECK(json_array_get(json_list(o, "a"), SIZE_MAX) == NULL);
        json_decref(o);
}

static void
fuzz_write(const char *s, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct err err = {0};
        json_t *v;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_key(&o, "text");
        jo_stringn(&o, s, n);
        jo_kint(&o, "n", (int64_t)n);
        jo_close(&o, '}');
        v = json_read(b.data, b.len, b.len, &err);
        CHECK(v != NULL);
        CHECK(json_int(v, "n", -1) == (int64_t)n);
        if (utf8_valid(s, n) && memchr(s, '\0', n) == NULL)
                CHECK(memcmp(json_str(v, "text", ""), s, n) == 0);
        json_decref(v);
}

static void
fuzz_utf8(const char *s, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT, twice AUTO_BUF = BUF_INIT;
        const char *folded;
        size_t cut = utf8_cut(s, n, n / 2);

        CHECK(cut <= n / 2 && n / 2 - cut < 4);
        CHECK(!utf8_valid(s, n) || utf8_valid(s, cut));
        CHECK(utf8_length(s, n) <= n);
        utf8_width(s, n);
        utf8_language(s, n);
        utf8_add_clean(&b, s, n);
        CHECK(utf8_valid(b.data, b.len) && memchr(b.data, '\0', b.len) == NULL);
        utf8_add_clean(&twice, b.data, b.len);
        CHECK(strcmp(buf_str(&b), buf_str(&twice)) == 0);
        folded = utf8_fold(a, b.data, b.len);
        CHECK(strcmp(utf8_fold(a, folded, strlen(folded)), folded) == 0);
        if (n < 200)
                CHECK(
                    utf8_distance(b.data, folded, 3) == utf8_distance(folded, b.data, 3));
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        char *s = malloc(size > 0 ? size : 1);

        if (size > 0)
                memcpy(s, data, size);
        fuzz_read(s, size);
        fuzz_write(s, size);
        fuzz_utf8(s, size);
        free(s);
        return 0;
}
