/*
 * What the errors of Redis mean to us: a table from the first word of an error to
 * what the caller may do and what the administrator is told. Pure.
 */
#include "queue/redis_conn.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

struct redis_error {
        const char *code; /* first word of the error */
        enum err_kind kind; /* what the caller may do */
        const char *text; /* what is the matter, and what to do about it */
};

static const struct redis_error redis_errors[] = {
    {"LOADING", ERR_RETRY, "Redis is still loading its data: wait"},
    {"READONLY", ERR_RETRY,
        "this Redis is a replica and takes no writes: point `store` at the master"},
    {"MASTERDOWN", ERR_RETRY,
        "this Redis is a replica that has lost its master: bring the master back or "
        "point "
        "`store` at the new one"},
    {"OOM", ERR_RETRY,
        "Redis is out of memory (maxmemory): give it more, or close and archive tickets"},
    {"MISCONF", ERR_RETRY,
        "Redis cannot write to its disk and refuses changes: free space, see Redis's "
        "log"},
    {"BUSY", ERR_RETRY,
        "Redis is busy with a long script of another program: wait, or SCRIPT KILL"},
    {"NOSCRIPT", ERR_RETRY, "Redis has lost our script: it is loaded again"},
    {"NOREPLICAS", ERR_RETRY,
        "Redis has too few replicas to take a write: bring them back or lower "
        "min-replicas-to-write"},
    {"CLUSTERDOWN", ERR_RETRY, "the Redis Cluster is down: see CLUSTER INFO"},
    {"MOVED", ERR_CONFIG,
        "this node of the Redis Cluster does not hold the desk's slot: point `store` at "
        "the "
        "one that does"},
    {"ASK", ERR_RETRY,
        "the desk's slot is being moved to another node: wait until it is there"},
    {"CROSSSLOT", ERR_REJECT,
        "keys of one script lie in several slots of the Redis Cluster"},
    {"TRYAGAIN", ERR_RETRY, "the desk's slot is being moved to another node: wait"},
    {"UNBLOCKED", ERR_RETRY,
        "Redis has become a replica and has let go of its waiting clients"},
    {"NOPERM", ERR_CONFIG,
        "the user of `store` may not do this on Redis: give him all commands and keys "
        "(ACL)"},
    {"NOAUTH", ERR_CONFIG, "Redis wants a password: set `password` of `store`"},
    {"WRONGPASS", ERR_CONFIG, "Redis refuses the password of `store`: correct it"},
    {"WRONGTYPE", ERR_REJECT,
        "a key of ours holds something else: does another program write to this Redis? "
        "See "
        "`helpline fsck`"},
};

static const struct redis_error *
redis_error_find(const char *word, size_t len)
{
        for (size_t i = 0; i < sizeof redis_errors / sizeof *redis_errors; i++)
                if (strlen(redis_errors[i].code) == len &&
                    memcmp(redis_errors[i].code, word, len) == 0)
                        return &redis_errors[i];
        return NULL;
}

/* Redis 6: "ERR Error running script (call to f_...): @user_script:1: -OOM command ..." */
static const struct redis_error *
redis_error_find_inside(const char *text)
{
        const struct redis_error *e;

        for (const char *p = strstr(text, ": "); p != NULL; p = strstr(p, ": ")) {
                p += 2;
                if (*p == '-')
                        p++;
                if ((e = redis_error_find(p, strcspn(p, " "))) != NULL)
                        return e;
        }
        return NULL;
}

enum err_kind
redis_error_kind(const struct redisReply *reply, struct err *err)
{
        const struct redis_error *e;
        char code[16];
        size_t len;

        if (reply == NULL || reply->type != REDIS_REPLY_ERROR) {
                if (err != NULL)
                        memset(err, 0, sizeof *err);
                return ERR_NONE;
        }
        len = strcspn(reply->str, " ");
        e = redis_error_find(reply->str, len);
        if (e == NULL && len == 3 && memcmp(reply->str, "ERR", 3) == 0)
                e = redis_error_find_inside(reply->str);
        if (e != NULL) {
                err_code(err, e->kind, e->code, "%s", e->text);
                return e->kind;
        }
        snprintf(code, sizeof code, "%.*s",
            (int)(len < sizeof code ? len : sizeof code - 1), reply->str);
        err_code(err, ERR_REJECT, code, "Redis refuses: %.300s", reply->str);
        return ERR_REJECT;
}

bool
redis_error_is(const struct redisReply *reply, const char *code)
{
        struct err err;

        return redis_error_kind(reply, &err) != ERR_NONE && strcmp(err.code, code) == 0;
}
