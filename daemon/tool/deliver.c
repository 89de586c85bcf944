/*
 * helpline deliver ADDRESS: mail on standard input, for pipes of mail servers.
 *
 * Speaks LMTP to the daemon and exits as sysexits.h says, so the mail server
 * keeps the mail and tries again (75) until it is stored. Lines may end in LF or
 * CRLF; a leading mbox "From " line is dropped.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/config.h"
#include "daemon/base/buf.h"
#include "daemon/base/stream.h"
#include "daemon/model/message.h"
#include "daemon/tool/mail.h"
#include "daemon/tool/tool.h"

#define MAX_MAIL (25 << 20)
#define ANSWER_MS 90000
#define MAX_ANSWER 65536
#define CONNECT_MS 10000

struct lmtp_talk {
        int fd;
        struct buf in;
        char reply[600]; /* the last line of the last answer */
};

static int
mail_read(struct buf *b)
{
        for (;;) {
                ssize_t n = read(STDIN_FILENO, buf_reserve(b, 65536), 65536);

                if (n == -1 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n == 0 ? EX_OK : EX_IOERR;
                b->len += (size_t)n;
                b->data[b->len] = '\0';
                if (b->len > MAX_MAIL)
                        return EX_DATAERR;
        }
}

static int
talk_send(struct lmtp_talk *t, const char *p, size_t n)
{
        while (n > 0) {
                ssize_t did = write(t->fd, p, n);

                if (did == -1 && errno == EAGAIN) {
                        struct pollfd pfd = {t->fd, POLLOUT, 0};

                        if (poll(&pfd, 1, ANSWER_MS) <= 0)
                                return -1;
                        continue;
                }
                if (did == -1 && errno != EINTR)
                        return -1;
                p += did > 0 ? did : 0;
                n -= did > 0 ? (size_t)did : 0;
        }
        return 0;
}

/* The next answer's code, 0 when the daemon is gone. */
static int
talk_answer(struct lmtp_talk *t)
{
        for (;;) {
                const char *nl =
                    t->in.len == 0 ? NULL : memchr(t->in.data, '\n', t->in.len);
                struct pollfd pfd = {t->fd, POLLIN, 0};
                ssize_t n;

                if (nl != NULL) {
                        size_t len = (size_t)(nl - t->in.data);
                        bool more = len > 3 && t->in.data[3] == '-';

                        snprintf(t->reply, sizeof t->reply, "%.*s",
                            (int)(len > 0 && nl[-1] == '\r' ? len - 1 : len), t->in.data);
                        buf_consume(&t->in, len + 1);
                        if (!more)
                                return (int)strtol(t->reply, NULL, 10);
                        continue;
                }
                if (t->in.len > MAX_ANSWER || poll(&pfd, 1, ANSWER_MS) <= 0)
                        return 0;
                n = read(t->fd, buf_reserve(&t->in, 4096), 4096);
                if (n <= 0)
                        return 0;
                t->in.len += (size_t)n;
                t->in.data[t->in.len] = '\0';
        }
}

static int
talk_line(struct lmtp_talk *t, const char *line)
{
        if (line != NULL && talk_send(t, line, strlen(line)) == -1)
                return 0;
        return talk_answer(t);
}

static int
exit_code(const struct lmtp_talk *t, int code)
{
        if (code / 100 == 2 || code == 354)
                return EX_OK;
        fprintf(stderr, "helpline: %s\n",
            code == 0 ? "helplined has closed the connection, try again later"
                      : t->reply);
        if (code == 550)
                return EX_NOUSER;
        return code / 100 == 5 ? EX_DATAERR : EX_TEMPFAIL;
}

static int
talk_deliver(struct lmtp_talk *t, struct arena *a, const char *from, const char *to,
    const struct buf *mail)
{
        const char *lines[] = {NULL, "LHLO localhost\r\n",
            arena_printf(a, "MAIL FROM:<%s>\r\n", from),
            arena_printf(a, "RCPT TO:<%s>\r\n", to), "DATA\r\n"};
        int code;

        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
                code = exit_code(t, talk_line(t, lines[i]));
                if (code != EX_OK)
                        return code;
        }
        if (talk_send(t, mail->data, mail->len) == -1)
                return exit_code(t, 0);
        code = exit_code(t, talk_answer(t));
        talk_send(t, "QUIT\r\n", 6);
        return code;
}

int
mail_deliver(const struct tool *t, const char *to, const char *from, const char *mail,
    size_t len, char reply[600])
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf stuffed AUTO_BUF = BUF_INIT;
        struct lmtp_talk talk = {.in = BUF_INIT};
        const char *address;
        struct err err;
        int code;

        if (config_find_lmtp(t->client.file, a, &address, &err) == -1)
                return tool_fail(EX_TEMPFAIL, "%s", err.text);
        talk.fd = stream_connect_blocking(address, CONNECT_MS, &err);
        if (talk.fd == -1)
                return tool_fail(EX_TEMPFAIL,
                    "cannot reach helplined on %s (is it running?): %s", address,
                    err.text);
        mail_stuff(mail, len, &stuffed);
        code = talk_deliver(&talk, a, from, to, &stuffed);
        close(talk.fd);
        buf_fini(&talk.in);
        memcpy(reply, talk.reply, sizeof talk.reply);
        return code;
}

int
verb_deliver(struct tool *t, int argc, char **argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf raw AUTO_BUF = BUF_INIT;
        const char *sender = t->sender != NULL ? t->sender : getenv("SENDER");
        char reply[600];
        int code;

        if (argc != 2 || !address_is_safe(argv[1])) {
                fputs("usage: helpline deliver [-f SENDER] ADDRESS < MAIL\n", stderr);
                return EX_USAGE;
        }
        code = mail_read(&raw);
        if (code != EX_OK)
                return tool_fail(code, code == EX_DATAERR
                                           ? "the mail is larger than 25 MB"
                                           : "cannot read standard input");
        if (raw.len == 0)
                return tool_fail(EX_DATAERR, "there is no mail on standard input");
        return mail_deliver(t, argv[1], mail_sender(sender, buf_str(&raw), a),
            buf_str(&raw), raw.len, reply);
}
