/* The open elements; see helper_mime_html_stack.h. */
#include "channels/helper_mime_html_stack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/arena.h"

void
html_stack_init(struct html_stack *st, int max,
    void (*closed)(void *arg, struct html_open *o, int index), void *arg)
{
        memset(st, 0, sizeof(*st));
        st->max = max;
        st->closed = closed;
        st->arg = arg;
        for (size_t i = 0; i < HTML_N; i++)
                st->top[i] = -1;
}

void
html_stack_fini(struct html_stack *st)
{
        free(st->list);
        st->list = NULL;
        st->n = 0;
}

static void
end_element(struct html_stack *st, int index)
{
        struct html_open *o = &st->list[index];

        assert(!o->dead && st->top[o->element] == index);
        st->top[o->element] = o->same;
        o->dead = true;
        st->closed(st->arg, o, index);
}

static void
pop_to(struct html_stack *st, int index)
{
        while (st->n > index) {
                if (!st->list[st->n - 1].dead)
                        end_element(st, st->n - 1);
                st->n--;
        }
}

void
html_stack_close_all(struct html_stack *st)
{
        pop_to(st, 0);
}

static int
max_of(int a, int b)
{
        return a > b ? a : b;
}

/* What bounds the search for an open element of that name. */
static int
bound(const struct html_stack *st, enum html_element e)
{
        int table = st->top[HTML_TABLE];

        switch (e) {
        case HTML_TD:
        case HTML_TH:
                return max_of(table, st->top[HTML_TR]);
        case HTML_TR:
        case HTML_TBODY:
        case HTML_THEAD:
        case HTML_TFOOT:
        case HTML_CAPTION:
        case HTML_COLGROUP:
                return table;
        case HTML_TABLE:
                return -1;
        default:
                return max_of(table, st->n > 0 ? st->list[st->n - 1].scope : -1);
        }
}

/* Closes the innermost open e, unless it stands outside of what bounds it. */
static void
imply_one(struct html_stack *st, enum html_element e, int from)
{
        if (st->top[e] > from)
                pop_to(st, st->top[e]);
}

/* Start tags inside a table close rows and cells of the same table. */
static void
imply_table(struct html_stack *st, enum html_element e)
{
        int table = st->top[HTML_TABLE];

        if (e == HTML_TD || e == HTML_TH) {
                int row = max_of(table, st->top[HTML_TR]);

                imply_one(st, HTML_TD, row);
                imply_one(st, HTML_TH, row);
                return;
        }
        imply_one(st, HTML_TR, table);
        imply_one(st, HTML_CAPTION, table);
        imply_one(st, HTML_COLGROUP, table);
        if (e == HTML_TR) { /* cells outside of any row */
                int part = max_of(max_of(table, st->top[HTML_TBODY]),
                    max_of(st->top[HTML_THEAD], st->top[HTML_TFOOT]));

                imply_one(st, HTML_TD, part);
                imply_one(st, HTML_TH, part);
                return;
        }
        imply_one(st, HTML_TBODY, table);
        imply_one(st, HTML_THEAD, table);
        imply_one(st, HTML_TFOOT, table);
}

static bool
is_table_part(enum html_element e)
{
        return e == HTML_TD || e == HTML_TH || e == HTML_TR || e == HTML_TBODY ||
               e == HTML_THEAD || e == HTML_TFOOT || e == HTML_CAPTION ||
               e == HTML_COLGROUP;
}

void
html_stack_imply(struct html_stack *st, enum html_element e)
{
        int from;

        /* where blocks end a drawing, as browsers do; what it held bounds nothing then */
        if ((html_sort(e) & HTML_BLOCK) && !is_table_part(e))
                imply_one(st, HTML_SVG, -1);
        from = bound(st, HTML_P);
        if (is_table_part(e)) {
                imply_table(st, e);
                return;
        }
        switch (e) {
        case HTML_A:
                imply_one(st, HTML_A, from);
                return;
        case HTML_LI:
                imply_one(st, HTML_LI,
                    max_of(from, max_of(st->top[HTML_UL], st->top[HTML_OL])));
                break;
        case HTML_DD:
        case HTML_DT:
                imply_one(st, HTML_DD, max_of(from, st->top[HTML_DL]));
                imply_one(st, HTML_DT, max_of(from, st->top[HTML_DL]));
                break;
        case HTML_OPTION:
                imply_one(st, HTML_OPTION, from);
                break;
        default:
                break;
        }
        if (html_sort(e) & HTML_BLOCK)
                imply_one(st, HTML_P, bound(st, HTML_P));
}

static bool
says(enum html_say say, bool inherited)
{
        return say == SAYS_YES || (say == SAYS_NOTHING && inherited);
}

struct html_open *
html_stack_push(
    struct html_stack *st, const struct html_token *t, const struct html_look *look)
{
        const struct html_open *under;
        struct html_open *o;
        int i = st->n;

        if (st->n >= st->max) {
                st->over++;
                return NULL;
        }
        if (st->n == st->room) {
                st->room = st->room > 0 ? st->room * 2 : 64;
                st->list = xrealloc(st->list, (size_t)st->room * sizeof(st->list[0]));
        }
        under = i > 0 ? &st->list[i - 1] : NULL;
        o = &st->list[st->n++];
        memset(o, 0, sizeof(*o));
        o->element = t->element;
        o->hash = t->hash;
        o->hidden = look->hidden || (under != NULL && under->hidden);
        o->tiny = says(look->tiny, under != NULL && under->tiny);
        o->invisible = says(look->invisible, under != NULL && under->invisible);
        o->pre = says(look->pre, under != NULL && under->pre);
        o->same = st->top[t->element];
        o->block = html_sort(t->element) & HTML_BLOCK ? i
                   : under != NULL                    ? under->block
                                                      : -1;
        o->scope = html_sort(t->element) & HTML_SCOPE ? i
                   : under != NULL                    ? under->scope
                                                      : -1;
        st->top[t->element] = i;
        return o;
}

void
html_stack_close(struct html_stack *st, const struct html_token *t, bool lenient)
{
        enum html_element e = t->element;
        int i = st->top[e];
        unsigned sort = html_sort(e);
        const struct html_open *top = st->n > 0 ? &st->list[st->n - 1] : NULL;

        if (st->over > 0) {
                st->over--;
                return;
        }
        if (i < 0 || top == NULL || (e == HTML_OTHER && st->list[i].hash != t->hash))
                return;
        /* the cell or table itself is not outside of its own bounds */
        if (i < bound(st, e) || (i == bound(st, e) && !(sort & HTML_SCOPE)))
                return;
        if ((sort & HTML_BLOCK) || i > top->block)
                pop_to(st, i);
        else if ((sort & HTML_FORMAT) && lenient)
                end_element(st, i);
        else if (sort & HTML_FORMAT)
                pop_to(st, i);
}

bool
html_stack_seen(const struct html_stack *st)
{
        const struct html_open *o = st->n > 0 ? &st->list[st->n - 1] : NULL;

        return o == NULL || (!o->hidden && !o->tiny && !o->invisible);
}

bool
html_stack_pre(const struct html_stack *st)
{
        return st->n > 0 && st->list[st->n - 1].pre;
}
