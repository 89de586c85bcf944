/* Inside channels/helper_mime_report*.c. */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_REPORT_IMPL_H
#define HELPLINE_CHANNELS_HELPER_MIME_REPORT_IMPL_H

#include "channels/helper_mime_report.h"

#define REPORT_MAX_LINES 5000u
#define REPORT_MAX_LINE 16384u /* bytes of one looked at */
#define REPORT_MAX_REPLY 500u
#define REPORT_MAX_WORDS 4000u /* bytes of words about one recipient looked at */

/* One recipient while it is understood. */
struct draft {
        const char *address; /* as told, "" unknown */
        const char *final; /* the address it became on the way, "" the same */
        const char *action; /* "" not told */
        const char *status; /* "" not told */
        const char *diagnostic; /* what the last server said, "" not told */
        const char *words; /* what else the report says about it */
        bool after_data; /* the answer was to the text, not to the recipient */
};

struct report_lines {
        struct bounce_line *list;
        size_t n;
};

/* One report while it is understood. */
struct reporting {
        struct message *m;
        struct arena *a; /* the message's */
        struct arena *scratch;
        const struct report_pieces *p;
        const struct bounce_set *set; /* may be NULL */
        const struct bounce_system *system; /* the one recognised, NULL none */
        const char *by; /* ... by this sentence */
        struct report_lines lines; /* of the text */
        size_t end; /* the first line of the returned mail among them, or n */
        struct draft *drafts;
        size_t n_drafts;
        const char *type;
        const char *how; /* the evidence, for the finding */
};

/* helper_mime_report.c */
struct report_lines report_split(struct arena *a, const char *s, size_t n);
struct draft *report_add(struct reporting *r, const char *address);
/* Does the line fit a list of the system recognised, or of "other"? */
bool report_fits(const struct reporting *r, enum bounce_list list,
    const struct bounce_line *l, struct bounce_captures *c);
/* The first address in a field value or a line; "" none. */
const char *report_address_in(struct arena *a, const char *s, size_t n);

/* helper_mime_report_status.c: delivery-status fields -> drafts; false: none there. */
bool report_status_read(struct reporting *r, const char *s, size_t n);
/* Where such fields begin in the lines of the text; n: nowhere. */
size_t report_status_in_text(const struct reporting *r);

/* helper_mime_report_prose.c: what the text says; true: it is a report. */
bool report_prose_read(struct reporting *r);
/* The words of the text about each draft that a status part gave. */
void report_prose_complete(struct reporting *r);
/* Where the returned mail begins in the lines. */
size_t report_find_end(const struct reporting *r);

/* helper_mime_report_judge.c: draft -> recipient: status, reply, reason, permanent. */
void
report_judge(struct reporting *r, const struct draft *d, struct report_recipient *to);
/* Bytes before the first SMTP reply or enhanced status in s; n: there is none. */
size_t report_reply_at(const char *s, size_t n);

/* helper_mime_report_returned.c: ids and subject of the returned mail. */
struct returned_mail {
        const char *from, *sender, *subject;
        const char *to; /* raw To and Cc */
};
void report_returned(struct reporting *r, struct returned_mail *out);
void report_ids(struct reporting *r, struct mail_report *to);

#endif
