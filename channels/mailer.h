/*
 * What the daemon and helpline-mailer say to each other (worker.h frames).
 *
 * Job 'S': mailer_job_format(): one mail to one relay. Answer 'R': what the
 * server said of the message and of each recipient. Both sides are in
 * channels/mailer.c; the daemon reads answers as hostile.
 */
#ifndef HELPLINE_CHANNELS_MAILER_H
#define HELPLINE_CHANNELS_MAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"

struct mailer_job {
        const char *host;
        unsigned port;
        const char *user, *password; /* "" none */
        bool starttls; /* required */
        const char *envelope_from; /* "" : the null sender */
        const char **to;
        size_t n_to;
        const char *bytes; /* the whole message, CRLF */
        size_t len;
        int64_t timeout_ms; /* for each step of the dialogue */
};

enum mail_fate { MAIL_SENT, MAIL_DEFERRED, MAIL_REFUSED };
struct mailer_recipient {
        const char *address;
        /* sent: message 2xx AND recipient 2xx; 5xx refused; all else deferred */
        enum mail_fate fate;
        int code; /* 0 unknown */
        const char *reply; /* the server's words, one line, at most 200 bytes */
};
struct mailer_answer {
        struct mailer_recipient *recipients; /* in the order of the job */
        size_t n_recipients;
        /* false: nothing was handed over (not reached, no TLS, greeting or login
         * refused): try the next relay */
        bool connected;
        const char *why; /* one sentence when something failed, else "" */
};

void mailer_job_format(const struct mailer_job *j, struct buf *out);
int mailer_job_parse(
    const char *p, size_t n, struct arena *a, struct mailer_job *out, struct err *err);
void mailer_answer_format(const struct mailer_answer *r, struct buf *out);
int mailer_answer_parse(const char *p, size_t n, const struct mailer_job *job,
    struct arena *a, struct mailer_answer *out, struct err *err);

#endif
