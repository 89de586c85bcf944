/* Bodies of POST /v1, answers of RESP as JSON, queries of /v1/events. What comes in as
 * JSON becomes words within the limits; what goes out is JSON, whatever it was made of. */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/json.h"
#include "daemon/web/api_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_words(const char *p, size_t n)
{
        const struct api_limits limits = {16384, 4096, 64};
        struct arena *a AUTO_ARENA = arena_new();
        struct err err = {.kind = ERR_NONE};
        struct resp_arg *argv = NULL;
        int argc = 0;

        if (api_words(p, n, &limits, a, &argv, &argc, &err) == -1) {
                if (err.kind == ERR_NONE || err.code[0] == '\0')
                        abort();
                return;
        }
        if (argc < 1 || argc > 64)
                abort();
        api_add_id(&argv, &argc, "key", n % 2 == 0, a);
        for (int i = 0; i < argc; i++)
                if (argv[i].len > 4096 || strlen(argv[i].s) > argv[i].len)
                        abort();
}

static void
check_answer(const char *p, size_t n, bool is_bytes)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT, list AUTO_BUF = BUF_INIT;
        struct resp_value v;
        struct err err;
        json_t *o;

        if (resp_value_parse(p, n, 16384, a, &v, &err) <= 0)
                return;
        api_answer(&v, is_bytes, &b);
        buf_addf(&list, "[%s]", buf_str(&b));
        o = json_read(list.data, list.len, 1 << 20, &err);
        /* twice the same key, too many levels: not of our commands */
        if (o == NULL && strstr(err.text, "levels") == NULL &&
            strstr(err.text, "uplicate") == NULL && strstr(err.text, "twice") == NULL)
                abort();
        json_decref(o);
}

static void
check_query(const char *p, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *text = arena_strndup(a, p, n), *values[4];
        size_t got;

        if (api_query(text, "channel", values, 4, &got, a) == 0)
                for (size_t i = 0; i < got; i++)
                        if (api_seq_is_valid(values[i]) &&
                            api_seq_compare(values[i], values[i]) != 0)
                                abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *p = (const char *)data;

        if (size == 0)
                return 0;
        switch (p[0]) {
        case 'a':
        case 'b':
                check_answer(p + 1, size - 1, p[0] == 'b');
                break;
        case 'q':
                check_query(p + 1, size - 1);
                break;
        default:
                check_words(p, size);
        }
        return 0;
}
