/*
 * Outbox; see outbox.h. The pure part is outbox_mail.c.
 *
 *     tick has claimed an entry -> read it -> read its ticket -> render -> relay by
 *     relay to a mailer helper -> note the fates -> commit
 *
 * Killed before the commit: the claim is still the store's, and the entry is sent
 * again with the same bytes. Nobody is told "sent" before a server has said so.
 *
 * Each step that the store refuses for now is tried again a second later, as long
 * as the claim lasts; then the entry is dropped here, for it is sent again.
 */
#include "daemon/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "channels/mailer.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/log.h"
#include "daemon/outbox_mail.h"
#include "queue/ticket.h"

#define AT_ONCE 8
#define STEP_MS 45000 /* each step of a dialogue with a relay */
#define PATIENCE_MS 1000
#define PATIENCE_TURNS                                                                   \
        540 /* nearly as long as the janitor's claim: then it is sent again */
#define HELPER_BACKOFF_MS 60000 /* no helper to be had: not the mail's fault */

struct sending { /* one entry under way */
        struct outbox *outbox;
        struct arena *arena; /* of all below */
        struct outbox_entry entry; /* a copy */
        struct delivery *deliveries; /* one a recipient of the entry */
        struct buf mail; /* rendered */
        struct mailer_job job; /* of the present relay */
        size_t relay; /* which of the account's */
        struct buf delivery; /* what the commit writes: of the entry */
        struct buf told; /* and of the ticket */
        enum outbox_verdict verdict;
        int64_t due_ms; /* AGAIN: when */
        const char *last; /* the last words of it all */
        bool back; /* not tried: only put back into the queue */
        struct timer *patience; /* of a step the store refused for now */
        void (*step)(struct sending *s);
        unsigned n_waits;
        LIST_ENTRY(sending) link;
};

LIST_HEAD(sending_list, sending);

struct outbox {
        struct desk *desk;
        struct sending_list sendings;
        unsigned n;
};

static void sending_read(struct sending *s);
static void sending_mail(struct sending *s);
static void sending_commit(struct sending *s);

/* ---- life ---- */

static void
sending_free(struct sending *s)
{
        LIST_REMOVE(s, link);
        s->outbox->n--;
        timer_free(&s->patience);
        buf_fini(&s->mail);
        buf_fini(&s->delivery);
        buf_fini(&s->told);
        arena_free(&s->arena);
        free(s);
}

static void
sending_on_patience(void *arg)
{
        struct sending *s = arg;

        s->step(s);
}

/* The store could not: the same step a little later, or leave it to the claim. */
static void
sending_wait(struct sending *s, void (*step)(struct sending *), const struct err *err)
{
        if (s->outbox->desk->stopping || ++s->n_waits > PATIENCE_TURNS) {
                log_warn("OUTBOX", "entry=%s left to its claim: %s", s->entry.id,
                    log_quote(err->text));
                sending_free(s);
                return;
        }
        s->step = step;
        if (s->patience == NULL)
                s->patience = timer_new(s->outbox->desk->loop, sending_on_patience, s);
        timer_set(s->patience, PATIENCE_MS);
}

static bool
failed(const struct err *err)
{
        return err != NULL && err->kind != ERR_NONE;
}

static bool
may_pass(const struct err *err)
{
        return err->kind == ERR_RETRY || err->kind == ERR_UNSURE ||
               err->kind == ERR_STALE;
}

/* ---- 4: what became of it is written ---- */

static void
sending_tell_dead(const struct sending *s)
{
        const struct outbox_entry *e = &s->entry;
        struct desk *d = s->outbox->desk;

        log_error("UNDELIVERED",
            "ticket=%s message=%s entry=%s tries=%u why=%s (helpline outbox show, retry, "
            "drop)",
            e->ticket, e->message, e->id, e->tries, log_quote(s->last));
        alert_tell(&d->alerts, d->config, ALERT_MAIL, s->last);
}

static void
sending_tell(const struct sending *s)
{
        const struct outbox_entry *e = &s->entry;
        const char *last = log_quote(s->last);

        if (s->back)
                log_info(
                    "OUTBOX", "ticket=%s entry=%s CLAIMED -> QUEUED", e->ticket, e->id);
        else if (s->verdict == OUTBOX_SENT)
                log_info("SENT", "ticket=%s message=%s entry=%s kind=%s recipients=%zu",
                    e->ticket, e->message, e->id, e->kind, e->n_to);
        else if (s->verdict == OUTBOX_AGAIN)
                log_warn("DEFERRED", "ticket=%s entry=%s tries=%u next_s=%lld why=%s",
                    e->ticket, e->id, e->tries,
                    (long long)((s->due_ms - clock_now_ms()) / 1000), last);
        else if (outbox_is_automatic(e))
                log_warn(strcmp(e->kind, "ack") == 0 ? "UNACKNOWLEDGED" : "UNSENT",
                    "ticket=%s entry=%s kind=%s tries=%u why=%s", e->ticket, e->id,
                    e->kind, e->tries, last);
        else
                sending_tell_dead(s);
}

static void
on_committed(void *arg, const struct err *err, const char *stored, size_t stored_len,
    const char *stored_hash)
{
        struct sending *s = arg;

        (void)stored;
        (void)stored_len;
        (void)stored_hash;
        if (failed(err) && may_pass(err)) {
                if (err->kind == ERR_STALE)
                        sending_commit(s); /* the ticket has moved on: its version only */
                else
                        sending_wait(s, sending_commit, err);
                return;
        }
        crash_point("outbox.committed");
        if (failed(err))
                log_error("OUTBOX", "ticket=%s entry=%s cannot be written: %s",
                    s->entry.ticket, s->entry.id, log_quote(err->text));
        else
                sending_tell(s);
        sending_free(s);
}

/* The steps for the entry itself, behind those for the ticket. */
static void
change_entry(const struct sending *s, struct change *c)
{
        const char *again[] = {"state", s->back ? "queued" : "deferred", "delivery",
            buf_str(&s->delivery), "last", s->last};
        const char *dead[] = {"delivery", buf_str(&s->delivery), "last", s->last};

        if (s->back || s->verdict == OUTBOX_AGAIN) {
                change_outbox_set(c, s->entry.id, again, 3, s->due_ms);
        } else if (s->verdict == OUTBOX_SENT || outbox_is_automatic(&s->entry)) {
                change_outbox_end(c, s->entry.id); /* nobody misses what nobody wrote */
        } else {
                change_outbox_set(c, s->entry.id, dead, 2, -1);
                change_outbox_dead(c, s->entry.id, clock_now_ms());
        }
}

static void
commit_for(struct sending *s, const struct ticket *t)
{
        struct arena *a AUTO_ARENA = arena_new();
        bool is_over =
            !s->back && s->verdict != OUTBOX_AGAIN && !outbox_is_rendered(&s->entry);
        struct ticket_event e = {.type = EVENT_DELIVERY,
            .now_ms = clock_now_ms(),
            .who = "helpline",
            .target = s->back ? "" : s->entry.message,
            .status = !is_over                    ? ""
                      : s->verdict == OUTBOX_SENT ? "sent"
                                                  : "refused",
            .entry = s->entry.id,
            .delivery = buf_str(&s->told)};
        struct commit commit = {.idem = "", .idem_hash = "", .answer = ""};
        struct change change;
        struct err err = {0};

        if (ticket_apply(t, &e, a, &change, &err) == -1) {
                log_error("OUTBOX", "ticket=%s entry=%s cannot be written: %s", t->id,
                    s->entry.id, log_quote(err.text));
                sending_free(s);
                return;
        }
        if (is_over && s->verdict == OUTBOX_DEAD)
                change_log(&change, e.now_ms, "helpline", "refused", "", "", s->last);
        change_entry(s, &change);
        commit.change = &change;
        store_commit(s->outbox->desk->store, &commit, on_committed, s);
}

static void
on_version(void *arg, const struct err *err, struct ticket_view *view)
{
        struct sending *s = arg;

        if (failed(err) && may_pass(err)) {
                sending_wait(s, sending_commit, err);
        } else if (failed(err) || !view->exists) {
                log_error("OUTBOX", "ticket=%s entry=%s: the ticket cannot be read",
                    s->entry.ticket, s->entry.id);
                sending_free(s);
        } else {
                commit_for(s, &view->ticket);
        }
}

static void
sending_commit(struct sending *s)
{
        struct read_ticket r = {.id = s->entry.ticket, .idem = ""};

        store_read(s->outbox->desk->store, &r, on_version, s);
}

/* All is known: what the entry and the ticket will say of it. */
static void
sending_judge(struct sending *s)
{
        const struct outbox_entry *e = &s->entry;
        int64_t backoff_ms = outbox_backoff_ms(e->tries, clock_now_ms() - e->created_ms);

        s->verdict = outbox_judge(s->deliveries, e->n_to, backoff_ms);
        s->due_ms = clock_now_ms() + backoff_ms;
        outbox_deliveries_format(s->deliveries, e->n_to, false, &s->delivery);
        outbox_deliveries_format(
            s->deliveries, e->n_to, s->verdict == OUTBOX_DEAD, &s->told);
        s->last = "";
        for (size_t i = 0; i < e->n_to; i++)
                if (*s->last == '\0' || !outbox_is_served(&s->deliveries[i]))
                        s->last = s->deliveries[i].reply;
        sending_commit(s);
}

/* Not tried at all: as if it had not been claimed, after a while. */
static void
sending_put_back(struct sending *s, int64_t after_ms, const char *why)
{
        s->back = true;
        s->due_ms = clock_now_ms() + after_ms;
        s->last = why;
        buf_adds(&s->delivery, s->entry.delivery);
        sending_commit(s);
}

/* Whom this try is for: not those who have it, nor (unless an administrator said
 * RETRY, which counts the tries anew) those it was refused for. */
static void
job_recipients(struct sending *s)
{
        const struct outbox_entry *e = &s->entry;

        s->job.to = arena_alloc(s->arena, (e->n_to + 1) * sizeof *s->job.to);
        s->job.n_to = 0;
        for (size_t i = 0; i < e->n_to; i++) {
                bool refused = strcmp(s->deliveries[i].state, "refused") == 0;

                if (!outbox_is_served(&s->deliveries[i]) && !(refused && e->tries > 1))
                        s->job.to[s->job.n_to++] = e->to[i];
        }
}

/* Nobody was given anything, for a reason of our own. */
static void
sending_fail(struct sending *s, enum mail_fate fate, const char *why)
{
        struct mailer_answer r = {.n_recipients = s->job.n_to, .why = why};

        r.recipients = arena_alloc(s->arena, (r.n_recipients + 1) * sizeof *r.recipients);
        for (size_t i = 0; i < r.n_recipients; i++)
                r.recipients[i] = (struct mailer_recipient){s->job.to[i], fate, 0, why};
        outbox_note(s->deliveries, s->entry.n_to, &r, clock_now_us(), s->arena);
        sending_judge(s);
}

/* ---- 3: relay by relay ---- */

/* Is there a further relay, and has this one been given nothing? */
static bool
sending_next_relay(struct sending *s, const struct mailer_answer *r)
{
        const struct mail_account *m =
            config_mail(s->outbox->desk->config, s->entry.account);

        if (r->connected || m == NULL || s->relay + 1 >= m->n_relays)
                return false;
        for (size_t i = 0; i < r->n_recipients; i++)
                if (r->recipients[i].fate != MAIL_DEFERRED)
                        return false;
        log_warn("RELAY", "entry=%s the next relay is tried: %s", s->entry.id,
            log_quote(r->why));
        s->relay++;
        return true;
}

static void
on_mailed(void *arg, enum job_result result, int type, const char *body, size_t len)
{
        struct sending *s = arg;
        struct mailer_answer r;
        struct err err = {0};

        crash_point("outbox.sent");
        if (result == JOB_STOPPED) {
                sending_free(s); /* the daemon ends; the claim is the next one's */
                return;
        }
        if (result == JOB_NOSTART) {
                sending_put_back(
                    s, HELPER_BACKOFF_MS, "helpline-mailer cannot be started");
                return;
        }
        if (result != JOB_DONE || type != 'R') {
                sending_fail(s, MAIL_DEFERRED,
                    arena_printf(s->arena,
                        "helpline-mailer failed (%s): it may have left",
                        job_result_name(result)));
                return;
        }
        if (mailer_answer_parse(body, len, &s->job, s->arena, &r, &err) == -1) {
                sending_fail(s, MAIL_DEFERRED, arena_strdup(s->arena, err.text));
                return;
        }
        if (sending_next_relay(s, &r)) {
                sending_mail(s);
                return;
        }
        outbox_note(s->deliveries, s->entry.n_to, &r, clock_now_us(), s->arena);
        sending_judge(s);
}

static void
sending_mail(struct sending *s)
{
        struct desk *d = s->outbox->desk;
        const struct mail_account *m = config_mail(d->config, s->entry.account);
        struct buf frame AUTO_BUF = BUF_INIT;
        const struct relay *relay;
        struct err err = {0};

        if (m == NULL || s->relay >= m->n_relays) {
                sending_fail(s, MAIL_DEFERRED, "the account has no relay any more");
                return;
        }
        if (s->job.n_to == 0) {
                sending_judge(s);
                return;
        }
        relay = &m->relays[s->relay];
        s->job.host = relay->host;
        s->job.port = relay->port;
        s->job.user = relay->user;
        s->job.password = relay->password;
        s->job.starttls = relay->starttls;
        s->job.envelope_from = outbox_is_automatic(&s->entry) ? "" : m->address;
        s->job.bytes = buf_str(&s->mail);
        s->job.len = s->mail.len;
        s->job.timeout_ms = STEP_MS;
        mailer_job_format(&s->job, &frame);
        crash_point("outbox.sending");
        if (worker_submit(
                d->mailer, 'S', frame.data, frame.len, -1, on_mailed, s, &err) == -1)
                sending_put_back(
                    s, HELPER_BACKOFF_MS, "too many mails wait for a helper");
        explicit_bzero(frame.data, frame.len); /* it holds a password */
}

/* ---- 2: the ticket, and the mail ---- */

static void
sending_render(struct sending *s, const struct ticket_view *v)
{
        struct desk *d = s->outbox->desk;
        struct outbox_key key = {store_secret_newest(d->store), NULL};
        struct message *m = NULL;
        struct err err = {0};
        int rc;

        if (outbox_is_late(&s->entry, clock_now_ms())) {
                sending_fail(s, MAIL_REFUSED, "its mail is older than a day");
                return;
        }
        key.secret = store_secret(d->store, key.id);
        if (!outbox_is_rendered(&s->entry)) {
                m = outbox_message(v, &s->entry);
                if (m == NULL) {
                        sending_fail(
                            s, MAIL_REFUSED, "the message it carries is not there");
                        return;
                }
        }
        if (key.secret == NULL)
                rc = err_set(&err, ERR_RETRY, "the desk's secrets are not known yet");
        else
                rc = outbox_render(
                    d->config, &s->entry, &v->ticket, m, &key, s->arena, &s->mail, &err);
        message_free(&m);
        if (rc == -1)
                sending_fail(s, err.kind == ERR_REJECT ? MAIL_REFUSED : MAIL_DEFERRED,
                    arena_strdup(s->arena, err.text));
        else if (d->stopping)
                sending_free(s); /* its claim is the next daemon's */
        else if (!store_is_live(d->store))
                sending_put_back(s, 0, "");
        else
                sending_mail(s);
}

static void sending_ticket(struct sending *s);

static void
on_ticket(void *arg, const struct err *err, struct ticket_view *view)
{
        struct sending *s = arg;

        if (failed(err) && may_pass(err)) {
                sending_wait(s, sending_ticket, err);
        } else if (failed(err) || !view->exists) {
                log_error("OUTBOX", "ticket=%s entry=%s: the ticket cannot be read",
                    s->entry.ticket, s->entry.id);
                sending_free(s);
        } else {
                sending_render(s, view);
        }
}

static void
sending_ticket(struct sending *s)
{
        const char *dot = strrchr(s->entry.message, '.');
        struct read_ticket r = {.id = s->entry.ticket, .n_messages = 1, .idem = ""};

        r.before = dot == NULL ? 0 : (unsigned)strtoul(dot + 1, NULL, 10) + 1;
        store_read(s->outbox->desk->store, &r, on_ticket, s);
}

/* ---- 1: the entry ---- */

static void
entry_copy(struct outbox_entry *to, const struct outbox_entry *e, struct arena *a)
{
        const char **list = arena_alloc(a, (e->n_to + 1) * sizeof *list);

        for (size_t i = 0; i < e->n_to; i++)
                list[i] = arena_strdup(a, e->to[i]);
        *to = *e;
        to->id = arena_strdup(a, e->id);
        to->ticket = arena_strdup(a, e->ticket);
        to->message = arena_strdup(a, e->message);
        to->kind = arena_strdup(a, e->kind);
        to->account = arena_strdup(a, e->account);
        to->template = arena_strdup(a, e->template);
        to->why = arena_strdup(a, e->why);
        to->language = arena_strdup(a, e->language);
        to->delivery = arena_strdup(a, e->delivery);
        to->state = arena_strdup(a, e->state);
        to->last = arena_strdup(a, e->last);
        to->to = list;
}

static void
on_entry(void *arg, const struct err *err, const struct outbox_entry *e, size_t n,
    const char *cursor)
{
        struct sending *s = arg;

        (void)cursor;
        if (failed(err) && may_pass(err)) {
                sending_wait(s, sending_read, err);
                return;
        }
        if (failed(err) || n == 0 || strcmp(e->state, "claimed") != 0) {
                log_debug("OUTBOX", "entry=%s is no longer ours", s->entry.id);
                sending_free(s);
                return;
        }
        entry_copy(&s->entry, e, s->arena);
        s->deliveries = outbox_deliveries(&s->entry, s->arena);
        job_recipients(s);
        sending_ticket(s);
}

static void
sending_read(struct sending *s)
{
        store_outbox_read(s->outbox->desk->store, s->entry.id, on_entry, s);
}

/* ---- the door ---- */

void
outbox_send(struct outbox *o, const char *entry)
{
        struct sending *s = xcalloc(1, sizeof *s);

        crash_point("outbox.claimed");
        s->outbox = o;
        s->arena = arena_new();
        s->entry.id = arena_strdup(s->arena, entry);
        LIST_INSERT_HEAD(&o->sendings, s, link);
        o->n++;
        sending_read(s);
}

unsigned
outbox_room(const struct outbox *o)
{
        return o->n < AT_ONCE && !o->desk->stopping ? AT_ONCE - o->n : 0;
}

size_t
outbox_pending(const struct outbox *o)
{
        return o->n;
}

struct outbox *
outbox_new(struct desk *d)
{
        struct outbox *o = xcalloc(1, sizeof *o);

        o->desk = d;
        LIST_INIT(&o->sendings);
        return o;
}

void
outbox_free(struct outbox **p)
{
        struct outbox *o = *p;
        struct sending *s, *next;

        *p = NULL;
        if (o == NULL)
                return;
        for (s = LIST_FIRST(&o->sendings); s != NULL; s = next) {
                next = LIST_NEXT(s, link);
                sending_free(s);
        }
        free(o);
}
