/*
 * The commands that show the desk: LIST, SEARCH, QUEUE, LINES, AGENTS. They change nothing; what
 * lies in a private line is told to its agents and to leads only.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/agent/agent.h"
#include "daemon/model/words.h"
#include "daemon/search.h"

#define QUEUE_DEFAULT 20

void
answer_page(struct call *c, const char *cursor, const struct ticket_view *views, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;

        resp_array(&b, 2);
        resp_bulks(&b, cursor);
        view_summaries(c->agents, views, n, &b);
        call_answer(c, &b);
}

/* A line he may ask about; false: answered. */
static bool
line_is_there(struct call *c, const char *line)
{
        const struct config *config = c->agents->desk->config;

        if (line[0] == '\0' || (config_line(config, line) != NULL &&
                                   identity_sees_line(c->agents, &c->me, line)))
                return true;
        call_error(c, "NOSUCH", "there is no line '%s'", line);
        return false;
}

/* ---- LIST ---- */

static void
list_on_list(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct call *c = arg;

        if (err->kind != ERR_NONE)
                call_fail(c, err);
        else
                answer_page(c, cursor, views, n);
}

/* An address or a number in the form in which it is kept; an id stays as it is. */
static const char *
list_customer(const struct call *c)
{
        const char *s = call_arg(c, "CUSTOMER"), *plain;

        if (strchr(s, '@') != NULL)
                return address_normalise(c->arena, s);
        if (s[0] != '+' && (s[0] < '0' || s[0] > '9'))
                return s;
        plain = phone_normalise(c->arena, s, c->agents->desk->config->country);
        return plain[0] != '\0' ? plain : s;
}

void
cmd_list(struct call *c)
{
        const struct config *config = c->agents->desk->config;
        struct list_query q = {.by_holder = call_has(c, "HOLDER"),
            .agent = call_arg(c, "HOLDER"),
            .state = call_arg(c, "STATE"),
            .line = call_arg(c, "LINE"),
            .customer = list_customer(c),
            .tag = call_arg(c, "TAG"),
            .who = c->me.agent,
            .cursor = call_has(c, "AFTER") ? call_arg(c, "AFTER") : "0",
            .count = page_size(c)};

        if (!line_is_there(c, q.line))
                return;
        if (q.by_holder && config_agent(config, q.agent) == NULL) {
                call_error(c, "NOSUCH", "there is no agent '%s'", q.agent);
                return;
        }
        q.hidden = identity_hidden(c->agents, &c->me, c->arena, &q.n_hidden);
        store_list(c->agents->desk->store, &q, list_on_list, c);
}

/* ---- QUEUE ---- */

static void
queue_on_list(void *arg, const struct err *err, const char *cursor,
    struct ticket_view *views, size_t n)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        (void)cursor;
        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        view_summaries(c->agents, views, n, &b);
        call_answer(c, &b);
}

void
cmd_queue(struct call *c)
{
        const struct session *s = NULL;
        struct queue_query q = {.line = call_arg(c, "line"),
            .count = (unsigned)call_num(c, "COUNT", QUEUE_DEFAULT)};
        const char **there = NULL;

        if (!line_is_there(c, q.line))
                return;
        LIST_FOREACH(s, &c->agents->sessions, link)
        if (s->presence != PRESENCE_OFFLINE) {
                there = arena_grow(c->arena, there, q.n_agents, sizeof *there);
                there[q.n_agents++] = arena_strdup(c->arena, s->agent);
        }
        q.agents = there;
        store_queue(c->agents->desk->store, &q, queue_on_list, c);
}

/* ---- LINES ---- */

struct crew { /* of a line, by the sessions of this moment */
        unsigned agents, ready, away;
};

static struct crew
crew_of(const struct agents *a, const char *line)
{
        const struct config *c = a->desk->config;
        const struct session *s = NULL;
        struct crew k = {0};

        for (size_t i = 0; i < c->n_agents; i++)
                k.agents += strcmp(c->agents[i].line, line) == 0;
        LIST_FOREACH(s, &a->sessions, link)
        {
                const struct agent_options *o = config_agent(c, s->agent);

                if (o == NULL || strcmp(o->line, line) != 0)
                        continue;
                k.ready += s->presence == PRESENCE_READY;
                k.away += s->presence == PRESENCE_AWAY;
        }
        return k;
}

static void
line_format(
    const struct call *c, size_t at, const struct store_stats *st, struct json_out *j)
{
        const struct config *config = c->agents->desk->config;
        const struct line_options *o = &config->lines[at];
        const struct crew crew = crew_of(c->agents, o->name);
        int64_t queued = 0, held = 0, oldest_ms = 0;

        for (size_t k = 0; k < st->n_lines; k++)
                if (strcmp(st->lines[k], o->name) == 0) {
                        queued = st->queued[k];
                        held = st->held[k];
                        oldest_ms = st->oldest_ms[k];
                }
        jo_open(j, '{');
        jo_kstring(j, "line", o->name);
        jo_kint(j, "queued", queued);
        jo_kint(j, "held", held);
        jo_kint(j, "oldest_s", queued > 0 ? oldest_ms / 1000 : 0);
        jo_kint(j, "agents", crew.agents);
        jo_kint(j, "ready", crew.ready);
        jo_kint(j, "away", crew.away);
        jo_kint(j, "holds", o->holds);
        jo_kint(j, "lease_s", o->lease_ms / 1000);
        jo_kbool(j, "private", o->is_private);
        jo_kstring_or_null(j, "up", at + 1 < config->n_lines ? o[1].name : "");
        jo_kstring_or_null(j, "down", at > 0 ? o[-1].name : "");
        jo_close(j, '}');
}

static void
lines_on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
        struct call *c = arg;
        const struct config *config = c->agents->desk->config;
        struct buf b AUTO_BUF = BUF_INIT;
        size_t n = 0;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        for (size_t i = 0; i < config->n_lines; i++)
                n += identity_sees_line(c->agents, &c->me, config->lines[i].name);
        resp_array(&b, n);
        for (size_t i = 0; i < config->n_lines; i++) {
                struct buf doc AUTO_BUF = BUF_INIT;
                struct json_out j;

                if (!identity_sees_line(c->agents, &c->me, config->lines[i].name))
                        continue;
                jo_init(&j, &doc);
                line_format(c, i, st, &j);
                resp_bulk(&b, doc.data, doc.len);
        }
        call_answer(c, &b);
}

void
cmd_lines(struct call *c)
{
        store_stats(c->agents->desk->store, lines_on_stats, c);
}

/* ---- AGENTS ---- */

struct crew_agent {
        struct call *call;
        const char *name;
        struct buf doc; /* empty: the store could not say */
};

struct crew_list { /* call->state */
        struct crew_agent *agents;
        size_t n, n_left;
        struct err err;
};

static const char *
presence_name(enum presence p)
{
        switch (p) {
        case PRESENCE_OFFLINE:
                return "offline";
        case PRESENCE_AWAY:
                return "away";
        case PRESENCE_READY:
                return "ready";
        }
        return "offline";
}

static const char *
word(const char *s)
{
        return s != NULL ? s : "";
}

static void
agent_format(const struct call *c, const struct agent_options *o,
    const struct agent_state *st, struct json_out *j)
{
        const struct session *s = session_find(c->agents, o->name);
        const bool closed = st->closed && st->presence == PRESENCE_READY;

        jo_open(j, '{');
        jo_kstring(j, "agent", o->name);
        jo_kstring(j, "name", o->full_name);
        jo_kstring(j, "role", role_name(o->role));
        jo_kstring(j, "line", o->line);
        jo_kstrings(j, "helps", o->helps, o->n_helps);
        class_format_skills(j, "skills", o->skills, o->n_skills);
        jo_kstring_or_null(j, "only", word(o->only));
        jo_kstring(j, "presence", closed ? "away" : presence_name(st->presence));
        jo_kstring_or_null(j, "reason", closed ? "outside his hours" : st->reason);
        jo_kint(j, "connections", s == NULL ? 0 : s->n_conns);
        jo_kint(j, "used", st->used);
        jo_kint(j, "holds", o->holds);
        jo_ktime(j, "idle_since", st->idle_since_ms * 1000);
        jo_kstring_or_null(j, "deputy", word(o->deputy));
        jo_ktime(j, "absent_from", st->absent_from_ms * 1000);
        jo_ktime(j, "absent_until", st->absent_until_ms * 1000);
        jo_kstring_or_null(j, "absent_deputy", word(st->absent_deputy));
        jo_kstring_or_null(j, "tutor", word(o->tutor));
        jo_close(j, '}');
}

static void
agents_answer(struct call *c)
{
        struct crew_list *w = c->state;
        struct buf b AUTO_BUF = BUF_INIT;
        size_t n = 0;

        for (size_t i = 0; i < w->n; i++)
                n += w->agents[i].doc.len > 0;
        resp_array(&b, n);
        for (size_t i = 0; i < w->n; i++) {
                if (w->agents[i].doc.len > 0)
                        resp_bulk(&b, w->agents[i].doc.data, w->agents[i].doc.len);
                buf_fini(&w->agents[i].doc);
        }
        if (w->err.kind != ERR_NONE)
                call_fail(c, &w->err);
        else
                call_answer(c, &b);
}

static void
agents_on_agent(void *arg, const struct err *err, const struct agent_state *st)
{
        struct crew_agent *a = arg;
        struct call *c = a->call;
        struct crew_list *w = c->state;
        const struct agent_options *o = config_agent(c->agents->desk->config, a->name);
        struct json_out j;

        if (err->kind != ERR_NONE)
                w->err = *err;
        else if (o != NULL) { /* a reload may have taken him away */
                jo_init(&j, &a->doc);
                agent_format(c, o, st, &j);
        }
        if (--w->n_left == 0)
                agents_answer(c);
}

void
cmd_agents(struct call *c)
{
        const struct config *config = c->agents->desk->config;
        struct crew_list *w = arena_alloc(c->arena, sizeof *w);

        c->state = w;
        w->n = w->n_left = config->n_agents;
        w->agents = arena_alloc(c->arena, (w->n + 1) * sizeof *w->agents);
        if (w->n == 0)
                agents_answer(c);
        for (size_t i = 0, n = w->n; i < n; i++) {
                w->agents[i].call = c;
                w->agents[i].name = arena_strdup(c->arena, config->agents[i].name);
                store_agent(c->agents->desk->store, w->agents[i].name, agents_on_agent,
                    &w->agents[i]);
        }
}

/* ---- SEARCH ---- */

/* What was asked for is a telephone number: as it is kept. */
static const char *
search_number(const struct call *c, const char *text)
{
        const char *e164;

        if (strspn(text, "+0123456789-() ") != strlen(text))
                return "";
        e164 = phone_normalise(c->arena, text, c->agents->desk->config->country);
        return e164[0] == '+' ? e164 : "";
}

struct searching { /* call->state */
        struct words_list words;
        unsigned count; /* looked at at once */
        uint64_t last; /* of the found ones that were looked at */
};

static void search_from(struct call *c, uint64_t before);

/* What he does not see must not show in the cursor either, or words could be tried on it. */
static void
search_on_views(void *arg, const struct err *err, struct ticket_view *views, size_t n)
{
        struct call *c = arg;
        const struct searching *k = c->state;
        const unsigned page = page_size(c);
        const char *last = "0";
        unsigned shown = 0;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        for (size_t i = 0; i < n; i++) {
                views[i].exists = views[i].exists && shown < page &&
                                  identity_sees(c->agents, &c->me, &views[i].ticket);
                if (!views[i].exists)
                        continue;
                last = views[i].ticket.id;
                shown++;
        }
        if (shown == 0 && n == k->count && c->conn != NULL)
                search_from(c, k->last);
        else
                answer_page(c, shown == page || n == k->count ? last : "0", views, n);
}

static void
search_on_found(void *arg, const struct err *err, const uint64_t *tickets, size_t n)
{
        struct call *c = arg;
        struct searching *k = c->state;
        struct read_ticket *r = arena_alloc(c->arena, (n + 1) * sizeof *r);

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        for (size_t i = 0; i < n; i++)
                r[i] = (struct read_ticket){
                    .id = arena_printf(c->arena, "%" PRIu64, tickets[i]), .idem = ""};
        k->last = n > 0 ? tickets[n - 1] : 0;
        store_read_many(c->agents->desk->store, r, n, search_on_views, c);
}

static void
search_from(struct call *c, uint64_t before)
{
        const struct searching *k = c->state;

        search_find(c->agents->desk->search, k->words.words, k->words.n, before, k->count,
            search_on_found, c);
}

/* The words of all arguments; a number in them as one. */
static void
search_words(const struct call *c, struct words_list *out)
{
        struct buf text AUTO_BUF = BUF_INIT;
        const char *number;

        for (unsigned i = 0; i < c->n_values; i++)
                if (c->values[i].spec->option == NULL)
                        buf_addf(&text, "%s ", c->values[i].s);
        number = search_number(c, buf_str(&text));
        if (number[0] != '\0')
                words_of(c->arena, number, strlen(number), out);
        else
                words_of(c->arena, buf_str(&text), text.len, out);
}

void
cmd_search(struct call *c)
{
        struct searching *k = arena_alloc(c->arena, sizeof *k);
        const char *after = call_arg(c, "AFTER");
        char *end;
        uint64_t before = strtoull(after, &end, 10);
        size_t n_hidden;

        c->state = k;
        k->words = (struct words_list){.max = SEARCH_WORDS};
        identity_hidden(c->agents, &c->me, c->arena, &n_hidden);
        k->count = n_hidden > 0 ? SEARCH_MAX : page_size(c);
        search_words(c, &k->words);
        if (k->words.n == 0)
                call_error(
                    c, "BADARG", "words: expected letters or digits to search for");
        else if (*end != '\0')
                call_error(
                    c, "BADARG", "AFTER: expected a cursor as the last answer gave it");
        else
                search_from(c, before);
}
