/*
 * Who sees what: everybody the whole desk, but for lines marked `private`, which are seen
 * by their agents (at home there, or helping there) and by leads. What one holds, what
 * is one's own while it waits for its customer, and what one is asked about or has to
 * approve, one sees wherever it is. Pure over the configuration of this moment.
 */
#include <string.h>

#include "daemon/agent/agent.h"

static bool
is_of_line(const struct agent_options *o, const char *line)
{
        if (o == NULL)
                return false;
        if (strcmp(o->line, line) == 0)
                return true;
        for (size_t i = 0; i < o->n_helps; i++)
                if (strcmp(o->helps[i], line) == 0)
                        return true;
        return false;
}

bool
agent_is_of_line(const struct config *c, const char *agent, const char *line)
{
        return is_of_line(config_agent(c, agent), line);
}

bool
identity_sees_line(const struct agents *a, const struct identity *me, const char *line)
{
        const struct line_options *o = config_line(a->desk->config, line);

        return o == NULL || !o->is_private || me->is_lead ||
               agent_is_of_line(a->desk->config, me->agent, line);
}

bool
identity_stands_in(const struct agents *a, const struct identity *me, const char *agent)
{
        const char *deputies[5];
        size_t n;

        if (agent == NULL || agent[0] == '\0' || me->agent[0] == '\0')
                return false;
        if (strcmp(agent, me->agent) == 0)
                return true;
        n = config_deputies(a->desk->config, agent, deputies);
        for (size_t i = 0; i < n; i++)
                if (strcmp(deputies[i], me->agent) == 0)
                        return true;
        return false;
}

/* A question on it was asked of him, answered or not: else a repeated ANSWER found nothing. */
static bool
is_asked(const struct agents *a, const struct identity *me, const struct ticket *t)
{
        struct arena *arena AUTO_ARENA = arena_new();
        struct consult *k;
        size_t n = consults_read(t->consults, arena, &k);

        for (size_t i = 0; i < n; i++)
                if (identity_stands_in(a, me, k[i].agent) ||
                    (k[i].line[0] != '\0' &&
                        agent_is_of_line(a->desk->config, me->agent, k[i].line)))
                        return true;
        return false;
}

/* In his hands; or waiting for its customer, and his; or his to approve. */
static bool
is_his(const struct agents *a, const struct identity *me, const struct ticket *t)
{
        const char *who = t->state == TICKET_HELD      ? t->holder
                          : t->state == TICKET_WAITING ? t->owner
                                                       : "";

        return (me->agent[0] != '\0' && strcmp(who, me->agent) == 0) ||
               (t->approve[0] != '\0' && identity_stands_in(a, me, t->tutor));
}

bool
identity_sees(const struct agents *a, const struct identity *me, const struct ticket *t)
{
        return identity_sees_line(a, me, t->line) || is_his(a, me, t) ||
               is_asked(a, me, t);
}

bool
identity_hears(const struct agents *a, const struct identity *me, const char *line,
    const char *agent)
{
        return identity_sees_line(a, me, line) ||
               (me->agent[0] != '\0' && strcmp(agent, me->agent) == 0);
}

const char *const *
identity_hidden(
    const struct agents *a, const struct identity *me, struct arena *arena, size_t *n)
{
        const struct config *c = a->desk->config;
        const char **hidden = arena_alloc(arena, (c->n_lines + 1) * sizeof *hidden);

        *n = 0;
        for (size_t i = 0; i < c->n_lines; i++)
                if (!identity_sees_line(a, me, c->lines[i].name))
                        hidden[(*n)++] = arena_strdup(arena, c->lines[i].name);
        return hidden;
}
