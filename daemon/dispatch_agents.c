/*
 * Dispatch: who is there, and in which order they are asked.
 *
 * An agent is in his profile's list while one of his reserves could pull, ordered by
 * who is asked first; and among the wanting while a hint for him waits to be followed.
 * Who parks has usually just finished something: he belongs near the end, and is
 * put there from the end.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/dispatch_impl.h"

struct agent_entry *
agent_find(const struct dispatch *d, const char *name)
{
        struct agent_entry *a;

        HASH_FIND_STR(d->agents, name, a);
        return a;
}

bool
agent_goes_first(
    const struct dispatch *d, const struct agent_entry *a, const struct agent_entry *b)
{
        if (d->balance_load) {
                uint64_t x = (uint64_t)a->used * b->holds;
                uint64_t y = (uint64_t)b->used * a->holds;

                if (x != y)
                        return x < y;
        }
        return a->idle_since_ms < b->idle_since_ms;
}

/* ---- the lists ---- */

static void
open_remove(struct dispatch *d, struct agent_entry *a)
{
        struct profile_entry *p = a->profile;

        if (!a->open)
                return;
        a->open = false;
        if (a->prev != NULL)
                a->prev->next = a->next;
        else
                p->first = a->next;
        if (a->next != NULL)
                a->next->prev = a->prev;
        else
                p->last = a->prev;
        a->prev = a->next = NULL;
        if (p->first != NULL)
                return;
        if (p->prev_open != NULL)
                p->prev_open->next_open = p->next_open;
        else
                d->open = p->next_open;
        if (p->next_open != NULL)
                p->next_open->prev_open = p->prev_open;
        p->prev_open = p->next_open = NULL;
}

static void
profile_open(struct dispatch *d, struct profile_entry *p)
{
        p->next_open = d->open;
        if (d->open != NULL)
                d->open->prev_open = p;
        d->open = p;
}

static void
open_insert(struct dispatch *d, struct agent_entry *a)
{
        struct profile_entry *p = a->profile;
        struct agent_entry *before = p->last;

        if (p->first == NULL)
                profile_open(d, p);
        while (before != NULL && agent_goes_first(d, a, before))
                before = before->prev;
        a->open = true;
        a->prev = before;
        a->next = before == NULL ? p->first : before->next;
        if (before != NULL)
                before->next = a;
        else
                p->first = a;
        if (a->next != NULL)
                a->next->prev = a;
        else
                p->last = a;
}

static void
wanting_remove(struct dispatch *d, struct agent_entry *a)
{
        if (!a->wanting)
                return;
        a->wanting = false;
        if (a->prev_wanting != NULL)
                a->prev_wanting->next_wanting = a->next_wanting;
        else
                d->wanting = a->next_wanting;
        if (a->next_wanting != NULL)
                a->next_wanting->prev_wanting = a->prev_wanting;
        a->prev_wanting = a->next_wanting = NULL;
}

static void
wanting_insert(struct dispatch *d, struct agent_entry *a)
{
        if (a->wanting)
                return;
        a->wanting = true;
        a->next_wanting = d->wanting;
        if (d->wanting != NULL)
                d->wanting->prev_wanting = a;
        d->wanting = a;
}

/* Is he at his place among his neighbours? */
static bool
agent_is_in_order(const struct dispatch *d, const struct agent_entry *a)
{
        return (a->prev == NULL || !agent_goes_first(d, a, a->prev)) &&
               (a->next == NULL || !agent_goes_first(d, a->next, a));
}

void
agent_settle(struct dispatch *d, struct agent_entry *a)
{
        a->n_open = 0;
        for (const struct reserve *r = a->first; r != NULL; r = r->next)
                a->n_open += !r->in_flight && !r->blocked;
        if (a->open && (a->n_open == 0 || !agent_is_in_order(d, a)))
                open_remove(d, a);
        if (!a->open && a->n_open > 0)
                open_insert(d, a);
        if (a->wants && a->n_in_flight == 0 && agent_untried(a) != NULL)
                wanting_insert(d, a);
        else
                wanting_remove(d, a);
}

struct reserve *
agent_parked(const struct agent_entry *a)
{
        for (struct reserve *r = a->first; r != NULL; r = r->next)
                if (!r->in_flight)
                        return r;
        return NULL;
}

struct reserve *
agent_untried(const struct agent_entry *a)
{
        for (struct reserve *r = a->first; r != NULL; r = r->next)
                if (!r->in_flight && r->tried_epoch == 0)
                        return r;
        return NULL;
}

/* ---- who is who ---- */

void
dispatch_set_agent(
    struct dispatch *d, const char *name, const struct profile *p, unsigned holds)
{
        struct agent_entry *a = agent_find(d, name);
        struct profile_entry *profile = profile_intern(d, p);

        if (a == NULL) {
                a = xcalloc(1, sizeof *a);
                a->name = xstrdup(name);
                HASH_ADD_KEYPTR(hh, d->agents, a->name, strlen(a->name), a);
        } else {
                open_remove(d, a);
                profile_release(d, a->profile);
        }
        a->profile = profile;
        a->profile_gen++;
        a->holds = holds;
        a->forgotten = false;
        agent_settle(d, a);
}

void
agent_free(struct dispatch *d, struct agent_entry *a)
{
        open_remove(d, a);
        wanting_remove(d, a);
        HASH_DEL(d->agents, a); /* NOLINT: the analyzer loses itself in uthash */
        profile_release(d, a->profile);
        free(a->name);
        free(a);
}

void
dispatch_forget_agent(struct dispatch *d, const char *name)
{
        struct agent_entry *a = agent_find(d, name);

        if (a == NULL)
                return;
        a->forgotten = true;
        if (a->first == NULL)
                agent_free(d, a);
}

void
dispatch_set_idle(struct dispatch *d, const char *name, int64_t since_ms, unsigned used)
{
        struct agent_entry *a = agent_find(d, name);

        if (a == NULL)
                return;
        if (since_ms > a->idle_since_ms)
                a->idle_since_ms = since_ms;
        a->used = used;
        agent_settle(d, a);
}

void
dispatch_set_options(struct dispatch *d, int64_t help_delay_ms, bool balance_load)
{
        struct agent_entry *a, *next;

        if (d->help_delay_us != help_delay_ms * 1000)
                d->classes_gen++;
        d->help_delay_us = help_delay_ms * 1000;
        if (d->balance_load == balance_load)
                return;
        HASH_ITER(hh, d->agents, a, next)
        {
                open_remove(d, a);
        }
        d->balance_load = balance_load;
        HASH_ITER(hh, d->agents, a, next)
        {
                agent_settle(d, a);
        }
}

void
reserve_free(struct dispatch *d, struct reserve *r)
{
        struct agent_entry *a = r->agent;

        if (r->prev != NULL)
                r->prev->next = r->next;
        else
                a->first = r->next;
        if (r->next != NULL)
                r->next->prev = r->prev;
        else
                a->last = r->prev;
        free(r->words);
        free(r);
        d->n_reserves--;
        if (a->forgotten && a->first == NULL)
                agent_free(d, a);
        else
                agent_settle(d, a);
}
