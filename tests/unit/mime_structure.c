/* The tree of parts, transfer encodings, and what parts hold in formats of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_calendar.h"
#include "channels/helper_mime_cms.h"
#include "channels/helper_mime_code.h"
#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_rtf.h"
#include "channels/helper_mime_tnef.h"
#include "channels/helper_mime_walk.h"

#define TOP                                                                              \
        "From: Anna <anna@a.example>\r\nTo: b@b.example\r\nSubject: s\r\n"               \
        "MIME-Version: 1.0\r\n"
#define MIXED TOP "Content-Type: multipart/mixed; boundary=x\r\n\r\n"

static struct message *
parse_n(const char *raw, size_t n)
{
        struct message *m = NULL;
        struct err err = {0};
        char *copy = malloc(n + 1);

        memcpy(copy, raw, n);
        if (mime_parse(copy, n, "b@b.example", &m, &err) == -1)
                fail_msg("refused: %s", err.text);
        free(copy);
        return m;
}

static void
text_is(const char *raw, const char *want)
{
        struct message *m = parse_n(raw, strlen(raw));

        assert_string_equal(m->text, want);
        message_free(&m);
}

static bool
add(void *arg, const char *s, size_t n)
{
        buf_add(arg, s, n);
        return true;
}

static void
decodes(enum mime_coding c, const char *s, const char *want)
{
        struct buf out = BUF_INIT;

        mime_decode(c, s, strlen(s), add, &out);
        assert_string_equal(buf_str(&out), want);
        buf_fini(&out);
}

static void
test_codings(void **state)
{
        (void)state;
        decodes(CODING_BASE64, "aGVsbG8=", "hello");
        decodes(CODING_BASE64, "aGVsbG8", "hello");
        decodes(CODING_BASE64, "aGV\r\ns!bG8=", "hello");
        decodes(CODING_BASE64, "aGVsbG8=IHdvcmxk", "hello world");
        decodes(CODING_BASE64, "aGVsbG8=\r\nIHdvcmxk\r\n", "hello world");
        decodes(CODING_BASE64, "aGVsbG8=\r\n-- \r\nfooter of a list\r\n", "hello");
        decodes(CODING_BASE64, "aGVsbG8= ignored", "hello");
        decodes(CODING_BASE64, "", "");
        decodes(CODING_QUOTED, "a=20b=\r\nc  \r\nd=3", "a bc\r\nd=3");
        decodes(CODING_QUOTED, "1=2, x==3D, =zz", "1=2, x==, =zz");
        decodes(CODING_QUOTED, "soft= \r\nend=", "softend");
        decodes(CODING_UU, "junk\nbegin 644 a\n#0V%T\n`\nend\n", "Cat");
        decodes(CODING_UU, "no file at all", "no file at all");
        assert_int_equal(mime_coding_of("\"Base-64\"", 9), CODING_BASE64);
        assert_int_equal(mime_coding_of("quoted_printable", 16), CODING_QUOTED);
        assert_int_equal(mime_coding_of("x-uuencode", 10), CODING_UU);
        assert_int_equal(mime_coding_of("8-bit", 5), CODING_NONE);
        assert_int_equal(
            mime_coding_truth(CODING_BASE64, true, true, "just a text", 11), CODING_NONE);
}

static void
test_boundaries(void **state)
{
        (void)state;
        text_is(TOP "Content-Type: multipart/mixed\r\n\r\n--zz\r\nContent-Type: "
                    "text/plain\r\n\r\nfound\r\n--zz--\r\n",
            "found");
        text_is(MIXED "--other\r\nContent-Type: text/plain\r\n\r\nfound\r\n--other--\r\n",
            "found");
        text_is(MIXED "--x   \r\n\r\none\r\n--xy\r\nstill\r\n--x\r\n\r\ntwo\r\n--x-- \r\n"
                      "epilogue",
            "one\n--xy\nstill\n\ntwo");
        text_is(MIXED "--x\r\nContent-Type: multipart/mixed; boundary=xx\r\n\r\n"
                      "--xx\r\n\r\ninner\r\n--x\r\n\r\nouter\r\n",
            "inner\n\nouter");
        text_is(TOP "\r\n--zz\r\nContent-Type: text/plain\r\n\r\nno type\r\n--zz--\r\n",
            "no type");
        text_is(MIXED "--x\r\n\r\none\r\n--x--\r\n--x\r\nContent-Type: text/plain\r\n\r\n"
                      "late\r\n--x--\r\n",
            "one\n\nlate");
        text_is(MIXED "\r\n", "");
}

static void
test_forms(void **state)
{
        (void)state;
        text_is(TOP "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\n"
                    "Your program cannot show HTML.\r\n--x\r\nContent-Type: "
                    "text/html\r\n\r\n<p>the words\r\n--x--\r\n",
            "the words");
        text_is(TOP "Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\n\r\n"
                    "my HTML page\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>my HTML "
                    "page\r\n--x--\r\n",
            "my HTML page");
        text_is(TOP "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nthe same"
                    "\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>The same "
                    "but longer\r\n--x--\r\n",
            "the same\n\nThe same but longer");
        text_is(TOP "Content-Type: text/enriched\r\n\r\n<bold>Now</bold> is\r\nthe <<"
                    "time<param>red</param>\r\n\r\nend",
            "Now is the <time\nend");
}

static void
test_uuencode(void **state)
{
        const char *raw =
            TOP "\r\nsee\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\nbye\r\n";
        struct message *m = parse_n(raw, strlen(raw));
        struct buf out = BUF_INIT;
        struct err err = {0};
        char *copy = strdup(raw);

        (void)state;
        assert_string_equal(m->text, "see\nbye");
        assert_int_equal(m->n_attachments, 1);
        assert_string_equal(m->attachments[0].part, "1.1");
        assert_string_equal(m->attachments[0].name, "a.txt");
        assert_string_equal(m->attachments[0].type, "text/plain");
        assert_int_equal(m->n_notices, 1);
        assert_int_equal(mime_parse_cut(copy, strlen(copy), "1.1", 0, 10, &out, &err), 0);
        assert_string_equal(buf_str(&out), "Cat");
        buf_fini(&out);
        free(copy);
        message_free(&m);
        text_is(TOP "\r\nbegin 644 nothing\r\nis a sentence, too\r\n",
            "begin 644 nothing\nis a sentence, too");
}

/* ---- TNEF ---- */

static void
add16(struct buf *b, unsigned v)
{
        buf_addc(b, (char)(v & 255));
        buf_addc(b, (char)(v >> 8 & 255));
}

static void
add32(struct buf *b, uint32_t v)
{
        add16(b, v & 0xffff);
        add16(b, v >> 16);
}

static void
attribute(struct buf *b, int level, unsigned id, const char *s, size_t n)
{
        unsigned sum = 0;

        buf_addc(b, (char)level);
        add16(b, id);
        add16(b, 6);
        add32(b, (uint32_t)n);
        buf_add(b, s, n);
        for (size_t i = 0; i < n; i++)
                sum += (unsigned char)s[i];
        add16(b, sum);
}

static void
tnef_make(struct buf *b)
{
        buf_add(b, "\x78\x9f\x3e\x22\1\0", 6);
        attribute(b, 1, 0x9007, "\xe3\4\0\0\0\0\0\0", 8); /* code page 1251 */
        attribute(b, 1, 0x800c, "\xcf\xf0\xe8\xe2\xe5\xf2", 7);
        attribute(b, 2, 0x9002, "", 0);
        attribute(b, 2, 0x8010, "\xee\xf2.txt", 7);
        attribute(b, 2, 0x800f, "content", 7);
}

static void
test_tnef(void **state)
{
        struct buf b = BUF_INIT;
        struct arena *a = arena_new();
        struct message *m;
        struct tnef t;

        (void)state;
        tnef_make(&b);
        assert_true(mime_tnef_read(a, b.data, b.len, &t));
        assert_null(t.odd);
        assert_int_equal(t.n_files, 1);
        assert_string_equal(t.files[0].name, "от.txt");
        assert_int_equal(t.files[0].n, 7);
        assert_true(mime_tnef_read(a, b.data, b.len - 5, &t));
        assert_non_null(t.odd);
        for (size_t n = 0; n < b.len; n++) /* cut anywhere */
                mime_tnef_read(a, b.data, n, &t);
        m = parse_n(b.data, b.len); /* instead of a mail */
        assert_string_equal(m->text, "Привет");
        assert_int_equal(m->n_attachments, 2);
        assert_string_equal(m->attachments[0].type, "application/ms-tnef");
        assert_string_equal(m->attachments[1].part, "1.1");
        assert_string_equal(m->attachments[1].type, "text/plain");
        message_free(&m);
        arena_free(&a);
        buf_fini(&b);
}

static void
test_rtf(void **state)
{
        const char *rtf =
            "{\\rtf1\\ansi\\ansicpg1251{\\fonttbl{\\f0\\fcharset204 Arial;}}"
            "\\f0 \\'cf\\'f0\\'e8\\par \\u1087?{\\*\\hidden no}x}";
        const char *html = "{\\rtf1\\fromhtml1{\\*\\htmltag <p>}\\htmlrtf no\\htmlrtf0 "
                           "yes{\\*\\htmltag </p>}}";
        const char packed[] = "\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4\x4b\x51\x41\0\4\x20"
                              "WXYZ\x0d\x6e}\1\x0e\xb0";
        struct buf out = BUF_INIT;
        bool is_html = true;

        (void)state;
        mime_rtf_text(&out, rtf, strlen(rtf), 1000, &is_html);
        assert_string_equal(buf_str(&out), "При\nпx");
        assert_false(is_html);
        buf_clear(&out);
        mime_rtf_text(&out, html, strlen(html), 1000, &is_html);
        assert_string_equal(buf_str(&out), "<p>yes</p>");
        assert_true(is_html);
        buf_clear(&out);
        assert_true(mime_rtf_unpack(&out, packed, sizeof(packed) - 1, 1000));
        assert_string_equal(buf_str(&out), "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
        buf_fini(&out);
}

static void
test_forward(void **state)
{
        const char *raw =
            MIXED "--x\r\n\r\nFYI\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nFrom: "
                  "Ivan <i@c.example>\r\nSubject: printer\r\nMessage-ID: <9@c.example>"
                  "\r\n\r\nIt is broken.\r\n--x--\r\n";
        struct message *m = parse_n(raw, strlen(raw));

        (void)state;
        assert_non_null(m->forwarded);
        assert_string_equal(m->forwarded->address, "i@c.example");
        assert_string_equal(m->forwarded->subject, "printer");
        assert_string_equal(m->forwarded->message_id, "9@c.example");
        assert_string_equal(m->forwarded->part, "2");
        assert_string_equal(m->forwarded->text, "It is broken.");
        assert_true(m->forwarded->whole);
        assert_string_equal(m->from.address, "anna@a.example");
        message_free(&m);
}

static void
notice_is(const char *raw, const char *kind, const char *words)
{
        struct message *m = parse_n(raw, strlen(raw));

        assert_true(m->n_notices > 0);
        assert_string_equal(m->notices[0].kind, kind);
        assert_non_null(strstr(m->notices[0].text, words));
        message_free(&m);
}

static void
test_notices(void **state)
{
        (void)state;
        notice_is(TOP
            "Content-Type: message/partial; number=2; total=3; id=\"a@b\"\r\n\r\nx",
            "partial", "piece 2 of 3");
        notice_is(TOP "Content-Type: message/external-body; access-type=URL; "
                      "url=\"http://x.example/\"\r\n\r\nContent-Type: image/png\r\n\r\n",
            "external-body", "not fetched");
        notice_is(TOP "Content-Type: multipart/encrypted; protocol=\"application/"
                      "pgp-encrypted\"; boundary=x\r\n\r\n--x\r\n\r\na\r\n--x--\r\n",
            "pgp", "encrypted with PGP");
        notice_is(TOP "\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA1\r\n\r\nhi\r\n"
                      "-----BEGIN PGP SIGNATURE-----\r\nx\r\n-----END PGP SIGNATURE-----",
            "pgp", "signed with PGP");
        text_is(TOP
            "\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA1\r\n\r\n- -hi\r\n"
            "-----BEGIN PGP SIGNATURE-----\r\nx\r\n-----END PGP SIGNATURE-----",
            "-hi");
        notice_is(TOP "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR"
                      "\r\nBEGIN:VEVENT\r\nSUMMARY:Bud\r\n get\r\nDTSTART:20261124T1000"
                      "00Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            "calendar", "invitation: Budget, 2026-11-24 10:00 UTC");
}

/* A mail signed opaquely is read; its attachment can be cut out. */
static void
test_signed(void **state)
{
        const char der[] =
            "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30"
            "\x80\x02\x01\x01\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d"
            "\x01\x07\x01\xa0\x80\x24\x80\x04\x02He\x04\x03llo\0\0";
        struct buf out = BUF_INIT;

        (void)state;
        assert_true(mime_cms_content(&out, der, sizeof(der) - 1));
        assert_string_equal(buf_str(&out), "Hello");
        for (size_t n = 0; n < sizeof(der); n++)
                mime_cms_content(&out, der, n);
        assert_false(mime_cms_content(&out, "text", 4));
        buf_fini(&out);
}

/* What HTML shows stands in it; what it does not is an attachment. */
static void
test_pictures(void **state)
{
        const char *raw =
            TOP "Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: "
                "text/html\r\n\r\n<p>a<img src=\"cid:1%40a\"><img src=b.png>\r\n--x\r\n"
                "Content-Type: image/png\r\nContent-ID: <1@a>\r\n\r\n1\r\n--x\r\n"
                "Content-Type: image/png\r\nContent-Location: b.png\r\n\r\n2\r\n--x\r\n"
                "Content-Type: image/png\r\nContent-ID: <3@a>\r\n\r\n3\r\n--x--\r\n";
        struct message *m = parse_n(raw, strlen(raw));

        (void)state;
        assert_int_equal(m->n_attachments, 3);
        assert_true(m->attachments[0].is_inline);
        assert_true(m->attachments[1].is_inline);
        assert_string_equal(m->attachments[1].name, "b.png");
        assert_false(m->attachments[2].is_inline);
        message_free(&m);
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
            cmocka_unit_test(test_codings),
            cmocka_unit_test(test_boundaries),
            cmocka_unit_test(test_forms),
            cmocka_unit_test(test_uuencode),
            cmocka_unit_test(test_tnef),
            cmocka_unit_test(test_rtf),
            cmocka_unit_test(test_forward),
            cmocka_unit_test(test_notices),
            cmocka_unit_test(test_signed),
            cmocka_unit_test(test_pictures),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
