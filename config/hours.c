/*
 * Open hours and promises: `hours office { mon-fri 09:00-18:00 }`, `promise standard { … }`;
 * see build.h. A calendar is sealed when all is read, for the desk's time zone may stand
 * behind it; from then on it is complete in itself.
 */
#include "config/hours.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_YEAR 1970
#define LAST_YEAR 2199
#define DAY_MINUTES 1440

/* ---- days and dates ---- */

static int
weekday_read(const char *s, size_t n)
{
        static const char names[] = "montuewedthufrisatsun";

        for (int i = 0; i < 7 && n == 3; i++)
                if (strncmp(names + (size_t)i * 3, s, 3) == 0)
                        return i;
        return -1;
}

bool
days_read(const char *s, unsigned *days)
{
        size_t n = strcspn(s, "-");
        int from = weekday_read(s, n);
        int to = s[n] == '-' ? weekday_read(s + n + 1, strlen(s + n + 1)) : from;

        *days = 0;
        if (from < 0 || to < 0)
                return false;
        for (int i = from;; i = (i + 1) % 7) {
                *days |= 1u << i;
                if (i == to)
                        return true;
        }
}

static int
month_days(int year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

int32_t
date_day(int year, int month, int day)
{
        int y = year - 1;
        int32_t n = y * 365 + y / 4 - y / 100 + y / 400 - 719162;

        for (int m = 1; m < month; m++)
                n += month_days(year, m);
        return n + day - 1;
}

bool
date_read(const char *s, int32_t *day)
{
        int year, month, d, end = 0;

        if (strlen(s) != 10 || strspn(s, "0123456789-") != 10 ||
            sscanf(s, "%4d-%2d-%2d%n", &year, &month, &d, &end) != 3 || end != 10)
                return false;
        if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || d < 1 ||
            d > month_days(year, month))
                return false;
        *day = date_day(year, month, d);
        return true;
}

static const char *
date_shown(struct arena *a, int32_t day)
{
        int year = FIRST_YEAR, month = 1;

        while (date_day(year + 1, 1, 1) <= day)
                year++;
        while (month < 12 && date_day(year, month + 1, 1) <= day)
                month++;
        return arena_printf(
            a, "%04d-%02d-%02d", year, month, day - date_day(year, month, 1) + 1);
}

/* ---- spans ---- */

/* "09:00" or "24:00"; goes behind it. */
static bool
minute_read(const char **p, unsigned *out)
{
        unsigned hour = 0, minute = 0;
        size_t n = strspn(*p, "0123456789");

        if (n < 1 || n > 2 || (*p)[n] != ':' || strspn(*p + n + 1, "0123456789") != 2)
                return false;
        hour = (unsigned)atoi(*p);
        minute = (unsigned)atoi(*p + n + 1);
        *p += n + 3;
        *out = hour * 60 + minute;
        return minute < 60 && *out <= DAY_MINUTES;
}

static bool
span_read(struct build *b, const struct sentence *s, const struct value *v,
    struct open_span *out)
{
        const char *p = v->text;
        unsigned from, to;

        if (!minute_read(&p, &from) || *p++ != '-' || !minute_read(&p, &to) ||
            *p != '\0') {
                value_wrong(b, s, v);
                report_advice(b->report, "like 09:00-18:00");
                return false;
        }
        if (from >= to) {
                report_error(b->report, v->at, "'%s' ends before it begins", v->text);
                report_advice(b->report,
                    "over midnight: up to 24:00, and from 00:00 on the day after");
                return false;
        }
        *out = (struct open_span){(uint16_t)from, (uint16_t)to};
        return true;
}

/* Sorted, those that touch made one; false when two overlap. */
static bool
span_insert(struct open_span *spans, size_t *n, struct open_span new)
{
        size_t i = *n;

        for (; i > 0 && spans[i - 1].from > new.from; i--)
                spans[i] = spans[i - 1];
        spans[i] = new;
        ++*n;
        for (size_t k = 1; k < *n; k++)
                if (spans[k].from < spans[k - 1].to)
                        return false;
        return true;
}

static void
spans_join(struct open_span *spans, size_t *n)
{
        size_t kept = 0;

        for (size_t i = 0; i < *n; i++)
                if (kept > 0 && spans[kept - 1].to == spans[i].from)
                        spans[kept - 1].to = spans[i].to;
                else
                        spans[kept++] = spans[i];
        *n = kept;
}

/* Spans, or `closed`, from value i on. */
static bool
spans_read(struct build *b, const struct sentence *s, size_t i,
    const struct open_span **out, size_t *n)
{
        struct open_span *spans = arena_alloc(b->a, (s->n_values + 1) * sizeof *spans);

        *out = spans;
        *n = 0;
        if (i >= s->n_values) {
                value_missing(b, s);
                return false;
        }
        if (value_at_is(s, i, "closed")) {
                if (i + 1 < s->n_values)
                        value_surplus(b, s, &s->values[i + 1]);
                return i + 1 == s->n_values;
        }
        for (; i < s->n_values; i++) {
                struct open_span span;

                if (!span_read(b, s, &s->values[i], &span))
                        return false;
                if (*n >= CALENDAR_MAX_SPANS) {
                        report_error(b->report, s->values[i].at,
                            "more than %d spans of a day", CALENDAR_MAX_SPANS);
                        return false;
                }
                if (!span_insert(spans, n, span)) {
                        report_error(b->report, s->values[i].at,
                            "'%s' overlaps another span of the day", s->values[i].text);
                        return false;
                }
        }
        spans_join(spans, n);
        return true;
}

/* ---- sentences of the block ---- */

/* `mon-fri 09:00-13:00 14:00-18:00`, `mon wed 09:00-13:00`, `sun closed` */
static void
days_build(struct build *b, const struct sentence *s, struct hours_build *h)
{
        const struct open_span *spans;
        unsigned days = 0, more;
        size_t i = 0, n;

        days_read(s->name, &days);
        for (; i < s->n_values && days_read(s->values[i].text, &more); i++)
                days |= more;
        if (!spans_read(b, s, i, &spans, &n))
                return;
        for (int d = 0; d < 7; d++) {
                if ((days & 1u << d) == 0)
                        continue;
                if (h->week_at[d].source != NULL) {
                        static const char *const names[] = {
                            "mon", "tue", "wed", "thu", "fri", "sat", "sun"};

                        report_error(b->report, s->at, "'%s' stands twice", names[d]);
                        report_advice(b->report, "first on %s",
                            place_name(h->week_at[d], s->at.source, b->a));
                        return;
                }
                h->week_at[d] = s->at;
                h->calendar.week[d] = spans;
                h->calendar.n_week[d] = n;
        }
}

void
hours_add_date(struct build *b, struct hours_build *h, struct date_build date)
{
        if (h->n_dates >= CALENDAR_MAX_DATES) {
                if (!h->told_many)
                        report_error(
                            b->report, date.at, "more than %d dates", CALENDAR_MAX_DATES);
                h->told_many = true;
                return;
        }
        h->dates = arena_grow(b->a, h->dates, h->n_dates, sizeof *h->dates);
        h->dates[h->n_dates++] = date;
}

static bool
date_wrong(struct build *b, struct place at, const char *text)
{
        report_error(b->report, at, "'%s' is no date", word_shown(b->a, text));
        report_advice(b->report, "year-month-day, like 2026-12-31");
        return false;
}

/* `2025-11-01 09:00-13:00`, `2026-12-31 .. 2027-01-10 closed` */
static void
date_build(struct build *b, const struct sentence *s, struct hours_build *h)
{
        struct date_build date = {.rank = DATE_SINGLE, .at = s->at};
        int32_t from, to;
        size_t i = 0;

        if (!date_read(s->name, &from)) {
                date_wrong(b, s->at, s->name);
                return;
        }
        to = from;
        if (value_at_is(s, 0, "..")) {
                if (s->n_values < 2) {
                        report_error(b->report, place_after(s->values[0].at),
                            "the last date is missing");
                        return;
                }
                if (!date_read(s->values[1].text, &to)) {
                        date_wrong(b, s->values[1].at, s->values[1].text);
                        return;
                }
                if (to < from) {
                        report_error(b->report, s->values[1].at, "'%s' is before '%s'",
                            s->values[1].text, s->name);
                        return;
                }
                date.rank = DATE_RANGE;
                i = 2;
        }
        if (!spans_read(b, s, i, &date.spans, &date.n_spans))
                return;
        for (date.day = from; date.day <= to && !h->told_many; date.day++)
                hours_add_date(b, h, date);
}

/* ---- the whole block ---- */

static int
date_compare(const void *a, const void *b)
{
        const struct date_build *x = a, *y = b;

        if (x->day != y->day)
                return (x->day > y->day) - (x->day < y->day);
        if (x->rank != y->rank)
                return x->rank < y->rank ? 1 : -1;
        return (x->at.at > y->at.at) - (x->at.at < y->at.at);
}

/* Of several words on one date the strongest; two of one strength are a mistake. */
static void
dates_finish(struct build *b, struct hours_build *h, struct calendar *c)
{
        struct calendar_date *dates = arena_alloc(b->a, (h->n_dates + 1) * sizeof *dates);
        bool told = false;

        if (h->n_dates > 0)
                qsort(h->dates, h->n_dates, sizeof *h->dates, date_compare);
        for (size_t i = 0; i < h->n_dates; i++) {
                const struct date_build *d = &h->dates[i];
                const struct date_build *first = i == 0 ? d : d - 1;

                if (i == 0 || first->day != d->day) {
                        dates[c->n_dates++] =
                            (struct calendar_date){d->day, d->spans, d->n_spans};
                } else if (d->rank == first->rank && d->rank != DATE_HOLIDAY && !told) {
                        report_error(b->report, d->at, "'%s' stands twice",
                            date_shown(b->a, d->day));
                        report_advice(b->report, "first on %s",
                            place_name(first->at, d->at.source, b->a));
                        told = true; /* of two ranges all days do */
                }
        }
        c->dates = dates;
}

static bool
is_ever_open(const struct calendar *c)
{
        for (int i = 0; i < 7; i++)
                if (c->n_week[i] > 0)
                        return true;
        for (size_t i = 0; i < c->n_dates; i++)
                if (c->dates[i].n_spans > 0)
                        return true;
        return false;
}

static void
hours_block(struct build *b, const struct sentence *s)
{
        const struct name *n = names_find(&b->hours, s->values[0].text);
        struct hours_build h = {.calendar = {.zone = ""}};
        struct calendar *c = &b->c->hours[n->index].calendar;
        unsigned before = report_n_errors(b->report);

        if (s->n_values > 1)
                value_surplus(b, s, &s->values[1]);
        if (s->block == NULL) {
                report_error(b->report, s->values[0].at, "'%s' has no hours", n->text);
                report_advice(b->report, "hours %s { mon-fri 09:00-18:00 }", n->text);
                return;
        }
        build_block(b, s->block, &h);
        *c = h.calendar;
        dates_finish(b, &h, c);
        if (report_n_errors(b->report) == before && !s->bad && !is_ever_open(c)) {
                report_error(b->report, s->at, "'%s' is never open", n->text);
                report_advice(b->report, "mon-fri 09:00-18:00");
        }
}

static void
promise_block(struct build *b, const struct sentence *s)
{
        const struct name *n = names_find(&b->promises, s->values[0].text);
        struct promise_build p = {.promise = {.name = n->text}, .hours = ""};
        struct promise_options *out = &b->c->promises[n->index];
        const struct name *hours;
        unsigned before = report_n_errors(b->report);

        value_defaults(b, BLOCK_PROMISE, &p);
        if (s->n_values > 1)
                value_surplus(b, s, &s->values[1]);
        if (s->block != NULL)
                build_block(b, s->block, &p);
        *out = p.promise;
        out->name = n->text;
        hours = names_find(&b->hours, p.hours);
        if (hours != NULL && hours->index > 0)
                out->hours = &b->c->hours[hours->index];
        if (!s->bad && report_n_errors(b->report) == before &&
            out->first_response.days == 0 && out->first_response.ms == 0 &&
            out->next_response.days == 0 && out->next_response.ms == 0 &&
            out->resolution.days == 0 && out->resolution.ms == 0) {
                report_warning(b->report, s->at, "'%s' promises nothing", n->text);
                report_advice(b->report, "first-response 1h");
        }
}

void
hours_sentence(struct build *b, const struct sentence *s, void *target)
{
        switch (s->option->type) {
        case TYPE_HOURS:
                hours_block(b, s);
                break;
        case TYPE_PROMISE:
                promise_block(b, s);
                break;
        case TYPE_DAYS:
                days_build(b, s, target);
                break;
        case TYPE_DATE:
                date_build(b, s, target);
                break;
        case TYPE_HOLIDAYS:
                holidays_build(b, s, target);
                break;
        default:
                break;
        }
}

void
hours_declared(struct build *b)
{
        struct config *c = b->c;

        c->n_hours = b->hours.n;
        c->hours = arena_alloc(b->a, c->n_hours * sizeof *c->hours);
        for (size_t i = 0; i < c->n_hours; i++)
                c->hours[i] = (struct hours_options){
                    b->hours.items[i].text, {.text = "", .zone = ""}};
        c->n_promises = b->promises.n;
        c->promises = arena_alloc(b->a, (c->n_promises + 1) * sizeof *c->promises);
        for (size_t i = 0; i < c->n_promises; i++)
                c->promises[i].name = b->promises.items[i].text;
}

/* The first, `always`, has no document. */
void
hours_finish(struct build *b)
{
        struct config *c = b->c;

        for (size_t i = 1; i < c->n_hours; i++) {
                if (c->hours[i].calendar.zone[0] == '\0')
                        c->hours[i].calendar.zone = c->timezone;
                calendar_seal(&c->hours[i].calendar, b->a);
        }
}
