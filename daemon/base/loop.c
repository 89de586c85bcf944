/*
 * The event loop; see loop.h.
 *
 * One turn: wait for events, run their handlers, then what was put off with
 * loop_later(). The clock is read once a turn, by the first handler that runs
 * (loop_enter), so all handlers of a turn see one time.
 *
 * What is put off while the put-off things run belongs to the next turn, which
 * then does not wait: a thing that puts itself off again cannot starve events.
 */
#include "daemon/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/stream.h"

/* Something put off to the end of the turn. */
struct later {
        loop_fn fn;
        void *arg;
        STAILQ_ENTRY(later) link;
};
STAILQ_HEAD(later_list, later);

/* The handler of one signal. */
struct loop_sig {
        struct loop *loop;
        struct event *ev; /* NULL: this signal is not ours */
        loop_fn fn;
        void *arg;
};

struct loop {
        struct event_base *base;
        struct event *turn_end; /* ends a turn that waited long enough */
        struct later_list later; /* in order of asking */
        struct loop_sig sigs[NSIG];
        bool stopping; /* loop_stop() was called */
        bool clock_is_fresh; /* the clock was read in this turn */
};

struct timer {
        struct loop *loop;
        struct event *ev;
        loop_fn fn;
        void *arg;
};

struct watch {
        struct loop *loop;
        struct event *ev;
        loop_fn fn;
        void *arg;
};

/* The library cannot go on (no memory, no descriptors at the start). */
static void *
must(void *p, const char *what)
{
        if (p == NULL) {
                log_error("LOOP", "cannot make %s: %s", what, strerror(errno));
                abort();
        }
        return p;
}

static void
loop_nothing_cb(evutil_socket_t fd, short what, void *arg)
{
        (void)fd;
        (void)what;
        loop_enter(arg);
}

struct loop *
loop_new(void)
{
        struct loop *loop = xcalloc(1, sizeof *loop);

        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of write() */
        loop->base = must(event_base_new(), "an event loop");
        loop->turn_end = must(evtimer_new(loop->base, loop_nothing_cb, loop), "a timer");
        STAILQ_INIT(&loop->later);
        clock_update();
        return loop;
}

/* Runs what is put off now, not what these put off again. */
static void
loop_run_later(struct loop *loop)
{
        struct later_list now = STAILQ_HEAD_INITIALIZER(now);
        struct later *l;

        STAILQ_CONCAT(&now, &loop->later);
        while ((l = STAILQ_FIRST(&now)) != NULL) {
                STAILQ_REMOVE_HEAD(&now, link);
                l->fn(l->arg);
                free(l);
        }
}

void
loop_free(struct loop **p)
{
        struct loop *loop = *p;

        if (loop == NULL)
                return;
        stream_drop_closing(loop);
        while (!STAILQ_EMPTY(&loop->later))
                loop_run_later(loop);
        for (int i = 0; i < NSIG; i++)
                if (loop->sigs[i].ev != NULL)
                        event_free(loop->sigs[i].ev);
        event_free(loop->turn_end);
        event_base_free(loop->base);
        free(loop);
        *p = NULL;
}

/* ms < 0: wait for an event however long it takes. */
static void
loop_one_turn(struct loop *loop, int64_t ms)
{
        int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

        loop->clock_is_fresh = false;
        if (ms == 0 || !STAILQ_EMPTY(&loop->later)) {
                flags |= EVLOOP_NONBLOCK;
        } else if (ms > 0) {
                struct timeval tv = {ms / 1000, ms % 1000 * 1000};

                evtimer_add(loop->turn_end, &tv);
        }
        event_base_loop(loop->base, flags);
        evtimer_del(loop->turn_end);
        loop_enter(loop);
        loop_run_later(loop);
}

void
loop_turn(struct loop *loop, int64_t ms)
{
        loop_one_turn(loop, ms < 0 ? 0 : ms);
}

void
loop_run(struct loop *loop)
{
        while (!loop->stopping)
                loop_one_turn(loop, -1);
        loop->stopping = false;
}

void
loop_stop(struct loop *loop)
{
        loop->stopping = true;
}

void
loop_later(struct loop *loop, loop_fn fn, void *arg)
{
        struct later *l = xcalloc(1, sizeof *l);

        l->fn = fn;
        l->arg = arg;
        STAILQ_INSERT_TAIL(&loop->later, l, link);
}

struct event_base *
loop_base(struct loop *loop)
{
        return loop->base;
}

void
loop_enter(struct loop *loop)
{
        if (loop->clock_is_fresh)
                return;
        clock_update();
        loop->clock_is_fresh = true;
}

/* ---- timers ---- */

static void
timer_cb(evutil_socket_t fd, short what, void *arg)
{
        struct timer *t = arg;

        (void)fd;
        (void)what;
        loop_enter(t->loop);
        t->fn(t->arg); /* t may be freed now */
}

struct timer *
timer_new(struct loop *loop, loop_fn fn, void *arg)
{
        struct timer *t = xcalloc(1, sizeof *t);

        t->loop = loop;
        t->fn = fn;
        t->arg = arg;
        t->ev = must(evtimer_new(loop->base, timer_cb, t), "a timer");
        return t;
}

void
timer_set(struct timer *t, int64_t ms)
{
        struct timeval tv = {0, 0};

        if (ms > 0) {
                tv.tv_sec = ms / 1000;
                tv.tv_usec = ms % 1000 * 1000;
        }
        evtimer_add(t->ev, &tv);
}

void
timer_clear(struct timer *t)
{
        evtimer_del(t->ev);
}

bool
timer_is_set(const struct timer *t)
{
        return evtimer_pending(t->ev, NULL) != 0;
}

void
timer_free(struct timer **p)
{
        struct timer *t = *p;

        if (t == NULL)
                return;
        event_free(t->ev);
        free(t);
        *p = NULL;
}

/* ---- descriptors ---- */

static void
watch_cb(evutil_socket_t fd, short what, void *arg)
{
        struct watch *w = arg;

        (void)fd;
        (void)what;
        loop_enter(w->loop);
        w->fn(w->arg); /* w may be freed now */
}

struct watch *
watch_new(struct loop *loop, int fd, int what, loop_fn fn, void *arg)
{
        struct watch *w = xcalloc(1, sizeof *w);
        short events = EV_PERSIST;

        assert(fd >= 0);
        if (what & WATCH_READ)
                events |= EV_READ;
        if (what & WATCH_WRITE)
                events |= EV_WRITE;
        w->loop = loop;
        w->fn = fn;
        w->arg = arg;
        w->ev = must(event_new(loop->base, fd, events, watch_cb, w), "a watch");
        if (event_add(w->ev, NULL) == -1)
                must(NULL, "a watch");
        return w;
}

void
watch_free(struct watch **p)
{
        struct watch *w = *p;

        if (w == NULL)
                return;
        event_free(w->ev);
        free(w);
        *p = NULL;
}

/* ---- signals ---- */

static void
loop_signal_cb(evutil_socket_t signo, short what, void *arg)
{
        struct loop_sig *s = arg;

        (void)signo;
        (void)what;
        loop_enter(s->loop);
        s->fn(s->arg);
}

void
loop_signal(struct loop *loop, int signo, loop_fn fn, void *arg)
{
        struct loop_sig *s;

        assert(signo > 0 && signo < NSIG);
        s = &loop->sigs[signo];
        s->loop = loop;
        s->fn = fn;
        s->arg = arg;
        if (s->ev != NULL)
                return;
        s->ev = must(evsignal_new(loop->base, signo, loop_signal_cb, s), "a signal");
        evsignal_add(s->ev, NULL);
}
