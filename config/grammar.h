/*
 * The grammar (CONFIG.md, rules 1 to 4): text into sentences and blocks, with
 * the place of every word. What the words mean is not known here, but for what
 * finding an error at the right place needs: which option may stand in which
 * block, and which words are followed by a secret.
 *
 * Every fault is reported where it is and the reading goes on behind it; a
 * sentence in which one was found is marked bad, so that nobody complains twice.
 */
#ifndef HELPLINE_CONFIG_GRAMMAR_H
#define HELPLINE_CONFIG_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

#include "config/options.h"
#include "config/report.h"

#define GRAMMAR_MAX_SENTENCES 10000u
#define GRAMMAR_MAX_DEPTH 32u
#define GRAMMAR_MAX_FILE (1u << 20)
#define GRAMMAR_MAX_FILES 100u

enum value_kind {
        VALUE_WORD,
        VALUE_TEXT, /* in quotes */
        VALUE_PATTERN, /* between slashes, behind `matches` */
        VALUE_OPEN, /* ( */
        VALUE_CLOSE /* ) */
};

struct value {
        enum value_kind kind;
        const char *text; /* without quotes or slashes, escapes undone */
        const char *flags; /* of a pattern: "i"; else "" */
        struct place at; /* as written, quotes included */
};

struct block;

struct sentence {
        const char *name;
        struct place at; /* of the name */
        const struct option *option; /* never NULL when not bad */
        struct value *values;
        size_t n_values;
        struct block *block; /* NULL: none */
        bool bad; /* something in it was reported: leave it alone */
        const char *text; /* the sentence in one line, as written, without its block */
};

struct block {
        struct place open; /* its { */
        struct sentence *sentences;
        size_t n_sentences;
};

struct grammar {
        struct arena *a;
        struct report *report;
        size_t n_sentences; /* of all files so far */
        bool stopped; /* a limit was hit: read nothing more */
};

/* All sentences of one file. Never NULL. */
struct block *grammar_parse(struct grammar *g, const struct source *source);

/* A word for a message: at most 60 characters of it, and no password. */
const char *word_shown(struct arena *a, const char *word);

#endif
