/*
 * fsck: reaching the store, looking, looking again, the report.
 *
 * Whoever holds the lock of the state directory is alone; if nobody does, we take
 * it (and start the embedded redis-server). If a daemon has it, we look beside
 * him: each script of fsck.lua sees one moment, and what two looks one second apart
 * agree on is no passing thing.
 *
 * Killed at any point: a repair is one script and so whole or not done; the next
 * look finds the rest.
 */
#include "queue/fsck.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/loop.h"
#include "daemon/base/stream.h"
#include "queue/fsck_impl.h"
#include "queue/keys.h"
#include "queue/redis_child.h"
#include "queue/redis_conn.h"
#include "queue/redis_where.h"

enum {
        REACH_MS = 10000, /* a daemon that starts or ends: wait so long */
        LOAD_MS = 300000, /* Redis may load so long */
        CONNECT_MS = 2000,
        ANSWER_S = 60,
        STOP_MS = 10000,
        TRIES = 3, /* when the store goes away in the middle */
};

struct reach { /* how the store is reached */
        const struct fsck_options *o;
        struct arena *a;
        struct redis_where where;
        int lock_fd; /* -1: a daemon has it */
        struct loop *loop; /* of the child; NULL without */
        struct redis_child *child; /* ours, NULL: somebody else's or none */
        bool is_stopped; /* the child has ended */
        struct err fatal; /* why the child cannot run */
        redisContext *redis;
};

/* ---- one command ---- */

/* PING, and SELECT and AUTH before: 1 let in, 0 loading, -1 no. */
static int
reach_log_in(struct reach *r, struct err *err)
{
        const char *password =
            r->o->password[0] != '\0' ? r->o->password : r->where.password;
        redisReply *reply = NULL;
        enum err_kind kind;

        if (password[0] != '\0' &&
            (reply = redisCommand(r->redis, "AUTH %s", password)) != NULL)
                freeReplyObject(reply);
        if (r->where.db != 0 &&
            (reply = redisCommand(r->redis, "SELECT %u", r->where.db)) != NULL)
                freeReplyObject(reply);
        reply = redisCommand(r->redis, "PING");
        if (reply == NULL)
                return err_set(
                    err, ERR_RETRY, "the store does not answer: %s", r->redis->errstr);
        kind = redis_error_kind(reply, err);
        freeReplyObject(reply);
        return kind == ERR_NONE ? 1 : kind == ERR_RETRY ? 0 : -1;
}

static void
reach_hang_up(struct reach *r)
{
        if (r->redis != NULL)
                redisFree(r->redis);
        r->redis = NULL;
}

/* 1 connected, 0 it loads: ask again, -1 nobody there or no entry. */
static int
reach_connect(struct reach *r, struct err *err)
{
        const char *address = r->where.is_embedded
                                  ? arena_printf(r->a, "unix:%s/r.sock", r->o->state_dir)
                                  : r->where.address;
        int fd = stream_connect_blocking(address, CONNECT_MS, err), rc;

        if (fd == -1)
                return -1;
        r->redis = redisConnectFd(fd);
        if (r->redis == NULL) {
                close(fd);
                return err_set(err, ERR_RETRY, "out of memory");
        }
        redisSetTimeout(r->redis, (struct timeval){.tv_sec = ANSWER_S});
        rc = reach_log_in(r, err);
        if (rc != 1)
                reach_hang_up(r);
        return rc;
}

/* ---- the child ---- */

static void
reach_on_fatal(void *arg, const struct err *why)
{
        ((struct reach *)arg)->fatal = *why;
}

static void
reach_on_stopped(void *arg)
{
        ((struct reach *)arg)->is_stopped = true;
}

static const struct redis_child_handlers reach_child_handlers = {
    .on_fatal = reach_on_fatal};

static void
reach_wait(struct reach *r, int64_t ms)
{
        if (r->loop != NULL)
                loop_turn(r->loop, ms);
        else
                usleep((useconds_t)ms * 1000);
}

static void
reach_start_child(struct reach *r)
{
        r->loop = loop_new();
        r->child = redis_child_new(
            r->loop, r->o->state_dir, r->lock_fd, &reach_child_handlers, r);
        redis_child_start(r->child);
}

static void
reach_end(struct reach *r)
{
        int64_t end_us = clock_read_mono_us() + (STOP_MS + 2000) * (int64_t)1000;

        reach_hang_up(r);
        if (r->child != NULL) {
                redis_child_stop(r->child, STOP_MS, reach_on_stopped, r);
                while (!r->is_stopped && clock_read_mono_us() < end_us)
                        loop_turn(r->loop, 100);
                redis_child_free(&r->child);
                loop_turn(r->loop, 0);
        }
        if (r->loop != NULL)
                loop_free(&r->loop);
        if (r->lock_fd != -1)
                close(r->lock_fd);
        r->lock_fd = -1;
        r->is_stopped = false;
}

/* ---- reaching ---- */

/* A daemon that starts has the lock before it has the store, one that ends has the
 * store before we have the lock: so both are tried by turns. */
static int
reach_store(struct reach *r, struct err *err)
{
        int64_t end_us = clock_read_mono_us() + REACH_MS * (int64_t)1000;
        struct err lock_err;
        int rc;

        for (;;) {
                if (r->lock_fd == -1)
                        r->lock_fd = state_lock(r->o->state_dir, 0, &lock_err);
                if (r->lock_fd != -1 && r->where.is_embedded && r->child == NULL) {
                        reach_start_child(r);
                        end_us = clock_read_mono_us() + LOAD_MS * (int64_t)1000;
                }
                rc = reach_connect(r, err);
                if (rc == 1)
                        return 0;
                if (rc == -1 && r->lock_fd != -1 && !r->where.is_embedded)
                        return -1; /* nobody else is there who might be starting it */
                if (r->fatal.kind != ERR_NONE) {
                        *err = r->fatal;
                        return -1;
                }
                if (rc == -1 && err->kind == ERR_CONFIG)
                        return -1;
                if (clock_read_mono_us() > end_us)
                        return -1;
                reach_wait(r, 20);
        }
}

/* Is it a desk that we understand? One where nothing was stored yet is. */
static int
reach_check_schema(struct reach *r, struct err *err)
{
        redisReply *reply = redisCommand(r->redis, "HGET %s schema", KEY_META);
        long schema;

        if (reply == NULL)
                return err_set(
                    err, ERR_RETRY, "the store does not answer: %s", r->redis->errstr);
        if (redis_error_kind(reply, err) != ERR_NONE) {
                freeReplyObject(reply);
                return -1;
        }
        schema = reply->type == REDIS_REPLY_STRING ? strtol(reply->str, NULL, 10) : 0;
        freeReplyObject(reply);
        if (schema > STORE_SCHEMA)
                return err_set(err, ERR_CONFIG,
                    "the store was written by a newer helpline (schema %ld, this one "
                    "knows %d): "
                    "use that one's fsck",
                    schema, STORE_SCHEMA);
        return 0;
}

/* ---- looking ---- */

static int
line_compare(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
fsck_look(struct reach *r, bool fix, struct fsck *f)
{
        size_t n = 0;

        memset(f, 0, sizeof *f);
        f->a = arena_new();
        f->redis = r->redis;
        f->state_dir = r->o->state_dir;
        f->fix = fix;
        if (fsck_walk(f) == -1 || fsck_blobs(f) == -1)
                return -1;
        if (f->n_lines > 0)
                qsort(f->lines, f->n_lines, sizeof *f->lines, line_compare);
        for (size_t i = 0; i < f->n_lines; i++)
                if (n == 0 || strcmp(f->lines[n - 1], f->lines[i]) != 0)
                        f->lines[n++] = f->lines[i];
        f->n_lines = n;
        return 0;
}

static void
fsck_keep_common(struct fsck *f, const struct fsck *other)
{
        size_t n = 0;

        for (size_t i = 0; i < f->n_lines; i++)
                if (other->n_lines > 0 &&
                    bsearch(&f->lines[i], other->lines, other->n_lines,
                        sizeof *other->lines, line_compare) != NULL)
                        f->lines[n++] = f->lines[i];
        f->n_lines = n;
}

/* The differences that count: beside a daemon those seen twice. */
static int
fsck_look_twice(struct reach *r, struct fsck *f, struct err *err)
{
        struct fsck again;
        int rc = fsck_look(r, false, f);

        if (rc == 0 && f->n_lines > 0 && r->lock_fd == -1) {
                sleep(1);
                rc = fsck_look(r, false, &again);
                if (rc == 0)
                        fsck_keep_common(f, &again);
                else
                        f->err = again.err;
                arena_free(&again.a);
        }
        if (rc == -1)
                *err = f->err;
        return rc;
}

static void
report_lines(const struct fsck *f, const char *only, struct buf *report)
{
        for (size_t i = 0; i < f->n_lines; i++)
                if (only == NULL || strstr(f->lines[i], only) != NULL)
                        buf_addf(report, "%s\n", f->lines[i]);
}

/* Repairs, and says which. */
static int
fsck_repair(struct reach *r, struct buf *report, struct err *err)
{
        struct fsck f;
        int rc = fsck_look(r, true, &f);

        if (rc == 0)
                report_lines(&f, ": repaired", report);
        else
                *err = f.err;
        arena_free(&f.a);
        return rc;
}

static int
fsck_examine(
    struct reach *r, struct buf *report, unsigned *n_differences, struct err *err)
{
        struct fsck f;
        int rc = fsck_look_twice(r, &f, err);

        if (rc == 0 && f.n_lines > 0 && r->o->fix) {
                arena_free(&f.a);
                if (fsck_repair(r, report, err) == -1)
                        return -1;
                rc = fsck_look_twice(r, &f, err);
        }
        if (rc == 0) {
                report_lines(&f, NULL, report);
                *n_differences = (unsigned)f.n_lines;
                if (f.n_orphans > 0)
                        buf_addf(report,
                            "# %llu records of raw mail (%llu bytes) that nothing names: "
                            "their "
                            "mail was not acknowledged, or is on its way\n",
                            (unsigned long long)f.n_orphans,
                            (unsigned long long)f.orphan_bytes);
                buf_addf(report, "# %llu tickets, %zu raw mails, %u differences\n",
                    (unsigned long long)f.n_tickets, f.n_raws, *n_differences);
        }
        arena_free(&f.a);
        return rc;
}

static int
fsck_try(const struct fsck_options *o, struct buf *report, unsigned *n_differences,
    struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct reach r = {.o = o, .a = a, .lock_fd = -1};
        int rc = redis_where_parse(o->where, a, &r.where, err);

        if (rc == 0 && access(o->state_dir, R_OK | W_OK | X_OK) == -1)
                rc = err_errno(err, ERR_CONFIG, errno, "cannot use %s", o->state_dir);
        if (rc == 0)
                rc = reach_store(&r, err);
        if (rc == 0)
                rc = reach_check_schema(&r, err);
        if (rc == 0)
                rc = fsck_examine(&r, report, n_differences, err);
        reach_end(&r);
        return rc;
}

int
fsck_run(const struct fsck_options *o, struct buf *report, unsigned *n_differences,
    struct err *err)
{
        int rc = -1;

        signal(SIGPIPE, SIG_IGN); /* a store that ends is an error, not our end */
        clock_update();
        for (int i = 0; i < TRIES && rc == -1; i++) {
                buf_clear(report);
                *n_differences = 0;
                rc = fsck_try(o, report, n_differences, err);
                if (rc == -1 && err->kind != ERR_RETRY)
                        break;
        }
        return rc;
}
