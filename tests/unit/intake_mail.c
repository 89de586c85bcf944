/* What intake judges by the header alone: machine mail, and whom an answer goes to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "daemon/intake.h"

static struct mail_account our_mail = {.address = "support@romashka.ru"};
static struct config config = {.mails = &our_mail, .n_mails = 1};

struct sample {
        const char *name, *value; /* a header, NULL none */
        const char *from;
        const char *envelope; /* NULL: not known */
        enum message_kind kind;
        bool is_machine;
};

static const struct sample samples[] = {
    {NULL, NULL, "a@b.example", "a@b.example", MESSAGE_MESSAGE, false},
    {NULL, NULL, "a@b.example", NULL, MESSAGE_MESSAGE, false},
    {NULL, NULL, "a@b.example", "", MESSAGE_AUTO_REPLY, true},
    {"Auto-Submitted", "auto-replied", "a@b.example", "a@b.example", MESSAGE_AUTO_REPLY,
        true},
    {"Auto-Submitted", "auto-generated; x=y", "a@b.example", "a@b.example",
        MESSAGE_AUTO_REPLY, true},
    {"Auto-Submitted", "no", "a@b.example", "a@b.example", MESSAGE_MESSAGE, false},
    {"Auto-Submitted", " No (a person)", "a@b.example", "a@b.example", MESSAGE_MESSAGE,
        false},
    {"Precedence", "bulk", "a@b.example", "a@b.example", MESSAGE_AUTO_REPLY, true},
    {"precedence", "LIST", "a@b.example", "a@b.example", MESSAGE_AUTO_REPLY, true},
    {"Precedence", "first-class", "a@b.example", "a@b.example", MESSAGE_MESSAGE, false},
    {"List-Id", "<users.example>", "a@b.example", "a@b.example", MESSAGE_LIST, true},
    {"X-Auto-Response-Suppress", "All", "a@b.example", "a@b.example", MESSAGE_AUTO_REPLY,
        true},
    {"X-Auto-Response-Suppress", "None", "a@b.example", "a@b.example", MESSAGE_MESSAGE,
        false},
    {"X-Apple-Action", "VACATION", "a@b.example", "a@b.example", MESSAGE_AUTO_REPLY,
        true},
    {"Content-Type", "multipart/report; report-type=delivery-status",
        "MAILER-DAEMON@mx.example", "", MESSAGE_BOUNCE, true},
    {"Content-Type", "multipart/report; report-type=disposition-notification",
        "a@b.example", "a@b.example", MESSAGE_REPORT, true},
    {NULL, NULL, "Mailer-Daemon@mx.example", "x@y.example", MESSAGE_BOUNCE, true},
    {NULL, NULL, "support@romashka.ru", "support@romashka.ru", MESSAGE_AUTO_REPLY, true},
};

static void
test_samples(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
                const struct sample *s = &samples[i];
                struct header h = {s->name, s->value};
                struct message *m = message_new();

                m->from.address = s->from;
                m->has_envelope = s->envelope != NULL;
                m->envelope_from = s->envelope == NULL ? "" : s->envelope;
                m->headers = &h;
                m->n_headers = s->name != NULL;
                mail_judge(m, &config, false);
                if (m->kind != s->kind || (*m->machine != '\0') != s->is_machine)
                        fail_msg("sample %zu (%s: %s): kind %s, machine '%s'", i,
                            s->name ? s->name : "-", s->value ? s->value : "-",
                            message_kind_name(m->kind), m->machine);
                message_free(&m);
        }
}

static void
test_second_precedence_counts(void **state)
{
        struct header h[] = {{"Precedence", "normal"}, {"Precedence", "junk"}};
        struct message *m = message_new();

        (void)state;
        m->from.address = "a@b.example";
        m->headers = h;
        m->n_headers = 2;
        mail_judge(m, &config, false);
        assert_int_equal(m->kind, MESSAGE_AUTO_REPLY);
        message_free(&m);
}

static void
test_own_token(void **state)
{
        struct message *m = message_new();

        (void)state;
        m->from.address = "a@b.example";
        mail_judge(m, &config, true);
        assert_string_equal(m->machine, "our own mail");
        message_free(&m);
}

static void
test_answer_address(void **state)
{
        struct message *m = message_new();

        (void)state;
        m->from.address = "Anna@Firma.example";
        assert_string_equal(mail_answer_address(m, m->arena), "anna@firma.example");
        m->reply_to.address = "team@firma.example";
        assert_string_equal(mail_answer_address(m, m->arena), "team@firma.example");
        m->reply_to.address = "stranger@elsewhere.example";
        assert_string_equal(mail_answer_address(m, m->arena), "anna@firma.example");
        m->from.address = "";
        assert_string_equal(
            mail_answer_address(m, m->arena), "stranger@elsewhere.example");
        m->reply_to.address = "not an address";
        assert_string_equal(mail_answer_address(m, m->arena), "");
        message_free(&m);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_samples),
            cmocka_unit_test(test_second_precedence_counts),
            cmocka_unit_test(test_own_token),
            cmocka_unit_test(test_answer_address),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
