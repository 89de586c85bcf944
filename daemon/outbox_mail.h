/*
 * Outbox, the pure part: what an entry looks like as a mail, and what the fates of
 * its recipients make of it.
 */
#ifndef HELPLINE_DAEMON_OUTBOX_MAIL_H
#define HELPLINE_DAEMON_OUTBOX_MAIL_H

#include "channels/mailer.h"
#include "config/config.h"
#include "config/template.h"
#include "daemon/model/message.h"
#include "daemon/model/ticket.h"
#include "queue/store.h"

struct outbox_key { /* the desk's newest secret */
        char id;
        const uint8_t *secret; /* 32 bytes */
};

/* Is it rendered from a template when it is sent (an acknowledgement, a notice), not a
 * message of its ticket? */
bool outbox_is_rendered(const struct outbox_entry *e);

/* Nobody wrote it by hand: acknowledgement, question, notice. */
bool outbox_is_automatic(const struct outbox_entry *e);

/* An automatic mail that was not sent within a day (rehearsal, relay away) never is:
 * it would only puzzle. */
bool outbox_is_late(const struct outbox_entry *e, int64_t now_ms);

/* The message an entry carries, out of the documents read: a new one, to be freed;
 * NULL when it is not among them. */
struct message *outbox_message(const struct ticket_view *v, const struct outbox_entry *e);

/* What the mail says; m as below; secret: the desk's newest, for the customer's link to
 * his ticket, or NULL. ERR_CONFIG: the template. */
int outbox_words(const struct config *c, const struct outbox_entry *e,
    const struct ticket *t, const struct message *m, const uint8_t *secret,
    struct arena *a, struct template_mail *out, struct err *err);

/* The bytes of the mail: m is the message it carries, NULL for an acknowledgement.
 * ERR_CONFIG: account or template; ERR_REJECT: it can never be written. */
int outbox_render(const struct config *c, const struct outbox_entry *e,
    const struct ticket *t, const struct message *m, const struct outbox_key *key,
    struct arena *a, struct buf *out, struct err *err);

/* One delivery a recipient of the entry, in its order, from what is stored. */
struct delivery *outbox_deliveries(const struct outbox_entry *e, struct arena *a);
/* Was this recipient served, or must he be tried (again)? */
bool outbox_is_served(const struct delivery *d);
/* Notes what became of the recipients of one try (found by address). */
void outbox_note(struct delivery *d, size_t n, const struct mailer_answer *r,
    int64_t now_us, struct arena *a);
/* As it is kept in t:<id>:d. give_up: those still deferred are told as refused. */
void outbox_deliveries_format(
    const struct delivery *d, size_t n, bool give_up, struct buf *out);

enum outbox_verdict {
        OUTBOX_SENT, /* everybody has it: the entry ends */
        OUTBOX_AGAIN, /* somebody is deferred: after the back-off */
        OUTBOX_DEAD /* refused for good, or given up: a dead letter */
};
enum outbox_verdict outbox_judge(const struct delivery *d, size_t n, int64_t backoff_ms);

#endif
