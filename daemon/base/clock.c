/* The one clock; see clock.h. */
#include "daemon/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t mono_us; /* monotonic time at the last update */
static int64_t offset_us; /* time of day less monotonic time */
static bool have_offset; /* false until the first use or setting */
static bool test_mode;

static int64_t
read_clock(clockid_t id)
{
        struct timespec ts;

        clock_gettime(id, &ts);
        return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_read_mono_us(void)
{
        return test_mode ? mono_us : read_clock(CLOCK_MONOTONIC);
}

/* For tests of what takes days: $HELPLINE_CLOCK_SHIFT, in seconds. A store refuses such a
 * time unless it was told that time is virtual (`sim`, queue/keys.h). */
static int64_t
shift_us(void)
{
        const char *s = getenv("HELPLINE_CLOCK_SHIFT");

        return s == NULL ? 0 : atoll(s) * 1000000;
}

void
clock_update(void)
{
        if (test_mode)
                return;
        mono_us = read_clock(CLOCK_MONOTONIC);
        if (!have_offset) {
                offset_us = read_clock(CLOCK_REALTIME) - mono_us + shift_us();
                have_offset = true;
        }
}

void
clock_set_offset(int64_t store_us, int64_t at_mono_us)
{
        if (test_mode)
                return;
        offset_us = store_us - at_mono_us + shift_us();
        have_offset = true;
}

int64_t
clock_mono_us(void)
{
        if (mono_us == 0)
                clock_update();
        return mono_us;
}

int64_t
clock_now_us(void)
{
        return clock_mono_us() + offset_us;
}

int64_t
clock_now_ms(void)
{
        return clock_now_us() / 1000;
}

void
clock_test_set(int64_t now_us)
{
        test_mode = true;
        if (mono_us == 0)
                mono_us = 1000000;
        offset_us = now_us - mono_us;
        have_offset = true;
}

void
clock_test_advance(int64_t us)
{
        mono_us += us;
}

void
clock_format(int64_t us, char out[25])
{
        time_t s = (time_t)(us / 1000000);
        unsigned ms = (unsigned)(us / 1000 % 1000);
        struct tm tm;
        char day[32];

        gmtime_r(&s, &tm);
        if (us < 0 || tm.tm_year > 9999 - 1900) {
                strcpy(out, "1970-01-01T00:00:00.000Z");
                return;
        }
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(out, 25, "%.19s.%03uZ", day, ms % 1000);
}

static bool
parse_zone(const char *s, int *minutes)
{
        int h, m;
        char sign;

        *minutes = 0;
        if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
                return true;
        if (sscanf(s, "%c%2d:%2d", &sign, &h, &m) != 3 || (sign != '+' && sign != '-') ||
            strlen(s) != 6 || h > 23 || m > 59)
                return false;
        *minutes = (sign == '-' ? -1 : 1) * (h * 60 + m);
        return true;
}

bool
clock_parse(const char *s, int64_t *us)
{
        struct tm tm = {0};
        int64_t frac = 0, unit = 100000;
        int n = 0, zone;

        if (sscanf(s, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
                &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 ||
            n == 0)
                return false;
        if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
            tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
                return false;
        s += n;
        if (*s == '.')
                for (s++; isdigit((unsigned char)*s); s++, unit /= 10)
                        frac += (*s - '0') * unit;
        if (!parse_zone(s, &zone))
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        *us = ((int64_t)timegm(&tm) - zone * 60) * 1000000 + frac;
        return true;
}
