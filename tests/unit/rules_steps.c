/* Routes that widen, and the classes of tickets that are handed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rules.h"
#include "tests/unit/config_case.h"

static const char text[] =
    "mail support@desk.example\nagent anna\nskills network billing en\n"
    "lines first second third\n"
    "line second { handed 1h; steps { after 1h also third; after 10m drop needs } }\n"
    "line third  { private; allow-cc; wrap-up 2m }\n"
    "codes solved workaround\n"
    "need network:3\nmust en:2\n"
    "route vip when subject contains vip { ahead 30m; after 1d2h also second }\n"
    "route general {\n"
    "    prefer last-agent 20m\n"
    "    after 2h   drop needs\n"
    "    after 10m  lower needs 2\n"
    "    after 10m  also second third\n"
    "}\n";

static struct config *
load(void)
{
        struct config *c;

        case_begin();
        c = case_config(text);
        assert_non_null(c);
        case_end();
        return c;
}

static void
decide(const struct config *c, const char *subject, struct arena *a, struct decision *d)
{
        struct message m = {.channel = "email",
            .account = "",
            .subject = subject,
            .text = "",
            .language = "en",
            .from = {"", "a@b.example"},
            .phone = "",
            .machine = ""};
        struct facts f = {.message = &m};

        rules_decide(c, &f, a, d);
}

static void
test_route(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = load();
        struct decision d;

        (void)state;
        decide(c, "hello", a, &d);
        assert_string_equal(d.route, "general");
        assert_string_equal(d.promise, "");
        assert_int_equal(d.prefer, PREFER_LAST_AGENT);
        assert_int_equal(d.prefer_ms, 20 * 60000);
        assert_int_equal(d.class_doc.n_steps, 3);
        assert_int_equal(d.class_doc.steps[0].does, STEP_LOWER); /* as written */
        assert_int_equal(d.class_doc.steps[0].levels, 2);
        assert_int_equal(d.class_doc.steps[1].does, STEP_ALSO);
        assert_string_equal(d.class_doc.steps[1].lines[1], "third");
        assert_int_equal(d.class_doc.steps[2].does, STEP_DROP);
        assert_int_equal(d.class_doc.steps[2].after.ms, 2 * 3600000);
        decide(c, "a vip", a, &d);
        assert_int_equal(d.prefer, PREFER_NONE);
        assert_int_equal(d.class_doc.steps[0].after.days, 1);
        assert_int_equal(d.class_doc.steps[0].after.ms, 2 * 3600000);
        assert_int_equal(d.class_doc.head_ms, 30 * 60000);
        assert_string_equal(d.class_doc.calendar, "");
        config_free(&c);
}

static void
test_line(void **state)
{
        struct config *c = load();

        (void)state;
        assert_int_equal(c->lines[1].handed_ms, 3600000);
        assert_int_equal(c->lines[1].n_steps, 2);
        assert_int_equal(c->lines[1].steps[0].does, STEP_DROP);
        assert_false(c->lines[1].is_private);
        assert_true(c->lines[2].is_private && c->lines[2].allow_cc);
        assert_int_equal(c->lines[2].wrap_up_ms, 120000);
        assert_int_equal(c->n_codes, 2);
        assert_string_equal(c->codes[1], "workaround");
        config_free(&c);
}

static void
test_handed(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = load();
        struct decision d;
        struct ticket t = {.priority = PRIORITY_HIGH};
        struct class k;

        (void)state;
        decide(c, "a vip", a, &d);
        t.class_doc = d.class_doc;
        t.class_doc.calendar = "0123456789abcdef";
        rules_class_handed(c, &t, "second", a, &k);
        assert_int_equal(k.n_lines, 1);
        assert_string_equal(k.lines[0], "second");
        assert_int_equal(k.n_steps, 2);
        assert_string_equal(k.steps[1].lines[0], "third");
        assert_int_equal(k.needs[0].level, 3);
        assert_string_equal(k.musts[0].name, "en");
        assert_int_equal(k.head_ms, (60 + 30 + 60) * 60000); /* high, ahead, handed */
        assert_string_equal(k.calendar, "0123456789abcdef");
        assert_string_equal(k.route, "vip");
        assert_int_equal(strlen(k.id), CLASS_ID_LEN);
        assert_string_not_equal(k.id, d.class_doc.id);
        t.class_doc = k; /* and back: the head start of the first line alone */
        rules_class_handed(c, &t, "first", a, &k);
        assert_int_equal(k.head_ms, 90 * 60000);
        assert_int_equal(k.n_steps, 0);
        t.class_doc.route = "gone"; /* no longer in the files */
        rules_class_handed(c, &t, "elsewhere", a, &k);
        assert_string_equal(k.lines[0], "elsewhere");
        assert_int_equal(k.head_ms, 3600000);
        config_free(&c);
}

static void
test_priority_and_need(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = load();
        struct decision d;
        struct ticket t = {.priority = PRIORITY_NORMAL};
        struct class k;

        (void)state;
        decide(c, "a vip", a, &d);
        t.class_doc = d.class_doc;
        rules_class_priority(c, &t, PRIORITY_URGENT, a, &k);
        assert_int_equal(k.head_ms, d.class_doc.head_ms + 4 * 3600000);
        assert_int_equal(k.n_steps, 1);
        rules_class_priority(c, &t, PRIORITY_NORMAL, a, &k);
        assert_string_equal(k.id, d.class_doc.id);
        rules_class_need(c, &t, &(struct skill){"billing", 2}, a, &k);
        assert_int_equal(k.n_needs, 2);
        assert_string_equal(k.needs[0].name, "billing");
        rules_class_need(c, &t, &(struct skill){"network", 1}, a, &k);
        assert_int_equal(k.n_needs, 1);
        assert_int_equal(k.needs[0].level, 1);
        rules_class_need(c, &t, &(struct skill){"network", 0}, a, &k);
        assert_int_equal(k.n_needs, 0);
        rules_class_need(c, &t, &(struct skill){"billing", 0}, a, &k);
        assert_string_equal(k.id, d.class_doc.id);
        assert_int_equal(t.class_doc.n_needs, 1); /* what it came of is as it was */
        assert_int_equal(t.class_doc.needs[0].level, 3);
        config_free(&c);
}

/* There are six at most: the one that asks least makes room. */
static void
test_seventh_need(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = load();
        struct skill six[] = {{"a", 3}, {"b", 2}, {"c", 1}, {"d", 4}, {"e", 5}, {"f", 6}};
        struct ticket t = {.class_doc = {.route = "", .channel = "", .calendar = ""}};
        struct class k;

        (void)state;
        t.class_doc.needs = six;
        t.class_doc.n_needs = 6;
        rules_class_need(c, &t, &(struct skill){"billing", 2}, a, &k);
        assert_int_equal(k.n_needs, 6);
        assert_string_equal(k.needs[2].name, "billing");
        assert_string_equal(k.needs[3].name, "d");
        rules_class_need(c, &t, &(struct skill){"billing", 0}, a, &k);
        assert_int_equal(k.n_needs, 6);
        config_free(&c);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_route),
            cmocka_unit_test(test_line),
            cmocka_unit_test(test_handed),
            cmocka_unit_test(test_priority_and_need),
            cmocka_unit_test(test_seventh_need),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
