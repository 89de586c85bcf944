/*
 * Alerts: what a person should look at soon, for those named by `alert` in the
 * configuration. In this version they are log lines (event ALERT); each kind comes
 * again only after `silent`, however often it happens.
 */
#ifndef HELPLINE_DAEMON_ALERT_H
#define HELPLINE_DAEMON_ALERT_H

#include <stdint.h>

struct config;

enum alert {
        ALERT_STORE, /* the store has ended for good */
        ALERT_ROOM, /* no room for new mail */
        ALERT_MAIL, /* a mail could not be delivered: a dead letter */
        ALERT_CLASSES, /* more kinds of tickets than there may be: needs are left out */
        ALERT_LOOP, /* acknowledgements are suppressed: perhaps a mail loop */
        N_ALERTS
};

struct alerts {
        int64_t silent_until_ms[N_ALERTS]; /* not told again before */
};

/* why: one sentence; no body of a mail, no secret. Nothing happens without `alert`. */
void
alert_tell(struct alerts *a, const struct config *c, enum alert what, const char *why);

#endif
