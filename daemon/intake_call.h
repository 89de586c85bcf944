/*
 * What a telephone call does to the desk, by the options of its exchange. Pure.
 */
#ifndef HELPLINE_DAEMON_INTAKE_CALL_H
#define HELPLINE_DAEMON_INTAKE_CALL_H

#include "config/config.h"
#include "daemon/model/call.h"
#include "daemon/model/ticket.h"

enum call_action {
        CALL_NOTHING, /* it is not kept */
        CALL_OPENS, /* a new ticket */
        CALL_REPEATS, /* the customer's message on the ticket */
        CALL_NOTED, /* a note on the ticket */
        CALL_RESOLVES /* a note on the ticket, and it is done: we have called back */
};
struct call_choice {
        enum call_action action;
        const struct ticket *ticket; /* NULL with NOTHING and OPENS */
};

/* recent: the customer's newest tickets, the newest first (NULL: one that is gone). Calls
 * are compared by their own times, so a log that is read late, or twice, does the same. */
void call_decide(const struct phone_call *c, const struct phone_options *o,
    const struct ticket *const *recent, size_t n_recent, int64_t now_ms,
    struct call_choice *out);

#endif
