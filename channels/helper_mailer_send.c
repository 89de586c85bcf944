/*
 * One mail to one relay through libesmtp.
 *
 * The order is libesmtp's: connect, STARTTLS, AUTH, MAIL, RCPT, DATA, QUIT. The
 * moment the relay has answered the final dot (SMTP_EV_MESSAGESENT) all codes are
 * known, so they are judged there and then: whatever happens later (a QUIT that
 * is never answered, the watchdog) cannot make a delivered mail look undelivered.
 *
 * Killed before: the daemon knows nothing and sends again with the same
 * Message-ID. One job at a time; `now` is the one under way.
 */
#include <stddef.h> /* libesmtp.h needs it first */

#include <auth-client.h>
#include <errno.h>
#include <libesmtp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "channels/helper_mailer.h"
#include "daemon/base/crash.h"

#define STEPS 6 /* of the dialogue, each of at most timeout_ms */
#define BYTES_PER_MS 8 /* a relay that takes less than 8 KB/s is too slow */
#define OVERALL_MAX 280000 /* ms; the daemon kills what takes 300 s */
#define LAST_WORDS 200

static struct { /* the job under way */
        const struct mailer_job *job;
        struct arena *arena; /* of the answer */
        struct mailer_answer *answer;
        smtp_session_t session;
        smtp_message_t message;
        smtp_recipient_t *recipients; /* of the job, NULL where it was not given over */
        struct mailer_guard guard;
        bool has_begun; /* MAIL was written */
        bool is_judged;
        bool is_given; /* the library has taken the bytes of the message */
        char last[LAST_WORDS + 1]; /* the relay's last line */
        size_t n_last;
        bool last_is_whole;
        char refusal[LAST_WORDS + 1]; /* the first line that was a 4xx or 5xx */
        struct buf known; /* for the watchdog, formatted */
        bool is_known;
} now;

int64_t
mailer_overall_ms(const struct mailer_job *j)
{
        int64_t ms = STEPS * j->timeout_ms + (int64_t)(j->len / BYTES_PER_MS);

        return ms < OVERALL_MAX ? ms : OVERALL_MAX;
}

const struct buf *
mailer_known(void)
{
        return now.is_known ? &now.known : NULL;
}

/* What the watchdog would say now. */
static void
known_set(void)
{
        now.is_known = false;
        buf_clear(&now.known);
        mailer_answer_format(now.answer, &now.known);
        now.is_known = true;
}

/* ---- what was said ---- */

/* A status of the library as one line: "550 5.1.1 no such user". */
static struct mailer_words
words_of(const smtp_status_t *s)
{
        struct mailer_words w = {0, ""};
        char *text;

        if (s == NULL || s->code == 0)
                return w;
        w.code = s->code;
        if (s->enh_class > 0)
                text = arena_printf(now.arena, "%d %d.%d.%d %s", s->code, s->enh_class,
                    s->enh_subject, s->enh_detail, s->text == NULL ? "" : s->text);
        else
                text = arena_printf(
                    now.arena, "%d %s", s->code, s->text == NULL ? "" : s->text);
        for (size_t n = strlen(text); n > 0 && (unsigned char)text[n - 1] <= ' '; n--)
                text[n - 1] = '\0';
        w.text = text;
        return w;
}

/* Every recipient that was given over, from the codes as they are now. */
static void
answer_judge(void)
{
        struct mailer_words sender = words_of(smtp_reverse_path_status(now.message));
        struct mailer_words message = words_of(smtp_message_transfer_status(now.message));

        if (sender.code != 0)
                now.has_begun = true;
        for (size_t i = 0; i < now.job->n_to; i++) {
                struct mailer_words rcpt;

                if (now.recipients[i] == NULL)
                        continue;
                rcpt = words_of(smtp_recipient_status(now.recipients[i]));
                mailer_judge(&sender, &rcpt, &message, &now.answer->recipients[i]);
        }
        /* a relay that does not let us in has been given nothing: the next one may be */
        now.answer->connected = now.has_begun && !mailer_is_login_refusal(sender.code);
}

/* ---- callbacks of the library ---- */

static void
last_line_end(void)
{
        now.last_is_whole = true;
        if (*now.refusal == '\0' && (now.last[0] == '4' || now.last[0] == '5'))
                memcpy(now.refusal, now.last, sizeof now.refusal);
}

/* What the relay says, line by line. */
static void
last_words_note(const char *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (now.last_is_whole)
                        now.n_last = 0;
                now.last_is_whole = false;
                if ((unsigned char)p[i] >= ' ' && now.n_last < LAST_WORDS)
                        now.last[now.n_last++] = p[i];
                now.last[now.n_last] = '\0';
                if (p[i] == '\n')
                        last_line_end();
        }
}

static void
monitor_cb(const char *p, int n, int writing, void *arg)
{
        (void)arg;
        if (n <= 0)
                return;
        if (writing == SMTP_CB_WRITING) {
                mailer_guard_wrote(&now.guard, p, (size_t)n);
                if (!now.has_begun && memmem(p, (size_t)n, "MAIL FROM:", 10) != NULL) {
                        now.has_begun = true;
                        now.answer->connected = true;
                        known_set();
                }
        } else if (writing == SMTP_CB_READING) {
                mailer_guard_read(&now.guard, p, (size_t)n);
                last_words_note(p, (size_t)n);
        }
}

static void
event_cb(smtp_session_t session, int event, void *arg, ...)
{
        va_list ap;

        (void)session;
        va_start(ap, arg);
        switch (event) {
        case SMTP_EV_MESSAGESENT:
                answer_judge();
                now.is_judged = true;
                known_set();
                crash_point("mailer.sent");
                break;
        case SMTP_EV_INVALID_PEER_CERTIFICATE:
                (void)va_arg(ap, long);
                *va_arg(ap, int *) = !now.job->starttls;
                break;
        case SMTP_EV_WRONG_PEER_CERTIFICATE:
                /* our own check of the configured name has passed, or none is asked */
                *va_arg(ap, int *) = 1;
                break;
        default: /* events are the library's; the others tell nothing we act on */
                break;
        }
        va_end(ap);
}

/* The message in one piece; len NULL: begin again. */
static const char *
message_cb(void **ctx, int *len, void *arg)
{
        (void)ctx; /* the library would free it */
        (void)arg;
        if (len == NULL || now.is_given) {
                now.is_given = false;
                return NULL;
        }
        now.is_given = true;
        *len = (int)now.job->len;
        return now.job->bytes;
}

static int
login_cb(auth_client_request_t request, char **result, int fields, void *arg)
{
        (void)arg;
        for (int i = 0; i < fields; i++) {
                if (request[i].flags & AUTH_PASS)
                        result[i] = (char *)now.job->password;
                else if (request[i].flags & AUTH_USER)
                        result[i] = (char *)now.job->user;
                else
                        result[i] = NULL;
        }
        return 1;
}

/* ---- the session ---- */

static void
session_times(smtp_session_t s, int64_t ms)
{
        static const int which[] = {Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA,
            Timeout_TRANSFER, Timeout_DATA2};

        for (size_t i = 0; i < sizeof which / sizeof *which; i++)
                smtp_set_timeout(
                    s, which[i] | Timeout_OVERRIDE_RFC2822_MINIMUM, (long)ms);
        mailer_socket_limit(ms);
}

static bool
session_message(smtp_session_t s)
{
        bool any = false;

        now.message = smtp_add_message(s);
        if (now.message == NULL ||
            !smtp_set_reverse_path(now.message,
                *now.job->envelope_from == '\0' ? NULL : now.job->envelope_from) ||
            !smtp_set_messagecb(now.message, message_cb, NULL))
                return false;
        smtp_size_set_estimate(now.message, now.job->len);
        for (size_t i = 0; i < now.job->n_to; i++) {
                if (!mailer_address_is_plain(now.job->to[i])) {
                        now.answer->recipients[i] =
                            (struct mailer_recipient){now.job->to[i], MAIL_REFUSED, 553,
                                "not sent: no address that SMTP can carry"};
                        continue;
                }
                now.recipients[i] = smtp_add_recipient(now.message, now.job->to[i]);
                if (now.recipients[i] == NULL)
                        return false;
                any = true;
        }
        if (!any)
                now.is_judged = true;
        return true;
}

/* TLS as the job wants it: required, or when offered but not on this machine. */
static bool
session_tls(smtp_session_t s, struct ssl_ctx_st **ctx)
{
        const struct mailer_job *j = now.job;

        if (!j->starttls && mailer_host_is_loopback(j->host))
                return smtp_starttls_enable(s, Starttls_DISABLED);
        *ctx = mailer_tls_new(s, j->host, j->starttls, &now.guard);
        return *ctx != NULL && smtp_starttls_enable(
                                   s, j->starttls ? Starttls_REQUIRED : Starttls_ENABLED);
}

static bool
session_login(smtp_session_t s, auth_context_t *auth)
{
        if (*now.job->user == '\0')
                return true;
        auth_client_init();
        *auth = auth_create_context();
        return *auth != NULL && auth_set_mechanism_flags(*auth, AUTH_PLUGIN_PLAIN, 0) &&
               auth_set_interact_cb(*auth, login_cb, NULL) &&
               smtp_auth_set_context(s, *auth);
}

/* ---- why ---- */

static const char *
why_not(int errnum)
{
        const struct mailer_job *j = now.job;
        char words[160];

        if (now.guard.refused)
                return arena_printf(now.arena,
                    "somebody put plain text behind the reply of %s:%u to STARTTLS: "
                    "nothing was handed over",
                    j->host, j->port);
        if (now.guard.asked && now.guard.answered)
                return arena_printf(now.arena, "TLS with %s:%u failed: %s", j->host,
                    j->port,
                    *mailer_tls_fault() == '\0' ? "no reason known" : mailer_tls_fault());
        if (*now.refusal != '\0')
                return arena_printf(
                    now.arena, "%s:%u said: %s", j->host, j->port, now.refusal);
        if (now.n_last > 0 && strncmp(now.last, "334", 3) != 0) /* no login's challenge */
                return arena_printf(now.arena, "%s:%u broke off after saying: %s",
                    j->host, j->port, now.last);
        if (errnum == -EINPROGRESS ||
            errnum == EINPROGRESS) /* SO_SNDTIMEO of connect() */
                return arena_printf(now.arena, "no answer from %s:%u within %lld ms",
                    j->host, j->port, (long long)j->timeout_ms);
        return arena_printf(now.arena, "cannot speak to %s:%u: %s", j->host, j->port,
            smtp_strerror(errnum, words, sizeof words) == NULL ? "no reason known"
                                                               : words);
}

static void
answer_why(int errnum)
{
        struct mailer_answer *r = now.answer;
        bool all_sent = true;

        for (size_t i = 0; i < r->n_recipients; i++)
                if (r->recipients[i].fate != MAIL_SENT)
                        all_sent = false;
        if (!all_sent)
                r->why = why_not(errnum);
}

/* ---- the job ---- */

static void
session_run(void)
{
        auth_context_t auth = NULL;
        struct ssl_ctx_st *ctx = NULL;
        char server[300];
        smtp_session_t s = smtp_create_session();
        bool ready;
        int errnum = 0;

        now.session = s;
        snprintf(server, sizeof server, "%s:%u", now.job->host, now.job->port);
        ready = s != NULL && smtp_set_server(s, server) && session_message(s) &&
                session_tls(s, &ctx) && session_login(s, &auth);
        if (ready && !now.is_judged) {
                session_times(s, now.job->timeout_ms);
                smtp_set_monitorcb(s, monitor_cb, NULL, 0);
                smtp_set_eventcb(s, event_cb, NULL);
                known_set();
                smtp_start_session(s); /* its result means nothing */
                errnum = smtp_errno();
                answer_judge();
        } else if (!ready) {
                errnum = smtp_errno();
        }
        answer_why(errnum);
        if (s != NULL)
                smtp_destroy_session(s);
        if (auth != NULL)
                auth_destroy_context(auth);
        if (ctx != NULL)
                mailer_tls_free(ctx);
}

void
mailer_send(const struct mailer_job *j, struct arena *a, struct mailer_answer *out)
{
        const char *fault = mailer_job_fault(j);

        *out = (struct mailer_answer){
            .recipients = arena_alloc(a, j->n_to * sizeof *out->recipients),
            .n_recipients = j->n_to,
            .why = fault};
        for (size_t i = 0; i < j->n_to; i++)
                out->recipients[i] = (struct mailer_recipient){
                    j->to[i], MAIL_DEFERRED, 0, "the mail was not handed over"};
        if (*fault != '\0')
                return;
        buf_fini(&now.known);
        memset(&now, 0, sizeof now);
        now.job = j;
        now.arena = a;
        now.answer = out;
        now.recipients = arena_alloc(a, j->n_to * sizeof(smtp_recipient_t));
        session_run();
        now.is_known = false;
}
