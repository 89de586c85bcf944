/* In which language a text is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "channels/helper_mime_language.h"

static const struct {
        const char *language, *text;
} samples[] = {
    {"en", "Hello, my printer does not work since this morning. Can you help me please?"},
    {"en", "Hi team,\n\nthe VPN client says error 809.\n\nRegards,\nJohn"},
    {"en", "Thanks a lot!"},
    {"ru", "Добрый день, у меня не работает принтер. Помогите, пожалуйста."},
    {"ru", "Спасибо"},
    {"ru", "Здравствуйте! При запуске Outlook выдаёт ошибку \"Cannot start Microsoft "
           "Outlook. Cannot open the Outlook window\", что делать?"},
    {"de",
        "Guten Tag, unser Drucker im zweiten Stock druckt nicht mehr. Können Sie bitte "
        "helfen?\nMit freundlichen Grüßen"},
    {"de", "Danke, das hat geholfen"},
    {"fr",
        "Bonjour, mon imprimante ne fonctionne plus depuis ce matin, pouvez-vous m'aider "
        "? Merci d'avance"},
    {"es", "Hola, no puedo entrar en mi cuenta desde ayer. ¿Me pueden ayudar?"},
    {"it", "Buongiorno, la stampante non funziona da stamattina. Potete aiutarmi?"},
    {"pt", "Olá, não consigo entrar na minha conta desde ontem. Podem ajudar?"},
    {"nl", "Hallo, mijn printer werkt niet meer sinds vanmorgen, kunt u mij helpen?"},
    {"pl", "Dzień dobry, nie działa mi drukarka od wczoraj, proszę o pomoc."},
    {"cs", "Dobrý den, od rána mi nefunguje tiskárna, můžete mi prosím pomoci?"},
    {"sv", "Hej, min skrivare fungerar inte längre. Kan ni hjälpa mig?"},
    {"da", "Hej, min printer virker ikke længere efter opdateringen. Kan I hjælpe mig af "
           "med "
           "fejlen?"},
    {"no", "Hei, skriveren min virker ikke lenger etter oppdateringen. Kan dere hjelpe "
           "meg?"},
    {"fi", "Hei, tulostimeni ei toimi enää. Voitteko auttaa minua?"},
    {"hu", "Jó napot, a nyomtatóm tegnap óta nem működik. Kérem segítsenek."},
    {"ro", "Bună ziua, imprimanta mea nu mai funcționează de ieri. Mă puteți ajuta?"},
    {"tr", "Merhaba, yazıcım dünden beri çalışmıyor. Yardımcı olabilir misiniz?"},
    {"uk", "Доброго дня, у мене не працює принтер. Допоможіть, будь ласка"},
    {"be", "Добры дзень, у мяне не працуе друкарка. Дапамажыце, калі ласка, як мага "
           "хутчэй. Дзякуй вам! Я ўжо спрабаваў"},
    {"bg", "Здравейте, принтерът ми не работи от вчера. Моля помогнете"},
    {"sr", "Добар дан, мој штампач не ради од јуче. Можете ли ми помоћи?"},
    {"el", "Καλημέρα, ο εκτυπωτής μου δεν λειτουργεί"},
    {"he", "שלום, המדפסת שלי לא עובדת"},
    {"ja", "プリンターが動きません。助けてください。"},
    {"zh", "您好，我的打印机坏了，请帮忙。"},
    {"ko", "안녕하세요, 프린터가 작동하지 않습니다."},
    {"ar", "مرحبا، الطابعة لا تعمل منذ أمس. هل يمكنكم المساعدة؟"},
    {"", ""},
    {"", "12345 67-89"},
    {"", "https://example.org/hello/the/and a@b.example"},
};

static void
test_samples(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
                const char *why;
                const char *got = mime_language_of("", samples[i].text, &why);

                if (strcmp(got, samples[i].language) != 0)
                        fail_msg("'%s' is %s, not '%s' (%s)", samples[i].text,
                            samples[i].language, got, why);
        }
}

/* A short text says less than its subject; quotes are another's language. */
static void
test_where_it_looks(void **state)
{
        (void)state;
        assert_string_equal(
            mime_language_of("Der Drucker druckt nicht mehr", "VPN?", NULL), "de");
        assert_string_equal(
            mime_language_of("Re: Ваш заказ",
                "Hello, this is not what we have ordered, please check it", NULL),
            "en");
        assert_string_equal(mime_language_of("",
                                "> Добрый день, у нас не работает принтер\nIt does not "
                                "work for us either",
                                NULL),
            "en");
}

static void
test_message(void **state)
{
        struct message *m = message_new();

        (void)state;
        m->text =
            "It works, thank you\n\nПользователь Анна написала:\n> Попробуйте теперь";
        m->new_text = "It works, thank you";
        mime_language(m);
        assert_string_equal(m->language, "en");
        assert_string_equal(m->findings[0].about, "language");
        message_free(&m);
}

/* Its cost does not grow with the text. */
static void
test_bounded(void **state)
{
        size_t n = 4 << 20;
        char *s = test_malloc(n + 1);
        struct timespec a, b;

        (void)state;
        for (size_t i = 0; i < n; i++)
                s[i] = i % 7 == 6 ? ' ' : (char)('a' + i * 31 % 26);
        s[n] = '\0';
        clock_gettime(CLOCK_MONOTONIC, &a);
        mime_language_of("", s, NULL);
        memset(s, 'x', n);
        mime_language_of(s, s, NULL);
        memset(s, '>', n);
        mime_language_of(s, s, NULL);
        clock_gettime(CLOCK_MONOTONIC, &b);
        assert_true(b.tv_sec - a.tv_sec < 2);
        test_free(s);
}

static int
set_up(void **state)
{
        (void)state;
        mime_language_preload();
        return 0;
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_samples),
            cmocka_unit_test(test_where_it_looks),
            cmocka_unit_test(test_message),
            cmocka_unit_test(test_bounded),
        };

        return cmocka_run_group_tests(tests, set_up, NULL);
}
