/*
 * Open hours: daemon/model/calendar.h, against the most naive way of counting: walk
 * minute by minute and ask the C library what the wall shows.
 */
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
#include "daemon/model/calendar.h"
#include "tests/unit/patience.h"

#define MIN 60000LL
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)

/* ---- calendars ---- */

static const struct open_span whole[] = {{0, 1440}};
static const struct open_span office[] = {{540, 780}, {840, 1080}}; /* 9-13 14-18 */
static const struct open_span shorter[] = {{540, 780}, {840, 1020}};
static const struct open_span night[] = {{0, 210}, {1290, 1440}}; /* 21:30-03:30 */
static const struct open_span odd[] = {{75, 155}, {200, 201}, {1439, 1440}};

static int64_t
utc_ms(int y, int mo, int d, int h, int mi)
{
        struct tm tm = {.tm_year = y - 1900,
            .tm_mon = mo - 1,
            .tm_mday = d,
            .tm_hour = h,
            .tm_min = mi};

        return (int64_t)timegm(&tm) * 1000;
}

static int32_t
day_of(int y, int mo, int d)
{
        return (int32_t)(utc_ms(y, mo, d, 0, 0) / DAY);
}

static struct calendar
of(const char *zone, const struct open_span *week, size_t n, const struct open_span *end,
    size_t n_end, struct arena *a)
{
        struct calendar c = {.zone = zone};

        for (int i = 0; i < 7; i++) {
                c.week[i] = i < 5 ? week : end;
                c.n_week[i] = i < 5 ? n : n_end;
        }
        calendar_seal(&c, a);
        return c;
}

/* mon-fri 09:00-13:00 14:00-18:00, a worked Saturday, holidays around the year's end. */
static struct calendar
moscow(struct arena *a)
{
        struct calendar c = of("Europe/Moscow", office, 2, NULL, 0, a);
        struct calendar_date *d = arena_alloc(a, 20 * sizeof *d);

        d[c.n_dates++] = (struct calendar_date){day_of(2025, 11, 1), shorter, 2};
        for (int i = 0; i < 11; i++)
                d[c.n_dates++] =
                    (struct calendar_date){day_of(2026, 12, 31) + i, NULL, 0};
        c.dates = d;
        calendar_seal(&c, a);
        return c;
}

/* ---- the naive way ---- */

static bool
naive_open_local(const struct calendar *c, int64_t day, int minute)
{
        const struct open_span *s = c->week[((day + 3) % 7 + 7) % 7];
        size_t n = c->n_week[((day + 3) % 7 + 7) % 7];

        for (size_t i = 0; i < c->n_dates; i++)
                if (c->dates[i].day == day) {
                        s = c->dates[i].spans;
                        n = c->dates[i].n_spans;
                }
        for (size_t i = 0; i < n; i++)
                if (minute >= s[i].from && minute < s[i].to)
                        return true;
        return false;
}

struct wall { /* the C library's view of a stretch of minutes */
        int64_t from_ms; /* a whole minute */
        size_t n;
        int64_t *day; /* local date of each minute */
        int *minute; /* and minute of that day */
        char *open;
};

static void
wall_fill(struct wall *w, const struct calendar *c, int64_t from_ms, size_t n)
{
        w->from_ms = from_ms;
        w->n = n;
        w->day = calloc(n, sizeof *w->day);
        w->minute = calloc(n, sizeof *w->minute);
        w->open = calloc(n, 1);
        setenv("TZ", c->zone, 1);
        tzset();
        for (size_t i = 0; i < n; i++) {
                time_t t = (time_t)(from_ms / 1000 + (int64_t)i * 60);
                struct tm tm;
                struct tm date = {0};

                localtime_r(&t, &tm);
                date.tm_year = tm.tm_year;
                date.tm_mon = tm.tm_mon;
                date.tm_mday = tm.tm_mday;
                w->day[i] = timegm(&date) / 86400;
                w->minute[i] = tm.tm_hour * 60 + tm.tm_min;
                w->open[i] = naive_open_local(c, w->day[i], w->minute[i]);
        }
        unsetenv("TZ");
        tzset();
}

static void
wall_free(struct wall *w)
{
        free(w->day);
        free(w->minute);
        free(w->open);
}

/* So much open time later, minute by minute; -1: beyond the wall. */
static int64_t
naive_hours(const struct wall *w, size_t from, int64_t minutes)
{
        size_t i = from;

        for (; minutes > 0; i++) {
                if (i >= w->n)
                        return -1;
                minutes -= w->open[i];
        }
        return (int64_t)i;
}

static int64_t
wall_local_ms(const struct wall *w, size_t i)
{
        return w->day[i] * DAY + w->minute[i] * MIN;
}

/* The latest local time shown by the beginning of that minute. */
static int64_t
naive_shown(const struct wall *w, size_t at)
{
        int64_t shown = wall_local_ms(w, at);

        for (size_t j = 0; j < at; j++)
                if (wall_local_ms(w, j) + MIN - 1 > shown)
                        shown = wall_local_ms(w, j) + MIN - 1;
        return shown;
}

/* The n-th day with an open minute after the one of minute i. */
static int64_t
naive_day(const struct wall *w, size_t i, int n)
{
        int64_t day = w->day[i];

        for (; i < w->n; i++)
                if (w->open[i] && w->day[i] > day) {
                        day = w->day[i];
                        if (--n == 0)
                                return day;
                }
        return -1;
}

/* So many working days later: the place of the next open minute (by what has been shown
 * already), so many days with hours on, the first moment that shows it or a later one. */
static int64_t
naive_days(const struct wall *w, size_t from, int days)
{
        int64_t shown = naive_shown(w, from), place, day;
        size_t i = from;

        while (i < w->n && (!w->open[i] || wall_local_ms(w, i) + MIN - 1 < shown))
                i++;
        if (i >= w->n || (day = naive_day(w, i, days)) < 0)
                return -1;
        place = wall_local_ms(w, i) > shown ? wall_local_ms(w, i) : shown;
        place += (day - w->day[i]) * DAY;
        for (i = from; i < w->n; i++) {
                int64_t left = place - wall_local_ms(w, i);

                if (left < MIN)
                        return w->from_ms + (int64_t)i * MIN + (left > 0 ? left : 0);
        }
        return -1;
}

/* ---- on the days the clock changes ---- */

/* One start: is_open, and each way on from it, and back again exactly. */
static void
check_start(const struct calendar *c, const struct wall *w, size_t i)
{
        static const int64_t some[] = {1, 20, 60, 90, 180, 240, 480, 600, 1440};
        int64_t at = w->from_ms + (int64_t)i * MIN;

        assert_int_equal(calendar_is_open(c, at), w->open[i]);
        for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
                struct open_time t = {0, some[k] * MIN};
                int64_t want = naive_hours(w, i, some[k]);
                int64_t got = calendar_after(c, at, t);

                if (want < 0)
                        continue;
                assert_true(got == w->from_ms + want * MIN);
                assert_true(calendar_between(c, at, got) == t.ms);
                assert_true(calendar_between(c, at, got - 1) == t.ms - 1);
        }
        for (int days = 1; days <= 3; days++) {
                int64_t want = naive_days(w, i, days);
                int64_t got = calendar_after(c, at, (struct open_time){days, 0});

                if (want >= 0)
                        assert_true(got == want);
        }
}

/* back is the inverse of after, exactly, and neither ever goes back. */
static void
check_inverse(const struct calendar *c, int64_t from_ms, int64_t until_ms, int64_t step)
{
        static const struct open_time some[] = {{0, 1}, {0, 30 * MIN}, {0, 5 * HOUR},
            {1, 0}, {2, 0}, {1, 2 * HOUR}, {0, 26 * HOUR}};

        for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
                struct open_time t = some[k];
                int64_t last_after = INT64_MIN, last_back = INT64_MIN;

                for (int64_t at = from_ms; at < until_ms; at += step) {
                        int64_t after = calendar_after(c, at, t);
                        int64_t back = calendar_back(c, at, t);

                        assert_true(after >= last_after && back >= last_back);
                        last_after = after;
                        last_back = back;
                        if (back != INT64_MIN) {
                                assert_true(calendar_after(c, back, t) <= at);
                                assert_true(calendar_after(c, back + 1, t) > at);
                        }
                        if (after == CALENDAR_NEVER)
                                continue;
                        assert_true(calendar_back(c, after, t) >= at);
                        assert_true(calendar_back(c, after - 1, t) < at);
                }
        }
}

static void
check_change(const char *zone, int64_t at_ms, struct arena *a)
{
        struct calendar all[] = {
            of(zone, whole, 1, whole, 1, a),
            of(zone, office, 2, NULL, 0, a),
            of(zone, night, 2, night, 2, a),
            of(zone, odd, 3, odd, 3, a),
            of(zone, whole, 1, NULL, 0, a),
        };
        int64_t from = at_ms - 2 * DAY, until = at_ms + 2 * DAY;

        from -= from % MIN;
        for (size_t k = SANITIZED ? 4 : 0; k < sizeof all / sizeof *all; k++) {
                struct wall w;

                wall_fill(&w, &all[k], from - 3 * DAY, 14 * 1440);
                /* every hour, the minutes around it, and every minute around the change */
                for (size_t i = 3 * 1440; i < 7 * 1440; i++) {
                        int64_t at = w.from_ms + (int64_t)i * MIN;
                        bool near = llabs(at - at_ms) <= 5 * MIN ||
                                    llabs(llabs(at - at_ms) - HOUR) <= 2 * MIN;

                        if (near || i % 60 == 0 || i % 60 == 1 || i % 60 == 59)
                                check_start(&all[k], &w, i);
                }
                wall_free(&w);
                check_inverse(&all[k], from, until, 61 * MIN);
                check_inverse(
                    &all[k], at_ms - 2 * HOUR - 500, at_ms + 2 * HOUR, 59 * MIN / 7);
        }
}

static void
test_days_the_clock_changes(void **state)
{
        static const struct {
                const char *zone;
                int64_t at_s; /* when it changes, UTC */
        } changes[] = {
            {"Europe/Berlin", 1774746000}, /* 2026-03-29 01:00, an hour is left out */
            {"Europe/Berlin", 1792890000}, /* 2026-10-25 01:00, one comes twice */
            {"America/New_York", 1772953200}, /* 2026-03-08 07:00 */
            {"America/New_York", 1793512800}, /* 2026-11-01 06:00 */
            {"Australia/Lord_Howe", 1775314800}, /* 2026-04-04 15:00, half an hour back */
            {"Australia/Lord_Howe", 1791041400}, /* 2026-10-03 15:30, half an hour on */
            {"Europe/Moscow", 1301180400}, /* 2011-03-27 summer time for good */
            {"Europe/Moscow", 1414274400}, /* 2014-10-26 an hour back for good */
            {"America/Sao_Paulo", 1550368800}, /* 2019-02-17, midnight comes twice */
            {"America/Sao_Paulo", 1541300400}, /* 2018-11-04, no midnight */
            {"Pacific/Apia", 1325239200}, /* 2011-12-30 left out whole */
            {"Asia/Pyongyang", 1439564400}, /* 2015-08-15, half an hour back */
            {"Africa/Casablanca", 1771120800}, /* 2026-02-15, Ramadan, listed only */
        };

        (void)state;
        for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
                struct arena *a AUTO_ARENA = arena_new();
                struct zone_span s =
                    zone_span_at(zone_find(changes[i].zone), changes[i].at_s);

                /* the table is right: there the clock does change */
                assert_true(s.from_s == changes[i].at_s);
                check_change(changes[i].zone, changes[i].at_s * 1000, a);
        }
}

/* ---- what people mean ---- */

/* Moscow time without the year's summer: UTC+3. */
static int64_t
msk(int y, int mo, int d, int h, int mi)
{
        return utc_ms(y, mo, d, h, mi) - 3 * HOUR;
}

static void
test_open_hours(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct calendar c = moscow(a);

        (void)state;
        assert_true(calendar_is_open(&c, msk(2026, 11, 24, 9, 0)));
        assert_false(calendar_is_open(&c, msk(2026, 11, 24, 9, 0) - 1));
        assert_false(calendar_is_open(&c, msk(2026, 11, 24, 13, 0)));
        assert_true(calendar_is_open(&c, msk(2026, 11, 24, 17, 59)));
        assert_false(calendar_is_open(&c, msk(2026, 11, 24, 18, 0)));
        assert_false(calendar_is_open(&c, msk(2026, 11, 28, 10, 0))); /* Saturday */
        assert_true(calendar_is_open(&c, msk(2025, 11, 1, 10, 0))); /* worked */
        assert_false(calendar_is_open(&c, msk(2025, 11, 1, 17, 30))); /* shorter */
        assert_false(calendar_is_open(&c, msk(2026, 12, 31, 10, 0)));
        assert_true(calendar_is_open(&c, msk(2027, 1, 11, 10, 0)));
        assert_true(calendar_is_open(NULL, 0));
        assert_true(calendar_next_change(&c, msk(2026, 11, 24, 10, 0)) ==
                    msk(2026, 11, 24, 13, 0));
        assert_true(calendar_next_change(&c, msk(2026, 11, 24, 13, 0)) ==
                    msk(2026, 11, 24, 14, 0));
        assert_true(
            calendar_next_change(&c, msk(2026, 12, 30, 18, 0)) == msk(2027, 1, 11, 9, 0));
        assert_true(calendar_next_change(NULL, 0) == CALENDAR_NEVER);
}

static void
test_counting(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct calendar c = moscow(a);

        (void)state;
        /* Friday 17:30, one hour: half of it on Monday */
        assert_true(calendar_after(&c, msk(2026, 11, 27, 17, 30),
                        (struct open_time){0, HOUR}) == msk(2026, 11, 30, 9, 30));
        assert_true(calendar_back(&c, msk(2026, 11, 30, 9, 30),
                        (struct open_time){0, HOUR}) == msk(2026, 11, 27, 17, 30));
        /* three working days keep the time of day */
        assert_true(calendar_after(&c, msk(2026, 11, 26, 10, 15),
                        (struct open_time){3, 0}) == msk(2026, 12, 1, 10, 15));
        /* what comes on a Sunday counts from Monday morning */
        assert_true(calendar_after(&c, msk(2026, 11, 29, 15, 0),
                        (struct open_time){1, 0}) == msk(2026, 12, 1, 9, 0));
        /* over the holidays; and days, then hours */
        assert_true(calendar_after(&c, msk(2026, 12, 30, 17, 0),
                        (struct open_time){1, 0}) == msk(2027, 1, 11, 17, 0));
        assert_true(calendar_after(&c, msk(2026, 12, 30, 17, 0),
                        (struct open_time){1, 2 * HOUR}) == msk(2027, 1, 12, 10, 0));
        /* the worked Saturday is a working day */
        assert_true(calendar_after(&c, msk(2025, 10, 31, 10, 0),
                        (struct open_time){1, 0}) == msk(2025, 11, 1, 10, 0));
        assert_true(calendar_between(&c, msk(2026, 11, 23, 0, 0),
                        msk(2026, 11, 30, 0, 0)) == 40 * HOUR);
        assert_true(calendar_between(&c, 5, 5) == 0);
        assert_true(calendar_between(NULL, 5, 8) == 3);
        assert_true(calendar_after(NULL, 5, (struct open_time){2, 7}) == 2 * DAY + 12);
        assert_true(calendar_back(NULL, 5, (struct open_time){2, 7}) == -2 * DAY - 2);
}

static void
test_never(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct calendar c = of("UTC", NULL, 0, NULL, 0, a);
        struct calendar rare = of("UTC", odd + 1, 1, NULL, 0, a); /* a minute a day */
        struct open_time hour = {0, HOUR}, years = {0, 2000 * MIN}, days = {100000, 0};

        (void)state;
        assert_false(calendar_is_open(&c, 0));
        assert_true(calendar_after(&c, 0, hour) == CALENDAR_NEVER);
        assert_true(calendar_back(&c, 0, hour) == INT64_MIN);
        assert_true(calendar_after(&c, 0, (struct open_time){1, 0}) == CALENDAR_NEVER);
        assert_true(calendar_back(&c, 0, (struct open_time){1, 0}) == INT64_MIN);
        assert_true(calendar_next_change(&c, 0) == CALENDAR_NEVER);
        assert_true(calendar_after(&rare, 0, years) == CALENDAR_NEVER);
        assert_true(calendar_back(&rare, 0, years) == INT64_MIN);
        assert_true(calendar_after(&rare, 0, days) == CALENDAR_NEVER);
        assert_true(calendar_back(&rare, 0, days) == INT64_MIN);
        c = of("UTC", whole, 1, whole, 1, a);
        assert_true(calendar_next_change(&c, 12345) == CALENDAR_NEVER);
}

/* Any calendar, any moment of the last and the next years. */
static void
test_any(void **state)
{
        static const char *const zones[] = {"Europe/Moscow", "Europe/Berlin",
            "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC",
            "Africa/Casablanca", "America/Santiago"};
        unsigned seed = (unsigned)time(NULL);

        (void)state;
        print_message("seed %u\n", seed);
        srand(seed);
        for (int i = 0; i < 40; i++) {
                struct arena *a AUTO_ARENA = arena_new();
                struct open_span s[3];
                struct calendar c;
                int64_t at = utc_ms(2005 + rand() % 40, 1 + rand() % 12, 1 + rand() % 28,
                    rand() % 24, rand() % 60);
                struct wall w;

                for (int k = 0, from = 0; k < 3; k++) {
                        s[k].from = (uint16_t)(from + rand() % 300);
                        s[k].to = (uint16_t)(s[k].from + 1 + rand() % 179);
                        from = s[k].to;
                }
                c = of(zones[rand() % 8], s, (size_t)(1 + rand() % 3), s,
                    (size_t)(rand() % 3), a);
                wall_fill(&w, &c, at - 3 * DAY, 14 * 1440);
                for (int k = 0; k < 20; k++)
                        check_start(&c, &w, (size_t)(3 * 1440 + rand() % 1440));
                wall_free(&w);
                check_inverse(&c, at, at + DAY, 7 * HOUR + 123457);
        }
}

/* ---- documents ---- */

static void
test_document(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct calendar c = moscow(a), again = moscow(a), back;
        struct err err = {0};

        (void)state;
        assert_string_equal(c.id, again.id);
        assert_int_equal(strlen(c.id), CALENDAR_ID_LEN);
        assert_int_equal(calendar_parse(c.text, strlen(c.text), a, &back, &err), 0);
        assert_string_equal(back.id, c.id);
        calendar_seal(&back, a);
        assert_string_equal(back.text, c.text);
        assert_true(calendar_after(&back, msk(2026, 12, 30, 17, 0),
                        (struct open_time){1, 0}) == msk(2027, 1, 11, 17, 0));
        assert_int_equal(calendar_parse("", 0, a, &back, &err), 0);
        assert_true(calendar_is_open(&back, 0));
}

static void
test_bad_documents(void **state)
{
#define WEEK "\"week\":[[],[],[],[],[],[],[]]"
        static const char *const bad[] = {
            "x",
            "[]",
            "{}",
            "{\"v\":1}",
            "{\"v\":1,\"dates\":[],\"week\":[[],[],[],[],[],[]],\"zone\":\"\"}",
            "{\"v\":2,\"dates\":[]," WEEK ",\"zone\":\"\"}",
            "{\"v\":1,\"dates\":{}," WEEK ",\"zone\":\"\"}",
            "{\"v\":1,\"dates\":[[5,[]],[5,[]]]," WEEK ",\"zone\":\"\"}",
            "{\"v\":1,\"dates\":[[5,[[10,9]]]]," WEEK ",\"zone\":\"\"}",
            "{\"v\":1,\"dates\":[[5,[[0,1441]]]]," WEEK ",\"zone\":\"\"}",
            "{\"v\":1,\"dates\":[[5,[[0,60],[50,70]]]]," WEEK ",\"zone\":\"\"}",
            "{\"v\":1,\"dates\":[[9000000,[]]]," WEEK ",\"zone\":\"\"}",
            ("{\"v\":1,\"dates\":[],"
             "\"week\":[[],[],[],[],[],[],7],\"zone\":\"\"}"),
        };

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct arena *a AUTO_ARENA = arena_new();
                struct calendar c;
                struct err err = {0};

                assert_int_equal(calendar_parse(bad[i], strlen(bad[i]), a, &c, &err), -1);
                assert_int_equal(err.kind, ERR_REJECT);
                assert_true(strncmp(err.text, "calendar", 8) == 0);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_open_hours),
            cmocka_unit_test(test_counting),
            cmocka_unit_test(test_never),
            cmocka_unit_test(test_days_the_clock_changes),
            cmocka_unit_test(test_any),
            cmocka_unit_test(test_document),
            cmocka_unit_test(test_bad_documents),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
