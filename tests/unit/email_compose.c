/* Mail out: what is written can be read back, and nothing gets into a header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "channels/email_compose.h"
#include "daemon/base/utf8.h"

/* ---- a small reader, written from the RFCs ---- */

static int
base64_digit(char c)
{
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *p = c == '\0' ? NULL : strchr(digits, c);

        return p == NULL ? -1 : (int)(p - digits);
}

static void
base64_read(const char *p, size_t n, struct buf *out)
{
        unsigned v = 0, bits = 0;

        for (size_t i = 0; i < n; i++) {
                int d = base64_digit(p[i]);

                if (d == -1)
                        continue;
                v = v << 6 | (unsigned)d;
                bits += 6;
                if (bits >= 8)
                        buf_addc(out, (char)(v >> (bits -= 8) & 0xff));
        }
}

static void
qp_read(const char *p, size_t n, struct buf *out)
{
        for (size_t i = 0; i < n; i++) {
                if (p[i] != '=') {
                        buf_addc(out, p[i]);
                } else if (p[i + 1] == '\r') {
                        i += 2;
                } else {
                        char hex[3] = {p[i + 1], p[i + 2], '\0'};

                        buf_addc(out, (char)strtol(hex, NULL, 16));
                        i += 2;
                }
        }
}

/* The header's value, unfolded and with encoded words decoded. */
static void
header_read(const struct buf *mail, const char *name, struct buf *out)
{
        struct buf flat AUTO_BUF = BUF_INIT;
        char begin[64];
        const char *p, *head = buf_str(mail);
        bool was_word = false;

        snprintf(begin, sizeof begin, "%s:", name);
        p = strncmp(head, begin, strlen(begin)) == 0 ? head : NULL;
        if (p == NULL) {
                snprintf(begin, sizeof begin, "\r\n%s:", name);
                p = strstr(head, begin);
        }
        assert_non_null(p);
        for (p += strlen(begin); !(p[0] == '\r' && p[2] != ' '); p++)
                if (*p != '\r' && *p != '\n')
                        buf_addc(&flat, *p);
        p = buf_str(&flat);
        p += *p == ' ';
        while (*p != '\0') {
                size_t blanks = strspn(p, " "), n = strcspn(p + blanks, " ");
                const char *w = p + blanks;
                bool word = strncmp(w, "=?utf-8?B?", 10) == 0;

                if (word)
                        assert_true(n <= 75 && strncmp(w + n - 2, "?=", 2) == 0);
                if (!(word && was_word))
                        buf_add(out, p, blanks);
                if (word) {
                        struct buf part AUTO_BUF = BUF_INIT;

                        base64_read(w + 10, n - 12, &part);
                        assert_true(
                            utf8_valid(part.data, part.len)); /* no character cut */
                        buf_add(out, part.data, part.len);
                } else {
                        buf_add(out, w, n);
                }
                was_word = word;
                p = w + n;
        }
}

static void
body_read(const struct buf *mail, struct buf *out)
{
        const char *body = strstr(buf_str(mail), "\r\n\r\n") + 4;
        struct buf how AUTO_BUF = BUF_INIT, crlf AUTO_BUF = BUF_INIT;

        header_read(mail, "Content-Transfer-Encoding", &how);
        if (strcmp(buf_str(&how), "base64") == 0)
                base64_read(body, strlen(body), &crlf);
        else if (strcmp(buf_str(&how), "quoted-printable") == 0)
                qp_read(body, strlen(body), &crlf);
        else
                buf_adds(&crlf, body);
        for (size_t i = 0; i < crlf.len; i++)
                if (crlf.data[i] != '\r')
                        buf_addc(out, crlf.data[i]);
}

/* 7-bit, CRLF only, no line longer than 78, each header line is one. */
static void
check_wire(const struct buf *b)
{
        size_t column = 0;
        const char *end = strstr(buf_str(b), "\r\n\r\n");

        assert_non_null(end);
        assert_true(b->len > 2 && b->data[b->len - 1] == '\n');
        for (size_t i = 0; i < b->len; i++) {
                unsigned char c = (unsigned char)b->data[i];

                assert_true(
                    c < 0x7f && (c >= ' ' || c == '\r' || c == '\n' || c == '\t'));
                if (c == '\n') {
                        assert_true(i > 0 && b->data[i - 1] == '\r');
                        column = 0;
                        continue;
                }
                if (c == '\r') {
                        assert_int_equal(b->data[i + 1], '\n');
                        continue;
                }
                if (++column > 78 && b->data + i < end)
                        assert_null(memchr(b->data + i - 78, ' ', 78 - 1 - 12));
                assert_true(column <= 998);
        }
}

/* ---- the tests ---- */

static struct mail_address customer = {"Иван", "ivan@customer.example"};

static struct mail_out
usual(void)
{
        return (struct mail_out){.from = {"Desk", "support@desk.example"},
            .to = &customer,
            .n_to = 1,
            .subject = "x",
            .message_id = "t1.e2.kaaaaaaaaaaaaaaaa@desk.example",
            .in_reply_to = "",
            .date_us = 1795428000123456,
            .language = "ru",
            .text = "Hello\n"};
}

static void
compose(const struct mail_out *m, struct buf *out)
{
        struct err err = {0};

        if (mail_compose(m, out, &err) == -1)
                fail_msg("%s", err.text);
        check_wire(out);
}

static void
test_subjects_come_back(void **state)
{
        static const char *const subjects[] = {"", "x", "[#1042] Re: Hello world",
            "[#1042] Re: ВПН не работает", "Я", "a ё b ё c", "ёёёё  ёёёё",
            "two  blanks   inside", "=?utf-8?B?0K8=?=", "a =?x?= b",
            "emoji 🙂🙂🙂 and café",
            "Очень длинная тема письма, которая никак не помещается в одну строку "
            "заголовка и "
            "потому должна быть разрезана между буквами, а не посередине какой-нибудь из "
            "них, "
            "сколько бы их ни было в этом бесконечном предложении про сломанный роутер "
            "Р-5",
            "an English subject that is much longer than one line of a header may be, so "
            "that it "
            "has to be folded at blanks, more than once indeed, and come back as it was "
            "written"};

        (void)state;
        for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
                struct mail_out m = usual();
                struct buf mail AUTO_BUF = BUF_INIT, back AUTO_BUF = BUF_INIT;

                m.subject = subjects[i];
                compose(&m, &mail);
                header_read(&mail, "Subject", &back);
                assert_string_equal(buf_str(&back), subjects[i]);
        }
}

static void
test_random_subjects_come_back(void **state)
{
        static const char *const pieces[] = {"a", "Bc", " ", "ё", "ж", "🙂", "=?",
            "?=", ":", "[#1]", "word", "слово", "日本"};

        (void)state;
        srandom(11);
        for (int round = 0; round < 3000; round++) {
                struct buf s AUTO_BUF = BUF_INIT, mail AUTO_BUF = BUF_INIT;
                struct buf back AUTO_BUF = BUF_INIT;
                struct mail_out m = usual();
                size_t n = (size_t)random() % 120;

                buf_addc(&s, 'x');
                for (size_t i = 0; i < n; i++)
                        buf_adds(&s,
                            pieces[random() % (long)(sizeof pieces / sizeof *pieces)]);
                buf_addc(&s, 'y');
                m.subject = buf_str(&s);
                compose(&m, &mail);
                header_read(&mail, "Subject", &back);
                assert_string_equal(buf_str(&back), buf_str(&s));
        }
}

static void
test_bodies_come_back(void **state)
{
        static const char *const bodies[] = {"Hello\n", "", "no end", "\n\n\n",
            ".\n..\n.dot\n", "From me\nFrom you\n", "trailing blank \nnext\t\n",
            "Привет!\nКак дела?\n",
            "Mostly English with one café in it, so that quoted-printable is shorter.\n",
            "= =3D =\n", "\ttab\n", "🙂\n"};

        (void)state;
        for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
                struct mail_out m = usual();
                struct buf mail AUTO_BUF = BUF_INIT, back AUTO_BUF = BUF_INIT;
                struct buf want AUTO_BUF = BUF_INIT;

                m.text = bodies[i];
                buf_adds(&want, bodies[i]);
                if (want.len == 0 || want.data[want.len - 1] != '\n')
                        buf_addc(&want, '\n');
                compose(&m, &mail);
                assert_null(strstr(buf_str(&mail), "\nFrom "));
                body_read(&mail, &back);
                assert_string_equal(buf_str(&back), buf_str(&want));
        }
}

static void
test_long_lines_come_back(void **state)
{
        (void)state;
        srandom(5);
        for (size_t n = 60; n < 3000; n = n * 3 / 2) {
                struct buf text AUTO_BUF = BUF_INIT, mail AUTO_BUF = BUF_INIT;
                struct buf back AUTO_BUF = BUF_INIT;
                struct mail_out m = usual();

                for (size_t i = 0; i < n; i++)
                        buf_adds(&text, random() % 30 == 0  ? "é"
                                        : random() % 9 == 0 ? " "
                                                            : "w");
                buf_adds(&text, ".\n");
                m.text = buf_str(&text);
                compose(&m, &mail);
                body_read(&mail, &back);
                assert_string_equal(buf_str(&back), buf_str(&text));
        }
}

static size_t
count(const char *s, const char *what)
{
        size_t n = 0;

        for (; (s = strstr(s, what)) != NULL; s++)
                n++;
        return n;
}

static void
test_no_header_from_outside(void **state)
{
        static const char evil[] =
            "x\r\nBcc: evil@x.example\r\n\r\nbody\rBcc: y\nBcc: z\x01\x7f\0";
        struct mail_address to = {evil, "a@x.example"};
        const char *refs[] = {evil, "good@x", "a b", "<c@x>", "d\r\n@x"};
        struct mail_out m = usual();
        struct buf mail AUTO_BUF = BUF_INIT;

        (void)state;
        m.subject = evil;
        m.from.name = evil;
        m.to = &to;
        m.in_reply_to = evil;
        m.references = refs;
        m.n_references = 5;
        m.language = evil;
        compose(&m, &mail);
        assert_int_equal(count(buf_str(&mail), "\nBcc:"), 0);
        assert_int_equal(count(buf_str(&mail), "\nIn-Reply-To:"), 0);
        assert_int_equal(count(buf_str(&mail), "\nReferences: <good@x>\r\n"), 1);
        assert_int_equal(count(buf_str(&mail), "\nContent-Language:"), 0);
        assert_int_equal(count(buf_str(&mail), "\r\n\r\n"), 1);
}

static void
test_addresses_that_are_refused(void **state)
{
        static const char *const bad[] = {"", "a", "@x", "a@", "a@x\r\nBcc: b@y", "a b@x",
            "a,b@x", "a@x,b@y", "a@x>", "<a@x", "a;b@x", "(c)a@x", "a@[x",
            "почта@пример.рф", "\"a@x", "\"a\"b\"@x", "a@x\x01"};
        static const char *const good[] = {"a@x", "a.b+c@x.example",
            "a..b@docomo.example", "o'neil@x", "\"a b\"@x", "a@[127.0.0.1]", "=a@x"};

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct mail_address to = {"", bad[i]};
                struct mail_out m = usual();
                struct buf mail AUTO_BUF = BUF_INIT;
                struct err err = {0};

                m.to = &to;
                if (mail_compose(&m, &mail, &err) == 0)
                        fail_msg("'%s' was taken", bad[i]);
                assert_int_equal(err.kind, ERR_REJECT);
        }
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
                bool safe =
                    strchr(good[i], ' ') == NULL; /* blanks never go on a command line */

                assert_int_equal(mail_address_is_plain(good[i]), safe);
        }
}

static void
test_names(void **state)
{
        struct mail_address to[] = {{"Plain Name", "a@x.example"},
            {"Doe, \"J\\o\"", "b@x.example"}, {"Анна Котова", "c@x.example"},
            {"", "d@x.example"}, {"=?x?=", "e@x.example"}};
        struct mail_out m = usual();
        struct buf mail AUTO_BUF = BUF_INIT, back AUTO_BUF = BUF_INIT;

        (void)state;
        m.to = to;
        m.n_to = 5;
        m.cc = to;
        m.n_cc = 1;
        compose(&m, &mail);
        header_read(&mail, "To", &back);
        assert_string_equal(buf_str(&back),
            "Plain Name <a@x.example>, \"Doe, \\\"J\\\\o\\\"\" <b@x.example>, Анна "
            "Котова "
            "<c@x.example>, d@x.example, =?x?= <e@x.example>");
        assert_non_null(strstr(buf_str(&mail), "\r\nCc: Plain Name <a@x.example>\r\n"));
        assert_null(strstr(buf_str(&mail), " =?x?= <"));
}

static void
test_references_of_10000_characters(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *refs[300];
        struct mail_out m = usual();
        struct buf mail AUTO_BUF = BUF_INIT, back AUTO_BUF = BUF_INIT;

        (void)state;
        for (int i = 0; i < 300; i++)
                refs[i] = arena_printf(a, "message-%03d.of.a.long.thread@x.example", i);
        m.references = refs;
        m.n_references = 300;
        m.in_reply_to = refs[299];
        compose(&m, &mail);
        header_read(&mail, "References", &back);
        assert_true(back.len < 998 && back.len > 800);
        assert_memory_equal(buf_str(&back), "<message-000.", 13);
        assert_int_equal(count(buf_str(&back), "<message-299."), 1);
        assert_int_equal(count(buf_str(&back), "<message-298."), 1);
        assert_int_equal(count(buf_str(&back), "<message-100."), 0);
        assert_string_equal(buf_str(&back) + back.len - strlen(refs[299]) - 1 + 0,
            arena_printf(a, "%s>", refs[299]));
}

static void
test_references_small(void **state)
{
        static const struct {
                const char *refs[3];
                size_t n;
                const char *parent, *want; /* want NULL: no header */
        } rows[] = {
            {{NULL}, 0, "", NULL},
            {{NULL}, 0, "p@x", "<p@x>"},
            {{"p@x"}, 1, "p@x", "<p@x>"},
            {{"a@x", "b@x"}, 2, "", "<a@x> <b@x>"},
            {{"a@x", "b@x"}, 2, "p@x", "<a@x> <b@x> <p@x>"},
            {{"a@x", "p@x", "b@x"}, 3, "p@x", "<a@x> <b@x> <p@x>"},
            {{"not one", "b@x"}, 2, "", "<b@x>"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                struct mail_out m = usual();
                struct buf mail AUTO_BUF = BUF_INIT, back AUTO_BUF = BUF_INIT;

                m.references = rows[i].refs;
                m.n_references = rows[i].n;
                m.in_reply_to = rows[i].parent;
                compose(&m, &mail);
                if (rows[i].want == NULL) {
                        assert_null(strstr(buf_str(&mail), "References:"));
                        continue;
                }
                header_read(&mail, "References", &back);
                assert_string_equal(buf_str(&back), rows[i].want);
        }
}

static void
test_automatic_mail_says_so(void **state)
{
        struct mail_out m = usual();
        struct buf mail AUTO_BUF = BUF_INIT;

        (void)state;
        m.is_automatic = true;
        m.n_to = 0;
        compose(&m, &mail);
        assert_non_null(strstr(buf_str(&mail), "\r\nAuto-Submitted: auto-replied\r\n"));
        assert_non_null(strstr(buf_str(&mail), "\r\nX-Auto-Response-Suppress: All\r\n"));
        assert_null(strstr(buf_str(&mail), "Precedence"));
        assert_non_null(strstr(buf_str(&mail), "\r\nTo: undisclosed-recipients:;\r\n"));
        assert_non_null(
            strstr(buf_str(&mail), "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"));
        assert_non_null(strstr(buf_str(&mail), "\r\nContent-Language: ru\r\n"));
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_subjects_come_back),
            cmocka_unit_test(test_random_subjects_come_back),
            cmocka_unit_test(test_bodies_come_back),
            cmocka_unit_test(test_long_lines_come_back),
            cmocka_unit_test(test_no_header_from_outside),
            cmocka_unit_test(test_addresses_that_are_refused),
            cmocka_unit_test(test_names),
            cmocka_unit_test(test_references_of_10000_characters),
            cmocka_unit_test(test_references_small),
            cmocka_unit_test(test_automatic_mail_says_so),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
