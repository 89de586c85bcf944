/* Charsets: right labels, wrong labels, no labels; nothing is ever lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

/* "Здравствуйте, не работает почта" */
#define HELLO "Здравствуйте, не работает почта"
#define HELLO_1251                                                                       \
        "\xc7\xe4\xf0\xe0\xe2\xf1\xf2\xe2\xf3\xe9\xf2\xe5, \xed\xe5 "                    \
        "\xf0\xe0\xe1\xee\xf2\xe0\xe5\xf2 \xef\xee\xf7\xf2\xe0"
#define HELLO_KOI8                                                                       \
        "\xfa\xc4\xd2\xc1\xd7\xd3\xd4\xd7\xd5\xca\xd4\xc5, \xce\xc5 "                    \
        "\xd2\xc1\xc2\xcf\xd4\xc1\xc5\xd4 \xd0\xcf\xde\xd4\xc1"

static void
decodes(const char *bytes, size_t n, const char *charset, const char *want)
{
        struct buf b = BUF_INIT;

        assert_false(mime_text_decode(&b, bytes, n, charset, 1 << 20));
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
}

static void
decodes_text(const char *bytes, const char *charset, const char *want)
{
        decodes(bytes, strlen(bytes), charset, want);
}

static void
test_right_labels(void **state)
{
        (void)state;
        decodes_text(HELLO, "utf-8", HELLO);
        decodes_text(HELLO, "UTF8", HELLO);
        decodes_text(HELLO_1251, "windows-1251", HELLO);
        decodes_text(HELLO_1251, "\"CP1251\"", HELLO);
        decodes_text(HELLO_KOI8, "koi8-r", HELLO);
        decodes_text("caf\xe9", "iso-8859-1", "café");
        decodes_text("\x80 5", "iso-8859-1", "€ 5");
        decodes_text("\xc4\xe3\xba\xc3", "gb2312", "你好");
        decodes_text("\x1b$B$3$s\x1b(B", "iso-2022-jp", "こん");
        decodes_text("+BD8EQAQ4BDIENQRC-", "utf-7", "привет");
        decodes("\xff\xfe\x3f\x04\x40\x04", 6, "utf-16", "пр");
        decodes("\x04\x3f\x04\x40", 4, "utf-16be", "пр");
        decodes("\x3f\x04\x21\x00", 4, "utf-16", "п!");
        decodes_text("plain\r\nlines\rhere", "us-ascii", "plain\nlines\nhere");
}

static void
test_wrong_labels(void **state)
{
        (void)state;
        decodes_text(HELLO_1251, "utf-8", HELLO);
        decodes_text(HELLO_KOI8, "utf-8", HELLO);
        decodes_text(HELLO, "iso-8859-1", HELLO);
        decodes_text(HELLO, "windows-1251", HELLO);
        decodes_text(HELLO_1251, "us-ascii", HELLO);
        decodes_text(HELLO_1251, "x-unknown", HELLO);
        decodes_text(HELLO_1251, "no-such-charset-at-all", HELLO);
        decodes_text("\x82\xb1\x82\xf1", "iso-2022-jp", "こん");
}

static void
test_no_labels(void **state)
{
        (void)state;
        decodes_text(HELLO, "", HELLO);
        decodes_text(HELLO, NULL, HELLO);
        decodes_text(HELLO_1251, "", HELLO);
        decodes_text(HELLO_KOI8, "", HELLO);
        decodes_text(
            "le caf\xe9 est ferm\xe9 aujourd'hui", "", "le café est fermé aujourd'hui");
        decodes_text("\xef\xbb\xbf" HELLO, "windows-1251", HELLO);
        decodes_text("", "", "");
}

static void
test_nothing_lost(void **state)
{
        (void)state;
        /* one bad byte in UTF-8 does not make it another charset */
        decodes_text(HELLO "\xff!", "utf-8", HELLO "\xef\xbf\xbd!");
        /* cut in the middle of a character */
        decodes_text("\xc4\xe3\xba", "gb2312", "你");
        for (unsigned c = 1; c < 256; c++) {
                char bytes[2] = {(char)c, 'x'};
                static const char *const labels[] = {
                    "", "utf-8", "gb18030", "utf-16", "utf-7", "big5"};

                for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
                        struct buf b = BUF_INIT;

                        mime_text_decode(&b, bytes, 2, labels[i], 100);
                        assert_true(b.len > 0);
                        assert_true(utf8_valid(b.data, b.len));
                        buf_fini(&b);
                }
        }
}

static void
test_cut(void **state)
{
        struct buf b = BUF_INIT;

        (void)state;
        buf_adds(&b, "before ");
        assert_true(mime_text_decode(&b, HELLO_KOI8, strlen(HELLO_KOI8), "koi8-r", 5));
        assert_string_equal(b.data, "before Зд");
        buf_fini(&b);
}

static void
test_guess(void **state)
{
        (void)state;
        assert_string_equal(mime_text_guess(HELLO_1251, strlen(HELLO_1251)), "CP1251");
        assert_string_equal(mime_text_guess(HELLO_KOI8, strlen(HELLO_KOI8)), "KOI8-R");
        assert_string_equal(
            mime_text_guess("Forma\xe7\xe3o Mega Campanha Ver\xe3o", 26), "CP1252");
        assert_string_equal(
            mime_text_guess("\xed\xe5 \xe8\xe4\xb8\xf2 ssh", 12), "CP1251");
        assert_string_equal(mime_text_guess("na\xefve words here", 15), "CP1252");
}

static void
unflows(const char *in, bool delsp, const char *want)
{
        struct buf b = BUF_INIT;

        buf_adds(&b, in);
        mime_text_unflow(&b, delsp);
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
}

static void
test_flowed(void **state)
{
        (void)state;
        unflows("one \ntwo\nthree\n", false, "one two\nthree\n");
        unflows("on \ne\n", true, "one\n");
        unflows("> a \n> b\nc\n", false, "> a b\nc\n");
        unflows(">a \nb\n", false, "> a \nb\n");
        unflows("text \n-- \nAnna\n", false, "text \n-- \nAnna\n");
        unflows(" >not a quote\n", false, ">not a quote\n");
        unflows("open ", false, "open ");
        unflows("", false, "");
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_right_labels),
            cmocka_unit_test(test_wrong_labels),
            cmocka_unit_test(test_no_labels),
            cmocka_unit_test(test_nothing_lost),
            cmocka_unit_test(test_cut),
            cmocka_unit_test(test_guess),
            cmocka_unit_test(test_flowed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
