/*
 * Events and connections without a store: who hears what, in which frames, and
 * what becomes of those who do not read. The other end of each connection is the
 * test itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"

/* ---- patterns, channels, limits: pure ---- */

static void
patterns(void **state)
{
        (void)state;
        assert_true(glob_match("*", ""));
        assert_true(glob_match("line:*", "line:first"));
        assert_false(glob_match("line:*", "ticket:1"));
        assert_true(glob_match("l?ne:*t", "line:first"));
        assert_false(glob_match("line:?", "line:"));
        assert_true(glob_match("*a*b*c", "xxaxxbxxc"));
        assert_false(glob_match("*a*b*c", "xxaxxcxxb"));
        assert_true(glob_match("desk", "desk"));
        assert_false(glob_match("", "desk"));
        assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*b",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void
channels(void **state)
{
        (void)state;
        assert_true(channel_is_valid("me"));
        assert_true(channel_is_valid("desk"));
        assert_true(channel_is_valid("line:первая"));
        assert_true(channel_is_valid("ticket:1042"));
        assert_false(channel_is_valid("ticket:"));
        assert_false(channel_is_valid("ticket:x"));
        assert_false(channel_is_valid("line:"));
        assert_false(channel_is_valid("all"));
        assert_false(channel_is_valid(""));
}

static void
limits_from_text(void **state)
{
        const struct agents_limits before = agents_limits;
        struct err err;

        (void)state;
        assert_int_equal(limits_read(NULL, &err), 0);
        assert_int_equal(limits_read("", &err), 0);
        assert_int_equal(limits_read("args=7 grace_ms=1500,text=10", &err), 0);
        assert_int_equal(agents_limits.args, 7);
        assert_int_equal(agents_limits.grace_ms, 1500);
        assert_int_equal(agents_limits.text, 10);
        agents_limits = before;
        assert_int_equal(limits_read("colour=1", &err), -1);
        assert_string_equal(err.text, "HELPLINE_LIMITS: there is no limit 'colour'");
        assert_int_equal(limits_read("args", &err), -1);
        assert_int_equal(limits_read("args=-1", &err), -1);
        assert_int_equal(limits_read("args=1x", &err), -1);
        agents_limits = before;
}

/* ---- a server whose other ends are here ---- */

struct fixture {
        struct config config;
        struct desk desk;
        struct agents *agents;
        struct agents_limits limits; /* as they were */
};

static int
setup(void **state)
{
        struct fixture *f = calloc(1, sizeof *f);
        struct err err;

        f->limits = agents_limits;
        f->desk.loop = loop_new();
        f->desk.config = &f->config;
        f->agents = agents_open(&f->desk, &err);
        assert_non_null(f->agents);
        *state = f;
        return 0;
}

static int
teardown(void **state)
{
        struct fixture *f = *state;

        agents_free(&f->agents);
        loop_turn(f->desk.loop, 0);
        loop_free(&f->desk.loop);
        agents_limits = f->limits;
        free(f);
        return 0;
}

static void
turns(struct fixture *f)
{
        for (int i = 0; i < 8; i++)
                loop_turn(f->desk.loop, 1);
}

/* A connection of the daemon's own user on the Unix socket (an administrator). */
static int
connected(struct fixture *f, bool known)
{
        struct peer peer = {.is_unix = true, .is_loopback = true, .uid = (uid_t)-1};
        int fds[2];

        if (known)
                peer.uid = geteuid();
        snprintf(peer.address, sizeof peer.address, "unix");
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        conn_accept(f->agents, fds[0], &peer);
        return fds[1];
}

static void
say(struct fixture *f, int fd, const char *text)
{
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        turns(f);
}

/* What has come; "" nothing, "<closed>" at the end of the connection. */
static const char *
heard(struct fixture *f, int fd)
{
        static char text[100000];
        ssize_t n;

        turns(f);
        n = read(fd, text, sizeof text - 1);
        if (n == 0)
                return "<closed>";
        text[n < 0 ? 0 : n] = '\0';
        return text;
}

static void
event(struct fixture *f, const char *json)
{
        agents_event(f->agents, "1-0", json, strlen(json));
        turns(f);
}

#define TAKEN                                                                            \
        "{\"event\":\"taken\",\"ticket\":\"7\",\"line\":\"first\",\"agent\":\"anna\"}"
#define CAME "{\"event\":\"came\",\"ticket\":null,\"line\":null,\"agent\":\"anna\"}"

static void
frames_of_resp2(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, true);

        say(f, fd, "SUBSCRIBE desk ticket:7 ticket:8\r\n");
        assert_string_equal(heard(f, fd),
            "*3\r\n$9\r\nsubscribe\r\n$4\r\ndesk\r\n:1\r\n"
            "*3\r\n$9\r\nsubscribe\r\n$8\r\nticket:7\r\n:2\r\n"
            "*3\r\n$9\r\nsubscribe\r\n$8\r\nticket:8\r\n:3\r\n");
        event(f, CAME);
        assert_string_equal(
            heard(f, fd), "*3\r\n$7\r\nmessage\r\n$4\r\ndesk\r\n$57\r\n" CAME "\r\n");
        say(f, fd, "UNSUBSCRIBE desk\r\n");
        heard(f, fd);
        event(f, TAKEN);
        assert_string_equal(heard(f, fd),
            "*3\r\n$7\r\nmessage\r\n$8\r\nticket:7\r\n$60\r\n" TAKEN "\r\n");
        event(f, CAME);
        assert_string_equal(heard(f, fd), "");
        say(f, fd, "MINE\r\n");
        assert_memory_equal(heard(f, fd), "-ERR Can't execute 'MINE': only", 31);
        say(f, fd, "PING\r\n");
        assert_string_equal(heard(f, fd), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
        say(f, fd, "UNSUBSCRIBE\r\nPING\r\n");
        assert_non_null(strstr(heard(f, fd), "+PONG\r\n"));
        close(fd);
}

static void
frames_of_resp3(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, true);

        say(f, fd, "HELLO 3\r\n");
        assert_memory_equal(heard(f, fd), "%10\r\n", 5);
        say(f, fd, "PSUBSCRIBE line:* me\r\n");
        heard(f, fd);
        event(f, TAKEN);
        assert_string_equal(heard(f, fd),
            ">4\r\n$8\r\npmessage\r\n$6\r\nline:*\r\n$10\r\nline:first\r\n$60\r\n" TAKEN
            "\r\n");
        say(f, fd, "PING\r\n");
        assert_string_equal(heard(f, fd), "+PONG\r\n");
        close(fd);
}

static void
nobody_hears_unasked(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, true);

        event(f, TAKEN);
        event(f, "this is no JSON");
        assert_string_equal(heard(f, fd), "");
        say(f, fd, "SUBSCRIBE me\r\n");
        heard(f, fd);
        event(f, TAKEN); /* an administrator is no agent: nothing is his */
        assert_string_equal(heard(f, fd), "");
        close(fd);
}

/* What cannot be sent is left out, and told when he has read. */
static void
slow_reader_is_told(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, true);
        size_t n_frames = 0, told = 0;

        agents_limits.unread = 1000;
        say(f, fd, "SUBSCRIBE desk\r\n");
        for (int i = 0; i < 5000; i++)
                agents_event(f->agents, "1-0", TAKEN, strlen(TAKEN));
        for (int i = 0; i < 1000; i++) {
                const char *s = heard(f, fd);

                for (const char *p = s; (p = strstr(p, "\"taken\"")) != NULL; p++)
                        n_frames++;
                s = strstr(s, "{\"event\":\"gap\",\"missed\":");
                if (s != NULL) {
                        told = strtoul(s + 24, NULL, 10);
                        break;
                }
        }
        assert_true(told > 0);
        assert_int_equal(n_frames + told, 5000);
        event(f, CAME);
        assert_non_null(strstr(heard(f, fd), CAME));
        close(fd);
}

static void
who_never_reads_is_dropped(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, true);

        agents_limits.unread_events = 10000;
        say(f, fd, "SUBSCRIBE desk\r\n");
        assert_int_equal(agents_connections(f->agents), 1);
        for (int i = 0; i < 200; i++)
                agents_event(f->agents, "1-0", TAKEN, strlen(TAKEN));
        assert_int_equal(agents_connections(f->agents), 0);
        close(fd);
}

/* ---- connections ---- */

static void
limits_of_connections(void **state)
{
        struct fixture *f = *state;
        int fds[4];

        agents_limits.per_address = 3;
        for (int i = 0; i < 4; i++)
                fds[i] = connected(f, true);
        assert_int_equal(agents_connections(f->agents), 3);
        assert_string_equal(heard(f, fds[3]), "-ERR max number of clients reached\r\n");
        assert_string_equal(heard(f, fds[3]), "<closed>");
        close(fds[0]);
        turns(f);
        assert_int_equal(agents_connections(f->agents), 2);
        for (int i = 1; i < 4; i++)
                close(fds[i]);
}

static void
before_auth(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, false);

        say(f, fd, "PING\r\nMINE\r\nAUTH secret\r\nAUTH a b c\r\n");
        assert_memory_equal(heard(f, fd), "+PONG\r\n-NOAUTH ", 15);
        say(f, fd, "*2\r\n$4\r\nAUTH\r\n$1025\r\n");
        assert_non_null(strstr(heard(f, fd), "-TOOBIG "));
        assert_string_equal(heard(f, fd), "<closed>");
        close(fd);
}

static void
browsers_are_cut_off(void **state)
{
        static const char *const texts[] = {"POST / HTTP/1.1\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", "Host: localhost\r\n"};
        struct fixture *f = *state;

        for (size_t i = 0; i < 3; i++) {
                int fd = connected(f, true);

                say(f, fd, texts[i]);
                assert_string_equal(heard(f, fd), "<closed>");
                close(fd);
        }
}

static void
long_pipelines_take_turns(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, true), other = connected(f, true);
        size_t n = 0;

        agents_limits.stretch = 10;
        for (int i = 0; i < 100; i++)
                assert_int_equal(write(fd, "PING\r\n", 6), 6);
        assert_int_equal(write(other, "PING\r\n", 6), 6);
        loop_turn(f->desk.loop, 1);
        loop_turn(f->desk.loop, 1);
        assert_true(read(other, (char[16]){0}, 16) > 0);
        for (int i = 0; i < 60000 && n < 700; i++)
                n += strlen(heard(f, fd));
        assert_int_equal(n, 700);
        close(fd);
        close(other);
}

static void
quit_answers_first(void **state)
{
        struct fixture *f = *state;
        int fd = connected(f, true);

        say(f, fd, "PING\r\nQUIT\r\nPING\r\n");
        assert_string_equal(heard(f, fd), "+PONG\r\n+OK\r\n");
        assert_string_equal(heard(f, fd), "<closed>");
        close(fd);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(patterns),
            cmocka_unit_test(channels),
            cmocka_unit_test(limits_from_text),
            cmocka_unit_test_setup_teardown(frames_of_resp2, setup, teardown),
            cmocka_unit_test_setup_teardown(frames_of_resp3, setup, teardown),
            cmocka_unit_test_setup_teardown(nobody_hears_unasked, setup, teardown),
            cmocka_unit_test_setup_teardown(slow_reader_is_told, setup, teardown),
            cmocka_unit_test_setup_teardown(who_never_reads_is_dropped, setup, teardown),
            cmocka_unit_test_setup_teardown(limits_of_connections, setup, teardown),
            cmocka_unit_test_setup_teardown(before_auth, setup, teardown),
            cmocka_unit_test_setup_teardown(browsers_are_cut_off, setup, teardown),
            cmocka_unit_test_setup_teardown(long_pipelines_take_turns, setup, teardown),
            cmocka_unit_test_setup_teardown(quit_answers_first, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
