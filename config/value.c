/*
 * Values: what one may look like, by type; see build.h. Every fault is one
 * message under the value, with what to write instead.
 */
#include "config/build.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/utf8.h"
#include "daemon/base/zone.h"
#include "daemon/model/message.h"

#define NAME_MAX_BYTES 64u
#define DURATION_MAX_MS (100 * 365 * 86400000LL)

/* ---- messages ---- */

struct place
place_part(const struct value *v, size_t skip, size_t len)
{
        size_t quote = v->kind == VALUE_TEXT ? 1 : 0;

        if (v->at.source == NULL || skip + len > v->at.len)
                return v->at;
        return (struct place){v->at.source, v->at.at + quote + skip, len};
}

void
value_wrong(struct build *b, const struct sentence *s, const struct value *v)
{
        report_error(b->report, v->at, "'%s' takes %s, got '%s'", s->name,
            s->option->unit, word_shown(b->a, v->text));
}

void
value_missing(struct build *b, const struct sentence *s)
{
        report_error(
            b->report, s->at, "'%s' takes %s, got nothing", s->name, s->option->unit);
}

void
value_surplus(struct build *b, const struct sentence *s, const struct value *v)
{
        report_error(b->report, v->at, "'%s' after the value of '%s'",
            word_shown(b->a, v->text), s->name);
        report_advice(b->report, "end the sentence before it: ';' or a new line");
}

bool
value_at_is(const struct sentence *s, size_t i, const char *w)
{
        return i < s->n_values && s->values[i].kind == VALUE_WORD &&
               strcmp(s->values[i].text, w) == 0;
}

static bool
value_is_paren(const struct value *v)
{
        return v->kind == VALUE_OPEN || v->kind == VALUE_CLOSE;
}

/* ---- numbers and durations ---- */

bool
number_read(const char *s, int64_t max, int64_t *out)
{
        int64_t n = 0;

        if (*s == '\0')
                return false;
        for (; *s != '\0'; s++) {
                if (*s < '0' || *s > '9' || n > max)
                        return false;
                n = n * 10 + (*s - '0');
        }
        *out = n;
        return n <= max;
}

static int64_t
unit_ms(char c)
{
        static const struct {
                char unit;
                int64_t ms;
        } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000},
            {'w', 7 * 86400000LL}, {'y', 365 * 86400000LL}};

        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
                if (units[i].unit == c)
                        return units[i].ms;
        return 0;
}

bool
duration_read(const char *s, int64_t *ms)
{
        *ms = 0;
        if (*s == '\0')
                return false;
        while (*s != '\0') {
                int64_t n = 0;
                const char *digits = s;

                for (; *s >= '0' && *s <= '9' && n < DURATION_MAX_MS; s++)
                        n = n * 10 + (*s - '0');
                if (s == digits || unit_ms(*s) == 0 || n > DURATION_MAX_MS / unit_ms(*s))
                        return false;
                *ms += n * unit_ms(*s++);
                if (*ms > DURATION_MAX_MS)
                        return false;
        }
        return true;
}

const char *
duration_shown(struct arena *a, int64_t ms)
{
        static const char units[] = "ydhms";
        const char *sign = ms < 0 ? "-" : "";

        if (ms < 0)
                ms = -ms;
        for (const char *u = units; *u != '\0'; u++)
                if (ms >= unit_ms(*u) && ms % unit_ms(*u) == 0)
                        return arena_printf(
                            a, "%s%lld%c", sign, (long long)(ms / unit_ms(*u)), *u);
        return "0s";
}

void
duration_wrong(struct build *b, const struct sentence *s, const struct value *v)
{
        bool negative = s->option->type == TYPE_HEAD && v->text[0] == '-';
        const char *text = v->text + negative, *sign = negative ? "-" : "";
        int64_t bare;

        report_error(b->report, v->at, "'%s' takes %s, got '%s'", s->name,
            strncmp(s->option->unit, "a duration", 10) == 0 ? s->option->unit
                                                            : "a duration",
            word_shown(b->a, v->text));
        if (number_read(text, 99999, &bare))
                report_advice(b->report, "%s%ss, %s%sm or %s%sh?", sign, text, sign, text,
                    sign, text);
        else
                report_advice(b->report, "like 90s, 15m, 1h30m or 3d");
}

bool
open_time_read(const char *s, struct open_time *out)
{
        struct open_time t = {0, 0};

        *out = t;
        if (*s == '\0')
                return false;
        while (*s != '\0') {
                int64_t n = 0;
                const char *digits = s;

                for (; *s >= '0' && *s <= '9' && n < 100000; s++)
                        n = n * 10 + (*s - '0');
                if (s == digits || n >= 100000 || *s == '\0' ||
                    strchr("smhd", *s) == NULL)
                        return false;
                if (*s == 'd')
                        t.days += (int)n;
                else
                        t.ms += n * unit_ms(*s);
                s++;
                if (t.days > 36500 || t.ms > DURATION_MAX_MS)
                        return false;
        }
        *out = t;
        return true;
}

static bool
out_of_bounds(struct build *b, const struct sentence *s, const struct value *v)
{
        report_error(b->report, v->at, "'%s' cannot be %s", s->name, v->text);
        report_advice(b->report, "from %s to %s", duration_shown(b->a, s->option->min),
            duration_shown(b->a, s->option->max));
        return false;
}

bool
value_open_time(struct build *b, const struct sentence *s, const struct value *v,
    struct open_time *out)
{
        struct open_time t;
        int64_t ms;

        if (!open_time_read(v->text, &t)) {
                if (!duration_read(v->text, &ms)) {
                        duration_wrong(b, s, v);
                        return false;
                }
                report_error(b->report, v->at,
                    "'%s' counts open time: days, hours, minutes, seconds", s->name);
                report_advice(b->report, "a week of five working days: 5d");
                return false;
        }
        ms = t.days * 86400000LL + t.ms;
        if (ms < s->option->min || ms > s->option->max)
                return out_of_bounds(b, s, v);
        *out = t;
        return true;
}

bool
value_duration(
    struct build *b, const struct sentence *s, const struct value *v, int64_t *out)
{
        bool negative = s->option->type == TYPE_HEAD && v->text[0] == '-';
        const char *text = v->text + negative;
        int64_t ms;

        if (!duration_read(text, &ms)) {
                duration_wrong(b, s, v);
                return false;
        }
        ms = negative ? -ms : ms;
        if (ms < s->option->min || ms > s->option->max)
                return out_of_bounds(b, s, v);
        *out = ms;
        return true;
}

static bool
count_set(struct build *b, const struct sentence *s, const struct value *v, unsigned *out)
{
        int64_t n;

        if (!number_read(v->text, s->option->max, &n) || n < s->option->min) {
                value_wrong(b, s, v);
                report_advice(b->report, "from %lld to %lld", (long long)s->option->min,
                    (long long)s->option->max);
                return false;
        }
        *out = (unsigned)n;
        return true;
}

/* ---- names ---- */

static bool
char_is_name(uint32_t cp)
{
        if (cp < 0x80)
                return isalnum((int)cp) || cp == '-' || cp == '_' || cp == '.';
        return cp != 0xfffd && cp > 0xbf && cp != 0xd7 && cp != 0xf7 &&
               !(cp >= 0x2000 && cp <= 0x2bff) && !(cp >= 0x3000 && cp <= 0x303f);
}

bool
value_is_name(struct build *b, const struct value *v)
{
        size_t n = strlen(v->text), used;

        if (n > NAME_MAX_BYTES) {
                report_error(
                    b->report, v->at, "a name of more than %u bytes", NAME_MAX_BYTES);
                report_advice(b->report, "shorten it");
                return false;
        }
        for (size_t i = 0; i < n; i += used)
                if (!char_is_name(utf8_next(v->text + i, n - i, &used)) ||
                    v->text[0] == '-') {
                        report_error(b->report, v->at, "'%s' cannot be a name", v->text);
                        report_advice(b->report, "letters, digits and - _ . inside");
                        return false;
                }
        if (n > 0)
                return true;
        report_error(b->report, v->at, "an empty name");
        return false;
}

bool
value_line(struct build *b, const struct value *v, const char **out)
{
        const struct name *known = names_find(&b->lines, v->text);

        if (known == NULL) {
                names_unknown(&b->lines, b->report, place_part(v, 0, strlen(v->text)),
                    "line", v->text);
                return false;
        }
        *out = known->text;
        return true;
}

bool
value_skill(
    struct build *b, const struct sentence *s, const struct value *v, struct skill *out)
{
        const char *colon = strrchr(v->text, ':');
        const struct name *known;
        const char *word;
        int64_t level;
        size_t n;

        if (colon == NULL || value_is_paren(v)) {
                value_wrong(b, s, v);
                report_advice(b->report, "%s:1 to %s:10", word_shown(b->a, v->text),
                    word_shown(b->a, v->text));
                return false;
        }
        n = (size_t)(colon - v->text);
        if (!number_read(colon + 1, 10, &level) || level < 1) {
                report_error(b->report, place_part(v, n + 1, strlen(colon + 1)),
                    "a level is a number from 1 to 10, got '%s'",
                    word_shown(b->a, colon + 1));
                return false;
        }
        word = arena_strndup(b->a, v->text, n);
        known = names_find(&b->skills, word);
        if (known == NULL) {
                names_unknown(&b->skills, b->report, place_part(v, 0, n), "skill", word);
                return false;
        }
        *out = (struct skill){known->text, (unsigned)level};
        return true;
}

static bool
role_set(struct build *b, const struct sentence *s, const struct value *v, enum role *out)
{
        static const enum role roles[] = {ROLE_AGENT, ROLE_LEAD, ROLE_ADMIN, ROLE_BOT};
        struct guess g = GUESS_INIT;

        for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
                if (strcmp(v->text, role_name(roles[i])) == 0) {
                        *out = roles[i];
                        return true;
                }
                guess_offer(&g, v->text, role_name(roles[i]));
        }
        if (strcmp(v->text, "trainee") == 0) {
                report_error(b->report, v->at, "a trainee needs a tutor");
                report_advice(b->report, "write instead: trainee of anna");
                return false;
        }
        report_unknown(b->report, v->at, "role", v->text, "", &g, (struct place){0});
        if (g.meant == NULL)
                report_advice(b->report, "%s", s->option->unit);
        return false;
}

static bool
login_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        const struct name *twice;

        if (!value_is_name(b, v))
                return false;
        twice = names_add(&b->logins, v->text, v->at);
        if (twice != NULL) {
                report_error(b->report, v->at, "%s '%s' stands twice", s->name, v->text);
                report_advice(
                    b->report, "first on %s", place_name(twice->at, v->at.source, b->a));
                return false;
        }
        *out = v->text;
        return true;
}

/* ---- addresses ---- */

bool
value_address(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        if (value_is_paren(v) || !address_is_safe(v->text) ||
            address_normalise(b->a, v->text)[0] == '\0') {
                value_wrong(b, s, v);
                report_advice(b->report, "like name@host.example");
                return false;
        }
        *out = v->text;
        return true;
}

static bool
host_is_good(const char *s)
{
        size_t n = strlen(s);

        if (n > 2 && s[0] == '[' && s[n - 1] == ']')
                return strspn(s + 1, "0123456789abcdefABCDEF:.%") == n - 2;
        if (n == 0 || n > 253 || s[0] == '-' || s[0] == '.')
                return false;
        for (; *s != '\0'; s++)
                if (!isalnum((unsigned char)*s) && strchr("-._", *s) == NULL)
                        return false;
        return true;
}

/* "host:7711", "[::1]:7711"; without a port: otherwise, or false when that is 0. */
static bool
host_port_read(
    struct arena *a, const char *s, unsigned otherwise, const char **host, unsigned *port)
{
        const char *colon = strrchr(s, ':'), *bracket = strrchr(s, ']');
        int64_t n = otherwise;

        if (colon != NULL && bracket != NULL && colon < bracket)
                colon = NULL;
        if (colon != NULL && !number_read(colon + 1, 65535, &n))
                return false;
        *host = colon == NULL ? s : arena_strndup(a, s, (size_t)(colon - s));
        *port = (unsigned)n;
        return n > 0 && host_is_good(*host);
}

static bool
host_is_loopback(const char *host)
{
        return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
               strcmp(host, "[::1]") == 0;
}

static bool
scheme_is_later(
    struct build *b, const struct value *v, const char *scheme, const char *advice)
{
        if (strncmp(v->text, scheme, strlen(scheme)) != 0)
                return false;
        report_error(b->report, place_part(v, 0, strlen(scheme)),
            "'%s' is not part of this version", scheme);
        report_advice(b->report, "%s", advice);
        return true;
}

static bool
listen_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        const char *host;
        unsigned port;

        *out = v->text;
        if (scheme_is_later(b, v, "tls", "keep to 127.0.0.1 and put TLS in front"))
                return false;
        if (strncmp(v->text, "unix:", 5) == 0 && v->text[5] != '\0')
                return true;
        if (value_is_paren(v) || !host_port_read(b->a, v->text, 0, &host, &port)) {
                value_wrong(b, s, v);
                report_advice(
                    b->report, "unix:PATH or HOST:PORT, with a port from 1 to 65535");
                return false;
        }
        if (!host_is_loopback(host)) {
                report_warning(b->report, v->at,
                    "everyone who reaches %s speaks to it unencrypted", v->text);
                report_advice(b->report, "keep to 127.0.0.1 and put TLS in front");
        }
        return true;
}

/* ---- URLs ---- */

/* A password between user: and @ of a URL. */
static bool
url_has_password(struct build *b, const struct sentence *s, const struct value *v)
{
        const char *rest = strstr(v->text, "://"), *at, *colon;

        if (rest == NULL)
                return false;
        at = strrchr(rest, '@');
        colon = strchr(rest + 3, ':');
        if (at == NULL || colon == NULL || colon > at)
                return false;
        report_error(b->report, place_part(v, (size_t)(colon + 1 - v->text), 0),
            "a password must not stand in this file");
        report_advice(b->report,
            "put it into a file (chmod 600): %s … { password file \"…\" }", s->name);
        return true;
}

static bool
url_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        const char *rest = strncmp(v->text, "https://", 8) == 0  ? v->text + 8
                           : strncmp(v->text, "http://", 7) == 0 ? v->text + 7
                                                                 : NULL;

        if (url_has_password(b, s, v))
                return false;
        if (rest == NULL || *rest == '\0' || *rest == '/' ||
            strpbrk(v->text, " \"<>\\") != NULL) {
                value_wrong(b, s, v);
                report_advice(b->report, "like https://help.example");
                return false;
        }
        *out = v->text;
        return true;
}

bool
value_relay(
    struct build *b, const struct sentence *s, const struct value *v, struct relay *out)
{
        const char *rest = v->text + 7, *at;

        if (url_has_password(b, s, v) ||
            scheme_is_later(b, v, "smtps://", "smtp:// with a user asks for STARTTLS"))
                return false;
        if (strncmp(v->text, "smtp://", 7) == 0) {
                at = strrchr(rest, '@');
                out->user =
                    at == NULL ? "" : arena_strndup(b->a, rest, (size_t)(at - rest));
                out->url = v->text;
                out->password = "";
                if (host_port_read(
                        b->a, at == NULL ? rest : at + 1, 25, &out->host, &out->port) &&
                    (at == NULL || (at > rest && strpbrk(out->user, " \t") == NULL))) {
                        out->starttls = at != NULL && !host_is_loopback(out->host);
                        return true;
                }
        }
        value_wrong(b, s, v);
        report_advice(b->report, "smtp://[USER@]HOST[:PORT]");
        return false;
}

static bool
redis_url_is_good(struct build *b, const char *rest)
{
        const char *slash = strchr(rest, '/'), *host;
        const char *where =
            slash == NULL ? rest : arena_strndup(b->a, rest, (size_t)(slash - rest));
        int64_t db;
        unsigned port;

        if (slash != NULL && slash[1] != '\0' && !number_read(slash + 1, 1000, &db))
                return false;
        return host_port_read(b->a, where, 6379, &host, &port);
}

static bool
store_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        *out = v->text;
        if (strcmp(v->text, "embedded") == 0)
                return true;
        if (url_has_password(b, s, v) ||
            scheme_is_later(b, v, "rediss://", "redis:// over a tunnel, or unix://") ||
            scheme_is_later(b, v, "sentinel", "one Redis: redis://HOST:PORT/N") ||
            scheme_is_later(b, v, "cluster", "one Redis: redis://HOST:PORT/N"))
                return false;
        if (strncmp(v->text, "unix:///", 8) == 0 && v->text[8] != '\0')
                return true;
        if (strncmp(v->text, "redis://", 8) == 0 && redis_url_is_good(b, v->text + 8))
                return true;
        value_wrong(b, s, v);
        return false;
}

static bool
timezone_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        bool good =
            v->text[0] != '\0' && v->text[0] != '/' && strstr(v->text, "..") == NULL;
        struct stat st;

        for (const char *p = v->text; *p != '\0'; p++)
                good = good && (isalnum((unsigned char)*p) || strchr("/_+-", *p) != NULL);
        if (good && !b->no_files && access(ZONEINFO, F_OK) == 0)
                good = stat(arena_printf(b->a, ZONEINFO "/%s", v->text), &st) == 0 &&
                       S_ISREG(st.st_mode);
        if (!good) {
                value_wrong(b, s, v);
                report_advice(b->report, "like Europe/Moscow (see " ZONEINFO ")");
                return false;
        }
        *out = v->text;
        return true;
}

bool
language_is_code(const char *s)
{
        return s[0] >= 'a' && s[0] <= 'z' && s[1] >= 'a' && s[1] <= 'z' && s[2] == '\0';
}

static bool
language_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        if (strcmp(v->text, "ru") != 0 && strcmp(v->text, "en") != 0) {
                value_wrong(b, s, v);
                report_advice(b->report, "ru and en are there");
                return false;
        }
        *out = v->text;
        return true;
}

static bool
text_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        if (v->text[0] == '\0' || value_is_paren(v) || strlen(v->text) > 1000) {
                value_wrong(b, s, v);
                return false;
        }
        *out = v->text;
        return true;
}

const char *
path_beside(struct build *b, const struct source *beside, const char *path)
{
        const char *slash;

        if (path[0] == '/')
                return path;
        slash = beside == NULL ? NULL : strrchr(beside->path, '/');
        if (slash == NULL)
                return path;
        return arena_printf(
            b->a, "%.*s/%s", (int)(slash - beside->path), beside->path, path);
}

static bool
path_set(
    struct build *b, const struct sentence *s, const struct value *v, const char **out)
{
        if (v->text[0] == '\0' || value_is_paren(v) || strlen(v->text) > 4000) {
                value_wrong(b, s, v);
                return false;
        }
        *out = path_beside(b, v->at.source, v->text);
        return true;
}

/* ---- fields ---- */

static bool
value_set_one(
    struct build *b, const struct sentence *s, const struct value *v, void *field)
{
        switch (s->option->type) {
        case TYPE_TEXT:
                return text_set(b, s, v, field);
        case TYPE_NAME:
        case TYPE_NAMES:
                *(const char **)field = v->text;
                return value_is_name(b, v);
        case TYPE_LANGUAGES:
                return language_set(b, s, v, field);
        case TYPE_TIMEZONE:
                return timezone_set(b, s, v, field);
        case TYPE_URL:
                return url_set(b, s, v, field);
        case TYPE_PATH:
                return path_set(b, s, v, field);
        case TYPE_STORE:
                return store_set(b, s, v, field);
        case TYPE_DURATION:
        case TYPE_HEAD:
                return value_duration(b, s, v, field);
        case TYPE_OPEN:
                return value_open_time(b, s, v, field);
        case TYPE_COUNT:
                return count_set(b, s, v, field);
        case TYPE_ROLE:
                return role_set(b, s, v, field);
        case TYPE_ADDRESS:
        case TYPE_ADDRESSES:
                return value_address(b, s, v, field);
        case TYPE_LISTEN:
                return listen_set(b, s, v, field);
        case TYPE_LINE:
        case TYPE_LINES:
                return value_line(b, v, field);
        case TYPE_SKILLS:
                return value_skill(b, s, v, field);
        case TYPE_LOGIN:
                return login_set(b, s, v, field);
        default:
                return value_set_more(b, s, v, field);
        }
}

static bool
type_is_list(enum option_type t)
{
        return t == TYPE_LANGUAGES || t == TYPE_ADDRESSES || t == TYPE_LISTEN ||
               t == TYPE_LINES || t == TYPE_SKILLS || t == TYPE_TEXTS ||
               t == TYPE_ORIGINS || t == TYPE_PROXIES || t == TYPE_NUMBERS ||
               t == TYPE_NAMES;
}

/* Of the field of a plain option that is no list. */
static size_t
type_size(enum option_type t)
{
        switch (t) {
        case TYPE_COUNT:
        case TYPE_SHARE:
        case TYPE_WORD:
                return sizeof(unsigned);
        case TYPE_ROLE:
                return sizeof(enum role);
        case TYPE_SWITCH:
        case TYPE_EITHER:
                return sizeof(bool);
        case TYPE_DURATION:
        case TYPE_HEAD:
        case TYPE_SIZE:
                return sizeof(int64_t);
        case TYPE_OPEN:
                return sizeof(struct open_time);
        default:
                return sizeof(const char *);
        }
}

static bool
type_is_text(enum option_type t)
{
        return !type_is_list(t) && type_size(t) == sizeof(const char *) &&
               t != TYPE_DURATION && t != TYPE_HEAD && t != TYPE_SIZE && t != TYPE_OPEN;
}

static bool
value_is_twice(struct build *b, const struct sentence *s, size_t i)
{
        for (size_t j = 0; j < i && j < 64; j++)
                if (strcmp(s->values[i].text, s->values[j].text) == 0) {
                        report_error(b->report, s->values[i].at, "'%s' stands twice",
                            word_shown(b->a, s->values[i].text));
                        return true;
                }
        return false;
}

static void
value_set_list(struct build *b, const struct sentence *s, void *target)
{
        size_t size =
            s->option->type == TYPE_SKILLS ? sizeof(struct skill) : sizeof(const char *);
        char *items = arena_alloc(b->a, s->n_values * size);
        size_t n = 0;

        for (size_t i = 0; i < s->n_values; i++)
                if (!value_is_twice(b, s, i) &&
                    value_set_one(b, s, &s->values[i], items + n * size))
                        n++;
        *(void **)((char *)target + s->option->offset) = items;
        *(size_t *)((char *)target + s->option->n_offset) = n;
}

void
value_set(struct build *b, const struct sentence *s, void *target)
{
        void *field = (char *)target + s->option->offset;

        if (s->option->type == TYPE_SECRET) {
                secret_read(b, s, field);
        } else if (s->n_values == 0 && s->option->type == TYPE_SWITCH) {
                *(bool *)field = true;
        } else if (s->n_values == 0) {
                value_missing(b, s);
        } else if (type_is_list(s->option->type)) {
                value_set_list(b, s, target);
        } else if (s->n_values > 1) {
                value_surplus(b, s, &s->values[1]);
        } else {
                union {
                        const char *text;
                        int64_t number;
                        struct open_time open;
                } before; /* a wrong value leaves the field as it was */
                size_t size = type_size(s->option->type);

                memcpy(&before, field, size);
                if (!value_set_one(b, s, &s->values[0], field))
                        memcpy(field, &before, size);
        }
}

/* A default through the same door as what is written: "ru en" is two values. */
static void
value_default(struct build *b, const struct option *o, void *target)
{
        struct sentence s = {.name = o->name, .option = o};
        char *save = NULL, *text = arena_strdup(b->a, o->fallback);
        bool whole = o->type == TYPE_TEXT;

        for (char *w = whole ? text : strtok_r(text, " ", &save); w != NULL;
             w = whole ? NULL : strtok_r(NULL, " ", &save)) {
                s.values = arena_grow(b->a, s.values, s.n_values, sizeof *s.values);
                s.values[s.n_values++] =
                    (struct value){.kind = VALUE_WORD, .text = w, .flags = ""};
        }
        value_set(b, &s, target);
}

void
value_defaults(struct build *b, enum block_kind kind, void *target)
{
        for (size_t i = 0; i < n_options; i++) {
                const struct option *o = &options[i];

                if (o->block != kind || o->type >= TYPE_BLOCK)
                        continue;
                if (o->fallback[0] != '\0' && o->type != TYPE_SECRET)
                        value_default(b, o, target);
                else if (type_is_text(o->type))
                        *(const char **)((char *)target + o->offset) = "";
        }
}
