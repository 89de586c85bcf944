/*
 * What stands behind `when`, compiled into a tree of conditions.
 *
 *     condition = and { "or" and }
 *     and       = unary { "and" unary }
 *     unary     = "not" unary | "(" condition ")" | test
 *     test      = "tagged" NAME… | "more" "than" N "tagged" NAME… "in" D
 *               | HOURS "is" ("open" | "closed") | "time" "is" SPAN… | about how VALUE…
 *     about     = "subject" | "header" NAME | "attachment" "size" | "customer" COLUMN | …
 */
#include <string.h>

#include "config/when.h"
#include "daemon/base/utf8.h"
#include "daemon/model/message.h"

#define CONDITION_MAX_DEPTH 32u

static const struct about abouts[] = {
    {"channel", "", ABOUT_CHANNEL, "i", "email, web or phone"},
    {"account", "", ABOUT_ACCOUNT, "i", "a mail account, web:FORM or phone:NAME"},
    {"form", "", ABOUT_FORM, "i", "the name of a form"},
    {"field", "", ABOUT_FIELD, "icml", "a text"},
    {"from", "", ABOUT_FROM, "icml", "an address, @domain or number"},
    {"to", "", ABOUT_TO, "icml", "an address or @domain"},
    {"cc", "", ABOUT_CC, "icml", "an address or @domain"},
    {"subject", "", ABOUT_SUBJECT, "icm", "a text"},
    {"text", "", ABOUT_TEXT, "icm", "a text"},
    {"header", "", ABOUT_HEADER, "icm", "a text"},
    {"attachment", "name", ABOUT_ATTACHMENT_NAME, "icm", "a text"},
    {"attachment", "type", ABOUT_ATTACHMENT_TYPE, "icm", "a text"},
    {"attachment", "size", ABOUT_ATTACHMENT_SIZE, "<>", "a size like 5MB"},
    {"language", "", ABOUT_LANGUAGE, "i", "a language of two letters like ru"},
    {"kind", "", ABOUT_KIND, "i",
        "message, auto-reply, bounce, report, list, thanks, form or call"},
    {"customer", "", ABOUT_CUSTOMER, "i", "vip or known"},
    {"call", "number", ABOUT_CALL_NUMBER, "icml", "a telephone number"},
    {"call", "direction", ABOUT_CALL_DIRECTION, "i", "in or out"},
    {"call", "duration", ABOUT_CALL_DURATION, "<>", "a duration like 30s"},
    {"call", "", ABOUT_CALL, "i", "missed, answered, in or out"},
    {"priority", "", ABOUT_PRIORITY, "i", "low, normal, high or urgent"},
};
static const struct how {
        const char *word;
        enum condition_how how;
        char letter;
} hows[] = {{"is", HOW_IS, 'i'}, {"contains", HOW_CONTAINS, 'c'},
    {"matches", HOW_MATCHES, 'm'}, {"in", HOW_IN, 'l'}, {"<", HOW_LESS, '<'},
    {">", HOW_MORE, '>'}};

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* ---- the cursor ---- */

const struct value *
cursor_now(const struct cursor *c)
{
        return c->i < c->s->n_values ? &c->s->values[c->i] : NULL;
}

bool
cursor_take(struct cursor *c, const char *word)
{
        if (!value_at_is(c->s, c->i, word))
                return false;
        c->i++;
        return true;
}

struct place
cursor_place(const struct cursor *c)
{
        const struct value *v = cursor_now(c);

        if (v != NULL)
                return v->at;
        return place_after(
            c->s->values == NULL ? c->s->at : c->s->values[c->s->n_values - 1].at);
}

const struct condition *
cursor_expected(struct cursor *c, const char *what)
{
        const struct value *v = cursor_now(c);

        if (c->failed)
                return NULL;
        c->failed = true;
        if (v == NULL)
                report_error(
                    c->b->report, cursor_place(c), "this condition is not finished");
        else
                report_error(c->b->report, v->at, "'%s' cannot stand here",
                    word_shown(c->b->a, v->text));
        report_advice(c->b->report, "%s is missing", what);
        return NULL;
}

struct condition *
condition_new(struct cursor *c, enum condition_kind kind)
{
        struct condition *n = arena_alloc(c->b->a, sizeof *n);

        n->kind = kind;
        n->name = "";
        return n;
}

bool
cursor_how_at(const struct cursor *c, size_t i)
{
        for (size_t h = 0; h < N_OF(hows); h++)
                if (value_at_is(c->s, i, hows[h].word))
                        return true;
        return false;
}

/* Does a word of its own stand between it and the comparison? */
static bool
about_has_name(const char *word)
{
        return strcmp(word, "field") == 0 || strcmp(word, "attachment") == 0 ||
               strcmp(word, "customer") == 0 || strcmp(word, "call") == 0;
}

/* office is closed: its name may be any word. */
static bool
is_hours(const struct cursor *c)
{
        return names_find(&c->b->hours, c->s->values[c->i].text) != NULL ||
               (value_at_is(c->s, c->i + 1, "is") &&
                   (value_at_is(c->s, c->i + 2, "open") ||
                       value_at_is(c->s, c->i + 2, "closed")));
}

static bool
begins_test(const struct cursor *c)
{
        if (value_at_is(c->s, c->i, "tagged") || value_at_is(c->s, c->i, "not") ||
            value_at_is(c->s, c->i, "header") ||
            (value_at_is(c->s, c->i, "more") && value_at_is(c->s, c->i + 1, "than")) ||
            (value_at_is(c->s, c->i, "time") && cursor_how_at(c, c->i + 1)) ||
            (c->i < c->s->n_values && cursor_how_at(c, c->i + 1) && is_hours(c)))
                return true;
        for (size_t i = 0; i < N_OF(abouts); i++)
                if (value_at_is(c->s, c->i, abouts[i].word))
                        return cursor_how_at(c, c->i + 1) ||
                               (about_has_name(abouts[i].word) &&
                                   cursor_how_at(c, c->i + 2));
        return false;
}

/* Ends the values of a test: and, or, a bracket, the end, or what begins another
 * test (where `and` was forgotten). */
bool
cursor_at_test_end(const struct cursor *c)
{
        const struct value *v = cursor_now(c);

        return v == NULL || v->kind == VALUE_OPEN || v->kind == VALUE_CLOSE ||
               value_at_is(c->s, c->i, "and") || value_at_is(c->s, c->i, "or") ||
               begins_test(c);
}

/* ---- tests ---- */

static bool
word_is_one_of(const char *word, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(words[i], word) == 0)
                        return true;
        return false;
}

static const char *
fold(struct cursor *c, const char *s)
{
        return utf8_fold(c->b->a, s, strlen(s));
}

/* "call number" */
static const char *
about_name(struct cursor *c, const struct about *about)
{
        return about->second[0] == '\0'
                   ? about->word
                   : arena_printf(c->b->a, "%s %s", about->word, about->second);
}

static const char *
address_value(struct cursor *c, const char *s)
{
        const char *n;

        if (s[0] != '@')
                return address_normalise(c->b->a, s);
        n = address_normalise(c->b->a, arena_printf(c->b->a, "x%s", s));
        return n[0] == '\0' ? "" : n + 1;
}

static const char *
account_value(struct cursor *c, const char *s)
{
        const struct build *b = c->b;

        if (strncmp(s, "web:", 4) == 0)
                return names_find(&b->forms, s + 4) == NULL ? "" : s;
        if (strncmp(s, "phone:", 6) == 0)
                return names_find(&b->phones, s + 6) == NULL ? "" : s;
        return address_value(c, s);
}

static const char *
word_value(const char *s, const char *const *words, size_t n)
{
        return word_is_one_of(s, words, n) ? s : "";
}

/* The value in the form in which it is compared; "" when it cannot be one. */
static const char *
value_folded(struct cursor *c, const struct condition *t, const char *s)
{
        static const char *const channels[] = {"email", "web", "phone"};
        static const char *const customers[] = {"vip", "known"};
        static const char *const calls[] = {"in", "out", "missed", "answered"};
        const char *number = "";
        enum message_kind k;
        enum priority p;

        if (t->how == HOW_CONTAINS)
                return fold(c, s);
        switch (t->about) {
        case ABOUT_CHANNEL:
                return word_value(s, channels, N_OF(channels));
        case ABOUT_LANGUAGE:
                return language_is_code(s) ? s : "";
        case ABOUT_KIND:
                return message_kind_parse(s, &k) ? s : "";
        case ABOUT_CUSTOMER:
                return word_value(s, customers, N_OF(customers));
        case ABOUT_CALL:
                return word_value(s, calls, N_OF(calls));
        case ABOUT_CALL_DIRECTION:
                return word_value(s, calls, 2);
        case ABOUT_PRIORITY:
                return priority_parse(s, &p) ? s : "";
        case ABOUT_ACCOUNT:
                return account_value(c, s);
        case ABOUT_FROM:
        case ABOUT_CALL_NUMBER:
                if (number_take(c->b, s, &number) || t->about == ABOUT_CALL_NUMBER)
                        return number;
                return address_value(c, s);
        case ABOUT_TO:
        case ABOUT_CC:
                return address_value(c, s);
        case ABOUT_FORM:
                return s;
        case ABOUT_SUBJECT:
        case ABOUT_TEXT:
        case ABOUT_HEADER:
        case ABOUT_FIELD:
        case ABOUT_ATTACHMENT_NAME:
        case ABOUT_ATTACHMENT_TYPE:
        case ABOUT_ATTACHMENT_SIZE:
        case ABOUT_CUSTOMER_COLUMN:
        case ABOUT_CALL_DURATION:
        case ABOUT_TAGGED:
        case ABOUT_MORE:
        case ABOUT_HOURS:
        case ABOUT_TIME:
                break;
        }
        return fold(c, s);
}

static const struct condition *
test_values(struct cursor *c, struct condition *t, const struct about *about)
{
        const char *takes = t->how == HOW_CONTAINS ? "a text" : about->takes;

        if (cursor_at_test_end(c))
                return cursor_expected(c, takes);
        for (; !cursor_at_test_end(c); c->i++) {
                const struct value *v = cursor_now(c);
                const char *folded = value_folded(c, t, v->text);

                if (t->about == ABOUT_FORM && names_find(&c->b->forms, v->text) == NULL) {
                        c->failed = true;
                        names_unknown(&c->b->forms, c->b->report, v->at, "form", v->text);
                        return NULL;
                }
                if (folded[0] == '\0') {
                        c->failed = true;
                        report_error(c->b->report, v->at,
                            "'%s' is compared with %s, got '%s'", about_name(c, about),
                            takes, word_shown(c->b->a, v->text));
                        return NULL;
                }
                t->values =
                    arena_grow(c->b->a, t->values, t->n_values, sizeof *t->values);
                t->values[t->n_values++] = folded;
        }
        return t;
}

/* attachment size > 5MB, call duration < 30s */
static const struct condition *
test_than(struct cursor *c, struct condition *t, const struct about *about)
{
        const struct value *v = cursor_now(c);
        uint64_t bytes = 0;
        bool good;

        if (cursor_at_test_end(c))
                return cursor_expected(c, about->takes);
        if (t->about == ABOUT_ATTACHMENT_SIZE) {
                good = size_read(v->text, &bytes);
                t->than = (int64_t)bytes;
        } else {
                good = duration_read(v->text, &t->than);
        }
        c->i++;
        if (good)
                return t;
        c->failed = true;
        report_error(c->b->report, v->at, "'%s' is compared with %s, got '%s'",
            about_name(c, about), about->takes, word_shown(c->b->a, v->text));
        return NULL;
}

static const struct condition *
test_pattern(struct cursor *c, struct condition *t)
{
        const struct value *v = cursor_now(c);
        struct rules *r = c->b->rules;
        struct pattern *p;
        struct err err = {0};
        size_t at;

        if (v == NULL || v->kind != VALUE_PATTERN)
                return cursor_expected(c, "/a regular expression/");
        c->i++;
        c->failed = true;
        if (v->flags[0] != '\0' && strcmp(v->flags, "i") != 0) {
                report_error(
                    c->b->report, v->at, "'%s' behind a pattern means nothing", v->flags);
                report_advice(c->b->report, "only /…/i: upper and lower case alike");
                return NULL;
        }
        p = pattern_new(v->text, v->flags[0] == 'i', &at, &err);
        if (p == NULL) {
                report_error(c->b->report,
                    (struct place){
                        v->at.source, v->at.at + 1 + (at > v->at.len ? 0 : at), 0},
                    "this pattern is wrong: %s", err.text);
                return NULL;
        }
        c->failed = false;
        r->patterns =
            arena_grow(c->b->a, r->patterns, r->n_patterns, sizeof(struct pattern *));
        r->patterns[r->n_patterns++] = p;
        t->pattern = p;
        return t;
}

static const struct condition *
test_list(struct cursor *c, struct condition *t)
{
        const struct value *v = cursor_now(c);
        const struct name *list;

        if (cursor_at_test_end(c))
                return cursor_expected(c, "the name of a list");
        list = names_find(&c->b->lists, v->text);
        c->i++;
        if (list == NULL) {
                c->failed = true;
                names_unknown(&c->b->lists, c->b->report, v->at, "list", v->text);
                return NULL;
        }
        t->list = &c->b->c->lists[list->index];
        return t;
}

/* "is, contains or matches" */
static const char *
hows_shown(struct cursor *c, const struct about *about)
{
        const char *shown = "";
        size_t n = strlen(about->hows);

        for (size_t i = 0; i < n; i++)
                for (size_t h = 0; h < N_OF(hows); h++)
                        if (hows[h].letter == about->hows[i])
                                shown = arena_printf(c->b->a, "%s%s%s", shown,
                                    i == 0       ? ""
                                    : i == n - 1 ? " or "
                                                 : ", ",
                                    hows[h].word);
        return n == 1 ? arena_printf(c->b->a, "only '%s'", shown) : shown;
}

/* A comparison that is none, or not for this. */
static const struct condition *
how_wrong(struct cursor *c, const struct about *about, const struct guess *g)
{
        const struct value *v = cursor_now(c);

        c->failed = true;
        if (g != NULL && g->meant != NULL) {
                report_unknown(
                    c->b->report, v->at, "comparison", v->text, "", g, (struct place){0});
                return NULL;
        }
        report_error(c->b->report, v->at, "'%s' cannot stand behind '%s'",
            word_shown(c->b->a, v->text), about_name(c, about));
        if (value_at_is(c->s, c->i, "not"))
                report_advice(c->b->report, "put it before the whole: not %s is …",
                    about_name(c, about));
        else if ((v->text[0] == '<' || v->text[0] == '>') && v->text[1] != '\0')
                report_advice(c->b->report, "< and > stand alone, between blanks");
        else if (about->about == ABOUT_CALL)
                report_advice(c->b->report, "is, direction, number or duration");
        else
                report_advice(c->b->report, "%s", hows_shown(c, about));
        return NULL;
}

const struct condition *
test_how(struct cursor *c, struct condition *t, const struct about *about)
{
        const struct value *v = cursor_now(c);
        const struct how *how = NULL;
        struct guess g = GUESS_INIT;

        for (size_t i = 0; v != NULL && i < N_OF(hows); i++) {
                if (value_at_is(c->s, c->i, hows[i].word))
                        how = &hows[i];
                if (hows[i].how < HOW_LESS)
                        guess_offer(&g, v->text, hows[i].word);
        }
        if (v == NULL)
                return cursor_expected(
                    c, about->hows[1] == '\0' ? "'is'" : hows_shown(c, about));
        if (how == NULL || strchr(about->hows, how->letter) == NULL)
                return how_wrong(c, about, how == NULL ? &g : NULL);
        c->i++;
        t->how = how->how;
        switch (t->how) {
        case HOW_MATCHES:
                return test_pattern(c, t);
        case HOW_IN:
                return test_list(c, t);
        case HOW_LESS:
        case HOW_MORE:
                return test_than(c, t, about);
        case HOW_IS:
        case HOW_CONTAINS:
                break;
        }
        return test_values(c, t, about);
}

static const struct condition *
about_unknown(struct cursor *c)
{
        const struct value *v = cursor_now(c);
        struct guess g = GUESS_INIT;

        if (v == NULL || v->kind != VALUE_WORD)
                return cursor_expected(c, "a condition");
        if (cursor_take(c, "attachment"))
                return cursor_expected(c, "name, type or size");
        c->failed = true;
        for (size_t i = 0; i < N_OF(abouts); i++)
                guess_offer(&g, v->text, abouts[i].word);
        guess_offer(&g, v->text, "tagged");
        guess_offer(&g, v->text, "time");
        guess_offer(&g, v->text, "more");
        report_unknown(
            c->b->report, v->at, "condition", v->text, "", &g, (struct place){0});
        if (g.meant == NULL)
                report_advice(c->b->report,
                    "one of: channel account form field from to cc subject text header "
                    "attachment language kind customer call tagged priority time more, "
                    "or "
                    "hours");
        return NULL;
}

static bool
take_about(struct cursor *c, const struct about *about)
{
        if (!value_at_is(c->s, c->i, about->word) ||
            (about->second[0] != '\0' && !value_at_is(c->s, c->i + 1, about->second)))
                return false;
        c->i += about->second[0] == '\0' ? 1 : 2;
        return true;
}

static const struct condition *
test_parse(struct cursor *c)
{
        struct condition *t;

        if (cursor_take(c, "tagged"))
                return test_tagged(c);
        if (cursor_take(c, "more"))
                return test_more(c);
        if (value_at_is(c->s, c->i, "time"))
                return test_time(c);
        for (size_t i = 0; i < N_OF(abouts); i++) {
                if (!take_about(c, &abouts[i]))
                        continue;
                t = condition_new(c, CONDITION_TEST);
                t->about = abouts[i].about;
                if (t->about == ABOUT_HEADER)
                        return test_header(c, t, &abouts[i]);
                if (t->about == ABOUT_FIELD)
                        return test_field(c, t, &abouts[i]);
                if (t->about == ABOUT_CUSTOMER)
                        return test_customer(c, t, &abouts[i]);
                return test_how(c, t, &abouts[i]);
        }
        if (c->i < c->s->n_values && is_hours(c))
                return test_hours(c);
        return about_unknown(c);
}

/* ---- and, or, not ---- */

static const struct condition *or_parse(struct cursor *c);

static const struct condition *
bracket_parse(struct cursor *c)
{
        const struct condition *inside;
        struct place open = cursor_now(c)->at;

        c->i++;
        inside = or_parse(c);
        if (c->failed)
                return NULL;
        if (cursor_now(c) == NULL || cursor_now(c)->kind != VALUE_CLOSE) {
                c->failed = true;
                report_error(c->b->report, open, "this bracket is never closed");
                report_advice(c->b->report, "')' is missing");
                return NULL;
        }
        c->i++;
        return inside;
}

static const struct condition *
unary_parse(struct cursor *c)
{
        struct condition *n;

        if (c->depth >= CONDITION_MAX_DEPTH) {
                report_error(c->b->report, cursor_place(c),
                    "this condition nests deeper than %u", CONDITION_MAX_DEPTH);
                c->failed = true;
                return NULL;
        }
        if (cursor_now(c) != NULL && cursor_now(c)->kind == VALUE_OPEN) {
                const struct condition *inside;

                c->depth++;
                inside = bracket_parse(c);
                c->depth--;
                return inside;
        }
        if (!cursor_take(c, "not"))
                return test_parse(c);
        n = condition_new(c, CONDITION_NOT);
        c->depth++;
        n->left = unary_parse(c);
        c->depth--;
        return n;
}

/* A chain becomes a tree as deep as it is long on the left; its tests are asked
 * from left to right. Chains are bounded, for asking recurses. */
#define CHAIN_MAX 200u

static const struct condition *
chain_parse(struct cursor *c, const char *word, enum condition_kind kind,
    const struct condition *(*part)(struct cursor *))
{
        const struct condition *left = part(c);
        unsigned n = 0;

        while (!c->failed && cursor_take(c, word)) {
                struct condition *both = condition_new(c, kind);

                if (++n > CHAIN_MAX) {
                        c->failed = true;
                        report_error(c->b->report, cursor_place(c),
                            "more than %u '%s' in a row", CHAIN_MAX, word);
                        report_advice(c->b->report, "use a list, or several values");
                        return NULL;
                }
                both->left = left;
                both->right = part(c);
                left = both;
        }
        return left;
}

static const struct condition *
and_parse(struct cursor *c)
{
        return chain_parse(c, "and", CONDITION_AND, unary_parse);
}

static const struct condition *
or_parse(struct cursor *c)
{
        return chain_parse(c, "or", CONDITION_OR, and_parse);
}

bool
condition_compile(struct build *b, const struct sentence *s, size_t i,
    const struct condition **out, int64_t *window_ms)
{
        struct cursor c = {.b = b, .s = s, .i = i};

        *out = or_parse(&c);
        if (!c.failed && cursor_now(&c) != NULL)
                cursor_expected(&c, "'and', 'or' or the end of the sentence");
        *window_ms = c.window_ms;
        return !c.failed;
}
