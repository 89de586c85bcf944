/* Templates: where they are found, what they become, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/template.h"
#include "tests/unit/config_case.h"

static const struct template_values values = {
    "1042", "Про {desk}\r\nBcc: x@y", "", "Ромашка", "", "a\nb"};

static struct config *
begin(void)
{
        struct config *c;

        case_begin();
        c = case_config("language en ru\nmail a@b.example\nagent anna\n");
        assert_non_null(c);
        return c;
}

static void
end(struct config *c)
{
        config_free(&c);
        case_end();
}

static int
render(struct config *c, const char *text, struct arena *a, struct template_mail *out,
    struct err *err)
{
        case_write("templates/own.en.txt", text, strlen(text), 0600);
        return template_render(c, "own", "ru", &values, a, out, err);
}

static void
test_filled(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = begin();
        struct template_mail m;
        struct err err;

        (void)state;
        assert_int_equal(render(c,
                             "Subject: [{ticket}] {subject}\r\n\r\n"
                             "Dear {name|customer},\n{{braces} {text}|{url}|{url|none}\n",
                             a, &m, &err),
            0);
        assert_string_equal(m.subject, "[1042] Про {desk}  Bcc: x@y");
        assert_string_equal(m.text, "Dear customer,\n{braces} a\nb||none\n");
        assert_int_equal(render(c, "\nonly text", a, &m, &err), 0);
        assert_string_equal(m.subject, "");
        assert_string_equal(m.text, "only text");
        end(c);
}

static void
test_refused(void **state)
{
        static const struct {
                const char *text, *error;
        } bad[] = {
            {"Subject: x\n\nlieber {tikcet}\n",
                "/templates/own.en.txt:3:8: unknown placeholder 'tikcet'; did you mean "
                "'ticket'?"},
            {"Subject: {x\n\n",
                "/templates/own.en.txt:1:10: this placeholder is never closed: '{x'"},
            {"Hello\n",
                "/templates/own.en.txt:1:1: a template begins with 'Subject: …' and an "
                "empty line, not with 'Hello'"},
            {"Subject: x\n\n\xff", "the template "},
        };
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = begin();

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct template_mail m;
                struct err err = {0};

                assert_int_equal(render(c, bad[i].text, a, &m, &err), -1);
                assert_int_equal(err.kind, ERR_CONFIG);
                assert_non_null(strstr(err.text, bad[i].error));
                assert_int_equal(template_check(c, "own", "en", &err), -1);
        }
        end(c);
}

static void
test_found(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = begin();
        const char *path;
        struct err err;

        (void)state;
        assert_int_equal(template_find(c, "nothing", "en", a, &path, &err), -1);
        assert_non_null(strstr(err.text, "there is no template nothing.en.txt in "));
        assert_int_equal(template_find(c, "../x", "en", a, &path, &err), -1);
        assert_string_equal(err.text, "'../x' cannot be the name of a template");
        case_write("shipped/own.en.txt", "\nx", 2, 0600);
        setenv("HELPLINE_TEMPLATES", arena_printf(a, "%s/shipped", case_dir), 1);
        assert_int_equal(template_find(c, "own", "en", a, &path, &err), 0);
        assert_non_null(strstr(path, "/shipped/"));
        case_write("templates/own.en.txt", "\ny", 2, 0600);
        assert_int_equal(template_find(c, "own", "en", a, &path, &err), 0);
        assert_non_null(strstr(path, "/templates/"));
        end(c);
}

/* The shipped ones, as the acknowledgement uses them. */
static void
test_shipped(void **state)
{
        static const char *const names[] = {"standard", "closed"};
        static const char *const languages[] = {"ru", "en"};
        struct arena *a AUTO_ARENA = arena_new();
        struct config *c = begin();

        (void)state;
        unsetenv("HELPLINE_TEMPLATES");
        for (size_t i = 0; i < 4; i++) {
                struct template_mail m;
                struct err err = {0};

                if (template_render(
                        c, names[i / 2], languages[i % 2], &values, a, &m, &err) == -1)
                        fail_msg("%s", err.text);
                assert_non_null(strstr(m.text, "1042"));
                assert_non_null(strstr(m.text, "Ромашка"));
                assert_non_null(strstr(m.text, i % 2 == 0 ? "Здравствуйте" : "Hello"));
        }
        end(c);
}

/* A configuration that names a template nobody has is refused. */
static void
test_checked_with_the_configuration(void **state)
{
        static const char text[] = "mail a@b.example\nagent anna\nacknowledge welcome\n";
        struct config_report r = {0};
        struct config *c = NULL;

        (void)state;
        case_begin();
        case_write("helpline.conf", text, strlen(text), 0600);
        assert_int_equal(case_load(&c, &r), -1);
        assert_non_null(strstr(buf_str(&r.text),
            "helpline.conf:3:13: error: there is no template welcome.ru.txt in "));
        config_report_fini(&r);
        case_write("templates/welcome.ru.txt", "\nok {ticket}", 12, 0600);
        assert_int_equal(case_load(&c, &r), 0);
        config_report_fini(&r);
        config_free(&c);
        case_write("templates/standard.en.txt", "\n{tikcet}", 9, 0600);
        assert_int_equal(case_load(&c, &r), -1);
        assert_non_null(
            strstr(buf_str(&r.text), "/templates/standard.en.txt:2:1: unknown "
                                     "placeholder 'tikcet'; did you mean 'ticket'?"));
        config_report_fini(&r);
        config_free(&c);
        case_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_filled),
            cmocka_unit_test(test_refused),
            cmocka_unit_test(test_found),
            cmocka_unit_test(test_shipped),
            cmocka_unit_test(test_checked_with_the_configuration),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
