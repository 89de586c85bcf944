/* The embedded store: starts, deaths, the lock, the file's tail, the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "queue/redis_child.h"
#include "queue/redis_conn.h"
#include "queue/redis_tail.h"

static struct loop *loop;
static char folder[512]; /* the state directory */
static char base[64]; /* above it */
static char old_path[4096];

static struct owner {
        struct redis_child *child;
        struct redis_conn *conn;
        int n_started, n_exited, n_fatal, n_stopped;
        struct err why;
} owner;

static void
on_started(void *arg)
{
        (void)arg;
        owner.n_started++;
        if (owner.conn != NULL)
                redis_conn_kick(owner.conn);
}

static void
on_exited(void *arg, const struct err *why)
{
        (void)arg;
        owner.n_exited++;
        owner.why = *why;
}

static void
on_fatal(void *arg, const struct err *why)
{
        (void)arg;
        owner.n_fatal++;
        owner.why = *why;
}

static void
on_stopped(void *arg)
{
        (void)arg;
        owner.n_stopped++;
}

static const struct redis_child_handlers handlers = {on_started, on_exited, on_fatal};

static void
on_connect(void *arg)
{
        (void)arg;
        redis_conn_ready(owner.conn);
}

static const struct redis_conn_handlers conn_handlers = {.on_connect = on_connect};

static void
child_open(int lock_fd)
{
        struct redis_conn_options o = {
            .password = "", .connect_ms = 1000, .command_ms = 5000};

        owner.child = redis_child_new(loop, folder, lock_fd, &handlers, NULL);
        o.address = redis_child_address(owner.child);
        owner.conn = redis_conn_new(loop, &o, &conn_handlers, NULL);
        redis_child_start(owner.child);
        redis_conn_start(owner.conn);
}

static char answer[4096];
static int n_answers;

static void
answer_add(const struct redisReply *r)
{
        if (r->type == REDIS_REPLY_ARRAY)
                for (size_t i = 0; i < r->elements; i++)
                        answer_add(r->element[i]);
        else if (r->type == REDIS_REPLY_INTEGER)
                snprintf(answer + strlen(answer), sizeof answer - strlen(answer), "%lld ",
                    r->integer);
        else
                snprintf(answer + strlen(answer), sizeof answer - strlen(answer), "%s ",
                    r->str != NULL ? r->str : "nil");
}

static void
on_answer(void *arg, const struct err *err, const struct redisReply *r)
{
        (void)arg;
        n_answers++;
        answer[0] = '\0';
        if (err != NULL)
                snprintf(answer, sizeof answer, "ERR %s", err->text);
        else
                answer_add(r);
}

/* Words separated by blanks; waits for the answer. */
static const char *
ask(const char *line)
{
        char copy[512], *words[16], *save = NULL;
        int n = 0, before = n_answers;
        int64_t end = clock_read_mono_us() + 60000000;

        snprintf(copy, sizeof copy, "%s", line);
        for (char *w = strtok_r(copy, " ", &save); w != NULL;
             w = strtok_r(NULL, " ", &save))
                words[n++] = w;
        redis_conn_send(
            owner.conn, n, (const char *const *)words, NULL, true, 5000, on_answer, NULL);
        while (n_answers == before && clock_read_mono_us() < end)
                loop_turn(loop, 20);
        return answer;
}

static bool
until(const int *n, int want, int64_t ms)
{
        int64_t end = clock_read_mono_us() + ms * 1000;

        while (*n < want && clock_read_mono_us() < end)
                loop_turn(loop, 20);
        return *n >= want;
}

static void
child_close(void)
{
        if (owner.conn != NULL)
                redis_conn_free(&owner.conn);
        if (owner.child != NULL)
                redis_child_free(&owner.child);
        loop_turn(loop, 0);
        loop_turn(loop, 0);
        memset(&owner, 0, sizeof owner);
}

/* Ends it in order, as SHUTDOWN does. */
static void
child_end(void)
{
        redis_conn_free(&owner.conn);
        redis_child_stop(owner.child, 5000, on_stopped, NULL);
        assert_true(until(&owner.n_stopped, 1, 30000));
        child_close();
}

static int
setup(void **state)
{
        (void)state;
        log_set_level(LOG_LEVEL_ERROR + 1);
        clock_update();
        memset(&owner, 0, sizeof owner);
        snprintf(base, sizeof base, "/tmp/queue_child.XXXXXX");
        assert_non_null(mkdtemp(base));
        snprintf(folder, sizeof folder, "%s/s", base);
        mkdir(folder, 0700);
        snprintf(old_path, sizeof old_path, "%s", getenv("PATH"));
        loop = loop_new();
        return 0;
}

static int
teardown(void **state)
{
        char command[128];
        (void)state;

        child_close();
        loop_free(&loop);
        setenv("PATH", old_path, 1);
        unsetenv("HELPLINE_DISK_FLOOR");
        snprintf(command, sizeof command, "rm -rf %s", base);
        return system(command);
}

static void
starts_with_the_right_options(void **state)
{
        (void)state;
        child_open(-1);
        assert_string_equal(ask("PING"), "PONG ");
        assert_string_equal(ask("CONFIG GET appendfsync"), "appendfsync always ");
        assert_string_equal(ask("CONFIG GET appendonly"), "appendonly yes ");
        assert_string_equal(
            ask("CONFIG GET maxmemory-policy"), "maxmemory-policy noeviction ");
        assert_string_equal(ask("CONFIG GET save"), "save  ");
        assert_string_equal(ask("CONFIG GET port"), "port 0 ");
        assert_string_not_equal(ask("CONFIG GET maxmemory"), "maxmemory 0 ");
        child_end();
}

static void
long_paths_work(void **state)
{
        size_t n = strlen(folder);
        (void)state;

        for (int i = 0; i < 4; i++) {
                snprintf(folder + n, sizeof folder - n, "/%050d", i);
                n = strlen(folder);
                mkdir(folder, 0700);
        }
        assert_true(n > 200);
        child_open(-1);
        assert_string_equal(ask("PING"), "PONG ");
        child_end();
}

static void
killed_and_started_again(void **state)
{
        (void)state;
        child_open(-1);
        assert_true(until(&owner.n_started, 1, 30000));
        assert_string_equal(ask("SET a 1"), "OK ");
        kill(redis_child_pid(owner.child), SIGKILL);
        assert_true(until(&owner.n_exited, 1, 30000));
        assert_non_null(strstr(owner.why.text, "killed by signal 9"));
        assert_string_equal(ask("GET a"), "1 ");
        assert_true(until(&owner.n_started, 2, 30000));
        child_end();
}

/* A program in PATH that is no Redis. */
static void
fake_program(const char *script)
{
        char path[5000];
        FILE *f;

        snprintf(path, sizeof path, "%s/redis-server", base);
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "#!/bin/sh\n%s\n", script);
        fclose(f);
        chmod(path, 0755);
        snprintf(path, sizeof path, "%s:%s", base, old_path);
        setenv("PATH", path, 1);
}

static void
three_exits_are_enough(void **state)
{
        (void)state;
        fake_program("echo cannot go on; exit 3");
        child_open(-1);
        assert_true(until(&owner.n_fatal, 1, 30000));
        assert_int_equal(owner.n_started, 0); /* it never listened */
        assert_int_equal(owner.n_exited, 2);
        assert_non_null(strstr(owner.why.text, "three times within a minute"));
        assert_non_null(strstr(owner.why.text, "cannot go on"));
}

/* No descriptors left: it is tried again, and succeeds when there are some. */
static void
out_of_descriptors_passes(void **state)
{
        struct rlimit old, none;
        (void)state;

        getrlimit(RLIMIT_NOFILE, &old);
        child_open(-1);
        none = old;
        none.rlim_cur = 3;
        setrlimit(RLIMIT_NOFILE, &none);
        assert_true(until(&owner.n_exited, 1, 30000));
        setrlimit(RLIMIT_NOFILE, &old);
        assert_string_equal(ask("PING"), "PONG ");
        assert_int_equal(owner.n_fatal, 0);
        child_end();
}

static void
no_program_is_told(void **state)
{
        (void)state;
        setenv("PATH", base, 1);
        child_open(-1);
        assert_true(until(&owner.n_fatal, 1, 30000));
        assert_non_null(strstr(owner.why.text, "apt-get install redis-server"));
}

static void
one_that_does_not_end_is_killed(void **state)
{
        int64_t begin;
        (void)state;

        fake_program("trap '' TERM; while :; do sleep 1; done");
        child_open(-1);
        for (int i = 0; i < 30; i++)
                loop_turn(loop, 20);
        assert_true(redis_child_pid(owner.child) > 0);
        begin = clock_read_mono_us();
        redis_child_stop(owner.child, 300, on_stopped, NULL);
        assert_true(until(&owner.n_stopped, 1, 30000));
        assert_true(clock_read_mono_us() - begin < 2000000);
}

/* It prints more than a pipe holds, in lines of any length. */
static void
chatter_is_read(void **state)
{
        (void)state;
        fake_program(
            "head -c 300000 /dev/zero | tr '\\0' x; echo; yes | head -c 200000; exit 1");
        child_open(-1);
        assert_true(until(&owner.n_exited, 1, 30000));
}

/* ---- the tail of the file ---- */

static void
aof_path(char *out, size_t room)
{
        snprintf(out, room, "%s/appendonlydir/appendonly.aof.1.incr.aof", folder);
}

static void
aof_add(const char *p, size_t n)
{
        char path[600];
        FILE *f;

        aof_path(path, sizeof path);
        f = fopen(path, "a");
        assert_non_null(f);
        assert_int_equal(fwrite(p, 1, n, f), n);
        fclose(f);
}

static void
aof_make(void)
{
        child_open(-1);
        assert_string_equal(ask("SET a 1"), "OK ");
        assert_string_equal(ask("SET b 2"), "OK ");
        child_end();
}

static void
aof_is_mended(const char *tail, size_t n)
{
        char zeros[10000] = "";

        aof_make();
        aof_add(tail, n);
        aof_add(zeros, sizeof zeros);
        child_open(-1);
        assert_string_equal(ask("MGET a b"), "1 2 ");
        assert_int_equal(owner.n_fatal, 0);
        child_end();
}

static void
zeros_at_the_end_are_cut(void **state)
{
        (void)state;
        aof_is_mended("", 0);
}

static void
torn_command_before_zeros_is_cut(void **state)
{
        const char torn[] = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5000\r\nabc";
        (void)state;
        aof_is_mended(torn, sizeof torn - 1);
}

static void
torn_transaction_before_zeros_is_cut(void **state)
{
        const char torn[] =
            "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n7\r\n";
        (void)state;
        aof_is_mended(torn, sizeof torn - 1);
}

static void
damage_is_told_not_mended(void **state)
{
        const char damage[] =
            "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nX7\r\n*1\r\n$4\r\nPING\r\n\0\0\0\0";
        char path[600];
        struct stat before, after;
        (void)state;

        aof_make();
        aof_add(damage, sizeof damage);
        aof_path(path, sizeof path);
        stat(path, &before);
        child_open(-1);
        assert_true(until(&owner.n_fatal, 1, 30000));
        assert_int_equal(owner.n_started, 0);
        assert_non_null(strstr(owner.why.text, "is damaged from byte"));
        stat(path, &after);
        assert_int_equal(before.st_size, after.st_size);
}

/* Damage without zeros: Redis itself refuses it, and is not started three times. */
static void
damage_redis_sees_is_told(void **state)
{
        const char damage[] =
            "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nX7\r\n*1\r\n$4\r\nPING\r\n";
        (void)state;

        aof_make();
        aof_add(damage, sizeof damage - 1);
        child_open(-1);
        assert_true(until(&owner.n_fatal, 1, 30000));
        assert_int_equal(owner.n_exited, 0);
        assert_non_null(strstr(owner.why.text, "cannot read its append-only file"));
}

/* ---- the lock ---- */

static void
lock_names_its_holder(void **state)
{
        char name[64];
        struct err err;
        int ready[2], fd;
        pid_t pid;
        char c;
        (void)state;

        assert_int_equal(pipe(ready), 0);
        pid = fork();
        if (pid == 0) {
                fd = state_lock(folder, 0, &err);
                c = fd >= 0 ? 'y' : 'n';
                if (write(ready[1], &c, 1) == 1)
                        pause();
                _exit(0);
        }
        assert_int_equal(read(ready[0], &c, 1), 1);
        assert_int_equal(c, 'y');
        assert_int_equal(state_lock(folder, 100, &err), -1);
        snprintf(name, sizeof name, "(process %ld)", (long)pid);
        assert_non_null(strstr(err.text, name));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        fd = state_lock(folder, 100, &err);
        assert_true(fd >= 0);
        close(fd);
        close(ready[0]);
        close(ready[1]);
}

/* Servers that run in the folder (Redis rewrites its command line). */
static int
count_servers(void)
{
        char path[300], link[600], comm[64] = "";
        DIR *d = opendir("/proc");
        struct dirent *e;
        int n = 0;

        while ((e = readdir(d)) != NULL) {
                ssize_t len;
                FILE *f;

                if (!isdigit((unsigned char)e->d_name[0]))
                        continue;
                snprintf(path, sizeof path, "/proc/%s/cwd", e->d_name);
                len = readlink(path, link, sizeof link - 1);
                if (len != (ssize_t)strlen(folder) ||
                    memcmp(link, folder, (size_t)len) != 0)
                        continue;
                snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
                f = fopen(path, "r");
                if (f == NULL)
                        continue;
                if (fgets(comm, sizeof comm, f) != NULL &&
                    strncmp(comm, "redis-server", 12) == 0)
                        n++;
                fclose(f);
        }
        closedir(d);
        return n;
}

/* A daemon in small: takes the lock, starts the child, writes, says so, lives on. */
static void
daemon_in_small(int tell)
{
        struct err err;
        int lock;

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* with the test, should it fail */
        lock = state_lock(folder, 10000, &err);
        if (lock == -1)
                _exit(1);
        loop = loop_new();
        memset(&owner, 0, sizeof owner);
        child_open(lock);
        if (strcmp(ask("PING"), "PONG ") != 0)
                _exit(2);
        ask("INCR starts");
        if (write(tell, answer, strlen(answer)) < 0)
                _exit(3);
        for (;;)
                loop_turn(loop, 1000);
}

/* kill -9 and start at once: never two servers, and nothing acknowledged is lost. */
static void
killed_and_started_at_once_fifty_times(void **state)
{
        struct err err;
        int fd;
        (void)state;

        for (int i = 1; i <= 50; i++) {
                char got[32] = "", want[32];
                int tell[2];
                pid_t pid;

                assert_int_equal(pipe(tell), 0);
                pid = fork();
                if (pid == 0)
                        daemon_in_small(tell[1]);
                close(tell[1]);
                assert_true(read(tell[0], got, sizeof got - 1) > 0);
                snprintf(want, sizeof want, "%d ", i);
                assert_string_equal(got, want);
                assert_int_equal(count_servers(), 1);
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
                close(tell[0]);
        }
        fd = state_lock(folder, 10000, &err);
        assert_true(fd >= 0);
        assert_int_equal(count_servers(), 0);
        close(fd);
}

/* ---- the disk ---- */

static void
disk_floor_is_watched(void **state)
{
        struct err err;
        (void)state;

        setenv("HELPLINE_DISK_FLOOR", "0", 1);
        owner.child = redis_child_new(loop, folder, -1, &handlers, NULL);
        if (redis_child_disk(owner.child, &err) != DISK_OK)
                skip(); /* this machine's disk is nearly full itself */
        redis_child_free(&owner.child);
        setenv("HELPLINE_DISK_FLOOR", "1000000000000000", 1);
        owner.child = redis_child_new(loop, folder, -1, &handlers, NULL);
        assert_int_equal(redis_child_disk(owner.child, &err), DISK_LOW);
        assert_string_equal(err.code, "452");
        assert_non_null(strstr(err.text, "free some space"));
}

static void
append_only_bytes_are_counted(void **state)
{
        char zeros[5000] = "";
        int64_t before;
        (void)state;

        aof_make();
        before = redis_tail_bytes(folder);
        assert_true(before > 0);
        aof_add(zeros, sizeof zeros);
        assert_int_equal(redis_tail_bytes(folder), before + (int64_t)sizeof zeros);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(starts_with_the_right_options),
            TEST(long_paths_work),
            TEST(killed_and_started_again),
            TEST(three_exits_are_enough),
            TEST(out_of_descriptors_passes),
            TEST(no_program_is_told),
            TEST(one_that_does_not_end_is_killed),
            TEST(chatter_is_read),
            TEST(zeros_at_the_end_are_cut),
            TEST(torn_command_before_zeros_is_cut),
            TEST(torn_transaction_before_zeros_is_cut),
            TEST(damage_is_told_not_mended),
            TEST(damage_redis_sees_is_told),
            TEST(lock_names_its_holder),
            TEST(killed_and_started_at_once_fifty_times),
            TEST(disk_floor_is_watched),
            TEST(append_only_bytes_are_counted),
        };

        return cmocka_run_group_tests_name("queue_child", tests, NULL, NULL);
}
