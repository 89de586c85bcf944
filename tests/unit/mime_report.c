/* Reports: each sample of tests/unit/bounces says in its own header what is expected of it:
 * X-Expect: TYPE SYSTEM [FIRST-RETURNED-ID] and for each recipient
 * X-Recipient: ADDRESS ACTION STATUS REASON permanent|temporary ("-" is ""). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_report.h"
#include "config/bounces.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"

#define SAMPLES "tests/unit/bounces"

static struct bounce_set *set;

static int
load(void **state)
{
        const char *dirs[] = {"config/bounces"};
        struct err err = {0};

        (void)state;
        set = bounces_load(dirs, 1, &err);
        if (set == NULL)
                fail_msg("%s", err.text);
        mime_parse_init();
        mime_parse_set_bounces(set);
        return 0;
}

static int
unload(void **state)
{
        (void)state;
        mime_parse_set_bounces(NULL);
        bounces_free(&set);
        return 0;
}

static struct message *
parse(const char *raw, size_t n)
{
        struct message *m = NULL;
        struct err err = {0};
        char *copy = malloc(n + 1);

        memcpy(copy, raw, n);
        if (mime_parse(copy, n, "support@desk.example", &m, &err) == -1)
                fail_msg("refused: %s", err.text);
        free(copy);
        return m;
}

static void
read_file(const char *path, struct buf *to)
{
        FILE *f = fopen(path, "r");
        size_t n;

        if (f == NULL)
                fail_msg("cannot read %s", path);
        while ((n = fread(buf_reserve(to, 65536), 1, 65536, f)) > 0)
                to->len += n;
        fclose(f);
}

static const char *
or_dash(const char *s)
{
        return s[0] != '\0' ? s : "-";
}

/* What was understood, in the words of the samples' headers. */
static void
tell(const struct message *m, const char *expected, struct buf *b)
{
        const struct mail_report *r = m->report;
        bool id = strchr(expected, '@') != NULL;

        if (r == NULL) {
                buf_adds(b, "none");
                return;
        }
        buf_addf(b, "%s %s", r->type, or_dash(r->system));
        if (id)
                buf_addf(b, " %s", r->n_returned_ids > 0 ? r->returned_ids[0] : "-");
        for (size_t i = 0; i < r->n_recipients; i++) {
                const struct report_recipient *x = &r->recipients[i];

                buf_addf(b, "\n%s %s %s %s %s", or_dash(x->address), x->action,
                    or_dash(x->status), or_dash(x->reason),
                    x->permanent ? "permanent" : "temporary");
        }
}

static bool
check_sample(const char *name)
{
        struct buf raw AUTO_BUF = BUF_INIT, want AUTO_BUF = BUF_INIT,
                       got AUTO_BUF = BUF_INIT;
        char path[300];
        struct message *m;
        bool same;

        snprintf(path, sizeof path, SAMPLES "/%s", name);
        read_file(path, &raw);
        m = parse(buf_str(&raw), raw.len);
        buf_adds(&want, message_header(m, "X-Expect"));
        tell(m, buf_str(&want), &got);
        for (size_t i = 0; i < m->n_headers; i++)
                if (strcmp(m->headers[i].name, "X-Recipient") == 0)
                        buf_addf(&want, "\n%s", m->headers[i].value);
        same = strcmp(buf_str(&want), buf_str(&got)) == 0;
        if (!same)
                print_message(
                    "%s: expected\n%s\nbut got\n%s\n\n", name, want.data, got.data);
        message_free(&m);
        return same;
}

static void
test_samples(void **state)
{
        struct dirent **names;
        int n = scandir(SAMPLES, &names, NULL, alphasort);
        unsigned n_seen = 0, n_wrong = 0;

        (void)state;
        assert_true(n > 0);
        for (int i = 0; i < n; i++) {
                if (strstr(names[i]->d_name, ".eml") != NULL) {
                        n_seen++;
                        n_wrong += !check_sample(names[i]->d_name);
                }
                free(names[i]);
        }
        free(names);
        assert_true(n_seen >= 30);
        assert_int_equal(n_wrong, 0);
}

/* Without the data the standards are still understood. */
static void
test_no_set(void **state)
{
        struct buf raw AUTO_BUF = BUF_INIT;
        struct message *m;

        (void)state;
        mime_parse_set_bounces(NULL);
        read_file(SAMPLES "/dsn-torn.eml", &raw);
        m = parse(buf_str(&raw), raw.len);
        mime_parse_set_bounces(set);
        assert_non_null(m->report);
        assert_string_equal(m->report->type, "failure");
        assert_string_equal(m->report->recipients[0].address, "anna@far.example");
        assert_string_equal(m->report->recipients[0].status, "5.2.2");
        assert_string_equal(m->report->returned_ids[0], "first@desk.example");
        assert_string_equal(m->report->returned_subject, "Your router");
        message_free(&m);
}

/* A hostile mail with the marks of a report: time grows with its length only. */
static void
test_linear(void **state)
{
        static const char *const lines[] = {"<a@b.example>: 550 5.1.1 x\n", "@@@@@@@@@@",
            "550 550 550 550 550 ", "a@b.example ", "Final-Recipient: rfc822; a@b\n",
            "<<<<<<<<<<", "\"\"\"\"\"\"\"\"", "to: to: to: to: a@b\n"};

        (void)state;
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
                struct buf raw AUTO_BUF = BUF_INIT;
                int64_t before = clock_mono_us();
                struct message *m;

                buf_adds(&raw, "Return-Path: <>\nFrom: MAILER-DAEMON@far.example\n"
                               "Subject: failure notice\n\ncould not be delivered\n");
                while (raw.len < 1000000)
                        buf_adds(&raw, lines[i]);
                m = parse(raw.data, raw.len);
                if (m->report != NULL)
                        assert_true(m->report->n_recipients <= REPORT_MAX_RECIPIENTS);
                message_free(&m);
                if (clock_mono_us() - before > 5000000)
                        fail_msg("'%s' took too long", lines[i]);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_samples),
            cmocka_unit_test(test_no_set),
            cmocka_unit_test(test_linear),
        };

        return cmocka_run_group_tests(tests, load, unload);
}
