/*
 * Sentences of the rules, compiled: `tag vpn when …` into struct rule. What stands
 * behind `when` is compiled in when.c.
 */
#include <string.h>

#include "config/bounces.h"
#include "config/ruleset.h"
#include "config/template.h"
#include "daemon/model/message.h"

/* ---- sentences ---- */

/* Values up to `when`; what stands behind it into r->when. */
static size_t
head_length(const struct sentence *s)
{
        for (size_t i = 0; i < s->n_values; i++)
                if (value_at_is(s, i, "when"))
                        return i;
        return s->n_values;
}

static bool
when_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        size_t i = head_length(s) + 1;

        return i > s->n_values || condition_compile(b, s, i, &r->when, &r->window_ms);
}

static bool
tags_compile(struct build *b, const struct sentence *s, size_t n, struct rule *r)
{
        r->tags = arena_alloc(b->a, n * sizeof *r->tags);
        for (size_t i = 0; i < n; i++) {
                if (!value_is_name(b, &s->values[i]))
                        return false;
                r->tags[r->n_tags++] = s->values[i].text;
        }
        return true;
}

static bool
skills_compile(struct build *b, const struct sentence *s, size_t n, struct rule *r)
{
        bool good = true;

        r->skills = arena_alloc(b->a, n * sizeof *r->skills);
        for (size_t i = 0; i < n; i++) {
                if (!value_skill(b, s, &s->values[i], &r->skills[r->n_skills]))
                        good = false;
                else if (r->kind == RULE_NEED)
                        names_add(
                            &b->needed, r->skills[r->n_skills++].name, s->values[i].at);
                else
                        r->n_skills++;
        }
        return good;
}

static bool
priority_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        struct guess g = GUESS_INIT;

        if (priority_parse(s->values[0].text, &r->priority))
                return true;
        for (int p = PRIORITY_LOW; p <= PRIORITY_URGENT; p++)
                guess_offer(&g, s->values[0].text, priority_name((enum priority)p));
        report_unknown(b->report, s->values[0].at, "priority", s->values[0].text, "", &g,
            (struct place){0});
        if (g.meant == NULL)
                report_advice(b->report, "%s", s->option->unit);
        return false;
}

static bool
template_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        r->template = s->values[0].text;
        r->template_at = s->values[0].at;
        return value_is_name(b, &s->values[0]);
}

static bool
tell_compile(struct build *b, const struct sentence *s, size_t n, struct rule *r)
{
        bool good = true;

        r->agents = arena_alloc(b->a, n * sizeof *r->agents);
        for (size_t i = 0; i < n; i++) {
                const struct value *v = &s->values[i];
                const struct name *agent = names_find(&b->agents, v->text);

                if (agent != NULL) {
                        r->agents[r->n_agents++] = agent->text;
                        continue;
                }
                names_unknown(&b->agents, b->report, place_part(v, 0, strlen(v->text)),
                    "agent", v->text);
                good = false;
        }
        return good;
}

static bool
route_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        value_defaults(b, BLOCK_ROUTE, &r->route);
        r->route.name = s->values[0].text;
        r->block = s->block;
        if (s->block != NULL)
                build_block(b, s->block, &r->route);
        if (r->route.n_lines == 0) {
                r->route.lines = arena_alloc(b->a, sizeof *r->route.lines);
                r->route.lines[r->route.n_lines++] = b->c->lines[0].name;
        }
        if (b->last_route_name != NULL) {
                report_error(b->report, s->at, "this route is never reached");
                report_advice(b->report, "'%s' on %s takes everything; move it below",
                    b->last_route_name,
                    place_name(b->last_route_without, s->at.source, b->a));
                return false;
        }
        if (r->when == NULL && !s->bad) {
                b->last_route_name = r->route.name;
                b->last_route_without = s->at;
        }
        return true;
}

static bool
shelve_compile(struct build *b, const struct sentence *s, size_t n, const struct rule *r)
{
        if (n > 0) {
                report_error(b->report, s->values[0].at, "'%s' cannot stand here",
                    word_shown(b->a, s->values[0].text));
                report_advice(b->report, "shelve when …");
                return false;
        }
        if (s->n_values == 0) {
                report_error(
                    b->report, s->at, "this would keep everything from the agents");
                report_advice(b->report, "shelve when …");
                return false;
        }
        return r->when != NULL || s->bad;
}

static enum rule_kind
rule_kind_of(const char *name)
{
        static const char *const names[] = {"tag", "need", "must", "priority",
            "acknowledge", "shelve", "tell", "ask", "route"};
        size_t i = 0;

        while (strcmp(names[i], name) != 0)
                i++;
        return (enum rule_kind)i;
}

/* What stands before `when`, by kind. */
static bool
head_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        size_t n = head_length(s);

        if (r->kind == RULE_SHELVE)
                return shelve_compile(b, s, n, r);
        if (n == 0) {
                value_missing(b, s);
                return false;
        }
        if (n > 1 && r->kind >= RULE_PRIORITY && r->kind != RULE_TELL) {
                value_surplus(b, s, &s->values[1]);
                return false;
        }
        switch (r->kind) {
        case RULE_TAG:
                return tags_compile(b, s, n, r);
        case RULE_NEED:
        case RULE_MUST:
                return skills_compile(b, s, n, r);
        case RULE_PRIORITY:
                return priority_compile(b, s, r);
        case RULE_ACKNOWLEDGE:
        case RULE_ASK:
                return template_compile(b, s, r);
        case RULE_TELL:
                return tell_compile(b, s, n, r);
        case RULE_ROUTE:
                return route_compile(b, s, r);
        case RULE_SHELVE:
                break;
        }
        return false;
}

void
rules_compile(struct build *b, const struct sentence *s)
{
        struct rules *rs = b->rules;
        struct rule r = {.kind = rule_kind_of(s->name),
            .at = place_full(s->at, b->a),
            .text = s->text,
            .priority = PRIORITY_NORMAL,
            .template = "",
            .place = s->at};
        bool good = s->bad || when_compile(b, s, &r);

        if (s->bad && r.kind != RULE_ROUTE)
                return;
        if (!good && r.kind == RULE_ROUTE && r.when == NULL)
                r.when = arena_alloc(b->a, sizeof *r.when); /* it had one */
        good = head_compile(b, s, &r) && good;
        for (size_t i = 0; i < r.n_tags; i++)
                names_add(&b->tagged, r.tags[i], s->at);
        if (!good || s->bad)
                return;
        if (r.kind == RULE_ROUTE) {
                rs->routes =
                    arena_grow(b->a, rs->routes, rs->n_routes, sizeof *rs->routes);
                rs->routes[rs->n_routes++] = r;
        } else {
                rs->rules = arena_grow(b->a, rs->rules, rs->n_rules, sizeof *rs->rules);
                rs->rules[rs->n_rules++] = r;
        }
}

/* ---- templates ---- */

/* The acknowledgement's default: one of the user's own may be wrong, and where
 * none is found, a warning will do: rules may say `acknowledge none`. */
static void
template_standard(struct build *b)
{
        struct err err = {0};
        const char *path;

        if (template_find(b->c, "standard", b->c->languages[0], b->a, &path, &err) ==
            -1) {
                report_warning(b->report, (struct place){0}, "%s", err.text);
                report_advice(
                    b->report, "without it nobody is told that his mail arrived");
                return;
        }
        for (size_t i = 0; i < b->c->n_languages; i++)
                if (template_check(b->c, "standard", b->c->languages[i], &err) == -1)
                        report_error(b->report, (struct place){0}, "%s", err.text);
}

/* helpline-mime would go on without them, and reports be taken for mail. */
void
bounces_check(struct build *b)
{
        const char *dirs[BOUNCES_MAX_DIRS];
        struct err err = {0};
        struct bounce_set *set;

        if (b->no_files)
                return;
        set = bounces_load(dirs, bounces_dirs(b->a, b->c->dir, dirs), &err);
        if (set == NULL)
                report_error(b->report, (struct place){0}, "%s", err.text);
        bounces_free(&set);
}

/* Each template must be there and good in every language of the desk. */
void
rules_templates(struct build *b)
{
        if (!b->no_files && b->c->n_languages > 0)
                template_standard(b);
        for (size_t i = 0; i < b->rules->n_rules && !b->no_files; i++) {
                const struct rule *r = &b->rules->rules[i];

                if ((r->kind != RULE_ACKNOWLEDGE && r->kind != RULE_ASK) ||
                    strcmp(r->template, "none") == 0)
                        continue;
                for (size_t j = 0; j < b->c->n_languages; j++) {
                        struct err err = {0};

                        if (template_check(b->c, r->template, b->c->languages[j], &err) ==
                            0)
                                continue;
                        report_error(b->report, r->template_at, "%s", err.text);
                        break;
                }
        }
}
