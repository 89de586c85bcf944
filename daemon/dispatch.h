/*
 * Dispatch: who of the parked agents gets the next ticket (ROUTING.md, "The
 * matching"; STORE.md, "Agents waiting for work"). Pure: no store and no sockets in
 * here; it asks through struct dispatch_ops and is told the answers.
 *
 * A wake-up is a hint, the pull is the truth. Invariant: when all answers have
 * arrived, no parked agent fits a waiting eligible ticket.
 */
#ifndef HELPLINE_DAEMON_DISPATCH_H
#define HELPLINE_DAEMON_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"
#include "daemon/model/class.h"

struct dispatch;
struct reserve; /* one RESERVE that is in flight or parked */

enum reserve_outcome {
        RESERVE_TAKEN, /* tickets */
        RESERVE_NOTHING, /* nothing fits, full, or away: null */
        RESERVE_FAILED, /* the store did not answer: err */
        RESERVE_DRAINING
};
struct reserve_answer {
        enum reserve_outcome outcome;
        const struct err *err;
        const char *const *tickets;
        size_t n_tickets;
};
/* Called once; the reserve is gone afterwards. */
typedef void (*reserve_fn)(void *arg, const struct reserve_answer *a);

struct reserve_request {
        const char *agent;
        unsigned count; /* RESERVE COUNT, 1 */
        /* park when there is nothing (the caller keeps the timer and cancels) */
        bool block;
        const char *line; /* LINE filter, "" */
        const char *channel; /* CHANNEL filter, "" */
        const char *connection; /* id of the connection it is given over */
        const char *idem; /* "agent:key" or "" */
        const char *idem_hash;
};

/* What dispatch asks the daemon to do. */
struct dispatch_group { /* classes he may take from on the same terms */
        int64_t cutoff_us; /* what has v <= this; INT64_MAX: all of it */
        int64_t handicap_us; /* counts so much later: `help-delay` of helped classes */
        const char *const *classes; /* ids */
        size_t n_classes;
};
struct dispatch_pull {
        uint64_t n; /* number of this pull, for dispatch_pulled() */
        const struct reserve_request *request;
        /* all classes that fit profile and filter, with the cut-offs of now */
        const struct dispatch_group *groups;
        size_t n_groups;
        const char *hinted; /* class whose head is wanted back, "" */
        unsigned holds;
};
struct dispatch_ops {
        void (*pull)(void *arg, const struct dispatch_pull *p);
        /* The reserve it was pulled for is gone: give it back at once, blame nobody. */
        void (*give_back)(
            void *arg, const char *agent, const char *ticket, const char *connection);
};
struct dispatch_head {
        const char *class_id;
        bool waits; /* false: nothing waits in it */
        int64_t v_us;
};
struct dispatch_result {
        bool failed; /* no answer from the store: err */
        const struct err *err;
        /* full or away: park without wanting a class until a hint for the agent */
        bool blocked;
        const char *const *tickets;
        size_t n_tickets;
        unsigned used; /* weight in his hands now */
        uint64_t hintseq;
        const struct dispatch_head *heads;
        size_t n_heads;
};

struct dispatch *dispatch_new(const struct dispatch_ops *ops, void *arg);
void dispatch_free(struct dispatch **d);

/* How much later helped classes count; who is asked first: he who has been idle longest,
 * or he who has the smallest share of his capacity in hand. */
void dispatch_set_options(struct dispatch *d, int64_t help_delay_ms, bool balance_load);
/* Who is who: called for each agent at start and reload (then dispatch_hint_all). */
void dispatch_set_agent(
    struct dispatch *d, const char *agent, const struct profile *p, unsigned holds);
void dispatch_forget_agent(struct dispatch *d, const char *agent);
/* Every class must be known before the put or commit that uses it is sent. */
void dispatch_set_class(struct dispatch *d, const struct class *c);
bool dispatch_knows_class(const struct dispatch *d, const char *class_id);
/* No open ticket names it any more. */
void dispatch_forget_class(struct dispatch *d, const char *class_id);
size_t dispatch_n_classes(const struct dispatch *d);
/* A calendar of classes by its id and document; until it is known their steps stay shut.
 * text that is no calendar: real time counts. */
void dispatch_set_calendar(struct dispatch *d, const char *id, const char *text);
bool dispatch_knows_calendar(const struct dispatch *d, const char *id); /* "" is known */
/* NULL: real time, or not known. */
const struct calendar *dispatch_calendar(const struct dispatch *d, const char *id);
/* Up to which v he may take from that class now; INT64_MIN: nothing. */
int64_t dispatch_cutoff_us(struct dispatch *d, const char *agent, const char *class_id);
/* When he last finished or was given something (the later counts), and the weight he
 * has in hand. */
void
dispatch_set_idle(struct dispatch *d, const char *agent, int64_t since_ms, unsigned used);

/* Pulls at once, then parks if the request blocks. fn is called once, never before
 * this returns. NULL (and fn never called): draining, or an agent nobody declared. */
struct reserve *dispatch_reserve(
    struct dispatch *d, const struct reserve_request *r, reserve_fn fn, void *arg);
/* The caller wants no answer any more (time-out, AWAY, gone). gone: the connection is
 * dead, what a pull in flight brings is given back; not gone: a pull in flight is
 * still waited for and answered (returns false then; true: it was parked, is gone now). */
bool dispatch_cancel(struct dispatch *d, struct reserve *r, bool gone);
/* The answer of pull n. */
void dispatch_pulled(struct dispatch *d, uint64_t n, const struct dispatch_result *r);

/* v_us: of its head after what happened; INT64_MIN: not known. */
void
dispatch_hint_class(struct dispatch *d, const char *class_id, int64_t v_us, uint64_t seq);
void dispatch_hint_agent(struct dispatch *d, const char *agent, uint64_t seq);
void dispatch_hint_all(struct dispatch *d, uint64_t seq);
/* After a reconnect: the store's hintseq counts, even when it is lower. */
void dispatch_reset_seq(struct dispatch *d, uint64_t seq);
/* Once a second, while somebody is parked: the whole of `head`. Computes the cut-offs
 * anew and lists each class whose head a parked agent may take. */
void dispatch_look(struct dispatch *d, const struct dispatch_head *heads, size_t n);

/* Answer all parked with RESERVE_DRAINING. */
void dispatch_drain(struct dispatch *d);
size_t dispatch_parked(const struct dispatch *d);

#endif
