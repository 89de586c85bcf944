/*
 * Whole connections against the real server over a socket pair: the first byte says in
 * which pieces they come, the path of each request what the handlers do. However it
 * goes, every request is answered or told gone once, and the connection ends.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/http.h"
#include "daemon/base/http_impl.h"
#include "daemon/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct http *http;
static struct http_request *held; /* until the next turn */
static bool is_wanted; /* its body was asked for */
static int n_open; /* requests that passed on_header and have no end yet */
static uint64_t n_body; /* bytes of the one under way */

static void
must(bool ok)
{
        if (!ok)
                abort();
}

static void
answer(struct http_request *r)
{
        n_open--;
        http_add_header(r, "X-Path", "known");
        http_answer(r, 200, "text/plain", "ok", 2);
}

static int64_t
on_header(void *arg, struct http_request *r)
{
        (void)arg;
        n_open++;
        n_body = 0;
        must(n_open == 1 && http_path(r)[0] == '/');
        must(strcmp(http_client(r), "unknown") == 0);
        if (http_path(r)[1] == 'w') { /* its body comes later */
                held = r;
                is_wanted = false;
                return HTTP_LATER;
        }
        if (http_path(r)[1] != 'e')
                return 1000;
        answer(r);
        return HTTP_ANSWERED;
}

static int
on_body(void *arg, struct http_request *r, const char *p, size_t n)
{
        (void)arg;
        must(n > 0 && p != NULL && (n_body += n) <= 1000);
        if (http_path(r)[1] != 'm')
                return 0;
        answer(r);
        return -1;
}

static void
on_end(void *arg, struct http_request *r)
{
        (void)arg;
        if (http_path(r)[1] == 's') {
                http_stream_begin(r, 200, "text/event-stream");
                http_stream_write(r, ":\n", 2);
        }
        is_wanted = true;
        if (http_path(r)[1] == 'l' || http_path(r)[1] == 's')
                held = r;
        else
                answer(r);
}

static void
on_gone(void *arg, struct http_request *r)
{
        (void)arg;
        if (r == held)
                held = NULL;
        n_open--;
}

static void
start(void)
{
        static const struct http_handlers handlers = {.on_header = on_header,
            .on_body = on_body,
            .on_end = on_end,
            .on_gone = on_gone};
        static const char *const listen[] = {"127.0.0.1:0"};
        struct http_options o = {.listen = listen, .n_listen = 1};
        struct err err;

        log_set_level(LOG_LEVEL_ERROR);
        loop = loop_new();
        http = http_open(loop, &o, &handlers, NULL, &err);
        must(http != NULL);
}

static void
turn(int fd)
{
        char room[4096];

        loop_turn(loop, 0);
        if (held != NULL) {
                struct http_request *r = held;

                held = NULL;
                if (!is_wanted)
                        http_want(r, 1000);
                else if (http_path(r)[1] == 's') {
                        n_open--;
                        http_stream_write(r, "\n", 1);
                        http_stream_end(r);
                } else
                        answer(r);
        }
        while (recv(fd, room, sizeof room, MSG_DONTWAIT) > 0)
                ;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct peer peer = {.is_unix = true, .address = "?"};
        size_t piece, at = 1;
        int fd[2];

        if (http == NULL)
                start();
        if (size == 0 || size > 65536)
                return 0;
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
        http_conn_new(http, fd[1], &peer);
        piece = 1 + (size_t)data[0] * 8;
        while (at < size) {
                size_t k = size - at < piece ? size - at : piece;
                ssize_t sent = send(fd[0], data + at, k, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (sent == -1 && errno != EAGAIN)
                        break;
                at += sent > 0 ? (size_t)sent : 0;
                turn(fd[0]);
        }
        shutdown(fd[0], SHUT_WR);
        for (int i = 0; i < 2000 && http_connections(http) > 0; i++)
                turn(fd[0]);
        must(http_connections(http) == 0 && n_open == 0);
        close(fd[0]);
        return 0;
}
