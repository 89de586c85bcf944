/*
 * One connection to Redis.
 *
 * A command is in one of two lists: `waiting` (not yet written on this
 * connection) or `flying` (written, its answer is still to come; Redis answers in
 * order). When the connection is lost, what was flying and is repeatable goes
 * back to the head of `waiting`, in its old order; all else that was flying is
 * answered ERR_UNSURE. Each command is answered exactly once, at the latest when
 * its deadline passes; one whose deadline passes in flight leaves an empty place
 * behind that swallows the late answer.
 *
 * Life of a connection: WAIT (back-off) -> CONNECT -> LOGIN (AUTH, SELECT, PING until
 * Redis has loaded) -> SETUP (on_connect: the owner loads his scripts) -> READY.
 *
 * Killed at any point: nothing here is durable. What was sent may have been done;
 * whoever repeats it after a restart carries its idempotency key.
 */
#include "queue/redis_conn.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/stream.h"

enum {
        WINDOW_COMMANDS = 64,
        WINDOW_BYTES = 4 << 20,
        WAITING_MAX = 100000, /* commands that wait; more are refused */
        ANSWER_MAX = 64 << 20, /* bytes of one answer that is not complete yet */
        BACKOFF_MIN_MS = 50,
        BACKOFF_MAX_MS = 2000,
        LOADING_PAUSE_MS = 100,
};

enum conn_state { CONN_OFF, CONN_WAIT, CONN_CONNECT, CONN_LOGIN, CONN_SETUP, CONN_READY };

struct command {
        struct command *next;
        char *bytes; /* formatted (malloc) */
        size_t len; /* of bytes */
        int64_t deadline_us; /* answered by then, whatever happens (monotonic) */
        int64_t sent_us; /* when it was written last */
        bool repeat; /* goes out again after a reconnect */
        bool was_sent; /* ever written: then no answer means ERR_UNSURE */
        bool own; /* of the handshake */
        redis_fn fn; /* NULL: answered already or nobody waits */
        void *arg;
};

struct queue { /* of commands, first in, first out */
        struct command *head;
        struct command **tail;
        size_t n;
};

struct redis_conn {
        struct loop *loop;
        struct redis_conn_options o; /* strings are ours */
        const struct redis_conn_handlers *h;
        void *arg; /* of the handlers */
        enum conn_state state;
        struct stream *stream; /* NULL unless CONNECT or later */
        redisReader *reader; /* of this connection's answers */
        uint64_t epoch; /* grows with each connection: "is it still the same?" */
        struct queue flying; /* written; answers come in this order */
        struct queue waiting; /* to be written */
        struct queue over; /* to be answered with an error, right now */
        size_t flying_bytes; /* of flying */
        struct timer *timer; /* the earliest of all deadlines, or the back-off's end */
        int64_t wake_us; /* what it is set to; INT64_MAX off */
        /* WAIT: connect then; CONNECT, LOGIN, SETUP: give up then */
        int64_t state_until_us;
        int64_t ping_at_us; /* LOGIN: ask again whether it has loaded; 0 not */
        unsigned n_failed; /* attempts since the last good answer */
        struct err why; /* why it is not ready */
        bool ending; /* redis_conn_free was called */
};

static void conn_begin(struct redis_conn *c);
static void conn_pump(struct redis_conn *c);
static void conn_login_ping(struct redis_conn *c);

/* ---- lists and commands ---- */

static void
queue_init(struct queue *q)
{
        q->head = NULL;
        q->tail = &q->head;
        q->n = 0;
}

static void
queue_add(struct queue *q, struct command *cmd)
{
        cmd->next = NULL;
        *q->tail = cmd;
        q->tail = &cmd->next;
        q->n++;
}

static struct command *
queue_take(struct queue *q)
{
        struct command *cmd = q->head;

        if (cmd == NULL)
                return NULL;
        q->head = cmd->next;
        if (q->head == NULL)
                q->tail = &q->head;
        q->n--;
        return cmd;
}

/* All of `front` goes before all of q. */
static void
queue_prepend(struct queue *q, struct queue *front)
{
        if (front->head == NULL)
                return;
        *front->tail = q->head;
        if (q->head == NULL)
                q->tail = front->tail;
        q->head = front->head;
        q->n += front->n;
        queue_init(front);
}

static struct command *
command_new(int argc, const char *const *argv, const size_t *lens, redis_fn fn, void *arg)
{
        struct command *cmd = xcalloc(1, sizeof *cmd);
        int len = redisFormatCommandArgv(&cmd->bytes, argc, (const char **)argv, lens);

        if (len < 0)
                abort(); /* out of memory */
        cmd->len = (size_t)len;
        cmd->fn = fn;
        cmd->arg = arg;
        return cmd;
}

static void
command_free(struct command *cmd)
{
        free(cmd->bytes);
        free(cmd);
}

/* The one place where a command is answered. */
static void
command_answer(struct command *cmd, const struct err *err, const redisReply *reply)
{
        redis_fn fn = cmd->fn;

        cmd->fn = NULL;
        if (fn != NULL)
                fn(cmd->arg, err, reply);
}

static void
command_fail(struct command *cmd, const char *text)
{
        struct err err = {0};

        err_set(&err, cmd->was_sent ? ERR_UNSURE : ERR_RETRY, "%s", text);
        command_answer(cmd, &err, NULL);
}

/* ---- time ---- */

static void
conn_wake_by(struct redis_conn *c, int64_t at_us)
{
        int64_t ms;

        if (at_us >= c->wake_us)
                return;
        c->wake_us = at_us;
        ms = (at_us - clock_mono_us() + 999) / 1000;
        timer_set(c->timer, ms < 0 ? 0 : ms);
}

/* When must the first command in flight have its answer? */
static int64_t
conn_silence_us(const struct redis_conn *c)
{
        const struct command *cmd = c->flying.head;

        if (cmd == NULL || cmd->own)
                return INT64_MAX;
        if (c->o.blocking)
                return cmd->deadline_us;
        return cmd->sent_us + c->o.command_ms * 1000;
}

static void
conn_wake_again(struct redis_conn *c)
{
        int64_t at = conn_silence_us(c);

        for (struct command *cmd = c->flying.head; cmd != NULL; cmd = cmd->next)
                if (cmd->fn != NULL && cmd->deadline_us < at)
                        at = cmd->deadline_us;
        for (struct command *cmd = c->waiting.head; cmd != NULL; cmd = cmd->next)
                if (cmd->deadline_us < at)
                        at = cmd->deadline_us;
        if (c->state != CONN_READY && c->state != CONN_OFF && c->state_until_us < at)
                at = c->state_until_us;
        if (c->ping_at_us != 0 && c->ping_at_us < at)
                at = c->ping_at_us;
        c->wake_us = INT64_MAX;
        if (at == INT64_MAX)
                timer_clear(c->timer);
        else
                conn_wake_by(c, at);
}

static void
conn_state_until(struct redis_conn *c, enum conn_state state, int64_t ms)
{
        c->state = state;
        c->state_until_us = clock_mono_us() + ms * 1000;
        conn_wake_by(c, c->state_until_us);
}

/* 50 ms, 100 ms ... 2 s, of which the last half is left to chance. */
static int64_t
conn_backoff_ms(const struct redis_conn *c)
{
        int64_t ms = BACKOFF_MIN_MS;
        uint16_t chance;

        for (unsigned i = 1; i < c->n_failed && ms < BACKOFF_MAX_MS; i++)
                ms *= 2;
        if (ms > BACKOFF_MAX_MS)
                ms = BACKOFF_MAX_MS;
        random_bytes(&chance, sizeof chance);
        return ms / 2 + ms / 2 * chance / UINT16_MAX;
}

/* ---- losing the connection ---- */

/* One by one, for a callback may send more or free the connection. */
static void
conn_fail_over(struct redis_conn *c, const char *text)
{
        struct command *cmd;

        while ((cmd = queue_take(&c->over)) != NULL) {
                command_fail(cmd, text);
                command_free(cmd);
        }
}

/* What flew and may be repeated goes back in front; the rest is answered. */
static void
conn_land(struct redis_conn *c, const char *text)
{
        struct queue again;
        struct command *cmd;

        queue_init(&again);
        while ((cmd = queue_take(&c->flying)) != NULL)
                queue_add(cmd->repeat && cmd->fn != NULL ? &again : &c->over, cmd);
        c->flying_bytes = 0;
        queue_prepend(&c->waiting, &again);
        conn_fail_over(c, text);
}

static void
conn_drop_stream(struct redis_conn *c)
{
        c->epoch++;
        c->ping_at_us = 0;
        if (c->stream != NULL)
                stream_close(&c->stream);
        if (c->reader != NULL)
                redisReaderFree(c->reader);
        c->reader = NULL;
}

/* The only way out of CONNECT and all later states, but for the end. */
static void
conn_lost(struct redis_conn *c, const struct err *why)
{
        bool told = c->state < CONN_SETUP && strcmp(c->why.text, why->text) == 0;
        struct err copy = *why;

        conn_drop_stream(c);
        c->why = copy;
        c->n_failed++;
        conn_state_until(c, CONN_WAIT, conn_backoff_ms(c));
        conn_land(c, copy.text);
        if (!c->ending && !told && c->h->on_disconnect != NULL)
                c->h->on_disconnect(c->arg, &copy);
}

static void
conn_fail(struct redis_conn *c, enum err_kind kind, const char *text)
{
        struct err why = {0};

        err_set(&why, kind, "%s", text);
        conn_lost(c, &why);
}

static void
conn_on_close(void *arg, const struct err *why)
{
        conn_lost(arg, why);
}

/* ---- deadlines ---- */

static void
conn_expire_waiting(struct redis_conn *c, int64_t now_us)
{
        char text[sizeof c->why.text] = "Redis is too busy: too many commands wait";
        struct queue keep;
        struct command *cmd;

        if (c->state != CONN_READY)
                memcpy(text, c->why.text, sizeof text);
        queue_init(&keep);
        while ((cmd = queue_take(&c->waiting)) != NULL)
                queue_add(cmd->deadline_us <= now_us ? &c->over : &keep, cmd);
        queue_prepend(&c->waiting, &keep);
        conn_fail_over(c, text);
}

/* They leave an empty place that swallows the answer. */
static void
conn_expire_flying(struct redis_conn *c, int64_t now_us)
{
        uint64_t epoch = c->epoch;
        struct command *cmd = c->flying.head;

        while (cmd != NULL) {
                if (cmd->fn == NULL || cmd->deadline_us > now_us) {
                        cmd = cmd->next;
                        continue;
                }
                command_fail(cmd, "Redis has not answered in time");
                if (c->epoch != epoch)
                        return;
                cmd = c->flying.head; /* the callback may have changed the list */
        }
}

static void
conn_on_timer(void *arg)
{
        struct redis_conn *c = arg;
        int64_t now_us = clock_mono_us();

        if (c->ending)
                return;
        c->wake_us = INT64_MAX;
        if (conn_silence_us(c) <= now_us)
                conn_fail(c, ERR_RETRY, "Redis does not answer");
        conn_expire_flying(c, now_us);
        if (!c->ending)
                conn_expire_waiting(c, now_us);
        if (c->ending)
                return;
        if (c->ping_at_us != 0 && c->ping_at_us <= now_us)
                conn_login_ping(c);
        if (c->state == CONN_WAIT && c->state_until_us <= now_us)
                conn_begin(c);
        else if (c->state != CONN_READY && c->state != CONN_OFF &&
                 c->state_until_us <= now_us)
                conn_fail(c, ERR_RETRY,
                    "Redis has not let us in within the time for connecting");
        if (!c->ending)
                conn_wake_again(c);
}

/* ---- sending ---- */

static void
conn_fly(struct redis_conn *c, struct command *cmd)
{
        cmd->sent_us = clock_mono_us();
        cmd->was_sent = true;
        queue_add(&c->flying, cmd);
        c->flying_bytes += cmd->len;
        stream_write(c->stream, cmd->bytes, cmd->len);
        conn_wake_by(c, conn_silence_us(c));
}

static bool
conn_window_is_open(const struct redis_conn *c, const struct command *next)
{
        if (c->flying.n == 0)
                return true;
        return !c->o.blocking && c->flying.n < WINDOW_COMMANDS &&
               c->flying_bytes + next->len <= WINDOW_BYTES;
}

static void
conn_pump(struct redis_conn *c)
{
        while (c->state == CONN_READY && c->waiting.head != NULL &&
               conn_window_is_open(c, c->waiting.head)) {
                if (c->waiting.head->deadline_us <= clock_mono_us()) {
                        conn_wake_by(c, c->waiting.head->deadline_us);
                        break;
                }
                conn_fly(c, queue_take(&c->waiting));
        }
}

void
redis_conn_send(struct redis_conn *c, int argc, const char *const *argv,
    const size_t *lens, bool repeat, int64_t deadline_ms, redis_fn fn, void *arg)
{
        struct command *cmd = command_new(argc, argv, lens, fn, arg);

        cmd->repeat = repeat;
        cmd->deadline_us = clock_mono_us() + deadline_ms * 1000;
        if (c->waiting.n >= WAITING_MAX)
                cmd->deadline_us =
                    clock_mono_us(); /* refused by the timer: not before we return */
        queue_add(&c->waiting, cmd);
        conn_wake_by(c, cmd->deadline_us);
        conn_pump(c);
}

void
redis_conn_send_first(struct redis_conn *c, int argc, const char *const *argv,
    const size_t *lens, redis_fn fn, void *arg)
{
        struct command *cmd = command_new(argc, argv, lens, fn, arg);

        cmd->deadline_us = clock_mono_us() + c->o.command_ms * 1000;
        if (c->state == CONN_SETUP || c->state == CONN_READY) {
                conn_fly(c, cmd);
                return;
        }
        cmd->deadline_us =
            clock_mono_us(); /* the connection went meanwhile: ERR_RETRY next turn */
        queue_add(&c->waiting, cmd);
        conn_wake_by(c, cmd->deadline_us);
}

/* ---- answers ---- */

/* Some errors say that this connection leads to the wrong place. */
static bool
conn_error_rebuilds(const redisReply *reply)
{
        return redis_error_is(reply, "READONLY") || redis_error_is(reply, "UNBLOCKED") ||
               redis_error_is(reply, "NOAUTH");
}

static void
conn_take_answer(struct redis_conn *c, const redisReply *reply)
{
        struct command *cmd = queue_take(&c->flying);
        uint64_t epoch = c->epoch;
        struct err why;

        if (cmd == NULL) {
                conn_fail(c, ERR_RETRY, "Redis sent an answer that nobody asked for");
                return;
        }
        c->flying_bytes -= cmd->len;
        if (reply->type != REDIS_REPLY_ERROR && c->state == CONN_READY)
                c->n_failed = 0;
        command_answer(cmd, NULL, reply);
        command_free(cmd);
        if (c->epoch == epoch && c->state >= CONN_SETUP && conn_error_rebuilds(reply)) {
                redis_error_kind(reply, &why);
                conn_lost(c, &why);
        }
}

/* One whole answer, or NULL: none yet, or the connection had to be dropped. */
static redisReply *
conn_next_answer(struct redis_conn *c)
{
        void *reply = NULL;

        if (redisReaderGetReply(c->reader, &reply) != REDIS_OK) {
                conn_fail(c, ERR_RETRY, "Redis sent something that is not its protocol");
                return NULL;
        }
        if (reply == NULL && c->reader->len - c->reader->pos > ANSWER_MAX)
                conn_fail(c, ERR_RETRY, "Redis sent an answer of more than 64 MB");
        return reply;
}

static void
conn_on_read(void *arg)
{
        struct redis_conn *c = arg;
        uint64_t epoch = c->epoch;
        redisReply *reply;
        const char *p;
        size_t n;

        p = stream_input(c->stream, &n);
        if (n == 0)
                return;
        if (redisReaderFeed(c->reader, p, n) != REDIS_OK) {
                conn_fail(c, ERR_RETRY, "out of memory while Redis answers");
                return;
        }
        stream_consume(c->stream, n);
        while (c->epoch == epoch && (reply = conn_next_answer(c)) != NULL) {
                conn_take_answer(c, reply);
                freeReplyObject(reply);
        }
        if (c->epoch == epoch)
                conn_pump(c);
}

/* ---- logging in ---- */

static void
conn_own_send(struct redis_conn *c, int argc, const char *const *argv, redis_fn fn)
{
        struct command *cmd = command_new(argc, argv, NULL, fn, c);

        cmd->own = true;
        cmd->deadline_us = INT64_MAX; /* the state's deadline watches it */
        conn_fly(c, cmd);
}

static void
conn_set_up(struct redis_conn *c)
{
        conn_state_until(c, CONN_SETUP, c->o.connect_ms);
        if (c->h->on_connect != NULL)
                c->h->on_connect(c->arg);
        else
                redis_conn_ready(c);
}

/* AUTH or SELECT was answered. */
static void
conn_on_login(void *arg, const struct err *err, const redisReply *reply)
{
        struct redis_conn *c = arg;
        struct err why;

        if (err != NULL || reply->type != REDIS_REPLY_ERROR ||
            redis_error_is(reply, "LOADING"))
                return; /* PING, which comes behind, tells of LOADING */
        if (redis_error_kind(reply, &why) == ERR_REJECT)
                why.kind = ERR_CONFIG;
        err_prefix(&why, "cannot log in to Redis");
        conn_lost(c, &why);
}

/* Still loading: it lives, so the time for connecting begins anew. */
static void
conn_on_ping(void *arg, const struct err *err, const redisReply *reply)
{
        struct redis_conn *c = arg;
        enum err_kind kind;
        struct err why;

        if (err != NULL)
                return;
        kind = redis_error_kind(reply, &why);
        if (kind == ERR_NONE) {
                conn_set_up(c);
                return;
        }
        if (kind != ERR_RETRY) {
                conn_lost(c, &why);
                return;
        }
        c->why = why;
        c->ping_at_us = clock_mono_us() + LOADING_PAUSE_MS * 1000;
        conn_state_until(c, CONN_LOGIN, c->o.connect_ms);
        conn_wake_by(c, c->ping_at_us);
}

static void
conn_login_ping(struct redis_conn *c)
{
        char db[16];

        c->ping_at_us = 0;
        if (c->o.db != 0) {
                snprintf(db, sizeof db, "%u", c->o.db);
                conn_own_send(c, 2, (const char *const[]){"SELECT", db}, conn_on_login);
        }
        conn_own_send(c, 1, (const char *const[]){"PING"}, conn_on_ping);
}

static void
conn_on_connect(void *arg)
{
        struct redis_conn *c = arg;

        stream_keepalive(c->stream);
        conn_state_until(c, CONN_LOGIN, c->o.connect_ms);
        if (c->o.password[0] != '\0')
                conn_own_send(
                    c, 2, (const char *const[]){"AUTH", c->o.password}, conn_on_login);
        conn_login_ping(c);
}

static const struct stream_handlers conn_stream_handlers = {
    .on_connect = conn_on_connect,
    .on_read = conn_on_read,
    .on_drain = NULL,
    .on_eof = NULL,
    .on_close = conn_on_close,
};

static void
conn_begin(struct redis_conn *c)
{
        conn_state_until(
            c, CONN_CONNECT, c->o.connect_ms + 100); /* the stream gives up first */
        c->reader = redisReaderCreate();
        if (c->reader == NULL)
                abort(); /* out of memory */
        c->stream = stream_connect(
            c->loop, c->o.address, c->o.connect_ms, &conn_stream_handlers, c);
}

/* ---- the owner's side ---- */

struct redis_conn *
redis_conn_new(struct loop *loop, const struct redis_conn_options *o,
    const struct redis_conn_handlers *h, void *arg)
{
        struct redis_conn *c = xcalloc(1, sizeof *c);

        c->loop = loop;
        c->o = *o;
        c->o.address = xstrdup(o->address);
        c->o.password = xstrdup(o->password != NULL ? o->password : "");
        c->h = h;
        c->arg = arg;
        c->timer = timer_new(loop, conn_on_timer, c);
        c->wake_us = INT64_MAX;
        queue_init(&c->flying);
        queue_init(&c->waiting);
        queue_init(&c->over);
        err_set(&c->why, ERR_RETRY, "not connected to Redis yet");
        return c;
}

void
redis_conn_start(struct redis_conn *c)
{
        if (c->state == CONN_OFF)
                conn_begin(c);
}

void
redis_conn_ready(struct redis_conn *c)
{
        if (c->state != CONN_SETUP)
                return;
        c->state = CONN_READY;
        memset(&c->why, 0, sizeof c->why);
        conn_pump(c);
}

void
redis_conn_kick(struct redis_conn *c)
{
        if (c->state == CONN_WAIT) {
                c->state_until_us = clock_mono_us();
                conn_wake_by(c, c->state_until_us);
        }
}

void
redis_conn_rebuild(struct redis_conn *c, const char *why)
{
        if (c->state != CONN_OFF && c->state != CONN_WAIT)
                conn_fail(c, ERR_RETRY, why);
}

bool
redis_conn_is_ready(const struct redis_conn *c)
{
        return c->state == CONN_READY;
}

const struct err *
redis_conn_why(const struct redis_conn *c)
{
        return &c->why;
}

size_t
redis_conn_pending(const struct redis_conn *c)
{
        return c->flying.n + c->waiting.n;
}

/* At the end of the turn: nothing refers to it any more. */
static void
conn_reap(void *arg)
{
        struct redis_conn *c = arg;

        timer_free(&c->timer);
        free((void *)c->o.address);
        free((void *)c->o.password);
        free(c);
}

void
redis_conn_free(struct redis_conn **cp)
{
        struct redis_conn *c = *cp;
        struct command *cmd;

        if (c == NULL || c->ending)
                return;
        c->ending = true;
        c->state = CONN_OFF;
        conn_drop_stream(c);
        timer_clear(c->timer);
        conn_land(c, "the connection to Redis is being closed");
        while ((cmd = queue_take(&c->waiting)) != NULL) {
                queue_add(&c->over, cmd);
                conn_fail_over(c, "the connection to Redis is being closed");
        }
        timer_clear(c->timer);
        loop_later(c->loop, conn_reap, c);
        *cp = NULL;
}
