/* HTML -> text: what it reads, what it leaves out, and that bombs stay linear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "channels/helper_mime_html.h"
#include "tests/unit/patience.h"

static void
reads(const char *html, const char *want)
{
        struct buf b = BUF_INIT;

        assert_false(mime_html_text(&b, html, strlen(html), 1 << 20));
        assert_string_equal(buf_str(&b), want);
        buf_fini(&b);
}

static void
test_paragraphs(void **state)
{
        (void)state;
        reads("", "");
        reads("  plain   text\n here ", "plain text here");
        reads("<p>one</p><p>two</p>", "one\n\ntwo");
        reads("<div>one</div><div>two</div>", "one\ntwo");
        reads("one<br>two<br/><br>three", "one\ntwo\n\nthree");
        reads("<div>a</div><div><br></div><div>b</div>", "a\n\nb");
        reads("<br><br><br><br>x<br><br><br><br>y<br>", "x\n\ny");
        reads("<b>bo</b>ld <i>it</i>", "bold it");
        reads("a<hr>b", "a\n----\nb");
        reads("<pre>a  b\n  c</pre>d", "a  b\n  c\nd");
}

static void
test_lists_tables_quotes(void **state)
{
        (void)state;
        reads("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc");
        reads("<ol><li>a</li><li>b<ul><li>c</ul></ol>", "1. a\n2. b\n  - c");
        reads(
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc");
        reads("x<blockquote>q<br>r<blockquote>s</blockquote></blockquote>y",
            "x\n> q\n> r\n>> s\ny");
        reads("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b");
        reads("</blockquote></ul></ol></pre>x", "x");
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void
test_links_images(void **state)
{
        (void)state;
        reads("<a href=\"http://x.example/a\">here</a>.", "here <http://x.example/a>.");
        reads("<a href='https://x.example/'>x.example</a>", "x.example");
        reads("<a href=http://x.example/?a=1&amp;b=2&copy=3>q</a>",
            "q <http://x.example/?a=1&b=2&copy=3>");
        reads("<a href=\"javascript:alert(1)\">no</a> <a name=x>n</a>", "no n");
        reads("<a href=\"http://x.example/\"></a>y", "y");
        reads("<img alt=\"" X50 X50 X50 "бббббббббббббббббббббббббббббббб\">",
            "[" X50 X50 X50 "бббббббббббббббббббббббб]");
        reads("<img alt=\"a&#10;b&nbsp;c\">", "[a b c]");
        reads("a <img src=x alt=\"A cat\"> b<img alt=''>", "a [A cat] b");
}

static void
test_entities(void **state)
{
        (void)state;
        reads("&lt;b&gt; &amp;amp; &quot;q&quot; &laquo;a&raquo; &mdash;",
            "<b> &amp; \"q\" «a» —");
        reads("&#1055;&#x440;&#128; &#0;&#xD800;&#99999999;",
            "Пр€ \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
        reads("a&nbsp;&nbsp;b AT&T &unknown; & &# &#x;", "a b AT&T &unknown; & &# &#x;");
        reads("&AMP;&zwnj;&shy;&yuml;&Aacute;&frac34;", "&ÿÁ¾");
}

static void
test_left_out(void **state)
{
        (void)state;
        reads(
            "a<script>if (a<b) x</script>b<style>p{}</STYLE>c<title>t</title>d", "abcd");
        reads("a<!-- <p>x</p> -->b<!DOCTYPE x>c<![CDATA[>d<?php ?>e", "abcde");
        reads("a\xe2\x80\x8b\xef\xbb\xbf"
              "b",
            "ab");
        reads("a<script>never closed", "a");
}

static void
test_broken(void **state)
{
        (void)state;
        reads("a < b and c<3 and <", "a < b and c<3 and <");
        reads("<p title=\"a>b\">x", "x");
        reads("<p title=\"never closed>x</p> y", "x\n\ny");
        reads("<p don't>x</p>", "x");
        reads("a<b", "a<b");
        reads("a<!-- never closed>b", "ab");
        reads("<p/>x<//p>y", "x<//p>y");
        reads("\xff\xfe<b>\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void
test_limit(void **state)
{
        struct buf b = BUF_INIT;

        (void)state;
        buf_adds(&b, "head ");
        assert_true(mime_html_text(
            &b, "<p>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 48, 40));
        assert_true(b.len <= 45 && b.len > 10);
        buf_fini(&b);
}

static void
test_charset(void **state)
{
        char name[40];
        const char *html =
            "<head><meta http-equiv=x content=\"text/html; charset=koi8-r\">";

        (void)state;
        mime_html_charset(html, strlen(html), name);
        assert_string_equal(name, "koi8-r");
        html = "<meta charset='windows-1251'/>";
        mime_html_charset(html, strlen(html), name);
        assert_string_equal(name, "windows-1251");
        mime_html_charset("<p>", 3, name);
        assert_string_equal(name, "");
        mime_html_charset("charset=", 8, name);
        assert_string_equal(name, "");
}

/* 4 MB of the same: twice as much must not take four times as long. */
static void
test_bombs(void **state)
{
        static const char *const bombs[] = {"<", "<a b=\"", "<a b='\"", "<!--",
            "<script>", "<div>", "<blockquote>x", "<a href=\"http://x.example/\">y", "&",
            "&#", "<img alt=\"", "</a ", "<ol><li>", "<p x=\"1\" ", "<![CDATA[",
            "<title><", "<b>x</b", "<a href='http://a.example/'"};

        (void)state;
        for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
                struct buf html = BUF_INIT;
                struct buf text = BUF_INIT;
                clock_t began;

                while (html.len < FEWER(4u << 20))
                        buf_adds(&html, bombs[i]);
                began = clock();
                mime_html_text(&text, html.data, html.len, 8u << 20);
                if (clock() - began > 5 * CLOCKS_PER_SEC)
                        fail_msg("4 MB of %s took more than 5 s", bombs[i]);
                buf_fini(&html);
                buf_fini(&text);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_paragraphs),
            cmocka_unit_test(test_lists_tables_quotes),
            cmocka_unit_test(test_links_images),
            cmocka_unit_test(test_entities),
            cmocka_unit_test(test_left_out),
            cmocka_unit_test(test_broken),
            cmocka_unit_test(test_limit),
            cmocka_unit_test(test_charset),
            cmocka_unit_test(test_bombs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
