/*
 * The event loop: libevent behind a small door (its only home is daemon/base).
 *
 * One loop a process, one thread. Rules: a handler reads or takes one thing,
 * calls one pure function, acts, returns. Nothing is freed inside its own
 * callback: use loop_later() to reap at the end of the turn. Every timer has an
 * owner who frees it.
 */
#ifndef HELPLINE_BASE_LOOP_H
#define HELPLINE_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct timer;
struct watch;
struct event_base;

typedef void (*loop_fn)(void *arg);

struct loop *loop_new(void);
void loop_free(struct loop **loop);
/* Runs until loop_stop(). clock_update() is called once a turn. */
void loop_run(struct loop *loop);
/* One turn, waiting at most ms (0: not at all). For tests. */
void loop_turn(struct loop *loop, int64_t ms);
void loop_stop(struct loop *loop);
/* Call fn(arg) at the end of this turn, in order of asking. Nothing cancels it:
 * what arg points to must live until then. */
void loop_later(struct loop *loop, loop_fn fn, void *arg);
/* For daemon/base only: loop_enter brings the clock up to date once a turn; each
 * callback of the library calls it first. */
struct event_base *loop_base(struct loop *loop);
void loop_enter(struct loop *loop);

/* A timer that is off until set. timer_set moves it; it fires once. */
struct timer *timer_new(struct loop *loop, loop_fn fn, void *arg);
void timer_set(struct timer *t, int64_t ms);
void timer_clear(struct timer *t);
bool timer_is_set(const struct timer *t);
void timer_free(struct timer **t);

/* Level-triggered readiness of a descriptor; the descriptor stays the caller's. */
enum { WATCH_READ = 1, WATCH_WRITE = 2 };
struct watch *watch_new(struct loop *loop, int fd, int what, loop_fn fn, void *arg);
void watch_free(struct watch **w);

/* A signal, delivered in the loop. One handler a signal. */
void loop_signal(struct loop *loop, int signo, loop_fn fn, void *arg);

#endif
