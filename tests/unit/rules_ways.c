/*
 * Conditions about forms, attachments, customers and calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/rules.h"
#include "tests/unit/config_case.h"

static const char desk[] =
    "mail support@desk.example\nagent anna\ncountry 7\n"
    "form contact { field email { type email }; field product; field message\n"
    "    field order; field color { choices a b } }\nform other { field email { type "
    "email } }\n"
    "phone office { push }\ncustomers file \"customers.csv\"\n"
    "list partners @partner.example petr@desk.example \"8 495 123-45-67\"\n"
    "tag vpn when subject contains \"vpn\"\n"
    "priority urgent when tagged vpn\n";

static const char table[] =
    "email;phone;name;company;vip;manager;Second phone\n"
    "petr@desk.example;;Petr;Romashka;yes;Anna Kotova;8 495 123-45-67\n"
    ";8 495 123-45-67;Vera;Lutik;;oleg;\n"
    "boss@partner.example;;Boss;Partner;no;;\n";

/* ---- the messages ---- */

static struct message *
message(const char *channel, const char *account)
{
        struct message *m = message_new();

        m->channel = channel;
        m->account = account;
        m->language = "ru";
        return m;
}

static struct message *
mail(void)
{
        static struct mail_address to[] = {{"Boss", "support@desk.example"}};
        static struct mail_address cc[] = {{"", "x@partner.example"}};
        static struct header headers[] = {{"X-Spam-Flag", "YES"}};
        static struct attachment files[] = {
            {"2", "Photo.JPG", "image/jpeg", 6 << 20, "", false},
            {"3", "setup.EXE", "application/octet-stream", 100, "", false}};
        struct message *m = message("email", "support@desk.example");

        m->from = (struct mail_address){"Boss", "boss@Partner.example"};
        m->to = to;
        m->n_to = 1;
        m->cc = cc;
        m->n_cc = 1;
        m->headers = headers;
        m->n_headers = 1;
        m->attachments = files;
        m->n_attachments = 2;
        m->subject = "VPN invoice";
        m->language = "en";
        return m;
}

static struct message *
form(void)
{
        static const char *email[] = {"petr@desk.example"}, *product[] = {"Router R-5"},
                          *text[] = {"I want a REFUND"}, *order[] = {"A-17"},
                          *color[] = {"a", "b"};
        static struct form_field fields[] = {{"email", "E-mail", email, 1},
            {"product", "Product", product, 1}, {"message", "", text, 1},
            {"order", "", order, 1}, {"color", "", color, 2}};
        struct message *m = message("web", "web:contact");

        m->from = (struct mail_address){"", "petr@desk.example"};
        m->form = arena_alloc(m->arena, sizeof *m->form);
        *m->form = (struct form_data){"contact", fields, 5, "", "", 0};
        return m;
}

static struct message *
call(enum call_direction direction, enum call_result result, int64_t duration_s)
{
        struct message *m = message("phone", "phone:office");
        bool in = direction == CALL_IN;

        m->phone = "+74951234567";
        m->call = arena_alloc(m->arena, sizeof *m->call);
        *m->call = (struct phone_call){.id = "1",
            .from = in ? m->phone : "200",
            .to = in ? "200" : m->phone,
            .name = "",
            .direction = direction,
            .result = result,
            .duration_s = duration_s};
        return m;
}

/* ---- asking ---- */

static bool
holds(const char *condition, const struct message *m, struct arena *a, const char **on)
{
        struct facts f = {.message = m};
        char text[2000];
        struct config *c;
        struct decision d;
        bool yes;

        snprintf(text, sizeof text, "%stag it when %s\n", desk, condition);
        case_begin();
        case_write("customers.csv", table, strlen(table), 0600);
        c = case_config(text);
        if (c == NULL)
                fail_msg("does not compile: %s", condition);
        rules_decide(c, &f, a, &d);
        yes = d.sentences[2].holds;
        *on = d.sentences[2].n_on == 0 ? "" : d.sentences[2].on[0];
        config_free(&c);
        case_end();
        return yes;
}

struct asked {
        const char *condition;
        const char *on; /* NULL: it does not hold */
};

static void
ask_all(struct message *m, const struct asked *t, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct arena *a AUTO_ARENA = arena_new();
                const char *on;

                if (holds(t[i].condition, m, a, &on) != (t[i].on != NULL))
                        fail_msg("%s: expected %d", t[i].condition, t[i].on != NULL);
                assert_string_equal(on, t[i].on == NULL ? "" : t[i].on);
        }
        message_free(&m);
}
#define ASK_ALL(m, t) ask_all(m, t, sizeof(t) / sizeof *(t))

static void
test_mail(void **state)
{
        static const struct asked t[] = {
            {"attachment size > 5MB", "attachment size: 6291456 bytes"},
            {"attachment size > 6MB", NULL},
            {"attachment size < 1KB", "attachment size: 100 bytes"},
            {"attachment name contains \"photo\"", "attachment name: Photo"},
            {"attachment name matches /\\.exe$/i", "attachment name: .EXE"},
            {"attachment name is setup.exe", "attachment name: setup.EXE"},
            {"attachment name is setup", NULL},
            {"attachment type contains \"image\"", "attachment type: image"},
            {"attachment type is image/png image/jpeg", "attachment type: image/jpeg"},
            {"customer is known", "customer: known"},
            {"customer is vip", NULL},
            {"customer organisation is \"PARTNER\"", "organisation: Partner"},
            {"customer company is \"partner\"", "company: Partner"},
            {"customer manager contains \"anna\"", NULL},
            {"form is contact other", NULL},
            {"field product contains \"router\"", NULL},
            {"call is missed answered in out", NULL},
            {"call duration < 1h", NULL},
            {"call number in partners", NULL},
            {"account is web:contact", NULL},
            {"account is support@desk.example", "account: support@desk.example"},
            {"from in partners", "from: boss@partner.example"},
        };

        (void)state;
        ASK_ALL(mail(), t);
}

static void
test_form(void **state)
{
        static const struct asked t[] = {
            {"form is contact", "form: contact"},
            {"form is other", NULL},
            {"account is web:contact", "account: web:contact"},
            {"field product is \"ROUTER r-5\"", "product: Router R-5"},
            {"field product is router", NULL},
            {"field message contains \"refund\"", "message: REFUND"},
            {"field order matches /^A-[0-9]+$/", "order: A-17"},
            {"field color is b", "color: b"},
            {"field color is c", NULL},
            {"field email in partners", "email: petr@desk.example"},
            {"field product in partners", NULL},
            {"customer is vip", "customer: vip"},
            {"customer is known", "customer: known"},
            {"customer manager contains \"anna\"", "manager: Anna"},
            {"customer \"second phone\" in partners", "second phone: +74951234567"},
            {"customer \"second phone\" is \"8 495\"", NULL},
            {"customer organisation in partners", NULL},
            {"attachment size > 0B", NULL},
            {"channel is web and not call is missed", "channel: web"},
        };

        (void)state;
        ASK_ALL(form(), t);
}

static void
test_calls(void **state)
{
        static const struct asked missed[] = {
            {"call is missed", "call: missed"},
            {"call is answered", NULL},
            {"call is in", "call: in"},
            {"call is answered out", NULL},
            {"call is missed and call is in", "call: missed"},
            {"call number is \"8 (495) 123-45-67\"", "call number: +74951234567"},
            {"call number is 200", NULL},
            {"call number in partners", "call number: +74951234567"},
            {"call number contains \"495\"", "call number: 495"},
            {"call number matches /^\\+7495/", "call number: +7495"},
            {"call duration > 30s", NULL},
            {"call duration < 30s", "call duration: 12 s"},
            {"from in partners", "from: +74951234567"},
            {"from is +74951234567", "from: +74951234567"},
            {"from contains \"4951\"", "from: 4951"},
            {"from is \"8 495 123-45-68\"", NULL},
            {"customer is known", "customer: known"},
            {"customer is vip", NULL},
            {"customer organisation is Lutik", "organisation: Lutik"},
            {"account is phone:office", "account: phone:office"},
        };
        static const struct asked back[] = {
            {"call is out", "call: out"},
            {"call is in missed", NULL},
            {"call is answered", "call: answered"},
            {"call number is +74951234567", "call number: +74951234567"},
            {"call duration > 30s", "call duration: 31 s"},
            {"call duration > 31s", NULL},
            {"call duration < 31s", NULL},
        };

        (void)state;
        ASK_ALL(call(CALL_IN, CALL_MISSED, 12), missed);
        ASK_ALL(call(CALL_OUT, CALL_ANSWERED, 31), back);
}

static void
test_shelve(void **state)
{
        static const char text[] =
            "mail support@desk.example\nagent anna\nform contact { field email { type "
            "email } }\n"
            "shelve when form is contact\nshelve when channel is phone\n";
        struct message *m = form(), *other = mail();
        struct facts f = {.message = m};
        struct buf b AUTO_BUF = BUF_INIT;
        struct config *c;
        struct decision d;

        (void)state;
        case_begin();
        c = case_config(text);
        assert_non_null(c);
        rules_decide(c, &f, m->arena, &d);
        assert_true(d.shelve);
        assert_true(d.sentences[0].holds);
        assert_false(d.sentences[1].holds);
        decision_print(&d, &b);
        assert_non_null(
            strstr(buf_str(&b), "shelved      kept, and no agent is asked\n"));
        f.message = other;
        rules_decide(c, &f, m->arena, &d);
        assert_false(d.shelve);
        message_free(&m);
        message_free(&other);
        config_free(&c);
        case_end();
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_mail),
            cmocka_unit_test(test_form),
            cmocka_unit_test(test_calls),
            cmocka_unit_test(test_shelve),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
