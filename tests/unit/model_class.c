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
        const char *line;
        int64_t head_ms;

        (void)state;
        class_example(&c, needs, 1, a);
        assert_int_equal(class_parse(c.text, strlen(c.text), a, &d, NULL), 0);
        assert_string_equal(c.id, d.id);
        assert_string_equal(d.lines[1], "second");
        assert_true(class_glance(c.text, a, &line, &head_ms));
        assert_string_equal(line, "first");
        assert_int_equal(head_ms, 3600000);
        assert_false(class_glance("{\"head_ms\":1,\"lines\":[]}", a, &line, &head_ms));
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
            {"{\"v\":3,\"lines\":[\"a\"]}",
                "class: a newer helpline wrote it (version 3, this one knows 2)"},
            {"{\"v\":2,\"lines\":[\"a\"],\"needs\":{},\"musts\":{},\"steps\":[{}]}",
                "class: a step does '', unknown here"},
            {"{\"v\":2,\"lines\":[\"a\"],\"steps\":[{\"does\":\"drop\",\"days\":0}]}",
                "class: a step has no good time"},
            {"{\"v\":2,\"lines\":[\"a\"],\"steps\":[{\"does\":\"lower\",\"days\":0,"
             "\"ms\":1,"
             "\"levels\":11}]}",
                "class: a step lowers by no good level"},
            {"{\"v\":2,\"lines\":[\"a\"],\"steps\":[{\"does\":\"also\",\"days\":0,\"ms\":"
             "1}]}",
                "class: 'lines' is not a short list of lines"},
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

/* ---- steps ---- */

#define MINUTE 60000LL

static const char *second[] = {"second"};

/* As ROUTING.md's example: 10m lower needs 2, 30m also second, 2h drop needs. */
static void
class_with_steps(struct class *c, struct skill *needs, size_t n, struct arena *a)
{
        static const char *first[] = {"first"};
        static struct class_step steps[3];

        steps[0] = (struct class_step){{0, 120 * MINUTE}, STEP_DROP, NULL, 0, 0};
        steps[1] = (struct class_step){{0, 10 * MINUTE}, STEP_LOWER, NULL, 0, 2};
        steps[2] = (struct class_step){{0, 30 * MINUTE}, STEP_ALSO, second, 1, 0};
        memset(c, 0, sizeof *c);
        c->route = "general";
        c->channel = "email";
        c->lines = first;
        c->n_lines = 1;
        c->needs = needs;
        c->n_needs = n;
        c->steps = steps;
        c->n_steps = 3;
        c->head_ms = 4 * 60 * MINUTE;
        class_seal(c, a);
}

static void
test_steps_in_the_document(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct skill needs[] = {{"network", 3}};
        struct class c, d;

        (void)state;
        class_with_steps(&c, needs, 1, a);
        assert_string_equal(c.text,
            "{\"calendar\":\"\",\"channel\":\"email\",\"head_ms\":14400000,"
            "\"lines\":[\"first\"],\"musts\":{},\"needs\":{\"network\":3},"
            "\"route\":\"general\",\"steps\":["
            "{\"days\":0,\"does\":\"lower\",\"levels\":2,\"ms\":600000},"
            "{\"days\":0,\"does\":\"also\",\"lines\":[\"second\"],\"ms\":1800000},"
            "{\"days\":0,\"does\":\"drop\",\"ms\":7200000}],\"v\":2}");
        assert_int_equal(class_parse(c.text, strlen(c.text), a, &d, NULL), 0);
        class_seal(&d, a);
        assert_string_equal(c.text, d.text);
        c.n_steps = 0;
        c.calendar = "0123456789abcdef";
        class_seal(&c, a);
        assert_non_null(strstr(c.text, "\"calendar\":\"0123456789abcdef\""));
        assert_non_null(strstr(c.text, "\"steps\":[],\"v\":2}"));
        assert_int_equal(class_parse(c.text, strlen(c.text), a, &d, NULL), 0);
        assert_string_equal(d.calendar, "0123456789abcdef");
}

static void
test_who_fits_by_steps(void **state)
{
        static const struct {
                const char *home, *helps, *only;
                struct skill skill;
                int step;
                bool helped;
                const char *against;
        } t[] = {
            {"first", NULL, "", {"network", 3}, 0, false, ""},
            {"first", NULL, "", {"network", 1}, 1, false,
                "has network:1, needs network:3"},
            {"first", NULL, "", {"billing", 9}, 3, false,
                "has no network, needs network:3"},
            {"second", NULL, "", {"network", 3}, 2, false,
                "is at home in line second, this waits in first"},
            {"second", NULL, "", {"billing", 1}, 3, false,
                "is at home in line second, this waits in first"},
            /* he helps at once, and his own line comes later: a helped class for him */
            {"second", "first", "", {"network", 3}, 0, true, ""},
            /* by the time he qualifies, his home line is among them */
            {"second", "first", "", {"billing", 3}, 3, false,
                "has no network, needs network:3"},
            {"third", "first", "", {"network", 2}, 1, true,
                "has network:2, needs network:3"},
            {"third", "second", "", {"network", 9}, 2, true,
                "is at home in line third and helps second, this waits in first"},
            {"third", NULL, "", {"network", 9}, STEP_NEVER, false,
                "is at home in line third, this waits in first"},
            {"first", NULL, "network", {"network", 1}, 1, false,
                "has network:1, needs network:3"},
            {"first", NULL, "billing", {"billing", 9}, STEP_NEVER, false,
                "takes only what needs billing, this does not"},
        };
        struct arena *a AUTO_ARENA = arena_new();
        struct skill needs[] = {{"network", 3}};
        struct class c;

        (void)state;
        class_with_steps(&c, needs, 1, a);
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
                const char *lines[] = {t[i].home, t[i].helps};
                struct skill skill = t[i].skill;
                struct profile p = {
                    lines, t[i].helps == NULL ? 1 : 2, &skill, 1, t[i].only};

                assert_int_equal(class_step(&c, &p), t[i].step);
                assert_int_equal(class_is_helped(&c, &p), t[i].helped);
                assert_string_equal(class_against(&c, &p, a), t[i].against);
        }
}

/* A must is never lowered, and what never fits is told by what no step takes away. */
static void
test_musts_stay(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *home = "first";
        struct skill has[] = {{"en", 1}};
        struct profile p = {&home, 1, has, 1, NULL};
        struct skill needs[] = {{"network", 3}};
        struct class c;

        (void)state;
        class_example(&c, needs, 1, a);
        c.n_lines = 1;
        c.steps = (struct class_step[]){{{0, MINUTE}, STEP_DROP, NULL, 0, 0}};
        c.n_steps = 1;
        class_seal(&c, a);
        assert_int_equal(class_step(&c, &p), STEP_NEVER);
        assert_string_equal(class_against(&c, &p, a), "has en:1, must have en:2");
        has[0].level = 2;
        assert_int_equal(class_step(&c, &p), 1);
}

static void
test_when_a_step_comes(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct skill needs[] = {{"network", 3}};
        int64_t now = 1764000000000LL;
        struct class c;

        (void)state;
        class_with_steps(&c, needs, 1, a);
        assert_true(class_cutoff_us(&c, STEP_AT_ONCE, NULL, now) == INT64_MAX);
        assert_true(class_cutoff_us(&c, STEP_NEVER, NULL, now) == INT64_MIN);
        /* the head start is taken off: an urgent ticket does not open its steps at once */
        assert_true(class_cutoff_us(&c, 2, NULL, now) ==
                    (now - 30 * MINUTE - 240 * MINUTE) * 1000);
        assert_true(class_step_at(&c, 0, NULL, now) == now);
        assert_true(class_step_at(&c, 3, NULL, now) == now + 120 * MINUTE);
}

/* ---- properties, on random classes and profiles ---- */

static unsigned seed = 20261123;

static unsigned
pick(unsigned n)
{
        seed = seed * 1664525u + 1013904223u;
        return (seed >> 8) % n;
}

static const char *const line_names[] = {"first", "second", "third", "fourth"};
static const char *const skill_names[] = {"a", "b", "c", "d"};

static size_t
pick_lines(const char **out)
{
        size_t n = 1 + pick(2);

        for (size_t i = 0; i < n; i++)
                out[i] = line_names[pick(4)];
        return n;
}

static size_t
pick_skills(struct skill *out, size_t max)
{
        size_t n = pick((unsigned)max + 1);

        for (size_t i = 0; i < n; i++)
                out[i] = (struct skill){skill_names[i], 1 + pick(5)};
        return n;
}

struct random_class {
        struct class c;
        const char *lines[2], *also[8][2];
        struct skill needs[4], musts[4];
        struct class_step steps[8];
};

static void
class_random(struct random_class *r, struct arena *a)
{
        memset(r, 0, sizeof *r);
        r->c.route = "r";
        r->c.channel = "email";
        r->c.lines = r->lines;
        r->c.n_lines = pick_lines(r->lines);
        r->c.needs = r->needs;
        r->c.n_needs = pick_skills(r->needs, 4);
        r->c.musts = r->musts;
        r->c.n_musts = pick(3) == 0 ? pick_skills(r->musts, 1) : 0;
        r->c.head_ms = (int64_t)pick(5) * MINUTE - 2 * MINUTE;
        r->c.steps = r->steps;
        r->c.n_steps = pick(6);
        for (size_t i = 0; i < r->c.n_steps; i++) {
                struct class_step *s = &r->steps[i];

                s->after.ms = (int64_t)pick(60) * MINUTE;
                s->does = (enum step_does)pick(pick(4) == 0 ? 3 : 2);
                s->levels = s->does == STEP_LOWER ? 1 + pick(3) : 0;
                s->lines = r->also[i];
                s->n_lines = s->does == STEP_ALSO ? pick_lines(r->also[i]) : 0;
        }
        class_seal(&r->c, a);
}

/* The rule word by word, for a ticket of this age: no step is numbered here. */
static bool
fits_at_age(const struct class *c, const struct profile *p, int64_t age_ms)
{
        bool line = false, dropped = false, named = *p->only == '\0';
        int lowered = 0;

        for (size_t i = 0; i < p->n_lines; i++)
                for (size_t j = 0; j < c->n_lines; j++)
                        line = line || strcmp(p->lines[i], c->lines[j]) == 0;
        for (size_t k = 0; k < c->n_steps; k++) {
                const struct class_step *s = &c->steps[k];

                if (s->after.ms > age_ms)
                        continue;
                lowered += s->does == STEP_LOWER ? (int)s->levels : 0;
                dropped = dropped || s->does == STEP_DROP;
                for (size_t i = 0; i < p->n_lines; i++)
                        for (size_t j = 0; j < s->n_lines; j++)
                                line = line || strcmp(p->lines[i], s->lines[j]) == 0;
        }
        for (size_t m = 0; m < 2; m++) {
                const struct skill *s = m == 0 ? c->musts : c->needs;
                size_t n = m == 0 ? c->n_musts : c->n_needs;

                for (size_t i = 0; i < n; i++) {
                        int wants = (int)s[i].level - (m == 0 ? 0 : lowered), has = 0;

                        named = named || strcmp(s[i].name, p->only) == 0;
                        for (size_t j = 0; j < p->n_skills; j++)
                                if (strcmp(p->skills[j].name, s[i].name) == 0)
                                        has = (int)p->skills[j].level;
                        if (has < wants && !(m == 1 && dropped))
                                return false;
                }
        }
        return line && named;
}

/* One comparison says the same as the rule itself, at every age; and who is in stays in. */
static void
test_a_cutoff_says_what_the_rule_says(void **state)
{
        int64_t now = 1764000000000LL;

        (void)state;
        for (unsigned round = 0; round < 20000; round++) {
                struct arena *a AUTO_ARENA = arena_new();
                const char *lines[2];
                struct skill skills[4];
                struct profile p = {lines, pick_lines(lines), skills, 0, ""};
                struct random_class r;
                int64_t cutoff;
                bool before = false;
                int step;

                p.n_skills = pick_skills(skills, 4);
                p.only = pick(5) == 0 ? skill_names[pick(4)] : "";
                class_random(&r, a);
                step = class_step(&r.c, &p);
                cutoff = class_cutoff_us(&r.c, step, NULL, now);
                for (int64_t age = 0; age <= 60 * MINUTE; age += MINUTE) {
                        int64_t v = (now - age - r.c.head_ms) * 1000;
                        bool fits = fits_at_age(&r.c, &p, age);

                        assert_int_equal(step != STEP_NEVER && v <= cutoff, fits);
                        assert_true(fits || !before);
                        before = fits;
                }
                assert_int_equal(step == STEP_AT_ONCE,
                    fits_at_age(&r.c, &p, -1) && step != STEP_NEVER);
                assert_int_equal(*class_against(&r.c, &p, a) == '\0', step == 0);
        }
}

/* Whoever can more, or is in more lines, is let in no later. */
static void
test_more_never_hurts(void **state)
{
        (void)state;
        for (unsigned round = 0; round < 20000; round++) {
                struct arena *a AUTO_ARENA = arena_new();
                const char *lines[3];
                struct skill skills[4];
                struct profile p = {lines, pick_lines(lines), skills, 0, ""};
                struct random_class r;
                int before, after;

                p.n_skills = pick_skills(skills, 4);
                class_random(&r, a);
                before = class_step(&r.c, &p);
                if (p.n_skills > 0)
                        skills[pick((unsigned)p.n_skills)].level += pick(3);
                lines[p.n_lines++] = line_names[pick(4)];
                after = class_step(&r.c, &p);
                assert_true(
                    before == STEP_NEVER || (after != STEP_NEVER && after <= before));
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
            cmocka_unit_test(test_steps_in_the_document),
            cmocka_unit_test(test_who_fits_by_steps),
            cmocka_unit_test(test_musts_stay),
            cmocka_unit_test(test_when_a_step_comes),
            cmocka_unit_test(test_a_cutoff_says_what_the_rule_says),
            cmocka_unit_test(test_more_never_hurts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
