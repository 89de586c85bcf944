/* A mail as the pipe of a mail server gives it: line ends, dots, the sender. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/tool/mail.h"
#include "daemon/tool/tool.h"

static void
stuffed_is(const char *mail, const char *wanted)
{
        struct buf b AUTO_BUF = BUF_INIT;

        mail_stuff(mail, strlen(mail), &b);
        assert_string_equal(buf_str(&b), wanted);
}

static void
test_line_ends(void **state)
{
        (void)state;
        stuffed_is("", ".\r\n");
        stuffed_is("a: b\n\nc\n", "a: b\r\n\r\nc\r\n.\r\n");
        stuffed_is("a: b\r\n\r\nc\r\n", "a: b\r\n\r\nc\r\n.\r\n");
        stuffed_is("a: b\r\n\nmixed\nno end", "a: b\r\n\r\nmixed\r\nno end\r\n.\r\n");
        stuffed_is("a\rb\n", "a\rb\r\n.\r\n"); /* a bare CR is no line end */
}

static void
test_dots(void **state)
{
        (void)state;
        stuffed_is(".\n", "..\r\n.\r\n");
        stuffed_is("a\n.\r\nQUIT\n", "a\r\n..\r\nQUIT\r\n.\r\n");
        stuffed_is("..a\n.b", "...a\r\n..b\r\n.\r\n");
        stuffed_is("a.\n b.\n", "a.\r\n b.\r\n.\r\n");
}

static void
test_from_line(void **state)
{
        (void)state;
        stuffed_is("From a@b Mon Nov 23 2026\nTo: c\n\nFrom here\n",
            "To: c\r\n\r\nFrom here\r\n.\r\n");
        stuffed_is("From: a@b\n", "From: a@b\r\n.\r\n");
        stuffed_is("From nothing else", ".\r\n");
}

static void
test_nul(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        mail_stuff("a\0b\n.c", 6, &b);
        assert_int_equal(b.len, 13);
        assert_memory_equal(b.data, "a\0b\r\n..c\r\n.\r\n", 13);
}

static void
sender_is(const char *given, const char *mail, const char *wanted)
{
        struct arena *a AUTO_ARENA = arena_new();

        assert_string_equal(mail_sender(given, mail, a), wanted);
}

static void
test_sender(void **state)
{
        static const char all[] =
            "From env@a.example Mon Nov 23 2026\n"
            "Return-Path: <path@a.example>\nFrom: x <from@a.example>\n\n";

        (void)state;
        sender_is("given@a.example", all, "given@a.example");
        sender_is("", all, ""); /* a bounce: said by the mail server */
        sender_is(NULL, all, "env@a.example");
        sender_is(NULL, strchr(all, '\n') + 1, "path@a.example");
        sender_is(NULL, "Return-Path: <>\nFrom: <from@a.example>\n\n", "");
        sender_is(
            NULL, "Subject: x\r\nFROM:\tx <from@a.example>\r\n\r\n", "from@a.example");
        sender_is(NULL, "From: from@a.example (Name)\n\n", "from@a.example");
        sender_is(NULL, "From: from@a.example, second@a.example\n\n", "from@a.example");
        sender_is(NULL, "Subject: x\n\nFrom: body@a.example\n", "");
        sender_is(NULL, "From MAILER-DAEMON Mon\n\n", "");
        sender_is(NULL, "", "");
}

/* What cannot stand in a MAIL command is nobody. */
static void
test_sender_is_safe(void **state)
{
        (void)state;
        sender_is("a@b.example>\r\nRCPT TO:<c@d", "", "");
        sender_is("two words@b.example", "", "");
        sender_is(NULL, "From: <a b@c.example>\n\n", "");
}

static void
test_header(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        assert_string_equal(mail_header("A: b\nC:  d \n e\n\n", "c", a), "d ");
        assert_string_equal(mail_header("A:\n\n", "A", a), "");
        assert_null(mail_header("A: b\n\nC: d\n", "C", a));
        assert_null(mail_header("AB: b\n", "A", a));
        assert_null(mail_header("A", "A", a));
}

static void
test_codes(void **state)
{
        (void)state;
        assert_int_equal(tool_code_of("NOAUTH x"), TOOL_NO_LOGIN);
        assert_int_equal(tool_code_of("WRONGPASS"), TOOL_NO_LOGIN);
        assert_int_equal(tool_code_of("TRYAGAIN the store is away"), TOOL_AWAY);
        assert_int_equal(tool_code_of("UNSURE"), TOOL_AWAY);
        assert_int_equal(tool_code_of("DRAINING x"), TOOL_AWAY);
        assert_int_equal(tool_code_of("TRYAGAINST x"), TOOL_REFUSED);
        assert_int_equal(tool_code_of("STATE x"), TOOL_REFUSED);
        assert_int_equal(tool_code_of(""), TOOL_REFUSED);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_line_ends),
            cmocka_unit_test(test_dots),
            cmocka_unit_test(test_from_line),
            cmocka_unit_test(test_nul),
            cmocka_unit_test(test_sender),
            cmocka_unit_test(test_sender_is_safe),
            cmocka_unit_test(test_header),
            cmocka_unit_test(test_codes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
