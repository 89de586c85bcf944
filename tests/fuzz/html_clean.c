/*
 * Sanitised HTML of any bytes: within the limit, valid UTF-8, nothing that runs or loads,
 * and clean already: cleaning it once more changes nothing. The same bytes as text with
 * its marks: they ascend, apart, within the text.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_html.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* What must not begin a tag; and no tag's name is longer than any allowed. */
static void
check_tags(const char *s)
{
        static const char *const bad[] = {"script", "style", "iframe", "object", "embed",
            "svg", "math", "form", "input", "base", "meta", "link", "template",
            "noscript", "textarea", "select", "xmp", "plaintext", "title", "!", "?"};

        for (; (s = strchr(s, '<')) != NULL; s++)
                for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                        CHECK(strncmp(s + 1, bad[i], strlen(bad[i])) != 0);
}

static void
check_clean(const char *html, size_t n)
{
        struct buf once AUTO_BUF = BUF_INIT;
        struct buf twice AUTO_BUF = BUF_INIT;
        struct buf cut AUTO_BUF = BUF_INIT;

        CHECK(!mime_html_clean(&once, html, n, 64u << 20));
        CHECK(utf8_valid(buf_str(&once), once.len));
        CHECK(strlen(buf_str(&once)) == once.len);
        check_tags(buf_str(&once));
        CHECK(!mime_html_clean(&twice, buf_str(&once), once.len, 64u << 20));
        CHECK(strcmp(buf_str(&once), buf_str(&twice)) == 0);
        mime_html_clean(&cut, html, n, 500);
        CHECK(cut.len <= 500);
}

static void
check_marks(const char *html, size_t n)
{
        struct buf text AUTO_BUF = BUF_INIT;
        struct buf plain AUTO_BUF = BUF_INIT;
        struct text_marks m;
        size_t at = 0;

        buf_adds(&text, "head");
        mime_html_text_marked(&text, html, n, 2000, &m);
        for (size_t i = 0; i < m.n; i++) {
                CHECK(m.list[i].from >= at && m.list[i].to > m.list[i].from);
                CHECK(m.list[i].to <= text.len - 4);
                at = m.list[i].to;
        }
        mime_html_text(&plain, html, n, 2000);
        CHECK(strcmp(buf_str(&plain), buf_str(&text) + 4) == 0);
        free(m.list);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        struct buf html AUTO_BUF = BUF_INIT;

        utf8_add_clean(&html, (const char *)data, size);
        check_clean(buf_str(&html), html.len);
        check_marks(buf_str(&html), html.len);
        return 0;
}
