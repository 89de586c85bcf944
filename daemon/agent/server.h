/*
 * The agents' socket: listeners, connections, sessions, events. What a command
 * does is in daemon/agent/cmd_*.c, its name, roles and words in
 * daemon/agent/commands.c (the one table).
 */
#ifndef HELPLINE_DAEMON_AGENT_SERVER_H
#define HELPLINE_DAEMON_AGENT_SERVER_H

#include "daemon/desk.h"

/* Listens where the configuration says (demo: next free port if taken; then
 * agents_address tells). NULL with *err. */
struct agents *agents_open(struct desk *d, struct err *err);
void agents_free(struct agents **a);
/* The TCP address it really listens on ("127.0.0.1:7711"), "" none. */
const char *agents_address(const struct agents *a);
/* After a reload: sessions of agents who are gone end, what they hold goes back;
 * roles change; dispatch gets the new profiles. */
void agents_reloaded(struct agents *a);
/* His absence has begun: what he has parked is answered with null. */
void agents_gone_away(struct agents *a, const char *agent);
/* What the store says of him; enum presence. */
void agents_presence_is(struct agents *a, const char *agent, int presence);
/* A journal entry: to whoever subscribed. */
void agents_event(struct agents *a, const char *seq, const char *json, size_t len);
/* It was pulled over a connection that is gone meanwhile: back at once, nobody is
 * blamed. Tried until the store has answered; left alone when another connection of
 * his has taken it over. */
void agents_give_back(
    struct agents *a, const char *agent, const char *ticket, const char *connection);
/* The store came up (again): grace clocks and presence of who is connected. */
void agents_store_up(struct agents *a);
/* Parked RESERVEs answer -DRAINING, new ones too. */
void agents_drain(struct agents *a);
/* Stop: flush answers, close all connections, no new ones. done when flushed or after ms. */
void agents_stop(struct agents *a, int64_t ms, loop_fn done, void *arg);
size_t agents_connections(const struct agents *a);
/* Connected sessions: ready / away for STATS. */
void agents_count(const struct agents *a, unsigned *ready, unsigned *away);

/* Make a token for an agent (TOKEN NEW): writes "hl_<id>_<secret>" into out[80] and
 * stores its SHA-256. */
void agents_token_new(struct desk *d, const char *agent, const char *name, char out[80],
    store_done_fn fn, void *arg);

#endif
