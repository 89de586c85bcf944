/*
 * The connections of the gate; see http.h. The server around them is http.c, what a
 * request may look like http_gate.c.
 *
 * A connection reads a header (HEAD), hands on a body (BODY), waits for the handlers'
 * answer (WAIT), or writes one without a foreseen end (STREAM), throws away the rest of a
 * body nobody wants (EAT), and ends (LINGER: our side is shut, what still comes is read
 * away so that no reset overtakes the answer).
 * The next request is looked at only when the one before is answered, so answers are in
 * order; unread input is bounded and TCP slows the client down. One timer a connection
 * means, by state: idle, header, rate of the body, no answer, end. Handlers that keep
 * something for a connection are told how it ended: a reset shortly after the client's
 * end of file says that it did not read its last answer.
 *
 * A kill at any moment loses only what was not answered: the client must ask again, and
 * the handlers know a repeated request by its token or key.
 */
#include "daemon/base/http_impl.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/base/log.h"

enum {
        INPUT_MAX = 32768, /* unread input of a connection */
        PIECE_MAX = 16384, /* of a body handed on at once */
        EAT_MAX = 65536, /* unwanted rest of a body that is read; more: close */
        UNSENT_MAX = 262144, /* answers waiting; more: no next request */
        BLANK_LINES_MAX = 4, /* before a request line */
        LINGER_MS = 5000,
        WATCH_MS = 300, /* after the client's end: does a reset follow? */
};

/* ---- the end of a request, of a connection ---- */

static void
request_free(struct http_request *r)
{
        buf_fini(&r->lines);
        arena_free(&r->arena);
        free(r);
}

/* No answer is wanted any more. */
static void
request_gone(struct http_conn *c)
{
        struct http_request *r = c->r;

        if (r == NULL)
                return;
        c->r = NULL;
        c->http->h->on_gone(c->http->arg, r);
        request_free(r);
}

static void
conn_reap(void *arg)
{
        free(arg);
}

/* Has a reset come since the client's end of file? */
static bool
conn_was_reset(const struct http_conn *c)
{
        struct pollfd p = {.fd = stream_fd(c->s), .events = POLLOUT};

        return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLNVAL)) != 0;
}

void
http_conn_close(struct http_conn *c)
{
        void *peer_state = c->peer_state;

        if (c->s == NULL)
                return;
        c->peer_state = NULL;
        c->broke = c->broke || stream_unsent(c->s) > 0 || (c->eof && conn_was_reset(c));
        stream_close(&c->s);
        timer_free(&c->timer);
        LIST_REMOVE(c, link);
        if (c->is_refused)
                c->http->n_refused--;
        else
                c->http->n_conns--;
        loop_later(c->http->loop, conn_reap, c);
        request_gone(c);
        if (peer_state != NULL)
                c->http->h->on_closed(c->http->arg, peer_state, c->broke);
}

/* Both sides have ended. When somebody wants to know whether the answer was read, a
 * reset has a moment to come. */
static void
conn_both_ended(struct http_conn *c)
{
        if (c->peer_state == NULL || c->watched) {
                http_conn_close(c);
                return;
        }
        c->watched = true;
        timer_set(c->timer, WATCH_MS);
}

/* All has left for the kernel: end our side, then the client's end of file or the
 * timer is the end. */
static void
conn_shut(struct http_conn *c)
{
        c->shut = true;
        timer_set(c->timer, LINGER_MS);
        if (shutdown(stream_fd(c->s), SHUT_WR) == -1)
                http_conn_close(c);
        else if (c->eof)
                conn_both_ended(c);
}

static void
conn_linger(struct http_conn *c)
{
        c->state = CONN_LINGER;
        c->unsent_before = stream_unsent(c->s);
        timer_set(c->timer, c->http->o.body_window_ms);
        if (c->unsent_before == 0)
                conn_shut(c);
}

/* ---- answers ---- */

/* What the body is still to bring, when that is known and little. */
static bool
conn_can_eat(const struct http_conn *c)
{
        return !c->chunked && !c->expect && c->left <= EAT_MAX;
}

/* Writes the answer; where the connection goes then. */
static void
conn_answer(struct http_conn *c, int status, const char *type, const void *body, size_t n,
    const struct buf *lines)
{
        struct buf head AUTO_BUF = BUF_INIT;
        bool minor0 = c->r != NULL && c->r->head.minor == 0;

        http_answer_head(&head, status, type, n, lines,
            c->close_after ? "close"
            : minor0       ? "keep-alive"
                           : "");
        stream_write(c->s, head.data, head.len);
        if (!c->is_head_method && status != 204 && status != 304)
                stream_write(c->s, body, n);
}

static void
conn_next(struct http_conn *c)
{
        c->state = CONN_HEAD;
        c->began = false;
        c->n_blank = 0;
        c->is_head_method = false;
        c->unsent_before = stream_unsent(c->s);
        if (c->is_proxy)
                c->has_key = false;
        timer_set(c->timer, c->http->o.idle_ms);
}

/* An answer of the gate itself, always the last one. */
void
http_conn_refuse(struct http_conn *c, int status, const char *why)
{
        struct buf lines AUTO_BUF = BUF_INIT;
        char text[600];
        int n = snprintf(
            text, sizeof text, "%d %s: %s\n", status, http_status_text(status), why);

        log_debug("HTTP-REFUSED", "client=%s status=%d why=%s",
            c->r != NULL ? c->r->client : c->peer, status, log_quote(why));
        if (status == 405)
                buf_adds(&lines, "Allow: GET, HEAD, POST, OPTIONS\r\n");
        if (status == 503)
                buf_adds(&lines, "Retry-After: 10\r\n");
        c->close_after = true;
        conn_answer(c, status, "text/plain; charset=utf-8", text, (size_t)n, &lines);
        request_gone(c);
        if (c->s != NULL)
                conn_linger(c);
}

static void
conn_on_wake(void *arg)
{
        struct http_conn *c = arg;

        c->waking = false;
        if (c->s != NULL)
                http_conn_go(c);
}

/* What is next begins at the end of the turn, not inside the caller. */
static void
conn_wake(struct http_conn *c)
{
        if (c->running || c->waking || c->s == NULL)
                return;
        c->waking = true;
        loop_later(c->http->loop, conn_on_wake, c);
}

void
http_answer(
    struct http_request *r, int status, const char *type, const void *body, size_t n)
{
        struct http_conn *c = r->conn;
        bool whole = !c->chunked && c->left == 0;

        assert(c->r == r && status >= 200 && strpbrk(type, "\r\n") == NULL);
        c->close_after = !r->head.keep || c->http->draining || !conn_can_eat(c);
        conn_answer(c, status, type, body, n, &r->lines);
        c->r = NULL;
        request_free(r);
        if (c->close_after) {
                conn_linger(c);
        } else if (whole) {
                conn_next(c);
        } else {
                c->state = CONN_EAT;
                c->n_window = 0;
                timer_set(c->timer, c->http->o.body_window_ms);
        }
        conn_wake(c);
}

/* ---- answers without a foreseen end ---- */

void
http_stream_begin(struct http_request *r, int status, const char *type)
{
        struct buf head AUTO_BUF = BUF_INIT;
        struct http_conn *c = r->conn;

        assert(c->r == r && c->state == CONN_WAIT);
        c->close_after = true;
        c->state = CONN_STREAM;
        timer_clear(c->timer);
        http_answer_head(&head, status, type, HTTP_NO_LENGTH, &r->lines, "close");
        stream_write(c->s, head.data, head.len);
}

void
http_stream_write(struct http_request *r, const void *p, size_t n)
{
        assert(r->conn->state == CONN_STREAM);
        stream_write(r->conn->s, p, n);
}

size_t
http_stream_unsent(const struct http_request *r)
{
        return stream_unsent(r->conn->s);
}

void
http_stream_end(struct http_request *r)
{
        struct http_conn *c = r->conn;

        assert(c->r == r && c->state == CONN_STREAM);
        c->r = NULL;
        request_free(r);
        conn_linger(c);
}

void
http_add_header(struct http_request *r, const char *name, const char *value)
{
        assert(*name != '\0' && strpbrk(name, "\r\n: ") == NULL);
        assert(strpbrk(value, "\r\n") == NULL);
        buf_addf(&r->lines, "%s: %s\r\n", name, value);
}

/* ---- the header ---- */

/* Blank lines before a request line, as some old clients send them after a body. */
static void
conn_skip_blank(struct http_conn *c)
{
        const char *p;
        size_t n;

        while ((p = stream_input(c->s, &n)) != NULL && n >= 2 && p[0] == '\r' &&
               p[1] == '\n' && c->n_blank < BLANK_LINES_MAX) {
                stream_consume(c->s, 2);
                c->n_blank++;
        }
}

static void
request_find_client(struct http_request *r)
{
        struct http_conn *c = r->conn;

        snprintf(r->client, sizeof r->client, "%s", c->peer);
        if (!c->is_proxy)
                return;
        http_find_client(&r->head, (const char *const *)c->http->proxies,
            c->http->n_proxies, c->peer, r->client);
        r->secure = http_forwarded_secure(&r->head);
}

/* The body's beginning, after on_header wanted at most max bytes. */
static void
conn_begin_body(struct http_conn *c, int64_t max)
{
        size_t n;

        if (c->left > (uint64_t)max) {
                http_conn_refuse(c, 413, "the body is too large");
                return;
        }
        c->max_body = (uint64_t)max;
        c->n_window = 0;
        c->state = CONN_BODY;
        timer_set(c->timer, c->http->o.body_window_ms);
        if (c->expect && stream_input(c->s, &n) == NULL && (c->chunked || c->left > 0))
                stream_write(c->s, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        c->expect = false;
}

/* A good header: ask the handlers. */
static void
conn_begin_request(struct http_conn *c)
{
        struct http_request *r = c->r;
        int64_t max;

        c->chunked = r->head.chunked;
        memset(&c->chunks, 0, sizeof c->chunks);
        c->left = r->head.length > 0 ? (uint64_t)r->head.length : 0;
        c->expect = r->head.expect && (c->chunked || c->left > 0);
        c->is_head_method = r->head.method == HTTP_HEAD;
        c->state = CONN_WAIT;
        timer_set(c->timer, c->http->o.answer_ms);
        max = c->http->h->on_header(c->http->arg, r);
        assert(max >= 0 || max == HTTP_LATER || c->r == NULL);
        if (c->s != NULL && c->r != NULL && max != HTTP_LATER)
                conn_begin_body(c, max);
}

/* Parses the len bytes of a whole header block. */
static void
conn_take_head(struct http_conn *c, size_t len)
{
        struct http_request *r = xcalloc(1, sizeof *r);
        struct err err = {0};
        size_t n;
        int status;

        r->conn = c;
        r->arena = arena_new();
        status = http_head_parse(r->arena, stream_input(c->s, &n), len, &r->head, &err);
        stream_consume(c->s, len);
        if (status == 0) {
                request_find_client(r);
                if (c->is_proxy && strcmp(r->client, c->peer) != 0 &&
                    !http_count_as(c, r->client)) {
                        status = 503;
                        err_set(&err, ERR_LIMIT, "too many connections of your address");
                }
        }
        if (status != 0) {
                c->is_head_method = r->head.method == HTTP_HEAD;
                request_free(r);
                http_conn_refuse(c, status, err.text);
                return;
        }
        c->r = r;
        conn_begin_request(c);
}

static bool
conn_step_head(struct http_conn *c)
{
        struct err err = {0};
        const char *p;
        size_t n, len;
        int status;

        if (stream_unsent(c->s) > UNSENT_MAX)
                return false;
        conn_skip_blank(c);
        p = stream_input(c->s, &n);
        if (p == NULL) {
                if (c->eof || c->http->draining)
                        conn_linger(c);
                return false;
        }
        if (!c->began)
                timer_set(c->timer, c->http->o.header_ms);
        c->began = true;
        if (n == 1 && *p == '\r' && c->n_blank < BLANK_LINES_MAX && !c->eof)
                return false; /* perhaps a blank line */
        status = http_head_find(p, n, c->http->o.max_header, &len, &err);
        if (status != 0) {
                http_conn_refuse(c, status, err.text);
                return false;
        }
        if (len > 0)
                conn_take_head(c, len);
        else if (c->eof)
                conn_linger(c);
        return len > 0;
}

/* ---- the body ---- */

/* One piece for the handlers. */
static void
conn_hand_on(struct http_conn *c, const char *p, size_t n)
{
        int rc;

        if (n == 0 || c->r == NULL)
                return;
        rc = c->http->h->on_body(c->http->arg, c->r, p, n);
        assert(rc == 0 || c->r == NULL);
}

static void
conn_body_end(struct http_conn *c)
{
        c->chunked = false;
        if (c->state == CONN_EAT) {
                conn_next(c);
                return;
        }
        c->state = CONN_WAIT;
        timer_set(c->timer, c->http->o.answer_ms);
        c->http->h->on_end(c->http->arg, c->r);
}

/* A piece of a body with a length. */
static void
conn_plain_piece(struct http_conn *c, const char *p, size_t n)
{
        size_t k = n < c->left ? n : (size_t)c->left;

        c->left -= k;
        conn_hand_on(c, p, k);
        if (c->s != NULL)
                stream_consume(c->s, k);
}

/* A piece of a chunked one. */
static void
conn_chunked_piece(struct http_conn *c, const char *p, size_t n)
{
        char out[PIECE_MAX];
        struct err err = {0};
        size_t n_out, used;
        int rc =
            http_chunks_feed(&c->chunks, p, n, c->max_body, out, &n_out, &used, &err);

        stream_consume(c->s, used);
        if (rc > HTTP_CHUNKS_END) {
                http_conn_refuse(c, rc, err.text);
                return;
        }
        if (rc == HTTP_CHUNKS_END)
                c->chunked = false; /* an answer in on_body need not close */
        conn_hand_on(c, out, n_out);
}

static bool
conn_step_body(struct http_conn *c)
{
        const char *p;
        size_t n;

        if (!c->chunked && c->left == 0) {
                conn_body_end(c);
                return true;
        }
        p = stream_input(c->s, &n);
        if (p == NULL) {
                if (c->eof)
                        http_conn_close(c);
                return false;
        }
        n = n < PIECE_MAX ? n : PIECE_MAX;
        c->n_window += n;
        if (c->chunked)
                conn_chunked_piece(c, p, n);
        else
                conn_plain_piece(c, p, n);
        return c->s != NULL && c->state != CONN_LINGER;
}

/* ---- turns ---- */

/* Reads away what nobody wants. */
static bool
conn_step_linger(struct http_conn *c)
{
        size_t n;

        if (stream_input(c->s, &n) != NULL)
                stream_consume(c->s, n);
        if (c->eof && c->shut && !c->watched)
                conn_both_ended(c);
        return false;
}

static bool
conn_step(struct http_conn *c)
{
        switch (c->state) {
        case CONN_HEAD:
                return conn_step_head(c);
        case CONN_BODY:
        case CONN_EAT:
                return conn_step_body(c);
        case CONN_WAIT:
                return false; /* pipelined input waits, and so does an end of file */
        case CONN_STREAM:
                if (c->eof)
                        http_conn_close(c);
                return false;
        case CONN_LINGER:
                return conn_step_linger(c);
        }
        return false;
}

void
http_conn_go(struct http_conn *c)
{
        if (c->running)
                return;
        c->running = true;
        while (c->s != NULL && conn_step(c))
                ;
        c->running = false;
}

/* Has the client taken less of the answer than the least rate since the last look? */
static bool
conn_is_stuck(struct http_conn *c, int64_t ms)
{
        size_t now = stream_unsent(c->s), before = c->unsent_before;

        c->unsent_before = now;
        return now == 0 || (int64_t)(before - now) < c->http->o.body_min_rate * ms / 1000;
}

static void
conn_body_slow(struct http_conn *c)
{
        const struct http_options *o = &c->http->o;

        if (c->n_window >= (uint64_t)(o->body_min_rate * o->body_window_ms / 1000)) {
                c->n_window = 0;
                timer_set(c->timer, o->body_window_ms);
        } else if (c->state == CONN_BODY) {
                http_conn_refuse(c, 408, "the body came too slowly");
        } else {
                http_conn_close(c);
        }
}

static void
conn_on_timer(void *arg)
{
        struct http_conn *c = arg;
        int64_t ms =
            c->state == CONN_HEAD ? c->http->o.idle_ms : c->http->o.body_window_ms;

        switch (c->state) {
        case CONN_HEAD:
                if (c->began)
                        http_conn_refuse(c, 408, "the header came too slowly");
                else if (conn_is_stuck(c, ms))
                        http_conn_close(c);
                else
                        timer_set(c->timer, ms);
                break;
        case CONN_BODY:
        case CONN_EAT:
                conn_body_slow(c);
                break;
        case CONN_WAIT:
                http_conn_refuse(c, 503, "no answer in time; please try again");
                break;
        case CONN_STREAM:
                break; /* without a deadline */
        case CONN_LINGER:
                if (c->shut || conn_is_stuck(c, ms))
                        http_conn_close(c); /* watched: was it reset? */
                else
                        timer_set(c->timer, ms);
                break;
        }
}

static void
conn_on_read(void *arg)
{
        http_conn_go(arg);
}

static void
conn_on_drain(void *arg)
{
        struct http_conn *c = arg;

        if (c->state == CONN_LINGER && !c->shut)
                conn_shut(c);
        else if (c->state == CONN_STREAM && c->http->h->on_drain != NULL)
                c->http->h->on_drain(c->http->arg, c->r);
        else
                http_conn_go(c);
}

static void
conn_on_eof(void *arg)
{
        struct http_conn *c = arg;

        c->eof = true;
        if (c->peer_state != NULL && c->http->h->on_eof != NULL)
                c->http->h->on_eof(c->http->arg, c->peer_state);
        if (c->s != NULL)
                http_conn_go(c);
}

static void
conn_on_close(void *arg, const struct err *why)
{
        struct http_conn *c = arg;

        (void)why;
        c->broke = true;
        http_conn_close(c);
}

static const struct stream_handlers conn_handlers = {
    .on_read = conn_on_read,
    .on_drain = conn_on_drain,
    .on_eof = conn_on_eof,
    .on_close = conn_on_close,
};

struct http_conn *
http_conn_new(struct http *h, int fd, const struct peer *peer)
{
        struct http_conn *c = xcalloc(1, sizeof *c);

        c->http = h;
        if (!http_address_plain(peer->address, strlen(peer->address), c->peer))
                snprintf(c->peer, sizeof c->peer, "unknown");
        c->s = stream_new(h->loop, fd, &conn_handlers, c);
        stream_keepalive(c->s);
        stream_limit_input(
            c->s, h->o.max_header > INPUT_MAX ? h->o.max_header : INPUT_MAX);
        c->timer = timer_new(h->loop, conn_on_timer, c);
        timer_set(c->timer, h->o.header_ms);
        LIST_INSERT_HEAD(&h->conns, c, link);
        h->n_conns++;
        return c;
}

/* ---- what a request says ---- */

enum http_method
http_method(const struct http_request *r)
{
        return r->head.method;
}

const char *
http_path(const struct http_request *r)
{
        return r->head.path;
}

const char *
http_query(const struct http_request *r)
{
        return r->head.query;
}

const char *
http_header(const struct http_request *r, const char *name)
{
        return http_head_field(&r->head, name);
}

const char *
http_client(const struct http_request *r)
{
        return r->client;
}

bool
http_is_secure(const struct http_request *r)
{
        return r->secure;
}

void
http_set_peer_state(struct http_request *r, void *state)
{
        assert(r->conn->http->h->on_closed != NULL);
        r->conn->peer_state = state;
}

void *
http_peer_state(const struct http_request *r)
{
        return r->conn->peer_state;
}

bool
http_peer_gone(const struct http_request *r)
{
        return r->conn->s == NULL || r->conn->eof || stream_peer_gone(r->conn->s);
}

void
http_is_known(struct http_request *r)
{
        r->conn->has_key = false;
}

void
http_want(struct http_request *r, int64_t max)
{
        struct http_conn *c = r->conn;

        assert(c->r == r && c->state == CONN_WAIT);
        conn_begin_body(c, max);
        conn_wake(c);
}

void
http_set_state(struct http_request *r, void *state)
{
        r->state = state;
}

void *
http_state(const struct http_request *r)
{
        return r->state;
}
