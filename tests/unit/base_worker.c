/*
 * The pool of helpers against helpers that are right, slow, dead, fat or liars.
 * This program is its own helper: started with "--helper MODE".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/worker.h"
#include "tests/unit/patience.h"

#define MAX_ANSWER 100000

/* ---- the helper ---- */

static void
answer_text(const char *text)
{
        worker_answer('A', text, strlen(text));
}

static void
helper_descriptors(void)
{
        int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
        DIR *d = fdopendir(dir);
        struct buf text = BUF_INIT;
        struct dirent *e;

        while ((e = readdir(d)) != NULL)
                if (*e->d_name != '.' && atoi(e->d_name) != dir)
                        buf_addf(&text, "%s ", e->d_name);
        closedir(d);
        answer_text(buf_str(&text));
        buf_fini(&text);
}

static void
helper_bloat(void)
{
        for (;;) {
                volatile char *p = malloc(1 << 20);

                if (p == NULL)
                        abort();
                p[0] = 1;
        }
}

static void
helper_burn(int ms)
{
        clock_t end = clock() + ms * (CLOCKS_PER_SEC / 1000);

        while (clock() < end)
                ;
}

static void
helper_file(int fd)
{
        char text[64];
        ssize_t n = pread(fd, text, sizeof text, 0);

        worker_answer('A', text, n < 0 ? 0 : (size_t)n);
}

static void
helper_raw(const void *p, size_t n)
{
        if (send(3, p, n, MSG_NOSIGNAL) == -1)
                _exit(9);
}

static void
helper_state(void)
{
        struct rlimit core, cpu;
        char text[64];

        getrlimit(RLIMIT_CORE, &core);
        getrlimit(RLIMIT_CPU, &cpu);
        snprintf(text, sizeof text, "sid=%d core=%d cpu=%d", getsid(0) == getpid(),
            (int)core.rlim_cur, (int)cpu.rlim_cur);
        answer_text(text);
}

static void
helper_job(int type, char *body, size_t len, int fd)
{
        char text[32];

        switch (type) {
        case 'e': /* echo */
                worker_answer('E', body, len);
                break;
        case 'f':
                helper_file(fd);
                break;
        case 'p':
                snprintf(text, sizeof text, "%d", (int)getpid());
                answer_text(text);
                break;
        case 'w': /* late, but in time */
                usleep(50000);
                answer_text("late");
                break;
        case 'n': /* nothing */
                pause();
                break;
        case 'd':
                _exit(3);
        case 'k':
                kill(getpid(), SIGKILL);
                break;
        case 'c': /* closes its socket and lives on */
                close(3);
                pause();
                break;
        case 'b':
                helper_bloat();
                break;
        case 'u':
                helper_burn(atoi(body));
                answer_text("burnt");
                break;
        case 'g': /* a length no answer may have */
                helper_raw("HTTP/1.1 200 OK\r\n", 17);
                pause();
                break;
        case 'm': /* too much */
                body = xcalloc(1, MAX_ANSWER + 1);
                worker_answer('A', body, MAX_ANSWER + 1);
                pause();
                break;
        case '2': /* twice */
                answer_text("once");
                answer_text("twice");
                break;
        case 'h': /* half an answer */
                helper_raw("\0\0\0\5Axy", 7);
                _exit(0);
        case 'x': /* a whole answer as its last words */
                answer_text("bye");
                _exit(0);
        case 'r': /* READY again is no answer */
                helper_raw("\0\0\0\0\376", 5);
                pause();
                break;
        case 'l':
                helper_descriptors();
                break;
        case 's':
                helper_state();
                break;
        }
}

static int
helper_main(const char *mode)
{
        char *body;
        size_t len;
        int type, fd;

        if (strcmp(mode, "broken") == 0)
                return 1;
        if (strcmp(mode, "unbegun") == 0) { /* dies with a job in its socket */
                helper_raw("\0\0\0\0\376", 5);
                if (recv(3, &type, 1, 0) == 1)
                        return 0;
        }
        if (strcmp(mode, "raw") != 0)
                worker_child_setup();
        while (worker_next(&type, &body, &len, &fd, 300000) == 1) {
                helper_job(type, body, len, fd);
                free(body);
                if (fd >= 0)
                        close(fd);
        }
        return 0;
}

/* ---- the test ---- */

struct told {
        int n; /* times fn was called */
        enum job_result result;
        int type;
        char body[256];
        size_t len;
        struct worker_pool **free_pool; /* fn frees this pool */
};

static struct loop *loop;
static struct worker_pool *pool;
static struct worker_options options;

static void
on_job(void *arg, enum job_result result, int type, const char *body, size_t len)
{
        struct told *t = arg;

        t->n++;
        t->result = result;
        t->type = type;
        t->len = len;
        snprintf(t->body, sizeof t->body, "%.*s", (int)len, body);
        if (t->free_pool != NULL)
                worker_pool_free(t->free_pool);
}

static void
pool_open(const char *mode)
{
        const char *argv[] = {"/proc/self/exe", "--helper", mode, NULL};

        options.argv = argv;
        pool = worker_pool_new(loop, &options);
}

static int
setup(void **state)
{
        (void)state;
        loop = loop_new();
        options = (struct worker_options){.name = "test",
            .n_max = 1,
            .max_answer = MAX_ANSWER,
            .job_ms = 60000,
            .max_queue = 50};
        return 0;
}

static int
teardown(void **state)
{
        (void)state;
        worker_pool_free(&pool);
        loop_free(&loop);
        assert_int_equal(
            waitpid(-1, NULL, WNOHANG), -1); /* no child is left, no zombie */
        assert_int_equal(errno, ECHILD);
        return 0;
}

static void
submit(int type, const char *body, struct told *t)
{
        struct err err = {0};

        assert_int_equal(
            worker_submit(pool, type, body, strlen(body), -1, on_job, t, &err), 0);
}

static void
until(struct told *t)
{
        int64_t start_us = clock_read_mono_us();

        while (t->n == 0 && clock_read_mono_us() - start_us < 60000000)
                loop_turn(loop, 50);
        assert_int_equal(t->n, 1);
}

/* Do it and wait for the end. */
static struct told
run(int type, const char *body)
{
        static struct told t[256];
        static int i;
        struct told *now = &t[i++ % 256];

        memset(now, 0, sizeof *now);
        submit(type, body, now);
        assert_int_equal(now->n, 0); /* never inside worker_submit */
        until(now);
        return *now;
}

static void
test_answers(void **state)
{
        static char big[250000];
        struct told t = {0};
        struct err err;

        (void)state;
        pool_open("normal");
        t = run('e', "hello");
        assert_int_equal(t.result, JOB_DONE);
        assert_int_equal(t.type, 'E');
        assert_string_equal(t.body, "hello");
        t = run('e', "");
        assert_int_equal(t.result, JOB_DONE);
        assert_int_equal(t.len, 0);
        t = run('w', "");
        assert_string_equal(t.body, "late");
        /* larger than the socket's buffer, both ways */
        memset(big, 'x', sizeof big);
        memset(&t, 0, sizeof t);
        assert_int_equal(
            worker_submit(pool, 'e', big, MAX_ANSWER, -1, on_job, &t, &err), 0);
        until(&t);
        assert_int_equal(t.result, JOB_DONE);
        assert_int_equal(t.len, MAX_ANSWER);
        memset(&t, 0, sizeof t);
        assert_int_equal(
            worker_submit(pool, 'p', big, sizeof big, -1, on_job, &t, &err), 0);
        until(&t);
        assert_int_equal(t.result, JOB_DONE);
        assert_int_equal(worker_pending(pool), 0);
}

static void
test_a_file(void **state)
{
        char name[] = "/tmp/base_worker.XXXXXX";
        int fd = mkstemp(name);
        struct told t = {0};
        struct err err;

        (void)state;
        unlink(name);
        assert_int_equal(write(fd, "raw mail", 8), 8);
        pool_open("normal");
        assert_int_equal(worker_submit(pool, 'f', "", 0, fd, on_job, &t, &err), 0);
        close(fd); /* the job has its own */
        until(&t);
        assert_string_equal(t.body, "raw mail");
        t = run('l', ""); /* and nothing stays open in the helper */
        assert_string_equal(t.body, "0 1 2 3 ");
        assert_int_equal(worker_submit(pool, 'f', "", 0, 999, on_job, &t, &err), -1);
        assert_int_equal(err.kind, ERR_RETRY);
}

static void
test_descriptors_are_not_inherited(void **state)
{
        int lock = open("/dev/null", O_RDONLY); /* without CLOEXEC, as a lock may be */
        struct told t;

        (void)state;
        assert_true(lock > 3);
        pool_open("raw"); /* the daemon closes them, not only the helper */
        t = run('l', "");
        assert_string_equal(t.body, "0 1 2 3 ");
        close(lock);
        options.cpu_s = 7;
        worker_pool_free(&pool);
        pool_open("raw");
        t = run('s', "");
        assert_string_equal(t.body, "sid=1 core=0 cpu=7");
}

static void
test_each_failure_is_its_job_s(void **state)
{
        static const struct {
                int type;
                enum job_result want;
        } cases[] = {{'d', JOB_DIED}, {'k', JOB_DIED}, {'g', JOB_GARBAGE},
            {'m', JOB_GARBAGE}, {'h', JOB_DIED}, {'r', JOB_GARBAGE}, {'c', JOB_DIED},
            {'n', JOB_TIMEOUT}};

        (void)state;
        options.job_ms = 2500;
        pool_open("normal");
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                struct told t = run(cases[i].type, "");

                assert_int_equal(t.result, cases[i].want);
                assert_int_equal(t.len, 0);
                t = run('e', "next"); /* a new helper */
                assert_int_equal(t.result, JOB_DONE);
                assert_string_equal(t.body, "next");
        }
}

static void
test_last_words_count(void **state)
{
        struct told t;

        (void)state;
        pool_open("normal");
        for (int i = 0; i < 20; i++) {
                t = run('x', "");
                assert_int_equal(t.result, JOB_DONE);
                assert_string_equal(t.body, "bye");
                t = run('e', "on"); /* whether its death was seen or not */
                assert_int_equal(t.result, JOB_DONE);
        }
}

static void
test_a_second_answer_is_nobody_s(void **state)
{
        struct told t, next[20] = {0};

        (void)state;
        pool_open("normal");
        t = run('2', "");
        assert_int_equal(t.result, JOB_DONE);
        assert_string_equal(t.body, "once");
        for (int i = 0; i < 20; i++)
                submit(i % 2 ? 'e' : '2', "mine", &next[i]);
        for (int i = 0; i < 20; i++) {
                until(&next[i]);
                assert_int_equal(next[i].result, JOB_DONE);
                assert_string_equal(next[i].body, i % 2 ? "mine" : "once");
        }
}

static void
test_idle_death_blames_no_one(void **state)
{
        struct told t;

        (void)state;
        pool_open("normal");
        for (int i = 0; i < 10; i++) {
                t = run('p', "");
                kill(atoi(t.body), SIGKILL);
                if (i % 2)
                        usleep(20000); /* dead, and the loop has not seen it */
                t = run('e', "fine");
                assert_int_equal(t.result, JOB_DONE);
                assert_string_equal(t.body, "fine");
        }
}

static void
test_memory_limit(void **state)
{
        struct told t;

        (void)state;
        if (SANITIZED)
                skip();
        options.memory_bytes = 256 << 20;
        pool_open("normal");
        t = run('b', "");
        assert_int_equal(t.result, JOB_DIED);
        t = run('e', "next");
        assert_int_equal(t.result, JOB_DONE);
}

static void
test_processor_limit(void **state)
{
        struct told t, first, second;

        (void)state;
        options.cpu_s = 1;
        pool_open("normal");
        t = run('u', "3000"); /* more than the limit: killed */
        assert_int_equal(t.result, JOB_DIED);
        first = run('p', "");
        t = run('u', "600"); /* more than half: replaced before the next job */
        assert_int_equal(t.result, JOB_DONE);
        second = run('p', "");
        assert_string_not_equal(first.body, second.body);
        t = run('u', "600");
        assert_int_equal(t.result, JOB_DONE);
}

static void
test_replaced_after_max_jobs(void **state)
{
        struct told t[7];
        int n_pids = 0;

        (void)state;
        options.max_jobs = 3;
        pool_open("normal");
        for (int i = 0; i < 7; i++) {
                t[i] = run('p', "");
                if (i == 0 || strcmp(t[i].body, t[i - 1].body) != 0)
                        n_pids++;
        }
        assert_int_equal(n_pids, 3);
        assert_string_equal(t[0].body, t[2].body);
        assert_string_equal(t[3].body, t[5].body);
}

static void
test_side_by_side_and_no_more(void **state)
{
        struct told t[9] = {0};
        struct err err = {0};
        int64_t start_us;

        (void)state;
        options.n_max = 3;
        options.max_queue = 9;
        pool_open("normal");
        for (int i = 0; i < 9; i++)
                submit(i < 6 ? 'w' : 'p', "", &t[i]);
        assert_int_equal(worker_submit(pool, 'e', "", 0, -1, on_job, &t[0], &err), -1);
        assert_int_equal(err.kind, ERR_RETRY);
        assert_int_equal(worker_pending(pool), 9);
        start_us = clock_read_mono_us();
        for (int i = 0; i < 9; i++)
                until(&t[i]);
        assert_true(clock_read_mono_us() - start_us < 60000000);
        assert_int_equal(worker_pending(pool), 0);
}

static void
assert_nostart(const char *path, const char *mode)
{
        const char *argv[] = {path, "--helper", mode, NULL};
        struct told t[3] = {0};
        int64_t start_us = clock_read_mono_us();

        options.argv = argv;
        options.n_max = 2;
        pool = worker_pool_new(loop, &options);
        log_set_level(LOG_LEVEL_ERROR + 1);
        for (int i = 0; i < 3; i++)
                submit('e', "x", &t[i]);
        for (int i = 0; i < 3; i++) {
                until(&t[i]);
                assert_int_equal(t[i].result, JOB_NOSTART);
        }
        /* at once while it backs off */
        assert_int_equal(run('e', "y").result, JOB_NOSTART);
        log_set_level(LOG_LEVEL_INFO);
        assert_true(clock_read_mono_us() - start_us < 30000000);
        worker_pool_free(&pool);
}

static void
test_cannot_start(void **state)
{
        (void)state;
        assert_nostart("/nowhere/helper", "");
        assert_nostart("/etc/passwd", "");
        assert_nostart("/proc/self/exe", "broken");
        assert_nostart(
            "/proc/self/exe", "unbegun"); /* three lost helpers, not its fault */
}

static void
test_starts_again_after_back_off(void **state)
{
        char path[] = "/tmp/base_worker.XXXXXX", self[512];
        const char *argv[] = {path, "--helper", "normal", NULL};
        int64_t start_us = clock_read_mono_us();
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        int fd = mkstemp(path);
        struct told t;

        (void)state;
        assert_true(n > 0 && fd >= 0);
        self[n] = '\0';
        close(fd);
        unlink(path);
        options.argv = argv;
        pool = worker_pool_new(loop, &options);
        log_set_level(LOG_LEVEL_ERROR + 1);
        assert_int_equal(run('e', "x").result, JOB_NOSTART);
        assert_int_equal(symlink(self, path), 0); /* installed at last */
        do {
                loop_turn(loop, 20);
                t = run('e', "x");
        } while (t.result == JOB_NOSTART && clock_read_mono_us() - start_us < 60000000);
        log_set_level(LOG_LEVEL_INFO);
        assert_int_equal(t.result, JOB_DONE);
        unlink(path);
}

static void
test_stop_ends_all_jobs(void **state)
{
        struct told t[4] = {0};

        (void)state;
        pool_open("normal");
        assert_int_equal(run('e', "warm").result, JOB_DONE);
        for (int i = 0; i < 4; i++)
                submit('n', "", &t[i]);
        loop_turn(loop, 20);
        loop_turn(loop, 20);
        worker_pool_free(&pool);
        for (int i = 0; i < 4; i++) {
                assert_int_equal(t[i].n, 1);
                assert_int_equal(t[i].result, JOB_STOPPED);
        }
        assert_null(pool);
}

static void
test_stop_inside_a_job_s_end(void **state)
{
        static const char types[] = "edng";

        (void)state;
        options.job_ms = 300;
        for (int i = 0; i < 4; i++) {
                struct told t = {0}, other = {0};

                pool_open("normal");
                t.free_pool = &pool;
                submit(types[i], "", &t);
                submit('e', "", &other);
                until(&t);
                assert_null(pool);
                assert_int_equal(other.n, 1);
                assert_int_equal(other.result, JOB_STOPPED);
                loop_turn(loop, 5);
        }
}

/* Dead, but nobody has waited for it (a test machine may have no init). */
static bool
process_is_zombie(pid_t pid)
{
        char path[64], line[512] = "";
        FILE *f;

        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        f = fopen(path, "r");
        if (f == NULL)
                return true;
        if (fgets(line, sizeof line, f) == NULL)
                line[0] = '\0';
        fclose(f);
        return strstr(line, ") Z ") != NULL;
}

/* A daemon of its own that says its helper's pid and then waits to be killed. */
static void
daemon_main(int out, int type)
{
        struct told t = {0}, busy = {0};

        loop = loop_new();
        pool_open("normal");
        submit('p', "", &t);
        until(&t);
        submit(type, "60000", &busy);
        loop_turn(loop, 10);
        loop_turn(loop, 10);
        if (write(out, t.body, strlen(t.body)) == -1)
                _exit(1);
        pause();
        _exit(0);
}

static void
test_helpers_die_with_the_daemon(void **state)
{
        static const char types[] = "nu"; /* waiting, computing */

        (void)state;
        for (int i = 0; i < 2; i++) {
                char text[32] = "";
                int out[2], tries = 0;
                pid_t daemon, helper;

                assert_int_equal(pipe(out), 0);
                daemon = fork();
                if (daemon == 0)
                        daemon_main(out[1], types[i]);
                assert_true(read(out[0], text, sizeof text - 1) > 0);
                helper = atoi(text);
                assert_int_equal(kill(helper, 0), 0);
                kill(daemon, SIGKILL);
                waitpid(daemon, NULL, 0);
                while (
                    kill(helper, 0) == 0 && !process_is_zombie(helper) && tries++ < 200)
                        usleep(10000);
                assert_true(tries < 200);
                close(out[0]);
                close(out[1]);
        }
}

static void
test_frames(void **state)
{
        char frame[WORKER_FRAME_HEAD + 3];
        const char *body;
        size_t len;
        int type;

        (void)state;
        worker_frame_head(frame, 3, 0xef);
        memcpy(frame + WORKER_FRAME_HEAD, "abc", 3);
        for (size_t n = 0; n < sizeof frame; n++)
                assert_int_equal(worker_frame_parse(frame, n, 3, &type, &body, &len), 0);
        assert_int_equal(
            worker_frame_parse(frame, sizeof frame, 3, &type, &body, &len), 8);
        assert_int_equal(type, 0xef);
        assert_int_equal(len, 3);
        assert_memory_equal(body, "abc", 3);
        assert_int_equal(worker_frame_parse(frame, 4, 2, &type, &body, &len), -1);
        worker_frame_head(frame, 0xfffffffe, 1);
        assert_int_equal(
            worker_frame_parse(frame, 5, 0xfffffffd, &type, &body, &len), -1);
        assert_int_equal(worker_frame_parse(frame, 5, SIZE_MAX, &type, &body, &len), 0);
        assert_string_equal(job_result_name(JOB_TIMEOUT), "timeout");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
            TEST(test_answers),
            TEST(test_a_file),
            TEST(test_descriptors_are_not_inherited),
            TEST(test_each_failure_is_its_job_s),
            TEST(test_last_words_count),
            TEST(test_a_second_answer_is_nobody_s),
            TEST(test_idle_death_blames_no_one),
            TEST(test_memory_limit),
            TEST(test_processor_limit),
            TEST(test_replaced_after_max_jobs),
            TEST(test_side_by_side_and_no_more),
            TEST(test_cannot_start),
            TEST(test_starts_again_after_back_off),
            TEST(test_stop_ends_all_jobs),
            TEST(test_stop_inside_a_job_s_end),
            TEST(test_helpers_die_with_the_daemon),
            TEST(test_frames),
        };

        if (argc == 3 && strcmp(argv[1], "--helper") == 0)
                return helper_main(argv[2]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
