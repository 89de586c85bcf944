/*
 * TLS for libesmtp: a context of our own for each job, because the library's own
 * is freed while still in use; at most TLS 1.2, because with 1.3 it can wait for
 * ever for an answer to what it has not sent; the name of the relay as configured
 * in SNI and in the check of the certificate, because the library sends none and
 * checks the canonical name.
 *
 * One job at a time: the host and the guard are those of the job.
 */
#include <stddef.h> /* libesmtp.h needs it first */

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <libesmtp.h>
#include <string.h>

#include "channels/helper_mailer_tls.h"

static struct {
        const char *host; /* of the job's relay */
        bool required; /* its certificate must be good */
        struct mailer_guard *guard; /* what stood behind the reply to STARTTLS? */
        const char *fault; /* of the certificate, "" none known */
} tls;

static bool
host_is_number(const char *host)
{
        return strspn(host, "0123456789.") == strlen(host);
}

/* The handshake begins: tell the name, and whose certificate is wanted. */
static void
tls_info_cb(const SSL *s, int where, int ret)
{
        SSL *ssl = (SSL *)s; /* the callback's type promises too much */

        (void)ret;
        if (!(where & SSL_CB_HANDSHAKE_START) || !SSL_in_before(s))
                return;
        if (host_is_number(tls.host)) {
                X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls.host);
                return;
        }
        SSL_set_tlsext_host_name(ssl, tls.host);
        SSL_set1_host(ssl, tls.host);
}

/* Instead of the library's check of the chain: 1 goes on with the handshake. */
static int
tls_verify_cb(X509_STORE_CTX *chain, void *arg)
{
        (void)arg;
        if (!mailer_guard_is_clean(tls.guard)) {
                tls.guard->refused = true;
                X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
                return 0;
        }
        if (X509_verify_cert(chain) == 1 || !tls.required)
                return 1;
        tls.fault = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
        return 0;
}

struct ssl_ctx_st *
mailer_tls_new(struct smtp_session *session, const char *host, bool required,
    struct mailer_guard *guard)
{
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

        if (ctx == NULL || !smtp_starttls_set_ctx(session, ctx)) {
                SSL_CTX_free(ctx);
                return NULL;
        }
        tls.host = host;
        tls.required = required;
        tls.guard = guard;
        tls.fault = "";
        SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
        SSL_CTX_set_default_verify_paths(ctx);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(ctx, tls_verify_cb, NULL);
        SSL_CTX_set_info_callback(ctx, tls_info_cb);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        return ctx;
}

void
mailer_tls_free(struct ssl_ctx_st *ctx)
{
        SSL_CTX_free(ctx);
}

const char *
mailer_tls_fault(void)
{
        return tls.fault == NULL ? "" : tls.fault;
}
