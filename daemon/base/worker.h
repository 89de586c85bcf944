/*
 * Helper processes: hostile bytes and blocking libraries live there.
 *
 * A pool starts up to n processes of one program and gives each one job at a
 * time, so blame is certain: a helper that dies, hangs, bloats or answers
 * garbage has failed the job it had. It is killed and started again with the
 * next job. Frames on a socket pair, both ways:
 *
 *     4 bytes length of the body (big-endian), 1 byte type, body
 *
 * Types up to WORKER_TYPE_MAX are the helper's own; those above are the house's:
 * a helper says READY once when it can take jobs, and BEGUN when it has a job's
 * head in its hands, before it allocates anything for it (worker_next does both).
 * So blame is exact: who dies before READY could not be started, a job whose
 * helper dies before BEGUN is given to another one, after BEGUN the job has
 * failed. An answer before BEGUN belongs to no job.
 *
 * A job may carry one descriptor (SCM_RIGHTS) with its first byte: a raw message
 * of any size is read from the file and never through the frame. Bodies are
 * bounded both ways. The daemon treats answers as hostile bytes. The descriptor
 * shares its offset with the daemon's: use pread() or lseek() first.
 *
 * While the program cannot be started, jobs end with JOB_NOSTART at once instead
 * of waiting, and a start is tried again after 0.1 s, 0.2 s, ... 30 s.
 */
#ifndef HELPLINE_BASE_WORKER_H
#define HELPLINE_BASE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"
#include "daemon/base/loop.h"

enum {
        WORKER_TYPE_MAX = 0xef, /* of jobs and answers */
        WORKER_TYPE_NOEXEC = 0xfd, /* the program could not be executed; 4 bytes errno */
        WORKER_TYPE_READY = 0xfe, /* no body */
        WORKER_TYPE_BEGUN = 0xff /* no body */
};
#define WORKER_FRAME_HEAD 5

struct worker_pool;

struct worker_options {
        const char *name; /* for logs: "mime" */
        const char *const *argv; /* path of the program, arguments, NULL; copied */
        unsigned n_max; /* processes at most */
        size_t max_answer; /* bytes of one answer's body */
        int64_t job_ms; /* a job that takes longer: killed, JOB_TIMEOUT */
        uint64_t memory_bytes; /* RLIMIT_AS of the helper, 0: none */
        unsigned cpu_s; /* RLIMIT_CPU a process; it is replaced before, 0: none */
        unsigned max_jobs; /* replaced after so many jobs, 0: never */
        size_t max_queue; /* jobs waiting; more are refused */
};

enum job_result {
        JOB_DONE, /* answer holds what the helper said */
        JOB_DIED, /* the process ended or was killed by a limit */
        JOB_TIMEOUT, /* it took longer than job_ms and was killed */
        JOB_GARBAGE, /* its answer broke the framing or the size limit */
        JOB_NOSTART, /* the program cannot be started: not the job's fault, retry */
        JOB_STOPPED /* worker_pool_free() while it waited: not done */
};
const char *job_result_name(enum job_result r);

/* The answer's type byte and body live until the function returns. */
typedef void (*job_fn)(
    void *arg, enum job_result result, int type, const char *body, size_t len);

struct worker_pool *worker_pool_new(struct loop *loop, const struct worker_options *o);
/* Kills all helpers; waiting and running jobs end with JOB_STOPPED before it
 * returns. *p is NULL afterwards. */
void worker_pool_free(struct worker_pool **p);
/* Queue a job: type byte, body (copied), and a descriptor or -1 (duplicated).
 * Returns -1 with ERR_RETRY when the queue is full. fn is called exactly once,
 * never before worker_submit has returned. */
int worker_submit(struct worker_pool *p, int type, const void *body, size_t len, int fd,
    job_fn fn, void *arg, struct err *err);
/* What its processes read at their start has changed: each is replaced, a busy one when
 * its job is done. */
void worker_pool_renew(struct worker_pool *p);
/* Jobs waiting and running. */
size_t worker_pending(const struct worker_pool *p);

/* ---- the other side, in the helper's main ---- */

/* Blocks for the next job on descriptor 3. Returns 1 with *type, *body (malloc,
 * *len bytes, the caller frees) and *fd (or -1; the caller closes), 0 when the
 * daemon is gone (then exit), -1 when the frame is broken. */
int worker_next(int *type, char **body, size_t *len, int *fd, size_t max_body);
/* Answers it. Returns -1 when the daemon is gone. */
int worker_answer(int type, const void *body, size_t len);
/* In the helper, first thing in main: die with the parent, no core, SIGPIPE
 * ignored, close all descriptors but 0-3. */
void worker_child_setup(void);

/* The head of a frame into out[WORKER_FRAME_HEAD]. */
void worker_frame_head(char *out, size_t len, int type);
/* Pure framing, for the fuzzer: returns bytes of one whole frame at p (header
 * and body), 0 when more are needed, -1 when longer than max_body. */
long worker_frame_parse(
    const char *p, size_t n, size_t max_body, int *type, const char **body, size_t *len);

#endif
