/* Raw bytes on disk: put, read, drop, restarts, torn tails, failing writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "queue/blob.h"

enum { N_MAX = 3000 };

static struct loop *loop;
static struct disk *disk;
static struct blobs *blobs;
static char base[64], dir[80];

static struct put_got {
        int n;
        int order[N_MAX];
        struct blob_ref ref[N_MAX];
        enum err_kind kind[N_MAX];
} got;

static void
on_put(void *arg, const struct err *err, const struct blob_ref *ref)
{
        int i = (int)(intptr_t)arg;

        got.order[got.n++] = i;
        got.kind[i] = err->kind;
        got.ref[i] = *ref;
}

static void
wait_for(int n)
{
        int64_t end = clock_read_mono_us() + 60000000;

        while (got.n < n && clock_read_mono_us() < end)
                loop_turn(loop, 20);
        assert_int_equal(got.n, n);
}

static void
settle(void)
{
        struct err err;

        disk_free(&disk);
        blobs_close(&blobs);
        disk = disk_new(loop);
        blobs = blobs_open(disk, dir, &err);
        assert_non_null(blobs);
}

static int
setup(void **state)
{
        struct err err;
        (void)state;

        log_set_level(LOG_LEVEL_ERROR + 1);
        memset(&got, 0, sizeof got);
        snprintf(base, sizeof base, "/tmp/queue_blob.XXXXXX");
        assert_non_null(mkdtemp(base));
        snprintf(dir, sizeof dir, "%s/blobs", base);
        loop = loop_new();
        disk = disk_new(loop);
        blobs = blobs_open(disk, dir, &err);
        assert_non_null(blobs);
        return 0;
}

static int
teardown(void **state)
{
        char command[128];
        (void)state;

        disk_free(&disk);
        blobs_close(&blobs);
        loop_free(&loop);
        snprintf(command, sizeof command, "rm -rf %s", base);
        return system(command);
}

static void
assert_reads(int i, const char *want, size_t len)
{
        char *back = xcalloc(1, len + 1);
        struct err err;
        uint64_t at;
        int fd = blob_open(blobs, &got.ref[i], &at, &err);

        assert_true(fd >= 0);
        assert_int_equal(got.ref[i].length, len);
        assert_int_equal(pread(fd, back, len, (off_t)at), len);
        assert_memory_equal(back, want, len);
        close(fd);
        free(back);
}

static void
put_text(int i, const char *text)
{
        blob_put(blobs, text, strlen(text), -1, on_put, (void *)(intptr_t)i);
}

static bool
segment_is(unsigned number, struct stat *st)
{
        char path[128];

        snprintf(path, sizeof path, "%s/%08u.seg", dir, number);
        return stat(path, st) == 0;
}

static void
many_puts_read_back(void **state)
{
        char text[64];
        (void)state;

        for (int i = 0; i < 1000; i++) {
                snprintf(text, sizeof text, "message %d%.*s", i, i % 40,
                    "........................................");
                put_text(i, text);
        }
        assert_int_equal(got.n, 0); /* never before blob_put returns */
        wait_for(1000);
        for (int i = 0; i < 1000; i++) {
                char sha[65];

                snprintf(text, sizeof text, "message %d%.*s", i, i % 40,
                    "........................................");
                assert_int_equal(got.kind[i], ERR_NONE);
                assert_reads(i, text, strlen(text));
                sha256_hex(text, strlen(text), sha);
                assert_string_equal(got.ref[i].sha256, sha);
        }
}

static void
empty_large_and_from_a_file(void **state)
{
        size_t len = 3000000;
        char *big = xcalloc(1, len), path[128];
        int fd;
        (void)state;

        for (size_t i = 0; i < len; i++)
                big[i] = (char)(i * 7 + i / 1000);
        snprintf(path, sizeof path, "%s/spool", base);
        fd = open(path, O_RDWR | O_CREAT, 0600);
        assert_int_equal(write(fd, big, len), len);
        blob_put(blobs, NULL, 0, -1, on_put, (void *)0);
        blob_put(blobs, big, len, -1, on_put, (void *)1);
        blob_put(blobs, NULL, len, fd, on_put, (void *)2);
        blob_put(blobs, NULL, len + 1, fd, on_put, (void *)3); /* longer than the file */
        close(fd); /* ours; it has its own */
        wait_for(4);
        assert_int_equal(got.kind[0], ERR_NONE);
        assert_reads(1, big, len);
        assert_reads(2, big, len);
        assert_string_equal(got.ref[1].sha256, got.ref[2].sha256);
        assert_int_equal(got.kind[3], ERR_RETRY);
        free(big);
}

static void
refs_as_text(void **state)
{
        static const char *const bad[] = {"", ":", "1:2:3", "1:2:3:", "1:2:3:abc",
            "x:2:3:", "4294967296:0:0:", "1:99999999999999999999:0:", "-1:0:0:",
            "1 :0:0:"};
        struct blob_ref ref = {.segment = 7, .offset = 4096, .length = 5120}, back;
        char text[128], longer[200];
        (void)state;

        sha256_hex("x", 1, ref.sha256);
        blob_ref_format(&ref, text);
        assert_true(blob_ref_parse(text, &back));
        assert_memory_equal(&ref, &back, sizeof ref);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                snprintf(longer, sizeof longer, "%s%s", bad[i],
                    bad[i][0] != '\0' && bad[i][strlen(bad[i]) - 1] == ':' &&
                            strlen(bad[i]) > 6
                        ? ref.sha256
                        : "");
                assert_false(blob_ref_parse(longer, &back));
        }
        snprintf(longer, sizeof longer, "%s0", text);
        assert_false(blob_ref_parse(longer, &back));
}

static void
segments_end_at_64_mb(void **state)
{
        size_t len = 10 << 20;
        char *big = xcalloc(1, len);
        struct stat st;
        (void)state;

        for (int i = 0; i < 8; i++) {
                big[0] = (char)i;
                blob_put(blobs, big, len, -1, on_put, (void *)(intptr_t)i);
        }
        wait_for(8);
        assert_int_equal(got.ref[5].segment, 1);
        assert_int_equal(got.ref[6].segment, 2);
        for (int i = 0; i < 8; i++) {
                big[0] = (char)i;
                assert_reads(i, big, len);
        }
        assert_true(segment_is(1, &st));
        assert_true(st.st_size <= 64 << 20);
        free(big);
}

static void
new_process_new_segment(void **state)
{
        (void)state;
        put_text(0, "first life");
        wait_for(1);
        settle();
        put_text(1, "second life");
        wait_for(2);
        assert_int_equal(got.ref[0].segment, 1);
        assert_int_equal(got.ref[1].segment, 2);
        assert_reads(0, "first life", 10);
}

static void
dropped_is_gone_and_empty_segments_too(void **state)
{
        char *big = xcalloc(1, 1 << 20);
        struct stat before, after;
        struct err err;
        uint64_t at;
        (void)state;

        memset(big, 'x', 1 << 20);
        blob_put(blobs, big, 1 << 20, -1, on_put, (void *)0);
        put_text(1, "stays");
        wait_for(2);
        assert_true(segment_is(1, &before));
        blob_drop(blobs, &got.ref[0]);
        settle();
        assert_int_equal(blob_open(blobs, &got.ref[0], &at, &err), -1);
        assert_int_equal(err.kind, ERR_NOTFOUND);
        assert_true(segment_is(1, &after));
        assert_true(after.st_blocks * 512 < before.st_blocks * 512 - (1 << 19));
        assert_reads(1, "stays", 5);
        /* The newest segment stays, for its number must not be given again ... */
        blob_drop(blobs, &got.ref[1]);
        settle();
        assert_true(segment_is(1, &after));
        /* ... and goes with the next drop when it is no longer the newest. */
        put_text(2, "new");
        wait_for(3);
        blob_drop(blobs, &got.ref[1]);
        settle();
        assert_false(segment_is(1, &after));
        assert_int_equal(blob_open(blobs, &got.ref[1], &at, &err), -1);
        assert_int_equal(err.kind, ERR_NOTFOUND);
        free(big);
}

static void
wrong_references_are_refused(void **state)
{
        struct blob_ref ref;
        struct err err;
        uint64_t at;
        (void)state;

        put_text(0, "some text that is longer than a head of 32 bytes, and then some");
        wait_for(1);
        ref = got.ref[0];
        ref.offset += 32;
        assert_int_equal(blob_open(blobs, &ref, &at, &err), -1);
        assert_int_equal(err.kind, ERR_REJECT);
        ref = got.ref[0];
        ref.length--;
        assert_int_equal(blob_open(blobs, &ref, &at, &err), -1);
        assert_int_equal(err.kind, ERR_REJECT);
        ref = got.ref[0];
        ref.segment = 99;
        assert_int_equal(blob_open(blobs, &ref, &at, &err), -1);
        assert_int_equal(err.kind, ERR_NOTFOUND);
}

/* ---- the walk ---- */

static struct walked {
        int n_ok, n_bad;
        struct blob_ref ok[N_MAX];
} walked;

static void
on_record(void *arg, const struct blob_ref *ref, bool ok)
{
        (void)arg;
        if (ok)
                walked.ok[walked.n_ok++] = *ref;
        else
                walked.n_bad++;
}

static void
walk(void)
{
        struct err err;

        memset(&walked, 0, sizeof walked);
        assert_int_equal(blobs_walk(dir, on_record, NULL, &err), 0);
}

static void
scribble(unsigned segment, off_t at, const char *p, size_t n)
{
        char path[128];
        int fd;

        snprintf(path, sizeof path, "%s/%08u.seg", dir, segment);
        fd = open(path, O_WRONLY);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, p, n, at), n);
        close(fd);
}

static void
walk_finds_all_and_damage(void **state)
{
        char text[200], path[128];
        struct stat st;
        (void)state;

        for (int i = 0; i < 50; i++) {
                snprintf(text, sizeof text, "text %d with a tail %0*d", i, i + 1, i);
                put_text(i, text);
        }
        wait_for(50);
        blob_drop(blobs, &got.ref[10]);
        settle();
        put_text(50, "another life");
        wait_for(51);
        walk();
        assert_int_equal(walked.n_ok, 50);
        assert_int_equal(walked.n_bad, 0);
        for (int i = 0; i < 10; i++)
                assert_memory_equal(&walked.ok[i], &got.ref[i], sizeof got.ref[i]);
        /* A byte of the text, and a head: the ones behind are found all the same. */
        scribble(1, (off_t)got.ref[20].offset + 34, "?", 1);
        scribble(1, (off_t)got.ref[30].offset + 5, "????", 4);
        walk();
        assert_int_equal(walked.n_ok, 48);
        assert_int_equal(walked.n_bad, 1);
        /* A torn tail. */
        assert_true(segment_is(1, &st));
        snprintf(path, sizeof path, "%s/00000001.seg", dir);
        assert_int_equal(truncate(path, st.st_size - 5), 0);
        walk();
        assert_int_equal(walked.n_ok, 47);
        assert_int_equal(walked.n_bad, 2);
}

/* A disk that is full: each put is told so, and the room is used again later. */
static void
failed_writes_are_told(void **state)
{
        struct rlimit old, small;
        char *big = xcalloc(1, 200000);
        (void)state;

        memset(big, 'y', 200000);
        put_text(0, "before");
        wait_for(1);
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &old);
        small = old;
        small.rlim_cur = 100000;
        setrlimit(RLIMIT_FSIZE, &small);
        blob_put(blobs, big, 200000, -1, on_put, (void *)1);
        put_text(2, "behind it");
        wait_for(3);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(got.kind[1], ERR_RETRY);
        blob_put(blobs, big, 200000, -1, on_put, (void *)3);
        put_text(4, "after");
        wait_for(5);
        assert_int_equal(got.kind[3], ERR_NONE);
        assert_int_equal(got.ref[3].offset, got.ref[1].offset);
        assert_reads(0, "before", 6);
        assert_reads(3, big, 200000);
        assert_reads(4, "after", 5);
        walk();
        assert_int_equal(walked.n_ok, got.kind[2] == ERR_NONE ? 4 : 3);
        free(big);
}

static void
folder_that_cannot_be(void **state)
{
        char path[128];
        struct err err;
        (void)state;

        snprintf(path, sizeof path, "%s/nowhere/blobs", base);
        assert_null(blobs_open(disk, path, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_int_equal(blobs_walk(path, on_record, NULL, &err), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(many_puts_read_back),
            TEST(empty_large_and_from_a_file),
            TEST(refs_as_text),
            TEST(segments_end_at_64_mb),
            TEST(new_process_new_segment),
            TEST(dropped_is_gone_and_empty_segments_too),
            TEST(wrong_references_are_refused),
            TEST(walk_finds_all_and_damage),
            TEST(failed_writes_are_told),
            TEST(folder_that_cannot_be),
        };

        return cmocka_run_group_tests_name("queue_blob", tests, NULL, NULL);
}
