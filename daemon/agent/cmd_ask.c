/*
 * CONSULT, ANSWER, APPROVE, DRAFT, and MINE ASKED: what people ask of each other on a
 * ticket. The law is in queue/ticket_ask.c; here it is found out who is asked: an absent
 * agent's questions go to who stands in for him.
 *
 * Killed at any moment: the question, its place in the list of what is asked, and its mail
 * in the outbox are one commit.
 */
#include <string.h>
#include <strings.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"

#define HOPS 5

bool
stands_in(const struct call *c, const char *agent)
{
        return identity_stands_in(c->agents, &c->me, agent);
}

/* ---- a ticket that may have been merged ---- */

struct following { /* one reading after the other */
        struct call *call;
        follow_fn fn;
        unsigned n_hops;
};

static void following_read(struct following *f, const char *ticket);

static void
following_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct following *f = arg;
        struct call *c = f->call;

        if (err->kind != ERR_NONE)
                call_fail(c, err);
        else if (!v->exists || !identity_sees(c->agents, &c->me, &v->ticket))
                call_error(c, "NOSUCH", "there is no such ticket");
        else if (v->ticket.state == TICKET_MERGED && ++f->n_hops < HOPS)
                following_read(f, v->ticket.merged_into);
        else
                f->fn(c, &v->ticket);
}

static void
following_read(struct following *f, const char *ticket)
{
        const struct read_ticket r = {
            .id = arena_strdup(f->call->arena, ticket), .idem = ""};

        store_read(f->call->agents->desk->store, &r, following_on_view, f);
}

void
call_follow(struct call *c, const char *ticket, follow_fn fn)
{
        struct following *f = arena_alloc(c->arena, sizeof *f);

        f->call = c;
        f->fn = fn;
        following_read(f, ticket);
}

/* The ticket a message was born in. */
static const char *
ticket_of(const struct call *c, const char *message)
{
        return arena_strndup(c->arena, message, strcspn(message, "."));
}

/* Now, whether or not his clock has told yet. */
static bool
is_absent(const struct agent_state *s)
{
        int64_t now = clock_now_ms();

        return s->absent_from_ms > 0 && s->absent_from_ms <= now &&
               now < s->absent_until_ms;
}

/* ---- CONSULT ---- */

struct asking { /* call->state */
        const char *agent, *line, *to; /* one of the three */
        const char *instead_of; /* who was named and is absent, "" nobody */
        unsigned n_hops;
};

/* The question as a mail of its own. */
static int
consult_mail(struct call *c, const struct ticket *t, const char *to, struct message *m,
    struct ticket_event *e, struct err *err)
{
        const struct config *config = c->agents->desk->config;
        const struct mail_account *mail = config_reply_mail(config, t->account);
        const struct agent_options *o = config_agent(config, c->me.agent);
        const char *plain = address_normalise(m->arena, to);

        if (mail == NULL)
                return err_code(err, ERR_STATE, "STATE",
                    "no mail account answers for ticket %s: TO is not possible", t->id);
        if (o != NULL && o->role == ROLE_TRAINEE)
                return err_code(err, ERR_STATE, "NOPERM",
                    "TO writes to people outside: ask %s to do it", o->tutor);
        if (plain[0] == '\0' || config_is_ours(config, plain))
                return err_code(err, ERR_REJECT, "BADARG",
                    "TO: expected a mail address that is not our own, got '%.60s'", to);
        m->to = arena_grow(m->arena, m->to, m->n_to, sizeof *m->to);
        m->to[m->n_to++] = (struct mail_address){"", arena_strdup(m->arena, to)};
        m->subject = arena_strdup(m->arena, t->subject);
        m->from.address = arena_strdup(m->arena, mail->address);
        e->account = m->from.address;
        e->to = arena_alloc(m->arena, sizeof *e->to);
        e->to[e->n_to++] = plain;
        return 0;
}

static int
consult_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        const struct asking *k = c->state;
        struct message *m AUTO_MESSAGE =
            call_message(c, &v->ticket, MESSAGE_NOTE, call_arg(c, "question"));
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_CONSULT, &e);
        e.message = m;
        e.target = k->agent;
        e.line = k->line;
        if (k->instead_of[0] != '\0')
                e.text = arena_printf(a, "instead of %s", k->instead_of);
        if (k->to[0] != '\0' && consult_mail(c, &v->ticket, k->to, m, &e, err) == -1)
                return -1;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static void
consult_go(struct call *c)
{
        static const struct change_plan plan = {consult_apply, answer_message, false};

        crash_point("consult.begin");
        call_change(c, call_arg(c, "ticket"), &plan);
}

static void
consult_on_agent(void *arg, const struct err *err, const struct agent_state *s)
{
        struct call *c = arg;
        struct asking *k = c->state;
        const struct config *config = c->agents->desk->config;
        const struct agent_options *o = config_agent(config, k->agent);
        const char *next;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        next = !is_absent(s)                    ? ""
               : s->absent_deputy[0] != '\0'    ? s->absent_deputy
               : o != NULL && o->deputy != NULL ? o->deputy
                                                : "";
        if (next[0] == '\0' || config_agent(config, next) == NULL || ++k->n_hops > HOPS) {
                consult_go(c);
                return;
        }
        if (k->instead_of[0] == '\0')
                k->instead_of = k->agent;
        k->agent = arena_strdup(c->arena, next);
        store_agent(c->agents->desk->store, k->agent, consult_on_agent, c);
}

void
cmd_consult(struct call *c)
{
        const struct config *config = c->agents->desk->config;
        const char *whom = call_arg(c, "AGENT|LINE|TO"), *name = call_arg(c, "name");
        struct asking *k = arena_alloc(c->arena, sizeof *k);

        k->agent = k->line = k->to = k->instead_of = "";
        c->state = k;
        if (strcasecmp(whom, "AGENT") == 0) {
                k->agent = name;
                if (config_agent(config, name) == NULL)
                        call_error(c, "NOSUCH", "there is no agent '%s'", name);
                else
                        store_agent(c->agents->desk->store, name, consult_on_agent, c);
                return;
        }
        if (strcasecmp(whom, "LINE") == 0)
                k->line = name;
        else
                k->to = name;
        if (k->line[0] != '\0' && config_line(config, name) == NULL)
                call_error(c, "NOSUCH", "there is no line '%s'", name);
        else if (k->to[0] != '\0' && !address_is_safe(name))
                call_error(c, "BADARG", "TO: expected a mail address, got '%s'", name);
        else
                consult_go(c);
}

/* ---- ANSWER ---- */

struct answering { /* call->state */
        bool stands_in; /* his absence names the caller */
};

static bool
answer_is_mine(const struct call *c, const struct consult *k)
{
        if (k->line[0] != '\0')
                return agent_is_of_line(c->agents->desk->config, c->me.agent, k->line);
        return stands_in(c, k->agent);
}

static const struct consult *
answer_find(const struct call *c, const struct ticket *t, struct arena *a)
{
        struct consult *k;
        size_t n = consults_read(t->consults, a, &k);

        for (size_t i = 0; i < n; i++)
                if (strcmp(k[i].id, call_arg(c, "consultation")) == 0)
                        return &k[i];
        return NULL;
}

static int
answer_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        const struct answering *s = c->state;
        const struct consult *k = answer_find(c, &v->ticket, a);
        struct message *m AUTO_MESSAGE =
            call_message(c, &v->ticket, MESSAGE_NOTE, call_arg(c, "text"));
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_ANSWER, &e);
        e.message = m;
        e.target = call_arg(c, "consultation");
        e.stands_in = s->stands_in || (k != NULL && answer_is_mine(c, k));
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static const struct change_plan answer_plan = {answer_apply, answer_ok, false};

static void
answer_on_agent(void *arg, const struct err *err, const struct agent_state *st)
{
        struct call *c = arg;
        struct answering *s = c->state;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        s->stands_in = is_absent(st) && strcmp(st->absent_deputy, c->me.agent) == 0;
        call_change(c, c->ticket, &answer_plan);
}

static void
answer_on_ticket(struct call *c, const struct ticket *t)
{
        const struct consult *k = answer_find(c, t, c->arena);

        c->ticket = arena_strdup(c->arena, t->id);
        if (k != NULL && k->agent[0] != '\0' && !stands_in(c, k->agent))
                store_agent(c->agents->desk->store, k->agent, answer_on_agent, c);
        else
                call_change(c, c->ticket, &answer_plan);
}

void
cmd_answer(struct call *c)
{
        c->state = arena_alloc(c->arena, sizeof(struct answering));
        call_follow(c, ticket_of(c, call_arg(c, "consultation")), answer_on_ticket);
}

/* ---- APPROVE ---- */

static bool
is_trainee(const struct call *c)
{
        const struct agent_options *o =
            config_agent(c->agents->desk->config, c->me.agent);

        return o != NULL && o->role == ROLE_TRAINEE;
}

static int
approve_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        const struct mail_account *mail =
            config_reply_mail(c->agents->desk->config, v->ticket.account);
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_APPROVE, &e);
        e.target = call_arg(c, "message");
        e.seen = call_arg(c, "SEEN");
        /* no trainee approves, least of all his own: his tutor's deputy or not */
        e.stands_in = !is_trainee(c) && stands_in(c, v->ticket.tutor);
        e.account = mail == NULL ? "" : mail->address;
        if (mail == NULL && v->ticket.n_approve_to > 0)
                return err_code(err, ERR_STATE, "STATE",
                    "the account %s of ticket %s is not in the configuration: nothing "
                    "can be sent from it",
                    v->ticket.account, v->ticket.id);
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_approve(struct call *c)
{
        static const struct change_plan plan = {approve_apply, answer_ok, false};

        call_change(c, ticket_of(c, call_arg(c, "message")), &plan);
}

/* ---- DRAFT ---- */

static int
draft_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_DRAFT, &e);
        e.text = call_arg(c, "text");
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static void
draft_answer(struct call *c, const struct change *ch, struct buf *out)
{
        (void)ch;
        resp_bulks(out, arena_printf(c->arena, "%s.draft", c->ticket));
}

void
cmd_draft(struct call *c)
{
        static const struct change_plan plan = {draft_apply, draft_answer, true};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- MINE ASKED ---- */

static void
asked_on_list(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        (void)cursor;
        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        view_summaries(c->agents, views, n, &b);
        call_answer(c, &b);
}

/* Of him, of his lines, and of those whose deputy he is while they are absent. */
void
mine_asked(struct call *c)
{
        const struct config *config = c->agents->desk->config;
        const struct agent_options *o = config_agent(config, c->me.agent);
        struct asked_query q = {.agent = c->me.agent};
        const char **lines, **others;

        lines = arena_alloc(c->arena, (config->n_lines + 1) * sizeof *lines);
        others = arena_alloc(c->arena, (config->n_agents + 1) * sizeof *others);
        for (size_t i = 0; i < config->n_lines && o != NULL; i++)
                if (agent_is_of_line(config, o->name, config->lines[i].name))
                        lines[q.n_lines++] =
                            arena_strdup(c->arena, config->lines[i].name);
        for (size_t i = 0; i < config->n_agents && q.n_others < ASKED_OTHERS; i++)
                if (strcmp(config->agents[i].name, c->me.agent) != 0)
                        others[q.n_others++] =
                            arena_strdup(c->arena, config->agents[i].name);
        q.lines = lines;
        q.others = others;
        store_asked(c->agents->desk->store, &q, asked_on_list, c);
}
