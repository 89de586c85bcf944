/*
 * The store's life: start the child (when embedded), connect, shake hands, watch, stop.
 *
 * At every connection the handshake runs ahead of all else: the store's time, the
 * script, schema and secrets, durability, the ends of the streams. Only then what was
 * in flight at the disconnect is repeated, in its old order, with its keys: done once,
 * whatever was killed in between.
 *
 * Nothing here is durable but what the handshake sets if missing (schema number,
 * first secret), and both are set by HSETNX.
 */
#include "queue/store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/log.h"
#include "queue/desk_script.h"
#include "queue/redis_where.h"

enum {
        CONNECT_MS = 5000,
        STREAM_MS = 9000, /* above XREAD's BLOCK */
        HEALTH_MS = 1000,
        DISK_LOOK_US = 20000,
};

/* Share of maxmemory at which mail, and at which agents, must wait. */
static const double memory_intake = 0.85, memory_agents = 0.98;

/* ---- where ---- */

static int
store_parse_where(struct store *s, const char *where, struct err *err)
{
        struct redis_where w;

        if (redis_where_parse(where, s->arena, &w, err) == -1)
                return -1;
        s->kind = w.is_embedded ? "embedded" : "redis";
        s->address = w.address;
        s->db = w.db;
        if (w.password[0] != '\0')
                s->password = w.password;
        return 0;
}

/* ---- what others are told ---- */

/* "c:<class>:<v of its head>" or "a:<agent>" */
void
store_hint(struct store *s, const char *text, uint64_t seq)
{
        struct hint h = {.kind = HINT_AGENT, .v_us = INT64_MIN, .seq = seq};
        char class_id[CLASS_ID_LEN + 1];

        if (text[0] == '\0' || text[1] != ':')
                return;
        h.name = text + 2;
        if (text[0] == 'c') {
                const char *colon = strchr(h.name, ':');

                h.kind = HINT_CLASS;
                if (colon != NULL)
                        h.v_us = strtoll(colon + 1, NULL, 10);
                snprintf(
                    class_id, sizeof class_id, "%.*s", (int)strcspn(h.name, ":"), h.name);
                h.name = class_id;
        }
        if (seq > s->hintseq)
                s->hintseq = seq;
        if (s->h->on_hint != NULL && !s->stopping)
                s->h->on_hint(s->arg, &h);
}

void
store_fatal(struct store *s, const struct err *why)
{
        if (s->fatal || s->stopping)
                return;
        s->fatal = true;
        if (s->h->on_fatal != NULL)
                s->h->on_fatal(s->arg, why);
}

static void
store_down(struct store *s, const struct err *why)
{
        bool was_up = s->up;

        s->up = false;
        if (was_up && !s->stopping && s->h->on_down != NULL)
                s->h->on_down(s->arg, why);
}

/* ---- the handshake ---- */

static void
store_set_time(struct store *s, const redisReply *r)
{
        int64_t back_us = clock_read_mono_us();
        int64_t sent_us = s->time_sent_us;

        if (r->type != REDIS_REPLY_ARRAY || r->elements != 2)
                return;
        s->ms = (double)(back_us - sent_us) / 1000;
        clock_set_offset(reply_int(r, 0) * 1000000 + reply_int(r, 1),
            sent_us + (back_us - sent_us) / 2);
}

static void
store_on_time(struct call *c, const struct err *err, const redisReply *r)
{
        if (err == NULL)
                store_set_time(c->s, r);
}

static struct call *
store_time(struct store *s)
{
        s->time_sent_us = clock_read_mono_us();
        return store_call_plain(s, "TIME", store_on_time, NULL);
}

static void
store_on_script(struct call *c, const struct err *err, const redisReply *r)
{
        if (err == NULL && r->type == REDIS_REPLY_STRING && r->len == 40)
                memcpy(c->s->sha, r->str, 41);
}

static bool
hex_parse(const char *hex, uint8_t out[32])
{
        for (int i = 0; i < 32; i++)
                if (sscanf(hex + 2 * i, "%2hhx", &out[i]) != 1)
                        return false;
        return strlen(hex) == 64;
}

static void
store_take_secret(struct store *s, const char *field, const char *hex)
{
        for (int i = 0; i < SECRETS_MAX; i++) {
                if (s->secrets[i].id != 0 && s->secrets[i].id != field[4])
                        continue;
                if (hex_parse(hex, s->secrets[i].bytes))
                        s->secrets[i].id = field[4];
                return;
        }
}

static void
store_on_meta(struct call *c, const struct err *err, const redisReply *r)
{
        struct store *s = c->s;
        struct err why;

        if (err != NULL)
                return;
        if (atoi(reply_field(r, "schema")) > STORE_SCHEMA) {
                err_set(&why, ERR_CONFIG,
                    "this store was written by a newer helpline (schema %s, this one "
                    "knows %d): "
                    "install that version again",
                    reply_field(r, "schema"), STORE_SCHEMA);
                store_fatal(s, &why);
                return;
        }
        s->live = strcmp(reply_field(r, "live"), "1") == 0;
        /* It may have gone back: another server, an older file. */
        s->hintseq = strtoull(reply_field(r, "hintseq"), NULL, 10);
        for (size_t i = 0; i + 1 < r->elements; i += 2) {
                const char *f = reply_str(r, i);

                if (strncmp(f, "key:", 4) == 0 && strlen(f) == 5)
                        store_take_secret(s, f, reply_str(r, i + 1));
        }
}

static void
store_on_config(struct call *c, const struct err *err, const redisReply *r)
{
        struct store *s = c->s;
        const char *value = err == NULL ? reply_str(r, 1) : "";

        if (c->i == 0) {
                s->aof = strcmp(value, "yes") == 0;
                s->durability = value[0] == '\0' ? "unknown" : "none";
        } else if (s->aof) {
                s->durability = strcmp(value, "always") == 0     ? "always"
                                : strcmp(value, "everysec") == 0 ? "everysec"
                                                                 : "none";
        }
}

static void
store_on_stream_end(struct call *c, const struct err *err, const redisReply *r)
{
        char *id = c->i == 0 ? c->s->journal_id : c->s->hints_id;

        if (err == NULL && id[0] == '\0')
                snprintf(id, sizeof(c->s->journal_id), "%s",
                    reply_n(r, 0) > 0 ? reply_str(reply_at(r, 0), 0) : "0-0");
}

/* The last of the handshake: PING's answer. */
static void
store_on_hands(struct call *c, const struct err *err, const redisReply *r)
{
        struct store *s = c->s;
        struct err why;

        (void)r;
        if (err != NULL || s->fatal || s->stopping)
                return;
        if (s->sha[0] == '\0' || store_secret_newest(s) == 0) {
                err_set(&why, ERR_RETRY,
                    "Redis did not take our script or secret: is it out of memory or "
                    "read-only?");
                redis_conn_rebuild(s->conn, why.text);
                return;
        }
        s->up = true;
        redis_conn_ready(s->conn);
        log_info("STORE", "kind=%s durability=%s live=%s round_trip=%.2fms", s->kind,
            s->durability, s->live ? "yes" : "no", s->ms);
        store_streams_start(s);
        timer_set(s->health, HEALTH_MS);
        if (s->h->on_up != NULL)
                s->h->on_up(s->arg);
}

static void
store_ask_script(struct store *s)
{
        struct call *c = store_call_plain(s, "SCRIPT", store_on_script, NULL);
        size_t len;
        const char *script = desk_script(&len);

        store_call_add(c, "LOAD");
        store_call_addl(c, script, len);
        store_call_send_first(c);
}

static void
store_on_nothing(struct call *c, const struct err *err, const redisReply *r)
{
        (void)c;
        (void)err;
        (void)r;
}

static void
store_widen_heads(struct store *s)
{
        struct call *c = store_call_plain(s, "HSETNX", store_on_nothing, NULL);

        store_call_add(c, KEY_HEAD);
        store_call_add(c, HEAD_WIDE);
        store_call_add(c, HEAD_WIDE_TEXT);
        store_call_send_first(c);
}

static void
store_ask_meta(struct store *s)
{
        uint8_t secret[32];
        char hex[65];
        struct call *c;

        store_widen_heads(s);
        c = store_call_plain(s, "HSETNX", store_on_nothing, NULL);
        store_call_add(c, KEY_META);
        store_call_add(c, "schema");
        store_call_addn(c, STORE_SCHEMA);
        store_call_send_first(c);
        random_bytes(secret, sizeof(secret));
        hex_format(secret, sizeof(secret), hex);
        c = store_call_plain(s, "HSETNX", store_on_nothing, NULL);
        store_call_add(c, KEY_META);
        store_call_add(c, "key:a");
        store_call_add(c, hex);
        store_call_send_first(c);
        c = store_call_plain(s, "HGETALL", store_on_meta, NULL);
        store_call_add(c, KEY_META);
        store_call_send_first(c);
}

static void
store_ask_config(struct store *s)
{
        static const char *const names[] = {"appendonly", "appendfsync"};

        s->durability = "unknown";
        for (size_t i = 0; i < 2; i++) {
                struct call *c = store_call_plain(s, "CONFIG", store_on_config, NULL);

                c->i = i;
                store_call_add(c, "GET");
                store_call_add(c, names[i]);
                store_call_send_first(c);
        }
}

static void
store_ask_streams(struct store *s)
{
        static const char *const keys[] = {KEY_JOURNAL, KEY_HINTS};

        for (size_t i = 0; i < 2; i++) {
                struct call *c =
                    store_call_plain(s, "XREVRANGE", store_on_stream_end, NULL);

                c->i = i;
                store_call_add(c, keys[i]);
                store_call_add(c, "+");
                store_call_add(c, "-");
                store_call_add(c, "COUNT");
                store_call_add(c, "1");
                store_call_send_first(c);
        }
}

static void
store_on_connect(void *arg)
{
        struct store *s = arg;

        store_call_send_first(store_time(s));
        store_ask_script(s);
        store_ask_meta(s);
        store_ask_config(s);
        store_ask_streams(s);
        store_call_send_first(store_call_plain(s, "PING", store_on_hands, NULL));
}

static void
store_on_disconnect(void *arg, const struct err *why)
{
        struct store *s = arg;

        if (!s->stopping)
                log_warn("STORE-AWAY", "why=%s", log_quote(why->text));
        timer_clear(s->health);
        store_down(s, why);
}

/* ---- the child ---- */

static void
store_on_child_started(void *arg)
{
        struct store *s = arg;

        if (s->conn == NULL)
                return;
        redis_conn_start(s->conn); /* the first time; then it connects again by itself */
        redis_conn_kick(s->conn);
}

static void
store_on_child_exited(void *arg, const struct err *why)
{
        struct store *s = arg;

        if (!s->stopping)
                log_error("STORE-EXITED", "why=%s", log_quote(why->text));
}

static void
store_on_child_fatal(void *arg, const struct err *why)
{
        store_fatal(arg, why);
}

static const struct redis_child_handlers child_handlers = {
    .on_started = store_on_child_started,
    .on_exited = store_on_child_exited,
    .on_fatal = store_on_child_fatal,
};

/* ---- health ---- */

static void
store_on_memory(struct call *c, const struct err *err, const redisReply *r)
{
        const char *used, *max;
        double limit;

        if (err != NULL || r->type != REDIS_REPLY_STRING)
                return;
        used = strstr(r->str, "used_memory:");
        max = strstr(r->str, "maxmemory:");
        limit = max != NULL ? strtod(max + strlen("maxmemory:"), NULL) : 0;
        c->s->memory = used != NULL && limit > 0
                           ? strtod(used + strlen("used_memory:"), NULL) / limit
                           : 0;
}

static void
store_ask_memory(struct store *s)
{
        struct call *c = store_call_plain(s, "INFO", store_on_memory, NULL);

        store_call_add(c, "memory");
        store_call_send(c);
}

static void
store_check_disk(struct store *s)
{
        enum disk_level was = s->disk;

        if (s->child == NULL)
                return;
        s->disk_looked_us = clock_mono_us();
        s->disk = redis_child_disk(s->child, &s->disk_why);
        if (s->disk != was && s->disk != DISK_OK)
                log_error("DISK", "level=%s why=%s",
                    s->disk == DISK_LOW ? "low" : "critical",
                    log_quote(s->disk_why.text));
        else if (s->disk != was)
                log_info("DISK", "level=ok");
}

static void
store_on_health(void *arg)
{
        struct store *s = arg;

        s->n_health++;
        store_check_disk(s);
        if (s->up && s->n_health % 2 == 0)
                store_ask_memory(s);
        if (s->up && s->n_health % 10 == 0) {
                struct call *c = store_time(s);

                c->repeat = false;
                store_call_send(c);
        }
        store_streams_check(s);
        timer_set(s->health, HEALTH_MS);
}

int
store_may_take(struct store *s, struct err *err)
{
        if (clock_mono_us() - s->disk_looked_us > DISK_LOOK_US)
                store_check_disk(
                    s); /* fast senders fill a small disk between two turns of health */
        if (!s->up)
                return err_code(err, ERR_RETRY, "451", "the store is away%s%s",
                    s->conn != NULL ? ": " : "",
                    s->conn != NULL ? redis_conn_why(s->conn)->text : "");
        if (s->disk != DISK_OK)
                return err_code(err, ERR_RETRY, "452", "%s", s->disk_why.text);
        if (s->memory >= memory_intake)
                return err_code(err, ERR_RETRY, "452",
                    "Redis has used %.0f %% of its maxmemory: give it more, or close and "
                    "archive "
                    "tickets",
                    s->memory * 100);
        *err = (struct err){0};
        return ERR_NONE;
}

bool
store_is_full(const struct store *s, struct err *err)
{
        if (s->disk == DISK_CRITICAL) {
                err_set(err, ERR_RETRY, "%s", s->disk_why.text);
                return true;
        }
        if (s->memory >= memory_agents) {
                err_set(err, ERR_RETRY, "Redis has used %.0f %% of its maxmemory",
                    s->memory * 100);
                return true;
        }
        return false;
}

/* ---- small questions ---- */

bool
store_is_up(const struct store *s)
{
        return s->up;
}

bool
store_is_live(const struct store *s)
{
        return s->live;
}

uint64_t
store_hintseq(const struct store *s)
{
        return s->hintseq;
}

const uint8_t *
store_secret(const struct store *s, char key_id)
{
        for (int i = 0; i < SECRETS_MAX; i++)
                if (key_id != 0 && s->secrets[i].id == key_id)
                        return s->secrets[i].bytes;
        return NULL;
}

char
store_secret_newest(const struct store *s)
{
        char newest = 0;

        for (int i = 0; i < SECRETS_MAX; i++)
                if (s->secrets[i].id > newest)
                        newest = s->secrets[i].id;
        return newest;
}

/* ---- life ---- */

struct store *
store_new(struct loop *loop, const struct store_options *o,
    const struct store_handlers *h, void *arg)
{
        struct store *s = xcalloc(1, sizeof(*s));
        uint8_t id[DAEMON_ID_LEN / 2];

        s->loop = loop;
        s->h = h;
        s->arg = arg;
        s->arena = arena_new();
        s->password = arena_strdup(s->arena, o->password);
        s->command_ms = o->command_ms > 0 ? o->command_ms : 5000;
        s->durability = "unknown";
        s->health = timer_new(loop, store_on_health, s);
        random_bytes(id, sizeof(id));
        hex_format(id, sizeof(id), s->daemon);
        if (store_parse_where(s, o->where, &s->bad_where) == -1)
                return s;
        if (strcmp(s->kind, "embedded") == 0) {
                s->child =
                    redis_child_new(loop, o->state_dir, o->lock_fd, &child_handlers, s);
                s->address = arena_strdup(s->arena, redis_child_address(s->child));
        }
        return s;
}

static const struct redis_conn_handlers conn_handlers = {
    .on_connect = store_on_connect,
    .on_disconnect = store_on_disconnect,
};

static void
store_tell_bad_where(void *arg)
{
        struct store *s = arg;

        store_fatal(s, &s->bad_where);
}

void
store_start(struct store *s)
{
        struct redis_conn_options o = {.address = s->address,
            .password = s->password,
            .db = s->db,
            .connect_ms = CONNECT_MS,
            .command_ms = s->command_ms};

        if (s->bad_where.kind != ERR_NONE) {
                loop_later(s->loop, store_tell_bad_where, s);
                return;
        }
        s->conn = redis_conn_new(s->loop, &o, &conn_handlers, s);
        if (s->child != NULL)
                redis_child_start(s->child); /* the connection is made when it listens */
        else
                redis_conn_start(s->conn);
        timer_set(s->health, 0);
}

static void
store_stopped(void *arg)
{
        struct store *s = arg;

        if (s->stop_done != NULL)
                s->stop_done(s->stop_arg);
}

/* What is in flight first, then the server. */
static void
store_on_stop_timer(void *arg)
{
        struct store *s = arg;
        int64_t left_ms = (s->stop_deadline_us - clock_mono_us()) / 1000;

        if (s->conn != NULL && s->up && redis_conn_pending(s->conn) > 0 &&
            left_ms > 500) {
                timer_set(s->stop_timer, 5);
                return;
        }
        redis_conn_free(&s->stream);
        redis_conn_free(&s->conn);
        s->up = false;
        if (s->child != NULL)
                redis_child_stop(
                    s->child, left_ms > 100 ? left_ms : 100, store_stopped, s);
        else
                loop_later(s->loop, store_stopped, s);
}

void
store_stop(struct store *s, int64_t deadline_ms, loop_fn done, void *arg)
{
        s->stopping = true;
        s->stop_done = done;
        s->stop_arg = arg;
        s->stop_deadline_us = clock_mono_us() + deadline_ms * 1000;
        timer_clear(s->health);
        s->stop_timer = timer_new(s->loop, store_on_stop_timer, s);
        timer_set(s->stop_timer, 0);
}

void
store_free(struct store **sp)
{
        struct store *s = *sp;

        if (s == NULL)
                return;
        s->stopping = true;
        if (s->stream != NULL)
                redis_conn_free(&s->stream);
        if (s->conn != NULL)
                redis_conn_free(&s->conn);
        if (s->child != NULL)
                redis_child_free(&s->child);
        timer_free(&s->health);
        if (s->stop_timer != NULL)
                timer_free(&s->stop_timer);
        arena_free(&s->arena);
        free(s);
        *sp = NULL;
}

void
store_streams_start(struct store *s)
{
        struct redis_conn_options o = {.address = s->address,
            .password = s->password,
            .db = s->db,
            .connect_ms = CONNECT_MS,
            .command_ms = STREAM_MS,
            .blocking = true};

        if (s->stream != NULL)
                return;
        s->stream = redis_conn_new(s->loop, &o, &store_stream_handlers, s);
        redis_conn_start(s->stream);
}
