/*
 * How a ticket widens while it waits, and whom it waits for first: `after 30m also
 * third`, `prefer manager 30m`; see build.h. Steps only widen (ROUTING.md): there is no
 * step that takes something away.
 */
#include <string.h>

#include "config/build.h"
#include "config/rules.h"

#define PREFER_MS (15 * 60000LL)

bool
open_time_less(struct open_time a, struct open_time b)
{
        return a.days * 86400000LL + a.ms < b.days * 86400000LL + b.ms;
}

/* In order of time; of equal ones the first written stays first. */
static void
step_insert(struct class_step *steps, size_t n, struct class_step new)
{
        for (; n > 0 && open_time_less(new.after, steps[n - 1].after); n--)
                steps[n] = steps[n - 1];
        steps[n] = new;
}

/* A word is missing behind the last one. */
static bool
step_unfinished(struct build *b, const struct sentence *s, const char *what)
{
        report_error(b->report, place_after(s->values[s->n_values - 1].at),
            "this step is not finished");
        report_advice(b->report, "%s", what);
        return false;
}

static bool
step_also(struct build *b, const struct sentence *s, struct class_step *step)
{
        bool good = true;

        if (s->n_values < 3)
                return step_unfinished(b, s, "also, then the names of lines");
        step->does = STEP_ALSO;
        step->lines = arena_alloc(b->a, s->n_values * sizeof *step->lines);
        for (size_t i = 2; i < s->n_values; i++)
                if (value_line(b, &s->values[i], &step->lines[step->n_lines]))
                        step->n_lines++;
                else
                        good = false;
        return good;
}

/* Is there `needs` behind the verb, and n words in all? */
static bool
step_needs(struct build *b, const struct sentence *s, size_t n, const char *whole)
{
        if (s->n_values < 3)
                return step_unfinished(b, s, whole);
        if (!value_at_is(s, 2, "needs")) {
                report_error(b->report, s->values[2].at, "'%s' cannot stand here",
                    word_shown(b->a, s->values[2].text));
                report_advice(b->report, "%s", whole);
                return false;
        }
        if (s->n_values < n)
                return step_unfinished(b, s, whole);
        if (s->n_values > n) {
                value_surplus(b, s, &s->values[n]);
                return false;
        }
        return true;
}

static bool
step_lower(struct build *b, const struct sentence *s, struct class_step *step)
{
        const struct value *v;
        int64_t levels;

        if (!step_needs(b, s, 4, "lower needs 2"))
                return false;
        v = &s->values[3];
        if (!number_read(v->text, 10, &levels) || levels < 1) {
                report_error(b->report, v->at,
                    "needs are lowered by 1 to 10 levels, got '%s'",
                    word_shown(b->a, v->text));
                report_advice(b->report, "lower needs 2");
                return false;
        }
        step->does = STEP_LOWER;
        step->levels = (unsigned)levels;
        return true;
}

static bool
step_unknown(struct build *b, const struct sentence *s)
{
        const struct value *v = &s->values[1];
        struct guess g = GUESS_INIT;

        guess_offer(&g, v->text, "also");
        guess_offer(&g, v->text, "lower");
        guess_offer(&g, v->text, "drop");
        report_unknown(b->report, v->at, "step", v->text, "", &g, (struct place){0});
        if (g.meant == NULL)
                report_advice(b->report, "also LINES, lower needs N or drop needs");
        return false;
}

static bool
step_read(struct build *b, const struct sentence *s, struct class_step *step)
{
        if (!value_open_time(b, s, &s->values[0], &step->after))
                return false;
        if (s->n_values == 1)
                return step_unfinished(b, s, "also LINES, lower needs N or drop needs");
        if (value_at_is(s, 1, "also"))
                return step_also(b, s, step);
        if (value_at_is(s, 1, "lower"))
                return step_lower(b, s, step);
        if (!value_at_is(s, 1, "drop"))
                return step_unknown(b, s);
        step->does = STEP_DROP;
        return step_needs(b, s, 3, "drop needs");
}

void
step_build(struct build *b, const struct sentence *s, void *target)
{
        struct class_step **steps =
            (struct class_step **)((char *)target + s->option->offset);
        size_t *n = (size_t *)((char *)target + s->option->n_offset);
        struct class_step step = {0};

        if (s->bad)
                return;
        if (s->n_values == 0) {
                value_missing(b, s);
                return;
        }
        if (!step_read(b, s, &step))
                return;
        if (*n >= CLASS_MAX_STEPS) {
                report_error(b->report, s->at, "more than %d steps", CLASS_MAX_STEPS);
                report_advice(b->report, "several lines may stand behind one 'also'");
                return;
        }
        *steps = arena_grow(b->a, *steps, *n, sizeof **steps);
        step_insert(*steps, *n, step);
        ++*n;
}

static bool
prefer_whom(struct build *b, const struct value *v, unsigned *whom)
{
        struct guess g = GUESS_INIT;

        *whom = strcmp(v->text, "manager") == 0 ? PREFER_MANAGER : PREFER_LAST_AGENT;
        if (*whom == PREFER_MANAGER || strcmp(v->text, "last-agent") == 0)
                return true;
        guess_offer(&g, v->text, "last-agent");
        guess_offer(&g, v->text, "manager");
        report_unknown(
            b->report, v->at, "preference", v->text, "", &g, (struct place){0});
        if (g.meant == NULL)
                report_advice(b->report, "last-agent or manager");
        return false;
}

void
prefer_build(struct build *b, const struct sentence *s, struct route *route)
{
        unsigned whom;
        int64_t ms = PREFER_MS;

        if (s->bad)
                return;
        if (s->n_values == 0) {
                value_missing(b, s);
                return;
        }
        if (!prefer_whom(b, &s->values[0], &whom))
                return;
        if (s->n_values > 2) {
                value_surplus(b, s, &s->values[2]);
                return;
        }
        if (s->n_values == 2 && !value_duration(b, s, &s->values[1], &ms))
                return;
        if (whom == PREFER_MANAGER && b->customers == NULL) {
                report_error(b->report, s->values[0].at,
                    "who manages a customer stands in a customers file: there is none");
                report_advice(b->report, "customers file \"customers.csv\"");
                return;
        }
        route->prefer = whom;
        route->prefer_ms = ms;
}
