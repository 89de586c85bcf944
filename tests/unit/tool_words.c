/* The two languages: all that the tool says is in the table, each in both, with the same
 * specifiers in the same order; and the table of verbs holds together. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/tool.h"
#include "daemon/tool/verb.h"
#include "daemon/tool/words.h"

/* "%s %lld %%" becomes "s lld ". */
static void
specifiers(const char *s, char out[256])
{
        size_t n = 0;

        for (; (s = strchr(s, '%')) != NULL; s++) {
                if (s[1] == '%') {
                        s++;
                        continue;
                }
                do
                        out[n++] = *++s;
                while (n < 250 && *s != '\0' && strchr("diouxXcsfgeEp", *s) == NULL);
                out[n++] = ' ';
        }
        out[n] = '\0';
}

static void
test_specifiers(void **state)
{
        size_t n;
        const struct words_pair *w = words_table(&n);

        (void)state;
        assert_true(n > 200);
        for (size_t i = 0; i < n; i++) {
                char en[256], ru[256];

                specifiers(w[i].english, en);
                specifiers(w[i].russian, ru);
                if (strcmp(en, ru) != 0)
                        fail_msg("'%s' and '%s'", w[i].english, w[i].russian);
                assert_true(*w[i].english != '\0' && *w[i].russian != '\0');
                assert_true(utf8_valid(w[i].russian, strlen(w[i].russian)));
                for (size_t k = 0; k < i; k++)
                        if (strcmp(w[i].english, w[k].english) == 0)
                                fail_msg("twice: '%s'", w[i].english);
        }
}

static bool
is_known(const char *english)
{
        size_t n;
        const struct words_pair *w = words_table(&n);

        for (size_t i = 0; i < n; i++)
                if (strcmp(w[i].english, english) == 0)
                        return true;
        return false;
}

static void
known(const char *english, const char *where)
{
        if (english != NULL && *english != '\0' && !is_known(english))
                fail_msg("%s: words.def lacks '%s'", where, english);
}

static void
options_known(const struct verb_option *o, const char *where)
{
        for (; o != NULL && o->name != NULL; o++) {
                known(o->help, where);
                known(o->value, where);
                assert_true((o->kind == VALUE_NONE) == (o->value == NULL));
        }
}

static void
test_verbs(void **state)
{
        (void)state;
        options_known(common_options, "common");
        for (const struct verb *v = verbs; v->name != NULL; v++) {
                known(v->summary, v->name);
                known(v->about, v->name);
                known(v->done, v->name);
                if (strspn(v->words, "[]abcdefghijklmnopqrstuvwxyz|-") <
                        strlen(v->words) &&
                    strstr(v->words, "retry") == NULL)
                        known(v->words, v->name);
                options_known(v->options, v->name);
                if (*v->name == '\0')
                        continue;
                assert_ptr_equal(v, verb_find(v->name));
                assert_non_null(v->run);
                assert_true(v->answer != ANSWER_DONE || v->done != NULL);
                assert_true(utf8_width(tr(v->summary), strlen(tr(v->summary))) <= 52);
                words_use(true);
                if (utf8_width(tr(v->summary), strlen(tr(v->summary))) > 52)
                        fail_msg("%s: too long for 80 columns", tr(v->summary));
                words_use(false);
        }
}

/* ---- the sources ---- */

/* The C string at p (behind its quote) with what follows it, unescaped. */
static const char *
literal_read(const char *p, struct buf *out)
{
        for (;;) {
                for (; *p != '"' && *p != '\0'; p++)
                        if (*p != '\\')
                                buf_addc(out, *p);
                        else
                                buf_addc(out, *++p == 'n' ? '\n' : *p);
                p += *p == '"';
                p += strspn(p, " \n\t");
                if (*p != '"')
                        return p;
                p++;
        }
}

static size_t
source_check(const char *path)
{
        static char text[200000];
        FILE *f = fopen(path, "r");
        size_t n = 0, len;
        const char *p = text;

        assert_non_null(f);
        len = fread(text, 1, sizeof text - 1, f);
        fclose(f);
        text[len] = '\0';
        while ((p = strstr(p, "tr(")) != NULL) {
                struct buf b AUTO_BUF = BUF_INIT;
                bool whole = p == text || strchr(" (\n\t!", p[-1]) != NULL;

                p += 3;
                p += strspn(p, " \n\t");
                if (!whole || *p != '"')
                        continue;
                p = literal_read(p + 1, &b);
                known(buf_str(&b), path);
                n++;
        }
        return n;
}

static void
test_sources(void **state)
{
        glob_t g;
        size_t n = 0;

        (void)state;
        assert_int_equal(0, glob("daemon/tool/*.c", 0, NULL, &g));
        for (size_t i = 0; i < g.gl_pathc; i++)
                n += source_check(g.gl_pathv[i]);
        globfree(&g);
        assert_true(n > 80);
}

static void
test_choice(void **state)
{
        static const struct {
                const char *all, *messages, *lang;
                bool russian;
        } cases[] = {{"", "", "ru_RU.UTF-8", true}, {"", "", "en_US.UTF-8", false},
            {"", "ru_RU", "en_US.UTF-8", true}, {"C", "ru", "ru", false},
            {"ru", "C", "C", true}, {"", "", "rup_MK", false}, {"", "", "", false}};

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                setenv("LC_ALL", cases[i].all, 1);
                setenv("LC_MESSAGES", cases[i].messages, 1);
                setenv("LANG", cases[i].lang, 1);
                words_choose();
                assert_int_equal(cases[i].russian, words_are_russian());
        }
        words_use(false);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_specifiers),
            cmocka_unit_test(test_verbs),
            cmocka_unit_test(test_sources),
            cmocka_unit_test(test_choice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
