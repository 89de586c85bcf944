/*
 * "Thank you!" and nothing else: a mail that brings a solved ticket back to nobody. Pure;
 * see intake_marks.h.
 *
 * Only words that are in the lists may stand there, and names (a few unknown words with
 * a capital letter); one unknown word more, a digit, a question, a "but" or a "not", and
 * it is a message. To take a question for thanks would lose a customer, so every doubt is
 * a message.
 */
#include <string.h>
#include <strings.h>

#include "channels/email_id.h"
#include "daemon/base/utf8.h"
#include "daemon/intake_marks.h"

#define MAX_TEXT 500u /* bytes, closing left out */
#define MAX_WORDS 30u
#define MAX_NAMES 4u
#define MAX_LOGO 65536 /* an inline picture of a signature; a screenshot is bigger */

/* One of these must be there. Folded. */
static const char thank_words[] =
    " thanks thank thx thnx tnx ty cheers спасибо спс спасиб"
    " спасибки пасиб благодарю благодарим"
    " благодарен благодарна благодарны"
    " благодарность признателен признательна"
    " признательны danke dankeschön dank vielen merci remerciements"
    " gracias agradezco grazie ringrazio obrigado obrigada bedankt dankjewel"
    " dankuwel tack tackar tak takk kiitos kiitoksia dziękuję dziękujemy dzięki"
    " dziekuje děkuji děkuju díky dekuji ďakujem köszönöm köszi mulțumesc"
    " mersi teşekkürler teşekkür sağolun дякую дякуємо дзякуй"
    " благодаря хвала hvala ačiū paldies aitäh ευχαριστώ"
    " תודה شكرا ありがとう 谢谢 감사합니다 appreciated"
    " appreciate grateful ";

/* Or one of these: it is solved. */
static const char solved_words[] =
    " works worked working fixed solved resolved заработало"
    " заработал заработала заработали работает"
    " работают исправилось решилось решено"
    " решена решен помогло получилось"
    " починилось funktioniert geht geholfen marche fonctionne funciona"
    " funziona werkt fungerar virker toimii działa funguje працює"
    " запрацювало ";

/* These may stand beside them. */
static const char plain_words[] =
    " a and so very much lot lots many you for the your help support quick fast"
    " prompt reply response answer assistance it is was that this all everything now"
    " again great perfect excellent awesome super fine good nice cool wonderful"
    " amazing brilliant well done ok okay kk hi hello dear team guys everyone i we"
    " really time patience kind kindly have day weekend evening week too best"
    " regards wishes sincerely yours fully just like charm as expected got"
    " understood to in advance of efforts effort work job from us me my problem"
    " issue has been more ever и за вам вас тебе тебя"
    " большое огромное огромная большая всем"
    " все оперативность оперативную"
    " оперативное оперативный быструю быстрый"
    " быстрое быстро помощь поддержку ответ"
    " работу решение содействие информацию"
    " теперь уже сейчас снова опять хорошо"
    " отлично супер прекрасно замечательно"
    " классно класс ок окей понял поняла поняли"
    " понятно принято ясно добрый доброе день"
    " утро вечер доброго дня здравствуйте"
    " привет приветствую коллеги уважаемые это"
    " очень сильно вашу ваше вашей наш нам мы я"
    " хорошего хороших выходных удачного удачи"
    " вечера с уважением наилучшими пожеланиями"
    " так в порядке порядок всего на мой наша моя"
    " проблема терпение участие внимание"
    " действительно еще раз заранее да-да"
    " искренне от души schön schönen sehr herzlichen besten für die"
    " schnelle hilfe antwort unterstützung es das jetzt alles wieder gut toll"
    " perfekt liebe grüße viele gruß mit freundlichen grüßen hat ihre ihr ihnen"
    " tag guten hallo nochmals rückmeldung wunderbar prima beaucoup bien mille pour"
    " votre aide réponse rapide c'est ça tout maintenant parfait bonjour"
    " cordialement journée bonne muchas muchísimas mil por su ayuda respuesta"
    " rápida todo ya perfecto ahora buenos días hola saludos tante molte per il la"
    " vostro vostra aiuto risposta rapida tutto ora perfetto ottimo ciao buongiorno"
    " saluti muito pela ajuda resposta tudo agora ótimo perfeito olá hartelijk"
    " voor de uw snelle hulp reactie het nu weer goed groet groeten så mycket för"
    " hjälpen snabba svaret allt bra hej mange tusind hjælpen det alt hei hjelpen"
    " svar paljon avusta nyt kaikki bardzo za pomoc szybką odpowiedź już wszystko"
    " teraz dobrze mocno rychlou odpověď už vše pozdrawiam pozdravem дуже"
    " допомогу вже швидку відповідь щиро ";

/* A capital makes no name of these. */
static const char other_words[] =
    " but however not no don't doesn't didn't isn't can't cannot won't still except"
    " unfortunately although though another also question how when why what where"
    " who please could can would will wait waiting yes nothing nor never other only"
    " next one first но однако не нет да ни пока только"
    " кроме жаль сожалению хотя вопрос как когда"
    " почему зачем где кто можно нельзя"
    " пожалуйста прошу подскажите жду ожидаю"
    " ждем будем буду если надо нужно тоже также"
    " или а один ja nein aber leider nicht kein keine noch frage bitte oui"
    " non mais pas malheureusement pero si sí sin embargo però ma não sim mas"
    " maar niet geen nee men inte ikke nej nei mutta ei ale nie ne ano але ні ";

/* A mail is cut where one of these begins a line: what stands behind is a closing. */
static const char *const closings[] = {"best regards", "kind regards", "regards",
    "many regards", "warm regards", "with best regards", "best wishes", "sincerely",
    "с уважением", "с наилучшими", "с благодарностью", "всего доброго", "отправлено с",
    "отправлено из", "sent from", "get outlook", "--", "__", "mit freundlichen",
    "viele grüße", "beste grüße", "mfg", "gesendet", "cordialement", "bien à vous",
    "envoyé de", "saludos", "un saludo", "enviado d", "cordiali saluti",
    "distinti saluti", "inviato da", "atenciosamente", "met vriendelijke", "verstuurd",
    "med vänlig", "med venlig", "med vennlig", "skickat från", "ystävällisin",
    "pozdrawiam", "s pozdravem", "з повагою", "надіслано"};

enum word { WORD_UNKNOWN, WORD_PLAIN, WORD_THANKS };

struct said {
        unsigned n_words, n_names, n_thanks;
        bool other; /* something that is no thanks */
};

static bool
is_in(const char *list, const char *word, size_t n)
{
        char around[64];

        if (n == 0 || n > 60)
                return false;
        around[0] = ' ';
        memcpy(around + 1, word, n);
        around[n + 1] = ' ';
        around[n + 2] = '\0';
        return strstr(list, around) != NULL;
}

static enum word
word_of(const char *word, size_t n)
{
        if (is_in(thank_words, word, n) || is_in(solved_words, word, n))
                return WORD_THANKS;
        return is_in(plain_words, word, n) ? WORD_PLAIN : WORD_UNKNOWN;
}

/* ---- signs ---- */

static bool
is_glad(uint32_t cp)
{
        static const uint32_t glad[] = {0x1f44d, 0x1f44c, 0x1f64f, 0x2764, 0x1f389,
            0x1f490, 0x2705, 0x1f44f, 0x1f91d, 0x1f4aa, 0x1f970, 0x1f618, 0x1f60d,
            0x2714};

        for (size_t i = 0; i < sizeof glad / sizeof *glad; i++)
                if (cp == glad[i])
                        return true;
        return false;
}

/* A smile, the colour of a hand, the joint of two signs: it may stand there. */
static bool
is_smile(uint32_t cp)
{
        return (cp >= 0x1f600 && cp <= 0x1f60f) || (cp >= 0x1f642 && cp <= 0x1f643) ||
               cp == 0x263a || cp == 0x1f917 || (cp >= 0x1f3fb && cp <= 0x1f3ff) ||
               cp == 0x200d || cp == 0xfe0f || cp == 0x1f339 || cp == 0x2728;
}

static bool
is_blank_sign(uint32_t cp)
{
        return cp <= ' ' || cp == 0xa0 || cp == 0x200b || cp == 0xfeff ||
               strchr(",.!;:()\"'-*~", cp < 0x80 ? (int)cp : 'x') != NULL ||
               cp == 0x2013 || cp == 0x2014 || cp == 0x2026 || cp == 0xab || cp == 0xbb ||
               cp == 0x201c || cp == 0x201d || cp == 0x201e || cp == 0x3002 ||
               cp == 0xff01 || cp == 0xff0c || cp == 0xa1;
}

static bool
is_word_sign(uint32_t cp)
{
        return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp == '\'' ||
               cp == 0x2019 || (cp >= 0xc0 && cp < 0x2000 && cp != 0xd7 && cp != 0xf7) ||
               (cp >= 0x3040 && cp < 0xe000);
}

/* ---- the text ---- */

/* One word from s; returns its bytes. */
static size_t
say_word(struct said *said, const char *s, size_t n, struct arena *a)
{
        size_t len = 0, used;
        uint32_t first = utf8_next(s, n, &used);
        char *folded, *apostrophe;
        enum word w;

        while (len < n && (is_word_sign(utf8_next(s + len, n - len, &used)) ||
                              (s[len] == '-' && len > 0)))
                len += used;
        folded = utf8_fold(a, s, len);
        while ((apostrophe = strstr(folded, "\xe2\x80\x99")) != NULL) {
                *apostrophe = '\'';
                memmove(apostrophe + 1, apostrophe + 3, strlen(apostrophe + 3) + 1);
        }
        w = word_of(folded, strlen(folded));
        said->n_words++;
        said->n_thanks += w == WORD_THANKS;
        if (w != WORD_UNKNOWN)
                return len;
        said->n_names++;
        /* names begin with a capital */
        said->other |=
            utf8_fold_char(first) == first || is_in(other_words, folded, strlen(folded));
        return len;
}

static void
say_line(struct said *said, const char *s, size_t n, struct arena *a)
{
        for (size_t i = 0, used; i < n && !said->other; i += used) {
                uint32_t cp = utf8_next(s + i, n - i, &used);

                if (is_word_sign(cp) && cp != '\'' && cp != 0x2019) {
                        used = say_word(said, s + i, n - i, a);
                } else if (is_glad(cp)) {
                        said->n_thanks++;
                } else if (!is_blank_sign(cp) && !is_smile(cp)) {
                        said->other = true; /* a digit, a question, a link, a frown */
                } else if (cp == ':' && i + 1 < n && strchr("(/|", s[i + 1]) != NULL) {
                        said->other = true;
                }
        }
}

static bool
is_closing(const char *folded)
{
        folded += strspn(folded, " \t");
        for (size_t i = 0; i < sizeof closings / sizeof *closings; i++)
                if (strncmp(folded, closings[i], strlen(closings[i])) == 0)
                        return true;
        return false;
}

/* Behind the closing only a name, a firm, a telephone number: no postscript. */
static bool
has_postscript(const char *rest, struct arena *a)
{
        const char *folded = utf8_fold(a, rest, strnlen(rest, 4000));

        return strchr(rest, '?') != NULL || strstr(folded, "p.s") != NULL ||
               strstr(folded, "\nps") != NULL || strstr(folded, "з.ы") != NULL ||
               strstr(folded, "\nps:") != NULL || strlen(rest) > 600;
}

bool
thanks_only(const char *text, struct arena *a)
{
        struct said said = {0};
        const char *s = text;

        while (*s != '\0' && !said.other) {
                size_t n = strcspn(s, "\n");

                if ((size_t)(s - text) + n > MAX_TEXT)
                        return false;
                if (said.n_thanks > 0 && is_closing(utf8_fold(a, s, n))) {
                        if (has_postscript(s, a))
                                return false;
                        break;
                }
                say_line(&said, s, n, a);
                s += n + (s[n] == '\n');
        }
        return !said.other && said.n_thanks > 0 && said.n_words <= MAX_WORDS &&
               said.n_names <= MAX_NAMES;
}

/* ---- the mail ---- */

static bool
is_reaction(const struct attachment *t)
{
        return strcasestr(t->type, "email-reaction") != NULL;
}

/* What signatures bring with them. */
static bool
is_of_no_use(const struct attachment *t)
{
        return (t->is_inline && strncasecmp(t->type, "image/", 6) == 0 &&
                   t->size <= MAX_LOGO) ||
               strcasestr(t->type, "-signature") != NULL ||
               strcasecmp(t->type, "text/vcard") == 0 || is_reaction(t);
}

/* Gmail and Outlook send a mail for a thumb under ours: "👍 Anna reacted via Gmail". */
static bool
reacts(const char *text, struct arena *a)
{
        static const char *const words[] = {"reacted to your message",
            "reacted via gmail", "reacted to your email", "отреагировал",
            "реакция на ваше сообщение", "hat auf ihre nachricht reagiert",
            "a réagi à votre message", "ha reaccionado a tu mensaje", "zareagował"};
        const char *folded = utf8_fold(a, text, strnlen(text, MAX_TEXT));
        struct said said = {0};

        if (strnlen(text, MAX_TEXT) >= 300 || strchr(text, '?') != NULL)
                return false;
        for (const char *s = text; *s != '\0';) { /* a frown is none */
                size_t used;
                uint32_t cp = utf8_next(s, strlen(s), &used);

                if (cp >= 0x1f000 && !is_glad(cp) && !is_smile(cp))
                        said.other = true;
                s += used;
        }
        for (size_t i = 0; i < sizeof words / sizeof *words && !said.other; i++)
                if (strstr(folded, words[i]) != NULL)
                        return true;
        return false;
}

bool
mail_is_thanks(const struct message *m)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *text = *m->new_text != '\0' ? m->new_text : m->text;
        char tag[20];

        if (m->header_only || m->truncated || m->forwarded != NULL)
                return false;
        if (m->n_in_reply_to == 0 && m->n_references == 0 &&
            !subject_tag_find(m->subject, tag))
                return false;
        for (size_t i = 0; i < m->n_attachments; i++)
                if (!is_of_no_use(&m->attachments[i]))
                        return false;
        return thanks_only(text, a) || reacts(text, a);
}
