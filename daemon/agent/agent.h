/*
 * The agents' socket from inside: connection, session, call. What other parts of
 * the daemon may use is in daemon/agent/server.h.
 *
 *     server.c    listeners, all connections and sessions, reload, drain, stop
 *     conn.c      one connection: reading, limits, one call at a time, writing
 *     caller.c    one without RESP (POST /v1): caller.h
 *     session.c   all connections of one agent; grace; presence; what was given
 *     auth.c      tokens, Unix login, roles
 *     call.c      one command under way: its answer, and how tickets are changed
 *     args.c      the words of a command, by the table in commands.c
 *     events.c    subscriptions and frames
 *     sees.c      who sees what: private lines
 *     cmd_*.c     what each command does
 *
 * Killed at any moment: everything here is memory. Tickets given over a
 * connection are marked in the store ("untaken") until a command names them; after
 * a restart agents_store_up() starts the grace of everybody who is not back.
 */
#ifndef HELPLINE_DAEMON_AGENT_AGENT_H
#define HELPLINE_DAEMON_AGENT_AGENT_H

#include <sys/queue.h>

#include "daemon/agent/limits.h"
#include "daemon/agent/server.h"
#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/json.h"
#include "daemon/base/resp.h"
#include "daemon/base/stream.h"
#include "daemon/version.h"
#include "queue/ticket.h"

/* The Redis whose protocol we speak; client libraries decide by it what to send. */
#define REDIS_VERSION "7.2.0"
#define NAME_MAX_BYTES 64

struct session;
struct call;
struct remote;
struct command;

/* Who a connection speaks for. */
struct identity {
        bool known; /* logged in */
        bool is_admin; /* administrator (role admin, or root on the Unix socket) */
        bool is_lead; /* lead or administrator */
        bool is_bot;
        char agent[NAME_MAX_BYTES + 1]; /* "" for an administrator who is no agent */
        char who[NAME_MAX_BYTES + 8]; /* "anna" or "unix:root", for journal and log */
        char token[24]; /* id of the token, "" by Unix login */
};

/* A ticket that was given over a connection and that no command has named since. */
struct given {
        LIST_ENTRY(given) link;
        char ticket[24];
};

/* A ticket that cannot have been received: it goes back, whatever it takes. */
struct lost {
        LIST_ENTRY(lost) link;
        struct agents *agents;
        char agent[NAME_MAX_BYTES + 1];
        char ticket[24];
        char connection[32];
        bool under_way;
};

struct subscription {
        LIST_ENTRY(subscription) link;
        bool is_pattern;
        char channel[]; /* as the client wrote it */
};

struct conn {
        TAILQ_ENTRY(conn) link; /* in agents.conns */
        TAILQ_ENTRY(conn) mates; /* in session.conns, when session */
        struct agents *agents;
        struct stream *stream; /* NULL once closed, and of a caller */
        struct remote *remote; /* of a caller (caller.c), else NULL */
        struct peer peer;
        uint64_t id; /* CLIENT ID */
        char name[32]; /* unique over restarts, "untaken" in the store */
        int proto; /* 2 or 3 */
        struct identity me;
        struct session *session; /* NULL without agent */
        struct call *call; /* the command under way, NULL none */
        struct timer *timer; /* of AUTH, then of the watch after FIN */
        LIST_HEAD(given_list, given) given;
        LIST_HEAD(subscription_list, subscription) subscriptions;
        unsigned n_subscriptions;
        size_t missed_bytes; /* events that were left out since it is slow */
        unsigned n_missed;
        size_t scanned; /* input behind a blocked RESERVE that was looked through */
        size_t need; /* do not parse before so many bytes are there */
        unsigned n_empty; /* empty answers in a row */
        int64_t max_block_ms; /* RESERVE BLOCK waits no longer; 0: no bound */
        int64_t since_ms; /* connected */
        int64_t active_ms; /* last command */
        uint64_t n_commands;
        const char *last_command; /* static text, for CLIENT LIST */
        char client_name[NAME_MAX_BYTES + 1];
        char lib_name[NAME_MAX_BYTES + 1];
        char lib_ver[NAME_MAX_BYTES + 1];
        bool eof; /* the peer has ended its side */
        bool running; /* inside conn_run */
        bool again; /* conn_run waits for its turn in loop_later */
        bool full; /* too much unread: no command until it has read */
        bool watched; /* after FIN, until it is known whether it was a reset */
        bool closing; /* close when the answers have left */
        bool closed; /* memory goes at the end of the turn */
};
TAILQ_HEAD(conn_list, conn);

/* All that lives on between an agent's connections. Kept while the grace or the
 * hour until "offline" runs. */
struct session {
        LIST_ENTRY(session) link;
        struct agents *agents;
        struct conn_list conns;
        unsigned n_conns;
        char agent[NAME_MAX_BYTES + 1];
        bool is_bot;
        enum presence presence;
        bool presence_known; /* read from the store, or set here */
        bool lost; /* tickets may lie there that were given over a lost connection */
        bool grace_unsaved; /* the store has not taken the last grace clock yet */
        int64_t gone_ms; /* the last connection went; 0 connected */
        struct timer *timer; /* while gone: what comes next */
};

struct agents {
        struct desk *desk;
        struct listener **listeners;
        size_t n_listeners;
        char address[80]; /* TCP, "" none */
        struct conn_list conns;
        unsigned n_conns;
        LIST_HEAD(session_list, session) sessions;
        /* under way, also of connections that are gone */
        LIST_HEAD(call_list, call) calls;
        LIST_HEAD(lost_list, lost) losts; /* given and not received: on their way back */
        struct timer *lost_timer; /* tries again while the store is away */
        unsigned n_subscriptions; /* of all connections */
        uint64_t next_id;
        char boot[16]; /* makes connection names unique over restarts */
        bool draining;
        bool stopping;
        bool was_up; /* the store came up at least once */
        struct timer *stop_timer;
        int64_t stop_by_ms;
        loop_fn stop_done;
        void *stop_arg;
        uint64_t n_commands; /* for INFO */
        int64_t refused_s; /* the second in which strangers were last refused ... */
        unsigned n_refused; /* ... and how many of them */
};

/* ---- one command under way ---- */

enum arg_type {
        ARG_ANY, /* any bytes */
        ARG_WORD, /* valid UTF-8, no controls, at most limits.word */
        ARG_TEXT, /* valid UTF-8 text, at most limits.text */
        ARG_SECRET, /* never named in an error */
        ARG_TICKET,
        ARG_MESSAGE,
        ARG_TICKET_OR_MESSAGE,
        ARG_AGENT,
        ARG_LINE,
        ARG_CHANNEL,
        ARG_STATE,
        ARG_STATUS,
        ARG_ADDRESS,
        ARG_PART,
        ARG_NUMBER,
        ARG_DURATION,
        ARG_TIME, /* a moment: call_time() */
        ARG_WHEN, /* a moment or a duration from now: call_time() */
        ARG_PRIORITY,
        ARG_SKILL, /* "network:3"; n is its level */
        ARG_SEQ,
        ARG_CURSOR,
        ARG_ENTRY,
        ARG_KEY,
        ARG_SUBSCRIPTION,
        ARG_ASKED, /* the word ASKED */
        ARG_WHOM /* AGENT, LINE or TO */
};
enum { ARG_OPTIONAL = 1, ARG_MANY = 2, ARG_OR_TEXT = 4 /* or TEXT text last */ };

struct arg_spec {
        const char *name; /* as in the manual: "ticket" */
        const char *option; /* the word before it: "BLOCK"; NULL: by its place */
        enum arg_type type;
        unsigned flags;
        int64_t min, max; /* ARG_NUMBER */
};

enum {
        CMD_ANYONE = 1, /* before AUTH too */
        CMD_AGENT = 2, /* needs an agent, not only an administrator */
        CMD_ADMIN = 4,
        CMD_CHANGES = 8, /* takes ID; is never executed twice */
        CMD_SUBSCRIBED = 16, /* also in RESP2 after SUBSCRIBE */
        CMD_RAW = 32, /* looks at its words itself; the specs are for the manual */
        CMD_CONTAINER = 64, /* has subcommands only */
        CMD_BLOCKS = 128,
        CMD_HIDDEN_TEXT = 256, /* words are secret */
        CMD_LEAD = 512, /* leads and administrators */
        CMD_RESP = 1024, /* about a RESP connection: not over HTTP */
        CMD_BYTES = 2048 /* answers bytes, not text */
};

struct command {
        const char *name; /* upper case; "TOKEN NEW" for a subcommand */
        const char *summary; /* one line, for COMMAND DOCS and X HELP */
        const char *group;
        unsigned flags;
        int min_raw, max_raw; /* CMD_RAW: words with the names; max -1: any */
        const struct arg_spec *args; /* ends with name NULL; NULL: none */
        void (*run)(struct call *c);
};

struct arg_value {
        const struct arg_spec *spec;
        const char *s;
        size_t len;
        int64_t n; /* ARG_NUMBER, ARG_DURATION (ms), the number of an ARG_MESSAGE */
};

struct call {
        LIST_ENTRY(call) link; /* in agents.calls */
        struct conn *conn; /* NULL: gone meanwhile, nobody hears the answer */
        struct agents *agents;
        struct arena *arena; /* of the whole call */
        const struct command *command;
        struct resp_arg *argv;
        int argc;
        struct arg_value *values;
        unsigned n_values;
        struct identity me; /* who asks, copied */
        char connection[32]; /* conn.name */
        int proto;
        const char *idem; /* "agent:key", "" without ID */
        char hash[65]; /* over the words less ID */
        unsigned n_tries; /* how often it was STALE */
        struct timer *timer; /* BLOCK, delay of an empty answer; NULL none */
        struct reserve *reserve; /* in dispatch's hands */
        int64_t began_ms; /* when it was asked */
        bool is_parked; /* a RESERVE BLOCK that waits */
        bool names_given; /* its answer gives tickets away (RESERVE, TAKE) */
        void *state; /* the handler's own, in arena */
        const struct change_plan *plan; /* of call_change */
        const char *ticket; /* of call_change */
        /* set before call_change: a second ticket it touches (NULL none), the message of
         * the first that is read along (0 none) */
        const char *other;
        bool other_unnamed; /* he did not name the other: no answer of ours does */
        unsigned read_message;
        const struct ticket *other_ticket; /* while the plan applies */
        unsigned other_levels; /* of tickets merged into the other, and how many */
        size_t n_other_parts;
        char made[MADE_MAX]; /* number of the ticket that the change made, "" none */
        struct buf answer; /* what is sent when the store has taken the change */
        /* The connection is gone while it waits (NULL: just let it end), or has sent
         * QUIT behind a blocked RESERVE. */
        void (*on_gone)(struct call *c, bool gone);
};

/* ---- commands.c, args.c ---- */
extern const struct command commands[];
extern const size_t n_commands;
/* NULL: none of that name. Subcommands are found by both words. */
const struct command *command_find(const char *name, size_t len);
const struct command *command_find_sub(const char *name, const struct resp_arg *sub);
/* "REPLY ticket text [STATUS waiting|resolved|held] ...", as docs/protocol.md has it. */
void command_usage(const struct command *cmd, struct buf *out);
/* Arity as Redis counts it: negative is "at least". */
int command_arity(const struct command *cmd);
/* Finds the command of argv. NULL with *err (code and Redis's words). */
const struct command *
command_lookup(const struct resp_arg *argv, int argc, struct err *err);
void command_help(const char *container, struct buf *out);
/* Answers of COMMAND and its subcommands. */
void command_info_all(struct buf *out, int proto);
void command_info_some(struct buf *out, int proto, const struct resp_arg *argv, int argc);
void command_docs(struct buf *out, int proto, const struct resp_arg *argv, int argc);
void command_list(struct buf *out);
size_t command_count(void);

/* Checks and sorts the words of argv by cmd's specs. -1: BADARG, TOOBIG or ERR in *err. */
int args_parse(const struct command *cmd, const struct resp_arg *argv, int argc,
    struct arena *a, struct arg_value **values, unsigned *n_values, struct err *err);
/* "90s 15m 1h30m" in ms. */
bool duration_parse(const char *s, int64_t *ms);
/* A moment as people write it, in that zone ("" the system's): RFC 3339, "2026-11-24 15:00",
 * "2026-11-24" (its beginning), "15:00" (the next time), "now"; and with_duration "2h" from
 * now. Pure. */
bool time_parse(
    const char *s, const char *zone, bool with_duration, int64_t now_ms, int64_t *ms);
/* "network:3": the name's length and the level 0..10. */
bool skill_parse(const char *s, size_t *name_len, unsigned *level);

/* ---- call.c ---- */
/* The value of an argument by its name or option; "" when absent. */
const char *call_arg(const struct call *c, const char *name);
bool call_has(const struct call *c, const char *name);
int64_t call_num(const struct call *c, const char *name, int64_t otherwise);
const struct arg_value *call_value(const struct call *c, const char *name);
/* An ARG_TIME or ARG_WHEN in the desk's zone; otherwise when absent. */
int64_t call_time(const struct call *c, const char *name, int64_t otherwise);

struct call *call_new(struct conn *conn, const struct command *cmd, struct resp_arg *argv,
    int argc, struct arena *arena);
/* After its words were parsed: what makes it the same command, its key. */
void call_ready(struct call *c);
void call_free(struct call *c);
/* Ends the call with this answer (RESP). The call is gone afterwards. */
void call_answer(struct call *c, const struct buf *answer);
void call_ok(struct call *c);
void call_error(struct call *c, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What the store or the law said: code if it has one, else by its kind. */
void call_fail(struct call *c, const struct err *err);
/* The same as RESP. (also caller.h) */
void answer_error(struct buf *b, const struct err *err);

/* How a command changes a ticket. apply decides on the ticket as it is now
 * (ticket_apply() of an event, as a rule), or returns -1 with *err; it is called again
 * when the ticket has changed meanwhile. answer writes what is sent and kept for a
 * repetition. */
struct change_plan {
        int (*apply)(struct call *c, const struct ticket_view *v, struct arena *a,
            struct change *out, struct err *err);
        void (*answer)(struct call *c, const struct change *ch, struct buf *out);
        bool always_anew; /* TOUCH: no repetition is looked for */
};
void call_change(struct call *c, const char *ticket, const struct change_plan *plan);
/* A fresh event with what every command has: who, now, lease, the desk's times. */
void call_event(struct call *c, const struct ticket *t, enum ticket_event_type type,
    struct ticket_event *e);

/* A change without a call and without an answer: lease renewed, document seen,
 * given back. Repeats itself on STALE; done may be NULL. */
typedef void (*quiet_fn)(void *arg, const struct err *err);
struct quiet {
        const char *ticket;
        const char *agent; /* acts for him */
        const char *who;
        enum ticket_event_type type;
        /* only while it is "untaken" of this connection; "" whatever */
        const char *connection;
        /* instead of an event: becomes "untaken" of this one; "" none */
        const char *adopt;
};
void quiet_change(struct agents *a, const struct quiet *q, quiet_fn done, void *arg);

/* ---- conn.c ---- */
void conn_accept(struct agents *a, int fd, const struct peer *peer);
/* Without stream and login. NULL: too many, in all or of the address. */
struct conn *conn_new(struct agents *a, const struct peer *peer);
/* Run one request. The arena is the call's from here on. */
void conn_execute(struct conn *c, struct resp_arg *argv, int argc, struct arena *arena);
/* The peer has ended its side: nothing blocks for it any more. */
void conn_eof(struct conn *c);
size_t conn_unsent(const struct conn *c);
/* What strangers do wrong is logged ten times a second at most. */
bool conn_may_log(struct agents *a);
/* The end, at once. broke: what was given and not taken up goes back now. */
void conn_end(struct conn *c, bool broke, const char *why);
void conn_write(struct conn *c, const struct buf *b);
/* Execute what lies in the input, if nothing is under way. */
void conn_run(struct conn *c);
/* The command under way has been answered. */
void conn_call_done(struct conn *c);
void conn_close_later(struct conn *c); /* after the answers */
/* Is anything more to be expected from the peer? */
bool conn_is_gone(const struct conn *c);
struct conn *conn_find(struct agents *a, const char *name);
void conn_limit(struct conn *c); /* how much it may read ahead, after login and logout */
bool conn_is_subscribed(const struct conn *c);

/* ---- caller.c: what stands in for the stream ---- */
void remote_write(struct conn *c, const struct buf *b);
bool remote_is_gone(const struct conn *c);
void remote_event(struct conn *c, const char *seq, const char *json, size_t len);
void remote_done(struct conn *c); /* its command is done */
void remote_ended(struct conn *c, const char *why); /* frees it */

/* ---- session.c ---- */
void session_join(struct conn *c);
/* how: the connection broke, so that what it was given cannot have arrived for sure. */
void session_leave(struct conn *c, bool broke);
struct session *session_find(struct agents *a, const char *agent);
void session_free(struct session *s);
/* A command of this agent named the ticket: it was taken up. */
void session_took_up(struct agents *a, const char *agent, const char *ticket);
void session_gave(struct conn *c, const char *ticket);
/* Given over a connection and never received. */
void session_lost(
    struct agents *a, const char *agent, const char *ticket, const char *connection);
/* Presence and grace after the store came up. */
void sessions_store_up(struct agents *a);

/* ---- auth.c ---- */
/* Unix login; false: he must AUTH. */
bool auth_peer(struct conn *c);
/* Fills id for an agent of the configuration; false: there is none. */
bool auth_identity(
    struct agents *a, const char *agent, const char *token, struct identity *id);
typedef void (*auth_fn)(void *arg, const struct err *err, const struct identity *id);
/* Checks a token; agent "" or "default": whoever has it. */
void
auth_token(struct agents *a, const char *agent, const char *token, auth_fn fn, void *arg);
void auth_login(struct conn *c, const struct identity *id);
void auth_logout(struct conn *c);
/* A token was dropped: its connections are closed. */
void auth_token_dropped(struct agents *a, const char *id);

/* ---- events.c ---- */
void events_subscribe(struct conn *c, const char *channel, bool pattern);
void events_unsubscribe(struct conn *c, const char *channel, bool pattern);
/* The same without its confirmation. */
void events_listen(struct conn *c, const char *channel, bool pattern);
void events_forget(struct conn *c);
void events_caught_up(struct conn *c); /* all has been read: tell what was left out */
bool glob_match(const char *pattern, const char *s);
/* Is it "me", "desk", "line:NAME" or "ticket:ID"? */
bool channel_is_valid(const char *s);

/* ---- cmd_*.c: handlers named in the table ---- */
/* clang-format off */
#define COMMAND_HANDLERS(X) \
        X(auth) X(hello) X(ping) X(echo) X(time) X(quit) X(reset) X(role) X(info) \
        X(select) X(command) X(command_count) X(command_list) X(command_info) \
        X(command_docs) X(help) X(client_id) X(client_info) X(client_list) \
        X(client_getname) X(client_setname) X(client_setinfo) X(config_get) X(cluster) \
        X(no_transactions) X(ready) X(away) X(reserve) X(take) X(show) X(mine) X(list) \
        X(reply) X(unsend) X(note) X(release) X(touch) X(resolve) X(reopen) X(why) \
        X(stats) X(blob) X(subscribe) X(unsubscribe) X(psubscribe) X(punsubscribe) \
        X(events) X(token_new) X(token_list) X(token_drop) X(reload) X(drain) X(live) \
        X(rehearse) X(outbox_list) X(outbox_show) X(outbox_retry) X(outbox_drop) \
        X(quarantine_list) X(quarantine_show) X(quarantine_retry) X(quarantine_drop) \
        X(shutdown) X(submit) X(logcall) X(feed) X(lines) X(agents) X(queue) X(search) \
        X(consult) X(answer) X(approve) X(draft) X(merge) X(unmerge) X(link) X(split) \
        X(escalate) X(return) X(transfer) X(pend) X(snooze) X(assign) X(raise) X(tag) \
        X(need) X(change) X(spam) X(reroute) X(absent) \
        X(due)
/* clang-format on */
#define DECLARE_HANDLER(name) void cmd_##name(struct call *c);
COMMAND_HANDLERS(DECLARE_HANDLER)

/* Who must approve what he answers; "" nobody. */
const char *tutor_of(const struct call *c);
/* What this agent writes on this ticket now; message_free() it. */
struct message *call_message(const struct call *c, const struct ticket *t,
    enum message_direction direction, const char *text);
/* +OK, as the answer of a plan. */
void answer_ok(struct call *c, const struct change *ch, struct buf *out);
void message_freep(struct message **m);
#define AUTO_MESSAGE __attribute__((cleanup(message_freep)))

/* A ticket was left over by one of his connections: who is parked gets it (cmd_work.c). */
void reserve_look_again(struct session *s);
/* COUNT of a command that gives pages. */
unsigned page_size(const struct call *c);
/* The ticket document of a view (cmd_read.c). */
void view_document(const struct agents *a, const struct ticket_view *v, bool summary,
    size_t max, struct buf *out);
/* An array of summaries of those that exist (cmd_read.c). */
void view_summaries(
    const struct agents *a, const struct ticket_view *views, size_t n, struct buf *out);
/* Ends the call with [cursor, [summary ...]] (cmd_desk.c). */
void answer_page(
    struct call *c, const char *cursor, const struct ticket_view *views, size_t n);

/* The new message's id, as the answer of a plan. */
void answer_message(struct call *c, const struct change *ch, struct buf *out);

/* ---- cmd_ask.c ---- */
/* May he do what is asked of that agent: is he it, or his deputy? */
bool stands_in(const struct call *c, const char *agent);
/* The ticket the id leads to now, when it may have been merged. Given once, or the call
 * ends with NOSUCH. */
typedef void (*follow_fn)(struct call *c, const struct ticket *t);
void call_follow(struct call *c, const char *ticket, follow_fn fn);
void mine_asked(struct call *c);

/* ---- sees.c: private lines ---- */
/* Is the agent at home in the line, or helps there? */
bool agent_is_of_line(const struct config *c, const char *agent, const char *line);
bool
identity_sees_line(const struct agents *a, const struct identity *me, const char *line);
bool
identity_sees(const struct agents *a, const struct identity *me, const struct ticket *t);
/* Is he that agent, or a deputy of him? */
bool
identity_stands_in(const struct agents *a, const struct identity *me, const char *agent);
/* An event of this line ("" none) that concerns that agent. */
bool identity_hears(const struct agents *a, const struct identity *me, const char *line,
    const char *agent);
/* The names of lines he does not see, in arena. */
const char *const *identity_hidden(
    const struct agents *a, const struct identity *me, struct arena *arena, size_t *n);

#endif
