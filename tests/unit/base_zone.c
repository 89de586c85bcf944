/* Time zones by name: daemon/base/zone.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "daemon/base/zone.h"

#define HOUR_US (3600 * 1000000LL)
#define SUMMER (1782907200LL * 1000000) /* 2026-07-01 12:00:00 */
#define WINTER (1795514400LL * 1000000) /* 2026-11-24 10:00:00 */
#define TWICE (1792895400LL * 1000000) /* 2026-10-25 02:30:00, twice in Berlin */

static void
test_offsets(void **state)
{
        (void)state;
        assert_true(zone_offset_us("Europe/Moscow", WINTER) == 3 * HOUR_US);
        assert_true(zone_offset_us("Europe/Berlin", WINTER) == HOUR_US);
        assert_true(zone_offset_us("Europe/Berlin", SUMMER) == 2 * HOUR_US);
        assert_true(zone_offset_us("Europe/Berlin", TWICE) == 2 * HOUR_US);
        assert_true(zone_offset_us("America/New_York", WINTER) == -5 * HOUR_US);
        assert_true(zone_offset_us("UTC", SUMMER) == 0);
        assert_true(zone_offset_us("No/Such", SUMMER) == 0);
}

static void
test_format(void **state)
{
        char out[20];

        (void)state;
        zone_format("Europe/Moscow", WINTER, out);
        assert_string_equal(out, "2026-11-24 13:00:00");
        zone_format("UTC", WINTER, out);
        assert_string_equal(out, "2026-11-24 10:00:00");
}

/* What the process had is there again. */
static void
test_restores(void **state)
{
        (void)state;
        setenv("TZ", "Asia/Tokyo", 1);
        zone_offset_us("Europe/Moscow", WINTER);
        assert_string_equal(getenv("TZ"), "Asia/Tokyo");
        assert_true(zone_offset_us("", WINTER) == 9 * HOUR_US);
        unsetenv("TZ");
        zone_offset_us("Europe/Moscow", WINTER);
        assert_null(getenv("TZ"));
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_offsets),
            cmocka_unit_test(test_format),
            cmocka_unit_test(test_restores),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
