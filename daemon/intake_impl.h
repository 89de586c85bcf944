/*
 * Intake from inside: one arrival under way, and the files that carry it on. What others
 * may use is daemon/intake.h.
 *
 *     intake.c         the steps, the host of the channels
 *     intake_change.c  the decision, as a change
 *     intake_tell.c    tell, ask, and what `more than N tagged T` counts
 *     intake_call.c    what a telephone call does (pure)
 *     intake_mail.c    machine mail (pure)
 *     intake_report.c  reports about mails of ours
 *     intake_forward.c what an agent forwards (pure)
 *     intake_retry.c   QUARANTINE RETRY
 *     intake_submit.c  SUBMIT and LOGCALL
 */
#ifndef HELPLINE_DAEMON_INTAKE_IMPL_H
#define HELPLINE_DAEMON_INTAKE_IMPL_H

#include "channels/email_id.h"
#include "daemon/intake.h"
#include "queue/ticket.h"

#define MAX_MIDS 12 /* Message-IDs looked up for one mail */

struct job {
        struct intake *intake;
        struct job *prev, *next; /* in intake.jobs */
        struct arena *arena; /* what is decided about it; emptied for each try */
        struct arena *keep; /* what stays as long as the job */
        const char *channel, *account, *envelope_from;
        bool has_envelope;
        int64_t received_at_us;
        struct channel_token token;
        bool has_token; /* false: QUARANTINE RETRY */
        struct blob_ref raw;
        struct message *message;
        const char *quarantine; /* why it goes there, "" not */
        bool header_job; /* the second helper job, for the header alone */
        unsigned n_tries;
        const char *ticket; /* it is for this one, proved; "" : facts decide */
        const char *stored_on; /* the ticket it went to, for the channel's answer */
        const char *digest; /* "" : take the raw bytes' */
        /* of this try */
        const char **mids; /* looked up */
        size_t n_mids;
        const char **learn; /* mids nobody knows yet */
        size_t n_learn;
        struct decision decision;
        const char *last_agent; /* who had his newest ticket, "" nobody */
        const struct tag_count *tag_counts; /* how many were tagged so lately */
        size_t n_tag_counts;
        bool is_new;
        bool counts; /* a person's, and not shelved: it moves its ticket */
        const char *consult; /* the question to a supplier that it answers, "" none */
        bool is_note; /* a call that is only noted: it moves nothing */
        bool resolves; /* a call that ends its ticket: we have called back */
        struct email_id
            reported; /* the entry of ours that it reports about; ticket "" none */
        const char
            *undelivered; /* whom it says our mail was refused for, and why, "" none */
        const char
            *forwarded_by; /* who passed it on; it is its first sender's, "" nobody */
        const char *ack_to; /* whom it would acknowledge, "" nobody */
        /* SUBMIT and LOGCALL */
        const char *who; /* who asks for it, "" : a channel */
        bool by_hand; /* an operator's note of a call: no policy of an exchange */
        intake_submit_fn submit_fn;
        void *submit_arg;
        bool (*submit_sees)(void *arg, const struct ticket *t);
        /* QUARANTINE RETRY */
        const char *retry_of, *retry_who;
        store_done_fn retry_fn;
        void *retry_arg;
};

struct intake {
        struct desk *desk;
        struct channel_host host;
        struct job *jobs;
        size_t n_jobs;
        int64_t
            quiet_until_ms; /* no further line about suppressed acknowledgements before */
        unsigned n_quiet; /* suppressed since the last such line */
};

/* ---- intake.c ---- */
struct job *job_new(struct intake *i);
/* The only end of a job. */
void job_settle(struct job *j, enum settlement s, const struct err *why);
/* Its bytes go to the helper. */
void job_parse(struct job *j);
/* A message somebody else has parsed: facts and rules come next. arg: struct job. */
void job_message_ready(void *arg);
/* Appends s if it is new and there is room. */
void
add_unique(struct arena *a, const char ***list, size_t *n, size_t max, const char *s);
/* The ticket of one of our own Message-IDs when its signature is right, else "". */
const char *job_own_ticket(struct job *j, const char *mid);
/* Has this address (normalised) written on the ticket? */
bool ticket_takes_part(const struct ticket *t, const char *address);

/* ---- intake_report.c ---- */
/* Our ids in the returned mail, into j->mids, and j->reported. */
void job_collect_returned(struct job *j);
/* The ticket in the subject of the returned mail, "" none; and does one of the report's
 * recipients take part in it? */
const char *job_returned_tag(struct job *j);
bool job_returned_to(struct job *j, const struct ticket *t);
/* What the report says of our entry; own: the ticket that its id names. */
void job_report(struct job *j, const struct ticket *own, struct change *c);
/* It is stored: those who look after the desk are told. */
void job_tell_undelivered(struct job *j, const char *ticket);

/* ---- intake_change.c ---- */
/* Sets j->counts for this ticket (NULL: a new one). */
void job_weigh(struct job *j, const struct ticket *t);
/* A message for a ticket that exists. 0, or -1 when it must open a new one. */
int job_apply(struct job *j, const struct ticket *t, struct change *c, struct err *err);
void job_create(struct job *j, const struct ticket *continues, struct change *c);
/* What an answer to this ticket needs to know from the customer's mail. */
void change_add_mail(
    struct job *j, struct change *c, const struct ticket *t, const char *sender);
void job_acknowledge(struct job *j, struct put *p);

/* ---- intake_tell.c ---- */
/* What the rules will want to know of the store. */
void job_query_counts(struct job *j, struct facts_query *q);
/* What they decided for others than the ticket's agent: counts, and who is told. */
void job_tell(struct job *j, struct change *c);
/* The question to the customer, when the acknowledgement has somewhere to go (p). */
void job_ask(struct job *j, struct put *p);

#endif
