/*
 * What the tool says, in English or Russian. The code holds the English; words.def
 * has the Russian beside each.
 */
#ifndef HELPLINE_TOOL_WORDS_H
#define HELPLINE_TOOL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* The English as it is, or its Russian. What the table lacks stays English. */
const char *tr(const char *english) __attribute__((format_arg(1)));
/* By LC_ALL, LC_MESSAGES, LANG: the first that is not empty. */
void words_choose(void);
void words_use(bool russian); /* for tests */
bool words_are_russian(void);
struct words_pair {
        const char *english;
        const char *russian;
};
/* The table, for its test. */
const struct words_pair *words_table(size_t *n);

#endif
