/*
 * The law of moves: every state with every event, who may, and what each change holds;
 * above all which of them are a new start (ROUTING.md, "The matching").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "queue/ticket.h"

enum { FIRST = EVENT_ESCALATE, LAST = EVENT_ABSENT, N_STATES = TICKET_MERGED + 1 };
static const int64_t now = 1795447193872, entered = 1795440000000;
static struct arena *mem;
static struct message *letter;
static struct class other_class = {.id = "abcd", .text = "{other}", .head_ms = 3600000};

static struct ticket
a_ticket(enum ticket_state s)
{
        struct ticket t;
        const char *fields[] = {"state", ticket_state_name(s), "owner", "anna", "line",
            "first", "nm", "7", "ver", "9", "v", "1000", "class", "0123", "lease", "3",
            "entered", "1795440000000", "handed", "[\"zero\",\"petr\"]", "holder",
            s == TICKET_HELD ? "anna" : ""};
        size_t lens[sizeof fields / sizeof *fields];
        struct err err;

        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
                lens[i] = strlen(fields[i]);
        assert_int_equal(ticket_from_fields("1042", fields, lens,
                             sizeof fields / sizeof *fields / 2, mem, &t, &err),
            0);
        memcpy(t.class_doc.id, "0123", 5);
        t.class_doc.text = "{}";
        t.class_doc.head_ms = 60000;
        return t;
}

/* Anna, who is a lead, does it. */
static struct ticket_event
an_event(enum ticket_event_type type)
{
        struct ticket_event e = {.type = type,
            .now_ms = now,
            .who = "anna",
            .agent = "anna",
            .is_admin = true,
            .lease_ms = 1000,
            .own_ms = 900000,
            .reopen_ms = 86400000,
            .prefer_ms = 5000,
            .message = letter,
            .line = "second",
            .class_doc = &other_class,
            .priority = PRIORITY_HIGH,
            .field = "subject",
            .route = "r",
            .tags = "[]",
            .why = "[]",
            .text = "why"};

        if (type == EVENT_SNOOZE || type == EVENT_PEND)
                e.until_ms = now + 1000;
        if (type == EVENT_CHANGE || type == EVENT_NEED || type == EVENT_TAG ||
            type == EVENT_ASSIGN)
                e.target = "oleg";
        return e;
}

static const char *
text_of(const struct change *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < c->n_args; i++) {
                bool op = c->args[i].len == 1 && c->args[i].s[0] >= 'A' &&
                          c->args[i].s[0] <= 'Z';

                buf_adds(&b, op ? " | " : " ");
                buf_add(&b, c->args[i].s, c->args[i].len);
        }
        buf_adds(&b, " |");
        return arena_strdup(mem, buf_str(&b));
}

static int
apply(const struct ticket *t, const struct ticket_event *e, const char **text,
    const char **code)
{
        struct change c;
        struct err err = {0};
        int rc = ticket_apply(t, e, mem, &c, &err);

        if (rc == -1)
                assert_int_equal(c.n_args, 0);
        *text = text_of(&c);
        *code = arena_strdup(mem, err.code);
        return rc;
}

static const char *
applied(const struct ticket *t, struct ticket_event e)
{
        const char *text, *code;

        if (apply(t, &e, &text, &code) == -1)
                fail_msg("refused: %s", code);
        return text;
}

static const char *
refused(const struct ticket *t, struct ticket_event e)
{
        const char *text, *code;

        assert_int_equal(apply(t, &e, &text, &code), -1);
        return code;
}

#define HAS(text, part) assert_non_null(strstr(text, part))
#define HAS_NOT(text, part) assert_null(strstr(text, part))

/* Q queued, H held, W waiting, R resolved, C closed, M merged: where it may happen. */
static const struct {
        enum ticket_event_type type;
        const char *states;
        bool new_start, leaves;
} law[] = {
    {EVENT_ESCALATE, "QH", true, true},
    {EVENT_RETURN, "QH", true, true},
    {EVENT_TRANSFER, "QHW", true, true},
    {EVENT_PEND, "HW", false, true},
    {EVENT_SNOOZE, "HW", false, true},
    {EVENT_ASSIGN, "W", false, false},
    {EVENT_RAISE, "QHW", false, false},
    {EVENT_NEED, "QHW", false, false},
    {EVENT_TAG, "QHWR", false, false},
    {EVENT_CHANGE, "QHWR", false, false},
    {EVENT_SPAM, "QHW", false, true},
    {EVENT_REROUTE, "Q", false, false},
    {EVENT_ABSENT, "QHW", false, true},
};

static void
test_table(void **state)
{
        (void)state;
        assert_int_equal(sizeof law / sizeof *law, LAST - FIRST + 1);
        for (size_t i = 0; i < sizeof law / sizeof *law; i++)
                for (int s = 0; s < N_STATES; s++) {
                        struct ticket t = a_ticket((enum ticket_state)s);
                        struct ticket_event e = an_event(law[i].type);
                        bool may = strchr(law[i].states, "QHWRCM"[s]) != NULL;

                        if (law[i].type == EVENT_TRANSFER && s == TICKET_WAITING)
                                e.target = "oleg"; /* only its owner can change */
                        assert_int_equal(
                            ticket_may((enum ticket_state)s, law[i].type), may);
                        if (may)
                                applied(&t, e);
                        else
                                assert_true(*refused(&t, e) != '\0');
                }
}

/* What leaves anna's hands frees them; what stays does not. A new start is told by
 * `entered`, and v follows from it; what keeps its start has v from the old one. */
static void
test_hands_and_starts(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof law / sizeof *law; i++) {
                bool held = strchr(law[i].states, 'H') != NULL;
                struct ticket t = a_ticket(held                         ? TICKET_HELD
                                           : strchr(law[i].states, 'Q') ? TICKET_QUEUED
                                                                        : TICKET_WAITING);
                const char *text = applied(&t, an_event(law[i].type));
                const char *v = arena_printf(mem, " | S v %lld |",
                    (long long)((law[i].new_start ? now : entered) - 3600000) * 1000);
                bool reclassed = strstr(text, "| C abcd") != NULL;

                assert_int_equal(
                    strstr(text, " | U anna ") != NULL, held && law[i].leaves);
                assert_int_equal(
                    strstr(text, " | S holder  |") != NULL, held && law[i].leaves);
                assert_int_equal(strstr(text, arena_printf(mem, " | S entered %lld |",
                                                  (long long)now)) != NULL,
                    law[i].new_start);
                if (reclassed)
                        HAS(text, v);
        }
}

static void
test_who_may(void **state)
{
        static const enum ticket_event_type holders[] = {EVENT_ESCALATE, EVENT_RETURN,
            EVENT_TRANSFER, EVENT_PEND, EVENT_SNOOZE, EVENT_NEED, EVENT_CHANGE,
            EVENT_SPAM};
        static const enum ticket_event_type leads[] = {
            EVENT_ASSIGN, EVENT_RAISE, EVENT_REROUTE};
        struct ticket held = a_ticket(TICKET_HELD), waiting = a_ticket(TICKET_WAITING);

        (void)state;
        for (size_t i = 0; i < sizeof holders / sizeof *holders; i++) {
                struct ticket_event e = an_event(holders[i]);

                applied(&held, e); /* anna, or any lead */
                e.is_admin = false;
                applied(&held, e);
                e.agent = e.who = "petr";
                assert_string_equal(refused(&held, e), "NOTHELD");
                if (ticket_may(TICKET_WAITING, e.type))
                        assert_string_equal(refused(&waiting, e), "NOPERM");
                e.is_admin = true;
                applied(&held, e);
                e.agent = "anna";
                e.lease = 2;
                assert_string_equal(refused(&held, e), "NOTHELD");
        }
        for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
                struct ticket_event e = an_event(leads[i]);
                struct ticket t = a_ticket(leads[i] == EVENT_ASSIGN    ? TICKET_WAITING
                                           : leads[i] == EVENT_REROUTE ? TICKET_QUEUED
                                                                       : TICKET_HELD);

                e.is_admin = false;
                assert_string_equal(refused(&t, e), "NOPERM");
        }
}

/* What nobody has may be corrected by anybody, but is moved by leads only. */
static void
test_queued(void **state)
{
        struct ticket t = a_ticket(TICKET_QUEUED);
        struct ticket_event e = an_event(EVENT_NEED);

        (void)state;
        e.is_admin = false;
        HAS(applied(&t, e), " | Q | S v ");
        e.type = EVENT_ESCALATE;
        assert_string_equal(refused(&t, e), "NOTHELD");
        e.type = EVENT_PEND;
        assert_string_equal(refused(&t, e), "NOTHELD");
}

static void
test_lines(void **state)
{
        struct ticket t = a_ticket(TICKET_HELD);
        struct ticket_event e = an_event(EVENT_ESCALATE);
        const char *text = applied(&t, e);

        (void)state;
        HAS(text, " | K anna 1795447793872 |"); /* who gives it is not offered it */
        HAS(text, " | S line second |");
        HAS(text, " | S handed [\"zero\",\"petr\",\"first\",\"anna\"] |");
        HAS(text, " | C abcd {other} ");
        HAS(text, " | M ");
        e.type = EVENT_RETURN;
        e.line = "zero";
        text = applied(&t, e);
        HAS(text, " | K petr 0 |"); /* his skip ends */
        HAS(text, " | S handed [] |");
        HAS(text, " | C abcd {other}  | O petr ");
        e.line = "minus"; /* nobody handed it up from there */
        HAS_NOT(applied(&t, e), " | O ");
        e.line = "";
        assert_string_equal(refused(&t, e), "STATE");
        e.type = EVENT_ESCALATE;
        assert_string_equal(refused(&t, e), "STATE");
        e.line = "second";
        e.agent = e.who = "vera"; /* a lead takes it out of anna's hands: no blame */
        text = applied(&t, e);
        HAS_NOT(text, " | K ");
        HAS(text, "\"first\",\"anna\"");
}

static void
test_transfer(void **state)
{
        struct ticket t = a_ticket(TICKET_HELD);
        struct ticket_event e = an_event(EVENT_TRANSFER);
        const char *text;

        (void)state;
        e.line = "";
        e.class_doc = NULL;
        e.target = "oleg";
        text = applied(&t, e);
        HAS(text, " | K anna 1795447793872 | U anna");
        HAS(text, " | C 0123 {}  | O oleg ");
        HAS(text, " 1795447198872 |"); /* kept for prefer_ms */
        e.target = "anna";
        assert_string_equal(refused(&t, e), "BADARG");
        t = a_ticket(TICKET_WAITING);
        e.target = "oleg";
        text = applied(&t, e);
        HAS(text, " | S owner oleg |");
        HAS_NOT(text, " | S state ");
        e.target = "";
        e.line = "second";
        assert_string_equal(refused(&t, e), "STATE");
}

static void
test_later(void **state)
{
        struct ticket t = a_ticket(TICKET_HELD);
        struct ticket_event e = an_event(EVENT_PEND);
        const char *text = applied(&t, e);

        (void)state;
        HAS(text, " | S until 1795447194872 | D wait 1795447194872 |");
        e.type = EVENT_SNOOZE;
        HAS(applied(&t, e), " | S until 1795447194872 | D wait 1795447194872 |");
        e.until_ms = now;
        assert_string_equal(refused(&t, e), "BADARG");
        e.type = EVENT_PEND;
        e.until_ms = 0; /* until the customer writes */
        HAS(applied(&t, e), " | D wait 0 |");
}

/* In an own queue it stays there. */
static void
test_reclass_own(void **state)
{
        struct ticket t = a_ticket(TICKET_QUEUED);
        struct ticket_event e = an_event(EVENT_RAISE);

        (void)state;
        t.in_own = true;
        t.until_ms = now + 77;
        HAS(applied(&t, e), " | Q | S v 1795436400000000 | C abcd {other}  | O anna "
                            "1795436400000000 1795447193949 |");
}

static void
test_absent(void **state)
{
        struct ticket t = a_ticket(TICKET_HELD);
        struct ticket_event e = an_event(EVENT_ABSENT);
        const char *text = applied(&t, e);

        (void)state;
        HAS(text, " | O anna 1000 1795448093872 |"); /* v as it was; a deputy, if any */
        HAS_NOT(text, " | K ");
        HAS_NOT(text, " | S back ");
        t = a_ticket(TICKET_WAITING);
        text = applied(&t, e);
        HAS(text, " | A anna |");
        HAS_NOT(text, " | S state");
        e.agent = "petr"; /* nothing of his about it */
        assert_string_equal(applied(&t, e), " |");
}

static void
test_spam(void **state)
{
        struct ticket t = a_ticket(TICKET_QUEUED);
        const char *text = applied(&t, an_event(EVENT_SPAM));

        (void)state;
        HAS(text, " | S state resolved |");
        HAS(text, " | S code spam |");
        HAS_NOT(text, " | X ");
}

static int
setup(void **state)
{
        (void)state;
        mem = arena_new();
        letter = message_new();
        letter->subject = "note";
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
            cmocka_unit_test(test_hands_and_starts),
            cmocka_unit_test(test_who_may),
            cmocka_unit_test(test_queued),
            cmocka_unit_test(test_lines),
            cmocka_unit_test(test_transfer),
            cmocka_unit_test(test_later),
            cmocka_unit_test(test_reclass_own),
            cmocka_unit_test(test_absent),
            cmocka_unit_test(test_spam),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
