/*
 * One connection of an agent: reads requests, runs them one after the other,
 * writes the answers, and keeps to the limits (docs/protocol.md, "Limits").
 *
 * Requests wait in the stream's input until the one before is answered, so
 * nothing is queued twice, and a client that sends faster than we answer is
 * slowed down by TCP. A client that does not read is not read from.
 *
 * The end: when the peer has ended its side, tickets that were given over this
 * connection and that nobody has named since are in doubt. A reset within a short
 * time says that our answer was not received; then they go back at once. Else the
 * session's grace decides.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"

#define CLOSE_MS 5000
#define WATCH_STEP_MS 50
#define INPUT_MORE 65536

/* ---- the end ---- */

static void
conn_reap(void *arg)
{
        free(arg);
}

void
conn_end(struct conn *c, bool broke, const char *why)
{
        struct call *call = c->call;

        if (c->closed)
                return;
        c->closed = true;
        log_debug("CLOSED", "connection=%s agent=%s why=%s", c->name,
            log_quote(c->me.who), log_quote(why));
        TAILQ_REMOVE(&c->agents->conns, c, link);
        c->agents->n_conns--;
        timer_free(&c->timer);
        events_forget(c);
        c->call = NULL;
        if (call != NULL) {
                call->conn = NULL;
                if (call->on_gone != NULL)
                        call->on_gone(call, true);
        }
        session_leave(c,
            broke || (!c->closing && c->stream != NULL && stream_unsent(c->stream) > 0));
        if (c->remote != NULL)
                remote_ended(c, why);
        else if (c->closing && c->stream != NULL)
                stream_close_after_write(&c->stream, CLOSE_MS);
        else
                stream_close(&c->stream);
        loop_later(c->agents->desk->loop, conn_reap, c);
}

void
conn_close_later(struct conn *c)
{
        c->closing = true;
        if (c->call == NULL && !c->running)
                conn_end(c, false, "closed by us");
}

bool
conn_may_log(struct agents *a)
{
        int64_t now_s = clock_now_ms() / 1000;

        if (now_s != a->refused_s) {
                if (a->n_refused > 10)
                        log_warn("REFUSED",
                            "n=%u why=\"more of the same within a second\"",
                            a->n_refused - 10);
                a->refused_s = now_s;
                a->n_refused = 0;
        }
        return ++a->n_refused <= 10;
}

/* Refuse what a client did wrong and end. */
static void
conn_refuse(struct conn *c, const char *code, const char *text)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (conn_may_log(c->agents))
                log_info("REFUSED", "connection=%s agent=%s why=%s", c->name,
                    log_quote(c->me.who), log_quote(text));
        resp_error(&b, code, text);
        conn_write(c, &b);
        c->closing = true;
}

bool
conn_is_gone(const struct conn *c)
{
        if (c->closed || c->eof)
                return true;
        return c->remote != NULL ? remote_is_gone(c)
                                 : c->stream == NULL || stream_peer_gone(c->stream);
}

size_t
conn_unsent(const struct conn *c)
{
        return c->stream == NULL ? 0 : stream_unsent(c->stream);
}

/* After FIN: has a reset come since? */
static bool
conn_was_reset(const struct conn *c)
{
        struct pollfd p = {.fd = stream_fd(c->stream), .events = POLLOUT};

        return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLNVAL)) != 0;
}

static void
conn_watch_over(void *arg)
{
        struct conn *c = arg;

        if (conn_was_reset(c))
                conn_end(c, true, "reset");
        else if (clock_now_ms() - c->active_ms >= agents_limits.watch_ms)
                conn_end(c, false, "ended by the client");
        else
                timer_set(c->timer, WATCH_STEP_MS);
}

/* The peer has ended its side and all it asked was answered. */
static void
conn_after_eof(struct conn *c)
{
        c->closing = c->watched = true;
        if (LIST_EMPTY(&c->given) || stream_unsent(c->stream) > 0) {
                conn_end(c, stream_unsent(c->stream) > 0, "ended by the client");
                return;
        }
        c->active_ms = clock_now_ms();
        timer_free(&c->timer);
        c->timer = timer_new(c->agents->desk->loop, conn_watch_over, c);
        timer_set(c->timer, WATCH_STEP_MS);
}

/* ---- writing ---- */

void
conn_write(struct conn *c, const struct buf *b)
{
        if (c->closed || c->closing)
                return;
        if (c->remote != NULL) {
                remote_write(c, b);
                return;
        }
        stream_write(c->stream, b->data, b->len);
        if (!c->full && stream_unsent(c->stream) > agents_limits.unread) {
                c->full = true;
                stream_pause(c->stream, true);
        }
}

static void
conn_on_drain(void *arg)
{
        struct conn *c = arg;

        events_caught_up(c);
        if (c->full && !c->closed) {
                c->full = false;
                stream_pause(c->stream, false);
                conn_run(c);
        }
}

/* ---- reading ---- */

static bool
is_word(const struct resp_arg *a, const char *word)
{
        return a->len == strlen(word) && strncasecmp(a->s, word, a->len) == 0;
}

/* A browser that was made to talk to us. */
static bool
is_http(const struct resp_arg *argv, int argc)
{
        return is_word(&argv[0], "POST") || is_word(&argv[0], "Host:") ||
               (is_word(&argv[0], "GET") && argc > 1 && argv[1].len > 0 &&
                   argv[1].s[0] == '/');
}

static int
conn_allowed(const struct conn *c, const struct command *cmd, struct err *err)
{
        if (!c->me.known && !(cmd->flags & CMD_ANYONE))
                return err_code(err, ERR_REJECT, "NOAUTH",
                    "Authentication required: AUTH with a token");
        if (c->proto == 2 && c->n_subscriptions > 0 && !(cmd->flags & CMD_SUBSCRIBED))
                return err_code(err, ERR_REJECT, "ERR",
                    "Can't execute '%s': only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / "
                    "QUIT "
                    "/ RESET are allowed in this context",
                    cmd->name);
        if ((cmd->flags & CMD_RESP) && c->remote != NULL)
                return err_code(err, ERR_REJECT, "ERR",
                    "'%s' is about a RESP connection: over HTTP a token stands in the "
                    "header Authorization, and events come by GET /v1/events",
                    cmd->name);
        if ((cmd->flags & CMD_ADMIN) && !c->me.is_admin)
                return err_code(err, ERR_REJECT, "NOPERM",
                    "%s is for administrators, %s is none", cmd->name, c->me.who);
        if ((cmd->flags & CMD_LEAD) && !c->me.is_lead)
                return err_code(err, ERR_REJECT, "NOPERM", "%s is for leads, %s is none",
                    cmd->name, c->me.who);
        if ((cmd->flags & CMD_AGENT) && c->me.agent[0] == '\0')
                return err_code(err, ERR_REJECT, "NOPERM",
                    "%s is for agents, %s is none: AUTH with an agent's token, or give "
                    "an "
                    "agent this login",
                    cmd->name, c->me.who);
        return 0;
}

void
conn_execute(struct conn *c, struct resp_arg *argv, int argc, struct arena *arena)
{
        struct err err;
        const struct command *cmd = command_lookup(argv, argc, &err);
        struct call *call;

        c->active_ms = clock_now_ms();
        c->n_commands++;
        c->agents->n_commands++;
        if (cmd == NULL || conn_allowed(c, cmd, &err) == -1) {
                struct buf b AUTO_BUF = BUF_INIT;

                answer_error(&b, &err);
                conn_write(c, &b);
                arena_free(&arena);
                if (c->remote != NULL)
                        remote_done(c);
                return;
        }
        c->last_command = cmd->name;
        call = call_new(c, cmd, argv, argc, arena);
        c->call = call;
        if (args_parse(cmd, argv, argc, arena, &call->values, &call->n_values, &err) ==
            -1) {
                call_fail(call, &err);
                return;
        }
        call_ready(call);
        cmd->run(call);
}

static struct resp_limits
conn_limits(const struct conn *c)
{
        const struct agents_limits *l = &agents_limits;

        if (!c->me.known)
                return (struct resp_limits){
                    l->anonymous, l->anonymous, l->args, l->anonymous};
        return (struct resp_limits){l->arg, l->request, l->args, l->inline_line};
}

/* Take one request from the input. False: none is whole there, or it was the end. */
static bool
conn_next(struct conn *c)
{
        const struct resp_limits limits = conn_limits(c);
        struct resp_arg *argv;
        struct arena *arena;
        struct err err;
        size_t n, need = 0;
        const char *in = stream_input(c->stream, &n);
        int argc;
        long used;

        if (n == 0 || n < c->need)
                return false;
        arena = arena_new();
        used = resp_request_parse(in, n, &limits, arena, &argv, &argc, &need, &err);
        c->need = used == 0 ? need : 0;
        if (used > 0)
                stream_consume(c->stream, (size_t)used);
        if (used <= 0 || argc == 0) {
                arena_free(&arena);
                if (used < 0)
                        conn_refuse(c, err.code[0] != '\0' ? err.code : "ERR", err.text);
                return used > 0;
        }
        if (is_http(argv, argc)) {
                if (conn_may_log(c->agents))
                        log_warn("CROSS-PROTOCOL", "connection=%s address=%s", c->name,
                            c->peer.address);
                arena_free(&arena);
                conn_end(c, false, "speaks HTTP");
                return false;
        }
        conn_execute(c, argv, argc, arena);
        return true;
}

/* Behind a blocked RESERVE: not too much, and QUIT unblocks. */
static void
conn_look_behind(struct conn *c)
{
        const struct resp_limits limits = conn_limits(c);
        size_t n, need;
        const char *in = stream_input(c->stream, &n);
        bool quit = false;
        long used = 1;

        if (n > agents_limits.behind_reserve) {
                conn_refuse(c, "ERR",
                    "Protocol error: too much waits behind a blocked RESERVE; use a "
                    "connection of its own for it");
                conn_end(c, false, "too much behind RESERVE");
                return;
        }
        while (used > 0 && c->scanned < n && !quit) {
                struct arena *a AUTO_ARENA = arena_new();
                struct resp_arg *argv;
                struct err err;
                int argc = 0;

                used = resp_request_parse(in + c->scanned, n - c->scanned, &limits, a,
                    &argv, &argc, &need, &err);
                if (used > 0)
                        c->scanned += (size_t)used;
                quit = used < 0 || (argc > 0 && is_word(&argv[0], "QUIT"));
        }
        if (quit)
                c->call->on_gone(c->call, false);
}

static void
conn_run_again(void *arg)
{
        struct conn *c = arg;

        c->again = false;
        if (!c->closed)
                conn_run(c);
}

void
conn_run(struct conn *c)
{
        bool more = true;

        if (c->running || c->closed || c->again)
                return;
        c->running = true;
        for (unsigned n = 0;
             more && !c->closed && !c->closing && !c->full && c->call == NULL; n++) {
                if (n == agents_limits.stretch) {
                        c->again = true;
                        loop_later(c->agents->desk->loop, conn_run_again, c);
                        break;
                }
                more = conn_next(c);
        }
        c->running = false;
        if (c->closed || c->again)
                return;
        if (c->call != NULL) {
                if (c->call->is_parked && !c->eof)
                        conn_look_behind(c);
        } else if (c->closing && !c->watched)
                conn_end(c, false, "closed by us");
        else if (c->eof && !more && !c->closing)
                conn_after_eof(c);
}

void
conn_call_done(struct conn *c)
{
        c->call = NULL;
        c->scanned = 0;
        if (c->remote != NULL)
                remote_done(c);
        else if (!c->running && !c->closed)
                conn_run(c);
}

static void
conn_on_read(void *arg)
{
        conn_run(arg);
}

void
conn_eof(struct conn *c)
{
        c->eof = true;
        if (c->session != NULL && !LIST_EMPTY(&c->given)) {
                c->session->lost =
                    true; /* his other RESERVEs are not to wait for the end */
                reserve_look_again(c->session);
        }
        if (c->call != NULL && c->call->names_given && c->call->on_gone != NULL)
                c->call->on_gone(c->call, true);
}

static void
conn_on_eof(void *arg)
{
        conn_eof(arg);
        conn_run(arg);
}

static void
conn_on_close(void *arg, const struct err *why)
{
        struct conn *c = arg;

        c->closing = false; /* nothing more can be written */
        conn_end(c, true, why->text);
}

/* ---- the beginning ---- */

static void
conn_anonymous_over(void *arg)
{
        conn_end(arg, false, "no AUTH in time");
}

void
conn_limit(struct conn *c)
{
        const struct agents_limits *l = &agents_limits;

        if (c->stream == NULL)
                return;
        stream_limit_input(
            c->stream, c->me.known ? l->request + INPUT_MORE : l->anonymous + INPUT_MORE);
        if (c->me.known)
                timer_clear(c->timer);
        else
                timer_set(c->timer,
                    c->peer.is_loopback ? l->anonymous_near_ms : l->anonymous_ms);
}

static size_t
host_length(const char *address)
{
        const char *colon = strrchr(address, ':');

        return colon == NULL ? strlen(address) : (size_t)(colon - address);
}

static bool
is_too_many(const struct agents *a, const struct peer *peer)
{
        size_t n = host_length(peer->address);
        unsigned same = 0;
        const struct conn *c = NULL;

        if (a->n_conns >= agents_limits.connections)
                return true;
        TAILQ_FOREACH(c, &a->conns, link)
        same += host_length(c->peer.address) == n &&
                strncmp(c->peer.address, peer->address, n) == 0;
        return same >= agents_limits.per_address;
}

static const struct stream_handlers conn_handlers = {
    .on_read = conn_on_read,
    .on_drain = conn_on_drain,
    .on_eof = conn_on_eof,
    .on_close = conn_on_close,
};

struct conn *
conn_new(struct agents *a, const struct peer *peer)
{
        struct conn *c;

        if (a->stopping || is_too_many(a, peer)) {
                if (!a->stopping && conn_may_log(a))
                        log_warn("REFUSED", "address=%s why=\"too many connections\"",
                            peer->address);
                return NULL;
        }
        c = xcalloc(1, sizeof *c);
        c->agents = a;
        c->peer = *peer;
        c->id = ++a->next_id;
        snprintf(c->name, sizeof c->name, "%s-%" PRIu64, a->boot, c->id);
        c->proto = 2;
        c->since_ms = c->active_ms = clock_now_ms();
        c->last_command = "";
        LIST_INIT(&c->given);
        LIST_INIT(&c->subscriptions);
        TAILQ_INSERT_TAIL(&a->conns, c, link);
        a->n_conns++;
        return c;
}

void
conn_accept(struct agents *a, int fd, const struct peer *peer)
{
        static const char full[] = "-ERR max number of clients reached\r\n";
        struct conn *c = conn_new(a, peer);

        if (c == NULL) {
                (void)!send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
                close(fd);
                return;
        }
        c->stream = stream_new(a->desk->loop, fd, &conn_handlers, c);
        stream_keepalive(c->stream);
        c->timer = timer_new(a->desk->loop, conn_anonymous_over, c);
        auth_peer(c);
        conn_limit(c);
}

struct conn *
conn_find(struct agents *a, const char *name)
{
        struct conn *c = NULL;

        TAILQ_FOREACH(c, &a->conns, link)
        if (strcmp(c->name, name) == 0)
                return c;
        return NULL;
}
