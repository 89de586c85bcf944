/*
 * Every error with its exact text: tests/unit/config/errors.txt holds cases, each
 * some files and what `helplined -t` says of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/config_case.h"

#define CASES "tests/unit/config/errors.txt"

static char *
read_cases(void)
{
        FILE *f = fopen(CASES, "r");
        char *text = calloc(1, 1 << 20);

        assert_non_null(f);
        assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
        fclose(f);
        return text;
}

/* "@FF@" stands for a byte that cannot stand in a text file. */
static size_t
undo_bytes(char *s, size_t n)
{
        char *at = memmem(s, n, "@FF@", 4);

        if (at == NULL)
                return n;
        *at = (char)0xff;
        memmove(at + 1, at + 4, n - (size_t)(at + 4 - s));
        return n - 3;
}

/* One "--- name [mode]" and what follows it up to the next; "expected" is kept. */
static const char *
take_file(char *s, char **expected)
{
        char *body = strchr(s, '\n') + 1, *end = strstr(body, "\n--- "), name[100] = "";
        unsigned mode = 0600;
        size_t n;

        if (strncmp(body, "--- ", 4) == 0)
                end = body - 1;
        n = end == NULL ? strlen(body) : (size_t)(end + 1 - body);
        sscanf(s, "--- %99s %o", name, &mode);
        if (strcmp(name, "expected") == 0) {
                *expected = strndup(body, n);
        } else {
                char *copy = strndup(body, n);

                case_write(name, copy, undo_bytes(copy, n), (mode_t)mode);
                free(copy);
        }
        return end == NULL ? NULL : end + 1;
}

static void
run_case(char *title)
{
        char *expected = NULL, *files = strchr(title, '\n');
        struct config_report r = {0};
        struct config *c = NULL;
        int rc;

        *files++ = '\0';
        case_begin();
        while (files != NULL)
                files = (char *)take_file(files, &expected);
        rc = case_load(&c, &r);
        print_message("           %s\n", title);
        assert_non_null(expected);
        assert_string_equal(buf_str(&r.text), expected);
        assert_int_equal(rc, r.n_errors > 0 ? -1 : 0);
        assert_int_equal(c != NULL, rc == 0);
        assert_null(strstr(buf_str(&r.text), "hunter2"));
        free(expected);
        config_report_fini(&r);
        config_free(&c);
        case_end();
}

static void
test_all_cases(void **state)
{
        char *text = read_cases(), *next = text;
        unsigned n = 0;

        (void)state;
        while (next != NULL) {
                char *title = next + 4;

                next = strstr(title, "\n=== ");
                if (next != NULL)
                        *next++ = '\0';
                if (next != NULL)
                        next[-1] = '\n', next[0] = '\0'; /* keeps the last line's end */
                run_case(title);
                if (next != NULL)
                        next[0] = '=';
                n++;
        }
        assert_true(n >= 25);
        free(text);
}

static void
test_missing_main_file(void **state)
{
        struct config_report r = {0};
        struct config *c = NULL;

        (void)state;
        assert_int_equal(config_load("/nowhere/helpline.conf", &c, &r), -1);
        assert_string_equal(buf_str(&r.text),
            "error: cannot read '/nowhere/helpline.conf': No such file or directory\n");
        config_report_fini(&r);
}

static void
test_credentials(void **state)
{
        static const char text[] =
            "mail a@b.example { smtp smtp://u@h.example:587 { password "
            "credential relay } }\nagent anna\n";
        struct config *c;

        (void)state;
        case_begin();
        case_write("relay", "s3cret\n", 7, 0440);
        setenv("CREDENTIALS_DIRECTORY", case_dir, 1);
        c = case_config(text);
        assert_non_null(c);
        assert_string_equal(c->mails[0].relays[0].password, "s3cret");
        assert_string_equal(c->mails[0].relays[0].user, "u");
        assert_int_equal(c->mails[0].relays[0].port, 587);
        assert_true(c->mails[0].relays[0].starttls);
        unsetenv("CREDENTIALS_DIRECTORY");
        config_free(&c);
        case_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_all_cases),
            cmocka_unit_test(test_missing_main_file),
            cmocka_unit_test(test_credentials),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
