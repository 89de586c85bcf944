/*
 * Byte streams: listeners and connections, TCP and Unix sockets (a libevent
 * bufferevent behind a small door).
 *
 * Addresses are written as in the configuration: "unix:/path" or
 * "127.0.0.1:7711", "[::1]:7711", "name:7711" (its first address; looked up without
 * holding the loop up). Unix paths over 107 bytes work (through
 * /proc/self/fd of the folder).
 */
#ifndef HELPLINE_BASE_STREAM_H
#define HELPLINE_BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/err.h"
#include "daemon/base/loop.h"

struct stream;
struct listener;

/* Who is at the other end. */
struct peer {
        bool is_unix;
        bool is_loopback; /* 127.0.0.0/8, ::1 or a Unix socket */
        uid_t uid; /* of a Unix socket (SO_PEERCRED), else (uid_t)-1 */
        pid_t pid; /* of a Unix socket, else 0 */
        char address[64]; /* "127.0.0.1:5432" or "unix" */
};

struct stream_handlers {
        /* An outgoing connection stands. May be NULL. */
        void (*on_connect)(void *arg);
        /* New bytes are in stream_input(). */
        void (*on_read)(void *arg);
        /* All that was written has left for the kernel. May be NULL. */
        void (*on_drain)(void *arg);
        /* The peer has ended its side; ours still works. NULL: as on_close. */
        void (*on_eof)(void *arg);
        /* The connection is gone or could not be made (why->text), once, last.
         * The handler calls stream_close(). */
        void (*on_close)(void *arg, const struct err *why);
};

/* Takes over a connected, non-blocking descriptor. */
struct stream *
stream_new(struct loop *loop, int fd, const struct stream_handlers *h, void *arg);
/* Begins to connect; the outcome comes as on_connect or on_close, within timeout_ms. */
struct stream *stream_connect(struct loop *loop, const char *address, int64_t timeout_ms,
    const struct stream_handlers *h, void *arg);
/* Ends it at once: unwritten output is lost, no handler is called any more, *s
 * is NULL. Safe inside its own handlers (memory is freed at the end of the turn). */
void stream_close(struct stream **s);
/* Ends it when all output has left or after timeout_ms; no on_read any more.
 * Then on_close is NOT called; the stream frees itself. *s is NULL. */
void stream_close_after_write(struct stream **s, int64_t timeout_ms);
/* For loop_free only: ends what stream_close_after_write left to itself. */
void stream_drop_closing(struct loop *loop);

/* The unread input, contiguous; NULL with *n = 0 when none. Valid until the next
 * call on this stream. */
const char *stream_input(struct stream *s, size_t *n);
void stream_consume(struct stream *s, size_t n);
void stream_write(struct stream *s, const void *p, size_t n);
/* Bytes written that have not left for the kernel. */
size_t stream_unsent(const struct stream *s);
/* Stop and go on reading (TCP then slows the peer down). Going on calls on_read at
 * the end of the turn when unread input is there. */
void stream_pause(struct stream *s, bool paused);
/* Read at most this many bytes ahead of stream_consume (0: no limit). */
void stream_limit_input(struct stream *s, size_t bytes);
/* SO_KEEPALIVE 15 s and TCP_USER_TIMEOUT 30 s (nothing on Unix sockets). */
void stream_keepalive(struct stream *s);
int stream_fd(const struct stream *s);
/* Is FIN, RST or a hang-up already waiting in the kernel (poll), whatever the
 * loop has seen so far? */
bool stream_peer_gone(const struct stream *s);

/* Listens; each accepted descriptor (non-blocking, CLOEXEC, TCP_NODELAY) goes to
 * on_accept, which owns it. mode: permissions of a Unix socket (0660); a stale
 * socket file is replaced, a live one is an error. */
struct listener *listener_open(struct loop *loop, const char *address, mode_t mode,
    void (*on_accept)(void *arg, int fd, const struct peer *peer), void *arg,
    struct err *err);
/* Takes over an already listening descriptor (socket activation). */
struct listener *listener_from_fd(struct loop *loop, int fd,
    void (*on_accept)(void *arg, int fd, const struct peer *peer), void *arg,
    struct err *err);
void listener_close(struct listener **l); /* removes its Unix socket file */
void listener_pause(struct listener *l, bool paused);
/* "127.0.0.1:40123" or "unix:/path": where it really listens (port 0 resolved). */
const char *listener_address(const struct listener *l);

/* Blocking connect for command-line tools and helpers, with a deadline. Returns
 * the descriptor or -1 with *err. */
int stream_connect_blocking(const char *address, int64_t timeout_ms, struct err *err);

#endif
