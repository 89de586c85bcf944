/* The customers file: encodings, separators, quotes, finding; what tells a change of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/config_case.h"
#include "tests/unit/patience.h"

static const char desk[] = "mail support@desk.example\nagent anna\ncountry 7\n"
                           "customers file \"customers.csv\"\n";

/* The same table in each form: `;` and windows-1251, `,` and UTF-8 with a mark, tabs. */
static void
check_table(const char *bytes, size_t n)
{
        const struct customers_file *f;
        const struct customer_row *r;
        struct config *c;

        case_begin();
        case_write("customers.csv", bytes, n, 0600);
        c = case_config(desk);
        assert_non_null(c);
        f = &c->customers;
        assert_int_equal(f->n_rows, 3);
        assert_int_equal(f->n_columns, 7);
        assert_string_equal(f->columns[0], "почта");
        r = customers_find(f, "ivan@b.example", "");
        assert_ptr_equal(r, &f->rows[0]);
        assert_ptr_equal(customers_find(f, "", "+74951234567"), r);
        assert_ptr_equal(customers_find(f, "nobody@b.example", "+74951234567"), r);
        assert_string_equal(r->name, "Иванов, Иван; «младший»");
        assert_string_equal(r->organisation, "ООО \"Ромашка\"");
        assert_string_equal(r->manager, "marina");
        assert_string_equal(r->values[6], "№ 5");
        assert_true(r->vip);
        r = customers_find(f, "e@f.example", "");
        assert_ptr_equal(r, &f->rows[1]);
        assert_ptr_equal(customers_find(f, "c@d.example", ""), r);
        assert_ptr_equal(customers_find(f, "", "200"), r);
        assert_string_equal(r->address, "c@d.example");
        assert_string_equal(r->phone, "+78005553535");
        assert_false(r->vip);
        assert_string_equal(f->rows[2].values[6], "");
        assert_null(customers_find(f, "", ""));
        assert_null(customers_find(f, "x@b.example", "+79990000000"));
        config_free(&c);
        case_end();
}

static void
test_semicolons_in_windows_1251(void **state)
{
        static const char bytes[] =
            "\xcf\xee\xf7\xf2\xe0;\xd2\xe5\xeb\xe5\xf4\xee\xed;\xd4\xc8\xce;"
            "\xce\xf0\xe3\xe0\xed\xe8\xe7\xe0\xf6\xe8\xff;VIP;"
            "\xcc\xe5\xed\xe5\xe4\xe6\xe5\xf0;\xcd\xee\xec\xe5\xf0\r\n"
            "Ivan@B.example;8 495 123-45-67;"
            "\"\xc8\xe2\xe0\xed\xee\xe2, \xc8\xe2\xe0\xed; "
            "\xab\xec\xeb\xe0\xe4\xf8\xe8\xe9\xbb\";"
            "\"\xce\xce\xce \"\"\xd0\xee\xec\xe0\xf8\xea\xe0\"\"\";"
            "\xc4\xe0;marina;\xb9 5\r\n"
            "\"c@d.example, e@f.example\";8 (800) 555-35-35 / 200;"
            "\xcf\xb8\xf2\xf0;;\xed\xe5\xf2\r\n"
            "\r\n"
            ";+7 999 123-45-67\r\n";

        (void)state;
        check_table(bytes, sizeof bytes - 1);
}

static void
test_commas_in_utf8_with_a_mark(void **state)
{
        static const char bytes[] =
            "\xef\xbb\xbfПочта, Телефон ,ФИО,Организация,VIP,Менеджер,Номер\n"
            "Ivan@B.example,8 495 123-45-67,\"Иванов, Иван; «младший»\","
            "\"ООО \"\"Ромашка\"\"\",1,marina,№ 5\n"
            "c@d.example e@f.example,88005553535;200,Пётр\n"
            ",+79991234567,,,,,";

        (void)state;
        check_table(bytes, sizeof bytes - 1);
}

static void
test_tabs_and_bare_returns(void **state)
{
        static const char bytes[] =
            "Почта\tТелефон\tФИО\tОрганизация\tVIP\tМенеджер\tНомер\r"
            "Ivan@B.example\t+7 495 123 45 67\tИванов, Иван; «младший»\t"
            "\"ООО \"\"Ромашка\"\"\"\tx\tmarina\t№ 5\r"
            "c@d.example;e@f.example\t+78005553535,200\tПётр\t\t0\r"
            "\t+79991234567\r";

        (void)state;
        check_table(bytes, sizeof bytes - 1);
}

/* Faults are told at their place, some twenty of them, and keep the old table. */
static void
test_faults_are_bounded(void **state)
{
        struct config_report r = {0};
        struct buf b AUTO_BUF = BUF_INIT;
        struct config *c = NULL;

        (void)state;
        case_begin();
        case_write("helpline.conf", desk, strlen(desk), 0600);
        buf_adds(&b, "email,name\n");
        for (int i = 0; i < 1000; i++)
                buf_adds(&b, "a@b.example,\"open\n");
        case_write("customers.csv", b.data, b.len, 0600);
        assert_int_equal(case_load(&c, &r), -1);
        assert_int_equal(r.n_errors, 21);
        assert_non_null(strstr(buf_str(&r.text),
            "customers.csv:3:14: error: text behind the quote that ends the cell"));
        config_report_fini(&r);
        case_write("customers.csv", "em\0ail\n", 7, 0600);
        assert_int_equal(case_load(&c, &r), -1);
        assert_non_null(strstr(buf_str(&r.text), "it is no table in text"));
        config_report_fini(&r);
        case_end();
}

/* 200,000 customers are read in a few seconds at worst and found in no time; more
 * are refused. */
static void
test_many(void **state)
{
        struct config_report r = {0};
        struct buf b AUTO_BUF = BUF_INIT;
        clock_t start = clock();
        struct config *c = NULL;

        (void)state;
        if (SANITIZED)
                skip(); /* a matter of size and time */
        case_begin();
        case_write("helpline.conf", desk, strlen(desk), 0600);
        buf_adds(&b, "email;phone;name;vip\n");
        for (int i = 0; i < 200000; i++)
                buf_addf(&b, "c%d@desk.example;+7495%07d;Customer %d;\n", i, i, i);
        case_write("customers.csv", b.data, b.len, 0600);
        assert_int_equal(case_load(&c, &r), 0);
        assert_int_equal(c->customers.n_rows, 200000);
        for (int i = 0; i < 200000; i += 7) {
                char address[64], phone[32];
                const struct customer_row *row = &c->customers.rows[i];

                snprintf(address, sizeof address, "c%d@desk.example", i);
                snprintf(phone, sizeof phone, "+7495%07d", i);
                assert_ptr_equal(customers_find(&c->customers, address, ""), row);
                assert_ptr_equal(customers_find(&c->customers, "", phone), row);
        }
        if (clock() - start > 20 * CLOCKS_PER_SEC)
                fail_msg("200,000 customers took %.1f s",
                    (double)(clock() - start) / CLOCKS_PER_SEC);
        config_free(&c);
        config_report_fini(&r);
        buf_adds(&b, "one@more.example;;;\n");
        case_write("customers.csv", b.data, b.len, 0600);
        assert_int_equal(case_load(&c, &r), -1);
        assert_non_null(strstr(buf_str(&r.text),
            "customers.csv:200002:1: error: more than 200000 customers"));
        config_report_fini(&r);
        case_end();
}

static void
test_lists_of_numbers(void **state)
{
        struct config *c;

        (void)state;
        case_begin();
        c = case_config(
            "mail support@desk.example\nagent anna\n"
            "list l \"8 495 123-45-67\" +442079460000 200 @b.example\ncountry 7\n");
        assert_non_null(c);
        assert_true(list_has(&c->lists[0], "+74951234567"));
        assert_true(list_has(&c->lists[0], "+442079460000"));
        assert_true(list_has(&c->lists[0], "200"));
        assert_true(list_has(&c->lists[0], "x@b.example"));
        assert_false(list_has(&c->lists[0], "+74951234568"));
        assert_false(list_has(&c->lists[0], ""));
        config_free(&c);
        case_end();
}

/* Written anew, grown, or another file in its place: each is a change. */
static void
test_changes_are_seen(void **state)
{
        static const char text[] =
            "mail support@desk.example\nagent anna\ninclude \"more.conf\"\n"
            "customers file \"customers.csv\"\nlist l file \"list.txt\"\n"
            "form f { field email { type email }\n"
            " field ok { type consent; text file \"ok.txt\" } }\n";
        static const char *const names[] = {"customers.csv", "list.txt", "ok.txt"};
        char from[128], to[128];
        struct config *c;
        uint64_t stamp;

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                case_begin();
                case_write("more.conf", "send-delay 1s\n", 14, 0600);
                case_write("customers.csv", "email\na@b.example\n", 18, 0600);
                case_write("list.txt", "a@b.example\n", 12, 0600);
                case_write("ok.txt", "\xef\xbb\xbfI agree.\r\n", 13, 0600);
                c = case_config(text);
                assert_non_null(c);
                assert_string_equal(c->forms[0].fields[1].text, "I agree.");
                assert_int_equal(c->n_data, 3);
                assert_false(config_data_changed(c));
                stamp = config_data_stamp(c);
                assert_true(stamp == config_data_stamp(c));
                case_write("other", "email\n", 6, 0600);
                snprintf(from, sizeof from, "%s/other", case_dir);
                snprintf(to, sizeof to, "%s/%s", case_dir, names[i]);
                assert_int_equal(rename(from, to), 0);
                assert_true(config_data_changed(c));
                assert_true(stamp != config_data_stamp(c));
                assert_int_equal(remove(to), 0);
                assert_true(config_data_changed(c));
                config_free(&c);
                case_end();
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_semicolons_in_windows_1251),
            cmocka_unit_test(test_commas_in_utf8_with_a_mark),
            cmocka_unit_test(test_tabs_and_bare_returns),
            cmocka_unit_test(test_faults_are_bounded),
            cmocka_unit_test(test_many),
            cmocka_unit_test(test_lists_of_numbers),
            cmocka_unit_test(test_changes_are_seen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
