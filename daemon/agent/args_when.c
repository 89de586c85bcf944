/*
 * Moments and skills as people write them in commands. Pure.
 *
 * What names no zone is meant on the desk's own wall clock; of an hour that comes twice
 * the first is meant, one that is left out means its end.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/zone.h"

#define DAY_S 86400

/* Days from 1970-01-01 of a date of the usual calendar. */
static int64_t
date_days(int y, int m, int d)
{
        int64_t yoe, doy, era;

        y -= m <= 2;
        era = y / 400;
        yoe = y - era * 400;
        doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
        return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Exactly n digits at *s, and past them. -1: there are fewer. */
static int
digits(const char **s, int n)
{
        int v = 0;

        for (; n > 0; n--, (*s)++) {
                if (!isdigit((unsigned char)**s))
                        return -1;
                v = v * 10 + (**s - '0');
        }
        return v;
}

static bool
date_parse(const char **s, int64_t *days)
{
        static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        int y = digits(s, 4), m, d;

        if (y < 1971 || *(*s)++ != '-')
                return false;
        m = digits(s, 2);
        if (m < 1 || m > 12 || *(*s)++ != '-')
                return false;
        d = digits(s, 2);
        if (d < 1 || d > month_days[m - 1] ||
            (m == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0))))
                return false;
        *days = date_days(y, m, d);
        return true;
}

/* "15:00" or "15:00:30", to the end. */
static bool
clock_time_parse(const char *s, int *seconds)
{
        int h = digits(&s, 2), m, sec = 0;

        if (h < 0 || h > 23 || *s++ != ':')
                return false;
        m = digits(&s, 2);
        if (m < 0 || m > 59)
                return false;
        if (*s == ':') {
                s++;
                sec = digits(&s, 2);
                if (sec < 0 || sec > 59)
                        return false;
        }
        *seconds = h * 3600 + m * 60 + sec;
        return *s == '\0';
}

static int64_t
wall_ms(const char *zone, int64_t days, int seconds)
{
        return zone_first_s(zone_find(zone), days * DAY_S + seconds) * 1000;
}

/* The next time at which the wall shows it. */
static int64_t
next_time_ms(const char *zone, int seconds, int64_t now_ms)
{
        int64_t now_s = now_ms / 1000;
        int64_t local_s = now_s + zone_span_at(zone_find(zone), now_s).offset_s;
        int64_t days = local_s / DAY_S;
        int64_t at_ms = wall_ms(zone, days, seconds);

        return at_ms > now_ms ? at_ms : wall_ms(zone, days + 1, seconds);
}

bool
time_parse(
    const char *s, const char *zone, bool with_duration, int64_t now_ms, int64_t *ms)
{
        int64_t us, days, span;
        int seconds = 0;

        if (strcmp(s, "now") == 0) {
                *ms = now_ms;
                return true;
        }
        if (with_duration && duration_parse(s, &span)) {
                *ms = now_ms + span;
                return true;
        }
        if (clock_time_parse(s, &seconds)) {
                *ms = next_time_ms(zone, seconds, now_ms);
                return true;
        }
        if (clock_parse(s, &us)) {
                *ms = us / 1000;
                return *ms > 0;
        }
        if (!date_parse(&s, &days))
                return false;
        if (*s != '\0' &&
            ((*s != ' ' && *s != 'T') || !clock_time_parse(s + 1, &seconds)))
                return false;
        *ms = wall_ms(zone, days, seconds);
        return true;
}

bool
skill_parse(const char *s, size_t *name_len, unsigned *level)
{
        const char *colon = strrchr(s, ':');
        char *end;
        long n;

        if (colon == NULL || colon == s || !isdigit((unsigned char)colon[1]))
                return false;
        n = strtol(colon + 1, &end, 10);
        *name_len = (size_t)(colon - s);
        *level = (unsigned)n;
        return *end == '\0' && end - colon <= 3 && n <= 10;
}

int64_t
call_time(const struct call *c, const char *name, int64_t otherwise)
{
        const struct arg_value *v = call_value(c, name);
        int64_t ms;

        if (v == NULL)
                return otherwise;
        if (!time_parse(v->s, c->agents->desk->config->timezone,
                v->spec->type == ARG_WHEN, clock_now_ms(), &ms))
                return otherwise;
        return ms;
}
