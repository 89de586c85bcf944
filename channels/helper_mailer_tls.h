/*
 * helpline-mailer's TLS, and the watch over STARTTLS. Apart from helper_mailer.h,
 * because OpenSSL's headers and daemon/base/err.h both have a name ERR_STATE.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MAILER_TLS_H
#define HELPLINE_CHANNELS_HELPER_MAILER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- helper_mailer_guard.c: pure; watches for plain text injected at STARTTLS ---- */
struct mailer_guard {
        bool asked; /* STARTTLS was written */
        bool answered; /* its whole reply was read since, */
        bool injected; /* and something stood behind it */
        bool refused; /* the handshake was made to fail for it */
        size_t n_line; /* bytes of the reply's present line */
        char line[4]; /* its first bytes */
};
void mailer_guard_wrote(struct mailer_guard *g, const char *p, size_t n);
void mailer_guard_read(struct mailer_guard *g, const char *p, size_t n);
/* Is what comes now surely the TLS handshake? */
bool mailer_guard_is_clean(const struct mailer_guard *g);

/* ---- helper_mailer_tls.c ---- */
struct smtp_session;
struct ssl_ctx_st;
/* A context for this host, given to the session; NULL when it cannot be made.
 * required: the certificate must be good and of this name; else any will do (better
 * than plain text). The guard is asked in either case. */
struct ssl_ctx_st *mailer_tls_new(struct smtp_session *session, const char *host,
    bool required, struct mailer_guard *guard);
void mailer_tls_free(struct ssl_ctx_st *ctx);
/* What is wrong with the relay's certificate, "" nothing known. Static string. */
const char *mailer_tls_fault(void);

#endif
