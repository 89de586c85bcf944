/*
 * Host names; see lookup.h.
 *
 * The C library's look-up blocks for as long as a name server is silent, and it
 * cannot be called back, so each one has a thread of its own. Owner and thread
 * share one record; whoever is done with it second frees it.
 */
#include "daemon/base/lookup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/base/arena.h"

/* What owner and thread share. */
struct lookup_work {
        char *address; /* "name:port" */
        struct netaddr addr; /* the thread's outcome */
        struct err err; /* the same */
        int event_fd; /* tells the loop that it is there */
        atomic_bool one_left; /* one of the two has let go */
};

struct lookup {
        struct loop *loop;
        struct lookup_work *work;
        struct watch *watch; /* on event_fd */
        lookup_fn fn;
        void *arg;
};

static void
work_let_go(struct lookup_work *work)
{
        if (!atomic_exchange(&work->one_left, true))
                return;
        close(work->event_fd);
        free(work->address);
        free(work);
}

static void
work_tell(struct lookup_work *work)
{
        uint64_t one = 1;

        while (write(work->event_fd, &one, sizeof one) == -1 && errno == EINTR)
                ;
}

static void *
lookup_thread(void *arg)
{
        struct lookup_work *work = arg;

        netaddr_parse(work->address, NETADDR_LOOKUP, &work->addr, &work->err);
        work_tell(work);
        work_let_go(work);
        return NULL;
}

static void
lookup_on_done(void *arg)
{
        struct lookup *l = arg;
        struct netaddr addr;
        struct err err;
        uint64_t n;

        if (read(l->work->event_fd, &n, sizeof n) == -1)
                return;
        watch_free(&l->watch);
        addr = l->work->addr;
        err = l->work->err;
        l->fn(l->arg, &addr, &err); /* may free l and its work */
}

/* Detached, without signals: those are the loop's. */
static void
lookup_begin(struct lookup_work *work)
{
        pthread_attr_t attr;
        pthread_t thread;
        sigset_t all, old;
        int rc;

        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        rc = pthread_create(&thread, &attr, lookup_thread, work);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        pthread_attr_destroy(&attr);
        if (rc == 0)
                return;
        err_errno(&work->err, ERR_RETRY, rc, "cannot look up %s", work->address);
        work_tell(work);
        work_let_go(work);
}

struct lookup *
lookup_start(
    struct loop *loop, const char *address, lookup_fn fn, void *arg, struct err *err)
{
        int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        struct lookup *l;

        if (event_fd == -1) {
                err_errno(err, ERR_RETRY, errno, "cannot look up %s", address);
                return NULL;
        }
        l = xcalloc(1, sizeof *l);
        l->loop = loop;
        l->fn = fn;
        l->arg = arg;
        l->work = xcalloc(1, sizeof *l->work);
        l->work->address = xstrdup(address);
        l->work->event_fd = event_fd;
        l->watch = watch_new(loop, l->work->event_fd, WATCH_READ, lookup_on_done, l);
        lookup_begin(l->work);
        return l;
}

static void
lookup_reap(void *arg)
{
        free(arg);
}

void
lookup_free(struct lookup **p)
{
        struct lookup *l = *p;

        *p = NULL;
        if (l == NULL)
                return;
        watch_free(&l->watch);
        work_let_go(l->work);
        loop_later(l->loop, lookup_reap, l);
}
