/*
 * The law of clocks: a ticket's life as a row of events at set times, and what its clocks
 * say after each. The store's part is played here: fields of a change become the ticket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "queue/ticket.h"

#define MIN 60000LL
#define HOUR (60 * MIN)
#define DAY (24 * HOUR)
/* 2026-11-24, a Tuesday, 00:00 UTC */
#define TUESDAY (20781 * DAY)

static struct arena *mem;
static struct message *letter;
static struct line_options lines[2];
static struct config config;
static struct calendar office;
static const struct open_span nine_to_six[] = {{540, 1080}};

struct life { /* one ticket, and the last change */
        struct ticket t;
        struct change c;
        int64_t clock_ms; /* what the store would wake us at */
        bool is_bot;
};

/* What verb commit would write; the state and the clocks are enough. */
static void
life_write(struct life *l, int64_t now_ms)
{
        for (size_t i = 0; i + 2 < l->c.n_args; i++) {
                const char *op = l->c.args[i].s, *a = l->c.args[i + 1].s;
                const char *b = l->c.args[i + 2].s;

                if (strcmp(op, "S") == 0 && strcmp(a, "state") == 0)
                        assert_true(ticket_state_parse(b, &l->t.state));
                if (strcmp(op, "S") == 0 && strcmp(a, "clocks") == 0)
                        assert_int_equal(clocks_parse(b, mem, &l->t.clocks, NULL), 0);
                if (strcmp(op, "S") == 0 && strcmp(a, "queued") == 0)
                        l->t.queued_ms = atoll(b);
                if (strcmp(op, "S") == 0 && strcmp(a, "resolved") == 0)
                        l->t.resolved_ms = atoll(b);
                if (strcmp(op, "D") == 0 && strcmp(a, "clock") == 0)
                        l->clock_ms = atoll(b);
        }
        if (l->t.state == TICKET_QUEUED) { /* a pull at once: anna has it */
                l->t.state = TICKET_HELD;
                l->t.queued_ms = now_ms;
        }
        l->t.holder = l->t.state == TICKET_HELD ? "anna" : "";
        l->t.owner = "anna";
}

static bool
says(const struct life *l, const char *word, const char *what)
{
        for (size_t i = 0; i + 5 < l->c.n_args; i++)
                if (strcmp(l->c.args[i].s, "J") == 0 &&
                    strcmp(l->c.args[i + 1].s, word) == 0 &&
                    strcmp(l->c.args[i + 5].s, what) == 0)
                        return true;
        return false;
}

static bool
writes_template(const struct life *l, const char *template)
{
        for (size_t i = 0; i + 4 < l->c.n_args; i++)
                if (strcmp(l->c.args[i].s, "X") == 0 &&
                    strcmp(l->c.args[i + 4].s, template) == 0)
                        return true;
        return false;
}

static void
life_begins(struct life *l, const struct promise_options *p, int64_t now_ms)
{
        static const char *line = "first";
        struct class *k = arena_alloc(mem, sizeof *k);
        const char *fields[] = {"state", "queued", "line", "first", "nm", "1", "last_in",
            "1042.1", "seen", "1042.1", "ver", "9", "lang", "en", "to_addr", "i@x.ru",
            "channel", "email"};
        size_t lens[18];
        struct ticket_birth b = {.message = letter,
            .class_doc = k,
            .line = line,
            .route = "r",
            .why = "[]",
            .links = "[]",
            .counts = true,
            .config = &config,
            .calendar = &office,
            .promise = p,
            .now_ms = now_ms};
        struct err err;

        memset(l, 0, sizeof *l);
        *k = (struct class){.route = "r",
            .lines = &line,
            .n_lines = 1,
            .channel = "email",
            .calendar = office.id,
            .text = ""};
        class_seal(k, mem);
        for (size_t i = 0; i < 18; i++)
                lens[i] = strlen(fields[i]);
        assert_int_equal(
            ticket_from_fields("1042", fields, lens, 9, mem, &l->t, &err), 0);
        l->t.class_doc = *k;
        ticket_create(&b, mem, &l->c);
        life_write(l, now_ms);
}

static void
happens(struct life *l, struct ticket_event e, int64_t now_ms)
{
        static const char *to[] = {"i@x.ru"};
        struct err err = {0};

        e.now_ms = now_ms;
        e.who = e.type == EVENT_CLOCK ? "helpline" : "anna";
        e.agent = e.type == EVENT_CLOCK ? "" : "anna";
        e.is_admin = e.type == EVENT_CLOCK;
        e.account = "s@d.ru";
        e.reopen_ms = 14 * DAY;
        e.config = &config;
        e.calendar = &office;
        e.is_bot = l->is_bot;
        if (e.type == EVENT_REPLY || e.type == EVENT_MESSAGE)
                e.message = letter;
        if (e.type == EVENT_REPLY) {
                e.to = to;
                e.n_to = 1;
        }
        if (ticket_apply(&l->t, &e, mem, &l->c, &err) == -1)
                fail_msg("%s", err.text);
        life_write(l, now_ms);
}

static void
clock_comes(struct life *l, int64_t now_ms)
{
        happens(l, (struct ticket_event){.type = EVENT_CLOCK}, now_ms);
}

static const struct promise_options standard = {.name = "standard",
    .first_response = {0, HOUR},
    .next_response = {0, 4 * HOUR},
    .resolution = {2, 0},
    .warn = 80};

static int64_t
due(const struct life *l, enum promise_kind k)
{
        return l->t.clocks.of[k].due_ms;
}

/* ---- */

static void
test_told_once_each(void **state)
{
        struct life l;

        (void)state;
        life_begins(&l, &standard, TUESDAY + 17 * HOUR + 30 * MIN);
        assert_true(due(&l, PROMISE_FIRST) == TUESDAY + DAY + 9 * HOUR + 30 * MIN);
        assert_true(
            due(&l, PROMISE_RESOLUTION) == TUESDAY + 2 * DAY + 17 * HOUR + 30 * MIN);
        assert_true(due(&l, PROMISE_NEXT) == 0);
        assert_true(l.clock_ms == TUESDAY + DAY + 9 * HOUR + 18 * MIN);
        clock_comes(&l, l.clock_ms - 1); /* too early: nothing, and set again */
        assert_false(l.c.bump);
        assert_true(l.clock_ms == TUESDAY + DAY + 9 * HOUR + 18 * MIN);
        clock_comes(&l, l.clock_ms);
        assert_true(says(&l, "at-risk", "first response"));
        assert_true(l.clock_ms == TUESDAY + DAY + 9 * HOUR + 30 * MIN);
        clock_comes(&l, l.clock_ms);
        assert_true(says(&l, "broken", "first response"));
        assert_false(says(&l, "at-risk", "first response"));
        assert_true(l.clock_ms == l.t.clocks.of[PROMISE_RESOLUTION].warn_ms);
        clock_comes(&l, l.clock_ms + 5 * DAY); /* after an outage: broken, once */
        assert_true(says(&l, "broken", "resolution"));
        assert_false(says(&l, "at-risk", "resolution"));
        assert_true(l.clock_ms == 0);
}

static void
test_kept_by_people(void **state)
{
        struct life l;
        int64_t at = TUESDAY + 10 * HOUR;

        (void)state;
        life_begins(&l, &standard, at);
        l.is_bot = true;
        happens(
            &l, (struct ticket_event){.type = EVENT_REPLY, .status = "held"}, at += MIN);
        assert_true(l.t.clocks.of[PROMISE_FIRST].met_ms == 0);
        l.is_bot = false;
        happens(
            &l, (struct ticket_event){.type = EVENT_REPLY, .status = "held"}, at += MIN);
        assert_true(l.t.clocks.of[PROMISE_FIRST].met_ms == at);
        assert_string_equal(l.t.clocks.of[PROMISE_FIRST].met_by, "1042.2");
        happens(&l, (struct ticket_event){.type = EVENT_UNSEND, .target = "1042.1"}, at);
        assert_true(l.t.clocks.of[PROMISE_FIRST].met_ms == at);
        l.t.n_messages = 2;
        happens(&l, (struct ticket_event){.type = EVENT_UNSEND, .target = "1042.2"}, at);
        assert_true(l.t.clocks.of[PROMISE_FIRST].met_ms == 0);
        happens(&l, (struct ticket_event){.type = EVENT_REPLY, .status = "held"}, at);
        happens(
            &l, (struct ticket_event){.type = EVENT_MESSAGE, .counts = true}, at += HOUR);
        assert_true(due(&l, PROMISE_NEXT) == at + 4 * HOUR);
        happens(
            &l, (struct ticket_event){.type = EVENT_MESSAGE, .counts = true}, at + HOUR);
        assert_true(
            due(&l, PROMISE_NEXT) == at + 4 * HOUR); /* the first unanswered counts */
        /* our call back is an answer, and the end */
        happens(&l, (struct ticket_event){.type = EVENT_MESSAGE, .status = "resolved"},
            at += 2 * HOUR);
        assert_true(l.t.clocks.of[PROMISE_NEXT].met_ms == at);
        assert_true(l.t.clocks.of[PROMISE_RESOLUTION].met_ms == at);
        assert_true(l.clock_ms == 0);
}

static void
test_stands_still(void **state)
{
        struct life l;
        int64_t at = TUESDAY + 10 * HOUR, was;

        (void)state;
        life_begins(&l, &standard, at);
        was = due(&l, PROMISE_RESOLUTION);
        happens(&l, (struct ticket_event){.type = EVENT_PEND}, at += HOUR);
        assert_true(l.t.clocks.stood_ms == at && l.clock_ms == 0);
        assert_true(due(&l, PROMISE_RESOLUTION) == was);
        at += HOUR; /* from now on it waits for us */
        happens(&l,
            (struct ticket_event){.type = EVENT_SNOOZE, .until_ms = at + 8 * HOUR}, at);
        assert_true(l.t.clocks.stood_ms == 0);
        assert_true(due(&l, PROMISE_RESOLUTION) == was + HOUR);
        happens(&l, (struct ticket_event){.type = EVENT_PEND}, at);
        /* its date comes at 20:00, in the store; six open hours it was with the customer */
        l.t.state = TICKET_HELD;
        l.t.holder = "anna";
        l.t.queued_ms = TUESDAY + 20 * HOUR;
        clock_comes(&l, TUESDAY + 20 * HOUR + 1000);
        assert_true(l.t.clocks.stood_ms == 0);
        assert_true(due(&l, PROMISE_RESOLUTION) == TUESDAY + 2 * DAY + 17 * HOUR);
        /* and with it resolved for a day, reopened */
        at = TUESDAY + DAY + 10 * HOUR;
        happens(&l, (struct ticket_event){.type = EVENT_RESOLVE}, at);
        assert_true(l.t.clocks.of[PROMISE_RESOLUTION].met_ms == at);
        happens(
            &l, (struct ticket_event){.type = EVENT_MESSAGE, .counts = true}, at + DAY);
        assert_true(l.t.clocks.of[PROMISE_RESOLUTION].met_ms == 0);
        assert_true(due(&l, PROMISE_RESOLUTION) == TUESDAY + 3 * DAY + 17 * HOUR);
}

static void
test_by_hand(void **state)
{
        struct life l;
        int64_t at = TUESDAY + 10 * HOUR;

        (void)state;
        life_begins(&l, NULL, at);
        assert_true(l.clock_ms == 0);
        happens(&l,
            (struct ticket_event){
                .type = EVENT_DUE, .until_ms = at + HOUR, .text = "call"},
            at);
        assert_true(l.clock_ms == at + 48 * MIN);
        happens(&l, (struct ticket_event){.type = EVENT_PEND}, at + MIN);
        assert_true(l.clock_ms == at + 48 * MIN); /* it does not wait for the customer */
        clock_comes(&l, at + 49 * MIN);
        assert_true(says(&l, "at-risk", "call"));
        clock_comes(&l, at + HOUR);
        assert_true(says(&l, "broken", "call"));
}

static void
test_escalates_and_gives_up(void **state)
{
        struct life l;
        int64_t at = TUESDAY + 10 * HOUR;

        (void)state;
        lines[0].escalate = (struct open_time){0, 2 * HOUR};
        config.remind_ms = 3 * DAY;
        config.give_up_ms = 7 * DAY;
        life_begins(&l, NULL, at);
        assert_true(l.clock_ms == at + 2 * HOUR);
        happens(&l, (struct ticket_event){.type = EVENT_REPLY}, at += HOUR);
        assert_true(l.t.clocks.escalate_stood_ms == at);
        assert_true(l.clock_ms == at + 3 * DAY);
        clock_comes(&l, at + 3 * DAY);
        assert_true(writes_template(&l, "reminder"));
        assert_true(says(&l, "changed", "reminded"));
        assert_true(l.clock_ms == at + 7 * DAY && l.t.state == TICKET_WAITING);
        clock_comes(&l, at + 7 * DAY);
        assert_true(writes_template(&l, "no-answer"));
        assert_true(l.t.state == TICKET_RESOLVED && l.clock_ms == 0);
        /* he does write: a new start in the line */
        at += 8 * DAY;
        happens(&l, (struct ticket_event){.type = EVENT_MESSAGE, .counts = true}, at);
        assert_true(l.t.clocks.escalate_ms == at + 2 * HOUR);
        /* a snooze stops it, and it goes on from there */
        happens(&l,
            (struct ticket_event){.type = EVENT_SNOOZE, .until_ms = at + 4 * HOUR},
            at + HOUR);
        l.t.state = TICKET_HELD;
        l.t.holder = "anna";
        l.t.queued_ms = at + 4 * HOUR;
        clock_comes(&l, at + 4 * HOUR);
        assert_true(l.clock_ms == at + 5 * HOUR);
        clock_comes(&l, at + 5 * HOUR); /* no line above: never again */
        assert_true(l.clock_ms == 0 && l.t.clocks.escalate_ms == 0);
        lines[0].escalate = (struct open_time){0, 0};
        config.remind_ms = config.give_up_ms = 0;
}

static void
test_no_mail_to_machines(void **state)
{
        struct life l;
        int64_t at = TUESDAY + 10 * HOUR;

        (void)state;
        config.remind_ms = DAY;
        life_begins(&l, NULL, at);
        l.t.by_machine = true;
        happens(&l, (struct ticket_event){.type = EVENT_PEND}, at);
        clock_comes(&l, at + DAY);
        assert_false(writes_template(&l, "reminder"));
        config.remind_ms = 0;
}

static void
test_text(void **state)
{
        struct buf first AUTO_BUF = BUF_INIT, again AUTO_BUF = BUF_INIT;
        struct clocks k;
        struct life l;
        struct err err;

        (void)state;
        life_begins(&l, &standard, TUESDAY);
        clocks_format(&l.t.clocks, &first);
        assert_int_equal(clocks_parse(buf_str(&first), mem, &k, &err), 0);
        clocks_format(&k, &again);
        assert_string_equal(buf_str(&first), buf_str(&again));
        assert_int_equal(clocks_parse("", mem, &k, &err), 0);
        assert_true(clocks_empty(&k));
        assert_int_equal(clocks_parse("[", mem, &k, &err), -1);
        assert_int_equal(clocks_parse("{\"v\":2}", mem, &k, &err), -1);
        assert_int_equal(err.kind, ERR_REJECT);
}

static int
setup(void **state)
{
        static const char *languages[] = {"en"};

        (void)state;
        mem = arena_new();
        letter = message_new();
        lines[0].name = "first";
        lines[1].name = "second";
        config = (struct config){
            .lines = lines, .n_lines = 2, .languages = languages, .n_languages = 1};
        office.zone = "UTC";
        for (int i = 0; i < 5; i++) {
                office.week[i] = nine_to_six;
                office.n_week[i] = 1;
        }
        calendar_seal(&office, mem);
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
            cmocka_unit_test(test_told_once_each),
            cmocka_unit_test(test_kept_by_people),
            cmocka_unit_test(test_stands_still),
            cmocka_unit_test(test_by_hand),
            cmocka_unit_test(test_escalates_and_gives_up),
            cmocka_unit_test(test_no_mail_to_machines),
            cmocka_unit_test(test_text),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
