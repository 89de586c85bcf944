/* Classes: one text for equal demands; who fits, and what stands against him. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/model/class.h"

static void
class_example(struct class *c, struct skill *needs, size_t n_needs, struct arena *a)
{
        static const char *lines[] = {"first", "second"};
        static struct skill must[1];

        must[0] = (struct skill){"en", 2};
        memset(c, 0, sizeof *c);
        c->route = "general";
        c->channel = "email";
        c->lines = lines;
        c->n_lines = 2;
        c->needs = needs;
        c->n_needs = n_needs;
        c->musts = must;
        c->n_musts = 1;
        c->head_ms = 3600000;
        class_seal(c, a);
}

static void
test_equal_demands_are_equal_bytes(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct skill one[] = {{"network", 3}, {"billing", 2}};
        struct skill two[] = {{"billing", 1}, {"network", 3}, {"billing", 2}};
        struct class c, d;

        (void)state;
        class_example(&c, one, 2, a);
        class_example(&d, two, 3, a);
        assert_string_equal(c.text,
            "{\"calendar\":\"\",\"channel\":\"email\",\"head_ms\":3600000,"
            "\"lines\":[\"first\",\"second\"],\"musts\":{\"en\":2},"
            "\"needs\":{\"billing\":2,\"network\":3},\"route\":\"general\",\"steps\":[],"
            "\"v\":1}");
        assert_string_equal(c.text, d.text);
        assert_string_equal(c.id, d.id);
        assert_int_equal(strlen(c.id), CLASS_ID_LEN);
}

static void
test_back_from_its_document(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct skill needs[] = {{"network", 3}};
        struct class c, d;

        (void)state;
        class_example(&c, needs, 1, a);
        assert_int_equal(class_parse(c.text, strlen(c.text), a, &d, NULL), 0);
        assert_string_equal(c.id, d.id);
        assert_string_equal(d.lines[1], "second");
        assert_int_equal(d.head_ms, 3600000);
        class_seal(&d, a);
        assert_string_equal(c.text, d.text);
}

static void
test_bad_documents(void **state)
{
        static const struct {
                const char *json, *error;
        } bad[] = {
            {"{}", "class: it is no class document"},
            {"{\"v\":2,\"lines\":[\"a\"]}",
                "class: a newer helpline wrote it (version 2, this one knows 1)"},
            {"{\"v\":1,\"lines\":[\"a\"],\"needs\":{},\"musts\":{},\"steps\":[{}]}",
                "class: a newer helpline wrote it (version 1, this one knows 1)"},
            {"{\"v\":1,\"lines\":[]}", "class: 'lines' is not a short list of lines"},
            {"{\"v\":1,\"lines\":[\"a\"],\"needs\":{\"x\":11},\"musts\":{}}",
                "class: bad level of 'x' in 'needs'"},
            {"{\"v\":1,\"lines\":[\"a\"],\"needs\":{}}",
                "class: 'musts' is not a short list of skills"},
        };
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct class c;
                struct err err = {0};

                assert_int_equal(
                    class_parse(bad[i].json, strlen(bad[i].json), a, &c, &err), -1);
                assert_string_equal(err.text, bad[i].error);
        }
}

static void
test_who_fits(void **state)
{
        static const struct {
                const char *line;
                struct skill skills[2];
                size_t n;
                int step;
                const char *against;
        } t[] = {
            {"first", {{"en", 2}, {"network", 3}}, 2, STEP_AT_ONCE, ""},
            {"second", {{"en", 9}, {"network", 10}}, 2, STEP_AT_ONCE, ""},
            {"first", {{"en", 2}, {"network", 2}}, 2, STEP_NEVER,
                "has network:2, needs network:3"},
            {"first", {{"en", 1}, {"network", 2}}, 2, STEP_NEVER,
                "has en:1, must have en:2"},
            {"first", {{"en", 2}, {NULL, 0}}, 1, STEP_NEVER,
                "has no network, needs network:3"},
            {"third", {{"en", 2}, {"network", 3}}, 2, STEP_NEVER,
                "is at home in line third, this waits in first"},
        };
        struct arena *a AUTO_ARENA = arena_new();
        struct skill needs[] = {{"network", 3}};
        struct class c;

        (void)state;
        class_example(&c, needs, 1, a);
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
                const char *line = t[i].line;
                struct skill skills[2] = {t[i].skills[0], t[i].skills[1]};
                struct profile p = {&line, 1, skills, t[i].n, ""};

                assert_int_equal(class_step(&c, &p), t[i].step);
                assert_string_equal(class_against(&c, &p, a), t[i].against);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_equal_demands_are_equal_bytes),
            cmocka_unit_test(test_back_from_its_document),
            cmocka_unit_test(test_bad_documents),
            cmocka_unit_test(test_who_fits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
