/*
 * Mail out: from a record to the bytes of an RFC 5322 message. Pure.
 *
 * 7-bit headers (RFC 2047 encoded words cut between characters, lines at most 76),
 * UTF-8 text as quoted-printable or base64 whichever is shorter, CRLF everywhere
 * (libesmtp needs it). Nothing from outside gets into a header but through these
 * encoders, so there is no header injection.
 */
#ifndef HELPLINE_CHANNELS_EMAIL_COMPOSE_H
#define HELPLINE_CHANNELS_EMAIL_COMPOSE_H

#include <stdbool.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/model/message.h"

struct mail_out {
        struct mail_address from;
        const struct mail_address *to;
        size_t n_to;
        const struct mail_address *cc;
        size_t n_cc;
        const char *subject; /* whole, with tag */
        const char *message_id; /* without < > */
        const char *in_reply_to; /* without < >, "" none */
        const char *const *
            references; /* oldest first; the first and the last few are sent (998 bytes) */
        size_t n_references;
        int64_t date_us;
        /* Auto-Submitted: auto-replied, X-Auto-Response-Suppress: All, Precedence:
         * bulk not */
        bool is_automatic;
        const char *language; /* Content-Language, "" none */
        const char *text; /* UTF-8, \n */
};

/* -1 with ERR_REJECT naming the address that cannot be written. */
int mail_compose(const struct mail_out *m, struct buf *out, struct err *err);
/* Can it be written into a header and an envelope: plainly one address, ASCII? */
bool mail_address_is_plain(const char *address);
/* One header, folded and encoded: "Subject: =?utf-8?B?...?=\r\n". */
void mail_header_add(struct buf *out, const char *name, const char *value);

#endif
