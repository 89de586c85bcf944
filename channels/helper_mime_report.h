/*
 * Is this mail a report about another mail, and what does it say? RFC 3462/6522, 3464
 * (delivery status), 8098 (disposition), 5965 (abuse), and the mail systems that never
 * heard of them: their words are data (config/bounces.h). Pure and linear.
 *
 * Only what reports is read: whether a report is about a mail of ours is intake's
 * question (returned_ids).
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_REPORT_H
#define HELPLINE_CHANNELS_HELPER_MIME_REPORT_H

#include "config/bounces.h"
#include "daemon/base/buf.h"
#include "daemon/model/message.h"

#define REPORT_MAX_PIECE (256u << 10) /* bytes kept of each piece */
#define REPORT_MAX_RECIPIENTS 100
#define REPORT_MAX_IDS 20

/* What the walk over the parts found. Each may be empty. */
struct report_pieces {
        struct buf status; /* message/delivery-status (and global-), one after another */
        struct buf disposition; /* message/disposition-notification */
        struct buf feedback; /* message/feedback-report */
        struct buf
            returned; /* header (and beginning) of the returned mail: message/rfc822,
                                text/rfc822-headers, message/global */
        struct buf
            text; /* of the mail, as UTF-8 (of HTML: made text); whole, untrimmed */
};
#define REPORT_PIECES_INIT                                                               \
        {                                                                                \
                BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT                         \
        }
void report_pieces_free(struct report_pieces *p);

/* Sets m->report when it is one, and findings "report" with the evidence. m has its
 * headers, from, subject. set may be NULL: only the standards. */
void mime_report(
    struct message *m, const struct report_pieces *p, const struct bounce_set *set);

#endif
