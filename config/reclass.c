/*
 * Classes after the first decision; see rules.h. Pure: what the ticket's class says goes
 * on, and only what the event changes is changed, so a ticket whose route is gone from the
 * files is handed on as well as any other.
 */
#include <string.h>

#include "config/build.h"
#include "config/rules.h"
#include "config/ruleset.h"

static struct skill *
skills_copy(struct arena *a, const struct skill *s, size_t n)
{
        /* one more than there are: room for another need */
        struct skill *copy = arena_alloc(a, (n + 1) * sizeof *copy);

        for (size_t i = 0; i < n; i++)
                copy[i] = (struct skill){arena_strdup(a, s[i].name), s[i].level};
        return copy;
}

static const char **
words_copy(struct arena *a, const char *const *words, size_t n)
{
        const char **copy = arena_alloc(a, (n + 1) * sizeof *copy);

        for (size_t i = 0; i < n; i++)
                copy[i] = arena_strdup(a, words[i]);
        return copy;
}

static void
steps_copy(struct arena *a, const struct class_step *steps, size_t n, struct class *out)
{
        out->steps = arena_alloc(a, (n + 1) * sizeof *out->steps);
        out->n_steps = n;
        for (size_t i = 0; i < n; i++) {
                out->steps[i] = steps[i];
                out->steps[i].lines = words_copy(a, steps[i].lines, steps[i].n_lines);
        }
}

/* All of it in a, not sealed. */
static void
class_copy(const struct class *c, struct arena *a, struct class *out)
{
        *out = *c;
        out->route = arena_strdup(a, c->route);
        out->channel = arena_strdup(a, c->channel);
        out->calendar = arena_strdup(a, c->calendar == NULL ? "" : c->calendar);
        out->lines = words_copy(a, c->lines, c->n_lines);
        out->needs = skills_copy(a, c->needs, c->n_needs);
        out->musts = skills_copy(a, c->musts, c->n_musts);
        steps_copy(a, c->steps, c->n_steps, out);
}

/* What the ticket's route puts ahead, if there still is such a route. */
static int64_t
route_ahead_ms(const struct config *c, const char *route)
{
        for (size_t i = 0; i < c->rules->n_routes; i++)
                if (strcmp(c->rules->routes[i].route.name, route) == 0)
                        return c->rules->routes[i].route.ahead_ms;
        return 0;
}

void
rules_class_handed(const struct config *c, const struct ticket *t, const char *line,
    struct arena *a, struct class *out)
{
        const struct line_options *l = config_line(c, line);

        class_copy(&t->class_doc, a, out);
        out->lines[0] = arena_strdup(a, line);
        out->n_lines = 1;
        out->head_ms =
            c->priority_head_ms[t->priority] + route_ahead_ms(c, t->class_doc.route);
        steps_copy(a, NULL, 0, out);
        if (l != NULL) {
                out->head_ms += l->handed_ms;
                steps_copy(a, l->steps, l->n_steps, out);
        }
        class_seal(out, a);
}

void
rules_class_priority(const struct config *c, const struct ticket *t, enum priority p,
    struct arena *a, struct class *out)
{
        class_copy(&t->class_doc, a, out);
        out->head_ms += c->priority_head_ms[p] - c->priority_head_ms[t->priority];
        class_seal(out, a);
}

/* Where another need goes: its own place, a free one, or, when there are as many as there
 * may be, that of the one that asks least. */
static size_t
need_place(const struct class *k, const char *name)
{
        size_t least = 0;

        for (size_t i = 0; i < k->n_needs; i++) {
                if (strcmp(k->needs[i].name, name) == 0)
                        return i;
                if (k->needs[i].level < k->needs[least].level)
                        least = i;
        }
        return k->n_needs < CLASS_MAX_NEEDS ? k->n_needs : least;
}

void
rules_class_need(const struct config *c, const struct ticket *t, const struct skill *need,
    struct arena *a, struct class *out)
{
        size_t at;

        (void)c;
        class_copy(&t->class_doc, a, out);
        at = need_place(out, need->name);
        if (need->level > 0) {
                out->needs[at] = (struct skill){arena_strdup(a, need->name), need->level};
                if (at == out->n_needs)
                        out->n_needs++;
        } else if (at < out->n_needs && strcmp(out->needs[at].name, need->name) == 0) {
                out->needs[at] = out->needs[--out->n_needs];
        }
        class_seal(out, a);
}
