/*
 * Listeners; see stream.h.
 *
 * A Unix socket file that nobody answers is what a killed daemon left behind and
 * is replaced; one that answers belongs to a living process and is an error.
 * (Two daemons that start at once are kept apart by the lock of the state
 * directory, not here.) Closing removes the file only while it is still ours.
 *
 * When the process is out of descriptors, accepting rests for a moment; those
 * who connect wait in the kernel's queue.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/netaddr.h"
#include "daemon/base/stream.h"

#define BACKLOG 1024
#define ACCEPT_A_TURN 64
#define REST_MS 200
#define WARN_AGAIN_US 60000000 /* the rests of a minute are one warning */

struct listener {
        struct loop *loop;
        int fd;
        struct watch *watch; /* NULL while paused or resting */
        struct timer *rest; /* runs while we are out of descriptors */
        int64_t warned_at_us; /* when the log was told of it (monotonic), 0 never */
        void (*on_accept)(void *arg, int fd, const struct peer *peer);
        void *arg;
        bool paused; /* the owner's wish */
        bool closed; /* freed at the end of the turn */
        char *address; /* where it really listens */
        char *path; /* the Unix socket file to remove, "" for none */
        dev_t dev; /* of that file, so that a successor's is spared */
        ino_t ino;
};

static void
listener_peer(int fd, const struct sockaddr_storage *ss, struct peer *peer)
{
        struct ucred cred;
        socklen_t len = sizeof cred;

        memset(peer, 0, sizeof *peer);
        peer->is_unix = ss->ss_family == AF_UNIX;
        peer->is_loopback = netaddr_is_loopback(ss);
        peer->uid = (uid_t)-1;
        netaddr_format(ss, peer->address);
        if (peer->is_unix && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
                peer->uid = cred.uid;
                peer->pid = cred.pid;
        }
}

static void
listener_rest(struct listener *l, int errnum)
{
        if (l->warned_at_us == 0 || clock_mono_us() - l->warned_at_us > WARN_AGAIN_US) {
                l->warned_at_us = clock_mono_us();
                log_warn("LISTEN",
                    "address=%s cannot accept: %s; raise LimitNOFILE when this goes on",
                    l->address, strerror(errnum));
        }
        watch_free(&l->watch);
        timer_set(l->rest, REST_MS);
}

static void
listener_on_ready(void *arg)
{
        struct listener *l = arg;

        for (int i = 0; i < ACCEPT_A_TURN && l->watch != NULL; i++) {
                struct sockaddr_storage ss = {0};
                socklen_t len = sizeof ss;
                int fd = accept4(
                    l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
                struct peer peer;
                int one = 1;

                if (fd == -1) {
                        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                            errno == ENOMEM)
                                listener_rest(l, errno);
                        return;
                }
                listener_peer(fd, &ss, &peer);
                if (!peer.is_unix)
                        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                l->on_accept(l->arg, fd, &peer);
        }
}

/* Accept or not, as the owner wishes and the descriptors allow. */
static void
listener_rearm(struct listener *l)
{
        if (l->closed || l->paused || timer_is_set(l->rest))
                watch_free(&l->watch);
        else if (l->watch == NULL)
                l->watch = watch_new(l->loop, l->fd, WATCH_READ, listener_on_ready, l);
}

static void
listener_rested(void *arg)
{
        listener_rearm(arg);
}

/* Takes over fd; path and address are copied. */
static struct listener *
listener_make(struct loop *loop, int fd, const char *address, const char *path,
    void (*on_accept)(void *arg, int fd, const struct peer *peer), void *arg)
{
        struct listener *l = xcalloc(1, sizeof *l);
        struct stat st;

        l->loop = loop;
        l->fd = fd;
        l->on_accept = on_accept;
        l->arg = arg;
        l->address = xstrdup(address);
        l->path = xstrdup(path);
        if (*path != '\0' && lstat(path, &st) == 0) {
                l->dev = st.st_dev;
                l->ino = st.st_ino;
        }
        l->rest = timer_new(loop, listener_rested, l);
        listener_rearm(l);
        return l;
}

/* Is the socket file one that nobody listens on any more? */
static bool
listener_is_stale(const char *path, const struct netaddr *a)
{
        struct stat st;
        int fd, rc, errnum;

        if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode))
                return false;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd == -1)
                return false;
        rc = connect(fd, (const struct sockaddr *)&a->ss, a->len);
        errnum = errno;
        close(fd);
        return rc == -1 && errnum == ECONNREFUSED;
}

/* fchmod before bind() makes the file with these rights at once (less the umask,
 * which chmod gives back): it is never open to more than mode says. */
static int
listener_bind_unix(
    int fd, const struct netaddr *a, const char *path, mode_t mode, struct err *err)
{
        int rc;

        fchmod(fd, mode);
        rc = bind(fd, (const struct sockaddr *)&a->ss, a->len);
        if (rc == -1 && errno == EADDRINUSE && listener_is_stale(path, a)) {
                unlink(path);
                rc = bind(fd, (const struct sockaddr *)&a->ss, a->len);
        }
        if (rc == -1 && errno == EADDRINUSE)
                return err_set(err, ERR_CONFIG,
                    "cannot listen on %s: another process listens there "
                    "or it is not a socket; stop that process, remove the file or choose "
                    "another path",
                    path);
        if (rc == -1 || chmod(path, mode) == -1)
                return err_errno(err, ERR_CONFIG, errno, "cannot listen on %s", path);
        return 0;
}

static int
listener_bind_tcp(int fd, const struct netaddr *a, const char *address, struct err *err)
{
        int one = 1;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (const struct sockaddr *)&a->ss, a->len) == 0)
                return 0;
        if (errno == EADDRINUSE)
                return err_set(err, ERR_CONFIG,
                    "cannot listen on %s: another process listens there; "
                    "stop it or choose another port",
                    address);
        return err_errno(err, ERR_CONFIG, errno, "cannot listen on %s", address);
}

/* A bound and listening descriptor, or -1. */
static int
listener_socket(
    const struct netaddr *a, const char *address, mode_t mode, struct err *err)
{
        int fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int rc;

        if (fd == -1)
                return err_errno(
                    err, ERR_RETRY, errno, "cannot make a socket for %s", address);
        if (a->ss.ss_family == AF_UNIX)
                rc = listener_bind_unix(fd, a, address + strlen("unix:"), mode, err);
        else
                rc = listener_bind_tcp(fd, a, address, err);
        if (rc == 0 && listen(fd, BACKLOG) == -1)
                rc = err_errno(err, ERR_CONFIG, errno, "cannot listen on %s", address);
        if (rc == -1) {
                close(fd);
                return -1;
        }
        return fd;
}

/* The address a descriptor is bound to, as text. */
static void
listener_name(int fd, char *out, size_t room)
{
        struct sockaddr_storage ss = {0};
        socklen_t len = sizeof ss;
        char text[64];

        getsockname(fd, (struct sockaddr *)&ss, &len);
        if (ss.ss_family == AF_UNIX) {
                const char *path = ((struct sockaddr_un *)&ss)->sun_path;
                size_t head = offsetof(struct sockaddr_un, sun_path);
                size_t max = len > head ? len - head : 0;

                snprintf(out, room, "unix:%.*s", (int)strnlen(path, max), path);
        } else {
                netaddr_format(&ss, text);
                snprintf(out, room, "%s", text);
        }
}

struct listener *
listener_open(struct loop *loop, const char *address, mode_t mode,
    void (*on_accept)(void *arg, int fd, const struct peer *peer), void *arg,
    struct err *err)
{
        bool is_unix = strncmp(address, "unix:", 5) == 0;
        struct netaddr a;
        char real[256];
        int fd;

        if (netaddr_parse(address, NETADDR_LOOKUP, &a, err) == -1)
                return NULL;
        fd = listener_socket(&a, address, mode, err);
        netaddr_fini(&a);
        if (fd == -1)
                return NULL;
        if (is_unix)
                return listener_make(loop, fd, address, address + 5, on_accept, arg);
        listener_name(fd, real, sizeof real);
        return listener_make(loop, fd, real, "", on_accept, arg);
}

struct listener *
listener_from_fd(struct loop *loop, int fd,
    void (*on_accept)(void *arg, int fd, const struct peer *peer), void *arg,
    struct err *err)
{
        int listening = 0;
        socklen_t len = sizeof listening;
        char real[256];

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 ||
            !listening) {
                err_set(err, ERR_CONFIG,
                    "descriptor %d is not a listening socket; check the "
                    ".socket unit",
                    fd);
                return NULL;
        }
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        listener_name(fd, real, sizeof real);
        return listener_make(loop, fd, real, "", on_accept, arg);
}

static void
listener_reap(void *arg)
{
        struct listener *l = arg;

        free(l->address);
        free(l->path);
        free(l);
}

void
listener_close(struct listener **p)
{
        struct listener *l = *p;
        struct stat st;

        *p = NULL;
        if (l == NULL)
                return;
        l->closed = true;
        watch_free(&l->watch);
        timer_free(&l->rest);
        if (*l->path != '\0' && lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
            st.st_ino == l->ino)
                unlink(l->path);
        close(l->fd);
        loop_later(l->loop, listener_reap, l);
}

void
listener_pause(struct listener *l, bool paused)
{
        l->paused = paused;
        listener_rearm(l);
}

const char *
listener_address(const struct listener *l)
{
        return l->address;
}
