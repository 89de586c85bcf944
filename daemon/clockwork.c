/*
 * Tickets whose clock has come; see clockwork.h.
 *
 * One job a ticket: read -> apply -> commit, guarded by the version. Who loses the race
 * against an agent's command is named again a quarter of a second later. A ticket that
 * cannot be read or decided rests for a minute, so that it neither fills the log nor
 * stands in the way of others.
 */
#include "daemon/clockwork.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/log.h"
#include "daemon/desk.h"
#include "queue/ticket.h"

#define JOBS_MAX 200u
#define REST_US (60 * 1000000LL)

struct clock_job {
        struct clockwork *work; /* NULL: given up, its answer is only thrown away */
        struct clock_job *next;
        int64_t rests_until_us; /* monotonic; 0: it is under way */
        char ticket[]; /* its number */
};

struct clockwork {
        struct desk *desk;
        struct clock_job *jobs;
        size_t n_jobs;
        bool *closed; /* by index of the configuration's agents: as the store was told */
        size_t n_closed;
};

static void
job_end(struct clock_job *j)
{
        struct clock_job **p;

        for (p = &j->work->jobs; *p != j; p = &(*p)->next)
                ;
        *p = j->next;
        j->work->n_jobs--;
        free(j);
}

/* Whoever asked may be gone meanwhile. */
static bool
job_is_orphan(struct clock_job *j)
{
        if (j->work != NULL)
                return false;
        free(j);
        return true;
}

static void
job_rest(struct clock_job *j, const struct err *why)
{
        log_error("CLOCK", "ticket=%s why=%s", j->ticket, log_quote(why->text));
        j->rests_until_us = clock_mono_us() + REST_US;
}

static void
job_on_commit(void *arg, const struct err *err, const char *stored, size_t stored_len,
    const char *stored_hash)
{
        struct clock_job *j = arg;

        (void)stored;
        (void)stored_len;
        (void)stored_hash;
        if (job_is_orphan(j))
                return;
        crash_point("clock.committed");
        if (err->kind == ERR_REJECT || err->kind == ERR_STATE)
                job_rest(j, err);
        else
                job_end(j); /* not done: it is named again */
}

/* ---- deciding ---- */

/* Leads who want mail are told of what becomes of promises. */
static void
event_leads(const struct config *c, struct arena *a, struct ticket_event *e)
{
        const char **to = arena_alloc(a, (c->n_agents + 1) * sizeof *to);

        for (size_t i = 0; i < c->n_agents; i++) {
                const struct agent_options *o = &c->agents[i];

                if (o->role == ROLE_LEAD && o->notify_mail && o->mail[0] != '\0')
                        to[e->n_to++] = o->mail;
        }
        e->to = to;
}

/* What its promise wants when it is at risk, if that is more than it has. */
static void
event_priority(
    struct desk *d, const struct ticket *t, struct arena *a, struct ticket_event *e)
{
        const struct promise_options *p = config_promise(d->config, t->clocks.name);
        struct class *k;

        if (p == NULL || (enum priority)p->priority <= t->priority)
                return;
        k = arena_alloc(a, sizeof *k);
        e->priority = (enum priority)p->priority;
        rules_class_priority(d->config, t, e->priority, a, k);
        desk_learn_class(d, k);
        e->class_doc = k;
}

/* Its time in this line is over, and there is one above. */
static bool
escalates(const struct ticket *t, const struct line_options *up, int64_t now_ms)
{
        const struct clocks *k = &t->clocks;

        return up != NULL && (t->state == TICKET_QUEUED || t->state == TICKET_HELD) &&
               k->escalate_ms != 0 && k->escalate_stood_ms == 0 &&
               k->escalate_ms <= now_ms;
}

static int
job_decide(const struct clock_job *j, const struct ticket *t, struct arena *a,
    struct change *ch, struct err *err)
{
        struct desk *d = j->work->desk;
        const struct config *c = d->config;
        const struct line_options *up = config_line_next(c, t->line);
        const struct mail_account *from = config_reply_mail(c, t->account);
        struct ticket_event e = {.type = EVENT_CLOCK,
            .now_ms = clock_now_ms(),
            .who = "helpline",
            .is_admin = true,
            .reopen_ms = c->reopen_ms,
            .account = from == NULL ? "" : from->address,
            .line = up == NULL ? "" : up->name,
            .is_bot = true};

        desk_clock_event(d, t, &e);
        if (escalates(t, up, e.now_ms)) {
                struct class *k = arena_alloc(a, sizeof *k);

                rules_class_handed(c, t, up->name, a, k);
                desk_learn_class(d, k);
                e.type = EVENT_ESCALATE;
                e.class_doc = k;
                e.text = "its time in this line is over";
        } else {
                event_leads(c, a, &e);
                event_priority(d, t, a, &e);
        }
        return ticket_apply(t, &e, a, ch, err);
}

static void
job_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct clock_job *j = arg;
        struct arena *a AUTO_ARENA = arena_new();
        struct err why = {.kind = ERR_NONE};
        struct change ch;
        struct commit commit = {.change = &ch, .idem = "", .idem_hash = "", .answer = ""};

        if (job_is_orphan(j))
                return;
        if (err->kind == ERR_REJECT)
                job_rest(j, err);
        else if (err->kind != ERR_NONE || !v->exists)
                job_end(j);
        else if (job_decide(j, &v->ticket, a, &ch, &why) == -1)
                job_rest(j, &why);
        else {
                crash_point("clock.decided");
                store_commit(j->work->desk->store, &commit, job_on_commit, j);
        }
}

/* ---- from the tick ---- */

static struct clock_job *
job_find(struct clockwork *w, const char *ticket)
{
        struct clock_job *j;

        for (j = w->jobs; j != NULL && strcmp(j->ticket, ticket) != 0; j = j->next)
                ;
        return j;
}

static void
job_start(struct clockwork *w, const char *ticket)
{
        const size_t n = strlen(ticket) + 1;
        struct clock_job *j = xcalloc(1, sizeof *j + n);
        const struct read_ticket r = {.id = j->ticket, .idem = ""};

        memcpy(j->ticket, ticket, n);
        j->work = w;
        j->next = w->jobs;
        w->jobs = j;
        w->n_jobs++;
        store_read(w->desk->store, &r, job_on_view, j);
}

void
clockwork_come(struct clockwork *w, const char *const *tickets, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct clock_job *j = job_find(w, tickets[i]);

                if (j != NULL && j->rests_until_us != 0 &&
                    clock_mono_us() >= j->rests_until_us) {
                        job_end(j);
                        j = NULL;
                }
                if (j == NULL && w->n_jobs < JOBS_MAX)
                        job_start(w, tickets[i]);
        }
}

/* ---- hours of agents ---- */

static bool
agent_is_closed(const struct config *c, const struct agent_options *a)
{
        const struct hours_options *h = config_hours(c, a->hours);

        return h != NULL && !calendar_is_open(&h->calendar, clock_now_ms());
}

/* all: everybody; else only whose hours have begun or ended. */
static void
tell_agents(struct clockwork *w, bool all)
{
        const struct config *c = w->desk->config;
        struct agent_duty *duties AUTO_FREE = xcalloc(c->n_agents + 1, sizeof *duties);
        size_t n = 0;

        for (size_t i = 0; i < c->n_agents; i++) {
                const struct agent_options *a = &c->agents[i];
                bool closed = agent_is_closed(c, a);

                if (!all && closed == w->closed[i])
                        continue;
                w->closed[i] = closed;
                duties[n++] = (struct agent_duty){
                    .agent = a->name,
                    .holds = a->holds,
                    .deputy = a->deputy,
                    .closed = closed,
                };
        }
        store_set_agents(w->desk->store, duties, n);
}

void
clockwork_tell_agents(struct clockwork *w)
{
        free(w->closed);
        w->n_closed = w->desk->config->n_agents;
        w->closed = xcalloc(w->n_closed + 1, sizeof *w->closed);
        tell_agents(w, true);
}

void
clockwork_look_hours(struct clockwork *w)
{
        /* before the first telling, and between a reload and its telling, there is none */
        if (w->closed != NULL && w->n_closed == w->desk->config->n_agents)
                tell_agents(w, false);
}

struct clockwork *
clockwork_new(struct desk *d)
{
        struct clockwork *w = xcalloc(1, sizeof *w);

        w->desk = d;
        return w;
}

void
clockwork_free(struct clockwork **wp)
{
        struct clockwork *w = *wp;
        struct clock_job *next;

        if (w == NULL)
                return;
        for (struct clock_job *j = w->jobs; j != NULL; j = next) {
                next = j->next;
                if (j->rests_until_us != 0)
                        free(j);
                else
                        j->work = NULL;
        }
        free(w->closed);
        free(w);
        *wp = NULL;
}

const struct calendar *
desk_calendar(const struct desk *d, const char *id)
{
        const struct calendar *c = config_calendar(d->config, id);

        return c != NULL ? c : dispatch_calendar(d->dispatch, id);
}

void
desk_clock_event(const struct desk *d, const struct ticket *t, struct ticket_event *e)
{
        e->config = d->config;
        e->calendar = desk_calendar(d, t->clocks.calendar);
}
