/* Times as people say them: both languages, ends of months and years, the hours that
 * come twice and not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/base/clock.h"
#include "daemon/base/zone.h"
#include "daemon/tool/when.h"
#include "daemon/tool/words.h"

static int64_t
moment(const char *utc)
{
        int64_t us;

        assert_true(clock_parse(utc, &us));
        return us;
}

static void
zone_set(const char *zone)
{
        setenv("TZ", zone, 1);
        tzset();
}

static void
is_at(const char *said, enum when_side side, const char *now, const char *wanted)
{
        char got[25];
        struct err err = {.text = ""};
        int64_t at;

        if (when_parse(said, moment(now), side, &at, &err) == -1)
                fail_msg("'%s': %s", said, err.text);
        clock_format(at, got);
        if (strncmp(got, wanted, strlen(wanted)) != 0)
                fail_msg("'%s' is %s, not %s", said, got, wanted);
}

#define AHEAD(said, wanted) is_at(said, WHEN_AHEAD, now, wanted)
#define BACK(said, wanted) is_at(said, WHEN_BACK, now, wanted)

static void
test_moscow(void **state)
{
        const char *now = "2026-11-23T11:30:00.000Z"; /* Monday, 14:30 in Moscow */

        (void)state;
        zone_set("Europe/Moscow");
        AHEAD("15:00", "2026-11-23T12:00:00");
        AHEAD("14:00", "2026-11-24T11:00:00");
        AHEAD("9:05", "2026-11-24T06:05:00");
        AHEAD("3pm", "2026-11-23T12:00:00");
        AHEAD("3:30PM", "2026-11-23T12:30:00");
        AHEAD("12am", "2026-11-23T21:00:00");
        AHEAD("fri 15:00", "2026-11-27T12:00:00");
        AHEAD("friday at 15:00", "2026-11-27T12:00:00");
        AHEAD("15:00 fri", "2026-11-27T12:00:00");
        AHEAD("mon 15:00", "2026-11-23T12:00:00");
        AHEAD("mon 14:00", "2026-11-30T11:00:00");
        AHEAD("fri", "2026-11-27T06:00:00");
        AHEAD("tomorrow", "2026-11-24T06:00:00");
        AHEAD("tomorrow 9:00", "2026-11-24T06:00:00");
        AHEAD("завтра в 9:00", "2026-11-24T06:00:00");
        AHEAD("Завтра 9:00", "2026-11-24T06:00:00");
        AHEAD("послезавтра", "2026-11-25T06:00:00");
        AHEAD("ПТ 15:00", "2026-11-27T12:00:00");
        AHEAD("в пятницу в 15:00", "2026-11-27T12:00:00");
        AHEAD("во вторник", "2026-11-24T06:00:00");
        AHEAD("среда 10:00", "2026-11-25T07:00:00");
        AHEAD("today 18:00", "2026-11-23T15:00:00");
        AHEAD("24.12", "2026-12-24T06:00:00");
        AHEAD("24.12.", "2026-12-24T06:00:00");
        AHEAD("1.2 10:00", "2027-02-01T07:00:00");
        AHEAD("24.12.2027 10:00", "2027-12-24T07:00:00");
        AHEAD("2026-12-01 10:00", "2026-12-01T07:00:00");
        AHEAD("2026-12-01T10:00", "2026-12-01T07:00:00");
        AHEAD("2h", "2026-11-23T13:30:00");
        AHEAD("1h30m", "2026-11-23T13:00:00");
        AHEAD("in 30 m", "2026-11-23T12:00:00");
        AHEAD("in 2 hours", "2026-11-23T13:30:00");
        AHEAD("через 2 часа", "2026-11-23T13:30:00");
        AHEAD("через 2ч", "2026-11-23T13:30:00");
        AHEAD("30мин", "2026-11-23T12:00:00");
        AHEAD("3d", "2026-11-26T11:30:00");
        AHEAD("2нед", "2026-12-07T11:30:00");
        AHEAD("24:00", "2026-11-23T21:00:00");
        BACK("14:00", "2026-11-23T11:00:00");
        BACK("15:00", "2026-11-22T12:00:00");
        BACK("10m", "2026-11-23T11:20:00");
        BACK("yesterday 18:00", "2026-11-22T15:00:00");
        BACK("вчера 18:00", "2026-11-22T15:00:00");
        BACK("fri 15:00", "2026-11-20T12:00:00");
        BACK("24.12", "2025-12-24T06:00:00");
}

static void
test_ends(void **state)
{
        const char *now = "2027-12-31T20:30:00.000Z"; /* Friday 23:30 in Moscow */

        (void)state;
        zone_set("Europe/Moscow");
        AHEAD("0:15", "2027-12-31T21:15:00");
        AHEAD("tomorrow 9:00", "2028-01-01T06:00:00");
        AHEAD("1h", "2027-12-31T21:30:00");
        AHEAD("fri 15:00", "2028-01-07T12:00:00");
        AHEAD("29.2", "2028-02-29T06:00:00");
        AHEAD("28.02", "2028-02-28T06:00:00");
        AHEAD("60d", "2028-02-29T20:30:00");
        now = "2026-01-31T09:00:00.000Z";
        AHEAD("29.2", "2028-02-29T06:00:00"); /* the next year that has one */
        AHEAD("tomorrow", "2026-02-01T06:00:00");
}

static void
test_daylight_saving(void **state)
{
        const char *now = "2027-03-27T12:00:00.000Z"; /* Saturday 13:00 in Berlin */

        (void)state;
        zone_set("Europe/Berlin");
        AHEAD("tomorrow 1:30", "2027-03-28T00:30:00");
        AHEAD("tomorrow 3:30", "2027-03-28T01:30:00");
        AHEAD("tomorrow 2:30", "2027-03-28T01:30:00"); /* there is none: an hour later */
        AHEAD("1d", "2027-03-28T11:00:00"); /* 13:00 again, 23 hours */
        AHEAD("24h", "2027-03-28T12:00:00"); /* real hours */
        now = "2026-10-24T12:00:00.000Z"; /* Saturday 14:00 */
        AHEAD("tomorrow 2:30", "2026-10-25T00:30:00"); /* comes twice: the first */
        AHEAD("tomorrow 3:00", "2026-10-25T02:00:00");
        AHEAD("1d", "2026-10-25T13:00:00");
        AHEAD("2d", "2026-10-26T13:00:00");
}

static void
test_refused(void **state)
{
        static const char *const said[] = {"", " ", "soon", "25:00", "9", "12:60",
            "24:01", "0pm", "13pm", "fri fri", "fri tomorrow", "15:00 16:00", "2h 15:00",
            "30.2", "32.1", "0.1", "1.13", "2026-13-01", "2026-02-30", "26-12-01",
            "2026-12", "2026-1-123", "1h30", "h", "-2h", "2x", "at", "в", "today 9:00",
            "2020-01-01", "99999999999999h", "0m", "fri\n\n15:00:99", "yesterday",
            "\xff"};

        (void)state;
        zone_set("UTC");
        for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
                struct err err = {.text = ""};
                int64_t at;

                if (when_parse(said[i], moment("2026-11-23T11:30:00Z"), WHEN_AHEAD, &at,
                        &err) == 0)
                        fail_msg("'%s' is taken", said[i]);
                assert_true(*err.text != '\0');
        }
}

static void
test_words(void **state)
{
        const char *words[] = {"fri", "15:00", "call", "back"},
                   *call[] = {"call", "at", "9:00"};
        const char *at[] = {"tomorrow", "at", "noon"};
        int64_t now = moment("2026-11-23T11:30:00Z"), us;
        struct err err = {.text = ""};

        (void)state;
        zone_set("UTC");
        assert_int_equal(2, when_parse_words(4, words, now, WHEN_AHEAD, &us, &err));
        assert_int_equal(1, when_parse_words(1, words, now, WHEN_AHEAD, &us, &err));
        assert_int_equal(0, when_parse_words(3, call, now, WHEN_AHEAD, &us, &err));
        assert_non_null(strstr(err.text, "call"));
        assert_int_equal(1, when_parse_words(3, at, now, WHEN_AHEAD, &us, &err));
        assert_int_equal(0, when_parse_words(0, at, now, WHEN_AHEAD, &us, &err));
}

static void
test_durations(void **state)
{
        char out[64];

        (void)state;
        assert_true(when_duration("2h", out));
        assert_string_equal(out, "2h");
        assert_true(when_duration("1ч30мин", out));
        assert_string_equal(out, "1h30m");
        assert_true(when_duration("2нед", out));
        assert_string_equal(out, "2w");
        assert_false(when_duration("15:00", out));
        assert_false(when_duration("", out));
        assert_false(when_duration("2", out));
        assert_false(when_duration(
            "1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h1h", out));
}

static void
reads(const char *at, const char *now, const char *en, const char *ru)
{
        char out[48];

        words_use(false);
        when_format(moment(at), moment(now), out);
        assert_string_equal(out, en);
        words_use(true);
        when_format(moment(at), moment(now), out);
        assert_string_equal(out, ru);
        words_use(false);
}

static void
test_reading(void **state)
{
        const char *now = "2026-11-23T11:30:00Z";
        char out[32];

        (void)state;
        zone_set("Europe/Moscow");
        reads("2026-11-23T11:29:30Z", now, "just now", "только что");
        reads("2026-11-23T11:30:30Z", now, "in a moment", "сейчас");
        reads("2026-11-23T11:27:00Z", now, "3 min ago", "3 мин назад");
        reads("2026-11-23T13:40:00Z", now, "in 2 h", "через 2 ч");
        reads("2026-11-23T06:00:00Z", now, "09:00", "09:00");
        reads("2026-11-22T06:00:00Z", now, "yesterday 09:00", "вчера 09:00");
        reads("2026-11-24T12:00:00Z", now, "tomorrow 15:00", "завтра 15:00");
        reads("2026-11-20T12:00:00Z", now, "Nov 20 15:00", "20 ноя 15:00");
        reads("2025-05-09T12:00:00Z", now, "May 9 2025", "9 мая 2025");
        when_span(45, out);
        assert_string_equal(out, "45s");
        when_span(11100, out);
        assert_string_equal(out, "3h05");
        when_span(2 * 86400 + 4 * 3600, out);
        assert_string_equal(out, "2d 4h");
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_moscow),
            cmocka_unit_test(test_ends),
            cmocka_unit_test(test_daylight_saving),
            cmocka_unit_test(test_refused),
            cmocka_unit_test(test_words),
            cmocka_unit_test(test_durations),
            cmocka_unit_test(test_reading),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
