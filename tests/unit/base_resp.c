/* RESP: requests as Redis takes them, answers written and read. */
#include "daemon/base/resp.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct resp_limits limits = {
    .max_arg = 1000, .max_request = 4000, .max_args = 64, .max_inline = 500};

/* ---- requests ---- */

/* Parses all of p[n] and compares the words, joined by '|', and the bytes used. */
static void
check_request(const char *p, size_t n, const char *words, long used)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf got AUTO_BUF = BUF_INIT;
        struct err err = {0};
        struct resp_arg *argv;
        size_t need;
        int argc;

        assert_int_equal(
            resp_request_parse(p, n, &limits, a, &argv, &argc, &need, &err), used);
        for (int i = 0; i < argc; i++) {
                assert_int_equal(argv[i].s[argv[i].len], 0);
                if (i > 0)
                        buf_addc(&got, '|');
                buf_add(&got, argv[i].s, argv[i].len);
        }
        assert_int_equal(got.len, strlen(words));
        assert_string_equal(buf_str(&got), words);
        assert_int_equal(err.kind, ERR_NONE);
}

static void
check_line(const char *line, const char *words)
{
        check_request(line, strlen(line), words, (long)strlen(line));
}

static void
test_multibulk(void **state)
{
        (void)state;
        check_request("*1\r\n$4\r\nPING\r\nrest", 18, "PING", 14);
        check_line(
            "*3\r\n$5\r\nREPLY\r\n$4\r\n1042\r\n$4\r\na\r\nb\r\n", "REPLY|1042|a\r\nb");
        check_line("*2\r\n$0\r\n\r\n$8\r\nсчёт\r\n", "|счёт");
        check_line("*0\r\n", "");
        check_line("*-1\r\n", "");
        check_line("*-10\r\n", "");
}

static void
test_multibulk_with_nul(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_arg *argv;
        size_t need;
        int argc;

        (void)state;
        assert_int_equal(resp_request_parse("*1\r\n$3\r\na\0b\r\n", 13, &limits, a, &argv,
                             &argc, &need, NULL),
            13);
        assert_int_equal(argv[0].len, 3);
        assert_memory_equal(argv[0].s, "a\0b", 4);
}

static void
test_inline(void **state)
{
        (void)state;
        check_line("PING\r\n", "PING");
        check_line("PING\n", "PING");
        check_line("  READY \t now  \r\n", "READY|now");
        check_line("\r\n", "");
        check_line("\n", "");
        check_line("   \r\n", "");
        check_line("NOTE 1 \"two words\" 'it\\'s'\r\n", "NOTE|1|two words|it's");
        check_line(
            "a \"\\x41\\n\\r\\t\\b\\a\\\\\\\"\\q\\x4g\" ''\n", "a|A\n\r\t\b\a\\\"qx4g|");
        check_line("foo\"bar\" 'a\\n'\n", "foobar|a\\n");
        check_line("a\vb\fc\n", "a\vb\fc"); /* only blanks, tabs and CR end a word */
        check_request("a\nb\n", 4, "a", 2);
        check_line("привет мир\n", "привет|мир");
}

static void
check_broken(const char *p, size_t n, enum err_kind kind, const char *text)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct err err = {0};
        struct resp_arg *argv;
        size_t need;
        int argc;

        assert_int_equal(
            resp_request_parse(p, n, &limits, a, &argv, &argc, &need, &err), -1);
        assert_string_equal(err.text, text);
        assert_int_equal(err.kind, kind);
        assert_string_equal(err.code, kind == ERR_LIMIT ? "TOOBIG" : "ERR");
}

static void
check_bad(const char *p, const char *text)
{
        check_broken(p, strlen(p), ERR_REJECT, text);
}

static void
test_broken(void **state)
{
        const char *multi = "Protocol error: invalid multibulk length";
        const char *bulk = "Protocol error: invalid bulk length";
        const char *quotes = "Protocol error: unbalanced quotes in request";

        (void)state;
        check_bad("*x\r\n", multi);
        check_bad("*\r\n", multi);
        check_bad("*01\r\n", multi);
        check_bad("*+1\r\n", multi);
        check_bad("*1 \r\n", multi);
        check_bad("*1\rx", multi);
        check_bad("*99999999999999999999\r\n", multi);
        check_bad("*11111111111111111111111111111111111111",
            "Protocol error: too big mbulk count string");
        check_bad("*1\r\nPING\r\n", "Protocol error: expected '$', got 'P'");
        check_bad("*1\r\n\r\n", "Protocol error: expected '$', got '\\x0d'");
        check_bad("*2\r\n$1\r\na\r\n:1\r\n", "Protocol error: expected '$', got ':'");
        check_bad("*1\r\n$\r\n", bulk);
        check_bad("*1\r\n$-1\r\n", bulk);
        check_bad("*1\r\n$1x\r\n", bulk);
        check_bad("*1\r\n$1\r\nabc", bulk); /* longer than it said */
        check_bad("*1\r\n$11111111111111111111111111111111111111",
            "Protocol error: too big bulk count string");
        check_broken("ping\0rest\n", 10, ERR_REJECT,
            "Protocol error: NUL in inline request, send an array instead");
        check_bad("a \"b\n", quotes);
        check_bad("a 'b\r\n", quotes);
        check_bad("a \"b\"c\n", quotes);
        check_bad("a 'b'c\n", quotes);
        check_bad("a b\"\n", quotes);
        check_bad("a \"b\\\"\n", quotes);
}

static void
test_limits(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        check_broken("*65\r\n", 5, ERR_LIMIT,
            "Protocol error: invalid multibulk length: 65 arguments, at most 64");
        check_broken("*1\r\n$1001\r\n", 11, ERR_LIMIT,
            "Protocol error: invalid bulk length: 1001 bytes, at most 1000");
        buf_adds(&b, "*5\r\n");
        for (int i = 0; i < 3; i++)
                buf_addf(&b, "$1000\r\n%01000d\r\n", 0);
        buf_adds(&b, "$1000\r\n");
        check_broken(b.data, b.len, ERR_LIMIT,
            "Protocol error: too big request: 4040 bytes, at most 4000");
        buf_clear(&b);
        buf_addf(&b, "%0501d", 0);
        check_broken(b.data, b.len, ERR_LIMIT,
            "Protocol error: too big inline request: 501 bytes, at most 500");
        buf_clear(&b);
        for (int i = 0; i < 65; i++)
                buf_adds(&b, "a ");
        buf_adds(&b, "\n");
        check_broken(b.data, b.len, ERR_LIMIT,
            "Protocol error: too big inline request: 65 arguments, at most 64");
}

/* Every beginning of a request asks for more, and never for too much. */
static void
check_beginnings(const char *p, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct err err = {0};
        struct resp_arg *argv;
        size_t need;
        int argc;

        for (size_t i = 0; i < n; i++) {
                char *part =
                    malloc(i > 0 ? i : 1); /* so that the sanitizer sees its end */

                memcpy(part, p, i);
                assert_int_equal(
                    resp_request_parse(part, i, &limits, a, &argv, &argc, &need, &err),
                    0);
                assert_true(need > i && need <= n);
                free(part);
        }
        assert_int_equal(arena_size(a), 0);
        assert_int_equal(
            resp_request_parse(p, n, &limits, a, &argv, &argc, &need, &err), n);
}

static void
test_beginnings(void **state)
{
        const char *multi =
            "*4\r\n$5\r\nREPLY\r\n$4\r\n1042\r\n$0\r\n\r\n$12\r\nhello, world\r\n";

        (void)state;
        check_beginnings(multi, strlen(multi));
        check_beginnings("*0\r\n", 4);
        check_beginnings("SHOW \"10 42\"\r\n", 14);
}

/* A caller who waits for *need asks a handful of times, whatever the size. */
static void
test_need_saves_scans(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct resp_arg *argv;
        struct resp_arg words[3] = {{"REPLY", 5}, {"1042", 4}, {NULL, 900}};
        char text[900];
        size_t need = 1;
        int argc, n_calls = 0;
        long used = 0;

        (void)state;
        memset(text, 'x', sizeof text);
        words[2].s = text;
        resp_request_format(&b, 3, words);
        for (; used == 0; n_calls++)
                used = resp_request_parse(
                    b.data, need, &limits, a, &argv, &argc, &need, NULL);
        assert_int_equal(used, b.len);
        assert_int_equal(argc, 3);
        assert_memory_equal(argv[2].s, text, 900);
        assert_true(n_calls < 30);
}

/* ---- answers ---- */

static void
test_written(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        resp_simple(&b, "OK\r\nforged");
        resp_error(&b, "NOSUCH", "no ticket\n7");
        resp_int(&b, -42);
        resp_bulk(&b, "a\r\nb", 4);
        resp_bulks(&b, "");
        resp_array(&b, 2);
        assert_string_equal(b.data,
            "+OK  forged\r\n-NOSUCH no ticket 7\r\n:-42\r\n$4\r\na\r\nb\r\n"
            "$0\r\n\r\n*2\r\n");
}

static void
test_written_by_version(void **state)
{
        const char *expected[] = {
            "$-1\r\n*-1\r\n*4\r\n*3\r\n:1\r\n$3\r\n0.1\r\n$4\r\n-inf\r\n$2\r\nhi\r\n",
            "_\r\n_\r\n%2\r\n>3\r\n#t\r\n,0.1\r\n,-inf\r\n=6\r\ntxt:hi\r\n"};

        (void)state;
        for (int proto = 2; proto <= 3; proto++) {
                struct buf b AUTO_BUF = BUF_INIT;

                resp_null(&b, proto);
                resp_null_array(&b, proto);
                resp_map(&b, proto, 2);
                resp_push(&b, proto, 3);
                resp_bool(&b, proto, true);
                resp_double(&b, proto, 0.1);
                resp_double(&b, proto, -INFINITY);
                resp_verbatim(&b, proto, "hi", 2);
                assert_string_equal(b.data, expected[proto - 2]);
        }
}

static void
test_doubles(void **state)
{
        const double v[] = {0, -1.5, 1e300, 1.0 / 3, 123456789.123456789, 5e-324};

        (void)state;
        for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
                struct buf b AUTO_BUF = BUF_INIT;

                resp_double(&b, 3, v[i]);
                assert_true(strtod(b.data + 1, NULL) == v[i]);
        }
}

static void
test_read(void **state)
{
        const char *s =
            "*12\r\n+OK\r\n-ERR no\r\n:-7\r\n$2\r\nhi\r\n$-1\r\n_\r\n#f\r\n,1.5\r\n"
            "%1\r\n+k\r\n~1\r\n:1\r\n=6\r\ntxt:hi\r\n(123\r\n!5\r\nERR x\r\n";
        struct arena *a AUTO_ARENA = arena_new();
        struct err err = {0};
        struct resp_value v;

        (void)state;
        assert_int_equal(resp_value_parse(s, strlen(s), 1000, a, &v, &err), strlen(s));
        assert_int_equal(v.type, RESP_ARRAY);
        assert_int_equal(v.n_items, 12);
        assert_string_equal(v.items[0].s, "OK");
        assert_int_equal(v.items[1].type, RESP_ERROR);
        assert_string_equal(v.items[1].s, "ERR no");
        assert_int_equal(v.items[2].i, -7);
        assert_string_equal(v.items[3].s, "hi");
        assert_int_equal(v.items[4].type, RESP_NULL);
        assert_string_equal(v.items[4].s, "");
        assert_int_equal(v.items[5].type, RESP_NULL);
        assert_int_equal(v.items[6].type, RESP_BOOL);
        assert_int_equal(v.items[6].i, 0);
        assert_string_equal(v.items[7].s, "1.5");
        assert_int_equal(v.items[8].type, RESP_MAP);
        assert_int_equal(v.items[8].n_items, 2);
        assert_int_equal(v.items[8].items[1].items[0].i, 1);
        assert_string_equal(v.items[9].s, "hi");
        assert_int_equal(v.items[9].type, RESP_VERBATIM);
        assert_int_equal(v.items[10].type, RESP_BIGNUM);
        assert_int_equal(v.items[11].type, RESP_ERROR);
        for (size_t i = 0; i < strlen(s); i++)
                assert_int_equal(resp_value_parse(s, i, 1000, a, &v, &err), 0);
}

static void
test_read_attribute(void **state)
{
        const char *s = "|1\r\n+ttl\r\n:1\r\n>2\r\n+message\r\n*-1\r\n";
        struct arena *a AUTO_ARENA = arena_new();
        struct err err = {0};
        struct resp_value v;

        (void)state;
        assert_int_equal(resp_value_parse(s, strlen(s), 1000, a, &v, &err), strlen(s));
        assert_int_equal(v.type, RESP_PUSH);
        assert_int_equal(v.items[1].type, RESP_NULL);
}

static void
test_read_broken(void **state)
{
        const char *bad[] = {"x\r\n", ":1x\r\n", ":\r\n", "$-2\r\n", "$1\r\nabc",
            "*-2\r\n", "#x\r\n", "_x\r\n", "+a\rb", "!-1\r\n", "%-1\r\n", "*1000\r\n",
            "$2000\r\n", "~-1\r\n"};
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                struct err err = {0};

                if (resp_value_parse(bad[i], strlen(bad[i]), 1000, a, &v, &err) != -1)
                        fail_msg("%s was taken", bad[i]);
                assert_true(strncmp(err.text, "Protocol error: ", 16) == 0);
        }
}

static void
test_read_bounded(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct err err = {0};
        struct resp_value v;

        (void)state;
        for (int i = 0; i < 32; i++)
                buf_adds(&b, "*1\r\n");
        assert_int_equal(resp_value_parse(b.data, b.len, 1000, a, &v, &err), 0);
        buf_adds(&b, ":1\r\n");
        assert_int_equal(resp_value_parse(b.data, b.len, 1000, a, &v, &err), b.len);
        b.len -= 4;
        buf_adds(&b, "*1\r\n:1\r\n");
        assert_int_equal(resp_value_parse(b.data, b.len, 1000, a, &v, &err), -1);
        buf_clear(&b);
        buf_addf(&b, "+%01200d", 0);
        assert_int_equal(resp_value_parse(b.data, b.len, 1000, a, &v, &err), -1);
        assert_int_equal(err.kind, ERR_LIMIT);
        /* what was promised and has not come costs no memory */
        a = (arena_free(&a), arena_new());
        assert_int_equal(resp_value_parse("*300000\r\n", 9, 1000000, a, &v, &err), 0);
        assert_int_equal(arena_size(a), 0);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_multibulk),
            cmocka_unit_test(test_multibulk_with_nul),
            cmocka_unit_test(test_inline),
            cmocka_unit_test(test_broken),
            cmocka_unit_test(test_limits),
            cmocka_unit_test(test_beginnings),
            cmocka_unit_test(test_need_saves_scans),
            cmocka_unit_test(test_written),
            cmocka_unit_test(test_written_by_version),
            cmocka_unit_test(test_doubles),
            cmocka_unit_test(test_read),
            cmocka_unit_test(test_read_attribute),
            cmocka_unit_test(test_read_broken),
            cmocka_unit_test(test_read_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
