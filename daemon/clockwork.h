/*
 * Tickets whose clock has come (promises, escalation, reminders): read, decided by the law
 * (queue/ticket_clock.c), committed. The store names them again at each tick until a
 * commit has set the clock on, so nothing is kept here that a crash could lose.
 */
#ifndef HELPLINE_DAEMON_CLOCKWORK_H
#define HELPLINE_DAEMON_CLOCKWORK_H

#include <stddef.h>

struct clockwork;
struct desk;

struct clockwork *clockwork_new(struct desk *d);
/* What is under way is given up: it is named again. */
void clockwork_free(struct clockwork **w);
/* These tickets' clocks have come. */
void clockwork_come(struct clockwork *w, const char *const *tickets, size_t n);

#endif
