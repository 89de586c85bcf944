/* The gate over real sockets: deadlines, ends of all kinds, limits, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "tests/unit/http_case.h"
#include "tests/unit/patience.h"

/* ---- deadlines ---- */

/* Says a byte every few ms for as long as it is let; ms until the end. */
static int64_t
drip(const char *begin, const char *byte, struct buf *in)
{
        int64_t began = clock_read_mono_us();
        int fd = dial();

        say(fd, begin);
        while (clock_read_mono_us() - began < 30000000) {
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
        assert_true(ms >= 140 && ms < 20000);
        assert_memory_equal(buf_str(&in), "HTTP/1.1 408 ", 13);
        buf_clear(&in);
        ms = drip("POST / HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n", "a", &in);
        assert_true(ms >= 190 && ms < 20000);
        assert_memory_equal(buf_str(&in), "HTTP/1.1 408 ", 13);
        assert_int_equal(n_gone, 1);
        buf_clear(&in);
        ms = drip(
            "POST /early HTTP/1.1\r\n" HOST "Content-Length: 50000\r\n\r\n", "a", &in);
        assert_true(ms >= 190 && ms < 20000);
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
        struct http_options o = {.body_min_rate = 200, .body_window_ms = 100};
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
        end = clock_read_mono_us() + 60000000;
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
        for (int i = 0; i < 6000 && n_gone == 0; i++)
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
