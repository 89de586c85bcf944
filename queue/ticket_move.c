/*
 * The law of moves: tickets that go to other lines, states and people, and what people
 * correct of what the rules decided.
 *
 * A new start (ROUTING.md, "The matching") has what goes to another line or is transferred.
 * What is corrected, rerouted, or handed on because its holder is absent keeps its start:
 * only its class changes, and with it v. Who gives a ticket away is not offered it for a
 * while; who gets it back may have it at once.
 */
#include "queue/ticket_impl.h"

#include <string.h>

#include "daemon/base/json.h"

/* ---- who may ---- */

static bool
move_is_mine(const struct law *l)
{
        return l->t->state == TICKET_HELD && strcmp(l->t->holder, l->e->agent) == 0;
}

/* Its holder; of what waits for its customer the owner; leads. */
static int
move_allowed(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        if (move_is_mine(l) || !l->e->is_admin) {
                if (t->state != TICKET_WAITING)
                        return law_holds(l, err);
                if (t->owner[0] != '\0' && strcmp(t->owner, l->e->agent) == 0)
                        return 0;
                return err_code(err, ERR_STATE, "NOPERM",
                    "ticket %s is %s's, who waits: only %s or a lead may do this", t->id,
                    t->owner[0] != '\0' ? t->owner : "nobody",
                    t->owner[0] != '\0' ? t->owner : "an administrator");
        }
        return 0;
}

/* The same; and what nobody has may be corrected by anybody. */
static int
correction_allowed(const struct law *l, struct err *err)
{
        if (l->t->state == TICKET_QUEUED || l->t->state == TICKET_RESOLVED)
                return 0;
        return move_allowed(l, err);
}

static int
lead_allowed(const struct law *l, struct err *err)
{
        if (l->e->is_admin)
                return 0;
        return err_code(err, ERR_STATE, "NOPERM", "this is for leads: ask one");
}

/* ---- pieces ---- */

/* Out of queue, hands and waiting; who gives it away himself is not offered it. */
static void
move_out(const struct law *l)
{
        if (l->t->state == TICKET_QUEUED)
                change_leave_queue(l->c);
        if (move_is_mine(l))
                change_skip(l->c, l->t->holder, l->e->now_ms + LAW_SKIP_MS);
        law_unhold(l);
        law_leave_waiting(l);
}

/* Queued at v in its class, or for a while in this agent's own queue. */
static void
move_queue(const struct law *l, const struct class *k, int64_t v_us, const char *agent,
    int64_t keep_until_ms)
{
        law_set_state(l, TICKET_QUEUED);
        change_setn(l->c, "queued", l->e->now_ms);
        change_setn(l->c, "v", v_us);
        change_calendar(l->c, k);
        if (agent[0] == '\0') {
                change_enter_class(l->c, k->id, k->text, v_us);
                return;
        }
        change_class(l->c, k->id, k->text);
        change_enter_own(l->c, agent, v_us, keep_until_ms);
}

/* With a new start. */
static void
move_queue_anew(
    const struct law *l, const struct class *k, const char *agent, int64_t keep_ms)
{
        law_set_entered(l);
        move_queue(
            l, k, (l->e->now_ms - k->head_ms) * 1000, agent, l->e->now_ms + keep_ms);
}

static const struct class *
move_class(const struct law *l)
{
        return l->e->class_doc != NULL ? l->e->class_doc : &l->t->class_doc;
}

/* Its class from now on, with the start it had. */
static void
move_reclass(const struct law *l, const struct class *k)
{
        const struct ticket *t = l->t;
        int64_t v = (t->entered_ms - k->head_ms) * 1000;

        change_calendar(l->c, k);
        if (t->state != TICKET_QUEUED) {
                change_setn(l->c, "v", v);
                change_class(l->c, k->id, k->text);
                return;
        }
        change_leave_queue(l->c);
        change_setn(l->c, "v", v);
        if (t->in_own) {
                change_class(l->c, k->id, k->text);
                change_enter_own(l->c, t->owner, v, t->until_ms);
        } else
                change_enter_class(l->c, k->id, k->text, v);
}

/* Who handed it up from this line; "" nobody. */
static const char *
handed_by(const struct ticket *t, const char *line)
{
        for (size_t i = 0; i + 1 < t->n_handed; i += 2)
                if (strcmp(t->handed[i], line) == 0)
                        return t->handed[i + 1];
        return "";
}

/* agent "": nobody from this line any more. */
static void
handed_set(const struct law *l, const char *line, const char *agent)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i + 1 < l->t->n_handed; i += 2) {
                if (strcmp(l->t->handed[i], line) == 0)
                        continue;
                jo_string(&o, l->t->handed[i]);
                jo_string(&o, l->t->handed[i + 1]);
        }
        if (agent[0] != '\0') {
                jo_string(&o, line);
                jo_string(&o, agent);
        }
        jo_close(&o, ']');
        change_set(l->c, "handed", buf_str(&b));
}

static void
move_line(const struct law *l, const char *log_word)
{
        const char *line = l->e->line;

        if (l->e->message != NULL)
                law_add_message(l);
        change_set(l->c, "line", line);
        change_set(l->c, "hand", "1");
        law_log(l, log_word, l->t->line, line);
        law_journal(l, "changed", log_word);
        change_journal(l->c, "queued", "", line, l->e->who, log_word);
}

/* ---- lines ---- */

static int
move_escalate(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        if (move_allowed(l, err) == -1)
                return -1;
        if (l->e->line[0] == '\0')
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s is in line %s, the last: there is none above it", t->id,
                    t->line);
        move_out(l);
        handed_set(l, t->line, t->holder[0] != '\0' ? t->holder : t->owner);
        move_line(l, "escalated");
        move_queue_anew(l, move_class(l), "", 0);
        return 0;
}

/* Down: preferred to who handed it up, who may have it again at once. */
static int
move_return(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        const char *back;

        if (move_allowed(l, err) == -1)
                return -1;
        if (l->e->line[0] == '\0')
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s is in line %s, the first: there is none below it", t->id,
                    t->line);
        back = handed_by(t, l->e->line);
        move_out(l);
        if (back[0] != '\0' && strcmp(back, l->e->agent) != 0)
                change_skip(l->c, back, 0);
        handed_set(l, l->e->line, "");
        move_line(l, "returned");
        move_queue_anew(l, move_class(l), back, l->e->prefer_ms);
        return 0;
}

/* What waits for its customer goes on waiting: only its owner is another. */
static int
move_owner(const struct law *l, const char *log_word, struct err *err)
{
        const struct ticket *t = l->t;

        if (l->e->target[0] == '\0')
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s waits: only AGENT is possible, or REOPEN it by its "
                    "customer's answer",
                    t->id);
        if (l->e->message != NULL)
                law_add_message(l);
        change_set(l->c, "owner", l->e->target);
        law_log(l, log_word, t->owner, l->e->target);
        change_journal(l->c, "changed", l->e->target, t->line, l->e->who, log_word);
        return 0;
}

static int
move_transfer(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        const char *to = l->e->target;

        if (move_allowed(l, err) == -1)
                return -1;
        if (to[0] != '\0' && strcmp(to, t->holder) == 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "AGENT: expected another agent, ticket %s is in the hands of %s",
                    t->id, to);
        if (t->state == TICKET_WAITING)
                return move_owner(l, "transferred", err);
        move_out(l);
        if (to[0] != '\0')
                change_skip(l->c, to, 0);
        if (l->e->line[0] != '\0')
                move_line(l, "transferred");
        else {
                if (l->e->message != NULL)
                        law_add_message(l);
                law_log(l, "transferred", t->holder, to);
                law_journal(l, "changed", "transferred");
                change_journal(l->c, "queued", "", t->line, l->e->who, "transferred");
        }
        move_queue_anew(l, move_class(l), to, l->e->prefer_ms);
        return 0;
}

/* ---- later ---- */

static int
move_date(const struct law *l, struct err *err)
{
        if (l->e->until_ms == 0 || l->e->until_ms > l->e->now_ms)
                return 0;
        return err_code(
            err, ERR_REJECT, "BADARG", "expected a time that is still to come");
}

static int
move_pend(const struct law *l, struct err *err)
{
        if (move_allowed(l, err) == -1 || move_date(l, err) == -1)
                return -1;
        if (l->e->message != NULL)
                law_add_message(l);
        law_wait_customer(l, l->e->until_ms);
        law_log(l, "pended", "", "");
        law_journal(l, "changed", "pended");
        return 0;
}

static int
move_snooze(const struct law *l, struct err *err)
{
        if (move_allowed(l, err) == -1 || move_date(l, err) == -1)
                return -1;
        if (l->e->message != NULL)
                law_add_message(l);
        law_unhold(l);
        law_set_state(l, TICKET_WAITING);
        change_setn(l->c, "until", l->e->until_ms);
        change_due(l->c, "wait", l->e->until_ms);
        l->after->stands = false;
        law_log(l, "snoozed", "", "");
        law_journal(l, "changed", "snoozed");
        return 0;
}

/* ---- corrections ---- */

/* In whose hands it goes is verb pull's; this is for what waits for its customer. */
static int
move_assign(const struct law *l, struct err *err)
{
        if (lead_allowed(l, err) == -1)
                return -1;
        return move_owner(l, "assigned", err);
}

void
law_raise(const struct law *l)
{
        const struct ticket *t = l->t;

        change_set(l->c, "prio", priority_name(l->e->priority));
        move_reclass(l, move_class(l));
        law_log(l, "raised", priority_name(t->priority), priority_name(l->e->priority));
        law_journal(l, "changed", "priority");
}

static int
move_raise(const struct law *l, struct err *err)
{
        if (lead_allowed(l, err) == -1)
                return -1;
        law_raise(l);
        return 0;
}

static int
move_need(const struct law *l, struct err *err)
{
        if (correction_allowed(l, err) == -1)
                return -1;
        move_reclass(l, move_class(l));
        law_log(l, "need", "", l->e->target);
        law_journal(l, "changed", "need");
        if (move_is_mine(l))
                law_renew(l);
        return 0;
}

static int
move_tag(const struct law *l, struct err *err)
{
        (void)err;
        change_set(l->c, "tags", l->e->tags);
        law_log(l, "tagged", "", l->e->target);
        law_journal(l, "changed", "tags");
        if (move_is_mine(l))
                law_renew(l);
        return 0;
}

static int
move_change(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        const char *field = l->e->field, *was = t->customer_id;

        if (correction_allowed(l, err) == -1)
                return -1;
        if (strcmp(field, "customer") == 0)
                change_customer(l->c, l->e->target);
        else {
                bool subject = strcmp(field, "subject") == 0;

                was = subject ? t->subject : t->language;
                change_set(l->c, subject ? "subject" : "lang", l->e->target);
        }
        law_log(l, field, was, l->e->target);
        law_journal(l, "changed", field);
        if (move_is_mine(l))
                law_renew(l);
        return 0;
}

/* Nobody hears of it: no answer, no question how it was. */
static int
move_spam(const struct law *l, struct err *err)
{
        struct ticket_event e = *l->e;
        struct law spam = *l;

        e.code = "spam";
        spam.e = &e;
        if (correction_allowed(l, err) == -1)
                return -1;
        if (l->t->ack_entry[0] != '\0')
                change_outbox_end(l->c, l->t->ack_entry);
        law_resolve(&spam);
        return 0;
}

/* ---- new rules, old arrival ---- */

static int
move_reroute(const struct law *l, struct err *err)
{
        const struct ticket_event *e = l->e;

        if (lead_allowed(l, err) == -1)
                return -1;
        change_set(l->c, "line", e->line);
        change_set(l->c, "route", e->route);
        change_set(l->c, "prio", priority_name(e->priority));
        change_set(l->c, "tags", e->tags);
        change_set(l->c, "why", e->why);
        change_set(l->c, "hand", "0");
        change_setn(l->c, "keep", e->keep_ms);
        move_reclass(l, move_class(l));
        law_log(l, "rerouted", l->t->line, e->line);
        change_journal(l->c, "queued", "", e->line, e->who, "rerouted");
        return 0;
}

/* ---- somebody is absent ---- */

static int
move_absent(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        const char *agent = l->e->agent;
        int64_t until = l->e->now_ms + l->e->own_ms;

        (void)err;
        if (t->state == TICKET_HELD && strcmp(t->holder, agent) == 0) {
                law_unhold(l);
                law_log(l, "absent", agent, "");
                law_journal(l, "released", "absent");
                move_queue(l, &t->class_doc, t->v_us, agent, until);
                change_journal(l->c, "queued", "", t->line, l->e->who, "absent");
        } else if (t->state == TICKET_QUEUED && t->in_own &&
                   strcmp(t->owner, agent) == 0) {
                change_leave_queue(l->c);
                move_queue(l, &t->class_doc, t->v_us, agent, t->until_ms);
                law_log(l, "absent", agent, "");
                change_journal(l->c, "queued", "", t->line, l->e->who, "absent");
        } else if (t->state == TICKET_WAITING && strcmp(t->owner, agent) == 0) {
                change_stand_in(l->c, agent);
                law_log(l, "absent", agent, "");
                law_journal(l, "changed", "absent");
        } else
                l->c->bump = false;
        return 0;
}

const struct law_row law_of_moves[] = {
    {EVENT_ESCALATE, "ESCALATE", IN_QUEUED | IN_HELD, move_escalate},
    {EVENT_RETURN, "RETURN", IN_QUEUED | IN_HELD, move_return},
    {EVENT_TRANSFER, "TRANSFER", IN_OPEN, move_transfer},
    {EVENT_PEND, "PEND", IN_HELD | IN_WAITING, move_pend},
    {EVENT_SNOOZE, "SNOOZE", IN_HELD | IN_WAITING, move_snooze},
    {EVENT_ASSIGN, "ASSIGN", IN_WAITING, move_assign},
    {EVENT_RAISE, "RAISE", IN_OPEN, move_raise},
    {EVENT_NEED, "NEED", IN_OPEN, move_need},
    {EVENT_TAG, "TAG", IN_OPEN | IN_RESOLVED, move_tag},
    {EVENT_CHANGE, "CHANGE", IN_OPEN | IN_RESOLVED, move_change},
    {EVENT_SPAM, "SPAM", IN_OPEN, move_spam},
    {EVENT_REROUTE, "REROUTE", IN_QUEUED, move_reroute},
    {EVENT_ABSENT, "absence", IN_OPEN, move_absent},
    {0, NULL, 0, NULL},
};
