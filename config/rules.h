/*
 * The rules: sentences that tag, need and route. Pure over the facts: no I/O,
 * no clock, no memory but the arena given.
 *
 * Two halves (ROUTING.md): every tag/need/must/priority/acknowledge/shelve
 * sentence whose condition holds applies, in the order of the files; then the first route
 * whose condition holds.
 */
#ifndef HELPLINE_CONFIG_RULES_H
#define HELPLINE_CONFIG_RULES_H

#include "config/config.h"
#include "daemon/base/json.h"
#include "daemon/model/facts.h"

struct sentence_trace { /* one sentence that was looked at */
        const char *at; /* "routing.conf:23:1" */
        const char *text; /* the sentence in one line, as written */
        bool holds;
        /* evidence: "subject: ВПН"; what matched, at most 80 characters each */
        const char **on;
        size_t n_on;
};

struct decision {
        const char **tags;
        size_t n_tags;
        enum priority priority;
        const char *language; /* the message's, as the conditions saw it */
        /* template name: "standard"; "none": no acknowledgement */
        const char *acknowledge;
        bool shelve; /* kept, no agent: created resolved, in no queue */
        const char *route;
        const char *line; /* the first of the route's lines */
        struct class class_doc; /* sealed: complete demands, head start included */
        /* all, in order, routes included up to the chosen */
        struct sentence_trace *sentences;
        size_t n_sentences;
};

/* Decide about a new ticket's first message. Never fails: without any rule there
 * is route "default": the first line, no needs. Everything in *out lives in a or in c. */
void rules_decide(
    const struct config *c, const struct facts *f, struct arena *a, struct decision *out);

/* The members of WHY and `explain --json` that the rules know (PROTOCOL.md), but
 * not "agents" (the caller adds them): writes `"route":...,"steps":[]` into an
 * open object. With only_holding, sentences that did not hold are left out. */
void decision_format(
    const struct decision *d, const char *kind, bool only_holding, struct json_out *o);
/* Its sentences alone, as a JSON array: what a ticket keeps ("why"). */
void decision_format_sentences(
    const struct decision *d, bool only_holding, struct json_out *o);
/* The same decision for people: what `helpline explain` prints. */
void decision_print(const struct decision *d, struct buf *out);

#endif
