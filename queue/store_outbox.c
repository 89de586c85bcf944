/*
 * Outbox and quarantine by hand, the switch between rehearsal and live, and the clocks.
 */
#include "queue/store_impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "queue/blob.h"

/* ---- pages of hashes: ids first, then each one's fields ---- */

struct page {
        struct store *s;
        struct arena *a;
        const char *prefix; /* of the hashes' keys */
        const char *cursor; /* to go on from */
        const char **ids;
        struct outbox_entry *entries; /* one of these two */
        struct quarantined *quarantined;
        size_t n; /* found */
        size_t n_left; /* to be answered */
        struct err err;
        store_outbox_fn outbox; /* one of these two */
        store_quarantine_fn quarantine;
        void *arg;
};

static struct page *
page_new(struct store *s, const char *prefix, size_t n, void *arg)
{
        struct arena *a = arena_new();
        struct page *p = arena_alloc(a, sizeof(*p));

        p->s = s;
        p->a = a;
        p->prefix = prefix;
        p->cursor = "0";
        p->n_left = n;
        p->arg = arg;
        p->ids = arena_alloc(a, (n + 1) * sizeof(*p->ids));
        p->entries = arena_alloc(a, (n + 1) * sizeof(*p->entries));
        p->quarantined = arena_alloc(a, (n + 1) * sizeof(*p->quarantined));
        return p;
}

static void
page_done(struct page *p)
{
        struct arena *a = p->a;
        bool ok = p->err.kind == ERR_NONE;
        const struct err *err = ok ? NULL : &p->err;

        if (p->outbox != NULL)
                p->outbox(p->arg, err_told(err), p->entries, ok ? p->n : 0, p->cursor);
        else
                p->quarantine(
                    p->arg, err_told(err), p->quarantined, ok ? p->n : 0, p->cursor);
        arena_free(&a);
}

static const char *
field_dup(const redisReply *pairs, const char *field, struct arena *a)
{
        return arena_strdup(a, reply_field(pairs, field));
}

static int64_t
field_int(const redisReply *pairs, const char *field)
{
        return strtoll(reply_field(pairs, field), NULL, 10);
}

static void
entry_parse(struct page *p, const char *id, const redisReply *r)
{
        struct outbox_entry *e = &p->entries[p->n++];
        struct arena *a = p->a;

        e->id = arena_strdup(a, id);
        e->ticket = field_dup(r, "ticket", a);
        e->message = field_dup(r, "message", a);
        e->kind = field_dup(r, "kind", a);
        e->account = field_dup(r, "account", a);
        e->template = field_dup(r, "template", a);
        e->why = field_dup(r, "why", a);
        e->language = field_dup(r, "lang", a);
        e->to = json_strings(reply_field(r, "to"), a, &e->n_to);
        e->delivery = field_dup(r, "delivery", a);
        e->state = field_dup(r, "state", a);
        if (!p->s->live && strcmp(e->state, "queued") == 0)
                e->state = "held";
        e->tries = (unsigned)field_int(r, "tries");
        e->created_ms = reply_ms(r, "created");
        e->next_ms = reply_ms(r, "next");
        e->last = field_dup(r, "last", a);
}

static void
quarantined_parse(struct page *p, const char *id, const redisReply *r)
{
        struct quarantined *q = &p->quarantined[p->n++];

        q->id = arena_strdup(p->a, id);
        q->account = field_dup(r, "account", p->a);
        q->why = field_dup(r, "why", p->a);
        q->ticket = field_dup(r, "ticket", p->a);
        q->message = field_dup(r, "message", p->a);
        q->at_ms = reply_ms(r, "at");
        if (!blob_ref_parse(reply_field(r, "raw"), &q->raw))
                q->raw = (struct blob_ref){0};
}

static void
page_on_hash(struct call *c, const struct err *err, const redisReply *r)
{
        struct page *p = c->x;

        if (err != NULL)
                p->err = *err;
        else if (r->type == REDIS_REPLY_ARRAY && r->elements > 0 && p->outbox != NULL)
                entry_parse(p, p->ids[c->i], r);
        else if (r->type == REDIS_REPLY_ARRAY && r->elements > 0)
                quarantined_parse(p, p->ids[c->i], r);
        if (--p->n_left == 0)
                page_done(p);
}

static void
page_ask(struct page *p, size_t i, const char *id)
{
        struct call *c = store_call_plain(p->s, "HGETALL", page_on_hash, NULL);

        p->ids[i] = arena_strdup(p->a, id);
        c->x = p;
        c->i = i;
        store_call_addf(c, "%s%s", p->prefix, id);
        store_call_send(c);
}

static void
page_fill(struct page *p, const redisReply *ids, size_t step)
{
        size_t n = p->n_left;

        if (n == 0)
                page_done(p);
        for (size_t i = 0; i < n; i++)
                page_ask(p, i, reply_str(ids, i * step));
}

/* ---- outbox ---- */

void
store_outbox_read(struct store *s, const char *entry, store_outbox_fn fn, void *arg)
{
        struct page *p = page_new(s, KEY_OUTBOX, 1, arg);

        p->outbox = fn;
        page_ask(p, 0, entry);
}

/* First what is due some time ("q<cursor>"), then the dead ("d<cursor>"). */
static void
outbox_list_on(struct call *c, const struct err *err, const redisReply *r)
{
        size_t n = err == NULL ? reply_n(r, 1) / 2 : 0;
        struct page *p = page_new(c->s, KEY_OUTBOX, n, c->arg);
        const char *next = err == NULL ? reply_str(r, 0) : "0";

        p->outbox = c->outbox;
        if (err != NULL)
                p->err = *err;
        else if (strcmp(next, "0") != 0)
                p->cursor = arena_printf(p->a, "%c%s", c->i == 0 ? 'q' : 'd', next);
        else if (c->i == 0)
                p->cursor = "d0";
        page_fill(p, reply_at(r, 1), 2);
}

void
store_outbox_list(
    struct store *s, const char *cursor, unsigned count, store_outbox_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "ZSCAN", outbox_list_on, arg);
        bool dead = cursor[0] == 'd';
        const char *at = dead || cursor[0] == 'q' ? cursor + 1 : cursor;

        c->outbox = fn;
        c->i = dead;
        store_call_add(c, dead ? KEY_DEAD : KEY_OUTBOX_DUE);
        store_call_addf(c, "%" PRIu64, (uint64_t)strtoull(at, NULL, 10));
        store_call_add(c, "COUNT");
        store_call_addn(c, count > 0 && count < READ_MAX ? count : READ_MAX);
        store_call_send(c);
}

void
store_outbox_retry(
    struct store *s, const char *entry, const char *who, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "retry", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, entry);
        store_call_add(c, who);
        store_call_send(c);
}

static void
live_on(struct call *c, const struct err *err, const redisReply *r)
{
        if (err == NULL)
                c->s->live = c->i == 1;
        store_call_on_done(c, err, r);
}

void
store_set_live(struct store *s, bool live, const char *who, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "live", live_on, arg);

        c->done = fn;
        c->i = live;
        store_call_add(c, live ? "1" : "0");
        store_call_add(c, who);
        store_call_send(c);
}

/* ---- quarantine ---- */

static void
quarantine_list_on(struct call *c, const struct err *err, const redisReply *r)
{
        size_t n = err == NULL && r->type == REDIS_REPLY_ARRAY ? r->elements : 0;
        struct page *p = page_new(c->s, KEY_QUARANTINED, n, c->arg);
        unsigned asked = *(unsigned *)c->x;

        p->quarantine = c->quarantine;
        if (err != NULL)
                p->err = *err;
        else if (n == asked)
                p->cursor = arena_printf(p->a, "%zu", c->i + n);
        page_fill(p, r, 1);
}

void
store_quarantine_list(struct store *s, const char *cursor, unsigned count,
    store_quarantine_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "ZRANGE", quarantine_list_on, arg);
        unsigned *asked = arena_alloc(c->a, sizeof(*asked));

        *asked = count > 0 && count < READ_MAX ? count : READ_MAX;
        c->quarantine = fn;
        c->x = asked;
        c->i = (size_t)(strtoull(cursor, NULL, 10) & 0x7fffffff);
        store_call_add(c, KEY_QUARANTINE);
        store_call_addn(c, (int64_t)c->i);
        store_call_addn(c, (int64_t)c->i + *asked - 1);
        store_call_send(c);
}

void
store_quarantine_read(struct store *s, const char *id, store_quarantine_fn fn, void *arg)
{
        struct page *p = page_new(s, KEY_QUARANTINED, 1, arg);

        p->quarantine = fn;
        page_ask(p, 0, id);
}

void
store_quarantine_drop(
    struct store *s, const char *id, const char *who, store_done_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "unquar", store_call_on_done, arg);

        c->done = fn;
        store_call_add(c, id);
        store_call_add(c, who);
        store_call_send(c);
}

/* ---- clocks ---- */

static void
tick_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct tick_answer a = {0};

        if (err != NULL) {
                c->tick(c->arg, err_told(err), NULL);
                return;
        }
        c->s->n_ticks++;
        a.n_done = (unsigned)reply_int(r, 3);
        a.more = reply_int(r, 4) == 1;
        a.n_clocks = reply_n(r, 5);
        a.clocks = arena_alloc(c->a, (a.n_clocks + 1) * sizeof(*a.clocks));
        for (size_t i = 0; i < a.n_clocks; i++)
                a.clocks[i] = reply_dup(reply_at(r, 5), i, c->a);
        a.n_outbox = r->elements > 6 ? r->elements - 6 : 0;
        a.outbox = arena_alloc(c->a, (a.n_outbox + 1) * sizeof(*a.outbox));
        for (size_t i = 0; i < a.n_outbox; i++)
                a.outbox[i] = reply_dup(r, 6 + i, c->a);
        c->tick(c->arg, err_told(NULL), &a);
}

void
store_tick(struct store *s, unsigned n_claims, int64_t claim_ms, int64_t own_ms,
    store_tick_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "tick", tick_on, arg);

        c->tick = fn;
        store_call_addn(c, n_claims);
        store_call_addn(c, claim_ms);
        store_call_addn(c, own_ms);
        store_call_add(c, arena_printf(c->a, "%s-t%" PRIu64, s->daemon, s->n_ticks));
        store_call_send(c);
}

static void
sweep_on(struct call *c, const struct err *err, const redisReply *r)
{
        size_t n = err == NULL && r->elements > 3 ? r->elements - 3 : 0;
        const char **classes = arena_alloc(c->a, (n + 1) * sizeof(*classes));

        for (size_t i = 0; i < n; i++)
                classes[i] = reply_dup(r, 3 + i, c->a);
        c->swept(c->arg, err_told(err), classes, n);
}

void
store_sweep(struct store *s, store_swept_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "sweep", sweep_on, arg);

        c->swept = fn;
        store_call_send(c);
}
