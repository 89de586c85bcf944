/*
 * Outbox: what has to leave is claimed, rendered, given to a mailer helper, and
 * its fate written on the ticket.
 *
 * Killed after the server took the mail and before that was written: the claim
 * runs out, it is sent again with the same Message-ID.
 */
#ifndef HELPLINE_DAEMON_OUTBOX_H
#define HELPLINE_DAEMON_OUTBOX_H

#include "daemon/desk.h"

struct outbox *outbox_new(struct desk *d);
void outbox_free(struct outbox **o);
/* How many entries it may claim now (several sessions at once). */
unsigned outbox_room(const struct outbox *o);
/* An entry was claimed for us by tick: send it. */
void outbox_send(struct outbox *o, const char *entry);
size_t outbox_pending(const struct outbox *o);
/* When to try again after so many tries: 1m 2m 5m 15m 1h, then every 4h; 0: dead (after 5 days). */
int64_t outbox_backoff_ms(unsigned tries, int64_t age_ms);

#endif
