/*
 * What is wrong with a configuration: places in files, and errors that show the
 * line with a caret under the fault (CONFIG.md, "Ten mistakes").
 *
 * Errors are gathered in any order and printed in the order of the files, so one
 * pass may check what it likes when it likes. A secret is never shown: what
 * stands behind a word like `password`, and a password inside a URL, is masked
 * in every line that is printed.
 */
#ifndef HELPLINE_CONFIG_REPORT_H
#define HELPLINE_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "daemon/base/arena.h"
#include "daemon/base/buf.h"

struct source { /* one file that was read */
        const char *path; /* absolute */
        const char *shown; /* as errors name it: relative to the main file */
        const char *text; /* its bytes, NUL behind them, without a byte order mark */
        size_t len;
        size_t *line_at; /* where each line begins */
        size_t n_lines;
        size_t *chars_at; /* characters before each CHARS_STEP bytes of it */
        size_t order; /* of reading, for sorting */
};

struct place {
        const struct source *source; /* NULL: no file, no position */
        size_t at; /* bytes from its begin */
        size_t len; /* bytes to underline; 0: one caret */
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct report;

struct report *report_new(struct arena *a);
/* Adds one; `report_advice` then says what to do, behind the caret. */
void report_error(struct report *r, struct place p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void report_warning(struct report *r, struct place p, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void report_advice(struct report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
unsigned report_n_errors(const struct report *r);
/* So many errors that searching for advice is no longer worth it? */
bool report_is_full(const struct report *r);
/* Sorts and prints all of them. */
void report_print(struct report *r, struct config_report *out);

/* Notes where the lines of a source begin, and how many characters stand where, so
 * that a column costs little on a line of a megabyte; text and len are set. */
void source_index(struct source *s, struct arena *a);
/* "39:1"; with the file in front where it is not `beside`'s: "routing.conf:39:1". */
const char *place_name(struct place p, const struct source *beside, struct arena *a);
/* "routing.conf:39:1" and "routing.conf:39". */
const char *place_full(struct place p, struct arena *a);
const char *place_file_line(struct place p, struct arena *a);
/* Is it the first thing on its line? */
bool place_begins_line(struct place p);
/* The number of its line, from 1. */
size_t place_line(struct place p);
/* An empty place behind it. */
struct place place_after(struct place p);

/* Is it a word behind which somebody would write a secret? */
bool word_is_secret(const char *word);
/* Bytes of such a word at the beginning of s, as in "password=..."; 0: none. */
size_t secret_word_len(const char *s, size_t n);
/* Is s a URL (or what was meant as one: user:password@host) with a password in it?
 * Then where; it may hold any character, so it goes on to the last @. */
bool secret_in_url(const char *s, size_t n, size_t *from, size_t *to);

/* ---- advice on a word that is not known ---- */
struct guess {
        const char *meant; /* the known word, NULL when none is near */
        unsigned best; /* its distance so far */
        bool look_alike; /* equal but for letters of another script */
};
#define GUESS_INIT                                                                       \
        {                                                                                \
                NULL, 99, false                                                          \
        }
/* Offers one known word. */
void guess_offer(struct guess *g, const char *wrong, const char *known);
/* Reports "unknown WHAT 'word'WHERE" with the best advice there is; where begins
 * with a blank or is "". known_at: where the word meant was declared, or no source. */
void report_unknown(struct report *r, struct place p, const char *what, const char *word,
    const char *where, const struct guess *g, struct place known_at);

#endif
