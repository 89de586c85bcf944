/*
 * What was understood of a mail beyond its fields: what a report reports, the mail
 * forwarded in it, what an agent must be told, and the evidence of each decision. Made
 * by helper-mime, completed by intake. Plain data in the message's arena; strings are
 * never NULL.
 */
#ifndef HELPLINE_MODEL_UNDERSTOOD_H
#define HELPLINE_MODEL_UNDERSTOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One decision and its evidence, for `helpline explain` and the debug log; not stored.
 * "findings": [["charset", "koi8-r", "part 1 says iso-8859-1; letter frequency"], ...] */
struct finding {
        const char *about; /* charset sender date structure text trim report kind
                              language thread ... */
        const char *found;
        const char *why;
};

/* What an agent must know of a part that was not opened, or not as sent.
 * "notices": [{"kind","part","text"}], stored, English, one sentence. */
struct notice {
        const char *kind; /* smime pgp partial external-body outlook-msg calendar tnef
                             uuencode structure ... */
        const char *part; /* "2.1", "" the whole mail */
        const char *text;
};

/* One recipient of a report (RFC 3464 2.3, or what the text says). */
struct report_recipient {
        const char *address; /* "address": the original recipient if told; "" unknown */
        const char *action; /* "action": failed delayed delivered relayed expanded */
        const char *status; /* "status": "5.1.1" (RFC 3463), "" unknown */
        const char *reply; /* "reply": "550 5.1.1 no such user", "" unknown; 500 bytes */
        const char *reason; /* "reason": unknown-user mailbox-full too-big rejected
                               blocked host expired system ..., "" unknown */
        bool permanent; /* "permanent": another try is of no use */
};

/* "report": {...} or absent: no report. The recipients whose action is "failed" stand in
 * a ticket document as "failed_recipients" too. */
struct mail_report {
        /* "type": failure delay success abuse disposition (read receipts) other */
        const char *type;
        const char *system; /* "system": file of config/bounces, "rfc3464" ..., "" */
        struct report_recipient *recipients; /* "recipients" */
        size_t n_recipients;
        const char **returned_ids; /* "returned_ids": Message-IDs that the returned mail
                                      names: its own first, then what looks like ours */
        size_t n_returned_ids;
        const char *returned_subject; /* "returned_subject": "" unknown */
};

/* The mail that this one forwards. "forwarded": {...} or absent. */
struct forwarded_mail {
        const char *name; /* of its first sender, "" unknown */
        const char *address; /* "" unknown */
        const char *subject;
        int64_t sent_at_us; /* 0 unknown */
        const char *message_id; /* of an attached one, "" unknown */
        const char *part; /* of an attached one "2", "" it stands in the text */
        const char *text; /* what it says, as far as known */
        bool whole; /* beside it the mail says nothing, or a few words only */
};

#endif
