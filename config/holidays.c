/*
 * Holidays from an iCalendar file (RFC 5545), read by libical: each event of whole days
 * closes them. What repeats does so by the year and is laid out for the years around now,
 * so a calendar stays plain dates; a reload moves that window.
 *
 * libical knows no lines: its n-th event is the n-th BEGIN:VEVENT of the text.
 */
#include "config/hours.h"

#include <ctype.h>
#include <libical/ical.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define EVENTS_MAX 10000u
#define EVENT_DAYS_MAX 366
#define REPEATS_MAX 20000
#define YEARS_BEFORE 1
#define YEARS_AFTER 6
#define FIRST_YEAR 1970
#define LAST_YEAR 2199

struct holidays { /* one file while it is read */
        struct build *b;
        struct hours_build *h;
        const struct source *source;
        size_t n_events; /* seen so far */
        size_t next_line; /* where to look for the next event */
        int first_year, last_year; /* what repeats is laid out for */
};

/* The place of the next BEGIN:VEVENT. */
static struct place
next_event(struct holidays *r)
{
        static const char begin[] = "BEGIN:VEVENT";
        const struct source *s = r->source;

        for (; r->next_line < s->n_lines; r->next_line++) {
                const char *line = s->text + s->line_at[r->next_line];

                if (strncasecmp(line, begin, sizeof begin - 1) == 0)
                        return (struct place){
                            s, s->line_at[r->next_line++], sizeof begin - 1};
        }
        return (struct place){s, 0, 0};
}

static int32_t
day_of(struct icaltimetype t)
{
        return date_day(t.year, t.month, t.day);
}

static bool
is_excepted(icalcomponent *event, int32_t day)
{
        icalproperty *p = icalcomponent_get_first_property(event, ICAL_EXDATE_PROPERTY);

        for (; p != NULL;
             p = icalcomponent_get_next_property(event, ICAL_EXDATE_PROPERTY)) {
                struct icaltimetype t = icalproperty_get_exdate(p);

                if (!icaltime_is_null_time(t) && day_of(t) == day)
                        return true;
        }
        return false;
}

static void
days_add(struct holidays *r, struct place at, int32_t day, int32_t n)
{
        for (int32_t i = 0; i < n && !r->h->told_many; i++)
                hours_add_date(r->b, r->h,
                    (struct date_build){.day = day + i, .rank = DATE_HOLIDAY, .at = at});
}

static void
repeats_add(struct holidays *r, icalcomponent *event, struct place at,
    struct icaltimetype start, int32_t n, struct icalrecurrencetype rule)
{
        icalrecur_iterator *it = icalrecur_iterator_new(rule, start);

        for (int i = 0; it != NULL && i < REPEATS_MAX; i++) {
                struct icaltimetype t = icalrecur_iterator_next(it);

                if (icaltime_is_null_time(t) || t.year > r->last_year)
                        break;
                if (t.year >= r->first_year && !is_excepted(event, day_of(t)))
                        days_add(r, at, day_of(t), n);
        }
        icalrecur_iterator_free(it);
}

static bool
year_is_good(struct icaltimetype t)
{
        return !icaltime_is_null_time(t) && t.year >= FIRST_YEAR && t.year <= LAST_YEAR &&
               t.month >= 1 && t.month <= 12 && t.day >= 1 &&
               t.day <= icaltime_days_in_month(t.month, t.year);
}

static void
event_wrong(struct holidays *r, struct place at, const char *what, const char *advice)
{
        report_error(r->b->report, at, "%s", what);
        report_advice(r->b->report, "%s", advice);
}

static void
event_read(struct holidays *r, icalcomponent *event)
{
        struct place at = next_event(r);
        struct icaltimetype start = icalcomponent_get_dtstart(event);
        struct icaltimetype end = icalcomponent_get_dtend(event);
        icalproperty *rule = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
        int32_t n = 1;

        if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED)
                return;
        if (!year_is_good(start)) {
                event_wrong(r, at, "this event has no day of the years 1970 to 2199",
                    "DTSTART;VALUE=DATE:20261231");
                return;
        }
        if (!start.is_date) {
                report_warning(r->b->report, at,
                    "this event is not of whole days: it closes nothing");
                report_advice(r->b->report, "DTSTART;VALUE=DATE:%04d%02d%02d", start.year,
                    start.month, start.day);
                return;
        }
        if (!icaltime_is_null_time(end) && year_is_good(end))
                n = day_of(end) - day_of(start);
        if (n <= 0)
                n = 1; /* without an end, or one at its begin: that day */
        if (n > EVENT_DAYS_MAX) {
                event_wrong(r, at, "this event is longer than a year",
                    "DTEND is the first day that is no holiday");
                return;
        }
        if (rule == NULL) {
                days_add(r, at, day_of(start), n);
        } else {
                struct icalrecurrencetype rec = icalproperty_get_rrule(rule);

                if (rec.freq != ICAL_YEARLY_RECURRENCE)
                        event_wrong(r, at, "a holiday can repeat by the year only",
                            "RRULE:FREQ=YEARLY");
                else
                        repeats_add(r, event, at, start, n, rec);
        }
}

static void
calendar_read(struct holidays *r, icalcomponent *calendar)
{
        icalcomponent *e =
            icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);

        for (; e != NULL && r->n_events < EVENTS_MAX; r->n_events++) {
                event_read(r, e);
                e = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT);
        }
}

/* One VCALENDAR, or several in a row. */
static bool
calendars_read(struct holidays *r, icalcomponent *root)
{
        icalcomponent *c;

        if (root == NULL)
                return false;
        if (icalcomponent_isa(root) == ICAL_VCALENDAR_COMPONENT) {
                calendar_read(r, root);
                return true;
        }
        c = icalcomponent_get_first_component(root, ICAL_VCALENDAR_COMPONENT);
        if (c == NULL)
                return false;
        for (; c != NULL;
             c = icalcomponent_get_next_component(root, ICAL_VCALENDAR_COMPONENT))
                calendar_read(r, c);
        return true;
}

static bool
text_ends(const struct source *s)
{
        static const char end[] = "END:VCALENDAR";
        size_t n = s->len;

        while (n > 0 && isspace((unsigned char)s->text[n - 1]))
                n--;
        return n >= sizeof end - 1 &&
               strncasecmp(s->text + n - (sizeof end - 1), end, sizeof end - 1) == 0;
}

static void
holidays_read(struct build *b, const struct value *v, const struct source *source,
    struct hours_build *h)
{
        time_t now = time(NULL);
        struct tm tm;
        struct holidays r = {.b = b, .h = h, .source = source};
        icalcomponent *root;

        gmtime_r(&now, &tm);
        r.first_year = tm.tm_year + 1900 - YEARS_BEFORE;
        r.last_year = tm.tm_year + 1900 + YEARS_AFTER;
        if (!text_ends(source)) {
                report_error(
                    b->report, v->at, "these holidays do not end with END:VCALENDAR");
                report_advice(b->report, "an iCalendar file (.ics), whole");
                return;
        }
        icalerror_set_errors_are_fatal(false);
        root = icalparser_parse_string(source->text);
        if (!calendars_read(&r, root)) {
                report_error(b->report, v->at, "there is no calendar in these holidays");
                report_advice(b->report, "BEGIN:VCALENDAR, events, END:VCALENDAR");
        } else if (r.n_events == 0) {
                report_warning(b->report, v->at, "there is no holiday in this file");
        }
        if (root != NULL)
                icalcomponent_free(root);
}

void
holidays_build(struct build *b, const struct sentence *s, struct hours_build *h)
{
        const struct value *v = &s->values[1];
        const struct source *source;
        const char *path, *why = "No such file or directory";

        if (s->n_values == 0) {
                value_missing(b, s);
                return;
        }
        if (!value_at_is(s, 0, "file") || s->n_values < 2) {
                value_wrong(b, s, &s->values[0]);
                report_advice(b->report, "holidays file \"holidays.ics\"");
                return;
        }
        if (s->n_values > 2)
                value_surplus(b, s, &s->values[2]);
        path = path_beside(b, v->at.source, v->text);
        data_note(b, path);
        source = b->no_files ? NULL : source_read(b, path, &why);
        if (source == NULL) {
                report_error(b->report, v->at, "cannot read these holidays: %s", why);
                return;
        }
        holidays_read(b, v, source, h);
}
