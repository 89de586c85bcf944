/* The index of words, against a naive one: the same questions, the same tickets. */
#include "daemon/model/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
list_is(const char *text, const char *expected)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct words_list l = {.max = 100};
        char got[1000] = "";

        words_of(a, text, strlen(text), &l);
        for (size_t i = 0; i < l.n; i++)
                snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", l.words[i]);
        assert_string_equal(got, expected);
}

static void
words_of_texts(void **state)
{
        (void)state;
        list_is("", "");
        list_is("?! -- ", "");
        list_is("VPN, vpn; Vpn!", "vpn ");
        list_is("Ёлка и ёж", "еж елка и ");
        list_is("olga@shop.example +74951234567", "74951234567 example olga shop ");
        list_is("\xff\xfe ok \xd0", "ok ");
        list_is("«Ромашка» — №5", "5 ромашка ");
        list_is("abcdefghijklmnopqrstuvwxyz0123", "abcdefghijklmnopqrstuvwx ");
}

static void
words_are_bounded(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct words_list l = {.max = 10};
        char text[4096] = "";

        (void)state;
        for (int i = 0; i < 500; i++)
                snprintf(text + strlen(text), sizeof text - strlen(text), "w%d ", i);
        words_of(a, text, strlen(text), &l);
        assert_int_equal(l.n, 10);
        words_of(a, text, strlen(text), &l);
        assert_int_equal(l.n, 10);
}

/* ---- against a naive one ---- */

enum { TICKETS = 60, VOCABULARY = 400, STEPS = 6000 };
static const char *vocabulary[VOCABULARY];
static bool has[TICKETS + 1][VOCABULARY];

static void
compare(struct words_index *x, const char *const *begins, size_t n, uint64_t before)
{
        uint64_t got[10], want[10];
        size_t n_got = words_find(x, begins, n, before, got, 10), n_want = 0;

        for (uint64_t t = TICKETS; t > 0 && n_want < 10; t--) {
                size_t n_ok = 0;

                for (size_t b = 0; b < n; b++)
                        for (size_t w = 0; w < VOCABULARY; w++)
                                if (has[t][w] && strncmp(vocabulary[w], begins[b],
                                                     strlen(begins[b])) == 0) {
                                        n_ok++;
                                        break;
                                }
                if (n_ok == n && (before == 0 || t < before))
                        want[n_want++] = t;
        }
        assert_int_equal(n_got, n_want);
        assert_memory_equal(got, want, n_got * sizeof *got);
}

static void
set_some(struct words_index *x, uint64_t ticket)
{
        const char *words[30];
        size_t n = 0, max = (size_t)(rand() % 4 == 0 ? 0 : rand() % 30);

        memset(has[ticket], 0, sizeof has[ticket]);
        for (size_t i = 0; i < max; i++) {
                int w = rand() % VOCABULARY;

                if (!has[ticket][w])
                        words[n++] = vocabulary[w];
                has[ticket][w] = true;
        }
        words_set(x, ticket, words, n);
}

static void
index_is_as_the_naive_one(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct words_index *x = words_index_new();

        (void)state;
        srand(7);
        for (int i = 0; i < VOCABULARY; i++)
                vocabulary[i] = arena_printf(a, "%c%c%d", 'a' + i % 3, 'a' + i % 7, i);
        for (int i = 0; i < STEPS; i++) {
                const char *begins[2] = {vocabulary[rand() % VOCABULARY],
                    arena_printf(a, "%c", 'a' + rand() % 4)};

                set_some(x, 1 + (uint64_t)(rand() % TICKETS));
                compare(x, begins, 1, 0);
                compare(x, begins + 1, 1, (uint64_t)(rand() % TICKETS));
                compare(x, begins, 2, 0);
        }
        words_index_free(&x);
        assert_null(x);
}

/* Words that come and go do not stay for ever. */
static void
words_go(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct words_index *x = words_index_new();

        (void)state;
        for (int i = 0; i < 20000; i++) {
                const char *w = arena_printf(a, "w%d", i);

                words_set(x, (uint64_t)i + 1, &w, 1);
                words_set(x, (uint64_t)i + 1, NULL, 0);
        }
        assert_int_equal(words_n_tickets(x), 0);
        assert_true(words_n_words(x) < 2000);
        words_index_free(&x);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(words_of_texts),
            cmocka_unit_test(words_are_bounded),
            cmocka_unit_test(index_is_as_the_naive_one),
            cmocka_unit_test(words_go),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
