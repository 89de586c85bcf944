/*
 * helpline-mailer inside: one mail to one relay through libesmtp, with the ways
 * round what was measured to be wrong with it. Only for channels/helper_mailer*.c
 * and the tests.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MAILER_H
#define HELPLINE_CHANNELS_HELPER_MAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channels/helper_mailer_tls.h"
#include "channels/mailer.h"

/* ---- helper_mailer_send.c ---- */
/* All the time the dialogue of this job may take. */
int64_t mailer_overall_ms(const struct mailer_job *j);
/* Blocks until it is done; out (strings in a) has one entry a recipient. */
void mailer_send(const struct mailer_job *j, struct arena *a, struct mailer_answer *out);
/* What is known of the job under way, finished and formatted: for the watchdog's
 * signal handler. NULL when there is none. */
const struct buf *mailer_known(void);

/* ---- helper_mailer_judge.c: pure ---- */
struct mailer_words { /* what a server said of one thing; code 0: nothing */
        int code;
        const char *text; /* with the enhanced code, one line */
};
/* The fate of one recipient from what was said of the sender (MAIL), of him (RCPT)
 * and of the message (after the final dot). Fills fate, code, reply. */
void mailer_judge(const struct mailer_words *sender, const struct mailer_words *rcpt,
    const struct mailer_words *message, struct mailer_recipient *out);
/* Our login is wrong or missing: the administrator's matter, not the mail's. */
bool mailer_is_login_refusal(int code);
/* "" or why this job cannot be given to the library as it is. */
const char *mailer_job_fault(const struct mailer_job *j);
/* May it go on an SMTP command line without SMTPUTF8? */
bool mailer_address_is_plain(const char *address);
/* The same machine: plain text and AUTH without TLS are allowed there. */
bool mailer_host_is_loopback(const char *host);

/* ---- helper_mailer_socket.c ---- */
/* Connects of TCP sockets made from now on end within ms. */
void mailer_socket_limit(int64_t ms);

#endif
