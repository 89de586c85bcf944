/*
 * Every example of routing.conf(5) is run: it must compile with the desk at the page's
 * head, its tests must hold, and turned round each of them must fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "tests/unit/config_case.h"

#define PAGE "docs/routing.conf.5"

static const char table[] = "email;phone;name;organisation;vip;manager;city\n"
                            "boss@lutik.example;;Boss;Lutik;yes;maria;Omsk\n"
                            "petr@lutik.example;;Petr;Lutik;;maria;Omsk\n";

/* Roff undone: \e, \[u0451]. */
static void
add_plain(struct buf *b, const char *s)
{
        for (; *s != '\0'; s++) {
                if (strncmp(s, "\\e", 2) == 0) {
                        buf_addc(b, '\\');
                        s++;
                } else if (strncmp(s, "\\[u", 3) == 0) {
                        char *end;

                        utf8_add(b, (uint32_t)strtoul(s + 3, &end, 16));
                        s = end;
                } else {
                        buf_addc(b, *s);
                }
        }
}

/* The next example of the page into b; false: there is none. */
static bool
next_example(FILE *f, struct buf *b, unsigned *line_number)
{
        char line[1000];
        bool inside = false;

        while (fgets(line, sizeof line, f) != NULL) {
                ++*line_number;
                if (strncmp(line, ".Bd -literal", 12) == 0)
                        inside = true;
                else if (inside && strncmp(line, ".Ed", 3) == 0)
                        return true;
                else if (inside)
                        add_plain(b, line);
        }
        return false;
}

static unsigned
count(const char *s, const char *what)
{
        unsigned n = 0;

        for (; (s = strstr(s, what)) != NULL; s++)
                n++;
        return n;
}

static int
load(const char *desk, const char *example, struct config_report *r)
{
        struct buf text AUTO_BUF = BUF_INIT;
        struct config *c = NULL;
        int rc;

        buf_adds(&text, desk);
        buf_adds(&text, "customers file \"customers.csv\"\n");
        buf_adds(&text, example);
        case_write("helpline.conf", text.data, text.len, 0600);
        rc = case_load(&c, r);
        config_free(&c);
        return rc;
}

/* What it expects must be false when it is said the other way round. */
static void
turned_round(const char *desk, const char *example, unsigned line_number)
{
        struct buf turned AUTO_BUF = BUF_INIT;
        struct config_report r = {0};
        unsigned n = 0;

        for (const char *s = example; *s != '\0'; s++) {
                if (strncmp(s, "expect ", 7) != 0) {
                        buf_addc(&turned, *s);
                        continue;
                }
                s += 6 + strspn(s + 6, " ");
                if (strncmp(s, "not ", 4) == 0) {
                        buf_adds(&turned, "expect ");
                        s += 4;
                } else {
                        buf_adds(&turned, "expect not ");
                }
                n++;
                s--;
        }
        assert_int_equal(load(desk, buf_str(&turned), &r), -1);
        if (r.n_errors < n || count(buf_str(&r.text), "error: test '") != r.n_errors)
                fail_msg("before " PAGE ":%u: %u expectations, turned round:\n%s",
                    line_number, n, buf_str(&r.text));
        config_report_fini(&r);
}

static void
test_examples(void **state)
{
        FILE *f = fopen(PAGE, "r");
        struct buf desk AUTO_BUF = BUF_INIT;
        unsigned line_number = 0, n = 0;

        (void)state;
        assert_non_null(f);
        case_begin();
        setenv("HELPLINE_TEMPLATES", "config/templates", 1);
        case_write("customers.csv", table, strlen(table), 0600);
        assert_true(next_example(f, &desk, &line_number));
        for (;;) {
                struct buf example AUTO_BUF = BUF_INIT;
                struct config_report r = {0};

                if (!next_example(f, &example, &line_number))
                        break;
                n++;
                if (load(buf_str(&desk), example.data, &r) == -1)
                        fail_msg(
                            "before " PAGE ":%u:\n%s", line_number, buf_str(&r.text));
                if (count(example.data, "test \"") < 2 ||
                    strstr(example.data, "expect not ") == NULL)
                        fail_msg("before " PAGE
                                 ":%u: it shows no message that is not meant",
                            line_number);
                config_report_fini(&r);
                turned_round(buf_str(&desk), example.data, line_number);
        }
        fclose(f);
        case_end();
        assert_true(n >= 38);
}

/* Every condition has its item in the page. */
static void
test_conditions_are_there(void **state)
{
        static const char *const items[] = {"channel is", "account is", "form is",
            "field", "from is", "to is", "cc is", "subject is", "text is", "header",
            "attachment name", "attachment type", "attachment size", "language is",
            "customer is", "call is", "call direction", "call number", "call duration",
            "tagged", "priority is", "more than", "time is"};
        char *page = calloc(1, 1 << 18), want[100];
        FILE *f = fopen(PAGE, "r");

        (void)state;
        assert_non_null(f);
        assert_true(fread(page, 1, (1 << 18) - 1, f) > 0);
        fclose(f);
        for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
                snprintf(want, sizeof want, ".It Cm %s", items[i]);
                if (strstr(page, want) == NULL)
                        fail_msg("no '%s' in " PAGE, want);
        }
        assert_non_null(strstr(page, ".It Ar HOURS Cm is"));
        free(page);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_examples),
            cmocka_unit_test(test_conditions_are_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
