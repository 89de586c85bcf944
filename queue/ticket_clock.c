/*
 * The law of clocks: promises, reminders, escalation by time. Pure.
 *
 * Two halves. After any event law_clocks() looks at what has become of the ticket and
 * moves its clocks: what stands still with the customer, what is kept, what begins. And
 * EVENT_CLOCK is what the daemon applies when a clock has come (verb tick names the
 * ticket, and names it again until the commit has set the clock on): each thing is told
 * or done once, because the commit that does it also says so and is guarded by the
 * version; a crash in between loses only the looking.
 *
 * A date that comes (turn.wait in 50_tick.lua) cannot count open time: it leaves all
 * standing and sets the clock, and what stood is resumed here as of the moment at which
 * the ticket was queued.
 */
#include "config/config.h"
#include "queue/ticket_impl.h"

#include <string.h>

/* ---- pieces ---- */

static bool
state_is_open(enum ticket_state s)
{
        return s == TICKET_QUEUED || s == TICKET_HELD || s == TICKET_WAITING;
}

/* In the line's hands: queued or held. */
static bool
state_is_ours(enum ticket_state s)
{
        return s == TICKET_QUEUED || s == TICKET_HELD;
}

static struct open_time
line_escalate(const struct config *c, const char *line)
{
        for (size_t i = 0; c != NULL && i < c->n_lines; i++)
                if (strcmp(c->lines[i].name, line) == 0)
                        return c->lines[i].escalate;
        return (struct open_time){0, 0};
}

static int64_t
escalate_at(
    const struct config *c, const char *line, const struct calendar *cal, int64_t now_ms)
{
        struct open_time t = line_escalate(c, line);
        int64_t at;

        if (t.days == 0 && t.ms == 0)
                return 0;
        at = calendar_after(cal, now_ms, t);
        return at == CALENDAR_NEVER ? 0 : at;
}

/* Only a person is written to, and where he can be reached; the words are those of the
 * template when it leaves. */
static void
clock_write_customer(const struct law *l, const char *template)
{
        const char *to = l->t->to_addr;
        const struct outbox_new n = {.kind = "reminder",
            .message = "",
            .account = l->e->account,
            .template = template,
            .language = l->t->language,
            .to = &to,
            .n_to = 1,
            .due_ms = l->e->now_ms};

        if (to[0] != '\0' && !l->t->by_machine && l->e->account[0] != '\0')
                change_outbox_new(l->c, &n);
}

/* ---- what any event does to the clocks ---- */

/* What stood still until now runs on, with as much time left as it had. */
static void
clocks_run_on(const struct law *l, struct clocks *k)
{
        const struct ticket *t = l->t;
        bool woken = state_is_ours(t->state); /* by its date, in the store */
        int64_t at = woken ? t->queued_ms : l->e->now_ms;
        bool stands = l->after->stands || !state_is_open(l->after->state);

        if (k->stood_ms != 0 && (woken || !stands)) {
                promises_resume(k, l->e->calendar, k->stood_ms, at);
                k->stood_ms = 0;
        }
        if (k->escalate_stood_ms != 0 && (woken || state_is_ours(l->after->state))) {
                k->escalate_ms =
                    clock_later(l->e->calendar, k->escalate_ms, k->escalate_stood_ms, at);
                k->escalate_stood_ms = 0;
        }
}

static void
clocks_stand(const struct law *l, struct clocks *k)
{
        bool stands = l->after->stands || !state_is_open(l->after->state);

        if (stands && k->stood_ms == 0)
                k->stood_ms = l->e->now_ms;
        if (!state_is_ours(l->after->state) && k->escalate_ms != 0 &&
            k->escalate_stood_ms == 0)
                k->escalate_stood_ms = l->e->now_ms;
}

/* What was kept no longer is: the answer was taken back, the ticket is open again. */
static void
clocks_undo(const struct law *l, struct clocks *k)
{
        for (int i = 0; i < N_PROMISES; i++) {
                struct promise *p = &k->of[i];
                bool unsent = l->e->type == EVENT_UNSEND && p->met_by[0] != '\0' &&
                              strcmp(p->met_by, l->e->target) == 0;
                bool reopened = i == PROMISE_RESOLUTION && !state_is_open(l->t->state) &&
                                state_is_open(l->after->state);

                if (unsent || reopened) {
                        p->met_ms = 0;
                        p->met_by = "";
                }
        }
}

/* A person's answer, or that we have called back; a program's counts for nothing. */
static bool
is_answer(const struct law *l)
{
        if (l->e->is_bot)
                return false;
        return l->after->sent || (l->e->type == EVENT_MESSAGE && !l->e->counts &&
                                     strcmp(l->e->status, "resolved") == 0);
}

static void
clocks_meet(const struct law *l, struct clocks *k)
{
        const int64_t now = l->e->now_ms;

        if (is_answer(l)) {
                if (k->answered_ms == 0)
                        k->answered_ms = now;
                promise_meet(k, PROMISE_FIRST, now, l->c->new_message);
                promise_meet(k, PROMISE_NEXT, now, l->c->new_message);
                promise_meet(k, PROMISE_HAND, now, l->c->new_message);
        }
        if (state_is_open(l->t->state) && l->after->state == TICKET_RESOLVED) {
                promise_meet(k, PROMISE_RESOLUTION, now, "");
                promise_meet(k, PROMISE_HAND, now, "");
        }
}

static void
clocks_begin(const struct law *l, struct clocks *k)
{
        const struct ticket_event *e = l->e;

        if (e->type == EVENT_MESSAGE && e->counts && k->answered_ms != 0 &&
            !promise_runs(&k->of[PROMISE_NEXT]))
                promise_start(k, PROMISE_NEXT, e->calendar, e->now_ms);
        if (e->type == EVENT_DUE) {
                promise_make(k, e->calendar, e->now_ms, e->until_ms);
                k->hand = e->text;
        }
        if (!l->after->anew)
                return;
        k->escalate_stood_ms = 0;
        k->escalate_ms = escalate_at(
            e->config, e->line[0] != '\0' ? e->line : l->t->line, e->calendar, e->now_ms);
}

static void
clocks_customer(const struct law *l, struct clocks *k)
{
        const struct config *c = l->e->config;

        if (l->after->state != TICKET_WAITING || !l->after->stands)
                k->remind_ms = k->give_up_ms = 0;
        else if (l->after->asked && c != NULL) {
                k->remind_ms = c->remind_ms == 0 ? 0 : l->e->now_ms + c->remind_ms;
                k->give_up_ms = c->give_up_ms == 0 ? 0 : l->e->now_ms + c->give_up_ms;
        }
        if (l->e->type == EVENT_CLOCK && k->remind_ms <= l->e->now_ms)
                k->remind_ms = 0;
}

/* ---- a clock has come ---- */

static const char *
desk_language(const struct law *l)
{
        const struct config *c = l->e->config;

        return c == NULL || c->n_languages == 0 ? l->t->language : c->languages[0];
}

/* For the mail to leads. */
static const char *
promise_words(const struct law *l, bool broken, const char *what)
{
        bool ru = strcmp(desk_language(l), "ru") == 0;

        if (broken)
                return arena_printf(l->a,
                    ru ? "Обещание не выполнено: %s" : "A promise is broken: %s", what);
        return arena_printf(
            l->a, ru ? "Обещание под угрозой: %s" : "A promise is at risk: %s", what);
}

static void
promise_tell(const struct law *l, struct clocks *k, enum promise_kind kind)
{
        struct promise *p = &k->of[kind];
        bool broken = l->e->now_ms >= p->due_ms;
        const char *word = broken ? "broken" : "at-risk";
        const char *what =
            kind == PROMISE_HAND && k->hand[0] != '\0' ? k->hand : promise_name(kind);
        const char *agent = l->t->holder[0] != '\0' ? l->t->holder : l->t->owner;

        p->told = broken ? TOLD_BROKEN : TOLD_AT_RISK;
        change_log(l->c, l->e->now_ms, l->e->who, word, "", "", what);
        change_journal(l->c, word, agent, l->t->line, l->e->who, what);
        for (size_t i = 0; i < l->e->n_to; i++)
                change_tell(l->c, &(struct telling_new){.key = "",
                                      .event = "",
                                      .agent = "",
                                      .line = l->t->line,
                                      .who = l->e->who,
                                      .why = promise_words(l, broken, what),
                                      .mail = l->e->to[i],
                                      .account = l->e->account,
                                      .language = desk_language(l)});
}

/* class_doc is there when the promise wants a higher priority than the ticket has. */
static void
promises_tell(const struct law *l, struct clocks *k)
{
        bool told = false;

        for (int i = 0; i < N_PROMISES; i++) {
                int64_t next = promise_next_ms(&k->of[i]);

                if (next != 0 && next <= l->e->now_ms &&
                    (k->stood_ms == 0 || i == PROMISE_HAND)) {
                        promise_tell(l, k, (enum promise_kind)i);
                        told = true;
                }
        }
        if (told && l->e->class_doc != NULL && state_is_open(l->after->state))
                law_raise(l);
}

/* What needs the whole ticket; telling of promises comes in law_clocks(). */
static int
clock_come(const struct law *l, struct err *err)
{
        const struct clocks *k = &l->t->clocks;
        const int64_t now = l->e->now_ms;

        (void)err;
        if (l->t->state != TICKET_WAITING)
                return 0;
        if (k->give_up_ms != 0 && k->give_up_ms <= now) {
                clock_write_customer(l, "no-answer");
                law_resolve(l);
        } else if (k->remind_ms != 0 && k->remind_ms <= now) {
                clock_write_customer(l, "reminder");
                law_log(l, "reminded", "", "");
                law_journal(l, "changed", "reminded");
        }
        return 0;
}

/* DUE: what was promised by hand; in law_clocks(). */
static int
clock_due(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        bool mine = t->state == TICKET_HELD      ? strcmp(t->holder, l->e->agent) == 0
                    : t->state == TICKET_WAITING ? strcmp(t->owner, l->e->agent) == 0
                                                 : false;

        if (!mine && !l->e->is_admin) {
                if (t->state != TICKET_WAITING)
                        return law_holds(l, err);
                return err_code(err, ERR_STATE, "NOPERM",
                    "ticket %s waits for its customer: only its owner or a lead may do "
                    "this",
                    t->id);
        }
        if (l->e->until_ms <= l->e->now_ms)
                return err_code(
                    err, ERR_REJECT, "BADARG", "expected a time that is still to come");
        law_log(l, "promised", "", "");
        law_journal(l, "changed", "promised");
        if (mine && t->state == TICKET_HELD)
                law_renew(l);
        return 0;
}

/* ---- the two doors ---- */

void
law_clocks(const struct law *l)
{
        struct clocks k = l->t->clocks;
        struct buf was AUTO_BUF = BUF_INIT, is AUTO_BUF = BUF_INIT;
        bool changed;

        if (!l->c->bump)
                return;
        clocks_undo(l, &k);
        clocks_run_on(l, &k);
        clocks_meet(l, &k);
        clocks_begin(l, &k);
        clocks_stand(l, &k);
        clocks_customer(l, &k);
        if (l->e->type == EVENT_CLOCK) {
                promises_tell(l, &k);
                if (k.escalate_ms != 0 && k.escalate_stood_ms == 0 &&
                    k.escalate_ms <= l->e->now_ms && l->e->line[0] == '\0')
                        k.escalate_ms = 0; /* no line above */
        }
        clocks_format(&l->t->clocks, &was);
        clocks_format(&k, &is);
        changed = strcmp(buf_str(&was), buf_str(&is)) != 0;
        if (changed)
                change_set(l->c, "clocks", buf_str(&is));
        if (changed || l->e->type == EVENT_CLOCK)
                change_due(l->c, "clock",
                    l->after->state == TICKET_MERGED ? 0 : clocks_next_ms(&k));
        if (!changed && l->e->type == EVENT_CLOCK)
                l->c->bump = false;
}

void
law_birth_clocks(const struct ticket_birth *b, struct change *c)
{
        const struct promise_options *p = b->promise;
        struct buf text AUTO_BUF = BUF_INIT;
        struct clocks k;

        clocks_parse("", NULL, &k, NULL);
        k.calendar = b->class_doc->calendar;
        if (p != NULL) {
                k.name = p->name;
                k.warn = p->warn;
                k.of[PROMISE_FIRST].time = p->first_response;
                k.of[PROMISE_NEXT].time = p->next_response;
                k.of[PROMISE_RESOLUTION].time = p->resolution;
                promise_start(&k, PROMISE_FIRST, b->calendar, b->now_ms);
                promise_start(&k, PROMISE_RESOLUTION, b->calendar, b->now_ms);
        }
        k.escalate_ms = escalate_at(b->config, b->line, b->calendar, b->now_ms);
        if (clocks_empty(&k))
                return;
        clocks_format(&k, &text);
        change_set(c, "clocks", buf_str(&text));
        change_due(c, "clock", clocks_next_ms(&k));
}

const struct law_row law_of_clocks[] = {
    {EVENT_CLOCK, "the clock", IN_OPEN | IN_RESOLVED | IN_CLOSED | IN_MERGED, clock_come},
    {EVENT_DUE, "DUE", IN_OPEN, clock_due},
    {0, NULL, 0, NULL},
};
