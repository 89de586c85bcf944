/* Lists of addresses, @domains and numbers, written in place or read from a file. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/model/message.h"

static int
item_compare(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Normalised, or "" when it is no address, @domain or number. */
static const char *
item_normalise(struct build *b, const char *text)
{
        const char *n;

        if (number_take(b, text, &n))
                return n;
        if (text[0] != '@')
                return address_normalise(b->a, text);
        n = address_normalise(b->a, arena_printf(b->a, "x%s", text));
        return n[0] == '\0' ? "" : n + 1;
}

static void
list_add(struct build *b, struct list_options *l, const char *text, struct place at)
{
        const char *item = item_normalise(b, text);

        if (item[0] == '\0') {
                report_error(b->report, at, "'%s' is no address", word_shown(b->a, text));
                report_advice(
                    b->report, "like name@host.example, or @host.example for all of it");
                return;
        }
        l->items = arena_grow(b->a, l->items, l->n_items, sizeof *l->items);
        l->items[l->n_items++] = item;
}

/* One a line; # begins a comment. */
static void
list_add_lines(struct build *b, struct list_options *l, const struct source *s)
{
        for (size_t i = 0; i < s->n_lines; i++) {
                size_t from = s->line_at[i] + strspn(s->text + s->line_at[i], " \t");
                size_t to = from + strcspn(s->text + from, "#\r\n");
                while (to > from && strchr(" \t", s->text[to - 1]) != NULL)
                        to--;
                if (to > from)
                        list_add(b, l, arena_strndup(b->a, s->text + from, to - from),
                            (struct place){s, from, to - from});
        }
}

static bool
list_add_file(struct build *b, struct list_options *l, const struct sentence *s)
{
        const struct value *v = &s->values[2];
        const struct source *source;
        const char *why, *path;

        if (s->n_values > 3)
                value_surplus(b, s, &s->values[3]);
        path = path_beside(b, v->at.source, v->text);
        data_note(b, path);
        source = source_read(b, path, &why);
        if (source == NULL) {
                report_error(b->report, v->at, "cannot read this list: %s", why);
                return false;
        }
        list_add_lines(b, l, source);
        return true;
}

void
list_build(struct build *b, const struct sentence *s)
{
        const struct name *n = names_find(&b->lists, s->values[0].text);
        struct list_options *l = &b->c->lists[n->index];

        bool told = s->bad;

        if (value_at_is(s, 1, "file") && s->n_values > 2)
                told = !list_add_file(b, l, s) || told;
        else
                for (size_t i = 1; i < s->n_values; i++)
                        list_add(b, l, s->values[i].text, s->values[i].at);
        if (l->n_items == 0 && !told) {
                report_warning(b->report, s->at, "list '%s' is empty", l->name);
                return;
        }
        if (l->n_items > 0)
                qsort(l->items, l->n_items, sizeof *l->items, item_compare);
}

static bool
list_holds(const struct list_options *l, const char *item)
{
        return bsearch(&item, l->items, l->n_items, sizeof *l->items, item_compare) !=
               NULL;
}

bool
list_has(const struct list_options *l, const char *normalised)
{
        const char *at = strrchr(normalised, '@');

        if (l->n_items == 0 || normalised[0] == '\0')
                return false;
        return list_holds(l, normalised) || (at != NULL && list_holds(l, at));
}
