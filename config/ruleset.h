/* The compiled rules (inside config/ only); what they decide is in rules.h. */
#ifndef HELPLINE_CONFIG_RULESET_H
#define HELPLINE_CONFIG_RULESET_H

#include "config/build.h"
#include "config/condition.h"
#include "config/rules.h"

enum rule_kind {
        RULE_TAG,
        RULE_NEED,
        RULE_MUST,
        RULE_PRIORITY,
        RULE_ACKNOWLEDGE,
        RULE_SHELVE,
        RULE_TELL,
        RULE_ASK,
        RULE_ROUTE
};

struct rule {
        enum rule_kind kind;
        const char *at; /* "routing.conf:23:1" */
        const char *text; /* as written */
        const struct condition *when; /* NULL: always */
        const char **tags;
        size_t n_tags;
        struct skill *skills; /* of need and must */
        size_t n_skills;
        enum priority priority;
        const char *template; /* of acknowledge and ask */
        struct place template_at;
        const char **agents; /* of tell */
        size_t n_agents;
        int64_t window_ms; /* the longest `more than …` it asks; 0 none */
        struct route route;
        const struct block *block; /* of a route; NULL none */
        struct place place;
};

struct trial; /* trial.h */

struct rules {
        struct rule *rules; /* all but routes, in the order of the files */
        size_t n_rules;
        struct rule *routes;
        size_t n_routes;
        struct tag_window *windows; /* what `more than …` conditions count */
        size_t n_windows;
        struct trial **trials;
        size_t n_trials;
        struct pattern **patterns; /* to be freed */
        size_t n_patterns;
};

void rules_free(struct rules *r);
/* As rules_decide, with this row of the customers file; NULL: look him up. */
void rules_decide_as(const struct config *c, const struct facts *f,
    const struct customer_row *row, struct arena *a, struct decision *out);
/* ---- when.c ---- */
/* The condition in the values from i on, and the longest `more than …` in it; false: what
 * is wrong was told. */
bool condition_compile(struct build *b, const struct sentence *s, size_t i,
    const struct condition **out, int64_t *window_ms);

#endif
