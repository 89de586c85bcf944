/*
 * Who could take a ticket, and from when: for WHY, explain and the tests of the rules.
 * Pure; what stands against an agent besides the class (away, full) is the store's.
 */
#include "config/rules.h"

size_t
rules_who_fits(const struct config *c, const struct class *k, const struct calendar *cal,
    int64_t entered_ms, int64_t now_ms, struct arena *a, struct who_fits **out)
{
        struct who_fits *w = arena_alloc(a, (c->n_agents + 1) * sizeof *w);

        *out = w;
        for (size_t i = 0; i < c->n_agents; i++) {
                const struct profile *p = &c->agents[i].profile;
                int step = class_step(k, p);

                w[i].agent = &c->agents[i];
                if (step > STEP_AT_ONCE)
                        w[i].from_ms = class_step_at(k, step, cal, entered_ms);
                w[i].fits = step == STEP_AT_ONCE ||
                            (step > STEP_AT_ONCE && w[i].from_ms <= now_ms);
                if (w[i].from_ms == CALENDAR_NEVER)
                        w[i].from_ms = 0;
                w[i].against = w[i].fits ? "" : class_against(k, p, a);
        }
        return c->n_agents;
}
