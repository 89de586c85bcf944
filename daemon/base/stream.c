/*
 * Connections; see stream.h. Listeners are in listener.c.
 *
 * A stream is connecting, then open, then either ended (on_close was called,
 * the owner has yet to close it), closed, or on its own (close_after_write).
 * stream_close gives the descriptor back at once; the memory lives to the end
 * of the turn, so a handler may close its own stream.
 *
 * A stream on its own sends its output, then its end of file, and reads away
 * what the peer still sends until the peer closes too: closing with unread input
 * would make the kernel answer with a reset, and the peer could lose our last
 * words. A deadline ends all of that.
 */
#include "daemon/base/stream.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/lookup.h"
#include "daemon/base/netaddr.h"

#define READ_AT_ONCE 65536

struct stream {
        struct loop *loop;
        struct bufferevent *bev; /* NULL once closed */
        int fd; /* -1 before the connect and once closed */
        const struct stream_handlers *h;
        void *arg; /* of the handlers */
        char *address; /* where it connects to, for messages */
        struct lookup *lookup; /* of the host name, before the connect */
        struct watch *connecting; /* waits for the outcome of connect() */
        struct timer *deadline; /* of the connect, or of a stream on its own */
        size_t limit; /* unread input at most, 0: no limit */
        int64_t connect_ms; /* how long the connect may take */
        struct err failed; /* why the connect has failed before it began */
        bool ended; /* on_close was called, or no handler may be any more */
        bool paused; /* the owner does not want to read now */
        bool eof; /* the peer ended its side */
        bool unsent; /* written since the last on_drain */
        bool own; /* left to itself by close_after_write */
        LIST_ENTRY(stream) link; /* in closing_streams when own */
};
static LIST_HEAD(stream_list, stream) closing_streams = LIST_HEAD_INITIALIZER(
    closing_streams);

/* ---- the end ---- */

static void
stream_reap(void *arg)
{
        struct stream *s = arg;

        free(s->address);
        free(s);
}

/* Everything but the memory, which goes at the end of the turn. */
static void
stream_destroy(struct stream *s)
{
        s->ended = true;
        if (s->own)
                LIST_REMOVE(s, link);
        lookup_free(&s->lookup);
        watch_free(&s->connecting);
        timer_free(&s->deadline);
        bufferevent_setcb(s->bev, NULL, NULL, NULL, NULL);
        bufferevent_disable(s->bev, EV_READ | EV_WRITE);
        bufferevent_setfd(s->bev, -1);
        bufferevent_free(s->bev);
        s->bev = NULL;
        if (s->fd >= 0)
                close(s->fd);
        s->fd = -1;
        loop_later(s->loop, stream_reap, s);
}

void
stream_close(struct stream **p)
{
        struct stream *s = *p;

        *p = NULL;
        if (s != NULL)
                stream_destroy(s);
}

/* Tells the owner, once, that it is over. */
static void
stream_end(struct stream *s, const struct err *why)
{
        if (s->ended)
                return;
        s->ended = true;
        bufferevent_disable(s->bev, EV_READ | EV_WRITE);
        s->h->on_close(s->arg, why);
}

/* Read or not, as owner, limit and state want it. Our own limit, because the
 * library calls the reader without end while unread input lies at its own. */
static void
stream_rearm(struct stream *s)
{
        size_t n = evbuffer_get_length(bufferevent_get_input(s->bev));
        size_t room = s->limit == 0 ? READ_AT_ONCE : s->limit > n ? s->limit - n : 0;

        if (s->paused || s->eof || s->ended || s->fd == -1 || s->connecting != NULL ||
            room == 0) {
                bufferevent_disable(s->bev, EV_READ);
                return;
        }
        bufferevent_set_max_single_read(
            s->bev, room < READ_AT_ONCE ? room : READ_AT_ONCE);
        bufferevent_enable(s->bev, EV_READ);
}

/* ---- what the library tells ---- */

static void
stream_read_cb(struct bufferevent *bev, void *arg)
{
        struct stream *s = arg;

        (void)bev;
        loop_enter(s->loop);
        if (!s->ended && !s->paused)
                s->h->on_read(s->arg);
        if (!s->ended)
                stream_rearm(s);
}

static void
stream_write_cb(struct bufferevent *bev, void *arg)
{
        struct stream *s = arg;

        (void)bev;
        loop_enter(s->loop);
        if (s->ended || !s->unsent || stream_unsent(s) > 0)
                return;
        s->unsent = false;
        if (s->h->on_drain != NULL)
                s->h->on_drain(s->arg);
}

static void
stream_event_cb(struct bufferevent *bev, short what, void *arg)
{
        struct stream *s = arg;
        int errnum = EVUTIL_SOCKET_ERROR();
        struct err why;

        (void)bev;
        loop_enter(s->loop);
        if (s->ended)
                return;
        if (what & BEV_EVENT_EOF) {
                s->eof = true;
                if (s->h->on_eof != NULL) {
                        s->h->on_eof(s->arg);
                        return;
                }
                err_set(&why, ERR_RETRY, "the other side closed the connection");
        } else {
                err_errno(&why, ERR_RETRY, errnum, "the connection broke");
        }
        stream_end(s, &why);
}

/* ---- the beginning ---- */

static struct stream *
stream_make(struct loop *loop, int fd, const struct stream_handlers *h, void *arg)
{
        struct stream *s = xcalloc(1, sizeof *s);

        assert(h->on_read != NULL && h->on_close != NULL);
        s->loop = loop;
        s->fd = fd;
        s->h = h;
        s->arg = arg;
        s->bev = bufferevent_socket_new(loop_base(loop), fd, 0);
        if (s->bev == NULL) {
                log_error("LOOP", "cannot make a stream: out of memory");
                abort();
        }
        bufferevent_set_max_single_write(s->bev, READ_AT_ONCE);
        bufferevent_setcb(s->bev, stream_read_cb, stream_write_cb, stream_event_cb, s);
        return s;
}

struct stream *
stream_new(struct loop *loop, int fd, const struct stream_handlers *h, void *arg)
{
        struct stream *s = stream_make(loop, fd, h, arg);

        bufferevent_enable(s->bev, EV_WRITE);
        stream_rearm(s);
        return s;
}

/* The connection stands. */
static void
stream_connected(struct stream *s)
{
        watch_free(&s->connecting);
        timer_clear(s->deadline);
        bufferevent_setfd(s->bev, s->fd);
        bufferevent_enable(s->bev, EV_WRITE);
        stream_rearm(s);
        if (s->h->on_connect != NULL)
                s->h->on_connect(s->arg);
}

static void
stream_connect_ready(void *arg)
{
        struct stream *s = arg;
        socklen_t len = sizeof(int);
        struct err why;
        int errnum = 0;

        if (s->ended)
                return;
        if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == -1)
                errnum = errno;
        if (errnum == 0) {
                stream_connected(s);
                return;
        }
        watch_free(&s->connecting);
        timer_clear(s->deadline);
        err_errno(&why, ERR_RETRY, errnum, "cannot connect to %s", s->address);
        stream_end(s, &why);
}

/* The deadline, or at once when the connect could not even begin. */
static void
stream_connect_over(void *arg)
{
        struct stream *s = arg;

        lookup_free(&s->lookup);
        watch_free(&s->connecting);
        if (s->failed.kind == ERR_NONE)
                err_set(&s->failed, ERR_RETRY,
                    "cannot connect to %s: no answer within %lld ms", s->address,
                    (long long)s->connect_ms);
        stream_end(s, &s->failed);
}

static int
stream_socket(const struct netaddr *a)
{
        int fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int one = 1;

        if (fd >= 0 && a->ss.ss_family != AF_UNIX)
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        return fd;
}

static int
stream_connect_to(struct stream *s, const struct netaddr *a, struct err *err)
{
        int rc;

        s->fd = stream_socket(a);
        rc = s->fd == -1 ? -1 : connect(s->fd, (const struct sockaddr *)&a->ss, a->len);
        if (rc == -1 && errno != EINPROGRESS)
                return err_errno(
                    err, ERR_RETRY, errno, "cannot connect to %s", s->address);
        s->connecting = watch_new(s->loop, s->fd, WATCH_WRITE, stream_connect_ready, s);
        return 0;
}

static void
stream_connect_found(void *arg, const struct netaddr *a, const struct err *err)
{
        struct stream *s = arg;

        lookup_free(&s->lookup);
        s->failed = *err;
        if (err->kind != ERR_NONE || stream_connect_to(s, a, &s->failed) == -1)
                timer_set(s->deadline, 0);
}

static int
stream_connect_begin(struct stream *s, struct err *err)
{
        struct netaddr a;
        int rc;

        if (netaddr_is_name(s->address)) {
                s->lookup =
                    lookup_start(s->loop, s->address, stream_connect_found, s, err);
                return s->lookup == NULL ? -1 : 0;
        }
        if (netaddr_parse(s->address, NETADDR_NUMERIC, &a, err) == -1)
                return -1;
        rc = stream_connect_to(s, &a, err);
        netaddr_fini(&a);
        return rc;
}

struct stream *
stream_connect(struct loop *loop, const char *address, int64_t timeout_ms,
    const struct stream_handlers *h, void *arg)
{
        struct stream *s = stream_make(loop, -1, h, arg);

        bufferevent_disable(s->bev, EV_READ | EV_WRITE);
        s->connect_ms = timeout_ms;
        s->deadline = timer_new(loop, stream_connect_over, s);
        s->address = xstrdup(address);
        if (stream_connect_begin(s, &s->failed) == -1)
                timeout_ms = 0;
        timer_set(s->deadline, timeout_ms);
        return s;
}

/* ---- on its own ---- */

static void
stream_own_over(void *arg)
{
        stream_destroy(arg);
}

static void
stream_own_read_cb(struct bufferevent *bev, void *arg)
{
        (void)arg;
        evbuffer_drain(bufferevent_get_input(bev), SIZE_MAX);
}

/* All output has left: end our side, and close when the peer has ended its own. */
static void
stream_own_write_cb(struct bufferevent *bev, void *arg)
{
        struct stream *s = arg;

        (void)bev;
        if (stream_unsent(s) > 0)
                return;
        if (s->eof || shutdown(s->fd, SHUT_WR) == -1)
                stream_destroy(s);
}

static void
stream_own_event_cb(struct bufferevent *bev, short what, void *arg)
{
        struct stream *s = arg;

        (void)bev;
        if ((what & BEV_EVENT_EOF) && stream_unsent(s) > 0)
                s->eof = true;
        else
                stream_destroy(s);
}

void
stream_close_after_write(struct stream **p, int64_t timeout_ms)
{
        struct stream *s = *p;

        *p = NULL;
        if (s == NULL)
                return;
        if (s->ended || s->fd == -1 || s->connecting != NULL ||
            s->failed.kind != ERR_NONE || timeout_ms <= 0 ||
            (s->eof && stream_unsent(s) == 0)) {
                stream_destroy(s);
                return;
        }
        s->ended = true;
        s->own = true;
        LIST_INSERT_HEAD(&closing_streams, s, link);
        timer_free(&s->deadline);
        s->deadline = timer_new(s->loop, stream_own_over, s);
        timer_set(s->deadline, timeout_ms);
        bufferevent_setcb(
            s->bev, stream_own_read_cb, stream_own_write_cb, stream_own_event_cb, s);
        bufferevent_set_max_single_read(s->bev, READ_AT_ONCE);
        stream_own_read_cb(s->bev, s);
        if (!s->eof)
                bufferevent_enable(s->bev, EV_READ);
        if (stream_unsent(s) == 0)
                stream_own_write_cb(s->bev, s);
}

void
stream_drop_closing(struct loop *loop)
{
        struct stream *s = LIST_FIRST(&closing_streams);

        while (s != NULL) {
                struct stream *next = LIST_NEXT(s, link);

                if (s->loop == loop)
                        stream_destroy(s);
                s = next;
        }
}

/* ---- bytes ---- */

const char *
stream_input(struct stream *s, size_t *n)
{
        struct evbuffer *in = bufferevent_get_input(s->bev);

        *n = evbuffer_get_length(in);
        return *n == 0 ? NULL : (const char *)evbuffer_pullup(in, -1);
}

void
stream_consume(struct stream *s, size_t n)
{
        struct evbuffer *in = bufferevent_get_input(s->bev);

        assert(n <= evbuffer_get_length(in));
        evbuffer_drain(in, n);
        if (s->limit != 0 && !s->ended)
                stream_rearm(s);
}

void
stream_write(struct stream *s, const void *p, size_t n)
{
        if (s->ended || n == 0)
                return;
        s->unsent = true;
        if (bufferevent_write(s->bev, p, n) == -1) {
                log_error("LOOP", "cannot write to a stream: out of memory");
                abort();
        }
}

size_t
stream_unsent(const struct stream *s)
{
        return evbuffer_get_length(bufferevent_get_output(s->bev));
}

/* After a pause: the owner looks again at what lies in the input. */
static void
stream_look_again(void *arg)
{
        struct stream *s = arg;

        if (!s->ended && !s->paused &&
            evbuffer_get_length(bufferevent_get_input(s->bev)) > 0)
                s->h->on_read(s->arg);
}

void
stream_pause(struct stream *s, bool paused)
{
        if (s->ended || s->paused == paused)
                return;
        s->paused = paused;
        stream_rearm(s);
        if (!paused && evbuffer_get_length(bufferevent_get_input(s->bev)) > 0)
                loop_later(s->loop, stream_look_again, s);
}

void
stream_limit_input(struct stream *s, size_t bytes)
{
        s->limit = bytes;
        if (!s->ended)
                stream_rearm(s);
}

void
stream_keepalive(struct stream *s)
{
        static const struct {
                int level, name, value;
        } opts[] = {{SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, 15},
            {IPPROTO_TCP, TCP_KEEPINTVL, 5}, {IPPROTO_TCP, TCP_KEEPCNT, 3},
            {IPPROTO_TCP, TCP_USER_TIMEOUT, 30000}};
        int family = 0;
        socklen_t len = sizeof family;

        if (s->fd == -1 ||
            getsockopt(s->fd, SOL_SOCKET, SO_DOMAIN, &family, &len) == -1 ||
            family == AF_UNIX)
                return;
        for (size_t i = 0; i < sizeof opts / sizeof *opts; i++)
                setsockopt(
                    s->fd, opts[i].level, opts[i].name, &opts[i].value, sizeof(int));
}

int
stream_fd(const struct stream *s)
{
        return s->fd;
}

bool
stream_peer_gone(const struct stream *s)
{
        struct pollfd p = {.fd = s->fd, .events = POLLIN | POLLRDHUP};

        if (s->ended || s->eof || s->fd == -1)
                return s->ended || s->eof;
        return poll(&p, 1, 0) == 1 &&
               (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* ---- blocking ---- */

static int
connect_wait(int fd, int64_t timeout_ms)
{
        int64_t until_us = clock_read_mono_us() + timeout_ms * 1000;
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        socklen_t len = sizeof(int);
        int errnum, rc;

        do {
                int64_t left_ms = (until_us - clock_read_mono_us()) / 1000;

                rc = poll(&p, 1, left_ms < 0 ? 0 : (int)left_ms);
        } while (rc == -1 && errno == EINTR);
        if (rc == 0)
                return ETIMEDOUT;
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == -1 ? errno : errnum;
}

int
stream_connect_blocking(const char *address, int64_t timeout_ms, struct err *err)
{
        struct netaddr a;
        int fd, errnum = 0;

        if (netaddr_parse(address, NETADDR_LOOKUP, &a, err) == -1)
                return -1;
        fd = stream_socket(&a);
        if (fd == -1 || connect(fd, (struct sockaddr *)&a.ss, a.len) == -1)
                errnum = errno;
        netaddr_fini(&a);
        if (errnum == EINPROGRESS)
                errnum = connect_wait(fd, timeout_ms);
        if (errnum == 0) {
                fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
                return fd;
        }
        if (fd != -1)
                close(fd);
        return err_errno(err, ERR_RETRY, errnum, "cannot connect to %s", address);
}
