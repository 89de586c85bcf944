/* The tool's side of the agent protocol; see client.h. */
#include "daemon/tool/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/stream.h"

#define CONNECT_MS 5000
#define MAX_ANSWER (64 << 20)

struct client {
        int fd;
        int64_t timeout_ms;
        bool trace;
        struct buf in; /* read and not yet parsed */
};

static int
client_write(struct client *c, const char *p, size_t n, struct err *err)
{
        while (n > 0) {
                struct pollfd pfd = {c->fd, POLLOUT, 0};
                ssize_t did;

                if (poll(&pfd, 1, (int)c->timeout_ms) <= 0)
                        return err_set(err, ERR_UNSURE, "the daemon does not read");
                did = write(c->fd, p, n);
                if (did == -1 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (did == -1)
                        return err_errno(err, ERR_UNSURE, errno, "the daemon is gone");
                p += did;
                n -= (size_t)did;
        }
        return 0;
}

static int
client_read(struct client *c, int64_t timeout_ms, struct err *err)
{
        struct pollfd pfd = {c->fd, POLLIN, 0};
        ssize_t n;
        int rc;

        do
                rc = poll(&pfd, 1, (int)timeout_ms);
        while (rc == -1 && errno == EINTR);
        if (rc == 0)
                return err_set(err, ERR_UNSURE, "no answer within %lld s",
                    (long long)timeout_ms / 1000);
        n = read(c->fd, buf_reserve(&c->in, 65536), 65536);
        if (n == -1 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n <= 0)
                return err_set(err, ERR_UNSURE, "the daemon has closed the connection");
        c->in.len += (size_t)n;
        c->in.data[c->in.len] = '\0';
        return 0;
}

int
client_next(struct client *c, int64_t timeout_ms, struct arena *a, struct resp_value *out,
    struct err *err)
{
        for (;;) {
                long n =
                    resp_value_parse(buf_str(&c->in), c->in.len, MAX_ANSWER, a, out, err);

                if (n > 0) {
                        buf_consume(&c->in, (size_t)n);
                        return 0;
                }
                if (n < 0 || client_read(c, timeout_ms, err) == -1)
                        return -1;
        }
}

/* One word, as redis-cli would take it. */
static void
trace_word(struct buf *b, const char *s)
{
        bool plain = *s != '\0' && strpbrk(s, " \"'\\\n\r\t") == NULL;

        buf_addc(b, ' ');
        if (!plain)
                buf_addc(b, '"');
        for (; *s != '\0'; s++)
                if (*s == '\n')
                        buf_adds(b, "\\n");
                else if (*s == '"' || *s == '\\')
                        buf_addf(b, "\\%c", *s);
                else
                        buf_addc(b, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
        if (!plain)
                buf_addc(b, '"');
}

static void
trace(int argc, const char *const *argv)
{
        bool secret = strcmp(argv[0], "AUTH") == 0 || strcmp(argv[0], "HELLO") == 0;
        struct buf b AUTO_BUF = BUF_INIT;

        for (int i = 0; i < argc; i++)
                trace_word(&b, secret && i > 0 ? "********" : argv[i]);
        fprintf(stderr, ">%s\n", buf_str(&b));
}

int
client_call(struct client *c, int argc, const char *const *argv, struct arena *a,
    struct resp_value *out, struct err *err)
{
        return client_call_within(c, c->timeout_ms, argc, argv, a, out, err);
}

int
client_fd(const struct client *c)
{
        return c->fd;
}

bool
client_has_answer(struct client *c)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;

        return c->in.len > 0 &&
               resp_value_parse(buf_str(&c->in), c->in.len, MAX_ANSWER, a, &v, NULL) != 0;
}

int
client_call_within(struct client *c, int64_t timeout_ms, int argc,
    const char *const *argv, struct arena *a, struct resp_value *out, struct err *err)
{
        struct resp_arg *args = arena_alloc(a, (size_t)argc * sizeof *args);
        struct buf b AUTO_BUF = BUF_INIT;

        for (int i = 0; i < argc; i++) {
                args[i].s = argv[i];
                args[i].len = strlen(argv[i]);
        }
        if (c->trace)
                trace(argc, argv);
        resp_request_format(&b, argc, args);
        if (client_write(c, b.data, b.len, err) == -1)
                return -1;
        return client_next(c, timeout_ms, a, out, err);
}

static int
client_address(const struct client_options *o, struct arena *a, const char **address,
    int *code, struct err *err)
{
        if (o->server != NULL) {
                *address = o->server;
                if (o->token != NULL)
                        return 0;
                *code = TOOL_NO_LOGIN;
                return err_set(err, ERR_CONFIG,
                    "--server needs a token in $HELPLINE_TOKEN "
                    "(made by: helpline agent token NAME)");
        }
        *code = TOOL_USAGE;
        return config_find_socket(o->file, a, address, err);
}

static int
client_login(struct client *c, const char *token, int *code, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *argv[] = {"AUTH", token};
        struct resp_value v;

        *code = TOOL_AWAY;
        if (client_call(c, 2, argv, a, &v, err) == -1)
                return -1;
        if (v.type != RESP_ERROR)
                return 0;
        *code = TOOL_NO_LOGIN;
        return err_set(err, ERR_REJECT, "%.*s", (int)v.len, v.s);
}

struct client *
client_open(const struct client_options *o, int *code, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct client *c;
        const char *address;
        int fd;

        if (client_address(o, a, &address, code, err) == -1)
                return NULL;
        *code = TOOL_AWAY;
        fd = stream_connect_blocking(
            address, o->connect_ms > 0 ? o->connect_ms : CONNECT_MS, err);
        if (fd == -1) {
                err_prefix(err, "cannot reach helplined on %s (is it running?)", address);
                return NULL;
        }
        c = xcalloc(1, sizeof *c);
        c->fd = fd;
        c->timeout_ms = o->timeout_ms;
        c->trace = o->trace;
        if (o->token != NULL && client_login(c, o->token, code, err) == -1)
                client_close(&c);
        return c;
}

void
client_close(struct client **cp)
{
        struct client *c = *cp;

        if (c == NULL)
                return;
        close(c->fd);
        buf_fini(&c->in);
        free(c);
        *cp = NULL;
}
