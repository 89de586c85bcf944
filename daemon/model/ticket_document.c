/*
 * The ticket document of the agent protocol; see ticket.h. Pure.
 *
 * Message documents are passed on as the store holds them; one is taken apart
 * only when its text must be cut. What does not fit is left out from the oldest
 * end, and "truncated" says so.
 */
#include "daemon/model/ticket.h"

#include <string.h>

#include "daemon/base/json.h"
#include "daemon/base/utf8.h"
#include "daemon/model/message.h"

#define TEXT_MAX 32768u
#define MESSAGE_MAX 98304u /* longer with its texts cut: its lists are cut as well */
#define SHORT_TEXT_MAX 8192u
#define SHORT_LIST_MAX 20u

static void
customer_format(struct json_out *o, const struct ticket *t, bool summary)
{
        const struct customer *c = &t->customer;

        jo_key(o, "customer");
        jo_open(o, '{');
        jo_kstring(o, "id", c->id != NULL && c->id[0] != '\0' ? c->id : t->customer_id);
        jo_kstring(o, "name", c->name != NULL ? c->name : "");
        jo_kstrings(o, "emails", c->emails, c->n_emails);
        jo_kstrings(o, "phones", c->phones, c->n_phones);
        if (!summary) {
                jo_key(o, "refused");
                jo_open(o, '[');
                for (size_t i = 0; i < c->n_refused; i++)
                        jo_raw(o, c->refused[i], strlen(c->refused[i]));
                jo_close(o, ']');
        }
        jo_kstring(o, "organisation", c->organisation != NULL ? c->organisation : "");
        jo_kbool(o, "vip", c->vip);
        jo_kstring_or_null(o, "manager", c->manager != NULL ? c->manager : "");
        jo_close(o, '}');
}

static void
what_format(struct json_out *o, const struct ticket *t, bool summary)
{
        jo_kstring(o, "id", t->id);
        jo_kint(o, "version", (int64_t)t->version);
        jo_kstring(o, "state", ticket_state_name(t->state));
        jo_kstring(o, "line", t->line);
        class_format_skills(o, "needs", t->class_doc.needs, t->class_doc.n_needs);
        class_format_skills(o, "musts", t->class_doc.musts, t->class_doc.n_musts);
        jo_kstring(o, "route", t->route);
        jo_kstring(o, "priority", priority_name(t->priority));
        jo_kstrings(o, "tags", t->tags, t->n_tags);
        jo_kstring(o, "subject", t->subject);
        jo_kstring(o, "language", t->language);
        jo_kstring(o, "channel", t->channel);
        jo_kstring(o, "account", t->account);
        customer_format(o, t, summary);
}

/* Questions to colleagues, and the answer that waits for the trainee's tutor. */
static void
asked_format(struct json_out *o, const struct ticket *t)
{
        const char *consults =
            t->consults != NULL && t->consults[0] != '\0' ? t->consults : "[]";

        jo_kstrings(o, "merged", t->merged, t->n_merged);
        jo_kraw(o, "consultations", consults, strlen(consults));
        jo_key(o, "approval");
        if (t->approve == NULL || t->approve[0] == '\0') {
                jo_null(o);
                return;
        }
        jo_open(o, '{');
        jo_kstring(o, "message", t->approve);
        jo_kstring(o, "by", t->holder);
        jo_kstring(o, "tutor", t->tutor);
        jo_close(o, '}');
}

static void
whose_format(struct json_out *o, const struct ticket *t)
{
        jo_kstring_or_null(o, "holder", t->holder);
        jo_kstring_or_null(o, "owner", t->owner);
        jo_kint(o, "lease", (int64_t)t->lease);
        jo_ktime(o, "lease_until", t->lease_until_ms * 1000);
        jo_kint(o, "given", t->given);
        jo_kint(o, "given_back", t->given_back);
        jo_kint(o, "expired", t->expired);
        jo_ktime(o, "created_at", t->created_ms * 1000);
        jo_ktime(o, "queued_at", t->queued_ms * 1000);
        jo_ktime(o, "until", t->until_ms * 1000);
        jo_ktime(o, "resolved_at", t->resolved_ms * 1000);
        jo_kstring_or_null(o, "code", t->code);
        jo_kstring_or_null(o, "merged_into", t->merged_into);
        jo_key(o, "promises");
        promises_format(&t->clocks, o);
        asked_format(o, t);
        jo_kint(o, "n_messages", t->n_shown > 0 ? t->n_shown : t->n_messages);
        jo_kstring_or_null(o, "last_in", t->last_in);
}

/* ---- messages ---- */

static const char *
text_cut(struct message *m, const char *text, size_t max)
{
        size_t n = strlen(text);

        if (n <= max)
                return text;
        m->truncated = true;
        return arena_strndup(m->arena, text, utf8_cut(text, n, max));
}

static void
list_cut(struct message *m, size_t *n, size_t max)
{
        if (*n <= max)
                return;
        m->truncated = true;
        *n = max;
}

/* Of what was understood: the text of a forwarded mail, the lists of a report. */
static void
understood_cut(struct message *m, size_t text_max, size_t list_max)
{
        list_cut(m, &m->n_notices, list_max);
        if (m->forwarded != NULL)
                m->forwarded->text = text_cut(m, m->forwarded->text, text_max);
        if (m->report == NULL)
                return;
        list_cut(m, &m->report->n_recipients, list_max);
        list_cut(m, &m->report->n_returned_ids, list_max);
}

/* The document with its texts and lists cut. */
static void
message_cut(const char *json, size_t text_max, size_t list_max, struct buf *out)
{
        struct message *m = NULL;
        struct buf short_one AUTO_BUF = BUF_INIT;

        if (message_parse(json, strlen(json), &m, NULL) == -1)
                return;
        m->text = text_cut(m, m->text, text_max);
        m->new_text = text_cut(m, m->new_text, text_max);
        understood_cut(m, text_max, list_max);
        list_cut(m, &m->n_to, list_max);
        list_cut(m, &m->n_cc, list_max);
        list_cut(m, &m->n_in_reply_to, list_max);
        list_cut(m, &m->n_references, list_max);
        list_cut(m, &m->n_attachments, list_max);
        m->n_headers = 0;
        m->digest = "";
        message_format(m, &short_one);
        buf_add(out, short_one.data, short_one.len);
        message_free(&m);
}

/* The value of a document's "id", which is among its first members. */
static bool
message_has_id(const char *json, const char *id)
{
        const char *p = strstr(json, "\"id\":\"");
        size_t n = strlen(id);

        return p != NULL && strncmp(p + 6, id, n) == 0 && p[6 + n] == '"';
}

static const char *
delivery_of(const struct ticket_document *d, const char *json)
{
        for (size_t i = 0; i < d->n_delivery; i++)
                if (message_has_id(json, d->delivery[2 * i]))
                        return d->delivery[2 * i + 1];
        return NULL;
}

/* One finished message: cut where it must be, its delivery put inside. Mail with
 * hundreds of names in its header must not be too long to be shown at all. */
static void
message_finish(const struct ticket_document *d, const char *json, struct buf *out)
{
        const char *delivery = delivery_of(d, json);

        if (strlen(json) > TEXT_MAX)
                message_cut(json, TEXT_MAX, SIZE_MAX, out);
        else
                buf_adds(out, json);
        if (out->len > MESSAGE_MAX) {
                buf_clear(out);
                message_cut(json, SHORT_TEXT_MAX, SHORT_LIST_MAX, out);
        }
        if (delivery == NULL || out->len < 2 || out->data[out->len - 1] != '}')
                return;
        out->data[--out->len] = '\0';
        buf_adds(out, ",\"delivery\":");
        buf_adds(out, delivery);
        buf_addc(out, '}');
}

/* Room left of a budget; a text that does not fit closes it for all older ones. */
static bool
budget_take(size_t *left, size_t n)
{
        if (n + 1 > *left) {
                *left = 0;
                return false;
        }
        *left -= n + 1;
        return true;
}

/* Writes those of n newest that fit, oldest first; false: some were left out. */
static bool
messages_format(struct json_out *o, const struct ticket_document *d, size_t *left)
{
        struct buf *done = xcalloc(d->n_messages + 1, sizeof *done);
        size_t first = d->n_messages;

        while (first > 0) {
                message_finish(d, d->messages[first - 1], &done[first - 1]);
                if (!budget_take(left, done[first - 1].len))
                        break;
                first--;
        }
        jo_key(o, "messages");
        jo_open(o, '[');
        for (size_t i = first; i < d->n_messages; i++)
                if (done[i].len > 0)
                        jo_raw(o, done[i].data, done[i].len);
        jo_close(o, ']');
        for (size_t i = 0; i < d->n_messages; i++)
                buf_fini(&done[i]);
        free_cleanup(&done);
        return first == 0;
}

static bool
log_format(struct json_out *o, const struct ticket_document *d, size_t *left)
{
        size_t first = d->n_log;

        while (first > 0 && budget_take(left, strlen(d->log[first - 1])))
                first--;
        jo_key(o, "log");
        jo_open(o, '[');
        for (size_t i = first; i < d->n_log; i++)
                jo_raw(o, d->log[i], strlen(d->log[i]));
        jo_close(o, ']');
        return first == 0;
}

void
ticket_document_format(const struct ticket_document *d, struct buf *out)
{
        size_t start = out->len, used, log_room, left;
        struct json_out o;
        bool whole;

        jo_init(&o, out);
        jo_open(&o, '{');
        what_format(&o, d->ticket, d->summary);
        whose_format(&o, d->ticket);
        if (!d->summary) {
                jo_key(&o, "draft");
                if (d->draft != NULL && d->draft[0] != '\0')
                        jo_raw(&o, d->draft, strlen(d->draft));
                else
                        jo_null(&o);
                jo_kraw(&o, "links", d->ticket->links, strlen(d->ticket->links));
                used = out->len - start + 64; /* 64: the members' names below */
                left = d->max_bytes > used ? d->max_bytes - used : 0;
                log_room = left / 4;
                left -= log_room;
                whole = log_format(&o, d, &log_room);
                left += log_room;
                whole = messages_format(&o, d, &left) && whole;
                jo_kbool(&o, "truncated", !whole);
        }
        jo_close(&o, '}');
}
