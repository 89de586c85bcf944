/*
 * Wrong rules, each with the exact words of what is said about it:
 * tests/unit/config/wrong.txt. Its head is the desk that includes them, and the rules that a
 * first line `@rules` stands for; then each case is a file and its expected report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/config_case.h"

#define CASES "tests/unit/config/wrong.txt"

static const char customers[] = "email,name,vip,city\na@b.example,A,yes,Omsk\n";

/* What stands between the line that begins with `from` and the next that begins with `to`
 * (or the end); goes on behind it. */
static char *
between(char **s, const char *from, const char *to)
{
        char *begin = strstr(*s, from), *end;

        assert_non_null(begin);
        begin = strchr(begin, '\n') + 1;
        end = strstr(begin, to);
        if (strncmp(begin, to + 1, strlen(to + 1)) == 0)
                end = begin - 1;
        if (end == NULL) {
                *s = begin + strlen(begin);
                return strdup(begin);
        }
        *s = end + 1;
        return strndup(begin, (size_t)(end + 1 - begin));
}

static void
run_case(const char *text, const char *rules, const char *expected)
{
        struct config_report r = {0};
        struct config *c = NULL;
        struct buf b AUTO_BUF = BUF_INIT;

        if (strncmp(text, "@rules\n", 7) == 0) {
                buf_adds(&b, rules);
                text += 7;
        }
        buf_adds(&b, text);
        case_write("routing.conf", b.data, b.len, 0600);
        assert_int_equal(case_load(&c, &r), -1);
        if (strcmp(buf_str(&r.text), expected) != 0)
                fail_msg("%s--- expected\n%s--- but it says\n%s", text, expected,
                    buf_str(&r.text));
        config_report_fini(&r);
}

static void
test_wrong_rules(void **state)
{
        char *all = calloc(1, 1 << 20), *at = all, *desk, *rules;
        FILE *f = fopen(CASES, "r");
        unsigned n = 0;

        (void)state;
        assert_non_null(f);
        assert_true(fread(all, 1, (1 << 20) - 1, f) > 0);
        fclose(f);
        desk = between(&at, "--- desk", "\n--- ");
        rules = between(&at, "--- rules", "\n=== ");
        case_begin();
        setenv("HELPLINE_TEMPLATES", "config/templates", 1);
        case_write("helpline.conf", desk, strlen(desk), 0600);
        case_write("customers.csv", customers, strlen(customers), 0600);
        while (*at != '\0') {
                char *text = between(&at, "=== ", "\n--- ");
                char *expected = between(&at, "--- expected", "\n=== ");

                run_case(text, rules, expected);
                free(text);
                free(expected);
                n++;
        }
        case_end();
        free(desk);
        free(rules);
        free(all);
        print_message("           %u wrong rules\n", n);
        assert_true(n >= 200);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_wrong_rules),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
