/*
 * Tests of the rules, run: each decides about its message and says of every expectation
 * that does not hold what is there instead, and which sentence made it; see trial.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/trial.h"
#include "daemon/base/clock.h"

#define TRIALS_US 5000000 /* all tests of a configuration together */

struct running {
        struct build *b;
        const struct trial *t;
        const struct expectation *e;
        struct arena *a; /* of this test */
        struct decision d;
};

/* ---- what stands there instead ---- */

/* The first rule that would do it: it holds or not as said; NULL when there is none. */
static const struct rule *
rule_that(const struct running *r, enum rule_kind kind, bool holds)
{
        const struct rules *rs = r->b->rules;

        for (size_t i = 0; i < rs->n_rules; i++) {
                const struct rule *rule = &rs->rules[i];
                bool names = false;

                if (rule->kind != kind || r->d.sentences[i].holds != holds)
                        continue;
                for (size_t k = 0; k < rule->n_tags; k++)
                        names = names || strcmp(rule->tags[k], r->e->word) == 0;
                for (size_t k = 0; k < rule->n_skills; k++)
                        names =
                            names || strcmp(rule->skills[k].name, r->e->skill.name) == 0;
                for (size_t k = 0; k < rule->n_agents; k++)
                        names = names || strcmp(rule->agents[k], r->e->word) == 0;
                if (names || (rule->n_tags + rule->n_skills + rule->n_agents == 0))
                        return rule;
        }
        return NULL;
}

/* The evidence of a sentence, in one line. */
static const char *
held_on(const struct running *r, const char *at)
{
        const char *text = "";

        for (size_t i = 0; i < r->d.n_sentences; i++) {
                const struct sentence_trace *s = &r->d.sentences[i];

                for (size_t k = 0; strcmp(s->at, at) == 0 && k < s->n_on; k++)
                        text = arena_printf(
                            r->a, "%s%s%s", text, *text == '\0' ? ": " : ", ", s->on[k]);
        }
        return text;
}

/* Advice: which sentence did it, or which of them did not hold. */
static void
blame(const struct running *r, enum rule_kind kind)
{
        const struct source *beside = r->e->place.source;
        const struct rule *rule = rule_that(r, kind, true);

        if (rule != NULL) {
                report_advice(r->b->report, "the sentence on %s holds%s",
                    place_name(rule->place, beside, r->b->a), held_on(r, rule->at));
                return;
        }
        rule = rule_that(r, kind, false);
        if (rule != NULL)
                report_advice(r->b->report, "the sentence on %s does not hold",
                    place_name(rule->place, beside, r->b->a));
        else
                report_advice(r->b->report, "no sentence does so");
}

static void
blame_route(const struct running *r)
{
        const struct rules *rs = r->b->rules;

        for (size_t i = 0; i < rs->n_routes; i++)
                if (strcmp(rs->routes[i].route.name, r->d.route) == 0) {
                        report_advice(r->b->report, "'%s' on %s holds%s", r->d.route,
                            place_name(rs->routes[i].place, r->e->place.source, r->b->a),
                            held_on(r, rs->routes[i].at));
                        return;
                }
        report_advice(r->b->report, "no condition of a route holds");
}

static void fails(const struct running *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
fails(const struct running *r, const char *fmt, ...)
{
        char text[500];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        report_error(r->b->report, r->e->place, "test '%s': %s",
            word_shown(r->b->a, r->t->name), text);
}

/* ---- each expectation ---- */

static void
check_word(struct running *r, const char *what, const char *is, enum rule_kind kind)
{
        bool same = strcmp(is, r->e->word) == 0;

        if (same != r->e->is_not)
                return;
        if (*is == '\0')
                fails(r, "there is no %s", what);
        else if (same)
                fails(r, "the %s is '%s'", what, is);
        else
                fails(r, "the %s is '%s', not '%s'", what, is, r->e->word);
        if (kind == RULE_ROUTE)
                blame_route(r);
        else
                blame(r, kind);
}

static void
check_tag(struct running *r)
{
        bool is = false;

        for (size_t i = 0; i < r->d.n_tags; i++)
                is = is || strcmp(r->d.tags[i], r->e->word) == 0;
        if (is != r->e->is_not)
                return;
        fails(r, is ? "it is tagged '%s'" : "it is not tagged '%s'", r->e->word);
        blame(r, RULE_TAG);
}

static void
check_skill(struct running *r, const char *verb, const struct skill *s, size_t n,
    enum rule_kind kind)
{
        const struct skill *want = &r->e->skill;
        unsigned level = 0;

        for (size_t i = 0; i < n; i++)
                if (strcmp(s[i].name, want->name) == 0)
                        level = s[i].level;
        if ((level == want->level) != r->e->is_not)
                return;
        if (level == 0)
                fails(r, "it %s no %s", verb, want->name);
        else
                fails(r, "it %s %s:%u", verb, want->name, level);
        blame(r, kind);
}

static void
check_tell(struct running *r)
{
        bool is = false;

        for (size_t i = 0; i < r->d.n_tell; i++)
                is = is || strcmp(r->d.tell[i].agent, r->e->word) == 0;
        if (is != r->e->is_not)
                return;
        fails(r, is ? "%s is told" : "%s is not told", r->e->word);
        blame(r, RULE_TELL);
}

/* "from 10m on", or that no step ever lets him. */
static void
blame_steps(const struct running *r, const struct agent_options *agent)
{
        const struct class *k = &r->d.class_doc;
        int step = class_step(k, &agent->profile);

        if (step == STEP_NEVER)
                report_advice(
                    r->b->report, "no step of route '%s' changes that", r->d.route);
        else if (step > STEP_AT_ONCE)
                report_advice(
                    r->b->report, "only after step %d of route '%s'", step, r->d.route);
        else
                report_advice(r->b->report, "at once, whatever its steps");
}

static void
check_agent(struct running *r)
{
        const struct config *c = r->b->c;
        const struct agent_options *agent = config_agent(c, r->e->word);
        const struct calendar *cal = config_calendar(c, r->d.class_doc.calendar);
        int64_t at = calendar_after(cal, r->t->now_ms, r->e->at);
        struct who_fits *w;
        size_t n = rules_who_fits(c, &r->d.class_doc, cal, r->t->now_ms, at, r->a, &w);

        for (size_t i = 0; i < n; i++) {
                if (w[i].agent != agent || w[i].fits != r->e->is_not)
                        continue;
                if (w[i].fits)
                        fails(r, "%s can take it at %s", r->e->word, r->e->at_text);
                else
                        fails(r, "%s cannot take it at %s: %s", r->e->word, r->e->at_text,
                            w[i].against);
                blame_steps(r, agent);
        }
}

static void
check_shelve(struct running *r)
{
        if (r->d.shelve != r->e->is_not)
                return;
        fails(r, r->d.shelve ? "it is shelved" : "it is not shelved");
        blame(r, RULE_SHELVE);
}

static void
check(struct running *r)
{
        const struct class *k = &r->d.class_doc;

        switch (r->e->what) {
        case EXPECT_ROUTE:
                check_word(r, "route", r->d.route, RULE_ROUTE);
                break;
        case EXPECT_LINE:
                check_word(r, "line", r->d.line, RULE_ROUTE);
                break;
        case EXPECT_PROMISE:
                check_word(r, "promise", r->d.promise, RULE_ROUTE);
                break;
        case EXPECT_TAG:
                check_tag(r);
                break;
        case EXPECT_NEED:
                check_skill(r, "needs", k->needs, k->n_needs, RULE_NEED);
                break;
        case EXPECT_MUST:
                check_skill(r, "must have", k->musts, k->n_musts, RULE_MUST);
                break;
        case EXPECT_PRIORITY:
                check_word(r, "priority", priority_name(r->d.priority), RULE_PRIORITY);
                break;
        case EXPECT_ACKNOWLEDGE:
                check_word(r, "acknowledgement", r->d.acknowledge, RULE_ACKNOWLEDGE);
                break;
        case EXPECT_ASK:
                check_word(r, "question", r->d.ask, RULE_ASK);
                break;
        case EXPECT_TELL:
                check_tell(r);
                break;
        case EXPECT_AGENT:
                check_agent(r);
                break;
        case EXPECT_SHELVE:
                check_shelve(r);
                break;
        }
}

static void
trial_run(struct build *b, const struct trial *t)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct running r = {.b = b, .t = t, .a = a};
        struct facts f = {.message = t->m,
            .now_ms = t->now_ms,
            .counts = t->counts,
            .n_counts = t->n_counts};

        rules_decide_as(b->c, &f, t->customer, a, &r.d);
        for (size_t i = 0; i < t->n_expects; i++) {
                r.e = &t->expects[i];
                check(&r);
        }
}

void
trials_run(struct build *b)
{
        int64_t begin_us = clock_read_mono_us();

        for (size_t i = 0; i < b->rules->n_trials; i++) {
                if (clock_read_mono_us() - begin_us > TRIALS_US) {
                        report_error(b->report, b->rules->trials[i]->place,
                            "the tests take longer than 5 s: this and what follows was "
                            "not run");
                        report_advice(b->report, "fewer tests, or simpler patterns");
                        return;
                }
                trial_run(b, b->rules->trials[i]);
        }
}
