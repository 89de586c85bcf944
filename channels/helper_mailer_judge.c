/*
 * What became of a mail, and what may be given to the library at all. Pure.
 *
 * libesmtp's own "it worked" is true even when nothing was sent, and its message
 * status is 250 even when the only recipient was refused (PIPELINING). So only
 * codes are believed, and both of them: delivered is the message AND the
 * recipient. 5xx is for good; everything else may have been or not: again, with
 * the same Message-ID.
 */
#include <ctype.h>
#include <string.h>

#include "channels/helper_mailer.h"
#include "daemon/model/message.h"

static bool
is_class(const struct mailer_words *w, int class)
{
        return w->code / 100 == class;
}

bool
mailer_is_login_refusal(int code)
{
        return code == 530 || code == 534 || code == 535 || code == 538;
}

static void
judge_as(struct mailer_recipient *out, enum mail_fate fate, const struct mailer_words *w)
{
        out->fate = fate;
        out->code = w->code;
        out->reply = w->text;
}

void
mailer_judge(const struct mailer_words *sender, const struct mailer_words *rcpt,
    const struct mailer_words *message, struct mailer_recipient *out)
{
        const struct mailer_words *const all[] = {sender, rcpt, message};

        for (size_t i = 0; i < 3; i++) {
                if (mailer_is_login_refusal(all[i]->code)) {
                        judge_as(out, MAIL_DEFERRED, all[i]);
                        return;
                }
                if (is_class(all[i], 5)) {
                        judge_as(out, MAIL_REFUSED, all[i]);
                        return;
                }
                if (is_class(all[i], 4)) {
                        judge_as(out, MAIL_DEFERRED, all[i]);
                        return;
                }
        }
        if (is_class(rcpt, 2) && is_class(message, 2))
                judge_as(out, MAIL_SENT, message);
        else
                judge_as(out, MAIL_DEFERRED,
                    &(struct mailer_words){
                        0, "the relay did not say what became of the mail"});
}

bool
mailer_address_is_plain(const char *address)
{
        for (const char *p = address; *p != '\0'; p++)
                if (*p <= ' ' || *p >= 0x7f)
                        return false;
        return address_is_safe(address);
}

/* Lines end in CRLF, nothing is 8-bit, nothing is longer than SMTP has it. */
static bool
bytes_are_plain(const char *p, size_t n)
{
        size_t line = 0;

        for (size_t i = 0; i < n; i++) {
                if (p[i] == '\n') {
                        if (i == 0 || p[i - 1] != '\r')
                                return false;
                        line = 0;
                        continue;
                }
                if (p[i] == '\r' ? i + 1 == n || p[i + 1] != '\n'
                                 : p[i] == '\0' || (unsigned char)p[i] >= 0x80)
                        return false;
                if (++line > 999)
                        return false;
        }
        return n >= 2 && p[n - 1] == '\n';
}

static bool
host_is_plain(const char *host)
{
        size_t n = strlen(host);

        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char)host[i]) && strchr(".-_", host[i]) == NULL)
                        return false;
        return n > 0 && n <= 253;
}

const char *
mailer_job_fault(const struct mailer_job *j)
{
        if (!host_is_plain(j->host))
                return strchr(j->host, ':') != NULL
                           ? "libesmtp takes no IPv6 address as relay: write its name"
                           : "the relay's host name is no host name";
        if (j->port == 0 || j->port > 65535)
                return "the relay's port is no port";
        if (j->timeout_ms <= 0)
                return "the job has no time-out";
        if (*j->envelope_from != '\0' && !mailer_address_is_plain(j->envelope_from))
                return "the sender's address cannot go on an SMTP command line";
        if (!bytes_are_plain(j->bytes, j->len))
                return "the message is not 7-bit with CRLF line ends";
        if (*j->user != '\0' && !j->starttls && !mailer_host_is_loopback(j->host))
                return "a login over plain text is refused: the relay must offer "
                       "STARTTLS";
        return "";
}

bool
mailer_host_is_loopback(const char *host)
{
        return strcasecmp(host, "localhost") == 0 ||
               (strncmp(host, "127.", 4) == 0 &&
                   strspn(host, "0123456789.") == strlen(host));
}
