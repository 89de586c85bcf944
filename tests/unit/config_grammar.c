/* What a whole configuration becomes, its defaults, its look-ups, its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "config/load.h"
#include "config/options.h"
#include "tests/unit/config_case.h"
#include "tests/unit/patience.h"

#define HOUR 3600000LL

static void
test_smallest(void **state)
{
        struct config *c;

        (void)state;
        case_begin();
        c = case_config("mail Support@Romashka.ru\nagent anna\n");
        assert_non_null(c);
        assert_string_equal(c->name, "helpline");
        assert_int_equal(c->n_languages, 2);
        assert_string_equal(c->languages[0], "ru");
        assert_string_equal(c->state, "/var/lib/helpline");
        assert_string_equal(c->store, "embedded");
        assert_int_equal(c->send_delay_ms, 20000);
        assert_int_equal(c->reopen_ms, 14 * 24 * HOUR);
        assert_int_equal(c->close_ms, c->reopen_ms);
        assert_int_equal(c->alert_silent_ms, HOUR / 2);
        assert_int_equal(c->priority_head_ms[PRIORITY_LOW], -4 * HOUR);
        assert_int_equal(c->priority_head_ms[PRIORITY_NORMAL], 0);
        assert_int_equal(c->priority_head_ms[PRIORITY_HIGH], HOUR);
        assert_int_equal(c->priority_head_ms[PRIORITY_URGENT], 4 * HOUR);
        assert_int_equal(c->n_lmtp_listen, 1);
        assert_string_equal(c->lmtp_listen[0], "unix:/var/lib/helpline/lmtp.sock");
        assert_int_equal(c->n_socket_listen, 2);
        assert_string_equal(c->socket_listen[1], "127.0.0.1:7711");
        assert_int_equal(c->n_lines, 1);
        assert_string_equal(c->lines[0].name, "first");
        assert_int_equal(c->lines[0].holds, 4);
        assert_int_equal(c->lines[0].lease_ms, 4 * HOUR);
        assert_string_equal(c->mails[0].address, "Support@Romashka.ru");
        assert_string_equal(c->mails[0].name, "helpline");
        assert_int_equal(c->mails[0].n_relays, 1);
        assert_string_equal(c->mails[0].relays[0].host, "localhost");
        assert_int_equal(c->agents[0].holds, 4);
        assert_int_equal(c->agents[0].role, ROLE_AGENT);
        assert_string_equal(c->agents[0].full_name, "anna");
        assert_string_equal(c->agents[0].profile.lines[0], "first");
        assert_non_null(c->rules);
        config_free(&c);
        assert_null(c);
        case_end();
}

static const char whole[] =
    "\xef\xbb\xbf# with a byte order mark\r\n"
    "name \"Служба «Ромашка» \\\"24\\\"\"\r\n"
    "language en, ru; timezone Europe/Moscow\n"
    "url https://help.romashka.ru\n"
    "include \"conf/people.conf\"\n"
    "state \"state\"\n"
    "store redis://store.example:6380/2 { password file \"conf/secret\" }\n"
    "send-delay 0s; reopen 1w2d\n"
    "alert a@romashka.ru, b@romashka.ru { silent 1h30m }\n"
    "priorities { urgent 2h; low -1d }\n"
    "mail support@romashka.ru {\n"
    "    name \"Ромашка\"\n"
    "    also help@romashka.ru\n"
    "    password file \"conf/secret\"\n"
    "    smtp smtp://127.0.0.1:2525\n"
    "    smtp smtp://u@romashka.ru@mail.provider.example:587\n"
    "}\n"
    "mail sales@romashka.ru\n"
    "lmtp { listen unix:in/lmtp.sock 127.0.0.1:7724 [::1]:7724 }\n"
    "socket { listen unix:/run/desk.sock }\n";

static void
test_whole(void **state)
{
        static const char people[] =
            "lines first second third\n"
            "line second { holds 2; lease 8h }\n"
            "agent marina \"Марина\" { role lead; line second }\n"
            "agent bot { role bot; skills сеть:10 network:2; holds 9\n"
            "    login daemon; mail bot@romashka.ru }\n"
            "skills network, сеть\n";
        struct config *c;
        char *text = strdup(whole);

        (void)state;
        case_begin();
        case_write("conf/people.conf", people, strlen(people), 0600);
        case_write("conf/secret", "geheim\r\n", 8, 0600);
        c = case_config(text);
        free(text);
        assert_non_null(c);
        assert_string_equal(c->name, "Служба «Ромашка» \"24\"");
        assert_string_equal(c->languages[0], "en");
        assert_string_equal(c->store_password, "geheim");
        assert_int_equal(c->reopen_ms, 9 * 24 * HOUR);
        assert_int_equal(c->send_delay_ms, 0);
        assert_int_equal(c->n_alert, 2);
        assert_int_equal(c->alert_silent_ms, 90 * 60000);
        assert_int_equal(c->priority_head_ms[PRIORITY_LOW], -24 * HOUR);
        assert_int_equal(c->priority_head_ms[PRIORITY_HIGH], HOUR);
        assert_int_equal(c->n_files, 2);
        assert_string_equal(c->dir, case_dir);
        assert_memory_equal(c->state, case_dir, strlen(case_dir));
        assert_string_equal(c->state + strlen(case_dir), "/state");
        assert_non_null(strstr(c->lmtp_listen[0], "/state/in/lmtp.sock"));
        assert_string_equal(c->lmtp_listen[2], "[::1]:7724");
        assert_string_equal(c->socket_listen[0], "unix:/run/desk.sock");
        assert_int_equal(c->n_socket_listen, 1);
        assert_string_equal(c->mails[0].name, "Ромашка");
        assert_false(c->mails[0].relays[0].starttls);
        assert_string_equal(c->mails[0].relays[1].user, "u@romashka.ru");
        assert_string_equal(c->mails[0].relays[1].host, "mail.provider.example");
        assert_string_equal(c->mails[0].relays[1].password, "geheim");
        assert_true(c->mails[0].relays[1].starttls);
        assert_string_equal(c->agents[0].line, "second");
        assert_int_equal(c->agents[0].holds, 2);
        assert_int_equal(c->agents[1].holds, 9);
        assert_string_equal(c->agents[1].skills[0].name, "network");
        assert_int_equal(c->agents[1].skills[1].level, 10);
        config_free(&c);
        case_end();
}

static void
test_look_ups(void **state)
{
        static const char text[] = "lines first second\n"
                                   "mail support@romashka.ru { also Help@romashka.ru }\n"
                                   "agent anna { login anna1 }\nagent lena\n"
                                   "list partners @Partner.example Boss@b.example\n";
        struct config *c;

        (void)state;
        case_begin();
        c = case_config(text);
        assert_non_null(c);
        assert_ptr_equal(config_mail(c, "<HELP@Romashka.RU>"), &c->mails[0]);
        assert_null(config_mail(c, "other@romashka.ru"));
        assert_null(config_mail(c, ""));
        assert_true(config_is_ours(c, "support@romashka.ru"));
        assert_ptr_equal(config_agent(c, "lena"), &c->agents[1]);
        assert_null(config_agent(c, "Lena"));
        assert_ptr_equal(config_agent_by_login(c, "anna1"), &c->agents[0]);
        assert_null(config_agent_by_login(c, ""));
        assert_string_equal(config_line_next(c, "first")->name, "second");
        assert_null(config_line_next(c, "second"));
        assert_null(config_line(c, "third"));
        assert_true(list_has(&c->lists[0], "x@partner.example"));
        assert_true(list_has(&c->lists[0], "boss@b.example"));
        assert_false(list_has(&c->lists[0], "x@b.example"));
        config_free(&c);
        case_end();
}

/* The form and the phone of the design, with what follows from the defaults. */
static void
test_forms_and_phones(void **state)
{
        static const char text[] =
            "phone office { asterisk file \"Master.csv\"; ours 200 \"8 800 555-35-35\"\n"
            "    missed ignore; answered ticket; column-17 userfield; short 7s }\n"
            "phone away { push; password file \"token\"; timezone Europe/Paris }\n"
            "country 7\ntimezone Europe/Moscow\nmail support@desk.example\nagent anna\n"
            "form contact {\n"
            "    sites   https://WWW.Desk.example:443 http://x.example:8080\n"
            "    thanks  https://www.desk.example/spasibo\n"
            "    field name    { required }\n"
            "    field email   { type email; required yes }\n"
            "    field product { label \"Изделие\"; label en \"Product\"; choices A \"B "
            "2\" }\n"
            "    field message { type text; required no; limit 8KB }\n"
            "    field files   { type files; at-most 3 }\n"
            "    field consent { type consent; text \"I agree.\"; required }\n}\n"
            "form second { field phone { type phone }; reply-as support@desk.example; "
            "rate 5 }\n"
            "web { listen 127.0.0.1:8080 unix:web.sock; proxy 10.0.0.1 ::1 }\nstate "
            "\"/st\"\n";
        const struct form_options *f;
        const struct phone_options *p;
        struct config *c;

        (void)state;
        case_begin();
        case_write("Master.csv", "", 0, 0600);
        case_write("token", "s3cret\n", 7, 0600);
        c = case_config(text);
        assert_non_null(c);
        f = config_form(c, "contact");
        assert_string_equal(f->account, "web:contact");
        assert_string_equal(f->sites[0], "https://www.desk.example");
        assert_string_equal(f->sites[1], "http://x.example:8080");
        assert_string_equal(f->reply_as, "support@desk.example");
        assert_int_equal(f->rate, 20);
        assert_int_equal(f->n_fields, 6);
        assert_true(f->fields[0].required && f->fields[0].type == FIELD_LINE);
        assert_true(f->fields[1].required && f->fields[1].type == FIELD_EMAIL);
        assert_int_equal(f->fields[2].type, FIELD_CHOICES);
        assert_string_equal(f->fields[2].choices[1], "B 2");
        assert_string_equal(f->fields[2].labels[0].language, "");
        assert_string_equal(f->fields[2].labels[1].text, "Product");
        assert_false(f->fields[3].required);
        assert_int_equal(f->fields[3].limit, 8192);
        assert_int_equal(f->fields[4].at_most, 3);
        assert_int_equal(f->fields[4].limit, 20 << 20);
        assert_string_equal(f->fields[5].text, "I agree.");
        assert_int_equal(config_form(c, "second")->rate, 5);
        assert_null(config_form(c, "third"));
        p = config_phone(c, "office");
        assert_string_equal(p->account, "phone:office");
        assert_int_equal(p->format, PHONE_ASTERISK_CSV);
        assert_non_null(strstr(p->file, "/Master.csv"));
        assert_string_equal(p->ours[0], "200");
        assert_string_equal(p->ours[1], "+78005553535");
        assert_false(p->missed_ticket);
        assert_true(p->column17_is_userfield);
        assert_int_equal(p->answered, PHONE_ANSWERED_TICKET);
        assert_int_equal(p->short_ms, 7000);
        assert_string_equal(p->timezone, "Europe/Moscow");
        assert_string_equal(p->token, "");
        p = config_phone(c, "away");
        assert_int_equal(p->format, PHONE_PUSH);
        assert_string_equal(p->file, "");
        assert_string_equal(p->token, "s3cret");
        assert_string_equal(p->timezone, "Europe/Paris");
        assert_true(p->missed_ticket && !p->column17_is_userfield);
        assert_int_equal(p->answered, PHONE_ANSWERED_NOTE);
        assert_int_equal(p->repeated_ms, 86400000);
        assert_int_equal(p->callback_ms, 20000);
        assert_string_equal(c->web_listen[1], "unix:/st/web.sock");
        assert_string_equal(c->web_proxy[1], "::1");
        config_free(&c);
        case_end();
}

/* The tool finds the sockets without reading secrets, and beside faults. */
static void
test_find_sockets(void **state)
{
        static const char text[] = "mail a@b.example { password file \"not/there\" }\n"
                                   "agent anna { skills nothing:1 }\n"
                                   "state \"st\"\nlmtp { listen 127.0.0.1:7724 }\n";
        struct arena *a AUTO_ARENA = arena_new();
        char path[128], want[128];
        const char *address;
        struct err err;

        (void)state;
        case_begin();
        case_write("helpline.conf", text, strlen(text), 0600);
        snprintf(path, sizeof path, "%s/helpline.conf", case_dir);
        snprintf(want, sizeof want, "unix:%s/st/agents.sock", case_dir);
        assert_int_equal(config_find_socket(path, a, &address, &err), 0);
        assert_string_equal(address, want);
        assert_int_equal(config_find_lmtp(path, a, &address, &err), 0);
        assert_string_equal(address, "127.0.0.1:7724");
        assert_int_equal(config_find_socket("/nowhere", a, &address, &err), -1);
        assert_string_equal(
            err.text, "cannot read '/nowhere': No such file or directory");
        case_end();
}

/* ---- limits ---- */

/* How many errors, and the text, of a configuration in memory. */
static unsigned
errors_of(const char *text, size_t n, char *first, size_t room)
{
        struct config_report r = {0};
        struct config *c = NULL;
        unsigned n_errors;

        config_load_text("/desk/helpline.conf", text, n, &c, &r);
        snprintf(first, room, "%s", buf_str(&r.text));
        n_errors = r.n_errors;
        config_report_fini(&r);
        config_free(&c);
        return n_errors;
}

static void
repeat(struct buf *b, const char *what, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                buf_adds(b, what);
}

static void
test_limits(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char first[400];

        (void)state;
        repeat(&b, "agent a {", 40);
        assert_true(errors_of(b.data, b.len, first, sizeof first) > 0);
        assert_non_null(strstr(first, "unknown option 'agent' in agent"));
        buf_clear(&b);
        repeat(&b, "form x {", 40);
        errors_of(b.data, b.len, first, sizeof first);
        assert_non_null(strstr(first, "unknown option 'form' in form"));
        buf_clear(&b);
        repeat(&b, "archive x {", 40);
        errors_of(b.data, b.len, first, sizeof first);
        assert_non_null(strstr(first, "'archive' is not part of this version"));
        buf_clear(&b);
        repeat(&b, "x{", 40);
        assert_int_equal(errors_of(b.data, b.len, first, sizeof first), 2);
        assert_non_null(
            strstr(first, "helpline.conf:1:66: error: blocks nest deeper than 32"));
        buf_clear(&b);
        repeat(&b, "skills\n", 10001);
        assert_true(errors_of(b.data, b.len, first, sizeof first) > 1);
        buf_clear(&b);
        buf_adds(&b, "tag a when ");
        repeat(&b, "(", 40);
        assert_int_equal(errors_of(b.data, b.len, first, sizeof first), 1);
        assert_non_null(strstr(first, "this condition nests deeper than 32"));
        buf_clear(&b);
        buf_adds(&b, "tag a when subject is x");
        repeat(&b, " or subject is x", 300);
        assert_int_equal(errors_of(b.data, b.len, first, sizeof first), 1);
        assert_non_null(strstr(first, "more than 200 'or' in a row"));
}

static void
test_file_limits(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct config_report r = {0};
        struct config *c = NULL;

        (void)state;
        case_begin();
        repeat(&b, "# 0123456789\n", 90000);
        case_write("helpline.conf", b.data, b.len, 0600);
        assert_int_equal(case_load(&c, &r), -1);
        assert_non_null(
            strstr(buf_str(&r.text), "helpline.conf': it is longer than 1 MB"));
        config_report_fini(&r);
        for (int i = 0; i < 20; i++) {
                char name[32], text[64];

                snprintf(name, sizeof name, i == 0 ? "helpline.conf" : "%d.conf", i);
                snprintf(text, sizeof text, "include \"%d.conf\"\n", i + 1);
                case_write(name, text, strlen(text), 0600);
        }
        assert_int_equal(case_load(&c, &r), -1);
        assert_string_equal(buf_str(&r.text),
            "15.conf:1:9: error: includes nest deeper than 16\n"
            "    include \"16.conf\"\n"
            "            ^~~~~~~~~\n");
        config_report_fini(&r);
        case_end();
}

/* A megabyte of rubbish of each kind costs well under a second. */
/* A column on a line of 250 KB, and a guess among 100,000 names, cost little. */
static void
test_long_lines_and_lists(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char first[400];
        clock_t start = clock();

        (void)state;
        buf_adds(&b, "mail s@d.example;agent anna;");
        repeat(&b, "tag a when subject is x;", 9900);
        errors_of(b.data, b.len, first, sizeof first);
        buf_clear(&b);
        buf_adds(&b, "skills");
        for (unsigned i = 0; i < 100000; i++)
                buf_addf(&b, " s%u", i);
        for (unsigned i = 0; i < 200; i++)
                buf_addf(&b, "\nneed qs%u:3", i);
        errors_of(b.data, b.len, first, sizeof first);
        assert_true(clock() - start < (SANITIZED ? 60 : 12) * CLOCKS_PER_SEC);
}

static void
test_linear(void **state)
{
        static const char *const rubbish[] = {"{", "}", "(", "\"", "«", "a ", "a;", "a{",
            "\n", ",", "#", "agent a;", "list a b@c.d\n", "skills a ", "'",
            "tag a when text is x and ", "\\", "a\n", "password x\n", "mail a@b.c {\n",
            "include x\n", "\xff", "smtp://a:b@c "};
        char first[400];

        (void)state;
        for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
                struct buf b AUTO_BUF = BUF_INIT;
                clock_t start = clock();

                repeat(&b, rubbish[i], (unsigned)(FEWER(1000000) / strlen(rubbish[i])));
                errors_of(b.data, b.len, first, sizeof first);
                if (clock() - start > 10 * CLOCKS_PER_SEC)
                        fail_msg("a megabyte of '%s' took too long", rubbish[i]);
        }
}

static void
read_page(const char *path, char *to, size_t room)
{
        FILE *f = fopen(path, "r");

        assert_non_null(f);
        assert_true(fread(to, 1, room, f) > 0);
        fclose(f);
}

/* Every option has its line in one of the manual pages, and its words there are true. */
static void
test_manual_is_complete(void **state)
{
        char *page = calloc(1, 1 << 18), want[200];

        (void)state;
        read_page("docs/helpline.conf.5", page, 1 << 17);
        read_page("docs/routing.conf.5", page + strlen(page), 1 << 17);
        for (size_t i = 0; i < n_options; i++) {
                const struct option *o = &options[i];

                if (o->type == TYPE_LATER)
                        continue;
                snprintf(want, sizeof want, ".It Ic %s", o->name);
                if (strstr(page, want) == NULL)
                        fail_msg("'%s' of block '%s' is not in docs/*.conf.5", o->name,
                            block_name(o->block));
                if (o->fallback[0] != '\0' && strstr(page, o->fallback) == NULL)
                        fail_msg("default '%s' of '%s' is not in the manual", o->fallback,
                            o->name);
        }
        free(page);
}

static void
test_samples_are_clean(void **state)
{
        static const char *const samples[] = {
            "config/helpline.conf", "config/demo/helpline.conf"};

        (void)state;
        unsetenv("HELPLINE_TEMPLATES");
        for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
                struct config_report r = {0};
                struct config *c = NULL;

                assert_int_equal(config_load(samples[i], &c, &r), 0);
                assert_string_equal(buf_str(&r.text), "");
                config_free(&c);
                config_report_fini(&r);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_smallest),
            cmocka_unit_test(test_whole),
            cmocka_unit_test(test_look_ups),
            cmocka_unit_test(test_forms_and_phones),
            cmocka_unit_test(test_find_sockets),
            cmocka_unit_test(test_limits),
            cmocka_unit_test(test_file_limits),
            cmocka_unit_test(test_long_lines_and_lists),
            cmocka_unit_test(test_linear),
            cmocka_unit_test(test_manual_is_complete),
            cmocka_unit_test(test_samples_are_clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
