/*
 * The server's further ways: bodies asked for later, answers without a foreseen end, and
 * what is kept for a connection until it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/http.h"
#include "daemon/base/log.h"

#define HOST "Host: a\r\n"
#define WAIT_MS 20000

static struct loop *loop;
static struct http *http;
static struct http_request *held;
static int n_gone, n_drain, n_eof, n_closed;
static bool broke;
static uint64_t n_body;

static int64_t
on_header(void *arg, struct http_request *r)
{
        (void)arg;
        if (http_peer_state(r) == NULL)
                http_set_peer_state(r, &n_closed);
        if (strcmp(http_path(r), "/later") != 0)
                return 100;
        held = r;
        return HTTP_LATER;
}

static int
on_body(void *arg, struct http_request *r, const char *p, size_t n)
{
        (void)arg;
        (void)r;
        (void)p;
        n_body += n;
        return 0;
}

static void
on_end(void *arg, struct http_request *r)
{
        (void)arg;
        held = r;
        if (strcmp(http_path(r), "/stream") == 0)
                http_stream_begin(r, 200, "text/event-stream");
        else if (strcmp(http_path(r), "/wait") != 0) {
                held = NULL;
                http_answer(r, 200, "text/plain", "[ok]", 4);
        }
}

static void
on_gone(void *arg, struct http_request *r)
{
        (void)arg;
        n_gone++;
        if (held == r)
                held = NULL;
}

static void
on_drain(void *arg, struct http_request *r)
{
        (void)arg;
        assert_ptr_equal(r, held);
        n_drain++;
}

static void
on_eof(void *arg, void *state)
{
        (void)arg;
        assert_ptr_equal(state, &n_closed);
        n_eof++;
}

static void
on_closed(void *arg, void *state, bool how)
{
        (void)arg;
        assert_ptr_equal(state, &n_closed);
        n_closed++;
        broke = how;
}

static int
setup(void **state)
{
        static const struct http_handlers handlers = {.on_header = on_header,
            .on_body = on_body,
            .on_end = on_end,
            .on_gone = on_gone,
            .on_drain = on_drain,
            .on_eof = on_eof,
            .on_closed = on_closed};
        static const char *const listen[] = {"127.0.0.1:0"};
        const struct http_options o = {
            .listen = listen, .n_listen = 1, .max_per_address = 2};
        struct err err;

        (void)state;
        loop = loop_new();
        held = NULL;
        n_body = 0;
        n_gone = n_drain = n_eof = n_closed = 0;
        broke = false;
        http = http_open(loop, &o, &handlers, NULL, &err);
        return http == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
        (void)state;
        http_close(&http);
        loop_free(&loop);
        return 0;
}

static int
dial(const char *text)
{
        struct sockaddr_in a = {.sin_family = AF_INET};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        a.sin_port = htons((uint16_t)atoi(strrchr(http_address(http), ':') + 1));
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        return fd;
}

/* Turns until it is true; asserts that it becomes so. */
#define until(what)                                                                      \
        do {                                                                             \
                int64_t end_us = clock_read_mono_us() + WAIT_MS * 1000;                  \
                                                                                         \
                while (!(what)) {                                                        \
                        assert_true(clock_read_mono_us() < end_us);                      \
                        loop_turn(loop, 2);                                              \
                }                                                                        \
        } while (0)

/* What has come; true: the end, too. */
static bool
take(int fd, struct buf *in)
{
        char room[65536];
        ssize_t k = recv(fd, room, sizeof room, 0);

        if (k > 0)
                buf_add(in, room, (size_t)k);
        return k == 0 || (k == -1 && errno != EAGAIN);
}

static void
test_a_body_asked_for_later(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd = dial("POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
                      "POST /later HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n");

        (void)state;
        until(held != NULL);
        for (int i = 0; i < 5; i++)
                loop_turn(loop, 1);
        assert_int_equal(n_body, 0);
        http_want(held, 100);
        until((take(fd, &in), strstr(buf_str(&in), "[ok]") != NULL));
        assert_int_equal(n_body, 5);
        until(held != NULL);
        http_want(held, 100); /* too large */
        until(take(fd, &in));
        assert_non_null(strstr(in.data, "HTTP/1.1 413 "));
        assert_int_equal(n_gone, 1);
        close(fd);
}

static void
test_refused_before_its_body(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd = dial("POST /later HTTP/1.1\r\n" HOST
                      "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");

        (void)state;
        until(held != NULL);
        http_answer(held, 401, "text/plain", "no", 2);
        until(take(fd, &in));
        assert_non_null(strstr(in.data, "HTTP/1.1 401 "));
        assert_null(strstr(in.data, "100 Continue"));
        close(fd);
        until(n_closed == 1);
        assert_false(broke);
}

static void
test_a_stream(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd = dial("GET /stream HTTP/1.1\r\n" HOST "\r\n");

        (void)state;
        until(held != NULL);
        http_stream_write(held, "data: 1\n\n", 9);
        until((take(fd, &in), strstr(buf_str(&in), "data: 1\n\n") != NULL));
        assert_null(strstr(in.data, "Content-Length"));
        assert_non_null(strstr(in.data, "Connection: close\r\n"));
        until(n_drain > 0);
        assert_int_equal(http_stream_unsent(held), 0);
        http_stream_write(held, "bye\n", 4);
        http_stream_end(held);
        until(take(fd, &in));
        assert_string_equal(in.data + in.len - 4, "bye\n");
        assert_int_equal(n_gone, 0);
        close(fd);
        until(n_closed == 1);
        assert_false(broke);
}

static void
test_a_stream_whose_reader_leaves(void **state)
{
        int fd = dial("GET /stream HTTP/1.1\r\n" HOST "\r\n");

        (void)state;
        until(held != NULL);
        close(fd);
        until(n_gone == 1);
        until(n_closed == 1);
        fd = dial("GET /stream HTTP/1.1\r\n" HOST "\r\n");
        until(held != NULL);
        http_drain(http);
        until(n_gone == 2);
        close(fd);
}

/* The client goes while its answer is awaited: it is told at once, and before that the
 * request can ask. */
static void
test_gone_while_it_waits(void **state)
{
        int fd = dial("GET /wait HTTP/1.1\r\n" HOST "\r\n");

        (void)state;
        until(held != NULL);
        assert_false(http_peer_gone(held));
        shutdown(fd, SHUT_WR);
        until(http_peer_gone(held));
        until(n_eof == 1);
        assert_int_equal(n_gone, 0);
        http_answer(held, 200, "text/plain", "[ok]", 4);
        close(fd);
        until(n_closed == 1);
}

/* An answer that lies unread when the client closes is followed by a reset. */
static void
test_an_answer_that_was_not_read(void **state)
{
        int fd = dial("GET / HTTP/1.1\r\n" HOST "\r\n");

        (void)state;
        for (int i = 0; i < 10; i++)
                loop_turn(loop, 2);
        close(fd);
        until(n_closed == 1);
        assert_true(broke);

        fd = dial("GET /wait HTTP/1.1\r\n" HOST "\r\n"); /* closed first, answered then */
        until(held != NULL);
        close(fd);
        until(n_eof == 1);
        http_answer(held, 200, "text/plain", "[ok]", 4);
        until(n_closed == 2);
        assert_true(broke);
}

static void
test_an_answer_that_was_read(void **state)
{
        struct buf in AUTO_BUF = BUF_INIT;
        int fd = dial("GET / HTTP/1.1\r\n" HOST "\r\n");

        (void)state;
        until((take(fd, &in), strstr(buf_str(&in), "[ok]") != NULL));
        close(fd);
        until(n_closed == 1);
        assert_int_equal(n_eof, 1);
        assert_false(broke);
}

static void
test_who_is_known_is_not_counted(void **state)
{
        int fd[4];

        (void)state;
        for (int i = 0; i < 4; i++) {
                held = NULL;
                fd[i] = dial("GET /wait HTTP/1.1\r\n" HOST "\r\n");
                until(held != NULL);
                http_is_known(held);
        }
        for (int i = 0; i < 4; i++)
                close(fd[i]);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
            T(test_a_body_asked_for_later),
            T(test_refused_before_its_body),
            T(test_a_stream),
            T(test_a_stream_whose_reader_leaves),
            T(test_gone_while_it_waits),
            T(test_an_answer_that_was_not_read),
            T(test_an_answer_that_was_read),
            T(test_who_is_known_is_not_counted),
        };

        log_set_level(LOG_LEVEL_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
