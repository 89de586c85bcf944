/*
 * Tests of the rules: `test "name" { from a@b.example; expect route general }`. They run at
 * every check and reload; one that fails refuses the files (inside config/ only).
 */
#ifndef HELPLINE_CONFIG_TRIAL_H
#define HELPLINE_CONFIG_TRIAL_H

#include "config/ruleset.h"

enum expect_what {
        EXPECT_ROUTE,
        EXPECT_LINE,
        EXPECT_TAG,
        EXPECT_NEED,
        EXPECT_MUST,
        EXPECT_PRIORITY,
        EXPECT_PROMISE,
        EXPECT_ACKNOWLEDGE,
        EXPECT_ASK,
        EXPECT_TELL,
        EXPECT_AGENT,
        EXPECT_SHELVE
};

struct expectation {
        enum expect_what what;
        bool is_not;
        const char *word; /* name of the route, tag, agent …; "" of shelve */
        struct skill skill; /* need and must */
        struct open_time at; /* agent: so long after it came */
        const char *at_text; /* as written; "0m" */
        struct place place; /* of what was expected */
};

struct trial {
        const char *name;
        struct place place;
        struct message *m; /* in the configuration's arena */
        bool has_kind; /* `kind` was said */
        const char *day, *time; /* "2026-11-24", "23:10"; "" : DAY at noon */
        int64_t now_ms;
        struct customer_row *customer; /* made up; NULL: by the file */
        const struct form_options *form;
        struct tag_count *counts;
        size_t n_counts;
        struct expectation *expects;
        size_t n_expects;
};

#define TRIAL_DAY "2026-06-02" /* a Tuesday */
#define TRIAL_TIME "12:00"

/* The block of a test into what trial_run() needs. */
void trial_compile(struct build *b, const struct sentence *s);
/* One sentence of the block. */
void trial_sentence(struct build *b, const struct sentence *s, struct trial *t);
/* `expect …` */
void expect_sentence(struct build *b, const struct sentence *s, struct trial *t);
/* All of them; each that fails is an error. */
void trials_run(struct build *b);

#endif
