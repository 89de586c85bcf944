/*
 * The law of states: what may happen to a ticket, and what it changes. Pure.
 *
 * The table (STORE.md, "States") stands in queue/ticket.c and is proved by a
 * test; each file of the law (queue/ticket_impl.h) has its rows. A ticket gets a holder only by the verb pull; clocks that run out are
 * turned by the verb tick; all else goes through ticket_apply() and commit.
 */
#ifndef HELPLINE_QUEUE_TICKET_H
#define HELPLINE_QUEUE_TICKET_H

#include "config/config.h"
#include "daemon/model/ticket.h"
#include "queue/change.h"

enum ticket_event_type {
        EVENT_MESSAGE, /* a message of the customer (or machine mail: moves nothing) */
        EVENT_REPLY, /* the holder answers the customer */
        EVENT_NOTE, /* an internal note, by anybody */
        EVENT_UNSEND, /* takes back an answer that has not left; nobody holds it: queued again */
        EVENT_RELEASE, /* the holder gives it back (blamed: skip, given_back) */
        EVENT_LOST, /* given over a connection that is gone: back, nobody is blamed */
        EVENT_TOUCH, /* any command of the holder that names it: lease renewed, taken up */
        EVENT_SEEN, /* the holder was given its document: `seen` = last_in, as TOUCH else */
        EVENT_RESOLVE,
        EVENT_REOPEN, /* by an agent; the customer's message does it by EVENT_MESSAGE */
        EVENT_DELIVERY, /* the outbox tells what became of an entry; no new version */
        EVENT_GONE_AGENT, /* its holder is no longer in the configuration: back */

        /* queue/ticket_move.c: between lines, states and people */
        EVENT_ESCALATE, /* one line up: to `line`, as `class_doc` */
        EVENT_RETURN, /* one line down: preferred to who handed it up */
        EVENT_TRANSFER, /* to `line` or with another need (`class_doc`), or to `target` */
        EVENT_PEND, /* with the customer: promises wait */
        EVENT_SNOOZE, /* later: they do not */
        EVENT_ASSIGN, /* what waits for its customer gets another owner, `target` */
        EVENT_RAISE, /* another priority: `priority`, `class_doc` */
        EVENT_NEED, /* another need: `class_doc` */
        EVENT_TAG, /* becomes `tags` */
        EVENT_CHANGE, /* `field` becomes `target` */
        EVENT_SPAM, /* resolved, and nobody is told */
        EVENT_REROUTE, /* new rules, old arrival: line, class_doc, route, priority, tags */
        EVENT_ABSENT, /* its holder or owner is absent: to who stands for him */

        /* queue/ticket_ask.c: questions, trainees, drafts */
        EVENT_CONSULT, /* asks `target` (an agent), `line`, or `to` by mail: `message` */
        EVENT_ANSWER, /* answers consultation `target` with `message` */
        EVENT_APPROVE, /* sends the trainee's answer `target` */
        EVENT_DRAFT, /* keeps `text` for an answer */

        /* queue/ticket_join.c: tickets made of tickets; `other` is the other one */
        EVENT_MERGE, /* into the other */
        EVENT_MERGED, /* the other is merged into it */
        EVENT_UNMERGE, /* out of the other again */
        EVENT_UNMERGED, /* the other is no longer merged into it */
        EVENT_LINK,
        EVENT_SPLIT, /* message `target`, which is `message`, becomes a ticket of its own */

        /* queue/ticket_clock.c: promises, reminders, escalation by the clock */
        EVENT_CLOCK, /* a clock of the ticket has come */
        EVENT_DUE, /* a promise made by hand: `until_ms`, `text` */

        N_EVENT_TYPES
};

struct ticket_event {
        enum ticket_event_type type;
        int64_t now_ms;
        const char *who; /* agent, "unix:root", "customer", "helpline" */
        const char *agent; /* the acting agent, "" when none */
        /* leads and admins may act on what they do not hold where the law says so */
        bool is_admin;
        uint64_t lease; /* LEASE n of the command, 0 not given */
        int64_t lease_ms; /* of the line, for renewals */
        int64_t wrap_up_ms; /* of the line: his pause after he has finished this one */
        int64_t own_ms; /* how long the last holder is preferred, 0 not */
        int64_t reopen_ms; /* resolved tickets are reopened within this */
        int64_t send_delay_ms;
        int64_t delay_ms; /* RELEASE DELAY */
        const char *text; /* reason, note */
        const char *seen; /* SEEN m, "" not given */
        /* REPLY STATUS: waiting resolved held; DELIVERY: what the journal says:
         * "sent", "refused" or ""; MESSAGE that does not count: "resolved" ends the
         * ticket with it */
        const char *status;
        const char *target; /* UNSEND, DELIVERY: message id */
        /* MESSAGE, REPLY, NOTE, RESOLVE TEXT: what is added; NULL none */
        const struct message *message;
        bool counts; /* MESSAGE: a person's (false: machine mail, moves nothing) */
        const char *account; /* REPLY: our address */
        const char **to; /* REPLY: recipients (to and cc), normalised */
        size_t n_to;
        /* DELIVERY */
        const char *entry; /* outbox entry */
        const char *delivery; /* JSON array of deliveries */

        /* queue/ticket_move.c */
        const char *line; /* where it goes */
        const struct class *class_doc; /* what it is from now on; NULL as it was */
        int64_t until_ms; /* PEND, SNOOZE: the date, 0 none */
        int64_t prefer_ms; /* RETURN, TRANSFER to an agent: how long it is kept for him */
        enum priority priority; /* RAISE, REROUTE */
        const char *field; /* CHANGE: "subject", "language", "customer" */
        const char *route; /* REROUTE */
        const char *tags; /* TAG, REROUTE: all of them, a JSON array */
        const char *why; /* REROUTE: the sentences that held, a JSON array */
        int64_t keep_ms; /* REROUTE */
        const char *code; /* RESOLVE CODE, "" none */

        /* queue/ticket_ask.c, ticket_join.c */
        const struct ticket *other; /* MERGE, MERGED, UNMERGE, UNMERGED, LINK */
        /* ANSWER: was asked, or stands in for who was; APPROVE, UNSEND: the same of the
         * tutor */
        bool stands_in;
        const char *tutor; /* REPLY, RESOLVE TEXT: who must approve it first, "" nobody */

        /* queue/ticket_clock.c; of every event that moves a ticket */
        const struct config *config; /* NULL: no line escalates, nobody is reminded */
        const struct calendar *calendar; /* of the ticket's clocks, NULL real time */
        bool is_bot; /* the acting agent is a program: it keeps no promise */
};

/* Is there a change, and which? Returns 0 and *out (steps in a), or -1 with the
 * protocol's code in *err: STATE, NOTHELD (names who holds it, until when), STALE
 * (names the message not seen), BADARG, NOPERM. An EVENT_MESSAGE for a closed (or
 * too long resolved) ticket: ERR_STATE, code CLOSED: open a new, linked one. What
 * machines write is filed even on closed ones. Addresses, references and Message-IDs
 * are intake's to add to the change. Strings of *e that are NULL count as "". */
int ticket_apply(const struct ticket *t, const struct ticket_event *e, struct arena *a,
    struct change *out, struct err *err);

struct consult { /* a question on a ticket, answered or not; strings never NULL */
        const char *id; /* the question's message id */
        const char *by; /* who asked */
        const char *agent, *line, *to; /* whom: one of the three, the others "" */
        const char *question; /* its beginning */
        const char *entry; /* by mail: its outbox entry, by which the answer is known */
        int64_t asked_ms;
        const char *answered_by; /* "" not yet */
        int64_t answered_ms; /* 0 not yet */
        const char *answer; /* message id */
};
/* Those of a ticket's `consults`, in a. */
size_t consults_read(const char *json, struct arena *a, struct consult **out);
/* The change (which adds a message) answers this consultation; false: there is none open. */
bool ticket_consult_answered(const struct ticket *t, const char *id, const char *by,
    int64_t now_ms, struct change *c);

struct ticket_birth { /* all that intake knows about a new ticket */
        const struct message *message; /* its first */
        const struct class *class_doc;
        unsigned weight; /* what it counts in hand; 0 as 1 */
        enum priority priority;
        const char *line, *route;
        const char **tags;
        size_t n_tags;
        const char
            *origin; /* its first message is another ticket's: not added; NULL not */
        const char *why; /* JSON array of sentences */
        const char *links; /* JSON array: a closed ticket it continues, "[]" */
        bool counts; /* a person's */
        /* whom it is kept for at first (`prefer`), and how long; "" nobody */
        const char *prefer;
        int64_t prefer_ms;
        int64_t keep_ms; /* as struct ticket has it */
        const struct config *config; /* as in struct ticket_event */
        const struct calendar *calendar; /* of its class, NULL real time */
        const struct promise_options *promise; /* NULL none */
        bool shelve; /* kept, for no agent: resolved at once */
        int64_t
            reopen_ms; /* shelved: until when the customer's next message reopens it */
        int64_t now_ms;
};
/* The change that makes a new ticket (for put): fields, message, class, open, log, journal.
 * A shelved one is in no queue: resolved, and reopened by its customer as others are. */
void ticket_create(const struct ticket_birth *b, struct arena *a, struct change *out);

/* For docs and tests: may this event happen in this state? */
bool ticket_may(enum ticket_state s, enum ticket_event_type e);

#endif
