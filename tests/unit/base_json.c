/* JSON: what json_read takes and refuses, what the writer writes. */
#include "daemon/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_read(void **state)
{
        const char *s = "{\"a\": \"счёт\", \"n\": -42, \"t\": true, \"l\": [1, 2], "
                        "\"o\": {\"x\": 1}, "
                        "\"r\": 1.5, \"z\": null}";
        struct err err = {0};
        json_t *o = json_read(s, strlen(s), 1000, &err);

        (void)state;
        assert_non_null(o);
        assert_string_equal(json_str(o, "a", "no"), "счёт");
        assert_string_equal(json_str(o, "n", "no"), "no");
        assert_string_equal(json_str(o, "absent", "no"), "no");
        assert_int_equal(json_int(o, "n", 7), -42);
        assert_int_equal(json_int(o, "r", 7), 7);
        assert_int_equal(json_int(o, "a", 7), 7);
        assert_true(json_bool(o, "t", false));
        assert_true(json_bool(o, "z", true));
        assert_int_equal(json_array_size(json_list(o, "l")), 2);
        assert_null(json_list(o, "o"));
        assert_int_equal(json_int(json_obj(o, "o"), "x", 0), 1);
        assert_null(json_obj(o, "l"));
        assert_int_equal(json_int(NULL, "x", 3), 3);
        assert_string_equal(json_str(json_list(o, "l"), "x", ""), "");
        json_decref(o);
}

static void
check_refused(const char *s, size_t n, enum err_kind kind, const char *words)
{
        struct err err = {0};

        assert_null(json_read(s, n, 1000, &err));
        assert_int_equal(err.kind, kind);
        if (strstr(err.text, words) == NULL)
                fail_msg("'%s' does not say '%s'", err.text, words);
        assert_null(strstr(err.text, "geheim"));
}

static void
test_refused(void **state)
{
        char big[1002];

        (void)state;
        check_refused("", 0, ERR_REJECT, "at byte 0");
        check_refused("{\"a\":1,\"a\":2}", 13, ERR_REJECT, "duplicate");
        check_refused("{\"a\": geheim}", 13, ERR_REJECT, "at byte");
        check_refused("[1] geheim", 10, ERR_REJECT, "end of file expected");
        check_refused("\"a\\u0000b\"", 10, ERR_REJECT, "\\u0000");
        check_refused("\"a\0b\"", 5, ERR_REJECT, "at byte");
        check_refused("\"\xff\"", 3, ERR_REJECT, "byte");
        check_refused("\"\xed\xa0\x80\"", 5, ERR_REJECT, "byte");
        check_refused("[99999999999999999999]", 22, ERR_REJECT, "too big integer");
        check_refused("[1e999]", 7, ERR_REJECT, "real number overflow");
        memset(big, ' ', sizeof big);
        check_refused(big, sizeof big, ERR_LIMIT, "at most 1000");
}

static void
test_depth(void **state)
{
        char s[200];
        struct err err = {0};
        json_t *o;

        (void)state;
        memset(s, '[', 33);
        memset(s + 33, ']', 33);
        o = json_read(s + 1, 64, 1000, &err);
        assert_non_null(o);
        json_decref(o);
        assert_null(json_read(s, 66, 1000, &err));
        assert_int_equal(err.kind, ERR_LIMIT);
        assert_string_equal(
            err.text, "the JSON text is nested more than 32 levels deep at byte 32");
        /* brackets in strings do not count */
        memset(s, '[', 100);
        memcpy(s, "\"\\\"", 3);
        s[100] = '"';
        o = json_read(s, 101, 1000, &err);
        assert_non_null(o);
        json_decref(o);
}

static void
test_write(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        (void)state;
        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "s", "a\"b\\c\nd\t\x01\x7f/ё");
        jo_kstring_or_null(&o, "none", "");
        jo_kstring_or_null(&o, "some", "x");
        jo_kint(&o, "min", INT64_MIN);
        jo_kbool(&o, "t", true);
        jo_ktime(&o, "never", 0);
        jo_ktime(&o, "at", 1795514400123456);
        jo_key(&o, "list");
        jo_open(&o, '[');
        jo_int(&o, 1);
        jo_null(&o);
        jo_bool(&o, false);
        jo_open(&o, '{');
        jo_close(&o, '}');
        jo_open(&o, '[');
        jo_close(&o, ']');
        jo_raw(&o, "[2,3]", 5);
        jo_string(&o, "");
        jo_close(&o, ']');
        jo_kraw(&o, "raw", "{}", 2);
        jo_close(&o, '}');
        assert_string_equal(buf_str(&b),
            "{\"s\":\"a\\\"b\\\\c\\nd\\t\\u0001\\u007f/ё\",\"none\":null,\"some\":\"x\","
            "\"min\":-9223372036854775808,\"t\":true,\"never\":null,"
            "\"at\":\"2026-11-24T10:00:00.123Z\",\"list\":[1,null,false,{},[],[2,3],\"\"]"
            ","
            "\"raw\":{}}");
}

/* Whatever the bytes: what the writer writes, the reader takes. */
static void
test_write_any_bytes(void **state)
{
        char bytes[256];
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct err err = {0};
        json_t *v;

        (void)state;
        for (int i = 0; i < 256; i++)
                bytes[i] = (char)i;
        jo_init(&o, &b);
        jo_stringn(&o, bytes, sizeof bytes);
        v = json_read(b.data, b.len, 10000, &err);
        assert_string_equal(err.text, "");
        assert_non_null(v);
        /* NUL and 128 bad bytes are three bytes each, the rest is itself */
        assert_int_equal(json_string_length(v), 127 + 129 * 3);
        assert_memory_equal(json_string_value(v), "\xef\xbf\xbd\x01\x02", 5);
        json_decref(v);
}

/* 3 bytes of text make an object of 250: a helper must not fill the daemon's memory. */
static void
test_number_of_values(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct err err = {0};
        json_t *o;

        (void)state;
        buf_adds(&b, "[\"");
        for (int i = 0; i < 300000; i++) /* not in a string */
                buf_addc(&b, ',');
        buf_adds(&b, "\"");
        for (int i = 0; i < 90000; i++)
                buf_adds(&b, ",{}");
        buf_addc(&b, ']');
        o = json_read(b.data, b.len, b.len, &err);
        assert_non_null(o);
        json_decref(o);
        b.len--;
        for (int i = 0; i < 20000; i++)
                buf_adds(&b, ",{}");
        buf_addc(&b, ']');
        assert_null(json_read(b.data, b.len, b.len, &err));
        assert_int_equal(err.kind, ERR_LIMIT);
        assert_string_equal(err.text, "the JSON text has more than 200000 values");
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_read),
            cmocka_unit_test(test_number_of_values),
            cmocka_unit_test(test_refused),
            cmocka_unit_test(test_depth),
            cmocka_unit_test(test_write),
            cmocka_unit_test(test_write_any_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
