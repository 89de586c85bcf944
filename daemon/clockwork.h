/*
 * Tickets whose clock has come (promises, escalation, reminders): read, decided by the law
 * (queue/ticket_clock.c), committed. The store names them again at each tick until a
 * commit has set the clock on, so nothing is kept here that a crash could lose. And the
 * hours of agents: whose begin or end is told to the store.
 */
#ifndef HELPLINE_DAEMON_CLOCKWORK_H
#define HELPLINE_DAEMON_CLOCKWORK_H

#include <stddef.h>

struct clockwork;
struct desk;

struct clockwork *clockwork_new(struct desk *d);
/* What is under way is given up: it is named again. */
void clockwork_free(struct clockwork **w);
/* What the store must know of everybody who is declared; at each start and reload. */
void clockwork_tell_agents(struct clockwork *w);
/* Once a second: whose hours begin or end? Outside them he counts as away. */
void clockwork_look_hours(struct clockwork *w);
/* These tickets' clocks have come. */
void clockwork_come(struct clockwork *w, const char *const *tickets, size_t n);

#endif
