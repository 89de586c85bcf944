/*
 * Commands and answers as JSON, statuses, queries, base64.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/base/base64.h"
#include "daemon/web/api_json.h"

static const struct api_limits limits = {4096, 100, 5};

/* The words joined by | or the error's code. */
static void
want_words(const char *body, const char *expected)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct resp_arg *argv;
        struct err err;
        int argc;

        if (api_words(body, strlen(body), &limits, a, &argv, &argc, &err) == -1)
                buf_adds(&b, err.code);
        for (int i = 0; i < argc; i++) {
                buf_adds(&b, i > 0 ? "|" : "");
                buf_add(&b, argv[i].s, argv[i].len);
        }
        assert_string_equal(buf_str(&b), expected);
}

static void
words_of_a_body(void **state)
{
        (void)state;
        want_words("[\"REPLY\", 1042, \"a\\nb\"]", "REPLY|1042|a\nb");
        want_words("[\"X\",{\"a\":[1,2]},{\"base64\":\"aGk=\"}]", "X|{\"a\":[1,2]}|hi");
        want_words(
            "[\"X\",{\"base64\":\"aGk=\",\"b\":1}]", "X|{\"base64\":\"aGk=\",\"b\":1}");
        want_words("[\"X\",\"\"]", "X|");
        want_words("[\"X\",-7]", "X|-7");
        want_words("", "BADARG");
        want_words("[]", "BADARG");
        want_words("{\"a\":1}", "BADARG");
        want_words("[\"X\",1042.2]", "BADARG");
        want_words("[\"X\",null]", "BADARG");
        want_words("[\"X\",[\"Y\"]]", "BADARG");
        want_words("[\"X\",{\"base64\":\"aGk\"}]", "BADARG");
        want_words("[\"X\"] []", "BADARG");
        want_words("[1,2,3,4,5,6]", "TOOBIG");
}

static void
want_with_id(const char *body, bool text_last, const char *expected)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct resp_arg *argv;
        struct err err;
        int argc;

        assert_int_equal(
            api_words(body, strlen(body), &limits, a, &argv, &argc, &err), 0);
        api_add_id(&argv, &argc, "k", text_last, a);
        for (int i = 0; i < argc; i++)
                buf_addf(&b, "%s%s", i > 0 ? " " : "", argv[i].s);
        assert_string_equal(buf_str(&b), expected);
}

static void
the_key_is_an_option(void **state)
{
        (void)state;
        want_with_id("[\"NOTE\",1,\"hi\"]", true, "NOTE 1 hi ID k");
        want_with_id("[\"NOTE\",1,\"TEXT\",\"hi\"]", true, "NOTE 1 ID k TEXT hi");
        want_with_id("[\"NOTE\",1,\"text\"]", true, "NOTE 1 text ID k");
        want_with_id("[\"RESERVE\"]", false, "RESERVE ID k");
        want_with_id("[\"TEXT\",\"x\"]", true, "TEXT x ID k");
}

static void
want_json(const char *resp, bool is_bytes, const char *expected)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct resp_value v;
        struct err err;

        assert_int_equal(
            resp_value_parse(resp, strlen(resp), 4096, a, &v, &err), strlen(resp));
        api_answer(&v, is_bytes, &b);
        assert_string_equal(buf_str(&b), expected);
}

static void
answers(void **state)
{
        (void)state;
        want_json("+OK\r\n", false, "\"OK\"");
        want_json(":-7\r\n", false, "-7");
        want_json("_\r\n", false, "null");
        want_json("*-1\r\n", false, "null");
        want_json("#t\r\n", false, "true");
        want_json(",1.5\r\n", false, "1.5");
        want_json(",inf\r\n", false, "\"inf\"");
        want_json("$6\r\n1042.2\r\n", false, "\"1042.2\"");
        want_json("$7\r\n{\"a\":1}\r\n", false, "{\"a\":1}");
        want_json("$5\r\n{\"a\"}\r\n", false, "\"{\\\"a\\\"}\"");
        want_json("$7\r\n{\"a\":1}\r\n", true, "\"eyJhIjoxfQ==\"");
        want_json("*2\r\n:1\r\n*1\r\n$2\r\n{}\r\n", false, "[1,[{}]]");
        want_json("%2\r\n+a\r\n:1\r\n:2\r\n~0\r\n", false, "{\"a\":1,\"2\":[]}");
        want_json("=8\r\ntxt:a\"b\r\r\n", false, "\"a\\\"b\\r\"");
}

static void
statuses(void **state)
{
        (void)state;
        assert_int_equal(api_status("ERR"), 400);
        assert_int_equal(api_status("BADARG"), 400);
        assert_int_equal(api_status("NOAUTH"), 401);
        assert_int_equal(api_status("NOPERM"), 403);
        assert_int_equal(api_status("NOSUCH"), 404);
        assert_int_equal(api_status("STALE"), 409);
        assert_int_equal(api_status("TOOBIG"), 413);
        assert_int_equal(api_status("UNSURE"), 503);
}

static void
queries(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *v[3];
        size_t n;

        (void)state;
        assert_int_equal(api_query("channel=me&x=1&channel=line%3Aa+b&channels=2",
                             "channel", v, 3, &n, a),
            0);
        assert_int_equal(n, 2);
        assert_string_equal(v[0], "me");
        assert_string_equal(v[1], "line:a b");
        assert_int_equal(api_query("a=%zz", "a", v, 3, &n, a), -1);
        assert_int_equal(api_query("a=%4", "a", v, 3, &n, a), -1);
        assert_int_equal(api_query("a=%00", "a", v, 3, &n, a), -1);
        assert_int_equal(api_query("a=1&a=2&a=3&a=4", "a", v, 3, &n, a), -1);
        assert_int_equal(api_query("a=%41", "a", v, 3, &n, a), 0);
        assert_string_equal(v[0], "A");
        assert_int_equal(api_query("", "a", v, 3, &n, a), 0);
        assert_int_equal(n, 0);
}

static void
ids_of_the_journal(void **state)
{
        (void)state;
        assert_true(api_seq_is_valid("0"));
        assert_true(api_seq_is_valid("1732442400123-7"));
        assert_false(api_seq_is_valid(""));
        assert_false(api_seq_is_valid("1-"));
        assert_false(api_seq_is_valid("-1"));
        assert_false(api_seq_is_valid("1-2-3"));
        assert_true(api_seq_compare("9-0", "10-0") < 0);
        assert_true(api_seq_compare("10-9", "10-10") < 0);
        assert_true(api_seq_compare("10-2", "10-2") == 0);
        assert_true(api_seq_compare("", "0") == 0);
        assert_true(api_seq_compare("1", "") > 0);
}

static void
base64_there_and_back(void **state)
{
        static const char *const texts[] = {"", "f", "fo", "foo", "foob", "\xff\xfe\xfd"};
        struct arena *a AUTO_ARENA = arena_new();
        size_t n;

        (void)state;
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
                struct buf b AUTO_BUF = BUF_INIT;

                base64_add(&b, texts[i], strlen(texts[i]));
                assert_string_equal(base64_parse(buf_str(&b), b.len, a, &n), texts[i]);
                assert_int_equal(n, strlen(texts[i]));
        }
        assert_null(base64_parse("Zg", 2, a, &n));
        assert_null(base64_parse("Zg=", 3, a, &n));
        assert_null(base64_parse("Zh==", 4, a, &n));
        assert_null(base64_parse("Z===", 4, a, &n));
        assert_null(base64_parse("====", 4, a, &n));
        assert_null(base64_parse("Zg==Zg==", 8, a, &n));
        assert_null(base64_parse("Zm9\n", 4, a, &n));
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(words_of_a_body),
            cmocka_unit_test(the_key_is_an_option),
            cmocka_unit_test(answers),
            cmocka_unit_test(statuses),
            cmocka_unit_test(queries),
            cmocka_unit_test(ids_of_the_journal),
            cmocka_unit_test(base64_there_and_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
