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

bool
config_is_ours(const struct config *c, const char *address)
{
        return config_mail(c, address) != NULL;
}

const struct mail_account *
config_answers_from(const struct config *c, const char *account)
{
        const struct mail_account *m = config_mail(c, account);

        for (size_t i = 0; m == NULL && i < c->n_forms; i++)
                if (strcmp(c->forms[i].account, account) == 0)
                        m = config_mail(c, c->forms[i].reply_as);
        for (size_t i = 0; m == NULL && i < c->n_phones; i++)
                if (strcmp(c->phones[i].account, account) == 0 && c->n_mails > 0)
                        m = &c->mails[0];
        return m;
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
