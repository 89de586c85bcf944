/*
 * dispatch.c by itself: random interleavings of pulls, puts and hints of several
 * classes against a toy store, and a few plain stories.
 *
 * The toy store runs commands in the order they were sent, at random moments, and
 * delivers their answers later, in order; hints of "another daemon" arrive out of
 * order on a second wire. When everything has arrived, no parked agent may fit a
 * waiting ticket that he does not skip and has room for.
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
        int class; /* -1: taken */
        int holder; /* agent, -1 none */
        bool given; /* the answer has arrived */
        unsigned skip_mask; /* agents who skip it */
};

struct toy_event { /* an answer or a hint on its way */
        enum { ANSWER, HINT_C, HINT_A } kind;
        uint64_t n; /* of the pull */
        bool executed;
        int agent, class, slot;
        unsigned holds;
        char hinted[32];
        char ids[N_CLASSES][32];
        size_t n_ids;
        bool blocked;
        int got;
        uint64_t seq;
        bool hinted_waits, got_waits;
};

struct toy {
        struct dispatch *d;
        struct arena *arena;
        struct class classes[N_CLASSES];
        unsigned fits[N_AGENTS]; /* mask of classes */
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

static void
toy_pull(void *arg, const struct dispatch_pull *p)
{
        struct toy_event *e = &T->wire[T->tail++ % MAX_EVENTS];

        (void)arg;
        memset(e, 0, sizeof *e);
        e->kind = ANSWER;
        e->n = p->n;
        e->agent = agent_of(p->request->agent);
        e->holds = p->holds;
        snprintf(e->hinted, sizeof e->hinted, "%s", p->hinted);
        for (size_t g = 0; g < p->n_groups; g++)
                for (size_t i = 0; i < p->groups[g].n_classes; i++)
                        snprintf(e->ids[e->n_ids++], 32, "%s", p->groups[g].classes[i]);
}

static void
toy_give_back(void *arg, const char *agent, const char *ticket, const char *connection)
{
        struct toy_ticket *t = &T->tickets[atoi(ticket)];
        struct toy_event *e = &T->wire[T->tail++ % MAX_EVENTS];

        (void)arg;
        (void)agent;
        (void)connection;
        T->n_given_back++;
        T->used[t->holder]--;
        memset(e, 0, sizeof *e);
        e->kind = HINT_C;
        e->executed = true;
        e->class = t->class;
        e->agent = t->holder;
        t->holder = -1;
        t->given = false;
        e->seq = ++T->hintseq;
        /* capacity came back too */
        e = &T->wire[T->tail++ % MAX_EVENTS];
        memset(e, 0, sizeof *e);
        e->kind = HINT_A;
        e->executed = true;
        e->agent = agent_of(agent);
        e->seq = ++T->hintseq;
}

static const struct dispatch_ops ops = {toy_pull, toy_give_back};

static bool
toy_waits(int class)
{
        for (int i = 0; i < T->n_tickets; i++)
                if (T->tickets[i].holder == -1 && T->tickets[i].class == class)
                        return true;
        return false;
}

static void
toy_execute(struct toy_event *e)
{
        e->executed = true;
        e->got = -1;
        e->blocked = T->used[e->agent] >= e->holds;
        for (int i = 0; i < T->n_tickets && !e->blocked && e->got == -1; i++) {
                struct toy_ticket *t = &T->tickets[i];

                if (t->holder != -1 || t->skip_mask & 1u << e->agent)
                        continue;
                for (size_t k = 0; k < e->n_ids; k++)
                        if (class_of(e->ids[k]) == t->class)
                                e->got = i;
        }
        if (e->got != -1) {
                T->tickets[e->got].holder = e->agent;
                T->used[e->agent]++;
                e->got_waits = toy_waits(T->tickets[e->got].class);
        }
        e->hinted_waits = *e->hinted != '\0' && toy_waits(class_of(e->hinted));
        e->seq = T->hintseq;
}

static void
toy_deliver(struct toy_event e)
{
        struct dispatch_head heads[2];
        char id[16];
        const char *ids[1] = {id};
        struct dispatch_result r = {
            .hintseq = e.seq, .heads = heads, .blocked = e.blocked};

        if (e.kind == HINT_C) {
                dispatch_hint_class(T->d, T->classes[e.class].id, INT64_MIN, e.seq);
                return;
        }
        if (e.kind == HINT_A) {
                dispatch_hint_agent(T->d, names[e.agent], e.seq);
                return;
        }
        if (*e.hinted != '\0')
                heads[r.n_heads++] = (struct dispatch_head){e.hinted, e.hinted_waits, 0};
        if (e.got != -1) {
                snprintf(id, sizeof id, "%d", e.got);
                T->tickets[e.got].given = true;
                r.tickets = ids;
                r.n_tickets = 1;
                heads[r.n_heads++] = (struct dispatch_head){
                    T->classes[T->tickets[e.got].class].id, e.got_waits, 0};
        }
        dispatch_pulled(T->d, e.n, &r);
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
toy_reserve(int slot)
{
        struct reserve_request q = {.count = 1,
            .block = rnd(5) != 0,
            .line = "",
            .channel = "",
            .connection = "c",
            .idem = "",
            .idem_hash = ""};
        int agent = rnd(N_AGENTS);

        q.agent = names[agent];
        T->slot_agent[slot] = agent;
        T->slots[slot] = dispatch_reserve(T->d, &q, on_reserved, &T->slots[slot]);
}

static void
toy_hint(int kind, int class, int agent)
{
        struct toy_event e = {
            .kind = kind, .executed = true, .class = class, .agent = agent};

        e.seq = ++T->hintseq;
        for (int i = 0; i < T->n_stream; i++) /* one hint may stand for many */
                if (kind == HINT_C && T->stream[i].kind == HINT_C &&
                    T->stream[i].class == class && rnd(2)) {
                        T->stream[i].seq = e.seq;
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

        if (T->n_tickets >= MAX_TICKETS)
                return;
        T->tickets[T->n_tickets++] =
            (struct toy_ticket){c, -1, false, rnd(8) == 0 ? 1u << rnd(N_AGENTS) : 0};
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
        struct arena *ar AUTO_ARENA = arena_new();
        struct skill *s = arena_alloc(ar, N_CLASSES * sizeof *s);
        const char *line = "first";
        struct profile p = {.lines = &line, .n_lines = 1, .skills = s};

        T->fits[a] = 0;
        for (int c = 0; c < N_CLASSES; c++)
                if (rnd(2)) {
                        s[p.n_skills].name = arena_printf(ar, "s%d", c);
                        s[p.n_skills++].level = 5;
                        T->fits[a] |= 1u << c;
                }
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
toy_check(unsigned seed)
{
        while (toy_step())
                ;
        for (int s = 0; s < N_SLOTS; s++) {
                int a = T->slot_agent[s];

                if (T->slots[s] == NULL || T->used[a] >= T->holds[a])
                        continue;
                for (int i = 0; i < T->n_tickets; i++) {
                        struct toy_ticket *t = &T->tickets[i];

                        if (t->holder == -1 && t->class >= 0 &&
                            T->fits[a] & 1u << t->class && !(t->skip_mask & 1u << a))
                                fail_msg("seed %u: agent %d is parked, ticket %d waits",
                                    seed, a, i);
                }
        }
}

static void
toy_begin(unsigned seed)
{
        srand(seed);
        T = calloc(1, sizeof *T);
        T->arena = arena_new();
        T->d = dispatch_new(&ops, NULL);
        for (int c = 0; c < N_CLASSES; c++) {
                struct class *k = &T->classes[c];

                k->route = "r";
                k->lines = arena_alloc(T->arena, sizeof *k->lines);
                k->lines[0] = "first";
                k->n_lines = 1;
                k->musts = arena_alloc(T->arena, sizeof *k->musts);
                k->musts[0].name = arena_printf(T->arena, "s%d", c);
                k->musts[0].level = 1;
                k->n_musts = 1;
                k->channel = "email";
                class_seal(k, T->arena);
                dispatch_set_class(T->d, k);
        }
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
toy_random_action(void)
{
        int s = rnd(N_SLOTS);

        switch (rnd(10)) {
        case 0:
        case 1:
        case 2:
                toy_put();
                break;
        case 3:
        case 4:
        case 5:
                if (T->slots[s] == NULL)
                        toy_reserve(s);
                break;
        case 6:
                toy_finish();
                break;
        case 7:
                toy_release();
                break;
        case 8:
                if (T->slots[s] != NULL && rnd(4) == 0) {
                        bool gone = rnd(2);

                        if (dispatch_cancel(T->d, T->slots[s], gone))
                                T->slots[s] = NULL;
                } else if (rnd(20) == 0) {
                        int a = rnd(N_AGENTS);

                        toy_profile(a);
                        dispatch_hint_agent(T->d, names[a], 0);
                }
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

/* ---- plain stories ---- */

static void
test_longest_idle_gets_it(void **state)
{
        (void)state;
        toy_begin(1);
        for (int a = 0; a < N_AGENTS; a++) { /* everybody fits class 0 */
                struct skill s = {"s0", 5};
                const char *line = "first";
                struct profile p = {&line, 1, &s, 1, ""};

                T->fits[a] = 1;
                dispatch_set_agent(T->d, names[a], &p, 1);
                dispatch_set_idle(
                    T->d, names[a], 1000 - a, 0); /* the last is idle longest */
        }
        for (int s = 0; s < 3; s++) {
                struct reserve_request q = {.agent = names[s],
                    .count = 1,
                    .block = true,
                    .line = "",
                    .channel = "",
                    .connection = "",
                    .idem = "",
                    .idem_hash = ""};

                T->slot_agent[s] = s;
                T->slots[s] = dispatch_reserve(T->d, &q, on_reserved, &T->slots[s]);
        }
        while (toy_step())
                ;
        assert_int_equal(dispatch_parked(T->d), 3);
        T->tickets[T->n_tickets++] = (struct toy_ticket){0, -1, false, 0};
        dispatch_hint_class(T->d, T->classes[0].id, INT64_MIN, ++T->hintseq);
        while (toy_step())
                ;
        assert_null(T->slots[2]);
        assert_non_null(T->slots[0]);
        assert_non_null(T->slots[1]);
        toy_end();
}

static void
test_gone_gives_back(void **state)
{
        struct skill s = {"s0", 5};
        const char *line = "first";
        struct profile p = {&line, 1, &s, 1, ""};
        struct reserve_request q = {.agent = names[0],
            .count = 1,
            .block = true,
            .line = "",
            .channel = "",
            .connection = "",
            .idem = "",
            .idem_hash = ""};

        (void)state;
        toy_begin(2);
        dispatch_set_agent(T->d, names[0], &p, 1);
        T->tickets[T->n_tickets++] = (struct toy_ticket){0, -1, false, 0};
        T->slots[0] = dispatch_reserve(T->d, &q, on_reserved, &T->slots[0]);
        assert_true(dispatch_cancel(T->d, T->slots[0], true));
        T->slots[0] = NULL;
        while (toy_step())
                ;
        assert_int_equal(T->n_given_back, 1);
        assert_int_equal(T->tickets[0].holder, -1);
        toy_end();
}

static void
test_drain_answers_parked(void **state)
{
        (void)state;
        toy_begin(3);
        toy_reserve(0);
        T->slots[0] = T->slots[0];
        while (toy_step())
                ;
        dispatch_drain(T->d);
        assert_null(T->slots[0]);
        toy_reserve(1);
        assert_null(T->slots[1]);
        toy_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_random_interleavings),
            cmocka_unit_test(test_longest_idle_gets_it),
            cmocka_unit_test(test_gone_gives_back),
            cmocka_unit_test(test_drain_answers_parked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
