/*
 * The reader of tzdata's files and rules over any bytes: what it takes answers at any
 * moment, with spans that hold the moment and follow on each other.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/arena.h"
#include "daemon/base/zone.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check_zone(const struct zone *z)
{
        for (int64_t at = -4000000000; at < 8000000000; at += 86400 * 97 + 12345) {
                struct zone_span s = zone_span_at(z, at);
                int64_t first = zone_first_s(z, at);

                CHECK(s.from_s <= at && at < s.until_s);
                CHECK(s.offset_s >= -26 * 3600 && s.offset_s <= 26 * 3600);
                CHECK(first + zone_span_at(z, first).offset_s >= at);
        }
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        struct err err = {0};
        struct zone *z = zone_parse(data, size, &err);
        char *text = xcalloc(1, size + 1);

        CHECK((z == NULL) == (err.kind == ERR_REJECT));
        if (z != NULL)
                check_zone(z);
        zone_free(&z);
        memcpy(text, data, size);
        z = zone_parse_rule(text, &err);
        if (z != NULL)
                check_zone(z);
        zone_free(&z);
        free(text);
        return 0;
}
