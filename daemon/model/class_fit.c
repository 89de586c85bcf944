/*
 * Who fits a class, and from which step on; see class.h. Pure.
 *
 * Steps only widen: what a profile may take after k steps it may take after k + 1. So
 * the first step that lets it in is all there is to know of (profile, class), and
 * whether that step has come for a ticket is one comparison with its v.
 */
#include "daemon/model/class.h"

#include <string.h>

struct demands { /* of a class after some of its steps */
        size_t n_steps; /* so many have come */
        unsigned lowered; /* levels taken off each need */
        bool dropped; /* no needs any more */
};

static struct demands
demands_after(const struct class *c, size_t n_steps)
{
        struct demands d = {.n_steps = n_steps};

        for (size_t i = 0; i < n_steps; i++) {
                d.lowered += c->steps[i].does == STEP_LOWER ? c->steps[i].levels : 0;
                d.dropped = d.dropped || c->steps[i].does == STEP_DROP;
        }
        return d;
}

static bool
name_among(const char *name, const char *const *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], name) == 0)
                        return true;
        return false;
}

static bool
class_has_line(const struct class *c, size_t n_steps, const char *line)
{
        if (name_among(line, c->lines, c->n_lines))
                return true;
        for (size_t i = 0; i < n_steps; i++)
                if (c->steps[i].does == STEP_ALSO &&
                    name_among(line, c->steps[i].lines, c->steps[i].n_lines))
                        return true;
        return false;
}

static bool
profile_has_line(const struct class *c, size_t n_steps, const struct profile *p)
{
        for (size_t i = 0; i < p->n_lines; i++)
                if (class_has_line(c, n_steps, p->lines[i]))
                        return true;
        return false;
}

static unsigned
profile_level(const struct profile *p, const char *skill)
{
        for (size_t i = 0; i < p->n_skills; i++)
                if (strcmp(p->skills[i].name, skill) == 0)
                        return p->skills[i].level;
        return 0;
}

/* The first demand he does not meet with so many levels taken off, or NULL. */
static const struct skill *
first_missing(const struct skill *s, size_t n, unsigned lowered, const struct profile *p)
{
        for (size_t i = 0; i < n; i++)
                if (s[i].level > lowered &&
                    profile_level(p, s[i].name) < s[i].level - lowered)
                        return &s[i];
        return NULL;
}

static const struct skill *
needs_missing(const struct class *c, const struct demands *d, const struct profile *p)
{
        return d->dropped ? NULL : first_missing(c->needs, c->n_needs, d->lowered, p);
}

static bool
skills_name(const struct skill *s, size_t n, const char *skill)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(s[i].name, skill) == 0)
                        return true;
        return false;
}

/* `only`: what the class asked for at its entry counts, whatever the steps took off. */
static bool
profile_is_kept_out(const struct class *c, const struct profile *p)
{
        return p->only != NULL && p->only[0] != '\0' &&
               !skills_name(c->needs, c->n_needs, p->only) &&
               !skills_name(c->musts, c->n_musts, p->only);
}

int
class_step(const struct class *c, const struct profile *p)
{
        if (profile_is_kept_out(c, p) ||
            first_missing(c->musts, c->n_musts, 0, p) != NULL)
                return STEP_NEVER;
        for (size_t k = 0; k <= c->n_steps; k++) {
                struct demands d = demands_after(c, k);

                if (profile_has_line(c, k, p) && needs_missing(c, &d, p) == NULL)
                        return (int)k;
        }
        return STEP_NEVER;
}

bool
class_is_helped(const struct class *c, const struct profile *p)
{
        int k = class_step(c, p);

        return k != STEP_NEVER && !class_has_line(c, (size_t)k, p->lines[0]);
}

/* ---- the first thing against him ---- */

static const char *
missing_text(const struct skill *s, unsigned lowered, const char *verb,
    const struct profile *p, struct arena *a)
{
        unsigned has = profile_level(p, s->name), level = s->level - lowered;

        if (has == 0)
                return arena_printf(
                    a, "has no %s, %s %s:%u", s->name, verb, s->name, level);
        return arena_printf(a, "has %s:%u, %s %s:%u", s->name, has, verb, s->name, level);
}

static const char *
lines_text(const char *const *lines, size_t n, const char *none, struct arena *a)
{
        const char *text = n == 0 ? none : lines[0];

        for (size_t i = 1; i < n; i++)
                text =
                    arena_printf(a, "%s%s%s", text, i + 1 < n ? ", " : " and ", lines[i]);
        return text;
}

static const char *
line_against(const struct class *c, const struct profile *p, struct arena *a)
{
        const char *home = p->n_lines == 0 ? "(none)" : p->lines[0];
        const char *waits = c->n_lines == 0 ? "(none)" : c->lines[0];

        if (p->n_lines < 2)
                return arena_printf(
                    a, "is at home in line %s, this waits in %s", home, waits);
        return arena_printf(a, "is at home in line %s and helps %s, this waits in %s",
            home, lines_text(p->lines + 1, p->n_lines - 1, "", a), waits);
}

/* Who gets in by a later step is told what stands against him now; who never does, what
 * no step takes away. */
const char *
class_against(const struct class *c, const struct profile *p, struct arena *a)
{
        int step = class_step(c, p);
        struct demands d = demands_after(c, step == STEP_NEVER ? c->n_steps : 0);
        const struct skill *s;

        if (step == STEP_AT_ONCE)
                return "";
        if (!profile_has_line(c, d.n_steps, p))
                return line_against(c, p, a);
        if (profile_is_kept_out(c, p))
                return arena_printf(
                    a, "takes only what needs %s, this does not", p->only);
        s = first_missing(c->musts, c->n_musts, 0, p);
        if (s != NULL)
                return missing_text(s, 0, "must have", p, a);
        s = needs_missing(c, &d, p);
        return s == NULL ? "" : missing_text(s, d.lowered, "needs", p, a);
}
