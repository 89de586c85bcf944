/*
 * What no single sentence of the rules shows: warnings, that refuse nothing; see build.h.
 * Classes are made as the rules would make them, and asked who could take them.
 */
#include <inttypes.h>
#include <string.h>

#include "config/ruleset.h"

#define CLASSES_WARN 1000u
#define CLASSES_MAX 1000000u

/* ---- skills ---- */

static unsigned
best_level(const struct config *c, const char *skill)
{
        unsigned best = 0;

        for (size_t i = 0; i < c->n_agents; i++)
                for (size_t j = 0; j < c->agents[i].n_skills; j++)
                        if (strcmp(c->agents[i].skills[j].name, skill) == 0 &&
                            c->agents[i].skills[j].level > best)
                                best = c->agents[i].skills[j].level;
        return best;
}

/* The first step (from 1) after which somebody could take a ticket of this route that asks
 * this one skill (NULL none); 0 at once, -1 never. */
static int
first_step(struct build *b, const struct route *r, const struct skill *s, bool must)
{
        struct skill one = s == NULL ? (struct skill){"", 1} : *s;
        struct class k = {.route = r->name,
            .channel = "",
            .calendar = "",
            .lines = r->lines,
            .n_lines = r->n_lines,
            .steps = r->steps,
            .n_steps = r->n_steps,
            .needs = &one,
            .n_needs = s != NULL && !must,
            .musts = &one,
            .n_musts = s != NULL && must};
        int best = STEP_NEVER;

        for (size_t i = 0; i < b->c->n_agents; i++) {
                int step = class_step(&k, &b->c->agents[i].profile);

                if (step != STEP_NEVER && (best == STEP_NEVER || step < best))
                        best = step;
        }
        return best;
}

/* Does some route lower the need until somebody has it? */
static bool
is_lowered(struct build *b, const struct rule *r, const struct skill *s)
{
        for (size_t i = 0; i < b->rules->n_routes; i++)
                if (first_step(b, &b->rules->routes[i].route, s, r->kind == RULE_MUST) !=
                    STEP_NEVER)
                        return true;
        return false;
}

/* A skill that a sentence asks for, in all routes: the best case is what counts, for
 * conditions may part them. */
static void
skill_lint(struct build *b, const struct rule *r, const struct skill *s)
{
        const struct rules *rs = b->rules;
        const struct class_step *best = NULL;

        if (best_level(b->c, s->name) < s->level && !is_lowered(b, r, s)) {
                report_warning(
                    b->report, r->place, "nobody has %s:%u", s->name, s->level);
                report_advice(b->report, "such tickets would wait for ever");
                return;
        }
        for (size_t i = 0; i < rs->n_routes; i++) {
                const struct route *route = &rs->routes[i].route;
                int step = first_step(b, route, s, r->kind == RULE_MUST);

                if (step == STEP_AT_ONCE)
                        return;
                if (step == STEP_NEVER)
                        continue;
                if (best == NULL ||
                    open_time_less(route->steps[step - 1].after, best->after))
                        best = &route->steps[step - 1];
        }
        if (rs->n_routes == 0)
                return;
        if (best != NULL)
                report_warning(b->report, r->place, "nobody can take this before %s",
                    open_time_shown(b->a, best->after));
        else
                report_warning(b->report, r->place, "nobody can ever take this");
        report_advice(b->report,
            best_level(b->c, s->name) < s->level
                ? "nobody has %s:%u until a step lowers it"
                : "who has %s:%u is in none of the lines until then",
            s->name, s->level);
}

/* An agent who takes only what needs a skill that no sentence names. */
static void
only_lint(struct build *b, const struct agent_options *agent)
{
        const struct name *declared = names_find(&b->agents, agent->name);

        if (agent->only[0] == '\0' || declared == NULL)
                return;
        for (size_t i = 0; i < b->rules->n_rules; i++)
                for (size_t k = 0; k < b->rules->rules[i].n_skills; k++)
                        if (strcmp(b->rules->rules[i].skills[k].name, agent->only) == 0)
                                return;
        report_warning(b->report, declared->at,
            "no sentence needs '%s': %s is offered nothing", agent->only, agent->name);
        report_advice(b->report, "need %s:1 when …", agent->only);
}

static void
helps_lint(struct build *b, const struct agent_options *agent)
{
        const struct name *declared = names_find(&b->agents, agent->name);

        for (size_t i = 0; i < agent->n_helps && declared != NULL; i++)
                if (strcmp(agent->helps[i], agent->line) == 0) {
                        report_warning(b->report, declared->at,
                            "%s helps line '%s' and is at home there", agent->name,
                            agent->line);
                        report_advice(b->report, "take it out of 'helps'");
                }
}

/* ---- steps ---- */

/* The sentences of steps in the order in which they come; of equal ones as written. */
static size_t
steps_said(struct build *b, const struct block *block, const struct sentence ***out)
{
        const struct sentence **said;
        size_t n = 0;

        said = arena_alloc(b->a, (block->n_sentences + 1) * sizeof *said);
        for (size_t i = 0; i < block->n_sentences; i++) {
                const struct sentence *s = &block->sentences[i];
                struct open_time t, before;
                size_t k = n;

                if (strcmp(s->name, "after") != 0 || s->bad || s->n_values == 0 ||
                    !open_time_read(s->values[0].text, &t))
                        continue;
                for (; k > 0 && open_time_read(said[k - 1]->values[0].text, &before) &&
                       open_time_less(t, before);
                     k--)
                        said[k] = said[k - 1];
                said[k] = s;
                n++;
        }
        *out = said;
        return n;
}

static bool
word_among(const char *const *words, size_t n, const char *word)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(words[i], word) == 0)
                        return true;
        return false;
}

/* Why the step changes nothing, NULL when it does. lines: those that may take it so far. */
static const char *
step_is_idle(struct build *b, const struct class_step *s, const char ***lines, size_t *n,
    bool dropped)
{
        bool is_new = false;

        if (s->does != STEP_ALSO) {
                if (b->needed.n == 0)
                        return "no sentence says 'need'";
                return dropped ? "the needs are gone by then" : NULL;
        }
        for (size_t i = 0; i < s->n_lines; i++) {
                if (word_among(*lines, *n, s->lines[i]))
                        continue;
                is_new = true;
                *lines = arena_grow(b->a, *lines, *n, sizeof **lines);
                (*lines)[(*n)++] = s->lines[i];
        }
        return is_new ? NULL : "these lines may take it already";
}

static void
steps_lint(struct build *b, const struct block *block, const struct class_step *steps,
    size_t n_steps, const char *const *lines, size_t n_lines)
{
        const struct sentence **said;
        const char **now = NULL;
        size_t n_now = 0;
        bool dropped = false;

        if (block == NULL || steps_said(b, block, &said) != n_steps)
                return;
        for (; n_now < n_lines;) {
                now = arena_grow(b->a, now, n_now, sizeof *now);
                now[n_now] = lines[n_now];
                n_now++;
        }
        for (size_t i = 0; i < n_steps; i++) {
                const char *why = step_is_idle(b, &steps[i], &now, &n_now, dropped);

                dropped = dropped || steps[i].does == STEP_DROP;
                if (why == NULL)
                        continue;
                report_warning(b->report, said[i]->at, "this step changes nothing");
                report_advice(b->report, "%s", why);
        }
}

static void
line_lint(struct build *b, const struct sentence *s)
{
        const struct line_options *l =
            s->n_values == 1 ? config_line(b->c, s->values[0].text) : NULL;
        const struct sentence *steps = block_sentence(s->block, "steps");

        if (l != NULL && steps != NULL)
                steps_lint(b, steps->block, l->steps, l->n_steps, &l->name, 1);
}

/* ---- routes ---- */

static bool
lines_have_agents(const struct config *c, const char *const *lines, size_t n)
{
        for (size_t i = 0; i < c->n_agents; i++)
                for (size_t k = 0; k < n; k++)
                        if (strcmp(c->agents[i].line, lines[k]) == 0)
                                return true;
        return false;
}

static void
route_lint(struct build *b, const struct rule *r)
{
        const struct route *route = &r->route;
        int step;

        steps_lint(
            b, r->block, route->steps, route->n_steps, route->lines, route->n_lines);
        if (b->c->n_agents == 0 || lines_have_agents(b->c, route->lines, route->n_lines))
                return;
        step = first_step(b, route, NULL, false);
        if (step > STEP_AT_ONCE) {
                report_warning(b->report, r->place, "nobody can take this before %s",
                    open_time_shown(b->a, route->steps[step - 1].after));
                report_advice(b->report, "nobody is at home in its lines until then");
        } else if (step == STEP_NEVER) {
                report_warning(
                    b->report, r->place, "nobody is at home in the lines of this route");
                report_advice(b->report, "such tickets would wait for ever");
        }
}

/* ---- how many classes ---- */

/* Levels that sentences of this kind ask of the skill, at most 10, and none. */
static size_t
levels_of(const struct rules *rs, enum rule_kind kind, const char *skill)
{
        bool seen[11] = {true};
        size_t n = 1;

        for (size_t i = 0; i < rs->n_rules; i++)
                for (size_t k = 0; k < rs->rules[i].n_skills; k++) {
                        const struct skill *s = &rs->rules[i].skills[k];

                        if (rs->rules[i].kind != kind || strcmp(s->name, skill) != 0 ||
                            seen[s->level])
                                continue;
                        seen[s->level] = true;
                        n++;
                }
        return n;
}

static size_t
times(size_t n, size_t by)
{
        return n > CLASSES_MAX / (by == 0 ? 1 : by) ? CLASSES_MAX : n * by;
}

/* At most so many different classes can come of these rules. */
static size_t
classes_count(const struct build *b)
{
        const struct config *c = b->c;
        const struct rules *rs = b->rules;
        bool head[4] = {false};
        size_t n = rs->n_routes == 0 ? 1 : rs->n_routes, n_heads = 1;

        head[PRIORITY_NORMAL] = true;
        for (size_t i = 0; i < rs->n_rules; i++)
                if (rs->rules[i].kind == RULE_PRIORITY && !head[rs->rules[i].priority]) {
                        head[rs->rules[i].priority] = true;
                        n_heads++;
                }
        n = times(n, n_heads);
        n = times(n, (size_t)(c->n_mails > 0) + (c->n_forms > 0) + (c->n_phones > 0));
        for (size_t i = 0; i < c->n_skills; i++)
                n = times(n, levels_of(rs, RULE_NEED, c->skills[i]) *
                                 levels_of(rs, RULE_MUST, c->skills[i]));
        return n;
}

static void
classes_lint(struct build *b)
{
        size_t n = classes_count(b);

        if (n <= CLASSES_WARN || b->needed.n == 0)
                return;
        report_warning(b->report, b->needed.items[b->needed.n - 1].at,
            n >= CLASSES_MAX ? "more than %zu kinds of tickets can come of these rules"
                             : "up to %zu kinds of tickets can come of these rules",
            n);
        report_advice(b->report, "beyond 1000 at once looking for work gets slow: fewer "
                                 "skills, or fewer levels");
}

void
rules_lint(struct build *b, const struct block *top)
{
        for (size_t i = 0; i < b->rules->n_routes; i++)
                route_lint(b, &b->rules->routes[i]);
        for (size_t i = 0; i < top->n_sentences; i++)
                if (strcmp(top->sentences[i].name, "line") == 0)
                        line_lint(b, &top->sentences[i]);
        for (size_t i = 0; i < b->rules->n_rules && b->c->n_agents > 0; i++)
                for (size_t k = 0; k < b->rules->rules[i].n_skills; k++)
                        skill_lint(b, &b->rules->rules[i], &b->rules->rules[i].skills[k]);
        for (size_t i = 0; i < b->c->n_agents; i++) {
                only_lint(b, &b->c->agents[i]);
                helps_lint(b, &b->c->agents[i]);
        }
        if (b->needed.n > CLASS_MAX_NEEDS) {
                report_warning(b->report, b->needed.items[CLASS_MAX_NEEDS].at,
                    "up to %zu needs can meet on a ticket", b->needed.n);
                report_advice(b->report,
                    "only the first %d by the order of sentences count", CLASS_MAX_NEEDS);
        }
        classes_lint(b);
}
