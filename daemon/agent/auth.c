/*
 * Who is there: tokens and Unix login.
 *
 * A token is hl_<id>_<secret>: the id finds it in the store, the SHA-256 of the
 * whole proves it (256 random bits: nothing to guess, so no lock-out, no salt).
 * It is never logged and never kept.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"

#define ID_BYTES 5 /* 8 characters of base32 */
#define SECRET_BYTES 32 /* 43 characters of base64url */
#define SECRET_CHARS 43
#define USED_EVERY_MS 60000

bool
auth_identity(struct agents *a, const char *agent, const char *token, struct identity *id)
{
        const struct agent_options *o = config_agent(a->desk->config, agent);

        memset(id, 0, sizeof *id);
        if (o == NULL || strlen(o->name) > NAME_MAX_BYTES)
                return false;
        id->known = true;
        id->is_admin = o->role == ROLE_ADMIN;
        id->is_lead = o->role == ROLE_ADMIN || o->role == ROLE_LEAD;
        id->is_bot = o->role == ROLE_BOT;
        snprintf(id->agent, sizeof id->agent, "%s", o->name);
        snprintf(id->who, sizeof id->who, "%s", o->name);
        snprintf(id->token, sizeof id->token, "%s", token);
        return true;
}

void
auth_logout(struct conn *c)
{
        session_leave(c, false);
        memset(&c->me, 0, sizeof c->me);
        conn_limit(c);
}

void
auth_login(struct conn *c, const struct identity *id)
{
        if (c->session != NULL && strcmp(c->me.agent, id->agent) != 0)
                session_leave(c, false);
        c->me = *id;
        if (c->session == NULL && id->agent[0] != '\0')
                session_join(c);
        conn_limit(c);
        log_info("LOGIN", "who=%s connection=%s address=%s", log_quote(id->who), c->name,
            c->peer.address);
}

/* The user's name on this machine, or its number. */
static void
user_name(uid_t uid, char out[NAME_MAX_BYTES + 1])
{
        struct passwd pw, *found = NULL;
        char room[2048];

        if (getpwuid_r(uid, &pw, room, sizeof room, &found) == 0 && found != NULL)
                snprintf(out, NAME_MAX_BYTES + 1, "%s", pw.pw_name);
        else
                snprintf(out, NAME_MAX_BYTES + 1, "%u", (unsigned)uid);
}

bool
auth_peer(struct conn *c)
{
        const struct agent_options *o;
        struct identity id = {.known = false};
        char name[NAME_MAX_BYTES + 1];
        bool own = c->peer.uid == 0 || c->peer.uid == geteuid();

        if (!c->peer.is_unix || c->peer.uid == (uid_t)-1)
                return false;
        user_name(c->peer.uid, name);
        o = config_agent_by_login(c->agents->desk->config, name);
        if (o != NULL)
                auth_identity(c->agents, o->name, "", &id);
        else if (own)
                snprintf(id.who, sizeof id.who, "unix:%s", name);
        if (o == NULL && !own)
                return false;
        id.known = true;
        id.is_admin = id.is_admin || own;
        id.is_lead = id.is_lead || own;
        auth_login(c, &id);
        return true;
}

/* ---- tokens ---- */

struct auth_check {
        struct agents *agents;
        auth_fn fn;
        void *arg;
        char agent[NAME_MAX_BYTES + 1]; /* whom he says he is, "" whoever */
        char sha256[65];
};

static void
auth_wrong(auth_fn fn, void *arg)
{
        struct err err;

        err_code(&err, ERR_REJECT, "WRONGPASS",
            "invalid token, or one that was dropped; helpline agent token NAME makes a "
            "new "
            "one");
        fn(arg, &err, NULL);
}

static void
auth_on_token(void *arg, const struct err *err, const struct token *t, size_t n)
{
        struct auth_check *k = arg;
        struct identity id;

        if (err->kind != ERR_NONE && err->kind != ERR_NOTFOUND)
                k->fn(k->arg, err, NULL);
        else if (err->kind == ERR_NOTFOUND || n == 0 || strlen(t->sha256) != 64 ||
                 !equal_constant_time(t->sha256, k->sha256, 64) ||
                 (k->agent[0] != '\0' && strcmp(k->agent, t->agent) != 0) ||
                 !auth_identity(k->agents, t->agent, t->id, &id))
                auth_wrong(k->fn, k->arg);
        else {
                if (clock_now_ms() - t->used_ms > USED_EVERY_MS)
                        store_token_used(k->agents->desk->store, t->id);
                k->fn(k->arg, err, &id);
        }
        free(k);
}

void
auth_token(struct agents *a, const char *agent, const char *token, auth_fn fn, void *arg)
{
        struct auth_check *k;
        const char *end;
        char id[24];

        end = strncmp(token, "hl_", 3) == 0 ? strchr(token + 3, '_') : NULL;
        if (end == NULL || end - (token + 3) >= (long)sizeof id || end == token + 3 ||
            strlen(end + 1) != SECRET_CHARS || strlen(agent) > NAME_MAX_BYTES) {
                auth_wrong(fn, arg);
                return;
        }
        snprintf(id, sizeof id, "%.*s", (int)(end - (token + 3)), token + 3);
        k = xcalloc(1, sizeof *k);
        k->agents = a;
        k->fn = fn;
        k->arg = arg;
        if (strcmp(agent, "default") != 0)
                snprintf(k->agent, sizeof k->agent, "%s", agent);
        sha256_hex(token, strlen(token), k->sha256);
        store_token_find(a->desk->store, id, auth_on_token, k);
}

void
agents_token_new(struct desk *d, const char *agent, const char *name, char out[80],
    store_done_fn fn, void *arg)
{
        uint8_t bytes[SECRET_BYTES];
        char id[16], secret[48], sha256[65];
        struct token t = {.id = id, .agent = agent, .sha256 = sha256, .name = name};

        random_bytes(bytes, ID_BYTES);
        base32_format(bytes, ID_BYTES, id);
        random_bytes(bytes, sizeof bytes);
        base64url_format(bytes, sizeof bytes, secret);
        snprintf(out, 80, "hl_%s_%s", id, secret);
        sha256_hex(out, strlen(out), sha256);
        t.created_ms = clock_now_ms();
        store_token_new(d->store, &t, fn, arg);
        memset(bytes, 0, sizeof bytes);
        memset(secret, 0, sizeof secret);
}

void
auth_token_dropped(struct agents *a, const char *id)
{
        struct conn *c, *next;

        for (c = TAILQ_FIRST(&a->conns); c != NULL; c = next) {
                next = TAILQ_NEXT(c, link);
                if (strcmp(c->me.token, id) != 0 || id[0] == '\0')
                        continue;
                c->closing = true; /* what it was told before may leave */
                conn_end(c, true, "its token was dropped");
        }
}
