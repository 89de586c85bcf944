/*
 * A mail that an agent forwards as a mail of its first sender. Pure; see intake.h.
 *
 * From can be written by anybody. So all it decides here is who the customer is said to
 * be, which who writes From decides of each mail anyway; the notice keeps the real one,
 * and nobody is sent anything by it unless the account says `acknowledge-forwards`.
 */
#include <string.h>
#include <strings.h>

#include "channels/email_id.h"
#include "config/config.h"
#include "daemon/intake.h"

static bool
is_agent(const struct config *c, const char *address, struct arena *a)
{
        for (size_t i = 0; i < c->n_agents; i++)
                if (strcmp(address_normalise(a, c->agents[i].mail), address) == 0)
                        return true;
        return false;
}

static bool
is_forwarder(const struct config *c, const struct mail_account *acc, const char *address,
    struct arena *a)
{
        for (size_t i = 0; i < acc->n_forwarders; i++)
                if (strcmp(address_normalise(a, acc->forwarders[i]), address) == 0)
                        return true;
        return is_agent(c, address, a);
}

/* Without "Fwd:" and our tags. */
static const char *
subject_of(struct message *m, const struct forwarded_mail *f)
{
        static const char *const marks[] = {"fwd:", "fw:", "пересл:", "tr:", "wg:", "i:"};
        const char *s = subject_strip(m->arena, m->subject);

        if (*f->subject != '\0')
                return subject_strip(m->arena, f->subject);
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
                if (strncasecmp(s, marks[i], strlen(marks[i])) == 0) {
                        s += strlen(marks[i]);
                        return s + strspn(s, " ");
                }
        return s;
}

/* The few words of who forwards it: all the text beside an attached mail, else its first
 * paragraph before the mark of the forward. */
static const char *
words_of(struct message *m, const struct forwarded_mail *f)
{
        const char *end;

        if (*f->part != '\0')
                return m->text;
        end = strstr(m->text, "\n\n");
        if (end == NULL || *m->text == '-' || *m->text == '\n')
                return "";
        end = arena_strndup(m->arena, m->text, (size_t)(end - m->text));
        return strstr(end, f->address) == NULL ? end : "";
}

static void
notice_forwarder(struct message *m, const struct forwarded_mail *f)
{
        const struct mail_address *by = &m->from;
        const char *words = words_of(m, f);

        message_notice(m, "forwarded", f->part, "%s%s<%s> forwarded this mail%s%s",
            by->name, *by->name != '\0' ? " " : "", by->address,
            *words != '\0' ? " and wrote: " : "", words);
}

const char *
mail_take_forwarded(struct message *m, const struct config *c)
{
        struct arena *a = m->arena;
        struct forwarded_mail *f = m->forwarded;
        const struct mail_account *acc = config_mail(c, m->account);
        const char *by = address_normalise(a, m->from.address);
        struct email_id id;
        const char *first;

        if (f == NULL || !f->whole || acc == NULL || !acc->forwards || *by == '\0')
                return "";
        first = address_normalise(a, f->address);
        if (*first == '\0' || strcmp(first, by) == 0 || config_is_ours(c, first) ||
            !is_forwarder(c, acc, by, a))
                return "";
        notice_forwarder(m, f);
        message_find(m, "sender", first, "%s forwards it: the first sender's mail", by);
        m->subject = subject_of(m, f);
        m->from = (struct mail_address){f->name, f->address};
        m->reply_to = (struct mail_address){"", ""};
        m->sent_at_us = f->sent_at_us;
        if (*f->message_id != '\0' && !email_id_parse(f->message_id, &id))
                m->message_id = f->message_id;
        if (*f->text != '\0') {
                m->text = f->text;
                m->new_text = "";
                f->text = "";
        }
        return by;
}
