/* Conditions, sentences and routes, asked about messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "config/rules.h"
#include "tests/unit/config_case.h"
#include "tests/unit/patience.h"

static struct message *
mail(const char *subject, const char *text)
{
        static struct mail_address to[] = {
            {"", "Support@Desk.example"}, {"Шеф", "boss@desk.example"}};
        static struct mail_address cc[] = {{"", "audit@partner.example"}};
        static struct header headers[] = {{"X-Spam-Flag", "no"}, {"x-spam-flag", "YES"}};
        struct message *m = message_new();

        m->channel = "email";
        m->account = "support@desk.example";
        m->subject = subject;
        m->text = text;
        m->language = "ru";
        m->from = (struct mail_address){"Пётр Семёнов", "Petr@B.example"};
        m->to = to;
        m->n_to = 2;
        m->cc = cc;
        m->n_cc = 1;
        m->headers = headers;
        m->n_headers = 2;
        return m;
}

static void
decide(const struct config *c, struct message *m, struct decision *d)
{
        struct facts f = {.message = m};

        rules_decide(c, &f, m->arena, d);
}

/* Does the condition hold for the mail? And on what. */
static bool
holds(const char *condition, struct message *m, const char **on)
{
        char text[2000];
        struct config *c;
        struct decision d;
        bool yes;

        snprintf(text, sizeof text,
            "mail support@desk.example\nagent anna\nlist partners @partner.example "
            "b@b.example\n"
            "list people petr@b.example\ntag first when subject contains \"впн\"\n"
            "priority high when tagged first\ntag it when %s\n",
            condition);
        case_begin();
        c = case_config(text);
        assert_non_null(c);
        decide(c, m, &d);
        yes = d.sentences[2].holds;
        *on = d.sentences[2].n_on == 0 ? "" : d.sentences[2].on[0];
        config_free(&c);
        case_end();
        return yes;
}

static void
test_conditions(void **state)
{
        static const struct {
                const char *condition;
                bool holds;
                const char *on;
        } t[] = {
            {"subject contains \"ПОДКЛЮЧАЕТСЯ\"", true, "subject: подключается"},
            {"subject contains \"счет\"", false, ""},
            {"text contains \"нет такого\", \"СЧЕТ\"", true, "text: счёт"},
            {"text contains \"впн\"", true, "subject: ВПН"},
            {"subject is \"не подключается впн\"", true, "subject: Не подключается ВПН"},
            {"subject is \"не подключается\"", false, ""},
            {"text matches /\\bvpn\\b|впн/i", true, "subject: ВПН"},
            {"text matches /впн/", false, ""},
            {"text matches /счет/", true, "text: счёт"},
            {"text matches /сч[ёя]т/", true, "text: счёт"},
            {"text matches /сч[Ё-я]т/", true, "text: счёт"},
            {"text matches /сч\\x{451}т/", true, "text: счёт"},
            {"text matches /ошибк\\w* 809/i", true, "text: Ошибка 809"},
            {"text matches /Ошибка.и/", false, ""},
            {"text matches /https?:\\/\\/x/", true, "text: http://x"},
            {"text matches /подключ.*счёт/", false,
                ""}, /* subject and body are two texts */
            {"from is petr@b.example", true, "from: petr@b.example"},
            {"from is @B.example", true, "from: petr@b.example"},
            {"from is @example", false, ""},
            {"from contains \"семенов\"", true, "from: Семёнов"},
            {"from matches /petr/", false, ""},
            {"from matches /petr@/i", true, "from: Petr@"},
            {"from in people", true, "from: petr@b.example"},
            {"from in partners", false, ""},
            {"to is boss@desk.example", true, "to: boss@desk.example"},
            {"to contains \"шеф\"", true, "to: Шеф"},
            {"to in partners", false, ""},
            {"cc in partners", true, "cc: audit@partner.example"},
            {"header \"X-Spam-Flag\" is yes", true, "x-spam-flag: YES"},
            {"header X-Spam-Flag contains \"ye\" and channel is email", true,
                "x-spam-flag: YE"},
            {"header X-Other is yes", false, ""},
            {"channel is web phone", false, ""},
            {"channel is web email", true, "channel: email"},
            {"account is Support@desk.example", true, "account: support@desk.example"},
            {"language is en", false, ""},
            {"language is ru", true, "language: ru"},
            {"tagged first", true, "tag: first"},
            {"not tagged first", false, ""},
            {"priority is high", true, "priority: high"},
            {"priority is normal", false, ""},
            {"not subject contains \"x\"", true, ""},
            {"not (language is en or language is ru)", false, ""},
            {"language is en and channel is web or channel is email", true,
                "channel: email"},
            {"language is en and (channel is web or channel is email)", false, ""},
            {"(language is ru and channel is web) or channel is email", true,
                "channel: email"},
            {"not not language is ru", true, ""},
        };

        (void)state;
        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
                struct message *m = mail("Не подключается ВПН",
                    "Ошибка 809\nи оплатили счёт, см. http://x.example");
                const char *on;

                if (holds(t[i].condition, m, &on) != t[i].holds)
                        fail_msg("%s: expected %d", t[i].condition, t[i].holds);
                assert_string_equal(on, t[i].on);
                message_free(&m);
        }
}

static const char desk[] =
    "mail support@desk.example\nlines first second\n"
    "skills network billing en a b c d e f\n"
    "agent anna { skills network:4 billing:3 en:3 a:1 b:1 c:1 d:1 e:1 f:1 }\n"
    "tag vpn when text contains \"vpn\"\n"
    "tag money vpn when text contains \"invoice\"\n"
    "need network:2 when tagged vpn\n"
    "need network:3 billing:1 when tagged money\n"
    "must en:2\n"
    "priority high when tagged vpn\n"
    "priority low when tagged money\n"
    "acknowledge none when subject is \"quiet\"\n"
    "need a:1 b:1 c:1 d:1 e:1 f:1 when subject is \"much\"\n"
    "route money when tagged money { lines second first; ahead 30m }\n"
    "route vpn when tagged vpn\n";

static void
test_decisions(void **state)
{
        struct message *m = mail("the vpn and an invoice", "");
        struct config *c;
        struct decision d;

        (void)state;
        case_begin();
        c = case_config(desk);
        assert_non_null(c);
        decide(c, m, &d);
        assert_int_equal(d.n_tags, 2);
        assert_string_equal(d.tags[0], "vpn");
        assert_int_equal(d.priority, PRIORITY_LOW);
        assert_string_equal(d.route, "money");
        assert_string_equal(d.line, "second");
        assert_string_equal(d.acknowledge, "standard");
        assert_string_equal(d.language, "ru");
        assert_string_equal(d.class_doc.text,
            "{\"calendar\":\"\",\"channel\":\"email\",\"head_ms\":-12600000,"
            "\"lines\":[\"second\",\"first\"],\"musts\":{\"en\":2},"
            "\"needs\":{\"billing\":1,\"network\":3},\"route\":\"money\",\"steps\":[],"
            "\"v\":1}");
        assert_int_equal(d.n_sentences, 10);
        assert_string_equal(d.sentences[9].at, "helpline.conf:14:1");
        assert_string_equal(d.sentences[9].text, "route money when tagged money");
        message_free(&m);

        m = mail("quiet", "");
        decide(c, m, &d);
        assert_string_equal(d.route, "default");
        assert_string_equal(d.line, "first");
        assert_string_equal(d.acknowledge, "none");
        assert_int_equal(d.class_doc.head_ms, 0);
        assert_int_equal(d.n_sentences, 11);
        message_free(&m);

        m = mail("much", "vpn");
        decide(c, m, &d);
        assert_string_equal(d.route, "vpn");
        assert_string_equal(d.line, "first");
        assert_int_equal(d.class_doc.n_needs, CLASS_MAX_NEEDS);
        assert_string_equal(
            d.class_doc.needs[5].name, "network"); /* the first by order stay */
        message_free(&m);
        config_free(&c);
        case_end();
}

static void
test_telling(void **state)
{
        struct message *m = mail("the VPN", "");
        struct buf b AUTO_BUF = BUF_INIT, people AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct config *c;
        struct decision d;

        (void)state;
        case_begin();
        c = case_config(desk);
        decide(c, m, &d);
        jo_init(&o, &b);
        jo_open(&o, '{');
        decision_format(&d, "message", true, &o);
        jo_close(&o, '}');
        assert_string_equal(buf_str(&b),
            "{\"route\":\"vpn\",\"line\":\"first\",\"tags\":[\"vpn\"],\"needs\":{"
            "\"network\":2},"
            "\"musts\":{\"en\":2},\"priority\":\"high\",\"language\":\"ru\",\"kind\":"
            "\"message\",\"shelve\":false,"
            "\"sentences\":[{\"at\":\"helpline.conf:5:1\",\"text\":\"tag vpn when text "
            "contains "
            "\\\"vpn\\\"\",\"holds\":true,\"on\":[\"subject: VPN\"]},"
            "{\"at\":\"helpline.conf:7:1\",\"text\":\"need network:2 when tagged vpn\","
            "\"holds\":true,\"on\":[\"tag: "
            "vpn\"]},{\"at\":\"helpline.conf:9:1\",\"text\":\"must "
            "en:2\",\"holds\":true,\"on\":[]},{\"at\":\"helpline.conf:10:1\",\"text\":"
            "\"priority "
            "high when tagged vpn\",\"holds\":true,\"on\":[\"tag: vpn\"]},"
            "{\"at\":\"helpline.conf:15:1\",\"text\":\"route vpn when tagged "
            "vpn\",\"holds\":true,"
            "\"on\":[\"tag: vpn\"]}],\"steps\":[],\"promise\":\"\",\"acknowledge\":"
            "\"standard\",\"ask\":\"\",\"tell\":[]}");
        decision_print(&d, &people);
        assert_non_null(strstr(people.data, "needs        network:2\n"));
        assert_non_null(strstr(people.data,
            "  yes  helpline.conf:5:1  tag vpn when text contains \"vpn\"\n"
            "         on subject: VPN\n"));
        message_free(&m);
        config_free(&c);
        case_end();
}

static void
test_without_any_rule(void **state)
{
        struct message *m = mail("x", "");
        struct config *c;
        struct decision d;

        (void)state;
        case_begin();
        c = case_config("mail support@desk.example\nagent anna\n");
        decide(c, m, &d);
        assert_string_equal(d.route, "default");
        assert_string_equal(d.line, "first");
        assert_int_equal(d.n_sentences, 0);
        message_free(&m);
        config_free(&c);
        case_end();
}

/* A pattern that would take for ever gives up and says so; the mail goes on. */
static void
test_patterns_are_bounded(void **state)
{
        char body[40001];
        struct message *m;
        const char *on;

        (void)state;
        memset(body, 'a', sizeof body - 1);
        body[sizeof body - 1] = '\0';
        m = mail("x", body);
        assert_false(holds("text matches /(a+)+$x|(a|aa)+b/", m, &on));
        m->text = "ok";
        assert_true(holds("text matches /(a+)+b|ok/", m, &on));
        message_free(&m);
}

/* An ordinary looking pattern on a hostile text: the square of its length. */
static void
test_patterns_share_a_budget(void **state)
{
        static char body[200001];
        struct timespec from, to;
        struct message *m;
        const char *on;

        (void)state;
        memset(body, 'a', sizeof body - 1);
        body[sizeof body - 1] = '\0';
        m = mail("x", body);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        assert_false(holds("text matches /(?=[a-z]+[0-9])/ or text matches "
                           "/(?<=a)[a-z]+[0-9]/ or text matches /[a-z]+ ?[a-z]+[0-9]/",
            m, &on));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        assert_true(to.tv_sec - from.tv_sec < (SANITIZED ? 60 : 10));
        assert_string_equal(on, "text: (the pattern takes too much work on this text)");
        message_free(&m);
}

/* The text is looked at in portions: what lies behind the first is found, too. */
static void
test_patterns_find_anywhere(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct message *m;
        const char *on;

        (void)state;
        for (int i = 0; i < 3000; i++)
                buf_adds(&b, "щ ");
        buf_adds(&b, "ошибка 809\nend");
        m = mail("x", b.data);
        assert_true(holds("text matches /ошибка\\s+\\d+/", m, &on));
        assert_string_equal(on, "text: ошибка 809");
        assert_true(holds("text matches /(?<=809\\n)end$/", m, &on));
        assert_false(holds("text matches /^ошибка/", m, &on));
        assert_true(holds("text matches /щ ошибка/", m, &on));
        message_free(&m);
}

static void
test_evidence_is_short_and_one_line(void **state)
{
        char body[2000];
        struct message *m;
        const char *on;

        (void)state;
        memset(body, 'b', sizeof body - 1);
        body[sizeof body - 1] = '\0';
        memcpy(body, "a\n\x1b", 3);
        m = mail("x", body);
        assert_true(holds("text matches /a[^z]*b/", m, &on));
        assert_memory_equal(on, "text: a  b", 10);
        assert_int_equal(strlen(on), strlen("text: ") + 80 + strlen("…"));
        message_free(&m);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_conditions),
            cmocka_unit_test(test_decisions),
            cmocka_unit_test(test_telling),
            cmocka_unit_test(test_without_any_rule),
            cmocka_unit_test(test_patterns_are_bounded),
            cmocka_unit_test(test_patterns_share_a_budget),
            cmocka_unit_test(test_patterns_find_anywhere),
            cmocka_unit_test(test_evidence_is_short_and_one_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
