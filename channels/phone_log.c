/*
 * Phone log channel; see phone_log.h.
 *
 *     tail (phone_tail.c) or push -> row (phone_parse.c) -> struct gathered, by group
 *     10 s after its last row: READY, in order
 *     READY -> sum (phone_sum.c) -> host->deliver -> SENT -> settled: its records are done
 *
 * Each record of the file has a mark, in the order of the file. When the marks at the
 * front are done, the place behind the last of them goes to the store. Killed anywhere:
 * what was not settled lies behind that place and is read again.
 *
 * Two calls of one number are never under way at once: the second must see the ticket of
 * the first.
 */
#include "channels/phone_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "channels/phone_message.h"
#include "channels/phone_parse.h"
#include "channels/phone_tail.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/log.h"
#include "daemon/base/zone.h"

#define GATHER_MS 10000
#define POLL_MS 1000
#define RETRY_MAX_MS 30000
#define SENT_MAX 16 /* calls under way at once */
#define ROWS_MAX 20000 /* held before the file is read on */
#define MARKS_MAX 100000 /* the same of records, also of those that held nothing */
#define ROWS_OF_CALL 500 /* more rows of one call are left out */
#define BURST 2000 /* records read in one turn */
#define PUSH_MAX (1 << 20)
#define BUCKETS 1024
#define BAD_A_MINUTE 20 /* logged; all are counted */

struct mark { /* one record of the file */
        TAILQ_ENTRY(mark) link;
        struct tail_position after;
        bool done;
};

struct push { /* records that somebody waits for */
        phone_push_fn fn;
        void *arg;
        unsigned n_open; /* calls not settled yet, and one while it is taken apart */
        struct phone_pushed result;
        char why[256], ticket[24];
        bool any_stored;
};

enum gathered_state { GATHERING, READY, SENT };

struct gathered { /* the rows of one call */
        TAILQ_ENTRY(gathered) link; /* in the list of its state */
        LIST_ENTRY(gathered) bucket; /* while gathering */
        struct arena *arena;
        enum gathered_state state;
        uint64_t id; /* in tokens */
        const char *group;
        const char *number; /* of the other side, once ready */
        struct phone_row *rows;
        size_t n_rows;
        struct mark **marks; /* of its rows of the file */
        size_t n_marks;
        struct push **pushes;
        size_t n_pushes;
        int64_t due_ms;
};
TAILQ_HEAD(gathered_list, gathered);

struct phone_log {
        struct channel channel;
        struct loop *loop;
        struct arena *arena; /* of the options */
        struct phone_log_options o;
        struct phone_options phone;
        struct phone_tail *tail;
        TAILQ_HEAD(mark_list, mark) marks;
        size_t n_rows; /* held */
        size_t n_marks;
        LIST_HEAD(gathered_bucket, gathered) buckets[BUCKETS];
        struct gathered_list gathering, ready, sent;
        size_t n_sent;
        uint64_t next_id;
        struct timer *poll_timer, *gather_timer, *retry_timer;
        int64_t retry_ms; /* 0: nothing stands in the way */
        bool asking, know_place; /* of the cursor */
        bool saving, unsaved;
        struct tail_position place; /* settled up to here */
        unsigned n_waiting; /* answers of the host we are owed */
        bool reads_on; /* more was there than one turn takes */
        unsigned n_bad;
        int64_t bad_since_ms;
        bool draining, retired;
        const char *state;
        int64_t since_ms;
        char last_error[256];
};

static void log_pump(struct phone_log *p);
static void log_save(struct phone_log *p);

/* ---- what it is doing ---- */

static void
log_set_state(struct phone_log *p, const char *state)
{
        if (strcmp(p->state, state) == 0)
                return;
        log_info(
            "PHONE-LOG", "account=%s state=%s", log_quote(p->o.phone->account), state);
        p->state = state;
        p->since_ms = clock_now_ms();
}

static void
log_reap(struct phone_log *p)
{
        struct phone_log *gone = p;

        if (p->retired && p->n_waiting == 0)
                phone_log_free(&gone);
}

/* An answer has come. false: nobody is there any more. */
static bool
log_answered(struct phone_log *p)
{
        p->n_waiting--;
        if (!p->retired)
                return true;
        log_reap(p);
        return false;
}

/* ---- pushes ---- */

static void
push_end(struct push *u)
{
        u->result.why = u->why;
        u->result.ticket = u->ticket;
        crash_point("phone.told");
        u->fn(u->arg, &u->result);
        free(u);
}

static void
push_settled(struct push *u, enum settlement s, const char *why, const char *ticket)
{
        bool worse =
            u->result.settlement == SETTLE_LATER || u->result.settlement == SETTLE_FULL;

        if (s == SETTLE_LATER || s == SETTLE_FULL) {
                u->result.settlement = s;
                snprintf(u->why, sizeof u->why, "%s", why == NULL ? "" : why);
        } else if (s != SETTLE_DUPLICATE && !worse) {
                u->any_stored = true;
                u->result.settlement = SETTLE_STORED;
        }
        if (ticket != NULL && *ticket != '\0')
                snprintf(u->ticket, sizeof u->ticket, "%s", ticket);
        if (--u->n_open == 0)
                push_end(u);
}

static void
on_push_parsed(void *arg)
{
        struct push *u = arg;

        if (--u->n_open == 0)
                push_end(u);
}

/* ---- the place in the file ---- */

static void
on_saved(void *arg, const struct err *err)
{
        struct phone_log *p = arg;

        if (!log_answered(p))
                return;
        p->saving = false;
        if (err->kind != ERR_NONE) {
                p->unsaved = true; /* the next look tries again */
                return;
        }
        crash_point("phone.saved");
        if (p->unsaved)
                log_save(p);
}

static void
log_save(struct phone_log *p)
{
        const struct channel_host *h = p->channel.host;
        char text[128];

        p->unsaved = true;
        if (p->saving)
                return;
        p->saving = true;
        p->unsaved = false;
        p->n_waiting++;
        tail_position_format(&p->place, text);
        crash_point("phone.save");
        h->cursor_set(h->arg, p->o.phone->account, text, on_saved, p);
}

/* Over the contiguous settled front. */
static void
marks_advance(struct phone_log *p)
{
        struct mark *m;
        bool moved = false;

        while (
            (m = TAILQ_FIRST(&p->marks)) != NULL && m->done) { /* NOLINT: the next one */
                p->place = m->after;
                moved = true;
                TAILQ_REMOVE(&p->marks, m, link);
                p->n_marks--;
                free(m);
        }
        if (moved)
                log_save(p);
}

/* ---- gathering ---- */

static unsigned
bucket_of(const char *group)
{
        uint32_t h = 2166136261u;

        for (; *group != '\0'; group++)
                h = (h ^ (unsigned char)*group) * 16777619u;
        return h % BUCKETS;
}

static void
gathered_free(struct phone_log *p, struct gathered *g)
{
        p->n_rows -= g->n_rows;
        arena_free(&g->arena);
        free(g);
}

static struct gathered *
gathered_find(struct phone_log *p, const char *group)
{
        struct gathered *g;
        unsigned b = bucket_of(group);

        LIST_FOREACH(g, &p->buckets[b], bucket)
        if (strcmp(g->group, group) == 0)
                return g;
        g = xcalloc(1, sizeof *g);
        g->arena = arena_new();
        g->id = ++p->next_id;
        g->group = arena_strdup(g->arena, group);
        g->number = "";
        LIST_INSERT_HEAD(&p->buckets[b], g, bucket);
        TAILQ_INSERT_TAIL(&p->gathering, g, link);
        return g;
}

static void
log_set_gather_timer(struct phone_log *p)
{
        const struct gathered *g = TAILQ_FIRST(&p->gathering);
        int64_t ms;

        if (g == NULL)
                return;
        ms = g->due_ms - clock_now_ms();
        timer_set(p->gather_timer, ms > 0 ? ms : 0);
}

static void
row_copy(struct arena *a, const struct phone_row *r, struct phone_row *out)
{
        *out = *r;
        out->key = arena_strdup(a, r->key);
        out->src = arena_strdup(a, r->src);
        out->dst = arena_strdup(a, r->dst);
        out->clid_name = arena_strdup(a, r->clid_name);
        out->channel = arena_strdup(a, r->channel);
        out->dstchannel = arena_strdup(a, r->dstchannel);
        out->lastapp = out->context = "";
        out->disposition = arena_strdup(a, r->disposition);
}

static struct gathered *
log_gather(struct phone_log *p, const struct phone_row *r)
{
        struct gathered *g = gathered_find(p, r->group);

        if (g->n_rows < ROWS_OF_CALL) {
                g->rows = arena_grow(g->arena, g->rows, g->n_rows, sizeof *g->rows);
                row_copy(g->arena, r, &g->rows[g->n_rows]);
                g->rows[g->n_rows++].group = g->group;
                p->n_rows++;
        }
        g->due_ms = clock_now_ms() + p->o.gather_ms;
        TAILQ_REMOVE(&p->gathering, g, link);
        TAILQ_INSERT_TAIL(&p->gathering, g, link);
        log_set_gather_timer(p);
        return g;
}

static void
log_bad(struct phone_log *p, const struct err *err)
{
        int64_t now = clock_now_ms();

        snprintf(p->last_error, sizeof p->last_error, "%.250s", err->text);
        if (now - p->bad_since_ms > 60000) {
                p->bad_since_ms = now;
                p->n_bad = 0;
        }
        if (++p->n_bad <= BAD_A_MINUTE)
                log_warn("BAD-RECORD", "account=%s why=%s%s",
                    log_quote(p->o.phone->account), log_quote(err->text),
                    p->n_bad == BAD_A_MINUTE ? " more=\"not logged for a minute\"" : "");
}

static enum phone_syntax
file_syntax(const struct phone_log *p)
{
        switch (p->phone.format) {
        case PHONE_ASTERISK_CSV:
                return PHONE_SYNTAX_ASTERISK;
        case PHONE_ASTERISK_CUSTOM:
                return PHONE_SYNTAX_CUSTOM;
        case PHONE_FREESWITCH_CSV:
        case PHONE_PUSH:
                break;
        }
        return PHONE_SYNTAX_FREESWITCH;
}

static bool
is_blank(const char *s, size_t n)
{
        while (n > 0 && strchr(" \t\r\n,[]", s[n - 1]) != NULL && s[n - 1] != '\0')
                n--;
        return n == 0;
}

/* ---- delivering ---- */

static void
gathered_settle(struct phone_log *p, struct gathered *g, enum settlement s,
    const char *why, const char *ticket)
{
        for (size_t i = 0; i < g->n_pushes; i++)
                push_settled(g->pushes[i], s, why, ticket);
        g->n_pushes = 0;
        if ((s == SETTLE_LATER || s == SETTLE_FULL) && g->n_marks > 0) {
                g->state = READY;
                TAILQ_INSERT_HEAD(&p->ready, g, link);
                return;
        }
        for (size_t i = 0; i < g->n_marks; i++)
                g->marks[i]->done = true;
        gathered_free(p, g);
}

static void
log_retry_later(struct phone_log *p, const char *why)
{
        snprintf(p->last_error, sizeof p->last_error, "%.250s", why);
        p->retry_ms = p->retry_ms == 0                 ? 1000
                      : p->retry_ms * 2 < RETRY_MAX_MS ? p->retry_ms * 2
                                                       : RETRY_MAX_MS;
        timer_set(p->retry_timer, p->retry_ms);
}

static void
log_settle(struct channel *ch, struct channel_token t, enum settlement s, const char *why,
    const char *ticket)
{
        struct phone_log *p = (struct phone_log *)ch;
        struct gathered *g;

        for (g = TAILQ_FIRST(&p->sent); g != NULL && g->id != t.source;
             g = TAILQ_NEXT(g, link))
                ;
        if (g == NULL)
                return;
        TAILQ_REMOVE(&p->sent, g, link);
        p->n_sent--;
        if (s == SETTLE_LATER || s == SETTLE_FULL)
                log_retry_later(p, why);
        else
                p->retry_ms = 0;
        crash_point("phone.settled");
        gathered_settle(p, g, s, why, ticket);
        if (!log_answered(p))
                return;
        marks_advance(p);
        log_pump(p);
}

static void
log_deliver(struct phone_log *p, struct gathered *g, const struct phone_call *c)
{
        struct phone_words w = {
            .language = p->o.language,
            .timezone = p->phone.timezone,
            .note = "",
        };
        struct arrival a = {
            .channel = "phone",
            .account = p->o.phone->account,
            .fd = -1,
            .envelope_from = "",
            .received_at_us = clock_now_us(),
            .token = {&p->channel, g->id, 0, 0},
            .ticket = "",
        };

        a.message = phone_message(c, &w);
        g->state = SENT;
        TAILQ_INSERT_TAIL(&p->sent, g, link);
        p->n_sent++;
        p->n_waiting++;
        crash_point("phone.deliver");
        p->channel.host->deliver(p->channel.host->arg, &a);
}

static void
log_dropped(const struct phone_log *p, const struct phone_call *c, const char *event)
{
        log_info(event, "account=%s call=%s from=%s to=%s result=%s rang=%lld",
            log_quote(p->o.phone->account), log_quote(c->id), log_quote(c->from),
            log_quote(c->to), call_result_name(c->result), (long long)c->duration_s);
}

static bool
number_is_under_way(const struct phone_log *p, const char *number)
{
        const struct gathered *g;

        TAILQ_FOREACH(g, &p->sent, link)
        if (*number != '\0' && strcmp(g->number, number) == 0)
                return true;
        return false;
}

/* What is ready, as a call. false: it is none of ours, or a short one. */
static bool
gathered_sum(struct phone_log *p, struct gathered *g, struct phone_call *c)
{
        struct phone_sum_options o = {
            .ours = p->phone.ours,
            .n_ours = p->phone.n_ours,
            .country = p->o.country,
            .zone_offset_us = zone_offset_us(p->phone.timezone, g->rows[0].start_us),
        };

        if (!phone_rows_sum(g->rows, g->n_rows, &o, g->arena, c))
                return false;
        g->number = c->direction == CALL_IN ? c->from : c->to;
        if (c->direction == CALL_IN &&
            phone_rows_are_short(g->rows, g->n_rows, p->phone.short_ms)) {
                log_dropped(p, c, "SHORT-CALL");
                return false;
        }
        return true;
}

/* The first that is ready. false: it must wait, and so must all behind it. */
static bool
log_deliver_next(struct phone_log *p, struct gathered *g)
{
        struct phone_call c;
        struct err err = {.kind = ERR_NONE};

        if (!gathered_sum(p, g, &c)) {
                TAILQ_REMOVE(&p->ready, g, link);
                gathered_settle(p, g, SETTLE_STORED, "", "");
                return true;
        }
        if (number_is_under_way(p, g->number))
                return false;
        TAILQ_REMOVE(&p->ready, g, link);
        if (p->channel.host->may_take(p->channel.host->arg, &err) == -1) {
                bool is_full = strcmp(err.code, "452") == 0;

                log_retry_later(p, err.text);
                gathered_settle(p, g, is_full ? SETTLE_FULL : SETTLE_LATER, err.text, "");
                return false;
        }
        log_deliver(p, g, &c);
        return true;
}

static void
log_pump(struct phone_log *p)
{
        struct gathered *g;

        while (!p->draining && !timer_is_set(p->retry_timer) && p->n_sent < SENT_MAX &&
               (g = TAILQ_FIRST(&p->ready)) != NULL)
                if (!log_deliver_next(p, g)) /* NOLINT: it takes itself off the list */
                        break;
        marks_advance(p);
}

static void
on_retry(void *arg)
{
        log_pump(arg);
}

static void
on_gathered(void *arg)
{
        struct phone_log *p = arg;
        struct gathered *g;

        while ((g = TAILQ_FIRST(&p->gathering)) != NULL && g->due_ms <= clock_now_ms()) {
                TAILQ_REMOVE(&p->gathering, g, link);
                LIST_REMOVE(g, bucket);
                g->state = READY;
                TAILQ_INSERT_TAIL(&p->ready, g, link);
                crash_point("phone.gathered");
        }
        log_set_gather_timer(p);
        log_pump(p);
}

/* ---- the file ---- */

static struct mark *
mark_new(struct phone_log *p, const struct tail_position *after)
{
        struct mark *m = xcalloc(1, sizeof *m);

        m->after = *after;
        TAILQ_INSERT_TAIL(&p->marks, m, link);
        p->n_marks++;
        return m;
}

static void
log_record(
    struct phone_log *p, const char *s, size_t n, const struct tail_position *after)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct phone_syntax_options o = {
            .syntax = file_syntax(p),
            .column17_is_userfield = p->phone.column17_is_userfield,
        };
        struct mark *m = mark_new(p, after);
        struct gathered *g;
        struct phone_row r;
        struct err err;

        m->done = true;
        if (is_blank(s, n))
                return;
        if (phone_row_parse(s, n, &o, a, &r, &err) == -1) {
                log_bad(p, &err);
                return;
        }
        m->done = false;
        g = log_gather(p, &r);
        g->marks = arena_grow(g->arena, g->marks, g->n_marks, sizeof(struct mark *));
        g->marks[g->n_marks++] = m;
        crash_point("phone.row");
}

static void
log_read(struct phone_log *p)
{
        struct tail_position after;
        const char *s;
        size_t n, n_records = 0;

        if (!p->reads_on)
                phone_tail_look(p->tail);
        while (n_records < BURST && p->n_rows < ROWS_MAX && p->n_marks < MARKS_MAX &&
               phone_tail_next(p->tail, &s, &n, &after)) {
                log_record(p, s, n, &after);
                n_records++;
        }
        marks_advance(p);
        p->reads_on = n_records == BURST || phone_tail_is_paused(p->tail);
        timer_set(p->poll_timer, p->reads_on ? 0 : p->o.poll_ms);
}

static void
on_place(void *arg, const struct err *err, const char *value)
{
        struct phone_log *p = arg;
        struct tail_position from;
        bool known;

        if (!log_answered(p))
                return;
        p->asking = false;
        if (err->kind != ERR_NONE) {
                snprintf(p->last_error, sizeof p->last_error, "%.250s", err->text);
                log_set_state(p, "away");
                return;
        }
        known = tail_position_parse(value, &from);
        if (!known && *value != '\0')
                log_warn("PHONE-LOG",
                    "account=%s why=\"its place in the store cannot be read: begins at "
                    "the "
                    "end of the file\"",
                    log_quote(p->o.phone->account));
        p->tail = phone_tail_open(p->phone.file, known ? &from : NULL, &p->place);
        p->know_place = true;
        if (!known)
                log_save(p); /* what comes from now on is not old, whatever happens */
        timer_set(p->poll_timer, 0);
}

static void
on_poll(void *arg)
{
        struct phone_log *p = arg;
        const struct channel_host *h = p->channel.host;

        if (p->draining)
                return;
        timer_set(p->poll_timer, p->o.poll_ms);
        if (p->unsaved && !p->saving)
                log_save(p);
        if (p->know_place) {
                log_set_state(p, phone_tail_is_open(p->tail) ? "reading" : "waiting");
                log_read(p);
        } else if (!p->asking) {
                p->asking = true;
                p->n_waiting++;
                h->cursor_get(h->arg, p->o.phone->account, on_place, p);
        }
}

/* ---- pushing ---- */

static void
push_record(
    struct phone_log *p, struct push *u, const char *s, size_t n, struct err *first)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct phone_syntax_options o = {
            .syntax = phone_syntax_guess(s, n),
            .column17_is_userfield = p->phone.column17_is_userfield,
        };
        struct gathered *g;
        struct phone_row r;
        struct err err;

        if (phone_row_parse(s, n, &o, a, &r, &err) == -1) {
                log_bad(p, &err);
                if (u->result.n_bad++ == 0)
                        *first = err;
                return;
        }
        u->result.n_records++;
        g = log_gather(p, &r);
        for (size_t i = 0; i < g->n_pushes; i++)
                if (g->pushes[i] == u)
                        return;
        g->pushes = arena_grow(g->arena, g->pushes, g->n_pushes, sizeof(struct push *));
        g->pushes[g->n_pushes++] = u;
        u->n_open++;
        u->result.n_calls++;
}

static int
push_check(struct phone_log *p, size_t len, struct err *err)
{
        if (len > PUSH_MAX)
                return err_set(
                    err, ERR_LIMIT, "more than %d KB at once", PUSH_MAX / 1024);
        if (p->draining || p->retired)
                return err_code(
                    err, ERR_RETRY, "451", "this desk is draining, try later");
        if (p->n_rows >= ROWS_MAX)
                return err_code(
                    err, ERR_RETRY, "451", "%d rows wait already, try later", ROWS_MAX);
        return p->channel.host->may_take(p->channel.host->arg, err);
}

int
phone_log_push(struct phone_log *p, const char *content_type, const char *bytes,
    size_t len, phone_push_fn fn, void *arg, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct err first = {.kind = ERR_NONE};
        struct push *u;
        const char *s;
        size_t n, used;

        if (push_check(p, len, err) == -1 ||
            phone_push_unwrap(content_type, bytes, len, a, &s, &n, err) == -1)
                return -1;
        u = xcalloc(1, sizeof *u);
        *u = (struct push){.fn = fn, .arg = arg, .n_open = 1};
        u->result.settlement = SETTLE_DUPLICATE;
        for (; n > 0; s += used, n -= used) {
                used = phone_pushed_length(s, n);
                if (!is_blank(s, used))
                        push_record(p, u, s, used, &first);
        }
        if (u->result.n_records > 0) {
                crash_point("phone.pushed");
                loop_later(p->loop, on_push_parsed, u);
                return 0;
        }
        free(u);
        if (first.kind == ERR_NONE)
                return err_set(err, ERR_REJECT, "no record in it");
        *err = first;
        return -1;
}

/* ---- life ---- */

static const struct channel_ops phone_ops = {.name = "phone", .settle = log_settle};

static void
log_options(struct phone_log *p, const struct phone_log_options *o)
{
        struct arena *a = arena_new();
        const struct phone_options *from = o->phone;
        const char **ours = arena_alloc(a, (from->n_ours + 1) * sizeof *ours);

        p->phone = *from;
        for (size_t i = 0; i < from->n_ours; i++)
                ours[i] = phone_normalise(a, from->ours[i], o->country);
        p->phone.ours = ours;
        p->phone.name = arena_strdup(a, from->name);
        p->phone.account = arena_strdup(a, from->account);
        p->phone.file = arena_strdup(a, from->file);
        p->phone.timezone =
            arena_strdup(a, *from->timezone != '\0' ? from->timezone : o->timezone);
        p->phone.token = "";
        p->o = *o;
        p->o.phone = &p->phone;
        p->o.country = arena_strdup(a, o->country);
        p->o.language = arena_strdup(a, o->language);
        p->o.timezone = "";
        p->o.gather_ms = o->gather_ms > 0 ? o->gather_ms : GATHER_MS;
        p->o.poll_ms = o->poll_ms > 0 ? o->poll_ms : POLL_MS;
        arena_free(&p->arena);
        p->arena = a;
}

struct phone_log *
phone_log_open(
    struct loop *loop, const struct phone_log_options *o, const struct channel_host *host)
{
        struct phone_log *p = xcalloc(1, sizeof *p);

        p->channel.ops = &phone_ops;
        p->channel.host = host;
        p->loop = loop;
        TAILQ_INIT(&p->marks);
        TAILQ_INIT(&p->gathering);
        TAILQ_INIT(&p->ready);
        TAILQ_INIT(&p->sent);
        log_options(p, o);
        p->state = p->phone.file[0] == '\0' ? "push" : "away";
        p->since_ms = clock_now_ms();
        p->poll_timer = timer_new(loop, on_poll, p);
        p->gather_timer = timer_new(loop, on_gathered, p);
        p->retry_timer = timer_new(loop, on_retry, p);
        if (p->phone.file[0] != '\0')
                timer_set(p->poll_timer, 0);
        return p;
}

void
phone_log_change(struct phone_log *p, const struct phone_log_options *o)
{
        log_options(p, o);
}

bool
phone_log_reads(const struct phone_log *p, const char *file)
{
        return strcmp(p->phone.file, file) == 0;
}

const char *
phone_log_name(const struct phone_log *p)
{
        return p->phone.name;
}

/* Who waits for a push is told to come again; rows of the file stay behind its place. */
static void
list_drop(struct phone_log *p, struct gathered_list *list)
{
        struct gathered *g;

        while ((g = TAILQ_FIRST(list)) != NULL) {
                TAILQ_REMOVE(list, g, link);
                if (g->state == GATHERING)
                        LIST_REMOVE(g, bucket);
                for (size_t i = 0; i < g->n_pushes; i++)
                        push_settled(
                            g->pushes[i], SETTLE_LATER, "this desk is draining", "");
                gathered_free(p, g);
        }
}

void
phone_log_drain(struct phone_log *p)
{
        p->draining = true;
        timer_clear(p->poll_timer);
        timer_clear(p->gather_timer);
        timer_clear(p->retry_timer);
        list_drop(p, &p->gathering);
        list_drop(p, &p->ready);
}

void
phone_log_retire(struct phone_log **pp)
{
        struct phone_log *p = *pp;

        *pp = NULL;
        phone_log_drain(p);
        p->retired = true;
        log_reap(p);
}

void
phone_log_free(struct phone_log **pp)
{
        struct phone_log *p = *pp;
        struct mark *m;

        if (p == NULL)
                return;
        list_drop(p, &p->gathering);
        list_drop(p, &p->ready);
        list_drop(p, &p->sent);
        while ((m = TAILQ_FIRST(&p->marks)) != NULL) {
                TAILQ_REMOVE(&p->marks, m, link);
                free(m);
        }
        phone_tail_close(&p->tail);
        timer_free(&p->poll_timer);
        timer_free(&p->gather_timer);
        timer_free(&p->retry_timer);
        arena_free(&p->arena);
        free(p);
        *pp = NULL;
}

void
phone_log_status(const struct phone_log *p, struct phone_log_status *out)
{
        *out = (struct phone_log_status){
            .account = p->phone.account,
            .state = p->state,
            .since_ms = p->since_ms,
            .last_error = p->last_error,
        };
}
