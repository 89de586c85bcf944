/* The event loop: order within a turn, timers, signals, freeing from inside. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/loop.h"

static char trace[64]; /* a letter for each call, in order */

static void
note(char c)
{
        size_t n = strlen(trace);

        assert_true(n + 1 < sizeof trace);
        trace[n] = c;
        trace[n + 1] = '\0';
}

static int
setup(void **state)
{
        trace[0] = '\0';
        *state = loop_new();
        return 0;
}

static int
teardown(void **state)
{
        struct loop *loop = *state;

        loop_free(&loop);
        assert_null(loop);
        return 0;
}

static void
note_a(void *arg)
{
        (void)arg;
        note('a');
}

static void
note_b(void *arg)
{
        (void)arg;
        note('b');
}

static void
ask_later(void *arg)
{
        note('1');
        loop_later(arg, note_a, NULL);
        loop_later(arg, note_b, NULL);
}

static void
ask_later_too(void *arg)
{
        (void)arg;
        note('2');
}

static void
test_later_runs_behind_all_events_of_the_turn(void **state)
{
        struct loop *loop = *state;
        struct timer *t1 = timer_new(loop, ask_later, loop);
        struct timer *t2 = timer_new(loop, ask_later_too, loop);

        timer_set(t1, 0);
        timer_set(t2, 0);
        loop_turn(loop, 100);
        assert_string_equal(trace, "12ab");
        timer_free(&t1);
        timer_free(&t2);
        assert_null(t1);
}

static void
again(void *arg)
{
        note('x');
        if (strlen(trace) < 5)
                loop_later(arg, again, arg);
}

static void
test_later_from_later_is_the_next_turn_which_does_not_wait(void **state)
{
        struct loop *loop = *state;
        int64_t start_us = clock_read_mono_us();

        loop_later(loop, again, loop);
        loop_turn(loop, 5000);
        assert_string_equal(trace, "x");
        for (int i = 0; i < 4; i++)
                loop_turn(loop, 5000);
        assert_string_equal(trace, "xxxxx");
        assert_true(clock_read_mono_us() - start_us < 1000000);
}

static void
test_later_left_at_the_end_still_runs(void **state)
{
        struct loop *loop = loop_new();

        (void)state;
        loop_later(loop, again, loop);
        loop_free(&loop);
        assert_string_equal(trace, "xxxxx");
}

static struct timer *self_timer;

static void
free_self(void *arg)
{
        (void)arg;
        note('f');
        timer_free(&self_timer);
}

static void
test_timer_life(void **state)
{
        struct loop *loop = *state;
        struct timer *t = timer_new(loop, note_a, NULL);

        assert_false(timer_is_set(t));
        loop_turn(loop, 0);
        timer_set(t, 60000);
        assert_true(timer_is_set(t));
        timer_set(t, 10); /* moved */
        for (int i = 0; i < 50 && trace[0] == '\0'; i++)
                loop_turn(loop, 20);
        assert_string_equal(trace, "a");
        assert_false(timer_is_set(t));
        timer_set(t, 0);
        timer_clear(t);
        loop_turn(loop, 5);
        assert_string_equal(trace, "a");
        timer_free(&t);
        timer_free(&t);
        self_timer = timer_new(loop, free_self, NULL);
        timer_set(self_timer, -5);
        loop_turn(loop, 100);
        assert_string_equal(trace, "af");
        assert_null(self_timer);
}

static int64_t seen_us[2];

static void
slow_and_look(void *arg)
{
        int64_t *p = arg;

        *p = clock_mono_us();
        usleep(3000);
}

static void
test_one_time_a_turn(void **state)
{
        struct loop *loop = *state;
        struct timer *t1 = timer_new(loop, slow_and_look, &seen_us[0]);
        struct timer *t2 = timer_new(loop, slow_and_look, &seen_us[1]);
        int64_t before_us = clock_read_mono_us();

        timer_set(t1, 0);
        timer_set(t2, 0);
        loop_turn(loop, 100);
        assert_true(seen_us[0] >= before_us);
        assert_int_equal(seen_us[0], seen_us[1]);
        timer_free(&t1);
        timer_free(&t2);
}

static int pair[2];
static struct watch *reader;

static void
read_one(void *arg)
{
        char c;

        (void)arg;
        assert_int_equal(read(pair[0], &c, 1), 1);
        note(c);
        if (c == 'q')
                watch_free(&reader);
}

static void
test_watch_is_level_triggered_and_may_free_itself(void **state)
{
        struct loop *loop = *state;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        reader = watch_new(loop, pair[0], WATCH_READ, read_one, NULL);
        loop_turn(loop, 5);
        assert_int_equal(write(pair[1], "klqm", 4), 4);
        for (int i = 0; i < 5; i++)
                loop_turn(loop, 5);
        assert_string_equal(trace, "klq");
        assert_null(reader);
        close(pair[0]);
        close(pair[1]);
}

static void
stop_it(void *arg)
{
        note('s');
        loop_stop(arg);
}

static void
test_signal_and_stop(void **state)
{
        struct loop *loop = *state;

        loop_signal(loop, SIGUSR1, note_a, NULL);
        loop_signal(loop, SIGUSR1, stop_it, loop); /* the last one counts */
        raise(SIGUSR1);
        loop_run(loop);
        assert_string_equal(trace, "s");
        raise(SIGUSR1);
        loop_run(loop); /* runs again after a stop */
        assert_string_equal(trace, "ss");
        raise(SIGPIPE); /* ignored */
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                test_later_runs_behind_all_events_of_the_turn, setup, teardown),
            cmocka_unit_test_setup_teardown(
                test_later_from_later_is_the_next_turn_which_does_not_wait, setup,
                teardown),
            cmocka_unit_test_setup_teardown(
                test_later_left_at_the_end_still_runs, setup, teardown),
            cmocka_unit_test_setup_teardown(test_timer_life, setup, teardown),
            cmocka_unit_test_setup_teardown(test_one_time_a_turn, setup, teardown),
            cmocka_unit_test_setup_teardown(
                test_watch_is_level_triggered_and_may_free_itself, setup, teardown),
            cmocka_unit_test_setup_teardown(test_signal_and_stop, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
