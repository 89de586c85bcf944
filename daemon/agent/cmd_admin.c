/*
 * For administrators: tokens, reload, drain, live and rehearsal, outbox,
 * quarantine, shutdown. Each is one call of the store or of the desk; repeating
 * them does no harm, so they take no ID.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/intake.h"
#include "daemon/outbox_mail.h"

#define TRIES 5

static void
done_ok(void *arg, const struct err *err)
{
        struct call *c = arg;

        if (err->kind != ERR_NONE)
                call_fail(c, err);
        else
                call_ok(c);
}

typedef void (*document_fn)(struct call *c, const void *list, size_t i, struct buf *out);

/* Answers [cursor, [document ...]] of what a page of the store's list has. */
static void
page_answer(struct call *c, const struct err *err, const char *cursor, const void *list,
    size_t n, document_fn document)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        resp_array(&b, 2);
        resp_bulks(&b, cursor);
        resp_array(&b, n);
        for (size_t i = 0; i < n; i++) {
                struct buf doc AUTO_BUF = BUF_INIT;

                document(c, list, i, &doc);
                resp_bulk(&b, doc.data, doc.len);
        }
        call_answer(c, &b);
}

static const char *
page_after(const struct call *c)
{
        return call_has(c, "AFTER") ? call_arg(c, "AFTER") : "0";
}

/* ---- TOKEN ---- */

static void
token_made(void *arg, const struct err *err)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        log_info("TOKEN", "agent=%s by=%s made=1", log_quote(call_arg(c, "agent")),
            log_quote(c->me.who));
        resp_bulks(&b, c->state);
        call_answer(c, &b);
}

void
cmd_token_new(struct call *c)
{
        const char *agent = call_arg(c, "agent");

        if (config_agent(c->agents->desk->config, agent) == NULL) {
                call_error(
                    c, "NOSUCH", "there is no agent '%s' in the configuration", agent);
                return;
        }
        c->state = arena_alloc(c->arena, 80);
        agents_token_new(
            c->agents->desk, agent, call_arg(c, "NAME"), c->state, token_made, c);
}

static void
tokens_listed(void *arg, const struct err *err, const struct token *t, size_t n)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        resp_array(&b, n);
        for (size_t i = 0; i < n; i++) {
                struct buf doc AUTO_BUF = BUF_INIT;
                struct json_out o;

                jo_init(&o, &doc);
                jo_open(&o, '{');
                jo_kstring(&o, "id", t[i].id);
                jo_kstring(&o, "agent", t[i].agent);
                jo_kstring_or_null(&o, "name", t[i].name);
                jo_ktime(&o, "created_at", t[i].created_ms * 1000);
                jo_ktime(&o, "used_at", t[i].used_ms * 1000);
                jo_close(&o, '}');
                resp_bulk(&b, doc.data, doc.len);
        }
        call_answer(c, &b);
}

void
cmd_token_list(struct call *c)
{
        store_token_list(c->agents->desk->store, call_arg(c, "agent"), tokens_listed, c);
}

static void
token_dropped(void *arg, const struct err *err)
{
        struct call *c = arg;
        struct agents *a = c->agents;
        const char *id = call_arg(c, "token-id");
        char copy[24];

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        log_info("TOKEN", "id=%s by=%s dropped=1", log_quote(id), log_quote(c->me.who));
        snprintf(copy, sizeof copy, "%s", id);
        call_ok(c);
        auth_token_dropped(a, copy);
}

void
cmd_token_drop(struct call *c)
{
        store_token_drop(
            c->agents->desk->store, call_arg(c, "token-id"), token_dropped, c);
}

/* ---- the daemon ---- */

static void
reload_now(void *arg)
{
        struct call *c = arg;
        struct desk *d = c->agents->desk;
        struct err err = {.kind = ERR_NONE};
        struct buf b AUTO_BUF = BUF_INIT, text AUTO_BUF = BUF_INIT;

        if (desk_reload(d, NULL, &err) == -1) {
                call_fail(c, &err);
                return;
        }
        buf_adds(&text, "OK");
        if (d->needs_restart[0] != '\0')
                buf_addf(&text, ", but restart for %s", d->needs_restart);
        resp_simple(&b, buf_str(&text));
        call_answer(c, &b);
}

void
cmd_reload(struct call *c)
{
        janitor_count(c->agents->desk->janitor, reload_now, c);
}

void
cmd_drain(struct call *c)
{
        desk_drain(c->agents->desk, c->me.who);
        call_ok(c);
}

void
cmd_shutdown(struct call *c)
{
        struct desk *d = c->agents->desk;
        char who[sizeof c->me.who];

        memcpy(who, c->me.who, sizeof who);
        call_ok(c);
        desk_shutdown(d, who);
}

void
cmd_live(struct call *c)
{
        if (c->agents->desk->demo)
                call_error(c, "STATE",
                    "a demo never sends mail: write a configuration of your own, and "
                    "helplined -c it");
        else
                store_set_live(c->agents->desk->store, true, c->me.who, done_ok, c);
}

void
cmd_rehearse(struct call *c)
{
        store_set_live(c->agents->desk->store, false, c->me.who, done_ok, c);
}

/* ---- OUTBOX ---- */

/* whole: the document of SHOW, left open for the words of the mail. */
static void
outbox_document(struct call *c, const struct outbox_entry *e, bool whole, struct buf *out)
{
        struct json_out o;
        bool held =
            strcmp(e->state, "queued") == 0 && !store_is_live(c->agents->desk->store);

        jo_init(&o, out);
        jo_open(&o, '{');
        jo_kstring(&o, "id", e->id);
        jo_kstring(&o, "ticket", e->ticket);
        jo_kstring_or_null(&o, "message", e->message);
        jo_kstring(&o, "kind", e->kind);
        jo_kstring(&o, "account", e->account);
        jo_kstrings(&o, "to", e->to, e->n_to);
        jo_kstring(&o, "state", held ? "held" : e->state);
        jo_kint(&o, "tries", e->tries);
        jo_ktime(&o, "created_at", e->created_ms * 1000);
        jo_ktime(&o, "next_at", e->next_ms * 1000);
        jo_kstring_or_null(&o, "last", e->last);
        if (whole) {
                jo_kstring_or_null(&o, "template", e->template);
                jo_kstring_or_null(&o, "language", e->language);
                jo_kraw(&o, "delivery", e->delivery[0] != '\0' ? e->delivery : "[]",
                    e->delivery[0] != '\0' ? strlen(e->delivery) : 2);
                return;
        }
        jo_close(&o, '}');
}

static void
outbox_listed_document(struct call *c, const void *list, size_t i, struct buf *out)
{
        outbox_document(c, (const struct outbox_entry *)list + i, false, out);
}

static void
outbox_listed(void *arg, const struct err *err, const struct outbox_entry *e, size_t n,
    const char *cursor)
{
        page_answer(arg, err, cursor, e, n, outbox_listed_document);
}

void
cmd_outbox_list(struct call *c)
{
        store_outbox_list(
            c->agents->desk->store, page_after(c), page_size(c), outbox_listed, c);
}

/* An entry was read for SHOW or DROP; false: an error was answered. */
static bool
outbox_is_there(struct call *c, const struct err *err, size_t n)
{
        if (err->kind != ERR_NONE && err->kind != ERR_NOTFOUND)
                call_fail(c, err);
        else if (err->kind == ERR_NOTFOUND || n == 0)
                call_error(c, "NOSUCH", "there is no entry %s in the outbox",
                    call_arg(c, "entry"));
        else
                return true;
        return false;
}

struct showing { /* call->state */
        struct buf doc; /* the document, still open */
        struct outbox_entry entry; /* what its words are made of */
};

/* The last part of the document: what the mail says. */
static void
outbox_on_ticket(void *arg, const struct err *err, struct ticket_view *v)
{
        struct call *c = arg;
        struct showing *s = c->state;
        struct buf b AUTO_BUF = BUF_INIT, doc AUTO_BUF = s->doc;
        const struct store *store = c->agents->desk->store;
        struct message *m = NULL;
        struct template_mail words = {.subject = "", .text = ""};
        struct err why = {.kind = ERR_NONE};
        struct json_out o;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (v->exists && !outbox_is_rendered(&s->entry))
                m = outbox_message(v, &s->entry);
        if (v->exists && (m != NULL || outbox_is_rendered(&s->entry)))
                outbox_words(c->agents->desk->config, &s->entry, &v->ticket, m,
                    store_secret(store, store_secret_newest(store)), c->arena, &words,
                    &why);
        jo_init(&o, &doc);
        o.comma = true;
        jo_kstring(&o, "subject", words.subject);
        jo_kstring(&o, "text", why.kind == ERR_NONE ? words.text : "");
        jo_close(&o, '}');
        message_free(&m);
        resp_bulk(&b, doc.data, doc.len);
        call_answer(c, &b);
}

static void
outbox_shown(void *arg, const struct err *err, const struct outbox_entry *e, size_t n,
    const char *cursor)
{
        struct call *c = arg;
        struct read_ticket r = {.n_messages = 1, .idem = ""};
        struct showing *s;
        const char *dot;

        (void)cursor;
        if (!outbox_is_there(c, err, n))
                return;
        s = arena_alloc(c->arena, sizeof *s);
        s->doc = (struct buf)BUF_INIT;
        s->entry.id = arena_strdup(c->arena, e->id);
        s->entry.kind = arena_strdup(c->arena, e->kind);
        s->entry.message = arena_strdup(c->arena, e->message);
        s->entry.template = arena_strdup(c->arena, e->template);
        s->entry.language = arena_strdup(c->arena, e->language);
        c->state = s;
        outbox_document(c, e, true, &s->doc);
        dot = strrchr(e->message, '.');
        r.id = arena_strdup(c->arena, e->ticket);
        r.before = dot == NULL ? 0 : (unsigned)strtoul(dot + 1, NULL, 10) + 1;
        store_read(c->agents->desk->store, &r, outbox_on_ticket, c);
}

void
cmd_outbox_show(struct call *c)
{
        store_outbox_read(c->agents->desk->store, call_arg(c, "entry"), outbox_shown, c);
}

void
cmd_outbox_retry(struct call *c)
{
        store_outbox_retry(
            c->agents->desk->store, call_arg(c, "entry"), c->me.who, done_ok, c);
}

struct dropping { /* call->state */
        const char *ticket, *message, *delivery;
};

/* Every recipient that has not got it yet is refused, in words. */
static const char *
dropped_delivery(struct call *c, const struct outbox_entry *e)
{
        const struct delivery *so_far = outbox_deliveries(e, c->arena);
        const char *words = arena_printf(c->arena, "dropped by %s", c->me.who);
        struct buf doc AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &doc);
        jo_open(&o, '[');
        for (size_t i = 0; i < e->n_to; i++) {
                const struct delivery *d = &so_far[i];
                bool over =
                    strcmp(d->state, "sent") == 0 || strcmp(d->state, "refused") == 0;

                jo_open(&o, '{');
                jo_kstring(&o, "address", e->to[i]);
                jo_kstring(&o, "state", over ? d->state : "refused");
                jo_ktime(&o, "at", over ? d->at_us : clock_now_us());
                jo_kstring(&o, "reply", over ? d->reply : words);
                jo_close(&o, '}');
        }
        jo_close(&o, ']');
        return arena_strdup(c->arena, buf_str(&doc));
}

static int
drop_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        const struct dropping *d = c->state;
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_DELIVERY, &e);
        e.target = d->message;
        e.delivery = d->delivery;
        e.status = "refused";
        e.entry = call_arg(c, "entry");
        if (ticket_apply(&v->ticket, &e, a, out, err) == -1)
                return -1;
        change_log(out, clock_now_ms(), c->me.who, "dropped", d->message, "", "");
        change_outbox_end(out, call_arg(c, "entry"));
        return 0;
}

static void
drop_answer(struct call *c, const struct change *ch, struct buf *out)
{
        (void)c;
        (void)ch;
        resp_simple(out, "OK");
}

static void
outbox_dropping(void *arg, const struct err *err, const struct outbox_entry *e, size_t n,
    const char *cursor)
{
        static const struct change_plan plan = {drop_apply, drop_answer, true};
        struct call *c = arg;
        struct dropping *d;

        (void)cursor;
        if (!outbox_is_there(c, err, n))
                return;
        if (strcmp(e->state, "claimed") == 0) {
                call_error(c, "STATE", "entry %s is being sent right now", e->id);
                return;
        }
        d = arena_alloc(c->arena, sizeof *d);
        d->ticket = arena_strdup(c->arena, e->ticket);
        d->message = arena_strdup(c->arena, e->message);
        d->delivery = dropped_delivery(c, e);
        c->state = d;
        call_change(c, d->ticket, &plan);
}

void
cmd_outbox_drop(struct call *c)
{
        store_outbox_read(
            c->agents->desk->store, call_arg(c, "entry"), outbox_dropping, c);
}

/* ---- QUARANTINE ---- */

static void
quarantine_document(const struct quarantined *q, struct buf *out)
{
        struct json_out o;

        jo_init(&o, out);
        jo_open(&o, '{');
        jo_kstring(&o, "id", q->id);
        jo_kstring(&o, "account", q->account);
        jo_kstring(&o, "why", q->why);
        jo_kstring_or_null(&o, "ticket", q->ticket);
        jo_kstring_or_null(&o, "message", q->message);
        jo_kint(&o, "bytes", (int64_t)q->raw.length);
        jo_kstring(&o, "sha256", q->raw.sha256);
        jo_ktime(&o, "at", q->at_ms * 1000);
        jo_close(&o, '}');
}

static void
quarantine_listed_document(struct call *c, const void *list, size_t i, struct buf *out)
{
        (void)c;
        quarantine_document((const struct quarantined *)list + i, out);
}

static void
quarantine_listed(void *arg, const struct err *err, const struct quarantined *q, size_t n,
    const char *cursor)
{
        page_answer(arg, err, cursor, q, n, quarantine_listed_document);
}

void
cmd_quarantine_list(struct call *c)
{
        store_quarantine_list(
            c->agents->desk->store, page_after(c), page_size(c), quarantine_listed, c);
}

static void
quarantine_shown(void *arg, const struct err *err, const struct quarantined *q, size_t n,
    const char *cursor)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT, doc AUTO_BUF = BUF_INIT;

        (void)cursor;
        if (err->kind != ERR_NONE && err->kind != ERR_NOTFOUND) {
                call_fail(c, err);
                return;
        }
        if (err->kind == ERR_NOTFOUND || n == 0) {
                call_error(c, "NOSUCH", "there is no entry %s in quarantine",
                    call_arg(c, "entry"));
                return;
        }
        quarantine_document(q, &doc);
        resp_bulk(&b, doc.data, doc.len);
        call_answer(c, &b);
}

void
cmd_quarantine_show(struct call *c)
{
        store_quarantine_read(
            c->agents->desk->store, call_arg(c, "entry"), quarantine_shown, c);
}

void
cmd_quarantine_retry(struct call *c)
{
        intake_retry(
            c->agents->desk->intake, call_arg(c, "entry"), c->me.who, done_ok, c);
}

void
cmd_quarantine_drop(struct call *c)
{
        store_quarantine_drop(
            c->agents->desk->store, call_arg(c, "entry"), c->me.who, done_ok, c);
}
