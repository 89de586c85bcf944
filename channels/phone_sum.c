/*
 * All rows of one call become one call; see phone_parse.h. Pure.
 *
 * A ring group writes a row for each telephone that rang, a transfer one for each leg:
 * the caller made one call, and it was answered when anybody did.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/phone_impl.h"

#define QUARTER_US (15 * 60 * 1000000LL)
#define ZONE_MAX_US (14 * 3600 * 1000000LL)
#define ZONE_SLACK_US (30 * 1000000LL) /* the first row begins with its channel */

/* Extensions of the exchange that are no numbers: start, invalid, hang-up, timeout. */
static bool
is_special(const char *dst)
{
        return *dst == '\0' || (dst[1] == '\0' && strchr("siht", dst[0]) != NULL);
}

/* "PJSIP/201-0000001a": the telephone, "" none. */
static const char *
channel_number(struct arena *a, const char *channel)
{
        const char *slash = strchr(channel, '/');
        size_t n = slash == NULL ? 0 : strspn(slash + 1, "0123456789");

        return n == 0 || (slash[1 + n] != '-' && slash[1 + n] != '@' &&
                             slash[1 + n] != '\0')
                   ? ""
                   : arena_strndup(a, slash + 1, n);
}

static const char *
row_dst(const struct phone_row *r, const struct phone_sum_options *o, struct arena *a)
{
        const char *dst = is_special(r->dst) ? channel_number(a, r->dstchannel) : r->dst;

        return phone_normalise(a, dst, o->country);
}

static const char *
row_src(const struct phone_row *r, const struct phone_sum_options *o, struct arena *a)
{
        return phone_normalise(a, r->src, o->country);
}

static bool
is_our(const struct phone_sum_options *o, const char *number)
{
        for (size_t i = 0; i < o->n_ours && *number != '\0'; i++)
                if (strcmp(o->ours[i], number) == 0)
                        return true;
        return false;
}

static bool
is_internal(const char *number)
{
        size_t n = strspn(number, "0123456789");

        return n > 0 && n <= 5 && number[n] == '\0';
}

/* Which direction had this row, seen from the desk? false: it says nothing. */
static bool
row_direction(const struct phone_row *r, const struct phone_sum_options *o,
    struct arena *a, enum call_direction *out)
{
        const char *src = row_src(r, o, a), *dst = row_dst(r, o, a);
        bool from_us = is_our(o, src), to_us = is_our(o, dst);

        if (*dst == '\0')
                return false;
        if (r->has_direction) {
                *out = r->direction;
                return o->n_ours == 0 || (*out == CALL_IN ? to_us : from_us);
        }
        if (o->n_ours == 0) {
                *out = is_internal(src) && !is_internal(dst) ? CALL_OUT : CALL_IN;
                return true;
        }
        *out = to_us ? CALL_IN : CALL_OUT;
        return from_us != to_us; /* among ourselves: nobody's business */
}

static int
by_start(const void *a, const void *b)
{
        const struct phone_row *const *x = a, *const *y = b;

        if ((*x)->start_us != (*y)->start_us)
                return (*x)->start_us < (*y)->start_us ? -1 : 1;
        return *x < *y ? -1 : *x > *y;
}

/* What must be subtracted from local times: by the first row's epoch, which no transfer
 * has moved, else as configured. */
static int64_t
zone_of(const struct phone_row *const *rows, size_t n, const struct phone_sum_options *o)
{
        for (size_t i = 0; i < n; i++) {
                int64_t off = rows[i]->start_us - rows[i]->epoch_us, rest;

                if (rows[i]->epoch_us == 0 || rows[i]->start_us == 0 ||
                    off > ZONE_MAX_US || off < -ZONE_MAX_US)
                        continue;
                rest = ((off % QUARTER_US) + QUARTER_US) % QUARTER_US;
                if (rest <= ZONE_SLACK_US)
                        return off - rest;
                if (QUARTER_US - rest <= ZONE_SLACK_US)
                        return off + (QUARTER_US - rest);
        }
        return o->zone_offset_us;
}

static int64_t
utc(const struct phone_row *r, int64_t us, int64_t zone_us)
{
        return us == 0 || r->times_have_zone ? us : us - zone_us;
}

static void
sum_times(
    const struct phone_row *const *rows, size_t n, int64_t zone_us, struct phone_call *c)
{
        int64_t rang_s = 0, talked_s = 0;

        for (size_t i = 0; i < n; i++) {
                const struct phone_row *r = rows[i];
                int64_t start = utc(r, r->start_us, zone_us);
                int64_t answer = utc(r, r->answer_us, zone_us);
                int64_t end = utc(r, r->end_us, zone_us);

                if (start != 0 && (c->started_at_us == 0 || start < c->started_at_us))
                        c->started_at_us = start;
                if (end > c->ended_at_us)
                        c->ended_at_us = end;
                rang_s = r->duration_s > rang_s ? r->duration_s : rang_s;
                if (!r->is_answered)
                        continue;
                c->result = CALL_ANSWERED;
                if (answer != 0 && (c->answered_at_us == 0 || answer < c->answered_at_us))
                        c->answered_at_us = answer;
                talked_s = r->billsec > talked_s ? r->billsec : talked_s;
        }
        if (c->result == CALL_MISSED && c->started_at_us != 0 && c->ended_at_us != 0 &&
            (c->ended_at_us - c->started_at_us) / 1000000 > rang_s)
                rang_s = (c->ended_at_us - c->started_at_us) / 1000000;
        c->duration_s = c->result == CALL_ANSWERED ? talked_s : rang_s;
}

/* Who called whom: as the first row that tells a direction has it. */
static bool
sum_parties(const struct phone_row *const *rows, size_t n,
    const struct phone_sum_options *o, struct arena *a, struct phone_call *c)
{
        size_t i = 0;

        while (i < n && !row_direction(rows[i], o, a, &c->direction))
                i++;
        if (i == n)
                return false;
        c->from = row_src(rows[i], o, a);
        c->to = row_dst(rows[i], o, a);
        for (size_t k = 0; k < n && *c->name == '\0'; k++)
                if (strcmp(row_src(rows[k], o, a), c->from) == 0)
                        c->name = rows[k]->clid_name;
        return true;
}

bool
phone_rows_sum(const struct phone_row *rows, size_t n, const struct phone_sum_options *o,
    struct arena *a, struct phone_call *out)
{
        const struct phone_row **sorted = arena_alloc(a, (n + 1) * sizeof *sorted);

        *out = (struct phone_call){.id = n == 0 ? "" : rows[0].group,
            .from = "",
            .to = "",
            .name = "",
            .result = CALL_MISSED};
        for (size_t i = 0; i < n; i++)
                sorted[i] = &rows[i];
        qsort(sorted, n, sizeof *sorted, by_start);
        if (!sum_parties(sorted, n, o, a, out))
                return false;
        sum_times(sorted, n, zone_of(sorted, n, o), out);
        return true;
}

bool
phone_rows_are_short(const struct phone_row *rows, size_t n, int64_t short_ms)
{
        int64_t start = 0, end = 0, rang_s = -1;

        for (size_t i = 0; i < n; i++) {
                if (rows[i].is_answered || rows[i].is_refused)
                        return false;
                if (rows[i].duration_s > rang_s)
                        rang_s = rows[i].duration_s;
                if (rows[i].start_us != 0 && (start == 0 || rows[i].start_us < start))
                        start = rows[i].start_us;
                if (rows[i].end_us > end)
                        end = rows[i].end_us;
        }
        if (start != 0 && end != 0 && (end - start) / 1000000 > rang_s)
                rang_s = (end - start) / 1000000;
        return rang_s >= 0 && rang_s * 1000 < short_ms;
}
