/*
 * The watch on disk space.
 *
 * Below max(10 %, 1 GB, 1.5 x the append-only files: a rewrite needs a whole copy)
 * free the disk is low: intake stops. Below 2 % it is critical: everything
 * stops. A ballast file of 64 MB is given up then, once, so that the work in hand
 * can be ended; it is made again when there is plenty.
 */
#include "queue/disk_space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/log.h"
#include "queue/redis_tail.h"

static const int64_t MB = 1 << 20;
static const int64_t BALLAST_BYTES = 64 << 20;
static const int64_t BALLAST_DISK_MIN = (int64_t)4 << 30; /* smaller disks have none */

struct disk_space {
        char *dir; /* the state directory */
        char *ballast; /* path of the file */
        int64_t floor; /* never less than this free: 1 GB or HELPLINE_DISK_FLOOR */
        /* at the last look: leaving it takes 5 % more than entering */
        enum disk_level level;
};

struct disk_space *
disk_space_new(const char *state_dir)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct disk_space *d = xcalloc(1, sizeof *d);
        const char *floor = getenv("HELPLINE_DISK_FLOOR");

        d->dir = xstrdup(state_dir);
        d->ballast = xstrdup(arena_printf(a, "%s/ballast", state_dir));
        d->floor =
            floor != NULL && floor[0] != '\0' ? strtoll(floor, NULL, 10) : 1024 * MB;
        return d;
}

void
disk_space_free(struct disk_space **dp)
{
        struct disk_space *d = *dp;

        if (d == NULL)
                return;
        free(d->dir);
        free(d->ballast);
        free(d);
        *dp = NULL;
}

static int64_t
disk_space_wanted(const struct disk_space *d, int64_t total)
{
        int64_t wanted = total / 10, rewrite = redis_tail_bytes(d->dir) / 2 * 3;

        if (wanted < d->floor)
                wanted = d->floor;
        return wanted > rewrite ? wanted : rewrite;
}

static void
ballast_make(const struct disk_space *d)
{
        int fd = open(d->ballast, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd == -1)
                return; /* it is there */
        /* A file system that cannot: the file stays empty, and there is no ballast. */
        (void)fallocate(fd, 0, 0, BALLAST_BYTES);
        close(fd);
}

static void
ballast_give_up(const struct disk_space *d)
{
        if (unlink(d->ballast) == 0)
                log_warn("DISK", "the ballast file was deleted: 64 MB are left to end "
                                 "the work in hand");
}

static enum disk_level
disk_space_judge(
    const struct disk_space *d, int64_t free_bytes, int64_t wanted, int64_t total)
{
        if (free_bytes < total / 50 + (d->level == DISK_CRITICAL ? total / 1000 : 0))
                return DISK_CRITICAL;
        if (free_bytes < wanted + (d->level != DISK_OK ? wanted / 20 : 0))
                return DISK_LOW;
        return DISK_OK;
}

enum disk_level
disk_space_level(struct disk_space *d, struct err *why)
{
        int64_t total, free_bytes, wanted;
        struct statvfs v;

        memset(why, 0, sizeof *why);
        if (statvfs(d->dir, &v) == -1) {
                err_errno(why, ERR_RETRY, errno, "cannot see how full the disk of %s is",
                    d->dir);
                return DISK_LOW;
        }
        total = (int64_t)v.f_blocks * (int64_t)v.f_frsize;
        free_bytes = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
        wanted = disk_space_wanted(d, total);
        d->level = disk_space_judge(d, free_bytes, wanted, total);
        if (d->level == DISK_CRITICAL)
                ballast_give_up(d);
        else if (d->level == DISK_OK && total >= BALLAST_DISK_MIN &&
                 free_bytes > wanted + 2 * BALLAST_BYTES)
                ballast_make(d);
        if (d->level != DISK_OK)
                err_code(why, ERR_RETRY, "452",
                    "the disk of %s is nearly full: %lld MB free, %lld MB wanted; free "
                    "some space",
                    d->dir, (long long)(free_bytes / MB), (long long)(wanted / MB));
        return d->level;
}
