/*
 * Intake's side of the store: the facts in one round trip, and put, guarded by them.
 *
 * put is repeated safely: by its digest for 90 days, and a repeat of the very same put
 * (its answer was lost) is known by its nonce and answered as the first time.
 */
#include "queue/store_impl.h"

#include <string.h>

#include "daemon/base/json.h"

int
store_ticket_parse(const char *id, const redisReply *pairs, struct arena *a,
    struct ticket *out, struct err *err)
{
        size_t n = pairs->type == REDIS_REPLY_ARRAY ? pairs->elements : 0;
        const char **fields = arena_alloc(a, (n + 1) * sizeof(*fields));
        size_t *lens = arena_alloc(a, (n + 1) * sizeof(*lens));

        for (size_t i = 0; i < n; i++) {
                fields[i] = reply_str(pairs, i);
                lens[i] = (size_t)reply_at(pairs, i)->len;
        }
        return ticket_from_fields(id, fields, lens, n / 2, a, out, err);
}

/* ---- facts ---- */

static int
facts_tickets(
    struct call *c, const redisReply *list, struct facts_answer *f, struct err *err)
{
        size_t n = list->type == REDIS_REPLY_ARRAY ? list->elements / 2 : 0;

        f->tickets = arena_alloc(c->a, (n + 1) * sizeof(*f->tickets));
        for (size_t i = 0; i < n; i++)
                if (store_ticket_parse(reply_str(list, 2 * i), reply_at(list, 2 * i + 1),
                        c->a, &f->tickets[f->n_tickets++], err) == -1)
                        return -1;
        return 0;
}

static void
facts_count_duplicate(struct store *s)
{
        struct call *c = store_call_plain(s, "HINCRBY", store_call_on_done, NULL);

        c->repeat = false;
        store_call_add(c, KEY_COUNTS);
        store_call_add(c, "duplicates");
        store_call_add(c, "1");
        store_call_send(c);
}

static void
facts_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct facts_answer f = {0};
        struct err why;
        size_t n;

        if (err == NULL && facts_tickets(c, reply_at(r, 4), &f, &why) == -1)
                err = &why;
        if (err != NULL) {
                c->facts(c->arg, err_told(err), NULL);
                return;
        }
        f.duplicate = reply_dup(r, 1, c->a);
        f.customer = reply_dup(r, 2, c->a);
        f.customer_name = reply_dup(r, 3, c->a);
        n = reply_n(r, 5);
        f.mid_tickets = arena_alloc(c->a, (n + 1) * sizeof(*f.mid_tickets));
        for (size_t i = 0; i < n; i++)
                f.mid_tickets[i] = reply_dup(reply_at(r, 5), i, c->a);
        f.n_recent = reply_n(r, 6);
        f.recent = arena_alloc(c->a, (f.n_recent + 1) * sizeof(*f.recent));
        for (size_t i = 0; i < f.n_recent; i++)
                f.recent[i] = reply_dup(reply_at(r, 6), i, c->a);
        f.n_aliases = reply_n(r, 8) / 2;
        f.aliases = arena_alloc(c->a, (2 * f.n_aliases + 1) * sizeof(*f.aliases));
        for (size_t i = 0; i < 2 * f.n_aliases; i++)
                f.aliases[i] = reply_dup(reply_at(r, 8), i, c->a);
        f.n_counts = reply_n(r, 7) < c->i ? reply_n(r, 7) : c->i;
        f.counts = c->x;
        for (size_t i = 0; i < f.n_counts; i++)
                f.counts[i].n = (unsigned)reply_int(reply_at(r, 7), i);
        if (f.duplicate[0] != '\0')
                facts_count_duplicate(c->s);
        c->facts(c->arg, err_told(NULL), &f);
}

static void
store_call_add_counts(struct call *c, const struct facts_query *q)
{
        struct tag_count *counts = arena_alloc(c->a, (q->n_counts + 1) * sizeof(*counts));

        c->i = q->n_counts;
        c->x = counts;
        store_call_addn(c, (int64_t)q->n_counts);
        for (size_t i = 0; i < q->n_counts; i++) {
                counts[i] = q->counts[i];
                counts[i].tag = arena_strdup(c->a, q->counts[i].tag);
                store_call_add(c, q->counts[i].tag);
                store_call_addn(c, q->now_ms - q->counts[i].window_ms);
        }
}

void
store_facts(struct store *s, const struct facts_query *q, store_facts_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "facts", facts_on, arg);
        char hash[MID_HASH_LEN + 1];

        c->facts = fn;
        store_call_add(c, q->digest);
        store_call_add(c, q->sender);
        store_call_add(c, q->also == NULL ? "" : q->also);
        store_call_addn(c, q->n_recent);
        store_call_addn(c, (int64_t)q->n_tickets);
        for (size_t i = 0; i < q->n_tickets; i++)
                store_call_add(c, q->tickets[i]);
        store_call_addn(c, (int64_t)q->n_mids);
        for (size_t i = 0; i < q->n_mids; i++) {
                mid_hash(q->mids[i], hash);
                store_call_add(c, hash);
        }
        store_call_add_counts(c, q);
        store_call_send(c);
}

/* ---- put ---- */

static void
put_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct put_answer a = {0};

        if (err != NULL) {
                c->put(c->arg, err_told(err), NULL);
                return;
        }
        a.outcome = strcmp(reply_str(r, 0), "OK") == 0    ? PUT_STORED
                    : strcmp(reply_str(r, 0), "DUP") == 0 ? PUT_DUPLICATE
                                                          : PUT_STALE;
        a.ticket = reply_dup(r, 3, c->a);
        a.message = reply_dup(r, 4, c->a);
        a.acknowledged = reply_int(r, 5) == 1;
        a.ack_suppressed = reply_int(r, 6) == 1;
        c->put(c->arg, err_told(NULL), &a);
}

static void
store_call_add_list(struct call *c, const char *one)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        if (one != NULL && one[0] != '\0')
                jo_string(&o, one);
        jo_close(&o, ']');
        store_call_addl(c, b.data, b.len);
}

/* Of the question, as every outgoing message has one. */
static void
store_call_add_delivery(struct call *c, const struct put *p)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        if (p->ask == NULL || p->ask[0] == '\0') {
                store_call_add(c, "");
                return;
        }
        jo_init(&o, &b);
        jo_open(&o, '[');
        jo_open(&o, '{');
        jo_kstring(&o, "address", p->ack_to);
        jo_kstring(&o, "state", "queued");
        jo_ktime(&o, "at", p->now_ms * 1000);
        jo_kstring(&o, "reply", "");
        jo_close(&o, '}');
        jo_close(&o, ']');
        store_call_addl(c, b.data, b.len);
}

void
store_put(struct store *s, const struct put *p, store_put_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "put", put_on, arg);
        const char *nonce = store_nonce(s, c->a);
        bool has_digest = p->digest != NULL && p->digest[0] != '\0';

        c->put = fn;
        store_call_add(c, has_digest ? p->digest : nonce);
        store_call_addn(c, has_digest ? SEEN_MS : IDEM_OWN_MS);
        store_call_add(c, nonce);
        store_call_add(c, p->sender);
        store_call_add(c, p->customer);
        store_call_add(c, p->customer_name);
        store_call_add_list(c, p->sender);
        store_call_add(c, p->change->ticket);
        store_call_addn(c, (int64_t)p->change->version);
        store_call_add(c, p->ack_template);
        store_call_add(c, p->ack_to);
        store_call_add_list(c, p->ack_to);
        store_call_add(c, p->ack_language);
        store_call_add(c, p->ack_account);
        store_call_addn(c, p->ack_due_ms);
        store_call_add(c, p->also == NULL ? "" : p->also);
        store_call_add(c, p->ask == NULL ? "" : p->ask);
        store_call_add_delivery(c, p);
        store_call_change(c, p->change);
        store_call_send(c);
}
