/*
 * What intake has decided, as a change: a new ticket with all an answer must know, or a
 * message on one that exists. Nothing is read or written here; see intake_impl.h.
 */
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/intake_impl.h"

#define MAX_REFS 12 /* References kept on a ticket */
#define MAX_PEOPLE 100
#define ACK_MAX_AGE_MS (24 * 3600000LL)

static void
change_set_strings(struct change *c, const char *field, const char *const *s, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_strings(&o, s, n);
        change_set(c, field, buf_str(&b));
}

/* His last mail's To and Cc, less our own addresses and himself: whom REPLY copies. */
static void
change_set_cc(struct job *j, struct change *c, const char *answer)
{
        const struct message *m = j->message;
        const struct config *cfg = j->intake->desk->config;
        const char **cc = NULL;
        size_t n = 0;

        for (size_t i = 0; *j->forwarded_by == '\0' && i < m->n_to + m->n_cc; i++) {
                const struct mail_address *x =
                    i < m->n_to ? &m->to[i] : &m->cc[i - m->n_to];
                const char *address = address_normalise(j->arena, x->address);

                if (!config_is_ours(cfg, address) && strcmp(address, answer) != 0)
                        add_unique(j->arena, &cc, &n, 20, address);
        }
        change_set_strings(c, "cc", cc, n);
}

static void
change_set_people(struct job *j, struct change *c, const struct ticket *t,
    const char *sender, const char *answer)
{
        const char **people = NULL;
        size_t n = 0;

        for (size_t i = 0; t != NULL && i < t->n_people; i++)
                add_unique(j->arena, &people, &n, MAX_PEOPLE, t->people[i]);
        add_unique(j->arena, &people, &n, MAX_PEOPLE, sender);
        add_unique(j->arena, &people, &n, MAX_PEOPLE, answer);
        change_set_strings(c, "people", people, n);
}

/* The thread as our answers quote it: the first id and the last few. */
static void
change_set_refs(struct job *j, struct change *c)
{
        const struct message *m = j->message;
        const char **refs = NULL;
        size_t n = 0, from = m->n_references > MAX_REFS - 2
                                 ? m->n_references - (MAX_REFS - 2)
                                 : 0;

        if (m->n_references > 0)
                add_unique(j->arena, &refs, &n, MAX_REFS, m->references[0]);
        for (size_t i = from; i < m->n_references; i++)
                add_unique(j->arena, &refs, &n, MAX_REFS, m->references[i]);
        add_unique(j->arena, &refs, &n, MAX_REFS, m->message_id);
        change_set_strings(c, "refs", refs, n);
        change_set(c, "last_mid", m->message_id);
}

/* What could not be understood is kept, whoever wrote it and whatever ticket it is for. */
static void
change_add_quarantine(struct job *j, struct change *c)
{
        char raw[128];

        if (*j->quarantine == '\0')
                return;
        blob_ref_format(&j->raw, raw);
        change_quarantine(c, j->account, j->quarantine, raw, clock_now_ms());
}

/* A person has written from there: mail to him cannot be as lost as was reported. Not what
 * somebody passed on. */
static bool
mail_is_heard(const struct job *j)
{
        const struct message *m = j->message;

        return strcmp(j->channel, "email") == 0 && j->submit_fn == NULL &&
               *j->forwarded_by == '\0' && *m->machine == '\0' &&
               (m->kind == MESSAGE_MESSAGE || m->kind == MESSAGE_THANKS);
}

/* What an answer to this ticket needs to know from the customer's mail. */
void
change_add_mail(
    struct job *j, struct change *c, const struct ticket *t, const char *sender)
{
        const char *answer = mail_answer_address(j->message, j->arena);

        for (size_t i = 0; i < j->n_learn; i++)
                change_learn_mid(c, j->learn[i]);
        change_add_quarantine(j, c);
        if (mail_is_heard(j))
                change_heard(c, sender);
        if (*j->forwarded_by != '\0')
                change_log(c, clock_now_ms(), j->forwarded_by, "forwarded", "", "",
                    "a mail of this customer");
        if (t != NULL && (!j->counts || *answer == '\0'))
                return; /* who only called again is answered where he was before */
        change_set(c, "to_name", j->message->from.name);
        change_set(c, "to_addr", answer);
        change_set_cc(j, c, answer);
        change_set_people(j, c, t, sender, answer);
        change_set_refs(j, c);
}

/* A person's, whatever some system has marked it with. Thanks count where they open a
 * ticket: they move none. */
static bool
mail_counts(const struct job *j, bool is_new)
{
        switch (j->message->kind) {
        case MESSAGE_MESSAGE:
        case MESSAGE_FORM:
        case MESSAGE_CALL:
                return !j->is_note;
        case MESSAGE_THANKS:
                return !j->is_note && is_new;
        case MESSAGE_AUTO_REPLY:
        case MESSAGE_BOUNCE:
        case MESSAGE_REPORT:
        case MESSAGE_LIST:
                break;
        }
        return false;
}

/* What the rules shelve brings a resolved ticket to no agent either. */
static bool
job_is_shelved(struct job *j, const struct ticket *t)
{
        struct facts f = {.message = j->message,
            .ticket = t,
            .now_ms = clock_now_ms(),
            .counts = j->tag_counts,
            .n_counts = j->n_tag_counts};
        struct decision d;

        if (t->state != TICKET_RESOLVED)
                return false;
        rules_decide(j->intake->desk->config, &f, j->arena, &d);
        return d.shelve;
}

void
job_weigh(struct job *j, const struct ticket *t)
{
        j->counts = mail_counts(j, t == NULL) && (t == NULL || !job_is_shelved(j, t));
}

/* A message for a ticket that exists. 0, or -1 when it must open a new one. */
int
job_apply(struct job *j, const struct ticket *t, struct change *c, struct err *err)
{
        struct message stored = *j->message;
        struct ticket_event e = {
            .type = EVENT_MESSAGE,
            .now_ms = clock_now_ms(),
            .who = *j->who != '\0'       ? j->who
                   : *j->consult != '\0' ? j->message->from.address
                   : j->is_note          ? "helpline"
                                         : "customer",
            .agent = "",
            .text = "",
            .seen = "",
            .status = j->resolves ? "resolved" : "",
            .target = "",
            .account = "",
            .entry = "",
            .delivery = "",
            .own_ms = desk_own_ms(j->intake->desk, t->owner),
            .reopen_ms = j->intake->desk->config->reopen_ms,
            .message = &stored,
            .counts = j->counts,
        };

        desk_find_line(j->intake->desk, t, j->arena, &e);
        desk_clock_event(j->intake->desk, t, &e);
        if (ticket_apply(t, &e, j->arena, c, err) == -1)
                return -1;
        /* an automatic "we have got it" answers nothing */
        if (*j->consult != '\0' && j->message->kind == MESSAGE_MESSAGE)
                ticket_consult_answered(t, j->consult, e.who, e.now_ms, c);
        return 0;
}

/* When it came: a call when it ended, though its record may be read much later. So a call
 * back can be told from a call before. */
static int64_t
job_came_ms(const struct job *j)
{
        const struct phone_call *c = j->message->call;
        int64_t now = clock_now_ms(), at;

        if (c == NULL)
                return now;
        at = (c->ended_at_us != 0 ? c->ended_at_us : c->started_at_us) / 1000;
        return at != 0 && at < now ? at : now;
}

/* Whom the route prefers: the customer's last agent, or his account manager; "" nobody. */
static const char *
job_prefers(struct job *j)
{
        const struct config *c = j->intake->desk->config;
        const struct customer_row *row;
        const char *agent = "";

        switch (j->decision.prefer) {
        case PREFER_NONE:
                break;
        case PREFER_LAST_AGENT:
                agent = j->last_agent;
                break;
        case PREFER_MANAGER:
                row = customers_find(&c->customers,
                    address_normalise(j->arena, j->message->from.address),
                    j->message->phone);
                agent = row != NULL ? row->manager : "";
                break;
        }
        return agent != NULL && config_agent(c, agent) != NULL ? agent : "";
}

void
job_create(struct job *j, const struct ticket *continues, struct change *c)
{
        struct desk *d = j->intake->desk;
        struct facts f = {.message = j->message,
            .now_ms = clock_now_ms(),
            .counts = j->tag_counts,
            .n_counts = j->n_tag_counts};
        struct decision *dec = &j->decision;
        struct buf why AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct ticket_birth b = {
            .message = j->message,
            .now_ms = job_came_ms(j),
            .counts = mail_counts(j, true),
        };
        bool is_over;

        rules_decide(d->config, &f, j->arena, dec);
        is_over = desk_admit_class(d, &dec->class_doc, j->arena);
        b.weight = config_weight(d->config, j->message->channel);
        jo_init(&o, &why);
        decision_format_sentences(dec, true, &o);
        b.class_doc = &dec->class_doc;
        b.shelve = dec->shelve;
        b.reopen_ms = d->config->reopen_ms;
        b.priority = dec->priority;
        b.line = dec->line;
        b.route = dec->route;
        b.tags = dec->tags;
        b.n_tags = dec->n_tags;
        b.prefer = job_prefers(j);
        b.prefer_ms = dec->prefer_ms;
        b.keep_ms = dec->prefer == PREFER_LAST_AGENT ? dec->prefer_ms : 0;
        b.why = buf_str(&why);
        b.config = d->config;
        b.calendar = desk_calendar(d, dec->class_doc.calendar);
        b.promise = config_promise(d->config, dec->promise);
        b.links =
            continues == NULL ? "[]" : arena_printf(j->arena, "[\"%s\"]", continues->id);
        ticket_create(&b, j->arena, c);
        if (is_over)
                change_log(c, b.now_ms, "helpline", "overflow", "", "",
                    "too many classes: taken without needs and steps");
        if (is_over)
                change_journal(c, "changed", "", b.line, "helpline",
                    "too many classes: taken without needs and steps");
        job_tell(j, c);
}

/* He wrote to an agent, not to us: only if the account says so. */
static bool
job_may_acknowledge_forward(const struct job *j)
{
        const struct mail_account *m = config_mail(j->intake->desk->config, j->account);

        return m != NULL && m->acknowledge_forwards;
}

/* The acknowledgement goes where RFC 3834 sends automatic answers: to the sender
 * of the envelope. */
void
job_acknowledge(struct job *j, struct put *p)
{
        const struct message *m = j->message;
        const char *from = address_normalise(j->arena, m->from.address);
        const char *envelope = address_normalise(j->arena, m->envelope_from);
        const struct config *c = j->intake->desk->config;
        const struct mail_account *mail = config_reply_mail(c, j->account);
        int64_t now = clock_now_ms();

        j->ack_to = "";
        if (!j->is_new || j->decision.shelve || j->is_note || *mail_silence(m) != '\0' ||
            *j->quarantine != '\0' || j->has_token == false)
                return;
        if (m->sent_at_us != 0 && now - m->sent_at_us / 1000 > ACK_MAX_AGE_MS)
                return;
        if (*j->forwarded_by != '\0' && !job_may_acknowledge_forward(j))
                return;
        if (m->has_envelope && *envelope != '\0' && *j->forwarded_by == '\0')
                from = envelope;
        if (mail == NULL || *from == '\0' || !address_is_safe(from) ||
            config_is_ours(c, from))
                return;
        if (strcmp(j->decision.acknowledge, "none") != 0)
                p->ack_template = j->decision.acknowledge;
        p->ack_to = j->ack_to = from;
        p->ack_language = m->language;
        p->ack_account = mail->address;
        p->ack_due_ms = now;
}
