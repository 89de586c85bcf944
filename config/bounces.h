/*
 * The words of mail systems that report in prose: one file a system in config/bounces
 * (shipped) and CONFDIR/bounces (the administrator's, looked at first). Documented in
 * bounces(5). Read by helpline-mime before it locks itself in, and by `helpline check`.
 *
 * Patterns are of our own making and match one line each, in linear time.
 */
#ifndef HELPLINE_CONFIG_BOUNCES_H
#define HELPLINE_CONFIG_BOUNCES_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/arena.h"
#include "daemon/base/err.h"
#include "daemon/model/message.h"

struct bounce_set; /* immutable once loaded */
struct bounce_system; /* one file; belongs to its set */

/* Reads all *.conf of the folders in this order, a name only once (the first wins). A
 * folder that is not there is empty. NULL with *err: file:line:column and what to do. */
struct bounce_set *bounces_load(const char *const *dirs, size_t n_dirs, struct err *err);
void bounces_free(struct bounce_set **s);
/* How many systems it knows. */
size_t bounces_count(const struct bounce_set *s);

/* Where the files lie: CONFDIR/bounces (not when confdir is NULL), $HELPLINE_BOUNCES,
 * config/bounces of the tree this program was built in, PREFIX/share/helpline/bounces. */
#define BOUNCES_MAX_DIRS 4
size_t
bounces_dirs(struct arena *a, const char *confdir, const char *out[BOUNCES_MAX_DIRS]);

/* ---- lines ---- */

/* One line of a text, without blanks at its ends, and the same folded for comparison,
 * byte for byte as long. */
struct bounce_line {
        const char *s;
        const char *folded;
        size_t n;
};
/* Folds n bytes of UTF-8 into to (n bytes): letters without case, ё as е; what would
 * change its length stays. */
void bounces_fold(char *to, const char *s, size_t n);

/* What a pattern captured: bytes of the line, NULL when it captures no such thing. */
struct bounce_capture {
        const char *s;
        size_t n;
};
struct bounce_captures {
        struct bounce_capture address; /* {address}: something@something */
        struct bounce_capture status; /* {status}: 5.1.1 */
        struct bounce_capture code; /* {code}: 550 */
        struct bounce_capture reply; /* {reply}: any text */
        struct bounce_capture id; /* {id}: a Message-ID, without < > */
};

/* Bytes of the address that begins at s (folded or not): 0, none does. */
size_t bounces_address_at(const char *s, size_t n);

/* ---- one system ---- */

enum bounce_list {
        BOUNCE_FAILED, /* lines that name a recipient */
        BOUNCE_REPLY, /* lines that give the reply for the recipient before */
        BOUNCE_REPLY_AFTER, /* the reply stands in the lines behind this one */
        BOUNCE_FAILURE, /* lines that say that something was not delivered */
        BOUNCE_DELAYED, /* ... that it is still tried */
        BOUNCE_DELIVERED, /* ... that it was delivered */
        BOUNCE_ORIGINAL, /* behind this line the returned mail begins */
        BOUNCE_CERTAIN, /* answers that are believed though they came after the text */
        BOUNCE_NOT, /* lines of texts and subjects that are no report */
        BOUNCE_SENDER, /* addresses that belong to mail systems */
        BOUNCE_N_LISTS
};

/* The system's name: of its file without .conf; and what it calls itself. */
const char *bounce_system_name(const struct bounce_system *y);
const char *bounce_system_title(const struct bounce_system *y);
/* "abuse" ... where its reports are no reports of delivery, else "". */
const char *bounce_system_type(const struct bounce_system *y);
/* Does a pattern of this list fit the line? *c (may be NULL) is what the first of them
 * captured. y may be NULL: no. */
bool bounce_system_fits(const struct bounce_system *y, enum bounce_list list,
    const struct bounce_line *l, struct bounce_captures *c);

/* The first system (in the order of names; those asking for a sender or another header
 * first) that knows the mail as its own by its header and these lines of its text, NULL
 * none. *by is its sentence as written. */
const struct bounce_system *
bounces_recognise(const struct bounce_set *s, const struct message *m,
    const struct bounce_line *lines, size_t n_lines, const char **by);
/* What all systems have in common ("other"); NULL: there is no such file. */
const struct bounce_system *bounces_other(const struct bounce_set *s);
/* Is this subject one that "other" knows reports by? */
bool bounces_subject(const struct bounce_set *s, const char *subject);

/* ---- reasons ---- */

enum bounce_permanence {
        BOUNCE_TEMPORARY, /* another try may be of use */
        BOUNCE_PERMANENT, /* it is not */
        BOUNCE_BY_STATUS /* it is not when the status begins with 5 */
};
struct bounce_reason {
        const char *name; /* "unknown-user" */
        enum bounce_permanence permanent;
        const char *status; /* of a report that gives none: "5.1.1" */
};

/* The reason these words mean (folded, blanks single): those of the system first (y may
 * be NULL), then everybody's. NULL unknown; *by (may be NULL) the pattern. */
const struct bounce_reason *bounces_reason(const struct bounce_set *s,
    const struct bounce_system *y, const char *folded, size_t n, const char **by);
/* The reason a status means ("5.1.1"), NULL unknown. */
const struct bounce_reason *
bounces_reason_of_status(const struct bounce_set *s, const char *status);

#endif
