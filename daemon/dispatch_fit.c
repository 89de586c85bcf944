/*
 * Dispatch: which classes a profile may take from, and up to which v.
 *
 * For each (profile, class) one byte, found out when first needed. A class's cut-offs
 * come out of the few distinct waits there are (calendar and duration), each computed
 * at most once a second; so a pull's list is the same for a second and is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/dispatch_impl.h"

#define TURN_MS 1000

/* ---- calendars ---- */

static struct calendar_entry *
calendar_find(struct dispatch *d, const char *id)
{
        struct calendar_entry *c;

        HASH_FIND_STR(d->calendars, id, c);
        if (c != NULL)
                return c;
        c = xcalloc(1, sizeof *c);
        strncpy(c->id, id, CALENDAR_ID_LEN);
        HASH_ADD_STR(d->calendars, id, c);
        return c;
}

void
dispatch_set_calendar(struct dispatch *d, const char *id, const char *text)
{
        struct calendar_entry *c;

        if (*id == '\0' || strlen(id) > CALENDAR_ID_LEN)
                return;
        c = calendar_find(d, id);
        if (c->known && c->calendar.id[0] != '\0') /* equal ids are equal documents */
                return;
        arena_free(&c->arena);
        c->arena = arena_new();
        if (calendar_parse(text, strlen(text), c->arena, &c->calendar, NULL) == -1)
                memset(&c->calendar, 0, sizeof c->calendar);
        c->known = true;
        d->classes_gen++;
        dispatch_turn(d, true);
}

bool
dispatch_knows_calendar(const struct dispatch *d, const char *id)
{
        struct calendar_entry *c;

        HASH_FIND_STR(d->calendars, id, c);
        return *id == '\0' || (c != NULL && c->known);
}

const struct calendar *
dispatch_calendar(const struct dispatch *d, const char *id)
{
        struct calendar_entry *c;

        HASH_FIND_STR(d->calendars, id, c);
        return c != NULL && c->known && c->calendar.id[0] != '\0' ? &c->calendar : NULL;
}

/* ---- cut-offs ---- */

void
dispatch_turn(struct dispatch *d, bool now)
{
        int64_t now_ms = clock_now_ms();

        if (!now && now_ms < d->turn_ms + TURN_MS && d->turn > 0)
                return;
        d->turn++;
        if (now_ms > d->turn_ms)
                d->turn_ms = now_ms;
}

static struct back_entry *
back_find(struct dispatch *d, const struct calendar_entry *calendar, struct open_time t)
{
        struct back_key key;
        struct back_entry *b;

        memset(&key, 0, sizeof key); /* it is compared as bytes */
        key.calendar = calendar;
        key.ms = t.ms;
        key.days = t.days;
        HASH_FIND(hh, d->backs, &key, sizeof key, b);
        if (b != NULL)
                return b;
        b = xcalloc(1, sizeof *b);
        b->key = key;
        HASH_ADD(hh, d->backs, key, sizeof key, b);
        return b;
}

static int64_t
back_ms(const struct dispatch *d, struct back_entry *b)
{
        const struct calendar_entry *c = b->key.calendar;
        struct open_time t = {(int)b->key.days, b->key.ms};

        if (b->turn == d->turn)
                return b->back_ms;
        b->turn = d->turn;
        if (c != NULL && !c->known)
                b->back_ms = INT64_MIN;
        else
                b->back_ms = calendar_back(
                    c == NULL || c->calendar.id[0] == '\0' ? NULL : &c->calendar,
                    d->turn_ms, t);
        return b->back_ms;
}

/* As class_cutoff_us(), over the waits that are shared. */
static int64_t
class_cutoff(const struct dispatch *d, const struct class_entry *c, int step)
{
        int64_t back = INT64_MAX;

        if (step == STEP_AT_ONCE)
                return INT64_MAX;
        for (int i = 0; i < step; i++) {
                int64_t t = back_ms(d, c->backs[i]);

                back = t < back ? t : back;
        }
        return back == INT64_MIN ? INT64_MIN : (back - c->doc.head_ms) * 1000;
}

/* ---- classes ---- */

struct class_entry *
class_find(const struct dispatch *d, const char *id)
{
        struct class_entry *c;

        HASH_FIND_STR(d->by_id, id, c);
        return c != NULL && !c->gone ? c : NULL;
}

bool
dispatch_knows_class(const struct dispatch *d, const char *class_id)
{
        return class_find(d, class_id) != NULL;
}

size_t
dispatch_n_classes(const struct dispatch *d)
{
        return d->n_classes;
}

static size_t
class_slot(struct dispatch *d)
{
        for (size_t i = 0; d->n_classes < d->n_slots && i < d->n_slots; i++)
                if (d->classes[i] == NULL)
                        return i;
        d->classes = xrealloc(d->classes, (d->n_slots + 1) * sizeof(*d->classes));
        d->classes[d->n_slots] = NULL;
        return d->n_slots++;
}

static void
class_add(struct dispatch *d, struct class_entry *e)
{
        const struct calendar_entry *calendar =
            *e->doc.calendar == '\0' ? NULL : calendar_find(d, e->doc.calendar);

        for (size_t i = 0; i < e->doc.n_steps; i++)
                e->backs[i] = back_find(d, calendar, e->doc.steps[i].after);
        e->head_v_us = INT64_MAX;
        e->index = class_slot(d);
        d->classes[e->index] = e;
        d->n_classes++;
        d->classes_gen++;
        HASH_ADD_STR(d->by_id, doc.id, e);
}

void
dispatch_set_class(struct dispatch *d, const struct class *c)
{
        struct class_entry *e;

        HASH_FIND_STR(d->by_id, c->id, e);
        if (e != NULL) { /* equal ids are equal documents */
                d->classes_gen += e->gone;
                e->gone = false;
                return;
        }
        e = xcalloc(1, sizeof *e);
        e->arena = arena_new();
        if (class_parse(c->text, strlen(c->text), e->arena, &e->doc, NULL) == -1) {
                arena_free(&e->arena);
                free(e);
                return;
        }
        class_add(d, e);
}

void
class_drop(struct dispatch *d, struct class_entry *c)
{
        struct profile_entry *p, *next;

        HASH_ITER(hh, d->profiles, p, next)
        {
                if (c->index < p->n_fits)
                        p->fits[c->index] = 0;
        }
        d->classes[c->index] = NULL;
        d->n_classes--;
        d->classes_gen++;
        HASH_DEL(d->by_id, c); /* NOLINT: the analyzer loses itself in uthash */
        arena_free(&c->arena);
        free(c);
}

/* ---- profiles ---- */

static void
profile_add_word(struct buf *b, const char *word)
{
        buf_addf(b, "%zu:%s ", strlen(word), word);
}

static void
profile_format(const struct profile *p, struct buf *b)
{
        profile_add_word(b, p->only == NULL ? "" : p->only);
        for (size_t i = 0; i < p->n_skills; i++) {
                profile_add_word(b, p->skills[i].name);
                buf_addf(b, "%u ", p->skills[i].level);
        }
        buf_adds(b, "in ");
        for (size_t i = 0; i < p->n_lines; i++)
                profile_add_word(b, p->lines[i]);
}

static void
profile_copy(struct arena *a, const struct profile *from, struct profile *to)
{
        to->n_lines = from->n_lines;
        to->lines = arena_alloc(a, (from->n_lines + 1) * sizeof *to->lines);
        for (size_t i = 0; i < from->n_lines; i++)
                to->lines[i] = arena_strdup(a, from->lines[i]);
        to->n_skills = from->n_skills;
        to->skills = arena_alloc(a, (from->n_skills + 1) * sizeof *to->skills);
        for (size_t i = 0; i < from->n_skills; i++) {
                to->skills[i].name = arena_strdup(a, from->skills[i].name);
                to->skills[i].level = from->skills[i].level;
        }
        to->only = arena_strdup(a, from->only);
}

struct profile_entry *
profile_intern(struct dispatch *d, const struct profile *profile)
{
        struct buf key AUTO_BUF = BUF_INIT;
        struct profile_entry *p;

        profile_format(profile, &key);
        HASH_FIND(hh, d->profiles, key.data, key.len, p);
        if (p == NULL) {
                p = xcalloc(1, sizeof *p);
                p->arena = arena_new();
                p->key = arena_strndup(p->arena, key.data, key.len);
                profile_copy(p->arena, profile, &p->profile);
                HASH_ADD_KEYPTR(hh, d->profiles, p->key, key.len, p);
        }
        p->n_agents++;
        return p;
}

void
profile_release(struct dispatch *d, struct profile_entry *p)
{
        if (--p->n_agents > 0)
                return;
        HASH_DEL(d->profiles, p); /* NOLINT */
        arena_free(&p->groups_arena);
        arena_free(&p->arena);
        free(p->fits);
        free(p);
}

/* ---- who fits: 0 not known, 1 never, else the step + 2, and whether it is helped ---- */

#define FIT_NEVER 1
#define FIT_STEP 2
#define FIT_HELPED 0x80

static unsigned char
fit_find(const struct class *c, const struct profile *p)
{
        int step = class_step(c, p);

        if (step == STEP_NEVER)
                return FIT_NEVER;
        return (
            unsigned char)((step + FIT_STEP) | (class_is_helped(c, p) ? FIT_HELPED : 0));
}

/* The step, or STEP_NEVER. */
static int
profile_step(struct dispatch *d, struct profile_entry *p, const struct class_entry *c,
    bool *helped)
{
        unsigned char *fit;

        if (p->n_fits < d->n_slots) {
                p->fits = xrealloc(p->fits, d->n_slots);
                memset(p->fits + p->n_fits, 0, d->n_slots - p->n_fits);
                p->n_fits = d->n_slots;
        }
        fit = &p->fits[c->index];
        if (*fit == 0)
                *fit = fit_find(&c->doc, &p->profile);
        *helped = (*fit & FIT_HELPED) != 0;
        return *fit == FIT_NEVER ? STEP_NEVER : (*fit & ~FIT_HELPED) - FIT_STEP;
}

bool
profile_may_take(struct dispatch *d, struct profile_entry *p, const struct class_entry *c,
    bool *helped)
{
        int step = profile_step(d, p, c, helped);

        if (step == STEP_NEVER)
                return false;
        return step == STEP_AT_ONCE || c->head_v_us <= class_cutoff(d, c, step);
}

int64_t
dispatch_cutoff_us(struct dispatch *d, const char *agent, const char *class_id)
{
        struct class_entry *c = class_find(d, class_id);
        struct agent_entry *a = agent_find(d, agent);
        bool helped;
        int step;

        if (c == NULL || a == NULL)
                return INT64_MIN;
        dispatch_turn(d, false);
        step = profile_step(d, a->profile, c, &helped);
        return step == STEP_NEVER ? INT64_MIN : class_cutoff(d, c, step);
}

/* ---- what a pull is sent with ---- */

bool
request_wants(const struct reserve_request *q, const struct class_entry *c)
{
        if (*q->line != '\0' &&
            (c->doc.n_lines == 0 || strcmp(c->doc.lines[0], q->line) != 0))
                return false;
        return *q->channel == '\0' || strcmp(c->doc.channel, q->channel) == 0;
}

struct offer { /* a class he may take from */
        int64_t cutoff_us, handicap_us;
        const char *id;
        size_t index;
};

static int
offer_compare(const void *x, const void *y)
{
        const struct offer *a = x, *b = y;

        if (a->cutoff_us != b->cutoff_us)
                return a->cutoff_us > b->cutoff_us ? -1 : 1;
        if (a->handicap_us != b->handicap_us)
                return a->handicap_us < b->handicap_us ? -1 : 1;
        return (a->index > b->index) - (a->index < b->index);
}

static size_t
offers_collect(struct dispatch *d, struct profile_entry *p,
    const struct reserve_request *q, struct offer *offers)
{
        size_t n = 0;

        for (size_t i = 0; i < d->n_slots; i++) {
                const struct class_entry *c = d->classes[i];
                int64_t cutoff;
                bool helped;
                int step;

                if (c == NULL || c->gone || !request_wants(q, c))
                        continue;
                step = profile_step(d, p, c, &helped);
                if (step == STEP_NEVER)
                        continue;
                cutoff = class_cutoff(d, c, step);
                if (cutoff == INT64_MIN)
                        continue;
                offers[n++] =
                    (struct offer){cutoff, helped ? d->help_delay_us : 0, c->doc.id, i};
        }
        qsort(offers, n, sizeof *offers, offer_compare);
        return n;
}

static size_t
groups_make(struct dispatch *d, struct profile_entry *p, const struct reserve_request *q,
    struct arena *a, struct dispatch_group **out)
{
        struct offer *offers = xcalloc(d->n_slots + 1, sizeof *offers);
        size_t n_offers = offers_collect(d, p, q, offers), n = 0;
        struct dispatch_group *groups = arena_alloc(a, (n_offers + 1) * sizeof *groups);
        const char **ids = arena_alloc(a, (n_offers + 1) * sizeof *ids);

        for (size_t i = 0; i < n_offers; i++) {
                const struct offer *o = &offers[i];

                ids[i] = arena_strdup(a, o->id);
                if (n == 0 || groups[n - 1].cutoff_us != o->cutoff_us ||
                    groups[n - 1].handicap_us != o->handicap_us)
                        groups[n++] = (struct dispatch_group){
                            o->cutoff_us, o->handicap_us, ids + i, 0};
                groups[n - 1].n_classes++;
        }
        free(offers);
        *out = groups;
        return n;
}

size_t
profile_groups(struct dispatch *d, struct profile_entry *p,
    const struct reserve_request *q, struct arena *a, const struct dispatch_group **out)
{
        struct dispatch_group *groups;
        size_t n;

        dispatch_turn(d, false);
        if (*q->line != '\0' || *q->channel != '\0') {
                n = groups_make(d, p, q, a, &groups);
                *out = groups;
                return n;
        }
        if (p->groups_turn != d->turn || p->groups_gen != d->classes_gen) {
                arena_free(&p->groups_arena);
                p->groups_arena = arena_new();
                p->n_groups = groups_make(d, p, q, p->groups_arena, &p->groups);
                p->groups_turn = d->turn;
                p->groups_gen = d->classes_gen;
        }
        *out = p->groups;
        return p->n_groups;
}

/* ---- the end ---- */

void
fit_free(struct dispatch *d)
{
        struct class_entry *c, *next_c;
        struct calendar_entry *k, *next_k;
        struct back_entry *b, *next_b;

        HASH_ITER(hh, d->by_id, c, next_c)
        {
                class_drop(d, c);
        }
        HASH_ITER(hh, d->backs, b, next_b)
        {
                HASH_DEL(d->backs, b); /* NOLINT */
                free(b);
        }
        HASH_ITER(hh, d->calendars, k, next_k)
        {
                HASH_DEL(d->calendars, k); /* NOLINT */
                arena_free(&k->arena);
                free(k);
        }
        free(d->classes);
}
