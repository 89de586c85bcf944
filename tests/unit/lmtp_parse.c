/* The words of LMTP: lines, commands, and the end of DATA in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channels/email_lmtp.h"
#include "daemon/base/buf.h"

static long
line_of(const char *s)
{
        return lmtp_line_find(s, strlen(s));
}

static void
test_lines_end_in_crlf_only(void **state)
{
        char nul[] = {'N', 'O', 0, 'O', 'P', '\r', '\n'};

        (void)state;
        assert_int_equal(line_of(""), 0);
        assert_int_equal(line_of("NOO"), 0);
        assert_int_equal(line_of("NOOP\r"), 0);
        assert_int_equal(line_of("NOOP\r\n"), 6);
        assert_int_equal(line_of("\r\nNOOP\r\n"), 2);
        assert_int_equal(line_of("NOOP\r\nx\ny"), 6);
        assert_int_equal(line_of("NOOP\n"), -1);
        assert_int_equal(line_of("\n"), -1);
        assert_int_equal(line_of("NO\rOP"), -1);
        assert_int_equal(line_of("NO\rOP\r\n"), -1);
        assert_int_equal(line_of("NOOP\r\r\n"), -1);
        assert_int_equal(lmtp_line_find(nul, sizeof nul), -1);
}

static void
test_lines_have_a_limit(void **state)
{
        char *s = malloc(LMTP_LINE_MAX + 10);

        (void)state;
        memset(s, 'a', LMTP_LINE_MAX + 10);
        assert_int_equal(lmtp_line_find(s, LMTP_LINE_MAX - 1), 0);
        assert_int_equal(lmtp_line_find(s, LMTP_LINE_MAX), -2);
        memcpy(s + LMTP_LINE_MAX - 2, "\r\n", 2);
        assert_int_equal(lmtp_line_find(s, LMTP_LINE_MAX), LMTP_LINE_MAX);
        free(s);
}

static const struct {
        const char *line;
        enum lmtp_verb verb;
        const char *address;
} good[] = {
    {"LHLO client.example", LMTP_LHLO, ""},
    {"lhlo x", LMTP_LHLO, ""},
    {"MAIL FROM:<>", LMTP_MAIL, ""},
    {"MAIL FROM:<anna@example.org>", LMTP_MAIL, "anna@example.org"},
    {"mail from: <anna@example.org> ", LMTP_MAIL, "anna@example.org"},
    {"RCPT TO:<@a.example,@b.example:c@d.example>", LMTP_RCPT, "c@d.example"},
    {"RCPT TO:<\"a > b\"@example.org>", LMTP_RCPT, "\"a > b\"@example.org"},
    {"RCPT TO:<\"a\\\"b\"@example.org>", LMTP_RCPT, "\"a\\\"b\"@example.org"},
    {"RCPT TO:<почта@пример.рф>", LMTP_RCPT, "почта@пример.рф"},
    {"RCPT TO:<postmaster>", LMTP_RCPT, "postmaster"},
    {"DATA", LMTP_DATA, ""},
    {"DATA ", LMTP_DATA, ""},
    {"RSET", LMTP_RSET, ""},
    {"NOOP hello there", LMTP_NOOP, ""},
    {"QUIT", LMTP_QUIT, ""},
    {"VRFY anna", LMTP_VRFY, ""},
    {"HELP", LMTP_HELP, ""},
};

static void
test_good_commands(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
                struct lmtp_command c;
                struct err err = {0};

                if (lmtp_command_parse(good[i].line, strlen(good[i].line), &c, &err) ==
                    -1)
                        fail_msg("%s: %s", good[i].line, err.text);
                assert_int_equal(c.verb, good[i].verb);
                assert_string_equal(c.address, good[i].address);
        }
}

static const struct {
        const char *line, *reply; /* how the reply begins */
} bad[] = {
    {"", "500 5.5.2 unknown command ''"},
    {"EXPN x", "500 5.5.2 unknown command 'EXPN'"},
    {"GET / HTTP/1.1", "500 5.5.2 unknown command 'GET'"},
    {"MAILFROM:<a@b>", "500 5.5.2"},
    {"HELO x", "500 5.5.1 this is LMTP"},
    {"EHLO x", "500 5.5.1 this is LMTP"},
    {"LHLO", "501 5.5.4"},
    {"LHLO  ", "501 5.5.4"},
    {"MAIL", "501 5.5.4"},
    {"MAIL TO:<a@b>", "501 5.5.4"},
    {"MAIL FROM:a@b", "501 5.5.4"},
    {"MAIL FROM:<a@b", "501 5.5.4"},
    {"MAIL FROM:<a<b@c>", "501 5.5.4"},
    {"MAIL FROM:<a@b>SIZE=1", "501 5.5.4"},
    {"MAIL FROM:<a@b> SIZE=", "501 5.5.4"},
    {"MAIL FROM:<a@b> SIZE=1k", "501 5.5.4"},
    {"MAIL FROM:<a@b> SIZE=-1", "501 5.5.4"},
    {"MAIL FROM:<a@b> BODY=BINARYMIME", "501 5.5.4"},
    {"MAIL FROM:<a@b> SMTPUTF8", "555 5.5.4"},
    {"MAIL FROM:<a@b> SIZEX=1", "555 5.5.4"},
    {"RCPT TO:<a@b> SIZE=1", "555 5.5.4"},
    {"RCPT TO:<a@b> NOTIFY=NEVER", "555 5.5.4"},
    {"RCPT TO:<>", "501 5.1.3"},
    {"RCPT TO:<@a.example>", "501 5.1.3"},
    {"RCPT TO:<\xff@b>", "501 5.1.3"},
    {"RCPT TO:<a\x01@b>", "500 5.5.2"},
    {"DATA now", "501 5.5.4"},
    {"RSET x", "501 5.5.4"},
    {"QUIT x", "501 5.5.4"},
};

static void
test_bad_commands(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct lmtp_command c;
                struct err err = {0};

                if (lmtp_command_parse(bad[i].line, strlen(bad[i].line), &c, &err) == 0)
                        fail_msg("%s: taken", bad[i].line);
                if (strncmp(err.text, bad[i].reply, strlen(bad[i].reply)) != 0)
                        fail_msg("%s: %s", bad[i].line, err.text);
        }
}

static void
test_parameters(void **state)
{
        const char *line = "MAIL FROM:<a@b> SIZE=26214400  body=8bitmime";
        const char *huge = "MAIL FROM:<a@b> SIZE=99999999999999999999";
        char long_line[600] = "RCPT TO:<";
        struct lmtp_command c;
        struct err err;

        (void)state;
        assert_int_equal(lmtp_command_parse(line, strlen(line), &c, &err), 0);
        assert_true(c.has_size);
        assert_int_equal(c.size, 26214400);
        assert_true(c.is_8bit);
        assert_int_equal(lmtp_command_parse(huge, strlen(huge), &c, &err), 0);
        assert_true(c.size > (uint64_t)1 << 50);
        memset(long_line + 9, 'a', 400);
        strcat(long_line, "@b>");
        assert_int_equal(lmtp_command_parse(long_line, strlen(long_line), &c, &err), -1);
        assert_memory_equal(err.text, "501 5.1.3", 9);
}

/* ---- DATA ---- */

static void
take(void *arg, const char *p, size_t n)
{
        buf_add(arg, p, n);
}

/* Feeds in pieces of that size; returns bytes eaten up to the end, or -1. */
static long
feed(const char *p, size_t n, size_t piece, struct buf *out)
{
        struct lmtp_data d = {0};
        size_t at = 0;
        bool ended = false;

        while (at < n && !ended) {
                size_t k = n - at < piece ? n - at : piece;
                size_t used = lmtp_data_feed(&d, p + at, k, take, out, &ended);

                assert_true(used == k || ended);
                at += used;
        }
        return ended ? (long)at : -1;
}

static const struct {
        const char *in, *out; /* out NULL: never ends */
        size_t left; /* bytes behind the end */
} data[] = {
    {".\r\n", "", 0},
    {".\r\nQUIT\r\n", "", 6},
    {"a\r\n.\r\n", "a\r\n", 0},
    {"a\r\n..\r\n.\r\n", "a\r\n.\r\n", 0},
    {"..a\r\n.b\r\n.\r\n", ".a\r\nb\r\n", 0},
    {"a\n.\r\nMAIL FROM:<evil@x>\r\n.\r\n", "a\n.\r\nMAIL FROM:<evil@x>\r\n", 0},
    {"a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", 0},
    {"a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", 0},
    {"a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", 0},
    {"a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", 0},
    {"a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", 0},
    {"a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", 0},
    {"a\r\r\n.\r\n", "a\r\r\n", 0},
    {"a\r\n\r.\r\n.\r\n", "a\r\n\r.\r\n", 0},
    {"a\r\n.", NULL, 0},
    {"a\r\n.\r", NULL, 0},
    {"a\r\n.\n", NULL, 0},
    {"a\n.\n", NULL, 0},
    {"a.\r\n", NULL, 0},
};

static void
test_only_crlf_dot_crlf_ends(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
                for (size_t piece = 1; piece < 8; piece++) {
                        struct buf out AUTO_BUF = BUF_INIT;
                        size_t n = strlen(data[i].in);
                        long end = feed(data[i].in, n, piece, &out);

                        if (data[i].out == NULL) {
                                assert_int_equal(end, -1);
                                continue;
                        }
                        if (end != (long)(n - data[i].left) ||
                            strcmp(buf_str(&out), data[i].out) != 0)
                                fail_msg("%zu by %zu: end %ld, \"%s\"", i, piece, end,
                                    buf_str(&out));
                }
        }
}

/* What a sender stuffs comes back byte for byte, whatever the pieces. */
static void
test_unstuffing_undoes_stuffing(void **state)
{
        static const char letters[] = "a.\r\n";

        (void)state;
        srandom(7);
        for (int round = 0; round < 20000; round++) {
                struct buf plain AUTO_BUF = BUF_INIT, wire AUTO_BUF = BUF_INIT;
                struct buf out AUTO_BUF = BUF_INIT;
                size_t n = (size_t)random() % 12;

                for (size_t i = 0; i < n; i++)
                        buf_addc(&plain, letters[random() % 4]);
                buf_adds(&plain, "\r\n");
                for (size_t i = 0; i < plain.len; i++) {
                        bool begin = i == 0 || (i >= 2 && plain.data[i - 1] == '\n' &&
                                                   plain.data[i - 2] == '\r');

                        if (begin && plain.data[i] == '.')
                                buf_addc(&wire, '.');
                        buf_addc(&wire, plain.data[i]);
                }
                buf_adds(&wire, ".\r\n");
                assert_int_equal(
                    feed(wire.data, wire.len, 1 + (size_t)random() % 5, &out), wire.len);
                assert_int_equal(out.len, plain.len);
                assert_memory_equal(out.data, plain.data, plain.len);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_lines_end_in_crlf_only),
            cmocka_unit_test(test_lines_have_a_limit),
            cmocka_unit_test(test_good_commands),
            cmocka_unit_test(test_bad_commands),
            cmocka_unit_test(test_parameters),
            cmocka_unit_test(test_only_crlf_dot_crlf_ends),
            cmocka_unit_test(test_unstuffing_undoes_stuffing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
