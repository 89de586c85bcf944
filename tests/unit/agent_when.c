/*
 * Moments and skills as commands take them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"

#define MOSCOW "Europe/Moscow"
#define BERLIN "Europe/Berlin"

static int64_t
at(const char *rfc3339)
{
        int64_t us = 0;

        assert_true(clock_parse(rfc3339, &us));
        return us / 1000;
}

static void
is(const char *s, const char *zone, const char *now, const char *want)
{
        int64_t ms = 0;

        assert_true(time_parse(s, zone, true, at(now), &ms));
        if (ms != at(want))
                fail_msg("'%s' is %lld, should be %lld (%s)", s, (long long)ms,
                    (long long)at(want), want);
}

static void
test_moments(void **state)
{
        const char *now = "2026-11-23T18:30:00Z";

        (void)state;
        is("now", MOSCOW, now, now);
        is("2h", MOSCOW, now, "2026-11-23T20:30:00Z");
        is("1h30m", "", now, "2026-11-23T20:00:00Z");
        is("2026-11-24T15:00:00Z", MOSCOW, now, "2026-11-24T15:00:00Z");
        is("2026-11-24T15:00:00+05:00", MOSCOW, now, "2026-11-24T10:00:00Z");
        is("2026-11-24 15:00", MOSCOW, now, "2026-11-24T12:00:00Z");
        is("2026-11-24T15:00", MOSCOW, now, "2026-11-24T12:00:00Z");
        is("2026-11-24 15:00:30", MOSCOW, now, "2026-11-24T12:00:30Z");
        is("2026-11-24", MOSCOW, now, "2026-11-23T21:00:00Z");
        is("2028-02-29", "UTC", now, "2028-02-29T00:00:00Z");
}

/* The next time that the wall shows it, also over midnight and a change of the clock. */
static void
test_times_of_day(void **state)
{
        (void)state;
        is("22:00", MOSCOW, "2026-11-23T18:30:00Z", "2026-11-23T19:00:00Z");
        is("21:00", MOSCOW, "2026-11-23T18:30:00Z", "2026-11-24T18:00:00Z");
        is("21:30", MOSCOW, "2026-11-23T18:30:00Z", "2026-11-24T18:30:00Z"); /* not now */
        is("00:30", MOSCOW, "2026-11-23T21:10:00Z", "2026-11-23T21:30:00Z");
        is("09:00", BERLIN, "2026-10-24T10:00:00Z", "2026-10-25T08:00:00Z");
        is("02:30", BERLIN, "2026-03-28T12:00:00Z",
            "2026-03-29T01:00:00Z"); /* left out */
        is("02:30", BERLIN, "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z"); /* the first */
}

static void
test_not_moments(void **state)
{
        static const char *const wrong[] = {"", "soon", "10", "24:00", "12:60", "1:00",
            "2026-13-01", "2026-02-29", "2026-11-31", "2026-11-24 ", "2026-11-24 25:00",
            "2026-11-24x15:00", "2026-11-24 15:00 ", "0000-01-01", "1970-01-01",
            "99999-01-01", "-1h", "2h ", "fri"};
        int64_t ms;

        (void)state;
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                if (time_parse(wrong[i], MOSCOW, true, at("2026-11-23T18:30:00Z"), &ms))
                        fail_msg("'%s' is taken", wrong[i]);
        assert_false(time_parse("2h", MOSCOW, false, 0, &ms)); /* a moment is wanted */
}

static void
test_skills(void **state)
{
        static const char *const wrong[] = {"", "network", "network:", ":3", "network:11",
            "network:-1", "network:3x", "network: 3", "network:003"};
        unsigned level;
        size_t n;

        (void)state;
        assert_true(skill_parse("network:3", &n, &level));
        assert_int_equal(n, 7);
        assert_int_equal(level, 3);
        assert_true(skill_parse("сеть:10", &n, &level));
        assert_int_equal(level, 10);
        assert_true(skill_parse("a:0", &n, &level));
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
                assert_false(skill_parse(wrong[i], &n, &level));
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_moments),
            cmocka_unit_test(test_times_of_day),
            cmocka_unit_test(test_not_moments),
            cmocka_unit_test(test_skills),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
