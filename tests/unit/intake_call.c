/* What a telephone call does: daemon/intake_call.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/intake_call.h"

#define MIN 60000LL
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)
#define NOW (1764000000LL * 1000)

static const struct phone_options usual = {
    .missed_ticket = true,
    .repeated_ms = DAY,
    .callback_ms = 20000,
    .answered = PHONE_ANSWERED_NOTE,
};

static struct ticket
ticket(const char *channel, enum ticket_state state, int64_t ago_ms)
{
        return (struct ticket){
            .id = "1", .channel = channel, .state = state, .created_ms = NOW - ago_ms};
}

static struct phone_call
call(enum call_direction d, enum call_result r, int64_t duration_s, int64_t ago_ms)
{
        return (struct phone_call){.id = "1.1",
            .direction = d,
            .result = r,
            .duration_s = duration_s,
            .started_at_us = (NOW - ago_ms) * 1000};
}

static void
want(const struct phone_call *c, const struct phone_options *o, const struct ticket *t,
    enum call_action action)
{
        struct call_choice choice;

        call_decide(c, o, &t, t == NULL ? 0 : 1, NOW, &choice);
        assert_int_equal(choice.action, action);
        assert_ptr_equal(
            choice.ticket, action == CALL_NOTHING || action == CALL_OPENS ? NULL : t);
}

static void
test_missed(void **state)
{
        struct phone_call c = call(CALL_IN, CALL_MISSED, 20, 0);
        struct phone_options ignore = usual;
        struct ticket t = ticket("phone", TICKET_QUEUED, HOUR);

        (void)state;
        ignore.missed_ticket = false;
        want(&c, &usual, NULL, CALL_OPENS);
        want(&c, &ignore, NULL, CALL_NOTHING);
        want(&c, &usual, &t, CALL_REPEATS);
        t.state = TICKET_WAITING;
        want(&c, &usual, &t, CALL_REPEATS);
        t.state = TICKET_RESOLVED;
        want(&c, &usual, &t, CALL_OPENS);
        t = ticket("phone", TICKET_HELD, DAY + 1);
        want(&c, &usual, &t, CALL_OPENS);
        t = ticket("email", TICKET_HELD, HOUR);
        want(&c, &usual, &t, CALL_OPENS);
        /* it was first, but read later */
        c = call(CALL_IN, CALL_MISSED, 20, 2 * HOUR);
        t = ticket("phone", TICKET_QUEUED, HOUR);
        want(&c, &usual, &t, CALL_REPEATS);
}

static void
test_answered(void **state)
{
        struct phone_call c = call(CALL_IN, CALL_ANSWERED, 60, 0);
        struct phone_options o = usual;
        struct ticket t = ticket("email", TICKET_HELD, 30 * DAY);

        (void)state;
        want(&c, &o, NULL, CALL_NOTHING);
        want(&c, &o, &t, CALL_NOTED);
        t.state = TICKET_CLOSED;
        want(&c, &o, &t, CALL_NOTHING);
        t = ticket("email", TICKET_HELD, 0);
        c = call(CALL_IN, CALL_ANSWERED, 60, HOUR); /* before there was a ticket */
        want(&c, &o, &t, CALL_NOTHING);
        o.answered = PHONE_ANSWERED_TICKET;
        want(&c, &o, NULL, CALL_OPENS);
        t = ticket("phone", TICKET_HELD, HOUR);
        want(&c, &o, &t, CALL_REPEATS);
        o.answered = PHONE_ANSWERED_IGNORE;
        want(&c, &o, &t, CALL_NOTHING);
}

static void
test_callback(void **state)
{
        struct phone_call c = call(CALL_OUT, CALL_ANSWERED, 20, 0);
        struct phone_options o = usual;
        struct ticket t = ticket("phone", TICKET_HELD, HOUR);

        (void)state;
        want(&c, &o, &t, CALL_RESOLVES);
        want(&c, &o, NULL, CALL_NOTHING);
        c.duration_s = 19;
        want(&c, &o, &t, CALL_NOTED);
        c = call(CALL_OUT, CALL_MISSED, 60, 0);
        want(&c, &o, &t, CALL_NOTED);
        c = call(CALL_OUT, CALL_ANSWERED, 60, 2 * HOUR); /* before he called */
        want(&c, &o, &t, CALL_NOTHING);
        c = call(CALL_OUT, CALL_ANSWERED, 60, 0);
        t.channel = "email"; /* a call does not end what he wrote */
        want(&c, &o, &t, CALL_NOTED);
        o.answered = PHONE_ANSWERED_IGNORE;
        want(&c, &o, &t, CALL_NOTHING);
        t.channel = "phone";
        want(&c, &o, &t, CALL_RESOLVES);
        o.callback_ms = 0;
        want(&c, &o, &t, CALL_NOTHING);
}

static void
test_several(void **state)
{
        struct ticket resolved = ticket("phone", TICKET_RESOLVED, HOUR);
        struct ticket open = ticket("phone", TICKET_QUEUED, 2 * HOUR);
        const struct ticket *recent[] = {NULL, &resolved, &open};
        struct phone_call c = call(CALL_IN, CALL_MISSED, 20, 0);
        struct call_choice choice;

        (void)state;
        call_decide(&c, &usual, recent, 3, NOW, &choice);
        assert_int_equal(choice.action, CALL_REPEATS);
        assert_ptr_equal(choice.ticket, &open);
        c.started_at_us = 0; /* unknown: now */
        c.direction = CALL_OUT;
        c.result = CALL_ANSWERED;
        c.duration_s = 30;
        call_decide(&c, &usual, recent, 3, NOW, &choice);
        assert_int_equal(choice.action, CALL_RESOLVES);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_missed),
            cmocka_unit_test(test_answered),
            cmocka_unit_test(test_callback),
            cmocka_unit_test(test_several),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
