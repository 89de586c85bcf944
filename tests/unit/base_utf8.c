/* UTF-8: check, walk, clean, cut, measure, fold, language, look-alikes, distance. */
#include "daemon/base/utf8.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool
valid(const char *s)
{
        return utf8_valid(s, strlen(s));
}

static void
test_valid(void **state)
{
        (void)state;
        assert_true(valid(""));
        assert_true(valid("plain, счёт, 日本, \xf0\x9f\x98\x80, \xf4\x8f\xbf\xbf"));
        assert_true(utf8_valid("a\0b", 3));
        assert_false(valid("\x80"));
        assert_false(valid("\xc0\xaf")); /* overlong */
        assert_false(valid("\xe0\x80\xaf")); /* overlong */
        assert_false(valid("\xf0\x80\x80\xaf")); /* overlong */
        assert_false(valid("\xed\xa0\x80")); /* surrogate */
        assert_false(valid("\xf4\x90\x80\x80")); /* above U+10FFFF */
        assert_false(valid("\xf5\x80\x80\x80"));
        assert_false(valid("\xd1"));
        assert_false(valid("\xe2\x82"));
        assert_false(valid("\xd1z"));
}

static void
test_next(void **state)
{
        size_t used;

        (void)state;
        assert_int_equal(utf8_next("\xd1\x8f!", 3, &used), 0x44f);
        assert_int_equal(used, 2);
        assert_int_equal(utf8_next("\xf0\x9f\x98\x80", 4, &used), 0x1f600);
        assert_int_equal(used, 4);
        assert_int_equal(utf8_next("\xf0\x9f\x98\x80", 3, &used), 0xfffd);
        assert_int_equal(used, 1);
        assert_int_equal(utf8_next("\0", 1, &used), 0);
        assert_int_equal(used, 1);
}

/* What is added is read back the same, for every code point there is. */
static void
test_add_all(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t used;

        (void)state;
        for (uint32_t cp = 0; cp <= 0x110010; cp++) {
                bool good = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);

                buf_clear(&b);
                utf8_add(&b, cp);
                assert_int_equal(utf8_next(b.data, b.len, &used), good ? cp : 0xfffd);
                assert_int_equal(used, b.len);
        }
}

static void
check_clean(const char *s, size_t n, const char *expected)
{
        struct buf b AUTO_BUF = BUF_INIT;

        utf8_add_clean(&b, s, n);
        assert_string_equal(buf_str(&b), expected);
}

static void
test_clean(void **state)
{
        (void)state;
        check_clean("", 0, "");
        check_clean("a\tb\nc", 5, "a\tb\nc");
        check_clean("a\r\nb\rc\r", 7, "a\nb\nc\n");
        check_clean("\r\r\n\n", 4, "\n\n\n");
        check_clean("a\0b", 3,
            "a\xef\xbf\xbd"
            "b");
        check_clean("\x1b[31mred\x7f\x01", 10, "[31mred");
        check_clean("x\xc2\x85y", 4, "xy"); /* C1 */
        check_clean("\xd1\x8f\xff\xd1", 4, "\xd1\x8f\xef\xbf\xbd\xef\xbf\xbd");
}

static void
test_make_line(void **state)
{
        char s[] = "a\tb\r\n\x1b[31m \xc2\x9b\xd0\xb0\xff\xe2\x82";

        (void)state;
        utf8_make_line(s, sizeof s - 1);
        assert_string_equal(s, "a b  ?[31m ??\xd0\xb0???");
}

static void
test_cut(void **state)
{
        const char *s = "a\xd1\x8f\xe2\x82\xac\xf0\x9f\x98\x80"; /* 1 + 2 + 3 + 4 */
        const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

        (void)state;
        for (size_t max = 0; max < 12; max++)
                assert_int_equal(utf8_cut(s, 10, max), expected[max]);
        assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80", 5, 4), 4);
        assert_int_equal(utf8_cut("\xff\xff", 2, 1), 1);
        assert_int_equal(utf8_cut("", 0, 0), 0);
}

static size_t
width(const char *s)
{
        return utf8_width(s, strlen(s));
}

static void
test_width(void **state)
{
        (void)state;
        assert_int_equal(utf8_length("счёт", 8), 4);
        assert_int_equal(utf8_length("a\xff\xff", 3), 3);
        assert_int_equal(width("счёт"), 4);
        assert_int_equal(width("日本"), 4);
        assert_int_equal(width("\xef\xbc\xa1"), 2); /* full-width A */
        assert_int_equal(width("\xea\xb0\x80"), 2); /* Hangul */
        assert_int_equal(width("\xf0\x9f\x98\x80"), 2); /* smile */
        assert_int_equal(width("e\xcc\x81"), 1); /* e + acute */
        assert_int_equal(width("и\xcc\x86"), 1); /* и + breve */
        assert_int_equal(width("a\xe2\x80\x8b"
                               "b"),
            2); /* zero width space */
        assert_int_equal(width("\xe3\x81\x8b\xe3\x82\x99"), 2); /* kana + voicing */
        assert_int_equal(width("\xe2\x80\x94\xc2\xab\xc2\xbb"), 3); /* —«» */
        assert_int_equal(width("a\tb"), 2);
        assert_int_equal(width("\xff"), 1);
}

static void
check_fold(const char *s, const char *expected)
{
        struct arena *a AUTO_ARENA = arena_new();

        assert_string_equal(utf8_fold(a, s, strlen(s)), expected);
}

static void
test_fold(void **state)
{
        (void)state;
        setlocale(LC_ALL, "C");
        check_fold("", "");
        check_fold("Hello, WORLD 42", "hello, world 42");
        check_fold("СЧЁТ Ёлка ёж", "счет елка еж");
        check_fold("ЇЄІҐ Ђ Џ Ѣ Ә Ӏ", "їєіґ ђ џ ѣ ә ӏ");
        check_fold("ÀÉÎÕÜ ÿŸ Ø ×", "àéîõü ÿÿ ø ×");
        check_fold("ĄČĘŁŃŚŽ İ Đ ǅ", "ąčęłńśž i đ ǆ");
        check_fold("ẞ ß Ạ ſ", "ß ß ạ s");
        check_fold("ΑΒΓΣς ΌΏ", "αβγσσ όώ");
        check_fold("ԱՖ", "աֆ");
        check_fold("ＡＺ Ⅷ", "ａｚ ⅷ");
        check_fold("日本 \xf0\x90\x90\x80", "日本 \xf0\x90\x90\xa8");
        check_fold("a\xff", "a\xef\xbf\xbd");
        check_fold("\xc8\xba", "\xe2\xb1\xa5"); /* grows */
}

/* Folding twice is folding once, and what is folded is a character. */
static void
test_fold_is_stable(void **state)
{
        (void)state;
        for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
                uint32_t f = utf8_fold_char(cp);

                assert_true(f <= 0x10ffff && (f < 0xd800 || f > 0xdfff || f == cp));
                assert_int_equal(utf8_fold_char(f), f);
        }
}

static const char *
language(const char *s)
{
        return utf8_language(s, strlen(s));
}

static void
test_language(void **state)
{
        (void)state;
        assert_string_equal(language("Не работает VPN"), "ru");
        assert_string_equal(language("The VPN is down, Пётр"), "en");
        assert_string_equal(language("12345 !?"), "en");
        assert_string_equal(language(""), "en");
        assert_string_equal(language("аб cd"), "en"); /* more, not as many */
        assert_string_equal(language("\xff\xff ё"), "ru");
}

static void
test_lookalike(void **state)
{
        (void)state;
        assert_int_equal(utf8_lookalike(0x441), 'c'); /* Cyrillic с */
        assert_int_equal(utf8_lookalike(0x435), 'e');
        assert_int_equal(utf8_lookalike(0x420), 'P');
        assert_int_equal(utf8_lookalike(0x3bf), 'o'); /* Greek omicron */
        assert_int_equal(utf8_lookalike(0xff21), 'A');
        assert_int_equal(utf8_lookalike(0xff5a), 'z');
        assert_int_equal(utf8_lookalike('c'), 0);
        assert_int_equal(utf8_lookalike(0x44f), 0); /* я */
}

static void
test_distance(void **state)
{
        (void)state;
        assert_int_equal(utf8_distance("", "", 2), 0);
        assert_int_equal(utf8_distance("", "ab", 2), 2);
        assert_int_equal(utf8_distance("ab", "", 2), 2);
        assert_int_equal(utf8_distance("abc", "", 2), 3);
        assert_int_equal(utf8_distance("password", "pasword", 2), 1);
        assert_int_equal(utf8_distance("netwrok", "network", 2), 1); /* a swap */
        assert_int_equal(utf8_distance("netwrok", "network", 1), 1);
        assert_int_equal(utf8_distance("ba", "ab", 0), 1);
        assert_int_equal(utf8_distance("счёт", "счет", 1), 1);
        assert_int_equal(utf8_distance("kitten", "sitting", 5), 3);
        assert_int_equal(utf8_distance("kitten", "sitting", 2), 3);
        assert_int_equal(utf8_distance("abcdef", "ghijkl", 3), 4);
        assert_int_equal(utf8_distance("abcdef", "ghijkl", 100), 6);
        assert_int_equal(utf8_distance("abcd", "badc", 2), 2); /* two swaps */
        assert_int_equal(utf8_distance("a", "a\xff", 3), 1);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_valid),
            cmocka_unit_test(test_next),
            cmocka_unit_test(test_add_all),
            cmocka_unit_test(test_clean),
            cmocka_unit_test(test_make_line),
            cmocka_unit_test(test_cut),
            cmocka_unit_test(test_width),
            cmocka_unit_test(test_fold),
            cmocka_unit_test(test_fold_is_stable),
            cmocka_unit_test(test_language),
            cmocka_unit_test(test_lookalike),
            cmocka_unit_test(test_distance),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
