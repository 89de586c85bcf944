/*
 * Forms: GET shows the page, POST takes what was filled in.
 *
 * Who may post: our own page, with the one-time token it carries; the `sites` of the
 * form (by Origin); programs, with JSON. What is sent twice is told the same ticket:
 * the digest is made of the token (or the Idempotency-Key) and of all that was sent, so
 * a double click, a reload or the back button make no second ticket, while what was
 * changed on a page gone back to is not lost: it goes onto the first one's ticket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/web/request.h"

#define PLAIN_MAX ((int64_t)2 << 20) /* of a body without files */
#define KEY_MAX 200
#define HOUR_US (3600 * 1000000LL)

static const struct form_options *
form_of(struct web_request *q)
{
        return config_form(q->web->desk->config, q->name);
}

static const char *
form_path(struct web_request *q)
{
        return arena_printf(q->arena, "/f/%s", q->name);
}

/* ---- the page ---- */

/* "https://www.romashka.ru" of a URL; "" when it has characters a header must not. */
static const char *
url_origin(struct arena *a, const char *url)
{
        const char *host = strstr(url, "://");
        size_t n;

        if (host == NULL)
                return "";
        n = (size_t)(host + 3 - url) + strcspn(host + 3, "/?#");
        for (size_t i = 0; i < n; i++)
                if (url[i] <= ' ' || url[i] > '~' || strchr(";,'\"", url[i]) != NULL)
                        return "";
        return arena_strndup(a, url, n);
}

/* Browsers ask form-action also about where a form's answer leads. */
static void
allow_thanks(struct web_request *q, const struct form_options *f)
{
        const char *origin = url_origin(q->arena, f->thanks);

        if (*origin != '\0')
                http_add_header(q->http, "Content-Security-Policy",
                    arena_printf(q->arena,
                        "default-src 'none'; style-src 'self'; img-src 'self'; "
                        "form-action 'self' %s; base-uri 'none'; frame-ancestors 'none'",
                        origin));
}

static void
show_page(struct web_request *q, int status, enum page_notice notice,
    const struct form_fault *faults, size_t n_faults, const char *token)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct page_form p = {.page = web_page(q, form_path(q)),
            .token = token,
            .sent = &q->sent,
            .faults = faults,
            .n_faults = n_faults,
            .notice = notice};

        allow_thanks(q, q->sent.form);
        page_form(&b, &p);
        web_answer_page(q, status, &b);
}

static int64_t
get_head(struct web_request *q)
{
        q->name = q->rest;
        if (form_of(q) == NULL) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return -1;
        }
        return 0;
}

static void
get_end(struct web_request *q)
{
        const char *token;

        q->sent.form = form_of(q);
        if (q->sent.form == NULL) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return;
        }
        token = web_token(q, q->name);
        if (*token == '\0')
                web_answer_error(q, PAGE_STORE_AWAY);
        else
                show_page(q, 200, NOTICE_NONE, NULL, 0, token);
}

/* ---- thanks ---- */

static void
thanks_show(struct web_request *q, const char *signed_ticket)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct page p = web_page(q, http_path(q->http));
        char ticket[20] = "";
        const char *status = "";

        if (strcmp(signed_ticket, "ok") != 0) {
                if (!status_token_parse(signed_ticket, web_key, q->web, ticket)) {
                        web_answer_error(q, PAGE_NOT_FOUND);
                        return;
                }
                status =
                    arena_printf(q->arena, "/s/%s?lang=%s", signed_ticket, q->language);
        }
        page_thanks(&b, &p, ticket, status);
        web_answer_page(q, 200, &b);
}

/* ---- who may post ---- */

static bool
site_may(const struct form_options *f, const char *origin)
{
        for (size_t i = 0; i < f->n_sites; i++)
                if (strcasecmp(f->sites[i], origin) == 0)
                        return true;
        return false;
}

/* false: refused; q->origin is set for a foreign site that may. */
static bool
origin_may(struct web_request *q, const struct form_options *f)
{
        const char *origin = http_header(q->http, "Origin");

        if (site_may(f, origin)) {
                q->origin = arena_strdup(q->arena, origin);
                return true;
        }
        return web_origin_is_own(q);
}

static void
options_end(struct web_request *q)
{
        struct buf none = BUF_INIT;

        if (*q->origin == '\0') {
                web_answer_error(q, PAGE_FORBIDDEN);
                return;
        }
        http_add_header(q->http, "Access-Control-Allow-Methods", "POST");
        http_add_header(
            q->http, "Access-Control-Allow-Headers", "Content-Type, Idempotency-Key");
        http_add_header(q->http, "Access-Control-Max-Age", "600");
        web_answer(q, 204, "", &none);
}

static int64_t
options_head(struct web_request *q)
{
        if (get_head(q) == -1)
                return -1;
        if (!origin_may(q, form_of(q))) {
                web_answer_error(q, PAGE_FORBIDDEN);
                return -1;
        }
        return 0;
}

/* ---- the body ---- */

static bool
is_json_type(const char *type)
{
        size_t n = strlen("application/json");

        return strncasecmp(type, "application/json", n) == 0 &&
               (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

/* Files beyond the limit are read up to twice of it, so that the page can say so and
 * keep the text; what is larger still is cut off by the gate. */
static int64_t
body_max(const struct form_options *f)
{
        uint64_t files = 0;

        for (size_t i = 0; i < f->n_fields; i++)
                if (f->fields[i].type == FIELD_FILES)
                        files += f->fields[i].limit;
        return PLAIN_MAX + (int64_t)files * 2;
}

static int64_t
post_open(struct web_request *q, const struct form_options *f)
{
        const char *type = http_header(q->http, "Content-Type");
        struct form_limits limits = {200, 8192, 256 << 10, 1 << 20, 0};
        struct buf head AUTO_BUF = BUF_INIT;
        struct err err;
        int64_t max;

        max = q->is_json ? 1 << 20 : body_max(f);
        limits.max_files = (uint64_t)max;
        if (!q->is_json) {
                q->parser = form_parser_new(type, &limits, q->arena, &err);
                if (q->parser == NULL) {
                        web_answer_error(q, PAGE_TYPE);
                        return -1;
                }
        }
        if (strtoll(http_header(q->http, "Content-Length"), NULL, 10) > max) {
                web_answer_error(q, PAGE_TOO_LARGE);
                return -1;
        }
        buf_addf(&head, "Content-Type: %s\r\n\r\n", type);
        spool_add(&q->raw, head.data, head.len);
        return max;
}

static int64_t
post_head(struct web_request *q)
{
        const struct form_options *f;

        q->name = q->rest;
        q->is_json = is_json_type(http_header(q->http, "Content-Type"));
        f = form_of(q);
        if (f == NULL || !origin_may(q, f)) {
                web_answer_error(q, f == NULL ? PAGE_NOT_FOUND : PAGE_FORBIDDEN);
                return -1;
        }
        return post_open(q, f);
}

/* The body is whole: what was sent. false: answered. */
static bool
post_read(struct web_request *q, const struct form_options *f)
{
        struct form_part *parts = NULL;
        struct err err = {.kind = ERR_NONE};
        int rc;

        if (q->is_json) {
                rc = web_form_read_json(
                    q->json.data, q->json.len, q->arena, &parts, &q->sent.n_parts, &err);
                q->sent.parts = parts;
        } else {
                rc = form_parser_end(q->parser, &err);
                q->sent.parts = form_parser_parts(q->parser, &q->sent.n_parts);
        }
        q->sent.form = f;
        q->sent.language = q->language;
        q->sent.country = arena_strdup(q->arena, q->web->desk->config->country);
        q->sent.client = arena_strdup(q->arena, http_client(q->http));
        q->sent.now_us = clock_now_us();
        if (rc == 0)
                return true;
        log_info("FORM-REFUSED", "form=%s client=%s why=%s", log_quote(q->name),
            q->sent.client, log_quote(err.text));
        web_answer_error(q, err.kind == ERR_LIMIT ? PAGE_TOO_LARGE : PAGE_BROKEN);
        return false;
}

/* ---- answers ---- */

/* For programs: {"error": …, "fields": {…}}. */
static void
answer_faults_json(
    struct web_request *q, const struct form_fault *faults, size_t n_faults)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "error", "some fields are missing or wrong");
        jo_key(&o, "fields");
        jo_open(&o, '{');
        for (size_t i = 0; i < n_faults; i++)
                jo_kstring(&o, faults[i].field, faults[i].text);
        jo_close(&o, '}');
        jo_close(&o, '}');
        web_answer_json(q, 422, &b);
}

static void
answer_error_json(struct web_request *q, int status, const char *sentence)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "error", sentence);
        jo_close(&o, '}');
        web_answer_json(q, status, &b);
}

static bool
has_keys(const struct web_request *q)
{
        return store_secret_newest(q->web->desk->store) != 0;
}

/* The token as it was sent, so that sending once more is the same; a new one when it
 * was none of ours. */
static const char *
token_again(struct web_request *q)
{
        const char *sent = web_form_value(&q->sent, PAGE_TOKEN, 0);
        bool is_ours = *q->token_id != '\0' || !has_keys(q); /* as far as we can say */

        return is_ours && sent != NULL ? sent : web_token(q, q->name);
}

static void
post_refuse(struct web_request *q, int status, enum page_notice notice, const char *why)
{
        if (q->is_json)
                answer_error_json(q, status, why);
        else
                show_page(q, status, notice, NULL, 0, token_again(q));
}

static void
post_not_taken(struct web_request *q, bool full)
{
        q->sent.form = form_of(q);
        if (q->sent.form == NULL)
                web_answer_error(q, PAGE_NOT_FOUND);
        else if (full)
                post_refuse(q, 507, NOTICE_FULL, "there is no room, try again later");
        else
                post_refuse(q, 503, NOTICE_BUSY,
                    "not taken: the store is away, send it again with the same "
                    "Idempotency-Key");
}

static void
answer_created(struct web_request *q, const char *ticket, const char *status)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "ticket", ticket);
        jo_close(&o, '}');
        if (*status != '\0')
                http_add_header(
                    q->http, "Location", arena_printf(q->arena, "/s/%s", status));
        web_answer_json(q, 201, &b);
}

/* Where a browser goes now; signed "" : it was a robot. */
static void
answer_thanks(struct web_request *q, const struct form_options *f, const char *ticket,
    const char *status)
{
        const char *hash;

        if (f == NULL || *f->thanks == '\0') {
                web_answer_see(
                    q, arena_printf(q->arena, "/f/%s/thanks/%s?lang=%s", q->name,
                           *status != '\0' ? status : "ok", q->language));
                return;
        }
        hash = f->thanks + strcspn(f->thanks, "#");
        allow_thanks(q, f);
        if (*ticket == '\0')
                web_answer_see(q, f->thanks);
        else
                web_answer_see(
                    q, arena_printf(q->arena, "%.*s%sticket=%s%s",
                           (int)(hash - f->thanks), f->thanks,
                           memchr(f->thanks, '?', (size_t)(hash - f->thanks)) ? "&" : "?",
                           ticket, hash));
}

static void
post_taken(struct web_request *q, const char *ticket)
{
        struct store *s = q->web->desk->store;
        const uint8_t *secret = store_secret(s, store_secret_newest(s));
        char status[40] = "";

        if (secret != NULL && *ticket != '\0')
                status_token_format(secret, ticket, status);
        if (q->is_json)
                answer_created(q, ticket, status);
        else
                answer_thanks(q, form_of(q), ticket, status);
}

/* ---- POST ---- */

static bool
is_robot(const struct web_request *q)
{
        return !q->is_json && web_form_value(&q->sent, PAGE_TRAP, 0) != NULL;
}

static void
check_token(struct web_request *q)
{
        const char *token = web_form_value(&q->sent, PAGE_TOKEN, 0);
        char id[17];

        if (token != NULL &&
            form_token_parse(token, q->name, q->sent.now_us, web_key, q->web, id))
                q->token_id = arena_strdup(q->arena, id);
}

/* What makes two sendings one. A key alone does not: programs count from one, and what
 * came under the key of another must neither be lost nor be told whose ticket that is. */
static void
make_digest(struct web_request *q)
{
        const char *key = http_header(q->http, "Idempotency-Key");
        char print[65], hex[65];
        const char *text;

        web_form_fingerprint(&q->sent, print);
        if (*q->token_id != '\0')
                text = arena_printf(q->arena, "token %s %s", q->token_id, print);
        else if (*key != '\0')
                text = arena_printf(q->arena, "key %s %s %s", q->name, print, key);
        else if (!q->is_json) /* from a foreign site: twice within the hour is once */
                text = arena_printf(q->arena, "site %s %lld %s", q->sent.client,
                    (long long)(q->sent.now_us / HOUR_US), print);
        else {
                uint8_t random[16];

                random_bytes(random, sizeof random);
                hex_format(random, sizeof random, hex);
                text = arena_printf(q->arena, "new %s", hex);
        }
        sha256_hex(text, strlen(text), hex);
        q->digest = arena_printf(q->arena, "web-%s", hex);
}

static struct message *
post_message(struct web_request *q)
{
        q->sent.form = form_of(q); /* the configuration may be a new one */
        return q->sent.form == NULL ? message_new()
                                    : web_form_message(&q->sent, q->digest);
}

static void
post_deliver(struct web_request *q)
{
        q->message = post_message;
        q->taken = post_taken;
        q->account = arena_strdup(q->arena, q->sent.form->account);
        q->ticket = arena_strdup(q->arena, sent_tokens_find(q->web->sent, q->token_id));
        make_digest(q);
        crash_point("web.whole");
        web_deliver(q);
}

/* A daemon that was killed has its keys again before it takes a token for a wrong one: it
 * may be that of a ticket already. */
static void
post_judge(struct web_request *q)
{
        const struct form_options *f = form_of(q);
        struct form_fault *faults;
        size_t n;

        q->sent.form = f;
        if (f == NULL) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return;
        }
        if (!has_keys(q) && !q->is_json) {
                web_again(q, post_judge);
                return;
        }
        check_token(q);
        n = web_form_check(&q->sent, q->arena, &faults);
        if (n > 0 && q->is_json)
                answer_faults_json(q, faults, n);
        else if (n > 0)
                show_page(q, 422, NOTICE_FAULTS, faults, n, token_again(q));
        else if (!q->is_json && *q->origin == '\0' && *q->token_id == '\0')
                post_refuse(q, 422, NOTICE_AGAIN, "");
        else if (strlen(http_header(q->http, "Idempotency-Key")) > KEY_MAX)
                post_refuse(q, 400, NOTICE_AGAIN, "the Idempotency-Key is too long");
        else if (!rate_take(
                     q->web->rate, q->sent.client, f->name, f->rate, q->sent.now_us))
                post_refuse(q, 429, NOTICE_RATE, "too many from this address, try later");
        else if (q->raw.failed)
                post_not_taken(q, true);
        else
                post_deliver(q);
}

static void
post_end(struct web_request *q)
{
        const struct form_options *f = form_of(q);

        if (f == NULL) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return;
        }
        if (!post_read(q, f))
                return;
        if (is_robot(q)) {
                log_info(
                    "ROBOT", "form=%s client=%s", log_quote(q->name), q->sent.client);
                answer_thanks(q, f, "", "");
                return;
        }
        q->not_taken = post_not_taken;
        web_patience(q);
        post_judge(q);
}

/* "/f/NAME" or "/f/NAME/thanks/…" */
static int64_t
form_get_head(struct web_request *q)
{
        return strchr(q->rest, '/') == NULL ? get_head(q) : 0;
}

static void
form_get_end(struct web_request *q)
{
        const char *slash = strchr(q->rest, '/');

        if (slash == NULL)
                get_end(q);
        else if (strncmp(slash, "/thanks/", 8) == 0)
                thanks_show(q, slash + 8);
        else
                web_answer_error(q, PAGE_NOT_FOUND);
}

const struct web_route web_form_routes[] = {
    {HTTP_GET, "/f/", form_get_head, form_get_end},
    {HTTP_POST, "/f/", post_head, post_end},
    {HTTP_OPTIONS, "/f/", options_head, options_end},
};
const size_t n_web_form_routes = sizeof web_form_routes / sizeof *web_form_routes;
