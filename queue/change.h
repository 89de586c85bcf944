/*
 * A change: what one event does to one ticket, as a list of primitive steps that
 * the script (verbs put and commit) checks as a whole and then writes as a whole.
 *
 * Built by ticket_apply() (queue/ticket.h) and by intake; carried out by
 * store_put() and store_commit(). Pure data; everything is copied into its arena.
 */
#ifndef HELPLINE_QUEUE_CHANGE_H
#define HELPLINE_QUEUE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/model/class.h"
#include "daemon/model/message.h"

struct change_arg {
        const char *s;
        size_t len;
};

struct change {
        struct arena *arena;
        const char *ticket; /* "" : a new one (put only) */
        uint64_t version; /* guard: the version it was decided on; 0 for a new one */
        bool bump; /* does it count as a change (version + 1)? TOUCH does not */
        struct change_arg *args; /* the steps, flat; queue/lua/ knows their shape */
        size_t n_args;
        unsigned n_steps;
        /* id of the message it adds ("1042.3"), "" when none or new ticket */
        const char *new_message;
};

void change_init(struct change *c, struct arena *a, const char *ticket, uint64_t version);

void change_set(struct change *c, const char *field, const char *value);
void change_setn(struct change *c, const char *field, int64_t value);
/* The field becomes the id of the message this change adds (known only to the script). */
void change_set_new(struct change *c, const char *field);
/* Append a message document (its tail, see message_format_tail). */
void change_message(struct change *c, const char *tail, size_t len);
/* A ticket's log entry: {"at","who","event","from","to","why"}. "" leaves a member out. */
void change_log(struct change *c, int64_t at_ms, const char *who, const char *event,
    const char *from, const char *to, const char *why);
/* The journal (and so SUBSCRIBE, EVENTS): event word of queue/events.def. */
void change_journal(struct change *c, const char *event, const char *agent,
    const char *line, const char *who, const char *why);
/* A clock of this ticket: kind lease, own, wait, close; at_ms 0 takes it away. */
void change_due(struct change *c, const char *kind, int64_t at_ms);
/* Into its class's queue at v; the class's text is stored if new. */
void change_enter_class(
    struct change *c, const char *class_id, const char *class_text, int64_t v_us);
/* The calendar that comes with a new class (nothing when it has none): before its class. */
void change_calendar(struct change *c, const struct class *k);
/* Of that class, but into no queue; the class's text is stored if new. */
void change_class(struct change *c, const char *class_id, const char *class_text);
/* Into his own queue at v, kept for him until then (sets own, owner, until and the
 * clock); he is absent, offline or full: into his deputy's; nobody of them is there: into
 * its class at once. */
void
change_enter_own(struct change *c, const char *agent, int64_t v_us, int64_t until_ms);
/* Out of whichever queue it is in (its class's or own:<owner>). */
void change_leave_queue(struct change *c);
/* Capacity: he holds it no longer (the only way to hold is pull). */
void change_unhold(struct change *c, const char *agent);
/* He has finished one of a line with a wrap-up time: nothing new for him until then. */
void change_wrap_up(struct change *c, const char *agent, int64_t until_ms);
/* He is not offered this ticket until then; 0: he may have it again. */
void change_skip(struct change *c, const char *agent, int64_t until_ms);
/* It is another customer's: "c17", or an address or number we know; the commit fails with
 * NOSUCH when there is none. */
void change_customer(struct change *c, const char *key);
/* Its owner becomes whoever stands for him: his deputy when he is absent. */
void change_stand_in(struct change *c, const char *agent);
/* The ticket counts as open (in `open`, its class referenced) or no longer. */
void change_open(struct change *c, bool open, const char *class_id);
/* What follows is another ticket's, guarded by its version; "" and 0: a new one, whose
 * number then stands for "$ticket$" in every step and in the commit's answer. */
void change_ticket(struct change *c, const char *ticket, uint64_t version, bool bump);
/* All of another change, behind what there is: both happen or none. */
void change_join(struct change *c, const struct change *other);
/* Is asked of "a:<agent>" or "l:<line>" since at_ms ("$new": the message this change
 * adds); 0: no longer. */
void change_asked(struct change *c, const char *who, const char *message, int64_t at_ms);
/* Learn a Message-ID (hash of it, 400 d) so that an answer finds this ticket. */
void change_learn_mid(struct change *c, const char *message_id);
/* How a Message-ID (without < >) is spelled in its key. */
#define MID_HASH_LEN 32
void mid_hash(const char *message_id, char out[MID_HASH_LEN + 1]);
/* Delivery document of an outgoing message: t:<id>:d[message] = JSON array. "$new":
 * the message this change adds. */
void change_delivery(struct change *c, const char *message, const char *json);

/* One more ticket tagged so: counted for keep_ms, so many of them at most (no more need be
 * known). What store_facts() tells. */
void change_count_tag(struct change *c, const char *tag, int64_t keep_ms, unsigned max);

struct telling_new { /* an agent is told something about the ticket */
        const char *key; /* with once_ms: once by this key and agent; "" : each time */
        int64_t once_ms;
        /* word of queue/events.def; on his `me` channel; "" : the mail alone */
        const char *event;
        const char *agent;
        const char *line;
        const char *who; /* who tells it: "rules", "helpline" */
        const char *why; /* one sentence */
        /* a mail, too (kind notice): his own address, "" none; from our account */
        const char *mail;
        const char *account;
        const char *language;
};
void change_tell(struct change *c, const struct telling_new *t);

struct outbox_new {
        const char *kind; /* "reply", "ack", "ask", "reminder" or "notice" */
        /* id of the message it carries; "$new": the one this change adds; "" ack */
        const char *message;
        const char *account; /* our address it is sent from */
        const char *template; /* ack, reminder: template name, rendered when claimed */
        const char *language;
        const char **to; /* envelope recipients */
        size_t n_to;
        int64_t due_ms; /* not before */
};
/* A new outbox entry (its number is given by the script). */
void change_outbox_new(struct change *c, const struct outbox_new *o);
/* Change or end an entry: fields as pairs; due_ms -1 leaves its clock, 0 takes it away. */
void change_outbox_set(struct change *c, const char *entry, const char *const *pairs,
    size_t n_pairs, int64_t due_ms);
/* Take a message's entry back; the commit fails with ERR_STATE once it has left or is
 * being sent. */
void change_unsend(struct change *c, const char *message);
void change_outbox_end(struct change *c, const char *entry); /* delivered or dropped */
void
change_outbox_dead(struct change *c, const char *entry, int64_t at_ms); /* dead letter */

struct change_report { /* what a mail system says became of one recipient of an entry */
        const char
            *ticket; /* the one the entry is of, which may since be part of another */
        const char *entry; /* by a Message-ID whose signature was right */
        const char *state; /* refused, deferred, sent (delivered for sure) */
        const char *address; /* normalised, "" not told */
        const char *reply; /* the words of the server that refused, "" none */
        const char *status; /* "5.1.1", "" not told */
        bool permanent;
        int64_t at_ms; /* when it was told */
};
/* Into the delivery document of the message that the entry carried, on the entry (one that
 * is over is there again, as a dead letter) and on the customer's address; told twice it
 * changes nothing (put only, beside the report's own message). */
void change_report(struct change *c, const struct change_report *r);
/* A person has written from this address: what was refused to it is over (put only). */
void change_heard(struct change *c, const char *address);
/* Keep bytes aside: a quarantine entry (why: one sentence; raw: blob reference). */
void change_quarantine(struct change *c, const char *account, const char *why,
    const char *raw, int64_t at_ms);

#endif
