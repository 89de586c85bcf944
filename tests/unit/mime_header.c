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

/* What senders make of encoded words. */
static void
test_odd_words(void **state)
{
        (void)state;
        /* base64 without padding, with folds, which is none, glued to a tag */
        says("=?utf-8?B?0J/RgNC40LI?= x", "Прив x");
        says("=?utf-8?B?0J/RgNC4\r\n 0LLQtdGC?=", "Привет");
        says("=?utf-8?B?=D0=9F=D1=80?=", "Пр");
        says("[x]=?koi8-r?B?8NLJ18XU?=[y]", "[x] Привет[y]");
        /* a fold inside that the folder made, and blanks that are the writer's */
        says("=?utf-8?Q?Hello\r\n _there!?=", "Hello there!");
        says("=?utf-8?Q?Hello dear\r\n all?=", "Hello dear all");
        /* a question mark nobody escaped; one that never ends before the next */
        says("=?utf-8?Q?what?=20now?=", "what? now");
        says("=?utf-8?B?0J/RgNC4 =?utf-8?B?0LLQtdGC?=", "Привет");
        /* encoded twice over; the wrong letters in the label's place */
        says("=?utf-8?Q?=3D=3Futf-8=3FB=3F0J/RgNC40LLQtdGC=3F=3D?=", "Привет");
        says("=?NONE?B?VEVTVA=?=", "TEST");
        says("=?koi8-r?B?8", "");
        says("=? utf-8 ?Q?=D0=9F?=", "П");
        says("=?windows-1251 =?B?AAAA?=", "=?windows-1251 =?B?AAAA?=");
        /* two words of different charsets, of one in both encodings */
        says("=?koi8-r?B?8NLJ?= =?windows-1251?Q?=E2=E5=F2?=", "Привет");
        says("=?utf-8?B?0J8=?= =?UTF-8?Q?=D1=80?=", "Пр");
        says("=?utf-16?B?BD8EQA==?=", "пр");
        says("=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "こん");
        /* ISO-2022-JP that is Shift-JIS, Latin-1 that is Cyrillic or UTF-8 */
        says("=?iso-2022-jp?B?grGC8YLJgr+CzQ==?=", "こんにちは");
        says("=?iso-8859-1?Q?=CF=F0=E8=E2=E5=F2_=E2=F1=E5=EC?=", "Привет всем");
        says("=?iso-8859-1?Q?=D0=9F=D1=80=D0=B8?=", "При");
        /* what is no text in any charset stays as it is */
        says("=?UTF-8?B?nnDusSNdG92w6Fuw61fMjAxOF8wMy0xMzMyNTMzMTkzLnBkZg==?=",
            "=?UTF-8?B?nnDusSNdG92w6Fuw61fMjAxOF8wMy0xMzMyNTMzMTkzLnBkZg==?=");
        /* folds become one blank, tabs too; NULs go */
        says("Fwd: \r\n\tsaying \r\n   hello", "Fwd: saying hello");
}

static void
parameter(const char *raw, const char *want)
{
        struct arena *a = arena_new();

        assert_string_equal(
            mime_header_parameter(a, raw, strlen(raw), "filename", ""), want);
        arena_free(&a);
}

static void
test_parameters(void **state)
{
        (void)state;
        parameter("attachment", "");
        parameter("attachment; size=1", "");
        parameter("attachment; filename=a.txt", "a.txt");
        parameter("attachment; filename=my file.txt; size=1", "my file.txt");
        parameter("attachment;\r\n\tFileName = \"a b.txt\"", "a b.txt");
        parameter("attachment; filename=\"a \\\"b\\\".txt\"", "a \"b\".txt");
        parameter("attachment; filename=\"a\"b\".txt\"; x=y", "a\"b\".txt");
        parameter("attachment; filename=\"C:\\dir\\a.txt\"", "C:\\dir\\a.txt");
        parameter("attachment; filename=\"open.txt", "open.txt");
        /* RFC 2231: escapes, pieces in any order, cut in a character */
        parameter(
            "attachment; filename*=utf-8''%D0%A1%D1%87%D1%91%D1%82.pdf", "Счёт.pdf");
        parameter("attachment; filename*=koi8-r'ru'%F3%DE%A3%D4.pdf", "Счёт.pdf");
        parameter("a; filename*1*=%91%D1%82.pdf; filename*0*=utf-8''%D0%A1%D1%87%D1",
            "Счёт.pdf");
        parameter("a; filename*0=\"long \"; filename*1=\"name\"; filename*2=.txt",
            "long name.txt");
        parameter("a; filename=\"x.pdf\"; filename*=UTF-8''%D1%8F.pdf", "я.pdf");
        /* encoded words where they may not be, whole and in pieces */
        parameter("a; filename=\"=?koi8-r?B?8NLJ18XU?=.txt\"", "Привет.txt");
        parameter("a; filename==?koi8-r?B?8NLJ18XU?=.txt", "Привет.txt");
        parameter(
            "a; filename=\"=?utf-8?B?0J/RgNC4?=\r\n =?utf-8?B?0LLQtdGC?=\"", "Привет");
        parameter(
            "a; filename*0=\"=?utf-8?B?0J/R\"; filename*1=\"gNC40LLQtdGC?=\"", "Привет");
        parameter("a; filename*=utf-8''%3D%3Fkoi8-r%3FB%3F8NLJ18XU%3F%3D", "Привет");
        /* escapes without the star; raw bytes; a prefix without it */
        parameter("a; filename=\"%D1%8F.pdf\"", "я.pdf");
        parameter("a; filename=\"100%25.pdf\"", "100%25.pdf");
        parameter("a; filename=\"\xcf\xf0\xe8\xe2\xe5\xf2 \xe2\xf1\xe5\xec.doc\"",
            "Привет всем.doc");
        parameter("a; filename=utf-8''%D1%8F.pdf", "я.pdf");
        parameter("a; filename*=''%D1%8F.pdf", "я.pdf");
        parameter("a; filename*x=1; filename**=2", "");
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

/* What was never an address list, and what hides one. */
static void
test_odd_addresses(void **state)
{
        (void)state;
        mailboxes("<<a@b.example>>", "|a@b.example");
        mailboxes("Anna <a@b.example>>", "Anna|a@b.example");
        mailboxes("<Anna <a@b.example>>", "Anna|a@b.example");
        mailboxes("a@b.example <Anna>", "Anna|a@b.example");
        mailboxes("Anna [a@b.example]", "Anna|a@b.example");
        mailboxes("Anna [mailto:a@b.example]", "Anna|a@b.example");
        mailboxes("(a@b.example)", "|a@b.example");
        mailboxes("Anna (a@b.example)", "Anna|a@b.example");
        mailboxes("\"a@b.example\"", "|a@b.example");
        mailboxes("anna at b.example (Anna)", "Anna|anna@b.example");
        mailboxes("anna(at)b.example", "|anna@b.example");
        mailboxes("Anna <anna smith@b.example>", "Anna|smith@b.example");
        mailboxes("Anna <anna @ b . example>", "Anna|anna@b.example");
        mailboxes("meet at noon", "meet at noon|");
        mailboxes("'a@b.example'", "|a@b.example");
        mailboxes("<a@b.example.>", "|a@b.example");
        mailboxes("<smtp:a@b.example>", "|a@b.example");
        mailboxes("\"anna\"@b.example", "|anna@b.example");
        mailboxes("\"anna smith\"@b.example", "|\"anna smith\"@b.example");
        mailboxes("\"a\\\"b\"@c.example", "|\"a\\\"b\"@c.example");
        mailboxes("\\\"Anna\\\" <a@b.example>", "Anna|a@b.example");
        mailboxes("a@b  . example", "|a@b.example");
        mailboxes("a@b.example;c@d.example", "|a@b.example;|c@d.example");
        mailboxes("a@xn--e1afmkfd.xn--p1ai", "|a@xn--e1afmkfd.xn--p1ai");
        mailboxes("Anna(her <desk>, and) <a@b.example>", "Anna|a@b.example");
        /* an encoded word is one word, whatever it hides */
        mailboxes("=?utf-8?Q?Ivanov,_Anna_(x)_<y@z>:?= <a@b.example>, c@d.example",
            "Ivanov, Anna (x) <y@z>:|a@b.example;|c@d.example");
        mailboxes("=?utf-8?Q?boss=40bank.example?= <thief@b.example>",
            "boss@bank.example|thief@b.example");
        mailboxes("<=?utf-8?Q?a=40b.example?=>", "|a@b.example");
        mailboxes("=?utf-8?B?0JDQ <a@b.example>", "А|a@b.example");
        mailboxes("\xc8\xe2\xe0\xed\xee\xe2 \xc8\xe2\xe0\xed <i@b.example>",
            "Иванов Иван|i@b.example");
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
        ids("a@b, c@d e@f", "a@b c@d e@f");
        ids("<a@b", "a@b");
        ids("<<a@b>>", "a@b");
        ids("<a @ b>", "a@b");
        ids("<a @ b (c) .example>", "a@b.example");
        ids("anna@b wrote on Monday", "");
        ids("lonely-word", "lonely-word");
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
        date("24 Nov 2026 07:00:00 +033333300:20", 1795503600); /* no zone */
}

static void
test_old_dates(void **state)
{
        (void)state;
        /* RFC 822, RFC 850, asctime, ISO 8601, packed */
        date("24 Nov 26 0700 GMT", 1795503600);
        date("24 Nov 26 07:00 UT", 1795503600);
        date("Tuesday, 24-Nov-26 07:00:00 GMT", 1795503600);
        date("Tue Nov 24 07:00:00 2026", 1795503600);
        date("Tue Nov 24 10:00:00 MSK 2026", 1795503600);
        date("2026-11-24T10:00:00+03:00", 1795503600);
        date("2026-11-24T07:00:00.123Z", 1795503600);
        date("2026-11-24 10:00:00 +0300", 1795503600);
        date("20261124T070000Z", 1795503600);
        date("20261124070000", 1795503600);
        date("24.11.2026 07:00:00", 1795503600);
        date("11/24/2026 07:00:00 AM", 1795503600);
        date("24/11/2026 07:00", 1795503600);
        date("November 24, 2026 10:00:00 AM GMT+0300", 1795503600);
        date("24 Nov 126 07:00:00 GMT", 1795503600);
        date("24 Nov 2026 07.00.00 GMT", 1795503600);
        date("Tue, 24 Nov 2026 07(x):   00  :  00 -0000", 1795503600);
        /* comments anywhere, zones of all kinds */
        date("Tue (Tuesday), 24 (x (y)) Nov 2026 10:00:00 +0300 (MSK)", 1795503600);
        date("Tue, 24 Nov 2026 02:00:00 EST", 1795503600);
        date("Tue, 24 Nov 2026 10:00:00 UTC+3", 1795503600);
        date("Tue, 24 Nov 2026 10:00:00 +3:00", 1795503600);
        date("Tue,24 Nov 2026 10:00:00+0300", 1795503600);
        date("Fri, 24 Nov 2026 07:00:00 GMT", 1795503600); /* it was a Tuesday */
        /* in other languages */
        date("Вт, 24 ноя 2026 10:00:00 +0300", 1795503600);
        date("24 ноября 2026 г. 10:00:00 +0300", 1795503600);
        date("=?koi8-r?B?MjQgzs/RwtLR?= 2026 10:00:00 +0300", 1795503600);
        date("Di, 24 Dez 2026 07:00:00 GMT", 1798095600);
        date("mar., 24 nov. 2026 07:00:00 GMT", 1795503600);
        date("24 août 2026 07:00:00 GMT", 1787554800);
        date("2026年11月24日 07:00:00 GMT", 1795503600);
        /* that cannot be */
        date("30 Feb 2026 10:00:00 +0000", 0);
        date("29 Feb 2027 10:00:00 +0000", 0);
        date("0 Nov 2026 10:00:00 +0000", 0);
        date("24 Nov 2026 24:30:00 +0000", 0);
        date("<HR>", 0);
        date("Tue, 24 Nov", 0);
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

/* "about: found" of a message's findings, in order. */
static void
found(const char *block, const char *body, const char *subject, const char *sender,
    const char *findings)
{
        struct message *m = message_new();
        struct buf raw = BUF_INIT;
        struct buf b = BUF_INIT;
        struct prescan p;

        buf_addf(&raw, "%s\r\n%s", block, body);
        assert_int_equal(mime_prescan(raw.data, raw.len, &p, NULL), 0);
        mime_header_read_mail(m, raw.data, raw.len, &p, 65536);
        assert_string_equal(m->subject, subject);
        assert_string_equal(m->from.address, sender);
        for (size_t i = 0; i < m->n_findings; i++)
                buf_addf(&b, "%s%s: %s", i > 0 ? "; " : "", m->findings[i].about,
                    m->findings[i].found);
        assert_string_equal(buf_str(&b), findings);
        buf_fini(&b);
        buf_fini(&raw);
        message_free(&m);
}

static void
test_findings(void **state)
{
        (void)state;
        found("From: a@b.example\r\nSubject: x\r\n", "", "x", "a@b.example", "");
        found("From: a@b.example\r\nFrom: c@d.example\r\nSubject: x\r\n", "", "x",
            "a@b.example", "sender: a@b.example");
        found("From: a@b.example, c@d.example\r\n", "", "", "a@b.example",
            "sender: a@b.example");
        found("Subject: x\r\nSender: s@b.example\r\n", "", "x", "s@b.example",
            "sender: s@b.example");
        found("Return-Path: <r@b.example>\r\nFrom: root\r\n", "", "", "r@b.example",
            "sender: r@b.example");
        found("Subject: x\r\nTo: a@b.example\r\n", "", "x", "", "sender: unknown");
        found("From: a@b.example\r\nDate: 42 Nov\r\n", "", "", "a@b.example",
            "date: unknown");
        found("From: a@b.example\r\nSubject: \r\nSubject: x\r\nSubject: y\r\n", "", "x",
            "a@b.example", "subject: the first");
        found("From: a@b.example\r\nSubject: "
              "=?utf-8?Q?=CF=F0=E8=E2=E5=F2_=E2=F1=E5=EC?=\r\n",
            "", "Привет всем", "a@b.example", "charset: CP1251");
        found("this is junk\r\nmore of it\r\nFrom: a@b.example\r\n", "", "",
            "a@b.example", "");
        found(
            "From: a@b.example\r\nno header at all\r\nSubject: x\r\nTo: c@d.example\r\n",
            "", "x", "a@b.example", "");
}

/* "ма" in KOI8-R is "НБ" in windows-1251: only the body can tell. */
static void
test_raw_header_by_body(void **state)
{
        (void)state;
        found("From: a@b.example\r\nSubject: \xcd\xc1\r\n"
              "Content-Type: text/plain; charset=koi8-r\r\n",
            "", "ма", "a@b.example", "charset: KOI8-R");
        found("From: a@b.example\r\nSubject: \xcd\xc1\r\n"
              "Content-Type: multipart/mixed; boundary=x\r\n",
            "--x\r\nContent-Type: text/plain; charset=\"koi8-r\"\r\n\r\nx\r\n", "ма",
            "a@b.example", "charset: KOI8-R");
        found("From: a@b.example\r\nSubject: \xcd\xc1\r\n",
            "\xfa\xc4\xd2\xc1\xd7\xd3\xd4\xd7\xd5\xca\xd4\xc5", "ма", "a@b.example",
            "charset: KOI8-R");
        found("From: \xf0\xcf\xcc\xd8\xda\xcf\xd7\xc1\xd4\xc5\xcc\xd8 <a@b.example>\r\n"
              "Subject: \xcd\xc1\r\n",
            "", "ма", "a@b.example", "charset: KOI8-R; charset: KOI8-R");
}

/* Of too many references the first and the last are kept, nothing takes long. */
static void
test_long_fields(void **state)
{
        struct message *m = message_new();
        struct buf b = BUF_INIT;

        (void)state;
        buf_adds(&b, "References:");
        for (int i = 0; i < 10000; i++)
                buf_addf(&b, "\r\n <%d@b>", i);
        buf_adds(&b, "\r\nSubject: ");
        for (int i = 0; i < 5000; i++)
                buf_adds(&b, "=?u?q?=20 ");
        buf_adds(&b, "\r\nTo: ");
        for (int i = 0; i < 5000; i++)
                buf_adds(&b, "\"<(=?u?b?@,");
        buf_adds(&b, "\r\n");
        mime_header_read(m, b.data, b.len, 1 << 20);
        assert_int_equal(m->n_references, 300);
        assert_string_equal(m->references[0], "0@b");
        assert_string_equal(m->references[299], "9999@b");
        assert_true(strlen(m->subject) <= 8000);
        message_free(&m);
        buf_fini(&b);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_words),
            cmocka_unit_test(test_odd_words),
            cmocka_unit_test(test_parameters),
            cmocka_unit_test(test_addresses),
            cmocka_unit_test(test_odd_addresses),
            cmocka_unit_test(test_broken_addresses),
            cmocka_unit_test(test_ids),
            cmocka_unit_test(test_dates),
            cmocka_unit_test(test_old_dates),
            cmocka_unit_test(test_findings),
            cmocka_unit_test(test_raw_header_by_body),
            cmocka_unit_test(test_long_fields),
            cmocka_unit_test(test_whole_mailbox_encoded),
            cmocka_unit_test(test_block),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
