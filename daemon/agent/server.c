/*
 * The agents' socket: listeners, what a reload changes, the end. Start with
 * daemon/agent/agent.h, which says where everything is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "daemon/notify.h"

#define DEMO_PORTS 50
#define STOP_STEP_MS 20
#define PAGE 100

/* ---- listening ---- */

static void
agents_on_accept(void *arg, int fd, const struct peer *peer)
{
        conn_accept(arg, fd, peer);
}

/* In a demo a port that is taken is no reason to fail: the next free one. */
static struct listener *
agents_listen_near(struct agents *a, const char *address, struct err *err)
{
        const char *colon = strrchr(address, ':');
        struct listener *l = NULL;
        long port = colon == NULL ? 0 : strtol(colon + 1, NULL, 10);

        for (int i = 1; l == NULL && port > 0 && i <= DEMO_PORTS; i++) {
                char next[128];

                snprintf(next, sizeof next, "%.*s:%ld", (int)(colon - address), address,
                    port + i);
                l = listener_open(a->desk->loop, next, 0, agents_on_accept, a, err);
        }
        return l;
}

static void
agents_listening(struct agents *a, struct listener *l)
{
        const char *address = listener_address(l);

        a->listeners[a->n_listeners++] = l;
        if (strncmp(address, "unix:", 5) != 0 && a->address[0] == '\0')
                snprintf(a->address, sizeof a->address, "%s", address);
        log_info("LISTEN", "what=agents address=%s", log_quote(address));
}

static int
agents_listen(struct agents *a, const char *address, struct err *err)
{
        bool is_unix = strncmp(address, "unix:", 5) == 0;
        struct listener *l;

        l = listener_open(a->desk->loop, address, 0660, agents_on_accept, a, err);
        if (l == NULL && a->desk->demo && !is_unix)
                l = agents_listen_near(a, address, err);
        if (l == NULL)
                return err_prefix(err, "the agents' socket");
        agents_listening(a, l);
        return 0;
}

/* Sockets that the service manager holds for us (systemd/helplined.socket). */
static int
agents_take_passed(struct agents *a, int n, struct err *err)
{
        for (int i = 0; i < n; i++) {
                struct listener *l = listener_from_fd(
                    a->desk->loop, NOTIFY_FIRST_FD + i, agents_on_accept, a, err);

                if (l == NULL)
                        return err_prefix(err, "socket %d of the service manager", i + 1);
                agents_listening(a, l);
        }
        return 0;
}

static bool
agents_listen_there(const struct agents *a, const char *address)
{
        for (size_t i = 0; i < a->n_listeners; i++)
                if (strcmp(listener_address(a->listeners[i]), address) == 0)
                        return true;
        return false;
}

static int
agents_listen_all(struct agents *a, struct err *err)
{
        const struct config *c = a->desk->config;
        int n_passed = notify_listen_fds();

        a->listeners = xcalloc(c->n_socket_listen + (size_t)n_passed + 1, sizeof(void *));
        if (agents_take_passed(a, n_passed, err) == -1)
                return -1;
        for (size_t i = 0; i < c->n_socket_listen; i++)
                if (!agents_listen_there(a, c->socket_listen[i]) &&
                    agents_listen(a, c->socket_listen[i], err) == -1)
                        return -1;
        return 0;
}

struct agents *
agents_open(struct desk *d, struct err *err)
{
        struct agents *a = xcalloc(1, sizeof *a);
        uint8_t random[5];

        a->desk = d;
        TAILQ_INIT(&a->conns);
        LIST_INIT(&a->sessions);
        LIST_INIT(&a->calls);
        LIST_INIT(&a->losts);
        random_bytes(random, sizeof random);
        base32_format(random, sizeof random, a->boot);
        if (limits_read(getenv("HELPLINE_LIMITS"), err) == -1 ||
            agents_listen_all(a, err) == -1)
                agents_free(&a);
        return a;
}

static void
agents_stop_listening(struct agents *a)
{
        for (size_t i = 0; i < a->n_listeners; i++)
                listener_close(&a->listeners[i]);
        a->n_listeners = 0;
}

void
agents_free(struct agents **p)
{
        struct agents *a = *p;

        *p = NULL;
        if (a == NULL)
                return;
        a->stopping = true;
        agents_stop_listening(a);
        while (!TAILQ_EMPTY(&a->conns))
                conn_end(TAILQ_FIRST(&a->conns), false, "the daemon ends");
        while (!LIST_EMPTY(&a->sessions))
                session_free(LIST_FIRST(&a->sessions));
        while (!LIST_EMPTY(&a->calls))
                call_free(LIST_FIRST(&a->calls));
        while (!LIST_EMPTY(&a->losts)) {
                struct lost *l = LIST_FIRST(&a->losts);

                LIST_REMOVE(l, link);
                free(l);
        }
        timer_free(&a->lost_timer);
        timer_free(&a->stop_timer);
        free(a->listeners);
        free(a);
}

const char *
agents_address(const struct agents *a)
{
        return a->address;
}

size_t
agents_connections(const struct agents *a)
{
        return a->n_conns;
}

void
agents_count(const struct agents *a, unsigned *ready, unsigned *away)
{
        const struct session *s = NULL;

        *ready = *away = 0;
        LIST_FOREACH(s, &a->sessions, link)
        {
                *ready += s->presence == PRESENCE_READY;
                *away += s->presence == PRESENCE_AWAY;
        }
}

/* ---- agents who are gone from the configuration ---- */

struct orphans { /* a walk over all held tickets; at a start over all open ones */
        struct agents *agents;
        const char *state; /* "held", or "" : all open ones */
        char cursor[72];
        char forgotten[NAME_MAX_BYTES + 1]; /* whom the walk has found last */
};

static void orphans_read(struct orphans *o);

static void
orphan_done(void *arg, const struct err *err)
{
        (void)arg;
        if (err->kind != ERR_NONE)
                log_warn("ORPHAN", "why=%s", log_quote(err->text));
}

static void
orphan_back(struct agents *a, const struct ticket *t)
{
        const struct quiet q = {.ticket = t->id,
            .agent = t->holder,
            .who = "helpline",
            .type = EVENT_GONE_AGENT,
            .connection = "",
            .adopt = ""};

        log_info("GIVEN-BACK", "ticket=%s agent=%s why=\"no such agent any more\"", t->id,
            log_quote(t->holder));
        quiet_change(a, &q, orphan_done, NULL);
}

/* Would it be kept for somebody who is not in the files? */
static bool
is_of_nobody(const struct config *c, const struct ticket *t)
{
        return (t->state == TICKET_QUEUED || t->state == TICKET_WAITING) &&
               t->owner[0] != '\0' && config_agent(c, t->owner) == NULL;
}

/* What is kept for him falls back, and nothing more is. */
static void
owner_forget(struct orphans *o, const char *owner)
{
        if (strcmp(o->forgotten, owner) == 0)
                return;
        snprintf(o->forgotten, sizeof o->forgotten, "%s", owner);
        store_set_presence(o->agents->desk->store, owner, PRESENCE_OFFLINE, "",
            "helpline", orphan_done, NULL);
}

static void
orphans_on_list(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct orphans *o = arg;
        const struct config *c = o->agents->desk->config;

        for (size_t i = 0; err->kind == ERR_NONE && i < n; i++)
                if (views[i].exists && views[i].ticket.state == TICKET_HELD &&
                    config_agent(c, views[i].ticket.holder) == NULL)
                        orphan_back(o->agents, &views[i].ticket);
                else if (views[i].exists && is_of_nobody(c, &views[i].ticket))
                        owner_forget(o, views[i].ticket.owner);
        if (err->kind == ERR_NONE && strcmp(cursor, "0") != 0) {
                snprintf(o->cursor, sizeof o->cursor, "%s", cursor);
                orphans_read(o);
                return;
        }
        if (err->kind != ERR_NONE)
                orphan_done(NULL, err);
        free(o);
}

static void
orphans_read(struct orphans *o)
{
        const struct list_query q = {.agent = "",
            .state = o->state,
            .line = "",
            .cursor = o->cursor,
            .count = PAGE};

        store_list(o->agents->desk->store, &q, orphans_on_list, o);
}

static void
orphans_start(struct agents *a, const char *state)
{
        struct orphans *o = xcalloc(1, sizeof *o);

        o->agents = a;
        o->state = state;
        memcpy(o->cursor, "0", 2);
        orphans_read(o);
}

static void
conn_reloaded(struct conn *c)
{
        struct identity id;

        if (!c->me.known || c->me.agent[0] == '\0')
                return;
        if (!auth_identity(c->agents, c->me.agent, c->me.token, &id)) {
                log_info("LOGOUT", "agent=%s why=\"no such agent any more\"",
                    log_quote(c->me.agent));
                conn_end(c, false, "no such agent any more");
                return;
        }
        /* By the Unix login, not by a token: the daemon's own user stays what he is. */
        if (c->me.token[0] == '\0' && (c->peer.uid == 0 || c->peer.uid == geteuid()))
                id.is_admin = id.is_lead = true;
        c->me = id;
        if (c->session != NULL)
                c->session->is_bot = id.is_bot;
}

void
agents_reloaded(struct agents *a)
{
        struct conn *c, *next;
        struct session *s, *after;

        for (c = TAILQ_FIRST(&a->conns); c != NULL; c = next) {
                next = TAILQ_NEXT(c, link);
                conn_reloaded(c);
        }
        for (s = LIST_FIRST(&a->sessions); s != NULL; s = after) {
                after = LIST_NEXT(s, link);
                if (s->n_conns == 0 && config_agent(a->desk->config, s->agent) == NULL)
                        session_free(s);
        }
        orphans_start(a, "held"); /* what is kept for them was told to the store */
}

void
agents_store_up(struct agents *a)
{
        if (!a->was_up)
                orphans_start(a, "");
        sessions_store_up(a);
}

/* ---- the end ---- */

void
agents_drain(struct agents *a)
{
        a->draining = true;
        if (a->desk->dispatch != NULL)
                dispatch_drain(a->desk->dispatch);
}

static void
agents_stopped(struct agents *a)
{
        loop_fn done = a->stop_done;

        while (!TAILQ_EMPTY(&a->conns)) {
                struct conn *c = TAILQ_FIRST(&a->conns);

                c->closing = true; /* what is written may still leave */
                conn_end(c, false, "the daemon ends");
        }
        a->stop_done = NULL;
        if (done != NULL)
                done(a->stop_arg);
}

/* Connections without a command under way and with all answers sent are closed. */
static void
agents_stop_step(void *arg)
{
        struct agents *a = arg;
        struct conn *c, *next;

        for (c = TAILQ_FIRST(&a->conns); c != NULL; c = next) {
                next = TAILQ_NEXT(c, link);
                if (c->call == NULL && conn_unsent(c) == 0)
                        conn_end(c, false, "the daemon ends");
        }
        if (TAILQ_EMPTY(&a->conns) || clock_now_ms() >= a->stop_by_ms)
                agents_stopped(a);
        else
                timer_set(a->stop_timer, STOP_STEP_MS);
}

void
agents_stop(struct agents *a, int64_t ms, loop_fn done, void *arg)
{
        a->stopping = true;
        a->stop_done = done;
        a->stop_arg = arg;
        a->stop_by_ms = clock_now_ms() + ms;
        agents_stop_listening(a);
        agents_drain(a);
        if (a->stop_timer == NULL)
                a->stop_timer = timer_new(a->desk->loop, agents_stop_step, a);
        timer_set(a->stop_timer, 0);
}
