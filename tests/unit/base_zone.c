/* Time zones by name: daemon/base/zone.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* The C library agrees, over 150 years of zones with and without summer time. */
static void
test_as_the_c_library(void **state)
{
        static const char *const zones[] = {"Europe/Moscow", "Europe/Berlin",
            "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo",
            "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu", "Europe/Dublin",
            "America/Nuuk", "Asia/Tehran", "Antarctica/Troll", "Africa/Monrovia", "UTC"};

        (void)state;
        for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
                const struct zone *z = zone_find(zones[i]);

                setenv("TZ", zones[i], 1);
                tzset();
                for (int64_t at = -2000000000; at < 4000000000; at += 86400 * 5 + 4321) {
                        time_t t = (time_t)at;
                        struct tm tm;

                        localtime_r(&t, &tm);
                        assert_int_equal(zone_span_at(z, at).offset_s, tm.tm_gmtoff);
                }
                unsetenv("TZ");
                tzset();
        }
}

static void
test_rules(void **state)
{
        static const struct {
                const char *rule;
                int64_t at_s;
                int offset_s;
        } good[] = {
            {"UTC0", 0, 0},
            {"JST-9", 0, 32400},
            {"<+0330>-3:30", 0, 12600},
            {"CET-1CEST,M3.5.0,M10.5.0/3", 1774745999, 3600},
            {"CET-1CEST,M3.5.0,M10.5.0/3", 1774746000, 7200},
            {"CET-1CEST,M3.5.0,M10.5.0/3", 1792889999, 7200},
            {"CET-1CEST,M3.5.0,M10.5.0/3", 1792890000, 3600},
            /* the south: summer over the year's end */
            {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1767225600, 39600},
            {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1782864000, 36000},
            /* summer for ever, as RFC 8536 writes it */
            {"XXX3EDT4,0/0,J365/23", 1767225600, -14400},
            {"XXX3EDT4,0/0,J365/23", 1782864000, -14400},
        };
        static const char *const bad[] = {"", "X", "CET", "CET-25",
            "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.6.0,M1.1.0",
            "CET-1CEST,M3.5.7,M1.1.0", "CET-1CEST,M3.5.0", "CET-1CEST,J0,J5",
            "CET-1CEST,J366,J5", "CET-1CEST", "CET-1CEST,M3.5.0,M10.5.0x", "<CET-1",
            "../../etc/passwd"};
        struct err err;

        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
                struct zone *z = zone_parse_rule(good[i].rule, &err);

                assert_non_null(z);
                assert_int_equal(
                    zone_span_at(z, good[i].at_s).offset_s, good[i].offset_s);
                zone_free(&z);
        }
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                memset(&err, 0, sizeof err);
                assert_null(zone_parse_rule(bad[i], &err));
                assert_int_equal(err.kind, ERR_REJECT);
        }
}

/* Each shorter piece of a file is refused, and so is one cut in the middle. */
static void
test_broken_files(void **state)
{
        static unsigned char bytes[65536];
        FILE *f = fopen(ZONEINFO "/Europe/Berlin", "rb");
        size_t n;
        struct zone *z;

        (void)state;
        assert_non_null(f);
        n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        z = zone_parse(bytes, n, NULL);
        assert_non_null(z);
        zone_free(&z);
        for (size_t i = 0; i < n; i++)
                assert_null(zone_parse(bytes, i, NULL));
        bytes[0] = 'X';
        assert_null(zone_parse(bytes, n, NULL));
        assert_false(zone_exists("../../../etc/passwd"));
        assert_false(zone_exists("/etc/localtime"));
        assert_false(zone_exists("Europe"));
        assert_false(zone_exists(""));
        assert_true(zone_exists("Europe/Berlin"));
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_offsets),
            cmocka_unit_test(test_format),
            cmocka_unit_test(test_restores),
            cmocka_unit_test(test_as_the_c_library),
            cmocka_unit_test(test_rules),
            cmocka_unit_test(test_broken_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
