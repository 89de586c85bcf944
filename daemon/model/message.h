/*
 * A message: one thing that came in or went out. A plain record; lives in one
 * arena; strings are never NULL.
 *
 * Its JSON (member names beside the fields) is at once what the mime helper
 * answers, what lies in the store under t:<id>:m (finished, with "v":1) and what
 * stands in a ticket document's "messages" (PROTOCOL.md).
 */
#ifndef HELPLINE_MODEL_MESSAGE_H
#define HELPLINE_MODEL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/model/call.h"
#include "daemon/model/understood.h"

enum message_direction { MESSAGE_IN, MESSAGE_OUT, MESSAGE_NOTE };
enum message_kind {
        MESSAGE_MESSAGE, /* a person wrote it */
        MESSAGE_AUTO_REPLY, /* "auto-reply": a machine answered */
        MESSAGE_BOUNCE,
        MESSAGE_REPORT,
        MESSAGE_LIST,
        MESSAGE_THANKS,
        MESSAGE_CALL,
        MESSAGE_FORM
};
const char *message_direction_name(enum message_direction d);
const char *message_kind_name(enum message_kind k);
bool message_kind_parse(const char *s, enum message_kind *out);

struct mail_address {
        const char *name; /* "name": decoded display name, "" when none */
        /* "address": local@domain as written, domain lower-case; "" unknown */
        const char *address;
};

struct attachment {
        const char *part; /* "part": "2" or "2.1": its place in the MIME tree */
        const char *name; /* "name": file name, no path; "" when none */
        const char *type; /* "type": "image/png" */
        int64_t size; /* "size": decoded bytes */
        const char *sha256; /* "sha256": of the decoded bytes, lower-case hex */
        bool is_inline; /* "inline": shown inside the text, by Content-ID */
};

struct header {
        const char *name; /* as written */
        const char *value; /* unfolded, decoded to UTF-8 */
};

/* Where the raw bytes lie (queue/blob.h gives the meaning); opaque outside. */
struct blob_ref {
        uint32_t segment; /* 0: none */
        uint64_t offset; /* of the record in its segment */
        uint64_t length; /* of the raw bytes */
        char sha256[65]; /* of the raw bytes, lower-case hex */
};

struct delivery { /* of one recipient of an outgoing message; kept in t:<id>:d */
        const char *address;
        const char *state; /* held queued sent deferred refused */
        int64_t at_us;
        const char *reply; /* the server's last words */
};

struct form_field { /* one field of a web form as it was sent */
        const char *name; /* as declared: "product" */
        const char *label; /* as the customer saw it */
        const char **values; /* several for choices that repeat */
        size_t n_values;
};

struct form_data { /* "form": {"name","fields":{name: value or [values]},"consent"} */
        const char *name; /* of the form block: "contact" */
        struct form_field *fields;
        size_t n_fields;
        /* what was agreed to, as it was shown, by whom and when; "" none */
        const char *consent_text;
        const char *consent_address;
        int64_t consent_at_us;
};

struct message {
        struct arena *arena; /* owns this record and all it points to */

        const char *id; /* "id": "1042.1"; "" before put has given one */
        enum message_direction direction; /* "direction": in out note */
        enum message_kind kind; /* "kind" */
        const char *channel; /* "channel": email web phone */
        const char *account; /* "account": "support@romashka.ru" */
        const char *author; /* "author": the agent who wrote it (out, note), else "" */

        struct mail_address from; /* "from" */
        struct mail_address *to; /* "to" */
        size_t n_to;
        struct mail_address *cc; /* "cc" */
        size_t n_cc;
        struct mail_address reply_to; /* "reply_to" or null */
        const char *envelope_from; /* "envelope_from": "" is the null sender */
        bool has_envelope; /* false: envelope_from is not known */

        const char *message_id; /* "message_id": without < > */
        const char **in_reply_to; /* "in_reply_to": ids without < > */
        size_t n_in_reply_to;
        const char **references; /* "references" */
        size_t n_references;

        int64_t sent_at_us; /* "sent_at": the Date field; 0 unknown or impossible */
        int64_t received_at_us; /* "received_at" */
        const char *subject; /* "subject": decoded, one line */
        const char *text; /* "text": all of it, UTF-8, \n */
        const char *new_text; /* "new_text": only where it differs from text, else "" */
        bool from_html; /* "from_html": text was made out of HTML */
        bool truncated; /* "truncated": text was longer */
        bool header_only; /* "header_only": its parser failed; raw bytes in quarantine */
        const char *language; /* "language": "ru" or "en" */
        /* "machine": the mark of a machine ("null sender"), "" none: with one nothing is
         * sent to its sender by itself. What it counts as is its kind: a person's mail
         * that some system marked has kind message and a mark. */
        const char *machine;

        struct attachment *attachments; /* "attachments" */
        size_t n_attachments;
        /* "raw": {"segment","offset","length","sha256"}; absent when none */
        struct blob_ref raw;
        const char *phone; /* "phone": the sender's number (E.164), "" unknown */
        struct form_data *form; /* "form" or null */
        struct phone_call *call; /* "call" or null: daemon/model/call.h */

        struct notice *notices; /* "notices" */
        size_t n_notices;
        struct mail_report *report; /* "report", NULL: none */
        struct forwarded_mail *forwarded; /* "forwarded", NULL: none */

        /* Not part of the stored document (helper -> intake only): */
        struct finding *findings; /* "findings" */
        size_t n_findings;
        struct header *headers; /* "headers": [["Name","value"], ...] in order */
        size_t n_headers;
        const char *digest; /* "digest": for "seen before" */
};

/* A new record in an arena of its own: all strings "", kind message, in. */
struct message *message_new(void);
void message_free(struct message **m);
/* Appends a finding; printf-like why. At most 200 of 300 bytes each, what is more is left
 * out. */
void message_find(struct message *m, const char *about, const char *found,
    const char *why_format, ...) __attribute__((format(printf, 4, 5)));
/* Appends a notice; at most 100. */
void message_notice(struct message *m, const char *kind, const char *part,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The first header of that name (case-insensitive), or NULL. */
const char *message_header(const struct message *m, const char *name);

/* Writes the members from "direction" on, WITHOUT the opening brace, "v" and "id"
 * (put adds `{"v":1,"id":"1042.1",` in front because only it knows the number):
 *     "direction":"in",...}
 */
void message_format_tail(const struct message *m, struct buf *out);
/* The whole document, with id. */
void message_format(const struct message *m, struct buf *out);
/* Reads hostile JSON (max 8 MB) into a new record. -1 with *err naming the
 * member; unknown members are ignored, absent ones are empty. */
int message_parse(const char *json, size_t n, struct message **out, struct err *err);

/* ---- addresses ---- */
/* The form in which addresses are compared and keyed: lower-case (ASCII and
 * Unicode simple), blanks trimmed, no < >, domain without trailing dot; "" when
 * it is no address (no @, blanks or controls inside, over 254 bytes). */
const char *address_normalise(struct arena *a, const char *address);
/* May it go on an SMTP command line: one @, printable, no blank < > CR LF NUL,
 * at most 254 bytes? */
bool address_is_safe(const char *address);

#endif
