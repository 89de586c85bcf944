/*
 * Times as people say them, in a zone with daylight saving: never crash; what is taken is
 * on its side of now, and within what a calendar holds.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/tool/when.h"
#include "daemon/tool/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
said(const char *s, int64_t now_us, enum when_side side)
{
        char text[48], span[64];
        struct err err = {.text = ""};
        int64_t at;

        if (when_parse(s, now_us, side, &at, &err) == -1) {
                assert(*err.text != '\0');
                return;
        }
        assert(side == WHEN_AHEAD ? at >= now_us : at <= now_us);
        when_format(at, now_us, text);
        assert(strlen(text) < sizeof text && *text != '\0');
        if (when_duration(s, span))
                assert(strlen(span) < sizeof span && *span != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *words[3];
        int64_t now_us, at;
        struct err err;
        char text[256];

        if (size < 5 || size > 200)
                return 0;
        setenv("TZ", data[0] & 1 ? "Europe/Berlin" : "America/St_Johns", 1);
        tzset();
        words_use(data[0] & 2);
        now_us =
            ((int64_t)data[1] << 24 | data[2] << 16 | data[3] << 8 | data[4]) * 1000000;
        memcpy(text, data + 5, size - 5);
        text[size - 5] = '\0';
        said(text, now_us, data[0] & 4 ? WHEN_BACK : WHEN_AHEAD);
        words[0] = words[1] = words[2] = text;
        when_parse_words(3, words, now_us, WHEN_AHEAD, &at, &err);
        return 0;
}
