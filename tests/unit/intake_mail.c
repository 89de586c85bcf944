/* What intake judges about a mail: person or machine, list, thanks; whom an answer goes to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "daemon/intake.h"

static struct mail_account our_mail = {.address = "support@romashka.ru"};
static struct config config = {.mails = &our_mail, .n_mails = 1};

/* Headers are lines; envelope NULL: not known. */
struct sample {
        const char *headers, *from, *envelope, *subject, *text;
        enum message_kind kind;
        bool marked;
};

#define ANN "ann@customer.example"
#define MARKED true
#define PLAIN false
#define PERSON MESSAGE_MESSAGE
#define AUTO MESSAGE_AUTO_REPLY

static const struct sample samples[] = {
    /* people */
    {"", ANN, ANN, "Printer", "It does not print", PERSON, PLAIN},
    {"", ANN, NULL, "Printer", "It does not print", PERSON, PLAIN},
    {"Auto-Submitted: no", ANN, ANN, "Printer", "It does not print", PERSON, PLAIN},
    {"Auto-Submitted:  No (a person)", ANN, ANN, "Printer", "x", PERSON, PLAIN},
    {"Precedence: first-class", ANN, ANN, "Printer", "x", PERSON, PLAIN},
    {"X-Auto-Response-Suppress: None", ANN, ANN, "Printer", "x", PERSON, PLAIN},
    {"X-Autoreply: no", ANN, ANN, "Printer", "x", PERSON, PLAIN},
    {"", ANN, ANN, "Re: Out of office hours question", "Who is there?", PERSON, PLAIN},
    {"", ANN, ANN, "Out of office hours question", "Who is there?", PERSON, PLAIN},
    {"", ANN, ANN, "Re: Automatic reply: Printer", "Will you come back?", PERSON, PLAIN},
    {"", ANN, ANN, "Absence of sound", "My headset is silent", PERSON, PLAIN},
    {"", ANN, ANN, "Отпуск сотрудника", "Как оформить?", PERSON, PLAIN},
    {"", ANN, ANN, "Read the manual", "and it does not help", PERSON, PLAIN},
    {"", ANN, ANN, "Accepted: what now?", "We have accepted your offer", PERSON, PLAIN},
    {"", "norman@customer.example", ANN, "Printer", "x", PERSON, PLAIN},
    {"", "roberta@customer.example", ANN, "Printer", "x", PERSON, PLAIN},
    {"", "rootsystems@customer.example", ANN, "Printer", "x", PERSON, PLAIN},
    {"Delivered-To: support@romashka.ru", ANN, ANN, "Printer", "x", PERSON, PLAIN},
    {"Return-Path: <" ANN ">", ANN, ANN, "Printer", "x", PERSON, PLAIN},
    {"X-Spam-Flag: NO\nX-Spam-Status: No, score=-1", ANN, ANN, "Printer", "x", PERSON,
        PLAIN},
    {"", ANN, ANN, "What is this?",
        "> This is an automated message\nWho writes such things?\n> Do not reply to this "
        "mail",
        PERSON, PLAIN},
    /* people whose mails a system has marked: no acknowledgement, but a message */
    {"", ANN, "", "Printer", "It does not print", PERSON, MARKED},
    {"Return-Path: <>", ANN, NULL, "Printer", "It does not print", PERSON, MARKED},
    {"Auto-Submitted: auto-generated", ANN, ANN, "Re: [#7] Printer", "Not yet", PERSON,
        MARKED},
    {"Auto-Submitted: auto-generated\nPrecedence: bulk\nX-Auto-Response-Suppress: All\n"
     "X-JIRA-FingerPrint: 1f",
        "jira@customer.example", "jira@customer.example", "[JIRA] (IT-7) Printer",
        "Ann commented: it does not print", PERSON, MARKED},
    {"Precedence: bulk\nX-OTRS-Loop: yes\nX-Powered-By: OTRS", ANN, ANN, "Re: Printer",
        "We have looked, it is broken", PERSON, MARKED},
    {"X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply", ANN, ANN, "Printer",
        "It does not print", PERSON, MARKED},
    {"X-MS-Exchange-Inbox-Rules-Loop: ann@customer.example", ANN, ANN, "Printer",
        "It does not print", PERSON, MARKED},
    {"X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent", ANN, ANN, "Printer",
        "Redirected by a rule", PERSON, MARKED},
    {"Precedence: bulk", ANN, ANN, "Printer", "It does not print", PERSON, MARKED},
    {"Resent-From: boss@customer.example", ANN, ANN, "Printer", "x", PERSON, MARKED},
    {"X-Spam-Flag: YES", ANN, ANN, "Printer", "x", PERSON, MARKED},
    {"X-Loop: customer", ANN, ANN, "Printer", "x", PERSON, MARKED},
    {"Feedback-ID: 1:2:3:crm", ANN, ANN, "Printer", "x", PERSON, MARKED},
    {"List-Unsubscribe: <mailto:u@crm.example>", ANN, "bounce+7@crm.example", "Printer",
        "It does not print", PERSON, MARKED},
    {"", ANN, ANN, "Printer", "I am on vacation, but my printer must print by Monday",
        PERSON, MARKED},
    {"", ANN, ANN, "Пропуск", "Я в отпуске, а пропуск кончается. Продлите!", PERSON,
        MARKED},
    {"", ANN, ANN, "Re: order", "Your robot wrote \"this is an automated message\", why?",
        PERSON, MARKED},
    {"Reply-To: ann@customer.example", "noreply@forms.example", "noreply@forms.example",
        "Contact form", "My printer does not print", PERSON, MARKED},
    {"", "postmaster@customer.example", "postmaster@customer.example",
        "SPF of your mails", "Hello, your SPF record is wrong.", PERSON, MARKED},
    {"", "root@customer.example", "root@customer.example", "Question", "Which port?",
        PERSON, MARKED},
    {"In-Reply-To: <x@y.example>\nAuto-Submitted: auto-replied", ANN, ANN, "Re: Printer",
        "It prints again, but slowly\n> Does it print?", PERSON, MARKED},
    /* automatic replies */
    {"Auto-Submitted: auto-replied", ANN, ANN, "Re: Printer", "I shall read it", AUTO,
        MARKED},
    {"Auto-Submitted: auto-replied (vacation)", ANN, ANN, "Re: x", "Away", AUTO, MARKED},
    {"Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All", ANN, "",
        "Poissa: Re: x", "Palaan 5.5.", AUTO, MARKED},
    {"X-Auto-Response-Suppress: All", ANN, "", "Automatic reply: Printer",
        "I am out of the office.", AUTO, MARKED},
    {"X-Auto-Response-Suppress: All", ANN, "", "Re: Printer", "Back on Monday", AUTO,
        MARKED},
    {"X-Apple-Action: VACATION", ANN, ANN, "Auto reply: x", "Sleeping", AUTO, MARKED},
    {"X-Apple-Criteria: {kind=VACATION,startDate=1}", ANN, ANN, "Re: x", "x", AUTO,
        MARKED},
    {"Precedence: bulk\nX-Autoreply: yes", ANN, ANN, "Away Re: x", "x", AUTO, MARKED},
    {"X-Autorespond: Re: x\nPrecedence: auto_reply", ANN, ANN, "Re: x", "x", AUTO,
        MARKED},
    {"X-Autoreply-From: ann@customer.example", ANN, ANN, "Re: x", "x", AUTO, MARKED},
    {"X-Vacation: yes", ANN, ANN, "Re: x", "x", AUTO, MARKED},
    {"X-FC-MachineGenerated: true", ANN, ANN, "Re: x", "x", AUTO, MARKED},
    {"X-POST-MessageClass: 9; Autoresponder", ANN, ANN, "Re: x", "x", AUTO, MARKED},
    {"Delivered-To: Autoresponder", ANN, ANN, "Re: x", "x", AUTO, MARKED},
    {"Precedence: normal\nPrecedence: auto-reply", ANN, ANN, "Re: x", "x", AUTO, MARKED},
    {"Precedence: junk", ANN, "", "Away from my mail", "Back on Monday", AUTO, MARKED},
    {"X-Cron-Env: <SHELL=/bin/sh>", "root@host.example", "root@host.example",
        "Cron <root@host> backup", "done", AUTO, MARKED},
    {"X-BoxTrapper-Queue: 1", ANN, ANN, "Your email requires verification verify#1", "x",
        AUTO, MARKED},
    {"Precedence: bulk", ANN, ANN, "x", "", AUTO, MARKED},
    {"", "no-reply@shop.example", "no-reply@shop.example", "Order 7", "Thank you", AUTO,
        MARKED},
    {"", "DoNotReply@shop.example", "a@shop.example", "Order 7", "Thank you", AUTO,
        MARKED},
    {"", "noreply-abc@shop.example", "a@shop.example", "Order 7", "Thank you", AUTO,
        MARKED},
    {"", "bounces+17@shop.example", "bounces+17@shop.example", "x", "x", AUTO, MARKED},
    /* no mark in the header: the words */
    {"", ANN, ANN, "Automatic reply: Printer", "I have a lot of mail", AUTO, MARKED},
    {"", ANN, ANN, "Автоответ: Принтер", "Отвечу позже", AUTO, MARKED},
    {"", ANN, ANN, "Автоматический ответ: Принтер", "Нет меня", AUTO, MARKED},
    {"", ANN, ANN, "Нет на работе: Re: Принтер", "Меня нет в офисе до пятницы", AUTO,
        MARKED},
    {"", ANN, ANN, "Отсутствую",
        "Нахожусь в отпуске до 5 мая. По срочным вопросам "
        "обращайтесь к Петру, он вернётся к работе завтра",
        AUTO, MARKED},
    {"", ANN, ANN, "Automatische Antwort: Drucker", "Ich bin im Urlaub", AUTO, MARKED},
    {"", ANN, ANN, "Abwesenheitsnotiz: Drucker", "Ich bin bis Montag weg", AUTO, MARKED},
    {"", ANN, ANN, "Réponse automatique : Imprimante", "Je suis absente", AUTO, MARKED},
    {"", ANN, ANN, "Respuesta automática: Impresora", "Vuelvo el lunes", AUTO, MARKED},
    {"", ANN, ANN, "Risposta automatica: Stampante", "Torno lunedì", AUTO, MARKED},
    {"", ANN, ANN, "Resposta automática: Impressora", "Volto segunda", AUTO, MARKED},
    {"", ANN, ANN, "Automatisch antwoord: Printer", "Ik ben er maandag weer", AUTO,
        MARKED},
    {"", ANN, ANN, "Autosvar: Skrivare", "Tillbaka på måndag", AUTO, MARKED},
    {"", ANN, ANN, "Automatisk svar: Skriver", "Tilbake mandag", AUTO, MARKED},
    {"", ANN, ANN, "Automaattinen vastaus: Tulostin", "Palaan maanantaina", AUTO, MARKED},
    {"", ANN, ANN, "Odpowiedź automatyczna: Drukarka", "Wracam w poniedziałek", AUTO,
        MARKED},
    {"", ANN, ANN, "Automatická odpověď: Tiskárna", "Vrátím se v pondělí", AUTO, MARKED},
    {"", ANN, ANN, "Автоматична відповідь: Принтер", "Буду в понеділок", AUTO, MARKED},
    {"", ANN, ANN, "Otomatik yanıt: Yazıcı", "Pazartesi dönerim", AUTO, MARKED},
    {"", ANN, ANN, "自動返信: プリンター", "休暇をいただいております", AUTO, MARKED},
    {"", ANN, ANN, "Out of Office",
        "Hi,\nI’m out of the\noffice until Monday and I have "
        "limited access\nto email.",
        AUTO, MARKED},
    /* "we have got it" of another desk */
    {"Auto-Submitted: auto-generated", "help@supplier.example", "help@supplier.example",
        "[Ticket#7] Printer",
        "Your request has been received. Do not reply to this mail.", AUTO, MARKED},
    {"X-Auto-Response-Suppress: All", "help@supplier.example", "help@supplier.example",
        "Re: Принтер", "Ваша заявка зарегистрирована, ей присвоен номер 7.", AUTO,
        MARKED},
    {"", "help@supplier.example", "help@supplier.example", "Re: Printer",
        "Thank you for contacting us. A ticket has been created.", PERSON, MARKED},
    /* reports without a report */
    {"Content-Type: multipart/report; report-type=delivery-status",
        "MAILER-DAEMON@mx.example", "", "x", "x", MESSAGE_BOUNCE, MARKED},
    {"Content-Type: multipart/report; report-type=disposition-notification", ANN, ANN,
        "x", "x", MESSAGE_REPORT, MARKED},
    {"", "Mailer-Daemon@mx.example", "x@y.example", "x", "x", MESSAGE_BOUNCE, MARKED},
    {"", "admin@mx.example", "", "Undelivered Mail Returned to Sender", "x",
        MESSAGE_BOUNCE, MARKED},
    {"", "postmaster@mx.example", "", "Undeliverable: x", "x", MESSAGE_BOUNCE, MARKED},
    {"X-Failed-Recipients: a@b.example", ANN, ANN, "x", "x", MESSAGE_BOUNCE, MARKED},
    {"", ANN, ANN, "Прочтено: Принтер", "Ваше сообщение was read on Monday",
        MESSAGE_REPORT, MARKED},
    {"Reply-To: noreply-dmarc@google.example", "reports@google.example", ANN,
        "Report domain: customer.example Submitter: google.example Report-ID: 7", "",
        MESSAGE_REPORT, MARKED},
    {"", "staff@hotmail.example", ANN, " complaint about message from 192.0.2.1", "x",
        MESSAGE_REPORT, MARKED},
    {"", "x@mx.example", ANN, "Mail delivery failed: returning message to sender", "x",
        MESSAGE_BOUNCE, MARKED},
    /* lists */
    {"List-Id: <users.example>\nPrecedence: list\nList-Post: <mailto:u@l.example>", ANN,
        "users-bounces@l.example", "[users] Printer", "Does yours print?", MESSAGE_LIST,
        MARKED},
    {"List-Id: <users.example>\nList-Post: <mailto:u@l.example>\nTo: support@romashka.ru",
        ANN, "users-bounces@l.example", "Printer", "Ours does not print", PERSON, MARKED},
    {"List-Id: <team.google>\nX-Google-Group-Id: 7\nPrecedence: list\n"
     "Mailing-list: list team@customer.example\nList-Unsubscribe: <x>\n"
     "To: support@romashka.ru",
        ANN, "team+bnc@customer.example", "Printer", "Ours does not print", PERSON,
        MARKED},
    {"List-Id: <team.google>\nPrecedence: list", ANN, ANN, "Re: [#7] Printer",
        "It does not print", PERSON, MARKED},
    {"List-Id: <news.shop>\nList-Unsubscribe: <x>\nPrecedence: bulk\nFeedback-ID: 1\n"
     "To: support@romashka.ru",
        "ann@shop.example", "bounce-7@shop.example", "Sale!", "Everything must go",
        MESSAGE_LIST, MARKED},
    {"List-Unsubscribe: <x>\nX-Mailer: MailChimp Mailer", "ann@shop.example",
        "bounce-7@shop.example", "Sale!", "Everything must go", MESSAGE_LIST, MARKED},
    /* our own */
    {"", "support@romashka.ru", "support@romashka.ru", "x", "x", AUTO, MARKED},
    {"", "Support@Romashka.RU", "x@y.example", "x", "x", AUTO, MARKED},
};

static void
message_headers(struct message *m, const char *lines)
{
        while (*lines != '\0') {
                size_t n = strcspn(lines, "\n"), colon = strcspn(lines, ":");
                const char *name = arena_strndup(m->arena, lines, colon);
                const char *value = lines + colon + 1;
                struct header *h;

                value += strspn(value, " ");
                m->headers =
                    arena_grow(m->arena, m->headers, m->n_headers, sizeof *m->headers);
                h = &m->headers[m->n_headers++];
                h->name = name;
                h->value = arena_strndup(m->arena, value, (size_t)(lines + n - value));
                lines += n + (lines[n] == '\n');
        }
}

/* As the helper gives it. */
static struct message *
message_of(const struct sample *s)
{
        struct message *m = message_new();
        const char *to, *quote = strstr(s->text, "\n>");

        message_headers(m, s->headers);
        m->from.address = s->from;
        m->has_envelope = s->envelope != NULL;
        m->envelope_from = s->envelope == NULL ? "" : s->envelope;
        m->subject = s->subject;
        m->text = s->text;
        if (quote != NULL)
                m->new_text = arena_strndup(m->arena, s->text, (size_t)(quote - s->text));
        to = message_header(m, "To");
        if (to != NULL) {
                m->to = arena_alloc(m->arena, sizeof *m->to);
                m->to[0] = (struct mail_address){"", to};
                m->n_to = 1;
        }
        if (message_header(m, "Reply-To") != NULL)
                m->reply_to.address = message_header(m, "Reply-To");
        if (message_header(m, "In-Reply-To") != NULL) {
                m->in_reply_to = arena_alloc(m->arena, sizeof *m->in_reply_to);
                m->in_reply_to[0] = "x@y.example";
                m->n_in_reply_to = 1;
        }
        return m;
}

static const char *
finding_of(const struct message *m, const char *about)
{
        for (size_t i = 0; i < m->n_findings; i++)
                if (strcmp(m->findings[i].about, about) == 0)
                        return m->findings[i].why;
        return "";
}

static void
test_samples(void **state)
{
        int n_wrong = 0;

        (void)state;
        for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
                const struct sample *s = &samples[i];
                struct message *m = message_of(s);

                mail_judge(m, &config, false);
                if (m->kind != s->kind || (*m->machine != '\0') != s->marked) {
                        n_wrong++;
                        print_error(
                            "sample %zu (%s; %s; %s): kind %s, machine '%s': %s\n", i,
                            s->headers, s->subject, s->text, message_kind_name(m->kind),
                            m->machine, finding_of(m, "kind"));
                }
                /* silence is wider than machines: every mark */
                assert_int_equal(*mail_silence(m) != '\0', s->marked);
                message_free(&m);
        }
        assert_int_equal(n_wrong, 0);
}

/* ---- thanks ---- */

static const struct {
        const char *text;
        bool thanks;
} said[] = {
    {"Спасибо!", true},
    {"Большое спасибо, всё заработало", true},
    {"Всё заработало, спасибо!", true},
    {"Добрый день, Анна!\n\nБольшое спасибо за оперативную помощь.\n\nС уважением,\n"
     "Иван Петров\nООО «Лютик», +7 495 123-45-67",
        true},
    {"спс", true},
    {"Благодарю", true},
    {"👍", true},
    {"🙏🏻", true},
    {"Спасибо 👍😊", true},
    {"Работает!", true},
    {"Понял, спасибо", true},
    {"Thanks a lot!", true},
    {"ok thanks", true},
    {"Thank you so much for your quick help!\n\nBest regards,\nJohn Smith\nCEO", true},
    {"It works now, thanks Anna!", true},
    {"Hi Anna,\n\nthat fixed it. Thank you.\n\nSent from my iPhone", true},
    {"Vielen Dank, funktioniert wieder!", true},
    {"Danke schön", true},
    {"Merci beaucoup pour votre aide", true},
    {"Muchas gracias", true},
    {"Grazie mille!", true},
    {"Muito obrigado pela ajuda", true},
    {"Hartelijk bedankt", true},
    {"Tack så mycket!", true},
    {"Kiitos paljon", true},
    {"Dziękuję bardzo za pomoc", true},
    {"Děkuji", true},
    {"Дуже дякую!", true},
    {"Anna reacted to your message:", true},
    {"👍 Anna Ivanova reacted via Gmail", true},
    {"", false},
    {"Спасибо, но не работает", false},
    {"Спасибо, не работает", false},
    {"Спасибо. А когда будет готово?", false},
    {"Спасибо, жду", false},
    {"Спасибо, ещё сломался сканер", false},
    {"Да, спасибо", false},
    {"Спасибо, счёт 1042", false},
    {"Заранее спасибо, пришлите счёт", false},
    {"Здравствуйте!", false},
    {"Ок", false},
    {"Thanks, but it still fails", false},
    {"Thanks, it doesn’t work", false},
    {"Thanks. Can you close it?", false},
    {"Thanks! The other printer too.", false},
    {"Thank you for nothing", false},
    {"Thanks :(", false},
    {"No thanks", false},
    {"👎", false},
    {"👎 Anna Ivanova reacted via Gmail", false},
    {"Danke, aber es geht nicht", false},
    {"Merci, mais ça ne marche pas", false},
    {"Thanks!\n\nRegards,\nJohn\n\nP.S. the scanner is dead", false},
    {"Thanks!\n\nRegards,\nJohn\nAnd the scanner?", false},
};

static void
test_thanks(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
                struct message *m = message_new();

                m->subject = "Re: [#1042] Printer";
                m->text = said[i].text;
                m->from.address = ANN;
                mail_judge(m, &config, false);
                if ((m->kind == MESSAGE_THANKS) != said[i].thanks)
                        fail_msg("'%s': %s", said[i].text, message_kind_name(m->kind));
                message_free(&m);
        }
}

/* What opens a ticket says in its subject what it wants; a file says something too. */
static void
test_thanks_of_a_mail(void **state)
{
        struct message *m = message_new();
        struct attachment file = {"2", "screen.png", "image/png", 200000, "", false};

        (void)state;
        m->from.address = ANN;
        m->subject = "My printer is broken";
        m->text = "Спасибо!";
        mail_judge(m, &config, false);
        assert_int_equal(m->kind, MESSAGE_MESSAGE);
        m->subject = "Re: [#7] printer";
        mail_judge(m, &config, false);
        assert_int_equal(m->kind, MESSAGE_THANKS);
        assert_string_equal(m->machine, "");
        assert_string_equal(mail_silence(m), "thanks need no answer");
        m->attachments = &file;
        m->n_attachments = 1;
        mail_judge(m, &config, false);
        assert_int_equal(m->kind, MESSAGE_MESSAGE);
        file.is_inline = true;
        file.size = 3000;
        mail_judge(m, &config, false);
        assert_int_equal(m->kind, MESSAGE_THANKS);
        message_free(&m);
}

/* ---- reports ---- */

static void
test_report(void **state)
{
        static const struct {
                const char *type, *subject;
                enum message_kind kind;
        } reports[] = {{"failure", "Undelivered Mail", MESSAGE_BOUNCE},
            {"delay", "Delayed", MESSAGE_REPORT},
            {"success", "Delivered", MESSAGE_REPORT}, {"abuse", "Abuse", MESSAGE_REPORT},
            {"disposition", "Read", MESSAGE_REPORT},
            {"failure", "Fwd: Undelivered Mail", MESSAGE_MESSAGE}};

        (void)state;
        for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
                struct message *m = message_new();
                struct mail_report r = {.type = reports[i].type, .system = ""};

                m->from.address = ANN;
                m->subject = reports[i].subject;
                m->text = "What does this mean?";
                m->report = &r;
                mail_judge(m, &config, false);
                assert_int_equal(m->kind, reports[i].kind);
                assert_int_equal(m->report == NULL, m->kind == MESSAGE_MESSAGE);
                message_free(&m);
        }
}

/* A try that was overtaken leaves no findings behind. */
static void
test_judged_twice(void **state)
{
        struct message *m = message_of(&samples[0]);
        size_t n;

        (void)state;
        mail_judge(m, &config, false);
        n = m->n_findings;
        mail_judge(m, &config, false);
        assert_int_equal(m->n_findings, n);
        assert_string_equal(finding_of(m, "kind"), "nothing speaks for a machine");
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
        m->from.address = "noreply@forms.example";
        m->reply_to.address = "anna@firma.example";
        assert_string_equal(mail_answer_address(m, m->arena), "anna@firma.example");
        m->from.address = "";
        m->reply_to.address = "not an address";
        assert_string_equal(mail_answer_address(m, m->arena), "");
        message_free(&m);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_samples),
            cmocka_unit_test(test_thanks),
            cmocka_unit_test(test_thanks_of_a_mail),
            cmocka_unit_test(test_report),
            cmocka_unit_test(test_judged_twice),
            cmocka_unit_test(test_own_token),
            cmocka_unit_test(test_answer_address),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
