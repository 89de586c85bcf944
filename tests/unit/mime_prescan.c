/* The look before the leap: where the header is, what the limits refuse, and
 * that what only looks like a boundary costs nobody his text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "channels/helper_mime_prescan.h"
#include "daemon/base/buf.h"

#define TOP "From: a@a.example\r\nTo: b@b.example\r\nSubject: x\r\n"

static struct prescan
scan(const char *raw)
{
        struct prescan p;

        assert_int_equal(mime_prescan(raw, strlen(raw), &p, NULL), 0);
        return p;
}

static void
test_plain(void **state)
{
        const char *raw = TOP "\r\nbody\r\n";
        struct prescan p = scan(raw);

        (void)state;
        assert_true(p.has_header);
        assert_false(p.no_blank);
        assert_int_equal(p.header_at, 0);
        assert_int_equal(p.n_headers, 3);
        assert_string_equal(raw + p.body_at, "body\r\n");
}

static void
test_blank_lines_and_junk_before(void **state)
{
        static const char *const before[] = {"\r\n\n  \n",
            "From a@a.example Mon Nov 23\n", ">From x\n", "\xef\xbb\xbf",
            "some junk without meaning\r\nmore of it\r\n"};

        (void)state;
        for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
                struct buf b = BUF_INIT;
                struct prescan p;

                buf_adds(&b, before[i]);
                buf_adds(&b, TOP "\nbody");
                p = scan(b.data);
                assert_true(p.has_header);
                assert_int_equal(p.header_at, strlen(before[i]));
                assert_string_equal(b.data + p.body_at, "body");
                buf_fini(&b);
        }
}

static void
test_no_header(void **state)
{
        (void)state;
        assert_false(scan("").has_header);
        assert_false(scan("\n").has_header);
        assert_false(scan("just a text\nof two lines\n").has_header);
        assert_false(scan("Hello: I am prose\nand not a header\n").has_header);
        assert_int_equal(scan("just a text\n").body_at, 0);
}

static void
test_no_empty_line(void **state)
{
        const char *raw = TOP "this is the body already\r\n";
        struct prescan p = scan(raw);

        (void)state;
        assert_true(p.no_blank);
        assert_string_equal(raw + p.body_at, "this is the body already\r\n");
}

static void
test_header_only(void **state)
{
        struct prescan p = scan("From: a@a.example");

        (void)state;
        assert_true(p.has_header);
        assert_int_equal(p.body_at, strlen("From: a@a.example"));
        assert_int_equal(p.header_len, p.body_at);
}

static void
test_cr_only(void **state)
{
        (void)state;
        assert_true(mime_prescan_cr_only("a\rb\r", 4));
        assert_false(mime_prescan_cr_only("a\r\nb", 4));
        assert_false(mime_prescan_cr_only("ab", 2));
        assert_false(mime_prescan_cr_only("", 0));
}

/* head, then n times body: what does the pre-scan say? */
static void
refuses(const char *head, const char *body, size_t n, const char *why)
{
        struct buf b = BUF_INIT;
        struct err err = {0};
        struct prescan p;

        buf_adds(&b, head);
        for (size_t i = 0; i < n; i++)
                buf_adds(&b, body);
        buf_adds(&b, "\r\nend\r\n");
        if (why != NULL) {
                assert_int_equal(mime_prescan(b.data, b.len, &p, &err), -1);
                assert_int_equal(err.kind, ERR_LIMIT);
                assert_non_null(strstr(err.text, why));
                assert_true(p.has_header);
        } else {
                assert_int_equal(mime_prescan(b.data, b.len, &p, &err), 0);
        }
        buf_fini(&b);
}

#define MIXED TOP "Content-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\n"

static void
test_limits(void **state)
{
        (void)state;
        refuses(TOP, "X: y\r\n", 1990, NULL);
        refuses(TOP, "X: y\r\n", 2001, "2004 header lines, allowed are 2000");
        refuses(TOP "X: ", "aaaaaaaaaaaaaaaa", 16385, "bytes of header");
        refuses(TOP "\r\n", "aaaaaaaaaaaaaaaa", 25u << 16,
            "26214457 bytes, allowed are 26214400");
        refuses(MIXED, "--=_x\r\n\r\n", 999, NULL);
        refuses(MIXED, "--=_x\r\n\r\n", 1001, "boundary lines");
        refuses(MIXED "--=_x\r\n", "X: y\r\n", 20001, "header lines in its parts");
        refuses(MIXED "--=_x\r\nX: ", "\taaaaaaaaaaaaaaaa\r\n", 19000, NULL);
        refuses(TOP "Content-Type: message/rfc822\r\n\r\nTo: ", "a,", 5001, "commas");
        refuses(TOP, "Content-Type: message/rfc822\r\n\r\n", 201, "nested parts");
        refuses(TOP, "Content-Type:\r\n message/rfc822\r\n\r\n", 201, "nested parts");
}

/* A header that the parser would read in a message nobody declared as one. */
static void
test_digest(void **state)
{
        (void)state;
        refuses(TOP "Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\n",
            "X: y\r\n", 20001, "header lines in its parts");
}

/* Boundaries written so that only a full parser reads them. */
static void
test_disguised_boundaries(void **state)
{
        static const char *const ways[] = {"boundary*=x", "boundary*0=x; boundary*1=y",
            "boundary(c)=x", "boundary=\"x\\y\"", "boundary\r\n =x",
            "boundary=\"=?utf-8?q?x?=\"", "boundary=\"x\r\n y\""};

        (void)state;
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                struct buf b = BUF_INIT;

                buf_addf(&b, TOP "Content-Type: multipart/mixed; %s\r\n\r\n", ways[i]);
                refuses(b.data, "--xy\r\n\r\n", 1001, "boundary lines");
                buf_fini(&b);
        }
}

static void
test_text_that_looks_like_boundaries(void **state)
{
        (void)state;
        refuses(MIXED "--=_x\r\n\r\n",
            "-- select 1\r\n--------\r\n--=_xy\r\n12:00 log\r\n", 30000, NULL);
        refuses(TOP "\r\n", "--x\r\n", 30000, NULL);
        /* a coded message is not looked into, its lines are no header */
        refuses(TOP
            "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            "a: b\r\n", 30000, NULL);
}

static void
test_header_walk(void **state)
{
        const char *block = "A: 1\r\nno header\r\nB :  two\r\n lines\r\n>From x\nC:\n";
        struct raw_header h;
        size_t pos = 0;

        (void)state;
        assert_true(mime_prescan_next(block, strlen(block), &pos, &h));
        assert_memory_equal(h.name, "A", 1);
        assert_int_equal(h.value_len, 2);
        assert_true(mime_prescan_next(block, strlen(block), &pos, &h));
        assert_int_equal(h.name_len, 1);
        assert_memory_equal(h.value, "  two\r\n lines", h.value_len);
        assert_true(mime_prescan_next(block, strlen(block), &pos, &h));
        assert_int_equal(h.value_len, 0);
        assert_false(mime_prescan_next(block, strlen(block), &pos, &h));
}

/* The first charset that a text declares. */
static void
test_charset(void **state)
{
        (void)state;
        assert_string_equal(scan(TOP "\r\nbody").charset, "");
        assert_string_equal(
            scan(TOP "Content-Type: text/plain; charset=koi8-r\r\n\r\n").charset,
            "koi8-r");
        assert_string_equal(scan(TOP "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
                                     "--x\r\nContent-Type: text/plain;\r\n"
                                     " charset=\"koi8-r\"\r\n\r\ncharset=utf-8\r\n"
                                     "--x\r\nContent-Type: text/html; charset=x\r\n\r\n")
                                .charset,
            "\"koi8-r\"");
}

/* A line without a colon does not end a header that goes on behind it. */
static void
test_junk_inside(void **state)
{
        const char *raw = "From: a@a.example\r\nwhat is this\r\nSubject: x\r\n"
                          "To: b@b.example\r\n\r\nbody";
        const char *prose = TOP "prose begins\r\nTo: be or not\r\nto be\r\nthat is\r\n"
                                "the question\r\n\r\nmore";
        struct prescan p = scan(raw);

        (void)state;
        assert_false(p.no_blank);
        assert_string_equal(raw + p.body_at, "body");
        p = scan(prose);
        assert_true(p.no_blank);
        assert_memory_equal(prose + p.body_at, "prose", 5);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_charset),
            cmocka_unit_test(test_junk_inside),
            cmocka_unit_test(test_plain),
            cmocka_unit_test(test_blank_lines_and_junk_before),
            cmocka_unit_test(test_no_header),
            cmocka_unit_test(test_no_empty_line),
            cmocka_unit_test(test_header_only),
            cmocka_unit_test(test_cr_only),
            cmocka_unit_test(test_limits),
            cmocka_unit_test(test_digest),
            cmocka_unit_test(test_disguised_boundaries),
            cmocka_unit_test(test_text_that_looks_like_boundaries),
            cmocka_unit_test(test_header_walk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
