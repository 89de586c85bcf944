/* The gate's rules: header blocks, paths, chunked bodies, who asks, answers' heads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/http_gate.h"

struct block {
        int status; /* expected; 0: passes */
        const char *text; /* the block; n 0: strlen */
        size_t n;
};

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define WITH_NUL(s) s, sizeof(s) - 1

static const struct block blocks[] = {
    {0, GET "\r\n", 0},
    {0, "GET / HTTP/1.0\r\n\r\n", 0},
    {0, "HEAD /f/contact?lang=ru&x=%00 HTTP/1.1\r\nhost: help.example:7780\r\n\r\n", 0},
    {0, "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
    {0, POST "Content-Length: 0\r\n\r\n", 0},
    {0, POST "Content-Length:\t 12 \t\r\n\r\n", 0},
    {0, POST "Content-Length: 000000000000000012\r\n\r\n", 0},
    {0, POST "Transfer-Encoding: chunked\r\n\r\n", 0},
    {0, POST "Transfer-Encoding: Chunked\r\n\r\n", 0},
    {0, POST "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n", 0},
    {0, GET "X-Empty:\r\nX-Eight: \xd0\xb6\xff\r\nX-Tab: a\tb\r\n\r\n", 0},
    {0, GET "Cookie: a=1\r\nCookie: b=2\r\n\r\n", 0},
    /* two lengths, and lengths that two readers read differently */
    {400, POST "Content-Length: 3\r\nContent-Length: 5\r\n\r\n", 0},
    {400, POST "Content-Length: 3\r\ncontent-length: 3\r\n\r\n", 0},
    {400, POST "Content-Length: 3, 3\r\n\r\n", 0},
    {400, POST "Content-Length: +3\r\n\r\n", 0},
    {400, POST "Content-Length: -1\r\n\r\n", 0},
    {400, POST "Content-Length: 0x3\r\n\r\n", 0},
    {400, POST "Content-Length: 3 4\r\n\r\n", 0},
    {400, POST "Content-Length: \r\n\r\n", 0},
    {400, POST "Content-Length: 3;\r\n\r\n", 0},
    {400, POST "Content-Length: 99999999999999999999\r\n\r\n", 0},
    {400, POST "Content-Length: \xd9\xa3\r\n\r\n", 0},
    {411, POST "\r\n", 0},
    {411, "POST / HTTP/1.0\r\n\r\n", 0},
    /* codings */
    {400, POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
    {400, POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 0},
    {400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
    {400, POST "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n", 0},
    {501, POST "Transfer-Encoding: xchunked\r\n\r\n", 0},
    {501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 0},
    {501, POST "Transfer-Encoding: chunked, identity\r\n\r\n", 0},
    {501, POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 0},
    {501, POST "Transfer-Encoding:\r\n\r\n", 0},
    {400, POST "Transfer-Encoding: chun\vked\r\n\r\n", 0},
    {400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
    {417, POST "Content-Length: 3\r\nExpect: 200-ok\r\n\r\n", 0},
    /* names */
    {400, POST "Content-Length : 3\r\n\r\n", 0},
    {400, POST " Content-Length: 3\r\n\r\n", 0},
    {400, POST "\tContent-Length: 3\r\n\r\n", 0},
    {400, POST "Transfer-Encoding : chunked\r\n\r\n", 0},
    {400, GET "X-A: 1\r\n folded\r\n\r\n", 0},
    {400, POST "Transfer-Encoding:\r\n chunked\r\n\r\n", 0},
    {400, GET ": no name\r\n\r\n", 0},
    {400, GET "no colon\r\n\r\n", 0},
    {400, GET "X(A): 1\r\n\r\n", 0},
    {400, GET "X\xd0\xb6: 1\r\n\r\n", 0},
    {400, WITH_NUL(GET "X-A\0: 1\r\n\r\n")},
    {400, WITH_NUL(GET "X-A: 1\0b\r\n\r\n")},
    {400, WITH_NUL(POST "Content-Length: 3\0\r\n\r\n")},
    {400, GET "X-A: a\x7f\r\n\r\n", 0},
    {400, GET "X-A: a\rX-B: b\r\n\r\n", 0},
    /* line ends */
    {400, "GET / HTTP/1.1\nHost: a\n\n", 0},
    {400, "GET / HTTP/1.1\r\nHost: a\n\r\n", 0},
    {400, "GET / HTTP/1.1\r\nHost: a\r\n\n", 0},
    {400, GET "X: 1\r\r\n\r\n", 0},
    {400, GET "\r\nX", 0},
    {400, GET, 0},
    {400, "", 0},
    {400, "\r\n\r\n", 0},
    /* hosts */
    {400, "GET / HTTP/1.1\r\n\r\n", 0},
    {400, "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 0},
    {400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0},
    {400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0},
    {400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 0},
    {400, GET "Authorization: a\r\nAuthorization: b\r\n\r\n", 0},
    /* request lines */
    {400, "GET /\r\n\r\n", 0},
    {400, "GET\r\n\r\n", 0},
    {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 0},
    {400, "GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET / http/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET / HTTP/11\r\nHost: a\r\n\r\n", 0},
    {400, "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 0},
    {505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 0},
    {505, "PRI * HTTP/2.0\r\n\r\n", 0},
    {505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0},
    {505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 0},
    {405, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 0},
    {405, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {501, "get / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "G{T / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "\x16\x03\x01\x02 \x01 \x01\r\n\r\n", 0},
    {400, "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET ?x HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET /\xd0\xb6 HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET /a?\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, "GET /a%2fb HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {400, WITH_NUL("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n")},
};

static void
test_blocks(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
                const struct block *b = &blocks[i];
                struct err err = {0};
                int status =
                    http_gate_check(b->text, b->n != 0 ? b->n : strlen(b->text), &err);

                if (status != b->status)
                        print_error("block %zu: %d, not %d (%s): %s\n", i, status,
                            b->status, err.text, b->text);
                assert_int_equal(status, b->status);
                assert_true((status == 0) == (err.text[0] == '\0'));
        }
}

static void
test_find(void **state)
{
        static const char whole[] = GET "\r\nmore";
        static char big[20000];
        struct err err;
        size_t len;

        (void)state;
        for (size_t n = 0; n < sizeof whole - 1; n++) {
                assert_int_equal(http_head_find(whole, n, 16384, &len, &err), 0);
                assert_int_equal(len, n < sizeof whole - 5 ? 0 : sizeof whole - 5);
        }
        /* refused as soon as it can be known, not at the deadline */
        assert_int_equal(http_head_find("\x16", 1, 16384, &len, &err), 400);
        assert_int_equal(http_head_find("GET / HTTP/1.1\n", 15, 16384, &len, &err), 400);
        memset(big, 'a', sizeof big);
        assert_int_equal(http_head_find(big, 8192, 16384, &len, &err), 0);
        assert_int_equal(http_head_find(big, 8193, 16384, &len, &err), 414);
        memcpy(big, "GET / HTTP/1.1\r\nX:", 18);
        assert_int_equal(http_head_find(big, 16383, 16384, &len, &err), 0);
        assert_int_equal(http_head_find(big, 16384, 16384, &len, &err), 431);
        memcpy(big + 16380, "\r\n\r\n", 4);
        assert_int_equal(http_head_find(big, 16384, 16384, &len, &err), 0);
        assert_int_equal(len, 16384);
        assert_int_equal(http_head_find(big, 16384, 16383, &len, &err), 431);
}

static void
test_many_fields(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct err err;

        (void)state;
        buf_adds(&b, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 1; i < HTTP_FIELDS_MAX; i++)
                buf_addf(&b, "X-%d: %d\r\n", i, i);
        buf_adds(&b, "\r\n");
        assert_int_equal(http_gate_check(b.data, b.len, &err), 0);
        b.len -= 2;
        buf_adds(&b, "X: one more\r\n\r\n");
        assert_int_equal(http_gate_check(b.data, b.len, &err), 431);
}

static void
parse(struct arena *a, const char *text, struct http_head *head)
{
        struct err err;

        assert_int_equal(http_head_parse(a, text, strlen(text), head, &err), 0);
}

static void
test_facts(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct http_head h;

        (void)state;
        parse(a,
            "POST /f/%D0%B6%20a//b?x=1?y HTTP/1.1\r\nHOST: a\r\nContent-Length: 123\r\n"
            "X-A:  one \r\nExpect: 100-continue\r\n\r\n",
            &h);
        assert_int_equal(h.method, HTTP_POST);
        assert_string_equal(h.path, "/f/\xd0\xb6 a//b");
        assert_string_equal(h.query, "x=1?y");
        assert_int_equal(h.length, 123);
        assert_true(h.expect && h.keep && !h.chunked);
        assert_string_equal(http_head_field(&h, "x-a"), "one");
        assert_string_equal(http_head_field(&h, "X-B"), "");
        parse(a, GET "Connection: Upgrade, CLOSE\r\n\r\n", &h);
        assert_false(h.keep);
        assert_int_equal(h.length, -1);
        parse(a, GET "Connection: closer\r\n\r\n", &h);
        assert_true(h.keep);
        parse(a, "GET / HTTP/1.0\r\n\r\n", &h);
        assert_false(h.keep);
        parse(a, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &h);
        assert_true(h.keep);
}

static void
test_paths(void **state)
{
        static const struct {
                const char *in, *out; /* out NULL: refused */
        } cases[] = {{"/", "/"}, {"/a/b", "/a/b"}, {"/a%41", "/aA"}, {"/%2541", "/%41"},
            {"/a+b", "/a+b"}, {"/...", "/..."}, {"/.a", "/.a"}, {"/a.", "/a."},
            {"", NULL}, {"a", NULL}, {"/.", NULL}, {"/..", NULL}, {"/a/../b", NULL},
            {"/a/./b", NULL}, {"/%2e%2E/x", NULL}, {"/.%2e", NULL}, {"/%00", NULL},
            {"/a%00.html", NULL}, {"/%0a", NULL}, {"/%0D%0ASet-Cookie:x", NULL},
            {"/%7f", NULL}, {"/%", NULL}, {"/%4", NULL}, {"/%zz", NULL}, {"/%+1", NULL},
            {"/a\\b", NULL}, {"/a%5cb", NULL}, {"/a%2Fb", NULL}, {"/%ff", NULL},
            {"/%c0%af", NULL}, {"/%ed%a0%80", NULL}};
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct err err;
                const char *path;
                int status =
                    http_path_decode(a, cases[i].in, strlen(cases[i].in), &path, &err);

                assert_int_equal(status, cases[i].out == NULL ? 400 : 0);
                if (status == 0)
                        assert_string_equal(path, cases[i].out);
        }
}

/* ---- chunks ---- */

static int
feed(const char *p, size_t n, size_t piece, uint64_t max, struct buf *out, size_t *used)
{
        struct http_chunks c = {0};
        int rc = HTTP_CHUNKS_MORE;

        *used = 0;
        while (rc == HTTP_CHUNKS_MORE && *used < n) {
                size_t k = n - *used < piece ? n - *used : piece, n_out, took;
                char room[1000];
                struct err err;

                assert_true(k <= sizeof room);
                rc = http_chunks_feed(&c, p + *used, k, max, room, &n_out, &took, &err);
                buf_add(out, room, n_out);
                *used += took;
        }
        return rc;
}

static void
test_chunks(void **state)
{
        static const struct {
                int rc;
                const char *in, *out;
                size_t used; /* 0: all */
        } cases[] = {
            {1, "0\r\n\r\n", "", 0},
            {1, "3\r\nabc\r\n0\r\n\r\n", "abc", 0},
            {1, "0003\r\nabc\r\nA\r\n0123456789\r\n000\r\n\r\n", "abc0123456789", 0},
            {1, "3;x=\"y\"\r\nabc\r\n0;z\r\n\r\n", "abc", 0},
            {1, "1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n", "\r\n", 0},
            {1, "0\r\nX-T: 1\r\nY:\r\n\r\n", "", 0},
            {1, "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a", 11},
            {0, "3\r\nab", "ab", 0},
            {0, "3\r\nabc\r\n0\r\n", "abc", 0},
            {400, "0x3\r\nabc\r\n0\r\n\r\n", "", 1},
            {400, "+3\r\nabc", "", 0},
            {400, "-1\r\nabc", "", 0},
            {400, " 3\r\nabc", "", 0},
            {400, "3 \r\nabc", "", 0},
            {400, "3\nabc\n0\n\n", "", 0},
            {400, "3\rabc", "", 0},
            {400, "3;a\nabc", "", 0},
            {400, "3\r\nabc0\r\n\r\n", "abc", 0},
            {400, "3\r\nabc\n0\r\n\r\n", "abc", 0},
            {400, "3\r\nabcd\r\n0\r\n\r\n", "abc", 0},
            {400, "\r\n", "", 0},
            {400, ";\r\n", "", 0},
            {400, "00000000003\r\nabc", "", 0},
            {400, "FFFFFFFFFFFFFFFF\r\n", "", 0},
            {413, "FFFFFFFFFF\r\n", "", 0},
            {413, "65\r\n", "", 0},
            {413,
                "60\r\n0123456789012345678901234567890123456789012345678901234567890"
                "12345678901234567890123456789012345\r\n5\r\n",
                NULL, 0},
            {400, "0\r\nno colon\r\n\r\n", "", 0},
            {400, "0\r\n: a\r\n\r\n", "", 0},
            {400, "0\r\nA : a\r\n\r\n", "", 0},
            {400, "0\r\n folded\r\n\r\n", "", 0},
            {400, "0\r\nA: a\n\r\n", "", 0},
            {400, "0\r\n\n", "", 0},
        };

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                for (size_t piece = 1; piece < 200; piece = piece * 3 + 1) {
                        struct buf out AUTO_BUF = BUF_INIT;
                        size_t n = strlen(cases[i].in), used;
                        int rc = feed(cases[i].in, n, piece, 100, &out, &used);

                        if (rc != cases[i].rc)
                                print_error("chunks %zu: %d\n", i, rc);
                        assert_int_equal(rc, cases[i].rc);
                        if (cases[i].out != NULL)
                                assert_string_equal(buf_str(&out), cases[i].out);
                        if (rc <= 1)
                                assert_int_equal(
                                    used, cases[i].used != 0 ? cases[i].used : n);
                }
}

static void
test_chunk_limits(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT, out AUTO_BUF = BUF_INIT;
        size_t used;

        (void)state;
        buf_addf(&in, "0;%0100d\r\n\r\n", 0);
        assert_int_equal(feed(in.data, in.len, 7, 0, &out, &used), 1);
        buf_clear(&in);
        buf_addf(&in, "0;%0101d\r\n\r\n", 0);
        assert_int_equal(feed(in.data, in.len, 7, 0, &out, &used), 400);
        buf_clear(&in);
        /* extensions count each for itself */
        for (int i = 0; i < 100; i++)
                buf_addf(&in, "1;%090d\r\na\r\n", 0);
        buf_adds(&in, "0\r\n\r\n");
        assert_int_equal(feed(in.data, in.len, 999, 100, &out, &used), 1);
        assert_int_equal(out.len, 100);
        buf_clear(&in);
        buf_adds(&in, "0\r\n");
        for (int i = 0; i < 100; i++)
                buf_addf(&in, "X-%d: %090d\r\n", i, 0);
        assert_int_equal(feed(in.data, in.len, 999, 0, &out, &used), 431);
        assert_true(used <= HTTP_TRAILER_MAX + 200);
}

/* ---- who asks ---- */

static void
test_addresses(void **state)
{
        static const struct {
                const char *in, *out;
        } cases[] = {{"192.0.2.1", "192.0.2.1"}, {" 192.0.2.1\t", "192.0.2.1"},
            {"192.0.2.1:80", "192.0.2.1"}, {"2001:DB8::1", "2001:db8::1"},
            {"[2001:db8::1]:80", "2001:db8::1"}, {"[::1]", "::1"},
            {"::ffff:192.0.2.1", "192.0.2.1"}, {"[::ffff:192.0.2.1]:9", "192.0.2.1"},
            {"unix", "unix"}, {"", NULL}, {"unknown", NULL}, {"_hidden", NULL},
            {"192.0.2.256", NULL}, {"[::1", NULL}, {"[::1]x", NULL}, {"a b", NULL},
            {"1.2.3", NULL}, {":80", NULL}};

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                char out[64] = "kept";

                assert_int_equal(
                    http_address_plain(cases[i].in, strlen(cases[i].in), out),
                    cases[i].out != NULL);
                assert_string_equal(out, cases[i].out != NULL ? cases[i].out : "kept");
        }
}

static void
test_client(void **state)
{
        static const char *const proxies[] = {"127.0.0.1", "10.0.0.2", "unix"};
        static const struct {
                const char *peer, *lines, *client;
        } cases[] = {
            {"127.0.0.1", "", "127.0.0.1"},
            {"127.0.0.1", "X-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9"},
            {"unix", "X-Forwarded-For: 192.0.2.9\r\n", "192.0.2.9"},
            {"192.0.2.7", "X-Forwarded-For: 192.0.2.9\r\n", "192.0.2.7"},
            {"127.0.0.1", "X-Forwarded-For: 1.1.1.1, 192.0.2.9\r\n", "192.0.2.9"},
            {"127.0.0.1", "X-Forwarded-For: 1.1.1.1,192.0.2.9 , 10.0.0.2\r\n",
                "192.0.2.9"},
            {"127.0.0.1", "X-Forwarded-For: 192.0.2.9\r\nx-forwarded-for: 10.0.0.2\r\n",
                "192.0.2.9"},
            {"127.0.0.1", "X-Forwarded-For: 10.0.0.2\r\n", "10.0.0.2"},
            {"127.0.0.1", "X-Forwarded-For: 1.1.1.1, junk\r\n", "127.0.0.1"},
            {"127.0.0.1", "X-Forwarded-For: 1.1.1.1, unix\r\n", "127.0.0.1"},
            {"127.0.0.1", "X-Forwarded-For: 1.1.1.1, junk, 10.0.0.2\r\n", "10.0.0.2"},
            {"127.0.0.1", "X-Forwarded-For: 1.1.1.1,\r\n", "127.0.0.1"},
            {"127.0.0.1", "X-Forwarded-For: 192.0.2.9:4711\r\n", "192.0.2.9"},
            {"127.0.0.1", "X-Forwarded-For: [2001:db8::1]:1\r\n", "2001:db8::1"},
        };
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct http_head head;
                char client[64];

                parse(a, arena_printf(a, GET "%s\r\n", cases[i].lines), &head);
                http_find_client(&head, proxies, 3, cases[i].peer, client);
                assert_string_equal(client, cases[i].client);
        }
}

static void
test_secure(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct http_head h;

        (void)state;
        parse(a, GET "\r\n", &h);
        assert_false(http_forwarded_secure(&h));
        parse(a, GET "X-Forwarded-Proto: HTTPS\r\n\r\n", &h);
        assert_true(http_forwarded_secure(&h));
        parse(a, GET "X-Forwarded-Proto: https, http\r\n\r\n", &h);
        assert_false(http_forwarded_secure(&h));
        parse(a, GET "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n\r\n", &h);
        assert_false(http_forwarded_secure(&h));
}

static void
test_answer_head(void **state)
{
        struct buf own AUTO_BUF = BUF_INIT, out AUTO_BUF = BUF_INIT;

        (void)state;
        clock_test_set(784111777000000);
        buf_adds(&own, "Location: /x\r\nContent-security-policy: mine\r\n");
        http_answer_head(&out, 303, "text/html", 5, &own, "close");
        assert_memory_equal(out.data, "HTTP/1.1 303 See Other\r\n", 24);
        assert_non_null(strstr(out.data, "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
        assert_non_null(strstr(out.data, "\r\nContent-Length: 5\r\n"));
        assert_non_null(strstr(out.data, "\r\nConnection: close\r\n"));
        assert_non_null(strstr(out.data, "\r\nX-Content-Type-Options: nosniff\r\n"));
        assert_non_null(strstr(out.data, "\r\nContent-security-policy: mine\r\n"));
        assert_null(strstr(out.data, "default-src"));
        assert_string_equal(out.data + out.len - 4, "\r\n\r\n");
        buf_clear(&out);
        buf_clear(&own);
        http_answer_head(&out, 204, "", 0, &own, "");
        assert_null(strstr(out.data, "Content-Length"));
        assert_null(strstr(out.data, "Content-Type:"));
        assert_non_null(strstr(out.data, "frame-ancestors 'none'"));
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_blocks),
            cmocka_unit_test(test_find),
            cmocka_unit_test(test_many_fields),
            cmocka_unit_test(test_facts),
            cmocka_unit_test(test_paths),
            cmocka_unit_test(test_chunks),
            cmocka_unit_test(test_chunk_limits),
            cmocka_unit_test(test_addresses),
            cmocka_unit_test(test_client),
            cmocka_unit_test(test_secure),
            cmocka_unit_test(test_answer_head),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
