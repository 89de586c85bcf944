/*
 * Reading a file that is rotated under us; see phone_tail.h.
 *
 * A file is known by its inode and the hash of its first bytes: an inode alone is
 * reused, a name alone is rotated. Three things may happen to it:
 *
 *     renamed        it is read to its end and a little longer (the exchange may have it
 *                    open still), then the new one of the name from its beginning
 *     copied and truncated   what was not read yet stands in the copy, which is found
 *                    beside it by its first bytes
 *     removed, begun anew    what was not read yet is gone: a warning
 *
 * A line without its end is left until it has one; only of a file that is finished it
 * counts as it is.
 */
#include "channels/phone_tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channels/phone_parse.h"
#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"

#define CHUNK 65536
#define TURN_MAX (4 << 20) /* read before others get their turn */
#define QUIET_LOOKS 2 /* so often a rotated file must have said nothing new */

struct phone_tail {
        char *path; /* where the newest file is */
        int fd; /* of the one that is read; -1 none */
        struct tail_position at; /* offset: of in.data[from] */
        struct buf in;
        size_t from; /* what of it was given out already */
        bool skipping; /* up to the next line end: too long, or begun in the middle */
        bool was_long; /* it is told of when it ends */
        bool is_old; /* not the file of the name any more */
        bool is_finished; /* and nothing will come to it */
        unsigned quiet; /* looks since it was rotated and silent */
        uint64_t size; /* at the last look */
        size_t n_turn; /* bytes read in this turn */
        bool is_paused; /* its turn is over, and there may be more */
};

/* ---- positions ---- */

void
tail_position_format(const struct tail_position *p, char out[128])
{
        snprintf(out, 128, "%" PRIu64 " %" PRIu64 " %" PRIu32 " %s", p->inode, p->offset,
            p->head_len, p->head[0] != '\0' ? p->head : "-");
}

bool
tail_position_parse(const char *s, struct tail_position *out)
{
        int n = 0;

        if (sscanf(s, "%" SCNu64 " %" SCNu64 " %" SCNu32 " %32[0-9a-f-]%n", &out->inode,
                &out->offset, &out->head_len, out->head, &n) != 4 ||
            s[n] != '\0' || out->head_len > TAIL_HEAD)
                return false;
        if (strcmp(out->head, "-") == 0)
                out->head[0] = '\0';
        return true;
}

/* ---- which file is it? ---- */

/* The hash of its first n bytes; false: it has not so many. */
static bool
head_hash(int fd, size_t n, char out[33])
{
        char bytes[TAIL_HEAD], hex[65];

        if (pread(fd, bytes, n, 0) != (ssize_t)n)
                return false;
        sha256_hex(bytes, n, hex);
        memcpy(out, hex, 32);
        out[32] = '\0';
        return true;
}

static bool
has_head(int fd, const struct tail_position *p)
{
        char hex[33];

        return p->head_len == 0 ||
               (head_hash(fd, p->head_len, hex) && strcmp(hex, p->head) == 0);
}

/* The more of the first bytes are there, the better they tell it. */
static void
head_extend(int fd, uint64_t size, struct tail_position *p)
{
        size_t n = size < TAIL_HEAD ? (size_t)size : TAIL_HEAD;

        if (n > p->head_len && head_hash(fd, n, p->head))
                p->head_len = (uint32_t)n;
}

static int
open_file(const char *path, struct stat *st)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        if (fd == -1)
                return -1;
        if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
                return fd;
        close(fd);
        errno = EINVAL;
        return -1;
}

static bool
is_sought(int fd, const struct stat *st, const struct tail_position *p)
{
        bool same = st->st_ino == p->inode || p->head_len >= 32;

        return same && (uint64_t)st->st_size >= p->offset && has_head(fd, p);
}

/* Beside the file: what it was rotated to (Master.csv.1, Master.csv-20261124). */
static int
open_rotated(const char *path, const struct tail_position *p, struct stat *st)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *slash = strrchr(path, '/');
        const char *base = slash == NULL ? path : slash + 1;
        const char *dir =
            slash == NULL ? "." : arena_strndup(a, path, (size_t)(slash - path) + 1);
        DIR *d = opendir(dir);
        struct dirent *e;
        int fd = -1;

        while (d != NULL && fd == -1 && (e = readdir(d)) != NULL) {
                if (strncmp(e->d_name, base, strlen(base)) != 0 ||
                    strcmp(e->d_name, base) == 0)
                        continue;
                fd = open_file(arena_printf(a, "%s/%s", dir, e->d_name), st);
                if (fd != -1 && !is_sought(fd, st, p)) {
                        close(fd);
                        fd = -1;
                }
        }
        if (d != NULL)
                closedir(d);
        return fd;
}

/* ---- beginning and changing files ---- */

static void
tail_take(
    struct phone_tail *t, int fd, const struct stat *st, uint64_t offset, bool is_old)
{
        if (t->fd != -1)
                close(t->fd);
        t->fd = fd;
        if (!is_old || offset == 0)
                t->at = (struct tail_position){.offset = offset};
        t->at.inode = st->st_ino;
        t->at.offset = offset;
        head_extend(fd, (uint64_t)st->st_size, &t->at);
        buf_clear(&t->in);
        t->from = 0;
        t->skipping = t->was_long = false;
        t->is_old = t->is_finished = is_old;
        t->quiet = 0;
        t->size = (uint64_t)st->st_size;
}

/* The file of the name, from its beginning. false: there is none. */
static bool
tail_take_new(struct phone_tail *t)
{
        struct stat st;
        int fd = open_file(t->path, &st);

        if (fd == -1)
                return false;
        tail_take(t, fd, &st, 0, false);
        return true;
}

static void
tail_resume(struct phone_tail *t, const struct tail_position *from)
{
        struct stat st;
        int fd = open_file(t->path, &st);

        t->at = *from;
        if (fd != -1 && st.st_ino == from->inode && is_sought(fd, &st, from)) {
                tail_take(t, fd, &st, from->offset, false);
                return;
        }
        if (fd != -1)
                close(fd);
        fd = from->inode == 0 ? -1 : open_rotated(t->path, from, &st);
        if (fd != -1) {
                tail_take(t, fd, &st, from->offset, true);
                return;
        }
        if (from->inode != 0)
                log_warn("PHONE-LOG",
                    "file=%s why=\"it was rotated and the old one is not beside it: what "
                    "was not read of that is lost\"",
                    log_quote(t->path));
        t->at = (struct tail_position){.inode = 0};
        tail_take_new(t);
}

/* Old calls are left alone. A line that is being written just now is one of them. */
static void
tail_begin_at_end(struct phone_tail *t)
{
        struct stat st;
        int fd = open_file(t->path, &st);
        char last = '\n';

        if (fd == -1)
                return;
        tail_take(t, fd, &st, (uint64_t)st.st_size, false);
        if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1)
                t->skipping = last != '\n' && last != '\r';
}

struct phone_tail *
phone_tail_open(
    const char *path, const struct tail_position *from, struct tail_position *start)
{
        struct phone_tail *t = xcalloc(1, sizeof *t);

        t->path = xstrdup(path);
        t->fd = -1;
        if (from != NULL)
                tail_resume(t, from);
        else
                tail_begin_at_end(t);
        *start = t->at;
        return t;
}

void
phone_tail_close(struct phone_tail **tp)
{
        struct phone_tail *t = *tp;

        if (t == NULL)
                return;
        if (t->fd != -1)
                close(t->fd);
        buf_fini(&t->in);
        free(t->path);
        free(t);
        *tp = NULL;
}

bool
phone_tail_is_open(const struct phone_tail *t)
{
        return t->fd != -1;
}

/* ---- looking ---- */

static void
tail_truncated(struct phone_tail *t)
{
        struct stat st;
        int fd = open_rotated(t->path, &t->at, &st);

        if (fd != -1) {
                log_info(
                    "PHONE-LOG", "file=%s truncated=yes rest=copy", log_quote(t->path));
                tail_take(t, fd, &st, t->at.offset, true);
                return;
        }
        log_warn("PHONE-LOG",
            "file=%s why=\"it was truncated and there is no copy beside it: what was not "
            "read yet is lost\"",
            log_quote(t->path));
        tail_take_new(t);
}

static void
look_rotated(struct phone_tail *t, uint64_t size)
{
        struct stat st;
        bool is_old =
            stat(t->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino != t->at.inode;

        t->quiet = is_old && size == t->size ? t->quiet + 1 : 0;
        t->size = size;
        t->is_old = is_old;
        if (t->quiet >= QUIET_LOOKS)
                t->is_finished = true;
}

void
phone_tail_look(struct phone_tail *t)
{
        struct stat st;

        t->n_turn = 0;
        if (t->fd == -1) {
                tail_take_new(t);
                return;
        }
        if (t->is_finished || fstat(t->fd, &st) == -1)
                return;
        if ((uint64_t)st.st_size < t->at.offset || !has_head(t->fd, &t->at)) {
                tail_truncated(t);
                return;
        }
        head_extend(t->fd, (uint64_t)st.st_size, &t->at);
        look_rotated(t, (uint64_t)st.st_size);
}

/* ---- reading ---- */

static bool
tail_fill(struct phone_tail *t)
{
        ssize_t n;

        if (t->fd == -1)
                return false;
        buf_consume(&t->in, t->from);
        t->from = 0;
        n = pread(
            t->fd, buf_reserve(&t->in, CHUNK), CHUNK, (off_t)(t->at.offset + t->in.len));
        if (n <= 0)
                return false;
        t->in.len += (size_t)n;
        t->n_turn += (size_t)n;
        t->in.data[t->in.len] = '\0';
        return true;
}

/* Gives out n bytes of what was read. false: they are part of what is skipped. */
static bool
tail_give(struct phone_tail *t, size_t n, const char **s, size_t *len)
{
        bool is_whole = !t->skipping;

        *s = t->in.data + t->from;
        *len = is_whole ? n : 0;
        t->from += n;
        t->at.offset += n;
        if (t->was_long)
                log_warn("PHONE-LOG",
                    "file=%s offset=%" PRIu64 " why=\"a record was longer than %d KB\"",
                    log_quote(t->path), t->at.offset, PHONE_LINE_MAX / 1024);
        t->skipping = t->was_long = false;
        return true;
}

/* However much has come at once, it is read in turns. */
static bool
tail_pause(struct phone_tail *t)
{
        t->is_paused = t->n_turn >= TURN_MAX;
        if (t->is_paused)
                t->n_turn = 0;
        return t->is_paused;
}

bool
phone_tail_is_paused(const struct phone_tail *t)
{
        return t->is_paused;
}

/* A line that will not end soon is not kept. */
static void
tail_skip(struct phone_tail *t)
{
        size_t n = t->in.len - t->from;

        t->was_long = t->was_long || !t->skipping;
        t->skipping = true;
        t->from += n;
        t->at.offset += n;
}

bool
phone_tail_next(
    struct phone_tail *t, const char **s, size_t *len, struct tail_position *after)
{
        for (;;) {
                size_t left = t->in.len - t->from;
                size_t n = left == 0
                               ? 0
                               : phone_record_length(t->in.data + t->from, left, false);

                if (n > 0) {
                        tail_give(t, n, s, len);
                        *after = t->at;
                        return true;
                }
                if (left >= PHONE_LINE_MAX || (t->skipping && left > 0))
                        tail_skip(t);
                if (tail_pause(t))
                        return false;
                if (tail_fill(t))
                        continue;
                if (!t->is_finished)
                        return false;
                left = t->in.len - t->from;
                if (left > 0) {
                        tail_give(t, left, s, len);
                        *after = t->at;
                        return true;
                }
                if (!tail_take_new(t))
                        return false;
        }
}
