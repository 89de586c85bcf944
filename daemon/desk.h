/*
 * The desk: who talks to whom. One struct with everything that lives as long as
 * the daemon; the wiring is written once, in daemon/desk.c.
 */
#ifndef HELPLINE_DAEMON_DESK_H
#define HELPLINE_DAEMON_DESK_H

#include "config/config.h"
#include "config/rules.h"
#include "daemon/alert.h"
#include "daemon/base/disk.h"
#include "daemon/base/loop.h"
#include "daemon/base/worker.h"
#include "daemon/dispatch.h"
#include "queue/blob.h"
#include "queue/store.h"

struct intake;
struct outbox;
struct agents;
struct lmtp;
struct phones;
struct web;
struct janitor;
struct clockwork;
struct ticket_event;
struct search;

enum { DESK_N_RESTART = 5 }; /* options read at the start only */

struct desk {
        struct loop *loop;
        /* replaced by a reload: never keep pointers into it across a gap */
        struct config *config;
        struct store *store;
        struct disk *disk;
        struct blobs *blobs;
        struct worker_pool *mime; /* helpline-mime */
        struct worker_pool *mailer; /* helpline-mailer */
        struct dispatch *dispatch;
        struct intake *intake;
        struct outbox *outbox;
        struct agents *agents; /* the agents' socket */
        struct lmtp *lmtp;
        struct phones *phones; /* the logs of telephone exchanges */
        struct web *web; /* forms, status pages, health */
        struct clockwork *clockwork; /* tickets whose clocks have come */
        struct janitor *janitor; /* clocks: tick, sweep, the look over the heads */
        struct search *search; /* the index behind SEARCH */
        struct timer *stop_timer; /* the phases of desk_shutdown */
        int stop_phase;
        int lock_fd; /* of the state directory; the redis child inherits it */
        int64_t started_at_us;
        bool draining; /* DRAIN: nothing new is taken or given */
        bool stopping;
        bool announced; /* READY was said */
        struct timer *watchdog; /* feeds the service manager's */
        bool demo; /* never leaves rehearsal */
        struct absence *absences; /* whose tickets are being handed on (absence.c) */
        struct alerts alerts; /* when each was last told */
        int exit_code;
        struct buf at_start[DESK_N_RESTART]; /* of state, store, socket, lmtp, web */
        char needs_restart[64]; /* those that differ now: "state, lmtp" */
};

/* Makes the state directory, takes its lock, opens everything and starts the store.
 * config is taken over. NULL with *err: nothing was left open. */
struct desk *
desk_open(struct loop *loop, struct config *config, bool demo, struct err *err);
void desk_free(struct desk **d);

/* RELOAD and SIGHUP, after janitor_count(): load, check, swap. -1: the old configuration
 * stays, *err says
 * how many errors and the first one; report (may be NULL) gets all of them. What of it
 * takes a restart stands in needs_restart then. */
int desk_reload(struct desk *d, struct config_report *report, struct err *err);
/* No new mail (421/451), no new tickets to agents (-DRAINING); what is under way ends. */
void desk_drain(struct desk *d, const char *who);
/* Ends within 2 s with nothing lost; then loop_stop. */
void desk_shutdown(struct desk *d, const char *who);

/* Pull through the store for one agent and ticket (TAKE): fills leases and holds from
 * the configuration. class_id: of the ticket when the agent fits it, else "". */
void desk_take(struct desk *d, const char *agent, const char *ticket,
    const char *class_id, const char *connection, const char *idem, const char *idem_hash,
    store_pull_fn fn, void *arg);
/* ASSIGN: into his hands, whatever its class says and whoever has it; `by` gives it. */
void desk_assign(struct desk *d, const char *agent, const char *ticket, const char *by,
    const char *idem, const char *idem_hash, store_pull_fn fn, void *arg);
/* For how long a ticket that comes back is kept for its owner; 0: there is no such
 * agent any more. */
int64_t desk_own_ms(const struct desk *d, const char *owner);
/* A ticket that comes back to a line that is gone from the files (it was resolved then)
 * goes to the first line: sets line and class of the event, which live in a. */
void desk_find_line(
    struct desk *d, const struct ticket *t, struct arena *a, struct ticket_event *e);
/* The calendar of that id; NULL: real time. */
const struct calendar *desk_calendar(const struct desk *d, const char *id);
/* What this ticket's clocks need in order to be moved by the event. */
void
desk_clock_event(const struct desk *d, const struct ticket *t, struct ticket_event *e);
int64_t desk_lease_ms(const struct desk *d, const char *line, const char *agent);

/* Cut one attachment out of the raw message (BLOB): bytes [from, from+count) of the
 * decoded part, of "html" those of the mail's sanitised HTML; at most 1 MB at a time. */
typedef void (*desk_part_fn)(
    void *arg, const struct err *err, const char *bytes, size_t len);
void desk_cut_part(struct desk *d, const struct blob_ref *raw, const char *part,
    uint64_t from, uint64_t count, desk_part_fn fn, void *arg);

/* ---- daemon/dispatch_store.c: dispatch meets the store ---- */
extern const struct dispatch_ops desk_dispatch_ops;
void desk_on_hint(struct desk *d, const struct hint *h);
/* Everybody's profile and capacity, from the configuration. */
void desk_set_agents(struct desk *d);
/* Every class that a put or commit will use, before it is sent: dispatch must know it,
 * and the store gets its calendar (c->calendar_text) along with it. */
void desk_learn_class(struct desk *d, struct class *c);
/* The same for a new ticket's: when there are too many classes already, c is stripped of
 * needs and steps (true): the worst that a stranger's words can do. */
bool desk_admit_class(struct desk *d, struct class *c, struct arena *a);
/* All classes the store has, then a look: after each connection to it. */
void desk_learn_classes(struct desk *d);
/* Read all heads: learn unknown classes, and let dispatch look. */
void desk_look(struct desk *d);

/* The same for the store, and look who is absent: after each start of it and reload. */
void desk_tell_agents(struct desk *d);

/* ---- daemon/absence.c ---- */
/* Has an absence begun, and is there something of his to be handed on? */
void absence_look(struct desk *d, const char *agent, const struct agent_state *st);
void absences_free(struct desk *d);

/* ---- daemon/janitor.c ---- */
struct janitor *janitor_new(struct desk *d);
void janitor_start(struct janitor *j);
void janitor_free(struct janitor **j);
/* Counts the tickets of the lines; then fn, also when the store is away. */
void janitor_count(struct janitor *j, loop_fn fn, void *arg);
/* How many tickets of this line wait, for an agent or their customer, or are in hand, as
 * last counted (at most 5 s ago). */
int64_t janitor_tickets(const struct janitor *j, const char *line);

#endif
