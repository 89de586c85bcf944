/* Whole mails -> messages: which text is taken, what is an attachment, and what
 * remains of mails that are broken or hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_prescan.h"
#include "daemon/base/utf8.h"

#define TOP                                                                              \
        "From: Anna <anna@a.example>\r\nTo: support@b.example\r\nSubject: help\r\n"      \
        "Date: Tue, 24 Nov 2026 10:00:00 +0300\r\nMessage-ID: <1@a.example>\r\n"         \
        "MIME-Version: 1.0\r\n"

/* Parses a copy of n bytes. */
static struct message *
parse_n(const char *raw, size_t n)
{
        struct message *m = NULL;
        struct err err = {0};
        char *copy = malloc(n + 1);

        memcpy(copy, raw, n);
        if (mime_parse(copy, n, "support@b.example", &m, &err) == -1)
                fail_msg("refused: %s", err.text);
        free(copy);
        return m;
}

static struct message *
parse(const char *raw)
{
        return parse_n(raw, strlen(raw));
}

static void
text_is(const char *raw, const char *want)
{
        struct message *m = parse(raw);

        assert_string_equal(m->text, want);
        message_free(&m);
}

static void
test_simple(void **state)
{
        struct message *m = parse(TOP "\r\nHello,\r\n\r\nit does not work.\r\n\r\n");

        (void)state;
        assert_string_equal(m->channel, "email");
        assert_string_equal(m->account, "support@b.example");
        assert_string_equal(m->from.name, "Anna");
        assert_string_equal(m->from.address, "anna@a.example");
        assert_string_equal(m->to[0].address, "support@b.example");
        assert_string_equal(m->subject, "help");
        assert_string_equal(m->message_id, "1@a.example");
        assert_int_equal(m->sent_at_us, 1795503600000000);
        assert_string_equal(m->text, "Hello,\n\nit does not work.");
        assert_string_equal(m->language, "en");
        assert_false(m->from_html || m->truncated || m->header_only);
        assert_int_equal(m->n_attachments, 0);
        assert_int_equal(m->n_headers, 6);
        assert_int_equal(strlen(m->digest), 64);
        message_free(&m);
}

static void
test_charsets(void **state)
{
        struct message *m;

        (void)state;
        text_is(TOP "Content-Type: text/plain; "
                    "charset=koi8-r\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4\r\n",
            "Привет");
        text_is(TOP
            "Content-Type: text/plain; charset=utf-8\r\n\r\n\xcf\xf0\xe8\xe2\xe5\xf2\r\n",
            "Привет");
        text_is(TOP "\r\n\xcf\xf0\xe8\xe2\xe5\xf2 \xe2\xf1\xe5\xec\r\n", "Привет всем");
        text_is(TOP
            "Content-Type: text/plain; charset=windows-1251\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n=CF=F0=E8=\r\n=E2=E5=F2",
            "Привет");
        text_is(TOP "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\n0J/RgNC40LLQtdGC\r\n",
            "Привет");
        text_is(TOP "Content-Type: text/html\r\n\r\n<meta "
                    "charset=koi8-r>\xf0\xd2\xc9\xd7\xc5\xd4",
            "Привет");
        text_is(TOP "Content-Type: text/plain; format=flowed\r\n\r\none \r\ntwo\r\n",
            "one two");
        m = parse(TOP "\r\nПочта не работает");
        assert_string_equal(m->language, "ru");
        message_free(&m);
}

#define PART(type, body) "--x\r\nContent-Type: " type "\r\n\r\n" body "\r\n"
#define MULTI(kind) TOP "Content-Type: multipart/" kind "; boundary=x\r\n\r\n"

static void
test_alternatives(void **state)
{
        struct message *m;

        (void)state;
        text_is(MULTI("alternative") PART("text/plain", "plain")
                    PART("text/html", "<p>html") "--x--\r\n",
            "plain");
        text_is(MULTI("alternative") PART("text/html", "<p>html")
                    PART("text/plain", "plain") "--x--\r\n",
            "plain");
        m = parse(MULTI("alternative") PART("text/plain", " \r\n")
                PART("text/html", "<p>html") "--x--\r\n");
        assert_string_equal(m->text, "html");
        assert_true(m->from_html);
        message_free(&m);
        m = parse(TOP "Content-Type: text/html\r\n\r\n<b>only</b> html");
        assert_string_equal(m->text, "only html");
        assert_true(m->from_html);
        message_free(&m);
        text_is(MULTI("mixed") PART("text/plain", "one")
                    PART("text/plain", "two") "--x--\r\n",
            "one\n\ntwo");
}

static void
attachment_is(const struct message *m, size_t i, const char *part, const char *name,
    const char *type, int64_t size)
{
        assert_true(i < m->n_attachments);
        assert_string_equal(m->attachments[i].part, part);
        assert_string_equal(m->attachments[i].name, name);
        assert_string_equal(m->attachments[i].type, type);
        assert_int_equal(m->attachments[i].size, size);
}

static void
test_attachments(void **state)
{
        struct message *m = parse(MULTI("mixed") PART("text/plain", "see") PART(
            "image/PNG; name=\"C:\\\\dir\\\\a b.png\"\r\nContent-Transfer-Encoding: "
            "base64",
            "aGVsbG8=") PART("application/pdf\r\nContent-Disposition: attachment;\r\n "
                             "filename*0*=utf-8''%D0%BE%D1%82;"
                             "\r\n filename*1=\"chet.pdf\"",
            "x") PART("text/plain; name=\"=?koi8-r?B?8NLJ18XU?=.txt\"",
            "text too") PART("text/plain\r\nContent-Disposition: attachment; "
                             "filename=../../etc/passwd",
            "y") PART("text/plain\r\nContent-Disposition: attachment; filename=\"..\"",
            "z") "--x--\r\n");

        (void)state;
        assert_string_equal(m->text, "see");
        assert_int_equal(m->n_attachments, 5);
        attachment_is(m, 0, "2", "a b.png", "image/png", 5);
        assert_string_equal(m->attachments[0].sha256,
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        attachment_is(m, 1, "3", "отchet.pdf", "application/pdf", 1);
        attachment_is(m, 2, "4", "Привет.txt", "text/plain", 8);
        attachment_is(m, 3, "5", "passwd", "text/plain", 1);
        attachment_is(m, 4, "6", "", "text/plain", 1);
        message_free(&m);
}

/* Texts with file names. */
static void
test_named_texts(void **state)
{
        struct message *m;

        (void)state;
        m = parse(MULTI("alternative") PART("text/plain; name=a.txt", "plain")
                PART("text/html", "<p>html"));
        assert_string_equal(m->text, "plain");
        assert_int_equal(m->n_attachments, 0);
        message_free(&m);
        m = parse(MULTI("mixed") PART("text/plain; name=a.txt", "one")
                PART("text/plain; name=b.txt", "two"));
        assert_string_equal(m->text, "one");
        assert_int_equal(m->n_attachments, 2);
        message_free(&m);
        m = parse(MULTI("mixed") PART("text/plain", "one")
                PART("text/plain; name=b.txt", "two"));
        assert_string_equal(m->text, "one");
        assert_int_equal(m->n_attachments, 1);
        message_free(&m);
        text_is(TOP "Content-Type: text; charset=koi8-r\r\n\r\nhello", "hello");
        text_is(TOP
            "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "this is no base64, it only says so\r\n",
            "this is no base64, it only says so");
}

static void
test_inline_and_nested(void **state)
{
        struct message *m = parse(MULTI(
            "mixed") "--x\r\nContent-Type: multipart/related; boundary=y\r\n\r\n"
                     "--y\r\nContent-Type: text/html\r\n\r\n<p>look<img src=cid:1>\r\n"
                     "--y\r\nContent-Type: image/png; name=i.png\r\nContent-ID: "
                     "<1>\r\n\r\nabc\r\n--y--\r\n" PART("message/rfc822",
                         "Subject: inner\r\nFrom: evil@e.example\r\n\r\ninner text")
                         PART("message/external-body; access-type=ftp",
                             "Content-Type: image/png\r\n\r\n") "--x--\r\n");

        (void)state;
        assert_string_equal(m->text, "look");
        assert_int_equal(m->n_attachments, 3);
        attachment_is(m, 0, "1.2", "i.png", "image/png", 3);
        assert_true(m->attachments[0].is_inline);
        assert_string_equal(m->attachments[1].part, "2");
        assert_string_equal(m->attachments[1].name, "inner.eml");
        assert_string_equal(m->attachments[1].type, "message/rfc822");
        assert_false(m->attachments[1].is_inline);
        assert_string_equal(m->attachments[2].type, "message/external-body");
        assert_string_equal(m->subject, "help");
        assert_string_equal(m->from.address, "anna@a.example");
        message_free(&m);
}

static void
test_broken(void **state)
{
        struct message *m;

        (void)state;
        text_is("", "");
        text_is("\r\n\r\n", "");
        text_is("no header at all\r\nsecond line", "no header at all\nsecond line");
        text_is("\r\n \r\n" TOP "\r\nbody", "body");
        text_is("junk before\r\n" TOP "\r\nbody", "body");
        text_is(TOP "the body begins here\r\nand goes on\r\n",
            "the body begins here\nand goes on");
        text_is(TOP, "");
        text_is("From: a@a.example\rSubject: cr\r\rone\rtwo\r", "one\ntwo");
        text_is(MULTI("mixed") "no boundary ever\r\n", "no boundary ever");
        text_is(MULTI("mixed") PART("text/plain", "never closed"), "never closed");
        text_is(TOP "Content-Type: text/plain\r\nContent-Transfer-Encoding: "
                    "base64\r\n\r\naGVsbG8=",
            "hello");
        text_is(TOP "Content-Type: text/plain\r\nContent-Disposition: attachment; "
                    "filename=a\r\n\r\nhi",
            "hi");
        m = parse_n(TOP "\r\na\0b", strlen(TOP) + 5);
        assert_true(strlen(m->text) >= 2);
        message_free(&m);
        m = parse(TOP "Content-Type: multipart/encrypted; boundary=x\r\n\r\n" PART(
            "application/pgp-encrypted", "Version: 1")
                PART("application/octet-stream", "secret"));
        assert_int_equal(m->n_attachments, 2);
        message_free(&m);
}

/* Levels beyond the limit are one attachment, and nobody falls off the stack. */
static void
test_deep(void **state)
{
        struct buf b = BUF_INIT;
        struct message *m;

        (void)state;
        buf_adds(&b, TOP "Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
        for (int i = 0; i < 150; i++)
                buf_addf(&b,
                    "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i,
                    i + 1);
        buf_adds(&b, "--b150\r\n\r\nhello\r\n");
        m = parse(b.data);
        assert_int_equal(m->n_attachments, 1);
        assert_string_equal(m->attachments[0].type, "multipart/mixed");
        message_free(&m);
        buf_fini(&b);
}

static void
test_long_text(void **state)
{
        struct buf b = BUF_INIT;
        struct message *m;

        (void)state;
        buf_adds(&b, TOP "Content-Type: text/plain; charset=utf-8\r\n\r\n");
        while (b.len < 2u << 20)
                buf_adds(&b, "привет всем\r\n");
        m = parse(b.data);
        assert_true(m->truncated);
        assert_true(
            strlen(m->text) <= MIME_MAX_TEXT && strlen(m->text) > MIME_MAX_TEXT / 2);
        assert_true(utf8_valid(m->text, strlen(m->text)));
        message_free(&m);
        buf_fini(&b);
}

static void
test_refused(void **state)
{
        struct buf b = BUF_INIT;
        struct message *m = NULL;
        struct err err = {0};

        (void)state;
        buf_adds(&b, TOP);
        for (int i = 0; i < 3000; i++)
                buf_adds(&b, "X: y\r\n");
        buf_adds(&b, "\r\nbody");
        assert_int_equal(mime_parse(b.data, b.len, "a", &m, &err), -1);
        assert_int_equal(err.kind, ERR_LIMIT);
        m = mime_parse_header_only(b.data, b.len, "a");
        assert_true(m->header_only);
        assert_string_equal(m->from.address, "anna@a.example");
        assert_string_equal(m->text, "");
        assert_int_equal(m->n_headers, PRESCAN_MAX_HEADERS);
        assert_int_equal(strlen(m->digest), 64);
        message_free(&m);
        buf_fini(&b);
}

/* Are these two the same mail to "seen before"? */
static bool
same(const char *a, const char *b)
{
        struct message *m = parse(a);
        struct message *n = parse(b);
        bool is_same = strcmp(m->digest, n->digest) == 0;

        message_free(&m);
        message_free(&n);
        return is_same;
}

static void
test_digest(void **state)
{
        (void)state;
        assert_true(
            same(TOP "\r\nbody\r\n", "Received: x\r\n" TOP "X-Trace: y\r\n\r\nbody\r\n"));
        assert_true(same(TOP "\r\na\r\nb\r\n",
            TOP "Content-Transfer-Encoding: quoted-printable\r\n\r\na\nb=0A"));
        assert_false(same(TOP "\r\nbody\r\n", TOP "\r\nother\r\n"));
        assert_false(same("From: a@a.example\r\n\r\nx", "From: b@a.example\r\n\r\nx"));
        assert_false(same("Message-ID: <1@a>\r\n\r\nx", "Message-ID: <2@a>\r\n\r\nx"));
        /* Without both, only the trace tells tonight's from last night's. */
        assert_false(same("From: a@a.example\r\nSubject: one\r\n\r\nx",
            "From: a@a.example\r\nSubject: two\r\n\r\nx"));
        assert_false(same("Received: 1\r\nFrom: a@a.example\r\n\r\nx",
            "Received: 2\r\nFrom: a@a.example\r\n\r\nx"));
        assert_true(same("Received: 1\r\nFrom: a@a.example\r\n\r\nx",
            "Received: 1\r\nFrom: a@a.example\r\n\r\nx"));
        assert_false(same("Date: Tue, 24 Nov 2026 10:00:00 +0300\r\n\r\nx",
            "Date: Tue, 24 Nov 2026 10:00:01 +0300\r\n\r\nx"));
        /* Two alerts of one second, without Message-ID. */
        assert_false(
            same("Date: Tue, 24 Nov 2026 10:00:00 +0300\r\nSubject: disk a\r\n\r\nx",
                "Date: Tue, 24 Nov 2026 10:00:00 +0300\r\nSubject: disk b\r\n\r\nx"));
        assert_true(same("Date: Tue, 24 Nov 2026 10:00:00 +0300\r\nSubject: a\r\n\r\nx",
            "Received: 2\r\nDate: Tue, 24 Nov 2026 10:00:00 +0300\r\nSubject: "
            "a\r\n\r\nx"));
        assert_false(same(MULTI("mixed") PART("image/png", "a"),
            MULTI("mixed") PART("image/png", "b")));
        assert_false(same(MULTI("mixed") PART("image/png", "a") PART("image/png", "b"),
            MULTI("mixed") PART("image/png", "ab")));
}

static int
cut(const char *raw, const char *part, size_t from, size_t count, const char *want)
{
        struct buf out = BUF_INIT;
        struct err err = {0};
        char *copy = strdup(raw);
        int rc = mime_parse_cut(copy, strlen(copy), part, from, count, &out, &err);

        if (rc == 0)
                assert_string_equal(buf_str(&out), want);
        else
                assert_int_equal(err.kind, ERR_NOTFOUND);
        buf_fini(&out);
        free(copy);
        return rc;
}

static void
test_cut(void **state)
{
        const char *raw = MULTI("mixed") PART("text/plain", "see")
            PART("image/png\r\nContent-Transfer-Encoding: base64", "aGVsbG8gd29ybGQ=")
                PART("message/rfc822", "Subject: s\r\n\r\ninner") "--x--\r\n";

        (void)state;
        assert_int_equal(cut(raw, "2", 0, 1000, "hello world"), 0);
        assert_int_equal(cut(raw, "2", 6, 3, "wor"), 0);
        assert_int_equal(cut(raw, "2", 6, 1000, "world"), 0);
        assert_int_equal(cut(raw, "2", 11, 10, ""), 0);
        assert_int_equal(cut(raw, "2", 5000, 10, ""), 0);
        assert_int_equal(cut(raw, "2", 0, 0, ""), 0);
        assert_int_equal(cut(raw, "1", 0, 10, "see"), 0);
        assert_int_equal(cut(raw, "3", 0, 100, "Subject: s\r\n\r\ninner"), 0);
        assert_int_equal(cut("Content-Type: message/rfc822\n\nA: b\nC:d\n e\n\nx\ny\n",
                             "1", 0, 100, "A: b\nC:d\n e\n\nx\ny\n"),
            0);
        assert_int_equal(cut(TOP "\r\nbody", "1", 0, 100, "body"), 0);
        assert_int_equal(
            cut(MULTI("mixed") PART("image/png\r\nContent-Transfer-Encoding: base64",
                    "no base 64!") "--x--\r\n",
                "1", 0, 20, "no base 64!"),
            0);
        assert_int_equal(cut(raw, "4", 0, 10, ""), -1);
        assert_int_equal(cut(raw, "", 0, 10, ""), -1);
        assert_int_equal(cut(raw, "2.1", 0, 10, ""), -1);
        assert_int_equal(cut("no header", "1", 0, 10, "no header"), 0);
}

static int
setup(void **state)
{
        (void)state;
        mime_parse_init();
        return 0;
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_simple),
            cmocka_unit_test(test_charsets),
            cmocka_unit_test(test_alternatives),
            cmocka_unit_test(test_attachments),
            cmocka_unit_test(test_named_texts),
            cmocka_unit_test(test_inline_and_nested),
            cmocka_unit_test(test_broken),
            cmocka_unit_test(test_deep),
            cmocka_unit_test(test_long_text),
            cmocka_unit_test(test_refused),
            cmocka_unit_test(test_digest),
            cmocka_unit_test(test_cut),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
