/* What `helpline config show` tells: every option, from a file and line or the default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/json.h"
#include "tests/unit/config_case.h"

static const char text[] = "name \"Desk\"\n"
                           "mail support@desk.example { password file \"secret\" }\n"
                           "include \"more.conf\"\n";
static const char more[] = "line first { holds 2; steps { after 1h also first } }\n"
                           "agent anna \"Anna\" { notify mail; private_ 1 }\n"
                           "tag vpn when subject contains \"vpn\"\n";

static const char *
path(void)
{
        static char p[200];

        snprintf(p, sizeof p, "%s/helpline.conf", case_dir);
        return p;
}

static void
write_files(bool good)
{
        const char *bad = strstr(more, "; private_ 1");
        char fixed[400];

        snprintf(fixed, sizeof fixed, "%.*s%s", (int)(bad - more), more,
            bad + strlen("; private_ 1"));
        case_write("helpline.conf", text, strlen(text), 0600);
        case_write("more.conf", good ? fixed : more, strlen(good ? fixed : more), 0600);
        case_write("secret", "hunter2\n", 8, 0600);
}

static void
has_line(const char *shown, const char *option, const char *value, const char *from)
{
        const char *at = shown;
        size_t n = strlen(option);

        for (; at != NULL && *at != '\0'; at = strchr(at, '\n'), at += at != NULL) {
                const char *end = strchr(at, '\n');
                char line[300];

                snprintf(line, sizeof line, "%.*s", (int)(end - at), at);
                if (strncmp(line, option, n) == 0 && line[n] == ' ' &&
                    strstr(line + n, value) != NULL && strstr(line + n, from) != NULL)
                        return;
        }
        fail_msg("no line '%s … %s … %s' in:\n%s", option, value, from, shown);
}

static void
test_table(void **state)
{
        struct config_report r = {0};
        struct buf out AUTO_BUF = BUF_INIT;

        (void)state;
        case_begin();
        write_files(true);
        assert_int_equal(config_show(path(), false, &out, &r), 0);
        has_line(out.data, "name", "\"Desk\"", "helpline.conf:1");
        has_line(out.data, "language", "ru en", "default");
        has_line(out.data, "    password", "file \"secret\"", "helpline.conf:2");
        has_line(out.data, "    name", "the desk's", "default");
        has_line(out.data, "line", "first", "more.conf:1");
        has_line(out.data, "    holds", "2", "more.conf:1");
        has_line(out.data, "    lease", "4h", "default");
        has_line(out.data, "        after", "1h also first", "more.conf:1");
        has_line(out.data, "    notify", "mail", "more.conf:2");
        has_line(out.data, "    urgent", "4h", "default");
        has_line(out.data, "tag", "vpn when subject contains \"vpn\"", "more.conf:3");
        assert_null(strstr(out.data, "hunter2"));
        config_report_fini(&r);
        case_end();
}

static void
test_json(void **state)
{
        struct config_report r = {0};
        struct buf out AUTO_BUF = BUF_INIT;
        struct err err;
        bool found = false;
        json_t *list;

        (void)state;
        case_begin();
        write_files(true);
        assert_int_equal(config_show(path(), true, &out, &r), 0);
        list = json_read(out.data, out.len, 1 << 20, &err);
        assert_true(json_is_array(list));
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *o = json_array_get(list, i), *in = json_list(o, "in");

                if (strcmp(json_str(o, "option", ""), "after") != 0)
                        continue;
                found = true;
                assert_string_equal(
                    json_string_value(json_array_get(in, 0)), "line first");
                assert_string_equal(json_string_value(json_array_get(in, 1)), "steps");
                assert_string_equal(json_str(o, "value", ""), "1h also first");
                assert_string_equal(json_str(o, "from", ""), "more.conf:1");
        }
        assert_true(found);
        json_decref(list);
        config_report_fini(&r);
        case_end();
}

static void
test_errors(void **state)
{
        struct config_report r = {0};
        struct buf out AUTO_BUF = BUF_INIT;

        (void)state;
        case_begin();
        write_files(false);
        assert_int_equal(config_show(path(), false, &out, &r), -1);
        assert_int_equal(out.len, 0);
        assert_non_null(strstr(buf_str(&r.text), "unknown option 'private_' in agent"));
        config_report_fini(&r);
        case_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_table),
            cmocka_unit_test(test_json),
            cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
