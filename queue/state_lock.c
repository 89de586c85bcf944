/*
 * The lock of the state directory.
 *
 * An flock on STATE/lock, held by the daemon and inherited by its redis-server: free
 * only when both are gone, so kill -9 and an immediate start never put two
 * servers on one append-only file. The kernel releases it, whatever happens.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "queue/redis_child.h"

enum { LOCK_POLL_MS = 20 };

/* Has this process the file open? */
static bool
lock_is_open_in(const char *pid, const struct stat *lock)
{
        char path[300];
        struct dirent *e;
        struct stat st;
        bool found = false;
        DIR *d;

        snprintf(path, sizeof path, "/proc/%s/fd", pid);
        d = opendir(path);
        if (d == NULL)
                return false;
        while (!found && (e = readdir(d)) != NULL)
                found = isdigit((unsigned char)e->d_name[0]) &&
                        fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
                        st.st_dev == lock->st_dev && st.st_ino == lock->st_ino;
        closedir(d);
        return found;
}

static void
lock_add_name(struct buf *out, const char *pid)
{
        char path[300], name[64] = "";
        FILE *f;

        snprintf(path, sizeof path, "/proc/%s/comm", pid);
        f = fopen(path, "re");
        if (f != NULL) {
                if (fgets(name, sizeof name, f) != NULL)
                        name[strcspn(name, "\n")] = '\0';
                fclose(f);
        }
        buf_addf(out, "%s%s (process %s)", out->len > 0 ? " and " : "", name, pid);
}

/* "helplined (process 12) and redis-server (process 13)", as far as we may look. */
static void
lock_name_holders(int fd, struct buf *out)
{
        struct dirent *e;
        struct stat lock;
        DIR *d = opendir("/proc");

        if (d == NULL || fstat(fd, &lock) == -1) {
                if (d != NULL)
                        closedir(d);
                return;
        }
        while ((e = readdir(d)) != NULL)
                if (isdigit((unsigned char)e->d_name[0]) &&
                    atol(e->d_name) != (long)getpid() &&
                    lock_is_open_in(e->d_name, &lock))
                        lock_add_name(out, e->d_name);
        closedir(d);
}

static int64_t
lock_now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
state_lock(const char *state_dir, int64_t wait_ms, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf holders AUTO_BUF = BUF_INIT;
        const char *path = arena_printf(a, "%s/lock", state_dir);
        int64_t until_ms = lock_now_ms() + wait_ms;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        if (fd == -1)
                return err_errno(err, ERR_CONFIG, errno, "cannot open %s", path);
        while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
                if (errno != EWOULDBLOCK && errno != EINTR) {
                        err_errno(err, ERR_CONFIG, errno, "cannot lock %s", path);
                        close(fd);
                        return -1;
                }
                if (lock_now_ms() >= until_ms) {
                        lock_name_holders(fd, &holders);
                        close(fd);
                        return err_set(err, ERR_CONFIG,
                            "%s is in use by %s: stop it first, or give this one another "
                            "`state`",
                            state_dir,
                            holders.len > 0 ? buf_str(&holders) : "another process");
                }
                usleep(LOCK_POLL_MS * 1000);
        }
        return fd;
}
