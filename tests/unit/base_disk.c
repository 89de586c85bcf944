/* The disk thread: order, group commit, failures, bodies from files, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/disk.h"

static struct loop *loop;
static struct disk *disk;
static char folder[64];
static int fd, other_fd;

static atomic_int n_syncs; /* calls of fdatasync */
static atomic_int sync_errno; /* the next sync of fd fails with this */
static atomic_int sync_gate; /* syncs wait while it is 1 */
static atomic_bool was_blocked; /* the thread had SIGTERM blocked */

/* Stands in for the C library's: counts, waits and fails as the test says. */
int
fdatasync(int which)
{
        sigset_t set;

        n_syncs++;
        while (sync_gate)
                usleep(1000);
        pthread_sigmask(SIG_SETMASK, NULL, &set);
        was_blocked = sigismember(&set, SIGTERM) == 1;
        if (which == fd && sync_errno != 0) {
                errno = sync_errno;
                return -1;
        }
        return fsync(which);
}

struct told {
        int n;
        char order[64];
        struct err errs[64];
};
static struct told told;

static void
on_told(void *arg, const struct err *err)
{
        assert_true(told.n < 60);
        told.errs[told.n] = *err;
        told.order[told.n++] = *(const char *)arg;
}

/* Something that holds this letter, as the argument of a job. */
static void *
tag(char c)
{
        static char letters[128];

        letters[(int)c] = c;
        return &letters[(int)c];
}

static int
setup(void **state)
{
        char path[128];

        (void)state;
        memset(&told, 0, sizeof told);
        n_syncs = 0;
        sync_errno = 0;
        loop = loop_new();
        disk = disk_new(loop);
        strcpy(folder, "/tmp/base_disk.XXXXXX");
        assert_non_null(mkdtemp(folder));
        snprintf(path, sizeof path, "%s/a", folder);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        snprintf(path, sizeof path, "%s/b", folder);
        other_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        return 0;
}

static int
teardown(void **state)
{
        char cmd[128];

        (void)state;
        sync_gate = 0;
        disk_free(&disk);
        loop_free(&loop);
        close(fd);
        close(other_fd);
        snprintf(cmd, sizeof cmd, "rm -rf %s", folder);
        return system(cmd);
}

static void
until_told(int n)
{
        int64_t start_us = clock_read_mono_us();

        while (told.n < n && clock_read_mono_us() - start_us < 60000000)
                loop_turn(loop, 20);
        assert_int_equal(told.n, n);
}

static void
assert_content(int which, const char *want)
{
        char buf[256];
        ssize_t n = pread(which, buf, sizeof buf - 1, 0);

        assert_true(n >= 0);
        buf[n] = '\0';
        assert_string_equal(buf, want);
}

static void
test_write_head_and_body(void **state)
{
        (void)state;
        disk_write(disk, fd, 0, "head", 4, "body", 4, -1, on_told, tag('a'));
        assert_int_equal(disk_backlog(disk), 8);
        disk_write(disk, fd, 8, "", 0, "!", 1, -1, on_told, tag('b'));
        disk_write(disk, fd, 9, "", 0, NULL, 0, -1, on_told, tag('c'));
        assert_int_equal(told.n, 0);
        until_told(3);
        assert_string_equal(told.order, "abc");
        for (int i = 0; i < 3; i++)
                assert_int_equal(told.errs[i].kind, ERR_NONE);
        assert_content(fd, "headbody!");
        assert_int_equal(disk_backlog(disk), 0);
        assert_true(was_blocked);
}

static void
test_one_sync_for_all_that_waited(void **state)
{
        (void)state;
        sync_gate = 1;
        disk_write(disk, fd, 0, "0", 1, "", 0, -1, on_told, tag('0'));
        while (n_syncs == 0) /* the thread is in the sync of the first */
                usleep(1000);
        for (int i = 1; i < 20; i++)
                disk_write(disk, i % 2 ? fd : other_fd, (uint64_t)i, "x", 1, "", 0, -1,
                    on_told, tag('x'));
        loop_turn(loop, 5);
        assert_int_equal(told.n, 0); /* nothing is told before it is durable */
        sync_gate = 0;
        until_told(20);
        assert_int_equal(n_syncs, 3); /* the first, then one for each file */
}

static atomic_int ran_after; /* syncs before the work ran */

static void
work_look(void *arg, struct err *err)
{
        (void)arg;
        (void)err;
        ran_after = n_syncs;
}

static void
work_fail(void *arg, struct err *err)
{
        (void)arg;
        err_set(err, ERR_NOTFOUND, "no such file");
}

static void
test_run_keeps_the_order(void **state)
{
        (void)state;
        sync_gate = 1;
        disk_write(disk, fd, 0, "0", 1, "", 0, -1, on_told, tag('0'));
        while (n_syncs == 0)
                usleep(1000);
        disk_write(disk, fd, 1, "1", 1, "", 0, -1, on_told, tag('1'));
        disk_run(disk, work_look, on_told, tag('r'));
        disk_write(disk, fd, 2, "2", 1, "", 0, -1, on_told, tag('2'));
        disk_run(disk, work_fail, on_told, tag('f'));
        sync_gate = 0;
        until_told(5);
        assert_string_equal(told.order, "01r2f");
        assert_int_equal(ran_after, 2); /* what was asked before is durable by then */
        assert_int_equal(n_syncs, 3);
        assert_int_equal(told.errs[4].kind, ERR_NOTFOUND);
        assert_string_equal(told.errs[4].text, "no such file");
}

static void
test_failed_sync_fails_the_file_only(void **state)
{
        (void)state;
        sync_errno = EIO;
        sync_gate = 1;
        disk_write(disk, other_fd, 0, "0", 1, "", 0, -1, on_told, tag('0'));
        while (n_syncs == 0)
                usleep(1000);
        disk_write(disk, fd, 0, "1", 1, "", 0, -1, on_told, tag('1'));
        disk_write(disk, other_fd, 1, "2", 1, "", 0, -1, on_told, tag('2'));
        disk_write(disk, fd, 1, "3", 1, "", 0, -1, on_told, tag('3'));
        sync_gate = 0;
        until_told(4);
        assert_int_equal(told.errs[0].kind, ERR_NONE);
        assert_int_equal(told.errs[1].kind, ERR_RETRY);
        assert_int_equal(told.errs[2].kind, ERR_NONE);
        assert_int_equal(told.errs[3].kind, ERR_RETRY);
        assert_non_null(strstr(told.errs[3].text, "Input/output error"));
}

static void
test_failures_in_words(void **state)
{
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)state;
        assert_true(full >= 0);
        disk_write(disk, full, 0, "abc", 3, "d", 1, -1, on_told, tag('a'));
        disk_write(disk, read_only, 0, "abc", 3, "d", 1, -1, on_told, tag('b'));
        disk_write(disk, fd, 0, "fine", 4, "", 0, -1, on_told, tag('c'));
        until_told(3);
        assert_int_equal(told.errs[0].kind, ERR_RETRY);
        assert_string_equal(told.errs[0].text,
            "cannot store 4 bytes; free space on the disk of the state directory: "
            "No space left on device");
        assert_int_equal(told.errs[1].kind, ERR_RETRY);
        assert_int_equal(told.errs[2].kind, ERR_NONE);
        close(full);
        close(read_only);
}

static void
test_body_from_a_file(void **state)
{
        static char big[700001], back[700001];
        int spool = other_fd;

        (void)state;
        for (size_t i = 0; i < sizeof big; i++)
                big[i] = (char)(i * 7 + i / 251);
        assert_int_equal(pwrite(spool, big, sizeof big, 0), sizeof big);
        disk_write(disk, fd, 5, "HEAD", 4, NULL, sizeof big, spool, on_told, tag('a'));
        assert_int_equal(disk_backlog(disk), sizeof big + 4);
        close(other_fd); /* the job has its own */
        until_told(1);
        assert_int_equal(told.errs[0].kind, ERR_NONE);
        assert_int_equal(pread(fd, back, sizeof back, 9), sizeof back);
        assert_memory_equal(back, big, sizeof big);
        /* a file that is shorter than promised */
        other_fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        assert_int_equal(write(other_fd, "four", 4), 4);
        disk_write(disk, fd, 0, "", 0, NULL, 10, other_fd, on_told, tag('b'));
        disk_write(disk, fd, 0, "", 0, NULL, 10, 999, on_told, tag('c'));
        until_told(3);
        assert_string_equal(
            told.errs[1].text, "the spooled file ends after 4 of 10 bytes");
        assert_int_equal(told.errs[1].kind, ERR_RETRY);
        assert_int_equal(told.errs[2].kind, ERR_RETRY);
}

static void
on_told_and_once_more(void *arg, const struct err *err)
{
        on_told(arg, err);
        disk_write(disk, fd, 10, "again", 5, "", 0, -1, on_told, tag('2'));
}

static void
test_the_end_finishes_all(void **state)
{
        (void)state;
        for (int i = 0; i < 10; i++)
                disk_write(disk, fd, (uint64_t)i, "x", 1, "", 0, -1, on_told, tag('1'));
        disk_write(disk, fd, 0, "X", 1, "", 0, -1, on_told_and_once_more, tag('1'));
        disk_free(&disk);
        assert_null(disk);
        assert_string_equal(told.order, "111111111112");
        assert_content(fd, "Xxxxxxxxxxagain");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(test_write_head_and_body),
            TEST(test_one_sync_for_all_that_waited),
            TEST(test_run_keeps_the_order),
            TEST(test_failed_sync_fails_the_file_only),
            TEST(test_failures_in_words),
            TEST(test_body_from_a_file),
            TEST(test_the_end_finishes_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
