/*
 * From sentences to struct config; see build.h. The order: what is declared,
 * then what is said of it, then what follows from all of it together.
 */
#include "config/build.h"
#include "config/trial.h"

#include <stdlib.h>
#include <string.h>

#include "config/template.h"
#include "daemon/model/message.h"

static void
report_twice(struct build *b, struct place at, const char *what, const char *name,
    struct place first)
{
        report_error(b->report, at, "%s '%s' stands twice", what, word_shown(b->a, name));
        report_advice(b->report, "first on %s", place_name(first, at.source, b->a));
}

/* ---- the first pass: what is declared ---- */

/* Values from i on into a table; a name that stands twice is an error. */
static void
declare_all(struct build *b, const struct sentence *s, struct names *n, const char *what)
{
        if (s->n_values == 0 && !s->bad)
                value_missing(b, s);
        for (size_t i = 0; i < s->n_values; i++) {
                const struct value *v = &s->values[i];
                const struct name *twice;

                if (!value_is_name(b, v))
                        continue;
                twice = names_add(n, v->text, v->at);
                if (twice != NULL)
                        report_twice(b, v->at, what, v->text, twice->at);
        }
}

static void
declare_one(struct build *b, struct sentence *s, struct names *n, const char *what)
{
        const struct name *twice;

        if (s->n_values == 0) {
                if (!s->bad)
                        value_missing(b, s);
                s->bad = true;
                s->option = NULL; /* nothing of it can be used */
                return;
        }
        if (!value_is_name(b, &s->values[0])) {
                s->option = NULL;
                return;
        }
        twice = names_add(n, s->values[0].text, s->values[0].at);
        if (twice == NULL)
                return;
        report_twice(b, s->values[0].at, what, s->values[0].text, twice->at);
        s->option = NULL;
}

/* `always` is there without being declared. */
static void
declare_hours(struct build *b, struct sentence *s)
{
        if (value_at_is(s, 0, "always")) {
                report_error(b->report, s->values[0].at, "'always' is always there");
                report_advice(b->report, "give these hours another name");
                s->option = NULL;
                return;
        }
        declare_one(b, s, &b->hours, "hours");
}

static void
declare_tags(struct build *b, const struct sentence *s)
{
        for (size_t i = 0; i < s->n_values && !value_at_is(s, i, "when"); i++)
                names_add(&b->tags, s->values[i].text, s->values[i].at);
}

/* Conditions may stand before the form that they ask about. */
static void
declare_fields(struct build *b, const struct block *form)
{
        for (size_t i = 0; form != NULL && i < form->n_sentences; i++) {
                const struct sentence *s = &form->sentences[i];

                if (strcmp(s->name, "field") == 0 && s->n_values > 0)
                        names_add(&b->form_fields, s->values[0].text, s->values[0].at);
        }
}

/* At once: telephone numbers anywhere depend on it. */
static void
country_build(struct build *b, const struct sentence *s)
{
        const char *text;

        if (s->bad)
                return;
        if (s->n_values == 0) {
                value_missing(b, s);
                return;
        }
        text = s->values[0].text;
        if (s->n_values > 1) {
                value_surplus(b, s, &s->values[1]);
        } else if (text[0] < '1' || text[0] > '9' || strlen(text) > 3 ||
                   text[strspn(text, "0123456789")] != '\0') {
                value_wrong(b, s, &s->values[0]);
                report_advice(b->report, "its digits alone, like 7 or 44");
        } else {
                b->c->country = text;
        }
}

static void
declare(struct build *b, struct sentence *s)
{
        switch (s->option->type) {
        case TYPE_DECLARE_LINES:
                if (b->lines.n == 0)
                        declare_all(b, s, &b->lines, "line");
                break;
        case TYPE_DECLARE_SKILLS:
                declare_all(b, s, &b->skills, "skill");
                break;
        case TYPE_LIST:
                declare_one(b, s, &b->lists, "list");
                break;
        case TYPE_AGENT:
                declare_one(b, s, &b->agents, "agent");
                break;
        case TYPE_FORM:
                declare_fields(b, s->block);
                declare_one(b, s, &b->forms, "form");
                break;
        case TYPE_PHONE:
                declare_one(b, s, &b->phones, "phone");
                break;
        case TYPE_HOURS:
                declare_hours(b, s);
                break;
        case TYPE_PROMISE:
                declare_one(b, s, &b->promises, "promise");
                break;
        case TYPE_COUNTRY:
                if (b->c->country[0] == '\0')
                        country_build(b, s);
                break;
        case TYPE_CUSTOMERS:
                if (b->customers == NULL)
                        b->customers = s;
                break;
        case TYPE_RULE:
                if (strcmp(s->name, "tag") == 0)
                        declare_tags(b, s);
                else if (strcmp(s->name, "route") == 0)
                        declare_one(b, s, &b->routes, "route");
                break;
        default:
                break;
        }
}

static const char **
names_copy(struct build *b, const struct names *n)
{
        const char **out = arena_alloc(b->a, (n->n + 1) * sizeof *out);

        for (size_t i = 0; i < n->n; i++)
                out[i] = n->items[i].text;
        return out;
}

static void
declared(struct build *b)
{
        struct config *c = b->c;

        if (b->lines.n == 0)
                names_add(&b->lines, "first", (struct place){0});
        c->n_lines = b->lines.n;
        c->lines = arena_alloc(b->a, c->n_lines * sizeof *c->lines);
        for (size_t i = 0; i < c->n_lines; i++) {
                value_defaults(b, BLOCK_LINE, &c->lines[i]);
                c->lines[i].name = b->lines.items[i].text;
        }
        c->n_skills = b->skills.n;
        c->skills = names_copy(b, &b->skills);
        c->n_lists = b->lists.n;
        c->lists = arena_alloc(b->a, (c->n_lists + 1) * sizeof *c->lists);
        for (size_t i = 0; i < c->n_lists; i++)
                c->lists[i].name = b->lists.items[i].text;
        hours_declared(b);
}

/* ---- the second pass: sentences with a struct of their own ---- */

static const char *
address_take(struct build *b, const char *address, struct place at)
{
        const char *n = address_normalise(b->a, address);
        const struct name *twice = names_add(&b->mails, n, at);

        if (twice != NULL)
                report_twice(b, at, "address", address, twice->at);
        return address;
}

/* Somebody wrote a password there, perhaps a wrong one that was told already. */
static bool
block_has_secret(const struct block *block)
{
        for (size_t i = 0; block != NULL && i < block->n_sentences; i++)
                if (word_is_secret(block->sentences[i].name))
                        return true;
        return false;
}

static void
mail_relays(struct build *b, struct mail_build *m)
{
        static const struct relay local = {
            "smtp://localhost", "localhost", 25, "", "", false};
        struct mail_account *acc = &m->account;

        if (acc->n_relays == 0) {
                acc->relays = arena_alloc(b->a, sizeof *acc->relays);
                acc->relays[acc->n_relays++] = local;
        }
        for (size_t i = 0; i < acc->n_relays; i++) {
                struct relay *r = &acc->relays[i];

                if (r->password[0] == '\0' && r->user[0] != '\0')
                        r->password = m->password;
        }
}

/* The places of `also`, for addresses that stand twice. */
static void
mail_also(struct build *b, const struct block *block)
{
        for (size_t i = 0; block != NULL && i < block->n_sentences; i++) {
                const struct sentence *s = &block->sentences[i];

                if (s->bad || strcmp(s->name, "also") != 0)
                        continue;
                for (size_t j = 0; j < s->n_values; j++)
                        if (address_normalise(b->a, s->values[j].text)[0] != '\0')
                                address_take(b, s->values[j].text, s->values[j].at);
        }
}

static void
mail_build(struct build *b, const struct sentence *s)
{
        struct mail_build m = {
            .account = {.address = "", .name = "", .forwards = true}, .password = ""};
        struct config *c = b->c;

        if (s->n_values == 0)
                value_missing(b, s);
        else if (value_address(b, s, &s->values[0], &m.account.address))
                address_take(b, m.account.address, s->values[0].at);
        if (s->n_values > 1)
                value_surplus(b, s, &s->values[1]);
        if (s->block != NULL)
                build_block(b, s->block, &m);
        mail_also(b, s->block);
        mail_relays(b, &m);
        if (m.naked != NULL && !block_has_secret(s->block)) {
                report_error(b->report, m.naked->at, "'%s' has a user but no password",
                    m.naked->text);
                report_advice(
                    b->report, "smtp %s { password file \"…\" }", m.naked->text);
        }
        c->mails = arena_grow(b->a, c->mails, c->n_mails, sizeof *c->mails);
        c->mails[c->n_mails++] = m.account;
}

static void
relay_build(struct build *b, const struct sentence *s, struct mail_build *build)
{
        struct mail_account *m = &build->account;
        struct relay r = {"", "", 25, "", "", false};

        if (s->n_values == 0)
                value_missing(b, s);
        else if (s->n_values > 1)
                value_surplus(b, s, &s->values[1]);
        else
                value_relay(b, s, &s->values[0], &r);
        if (s->block != NULL)
                build_block(b, s->block, &r);
        if (r.user[0] != '\0' && !block_has_secret(s->block))
                build->naked = &s->values[0];
        m->relays = arena_grow(b->a, m->relays, m->n_relays, sizeof *m->relays);
        m->relays[m->n_relays++] = r;
}

static void
line_build(struct build *b, const struct sentence *s)
{
        struct line_options scratch = {0}, *l = &scratch;
        const struct name *twice;
        const char *name;

        if (s->n_values == 0)
                value_missing(b, s);
        else if (s->n_values > 1)
                value_surplus(b, s, &s->values[1]);
        else if (value_line(b, &s->values[0], &name)) {
                twice = names_add(&b->lines_set, name, s->values[0].at);
                if (twice != NULL)
                        report_twice(b, s->values[0].at, "line", name, twice->at);
                else
                        l = &b->c->lines[names_find(&b->lines, name)->index];
        }
        if (s->block != NULL)
                build_block(b, s->block, l);
}

static bool
agent_name_is_free(struct build *b, const struct value *v)
{
        if (strcmp(v->text, "default") != 0)
                return true;
        report_error(b->report, v->at, "an agent cannot be called 'default'");
        report_advice(b->report, "Redis clients use that name when they have none");
        return false;
}

static void
agent_build(struct build *b, const struct sentence *s)
{
        struct config *c = b->c;
        struct agent_options agent = {.role = ROLE_AGENT};

        value_defaults(b, BLOCK_AGENT, &agent);
        agent.name = s->values[0].text;
        agent.full_name = s->n_values > 1 ? s->values[1].text : agent.name;
        agent_name_is_free(b, &s->values[0]);
        if (s->n_values > 2 && !s->bad)
                value_surplus(b, s, &s->values[2]);
        if (s->block != NULL)
                build_block(b, s->block, &agent);
        c->agents = arena_grow(b->a, c->agents, c->n_agents, sizeof *c->agents);
        c->agents[c->n_agents++] = agent;
}

/* `weight phone 4` */
static void
weight_build(struct build *b, const struct sentence *s)
{
        static const char *const channels[] = {"email", "web", "phone"};
        struct guess g = GUESS_INIT;
        int64_t n;
        size_t i = 0;

        if (s->n_values < 2) {
                if (!s->bad)
                        value_missing(b, s);
                return;
        }
        while (i < 3 && strcmp(channels[i], s->values[0].text) != 0)
                guess_offer(&g, s->values[0].text, channels[i++]);
        if (i == 3) {
                report_unknown(b->report, s->values[0].at, "channel", s->values[0].text,
                    "", &g, (struct place){0});
                if (g.meant == NULL)
                        report_advice(b->report, "email, web or phone");
        } else if (!number_read(s->values[1].text, s->option->max, &n) ||
                   n < s->option->min) {
                value_wrong(b, s, &s->values[1]);
        } else if (s->n_values > 2) {
                value_surplus(b, s, &s->values[2]);
        } else if (b->c->channel_weight[i] != 0) {
                report_error(b->report, s->at, "the weight of '%s' stands twice",
                    s->values[0].text);
        } else {
                b->c->channel_weight[i] = (unsigned)n;
        }
}

static void
no_answer_check(struct build *b, const struct sentence *s)
{
        const struct config *c = b->c;
        const char *names[] = {
            c->remind_ms != 0 ? "reminder" : "", c->give_up_ms != 0 ? "no-answer" : ""};

        for (size_t i = 0; i < 2 && !b->no_files; i++)
                for (size_t k = 0; names[i][0] != '\0' && k < c->n_languages; k++) {
                        struct err err = {0};

                        if (template_check(c, names[i], c->languages[k], &err) == 0)
                                continue;
                        report_error(b->report, s->at, "%s", err.text);
                        break;
                }
        if (c->give_up_ms == 0 || c->remind_ms < c->give_up_ms)
                return;
        report_error(b->report, s->at, "'close' comes before 'remind'");
        report_advice(b->report, "both count from our answer: remind 3d; close 7d");
}

static void
sentence_build(struct build *b, struct sentence *s, void *target)
{
        switch (s->option->type) {
        case TYPE_MAIL:
                mail_build(b, s);
                break;
        case TYPE_RELAY:
                relay_build(b, s, target);
                break;
        case TYPE_DECLARE_LINE:
                line_build(b, s);
                break;
        case TYPE_AGENT:
                agent_build(b, s);
                break;
        case TYPE_WEIGHT:
                weight_build(b, s);
                break;
        case TYPE_TRAINEE:
                trainee_build(b, s, target);
                break;
        case TYPE_LIST:
                list_build(b, s);
                break;
        case TYPE_FORM:
        case TYPE_FIELD:
        case TYPE_LABEL:
        case TYPE_AGREED:
                form_sentence(b, s, target);
                break;
        case TYPE_PHONE:
        case TYPE_LOG:
                phone_sentence(b, s, target);
                break;
        case TYPE_HOURS:
        case TYPE_PROMISE:
        case TYPE_DAYS:
        case TYPE_DATE:
        case TYPE_HOLIDAYS:
                hours_sentence(b, s, target);
                break;
        case TYPE_STEP:
                step_build(b, s, target);
                break;
        case TYPE_TRIAL:
                trial_sentence(b, s, target);
                break;
        case TYPE_PREFER:
                prefer_build(b, s, target);
                break;
        case TYPE_BLOCK:
                if (s->n_values > 0)
                        value_surplus(b, s, &s->values[0]);
                else if (s->block == NULL)
                        value_missing(b, s);
                if (s->block != NULL)
                        build_block(b, s->block, target);
                if (s->option->opens == BLOCK_NO_ANSWER)
                        no_answer_check(b, s);
                break;
        case TYPE_INCLUDE:
        case TYPE_DECLARE_LINES:
        case TYPE_DECLARE_SKILLS:
        case TYPE_COUNTRY:
        case TYPE_CUSTOMERS:
        case TYPE_RULE: /* when all they name has been read */
        case TYPE_TEST:
        case TYPE_LATER:
                break;
        default:
                if (!s->bad)
                        value_set(b, s, target);
                if (s->block != NULL && s->option->opens < N_BLOCKS)
                        build_block(b, s->block, target);
        }
}

void
build_block(struct build *b, const struct block *block, void *target)
{
        struct place *seen = arena_alloc(b->a, n_options * sizeof *seen);

        for (size_t i = 0; i < block->n_sentences; i++) {
                struct sentence *s = &block->sentences[i];
                struct place *first;

                if (s->option == NULL)
                        continue;
                first = &seen[option_index(s->option)];
                if (first->source != NULL && !(s->option->flags & OPTION_REPEATS)) {
                        report_twice(b, s->at, "option", s->name, *first);
                        continue;
                }
                *first = s->at;
                if (s->bad && s->option->type != TYPE_AGENT && s->block == NULL)
                        continue;
                sentence_build(b, s, target);
        }
}

/* ---- what follows from all of it ---- */

static int
skill_compare(const void *a, const void *b)
{
        return strcmp(((const struct skill *)a)->name, ((const struct skill *)b)->name);
}

/* Home first, then those he helps. */
static void
agent_profile(struct build *b, struct agent_options *agent)
{
        const char **lines = arena_alloc(b->a, (agent->n_helps + 1) * sizeof *lines);
        size_t n = 0;

        lines[n++] = agent->line;
        for (size_t i = 0; i < agent->n_helps; i++)
                if (strcmp(agent->helps[i], agent->line) != 0)
                        lines[n++] = agent->helps[i];
        agent->profile =
            (struct profile){lines, n, agent->skills, agent->n_skills, agent->only};
}

static void
agent_finish(struct build *b, struct agent_options *agent)
{
        const struct line_options *home;

        if (agent->line[0] == '\0')
                agent->line = b->c->lines[0].name;
        home = config_line(b->c, agent->line);
        if (agent->holds == 0 && home != NULL)
                agent->holds = home->holds;
        if (agent->n_skills > 0)
                qsort(
                    agent->skills, agent->n_skills, sizeof *agent->skills, skill_compare);
        agent_profile(b, agent);
}

/* unix:agents.sock is in the state directory. */
static void
listen_finish(struct build *b, const char **items, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strncmp(items[i], "unix:", 5) == 0 && items[i][5] != '/')
                        items[i] =
                            arena_printf(b->a, "unix:%s/%s", b->c->state, items[i] + 5);
}

static void
state_finish(struct build *b)
{
        const char *dir = getenv("STATE_DIRECTORY");

        if (b->c->state[0] != '\0')
                return;
        b->c->state = dir != NULL && dir[0] == '/'
                          ? arena_strndup(b->a, dir, strcspn(dir, ":"))
                          : "/var/lib/helpline";
}

static void
lint(struct build *b, struct place at)
{
        if (b->c->n_mails == 0 && b->c->n_forms == 0 && b->c->n_phones == 0) {
                report_warning(
                    b->report, at, "there is no mail account: nothing can come in");
                report_advice(b->report, "mail support@host.example");
        }
        if (b->c->n_agents == 0) {
                report_warning(b->report, at, "there is no agent: nobody can answer");
                report_advice(b->report, "agent anna \"Anna\"");
        }
}

static void
build_finish(struct build *b)
{
        struct config *c = b->c;

        state_finish(b);
        listen_finish(b, c->lmtp_listen, c->n_lmtp_listen);
        listen_finish(b, c->socket_listen, c->n_socket_listen);
        listen_finish(b, c->web_listen, c->n_web_listen);
        c->close_ms = c->reopen_ms;
        for (size_t i = 0; i < 3; i++)
                if (c->channel_weight[i] == 0)
                        c->channel_weight[i] = 1;
        for (size_t i = 0; i < c->n_mails; i++)
                if (c->mails[i].name[0] == '\0')
                        c->mails[i].name = c->name;
        for (size_t i = 0; i < c->n_agents; i++)
                agent_finish(b, &c->agents[i]);
        hours_finish(b);
        forms_finish(b);
        phones_finish(b);
}

static void
defaults_build(struct build *b)
{
        static const enum block_kind blocks[] = {BLOCK_TOP, BLOCK_STORE, BLOCK_LMTP,
            BLOCK_SOCKET, BLOCK_ALERT, BLOCK_PRIORITIES, BLOCK_WEB};

        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
                value_defaults(b, blocks[i], b->c);
}

/* Rules name hours, promises, agents and lists, which may stand behind them. */
static void
build_rules(struct build *b, const struct block *top)
{
        for (size_t i = 0; i < top->n_sentences; i++) {
                const struct sentence *s = &top->sentences[i];

                if (s->option != NULL && s->option->type == TYPE_RULE &&
                    (!s->bad || s->block != NULL))
                        rules_compile(b, s);
        }
        for (size_t i = 0; i < top->n_sentences; i++)
                if (top->sentences[i].option != NULL &&
                    top->sentences[i].option->type == TYPE_TEST)
                        trial_compile(b, &top->sentences[i]);
}

void
build_config(struct build *b, struct block *top)
{
        defaults_build(b);
        for (size_t i = 0; i < top->n_sentences; i++)
                if (top->sentences[i].option != NULL)
                        declare(b, &top->sentences[i]);
        declared(b);
        if (b->customers != NULL && !b->customers->bad)
                customers_build(b, b->customers);
        build_block(b, top, b->c);
        build_finish(b);
        build_rules(b, top);
        rules_templates(b);
        bounces_check(b);
        if (report_n_errors(b->report) > 0)
                return;
        trials_run(b);
        rules_lint(b, top);
        forms_lint(b);
        phones_lint(b);
        lint(b, top->open);
}

void
build_listeners(struct build *b, struct block *top, const char *block)
{
        struct block only = {.open = top->open};

        only.sentences =
            arena_alloc(b->a, (top->n_sentences + 1) * sizeof *only.sentences);
        for (size_t i = 0; i < top->n_sentences; i++) {
                const struct sentence *s = &top->sentences[i];

                if (s->option != NULL &&
                    (strcmp(s->name, "state") == 0 || strcmp(s->name, block) == 0))
                        only.sentences[only.n_sentences++] = *s;
        }
        defaults_build(b);
        build_block(b, &only, b->c);
        state_finish(b);
        listen_finish(b, b->c->lmtp_listen, b->c->n_lmtp_listen);
        listen_finish(b, b->c->socket_listen, b->c->n_socket_listen);
}
