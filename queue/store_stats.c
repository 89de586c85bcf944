/*
 * Numbers for STATS, from counters that the script keeps and the heads of the classes:
 * no scan.
 */
#include "queue/store_impl.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"

/* The line's index, new when it was not known. */
static size_t
stats_line(struct store_stats *st, struct arena *a, const char *name)
{
        for (size_t i = 0; i < st->n_lines; i++)
                if (strcmp(st->lines[i], name) == 0)
                        return i;
        st->lines = arena_grow(a, st->lines, st->n_lines, sizeof(*st->lines));
        st->queued = arena_grow(a, st->queued, st->n_lines, sizeof(*st->queued));
        st->held = arena_grow(a, st->held, st->n_lines, sizeof(*st->held));
        st->waiting = arena_grow(a, st->waiting, st->n_lines, sizeof(*st->waiting));
        st->oldest_ms = arena_grow(a, st->oldest_ms, st->n_lines, sizeof(*st->oldest_ms));
        st->lines[st->n_lines] = arena_strdup(a, name);
        st->queued[st->n_lines] = st->held[st->n_lines] = 0;
        st->waiting[st->n_lines] = st->oldest_ms[st->n_lines] = 0;
        return st->n_lines++;
}

static void
stats_line_count(struct store_stats *st, struct arena *a, const char *rest, int64_t n)
{
        const char *line = strchr(rest, ':');
        size_t i;

        if (line == NULL)
                return;
        i = stats_line(st, a, line + 1); /* may move the arrays */
        if (strncmp(rest, "queued:", 7) == 0)
                st->queued[i] = n;
        else if (strncmp(rest, "held:", 5) == 0)
                st->held[i] = n;
        else if (strncmp(rest, "waiting:", 8) == 0)
                st->waiting[i] = n;
}

static void
stats_counts(struct store_stats *st, struct arena *a, const redisReply *pairs)
{
        enum ticket_state state;

        for (size_t i = 0; pairs->type == REDIS_REPLY_ARRAY && i + 1 < pairs->elements;
             i += 2) {
                const char *f = reply_str(pairs, i);
                int64_t n = reply_int(pairs, i + 1);

                if (strncmp(f, "s:", 2) == 0 && ticket_state_parse(f + 2, &state))
                        st->tickets[state] = n;
                else if (strncmp(f, "l:queued:", 9) == 0 ||
                         strncmp(f, "l:held:", 7) == 0 ||
                         strncmp(f, "l:waiting:", 10) == 0)
                        stats_line_count(st, a, f + 2, n);
                else if (strcmp(f, "in") == 0)
                        st->in_messages = n;
                else if (strcmp(f, "duplicates") == 0)
                        st->in_duplicates = n;
                else if (strcmp(f, "quarantined") == 0)
                        st->in_quarantined = n;
                else if (strcmp(f, "o:deferred") == 0)
                        st->out_deferred = n;
        }
}

/* A class's head is its oldest: v and its head start give when it began to wait. */
static void
stats_oldest(struct store_stats *st, struct arena *a, const redisReply *heads,
    const redisReply *classes)
{
        for (size_t i = 0; heads->type == REDIS_REPLY_ARRAY && i + 1 < heads->elements;
             i += 2) {
                const redisReply *text = reply_at(classes, i + 1);
                const char *name;
                int64_t age, head_ms;
                size_t line;

                if (text->type != REDIS_REPLY_STRING ||
                    !class_glance(text->str, a, &name, &head_ms))
                        continue;
                age = clock_now_ms() - (reply_int(heads, i + 1) / 1000 + head_ms);
                line = stats_line(st, a, name);
                if (age > st->oldest_ms[line])
                        st->oldest_ms[line] = age;
        }
}

static void
stats_on(struct call *c, const struct err *err, const redisReply *r)
{
        struct store_stats st = {
            .kind = c->s->kind, .durability = c->s->durability, .ms = c->s->ms};
        int64_t waiting;

        if (err != NULL) {
                c->stats(c->arg, err_told(err), NULL);
                return;
        }
        stats_counts(&st, c->a, reply_at(r, 1));
        stats_oldest(&st, c->a, reply_at(r, 2), reply_at(r, 3));
        waiting = reply_int(r, 4) - st.out_deferred;
        st.out_dead = reply_int(r, 5);
        *(c->s->live ? &st.out_queued : &st.out_held) = waiting > 0 ? waiting : 0;
        c->stats(c->arg, err_told(NULL), &st);
}

void
store_stats(struct store *s, store_stats_fn fn, void *arg)
{
        struct call *c = store_call_verb(s, "stats", stats_on, arg);

        c->stats = fn;
        store_call_send(c);
}
