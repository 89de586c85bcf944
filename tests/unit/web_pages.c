/* Pages, signed links, one-time tokens, and who sends too often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/web/pages.h"
#include "daemon/web/rate.h"
#include "daemon/web/token.h"

static const uint8_t secret[32] = "one secret", other[32] = "another secret";
static const char *both[] = {"ru", "en"}, *english[] = {"en"}, *german[] = {"de", "en"};

static const uint8_t *
key(void *arg, char id)
{
        (void)arg;
        return id == 'a' ? secret : id == 'b' ? other : NULL;
}

static void
test_language(void **state)
{
        struct config c = {.languages = both, .n_languages = 2};

        (void)state;
        assert_string_equal(page_language(&c, "", ""), "ru");
        assert_string_equal(page_language(&c, "", "en"), "en");
        assert_string_equal(page_language(&c, "", "de,en-GB;q=0.9, ru;q=0.8"), "en");
        assert_string_equal(page_language(&c, "", "en;q=0.2,RU-ru;q=0.3"), "ru");
        assert_string_equal(page_language(&c, "", "ru;q=0, en;q=0.1"), "en");
        assert_string_equal(page_language(&c, "", ";;,,q=,=;ru"), "ru");
        assert_string_equal(page_language(&c, "lang=en", "ru"), "en");
        assert_string_equal(page_language(&c, "x=1&lang=en&y", "ru"), "en");
        assert_string_equal(page_language(&c, "lang=xx", "en"), "en");
        c.languages = english;
        c.n_languages = 1;
        assert_string_equal(page_language(&c, "lang=ru", "ru"), "en");
        c.languages = german;
        c.n_languages = 2;
        assert_string_equal(page_language(&c, "", "de"), "en");
}

static void
test_status_links(void **state)
{
        char s[40], t[40], ticket[20];

        (void)state;
        status_token_format(secret, "1042", s);
        assert_true(status_token_parse(s, key, NULL, ticket));
        assert_string_equal(ticket, "1042");
        status_token_format(other, "1042", t); /* an older key */
        assert_true(status_token_parse(t, key, NULL, ticket));
        for (size_t i = 0; i < strlen(s); i++) {
                memcpy(t, s, sizeof t);
                t[i] = t[i] == '3' ? '4' : '3';
                assert_false(status_token_parse(t, key, NULL, ticket));
        }
        assert_false(status_token_parse("", key, NULL, ticket));
        assert_false(status_token_parse("1042", key, NULL, ticket));
        assert_false(status_token_parse("1042-", key, NULL, ticket));
        assert_false(status_token_parse("-aaaaaaaaaaaaaaaa", key, NULL, ticket));
        assert_false(status_token_parse(
            "99999999999999999999999-aaaaaaaaaaaaaaaa", key, NULL, ticket));
}

static void
test_form_tokens(void **state)
{
        const int64_t now = 1700000000000000, day = 86400000000;
        char s[64], t[64], id[17], again[17];

        (void)state;
        form_token_format(secret, 'a', "contact", now, s);
        assert_true(form_token_parse(s, "contact", now, key, NULL, id));
        assert_int_equal(strlen(id), 16);
        assert_true(form_token_parse(s, "contact", now + 6 * day, key, NULL, again));
        assert_string_equal(id, again);
        assert_false(form_token_parse(s, "contact", now + 8 * day, key, NULL, id));
        assert_false(form_token_parse(s, "contact", now - day, key, NULL, id));
        assert_false(form_token_parse(s, "other", now, key, NULL, id));
        for (size_t i = 0; i < strlen(s); i++) {
                memcpy(t, s, sizeof t);
                t[i] = t[i] == '3' ? '4' : '3';
                assert_false(form_token_parse(t, "contact", now, key, NULL, id));
                t[i] = '\0';
                assert_false(form_token_parse(t, "contact", now, key, NULL, id));
        }
        form_token_format(secret, 'a', "contact", now, t);
        assert_string_not_equal(s, t);
}

static void
test_rate(void **state)
{
        struct rate *r = rate_new();
        int64_t now = 1000000000;
        unsigned n = 0;

        (void)state;
        for (int i = 0; i < 100; i++)
                n += rate_take(r, "192.0.2.1", "contact", 20, now);
        assert_int_equal(n, 20);
        assert_true(rate_take(r, "192.0.2.2", "contact", 20, now));
        assert_true(rate_take(r, "192.0.2.1", "other", 20, now));
        assert_true(rate_take(r, "192.0.2.1", "contact", 20, now + 200 * 1000000LL));
        assert_false(rate_take(r, "192.0.2.1", "contact", 20, now + 200 * 1000000LL));
        n = 0;
        for (int i = 0; i < 50; i++) {
                char address[40];

                snprintf(address, sizeof address, "2001:db8::%x", i + 1);
                n += rate_take(r, address, "contact", 20, now);
        }
        assert_int_equal(n, 20); /* one /64 is one */
        rate_free(&r);
}

static void
test_sent_tokens(void **state)
{
        struct sent_tokens *t = sent_tokens_new();

        (void)state;
        assert_string_equal(sent_tokens_find(t, "abcdefghijklmnop"), "");
        sent_tokens_note(t, "abcdefghijklmnop", "7");
        assert_string_equal(sent_tokens_find(t, "abcdefghijklmnop"), "7");
        assert_string_equal(sent_tokens_find(t, "abcdefghijklmnoq"), "");
        assert_string_equal(sent_tokens_find(t, ""), "");
        sent_tokens_free(&t);
}

static void
contains(const struct buf *b, const char *what)
{
        if (strstr(buf_str(b), what) == NULL)
                fail_msg("no %s in\n%s", what, buf_str(b));
}

static void
test_form_page(void **state)
{
        struct localised label = {"", "<b>\"&'"};
        const char *choices[] = {"a\"b", "<x>"};
        struct field_options fields[] = {
            {.name = "na\"me",
                .type = FIELD_LINE,
                .required = true,
                .text = "",
                .labels = &label,
                .n_labels = 1},
            {.name = "pick",
                .type = FIELD_CHOICES,
                .choices = choices,
                .n_choices = 2,
                .text = ""},
            {.name = "files",
                .type = FIELD_FILES,
                .at_most = 3,
                .limit = 5 << 20,
                .text = ""},
            {.name = "ok", .type = FIELD_CONSENT, .text = "<i>all</i>"},
        };
        struct form_options f = {.name = "f", .fields = fields, .n_fields = 4};
        struct form_part parts[] = {
            {.name = "na\"me",
                .value = "</textarea><script>\"",
                .len = 20,
                .filename = ""},
            {.name = "pick", .value = "<x>", .len = 3, .filename = ""},
        };
        struct form_sent s = {.form = &f, .parts = parts, .n_parts = 2, .language = "en"};
        struct form_fault fault = {"na\"me", "wrong <>"};
        struct page_form p = {.page = {"Desk <1>", "en", "/f/f", true},
            .token = "tok",
            .sent = &s,
            .faults = &fault,
            .n_faults = 1,
            .notice = NOTICE_FAULTS};
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        page_form(&b, &p);
        assert_null(strstr(buf_str(&b), "<script"));
        assert_null(strstr(buf_str(&b), "<i>"));
        assert_null(strstr(buf_str(&b), "<b>"));
        contains(&b, "<html lang=\"en\">");
        contains(&b, "<label for=\"f1\">&lt;b&gt;&quot;&amp;&#39;");
        contains(&b, "name=\"na&quot;me\" required aria-describedby=\"e1\" "
                     "aria-invalid=\"true\" autofocus");
        contains(&b, "<p class=\"fault\" id=\"e1\">wrong &lt;&gt;</p>");
        contains(&b, "<option value=\"&lt;x&gt;\" selected>");
        contains(&b, "multipart/form-data");
        contains(&b, "Files must be chosen again.");
        contains(&b, "href=\"/f/f?lang=ru\"");
        contains(&b, "name=\"_token\" value=\"tok\"");
}

static void
test_other_pages(void **state)
{
        struct page p = {"Desk", "ru", "/x", false};

        (void)state;
        for (int e = PAGE_NOT_FOUND; e <= PAGE_STORE_AWAY; e++) {
                struct buf b AUTO_BUF = BUF_INIT;

                page_error(&b, &p, (enum page_error)e);
                contains(&b, "</html>");
                assert_true(page_error_status((enum page_error)e) >= 400);
                assert_true(*page_error_sentence((enum page_error)e) != '\0');
        }
        {
                struct buf b AUTO_BUF = BUF_INIT;

                page_thanks(&b, &p, "1042", "/s/1042-x?a=1&b=2");
                contains(&b, ">1042</strong>");
                contains(&b, "href=\"/s/1042-x?a=1&amp;b=2\"");
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_language),
            cmocka_unit_test(test_status_links),
            cmocka_unit_test(test_form_tokens),
            cmocka_unit_test(test_rate),
            cmocka_unit_test(test_sent_tokens),
            cmocka_unit_test(test_form_page),
            cmocka_unit_test(test_other_pages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
