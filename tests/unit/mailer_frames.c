/* Frames between daemon and mailer, the fates, and the watch over STARTTLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channels/helper_mailer.h"

static const char *to[] = {"a@x.example", "b@x.example"};

static struct mailer_job
job(void)
{
        return (struct mailer_job){.host = "relay.example",
            .port = 587,
            .user = "u",
            .password = "p\xd0\xb0ss",
            .starttls = true,
            .envelope_from = "",
            .to = to,
            .n_to = 2,
            .bytes = "A: b\r\n\r\nx\r\n",
            .len = 11,
            .timeout_ms = 45000};
}

static void
test_a_job_there_and_back(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct mailer_job j = job(), got;
        struct err err = {0};

        (void)state;
        mailer_job_format(&j, &b);
        assert_int_equal(mailer_job_parse(b.data, b.len, a, &got, &err), 0);
        assert_string_equal(got.host, j.host);
        assert_int_equal(got.port, 587);
        assert_string_equal(got.password, j.password);
        assert_true(got.starttls);
        assert_string_equal(got.envelope_from, "");
        assert_int_equal(got.n_to, 2);
        assert_string_equal(got.to[1], to[1]);
        assert_int_equal(got.len, 11);
        assert_memory_equal(got.bytes, j.bytes, 11);
        assert_int_equal(got.timeout_ms, 45000);
        for (size_t n = 0; n < b.len; n++)
                assert_int_equal(mailer_job_parse(b.data, n, a, &got, &err), -1);
        buf_addc(&b, 'x');
        assert_int_equal(mailer_job_parse(b.data, b.len, a, &got, &err), -1);
}

static void
test_an_answer_there_and_back(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct mailer_job j = job();
        struct mailer_recipient r[] = {{to[0], MAIL_SENT, 250, "250 2.0.0 ok"},
            {to[1], MAIL_REFUSED, 550, "550 5.1.1 no\r\nsuch \x01user\xff"}};
        struct mailer_answer answer = {r, 2, true, "why"}, got;
        struct err err = {0};

        (void)state;
        mailer_answer_format(&answer, &b);
        assert_int_equal(mailer_answer_parse(b.data, b.len, &j, a, &got, &err), 0);
        assert_true(got.connected);
        assert_string_equal(got.why, "why");
        assert_string_equal(got.recipients[0].address, to[0]);
        assert_int_equal(got.recipients[0].fate, MAIL_SENT);
        assert_string_equal(
            got.recipients[1].reply, "550 5.1.1 no such user\xef\xbf\xbd");
        for (size_t n = 0; n < b.len; n++)
                assert_int_equal(mailer_answer_parse(b.data, n, &j, a, &got, &err), -1);
        buf_addc(&b, 'x');
        assert_int_equal(mailer_answer_parse(b.data, b.len, &j, a, &got, &err), -1);
}

static int
answer_of(enum mail_fate fate, int code, bool connected, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct mailer_job j = job();
        struct mailer_recipient r[3] = {{to[0], fate, code, ""},
            {to[1], MAIL_DEFERRED, 0, ""}, {to[0], MAIL_DEFERRED, 0, ""}};
        struct mailer_answer answer = {r, n, connected, ""}, got;

        mailer_answer_format(&answer, &b);
        return mailer_answer_parse(b.data, b.len, &j, a, &got, NULL);
}

/* A helper that was taken over cannot make us believe just anything. */
static void
test_answers_that_make_no_sense(void **state)
{
        (void)state;
        assert_int_equal(answer_of(MAIL_SENT, 250, true, 2), 0);
        assert_int_equal(answer_of(MAIL_SENT, 250, false, 2), -1);
        assert_int_equal(answer_of(MAIL_SENT, 550, true, 2), -1);
        assert_int_equal(answer_of(MAIL_SENT, 0, true, 2), -1);
        assert_int_equal(answer_of(MAIL_REFUSED, 450, true, 2), -1);
        assert_int_equal(answer_of(MAIL_DEFERRED, 70000, true, 2), -1);
        assert_int_equal(answer_of((enum mail_fate)7, 250, true, 2), -1);
        assert_int_equal(answer_of(MAIL_SENT, 250, true, 1), -1);
        assert_int_equal(answer_of(MAIL_SENT, 250, true, 3), -1);
        assert_int_equal(answer_of(MAIL_SENT, 250, true, 0), -1);
}

static void
test_long_words_are_cut(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT, words AUTO_BUF = BUF_INIT;
        struct mailer_job j = job();
        struct mailer_recipient r[2];
        struct mailer_answer answer = {r, 2, true, ""}, got;
        struct err err = {0};

        (void)state;
        for (int i = 0; i < 500; i++)
                buf_adds(&words, "\xd1\x91");
        r[0] = r[1] =
            (struct mailer_recipient){to[0], MAIL_DEFERRED, 451, buf_str(&words)};
        answer.why = buf_str(&words);
        mailer_answer_format(&answer, &b);
        assert_int_equal(mailer_answer_parse(b.data, b.len, &j, a, &got, &err), 0);
        assert_int_equal(strlen(got.recipients[0].reply), 200);
        assert_int_equal(strlen(got.why), 400);
}

/* ---- fates ---- */

static void
test_judge(void **state)
{
        static const struct {
                int sender, rcpt, message;
                enum mail_fate fate;
                int code;
        } rows[] = {
            {250, 250, 250, MAIL_SENT, 250},
            {250, 251, 250, MAIL_SENT, 250},
            {250, 550, 250, MAIL_REFUSED, 550}, /* the lie of PIPELINING */
            {250, 450, 250, MAIL_DEFERRED, 450},
            {250, 250, 554, MAIL_REFUSED, 554},
            {250, 250, 452, MAIL_DEFERRED, 452},
            {250, 250, 354, MAIL_DEFERRED, 0}, /* silence after the dot */
            {250, 250, 0, MAIL_DEFERRED, 0}, /* dropped */
            {250, 0, 250, MAIL_DEFERRED, 0},
            {0, 0, 0, MAIL_DEFERRED, 0},
            {552, 0, 0, MAIL_REFUSED, 552},
            {451, 0, 0, MAIL_DEFERRED, 451},
            {530, 0, 0, MAIL_DEFERRED, 530}, /* our login, not the mail */
            {250, 535, 0, MAIL_DEFERRED, 535},
        };

        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct mailer_words s = {rows[i].sender, "s"}, r = {rows[i].rcpt, "r"};
                struct mailer_words m = {rows[i].message, "m"};
                struct mailer_recipient out = {to[0], MAIL_SENT, -1, NULL};

                mailer_judge(&s, &r, &m, &out);
                assert_int_equal(out.fate, rows[i].fate);
                assert_int_equal(out.code, rows[i].code);
                assert_non_null(out.reply);
        }
}

/* ---- STARTTLS ---- */

static bool
clean(const char *const *steps)
{
        struct mailer_guard g = {0};

        for (size_t i = 0; steps[i] != NULL; i++) {
                if (steps[i][0] == '>')
                        mailer_guard_wrote(&g, steps[i] + 1, strlen(steps[i] + 1));
                else
                        mailer_guard_read(&g, steps[i], strlen(steps[i]));
        }
        return mailer_guard_is_clean(&g);
}

static void
test_guard(void **state)
{
        static const char *const good[][6] = {
            {"220 hi\r\n", ">STARTTLS\r\n", "220 go\r\n"},
            {">STARTTLS\r\n", "22", "0 go\r", "\n"},
            {">STARTTLS\r\n", "220-go\r\n", "220 on\r\n"},
            {">EHLO x\r\nSTARTTLS\r\n", "220\r\n"},
        };
        static const char *const bad[][6] = {
            {NULL},
            {">STARTTLS\r\n"},
            {"220 go\r\n", ">STARTTLS\r\n"}, /* it was there before it was asked for */
            {">STARTTLS\r\n", "220 go"},
            {">STARTTLS\r\n", "220 go\r\n250 ok\r\n"},
            {">STARTTLS\r\n", "220 go\r\n", "2"},
            {">STARTTLS\r\n", "220-go\r\n220 on\r\nx"},
            {">STARTTLS\r\n", "220-go\r\n"},
            {">STARTTLS\n", "220 go\r\n"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof *good; i++)
                assert_true(clean(good[i]));
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                assert_false(clean(bad[i]));
}

static void
test_guard_ends_with_tls(void **state)
{
        struct mailer_guard g = {0};

        (void)state;
        mailer_guard_wrote(&g, "STARTTLS\r\n", 10);
        mailer_guard_read(&g, "220 go\r\n", 8);
        assert_true(mailer_guard_is_clean(&g));
        mailer_guard_wrote(&g, "EHLO x\r\n", 8); /* inside TLS */
        mailer_guard_read(&g, "250-x\r\n250 AUTH PLAIN\r\n", 23);
        assert_false(g.injected);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_a_job_there_and_back),
            cmocka_unit_test(test_an_answer_there_and_back),
            cmocka_unit_test(test_answers_that_make_no_sense),
            cmocka_unit_test(test_long_words_are_cut),
            cmocka_unit_test(test_judge),
            cmocka_unit_test(test_guard),
            cmocka_unit_test(test_guard_ends_with_tls),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
