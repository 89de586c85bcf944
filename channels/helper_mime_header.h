/*
 * What stands in header fields: encoded words (RFC 2047), addresses (RFC 5322,
 * and what people write instead), message ids, dates. Own code, linear and
 * tolerant, and without the tree: a mail that kills its walk still has a sender and a
 * subject.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_HEADER_H
#define HELPLINE_CHANNELS_HELPER_MIME_HEADER_H

#include <stddef.h>

#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_text.h"
#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/model/message.h"

/* Appends a raw field value as one clean line of UTF-8: unfolded, encoded words
 * decoded, raw 8-bit bytes understood. */
void mime_header_decode(struct buf *out, const char *raw, size_t n);
/* The same as a string in the arena, blanks at its ends removed. */
const char *mime_header_text(struct arena *a, const char *raw, size_t n);

/* The same with what is known: hint is the charset of the mail's texts (iconv's name, ""
 * unknown); *verdict (may be NULL) tells what was not as declared. */
void mime_header_decode_as(struct buf *out, const char *raw, size_t n, const char *hint,
    struct charset_verdict *verdict);

/* A parameter ("filename", "name", "charset") of the raw value of Content-Type or
 * Content-Disposition, as one clean line: in pieces and with percent escapes (RFC 2231),
 * in encoded words, with quotes or without. "" when it is not there. */
const char *mime_header_parameter(
    struct arena *a, const char *raw, size_t n, const char *name, const char *hint);

/* Appends the mailboxes of a raw address field to list (arena_grow), until it
 * holds max. Groups are flattened; an address in a name or a comment counts where there
 * is no other; what holds none becomes a name alone. */
void mime_header_addresses(struct arena *a, const char *raw, size_t n,
    struct mail_address **list, size_t *n_list, size_t max);

/* Appends the ids of a raw Message-ID, In-Reply-To or References field, without
 * < >, blanks inside removed. */
void mime_header_ids(struct arena *a, const char *raw, size_t n, const char ***list,
    size_t *n_list, size_t max);

/* A Date field in microseconds since 1970, in any form that programs have written it; 0
 * when it is unreadable, impossible (30 Feb), before 1980 or after 2100. */
int64_t mime_header_date(const char *raw, size_t n);

/* Reads a whole header block into m: the header list (at most max bytes decoded),
 * from, to, cc, reply_to, message_id, in_reply_to, references, sent_at, subject.
 * Where a field stands twice the first that says something counts; To and Cc are
 * joined. When From has no address, Sender, Reply-To or Return-Path give it. All that was
 * not as it should be leaves a finding: charset, sender, subject, date. */
void mime_header_read(struct message *m, const char *block, size_t n, size_t max);
/* The same with the whole mail at hand: raw bytes in its header are read as the charset of
 * its texts. */
void mime_header_read_mail(
    struct message *m, const char *raw, size_t n, const struct prescan *p, size_t max);

#endif
