/* Conditions of the rules: compiled, and asked about one message. */
#ifndef HELPLINE_CONFIG_CONDITION_H
#define HELPLINE_CONFIG_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/pattern.h"
#include "daemon/model/facts.h"

enum condition_kind { CONDITION_AND, CONDITION_OR, CONDITION_NOT, CONDITION_TEST };

enum condition_about {
        ABOUT_CHANNEL,
        ABOUT_ACCOUNT,
        ABOUT_FROM,
        ABOUT_TO,
        ABOUT_CC,
        ABOUT_SUBJECT,
        ABOUT_TEXT, /* subject and body */
        ABOUT_HEADER,
        ABOUT_LANGUAGE,
        ABOUT_TAGGED,
        ABOUT_PRIORITY
};

enum condition_how { HOW_IS, HOW_CONTAINS, HOW_MATCHES, HOW_IN };

struct condition {
        enum condition_kind kind;
        const struct condition *left; /* and, or, not */
        const struct condition *right; /* and, or */
        enum condition_about about;
        enum condition_how how;
        const char *header; /* its name, for ABOUT_HEADER */
        const char **values; /* folded; addresses normalised; any of them */
        size_t n_values;
        const struct pattern *pattern; /* HOW_MATCHES */
        const struct list_options *list; /* HOW_IN */
};

/* One message under all conditions: what they share is made once. */
struct looked_at {
        struct arena *a;
        const struct message *m;
        const char *subject, *text; /* as they are, cut at LOOKED_AT_MAX */
        const char *subject_folded, *text_folded; /* NULL until asked for */
        const char **tags; /* so far */
        size_t n_tags;
        enum priority priority; /* so far */
        const char **on; /* evidence of the sentence looked at */
        size_t n_on;
        /* a pattern of it took too much work: told even if it does not hold */
        bool gave_up;
        int64_t patterns_left_us; /* processor time that patterns may still take */
};

#define LOOKED_AT_MAX (1u << 20)
#define PATTERNS_US 200000

void looked_at_init(struct looked_at *l, const struct message *m, struct arena *a);
/* Does it hold? Adds to l->on the words it holds on. */
bool condition_holds(const struct condition *c, struct looked_at *l);

#endif
