/*
 * Dispatch: who of the parked agents gets the next ticket. See dispatch.h for
 * the contract and STORE.md, "Agents waiting for work", for the argument.
 *
 * Nothing here is durable. When the daemon dies, parked agents lose their
 * connections and ask again; what a pull in flight took is given back by its
 * agent's grace.
 *
 * Three things make a reserve pull: its arrival, a wish of its agent (`wants`:
 * a hint for him, or for all), and a class on the list whose head he may take. The list
 * is looked through after each hint and each answer. A class leaves it when its
 * head says that nothing waits, or when every parked reserve that may take the head has
 * pulled in vain since the last hint: `tried_epoch` of the reserve against
 * `hint_epoch` of the class, both taken from one counter.
 *
 * Which classes a profile may take from is in dispatch_fit.c, in which order agents are
 * asked in dispatch_agents.c.
 */
#include "daemon/dispatch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/dispatch_impl.h"

struct dispatch *
dispatch_new(const struct dispatch_ops *ops, void *arg)
{
        struct dispatch *d = xcalloc(1, sizeof *d);

        d->ops = *ops;
        d->arg = arg;
        d->epoch = 1;
        return d;
}

/* ---- the list of classes ---- */

static void
class_unlist(struct dispatch *d, struct class_entry *c)
{
        if (!c->listed)
                return;
        c->listed = false;
        if (c->prev_listed != NULL)
                c->prev_listed->next_listed = c->next_listed;
        else
                d->listed = c->next_listed;
        if (c->next_listed != NULL)
                c->next_listed->prev_listed = c->prev_listed;
        else
                d->last_listed = c->prev_listed;
        c->prev_listed = c->next_listed = NULL;
}

/* At the end, unless it is there already; everybody may try again. */
static void
class_list(struct dispatch *d, struct class_entry *c)
{
        c->hint_epoch = ++d->epoch;
        if (c->listed)
                return;
        c->listed = true;
        c->prev_listed = d->last_listed;
        if (d->last_listed != NULL)
                d->last_listed->next_listed = c;
        else
                d->listed = c;
        d->last_listed = c;
}

void
dispatch_forget_class(struct dispatch *d, const char *class_id)
{
        struct class_entry *c = class_find(d, class_id);

        if (c == NULL)
                return;
        class_unlist(d, c);
        if (!c->in_flight) {
                class_drop(d, c);
                return;
        }
        c->gone = true;
        d->classes_gen++;
}

/* ---- reserves ---- */

static char *
word_keep(char **at, const char *word)
{
        char *kept = *at;

        strcpy(kept, word);
        *at += strlen(word) + 1;
        return kept;
}

static struct reserve *
reserve_new(struct agent_entry *a, const struct reserve_request *q)
{
        struct reserve *r = xcalloc(1, sizeof *r);
        char *at;

        r->agent = a;
        r->request = *q;
        at = r->words = xcalloc(1, strlen(q->agent) + strlen(q->line) +
                                       strlen(q->channel) + strlen(q->connection) +
                                       strlen(q->idem) + strlen(q->idem_hash) + 6);
        r->request.agent = word_keep(&at, q->agent);
        r->request.line = word_keep(&at, q->line);
        r->request.channel = word_keep(&at, q->channel);
        r->request.connection = word_keep(&at, q->connection);
        r->request.idem = word_keep(&at, q->idem);
        r->request.idem_hash = word_keep(&at, q->idem_hash);
        r->prev = a->last;
        if (a->last != NULL)
                a->last->next = r;
        else
                a->first = r;
        a->last = r;
        return r;
}

/* Answers and ends it. */
static void
reserve_answer(struct dispatch *d, struct reserve *r, const struct reserve_answer *ans)
{
        reserve_fn fn = r->fn;
        void *arg = r->arg;
        bool gone = r->gone;

        reserve_free(d, r);
        if (!gone)
                fn(arg, ans);
}

static void
reserve_pull(struct dispatch *d, struct reserve *r, struct class_entry *for_class)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct dispatch_pull p = {.request = &r->request};

        p.n_groups = profile_groups(d, r->agent->profile, &r->request, a, &p.groups);
        p.n = r->pull_n = ++d->next_pull;
        p.hinted = for_class == NULL ? "" : for_class->doc.id;
        p.holds = r->agent->holds;
        assert(!r->in_flight);
        r->in_flight = true;
        r->agent->n_in_flight++;
        r->again = false;
        r->sent_epoch = d->epoch;
        r->sent_profile_gen = r->agent->profile_gen;
        r->sent_classes_gen = d->classes_gen;
        r->for_class = for_class;
        if (for_class != NULL)
                for_class->in_flight = true;
        agent_settle(d, r->agent);
        HASH_ADD(hh, d->flying, pull_n, sizeof r->pull_n, r);
        d->ops.pull(d->arg, &p);
}

/* ---- the walk: who has to pull now? ---- */

static struct reserve *
agent_candidate(struct agent_entry *a, const struct class_entry *c)
{
        for (struct reserve *r = a->first; r != NULL; r = r->next)
                if (!r->in_flight && !r->blocked && r->tried_epoch < c->hint_epoch &&
                    request_wants(&r->request, c))
                        return r;
        return NULL;
}

/* The parked reserve that gets the class: its agent at home there, then he who is asked
 * first, then parked longest. */
static struct reserve *
class_candidate(struct dispatch *d, struct class_entry *c)
{
        struct reserve *best = NULL;
        bool best_helped = false, helped;

        for (struct profile_entry *p = d->open; p != NULL; p = p->next_open) {
                if (!profile_may_take(d, p, c, &helped) ||
                    (best != NULL && helped && !best_helped))
                        continue;
                for (struct agent_entry *a = p->first; a != NULL; a = a->next) {
                        struct reserve *r;

                        if (best != NULL && helped == best_helped &&
                            !agent_goes_first(d, a, best->agent))
                                break;
                        r = agent_candidate(a, c);
                        if (r == NULL)
                                continue;
                        best = r;
                        best_helped = helped;
                        break;
                }
        }
        return best;
}

/* Is a reserve in flight that has not seen its last hint? The oldest flies first. */
static bool
class_has_flying(const struct dispatch *d, const struct class_entry *c)
{
        return d->flying != NULL && d->flying->sent_epoch < c->hint_epoch;
}

static void
walk_classes(struct dispatch *d)
{
        struct class_entry *next;

        for (struct class_entry *c = d->listed; c != NULL; c = next) {
                struct reserve *r;

                next = c->next_listed;
                if (c->in_flight)
                        continue;
                r = class_candidate(d, c);
                if (r != NULL)
                        reserve_pull(d, r, c);
                else if (!class_has_flying(d, c))
                        class_unlist(d, c);
        }
}

static int
agent_compare(const void *x, const void *y)
{
        const struct agent_entry *a = *(struct agent_entry *const *)x;
        const struct agent_entry *b = *(struct agent_entry *const *)y;

        return (a->idle_since_ms > b->idle_since_ms) -
               (a->idle_since_ms < b->idle_since_ms);
}

/* Agents who were hinted, idle longest first: one pull each at a time. */
static void
walk_agents(struct dispatch *d)
{
        struct agent_entry **list;
        size_t n = 0;

        if (d->wanting == NULL)
                return;
        for (struct agent_entry *a = d->wanting; a != NULL; a = a->next_wanting)
                n++;
        list = xcalloc(n, sizeof *list);
        n = 0;
        for (struct agent_entry *a = d->wanting; a != NULL; a = a->next_wanting)
                list[n++] = a;
        qsort(list, n, sizeof(*list), agent_compare);
        for (size_t i = 0; i < n; i++)
                reserve_pull(d, agent_untried(list[i]), NULL);
        free(list);
}

static void
dispatch_walk(struct dispatch *d)
{
        if (d->walking) { /* an answer came inside a callback of ours */
                d->walk_again = true;
                return;
        }
        d->walking = true;
        do {
                d->walk_again = false;
                dispatch_turn(d, false);
                walk_agents(d);
                walk_classes(d);
        } while (d->walk_again);
        d->walking = false;
}

/* ---- requests ---- */

struct reserve *
dispatch_reserve(
    struct dispatch *d, const struct reserve_request *q, reserve_fn fn, void *arg)
{
        struct agent_entry *a = agent_find(d, q->agent);
        struct reserve *r;

        if (d->draining || a == NULL || a->forgotten)
                return NULL;
        r = reserve_new(a, q);
        r->fn = fn;
        r->arg = arg;
        d->n_reserves++;
        reserve_pull(d, r, NULL);
        return r;
}

bool
dispatch_cancel(struct dispatch *d, struct reserve *r, bool gone)
{
        if (!r->in_flight) {
                reserve_free(d, r);
                return true;
        }
        if (gone)
                r->gone = true;
        else
                r->no_park = true;
        return gone;
}

/* ---- answers ---- */

/* Heads that came with an answer: an empty class leaves the list; one that still
 * holds tickets after a ticket was taken lets everybody try again. A head goes back (in
 * time) at any word, forward only when no hint came meanwhile. */
static void
heads_learn(struct dispatch *d, const struct dispatch_result *res)
{
        bool is_last_word = res->hintseq >= d->seq;

        for (size_t i = 0; i < res->n_heads; i++) {
                const struct dispatch_head *h = &res->heads[i];
                struct class_entry *c = class_find(d, h->class_id);

                if (c == NULL)
                        continue;
                if (h->waits && (is_last_word || h->v_us < c->head_v_us))
                        c->head_v_us = h->v_us;
                if (h->waits && res->n_tickets > 0) {
                        class_list(d, c);
                } else if (!h->waits && is_last_word) {
                        c->head_v_us = INT64_MAX;
                        class_unlist(d, c);
                }
        }
}

static void
pulled_some(struct dispatch *d, struct reserve *r, const struct dispatch_result *res)
{
        struct reserve_answer ans = {.outcome = RESERVE_TAKEN,
            .tickets = res->tickets,
            .n_tickets = res->n_tickets};

        r->agent->idle_since_ms = clock_now_ms();
        r->agent->used = res->used;
        if (r->gone)
                for (size_t i = 0; i < res->n_tickets; i++)
                        d->ops.give_back(d->arg, r->agent->name, res->tickets[i],
                            r->request.connection);
        reserve_answer(d, r, &ans);
}

/* Nothing for him: answer null, pull again, or park. */
static void
pulled_nothing(struct dispatch *d, struct reserve *r, const struct dispatch_result *res)
{
        struct reserve_answer ans = {.outcome = RESERVE_NOTHING};
        bool stale = r->again || res->hintseq < d->seq ||
                     r->sent_profile_gen != r->agent->profile_gen ||
                     (!res->blocked && r->sent_classes_gen != d->classes_gen);

        if (d->draining)
                ans.outcome = RESERVE_DRAINING;
        if (!r->request.block || r->no_park || r->gone || r->agent->forgotten ||
            d->draining) {
                reserve_answer(d, r, &ans);
                return;
        }
        r->blocked = res->blocked;
        r->tried_epoch = r->sent_epoch;
        /* What one without filter has not found, none of his others would. */
        if (!stale &&
            (res->blocked || (*r->request.line == '\0' && *r->request.channel == '\0')))
                r->agent->wants = false;
        agent_settle(d, r->agent);
        if (stale)
                reserve_pull(d, r, NULL);
}

void
dispatch_pulled(struct dispatch *d, uint64_t n, const struct dispatch_result *res)
{
        struct reserve *r;

        HASH_FIND(hh, d->flying, &n, sizeof n, r);
        if (r == NULL)
                return;
        HASH_DEL(d->flying, r);
        r->in_flight = false;
        r->agent->n_in_flight--;
        if (r->for_class != NULL) {
                r->for_class->in_flight = false;
                if (r->for_class->gone)
                        class_drop(d, r->for_class);
                r->for_class = NULL;
        }
        if (res->failed) {
                struct reserve_answer ans = {.outcome = RESERVE_FAILED, .err = res->err};

                reserve_answer(d, r, &ans);
        } else {
                heads_learn(d, res);
                if (res->n_tickets > 0)
                        pulled_some(d, r, res);
                else
                        pulled_nothing(d, r, res);
        }
        dispatch_walk(d);
}

/* ---- hints ---- */

static void
seq_seen(struct dispatch *d, uint64_t seq)
{
        if (seq > d->seq)
                d->seq = seq;
}

void
dispatch_hint_class(struct dispatch *d, const char *class_id, int64_t v_us, uint64_t seq)
{
        struct class_entry *c = class_find(d, class_id);

        seq_seen(d, seq);
        if (c == NULL)
                return;
        if (v_us < c->head_v_us)
                c->head_v_us = v_us;
        class_list(d, c);
        dispatch_walk(d);
}

static void
agent_hint(struct dispatch *d, struct agent_entry *a)
{
        if (a->first == NULL)
                return;
        a->wants = true;
        for (struct reserve *r = a->first; r != NULL; r = r->next) {
                r->blocked = false;
                r->tried_epoch = 0;
                if (r->in_flight)
                        r->again = true;
        }
        agent_settle(d, a);
}

void
dispatch_hint_agent(struct dispatch *d, const char *agent, uint64_t seq)
{
        struct agent_entry *a = agent_find(d, agent);

        seq_seen(d, seq);
        if (a == NULL)
                return;
        agent_hint(d, a);
        dispatch_walk(d);
}

void
dispatch_hint_all(struct dispatch *d, uint64_t seq)
{
        seq_seen(d, seq);
        for (struct agent_entry *a = d->agents; a != NULL; a = a->hh.next)
                agent_hint(d, a);
        dispatch_walk(d);
}

void
dispatch_reset_seq(struct dispatch *d, uint64_t seq)
{
        d->seq = seq;
}

/* May a parked agent take its head now, as far as is known? */
static bool
class_is_wanted(struct dispatch *d, const struct class_entry *c)
{
        bool helped;

        for (struct profile_entry *p = d->open; p != NULL; p = p->next_open)
                if (profile_may_take(d, p, c, &helped))
                        return true;
        return false;
}

void
dispatch_look(struct dispatch *d, const struct dispatch_head *heads, size_t n)
{
        dispatch_turn(d, true);
        for (size_t i = 0; i < d->n_slots; i++)
                if (d->classes[i] != NULL)
                        d->classes[i]->head_v_us = INT64_MAX;
        for (size_t i = 0; i < n; i++) {
                struct class_entry *c = class_find(d, heads[i].class_id);

                if (c == NULL || !heads[i].waits)
                        continue;
                c->head_v_us = heads[i].v_us;
                if (!c->in_flight && class_is_wanted(d, c))
                        class_list(d, c);
        }
        dispatch_walk(d);
}

/* ---- the end ---- */

void
dispatch_drain(struct dispatch *d)
{
        static const struct reserve_answer draining = {.outcome = RESERVE_DRAINING};

        d->draining = true;
        for (;;) {
                struct reserve *r = NULL;

                for (struct agent_entry *a = d->agents; a != NULL && r == NULL;
                     a = a->hh.next)
                        r = agent_parked(a);
                if (r == NULL)
                        return;
                reserve_answer(d, r, &draining);
        }
}

size_t
dispatch_parked(const struct dispatch *d)
{
        return d->n_reserves - HASH_CNT(hh, d->flying);
}

static void
agents_free(struct dispatch *d)
{
        struct agent_entry *a, *next;

        HASH_ITER(hh, d->agents, a, next)
        {
                a->forgotten = true;
                if (a->first == NULL) {
                        agent_free(d, a);
                        continue;
                }
                for (struct reserve *r = a->first, *after; r != NULL; r = after) {
                        after = r->next; /* the last one takes the agent with it */
                        reserve_free(d, r);
                }
        }
}

void
dispatch_free(struct dispatch **dp)
{
        struct dispatch *d = *dp;

        if (d == NULL)
                return;
        HASH_CLEAR(hh, d->flying);
        agents_free(d);
        fit_free(d);
        free(d);
        *dp = NULL;
}
