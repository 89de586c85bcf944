/* Sanitised HTML: what stays, what goes, that it is whole and stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "channels/helper_mime_html.h"

static void
cleans(const char *html, const char *want)
{
        struct buf once = BUF_INIT;
        struct buf twice = BUF_INIT;

        assert_false(mime_html_clean(&once, html, strlen(html), 1 << 20));
        assert_string_equal(buf_str(&once), want);
        assert_false(mime_html_clean(&twice, buf_str(&once), once.len, 1 << 20));
        assert_string_equal(buf_str(&twice), want);
        buf_fini(&once);
        buf_fini(&twice);
}

#define REL " target=\"_blank\" rel=\"noopener noreferrer nofollow\""

static void
test_stays(void **state)
{
        (void)state;
        cleans("", "");
        cleans("a < b & \"c\" &copy; &#x41;", "a &lt; b &amp; &quot;c&quot; © A");
        cleans("<P ALIGN=center CLASS=x ID=y>a<br/>b", "<p align=\"center\">a<br>b</p>");
        cleans("<table border=1><tr><td colspan=2>a<td>b<tr><td>c</table>",
            "<table border=\"1\"><tr><td "
            "colspan=\"2\">a</td><td>b</td></tr><tr><td>c</td>"
            "</tr></table>");
        cleans(
            "<ol start=3><li>a<li>b</ol>", "<ol start=\"3\"><li>a</li><li>b</li></ol>");
        cleans("<blockquote type=cite>q", "<blockquote type=\"cite\">q</blockquote>");
        cleans("<b><p>x</b>y", "<b><p>x</p></b>y");
        cleans("<dd><svg><td><dd>x", "<dd></dd><dd>x</dd>");
        cleans("x</b></div></td>", "x");
        cleans("<title>t</title><textarea>a<b></textarea>", "a&lt;b&gt;");
}

static void
test_links_images(void **state)
{
        (void)state;
        cleans("<a href=' https://x.example/?a=1&amp;b=2' onclick=x>l</a>",
            "<a href=\"https://x.example/?a=1&amp;b=2\"" REL ">l</a>");
        cleans("<a href=mailto:a@b.example>m</a><a href=TEL:1>t</a>",
            "<a href=\"mailto:a@b.example\"" REL ">m</a><a href=\"TEL:1\"" REL ">t</a>");
        cleans("<a href='javascript:x'>a</a>", "<a>a</a>");
        cleans("<a href='java&#10;script:x'>a</a>", "<a>a</a>");
        cleans("<a href='&#1;javascript:x'>a</a>", "<a>a</a>");
        cleans("<a href='//x.example'>a</a><a href='data:text/html,x'>b</a>",
            "<a>a</a><a>b</a>");
        cleans("<img src=cid:a@b alt='A \"b\"' width=10 onerror=x>",
            "<img src=\"cid:a@b\" alt=\"A &quot;b&quot;\" width=\"10\">");
        cleans("<img src=http://t.example/p alt=Logo><img src=http://t.example/q>",
            "[Logo]");
}

static void
test_styles(void **state)
{
        (void)state;
        cleans("<p style='COLOR:Red; font-size:12pt;background:url(http://x)'>a</p>",
            "<p style=\"color:red;font-size:12pt\">a</p>");
        cleans("<p style='position:fixed;margin:-9px;width:expression(x)'>a</p>",
            "<p>a</p>");
        cleans("<p style='font-family:\"Segoe UI\",Arial;margin:0 auto'>a</p>",
            "<p style=\"font-family:segoe ui,arial;margin:0 auto\">a</p>");
        cleans("<p style='border:solid #ccc 1.0pt;padding:3px 1em'>a</p>",
            "<p style=\"border:solid #ccc 1.0pt;padding:3px 1em\">a</p>");
        cleans("<p style='color:r\\65 d;background-color:rgb(1, 2, 3)'>a</p>",
            "<p style=\"background-color:rgb(1, 2, 3)\">a</p>");
        cleans("<p style='font-size:1px'>a</p>", "<p>a</p>");
        cleans("<p style='display:none'>a</p>b<p hidden>c</p>", "b");
        cleans("<p style='color:#fff;background:#fff'>a</p>", "");
}

static void
test_goes(void **state)
{
        (void)state;
        cleans("a<script>alert(1)</script>b<style>p{}</style>c", "abc");
        cleans("<svg><style><img src=x onerror=x></style><p>y</svg>", "<p>y</p>");
        cleans("<math><mi>q</mi></math><noscript>n</noscript>", "qn");
        cleans("<form action=x><input value=1>t<button>b</button></form>", "tb");
        cleans("<iframe src=x>f</iframe><object data=x>o</object><embed src=x>", "o");
        cleans("a<!-- <b> --><![CDATA[ x ]]><?php ?>b", "ab");
        cleans("<xmp><script>x</script></xmp>", "&lt;script&gt;x&lt;/script&gt;");
        cleans("<p \"><img src=x onerror=alert(1)>\">a", "<p>&quot;&gt;a</p>");
        cleans("a\xe2\x80\xae"
               "b\x01",
            "ab");
}

static void
test_limit(void **state)
{
        struct buf html = BUF_INIT;
        struct buf out = BUF_INIT;
        const char *end = "</div></div></div>";

        (void)state;
        for (int i = 0; i < 1000; i++)
                buf_adds(&html, "<div>text & text ");
        buf_adds(&out, "head");
        assert_true(mime_html_clean(&out, html.data, html.len, 500));
        assert_true(out.len <= 504 && out.len > 400);
        assert_string_equal(out.data + out.len - strlen(end), end);
        buf_clear(&out);
        assert_false(mime_html_clean(&out, html.data, html.len, 1 << 20)); /* deep */
        buf_fini(&html);
        buf_fini(&out);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_stays),
            cmocka_unit_test(test_links_images),
            cmocka_unit_test(test_styles),
            cmocka_unit_test(test_goes),
            cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
