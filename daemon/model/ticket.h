/*
 * A ticket as the store holds it (hash t:<id>): the plain record and its
 * document. What may happen to it is queue/ticket.h.
 */
#ifndef HELPLINE_MODEL_TICKET_H
#define HELPLINE_MODEL_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/model/class.h"
#include "daemon/model/promise.h"

enum ticket_state {
        TICKET_QUEUED,
        TICKET_HELD,
        TICKET_WAITING, /* with the customer, or until a date */
        TICKET_RESOLVED,
        TICKET_CLOSED,
        TICKET_MERGED
};
const char *ticket_state_name(enum ticket_state s);
bool ticket_state_parse(const char *s, enum ticket_state *out);

enum priority { PRIORITY_LOW, PRIORITY_NORMAL, PRIORITY_HIGH, PRIORITY_URGENT };
const char *priority_name(enum priority p);
bool priority_parse(const char *s, enum priority *out);

struct customer {
        const char *id; /* "c17" */
        const char *name;
        const char **emails; /* normalised */
        size_t n_emails;
        const char **phones; /* E.164 */
        size_t n_phones;
        const char *
            *refused; /* JSON documents: addresses of his that mail was refused for */
        size_t n_refused;
        /* out of the customers file, by whoever shows it; NULL or "" unknown */
        const char *organisation, *manager;
        bool vip;
};

struct ticket {
        /* In t:<id>, field names in quotes. Times in ms unless _us. */
        const char *id; /* the key's number, "1042" */
        uint64_t version; /* "ver": grows with each change */
        enum ticket_state state; /* "state" */
        const char *class_id; /* "class" */
        int64_t v_us; /* "v": virtual arrival = entered - head start */
        int64_t entered_ms; /* "entered": from when the steps count */
        int64_t created_ms; /* "created" */
        int64_t queued_ms; /* "queued": when it last entered a queue */
        const char *line; /* "line": where it is now */
        enum priority priority; /* "prio" */
        const char *route; /* "route" */
        const char *customer_id; /* "cust" */
        const char *holder; /* "holder": agent, "" none */
        const char *owner; /* "owner": the last holder */
        uint64_t lease; /* "lease": grows with each hand-over */
        int64_t lease_until_ms; /* "lease_until" */
        /* "untaken": connection it was given over, "" once a command named it */
        const char *untaken;
        bool in_own; /* "own": waits in own:<owner> instead of its class */
        int64_t until_ms; /* "until": waiting with a date, or the own queue's end */
        const char *account; /* "account" */
        const char *channel; /* "channel" */
        const char *subject; /* "subject": without our tag */
        const char *language; /* "lang" */
        const char **tags; /* "tags": JSON array of strings */
        size_t n_tags;
        const char *why; /* "why": JSON array of the sentences that held, as in WHY */
        unsigned weight; /* "weight": what it counts in hand; 0 as 1 */
        unsigned given; /* "given" times to an agent */
        unsigned given_back; /* "back" */
        unsigned expired; /* "expired" */
        unsigned n_messages; /* "nm": messages so far; the next is <id>.<nm+1> */
        const char *last_in; /* "last_in": newest customer's message "1042.2", "" none */
        const char *seen; /* "seen": newest customer's message the holder was given */
        /* "keep": how long it is kept for its last holder when it comes back; 0: the
         * desk's default */
        int64_t keep_ms;
        /* "handed": JSON array, pairs: line, who handed it up from there */
        const char **handed;
        size_t n_handed;
        bool by_hand; /* "hand": a person has chosen its line: REROUTE lets it be */
        const char *code; /* "code": of RESOLVE, "" none */
        const char *merged_into; /* "merged_into" */
        const char **merged; /* "merged": JSON array: tickets merged into it */
        size_t n_merged;
        const char *merged_state; /* "mstate": what it was before it was merged */
        const char *merged_class; /* "mclass": its class's document, for UNMERGE */
        /* "moved": JSON array: messages that were split off, "7:1050" */
        const char **moved;
        size_t n_moved;
        /* "origin": its first message, which bears another ticket's number; "" its own */
        const char *origin;
        unsigned n_shown; /* messages it shows; told by the store with each reading */
        const char *consults; /* "consults": JSON array of consultations */
        const char *approve; /* "approve": answer that waits for the tutor, "" none */
        const char
            *approve_status; /* "approve_status": what the ticket becomes with it */
        const char **approve_to; /* "approve_to": JSON array: its envelope */
        size_t n_approve_to;
        const char *tutor; /* "tutor": who is to approve it */
        bool has_draft; /* "draft": an unfinished answer lies beside its deliveries */
        const char *links; /* "links": JSON array of ticket ids */
        int64_t resolved_ms; /* "resolved": when; 0 not */
        /* "machine": no person has written on it yet, or who wrote last has a mark: nothing
         * is sent to him by itself */
        bool by_machine;
        bool acknowledged; /* "ack": an acknowledgement was ever written */
        const char *ack_entry; /* "ackob": its outbox entry, which may be gone; "" none */
        /* "people": JSON array: normalised addresses that take part */
        const char **people;
        size_t n_people;
        /* "to_name", "to_addr": whom REPLY answers: his last mail's */
        const char *to_name;
        const char *to_addr; /*   Reply-To when of his own domain, else From */
        const char *cc; /* "cc": JSON array of addresses of his last mail less ours */
        const char *last_mid; /* "last_mid": Message-ID for In-Reply-To */
        /* "refs": JSON array of Message-IDs: the first and the last few */
        const char *refs;
        /* "last_cmd": hash of agent and words of the last change by command */
        const char *last_cmd;
        /* "last_ans": its answer (RESP), for a repeat without a key */
        const char *last_ans;
        int64_t last_cmd_ms; /* "last_cmd_at" */
        struct clocks clocks; /* "clocks": promises, escalation, reminders */

        struct class class_doc; /* the class's document, read along */
        struct customer customer; /* read along */
};

/* From the flat field/value list of HGETALL (n_pairs pairs). ERR_REJECT names the
 * field that cannot be. The class and customer are filled by the store client. */
int ticket_from_fields(const char *id, const char *const *fields, const size_t *lens,
    size_t n_pairs, struct arena *a, struct ticket *out, struct err *err);

/* The ticket document of PROTOCOL.md. messages: finished documents, oldest first,
 * each text cut at 32 KB and the whole at max bytes, newest kept (then
 * "truncated": true); log: finished entries; deliveries: JSON by message id.
 * n_messages 0 and log NULL with summary = true gives the summary. */
struct ticket_document {
        const struct ticket *ticket;
        const char *const *messages; /* JSON documents */
        size_t n_messages;
        const char *const *log; /* JSON documents */
        size_t n_log;
        const char *const *delivery; /* pairs: message id, JSON array of deliveries */
        size_t n_delivery; /* pairs */
        const char *draft; /* JSON document, NULL or "" none */
        bool summary;
        size_t max_bytes; /* 256 KB by default */
};
void ticket_document_format(const struct ticket_document *d, struct buf *out);

#endif
