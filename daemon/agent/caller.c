/*
 * Connections without RESP; see caller.h. Everything a command needs of its connection is
 * struct conn; here is what stands in for its stream.
 *
 * Killed at any moment: as any other connection.
 */
#include "daemon/agent/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/base/log.h"

struct remote {
        const struct caller_ops *ops;
        void *arg;
        struct buf out; /* the answer, until its command is done */
};

/* ---- what conn.c and events.c ask ---- */

void
remote_write(struct conn *c, const struct buf *b)
{
        buf_add(&c->remote->out, b->data, b->len);
}

bool
remote_is_gone(const struct conn *c)
{
        return c->remote->ops->is_gone(c->remote->arg);
}

void
remote_event(struct conn *c, const char *seq, const char *json, size_t len)
{
        c->remote->ops->event(c->remote->arg, seq, json, len);
}

void
remote_done(struct conn *c)
{
        struct remote *r = c->remote;
        struct buf answer AUTO_BUF = r->out;

        r->out = (struct buf)BUF_INIT;
        r->ops->answer(r->arg, buf_str(&answer), answer.len);
}

void
remote_ended(struct conn *c, const char *why)
{
        struct remote *r = c->remote;

        c->remote = NULL;
        if (r->ops != NULL)
                r->ops->ended(r->arg, why);
        buf_fini(&r->out);
        free(r);
}

/* ---- life ---- */

void
caller_login(struct agents *a, const char *token, caller_fn fn, void *arg)
{
        auth_token(a, "", token, fn, arg);
}

void
caller_refused(struct agents *a, const char *address, const char *why)
{
        if (conn_may_log(a))
                log_info("REFUSED", "address=%s why=%s", address, log_quote(why));
}

struct conn *
caller_new(struct agents *a, const char *address, const struct identity *id,
    int64_t max_block_ms, const struct caller_ops *ops, void *arg, struct err *err)
{
        struct peer peer = {.uid = (uid_t)-1};
        struct conn *c;

        /* as a stream's, with a port: counted together with those */
        snprintf(peer.address, sizeof peer.address,
            strchr(address, ':') != NULL ? "[%s]:0" : "%s:0", address);
        c = conn_new(a, &peer);
        if (c == NULL) {
                err_code(err, ERR_RETRY, "TRYAGAIN", "max number of clients reached");
                return NULL;
        }
        c->remote = xcalloc(1, sizeof *c->remote);
        c->remote->ops = ops;
        c->remote->arg = arg;
        c->proto = 3;
        c->max_block_ms = max_block_ms;
        snprintf(c->lib_name, sizeof c->lib_name, "http");
        auth_login(c, id);
        return c;
}

void
caller_call(struct conn *c, struct resp_arg *argv, int argc, struct arena *arena)
{
        conn_execute(c, argv, argc, arena);
}

bool
caller_is_busy(const struct conn *c)
{
        return c->call != NULL;
}

void
caller_eof(struct conn *c)
{
        conn_eof(c);
}

void
caller_end(struct conn **pc, bool broke)
{
        struct conn *c = *pc;

        *pc = NULL;
        if (c == NULL)
                return;
        c->remote->ops = NULL;
        conn_end(c, broke, "ended by the client");
}

/* ---- commands and channels ---- */

struct caller_command
caller_look(const struct resp_arg *argv, int argc)
{
        struct caller_command is = {.takes_id = false};
        const struct command *cmd = command_lookup(argv, argc, NULL);

        if (cmd == NULL || (cmd->flags & CMD_RAW))
                return is;
        is.is_bytes = cmd->flags & CMD_BYTES;
        for (const struct arg_spec *s = cmd->args; s != NULL && s->name != NULL; s++) {
                is.takes_id |= s->type == ARG_KEY;
                is.is_raw |= s->flags & ARG_OR_TEXT;
        }
        return is;
}

int
caller_listen(struct conn *c, const char *channel, struct err *err)
{
        if (!channel_is_valid(channel))
                return err_code(err, ERR_REJECT, "BADARG",
                    "channel: expected me, desk, line:NAME or ticket:ID, got '%.100s'",
                    channel);
        if (strncmp(channel, "line:", 5) == 0 &&
            (config_line(c->agents->desk->config, channel + 5) == NULL ||
                !identity_sees_line(c->agents, &c->me, channel + 5)))
                return err_code(err, ERR_NOTFOUND, "NOSUCH", "there is no line '%.100s'",
                    channel + 5);
        if (c->n_subscriptions >= agents_limits.subscriptions)
                return err_code(err, ERR_REJECT, "BADARG",
                    "channel: expected at most %u in all", agents_limits.subscriptions);
        events_listen(c, channel, false);
        return 0;
}

void
caller_listen_none(struct conn *c)
{
        events_forget(c);
}
