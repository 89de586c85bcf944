/*
 * The channel of a telephone exchange: its call log as a file that grows, or pushed.
 *
 *     rows -> gathered by call until 10 s after the last one -> one message a call
 *
 * The place up to which the file is read is kept in the store and advances only over
 * records whose calls are settled, so a crash offers them again; the call's id says
 * then that it was seen.
 */
#ifndef HELPLINE_CHANNELS_PHONE_LOG_H
#define HELPLINE_CHANNELS_PHONE_LOG_H

#include "channels/channel.h"
#include "config/config.h"

struct phone_log;

struct phone_log_options {
        const struct phone_options *phone; /* copied */
        const char *country; /* calling code of national numbers, "" none */
        const char *timezone; /* the desk's, for who has none of his own */
        const char *language; /* of the messages: the desk's first */
        int64_t gather_ms; /* after the last row of a call; 0: 10 s */
        int64_t poll_ms; /* how often the file is looked at; 0: 1 s */
};

/* Never fails: a file that is not there is waited for. host is borrowed. */
struct phone_log *phone_log_open(struct loop *loop, const struct phone_log_options *o,
    const struct channel_host *host);
/* Other options for the same name and file (reload); what is under way goes on. */
void phone_log_change(struct phone_log *p, const struct phone_log_options *o);
/* Does it read this file? Another file needs another log. */
bool phone_log_reads(const struct phone_log *p, const char *file);
const char *phone_log_name(const struct phone_log *p);
/* Nothing new is read or taken; what is gathered and not delivered is read again later. */
void phone_log_drain(struct phone_log *p);
/* Out of the configuration: it is freed when what is under way has ended. */
void phone_log_retire(struct phone_log **p);
/* At once; nothing may settle its tokens any more. */
void phone_log_free(struct phone_log **p);

struct phone_pushed { /* what became of pushed records */
        enum settlement settlement; /* the worst of all; DUPLICATE when all were */
        const char *why; /* of LATER and FULL, "" */
        const char *ticket; /* of the last call that has one, "" */
        unsigned n_records; /* understood */
        unsigned n_bad; /* not understood, left out and logged */
        unsigned n_calls; /* they made */
};
typedef void (*phone_push_fn)(void *arg, const struct phone_pushed *p);
/* Records from elsewhere: lines of any of the syntaxes, JSON, XML, `cdr=` of a form,
 * base64 (by content_type, "" : by their looks). fn is called once, when all calls of them
 * are settled (10 s and more), never before this returns. -1: ERR_REJECT, no record was
 * understood (err: the first); ERR_RETRY, not now. At most 1 MB. */
int phone_log_push(struct phone_log *p, const char *content_type, const char *bytes,
    size_t len, phone_push_fn fn, void *arg, struct err *err);

struct phone_log_status {
        const char *account;
        const char *state; /* "reading" "waiting" (no file) "push" "away" (store) */
        int64_t since_ms; /* in this state */
        const char *last_error; /* "" none */
};
void phone_log_status(const struct phone_log *p, struct phone_log_status *out);

#endif
