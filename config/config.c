/* Looking things up in a configuration; see config.h. */
#include "config/config.h"

#include <string.h>

#include "daemon/model/message.h"

const char *
role_name(enum role r)
{
        static const char *const names[] = {"agent", "trainee", "lead", "admin", "bot"};

        return names[r];
}

void
config_report_fini(struct config_report *r)
{
        buf_fini(&r->text);
        r->n_errors = r->n_warnings = 0;
}

static bool
address_is(struct arena *a, const char *normalised, const char *address)
{
        return strcmp(normalised, address_normalise(a, address)) == 0;
}

const struct mail_account *
config_mail(const struct config *c, const char *address)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *n = address_normalise(a, address);

        if (n[0] == '\0')
                return NULL;
        for (size_t i = 0; i < c->n_mails; i++) {
                const struct mail_account *m = &c->mails[i];

                if (address_is(a, n, m->address))
                        return m;
                for (size_t j = 0; j < m->n_also; j++)
                        if (address_is(a, n, m->also[j]))
                                return m;
        }
        return NULL;
}

const struct mail_account *
config_reply_mail(const struct config *c, const char *account)
{
        const struct mail_account *m = config_mail(c, account);
        const struct form_options *f =
            strncmp(account, "web:", 4) == 0 ? config_form(c, account + 4) : NULL;

        if (m == NULL && f != NULL)
                m = config_mail(c, f->reply_as);
        if (m == NULL && (f != NULL || strncmp(account, "phone:", 6) == 0))
                m = c->n_mails > 0 ? &c->mails[0] : NULL;
        return m;
}

unsigned
config_weight(const struct config *c, const char *channel)
{
        static const char *const channels[] = {"email", "web", "phone"};

        for (size_t i = 0; i < 3; i++)
                if (strcmp(channels[i], channel) == 0)
                        return c->channel_weight[i];
        return 1;
}

bool
config_is_ours(const struct config *c, const char *address)
{
        return config_mail(c, address) != NULL;
}

const struct agent_options *
config_agent(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_agents; i++)
                if (strcmp(c->agents[i].name, name) == 0)
                        return &c->agents[i];
        return NULL;
}

const struct agent_options *
config_agent_by_login(const struct config *c, const char *unix_user)
{
        for (size_t i = 0; i < c->n_agents; i++)
                if (unix_user[0] != '\0' && strcmp(c->agents[i].login, unix_user) == 0)
                        return &c->agents[i];
        return NULL;
}

const struct line_options *
config_line(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_lines; i++)
                if (strcmp(c->lines[i].name, name) == 0)
                        return &c->lines[i];
        return NULL;
}

const struct line_options *
config_line_next(const struct config *c, const char *name)
{
        const struct line_options *l = config_line(c, name);

        return l == NULL || l + 1 == c->lines + c->n_lines ? NULL : l + 1;
}

const struct line_options *
config_line_before(const struct config *c, const char *name)
{
        const struct line_options *l = config_line(c, name);

        return l == NULL || l == c->lines ? NULL : l - 1;
}

const struct hours_options *
config_hours(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_hours; i++)
                if (strcmp(c->hours[i].name, name) == 0)
                        return &c->hours[i];
        return NULL;
}

const struct promise_options *
config_promise(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_promises; i++)
                if (strcmp(c->promises[i].name, name) == 0)
                        return &c->promises[i];
        return NULL;
}

const struct calendar *
config_calendar(const struct config *c, const char *calendar_id)
{
        for (size_t i = 0; calendar_id[0] != '\0' && i < c->n_hours; i++)
                if (strcmp(c->hours[i].calendar.id, calendar_id) == 0)
                        return &c->hours[i].calendar;
        return NULL;
}

/* Is it him, or among those already found? */
static bool
deputy_is_known(const char *agent, const char *const out[5], size_t n, const char *deputy)
{
        if (strcmp(agent, deputy) == 0)
                return true;
        for (size_t i = 0; i < n; i++)
                if (strcmp(out[i], deputy) == 0)
                        return true;
        return false;
}

size_t
config_deputies(const struct config *c, const char *agent, const char *out[5])
{
        const struct agent_options *o = config_agent(c, agent);
        size_t n = 0;

        while (o != NULL && n < 5 && o->deputy != NULL && o->deputy[0] != '\0' &&
               !deputy_is_known(agent, out, n, o->deputy)) {
                out[n++] = o->deputy;
                o = config_agent(c, o->deputy);
        }
        return n;
}
