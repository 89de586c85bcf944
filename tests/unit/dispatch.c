/*
 * dispatch.c by itself: random interleavings of pulls, puts and hints of several
 * classes against a toy store, and a few plain stories.
 *
 * The toy store runs commands in the order they were sent, at random moments, and
 * delivers their answers later, in order; hints of "another daemon" arrive out of
 * order on a second wire. Classes widen by steps and some agents only help; time goes
 * on. When everything has arrived and the heads have been looked at, no parked agent may
 * fit a waiting ticket that he does not skip and has room for, by the rule's own words.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/dispatch.h"

#define N_CLASSES 5
#define N_AGENTS 6
#define N_SLOTS 12 /* connections */
#define MAX_TICKETS 4096
#define MAX_EVENTS 4096

struct toy_ticket {
        int class; /* -1: done */
        int64_t v_us;
        int holder; /* agent, -1 none */
        bool given; /* the answer has arrived */
        unsigned skip_mask; /* agents who skip it */
};

struct toy_offer {
        char id[CLASS_ID_LEN + 1];
        int64_t cutoff_us, handicap_us;
};

struct toy_event { /* an answer or a hint on its way */
        enum { ANSWER, HINT_C, HINT_A } kind;
        uint64_t n; /* of the pull */
        bool executed;
        int agent, class;
        unsigned holds;
        char hinted[32];
        struct toy_offer offers[N_CLASSES];
        size_t n_offers;
        bool blocked;
        int got;
        uint64_t seq;
        int64_t v, hinted_v, got_v; /* of heads; INT64_MAX: nothing waits */
};

struct toy {
        struct dispatch *d;
        struct arena *arena;
        struct class classes[N_CLASSES];
        struct profile profiles[N_AGENTS];
        unsigned used[N_AGENTS], holds[N_AGENTS];
        struct toy_ticket tickets[MAX_TICKETS];
        int n_tickets;
        uint64_t hintseq;
        struct toy_event wire[MAX_EVENTS]; /* FIFO: pulls, puts of ours */
        int head, tail;
        struct toy_event stream[MAX_EVENTS]; /* hints of others, any order */
        int n_stream;
        struct reserve *slots[N_SLOTS];
        int slot_agent[N_SLOTS];
        int n_given_back;
};

static struct toy *T;
static char names[N_AGENTS][16];

static int
rnd(int n)
{
        return rand() % n;
}

static int
agent_of(const char *name)
{
        return atoi(name + 1);
}

static int
class_of(const char *id)
{
        for (int i = 0; i < N_CLASSES; i++)
                if (strcmp(T->classes[i].id, id) == 0)
                        return i;
        return -1;
}

static struct toy_event *
toy_send(int kind)
{
        struct toy_event *e = &T->wire[T->tail++ % MAX_EVENTS];

        memset(e, 0, sizeof *e);
        e->kind = kind;
        return e;
}

static void
toy_pull(void *arg, const struct dispatch_pull *p)
{
        struct toy_event *e = toy_send(ANSWER);

        (void)arg;
        e->n = p->n;
        e->agent = agent_of(p->request->agent);
        e->holds = p->holds;
        snprintf(e->hinted, sizeof e->hinted, "%s", p->hinted);
        for (size_t g = 0; g < p->n_groups; g++)
                for (size_t i = 0; i < p->groups[g].n_classes; i++) {
                        struct toy_offer *o = &e->offers[e->n_offers++];

                        snprintf(o->id, sizeof o->id, "%s", p->groups[g].classes[i]);
                        o->cutoff_us = p->groups[g].cutoff_us;
                        o->handicap_us = p->groups[g].handicap_us;
                }
}

static void
toy_give_back(void *arg, const char *agent, const char *ticket, const char *connection)
{
        struct toy_ticket *t = &T->tickets[atoi(ticket)];
        struct toy_event *e = toy_send(HINT_C);

        (void)arg;
        (void)connection;
        T->n_given_back++;
        T->used[t->holder]--;
        e->executed = true;
        e->class = t->class;
        e->v = INT64_MIN;
        t->holder = -1;
        t->given = false;
        e->seq = ++T->hintseq;
        /* capacity came back too */
        e = toy_send(HINT_A);
        e->executed = true;
        e->agent = agent_of(agent);
        e->seq = ++T->hintseq;
}

static const struct dispatch_ops ops = {toy_pull, toy_give_back};

/* v of what is first in the class; INT64_MAX: nothing waits. */
static int64_t
toy_head(int class)
{
        int64_t v = INT64_MAX;

        for (int i = 0; i < T->n_tickets; i++)
                if (T->tickets[i].holder == -1 && T->tickets[i].class == class &&
                    T->tickets[i].v_us < v)
                        v = T->tickets[i].v_us;
        return v;
}

/* As the script: the smallest v and handicap below the cut-off, ties by number. */
static int
toy_best(const struct toy_event *e)
{
        int64_t least = INT64_MAX;
        int best = -1;

        for (int i = 0; i < T->n_tickets; i++) {
                struct toy_ticket *t = &T->tickets[i];

                if (t->holder != -1 || t->class < 0 || t->skip_mask & 1u << e->agent)
                        continue;
                for (size_t k = 0; k < e->n_offers; k++) {
                        const struct toy_offer *o = &e->offers[k];

                        if (class_of(o->id) == t->class && t->v_us <= o->cutoff_us &&
                            t->v_us + o->handicap_us < least) {
                                least = t->v_us + o->handicap_us;
                                best = i;
                        }
                }
        }
        return best;
}

static void
toy_execute(struct toy_event *e)
{
        e->executed = true;
        e->blocked = T->used[e->agent] >= e->holds;
        e->got = e->blocked ? -1 : toy_best(e);
        if (e->got != -1) {
                T->tickets[e->got].holder = e->agent;
                T->used[e->agent]++;
                e->got_v = toy_head(T->tickets[e->got].class);
        }
        e->hinted_v = *e->hinted != '\0' ? toy_head(class_of(e->hinted)) : INT64_MAX;
        e->seq = T->hintseq;
}

static struct dispatch_head
toy_told(const char *id, int64_t v)
{
        return (struct dispatch_head){id, v != INT64_MAX, v};
}

static void
toy_answer(const struct toy_event *e)
{
        struct dispatch_head heads[2];
        char id[16];
        const char *ids[1] = {id};
        struct dispatch_result r = {.hintseq = e->seq,
            .heads = heads,
            .blocked = e->blocked,
            .used = T->used[e->agent]};

        if (*e->hinted != '\0')
                heads[r.n_heads++] = toy_told(e->hinted, e->hinted_v);
        if (e->got != -1) {
                snprintf(id, sizeof id, "%d", e->got);
                T->tickets[e->got].given = true;
                r.tickets = ids;
                r.n_tickets = 1;
                heads[r.n_heads++] =
                    toy_told(T->classes[T->tickets[e->got].class].id, e->got_v);
        }
        dispatch_pulled(T->d, e->n, &r);
}

static void
toy_deliver(struct toy_event e)
{
        switch (e.kind) {
        case HINT_C:
                dispatch_hint_class(T->d, T->classes[e.class].id, e.v, e.seq);
                break;
        case HINT_A:
                dispatch_hint_agent(T->d, names[e.agent], e.seq);
                break;
        case ANSWER:
                toy_answer(&e);
                break;
        }
}

/* All heads, as once a second. */
static void
toy_look(void)
{
        struct dispatch_head heads[N_CLASSES];

        for (int c = 0; c < N_CLASSES; c++)
                heads[c] = toy_told(T->classes[c].id, toy_head(c));
        dispatch_look(T->d, heads, N_CLASSES);
}

static void
on_reserved(void *arg, const struct reserve_answer *a)
{
        struct reserve **slot = arg;

        assert_non_null(*slot);
        *slot = NULL;
        (void)a;
}

static void
toy_reserve(int slot, int agent, const char *line, bool block)
{
        struct reserve_request q = {.agent = names[agent],
            .count = 1,
            .block = block,
            .line = line,
            .channel = "",
            .connection = "c",
            .idem = "",
            .idem_hash = ""};

        T->slot_agent[slot] = agent;
        T->slots[slot] = dispatch_reserve(T->d, &q, on_reserved, &T->slots[slot]);
}

static void
toy_hint(int kind, int class, int agent)
{
        struct toy_event e = {
            .kind = kind, .executed = true, .class = class, .agent = agent};

        e.seq = ++T->hintseq;
        e.v = kind == HINT_C && rnd(4) != 0 ? toy_head(class) : INT64_MIN;
        for (int i = 0; i < T->n_stream; i++) /* one hint may stand for many */
                if (kind == HINT_C && T->stream[i].kind == HINT_C &&
                    T->stream[i].class == class && rnd(2)) {
                        T->stream[i].seq = e.seq;
                        T->stream[i].v = e.v;
                        return;
                }
        if (rnd(2)) /* of our own script: in order on our wire */
                T->wire[T->tail++ % MAX_EVENTS] = e;
        else
                T->stream[T->n_stream++] = e;
}

static void
toy_put(void)
{
        int c = rnd(N_CLASSES);
        int64_t v = clock_now_us() - rnd(90) * 1000000LL - T->classes[c].head_ms * 1000;

        if (T->n_tickets >= MAX_TICKETS)
                return;
        T->tickets[T->n_tickets++] =
            (struct toy_ticket){c, v, -1, false, rnd(8) == 0 ? 1u << rnd(N_AGENTS) : 0};
        toy_hint(HINT_C, c, 0);
}

static void
toy_finish(void) /* some agent ends work: capacity is free */
{
        for (int i = 0; i < T->n_tickets; i++)
                if (T->tickets[i].given && T->tickets[i].class >= 0 && rnd(4) == 0) {
                        int a = T->tickets[i].holder;

                        T->tickets[i].class = -1;
                        T->used[a]--;
                        toy_hint(HINT_A, 0, a);
                        return;
                }
}

static void
toy_release(void) /* given back: the class is hinted, he skips it */
{
        for (int i = 0; i < T->n_tickets; i++)
                if (T->tickets[i].given && T->tickets[i].class >= 0 && rnd(4) == 0) {
                        int a = T->tickets[i].holder;

                        T->tickets[i].holder = -1;
                        T->tickets[i].given = false;
                        T->tickets[i].skip_mask |= 1u << a;
                        T->used[a]--;
                        toy_hint(HINT_C, T->tickets[i].class, 0);
                        toy_hint(HINT_A, 0, a);
                        return;
                }
}

static void
toy_profile(int a)
{
        struct skill *s = arena_alloc(T->arena, (N_CLASSES + 1) * sizeof *s);
        const char **lines = arena_alloc(T->arena, 2 * sizeof *lines);
        struct profile p = {
            .lines = lines, .n_lines = 1 + (size_t)rnd(2), .skills = s, .only = ""};

        lines[0] = rnd(2) ? "first" : "second";
        lines[1] = rnd(2) ? "first" : "third";
        for (int c = 0; c < N_CLASSES; c++)
                if (rnd(2)) {
                        s[p.n_skills].name = arena_printf(T->arena, "s%d", c);
                        s[p.n_skills++].level = 5;
                }
        s[p.n_skills++] = (struct skill){"x", 1 + (unsigned)rnd(4)};
        T->profiles[a] = p;
        dispatch_set_agent(T->d, names[a], &p, T->holds[a]);
}

static bool
toy_step(void) /* one event arrives; false: nothing is under way */
{
        int n_open = 0;

        for (int i = T->head; i < T->tail; i++)
                n_open += !T->wire[i % MAX_EVENTS].executed;
        if (n_open > 0 && rnd(2)) { /* the store runs the next command */
                for (int i = T->head; i < T->tail; i++)
                        if (!T->wire[i % MAX_EVENTS].executed) {
                                toy_execute(&T->wire[i % MAX_EVENTS]);
                                return true;
                        }
        }
        if (T->n_stream > 0 && rnd(2)) {
                int k = rnd(T->n_stream);
                struct toy_event e = T->stream[k];

                T->stream[k] = T->stream[--T->n_stream];
                toy_deliver(e);
                return true;
        }
        if (T->head < T->tail && T->wire[T->head % MAX_EVENTS].executed) {
                toy_deliver(T->wire[T->head++ % MAX_EVENTS]);
                return true;
        }
        return T->head < T->tail || T->n_stream > 0;
}

static void
toy_settle(void)
{
        while (toy_step())
                ;
}

/* By the rule's own words: has the step come by which he first qualifies? */
static bool
toy_may(int agent, const struct toy_ticket *t)
{
        const struct class *c = &T->classes[t->class];
        int step = class_step(c, &T->profiles[agent]);
        int64_t entered_ms = t->v_us / 1000 + c->head_ms;

        if (step == STEP_NEVER || t->skip_mask & 1u << agent)
                return false;
        return step == STEP_AT_ONCE ||
               entered_ms + c->steps[step - 1].after.ms <= clock_now_ms();
}

static void
toy_check(unsigned seed)
{
        toy_settle();
        toy_look();
        toy_settle();
        for (int s = 0; s < N_SLOTS; s++) {
                int a = T->slot_agent[s];

                if (T->slots[s] == NULL || T->used[a] >= T->holds[a])
                        continue;
                for (int i = 0; i < T->n_tickets; i++) {
                        struct toy_ticket *t = &T->tickets[i];

                        if (t->holder == -1 && t->class >= 0 && toy_may(a, t))
                                fail_msg("seed %u: agent %d is parked, ticket %d waits",
                                    seed, a, i);
                }
        }
}

static void
toy_class(int c)
{
        struct class *k = &T->classes[c];

        k->route = "r";
        k->lines = arena_alloc(T->arena, sizeof *k->lines);
        k->lines[0] = rnd(3) == 0 ? "second" : "first";
        k->n_lines = 1;
        k->musts = arena_alloc(T->arena, sizeof *k->musts);
        k->musts[0].name = arena_printf(T->arena, "s%d", c);
        k->musts[0].level = 1;
        k->n_musts = 1;
        k->needs = arena_alloc(T->arena, sizeof *k->needs);
        k->needs[0] = (struct skill){"x", 3};
        k->n_needs = (size_t)rnd(2);
        k->steps = arena_alloc(T->arena, 2 * sizeof *k->steps);
        k->steps[0] = (struct class_step){{0, 30000}, STEP_LOWER, NULL, 0, 2};
        k->steps[1] = (struct class_step){{0, 60000}, STEP_ALSO, NULL, 1, 0};
        k->steps[1].lines = arena_alloc(T->arena, sizeof(char *));
        k->steps[1].lines[0] = "third";
        k->n_steps = (size_t)rnd(3);
        k->head_ms = rnd(3) * 20000;
        k->channel = "email";
        class_seal(k, T->arena);
        dispatch_set_class(T->d, k);
}

static void
toy_begin(unsigned seed)
{
        srand(seed);
        clock_test_set(1764000000000000LL);
        T = calloc(1, sizeof *T);
        T->arena = arena_new();
        T->d = dispatch_new(&ops, NULL);
        dispatch_set_options(T->d, 15000, rnd(2));
        for (int c = 0; c < N_CLASSES; c++)
                toy_class(c);
        for (int a = 0; a < N_AGENTS; a++) {
                snprintf(names[a], sizeof names[a], "a%d", a);
                T->holds[a] = 1 + (unsigned)rnd(3);
                toy_profile(a);
        }
}

static void
toy_end(void)
{
        dispatch_free(&T->d);
        arena_free(&T->arena);
        free(T);
}

static void
toy_cancel_or_change(int slot)
{
        if (T->slots[slot] != NULL && rnd(4) == 0) {
                if (dispatch_cancel(T->d, T->slots[slot], rnd(2)))
                        T->slots[slot] = NULL;
        } else if (rnd(20) == 0) {
                int a = rnd(N_AGENTS);

                toy_profile(a);
                dispatch_hint_agent(T->d, names[a], 0);
        }
}

static void
toy_random_action(void)
{
        int s = rnd(N_SLOTS);

        switch (rnd(11)) {
        case 0:
        case 1:
        case 2:
                toy_put();
                break;
        case 3:
        case 4:
        case 5:
                if (T->slots[s] == NULL)
                        toy_reserve(s, rnd(N_AGENTS), "", rnd(5) != 0);
                break;
        case 6:
                toy_finish();
                break;
        case 7:
                toy_release();
                break;
        case 8:
                toy_cancel_or_change(s);
                break;
        case 9:
                clock_test_advance(rnd(20) * 1000000LL);
                if (rnd(2))
                        toy_look();
                break;
        default:
                toy_step();
                break;
        }
}

static void
test_random_interleavings(void **state)
{
        unsigned base =
            getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)time(NULL);
        int rounds = getenv("ROUNDS") ? atoi(getenv("ROUNDS")) : 2000;

        (void)state;
        print_message("seed %u, %d rounds\n", base, rounds);
        for (int i = 0; i < rounds; i++) {
                toy_begin(base + (unsigned)i);
                for (int k = 0; k < 200; k++) {
                        toy_random_action();
                        if (k % 50 == 49)
                                toy_check(base + (unsigned)i);
                }
                toy_check(base + (unsigned)i);
                toy_end();
        }
}

/* ---- plain stories: everybody has skill s0, and class 0 asks for nothing else ---- */

static void
story_begin(struct class_step *step)
{
        struct class *k;

        toy_begin(1);
        dispatch_set_options(T->d, 15000, false);
        k = &T->classes[0];
        k->lines[0] = "first";
        k->n_needs = 0;
        k->n_steps = 0;
        if (step != NULL) {
                k->steps[0] = *step;
                k->n_steps = 1;
        }
        k->head_ms = 3600000;
        class_seal(k, T->arena);
        dispatch_set_class(T->d, k);
}

static void
story_agent(int a, const char *home, const char *helps, int64_t idle_ms, unsigned used)
{
        struct skill *s = arena_alloc(T->arena, sizeof *s);
        const char **lines = arena_alloc(T->arena, 2 * sizeof *lines);

        *s = (struct skill){"s0", 5};
        lines[0] = home;
        lines[1] = helps;
        T->profiles[a] = (struct profile){lines, helps == NULL ? 1 : 2, s, 1, ""};
        T->holds[a] = 4;
        T->used[a] = used;
        dispatch_set_agent(T->d, names[a], &T->profiles[a], 4);
        dispatch_set_idle(T->d, names[a], idle_ms, used);
}

static void
story_park(int a)
{
        toy_reserve(a, a, "", true);
        toy_settle();
}

static void
story_put(int64_t age_ms)
{
        int64_t v = clock_now_us() - (age_ms + T->classes[0].head_ms) * 1000;

        T->tickets[T->n_tickets++] = (struct toy_ticket){0, v, -1, false, 0};
        dispatch_hint_class(T->d, T->classes[0].id, toy_head(0), ++T->hintseq);
}

static void
test_longest_idle_gets_it(void **state)
{
        (void)state;
        story_begin(NULL);
        for (int a = 0; a < 3; a++) {
                story_agent(a, "first", NULL, 1000 - a, 0); /* the last: idle longest */
                story_park(a);
        }
        assert_int_equal(dispatch_parked(T->d), 3);
        story_put(0);
        toy_settle();
        assert_null(T->slots[2]);
        assert_non_null(T->slots[0]);
        assert_non_null(T->slots[1]);
        toy_end();
}

/* Who helps is asked after those at home, however long he has been idle. */
static void
test_home_before_helping(void **state)
{
        (void)state;
        story_begin(NULL);
        story_agent(0, "second", "first", 1, 0);
        story_agent(1, "first", NULL, 5000, 0);
        story_agent(2, "first", "second", 6000, 0);
        for (int a = 0; a < 3; a++)
                story_park(a);
        story_put(0);
        toy_settle();
        assert_null(T->slots[1]);
        story_put(0);
        toy_settle();
        assert_null(T->slots[2]);
        assert_non_null(T->slots[0]);
        story_put(0);
        assert_int_equal(T->wire[(T->tail - 1) % MAX_EVENTS].offers[0].handicap_us,
            15000000); /* and in his pull the class counts later */
        toy_settle();
        assert_null(T->slots[0]);
        toy_end();
}

static void
test_balance_load(void **state)
{
        (void)state;
        story_begin(NULL);
        story_agent(0, "first", NULL, 1, 3);
        story_agent(1, "first", NULL, 5000, 1);
        story_agent(2, "first", NULL, 9000, 1);
        for (int a = 0; a < 3; a++)
                story_park(a);
        dispatch_set_options(T->d, 15000, true); /* while they are parked */
        story_put(0);
        toy_settle();
        assert_null(T->slots[1]);
        story_put(0);
        toy_settle();
        assert_null(T->slots[2]);
        assert_non_null(T->slots[0]);
        toy_end();
}

/* A fresh ticket asks nobody who is let in later; the look does when the time has come;
 * and what is old already asks him at once. A head start opens no step. */
static void
test_a_step_wakes(void **state)
{
        const char *also[] = {"second"};
        struct class_step step = {{0, 30000}, STEP_ALSO, also, 1, 0};

        (void)state;
        story_begin(&step);
        story_agent(0, "second", NULL, 1, 0);
        story_park(0);
        story_put(0);
        toy_settle();
        assert_int_equal(T->tail, 1); /* one pull: his first */
        clock_test_advance(29999 * 1000);
        toy_look();
        toy_settle();
        assert_non_null(T->slots[0]);
        assert_int_equal(T->tail, 1);
        clock_test_advance(1000);
        toy_look();
        toy_settle();
        assert_null(T->slots[0]);
        story_park(0);
        story_put(30000);
        toy_settle();
        assert_null(T->slots[0]);
        toy_end();
}

/* A calendar that is not known keeps its steps shut; one that is none is real time. */
static void
test_steps_wait_for_their_calendar(void **state)
{
        const char *also[] = {"second"}, *id = "0123456789abcdef";
        struct class_step step = {{0, 30000}, STEP_ALSO, also, 1, 0};

        (void)state;
        story_begin(&step);
        T->classes[0].calendar = id;
        class_seal(&T->classes[0], T->arena);
        dispatch_set_class(T->d, &T->classes[0]);
        assert_false(dispatch_knows_calendar(T->d, id));
        story_agent(0, "second", NULL, 1, 0);
        story_park(0);
        story_put(60000);
        toy_look();
        toy_settle();
        assert_non_null(T->slots[0]);
        dispatch_set_calendar(T->d, id, "");
        assert_true(dispatch_knows_calendar(T->d, id));
        assert_null(dispatch_calendar(T->d, id));
        toy_look();
        toy_settle();
        assert_null(T->slots[0]);
        toy_end();
}

/* Several parked reserves of one agent with filters: a hint for him lets each try. */
static void
test_filters_are_all_tried(void **state)
{
        (void)state;
        story_begin(NULL);
        story_agent(0, "first", NULL, 1, 4); /* full */
        toy_reserve(1, 0, "second", true);
        toy_reserve(0, 0, "first", true);
        toy_settle();
        story_put(0);
        toy_settle();
        assert_non_null(T->slots[0]);
        T->used[0] = 0;
        dispatch_hint_agent(T->d, names[0], ++T->hintseq);
        toy_settle();
        assert_null(T->slots[0]);
        assert_non_null(T->slots[1]);
        toy_end();
}

/* Forgotten while a pull for it is under way, wanted again, forgotten for good. */
static void
test_forgotten_classes(void **state)
{
        const char *id;
        size_t n;

        (void)state;
        story_begin(NULL);
        id = T->classes[0].id;
        n = dispatch_n_classes(T->d);
        story_agent(0, "first", NULL, 1, 0);
        story_park(0);
        story_put(0);
        dispatch_forget_class(T->d, id);
        assert_false(dispatch_knows_class(T->d, id));
        assert_int_equal(dispatch_n_classes(T->d), n);
        dispatch_set_class(T->d, &T->classes[0]);
        assert_true(dispatch_knows_class(T->d, id));
        toy_settle();
        assert_null(T->slots[0]);
        dispatch_forget_class(T->d, id);
        assert_int_equal(dispatch_n_classes(T->d), n - 1);
        dispatch_set_class(T->d, &T->classes[0]);
        story_park(0);
        story_put(0);
        toy_settle();
        assert_null(T->slots[0]);
        toy_end();
}

static void
test_gone_gives_back(void **state)
{
        (void)state;
        story_begin(NULL);
        story_agent(0, "first", NULL, 1, 0);
        story_put(0);
        toy_reserve(0, 0, "", true);
        assert_true(dispatch_cancel(T->d, T->slots[0], true));
        T->slots[0] = NULL;
        toy_settle();
        assert_int_equal(T->n_given_back, 1);
        assert_int_equal(T->tickets[0].holder, -1);
        toy_end();
}

static void
test_drain_answers_parked(void **state)
{
        (void)state;
        story_begin(NULL);
        story_agent(0, "first", NULL, 1, 0);
        story_park(0);
        dispatch_drain(T->d);
        assert_null(T->slots[0]);
        toy_reserve(1, 1, "", true);
        assert_null(T->slots[1]);
        toy_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_random_interleavings),
            cmocka_unit_test(test_longest_idle_gets_it),
            cmocka_unit_test(test_home_before_helping),
            cmocka_unit_test(test_balance_load),
            cmocka_unit_test(test_a_step_wakes),
            cmocka_unit_test(test_steps_wait_for_their_calendar),
            cmocka_unit_test(test_filters_are_all_tried),
            cmocka_unit_test(test_forgotten_classes),
            cmocka_unit_test(test_gone_gives_back),
            cmocka_unit_test(test_drain_answers_parked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
