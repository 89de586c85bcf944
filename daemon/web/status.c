/*
 * The customer's page of a ticket, behind a signed link: what was asked, how it stands,
 * what was answered, and a box to write more. Notes of agents are never shown, nor an
 * answer that may still be taken back.
 *
 * What is written there comes from whom the ticket's answers go to: the link was given
 * to him alone. It goes up as forms do, with a one-time token of this page.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "daemon/base/utf8.h"
#include "daemon/web/request.h"

#define MESSAGES 50
#define HOPS 5
#define TEXT_MAX ((size_t)64 * 1024)
#define BODY_MAX ((int64_t)512 * 1024)
#define REPLIES_AN_HOUR 30

/* ---- reading the ticket ---- */

/* Asks the store; fn may find that nobody waits any more. */
static void
ticket_read(struct web_request *q, store_ticket_fn fn)
{
        struct read_ticket r = {
            .id = q->ticket, .n_messages = MESSAGES, .thread = true, .idem = ""};

        q->reading = xcalloc(1, sizeof *q->reading);
        q->reading->q = q;
        store_read(q->web->desk->store, &r, fn, q->reading);
}

/* Who waited, NULL when he is gone. */
static struct web_request *
reading_end(void *arg)
{
        struct web_reading *r = arg;
        struct web_request *q = r->q;

        free(r);
        if (q != NULL)
                q->reading = NULL;
        return q;
}

static const char *
status_path(struct web_request *q)
{
        return arena_printf(q->arena, "/s/%s", q->status);
}

/* ---- showing it ---- */

/* Is it of a ticket that was merged into this one and is another customer's? */
static bool
is_strange(const struct ticket_view *v, const struct message *m)
{
        for (size_t i = 0; i < v->n_parts; i++) {
                size_t n = strlen(v->parts[i].id);

                if (strncmp(m->id, v->parts[i].id, n) == 0 && m->id[n] == '.')
                        return strcmp(v->parts[i].customer, v->ticket.customer_id) != 0;
        }
        return false;
}

/* An answer that was taken back: its delivery is of nobody. */
static bool
is_unsent(const struct ticket_view *v, const struct message *m)
{
        for (size_t i = 0; i < v->n_delivery; i++)
                if (strcmp(v->delivery[2 * i], m->id) == 0)
                        return strstr(v->delivery[2 * i + 1], "\"address\":\"\"") != NULL;
        return false;
}

static bool
is_shown(const struct ticket_view *v, const struct message *m, int64_t delay_ms)
{
        if (m->direction == MESSAGE_NOTE || is_strange(v, m))
                return false;
        if (m->direction == MESSAGE_IN)
                return true;
        return clock_now_ms() >= m->received_at_us / 1000 + delay_ms &&
               strcmp(m->id, v->ticket.approve) != 0 && !is_unsent(v, m);
}

static int
notice_status(enum page_notice n)
{
        switch (n) {
        case NOTICE_NONE:
                return 200;
        case NOTICE_FAULTS:
        case NOTICE_AGAIN:
                return 422;
        case NOTICE_BUSY:
                return 503;
        case NOTICE_FULL:
                return 507;
        case NOTICE_RATE:
                return 429;
        }
        return 200;
}

/* The page of what is known; view NULL: only the number. */
static void
status_show(struct web_request *q, const struct ticket_view *v)
{
        static const struct ticket unknown = {.subject = ""};
        struct ticket bare = unknown;
        struct message *all[MESSAGES];
        const struct message *shown[MESSAGES];
        struct buf b AUTO_BUF = BUF_INIT;
        struct err err;
        size_t n = 0;
        struct page_status p = {
            .page = web_page(q, status_path(q)),
            .ticket = v == NULL ? &bare : &v->ticket,
            .known = v != NULL,
            .messages = shown,
            .cut = v != NULL && v->ticket.n_shown > v->n_messages,
            .token = web_token(q, q->status),
            .text = q->reply,
            .fault = q->fault,
            .notice = q->notice,
            .sent =
                q->notice == NOTICE_NONE && strstr(http_query(q->http), "sent=1") != NULL,
        };

        bare.id = q->ticket;
        for (size_t i = 0; v != NULL && i < v->n_messages && n < MESSAGES; i++) {
                if (message_parse(
                        v->messages[i], strlen(v->messages[i]), &all[n], &err) == -1)
                        continue;
                if (is_shown(v, all[n], q->web->desk->config->send_delay_ms))
                        shown[p.n_messages++] = all[n];
                n++;
        }
        page_status(&b, &p);
        while (n > 0)
                message_free(&all[--n]);
        web_answer_page(q, *q->fault != '\0' ? 422 : notice_status(q->notice), &b);
}

/* His ticket has become part of another: that one, when it is his too. false: v is the
 * one to be shown. */
static bool
status_follow(struct web_request *q, const struct ticket_view *v, store_ticket_fn fn)
{
        if (q->stays)
                return false;
        if (v->ticket.state == TICKET_MERGED && q->n_hops++ < HOPS) {
                if (q->own_ticket == NULL) {
                        q->own_ticket = q->ticket;
                        q->customer = arena_strdup(q->arena, v->ticket.customer_id);
                }
                q->ticket = arena_strdup(q->arena, v->ticket.merged_into);
        } else if (q->own_ticket != NULL &&
                   strcmp(v->ticket.customer_id, q->customer) != 0) {
                q->ticket = q->own_ticket;
                q->stays = true;
        } else {
                return false;
        }
        ticket_read(q, fn);
        return true;
}

static void
on_shown(void *arg, const struct err *err, struct ticket_view *v)
{
        struct web_request *q = reading_end(arg);

        if (q == NULL)
                return;
        if (err->kind != ERR_NONE && q->route->method == HTTP_POST)
                status_show(q, NULL);
        else if (err->kind != ERR_NONE)
                web_answer_error(q, PAGE_STORE_AWAY);
        else if (!v->exists)
                web_answer_error(q, PAGE_NOT_FOUND);
        else if (!status_follow(q, v, on_shown))
                status_show(q, v);
}

/* -1: answered. */
static int
link_take(struct web_request *q)
{
        char ticket[20];

        if (store_secret_newest(q->web->desk->store) == 0) {
                web_answer_error(q, PAGE_STORE_AWAY);
                return -1;
        }
        if (!status_token_parse(q->rest, web_key, q->web, ticket)) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return -1;
        }
        strncpy(q->status, q->rest, sizeof q->status - 1);
        q->ticket = arena_strdup(q->arena, ticket);
        return 0;
}

static int64_t
get_head(struct web_request *q)
{
        return link_take(q);
}

static void
get_end(struct web_request *q)
{
        ticket_read(q, on_shown);
}

/* ---- writing more ---- */

static int64_t
post_head(struct web_request *q)
{
        struct form_limits limits = {20, 4096, 128 << 10, 256 << 10, 0};
        const char *type = http_header(q->http, "Content-Type");
        struct buf head AUTO_BUF = BUF_INIT;
        struct err err;

        if (link_take(q) == -1)
                return -1;
        if (!web_origin_is_own(q)) {
                web_answer_error(q, PAGE_FORBIDDEN);
                return -1;
        }
        q->parser = form_parser_new(type, &limits, q->arena, &err);
        if (q->parser == NULL) {
                web_answer_error(q, PAGE_TYPE);
                return -1;
        }
        buf_addf(&head, "Content-Type: %s\r\n\r\n", type);
        spool_add(&q->raw, head.data, head.len);
        return BODY_MAX;
}

static struct message *
reply_message(struct web_request *q)
{
        struct message *m = message_new();
        struct buf b AUTO_BUF = BUF_INIT;

        utf8_add_clean(&b, q->reply, strlen(q->reply));
        m->text = arena_strndup(m->arena, buf_str(&b), b.len);
        m->channel = "web";
        m->account = arena_strdup(m->arena, q->account);
        m->subject = arena_strdup(m->arena, q->subject);
        m->from.name = arena_strdup(m->arena, q->from_name);
        m->from.address = arena_strdup(m->arena, q->from_address);
        m->phone = arena_strdup(m->arena, q->phone);
        m->language = utf8_language(m->text, strlen(m->text));
        m->digest = arena_strdup(m->arena, q->digest);
        return m;
}

static void
reply_taken(struct web_request *q, const char *ticket)
{
        struct store *s = q->web->desk->store;
        const uint8_t *secret = store_secret(s, store_secret_newest(s));

        if (secret != NULL && *ticket != '\0')
                status_token_format(secret, ticket, q->status);
        web_answer_see(
            q, arena_printf(q->arena, "%s?sent=1&lang=%s", status_path(q), q->language));
}

static void
reply_not_taken(struct web_request *q, bool full)
{
        q->notice = full ? NOTICE_FULL : NOTICE_BUSY;
        status_show(q, NULL);
}

/* The number he is known by, when he has one: of his newest message. */
static void
take_phone(struct web_request *q, const struct ticket_view *v)
{
        for (size_t i = v->n_messages; i > 0 && *q->phone == '\0'; i--) {
                struct message *m;
                struct err err;
                const char *json = v->messages[i - 1];

                if (message_parse(json, strlen(json), &m, &err) == -1)
                        continue;
                if (m->direction == MESSAGE_IN)
                        q->phone = arena_strdup(q->arena, m->phone);
                message_free(&m);
        }
}

static void reply_begin(struct web_request *q);

static void
on_read(void *arg, const struct err *err, struct ticket_view *v)
{
        struct web_request *q = reading_end(arg);

        if (q == NULL)
                return;
        if (err->kind != ERR_NONE) {
                web_again(q, reply_begin);
                return;
        }
        if (!v->exists) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return;
        }
        q->account = arena_strdup(q->arena, v->ticket.account);
        q->subject = arena_strdup(q->arena, v->ticket.subject);
        q->from_name = arena_strdup(q->arena, v->ticket.to_name);
        q->from_address = arena_strdup(q->arena, v->ticket.to_addr);
        take_phone(q, v);
        web_deliver(q);
}

static void
reply_begin(struct web_request *q)
{
        int64_t left_ms = (q->until_us - clock_mono_us()) / 1000;

        q->next = NULL; /* the end of patience */
        timer_set(q->timer, left_ms > 0 ? left_ms : 1);
        ticket_read(q, on_read);
}

static bool
is_blank(const char *s)
{
        return s[strspn(s, " \t\r\n")] == '\0';
}

/* What is wrong with it, if anything: q->fault, q->notice. */
static bool
reply_check(struct web_request *q)
{
        const char *token = web_form_value(&q->sent, PAGE_TOKEN, 0);
        bool ru = strcmp(q->language, "ru") == 0;
        char id[17];

        if (token != NULL &&
            form_token_parse(token, q->status, q->sent.now_us, web_key, q->web, id))
                q->token_id = arena_strdup(q->arena, id);
        if (is_blank(q->reply))
                q->fault =
                    ru ? "Напишите здесь что-нибудь." : "Please write something here.";
        else if (strlen(q->reply) > TEXT_MAX)
                q->fault = ru ? "Слишком длинно: не больше 64 КБ."
                              : "This is too long: at most 64 KB.";
        else if (*q->token_id == '\0')
                q->notice = NOTICE_AGAIN;
        else if (!rate_take(q->web->rate, q->sent.client, "/s/", REPLIES_AN_HOUR,
                     q->sent.now_us))
                q->notice = NOTICE_RATE;
        else if (q->raw.failed)
                q->notice = NOTICE_FULL;
        return *q->fault == '\0' && q->notice == NOTICE_NONE;
}

static void
post_end(struct web_request *q)
{
        char print[65], hex[65];
        const char *text;
        struct err err;

        if (form_parser_end(q->parser, &err) == -1) {
                web_answer_error(q, PAGE_BROKEN);
                return;
        }
        q->sent.parts = form_parser_parts(q->parser, &q->sent.n_parts);
        q->sent.client = arena_strdup(q->arena, http_client(q->http));
        q->sent.now_us = clock_now_us();
        if (web_form_value(&q->sent, PAGE_TRAP, 0) != NULL) {
                log_info("ROBOT", "ticket=%s client=%s", q->ticket, q->sent.client);
                web_answer_see(q, status_path(q));
                return;
        }
        text = web_form_value(&q->sent, "text", 0);
        q->reply = text == NULL ? "" : text;
        if (!reply_check(q)) {
                ticket_read(q, on_shown);
                return;
        }
        web_form_fingerprint(&q->sent, print);
        text = arena_printf(q->arena, "reply %s %s", q->token_id, print);
        sha256_hex(text, strlen(text), hex);
        q->digest = arena_printf(q->arena, "web-%s", hex);
        q->message = reply_message;
        q->taken = reply_taken;
        q->not_taken = reply_not_taken;
        web_patience(q);
        reply_begin(q);
}

const struct web_route web_status_routes[] = {
    {HTTP_GET, "/s/", get_head, get_end},
    {HTTP_POST, "/s/", post_head, post_end},
};
const size_t n_web_status_routes = sizeof web_status_routes / sizeof *web_status_routes;
