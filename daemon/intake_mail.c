/*
 * What intake judges about a mail: a person, a machine, a report, a list, thanks; and whom
 * an answer would go to. Pure; see intake.h. The evidence is weighed in intake_marks.c;
 * why so, for administrators: docs/mail.md.
 *
 * Two decisions: `machine` names a mark, and with any nothing is sent by itself; `kind`
 * says what the mail counts as, and needs strong evidence, because a person who was taken
 * for a machine waits in vain.
 */
#include "daemon/intake.h"

#include <string.h>
#include <strings.h>

#include "channels/email_id.h"
#include "config/config.h"
#include "daemon/intake_marks.h"

/* ---- reports ---- */

static bool
type_is_report(const struct message *m)
{
        const char *type = message_header(m, "Content-Type");

        return type != NULL &&
               strncasecmp(type + strspn(type, " \t"), "multipart/report", 16) == 0;
}

static bool
subject_begins(const struct message *m, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strncasecmp(m->subject, words[i], strlen(words[i])) == 0)
                        return true;
        return false;
}

/* "I got this, what now?": who asks about a bounce is no bounce. */
static bool
report_is_quoted(const struct message *m, const struct marks *k)
{
        static const char *const words[] = {"fwd:", "fw:", "wg:", "tr:", "rv:", "re:",
            "aw:", "sv:", "vs:", "Пересл:", "ПЕРЕСЛ:", "Ответ:"};

        return !type_is_report(m) && k->sum < 45 && *m->from.address != '\0' &&
               subject_begins(m, words, sizeof words / sizeof *words);
}

/* multipart/report that nobody could read says itself what it reports (RFC 6522). */
static enum message_kind
report_kind(const struct message *m)
{
        const char *type = message_header(m, "Content-Type");

        if (m->report != NULL)
                return strcmp(m->report->type, "failure") == 0 ? MESSAGE_BOUNCE
                                                               : MESSAGE_REPORT;
        return strcasestr(type, "delivery-status") != NULL ? MESSAGE_BOUNCE
                                                           : MESSAGE_REPORT;
}

/* ---- lists ---- */

/* To the desk, or an answer on a thread of ours: whoever wrote it wrote to us. */
static bool
is_for_us(const struct message *m, const struct config *c)
{
        struct email_id id;
        char tag[20];

        for (size_t i = 0; i < m->n_to + m->n_cc; i++)
                if (config_is_ours(
                        c, i < m->n_to ? m->to[i].address : m->cc[i - m->n_to].address))
                        return true;
        for (size_t i = 0; i < m->n_in_reply_to; i++)
                if (email_id_parse(m->in_reply_to[i], &id))
                        return true;
        for (size_t i = 0; i < m->n_references; i++)
                if (email_id_parse(m->references[i], &id))
                        return true;
        return subject_tag_find(m->subject, tag);
}

static bool
is_answer_to_us(const struct message *m)
{
        static const struct config nobody;

        return is_for_us(m, &nobody);
}

static bool
has_one(const struct message *m, const char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (message_header(m, names[i]) != NULL)
                        return true;
        return false;
}

/* What goes to many and nobody can post to: a newsletter, a digest of a shop. */
static bool
is_newsletter(const struct message *m, const struct marks *k)
{
        static const char *const posted[] = {"List-Post", "Mailing-List", "X-BeenThere",
            "X-Google-Group-Id", "X-Mailman-Version", "X-Mailing-List"};
        unsigned n = k->n_bulk + (k->sum >= 40);

        if (has_one(m, posted, sizeof posted / sizeof *posted))
                return false;
        n += message_header(m, "List-Id") != NULL;
        return k->n_bulk > 0 && n >= 2;
}

/* A list's own post, a newsletter. A person who writes to us through one is none. */
static bool
is_list(const struct message *m, const struct config *c, const struct marks *k)
{
        if (is_answer_to_us(m))
                return false;
        if (is_newsletter(m, k))
                return true;
        return (k->n_list > 1 || message_header(m, "List-Id") != NULL) &&
               !is_for_us(m, c);
}

/* ---- the judgement ---- */

static void
found(struct message *m, enum message_kind kind, const char *machine, const char *why)
{
        m->kind = kind;
        m->machine = machine;
        message_find(m, "kind", message_kind_name(kind), "%s", why);
}

static void
judge_weighed(struct message *m, const struct config *c, const struct marks *k)
{
        const char *why = marks_format(k, m->arena);

        if (k->sum >= MARKS_MACHINE && k->kind != MESSAGE_AUTO_REPLY)
                found(m, k->kind, k->first, why);
        else if (is_list(m, c, k))
                found(m, MESSAGE_LIST,
                    message_header(m, "List-Id") != NULL ? "List-Id" : k->first, why);
        else if (k->sum >= MARKS_MACHINE)
                found(m, MESSAGE_AUTO_REPLY, k->first, why);
        else if (mail_is_thanks(m))
                found(m, MESSAGE_THANKS, k->first,
                    *why != '\0' ? why : "an answer that says thanks and nothing else");
        else if (k->n > 0)
                found(m, MESSAGE_MESSAGE, k->first,
                    arena_printf(m->arena, "too little for a machine: %s", why));
        else
                found(m, MESSAGE_MESSAGE, "", "nothing speaks for a machine");
}

static void
judge(struct message *m, const struct config *c, bool own_token)
{
        struct marks k;

        if (own_token || config_is_ours(c, m->from.address)) {
                found(m, MESSAGE_AUTO_REPLY, "our own mail",
                    own_token ? "its Message-ID is one of ours" : "From is one of ours");
                return;
        }
        marks_weigh(m, c, &k);
        if (m->report != NULL && report_is_quoted(m, &k)) {
                message_find(m, "report", "none", "it is quoted: the mail is a person's");
                m->report = NULL;
        }
        if (m->report == NULL && !type_is_report(m)) {
                judge_weighed(m, c, &k);
                return;
        }
        found(m, report_kind(m),
            type_is_report(m) ? "multipart/report" : "report of a mail system",
            m->report == NULL
                ? "multipart/report"
                : arena_printf(m->arena, "a report (%s)%s%s", m->report->type,
                      *m->report->system != '\0' ? " of " : "", m->report->system));
}

/* What was found before, of a try that was overtaken. */
static void
forget(struct message *m)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n_findings; i++)
                if (strcmp(m->findings[i].about, "kind") != 0 &&
                    strcmp(m->findings[i].about, "acknowledgement") != 0)
                        m->findings[n++] = m->findings[i];
        m->n_findings = n;
}

void
mail_judge(struct message *m, const struct config *c, bool own_token)
{
        const char *why;

        forget(m);
        judge(m, c, own_token);
        why = mail_silence(m);
        message_find(m, "acknowledgement", *why != '\0' ? "none" : "allowed", "%s",
            *why != '\0' ? why : "a person's mail without a mark");
}

const char *
mail_silence(const struct message *m)
{
        if (*m->machine != '\0')
                return m->machine;
        if (m->header_only)
                return "it could not be read whole";
        if (m->kind == MESSAGE_THANKS)
                return "thanks need no answer";
        if (m->kind != MESSAGE_MESSAGE && m->kind != MESSAGE_FORM &&
            m->kind != MESSAGE_CALL)
                return message_kind_name(m->kind);
        return "";
}

const char *
mail_answer_address(const struct message *m, struct arena *a)
{
        const char *from = address_normalise(a, m->from.address);
        const char *reply = address_normalise(a, m->reply_to.address);
        const char *domain = strrchr(from, '@');

        if (*reply == '\0' || domain == NULL)
                return *from != '\0' ? from : reply;
        if (address_is_unread(from) && !address_is_unread(reply))
                return reply;
        return strcmp(strrchr(reply, '@'), domain) == 0 ? reply : from;
}
