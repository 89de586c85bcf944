/*
 * A configuration: the main file and all it includes, in the order in which they
 * are named; see config.h. Whatever is wrong is told, of all files at once, and
 * then there is no configuration: the old one stays.
 */
#include "config/load.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/ruleset.h"

#define INCLUDE_MAX_DEPTH 16u

struct loader {
        struct build b;
        struct grammar g;
        struct block top; /* the top sentences of all files, in order */
        struct names seen; /* real paths of files read */
        const char *open[INCLUDE_MAX_DEPTH + 1]; /* being read: the way down to here */
        unsigned depth;
};

static void file_sentences(struct loader *l, const struct source *source);

static void
include_refuse(struct loader *l, const struct value *v, const char *why)
{
        report_error(
            l->b.report, v->at, "cannot read '%s': %s", word_shown(l->b.a, v->text), why);
}

/* Is the file among those being read? Then it would include itself. */
static bool
include_is_circle(struct loader *l, const struct value *v, const char *real)
{
        for (unsigned i = 0; i < l->depth; i++) {
                if (strcmp(l->open[i], real) != 0)
                        continue;
                report_error(l->b.report, v->at, "'%s' includes itself in a circle",
                    word_shown(l->b.a, v->text));
                report_advice(l->b.report, "take this out");
                return true;
        }
        return false;
}

static void
include_one(struct loader *l, const struct value *v)
{
        const char *path = path_beside(&l->b, v->at.source, v->text), *why, *real;
        const struct name *twice;
        const struct source *source;
        char resolved[PATH_MAX];

        if (l->b.no_files || realpath(path, resolved) == NULL) {
                include_refuse(l, v, strerror(l->b.no_files ? ENOENT : errno));
                return;
        }
        real = arena_strdup(l->b.a, resolved);
        if (include_is_circle(l, v, real))
                return;
        if (l->depth >= INCLUDE_MAX_DEPTH || l->seen.n >= GRAMMAR_MAX_FILES) {
                report_error(l->b.report, v->at,
                    l->depth >= INCLUDE_MAX_DEPTH ? "includes nest deeper than %u"
                                                  : "more than %u files",
                    l->depth >= INCLUDE_MAX_DEPTH ? INCLUDE_MAX_DEPTH
                                                  : GRAMMAR_MAX_FILES);
                return;
        }
        twice = names_add(&l->seen, real, v->at);
        if (twice != NULL) {
                report_error(l->b.report, v->at, "'%s' is included twice",
                    word_shown(l->b.a, v->text));
                if (twice->at.source != NULL)
                        report_advice(l->b.report, "first on %s",
                            place_name(twice->at, v->at.source, l->b.a));
                return;
        }
        source = source_read(&l->b, path, &why);
        if (source == NULL) {
                include_refuse(l, v, why);
                return;
        }
        l->open[l->depth++] = real;
        file_sentences(l, source);
        l->depth--;
}

static void
file_sentences(struct loader *l, const struct source *source)
{
        struct block *file = grammar_parse(&l->g, source);

        if (l->top.n_sentences == 0 && l->top.open.source == NULL)
                l->top.open = file->open;
        for (size_t i = 0; i < file->n_sentences; i++) {
                struct sentence *s = &file->sentences[i];

                l->top.sentences = arena_grow(l->b.a, l->top.sentences,
                    l->top.n_sentences, sizeof *l->top.sentences);
                l->top.sentences[l->top.n_sentences++] = *s;
                if (s->option == NULL || s->option->type != TYPE_INCLUDE || s->bad)
                        continue;
                if (s->n_values == 0)
                        value_missing(&l->b, s);
                for (size_t j = 0; j < s->n_values; j++)
                        include_one(l, &s->values[j]);
        }
}

static void
loader_init(struct loader *l, struct arena *a, const char *path)
{
        struct build *b = &l->b;
        const char *slash = strrchr(path, '/');

        memset(l, 0, sizeof *l);
        b->a = a;
        b->report = report_new(a);
        b->c = arena_alloc(a, sizeof *b->c);
        b->rules = arena_alloc(a, sizeof *b->rules);
        b->c->arena = a;
        b->c->rules = b->rules;
        b->c->file = arena_strdup(a, path);
        b->c->country = "";
        b->c->customers.path = "";
        b->c->dir = slash == NULL ? "." : arena_strndup(a, path, (size_t)(slash - path));
        names_init(&b->lines, a);
        names_init(&b->skills, a);
        names_init(&b->lists, a);
        names_init(&b->agents, a);
        names_init(&b->tags, a);
        names_init(&b->routes, a);
        names_init(&b->mails, a);
        names_init(&b->logins, a);
        names_init(&b->tagged, a);
        names_init(&b->lines_set, a);
        names_init(&b->needed, a);
        names_init(&b->hours, a);
        names_init(&b->promises, a);
        names_add(&b->hours, "always", (struct place){0});
        names_init(&b->forms, a);
        names_init(&b->phones, a);
        names_init(&b->form_fields, a);
        names_init(&l->seen, a);
        l->g = (struct grammar){.a = a, .report = b->report};
}

static void
loader_read(struct loader *l, const struct source *main_file)
{
        names_add(&l->seen, l->b.c->file, (struct place){0});
        l->open[l->depth++] = l->b.c->file;
        file_sentences(l, main_file);
}

/* Reports, and gives the configuration away or frees it. */
static int
loader_end(struct loader *l, struct config **out, struct config_report *report)
{
        struct config *c = l->b.c;
        bool good = report_n_errors(l->b.report) == 0;

        report_print(l->b.report, report);
        arena_free(&l->b.scratch);
        if (good)
                *out = c;
        else
                config_free(&c);
        return good ? 0 : -1;
}

static void
load_file(struct loader *l, const char *file)
{
        struct arena *a = arena_new();
        const struct source *source = NULL;
        const char *why;
        char real[PATH_MAX];

        if (realpath(file, real) == NULL) {
                loader_init(l, a, file);
                why = strerror(errno);
        } else {
                loader_init(l, a, real);
                source = source_read(&l->b, real, &why);
        }
        if (source == NULL) {
                report_error(
                    l->b.report, (struct place){0}, "cannot read '%s': %s", file, why);
                return;
        }
        loader_read(l, source);
        build_config(&l->b, &l->top);
}

int
config_load(const char *file, struct config **out, struct config_report *report)
{
        struct loader l;

        load_file(&l, file);
        return loader_end(&l, out, report);
}

int
config_show(const char *file, bool json, struct buf *out, struct config_report *report)
{
        struct config *c = NULL;
        struct loader l;

        load_file(&l, file);
        if (report_n_errors(l.b.report) == 0)
                show_blocks(&l.top, json, l.b.a, out);
        if (loader_end(&l, &c, report) == -1)
                return -1;
        config_free(&c);
        return 0;
}

int
config_load_text(const char *path, const char *text, size_t n, struct config **out,
    struct config_report *report)
{
        struct loader l;

        loader_init(&l, arena_new(), path);
        l.b.no_files = true;
        loader_read(&l, source_from(&l.b, path, text, n));
        build_config(&l.b, &l.top);
        return loader_end(&l, out, report);
}

void
config_free(struct config **c)
{
        struct arena *a;

        if (*c == NULL)
                return;
        rules_free((*c)->rules);
        a = (*c)->arena;
        *c = NULL;
        arena_free(&a);
}

/* ---- for the tool, which may not read the secrets ---- */

/* The Unix socket among them, else the first. Mail servers run their pipes as a user
 * who may not enter the state directory: for them any other is better. */
static const char *
listen_choose(const char *const *items, size_t n, bool unix_only)
{
        const char *closed = NULL, *other = NULL;

        for (size_t i = 0; i < n; i++) {
                bool is_unix = strncmp(items[i], "unix:", 5) == 0;

                if (!is_unix && other == NULL)
                        other = items[i];
                if (is_unix &&
                    (unix_only || access(items[i] + 5, W_OK) == 0 || errno != EACCES))
                        return items[i];
                if (is_unix && closed == NULL)
                        closed = items[i];
        }
        return unix_only ? NULL : other != NULL ? other : closed;
}

/* Only `state` and that block are looked at; faults elsewhere do not matter: the
 * daemon may be running on the last good configuration. */
static int
find_listener(const char *file, const char *block, struct arena *a, const char **address,
    struct err *err)
{
        struct arena *mine AUTO_ARENA = arena_new();
        bool agents = strcmp(block, "socket") == 0;
        const struct source *source;
        const char *why, *found;
        char real[PATH_MAX];
        struct loader l;

        if (realpath(file, real) == NULL)
                return err_set(
                    err, ERR_CONFIG, "cannot read '%s': %s", file, strerror(errno));
        loader_init(&l, mine, real);
        source = source_read(&l.b, real, &why);
        if (source == NULL)
                return err_set(err, ERR_CONFIG, "cannot read '%s': %s", file, why);
        loader_read(&l, source);
        build_listeners(&l.b, &l.top, block);
        found = agents ? listen_choose(l.b.c->socket_listen, l.b.c->n_socket_listen, true)
                       : listen_choose(l.b.c->lmtp_listen, l.b.c->n_lmtp_listen, false);
        if (found == NULL)
                return err_set(err, ERR_CONFIG,
                    "'%s' has no Unix socket for agents; use "
                    "--server HOST:PORT with HELPLINE_TOKEN",
                    file);
        *address = arena_strdup(a, found);
        return 0;
}

int
config_find_socket(
    const char *file, struct arena *a, const char **address, struct err *err)
{
        return find_listener(file, "socket", a, address, err);
}

int
config_find_lmtp(const char *file, struct arena *a, const char **address, struct err *err)
{
        return find_listener(file, "lmtp", a, address, err);
}
