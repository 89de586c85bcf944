/*
 * Tickets: reading them whole (one script call each, so all of one moment), lists of
 * them, and commit.
 */
#include "queue/store_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSED_SHOWN 8 /* of a customer's addresses */

/* ---- reading ---- */

/* Several reads that are answered as one. */
struct gather {
        struct store *s;
        struct arena *a;
        struct ticket_view *views;
        size_t n;
        size_t n_left;
        struct err err; /* the first that failed */
        const char *cursor; /* of a list; NULL: not one */
        store_ticket_fn one; /* exactly one of these three */
        store_tickets_fn many;
        store_list_fn list;
        void *arg;
};

static struct gather *
gather_new(struct store *s, size_t n, void *arg)
{
        struct arena *a = arena_new();
        struct gather *g = arena_alloc(a, sizeof(*g));

        g->s = s;
        g->a = a;
        g->n = n;
        g->n_left = n;
        g->arg = arg;
        g->views = arena_alloc(a, (n + 1) * sizeof(*g->views));
        return g;
}

static void
gather_done(void *arg)
{
        struct gather *g = arg;
        const struct err *err = g->err.kind != ERR_NONE ? &g->err : NULL;
        struct arena *a = g->a;

        if (g->one != NULL)
                g->one(g->arg, err_told(err), err == NULL ? &g->views[0] : NULL);
        else if (g->many != NULL)
                g->many(g->arg, err_told(err), err == NULL ? g->views : NULL,
                    err == NULL ? g->n : 0);
        else
                g->list(g->arg, err_told(err), g->cursor, err == NULL ? g->views : NULL,
                    err == NULL ? g->n : 0);
        for (size_t i = 0; i < g->n; i++)
                arena_free(&g->views[i].arena);
        arena_free(&a);
}

/* Another is answered. */
static void
gather_one(struct gather *g, const struct err *err)
{
        if (err != NULL && g->err.kind == ERR_NONE)
                g->err = *err;
        if (--g->n_left == 0)
                gather_done(g);
}

static const char **
view_strings(const redisReply *list, struct arena *a, size_t *n)
{
        const char **out;

        *n = list->type == REDIS_REPLY_ARRAY ? list->elements : 0;
        out = arena_alloc(a, (*n + 1) * sizeof(*out));
        for (size_t i = 0; i < *n; i++)
                out[i] = reply_dup(list, i, a);
        return out;
}

const char *
store_show_delivery(struct store *s, const char *json, size_t len, struct arena *a)
{
        static const char queued[] = "\"state\":\"queued\"",
                          held[] = "\"state\":\"held\"";
        struct buf b AUTO_BUF = BUF_INIT;
        const char *at = json, *hit;

        if (s->live)
                return arena_strndup(a, json, len);
        while ((hit = strstr(at, queued)) != NULL) {
                buf_add(&b, at, (size_t)(hit - at));
                buf_adds(&b, held);
                at = hit + strlen(queued);
        }
        buf_adds(&b, at);
        return arena_strdup(a, buf_str(&b));
}

static void
view_delivery(struct store *s, const redisReply *pairs, struct ticket_view *v)
{
        size_t n = pairs->type == REDIS_REPLY_ARRAY ? pairs->elements : 0;

        v->delivery = arena_alloc(v->arena, (n + 1) * sizeof(*v->delivery));
        for (size_t i = 0; i + 1 < n; i += 2) {
                const char *id = reply_str(pairs, i);

                if (strchr(id, ':') != NULL) /* "<message>:ob" */
                        continue;
                if (strcmp(id, KEY_DELIVERY_DRAFT) == 0) {
                        v->draft = reply_dup(pairs, i + 1, v->arena);
                        continue;
                }
                v->delivery[2 * v->n_delivery] = arena_strdup(v->arena, id);
                v->delivery[2 * v->n_delivery + 1] =
                    store_show_delivery(s, reply_str(pairs, i + 1),
                        (size_t)reply_at(pairs, i + 1)->len, v->arena);
                v->n_delivery++;
        }
}

static void
view_parts(const redisReply *list, struct ticket_view *v)
{
        size_t n = list->type == REDIS_REPLY_ARRAY ? list->elements / 2 : 0;

        v->parts = arena_alloc(v->arena, (n + 1) * sizeof(*v->parts));
        for (; v->n_parts < n; v->n_parts++) {
                v->parts[v->n_parts].id = reply_dup(list, 2 * v->n_parts, v->arena);
                v->parts[v->n_parts].customer =
                    reply_dup(list, 2 * v->n_parts + 1, v->arena);
        }
}

/* A class that `sweep` has forgotten (its ticket is closed) leaves an empty one. */
static void
view_class(struct ticket_view *v, const redisReply *r)
{
        struct class *k = &v->ticket.class_doc;
        const redisReply *text = reply_at(r, 3);

        if (text->type == REDIS_REPLY_STRING && text->len > 0 &&
            class_parse(text->str, (size_t)text->len, v->arena, k, NULL) == 0)
                return;
        *k = (struct class){.text = "",
            .route = v->ticket.route,
            .channel = v->ticket.channel,
            .calendar = ""};
}

static void
view_idem(struct ticket_view *v, const redisReply *idem)
{
        const char *nl;

        v->idem_hash = v->idem_answer = "";
        if (idem->type != REDIS_REPLY_STRING || idem->len == 0)
                return;
        nl = memchr(idem->str, '\n', (size_t)idem->len);
        if (nl == NULL)
                return;
        v->idem_hash = arena_strndup(v->arena, idem->str, (size_t)(nl - idem->str));
        v->idem_answer_len = (size_t)(idem->str + idem->len - nl - 1);
        v->idem_answer = arena_strndup(v->arena, nl + 1, v->idem_answer_len);
}

static void
view_customer(const redisReply *pairs, struct ticket_view *v)
{
        static const char prefix[] = KEY_CUSTOMER_REFUSED;
        struct customer *k = &v->ticket.customer;
        size_t n = pairs->type == REDIS_REPLY_ARRAY ? pairs->elements : 0;

        k->id = v->ticket.customer_id;
        k->name = arena_strdup(v->arena, reply_field(pairs, "name"));
        k->emails = json_strings(reply_field(pairs, "emails"), v->arena, &k->n_emails);
        k->phones = json_strings(reply_field(pairs, "phones"), v->arena, &k->n_phones);
        k->refused = arena_alloc(v->arena, (n + 1) * sizeof(*k->refused));
        for (size_t i = 0; i + 1 < n && k->n_refused < REFUSED_SHOWN; i += 2)
                if (strncmp(reply_str(pairs, i), prefix, sizeof(prefix) - 1) == 0)
                        k->refused[k->n_refused++] = reply_dup(pairs, i + 1, v->arena);
}

static int
view_parse(struct store *s, const char *id, const redisReply *r, struct ticket_view *v,
    struct err *err)
{
        view_idem(v, reply_at(r, 8));
        v->exists = reply_int(r, 1) == 1;
        if (!v->exists)
                return 0;
        if (store_ticket_parse(id, reply_at(r, 2), v->arena, &v->ticket, err) == -1)
                return -1;
        view_class(v, r);
        view_customer(reply_at(r, 4), v);
        v->messages = view_strings(reply_at(r, 5), v->arena, &v->n_messages);
        v->log = view_strings(reply_at(r, 6), v->arena, &v->n_log);
        view_delivery(s, reply_at(r, 7), v);
        view_parts(reply_at(r, 9), v);
        v->n_levels = (unsigned)reply_int(r, 10);
        return 0;
}

static void
read_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct gather *g = c->x;
        struct ticket_view *v = &g->views[c->i];
        struct err why;

        v->arena = arena_new();
        v->idem_hash = v->idem_answer = v->draft = "";
        if (err == NULL && view_parse(g->s, c->argv[8], r, v, &why) == -1)
                err = &why;
        gather_one(g, err);
}

static void
gather_read(struct gather *g, size_t i, const struct read_ticket *r)
{
        struct call *c = store_call_verb(g->s, "read", read_on, NULL);

        c->x = g;
        c->i = i;
        store_call_add(c, r->idem);
        store_call_add(c, r->id);
        store_call_addn(c, r->n_messages);
        store_call_addn(c, r->before);
        store_call_add(c, r->log ? "1" : "0");
        store_call_add(c, r->thread ? "1" : "0");
        store_call_add(c, r->before_id);
        store_call_send(c);
}

void
store_read(struct store *s, const struct read_ticket *r, store_ticket_fn fn, void *arg)
{
        struct gather *g = gather_new(s, 1, arg);

        g->one = fn;
        gather_read(g, 0, r);
}

void
store_read_many(struct store *s, const struct read_ticket *r, size_t n,
    store_tickets_fn fn, void *arg)
{
        struct gather *g = gather_new(s, n, arg);

        g->many = fn;
        if (n == 0)
                loop_later(s->loop, gather_done, g);
        for (size_t i = 0; i < n; i++)
                gather_read(g, i, &r[i]);
}

/* ---- lists ---- */

static void
list_gather(
    struct call *c, const struct err *err, const redisReply *ids, const char *cursor)
{
        size_t n = err == NULL && ids->type == REDIS_REPLY_ARRAY ? ids->elements : 0;
        struct gather *g = gather_new(c->s, n, c->arg);

        g->list = (store_list_fn)c->fn;
        g->cursor = arena_strdup(g->a, cursor);
        if (err != NULL)
                g->err = *err;
        if (n == 0)
                gather_done(g);
        for (size_t i = 0; i < n; i++)
                gather_read(
                    g, i, &(struct read_ticket){.id = reply_str(ids, i), .idem = ""});
}

static void
list_on(struct call *c, const struct err *err, const redisReply *r)
{
        list_gather(c, err, reply_at(r, 2), err == NULL ? reply_str(r, 1) : "0");
}

static void
queue_on(struct call *c, const struct err *err, const redisReply *r)
{
        list_gather(c, err, reply_at(r, 1), "0");
}

static unsigned
page_of(unsigned count)
{
        return count == 0 || count > READ_MAX ? READ_MAX : count;
}

void
store_list(struct store *s, const struct list_query *q, store_list_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "list", list_on, arg);
        char *end;
        unsigned long long cursor = strtoull(q->cursor, &end, 10);

        c->fn = (void (*)(void))fn;
        store_call_add(c, q->by_holder ? q->agent : "");
        store_call_add(c, q->state);
        store_call_add(c, q->line);
        store_call_addn(c, *end == '\0' ? (int64_t)(cursor & 0xffffffffffff) : 0);
        store_call_addn(c, page_of(q->count));
        store_call_add(c, q->customer);
        store_call_add(c, q->tag);
        store_call_add(c, q->who);
        store_call_addn(c, (int64_t)q->n_hidden);
        for (size_t i = 0; i < q->n_hidden; i++)
                store_call_add(c, q->hidden[i]);
        store_call_send(c);
}

void
store_queue(struct store *s, const struct queue_query *q, store_list_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "queue", queue_on, arg);

        c->fn = (void (*)(void))fn;
        store_call_add(c, q->line);
        store_call_addn(c, page_of(q->count));
        store_call_addn(c, (int64_t)q->n_agents);
        for (size_t i = 0; i < q->n_agents; i++)
                store_call_add(c, q->agents[i]);
        store_call_send(c);
}

void
store_asked(struct store *s, const struct asked_query *q, store_list_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "asked", queue_on, arg);

        c->fn = (void (*)(void))fn;
        store_call_add(c, q->agent);
        store_call_addn(c, (int64_t)q->n_lines);
        for (size_t i = 0; i < q->n_lines; i++)
                store_call_add(c, q->lines[i]);
        for (size_t i = 0; i < q->n_others; i++)
                store_call_add(c, q->others[i]);
        store_call_send(c);
}

static void
open_on(struct call *c, const struct err *err, const redisReply *r)
{
        size_t n = 0;
        const char **ids = err == NULL ? view_strings(r, c->a, &n) : NULL;

        ((store_ids_fn)c->fn)(c->arg, err_told(err), ids, n);
}

void
store_open(struct store *s, const char *after, unsigned count, store_ids_fn fn, void *arg)
{
        struct call *c = store_call_plain(s, "ZRANGEBYSCORE", open_on, arg);

        c->fn = (void (*)(void))fn;
        store_call_add(c, KEY_OPEN);
        store_call_addf(c, "(%s", after);
        store_call_add(c, "+inf");
        store_call_add(c, "LIMIT");
        store_call_add(c, "0");
        store_call_addn(c, count);
        store_call_send(c);
}

/* ---- commit ---- */

static void
commit_on(struct call *c, const struct err *err, const redisReply *r)
{
        const char *word = reply_str(r, 0);
        struct err why;

        if (err == NULL && strcmp(word, "STORED") == 0) {
                const redisReply *answer = reply_at(r, 4);

                c->commit(c->arg, err_told(NULL), reply_str(r, 4),
                    answer->type == REDIS_REPLY_STRING ? (size_t)answer->len : 0,
                    reply_str(r, 3));
                return;
        }
        if (err == NULL && strcmp(word, "STALE") == 0) {
                err_set(
                    &why, ERR_STALE, "the ticket has changed meanwhile: read it again");
                err = &why;
        } else if (err == NULL && strcmp(word, "OK") != 0) {
                err_code(&why, ERR_NOTFOUND, "NOSUCH", "there is no such ticket");
                err = &why;
        }
        if (err == NULL && c->x != NULL)
                snprintf(c->x, MADE_MAX, "%s", reply_str(r, 4));
        c->commit(c->arg, err_told(err), NULL, 0, "");
}

void
store_commit(struct store *s, const struct commit *m, store_commit_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "commit", commit_on, arg);
        struct err why;

        c->commit = fn;
        c->x = m->made;
        store_call_add(c, m->change->ticket);
        store_call_addn(c, (int64_t)m->change->version);
        store_call_add(c, m->change->bump ? "1" : "0");
        store_call_add(c, m->idem);
        store_call_add(c, m->idem_hash);
        store_call_addn(c, IDEM_MS);
        store_call_addl(
            c, m->answer != NULL ? m->answer : "", m->answer != NULL ? m->answer_len : 0);
        store_call_add(c, store_nonce(s, c->a));
        store_call_change(c, m->change);
        if (store_is_full(s, &why))
                store_call_fail(c, &why);
        else
                store_call_send(c);
}
