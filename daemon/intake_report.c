/*
 * What is done with a report about a mail of ours: which entry of the outbox it is about,
 * and what became of its recipients; see intake_impl.h.
 *
 * Only what bears our signature counts: the Message-ID that the mail system sends back is
 * in the mail that left, so who knows it was sent that mail. Another returned Message-ID,
 * or the ticket's number in the returned subject, may tell where the report is filed; it
 * marks nothing.
 *
 * All of it goes into the put that files the report, so it happens with it or not at all;
 * the script knows what was told before. Nothing is ever sent because of a report.
 */
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/intake_impl.h"

#define MAX_RETURNED 6 /* of our ids in one report */

void
job_collect_returned(struct job *j)
{
        const struct mail_report *r = j->message->report;
        const struct message *m = j->message;

        j->reported = (struct email_id){.ticket = ""};
        if (r == NULL)
                return;
        for (size_t i = 0; i < r->n_returned_ids; i++) {
                if (*job_own_ticket(j, r->returned_ids[i]) == '\0')
                        continue;
                add_unique(
                    j->arena, &j->mids, &j->n_mids, MAX_RETURNED, r->returned_ids[i]);
                if (i == 0) /* the returned mail's own; the others it only refers to */
                        email_id_parse(r->returned_ids[i], &j->reported);
        }
        for (size_t i = 0; r->n_returned_ids == 0 && i < m->n_in_reply_to; i++)
                if (*j->reported.ticket == '\0' &&
                    *job_own_ticket(j, m->in_reply_to[i]) != '\0')
                        email_id_parse(m->in_reply_to[i], &j->reported);
}

const char *
job_returned_tag(struct job *j)
{
        const struct mail_report *r = j->message->report;
        char tag[20];

        if (r == NULL || !subject_tag_find(r->returned_subject, tag))
                return "";
        return arena_strdup(j->arena, tag);
}

bool
job_returned_to(struct job *j, const struct ticket *t)
{
        const struct mail_report *r = j->message->report;

        for (size_t i = 0; r != NULL && i < r->n_recipients; i++)
                if (ticket_takes_part(
                        t, address_normalise(j->arena, r->recipients[i].address)))
                        return true;
        return false;
}

/* refused, deferred or sent; "" : nothing that lasts is said of him. */
static const char *
recipient_state(const struct mail_report *r, const struct report_recipient *x)
{
        if (strcmp(x->action, "failed") == 0)
                return "refused";
        if (strcmp(x->action, "delayed") == 0)
                return "deferred";
        if (strcmp(x->action, "delivered") == 0)
                return "sent";
        if (*x->action != '\0')
                return "";
        return strcmp(r->type, "failure") == 0 ? "refused"
               : strcmp(r->type, "delay") == 0 ? "deferred"
                                               : "";
}

static void
report_one(struct job *j, struct change *c, const struct report_recipient *x)
{
        struct change_report r = {
            .ticket = j->reported.ticket,
            .entry = j->reported.entry,
            .state = recipient_state(j->message->report, x),
            .address = address_normalise(j->arena, x->address),
            .reply = *x->reply != '\0' ? x->reply : x->reason,
            .status = x->status,
            .permanent = x->permanent,
            .at_ms = clock_now_ms(),
        };

        if (*r.state == '\0')
                return;
        if (strcmp(r.state, "sent") == 0 && *r.reply == '\0')
                r.reply = "delivered";
        if (strcmp(r.state, "refused") == 0 && *j->undelivered == '\0')
                j->undelivered = arena_printf(j->keep, "%s: %s", x->address,
                    *r.reply != '\0'    ? r.reply
                    : *r.status != '\0' ? r.status
                                        : "its mail system says it was not delivered");
        change_report(c, &r);
}

void
job_report(struct job *j, const struct ticket *own, struct change *c)
{
        const struct mail_report *r = j->message->report;
        struct report_recipient nobody = {"", "", "", "", "", false};

        j->undelivered = "";
        if (r == NULL || own == NULL || *j->reported.ticket == '\0' ||
            (strcmp(r->type, "failure") != 0 && strcmp(r->type, "delay") != 0 &&
                strcmp(r->type, "success") != 0))
                return;
        for (size_t i = 0; i < r->n_recipients; i++)
                report_one(j, c, &r->recipients[i]);
        if (r->n_recipients == 0)
                report_one(j, c, &nobody);
}

void
job_tell_undelivered(struct job *j, const char *ticket)
{
        struct desk *d = j->intake->desk;

        if (*j->undelivered == '\0')
                return;
        log_error("UNDELIVERED",
            "ticket=%s entry=%s why=%s (it had left; helpline outbox show, retry, drop)",
            ticket, j->reported.entry, log_quote(j->undelivered));
        alert_tell(&d->alerts, d->config, ALERT_MAIL, j->undelivered);
}
