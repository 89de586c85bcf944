/*
 * The disk thread: the only place that waits for a disk.
 *
 * Appends are written in order and made durable by group commit: one fdatasync
 * for all that waited, then each is told in the loop. Other slow file work goes
 * through disk_run. There is one thread, so jobs run in the order of asking.
 */
#ifndef HELPLINE_BASE_DISK_H
#define HELPLINE_BASE_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"
#include "daemon/base/loop.h"

struct disk;

struct disk *disk_new(struct loop *loop);
/* Finishes what is queued, then ends the thread; callbacks still come first (what
 * they queue is done too). Not from inside a callback. */
void disk_free(struct disk **d);

/* Called in the loop; err->kind is ERR_NONE when it is durable. */
typedef void (*disk_fn)(void *arg, const struct err *err);

/* Write head and then body (copied unless body_fd >= 0, in which case body_len
 * bytes are copied from body_fd's start by the thread; the descriptor is
 * duplicated) at `offset` of fd, durably. fd stays the caller's, open until fn
 * was called. A failed or short write is
 * ERR_RETRY with the reason (disk full: code "452"); what was partly written is the
 * caller's to overwrite or skip. */
void
disk_write(struct disk *d, int fd, uint64_t offset, const void *head, size_t head_len,
    const void *body, size_t body_len, int body_fd, disk_fn fn, void *arg);

/* Run work(arg) in the thread, then done(arg, err) in the loop. work touches
 * nothing but what arg owns; it fills *err to fail. */
void disk_run(
    struct disk *d, void (*work)(void *arg, struct err *err), disk_fn done, void *arg);

/* Bytes that wait to be written. */
size_t disk_backlog(const struct disk *d);

#endif
