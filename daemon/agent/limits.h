/*
 * The limits of the agents' socket (docs/protocol.md, "Limits"), all in one place.
 */
#ifndef HELPLINE_DAEMON_AGENT_LIMITS_H
#define HELPLINE_DAEMON_AGENT_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"

struct agents_limits {
        size_t arg; /* bytes of one argument */
        size_t request; /* bytes of one request */
        size_t inline_line; /* bytes of an inline request */
        size_t anonymous; /* bytes of one request before AUTH */
        unsigned args; /* arguments of a request */
        unsigned stretch; /* requests executed before the others have their turn */
        size_t behind_reserve; /* bytes that may wait behind a blocked RESERVE */
        int64_t anonymous_ms; /* a connection without AUTH lives so long ... */
        int64_t anonymous_near_ms; /* ... on loopback and Unix sockets */
        unsigned connections; /* in all */
        unsigned per_address; /* of one address */
        size_t text; /* bytes of REPLY, NOTE, RESOLVE TEXT */
        size_t word; /* bytes of reasons, names, channels */
        size_t document; /* bytes of a ticket document */
        size_t reserve_answer; /* bytes of the answer of RESERVE COUNT */
        size_t unread; /* answers the client has not read: stop reading from it */
        size_t unread_events; /* events it has not read: drop it */
        unsigned subscriptions; /* of one connection */
        int64_t grace_ms; /* after the last connection of an agent is gone */
        int64_t watch_ms; /* after FIN: does a reset follow? */
        int64_t gone_ms; /* a person without session and command: offline */
        int64_t empty_ms; /* longest delay of repeated empty answers */
        /* how long the last holder is preferred when a ticket comes back */
        int64_t own_ms;
        int64_t http_block_ms; /* over HTTP, RESERVE BLOCK waits no longer */
        int64_t heartbeat_ms; /* between two signs of life of GET /v1/events */
        int64_t repeat_ms; /* a repetition without a key counts as one for so long */
};
extern struct agents_limits agents_limits;

/* "name=number ..." (names as above) changes them; NULL and "" nothing. -1 with *err. */
int limits_read(const char *text, struct err *err);

#endif
