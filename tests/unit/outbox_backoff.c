/* The outbox's pure part: back-off, fates, and what an entry looks like as a mail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "channels/email_id.h"
#include "daemon/outbox.h"
#include "daemon/outbox_mail.h"

#define MINUTE 60000LL
#define DAY (24 * 60 * MINUTE)

static void
test_backoff(void **state)
{
        static const int64_t minutes[] = {1, 2, 5, 15, 60, 240, 240, 240};

        (void)state;
        for (unsigned i = 0; i < 8; i++)
                assert_int_equal(outbox_backoff_ms(i + 1, 0), minutes[i] * MINUTE);
        assert_int_equal(outbox_backoff_ms(0, 0), MINUTE);
        assert_int_equal(outbox_backoff_ms(4000000000u, 0), 240 * MINUTE);
        assert_int_equal(outbox_backoff_ms(9, 5 * DAY - 1), 240 * MINUTE);
        assert_int_equal(outbox_backoff_ms(9, 5 * DAY), 0);
        assert_int_equal(outbox_backoff_ms(1, 400 * DAY), 0);
}

/* How many tries until it is given up, each at its time. */
static void
test_backoff_ends(void **state)
{
        int64_t age = 0;
        unsigned tries = 1;

        (void)state;
        for (int64_t wait; (wait = outbox_backoff_ms(tries, age)) > 0; tries++)
                age += wait;
        assert_in_range(tries, 30, 40);
        assert_in_range(age, 5 * DAY, 5 * DAY + 240 * MINUTE);
}

static const char *to[] = {"a@x.example", "b@x.example"};

static struct outbox_entry
entry(const char *kind, const char *delivery)
{
        return (struct outbox_entry){.id = "57",
            .ticket = "1042",
            .message = "1042.3",
            .kind = kind,
            .account = "support@desk.example",
            .template = "standard",
            .language = "ru",
            .to = to,
            .n_to = 2,
            .delivery = delivery,
            .state = "claimed",
            .tries = 1,
            .created_ms = 1795428000000,
            .last = ""};
}

/* Nothing older than a day is acknowledged, however long it had to wait. */
static void
test_late_acknowledgements(void **state)
{
        struct outbox_entry ack = entry("ack", ""), reply = entry("reply", "");

        (void)state;
        assert_false(outbox_is_late(&ack, ack.created_ms + DAY));
        assert_true(outbox_is_late(&ack, ack.created_ms + DAY + 1));
        assert_false(outbox_is_late(&reply, reply.created_ms + 4 * DAY));
}

static void
test_fates(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct outbox_entry e = entry("reply", "");
        struct delivery *d = outbox_deliveries(&e, a);
        struct mailer_recipient r[] = {{to[0], MAIL_SENT, 250, "250 ok"},
            {to[1], MAIL_DEFERRED, 0, "not handed over"}};
        struct mailer_answer answer = {r, 2, true, "it broke"};
        struct buf text AUTO_BUF = BUF_INIT;

        (void)state;
        assert_string_equal(d[0].state, "queued");
        outbox_note(d, 2, &answer, 1795428000000000, a);
        assert_string_equal(d[0].state, "sent");
        assert_string_equal(d[1].state, "deferred");
        assert_string_equal(d[1].reply, "it broke");
        assert_int_equal(outbox_judge(d, 2, MINUTE), OUTBOX_AGAIN);
        assert_int_equal(outbox_judge(d, 2, 0), OUTBOX_DEAD);
        outbox_deliveries_format(d, 2, true, &text);
        assert_non_null(strstr(buf_str(&text), "\"state\":\"refused\""));
        buf_clear(&text);
        outbox_deliveries_format(d, 2, false, &text);

        e.delivery = buf_str(&text); /* the next try reads what this one wrote */
        d = outbox_deliveries(&e, a);
        assert_true(outbox_is_served(&d[0]));
        assert_string_equal(d[1].state, "deferred");
        r[0] = (struct mailer_recipient){to[1], MAIL_REFUSED, 550, "550 no"};
        answer = (struct mailer_answer){r, 1, true, ""};
        outbox_note(d, 2, &answer, 1795428060000000, a);
        assert_string_equal(d[0].state, "sent");
        assert_string_equal(d[1].reply, "550 no");
        assert_int_equal(outbox_judge(d, 2, MINUTE), OUTBOX_DEAD);
        r[0].fate = MAIL_SENT;
        outbox_note(d, 2, &answer, 1795428060000000, a);
        assert_int_equal(outbox_judge(d, 2, MINUTE), OUTBOX_SENT);
}

static void
test_stored_deliveries_that_are_broken(void **state)
{
        static const char *const bad[] = {"", "{}", "[1,null,{}]", "[{\"address\":7}]",
            "nonsense", "[{\"address\":\"b@x.example\"}]"};

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct arena *a AUTO_ARENA = arena_new();
                struct outbox_entry e = entry("reply", bad[i]);
                struct delivery *d = outbox_deliveries(&e, a);

                assert_string_equal(d[0].address, to[0]);
                assert_string_equal(d[1].state, "queued");
        }
}

static void
contains(const struct buf *b, const char *s)
{
        if (strstr(buf_str(b), s) == NULL)
                fail_msg("'%s' is not in\n%s", s, buf_str(b));
}

static void
test_a_reply_as_a_mail(void **state)
{
        static const uint8_t secret[32] = "0123456789abcdef0123456789abcde";
        static struct relay relay = {"smtp://localhost", "localhost", 25, "", "", false};
        static struct mail_account account = {.address = "support@desk.example",
            .name = "Служба",
            .relays = &relay,
            .n_relays = 1};
        struct config c = {.name = "Служба", .mails = &account, .n_mails = 1, .url = ""};
        struct arena *a AUTO_ARENA = arena_new();
        struct outbox_entry e = entry("reply", "");
        struct ticket t = {.id = "1042",
            .subject = "Re: ВПН",
            .refs = "[\"first@x\",\"last@x\"]",
            .last_mid = "last@x",
            .to_name = ""};
        struct outbox_key key = {'k', secret};
        struct buf one AUTO_BUF = BUF_INIT, two AUTO_BUF = BUF_INIT;
        struct mail_address address[] = {
            {"Анна", "a@x.example"}, {"", "почта@пример.рф"}};
        struct message *m = message_new();
        struct err err = {0};

        (void)state;
        m->to = address;
        m->n_to = 2;
        m->text = "Restart it.\n";
        if (outbox_render(&c, &e, &t, m, &key, a, &one, &err) == -1)
                fail_msg("%s", err.text);
        contains(&one, "\r\nMessage-ID: <t1042.e57.k");
        contains(&one, "@desk.example>\r\n");
        contains(&one, "\r\nIn-Reply-To: <last@x>\r\n");
        contains(&one, "\r\nReferences: <first@x> <last@x>\r\n");
        contains(&one, "\r\nSubject: [#1042] Re: =?utf-8?B?");
        contains(&one, "<a@x.example>\r\n");
        contains(&one, "\r\n\r\nRestart it.\r\n");
        assert_null(strstr(buf_str(&one), "Auto-Submitted"));
        assert_int_equal(outbox_render(&c, &e, &t, m, &key, a, &two, &err), 0);
        assert_string_equal(buf_str(&one), buf_str(&two)); /* every try the same bytes */
        e.account = "gone@desk.example";
        assert_int_equal(outbox_render(&c, &e, &t, m, &key, a, &two, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        message_free(&m);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_backoff),
            cmocka_unit_test(test_backoff_ends),
            cmocka_unit_test(test_late_acknowledgements),
            cmocka_unit_test(test_fates),
            cmocka_unit_test(test_stored_deliveries_that_are_broken),
            cmocka_unit_test(test_a_reply_as_a_mail),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
