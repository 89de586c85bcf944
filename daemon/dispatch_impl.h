/*
 * What dispatch is made of (inside daemon/dispatch*.c only).
 *
 * Agents with equal abilities share one profile entry, so what there is to know of
 * (profile, class) is found out once and a desk of thousands needs little memory. Each
 * profile keeps its agents who could pull now in the order in which they are asked.
 */
#ifndef HELPLINE_DAEMON_DISPATCH_IMPL_H
#define HELPLINE_DAEMON_DISPATCH_IMPL_H

#include <uthash.h>

#include "daemon/base/arena.h"
#include "daemon/dispatch.h"

struct calendar_entry {
        struct arena *arena; /* owns calendar */
        char id[CALENDAR_ID_LEN + 1];
        bool known; /* else the steps of its classes wait */
        struct calendar calendar; /* id "" : real time */
        UT_hash_handle hh;
};

struct back_key { /* one distinct wait: this much time in that calendar */
        const struct calendar_entry *calendar; /* NULL real time */
        int64_t ms;
        int64_t days;
};
struct back_entry {
        struct back_key key;
        uint64_t turn; /* of which back_ms is */
        int64_t back_ms; /* who entered by then has waited as long */
        UT_hash_handle hh;
};

struct class_entry {
        struct arena *arena; /* owns doc */
        struct class doc;
        size_t index; /* in dispatch.classes and in each profile's fits */
        struct back_entry *backs[CLASS_MAX_STEPS]; /* of each step */
        int64_t head_v_us; /* as last heard; INT64_MAX: nothing waits */
        bool listed; /* on the list: somebody may have to pull for it */
        bool in_flight; /* a pull for it is under way */
        bool gone; /* forgotten, freed when that pull is back */
        uint64_t hint_epoch; /* of its last hint */
        struct class_entry *prev_listed, *next_listed;
        UT_hash_handle hh;
};

struct profile_entry {
        struct arena *arena; /* owns key and profile */
        const char *key; /* its canonical text */
        struct profile profile;
        size_t n_agents;
        unsigned char *fits; /* by class index; see dispatch_fit.c */
        size_t n_fits;
        struct agent_entry *first, *last; /* open ones, who is asked first is first */
        struct profile_entry *prev_open, *next_open; /* those with open agents */
        struct arena *groups_arena; /* owns groups */
        struct dispatch_group *groups; /* for a pull without filter ... */
        size_t n_groups;
        uint64_t groups_turn, groups_gen; /* ... of this turn and table of classes */
        UT_hash_handle hh;
};

struct agent_entry {
        char *name;
        struct profile_entry *profile;
        uint64_t profile_gen; /* grows when the profile changes */
        unsigned holds;
        unsigned used; /* weight in hand, as last heard */
        int64_t idle_since_ms;
        bool wants; /* a hint for him: pull, whatever the classes say */
        bool forgotten; /* freed when its last reserve is gone */
        bool open; /* in his profile's list */
        bool wanting; /* in dispatch.wanting */
        unsigned n_in_flight; /* pulls under way for him */
        unsigned n_open; /* reserves parked and not blocked */
        struct reserve *first, *last; /* his reserves, oldest first */
        struct agent_entry *prev, *next; /* in his profile's list */
        struct agent_entry *prev_wanting, *next_wanting;
        UT_hash_handle hh;
};

struct reserve {
        struct reserve *prev, *next; /* in the agent's list */
        struct agent_entry *agent;
        char *words; /* owns the request's strings */
        struct reserve_request request;
        reserve_fn fn;
        void *arg;
        bool in_flight; /* its pull is under way; else it is parked */
        bool gone; /* nobody waits for the answer */
        bool no_park; /* answer what the pull in flight brings, then go */
        bool blocked; /* full or away: only a hint for the agent helps */
        bool again; /* hinted in flight: a vain answer pulls again */
        uint64_t pull_n; /* of the pull in flight */
        uint64_t sent_epoch; /* epoch, profile and classes it was sent with */
        uint64_t sent_profile_gen;
        uint64_t sent_classes_gen;
        uint64_t tried_epoch; /* epoch of the last pull in vain; 0: none since a hint */
        struct class_entry *for_class; /* the class it pulls for, NULL none */
        UT_hash_handle hh; /* in dispatch.flying by pull_n */
};

struct dispatch {
        struct dispatch_ops ops;
        void *arg;
        struct class_entry *by_id;
        struct class_entry **classes; /* by index; NULL: free */
        size_t n_slots;
        size_t n_classes;
        uint64_t classes_gen; /* grows with each class that comes or goes */
        struct calendar_entry *calendars;
        struct back_entry *backs;
        struct profile_entry *profiles;
        struct agent_entry *agents;
        struct reserve *flying; /* in the order they were sent */
        struct class_entry *listed; /* as they were hinted */
        struct class_entry *last_listed;
        struct profile_entry *open; /* profiles somebody of which could pull */
        struct agent_entry *wanting; /* hinted, parked, nothing in flight */
        size_t n_reserves;
        int64_t help_delay_us;
        bool balance_load;
        uint64_t turn; /* of the cut-offs */
        int64_t turn_ms; /* what they are computed from; never goes back */
        uint64_t epoch; /* counts hints */
        uint64_t seq; /* highest hintseq seen */
        uint64_t next_pull;
        bool draining;
        bool walking; /* guards against walking inside a walk */
        bool walk_again;
};

/* ---- dispatch_fit.c: classes, profiles, cut-offs ---- */
struct class_entry *class_find(const struct dispatch *d, const char *id);
void class_drop(struct dispatch *d, struct class_entry *c); /* out of the table, freed */
struct profile_entry *profile_intern(struct dispatch *d, const struct profile *p);
void profile_release(struct dispatch *d, struct profile_entry *p); /* one agent less */
/* Since over a second: the cut-offs are computed anew when they are wanted. */
void dispatch_turn(struct dispatch *d, bool now);
/* May this profile take the head of the class now, as far as is known? */
bool profile_may_take(struct dispatch *d, struct profile_entry *p,
    const struct class_entry *c, bool *helped);
bool request_wants(const struct reserve_request *q, const struct class_entry *c);
/* What a pull of his is sent with; lives in a or in the profile. */
size_t profile_groups(struct dispatch *d, struct profile_entry *p,
    const struct reserve_request *q, struct arena *a, const struct dispatch_group **out);
void fit_free(struct dispatch *d);

/* ---- dispatch_agents.c: who is there, in which order they are asked ---- */
struct agent_entry *agent_find(const struct dispatch *d, const char *name);
void agent_free(struct dispatch *d, struct agent_entry *a);
/* Which lists he belongs into, after anything of his has changed. */
void agent_settle(struct dispatch *d, struct agent_entry *a);
/* Is a asked before b, both of them at home or both helping? */
bool agent_goes_first(
    const struct dispatch *d, const struct agent_entry *a, const struct agent_entry *b);
struct reserve *agent_parked(const struct agent_entry *a);
/* One that is parked and has not pulled since the last hint for him; NULL none. */
struct reserve *agent_untried(const struct agent_entry *a);
void reserve_free(struct dispatch *d, struct reserve *r);

#endif
