/* Our Message-IDs and subject tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <string.h>

#include <cmocka.h>

#include "channels/email_id.h"

static const uint8_t secret[32] = "0123456789abcdef0123456789abcde";
static const uint8_t other[32] = "1123456789abcdef0123456789abcde";

static void
test_format_parse_verify(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *s = email_id_format(a, "1042", "57", 'k', secret, "desk.example");
        struct email_id id;

        (void)state;
        assert_memory_equal(s, "t1042.e57.k", 11);
        assert_int_equal(strlen(s), strlen("t1042.e57.kSSSSSSSSSSSSSSSS@desk.example"));
        assert_true(email_id_parse(s, &id));
        assert_string_equal(id.ticket, "1042");
        assert_string_equal(id.entry, "57");
        assert_int_equal(id.key_id, 'k');
        assert_true(email_id_verify(&id, secret));
        assert_false(email_id_verify(&id, other));
        assert_string_equal(
            s, email_id_format(a, "1042", "57", 'k', secret, "desk.example"));
}

/* Gateways rewrite case and domain; both are no part of what is signed. */
static void
test_case_and_domain_may_change(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        char *s = arena_strdup(
            a, email_id_format(a, "7", "123456789012345678", '2', secret, "a.example"));
        struct email_id id;

        (void)state;
        for (char *p = s; *p != '\0'; p++)
                *p = (char)toupper((unsigned char)*p);
        assert_true(email_id_parse(s, &id));
        assert_true(email_id_verify(&id, secret));
}

static void
test_every_character_counts(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *s = email_id_format(a, "1042", "57", 'k', secret, "d");
        size_t n = strlen(s) - strlen("@d");

        (void)state;
        for (size_t i = 0; i < n; i++) {
                char *t = arena_strdup(a, s);
                struct email_id id;

                if (i == strlen("t1042.e57."))
                        continue; /* the key's name: another key, then */
                t[i] = t[i] == '3' ? '4' : '3';
                assert_false(email_id_parse(t, &id) && email_id_verify(&id, secret));
        }
}

static void
test_what_is_not_ours(void **state)
{
        static const char *const bad[] = {"", "t", "t1", "t1.e2.", "t1.e2.k",
            "t1.e2.kaaaaaaaaaaaaaaaa", "t1.e2.kaaaaaaaaaaaaaaaa@",
            "t1.e2.kaaaaaaaaaaaaaaa@d", "t1.e2.kaaaaaaaaaaaaaaaaa@d",
            "t1.e2.kaaaaaaaaaaaaaaa1@d", "t01.e2.kaaaaaaaaaaaaaaaa@d",
            "t1.e0.kaaaaaaaaaaaaaaaa@d", "t.e2.kaaaaaaaaaaaaaaaa@d",
            "x1.e2.kaaaaaaaaaaaaaaaa@d", "t1-e2.kaaaaaaaaaaaaaaaa@d",
            "t1.e2.-aaaaaaaaaaaaaaaa@d", "t1234567890123456789.e2.kaaaaaaaaaaaaaaaa@d",
            "<t1.e2.kaaaaaaaaaaaaaaaa@d>", " t1.e2.kaaaaaaaaaaaaaaaa@d"};
        struct email_id id;

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                if (email_id_parse(bad[i], &id))
                        fail_msg("'%s' was taken", bad[i]);
}

static void
test_tags(void **state)
{
        static const struct {
                const char *subject, *ticket; /* ticket NULL: none */
                const char *stripped, *answer;
        } rows[] = {
            {"Hello", NULL, "Hello", "[#9] Re: Hello"},
            {"[#1042] Hello", "1042", "Hello", "[#9] Re: Hello"},
            {"Re: [#1042] Re: Hello", "1042", "Re: Re: Hello", "[#9] Re: Hello"},
            {"RE: AW[2]: Ответ: Отв: Hello", NULL, "RE: AW[2]: Ответ: Отв: Hello",
                "[#9] Re: Hello"},
            {"[#1] [#2] Hello [#3]", "1", "Hello", "[#9] Re: Hello"},
            {"Hello[#5]world", "5", "Hello world", "[#9] Re: Hello world"},
            {"[JIRA-12] [ #5] [#x] [#] [#05] Hi", NULL,
                "[JIRA-12] [ #5] [#x] [#] [#05] Hi",
                "[#9] Re: [JIRA-12] [ #5] [#x] [#] [#05] Hi"},
            {"", NULL, "", "[#9]"},
            {"  [#7]  ", "7", "", "[#9]"},
            {"Re:", NULL, "Re:", "[#9]"},
            {"Regarding: x", NULL, "Regarding: x", "[#9] Re: Regarding: x"},
            {"Re[x]: y", NULL, "Re[x]: y", "[#9] Re: Re[x]: y"},
            {"[#12345678901234567890] x", NULL, "[#12345678901234567890] x",
                "[#9] Re: [#12345678901234567890] x"},
        };
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                char ticket[20] = "";
                bool found = subject_tag_find(rows[i].subject, ticket);

                assert_int_equal(found, rows[i].ticket != NULL);
                if (found)
                        assert_string_equal(ticket, rows[i].ticket);
                assert_string_equal(subject_strip(a, rows[i].subject), rows[i].stripped);
                assert_string_equal(
                    subject_for_answer(a, "9", rows[i].subject, true), rows[i].answer);
        }
        assert_string_equal(
            subject_for_answer(a, "9", "Re: [#9] x", false), "[#9] Re: x");
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_format_parse_verify),
            cmocka_unit_test(test_case_and_domain_may_change),
            cmocka_unit_test(test_every_character_counts),
            cmocka_unit_test(test_what_is_not_ours),
            cmocka_unit_test(test_tags),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
