/* Charsets: right labels, wrong labels, no labels; nothing is ever lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

/* "Здравствуйте, не работает почта" */
#define HELLO "Здравствуйте, не работает почта"
#define HELLO_1251                                                                       \
        "\xc7\xe4\xf0\xe0\xe2\xf1\xf2\xe2\xf3\xe9\xf2\xe5, \xed\xe5 "                    \
        "\xf0\xe0\xe1\xee\xf2\xe0\xe5\xf2 \xef\xee\xf7\xf2\xe0"
#define HELLO_KOI8                                                                       \
        "\xfa\xc4\xd2\xc1\xd7\xd3\xd4\xd7\xd5\xca\xd4\xc5, \xce\xc5 "                    \
        "\xd2\xc1\xc2\xcf\xd4\xc1\xc5\xd4 \xd0\xcf\xde\xd4\xc1"

static void
decodes(const char *bytes, size_t n, const char *charset, const char *want)
{
        struct buf b = BUF_INIT;

        assert_false(mime_text_decode(&b, bytes, n, charset, 1 << 20));
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
}

static void
decodes_text(const char *bytes, const char *charset, const char *want)
{
        decodes(bytes, strlen(bytes), charset, want);
}

static void
test_right_labels(void **state)
{
        (void)state;
        decodes_text(HELLO, "utf-8", HELLO);
        decodes_text(HELLO, "UTF8", HELLO);
        decodes_text(HELLO_1251, "windows-1251", HELLO);
        decodes_text(HELLO_1251, "\"CP1251\"", HELLO);
        decodes_text(HELLO_KOI8, "koi8-r", HELLO);
        decodes_text("caf\xe9", "iso-8859-1", "café");
        decodes_text("\x80 5", "iso-8859-1", "€ 5");
        decodes_text("\xc4\xe3\xba\xc3", "gb2312", "你好");
        decodes_text("\x1b$B$3$s\x1b(B", "iso-2022-jp", "こん");
        decodes_text("+BD8EQAQ4BDIENQRC-", "utf-7", "привет");
        decodes("\xff\xfe\x3f\x04\x40\x04", 6, "utf-16", "пр");
        decodes("\x04\x3f\x04\x40", 4, "utf-16be", "пр");
        decodes("\x3f\x04\x21\x00", 4, "utf-16", "п!");
        decodes_text("plain\r\nlines\rhere", "us-ascii", "plain\nlines\nhere");
}

static void
test_wrong_labels(void **state)
{
        (void)state;
        decodes_text(HELLO_1251, "utf-8", HELLO);
        decodes_text(HELLO_KOI8, "utf-8", HELLO);
        decodes_text(HELLO, "iso-8859-1", HELLO);
        decodes_text(HELLO, "windows-1251", HELLO);
        decodes_text(HELLO_1251, "us-ascii", HELLO);
        decodes_text(HELLO_1251, "x-unknown", HELLO);
        decodes_text(HELLO_1251, "no-such-charset-at-all", HELLO);
        decodes_text("\x82\xb1\x82\xf1", "iso-2022-jp", "こん");
}

static void
test_no_labels(void **state)
{
        (void)state;
        decodes_text(HELLO, "", HELLO);
        decodes_text(HELLO, NULL, HELLO);
        decodes_text(HELLO_1251, "", HELLO);
        decodes_text(HELLO_KOI8, "", HELLO);
        decodes_text(
            "le caf\xe9 est ferm\xe9 aujourd'hui", "", "le café est fermé aujourd'hui");
        decodes_text("\xef\xbb\xbf" HELLO, "windows-1251", HELLO);
        decodes_text("", "", "");
}

static void
test_nothing_lost(void **state)
{
        (void)state;
        /* one bad byte in UTF-8 does not make it another charset */
        decodes_text(HELLO "\xff!", "utf-8", HELLO "\xef\xbf\xbd!");
        /* cut in the middle of a character */
        decodes_text("\xc4\xe3\xba", "gb2312", "你");
        for (unsigned c = 1; c < 256; c++) {
                char bytes[2] = {(char)c, 'x'};
                static const char *const labels[] = {
                    "", "utf-8", "gb18030", "utf-16", "utf-7", "big5"};

                for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
                        struct buf b = BUF_INIT;

                        mime_text_decode(&b, bytes, 2, labels[i], 100);
                        assert_true(b.len > 0);
                        assert_true(utf8_valid(b.data, b.len));
                        buf_fini(&b);
                }
        }
}

static void
test_cut(void **state)
{
        struct buf b = BUF_INIT;

        (void)state;
        buf_adds(&b, "before ");
        assert_true(mime_text_decode(&b, HELLO_KOI8, strlen(HELLO_KOI8), "koi8-r", 5));
        assert_string_equal(b.data, "before Зд");
        buf_fini(&b);
}

static void
test_guess(void **state)
{
        (void)state;
        assert_string_equal(mime_text_guess(HELLO_1251, strlen(HELLO_1251)), "CP1251");
        assert_string_equal(mime_text_guess(HELLO_KOI8, strlen(HELLO_KOI8)), "KOI8-R");
        assert_string_equal(
            mime_text_guess("Forma\xe7\xe3o Mega Campanha Ver\xe3o", 26), "CP1252");
        assert_string_equal(
            mime_text_guess("\xed\xe5 \xe8\xe4\xb8\xf2 ssh", 12), "CP1251");
        assert_string_equal(mime_text_guess("na\xefve words here", 15), "CP1252");
}

/* Short subjects in the charsets that Russia has used; NULL: it has not the letters. */
static const struct {
        const char *text;
        const char *bytes[4]; /* windows-1251, KOI8-R, ISO-8859-5, cp866 */
} subjects[] = {
    {"Не работает почта",
        {"\xcd\xe5 \xf0\xe0\xe1\xee\xf2\xe0\xe5\xf2 \xef\xee\xf7\xf2\xe0",
            "\xee\xc5 \xd2\xc1\xc2\xcf\xd4\xc1\xc5\xd4 \xd0\xcf\xde\xd4\xc1",
            "\xbd\xd5 \xe0\xd0\xd1\xde\xe2\xd0\xd5\xe2 \xdf\xde\xe7\xe2\xd0",
            "\x8d\xa5 \xe0\xa0\xa1\xae\xe2\xa0\xa5\xe2 \xaf\xae\xe7\xe2\xa0"}},
    {"Вопрос по заказу №1542", {"\xc2\xee\xef\xf0\xee\xf1 \xef\xee "
                                "\xe7\xe0\xea\xe0\xe7\xf3 \xb9\x31\x35\x34\x32",
                                   NULL,
                                   "\xb2\xde\xdf\xe0\xde\xe1 \xdf\xde "
                                   "\xd7\xd0\xda\xd0\xd7\xe3 \xf0\x31\x35\x34\x32",
                                   "\x82\xae\xaf\xe0\xae\xe1 \xaf\xae "
                                   "\xa7\xa0\xaa\xa0\xa7\xe3 \xfc\x31\x35\x34\x32"}},
    {"Счёт на оплату", {"\xd1\xf7\xb8\xf2 \xed\xe0 \xee\xef\xeb\xe0\xf2\xf3",
                           "\xf3\xde\xa3\xd4 \xce\xc1 \xcf\xd0\xcc\xc1\xd4\xd5",
                           "\xc1\xe7\xf1\xe2 \xdd\xd0 \xde\xdf\xdb\xd0\xe2\xe3",
                           "\x91\xe7\xf1\xe2 \xad\xa0 \xae\xaf\xab\xa0\xe2\xe3"}},
    {"Возврат товара", {"\xc2\xee\xe7\xe2\xf0\xe0\xf2 \xf2\xee\xe2\xe0\xf0\xe0",
                           "\xf7\xcf\xda\xd7\xd2\xc1\xd4 \xd4\xcf\xd7\xc1\xd2\xc1",
                           "\xb2\xde\xd7\xd2\xe0\xd0\xe2 \xe2\xde\xd2\xd0\xe0\xd0",
                           "\x82\xae\xa7\xa2\xe0\xa0\xe2 \xe2\xae\xa2\xa0\xe0\xa0"}},
    {"Срочно! Ошибка", {"\xd1\xf0\xee\xf7\xed\xee! \xce\xf8\xe8\xe1\xea\xe0",
                           "\xf3\xd2\xcf\xde\xce\xcf! \xef\xdb\xc9\xc2\xcb\xc1",
                           "\xc1\xe0\xde\xe7\xdd\xde! \xbe\xe8\xd8\xd1\xda\xd0",
                           "\x91\xe0\xae\xe7\xad\xae! \x8e\xe8\xa8\xa1\xaa\xa0"}},
    {"Здравствуйте", {"\xc7\xe4\xf0\xe0\xe2\xf1\xf2\xe2\xf3\xe9\xf2\xe5",
                         "\xfa\xc4\xd2\xc1\xd7\xd3\xd4\xd7\xd5\xca\xd4\xc5",
                         "\xb7\xd4\xe0\xd0\xd2\xe1\xe2\xd2\xe3\xd9\xe2\xd5",
                         "\x87\xa4\xe0\xa0\xa2\xe1\xe2\xa2\xe3\xa9\xe2\xa5"}},
    {"Помогите пожалуйста",
        {"\xcf\xee\xec\xee\xe3\xe8\xf2\xe5 \xef\xee\xe6\xe0\xeb\xf3\xe9\xf1\xf2\xe0",
            "\xf0\xcf\xcd\xcf\xc7\xc9\xd4\xc5 \xd0\xcf\xd6\xc1\xcc\xd5\xca\xd3\xd4\xc1",
            "\xbf\xde\xdc\xde\xd3\xd8\xe2\xd5 \xdf\xde\xd6\xd0\xdb\xe3\xd9\xe1\xe2\xd0",
            "\x8f\xae\xac\xae\xa3\xa8\xe2\xa5 \xaf\xae\xa6\xa0\xab\xe3\xa9\xe1\xe2\xa0"}},
    {"ОТВЕТ НА ВАШ ЗАПРОС",
        {"\xce\xd2\xc2\xc5\xd2 \xcd\xc0 \xc2\xc0\xd8 \xc7\xc0\xcf\xd0\xce\xd1",
            "\xef\xf4\xf7\xe5\xf4 \xee\xe1 \xf7\xe1\xfb \xfa\xe1\xf0\xf2\xef\xf3",
            "\xbe\xc2\xb2\xb5\xc2 \xbd\xb0 \xb2\xb0\xc8 \xb7\xb0\xbf\xc0\xbe\xc1",
            "\x8e\x92\x82\x85\x92 \x8d\x80 \x82\x80\x98 \x87\x80\x8f\x90\x8e\x91"}},
    {"Скидки до 50%",
        {"\xd1\xea\xe8\xe4\xea\xe8 \xe4\xee 50%", "\xf3\xcb\xc9\xc4\xcb\xc9 \xc4\xcf 50%",
            "\xc1\xda\xd8\xd4\xda\xd8 \xd4\xde 50%",
            "\x91\xaa\xa8\xa4\xaa\xa8 \xa4\xae 50%"}},
};

#define N_SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void
test_short_cyrillic(void **state)
{
        static const char *const charsets[] = {"CP1251", "KOI8-R", "ISO-8859-5", "CP866"};

        (void)state;
        for (size_t i = 0; i < N_SUBJECTS; i++)
                for (size_t c = 0; c < 4; c++)
                        if (subjects[i].bytes[c] != NULL)
                                assert_string_equal(mime_text_guess(subjects[i].bytes[c],
                                                        strlen(subjects[i].bytes[c])),
                                    charsets[c]);
}

/* Whatever the label says of them, they are read; and a right label is not doubted. */
static void
test_cyrillic_lies(void **state)
{
        static const char *const labels[] = {"", "utf-8", "us-ascii", "iso-8859-1",
            "windows-1251", "koi8-r", "windows-1252", "gb2312", "shift_jis", "x-unknown"};

        (void)state;
        for (size_t i = 0; i < N_SUBJECTS; i++)
                for (size_t c = 0; c < 2; c++)
                        for (size_t l = 0; l < sizeof(labels) / sizeof(labels[0]); l++)
                                if (subjects[i].bytes[c] != NULL)
                                        decodes_text(subjects[i].bytes[c], labels[l],
                                            subjects[i].text);
}

static void
test_other_languages(void **state)
{
        (void)state;
        decodes_text(
            "\xf0\xc9\xd4\xc1\xce\xce\xd1 \xdd\xcf\xc4\xcf "
            "\xda\xc1\xcd\xcf\xd7\xcc\xc5\xce\xce\xd1, \xa7\xa7 \xce\xc5\xcd\xc1\xa4",
            "", "Питання щодо замовлення, її немає");
        decodes_text("\xcf\xe8\xf2\xe0\xed\xed\xff \xf9\xee\xe4\xee "
                     "\xe7\xe0\xec\xee\xe2\xeb\xe5\xed\xed\xff",
            "iso-8859-1", "Питання щодо замовлення");
        decodes_text(
            "Za\xbf\xf3\xb3\xe6 g\xea\x9cl\xb9 ja\x9f\xf1, dzi\xeakuj\xea bardzo", "",
            "Zażółć gęślą jaźń, dziękuję bardzo");
        decodes_text("P\xf8\xedli\x9a \x9elu\x9dou\xe8k\xfd k\xf9\xf2 \xfap\xecl "
                     "\xef\xe1\x62\x65lsk\xe9 \xf3\x64y",
            "", "Příliš žluťoučký kůň úpěl ďábelské ódy");
        decodes_text(
            "Falsches \xdc\x62\x65n von Xylophonmusik qu\xe4lt gr\xf6\xdf\x65re Zwerge",
            "", "Falsches Üben von Xylophonmusik quält größere Zwerge");
        decodes_text("\xca\xe1\xeb\xe7\xec\xdd\xf1\xe1, \xe7 "
                     "\xf0\xe1\xf1\xe1\xe3\xe3\xe5\xeb\xdf\xe1 \xec\xef\xf5 \xe4\xe5\xed "
                     "\xdd\xf7\xe5\xe9 \xf6\xf4\xdc\xf3\xe5\xe9 \xe1\xea\xfc\xec\xe1",
            "", "Καλημέρα, η παραγγελία μου δεν έχει φτάσει ακόμα");
        decodes_text(
            "\xf9\xec\xe5\xed, \xe4\xe4\xe6\xee\xf0\xe4 \xf9\xec\xe9 "
            "\xf2\xe3\xe9\xe9\xef \xec\xe0 \xe4\xe2\xe9\xf2\xe4 \xe0\xec\xe9\xe9",
            "", "שלום, ההזמנה שלי עדיין לא הגיעה אליי");
        decodes_text("Sipari\xfeim h\xe2l\xe2 gelmedi, l\xfctfen yard\xfdm edin, "
                     "te\xfe\x65kk\xfcrler",
            "", "Siparişim hâlâ gelmedi, lütfen yardım edin, teşekkürler");
        decodes_text("\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x81\x41\x92\x8d\x95\xb6"
                     "\x82\xb5\x82\xbd\x8f\xa4\x95i\x82\xaa\x82\xdc\x82\xbe\x93\xcd\x82"
                     "\xa2\x82\xc4\x82\xa2\x82\xdc\x82\xb9\x82\xf1\x81\x42",
            "", "こんにちは、注文した商品がまだ届いていません。");
        decodes_text("\xa4\xb3\xa4\xf3\xa4\xcb\xa4\xc1\xa4\xcf\xa1\xa2\xc3\xed\xca\xb8"
                     "\xa4\xb7\xa4\xbf\xbe\xa6\xc9\xca\xa4\xac\xa4\xde\xa4\xc0\xc6\xcf"
                     "\xa4\xa4\xa4\xc6\xa4\xa4\xa4\xde\xa4\xbb\xa4\xf3\xa1\xa3",
            "", "こんにちは、注文した商品がまだ届いていません。");
        decodes_text(
            "\xc4\xfa\xba\xc3,"
            "\xce\xd2\xb5\xc4\xb6\xa9\xb5\xa5\xbb\xb9\xc3\xbb\xd3\xd0\xca\xd5\xb5\xbd,"
            "\xc7\xeb\xb0\xef\xce\xd2\xb2\xe9\xd2\xbb\xcf\xc2\xa1\xa3\xd0\xbb\xd0\xbb",
            "", "您好,我的订单还没有收到,请帮我查一下。谢谢");
        decodes_text(
            "\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4, \xc1\xd6\xb9\xae\xc7\xd1 "
            "\xbb\xf3\xc7\xb0\xc0\xcc \xbe\xc6\xc1\xf7 \xb5\xb5\xc2\xf8\xc7\xcf\xc1\xf6 "
            "\xbe\xca\xbe\xd2\xbd\xc0\xb4\xcf\xb4\xd9.",
            "", "안녕하세요, 주문한 상품이 아직 도착하지 않았습니다.");
        /* letters no model knows: the label is believed */
        decodes_text("\xfe\xfa ert", "iso-8859-10", "þú ert");
}

static void
test_labels(void **state)
{
        static const char *const as_1251[] = {"cp-1251", "CP1251", "windows1251",
            "Windows-1251; format=flowed", "\"windows-1251\"", "3Dwindows-1251",
            "charset=windows-1251", "x-cp1251", "microsoft-cp1251", "win_1251", "1251",
            " windows-1251 ", "'windows-1251'", "ansi-1251"};
        char declared[40];
        char name[40];

        (void)state;
        for (size_t i = 0; i < sizeof(as_1251) / sizeof(as_1251[0]); i++) {
                mime_text_label(as_1251[i], declared, name);
                assert_string_equal(name, "CP1251");
        }
        mime_text_label("_iso-2022-jp$ESC", declared, name);
        assert_string_equal(name, "ISO-2022-JP-2");
        mime_text_label("iso8859-5", declared, name);
        assert_string_equal(name, "ISO-8859-5");
        mime_text_label("ISO_8859-2:1987", declared, name);
        assert_string_equal(name, "ISO-8859-2");
        mime_text_label("utf-8_format=flowed", declared, name);
        assert_string_equal(name, "UTF-8");
        mime_text_label("65001", declared, name);
        assert_string_equal(name, "UTF-8");
        mime_text_label("klingon-1", declared, name);
        assert_string_equal(name, "KLINGON-1");
        assert_string_equal(declared, "klingon-1");
        mime_text_label("unknown-8bit", declared, name);
        assert_string_equal(name, "");
        mime_text_label(NULL, declared, name);
        assert_string_equal(name, "");
}

static void
says_why(const char *bytes, const char *label, const char *charset, const char *why)
{
        struct charset_verdict v;
        struct buf b = BUF_INIT;

        mime_text_decode_as(&b, bytes, strlen(bytes), label, 1000, &v);
        assert_string_equal(v.charset, charset);
        assert_string_equal(v.why, why);
        assert_int_equal(charset_verdict_is_ordinary(&v), strcmp(why, "declared") == 0);
        buf_fini(&b);
}

static void
test_verdicts(void **state)
{
        (void)state;
        says_why("plain", "", "US-ASCII", "declared");
        says_why(HELLO, "utf-8", "UTF-8", "declared");
        says_why(HELLO, "windows-1251", "UTF-8", "valid UTF-8");
        says_why(HELLO_1251, "windows-1251", "CP1251", "declared");
        says_why(HELLO_1251, "utf-8", "CP1251", "letter frequency");
        says_why(HELLO_KOI8, "windows-1251", "KOI8-R", "letter frequency");
        says_why("\xef\xbb\xbf" HELLO, "", "UTF-8", "byte order mark");
        says_why("\x1b$B$3$s\x1b(B", "us-ascii", "ISO-2022-JP", "escape sequences");
        says_why("\x9e\x70\xee\xb1\x23\x5d\x1b\xdd\xb0\xe8\x5b\xb0\xeb\x57\xcc", "utf-8",
            "UTF-8", "no charset fits");
}

static void
test_encoded_twice(void **state)
{
        (void)state;
        decodes_text(
            "\xc3\x90\xc2\x9f\xc3\x91\xc2\x80\xc3\x90\xc2\xb8\xc3\x90\xc2\xb2\xc3\x90\xc2"
            "\xb5\xc3\x91\xc2\x82, \xc3\x90\xc2\xbc\xc3\x90\xc2\xb8\xc3\x91\xc2\x80",
            "utf-8", "Привет, мир");
        decodes_text(
            "\xd0\xa0\xd1\x9f\xd0\xa1\xd0\x82\xd0\xa0\xd1\x91\xd0\xa0\xd0\x86\xd0\xa0\xc2"
            "\xb5\xd0\xa1\xe2\x80\x9a, \xd0\xa0\xd1\x98\xd0\xa0\xd1\x91\xd0\xa1\xd0\x82",
            "utf-8", "Привет, мир");
        decodes_text("M\xc3\x83\xc2\xbcller und S\xc3\x83\xc2\xb6hne", "utf-8",
            "Müller und Söhne");
        decodes_text("\xc3\x87\xc3\xa4\xc3\xb0\xc3\xa0\xc3\xa2\xc3\xb1\xc3\xb2\xc3\xa2"
                     "\xc3\xb3\xc3\xa9\xc3\xb2\xc3\xa5",
            "utf-8", "Здравствуйте");
        /* only where it is certain */
        decodes_text("Ã is a letter, and Größe a word", "utf-8",
            "Ã is a letter, and Größe a word");
        decodes_text("РС на диске С", "utf-8", "РС на диске С");
}

static void
test_switched_and_wide(void **state)
{
        (void)state;
        decodes_text("~{VPND~} ok", "hz-gb-2312", "中文 ok");
        decodes_text("\x1b$)C\x0e>H\x0f!", "iso-2022-kr", "안!");
        decodes_text("\x1b(I1\x1b(B.", "iso-2022-jp", "ｱ.");
        decodes_text("\x1b$B-!\x1b(B", "iso-2022-jp", "①"); /* NEC's row */
        decodes_text("\x1b$B$3$s", "iso-2022-jp", "こん"); /* cut off */
        decodes("h\0e\0l\0l\0o\0!\0", 12, "", "hello!");
        decodes("\x3f\x04\x40\x04\x38\x04\x32\x04\x35\x04\x42\x04", 12, "", "привет");
        decodes_text("<p>plain</p>", "utf-16", "<p>plain</p>");
        decodes("\xff\xfe\0\0\x3f\x04\0\0", 8, "utf-32", "п");
        decodes("\0\0\x04\x3f", 4, "utf-32", "п");
        decodes_text("\xd6\xd0\x81\x39\xee\x39\xce\xc4", "gb18030", "中㐀文");
}

/* What the letters do not decide the rest of the mail does. */
static void
test_hint(void **state)
{
        struct charset_verdict v;
        struct buf b = BUF_INIT;

        (void)state;
        mime_text_decode_near(&b, "\xcd\xc1", 2, "", "KOI8-R", 100, &v);
        assert_string_equal(b.data, "ма");
        buf_clear(&b);
        mime_text_decode_near(&b, "\xcd\xc1", 2, "", "CP1251", 100, &v);
        assert_string_equal(b.data, "НБ");
        buf_fini(&b);
}

static void
unflows(const char *in, bool delsp, const char *want)
{
        struct buf b = BUF_INIT;

        buf_adds(&b, in);
        mime_text_unflow(&b, delsp);
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
}

static void
test_flowed(void **state)
{
        (void)state;
        unflows("one \ntwo\nthree\n", false, "one two\nthree\n");
        unflows("on \ne\n", true, "one\n");
        unflows("> a \n> b\nc\n", false, "> a b\nc\n");
        unflows(">a \nb\n", false, "> a \nb\n");
        unflows("text \n-- \nAnna\n", false, "text \n-- \nAnna\n");
        unflows(" >not a quote\n", false, ">not a quote\n");
        unflows("open ", false, "open ");
        unflows("", false, "");
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_right_labels),
            cmocka_unit_test(test_wrong_labels),
            cmocka_unit_test(test_no_labels),
            cmocka_unit_test(test_nothing_lost),
            cmocka_unit_test(test_cut),
            cmocka_unit_test(test_guess),
            cmocka_unit_test(test_short_cyrillic),
            cmocka_unit_test(test_cyrillic_lies),
            cmocka_unit_test(test_other_languages),
            cmocka_unit_test(test_labels),
            cmocka_unit_test(test_verdicts),
            cmocka_unit_test(test_encoded_twice),
            cmocka_unit_test(test_switched_and_wide),
            cmocka_unit_test(test_hint),
            cmocka_unit_test(test_flowed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
