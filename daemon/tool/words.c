/* What the tool says, in two languages; see words.h. */
#include "daemon/tool/words.h"

#include <stdlib.h>
#include <string.h>

static const struct words_pair pairs[] = {
#define W(english, russian) {english, russian},
#include "daemon/tool/words.def"
#undef W
};
#define N_PAIRS (sizeof pairs / sizeof *pairs)

static bool russian;

const char *
tr(const char *english)
{
        for (size_t i = 0; russian && *english != '\0' && i < N_PAIRS; i++)
                if (strcmp(pairs[i].english, english) == 0)
                        return pairs[i].russian;
        return english;
}

void
words_choose(void)
{
        static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

        russian = false;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                const char *value = getenv(names[i]);

                if (value == NULL || *value == '\0')
                        continue;
                russian = strncmp(value, "ru", 2) == 0 &&
                          (value[2] == '\0' || strchr("_.@", value[2]) != NULL);
                return;
        }
}

void
words_use(bool yes)
{
        russian = yes;
}

bool
words_are_russian(void)
{
        return russian;
}

const struct words_pair *
words_table(size_t *n)
{
        *n = N_PAIRS;
        return pairs;
}
