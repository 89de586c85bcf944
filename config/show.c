/*
 * What is set, and where: each option with its value and where it comes from, a file and
 * line or the default. It shows what is written, so of a secret only the file it is in.
 */
#include <string.h>

#include "config/build.h"
#include "config/load.h"
#include "daemon/base/json.h"
#include "daemon/base/utf8.h"

struct showing {
        struct arena *a;
        struct buf *text; /* for people; NULL: JSON */
        struct json_out *json;
};

static void show_block(
    struct showing *s, enum block_kind kind, const struct block *block, const char *path);

static unsigned
path_depth(const char *path)
{
        unsigned n = *path == '\0' ? 0 : 1;

        for (; *path != '\0'; path++)
                n += *path == '\n';
        return n;
}

static void
pad(struct buf *out, size_t chars, size_t width)
{
        do
                buf_addc(out, ' ');
        while (++chars < width);
}

/* path: the blocks it stands in, each on a line of its own. */
static void
show_line(struct showing *s, const char *path, const char *name, const char *value,
    const char *from)
{
        unsigned indent = path_depth(path) * 4;
        const char *words;

        if (s->text == NULL) {
                jo_open(s->json, '{');
                jo_key(s->json, "in");
                jo_open(s->json, '[');
                for (const char *p = path; *p != '\0'; p += *p == '\n') {
                        size_t n = strcspn(p, "\n");

                        jo_string(s->json, arena_strndup(s->a, p, n));
                        p += n;
                }
                jo_close(s->json, ']');
                jo_kstring(s->json, "option", name);
                jo_kstring(s->json, "value", value);
                jo_kstring(s->json, "from", from);
                jo_close(s->json, '}');
                return;
        }
        words = arena_printf(s->a, "%*s%s", (int)indent, "", name);
        buf_adds(s->text, words);
        pad(s->text, utf8_length(words, strlen(words)), 20);
        buf_adds(s->text, value);
        pad(s->text, utf8_length(value, strlen(value)) + 20, 72);
        buf_addf(s->text, "%s\n", from);
}

/* The sentence without its name. */
static const char *
value_shown(const struct sentence *s)
{
        const char *text = s->text + strlen(s->name);

        while (*text == ' ')
                text++;
        return *text == '\0' && s->option->type == TYPE_SWITCH ? "yes" : text;
}

/* "default: the system's" in the help of an option that has no plain one. */
static const char *
default_shown(const struct option *o)
{
        const char *said = strstr(o->help, "default: ");

        if (o->fallback[0] != '\0')
                return o->fallback;
        if (o->type == TYPE_SWITCH)
                return "no";
        return said == NULL ? "-" : said + strlen("default: ");
}

static void
show_sentence(struct showing *s, const struct sentence *x, const char *path)
{
        const char *inside;

        show_line(s, path, x->name, value_shown(x), place_file_line(x->at, s->a));
        if (x->option->opens >= N_BLOCKS)
                return;
        inside = arena_printf(s->a, "%s%s%s", path, *path == '\0' ? "" : "\n", x->text);
        show_block(s, x->option->opens, x->block, inside);
}

static void
show_default(struct showing *s, const struct option *o, const char *path)
{
        if (o->type == TYPE_LATER || o->type == TYPE_INCLUDE ||
            (o->flags & OPTION_REPEATS && o->fallback[0] == '\0') ||
            (o->type >= TYPE_BLOCK && o->opens >= N_BLOCKS &&
                strcmp(default_shown(o), "-") == 0))
                return;
        if (o->type == TYPE_BLOCK && o->opens < N_BLOCKS)
                show_block(s, o->opens, NULL,
                    arena_printf(
                        s->a, "%s%s%s", path, *path == '\0' ? "" : "\n", o->name));
        else
                show_line(s, path, o->name, default_shown(o), "default");
}

/* A block that nobody wrote has a heading all the same, when something is in it. */
static void
show_heading(struct showing *s, const struct block *block, const char *path)
{
        const char *name = strrchr(path, '\n');

        if (block == NULL && *path != '\0' && s->text != NULL)
                buf_addf(s->text, "%*s%s\n", (int)(path_depth(path) - 1) * 4, "",
                    name == NULL ? path : name + 1);
}

static void
show_block(
    struct showing *s, enum block_kind kind, const struct block *block, const char *path)
{
        bool written = block != NULL || *path == '\0';

        if (!written && strchr(path, ' ') == NULL)
                show_heading(s, block, path);
        for (size_t i = 0; i < n_options; i++) {
                bool any = false;

                if (options[i].block != kind)
                        continue;
                for (size_t k = 0; block != NULL && k < block->n_sentences; k++)
                        if (block->sentences[k].option == &options[i]) {
                                show_sentence(s, &block->sentences[k], path);
                                any = true;
                        }
                if (!any && kind != BLOCK_TEST)
                        show_default(s, &options[i], path);
        }
}

void
show_blocks(const struct block *top, bool json, struct arena *a, struct buf *out)
{
        struct json_out o;
        struct showing s = {.a = a, .text = json ? NULL : out, .json = &o};

        jo_init(&o, out);
        if (json)
                jo_open(&o, '[');
        show_block(&s, BLOCK_TOP, top, "");
        if (json)
                jo_close(&o, ']');
}
