/*
 * What intake judges about a mail by its header alone: is it machine mail, whom
 * would an answer go to. Pure; see intake.h. Which marks count, and why:
 * docs/mail.md is for administrators.
 */
#include "daemon/intake.h"

#include <string.h>
#include <strings.h>

#include "config/config.h"

/* The first word of a header's value, up to ; or blank, compared without case. */
static bool
word_is(const char *value, const char *word)
{
        size_t n;

        value += strspn(value, " \t");
        n = strcspn(value, "; \t(");
        return n == strlen(word) && strncasecmp(value, word, n) == 0;
}

static bool
has_word(const char *value, const char *word)
{
        return strcasestr(value, word) != NULL;
}

static bool
precedence_is_machine(const struct message *m)
{
        static const char *const words[] = {
            "bulk", "junk", "list", "auto_reply", "auto-reply"};

        for (size_t i = 0; i < m->n_headers; i++) /* it may stand twice: any counts */
                for (size_t k = 0; k < sizeof words / sizeof *words; k++)
                        if (strcasecmp(m->headers[i].name, "Precedence") == 0 &&
                            word_is(m->headers[i].value, words[k]))
                                return true;
        return false;
}

/* Is the local part one that only machines have? */
static bool
is_daemon_address(const char *address)
{
        static const char *const locals[] = {
            "mailer-daemon@", "postmaster@", "mail-daemon@"};

        for (size_t i = 0; i < sizeof locals / sizeof *locals; i++)
                if (strncasecmp(address, locals[i], strlen(locals[i])) == 0)
                        return true;
        return false;
}

static bool
judge(struct message *m, enum message_kind kind, const char *why)
{
        m->kind = kind;
        m->machine = why;
        return true;
}

/* multipart/report says itself what it reports (RFC 6522, 3464, 8098, 5965). */
static bool
judge_report(struct message *m)
{
        const char *type = message_header(m, "Content-Type");

        if (type == NULL || !word_is(type, "multipart/report"))
                return false;
        if (has_word(type, "delivery-status"))
                return judge(m, MESSAGE_BOUNCE, "multipart/report delivery-status");
        return judge(m, MESSAGE_REPORT, "multipart/report");
}

static bool
judge_marks(struct message *m)
{
        const char *v = message_header(m, "Auto-Submitted");

        if (v != NULL && !word_is(v, "no"))
                return judge(m, MESSAGE_AUTO_REPLY, "Auto-Submitted");
        if (message_header(m, "List-Id") != NULL)
                return judge(m, MESSAGE_LIST, "List-Id");
        if (precedence_is_machine(m))
                return judge(m, MESSAGE_AUTO_REPLY, "Precedence");
        v = message_header(m, "X-Auto-Response-Suppress");
        if (v != NULL && !word_is(v, "none"))
                return judge(m, MESSAGE_AUTO_REPLY, "X-Auto-Response-Suppress");
        if (message_header(m, "X-Autoreply") != NULL ||
            message_header(m, "X-Autorespond") != NULL)
                return judge(m, MESSAGE_AUTO_REPLY, "X-Autoreply");
        v = message_header(m, "X-Apple-Action");
        if (v != NULL && has_word(v, "VACATION"))
                return judge(m, MESSAGE_AUTO_REPLY, "X-Apple-Action");
        return false;
}

void
mail_judge(struct message *m, const struct config *c, bool own_token)
{
        m->kind = MESSAGE_MESSAGE;
        m->machine = "";
        if (own_token || config_is_ours(c, m->from.address)) {
                judge(m, MESSAGE_AUTO_REPLY, "our own mail");
                return;
        }
        if (judge_report(m))
                return;
        if (is_daemon_address(m->from.address)) {
                judge(m, MESSAGE_BOUNCE, "sent by a mail system");
                return;
        }
        if (judge_marks(m))
                return;
        if (m->has_envelope && *m->envelope_from == '\0')
                judge(m, MESSAGE_AUTO_REPLY, "null sender");
}

const char *
mail_answer_address(const struct message *m, struct arena *a)
{
        const char *from = address_normalise(a, m->from.address);
        const char *reply = address_normalise(a, m->reply_to.address);
        const char *domain = strrchr(from, '@');

        if (*reply == '\0' || domain == NULL)
                return *from != '\0' ? from : reply;
        return strcmp(strrchr(reply, '@'), domain) == 0 ? reply : from;
}
