/*
 * Commands that move a ticket to other lines, states and people, or correct what the rules
 * decided: ESCALATE RETURN TRANSFER PEND SNOOZE RAISE TAG NEED CHANGE SPAM ASSIGN.
 *
 * Each is an event for the law (queue/ticket_move.c) but ASSIGN, which is a pull like every
 * hand-over. What a ticket's class is from now on is decided here, by the rules of this
 * moment; dispatch knows it before the store does.
 */
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"

#define PREFER_MS (15 * 60000)
#define TAGS_MAX 50
#define TAG_BYTES 64

/* ---- what they share ---- */

/* The class it has from now on, known to dispatch before it is used. */
static const struct class *
new_class(const struct call *c, struct class *k)
{
        desk_learn_class(c->agents->desk, k);
        return k;
}

static const struct class *
handed_class(
    const struct call *c, const struct ticket *t, const char *line, struct arena *a)
{
        struct class *k = arena_alloc(a, sizeof *k);

        rules_class_handed(c->agents->desk->config, t, line, a, k);
        return new_class(c, k);
}

static const struct class *
needing_class(const struct call *c, const struct ticket *t, const struct skill *need,
    struct arena *a)
{
        struct class *k = arena_alloc(a, sizeof *k);

        rules_class_need(c->agents->desk->config, t, need, a, k);
        return new_class(c, k);
}

/* The words of the argument as a note on the ticket; NULL when it is not there. */
static struct message *
note_of(const struct call *c, const struct ticket *t, const char *arg)
{
        return call_has(c, arg) ? call_message(c, t, MESSAGE_NOTE, call_arg(c, arg))
                                : NULL;
}

static int
known_agent(const struct call *c, const char *agent, struct err *err)
{
        if (config_agent(c->agents->desk->config, agent) != NULL)
                return 0;
        return err_code(err, ERR_NOTFOUND, "NOSUCH", "there is no agent '%s'", agent);
}

/* ---- ESCALATE, RETURN ---- */

static int
line_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    enum ticket_event_type type, const struct line_options *to, struct change *out,
    struct err *err)
{
        struct message *m AUTO_MESSAGE = note_of(c, &v->ticket, "reason");
        struct ticket_event e;

        call_event(c, &v->ticket, type, &e);
        e.text = call_arg(c, "reason");
        e.message = m;
        e.prefer_ms = PREFER_MS;
        if (to != NULL) {
                e.line = to->name;
                e.class_doc = handed_class(c, &v->ticket, to->name, a);
        }
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static int
line_known(const struct call *c, const struct ticket *t, struct err *err)
{
        if (config_line(c->agents->desk->config, t->line) != NULL)
                return 0;
        return err_code(err, ERR_STATE, "STATE",
            "line %s of ticket %s is not in the configuration: TRANSFER it", t->line,
            t->id);
}

static int
escalate_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        const struct config *config = c->agents->desk->config;

        if (line_known(c, &v->ticket, err) == -1)
                return -1;
        return line_apply(
            c, v, a, EVENT_ESCALATE, config_line_next(config, v->ticket.line), out, err);
}

void
cmd_escalate(struct call *c)
{
        static const struct change_plan plan = {escalate_apply, answer_ok, false};

        crash_point("escalate.begin");
        call_change(c, call_arg(c, "ticket"), &plan);
}

static int
return_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        const struct config *config = c->agents->desk->config;

        if (line_known(c, &v->ticket, err) == -1)
                return -1;
        return line_apply(
            c, v, a, EVENT_RETURN, config_line_before(config, v->ticket.line), out, err);
}

void
cmd_return(struct call *c)
{
        static const struct change_plan plan = {return_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- TRANSFER ---- */

static int
skill_of(const struct call *c, const char *arg, struct arena *a, struct skill *out,
    struct err *err)
{
        const struct config *config = c->agents->desk->config;
        const char *s = call_arg(c, arg);
        size_t n = 0;

        skill_parse(s, &n, &out->level);
        out->name = arena_strndup(a, s, n);
        for (size_t i = 0; i < config->n_skills; i++)
                if (strcmp(config->skills[i], out->name) == 0)
                        return 0;
        return err_code(err, ERR_NOTFOUND, "NOSUCH", "there is no skill '%s'", out->name);
}

static int
transfer_where(struct call *c, const struct ticket *t, struct ticket_event *e,
    struct arena *a, struct err *err)
{
        struct skill need;

        if (call_has(c, "AGENT")) {
                e->target = call_arg(c, "AGENT");
                return known_agent(c, e->target, err);
        }
        if (call_has(c, "NEED")) {
                if (skill_of(c, "NEED", a, &need, err) == -1)
                        return -1;
                e->class_doc = needing_class(c, t, &need, a);
                return 0;
        }
        e->line = call_arg(c, "LINE");
        if (config_line(c->agents->desk->config, e->line) == NULL)
                return err_code(
                    err, ERR_NOTFOUND, "NOSUCH", "there is no line '%s'", e->line);
        e->class_doc = handed_class(c, t, e->line, a);
        return 0;
}

static int
transfer_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct message *m AUTO_MESSAGE = note_of(c, &v->ticket, "NOTE");
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_TRANSFER, &e);
        e.text = call_arg(c, "NOTE");
        e.message = m;
        e.prefer_ms = PREFER_MS;
        if (transfer_where(c, &v->ticket, &e, a, err) == -1)
                return -1;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_transfer(struct call *c)
{
        static const struct change_plan plan = {transfer_apply, answer_ok, false};

        if (call_has(c, "LINE") + call_has(c, "AGENT") + call_has(c, "NEED") != 1)
                call_error(c, "BADARG",
                    "TRANSFER: expected one of LINE line, AGENT agent, NEED skill:level");
        else
                call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- PEND, SNOOZE ---- */

static int
later_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    enum ticket_event_type type, const char *when, struct change *out, struct err *err)
{
        struct message *m AUTO_MESSAGE = note_of(c, &v->ticket, "NOTE");
        struct ticket_event e;

        call_event(c, &v->ticket, type, &e);
        e.text = call_arg(c, "NOTE");
        e.message = m;
        e.until_ms = call_time(c, when, 0);
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static int
pend_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        return later_apply(c, v, a, EVENT_PEND, "UNTIL", out, err);
}

void
cmd_pend(struct call *c)
{
        static const struct change_plan plan = {pend_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

static int
snooze_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        return later_apply(c, v, a, EVENT_SNOOZE, "when", out, err);
}

void
cmd_snooze(struct call *c)
{
        static const struct change_plan plan = {snooze_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- RAISE, NEED ---- */

static int
raise_to(struct call *c, const struct ticket_view *v, const char *word, struct arena *a,
    struct change *out, struct err *err)
{
        struct class *k = arena_alloc(a, sizeof *k);
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_RAISE, &e);
        if (!priority_parse(word, &e.priority))
                return err_code(err, ERR_REJECT, "BADARG",
                    "priority: expected low, normal, high or urgent, got '%.40s'", word);
        rules_class_priority(c->agents->desk->config, &v->ticket, e.priority, a, k);
        e.class_doc = new_class(c, k);
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static int
raise_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        return raise_to(c, v, call_arg(c, "priority"), a, out, err);
}

void
cmd_raise(struct call *c)
{
        static const struct change_plan plan = {raise_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

static int
need_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;
        struct skill need;

        call_event(c, &v->ticket, EVENT_NEED, &e);
        if (skill_of(c, "skill:level", a, &need, err) == -1)
                return -1;
        e.class_doc = needing_class(c, &v->ticket, &need, a);
        e.target = call_arg(c, "skill:level");
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_need(struct call *c)
{
        static const struct change_plan plan = {need_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- TAG ---- */

static bool
has_tag(const char *const *tags, size_t n, const char *tag)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(tags[i], tag) == 0)
                        return true;
        return false;
}

/* +vpn puts it on, -vpn takes it off; the last word about a tag counts. */
static int
tags_after(const struct call *c, const struct ticket *t, struct arena *a,
    const char ***tags, size_t *n, struct err *err)
{
        *tags = arena_alloc(a, (t->n_tags + c->n_values + 1) * sizeof **tags);
        for (*n = 0; *n < t->n_tags; (*n)++)
                (*tags)[*n] = t->tags[*n];
        for (unsigned i = 0; i < c->n_values; i++) {
                const struct arg_value *v = &c->values[i];
                size_t kept = 0;

                if (v->spec->option != NULL || strcmp(v->spec->name, "tag") != 0)
                        continue;
                if ((v->s[0] != '+' && v->s[0] != '-') || v->len < 2 ||
                    v->len > TAG_BYTES || strpbrk(v->s, " ,\"") != NULL)
                        return err_code(err, ERR_REJECT, "BADARG",
                            "tag: expected +word or -word, got '%.40s'", v->s);
                if (v->s[0] == '+' && !has_tag(*tags, *n, v->s + 1))
                        (*tags)[(*n)++] = v->s + 1;
                if (v->s[0] == '+')
                        continue;
                for (size_t k = 0; k < *n; k++)
                        if (strcmp((*tags)[k], v->s + 1) != 0)
                                (*tags)[kept++] = (*tags)[k];
                *n = kept;
        }
        if (*n > TAGS_MAX)
                return err_code(
                    err, ERR_REJECT, "BADARG", "tag: at most %d on a ticket", TAGS_MAX);
        return 0;
}

static const char *
tags_json(const char *const *tags, size_t n, struct arena *a)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_strings(&o, tags, n);
        return arena_strdup(a, buf_str(&b));
}

/* "+vpn -billing", for the ticket's log. */
static const char *
tags_said(const struct call *c, struct arena *a)
{
        struct buf b AUTO_BUF = BUF_INIT;

        for (unsigned i = 0; i < c->n_values; i++)
                if (strcmp(c->values[i].spec->name, "tag") == 0)
                        buf_addf(&b, "%s%s", b.len > 0 ? " " : "", c->values[i].s);
        return arena_strdup(a, buf_str(&b));
}

static int
tag_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;
        const char **tags;
        size_t n;

        if (tags_after(c, &v->ticket, a, &tags, &n, err) == -1)
                return -1;
        call_event(c, &v->ticket, EVENT_TAG, &e);
        e.tags = tags_json(tags, n, a);
        e.target = tags_said(c, a);
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_tag(struct call *c)
{
        static const struct change_plan plan = {tag_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- CHANGE ---- */

static int
change_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        static const char *const fields[] = {"subject", "language", "customer"};
        const char *field = call_arg(c, "field");
        struct ticket_event e;

        if (strcmp(field, "priority") == 0)
                return raise_to(c, v, call_arg(c, "value"), a, out, err);
        call_event(c, &v->ticket, EVENT_CHANGE, &e);
        e.field = "";
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
                if (strcmp(field, fields[i]) == 0)
                        e.field = fields[i];
        e.target = call_arg(c, "value");
        if (e.field[0] == '\0')
                return err_code(err, ERR_REJECT, "BADARG",
                    "field: expected subject, language, customer or priority (the line: "
                    "TRANSFER), got '%.40s'",
                    field);
        if (strcmp(e.field, "subject") == 0 && tutor_of(c)[0] != '\0')
                return err_code(err, ERR_STATE, "NOPERM",
                    "the subject goes to people outside: ask your tutor %s to change it",
                    tutor_of(c));
        if (e.target[0] == '\0' ||
            (strcmp(e.field, "language") == 0 && strlen(e.target) > 8))
                return err_code(err, ERR_REJECT, "BADARG",
                    "value: expected %s, got '%.40s'",
                    strcmp(e.field, "language") == 0 ? "a language such as ru or en"
                                                     : "a text that is not empty",
                    e.target);
        if (strcmp(e.field, "customer") == 0 && strchr(e.target, '@') != NULL)
                e.target = address_normalise(a, e.target);
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_change(struct call *c)
{
        static const struct change_plan plan = {change_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- SPAM ---- */

static int
spam_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_SPAM, &e);
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_spam(struct call *c)
{
        static const struct change_plan plan = {spam_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- ASSIGN ---- */

static int
assign_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_ASSIGN, &e);
        e.target = call_arg(c, "agent");
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static void
assign_done(void *arg, const struct err *err, const struct pull_answer *p)
{
        struct call *c = arg;
        const char *agent = call_arg(c, "agent");

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        crash_point("assign.pulled");
        switch (p->outcome) {
        case PULL_TAKEN:
                call_ok(c);
                return;
        case PULL_FULL:
                call_error(c, "CAPACITY",
                    "%s holds as many tickets as he may: TRANSFER %s AGENT %s keeps it "
                    "for him until he has room",
                    agent, call_arg(c, "ticket"), agent);
                return;
        case PULL_REFUSED:
                call_error(c, p->code, "%s", p->why);
                return;
        case PULL_AWAY:
        case PULL_NOTHING:
                call_error(
                    c, "STATE", "ticket %s is not to be had", call_arg(c, "ticket"));
                return;
        }
}

/* What waits for its customer only gets another owner; all else goes into his hands. A
 * repetition is the pull's to know: what it keeps under an ID is no answer as words. */
static void
assign_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        static const struct change_plan plan = {assign_apply, answer_ok, false};
        struct call *c = arg;

        if (err->kind != ERR_NONE)
                call_fail(c, err);
        else if (v->exists && v->ticket.state == TICKET_WAITING &&
                 v->idem_hash[0] == '\0')
                call_change(c, call_arg(c, "ticket"), &plan);
        else
                desk_assign(c->agents->desk, call_arg(c, "agent"), call_arg(c, "ticket"),
                    c->me.who, c->idem, c->hash, assign_done, c);
}

void
cmd_assign(struct call *c)
{
        const struct read_ticket r = {.id = call_arg(c, "ticket"), .idem = c->idem};
        struct err err;

        if (known_agent(c, call_arg(c, "agent"), &err) == -1)
                call_fail(c, &err);
        else
                store_read(c->agents->desk->store, &r, assign_on_view, c);
}
