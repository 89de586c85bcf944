/*
 * Sets of bounce formats; see bounces.h. Read once and never changed: helpline-mime
 * has one for its life.
 */
#include "config/bounces.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/bounces_impl.h"
#include "config/folders.h"
#include "daemon/base/utf8.h"

struct bounce_set *
bounces_new(void)
{
        struct arena *a = arena_new();
        struct bounce_set *s = arena_alloc(a, sizeof *s);

        s->a = a;
        s->statuses_path = "";
        return s;
}

void
bounces_free(struct bounce_set **s)
{
        struct arena *a;

        if (*s == NULL)
                return;
        a = (*s)->a;
        *s = NULL;
        arena_free(&a);
}

size_t
bounces_count(const struct bounce_set *s)
{
        return s->n_systems - (s->other != NULL) - (s->reasons != NULL);
}

size_t
bounces_dirs(struct arena *a, const char *confdir, const char *out[BOUNCES_MAX_DIRS])
{
        return data_folders(a, confdir, "HELPLINE_BOUNCES", "bounces", out);
}

/* ---- loading ---- */

static int
by_name(const void *a, const void *b)
{
        const struct bounce_system *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

static const struct bounce_reason *
reason_named(const struct bounce_set *s, const char *name)
{
        for (size_t i = 0; i < s->n_reasons; i++)
                if (strcmp(s->reason_list[i].name, name) == 0)
                        return &s->reason_list[i];
        return NULL;
}

static int
unknown_reason(
    const char *path, unsigned line, unsigned column, const char *name, struct err *err)
{
        return err_set(err, ERR_CONFIG,
            "%s:%u:%u: error: unknown reason '%.40s'; declare it in reasons.conf: reason "
            "%.40s temporary 5.0.0",
            path, line, column, name, name);
}

int
bounces_finish(struct bounce_set *s, struct err *err)
{
        if (s->n_systems > 0)
                qsort(s->systems, s->n_systems, sizeof *s->systems, by_name);
        for (size_t i = 0; i < s->n_systems; i++)
                for (size_t k = 0; k < s->systems[i]->n_meanings; k++) {
                        struct meaning *m = &s->systems[i]->meanings[k];

                        m->reason = reason_named(s, m->reason_name);
                        if (m->reason == NULL)
                                return unknown_reason(s->systems[i]->path, m->line,
                                    m->column, m->reason_name, err);
                }
        for (size_t i = 0; i < s->n_statuses; i++) {
                struct status_meaning *m = &s->statuses[i];

                m->reason = reason_named(s, m->reason_name);
                if (m->reason == NULL)
                        return unknown_reason(
                            s->statuses_path, m->line, m->column, m->reason_name, err);
        }
        return 0;
}

static bool
is_known(const struct bounce_set *s, const char *name)
{
        for (size_t i = 0; i < s->n_systems; i++)
                if (strcmp(s->systems[i]->name, name) == 0)
                        return true;
        return false;
}

static int
load_folder(struct bounce_set *s, const char *dir, struct err *err)
{
        struct dirent **names = NULL;
        int n = scandir(dir, &names, NULL, alphasort);
        int rc = 0;

        if (n == -1)
                return errno == ENOENT || errno == ENOTDIR
                           ? 0
                           : err_errno(err, ERR_CONFIG, errno, "cannot read %s", dir);
        for (int i = 0; i < n; i++) {
                const char *file = names[i]->d_name;
                size_t len = strlen(file);
                const char *name = arena_strndup(s->a, file, len > 5 ? len - 5 : 0);

                if (rc == 0 && len > 5 && file[0] != '.' &&
                    strcmp(file + len - 5, ".conf") == 0 && !is_known(s, name)) {
                        if (s->n_systems >= BOUNCES_MAX_FILES)
                                rc = err_set(err, ERR_CONFIG,
                                    "%s: more than 500 files of bounce formats", dir);
                        else
                                rc = bounces_read(
                                    s, arena_printf(s->a, "%s/%s", dir, file), name, err);
                }
                free(names[i]);
        }
        free(names);
        return rc;
}

struct bounce_set *
bounces_load(const char *const *dirs, size_t n_dirs, struct err *err)
{
        struct bounce_set *s = bounces_new();

        for (size_t i = 0; i < n_dirs; i++)
                if (load_folder(s, dirs[i], err) == -1) {
                        bounces_free(&s);
                        return NULL;
                }
        if (bounces_finish(s, err) == -1)
                bounces_free(&s);
        return s;
}

/* ---- asking ---- */

const char *
bounce_system_name(const struct bounce_system *y)
{
        return y->name;
}

const char *
bounce_system_title(const struct bounce_system *y)
{
        return y->title;
}

const char *
bounce_system_type(const struct bounce_system *y)
{
        return y->type;
}

static bool
list_fits(
    const struct pattern_list *p, const struct bounce_line *l, struct bounce_captures *c)
{
        for (size_t i = 0; i < p->n; i++)
                if (line_pattern_fits(p->list[i], l, c))
                        return true;
        return false;
}

bool
bounce_system_fits(const struct bounce_system *y, enum bounce_list list,
    const struct bounce_line *l, struct bounce_captures *c)
{
        return y != NULL && list_fits(&y->lists[list], l, c);
}

/* A text as one line, folded, in the arena. */
static struct bounce_line
line_of(struct arena *a, const char *s)
{
        struct bounce_line l = {.s = s, .n = strlen(s)};
        char *folded;

        if (l.n > 1000)
                l.n = utf8_cut(s, l.n, 1000);
        folded = arena_strndup(a, s, l.n);
        bounces_fold(folded, s, l.n);
        l.folded = folded;
        return l;
}

struct recognition {
        struct arena *a;
        const struct message *m;
        struct bounce_line from, subject;
        const struct bounce_line *lines;
        size_t n_lines;
};

/* A name may end in *: "X-Postfix-*". */
static bool
is_named(const char *header, const char *name)
{
        size_t n = strlen(name);

        if (n > 0 && name[n - 1] == '*')
                return strncasecmp(header, name, n - 1) == 0;
        return strcasecmp(header, name) == 0;
}

static bool
any_header_fits(struct recognition *r, const struct known_condition *k)
{
        for (size_t i = 0; i < r->m->n_headers; i++) {
                struct bounce_line l;

                if (!is_named(r->m->headers[i].name, k->header))
                        continue;
                l = line_of(r->a, r->m->headers[i].value);
                if (line_pattern_fits(k->pattern, &l, NULL))
                        return true;
        }
        return false;
}

static bool
condition_holds(struct recognition *r, const struct known_condition *k)
{
        switch (k->by) {
        case KNOWN_FROM:
                return line_pattern_fits(k->pattern, &r->from, NULL);
        case KNOWN_SUBJECT:
                return line_pattern_fits(k->pattern, &r->subject, NULL);
        case KNOWN_HEADER:
                return any_header_fits(r, k);
        case KNOWN_TEXT:
                break;
        }
        for (size_t i = 0; i < r->n_lines; i++)
                if (line_pattern_fits(k->pattern, &r->lines[i], NULL))
                        return true;
        return false;
}

static bool
sentence_holds(struct recognition *r, const struct known_sentence *k)
{
        for (size_t i = 0; i < k->n; i++)
                if (!condition_holds(r, &k->conditions[i]))
                        return false;
        return true;
}

/* Does it ask who sent the mail? Then it knows better than one that asks for words only,
 * which others have too. */
static bool
asks_sender(const struct known_sentence *k)
{
        for (size_t i = 0; i < k->n; i++)
                if (k->conditions[i].by == KNOWN_FROM ||
                    k->conditions[i].by == KNOWN_HEADER)
                        return true;
        return false;
}

static const struct bounce_system *
recognise_by(
    const struct bounce_set *s, struct recognition *r, bool sender, const char **by)
{
        for (size_t i = 0; i < s->n_systems; i++) {
                const struct bounce_system *y = s->systems[i];

                for (size_t k = 0; y != s->other && k < y->n_known; k++) {
                        if (asks_sender(&y->known[k]) != sender ||
                            !sentence_holds(r, &y->known[k]))
                                continue;
                        *by = y->known[k].written;
                        return y;
                }
        }
        return NULL;
}

const struct bounce_system *
bounces_recognise(const struct bounce_set *s, const struct message *m,
    const struct bounce_line *lines, size_t n_lines, const char **by)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct recognition r = {.a = a, .m = m, .lines = lines, .n_lines = n_lines};
        const struct bounce_system *y;

        r.from = line_of(a, arena_printf(a, "%s%s%s", m->from.name,
                                m->from.name[0] != '\0' ? " " : "", m->from.address));
        r.subject = line_of(a, m->subject);
        y = recognise_by(s, &r, true, by);
        return y != NULL ? y : recognise_by(s, &r, false, by);
}

const struct bounce_system *
bounces_other(const struct bounce_set *s)
{
        return s->other;
}

bool
bounces_subject(const struct bounce_set *s, const char *subject)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct bounce_line l = line_of(a, subject);

        for (size_t i = 0; s->other != NULL && i < s->other->n_known; i++) {
                const struct known_sentence *k = &s->other->known[i];

                for (size_t j = 0; j < k->n; j++)
                        if (k->conditions[j].by == KNOWN_SUBJECT &&
                            line_pattern_fits(k->conditions[j].pattern, &l, NULL))
                                return true;
        }
        return false;
}

/* ---- reasons ---- */

static const struct bounce_reason *
meaning_of(const struct bounce_system *y, const struct bounce_line *l, const char **by)
{
        for (size_t i = 0; y != NULL && i < y->n_meanings; i++)
                if (line_pattern_fits(y->meanings[i].pattern, l, NULL)) {
                        if (by != NULL)
                                *by = y->meanings[i].pattern->written;
                        return y->meanings[i].reason;
                }
        return NULL;
}

const struct bounce_reason *
bounces_reason(const struct bounce_set *s, const struct bounce_system *y,
    const char *folded, size_t n, const char **by)
{
        struct bounce_line l = {.s = folded, .folded = folded, .n = n};
        const struct bounce_reason *r = meaning_of(y, &l, by);

        return r != NULL ? r : meaning_of(s->reasons, &l, by);
}

static bool
status_fits(const char *pattern, const char *status)
{
        size_t n = strcspn(pattern, "*");

        return pattern[n] == '*' ? strncmp(pattern, status, n) == 0
                                 : strcmp(pattern, status) == 0;
}

const struct bounce_reason *
bounces_reason_of_status(const struct bounce_set *s, const char *status)
{
        for (size_t i = 0; i < s->n_statuses; i++)
                if (status_fits(s->statuses[i].status, status))
                        return s->statuses[i].reason;
        return NULL;
}
