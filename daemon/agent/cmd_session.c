/*
 * Logging in, and what client libraries send by themselves when they connect.
 * Answers are those of Redis 7.2, in the shapes libraries have been seen to need:
 * without INFO ioredis never connects, without CLIENT SETNAME redis-py does not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"

/* ---- AUTH, HELLO, RESET ---- */

static void
auth_done(void *arg, const struct err *err, const struct identity *id)
{
        struct call *c = arg;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (c->conn != NULL)
                auth_login(c->conn, id);
        call_ok(c);
}

/* A word with a NUL is no name and no token, whatever stands before the NUL. */
static void
auth_words(struct call *c, const struct resp_arg *agent, const struct resp_arg *token,
    auth_fn fn)
{
        bool whole = strlen(token->s) == token->len &&
                     (agent == NULL || strlen(agent->s) == agent->len);

        auth_token(
            c->agents, agent == NULL ? "" : agent->s, whole ? token->s : "", fn, c);
}

void
cmd_auth(struct call *c)
{
        auth_words(
            c, c->argc == 3 ? &c->argv[1] : NULL, &c->argv[c->argc - 1], auth_done);
}

struct hello { /* call->state */
        int proto;
        const char *name; /* SETNAME, NULL none */
};

static const char *
role_of(const struct identity *id)
{
        return id->is_admin  ? "admin"
               : id->is_lead ? "lead"
               : id->is_bot  ? "bot"
                             : "agent";
}

static void
hello_answer(struct call *c)
{
        struct conn *conn = c->conn;
        const struct hello *h = c->state;
        struct buf b AUTO_BUF = BUF_INIT;

        if (conn == NULL) {
                call_answer(c, NULL);
                return;
        }
        conn->proto = h->proto;
        if (h->name != NULL)
                snprintf(conn->client_name, sizeof conn->client_name, "%s", h->name);
        resp_map(&b, conn->proto, 10);
        resp_bulks(&b, "server");
        resp_bulks(&b, "helpline");
        resp_bulks(&b, "version");
        resp_bulks(&b, REDIS_VERSION);
        resp_bulks(&b, "helpline_version");
        resp_bulks(&b, HELPLINE_VERSION);
        resp_bulks(&b, "proto");
        resp_int(&b, conn->proto);
        resp_bulks(&b, "id");
        resp_int(&b, (int64_t)conn->id);
        resp_bulks(&b, "mode");
        resp_bulks(&b, "standalone");
        resp_bulks(&b, "role");
        resp_bulks(&b, "master");
        resp_bulks(&b, "agent");
        resp_bulks(&b, conn->me.who);
        resp_bulks(&b, "agent_role");
        resp_bulks(&b, role_of(&conn->me));
        resp_bulks(&b, "modules");
        resp_array(&b, 0);
        call_answer(c, &b);
}

static void
hello_authed(void *arg, const struct err *err, const struct identity *id)
{
        struct call *c = arg;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (c->conn != NULL)
                auth_login(c->conn, id);
        hello_answer(c);
}

/* May it be a client's name: printable, without blank? */
static bool
is_client_name(const struct resp_arg *a)
{
        for (size_t i = 0; i < a->len; i++)
                if (a->s[i] < '!' || a->s[i] > '~')
                        return false;
        return a->len <= NAME_MAX_BYTES;
}

static bool
is_option(const struct resp_arg *a, const char *name)
{
        return a->len == strlen(name) && strncasecmp(a->s, name, a->len) == 0;
}

/* AUTH a b, SETNAME n behind the version. Returns the place of AUTH's words, 0
 * none, -1 an error was answered. */
static int
hello_options(struct call *c, struct hello *h)
{
        int auth = 0;

        for (int i = 2; i < c->argc;) {
                if (is_option(&c->argv[i], "AUTH") && i + 2 < c->argc) {
                        auth = i + 1;
                        i += 3;
                } else if (is_option(&c->argv[i], "SETNAME") && i + 1 < c->argc) {
                        if (!is_client_name(&c->argv[i + 1])) {
                                call_error(c, "ERR",
                                    "Client names cannot contain spaces, newlines or "
                                    "special characters.");
                                return -1;
                        }
                        h->name = c->argv[i + 1].s;
                        i += 2;
                } else {
                        call_error(c, "ERR", "Syntax error in HELLO option");
                        return -1;
                }
        }
        return auth;
}

void
cmd_hello(struct call *c)
{
        struct hello *h = arena_alloc(c->arena, sizeof *h);
        int auth;

        h->proto = c->conn->proto;
        c->state = h;
        if (c->argc > 1) {
                if (c->argv[1].len != 1 ||
                    (c->argv[1].s[0] != '2' && c->argv[1].s[0] != '3')) {
                        call_error(c, "NOPROTO", "unsupported protocol version");
                        return;
                }
                h->proto = c->argv[1].s[0] - '0';
        }
        auth = hello_options(c, h);
        if (auth == -1)
                return;
        if (auth > 0)
                auth_words(c, &c->argv[auth], &c->argv[auth + 1], hello_authed);
        else if (!c->conn->me.known)
                call_error(c, "NOAUTH",
                    "HELLO must be called with the client already authenticated, "
                    "otherwise "
                    "the HELLO <proto> AUTH <user> <pass> option can be used to "
                    "authenticate "
                    "the client and select the RESP protocol version at the same time");
        else
                hello_answer(c);
}

void
cmd_reset(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct conn *conn = c->conn;

        events_forget(conn);
        conn->proto = 2;
        conn->client_name[0] = '\0';
        auth_logout(conn);
        auth_peer(conn); /* on the Unix socket one is who one is */
        resp_simple(&b, "RESET");
        call_answer(c, &b);
}

void
cmd_quit(struct call *c)
{
        struct conn *conn = c->conn;

        call_ok(c);
        conn_close_later(conn);
}

/* ---- small ones ---- */

void
cmd_ping(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const struct arg_value *m = call_value(c, "message");

        if (c->proto == 2 && c->conn->n_subscriptions > 0) {
                resp_array(&b, 2);
                resp_bulks(&b, "pong");
                resp_bulk(&b, m == NULL ? "" : m->s, m == NULL ? 0 : m->len);
        } else if (m == NULL)
                resp_simple(&b, "PONG");
        else
                resp_bulk(&b, m->s, m->len);
        call_answer(c, &b);
}

void
cmd_echo(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const struct arg_value *m = call_value(c, "message");

        resp_bulk(&b, m->s, m->len);
        call_answer(c, &b);
}

void
cmd_time(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;
        int64_t now_us = clock_now_us();
        char text[24];

        resp_array(&b, 2);
        snprintf(text, sizeof text, "%" PRId64, now_us / 1000000);
        resp_bulks(&b, text);
        snprintf(text, sizeof text, "%" PRId64, now_us % 1000000);
        resp_bulks(&b, text);
        call_answer(c, &b);
}

void
cmd_role(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_array(&b, 3);
        resp_bulks(&b, "master");
        resp_int(&b, 0);
        resp_array(&b, 0);
        call_answer(c, &b);
}

void
cmd_select(struct call *c)
{
        if (strcmp(call_arg(c, "index"), "0") == 0)
                call_ok(c);
        else
                call_error(c, "ERR", "DB index is out of range");
}

void
cmd_info(struct call *c)
{
        struct buf text AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
        const struct desk *d = c->agents->desk;

        buf_addf(&text,
            "# Server\r\nredis_version:%s\r\nredis_mode:standalone\r\n"
            "helpline_version:%s\r\nuptime_in_seconds:%" PRId64 "\r\n"
            "# Clients\r\nconnected_clients:%u\r\nblocked_clients:%zu\r\n"
            "# Persistence\r\nloading:0\r\n"
            "# Stats\r\ntotal_commands_processed:%" PRIu64 "\r\n"
            "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"
            "# Cluster\r\ncluster_enabled:0\r\n",
            REDIS_VERSION, HELPLINE_VERSION,
            (clock_now_us() - d->started_at_us) / 1000000, c->agents->n_conns,
            d->dispatch == NULL ? 0 : dispatch_parked(d->dispatch),
            c->agents->n_commands);
        resp_verbatim(&b, c->proto, text.data, text.len);
        call_answer(c, &b);
}

void
cmd_config_get(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_map(&b, c->proto, 0);
        call_answer(c, &b);
}

void
cmd_cluster(struct call *c)
{
        call_error(c, "ERR", "This instance has cluster support disabled");
}

void
cmd_no_transactions(struct call *c)
{
        call_error(c, "ERR",
            "helpline has no transactions: turn them off in your client, as in "
            "pipeline(transaction=False) of redis-py");
}

/* ---- COMMAND, X HELP ---- */

void
cmd_command(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        command_info_all(&b, c->proto);
        call_answer(c, &b);
}

void
cmd_command_count(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_int(&b, (int64_t)command_count());
        call_answer(c, &b);
}

void
cmd_command_list(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        command_list(&b);
        call_answer(c, &b);
}

void
cmd_command_info(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        command_info_some(&b, c->proto, c->argv + 2, c->argc - 2);
        call_answer(c, &b);
}

void
cmd_command_docs(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        command_docs(&b, c->proto, c->argv + 2, c->argc - 2);
        call_answer(c, &b);
}

void
cmd_help(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char container[32];

        snprintf(container, sizeof container, "%.*s", (int)strcspn(c->command->name, " "),
            c->command->name);
        command_help(container, &b);
        call_answer(c, &b);
}

/* ---- CLIENT ---- */

void
cmd_client_id(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_int(&b, (int64_t)c->conn->id);
        call_answer(c, &b);
}

static void
client_line(const struct conn *c, struct buf *out)
{
        unsigned n_patterns = 0;
        const struct subscription *s = NULL;
        char cmd[32] = "NULL";

        LIST_FOREACH(s, &c->subscriptions, link)
        n_patterns += s->is_pattern;
        for (size_t i = 0; i < sizeof cmd - 1 && c->last_command[i] != '\0'; i++) {
                char ch = c->last_command[i];

                cmd[i] = (char)(ch == ' ' ? '|' : ch >= 'A' && ch <= 'Z' ? ch + 32 : ch);
                cmd[i + 1] = '\0';
        }
        buf_addf(out,
            "id=%" PRIu64 " addr=%s name=%s age=%" PRId64 " idle=%" PRId64
            " flags=%s db=0 sub=%u psub=%u multi=-1 cmd=%s user=%s lib-name=%s "
            "lib-ver=%s "
            "resp=%d\n",
            c->id, c->peer.address, c->client_name, (clock_now_ms() - c->since_ms) / 1000,
            (clock_now_ms() - c->active_ms) / 1000,
            c->call != NULL && c->call->is_parked ? "b"
            : c->n_subscriptions > 0              ? "P"
                                                  : "N",
            c->n_subscriptions - n_patterns, n_patterns, cmd, c->me.who, c->lib_name,
            c->lib_ver, c->proto);
}

void
cmd_client_info(struct call *c)
{
        struct buf text AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;

        client_line(c->conn, &text);
        resp_verbatim(&b, c->proto, text.data, text.len);
        call_answer(c, &b);
}

void
cmd_client_list(struct call *c)
{
        struct buf text AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
        const struct conn *other = NULL;

        TAILQ_FOREACH(other, &c->agents->conns, link)
        if (c->me.is_admin || strcmp(other->me.who, c->me.who) == 0)
                client_line(other, &text);
        resp_verbatim(&b, c->proto, buf_str(&text), text.len);
        call_answer(c, &b);
}

void
cmd_client_getname(struct call *c)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (c->conn->client_name[0] == '\0')
                resp_null(&b, c->proto);
        else
                resp_bulks(&b, c->conn->client_name);
        call_answer(c, &b);
}

void
cmd_client_setname(struct call *c)
{
        if (!is_client_name(&c->argv[2])) {
                call_error(c, "ERR",
                    "Client names cannot contain spaces, newlines or special "
                    "characters.");
                return;
        }
        snprintf(c->conn->client_name, sizeof c->conn->client_name, "%s", c->argv[2].s);
        call_ok(c);
}

void
cmd_client_setinfo(struct call *c)
{
        bool name = is_option(&c->argv[2], "LIB-NAME");

        if (!name && !is_option(&c->argv[2], "LIB-VER")) {
                call_error(c, "ERR", "Unrecognized option '%.40s'", c->argv[2].s);
                return;
        }
        if (!is_client_name(&c->argv[3])) {
                call_error(c, "ERR",
                    "%s cannot contain spaces, newlines or special characters.",
                    name ? "lib-name" : "lib-ver");
                return;
        }
        snprintf(name ? c->conn->lib_name : c->conn->lib_ver, NAME_MAX_BYTES + 1, "%s",
            c->argv[3].s);
        call_ok(c);
}
