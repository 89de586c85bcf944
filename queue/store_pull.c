/*
 * Routing's side of the store: pull, the heads of the classes, class documents.
 *
 * A pull that gave something leaves its ids under a key (the agent's own, or one of
 * the daemon's for ten minutes), so an answer lost on the way is given again and no
 * ticket is in the hands of someone who never heard of it.
 */
#include "queue/store_impl.h"

#include <stdlib.h>
#include <string.h>

static int64_t
head_parse(const char *v)
{
        return v[0] != '\0' ? strtoll(v, NULL, 10) : INT64_MAX;
}

static struct pull_head *
heads_parse(const redisReply *pairs, struct arena *a, size_t *n)
{
        size_t n_pairs = pairs->type == REDIS_REPLY_ARRAY ? pairs->elements / 2 : 0;
        struct pull_head *heads = arena_alloc(a, (n_pairs + 1) * sizeof(*heads));

        *n = 0;
        for (size_t i = 0; i < n_pairs; i++) {
                if (strcmp(reply_str(pairs, 2 * i), HEAD_WIDE) == 0)
                        continue;
                heads[*n].class_id = reply_dup(pairs, 2 * i, a);
                heads[(*n)++].v_us = head_parse(reply_str(pairs, 2 * i + 1));
        }
        return heads;
}

static enum pull_outcome
outcome_parse(const char *word)
{
        static const char *const words[] = {
            "TAKEN", "NOTHING", "FULL", "AWAY", "REFUSED"};

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (strcmp(words[i], word) == 0)
                        return (enum pull_outcome)i;
        return PULL_NOTHING;
}

static void
pull_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct pull_answer a = {0};

        if (err != NULL) {
                c->pull(c->arg, err_told(err), NULL);
                return;
        }
        a.outcome = outcome_parse(reply_str(r, 0));
        a.hintseq = (uint64_t)reply_int(r, 1);
        a.n_tickets = reply_n(r, 3);
        a.tickets = arena_alloc(c->a, (a.n_tickets + 1) * sizeof(*a.tickets));
        for (size_t i = 0; i < a.n_tickets; i++)
                a.tickets[i] = reply_dup(reply_at(r, 3), i, c->a);
        a.heads = heads_parse(reply_at(r, 4), c->a, &a.n_heads);
        a.repeated = reply_int(r, 5) == 1;
        a.code = reply_dup(r, 6, c->a);
        a.why = reply_dup(r, 7, c->a);
        a.used = (unsigned)reply_int(r, 8);
        c->pull(c->arg, err_told(NULL), &a);
}

static void
pull_add_key(struct call *c, const struct pull *p)
{
        bool has_key = p->idem != NULL && p->idem[0] != '\0';

        store_call_add(c, has_key ? p->idem : store_nonce(c->s, c->a));
        store_call_add(c, has_key ? p->idem_hash : "");
        store_call_addn(c, has_key ? IDEM_MS : IDEM_OWN_MS);
}

static void
pull_add_classes(struct call *c, const struct pull *p)
{
        store_call_addn(c, (int64_t)p->n_leases);
        for (size_t i = 0; i < 2 * p->n_leases; i++)
                store_call_add(c, p->leases[i]);
        store_call_addn(c, (int64_t)p->n_groups);
        for (size_t i = 0; i < p->n_groups; i++) {
                const struct pull_group *g = &p->groups[i];

                store_call_addn(c, g->cutoff_us);
                store_call_addn(c, g->handicap_us);
                store_call_addn(c, (int64_t)g->n_classes);
                for (size_t j = 0; j < g->n_classes; j++)
                        store_call_add(c, g->classes[j]);
        }
}

void
store_pull(struct store *s, const struct pull *p, store_pull_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "pull", pull_on, arg);
        struct err why;

        c->pull = fn;
        store_call_add(c, p->agent);
        store_call_addn(c, p->holds);
        store_call_addn(c, p->count > 0 ? p->count : 1);
        store_call_add(c, p->own ? "1" : "0");
        store_call_add(c, p->ticket);
        store_call_add(c, p->by != NULL && p->by[0] != '\0' ? p->by : "0");
        store_call_add(c, p->connection);
        store_call_addn(c, p->default_lease_ms);
        pull_add_key(c, p);
        store_call_add(c, p->hinted);
        store_call_add(c, p->make_ready ? "1" : "0");
        pull_add_classes(c, p);
        if (store_is_full(s, &why))
                store_call_fail(c, &why);
        else
                store_call_send(c);
}

static void
heads_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct heads_answer a = {0};

        if (err == NULL)
                a.heads = heads_parse(r, c->a, &a.n_heads);
        c->heads(c->arg, err_told(err), err == NULL ? &a : NULL);
}

void
store_heads(struct store *s, store_heads_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "HGETALL", heads_on, arg);

        c->heads = fn;
        store_call_add(c, KEY_HEAD);
        store_call_send(c);
}

static void
class_on(struct call *c, const struct err *err, const redisReply *r)
{
        if (err != NULL || r->type != REDIS_REPLY_STRING)
                c->text(c->arg, err_told(err), NULL, 0);
        else
                c->text(c->arg, err_told(NULL), r->str, (size_t)r->len);
}

void
store_class(struct store *s, const char *class_id, store_text_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "HGET", class_on, arg);

        c->text = fn;
        store_call_add(c, KEY_CLASS);
        store_call_add(c, class_id);
        store_call_send(c);
}

void
store_calendar(struct store *s, const char *id, store_text_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "HGET", class_on, arg);

        c->text = fn;
        store_call_add(c, KEY_CALENDAR);
        store_call_add(c, id);
        store_call_send(c);
}

static void
classes_on(struct call *c, const struct err *err, const redisReply *r)
{
        size_t n = err == NULL && r->type == REDIS_REPLY_ARRAY ? r->elements : 0;
        const char **texts = arena_alloc(c->a, (n + 1) * sizeof(*texts));

        for (size_t i = 0; i < n; i++)
                texts[i] = reply_str(r, i);
        c->texts(c->arg, err_told(err), texts, n);
}

void
store_classes(struct store *s, store_classes_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "HVALS", classes_on, arg);

        c->texts = fn;
        store_call_add(c, KEY_CLASS);
        store_call_send(c);
}
