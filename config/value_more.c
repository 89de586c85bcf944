/* Values, continued: sizes, words of a set, sites, numbers; see build.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/build.h"
#include "daemon/model/call.h"

/* ---- sizes ---- */

static const struct {
        const char *unit;
        uint64_t bytes;
} size_units[] = {{"GB", 1u << 30}, {"MB", 1u << 20}, {"KB", 1u << 10}, {"B", 1}};

#define N_SIZE_UNITS (sizeof size_units / sizeof *size_units)

bool
size_read(const char *s, uint64_t *out)
{
        uint64_t n = 0;
        const char *digits = s;

        for (; *s >= '0' && *s <= '9' && n < 1u << 30; s++)
                n = n * 10 + (uint64_t)(*s - '0');
        for (size_t i = 0; s > digits && i < N_SIZE_UNITS; i++)
                if (strcmp(s, size_units[i].unit) == 0) {
                        *out = n * size_units[i].bytes;
                        return true;
                }
        return false;
}

const char *
size_shown(struct arena *a, uint64_t bytes)
{
        for (size_t i = 0; i < N_SIZE_UNITS; i++)
                if (bytes >= size_units[i].bytes && bytes % size_units[i].bytes == 0)
                        return arena_printf(a, "%llu%s",
                            (unsigned long long)(bytes / size_units[i].bytes),
                            size_units[i].unit);
        return "0B";
}

static bool
size_set(struct build *b, const struct sentence *s, const struct value *v, uint64_t *out)
{
        uint64_t n;

        if (!size_read(v->text, &n)) {
                bool bare =
                    v->text[0] != '\0' && v->text[strspn(v->text, "0123456789")] == '\0';

                value_wrong(b, s, v);
                if (bare && strlen(v->text) < 10)
                        report_advice(b->report, "%sKB or %sMB?", v->text, v->text);
                else
                        report_advice(b->report, "like 64KB, 20MB or 1GB");
                return false;
        }
        if (n < (uint64_t)s->option->min || n > (uint64_t)s->option->max) {
                report_error(b->report, v->at, "'%s' cannot be %s", s->name, v->text);
                report_advice(b->report, "from %s to %s",
                    size_shown(b->a, (uint64_t)s->option->min),
                    size_shown(b->a, (uint64_t)s->option->max));
                return false;
        }
        *out = n;
        return true;
}

/* ---- one word of a few ---- */

/* The n-th word of "note, ticket or ignore" into word; false behind the last. */
static bool
unit_word(const char *unit, unsigned n, char word[32])
{
        const char *p = unit;

        for (unsigned i = 0;; i++) {
                size_t len;

                p += strspn(p, ", ");
                if (strncmp(p, "or ", 3) == 0)
                        p += 3;
                len = strcspn(p, ", ");
                if (len == 0)
                        return false;
                if (i == n) {
                        snprintf(word, 32, "%.*s", (int)len, p);
                        return true;
                }
                p += len;
        }
}

static bool
word_set(struct build *b, const struct sentence *s, const struct value *v, unsigned *out)
{
        struct guess g = GUESS_INIT;
        char word[32];

        for (unsigned i = 0; unit_word(s->option->unit, i, word); i++) {
                if (v->kind == VALUE_WORD && strcmp(word, v->text) == 0) {
                        *out = i;
                        return true;
                }
                guess_offer(&g, v->text, arena_strdup(b->a, word));
        }
        value_wrong(b, s, v);
        if (g.meant != NULL)
                report_advice(b->report, "did you mean '%s'?", g.meant);
        return false;
}

static bool
either_set(struct build *b, const struct sentence *s, const struct value *v, bool *out)
{
        unsigned which = 0;

        if (!word_set(b, s, v, &which))
                return false;
        *out = which == 0;
        return true;
}

/* ---- the web ---- */

static bool
origin_wrong(
    struct build *b, const struct sentence *s, const struct value *v, const char *advice)
{
        value_wrong(b, s, v);
        report_advice(b->report, "%s", advice);
        return false;
}

/* As browsers say it: lower case, without the usual port. */
static bool
origin_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        char *origin = arena_strdup(b->a, v->text), *host, *colon;
        bool tls;
        size_t n;

        for (char *p = origin; *p != '\0'; p++)
                *p = (char)tolower((unsigned char)*p);
        tls = strncmp(origin, "https://", 8) == 0;
        if (!tls && strncmp(origin, "http://", 7) != 0)
                return origin_wrong(b, s, v, "with https:// in front, and no path");
        host = origin + (tls ? 8 : 7);
        n = strcspn(host, "/?");
        if (host[n] != '\0')
                return origin_wrong(b, s, v,
                    arena_printf(
                        b->a, "without a path: %.*s", (int)(host + n - origin), v->text));
        n = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
        colon = host[n] == ':' ? host + n : NULL;
        if (n == 0 || (host[n] != '\0' && colon == NULL) ||
            (colon != NULL && (colon[1] == '\0' || strlen(colon) > 6 ||
                                  colon[1 + strspn(colon + 1, "0123456789")] != '\0')))
                return origin_wrong(
                    b, s, v, "like https://www.host.example (other letters as xn--…)");
        if (colon != NULL && strcmp(colon, tls ? ":443" : ":80") == 0)
                *colon = '\0';
        *out = origin;
        return true;
}

static bool
proxy_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        unsigned char bytes[16];

        if (inet_pton(AF_INET, v->text, bytes) != 1 &&
            inet_pton(AF_INET6, v->text, bytes) != 1) {
                value_wrong(b, s, v);
                report_advice(b->report, "like 127.0.0.1 or ::1: no names, no ports");
                return false;
        }
        *out = v->text;
        return true;
}

/* ---- telephones ---- */

bool
number_take(struct build *b, const char *text, const char **out)
{
        size_t n_digits = 0;

        if (text[0] == '\0' || strlen(text) > 40)
                return false;
        for (const char *p = text; *p != '\0'; p++)
                if (*p >= '0' && *p <= '9')
                        n_digits++;
                else if (strchr("+-() .", *p) == NULL || (*p == '+' && n_digits > 0))
                        return false;
        if (n_digits < 2)
                return false;
        *out = phone_normalise(b->a, text, b->c->country);
        return true;
}

static bool
number_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        if (number_take(b, v->text, out))
                return true;
        value_wrong(b, s, v);
        report_advice(b->report, "like 200, +74951234567 or \"8 495 123-45-67\"");
        return false;
}

static bool
any_text_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        if (v->text[0] == '\0' || v->kind == VALUE_OPEN || v->kind == VALUE_CLOSE ||
            strlen(v->text) > 1000) {
                value_wrong(b, s, v);
                return false;
        }
        *out = v->text;
        return true;
}

static bool
switch_set(struct build *b, const struct sentence *s, const struct value *v, bool *out)
{
        if (strcmp(v->text, "yes") != 0 && strcmp(v->text, "no") != 0) {
                value_wrong(b, s, v);
                report_advice(b->report, "'%s' alone means yes", s->name);
                return false;
        }
        *out = strcmp(v->text, "yes") == 0;
        return true;
}

static bool
skill_name_set(struct build *b, const struct value *v, const char **out)
{
        const struct name *known = names_find(&b->skills, v->text);

        if (known == NULL) {
                names_unknown(&b->skills, b->report, place_part(v, 0, strlen(v->text)),
                    "skill", v->text);
                return false;
        }
        *out = known->text;
        return true;
}

static bool
promise_set(struct build *b, const struct value *v, const char **out)
{
        const struct name *known = names_find(&b->promises, v->text);

        if (known == NULL) {
                names_unknown(&b->promises, b->report, place_part(v, 0, strlen(v->text)),
                    "promise", v->text);
                return false;
        }
        *out = known->text;
        return true;
}

static bool
hours_set(struct build *b, const struct value *v, const char **out)
{
        const struct name *known = names_find(&b->hours, v->text);

        if (known == NULL) {
                names_unknown(&b->hours, b->report, place_part(v, 0, strlen(v->text)),
                    "hours", v->text);
                return false;
        }
        *out = known->text;
        return true;
}

static bool
agent_set(struct build *b, const struct value *v, const char **out)
{
        const struct name *known = names_find(&b->agents, v->text);

        if (known == NULL) {
                names_unknown(&b->agents, b->report, place_part(v, 0, strlen(v->text)),
                    "agent", v->text);
                return false;
        }
        *out = known->text;
        return true;
}

void
trainee_build(struct build *b, const struct sentence *s, struct agent_options *o)
{
        const char *tutor;

        if (s->bad)
                return;
        if (s->n_values == 0) {
                value_missing(b, s);
        } else if (!value_at_is(s, 0, "of") || s->n_values < 2) {
                value_wrong(b, s, &s->values[0]);
                report_advice(b->report, "write: trainee of anna");
        } else if (s->n_values > 2) {
                value_surplus(b, s, &s->values[2]);
        } else if (strcmp(s->values[1].text, o->name) == 0) {
                report_error(
                    b->report, s->values[1].at, "'%s' cannot be his own tutor", o->name);
        } else if (o->role != ROLE_AGENT) {
                report_error(
                    b->report, s->at, "a %s cannot be a trainee", role_name(o->role));
                report_advice(b->report, "leave out 'role', or 'trainee'");
        } else if (agent_set(b, &s->values[1], &tutor)) {
                o->role = ROLE_TRAINEE;
                o->tutor = tutor;
        }
}

static bool
share_set(struct build *b, const struct sentence *s, const struct value *v, unsigned *out)
{
        size_t n = strlen(v->text);
        int64_t percent;

        if (n < 2 || v->text[n - 1] != '%' ||
            !number_read(arena_strndup(b->a, v->text, n - 1), s->option->max, &percent) ||
            percent < s->option->min) {
                value_wrong(b, s, v);
                report_advice(b->report, "from %lld%% to %lld%%",
                    (long long)s->option->min, (long long)s->option->max);
                return false;
        }
        *out = (unsigned)percent;
        return true;
}

bool
value_set_more(
    struct build *b, const struct sentence *s, const struct value *v, void *field)
{
        switch (s->option->type) {
        case TYPE_SIZE:
                return size_set(b, s, v, field);
        case TYPE_SWITCH:
                return switch_set(b, s, v, field);
        case TYPE_WORD:
                return word_set(b, s, v, field);
        case TYPE_EITHER:
                return either_set(b, s, v, field);
        case TYPE_TEXTS:
                return any_text_set(b, s, v, field);
        case TYPE_ORIGINS:
                return origin_set(b, s, v, field);
        case TYPE_PROXIES:
                return proxy_set(b, s, v, field);
        case TYPE_NUMBERS:
                return number_set(b, s, v, field);
        case TYPE_SKILL_OF:
                return skill_name_set(b, v, field);
        case TYPE_AGENT_OF:
                return agent_set(b, v, field);
        case TYPE_HOURS_OF:
                return hours_set(b, v, field);
        case TYPE_SHARE:
                return share_set(b, s, v, field);
        case TYPE_PROMISE_OF:
                return promise_set(b, v, field);
        default:
                return false;
        }
}
