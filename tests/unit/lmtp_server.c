/* The LMTP server over real sockets, with a host that settles when the test says. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "channels/email_lmtp.h"
#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/stream.h"

#define ARRIVALS_MAX 300

struct got { /* one arrival, copied */
        char account[64], from[64];
        char *bytes;
        size_t len;
        struct channel_token token;
        bool was_file;
};

struct play {
        struct loop *loop;
        struct lmtp *lmtp;
        struct channel_host host;
        struct got got[ARRIVALS_MAX];
        size_t n_got;
        const char *refuse; /* may_take: code, NULL yes */
        bool settle_inside; /* the first is settled while the second is delivered */
        char dir[32];
};

static const char *
account_of(void *arg, const char *address)
{
        (void)arg;
        if (strncmp(address, "help", 4) == 0)
                return "support@desk.example";
        if (strncmp(address, "support", 7) == 0)
                return "support@desk.example";
        if (strncmp(address, "sales", 5) == 0)
                return "sales@desk.example";
        return strncmp(address, "third", 5) == 0 ? "third@desk.example" : NULL;
}

static int
may_take(void *arg, struct err *err)
{
        struct play *p = arg;

        return p->refuse == NULL ? 0 : err_code(err, ERR_RETRY, p->refuse, "not now");
}

static void
deliver(void *arg, const struct arrival *a)
{
        struct play *p = arg;
        struct got *g = &p->got[p->n_got++];

        assert_true(p->n_got <= ARRIVALS_MAX);
        assert_true(a->has_envelope);
        snprintf(g->account, sizeof g->account, "%s", a->account);
        snprintf(g->from, sizeof g->from, "%s", a->envelope_from);
        g->token = a->token;
        g->len = a->len;
        g->bytes = xcalloc(1, a->len + 1);
        g->was_file = a->bytes == NULL;
        if (g->was_file)
                assert_int_equal(pread(a->fd, g->bytes, a->len, 0), a->len);
        else
                memcpy(g->bytes, a->bytes, a->len);
        if (p->settle_inside && p->n_got == 2)
                channel_settle(p->got[0].token, SETTLE_STORED, "", "");
}

static struct play *
play_new(const struct lmtp_options *more)
{
        static const char *listen[] = {"127.0.0.1:0"};
        struct play *p = xcalloc(1, sizeof *p);
        struct lmtp_options o = *more;
        struct err err = {0};
        char spool[64];

        log_set_level(LOG_LEVEL_ERROR);
        strcpy(p->dir, "/tmp/lmtp.XXXXXX");
        assert_non_null(mkdtemp(p->dir));
        snprintf(spool, sizeof spool, "%s/spool", p->dir);
        p->loop = loop_new();
        p->host = (struct channel_host){
            .arg = p, .account_of = account_of, .may_take = may_take, .deliver = deliver};
        o.listen = listen;
        o.n_listen = 1;
        o.spool_dir = spool;
        o.hostname = "desk.example";
        if (lmtp_open(p->loop, &o, &p->host, &p->lmtp, &err) == -1)
                fail_msg("%s", err.text);
        return p;
}

static void
play_free(struct play *p)
{
        char spool[64];

        lmtp_close(&p->lmtp);
        loop_free(&p->loop);
        for (size_t i = 0; i < p->n_got; i++)
                free(p->got[i].bytes);
        snprintf(spool, sizeof spool, "%s/spool", p->dir);
        assert_int_equal(rmdir(spool), 0); /* nothing is left there */
        rmdir(p->dir);
        free(p);
}

static int
client(struct play *p)
{
        struct err err = {0};
        int fd = stream_connect_blocking(lmtp_address(p->lmtp, 0), 1000, &err);

        if (fd == -1)
                fail_msg("%s", err.text);
        return fd;
}

static void
send_bytes(struct play *p, int fd, const char *s, size_t n)
{
        int64_t until = clock_read_mono_us() + 5000000;

        while (n > 0) {
                ssize_t done = send(fd, s, n, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (done > 0) {
                        s += done;
                        n -= (size_t)done;
                }
                loop_turn(p->loop, done > 0 ? 0 : 1);
                assert_true(clock_read_mono_us() < until);
        }
}

static void
tell(struct play *p, int fd, const char *s)
{
        send_bytes(p, fd, s, strlen(s));
}

/* The next reply line without CRLF; "" at the end of file; fails after 3 s. */
static const char *
reply(struct play *p, int fd)
{
        static char line[1024];
        int64_t until = clock_read_mono_us() + 3000000;
        size_t n = 0;

        for (;;) {
                ssize_t r = recv(fd, line + n, 1, MSG_DONTWAIT);

                if (r == 0 || (r == -1 && n == 0 && clock_read_mono_us() > until))
                        return r == 0 ? "" : "(silence)";
                if (r == -1) {
                        loop_turn(p->loop, 1);
                        continue;
                }
                if (line[n++] == '\n') {
                        assert_true(n >= 2 && line[n - 2] == '\r');
                        line[n - 2] = '\0';
                        return line;
                }
                assert_true(n < sizeof line);
        }
}

#define expect(p, fd, begin)                                                             \
        do {                                                                             \
                const char *is = reply(p, fd);                                           \
                if (strncmp(is, begin, strlen(begin)) != 0)                              \
                        fail_msg("line %d: expected %s, got %s", __LINE__, begin, is);   \
        } while (0)

#define expect_end(p, fd) assert_string_equal(reply(p, fd), "")

/* Nothing more is said for a while. */
static void
expect_silence(struct play *p, int fd)
{
        char c;

        for (int i = 0; i < 20; i++)
                loop_turn(p->loop, 1);
        assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
}

static int
hello(struct play *p)
{
        int fd = client(p);

        expect(p, fd, "220 desk.example LMTP");
        tell(p, fd, "LHLO me\r\n");
        expect(p, fd, "250-desk.example");
        expect(p, fd, "250-PIPELINING");
        expect(p, fd, "250-8BITMIME");
        expect(p, fd, "250-ENHANCEDSTATUSCODES");
        expect(p, fd, "250 SIZE ");
        return fd;
}

/* A mail up to its data, for these recipients (one line each). */
static void
envelope(struct play *p, int fd, const char *const *to, size_t n)
{
        char line[400];

        tell(p, fd, "MAIL FROM:<anna@customer.example> BODY=8BITMIME\r\n");
        expect(p, fd, "250 2.1.0");
        for (size_t i = 0; i < n; i++) {
                snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", to[i]);
                tell(p, fd, line);
                expect(p, fd, "250 2.1.5");
        }
        tell(p, fd, "DATA\r\n");
        expect(p, fd, "354 ");
}

static void
wait_arrivals(struct play *p, size_t n)
{
        for (int i = 0; i < 60000 && p->n_got < n; i++)
                loop_turn(p->loop, 1);
        assert_int_equal(p->n_got, n);
}

static const struct lmtp_options usual = {.max_message = 1000000};

static void
test_answers_come_in_order_of_recipients(void **state)
{
        static const char *const to[] = {"support@x", "sales@x", "third@x"};
        struct play *p = play_new(&usual);
        int fd = hello(p);

        (void)state;
        envelope(p, fd, to, 3);
        tell(p, fd, "Subject: x\r\n\r\n..dot\r\n.\r\nNOOP\r\n");
        wait_arrivals(p, 3);
        assert_string_equal(p->got[0].bytes, "Subject: x\r\n\r\n.dot\r\n");
        assert_string_equal(p->got[1].account, "sales@desk.example");
        assert_string_equal(p->got[0].from, "anna@customer.example");
        channel_settle(p->got[2].token, SETTLE_FULL, "disk low", "");
        expect_silence(p, fd);
        channel_settle(p->got[1].token, SETTLE_LATER, "store away", "");
        channel_settle(p->got[1].token, SETTLE_STORED, "", ""); /* once is enough */
        expect_silence(p, fd);
        channel_settle(p->got[0].token, SETTLE_QUARANTINED, "odd", "");
        expect(p, fd, "250 2.0.0 kept");
        expect(p, fd, "451 4.3.0 not taken, try again later: store away");
        expect(p, fd, "452 4.3.1 no room, try again later: disk low");
        expect(p, fd, "250 2.0.0 nothing done"); /* what was pipelined behind */
        close(fd);
        play_free(p);
}

static void
test_one_arrival_an_account(void **state)
{
        static const char *const to[] = {"support@x", "help@x", "sales@x", "support@x"};
        struct play *p = play_new(&usual);
        int fd = hello(p);

        (void)state;
        p->settle_inside = true;
        envelope(p, fd, to, 4);
        tell(p, fd, "a\r\n.\r\n");
        wait_arrivals(p, 2);
        expect(p, fd, "250 2.0.0 stored");
        expect(p, fd, "250 2.0.0 stored");
        expect_silence(p, fd);
        channel_settle(p->got[1].token, SETTLE_DUPLICATE, "", "");
        expect(p, fd, "250 2.0.0 stored before");
        expect(p, fd, "250 2.0.0 stored");
        close(fd);
        play_free(p);
}

static void
test_sequence_and_refusals(void **state)
{
        struct play *p = play_new(&usual);
        int fd = client(p);

        (void)state;
        expect(p, fd, "220 ");
        tell(p, fd, "MAIL FROM:<a@b>\r\nHELO x\r\nEHLO x\r\nLHLO x\r\n");
        expect(p, fd, "503 5.5.1");
        expect(p, fd, "500 5.5.1 this is LMTP");
        expect(p, fd, "500 5.5.1 this is LMTP");
        for (int i = 0; i < 5; i++)
                expect(p, fd, "250");
        tell(p, fd, "RCPT TO:<support@x>\r\nDATA\r\nMAIL FROM:<> SIZE=1000001\r\n");
        expect(p, fd, "503 5.5.1");
        expect(p, fd, "503 5.5.1");
        expect(p, fd, "552 5.3.4");
        p->refuse = "452";
        tell(p, fd, "MAIL FROM:<>\r\n");
        expect(p, fd, "452 4.3.1 not now");
        p->refuse = "451";
        tell(p, fd, "MAIL FROM:<>\r\n");
        expect(p, fd, "451 4.3.0 not now");
        p->refuse = NULL;
        tell(p, fd, "MAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\nRCPT TO:<nobody@x>\r\n");
        expect(p, fd, "250 2.1.0");
        expect(p, fd, "503 5.5.1");
        expect(p, fd, "503 5.5.1 no recipient");
        expect(p, fd, "550 5.1.1");
        tell(p, fd, "RSET\r\nRCPT TO:<support@x>\r\nVRFY x\r\nHELP\r\nQUIT\r\n");
        expect(p, fd, "250 2.0.0");
        expect(p, fd, "503 5.5.1");
        expect(p, fd, "252");
        expect(p, fd, "214");
        expect(p, fd, "221 2.0.0");
        expect_end(p, fd);
        close(fd);
        play_free(p);
}

static void
test_limits_of_recipients_and_errors(void **state)
{
        struct lmtp_options o = {.max_recipients = 2};
        struct play *p = play_new(&o);
        int fd = hello(p);

        (void)state;
        tell(p, fd, "MAIL FROM:<>\r\n");
        expect(p, fd, "250");
        tell(p, fd, "RCPT TO:<support@x>\r\nRCPT TO:<sales@x>\r\nRCPT TO:<third@x>\r\n");
        expect(p, fd, "250");
        expect(p, fd, "250");
        expect(p, fd, "452 4.5.3");
        for (int i = 0; i < 20; i++) {
                tell(p, fd, "WHAT\r\n");
                expect(p, fd, "500 5.5.2 unknown command 'WHAT'");
        }
        expect(p, fd, "421 4.7.0");
        expect_end(p, fd);
        close(fd);
        play_free(p);
}

static void
closes(struct play *p, const char *bytes, size_t n, const char *with)
{
        int fd = hello(p);

        send_bytes(p, fd, bytes, n);
        expect(p, fd, with);
        expect_end(p, fd);
        close(fd);
}

static void
test_bad_lines_close(void **state)
{
        struct play *p = play_new(&usual);
        char *longish = xcalloc(1, 3000);

        (void)state;
        closes(p, "NOOP\n", 5, "500 5.5.2");
        closes(p, "NO\rOP\r\n", 7, "500 5.5.2");
        closes(p, "NO\0P\r\n", 6, "500 5.5.2");
        memset(longish, 'x', 3000);
        closes(p, longish, 3000, "500 5.5.2 the line is too long");
        free(longish);
        play_free(p);
}

static void
test_no_smuggling(void **state)
{
        static const char *const to[] = {"support@x"};
        struct play *p = play_new(&usual);
        int fd = hello(p);

        (void)state;
        envelope(p, fd, to, 1);
        tell(p, fd,
            "one\n.\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<sales@x>\r\nDATA\r\ntwo\r\n.\r\n");
        wait_arrivals(p, 1);
        assert_string_equal(p->got[0].bytes,
            "one\n.\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<sales@x>\r\nDATA\r\ntwo\r\n");
        channel_settle(p->got[0].token, SETTLE_STORED, "", "");
        expect(p, fd, "250");
        expect_silence(p, fd);
        close(fd);
        play_free(p);
}

static void
test_large_mail_spools_and_too_large_is_refused(void **state)
{
        static const char *const to[] = {"support@x", "sales@x"};
        struct lmtp_options o = {.max_message = 600000};
        struct play *p = play_new(&o);
        char *big = xcalloc(1, 700001);
        int fd = hello(p);

        (void)state;
        for (size_t i = 0; i < 700000; i++)
                big[i] = i % 80 == 78 ? '\r' : i % 80 == 79 ? '\n' : (char)('a' + i % 23);
        envelope(p, fd, to, 2);
        send_bytes(p, fd, big, 560000);
        tell(p, fd, ".\r\n");
        wait_arrivals(p, 2);
        assert_true(p->got[0].was_file);
        assert_int_equal(p->got[1].len, 560000);
        assert_memory_equal(p->got[1].bytes, big, 560000);
        channel_settle(p->got[0].token, SETTLE_STORED, "", "");
        channel_settle(p->got[1].token, SETTLE_STORED, "", "");
        expect(p, fd, "250");
        expect(p, fd, "250");
        envelope(p, fd, to, 2);
        send_bytes(p, fd, big, 700000);
        tell(p, fd, "\r\n.\r\nNOOP\r\n");
        expect(p, fd, "552 5.3.4");
        expect(p, fd, "552 5.3.4");
        expect(p, fd, "250 2.0.0");
        assert_int_equal(p->n_got, 2);
        free(big);
        close(fd);
        play_free(p);
}

static void
test_each_state_has_its_deadline(void **state)
{
        static const char *const to[] = {"support@x", "sales@x"};
        struct lmtp_options o = {
            .command_ms = 60, .data_ms = 60, .total_ms = 150, .settle_ms = 60};
        struct play *p = play_new(&o);
        int fd = client(p);

        (void)state;
        expect(p, fd, "220");
        tell(p, fd, "LHLO");
        expect(p, fd, "421 4.4.2 no command");
        expect_end(p, fd);
        close(fd);

        fd = hello(p);
        envelope(p, fd, to, 1);
        expect(p, fd, "421 4.4.2 the mail");
        expect_end(p, fd);
        close(fd);

        fd = hello(p); /* a byte now and then does not help for ever */
        envelope(p, fd, to, 1);
        for (int i = 0; i < 40; i++) {
                send(fd, "x", 1, MSG_NOSIGNAL);
                usleep(5000);
                loop_turn(p->loop, 1);
        }
        expect(p, fd, "421 4.4.2 the mail");
        close(fd);

        fd = hello(p); /* unsettled: 451, and what comes later is stale */
        envelope(p, fd, to, 2);
        tell(p, fd, "x\r\n.\r\n");
        wait_arrivals(p, 2);
        channel_settle(p->got[1].token, SETTLE_STORED, "", "");
        expect(p, fd, "451 4.3.0");
        expect(p, fd, "250 2.0.0");
        channel_settle(p->got[0].token, SETTLE_STORED, "", "");
        tell(p, fd, "QUIT\r\n");
        expect(p, fd, "221");
        close(fd);
        play_free(p);
}

static void
test_a_client_gone_leaves_a_stale_token(void **state)
{
        static const char *const to[] = {"support@x"};
        struct play *p = play_new(&usual);
        int fd = hello(p);

        (void)state;
        envelope(p, fd, to, 1);
        tell(p, fd, "x\r\n.\r\n");
        wait_arrivals(p, 1);
        {
                struct linger now = {1, 0}; /* a reset, not an end of file */

                setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
                close(fd);
        }
        for (int i = 0; i < 60000 && lmtp_connections(p->lmtp) > 0; i++)
                loop_turn(p->loop, 1);
        assert_int_equal(lmtp_connections(p->lmtp), 0);
        channel_settle(p->got[0].token, SETTLE_STORED, "", "");

        fd = hello(p); /* half a mail, then gone: nothing of it counts */
        envelope(p, fd, to, 1);
        tell(p, fd, "x\r\n.\r");
        close(fd);
        for (int i = 0; i < 60000 && lmtp_connections(p->lmtp) > 0; i++)
                loop_turn(p->loop, 1);
        assert_int_equal(lmtp_connections(p->lmtp), 0);
        assert_int_equal(p->n_got, 1);
        play_free(p);
}

static void
test_all_at_once_then_end_of_file(void **state)
{
        struct play *p = play_new(&usual);
        int fd = client(p);

        (void)state;
        expect(p, fd, "220");
        tell(p, fd,
            "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<support@x>\r\nDATA\r\n"
            "one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<sales@x>\r\nDATA\r\ntwo\r\n.\r\n");
        shutdown(fd, SHUT_WR);
        for (int i = 0; i < 5 + 2; i++)
                expect(p, fd, "250");
        expect(p, fd, "354");
        wait_arrivals(p, 1);
        channel_settle(p->got[0].token, SETTLE_STORED, "", "");
        expect(p, fd, "250 2.0.0");
        expect(p, fd, "250 2.1.0");
        expect(p, fd, "250 2.1.5");
        expect(p, fd, "354");
        wait_arrivals(p, 2);
        channel_settle(p->got[1].token, SETTLE_STORED, "", "");
        expect(p, fd, "250 2.0.0");
        expect_end(p, fd);
        close(fd);
        play_free(p);
}

static void
test_connections_are_limited(void **state)
{
        struct lmtp_options o = {.max_connections = 2};
        struct play *p = play_new(&o);
        int a = hello(p), b = hello(p), c = client(p);

        (void)state;
        expect(p, c, "421 4.3.2");
        expect_end(p, c);
        close(a);
        close(c);
        for (int i = 0; i < 60000 && lmtp_connections(p->lmtp) > 1; i++)
                loop_turn(p->loop, 1);
        c = hello(p);
        close(b);
        close(c);
        play_free(p);
}

static size_t
n_descriptors(void)
{
        size_t n = 0;

        for (int fd = 0; fd < 1024; fd++)
                n += fcntl(fd, F_GETFD) != -1;
        return n;
}

/* Connections over the limit hold no descriptor here, though the client keeps them. */
static void
test_a_flood_holds_no_descriptors(void **state)
{
        struct lmtp_options o = {.max_connections = 2};
        struct play *p = play_new(&o);
        int a = hello(p), b = hello(p), flood[50];
        size_t before = n_descriptors();

        (void)state;
        for (size_t i = 0; i < 50; i++)
                flood[i] = client(p);
        for (int i = 0; i < 50; i++)
                loop_turn(p->loop, 1);
        assert_int_equal(n_descriptors(), before + 50);
        for (size_t i = 0; i < 50; i++)
                close(flood[i]);
        close(a);
        close(b);
        play_free(p);
}

static void
test_drain_lets_end_what_is_under_way(void **state)
{
        static const char *const to[] = {"support@x"};
        struct play *p = play_new(&usual);
        int idle = hello(p), busy = hello(p);

        (void)state;
        envelope(p, busy, to, 1);
        tell(p, busy, "half ");
        lmtp_drain(p->lmtp);
        expect(p, idle, "421 4.3.2");
        expect_end(p, idle);
        tell(p, busy, "a mail\r\n.\r\nMAIL FROM:<>\r\n");
        wait_arrivals(p, 1);
        channel_settle(p->got[0].token, SETTLE_STORED, "", "");
        expect(p, busy, "250 2.0.0");
        expect(p, busy, "421 4.3.2");
        expect_end(p, busy);
        assert_int_equal(lmtp_connections(p->lmtp), 0);
        close(idle);
        close(busy);
        play_free(p);
}

static void
test_a_client_that_never_reads_is_not_served_for_ever(void **state)
{
        struct lmtp_options o = {.command_ms = 200};
        struct play *p = play_new(&o);
        int fd = hello(p), small = 4096;

        (void)state;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        for (int i = 0; i < 60000 && lmtp_connections(p->lmtp) > 0; i++) {
                static const char noops[] = "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n"
                                            "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n";
                ssize_t n;

                for (int k = 0; k < 100; k++) {
                        n = send(
                            fd, noops, sizeof noops - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
                        if (n != (ssize_t)sizeof noops - 1)
                                break;
                }
                loop_turn(p->loop, 1);
        }
        assert_int_equal(lmtp_connections(p->lmtp), 0);
        close(fd);
        play_free(p);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_answers_come_in_order_of_recipients),
            cmocka_unit_test(test_one_arrival_an_account),
            cmocka_unit_test(test_sequence_and_refusals),
            cmocka_unit_test(test_limits_of_recipients_and_errors),
            cmocka_unit_test(test_bad_lines_close),
            cmocka_unit_test(test_no_smuggling),
            cmocka_unit_test(test_large_mail_spools_and_too_large_is_refused),
            cmocka_unit_test(test_each_state_has_its_deadline),
            cmocka_unit_test(test_a_client_gone_leaves_a_stale_token),
            cmocka_unit_test(test_all_at_once_then_end_of_file),
            cmocka_unit_test(test_connections_are_limited),
            cmocka_unit_test(test_a_flood_holds_no_descriptors),
            cmocka_unit_test(test_drain_lets_end_what_is_under_way),
            cmocka_unit_test(test_a_client_that_never_reads_is_not_served_for_ever),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
