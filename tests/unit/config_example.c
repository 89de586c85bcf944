/*
 * The whole example of a desk (tests/unit/config/example): every line of it works, the test
 * of its rules holds, and what it warns of is true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rules.h"
#include "tests/unit/config_case.h"

#define EXAMPLE "tests/unit/config/example/"

static void
copy(const char *name)
{
        char path[300], bytes[20000];
        FILE *f;
        size_t n;

        snprintf(path, sizeof path, EXAMPLE "%s", name);
        f = fopen(path, "r");
        if (f == NULL)
                fail_msg("cannot read %s", path);
        n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        assert_true(n > 0 && n < sizeof bytes);
        case_write(name, bytes, n, 0600);
}

static struct config *
load(struct config_report *r)
{
        static const char *const files[] = {"helpline.conf", "agents.conf",
            "routing.conf", "partners.txt", "customers.csv", "holidays.ics",
            "consent.ru.txt", "templates/vpn-details.ru.txt",
            "templates/vpn-details.en.txt"};
        struct config *c = NULL;

        case_begin();
        setenv("HELPLINE_TEMPLATES", "config/templates", 1);
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
                copy(files[i]);
        case_write("secret/support", "x\n", 2, 0600);
        if (case_load(&c, r) == -1)
                fail_msg("%s", buf_str(&r->text));
        return c;
}

static void
test_warnings(void **state)
{
        struct config_report r = {0};
        struct config *c = load(&r);
        const char *master = strstr(buf_str(&r.text), "cannot read this log now");

        (void)state;
        assert_non_null(strstr(buf_str(&r.text), "warning: nobody has en:2"));
        assert_int_equal(r.n_warnings, master == NULL ? 1 : 2);
        config_report_fini(&r);
        config_free(&c);
        case_end();
}

static void
test_values(void **state)
{
        struct config_report r = {0};
        struct config *c = load(&r);

        (void)state;
        assert_int_equal(c->n_agents, 9);
        assert_int_equal(c->n_lines, 3);
        assert_int_equal(config_line(c, "first")->escalate.days, 1);
        assert_int_equal(config_line(c, "third")->handed_ms, 3600000);
        assert_string_equal(config_agent(c, "vera")->deputy, "lena");
        assert_string_equal(config_agent(c, "petr")->tutor, "anna");
        assert_int_equal(config_agent(c, "petr")->role, ROLE_TRAINEE);
        assert_string_equal(config_agent(c, "resetbot")->only, "reset");
        assert_true(config_agent(c, "marina")->notify_mail);
        assert_int_equal(c->n_codes, 5);
        assert_int_equal(c->remind_ms, 3 * 86400000LL);
        config_report_fini(&r);
        config_free(&c);
        case_end();
}

static void
test_routes(void **state)
{
        static const struct {
                const char *from, *subject, *route, *line;
        } t[] = {
            {"boss@lutik.example", "авария", "vip", "first"},
            {"anna@vip-partner.example", "привет", "partner", "second"},
            {"zabbix@romashka.ru", "down", "general", "first"},
        };
        struct config_report r = {0};
        struct config *c = load(&r);

        (void)state;
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
                struct arena *a AUTO_ARENA = arena_new();
                struct message *m = message_new();
                struct facts f = {.message = m, .now_ms = 1780392000000};
                struct decision d;

                m->channel = "email";
                m->from.address = t[i].from;
                m->subject = t[i].subject;
                m->language = "ru";
                rules_decide(c, &f, a, &d);
                assert_string_equal(d.route, t[i].route);
                assert_string_equal(d.line, t[i].line);
                assert_int_equal(d.shelve, i == 2);
                assert_int_equal(d.prefer, i == 0   ? PREFER_MANAGER
                                           : i == 1 ? PREFER_NONE
                                                    : PREFER_LAST_AGENT);
                assert_int_equal(d.priority, i == 0 ? PRIORITY_URGENT : PRIORITY_NORMAL);
                message_free(&m);
        }
        config_report_fini(&r);
        config_free(&c);
        case_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_warnings),
            cmocka_unit_test(test_values),
            cmocka_unit_test(test_routes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
