/* The gate over real sockets: order, deadlines, limits, ends of all kinds, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/http.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/stream.h"
#include "tests/unit/patience.h"

#define MB (1024 * 1024)

/* What the handlers keep of a request. */
struct job {
        uint64_t n_bytes;
        unsigned sum; /* of the bytes, by place */
};

static struct loop *loop;
static struct http *http;
static struct http_request *held; /* of /later */
static int n_header, n_end, n_gone;
static int64_t max_body;

/* ---- the handlers ---- */

static void
job_free(struct http_request *r)
{
        free(http_state(r));
}

static void
answer(struct http_request *r, int status, const char *text)
{
        job_free(r);
        http_answer(r, status, "text/plain", text, strlen(text));
}

static int64_t
on_header(void *arg, struct http_request *r)
{
        const char *path = http_path(r);

        (void)arg;
        n_header++;
        if (strcmp(path, "/early") == 0) {
                answer(r, 403, "early");
                return -1;
        }
        http_set_state(r, xcalloc(1, sizeof(struct job)));
        return strcmp(path, "/none") == 0 ? 0 : max_body;
}

static int
on_body(void *arg, struct http_request *r, const char *p, size_t n)
{
        struct job *j = http_state(r);

        (void)arg;
        for (size_t i = 0; i < n; i++)
                j->sum = j->sum * 31 + (unsigned char)p[i];
        j->n_bytes += n;
        if (strcmp(http_path(r), "/mid") != 0)
                return 0;
        answer(r, 422, "mid");
        return -1;
}

static void
on_end(void *arg, struct http_request *r)
{
        struct job *j = http_state(r);
        char text[400];

        (void)arg;
        n_end++;
        if (strcmp(http_path(r), "/later") == 0) {
                held = r;
                return;
        }
        if (strcmp(http_path(r), "/close") == 0) {
                http_close(&http);
                return;
        }
        if (strcmp(http_path(r), "/big") == 0) {
                char *big = xcalloc(1, 8 * MB);

                job_free(r);
                http_answer(r, 200, "text/plain", big, 8 * MB);
                free(big);
                return;
        }
        snprintf(text, sizeof text, "[%s?%s %llu %u %s%s]", http_path(r), http_query(r),
            (unsigned long long)j->n_bytes, j->sum, http_client(r),
            http_is_secure(r) ? " https" : "");
        http_add_header(r, "X-Mine", "yes");
        answer(r, 200, text);
}

static void
on_gone(void *arg, struct http_request *r)
{
        (void)arg;
        n_gone++;
        if (r == held)
                held = NULL;
        job_free(r);
}

static const struct http_handlers handlers = {
    .on_header = on_header, .on_body = on_body, .on_end = on_end, .on_gone = on_gone};

/* ---- set up ---- */

static void
start(const struct http_options *more)
{
        static const char *const listen[] = {"127.0.0.1:0"};
        struct http_options o = {0};
        struct err err;

        if (more != NULL)
                o = *more;
        o.listen = listen;
        o.n_listen = 1;
        http = http_open(loop, &o, &handlers, NULL, &err);
        assert_non_null(http);
}

static int
setup(void **state)
{
        (void)state;
        loop = loop_new();
        held = NULL;
        n_header = n_end = n_gone = 0;
        max_body = 25 * MB;
        return 0;
}

static int
teardown(void **state)
{
        (void)state;
        http_close(&http);
        loop_free(&loop);
        return 0;
}

/* ---- the client ---- */

static int
dial(void)
{
        struct sockaddr_in a = {.sin_family = AF_INET};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        a.sin_port = htons((uint16_t)atoi(strrchr(http_address(http), ':') + 1));
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
}

/* false: the server does not want it any more. */
static bool
send_n(int fd, const char *p, size_t n)
{
        while (n > 0) {
                ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

                if (k == -1 && errno != EAGAIN)
                        return false;
                if (k > 0) {
                        p += k;
                        n -= (size_t)k;
                }
                loop_turn(loop, k > 0 ? 0 : 1);
        }
        return true;
}

static void
say(int fd, const char *text)
{
        assert_true(send_n(fd, text, strlen(text)));
}

/* Reads until the end of file (true), the text is there, or ms are over. */
static bool
hear(int fd, struct buf *in, const char *until, int64_t ms)
{
        int64_t end = clock_read_mono_us() + ms * 1000;

        while (clock_read_mono_us() < end) {
                char room[65536];
                ssize_t k;

                loop_turn(loop, 2);
                k = recv(fd, room, sizeof room, 0);
                if (k == 0 || (k == -1 && errno != EAGAIN))
                        return true;
                if (k > 0)
                        buf_add(in, room, (size_t)k);
                if (until != NULL && strstr(buf_str(in), until) != NULL)
                        return false;
        }
        return false;
}

static unsigned
count(const struct buf *b, const char *word)
{
        unsigned n = 0;

        for (const char *p = buf_str(b); (p = strstr(p, word)) != NULL; p++)
                n++;
        return n;
}

/* Says it on a connection of its own and hears all there is; the status of the last
 * answer, 0: none. *closed: the server ended the connection. */
static int
ask(const char *text, size_t n, struct buf *in, bool *closed)
{
        const char *last = NULL;
        int fd = dial();

        send_n(fd, text, n);
        *closed = hear(fd, in, "]", 60);
        if (!*closed)
                *closed = hear(fd, in, NULL, 20);
        close(fd);
        loop_turn(loop, 2);
        for (const char *p = buf_str(in); (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
                last = p;
        return last == NULL ? 0 : atoi(last + 9);
}

#define HOST "Host: a\r\n"

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

/* ---- deadlines ---- */

/* Says a byte every few ms for as long as it is let; ms until the end. */
static int64_t
drip(const char *begin, const char *byte, struct buf *in)
{
        int64_t began = clock_read_mono_us();
        int fd = dial();

        say(fd, begin);
        while (clock_read_mono_us() - began < 3000000) {
                if (!send_n(fd, byte, strlen(byte)) || hear(fd, in, NULL, 10))
                        break;
        }
        close(fd);
        return (clock_read_mono_us() - began) / 1000;
}

static void
test_slow(void **state)
{
        struct http_options o = {.header_ms = 150,
            .idle_ms = 200,
            .body_min_rate = 1000,
            .body_window_ms = 200};
        struct buf in AUTO_BUF = BUF_INIT;
        int64_t ms;
        int fd;

        (void)state;
        start(&o);
        ms = drip("GET / HTTP/1.1\r\n", "X: 1\r\n", &in);
        assert_true(ms >= 140 && ms < 1500);
        assert_memory_equal(buf_str(&in), "HTTP/1.1 408 ", 13);
        buf_clear(&in);
        ms = drip("POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n", "a", &in);
        assert_true(ms >= 190 && ms < 1500);
        assert_memory_equal(buf_str(&in), "HTTP/1.1 408 ", 13);
        assert_int_equal(n_gone, 1);
        buf_clear(&in);
        ms = drip(
            "POST /early HTTP/1.1\r\n" HOST "Content-Length: 50000\r\n\r\n", "a", &in);
        assert_true(ms >= 190 && ms < 1500);
        assert_int_equal(count(&in, "HTTP/1.1 "), 1);
        /* silence: no 408, only the end */
        buf_clear(&in);
        fd = dial();
        assert_true(hear(fd, &in, NULL, 30000));
        assert_int_equal(in.len, 0);
        close(fd);
        fd = dial();
        say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
        assert_true(hear(fd, &in, NULL, 30000));
        assert_int_equal(count(&in, "HTTP/1.1 "), 1);
        close(fd);
        loop_turn(loop, 5);
        assert_int_equal(http_connections(http), 0);
}

/* The handlers do not answer. */
static void
test_no_answer(void **state)
{
        struct http_options o = {.answer_ms = 100};
        struct buf in AUTO_BUF = BUF_INIT;
        int fd;

        (void)state;
        start(&o);
        fd = dial();
        say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
        assert_true(hear(fd, &in, NULL, 30000));
        assert_memory_equal(in.data, "HTTP/1.1 503 ", 13);
        assert_int_equal(n_gone, 1);
        assert_int_equal(n_header, 1);
        assert_null(held);
        close(fd);
}

/* A body at more than the least rate is left in peace over many windows. */
static void
test_steady(void **state)
{
        struct http_options o = {.body_min_rate = 1000, .body_window_ms = 100};
        struct buf in AUTO_BUF = BUF_INIT;
        int fd;

        (void)state;
        start(&o);
        fd = dial();
        say(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 10000\r\n\r\n");
        for (int i = 0; i < 50; i++) {
                char piece[200] = {0};

                assert_true(send_n(fd, piece, sizeof piece));
                assert_false(hear(fd, &in, NULL, 10));
        }
        assert_false(hear(fd, &in, "]", 30000));
        assert_non_null(strstr(in.data, "[/? 10000 "));
        close(fd);
}

/* He asks for much and reads nothing. */
static void
test_slow_reader(void **state)
{
        struct http_options o = {
            .idle_ms = 200, .body_min_rate = 1000, .body_window_ms = 200};
        struct buf in AUTO_BUF = BUF_INIT;
        int64_t end;
        int fd, other;

        (void)state;
        start(&o);
        fd = dial();
        other = dial();
        say(fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");
        say(other, "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        end = clock_read_mono_us() + 2000000;
        while (http_connections(http) > 0 && clock_read_mono_us() < end)
                loop_turn(loop, 10);
        assert_int_equal(http_connections(http), 0);
        close(fd);
        close(other);
        fd = dial();
        say(fd, "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        assert_true(hear(fd, &in, NULL, 30000));
        assert_true(in.len > 8 * MB);
        close(fd);
}

/* ---- ends ---- */

static void
test_half_closed(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd;

        (void)state;
        start(NULL);
        fd = dial(); /* a whole request: it is answered */
        say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n");
        shutdown(fd, SHUT_WR);
        assert_false(hear(fd, &in, NULL, 50));
        assert_int_equal(n_gone, 0);
        answer(held, 200, "[a]");
        assert_true(hear(fd, &in, NULL, 30000));
        assert_int_equal(count(&in, "HTTP/1.1 200"), 2);
        close(fd);
        fd = dial(); /* half a body: gone */
        say(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc");
        shutdown(fd, SHUT_WR);
        buf_clear(&in);
        assert_true(hear(fd, &in, NULL, 30000));
        assert_int_equal(in.len, 0);
        assert_int_equal(n_gone, 1);
        close(fd);
        fd = dial(); /* half a header: the end */
        say(fd, "GET / HT");
        shutdown(fd, SHUT_WR);
        assert_true(hear(fd, &in, NULL, 30000));
        assert_int_equal(in.len, 0);
        close(fd);
        assert_int_equal(http_connections(http), 0);
}

static void
test_reset(void **state)
{
        struct linger hard = {1, 0};
        int fd;

        (void)state;
        start(NULL);
        fd = dial();
        say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
        loop_turn(loop, 5);
        assert_non_null(held);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        for (int i = 0; i < 20 && n_gone == 0; i++)
                loop_turn(loop, 5);
        assert_int_equal(n_gone, 1);
        assert_null(held);
        assert_int_equal(http_connections(http), 0);
}

static void
test_close_inside(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int one, two;

        (void)state;
        start(NULL);
        one = dial();
        two = dial();
        say(one, "GET /later HTTP/1.1\r\n" HOST "\r\n");
        loop_turn(loop, 5);
        assert_non_null(held);
        say(two, "GET /close HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
        assert_true(hear(two, &in, NULL, 30000));
        assert_true(hear(one, &in, NULL, 30000));
        assert_int_equal(n_gone, 2);
        assert_null(http);
        close(one);
        close(two);
}

static void
test_drain(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int idle, busy, half;

        (void)state;
        start(NULL);
        idle = dial();
        busy = dial();
        half = dial();
        say(idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
        assert_false(hear(idle, &in, "]", 30000));
        say(busy, "GET /later HTTP/1.1\r\n" HOST "\r\n");
        say(half, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
        loop_turn(loop, 5);
        assert_int_equal(http_connections(http), 3);
        http_drain(http);
        assert_true(hear(idle, &in, NULL, 30000));
        close(idle);
        buf_clear(&in);
        say(half, "bc");
        assert_true(hear(half, &in, NULL, 30000));
        assert_non_null(strstr(buf_str(&in), "Connection: close"));
        close(half);
        buf_clear(&in);
        answer(held, 200, "[late]");
        assert_true(hear(busy, &in, NULL, 30000));
        assert_non_null(strstr(buf_str(&in), "[late]"));
        close(busy);
        loop_turn(loop, 5);
        assert_int_equal(http_connections(http), 0);
}

/* ---- limits, proxies ---- */

static void
test_limits(void **state)
{
        struct http_options o = {.max_connections = 3, .max_per_address = 2};
        struct buf in AUTO_BUF = BUF_INIT;
        int fd[5];

        (void)state;
        start(&o);
        for (int i = 0; i < 3; i++)
                fd[i] = dial();
        say(fd[2], "GET / HTTP/1.1\r\n" HOST "\r\n");
        assert_true(hear(fd[2], &in, NULL, 30000));
        assert_memory_equal(buf_str(&in), "HTTP/1.1 503 ", 13);
        assert_non_null(strstr(in.data, "of your address"));
        assert_non_null(strstr(in.data, "Retry-After: "));
        assert_int_equal(http_connections(http), 2);
        close(fd[2]);
        close(fd[1]);
        loop_turn(loop, 5);
        buf_clear(&in);
        fd[1] = dial();
        say(fd[1], "GET / HTTP/1.1\r\n" HOST "\r\n");
        assert_false(hear(fd[1], &in, "]", 30000));
        close(fd[0]);
        close(fd[1]);
}

/* A crowd over the limits costs a bounded number of connections. */
static void
test_crowd(void **state)
{
        struct http_options o = {.max_connections = 3};
        int fd[150], n_open = 0;

        (void)state;
        start(&o);
        for (int i = 0; i < 150; i++)
                fd[i] = dial();
        for (int i = 0; i < 200; i++)
                loop_turn(loop, 1);
        assert_int_equal(http_connections(http), 3);
        for (int i = 0; i < 150; i++) {
                char c;

                n_open += recv(fd[i], &c, 1, 0) == -1 && errno == EAGAIN;
                close(fd[i]);
        }
        assert_int_equal(n_open, 3);
        for (int i = 0; i < 200; i++)
                loop_turn(loop, 1);
        assert_int_equal(http_connections(http), 0);
}

static void
test_proxy(void **state)
{
        static const char *const proxies[] = {"::ffff:127.0.0.1"};
        struct http_options o = {
            .max_per_address = 1, .proxies = proxies, .n_proxies = 1};
        struct buf in AUTO_BUF = BUF_INIT;
        int one, two, three;

        (void)state;
        start(&o);
        one = dial();
        two = dial();
        three = dial();
        say(one, "GET /later HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.9\r\n\r\n");
        loop_turn(loop, 5);
        assert_non_null(held);
        say(two, "GET /b HTTP/1.1\r\n" HOST "X-Forwarded-For: 6.6.6.6, 192.0.2.8\r\n"
                 "X-Forwarded-Proto: https\r\n\r\n");
        assert_false(hear(two, &in, "]", 30000));
        assert_non_null(strstr(in.data, "[/b? 0 0 192.0.2.8 https]"));
        buf_clear(&in);
        say(two, "GET /b HTTP/1.1\r\n" HOST "\r\n");
        assert_false(hear(two, &in, "]", 30000));
        assert_non_null(strstr(in.data, "[/b? 0 0 127.0.0.1]"));
        buf_clear(&in);
        say(three, "GET /b HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.9\r\n\r\n");
        assert_true(hear(three, &in, NULL, 30000));
        assert_memory_equal(in.data, "HTTP/1.1 503 ", 13);
        answer(held, 200, "[a]");
        buf_clear(&in);
        say(two, "GET /c HTTP/1.1\r\n" HOST "X-Forwarded-For: 192.0.2.9\r\n\r\n");
        assert_false(hear(two, &in, "]", 30000));
        assert_non_null(strstr(in.data, "192.0.2.9"));
        close(one);
        close(two);
        close(three);
}

static void
test_untrusted(void **state)
{
        static const char *const proxies[] = {"192.0.2.1"};
        struct http_options o = {.proxies = proxies, .n_proxies = 1};
        struct buf in AUTO_BUF = BUF_INIT;
        int fd;

        (void)state;
        start(&o);
        fd = dial();
        say(fd, "GET / HTTP/1.1\r\n" HOST
                "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n\r\n");
        assert_false(hear(fd, &in, "]", 30000));
        assert_non_null(strstr(in.data, " 127.0.0.1]"));
        close(fd);
}

/* A proxy on a Unix socket is one that "unix" names. */
static void
test_unix(void **state)
{
        static const char *const proxies[] = {"unix"};
        char path[64] = "unix:/tmp/base_http.XXXXXX";
        const char *const listen[] = {path};
        struct http_options o = {
            .listen = listen, .n_listen = 1, .proxies = proxies, .n_proxies = 1};
        struct buf in AUTO_BUF = BUF_INIT;
        struct err err;
        int fd = mkstemp(path + 5);

        (void)state;
        close(fd);
        unlink(path + 5);
        http = http_open(loop, &o, &handlers, NULL, &err);
        assert_non_null(http);
        assert_string_equal(http_address(http), path);
        fd = stream_connect_blocking(path, 1000, &err);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        say(fd, "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: 2001:DB8::1\r\n\r\n");
        assert_false(hear(fd, &in, "]", 30000));
        assert_non_null(strstr(in.data, " 2001:db8::1]"));
        close(fd);
}

static void
test_open(void **state)
{
        static const char *const bad[] = {"help.example"};
        const char *listen[] = {NULL};
        struct http_options o = {.listen = listen, .n_listen = 1};
        struct http *second;
        struct err err = {0};

        (void)state;
        start(NULL);
        listen[0] = http_address(http);
        assert_null(http_open(loop, &o, &handlers, NULL, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_non_null(strstr(err.text, "another process listens there"));
        o.next_free_port = true;
        second = http_open(loop, &o, &handlers, NULL, &err);
        assert_non_null(second);
        assert_string_not_equal(http_address(second), http_address(http));
        http_close(&second);
        o.proxies = bad;
        o.n_proxies = 1;
        assert_null(http_open(loop, &o, &handlers, NULL, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
}

/* ---- memory ---- */

/* sanitizers: what was freed is kept for a while */
enum { GROWTH_MAX_KB = (SANITIZED ? 500 : 12) * 1024 };

static long
most_memory_kb(void)
{
        struct rusage u;

        getrusage(RUSAGE_SELF, &u);
        return u.ru_maxrss;
}

/* 50 bodies of 20 MB at once: what is held is little. */
static void
test_memory(void **state)
{
        enum { N = FEWER(50), PIECE = 65536, SIZE = 20 * MB };
        static char piece[PIECE];
        size_t left[N];
        long before = most_memory_kb(), growth;
        int fd[N], n_done = 0;

        (void)state;
        start(NULL);
        for (int i = 0; i < N; i++) {
                fd[i] = dial();
                say(fd[i], "POST / HTTP/1.1\r\n" HOST "Content-Length: 20971520\r\n\r\n");
                left[i] = SIZE;
        }
        while (n_done < N) {
                for (int i = 0; i < N; i++) {
                        size_t n = left[i] < PIECE ? left[i] : PIECE;
                        ssize_t k = n == 0 ? 0 : send(fd[i], piece, n, MSG_NOSIGNAL);

                        assert_true(k >= 0 || errno == EAGAIN);
                        left[i] -= k > 0 ? (size_t)k : 0;
                        n_done += k > 0 && left[i] == 0;
                }
                loop_turn(loop, 0);
        }
        for (int i = 0; i < N; i++) {
                struct buf in AUTO_BUF = BUF_INIT;

                assert_false(hear(fd[i], &in, "]", 30000));
                assert_non_null(strstr(in.data, "[/? 20971520 0 "));
                close(fd[i]);
        }
        growth = most_memory_kb() - before;
        print_message("grew by %ld KB for %d x %d MB\n", growth, N, SIZE / MB);
        assert_true(growth < GROWTH_MAX_KB);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
            T(test_memory), /* first: its peak must not hide behind another's */
            T(test_keep_alive),
            T(test_http10),
            T(test_pipeline),
            T(test_pipeline_unread),
            T(test_splits),
            T(test_hostile),
            T(test_long),
            T(test_early),
            T(test_continue),
            T(test_slow),
            T(test_no_answer),
            T(test_steady),
            T(test_unix),
            T(test_slow_reader),
            T(test_half_closed),
            T(test_reset),
            T(test_close_inside),
            T(test_drain),
            T(test_limits),
            T(test_crowd),
            T(test_proxy),
            T(test_untrusted),
            T(test_open),
        };

        log_set_level(LOG_LEVEL_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
