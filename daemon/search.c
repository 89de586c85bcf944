/*
 * The index of words, kept in step with the store; see search.h. What a word is and how it
 * is found: daemon/model/words.c.
 *
 *     build:  note the journal's end -> all open tickets, a few at a time
 *     round:  the journal behind what we know -> read those tickets again -> their words
 *             -> whoever asked before the round began is answered
 *
 * Of a ticket the index has its number, subject and tags, the customer's name, addresses and
 * numbers, and of its newest messages their senders and the beginning of their texts. One thing is
 * under way at a time; everything that arrives meanwhile waits for the next round.
 */
#include "daemon/search.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/base/utf8.h"
#include "daemon/desk.h"
#include "daemon/model/words.h"

enum {
        BATCH = 20, /* tickets read at once */
        EVENTS = 500, /* journal entries a step */
        MESSAGES = 20, /* of a ticket, the newest */
        TEXT_BYTES = 8000, /* of a message */
        TICKET_WORDS = 1000,
        AGAIN_MS = 1000
};

struct question {
        TAILQ_ENTRY(question) link;
        struct arena *arena;
        const char **begins;
        size_t n;
        uint64_t before;
        unsigned count;
        search_fn fn;
        void *arg;
};
TAILQ_HEAD(question_list, question);

struct search {
        struct desk *desk;
        struct words_index *index;
        struct timer *again; /* after the store has refused */
        char after[48]; /* journal entry up to which we know */
        char next[48]; /* the same when this step is done */
        char cursor[24]; /* build: the last ticket read */
        int64_t began_ms; /* the build */
        struct arena *arena; /* of the step under way: ids */
        const char **ids; /* to be read */
        size_t n_ids, n_read;
        bool is_last; /* no step behind this one */
        bool busy; /* a build or a round is under way */
        bool building; /* the index is not whole yet */
        bool want_build, want_round;
        struct question_list asked; /* for the next round */
        struct question_list waiting; /* for the one under way */
};

static void search_go(struct search *s);
static void step_read(struct search *s);

/* ---- questions ---- */

static void
question_end(struct search *s, struct question_list *list, struct question *q,
    const struct err *err)
{
        uint64_t found[SEARCH_MAX];
        size_t n = 0;

        TAILQ_REMOVE(list, q, link);
        if (err->kind == ERR_NONE)
                n = words_find(s->index, q->begins, q->n, q->before, found, q->count);
        q->fn(q->arg, err, found, n);
        arena_free(&q->arena);
        free(q);
}

static void
questions_end(struct search *s, struct question_list *list, const struct err *err)
{
        struct question *q;

        while ((q = TAILQ_FIRST(list)) != NULL)
                question_end(s, list, q, err); /* NOLINT: it is off the list */
}

/* ---- the end of what is under way ---- */

static void
search_again(void *arg)
{
        search_go(arg);
}

static void
search_idle(struct search *s, const struct err *err)
{
        struct err none = {.kind = ERR_NONE};

        arena_free(&s->arena);
        questions_end(s, &s->waiting, err != NULL ? err : &none);
        s->busy = false; /* only now: who was told may ask again */
        if (err == NULL) {
                search_go(s);
                return;
        }
        s->want_round = true;
        timer_set(s->again, AGAIN_MS);
}

/* ---- a ticket's words ---- */

static void
take_text(struct arena *a, struct words_list *l, const char *text, size_t max)
{
        size_t n = strlen(text);

        words_of(a, text, n > max ? utf8_cut(text, n, max) : n, l);
}

static void
take_message(struct arena *a, struct words_list *l, const char *json)
{
        struct message *m = NULL;

        if (message_parse(json, strlen(json), &m, NULL) == -1)
                return;
        take_text(a, l, m->from.name, TEXT_BYTES);
        take_text(a, l, m->from.address, TEXT_BYTES);
        take_text(a, l, *m->new_text != '\0' ? m->new_text : m->text, TEXT_BYTES);
        message_free(&m);
}

static void
take_ticket(struct search *s, const struct ticket_view *v)
{
        struct arena *a AUTO_ARENA = arena_new();
        const struct ticket *t = &v->ticket;
        struct words_list l = {.max = TICKET_WORDS};
        uint64_t id = strtoull(t->id, NULL, 10);

        if (t->state == TICKET_CLOSED || t->state == TICKET_MERGED) {
                words_set(s->index, id, NULL, 0);
                return;
        }
        take_text(a, &l, t->id, TEXT_BYTES);
        take_text(a, &l, t->subject, TEXT_BYTES);
        take_text(a, &l, t->customer.name, TEXT_BYTES);
        for (size_t i = 0; i < t->n_tags; i++)
                take_text(a, &l, t->tags[i], TEXT_BYTES);
        for (size_t i = 0; i < t->customer.n_emails; i++)
                take_text(a, &l, t->customer.emails[i], TEXT_BYTES);
        for (size_t i = 0; i < t->customer.n_phones; i++)
                take_text(a, &l, t->customer.phones[i], TEXT_BYTES);
        for (size_t i = v->n_messages; i-- > 0;)
                take_message(a, &l, v->messages[i]);
        words_set(s->index, id, l.words, l.n);
}

/* ---- reading tickets ---- */

static void step_next(struct search *s);

static void
on_views(void *arg, const struct err *err, struct ticket_view *views, size_t n)
{
        struct search *s = arg;

        if (err->kind != ERR_NONE) {
                search_idle(s, err);
                return;
        }
        for (size_t i = 0; i < n; i++)
                if (views[i].exists)
                        take_ticket(s, &views[i]);
        if (s->n_read < s->n_ids)
                step_read(s);
        else
                step_next(s);
}

static void
step_read(struct search *s)
{
        struct read_ticket r[BATCH];
        size_t n = 0;

        for (; n < BATCH && s->n_read < s->n_ids; n++)
                r[n] = (struct read_ticket){.id = s->ids[s->n_read++],
                    .n_messages = MESSAGES,
                    .thread = true,
                    .idem = ""};
        store_read_many(s->desk->store, r, n, on_views, s);
}

static void
step_begin(struct search *s)
{
        arena_free(&s->arena);
        s->arena = arena_new();
        s->ids = NULL;
        s->n_ids = s->n_read = 0;
}

static void
step_add(struct search *s, const char *id)
{
        for (size_t i = 0; i < s->n_ids; i++)
                if (strcmp(s->ids[i], id) == 0)
                        return;
        s->ids = arena_grow(s->arena, s->ids, s->n_ids, sizeof *s->ids);
        s->ids[s->n_ids++] = arena_strdup(s->arena, id);
}

/* ---- a round: what the journal has since ---- */

static void
on_events(void *arg, const struct err *err, const char *const *seqs,
    const char *const *jsons, size_t n)
{
        struct search *s = arg;

        if (err->kind != ERR_NONE) {
                search_idle(s, err);
                return;
        }
        step_begin(s);
        for (size_t i = 0; i < n; i++) {
                json_t *o = json_read(jsons[i], strlen(jsons[i]), 65536, NULL);
                const char *id = json_str(o, "ticket", "");

                if (id[0] != '\0')
                        step_add(s, id);
                json_decref(o);
        }
        s->is_last = n < EVENTS;
        if (n > 0)
                snprintf(s->next, sizeof s->next, "%s", seqs[n - 1]);
        step_read(s);
}

static void
round_step(struct search *s)
{
        store_events(s->desk->store, s->after, EVENTS, on_events, s);
}

static void
round_begin(struct search *s)
{
        s->want_round = false;
        TAILQ_CONCAT(&s->waiting, &s->asked, link);
        snprintf(s->next, sizeof s->next, "%s", s->after);
        round_step(s);
}

/* ---- the build: all open tickets ---- */

static void
build_end(struct search *s)
{
        s->building = false;
        s->want_round = true;
        log_info("SEARCH", "tickets=%zu words=%zu ms=%lld", words_n_tickets(s->index),
            words_n_words(s->index), (long long)(clock_now_ms() - s->began_ms));
        search_idle(s, NULL);
}

static void
on_open(void *arg, const struct err *err, const char *const *ids, size_t n)
{
        struct search *s = arg;

        if (err->kind != ERR_NONE) {
                s->want_build = true;
                search_idle(s, err);
                return;
        }
        if (n == 0) {
                build_end(s);
                return;
        }
        step_begin(s);
        for (size_t i = 0; i < n; i++)
                step_add(s, ids[i]);
        snprintf(s->cursor, sizeof s->cursor, "%s", ids[n - 1]);
        step_read(s);
}

static void
build_step(struct search *s)
{
        store_open(s->desk->store, s->cursor, BATCH, on_open, s);
}

static void
on_end(void *arg, const struct err *err, const char *seq)
{
        struct search *s = arg;

        if (err->kind != ERR_NONE) {
                s->want_build = true;
                search_idle(s, err);
                return;
        }
        snprintf(s->after, sizeof s->after, "%s", seq);
        build_step(s);
}

static void
build_begin(struct search *s)
{
        s->want_build = false;
        s->building = true;
        s->began_ms = clock_now_ms();
        words_index_free(&s->index);
        s->index = words_index_new();
        snprintf(s->cursor, sizeof s->cursor, "0");
        store_journal_last(s->desk->store, on_end, s);
}

/* ---- what comes next ---- */

static void
step_next(struct search *s)
{
        struct err away;

        if (s->want_build) { /* the store came up anew meanwhile */
                err_set(&away, ERR_RETRY, "the store was away: search again");
                search_idle(s, &away);
        } else if (s->building) {
                build_step(s);
        } else {
                snprintf(s->after, sizeof s->after, "%s", s->next);
                if (s->is_last)
                        search_idle(s, NULL);
                else
                        round_step(s);
        }
}

static void
search_go(struct search *s)
{
        if (s->busy || !store_is_up(s->desk->store))
                return;
        if (s->want_build || s->building) {
                s->busy = true;
                build_begin(s);
        } else if (s->want_round || !TAILQ_EMPTY(&s->asked)) {
                s->busy = true;
                round_begin(s);
        }
}

void
search_store_up(struct search *s)
{
        s->want_build = true;
        search_go(s);
}

void
search_event(struct search *s)
{
        s->want_round = true;
        if (!s->want_build && !s->building)
                search_go(s);
}

void
search_find(struct search *s, const char *const *begins, size_t n, uint64_t before,
    unsigned count, search_fn fn, void *arg)
{
        struct question *q = xcalloc(1, sizeof *q);
        struct err err;

        q->arena = arena_new();
        q->begins = arena_alloc(q->arena, (n + 1) * sizeof *q->begins);
        for (; q->n < n; q->n++)
                q->begins[q->n] = arena_strdup(q->arena, begins[q->n]);
        q->before = before;
        q->count = count < SEARCH_MAX ? count : SEARCH_MAX;
        q->fn = fn;
        q->arg = arg;
        TAILQ_INSERT_TAIL(&s->asked, q, link);
        if (s->building || s->want_build || !store_is_up(s->desk->store)) {
                err_set(&err, ERR_RETRY,
                    "the index is being built, %zu tickets so far: search again soon",
                    words_n_tickets(s->index));
                question_end(s, &s->asked, q, &err);
        } else {
                search_go(s);
        }
}

struct search *
search_new(struct desk *d)
{
        struct search *s = xcalloc(1, sizeof *s);

        s->desk = d;
        s->index = words_index_new();
        s->again = timer_new(d->loop, search_again, s);
        s->want_build = true;
        TAILQ_INIT(&s->asked);
        TAILQ_INIT(&s->waiting);
        return s;
}

/* Questions are ended by those who asked them: the daemon's end frees calls first. */
void
search_free(struct search **sp)
{
        struct search *s = *sp;
        struct err err;

        if (s == NULL)
                return;
        err_set(&err, ERR_RETRY, "the daemon is about to end");
        questions_end(s, &s->waiting, &err);
        questions_end(s, &s->asked, &err);
        timer_free(&s->again);
        words_index_free(&s->index);
        arena_free(&s->arena);
        free(s);
        *sp = NULL;
}
