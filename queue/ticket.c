/*
 * The law of states: pure, one function an event, one table of what may happen when.
 *
 * Nothing is read or written here: the change says what is to be done, and verb
 * commit does it if the ticket is still of the version that was looked at. So a
 * decision made on old facts is never carried out, and a crash between looking and
 * committing loses only the looking.
 *
 * What clocks do (lease, own, wait, close, grace) is in queue/lua/50_tick.lua and
 * follows the same table.
 */
#include "queue/ticket_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"

static const char *
text_or_none(const char *s)
{
        return s != NULL ? s : "";
}

int64_t
law_start(const struct ticket *t, int64_t now_ms)
{
        return (now_ms - t->class_doc.head_ms) * 1000;
}

/* ---- who may ---- */

/* Is it in the acting agent's hands? Else NOTHELD (and says whose), or STATE. */
int
law_holds(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        char until[25];

        if (t->state == TICKET_HELD && strcmp(t->holder, l->e->agent) == 0) {
                if (l->e->lease == 0 || l->e->lease == t->lease)
                        return 0;
                return err_code(err, ERR_STATE, "NOTHELD",
                    "lease %" PRIu64 " of ticket %s is over, this is lease %" PRIu64,
                    l->e->lease, t->id, t->lease);
        }
        if (t->state == TICKET_HELD) {
                clock_format(t->lease_until_ms * 1000, until);
                return err_code(err, ERR_STATE, "NOTHELD",
                    "ticket %s is held by %s until %s", t->id, t->holder, until);
        }
        if (t->state == TICKET_QUEUED)
                return err_code(err, ERR_STATE, "NOTHELD",
                    "nobody holds ticket %s, it waits in line %s: TAKE %s", t->id,
                    t->line, t->id);
        return err_code(err, ERR_STATE, "STATE", "ticket %s is %s", t->id,
            ticket_state_name(t->state));
}

/* The number behind the point in "1042.7"; -1 when it is no message of this ticket. */
long
law_message_number(const struct ticket *t, const char *message)
{
        size_t n = strlen(t->id);
        char *end;
        long number;

        if (strncmp(message, t->id, n) != 0 || message[n] != '.' ||
            message[n + 1] < '1' || message[n + 1] > '9')
                return -1;
        number = strtol(message + n + 1, &end, 10);
        return *end == '\0' && number <= (long)t->n_messages ? number : -1;
}

/* Nothing unseen is answered: is there a customer's message newer than what he saw? */
int
law_seen(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        const char *seen = l->e->seen;
        bool is_holder = t->state == TICKET_HELD && strcmp(t->holder, l->e->agent) == 0;

        if (seen[0] != '\0' && law_message_number(t, seen) < 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "SEEN %.40s: expected the number of a message of this ticket, such "
                    "as %s.%u",
                    seen, t->id, t->n_messages);
        if (seen[0] == '\0') {
                if (!is_holder)
                        return 0;
                seen = t->seen;
        }
        /* A merged or split ticket's newest message may bear another ticket's number. */
        if (t->last_in[0] == '\0' || strcmp(t->last_in, seen) == 0 ||
            law_message_number(t, t->last_in) < 0 ||
            law_message_number(t, seen) >= law_message_number(t, t->last_in))
                return 0;
        return err_code(err, ERR_STATE, "STALE",
            "%s has come in since you read ticket %s: SHOW %s, then answer with SEEN %s",
            t->last_in, t->id, t->id, t->last_in);
}

static int
law_state(const struct law *l, const struct law_row *r, struct err *err)
{
        return err_code(err, ERR_STATE, "STATE", "ticket %s is %s: %s is not possible",
            l->t->id, ticket_state_name(l->t->state), r->name);
}

/* ---- pieces of changes ---- */

void
law_add_message(const struct law *l)
{
        struct buf b AUTO_BUF = BUF_INIT;

        message_format_tail(l->e->message, &b);
        change_message(l->c, b.data, b.len);
        l->c->new_message = arena_printf(l->a, "%s.%u", l->t->id, l->t->n_messages + 1);
}

void
law_journal(const struct law *l, const char *event, const char *why)
{
        const char *agent = l->e->agent;

        if (strcmp(event, "message") == 0)
                agent = l->t->state == TICKET_HELD ? l->t->holder : l->t->owner;
        change_journal(l->c, event, agent, l->t->line, l->e->who, why);
}

void
law_log(const struct law *l, const char *event, const char *from, const char *to)
{
        change_log(l->c, l->e->now_ms, l->e->who, event, from, to, l->e->text);
}

/* While his answer waits for his tutor a trainee's lease does not run. */
static bool
law_is_with_tutor(const struct law *l)
{
        return l->t->approve != NULL && l->t->approve[0] != '\0' &&
               l->e->type != EVENT_APPROVE && l->e->type != EVENT_UNSEND;
}

/* The holder shows that he is at it. */
void
law_renew(const struct law *l)
{
        int64_t until = l->e->now_ms + l->e->lease_ms;

        if (l->t->untaken[0] != '\0')
                change_set(l->c, "untaken", "");
        if (l->e->lease_ms <= 0 || law_is_with_tutor(l))
                return;
        change_setn(l->c, "lease_until", until);
        change_due(l->c, "lease", until);
        change_due(l->c, "half", l->e->now_ms + l->e->lease_ms / 2);
}

/* Out of the holder's hands. */
void
law_unhold(const struct law *l)
{
        if (l->t->state != TICKET_HELD)
                return;
        law_drop_answer(l);
        change_unhold(l->c, l->t->holder);
        change_set(l->c, "holder", "");
        change_set(l->c, "untaken", "");
        change_setn(l->c, "lease_until", 0);
}

/* He has finished it: his line may give him a pause. */
static void
law_wrap_up(const struct law *l)
{
        if (l->t->state == TICKET_HELD && l->e->wrap_up_ms > 0 &&
            strcmp(l->t->holder, l->e->agent) == 0)
                change_wrap_up(l->c, l->t->holder, l->e->now_ms + l->e->wrap_up_ms);
}

void
law_set_state(const struct law *l, enum ticket_state s)
{
        change_set(l->c, "state", ticket_state_name(s));
        l->after->state = s;
}

/* Into its class, at v. */
void
law_queue(const struct law *l, int64_t v_us)
{
        law_set_state(l, TICKET_QUEUED);
        change_setn(l->c, "queued", l->e->now_ms);
        change_setn(l->c, "v", v_us);
        if (l->e->class_doc != NULL) {
                change_calendar(l->c, l->e->class_doc);
                change_enter_class(
                    l->c, l->e->class_doc->id, l->e->class_doc->text, v_us);
        } else
                change_enter_class(l->c, l->t->class_id, l->t->class_doc.text, v_us);
}

void
law_leave_waiting(const struct law *l)
{
        if (l->t->state != TICKET_WAITING)
                return;
        change_due(l->c, "wait", 0);
        change_setn(l->c, "until", 0);
        l->after->stands = false;
}

void
law_wait_customer(const struct law *l, int64_t until_ms)
{
        law_wrap_up(l);
        law_unhold(l);
        law_set_state(l, TICKET_WAITING);
        change_setn(l->c, "until", until_ms);
        change_due(l->c, "wait", until_ms);
        l->after->stands = l->after->asked = true;
}

static void
law_unresolve(const struct law *l)
{
        change_due(l->c, "close", 0);
        change_setn(l->c, "resolved", 0);
        if (l->t->code[0] != '\0')
                change_set(l->c, "code", "");
}

void
law_set_entered(const struct law *l)
{
        change_setn(l->c, "entered", l->e->now_ms);
        l->after->anew = true;
}

/* Queued with a new start, preferred to its last holder. */
void
law_queue_anew(const struct law *l)
{
        const struct ticket *t = l->t;
        int64_t v = law_start(t, l->e->now_ms), own_ms = l->e->own_ms;

        if (own_ms > 0 && t->keep_ms > 0) /* its route says how long */
                own_ms = t->keep_ms;
        if (l->e->class_doc != NULL) { /* its line is gone */
                v = (l->e->now_ms - l->e->class_doc->head_ms) * 1000;
                change_set(l->c, "line", l->e->line);
        }
        if (t->state == TICKET_RESOLVED)
                law_unresolve(l);
        else
                law_leave_waiting(l);
        law_set_entered(l);
        if (t->owner[0] == '\0' || own_ms <= 0) {
                law_queue(l, v);
                return;
        }
        law_set_state(l, TICKET_QUEUED);
        change_setn(l->c, "queued", l->e->now_ms);
        change_setn(l->c, "v", v);
        if (l->e->class_doc != NULL) {
                change_calendar(l->c, l->e->class_doc);
                change_class(l->c, l->e->class_doc->id, l->e->class_doc->text);
        }
        change_enter_own(l->c, t->owner, v, l->e->now_ms + own_ms);
}

/* Who left no address with a form reads the answer on his page of the ticket. */
bool
law_answers_on_page(const struct law *l)
{
        return strcmp(l->t->channel, "web") == 0;
}

/* An answer to the customer: message, its delivery document, its outbox entry. */
void
law_send(const struct law *l)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct outbox_new n = {.kind = "reply",
            .message = "$new",
            .account = l->e->account,
            .template = "",
            .language = l->t->language,
            .to = l->e->to,
            .n_to = l->e->n_to,
            .due_ms = l->e->now_ms + l->e->send_delay_ms};

        law_add_message(l);
        l->after->sent = true;
        law_drop_draft(l);
        if (l->e->n_to == 0)
                return;
        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i < n.n_to; i++) {
                jo_open(&o, '{');
                jo_kstring(&o, "address", n.to[i]);
                jo_kstring(&o, "state", "queued");
                jo_ktime(&o, "at", l->e->now_ms * 1000);
                jo_kstring(&o, "reply", "");
                jo_close(&o, '}');
        }
        jo_close(&o, ']');
        change_delivery(l->c, "$new", buf_str(&b));
        change_outbox_new(l->c, &n);
}

void
law_resolve(const struct law *l)
{
        const struct ticket *t = l->t;

        if (t->state == TICKET_QUEUED)
                change_leave_queue(l->c);
        law_wrap_up(l);
        law_unhold(l);
        law_end_asking(l);
        law_leave_waiting(l);
        law_set_state(l, TICKET_RESOLVED);
        change_setn(l->c, "until", 0);
        if (strcmp(t->code, l->e->code) != 0)
                change_set(l->c, "code", l->e->code);
        change_setn(l->c, "resolved", l->e->now_ms);
        change_due(l->c, "close", l->e->now_ms + l->e->reopen_ms);
        law_log(l, "resolved", "", l->e->code);
        law_journal(l, "changed", "resolved");
}

/* ---- the events ---- */

static int
law_message(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        const struct ticket_event *e = l->e;
        bool late =
            t->state == TICKET_RESOLVED && e->now_ms > t->resolved_ms + e->reopen_ms;

        if (e->counts && (t->state == TICKET_CLOSED || late))
                return err_code(err, ERR_STATE, "CLOSED",
                    "ticket %s is closed: open a new one", t->id);
        law_add_message(l);
        law_journal(l, "message", message_kind_name(e->message->kind));
        if (!e->counts && strcmp(e->status, "resolved") == 0 &&
            ticket_may(t->state, EVENT_RESOLVE))
                law_resolve(l);
        if (!e->counts)
                return 0;
        change_set_new(l->c, "last_in");
        if (t->by_machine != (e->message->machine[0] != '\0'))
                change_set(l->c, "machine", t->by_machine ? "0" : "1");
        if (t->state == TICKET_RESOLVED)
                law_log(l, "reopened", "", "");
        if (t->state == TICKET_RESOLVED || t->state == TICKET_WAITING) {
                law_queue_anew(l);
                law_journal(l, "queued", "the customer has written");
        }
        return 0;
}

void
law_answered(const struct law *l, const char *status)
{
        if (strcmp(status, "held") == 0) {
                law_renew(l);
                law_journal(l, "changed", "replied");
        } else if (strcmp(status, "resolved") == 0) {
                law_resolve(l);
        } else {
                law_wait_customer(l, 0);
                law_journal(l, "changed", "waiting");
        }
}

static int
law_reply(const struct law *l, struct err *err)
{
        const struct ticket_event *e = l->e;
        const char *status = e->status[0] != '\0' ? e->status : "waiting";

        if (strcmp(status, "waiting") != 0 && strcmp(status, "resolved") != 0 &&
            strcmp(status, "held") != 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "STATUS %.40s: expected waiting, resolved or held", status);
        if (e->n_to == 0 && !law_answers_on_page(l))
                return err_code(err, ERR_REJECT, "BADARG",
                    "ticket %s has no address to answer to: name one with TO", l->t->id);
        if (law_holds(l, err) == -1 || law_seen(l, err) == -1)
                return -1;
        if (e->tutor[0] != '\0')
                return law_hold_answer(l, status, err);
        law_send(l);
        law_log(l, "replied", "", status);
        law_answered(l, status);
        return 0;
}
static int
law_note(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        (void)err;
        law_add_message(l);
        if (t->state == TICKET_HELD && strcmp(t->holder, l->e->agent) == 0)
                law_renew(l);
        law_journal(l, "changed", "note");
        return 0;
}

/* The customer is then without an answer: what waited for him goes back to its owner. */
static int
law_unsend(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        if (law_message_number(t, l->e->target) < 0)
                return err_code(err, ERR_NOTFOUND, "NOSUCH",
                    "ticket %s has no message %.40s", t->id, l->e->target);
        if (t->approve != NULL && strcmp(t->approve, l->e->target) == 0)
                return law_refuse_answer(l, err);
        if (!l->e->is_admin && strcmp(t->holder, l->e->agent) != 0 &&
            strcmp(t->owner, l->e->agent) != 0)
                return err_code(err, ERR_STATE, "NOPERM",
                    "only %s, who had the ticket last, or a lead may take back its "
                    "answers",
                    t->owner);
        jo_init(&o, &b);
        jo_open(&o, '[');
        jo_open(&o, '{');
        jo_kstring(&o, "address", "");
        jo_kstring(&o, "state", "refused");
        jo_ktime(&o, "at", l->e->now_ms * 1000);
        jo_kstring(&o, "reply", "taken back before it left");
        jo_close(&o, '}');
        jo_close(&o, ']');
        change_unsend(l->c, l->e->target);
        change_delivery(l->c, l->e->target, buf_str(&b));
        if (l->e->message != NULL)
                law_add_message(l);
        law_log(l, "unsent", l->e->target, "");
        law_journal(l, "changed", "unsent");
        if (t->state == TICKET_HELD) {
                if (strcmp(t->holder, l->e->agent) == 0)
                        law_renew(l);
        } else if (t->state != TICKET_QUEUED) {
                law_queue_anew(l);
                law_journal(l, "queued", "its answer was taken back");
        }
        return 0;
}

static int
law_release(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        const struct ticket_event *e = l->e;
        bool own = strcmp(t->holder, e->agent) == 0;

        if ((!e->is_admin || own) && law_holds(l, err) == -1)
                return -1;
        if (e->message != NULL)
                law_add_message(l);
        law_unhold(l);
        if (own) { /* who took it out of another's hands blames nobody */
                change_setn(l->c, "back", t->given_back + 1);
                change_skip(l->c, t->holder, e->now_ms + LAW_SKIP_MS);
        }
        law_log(l, "released", t->holder, "");
        law_journal(l, "released", e->text);
        if (e->delay_ms <= 0) {
                law_queue(l, t->v_us);
                law_journal(l, "queued", "given back");
                return 0;
        }
        law_set_state(l, TICKET_WAITING);
        change_set(l->c, "owner", "");
        change_setn(l->c, "until", e->now_ms + e->delay_ms);
        change_due(l->c, "wait", e->now_ms + e->delay_ms);
        return 0;
}

/* Back to its place, nobody is blamed. */
static int
law_lost(const struct law *l, struct err *err)
{
        if (l->e->type == EVENT_LOST && law_holds(l, err) == -1)
                return -1;
        law_unhold(l);
        law_queue(l, l->t->v_us);
        law_log(l, l->e->type == EVENT_LOST ? "lost" : "agent gone", l->t->holder, "");
        law_journal(
            l, "released", l->e->type == EVENT_LOST ? "connection lost" : "agent gone");
        return 0;
}

static int
law_touch(const struct law *l, struct err *err)
{
        if (law_holds(l, err) == -1)
                return -1;
        l->c->bump = false;
        if (l->e->type == EVENT_SEEN && strcmp(l->t->seen, l->t->last_in) != 0)
                change_set(l->c, "seen", l->t->last_in);
        law_renew(l);
        return 0;
}

/* What one holds, what one owns, and what nobody has. */
static int
law_may_resolve(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        if (l->e->is_admin)
                return 0;
        if (t->state != TICKET_WAITING)
                return law_holds(l, err);
        if (t->owner[0] == '\0' || strcmp(t->owner, l->e->agent) == 0)
                return 0;
        return err_code(err, ERR_STATE, "NOPERM",
            "ticket %s is %s's, who waits for the customer", t->id, t->owner);
}

static int
law_resolve_event(const struct law *l, struct err *err)
{
        if (law_may_resolve(l, err) == -1 || law_seen(l, err) == -1)
                return -1;
        if (l->e->message != NULL && l->e->n_to == 0 && !law_answers_on_page(l))
                return err_code(err, ERR_REJECT, "BADARG",
                    "ticket %s has no address to answer to: leave TEXT out", l->t->id);
        if (l->e->message != NULL && l->e->tutor[0] != '\0')
                return law_holds(l, err) == -1 ? -1 : law_hold_answer(l, "resolved", err);
        if (l->e->message != NULL)
                law_send(l);
        law_resolve(l);
        return 0;
}

static int
law_reopen(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        if (l->e->now_ms > t->resolved_ms + l->e->reopen_ms)
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s was resolved too long ago to be reopened", t->id);
        law_log(l, "reopened", "", "");
        law_queue_anew(l);
        law_journal(l, "queued", "reopened");
        return 0;
}

static int
law_delivery(const struct law *l, struct err *err)
{
        (void)err;
        l->c->bump = false;
        if (l->e->target[0] != '\0')
                change_delivery(l->c, l->e->target, l->e->delivery);
        if (l->e->status[0] != '\0')
                law_journal(l, l->e->status, l->e->target);
        return 0;
}

/* What may happen when; closed: MESSAGE of machines only. */
static const struct law_row law_here[] = {
    {EVENT_MESSAGE, "a message", IN_OPEN | IN_RESOLVED | IN_CLOSED, law_message},
    {EVENT_REPLY, "REPLY", IN_HELD, law_reply},
    {EVENT_NOTE, "NOTE", IN_OPEN | IN_RESOLVED | IN_CLOSED, law_note},
    {EVENT_UNSEND, "UNSEND", IN_OPEN | IN_RESOLVED, law_unsend},
    {EVENT_RELEASE, "RELEASE", IN_HELD, law_release},
    {EVENT_LOST, "giving back", IN_HELD, law_lost},
    {EVENT_TOUCH, "TOUCH", IN_HELD, law_touch},
    {EVENT_SEEN, "reading", IN_HELD, law_touch},
    {EVENT_RESOLVE, "RESOLVE", IN_OPEN, law_resolve_event},
    {EVENT_REOPEN, "REOPEN", IN_RESOLVED, law_reopen},
    {EVENT_DELIVERY, "delivery", IN_OPEN | IN_RESOLVED | IN_CLOSED | IN_MERGED,
        law_delivery},
    {EVENT_GONE_AGENT, "giving back", IN_HELD, law_lost},
    {0, NULL, 0, NULL},
};

/* The law of STORE.md, "States", file by file. */
static const struct law_row *const law_files[] = {
    law_here, law_of_moves, law_of_asking, law_of_joining, law_of_clocks};

static const struct law_row *
law_row(enum ticket_event_type e)
{
        for (size_t i = 0; i < sizeof(law_files) / sizeof(law_files[0]); i++)
                for (const struct law_row *r = law_files[i]; r->name != NULL; r++)
                        if (r->type == e)
                                return r;
        assert(!"an event without a law");
        return NULL;
}

bool
ticket_may(enum ticket_state s, enum ticket_event_type e)
{
        return (law_row(e)->states & (1u << s)) != 0;
}

/* NULL strings count as "". */
static struct ticket_event
event_whole(const struct ticket_event *from)
{
        struct ticket_event e = *from;

        e.who = text_or_none(e.who);
        e.agent = text_or_none(e.agent);
        e.text = text_or_none(e.text);
        e.seen = text_or_none(e.seen);
        e.status = text_or_none(e.status);
        e.target = text_or_none(e.target);
        e.account = text_or_none(e.account);
        e.entry = text_or_none(e.entry);
        e.delivery = text_or_none(e.delivery);
        e.line = text_or_none(e.line);
        e.field = text_or_none(e.field);
        e.route = text_or_none(e.route);
        e.tags = text_or_none(e.tags);
        e.why = text_or_none(e.why);
        e.code = text_or_none(e.code);
        e.tutor = text_or_none(e.tutor);
        return e;
}

int
ticket_apply(const struct ticket *t, const struct ticket_event *event, struct arena *a,
    struct change *out, struct err *err)
{
        struct ticket_event e = event_whole(event);
        struct law_after after = {.state = t->state,
            .stands = t->state == TICKET_WAITING && t->clocks.stood_ms != 0};
        struct law l = {.t = t, .e = &e, .a = a, .c = out, .after = &after};
        const struct law_row *r = law_row(e.type);

        change_init(out, a, t->id, t->version);
        if (!ticket_may(t->state, e.type)) {
                if (e.type == EVENT_MESSAGE)
                        return err_code(err, ERR_STATE, "CLOSED",
                            "ticket %s is %s: open a new one", t->id,
                            ticket_state_name(t->state));
                /* To who thought he held it, that is what he must hear. */
                if (t->state == TICKET_QUEUED && (r->states & IN_HELD) != 0)
                        return law_holds(&l, err);
                return law_state(&l, r, err);
        }
        assert(e.message != NULL || (e.type != EVENT_MESSAGE && e.type != EVENT_REPLY &&
                                        e.type != EVENT_NOTE));
        if (r->apply(&l, err) == -1)
                return -1;
        law_clocks(&l);
        return 0;
}

/* ---- a new ticket ---- */

static void
birth_tags(const struct ticket_birth *b, struct change *c)
{
        struct buf tags AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &tags);
        jo_strings(&o, b->tags, b->n_tags);
        change_set(c, "tags", buf_str(&tags));
}

static void
birth_fields(const struct ticket_birth *b, struct change *c)
{
        const struct message *m = b->message;
        const struct {
                const char *field, *value;
        } fields[] = {{"state", b->shelve ? "resolved" : "queued"}, {"line", b->line},
            {"prio", priority_name(b->priority)}, {"route", b->route}, {"holder", ""},
            {"owner", ""}, {"untaken", ""}, {"account", m->account},
            {"channel", m->channel}, {"subject", m->subject}, {"lang", m->language},
            {"why", b->why}, {"links", b->links}, {"seen", ""}};

        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
                change_set(c, fields[i].field, fields[i].value);
        change_setn(c, "entered", b->now_ms);
        change_setn(c, "created", b->now_ms);
        change_setn(c, "queued", b->now_ms);
        if (b->keep_ms > 0)
                change_setn(c, "keep", b->keep_ms);
        if (b->weight > 1)
                change_setn(c, "weight", b->weight);
        change_calendar(c, b->class_doc);
}

static void
birth_queue(const struct ticket_birth *b, struct change *c, int64_t v)
{
        bool preferred = b->prefer != NULL && b->prefer[0] != '\0' && b->prefer_ms > 0;

        if (preferred) {
                change_class(c, b->class_doc->id, b->class_doc->text);
                change_enter_own(c, b->prefer, v, b->now_ms + b->prefer_ms);
        } else
                change_enter_class(c, b->class_doc->id, b->class_doc->text, v);
        change_open(c, true, b->class_doc->id);
        law_birth_clocks(b, c);
        change_journal(c, "queued", "", b->line, "customer", "new");
}

/* Open in the sense of the store until it closes: its customer may still reopen it. */
static void
birth_shelve(const struct ticket_birth *b, struct change *c)
{
        change_class(c, b->class_doc->id, b->class_doc->text);
        change_open(c, true, b->class_doc->id);
        change_setn(c, "resolved", b->now_ms);
        change_due(c, "close", b->now_ms + b->reopen_ms);
        change_log(c, b->now_ms, "helpline", "shelved", "", "", "");
        change_journal(c, "changed", "", b->line, "helpline", "shelved");
}

void
ticket_create(const struct ticket_birth *b, struct arena *a, struct change *out)
{
        const struct class *k = b->class_doc;
        int64_t v = (b->now_ms - k->head_ms) * 1000;
        struct buf tail AUTO_BUF = BUF_INIT;

        change_init(out, a, "", 0);
        birth_fields(b, out);
        birth_tags(b, out);
        if (b->origin != NULL) {
                change_set(out, "origin", b->origin);
                change_set(out, "last_in", b->origin);
        } else {
                message_format_tail(b->message, &tail);
                change_message(out, tail.data, tail.len);
                change_set_new(out, "last_in");
        }
        if (!b->counts || b->message->machine[0] != '\0')
                change_set(out, "machine", "1");
        change_setn(out, "v", v);
        change_log(out, b->now_ms, "customer", "created", "", b->line, "");
        change_journal(
            out, "message", "", b->line, "customer", message_kind_name(b->message->kind));
        if (b->shelve)
                birth_shelve(b, out);
        else
                birth_queue(b, out, v);
}
