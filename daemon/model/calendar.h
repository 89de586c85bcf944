/*
 * Open hours: which moments count when steps, escalations and promises are counted.
 * Pure; a calendar is complete in itself (zone, week, dated exceptions, holidays), so it
 * outlives the configuration that made it, as a class does. Time zones by base/zone.
 *
 * "Open time" has two units that are never mixed up: hours and minutes are open time; a
 * day is a working day, the same time of day so many days with open hours later.
 */
#ifndef HELPLINE_MODEL_CALENDAR_H
#define HELPLINE_MODEL_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/err.h"

#define CALENDAR_ID_LEN 16

#define CALENDAR_MAX_SPANS 24 /* of one day */
#define CALENDAR_MAX_DATES 4000

struct open_span { /* minutes of the local day: [from, to), 0..1440 */
        uint16_t from, to;
};
struct calendar_date { /* a date with its own hours; none: closed */
        int32_t day; /* days since 1970-01-01, of the local date */
        const struct open_span *spans; /* sorted, apart */
        size_t n_spans;
};
struct calendar {
        char id[CALENDAR_ID_LEN + 1]; /* hex of SHA-256(text); "" : always, real time */
        const char *text; /* canonical JSON document; "" always */
        const char *zone; /* IANA name, "" the system's */
        const struct open_span *week[7]; /* Monday first; sorted, apart */
        size_t n_week[7];
        const struct calendar_date *dates; /* sorted by day, each once */
        size_t n_dates;
};

struct open_time { /* so much open time */
        int days; /* working days */
        int64_t ms; /* hours, minutes: open time. Without a calendar days are 24 h */
};

/* Fills text and id of *c; strings of c must live in a. */
void calendar_seal(struct calendar *c, struct arena *a);
/* Back from its document. ERR_REJECT when it is none (or of a newer version). */
int calendar_parse(
    const char *text, size_t n, struct arena *a, struct calendar *out, struct err *err);

/* In all that follows cal NULL (or id "") means always open: real time. */
bool calendar_is_open(const struct calendar *cal, int64_t at_ms);
/* Open time between two moments, ms; 0 when to <= from. */
int64_t calendar_between(const struct calendar *cal, int64_t from_ms, int64_t to_ms);
/* The first moment at which t has passed since `from`: first the days, then the open time.
 * Days count from open hours (when closed, from the next opening). CALENDAR_NEVER: not within
 * five years. Of the hour that comes twice both count, the one that is left out does not. */
#define CALENDAR_NEVER INT64_MAX
int64_t calendar_after(const struct calendar *cal, int64_t from_ms, struct open_time t);
/* The latest moment from which t has passed by now: calendar_after(m, t) <= now. Never goes
 * back when now goes on. INT64_MIN: none within five years. */
int64_t calendar_back(const struct calendar *cal, int64_t now_ms, struct open_time t);
/* The next change from closed to open, or open to closed, after that moment; CALENDAR_NEVER:
 * none within five years. */
int64_t calendar_next_change(const struct calendar *cal, int64_t at_ms);

#endif
