/*
 * Telephone calls: what becomes of one; see intake_call.h.
 *
 *     in, missed     a ticket; within `repeated` the same open one
 *     in, answered   `answered`: a note on his open ticket, a ticket, or nothing
 *     out            answered for `callback`: resolves the open ticket of his call; else
 *                    a note on it, so that the next one sees that it was tried
 */
#include "daemon/intake_call.h"

#include <string.h>

static bool
is_open(const struct ticket *t)
{
        return t->state == TICKET_QUEUED || t->state == TICKET_HELD ||
               t->state == TICKET_WAITING;
}

static int64_t
call_began_ms(const struct phone_call *c, int64_t now_ms)
{
        return c->started_at_us != 0 && c->started_at_us / 1000 < now_ms
                   ? c->started_at_us / 1000
                   : now_ms;
}

/* His newest open ticket that was there when the call began; calls: of a call only. */
static const struct ticket *
open_ticket(const struct ticket *const *recent, size_t n, int64_t began_ms, bool calls)
{
        for (size_t i = 0; i < n; i++)
                if (recent[i] != NULL && is_open(recent[i]) &&
                    recent[i]->created_ms <= began_ms &&
                    (!calls || strcmp(recent[i]->channel, "phone") == 0))
                        return recent[i];
        return NULL;
}

static void
choose(struct call_choice *out, enum call_action action, const struct ticket *t)
{
        out->action = t == NULL && action != CALL_OPENS ? CALL_NOTHING : action;
        out->ticket = t;
}

/* The open ticket of a call of his that lies near enough, whichever was first: calls at the
 * same time come in any order. */
static void
decide_ticket(const struct phone_options *o, const struct ticket *const *recent, size_t n,
    int64_t began_ms, struct call_choice *out)
{
        for (size_t i = 0; i < n; i++) {
                const struct ticket *t = recent[i];

                if (t == NULL || !is_open(t) || strcmp(t->channel, "phone") != 0)
                        continue;
                if (began_ms - t->created_ms > o->repeated_ms ||
                    t->created_ms - began_ms > o->repeated_ms)
                        continue;
                choose(out, CALL_REPEATS, t);
                return;
        }
        choose(out, CALL_OPENS, NULL);
}

static void
decide_out(const struct phone_call *c, const struct phone_options *o,
    const struct ticket *const *recent, size_t n, int64_t began_ms,
    struct call_choice *out)
{
        const struct ticket *t = open_ticket(recent, n, began_ms, true);
        bool reached = c->result == CALL_ANSWERED && o->callback_ms > 0 &&
                       c->duration_s * 1000 >= o->callback_ms;

        if (reached && t != NULL)
                choose(out, CALL_RESOLVES, t);
        else if (o->answered == PHONE_ANSWERED_IGNORE)
                choose(out, CALL_NOTHING, NULL);
        else
                choose(out, CALL_NOTED,
                    t != NULL ? t : open_ticket(recent, n, began_ms, false));
}

void
call_decide(const struct phone_call *c, const struct phone_options *o,
    const struct ticket *const *recent, size_t n, int64_t now_ms, struct call_choice *out)
{
        int64_t began_ms = call_began_ms(c, now_ms);

        choose(out, CALL_NOTHING, NULL);
        if (c->direction == CALL_OUT) {
                decide_out(c, o, recent, n, began_ms, out);
        } else if (c->result == CALL_MISSED) {
                if (o->missed_ticket)
                        decide_ticket(o, recent, n, began_ms, out);
        } else if (o->answered == PHONE_ANSWERED_TICKET) {
                decide_ticket(o, recent, n, began_ms, out);
        } else if (o->answered == PHONE_ANSWERED_NOTE) {
                choose(out, CALL_NOTED, open_ticket(recent, n, began_ms, false));
        }
}
