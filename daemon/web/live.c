/*
 * GET /v1/events: what SUBSCRIBE tells, as server-sent events (docs/protocol.md, "Over
 * HTTP").
 *
 * Two ways to read, and it changes between them: live (each entry of the journal as it
 * comes) and catching up (pages of the journal after the last one told). It catches up
 * after Last-Event-ID, and whenever the client reads too slowly: then nothing is kept for
 * it here but the place where it stopped. Back to live only when a page was the last and
 * nothing has come since, so there is neither gap nor double. What the journal itself has
 * forgotten is told as a `gap`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/limits.h"
#include "daemon/base/clock.h"
#include "daemon/web/api.h"
#include "daemon/web/api_json.h"

#define UNSENT_MAX (256 << 10) /* above it: read from the journal later */
#define PAGE 200
#define AGAIN_MS 1000 /* the store is away */
#define CHANNELS_MAX 256
#define FUTURE_MS 86400000

struct live {
        struct web_request *q;
        char last[48]; /* id of the last entry told or left out */
        char newest[48]; /* of the last that came while it was not live */
        bool is_live;
        bool look_first; /* is the journal's beginning still before `last`? */
        struct live_page *page; /* under way */
        struct timer *heartbeat;
        struct timer *again; /* catch up after a moment */
};

struct live_page { /* lives until the store has answered */
        struct live *live; /* NULL: nobody waits any more */
};

/* ---- writing ---- */

static void
live_tell(struct live *l, const char *seq, const char *json, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;

        buf_addf(&b, "id: %s\ndata: ", seq);
        buf_add(&b, json, n);
        buf_adds(&b, "\n\n");
        http_stream_write(l->q->http, b.data, b.len);
}

static void
live_tell_gap(struct live *l)
{
        static const char gap[] = "data: {\"event\":\"gap\",\"missed\":null}\n\n";

        http_stream_write(l->q->http, gap, sizeof gap - 1);
}

/* A comment, and how far all has been told: a reconnect need not read it again. */
static void
live_beat(void *arg)
{
        struct live *l = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        if (http_stream_unsent(l->q->http) == 0) {
                buf_adds(&b, ":\n");
                if (l->is_live && l->last[0] != '\0')
                        buf_addf(&b, "id: %s\n\n", l->last);
                http_stream_write(l->q->http, b.data, b.len);
        }
        timer_set(l->heartbeat, agents_limits.heartbeat_ms);
}

/* ---- catching up ---- */

static void live_catch_up(struct live *l);

static void
live_on_again(void *arg)
{
        live_catch_up(arg);
}

static void
live_page_done(struct live *l, bool was_last)
{
        if (!was_last || api_seq_compare(l->newest, l->last) > 0)
                live_catch_up(l);
        else
                l->is_live = true;
}

static void
live_on_page(void *arg, const struct err *err, const char *const *seqs,
    const char *const *jsons, size_t n)
{
        struct live_page *p = arg;
        struct live *l = p->live;
        const struct conn *caller;

        free(p);
        if (l == NULL)
                return;
        l->page = NULL;
        caller = l->q->agent->caller;
        if (err->kind != ERR_NONE) {
                timer_set(l->again, AGAIN_MS);
                return;
        }
        if (l->look_first) {
                l->look_first = false;
                if (n > 0 && api_seq_compare(seqs[0], l->last) > 0)
                        live_tell_gap(l);
                live_catch_up(l);
                return;
        }
        for (size_t i = 0; i < n; i++) {
                if (caller_hears(caller, jsons[i], strlen(jsons[i])))
                        live_tell(l, seqs[i], jsons[i], strlen(jsons[i]));
                snprintf(l->last, sizeof l->last, "%s", seqs[i]);
        }
        live_page_done(l, n < PAGE);
}

/* The next page, when the client has read enough; live_drained comes back here. */
static void
live_catch_up(struct live *l)
{
        struct store *s = l->q->web->desk->store;

        l->is_live = false;
        if (l->page != NULL || http_stream_unsent(l->q->http) > UNSENT_MAX)
                return;
        l->page = xcalloc(1, sizeof *l->page);
        l->page->live = l;
        store_events(s, l->look_first ? "0" : l->last, l->look_first ? 1 : PAGE,
            live_on_page, l->page);
}

/* ---- what comes ---- */

void
live_event(struct web_request *q, const char *seq, const char *json, size_t n)
{
        struct live *l = q->live;

        if (l == NULL)
                return;
        if (l->is_live && api_seq_compare(seq, l->last) <= 0)
                return; /* it was in a page */
        if (l->is_live && http_stream_unsent(q->http) > UNSENT_MAX)
                l->is_live = false; /* until it has read: live_drained */
        if (!l->is_live) {
                snprintf(l->newest, sizeof l->newest, "%s", seq);
                return;
        }
        live_tell(l, seq, json, n);
        snprintf(l->last, sizeof l->last, "%s", seq);
}

void
live_drained(struct web_request *q)
{
        struct live *l = q->live;

        if (l != NULL && !l->is_live && l->page == NULL && !timer_is_set(l->again))
                live_catch_up(l);
}

void
live_forget(struct web_request *q)
{
        struct live *l = q->live;

        if (l == NULL)
                return;
        q->live = NULL;
        if (l->page != NULL)
                l->page->live = NULL;
        timer_free(&l->heartbeat);
        timer_free(&l->again);
        free(l);
}

void
live_end(struct web_request *q)
{
        struct http_request *r = q->http;

        web_request_end(q);
        http_stream_end(r);
}

/* ---- the beginning ---- */

/* Where to go on: Last-Event-ID, or after= for those who cannot set it. -1: no id. */
static int
live_find_last(struct web_request *q, const char **last)
{
        size_t n;

        *last = http_header(q->http, "Last-Event-ID");
        if (**last == '\0' &&
            (api_query(http_query(q->http), "after", last, 1, &n, q->arena) == -1))
                return -1;
        if (**last == '\0')
                return 0;
        return api_seq_is_valid(*last) &&
                       strtoll(*last, NULL, 10) <= clock_now_ms() + FUTURE_MS
                   ? 0
                   : -1;
}

static int
live_listen(struct web_request *q, struct err *err)
{
        const char **channels = arena_alloc(q->arena, CHANNELS_MAX * sizeof *channels);
        size_t n;

        if (api_query(http_query(q->http), "channel", channels, CHANNELS_MAX, &n,
                q->arena) == -1 ||
            n == 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "channel: expected 1 to %d of me, desk, line:NAME, ticket:ID, as in "
                    "?channel=me&channel=line:first",
                    CHANNELS_MAX);
        for (size_t i = 0; i < n; i++)
                if (caller_listen(q->agent->caller, channels[i], err) == -1)
                        return -1;
        return 0;
}

static void
live_begin(struct web_request *q, const char *last)
{
        struct live *l = xcalloc(1, sizeof *l);
        const char *at = store_journal_at(q->web->desk->store);
        struct buf b AUTO_BUF = BUF_INIT;

        l->q = q;
        l->heartbeat = timer_new(q->web->desk->loop, live_beat, l);
        l->again = timer_new(q->web->desk->loop, live_on_again, l);
        q->live = l;
        q->agent->q = q;
        http_add_header(q->http, "X-Accel-Buffering", "no"); /* nginx in front */
        web_add_cors(q);
        http_stream_begin(q->http, 200, "text/event-stream; charset=utf-8");
        snprintf(l->last, sizeof l->last, "%s", *last != '\0' ? last : at);
        buf_adds(&b, "retry: 2000\n");
        if (l->last[0] != '\0')
                buf_addf(&b, "id: %s\n", l->last);
        buf_adds(&b, "\n");
        http_stream_write(q->http, b.data, b.len);
        timer_set(l->heartbeat, agents_limits.heartbeat_ms);
        l->look_first = *last != '\0' && api_seq_compare(last, "0") > 0;
        if (*last != '\0')
                live_catch_up(l);
        else
                l->is_live = true;
}

static int64_t
live_head(struct web_request *q)
{
        q->is_json = true; /* its errors are */
        return web_agent_login(q);
}

static void
live_route_end(struct web_request *q)
{
        const char *last = "";
        struct err err;

        if (q->agent->caller == NULL)
                web_api_error(q, "WRONGPASS", "the token was dropped");
        else if (live_find_last(q, &last) == -1)
                web_api_error(q, "BADARG",
                    "Last-Event-ID: expected an event's seq, like 1732442400123-0");
        else if (*store_journal_at(q->web->desk->store) == '\0')
                web_api_error(q, "TRYAGAIN", "the store is not there yet");
        else if (live_listen(q, &err) == -1) {
                caller_listen_none(q->agent->caller);
                web_api_fail(q, &err);
        } else
                live_begin(q, last);
}

const struct web_route web_live_routes[] = {
    {HTTP_GET, "/v1/events", live_head, live_route_end},
};
const size_t n_web_live_routes = sizeof web_live_routes / sizeof *web_live_routes;
