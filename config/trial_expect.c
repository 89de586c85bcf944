/*
 * What a test of the rules expects: `expect [not] route general`; see trial.h.
 */
#include <string.h>

#include "config/trial.h"

static const struct expect_word {
        const char *word;
        enum expect_what what;
        const char *takes; /* behind it; "" nothing */
} expect_words[] = {
    {"route", EXPECT_ROUTE, "the name of a route"},
    {"line", EXPECT_LINE, "the name of a line"},
    {"tag", EXPECT_TAG, "tags"},
    {"need", EXPECT_NEED, "a skill with its level, like network:3"},
    {"must", EXPECT_MUST, "a skill with its level, like en:2"},
    {"priority", EXPECT_PRIORITY, "low, normal, high or urgent"},
    {"promise", EXPECT_PROMISE, "the name of a promise"},
    {"acknowledge", EXPECT_ACKNOWLEDGE, "the name of a template, or none"},
    {"ask", EXPECT_ASK, "the name of a template"},
    {"tell", EXPECT_TELL, "names of agents"},
    {"agent", EXPECT_AGENT, "the name of an agent"},
    {"shelve", EXPECT_SHELVE, ""},
};
#define N_EXPECT_WORDS (sizeof expect_words / sizeof *expect_words)

static const struct expect_word *
expect_word_find(struct build *b, const struct value *v)
{
        struct guess g = GUESS_INIT;

        for (size_t i = 0; i < N_EXPECT_WORDS; i++) {
                if (strcmp(v->text, expect_words[i].word) == 0)
                        return &expect_words[i];
                guess_offer(&g, v->text, expect_words[i].word);
        }
        report_unknown(
            b->report, v->at, "expectation", v->text, "", &g, (struct place){0});
        if (g.meant == NULL)
                report_advice(b->report,
                    "route, line, tag, need, must, priority, promise, acknowledge, ask, "
                    "tell, agent or shelve");
        return NULL;
}

/* A word that is none of the declared: a test that names it would always fail. */
static bool
expect_name(struct build *b, const struct names *n, const struct value *v,
    const char *what, const char *also)
{
        if (names_find(n, v->text) != NULL || strcmp(v->text, also) == 0)
                return true;
        names_unknown(n, b->report, v->at, what, v->text);
        return false;
}

static bool
expect_priority(struct build *b, const struct sentence *s, const struct value *v)
{
        enum priority p;

        if (priority_parse(v->text, &p))
                return true;
        report_error(b->report, v->at,
            "'priority' takes low, normal, high or urgent, got '%s'",
            word_shown(b->a, v->text));
        (void)s;
        return false;
}

static bool
expect_skill(struct build *b, const struct sentence *s, const struct value *v,
    struct expectation *e)
{
        const char *word = e->what == EXPECT_NEED ? "need" : "must";

        if (strchr(v->text, ':') != NULL)
                return value_skill(b, s, v, &e->skill);
        report_error(b->report, v->at, "'%s' takes a skill with its level, got '%s'",
            word, word_shown(b->a, v->text));
        report_advice(b->report, "like %s:3", word_shown(b->a, v->text));
        return false;
}

static bool
expect_value(struct build *b, const struct sentence *s, const struct value *v,
    struct expectation *e)
{
        e->word = v->text;
        e->place = v->at;
        switch (e->what) {
        case EXPECT_ROUTE:
                return expect_name(b, &b->routes, v, "route", "default");
        case EXPECT_LINE:
                return value_line(b, v, &e->word);
        case EXPECT_TAG:
                return expect_name(b, &b->tags, v, "tag", "");
        case EXPECT_NEED:
        case EXPECT_MUST:
                return expect_skill(b, s, v, e);
        case EXPECT_PRIORITY:
                return expect_priority(b, s, v);
        case EXPECT_PROMISE:
                return expect_name(b, &b->promises, v, "promise", "");
        case EXPECT_TELL:
        case EXPECT_AGENT:
                return expect_name(b, &b->agents, v, "agent", "");
        case EXPECT_ACKNOWLEDGE:
        case EXPECT_ASK:
                return value_is_name(b, v);
        case EXPECT_SHELVE:
                break;
        }
        return true;
}

static void
expect_add(struct build *b, struct trial *t, const struct expectation *e)
{
        t->expects = arena_grow(b->a, t->expects, t->n_expects, sizeof *t->expects);
        t->expects[t->n_expects++] = *e;
}

/* agent dina at 9m */
static bool
expect_agent_at(
    struct build *b, const struct sentence *s, size_t i, struct expectation *e)
{
        if (i == s->n_values)
                return true;
        if (!value_at_is(s, i, "at")) {
                value_surplus(b, s, &s->values[i]);
                return false;
        }
        if (i + 1 == s->n_values) {
                report_error(
                    b->report, place_after(s->values[i].at), "a duration is missing");
                report_advice(b->report, "expect agent NAME at 10m");
                return false;
        }
        if (i + 2 < s->n_values) {
                value_surplus(b, s, &s->values[i + 2]);
                return false;
        }
        if (!open_time_read(s->values[i + 1].text, &e->at)) {
                report_error(b->report, s->values[i + 1].at,
                    "'at' takes a duration, got '%s'",
                    word_shown(b->a, s->values[i + 1].text));
                report_advice(b->report, "like 0m, 10m, 2h or 1d");
                return false;
        }
        e->at_text = s->values[i + 1].text;
        return true;
}

static bool
expect_is_list(enum expect_what what)
{
        return what == EXPECT_TAG || what == EXPECT_NEED || what == EXPECT_MUST ||
               what == EXPECT_TELL;
}

/* The values behind the word, from i on. */
static void
expect_values(struct build *b, const struct sentence *s, size_t i,
    const struct expect_word *w, struct trial *t, bool is_not)
{
        struct expectation e = {
            .what = w->what, .is_not = is_not, .at_text = "0m", .word = ""};

        if (*w->takes == '\0') {
                e.place = s->values[i - 1].at;
                if (i < s->n_values)
                        value_surplus(b, s, &s->values[i]);
                else
                        expect_add(b, t, &e);
                return;
        }
        if (i == s->n_values) {
                report_error(b->report, place_after(s->values[i - 1].at),
                    "'%s' takes %s, got nothing", w->word, w->takes);
                return;
        }
        if (w->what == EXPECT_AGENT) {
                if (expect_value(b, s, &s->values[i], &e) &&
                    expect_agent_at(b, s, i + 1, &e))
                        expect_add(b, t, &e);
                return;
        }
        for (size_t k = i; k < s->n_values; k++) {
                if (k > i && !expect_is_list(w->what)) {
                        value_surplus(b, s, &s->values[k]);
                        return;
                }
                if (expect_value(b, s, &s->values[k], &e))
                        expect_add(b, t, &e);
        }
}

void
expect_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        bool is_not = value_at_is(s, 0, "not");
        size_t i = is_not ? 1 : 0;
        const struct expect_word *w;

        if (i == s->n_values) {
                value_missing(b, s);
                report_advice(b->report, "expect route general");
                return;
        }
        w = expect_word_find(b, &s->values[i]);
        if (w != NULL)
                expect_values(b, s, i + 1, w, t, is_not);
}
