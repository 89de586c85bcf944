/* Conditions while they are compiled (inside config/ only): what when.c and
 * when_more.c share. */
#ifndef HELPLINE_CONFIG_WHEN_H
#define HELPLINE_CONFIG_WHEN_H

#include "config/ruleset.h"

struct cursor { /* on the values of one sentence */
        struct build *b;
        const struct sentence *s;
        size_t i;
        unsigned depth;
        bool failed; /* told: say nothing more */
        int64_t window_ms; /* the longest of `more than …` in it; 0 none */
};

struct about {
        const char *word;
        const char *second; /* the word behind it, "" : none */
        enum condition_about about;
        const char *hows; /* which of i(s) c(ontains) m(atches) l(ist) < > */
        const char *takes; /* behind `is` */
};

/* ---- when.c ---- */
/* The value it stands on, NULL at the end. */
const struct value *cursor_now(const struct cursor *c);
struct place cursor_place(const struct cursor *c);
/* Is it this word? Then goes on behind it. */
bool cursor_take(struct cursor *c, const char *word);
/* Tells that something else should stand here. Always NULL. */
const struct condition *cursor_expected(struct cursor *c, const char *what);
/* Does a test end here: and, or, a bracket, the end, the beginning of another? */
bool cursor_at_test_end(const struct cursor *c);
/* Does a comparison stand at value i? */
bool cursor_how_at(const struct cursor *c, size_t i);
struct condition *condition_new(struct cursor *c, enum condition_kind kind);
/* The comparison and what it compares with. */
const struct condition *
test_how(struct cursor *c, struct condition *t, const struct about *about);

/* ---- when_more.c: tests that name something ---- */
const struct condition *
test_header(struct cursor *c, struct condition *t, const struct about *about);
const struct condition *
test_field(struct cursor *c, struct condition *t, const struct about *about);
const struct condition *
test_customer(struct cursor *c, struct condition *t, const struct about *about);
/* tagged vpn billing */
const struct condition *test_tagged(struct cursor *c);
/* time is 18:00-09:00 */
const struct condition *test_time(struct cursor *c);
/* office is closed; the cursor stands on its name */
const struct condition *test_hours(struct cursor *c);
/* more than 10 tagged vpn in 15m */
const struct condition *test_more(struct cursor *c);

#endif
