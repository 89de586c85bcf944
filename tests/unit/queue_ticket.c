/*
 * The law of states: every state with every event, and what each change holds. The
 * table here is written from STORE.md, not from queue/ticket.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "queue/ticket.h"

enum { N_STATES = TICKET_MERGED + 1, N_EVENTS = EVENT_GONE_AGENT + 1 };
static const int64_t now = 1795447193872;
static struct arena *mem;
static struct message *letter;

/* A ticket of that state, in anna's hands or last in them. */
static struct ticket
a_ticket(enum ticket_state s)
{
        struct ticket t;
        const char *fields[] = {"state", ticket_state_name(s), "owner", "anna", "line",
            "first", "nm", "7", "last_in", "1042.5", "seen", "1042.5", "ver", "9", "v",
            "1000", "class", "0123", "lease", "3", "holder",
            s == TICKET_HELD ? "anna" : "", "untaken", s == TICKET_HELD ? "c1" : ""};
        size_t lens[sizeof(fields) / sizeof(fields[0])];
        struct err err;

        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                lens[i] = strlen(fields[i]);
        assert_int_equal(ticket_from_fields("1042", fields, lens,
                             sizeof(fields) / sizeof(fields[0]) / 2, mem, &t, &err),
            0);
        t.resolved_ms = s == TICKET_RESOLVED ? now - 1000 : 0;
        t.class_doc.text = "{}";
        t.class_doc.head_ms = 60000;
        return t;
}

static struct ticket_event
an_event(enum ticket_event_type type)
{
        static const char *to[] = {"ivan@example.ru"};

        return (struct ticket_event){.type = type,
            .now_ms = now,
            .who = "anna",
            .agent = "anna",
            .lease_ms = 1000,
            .own_ms = 900000,
            .reopen_ms = 86400000,
            .send_delay_ms = 30000,
            .message = letter,
            .counts = true,
            .account = "support@romashka.ru",
            .target = "1042.7",
            .delivery = "[]",
            .to = to,
            .n_to = 1};
}

/* The change as one text: "S state waiting | U anna | ..." */
static const char *
text_of(const struct change *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < c->n_args; i++) {
                bool op = c->args[i].len == 1 &&
                          strchr("SNMLJDCOQUKPIVXYZWER", c->args[i].s[0]);

                buf_adds(&b, op ? " | " : " ");
                buf_add(&b, c->args[i].s, c->args[i].len);
        }
        buf_adds(&b, " |");
        return arena_strdup(mem, buf_str(&b));
}

/* The state the change leads to; the old one when it does not say. */
static enum ticket_state
state_after(const struct change *c, enum ticket_state before)
{
        for (size_t i = 0; i + 2 < c->n_args; i++)
                if (strcmp(c->args[i].s, "S") == 0 &&
                    strcmp(c->args[i + 1].s, "state") == 0)
                        assert_true(ticket_state_parse(c->args[i + 2].s, &before));
        return before;
}

static int
apply(const struct ticket *t, const struct ticket_event *e, struct change *c,
    struct err *err)
{
        *err = (struct err){0};
        return ticket_apply(t, e, mem, c, err);
}

static const char *
applied(enum ticket_state s, struct ticket_event e)
{
        struct ticket t = a_ticket(s);
        struct change c;
        struct err err;

        if (apply(&t, &e, &c, &err) == -1)
                fail_msg("%s", err.text);
        assert_string_equal(c.ticket, "1042");
        assert_int_equal(c.version, 9);
        return text_of(&c);
}

static const char *
refused(const struct ticket *t, struct ticket_event e)
{
        struct change c;
        struct err err;

        assert_int_equal(apply(t, &e, &c, &err), -1);
        assert_int_equal(c.n_args, 0);
        return arena_strdup(mem, err.code);
}

#define HAS(text, part) assert_non_null(strstr(text, part))
#define HAS_NOT(text, part) assert_null(strstr(text, part))

/* ---- the table ---- */

enum { NO = -1, SAME = -2 };

static void
test_table(void **state)
{
        enum {
                Q = TICKET_QUEUED,
                H = TICKET_HELD,
                W = TICKET_WAITING,
                R = TICKET_RESOLVED
        };
        static const int table[N_STATES][N_EVENTS] = {
            /* MESSAGE REPLY NOTE UNSEND RELEASE LOST TOUCH SEEN RESOLVE REOPEN DELIVERY GONE */
            [TICKET_QUEUED] = {SAME, NO, SAME, SAME, NO, NO, NO, NO, R, NO, SAME, NO},
            [TICKET_HELD] = {SAME, W, SAME, SAME, Q, Q, SAME, SAME, R, NO, SAME, Q},
            [TICKET_WAITING] = {Q, NO, SAME, Q, NO, NO, NO, NO, R, NO, SAME, NO},
            [TICKET_RESOLVED] = {Q, NO, SAME, Q, NO, NO, NO, NO, NO, Q, SAME, NO},
            [TICKET_CLOSED] = {NO, NO, SAME, NO, NO, NO, NO, NO, NO, NO, SAME, NO},
            [TICKET_MERGED] = {NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, SAME, NO},
        };

        (void)state;
        for (int s = 0; s < N_STATES; s++)
                for (int e = 0; e < N_EVENTS; e++) {
                        struct ticket t = a_ticket((enum ticket_state)s);
                        struct ticket_event event = an_event((enum ticket_event_type)e);
                        struct change c;
                        struct err err;
                        int rc;

                        event.is_admin = s == TICKET_QUEUED;
                        rc = apply(&t, &event, &c, &err);
                        if (table[s][e] == NO) {
                                assert_int_equal(rc, -1);
                                assert_int_equal(c.n_args, 0);
                                assert_true(err.code[0] != '\0' && err.text[0] != '\0');
                                if (e != EVENT_MESSAGE)
                                        assert_false(ticket_may((enum ticket_state)s,
                                            (enum ticket_event_type)e));
                                continue;
                        }
                        assert_int_equal(rc, 0);
                        assert_true(
                            ticket_may((enum ticket_state)s, (enum ticket_event_type)e));
                        assert_int_equal(state_after(&c, (enum ticket_state)s),
                            table[s][e] == SAME ? s : table[s][e]);
                }
}

/* Whatever leaves anna's hands frees her capacity, ends her lease and is hers no more;
 * whatever stays does not. */
static void
test_hands(void **state)
{
        (void)state;
        for (int e = 0; e < N_EVENTS; e++) {
                struct ticket t = a_ticket(TICKET_HELD);
                struct ticket_event event = an_event((enum ticket_event_type)e);
                struct change c;
                struct err err;
                bool leaves, unholds;

                if (!ticket_may(TICKET_HELD, event.type))
                        continue;
                assert_int_equal(apply(&t, &event, &c, &err), 0);
                leaves = state_after(&c, TICKET_HELD) != TICKET_HELD;
                unholds = strstr(text_of(&c), " | U anna ") != NULL;
                assert_int_equal(leaves, unholds);
                assert_int_equal(leaves, strstr(text_of(&c), " | S holder  |") != NULL);
                assert_true(leaves || strstr(text_of(&c), "| C ") == NULL);
        }
}

/* Machine mail moves nothing, whatever the state. */
static void
test_machine(void **state)
{
        (void)state;
        for (int s = 0; s < TICKET_MERGED; s++) {
                struct ticket_event e = an_event(EVENT_MESSAGE);
                const char *text;

                e.counts = false;
                text = applied((enum ticket_state)s, e);
                HAS(text, " | M ");
                HAS_NOT(text, " | S ");
                HAS_NOT(text, " | N ");
                HAS_NOT(text, " | C ");
                HAS_NOT(text, " | O ");
                HAS_NOT(text, " | D ");
        }
}

/* ---- who may ---- */

static void
test_not_held(void **state)
{
        static const enum ticket_event_type mine[] = {EVENT_REPLY, EVENT_RELEASE,
            EVENT_TOUCH, EVENT_SEEN, EVENT_LOST, EVENT_RESOLVE};

        (void)state;
        for (size_t i = 0; i < sizeof(mine) / sizeof(mine[0]); i++) {
                struct ticket t = a_ticket(TICKET_HELD);
                struct ticket_event e = an_event(mine[i]);

                e.agent = e.who = "boris";
                assert_string_equal(refused(&t, e), "NOTHELD");
                e = an_event(mine[i]);
                e.lease = 2; /* an old hand-over's */
                assert_string_equal(refused(&t, e), "NOTHELD");
                e.lease = 3;
                assert_non_null(applied(TICKET_HELD, e));
                e.lease = 0;
                t = a_ticket(TICKET_QUEUED); /* the lease was lost meanwhile */
                assert_string_equal(refused(&t, e), "NOTHELD");
        }
}

static void
test_admin(void **state)
{
        struct ticket_event e = an_event(EVENT_RELEASE);
        const char *text;

        (void)state;
        e.agent = e.who = "lead";
        e.is_admin = true;
        text = applied(TICKET_HELD, e);
        HAS(text, " | U anna ");
        HAS_NOT(text, " | K "); /* anna is not blamed */
        HAS_NOT(text, " | S back ");
        e.type = EVENT_RESOLVE;
        HAS(applied(TICKET_HELD, e), " | U anna ");
        e.type = EVENT_REPLY;
        {
                struct ticket t = a_ticket(TICKET_HELD);

                assert_string_equal(refused(&t, e), "NOTHELD");
        }
}

static void
test_resolve_waiting(void **state)
{
        struct ticket t = a_ticket(TICKET_WAITING);
        struct ticket_event e = an_event(EVENT_RESOLVE);

        (void)state;
        HAS(applied(TICKET_WAITING, e), " | D wait 0 |");
        e.agent = e.who = "boris";
        assert_string_equal(refused(&t, e), "NOPERM");
}

/* ---- nothing unseen is answered ---- */

static void
test_stale(void **state)
{
        struct ticket t = a_ticket(TICKET_HELD);
        struct ticket_event e = an_event(EVENT_REPLY);
        struct change c;
        struct err err;

        (void)state;
        t.last_in = "1042.6";
        assert_int_equal(apply(&t, &e, &c, &err), -1);
        assert_string_equal(err.code, "STALE");
        assert_int_equal(strncmp(err.text, "1042.6", 6), 0); /* names it */
        e.seen = "1042.5";
        assert_string_equal(refused(&t, e), "STALE");
        e.seen = "1042.6";
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        e.seen = "1042.7"; /* our own answer after it */
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        t.last_in = "1042.10";
        t.n_messages = 12;
        e.seen = "1042.9"; /* by number, not by text */
        assert_string_equal(refused(&t, e), "STALE");
        e.type = EVENT_RESOLVE;
        assert_string_equal(refused(&t, e), "STALE");
}

static void
test_bad_seen(void **state)
{
        static const char *const bad[] = {"1042", "1042.", "1042.0", "1042.x", "1042.8",
            "1.1", "1042.5x", "1042.-1", "1042.99999999999999999999"};
        struct ticket t = a_ticket(TICKET_HELD);

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct ticket_event e = an_event(EVENT_REPLY);

                e.seen = bad[i];
                assert_string_equal(refused(&t, e), "BADARG");
        }
}

static void
test_seen(void **state)
{
        struct ticket t = a_ticket(TICKET_HELD);
        struct ticket_event e = an_event(EVENT_SEEN);
        struct change c;
        struct err err;

        (void)state;
        t.last_in = "1042.6";
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        assert_false(c.bump);
        HAS(text_of(&c), " | S seen 1042.6 |");
        HAS(text_of(&c), " | S untaken  |");
        e.type = EVENT_TOUCH;
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        assert_false(c.bump);
        HAS_NOT(text_of(&c), "seen");
        HAS(text_of(&c), "| D lease 1795447194872 |");
}

/* ---- what the changes hold ---- */

static void
test_reply(void **state)
{
        struct ticket_event e = an_event(EVENT_REPLY);
        struct ticket t = a_ticket(TICKET_HELD);
        const char *text = applied(TICKET_HELD, e);
        struct change c;
        struct err err;

        (void)state;
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        assert_string_equal(c.new_message, "1042.8");
        HAS(text, " | V $new [{\"address\":\"ivan@example.ru\",\"state\":\"queued\"");
        HAS(text, " | X reply $new support@romashka.ru   [\"ivan@example.ru\"] "
                  "1795447223872 |");
        HAS(text, " | U anna |");
        HAS_NOT(text, "owner");
        e.status = "held";
        text = applied(TICKET_HELD, e);
        HAS_NOT(text, " | U ");
        HAS(text, " | D lease 1795447194872 |");
        e.status = "resolved";
        text = applied(TICKET_HELD, e);
        HAS(text, " | S state resolved |");
        HAS(text, " | D close 1795533593872 |");
        e.status = "closed";
        assert_string_equal(refused(&t, e), "BADARG");
        e.status = "";
        e.n_to = 0;
        assert_string_equal(refused(&t, e), "BADARG");
}

static void
test_release(void **state)
{
        struct ticket_event e = an_event(EVENT_RELEASE);
        const char *text = applied(TICKET_HELD, e);

        (void)state;
        HAS(text, " | S back 1 |");
        HAS(text, " | K anna 1795447793872 |");
        HAS(text, " | C 0123 {} 1000 |"); /* its old place */
        HAS_NOT(text, "entered");
        e.delay_ms = 60000;
        text = applied(TICKET_HELD, e);
        HAS(text, " | S state waiting |");
        HAS(text, " | S owner  |");
        HAS(text, " | S until 1795447253872 |");
        HAS(text, " | D wait 1795447253872 |");
        HAS_NOT(text, " | C ");
}

static void
test_lost(void **state)
{
        static const enum ticket_event_type lost[] = {EVENT_LOST, EVENT_GONE_AGENT};

        (void)state;
        for (int i = 0; i < 2; i++) {
                const char *text = applied(TICKET_HELD, an_event(lost[i]));

                HAS(text, " | C 0123 {} 1000 |");
                HAS_NOT(text, " | K ");
                HAS_NOT(text, " | S back ");
                HAS_NOT(text, " | O ");
        }
}

/* The customer's answer is a new start, and his last agent is preferred. */
static void
test_answer(void **state)
{
        struct ticket_event e = an_event(EVENT_MESSAGE);
        struct ticket t = a_ticket(TICKET_WAITING);
        const char *text = applied(TICKET_WAITING, e);
        struct change c;
        struct err err;

        (void)state;
        HAS(text, " | S entered 1795447193872 |");
        HAS(text,
            " | O anna 1795447133872000 1795448093872 |"); /* a minute's head start */
        HAS(text, " | D wait 0 |");
        HAS(text, " | N last_in |");
        e.own_ms = 0;
        HAS(applied(TICKET_WAITING, e), " | C 0123 {} 1795447133872000 |");
        e.own_ms = 900000;
        t.owner = "";
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        HAS(text_of(&c), " | C 0123 {} 1795447133872000 |");
        text = applied(TICKET_QUEUED, e); /* more of the same: it keeps its place */
        HAS_NOT(text, " v ");
        HAS_NOT(text, "entered");
}

static void
test_reopen(void **state)
{
        struct ticket t = a_ticket(TICKET_RESOLVED);
        struct ticket_event e = an_event(EVENT_MESSAGE);

        (void)state;
        HAS(applied(TICKET_RESOLVED, e), " | D close 0 |");
        HAS(applied(TICKET_RESOLVED, e), " | S resolved 0 |");
        t.resolved_ms = now - e.reopen_ms - 1;
        assert_string_equal(refused(&t, e), "CLOSED");
        e.type = EVENT_REOPEN;
        assert_string_equal(refused(&t, e), "STATE");
        t.resolved_ms = now - e.reopen_ms;
        e.type = EVENT_MESSAGE;
        {
                struct change c;
                struct err err;

                assert_int_equal(apply(&t, &e, &c, &err), 0);
        }
        t = a_ticket(TICKET_CLOSED);
        assert_string_equal(refused(&t, e), "CLOSED");
}

static void
test_unsend(void **state)
{
        struct ticket t = a_ticket(TICKET_WAITING);
        struct ticket_event e = an_event(EVENT_UNSEND);

        (void)state;
        HAS(applied(TICKET_WAITING, e), " | E 1042.7 |");
        HAS(applied(TICKET_WAITING, e), " | O anna ");
        HAS(applied(TICKET_HELD, e), " | E 1042.7 |");
        e.target = "1042.8";
        assert_string_equal(refused(&t, e), "NOSUCH");
        e.target = "1042.7";
        e.agent = e.who = "dina"; /* not hers, neither now nor last */
        assert_string_equal(refused(&t, e), "NOPERM");
        e.is_admin = true;
        HAS(applied(TICKET_WAITING, e), " | E 1042.7 |");
}

static void
test_delivery(void **state)
{
        struct ticket t = a_ticket(TICKET_WAITING);
        struct ticket_event e = an_event(EVENT_DELIVERY);
        struct change c;
        struct err err;

        (void)state;
        e.status = "sent";
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        assert_false(c.bump);
        HAS(text_of(&c), " | V 1042.7 [] | J sent ");
        e.target = e.status = NULL;
        assert_int_equal(apply(&t, &e, &c, &err), 0);
        assert_int_equal(c.n_args, 0);
}

static void
test_create(void **state)
{
        static const char *tags[] = {"vpn", "a\"b"};
        struct class k = {.id = "00ff",
            .text = "{\"c\":1}",
            .head_ms = 1000,
            .route = "general",
            .channel = "email"};
        struct ticket_birth b = {.message = letter,
            .class_doc = &k,
            .priority = PRIORITY_HIGH,
            .line = "first",
            .route = "general",
            .tags = tags,
            .n_tags = 2,
            .why = "[]",
            .links = "[]",
            .counts = true,
            .now_ms = now};
        struct change c;
        const char *text;

        (void)state;
        ticket_create(&b, mem, &c);
        text = text_of(&c);
        assert_string_equal(c.ticket, "");
        HAS(text, " | S state queued |");
        HAS(text, " | S prio high |");
        HAS(text, " | S tags [\"vpn\",\"a\\\"b\"] |");
        HAS(text, " | C 00ff {\"c\":1} 1795447192872000 |");
        HAS(text, " | P 1 00ff |");
        HAS(text, " | N last_in |");
        HAS(text, " | S subject $new |"); /* a stranger's word stays a word */
}

static void
test_shelve(void **state)
{
        struct class k = {.id = "00ff", .text = "{}", .route = "general"};
        struct ticket_birth b = {.message = letter,
            .class_doc = &k,
            .line = "first",
            .route = "general",
            .why = "[]",
            .links = "[]",
            .counts = true,
            .shelve = true,
            .reopen_ms = 5000,
            .now_ms = now};
        struct change c;
        const char *text;

        (void)state;
        ticket_create(&b, mem, &c);
        text = text_of(&c);
        HAS(text, " | S state resolved |");
        HAS(text, " | C 00ff {}  |"); /* no place in any queue */
        HAS(text, " | P 1 00ff |");
        HAS(text, " | J message ");
        HAS(text, " helpline shelved |");
        assert_null(strstr(text, "J queued"));
        HAS(text, arena_printf(mem, " | S resolved %lld |", (long long)now));
        HAS(text, arena_printf(mem, " | D close %lld |", (long long)now + 5000));
}

static int
setup(void **state)
{
        (void)state;
        mem = arena_new();
        letter = message_new();
        letter->subject = "$new";
        return 0;
}

static int
teardown(void **state)
{
        (void)state;
        message_free(&letter);
        arena_free(&mem);
        return 0;
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_table),
            cmocka_unit_test(test_hands),
            cmocka_unit_test(test_machine),
            cmocka_unit_test(test_not_held),
            cmocka_unit_test(test_admin),
            cmocka_unit_test(test_resolve_waiting),
            cmocka_unit_test(test_stale),
            cmocka_unit_test(test_bad_seen),
            cmocka_unit_test(test_seen),
            cmocka_unit_test(test_reply),
            cmocka_unit_test(test_release),
            cmocka_unit_test(test_lost),
            cmocka_unit_test(test_answer),
            cmocka_unit_test(test_reopen),
            cmocka_unit_test(test_unsend),
            cmocka_unit_test(test_shelve),
            cmocka_unit_test(test_delivery),
            cmocka_unit_test(test_create),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
