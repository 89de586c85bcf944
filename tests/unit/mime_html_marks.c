/* Marks of quotes and signatures in text made from HTML, as mail programs write it. In
 * what is wanted «q...» is a quote and «s...» a signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "channels/helper_mime_html.h"
#include "tests/unit/patience.h"

static void
marks(const char *html, const char *want)
{
        struct buf text = BUF_INIT;
        struct buf got = BUF_INIT;
        struct text_marks m;
        size_t at = 0;

        buf_adds(&text, "x"); /* marks count from the text's begin */
        assert_false(mime_html_text_marked(&text, html, strlen(html), 1 << 20, &m));
        for (size_t i = 0; i < m.n; i++) {
                buf_add(&got, text.data + 1 + at, m.list[i].from - at);
                buf_adds(&got, m.list[i].kind == TEXT_QUOTE ? "«q" : "«s");
                buf_add(
                    &got, text.data + 1 + m.list[i].from, m.list[i].to - m.list[i].from);
                buf_adds(&got, "»");
                at = m.list[i].to;
        }
        buf_adds(&got, buf_str(&text) + 1 + at);
        assert_string_equal(buf_str(&got), want);
        buf_fini(&text);
        buf_fini(&got);
        free(m.list);
}

#define GMAIL_ATTR                                                                       \
        "<div dir=\"ltr\" class=\"gmail_attr\">On Mon, 2 Jan 2023 at 10:00, Anna &lt;"   \
        "<a href=\"mailto:a@b.example\">a@b.example</a>&gt; wrote:<br></div>"
#define GMAIL_QUOTE                                                                      \
        "<blockquote class=\"gmail_quote\" style=\"margin:0 0 0 .8ex;border-left:1px "   \
        "#ccc solid;padding-left:1ex\">"

static void
test_gmail(void **state)
{
        (void)state;
        marks("<div dir=ltr>Hello<br><br>-- <br><div class=\"gmail_signature\" "
              "data-smartmail=\"gmail_signature\">Ivan</div></div><br>"
              "<div class=\"gmail_quote gmail_quote_container\">" GMAIL_ATTR GMAIL_QUOTE
              "q1</blockquote><div>between</div>" GMAIL_QUOTE
              "q2<div class=gmail_quote><blockquote>old</blockquote></div></blockquote>"
              "<div>below</div></div>",
            "Hello\n\n«s--\nIvan»\n\n«qOn Mon, 2 Jan 2023 at 10:00, Anna "
            "<a@b.example> wrote:\n> q1»\nbetween\n«q> q2\n>> old»\nbelow");
        /* a forward is not a quote, nor what it quotes */
        marks("FYI<div class=gmail_quote><div class=gmail_attr>---------- Пересылаемое "
              "сообщение ---------<br>От: X</div><br>t<blockquote type=cite>q"
              "</blockquote></div>",
            "FYI\n---------- Пересылаемое сообщение ---------\nОт: X\n\nt\n> q");
        /* written into the container, above the introduction */
        marks("<div class=gmail_quote>one<br>two<br>three<br>02.01.2023 10:00, A "
              "&lt;a@b.example&gt;:<br>" GMAIL_QUOTE "q</blockquote></div>",
            "one\ntwo\nthree\n«q02.01.2023 10:00, A <a@b.example>:\n> q»");
        marks("<div class=gmail_quote>No quote is in it.</div>", "No quote is in it.");
}

static void
test_outlook(void **state)
{
        (void)state;
        marks("<body><div class=WordSection1><p class=MsoNormal>Ответ<o:p></o:p></p>"
              "<p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none;"
              "border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p "
              "class=MsoNormal><b>От:</b> A<br><b>Тема:</b> B</p></div></div><p "
              "class=MsoNormal>старое</p></div></body>",
            "Ответ\n\n«qОт: A\nТема: B\nстарое»");
        marks("<div style='border-top:solid #E1E1E1 1.0pt'>No heads in this one</div>b",
            "No heads in this one\nb");
        marks("Answer<div id=Signature>Bob</div><div id=appendonsend></div><hr "
              "tabindex=\"-1\" style=\"width:98%\"><div id=divRplyFwdMsg><b>From:</b> A"
              "</div><div>orig</div>",
            "Answer\n«sBob»\n«q----\nFrom: A\norig»");
        marks("Answer<div id=\"mail-editor-reference-message-container\"><div><hr>"
              "<b>From:</b> A<br>orig</div></div>",
            "Answer\n«q----\nFrom: A\norig»");
        marks("a<hr>b", "a\n----\nb");
}

static void
test_mozilla_apple(void **state)
{
        (void)state;
        marks("<p>Answer</p><div class=moz-cite-prefix>02.01.2023 10:00, A пишет:<br>"
              "</div><blockquote type=cite cite=\"mid:1@x\"><pre>quoted\n text</pre>"
              "</blockquote><p>below</p><pre class=moz-signature cols=72>-- \nBob</pre>",
            "Answer\n\n«q02.01.2023 10:00, A пишет:\n> quoted\n>  text»\n\nbelow\n\n"
            "«s-- \nBob»");
        marks("<div class=moz-cite-prefix>Mine,</div><div class=moz-cite-prefix>in their "
              "element.</div><div class=moz-cite-prefix>A wrote:</div><blockquote "
              "type=cite>q</blockquote>",
            "Mine,\nin their element.\n«qA wrote:\n> q»");
        marks("See<div class=moz-forward-container>-------- Forwarded Message --------"
              "<table class=moz-email-headers-table><tr><th>From: </th><td>A</td></tr>"
              "</table><blockquote type=cite>q</blockquote></div>",
            "See\n-------- Forwarded Message --------\nFrom: A\n> q");
        marks("Reply<div id=AppleMailSignature>Sent from my iPhone</div><div><br>"
              "<blockquote type=cite><div>On Jan 2, 2023, at 10:00, A wrote:</div><br "
              "class=Apple-interchange-newline>q</blockquote></div>below",
            "Reply\n«sSent from my iPhone»\n\n«q> On Jan 2, 2023, at 10:00, A wrote:\n>\n"
            "> q»\nbelow");
}

static void
test_russian(void **state)
{
        (void)state;
        marks(
            "<div>Ответ</div><div>&nbsp;</div><div data-signature-widget=\"container\">"
            "<div data-signature-widget=\"content\"><div>--<br>Иван</div></div></div>"
            "<div>&nbsp;</div><blockquote style=\"border-left:1px solid #0857A6;"
            "margin:10px;padding:0 0 0 10px;\">Понедельник, 2 января 2023, 10:00 +03:00 "
            "от A &lt;a@b.example&gt;:<br><div class=\"js-helper js-readmsg-msg\">q"
            "</div></blockquote>",
            "Ответ\n\n«s--\nИван»\n\n«q> Понедельник, 2 января 2023, 10:00 +03:00 от A "
            "<a@b.example>:\n> q»");
        marks("<div>Ответ</div><div>----------------</div><div>Кому: a@b.example;</div>"
              "<div>Тема: вопрос;</div><div>02.01.2023, 10:00, \"A\" "
              "&lt;a@b.example&gt;:</div><blockquote class=\"210e7a848e8fcb45wmi-quote\">"
              "<p>q</p></blockquote><div>ниже</div><div class=\"b1wmi-sign\">-- <br>Иван"
              "</div>",
            "Ответ\n«q----------------\nКому: a@b.example;\nТема: вопрос;\n02.01.2023, "
            "10:00, \"A\" <a@b.example>:\n\n> q»\n\nниже\n«s--\nИван»");
        /* without a sign a blockquote is only a blockquote */
        marks("В договоре:<blockquote>срок</blockquote>верно?",
            "В договоре:\n> срок\nверно?");
        marks("a<blockquote style=\"margin:0 0 0 40px;border:none;padding:0px\">b"
              "</blockquote>",
            "a\nb");
}

static void
test_others(void **state)
{
        (void)state;
        marks("A<div class=\"ydp1yahoo_quoted\"><div>On Monday, 2 January 2023 at "
              "10:00, X wrote:</div>q</div>",
            "A\n«qOn Monday, 2 January 2023 at 10:00, X wrote:\nq»");
        marks("A<div class=\"protonmail_signature_block\">Sent with Proton</div><div "
              "class=\"protonmail_quote\">On 2 January 2023, X wrote:<br><blockquote "
              "class=\"protonmail_quote\" type=cite>q</blockquote></div>",
            "A\n«sSent with Proton»\n«qOn 2 January 2023, X wrote:\n> q»");
        marks("A<div name=\"quote\" style=\"border-left:2px solid #C3D9E5\">Von: X<div "
              "name=\"quoted-content\">q</div></div>",
            "A\n«qVon: X\nq»");
        marks("A<div data-marker=\"__SIG_PRE__\">s</div><hr id=zwchr "
              "data-marker=\"__DIVIDER__\"><div data-marker=\"__HEADERS__\"><b>From:</b> "
              "X</div><div data-marker=\"__QUOTED_TEXT__\">q</div>",
            "A\n«ss»\n«q----\nFrom: X\nq»");
        marks("A<p id=\"v1reply-intro\">On 2023-01-02, X wrote:</p><blockquote "
              "type=cite><div id=replybody1>q</div></blockquote>b",
            "A\n\n«qOn 2023-01-02, X wrote:\n\n> q»\nb");
        marks("", "");
        marks("<blockquote type=cite></blockquote>", "");
}

/* Twice as much of the same must not take four times as long, also with marks, and
 * cleaning, too. */
static void
test_bombs(void **state)
{
        static const char *const bombs[] = {"<blockquote type=cite>q", "<div><p>x",
            "<div class=gmail_quote>x<blockquote>",
            "<div class=moz-cite-prefix>a 1:", "<div style='border-top:solid 1pt'>",
            "<table><tr><td>x<td>y", "<b><p>x</b>", "<td>x<td>",
            "<span style='font-size:0;'>", "<ul><li>x", "<svg><p>", "<font><div></font>",
            "1 a@b:<br><blockquote type=cite>q</blockquote>",
            "<a href=http://a.example/1>x</a><img src=cid:x>",
            "<div class='a b c d e f'>", "</p></div></td>", "<x y=1 z='2' id=\"3\">",
            "&amp", "<!-- <title>", "<textarea>"};

        (void)state;
        for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
                struct buf html = BUF_INIT;
                struct buf out = BUF_INIT;
                struct text_marks m;
                clock_t began;

                while (html.len < FEWER(2u << 20))
                        buf_adds(&html, bombs[i]);
                began = clock();
                mime_html_text_marked(&out, html.data, html.len, 8u << 20, &m);
                mime_html_clean(&out, html.data, html.len, 32u << 20);
                if (clock() - began > 5 * CLOCKS_PER_SEC)
                        fail_msg("2 MB of %s took more than 5 s", bombs[i]);
                free(m.list);
                buf_fini(&html);
                buf_fini(&out);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_gmail),
            cmocka_unit_test(test_outlook),
            cmocka_unit_test(test_mozilla_apple),
            cmocka_unit_test(test_russian),
            cmocka_unit_test(test_others),
            cmocka_unit_test(test_bombs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
