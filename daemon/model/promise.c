/* The clocks of a ticket; see promise.h. Pure. */
#include "daemon/model/promise.h"

#include <string.h>

#define CLOCKS_VERSION 1
#define CLOCKS_MAX (1u << 20) /* by_hand's text above all: a command's, escaped */

static const struct {
        const char *key, *name;
} kinds[N_PROMISES] = {
    [PROMISE_FIRST] = {"first_response", "first response"},
    [PROMISE_NEXT] = {"next_response", "next response"},
    [PROMISE_RESOLUTION] = {"resolution", "resolution"},
    [PROMISE_HAND] = {"by_hand", "by hand"},
};

const char *
promise_key(enum promise_kind k)
{
        return kinds[k].key;
}

const char *
promise_name(enum promise_kind k)
{
        return kinds[k].name;
}

/* ---- text ---- */

static void
promise_read(const json_t *o, struct arena *a, struct promise *p)
{
        p->time.days = (int)json_int(o, "days", 0);
        p->time.ms = json_int(o, "ms", 0);
        p->warn_ms = json_int(o, "warn", 0);
        p->due_ms = json_int(o, "due", 0);
        p->met_ms = json_int(o, "met", 0);
        p->met_by = arena_strdup(a, json_str(o, "by", ""));
        p->told = (enum promise_told)json_int(o, "told", 0);
}

static void
clocks_init(struct clocks *k)
{
        *k = (struct clocks){.name = "", .calendar = "", .hand = "", .warn = 80};
        for (int i = 0; i < N_PROMISES; i++)
                k->of[i].met_by = "";
}

int
clocks_parse(const char *text, struct arena *a, struct clocks *k, struct err *err)
{
        json_t *o;

        clocks_init(k);
        if (text[0] == '\0')
                return 0;
        o = json_read(text, strlen(text), CLOCKS_MAX, err);
        if (o == NULL)
                return err_prefix(err, "clocks");
        if (json_int(o, "v", 0) != CLOCKS_VERSION) {
                json_decref(o);
                return err_set(err, ERR_REJECT, "clocks: another helpline wrote them");
        }
        k->name = arena_strdup(a, json_str(o, "name", ""));
        k->calendar = arena_strdup(a, json_str(o, "calendar", ""));
        k->warn = (unsigned)json_int(o, "warn", 80);
        k->hand = arena_strdup(a, json_str(o, "hand", ""));
        k->answered_ms = json_int(o, "answered", 0);
        k->stood_ms = json_int(o, "stood", 0);
        k->escalate_ms = json_int(o, "escalate", 0);
        k->escalate_stood_ms = json_int(o, "escalate_stood", 0);
        k->remind_ms = json_int(o, "remind", 0);
        k->give_up_ms = json_int(o, "give_up", 0);
        for (int i = 0; i < N_PROMISES; i++)
                if (json_obj(o, kinds[i].key) != NULL)
                        promise_read(json_obj(o, kinds[i].key), a, &k->of[i]);
        json_decref(o);
        return 0;
}

static void
number_if(struct json_out *o, const char *key, int64_t n)
{
        if (n != 0)
                jo_kint(o, key, n);
}

static bool
promise_is_there(const struct promise *p)
{
        return p->time.days != 0 || p->time.ms != 0 || p->due_ms != 0;
}

static void
promise_write(struct json_out *o, const char *key, const struct promise *p)
{
        jo_key(o, key);
        jo_open(o, '{');
        number_if(o, "days", p->time.days);
        number_if(o, "ms", p->time.ms);
        number_if(o, "warn", p->warn_ms);
        number_if(o, "due", p->due_ms);
        number_if(o, "met", p->met_ms);
        if (p->met_by[0] != '\0')
                jo_kstring(o, "by", p->met_by);
        number_if(o, "told", p->told);
        jo_close(o, '}');
}

bool
clocks_empty(const struct clocks *k)
{
        for (int i = 0; i < N_PROMISES; i++)
                if (promise_is_there(&k->of[i]))
                        return false;
        return k->escalate_ms == 0 && k->remind_ms == 0 && k->give_up_ms == 0 &&
               k->name[0] == '\0';
}

void
clocks_format(const struct clocks *k, struct buf *out)
{
        struct json_out o;

        if (clocks_empty(k))
                return;
        jo_init(&o, out);
        jo_open(&o, '{');
        jo_kint(&o, "v", CLOCKS_VERSION);
        jo_kstring(&o, "name", k->name);
        jo_kstring(&o, "calendar", k->calendar);
        jo_kint(&o, "warn", k->warn);
        if (k->hand[0] != '\0')
                jo_kstring(&o, "hand", k->hand);
        number_if(&o, "answered", k->answered_ms);
        number_if(&o, "stood", k->stood_ms);
        number_if(&o, "escalate", k->escalate_ms);
        number_if(&o, "escalate_stood", k->escalate_stood_ms);
        number_if(&o, "remind", k->remind_ms);
        number_if(&o, "give_up", k->give_up_ms);
        for (int i = 0; i < N_PROMISES; i++)
                if (promise_is_there(&k->of[i]))
                        promise_write(&o, kinds[i].key, &k->of[i]);
        jo_close(&o, '}');
}

/* ---- moving ---- */

bool
promise_runs(const struct promise *p)
{
        return p->due_ms != 0 && p->met_ms == 0;
}

/* So much of the open time between two moments. */
static int64_t
warn_at(const struct calendar *cal, int64_t from_ms, int64_t due_ms, unsigned percent)
{
        int64_t all = calendar_between(cal, from_ms, due_ms), at;

        if (all <= 0)
                return due_ms;
        at = calendar_after(cal, from_ms, (struct open_time){0, all * percent / 100});
        return at < due_ms ? at : due_ms;
}

void
promise_start(
    struct clocks *k, enum promise_kind kind, const struct calendar *cal, int64_t now_ms)
{
        struct promise *p = &k->of[kind];
        int64_t due_ms;

        if (p->time.days == 0 && p->time.ms == 0)
                return;
        due_ms = calendar_after(cal, now_ms, p->time);
        p->due_ms = due_ms == CALENDAR_NEVER ? 0 : due_ms;
        p->warn_ms = p->due_ms == 0 ? 0 : warn_at(cal, now_ms, due_ms, k->warn);
        p->met_ms = 0;
        p->met_by = "";
        p->told = TOLD_NOTHING;
}

void
promise_make(struct clocks *k, const struct calendar *cal, int64_t now_ms, int64_t due_ms)
{
        k->of[PROMISE_HAND] =
            (struct promise){.warn_ms = warn_at(cal, now_ms, due_ms, k->warn),
                .due_ms = due_ms,
                .met_by = ""};
}

void
promise_meet(struct clocks *k, enum promise_kind kind, int64_t now_ms, const char *by)
{
        struct promise *p = &k->of[kind];

        if (!promise_runs(p))
                return;
        p->met_ms = now_ms;
        p->met_by = by;
}

int64_t
clock_later(const struct calendar *cal, int64_t at_ms, int64_t from_ms, int64_t to_ms)
{
        int64_t left, later;

        if (at_ms <= from_ms || to_ms <= from_ms)
                return at_ms;
        left = calendar_between(cal, from_ms, at_ms);
        later = calendar_after(cal, to_ms, (struct open_time){0, left});
        return later == CALENDAR_NEVER ? at_ms : later < to_ms ? to_ms : later;
}

void
promises_resume(
    struct clocks *k, const struct calendar *cal, int64_t from_ms, int64_t to_ms)
{
        for (int i = 0; i < N_PROMISES; i++) {
                struct promise *p = &k->of[i];

                if (i == PROMISE_HAND || !promise_runs(p))
                        continue;
                p->warn_ms = clock_later(cal, p->warn_ms, from_ms, to_ms);
                p->due_ms = clock_later(cal, p->due_ms, from_ms, to_ms);
        }
}

/* ---- asking ---- */

static int64_t
earlier(int64_t a, int64_t b)
{
        if (a == 0 || b == 0)
                return a + b;
        return a < b ? a : b;
}

int64_t
promise_next_ms(const struct promise *p)
{
        if (!promise_runs(p) || p->told == TOLD_BROKEN)
                return 0;
        return p->told == TOLD_AT_RISK ? p->due_ms : p->warn_ms;
}

int64_t
clocks_next_ms(const struct clocks *k)
{
        int64_t next = earlier(k->remind_ms, k->give_up_ms);

        if (k->escalate_stood_ms == 0)
                next = earlier(next, k->escalate_ms);
        for (int i = 0; i < N_PROMISES; i++)
                if (k->stood_ms == 0 || i == PROMISE_HAND)
                        next = earlier(next, promise_next_ms(&k->of[i]));
        return next;
}

void
promises_format(const struct clocks *k, struct json_out *o)
{
        jo_open(o, '{');
        for (int i = 0; i < N_PROMISES; i++) {
                const struct promise *p = &k->of[i];

                if (p->due_ms == 0)
                        continue;
                jo_key(o, kinds[i].key);
                jo_open(o, '{');
                jo_ktime(o, "due", p->due_ms * 1000);
                jo_ktime(o, "met", p->met_ms * 1000);
                jo_kbool(
                    o, "paused", i != PROMISE_HAND && p->met_ms == 0 && k->stood_ms != 0);
                jo_kstring(o, "state",
                    p->told == TOLD_BROKEN    ? "broken"
                    : p->met_ms != 0          ? "met"
                    : p->told == TOLD_AT_RISK ? "at-risk"
                                              : "running");
                if (i == PROMISE_HAND)
                        jo_kstring(o, "text", k->hand);
                jo_close(o, '}');
        }
        jo_close(o, '}');
}
