/*
 * Raw bytes on disk: append-only segments with group commit (STORE.md, "Bytes on
 * disk"). Order everywhere: bytes durable, then put, then settle; what was
 * written and never put is an orphan that `helpline fsck` finds.
 *
 * A record: magic, length, CRC-32C, id, bytes. 64 MB a segment
 * (STATE/blobs/00000001.seg); a new process always begins a new segment, so a torn tail
 * is never appended to.
 */
#ifndef HELPLINE_QUEUE_BLOB_H
#define HELPLINE_QUEUE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/disk.h"
#include "daemon/base/err.h"
#include "daemon/model/message.h"

struct blobs;

/* dir is made (0700) when missing. */
struct blobs *blobs_open(struct disk *disk, const char *dir, struct err *err);
void blobs_close(struct blobs **b);

/* Called when durable (err->kind ERR_NONE; ref is good) or failed (ERR_RETRY). */
typedef void (*blob_put_fn)(void *arg, const struct err *err, const struct blob_ref *ref);
/* Store len bytes from memory (copied) or, when fd >= 0, from the start of fd
 * (duplicated; a spool file). */
void blob_put(
    struct blobs *b, const void *bytes, size_t len, int fd, blob_put_fn fn, void *arg);

/* A descriptor of the segment for reading, and where the raw bytes begin in it
 * (not the record). The caller closes it. -1: ERR_NOTFOUND, or ERR_REJECT when
 * the record's head is not what ref says. */
int blob_open(struct blobs *b, const struct blob_ref *ref, uint64_t *at, struct err *err);
/* Drop: punches a hole; a segment without live records is unlinked. */
void blob_drop(struct blobs *b, const struct blob_ref *ref);

/* ref as "1:4096:5120:<sha256>" and back, for hashes in the store. */
void blob_ref_format(const struct blob_ref *ref, char out[128]);
bool blob_ref_parse(const char *s, struct blob_ref *out);

/* For fsck: walk all records of all segments; damaged ones are told with ok false. */
int
blobs_walk(const char *dir, void (*fn)(void *arg, const struct blob_ref *ref, bool ok),
    void *arg, struct err *err);

#endif
