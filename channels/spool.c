/* Bytes on their way in; see spool.h. */
#include "channels/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/log.h"

void
spool_init(struct spool *s, const char *dir, size_t memory_max)
{
        memset(s, 0, sizeof *s);
        s->dir = dir;
        s->memory_max = memory_max;
        s->fd = -1;
}

void
spool_fini(struct spool *s)
{
        buf_fini(&s->memory);
        if (s->fd != -1)
                close(s->fd);
        s->fd = -1;
        s->len = 0;
        s->failed = false;
}

static int
spool_open(const char *dir)
{
        char *path;
        int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
                return fd;
        if (asprintf(&path, "%s/spool.XXXXXX", dir) == -1)
                return -1;
        fd = mkostemp(path, O_CLOEXEC);
        if (fd != -1)
                unlink(path);
        free(path);
        return fd;
}

static bool
spool_write(int fd, const char *p, size_t n)
{
        while (n > 0) {
                ssize_t done = write(fd, p, n);

                if (done == -1 && errno == EINTR)
                        continue;
                if (done <= 0)
                        return false;
                p += done;
                n -= (size_t)done;
        }
        return true;
}

static bool
spool_fail(struct spool *s)
{
        log_warn(
            "SPOOL", "dir=%s error=%s", log_quote(s->dir), log_quote(strerror(errno)));
        s->failed = true;
        buf_fini(&s->memory);
        if (s->fd != -1)
                close(s->fd);
        s->fd = -1;
        return false;
}

bool
spool_add(struct spool *s, const void *p, size_t n)
{
        if (s->failed)
                return false;
        s->len += n;
        if (s->fd == -1 && s->len <= s->memory_max) {
                buf_add(&s->memory, p, n);
                return true;
        }
        if (s->fd == -1) {
                s->fd = spool_open(s->dir);
                if (s->fd == -1 ||
                    !spool_write(s->fd, buf_str(&s->memory), s->memory.len))
                        return spool_fail(s);
                buf_fini(&s->memory);
        }
        return spool_write(s->fd, p, n) || spool_fail(s);
}
