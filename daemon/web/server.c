/*
 * Requests, routes, answers; see server.h.
 *
 * A message is handed up only when its body is whole and right. The answer waits for
 * its settlement: 303 or 201 are said when it is stored. While the store is away it is
 * tried again until 15 s are over; then the person is told, with all he wrote in the
 * page, and when it was stored after all, sending it again gives the same ticket.
 */
#include "daemon/web/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/intake.h"
#include "daemon/web/api.h"
#include "daemon/web/request.h"

#define SPOOL_MEMORY_MAX ((size_t)64 * 1024)
#define AGAIN_MS 250 /* between two tries */

/* ---- the life of a request ---- */

static void
request_reap(void *arg)
{
        struct web_request *q = arg;

        timer_free(&q->timer);
        form_parser_free(&q->parser);
        spool_fini(&q->raw);
        buf_fini(&q->json);
        arena_free(&q->arena);
        free(q);
}

/* It is over: nothing comes back to it any more. */
void
web_request_end(struct web_request *q)
{
        q->http = NULL;
        web_agent_forget(q);
        if (q->delivery != 0)
                web_form_forget(q->web->channel, q->delivery);
        q->delivery = 0;
        if (q->reading != NULL)
                q->reading->q = NULL;
        if (q->timer != NULL)
                timer_clear(q->timer);
        loop_later(q->web->desk->loop, request_reap, q);
}

static struct web_request *
request_new(struct web *w, struct http_request *r)
{
        struct web_request *q = xcalloc(1, sizeof *q);
        const struct config *c = w->desk->config;

        q->web = w;
        q->http = r;
        q->arena = arena_new();
        spool_init(&q->raw, w->spool_dir, SPOOL_MEMORY_MAX);
        q->language = page_language(c, http_query(r), http_header(r, "Accept-Language"));
        for (size_t i = 0; i < c->n_languages; i++)
                q->other_language |=
                    strcmp(c->languages[i],
                        strcmp(q->language, "ru") == 0 ? "en" : "ru") == 0;
        q->rest = q->name = q->origin = q->token_id = q->digest = q->ticket = q->account =
            q->reply = q->fault = q->subject = q->from_name = q->from_address = q->phone =
                "";
        http_set_state(r, q);
        return q;
}

/* ---- answers ---- */

void
web_add_cors(struct web_request *q)
{
        if (*q->origin == '\0')
                return;
        http_add_header(q->http, "Access-Control-Allow-Origin", q->origin);
        http_add_header(
            q->http, "Access-Control-Expose-Headers", "Location, Retry-After");
        http_add_header(q->http, "Vary", "Origin");
}

void
web_answer(struct web_request *q, int status, const char *type, const struct buf *body)
{
        struct http_request *r = q->http;

        web_add_cors(q);
        log_debug("WEB", "path=%s client=%s status=%d", log_quote(http_path(r)),
            http_client(r), status);
        web_request_end(q);
        http_answer(r, status, type, buf_str(body), body->len);
}

void
web_answer_page(struct web_request *q, int status, const struct buf *body)
{
        if (status == 503)
                http_add_header(q->http, "Retry-After", "30");
        http_add_header(q->http, "Content-Language", q->language);
        web_answer(q, status, "text/html; charset=utf-8", body);
}

void
web_answer_json(struct web_request *q, int status, const struct buf *body)
{
        if (status == 503)
                http_add_header(q->http, "Retry-After", "30");
        web_answer(q, status, "application/json", body);
}

void
web_answer_error(struct web_request *q, enum page_error e)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct page p = web_page(q, "/");
        struct json_out o;

        if (!q->is_json) {
                p.other_language = false;
                page_error(&b, &p, e);
                web_answer_page(q, page_error_status(e), &b);
                return;
        }
        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "error", page_error_sentence(e));
        jo_close(&o, '}');
        web_answer_json(q, page_error_status(e), &b);
}

void
web_answer_see(struct web_request *q, const char *location)
{
        struct buf none = BUF_INIT;

        http_add_header(q->http, "Location", location);
        web_answer(q, 303, "", &none);
}

struct page
web_page(struct web_request *q, const char *path)
{
        return (struct page){
            q->web->desk->config->name, q->language, path, q->other_language};
}

/* ---- keys ---- */

const uint8_t *
web_key(void *arg, char key_id)
{
        const struct web *w = arg;

        return store_secret(w->desk->store, key_id);
}

const char *
web_token(struct web_request *q, const char *form)
{
        struct store *s = q->web->desk->store;
        const uint8_t *secret = store_secret(s, store_secret_newest(s));
        char token[64];

        if (secret == NULL)
                return "";
        form_token_format(secret, store_secret_newest(s), form, clock_now_us(), token);
        return arena_strdup(q->arena, token);
}

const char *
web_status_url(
    const struct config *c, const uint8_t *secret, const char *ticket, struct arena *a)
{
        size_t n = strlen(c->url);
        char token[40];

        if (n == 0 || secret == NULL)
                return "";
        status_token_format(secret, ticket, token);
        return arena_printf(
            a, "%.*s/s/%s", (int)(c->url[n - 1] == '/' ? n - 1 : n), c->url, token);
}

/* ---- origin ---- */

/* The host of "scheme://host[:port]", and no path behind it. */
static const char *
origin_host(const char *origin)
{
        const char *host = strstr(origin, "://");

        return host == NULL || strchr(host + 3, '/') != NULL ? "" : host + 3;
}

bool
web_origin_is_own(struct web_request *q)
{
        const char *origin = http_header(q->http, "Origin");
        const char *host = origin_host(origin);
        const char *url = q->web->desk->config->url;
        size_t n = strlen(origin);

        if (*origin == '\0' || strcmp(origin, "null") == 0)
                return true; /* its one-time token decides */
        if (*host != '\0' && strcasecmp(host, http_header(q->http, "Host")) == 0)
                return true;
        return n > 0 && strncasecmp(url, origin, n) == 0 &&
               (url[n] == '\0' || url[n] == '/');
}

/* ---- a message goes up ---- */

static void
on_timer(void *arg)
{
        struct web_request *q = arg;

        if (q->http == NULL)
                return;
        if (q->next != NULL)
                q->next(q);
        else
                q->not_taken(q, false);
}

void
web_patience(struct web_request *q)
{
        q->until_us = clock_mono_us() + WEB_PATIENCE_MS * 1000LL;
        q->timer = timer_new(q->web->desk->loop, on_timer, q);
}

void
web_again(struct web_request *q, void (*next)(struct web_request *q))
{
        int64_t left_ms = (q->until_us - clock_mono_us()) / 1000;

        if (left_ms <= 0 || q->web->desk->draining) {
                q->not_taken(q, false);
                return;
        }
        q->next = next;
        timer_set(q->timer, left_ms < AGAIN_MS ? left_ms : AGAIN_MS);
}

static void
on_settled(void *arg, enum settlement s, const char *why, const char *ticket)
{
        struct web_request *q = arg;

        (void)why; /* logged by intake */
        q->delivery = 0;
        if (q->http == NULL)
                return;
        crash_point("web.settled");
        switch (s) {
        case SETTLE_STORED:
        case SETTLE_DUPLICATE:
        case SETTLE_QUARANTINED:
                sent_tokens_note(q->web->sent, q->token_id, ticket);
                q->taken(q, ticket);
                crash_point("web.answer");
                return;
        case SETTLE_FULL:
                q->not_taken(q, true);
                return;
        case SETTLE_LATER:
                web_again(q, web_deliver);
                return;
        }
}

void
web_deliver(struct web_request *q)
{
        struct desk *d = q->web->desk;
        const struct channel_host *host = intake_host(d->intake);
        int64_t left_ms = (q->until_us - clock_mono_us()) / 1000;
        struct err err = {.kind = ERR_NONE};

        if (host->may_take(host->arg, &err) == -1) {
                if (strcmp(err.code, "452") == 0)
                        q->not_taken(q, true);
                else
                        web_again(q, web_deliver);
                return;
        }
        crash_point("web.deliver");
        q->next = NULL;
        timer_set(q->timer, left_ms > 0 ? left_ms : 1);
        q->delivery = web_form_deliver(q->web->channel, q->message(q), q->account,
            &q->raw, q->ticket, on_settled, q);
}

/* ---- health and style ---- */

static void
health_end(struct web_request *q)
{
        struct desk *d = q->web->desk;
        struct buf b AUTO_BUF = BUF_INIT;
        struct err err = {.kind = ERR_NONE};
        bool good = store_may_take(d->store, &err) == 0 && !d->draining;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "status", good ? "ok" : d->draining ? "draining" : "unavailable");
        jo_kstring(&o, "store", store_is_up(d->store) ? "up" : "away");
        jo_close(&o, '}');
        buf_addc(&b, '\n');
        web_answer_json(q, good ? 200 : 503, &b);
}

static void
style_end(struct web_request *q)
{
        struct buf b AUTO_BUF = BUF_INIT;

        buf_adds(&b, page_style);
        http_add_header(q->http, "Cache-Control", "public, max-age=3600");
        web_answer(q, 200, "text/css; charset=utf-8", &b);
}

static const struct web_route plain_routes[] = {
    {HTTP_GET, "/health", NULL, health_end},
    {HTTP_GET, "/style.css", NULL, style_end},
};

/* ---- the gate's calls ---- */

static bool
route_fits(const struct web_route *r, enum http_method method, const char *path)
{
        size_t n = strlen(r->path);

        if (method == HTTP_HEAD)
                method = HTTP_GET;
        if (r->method != method || strncmp(r->path, path, n) != 0)
                return false;
        return path[n] == '\0' ? r->path[n - 1] != '/' : r->path[n - 1] == '/';
}

static const struct web_route *
route_find(enum http_method method, const char *path)
{
        const struct {
                const struct web_route *routes;
                size_t n;
        } tables[] = {
            {plain_routes, sizeof plain_routes / sizeof *plain_routes},
            {web_form_routes, n_web_form_routes},
            {web_status_routes, n_web_status_routes},
            {web_call_routes, n_web_call_routes},
            {web_api_routes, n_web_api_routes},
            {web_live_routes, n_web_live_routes},
        };

        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
                for (size_t i = 0; i < tables[t].n; i++)
                        if (route_fits(&tables[t].routes[i], method, path))
                                return &tables[t].routes[i];
        return NULL;
}

static int64_t
on_header(void *arg, struct http_request *r)
{
        struct web_request *q = request_new(arg, r);

        q->route = route_find(http_method(r), http_path(r));
        if (q->route == NULL) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return -1;
        }
        q->rest = http_path(r) + strlen(q->route->path);
        return q->route->head == NULL ? 0 : q->route->head(q);
}

static void
request_spool(struct web_request *q, const char *p, size_t n)
{
        bool in_memory = q->raw.fd == -1;

        spool_add(&q->raw, p, n);
        if (in_memory && q->raw.fd != -1)
                crash_point("web.spooled");
}

/* A body's bytes, understood and kept as they come. */
static int
on_body(void *arg, struct http_request *r, const char *p, size_t n)
{
        struct web_request *q = http_state(r);
        struct err err = {.kind = ERR_NONE};

        (void)arg;
        if (q->raw.len > 0) /* its head is there: it is kept as it came */
                request_spool(q, p, n);
        if (q->is_json)
                buf_add(&q->json, p, n);
        if (q->parser == NULL || form_parser_feed(q->parser, p, n, &err) == 0)
                return 0;
        log_info("FORM-REFUSED", "path=%s client=%s why=%s", log_quote(http_path(r)),
            http_client(r), log_quote(err.text));
        web_answer_error(q, err.kind == ERR_LIMIT ? PAGE_TOO_LARGE : PAGE_BROKEN);
        return -1;
}

static void
on_end(void *arg, struct http_request *r)
{
        struct web_request *q = http_state(r);

        (void)arg;
        q->route->end(q);
}

static void
on_gone(void *arg, struct http_request *r)
{
        struct web_request *q = http_state(r);

        (void)arg;
        if (q != NULL)
                web_request_end(q);
}

static void
on_drain(void *arg, struct http_request *r)
{
        (void)arg;
        live_drained(http_state(r));
}

static void
on_eof(void *arg, void *peer_state)
{
        (void)arg;
        web_agent_eof(peer_state);
}

static void
on_closed(void *arg, void *peer_state, bool broke)
{
        (void)arg;
        web_agent_closed(peer_state, broke);
}

static const struct http_handlers handlers = {
    .on_header = on_header,
    .on_body = on_body,
    .on_end = on_end,
    .on_gone = on_gone,
    .on_drain = on_drain,
    .on_eof = on_eof,
    .on_closed = on_closed,
};

/* ---- the server ---- */

struct web *
web_open(struct desk *d, struct err *err)
{
        struct web *w = xcalloc(1, sizeof *w);
        struct arena *a AUTO_ARENA = arena_new();
        struct http_options o = {
            .listen = d->config->web_listen,
            .n_listen = d->config->n_web_listen,
            .next_free_port = d->demo,
            .proxies = d->config->web_proxy,
            .n_proxies = d->config->n_web_proxy,
        };

        w->desk = d;
        w->spool_dir = xstrdup(arena_printf(a, "%s/spool", d->config->state));
        w->channel = web_form_new(intake_host(d->intake));
        w->rate = rate_new();
        w->sent = sent_tokens_new();
        if (mkdir(w->spool_dir, 0700) == -1 && errno != EEXIST)
                err_errno(err, ERR_CONFIG, errno, "cannot make the spool folder %s",
                    w->spool_dir);
        else
                w->http = http_open(d->loop, &o, &handlers, w, err);
        if (w->http == NULL)
                web_close(&w);
        return w;
}

void
web_close(struct web **pw)
{
        struct web *w = *pw;

        if (w == NULL)
                return;
        http_close(&w->http);
        web_form_free(&w->channel);
        rate_free(&w->rate);
        sent_tokens_free(&w->sent);
        free(w->spool_dir);
        free(w);
        *pw = NULL;
}

void
web_drain(struct web *w)
{
        http_drain(w->http);
}

const char *
web_address(const struct web *w)
{
        return http_address(w->http);
}
