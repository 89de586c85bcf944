/*
 * POST /v1: the agents' commands for programs that speak HTTP, over the same table as
 * RESP (docs/protocol.md, "Over HTTP").
 *
 *     header with token -> login -> body -> words -> caller_call -> answer as JSON
 *
 * An agent's connection is his HTTP connection: it lives until that ends, so tickets that
 * were given over one that broke go back at once, as in RESP. Each request carries its
 * token; another one is another agent. The body is read only after the token was found
 * right, so that strangers fill no memory.
 *
 * Killed between commit and answer: the client sends the same request with the same
 * Idempotency-Key, and gets the stored answer.
 */
#include "daemon/web/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/agent/limits.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/web/api_json.h"

#define TOKEN_MAX 200

/* ---- errors ---- */

void
web_api_error(struct web_request *q, const char *code, const char *message)
{
        struct buf b AUTO_BUF = BUF_INIT;
        int status = api_status(code);

        if (status == 401)
                http_add_header(q->http, "WWW-Authenticate", "Bearer");
        if (status == 503)
                http_add_header(
                    q->http, "Retry-After", strcmp(code, "DRAINING") == 0 ? "10" : "1");
        api_error(code, message, &b);
        web_answer(q, status, "application/json", &b);
}

/* An error of RESP: "-CODE sentence". */
static void
api_answer_error(struct web_request *q, const char *line, size_t n)
{
        char *copy = arena_strndup(q->arena, line, n);
        size_t code = strcspn(copy, " ");
        const char *message = copy[code] == '\0' ? "" : copy + code + 1;

        copy[code] = '\0';
        web_api_error(q, copy, message);
}

void
web_api_fail(struct web_request *q, const struct err *err)
{
        struct buf b AUTO_BUF = BUF_INIT;

        answer_error(&b, err);
        api_answer_error(q, b.data + 1, b.len - 3);
}

/* ---- the caller's side ---- */

static bool
wants_bytes(const struct web_request *q)
{
        return strncasecmp(
                   http_header(q->http, "Accept"), "application/octet-stream", 24) == 0;
}

static void
on_answer(void *arg, const char *resp, size_t n)
{
        struct web_agent *wa = arg;
        struct web_request *q = wa->q;
        struct buf b AUTO_BUF = BUF_INIT;
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v = {.type = RESP_NULL};
        struct err err;

        if (q == NULL)
                return;
        if (n > 0 && resp_value_parse(resp, n, n, a, &v, &err) <= 0) {
                log_error("API", "why=%s", log_quote(err.text));
                web_api_error(q, "UNSURE", "the answer could not be written as JSON");
        } else if (n > 0 && v.type == RESP_ERROR)
                api_answer_error(q, v.s, v.len);
        else if (wa->command.is_bytes && v.type == RESP_BULK && wants_bytes(q)) {
                buf_add(&b, v.s, v.len);
                http_add_header(q->http, "Content-Disposition", "attachment");
                web_answer(q, 200, "application/octet-stream", &b);
        } else {
                api_answer(&v, wa->command.is_bytes, &b);
                web_answer(q, 200, "application/json", &b);
        }
}

static void
on_event(void *arg, const char *seq, const char *json, size_t n)
{
        const struct web_agent *wa = arg;

        if (wa->q != NULL)
                live_event(wa->q, seq, json, n);
}

static bool
on_is_gone(void *arg)
{
        const struct web_agent *wa = arg;

        return wa->q == NULL || wa->q->http == NULL || http_peer_gone(wa->q->http);
}

static void
on_ended(void *arg, const char *why)
{
        struct web_agent *wa = arg;
        struct web_request *q = wa->q;

        wa->caller = NULL;
        wa->token[0] = '\0';
        if (q == NULL)
                return;
        if (q->live != NULL)
                live_end(q);
        else
                web_api_error(q, "UNSURE", why);
}

static const struct caller_ops ops = {
    .answer = on_answer,
    .event = on_event,
    .is_gone = on_is_gone,
    .ended = on_ended,
};

/* ---- life ---- */

void
web_agent_eof(void *agent)
{
        const struct web_agent *wa = agent;

        if (wa->caller != NULL)
                caller_eof(wa->caller);
}

void
web_agent_closed(void *agent, bool broke)
{
        struct web_agent *wa = agent;

        caller_end(&wa->caller, broke);
        free(wa);
}

void
web_agent_forget(struct web_request *q)
{
        live_forget(q);
        if (q->agent != NULL && q->agent->q == q)
                q->agent->q = NULL;
        if (q->login != NULL)
                q->login->q = NULL;
        q->login = NULL;
}

/* ---- who may call ---- */

static bool
origin_may(struct web_request *q)
{
        const struct config *c = q->web->desk->config;
        const char *origin = http_header(q->http, "Origin");

        for (size_t i = 0; i < c->n_web_sites; i++)
                if (strcasecmp(c->web_sites[i], origin) == 0) {
                        q->origin = arena_strdup(q->arena, origin);
                        return true;
                }
        return web_origin_is_own(q);
}

/* The token of "Authorization: Bearer hl_...", "" none. */
static const char *
bearer(const struct web_request *q)
{
        const char *given = http_header(q->http, "Authorization");

        if (strncasecmp(given, "Bearer ", 7) != 0)
                return "";
        given += 7 + strspn(given + 7, " ");
        return strlen(given) > TOKEN_MAX ? "" : given;
}

static int64_t
body_limit(const struct web_request *q)
{
        return q->route->method == HTTP_POST ? (int64_t)agents_limits.request : 0;
}

static void
login_failed(struct web_request *q, const struct err *err)
{
        caller_refused(q->web->desk->agents, http_client(q->http), err->text);
        web_api_fail(q, err);
}

static void
on_login(void *arg, const struct err *err, const struct identity *id)
{
        struct web_login *l = arg;
        struct web_request *q = l->q;
        struct web_agent *wa;
        struct err why;

        if (q == NULL) {
                free(l);
                return;
        }
        q->login = NULL;
        wa = q->agent;
        if (err->kind != ERR_NONE) {
                free(l);
                login_failed(q, err);
                return;
        }
        caller_end(&wa->caller, false); /* of another token */
        wa->caller = caller_new(q->web->desk->agents, http_client(q->http), id,
            agents_limits.http_block_ms, &ops, wa, &why);
        memcpy(wa->token, l->token, sizeof wa->token);
        free(l);
        if (wa->caller == NULL) {
                wa->token[0] = '\0';
                web_api_fail(q, &why);
                return;
        }
        http_is_known(q->http);
        http_want(q->http, body_limit(q));
}

static int64_t
login_begin(struct web_request *q, const char *token)
{
        struct web_login *l;
        char sha256[65];

        sha256_hex(token, strlen(token), sha256);
        if (q->agent->caller != NULL && equal_constant_time(sha256, q->agent->token, 64))
                return body_limit(q);
        l = xcalloc(1, sizeof *l);
        l->q = q;
        memcpy(l->token, sha256, sizeof l->token);
        q->login = l;
        caller_login(q->web->desk->agents, token, on_login, l);
        return q->http == NULL ? HTTP_ANSWERED : HTTP_LATER;
}

int64_t
web_agent_login(struct web_request *q)
{
        const char *token = bearer(q);
        struct web_agent *wa = http_peer_state(q->http);

        if (!origin_may(q)) {
                web_api_error(q, "NOPERM",
                    "pages of this site may not call us: name it under `sites` in the "
                    "block web");
                return HTTP_ANSWERED;
        }
        if (*token == '\0') {
                web_api_error(
                    q, "NOAUTH", "Authentication required: Authorization: Bearer hl_...");
                return HTTP_ANSWERED;
        }
        if (wa == NULL) {
                wa = xcalloc(1, sizeof *wa);
                wa->web = q->web;
                http_set_peer_state(q->http, wa);
        }
        q->agent = wa;
        return login_begin(q, token);
}

/* ---- POST /v1 ---- */

static int64_t
call_head(struct web_request *q)
{
        long long length = strtoll(http_header(q->http, "Content-Length"), NULL, 10);

        q->is_json = true;
        if (length > (long long)agents_limits.request) {
                web_api_error(q, "TOOBIG", "the request is too large");
                return HTTP_ANSWERED;
        }
        return web_agent_login(q);
}

/* Idempotency-Key, with the quotes that some write around it; "" none. */
static const char *
idempotency_key(struct web_request *q)
{
        const char *key = http_header(q->http, "Idempotency-Key");
        size_t n = strlen(key);

        if (n >= 2 && key[0] == '"' && key[n - 1] == '"')
                return arena_strndup(q->arena, key + 1, n - 2);
        return key;
}

static void
call_end(struct web_request *q)
{
        const struct api_limits limits = {
            agents_limits.request, agents_limits.arg, agents_limits.args};
        struct web_agent *wa = q->agent;
        struct arena *a = arena_new();
        const char *key = idempotency_key(q);
        struct resp_arg *argv;
        struct err err;
        int argc;

        if (wa->caller == NULL || caller_is_busy(wa->caller)) {
                arena_free(&a);
                web_api_error(q, wa->caller == NULL ? "WRONGPASS" : "TRYAGAIN",
                    wa->caller == NULL ? "the token was dropped"
                                       : "the command before this is not done yet");
                return;
        }
        if (api_words(buf_str(&q->json), q->json.len, &limits, a, &argv, &argc, &err) ==
            -1) {
                arena_free(&a);
                web_api_fail(q, &err);
                return;
        }
        wa->command = caller_look(argv, argc);
        if (*key != '\0' && wa->command.takes_id)
                api_add_id(&argv, &argc, arena_strdup(a, key), wa->command.is_raw, a);
        wa->q = q;
        caller_call(wa->caller, argv, argc, a);
}

static void
wrong_method(struct web_request *q)
{
        struct buf b AUTO_BUF = BUF_INIT;

        http_add_header(q->http, "Allow", "POST, OPTIONS");
        api_error("ERR", "commands are sent by POST: [\"SHOW\", \"1042\"]", &b);
        web_answer(q, 405, "application/json", &b);
}

/* ---- OPTIONS, for pages of named sites ---- */

static void
options_end(struct web_request *q)
{
        struct buf none = BUF_INIT;

        if (!origin_may(q) || *q->origin == '\0') {
                web_api_error(q, "NOPERM", "pages of this site may not call us");
                return;
        }
        http_add_header(q->http, "Access-Control-Allow-Methods", "GET, POST");
        http_add_header(q->http, "Access-Control-Allow-Headers",
            "Authorization, Content-Type, Idempotency-Key, Last-Event-ID");
        http_add_header(q->http, "Access-Control-Max-Age", "600");
        web_answer(q, 204, "", &none);
}

const struct web_route web_api_routes[] = {
    {HTTP_POST, "/v1", call_head, call_end},
    {HTTP_GET, "/v1", NULL, wrong_method},
    {HTTP_OPTIONS, "/v1", NULL, options_end},
    {HTTP_OPTIONS, "/v1/events", NULL, options_end},
};
const size_t n_web_api_routes = sizeof web_api_routes / sizeof *web_api_routes;
