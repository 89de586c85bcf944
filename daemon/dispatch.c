/*
 * Dispatch: who of the parked agents gets the next ticket. See dispatch.h for
 * the contract and STORE.md, "Agents waiting for work", for the argument.
 *
 * Nothing here is durable. When the daemon dies, parked agents lose their
 * connections and ask again; what a pull in flight took is given back by its
 * agent's grace.
 *
 * Three things make a reserve pull: its arrival, a wish of its agent (`wants`:
 * a hint for him, or for all), and a class on the list that he fits. The list is
 * looked through after each hint and each answer. A class leaves it when its
 * head says that nothing waits, or when every parked reserve that fits it has
 * pulled in vain since the last hint: `tried_epoch` of the reserve against
 * `hint_epoch` of the class, both taken from one counter.
 */
#include "daemon/dispatch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"

enum fit { FIT_UNKNOWN, FIT_NO, FIT_YES };

struct class_entry {
        struct arena *arena; /* owns doc */
        struct class doc;
        size_t index; /* in dispatch.classes and in each agent's fits */
        bool listed; /* on the list: somebody may have to pull for it */
        bool in_flight; /* a pull for it is under way */
        uint64_t hint_epoch; /* of its last hint */
        UT_hash_handle hh;
};

struct agent_entry {
        char *name;
        struct arena *arena; /* owns profile */
        struct profile profile;
        uint64_t profile_gen; /* grows when the profile changes */
        unsigned holds;
        int64_t idle_since_ms;
        unsigned char *fits; /* enum fit by class index */
        size_t n_fits;
        bool wants; /* a hint for him: pull, whatever the classes say */
        bool forgotten; /* freed when its last reserve is gone */
        unsigned n_in_flight; /* pulls under way for him */
        struct reserve *first, *last; /* his reserves, oldest first */
        UT_hash_handle hh;
};

struct reserve {
        struct reserve *prev, *next; /* in the agent's list */
        struct agent_entry *agent;
        struct arena *arena; /* owns the request's strings */
        struct reserve_request request;
        reserve_fn fn;
        void *arg;
        bool in_flight; /* its pull is under way; else it is parked */
        bool gone; /* nobody waits for the answer */
        bool no_park; /* answer what the pull in flight brings, then go */
        bool blocked; /* full or away: only a hint for the agent helps */
        bool again; /* hinted in flight: a vain answer pulls again */
        uint64_t pull_n; /* of the pull in flight */
        uint64_t sent_epoch; /* epoch, profile and classes it was sent with */
        uint64_t sent_profile_gen;
        size_t sent_n_classes;
        uint64_t tried_epoch; /* epoch of the last pull in vain */
        struct class_entry *for_class; /* the class it pulls for, NULL none */
        UT_hash_handle hh; /* in dispatch.flying by pull_n */
};

struct dispatch {
        struct dispatch_ops ops;
        void *arg;
        struct class_entry *by_id;
        struct class_entry **classes; /* by index */
        size_t n_classes;
        struct agent_entry *agents;
        struct reserve *flying;
        uint64_t epoch; /* counts hints */
        uint64_t seq; /* highest hintseq seen */
        uint64_t next_pull;
        bool draining;
        bool walking; /* guards against walking inside a walk */
        bool walk_again;
};

struct dispatch *
dispatch_new(const struct dispatch_ops *ops, void *arg)
{
        struct dispatch *d = xcalloc(1, sizeof *d);

        d->ops = *ops;
        d->arg = arg;
        return d;
}

/* ---- agents and classes ---- */

static struct agent_entry *
agent_find(struct dispatch *d, const char *name)
{
        struct agent_entry *a;

        HASH_FIND_STR(d->agents, name, a);
        return a;
}

static void
profile_copy(struct arena *a, const struct profile *from, struct profile *to)
{
        to->n_lines = from->n_lines;
        to->lines = arena_alloc(a, from->n_lines * sizeof *to->lines);
        for (size_t i = 0; i < from->n_lines; i++)
                to->lines[i] = arena_strdup(a, from->lines[i]);
        to->n_skills = from->n_skills;
        to->skills = arena_alloc(a, from->n_skills * sizeof *to->skills);
        for (size_t i = 0; i < from->n_skills; i++) {
                to->skills[i].name = arena_strdup(a, from->skills[i].name);
                to->skills[i].level = from->skills[i].level;
        }
}

void
dispatch_set_agent(
    struct dispatch *d, const char *name, const struct profile *p, unsigned holds)
{
        struct agent_entry *a = agent_find(d, name);

        if (a == NULL) {
                a = xcalloc(1, sizeof *a);
                a->name = xstrdup(name);
                HASH_ADD_KEYPTR(hh, d->agents, a->name, strlen(a->name), a);
        }
        arena_free(&a->arena);
        a->arena = arena_new();
        profile_copy(a->arena, p, &a->profile);
        a->profile_gen++;
        a->holds = holds;
        a->forgotten = false;
        free(a->fits);
        a->fits = NULL;
        a->n_fits = 0;
}

static void
agent_free(struct dispatch *d, struct agent_entry *a)
{
        HASH_DEL(d->agents, a); /* NOLINT: the analyzer loses itself in uthash */
        arena_free(&a->arena);
        free(a->fits);
        free(a->name);
        free(a);
}

void
dispatch_forget_agent(struct dispatch *d, const char *name)
{
        struct agent_entry *a = agent_find(d, name);

        if (a == NULL)
                return;
        a->forgotten = true;
        if (a->first == NULL)
                agent_free(d, a);
}

void
dispatch_set_idle(struct dispatch *d, const char *name, int64_t since_ms)
{
        struct agent_entry *a = agent_find(d, name);

        if (a != NULL && since_ms > a->idle_since_ms)
                a->idle_since_ms = since_ms;
}

static struct class_entry *
class_find(const struct dispatch *d, const char *id)
{
        struct class_entry *c;

        HASH_FIND_STR(d->by_id, id, c);
        return c;
}

bool
dispatch_knows_class(const struct dispatch *d, const char *class_id)
{
        return class_find(d, class_id) != NULL;
}

void
dispatch_set_class(struct dispatch *d, const struct class *c)
{
        struct class_entry *e;

        if (class_find(d, c->id) != NULL) /* equal ids are equal documents */
                return;
        e = xcalloc(1, sizeof *e);
        e->arena = arena_new();
        if (class_parse(c->text, strlen(c->text), e->arena, &e->doc, NULL) == -1) {
                arena_free(&e->arena);
                free(e);
                return;
        }
        e->index = d->n_classes;
        d->classes = xrealloc(d->classes, (d->n_classes + 1) * sizeof(*d->classes));
        d->classes[d->n_classes++] = e;
        HASH_ADD_STR(d->by_id, doc.id, e);
}

static bool
agent_fits(struct dispatch *d, struct agent_entry *a, const struct class_entry *c)
{
        if (a->n_fits < d->n_classes) {
                a->fits = xrealloc(a->fits, d->n_classes);
                memset(a->fits + a->n_fits, FIT_UNKNOWN, d->n_classes - a->n_fits);
                a->n_fits = d->n_classes;
        }
        if (a->fits[c->index] == FIT_UNKNOWN)
                a->fits[c->index] =
                    class_step(&c->doc, &a->profile) == STEP_NEVER ? FIT_NO : FIT_YES;
        return a->fits[c->index] == FIT_YES;
}

static bool
reserve_fits(struct dispatch *d, struct reserve *r, const struct class_entry *c)
{
        const struct reserve_request *q = &r->request;

        if (*q->line != '\0' &&
            (c->doc.n_lines == 0 || strcmp(c->doc.lines[0], q->line) != 0))
                return false;
        if (*q->channel != '\0' && strcmp(c->doc.channel, q->channel) != 0)
                return false;
        return agent_fits(d, r->agent, c);
}

/* ---- reserves ---- */

static void
reserve_link(struct reserve *r)
{
        struct agent_entry *a = r->agent;

        r->prev = a->last;
        if (a->last != NULL)
                a->last->next = r;
        else
                a->first = r;
        a->last = r;
}

static void
reserve_free(struct dispatch *d, struct reserve *r)
{
        struct agent_entry *a = r->agent;

        if (r->prev != NULL)
                r->prev->next = r->next;
        else
                a->first = r->next;
        if (r->next != NULL)
                r->next->prev = r->prev;
        else
                a->last = r->prev;
        arena_free(&r->arena);
        free(r);
        if (a->forgotten && a->first == NULL)
                agent_free(d, a);
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
        const char **ids = arena_alloc(a, (d->n_classes + 1) * sizeof *ids);
        struct dispatch_pull p = {.request = &r->request, .classes = ids};

        for (size_t i = 0; i < d->n_classes; i++)
                if (reserve_fits(d, r, d->classes[i]))
                        ids[p.n_classes++] = d->classes[i]->doc.id;
        p.n = r->pull_n = ++d->next_pull;
        p.hinted = for_class == NULL ? "" : for_class->doc.id;
        p.holds = r->agent->holds;
        assert(!r->in_flight);
        r->in_flight = true;
        r->agent->n_in_flight++;
        r->again = false;
        r->sent_epoch = d->epoch;
        r->sent_profile_gen = r->agent->profile_gen;
        r->sent_n_classes = d->n_classes;
        r->for_class = for_class;
        if (for_class != NULL)
                for_class->in_flight = true;
        HASH_ADD(hh, d->flying, pull_n, sizeof r->pull_n, r);
        d->ops.pull(d->arg, &p);
}

/* ---- the walk: who has to pull now? ---- */

/* The parked reserve that gets the class: its agent idle longest, then parked longest. */
static struct reserve *
class_candidate(struct dispatch *d, struct class_entry *c)
{
        struct reserve *best = NULL;

        for (struct agent_entry *a = d->agents; a != NULL; a = a->hh.next) {
                if (a->first == NULL || !agent_fits(d, a, c))
                        continue;
                if (best != NULL && a->idle_since_ms >= best->agent->idle_since_ms)
                        continue;
                for (struct reserve *r = a->first; r != NULL; r = r->next)
                        if (!r->in_flight && !r->blocked &&
                            r->tried_epoch < c->hint_epoch && reserve_fits(d, r, c)) {
                                best = r;
                                break;
                        }
        }
        return best;
}

/* Is a reserve in flight that fits the class and has not seen its last hint? */
static bool
class_has_flying(struct dispatch *d, struct class_entry *c)
{
        for (struct reserve *r = d->flying; r != NULL; r = r->hh.next)
                if (r->sent_epoch < c->hint_epoch && reserve_fits(d, r, c))
                        return true;
        return false;
}

static void
walk_classes(struct dispatch *d)
{
        for (size_t i = 0; i < d->n_classes; i++) {
                struct class_entry *c = d->classes[i];
                struct reserve *r;

                if (!c->listed || c->in_flight)
                        continue;
                r = class_candidate(d, c);
                if (r != NULL)
                        reserve_pull(d, r, c);
                else if (!class_has_flying(d, c))
                        c->listed = false;
        }
}

static struct reserve *
agent_parked(struct agent_entry *a)
{
        for (struct reserve *r = a->first; r != NULL; r = r->next)
                if (!r->in_flight)
                        return r;
        return NULL;
}

/* Agents who were hinted, idle longest first: one pull each at a time. */
static void
walk_agents(struct dispatch *d)
{
        for (;;) {
                struct agent_entry *best = NULL;

                for (struct agent_entry *a = d->agents; a != NULL; a = a->hh.next)
                        if (a->wants && a->n_in_flight == 0 && agent_parked(a) != NULL &&
                            (best == NULL || a->idle_since_ms < best->idle_since_ms))
                                best = a;
                if (best == NULL)
                        return;
                reserve_pull(d, agent_parked(best), NULL);
        }
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
        r = xcalloc(1, sizeof *r);
        r->arena = arena_new();
        r->agent = a;
        r->request = *q;
        r->request.agent = arena_strdup(r->arena, q->agent);
        r->request.line = arena_strdup(r->arena, q->line);
        r->request.channel = arena_strdup(r->arena, q->channel);
        r->request.connection = arena_strdup(r->arena, q->connection);
        r->request.idem = arena_strdup(r->arena, q->idem);
        r->request.idem_hash = arena_strdup(r->arena, q->idem_hash);
        r->fn = fn;
        r->arg = arg;
        reserve_link(r);
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

static void
class_list(struct dispatch *d, struct class_entry *c)
{
        c->listed = true;
        c->hint_epoch = ++d->epoch;
}

/* Heads that came with an answer: an empty class leaves the list; one that still
 * holds tickets after a ticket was taken lets everybody try again. */
static void
heads_learn(struct dispatch *d, const struct dispatch_result *res)
{
        for (size_t i = 0; i < res->n_heads; i++) {
                struct class_entry *c = class_find(d, res->heads[i].class_id);

                if (c == NULL)
                        continue;
                if (res->heads[i].waits && res->n_tickets > 0)
                        class_list(d, c);
                else if (!res->heads[i].waits && res->hintseq >= d->seq)
                        c->listed = false; /* and no hint came meanwhile */
        }
}

static void
pulled_some(struct dispatch *d, struct reserve *r, const struct dispatch_result *res)
{
        struct reserve_answer ans = {.outcome = RESERVE_TAKEN,
            .tickets = res->tickets,
            .n_tickets = res->n_tickets};

        r->agent->idle_since_ms = clock_now_ms();
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
                     (!res->blocked && r->sent_n_classes != d->n_classes);

        if (d->draining)
                ans.outcome = RESERVE_DRAINING;
        if (!r->request.block || r->no_park || r->gone || r->agent->forgotten ||
            d->draining) {
                reserve_answer(d, r, &ans);
                return;
        }
        r->blocked = res->blocked;
        r->tried_epoch = r->sent_epoch;
        if (stale)
                reserve_pull(d, r, NULL);
        else
                r->agent->wants = false;
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
        if (r->for_class != NULL)
                r->for_class->in_flight = false;
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
dispatch_hint_class(struct dispatch *d, const char *class_id, uint64_t seq)
{
        struct class_entry *c = class_find(d, class_id);

        seq_seen(d, seq);
        if (c == NULL)
                return;
        class_list(d, c);
        dispatch_walk(d);
}

static void
agent_hint(struct agent_entry *a)
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
}

void
dispatch_hint_agent(struct dispatch *d, const char *agent, uint64_t seq)
{
        struct agent_entry *a = agent_find(d, agent);

        seq_seen(d, seq);
        if (a == NULL)
                return;
        agent_hint(a);
        dispatch_walk(d);
}

void
dispatch_hint_all(struct dispatch *d, uint64_t seq)
{
        seq_seen(d, seq);
        for (struct agent_entry *a = d->agents; a != NULL; a = a->hh.next)
                agent_hint(a);
        dispatch_walk(d);
}

void
dispatch_reset_seq(struct dispatch *d, uint64_t seq)
{
        d->seq = seq;
}

void
dispatch_look(struct dispatch *d, const struct dispatch_head *heads, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct class_entry *c = class_find(d, heads[i].class_id);

                if (c != NULL && heads[i].waits && !c->in_flight)
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

static size_t
agent_n_parked(const struct agent_entry *a)
{
        size_t n = 0;

        for (struct reserve *r = a->first; r != NULL; r = r->next)
                n += !r->in_flight;
        return n;
}

size_t
dispatch_parked(const struct dispatch *d)
{
        size_t n = 0;

        for (struct agent_entry *a = d->agents; a != NULL; a = a->hh.next)
                n += agent_n_parked(a);
        return n;
}

void
dispatch_free(struct dispatch **dp)
{
        struct dispatch *d = *dp;
        struct agent_entry *a, *next_a;
        struct class_entry *c, *next_c;

        if (d == NULL)
                return;
        HASH_CLEAR(hh, d->flying);
        HASH_ITER(hh, d->agents, a, next_a)
        {
                a->forgotten = true;
                if (a->first == NULL) {
                        agent_free(d, a);
                        continue;
                }
                for (struct reserve *r = a->first, *next; r != NULL; r = next) {
                        next = r->next; /* the last one takes the agent with it */
                        reserve_free(d, r);
                }
        }
        HASH_ITER(hh, d->by_id, c, next_c)
        {
                HASH_DEL(d->by_id, c); /* NOLINT */
                arena_free(&c->arena);
                free(c);
        }
        free(d->classes);
        free(d);
        *dp = NULL;
}
