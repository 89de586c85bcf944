/*
 * Intake: an arrival becomes a message on a ticket; see intake.h.
 *
 * Each arrival is one struct job that goes
 *
 *     STORING -> PARSING -> [HEADER ->] FACTS -> PUT -> settled
 *
 * one asynchronous step at a time; the answer of each begins the next. STALE
 * from put goes back to FACTS, a few times. Nothing is told to the channel before
 * put has returned, so a crash at any point only makes the source send again,
 * and "seen before" finds what was stored.
 *
 * A helper that died, hung or answered nonsense has condemned this mail, not the
 * channel: only its header is read then (again in a helper), the bytes go to the
 * quarantine, the ticket is made of what is known.
 *
 * What is decided is in intake_mail.c (machine mail), intake_call.c (telephone calls) and
 * config/rules.h; how it becomes a change, in intake_change.c.
 */
#include "daemon/intake_impl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channels/email_id.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/base/utf8.h"
#include "daemon/intake_call.h"

#define MAX_TRIES 4 /* of facts and put, before "later" */
#define MAX_RECENT 10 /* of the customer's tickets that are looked at for a call */
#define QUIET_MS 60000 /* at most one line about suppressed acknowledgements in it */

static void job_facts(struct job *j);

/* ---- the life of a job ---- */

struct job *
job_new(struct intake *i)
{
        struct job *j = xcalloc(1, sizeof *j);

        j->intake = i;
        j->arena = arena_new();
        j->keep = arena_new();
        j->quarantine = j->digest = j->retry_of = j->ack_to = j->ticket = j->stored_on =
            j->who = j->consult = j->undelivered = j->forwarded_by = "";
        j->next = i->jobs;
        if (i->jobs != NULL)
                i->jobs->prev = j;
        i->jobs = j;
        i->n_jobs++;
        return j;
}

static void
job_free(struct job *j)
{
        if (j->prev != NULL)
                j->prev->next = j->next;
        else
                j->intake->jobs = j->next;
        if (j->next != NULL)
                j->next->prev = j->prev;
        j->intake->n_jobs--;
        message_free(&j->message);
        arena_free(&j->arena);
        arena_free(&j->keep);
        free(j);
}

/* The only end of a job. */
void
job_settle(struct job *j, enum settlement s, const struct err *why)
{
        struct err none = {.kind = ERR_NONE};
        const char *text = why == NULL ? "" : why->text;

        if ((s == SETTLE_LATER || s == SETTLE_FULL) && j->submit_fn == NULL)
                log_warn("NOT-TAKEN", "account=%s outcome=%s why=%s",
                    log_quote(j->account), settlement_name(s), log_quote(text));
        crash_point("intake.settle");
        if (j->has_token)
                channel_settle(j->token, s, text, j->stored_on);
        if (j->submit_fn != NULL)
                j->submit_fn(j->submit_arg, why == NULL ? &none : why, j->stored_on);
        if (j->retry_fn != NULL)
                j->retry_fn(j->retry_arg, why == NULL ? &none : why);
        job_free(j);
}

/* Which settlement an error of the store or the disk deserves. */
static void
job_fail(struct job *j, const struct err *err)
{
        job_settle(j, strcmp(err->code, "452") == 0 ? SETTLE_FULL : SETTLE_LATER, err);
}

/* ---- 1: the bytes, durable ---- */

static void
on_stored(void *arg, const struct err *err, const struct blob_ref *ref)
{
        struct job *j = arg;

        if (err->kind != ERR_NONE) {
                job_fail(j, err);
                return;
        }
        crash_point("intake.stored");
        j->raw = *ref;
        if (j->message != NULL)
                job_message_ready(j);
        else
                job_parse(j);
}

static void
intake_deliver(void *arg, const struct arrival *a)
{
        struct intake *i = arg;
        struct job *j = job_new(i);

        j->channel = arena_strdup(j->keep, a->channel);
        j->account = arena_strdup(j->keep, a->account);
        j->envelope_from = arena_strdup(j->keep, a->envelope_from);
        j->has_envelope = a->has_envelope;
        j->received_at_us = a->received_at_us;
        j->token = a->token;
        j->has_token = true;
        j->message = a->message;
        j->ticket = arena_strdup(j->keep, a->ticket);
        if (j->message != NULL && a->len == 0) { /* no bytes beside it */
                loop_later(i->desk->loop, job_message_ready, j);
                return;
        }
        blob_put(i->desk->blobs, a->bytes, a->len, a->fd, on_stored, j);
}

/* ---- 2: the helper ---- */

static void
job_condemn(struct job *j, const char *why)
{
        if (*j->quarantine != '\0')
                return;
        j->quarantine = arena_strdup(j->keep, why);
        log_warn("QUARANTINED", "account=%s why=%s segment=%u offset=%llu",
            log_quote(j->account), log_quote(why), j->raw.segment,
            (unsigned long long)j->raw.offset);
}

/* Nothing could be read, not even the header: what the envelope says. */
static void
job_message_unknown(struct job *j)
{
        struct message *m = message_new();

        m->header_only = true;
        m->text = m->new_text = "";
        m->subject = arena_strdup(m->arena, "(unreadable message)");
        m->from.address = arena_strdup(m->arena, j->envelope_from);
        j->message = m;
}

/* Too short to tell: by its letters; without any, the desk's first one. */
static const char *
language_guess(const struct config *c, const struct message *m)
{
        const char *s = *m->text != '\0' ? m->text : m->subject;

        for (const char *p = s; *p != '\0'; p++)
                if ((unsigned char)*p >= 0x80 || (*p >= 'A' && *p <= 'Z') ||
                    (*p >= 'a' && *p <= 'z'))
                        return utf8_language(s, strlen(s));
        return c->n_languages > 0 ? c->languages[0] : "en";
}

/* What the daemon knows better than the helper. */
static void
job_complete_message(struct job *j)
{
        struct message *m = j->message;

        m->channel = arena_strdup(m->arena, j->channel);
        m->account = arena_strdup(m->arena, j->account);
        m->envelope_from = arena_strdup(m->arena, j->envelope_from);
        m->has_envelope = j->has_envelope;
        m->received_at_us = j->received_at_us;
        m->raw = j->raw;
        if (j->submit_fn == NULL) {
                m->direction = MESSAGE_IN;
                m->author = "";
        }
        if (*m->from.address == '\0')
                m->from.address = m->envelope_from;
        if (*m->language == '\0')
                m->language = language_guess(j->intake->desk->config, m);
        if (*m->digest == '\0')
                m->digest = arena_printf(m->arena, "raw-%s", m->raw.sha256);
        j->digest = arena_printf(j->keep, "%s:%s", j->account, m->digest);
        if (strcmp(j->channel, "email") == 0 && j->submit_fn == NULL)
                j->forwarded_by = arena_strdup(
                    j->keep, mail_take_forwarded(m, j->intake->desk->config));
}

/* A form or a call: its channel has parsed it, the rules come next. */
void
job_message_ready(void *arg)
{
        struct job *j = arg;

        job_complete_message(j);
        job_facts(j);
}

/* Why the helper gave only the header, in its own words. */
static const char *
helper_why(struct arena *a, const char *body, size_t len)
{
        json_t *j = json_read(body, len, len, NULL);
        const char *why =
            arena_strdup(a, json_str(j, "why", "the mail breaks a limit of the parser"));

        json_decref(j);
        return why;
}

static void
on_parsed(void *arg, enum job_result result, int type, const char *body, size_t len)
{
        struct job *j = arg;
        struct err err = {.kind = ERR_NONE};

        crash_point("intake.parsed");
        if (result == JOB_NOSTART || result == JOB_STOPPED) {
                err_set(&err, ERR_RETRY, "helpline-mime cannot be started (%s)",
                    job_result_name(result));
                job_settle(j, SETTLE_LATER, &err);
                return;
        }
        if (result == JOB_DONE && (type == 'M' || type == 'H') &&
            message_parse(body, len, &j->message, &err) == 0) {
                if (type == 'H') {
                        j->message->header_only = true;
                        job_condemn(j, helper_why(j->keep, body, len));
                }
        } else if (result == JOB_DONE && type == 'E') {
                job_condemn(j, arena_strndup(j->keep, body, utf8_cut(body, len, 200)));
        } else {
                job_condemn(j, result != JOB_DONE
                                   ? arena_printf(j->keep, "its parser %s",
                                         result == JOB_DIED      ? "died"
                                         : result == JOB_TIMEOUT ? "took too long"
                                                                 : "answered nonsense")
                                   : "its parser answered nonsense");
        }
        if (j->message == NULL && !j->header_job) {
                j->header_job = true;
                job_parse(j);
                return;
        }
        if (*j->retry_of != '\0' && *j->quarantine != '\0') {
                err_code(
                    &err, ERR_STATE, "STATE", "still not understood: %s", j->quarantine);
                job_settle(j, SETTLE_LATER, &err);
                return;
        }
        if (j->message == NULL)
                job_message_unknown(j);
        job_complete_message(j);
        job_facts(j);
}

void
job_parse(struct job *j)
{
        struct desk *d = j->intake->desk;
        struct buf body AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct err err;
        uint64_t at;
        int fd = blob_open(d->blobs, &j->raw, &at, &err);

        if (fd == -1) {
                job_fail(j, &err);
                return;
        }
        jo_init(&o, &body);
        jo_open(&o, '{');
        jo_kint(&o, "offset", (int64_t)at);
        jo_kint(&o, "length", (int64_t)j->raw.length);
        jo_kstring(&o, "account", j->account);
        jo_close(&o, '}');
        if (worker_submit(d->mime, j->header_job ? 'R' : 'P', body.data, body.len, fd,
                on_parsed, j, &err) == -1)
                job_fail(j, &err);
        close(fd);
}

/* ---- 3: the facts ---- */

void
add_unique(struct arena *a, const char ***list, size_t *n, size_t max, const char *s)
{
        for (size_t i = 0; i < *n; i++)
                if (strcmp((*list)[i], s) == 0)
                        return;
        if (*n == max || *s == '\0')
                return;
        *list = arena_grow(a, *list, *n, sizeof **list);
        (*list)[(*n)++] = s;
}

const char *
job_own_ticket(struct job *j, const char *mid)
{
        struct email_id id;
        const uint8_t *secret;

        if (!email_id_parse(mid, &id))
                return "";
        secret = store_secret(j->intake->desk->store, id.key_id);
        if (secret == NULL || !email_id_verify(&id, secret))
                return "";
        return arena_strdup(j->arena, id.ticket);
}

/* The address the customer is known by; who only called has none. */
static const char *
job_sender(struct job *j)
{
        return address_normalise(j->arena, j->message->from.address);
}

/* All Message-IDs that may tell the ticket, the best first. The mail's own is
 * among them: an answer to it may have arrived before it. */
static void
job_collect_mids(struct job *j)
{
        const struct message *m = j->message;
        size_t n_returned;

        j->mids = NULL;
        j->n_mids = 0;
        job_collect_returned(j);
        n_returned = j->n_mids;
        for (size_t i = 0; i < m->n_in_reply_to; i++)
                add_unique(
                    j->arena, &j->mids, &j->n_mids, n_returned + 2, m->in_reply_to[i]);
        for (size_t i = m->n_references; i > 0; i--)
                add_unique(
                    j->arena, &j->mids, &j->n_mids, MAX_MIDS - 2, m->references[i - 1]);
        if (m->n_references > 0) /* the thread's root */
                add_unique(
                    j->arena, &j->mids, &j->n_mids, MAX_MIDS - 1, m->references[0]);
        add_unique(j->arena, &j->mids, &j->n_mids, MAX_MIDS, m->message_id);
}

bool
ticket_takes_part(const struct ticket *t, const char *address)
{
        for (size_t i = 0; i < t->n_people; i++)
                if (strcmp(t->people[i], address) == 0)
                        return true;
        return false;
}

static const struct ticket *
facts_ticket_plain(const struct facts_answer *f, const char *id)
{
        for (size_t i = 0; i < f->n_tickets && *id != '\0'; i++)
                if (strcmp(f->tickets[i].id, id) == 0)
                        return &f->tickets[i];
        return NULL;
}

/* Of a merged one the ticket it is part of. */
static const struct ticket *
facts_ticket(const struct facts_answer *f, const char *id)
{
        for (size_t i = 0; i < f->n_aliases; i++)
                if (strcmp(f->aliases[2 * i], id) == 0)
                        return facts_ticket_plain(f, f->aliases[2 * i + 1]);
        return facts_ticket_plain(f, id);
}

/* Was this address asked on the ticket, by mail? The question's id, "" none. */
static const char *
consult_of_address(struct job *j, const struct ticket *t, const char *sender)
{
        struct consult *k;
        size_t n = consults_read(t->consults, j->arena, &k);

        for (size_t i = n; i > 0; i--)
                if (*k[i - 1].to != '\0' && strcmp(k[i - 1].to, sender) == 0)
                        return k[i - 1].id;
        return "";
}

/* Does it answer a question that we sent to somebody else than the customer? Told by the
 * first of our own Message-IDs it names, else by who wrote it. */
static void
job_find_consult(struct job *j, const struct ticket *t, const char *sender)
{
        struct consult *k;
        size_t n = consults_read(t->consults, j->arena, &k);
        struct email_id id;

        for (size_t m = 0; m < j->n_mids; m++) {
                if (*job_own_ticket(j, j->mids[m]) == '\0' ||
                    !email_id_parse(j->mids[m], &id))
                        continue;
                for (size_t i = 0; i < n; i++)
                        if (strcmp(k[i].entry, id.entry) == 0)
                                j->consult = k[i].id;
                return;
        }
        if (!ticket_takes_part(t, sender))
                j->consult = consult_of_address(j, t, sender);
}

/* It is filed as a note: nothing moves, and the customer never sees it. */
static void
job_judge_consult(struct job *j, const struct ticket *t, const char *sender)
{
        bool was = *j->consult != '\0';

        j->consult = "";
        if (t != NULL && strcmp(j->channel, "email") == 0 && j->submit_fn == NULL)
                job_find_consult(j, t, sender);
        if (!was && *j->consult == '\0')
                return;
        j->is_note = *j->consult != '\0';
        j->message->direction = j->is_note ? MESSAGE_NOTE : MESSAGE_IN;
}

/* Signatures first, then known Message-IDs and the subject tag of those who take part. */
static const struct ticket *
job_choose_ticket(struct job *j, const struct facts_answer *f, const char *sender)
{
        const struct ticket *t;
        char tag[20];

        if ((t = facts_ticket(f, j->retry_of)) != NULL)
                return t;
        if ((t = facts_ticket(f, j->ticket)) != NULL)
                return t;
        for (size_t i = 0; i < j->n_mids; i++)
                if ((t = facts_ticket(f, job_own_ticket(j, j->mids[i]))) != NULL)
                        return t;
        for (size_t i = 0; i < j->n_mids; i++)
                if ((t = facts_ticket(f, f->mid_tickets[i])) != NULL &&
                    ticket_takes_part(t, sender))
                        return t;
        if (subject_tag_find(j->message->subject, tag) &&
            (t = facts_ticket(f, tag)) != NULL &&
            (ticket_takes_part(t, sender) || *consult_of_address(j, t, sender) != '\0'))
                return t;
        if ((t = facts_ticket(f, job_returned_tag(j))) != NULL && job_returned_to(j, t))
                return t;
        return NULL;
}

/* ---- 5: put, guarded by the facts ---- */

/* A loop of mails is told of by one line a minute, not by one a mail. */
static void
intake_tell_suppressed(struct intake *i, const struct job *j, const char *ticket)
{
        int64_t now = clock_now_ms();

        i->n_quiet++;
        if (now < i->quiet_until_ms)
                return;
        log_warn("ACK-SUPPRESSED",
            "ticket=%s to=%s n=%u why=\"too many automatic mails to this address (3 an "
            "hour, 10 a day)\"",
            ticket, log_quote(j->ack_to), i->n_quiet);
        alert_tell(&i->desk->alerts, i->desk->config, ALERT_LOOP,
            arena_printf(j->keep,
                "acknowledgements to %s are suppressed, perhaps a mail loop", j->ack_to));
        i->quiet_until_ms = now + QUIET_MS;
        i->n_quiet = 0;
}

static void
job_put_done(struct job *j, const struct put_answer *a)
{
        const char *event = a->outcome == PUT_DUPLICATE ? "DUPLICATE" : "STORED";

        crash_point("intake.put");
        if (a->ack_suppressed)
                intake_tell_suppressed(j->intake, j, a->ticket);
        log_info(event, "ticket=%s message=%s account=%s kind=%s%s%s%s", a->ticket,
            a->message, log_quote(j->account), message_kind_name(j->message->kind),
            *j->message->machine != '\0' ? " machine=" : "",
            *j->message->machine != '\0' ? log_quote(j->message->machine) : "",
            a->ack_suppressed ? " ack=suppressed" : "");
        j->stored_on = arena_strdup(j->keep, a->ticket);
        if (a->outcome != PUT_DUPLICATE)
                job_tell_undelivered(j, a->ticket);
        if (a->outcome == PUT_DUPLICATE)
                job_settle(j, SETTLE_DUPLICATE, NULL);
        else
                job_settle(j, *j->quarantine ? SETTLE_QUARANTINED : SETTLE_STORED, NULL);
}

static void
on_put(void *arg, const struct err *err, const struct put_answer *a)
{
        struct job *j = arg;
        struct err stale;

        if (err->kind != ERR_NONE) {
                job_fail(j, err);
                return;
        }
        if (a->outcome != PUT_STALE) {
                job_put_done(j, a);
                return;
        }
        if (++j->n_tries < MAX_TRIES) {
                job_facts(j);
                return;
        }
        err_set(&stale, ERR_RETRY, "the ticket changed %d times while it was decided on",
            MAX_TRIES);
        job_settle(j, SETTLE_LATER, &stale);
}

/* Who had the newest of the customer's tickets that anybody had. */
static const char *
facts_last_agent(const struct facts_answer *f)
{
        for (size_t i = 0; i < f->n_recent; i++) {
                const struct ticket *t = facts_ticket(f, f->recent[i]);

                if (t != NULL && t->given > 0 && t->owner[0] != '\0')
                        return t->owner;
        }
        return "";
}

/* A call may be nothing to us, or only a note; *t: the ticket it belongs to. false: there
 * is nothing to store. */
static bool
job_judge_call(struct job *j, const struct facts_answer *f, const struct ticket **t)
{
        const struct phone_options *o =
            strncmp(j->account, "phone:", 6) == 0
                ? config_phone(j->intake->desk->config, j->account + 6)
                : NULL;
        const struct ticket **recent;
        struct call_choice choice;

        if (j->message->call == NULL || j->by_hand || o == NULL)
                return true;
        recent = arena_alloc(j->arena, (f->n_recent + 1) * sizeof(struct ticket *));
        for (size_t i = 0; i < f->n_recent; i++)
                recent[i] = facts_ticket(f, f->recent[i]);
        call_decide(j->message->call, o, recent, f->n_recent, clock_now_ms(), &choice);
        *t = choice.ticket;
        j->resolves = choice.action == CALL_RESOLVES;
        j->is_note = choice.action == CALL_NOTED || j->resolves;
        j->message->direction = j->is_note ? MESSAGE_NOTE : MESSAGE_IN;
        return choice.action != CALL_NOTHING;
}

/* Which ticket, NULL a new one. -1: it cannot be, or nothing is to be done (*err). */
static int
job_ticket(struct job *j, const struct facts_answer *f, const char *sender,
    const struct ticket **t, struct err *err)
{
        *t = job_choose_ticket(j, f, sender);
        if (j->submit_fn != NULL && *j->ticket != '\0' &&
            (*t == NULL || !j->submit_sees(j->submit_arg, *t)))
                return err_code(
                    err, ERR_NOTFOUND, "NOSUCH", "there is no ticket %s", j->ticket);
        if (*t != NULL || job_judge_call(j, f, t))
                return 0;
        log_info("CALL", "account=%s call=%s outcome=nothing", log_quote(j->account),
            log_quote(j->message->call->id));
        return err_set(err, ERR_NONE, "nothing is to be done");
}

static void
job_put(struct job *j, const struct facts_answer *f, const char *sender)
{
        struct change change;
        struct err err = {.kind = ERR_NONE};
        const struct ticket *t, *continues = NULL;
        struct put p = {
            .digest = j->digest,
            .sender = sender,
            .also = j->message->phone,
            .customer = f->customer,
            .customer_name = j->message->from.name,
            .change = &change,
            .ack_template = "",
            .ack_to = "",
            .ack_language = "",
            .ack_account = "",
            .now_ms = clock_now_ms(),
        };

        if (job_ticket(j, f, sender, &t, &err) == -1) {
                if (err.kind == ERR_NONE)
                        job_settle(j, SETTLE_STORED, NULL);
                else
                        job_fail(j, &err);
                return;
        }
        job_judge_consult(j, t, sender);
        job_weigh(j, t);
        if (t != NULL && job_apply(j, t, &change, &err) == -1) {
                if (strcmp(err.code, "CLOSED") != 0) {
                        job_fail(j, &err);
                        return;
                }
                continues = t;
                t = NULL;
        }
        j->is_new = t == NULL;
        j->last_agent = facts_last_agent(f);
        if (j->is_new)
                job_create(j, continues, &change);
        change_add_mail(j, &change, t, sender);
        if (t != NULL)
                job_report(j, facts_ticket(f, j->reported.ticket), &change);
        job_acknowledge(j, &p);
        job_ask(j, &p);
        crash_point("intake.decided");
        store_put(j->intake->desk->store, &p, on_put, j);
}

static void
job_learn(struct job *j, const struct facts_answer *f)
{
        j->learn = NULL;
        j->n_learn = 0;
        for (size_t i = 0; i < j->n_mids; i++) {
                struct email_id id;

                if (*f->mid_tickets[i] == '\0' && !email_id_parse(j->mids[i], &id))
                        add_unique(
                            j->arena, &j->learn, &j->n_learn, MAX_MIDS, j->mids[i]);
        }
}

static void
on_facts(void *arg, const struct err *err, const struct facts_answer *f)
{
        struct job *j = arg;
        const char *sender;

        if (err->kind != ERR_NONE) {
                job_fail(j, err);
                return;
        }
        if (*f->duplicate != '\0') {
                log_info("DUPLICATE", "message=%s account=%s", f->duplicate,
                    log_quote(j->account));
                j->stored_on =
                    arena_strndup(j->keep, f->duplicate, strcspn(f->duplicate, "."));
                job_settle(j, SETTLE_DUPLICATE, NULL);
                return;
        }
        sender = job_sender(j);
        j->tag_counts = f->counts;
        j->n_tag_counts = f->n_counts;
        job_learn(j, f);
        job_put(j, f, sender);
}

static void
job_facts(struct job *j)
{
        struct facts_query q = {.digest = j->digest};
        char tag[20];

        arena_free(&j->arena);
        j->arena = arena_new();
        job_collect_mids(j);
        if (strcmp(j->channel, "email") == 0 && j->submit_fn == NULL)
                mail_judge(j->message, j->intake->desk->config,
                    *job_own_ticket(j, j->message->message_id) != '\0');
        for (size_t i = 0; i < j->n_mids; i++)
                add_unique(j->arena, &q.tickets, &q.n_tickets, MAX_MIDS,
                    job_own_ticket(j, j->mids[i]));
        if (subject_tag_find(j->message->subject, tag))
                add_unique(j->arena, &q.tickets, &q.n_tickets, MAX_MIDS + 1,
                    arena_strdup(j->arena, tag));
        add_unique(j->arena, &q.tickets, &q.n_tickets, MAX_MIDS + 2, job_returned_tag(j));
        add_unique(j->arena, &q.tickets, &q.n_tickets, MAX_MIDS + 3, j->retry_of);
        add_unique(j->arena, &q.tickets, &q.n_tickets, MAX_MIDS + 4, j->ticket);
        q.mids = j->mids;
        q.n_mids = j->n_mids;
        q.sender = job_sender(j);
        q.also = j->message->phone;
        q.n_recent = MAX_RECENT;
        job_query_counts(j, &q);
        store_facts(j->intake->desk->store, &q, on_facts, j);
}

/* ---- the host of the channels ---- */

static const char *
intake_account_of(void *arg, const char *address)
{
        struct intake *i = arg;
        const struct mail_account *m = config_mail(i->desk->config, address);

        return m == NULL ? NULL : m->address;
}

static int
intake_may_take(void *arg, struct err *err)
{
        struct intake *i = arg;

        if (i->desk->draining)
                return err_code(
                    err, ERR_RETRY, "451", "this desk is draining, try again later");
        if (store_may_take(i->desk->store, err) == 0)
                return 0;
        if (strcmp(err->code, "452") == 0)
                alert_tell(&i->desk->alerts, i->desk->config, ALERT_ROOM, err->text);
        return -1;
}

static void
intake_cursor_get(void *arg, const char *account,
    void (*fn)(void *fn_arg, const struct err *err, const char *value), void *fn_arg)
{
        struct intake *i = arg;

        store_cursor_get(i->desk->store, account, fn, fn_arg);
}

static void
intake_cursor_set(void *arg, const char *account, const char *value,
    void (*fn)(void *fn_arg, const struct err *err), void *fn_arg)
{
        struct intake *i = arg;

        store_cursor_set(i->desk->store, account, value, fn, fn_arg);
}

struct intake *
intake_new(struct desk *d)
{
        struct intake *i = xcalloc(1, sizeof *i);

        i->desk = d;
        i->host.arg = i;
        i->host.account_of = intake_account_of;
        i->host.may_take = intake_may_take;
        i->host.deliver = intake_deliver;
        i->host.cursor_get = intake_cursor_get;
        i->host.cursor_set = intake_cursor_set;
        return i;
}

void
intake_free(struct intake **ip)
{
        struct intake *i = *ip;

        if (i == NULL)
                return;
        while (i->jobs != NULL)
                job_free(i->jobs); /* NOLINT: it takes itself off the list */
        free(i);
        *ip = NULL;
}

const struct channel_host *
intake_host(struct intake *i)
{
        return &i->host;
}

size_t
intake_pending(const struct intake *i)
{
        return i->n_jobs;
}
