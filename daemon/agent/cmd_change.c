/*
 * The commands that change a ticket: REPLY, UNSEND, NOTE, RELEASE, TOUCH, RESOLVE,
 * REOPEN. Each is an event for the law of states (queue/ticket.h); how it gets
 * there, once and durable, is in call.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"

#define RECIPIENTS 40

void
answer_ok(struct call *c, const struct change *ch, struct buf *out)
{
        (void)c;
        (void)ch;
        resp_simple(out, "OK");
}

void
answer_message(struct call *c, const struct change *ch, struct buf *out)
{
        (void)c;
        resp_bulks(out, ch->new_message);
}

/* ---- messages ---- */

void
message_freep(struct message **m)
{
        if (*m != NULL)
                message_free(m);
}
struct message *
call_message(const struct call *c, const struct ticket *t,
    enum message_direction direction, const char *text)
{
        struct message *m = message_new();
        const struct desk *d = c->agents->desk;
        const struct agent_options *o = config_agent(d->config, c->me.agent);
        const struct mail_account *mail = config_reply_mail(d->config, t->account);

        m->direction = direction;
        m->channel = arena_strdup(m->arena, t->channel);
        m->account = arena_strdup(m->arena, t->account);
        m->author = arena_strdup(m->arena, c->me.who);
        m->text = arena_strdup(m->arena, text);
        m->language = arena_strdup(m->arena, t->language);
        m->sent_at_us = m->received_at_us = clock_now_us();
        if (direction == MESSAGE_NOTE) {
                m->from.name =
                    arena_strdup(m->arena, o == NULL ? c->me.who : o->full_name);
                m->from.address = "";
                return m;
        }
        m->subject = arena_strdup(m->arena, t->subject);
        m->from.name = arena_strdup(m->arena, mail == NULL ? "" : mail->name);
        m->from.address =
            arena_strdup(m->arena, mail == NULL ? t->account : mail->address);
        return m;
}

static bool
has_address(const char *const *list, size_t n, const char *address)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], address) == 0)
                        return true;
        return false;
}

struct recipients { /* of one answer */
        const struct call *call;
        const struct ticket *t;
        struct message *m;
        const char **envelope; /* normalised, each once */
        size_t n;
};

static void
recipient_add(struct recipients *r, bool cc, const char *name, const char *address)
{
        struct arena *a = r->m->arena;
        const char *plain = address_normalise(a, address);
        struct mail_address **list = cc ? &r->m->cc : &r->m->to;
        size_t *n = cc ? &r->m->n_cc : &r->m->n_to;

        if (plain[0] == '\0' || r->n >= RECIPIENTS ||
            has_address(r->envelope, r->n, plain) ||
            config_is_ours(r->call->agents->desk->config, plain))
                return;
        *list = arena_grow(a, *list, *n, sizeof **list);
        (*list)[*n].name = arena_strdup(a, name);
        (*list)[(*n)++].address = arena_strdup(a, address);
        r->envelope[r->n++] = plain;
}

/* Those of the customer's last mail in copy, less ours: a JSON array of addresses. */
static void
recipients_copied(struct recipients *r)
{
        struct err err;
        json_t *list = json_read(r->t->cc, strlen(r->t->cc), 65536, &err);

        for (size_t i = 0; list != NULL && i < json_array_size(list); i++) {
                const char *s = json_string_value(json_array_get(list, i));

                if (s != NULL)
                        recipient_add(r, true, "", s);
        }
        json_decref(list);
}

/* Was it in copy of the customer's last mail? */
static bool
was_copied(const struct recipients *r, const char *plain)
{
        struct err err;
        json_t *list = json_read(r->t->cc, strlen(r->t->cc), 65536, &err);
        bool found = false;

        for (size_t i = 0; list != NULL && i < json_array_size(list) && !found; i++) {
                const char *s = json_string_value(json_array_get(list, i));

                found = s != NULL && plain[0] != '\0' &&
                        strcmp(address_normalise(r->m->arena, s), plain) == 0;
        }
        json_decref(list);
        return found;
}

/* Does it take part already? Others are for leads. */
static bool
recipient_is_allowed(const struct recipients *r, const char *address)
{
        const char *plain = address_normalise(r->m->arena, address);

        return r->call->me.is_lead || has_address(r->t->people, r->t->n_people, plain) ||
               strcmp(plain, address_normalise(r->m->arena, r->t->to_addr)) == 0 ||
               was_copied(r, plain);
}

/* TO or CC of the command; false: there is none. */
static int
recipients_named(struct recipients *r, const char *option, bool *named, struct err *err)
{
        const struct call *c = r->call;

        *named = false;
        for (unsigned i = 0; i < c->n_values; i++) {
                const struct arg_value *v = &c->values[i];

                if (v->spec->option == NULL || strcmp(v->spec->option, option) != 0)
                        continue;
                if (!recipient_is_allowed(r, v->s))
                        return err_code(err, ERR_REJECT, "NOPERM",
                            "%s: %s takes no part in ticket %s; a lead may write to "
                            "others",
                            option, v->s, r->t->id);
                recipient_add(r, strcmp(option, "CC") == 0, "", v->s);
                *named = true;
        }
        return 0;
}

const char *
tutor_of(const struct call *c)
{
        const struct agent_options *o =
            config_agent(c->agents->desk->config, c->me.agent);

        return o == NULL || o->tutor == NULL ? "" : o->tutor;
}

/* The answer as a message, and the event's envelope. */
static int
outgoing(struct call *c, const struct ticket *t, const char *text, struct message **m,
    struct ticket_event *e, struct err *err)
{
        struct recipients r = {.call = c, .t = t};
        bool to, cc;
        bool by_mail = config_reply_mail(c->agents->desk->config, t->account) != NULL;

        if (!by_mail && strcmp(t->channel, "web") != 0)
                return err_code(err, ERR_STATE, "STATE",
                    "the account %s of ticket %s is not in the configuration: nothing "
                    "can be "
                    "sent from it",
                    t->account, t->id);
        *m = r.m = call_message(c, t, MESSAGE_OUT, text);
        r.envelope = arena_alloc(r.m->arena, RECIPIENTS * sizeof *r.envelope);
        if (recipients_named(&r, "TO", &to, err) == -1)
                return -1;
        if (!to)
                recipient_add(&r, false, t->to_name, t->to_addr);
        if (recipients_named(&r, "CC", &cc, err) == -1)
                return -1;
        if (!cc && !to)
                recipients_copied(&r);
        e->message = r.m;
        e->account = r.m->from.address;
        e->to = r.envelope;
        e->n_to = by_mail ? r.n : 0; /* without mail: on the customer's page alone */
        e->tutor = tutor_of(c);
        return 0;
}

/* ---- REPLY ---- */

static int
reply_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        static const char *const words[] = {"waiting", "resolved", "held"};
        struct message *m AUTO_MESSAGE = NULL;
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_REPLY, &e);
        e.seen = call_arg(c, "SEEN");
        e.status = "waiting";
        for (size_t i = 0; i < 3; i++)
                if (strcasecmp(call_arg(c, "STATUS"), words[i]) == 0)
                        e.status = words[i];
        if (outgoing(c, &v->ticket, call_arg(c, "text"), &m, &e, err) == -1)
                return -1;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_reply(struct call *c)
{
        static const struct change_plan plan = {reply_apply, answer_message, false};

        crash_point("reply.begin");
        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- UNSEND ---- */

static int
unsend_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct message *m AUTO_MESSAGE = NULL;
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_UNSEND, &e);
        e.target = call_arg(c, "message");
        desk_find_line(c->agents->desk, &v->ticket, a, &e);
        e.stands_in = stands_in(c, v->ticket.tutor);
        if (call_has(c, "NOTE"))
                m = call_message(c, &v->ticket, MESSAGE_NOTE, call_arg(c, "NOTE"));
        e.message = m;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_unsend(struct call *c)
{
        static const struct change_plan plan = {unsend_apply, answer_ok, false};
        const char *message = call_arg(c, "message");

        call_change(c, arena_strndup(c->arena, message, strcspn(message, ".")), &plan);
}

/* ---- NOTE ---- */

static int
note_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct message *m AUTO_MESSAGE =
            call_message(c, &v->ticket, MESSAGE_NOTE, call_arg(c, "text"));
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_NOTE, &e);
        e.message = m;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_note(struct call *c)
{
        static const struct change_plan plan = {note_apply, answer_message, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- RELEASE ---- */

static int
release_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct message *m AUTO_MESSAGE = NULL;
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_RELEASE, &e);
        e.delay_ms = call_num(c, "DELAY", 0);
        if (call_has(c, "NOTE"))
                m = call_message(c, &v->ticket, MESSAGE_NOTE, call_arg(c, "NOTE"));
        e.message = m;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_release(struct call *c)
{
        static const struct change_plan plan = {release_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- TOUCH ---- */

static int
touch_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;
        int64_t *lease_ms = c->state;

        call_event(c, &v->ticket, EVENT_TOUCH, &e);
        *lease_ms = e.lease_ms;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static void
touch_answer(struct call *c, const struct change *ch, struct buf *out)
{
        const int64_t *lease_ms = c->state;

        (void)ch;
        resp_int(out, *lease_ms);
}

void
cmd_touch(struct call *c)
{
        static const struct change_plan plan = {touch_apply, touch_answer, true};

        c->state = arena_alloc(c->arena, sizeof(int64_t));
        call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- RESOLVE, REOPEN ---- */

static int
resolve_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct message *m AUTO_MESSAGE = NULL;
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_RESOLVE, &e);
        e.seen = call_arg(c, "SEEN");
        e.code = call_arg(c, "CODE");
        if (call_has(c, "TEXT") &&
            outgoing(c, &v->ticket, call_arg(c, "TEXT"), &m, &e, err) == -1)
                return -1;
        return ticket_apply(&v->ticket, &e, a, out, err);
}

static bool
code_is_known(const struct config *config, const char *code)
{
        for (size_t i = 0; i < config->n_codes; i++)
                if (strcmp(config->codes[i], code) == 0)
                        return true;
        return false;
}

static void
resolve_other_code(struct call *c)
{
        const struct config *config = c->agents->desk->config;
        struct buf known AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < config->n_codes; i++)
                buf_addf(&known, "%s%s", i > 0 ? ", " : "", config->codes[i]);
        call_error(c, "BADARG", "CODE: expected one of %s, got '%s'", buf_str(&known),
            call_arg(c, "CODE"));
}

void
cmd_resolve(struct call *c)
{
        static const struct change_plan plan = {resolve_apply, answer_ok, false};
        const struct config *config = c->agents->desk->config;

        if (call_has(c, "CODE") && config->n_codes > 0 &&
            !code_is_known(config, call_arg(c, "CODE"))) {
                resolve_other_code(c);
                return;
        }
        call_change(c, call_arg(c, "ticket"), &plan);
}

static int
reopen_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e;

        call_event(c, &v->ticket, EVENT_REOPEN, &e);
        e.text = call_arg(c, "reason");
        desk_find_line(c->agents->desk, &v->ticket, a, &e);
        return ticket_apply(&v->ticket, &e, a, out, err);
}

void
cmd_reopen(struct call *c)
{
        static const struct change_plan plan = {reopen_apply, answer_ok, false};

        call_change(c, call_arg(c, "ticket"), &plan);
}
