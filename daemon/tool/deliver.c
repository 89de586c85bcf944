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
#include "daemon/tool/tool.h"

#define MAX_MAIL (25 << 20)
#define ANSWER_MS 90000
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

/* CRLF line ends and dots doubled; without a leading "From " line. */
static void
mail_stuff(const char *p, size_t n, struct buf *out)
{
        const char *end = p + n;

        if (n > 5 && memcmp(p, "From ", 5) == 0) {
                const char *nl = memchr(p, '\n', n);

                p = nl == NULL ? end : nl + 1;
        }
        while (p < end) {
                const char *nl = memchr(p, '\n', (size_t)(end - p));
                const char *stop = nl == NULL ? end : nl;
                size_t len = (size_t)(stop - p);

                if (nl != NULL && len > 0 && p[len - 1] == '\r')
                        len--;
                if (len > 0 && *p == '.')
                        buf_addc(out, '.');
                buf_add(out, p, len);
                buf_adds(out, "\r\n");
                p = nl == NULL ? end : nl + 1;
        }
        buf_adds(out, ".\r\n");
}

/* The address in a header of the top, "<a@b>" or "a@b"; "" when there is none. */
static const char *
mail_header_address(const char *mail, const char *name, struct arena *a)
{
        const char *p = mail;
        size_t n = strlen(name);

        while (*p != '\0' && *p != '\n' && !(p[0] == '\r' && p[1] == '\n')) {
                size_t len = strcspn(p, "\r\n");

                if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
                        const char *value = arena_strndup(a, p + n + 1, len - n - 1);
                        const char *open = strrchr(value, '<');

                        return arena_strndup(a,
                            open != NULL ? open + 1 : value + strspn(value, " \t"),
                            strcspn(
                                open != NULL ? open + 1 : value + strspn(value, " \t"),
                                "> \t"));
                }
                p += len;
                p += *p == '\r';
                p += *p == '\n';
        }
        return "";
}

/* The envelope's sender: -f, $SENDER, the From_ line, Return-Path, From. */
static const char *
mail_sender(const struct tool *t, const char *mail, struct arena *a)
{
        const char *s = t->sender != NULL ? t->sender : getenv("SENDER");

        if (s == NULL && strncmp(mail, "From ", 5) == 0)
                s = arena_strndup(a, mail + 5, strcspn(mail + 5, " \r\n"));
        if (s == NULL && *(s = mail_header_address(mail, "Return-Path", a)) == '\0')
                s = mail_header_address(mail, "From", a);
        return address_is_safe(s) ? s : "";
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
                                return atoi(t->reply);
                        continue;
                }
                if (poll(&pfd, 1, ANSWER_MS) <= 0)
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
verb_deliver(struct tool *t, int argc, char **argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf raw AUTO_BUF = BUF_INIT, stuffed AUTO_BUF = BUF_INIT;
        struct lmtp_talk talk = {.in = BUF_INIT};
        const char *address;
        struct err err;
        int code;

        if (argc != 2 || !address_is_safe(argv[1])) {
                fputs("usage: helpline deliver [-f SENDER] ADDRESS < MAIL\n", stderr);
                return EX_USAGE;
        }
        if (config_find_lmtp(t->client.file, a, &address, &err) == -1)
                return tool_fail(EX_TEMPFAIL, "%s", err.text);
        code = mail_read(&raw);
        if (code != EX_OK)
                return tool_fail(code, code == EX_DATAERR
                                           ? "the mail is larger than 25 MB"
                                           : "cannot read standard input");
        mail_stuff(buf_str(&raw), raw.len, &stuffed);
        talk.fd = stream_connect_blocking(address, CONNECT_MS, &err);
        if (talk.fd == -1)
                return tool_fail(EX_TEMPFAIL, "%s", err.text);
        code =
            talk_deliver(&talk, a, mail_sender(t, buf_str(&raw), a), argv[1], &stuffed);
        close(talk.fd);
        buf_fini(&talk.in);
        return code;
}
