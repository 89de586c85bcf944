/*
 * From words to a command of the protocol (verb.h tells the templates), and the
 * conversation with the daemon: one connection, opened by the first command.
 *
 * Every command that changes something carries a random ID. When its answer is lost,
 * or is UNSURE, it is sent once more over a new connection with the same ID: the daemon
 * then gives the stored answer, or does it now; it is never done twice.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "daemon/base/clock.h"
#include "daemon/tool/tool.h"
#include "daemon/tool/when.h"

#define JSON_MAX (16 << 20)

/* ---- the conversation ---- */

static bool
has_key(int argc, const char *const *argv)
{
        return argc > 2 && strcmp(argv[argc - 2], "ID") == 0;
}

static int
call_once(struct tool *t, int argc, const char *const *argv, struct arena *a,
    struct resp_value *out, struct err *err, int *code)
{
        if (t->connection == NULL)
                t->connection = client_open(&t->client, code, err);
        if (t->connection == NULL)
                return -1;
        *code = TOOL_AWAY;
        if (client_call(t->connection, argc, argv, a, out, err) == 0)
                return 0;
        client_close(&t->connection);
        return -1;
}

int
tool_ask(struct tool *t, int argc, const char *const *argv, struct arena *a,
    struct resp_value *out)
{
        struct err err = {.kind = ERR_NONE};
        int code = 0, rc;
        bool unsure;

        *out = (struct resp_value){.type = RESP_NULL, .s = ""};
        rc = call_once(t, argc, argv, a, out, &err, &code);
        unsure = rc == -1 ? err.kind == ERR_UNSURE
                          : out->type == RESP_ERROR && strncmp(out->s, "UNSURE", 6) == 0;
        if (unsure && has_key(argc, argv))
                rc = call_once(t, argc, argv, a, out, &err, &code);
        return rc == 0 ? 0 : tool_fail(code, "%s", err.text);
}

int
tool_call(struct tool *t, int argc, const char *const *argv, struct arena *a,
    struct resp_value *out)
{
        int code = tool_ask(t, argc, argv, a, out);

        return code == 0 && out->type == RESP_ERROR ? tool_refused(t, out) : code;
}

json_t *
tool_document(const struct resp_value *v)
{
        struct err err = {.text = ""};
        json_t *doc = v->type == RESP_BULK || v->type == RESP_VERBATIM
                          ? json_read(v->s, v->len, JSON_MAX, &err)
                          : NULL;

        if (doc == NULL)
                tool_fail(0, tr("the daemon's answer is no document: %s"), err.text);
        return doc;
}

const char *
key_new(struct arena *a)
{
        unsigned char r[12];
        char *key = arena_alloc(a, 2 * sizeof r + 1);

        if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r)
                memset(r, 0, sizeof r);
        for (size_t i = 0; i < sizeof r; i++)
                snprintf(key + 2 * i, 3, "%02x", r[i]);
        return key;
}

/* ---- tickets ---- */

const char *
ticket_number(const char *word)
{
        size_t n;

        word += *word == '#';
        n = strspn(word, "0123456789");
        return n > 0 && n < 20 && word[n] == '\0' && *word != '0' ? word : NULL;
}

static void
hand_list(const struct resp_value *v)
{
        for (size_t i = 0; i < v->n_items; i++) {
                json_t *d = tool_document(&v->items[i]);
                struct buf b AUTO_BUF = BUF_INIT;
                const char *subject = json_str(d, "subject", "");

                screen_add_line(&b, subject, strlen(subject));
                fprintf(stderr, "  %6s  %s\n", json_str(d, "id", "?"), buf_str(&b));
                json_decref(d);
        }
}

const char *
ticket_in_hand(struct tool *t, int *code)
{
        struct resp_value v;
        const char *id = NULL;
        json_t *d;

        *code = tool_call(t, 1, (const char *[]){"MINE"}, t->arena, &v);
        if (*code != 0)
                return NULL;
        *code = TOOL_USAGE;
        if (v.n_items == 0) {
                tool_fail(0, tr("you hold no ticket: say its number, or helpline next"));
                return NULL;
        }
        if (v.n_items > 1) {
                tool_fail(0, tr("you hold several tickets; say which:"));
                hand_list(&v);
                return NULL;
        }
        d = tool_document(&v.items[0]);
        if (d != NULL)
                id = arena_strdup(t->arena, json_str(d, "id", ""));
        *code = d != NULL ? 0 : TOOL_AWAY;
        json_decref(d);
        return id;
}

/* ---- the template ---- */

struct filling {
        struct tool *t;
        struct command *c;
        char **words; /* not used yet */
        int n_words;
        const char *from; /* what is left of the template */
};

void
command_add(struct command *c, const char *word)
{
        if (c->argc + 1 < (int)(sizeof c->argv / sizeof *c->argv))
                c->argv[c->argc++] = word;
}

static int
fill_missing(const struct filling *f)
{
        return tool_fail(TOOL_USAGE, tr("usage: helpline %s %s"), f->t->verb->name,
            tr(f->t->verb->words));
}

static const char *
fill_join(struct filling *f)
{
        struct buf b AUTO_BUF = BUF_INIT;

        for (int i = 0; i < f->n_words; i++)
                buf_addf(&b, "%s%s", i > 0 ? " " : "", f->words[i]);
        f->n_words = 0;
        return arena_strdup(f->t->arena, buf_str(&b));
}

/* "into", "to" between two tickets say nothing. */
static void
fill_skip_into(struct filling *f)
{
        static const char *const fillers[] = {"into", "to", "with", "в", "с", "и"};

        for (size_t i = 0; f->n_words > 0 && i < sizeof fillers / sizeof *fillers; i++)
                if (strcasecmp(f->words[0], fillers[i]) == 0) {
                        f->words++;
                        f->n_words--;
                        return;
                }
}

/* Of `link 1050` the one in hand is the first. */
static bool
second_ticket_is_missing(const struct filling *f)
{
        if (strstr(f->from, "%T") == NULL)
                return false;
        for (int i = 1; i < f->n_words; i++)
                if (ticket_number(f->words[i]) != NULL)
                        return false;
        return true;
}

static int
fill_ticket(struct filling *f, bool must)
{
        const char *id = NULL;
        int code = 0;

        fill_skip_into(f);
        if (f->n_words > 0 && (must || !second_ticket_is_missing(f)))
                id = ticket_number(f->words[0]);
        if (id != NULL) {
                f->words++;
                f->n_words--;
        } else if (must) {
                return fill_missing(f);
        } else {
                id = ticket_in_hand(f->t, &code);
                if (id == NULL)
                        return code;
        }
        if (*f->c->ticket == '\0')
                f->c->ticket = id;
        command_add(f->c, id);
        return 0;
}

static int
fill_word(struct filling *f)
{
        if (f->n_words == 0)
                return fill_missing(f);
        command_add(f->c, *f->words++);
        f->n_words--;
        return 0;
}

static int
fill_message(struct filling *f)
{
        if (f->n_words == 0)
                return fill_missing(f);
        f->words[0] += *f->words[0] == '#';
        f->c->ticket = f->words[0];
        return fill_word(f);
}

static const char *
time_word(struct tool *t, int64_t at_us)
{
        char text[25];

        clock_format(at_us, text);
        return arena_strdup(t->arena, text);
}

static int
fill_time(struct filling *f, bool may_span)
{
        char span[64];
        struct err err;
        int64_t at;
        int n;

        if (f->n_words == 0)
                return fill_missing(f);
        if (may_span && when_duration(f->words[0], span)) {
                command_add(f->c, arena_strdup(f->t->arena, span));
                n = 1;
        } else {
                n = when_parse_words(f->n_words, (const char *const *)f->words,
                    clock_now_us(), WHEN_AHEAD, &at, &err);
                if (n == 0)
                        return tool_fail(TOOL_USAGE, "%s", err.text);
                command_add(f->c, time_word(f->t, at));
        }
        f->words += n;
        f->n_words -= n;
        return 0;
}

static int
fill_reason(struct filling *f)
{
        const char *said = tool_option(f->t, "message");

        if (said == NULL && f->n_words == 0)
                return fill_missing(f);
        command_add(f->c, said != NULL ? said : fill_join(f));
        return 0;
}

static int
fill_text(struct filling *f)
{
        json_t *thread = NULL;
        struct resp_value v;
        int code;

        if (f->n_words > 0 && (f->t->verb->flags & VERB_NO_WORDS))
                return tool_fail(TOOL_USAGE,
                    tr("what goes to the customer stands after -m: helpline %s %s"),
                    f->t->verb->name, tr(f->t->verb->words));
        if (text_wants_editor(f->t, f->n_words) && *f->c->ticket != '\0') {
                const char *show[] = {"SHOW",
                    arena_strndup(f->t->arena, f->c->ticket, strcspn(f->c->ticket, "."))};

                code = tool_call(f->t, 2, show, f->t->arena, &v);
                if (code != 0)
                        return code;
                thread = tool_document(&v);
        }
        code = text_get(f->t, f->n_words, f->words, thread, &f->c->text);
        f->n_words = 0;
        if (code == 0) {
                command_add(f->c, f->c->text);
                if (thread != NULL && verb_option_find(f->t->verb, "seen", 4, 0) != NULL)
                        f->c->seen =
                            arena_strdup(f->t->arena, json_str(thread, "last_in", ""));
        }
        json_decref(thread);
        return code;
}

/* An option's value as the protocol wants it. */
static int
option_value(struct tool *t, const struct option_given *g, const char **out)
{
        const char *number;
        struct err err;
        int64_t at;
        char span[64];

        *out = g->value;
        switch (g->option->kind) {
        case VALUE_TIME:
        case VALUE_PAST:
                if (when_parse(g->value, clock_now_us(),
                        g->option->kind == VALUE_TIME ? WHEN_AHEAD : WHEN_BACK, &at,
                        &err) == -1)
                        return tool_fail(
                            TOOL_USAGE, "--%s: %s", g->option->name, err.text);
                *out = time_word(t, at);
                return 0;
        case VALUE_DURATION:
                if (!when_duration(g->value, span))
                        return tool_fail(TOOL_USAGE,
                            tr("--%s takes a duration (30m, 2h), not '%.100s'"),
                            g->option->name, g->value);
                *out = arena_strdup(t->arena, span);
                return 0;
        case VALUE_TICKET:
                number = ticket_number(g->value);
                if (number == NULL)
                        return tool_fail(TOOL_USAGE, tr("--%s takes a ticket's number"),
                            g->option->name);
                *out = number;
                return 0;
        case VALUE_NUMBER:
                if (*g->value == '\0' || g->value[strspn(g->value, "0123456789")] != '\0')
                        return tool_fail(
                            TOOL_USAGE, tr("--%s takes a number"), g->option->name);
                return 0;
        case VALUE_NONE:
        case VALUE_ANY:
        case VALUE_TEXT:
        case VALUE_FILE:
        case VALUE_LINE:
        case VALUE_AGENT:
        case VALUE_STATE:
        case VALUE_CHANNEL:
        case VALUE_MESSAGE:
        case VALUE_ADDRESS:
        case VALUE_LANGUAGE:
                return 0;
        }
        return 0;
}

/* "STATUS resolved" is two words of the protocol. */
static void
add_protocol_words(struct tool *t, struct command *c, const char *words)
{
        const char *blank = strchr(words, ' ');

        if (blank == NULL) {
                command_add(c, words);
                return;
        }
        command_add(c, arena_strndup(t->arena, words, (size_t)(blank - words)));
        command_add(c, blank + 1);
}

int
command_add_options(struct tool *t, struct command *c)
{
        for (size_t i = 0; i < t->n_given; i++) {
                const struct option_given *g = &t->given[i];
                const char *value;
                int code = option_value(t, g, &value);

                if (code != 0)
                        return code;
                if (g->option->word == NULL)
                        continue;
                add_protocol_words(t, c, g->option->word);
                if (g->option->kind != VALUE_NONE)
                        command_add(c, value);
        }
        return 0;
}

static int
fill_options(struct filling *f)
{
        int code = command_add_options(f->t, f->c);

        if (code == 0 && *f->c->seen != '\0' && tool_option(f->t, "seen") == NULL) {
                command_add(f->c, "SEEN");
                command_add(f->c, f->c->seen);
        }
        return code;
}

static int
fill_until(struct filling *f)
{
        if (f->n_words == 0)
                return 0;
        command_add(f->c, "UNTIL");
        return fill_time(f, false);
}

/* TAG takes each change as a word of its own. */
static int
fill_rest(struct filling *f)
{
        int code = fill_word(f);

        while (code == 0 && f->n_words > 0)
                code = fill_word(f);
        return code;
}

/* One reason, perhaps: the words that are left, or -m. */
static int
fill_perhaps(struct filling *f)
{
        const char *said = tool_option(f->t, "message");

        if (said != NULL)
                command_add(f->c, said);
        else if (f->n_words > 0)
                command_add(f->c, fill_join(f));
        return 0;
}

static int
fill_one(struct filling *f, char what)
{
        switch (what) {
        case 't':
        case 'T':
                return fill_ticket(f, what == 'T');
        case 'm':
                return fill_message(f);
        case 'w':
        case 'd':
                return fill_time(f, what == 'd');
        case 'u':
                return fill_until(f);
        case 'r':
                return fill_reason(f);
        case 'x':
                return fill_text(f);
        case 'v':
                if (f->n_words == 0)
                        return fill_missing(f);
                command_add(f->c, fill_join(f));
                return 0;
        case 'g':
        case 's':
        case '*':
                return fill_rest(f);
        case '?':
                return fill_perhaps(f);
        case 'o':
                return fill_options(f);
        default: /* a l p f */
                return fill_word(f);
        }
}

int
command_build(struct tool *t, int argc, char **argv, struct command *c)
{
        struct filling f = {t, c, argv + 1, argc - 1, t->verb->command};

        *c = (struct command){.ticket = "", .text = "", .seen = ""};
        while (*f.from != '\0') {
                size_t n = strcspn(f.from, " ");
                int code = 0;

                if (*f.from == '%') {
                        char what = f.from[1];

                        f.from += 2;
                        code = fill_one(&f, what);
                } else {
                        command_add(c, arena_strndup(t->arena, f.from, n));
                        f.from += n;
                }
                if (code != 0)
                        return code;
                f.from += strspn(f.from, " ");
        }
        if (f.n_words > 0)
                return fill_missing(&f);
        if (t->verb->flags & VERB_CHANGES) {
                command_add(c, "ID");
                command_add(c, key_new(t->arena));
        }
        return 0;
}

/* ---- the answer ---- */

static bool
is_ok(const struct resp_value *v)
{
        return v->type == RESP_SIMPLE && v->len == 2 && memcmp(v->s, "OK", 2) == 0;
}

/* The sentence of the table with what it is about; an integer answer is said too. */
int
answer_done(struct tool *t, const struct command *c, const struct resp_value *v)
{
        const char *id = v->type == RESP_INT
                             ? arena_printf(t->arena, "%lld", (long long)v->i)
                         : is_ok(v) || v->s == NULL ? c->ticket
                                                    : v->s;
        const char *pattern = tr(t->verb->done), *at;

        if (t->json) {
                print_quoted(v);
                return TOOL_DONE;
        }
        if (t->quiet)
                return TOOL_DONE;
        if (!screen_is_terminal() || v->type == RESP_ARRAY)
                return print_value(v, true);
        while ((at = strstr(pattern, "%s")) != NULL) {
                printf("%.*s%s", (int)(at - pattern), pattern, id);
                pattern = at + 2;
        }
        puts(pattern);
        return TOOL_DONE;
}

int
command_run(struct tool *t, struct command *c)
{
        struct resp_value v;
        int code = tool_call(t, c->argc, c->argv, t->arena, &v);

        if (code != 0) {
                if (*c->text != '\0')
                        text_keep(t, c->text);
                return code;
        }
        text_sent(t);
        switch (t->verb->answer) {
        case ANSWER_DONE:
                return answer_done(t, c, &v);
        case ANSWER_TICKET:
                ticket_print(t, v.s, v.len);
                return TOOL_DONE;
        case ANSWER_TABLE:
                return lists_print(t, c->argv[0], &v);
        case ANSWER_OWN:
                return print_value(&v, t->json);
        }
        return TOOL_DONE;
}

int
verb_change(struct tool *t, int argc, char **argv)
{
        struct command c = {0};
        int code = command_build(t, argc, argv, &c);

        return code != 0 ? code : command_run(t, &c);
}
