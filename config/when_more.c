/*
 * Tests that name something: a header, a field, a column, a tag, hours; and what is
 * written in words of its own (more than 10 tagged vpn in 15m). See when.h.
 */
#include <string.h>

#include "config/when.h"
#include "daemon/model/message.h"

#define COUNT_MAX 100000
#define WINDOW_MAX_MS (7 * 86400000LL)
#define WINDOWS_MAX 50u

/* `customer COLUMN`, found when there is no `is` behind `customer` */
static const struct about about_column = {
    "customer", "", ABOUT_CUSTOMER_COLUMN, "icml", "a text"};

const struct condition *
test_header(struct cursor *c, struct condition *t, const struct about *about)
{
        if (cursor_at_test_end(c))
                return cursor_expected(c, "the name of a header");
        t->name = cursor_now(c)->text;
        c->i++;
        return test_how(c, t, about);
}

const struct condition *
test_field(struct cursor *c, struct condition *t, const struct about *about)
{
        const struct value *v = cursor_now(c);

        if (v == NULL || (cursor_how_at(c, c->i) && !cursor_how_at(c, c->i + 1)))
                return cursor_expected(c, "the name of a field");
        if (names_find(&c->b->form_fields, v->text) == NULL) {
                c->failed = true;
                names_unknown(&c->b->form_fields, c->b->report, v->at, "field", v->text);
                return NULL;
        }
        t->name = v->text;
        c->i++;
        return test_how(c, t, about);
}

static const struct condition *
customer_refuse(struct cursor *c, const struct value *v, const char *word)
{
        struct guess g = GUESS_INIT;

        c->failed = true;
        if (c->b->c->customers.n_columns == 0)
                return NULL; /* the file was told */
        customers_guess(c->b, &g, word);
        report_unknown(c->b->report, v->at, "column", word, " of the customers file", &g,
            (struct place){0});
        if (g.meant == NULL)
                report_advice(
                    c->b->report, "its columns: %s", customers_columns_shown(c->b));
        return NULL;
}

/* customer is vip known, customer COLUMN how … */
const struct condition *
test_customer(struct cursor *c, struct condition *t, const struct about *about)
{
        const struct value *v = cursor_now(c), *word = &c->s->values[c->i - 1];

        if (c->b->customers == NULL) {
                c->failed = true;
                report_error(c->b->report, word->at, "there is no customers file");
                report_advice(c->b->report, "customers file \"customers.csv\"");
                return NULL;
        }
        if (v == NULL)
                return cursor_expected(c, "is, or the name of a column");
        if (value_at_is(c->s, c->i, "is")) {
                if (value_at_is(c->s, c->i + 1, "vip") &&
                    customers_column(c->b, "vip") == 0)
                        return customer_refuse(c, v + 1, "vip");
                return test_how(c, t, about);
        }
        t->column = customers_column(c->b, v->text);
        if (t->column == 0)
                return customer_refuse(c, v, v->text);
        t->about = ABOUT_CUSTOMER_COLUMN;
        t->name = v->text;
        c->i++;
        return test_how(c, t, &about_column);
}

/* tagged vpn billing: any of them */
const struct condition *
test_tagged(struct cursor *c)
{
        struct condition *t = condition_new(c, CONDITION_TEST);

        t->about = ABOUT_TAGGED;
        if (cursor_at_test_end(c))
                return cursor_expected(c, "a tag");
        for (; !cursor_at_test_end(c); c->i++) {
                const struct value *v = cursor_now(c);
                const struct name *tag = names_find(&c->b->tags, v->text);

                if (tag == NULL) {
                        names_unknown(&c->b->tags, c->b->report, v->at, "tag", v->text);
                        c->failed = true;
                        return NULL;
                }
                if (names_find(&c->b->tagged, v->text) == NULL) {
                        report_warning(c->b->report, v->at,
                            "nothing above sets the tag '%s'", v->text);
                        report_advice(c->b->report,
                            "it is set on %s; sentences apply in order",
                            place_name(tag->at, v->at.source, c->b->a));
                }
                t->values =
                    arena_grow(c->b->a, t->values, t->n_values, sizeof *t->values);
                t->values[t->n_values++] = tag->text;
        }
        return t;
}

/* ---- time of day, hours ---- */

/* "09:00" in minutes; 24:00 is the end of the day. */
static bool
minutes_read(const char *s, size_t n, uint16_t *out)
{
        unsigned hour = 0, minute = 0;
        size_t i = 0;

        for (; i < n && s[i] >= '0' && s[i] <= '9' && i < 2; i++)
                hour = hour * 10 + (unsigned)(s[i] - '0');
        if (i == 0 || n != i + 3 || s[i] != ':')
                return false;
        for (i++; i < n; i++) {
                if (s[i] < '0' || s[i] > '9')
                        return false;
                minute = minute * 10 + (unsigned)(s[i] - '0');
        }
        *out = (uint16_t)(hour * 60 + minute);
        return minute < 60 && *out <= 1440;
}

/* "18:00-09:00": it may go over midnight. */
static bool
span_read(const char *s, struct open_span *out)
{
        const char *dash = strchr(s, '-');

        return dash != NULL && minutes_read(s, (size_t)(dash - s), &out->from) &&
               minutes_read(dash + 1, strlen(dash + 1), &out->to) && out->from < 1440 &&
               out->from != out->to;
}

const struct condition *
test_time(struct cursor *c)
{
        struct condition *t = condition_new(c, CONDITION_TEST);
        struct open_span *spans = NULL, span;

        t->about = ABOUT_TIME;
        c->i++;
        if (!cursor_take(c, "is"))
                return cursor_expected(c, "'is' and a span like 18:00-09:00");
        if (cursor_at_test_end(c))
                return cursor_expected(c, "a span like 18:00-09:00");
        for (; !cursor_at_test_end(c); c->i++) {
                const struct value *v = cursor_now(c);

                if (!span_read(v->text, &span)) {
                        c->failed = true;
                        report_error(c->b->report, v->at,
                            "'time' is compared with spans, got '%s'",
                            word_shown(c->b->a, v->text));
                        report_advice(
                            c->b->report, "like 09:00-18:00, or 18:00-09:00 at night");
                        return NULL;
                }
                spans = arena_grow(c->b->a, spans, t->n_spans, sizeof *spans);
                spans[t->n_spans++] = span;
        }
        t->spans = spans;
        return t;
}

const struct condition *
test_hours(struct cursor *c)
{
        const struct value *v = cursor_now(c);
        const struct name *known = names_find(&c->b->hours, v->text);
        struct condition *t = condition_new(c, CONDITION_TEST);

        t->about = ABOUT_HOURS;
        t->name = v->text;
        if (known == NULL) {
                c->failed = true;
                names_unknown(&c->b->hours, c->b->report, v->at, "hours", v->text);
                return NULL;
        }
        c->i++;
        if (!cursor_take(c, "is"))
                return cursor_expected(c, "'is open' or 'is closed'");
        t->than = value_at_is(c->s, c->i, "open");
        if (!cursor_take(c, "open") && !cursor_take(c, "closed"))
                return cursor_expected(c, "open or closed");
        for (size_t i = 0; i < c->b->c->n_hours; i++)
                if (strcmp(c->b->c->hours[i].name, v->text) == 0)
                        t->hours = &c->b->c->hours[i].calendar;
        return t;
}

/* ---- more than N tagged T in D ---- */

/* The counts that intake must know; each pair once. */
static bool
window_add(struct cursor *c, const char *tag, int64_t ms, unsigned n)
{
        struct rules *r = c->b->rules;

        for (size_t i = 0; i < r->n_windows; i++)
                if (strcmp(r->windows[i].tag, tag) == 0 && r->windows[i].ms == ms) {
                        if (r->windows[i].n < n)
                                r->windows[i].n = n;
                        return true;
                }
        if (r->n_windows >= WINDOWS_MAX) {
                c->failed = true;
                report_error(c->b->report, cursor_place(c), "more than %u counts of tags",
                    WINDOWS_MAX);
                report_advice(c->b->report, "use the same span for several");
                return false;
        }
        r->windows = arena_grow(c->b->a, r->windows, r->n_windows, sizeof *r->windows);
        r->windows[r->n_windows++] = (struct tag_window){tag, ms, n};
        return true;
}

static bool
more_number(struct cursor *c, struct condition *t)
{
        const struct value *v = cursor_now(c);

        if (v == NULL || v->kind != VALUE_WORD ||
            !number_read(v->text, COUNT_MAX, &t->than) || t->than < 1) {
                cursor_expected(c, "a number from 1 to 100000");
                return false;
        }
        c->i++;
        return true;
}

static bool
more_tag(struct cursor *c, struct condition *t)
{
        const struct value *v;
        const struct name *tag;

        if (!cursor_take(c, "tagged")) {
                cursor_expected(c, "'tagged' and a tag");
                return false;
        }
        v = cursor_now(c);
        if (v == NULL || value_at_is(c->s, c->i, "in")) {
                cursor_expected(c, "a tag");
                return false;
        }
        tag = names_find(&c->b->tags, v->text);
        if (tag == NULL) {
                c->failed = true;
                names_unknown(&c->b->tags, c->b->report, v->at, "tag", v->text);
                return false;
        }
        t->name = tag->text;
        c->i++;
        return true;
}

static bool
more_window(struct cursor *c, struct condition *t)
{
        const struct value *v;

        if (!cursor_take(c, "in") || cursor_now(c) == NULL) {
                cursor_expected(c, "'in' and a duration like 15m");
                return false;
        }
        v = cursor_now(c);
        if (duration_read(v->text, &t->window_ms) && t->window_ms > 0 &&
            t->window_ms <= WINDOW_MAX_MS) {
                c->i++;
                return true;
        }
        c->failed = true;
        report_error(c->b->report, v->at, "'in' takes a duration, got '%s'",
            word_shown(c->b->a, v->text));
        report_advice(c->b->report, "like 15m or 1h, at most 1w");
        return false;
}

const struct condition *
test_more(struct cursor *c)
{
        struct condition *t = condition_new(c, CONDITION_TEST);

        t->about = ABOUT_MORE;
        if (!cursor_take(c, "than"))
                return cursor_expected(c, "'than' and a number");
        if (!more_number(c, t) || !more_tag(c, t) || !more_window(c, t) ||
            !window_add(c, t->name, t->window_ms, (unsigned)t->than))
                return NULL;
        if (c->window_ms < t->window_ms)
                c->window_ms = t->window_ms;
        return t;
}
