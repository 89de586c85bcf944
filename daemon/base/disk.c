/*
 * The disk thread; see disk.h.
 *
 * The loop puts jobs at the end of a list; the thread takes the whole list at
 * once and works through it in order. Writes that follow each other make a
 * group: all are written, then each file of the group is synced once, then all
 * are told. A disk_run between them ends the group first, so it finds on the
 * disk what was asked for before it.
 *
 * Killed at any point: nothing of a group was told before its sync returned, so
 * what is half there is known to nobody. A sync that fails fails every write of
 * its group on that file: the kernel forgets such an error once told, and a
 * second sync that succeeds would prove nothing.
 *
 * The thread shares with the loop only the two lists, under the lock; a job
 * belongs to the side that holds it.
 */
#include "daemon/base/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/log.h"

#define COPY_BYTES ((size_t)256 * 1024)

struct disk_job {
        void (*work)(void *arg, struct err *err); /* NULL: a write */
        disk_fn fn; /* told in the loop */
        void *arg; /* of work and fn */
        int fd; /* written to; the caller's */
        uint64_t offset; /* where the write begins */
        char *data; /* head, and the body unless it comes from body_fd */
        size_t len; /* of data */
        int body_fd; /* our duplicate, -1: none */
        size_t body_len; /* bytes to copy from body_fd */
        struct err err; /* the outcome */
        bool synced; /* its file had its sync in this group */
        STAILQ_ENTRY(disk_job) link;
};
STAILQ_HEAD(disk_list, disk_job);

struct disk {
        struct loop *loop;
        pthread_t thread;
        pthread_mutex_t lock; /* over todo, done, stopping */
        pthread_cond_t wake; /* todo or stopping has changed */
        struct disk_list todo; /* asked for */
        struct disk_list done; /* to be told in the loop */
        bool stopping; /* end when todo is empty */
        int event_fd; /* tells the loop that done has something */
        struct watch *watch; /* on event_fd */
        char *copy; /* the thread's buffer for bodies from files */
        size_t backlog; /* the loop's: bytes asked for and not yet told */
        bool telling; /* the loop's: callbacks are running */
};

static size_t
disk_job_bytes(const struct disk_job *job)
{
        return job->len + job->body_len;
}

static void
disk_job_free(struct disk_job *job)
{
        if (job->body_fd >= 0)
                close(job->body_fd);
        free(job->data);
        free(job);
}

/* ---- in the thread ---- */

static int
disk_failed(struct disk_job *job, int errnum)
{
        if (errnum == ENOSPC || errnum == EDQUOT) {
                err_errno(&job->err, ERR_RETRY, errnum,
                    "cannot store %zu bytes; free space on the disk of the state "
                    "directory",
                    disk_job_bytes(job));
                strcpy(job->err.code, "452"); /* as SMTP says it */
                return -1;
        }
        return err_errno(&job->err, ERR_RETRY, errnum,
            "cannot store %zu bytes on the disk", disk_job_bytes(job));
}

static int
disk_put(struct disk_job *job, const char *p, size_t n, uint64_t offset)
{
        while (n > 0) {
                ssize_t rc = pwrite(job->fd, p, n, (off_t)offset);

                if (rc == -1 && errno == EINTR)
                        continue;
                if (rc <= 0)
                        return disk_failed(job, rc == -1 ? errno : EIO);
                p += rc;
                n -= (size_t)rc;
                offset += (uint64_t)rc;
        }
        return 0;
}

static int
disk_put_file(struct disk_job *job, char *copy, uint64_t offset)
{
        size_t at = 0;

        while (at < job->body_len) {
                size_t want =
                    job->body_len - at < COPY_BYTES ? job->body_len - at : COPY_BYTES;
                ssize_t rc = pread(job->body_fd, copy, want, (off_t)at);

                if (rc == -1 && errno == EINTR)
                        continue;
                if (rc == -1)
                        return err_errno(
                            &job->err, ERR_RETRY, errno, "cannot read the spooled file");
                if (rc == 0)
                        return err_set(&job->err, ERR_RETRY,
                            "the spooled file ends after %zu of %zu bytes", at,
                            job->body_len);
                if (disk_put(job, copy, (size_t)rc, offset + at) == -1)
                        return -1;
                at += (size_t)rc;
        }
        return 0;
}

static void
disk_do_write(struct disk_job *job, char *copy)
{
        if (job->err.kind != ERR_NONE)
                return;
        if (disk_put(job, job->data, job->len, job->offset) == 0)
                disk_put_file(job, copy, job->offset + job->len);
}

/* One sync for all writes of the group that went to first's file. */
static void
disk_sync_file(struct disk_job *first)
{
        int errnum = fdatasync(first->fd) == -1 ? errno : 0;

        for (struct disk_job *job = first; job != NULL; job = STAILQ_NEXT(job, link)) {
                if (job->fd != first->fd || job->err.kind != ERR_NONE)
                        continue;
                job->synced = true;
                if (errnum != 0)
                        disk_failed(job, errnum);
        }
}

/* The group is durable or has failed: hand it to the loop. */
static void
disk_tell(struct disk *d, struct disk_list *group)
{
        uint64_t one = 1;
        ssize_t rc;

        if (STAILQ_EMPTY(group))
                return;
        pthread_mutex_lock(&d->lock);
        STAILQ_CONCAT(&d->done, group);
        pthread_mutex_unlock(&d->lock);
        do
                rc = write(d->event_fd, &one, sizeof one);
        while (rc == -1 && errno == EINTR);
}

static void
disk_end_group(struct disk *d, struct disk_list *group)
{
        struct disk_job *job;

        for (job = STAILQ_FIRST(group); job != NULL; job = STAILQ_NEXT(job, link))
                if (job->err.kind == ERR_NONE && !job->synced)
                        disk_sync_file(job);
        disk_tell(d, group);
}

/* Works through all of list, in order. */
static void
disk_do_all(struct disk *d, struct disk_list *list)
{
        struct disk_list group = STAILQ_HEAD_INITIALIZER(group);
        struct disk_job *job;

        while ((job = STAILQ_FIRST(list)) != NULL) {
                STAILQ_REMOVE_HEAD(list, link);
                if (job->work == NULL) {
                        disk_do_write(job, d->copy);
                        STAILQ_INSERT_TAIL(&group, job, link);
                        continue;
                }
                disk_end_group(d, &group);
                job->work(job->arg, &job->err);
                STAILQ_INSERT_TAIL(&group, job, link);
                disk_tell(d, &group);
        }
        disk_end_group(d, &group);
}

static void *
disk_thread(void *arg)
{
        struct disk *d = arg;
        struct disk_list mine = STAILQ_HEAD_INITIALIZER(mine);

        pthread_mutex_lock(&d->lock);
        for (;;) {
                while (STAILQ_EMPTY(&d->todo) && !d->stopping)
                        pthread_cond_wait(&d->wake, &d->lock);
                if (STAILQ_EMPTY(&d->todo))
                        break;
                STAILQ_CONCAT(&mine, &d->todo);
                pthread_mutex_unlock(&d->lock);
                disk_do_all(d, &mine);
                pthread_mutex_lock(&d->lock);
        }
        pthread_mutex_unlock(&d->lock);
        return NULL;
}

/* ---- in the loop ---- */

static void
disk_on_done(void *arg)
{
        struct disk *d = arg;
        struct disk_list mine = STAILQ_HEAD_INITIALIZER(mine);
        struct disk_job *job;
        uint64_t n;
        bool was_telling = d->telling;

        while (read(d->event_fd, &n, sizeof n) == -1 && errno == EINTR)
                ;
        pthread_mutex_lock(&d->lock);
        STAILQ_CONCAT(&mine, &d->done);
        pthread_mutex_unlock(&d->lock);
        d->telling = true;
        while ((job = STAILQ_FIRST(&mine)) != NULL) {
                STAILQ_REMOVE_HEAD(&mine, link);
                d->backlog -= disk_job_bytes(job);
                job->fn(job->arg, &job->err);
                disk_job_free(job);
        }
        d->telling = was_telling;
}

/* The thread takes no signals: they are the loop's. */
static void
disk_start(struct disk *d)
{
        sigset_t all, old;
        int rc;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        rc = pthread_create(&d->thread, NULL, disk_thread, d);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (rc != 0) {
                log_error("DISK", "cannot start the disk thread: %s", strerror(rc));
                abort();
        }
}

struct disk *
disk_new(struct loop *loop)
{
        struct disk *d = xcalloc(1, sizeof *d);

        d->loop = loop;
        d->copy = xcalloc(1, COPY_BYTES);
        STAILQ_INIT(&d->todo);
        STAILQ_INIT(&d->done);
        pthread_mutex_init(&d->lock, NULL);
        pthread_cond_init(&d->wake, NULL);
        d->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (d->event_fd == -1) {
                log_error("DISK", "cannot make an eventfd: %s", strerror(errno));
                abort();
        }
        d->watch = watch_new(loop, d->event_fd, WATCH_READ, disk_on_done, d);
        disk_start(d);
        return d;
}

void
disk_free(struct disk **p)
{
        struct disk *d = *p;

        if (d == NULL)
                return;
        assert(!d->telling);
        pthread_mutex_lock(&d->lock);
        d->stopping = true;
        pthread_cond_signal(&d->wake);
        pthread_mutex_unlock(&d->lock);
        pthread_join(d->thread, NULL);
        disk_on_done(d);
        while (!STAILQ_EMPTY(&d->todo)) { /* asked for by the callbacks just run */
                disk_do_all(d, &d->todo);
                disk_on_done(d);
        }
        watch_free(&d->watch);
        close(d->event_fd);
        pthread_cond_destroy(&d->wake);
        pthread_mutex_destroy(&d->lock);
        free(d->copy);
        free(d);
        *p = NULL;
}

static void
disk_ask(struct disk *d, struct disk_job *job)
{
        d->backlog += disk_job_bytes(job);
        pthread_mutex_lock(&d->lock);
        STAILQ_INSERT_TAIL(&d->todo, job, link);
        pthread_cond_signal(&d->wake);
        pthread_mutex_unlock(&d->lock);
}

void
disk_write(struct disk *d, int fd, uint64_t offset, const void *head, size_t head_len,
    const void *body, size_t body_len, int body_fd, disk_fn fn, void *arg)
{
        struct disk_job *job = xcalloc(1, sizeof *job);
        bool from_file = body_fd >= 0;

        job->fn = fn;
        job->arg = arg;
        job->fd = fd;
        job->offset = offset;
        job->len = head_len + (from_file ? 0 : body_len);
        job->data = xrealloc(NULL, job->len + 1);
        if (head_len > 0)
                memcpy(job->data, head, head_len);
        if (!from_file && body_len > 0)
                memcpy(job->data + head_len, body, body_len);
        job->body_fd = -1;
        if (from_file) {
                job->body_len = body_len;
                job->body_fd = fcntl(body_fd, F_DUPFD_CLOEXEC, 0);
                if (job->body_fd == -1)
                        err_errno(&job->err, ERR_RETRY, errno,
                            "cannot open the spooled file again");
        }
        disk_ask(d, job);
}

void
disk_run(
    struct disk *d, void (*work)(void *arg, struct err *err), disk_fn done, void *arg)
{
        struct disk_job *job = xcalloc(1, sizeof *job);

        assert(work != NULL);
        job->work = work;
        job->fn = done;
        job->arg = arg;
        job->fd = job->body_fd = -1;
        disk_ask(d, job);
}

size_t
disk_backlog(const struct disk *d)
{
        return d->backlog;
}
