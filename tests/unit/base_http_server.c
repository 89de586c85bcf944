/* The gate over real sockets: order, framing, answers before the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/http_case.h"

/* ---- order and framing ---- */

static void
test_keep_alive(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd;

        (void)state;
        start(NULL);
        fd = dial();
        for (int i = 0; i < 3; i++) {
                buf_clear(&in);
                say(fd, "POST /a%20b?q HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
                assert_false(hear(fd, &in, "]", 30000));
                assert_non_null(strstr(in.data, "[/a b?q 3 96354 127.0.0.1]"));
                assert_non_null(strstr(in.data, "\r\nX-Mine: yes\r\n"));
                assert_non_null(strstr(in.data, "\r\nReferrer-Policy: same-origin\r\n"));
                assert_null(strstr(in.data, "Connection:"));
        }
        buf_clear(&in);
        say(fd, "HEAD / HTTP/1.1\r\n" HOST "\r\n");
        assert_false(hear(fd, &in, "\r\n\r\n", 30000));
        assert_string_equal(in.data + in.len - 4, "\r\n\r\n");
        assert_non_null(strstr(in.data, "Content-Length: 18\r\n"));
        buf_clear(&in);
        say(fd, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        assert_true(hear(fd, &in, NULL, 30000));
        assert_non_null(strstr(in.data, "Connection: close\r\n"));
        close(fd);
        loop_turn(loop, 5);
        assert_int_equal(http_connections(http), 0);
        assert_int_equal(n_gone, 0);
}

static void
test_http10(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        bool closed;
        int fd;

        (void)state;
        start(NULL);
        assert_int_equal(ask("GET / HTTP/1.0\r\n\r\n", 18, &in, &closed), 200);
        assert_true(closed);
        buf_clear(&in);
        fd = dial();
        say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        assert_false(hear(fd, &in, "]", 30000));
        assert_non_null(strstr(in.data, "Connection: keep-alive\r\n"));
        close(fd);
}

static void
test_pipeline(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        const char *a, *b, *c;
        int fd;

        (void)state;
        start(NULL);
        fd = dial();
        say(fd, "\r\nGET /later HTTP/1.1\r\n" HOST "\r\n"
                "POST /two HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n0\r\n\r\n\r\n"
                "GET /three HTTP/1.1\r\n" HOST "\r\n");
        assert_false(hear(fd, &in, "]", 50));
        assert_int_equal(in.len, 0);
        assert_int_equal(n_header, 1);
        answer(held, 200, "[one]");
        assert_int_equal(n_header, 1); /* the next is not begun inside the call */
        assert_false(hear(fd, &in, "/three", 30000));
        a = strstr(in.data, "[one]");
        b = strstr(in.data, "[/two? 3 96354");
        c = strstr(in.data, "[/three? 0");
        assert_true(a != NULL && b != NULL && c != NULL && a < b && b < c);
        close(fd);
}

/* 2,000 requests of one connection that nobody reads the answers of: what they make
 * here is bounded. */
static void
test_pipeline_unread(void **state)
{
        static const char one[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
        int fd, n = 0, small = 4096;

        (void)state;
        start(NULL);
        fd = dial();
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        while (n < 400000) {
                ssize_t k = send(fd, one, sizeof one - 1, MSG_NOSIGNAL);

                if (k != (ssize_t)sizeof one - 1) {
                        if (k > 0)
                                send_n(fd, one + k, sizeof one - 1 - (size_t)k);
                        break;
                }
                n++;
                if (n % 100 == 0)
                        loop_turn(loop, 0);
        }
        assert_true(n < 400000); /* at last TCP holds the client up */
        assert_true(n_header < n);
        close(fd);
}

static void
test_splits(void **state)
{
        static const char text[] =
            "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
            "3;e=1\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\nGET /y HTTP/1.1\r\n" HOST "\r\n";

        (void)state;
        start(NULL);
        for (size_t cut = 1; cut < sizeof text - 1; cut++) {
                struct buf in AUTO_BUF = BUF_INIT;
                int fd = dial();

                assert_true(send_n(fd, text, cut));
                loop_turn(loop, 0);
                assert_true(send_n(fd, text + cut, sizeof text - 1 - cut));
                assert_false(hear(fd, &in, "/y?", 30000));
                assert_non_null(strstr(in.data, "[/x? 5 92599395 "));
                close(fd);
        }
}

static void
test_hostile(void **state)
{
        static const struct {
                int status;
                const char *text;
        } cases[] = {
            {400, "GET / HTTP/1.1\n" HOST "\n"},
            {400, "\x16\x03\x01"},
            {400, "POST / HTTP/1.1\r\n" HOST
                  "Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc"},
            {400, "POST / HTTP/1.1\r\n" HOST
                  "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
            {400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0x3\r\n"},
            {400,
                "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd"},
            {413, "POST /none HTTP/1.1\r\n" HOST
                  "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"},
            {413, "POST / HTTP/1.1\r\n" HOST
                  "Transfer-Encoding: chunked\r\n\r\n3000000\r\n"},
            {413, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\nabc"},
            {413, "POST / HTTP/1.1\r\n" HOST
                  "Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n"},
            {413, "GET /none HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n"},
            {411, "POST / HTTP/1.1\r\n" HOST "\r\n"},
            {405, "DELETE / HTTP/1.1\r\n" HOST "\r\n"},
            {501, "BREW / HTTP/1.1\r\n" HOST "\r\n"},
            {505, "GET / HTTP/3.0\r\n" HOST "\r\n"},
            {417, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: x\r\n\r\n"},
            {400, "\r\n\r\n\r\n\r\n\r\n\r\n"},
        };

        (void)state;
        start(NULL);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct buf in AUTO_BUF = BUF_INIT;
                bool closed;
                int n_before = n_end;
                int status = ask(cases[i].text, strlen(cases[i].text), &in, &closed);

                if (status != cases[i].status || !closed)
                        print_error("hostile %zu: %d %d\n", i, status, closed);
                assert_int_equal(status, cases[i].status);
                assert_true(closed);
                assert_int_equal(count(&in, "HTTP/1.1 "), 1);
                assert_int_equal(n_end, n_before);
        }
        assert_int_equal(n_gone, 7); /* those that had passed on_header */
        assert_int_equal(http_connections(http), 0);
}

static void
test_long(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT, text AUTO_BUF = BUF_INIT;
        bool closed;

        (void)state;
        start(NULL);
        buf_adds(&text, "GET /");
        for (int i = 0; i < 100000; i++)
                buf_addc(&text, 'a');
        assert_int_equal(ask(text.data, text.len, &in, &closed), 414);
        buf_clear(&text);
        buf_clear(&in);
        buf_adds(&text, "GET / HTTP/1.1\r\n" HOST "X: ");
        for (int i = 0; i < 1000000; i++)
                buf_addc(&text, 'a');
        assert_int_equal(ask(text.data, text.len, &in, &closed), 431);
        assert_true(closed);
        assert_int_equal(n_header, 0);
}

/* ---- answers before the body's end ---- */

static void
test_early(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd;

        (void)state;
        start(NULL);
        fd = dial();
        /* a short rest is eaten and the connection goes on */
        say(fd, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\nabc");
        assert_false(hear(fd, &in, "early", 30000));
        assert_null(strstr(in.data, "Connection: close"));
        for (int i = 0; i < 59997; i += 3)
                say(fd, "GET");
        buf_clear(&in);
        say(fd, "POST /mid HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab");
        assert_false(hear(fd, &in, "mid", 30000));
        say(fd, "cdeGET /after HTTP/1.1\r\n" HOST "\r\n");
        assert_false(hear(fd, &in, "]", 30000));
        assert_non_null(strstr(in.data, "[/after? 0"));
        close(fd);
        /* a long one ends it, and the answer arrives though the client goes on */
        buf_clear(&in);
        fd = dial();
        say(fd, "POST /early HTTP/1.1\r\n" HOST "Content-Length: 20000000\r\n\r\n");
        for (int i = 0; i < 100; i++) {
                static const char piece[20000];

                send_n(fd, piece, sizeof piece);
        }
        hear(fd, &in, "early", 30000);
        assert_non_null(strstr(buf_str(&in), "Connection: close"));
        close(fd);
        /* chunks, too */
        buf_clear(&in);
        fd = dial();
        say(fd, "POST /mid HTTP/1.1\r\n" HOST
                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\n");
        assert_true(hear(fd, &in, NULL, 30000));
        assert_non_null(strstr(in.data, "mid"));
        assert_non_null(strstr(in.data, "Connection: close"));
        close(fd);
        buf_clear(&in);
        fd = dial();
        say(fd, "POST /mid HTTP/1.1\r\n" HOST
                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                "GET /after HTTP/1.1\r\n" HOST "\r\n");
        assert_false(hear(fd, &in, "]", 30000));
        assert_non_null(strstr(in.data, "mid"));
        close(fd);
}

static void
test_continue(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd;

        (void)state;
        start(NULL);
        fd = dial();
        say(fd, "POST / HTTP/1.1\r\n" HOST
                "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        assert_false(hear(fd, &in, "\r\n\r\n", 30000));
        assert_string_equal(in.data, "HTTP/1.1 100 Continue\r\n\r\n");
        say(fd, "abc");
        assert_false(hear(fd, &in, "]", 30000));
        assert_non_null(strstr(in.data, "[/? 3 "));
        /* refused before the body: no 100, and the connection ends */
        buf_clear(&in);
        say(fd, "POST /early HTTP/1.1\r\n" HOST
                "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        assert_true(hear(fd, &in, NULL, 30000));
        assert_memory_equal(in.data, "HTTP/1.1 403 ", 13);
        close(fd);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
            T(test_keep_alive),
            T(test_http10),
            T(test_pipeline),
            T(test_pipeline_unread),
            T(test_splits),
            T(test_hostile),
            T(test_long),
            T(test_early),
            T(test_continue),
        };

        log_set_level(LOG_LEVEL_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
