/*
 * Events: who subscribed to what, and the frames.
 *
 * A connection gets nothing that it did not ask for, and only message frames, the
 * one push shape that every client library hands to its user. A slow reader is
 * first left out and told how much it missed, then dropped; it reads the rest from
 * the journal (EVENTS), which is the truth: nothing here is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/agent/caller.h"
#include "daemon/base/log.h"

/* * and ?, in time linear in both for each star. */
bool
glob_match(const char *pattern, const char *s)
{
        const char *star = NULL, *retry = NULL;

        while (*s != '\0') {
                if (*pattern == '*') {
                        star = ++pattern;
                        retry = s;
                } else if (*pattern != '\0' && (*pattern == '?' || *pattern == *s)) {
                        pattern++;
                        s++;
                } else if (star != NULL) {
                        pattern = star;
                        s = ++retry;
                } else
                        return false;
        }
        while (*pattern == '*')
                pattern++;
        return *pattern == '\0';
}

bool
channel_is_valid(const char *s)
{
        if (strcmp(s, "me") == 0 || strcmp(s, "desk") == 0)
                return true;
        if (strncmp(s, "ticket:", 7) == 0)
                return s[7] != '\0' && strlen(s + 7) <= 15 &&
                       strspn(s + 7, "0123456789") == strlen(s + 7);
        return strncmp(s, "line:", 5) == 0 && s[5] != '\0';
}

/* ---- subscriptions ---- */

static struct subscription *
subscription_find(struct conn *c, const char *channel, bool pattern)
{
        struct subscription *s = NULL;

        LIST_FOREACH(s, &c->subscriptions, link)
        if (s->is_pattern == pattern && strcmp(s->channel, channel) == 0)
                return s;
        return NULL;
}

static void
subscription_free(struct conn *c, struct subscription *s)
{
        LIST_REMOVE(s, link);
        c->n_subscriptions--;
        c->agents->n_subscriptions--;
        free(s);
}

/* "subscribe", "me", 1: the confirmation Redis sends for each channel. */
static void
confirm(struct conn *c, const char *what, const char *channel)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_push(&b, c->proto, 3);
        resp_bulks(&b, what);
        if (channel == NULL)
                resp_null(&b, c->proto);
        else
                resp_bulks(&b, channel);
        resp_int(&b, c->n_subscriptions);
        conn_write(c, &b);
}

void
events_listen(struct conn *c, const char *channel, bool pattern)
{
        size_t n = strlen(channel) + 1;
        struct subscription *s;

        if (subscription_find(c, channel, pattern) != NULL)
                return;
        s = xcalloc(1, sizeof *s + n);
        s->is_pattern = pattern;
        memcpy(s->channel, channel, n);
        LIST_INSERT_HEAD(&c->subscriptions, s, link);
        c->n_subscriptions++;
        c->agents->n_subscriptions++;
}

void
events_subscribe(struct conn *c, const char *channel, bool pattern)
{
        events_listen(c, channel, pattern);
        confirm(c, pattern ? "psubscribe" : "subscribe", channel);
}

void
events_unsubscribe(struct conn *c, const char *channel, bool pattern)
{
        const char *what = pattern ? "punsubscribe" : "unsubscribe";
        struct subscription *s, *next;
        unsigned n = 0;

        if (channel != NULL) {
                s = subscription_find(c, channel, pattern);
                if (s != NULL)
                        subscription_free(c, s);
                confirm(c, what, channel);
                return;
        }
        for (s = LIST_FIRST(&c->subscriptions); s != NULL; s = next) {
                char name[1100];

                next = LIST_NEXT(s, link);
                if (s->is_pattern != pattern)
                        continue;
                snprintf(name, sizeof name, "%s", s->channel);
                subscription_free(c, s);
                confirm(c, what, name);
                n++;
        }
        if (n == 0)
                confirm(c, what, NULL);
}

void
events_forget(struct conn *c)
{
        struct subscription *s = LIST_FIRST(&c->subscriptions), *next;

        for (; s != NULL; s = next) {
                next = LIST_NEXT(s, link);
                subscription_free(c, s);
        }
}

/* ---- frames ---- */

static void
frame(struct conn *c, const struct subscription *s, const char *channel, const char *json,
    size_t len, struct buf *out)
{
        resp_push(out, c->proto, s->is_pattern ? 4 : 3);
        resp_bulks(out, s->is_pattern ? "pmessage" : "message");
        if (s->is_pattern)
                resp_bulks(out, s->channel);
        resp_bulks(out, channel);
        resp_bulk(out, json, len);
}

/* A reader with much unread is left out, then dropped. False: it is gone. */
static bool
deliver(struct conn *c, const struct buf *b, unsigned n)
{
        size_t unread = stream_unsent(c->stream);

        if (c->closing)
                return true;
        if (unread + c->missed_bytes + b->len > agents_limits.unread_events) {
                log_warn("SLOW", "connection=%s agent=%s unread=%zu missed=%u", c->name,
                    log_quote(c->me.who), unread, c->n_missed + n);
                conn_end(c, true, "did not read its events");
                return false;
        }
        if (c->full || c->n_missed > 0) {
                c->n_missed += n;
                c->missed_bytes += b->len;
        } else
                conn_write(c, b);
        return true;
}

void
events_caught_up(struct conn *c)
{
        struct buf json AUTO_BUF = BUF_INIT, out AUTO_BUF = BUF_INIT;
        struct subscription *s = LIST_FIRST(&c->subscriptions);

        if (c->n_missed == 0 || c->closed || c->closing)
                return;
        buf_addf(&json, "{\"event\":\"gap\",\"missed\":%u}", c->n_missed);
        c->n_missed = 0;
        c->missed_bytes = 0;
        if (s == NULL)
                return;
        frame(c, s, s->is_pattern ? "desk" : s->channel, json.data, json.len, &out);
        conn_write(c, &out);
}

/* An event's channels: "me" differs for each connection. */
struct event_names {
        char agent[NAME_MAX_BYTES + 1];
        bool for_leads; /* it is for leads, too */
        char line[300];
        char ticket[40];
};

/* Promises, and what the store's clocks and counts say about a ticket that goes astray. */
static bool
is_for_leads(const char *event, const char *why)
{
        static const char *const astray[] = {
            "half of its lease is over", "given back three times"};

        for (size_t i = 0; i < sizeof astray / sizeof *astray; i++)
                if (strcmp(event, "changed") == 0 && strcmp(why, astray[i]) == 0)
                        return true;
        return strcmp(event, "at-risk") == 0 || strcmp(event, "broken") == 0;
}

static int
event_names_read(struct event_names *e, const char *json, size_t len)
{
        struct err err;
        json_t *o = json_read(json, len, 65536, &err);

        memset(e, 0, sizeof *e);
        if (o == NULL) {
                log_warn("EVENT", "why=%s", log_quote(err.text));
                return -1;
        }
        snprintf(e->agent, sizeof e->agent, "%s", json_str(o, "agent", ""));
        e->for_leads = is_for_leads(json_str(o, "event", ""), json_str(o, "why", ""));
        if (json_str(o, "line", "")[0] != '\0')
                snprintf(e->line, sizeof e->line, "line:%s", json_str(o, "line", ""));
        if (json_str(o, "ticket", "")[0] != '\0')
                snprintf(
                    e->ticket, sizeof e->ticket, "ticket:%s", json_str(o, "ticket", ""));
        json_decref(o);
        return 0;
}

static bool
hears(const struct subscription *s, const char *channel)
{
        if (channel[0] == '\0')
                return false;
        return s->is_pattern ? glob_match(s->channel, channel)
                             : strcmp(s->channel, channel) == 0;
}

/* One frame for each subscription and channel that fit; out NULL: only their number. */
static unsigned
frames(struct conn *c, const struct event_names *e, const char *json, size_t len,
    struct buf *out)
{
        const bool mine = c->me.agent[0] != '\0' && (strcmp(c->me.agent, e->agent) == 0 ||
                                                        (e->for_leads && c->me.is_lead));
        const char *channels[] = {mine ? "me" : "", "desk", e->line, e->ticket};
        const struct subscription *s = NULL;
        unsigned n = 0;

        if (!mine &&
            !identity_sees_line(c->agents, &c->me, e->line[0] == '\0' ? "" : e->line + 5))
                return 0;
        LIST_FOREACH(s, &c->subscriptions, link)
        for (size_t i = 0; i < 4; i++)
                if (hears(s, channels[i])) {
                        if (out != NULL)
                                frame(c, s, channels[i], json, len, out);
                        n++;
                }
        return n;
}

bool
caller_hears(const struct conn *c, const char *json, size_t n)
{
        struct event_names e;

        return event_names_read(&e, json, n) == 0 &&
               frames((struct conn *)c, &e, json, n, NULL) > 0;
}

static void
tell(struct conn *c, const struct event_names *e, const char *seq, const char *json,
    size_t len)
{
        struct buf out AUTO_BUF = BUF_INIT;
        unsigned n = frames(c, e, json, len, c->remote != NULL ? NULL : &out);

        if (n > 0 && c->remote != NULL)
                remote_event(c, seq, json, len);
        else if (n > 0)
                deliver(c, &out, n);
}

void
agents_event(struct agents *a, const char *seq, const char *json, size_t len)
{
        struct event_names e;
        struct conn *c, *next;

        if (a->n_subscriptions == 0 || event_names_read(&e, json, len) == -1)
                return;
        for (c = TAILQ_FIRST(&a->conns); c != NULL; c = next) {
                next = TAILQ_NEXT(c, link);
                if (c->n_subscriptions > 0)
                        tell(c, &e, seq, json, len);
        }
}
