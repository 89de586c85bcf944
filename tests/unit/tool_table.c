/* Tables on a terminal, in a pipe and as CSV; text of strangers on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "daemon/tool/screen.h"
#include "daemon/tool/table.h"
#include "daemon/tool/tool.h"
#include "daemon/tool/words.h"

static const struct table_column columns[] = {
    {"id", "no.", true, 8}, {"who", "who", false, 8}, {"subject", "subject", false, 0}};

static struct table *
table_of(const char *const *cells)
{
        struct table *t = table_new(columns, 3);

        for (size_t i = 0; cells[i] != NULL; i++)
                table_cell(t, cells[i], NULL, STYLE_NONE);
        return t;
}

static void
format_is(const char *const *cells, enum table_form form, size_t width, const char *want)
{
        struct table *t = table_of(cells);
        struct buf b AUTO_BUF = BUF_INIT;

        table_format(t, form, width, false, &b);
        assert_string_equal(buf_str(&b), want);
        table_free(&t);
}

static void
test_screen(void **state)
{
        (void)state;
        screen_use(true, false, 80);
        format_is((const char *[]){"7", "anna", "Hello", "1042", "лена", "Привет", NULL},
            TABLE_SCREEN, 80, "   7  anna  Hello\n1042  лена  Привет\n");
        /* cut by columns, not bytes or characters */
        format_is((const char *[]){"7", "a", "абвгдежзик", NULL}, TABLE_SCREEN, 14,
            "7  a  абвгдеж…\n");
        format_is((const char *[]){"7", "a", "請幫忙我的打印機", NULL}, TABLE_SCREEN, 14,
            "7  a  請幫忙…\n");
        format_is((const char *[]){"7", "a", "e\u0301e\u0301", NULL}, TABLE_SCREEN, 80,
            "7  a  e\u0301e\u0301\n");
        format_is((const char *[]){"7", "0123456789", "x", NULL}, TABLE_SCREEN, 80,
            "7  0123456…  x\n");
        /* an empty column takes no room, an empty end no blanks */
        format_is((const char *[]){"7", "", "x", "8", "", "", NULL}, TABLE_SCREEN, 80,
            "7  x\n8\n");
}

static void
test_widths(void **state)
{
        static const char *const subjects[] = {"Короткая",
            "請幫忙我的打印機壞了請幫忙我的打印機壞了",
            "A long English subject that does not fit into anything like that at all, no",
            "e\u0301\u0301\u0301 combining e\u0301\u0301\u0301 and e\u0301 more and more "
            "of it, so it is long",
            "👩‍💻 emoji 👍🏽 👍🏽 👍🏽 👍🏽 👍🏽 👍🏽 "
            "👍🏽 "
            "👍🏽 "
            "👍🏽 "
            "👍🏽 "
            "👍🏽 👍🏽"};

        (void)state;
        for (size_t width = 30; width <= 100; width++) {
                struct table *t = table_new(columns, 3);
                struct buf b AUTO_BUF = BUF_INIT;
                const char *p;

                for (size_t i = 0; i < 5; i++) {
                        table_cell(t, "1042", NULL, STYLE_NONE);
                        table_cell(t, "anna", NULL, STYLE_NONE);
                        table_cell(t, subjects[i], NULL, STYLE_NONE);
                }
                table_format(t, TABLE_SCREEN, width, true, &b);
                for (p = buf_str(&b); *p != '\0'; p += strcspn(p, "\n") + 1)
                        assert_true(utf8_width(p, strcspn(p, "\n")) <= width);
                table_free(&t);
        }
}

static void
test_titles(void **state)
{
        struct table *t = table_of((const char *[]){"7", "anna", "Hello", NULL});
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        words_use(true);
        table_format(t, TABLE_SCREEN, 80, true, &b);
        words_use(false);
        assert_string_equal(buf_str(&b), "№  кто   тема\n7  anna  Hello\n");
        table_free(&t);
}

static void
test_tabs(void **state)
{
        (void)state;
        format_is((const char *[]){"7", "a\tb", "c\nd\x1b[1m", NULL}, TABLE_TABS, 10,
            "7\ta b\tc d[1m\n");
}

static void
test_csv(void **state)
{
        struct table *t = table_new(columns, 3);
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        format_is((const char *[]){"7", "a,b", "say \"hi\"", NULL}, TABLE_CSV, 10,
            "id,who,subject\r\n7,\"a,b\",\"say \"\"hi\"\"\"\r\n");
        table_cell(t, "x", "two\nlines", STYLE_NONE);
        table_cell(t, "x", "", STYLE_NONE);
        table_cell(t, "x", " blank ", STYLE_NONE);
        table_format(t, TABLE_CSV, 10, false, &b);
        assert_string_equal(buf_str(&b), "id,who,subject\r\n\"two\nlines\",, blank \r\n");
        table_free(&t);
}

static void
clean_is(const char *s, const char *want, const char *line)
{
        struct buf b AUTO_BUF = BUF_INIT, l AUTO_BUF = BUF_INIT;

        screen_add(&b, s, strlen(s));
        assert_string_equal(buf_str(&b), want);
        screen_add_line(&l, s, strlen(s));
        assert_string_equal(buf_str(&l), line);
}

static void
test_strangers(void **state)
{
        static const char hostile[] = "\"\x7f \xc2\x9b \xe2\x80\xae \xf3\xa0\x80\x81 я\"";
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        clean_is("a\x1b[31mb\x07\x08\x7f", "a[31mb", "a[31mb");
        clean_is("a\r\nb\rc\td", "a\nb\nc\td", "a b c d");
        clean_is("C1: \xc2\x9b"
                 "1m \xc2\x85",
            "C1: 1m ", "C1: 1m ");
        clean_is("\xe2\x80\xaegnp\xe2\x81\xa6x\xe2\x80\xa8y", "gnpxy", "gnpxy");
        clean_is("bad \xff\xc0\x80", "bad \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
            "bad \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
        screen_add_json(&b, hostile, strlen(hostile));
        assert_string_equal(buf_str(&b), "\"\\u007f \\u009b \\u202e \\udb40\\udc01 я\"");
}

static void
wrapped_is(const char *s, size_t columns_wide, const char *indent, const char *want)
{
        struct buf b AUTO_BUF = BUF_INIT;

        screen_add_wrapped(&b, s, columns_wide, indent);
        assert_string_equal(buf_str(&b), want);
}

static void
test_wrapped(void **state)
{
        (void)state;
        wrapped_is("one two three", 10, "", "one two\nthree\n");
        wrapped_is("a\n\nb\n", 10, "", "a\n\nb\n");
        wrapped_is("aaaaaaaaaabbbbb", 10, "", "aaaaaaaaaa\nbbbbb\n");
        wrapped_is("один два три четыре", 12, "> ", "> один два\n> три четыре\n");
        wrapped_is("", 10, "", "");
}

static void
test_cut_line(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        assert_string_equal(
            text_above_cut(a, "\n\nHello\nyou\n\n-- >8 -- x\n> q"), "Hello\nyou");
        assert_string_equal(text_above_cut(a, "-- >8 --\n> q"), "");
        assert_string_equal(text_above_cut(a, "\n-- >8 --"), "");
        assert_string_equal(text_above_cut(a, "no -- >8 -- here"), "no -- >8 -- here");
        assert_string_equal(text_above_cut(a, "a -- >8 --\n-- >8 --\nb"), "a -- >8 --");
        assert_string_equal(text_above_cut(a, " \n\t"), "");
}

static void
test_names_of_files(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        assert_string_equal(save_name(a, "scan.png", "2"), "scan.png");
        assert_string_equal(save_name(a, "../../.bashrc\n", "2"), "bashrc");
        assert_string_equal(save_name(a, "C:\\Windows\\счёт №1.pdf", "2"), "счёт №1.pdf");
        assert_string_equal(save_name(a, "-rf $(x);", "2"), "rf _(x)_");
        assert_string_equal(save_name(a, "\x1b[2J", "2"), "[2J");
        assert_string_equal(save_name(a, "..", "2"), "part-2");
        assert_string_equal(save_name(a, "a/", "2.1"), "part-2.1");
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_screen),
            cmocka_unit_test(test_widths),
            cmocka_unit_test(test_titles),
            cmocka_unit_test(test_tabs),
            cmocka_unit_test(test_csv),
            cmocka_unit_test(test_strangers),
            cmocka_unit_test(test_wrapped),
            cmocka_unit_test(test_cut_line),
            cmocka_unit_test(test_names_of_files),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
