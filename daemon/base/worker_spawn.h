/*
 * Starting one helper process; only for worker.c.
 */
#ifndef HELPLINE_BASE_WORKER_SPAWN_H
#define HELPLINE_BASE_WORKER_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/err.h"

struct worker_limits {
        uint64_t memory_bytes; /* RLIMIT_AS, 0: none */
        unsigned cpu_s; /* RLIMIT_CPU, 0: none */
};

struct worker_process {
        pid_t pid;
        int pidfd; /* readable when it has ended; CLOEXEC */
        int fd; /* our end of its descriptor 3; CLOEXEC, non-blocking */
        int words; /* our end of its standard output and error; CLOEXEC, non-blocking */
};

/* Fork and exec, from the main thread (the helper dies with the thread that forks
 * it). A failed exec comes as a NOEXEC frame. -1: ERR_RETRY, no process, memory or
 * descriptors left. */
int worker_spawn(const char *const *argv, const struct worker_limits *limits,
    struct worker_process *out, struct err *err);

#endif
