/*
 * Classes and profiles: who may take what; see class.h. Pure.
 *
 * The document is written by one function with its members in sorted order, so
 * that equal demands are equal bytes whatever made them.
 */
#include "daemon/model/class.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"

#define HEAD_MAX_MS 315576000000LL /* ten years */
#define CLASS_VERSION 1
#define CLASS_JSON_MAX 65536u
#define CLASS_MAX_LINES 64u
#define CLASS_MAX_MUSTS 64u

static int
skill_compare(const void *a, const void *b)
{
        const struct skill *x = a, *y = b;
        int d = strcmp(x->name, y->name);

        return d != 0 ? d : (x->level < y->level) - (x->level > y->level);
}

/* Sorts by name; of two levels of one skill the higher stays. */
static void
skills_sort(struct skill *s, size_t *n)
{
        size_t kept = 0;

        if (*n == 0)
                return;
        qsort(s, *n, sizeof *s, skill_compare);
        for (size_t i = 0; i < *n; i++)
                if (kept == 0 || strcmp(s[kept - 1].name, s[i].name) != 0)
                        s[kept++] = s[i];
        *n = kept;
}

void
class_format_skills(struct json_out *o, const char *key, const struct skill *s, size_t n)
{
        jo_key(o, key);
        jo_open(o, '{');
        for (size_t i = 0; i < n; i++)
                jo_kint(o, s[i].name, s[i].level);
        jo_close(o, '}');
}

static void
class_name_text(struct class *c)
{
        char hex[65];

        sha256_hex(c->text, strlen(c->text), hex);
        memcpy(c->id, hex, CLASS_ID_LEN);
        c->id[CLASS_ID_LEN] = '\0';
}

void
class_seal(struct class *c, struct arena *a)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        skills_sort(c->needs, &c->n_needs);
        skills_sort(c->musts, &c->n_musts);
        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "calendar", "");
        jo_kstring(&o, "channel", c->channel);
        jo_kint(&o, "head_ms", c->head_ms);
        jo_key(&o, "lines");
        jo_open(&o, '[');
        for (size_t i = 0; i < c->n_lines; i++)
                jo_string(&o, c->lines[i]);
        jo_close(&o, ']');
        class_format_skills(&o, "musts", c->musts, c->n_musts);
        class_format_skills(&o, "needs", c->needs, c->n_needs);
        jo_kstring(&o, "route", c->route);
        jo_key(&o, "steps");
        jo_open(&o, '[');
        jo_close(&o, ']');
        jo_kint(&o, "v", CLASS_VERSION);
        jo_close(&o, '}');
        c->text = arena_strndup(a, b.data, b.len);
        class_name_text(c);
}

static int
skills_read(const json_t *o, const char *key, size_t max, struct arena *a,
    struct skill **out, size_t *n, struct err *err)
{
        json_t *v = json_object_get(o, key);
        const char *name;
        json_t *level;

        *n = 0;
        *out = arena_alloc(a, (json_object_size(v) + 1) * sizeof **out);
        if (!json_is_object(v) || json_object_size(v) > max)
                return err_set(
                    err, ERR_REJECT, "class: '%s' is not a short list of skills", key);
        json_object_foreach(v, name, level)
        {
                json_int_t l = json_integer_value(level);

                if (name[0] == '\0' || l < 1 || l > 10)
                        return err_set(err, ERR_REJECT,
                            "class: bad level of '%.60s' in '%s'", name, key);
                (*out)[(*n)++] = (struct skill){arena_strdup(a, name), (unsigned)l};
        }
        skills_sort(*out, n);
        return 0;
}

static int
lines_read(const json_t *o, struct arena *a, struct class *c, struct err *err)
{
        const json_t *v = json_object_get(o, "lines");
        size_t n = json_array_size(v);

        if (n == 0 || n > CLASS_MAX_LINES)
                return err_set(
                    err, ERR_REJECT, "class: 'lines' is not a short list of lines");
        c->lines = arena_alloc(a, n * sizeof *c->lines);
        for (size_t i = 0; i < n; i++) {
                const char *s = json_string_value(json_array_get(v, i));

                if (s == NULL || s[0] == '\0')
                        return err_set(err, ERR_REJECT, "class: 'lines' holds no name");
                c->lines[i] = arena_strdup(a, s);
        }
        c->n_lines = n;
        return 0;
}

static int
class_read(const json_t *o, struct arena *a, struct class *c, struct err *err)
{
        int64_t version = json_int(o, "v", 0);

        if (version > CLASS_VERSION || json_array_size(json_object_get(o, "steps")) > 0)
                return err_set(err, ERR_REJECT,
                    "class: a newer helpline wrote it (version %lld, this one knows %d)",
                    (long long)version, CLASS_VERSION);
        if (version < 1)
                return err_set(err, ERR_REJECT, "class: it is no class document");
        c->route = arena_strdup(a, json_str(o, "route", ""));
        c->channel = arena_strdup(a, json_str(o, "channel", ""));
        c->head_ms = json_int(o, "head_ms", 0);
        if (c->head_ms < -HEAD_MAX_MS || c->head_ms > HEAD_MAX_MS)
                return err_set(err, ERR_REJECT, "class: its head start is no head start");
        if (lines_read(o, a, c, err) == -1)
                return -1;
        if (skills_read(o, "needs", CLASS_MAX_NEEDS, a, &c->needs, &c->n_needs, err) ==
            -1)
                return -1;
        return skills_read(o, "musts", CLASS_MAX_MUSTS, a, &c->musts, &c->n_musts, err);
}

int
class_parse(
    const char *text, size_t n, struct arena *a, struct class *out, struct err *err)
{
        json_t *o = json_read(text, n, CLASS_JSON_MAX, err);
        int rc;

        memset(out, 0, sizeof *out);
        if (o == NULL)
                return err_prefix(err, "class");
        rc = class_read(o, a, out, err);
        json_decref(o);
        if (rc == -1)
                return -1;
        out->text = arena_strndup(a, text, n);
        class_name_text(out);
        return 0;
}

/* ---- who fits ---- */

static bool
profile_at_home(const struct class *c, const struct profile *p)
{
        for (size_t i = 0; i < c->n_lines; i++)
                for (size_t j = 0; j < p->n_lines; j++)
                        if (strcmp(c->lines[i], p->lines[j]) == 0)
                                return true;
        return false;
}

static unsigned
profile_level(const struct profile *p, const char *skill)
{
        for (size_t i = 0; i < p->n_skills; i++)
                if (strcmp(p->skills[i].name, skill) == 0)
                        return p->skills[i].level;
        return 0;
}

/* The first demand he does not meet, or NULL. */
static const struct skill *
first_missing(const struct skill *s, size_t n, const struct profile *p)
{
        for (size_t i = 0; i < n; i++)
                if (profile_level(p, s[i].name) < s[i].level)
                        return &s[i];
        return NULL;
}

int
class_step(const struct class *c, const struct profile *p)
{
        if (!profile_at_home(c, p) || first_missing(c->musts, c->n_musts, p) != NULL ||
            first_missing(c->needs, c->n_needs, p) != NULL)
                return STEP_NEVER;
        return STEP_AT_ONCE;
}

static const char *
missing_text(
    const struct skill *s, const char *verb, const struct profile *p, struct arena *a)
{
        unsigned has = profile_level(p, s->name);

        if (has == 0)
                return arena_printf(
                    a, "has no %s, %s %s:%u", s->name, verb, s->name, s->level);
        return arena_printf(
            a, "has %s:%u, %s %s:%u", s->name, has, verb, s->name, s->level);
}

const char *
class_against(const struct class *c, const struct profile *p, struct arena *a)
{
        const struct skill *s;

        if (!profile_at_home(c, p))
                return arena_printf(a, "is at home in line %s, this waits in %s",
                    p->n_lines == 0 ? "(none)" : p->lines[0],
                    c->n_lines == 0 ? "(none)" : c->lines[0]);
        s = first_missing(c->musts, c->n_musts, p);
        if (s != NULL)
                return missing_text(s, "must have", p, a);
        s = first_missing(c->needs, c->n_needs, p);
        return s == NULL ? "" : missing_text(s, "needs", p, a);
}
