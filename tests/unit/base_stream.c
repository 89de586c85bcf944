/* Streams and listeners: TCP and Unix, ends of all kinds, limits, long paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/stream.h"

/* One end as the test sees it. */
struct end {
        struct stream *s;
        struct buf got;
        struct err why;
        int n_connect, n_read, n_drain, n_eof, n_close;
        bool keep; /* on_read leaves the input unread */
        bool close_on_read; /* closes in on_read */
        bool close_on_drain;
        bool close_on_eof;
};

static struct loop *loop;
static char folder[64];
static int accepted_fd;
static int n_accepted;
static struct peer accepted_peer;

static void
on_connect(void *arg)
{
        ((struct end *)arg)->n_connect++;
}

static void
on_read(void *arg)
{
        struct end *e = arg;
        const char *p;
        size_t n;

        e->n_read++;
        p = stream_input(e->s, &n);
        if (e->keep)
                return;
        buf_add(&e->got, p, n);
        stream_consume(e->s, n);
        if (e->close_on_read)
                stream_close(&e->s);
}

static void
on_drain(void *arg)
{
        struct end *e = arg;

        e->n_drain++;
        if (e->close_on_drain)
                stream_close(&e->s);
}

static void
on_eof(void *arg)
{
        struct end *e = arg;

        e->n_eof++;
        if (e->close_on_eof)
                stream_close(&e->s);
}

static void
on_close(void *arg, const struct err *why)
{
        struct end *e = arg;

        e->n_close++;
        e->why = *why;
        stream_close(&e->s);
}

static const struct stream_handlers handlers = {
    on_connect, on_read, on_drain, NULL, on_close};
static const struct stream_handlers half_handlers = {
    on_connect, on_read, on_drain, on_eof, on_close};

static void
on_accept(void *arg, int fd, const struct peer *peer)
{
        (void)arg;
        if (accepted_fd >= 0)
                close(accepted_fd);
        accepted_fd = fd;
        accepted_peer = *peer;
        n_accepted++;
}

static int
setup(void **state)
{
        (void)state;
        loop = loop_new();
        strcpy(folder, "/tmp/base_stream.XXXXXX");
        assert_non_null(mkdtemp(folder));
        accepted_fd = -1;
        n_accepted = 0;
        return 0;
}

static int
teardown(void **state)
{
        char cmd[128];

        (void)state;
        if (accepted_fd >= 0)
                close(accepted_fd);
        loop_free(&loop);
        snprintf(cmd, sizeof cmd, "rm -rf %s", folder);
        return system(cmd);
}

/* Turns until *n is at least want, at most 10 s. */
static void
until(const int *n, int want)
{
        int64_t start_us = clock_read_mono_us();

        while (*n < want && clock_read_mono_us() - start_us < 60000000)
                loop_turn(loop, 20);
        assert_true(*n >= want);
}

static void
turns(int n)
{
        while (n-- > 0)
                loop_turn(loop, 5);
}

/* A stream over one half of a socket pair; returns the other half. */
static int
end_open(struct end *e, const struct stream_handlers *h)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        e->s = stream_new(loop, pair[0], h, e);
        return pair[1];
}

/* A connected pair over TCP: ours as a stream, the other as a descriptor. */
static int
end_open_tcp(struct end *e, const struct stream_handlers *h)
{
        struct err err = {0};
        struct listener *l = listener_open(loop, "127.0.0.1:0", 0, on_accept, NULL, &err);
        int fd;

        assert_non_null(l);
        e->s = stream_connect(loop, listener_address(l), 2000, h, e);
        until(&e->n_connect, 1);
        until(&n_accepted, 1);
        listener_close(&l);
        fd = accepted_fd;
        accepted_fd = -1;
        return fd;
}

static void
test_bytes_both_ways(void **state)
{
        struct end e = {0};
        int fd = end_open(&e, &handlers);
        char buf[16];

        (void)state;
        assert_int_equal(write(fd, "hello", 5), 5);
        until(&e.n_read, 1);
        assert_string_equal(buf_str(&e.got), "hello");
        stream_write(e.s, "wo", 2);
        stream_write(e.s, "rld", 3);
        stream_write(e.s, "", 0);
        assert_int_equal(stream_unsent(e.s), 5);
        until(&e.n_drain, 1);
        assert_int_equal(stream_unsent(e.s), 0);
        assert_int_equal(read(fd, buf, sizeof buf), 5);
        assert_memory_equal(buf, "world", 5);
        assert_false(stream_peer_gone(e.s));
        turns(2);
        assert_int_equal(e.n_drain, 1);
        close(fd);
        assert_true(stream_peer_gone(e.s));
        until(&e.n_close, 1);
        assert_string_equal(e.why.text, "the other side closed the connection");
        assert_null(e.s);
        buf_fini(&e.got);
}

static void
test_half_close_leaves_our_side(void **state)
{
        struct end e = {0};
        int fd = end_open_tcp(&e, &half_handlers);
        char buf[16];

        (void)state;
        assert_int_equal(write(fd, "last", 4), 4);
        shutdown(fd, SHUT_WR);
        until(&e.n_eof, 1);
        assert_string_equal(buf_str(&e.got), "last");
        assert_true(stream_peer_gone(e.s));
        stream_pause(e.s, true);
        stream_pause(e.s, false); /* does not hear the end twice */
        turns(3);
        assert_int_equal(e.n_eof, 1);
        stream_write(e.s, "answer", 6);
        until(&e.n_drain, 1);
        assert_int_equal(read(fd, buf, sizeof buf), 6);
        assert_int_equal(e.n_close, 0);
        stream_close(&e.s);
        assert_int_equal(
            read(fd, buf, sizeof buf), 0); /* closed at once, not at a turn's end */
        close(fd);
        buf_fini(&e.got);
}

static void
test_close_inside_each_handler(void **state)
{
        for (int i = 0; i < 3; i++) {
                struct end e = {.close_on_read = i == 0,
                    .close_on_drain = i == 1,
                    .close_on_eof = i == 2};
                int fd = end_open(&e, &half_handlers);

                (void)state;
                assert_int_equal(write(fd, "a", 1), 1);
                stream_write(e.s, "b", 1);
                shutdown(fd, SHUT_WR);
                for (int j = 0; j < 20 && e.s != NULL; j++)
                        loop_turn(loop, 5);
                assert_null(e.s);
                assert_int_equal(e.n_close, 0);
                turns(2);
                close(fd);
                buf_fini(&e.got);
        }
}

static void
test_reset_is_told(void **state)
{
        struct linger hard = {1, 0};
        struct end e = {0};
        int fd = end_open_tcp(&e, &handlers);

        (void)state;
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        assert_true(stream_peer_gone(e.s));
        until(&e.n_close, 1);
        assert_non_null(strstr(e.why.text, "Connection reset by peer"));
        assert_int_equal(e.why.kind, ERR_RETRY);
}

static void
test_write_to_the_gone_is_told_once(void **state)
{
        struct end e = {0};
        int fd = end_open(&e, &half_handlers);

        (void)state;
        close(fd);
        until(&e.n_eof, 1);
        stream_write(e.s, "x", 1);
        until(&e.n_close, 1);
        turns(2);
        assert_int_equal(e.n_close, 1);
        assert_non_null(strstr(e.why.text, "Broken pipe"));
}

static void
test_limit_and_pause_hold_the_peer_back(void **state)
{
        static char block[65536];
        struct end e = {.keep = true};
        int fd = end_open(&e, &handlers);
        size_t n, sent = 0;
        ssize_t rc;

        (void)state;
        stream_limit_input(e.s, 1000);
        for (int i = 0; i < 100; i++) {
                while ((rc = write(fd, block, sizeof block)) > 0)
                        sent += (size_t)rc;
                loop_turn(loop, 0);
        }
        stream_input(e.s, &n);
        assert_int_equal(n, 1000);
        assert_true(sent < 1 << 20);
        stream_pause(e.s, true);
        stream_consume(e.s, 900);
        e.n_read = 0;
        turns(3);
        stream_input(e.s, &n);
        assert_int_equal(n, 100);
        assert_int_equal(e.n_read, 0);
        stream_pause(e.s, false); /* shows what lies there and reads on */
        until(&e.n_read, 1);
        turns(2);
        stream_input(e.s, &n);
        assert_int_equal(n, 1000);
        e.keep = false;
        stream_limit_input(e.s, 0);
        stream_consume(e.s, 1000);
        for (int i = 0; i < 200 && e.got.len + 1900 < sent; i++)
                loop_turn(loop, 5);
        assert_int_equal(e.got.len + 1900, sent);
        stream_close(&e.s);
        close(fd);
        buf_fini(&e.got);
}

static void
test_look_again_of_a_closed_stream(void **state)
{
        struct end e = {.keep = true};
        int fd = end_open(&e, &handlers);

        (void)state;
        assert_int_equal(write(fd, "abc", 3), 3);
        until(&e.n_read, 1);
        stream_pause(e.s, true);
        stream_pause(e.s, false);
        stream_close(&e.s);
        turns(2);
        assert_int_equal(e.n_read, 1);
        close(fd);
}

static void
test_last_words_arrive_although_input_was_not_read(void **state)
{
        static char big[300000];
        struct end e = {.keep = true};
        int fd = end_open_tcp(&e, &handlers);
        size_t got = 0;
        ssize_t rc;

        (void)state;
        memset(big, 'x', sizeof big);
        stream_limit_input(e.s, 10);
        assert_true(write(fd, big, 200000) > 0);
        turns(2);
        stream_write(e.s, big, sizeof big);
        stream_close_after_write(&e.s, 5000);
        assert_null(e.s);
        for (int i = 0; i < 500; i++) {
                loop_turn(loop, 1);
                while ((rc = read(fd, big, sizeof big)) > 0)
                        got += (size_t)rc;
                if (rc == 0)
                        break;
                assert_int_equal(errno, EAGAIN);
        }
        assert_int_equal(rc, 0);
        assert_int_equal(got, sizeof big);
        assert_int_equal(e.n_close, 0);
        close(fd);
        turns(3);
}

static void
test_closing_has_a_deadline(void **state)
{
        static char big[4 << 20];
        struct end e = {0}, idle = {0};
        int fd = end_open(&e, &handlers), idle_fd = end_open(&idle, &handlers);
        int64_t start_us = clock_read_mono_us();
        struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};

        (void)state;
        stream_write(e.s, big, sizeof big); /* nobody reads it */
        stream_close_after_write(&e.s, 100);
        stream_close_after_write(&idle.s, 60000); /* freed with the loop */
        while (clock_read_mono_us() - start_us < 2000000 &&
               !(poll(&p, 1, 0) == 1 && (p.revents & POLLRDHUP)))
                loop_turn(loop, 10);
        assert_true(p.revents & POLLRDHUP);
        assert_true(clock_read_mono_us() - start_us >= 90000);
        close(fd);
        close(idle_fd);
}

static void
test_connect_fails_in_words(void **state)
{
        static const char *const bad[][2] = {
            {"127.0.0.1:1", "cannot connect to 127.0.0.1:1: Connection refused"},
            {"unix:/nowhere/x.sock",
                "cannot connect to unix:/nowhere/x.sock: No such file or directory"},
            {"nonsense",
                "\"nonsense\" is no address; write HOST:PORT, [IPV6]:PORT or unix:/PATH"},
            {"::1:80",
                "\"::1:80\" is no address; write HOST:PORT, [IPV6]:PORT or unix:/PATH"},
            {"[::1:80",
                "\"[::1:80\" is no address; write HOST:PORT, [IPV6]:PORT or unix:/PATH"},
            {"1.2.3.4:70000", "\"1.2.3.4:70000\" is no address; write HOST:PORT, "
                              "[IPV6]:PORT or unix:/PATH"},
            {"unix:/tmp/", "\"unix:/tmp/\" names no socket file"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct end e = {0};

                e.s = stream_connect(loop, bad[i][0], 2000, &handlers, &e);
                assert_non_null(e.s);
                assert_int_equal(e.n_close, 0); /* never before it has returned */
                stream_write(e.s, "x", 1);
                until(&e.n_close, 1);
                assert_string_equal(e.why.text, bad[i][1]);
                turns(1);
        }
}

static void
test_connect_by_name(void **state)
{
        struct err err = {0};
        struct listener *l = listener_open(loop, "127.0.0.1:0", 0, on_accept, NULL, &err);
        struct end e = {0};
        char name[64] = "", address[128];

        (void)state;
        /* our own name, which /etc/hosts or the resolver of a machine knows */
        assert_int_equal(gethostname(name, sizeof name - 1), 0);
        snprintf(
            address, sizeof address, "%s%s", name, strrchr(listener_address(l), ':'));
        e.s = stream_connect(loop, address, 5000, &handlers, &e);
        stream_write(e.s, "early", 5);
        while (e.n_connect + e.n_close == 0)
                loop_turn(loop, 50);
        if (e.n_connect == 1) /* the name may mean another address than 127.0.0.1 */
                until(&e.n_drain, 1);
        stream_close(&e.s);
        memset(&e, 0, sizeof e);
        e.s = stream_connect(loop, "no-such-host.invalid:80", 5000, &handlers, &e);
        while (e.n_close == 0)
                loop_turn(loop, 50);
        assert_non_null(strstr(e.why.text, "no-such-host.invalid"));
        assert_int_equal(e.why.kind, ERR_RETRY);
        /* given up while it is looked up */
        e.s = stream_connect(loop, "no-such-host.invalid:80", 5000, &handlers, &e);
        stream_close(&e.s);
        e.s = stream_connect(loop, "no-such-host.invalid:80", 5000, &handlers, &e);
        stream_close_after_write(&e.s, 100);
        usleep(50000);
        listener_close(&l);
}

static void
test_connect_has_a_deadline(void **state)
{
        struct sockaddr_in in = {
            .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof in;
        int full = socket(AF_INET, SOCK_STREAM, 0), clients[4];
        struct end e = {0};
        char address[64];

        (void)state;
        /* a queue that is full: the kernel drops further SYNs */
        assert_int_equal(bind(full, (struct sockaddr *)&in, len), 0);
        assert_int_equal(listen(full, 0), 0);
        getsockname(full, (struct sockaddr *)&in, &len);
        for (int i = 0; i < 4; i++) {
                clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
                connect(clients[i], (struct sockaddr *)&in, sizeof in);
        }
        usleep(20000);
        snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(in.sin_port));
        e.s = stream_connect(loop, address, 100, &handlers, &e);
        until(&e.n_close, 1);
        assert_non_null(strstr(e.why.text, "no answer within 100 ms"));
        for (int i = 0; i < 4; i++)
                close(clients[i]);
        close(full);
}

static void
test_written_before_the_connection_stands(void **state)
{
        struct err err = {0};
        struct listener *l = listener_open(loop, "[::1]:0", 0, on_accept, NULL, &err);
        struct end e = {0};
        char buf[8];

        (void)state;
        if (l == NULL) /* a machine without IPv6 */
                l = listener_open(loop, "127.0.0.1:0", 0, on_accept, NULL, &err);
        assert_non_null(l);
        e.s = stream_connect(loop, listener_address(l), 2000, &handlers, &e);
        stream_write(e.s, "early", 5);
        until(&e.n_drain, 1);
        until(&n_accepted, 1);
        usleep(1000);
        assert_int_equal(read(accepted_fd, buf, sizeof buf), 5);
        assert_true(accepted_peer.is_loopback);
        assert_false(accepted_peer.is_unix);
        assert_non_null(strchr(accepted_peer.address, ':'));
        stream_keepalive(e.s);
        assert_true(stream_fd(e.s) >= 0);
        stream_close(&e.s);
        /* and closed before it stands */
        e.s = stream_connect(loop, listener_address(l), 2000, &handlers, &e);
        stream_close(&e.s);
        e.s = stream_connect(loop, listener_address(l), 2000, &handlers, &e);
        stream_close_after_write(&e.s, 100);
        turns(3);
        listener_close(&l);
}

static void
test_unix_listener(void **state)
{
        struct err err = {0};
        char address[128];
        struct listener *l, *second;
        struct end e = {0};
        struct stat st;
        int fd;

        (void)state;
        snprintf(address, sizeof address, "unix:%s/a.sock", folder);
        umask(077);
        l = listener_open(loop, address, 0660, on_accept, NULL, &err);
        assert_non_null(l);
        assert_string_equal(listener_address(l), address);
        assert_int_equal(stat(address + 5, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0660);
        e.s = stream_connect(loop, address, 2000, &handlers, &e);
        until(&n_accepted, 1);
        assert_true(accepted_peer.is_unix && accepted_peer.is_loopback);
        assert_int_equal(accepted_peer.uid, getuid());
        assert_int_equal(accepted_peer.pid, getpid());
        assert_string_equal(accepted_peer.address, "unix");
        assert_true(fcntl(accepted_fd, F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(accepted_fd, F_GETFD) & FD_CLOEXEC);
        stream_close(&e.s);
        /* a live one is not taken away */
        second = listener_open(loop, address, 0660, on_accept, NULL, &err);
        assert_null(second);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_non_null(strstr(err.text, "another process listens there"));
        listener_close(&l);
        assert_int_equal(stat(address + 5, &st), -1);
        turns(1);
        /* a dead one is replaced */
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        strcpy(un.sun_path, address + 5);
        assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
        close(fd);
        l = listener_open(loop, address, 0600, on_accept, NULL, &err);
        assert_non_null(l);
        /* a file that took its place is spared */
        unlink(address + 5);
        close(open(address + 5, O_CREAT | O_WRONLY, 0600));
        listener_close(&l);
        assert_int_equal(stat(address + 5, &st), 0);
        /* and is no socket to replace */
        assert_null(listener_open(loop, address, 0600, on_accept, NULL, &err));
        assert_int_equal(stat(address + 5, &st), 0);
}

static void
test_long_unix_path(void **state)
{
        struct err err = {0};
        struct buf address = BUF_INIT;
        struct listener *l;
        struct end e = {0};
        struct stat st;
        int fd;

        (void)state;
        buf_addf(&address, "unix:%s", folder);
        for (int i = 0; i < 4; i++) {
                buf_adds(&address,
                    "/a-folder-with-quite-a-long-name-that-goes-on-and-on-and-on");
                assert_int_equal(mkdir(buf_str(&address) + 5, 0700), 0);
        }
        buf_adds(&address, "/x.sock");
        assert_true(address.len > 240);
        for (int i = 0; i < 2; i++) { /* the second time it is stale */
                l = listener_open(loop, buf_str(&address), 0660, on_accept, NULL, &err);
                assert_non_null(l);
                assert_string_equal(listener_address(l), buf_str(&address));
                assert_int_equal(stat(buf_str(&address) + 5, &st), 0);
                assert_int_equal(st.st_mode & 0777, 0660);
                e.n_connect = n_accepted = 0;
                e.s = stream_connect(loop, buf_str(&address), 2000, &handlers, &e);
                until(&e.n_connect, 1);
                until(&n_accepted, 1);
                stream_close(&e.s);
                assert_null(
                    listener_open(loop, buf_str(&address), 0660, on_accept, NULL, &err));
                fd = stream_connect_blocking(buf_str(&address), 1000, &err);
                assert_true(fd >= 0);
                close(fd);
                if (i == 0) { /* as a killed process leaves it */
                        char other[8192];

                        snprintf(other, sizeof other, "%s.hidden", buf_str(&address) + 5);
                        assert_int_equal(rename(buf_str(&address) + 5, other), 0);
                        listener_close(&l);
                        assert_int_equal(rename(other, buf_str(&address) + 5), 0);
                }
        }
        listener_close(&l);
        buf_fini(&address);
}

static void
test_listener_errors_and_takeover(void **state)
{
        struct err err = {0};
        struct listener *l = listener_open(loop, "127.0.0.1:0", 0, on_accept, NULL, &err),
                        *l2;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct end e = {0};

        (void)state;
        assert_non_null(l);
        assert_null(listener_open(loop, listener_address(l), 0, on_accept, NULL, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_non_null(strstr(err.text, "choose another port"));
        assert_null(listener_open(loop, "127.0.0.1", 0, on_accept, NULL, &err));
        assert_null(
            listener_open(loop, "unix:/nowhere/a/b", 0600, on_accept, NULL, &err));
        assert_non_null(strstr(err.text, "No such file or directory"));
        assert_null(listener_from_fd(loop, fd, on_accept, NULL, &err));
        assert_int_equal(listen(fd, 5), 0);
        l2 = listener_from_fd(loop, fd, on_accept, NULL, &err);
        assert_non_null(l2);
        listener_pause(l2, true);
        /* bound to 0.0.0.0 by the kernel: ask through loopback */
        char address[64];
        snprintf(
            address, sizeof address, "127.0.0.1%s", strrchr(listener_address(l2), ':'));
        e.s = stream_connect(loop, address, 2000, &handlers, &e);
        until(&e.n_connect, 1); /* in the kernel's queue */
        turns(3);
        assert_int_equal(n_accepted, 0);
        listener_pause(l2, false);
        until(&n_accepted, 1);
        stream_close(&e.s);
        listener_close(&l2);
        listener_close(&l);
}

static void
test_listener_rests_without_descriptors(void **state)
{
        struct err err = {0};
        struct listener *l = listener_open(loop, "127.0.0.1:0", 0, on_accept, NULL, &err);
        struct rlimit old, low;
        struct end e = {0};

        (void)state;
        assert_non_null(l);
        e.s = stream_connect(loop, listener_address(l), 2000, &handlers, &e);
        getrlimit(RLIMIT_NOFILE, &old);
        low = old;
        low.rlim_cur = 3;
        setrlimit(RLIMIT_NOFILE, &low);
        log_set_level(LOG_LEVEL_ERROR);
        turns(5);
        assert_int_equal(n_accepted, 0);
        log_set_level(LOG_LEVEL_INFO);
        setrlimit(RLIMIT_NOFILE, &old);
        until(&n_accepted, 1);
        stream_close(&e.s);
        listener_close(&l);
}

static void
test_blocking_connect(void **state)
{
        struct err err = {0};
        struct listener *l = listener_open(loop, "127.0.0.1:0", 0, on_accept, NULL, &err);
        char named[64];
        int fd;

        (void)state;
        fd = stream_connect_blocking(listener_address(l), 1000, &err);
        assert_true(fd >= 0);
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
        close(fd);
        snprintf(named, sizeof named, "localhost%s", strrchr(listener_address(l), ':'));
        fd = stream_connect_blocking(named, 1000, &err);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(stream_connect_blocking("127.0.0.1:1", 1000, &err), -1);
        assert_string_equal(
            err.text, "cannot connect to 127.0.0.1:1: Connection refused");
        listener_close(&l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(test_bytes_both_ways),
            TEST(test_half_close_leaves_our_side),
            TEST(test_close_inside_each_handler),
            TEST(test_reset_is_told),
            TEST(test_write_to_the_gone_is_told_once),
            TEST(test_limit_and_pause_hold_the_peer_back),
            TEST(test_look_again_of_a_closed_stream),
            TEST(test_last_words_arrive_although_input_was_not_read),
            TEST(test_closing_has_a_deadline),
            TEST(test_connect_fails_in_words),
            TEST(test_connect_by_name),
            TEST(test_connect_has_a_deadline),
            TEST(test_written_before_the_connection_stands),
            TEST(test_unix_listener),
            TEST(test_long_unix_path),
            TEST(test_listener_errors_and_takeover),
            TEST(test_listener_rests_without_descriptors),
            TEST(test_blocking_connect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
