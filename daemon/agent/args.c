/*
 * The words of a command, sorted and checked by its specs (commands.c). Pure:
 * what a word names (is there such a ticket?) is the handler's.
 *
 * First the arguments by place, then options in any order, "ID key" among them.
 * Every error names the argument and what was expected.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/agent/agent.h"
#include "daemon/base/utf8.h"

struct parse {
        const struct command *cmd;
        const struct resp_arg *argv;
        int argc;
        int at; /* next word */
        struct arena *arena;
        struct arg_value *values;
        unsigned n;
        struct err *err;
};

static int
bad(struct parse *p, const struct arg_spec *s, const char *expected,
    const struct resp_arg *got)
{
        char shown[44];
        size_t n = utf8_cut(got->s, got->len, 40);

        memcpy(shown, got->s, n);
        shown[n] = '\0';
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)shown[i] < 0x20 || shown[i] == 0x7f)
                        shown[i] = '?';
        if (!utf8_valid(shown, n))
                snprintf(shown, sizeof shown, "%zu bytes", got->len);
        return err_code(p->err, ERR_REJECT, "BADARG", "%s: expected %s, got '%s%s'",
            s->option != NULL ? s->option : s->name, expected, shown,
            n < got->len ? "..." : "");
}

/* ---- words of each type ---- */

static bool
is_number(const struct resp_arg *a, int64_t *out)
{
        int64_t v = 0;

        if (a->len == 0 || a->len > 19 || (a->len > 1 && a->s[0] == '0'))
                return false;
        for (size_t i = 0; i < a->len; i++) {
                unsigned digit = (unsigned char)a->s[i] - (unsigned)'0';

                if (digit > 9 || v > (INT64_MAX - digit) / 10)
                        return false;
                v = v * 10 + digit;
        }
        *out = v;
        return true;
}

static bool
is_digits(const char *s, size_t n)
{
        if (n == 0 || n > 15 || s[0] == '0')
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isdigit((unsigned char)s[i]))
                        return false;
        return true;
}

/* "1042.7"; *number becomes 7. */
static bool
is_message(const struct resp_arg *a, int64_t *number)
{
        const char *dot = memchr(a->s, '.', a->len);

        if (dot == NULL || !is_digits(a->s, (size_t)(dot - a->s)) ||
            !is_digits(dot + 1, a->len - (size_t)(dot + 1 - a->s)))
                return false;
        *number = strtoll(dot + 1, NULL, 10);
        return *number <= 1000000000;
}

bool
duration_parse(const char *s, int64_t *ms)
{
        static const struct {
                char unit;
                int64_t ms;
        } units[] = {
            {'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}, {'w', 604800000}};
        int64_t sum = 0;

        if (*s == '\0')
                return false;
        while (*s != '\0') {
                int64_t n = 0;
                size_t digits = 0, u = 0;

                for (; isdigit((unsigned char)*s) && digits < 9; s++, digits++)
                        n = n * 10 + (*s - '0');
                while (u < 5 && units[u].unit != *s)
                        u++;
                if (digits == 0 || u == 5)
                        return false;
                sum += n * units[u].ms;
                s++;
                if (sum > 366 * 86400000LL)
                        return false;
        }
        *ms = sum;
        return true;
}

static bool
is_printable(const struct resp_arg *a, size_t max)
{
        for (size_t i = 0; i < a->len; i++)
                if (a->s[i] <= 0x20 || a->s[i] == 0x7f)
                        return false;
        return a->len > 0 && a->len <= max;
}

/* "1732442400123-0", or only its first half. */
static bool
is_seq(const struct resp_arg *a)
{
        size_t dashes = 0;

        for (size_t i = 0; i < a->len; i++) {
                dashes += a->s[i] == '-';
                if (!isdigit((unsigned char)a->s[i]) && a->s[i] != '-')
                        return false;
        }
        return a->len > 0 && a->len <= 41 && dashes <= 1 && a->s[0] != '-' &&
               a->s[a->len - 1] != '-';
}

/* "2", "2.1": a place in the MIME tree. */
static bool
is_part(const struct resp_arg *a)
{
        if (a->len == 4 && memcmp(a->s, "html", 4) == 0)
                return true;
        for (size_t i = 0; i < a->len; i++)
                if (!isdigit((unsigned char)a->s[i]) && a->s[i] != '.')
                        return false;
        return a->len > 0 && a->len <= 64;
}

static bool
is_clean(const struct resp_arg *a)
{
        for (size_t i = 0; i < a->len; i++)
                if ((unsigned char)a->s[i] < 0x20 || a->s[i] == 0x7f)
                        return false;
        return utf8_valid(a->s, a->len);
}

static int
check_text(struct parse *p, const struct arg_spec *s, const struct resp_arg *a)
{
        if (a->len > agents_limits.text)
                return err_code(p->err, ERR_LIMIT, "TOOBIG",
                    "%s: %zu bytes, at most %zu; shorten it, or send the rest in a "
                    "second "
                    "one",
                    s->option != NULL ? s->option : s->name, a->len, agents_limits.text);
        if (a->len == 0)
                return bad(p, s, "a text that is not empty", a);
        if (!utf8_valid(a->s, a->len) || memchr(a->s, '\0', a->len) != NULL)
                return bad(p, s, "text in UTF-8", a);
        return 0;
}

static int
check_word(struct parse *p, const struct arg_spec *s, const struct resp_arg *a)
{
        if (s->type == ARG_ANY)
                return 0;
        if (a->len > agents_limits.word)
                return err_code(p->err, ERR_REJECT, "BADARG",
                    "%s: expected at most %zu bytes, got %zu",
                    s->option != NULL ? s->option : s->name, agents_limits.word, a->len);
        if (!is_clean(a))
                return bad(p, s, "one line of UTF-8", a);
        return 0;
}

static int
check_number(
    struct parse *p, const struct arg_spec *s, const struct resp_arg *a, int64_t *n)
{
        char expected[80];

        if (is_number(a, n) && *n >= s->min && *n <= s->max)
                return 0;
        if (s->max == INT64_MAX)
                snprintf(expected, sizeof expected, "a number from %lld on",
                    (long long)s->min);
        else
                snprintf(expected, sizeof expected, "a number from %lld to %lld",
                    (long long)s->min, (long long)s->max);
        return bad(p, s, expected, a);
}

/* Moments, priorities, skills; true: the type is one of them. */
static bool
check_routing(const struct arg_spec *s, const struct resp_arg *a, int64_t *n, bool *ok,
    const char **expected)
{
        enum priority priority;
        unsigned level = 0;
        size_t len;

        if (s->type == ARG_DURATION) {
                *ok = duration_parse(a->s, n);
                *expected = "a duration such as 90s, 15m or 2h";
        } else if (s->type == ARG_TIME) {
                *ok = time_parse(a->s, "", false, 0, n);
                *expected = "a time such as 2026-11-24T15:00:00Z, \"2026-11-24 15:00\", "
                            "2026-11-24 or 15:00";
        } else if (s->type == ARG_WHEN) {
                *ok = time_parse(a->s, "", true, 0, n);
                *expected = "a duration such as 2h, or a time such as "
                            "2026-11-24T15:00:00Z or \"2026-11-24 15:00\"";
        } else if (s->type == ARG_PRIORITY) {
                *ok = priority_parse(a->s, &priority);
                *expected = "low, normal, high or urgent";
        } else if (s->type == ARG_SKILL) {
                *ok = skill_parse(a->s, &len, &level);
                *n = level;
                *expected = "a skill and its level such as network:3 (0 to 10)";
        } else if (s->type == ARG_PART) {
                *ok = is_part(a);
                *expected = "a part such as 2 or 2.1, or html";
        } else if (s->type == ARG_ASKED) {
                *ok = strcasecmp(a->s, "ASKED") == 0;
                *expected = "ASKED, or nothing";
        } else if (s->type == ARG_WHOM) {
                *ok = strcasecmp(a->s, "AGENT") == 0 || strcasecmp(a->s, "LINE") == 0 ||
                      strcasecmp(a->s, "TO") == 0;
                *expected = "AGENT, LINE or TO";
        } else
                return false;
        return true;
}

/* Types with one test and one sentence. */
static int
check_shape(
    struct parse *p, const struct arg_spec *s, const struct resp_arg *a, int64_t *n)
{
        enum ticket_state state;
        const char *expected = "";
        bool ok = true;

        if (check_routing(s, a, n, &ok, &expected))
                return ok ? 0 : bad(p, s, expected, a);
        switch (s->type) {
        case ARG_TICKET:
                ok = is_digits(a->s, a->len);
                expected = "a ticket's number such as 1042";
                break;
        case ARG_MESSAGE:
                ok = is_message(a, n);
                expected = "a message's id such as 1042.7";
                break;
        case ARG_TICKET_OR_MESSAGE:
                ok = is_digits(a->s, a->len) || is_message(a, n);
                expected =
                    "a ticket's number such as 1042, or a message's id such as 1042.7";
                break;
        case ARG_STATE:
                ok = ticket_state_parse(a->s, &state);
                expected = "queued, held, waiting, resolved, closed or merged";
                break;
        case ARG_STATUS:
                ok = strcasecmp(a->s, "waiting") == 0 ||
                     strcasecmp(a->s, "resolved") == 0 || strcasecmp(a->s, "held") == 0;
                expected = "waiting, resolved or held";
                break;
        case ARG_ADDRESS:
                ok = address_is_safe(a->s) && strlen(a->s) == a->len;
                expected = "a mail address";
                break;
        case ARG_SEQ:
                ok = is_seq(a);
                expected = "0 or an event's seq such as 1732442400123-0";
                break;
        case ARG_CURSOR:
                ok = is_printable(a, 64);
                expected = "a cursor as the last answer gave it";
                break;
        case ARG_ENTRY:
                ok = is_digits(a->s, a->len);
                expected = "an entry's number";
                break;
        case ARG_KEY:
                ok = is_printable(a, 64);
                expected = "1 to 64 printable ASCII characters without blank";
                break;
        case ARG_SUBSCRIPTION:
                ok = is_clean(a) && channel_is_valid(a->s);
                expected = "me, desk, line:NAME or ticket:ID";
                break;
        case ARG_CHANNEL:
                ok = strcmp(a->s, "email") == 0 || strcmp(a->s, "web") == 0 ||
                     strcmp(a->s, "phone") == 0;
                expected = "email, web or phone";
                break;
        case ARG_ANY:
        case ARG_WORD:
        case ARG_TEXT:
        case ARG_SECRET:
        case ARG_NUMBER:
        case ARG_DURATION:
        case ARG_TIME:
        case ARG_WHEN:
        case ARG_PRIORITY:
        case ARG_SKILL:
        case ARG_PART:
        case ARG_ASKED:
        case ARG_WHOM:
        case ARG_AGENT:
        case ARG_LINE:
                break;
        }
        return ok ? 0 : bad(p, s, expected, a);
}

static int
check(struct parse *p, const struct arg_spec *s, const struct resp_arg *a, int64_t *n)
{
        *n = 0;
        if (s->type == ARG_TEXT)
                return check_text(p, s, a);
        if (s->type == ARG_NUMBER)
                return check_number(p, s, a, n);
        if (s->type != ARG_SECRET && check_word(p, s, a) == -1)
                return -1;
        if (s->type == ARG_AGENT || s->type == ARG_LINE)
                return a->len > 0 ? 0 : bad(p, s, "a name", a);
        return check_shape(p, s, a, n);
}

/* ---- order ---- */

static int
take(struct parse *p, const struct arg_spec *s)
{
        const struct resp_arg *a = &p->argv[p->at];
        struct arg_value v = {.spec = s, .s = a->s, .len = a->len};

        if (check(p, s, a, &v.n) == -1)
                return -1;
        p->values = arena_grow(p->arena, p->values, p->n, sizeof *p->values);
        p->values[p->n++] = v;
        p->at++;
        return 0;
}

static const struct arg_spec *
find_option(const struct command *cmd, const struct resp_arg *a)
{
        for (const struct arg_spec *s = cmd->args; s->name != NULL; s++)
                if (s->option != NULL && strlen(s->option) == a->len &&
                    strncasecmp(s->option, a->s, a->len) == 0)
                        return s;
        return NULL;
}

static bool
is_text_word(const struct resp_arg *a)
{
        return a->len == 4 && strncasecmp(a->s, "TEXT", 4) == 0;
}

/* `... STATUS held TEXT text`: the text stands last, behind its own word. */
static bool
text_is_last(const struct parse *p)
{
        if (p->argc - p->at < 2 || !is_text_word(&p->argv[p->argc - 2]))
                return false;
        return p->at == p->argc - 2 || find_option(p->cmd, &p->argv[p->at]) != NULL;
}

static int
wrong_number(struct parse *p)
{
        char lower[48];
        size_t n = 0;

        for (; n < sizeof lower - 1 && p->cmd->name[n] != '\0'; n++)
                lower[n] = (char)(p->cmd->name[n] == ' '
                                      ? '|'
                                      : tolower((unsigned char)p->cmd->name[n]));
        lower[n] = '\0';
        return err_code(p->err, ERR_REJECT, "ERR",
            "wrong number of arguments for '%s' command", lower);
}

static int
unknown_option(struct parse *p)
{
        struct buf names AUTO_BUF = BUF_INIT;
        const struct arg_spec any = {.name = p->cmd->name};

        for (const struct arg_spec *s = p->cmd->args; s->name != NULL; s++)
                if (s->option != NULL)
                        buf_addf(&names, "%s%s", names.len > 0 ? ", " : "", s->option);
        if (names.len == 0)
                return wrong_number(p);
        return bad(p, &any, arena_printf(p->arena, "one of %s", buf_str(&names)),
            &p->argv[p->at]);
}

static int
parse_options(struct parse *p, const struct arg_spec *text)
{
        while (p->at < p->argc) {
                const struct arg_spec *s = find_option(p->cmd, &p->argv[p->at]);

                if (text != NULL && p->at == p->argc - 2)
                        s = text;
                if (s == NULL)
                        return unknown_option(p);
                if (p->at + 1 == p->argc)
                        return err_code(p->err, ERR_REJECT, "BADARG",
                            "%s: expected a value behind it (%s), got the end", s->option,
                            s->name);
                for (unsigned i = 0; i < p->n && !(s->flags & ARG_MANY); i++)
                        if (p->values[i].spec == s)
                                return err_code(p->err, ERR_REJECT, "BADARG",
                                    "%s: expected once, got twice", s->option);
                p->at++;
                if (take(p, s) == -1)
                        return -1;
        }
        for (const struct arg_spec *s = p->cmd->args; s->name != NULL; s++) {
                bool there = s->option == NULL || (s->flags & ARG_OPTIONAL);

                for (unsigned i = 0; i < p->n; i++)
                        there = there || p->values[i].spec == s;
                if (!there)
                        return err_code(p->err, ERR_REJECT, "BADARG",
                            "%s: expected (%s), got nothing", s->option, s->name);
        }
        return 0;
}

/* Behind words of any number: is from here on everything an option and its value? */
static bool
options_begin(const struct parse *p)
{
        if ((p->argc - p->at) % 2 != 0)
                return false;
        for (int i = p->at; i < p->argc; i += 2)
                if (find_option(p->cmd, &p->argv[i]) == NULL)
                        return false;
        return true;
}

static int
parse_words(struct parse *p)
{
        const struct arg_spec *s = p->cmd->args, *text = NULL;

        for (; s != NULL && s->name != NULL && s->option == NULL; s++) {
                if ((s->flags & ARG_OR_TEXT) && text_is_last(p)) {
                        text = s;
                        continue;
                }
                if (p->at == p->argc) {
                        if (s->flags & ARG_OPTIONAL)
                                continue;
                        return wrong_number(p);
                }
                if ((s->flags & ARG_OPTIONAL) && options_begin(p))
                        continue;
                do {
                        if (take(p, s) == -1)
                                return -1;
                } while ((s->flags & ARG_MANY) && p->at < p->argc && !options_begin(p));
        }
        if (s == NULL)
                return p->at < p->argc ? wrong_number(p) : 0;
        return parse_options(p, text);
}

int
args_parse(const struct command *cmd, const struct resp_arg *argv, int argc,
    struct arena *a, struct arg_value **values, unsigned *n_values, struct err *err)
{
        struct parse p = {.cmd = cmd, .argv = argv, .argc = argc, .arena = a, .err = err};
        int rc = 0;

        p.at = strchr(cmd->name, ' ') != NULL ? 2 : 1;
        if (cmd->flags & CMD_RAW) {
                if (argc < cmd->min_raw || (cmd->max_raw >= 0 && argc > cmd->max_raw))
                        rc = wrong_number(&p);
        } else
                rc = parse_words(&p);
        *values = p.values;
        *n_values = p.n;
        return rc;
}
