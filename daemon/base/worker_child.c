/*
 * The helper's side of the frames, and the frames themselves; see worker.h.
 *
 * Runs in the helper process, blocking. The descriptor of a job comes with the
 * first byte of its head, so the head is read with recvmsg and never beyond.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/base/worker.h"

#define DAEMON_FD 3

/* ---- frames ---- */

void
worker_frame_head(char *out, size_t len, int type)
{
        for (int i = 0; i < 4; i++)
                out[i] = (char)(len >> (24 - 8 * i) & 0xff);
        out[4] = (char)type;
}

long
worker_frame_parse(
    const char *p, size_t n, size_t max_body, int *type, const char **body, size_t *len)
{
        const unsigned char *u = (const unsigned char *)p;
        size_t want;

        if (n < 4)
                return 0;
        want = (size_t)u[0] << 24 | (size_t)u[1] << 16 | (size_t)u[2] << 8 | u[3];
        if (want > max_body)
                return -1;
        if (n < WORKER_FRAME_HEAD || n - WORKER_FRAME_HEAD < want)
                return 0;
        *type = u[4];
        *body = p + WORKER_FRAME_HEAD;
        *len = want;
        return (long)(WORKER_FRAME_HEAD + want);
}

/* ---- the helper's side ---- */

static int
child_send(int type, const void *body, size_t len)
{
        char head[WORKER_FRAME_HEAD];
        struct iovec iov[2] = {{head, sizeof head}, {(void *)body, len}};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

        worker_frame_head(head, len, type);
        while (iov[0].iov_len + iov[1].iov_len > 0) {
                ssize_t rc = sendmsg(DAEMON_FD, &msg, MSG_NOSIGNAL);

                if (rc == -1 && errno == EINTR)
                        continue;
                if (rc == -1)
                        return -1;
                for (int i = 0; i < 2 && rc > 0; i++) {
                        size_t k =
                            (size_t)rc < iov[i].iov_len ? (size_t)rc : iov[i].iov_len;

                        iov[i].iov_base = (char *)iov[i].iov_base + k;
                        iov[i].iov_len -= k;
                        rc -= (ssize_t)k;
                }
        }
        return 0;
}

/* Keeps the first descriptor that came with msg in *fd, closes any other. */
static void
child_take_fds(struct msghdr *msg, int *fd)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
                size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < n; i++) {
                        int got;

                        memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof got);
                        if (*fd == -1)
                                *fd = got;
                        else
                                close(got);
                }
        }
}

/* n bytes exactly; false when the daemon is gone. */
static bool
child_read(char *p, size_t n, int *fd)
{
        union {
                struct cmsghdr align;
                char room[CMSG_SPACE(4 * sizeof(int))];
        } control;

        while (n > 0) {
                struct iovec iov = {p, n};
                struct msghdr msg = {.msg_iov = &iov,
                    .msg_iovlen = 1,
                    .msg_control = control.room,
                    .msg_controllen = sizeof control.room};
                ssize_t rc = recvmsg(DAEMON_FD, &msg, MSG_CMSG_CLOEXEC);

                if (rc == -1 && errno == EINTR)
                        continue;
                if (rc <= 0)
                        return false;
                child_take_fds(&msg, fd);
                p += rc;
                n -= (size_t)rc;
        }
        return true;
}

/* The rest of a job whose length is known. */
static int
child_read_body(char **body, size_t len, int *fd)
{
        if (child_send(WORKER_TYPE_BEGUN, NULL, 0) == -1)
                return 0;
        *body = malloc(len + 1);
        if (*body == NULL)
                return -1;
        (*body)[len] = '\0';
        return child_read(*body, len, fd) ? 1 : 0;
}

int
worker_next(int *type, char **body, size_t *len, int *fd, size_t max_body)
{
        static bool ready;
        char head[WORKER_FRAME_HEAD];
        int rc;

        *body = NULL;
        *len = 0;
        *fd = -1;
        if (!ready && child_send(WORKER_TYPE_READY, NULL, 0) == -1)
                return 0;
        ready = true;
        if (!child_read(head, sizeof head, fd))
                return 0;
        for (int i = 0; i < 4; i++)
                *len = *len << 8 | (unsigned char)head[i];
        *type = (unsigned char)head[4];
        rc = *len > max_body || *type > WORKER_TYPE_MAX ? -1
                                                        : child_read_body(body, *len, fd);
        if (rc != 1) {
                free(*body);
                *body = NULL;
                if (*fd >= 0)
                        close(*fd);
                *fd = -1;
        }
        return rc;
}

int
worker_answer(int type, const void *body, size_t len)
{
        if (type < 0 || type > WORKER_TYPE_MAX || len > UINT32_MAX) {
                errno = EINVAL;
                return -1;
        }
        return child_send(type, body, len);
}

void
worker_child_setup(void)
{
        struct rlimit none = {0, 0};

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGPIPE, SIG_IGN);
        close_range(DAEMON_FD + 1, ~0U, 0);
}
