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

/* What `more than 10 tagged vpn in 15m` must know before it can be asked. */
struct tag_window {
        const char *tag;
        int64_t ms;
        unsigned n; /* more than so many need not be counted */
};
/* All of them, each pair of tag and time once; in c. */
size_t rules_windows(const struct config *c, const struct tag_window **out);

struct telling { /* `tell marina oleg when …`: one agent and one sentence */
        const char *agent;
        const char *why; /* the sentence as written and what it held on, in one line */
        /* once for all tickets within once_ms, by this key; 0: for each ticket */
        const char *key;
        int64_t once_ms;
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
        const char *promise; /* of the route, "" none */
        struct telling *tell; /* each agent once */
        size_t n_tell;
        const char *ask; /* template that asks the customer back, "" none */
        enum { PREFER_NONE, PREFER_LAST_AGENT, PREFER_MANAGER } prefer;
        int64_t prefer_ms; /* for how long */
        int64_t now_ms; /* of the facts: the steps count from here */
        const struct calendar *calendar; /* they count in this one; NULL real time */
        const char *timezone; /* the desk's, for people */
        struct class class_doc; /* sealed: complete demands, head start included */
        /* all, in order, routes included up to the chosen */
        struct sentence_trace *sentences;
        size_t n_sentences;
};

/* Decide about a new ticket's first message. Never fails: without any rule there
 * is route "default": the first line, no needs. Everything in *out lives in a or in c. */
void rules_decide(
    const struct config *c, const struct facts *f, struct arena *a, struct decision *out);

/* ---- classes after the first decision ----
 * All are sealed, in a; the ticket's class_doc is what they start from, so they work for
 * tickets whose route is no longer configured. */

/* Handed to another line (ESCALATE, RETURN, TRANSFER LINE): needs and musts as they are,
 * that line alone, its own `handed` and `steps`, the calendar kept. */
void rules_class_handed(const struct config *c, const struct ticket *t, const char *line,
    struct arena *a, struct class *out);
/* Another priority: the head start changes by what the two priorities differ. */
void rules_class_priority(const struct config *c, const struct ticket *t, enum priority p,
    struct arena *a, struct class *out);
/* Another need (level 0: none of it any more); all else as it is. */
void rules_class_need(const struct config *c, const struct ticket *t,
    const struct skill *need, struct arena *a, struct class *out);

/* ---- who could take it: for WHY, explain and tests; pure ---- */
struct who_fits {
        const struct agent_options *agent;
        bool fits; /* at once, now */
        /* from when by the steps, ms; 0: never, or at once */
        int64_t from_ms;
        const char *against; /* the first thing against him, "" when he fits */
};
/* All agents in the order of the files. cal: of the class (NULL real time). */
size_t
rules_who_fits(const struct config *c, const struct class *k, const struct calendar *cal,
    int64_t entered_ms, int64_t now_ms, struct arena *a, struct who_fits **out);

/* "steps":[{"after","does","at"}] of WHY, into an open object: for a ticket that entered
 * then. cal: of the class (NULL real time). */
void rules_steps_format(const struct class *k, const struct calendar *cal,
    int64_t entered_ms, struct json_out *o);
/* "agents":[{"agent","fits","from","against"}] of WHY; only: this one alone, "" all. */
void rules_agents_format(const struct who_fits *w, size_t n, const char *only,
    int64_t now_ms, struct json_out *o);

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
