/*
 * The commands that look: SHOW, MINE, WHY, STATS, BLOB, EVENTS (LIST and what shows the
 * desk: cmd_desk.c). They change nothing, except that SHOW by the holder renews the lease and notes what he has
 * seen: on the very version that is shown, so that what comes in between is not
 * taken for seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/rules.h"
#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/phones.h"

#define MESSAGES 20
#define MESSAGES_MAX 100
#define TRIES 5
#define EVENTS_DEFAULT 100
#define EVENTS_PAGE 1000 /* when all of a page was hidden from him */
#define MILLION 1000000

/* What the customers file knows of him, by any of his addresses and numbers. */
static void
customer_look_up(const struct config *c, struct customer *who)
{
        const struct customer_row *row = NULL;

        for (size_t i = 0; row == NULL && i < who->n_emails; i++)
                row = customers_find(&c->customers, who->emails[i], "");
        for (size_t i = 0; row == NULL && i < who->n_phones; i++)
                row = customers_find(&c->customers, "", who->phones[i]);
        if (row == NULL)
                return;
        who->organisation = row->organisation;
        who->manager = row->manager;
        who->vip = row->vip;
}

void
view_document(const struct agents *a, const struct ticket_view *v, bool summary,
    size_t max, struct buf *out)
{
        struct ticket ticket = v->ticket;
        const struct ticket_document d = {.ticket = &ticket,
            .messages = v->messages,
            .n_messages = summary ? 0 : v->n_messages,
            .log = v->log,
            .n_log = summary ? 0 : v->n_log,
            .delivery = v->delivery,
            .n_delivery = v->n_delivery,
            .draft = v->draft,
            .summary = summary,
            .max_bytes = max};

        customer_look_up(a->desk->config, &ticket.customer);
        ticket_document_format(&d, out);
}

static void
answer_bulk(struct call *c, const struct buf *text)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_bulk(&b, buf_str(text), text->len);
        call_answer(c, &b);
}

/* ---- SHOW ---- */

static void show_read(struct call *c);

static void
show_on_commit(void *arg, const struct err *err, const char *stored, size_t stored_len,
    const char *stored_hash)
{
        struct call *c = arg;

        (void)stored;
        (void)stored_len;
        (void)stored_hash;
        if (err->kind == ERR_STALE && ++c->n_tries < TRIES) {
                show_read(c);
                return;
        }
        if (err->kind == ERR_NONE)
                session_took_up(c->agents, c->me.agent, call_arg(c, "ticket"));
        call_answer(c, &c->answer); /* reading does not fail because the lease did */
}

/* The holder has read it: the document waits until that is noted. */
static void
show_note(struct call *c, const struct ticket_view *v)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct ticket_event e;
        struct change ch;
        struct err err;
        const struct commit commit = {
            .change = &ch, .idem = "", .idem_hash = "", .answer = ""};

        call_event(c, &v->ticket, call_has(c, "BEFORE") ? EVENT_TOUCH : EVENT_SEEN, &e);
        if (ticket_apply(&v->ticket, &e, a, &ch, &err) == -1)
                call_answer(c, &c->answer);
        else
                store_commit(c->agents->desk->store, &commit, show_on_commit, c);
}

static void
show_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct call *c = arg;
        struct buf doc AUTO_BUF = BUF_INIT;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (!v->exists || !identity_sees(c->agents, &c->me, &v->ticket)) {
                call_error(c, "NOSUCH", "there is no ticket %s", call_arg(c, "ticket"));
                return;
        }
        view_document(c->agents, v, false, agents_limits.document, &doc);
        buf_clear(&c->answer);
        resp_bulk(&c->answer, doc.data, doc.len);
        if (c->me.agent[0] != '\0' && v->ticket.state == TICKET_HELD &&
            strcmp(v->ticket.holder, c->me.agent) == 0)
                show_note(c, v);
        else
                call_answer(c, &c->answer);
}

static void
show_read(struct call *c)
{
        const struct read_ticket r = {.id = call_arg(c, "ticket"),
            .n_messages = (unsigned)call_num(c, "COUNT", MESSAGES),
            .thread = true,
            .before_id = call_arg(c, "BEFORE"),
            .log = true,
            .idem = ""};

        store_read(c->agents->desk->store, &r, show_on_view, c);
}

void
cmd_show(struct call *c)
{
        show_read(c);
}

/* ---- MINE ---- */

void
view_summaries(
    const struct agents *a, const struct ticket_view *views, size_t n, struct buf *out)
{
        size_t n_there = 0;

        for (size_t i = 0; i < n; i++)
                n_there += views[i].exists;
        resp_array(out, n_there);
        for (size_t i = 0; i < n; i++) {
                struct buf doc AUTO_BUF = BUF_INIT;

                if (!views[i].exists)
                        continue;
                view_document(a, &views[i], true, agents_limits.document, &doc);
                resp_bulk(out, doc.data, doc.len);
        }
}

static void
mine_on_list(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        (void)cursor; /* `holds` is far below a page */
        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        view_summaries(c->agents, views, n, &b);
        call_answer(c, &b);
}

void
cmd_mine(struct call *c)
{
        const struct list_query q = {.by_holder = true,
            .agent = c->me.agent,
            .state = "",
            .line = "",
            .cursor = "0",
            .count = 100};

        if (call_has(c, "ASKED"))
                mine_asked(c);
        else
                store_list(c->agents->desk->store, &q, mine_on_list, c);
}

/* A page holds at most 100, whatever was asked for. */
unsigned
page_size(const struct call *c)
{
        int64_t n = call_num(c, "COUNT", 20);

        return n > 100 ? 100 : (unsigned)n;
}

/* ---- EVENTS ---- */

/* May he hear of it? Events without a line are everybody's. */
static bool
event_is_told(const struct call *c, const char *json)
{
        struct err err;
        json_t *o = json_read(json, strlen(json), 65536, &err);
        bool told = o != NULL && identity_hears(c->agents, &c->me,
                                     json_str(o, "line", ""), json_str(o, "agent", ""));

        json_decref(o);
        return told;
}

static void
events_on_events(void *arg, const struct err *err, const char *const *seqs,
    const char *const *jsons, size_t n)
{
        struct call *c = arg;
        struct arena *a AUTO_ARENA =
            arena_new(); /* not the call's: there may be many pages */
        struct buf all AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
        size_t n_hidden = 0, n_told = 0,
               most = (size_t)call_num(c, "COUNT", EVENTS_DEFAULT);

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        identity_hidden(c->agents, &c->me, a, &n_hidden);
        for (size_t i = 0; i < n && n_told < most; i++)
                if (n_hidden == 0 || event_is_told(c, jsons[i])) {
                        resp_bulks(&all, jsons[i]);
                        n_told++;
                }
        /* an empty page would look like the end */
        if (n > 0 && n_told == 0 && (c->conn == NULL || conn_is_gone(c->conn))) {
                call_answer(c, NULL);
                return;
        }
        if (n > 0 && n_told == 0) {
                store_events(c->agents->desk->store, seqs[n - 1], EVENTS_PAGE,
                    events_on_events, c);
                return;
        }
        resp_array(&b, n_told);
        buf_add(&b, all.data, all.len);
        call_answer(c, &b);
}

void
cmd_events(struct call *c)
{
        store_events(c->agents->desk->store, call_arg(c, "AFTER"),
            (unsigned)call_num(c, "COUNT", EVENTS_DEFAULT), events_on_events, c);
}

/* ---- BLOB ---- */

static void
blob_on_part(void *arg, const struct err *err, const char *bytes, size_t len)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        resp_bulk(&b, bytes, len);
        call_answer(c, &b);
}

/* Whether a mail has HTML is known only to who reads it again. */
static bool
message_has_part(const struct message *m, const char *part)
{
        if (strcmp(part, "html") == 0)
                return m->raw.segment != 0 && strcmp(m->channel, "email") == 0;
        for (size_t i = 0; i < m->n_attachments; i++)
                if (strcmp(m->attachments[i].part, part) == 0)
                        return m->raw.segment != 0;
        return false;
}

/* The ticket that message was split off to, NULL: it is here. */
static const char *
blob_moved_to(const struct ticket *t, long number)
{
        for (size_t i = 0; i < t->n_moved; i++) {
                char *colon;

                if (strtol(t->moved[i], &colon, 10) == number && *colon == ':')
                        return colon + 1;
        }
        return NULL;
}

static bool
blob_is_moved(const struct ticket *t, const struct message *m)
{
        const char *dot = strrchr(m->id, '.');

        return dot != NULL && blob_moved_to(t, strtol(dot + 1, NULL, 10)) != NULL;
}

/* The newest message with such a part; split_off: also of those that are elsewhere now. */
static bool
blob_find(
    const struct ticket_view *v, const char *part, bool split_off, struct blob_ref *raw)
{
        for (size_t i = v->n_messages; i-- > 0;) {
                struct message *m = NULL;
                struct err err;
                bool found;

                if (message_parse(v->messages[i], strlen(v->messages[i]), &m, &err) == -1)
                        continue;
                found = message_has_part(m, part) &&
                        (split_off || !blob_is_moved(&v->ticket, m));
                *raw = m->raw;
                message_free(&m);
                if (found)
                        return true;
        }
        return false;
}

static void
blob_cut(struct call *c, const struct blob_ref *raw)
{
        desk_cut_part(c->agents->desk, raw, call_arg(c, "part"),
            (uint64_t)call_num(c, "OFFSET", 0), (uint64_t)call_num(c, "COUNT", 1 << 20),
            blob_on_part, c);
}

/* The message was split off: who sees the ticket it is on now sees it. */
static void
blob_on_new_home(void *arg, const struct err *err, struct ticket_view *v)
{
        struct call *c = arg;

        if (err->kind != ERR_NONE)
                call_fail(c, err);
        else if (!v->exists || !identity_sees(c->agents, &c->me, &v->ticket))
                call_error(c, "NOSUCH", "there is no ticket %s", call_arg(c, "ticket"));
        else
                blob_cut(c, c->state);
}

static void
blob_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct call *c = arg;
        const char *ticket = call_arg(c, "ticket"), *part = call_arg(c, "part");
        long number = (long)call_num(c, "ticket", 0);
        const char *to = err->kind == ERR_NONE && v->exists && number > 0
                             ? blob_moved_to(&v->ticket, number)
                             : NULL;
        struct blob_ref raw;

        if (err->kind != ERR_NONE)
                call_fail(c, err);
        else if (to != NULL && blob_find(v, part, true, &raw)) {
                const struct read_ticket r = {
                    .id = arena_strdup(c->arena, to), .idem = ""};

                c->state = arena_alloc(c->arena, sizeof raw);
                *(struct blob_ref *)c->state = raw;
                store_read(c->agents->desk->store, &r, blob_on_new_home, c);
        } else if (!v->exists || !identity_sees(c->agents, &c->me, &v->ticket))
                call_error(c, "NOSUCH", "there is no ticket %s", ticket);
        else if (!blob_find(v, part, false, &raw))
                call_error(
                    c, "NOSUCH", "%s has no attachment with part %s", ticket, part);
        else
                blob_cut(c, &raw);
}

void
cmd_blob(struct call *c)
{
        const char *ticket = call_arg(c, "ticket");
        unsigned number = (unsigned)call_num(c, "ticket", 0);
        const struct read_ticket r = {
            .id = arena_strndup(c->arena, ticket, strcspn(ticket, ".")),
            .n_messages = number > 0 ? 1 : MESSAGES_MAX,
            .before = number > 0 ? number + 1 : 0,
            .idem = ""};

        store_read(c->agents->desk->store, &r, blob_on_view, c);
}

/* ---- WHY ---- */

struct why_agent { /* one who is asked about: his place in why.fits */
        struct call *call;
        size_t i;
};

struct why { /* call->state */
        struct who_fits *fits;
        size_t n;
        size_t n_waiting;
        struct buf head; /* the document up to "agents" */
};

static void
why_answer(struct call *c)
{
        struct why *w = c->state;
        struct buf doc AUTO_BUF = w->head;
        struct json_out o;

        jo_init(&o, &doc);
        o.comma = true;
        rules_agents_format(w->fits, w->n, call_arg(c, "agent"), clock_now_ms(), &o);
        jo_close(&o, '}');
        answer_bulk(c, &doc);
}

/* What stands against him besides the class: away, offline, full. */
static void
why_on_agent(void *arg, const struct err *err, const struct agent_state *s)
{
        struct why_agent *a = arg;
        struct call *c = a->call;
        struct why *w = c->state;
        struct who_fits *f = &w->fits[a->i];

        if (err->kind == ERR_NONE && f->fits) {
                if (s->presence == PRESENCE_AWAY)
                        f->against = arena_printf(c->arena, "is away%s%s",
                            s->reason[0] != '\0' ? ": " : "", s->reason);
                else if (s->closed)
                        f->against = "is outside his hours";
                else if (s->used >= f->agent->holds)
                        f->against = arena_printf(
                            c->arena, "holds %u of %u tickets", s->used, f->agent->holds);
                else if (s->presence == PRESENCE_OFFLINE)
                        f->against = "is offline";
                f->fits = f->against[0] == '\0';
        }
        if (--w->n_waiting == 0)
                why_answer(c);
}

/* The kind of a ticket is that of its first message. */
static const char *
why_kind(const struct ticket_view *v)
{
        const char *kind = "message";
        struct message *m = NULL;
        struct err err;

        if (v->n_messages > 0 &&
            message_parse(v->messages[0], strlen(v->messages[0]), &m, &err) == 0) {
                kind = message_kind_name(m->kind);
                message_free(&m);
        }
        return kind;
}

static void
why_head(const struct ticket_view *v, const struct calendar *cal, struct buf *out)
{
        const struct ticket *t = &v->ticket;
        struct json_out o;

        jo_init(&o, out);
        jo_open(&o, '{');
        jo_kstring(&o, "ticket", t->id);
        jo_kstring(&o, "route", t->route);
        jo_kstring(&o, "line", t->line);
        jo_kstrings(&o, "tags", t->tags, t->n_tags);
        class_format_skills(&o, "needs", t->class_doc.needs, t->class_doc.n_needs);
        class_format_skills(&o, "musts", t->class_doc.musts, t->class_doc.n_musts);
        jo_kstring(&o, "priority", priority_name(t->priority));
        jo_kstring(&o, "language", t->language);
        jo_kstring(&o, "kind", why_kind(v));
        jo_kraw(&o, "sentences", t->why[0] != '\0' ? t->why : "[]",
            t->why[0] != '\0' ? strlen(t->why) : 2);
        rules_steps_format(&t->class_doc, cal, t->entered_ms, &o);
}

/* The store knows who is there and how much he holds. A reload may come in between: names
 * and capacity are kept as they are now. */
static void
why_ask_agents(struct call *c, const char *only)
{
        struct why *w = c->state;
        struct why_agent *asked = arena_alloc(c->arena, (w->n + 1) * sizeof *asked);

        for (size_t i = 0; i < w->n; i++) {
                struct agent_options *copy = arena_alloc(c->arena, sizeof *copy);

                *copy = (struct agent_options){
                    .name = arena_strdup(c->arena, w->fits[i].agent->name),
                    .holds = w->fits[i].agent->holds};
                w->fits[i].agent = copy;
                asked[i] = (struct why_agent){c, i};
                if (only[0] == '\0' || strcmp(only, copy->name) == 0)
                        w->n_waiting++;
        }
        if (w->n_waiting == 0) {
                why_answer(c);
                return;
        }
        for (size_t i = 0; i < w->n; i++)
                if (only[0] == '\0' || strcmp(only, w->fits[i].agent->name) == 0)
                        store_agent(c->agents->desk->store, w->fits[i].agent->name,
                            why_on_agent, &asked[i]);
}

static void
why_on_view(void *arg, const struct err *err, struct ticket_view *v)
{
        struct call *c = arg;
        struct why *w = c->state;
        const struct config *config = c->agents->desk->config;
        const struct calendar *cal;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        if (!v->exists || !identity_sees(c->agents, &c->me, &v->ticket)) {
                call_error(c, "NOSUCH", "there is no ticket %s", call_arg(c, "ticket"));
                return;
        }
        cal = config_calendar(config, v->ticket.class_doc.calendar);
        if (cal == NULL)
                cal = dispatch_calendar(
                    c->agents->desk->dispatch, v->ticket.class_doc.calendar);
        why_head(v, cal, &w->head);
        w->n = rules_who_fits(config, &v->ticket.class_doc, cal, v->ticket.entered_ms,
            clock_now_ms(), c->arena, &w->fits);
        why_ask_agents(c, call_arg(c, "agent"));
}

void
cmd_why(struct call *c)
{
        const struct desk *d = c->agents->desk;
        const struct read_ticket r = {
            .id = call_arg(c, "ticket"), .n_messages = 1, .before = 2, .idem = ""};

        if (call_has(c, "agent") &&
            config_agent(d->config, call_arg(c, "agent")) == NULL) {
                call_error(c, "NOSUCH", "there is no agent '%s'", call_arg(c, "agent"));
                return;
        }
        c->state = arena_alloc(c->arena, sizeof(struct why));
        store_read(d->store, &r, why_on_view, c);
}

/* ---- STATS ---- */

static void
stats_lines(struct agents *a, const struct store_stats *st, struct json_out *o)
{
        const struct config *c = a->desk->config;

        jo_key(o, "lines");
        jo_open(o, '{');
        for (size_t i = 0; i < c->n_lines; i++) {
                int64_t queued = 0, held = 0, oldest_ms = 0;
                unsigned ready = 0;
                const struct session *s = NULL;

                for (size_t k = 0; k < st->n_lines; k++)
                        if (strcmp(st->lines[k], c->lines[i].name) == 0) {
                                queued = st->queued[k];
                                held = st->held[k];
                                oldest_ms = st->oldest_ms[k];
                        }
                LIST_FOREACH(s, &a->sessions, link)
                {
                        const struct agent_options *who = config_agent(c, s->agent);

                        ready += who != NULL && s->presence == PRESENCE_READY &&
                                 strcmp(who->line, c->lines[i].name) == 0;
                }
                jo_key(o, c->lines[i].name);
                jo_open(o, '{');
                jo_kint(o, "queued", queued);
                jo_kint(o, "held", held);
                jo_kint(o, "oldest_s", queued > 0 ? oldest_ms / 1000 : 0);
                jo_kint(o, "ready", ready);
                jo_close(o, '}');
        }
        jo_close(o, '}');
}

static void
stats_phones(const struct desk *d, struct json_out *o)
{
        for (size_t i = 0; i < phones_count(d->phones); i++) {
                struct phone_log_status s;

                phone_log_status(phones_at(d->phones, i), &s);
                jo_open(o, '{');
                jo_kstring(o, "account", s.account);
                jo_kstring(o, "channel", "phone");
                jo_kstring(o, "state", d->draining ? "draining" : s.state);
                jo_ktime(o, "since", s.since_ms * 1000);
                jo_kstring_or_null(o, "last_error", s.last_error);
                jo_close(o, '}');
        }
}

static void
stats_channels(const struct desk *d, struct json_out *o)
{
        struct err why = {.kind = ERR_NONE};
        bool takes = store_may_take(d->store, &why) == 0;

        jo_key(o, "channels");
        jo_open(o, '[');
        for (size_t i = 0; i < d->config->n_mails; i++) {
                jo_open(o, '{');
                jo_kstring(o, "account", d->config->mails[i].address);
                jo_kstring(o, "channel", "email");
                jo_kstring(o, "state",
                    d->draining ? "draining"
                    : takes     ? "open"
                                : "paused");
                jo_ktime(o, "since", d->started_at_us);
                jo_kstring_or_null(o, "last_error", takes ? "" : why.text);
                jo_close(o, '}');
        }
        stats_phones(d, o);
        jo_close(o, ']');
}

static void
stats_numbers(struct agents *a, const struct store_stats *st, struct json_out *o)
{
        unsigned ready, away;

        agents_count(a, &ready, &away);
        jo_key(o, "agents");
        jo_open(o, '{');
        jo_kint(o, "ready", ready);
        jo_kint(o, "away", away);
        jo_kint(o, "parked", (int64_t)dispatch_parked(a->desk->dispatch));
        jo_close(o, '}');
        jo_key(o, "in");
        jo_open(o, '{');
        jo_kint(o, "messages", st->in_messages);
        jo_kint(o, "duplicates", st->in_duplicates);
        jo_kint(o, "quarantined", st->in_quarantined);
        jo_close(o, '}');
        jo_key(o, "outbox");
        jo_open(o, '{');
        jo_kint(o, "held", st->out_held);
        jo_kint(o, "queued", st->out_queued);
        jo_kint(o, "deferred", st->out_deferred);
        jo_kint(o, "dead", st->out_dead);
        jo_close(o, '}');
}

static void
stats_store(const struct store_stats *st, struct json_out *o)
{
        char ms[32];

        snprintf(ms, sizeof ms, "%.2f", st->ms);
        jo_key(o, "store");
        jo_open(o, '{');
        jo_kstring(o, "kind", st->kind);
        jo_kstring(o, "durability", st->durability);
        jo_kraw(o, "ms", ms, strlen(ms));
        jo_close(o, '}');
        jo_key(o, "tickets");
        jo_open(o, '{');
        for (int s = TICKET_QUEUED; s <= TICKET_MERGED; s++)
                jo_kint(o, ticket_state_name((enum ticket_state)s), st->tickets[s]);
        jo_close(o, '}');
}

static void
stats_on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
        struct call *c = arg;
        const struct desk *d = c->agents->desk;
        struct buf doc AUTO_BUF = BUF_INIT;
        struct json_out o;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        jo_init(&o, &doc);
        jo_open(&o, '{');
        jo_kstring(&o, "desk", d->config->name);
        jo_kstring(&o, "version", HELPLINE_VERSION);
        jo_kint(&o, "uptime_s", (clock_now_us() - d->started_at_us) / MILLION);
        jo_kbool(&o, "live", store_is_live(d->store));
        stats_store(st, &o);
        stats_lines(c->agents, st, &o);
        stats_numbers(c->agents, st, &o);
        stats_channels(d, &o);
        jo_close(&o, '}');
        answer_bulk(c, &doc);
}

void
cmd_stats(struct call *c)
{
        store_stats(c->agents->desk->store, stats_on_stats, c);
}
