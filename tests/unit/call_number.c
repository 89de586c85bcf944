/* Telephone numbers as people and exchanges write them, to E.164: daemon/model/call.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/model/call.h"

static const struct {
        const char *country, *number, *expect;
} cases[] = {
    {"7", "8 495 123-45-67", "+74951234567"},
    {"7", "8(495)123.45.67", "+74951234567"},
    {"7", "+7 (495) 123-45-67", "+74951234567"},
    {"7", "007 495 123 45 67", "+74951234567"},
    {"7", "0074951234567", "+74951234567"},
    {"7", "74951234567", "+74951234567"},
    {"7", "4951234567", "+74951234567"},
    {"7", "tel:+74951234567", "+74951234567"},
    {"7", "8-10-49-30-1234567", "+49301234567"},
    {"7", "8 800 555-35-35", "+78005553535"},
    {"7",
        "+7\xc2\xa0"
        "495\xe2\x80\x91"
        "123\xe2\x80\x93"
        "45\xe2\x88\x92"
        "67",
        "+74951234567"},
    {"7", "+7 495 123-45-67 доб. 12", "+74951234567"},
    {"7", "8 495 1234567 ext 12", "+74951234567"},
    {"7", "84951234567,,12", "+74951234567"},
    {"7", "123-45-67", "123-45-67"}, /* of which city? */
    {"7", "200", "200"},
    {"7", " 2 00 ", "200"},
    {"7", "12345", "12345"},
    {"7", "+12345", "+12345"},
    {"7", "anonymous", "anonymous"},
    {"7", "Unknown Caller", "UnknownCaller"},
    {"7", "", ""},
    {"7", "+", "+"},
    {"7", "s", "s"},
    {"7", "8495123456", "+78495123456"}, /* ten digits are a national number */
    {"7", "+0123456789", "+0123456789"},
    {"7", "+1234567890123456", "+1234567890123456"}, /* 16 digits */
    {"7", "++74951234567", "++74951234567"},
    {"7", "12345678901234567890123456789012345678901234567890",
        "12345678901234567890123456789012345678901234567890"},
    {"", "+7 495 1234567", "+74951234567"},
    {"", "00 49 30 1234567", "+49301234567"},
    {"", "84951234567", "84951234567"},
    {"", "030 1234567", "0301234567"},
    {"49", "030 1234567", "+49301234567"},
    {"49", "+49 (0)30 1234567", "+49301234567"},
    {"49", "49301234567", "+49301234567"},
    {"49", "0049 30 1234567", "+49301234567"},
    {"49", "1234567", "1234567"},
    {"49", "007 495 123 45 67", "+74951234567"},
    {"44", "020 7946 0958", "+442079460958"},
    {"1", "(202) 555-0143", "+12025550143"},
    {"1", "1 202 555 0143", "+12025550143"},
    {"34", "912 345 678", "+34912345678"},
    {"39", "06 1234 5678", "+390612345678"},
};

static void
test_numbers(void **state)
{
        struct arena *a = arena_new();

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                assert_string_equal(phone_normalise(a, cases[i].number, cases[i].country),
                    cases[i].expect);
        arena_free(&a);
}

/* What is normalised once stays as it is. */
static void
test_stable(void **state)
{
        struct arena *a = arena_new();

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                assert_string_equal(phone_normalise(a, cases[i].expect, cases[i].country),
                    cases[i].expect);
        arena_free(&a);
}

static void
test_e164(void **state)
{
        (void)state;
        assert_true(phone_is_e164("+74951234567"));
        assert_true(phone_is_e164("+1234567"));
        assert_true(phone_is_e164("+123456789012345"));
        assert_false(phone_is_e164("+1234567890123456"));
        assert_false(phone_is_e164("+123456"));
        assert_false(phone_is_e164("74951234567"));
        assert_false(phone_is_e164("+7495123456a"));
        assert_false(phone_is_e164("+0495123456"));
        assert_false(phone_is_e164("+"));
        assert_false(phone_is_e164(""));
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_numbers),
            cmocka_unit_test(test_stable),
            cmocka_unit_test(test_e164),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
