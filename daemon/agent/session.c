/*
 * Sessions: all live connections of one agent are one.
 *
 * Three things end here. A ticket given over a connection that broke goes back at
 * once, without blame (struct lost, tried until the store has taken it). When the
 * last connection is gone, a grace runs in the store's clocks; coming back takes it
 * away. After that the agent's presence becomes offline: a bot's with the grace,
 * a person's who said AWAY too, other people's after an hour.
 *
 * Killed meanwhile: the store still knows over which connection a ticket was given;
 * after the restart no such connection lives, so everybody's grace begins anew
 * (sessions_store_up).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"

#define LOST_RETRY_MS 1000

struct session *
session_find(struct agents *a, const char *agent)
{
        struct session *s = NULL;

        LIST_FOREACH(s, &a->sessions, link)
        if (strcmp(s->agent, agent) == 0)
                return s;
        return NULL;
}

void
session_free(struct session *s)
{
        LIST_REMOVE(s, link);
        timer_free(&s->timer);
        free(s);
}

/* ---- answers of the store: the session may be gone, so its name is kept ---- */

struct session_name {
        struct agents *agents;
        char agent[NAME_MAX_BYTES + 1];
};

static struct session_name *
session_name_new(const struct session *s)
{
        struct session_name *n = xcalloc(1, sizeof *n);

        n->agents = s->agents;
        memcpy(n->agent, s->agent, sizeof n->agent);
        return n;
}

static void
session_on_presence(void *arg, const struct err *err, const struct agent_state *st)
{
        struct session_name *n = arg;
        struct session *s = session_find(n->agents, n->agent);

        if (err->kind == ERR_NONE)
                dispatch_set_idle(
                    n->agents->desk->dispatch, n->agent, st->idle_since_ms, st->used);
        if (err->kind == ERR_NONE && s != NULL && !s->presence_known) {
                s->presence = st->presence;
                s->presence_known = true;
        }
        free(n);
}

static void
session_on_grace(void *arg, const struct err *err)
{
        struct session_name *n = arg;
        struct session *s = session_find(n->agents, n->agent);

        if (s != NULL)
                s->grace_unsaved = err->kind != ERR_NONE;
        free(n);
}

static void
session_on_offline(void *arg, const struct err *err)
{
        struct session_name *n = arg;

        if (err->kind != ERR_NONE)
                log_warn("PRESENCE", "agent=%s why=%s", log_quote(n->agent),
                    log_quote(err->text));
        free(n);
}

/* ---- grace and offline ---- */

static void
session_save_grace(struct session *s)
{
        int64_t at_ms = s->n_conns > 0 ? 0 : s->gone_ms + agents_limits.grace_ms;

        s->grace_unsaved = true;
        store_set_grace(s->agents->desk->store, s->agent, s->is_bot, at_ms,
            session_on_grace, session_name_new(s));
}

static void
session_offline(struct session *s)
{
        if (s->presence_known && s->presence == PRESENCE_OFFLINE)
                return;
        s->presence = PRESENCE_OFFLINE;
        s->presence_known = true;
        store_set_presence(s->agents->desk->store, s->agent, PRESENCE_OFFLINE, "",
            "helpline", session_on_offline, session_name_new(s));
}

/* The grace is over, and later the hour. */
static void
session_gone_over(void *arg)
{
        struct session *s = arg;
        int64_t gone_ms = clock_now_ms() - s->gone_ms;

        if (s->grace_unsaved ||
            !store_is_up(s->agents->desk->store)) { /* until it is back */
                timer_set(s->timer, agents_limits.grace_ms);
                return;
        }
        if (s->is_bot || gone_ms >= agents_limits.gone_ms ||
            (s->presence_known && s->presence != PRESENCE_READY)) {
                session_offline(s);
                session_free(s);
        } else
                timer_set(s->timer, agents_limits.gone_ms - gone_ms);
}

/* ---- coming and going ---- */

static struct session *
session_new(struct agents *a, const char *agent)
{
        struct session *s = xcalloc(1, sizeof *s);

        s->agents = a;
        TAILQ_INIT(&s->conns);
        snprintf(s->agent, sizeof s->agent, "%s", agent);
        s->lost = true;
        s->timer = timer_new(a->desk->loop, session_gone_over, s);
        LIST_INSERT_HEAD(&a->sessions, s, link);
        return s;
}

void
session_join(struct conn *c)
{
        struct agents *a = c->agents;
        struct session *s = session_find(a, c->me.agent);
        bool back;

        if (s == NULL)
                s = session_new(a, c->me.agent);
        back = s->n_conns == 0;
        s->is_bot = c->me.is_bot;
        s->n_conns++;
        TAILQ_INSERT_TAIL(&s->conns, c, mates);
        c->session = s;
        if (!back)
                return;
        s->gone_ms = 0;
        timer_clear(s->timer);
        session_save_grace(s);
        if (!s->presence_known)
                store_agent(
                    a->desk->store, s->agent, session_on_presence, session_name_new(s));
}

static void
session_drop_given(struct conn *c, bool broke)
{
        struct given *g;

        while ((g = LIST_FIRST(&c->given)) != NULL) {
                LIST_REMOVE(g, link);
                if (broke)
                        session_lost(c->agents, c->session->agent, g->ticket, c->name);
                else
                        c->session->lost = true;
                free(g);
        }
}

void
session_leave(struct conn *c, bool broke)
{
        struct session *s = c->session;

        bool left_over;

        if (s == NULL)
                return;
        left_over = !broke && !LIST_EMPTY(&c->given);
        session_drop_given(c, broke && !c->agents->stopping);
        c->session = NULL;
        TAILQ_REMOVE(&s->conns, c, mates);
        s->n_conns--;
        if (left_over && !c->agents->stopping)
                reserve_look_again(s);
        if (s->n_conns > 0 || c->agents->stopping)
                return;
        s->gone_ms = clock_now_ms();
        session_save_grace(s);
        timer_set(s->timer, agents_limits.grace_ms);
}

void
session_gave(struct conn *c, const char *ticket)
{
        struct given *g = xcalloc(1, sizeof *g);

        snprintf(g->ticket, sizeof g->ticket, "%s", ticket);
        LIST_INSERT_HEAD(&c->given, g, link);
}

void
session_took_up(struct agents *a, const char *agent, const char *ticket)
{
        struct session *s = agent[0] == '\0' ? NULL : session_find(a, agent);
        struct conn *c = NULL;

        if (s == NULL)
                return;
        TAILQ_FOREACH(c, &s->conns, mates)
        {
                struct given *g = LIST_FIRST(&c->given), *next;

                for (; g != NULL; g = next) {
                        next = LIST_NEXT(g, link);
                        if (strcmp(g->ticket, ticket) == 0) {
                                LIST_REMOVE(g, link);
                                free(g);
                        }
                }
        }
}

/* ---- given, and never received ---- */

static void
lost_done(void *arg, const struct err *err)
{
        struct lost *l = arg;

        l->under_way = false;
        if (err->kind == ERR_RETRY || err->kind == ERR_UNSURE || err->kind == ERR_STALE) {
                timer_set(l->agents->lost_timer, LOST_RETRY_MS);
                return;
        }
        log_info("GIVEN-BACK", "ticket=%s agent=%s connection=%s why=%s", l->ticket,
            log_quote(l->agent), l->connection,
            err->kind == ERR_NONE ? "\"the connection was lost\"" : log_quote(err->text));
        LIST_REMOVE(l, link);
        free(l);
}

static void
lost_try(struct lost *l)
{
        const struct quiet q = {.ticket = l->ticket,
            .agent = l->agent,
            .who = "helpline",
            .type = EVENT_LOST,
            .connection = l->connection,
            .adopt = ""};

        l->under_way = true;
        quiet_change(l->agents, &q, lost_done, l);
}

static void
lost_try_all(void *arg)
{
        struct agents *a = arg;
        struct lost *l = NULL;

        LIST_FOREACH(l, &a->losts, link)
        if (!l->under_way)
                lost_try(l);
}

void
session_lost(
    struct agents *a, const char *agent, const char *ticket, const char *connection)
{
        struct lost *l = xcalloc(1, sizeof *l);

        if (a->lost_timer == NULL)
                a->lost_timer = timer_new(a->desk->loop, lost_try_all, a);
        l->agents = a;
        snprintf(l->agent, sizeof l->agent, "%s", agent);
        snprintf(l->ticket, sizeof l->ticket, "%s", ticket);
        snprintf(l->connection, sizeof l->connection, "%s", connection);
        LIST_INSERT_HEAD(&a->losts, l, link);
        lost_try(l);
}

void
agents_give_back(
    struct agents *a, const char *agent, const char *ticket, const char *connection)
{
        session_lost(a, agent, ticket, connection);
}

/* ---- the store is up ---- */

static void
session_read_presence(struct session *s)
{
        if (!s->presence_known)
                store_agent(s->agents->desk->store, s->agent, session_on_presence,
                    session_name_new(s));
}

/* After a start: whoever held tickets has two minutes to come back, and who was
 * ready an hour. */
static void
sessions_after_start(struct agents *a)
{
        const struct config *c = a->desk->config;

        for (size_t i = 0; i < c->n_agents; i++) {
                const struct agent_options *o = &c->agents[i];
                struct session *s;

                if (strlen(o->name) > NAME_MAX_BYTES || session_find(a, o->name) != NULL)
                        continue;
                s = session_new(a, o->name);
                s->is_bot = o->role == ROLE_BOT;
                s->gone_ms = clock_now_ms();
                s->grace_unsaved = true;
                timer_set(s->timer, agents_limits.grace_ms);
        }
}

void
sessions_store_up(struct agents *a)
{
        struct session *s = NULL;

        if (!a->was_up)
                sessions_after_start(a);
        LIST_FOREACH(s, &a->sessions, link)
        {
                if (s->grace_unsaved)
                        session_save_grace(s);
                session_read_presence(s);
        }
        a->was_up = true;
        lost_try_all(a);
}
