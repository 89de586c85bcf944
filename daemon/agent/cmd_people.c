/*
 * Who is there: READY, AWAY, ABSENT.
 *
 * Presence is one word in the store; an absence is a clock there (verb tick begins and
 * ends it), and what follows from its beginning is daemon/absence.c's.
 */
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"

#define YEAR_MS (366 * 86400000LL)

struct presence_wish { /* call->state */
        const char *agent;
        enum presence presence;
};

static void
presence_done(void *arg, const struct err *err)
{
        struct call *c = arg;
        const struct presence_wish *w = c->state;
        struct session *s = session_find(c->agents, w->agent);

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (s != NULL) {
                s->presence = w->presence;
                s->presence_known = true;
        }
        call_ok(c);
}

static void
presence_set(struct call *c, const char *agent, enum presence p, const char *reason)
{
        struct presence_wish *w = arena_alloc(c->arena, sizeof *w);

        w->agent = agent;
        w->presence = p;
        c->state = w;
        store_set_presence(
            c->agents->desk->store, agent, p, reason, c->me.who, presence_done, c);
}

void
cmd_ready(struct call *c)
{
        presence_set(c, c->me.agent, PRESENCE_READY, "");
}

/* What is parked answers null; a pull that is under way may still bring a ticket. */
static void
unpark(struct session *s)
{
        struct conn *conn, *next;

        for (conn = s == NULL ? NULL : TAILQ_FIRST(&s->conns); conn != NULL;
             conn = next) {
                next = TAILQ_NEXT(conn, mates);
                if (conn->call != NULL && conn->call->is_parked)
                        conn->call->on_gone(conn->call, false);
        }
}

/* Himself, or whom a lead names; NULL: the call was answered. */
static const char *
whom(struct call *c)
{
        const char *agent = call_has(c, "AGENT") ? call_arg(c, "AGENT") : c->me.agent;

        if (agent[0] == '\0')
                call_error(c, "NOPERM", "%s is no agent: name one with AGENT", c->me.who);
        else if (config_agent(c->agents->desk->config, agent) == NULL)
                call_error(c, "NOSUCH", "there is no agent '%s'", agent);
        else if (strcmp(agent, c->me.agent) != 0 && !c->me.is_lead)
                call_error(c, "NOPERM", "%s AGENT is for leads, %s is none",
                    c->command->name, c->me.who);
        else
                return agent;
        return NULL;
}

void
cmd_away(struct call *c)
{
        const char *agent = whom(c);

        if (agent == NULL)
                return;
        unpark(session_find(c->agents, agent));
        presence_set(c, agent, PRESENCE_AWAY, call_arg(c, "reason"));
}

void
agents_gone_away(struct agents *a, const char *agent)
{
        struct session *s = session_find(a, agent);

        if (s == NULL)
                return;
        s->presence = PRESENCE_AWAY;
        unpark(s);
}

void
agents_presence_is(struct agents *a, const char *agent, int presence)
{
        struct session *s = session_find(a, agent);

        if (s != NULL && s->presence_known)
                s->presence = (enum presence)presence;
}

/* ---- ABSENT ---- */

static void
absent_done(void *arg, const struct err *err)
{
        struct call *c = arg;

        if (err->kind != ERR_NONE)
                call_fail(c, err);
        else
                call_ok(c);
}

void
cmd_absent(struct call *c)
{
        const struct desk *d = c->agents->desk;
        int64_t from_ms = call_time(c, "FROM", 0), until_ms = call_time(c, "UNTIL", 0);
        const char *deputy = call_arg(c, "DEPUTY"), *agent = whom(c);

        if (agent == NULL)
                return;
        if (deputy[0] != '\0' && config_agent(d->config, deputy) == NULL)
                call_error(c, "NOSUCH", "there is no agent '%s'", deputy);
        else if (strcmp(deputy, agent) == 0)
                call_error(c, "BADARG", "DEPUTY: expected somebody else than %s", agent);
        else if (until_ms > clock_now_ms() && until_ms <= from_ms)
                call_error(c, "BADARG",
                    "UNTIL: expected a time after FROM (or one that is over: no longer "
                    "absent), got '%s'",
                    call_arg(c, "UNTIL"));
        else if (until_ms > clock_now_ms() + 3 * YEAR_MS)
                call_error(c, "BADARG",
                    "UNTIL: expected a time within three years, got '%s'",
                    call_arg(c, "UNTIL"));
        else
                store_set_absent(d->store, agent, from_ms, until_ms, deputy, c->me.who,
                    absent_done, c);
}
