/*
 * The desk over HTTP: forms and status pages for customers, commands for agents, health.
 *
 *     GET, POST /f/NAME            a form; OPTIONS for the sites that may post it
 *     GET       /f/NAME/thanks/... after it was sent
 *     GET, POST /s/TICKET-SIGNED   what became of a ticket, and a reply box
 *     POST      /calls/NAME        records of a telephone exchange
 *     POST      /v1                the agents' commands
 *     GET       /v1/events         the agents' events, as server-sent events
 *     GET       /health            JSON: 200, or 503 when the store is away
 */
#ifndef HELPLINE_DAEMON_WEB_SERVER_H
#define HELPLINE_DAEMON_WEB_SERVER_H

#include "daemon/desk.h"

struct web;

/* Opens where the configuration says. NULL with *err. */
struct web *web_open(struct desk *d, struct err *err);
void web_close(struct web **w);
/* No new connections; what is under way ends. */
void web_drain(struct web *w);
const char *web_address(const struct web *w); /* where it really listens */

/* The customer's link to a ticket, for mails: "" without `url` in the configuration or
 * while there is no key. */
const char *web_status_url(
    const struct config *c, const uint8_t *secret, const char *ticket, struct arena *a);

#endif
