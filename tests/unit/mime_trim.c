/*
 * What is new in a text: samples of the programs and languages of the world, the traps
 * that look like quotes, properties over mixtures of all of them, time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "channels/helper_mime_trim.h"
#include "daemon/base/buf.h"

#define N_OF(table) (sizeof(table) / sizeof(table)[0])

static struct message *
trimmed(const char *subject, const char *text, const struct text_marks *marks)
{
        struct message *m = message_new();

        m->subject = arena_strdup(m->arena, subject);
        m->text = arena_strdup(m->arena, text);
        mime_trim(m, marks);
        return m;
}

/* What the agent sees first. */
static const char *
shown(const struct message *m)
{
        return m->new_text[0] != '\0' ? m->new_text : m->text;
}

/* Samples go on after a wrong one: all of a table are seen at once. */
static int n_wrong;

static int
samples_end(void **state)
{
        int wrong = n_wrong;

        (void)state;
        n_wrong = 0;
        return wrong;
}

static void
expect(const char *subject, const char *text, const char *want)
{
        struct message *m = trimmed(subject, text, NULL);

        if (strcmp(shown(m), want) != 0) {
                print_error("of\n%s\nwanted\n%s\ngot\n%s\n----\n", text, want, shown(m));
                n_wrong++;
        }
        message_free(&m);
}

static void
expect_kept(const char *text)
{
        expect("", text, text);
}

/* ---- attributions ---- */

static const char *const attributions[] = {
    /* English */
    "On Mon, Nov 23, 2026 at 10:00 AM Ann Lee <ann@example.com> wrote:",
    "On 23 Nov 2026, at 10:00, Ann Lee <ann@example.com> wrote:",
    "On 23/11/2026 10:00, Ann Lee wrote:",
    "On 2026-11-23 10:00, Ann Lee wrote:",
    "On Monday, November 23, 2026 at 10:00:00 AM GMT+3, Ann Lee <ann@example.com> wrote:",
    "On Nov 23, 2026 10:00 AM, \"Ann Lee\" <ann@example.com> wrote:",
    "On Mon, 23 Nov 2026 10:00:00 +0300 Ann Lee <ann@example.com> wrote:",
    "Ann Lee <ann@example.com> wrote on 23.11.2026 10:00:00:",
    "Ann Lee <ann@example.com> writes:",
    "Quoting Ann Lee <ann@example.com>:",
    "In article <abc@example.com>, Ann Lee wrote:",
    "* Ann Lee <ann@example.com> [2026-11-23 10:00]:",
    "Monday, November 23, 2026, 10:00:00 AM, you wrote:",
    "---- On Mon, 23 Nov 2026 10:00:00 +0300 Ann Lee <ann@example.com> wrote ----",
    "2026-11-23 10:00 GMT+03:00 Ann Lee <ann@example.com>:",
    "2026/11/23 Ann Lee <ann@example.com>",
    /* Russian */
    "пн, 23 нояб. 2026 г. в 10:00, Анна Ли <ann@example.com>:",
    "пн, 23 нояб. 2026 г. в 10:00, Анна Ли <ann@example.com>:",
    "23 ноября 2026 г., в 10:00, Анна Ли <ann@example.com> написал(а):",
    "Понедельник, 23 ноября 2026, 10:00 +03:00 от Анна Ли <ann@example.com>:",
    "23.11.2026, 10:00, \"Анна Ли\" <ann@example.com>:",
    "23.11.2026 10:00, Анна Ли пишет:",
    "Вы писали 23 ноября 2026 г., 10:00:00:",
    "23 ноября 2026 г. 10:00 пользователь Анна Ли <ann@example.com> написал:",
    "В письме от 23 ноября 2026 10:00:00 пользователь Анна Ли написал:",
    "В Пн, 23/11/2026 в 10:00 +0300, Анна Ли пишет:",
    /* Ukrainian, Belarusian, Bulgarian, Serbian */
    "пн, 23 лист. 2026 р. о 10:00 Анна Лі <ann@example.com> пише:",
    "23 листопада 2026 р. 10:00 Анна Лі <ann@example.com> написав(ла):",
    "На пн, 23.11.2026 г. в 10:00 ч. Анна Ли <ann@example.com> написа:",
    /* German */
    "Am 23.11.2026 um 10:00 schrieb Ann Lee:",
    "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Ann Lee <ann@example.com>:",
    "Ann Lee <ann@example.com> schrieb am Mo., 23. Nov. 2026, 10:00:",
    "Am 23. November 2026 10:00:00 MEZ schrieb Ann Lee <ann@example.com>:",
    "Zitat von Ann Lee <ann@example.com>:",
    /* French */
    "Le lun. 23 nov. 2026 à 10:00, Ann Lee <ann@example.com> a écrit :",
    "Le 23/11/2026 à 10:00, Ann Lee a écrit :",
    "Le 23 nov. 2026 à 10h00, Ann Lee <ann@example.com> a écrit :",
    /* Spanish, Catalan */
    "El lun, 23 nov 2026 a las 10:00, Ann Lee (<ann@example.com>) escribió:",
    "El 23/11/26 a las 10:00, Ann Lee escribió:",
    "El lunes, 23 de noviembre de 2026 10:00:00 CET, Ann Lee <ann@example.com> escribió:",
    /* Italian */
    "Il giorno lun 23 nov 2026 alle ore 10:00 Ann Lee <ann@example.com> ha scritto:",
    "Il 23/11/2026 10:00, Ann Lee ha scritto:",
    "Il lunedì 23 novembre 2026, Ann Lee <ann@example.com> ha scritto:",
    /* Portuguese */
    "Em seg., 23 de nov. de 2026 às 10:00, Ann Lee <ann@example.com> escreveu:",
    "Em 23/11/2026 10:00, Ann Lee escreveu:",
    /* Dutch */
    "Op ma 23 nov. 2026 om 10:00 schreef Ann Lee <ann@example.com>:",
    "Op 23-11-2026 om 10:00 schreef Ann Lee:",
    "Op 23 nov. 2026 om 10:00 heeft Ann Lee <ann@example.com> het volgende geschreven:",
    /* Polish */
    "pon., 23 lis 2026 o 10:00 Ann Lee <ann@example.com> napisał(a):",
    "W dniu 23.11.2026 o 10:00, Ann Lee pisze:",
    "Dnia 23 listopada 2026 10:00 Ann Lee <ann@example.com> napisał(a):",
    "W dniu pon., 23.11.2026 o 10:00 Ann Lee <ann@example.com> napisał(a):",
    /* Swedish, Danish, Norwegian, Finnish */
    "Den mån 23 nov. 2026 kl 10:00 skrev Ann Lee <ann@example.com>:",
    "Den 2026-11-23 kl. 10:00, skrev Ann Lee:",
    "Den man. 23. nov. 2026 kl. 10.00 skrev Ann Lee <ann@example.com>:",
    "man. 23. nov. 2026 kl. 10:00 skrev Ann Lee <ann@example.com>:",
    "ma 23. marrask. 2026 klo 10.00 Ann Lee (ann@example.com) kirjoitti:",
    "Ann Lee kirjoitti 23.11.2026 klo 10.00:",
    /* Czech, Slovak, Hungarian, Romanian, Greek */
    "po 23. 11. 2026 v 10:00 odesílatel Ann Lee <ann@example.com> napsal:",
    "Dne 23. 11. 2026 v 10:00 Ann Lee napsal(a):",
    "po 23. 11. 2026 o 10:00 Ann Lee <ann@example.com> napísal(a):",
    "Ann Lee <ann@example.com> ezt írta (időpont: 2026. nov. 23., H, 10:00):",
    "În lun., 23 nov. 2026 la 10:00, Ann Lee <ann@example.com> a scris:",
    "Στις Δευ 23 Νοε 2026 στις 10:00 π.μ., ο χρήστης Ann Lee <ann@example.com> έγραψε:",
    /* Turkish, Vietnamese */
    "Ann Lee <ann@example.com>, 23 Kas 2026 Pzt, 10:00 tarihinde şunu yazdı:",
    "23.11.2026 10:00 tarihinde Ann Lee yazdı:",
    "Vào Th 2, 23 thg 11, 2026 vào lúc 10:00 Ann Lee <ann@example.com> đã viết:",
    /* Chinese, Japanese, Korean */
    "Ann Lee <ann@example.com> 于2026年11月23日周一 10:00写道：",
    "在 2026年11月23日，10:00，Ann Lee <ann@example.com> 写道：",
    "Ann Lee <ann@example.com> 於 2026年11月23日 週一 上午10:00寫道：",
    "2026年11月23日(月) 10:00 Ann Lee <ann@example.com>:",
    "2026/11/23 10:00、Ann Lee <ann@example.com>のメール:",
    "2026년 11월 23일 (월) 오전 10:00, Ann Lee <ann@example.com>님이 작성:",
};

static void
test_attributions(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_OF(attributions); i++) {
                char text[2000];

                snprintf(text, sizeof text,
                    "Yes, that is right.\n\n%s\n\n> Is it?\n> Tell me.\n",
                    attributions[i]);
                expect("", text, "Yes, that is right.");
                snprintf(text, sizeof text, "Yes, that is right.\n%s\n> Is it?\n",
                    attributions[i]);
                expect("", text, "Yes, that is right.");
                /* As phones do: the quote has no >. */
                snprintf(text, sizeof text, "Yes.\n\n%s\n\nIs it right?\n\nAnn\n",
                    attributions[i]);
                expect("", text, "Yes.");
                /* Below the quote. */
                snprintf(text, sizeof text, "%s\n> Is it right?\n> Ann\n\nYes.\n",
                    attributions[i]);
                expect("", text, "Yes.");
        }
}

/* Wherever a program wraps it. */
static void
test_attributions_wrapped(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_OF(attributions); i++) {
                for (const char *p = strchr(attributions[i], ' '); p != NULL;
                     p = strchr(p + 1, ' ')) {
                        char text[2000];

                        if (p - attributions[i] < 12)
                                continue;
                        snprintf(text, sizeof text,
                            "Yes, that is right.\n\n%.*s\n%s\n\n> Is it?\n> Tell me.\n",
                            (int)(p - attributions[i]), attributions[i], p + 1);
                        expect("", text, "Yes, that is right.");
                }
        }
}

/* ---- header blocks ---- */

static const char *const header_blocks[] = {
    "From: Ann Lee <ann@example.com>\nSent: Monday, November 23, 2026 10:00 AM\n"
    "To: Support <support@example.org>\nSubject: RE: Pump",
    "From: Ann Lee\nDate: Monday, 23 November 2026 at 10:00\nTo: "
    "support@example.org\nSubject: Pump",
    "*From:* Ann Lee [mailto:ann@example.com]\n*Sent:* Monday, November 23, 2026 10:00 "
    "AM\n"
    "*To:* Support\n*Cc:* Bob\n*Subject:* Pump",
    "От: Анна Ли <ann@example.com>\nОтправлено: 23 ноября 2026 г. 10:00\n"
    "Кому: Поддержка <support@example.org>\nТема: Насос",
    "От: Анна Ли\nДата: понедельник, 23 ноября 2026 г. в 10:00\nКому: "
    "support@example.org\n"
    "Копия: Боб\nТема: Re: Насос",
    "Від: Анна Лі <ann@example.com>\nНадіслано: 23 листопада 2026 р. 10:00\nКому: "
    "Підтримка\nТема: Насос",
    "Von: Ann Lee <ann@example.com>\nGesendet: Montag, 23. November 2026 10:00\nAn: "
    "Hilfe\nBetreff: AW: Pumpe",
    "De : Ann Lee <ann@example.com>\nEnvoyé : lundi 23 novembre 2026 10:00\nÀ : "
    "Aide\nObjet : RE: Pompe",
    "De: Ann Lee <ann@example.com>\nEnviado el: lunes, 23 de noviembre de 2026 "
    "10:00\nPara: Ayuda\nAsunto: Bomba",
    "De: Ann Lee <ann@example.com>\nEnviada em: segunda-feira, 23 de novembro de 2026 "
    "10:00\nPara: Ajuda\nAssunto: Bomba",
    "Da: Ann Lee <ann@example.com>\nInviato: lunedì 23 novembre 2026 10:00\nA: "
    "Aiuto\nOggetto: Pompa",
    "Van: Ann Lee <ann@example.com>\nVerzonden: maandag 23 november 2026 10:00\nAan: "
    "Hulp\nOnderwerp: Pomp",
    "Od: Ann Lee <ann@example.com>\nWysłano: poniedziałek, 23 listopada 2026 10:00\nDo: "
    "Pomoc\nTemat: Pompa",
    "Från: Ann Lee <ann@example.com>\nSkickat: den 23 november 2026 10:00\nTill: "
    "Hjälp\nÄmne: Pump",
    "Fra: Ann Lee <ann@example.com>\nSendt: 23. november 2026 10:00\nTil: Hjelp\nEmne: "
    "Pumpe",
    "Lähettäjä: Ann Lee <ann@example.com>\nLähetetty: maanantai 23. marraskuuta 2026 "
    "10.00\n"
    "Vastaanottaja: Apu\nAihe: Pumppu",
    "Od: Ann Lee <ann@example.com>\nOdesláno: pondělí 23. listopadu 2026 10:00\nKomu: "
    "Pomoc\nPředmět: Čerpadlo",
    "Kimden: Ann Lee <ann@example.com>\nGönderildi: 23 Kasım 2026 Pazartesi 10:00\nKime: "
    "Destek\nKonu: Pompa",
    "发件人: Ann Lee <ann@example.com>\n发送时间: 2026年11月23日 10:00\n收件人: "
    "支持\n主题: 泵",
    "差出人: Ann Lee <ann@example.com>\n送信日時: 2026年11月23日 10:00\n宛先: "
    "サポート\n件名: ポンプ",
    "보낸 사람: Ann Lee <ann@example.com>\n보낸 날짜: 2026년 11월 23일 10:00\n받는 사람: "
    "지원\n제목: 펌프",
};

static void
test_header_blocks(void **state)
{
        static const char *const above[] = {"", "________________________________\n",
            "-----Original Message-----\n", "-----Исходное сообщение-----\n",
            "________________________________\n\n", " ------------------------------\n\n",
            "-----Ursprüngliche Nachricht-----\n",
            "-------- Original Message --------\n"};

        (void)state;
        for (size_t i = 0; i < N_OF(header_blocks); i++)
                for (size_t k = 0; k < N_OF(above); k++) {
                        char text[2000];

                        snprintf(text, sizeof text,
                            "Да, верно.\n\n%s%s\n\nThe pump leaks.\n\nAnn\n", above[k],
                            header_blocks[i]);
                        expect("", text, "Да, верно.");
                }
}

/* ---- lines that programs append ---- */

static void
test_mobile(void **state)
{
        static const char *const lines[] = {"Sent from my iPhone",
            "Sent from my Galaxy S24", "Sent from my mobile device, please excuse typos",
            "Get Outlook for iOS<https://aka.ms/o0ukef>", "Get Outlook for Android",
            "Sent from Mail for Windows", "Sent from Yahoo Mail for iPhone",
            "Sent with Proton Mail secure email.", "Отправлено с iPhone",
            "Отправлено с моего iPhone", "Отправлено из мобильной Почты Mail.ru",
            "Отправлено из Почты Mail.ru",
            "Отправлено с помощью мобильного приложения Яндекс Почта",
            "Отправлено из Outlook для iOS", "Надіслано з iPhone",
            "Von meinem iPhone gesendet", "Gesendet mit der GMX Mail App",
            "Outlook für Android beziehen", "Envoyé de mon iPhone",
            "Envoyé depuis mon Samsung Galaxy", "Télécharger Outlook pour Android",
            "Enviado desde mi iPhone", "Enviado do meu iPhone",
            "Obtener Outlook para Android", "Inviato da iPhone",
            "Inviato da Outlook per Android", "Verzonden vanaf mijn iPhone",
            "Verstuurd vanaf mijn iPad", "Wysłane z iPhone'a", "Skickat från min iPhone",
            "Sendt fra min iPhone", "Lähetetty iPhonesta", "Odesláno z iPhonu",
            "iPhone'umdan gönderildi", "发自我的iPhone", "iPhoneから送信",
            "나의 iPhone에서 보냄"};

        (void)state;
        for (size_t i = 0; i < N_OF(lines); i++) {
                char text[500];

                snprintf(text, sizeof text, "It leaks.\n\n%s\n", lines[i]);
                expect("", text, "It leaks.");
                snprintf(text, sizeof text,
                    "It leaks.\n\n%s\n\nOn Mon, Nov 23, 2026 at 10:00 Ann "
                    "<a@example.com> wrote:\n\n> x\n",
                    lines[i]);
                expect("", text, "It leaks.");
        }
        expect_kept("It leaks.\n\nSent from my desk, it is easier than from the phone.");
        expect_kept("Груз:\n\nОтправлено через СДЭК, трек 1234567890");
        expect_kept("Gesendet von Berlin am 1. Mai.\nWo bleibt das Paket?");
        expect_kept("Sent from my iPhone");
}

static void
test_signatures(void **state)
{
        (void)state;
        expect("", "It leaks.\n\n-- \nAnn Lee\nHead of Pumps\n+7 495 000-00-00\n",
            "It leaks.");
        expect("", "It leaks.\n--\nAnn", "It leaks.");
        expect("", "It leaks.\n\n—\nAnn Lee", "It leaks.");
        expect("", "It leaks.\n\n__\nAnn Lee\nann@example.com", "It leaks.");
        expect("",
            "Насос течёт.\n\nС уважением,\nАнна Ли\nООО «Ромашка»\nтел. +7 (495) "
            "000-00-00\nwww.example.ru\n",
            "Насос течёт.");
        expect(
            "", "Насос течёт.\n\nС уважением, Анна Ли\n+7 495 000 00 00", "Насос течёт.");
        expect("",
            "It leaks.\n\nBest regards,\n\nAnn Lee\nann@example.com | +44 20 0000 0000",
            "It leaks.");
        expect("",
            "Die Pumpe leckt.\n\nMit freundlichen Grüßen\n\nAnn Lee\nTel.: 030 0000000",
            "Die Pumpe leckt.");
        expect("", "Has leaked.\n\n-Ann Lee", "Has leaked.");
        /* A name alone tells who writes, and costs nothing. */
        expect_kept("It leaks.\n\nThanks,\nAnn");
        expect_kept("Thanks,");
        expect_kept("С уважением,\nАнна");
        /* Both sides of the quote. */
        expect("",
            "It leaks.\n\n-- \nAnn\n\nOn 23/11/2026 10:00, Bob wrote:\n> Does it?\n",
            "It leaks.");
        expect("",
            "It leaks.\n\nOn 23/11/2026 10:00, Bob wrote:\n> Does it?\n\n-- \nAnn\n",
            "It leaks.");
}

static void
test_footers(void **state)
{
        (void)state;
        expect("",
            "It leaks.\n\nCONFIDENTIALITY NOTICE: This email and any attachments are "
            "confidential "
            "and intended solely for the addressee. If you have received this email in "
            "error please "
            "notify the sender and delete it.\n",
            "It leaks.");
        expect("",
            "Насос течёт.\n\nНастоящее сообщение и вложения содержат конфиденциальную "
            "информацию и "
            "предназначены исключительно для адресата. Если вы получили это сообщение по "
            "ошибке, удалите его.",
            "Насос течёт.");
        expect("",
            "Die Pumpe leckt.\n\nDiese E-Mail enthält vertrauliche Informationen. Wenn "
            "Sie nicht der "
            "richtige Adressat sind, vernichten Sie diese E-Mail.",
            "Die Pumpe leckt.");
        expect("",
            "La pompe fuit.\n\nCe message et ses pièces jointes sont confidentiels et "
            "établis à "
            "l'intention exclusive de leurs destinataires.",
            "La pompe fuit.");
        expect("", "It leaks.\n\nVirus-free. www.avast.com", "It leaks.");
        expect(
            "", "Течёт.\n\nБез вирусов. www.avast.ru <https://www.avast.ru>", "Течёт.");
        expect("",
            "It leaks.\n_______________________________________________\npumps mailing "
            "list\n"
            "pumps@lists.example.org\nhttps://lists.example.org/mailman/listinfo/pumps\n",
            "It leaks.");
        expect("",
            "It leaks.\n\n-- \nYou received this message because you are subscribed to "
            "the Google "
            "Groups \"pumps\" group.\nTo unsubscribe from this group, send an email to "
            "x@example.org.\n",
            "It leaks.");
        expect_kept("Hello,\n\nI want to unsubscribe from your newsletter.");
        expect_kept("Hello,\n\nUnsubscribe me please!");
        expect_kept("Is our contract confidential?\n\nCan you tell me?");
}

static void
test_banners(void **state)
{
        (void)state;
        expect("", "[EXTERNAL]\n\nIt leaks.", "It leaks.");
        expect("",
            "CAUTION: This email originated from outside of the organization. Do not "
            "click links or "
            "open attachments unless you recognize the sender.\n\nIt leaks.",
            "It leaks.");
        expect("",
            "CAUTION: This email originated from outside of the organization.\nDo not "
            "click links or "
            "open attachments unless you\nrecognize the sender and know the content is "
            "safe.\n\nIt leaks.",
            "It leaks.");
        expect("", "Внимание! Внешний отправитель.\n\nТечёт.", "Течёт.");
        expect("",
            "You don't often get email from ann@example.com. Learn why this is "
            "important\n\nIt leaks.",
            "It leaks.");
        expect_kept("[EXTERNAL] doors of the building are broken.");
        expect_kept("[EXTERNAL]");
}

static void
test_above_line(void **state)
{
        (void)state;
        expect("",
            "It leaks.\n\n##- Please type your reply above this line -##\n\nYour request "
            "was received.\n",
            "It leaks.");
        expect("",
            "Течёт.\n\n--- Пожалуйста, пишите выше этой линии ---\n\nВаше обращение "
            "принято.",
            "Течёт.");
        expect("", "##- Please type your reply above this line -##\n\nIt leaks.",
            "It leaks.");
}

/* ---- answers between quotes, quotes that are content ---- */

static void
test_between(void **state)
{
        (void)state;
        expect("",
            "Hello,\nOn 23/11/2026 10:00, Ann wrote:\n> Does it leak?\n\nYes.\n\n> "
            "Much?\n\nVery.\n\n> Bye\n",
            "Hello,\n> Does it leak?\n\nYes.\n\n> Much?\n\nVery.");
        expect("",
            "On 23/11/2026 10:00, Ann wrote:\n> Does it leak?\n\nYes.\n\n> "
            "Much?\n\nVery.\n",
            "> Does it leak?\n\nYes.\n\n> Much?\n\nVery.");
        expect_kept("> This is what the manual says.\n\nAnd it is wrong.");
        expect_kept("The log:\n> error 17\n> error 18");
        expect_kept("> select 1;\n1\n> select 2;\n2");
        expect_kept(">>> import pump\n>>> pump.leaks()\nTrue");
        expect("", "> On 23/11/2026 10:00, Ann wrote:\n>\n> Does it?\n\nYes.",
            "> On 23/11/2026 10:00, Ann wrote:\n>\n> Does it?\n\nYes.");
        expect("",
            "Yes.\n\n> On 23/11/2026 10:00, Ann <a@example.com> wrote:\n>\n> Does it?\n",
            "Yes.");
        expect("Re: Насос",
            "Здравствуйте, Анна.\n\nВы писали 23 ноября 2026 г., 10:00:00:\n\nАЛ> "
            "Течёт?\nАЛ> Сильно?\n\nДа.\n",
            "Здравствуйте, Анна.\n\n\nАЛ> Течёт?\nАЛ> Сильно?\n\nДа.");
        expect("Re: Насос",
            "Да.\n\nВы писали 23 ноября 2026 г., 10:00:00:\n\nАЛ> Течёт?\nАЛ> Сильно?\n",
            "Да.");
        expect("Re: pump", "Yes.\n\n> Does it leak?\n> Tell me.\n", "Yes.");
        expect("", "Yes.\n2013/7/20 Ann <a@example.com>\n\n| Does it leak?\n|\n", "Yes.");
}

static void
test_traps(void **state)
{
        (void)state;
        expect_kept("From: the old tank\nTo: the new tank\nwe pump water.");
        expect_kept("I fly\nFrom: London\nTo: Paris\nDate: 2026-11-23\nPlease book it.");
        expect_kept("I got this:\n\nFrom: a@b.example\nTo: c@d.example\nSubject: "
                    "win\n\nIs it yours?");
        expect_kept("From: what I see, the pump leaks.");
        expect_kept("First part.\n\n---\n\nSecond part, does it work?");
        expect_kept(
            "First.\n---\nSecond is long enough to be a real sentence.\n---\nThird");
        expect_kept("Item   Price\n-----  -----\nPump   10\nTube   20.");
        expect_kept("-- pump\n-- tube\n-- tank");
        expect_kept("Run this:\n\nselect 1; -- comment\nselect 2;");
        expect_kept("a\n--\nb\n--\nc\n--\nd");
        expect_kept("On this day\n\nI wrote something\n\nwhich was long.");
        expect_kept("On Thursday:\n\nthe pump leaked.\n\nOn Friday:\n\nit burst.");
        expect_kept("As I wrote on 12 May 2026:\n\nthe pump leaks.");
        expect_kept("Я писал вам 12 мая 2026:\n\nнасос течёт.");
        expect_kept("Something wrote:\nthe pump leaks.");
        expect_kept(
            "Please call before 10:30 or write to ann@example.com:\nthe pump leaks.");
        expect_kept("| Pump | 10 |\n| Tube | 20 |");
        expect_kept("Thanks for the original message: it helped.");
        expect_kept("Спасибо!\nМой телефон +7 903 000-00-00");
        expect_kept(" ");
        expect_kept("\n\n");
        expect_kept("");
}

static void
test_never_nothing(void **state)
{
        (void)state;
        expect_kept("> It leaks.\n> Very much.");
        expect_kept("On 23/11/2026 10:00, Ann wrote:\n> It leaks.\n");
        expect_kept("-- \nAnn Lee\n+7 495 000-00-00");
        expect_kept("Sent from my iPhone\n\nOn 23/11/2026 10:00, Ann <a@example.com> "
                    "wrote:\n> It leaks.\n");
        expect_kept(
            "This message is confidential and intended solely for the addressee.");
}

/* What single programs do, each in its way. */
static void
test_programs(void **state)
{
        (void)state;
        expect("",
            "Да.\n\nКому: a@b.ru (a@b.ru);\nТема: Насос;\n23.11.2026, 10:00, \"Боб\" "
            "<b@yandex.ru>:\n\nТечёт?\n\n--\nАнна",
            "Да.");
        expect("",
            "Да.\n\n--\nАнна Ли\nОтправлено из Почты Mail.ru\n\n> Понедельник, 23 ноября "
            "2026, 10:00 +03:00 от Боб "
            "<b@mail.ru>:\n>  \n> Течёт?",
            "Да.");
        expect("",
            "Yes.\n\nSent with ProtonMail Secure Email.\n\n‐‐‐‐‐‐‐ Original Message "
            "‐‐‐‐‐‐‐\nOn Monday, November 23rd, "
            "2026 at 10:00 AM, Ann <a@b.example> wrote:\n\n> hello",
            "Yes.");
        expect("",
            "Yes.\n\nAnn Lee ---23.11.2026 10:00:00---It leaks\n\nFrom: Ann/Corp\nTo: "
            "Bob/Corp@Corp\nDate: 23.11.2026 "
            "10:00\nSubject: pump\n\nIt leaks",
            "Yes.");
        expect("",
            "Ja.\n\nGesendet: Montag, 23. November 2026 um 10:00 Uhr\nVon: \"Ann\" "
            "<a@b.example>\nAn: c@d.example\nBetreff: "
            "Pumpe\n\nhallo",
            "Ja.");
        expect("",
            "好的\n\n------------------ 原始邮件 ------------------\n发件人: \"Ann\" "
            "<a@qq.example>;\n发送时间: 2026年11月23日\n"
            "收件人: \"x\" <x@y.example>;\n主题: 泵\n\n你好",
            "好的");
        expect("",
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nIt leaks.\n-----BEGIN "
            "PGP SIGNATURE-----\n\nabc\n=aa\n"
            "-----END PGP SIGNATURE-----\n",
            "It leaks.");
        expect("",
            "Yes.\n\nOn 23/11/26 10:00, A wrote:\n> a\n\nBob Smith\nbob@example.com\n",
            "Yes.");
        expect("", "Hi Ann,\nOn 23/11/26 10:00, A wrote:\n> a\n\nI agree.\nBob",
            "Hi Ann,\n> a\n\nI agree.\nBob");
        expect("",
            "Yes.\n\n________________________________\n\nFrom: Ann "
            "<a@b.example>\n\nSent: Monday\n\nTo: x\n\nSubject: y\n\n"
            "hello",
            "Yes.");
        expect("",
            "Yes.\n\n—\nReply to this email directly, view it on GitHub "
            "<https://example.com>, or unsubscribe.\nYou are "
            "receiving this because you authored the thread.",
            "Yes.");
}

/* ---- forwards ---- */

static void
test_forward_whole(void **state)
{
        struct message *m = trimmed("Fwd: Pump",
            "---------- Forwarded message ---------\nFrom: Ann Lee <ann@example.com>\n"
            "Date: Mon, 23 Nov 2026 10:00:00 +0300\nSubject: The pump\nTo: "
            "<boss@example.org>\n\n\n"
            "It leaks.\n\n> it is old\n",
            NULL);

        (void)state;
        assert_string_equal(shown(m), "It leaks.\n\n> it is old");
        assert_non_null(m->forwarded);
        assert_true(m->forwarded->whole);
        assert_string_equal(m->forwarded->name, "Ann Lee");
        assert_string_equal(m->forwarded->address, "ann@example.com");
        assert_string_equal(m->forwarded->subject, "The pump");
        assert_string_equal(m->forwarded->text, "It leaks.\n\n> it is old");
        assert_true(m->forwarded->sent_at_us > 0);
        message_free(&m);
}

static void
test_forward_commented(void **state)
{
        static const char text[] =
            "Please look at this and answer the customer by Friday.\n\n"
            "-------- Пересылаемое сообщение --------\n"
            "23.11.2026, 10:00, \"Анна Ли\" <ann@example.com>:\n\nТечёт.\n";
        struct message *m = trimmed("Fwd: Насос", text, NULL);

        (void)state;
        assert_string_equal(shown(m), text);
        assert_non_null(m->forwarded);
        assert_false(m->forwarded->whole);
        assert_string_equal(m->forwarded->address, "ann@example.com");
        assert_string_equal(m->forwarded->text, "Течёт.");
        message_free(&m);
}

static void
test_forward_kinds(void **state)
{
        static const struct {
                const char *subject, *text, *address;
        } cases[] = {
            {"FW: Pump",
                "FYI\n\n________________________________\nFrom: Ann Lee "
                "<ann@example.com>\nSent: Monday, "
                "November 23, 2026 10:00 AM\nTo: Boss\nSubject: Pump\n\nIt leaks.\n",
                "ann@example.com"},
            {"Fwd: Pump",
                "См. ниже\n\nBegin forwarded message:\n\n> From: Ann Lee "
                "<ann@example.com>\n> Subject: "
                "Pump\n> Date: November 23, 2026 at 10:00:00 GMT+3\n> To: "
                "boss@example.org\n> \n> It leaks.\n",
                "ann@example.com"},
            {"WG: Pumpe",
                "Von: Ann Lee <ann@example.com>\nGesendet: Montag, 23. November 2026 "
                "10:00\nAn: Chef\n"
                "Betreff: Pumpe\n\nSie leckt.\n",
                "ann@example.com"},
            {"",
                "---------- Пересланное сообщение ---------\nОт: Анна Ли "
                "<ann@example.com>\nДата: пн, 23 нояб. "
                "2026 г. в 10:00\nТема: Насос\nКому: <boss@example.org>\n\nТечёт.\n",
                "ann@example.com"},
            {"Fwd: Насос",
                "Начало переадресованного сообщения:\n\nОт: Анна Ли "
                "<ann@example.com>\nТема: Насос\nДата: "
                "23 ноября 2026 г.\nКому: boss@example.org\n\nТечёт.\n",
                "ann@example.com"},
            {"Fwd: Насос",
                "-------- Перенаправленное сообщение --------\nТема: Насос\nДата: Mon, "
                "23 Nov 2026 10:00:00 "
                "+0300\nОт: Анна Ли <ann@example.com>\nКому: "
                "boss@example.org\n\nТечёт.\n",
                "ann@example.com"},
            {"Fwd: Pompe",
                "-------- Message transféré --------\nSujet : Pompe\nDate : Mon, 23 Nov "
                "2026 10:00:00 +0100\n"
                "De : Ann Lee <ann@example.com>\nPour : chef@example.org\n\nElle fuit.\n",
                "ann@example.com"},
        };

        (void)state;
        for (size_t i = 0; i < N_OF(cases); i++) {
                struct message *m = trimmed(cases[i].subject, cases[i].text, NULL);

                if (m->forwarded == NULL)
                        fail_msg("no forward in\n%s", cases[i].text);
                assert_string_equal(m->forwarded->address, cases[i].address);
                assert_string_equal(m->forwarded->name,
                    strstr(cases[i].text, "Анна") != NULL ? "Анна Ли" : "Ann Lee");
                assert_true(m->forwarded->whole);
                assert_non_null(strstr(cases[i].text,
                    m->forwarded->text[0] == '\0' ? "?" : m->forwarded->text));
                assert_null(strstr(m->forwarded->text, "ann@"));
                message_free(&m);
        }
}

static void
test_forward_not(void **state)
{
        struct message *m = trimmed("Re: Pump",
            "Yes.\n\nOn 23/11/2026 10:00, Bob <b@example.com> wrote:\n> ---------- "
            "Forwarded message "
            "---------\n> From: Ann <ann@example.com>\n> Date: x\n> Subject: y\n>\n> It "
            "leaks\n",
            NULL);

        (void)state;
        assert_null(m->forwarded);
        assert_string_equal(shown(m), "Yes.");
        message_free(&m);
}

/* ---- what the HTML said ---- */

static void
test_marks(void **state)
{
        static const char text[] =
            "Yes.\n\nAnn Lee, boss\n\nMonday Bob:\nDoes it leak?\n";
        struct text_mark list[] = {{TEXT_SIGNATURE, 6, 19}, {TEXT_QUOTE, 21, 47}};
        struct text_marks marks = {list, 2};
        struct message *m = trimmed("", text, &marks);

        (void)state;
        assert_string_equal(shown(m), "Yes.");
        message_free(&m);
        list[0] = (struct text_mark){TEXT_QUOTE, 0, sizeof text - 1};
        marks.n = 1;
        m = trimmed("", text, &marks);
        assert_string_equal(shown(m), text);
        message_free(&m);
}

/* Outlook's forward: the HTML calls it a quote, the subject says what it is. */
static void
test_marked_forward(void **state)
{
        static const char text[] =
            "FYI\n----\nFrom: Bob <b@x.example>\nSent: Monday\nTo: Ann\nSubject: x\n"
            "Does it leak?\n";
        struct text_mark list[] = {{TEXT_QUOTE, 4, sizeof text - 1}};
        struct text_marks marks = {list, 1};
        struct message *m = trimmed("FW: x", text, &marks);

        (void)state;
        assert_non_null(m->forwarded);
        assert_string_equal(m->forwarded->address, "b@x.example");
        assert_string_equal(m->forwarded->text, "Does it leak?");
        assert_string_equal(shown(m), text);
        message_free(&m);
        m = trimmed("RE: x", text, &marks);
        assert_null(m->forwarded);
        assert_string_equal(shown(m), "FYI");
        message_free(&m);
}

static void
test_findings(void **state)
{
        struct message *m =
            trimmed("", "Yes.\n\nOn 23/11/2026 10:00, Ann wrote:\n> a\n> b\n", NULL);

        (void)state;
        assert_int_equal(m->n_findings, 1);
        assert_string_equal(m->findings[0].about, "trim");
        assert_string_equal(m->findings[0].found, "3 lines: quote");
        message_free(&m);
}

/* ---- properties ---- */

/* Are the lines of part a subsequence of those of whole? */
static bool
is_subsequence(const char *part, const char *whole)
{
        while (*part != '\0') {
                size_t n = strcspn(part, "\n");

                for (;;) {
                        size_t k = strcspn(whole, "\n");

                        if (k >= n && memcmp(whole, part, n) == 0 &&
                            (k == n || part[n] == '\0'))
                                break;
                        if (whole[k] == '\0')
                                return false;
                        whole += k + 1;
                }
                whole += strcspn(whole, "\n");
                whole += *whole == '\n';
                part += n;
                part += *part == '\n';
        }
        return true;
}

static void
test_properties(void **state)
{
        static const char *const pieces[] = {"Hello", "It leaks.", "", "", "> quoted",
            ">> deeper", "-- ", "--", "---", "Sent from my iPhone", "С уважением,",
            "тел. +7 495 000-00-00", "-----Original Message-----", "From: a@b.example",
            "Subject: x", "To: c@d.example", "[EXTERNAL]",
            "This is confidential, addressee", "---------- Forwarded message ---------",
            "Reply above this line please", "wrote:", "On 1.1.2026", "***",
            "-----BEGIN PGP SIGNATURE-----", "| bar", "AB> x", "-Ann",
            "a@b.example:", "unsubscribe: http://x.example"};
        unsigned seed = 7;

        (void)state;
        for (int round = 0; round < 4000; round++) {
                struct buf b AUTO_BUF = BUF_INIT;
                struct message *m;

                for (unsigned n = 1 + (unsigned)rand_r(&seed) % 14; n > 0; n--) {
                        unsigned k = (unsigned)rand_r(&seed) % (N_OF(pieces) + 4);

                        buf_addf(&b, "%s\n",
                            k < N_OF(pieces) ? pieces[k]
                                             : attributions[(unsigned)rand_r(&seed) %
                                                            N_OF(attributions)]);
                }
                m = trimmed(round % 3 == 0   ? "Re: x"
                            : round % 7 == 0 ? "Fwd: x"
                                             : "",
                    buf_str(&b), NULL);
                if (!is_subsequence(m->new_text, m->text))
                        fail_msg("not of its lines:\n%s\nfrom\n%s", m->new_text, m->text);
                assert_true(shown(m)[0] != '\0');
                message_free(&m);
        }
}

static double
seconds_of(const char *line, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct timespec from, to;
        struct message *m = message_new();

        while (b.len < n)
                buf_adds(&b, line);
        m->text = arena_strndup(m->arena, b.data, b.len);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        mime_trim(m, NULL);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        message_free(&m);
        return (double)(to.tv_sec - from.tv_sec) +
               (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

/* A megabyte of anything: far below a second here, and twice as much takes no more than
 * about twice as long. */
static void
test_linear(void **state)
{
        static const char *const lines[] = {">\n", "> x\n", ">", "On ", "On\n", ":\n",
            "\n", " ", "-", "--\n", "a\n--\n", "On 1:11:\n", "a@b.c:\n",
            "on 10:00 wrote:\n", "From: a\n", "From: a@b.c\nTo: b\n", "sent from my x\n",
            "confidential\n\n", "x\n-----Original Message-----\n", "写道：\n",
            "> From: a@b.c\n", "begin forwarded message:\n",
            "-----BEGIN PGP SIGNATURE-----\n", "|\n", "AB> \n", "@a",
            "С уважением\n7777777\n", "[external]\n", "1.1.2026 <a@b.c>\n"};

        (void)state;
        for (size_t i = 0; i < N_OF(lines); i++) {
                double once = seconds_of(lines[i], 500000),
                       twice = seconds_of(lines[i], 1000000);

                if (twice > 10 || twice > 4 * once + 0.5)
                        fail_msg("%s: %.3f s, then %.3f s", lines[i], once, twice);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_teardown(test_attributions, samples_end),
            cmocka_unit_test_teardown(test_attributions_wrapped, samples_end),
            cmocka_unit_test_teardown(test_header_blocks, samples_end),
            cmocka_unit_test_teardown(test_mobile, samples_end),
            cmocka_unit_test_teardown(test_signatures, samples_end),
            cmocka_unit_test_teardown(test_footers, samples_end),
            cmocka_unit_test_teardown(test_banners, samples_end),
            cmocka_unit_test_teardown(test_above_line, samples_end),
            cmocka_unit_test_teardown(test_between, samples_end),
            cmocka_unit_test_teardown(test_traps, samples_end),
            cmocka_unit_test_teardown(test_never_nothing, samples_end),
            cmocka_unit_test_teardown(test_programs, samples_end),
            cmocka_unit_test_teardown(test_forward_whole, samples_end),
            cmocka_unit_test_teardown(test_forward_commented, samples_end),
            cmocka_unit_test_teardown(test_forward_kinds, samples_end),
            cmocka_unit_test_teardown(test_forward_not, samples_end),
            cmocka_unit_test_teardown(test_marks, samples_end),
            cmocka_unit_test_teardown(test_marked_forward, samples_end),
            cmocka_unit_test_teardown(test_findings, samples_end),
            cmocka_unit_test_teardown(test_properties, samples_end),
            cmocka_unit_test_teardown(test_linear, samples_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
