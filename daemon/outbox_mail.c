/*
 * Outbox, the pure part; see outbox_mail.h.
 *
 * The same entry gives the same bytes at every try: its Message-ID is made of the
 * ticket's and the entry's number, its date is the entry's. So a mail that was
 * sent twice because an answer was lost is one mail to its receiver.
 */
#include "daemon/outbox_mail.h"

#include <string.h>

#include "channels/email_compose.h"
#include "channels/email_id.h"
#include "config/template.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/outbox.h"
#include "daemon/web/server.h"

#define DAY_MS 86400000LL
#define GIVE_UP_MS (5 * DAY_MS)

int64_t
outbox_backoff_ms(unsigned tries, int64_t age_ms)
{
        static const int64_t minutes[] = {1, 2, 5, 15, 60};
        const size_t n = sizeof minutes / sizeof *minutes;

        if (age_ms >= GIVE_UP_MS)
                return 0;
        if (tries == 0)
                tries = 1;
        return (tries <= n ? minutes[tries - 1] : 240) * 60000;
}

static bool
outbox_is_notice(const struct outbox_entry *e)
{
        return strcmp(e->kind, "notice") == 0;
}

bool
outbox_is_rendered(const struct outbox_entry *e)
{
        return strcmp(e->kind, "ack") == 0 || strcmp(e->kind, "reminder") == 0 ||
               outbox_is_notice(e);
}

bool
outbox_is_automatic(const struct outbox_entry *e)
{
        return outbox_is_rendered(e) || strcmp(e->kind, "ask") == 0;
}

/* A question to somebody else than the customer: a thread of its own. */
static bool
outbox_is_consult(const struct outbox_entry *e)
{
        return strcmp(e->kind, "consult") == 0;
}

bool
outbox_is_late(const struct outbox_entry *e, int64_t now_ms)
{
        return outbox_is_automatic(e) && now_ms - e->created_ms > DAY_MS;
}

/* ---- the mail ---- */

/* Only what can be written into a header; the others are told by the mailer. */
static size_t
plain_addresses(
    struct arena *a, const struct mail_address *list, size_t n, struct mail_address **out)
{
        size_t n_out = 0;

        *out = arena_alloc(a, (n + 1) * sizeof **out);
        for (size_t i = 0; i < n; i++)
                if (mail_address_is_plain(list[i].address))
                        (*out)[n_out++] = list[i];
        return n_out;
}

/* To and Cc: as the message has them, else the envelope's recipients. */
static void
render_recipients(const struct outbox_entry *e, const struct message *m, struct arena *a,
    struct mail_out *o)
{
        struct mail_address *to, *cc = NULL;

        if (m != NULL && m->n_to + m->n_cc > 0) {
                o->n_to = plain_addresses(a, m->to, m->n_to, &to);
                o->n_cc = plain_addresses(a, m->cc, m->n_cc, &cc);
        } else {
                struct mail_address *all = arena_alloc(a, (e->n_to + 1) * sizeof *all);

                for (size_t i = 0; i < e->n_to; i++)
                        all[i] = (struct mail_address){"", e->to[i]};
                o->n_to = plain_addresses(a, all, e->n_to, &to);
        }
        o->to = to;
        o->cc = cc;
}

/* The thread, from the ticket: its "refs" are a JSON array of Message-IDs. */
static void
render_thread(const struct ticket *t, struct arena *a, struct mail_out *o)
{
        json_t *list = json_read(t->refs, strlen(t->refs), 1 << 20, NULL);
        size_t n = json_array_size(list);
        const char **refs = arena_alloc(a, (n + 1) * sizeof *refs);

        for (size_t i = 0; i < n; i++) {
                const char *s = json_string_value(json_array_get(list, i));

                if (s != NULL)
                        refs[o->n_references++] = arena_strdup(a, s);
        }
        json_decref(list);
        o->references = refs;
        o->in_reply_to = t->last_mid;
}

struct message *
outbox_message(const struct ticket_view *v, const struct outbox_entry *e)
{
        struct err err;

        for (size_t i = 0; i < v->n_messages; i++) {
                struct message *m = NULL;

                if (message_parse(v->messages[i], strlen(v->messages[i]), &m, &err) == -1)
                        continue;
                if (strcmp(m->id, e->message) == 0)
                        return m;
                message_free(&m);
        }
        return NULL;
}

int
outbox_words(const struct config *c, const struct outbox_entry *e, const struct ticket *t,
    const struct message *m, const uint8_t *secret, struct arena *a,
    struct template_mail *out, struct err *err)
{
        struct template_values v = {.ticket = t->id,
            .subject = t->subject,
            .name = t->to_name,
            .desk = c->name,
            .url = outbox_is_notice(e) ? "" : web_status_url(c, secret, t->id, a),
            .text = e->why};

        if (m != NULL) {
                out->subject =
                    subject_for_answer(a, t->id, t->subject, !outbox_is_consult(e));
                out->text = arena_strdup(a, m->text);
                out->language = e->language;
                return 0;
        }
        if (template_render(c, e->template, e->language, &v, a, out, err) == -1)
                return -1;
        out->subject = subject_for_answer(a, t->id, out->subject, false);
        return 0;
}

int
outbox_render(const struct config *c, const struct outbox_entry *e,
    const struct ticket *t, const struct message *m, const struct outbox_key *key,
    struct arena *a, struct buf *out, struct err *err)
{
        const struct mail_account *account = config_mail(c, e->account);
        struct mail_out o = {.date_us = e->created_ms * 1000, .in_reply_to = ""};
        struct template_mail words;
        const char *at;

        if (account == NULL || (at = strrchr(account->address, '@')) == NULL)
                return err_set(err, ERR_CONFIG,
                    "no mail account %s in the configuration: declare it again, or drop "
                    "outbox entry %s",
                    e->account, e->id);
        o.from = (struct mail_address){account->name, account->address};
        o.message_id = email_id_format(a, t->id, e->id, key->id, key->secret, at + 1);
        render_recipients(e, m, a, &o);
        if (!outbox_is_notice(e)) /* he was not in the customer's thread */
                if (!outbox_is_consult(e))
                        render_thread(t, a, &o);
        if (outbox_words(c, e, t, m, key->secret, a, &words, err) == -1)
                return -1;
        o.subject = words.subject;
        o.text = words.text;
        o.language = words.language;
        o.is_automatic = outbox_is_automatic(e);
        return mail_compose(&o, out, err);
}

/* ---- fates ---- */

struct delivery *
outbox_deliveries(const struct outbox_entry *e, struct arena *a)
{
        struct delivery *d = arena_alloc(a, (e->n_to + 1) * sizeof *d);
        json_t *list = json_read(e->delivery, strlen(e->delivery), 1 << 20, NULL);

        for (size_t i = 0; i < e->n_to; i++)
                d[i] = (struct delivery){e->to[i], "queued", 0, ""};
        for (size_t k = 0; k < json_array_size(list); k++) {
                const json_t *o = json_array_get(list, k);
                int64_t at_us = 0;

                for (size_t i = 0; i < e->n_to; i++) {
                        if (strcmp(json_str(o, "address", ""), e->to[i]) != 0)
                                continue;
                        clock_parse(json_str(o, "at", ""), &at_us);
                        d[i].state = arena_strdup(a, json_str(o, "state", "queued"));
                        d[i].reply = arena_strdup(a, json_str(o, "reply", ""));
                        d[i].at_us = at_us;
                }
        }
        json_decref(list);
        return d;
}

bool
outbox_is_served(const struct delivery *d)
{
        return strcmp(d->state, "sent") == 0;
}

static const char *
fate_state(enum mail_fate f)
{
        switch (f) {
        case MAIL_SENT:
                return "sent";
        case MAIL_DEFERRED:
                return "deferred";
        case MAIL_REFUSED:
                return "refused";
        }
        return "deferred";
}

void
outbox_note(struct delivery *d, size_t n, const struct mailer_answer *r, int64_t now_us,
    struct arena *a)
{
        for (size_t k = 0; k < r->n_recipients; k++) {
                const struct mailer_recipient *x = &r->recipients[k];

                for (size_t i = 0; i < n; i++) {
                        if (strcmp(d[i].address, x->address) != 0 ||
                            outbox_is_served(&d[i]))
                                continue;
                        d[i].state = fate_state(x->fate);
                        d[i].at_us = now_us;
                        /* the relay's words about him, else why nothing was handed over */
                        d[i].reply = arena_strdup(
                            a, x->code == 0 && *r->why != '\0' ? r->why : x->reply);
                }
        }
}

void
outbox_deliveries_format(
    const struct delivery *d, size_t n, bool give_up, struct buf *out)
{
        struct json_out o;

        jo_init(&o, out);
        jo_open(&o, '[');
        for (size_t i = 0; i < n; i++) {
                bool lost = give_up && strcmp(d[i].state, "deferred") == 0;

                jo_open(&o, '{');
                jo_kstring(&o, "address", d[i].address);
                jo_kstring(&o, "state", lost ? "refused" : d[i].state);
                jo_ktime(&o, "at", d[i].at_us);
                jo_kstring(&o, "reply", d[i].reply);
                jo_close(&o, '}');
        }
        jo_close(&o, ']');
}

enum outbox_verdict
outbox_judge(const struct delivery *d, size_t n, int64_t backoff_ms)
{
        bool refused = false;

        for (size_t i = 0; i < n; i++) {
                if (outbox_is_served(&d[i]))
                        continue;
                if (strcmp(d[i].state, "refused") != 0 && backoff_ms > 0)
                        return OUTBOX_AGAIN;
                refused = true;
        }
        return refused ? OUTBOX_DEAD : OUTBOX_SENT;
}
