/*
 * One look at all keys of the desk: SCAN finds them, each kind goes in batches to the
 * part of fsck.lua that knows it.
 *
 * What is written while SCAN runs may be seen or not, and is right by itself, since each
 * script looks at one moment. Sums come last and are of one moment too.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/blob.h"
#include "queue/fsck_impl.h"
#include "queue/keys.h"
#include "queue/redis_conn.h"

#include "fsck_lua.h"

enum { BATCH = 100, PAGE = 500, MESSAGE_PAGE = 20 };

/* What kind of key, by what comes behind the prefix. */
enum look {
        LOOK_NOT, /* nothing to compare (or compared with others) */
        LOOK_MEMBERS, /* an index whose members need a reason */
        LOOK_EACH, /* the name behind the colon goes to `job` */
        LOOK_REFERENCE, /* the whole key goes to job `reference` */
};

static const struct kind {
        const char *prefix; /* a whole key, or ends in ':' */
        enum look look;
        const char *job; /* EACH: part of fsck.lua */
} kinds[] = {
    {"meta", LOOK_NOT, NULL},
    {"head", LOOK_NOT, NULL},
    {"class", LOOK_NOT, NULL},
    {"cref", LOOK_NOT, NULL},
    {"cal", LOOK_NOT, NULL},
    {"calref", LOOK_NOT, NULL},
    {"n", LOOK_NOT, NULL},
    {"hints", LOOK_NOT, NULL},
    {"journal", LOOK_NOT, NULL},
    {"rate:", LOOK_NOT, NULL},
    {"tagged:", LOOK_NOT, NULL},
    {"told:", LOOK_NOT, NULL},
    {"idem:", LOOK_NOT, NULL},
    {"cur:", LOOK_NOT, NULL},
    {"open", LOOK_MEMBERS, NULL},
    {"closed", LOOK_MEMBERS, NULL},
    {"due", LOOK_MEMBERS, NULL},
    {"clock", LOOK_MEMBERS, NULL},
    {"obdue", LOOK_MEMBERS, NULL},
    {"dead", LOOK_MEMBERS, NULL},
    {"quarantine", LOOK_MEMBERS, NULL},
    {"toks", LOOK_MEMBERS, NULL},
    {"toks:", LOOK_MEMBERS, NULL},
    {"q:", LOOK_MEMBERS, "class"},
    {"own:", LOOK_MEMBERS, "agent"},
    {"held:", LOOK_MEMBERS, "agent"},
    {"asked:", LOOK_MEMBERS, NULL},
    {"skip:", LOOK_EACH, "agent"},
    {"a:", LOOK_EACH, "agent"},
    {"ob:", LOOK_EACH, "entry"},
    {"quar:", LOOK_EACH, "quarantined"},
    {"tok:", LOOK_EACH, "token"},
    {"addr:", LOOK_REFERENCE, NULL},
    {"mid:", LOOK_REFERENCE, NULL},
    {"seen:", LOOK_REFERENCE, NULL},
};

struct names { /* a growing list */
        const char **s;
        size_t n;
};

struct walk {
        struct fsck *f;
        struct names keys; /* all, without the prefix, sorted, once each */
};

static void
names_add(struct fsck *f, struct names *list, const char *s)
{
        list->s = arena_grow(f->a, list->s, list->n, sizeof *list->s);
        list->s[list->n++] = s;
}

static int
name_compare(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
names_sort(struct names *list)
{
        size_t n = 0;

        if (list->n == 0)
                return;
        qsort(list->s, list->n, sizeof *list->s, name_compare);
        for (size_t i = 0; i < list->n; i++)
                if (n == 0 || strcmp(list->s[n - 1], list->s[i]) != 0)
                        list->s[n++] = list->s[i];
        list->n = n;
}

/* ---- talking ---- */

void
fsck_line(struct fsck *f, const char *fmt, ...)
{
        va_list ap;

        f->lines = arena_grow(f->a, f->lines, f->n_lines, sizeof *f->lines);
        va_start(ap, fmt);
        f->lines[f->n_lines++] = arena_vprintf(f->a, fmt, ap);
        va_end(ap);
}

redisReply *
fsck_ask(struct fsck *f, int argc, const char **argv, const size_t *lens)
{
        redisReply *r = redisCommandArgv(f->redis, argc, argv, lens);

        if (r == NULL) {
                err_set(&f->err, ERR_RETRY, "the store is gone: %s", f->redis->errstr);
                return NULL;
        }
        if (redis_error_kind(r, &f->err) != ERR_NONE) {
                freeReplyObject(r);
                return NULL;
        }
        return r;
}

static int
walk_load_script(struct fsck *f)
{
        const char *argv[] = {"SCRIPT", "LOAD", (const char *)fsck_lua};
        size_t lens[] = {6, 4, sizeof fsck_lua - 1};
        redisReply *r = fsck_ask(f, 3, argv, lens);

        if (r == NULL)
                return -1;
        snprintf(
            f->sha, sizeof f->sha, "%s", r->type == REDIS_REPLY_STRING ? r->str : "");
        freeReplyObject(r);
        return 0;
}

/* One call of fsck.lua; its lines are differences. */
static int
walk_call(struct fsck *f, const char *job, const char *key, const char **args, size_t n)
{
        const char *argv[PAGE + 8];
        redisReply *r;
        int argc = 0;

        argv[argc++] = "EVALSHA";
        argv[argc++] = f->sha;
        argv[argc++] = "1";
        argv[argc++] = KEY_PREFIX;
        argv[argc++] = job;
        argv[argc++] = f->fix ? "1" : "0";
        if (key != NULL)
                argv[argc++] = key;
        for (size_t i = 0; i < n; i++)
                argv[argc++] = args[i];
        r = fsck_ask(f, argc, argv, NULL);
        if (r == NULL)
                return -1;
        for (size_t i = 0; i < r->elements; i++)
                fsck_line(f, "%s", r->element[i]->str != NULL ? r->element[i]->str : "?");
        freeReplyObject(r);
        return 0;
}

static int
walk_each(struct fsck *f, const char *job, struct names *list)
{
        names_sort(list);
        for (size_t i = 0; i < list->n; i += BATCH)
                if (walk_call(f, job, NULL, list->s + i,
                        list->n - i < BATCH ? list->n - i : BATCH) == -1)
                        return -1;
        return 0;
}

/* ---- finding ---- */

static int
walk_scan(struct walk *w)
{
        const char *cursor = "0";
        struct fsck *f = w->f;

        do {
                const char *argv[] = {
                    "SCAN", cursor, "MATCH", KEY_PREFIX "*", "COUNT", "1000"};
                redisReply *r = fsck_ask(f, 6, argv, NULL);

                if (r == NULL)
                        return -1;
                if (r->elements != 2) {
                        freeReplyObject(r);
                        return err_set(
                            &f->err, ERR_CONFIG, "the store does not know SCAN");
                }
                cursor = arena_strdup(f->a, r->element[0]->str);
                for (size_t i = 0; i < r->element[1]->elements; i++)
                        names_add(f, &w->keys,
                            arena_strdup(f->a,
                                r->element[1]->element[i]->str + strlen(KEY_PREFIX)));
                freeReplyObject(r);
        } while (strcmp(cursor, "0") != 0);
        names_sort(&w->keys);
        return 0;
}

static const struct kind *
kind_of(const char *key)
{
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
                size_t n = strlen(kinds[i].prefix);

                if (kinds[i].prefix[n - 1] == ':' ? strncmp(key, kinds[i].prefix, n) == 0
                                                  : strcmp(key, kinds[i].prefix) == 0)
                        return &kinds[i];
        }
        return NULL;
}

static bool
key_is_set(const char *key)
{
        return strncmp(key, "held:", 5) == 0 || strncmp(key, "toks", 4) == 0;
}

/* ---- indexes ---- */

static int
walk_members_page(struct walk *w, const char *key, size_t from, size_t *n)
{
        struct fsck *f = w->f;
        char first[24], last[24];
        const char *full = arena_printf(f->a, KEY_PREFIX "%s", key), *args[PAGE];
        const char *of_set[] = {"SMEMBERS", full},
                   *of_zset[] = {"ZRANGE", full, first, last};
        redisReply *r;
        int rc = 0;

        snprintf(first, sizeof first, "%zu", from);
        snprintf(last, sizeof last, "%zu", from + PAGE - 1);
        r = key_is_set(key) ? fsck_ask(f, 2, of_set, NULL)
                            : fsck_ask(f, 4, of_zset, NULL);
        if (r == NULL && strcmp(f->err.code, "WRONGTYPE") == 0) {
                fsck_line(f, "%s is of another type", key);
                *n = 0;
                return 0;
        }
        if (r == NULL)
                return -1;
        *n = key_is_set(key) ? 0 : r->elements;
        for (size_t i = 0; rc == 0 && i < r->elements; i += PAGE) {
                size_t k = 0;

                for (; k < PAGE && i + k < r->elements; k++)
                        args[k] = r->element[i + k]->str;
                rc = walk_call(f, "members", key, args, k);
        }
        freeReplyObject(r);
        return rc;
}

static int
walk_members(struct walk *w, const char *key)
{
        size_t from = 0, n;

        do {
                if (walk_members_page(w, key, from, &n) == -1)
                        return -1;
                from += n;
        } while (n == PAGE);
        return 0;
}

/* ---- messages ---- */

static void
walk_message(struct fsck *f, const char *who, const redisReply *doc)
{
        struct message *m = NULL;
        struct err err;

        if (doc->type != REDIS_REPLY_STRING ||
            message_parse(doc->str, doc->len, &m, &err) == -1) {
                fsck_line(f, "%s cannot be read: %s", who,
                    doc->type == REDIS_REPLY_STRING ? err.text : "no text");
                return;
        }
        fsck_raw_add(f, &m->raw, who);
        message_free(&m);
}

/* All messages of a ticket: the raw bytes they name. */
static int
walk_messages(struct fsck *f, const char *key)
{
        const char *full = arena_printf(f->a, KEY_PREFIX "%s", key);
        int id_len = (int)(strlen(key) - strlen(KEY_TICKET_MESSAGES));
        size_t from = 0, n;

        do {
                char first[24], last[24];
                const char *argv[] = {"LRANGE", full, first, last};
                redisReply *r;

                snprintf(first, sizeof first, "%zu", from);
                snprintf(last, sizeof last, "%zu", from + MESSAGE_PAGE - 1);
                r = fsck_ask(f, 4, argv, NULL);
                if (r == NULL && strcmp(f->err.code, "WRONGTYPE") == 0) {
                        fsck_line(f, "%s is of another type", key);
                        return 0;
                }
                if (r == NULL)
                        return -1;
                n = r->elements;
                for (size_t i = 0; i < n; i++)
                        walk_message(f,
                            arena_printf(f->a, "%.*s.%zu", id_len, key, from + i + 1),
                            r->element[i]);
                freeReplyObject(r);
                from += n;
        } while (n == MESSAGE_PAGE);
        return 0;
}

static int
walk_quarantined(struct fsck *f, const char *id)
{
        const char *argv[] = {
            "HGET", arena_printf(f->a, KEY_QUARANTINED "%s", id), "raw"};
        redisReply *r = fsck_ask(f, 3, argv, NULL);
        struct blob_ref ref;

        if (r == NULL)
                return -1;
        if (r->type == REDIS_REPLY_STRING && !blob_ref_parse(r->str, &ref))
                fsck_line(f, "quar:%s raw cannot be read", id);
        else if (r->type == REDIS_REPLY_STRING)
                fsck_raw_add(f, &ref, arena_printf(f->a, "quar:%s", id));
        freeReplyObject(r);
        return 0;
}

/* ---- all of it ---- */

/* t:<id> and its parts. */
static int
walk_tickets(struct walk *w)
{
        struct names tickets = {0}, parts = {0};
        struct fsck *f = w->f;

        for (size_t i = 0; i < w->keys.n; i++) {
                const char *key = w->keys.s[i], *end = key + 2;

                if (strncmp(key, "t:", 2) != 0)
                        continue;
                while (isdigit((unsigned char)*end))
                        end++;
                if (*end == '\0')
                        names_add(f, &tickets, key + 2);
                else
                        names_add(f, &parts, key);
                if (strcmp(end, KEY_TICKET_MESSAGES) == 0 && walk_messages(f, key) == -1)
                        return -1;
        }
        f->n_tickets = tickets.n;
        return walk_each(f, "ticket", &tickets) == -1 ||
                       walk_each(f, "part", &parts) == -1
                   ? -1
                   : 0;
}

static int
walk_indexes(struct walk *w)
{
        for (size_t i = 0; i < w->keys.n; i++) {
                const struct kind *k = kind_of(w->keys.s[i]);

                if (k != NULL && k->look == LOOK_MEMBERS &&
                    walk_members(w, w->keys.s[i]) == -1)
                        return -1;
        }
        return 0;
}

/* Customers have hash and zset behind one prefix. */
static bool
key_is_customer(const char *key)
{
        return strncmp(key, "cust:", 5) == 0;
}

static int
walk_customers(struct walk *w)
{
        struct names list = {0};

        for (size_t i = 0; i < w->keys.n; i++) {
                const char *key = w->keys.s[i];
                size_t n = strlen(key);

                if (!key_is_customer(key))
                        continue;
                if (n <= 7 || strcmp(key + n - 2, KEY_CUSTOMER_TICKETS) != 0)
                        names_add(w->f, &list, key + 5);
                else if (walk_members(w, key) == -1)
                        return -1;
        }
        return walk_each(w->f, "customer", &list);
}

/* The names a job is to look at, from all kinds that have that job. */
static int
walk_job(struct walk *w, const char *job)
{
        struct names list = {0};

        for (size_t i = 0; i < w->keys.n; i++) {
                const struct kind *k = kind_of(w->keys.s[i]);
                const char *name = w->keys.s[i];

                if (k == NULL || k->job == NULL || strcmp(k->job, job) != 0)
                        continue;
                name += strlen(k->prefix);
                names_add(w->f, &list, name);
                if (strcmp(job, "quarantined") == 0 && walk_quarantined(w->f, name) == -1)
                        return -1;
        }
        return walk_each(w->f, job, &list);
}

static int
walk_references(struct walk *w)
{
        struct names list = {0};

        for (size_t i = 0; i < w->keys.n; i++) {
                const struct kind *k = kind_of(w->keys.s[i]);

                if (k != NULL && k->look == LOOK_REFERENCE)
                        names_add(w->f, &list, w->keys.s[i]);
        }
        return walk_each(w->f, "reference", &list);
}

/* Classes that have a head, whether or not they have a queue. */
static int
walk_heads(struct walk *w)
{
        const char *argv[] = {"HKEYS", KEY_HEAD};
        redisReply *r = fsck_ask(w->f, 2, argv, NULL);
        struct names list = {0};

        if (r == NULL)
                return -1;
        for (size_t i = 0; i < r->elements; i++)
                if (strcmp(r->element[i]->str, HEAD_WIDE) != 0)
                        names_add(w->f, &list, arena_strdup(w->f->a, r->element[i]->str));
        freeReplyObject(r);
        for (size_t i = 0; i < w->keys.n; i++)
                if (strncmp(w->keys.s[i], "q:", 2) == 0)
                        names_add(w->f, &list, w->keys.s[i] + 2);
        return walk_each(w->f, "class", &list);
}

static void
walk_unknown(struct walk *w)
{
        for (size_t i = 0; i < w->keys.n; i++)
                if (kind_of(w->keys.s[i]) == NULL &&
                    strncmp(w->keys.s[i], "t:", 2) != 0 && !key_is_customer(w->keys.s[i]))
                        fsck_line(w->f, "%s is no key of ours", w->keys.s[i]);
}

/* Tickets first, for their repairs make members that the rest then counts. */
int
fsck_walk(struct fsck *f)
{
        static const char *const jobs[] = {"entry", "quarantined", "token", "agent"};
        struct walk w = {.f = f};

        if (walk_load_script(f) == -1 || walk_scan(&w) == -1 || walk_tickets(&w) == -1 ||
            walk_indexes(&w) == -1 || walk_customers(&w) == -1)
                return -1;
        for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
                if (walk_job(&w, jobs[i]) == -1)
                        return -1;
        walk_unknown(&w);
        if (walk_heads(&w) == -1 || walk_references(&w) == -1)
                return -1;
        return walk_call(f, "sums", NULL, NULL, 0);
}
