/*
 * One request on its way through daemon/web. The routes (forms.c, status.c) fill in what
 * they need; server.c makes and reaps it.
 */
#ifndef HELPLINE_DAEMON_WEB_REQUEST_H
#define HELPLINE_DAEMON_WEB_REQUEST_H

#include "channels/form_parse.h"
#include "channels/spool.h"
#include "channels/web_form.h"
#include "daemon/base/http.h"
#include "daemon/desk.h"
#include "daemon/web/pages.h"
#include "daemon/web/rate.h"
#include "daemon/web/token.h"

#define WEB_PATIENCE_MS 15000 /* so long a request waits for the store */

struct web {
        struct desk *desk;
        struct http *http;
        struct web_form *channel;
        struct rate *rate;
        struct sent_tokens *sent;
        char *spool_dir;
};

struct web_request;
struct web_agent;
struct live;

struct web_route {
        enum http_method method;
        const char *path; /* begins with it; ends with '/': has a rest */
        /* The largest body wanted, or -1 after answering. */
        int64_t (*head)(struct web_request *q);
        void (*end)(struct web_request *q);
};

struct web_request {
        struct web *web;
        struct http_request *http; /* NULL: answered or gone */
        const struct web_route *route;
        struct arena *arena;
        const char *rest; /* of the path, behind the route's */
        const char *language;
        bool other_language;
        const char *name; /* of the form */
        const char *origin; /* a foreign site that may post: CORS; "" */
        bool is_json;

        struct form_parser *parser;
        struct spool raw; /* head and body as they came */
        struct buf json;
        struct form_sent sent;
        const char *token_id; /* of a right one-time token, "" */
        const char *digest;
        const char *ticket; /* it is for, "" */
        char status[40]; /* signed: of the status page */

        /* the message on its way */
        struct message *(*message)(struct web_request *q); /* makes it, at each try */
        void (*taken)(struct web_request *q, const char *ticket);
        void (*not_taken)(struct web_request *q, bool full);
        const char *account;
        uint64_t delivery; /* 0 none under way */
        struct timer *timer; /* next try, or the end of patience */
        int64_t until_us; /* patience ends */
        void (*next)(struct web_request *q); /* what the timer does; NULL: not taken */
        struct web_reading *reading; /* an answer of the store is awaited */

        /* agents (api.h) */
        struct web_agent *agent; /* of its connection, NULL */
        struct web_login *login; /* the store is asked for its token */
        struct live *live; /* it tells events */

        /* status pages */
        const char *own_ticket; /* of the link, when it was merged into `ticket` */
        const char *customer; /* whose it is */
        unsigned n_hops; /* merged into merged */
        bool stays; /* the other one is another customer's: his own is shown */
        const char *reply; /* what he wrote in the box */
        const char *fault; /* beside it, "" none */
        enum page_notice notice;
        const char *subject, *from_name, *from_address, *phone; /* of the ticket */
};

struct web_login { /* lives until the token was looked up */
        struct web_request *q; /* NULL: nobody waits any more */
        char token[65]; /* its SHA-256 */
};

struct web_reading { /* lives until the store has answered */
        struct web_request *q; /* NULL: nobody waits any more */
};

/* ---- server.c ---- */
/* The answer, once; q is reaped at the end of the turn. */
void
web_answer(struct web_request *q, int status, const char *type, const struct buf *body);
/* The headers for a page of another site (q->origin), where it is one. */
void web_add_cors(struct web_request *q);
/* q is over without web_answer; it is reaped at the end of the turn. */
void web_request_end(struct web_request *q);
void web_answer_page(struct web_request *q, int status, const struct buf *body);
void web_answer_error(struct web_request *q, enum page_error e);
/* 303: after a POST. */
void web_answer_see(struct web_request *q, const char *location);
void web_answer_json(struct web_request *q, int status, const struct buf *body);
struct page web_page(struct web_request *q, const char *path);
const uint8_t *web_key(void *arg, char key_id); /* token_key_fn, arg: struct web */
/* A new token for the form or page; "" while there are no keys. */
const char *web_token(struct web_request *q, const char *form);
/* Patience begins: q->not_taken, when it ends. */
void web_patience(struct web_request *q);
/* Once more in a moment, or q->not_taken when patience is over. */
void web_again(struct web_request *q, void (*next)(struct web_request *q));
/* q->message goes up, again and again while the store is away and patience lasts; then
 * q->taken or q->not_taken. */
void web_deliver(struct web_request *q);
/* Is the Origin our own page's (or none was given)? */
bool web_origin_is_own(struct web_request *q);

/* ---- forms.c, status.c, calls.c, api.c, live.c ---- */
extern const struct web_route web_form_routes[];
extern const size_t n_web_form_routes;
extern const struct web_route web_status_routes[];
extern const size_t n_web_status_routes;
extern const struct web_route web_call_routes[];
extern const size_t n_web_call_routes;
extern const struct web_route web_api_routes[];
extern const size_t n_web_api_routes;
extern const struct web_route web_live_routes[];
extern const size_t n_web_live_routes;

#endif
