/* The connection to Redis against a server that misbehaves on command, and a real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/resp.h"
#include "daemon/base/stream.h"
#include "queue/redis_conn.h"

static struct loop *loop;
static char folder[64];
static char address[128];

/* ---- the fake: one connection at a time ---- */

static struct fake {
        struct listener *l;
        struct stream *s;
        int n_accepted;
        int n_commands; /* of all connections, without PING AUTH SELECT */
        struct buf seen; /* their words, "a b\n" */
        int loading; /* so many PINGs are answered LOADING */
        int mute_from; /* this command and all later ones are not answered; 0 none */
        int cut_at; /* the connection is cut instead of answering this; 0 none */
        bool refuse_auth;
        const char *answer; /* of each command; NULL: +<its number> */
} fake;

static void
fake_answer(int argc, const struct resp_arg *argv)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (strcmp(argv[0].s, "AUTH") == 0 || strcmp(argv[0].s, "SELECT") == 0) {
                buf_adds(&b, fake.refuse_auth ? "-WRONGPASS no\r\n" : "+OK\r\n");
        } else if (strcmp(argv[0].s, "PING") == 0) {
                buf_adds(&b, fake.loading > 0 ? "-LOADING wait\r\n" : "+PONG\r\n");
                fake.loading -= fake.loading > 0;
        } else {
                int n = ++fake.n_commands;

                for (int i = 0; i < argc; i++)
                        buf_addf(&fake.seen, "%s%s", i > 0 ? " " : "",
                            argv[i].len < 100 ? argv[i].s : "long");
                buf_adds(&fake.seen, "\n");
                if (fake.cut_at == n) {
                        stream_close_after_write(&fake.s, 1000);
                        return;
                }
                if (fake.mute_from != 0 && n >= fake.mute_from)
                        return;
                if (fake.answer != NULL)
                        buf_adds(&b, fake.answer);
                else
                        buf_addf(&b, ":%d\r\n", n);
        }
        stream_write(fake.s, b.data, b.len);
}

static void
fake_on_read(void *arg)
{
        const struct resp_limits lim = {8 << 20, 16 << 20, 64, 1000};
        (void)arg;

        while (fake.s != NULL) {
                struct arena *a AUTO_ARENA = arena_new();
                struct resp_arg *argv;
                struct err err;
                size_t n, need;
                int argc;
                const char *p = stream_input(fake.s, &n);
                long used =
                    n == 0 ? 0
                           : resp_request_parse(p, n, &lim, a, &argv, &argc, &need, &err);

                assert_true(used >= 0);
                if (used == 0)
                        return;
                stream_consume(fake.s, (size_t)used);
                fake_answer(argc, argv);
        }
}

static void
fake_on_close(void *arg, const struct err *why)
{
        (void)arg;
        (void)why;
        stream_close(&fake.s);
}

static const struct stream_handlers fake_handlers = {
    .on_read = fake_on_read, .on_close = fake_on_close};

static void
fake_on_accept(void *arg, int fd, const struct peer *peer)
{
        (void)arg;
        (void)peer;
        if (fake.s != NULL)
                stream_close(&fake.s);
        fake.n_accepted++;
        fake.s = stream_new(loop, fd, &fake_handlers, NULL);
}

static void
fake_open(void)
{
        struct err err;

        fake.l = listener_open(loop, address, 0600, fake_on_accept, NULL, &err);
        assert_non_null(fake.l);
}

static void
fake_close(void)
{
        if (fake.s != NULL)
                stream_close(&fake.s);
        if (fake.l != NULL)
                listener_close(&fake.l);
}

/* ---- our side ---- */

static struct owner {
        struct redis_conn *c;
        int n_connect, n_disconnect;
        struct err why;
        bool hold; /* on_connect does not call ready */
        bool load_first; /* on_connect sends LOADSCRIPT first */
} owner;

static struct got {
        int n;
        enum err_kind kind[2000];
        int tag[2000];
        long long number[2000];
        char text[2000][200];
        bool free_conn; /* the next answer frees the connection */
} got;

static void
on_answer(void *arg, const struct err *err, const struct redisReply *r)
{
        int i = got.n++;

        got.tag[i] = (int)(intptr_t)arg;
        got.kind[i] = err != NULL ? err->kind : ERR_NONE;
        snprintf(got.text[i], 200, "%.199s",
            err != NULL      ? err->text
            : r->str != NULL ? r->str
                             : "");
        got.number[i] = r != NULL ? r->integer : -1;
        if (got.free_conn)
                redis_conn_free(&owner.c);
}

static void
on_first(void *arg, const struct err *err, const struct redisReply *r)
{
        (void)arg;
        (void)r;
        if (err == NULL)
                redis_conn_ready(owner.c);
}

static void
on_connect(void *arg)
{
        (void)arg;
        owner.n_connect++;
        if (owner.load_first)
                redis_conn_send_first(owner.c, 1, (const char *const[]){"LOADSCRIPT"},
                    NULL, on_first, NULL);
        else if (!owner.hold)
                redis_conn_ready(owner.c);
}

static void
on_disconnect(void *arg, const struct err *why)
{
        (void)arg;
        owner.n_disconnect++;
        owner.why = *why;
}

static const struct redis_conn_handlers handlers = {on_connect, on_disconnect};

static void
conn_open(const char *password, bool blocking)
{
        struct redis_conn_options o = {.address = address,
            .password = password,
            .connect_ms = 500,
            .command_ms = 300,
            .blocking = blocking};

        owner.c = redis_conn_new(loop, &o, &handlers, NULL);
        redis_conn_start(owner.c);
}

static void
send_tag(const char *word, int tag, bool repeat, int64_t deadline_ms)
{
        char number[16];

        snprintf(number, sizeof number, "%d", tag);
        redis_conn_send(owner.c, 2, (const char *const[]){word, number}, NULL, repeat,
            deadline_ms, on_answer, (void *)(intptr_t)tag);
}

static bool
until_n(int n, int64_t ms)
{
        int64_t end = clock_read_mono_us() + ms * 1000;

        while (got.n < n && clock_read_mono_us() < end)
                loop_turn(loop, 10);
        return got.n >= n;
}

static bool
until(bool (*what)(void), int64_t ms)
{
        int64_t end = clock_read_mono_us() + ms * 1000;

        while (!what() && clock_read_mono_us() < end)
                loop_turn(loop, 10);
        return what();
}

static bool
is_ready(void)
{
        return redis_conn_is_ready(owner.c);
}

static bool
is_down(void)
{
        return owner.n_disconnect > 0;
}

static int
setup(void **state)
{
        (void)state;
        log_set_level(LOG_LEVEL_ERROR + 1);
        memset(&fake, 0, sizeof fake);
        memset(&owner, 0, sizeof owner);
        memset(&got, 0, sizeof got);
        snprintf(folder, sizeof folder, "/tmp/queue_conn.XXXXXX");
        assert_non_null(mkdtemp(folder));
        snprintf(address, sizeof address, "unix:%s/r.sock", folder);
        loop = loop_new();
        return 0;
}

static int
teardown(void **state)
{
        char path[128];
        (void)state;

        if (owner.c != NULL)
                redis_conn_free(&owner.c);
        fake_close();
        loop_turn(loop, 0);
        loop_turn(loop, 0);
        loop_free(&loop);
        buf_fini(&fake.seen);
        snprintf(path, sizeof path, "%s/r.sock", folder);
        unlink(path);
        rmdir(folder);
        return 0;
}

static void
answers_come_in_order(void **state)
{
        (void)state;
        fake_open();
        conn_open("secret", false);
        for (int i = 0; i < 1000; i++)
                send_tag("C", i, true, 5000);
        assert_int_equal(got.n, 0);
        assert_true(until_n(1000, 30000));
        for (int i = 0; i < 1000; i++) {
                assert_int_equal(got.tag[i], i);
                assert_int_equal(got.number[i], i + 1);
        }
        assert_int_equal(redis_conn_pending(owner.c), 0);
        assert_int_equal(owner.n_disconnect, 0);
}

static void
window_is_kept(void **state)
{
        (void)state;
        fake_open();
        fake.mute_from = 1;
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        for (int i = 0; i < 200; i++)
                send_tag("C", i, false, 100);
        for (int i = 0; i < 5; i++)
                loop_turn(loop, 5);
        assert_int_equal(fake.n_commands, 64);
        assert_true(until_n(200, 30000));
        /* Those in flight may have been done, the others were never sent. */
        for (int i = 0; i < 200; i++)
                assert_int_equal(got.kind[i], got.tag[i] < 64 ? ERR_UNSURE : ERR_RETRY);
}

static void
window_of_bytes_is_kept(void **state)
{
        char *big = xcalloc(1, 3 << 20);
        size_t lens[] = {1, 3 << 20};
        (void)state;

        memset(big, 'x', 3 << 20);
        fake_open();
        fake.mute_from = 1;
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        for (int i = 0; i < 3; i++)
                redis_conn_send(owner.c, 2, (const char *const[]){"C", big}, lens, true,
                    5000, on_answer, NULL);
        for (int i = 0; i < 1000 && fake.n_commands == 0; i++)
                loop_turn(loop, 5);
        for (int i = 0; i < 20; i++)
                loop_turn(loop, 1);
        assert_int_equal(fake.n_commands, 1);
        free(big);
}

/* The server dies with commands in flight: what may be repeated is, in order and
 * before what waited; the rest is unsure. */
static void
repeats_in_order_after_a_cut(void **state)
{
        (void)state;
        fake_open();
        fake.cut_at = 3;
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        owner.load_first = true;
        for (int i = 1; i <= 6; i++)
                send_tag("C", i, i != 5, 5000);
        assert_true(until_n(6, 30000));
        assert_int_equal(owner.n_disconnect, 1);
        assert_int_equal(owner.n_connect, 2);
        for (int i = 0; i < 6; i++)
                assert_int_equal(got.kind[i], got.tag[i] == 5 ? ERR_UNSURE : ERR_NONE);
        assert_string_equal(
            buf_str(&fake.seen), "C 1\nC 2\nC 3\nLOADSCRIPT\nC 3\nC 4\nC 6\n");
}

/* A dead peer: nothing comes any more. The connection is built anew and all that may
 * be repeated is. */
static void
silence_rebuilds(void **state)
{
        (void)state;
        fake_open();
        fake.mute_from = 2;
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        send_tag("C", 1, true, 5000);
        send_tag("C", 2, true, 5000);
        send_tag("C", 3, false, 5000);
        loop_turn(loop, 5);
        assert_true(until(is_down, 30000));
        fake.mute_from = 0;
        assert_true(until_n(3, 30000));
        assert_int_equal(fake.n_accepted, 2);
        assert_string_equal(owner.why.text, "Redis does not answer");
        for (int i = 0; i < 3; i++)
                assert_int_equal(got.kind[i], got.tag[i] == 3 ? ERR_UNSURE : ERR_NONE);
}

/* A command whose own time is over leaves a place that swallows its late answer. */
static void
late_answer_is_swallowed(void **state)
{
        (void)state;
        fake_open();
        fake.mute_from = 1;
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        send_tag("C", 1, true, 50);
        send_tag("C", 2, true, 5000);
        assert_true(until_n(1, 30000));
        assert_int_equal(got.tag[0], 1);
        assert_int_equal(got.kind[0], ERR_UNSURE);
        stream_write(fake.s, ":71\r\n:72\r\n", 10);
        assert_true(until_n(2, 30000));
        assert_int_equal(got.tag[1], 2);
        assert_int_equal(got.number[1], 72);
        assert_int_equal(owner.n_disconnect, 0);
}

static void
no_server_is_retry(void **state)
{
        (void)state;
        conn_open("", false);
        send_tag("C", 1, true, 100);
        assert_true(until_n(1, 30000));
        assert_int_equal(got.kind[0], ERR_RETRY);
        assert_int_equal(owner.n_disconnect, 1); /* told once, though tried more often */
        send_tag("C", 2, true, 5000);
        fake_open();
        assert_true(until_n(2, 30000));
        assert_int_equal(got.kind[1], ERR_NONE);
}

static void
loading_is_waited_out(void **state)
{
        (void)state;
        fake_open();
        fake.loading = 8; /* 800 ms: longer than the time for connecting */
        conn_open("", false);
        send_tag("C", 1, true, 200);
        assert_true(until_n(1, 30000));
        assert_int_equal(got.kind[0], ERR_RETRY);
        assert_non_null(strstr(got.text[0], "loading"));
        assert_false(redis_conn_is_ready(owner.c));
        assert_int_equal(owner.n_connect, 0);
        assert_true(until(is_ready, 30000));
        assert_int_equal(fake.n_accepted, 1);
}

static void
wrong_password_is_told(void **state)
{
        (void)state;
        fake_open();
        fake.refuse_auth = true;
        conn_open("wrong", false);
        assert_true(until(is_down, 30000));
        assert_int_equal(owner.why.kind, ERR_CONFIG);
        assert_non_null(strstr(owner.why.text, "password"));
        fake.refuse_auth = false;
        assert_true(until(is_ready, 30000));
}

static void
answer_nobody_asked_for(void **state)
{
        (void)state;
        fake_open();
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        stream_write(fake.s, "+surprise\r\n", 11);
        assert_true(until(is_down, 30000));
        assert_true(until(is_ready, 30000));
        assert_int_equal(fake.n_accepted, 2);
}

static void
garbage_rebuilds(void **state)
{
        static const char *const garbage[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
            "*-7\r\n", "$99999999999999999999\r\nx", "*1000000000\r\n", ":12x4\r\n",
            "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"};
        (void)state;

        fake_open();
        conn_open("", false);
        for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
                assert_true(until(is_ready, 30000));
                fake.answer = garbage[i];
                send_tag("C", 1, false, 400);
                assert_true(until_n((int)i + 1, 30000));
                assert_int_equal(got.kind[i], ERR_UNSURE);
                fake.answer = NULL;
        }
}

static void
error_of_a_replica_rebuilds(void **state)
{
        (void)state;
        fake_open();
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        fake.answer = "-READONLY You can't write against a read only replica.\r\n";
        send_tag("C", 1, true, 1000);
        assert_true(until_n(1, 30000));
        assert_int_equal(got.kind[0], ERR_NONE); /* the answer is passed on */
        fake.answer = NULL;
        assert_true(until(is_ready, 30000));
        assert_int_equal(owner.n_disconnect, 1);
        assert_int_equal(fake.n_accepted, 2);
}

static void
blocking_sends_one_at_a_time(void **state)
{
        (void)state;
        fake_open();
        fake.mute_from = 1;
        conn_open("", true);
        assert_true(until(is_ready, 30000));
        send_tag("XREAD", 1, false, 600); /* longer than command_ms */
        send_tag("XREAD", 2, false, 5000);
        for (int i = 0; i < 45; i++)
                loop_turn(loop, 10);
        assert_int_equal(fake.n_commands, 1);
        assert_int_equal(owner.n_disconnect, 0);
        fake.mute_from = 0;
        assert_true(until_n(2, 30000));
        assert_int_equal(owner.n_disconnect, 1);
        assert_int_equal(got.kind[0], ERR_UNSURE);
        assert_int_equal(got.kind[1], ERR_NONE);
}

/* The owner frees it from within an answer: everything else is answered first. */
static void
free_inside_an_answer(void **state)
{
        (void)state;
        fake_open();
        conn_open("", false);
        assert_true(until(is_ready, 30000));
        for (int i = 0; i < 100; i++)
                send_tag("C", i, true, 5000);
        got.free_conn = true;
        assert_true(until_n(100, 30000));
        assert_null(owner.c);
        for (int i = 1; i < 100; i++)
                assert_int_equal(got.kind[i], got.tag[i] < 64 ? ERR_UNSURE : ERR_RETRY);
}

static void
errors_are_explained(void **state)
{
        static const struct {
                const char *text, *code;
                enum err_kind kind;
        } cases[] = {
            {"LOADING Redis is loading the dataset in memory", "LOADING", ERR_RETRY},
            {"READONLY You can't write", "READONLY", ERR_RETRY},
            {"MASTERDOWN Link with MASTER is down", "MASTERDOWN", ERR_RETRY},
            {"OOM command not allowed when used memory > 'maxmemory'.", "OOM", ERR_RETRY},
            {"MISCONF Redis is configured to save", "MISCONF", ERR_RETRY},
            {"BUSY Redis is busy running a script.", "BUSY", ERR_RETRY},
            {"NOSCRIPT No matching script.", "NOSCRIPT", ERR_RETRY},
            {"NOREPLICAS Not enough good replicas to write.", "NOREPLICAS", ERR_RETRY},
            {"CLUSTERDOWN Hash slot not served", "CLUSTERDOWN", ERR_RETRY},
            {"MOVED 3999 127.0.0.1:6381", "MOVED", ERR_CONFIG},
            {"ASK 3999 127.0.0.1:6381", "ASK", ERR_RETRY},
            {"TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN",
                ERR_RETRY},
            {"UNBLOCKED force unblock from blocking operation", "UNBLOCKED", ERR_RETRY},
            {"NOPERM this user has no permissions", "NOPERM", ERR_CONFIG},
            {"NOAUTH Authentication required.", "NOAUTH", ERR_CONFIG},
            {"WRONGTYPE Operation against a key", "WRONGTYPE", ERR_REJECT},
            {"ERR Error running script (call to f_1): @user_script:1: -OOM command not "
             "allowed",
                "OOM", ERR_RETRY},
            {"ERR unknown command", "ERR", ERR_REJECT},
            {"SOMETHINGVERYLONGANDODD", "SOMETHINGVERYLO", ERR_REJECT},
        };
        struct err err;
        (void)state;

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                redisReply r = {.type = REDIS_REPLY_ERROR,
                    .str = (char *)(uintptr_t)cases[i].text,
                    .len = strlen(cases[i].text)};

                assert_int_equal(redis_error_kind(&r, &err), cases[i].kind);
                assert_string_equal(err.code, cases[i].code);
                assert_true(strlen(err.text) > 15);
        }
}

/* ---- a real redis-server ---- */

static pid_t
server_start(void)
{
        pid_t pid = fork();

        if (pid == 0) {
                execlp("redis-server", "redis-server", "--port", "0", "--dir", folder,
                    "--unixsocket", "r.sock", "--save", "", "--appendonly", "no",
                    "--logfile", "/dev/null", (char *)NULL);
                _exit(127);
        }
        return pid;
}

static void
real_server_killed_under_load(void **state)
{
        pid_t pid = server_start();
        int status;
        (void)state;

        conn_open("", false);
        for (int i = 0; i < 500; i++)
                send_tag("ECHO", i, true, 10000);
        assert_true(until_n(100, 30000));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        pid = server_start();
        for (int i = 500; i < 1000; i++)
                send_tag("ECHO", i, true, 10000);
        assert_true(until_n(1000, 10000));
        for (int i = 0; i < 1000; i++) {
                char number[16];

                snprintf(number, sizeof number, "%d", i);
                assert_int_equal(got.tag[i], i); /* once each, in order */
                assert_int_equal(got.kind[i], ERR_NONE);
                assert_string_equal(got.text[i], number);
        }
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(answers_come_in_order, setup, teardown),
            cmocka_unit_test_setup_teardown(window_is_kept, setup, teardown),
            cmocka_unit_test_setup_teardown(window_of_bytes_is_kept, setup, teardown),
            cmocka_unit_test_setup_teardown(
                repeats_in_order_after_a_cut, setup, teardown),
            cmocka_unit_test_setup_teardown(silence_rebuilds, setup, teardown),
            cmocka_unit_test_setup_teardown(late_answer_is_swallowed, setup, teardown),
            cmocka_unit_test_setup_teardown(no_server_is_retry, setup, teardown),
            cmocka_unit_test_setup_teardown(loading_is_waited_out, setup, teardown),
            cmocka_unit_test_setup_teardown(wrong_password_is_told, setup, teardown),
            cmocka_unit_test_setup_teardown(answer_nobody_asked_for, setup, teardown),
            cmocka_unit_test_setup_teardown(garbage_rebuilds, setup, teardown),
            cmocka_unit_test_setup_teardown(error_of_a_replica_rebuilds, setup, teardown),
            cmocka_unit_test_setup_teardown(
                blocking_sends_one_at_a_time, setup, teardown),
            cmocka_unit_test_setup_teardown(free_inside_an_answer, setup, teardown),
            cmocka_unit_test(errors_are_explained),
            cmocka_unit_test_setup_teardown(
                real_server_killed_under_load, setup, teardown),
        };

        return cmocka_run_group_tests_name("queue_conn", tests, NULL, NULL);
}
