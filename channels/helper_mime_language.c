/*
 * See helper_mime_language.h.
 *
 * The library needs some 150 microseconds a text and errs on short ones, while most mails
 * are told by a few words that no other language has: those are counted first. Its own
 * list of 170 languages makes it take English for Scots or Interlingua; the list here is
 * of those that people write mails to a helpdesk in.
 */
#include "channels/helper_mime_language.h"

#include <libexttextcat/textcat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/base/utf8.h"

#define MODELS "/usr/share/libexttextcat/"
#define LOOKED_AT 700u /* bytes of words */
#define FEW_LETTERS 30u /* of a text: the subject is looked at too */
#define LIBRARY_LETTERS 45u /* below it the library guesses */

static void *models; /* of the library; NULL: none */

/* Its models, and what we call them. */
static const char *const known[][2] = {{"en", "en"}, {"ru", "ru"}, {"de", "de"},
    {"fr", "fr"}, {"es", "es"}, {"it", "it"}, {"pt", "pt"}, {"nl", "nl"}, {"pl", "pl"},
    {"cs", "cs"}, {"sk", "sk"}, {"hu", "hu"}, {"ro", "ro"}, {"hr", "hr"}, {"sl", "sl"},
    {"tr", "tr"}, {"az", "az"}, {"lt", "lt"}, {"lv", "lv"}, {"et", "et"}, {"fi", "fi"},
    {"sv", "sv"}, {"nb", "no"}, {"da", "da"}, {"id", "id"}, {"vi", "vi"}, {"ca", "ca"},
    {"sq", "sq"}, {"uz", "uz"}, {"kk", "kk"}, {"ky", "ky"}, {"tt", "tt"}, {"tg", "tg"},
    {"mn", "mn"}, {"ba", "ba"}, {"ar", "ar"}, {"fa", "fa"}, {"ur", "ur"}};

/* Words that are common in one language and strange in the others. Folded. */
static const struct {
        const char *language;
        const char *words;
} common[] = {
    {"en", " a lot much very hi dear the and is are you your please thanks thank hello "
           "have has not with this "
           "that what when cannot can't don't doesn't it's i'm our would could how from "
           "we need there they of for my been working works best regards kind was "
           "were should but if any just after get got his her to i it "},
    {"de",
        " der die das und ist nicht ich wir sie bitte danke guten hallo mit eine einen "
        "auf für kann können meine mein gruß grüßen freundlichen seit bei auch wie "
        "habe haben sehr geehrte geehrter kein keine zum zur vom ihre ihr noch "},
    {"fr", " le les des est une je nous vous pas bonjour merci avec pour dans mon votre "
           "sur que qui plus depuis cordialement ne ce cette ma bonsoir suis être avez "
           "j'ai aux du et salut pouvez "},
    {"es",
        " el los las una es por favor gracias hola buenos días con para mi su pero como "
        "desde puedo tengo está estoy usted saludos muy más señor del y al lo cuando "},
    {"it",
        " il gli è una non sono per grazie buongiorno con mio mia della del di che come "
        "saluti cordiali ciao salve posso questo questa più anche ho alla dal nella "
        "vostro essere stato abbiamo "},
    {"pt", " os um uma não olá obrigado obrigada bom com para meu minha você está estou "
           "mas como por desde consigo da do em ao atenciosamente são isso muito também "
           "seu sua tenho "},
    {"nl", " het een en is niet ik wij we graag bedankt hallo met voor van mijn kunt kan "
           "geen maar ook bij sinds groet groeten vriendelijke dank heb heeft zijn naar "
           "deze wordt goedemorgen jullie u "},
    {"pl", " nie jest się na do proszę dzień dobry dziękuję witam czy mam moja mój "
           "pozdrawiam "
           "od dla jak przez oraz już tak ale to został mogę państwo "},
    {"cs", " je se na že dobrý den prosím děkuji jsem není nebo ale jak mám můžete "
           "pozdravem "
           "mi od při již také které který byl "},
    {"sk", " je sa na že dobrý deň prosím ďakujem som nie je alebo ale ako mám môžete "
           "pozdravom mi od pri už tiež ktoré ktorý bol "},
    {"hu",
        " a az és nem hogy kérem köszönöm jó napot van egy tisztelt üdvözlettel meg már "
        "csak vagy lehet nekem is még "},
    {"ro",
        " și este nu am în la pentru vă rog mulțumesc bună ziua cu din că mai sunt care "
        "dar să o poate stimată "},
    {"tr", " ve bir bu için lütfen teşekkürler teşekkür merhaba ile değil çok ne var yok "
           "günler sayın iyi nasıl olarak kadar "},
    {"sv", " och är inte jag det att en på med för hej tack kan ni från min mitt har "
           "vänliga "
           "hälsningar till som när också vi "},
    {"da", " og er ikke jeg det at en på med for hej tak kan i fra min mit har venlig "
           "hilsen "
           "til som når også mig dig af efter nu vi "},
    {"no",
        " og er ikke jeg det at en på med for hei takk kan dere fra min mitt har vennlig "
        "hilsen til som når også meg deg av etter nå vi "},
    {"fi", " ja on ei ole että minun hei kiitos terveisin voitteko mutta kun jos olen se "
           "tämä myös enää terve onko sitä "},
    {"et", " ja on ei ole et minu tere aitäh palun kas kui aga see tänan lugupidamisega "
           "mul "},
    {"hr",
        " i je se na da nije dobar dan molim hvala sam nisam ali kako mogu možete lijep "
        "pozdrav od kod što koji "},
    {"id", " dan yang tidak saya di untuk dengan terima kasih selamat bisa mohon ini itu "
           "dari sudah tolong kami pagi "},
    {"vi", " và không là tôi của cho xin chào cảm ơn được có này với các "},
    {"lt", " ir yra ne kad labas dieną ačiū prašau mano negaliu kaip su bet pagarbiai "},
    {"lv", " un ir nav ka labdien paldies lūdzu mans nevaru kā ar bet cieņu no "},
};

/* One script, one language; of Cyrillic and Latin others decide. */
static const struct {
        uint32_t from, to;
        const char *language;
} scripts[] = {{0x370, 0x3ff, "el"}, {0x530, 0x58f, "hy"}, {0x590, 0x5ff, "he"},
    {0x600, 0x6ff, "ar"}, {0x900, 0x97f, "hi"}, {0xe00, 0xe7f, "th"},
    {0x10a0, 0x10ff, "ka"}, {0x1100, 0x11ff, "ko"}, {0x3040, 0x30ff, "ja"},
    {0x4e00, 0x9fff, "zh"}, {0xac00, 0xd7af, "ko"}};
#define N_SCRIPTS (sizeof scripts / sizeof *scripts)
#define N_COMMON (sizeof common / sizeof *common)

/* The text as it was counted. */
struct counted {
        struct buf words; /* folded, a blank around each */
        size_t n_latin, n_cyrillic, n_other; /* letters */
        size_t of[N_SCRIPTS];
        bool has_kana;
        /* Cyrillic letters that a language has and Russian has not, or the contrary */
        size_t n_ru, n_uk, n_be, n_sr, n_mk, n_bg, n_turkic;
};

/* ---- the library ---- */

/* A list that names a model which is not there makes the library refuse all. */
static bool
model_is_there(const char *name)
{
        char path[64];

        snprintf(path, sizeof path, MODELS "%s.lm", name);
        return access(path, R_OK) == 0;
}

static int
models_list(int fd)
{
        int copy = dup(fd);
        FILE *f = copy == -1 ? NULL : fdopen(copy, "w");

        if (f == NULL) {
                if (copy != -1)
                        close(copy);
                return -1;
        }
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
                if (model_is_there(known[i][0]))
                        fprintf(f, "%s.lm %s\n", known[i][0], known[i][0]);
        return fclose(f);
}

void
mime_language_preload(void)
{
        int fd = memfd_create("languages", MFD_CLOEXEC);
        char path[40];

        if (fd == -1 || models != NULL)
                return;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (models_list(fd) == 0 && model_is_there("en"))
                models = special_textcat_Init(path, MODELS);
        close(fd);
}

/* The best of its guesses, "" when it finds too many alike. */
static const char *
library_says(const char *s, size_t n)
{
        const char *answer = models != NULL ? textcat_Classify(models, s, n) : "";

        for (size_t i = 0; answer[0] == '[' && i < sizeof known / sizeof *known; i++)
                if (strncmp(answer + 1, known[i][0], strlen(known[i][0])) == 0 &&
                    answer[1 + strlen(known[i][0])] == ']')
                        return known[i][1];
        return "";
}

/* ---- letters ---- */

static bool
is_latin(uint32_t cp)
{
        return (cp >= 'a' && cp <= 'z') ||
               (cp >= 0xc0 && cp <= 0x24f && cp != 0xd7 && cp != 0xf7) ||
               (cp >= 0x1e00 && cp <= 0x1eff);
}

/* cp is folded (ё is е by then); next: the letter behind it. */
static void
count_cyrillic(struct counted *c, uint32_t cp, uint32_t next)
{
        c->n_cyrillic++;
        if (cp == 0x44b || cp == 0x44d) /* ы э */
                c->n_ru++;
        else if (cp == 0x456 || cp == 0x457 || cp == 0x454 || cp == 0x491) /* і ї є ґ */
                c->n_uk++;
        else if (cp == 0x45e) /* ў */
                c->n_be++;
        else if (cp == 0x452 || cp == 0x45b) /* ђ ћ */
                c->n_sr++;
        else if (cp == 0x453 || cp == 0x45c || cp == 0x455) /* ѓ ќ ѕ */
                c->n_mk++;
        else if (cp == 0x458 || cp == 0x459 || cp == 0x45a || cp == 0x45f) { /* ј љ њ џ */
                c->n_sr++;
                c->n_mk++;
        } else if (cp == 0x44a && next >= 0x430 && next != 0x435 && next != 0x44e &&
                   next != 0x44f) /* ъ before a consonant */
                c->n_bg++;
        else if (cp > 0x45f)
                c->n_turkic++;
}

static void
count_letter(struct counted *c, uint32_t cp, uint32_t next)
{
        if (is_latin(cp)) {
                c->n_latin++;
                return;
        }
        if (cp >= 0x400 && cp <= 0x52f) {
                count_cyrillic(c, cp, next);
                return;
        }
        for (size_t i = 0; cp >= 0x370 && i < N_SCRIPTS; i++)
                if (cp >= scripts[i].from && cp <= scripts[i].to) {
                        c->of[i]++;
                        c->n_other++;
                        c->has_kana |= cp >= 0x3040 && cp <= 0x30ff;
                        return;
                }
}

static bool
is_letter(uint32_t cp)
{
        return cp == '\'' || is_latin(cp) ||
               (cp >= 0x370 && cp != 0xfffd && cp < 0x2000) ||
               (cp >= 0x3040 && cp < 0xe000);
}

/* An address, a link, a path, a number says nothing of the language. */
static bool
is_no_word(const char *s, size_t n)
{
        static const char signs[256] = {['\0'] = 1,
            ['@'] = 1,
            ['/'] = 1,
            ['\\'] = 1,
            ['_'] = 1,
            ['='] = 1,
            ['<'] = 1,
            ['>'] = 1,
            ['{'] = 1,
            ['}'] = 1,
            ['0'] = 1,
            ['1'] = 1,
            ['2'] = 1,
            ['3'] = 1,
            ['4'] = 1,
            ['5'] = 1,
            ['6'] = 1,
            ['7'] = 1,
            ['8'] = 1,
            ['9'] = 1};

        for (size_t i = 0; i < n; i++)
                if (signs[(unsigned char)s[i]])
                        return true;
        return n > 60;
}

/* One run between blanks: its words, folded. */
static void
count_run(struct counted *c, const char *s, size_t n)
{
        uint32_t cp = 0, next = 0;
        size_t used = 0;

        for (size_t i = 0; i <= n; i += used, cp = next) {
                if (i == n) {
                        next = ' ';
                        used = 1;
                } else {
                        next = utf8_fold_char(utf8_next(s + i, n - i, &used));
                        next = next == 0x2019 || next == 0x2bc ? '\'' : next;
                }
                if (cp == 0)
                        continue;
                if (is_letter(cp)) {
                        count_letter(c, cp, next);
                        utf8_add(&c->words, cp);
                } else if (c->words.len > 0 && c->words.data[c->words.len - 1] != ' ') {
                        buf_addc(&c->words, ' ');
                }
        }
        if (c->words.len > 0 && c->words.data[c->words.len - 1] != ' ')
                buf_addc(&c->words, ' ');
}

/* Adds the words of a text, quoted lines left out. */
static void
count_text(struct counted *c, const char *s)
{
        if (c->words.len == 0)
                buf_addc(&c->words, ' ');
        while (*s != '\0' && c->words.len < LOOKED_AT) {
                size_t line = strcspn(s, "\n"), n;

                for (size_t i = s[0] == '>' ? line : 0;
                     i < line && c->words.len < LOOKED_AT; i += n + 1) {
                        n = strcspn(s + i, " \t\n");
                        if (!is_no_word(s + i, n))
                                count_run(c, s + i, n);
                }
                s += line + (s[line] == '\n');
        }
}

/* ---- words ---- */

/* All common words, found by a hash: which languages have each. */
#define SLOTS 2048u
static struct slot {
        const char *word; /* in common[].words, up to a blank; NULL: free */
        size_t n;
        uint32_t languages; /* bit i: common[i] */
} slots[SLOTS];
static bool slots_filled;

static struct slot *
slot_of(const char *word, size_t n)
{
        uint32_t h = 2166136261u;

        for (size_t i = 0; i < n; i++)
                h = (h ^ (unsigned char)word[i]) * 16777619u;
        for (;; h++) {
                struct slot *s = &slots[h % SLOTS];

                if (s->word == NULL || (s->n == n && memcmp(s->word, word, n) == 0))
                        return s;
        }
}

static void
slots_fill(void)
{
        _Static_assert(N_COMMON <= 32, "a bit for each language");
        for (size_t i = 0; i < N_COMMON && !slots_filled; i++)
                for (const char *s = common[i].words + 1; *s != '\0';) {
                        size_t n = strcspn(s, " ");
                        struct slot *to = slot_of(s, n);

                        *to = (struct slot){s, n, to->languages | 1u << i};
                        s += n + 1;
                }
        slots_filled = true;
}

/* The language with most hits, "" none; and how many it and the next one have. */
static const char *
words_say(const struct counted *c, size_t *first, size_t *second)
{
        size_t hits[N_COMMON] = {0}, best = 0, n;

        slots_fill();
        for (const char *s = c->words.data + 1; *s != '\0'; s += n + (s[n] == ' ')) {
                n = strcspn(s, " ");
                for (uint32_t bits = slot_of(s, n)->languages; bits != 0;
                     bits &= bits - 1)
                        hits[__builtin_ctz(bits)]++;
        }
        *first = *second = 0;
        for (size_t i = 0; i < N_COMMON; i++)
                if (hits[i] > hits[best])
                        best = i;
        *first = hits[best];
        for (size_t i = 0; i < N_COMMON; i++)
                if (i != best && hits[i] > *second)
                        *second = hits[i];
        return *first > 0 ? common[best].language : "";
}

/* ---- the decision ---- */

static const char *
latin_language(const struct counted *c, const char **why)
{
        size_t first, second;
        const char *best = words_say(c, &first, &second), *library;

        *why = "its commonest words";
        if (first >= 3 && first * 2 >= second * 3)
                return best;
        if (c->n_latin >= LIBRARY_LETTERS) {
                library = library_says(c->words.data, c->words.len);
                if (*library != '\0' && first < second + 2) {
                        *why = "libexttextcat";
                        return library;
                }
        }
        if (first > second)
                return best;
        *why = "too short to tell";
        return "";
}

static const char *
cyrillic_language(const struct counted *c, const char **why)
{
        const char *library;

        *why = "its letters";
        if (c->n_turkic > 0 && c->n_turkic * 50 >= c->n_cyrillic) {
                library = library_says(c->words.data, c->words.len);
                *why = "libexttextcat";
                if (*library != '\0' && strcmp(library, "ru") != 0)
                        return library;
                *why = "its letters";
                return "kk";
        }
        if (c->n_sr > c->n_ru && c->n_sr >= c->n_mk)
                return "sr";
        if (c->n_mk > c->n_ru)
                return "mk";
        if (c->n_be > 0 && c->n_uk > 0 && c->n_be * 100 >= c->n_cyrillic)
                return "be";
        if (c->n_uk > c->n_ru)
                return "uk";
        return c->n_bg > c->n_ru ? "bg" : "ru";
}

static const char *
script_language(const struct counted *c, const char **why)
{
        size_t best = 0;
        const char *library;

        *why = "its script";
        for (size_t i = 1; i < N_SCRIPTS; i++)
                if (c->of[i] > c->of[best])
                        best = i;
        if (c->has_kana)
                return "ja";
        if (strcmp(scripts[best].language, "ar") != 0)
                return scripts[best].language;
        library = library_says(c->words.data, c->words.len);
        if (strcmp(library, "fa") != 0 && strcmp(library, "ur") != 0)
                return "ar";
        *why = "libexttextcat";
        return library;
}

const char *
mime_language_of(const char *subject, const char *text, const char **why)
{
        struct counted c = {.words = BUF_INIT};
        const char *language, *unused = "";

        why = why == NULL ? &unused : why;
        count_text(&c, text);
        if (c.n_latin + c.n_cyrillic + 2 * c.n_other < FEW_LETTERS)
                count_text(&c, subject);
        if (2 * c.n_other > c.n_latin + c.n_cyrillic)
                language = script_language(&c, why);
        else if (c.n_cyrillic > c.n_latin ||
                 (c.n_cyrillic >= 40 && c.n_cyrillic * 2 > c.n_latin))
                language = cyrillic_language(&c, why);
        else if (c.n_latin > 0)
                language = latin_language(&c, why);
        else {
                *why = "it has no letters";
                language = "";
        }
        buf_fini(&c.words);
        return language;
}

void
mime_language(struct message *m)
{
        const char *why;

        m->language = mime_language_of(
            m->subject, *m->new_text != '\0' ? m->new_text : m->text, &why);
        message_find(
            m, "language", *m->language != '\0' ? m->language : "unknown", "%s", why);
}
