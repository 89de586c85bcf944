/*
 * Open hours: counting open time; see calendar.h. Pure but for the files of time zones.
 *
 * One walker finds the stretches of UTC that are open, forwards or backwards: within a
 * span in which the clock does not change, local minutes are UTC minutes. So an hour that
 * comes twice counts twice and one that is left out not at all, without a special case.
 *
 * Working days need local dates. `shown` is the latest local time that the wall has shown
 * by a moment: it never goes back (while an hour is repeated it stands still), and
 * zone_first_s() is its inverse. A moment counts from its place in open hours (the next
 * one, when closed), n working days move that place, and the moment at which the wall
 * first shows it is the end. Each of these is monotone, so calendar_after() is, and
 * calendar_back() takes the same steps the other way and is exact to the millisecond.
 */
#include "daemon/model/calendar.h"

#include <stdlib.h>

#include "daemon/base/zone.h"

#define MINUTE_MS 60000LL
#define DAY_MS 86400000LL
#define FIVE_YEARS_MS (1827 * DAY_MS)
#define FIVE_YEARS_DAYS 1827
#define FAR_MS (INT64_MAX / 4)
/* local and universal time are never further apart */
#define APART_MS (2 * DAY_MS)

static bool
is_always(const struct calendar *cal)
{
        return cal == NULL || cal->id[0] == '\0';
}

static int64_t
floor_div(int64_t a, int64_t b)
{
        return a / b - (a % b < 0);
}

/* ---- hours of a local date ---- */

static const struct open_span *
day_spans(const struct calendar *cal, int64_t day, size_t *n)
{
        size_t low = 0, high = cal->n_dates;
        int weekday = (int)((day % 7 + 10) % 7); /* 1970-01-01 was a Thursday */

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (cal->dates[mid].day < day)
                        low = mid + 1;
                else
                        high = mid;
        }
        if (low < cal->n_dates && cal->dates[low].day == day) {
                *n = cal->dates[low].n_spans;
                return cal->dates[low].spans;
        }
        *n = cal->n_week[weekday];
        return cal->week[weekday];
}

/* ---- the walker: stretches of UTC that are open ---- */

struct stretch { /* [from, until), within one span of the clock and one of the hours */
        int64_t from_ms, until_ms;
};

struct clock_span { /* so long the clock does not change, ms */
        int64_t from_ms, until_ms, offset_ms;
};

static struct clock_span
clock_at(const struct zone *z, int64_t at_ms)
{
        struct zone_span s = zone_span_at(z, floor_div(at_ms, 1000));

        return (struct clock_span){
            s.from_s < -FAR_MS / 1000 ? -FAR_MS : s.from_s * 1000,
            s.until_s > FAR_MS / 1000 ? FAR_MS : s.until_s * 1000,
            (int64_t)s.offset_s * 1000,
        };
}

/* What of the span of hours of that day lies in the clock's span. */
static bool
stretch_of(const struct clock_span *c, int64_t day, const struct open_span *s,
    struct stretch *out)
{
        out->from_ms = day * DAY_MS + s->from * MINUTE_MS - c->offset_ms;
        out->until_ms = day * DAY_MS + s->to * MINUTE_MS - c->offset_ms;
        if (out->from_ms < c->from_ms)
                out->from_ms = c->from_ms;
        if (out->until_ms > c->until_ms)
                out->until_ms = c->until_ms;
        return out->from_ms < out->until_ms;
}

/* The first open stretch that ends after `at`, if it begins by `limit`. */
static bool
stretch_next(const struct calendar *cal, const struct zone *z, int64_t at_ms,
    int64_t limit_ms, struct stretch *out)
{
        while (at_ms <= limit_ms) {
                struct clock_span c = clock_at(z, at_ms);
                int64_t day = floor_div(at_ms + c.offset_ms, DAY_MS);
                int64_t end_ms = c.until_ms <= limit_ms ? c.until_ms : limit_ms + 1;

                for (; day * DAY_MS - c.offset_ms < end_ms; day++) {
                        size_t n;
                        const struct open_span *s = day_spans(cal, day, &n);

                        for (size_t i = 0; i < n; i++)
                                if (stretch_of(&c, day, &s[i], out) &&
                                    out->until_ms > at_ms)
                                        return out->from_ms <= limit_ms;
                }
                at_ms = end_ms;
        }
        return false;
}

/* The last open stretch that begins before `at`, if it ends after `limit`. */
static bool
stretch_before(const struct calendar *cal, const struct zone *z, int64_t at_ms,
    int64_t limit_ms, struct stretch *out)
{
        while (at_ms > limit_ms) {
                struct clock_span c = clock_at(z, at_ms - 1);
                int64_t day = floor_div(at_ms - 1 + c.offset_ms, DAY_MS);
                int64_t end_ms = c.from_ms > limit_ms ? c.from_ms : limit_ms;

                for (; (day + 1) * DAY_MS - c.offset_ms > end_ms; day--) {
                        size_t n;
                        const struct open_span *s = day_spans(cal, day, &n);

                        for (size_t i = n; i-- > 0;)
                                if (stretch_of(&c, day, &s[i], out) &&
                                    out->from_ms < at_ms)
                                        return out->until_ms > limit_ms;
                }
                at_ms = end_ms;
        }
        return false;
}

bool
calendar_is_open(const struct calendar *cal, int64_t at_ms)
{
        struct stretch s;

        return is_always(cal) ||
               stretch_next(cal, zone_find(cal->zone), at_ms, at_ms, &s);
}

int64_t
calendar_between(const struct calendar *cal, int64_t from_ms, int64_t to_ms)
{
        const struct zone *z;
        struct stretch s;
        int64_t sum = 0;

        if (to_ms <= from_ms)
                return 0;
        if (is_always(cal))
                return to_ms - from_ms;
        z = zone_find(cal->zone);
        while (from_ms < to_ms && stretch_next(cal, z, from_ms, to_ms - 1, &s)) {
                int64_t begin = s.from_ms > from_ms ? s.from_ms : from_ms;
                int64_t end = s.until_ms < to_ms ? s.until_ms : to_ms;

                sum += end - begin;
                from_ms = end;
        }
        return sum;
}

int64_t
calendar_next_change(const struct calendar *cal, int64_t at_ms)
{
        const struct zone *z;
        struct stretch s;
        int64_t limit_ms = at_ms + FIVE_YEARS_MS;
        bool open = false;

        if (is_always(cal))
                return CALENDAR_NEVER;
        z = zone_find(cal->zone);
        for (int64_t t = at_ms; stretch_next(cal, z, t, limit_ms, &s); t = s.until_ms) {
                if (s.from_ms > t)
                        return open ? t : s.from_ms; /* a gap before it */
                open = true;
        }
        /* what is open to the end of what is looked at never closes */
        if (!open || s.until_ms > limit_ms)
                return CALENDAR_NEVER;
        return s.until_ms;
}

/* ---- hours ---- */

/* The first moment at which ms of open time have passed since from. */
static int64_t
hours_after(const struct calendar *cal, const struct zone *z, int64_t from_ms, int64_t ms,
    int64_t limit_ms)
{
        struct stretch s;

        if (ms <= 0)
                return from_ms;
        while (stretch_next(cal, z, from_ms, limit_ms, &s)) {
                int64_t begin = s.from_ms > from_ms ? s.from_ms : from_ms;

                if (ms <= s.until_ms - begin)
                        return begin + ms;
                ms -= s.until_ms - begin;
                from_ms = s.until_ms;
        }
        return CALENDAR_NEVER;
}

/* The latest moment from which ms of open time have passed by now. */
static int64_t
hours_back(const struct calendar *cal, const struct zone *z, int64_t now_ms, int64_t ms,
    int64_t limit_ms)
{
        struct stretch s;

        if (ms <= 0)
                return now_ms;
        while (stretch_before(cal, z, now_ms, limit_ms, &s)) {
                int64_t end = s.until_ms < now_ms ? s.until_ms : now_ms;

                if (ms <= end - s.from_ms)
                        return end - ms;
                ms -= end - s.from_ms;
                now_ms = s.from_ms;
        }
        return INT64_MIN;
}

/* ---- working days ---- */

struct days { /* what a walk over local dates needs */
        const struct calendar *cal;
        const struct zone *z;
};

/* The first moment at which the wall shows that local time or a later one, ms. */
static int64_t
first_shown(const struct zone *z, int64_t local_ms)
{
        int64_t local_s = floor_div(local_ms, 1000);
        int64_t utc_s = zone_first_s(z, local_s);

        if (utc_s + zone_span_at(z, utc_s).offset_s > local_s)
                return utc_s * 1000; /* the clock jumped over it */
        return utc_s * 1000 + (local_ms - local_s * 1000);
}

/* The latest local time that the wall has shown by that moment. */
static int64_t
shown(const struct zone *z, int64_t at_ms)
{
        struct clock_span c = clock_at(z, at_ms);
        int64_t latest = at_ms + c.offset_ms;

        /* what was shown before a clock went back */
        for (int64_t from = c.from_ms; from > at_ms - APART_MS;) {
                struct clock_span before = clock_at(z, from - 1);

                if (from - 1 + before.offset_ms > latest)
                        latest = from - 1 + before.offset_ms;
                from = before.from_ms;
        }
        return latest;
}

/* Has that local date open hours? Not one that the zone left out whole. */
static bool
day_works(const struct days *w, int64_t day)
{
        size_t n;
        int64_t from_ms, until_ms;

        day_spans(w->cal, day, &n);
        if (n == 0)
                return false;
        from_ms = first_shown(w->z, day * DAY_MS);
        until_ms = first_shown(w->z, (day + 1) * DAY_MS);
        return until_ms - from_ms == DAY_MS ||
               calendar_between(w->cal, from_ms, until_ms) > 0;
}

/* The n-th working day after (step 1) or before (-1) that day; false when it is too far. */
static bool
day_move(const struct days *w, int64_t *day, int n, int step)
{
        for (int walked = 0; n > 0; walked++) {
                if (walked > 2 * FIVE_YEARS_DAYS)
                        return false;
                *day += step;
                if (day_works(w, *day))
                        n--;
        }
        return true;
}

/* The first open place of the local times from there on. */
static bool
place_next(const struct days *w, int64_t local_ms, int64_t *out)
{
        int64_t day = floor_div(local_ms, DAY_MS);
        size_t n = 0;
        const struct open_span *s = NULL;

        if (day_works(w, day))
                s = day_spans(w->cal, day, &n);
        for (size_t i = 0; i < n; i++)
                if (day * DAY_MS + s[i].to * MINUTE_MS > local_ms) {
                        int64_t from = day * DAY_MS + s[i].from * MINUTE_MS;

                        *out = from > local_ms ? from : local_ms;
                        return true;
                }
        if (!day_move(w, &day, 1, 1))
                return false;
        s = day_spans(w->cal, day, &n);
        *out = day * DAY_MS + s[0].from * MINUTE_MS;
        return true;
}

/* The last open place of that working day by that time of day, ms; false: none. */
static bool
place_by(const struct days *w, int64_t day, int64_t time_ms, int64_t *out)
{
        size_t n;
        const struct open_span *s = day_spans(w->cal, day, &n);

        for (size_t i = n; i-- > 0;)
                if (s[i].from * MINUTE_MS <= time_ms) {
                        int64_t last = s[i].to * MINUTE_MS - 1;

                        *out = day * DAY_MS + (last < time_ms ? last : time_ms);
                        return true;
                }
        return false;
}

static int64_t
days_after(const struct days *w, int64_t from_ms, int n)
{
        int64_t place, day;

        if (n <= 0)
                return from_ms;
        if (!place_next(w, shown(w->z, from_ms), &place))
                return CALENDAR_NEVER;
        day = floor_div(place, DAY_MS);
        place -= day * DAY_MS;
        if (!day_move(w, &day, n, 1))
                return CALENDAR_NEVER;
        return first_shown(w->z, day * DAY_MS + place);
}

static int64_t
days_back(const struct days *w, int64_t now_ms, int n)
{
        int64_t local = shown(w->z, now_ms);
        int64_t day = floor_div(local, DAY_MS);
        int64_t time_ms = local - day * DAY_MS;
        int64_t place;

        if (n <= 0)
                return now_ms;
        if (!day_works(w, day)) {
                time_ms = DAY_MS;
                if (!day_move(w, &day, 1, -1))
                        return INT64_MIN;
        }
        if (!day_move(w, &day, n, -1))
                return INT64_MIN;
        if (!place_by(w, day, time_ms, &place) &&
            (!day_move(w, &day, 1, -1) || !place_by(w, day, DAY_MS, &place)))
                return INT64_MIN;
        /* the last moment at which the wall has not shown more than that place */
        return first_shown(w->z, place + 1) - 1;
}

/* ---- both ---- */

static int64_t
real_ms(struct open_time t)
{
        int64_t ms = t.days * DAY_MS + (t.ms > 0 ? t.ms : 0);

        return ms > FAR_MS || t.ms > FAR_MS ? FAR_MS : ms;
}

int64_t
calendar_after(const struct calendar *cal, int64_t from_ms, struct open_time t)
{
        struct days w;
        int64_t at_ms;

        if (is_always(cal))
                return from_ms + real_ms(t);
        w = (struct days){cal, zone_find(cal->zone)};
        at_ms = days_after(&w, from_ms, t.days);
        if (at_ms != CALENDAR_NEVER)
                at_ms = hours_after(cal, w.z, at_ms, t.ms, from_ms + FIVE_YEARS_MS);
        return at_ms == CALENDAR_NEVER || at_ms - from_ms > FIVE_YEARS_MS ? CALENDAR_NEVER
                                                                          : at_ms;
}

int64_t
calendar_back(const struct calendar *cal, int64_t now_ms, struct open_time t)
{
        struct days w;
        int64_t at_ms;

        if (is_always(cal))
                return now_ms - real_ms(t);
        w = (struct days){cal, zone_find(cal->zone)};
        at_ms = hours_back(cal, w.z, now_ms, t.ms, now_ms - FIVE_YEARS_MS);
        if (at_ms != INT64_MIN)
                at_ms = days_back(&w, at_ms, t.days);
        return at_ms == INT64_MIN || now_ms - at_ms > FIVE_YEARS_MS ? INT64_MIN : at_ms;
}
