/*
 * Intake: an arrival becomes a message on a ticket.
 *
 *     bytes durable (blob) -> helper-mime -> facts in one read -> rules -> put, guarded
 *     by the facts -> settle
 *
 * Killed anywhere before put has returned: nothing was acknowledged, the source
 * sends again, "seen before" finds what was stored. After it: the same.
 */
#ifndef HELPLINE_DAEMON_INTAKE_H
#define HELPLINE_DAEMON_INTAKE_H

#include "channels/channel.h"
#include "daemon/desk.h"

struct intake *intake_new(struct desk *d);
void intake_free(struct intake **i);
/* What channels are given (account_of, may_take, deliver). */
const struct channel_host *intake_host(struct intake *i);
/* Arrivals under way. */
size_t intake_pending(const struct intake *i);
/* QUARANTINE RETRY: parse the kept bytes again; when they are understood now, the full
 * message is added to its ticket and the entry is dropped. */
void intake_retry(struct intake *i, const char *quarantine_id, const char *who,
    store_done_fn fn, void *arg);

/* SUBMIT and LOGCALL: a message by hand or by a program goes the same way; taken over.
 * fn is called once, never before this returns: the ticket it is on, or why not. */
struct submission {
        struct message *message; /* its channel and account set */
        const char *ticket; /* it is for this one, "" : a new one, or as with mail */
        const char *who; /* the agent, for the log */
        const char *key; /* makes it the same as before; "" : it never is */
        /* May who asks see that ticket (arg of fn)? What was stored before is not asked. */
        bool (*sees)(void *arg, const struct ticket *t);
        bool is_note; /* an operator's note on a ticket: it moves nothing */
};
typedef void (*intake_submit_fn)(void *arg, const struct err *err, const char *ticket);
void intake_submit(
    struct intake *i, const struct submission *s, intake_submit_fn fn, void *arg);

/* ---- pure decisions, tested by themselves (daemon/intake_mail.c) ---- */
/* Sets m->kind (what it counts as: a person's message, or what kind of machine's mail)
 * and m->machine (the mark that forbids any mail by itself; a person's mail may have one),
 * and findings "kind" and "acknowledgement" with the evidence. own_token: its Message-ID
 * is one of ours. */
void mail_judge(struct message *m, const struct config *c, bool own_token);
/* Why nothing is sent to its sender by itself, "" it may. After mail_judge. */
const char *mail_silence(const struct message *m);
/* Does an agent (or one of the account's `forwarders`) pass a mail on to us? Then it
 * becomes the mail of its first sender; the answer is the normalised address of who
 * forwarded it, "" : it does not, and m is as it was. */
const char *mail_take_forwarded(struct message *m, const struct config *c);
/* Whom REPLY answers: Reply-To when of the sender's domain (or when From is a noreply@
 * that writes for another), else From. */
const char *mail_answer_address(const struct message *m, struct arena *a);

#endif
