/*
 * What speaks for a machine as the writer of a mail, weighed. Pure.
 *
 * Each piece of evidence has a weight; MARKS_MACHINE and more is a machine. One mark that
 * ticket systems, gateways and lists put on people's mails as well weighs less, however
 * often it stands there: of evidence of EVIDENCE_SYSTEM only the heaviest counts.
 * Whatever the sum is, a mail with any evidence is not acknowledged.
 */
#ifndef HELPLINE_DAEMON_INTAKE_MARKS_H
#define HELPLINE_DAEMON_INTAKE_MARKS_H

#include "config/config.h"
#include "daemon/model/message.h"

#define MARKS_MACHINE 100 /* this much and it is a machine's */
#define MARKS_MAX 24 /* pieces of evidence kept */

enum evidence_of {
        EVIDENCE_CLAIM, /* only programs that answer say this of a mail */
        EVIDENCE_SYSTEM, /* a system marked it, perhaps a person's */
        EVIDENCE_SENDER, /* who it is from */
        EVIDENCE_WORDS, /* what it says */
        EVIDENCE_PERSON, /* against a machine: weighs less than nothing */
        EVIDENCE_LIST, /* it came through a list */
        EVIDENCE_BULK, /* it went to many */
        EVIDENCE_QUIET /* says nothing of its writer, but forbids an acknowledgement */
};

struct evidence {
        enum evidence_of of;
        int weight;
        /* what a machine's mail with it is: auto-reply, bounce, report */
        enum message_kind kind;
        const char *mark; /* "Auto-Submitted" */
        const char *seen; /* "auto-replied", "" : it is there */
};

struct marks {
        struct evidence list[MARKS_MAX];
        size_t n;
        int sum; /* the heaviest of EVIDENCE_SYSTEM and all of CLAIM, SENDER, WORDS, PERSON */
        enum message_kind kind; /* of the heaviest */
        unsigned n_list, n_bulk;
        const char *first; /* the mark to name: the heaviest, "" none */
};

void marks_weigh(const struct message *m, const struct config *c, struct marks *out);
/* "Auto-Submitted: auto-replied (100), null sender (45)" */
const char *marks_format(const struct marks *k, struct arena *a);

/* An address that no person reads: noreply@, bounces+…@. */
bool address_is_unread(const char *address);

/* ---- daemon/intake_words.c ---- */
struct marked_words {
        const char *words; /* folded */
        enum message_kind kind;
        int weight;
        int weight_colon; /* of a subject: a colon stands behind it */
};
/* How a subject begins; NULL: like a person's. subject is folded. */
const struct marked_words *words_of_subject(const char *subject, int *weight);
/* The next phrase in n bytes of folded text from *from on, which goes behind it; NULL: no
 * more. Linear. */
const struct marked_words *words_of_text(const char *text, size_t n, size_t *from);

/* ---- daemon/intake_thanks.c ---- */
/* Does the text say thanks (or that it works now), and nothing else? */
bool thanks_only(const char *text, struct arena *a);
/* An answer whose new text is only thanks, with no file of use. */
bool mail_is_thanks(const struct message *m);

#endif
