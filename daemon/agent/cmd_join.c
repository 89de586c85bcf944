/*
 * MERGE, UNMERGE, LINK, SPLIT: each changes two tickets in one commit. The law of both
 * sides is in queue/ticket_join.c; what the rules say of a ticket that is split off is
 * asked here.
 *
 * Killed at any moment: both tickets are changed, or none.
 */
#include <stdlib.h>
#include <string.h>

#include "config/rules.h"
#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/intake.h"

enum { PARTS_MAX = 20, LEVELS_MAX = 4 };

/* The same event on both sides, joined. */
static int
join_apply(struct call *c, const struct ticket *t, enum ticket_event_type mine,
    enum ticket_event_type its, struct arena *a, struct change *out, struct err *err)
{
        struct ticket_event e;
        struct change other;

        call_event(c, t, mine, &e);
        e.other = c->other_ticket;
        if (ticket_apply(t, &e, a, out, err) == -1)
                return -1;
        call_event(c, c->other_ticket, its, &e);
        e.other = t;
        if (ticket_apply(c->other_ticket, &e, a, &other, err) == -1)
                return -1;
        change_join(out, &other);
        return 0;
}

static void
answer_first(struct call *c, const struct change *ch, struct buf *out)
{
        (void)ch;
        resp_simple(out, c->ticket);
}

static void
answer_other(struct call *c, const struct change *ch, struct buf *out)
{
        (void)ch;
        resp_simple(out, c->other);
}

/* ---- MERGE ---- */

/* A private ticket must not become readable by being part of one that is not. */
static int
merge_keeps_private(struct call *c, const struct ticket *t, struct err *err)
{
        const struct config *cfg = c->agents->desk->config;
        const struct line_options *from = config_line(cfg, t->line);

        if (from == NULL || !from->is_private ||
            strcmp(t->line, c->other_ticket->line) == 0)
                return 0;
        return err_code(err, ERR_STATE, "STATE",
            "ticket %s lies in the private line %s and would be shown with %s to all who "
            "see line %s: TRANSFER %s to %s first, or LINK them",
            t->id, t->line, c->other, c->other_ticket->line, c->other, t->line);
}

static int
merge_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        if (merge_keeps_private(c, &v->ticket, err) == -1)
                return -1;
        if (v->n_levels + 1 > LEVELS_MAX || v->n_parts + c->n_other_parts + 1 > PARTS_MAX)
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s would have more than %d tickets in it, or %d one in the "
                    "other: LINK them",
                    c->other, PARTS_MAX, LEVELS_MAX);
        return join_apply(c, &v->ticket, EVENT_MERGE, EVENT_MERGED, a, out, err);
}

void
cmd_merge(struct call *c)
{
        static const struct change_plan plan = {merge_apply, answer_other, false};

        crash_point("merge.begin");
        c->other = call_arg(c, "INTO");
        if (strcmp(c->other, call_arg(c, "ticket")) == 0)
                call_error(c, "BADARG", "INTO: expected another ticket than %s itself",
                    c->other);
        else
                call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- UNMERGE ---- */

static int
unmerge_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        /* merged only since unmerge_on_view: the other one was not read */
        if (c->other_ticket == NULL && v->ticket.state == TICKET_MERGED)
                return err_code(err, ERR_RETRY, "TRYAGAIN",
                    "ticket %s was merged meanwhile: send the same command again",
                    v->ticket.id);
        return join_apply(c, &v->ticket, EVENT_UNMERGE, EVENT_UNMERGED, a, out, err);
}

static void
unmerge_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        static const struct change_plan plan = {unmerge_apply, answer_first, false};
        struct call *c = arg;
        const struct ticket *t = NULL;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (v->exists && identity_sees(c->agents, &c->me, &v->ticket))
                t = &v->ticket;
        if (t != NULL && t->state == TICKET_MERGED) {
                c->other = arena_strdup(c->arena, t->merged_into);
                c->other_unnamed = true;
        } else if (t != NULL && t->last_cmd[0] == '\0' && c->idem[0] == '\0') {
                call_error(c, "STATE", "ticket %s is %s: it is merged into no other",
                    t->id, ticket_state_name(t->state));
                return;
        }
        /* else: a repetition, or the law says why not */
        call_change(c, call_arg(c, "ticket"), &plan);
}

void
cmd_unmerge(struct call *c)
{
        const struct read_ticket r = {.id = call_arg(c, "ticket"), .idem = ""};

        store_read(c->agents->desk->store, &r, unmerge_on_view, c);
}

/* ---- LINK ---- */

static int
link_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        return join_apply(c, &v->ticket, EVENT_LINK, EVENT_LINK, a, out, err);
}

void
cmd_link(struct call *c)
{
        static const struct change_plan plan = {link_apply, answer_first, false};

        c->other = call_arg(c, "other");
        if (strcmp(c->other, call_arg(c, "ticket")) == 0)
                call_error(c, "BADARG", "other: expected another ticket than %s itself",
                    c->other);
        else
                call_change(c, call_arg(c, "ticket"), &plan);
}

/* ---- SPLIT ---- */

static void
set_strings(struct change *ch, const char *field, const char *const *s, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i < n; i++)
                jo_string(&o, s[i]);
        jo_close(&o, ']');
        change_set(ch, field, buf_str(&b));
}

/* What an answer to the new ticket must know of the customer's message. */
static void
split_mail(struct call *c, const struct ticket *t, const struct message *m,
    struct arena *a, struct change *ch)
{
        const struct config *config = c->agents->desk->config;
        const char *answer = mail_answer_address(m, a), **cc;
        size_t n = 0;

        cc = arena_alloc(a, (m->n_to + m->n_cc + 1) * sizeof *cc);
        for (size_t i = 0; i < m->n_to + m->n_cc; i++) {
                const struct mail_address *x =
                    i < m->n_to ? &m->to[i] : &m->cc[i - m->n_to];
                const char *plain = address_normalise(a, x->address);

                if (plain[0] != '\0' && !config_is_ours(config, plain) &&
                    strcmp(plain, answer) != 0)
                        cc[n++] = plain;
        }
        change_set(ch, "to_name", m->from.name);
        change_set(ch, "to_addr", answer);
        set_strings(ch, "cc", cc, n);
        set_strings(ch, "people", t->people, t->n_people);
        set_strings(ch, "refs", &m->message_id, m->message_id[0] != '\0');
        change_set(ch, "last_mid", m->message_id);
}

/* As if the message had come alone. */
static void
split_create(struct call *c, const struct ticket *t, const struct message *m,
    struct arena *a, struct change *ch)
{
        struct desk *d = c->agents->desk;
        struct facts f = {.message = m, .now_ms = clock_now_ms()};
        struct buf why AUTO_BUF = BUF_INIT;
        struct decision dec;
        struct json_out o;
        struct ticket_birth b = {.message = m,
            .now_ms = f.now_ms,
            .counts = true,
            .origin = m->id,
            .links = arena_printf(a, "[\"%s\"]", t->id),
            .reopen_ms = d->config->reopen_ms};

        rules_decide(d->config, &f, a, &dec);
        desk_admit_class(d, &dec.class_doc, a);
        b.weight = config_weight(d->config, m->channel);
        jo_init(&o, &why);
        decision_format_sentences(&dec, true, &o);
        b.class_doc = &dec.class_doc;
        b.priority = dec.priority;
        b.line = dec.line;
        b.route = dec.route;
        b.tags = dec.tags;
        b.n_tags = dec.n_tags;
        b.why = buf_str(&why);
        b.config = d->config;
        b.calendar = desk_calendar(d, dec.class_doc.calendar);
        b.promise = config_promise(d->config, dec.promise);
        ticket_create(&b, a, ch);
        if (t->customer_id[0] != '\0')
                change_customer(ch, t->customer_id);
        split_mail(c, t, m, a, ch);
}

static int
split_apply(struct call *c, const struct ticket_view *v, struct arena *a,
    struct change *out, struct err *err)
{
        struct message *m AUTO_MESSAGE = NULL;
        struct ticket_event e;
        struct change made;

        if (v->n_messages != 1 ||
            message_parse(v->messages[0], strlen(v->messages[0]), &m, err) == -1 ||
            strcmp(m->id, call_arg(c, "message")) != 0)
                return err_code(err, ERR_NOTFOUND, "NOSUCH",
                    "ticket %s has no message %s", v->ticket.id, call_arg(c, "message"));
        call_event(c, &v->ticket, EVENT_SPLIT, &e);
        e.target = m->id;
        e.message = m;
        if (ticket_apply(&v->ticket, &e, a, out, err) == -1)
                return -1;
        split_create(c, &v->ticket, m, a, &made);
        change_join(out, &made);
        return 0;
}

static void
split_answer(struct call *c, const struct change *ch, struct buf *out)
{
        (void)c;
        (void)ch;
        resp_simple(out, "$ticket$"); /* the commit knows its number */
}

void
cmd_split(struct call *c)
{
        static const struct change_plan plan = {split_apply, split_answer, false};
        const char *ticket = call_arg(c, "ticket");
        const char *message = call_arg(c, "message");
        size_t n = strlen(ticket);

        if (strncmp(message, ticket, n) != 0 || message[n] != '.') {
                call_error(c, "BADARG",
                    "message: expected one that was born on ticket %s, such as %s.2; of "
                    "a "
                    "merged one UNMERGE first",
                    ticket, ticket);
                return;
        }
        crash_point("split.begin");
        c->read_message = (unsigned)call_num(c, "message", 0);
        call_change(c, ticket, &plan);
}
