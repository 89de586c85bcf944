/* Arenas, buffers, errors, the clock, quoting for the log. */
#include "daemon/base/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"

/* ---- arena ---- */

static void
test_arena_strings(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        assert_string_equal(arena_strdup(a, "abc"), "abc");
        assert_string_equal(arena_strdup(a, NULL), "");
        assert_memory_equal(arena_strndup(a, "a\0bc", 3), "a\0b", 4);
        assert_string_equal(arena_strndup(a, NULL, 0), "");
        assert_string_equal(arena_printf(a, "%d-%s", 42, "x"), "42-x");
        assert_int_equal(arena_size(a), 4 + 1 + 4 + 1 + 5);
}

/* Small and large blocks, mixed: zeroed, aligned, and none overlaps another. */
static void
test_arena_blocks(void **state)
{
        enum { N = 2000 };
        struct arena *a = arena_new();
        unsigned char *p[N];
        size_t n[N];

        (void)state;
        for (size_t i = 0; i < N; i++) {
                n[i] = i % 500 == 499 ? 200000 : i * 7 % 300;
                p[i] = arena_alloc(a, n[i]);
                assert_int_equal((uintptr_t)p[i] % alignof(max_align_t), 0);
                for (size_t j = 0; j < n[i]; j++)
                        assert_true(p[i][j] == 0);
                memset(p[i], (int)(i % 255 + 1), n[i]);
        }
        for (size_t i = 0; i < N; i++)
                for (size_t j = 0; j < n[i]; j++)
                        assert_true(p[i][j] == i % 255 + 1);
        arena_free(&a);
        assert_null(a);
        arena_free(&a);
}

static void
test_arena_grow(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        int *items = NULL;

        (void)state;
        for (int i = 0; i < 1000; i++) {
                items = arena_grow(a, items, (size_t)i, sizeof *items);
                items[i] = i;
        }
        for (int i = 0; i < 1000; i++)
                assert_int_equal(items[i], i);
        assert_true(arena_size(a) < 1000 * sizeof *items * 4);
}

/* ---- buf ---- */

static void
test_buf(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        assert_string_equal(buf_str(&b), "");
        buf_reserve(&b, 10);
        assert_string_equal(buf_str(&b), "");
        buf_add(&b, NULL, 0);
        buf_adds(&b, "hello");
        buf_addc(&b, ' ');
        buf_addf(&b, "%05d", 42);
        assert_string_equal(buf_str(&b), "hello 00042");
        assert_int_equal(b.len, 11);
        buf_consume(&b, 0);
        buf_consume(&b, 6);
        assert_string_equal(buf_str(&b), "00042");
        buf_consume(&b, 5);
        assert_string_equal(buf_str(&b), "");
        for (int i = 0; i < 10000; i++)
                buf_addf(&b, "%d,", i);
        assert_int_equal(b.len, strlen(b.data));
        assert_string_equal(b.data + b.len - 10, "9998,9999,");
        buf_clear(&b);
        assert_string_equal(buf_str(&b), "");
        buf_fini(&b);
        assert_null(b.data);
}

/* ---- err ---- */

static void
test_err(void **state)
{
        struct err err = {0};
        char big[1000];

        (void)state;
        assert_int_equal(err_set(&err, ERR_REJECT, "line\r\n%d", 2), -1);
        assert_int_equal(err.kind, ERR_REJECT);
        assert_string_equal(err.text, "line  2");
        assert_string_equal(err.code, "");
        assert_int_equal(err_code(&err, ERR_STATE, "STATE", "ticket is closed"), -1);
        assert_string_equal(err.code, "STATE");
        assert_int_equal(err_errno(&err, ERR_RETRY, ENOENT, "cannot open %s", "x"), -1);
        assert_string_equal(err.text, "cannot open x: No such file or directory");
        assert_int_equal(err_set(&err, ERR_REJECT, "no %.3s\x1b", "щщ"), -1);
        assert_string_equal(err.text, "no щ??"); /* cut in a character */
        assert_int_equal(err_errno(&err, ERR_RETRY, ENOENT, "cannot open %s", "x"), -1);
        err_prefix(&err, "mail %d", 7);
        assert_string_equal(err.text, "mail 7: cannot open x: No such file or directory");
        assert_int_equal(err_set(NULL, ERR_REJECT, "x"), -1);
        assert_int_equal(err_prefix(NULL, "x"), -1);
        memset(big, 'x', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        err_errno(&err, ERR_RETRY, EIO, "%s", big);
        err_prefix(&err, "%s", big);
        assert_int_equal(strlen(err.text), sizeof err.text - 1);
        assert_string_equal(err_kind_name(ERR_LIMIT), "limit");
        assert_string_equal(err_kind_name(ERR_NONE), "none");
}

/* ---- clock ---- */

static void
check_parse(const char *s, int64_t expected)
{
        int64_t us = -1;

        assert_true(clock_parse(s, &us));
        assert_int_equal(us, expected);
}

static void
test_clock_text(void **state)
{
        const int64_t at = 1795514400123456;
        const char *bad[] = {"", "now", "2026-11-24", "2026-11-24T10:00:00",
            "2026-13-24T10:00:00Z", "2026-11-24T25:00:00Z", "2026-11-24T10:00:00+3",
            "2026-11-24T10:00:00Zx", "1969-12-31T23:59:59Z", "2026-00-24T10:00:00Z",
            "2026-11-24T10:00:00.Z.1"};
        char text[25];
        int64_t us;

        (void)state;
        clock_format(at, text);
        assert_string_equal(text, "2026-11-24T10:00:00.123Z");
        clock_format(0, text);
        assert_string_equal(text, "1970-01-01T00:00:00.000Z");
        clock_format(-5, text);
        assert_string_equal(text, "1970-01-01T00:00:00.000Z");
        clock_format(INT64_MAX, text);
        assert_int_equal(strlen(text), 24);
        check_parse("2026-11-24T10:00:00.123456Z", at);
        check_parse("2026-11-24T10:00:00.123456789123Z", at);
        check_parse("2026-11-24T13:00:00.123456+03:00", at);
        check_parse("2026-11-24T04:30:00.123456-05:30", at);
        check_parse("2026-11-24t10:00:00z", at - 123456);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
                if (clock_parse(bad[i], &us))
                        fail_msg("'%s' was taken for a time", bad[i]);
}

static void
test_clock_tests_own_it(void **state)
{
        int64_t mono;

        (void)state;
        clock_test_set(1795514400000000);
        assert_int_equal(clock_now_us(), 1795514400000000);
        mono = clock_mono_us();
        clock_update();
        clock_test_advance(1500000);
        assert_int_equal(clock_now_ms(), 1795514401500);
        assert_int_equal(clock_mono_us() - mono, 1500000);
        assert_int_equal(clock_read_mono_us(), clock_mono_us());
}

/* ---- log ---- */

static void
test_log_quote(void **state)
{
        char big[301];
        const char *q;

        (void)state;
        assert_string_equal(log_quote("plain-word_1"), "plain-word_1");
        assert_string_equal(log_quote("счёт"), "счёт");
        assert_string_equal(log_quote(""), "\"\"");
        assert_string_equal(log_quote("two words"), "\"two words\"");
        assert_string_equal(log_quote("a=b"), "\"a=b\"");
        assert_string_equal(log_quote("q\"b\\n\nt\tz"), "\"q\\\"b\\\\n\\nt\\x09z\"");
        memset(big, 1, 300);
        big[300] = '\0';
        q = log_quote(big);
        assert_int_equal(strlen(q), 200 * 4 + 5);
        assert_string_equal(q + strlen(q) - 4, "...\"");
        assert_string_not_equal(log_quote("one"), log_quote("two"));
}

static void
test_log_line(void **state)
{
        char line[4096], big[5000];
        int fds[2];
        ssize_t n;

        (void)state;
        assert_int_equal(pipe(fds), 0);
        log_set_fd(fds[1]);
        log_debug("HIDDEN", "x=1");
        log_info("QUEUED", "ticket=%d\nforged", 1042);
        memset(big, 'y', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        log_warn("BIG", "%s", big);
        log_set_fd(STDERR_FILENO);
        n = read(fds[0], line, sizeof line - 1);
        assert_true(n > 0);
        line[n] = '\0';
        assert_null(strstr(line, "HIDDEN"));
        assert_non_null(strstr(line, "info QUEUED ticket=1042 forged\n"));
        assert_int_equal(line[n - 1], '\n');
        assert_ptr_equal(strchr(strchr(line, '\n') + 1, '\n'), line + n - 1);
        close(fds[0]);
        close(fds[1]);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_arena_strings),
            cmocka_unit_test(test_arena_blocks),
            cmocka_unit_test(test_arena_grow),
            cmocka_unit_test(test_buf),
            cmocka_unit_test(test_err),
            cmocka_unit_test(test_clock_text),
            cmocka_unit_test(test_clock_tests_own_it),
            cmocka_unit_test(test_log_quote),
            cmocka_unit_test(test_log_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
