/* Header fields as people and their programs write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "channels/helper_mime_header.h"

static void
says(const char *raw, const char *want)
{
        struct arena *a = arena_new();

        assert_string_equal(mime_header_text(a, raw, strlen(raw)), want);
        arena_free(&a);
}

static void
test_words(void **state)
{
        (void)state;
        says("  plain ", "plain");
        says("folded\r\n here", "folded here");
        says("=?koi8-r?B?8NLJ18XU?=", "Привет");
        says("=?windows-1251?Q?=CF=F0=E8=E2=E5=F2_!?=", "Привет !");
        says("=?utf-8?q?a_b?= c", "a b c");
        /* blanks between words fall away, others stay */
        says("=?utf-8?q?a?= \r\n =?utf-8?q?b?= c =?utf-8?q?d?=", "ab c d");
        /* a character cut between two words */
        says("=?utf-8?B?0J/R?= =?utf-8?B?gNC40LLQtdGC?=", "Привет");
        says("=?utf-8?B?0J8=?==?utf-8?B?0YA=?=", "Пр");
        /* glued, quoted, with blanks inside, unterminated, with a language */
        says("x=?utf-8?q?y?=z", "xyz");
        says("\"=?utf-8?q?y?=\"", "\"y\"");
        says("=?utf-8?Q?a b c?=", "a b c");
        says("=?utf-8?B?0J/RgNC40LLQtdGC", "Привет");
        says("=?utf-8*ru?q?a?=", "a");
        /* a wrong label, no label at all */
        says("=?utf-8?Q?=CF=F0=E8=E2=E5=F2_=E2=F1=E5=EC?=", "Привет всем");
        says("\xcf\xf0\xe8\xe2\xe5\xf2 \xe2\xf1\xe5\xec", "Привет всем");
        says("Привет", "Привет");
        says("=?utf-8?X?a?= =? =?? =?a?q", "=?utf-8?X?a?= =? =?? =?a?q");
        says("a\tb\001c", "a bc");
}

/* The list as "name|address;..." */
static void
mailboxes(const char *raw, const char *want)
{
        struct arena *a = arena_new();
        struct mail_address *list = NULL;
        struct buf b = BUF_INIT;
        size_t n = 0;

        mime_header_addresses(a, raw, strlen(raw), &list, &n, 100);
        for (size_t i = 0; i < n; i++)
                buf_addf(&b, "%s%s|%s", i > 0 ? ";" : "", list[i].name, list[i].address);
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
        arena_free(&a);
}

static void
test_addresses(void **state)
{
        (void)state;
        mailboxes("", "");
        mailboxes("a@b.example", "|a@b.example");
        mailboxes("<A@B.Example>", "|A@b.example");
        mailboxes("Anna Ivanova <a@b.example>, c@d.example",
            "Anna Ivanova|a@b.example;|c@d.example");
        mailboxes("\"Ivanova, Anna\" <a@b.example>", "Ivanova, Anna|a@b.example");
        mailboxes("Ivanova, Anna <a@b.example>", "Ivanova, Anna|a@b.example");
        mailboxes("a@b.example (Anna)", "Anna|a@b.example");
        mailboxes("=?utf-8?B?0JDQvdC90LA=?= <a@b.example>", "Анна|a@b.example");
        mailboxes("Friends: a@b.example, C <c@d.example>; e@f.example",
            "|a@b.example;C|c@d.example;|e@f.example");
        mailboxes("undisclosed-recipients:;", "");
        mailboxes("<@relay.example:a@b.example>", "|a@b.example");
        mailboxes("mailto:a@b.example", "|a@b.example");
        mailboxes("Anna a@b.example", "Anna|a@b.example");
        mailboxes("почта@пример.рф", "|почта@пример.рф");
        mailboxes("a@b.example c@d.example", "c@d.example|a@b.example");
        mailboxes("A <a@b.example> B <c@d.example>", "A|a@b.example;B|c@d.example");
        mailboxes(
            "Pete <pete(his account)@silly.test(his host)>", "Pete|pete@silly.test");
        mailboxes("Mail Delivery <MAILER-DAEMON>", "Mail Delivery|");
        mailboxes("a@b.example <a@b.example>", "a@b.example|a@b.example");
}

static void
test_broken_addresses(void **state)
{
        (void)state;
        mailboxes("Anna", "Anna|");
        mailboxes("<>", "");
        mailboxes("\"Anna <a@b.example>", "Anna|a@b.example");
        mailboxes("Anna (x <a@b.example>", "Anna (x|a@b.example");
        mailboxes("Anna <a@b.example", "Anna|a@b.example");
        mailboxes("Anna <a@b.example, c@d.example", "Anna|a@b.example;|c@d.example");
        mailboxes(",,;;", "");
        mailboxes("<a@b.example\r\nBcc: x@y.example>", "|a@b.exampleBcc:x@y.example");
        mailboxes("@b.example", "@b.example|");
        mailboxes("a@", "a@|");
}

static void
ids(const char *raw, const char *want)
{
        struct arena *a = arena_new();
        const char **list = NULL;
        struct buf b = BUF_INIT;
        size_t n = 0;

        mime_header_ids(a, raw, strlen(raw), &list, &n, 3);
        for (size_t i = 0; i < n; i++)
                buf_addf(&b, "%s%s", i > 0 ? " " : "", list[i]);
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
        arena_free(&a);
}

static void
test_ids(void **state)
{
        (void)state;
        ids("<a@b>", "a@b");
        ids(" <a@b>\r\n\t<c@d> ", "a@b c@d");
        ids("<a@\r\n b>", "a@b");
        ids("a@b", "a@b");
        ids("Your message of Monday <a@b>", "a@b");
        ids("Your message of Monday", "");
        ids("<>", "");
        ids("", "");
        ids("<a@b><c@d> <e@f> <g@h>", "a@b c@d e@f");
}

static void
date(const char *raw, int64_t want_s)
{
        assert_int_equal(mime_header_date(raw, strlen(raw)), want_s * 1000000);
}

static void
test_dates(void **state)
{
        (void)state;
        date("Tue, 24 Nov 2026 10:00:00 +0300", 1795503600);
        date("24 Nov 2026 07:00:00 GMT", 1795503600);
        date("Tue, 24 Nov 2026 07:00 -0000 (UTC)", 1795503600);
        date("24 Nov 26 10:00:00 MSK", 1795503600);
        date("Tue, 24-Nov-2026 07:00:00 Z", 1795503600);
        date("", 0);
        date("yesterday", 0);
        date("Tue, 42 Nov 2026 10:00:00 +0300", 0);
        date("Tue, 24 Foo 2026 10:00:00", 0);
        date("Tue, 24 Nov 1926 10:00:00 +0000", 0);
        date("Tue, 24 Nov 9999 10:00:00 +0000", 0);
        date("Tue, 24 Nov 2026 77:00:00 +0000", 0);
}

/* The whole of "Name <a@b>" in one encoded word: no name holds an address. */
static void
test_whole_mailbox_encoded(void **state)
{
        const char *block =
            "From: =?utf-8?b?0JjQstCw0L0gPGl2YW5AY3VzdG9tZXIuZXhhbXBsZT4=?=\r\n";
        struct message *m = message_new();

        (void)state;
        mime_header_read(m, block, strlen(block), 4096);
        assert_string_equal(m->from.name, "Иван");
        assert_string_equal(m->from.address, "ivan@customer.example");
        message_free(&m);
}

static void
test_block(void **state)
{
        const char *block =
            "Received: one\r\nFrom:\r\nFROM: =?utf-8?q?A?= <a@b.example>\r\n"
            "From: z@z.example\r\nTo: x@y.example\r\nTo: u@v.example\r\n"
            "Subject: first\r\nSubject: second\r\nReply-To: r@b.example\r\n"
            "Date: Tue, 24 Nov 2026 10:00:00 +0300\r\nMessage-Id: <1@b>\r\n"
            "In-Reply-To: <2@c>\r\nReferences: <3@c>\r\n <2@c>\r\n";
        struct message *m = message_new();

        (void)state;
        mime_header_read(m, block, strlen(block), 4096);
        assert_string_equal(m->from.name, "A");
        assert_string_equal(m->from.address, "a@b.example");
        assert_int_equal(m->n_to, 2);
        assert_string_equal(m->subject, "first");
        assert_string_equal(m->reply_to.address, "r@b.example");
        assert_string_equal(m->message_id, "1@b");
        assert_int_equal(m->n_in_reply_to, 1);
        assert_int_equal(m->n_references, 2);
        assert_int_equal(m->n_headers, 13);
        assert_string_equal(message_header(m, "received"), "one");
        message_free(&m);
        m = message_new();
        mime_header_read(m, block, strlen(block), 40);
        assert_true(m->n_headers < 13);
        assert_string_equal(m->message_id, "1@b");
        message_free(&m);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_words),
            cmocka_unit_test(test_addresses),
            cmocka_unit_test(test_broken_addresses),
            cmocka_unit_test(test_ids),
            cmocka_unit_test(test_dates),
            cmocka_unit_test(test_whole_mailbox_encoded),
            cmocka_unit_test(test_block),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
