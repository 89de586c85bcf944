/*
 * Raw bytes on disk; see blob.h.
 *
 * A record begins at a multiple of 32 bytes: a head of 32 bytes (little-endian)
 * and the raw bytes behind it.
 *
 *     0  4  "HLb1", or "HLb0" once it was dropped
 *     4  4  CRC-32C of the bytes
 *     8  8  length of the bytes
 *     16 8  id: the number of the record within this process's life
 *     24 4  CRC-32C of head bytes 4 to 23
 *     28 4  zero
 *
 * Places are given out in the loop, in order, before the disk thread has written
 * anything. A write that fails leaves a gap with rubbish in it (or is written over
 * when it was the last); whoever walks a segment finds the next head behind it.
 *
 * Killed before a callback: the record is torn or whole, but nobody has its
 * reference, so it is an orphan. Killed within a drop: the head says dropped or
 * it is an orphan; the reference was given up before the drop began.
 */
#include "queue/blob.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"

enum {
        HEAD_LEN = 32,
        SEGMENT_MAX = 64 << 20,
        HASH_AT_ONCE_MAX = 256 << 10, /* larger ones are hashed by the disk thread */
        BLOCK_LEN = 64 << 10,
};

static const char MAGIC_LIVE[4] = "HLb1";
static const char MAGIC_DROPPED[4] = "HLb0";

struct segment { /* one that this process writes, or has written with answers to come */
        uint32_t number;
        int fd;
        uint64_t end; /* where the next record begins */
        uint64_t good_end; /* end of the last durable record */
        unsigned n_flying; /* writes without an answer */
        bool failed; /* a write has failed since n_flying was 0 */
        bool is_closing; /* full: closed with the last answer */
};

struct blobs {
        struct disk *disk;
        char *dir; /* the folder of the segments */
        struct segment *seg; /* where records go; NULL before the first */
        uint32_t last; /* the highest segment number ever seen here */
        uint64_t next_id; /* of records */
        size_t n_pending; /* jobs whose answer will touch this struct */
        bool is_closing; /* freed when n_pending is 0 */
};

struct blob_job { /* one put */
        struct blobs *b;
        struct segment *seg; /* NULL before it has a place */
        struct blob_ref ref;
        char *bytes; /* our copy, when large; else NULL */
        int fd; /* our duplicate; -1 */
        uint32_t crc; /* of the bytes */
        struct err err; /* why it failed before anything was written */
        blob_put_fn fn;
        void *arg;
};

struct head { /* decoded */
        bool is_live;
        uint32_t crc;
        uint64_t length;
};

/* ---- heads ---- */

static void
head_format(unsigned char out[HEAD_LEN], uint32_t crc, uint64_t length, uint64_t id)
{
        uint32_t crc_le = htole32(crc), sum;
        uint64_t length_le = htole64(length), id_le = htole64(id);

        memset(out, 0, HEAD_LEN);
        memcpy(out, MAGIC_LIVE, 4);
        memcpy(out + 4, &crc_le, 4);
        memcpy(out + 8, &length_le, 8);
        memcpy(out + 16, &id_le, 8);
        sum = htole32(crc32c(0, out + 4, 20));
        memcpy(out + 24, &sum, 4);
}

static bool
head_parse(const unsigned char *p, struct head *out)
{
        uint32_t crc, sum;
        uint64_t length;

        if (memcmp(p, MAGIC_LIVE, 4) != 0 && memcmp(p, MAGIC_DROPPED, 4) != 0)
                return false;
        memcpy(&crc, p + 4, 4);
        memcpy(&length, p + 8, 8);
        memcpy(&sum, p + 24, 4);
        if (le32toh(sum) != crc32c(0, p + 4, 20))
                return false;
        out->is_live = memcmp(p, MAGIC_LIVE, 4) == 0;
        out->crc = le32toh(crc);
        out->length = le64toh(length);
        return true;
}

static uint64_t
record_next(uint64_t at, uint64_t length)
{
        uint64_t end = at + HEAD_LEN + length;

        return (end + HEAD_LEN - 1) / HEAD_LEN * HEAD_LEN;
}

static void
segment_path(char *out, size_t room, const char *dir, uint32_t number)
{
        snprintf(out, room, "%s/%08" PRIu32 ".seg", dir, number);
}

static bool
segment_number(const char *name, uint32_t *number)
{
        int end = 0;

        return strlen(name) == 12 &&
               sscanf(name, "%8" SCNu32 ".seg%n", number, &end) == 1 && end == 12 &&
               *number > 0;
}

/* ---- walking one segment ---- */

/* The next offset from `at` on where a head stands; size when none does. */
static uint64_t
segment_find_head(int fd, uint64_t at, uint64_t size)
{
        unsigned char block[BLOCK_LEN];
        struct head h;

        while (at + HEAD_LEN <= size) {
                ssize_t n = pread(fd, block, sizeof block, (off_t)at);

                if (n < HEAD_LEN)
                        return size;
                for (ssize_t i = 0; i + HEAD_LEN <= n; i += HEAD_LEN)
                        if (head_parse(block + i, &h))
                                return at + (uint64_t)i;
                at += (uint64_t)n / HEAD_LEN * HEAD_LEN;
        }
        return size;
}

/* The record at *at or behind rubbish after it; false at the end. *torn: it reaches
 * beyond the end of the file. */
static bool
segment_next(int fd, uint64_t size, uint64_t *at, struct head *h, bool *torn)
{
        unsigned char p[HEAD_LEN];

        if (*at + HEAD_LEN > size || pread(fd, p, HEAD_LEN, (off_t)*at) != HEAD_LEN)
                return false;
        if (!head_parse(p, h)) {
                *at = segment_find_head(fd, *at + HEAD_LEN, size);
                if (*at + HEAD_LEN > size ||
                    pread(fd, p, HEAD_LEN, (off_t)*at) != HEAD_LEN || !head_parse(p, h))
                        return false;
        }
        *torn = h->length > size - *at - HEAD_LEN;
        return true;
}

static uint64_t
segment_after(int fd, uint64_t size, uint64_t at, const struct head *h, bool torn)
{
        return torn ? segment_find_head(fd, at + HEAD_LEN, size)
                    : record_next(at, h->length);
}

static uint64_t
file_size(int fd)
{
        struct stat st;

        return fstat(fd, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static bool
segment_has_live(int fd)
{
        uint64_t at = 0, size = file_size(fd);
        struct head h;
        bool torn;

        while (segment_next(fd, size, &at, &h, &torn)) {
                if (h.is_live && !torn)
                        return true;
                at = segment_after(fd, size, at, &h, torn);
        }
        return false;
}

/* ---- opening ---- */

/* Finds the highest number; removes empty files that are not the highest. */
static int
blobs_look(struct blobs *b, struct err *err)
{
        uint32_t number, empty = 0;
        char path[4352];
        struct dirent *e;
        struct stat st;
        DIR *d = opendir(b->dir);

        if (d == NULL)
                return err_errno(err, ERR_CONFIG, errno, "cannot read %s", b->dir);
        while ((e = readdir(d)) != NULL) {
                if (!segment_number(e->d_name, &number))
                        continue;
                if (number > b->last)
                        b->last = number;
                if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && st.st_size == 0)
                        empty = number;
        }
        closedir(d);
        if (empty != 0 && empty != b->last) {
                segment_path(path, sizeof path, b->dir, empty);
                unlink(path);
        }
        return 0;
}

struct blobs *
blobs_open(struct disk *disk, const char *dir, struct err *err)
{
        struct blobs *b;

        if (mkdir(dir, 0700) == -1 && errno != EEXIST) {
                err_errno(err, ERR_CONFIG, errno, "cannot make %s", dir);
                return NULL;
        }
        b = xcalloc(1, sizeof *b);
        b->disk = disk;
        b->dir = xstrdup(dir);
        if (blobs_look(b, err) == -1) {
                blobs_close(&b);
                return NULL;
        }
        return b;
}

static void
segment_close(struct segment *seg)
{
        close(seg->fd);
        free(seg);
}

/* The current segment takes no more. */
static void
segment_end(struct blobs *b)
{
        struct segment *seg = b->seg;

        b->seg = NULL;
        if (seg == NULL)
                return;
        seg->is_closing = true;
        if (seg->n_flying == 0)
                segment_close(seg);
}

static void
blobs_free(struct blobs *b)
{
        segment_end(b);
        free(b->dir);
        free(b);
}

static void
blobs_pending_less(struct blobs *b)
{
        b->n_pending--;
        if (b->is_closing && b->n_pending == 0)
                blobs_free(b);
}

void
blobs_close(struct blobs **bp)
{
        struct blobs *b = *bp;

        if (b == NULL)
                return;
        *bp = NULL;
        b->is_closing = true;
        if (b->n_pending == 0)
                blobs_free(b);
}

/* ---- a new segment ---- */

struct folder_sync { /* makes the name of a new segment durable */
        struct blobs *b;
        struct segment *seg;
        char *dir;
};

static void
folder_sync_work(void *arg, struct err *err)
{
        struct folder_sync *f = arg;
        int fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd == -1 || fsync(fd) == -1)
                err_errno(err, ERR_RETRY, errno, "cannot make %s durable", f->dir);
        if (fd != -1)
                close(fd);
}

/* Told before the writes that were asked for later: they fail when this has. */
static void
folder_sync_done(void *arg, const struct err *err)
{
        struct folder_sync *f = arg;

        f->seg->n_flying--;
        if (err->kind != ERR_NONE) {
                f->seg->failed = true;
                f->seg->number = 0;
                if (f->b->seg == f->seg)
                        f->b->seg = NULL;
                f->seg->is_closing = true;
        }
        if (f->seg->is_closing && f->seg->n_flying == 0)
                segment_close(f->seg);
        blobs_pending_less(f->b);
        free(f->dir);
        free(f);
}

static int
segment_begin(struct blobs *b, struct err *err)
{
        struct folder_sync *f;
        char path[4352];
        int fd;

        segment_path(path, sizeof path, b->dir, b->last + 1);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd == -1)
                return err_errno(err, ERR_RETRY, errno, "cannot make %s", path);
        b->last++;
        b->seg = xcalloc(1, sizeof *b->seg);
        b->seg->number = b->last;
        b->seg->fd = fd;
        b->seg->n_flying = 1;
        f = xcalloc(1, sizeof *f);
        f->b = b;
        f->seg = b->seg;
        f->dir = xstrdup(b->dir);
        b->n_pending++;
        disk_run(b->disk, folder_sync_work, folder_sync_done, f);
        return 0;
}

/* ---- put ---- */

static void
blob_told(struct blob_job *job, const struct err *err)
{
        struct blobs *b = job->b;

        job->fn(job->arg, err, &job->ref);
        blobs_pending_less(b);
        if (job->fd != -1)
                close(job->fd);
        free(job->bytes);
        free(job);
}

static void
blob_failed_work(void *arg, struct err *err)
{
        *err = ((struct blob_job *)arg)->err;
}

static void
blob_failed_done(void *arg, const struct err *err)
{
        blob_told(arg, err);
}

/* Not before blob_put has returned. */
static void
blob_fail(struct blob_job *job)
{
        disk_run(job->b->disk, blob_failed_work, blob_failed_done, job);
}

static void
segment_took(struct segment *seg, uint64_t end, bool good)
{
        seg->n_flying--;
        if (good && end > seg->good_end)
                seg->good_end = end;
        seg->failed |= !good;
        if (seg->n_flying > 0)
                return;
        if (seg->failed)
                seg->end = seg->good_end; /* write over the rubbish */
        seg->failed = false;
        if (seg->is_closing)
                segment_close(seg);
}

static void
blob_written(void *arg, const struct err *err)
{
        struct blob_job *job = arg;
        bool lost_name = job->seg->number == 0;
        struct err why = *err;

        if (lost_name && err->kind == ERR_NONE)
                err_set(
                    &why, ERR_RETRY, "cannot make a new file in %s durable", job->b->dir);
        segment_took(job->seg, record_next(job->ref.offset, job->ref.length),
            why.kind == ERR_NONE);
        blob_told(job, &why);
}

/* Gives it its place and has it written. */
static void
blob_place(struct blob_job *job, const void *bytes)
{
        struct blobs *b = job->b;
        unsigned char head[HEAD_LEN];

        if (b->seg != NULL && b->seg->end > 0 &&
            b->seg->end + HEAD_LEN + job->ref.length > SEGMENT_MAX)
                segment_end(b);
        if (b->seg == NULL && segment_begin(b, &job->err) == -1) {
                blob_fail(job);
                return;
        }
        job->seg = b->seg;
        job->ref.segment = b->seg->number; /* NOLINT: segment_begin has made one */
        job->ref.offset = b->seg->end;
        b->seg->end = record_next(b->seg->end, job->ref.length);
        b->seg->n_flying++;
        head_format(head, job->crc, job->ref.length, b->next_id++);
        disk_write(b->disk, job->seg->fd, job->ref.offset, head, sizeof head, bytes,
            (size_t)job->ref.length, job->fd, blob_written, job);
}

/* In the disk thread: large bytes, or a file's. */
static void
blob_hash_work(void *arg, struct err *err)
{
        struct blob_job *job = arg;
        struct sha256 *sha = sha256_new();
        char block[BLOCK_LEN];
        uint64_t at = 0;

        while (at < job->ref.length) {
                size_t want = job->ref.length - at < sizeof block
                                  ? (size_t)(job->ref.length - at)
                                  : sizeof block;
                const char *p = job->bytes != NULL ? job->bytes + at : block;
                ssize_t n = job->bytes != NULL ? (ssize_t)want
                                               : pread(job->fd, block, want, (off_t)at);

                if (n == -1 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        err_set(err, ERR_RETRY,
                            "cannot read the spooled file: it ends after %" PRIu64
                            " of %" PRIu64 " bytes",
                            at, job->ref.length);
                        break;
                }
                sha256_add(sha, p, (size_t)n);
                job->crc = crc32c(job->crc, p, (size_t)n);
                at += (uint64_t)n;
        }
        sha256_end(&sha, job->ref.sha256);
}

static void
blob_hash_done(void *arg, const struct err *err)
{
        struct blob_job *job = arg;

        if (err->kind != ERR_NONE)
                blob_told(job, err);
        else
                blob_place(job, job->bytes);
}

void
blob_put(
    struct blobs *b, const void *bytes, size_t len, int fd, blob_put_fn fn, void *arg)
{
        struct blob_job *job = xcalloc(1, sizeof *job);

        job->b = b;
        job->fn = fn;
        job->arg = arg;
        job->fd = -1;
        job->ref.length = len;
        b->n_pending++;
        if (fd < 0 && len <= HASH_AT_ONCE_MAX) {
                job->crc = crc32c(0, bytes, len);
                sha256_hex(bytes, len, job->ref.sha256);
                blob_place(job, bytes);
                return;
        }
        if (fd >= 0 && (job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1) {
                err_errno(
                    &job->err, ERR_RETRY, errno, "cannot open the spooled file again");
                blob_fail(job);
                return;
        }
        if (fd < 0) {
                job->bytes = xrealloc(NULL, len);
                memcpy(job->bytes, bytes, len);
        }
        disk_run(b->disk, blob_hash_work, blob_hash_done, job);
}

/* ---- reading ---- */

int
blob_open(struct blobs *b, const struct blob_ref *ref, uint64_t *at, struct err *err)
{
        unsigned char p[HEAD_LEN];
        char path[4352];
        struct head h;
        int fd;

        segment_path(path, sizeof path, b->dir, ref->segment);
        fd = ref->segment == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                return err_set(err, ERR_NOTFOUND,
                    "the raw message is no longer there (%s)",
                    ref->segment == 0 ? "it never was" : path);
        if (pread(fd, p, HEAD_LEN, (off_t)ref->offset) != HEAD_LEN ||
            !head_parse(p, &h) || h.length != ref->length) {
                close(fd);
                return err_set(err, ERR_REJECT,
                    "%s is damaged at byte %" PRIu64 ": see `helpline fsck`", path,
                    ref->offset);
        }
        if (!h.is_live) {
                close(fd);
                return err_set(err, ERR_NOTFOUND, "the raw message was dropped");
        }
        *at = ref->offset + HEAD_LEN;
        return fd;
}

/* ---- drop ---- */

struct drop {
        struct blobs *b;
        struct blob_ref ref;
        char path[4352];
        bool is_current; /* its segment is still written to, or is the newest */
};

static void
drop_work(void *arg, struct err *err)
{
        struct drop *d = arg;
        unsigned char p[HEAD_LEN];
        struct head h;
        int fd = open(d->path, O_RDWR | O_CLOEXEC);

        if (fd == -1)
                return; /* gone already */
        if (pread(fd, p, HEAD_LEN, (off_t)d->ref.offset) != HEAD_LEN ||
            !head_parse(p, &h) || h.length != d->ref.length)
                err_set(err, ERR_REJECT, "%s holds no such record at byte %" PRIu64,
                    d->path, d->ref.offset);
        else if (pwrite(fd, MAGIC_DROPPED, 4, (off_t)d->ref.offset) != 4)
                err_errno(err, ERR_RETRY, errno, "cannot drop a record of %s", d->path);
        else {
                /* A file system without holes keeps the bytes until the segment goes. */
                (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    (off_t)d->ref.offset + HEAD_LEN, (off_t)d->ref.length);
                if (!d->is_current && !segment_has_live(fd))
                        unlink(d->path);
        }
        close(fd);
}

static void
drop_done(void *arg, const struct err *err)
{
        struct drop *d = arg;

        if (err->kind != ERR_NONE)
                log_warn("BLOB", "%s", err->text);
        blobs_pending_less(d->b);
        free(d);
}

void
blob_drop(struct blobs *b, const struct blob_ref *ref)
{
        struct drop *d;

        if (ref->segment == 0)
                return;
        d = xcalloc(1, sizeof *d);
        d->b = b;
        d->ref = *ref;
        d->is_current = ref->segment == b->last; /* its number must not be given again */
        segment_path(d->path, sizeof d->path, b->dir, ref->segment);
        b->n_pending++;
        disk_run(b->disk, drop_work, drop_done, d);
}

/* ---- references as text ---- */

void
blob_ref_format(const struct blob_ref *ref, char out[128])
{
        snprintf(out, 128, "%" PRIu32 ":%" PRIu64 ":%" PRIu64 ":%s", ref->segment,
            ref->offset, ref->length, ref->sha256);
}

static bool
ref_number(const char **s, uint64_t max, uint64_t *out)
{
        uint64_t v = 0;
        const char *p = *s;

        for (; *p >= '0' && *p <= '9'; p++) {
                if (v > (max - (uint64_t)(*p - '0')) / 10)
                        return false;
                v = v * 10 + (uint64_t)(*p - '0');
        }
        if (p == *s || *p != ':')
                return false;
        *s = p + 1;
        *out = v;
        return true;
}

bool
blob_ref_parse(const char *s, struct blob_ref *out)
{
        uint64_t segment;

        memset(out, 0, sizeof *out);
        if (!ref_number(&s, UINT32_MAX, &segment) ||
            !ref_number(&s, INT64_MAX, &out->offset) ||
            !ref_number(&s, INT64_MAX, &out->length) ||
            strspn(s, "0123456789abcdef") != 64 || s[64] != '\0')
                return false;
        out->segment = (uint32_t)segment;
        memcpy(out->sha256, s, 65);
        return true;
}

/* ---- for fsck ---- */

/* Reads all of it: is the CRC right? Fills the digest. */
static bool
record_check(int fd, uint64_t at, const struct head *h, char sha256[65])
{
        struct sha256 *sha = sha256_new();
        char block[BLOCK_LEN];
        uint64_t done = 0;
        uint32_t crc = 0;

        while (done < h->length) {
                size_t want = h->length - done < sizeof block ? (size_t)(h->length - done)
                                                              : sizeof block;
                ssize_t n = pread(fd, block, want, (off_t)(at + HEAD_LEN + done));

                if (n <= 0)
                        break;
                sha256_add(sha, block, (size_t)n);
                crc = crc32c(crc, block, (size_t)n);
                done += (uint64_t)n;
        }
        sha256_end(&sha, sha256);
        return done == h->length && crc == h->crc;
}

static void
segment_walk(int fd, uint32_t number,
    void (*fn)(void *arg, const struct blob_ref *ref, bool ok), void *arg)
{
        uint64_t at = 0, size = file_size(fd);
        struct blob_ref ref;
        struct head h;
        bool torn, ok;

        while (segment_next(fd, size, &at, &h, &torn)) {
                if (h.is_live) {
                        memset(&ref, 0, sizeof ref);
                        ref.segment = number;
                        ref.offset = at;
                        ref.length = h.length;
                        ok = record_check(fd, at, &h, ref.sha256) && !torn;
                        fn(arg, &ref, ok);
                }
                at = segment_after(fd, size, at, &h, torn);
        }
}

int
blobs_walk(const char *dir, void (*fn)(void *arg, const struct blob_ref *ref, bool ok),
    void *arg, struct err *err)
{
        char path[4352];
        struct dirent **list;
        uint32_t number;
        int n = scandir(dir, &list, NULL, alphasort), rc = 0;

        if (n == -1)
                return errno == ENOENT
                           ? 0
                           : err_errno(err, ERR_CONFIG, errno, "cannot read %s", dir);
        for (int i = 0; i < n; i++) {
                int fd;

                if (segment_number(list[i]->d_name, &number)) {
                        segment_path(path, sizeof path, dir, number);
                        fd = open(path, O_RDONLY | O_CLOEXEC);
                        if (fd != -1) {
                                segment_walk(fd, number, fn, arg);
                                close(fd);
                        } else if (errno != ENOENT)
                                rc = err_errno(
                                    err, ERR_CONFIG, errno, "cannot read %s", path);
                }
                free(list[i]);
        }
        free(list);
        return rc;
}
