/*
 * Classes: demands as one canonical document; see class.h. Pure. Who may take what is
 * in class_fit.c.
 *
 * The document is written by one function with its members in sorted order, so
 * that equal demands are equal bytes whatever made them. It is of version 2 only when it
 * has steps or a calendar: what has neither stays the same bytes for ever.
 */
#include "daemon/model/class.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"

#define HEAD_MAX_MS 315576000000LL /* ten years */
#define CLASS_VERSION 2
#define CLASS_JSON_MAX 65536u
#define CLASS_MAX_LINES 64u
#define CLASS_MAX_MUSTS 64u
#define STEP_MAX_DAYS 3650

static const char *const step_words[] = {"also", "lower", "drop"};

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

/* Without a calendar a day is 24 hours; with one, about when it comes. */
static int64_t
step_age(const struct class_step *s)
{
        return s->after.days * 86400000LL + s->after.ms;
}

/* By age; equal ones stay as written. */
static void
steps_sort(struct class_step *s, size_t n)
{
        for (size_t i = 1; i < n; i++) {
                struct class_step x = s[i];
                size_t j = i;

                for (; j > 0 && step_age(&s[j - 1]) > step_age(&x); j--)
                        s[j] = s[j - 1];
                s[j] = x;
        }
}

static void
step_format(struct json_out *o, const struct class_step *s)
{
        jo_open(o, '{');
        jo_kint(o, "days", s->after.days);
        jo_kstring(o, "does", step_words[s->does]);
        if (s->does == STEP_LOWER)
                jo_kint(o, "levels", s->levels);
        if (s->does == STEP_ALSO)
                jo_kstrings(o, "lines", s->lines, s->n_lines);
        jo_kint(o, "ms", s->after.ms);
        jo_close(o, '}');
}

static void
class_format(const struct class *c, struct json_out *o)
{
        jo_open(o, '{');
        jo_kstring(o, "calendar", c->calendar);
        jo_kstring(o, "channel", c->channel);
        jo_kint(o, "head_ms", c->head_ms);
        jo_kstrings(o, "lines", c->lines, c->n_lines);
        class_format_skills(o, "musts", c->musts, c->n_musts);
        class_format_skills(o, "needs", c->needs, c->n_needs);
        jo_kstring(o, "route", c->route);
        jo_key(o, "steps");
        jo_open(o, '[');
        for (size_t i = 0; i < c->n_steps; i++)
                step_format(o, &c->steps[i]);
        jo_close(o, ']');
        jo_kint(o, "v", c->n_steps > 0 || c->calendar[0] != '\0' ? CLASS_VERSION : 1);
        jo_close(o, '}');
}

void
class_seal(struct class *c, struct arena *a)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        if (c->calendar == NULL)
                c->calendar = "";
        skills_sort(c->needs, &c->n_needs);
        skills_sort(c->musts, &c->n_musts);
        steps_sort(c->steps, c->n_steps);
        jo_init(&o, &b);
        class_format(c, &o);
        c->text = arena_strndup(a, b.data, b.len);
        class_name_text(c);
}

void
class_strip(struct class *c, struct arena *a)
{
        c->n_needs = 0;
        c->n_steps = 0;
        class_seal(c, a);
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
lines_read(const json_t *o, struct arena *a, const char ***lines, size_t *n_lines,
    struct err *err)
{
        const json_t *v = json_object_get(o, "lines");
        size_t n = json_array_size(v);

        if (n == 0 || n > CLASS_MAX_LINES)
                return err_set(
                    err, ERR_REJECT, "class: 'lines' is not a short list of lines");
        *lines = arena_alloc(a, n * sizeof **lines);
        for (size_t i = 0; i < n; i++) {
                const char *s = json_string_value(json_array_get(v, i));

                if (s == NULL || s[0] == '\0')
                        return err_set(err, ERR_REJECT, "class: 'lines' holds no name");
                (*lines)[i] = arena_strdup(a, s);
        }
        *n_lines = n;
        return 0;
}

static int
step_read(const json_t *o, struct arena *a, struct class_step *s, struct err *err)
{
        const char *does = json_str(o, "does", "");
        int64_t days = json_int(o, "days", -1), levels = json_int(o, "levels", 0);
        size_t word = 0;

        while (word < 3 && strcmp(step_words[word], does) != 0)
                word++;
        s->does = (enum step_does)word;
        s->after.ms = json_int(o, "ms", -1);
        if (word == 3)
                return err_set(
                    err, ERR_REJECT, "class: a step does '%.60s', unknown here", does);
        if (days < 0 || days > STEP_MAX_DAYS || s->after.ms < 0 ||
            s->after.ms > HEAD_MAX_MS)
                return err_set(err, ERR_REJECT, "class: a step has no good time");
        s->after.days = (int)days;
        if (s->does == STEP_LOWER && (levels < 1 || levels > 10))
                return err_set(err, ERR_REJECT, "class: a step lowers by no good level");
        s->levels = s->does == STEP_LOWER ? (unsigned)levels : 0;
        return s->does == STEP_ALSO ? lines_read(o, a, &s->lines, &s->n_lines, err) : 0;
}

static int
steps_read(const json_t *o, struct arena *a, struct class *c, struct err *err)
{
        const json_t *v = json_list(o, "steps");
        size_t n = json_array_size(v);

        if (n > CLASS_MAX_STEPS)
                return err_set(
                    err, ERR_REJECT, "class: more than %d steps", CLASS_MAX_STEPS);
        c->steps = arena_alloc(a, (n + 1) * sizeof *c->steps);
        for (size_t i = 0; i < n; i++)
                if (step_read(json_array_get(v, i), a, &c->steps[i], err) == -1)
                        return -1;
        c->n_steps = n;
        steps_sort(c->steps, n);
        return 0;
}

static int
class_read(const json_t *o, struct arena *a, struct class *c, struct err *err)
{
        int64_t version = json_int(o, "v", 0);

        if (version > CLASS_VERSION)
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
        c->calendar = arena_strdup(a, json_str(o, "calendar", ""));
        if (lines_read(o, a, &c->lines, &c->n_lines, err) == -1 ||
            steps_read(o, a, c, err) == -1)
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

/* Members are sorted and words need no escapes, so what is looked for stands as it is. */
bool
class_glance(const char *text, struct arena *a, const char **line, int64_t *head_ms)
{
        static const char head_key[] = "\"head_ms\":", lines_key[] = "\"lines\":[\"";
        const char *head = strstr(text, head_key);
        const char *lines = head == NULL ? NULL : strstr(head, lines_key);
        size_t n;

        if (lines == NULL)
                return false;
        lines += sizeof lines_key - 1;
        n = strcspn(lines, "\"\\");
        if (n == 0 || lines[n] != '"')
                return false;
        *line = arena_strndup(a, lines, n);
        *head_ms = strtoll(head + sizeof head_key - 1, NULL, 10);
        return true;
}
