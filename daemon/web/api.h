/*
 * POST /v1 and GET /v1/events: agents over HTTP. What an HTTP connection keeps between its
 * requests; only for api.c, live.c and server.c.
 */
#ifndef HELPLINE_DAEMON_WEB_API_H
#define HELPLINE_DAEMON_WEB_API_H

#include "daemon/agent/caller.h"
#include "daemon/web/request.h"

/* The agent of one HTTP connection, from its first token to the connection's end. */
struct web_agent {
        struct web *web;
        struct conn *caller; /* NULL: nobody is logged in (any more) */
        char token[65]; /* SHA-256 of the token he came with */
        struct web_request *q; /* its call is under way, or its events are told; NULL */
        struct caller_command command; /* of q's call */
};

/* Checks origin and token; q->agent->caller is there when the route's end is called.
 * Returns as web_route.head. */
int64_t web_agent_login(struct web_request *q);
/* The client has ended its side, or the whole connection is no more. */
void web_agent_eof(void *agent);
void web_agent_closed(void *agent, bool broke);
/* q is over: nothing comes back to it. */
void web_agent_forget(struct web_request *q);
/* The error as JSON, with its status and what belongs to it. */
void web_api_error(struct web_request *q, const char *code, const char *message);
void web_api_fail(struct web_request *q, const struct err *err);

/* ---- live.c ---- */
void live_event(struct web_request *q, const char *seq, const char *json, size_t n);
void live_drained(struct web_request *q);
void live_end(struct web_request *q); /* the daemon ends it */
void live_forget(struct web_request *q); /* as web_agent_forget */

#endif
