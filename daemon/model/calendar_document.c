/*
 * A calendar as its document: canonical (sorted members, dates in order), so that equal
 * hours are equal bytes; its id is taken from their SHA-256. What comes back from the store
 * is checked as if a stranger had written it.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"
#include "daemon/model/calendar.h"

#define CALENDAR_VERSION 1
#define CALENDAR_JSON_MAX (512u * 1024)
#define DAY_MINUTES 1440
#define MAX_DAY 200000 /* in the year 2517 */
#define ZONE_MAX_LEN 100

/* ---- out ---- */

static void
spans_format(struct json_out *o, const struct open_span *s, size_t n)
{
        jo_open(o, '[');
        for (size_t i = 0; i < n; i++) {
                jo_open(o, '[');
                jo_int(o, s[i].from);
                jo_int(o, s[i].to);
                jo_close(o, ']');
        }
        jo_close(o, ']');
}

static void
calendar_name_text(struct calendar *c)
{
        char hex[65];

        sha256_hex(c->text, strlen(c->text), hex);
        memcpy(c->id, hex, CALENDAR_ID_LEN);
        c->id[CALENDAR_ID_LEN] = '\0';
}

void
calendar_seal(struct calendar *c, struct arena *a)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_key(&o, "dates");
        jo_open(&o, '[');
        for (size_t i = 0; i < c->n_dates; i++) {
                jo_open(&o, '[');
                jo_int(&o, c->dates[i].day);
                spans_format(&o, c->dates[i].spans, c->dates[i].n_spans);
                jo_close(&o, ']');
        }
        jo_close(&o, ']');
        jo_kint(&o, "v", CALENDAR_VERSION);
        jo_key(&o, "week");
        jo_open(&o, '[');
        for (int i = 0; i < 7; i++)
                spans_format(&o, c->week[i], c->n_week[i]);
        jo_close(&o, ']');
        jo_kstring(&o, "zone", c->zone);
        jo_close(&o, '}');
        c->text = arena_strndup(a, b.data, b.len);
        calendar_name_text(c);
}

/* ---- in ---- */

static int
spans_read(const json_t *v, struct arena *a, const struct open_span **out, size_t *n,
    struct err *err)
{
        struct open_span *s = arena_alloc(a, (json_array_size(v) + 1) * sizeof *s);
        json_int_t last = 0;

        *out = s;
        *n = json_array_size(v);
        if (!json_is_array(v) || *n > CALENDAR_MAX_SPANS)
                return err_set(err, ERR_REJECT, "calendar: no short list of hours");
        for (size_t i = 0; i < *n; i++) {
                const json_t *pair = json_array_get(v, i);
                json_int_t from = json_integer_value(json_array_get(pair, 0));
                json_int_t to = json_integer_value(json_array_get(pair, 1));

                if (json_array_size(pair) != 2 || from < last || from >= to ||
                    to > DAY_MINUTES)
                        return err_set(
                            err, ERR_REJECT, "calendar: hours that are no hours");
                s[i] = (struct open_span){(uint16_t)from, (uint16_t)to};
                last = to;
        }
        return 0;
}

static int
dates_read(const json_t *v, struct arena *a, struct calendar *c, struct err *err)
{
        size_t n = json_array_size(v);
        struct calendar_date *d = arena_alloc(a, (n + 1) * sizeof *d);
        json_int_t last = -MAX_DAY;

        if (!json_is_array(v) || n > CALENDAR_MAX_DATES)
                return err_set(err, ERR_REJECT, "calendar: no list of dates");
        for (size_t i = 0; i < n; i++) {
                const json_t *pair = json_array_get(v, i);
                json_int_t day = json_integer_value(json_array_get(pair, 0));

                if (json_array_size(pair) != 2 || day <= last || day > MAX_DAY)
                        return err_set(
                            err, ERR_REJECT, "calendar: its dates are not in order");
                d[i].day = (int32_t)day;
                if (spans_read(json_array_get(pair, 1), a, &d[i].spans, &d[i].n_spans,
                        err) == -1)
                        return -1;
                last = day;
        }
        c->dates = d;
        c->n_dates = n;
        return 0;
}

static int
calendar_read(const json_t *o, struct arena *a, struct calendar *c, struct err *err)
{
        const json_t *week = json_list(o, "week");
        int64_t version = json_int(o, "v", 0);

        if (version > CALENDAR_VERSION)
                return err_set(err, ERR_REJECT,
                    "calendar: a newer helpline wrote it (version %lld, this one knows "
                    "%d)",
                    (long long)version, CALENDAR_VERSION);
        if (version < 1 || json_array_size(week) != 7)
                return err_set(err, ERR_REJECT, "calendar: it is no calendar document");
        c->zone = arena_strdup(a, json_str(o, "zone", ""));
        if (strlen(c->zone) > ZONE_MAX_LEN)
                return err_set(err, ERR_REJECT, "calendar: its time zone is none");
        for (size_t i = 0; i < 7; i++)
                if (spans_read(json_array_get(week, i), a, &c->week[i], &c->n_week[i],
                        err) == -1)
                        return -1;
        return dates_read(json_list(o, "dates"), a, c, err);
}

int
calendar_parse(
    const char *text, size_t n, struct arena *a, struct calendar *out, struct err *err)
{
        json_t *o;
        int rc;

        memset(out, 0, sizeof *out);
        out->text = out->zone = "";
        if (n == 0)
                return 0; /* always */
        o = json_read(text, n, CALENDAR_JSON_MAX, err);
        if (o == NULL)
                return err_prefix(err, "calendar");
        rc = calendar_read(o, a, out, err);
        json_decref(o);
        if (rc == -1)
                return -1;
        out->text = arena_strndup(a, text, n);
        calendar_name_text(out);
        return 0;
}
