/*
 * The gate's server: where it listens, whom it lets in; see http.h. Its connections are
 * http_conn.c, what a request may look like http_gate.c.
 *
 * Why not evhttp: libevent 2.1.12 shows a server the request only
 * when its whole body lies in memory (evhttp_set_newreqcb, the way to the header, came
 * with 2.2). Measured: 50 connections of 20 MB make 976 MB. It also has neither raw header
 * bytes for a strict check nor deadlines for a whole header or body. What would be left
 * of it is less than what would have to be wrapped around it.
 */
#include "daemon/base/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/http_impl.h"

enum {
        REFUSED_MAX = 64, /* connections over the limits that still get their 503 */
        PORTS_TRIED = 20, /* with next_free_port */
};

/* ---- whom a connection counts as ---- */

/* The counted part of a plain address. false: it has none ("unix"). */
static bool
address_key(const char *plain, unsigned char key[16])
{
        struct in_addr a4;
        struct in6_addr a6;

        memset(key, 0, 16);
        if (inet_pton(AF_INET, plain, &a4) == 1) {
                key[10] = key[11] = 0xff;
                memcpy(key + 12, &a4, 4);
                return true;
        }
        if (inet_pton(AF_INET6, plain, &a6) != 1)
                return false;
        memcpy(key, &a6, 8);
        return true;
}

bool
http_count_as(struct http_conn *c, const char *plain)
{
        const struct http_conn *other;
        unsigned n = 0;

        c->has_key = false;
        if (!address_key(plain, c->key))
                return true;
        for (other = LIST_FIRST(&c->http->conns); other != NULL;
             other = LIST_NEXT(other, link))
                n += other->has_key && !other->is_refused &&
                     memcmp(other->key, c->key, sizeof c->key) == 0;
        c->has_key = n < c->http->o.max_per_address;
        return c->has_key;
}

static bool
http_trusts(const struct http *h, const char *plain)
{
        for (size_t i = 0; i < h->n_proxies; i++)
                if (strcmp(h->proxies[i], plain) == 0)
                        return true;
        return false;
}

/* ---- the server ---- */

/* Over a limit: its 503 in peace, or nothing when there are many of those, too. */
static void
http_turn_away(struct http_conn *c, const char *why)
{
        struct http *h = c->http;

        c->is_refused = true;
        h->n_conns--;
        h->n_refused++;
        if (h->n_refused > REFUSED_MAX)
                http_conn_close(c);
        else
                http_conn_refuse(c, 503, why);
}

static void
http_on_accept(void *arg, int fd, const struct peer *peer)
{
        struct http *h = arg;
        bool full = h->n_conns >= h->o.max_connections;
        struct http_conn *c = http_conn_new(h, fd, peer);

        c->is_proxy = http_trusts(h, c->peer);
        if (full)
                http_turn_away(c, "too many connections");
        else if (!c->is_proxy && !http_count_as(c, c->peer))
                http_turn_away(c, "too many connections of your address");
}

static int64_t
or_default(int64_t value, int64_t otherwise)
{
        return value > 0 ? value : otherwise;
}

static void
http_set_options(struct http *h, const struct http_options *o)
{
        h->o = *o;
        h->o.max_header = (size_t)or_default((int64_t)o->max_header, 16384);
        h->o.max_connections = (size_t)or_default((int64_t)o->max_connections, 1000);
        h->o.max_per_address = (unsigned)or_default(o->max_per_address, 50);
        h->o.header_ms = or_default(o->header_ms, 10000);
        h->o.idle_ms = or_default(o->idle_ms, 60000);
        h->o.body_min_rate = or_default(o->body_min_rate, 1000);
        h->o.body_window_ms = or_default(o->body_window_ms, 30000);
        h->o.answer_ms = or_default(o->answer_ms, 120000);
}

static int
http_set_proxies(struct http *h, const struct http_options *o, struct err *err)
{
        h->proxies = xcalloc(o->n_proxies + 1, sizeof *h->proxies);
        for (size_t i = 0; i < o->n_proxies; i++) {
                char plain[64];

                if (!http_address_plain(o->proxies[i], strlen(o->proxies[i]), plain))
                        return err_set(err, ERR_CONFIG,
                            "proxy \"%.100s\" is no address; write the IP address that "
                            "the proxy connects from",
                            o->proxies[i]);
                h->proxies[h->n_proxies++] = xstrdup(plain);
        }
        return 0;
}

/* Listens on address, or, when that is allowed and it is taken, on one of the ports
 * after it. */
static struct listener *
http_listen(struct http *h, const char *address, struct err *err)
{
        struct listener *l =
            listener_open(h->loop, address, 0660, http_on_accept, h, err);
        const char *colon = strrchr(address, ':');
        long port = colon == NULL ? 0 : strtol(colon + 1, NULL, 10);

        if (l != NULL || !h->o.next_free_port || port <= 0 ||
            strncmp(address, "unix:", 5) == 0)
                return l;
        for (long i = 1; i <= PORTS_TRIED && l == NULL && port + i <= 65535; i++) {
                char next[300];

                snprintf(next, sizeof next, "%.*s:%ld", (int)(colon - address), address,
                    port + i);
                l = listener_open(h->loop, next, 0660, http_on_accept, h, NULL);
        }
        return l;
}

struct http *
http_open(struct loop *loop, const struct http_options *o, const struct http_handlers *hs,
    void *arg, struct err *err)
{
        struct http *h = xcalloc(1, sizeof *h);

        assert(hs->on_header != NULL && hs->on_body != NULL && hs->on_end != NULL &&
               hs->on_gone != NULL && o->n_listen > 0);
        h->loop = loop;
        h->h = hs;
        h->arg = arg;
        LIST_INIT(&h->conns);
        http_set_options(h, o);
        h->listeners = xcalloc(o->n_listen, sizeof(struct listener *));
        if (http_set_proxies(h, o, err) == -1) {
                http_close(&h);
                return NULL;
        }
        for (size_t i = 0; i < o->n_listen; i++) {
                struct listener *l = http_listen(h, o->listen[i], err);

                if (l == NULL) {
                        http_close(&h);
                        return NULL;
                }
                h->listeners[h->n_listeners++] = l;
        }
        h->address = xstrdup(listener_address(h->listeners[0]));
        return h;
}

static void
http_reap(void *arg)
{
        struct http *h = arg;

        for (size_t i = 0; i < h->n_proxies; i++)
                free(h->proxies[i]);
        free(h->proxies);
        free(h->listeners);
        free(h->address);
        free(h);
}

static void
http_close_listeners(struct http *h)
{
        for (size_t i = 0; i < h->n_listeners; i++)
                listener_close(&h->listeners[i]);
        h->n_listeners = 0;
}

void
http_close(struct http **p)
{
        struct http *h = *p;

        *p = NULL;
        if (h == NULL)
                return;
        http_close_listeners(h);
        while (!LIST_EMPTY(&h->conns))
                http_conn_close(LIST_FIRST(&h->conns));
        loop_later(h->loop, http_reap, h);
}

void
http_drain(struct http *h)
{
        struct http_conn *c, *next;

        h->draining = true;
        http_close_listeners(h);
        for (c = LIST_FIRST(&h->conns); c != NULL; c = next) {
                next = LIST_NEXT(c, link);
                if (c->state == CONN_HEAD)
                        http_conn_go(c);
                else if (c->state == CONN_STREAM)
                        http_conn_close(c);
        }
}

const char *
http_address(const struct http *h)
{
        return h->address;
}

size_t
http_connections(const struct http *h)
{
        return h->n_conns;
}
