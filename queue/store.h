/*
 * The store: durable tickets on Redis. The only door to it for the daemon.
 *
 * Everything is asynchronous: one call down, one answer up, exactly once, never
 * before the call has returned; each has a deadline. An answer's data live until
 * the callback returns. err->kind: ERR_NONE done; ERR_RETRY not done (the store
 * is away, loading, full: err->text says which); ERR_UNSURE done or not: repeat with
 * the same idempotency key (calls that carry one are repeated by the client
 * itself after a reconnect, inside their deadline).
 */
#ifndef HELPLINE_QUEUE_STORE_H
#define HELPLINE_QUEUE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"
#include "daemon/base/loop.h"
#include "daemon/model/facts.h"
#include "daemon/model/ticket.h"
#include "queue/change.h"

struct store;

struct store_options {
        const char *where; /* "embedded", "unix:///path", "redis://host:port/0" */
        const char *password; /* "" none */
        /* absolute: r.sock and the append-only files of the embedded child */
        const char *state_dir;
        int lock_fd; /* the flock'd descriptor the child inherits; -1 when not embedded */
        int64_t command_ms; /* deadline of one command; default 5000 */
};

struct hint { /* something may have become eligible */
        enum { HINT_CLASS, HINT_AGENT, HINT_ALL } kind;
        const char *name; /* class id or agent */
        int64_t v_us; /* CLASS: of its head now; INT64_MIN not told */
        uint64_t seq; /* hintseq after it */
};

struct store_handlers {
        /* Ready: connected, loaded, schema checked, scripts loaded, secrets read.
         * Comes again after each reconnect (then hint `all` yourself). */
        void (*on_up)(void *arg);
        void (*on_down)(void *arg, const struct err *why);
        /* From answers of our own scripts and from the hints stream of others. */
        void (*on_hint)(void *arg, const struct hint *h);
        /* Each new journal entry in order: its id and its event as JSON. */
        void (*on_event)(void *arg, const char *seq, const char *json, size_t len);
        /* For good: schema of a newer version, damaged file, three exits in a minute. */
        void (*on_fatal)(void *arg, const struct err *why);
};

struct store *store_new(struct loop *loop, const struct store_options *o,
    const struct store_handlers *h, void *arg);
void store_start(struct store *s);
/* Answers what is in flight (until the deadline), ends the child with SHUTDOWN,
 * then calls done. */
void store_stop(struct store *s, int64_t deadline_ms, loop_fn done, void *arg);
void store_free(struct store **s);

bool store_is_up(const struct store *s);
/* What intake must know before it takes a message: ERR_NONE, or why not now
 * (store away, disk low, memory at 85 %). err->code "452" full, "451" else. */
int store_may_take(struct store *s, struct err *err);
bool store_is_live(const struct store *s); /* meta live: outgoing mail leaves */
/* Desk secrets for Message-IDs: key id (one character) and 32 bytes. The newest
 * signs; older ones only verify. NULL when there is no such key. */
const uint8_t *store_secret(const struct store *s, char key_id);
char store_secret_newest(const struct store *s);
uint64_t store_hintseq(const struct store *s); /* highest seen */

typedef void (*store_done_fn)(void *arg, const struct err *err);

/* ---- intake ---- */
struct facts_query {
        const char *digest; /* account + ":" + message digest; "" : never a duplicate */
        const char *sender; /* normalised address, "" unknown */
        const char *also; /* his number in E.164 beside the address, "" or NULL none */
        unsigned n_recent; /* so many of the customer's newest tickets are told, too */
        const char **tickets; /* ids from our signed tokens and subject tags */
        size_t n_tickets;
        const char **mids; /* Message-IDs of In-Reply-To and References, newest first */
        size_t n_mids;
        /* how many tickets were tagged so since then (n is not read) */
        const struct tag_count *counts;
        size_t n_counts;
        int64_t now_ms; /* the windows end here */
};
struct facts_answer {
        const char *duplicate; /* message id when it was seen before, else "" */
        const char *customer; /* of the sender, "" unknown */
        const char *customer_name;
        /* those of the query that exist (merged ones followed), class_doc not filled */
        struct ticket *tickets;
        size_t n_tickets;
        /* for each mid its ticket id or ""; those tickets are in tickets too */
        const char **mid_tickets;
        /* pairs: a merged ticket that was asked for, and the one it is part of now */
        const char **aliases;
        size_t n_aliases;
        /* ids of his newest tickets, newest first; they are in tickets too */
        const char **recent;
        size_t n_recent;
        struct tag_count *counts; /* as in the query, with n */
        size_t n_counts;
};
typedef void (*store_facts_fn)(
    void *arg, const struct err *err, const struct facts_answer *f);
void
store_facts(struct store *s, const struct facts_query *q, store_facts_fn fn, void *arg);

struct put {
        const char *digest; /* as in the query; "" none */
        /* normalised; guard: still belongs to `customer` ("" : to nobody) */
        const char *sender;
        /* his number beside it, "" or NULL: learnt when nobody's */
        const char *also;
        const char *customer; /* known customer of the sender, "" : make one */
        const char *customer_name; /* for a new one */
        const struct change *change; /* of the ticket (new or known) */
        /* "" : no acknowledgement; else intent, written by put itself when the ticket
         * never had one and the rate allows */
        const char *ack_template;
        const char *ack_to; /* envelope recipient */
        const char *ack_language;
        const char *ack_account;
        int64_t ack_due_ms;
        /* The tail of a question's document, to ack_to from ack_account in ack_language;
         * {ticket} in it becomes the number. "" or NULL none. The breaker is behind it, too. */
        const char *ask;
        int64_t now_ms;
};
enum put_outcome { PUT_STORED, PUT_DUPLICATE, PUT_STALE };
struct put_answer {
        enum put_outcome outcome;
        const char *ticket; /* "1042" */
        const char *message; /* "1042.1"; the stored one for a duplicate */
        bool acknowledged; /* an acknowledgement was written */
        /* the breaker (3 an hour, 10 a day to one address) stopped it */
        bool ack_suppressed;
};
typedef void (*store_put_fn)(
    void *arg, const struct err *err, const struct put_answer *a);
/* Idempotent by its digest; without one by a key of its own. */
void store_put(struct store *s, const struct put *p, store_put_fn fn, void *arg);

/* ---- routing ---- */
struct pull_group { /* classes he may take from on the same terms */
        int64_t cutoff_us; /* eligible when v <= cutoff; INT64_MAX: at once */
        int64_t handicap_us; /* added to v when comparing (helped lines); 0 */
        const char *const *classes; /* ids */
        size_t n_classes;
};
struct pull {
        const char *agent;
        const struct pull_group *groups; /* the classes of his profile (and filter) */
        size_t n_groups;
        bool own; /* look at his own queue too (not with LINE or CHANNEL) */
        const char *ticket; /* TAKE: this very one, "" : the best */
        /* ASSIGN: who gives it to him, whatever the class says and whoever has it; NULL */
        const char *by;
        unsigned holds; /* his capacity */
        unsigned count; /* at most so many, 1..100 */
        const char *connection; /* over which it is given: "untaken" */
        const char *const *leases; /* pairs: line, ms as text */
        size_t n_leases; /* pairs */
        int64_t default_lease_ms;
        /* RESERVE's ID "agent:key" or ""; then one of the daemon's own is used */
        const char *idem;
        const char *idem_hash; /* of the arguments */
        const char *hinted; /* class whose head is wanted back, "" none */
        bool make_ready; /* RESERVE implies ready */
};
enum pull_outcome { PULL_TAKEN, PULL_NOTHING, PULL_FULL, PULL_AWAY, PULL_REFUSED };
struct pull_head {
        const char *class_id;
        int64_t v_us; /* INT64_MAX: nothing waits there */
};
struct pull_answer {
        enum pull_outcome outcome;
        const char *code, *why; /* REFUSED (TAKE): protocol code and sentence */
        const char **tickets;
        size_t n_tickets;
        bool repeated; /* the stored answer of the same ID */
        unsigned used; /* weight in his hands now */
        uint64_t hintseq;
        struct pull_head *heads; /* of the class hinted and the classes taken from */
        size_t n_heads;
};
typedef void (*store_pull_fn)(
    void *arg, const struct err *err, const struct pull_answer *a);
void store_pull(struct store *s, const struct pull *p, store_pull_fn fn, void *arg);

/* All heads (class, v), and the text of the classes named in `unknown` (ids). */
struct heads_answer {
        struct pull_head *heads;
        size_t n_heads;
};
typedef void (*store_heads_fn)(
    void *arg, const struct err *err, const struct heads_answer *a);
void store_heads(struct store *s, store_heads_fn fn, void *arg);
typedef void (*store_text_fn)(
    void *arg, const struct err *err, const char *text, size_t len);
/* Class document by id; text NULL when the store has none. */
void store_class(struct store *s, const char *class_id, store_text_fn fn, void *arg);

/* All class documents there are, in no order; n of them. */
typedef void (*store_classes_fn)(
    void *arg, const struct err *err, const char *const *texts, size_t n);
void store_classes(struct store *s, store_classes_fn fn, void *arg);
/* Calendar document by id; text NULL when the store has none. */
void store_calendar(struct store *s, const char *id, store_text_fn fn, void *arg);

/* ---- tickets ---- */
struct read_ticket {
        const char *id;
        unsigned n_messages; /* the newest so many ... */
        unsigned before; /* ... before message number (0: the newest of all) */
        bool log;
        /* As people see it: with the messages of tickets merged into it, in order of time,
         * without those that were split off; `before` does not count then: */
        bool thread;
        const char *before_id; /* thread: only older ones than this message; NULL all */
        const char *idem; /* "agent:key" to look up along, "" none */
};
struct ticket_part { /* a ticket merged into another, directly or not */
        const char *id;
        const char *customer; /* id */
};
struct ticket_view {
        /* the view's; lives until the callback returns, or take it:
         * set view->arena = NULL and free it yourself */
        struct arena *arena;
        bool exists;
        struct ticket ticket; /* with class_doc and customer */
        const char **messages; /* documents, oldest first */
        size_t n_messages;
        const char **log;
        size_t n_log;
        const char **delivery; /* pairs: message id, JSON array */
        size_t n_delivery;
        const char *draft; /* its document, "" none; read with messages */
        struct ticket_part *parts;
        size_t n_parts;
        unsigned n_levels; /* of merged ones below it */
        const char *idem_hash; /* "" : no stored answer under that key */
        const char *idem_answer; /* RESP as it was sent */
        size_t idem_answer_len;
};
typedef void (*store_ticket_fn)(
    void *arg, const struct err *err, struct ticket_view *view);
void
store_read(struct store *s, const struct read_ticket *r, store_ticket_fn fn, void *arg);
/* Several at once, in order; each gives one call of fn with its index in the view. */
typedef void (*store_tickets_fn)(
    void *arg, const struct err *err, struct ticket_view *views, size_t n);
void store_read_many(struct store *s, const struct read_ticket *r, size_t n,
    store_tickets_fn fn, void *arg);

struct commit {
        const struct change *change;
        const char *idem; /* "agent:key", "" none (then a key of the daemon's own) */
        const char *idem_hash;
        const char *answer; /* RESP to keep under the key */
        size_t answer_len;
        char *made; /* NULL, or room for MADE_MAX: the number of the ticket it makes */
};
#define MADE_MAX 24
/* err->kind ERR_STALE: the version is no longer that: read and apply again. When the
 * key has a stored answer already, stored is given and nothing is done. */
typedef void (*store_commit_fn)(void *arg, const struct err *err, const char *stored,
    size_t stored_len, const char *stored_hash);
void store_commit(struct store *s, const struct commit *c, store_commit_fn fn, void *arg);

struct list_query { /* strings may be NULL, which is "" */
        bool by_holder; /* what `agent` holds, by number */
        const char *agent;
        const char *state; /* "" queued, held and waiting ones */
        const char *line; /* "" any */
        const char *customer; /* his id, or one of his addresses or numbers; "" any */
        const char *tag; /* "" any */
        const char *const *hidden; /* lines whose tickets are not told ... */
        size_t n_hidden;
        const char *who; /* ... but to this agent, when he holds them */
        const char *cursor; /* "0" begins */
        unsigned count; /* 1..100 */
};
/* views as in store_read_many with n_messages 0; cursor "0" at the end. Looks at 500
 * tickets at most: a page may be empty before the end. */
typedef void (*store_list_fn)(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n);
void store_list(struct store *s, const struct list_query *q, store_list_fn fn, void *arg);
/* The first of what waits in a line, in the order in which it would be given; what is
 * kept for these agents counts too. The cursor is always "0". */
struct queue_query {
        const char *line;
        unsigned count; /* 1..100 */
        const char *const *agents; /* who are there: their own queues */
        size_t n_agents;
};
void
store_queue(struct store *s, const struct queue_query *q, store_list_fn fn, void *arg);
/* Tickets on which a consultation or an approval waits for an agent: of him, of a line, of
 * others who are absent and for whom he stands in. Views as in store_list, at most 100. */
enum { ASKED_OTHERS = 1000 };
struct asked_query {
        const char *agent;
        const char *const *lines;
        size_t n_lines;
        const char *const *others; /* who may be absent */
        size_t n_others; /* at most ASKED_OTHERS */
};
void
store_asked(struct store *s, const struct asked_query *q, store_list_fn fn, void *arg);
/* Ids of open tickets (queued, held, waiting, resolved) above `after`, by number. */
typedef void (*store_ids_fn)(
    void *arg, const struct err *err, const char *const *ids, size_t n);
void store_open(
    struct store *s, const char *after, unsigned count, store_ids_fn fn, void *arg);

/* ---- agents ---- */
enum presence { PRESENCE_OFFLINE, PRESENCE_AWAY, PRESENCE_READY };
struct agent_state {
        enum presence presence;
        const char *reason;
        unsigned used; /* tickets in hand */
        int64_t idle_since_ms;
        int64_t absent_from_ms, absent_until_ms; /* ABSENT; 0 0 none */
        bool closed; /* it is outside his hours */
        bool absent; /* it has begun */
        bool absent_moved; /* and all that he had has been handed on */
        const char *absent_deputy; /* whom it names, "" his deputy */
};
typedef void (*store_agent_fn)(
    void *arg, const struct err *err, const struct agent_state *a);
void store_agent(struct store *s, const char *agent, store_agent_fn fn, void *arg);
void store_set_presence(struct store *s, const char *agent, enum presence p,
    const char *reason, const char *who, store_done_fn fn, void *arg);
/* ABSENT: from then until then; until <= now, or <= from: no longer. deputy "": his own. */
void store_set_absent(struct store *s, const char *agent, int64_t from_ms,
    int64_t until_ms, const char *deputy, const char *who, store_done_fn fn, void *arg);
/* All that he had when this absence (until_ms tells which) began has been handed on. */
void store_absent_moved(
    struct store *s, const char *agent, int64_t until_ms, store_done_fn fn, void *arg);
struct agent_duty { /* of the configuration, as scripts need it */
        const char *agent;
        unsigned holds;
        const char *deputy; /* "" none */
        bool closed; /* it is outside his hours: he is given nothing new */
};
/* What the store must know of everybody who is declared: at each start and reload, before
 * anything else. */
void store_set_agents(struct store *s, const struct agent_duty *duties, size_t n);
/* His last connection is gone: what was never taken up (bots: everything) goes back
 * at `at_ms`; 0 takes the clock away (he is back). */
void store_set_grace(struct store *s, const char *agent, bool bot, int64_t at_ms,
    store_done_fn fn, void *arg);

struct token {
        const char *id, *agent, *sha256, *name;
        int64_t created_ms, used_ms;
};
typedef void (*store_tokens_fn)(
    void *arg, const struct err *err, const struct token *t, size_t n);
void store_token_new(struct store *s, const struct token *t, store_done_fn fn, void *arg);
void store_token_find(
    struct store *s, const char *id, store_tokens_fn fn, void *arg); /* n 0 or 1 */
void store_token_list(
    struct store *s, const char *agent, store_tokens_fn fn, void *arg); /* "" all */
void store_token_drop(
    struct store *s, const char *id, store_done_fn fn, void *arg); /* ERR_NOTFOUND */
void store_token_used(struct store *s, const char *id); /* notes the time; no answer */

/* ---- journal ---- */
/* The id of the last entry that was told; "" while it is not known. */
const char *store_journal_at(const struct store *s);
/* Entries after seq ("0": from the first kept), at most count, each as JSON array items
 * joined in one text "[...]" . */
typedef void (*store_events_fn)(void *arg, const struct err *err, const char *const *seqs,
    const char *const *jsons, size_t n);
void store_events(
    struct store *s, const char *after, unsigned count, store_events_fn fn, void *arg);

/* The newest entry's id, "0" when there is none. */
typedef void (*store_seq_fn)(void *arg, const struct err *err, const char *seq);
void store_journal_last(struct store *s, store_seq_fn fn, void *arg);

/* ---- outbox ---- */
struct outbox_entry {
        const char *id; /* "57" */
        const char *ticket, *message, *kind, *account, *template, *language;
        const char **to;
        size_t n_to;
        const char *delivery; /* JSON array of deliveries so far */
        const char *state; /* held queued deferred claimed dead */
        unsigned tries;
        int64_t created_ms, next_ms;
        const char *last; /* the server's last words */
        const char *why; /* of a notice: what it says */
};
typedef void (*store_outbox_fn)(void *arg, const struct err *err,
    const struct outbox_entry *e, size_t n, const char *cursor);
void store_outbox_read(struct store *s, const char *entry, store_outbox_fn fn, void *arg);
void store_outbox_list(
    struct store *s, const char *cursor, unsigned count, store_outbox_fn fn, void *arg);
/* RETRY: due now again (also a dead one). ERR_NOTFOUND. */
void store_outbox_retry(
    struct store *s, const char *entry, const char *who, store_done_fn fn, void *arg);
void
store_set_live(struct store *s, bool live, const char *who, store_done_fn fn, void *arg);

/* ---- quarantine ---- */
struct quarantined {
        const char *id, *account, *why, *ticket, *message;
        struct blob_ref raw;
        int64_t at_ms;
};
typedef void (*store_quarantine_fn)(void *arg, const struct err *err,
    const struct quarantined *q, size_t n, const char *cursor);
void store_quarantine_list(struct store *s, const char *cursor, unsigned count,
    store_quarantine_fn fn, void *arg);
void
store_quarantine_read(struct store *s, const char *id, store_quarantine_fn fn, void *arg);
void store_quarantine_drop(
    struct store *s, const char *id, const char *who, store_done_fn fn, void *arg);

/* ---- clocks ---- */
struct tick_answer {
        unsigned n_done;
        bool more; /* call again at once */
        const char *
            *clocks; /* tickets whose clock has come: told until a commit sets it */
        size_t n_clocks;
        const char **outbox; /* entries claimed for us (for claim_ms) */
        size_t n_outbox;
};
typedef void (*store_tick_fn)(
    void *arg, const struct err *err, const struct tick_answer *a);
/* Pops at most 100 of what is due. n_claims: outbox entries it may claim now. */
void store_tick(struct store *s, unsigned n_claims, int64_t claim_ms, int64_t own_ms,
    store_tick_fn fn, void *arg);
/* One chunk of the janitor's work: the classes that it has forgotten. */
typedef void (*store_swept_fn)(
    void *arg, const struct err *err, const char *const *classes, size_t n);
void store_sweep(struct store *s, store_swept_fn fn, void *arg);

/* ---- cursors of channels (phone log positions), cur:<account> ---- */
typedef void (*store_cursor_fn)(void *arg, const struct err *err, const char *value);
/* "" when there is none. */
void
store_cursor_get(struct store *s, const char *account, store_cursor_fn fn, void *arg);
void store_cursor_set(
    struct store *s, const char *account, const char *value, store_done_fn fn, void *arg);

/* ---- numbers (STATS) ---- */
struct store_stats {
        const char *kind; /* embedded, redis */
        const char *durability; /* always everysec none replica */
        double ms; /* last round trip */
        int64_t tickets[6]; /* by enum ticket_state */
        const char **lines; /* with their numbers below, by index */
        size_t n_lines;
        int64_t *queued, *held, *waiting,
            *oldest_ms; /* the last: how long the first in line waits */
        int64_t in_messages, in_duplicates, in_quarantined;
        int64_t out_held, out_queued, out_deferred, out_dead;
};
typedef void (*store_stats_fn)(
    void *arg, const struct err *err, const struct store_stats *st);
void store_stats(struct store *s, store_stats_fn fn, void *arg);

#endif
