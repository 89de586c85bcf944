/* Bounce formats: wrong files give exact errors, patterns fit what they say, and the
 * example of bounces(5) is good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/bounces_impl.h"

static int
read_text(const char *text, struct err *err)
{
        struct bounce_set *s = bounces_new();
        int rc = bounces_read_text(s, "x.conf", "x", text, strlen(text), err);

        if (rc == 0)
                rc = bounces_finish(s, err);
        bounces_free(&s);
        return rc;
}

static void
test_errors(void **state)
{
        static const struct {
                const char *text, *error;
        } wrong[] = {
            {"faild \"{address}\"\n",
                "x.conf:1:1: error: unknown sentence 'faild'; did you mean 'failed'?"},
            {"frobnicate\n",
                "x.conf:1:1: error: unknown sentence 'frobnicate'; see bounces(5)"},
            {"# a\nfailed \"nobody\"\n", "x.conf:2:8: error: 'failed' says where the "
                                         "recipient stands: {address} is missing"},
            {"failed \"{adress}\"\n",
                "x.conf:1:9: error: this is none of {address} {status} {code} {reply} "
                "{id}; a brace is written {{"},
            {"failed \"{address}**\"\n",
                "x.conf:1:19: error: two that take any text stand beside each other; put "
                "words between them"},
            {"failed {address}\n",
                "x.conf:1:8: error: '{address}' holds a brace; put it in quotes: \"…\""},
            {"failed word\n", "x.conf:1:8: error: a pattern stands in quotes: \"word\""},
            {"original \"open\nsystem \"A\"\n", "x.conf:1:10: error: this text is never "
                                                "closed; it ends on its own line: \"…\""},
            {"system «A»\n",
                "x.conf:1:8: error: typographic quotes; use straight ones: \"…\""},
            {"system \"A\"\nsystem \"B\"\n",
                "x.conf:2:1: error: 'system' stands twice; remove one"},
            {"known-by sender \"a\"\n",
                "x.conf:1:10: error: 'sender' is none of from, subject, header NAME, "
                "text: each before a pattern"},
            {"known-by from\n",
                "x.conf:1:10: error: behind 'from' a pattern is missing: \"…\""},
            {"reply \"none\"\n", "x.conf:1:7: error: 'reply' says where the answer "
                                 "stands: one of {reply} {status} {code} is missing"},
            {"original\n", "x.conf:1:1: error: 'original' without a pattern; write one "
                           "in quotes: original \"…\""},
            {"type spam\n", "x.conf:1:1: error: 'type' is one of abuse, disposition, "
                            "other; without it these are reports of delivery"},
            {"reason a maybe 5.1.1\n",
                "x.conf:1:10: error: 'maybe' is none of permanent, temporary, by-status"},
            {"reason a permanent 9\n",
                "x.conf:1:20: error: '9' is no status of RFC 3463: 5.1.1"},
            {"known-by from \"a\"\nmeans nothing \"*b*\"\n",
                "x.conf:2:7: error: unknown reason 'nothing'; declare it in "
                "reasons.conf: reason nothing temporary 5.0.0"},
            {"system \"A\"\n",
                "x.conf:1:1: error: nothing says how a report of this system is known; "
                "add a sentence known-by from \"…\" or subject \"…\" or text \"…\""},
            {"\xff\n", "x.conf:1:1: error: not UTF-8; save it as UTF-8"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
                struct err err = {0};

                assert_int_equal(read_text(wrong[i].text, &err), -1);
                assert_string_equal(err.text, wrong[i].error);
        }
}

static void
test_patterns(void **state)
{
        static const struct {
                const char *pattern, *line, *address, *reply;
        } good[] = {
            {"<{address}>: {reply}", "<a@b.example>: no such user", "a@b.example",
                "no such user"},
            {"*to {address} failed", "Delivery to a@b.example failed", "a@b.example", ""},
            {"получатель: {address}", "ПОЛУЧАТЕЛЬ: a@b.example", "a@b.example", ""},
            {"{{x} {address}", "{x} a@b.example", "a@b.example", ""},
        };
        static const char *const bad[][2] = {{"<{address}>:", "<a@b.example>: more"},
            {"failed", "it failed"}, {"{address}", "nobody"}, {"*b", "abc"}};
        struct arena *a AUTO_ARENA = arena_new();
        struct bounce_captures c;
        const char *why;
        size_t at;

        (void)state;
        for (size_t i = 0; i < 8; i++) {
                const char *pattern = i < 4 ? good[i].pattern : bad[i - 4][0];
                const char *text = i < 4 ? good[i].line : bad[i - 4][1];
                struct line_pattern *p = line_pattern_new(a, pattern, &why, &at);
                struct bounce_line l = {.s = text, .n = strlen(text)};
                char *folded = arena_strdup(a, text);

                assert_non_null(p);
                bounces_fold(folded, text, l.n);
                l.folded = folded;
                assert_int_equal(line_pattern_fits(p, &l, &c), i < 4);
                if (i >= 4)
                        continue;
                assert_string_equal(
                    arena_strndup(a, c.address.s, c.address.n), good[i].address);
                assert_string_equal(
                    arena_strndup(a, c.reply.s != NULL ? c.reply.s : "", c.reply.n),
                    good[i].reply);
        }
}

/* The shipped files are good, and there are many. */
static void
test_shipped(void **state)
{
        const char *dirs[] = {"tests/unit/no-such-folder", "config/bounces"};
        struct err err = {0};
        struct bounce_set *s = bounces_load(dirs, 2, &err);

        (void)state;
        if (s == NULL)
                fail_msg("%s", err.text);
        assert_true(bounces_count(s) >= 60);
        assert_non_null(bounces_other(s));
        bounces_free(&s);
}

static void
test_manual(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct err err = {0};
        FILE *f = fopen("docs/bounces.5", "r");
        bool inside = false;
        char line[500];

        (void)state;
        assert_non_null(f);
        while (fgets(line, sizeof line, f) != NULL) {
                if (strncmp(line, ".Ed", 3) == 0)
                        inside = false;
                if (inside)
                        buf_adds(&b, line);
                if (strncmp(line, ".Bd -literal", 12) == 0)
                        inside = true;
        }
        fclose(f);
        assert_true(b.len > 100);
        if (read_text(b.data, &err) == -1)
                fail_msg("%s", err.text);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_errors),
            cmocka_unit_test(test_patterns),
            cmocka_unit_test(test_shipped),
            cmocka_unit_test(test_manual),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
