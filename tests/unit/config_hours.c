/* Open hours, holidays and promises as they are written, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/config_case.h"

static int64_t
at(int y, int mo, int d, int h, int mi)
{
        struct tm tm = {.tm_year = y - 1900,
            .tm_mon = mo - 1,
            .tm_mday = d,
            .tm_hour = h,
            .tm_min = mi};

        return (int64_t)timegm(&tm) * 1000;
}

static struct config *
load(const char *hours)
{
        char text[4096];

        snprintf(text, sizeof text,
            "mail a@b.example\nagent anna { hours office; notify mail }\n%s\n"
            "timezone Europe/Moscow\n",
            hours);
        return case_config(text);
}

static void
test_hours(void **state)
{
        const struct calendar *k;
        struct config *c;

        (void)state;
        case_begin();
        c = load(
            "hours office {\n mon-thu 14:00-18:00 09:00-13:00\n fri 9:00-13:00 "
            "13:00-17:00\n 2025-11-01 09:00-13:00\n 2026-12-31 .. 2027-01-10 closed\n"
            " 2027-01-09 10:00-24:00\n}\n"
            "hours night { fri-mon 00:00-24:00; timezone UTC }\n");
        assert_non_null(c);
        assert_string_equal(c->hours[0].name, "always");
        assert_string_equal(config_hours(c, "always")->calendar.id, "");
        assert_null(config_hours(c, "day"));
        k = &config_hours(c, "office")->calendar;
        assert_string_equal(k->zone, "Europe/Moscow");
        assert_ptr_equal(config_calendar(c, k->id), k);
        assert_null(config_calendar(c, ""));
        assert_int_equal(k->n_week[0], 2);
        assert_int_equal(k->week[0][0].from, 540);
        assert_int_equal(k->n_week[4], 1); /* what touches is one */
        assert_int_equal(k->week[4][0].to, 1020);
        assert_int_equal(k->n_week[5], 0);
        assert_int_equal(k->n_dates, 12);
        assert_true(calendar_is_open(k, at(2025, 11, 1, 7, 0)));
        assert_false(calendar_is_open(k, at(2027, 1, 8, 7, 0)));
        assert_true(calendar_is_open(k, at(2027, 1, 9, 20, 59))); /* 23:59 in Moscow */
        assert_false(calendar_is_open(k, at(2027, 1, 9, 21, 0)));
        k = &config_hours(c, "night")->calendar;
        assert_string_equal(k->zone, "UTC");
        assert_int_equal(k->n_week[6], 1);
        assert_int_equal(k->n_week[0], 1);
        assert_int_equal(k->n_week[1], 0);
        assert_string_equal(c->agents[0].hours, "office");
        assert_true(c->agents[0].notify_mail);
        config_free(&c);
        case_end();
}

static const char ics[] = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n"
                          "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:New Year\r\n"
                          "DTSTART;VALUE=DATE:20200101\r\nDTEND;VALUE=DATE:20200103\r\n"
                          "RRULE:FREQ=YEARLY\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n"
                          "BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:one day\r\n"
                          "DTSTART;VALUE=DATE:20260612\r\nEND:VEVENT\r\n"
                          "BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:moved\r\nSTATUS:CANCELLED\r\n"
                          "DTSTART;VALUE=DATE:20260615\r\nEND:VEVENT\r\n"
                          "BEGIN:VEVENT\r\nUID:4\r\nSUMMARY:weekend\r\n"
                          "DTSTART;VALUE=DATE:20260704\r\nDURATION:P3D\r\nEND:VEVENT\r\n"
                          "END:VCALENDAR\r\n";

static void
test_holidays(void **state)
{
        const struct calendar *k;
        struct config *c;
        time_t now = time(NULL);
        struct tm tm;
        int next;

        (void)state;
        gmtime_r(&now, &tm);
        next = tm.tm_year + 1901;
        case_begin();
        case_write("holidays.ics", ics, sizeof ics - 1, 0600);
        c = load("hours office { mon-sun 09:00-18:00; holidays file \"holidays.ics\"\n"
                 "2026-07-05 10:00-12:00 }");
        assert_non_null(c);
        k = &c->hours[1].calendar;
        assert_false(calendar_is_open(k, at(2026, 6, 12, 9, 0)));
        assert_true(calendar_is_open(k, at(2026, 6, 13, 9, 0)));
        assert_true(calendar_is_open(k, at(2026, 6, 15, 9, 0))); /* cancelled */
        assert_false(calendar_is_open(k, at(2026, 7, 4, 9, 0)));
        assert_true(calendar_is_open(k, at(2026, 7, 5, 8, 0))); /* said by hand */
        assert_false(calendar_is_open(k, at(2026, 7, 6, 9, 0)));
        assert_true(calendar_is_open(k, at(2026, 7, 7, 9, 0)));
        assert_false(calendar_is_open(k, at(next, 1, 1, 9, 0)));
        assert_false(calendar_is_open(k, at(next + 4, 1, 2, 9, 0)));
        assert_true(calendar_is_open(k, at(next, 1, 3, 9, 0)));
        /* its change alone is a reason to reload */
        assert_int_equal(c->n_data, 1);
        assert_false(config_data_changed(c));
        case_write("holidays.ics", ics, sizeof ics - 3, 0600);
        assert_true(config_data_changed(c));
        config_free(&c);
        case_end();
}

static void
test_promises(void **state)
{
        const struct promise_options *p;
        struct config *c;

        (void)state;
        case_begin();
        c = load("promise standard { hours office; first-response 1h; next-response 4h; "
                 "resolution 3d; warn 75% }\n"
                 "promise vip { first-response 15m }\n"
                 "hours office { mon-fri 09:00-18:00 }\n"
                 "lines first\nline first { escalate 1d4h }\n"
                 "no-answer { remind 3d; close 7d }\n"
                 "route general { promise standard }\n");
        assert_non_null(c);
        p = config_promise(c, "standard");
        assert_ptr_equal(p->hours, config_hours(c, "office"));
        assert_true(p->first_response.ms == 3600000 && p->first_response.days == 0);
        assert_true(p->resolution.ms == 0 && p->resolution.days == 3);
        assert_int_equal(p->warn, 75);
        p = config_promise(c, "vip");
        assert_null(p->hours);
        assert_int_equal(p->warn, 80);
        assert_null(config_promise(c, "none"));
        assert_int_equal(c->lines[0].escalate.days, 1);
        assert_true(c->lines[0].escalate.ms == 4 * 3600000);
        assert_true(c->remind_ms == 3 * 86400000LL && c->give_up_ms == 7 * 86400000LL);
        assert_string_equal(c->agents[0].hours, "office");
        config_free(&c);
        c = case_config("mail a@b.example\nagent anna\n");
        assert_non_null(c);
        assert_int_equal(c->n_hours, 1);
        assert_int_equal(c->n_promises, 0);
        assert_true(c->remind_ms == 0 && c->give_up_ms == 0);
        assert_string_equal(c->agents[0].hours, "");
        config_free(&c);
        case_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_hours),
            cmocka_unit_test(test_holidays),
            cmocka_unit_test(test_promises),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
