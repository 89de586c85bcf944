/*
 * The law of asking: questions to colleagues and suppliers, answers of trainees that wait
 * for their tutor, drafts.
 *
 * A question is a note on the ticket; its message id is the consultation's id. The ticket
 * stays with its holder, and no clock of it moves. What is asked of whom is an index
 * (asked:<who>), written with the question and taken away with its answer.
 *
 * A trainee's answer lies on his ticket as a message nobody has sent. It can only be there
 * while he holds the ticket: whatever takes it out of his hands drops the answer with it
 * (law_unhold), so no answer is ever sent from a ticket that another works on. Approved, it
 * is as if he had answered at that moment.
 */
#include "queue/ticket_impl.h"

#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/utf8.h"

enum { CONSULTS_MAX = 20, QUESTION_MAX = 500 };

static bool
has(const char *s)
{
        return s != NULL && s[0] != '\0';
}

/* ---- what stands in `consults` ---- */

static void
consult_write(struct json_out *o, const struct consult *k)
{
        jo_open(o, '{');
        jo_kstring(o, "id", k->id);
        jo_kstring(o, "by", k->by);
        jo_kstring_or_null(o, "agent", k->agent);
        jo_kstring_or_null(o, "line", k->line);
        jo_kstring_or_null(o, "to", k->to);
        jo_kstring(o, "question", k->question);
        jo_kstring_or_null(o, "entry", k->entry);
        jo_ktime(o, "asked_at", k->asked_ms * 1000);
        jo_kstring_or_null(o, "answered_by", k->answered_by);
        jo_ktime(o, "answered_at", k->answered_ms * 1000);
        jo_kstring_or_null(o, "answer", k->answer);
        jo_close(o, '}');
}

static int64_t
consult_time(const json_t *o, const char *key)
{
        int64_t us = 0;

        clock_parse(json_str(o, key, ""), &us);
        return us / 1000;
}

size_t
consults_read(const char *json, struct arena *a, struct consult **out)
{
        json_t *list = has(json) ? json_read(json, strlen(json), 1 << 20, NULL) : NULL;
        size_t n = json_array_size(list);

        *out = arena_alloc(a, (n + 1) * sizeof **out);
        for (size_t i = 0; i < n; i++) {
                const json_t *o = json_array_get(list, i);

                (*out)[i] = (struct consult){
                    .id = arena_strdup(a, json_str(o, "id", "")),
                    .by = arena_strdup(a, json_str(o, "by", "")),
                    .agent = arena_strdup(a, json_str(o, "agent", "")),
                    .line = arena_strdup(a, json_str(o, "line", "")),
                    .to = arena_strdup(a, json_str(o, "to", "")),
                    .question = arena_strdup(a, json_str(o, "question", "")),
                    .entry = arena_strdup(a, json_str(o, "entry", "")),
                    .answered_by = arena_strdup(a, json_str(o, "answered_by", "")),
                    .answer = arena_strdup(a, json_str(o, "answer", "")),
                    .asked_ms = consult_time(o, "asked_at"),
                    .answered_ms = consult_time(o, "answered_at"),
                };
        }
        json_decref(list);
        return n;
}

static void
consults_write(struct change *c, const struct consult *k, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i < n; i++)
                consult_write(&o, &k[i]);
        jo_close(&o, ']');
        change_set(c, "consults", buf_str(&b));
}

static bool
is_of_ticket(const char *message, const char *ticket)
{
        size_t n = strlen(ticket);

        return strncmp(message, ticket, n) == 0 && message[n] == '.';
}

void
law_consults_set(const struct law *l, const char *json, const char *ticket, bool its)
{
        struct consult *k;
        size_t n = consults_read(json, l->a, &k), kept = 0;

        for (size_t i = 0; i < n; i++)
                if (is_of_ticket(k[i].id, ticket) == its)
                        k[kept++] = k[i];
        if (kept < n || its)
                consults_write(l->c, k, kept);
}

void
law_consults_join(const struct law *l, const char *json)
{
        struct consult *mine, *more, *all;
        size_t n = consults_read(l->t->consults, l->a, &mine),
               n_more = consults_read(json, l->a, &more);

        if (n_more == 0)
                return;
        all = arena_alloc(l->a, (n + n_more) * sizeof *all);
        memcpy(all, mine, n * sizeof *all);
        memcpy(all + n, more, n_more * sizeof *all);
        consults_write(l->c, all, n + n_more);
}

static const char *
consult_asked(const struct law *l, const struct consult *k)
{
        if (has(k->agent))
                return arena_printf(l->a, "a:%s", k->agent);
        return has(k->line) ? arena_printf(l->a, "l:%s", k->line) : "";
}

/* Nobody need answer any more; the questions stay. */
void
law_end_asking(const struct law *l)
{
        struct consult *k;
        size_t n = consults_read(l->t->consults, l->a, &k);

        for (size_t i = 0; i < n; i++)
                if (k[i].answered_ms == 0 && has(consult_asked(l, &k[i])))
                        change_asked(l->c, consult_asked(l, &k[i]), k[i].id, 0);
}

/* ---- deliveries ---- */

/* One document for each recipient; without any, one for nobody. */
static void
tell_delivery(const struct law *l, const char *message, const char *const *to, size_t n,
    const char *state, const char *reply)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i < (n > 0 ? n : 1); i++) {
                jo_open(&o, '{');
                jo_kstring(&o, "address", n > 0 ? to[i] : "");
                jo_kstring(&o, "state", state);
                jo_ktime(&o, "at", l->e->now_ms * 1000);
                jo_kstring(&o, "reply", reply);
                jo_close(&o, '}');
        }
        jo_close(&o, ']');
        change_delivery(l->c, message, buf_str(&b));
}

static void
send_mail(const struct law *l, const char *kind, const char *message,
    const char *const *to, size_t n)
{
        struct outbox_new x = {.kind = kind,
            .message = message,
            .account = l->e->account,
            .template = "",
            .language = l->t->language,
            .to = (const char **)to,
            .n_to = n,
            .due_ms = l->e->now_ms + l->e->send_delay_ms};

        tell_delivery(l, message, to, n, "queued", "");
        change_outbox_new(l->c, &x);
}

/* ---- CONSULT, ANSWER ---- */

static const char *
question_short(const struct law *l)
{
        const char *text = l->e->message->text;
        size_t n = strlen(text);

        return n <= QUESTION_MAX
                   ? text
                   : arena_strndup(l->a, text, utf8_cut(text, n, QUESTION_MAX));
}

static int
ask_allowed(const struct law *l, struct err *err)
{
        if (l->t->state == TICKET_HELD && l->e->is_admin)
                return 0;
        return l->e->is_admin ? 0 : law_holds(l, err);
}

static int
ask_consult(const struct law *l, struct err *err)
{
        const struct ticket_event *e = l->e;
        struct consult *k, *all;
        size_t n = consults_read(l->t->consults, l->a, &k);
        const char *asked;

        if (ask_allowed(l, err) == -1)
                return -1;
        if (n >= CONSULTS_MAX)
                return err_code(err, ERR_STATE, "STATE",
                    "ticket %s has %zu questions already, no more are kept", l->t->id, n);
        law_add_message(l);
        if (e->n_to > 0)
                send_mail(l, "consult", "$new", e->to, e->n_to);
        all = arena_alloc(l->a, (n + 1) * sizeof *all);
        memcpy(all, k, n * sizeof *all);
        all[n] = (struct consult){.id = l->c->new_message,
            .by = e->who,
            .agent = e->target,
            .line = e->line,
            .to = e->n_to > 0 ? e->to[0] : "",
            .question = question_short(l),
            .entry = e->n_to > 0 ? "$entry$" : "",
            .asked_ms = e->now_ms,
            .answered_by = "",
            .answer = ""};
        consults_write(l->c, all, n + 1);
        asked = consult_asked(l, &all[n]);
        if (has(asked))
                change_asked(l->c, asked, "$new", e->now_ms);
        law_log(l, "consulted", "",
            has(e->target) ? e->target
            : has(e->line) ? e->line
                           : all[n].to);
        change_journal(l->c, "changed", has(e->target) ? e->target : "",
            has(e->line) ? e->line : l->t->line, e->who,
            arena_printf(l->a, "consultation %s", l->c->new_message));
        if (l->t->state == TICKET_HELD && strcmp(l->t->holder, e->agent) == 0)
                law_renew(l);
        return 0;
}

/* Told are who asked and who has the ticket. */
static void
answer_tell(const struct law *l, const struct consult *k)
{
        const char *why = arena_printf(l->a, "answer to consultation %s", k->id);
        const struct ticket *t = l->t;

        change_journal(l->c, "changed", k->by, t->line, l->e->who, why);
        if (has(t->holder) && strcmp(t->holder, k->by) != 0)
                change_journal(l->c, "changed", t->holder, t->line, l->e->who, why);
}

bool
ticket_consult_answered(const struct ticket *t, const char *id, const char *by,
    int64_t now_ms, struct change *c)
{
        struct consult *k;
        size_t n = consults_read(t->consults, c->arena, &k);

        for (size_t i = 0; i < n; i++) {
                if (strcmp(k[i].id, id) != 0 || k[i].answered_ms != 0)
                        continue;
                k[i].answered_by = by;
                k[i].answered_ms = now_ms;
                k[i].answer = c->new_message;
                consults_write(c, k, n);
                return true;
        }
        return false;
}

static int
answer_allowed(const struct law *l, const struct consult *k, struct err *err)
{
        bool is_holder =
            l->t->state == TICKET_HELD && strcmp(l->t->holder, l->e->agent) == 0;

        if (k->answered_ms != 0)
                return err_code(err, ERR_STATE, "STATE",
                    "%s has been answered already by %s: see %s", k->id, k->answered_by,
                    k->answer);
        if (l->e->stands_in || l->e->is_admin || (has(k->to) && is_holder))
                return 0;
        return err_code(err, ERR_STATE, "NOPERM", "%s was asked of %s%s%s", k->id,
            has(k->line) ? "line " : "",
            has(k->line)    ? k->line
            : has(k->agent) ? k->agent
                            : k->to,
            has(k->to) ? ": who holds the ticket may note the answer" : "");
}

static int
ask_answer(const struct law *l, struct err *err)
{
        struct consult *k;
        size_t n = consults_read(l->t->consults, l->a, &k), i = 0;

        while (i < n && strcmp(k[i].id, l->e->target) != 0)
                i++;
        if (i == n)
                return err_code(err, ERR_NOTFOUND, "NOSUCH",
                    "ticket %s has no consultation %.40s", l->t->id, l->e->target);
        if (answer_allowed(l, &k[i], err) == -1)
                return -1;
        law_add_message(l);
        ticket_consult_answered(l->t, k[i].id, l->e->who, l->e->now_ms, l->c);
        if (has(consult_asked(l, &k[i])))
                change_asked(l->c, consult_asked(l, &k[i]), k[i].id, 0);
        law_log(l, "answered", k[i].id, k[i].by);
        answer_tell(l, &k[i]);
        return 0;
}

/* ---- answers that wait for a tutor ---- */

static void
approval_clear(const struct law *l)
{
        const struct ticket *t = l->t;

        change_set(l->c, "approve", "");
        change_asked(l->c, arena_printf(l->a, "a:%s", t->tutor), t->approve, 0);
}

void
law_drop_answer(const struct law *l)
{
        if (!has(l->t->approve) || l->e->type == EVENT_APPROVE ||
            l->e->type == EVENT_UNSEND)
                return;
        tell_delivery(l, l->t->approve, NULL, 0, "refused",
            "never sent: the ticket left the hands of who wrote it");
        approval_clear(l);
}

void
law_drop_draft(const struct law *l)
{
        if (!l->t->has_draft)
                return;
        change_set(l->c, "draft", "0");
        change_delivery(l->c, "draft", "");
}

static void
set_envelope(const struct law *l)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '[');
        for (size_t i = 0; i < l->e->n_to; i++)
                jo_string(&o, l->e->to[i]);
        jo_close(&o, ']');
        change_set(l->c, "approve_to", buf_str(&b));
}

int
law_hold_answer(const struct law *l, const char *status, struct err *err)
{
        const struct ticket *t = l->t;
        const struct ticket_event *e = l->e;

        if (has(t->approve))
                return err_code(err, ERR_STATE, "STATE",
                    "%s waits for %s: UNSEND it before you write another", t->approve,
                    t->tutor);
        law_add_message(l);
        tell_delivery(l, "$new", e->to, e->n_to, "held",
            arena_printf(l->a, "waits for %s", e->tutor));
        change_set_new(l->c, "approve");
        change_set(l->c, "approve_status", status);
        change_set(l->c, "tutor", e->tutor);
        set_envelope(l);
        change_asked(l->c, arena_printf(l->a, "a:%s", e->tutor), "$new", e->now_ms);
        /* it is not his turn: his lease does not run meanwhile */
        change_set(l->c, "untaken", "");
        change_setn(l->c, "lease_until", 0);
        change_due(l->c, "lease", 0);
        change_due(l->c, "half", 0);
        law_drop_draft(l);
        law_log(l, "to be approved", l->c->new_message, e->tutor);
        change_journal(l->c, "changed", e->tutor, t->line, e->who,
            arena_printf(l->a, "%s is to be approved", l->c->new_message));
        return 0;
}

static int
approval_allowed(const struct law *l, const char *what, struct err *err)
{
        if (l->e->stands_in || l->e->is_admin)
                return 0;
        return err_code(err, ERR_STATE, "NOPERM",
            "%s is %s by %s, by who stands in for %s, or by a lead", l->t->approve, what,
            l->t->tutor, l->t->tutor);
}

/* Has the customer written behind the answer that was waiting? */
static int
approval_seen(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;
        long last = law_message_number(t, t->last_in);
        const char *seen = has(l->e->seen) ? l->e->seen : t->approve;

        if (law_message_number(t, seen) < 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "SEEN %.40s: expected the number of a message of this ticket", seen);
        if (last <= law_message_number(t, seen))
                return 0;
        return err_code(err, ERR_STATE, "STALE",
            "%s has come in behind %s: SHOW %s, then approve with SEEN %s, or UNSEND it",
            t->last_in, t->approve, t->id, t->last_in);
}

static int
ask_approve(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        if (!has(t->approve) || strcmp(t->approve, l->e->target) != 0)
                return err_code(
                    err, ERR_STATE, "STATE", "%s waits for no approval", l->e->target);
        if (approval_allowed(l, "approved", err) == -1 || approval_seen(l, err) == -1)
                return -1;
        if (t->n_approve_to > 0)
                send_mail(l, "reply", t->approve, t->approve_to, t->n_approve_to);
        else
                change_delivery(l->c, t->approve, "[]");
        approval_clear(l);
        law_log(l, "approved", t->approve, t->holder);
        change_journal(l->c, "changed", t->holder, t->line, l->e->who,
            arena_printf(l->a, "%s is approved", t->approve));
        l->after->sent = true;
        l->c->new_message = t->approve; /* what meets a promise now */
        law_answered(l, t->approve_status);
        return 0;
}

int
law_refuse_answer(const struct law *l, struct err *err)
{
        const struct ticket *t = l->t;

        if (strcmp(t->holder, l->e->agent) != 0 &&
            approval_allowed(l, "taken back", err) == -1)
                return -1;
        tell_delivery(l, t->approve, NULL, 0, "refused", "taken back before it left");
        approval_clear(l);
        if (l->e->message != NULL)
                law_add_message(l);
        law_renew(l);
        law_log(l, "unsent", t->approve, t->holder);
        change_journal(l->c, "changed", t->holder, t->line, l->e->who,
            arena_printf(l->a, "%s was taken back", t->approve));
        return 0;
}

/* ---- DRAFT ---- */

static int
ask_draft(const struct law *l, struct err *err)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        if (law_holds(l, err) == -1)
                return -1;
        l->c->bump = false;
        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "by", l->e->who);
        jo_ktime(&o, "at", l->e->now_ms * 1000);
        jo_kstring(&o, "text", l->e->text);
        jo_close(&o, '}');
        change_delivery(l->c, "draft", buf_str(&b));
        change_set(l->c, "draft", "1");
        law_renew(l);
        return 0;
}

const struct law_row law_of_asking[] = {
    {EVENT_CONSULT, "CONSULT", IN_OPEN, ask_consult},
    {EVENT_ANSWER, "ANSWER", IN_OPEN | IN_RESOLVED, ask_answer},
    {EVENT_APPROVE, "APPROVE", IN_HELD, ask_approve},
    {EVENT_DRAFT, "DRAFT", IN_HELD, ask_draft},
    {0, NULL, 0, NULL},
};
