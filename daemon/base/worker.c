/*
 * The pool of helper processes; see worker.h.
 *
 * A worker is STARTING until it says READY, IDLE, BUSY with one job, and ENDING
 * once it was killed, let go or found dead, until the kernel has given its exit
 * status. Every worker counts against n_max until then, so memory stays bounded.
 *
 * Killed at any point: helpers die with the daemon (PDEATHSIG, and the end of
 * their socket); jobs live in the daemon only, whoever asked for one asks again
 * after the restart.
 *
 * Only our own children are waited for, each through its pidfd.
 * Enter at pool_pump: it gives waiting jobs to idle workers and starts more. It
 * runs at the end of a turn, so no job ends inside worker_submit.
 */
#include "daemon/base/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/worker_spawn.h"
#include "daemon/base/worker_words.h"

#define READ_AT_ONCE 65536
#define KEEP_INPUT (1 << 20) /* a larger input buffer is given back after the job */
#define START_MS 10000 /* from fork to READY */
#define LET_GO_MS 2000 /* from the end of its socket to its exit */
#define EXIT_MS 1000 /* from the end of its side of the socket to its exit */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 30000
#define MAX_LOST 3 /* helpers a job may lose before it has begun */

struct worker_job {
        char *frame; /* head and body */
        size_t len; /* of frame */
        size_t sent; /* bytes of it that have left */
        int fd; /* our duplicate, -1: none */
        unsigned n_lost; /* helpers that died before they began it */
        job_fn fn;
        void *arg;
        STAILQ_ENTRY(worker_job) link;
};
STAILQ_HEAD(job_list, worker_job);

enum worker_state { WORKER_STARTING, WORKER_IDLE, WORKER_BUSY, WORKER_ENDING };

struct worker {
        struct worker_pool *pool;
        enum worker_state state;
        struct worker_process proc; /* fd is -1 when ENDING */
        struct worker_job *job; /* BUSY: the one it has */
        bool eof; /* its side of the socket is closed */
        bool begun; /* it has said BEGUN for this job */
        unsigned n_jobs; /* jobs it has had */
        bool stale; /* to be replaced after its job */
        struct buf in; /* bytes from it, not yet a whole frame */
        struct worker_words *words; /* its standard output and error */
        struct watch *readable; /* NULL when ENDING */
        struct watch *writable; /* while output waits */
        struct watch *exited; /* on the pidfd */
        struct timer *deadline; /* of the start, the job, or the exit */
        LIST_ENTRY(worker) link;
};

struct worker_pool {
        struct loop *loop;
        char *name; /* for logs */
        char **argv;
        struct worker_options o; /* its pointers are not used */
        struct worker_limits limits;
        struct job_list waiting;
        size_t n_waiting;
        size_t n_running;
        LIST_HEAD(worker_list, worker) workers;
        unsigned n_workers; /* not yet reaped */
        int64_t backoff_ms; /* until the next try after a failed start; 0: none failed */
        int64_t start_at_us; /* no start before this (monotonic) */
        bool pumping; /* pool_pump is put off to the end of the turn */
        bool stopped; /* freed at the end of the turn */
};

static void pool_wake(struct worker_pool *p);
static void worker_on_readable(void *arg);

const char *
job_result_name(enum job_result r)
{
        switch (r) {
        case JOB_DONE:
                return "done";
        case JOB_DIED:
                return "died";
        case JOB_TIMEOUT:
                return "timeout";
        case JOB_GARBAGE:
                return "garbage";
        case JOB_NOSTART:
                return "nostart";
        case JOB_STOPPED:
                return "stopped";
        }
        return "unknown";
}

/* ---- jobs ---- */

static void
job_free(struct worker_job *job)
{
        if (job->fd >= 0)
                close(job->fd);
        free(job->frame);
        free(job);
}

static void
job_finish(struct worker_job *job, enum job_result result, int type, const char *body,
    size_t len)
{
        job->fn(job->arg, result, type, body, len);
        job_free(job);
}

static void
job_fail(struct worker_job *job, enum job_result result)
{
        job_finish(job, result, 0, "", 0);
}

static struct worker_job *
pool_take_job(struct worker_pool *p)
{
        struct worker_job *job = STAILQ_FIRST(&p->waiting);

        if (job != NULL) {
                STAILQ_REMOVE_HEAD(&p->waiting, link);
                p->n_waiting--;
        }
        return job;
}

/* Those that wait now; what their owners ask for again waits for the next turn. */
static void
pool_fail_waiting(struct worker_pool *p, enum job_result result)
{
        struct worker_job *job;

        for (size_t n = p->n_waiting; n > 0 && (job = pool_take_job(p)) != NULL; n--)
                job_fail(job, result);
}

/* ---- the end of a worker ---- */

static void
worker_reap(void *arg)
{
        struct worker *w = arg;

        buf_fini(&w->in);
        free(w);
}

/* The process is gone and has been waited for. */
static void
worker_forget(struct worker *w)
{
        LIST_REMOVE(w, link);
        w->pool->n_workers--;
        watch_free(&w->exited);
        timer_free(&w->deadline);
        worker_words_free(&w->words);
        close(w->proc.pidfd);
        loop_later(w->pool->loop, worker_reap, w);
}

static void
worker_kill(struct worker *w)
{
        /* Not yet waited for: the pid is still its own. With all that it started. */
        kill(w->proc.pid, SIGKILL);
        kill(-w->proc.pid, SIGKILL);
}

/* The job goes back to the head of the list, or has lost too many helpers. */
static void
worker_give_back(struct worker *w, struct worker_job *job)
{
        job->sent = 0;
        if (++job->n_lost >= MAX_LOST) {
                job_fail(job, JOB_NOSTART);
                return;
        }
        STAILQ_INSERT_HEAD(&w->pool->waiting, job, link);
        w->pool->n_waiting++;
        pool_wake(w->pool);
}

/* No more frames either way; the job it has, if any, ends with result (or is given
 * to another helper when this one has not begun it). The process goes by itself
 * or is killed when kill_now. */
static void
worker_end(struct worker *w, enum job_result result, bool kill_now)
{
        struct worker_job *job = w->job;

        assert(w->state != WORKER_ENDING);
        w->state = WORKER_ENDING;
        w->job = NULL;
        watch_free(&w->readable);
        watch_free(&w->writable);
        close(w->proc.fd);
        w->proc.fd = -1;
        if (kill_now)
                worker_kill(w);
        timer_set(w->deadline, LET_GO_MS);
        if (job == NULL)
                return;
        w->pool->n_running--;
        if (w->begun || result == JOB_STOPPED)
                job_fail(job, result);
        else
                worker_give_back(w, job);
}

/* Starting failed: wait longer before the next try, and let nobody wait for it. */
static void
pool_start_failed(struct worker_pool *p, const char *why)
{
        struct worker *w;

        if (clock_mono_us() >= p->start_at_us) {
                p->backoff_ms = p->backoff_ms == 0 ? BACKOFF_MIN_MS : p->backoff_ms * 2;
                if (p->backoff_ms > BACKOFF_MAX_MS)
                        p->backoff_ms = BACKOFF_MAX_MS;
                p->start_at_us = clock_mono_us() + p->backoff_ms * 1000;
                log_error("HELPER", "name=%s cannot be started, next try in %lld ms: %s",
                    p->name, (long long)p->backoff_ms, why);
        }
        for (w = LIST_FIRST(&p->workers); w != NULL; w = LIST_NEXT(w, link))
                if (w->state != WORKER_ENDING)
                        return;
        pool_fail_waiting(p, JOB_NOSTART);
}

/* It broke the rules, took too long or closed its socket. */
static void
worker_failed(struct worker *w, enum job_result result, const char *why)
{
        struct worker_pool *p = w->pool;
        bool starting = w->state == WORKER_STARTING;

        if (!starting)
                log_warn("HELPER", "name=%s pid=%d ended: %s%s", p->name,
                    (int)w->proc.pid, why,
                    w->job == NULL ? ""
                    : w->begun     ? " (its job failed)"
                                   : " (its job goes on)");
        worker_end(w, result, true);
        if (starting && !p->stopped)
                pool_start_failed(p, why);
}

/* How the process ended, for people; it stays to be waited for. */
static void
worker_exit_text(const struct worker *w, char *out, size_t room)
{
        siginfo_t si = {0};

        if (waitid(P_PIDFD, (id_t)w->proc.pidfd, &si, WEXITED | WNOWAIT) == -1)
                snprintf(out, room, "its exit status is unknown: %s", strerror(errno));
        else if (si.si_code == CLD_EXITED)
                snprintf(out, room, "exit status %d", si.si_status);
        else
                snprintf(
                    out, room, "signal %d (%s)", si.si_status, strsignal(si.si_status));
}

/* Its last words are heard first: they may hold a whole answer. */
static void
worker_on_exit(void *arg)
{
        struct worker *w = arg;
        struct worker_pool *p = w->pool;
        siginfo_t si;
        char how[100];

        while (w->readable != NULL) {
                struct pollfd pfd = {.fd = w->proc.fd, .events = POLLIN};

                if (poll(&pfd, 1, 0) != 1)
                        break;
                worker_on_readable(w);
        }
        if (p->stopped)
                return;
        worker_exit_text(w, how, sizeof how);
        if (w->state != WORKER_ENDING)
                worker_failed(w, JOB_DIED, how);
        else
                log_debug("HELPER", "name=%s pid=%d %s", p->name, (int)w->proc.pid, how);
        if (p->stopped)
                return;
        waitid(P_PIDFD, (id_t)w->proc.pidfd, &si, WEXITED);
        worker_forget(w);
        pool_wake(p);
}

static void
worker_on_deadline(void *arg)
{
        struct worker *w = arg;

        if (w->state != WORKER_ENDING && w->eof) {
                worker_failed(w, JOB_DIED, "it closed its socket");
                return;
        }
        switch (w->state) {
        case WORKER_STARTING:
                worker_failed(w, JOB_TIMEOUT, "it did not say that it is ready");
                break;
        case WORKER_BUSY:
                worker_failed(w, JOB_TIMEOUT, "it took too long");
                break;
        case WORKER_ENDING:
                worker_kill(w);
                break;
        case WORKER_IDLE:
                break;
        }
}

/* ---- bytes to it ---- */

static ssize_t
worker_send_some(struct worker *w, struct worker_job *job)
{
        union {
                struct cmsghdr align;
                char room[CMSG_SPACE(sizeof(int))];
        } control = {0};
        struct iovec iov = {job->frame + job->sent, job->len - job->sent};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

        if (job->sent == 0 && job->fd >= 0) {
                struct cmsghdr *c;

                msg.msg_control = control.room;
                msg.msg_controllen = sizeof control.room;
                c = CMSG_FIRSTHDR(&msg);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(c), &job->fd, sizeof(int));
        }
        return sendmsg(w->proc.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A helper that cannot be written to is about to be found dead: not here. */
static void
worker_send(void *arg)
{
        struct worker *w = arg;
        struct worker_job *job = w->job;

        while (job != NULL && job->sent < job->len) {
                ssize_t rc = worker_send_some(w, job);

                if (rc == -1 && errno == EINTR)
                        continue;
                if (rc == -1 && errno == EAGAIN) {
                        if (w->writable == NULL)
                                w->writable = watch_new(w->pool->loop, w->proc.fd,
                                    WATCH_WRITE, worker_send, w);
                        return;
                }
                if (rc == -1)
                        break;
                job->sent += (size_t)rc;
        }
        watch_free(&w->writable);
}

static void
worker_give(struct worker *w, struct worker_job *job)
{
        w->state = WORKER_BUSY;
        w->job = job;
        w->begun = false;
        w->n_jobs++;
        w->pool->n_running++;
        timer_set(w->deadline, w->pool->o.job_ms);
        worker_send(w);
}

/* ---- bytes from it ---- */

/* Has it used half the processor time it may use? Then the next job could be
 * killed for what the others used. */
static bool
worker_is_spent(const struct worker *w)
{
        const struct worker_options *o = &w->pool->o;
        struct timespec used;
        clockid_t clock;

        if (w->stale || (o->max_jobs > 0 && w->n_jobs >= o->max_jobs))
                return true;
        if (o->cpu_s == 0 || clock_getcpuclockid(w->proc.pid, &clock) != 0 ||
            clock_gettime(clock, &used) == -1)
                return false;
        return used.tv_sec * 1000 + used.tv_nsec / 1000000 >= (int64_t)o->cpu_s * 500;
}

static void
worker_on_answer(struct worker *w, int type, const char *body, size_t len)
{
        struct worker_pool *p = w->pool;
        struct worker_job *job = w->job;
        bool read_all = job->sent == job->len;

        w->state = WORKER_IDLE;
        w->job = NULL;
        p->n_running--;
        timer_clear(w->deadline);
        job_finish(job, JOB_DONE, type, body, len);
        if (p->stopped)
                return;
        if (!read_all ||
            worker_is_spent(w)) /* the rest of the job still lies in its socket */
                worker_end(w, JOB_DONE, !read_all);
        pool_wake(p);
}

static void
worker_on_noexec(struct worker *w, const char *body, size_t len)
{
        const unsigned char *u = (const unsigned char *)body;
        char why[300];
        int errnum = len == 4 ? u[0] << 24 | u[1] << 16 | u[2] << 8 | u[3] : 0;

        snprintf(why, sizeof why, "%.200s: %s", w->pool->argv[0], strerror(errnum));
        worker_failed(w, JOB_NOSTART, why);
}

/* One whole frame. The worker may be ENDING afterwards. */
static void
worker_on_frame(struct worker *w, int type, const char *body, size_t len)
{
        if (w->state == WORKER_STARTING && type == WORKER_TYPE_READY) {
                w->state = WORKER_IDLE;
                w->pool->backoff_ms = 0;
                w->pool->start_at_us = 0;
                timer_clear(w->deadline);
                pool_wake(w->pool);
        } else if (w->state == WORKER_STARTING && type == WORKER_TYPE_NOEXEC) {
                worker_on_noexec(w, body, len);
        } else if (w->state == WORKER_BUSY && !w->begun && type == WORKER_TYPE_BEGUN) {
                w->begun = true;
        } else if (w->state == WORKER_BUSY && w->begun && type <= WORKER_TYPE_MAX &&
                   len <= w->pool->o.max_answer) {
                worker_on_answer(w, type, body, len);
        } else {
                worker_failed(w, JOB_GARBAGE, "it said something at the wrong time");
        }
}

/* Everything that lies in the input. */
static void
worker_parse(struct worker *w)
{
        size_t max =
            w->pool->o.max_answer < 4 ? 4 : w->pool->o.max_answer; /* NOEXEC has 4 */

        while (w->state != WORKER_ENDING) {
                const char *body;
                size_t len;
                int type;
                long n = worker_frame_parse(
                    buf_str(&w->in), w->in.len, max, &type, &body, &len);

                if (n == 0)
                        return;
                if (n == -1) {
                        worker_failed(
                            w, JOB_GARBAGE, "its answer is too long or no answer");
                        return;
                }
                worker_on_frame(w, type, body, len);
                if (w->state == WORKER_ENDING)
                        return;
                if (w->in.room > KEEP_INPUT && w->in.len == (size_t)n)
                        buf_fini(&w->in);
                else
                        buf_consume(&w->in, (size_t)n);
        }
}

static void
worker_on_readable(void *arg)
{
        struct worker *w = arg;
        char *to = buf_reserve(&w->in, READ_AT_ONCE);
        ssize_t rc = recv(w->proc.fd, to, READ_AT_ONCE, MSG_DONTWAIT);

        if (rc > 0) {
                w->in.len += (size_t)rc;
                worker_parse(w);
        } else if (rc == 0 || (errno != EAGAIN && errno != EINTR)) {
                w->eof = true; /* its exit status, which says why, comes in a moment */
                watch_free(&w->readable);
                timer_set(w->deadline, EXIT_MS);
        }
}

/* ---- the pool ---- */

static void
pool_start_one(struct worker_pool *p)
{
        struct worker *w = xcalloc(1, sizeof *w);
        struct err err;

        if (worker_spawn((const char *const *)p->argv, &p->limits, &w->proc, &err) ==
            -1) {
                free(w);
                pool_start_failed(p, err.text);
                return;
        }
        w->pool = p;
        LIST_INSERT_HEAD(&p->workers, w, link);
        p->n_workers++;
        w->readable = watch_new(p->loop, w->proc.fd, WATCH_READ, worker_on_readable, w);
        w->words = worker_words_new(p->loop, p->name, w->proc.pid, w->proc.words);
        w->exited = watch_new(p->loop, w->proc.pidfd, WATCH_READ, worker_on_exit, w);
        w->deadline = timer_new(p->loop, worker_on_deadline, w);
        timer_set(w->deadline, START_MS);
        log_debug("HELPER", "name=%s pid=%d started", p->name, (int)w->proc.pid);
}

/* Starts what the waiting jobs need and the limit allows. */
static void
pool_start_needed(struct worker_pool *p)
{
        struct worker *w;
        unsigned n_starting = 0, n_alive = 0;

        for (w = LIST_FIRST(&p->workers); w != NULL; w = LIST_NEXT(w, link)) {
                n_starting += w->state == WORKER_STARTING;
                n_alive += w->state != WORKER_ENDING;
        }
        if (clock_mono_us() < p->start_at_us) {
                if (n_alive == 0)
                        pool_fail_waiting(p, JOB_NOSTART);
                return;
        }
        while (n_starting < p->n_waiting && p->n_workers < p->o.n_max &&
               clock_mono_us() >= p->start_at_us) {
                n_starting++;
                pool_start_one(p);
        }
}

static void
pool_pump(void *arg)
{
        struct worker_pool *p = arg;
        struct worker *w;

        p->pumping = false;
        if (p->stopped)
                return;
        for (w = LIST_FIRST(&p->workers); w != NULL; w = LIST_NEXT(w, link))
                if (w->state == WORKER_IDLE && !w->eof && p->n_waiting > 0)
                        worker_give(w, pool_take_job(p));
        if (p->n_waiting > 0)
                pool_start_needed(p);
}

static void
pool_wake(struct worker_pool *p)
{
        if (p->pumping || p->stopped)
                return;
        p->pumping = true;
        loop_later(p->loop, pool_pump, p);
}

struct worker_pool *
worker_pool_new(struct loop *loop, const struct worker_options *o)
{
        struct worker_pool *p = xcalloc(1, sizeof *p);
        size_t n = 0;

        assert(o->n_max > 0 && o->job_ms > 0 && o->argv[0] != NULL);
        while (o->argv[n] != NULL)
                n++;
        p->loop = loop;
        p->o = *o;
        p->name = xstrdup(o->name);
        p->argv = xcalloc(n + 1, sizeof *p->argv);
        for (size_t i = 0; i < n; i++)
                p->argv[i] = xstrdup(o->argv[i]);
        p->limits.memory_bytes = o->memory_bytes;
        p->limits.cpu_s = o->cpu_s;
        STAILQ_INIT(&p->waiting);
        LIST_INIT(&p->workers);
        return p;
}

static void
pool_reap(void *arg)
{
        struct worker_pool *p = arg;

        for (char **a = p->argv; *a != NULL; a++)
                free(*a);
        free(p->argv);
        free(p->name);
        free(p);
}

/* Waits for a killed process; one that hangs in the kernel is left to init. */
static void
worker_wait(struct worker *w)
{
        struct pollfd pfd = {.fd = w->proc.pidfd, .events = POLLIN};
        siginfo_t si;

        while (poll(&pfd, 1, 1000) == -1 && errno == EINTR)
                ;
        waitid(P_PIDFD, (id_t)w->proc.pidfd, &si, WEXITED | WNOHANG);
}

void
worker_pool_free(struct worker_pool **pp)
{
        struct worker_pool *p = *pp;
        struct worker *w;

        *pp = NULL;
        if (p == NULL)
                return;
        p->stopped = true;
        for (w = LIST_FIRST(&p->workers); w != NULL; w = LIST_NEXT(w, link))
                worker_kill(w);
        while ((w = LIST_FIRST(&p->workers)) != NULL) {
                if (w->state != WORKER_ENDING)
                        worker_end(w, JOB_STOPPED, false);
                worker_wait(w);
                worker_forget(w);
        }
        while (p->n_waiting > 0)
                pool_fail_waiting(p, JOB_STOPPED);
        loop_later(p->loop, pool_reap, p);
}

int
worker_submit(struct worker_pool *p, int type, const void *body, size_t len, int fd,
    job_fn fn, void *arg, struct err *err)
{
        struct worker_job *job;

        assert(type >= 0 && type <= WORKER_TYPE_MAX);
        if (p->stopped || p->n_waiting >= p->o.max_queue)
                return err_set(err, ERR_RETRY,
                    "%zu jobs wait for the helper %s; try again later", p->n_waiting,
                    p->name);
        if (len > UINT32_MAX)
                return err_set(
                    err, ERR_LIMIT, "a job of %zu bytes is too long for a helper", len);
        job = xcalloc(1, sizeof *job);
        job->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0 && job->fd == -1) {
                free(job);
                return err_errno(err, ERR_RETRY, errno,
                    "cannot hand a file to the helper %s", p->name);
        }
        job->len = WORKER_FRAME_HEAD + len;
        job->frame = xrealloc(NULL, job->len);
        worker_frame_head(job->frame, len, type);
        if (len > 0)
                memcpy(job->frame + WORKER_FRAME_HEAD, body, len);
        job->fn = fn;
        job->arg = arg;
        STAILQ_INSERT_TAIL(&p->waiting, job, link);
        p->n_waiting++;
        pool_wake(p);
        return 0;
}

void
worker_pool_renew(struct worker_pool *p)
{
        struct worker *next;

        for (struct worker *w = LIST_FIRST(&p->workers); w != NULL; w = next) {
                next = LIST_NEXT(w, link);
                w->stale = true;
                if (w->state == WORKER_IDLE)
                        worker_end(w, JOB_DONE, false);
        }
        pool_wake(p);
}

size_t
worker_pending(const struct worker_pool *p)
{
        return p->n_waiting + p->n_running;
}
