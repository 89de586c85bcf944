/*
 * The files of tzdata (RFC 8536) and the rules at their end (POSIX TZ), made into one list
 * of changes of the clock. Hostile bytes are an error, never more.
 *
 * A rule is laid out year by year as far as LAST_YEAR, so that asking is one search in one
 * list. Leap seconds are not counted: a "right/" zone is refused.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/arena.h"
#include "daemon/base/zone.h"
#include "daemon/base/zone_impl.h"

#define FILE_MAX_LEN (256u * 1024)
#define RULE_MAX_LEN 256
#define LAST_YEAR 2199
#define OFFSET_MAX_S (26 * 3600)
#define DAY_S 86400

struct zone *
zone_new(const char *name)
{
        struct zone *z = xcalloc(1, sizeof *z);

        z->name = xstrdup(name);
        return z;
}

void
zone_add_change(struct zone *z, int64_t at_s, int32_t offset_s)
{
        if ((z->n_changes & (z->n_changes - 1)) == 0) {
                size_t room = z->n_changes == 0 ? 1 : z->n_changes * 2;

                z->changes = xrealloc(z->changes, room * sizeof *z->changes);
        }
        z->changes[z->n_changes++] = (struct zone_change){at_s, offset_s};
}

char *
zone_file_read(const char *path, size_t *n)
{
        FILE *f = fopen(path, "rbe");
        char *bytes;

        if (f == NULL)
                return NULL;
        bytes = xcalloc(1, FILE_MAX_LEN + 1);
        *n = fread(bytes, 1, FILE_MAX_LEN + 1, f);
        if (ferror(f) || *n > FILE_MAX_LEN) {
                free(bytes);
                bytes = NULL;
        }
        fclose(f);
        return bytes;
}

/* ---- POSIX rules ---- */

struct rule_day { /* when the clock changes in a year */
        enum { DAY_MONTH, DAY_JULIAN, DAY_OF_YEAR } kind;
        int month, week, weekday; /* M3.5.0: the last Sunday of March */
        int day; /* J60 (never 29 February), or 59 counted from 0 */
        int32_t time_s; /* on the wall; may be negative or beyond a day */
};
struct rule {
        int32_t standard_s, daylight_s; /* from UTC */
        bool has_daylight;
        struct rule_day start, end;
};

static bool
rule_number(const char **p, int max, int *out)
{
        long v = 0;

        if (!isdigit((unsigned char)**p))
                return false;
        for (; isdigit((unsigned char)**p); (*p)++)
                if ((v = v * 10 + (**p - '0')) > max)
                        return false;
        *out = (int)v;
        return true;
}

static bool
rule_name(const char **p)
{
        const char *from = *p;

        if (**p == '<') {
                size_t n = strcspn(from, ">");

                if (from[n] == '\0')
                        return false;
                *p += n + 1;
                return n > 3;
        }
        while (isalpha((unsigned char)**p))
                (*p)++;
        return *p - from >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool
rule_time(const char **p, int max_hours, int32_t *out)
{
        int part[3] = {0, 0, 0};
        int sign = **p == '-' ? -1 : 1;

        if (**p == '-' || **p == '+')
                (*p)++;
        if (!rule_number(p, max_hours, &part[0]))
                return false;
        for (int i = 1; i < 3 && **p == ':'; i++) {
                (*p)++;
                if (!rule_number(p, 59, &part[i]))
                        return false;
        }
        *out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
        return true;
}

static bool
rule_month_day(const char **p, struct rule_day *d)
{
        d->kind = DAY_MONTH;
        if (!rule_number(p, 12, &d->month) || d->month == 0 || *(*p)++ != '.')
                return false;
        if (!rule_number(p, 5, &d->week) || d->week == 0 || *(*p)++ != '.')
                return false;
        return rule_number(p, 6, &d->weekday);
}

static bool
rule_day(const char **p, struct rule_day *d)
{
        bool good;

        if (*(*p)++ != ',')
                return false;
        d->time_s = 2 * 3600;
        if (**p == 'M') {
                (*p)++;
                good = rule_month_day(p, d);
        } else if (**p == 'J') {
                (*p)++;
                d->kind = DAY_JULIAN;
                good = rule_number(p, 365, &d->day) && d->day > 0;
        } else {
                d->kind = DAY_OF_YEAR;
                good = rule_number(p, 365, &d->day);
        }
        if (good && **p == '/') {
                (*p)++;
                good = rule_time(p, 167, &d->time_s);
        }
        return good;
}

static bool
rule_read(const char *p, struct rule *r)
{
        int32_t west_s;

        memset(r, 0, sizeof *r);
        if (!rule_name(&p) || !rule_time(&p, 24, &west_s))
                return false;
        r->standard_s = -west_s;
        if (*p == '\0')
                return true;
        r->has_daylight = true;
        r->daylight_s = r->standard_s + 3600;
        if (!rule_name(&p))
                return false;
        if (*p != ',' && *p != '\0') {
                if (!rule_time(&p, 24, &west_s))
                        return false;
                r->daylight_s = -west_s;
        }
        return rule_day(&p, &r->start) && rule_day(&p, &r->end) && *p == '\0';
}

static bool
year_is_leap(int year)
{
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the year's first. */
static int64_t
year_day(int year)
{
        int64_t y = year - 1;

        return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

/* The first day of each month, from the year's first day. */
static int
month_day(int year, int month)
{
        static const int first[] = {
            0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

        return first[month - 1] + (month > 2 && year_is_leap(year) ? 1 : 0);
}

/* Local seconds (as if they were UTC) of that change in that year. */
static int64_t
rule_local(const struct rule_day *d, int year)
{
        int64_t day = year_day(year);

        if (d->kind == DAY_OF_YEAR) {
                day += d->day;
        } else if (d->kind == DAY_JULIAN) {
                day += d->day - 1 + (d->day > 59 && year_is_leap(year) ? 1 : 0);
        } else {
                int64_t first = day + month_day(year, d->month);
                int64_t next = d->month == 12 ? day + 365 + year_is_leap(year)
                                              : day + month_day(year, d->month + 1);
                /* 1970-01-01 was a Thursday */
                int weekday = (int)((first + 4) % 7 + 7) % 7;

                day = first + (d->weekday - weekday + 7) % 7 + (d->week - 1) * 7;
                if (day >= next)
                        day -= 7;
        }
        return day * DAY_S + d->time_s;
}

/* What the rule does after the last change that is listed. */
static void
rule_lay_out(struct zone *z, const struct rule *r)
{
        int64_t last_s =
            z->n_changes == 0 ? INT64_MIN : z->changes[z->n_changes - 1].at_s;

        if (!r->has_daylight) {
                if (z->n_changes == 0)
                        z->first_offset_s = r->standard_s;
                return;
        }
        if (z->n_changes == 0)
                z->first_offset_s = r->standard_s;
        for (int year = 1970; year <= LAST_YEAR; year++) {
                struct zone_change c[2] = {
                    {rule_local(&r->start, year) - r->standard_s, r->daylight_s},
                    {rule_local(&r->end, year) - r->daylight_s, r->standard_s},
                };
                int first = c[0].at_s <= c[1].at_s ? 0 : 1;

                for (int i = 0; i < 2; i++) {
                        const struct zone_change *x = &c[first ^ i];

                        if (x->at_s > last_s &&
                            (z->n_changes == 0 ||
                                x->at_s >= z->changes[z->n_changes - 1].at_s))
                                zone_add_change(z, x->at_s, x->offset_s);
                }
        }
}

struct zone *
zone_parse_rule(const char *rule, struct err *err)
{
        struct rule r;
        struct zone *z;

        if (!rule_read(rule, &r)) {
                err_set(err, ERR_REJECT, "'%.60s' is no rule of a time zone", rule);
                return NULL;
        }
        z = zone_new("");
        rule_lay_out(z, &r);
        return z;
}

/* ---- files ---- */

struct tz_head { /* counts of a header, RFC 8536 section 3.1 */
        int version;
        uint32_t n_isut, n_isstd, n_leap, n_times, n_types, n_chars;
};

static uint32_t
be32(const uint8_t *p)
{
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t
be64(const uint8_t *p)
{
        return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

#define HEAD_LEN 44u

static bool
head_read(const uint8_t *p, size_t n, struct tz_head *h)
{
        uint32_t *counts[] = {
            &h->n_isut, &h->n_isstd, &h->n_leap, &h->n_times, &h->n_types, &h->n_chars};

        if (n < HEAD_LEN || memcmp(p, "TZif", 4) != 0)
                return false;
        h->version = p[4] == '\0' ? 1 : p[4] - '0';
        for (size_t i = 0; i < 6; i++) {
                *counts[i] = be32(p + 20 + 4 * i);
                if (*counts[i] > FILE_MAX_LEN)
                        return false;
        }
        return true;
}

/* Bytes of the block after a header whose times have that width. */
static size_t
block_len(const struct tz_head *h, size_t width)
{
        return h->n_times * (width + 1) + h->n_types * 6u + h->n_chars +
               h->n_leap * (width + 4) + h->n_isstd + h->n_isut;
}

static bool
block_read(struct zone *z, const uint8_t *p, const struct tz_head *h, size_t width)
{
        const uint8_t *kinds = p + h->n_times * width;
        const uint8_t *types = kinds + h->n_times;

        if (h->n_types == 0 || h->n_leap != 0)
                return false;
        for (uint32_t i = 0; i < h->n_types; i++) {
                int32_t offset_s = (int32_t)be32(types + i * 6u);

                if (offset_s < -OFFSET_MAX_S || offset_s > OFFSET_MAX_S)
                        return false;
        }
        z->first_offset_s = (int32_t)be32(types);
        for (uint32_t i = 0; i < h->n_times; i++) {
                const uint8_t *t = p + i * width;
                int64_t at_s = width == 8 ? be64(t) : (int32_t)be32(t);

                if (kinds[i] >= h->n_types ||
                    (z->n_changes > 0 && at_s <= z->changes[z->n_changes - 1].at_s))
                        return false;
                zone_add_change(z, at_s, (int32_t)be32(types + kinds[i] * 6u));
        }
        return true;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n" */
static bool
foot_read(struct zone *z, const uint8_t *p, size_t n)
{
        char text[RULE_MAX_LEN];
        const uint8_t *end;
        struct rule r;

        if (n < 2 || p[0] != '\n' || (end = memchr(p + 1, '\n', n - 1)) == NULL)
                return false;
        n = (size_t)(end - p) - 1;
        if (n == 0)
                return true; /* nothing is known of the future */
        if (n >= sizeof text)
                return false;
        memcpy(text, p + 1, n);
        text[n] = '\0';
        if (strlen(text) != n || !rule_read(text, &r))
                return false;
        rule_lay_out(z, &r);
        return true;
}

static bool
file_read(struct zone *z, const uint8_t *p, size_t n)
{
        struct tz_head h;
        size_t len;

        if (!head_read(p, n, &h) || (len = block_len(&h, 4)) > n - HEAD_LEN)
                return false;
        if (h.version < 2)
                return block_read(z, p + HEAD_LEN, &h, 4);
        p += HEAD_LEN + len;
        n -= HEAD_LEN + len;
        if (!head_read(p, n, &h) || (len = block_len(&h, 8)) > n - HEAD_LEN)
                return false;
        return block_read(z, p + HEAD_LEN, &h, 8) &&
               foot_read(z, p + HEAD_LEN + len, n - HEAD_LEN - len);
}

struct zone *
zone_parse(const void *p, size_t n, struct err *err)
{
        struct zone *z = zone_new("");

        if (!file_read(z, p, n)) {
                err_set(err, ERR_REJECT, "these bytes are no time zone of tzdata");
                zone_free(&z);
        }
        return z;
}
