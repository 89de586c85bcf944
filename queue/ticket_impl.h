/*
 * What the files of the law share: queue/ticket.c (the life of a ticket and the
 * pieces of changes), ticket_move.c, ticket_ask.c, ticket_join.c, ticket_clock.c.
 *
 * A new event: a member of enum ticket_event_type, a row in its file's table, a
 * function. The function reads l->t and l->e, refuses by err_code() or adds steps to
 * l->c; it never looks at a clock or the store.
 */
#ifndef HELPLINE_QUEUE_TICKET_IMPL_H
#define HELPLINE_QUEUE_TICKET_IMPL_H

#include "queue/ticket.h"

#define LAW_SKIP_MS 600000 /* who gave it away is not offered it so long */

struct law_after { /* what an event has made of the ticket: for its clocks */
        enum ticket_state state;
        bool stands; /* promises stand still: it is with the customer */
        bool asked; /* that begins with this event */
        bool anew; /* a new start in its line */
        bool sent; /* an answer to the customer */
};

struct law { /* what its functions pass along */
        const struct ticket *t;
        const struct ticket_event *e; /* no string of it is NULL */
        struct arena *a;
        struct change *c;
        struct law_after *after; /* noted by the pieces below */
};

enum law_states { /* a row's set of states */
        IN_QUEUED = 1u << TICKET_QUEUED,
        IN_HELD = 1u << TICKET_HELD,
        IN_WAITING = 1u << TICKET_WAITING,
        IN_RESOLVED = 1u << TICKET_RESOLVED,
        IN_CLOSED = 1u << TICKET_CLOSED,
        IN_MERGED = 1u << TICKET_MERGED,
        IN_OPEN = IN_QUEUED | IN_HELD | IN_WAITING
};

struct law_row { /* what may happen when */
        enum ticket_event_type type;
        const char *name; /* as refusals call it: "REPLY"; NULL ends a table */
        unsigned states; /* IN_* */
        int (*apply)(const struct law *l, struct err *err);
};

extern const struct law_row law_of_moves[];
extern const struct law_row law_of_asking[];
extern const struct law_row law_of_joining[];
extern const struct law_row law_of_clocks[];

/* ---- who may ---- */

/* Is it in the acting agent's hands? Else NOTHELD (and says whose), or STATE. */
int law_holds(const struct law *l, struct err *err);
/* Nothing unseen is answered: STALE when the customer wrote since. */
int law_seen(const struct law *l, struct err *err);
/* The number behind the point in "1042.7"; -1 when it is no message of this ticket. */
long law_message_number(const struct ticket *t, const char *message);
/* Who left no address with a form reads the answer on his page of the ticket. */
bool law_answers_on_page(const struct law *l);

/* ---- pieces of changes ---- */

void law_add_message(const struct law *l); /* l->e->message */
void law_journal(const struct law *l, const char *event, const char *why);
void law_log(const struct law *l, const char *event, const char *from, const char *to);
/* The holder shows that he is at it: the lease begins anew. */
void law_renew(const struct law *l);
/* Out of the holder's hands; nothing when nobody holds it. */
void law_unhold(const struct law *l);
void law_set_state(const struct law *l, enum ticket_state s);
/* v of a start at now in the ticket's class. */
int64_t law_start(const struct ticket *t, int64_t now_ms);
/* Into its class, at v. */
void law_queue(const struct law *l, int64_t v_us);
/* From now on its steps and its line's time count. */
void law_set_entered(const struct law *l);
/* Queued with a new start, preferred to its last holder for e->own_ms. */
void law_queue_anew(const struct law *l);
/* It waits no longer: date, and the customer's time, are over. */
void law_leave_waiting(const struct law *l);
/* With the customer from now on: the holder is its owner, promises wait. until 0: no date. */
void law_wait_customer(const struct law *l, int64_t until_ms);
/* An answer to the customer: message, its delivery document, its outbox entry. */
void law_send(const struct law *l);
void law_resolve(const struct law *l);
/* The customer has his answer: what the ticket is then (waiting, resolved, held). */
void law_answered(const struct law *l, const char *status);

/* ---- ticket_ask.c ---- */
/* The answer waits for its tutor instead of being sent. */
int law_hold_answer(const struct law *l, const char *status, struct err *err);
/* The answer that waits for its tutor is taken back, by who wrote it or by him. */
int law_refuse_answer(const struct law *l, struct err *err);
/* Out of the trainee's hands: his waiting answer is never sent. */
void law_drop_answer(const struct law *l);
void law_drop_draft(const struct law *l);
/* Nobody need answer the open questions any more. */
void law_end_asking(const struct law *l);
/* `consults` becomes those of the JSON that (its) belong to the ticket, or do not. */
void
law_consults_set(const struct law *l, const char *json, const char *ticket, bool its);
/* Those of another ticket are added. */
void law_consults_join(const struct law *l, const char *json);

/* Of e->priority and e->class_doc from now on, with the start it had. */
void law_raise(const struct law *l);

/* ---- clocks ---- */
/* After each event: what becomes of the ticket's clocks. */
void law_clocks(const struct law *l);
/* Of a new ticket that waits for an agent. */
void law_birth_clocks(const struct ticket_birth *b, struct change *c);

#endif
