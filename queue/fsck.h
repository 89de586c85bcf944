/*
 * `helpline fsck`: does everything that names a ticket agree with the ticket? The last
 * line of every crash test and the first tool of a real accident.
 *
 * Beside a running daemon (or without one, on a store of its own: then under the
 * lock of the state directory, starting the embedded redis-server if need be). It
 * blocks and is no part of the daemon.
 */
#ifndef HELPLINE_QUEUE_FSCK_H
#define HELPLINE_QUEUE_FSCK_H

#include <stdbool.h>

#include "daemon/base/buf.h"
#include "daemon/base/err.h"

struct fsck_options {
        /* as `store` of the configuration: "embedded", "unix:///path" ... */
        const char *where;
        const char *password; /* "" none */
        const char *state_dir; /* absolute: lock, r.sock, blobs */
        bool fix; /* repair what can be worked out, then look again */
};

/* Writes one line a difference ("t:1042 held:anna missing") into report, then lines of
 * what is no difference (orphans) beginning with "# ". *n_differences: how many there
 * are; with fix, how many are left. Beside a running daemon a difference counts when it
 * is seen twice, 1 s apart. -1: the store cannot be reached (ERR_RETRY) or is not
 * for us (ERR_CONFIG). */
int fsck_run(const struct fsck_options *o, struct buf *report, unsigned *n_differences,
    struct err *err);

#endif
