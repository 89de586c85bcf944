/*
 * The embedded store: a private redis-server child (STORE.md, "The embedded
 * child"): options, inherited lock, readiness, restart with back-off, the zero
 * tail, and the watch on disk space and memory.
 */
#ifndef HELPLINE_QUEUE_REDIS_CHILD_H
#define HELPLINE_QUEUE_REDIS_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/err.h"
#include "daemon/base/loop.h"

struct redis_child;

struct redis_child_handlers {
        /* It listens and may be connected to (it may still be loading). */
        void (*on_started)(void *arg);
        void (*on_exited)(
            void *arg, const struct err *why); /* it will be started again by itself */
        void (*on_fatal)(void *arg, const struct err *why); /* it will not */
};

/* lock_fd is inherited by the child (-1: none, for tests). Program: redis-server, else
 * valkey-server in PATH. To be called, like redis_child_start, in the main thread: the
 * child dies with the thread that forked it. */
struct redis_child *redis_child_new(struct loop *loop, const char *state_dir, int lock_fd,
    const struct redis_child_handlers *h, void *arg);
void redis_child_start(struct redis_child *c);
/* "unix:/state/r.sock" (long paths go through /proc/self/fd inside stream.h). */
const char *redis_child_address(const struct redis_child *c);
/* SHUTDOWN was sent, or could not be (SIGTERM does the same): wait for the exit, SIGKILL at the deadline; then done. */
void
redis_child_stop(struct redis_child *c, int64_t deadline_ms, loop_fn done, void *arg);
/* A child that still runs is killed and waited for. */
void redis_child_free(struct redis_child **c);
/* Its process id; 0 while none runs. */
int redis_child_pid(const struct redis_child *c);

/* How full is the disk: below max(10 %, 1 GB, 1.5 x append-only file) free: intake
 * stops; below 2 %: drain. HELPLINE_DISK_FLOOR (bytes, for small disks and tests)
 * replaces the 1 GB. Called by the store every second. */
enum disk_level { DISK_OK, DISK_LOW, DISK_CRITICAL };
enum disk_level redis_child_disk(struct redis_child *c, struct err *why);

/* The lock of the state directory: waits up to wait_ms (it blocks), then names the
 * process that holds it. Returns the descriptor or -1. It is CLOEXEC: only the
 * embedded child is given a copy, helpers never. The lock is free when all copies are
 * closed. */
int state_lock(const char *state_dir, int64_t wait_ms, struct err *err);

#endif
