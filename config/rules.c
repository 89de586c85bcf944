/*
 * The rules applied to one message; see rules.h. Pure: sentences in the order of
 * the files, then the first route, then the class that comes of both.
 */
#include "config/rules.h"

#include <string.h>

#include "config/ruleset.h"
#include "daemon/base/digest.h"

struct deciding {
        const struct config *c;
        struct arena *a;
        struct looked_at seen;
        struct decision *d;
        struct skill *needs;
        size_t n_needs;
        struct skill *musts;
        size_t n_musts;
};

void
rules_free(struct rules *r)
{
        for (size_t i = 0; i < r->n_patterns; i++)
                pattern_free(&r->patterns[i]);
        r->n_patterns = 0;
}

static void
tag_add(struct deciding *d, const char *tag)
{
        struct looked_at *l = &d->seen;

        for (size_t i = 0; i < l->n_tags; i++)
                if (strcmp(l->tags[i], tag) == 0)
                        return;
        l->tags = arena_grow(d->a, l->tags, l->n_tags, sizeof *l->tags);
        l->tags[l->n_tags++] = tag;
}

/* The higher level of two demands for one skill counts; beyond max, the first. */
static void
skill_add(
    struct arena *a, struct skill **skills, size_t *n, size_t max, const struct skill *s)
{
        for (size_t i = 0; i < *n; i++)
                if (strcmp((*skills)[i].name, s->name) == 0) {
                        if ((*skills)[i].level < s->level)
                                (*skills)[i].level = s->level;
                        return;
                }
        if (*n >= max)
                return;
        *skills = arena_grow(a, *skills, *n, sizeof **skills);
        (*skills)[(*n)++] = *s;
}

/* "tell marina when …: tagged vpn: 11 in 15m" */
static const char *
told_why(struct deciding *d, const struct rule *r)
{
        const char *why = arena_printf(d->a, "%s (%s)", r->text, r->at);

        for (size_t i = 0; i < d->seen.n_on; i++)
                why =
                    arena_printf(d->a, "%s%s %s", why, i == 0 ? ":" : ",", d->seen.on[i]);
        return why;
}

/* An agent whom two sentences name is told by the first. */
static void
tell_add(struct deciding *d, const struct rule *r)
{
        struct decision *out = d->d;
        struct telling t = {.why = told_why(d, r), .once_ms = r->window_ms, .key = ""};
        char hex[65];

        if (r->window_ms > 0) {
                sha256_hex(r->text, strlen(r->text), hex);
                t.key = arena_strndup(d->a, hex, 16);
        }
        for (size_t i = 0; i < r->n_agents; i++) {
                bool is_told = false;

                for (size_t j = 0; j < out->n_tell; j++)
                        is_told =
                            is_told || strcmp(out->tell[j].agent, r->agents[i]) == 0;
                if (is_told)
                        continue;
                t.agent = r->agents[i];
                out->tell = arena_grow(d->a, out->tell, out->n_tell, sizeof *out->tell);
                out->tell[out->n_tell++] = t;
        }
}

static void
rule_apply(struct deciding *d, const struct rule *r)
{
        for (size_t i = 0; i < r->n_tags; i++)
                tag_add(d, r->tags[i]);
        for (size_t i = 0; i < r->n_skills; i++) {
                if (r->kind == RULE_NEED)
                        skill_add(
                            d->a, &d->needs, &d->n_needs, CLASS_MAX_NEEDS, &r->skills[i]);
                else
                        skill_add(d->a, &d->musts, &d->n_musts, 64, &r->skills[i]);
        }
        if (r->kind == RULE_PRIORITY)
                d->seen.priority = r->priority;
        if (r->kind == RULE_ACKNOWLEDGE)
                d->d->acknowledge = r->template;
        if (r->kind == RULE_SHELVE)
                d->d->shelve = true;
        if (r->kind == RULE_ASK)
                d->d->ask = strcmp(r->template, "none") == 0 ? "" : r->template;
        if (r->kind == RULE_TELL)
                tell_add(d, r);
}

/* Asks the condition and notes the sentence with what it held on. */
static bool
rule_holds(struct deciding *d, const struct rule *r)
{
        struct decision *out = d->d;
        struct sentence_trace *t;
        bool holds;

        d->seen.on = NULL;
        d->seen.n_on = 0;
        d->seen.gave_up = false;
        holds = r->when == NULL || condition_holds(r->when, &d->seen);
        out->sentences =
            arena_grow(d->a, out->sentences, out->n_sentences, sizeof *out->sentences);
        t = &out->sentences[out->n_sentences++];
        *t = (struct sentence_trace){r->at, r->text, holds, NULL, 0};
        if (holds || d->seen.gave_up) {
                t->on = d->seen.on;
                t->n_on = d->seen.n_on;
        }
        return holds;
}

static struct route
route_default(const struct config *c, struct arena *a)
{
        struct route r = {.name = "default", .n_lines = 1, .promise = ""};

        r.lines = arena_alloc(a, sizeof *r.lines);
        r.lines[0] = c->lines[0].name;
        return r;
}

static struct route
route_choose(struct deciding *d)
{
        const struct rules *rs = d->c->rules;

        for (size_t i = 0; i < rs->n_routes; i++)
                if (rule_holds(d, &rs->routes[i]))
                        return rs->routes[i].route;
        return route_default(d->c, d->a);
}

/* Of the hours that a promise is counted in; "" : real time. */
static const char *
promise_calendar(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_promises; i++)
                if (strcmp(c->promises[i].name, name) == 0)
                        return c->promises[i].hours == NULL
                                   ? ""
                                   : c->promises[i].hours->calendar.id;
        return "";
}

static void
class_make(struct deciding *d, const struct route *r)
{
        struct class *class = &d->d->class_doc;

        class->route = r->name;
        class->lines = r->lines;
        class->n_lines = r->n_lines;
        class->needs = d->needs;
        class->n_needs = d->n_needs;
        class->musts = d->musts;
        class->n_musts = d->n_musts;
        class->channel = d->seen.m->channel;
        class->steps = r->steps;
        class->n_steps = r->n_steps;
        class->calendar = promise_calendar(d->c, r->promise);
        class->head_ms = d->c->priority_head_ms[d->d->priority] + r->ahead_ms;
        class_seal(class, d->a);
}

size_t
rules_windows(const struct config *c, const struct tag_window **out)
{
        *out = c->rules->windows;
        return c->rules->n_windows;
}

void
rules_decide(
    const struct config *c, const struct facts *f, struct arena *a, struct decision *out)
{
        rules_decide_as(c, f, NULL, a, out);
}

void
rules_decide_as(const struct config *c, const struct facts *f,
    const struct customer_row *row, struct arena *a, struct decision *out)
{
        struct deciding d = {.c = c, .a = a, .d = out};
        struct route route;

        memset(out, 0, sizeof *out);
        out->acknowledge = "standard";
        out->ask = "";
        looked_at_init(&d.seen, c, f, a);
        if (row != NULL)
                d.seen.customer = row;
        for (size_t i = 0; i < c->rules->n_rules; i++)
                if (rule_holds(&d, &c->rules->rules[i]))
                        rule_apply(&d, &c->rules->rules[i]);
        out->priority = d.seen.priority;
        out->language = f->message->language;
        out->tags = d.seen.tags;
        out->n_tags = d.seen.n_tags;
        route = route_choose(&d);
        out->route = route.name;
        out->line = route.lines[0];
        out->promise = route.promise;
        out->prefer = route.prefer;
        out->prefer_ms = route.prefer_ms;
        class_make(&d, &route);
        out->now_ms = f->now_ms;
        out->calendar = config_calendar(c, out->class_doc.calendar);
        out->timezone = c->timezone;
}
