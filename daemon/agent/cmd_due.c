/*
 * DUE: a promise made by hand ("we call on Friday at three"). What becomes of it is the
 * law's (queue/ticket_clock.c); it does not wait while the ticket is with its customer.
 */
#include <string.h>

#include "daemon/agent/agent.h"

#define DUE_TEXT_MAX 1024u /* bytes: it stands in every document of the ticket */

static int
due_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;

        if (strlen(call_arg(c, "text")) > DUE_TEXT_MAX)
                return err_code(err, ERR_REJECT, "BADARG",
                    "text: expected at most %u bytes; NOTE takes more", DUE_TEXT_MAX);
        call_event(c, &v->ticket, EVENT_DUE, &e);
        e.until_ms = call_time(c, "time", 0);
        e.text = call_arg(c, "text");
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_due(struct call *c)
{
        static const struct change_plan plan = {due_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}
