/*
 * A gate with handlers that tell what they got, and a client beside it in the same
 * loop, for the tests base_http_*.c. cmocka.h comes before.
 */
#ifndef HELPLINE_TESTS_HTTP_CASE_H
#define HELPLINE_TESTS_HTTP_CASE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/http.h"
#include "daemon/base/log.h"
#include "daemon/base/loop.h"
#include "daemon/base/stream.h"

#define MB (1024 * 1024)

/* What the handlers keep of a request. */
struct job {
        uint64_t n_bytes;
        unsigned sum; /* of the bytes, by place */
};

static struct loop *loop;
static struct http *http;
static struct http_request *held; /* of /later */
static int n_header, n_end, n_gone;
static int64_t max_body;

/* ---- the handlers ---- */

__attribute__((unused)) static void
job_free(struct http_request *r)
{
        free(http_state(r));
}

__attribute__((unused)) static void
answer(struct http_request *r, int status, const char *text)
{
        job_free(r);
        http_answer(r, status, "text/plain", text, strlen(text));
}

__attribute__((unused)) static int64_t
on_header(void *arg, struct http_request *r)
{
        const char *path = http_path(r);

        (void)arg;
        n_header++;
        if (strcmp(path, "/early") == 0) {
                answer(r, 403, "early");
                return -1;
        }
        http_set_state(r, xcalloc(1, sizeof(struct job)));
        return strcmp(path, "/none") == 0 ? 0 : max_body;
}

__attribute__((unused)) static int
on_body(void *arg, struct http_request *r, const char *p, size_t n)
{
        struct job *j = http_state(r);

        (void)arg;
        for (size_t i = 0; i < n; i++)
                j->sum = j->sum * 31 + (unsigned char)p[i];
        j->n_bytes += n;
        if (strcmp(http_path(r), "/mid") != 0)
                return 0;
        answer(r, 422, "mid");
        return -1;
}

__attribute__((unused)) static void
on_end(void *arg, struct http_request *r)
{
        struct job *j = http_state(r);
        char text[400];

        (void)arg;
        n_end++;
        if (strcmp(http_path(r), "/later") == 0) {
                held = r;
                return;
        }
        if (strcmp(http_path(r), "/close") == 0) {
                http_close(&http);
                return;
        }
        if (strcmp(http_path(r), "/big") == 0) {
                char *big = xcalloc(1, 8 * MB);

                job_free(r);
                http_answer(r, 200, "text/plain", big, 8 * MB);
                free(big);
                return;
        }
        snprintf(text, sizeof text, "[%s?%s %llu %u %s%s]", http_path(r), http_query(r),
            (unsigned long long)j->n_bytes, j->sum, http_client(r),
            http_is_secure(r) ? " https" : "");
        http_add_header(r, "X-Mine", "yes");
        answer(r, 200, text);
}

__attribute__((unused)) static void
on_gone(void *arg, struct http_request *r)
{
        (void)arg;
        n_gone++;
        if (r == held)
                held = NULL;
        job_free(r);
}

static const struct http_handlers handlers = {
    .on_header = on_header, .on_body = on_body, .on_end = on_end, .on_gone = on_gone};

/* ---- set up ---- */

__attribute__((unused)) static void
start(const struct http_options *more)
{
        static const char *const listen[] = {"127.0.0.1:0"};
        struct http_options o = {0};
        struct err err;

        if (more != NULL)
                o = *more;
        o.listen = listen;
        o.n_listen = 1;
        http = http_open(loop, &o, &handlers, NULL, &err);
        assert_non_null(http);
}

__attribute__((unused)) static int
setup(void **state)
{
        (void)state;
        loop = loop_new();
        held = NULL;
        n_header = n_end = n_gone = 0;
        max_body = 25 * MB;
        return 0;
}

__attribute__((unused)) static int
teardown(void **state)
{
        (void)state;
        http_close(&http);
        loop_free(&loop);
        return 0;
}

/* ---- the client ---- */

__attribute__((unused)) static int
dial(void)
{
        struct sockaddr_in a = {.sin_family = AF_INET};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        a.sin_port = htons((uint16_t)atoi(strrchr(http_address(http), ':') + 1));
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
}

/* false: the server does not want it any more. */
__attribute__((unused)) static bool
send_n(int fd, const char *p, size_t n)
{
        while (n > 0) {
                ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

                if (k == -1 && errno != EAGAIN)
                        return false;
                if (k > 0) {
                        p += k;
                        n -= (size_t)k;
                }
                loop_turn(loop, k > 0 ? 0 : 1);
        }
        return true;
}

__attribute__((unused)) static void
say(int fd, const char *text)
{
        assert_true(send_n(fd, text, strlen(text)));
}

/* Reads until the end of file (true), the text is there, or ms are over. */
__attribute__((unused)) static bool
hear(int fd, struct buf *in, const char *until, int64_t ms)
{
        int64_t end = clock_read_mono_us() + ms * 1000;

        /* the server is ourselves: on a loaded machine time alone is no turn */
        for (int turns = 0; turns < 6 || clock_read_mono_us() < end; turns++) {
                char room[65536];
                ssize_t k;

                loop_turn(loop, 2);
                k = recv(fd, room, sizeof room, 0);
                if (k == 0 || (k == -1 && errno != EAGAIN))
                        return true;
                if (k > 0)
                        buf_add(in, room, (size_t)k);
                if (until != NULL && strstr(buf_str(in), until) != NULL)
                        return false;
        }
        return false;
}

__attribute__((unused)) static unsigned
count(const struct buf *b, const char *word)
{
        unsigned n = 0;

        for (const char *p = buf_str(b); (p = strstr(p, word)) != NULL; p++)
                n++;
        return n;
}

/* Says it on a connection of its own and hears all there is; the status of the last
 * answer, 0: none. *closed: the server ended the connection. */
__attribute__((unused)) static int
ask(const char *text, size_t n, struct buf *in, bool *closed)
{
        const char *last = NULL;
        int fd = dial();

        send_n(fd, text, n);
        *closed = hear(fd, in, "]", 60);
        if (!*closed)
                *closed = hear(fd, in, NULL, 20);
        close(fd);
        loop_turn(loop, 2);
        for (const char *p = buf_str(in); (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
                last = p;
        return last == NULL ? 0 : atoi(last + 9);
}

#define HOST "Host: a\r\n"

#endif
