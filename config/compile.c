/*
 * Sentences of the rules, compiled: `tag vpn when …` into struct rule, and what
 * stands behind `when` into a tree of conditions.
 *
 *     condition = and { "or" and }
 *     and       = unary { "and" unary }
 *     unary     = "not" unary | "(" condition ")" | test
 *     test      = "tagged" NAME… | about how VALUE…
 */
#include <string.h>

#include "config/ruleset.h"
#include "config/template.h"
#include "daemon/base/utf8.h"
#include "daemon/model/message.h"

#define CONDITION_MAX_DEPTH 32u

struct cursor { /* on the values of one sentence */
        struct build *b;
        const struct sentence *s;
        size_t i;
        unsigned depth;
        bool failed; /* told: say nothing more */
};

static const struct about {
        const char *word;
        enum condition_about about;
        const char *hows; /* which of i(s) c(ontains) m(atches) l(ist) */
        const char *takes; /* behind `is` */
} abouts[] = {
    {"channel", ABOUT_CHANNEL, "i", "email, web or phone"},
    {"account", ABOUT_ACCOUNT, "i", "the address of a mail account"},
    {"from", ABOUT_FROM, "icml", "an address or @domain"},
    {"to", ABOUT_TO, "icml", "an address or @domain"},
    {"cc", ABOUT_CC, "icml", "an address or @domain"},
    {"subject", ABOUT_SUBJECT, "icm", "a text"},
    {"text", ABOUT_TEXT, "icm", "a text"},
    {"header", ABOUT_HEADER, "icm", "a text"},
    {"language", ABOUT_LANGUAGE, "i", "ru or en"},
    {"priority", ABOUT_PRIORITY, "i", "low, normal, high or urgent"},
};

static const struct how {
        const char *word;
        enum condition_how how;
        char letter;
} hows[] = {{"is", HOW_IS, 'i'}, {"contains", HOW_CONTAINS, 'c'},
    {"matches", HOW_MATCHES, 'm'}, {"in", HOW_IN, 'l'}};

static const char *const later_abouts[] = {
    "form", "field", "attachment", "customer", "call", "more", "at", "open", "closed"};

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* ---- the cursor ---- */

static const struct value *
now_at(const struct cursor *c)
{
        return c->i < c->s->n_values ? &c->s->values[c->i] : NULL;
}

static bool
take(struct cursor *c, const char *word)
{
        if (!value_at_is(c->s, c->i, word))
                return false;
        c->i++;
        return true;
}

static struct place
cursor_place(const struct cursor *c)
{
        const struct value *v = now_at(c);

        if (v != NULL)
                return v->at;
        return place_after(
            c->s->values == NULL ? c->s->at : c->s->values[c->s->n_values - 1].at);
}

static const struct condition *
expected(struct cursor *c, const char *what)
{
        const struct value *v = now_at(c);

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

static struct condition *
condition_new(struct cursor *c, enum condition_kind kind)
{
        struct condition *n = arena_alloc(c->b->a, sizeof *n);

        n->kind = kind;
        n->header = "";
        return n;
}

static bool
begins_test(const struct cursor *c)
{
        bool about = value_at_is(c->s, c->i, "header");
        bool how = about;

        if (value_at_is(c->s, c->i, "tagged") || value_at_is(c->s, c->i, "not"))
                return true;
        for (size_t i = 0; i < N_OF(abouts); i++)
                about = about || value_at_is(c->s, c->i, abouts[i].word);
        for (size_t i = 0; i < N_OF(hows); i++)
                how = how || value_at_is(c->s, c->i + 1, hows[i].word);
        return about && how;
}

/* Ends the values of a test: and, or, a bracket, the end, or what begins another
 * test (where `and` was forgotten). */
static bool
at_test_end(const struct cursor *c)
{
        const struct value *v = now_at(c);

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

static const char *
address_value(struct cursor *c, const char *s)
{
        const char *n;

        if (s[0] != '@')
                return address_normalise(c->b->a, s);
        n = address_normalise(c->b->a, arena_printf(c->b->a, "x%s", s));
        return n[0] == '\0' ? "" : n + 1;
}

/* The value in the form in which it is compared; "" when it cannot be one. */
static const char *
value_folded(struct cursor *c, const struct condition *t, const char *s)
{
        static const char *const channels[] = {"email", "web", "phone"};
        static const char *const languages[] = {"ru", "en"};
        enum priority p;

        if (t->how == HOW_CONTAINS)
                return fold(c, s);
        switch (t->about) {
        case ABOUT_CHANNEL:
                return word_is_one_of(s, channels, N_OF(channels)) ? s : "";
        case ABOUT_LANGUAGE:
                return word_is_one_of(s, languages, N_OF(languages)) ? s : "";
        case ABOUT_PRIORITY:
                return priority_parse(s, &p) ? s : "";
        case ABOUT_ACCOUNT:
        case ABOUT_FROM:
        case ABOUT_TO:
        case ABOUT_CC:
                return address_value(c, s);
        case ABOUT_SUBJECT:
        case ABOUT_TEXT:
        case ABOUT_HEADER:
        case ABOUT_TAGGED:
                break;
        }
        return fold(c, s);
}

static const struct condition *
test_values(struct cursor *c, struct condition *t, const struct about *about)
{
        const char *takes = t->how == HOW_CONTAINS ? "a text" : about->takes;

        if (at_test_end(c))
                return expected(c, takes);
        for (; !at_test_end(c); c->i++) {
                const struct value *v = now_at(c);
                const char *folded = value_folded(c, t, v->text);

                if (folded[0] == '\0') {
                        c->failed = true;
                        report_error(c->b->report, v->at,
                            "'%s' is compared with %s, got '%s'", about->word, takes,
                            word_shown(c->b->a, v->text));
                        return NULL;
                }
                t->values =
                    arena_grow(c->b->a, t->values, t->n_values, sizeof *t->values);
                t->values[t->n_values++] = folded;
        }
        return t;
}

static const struct condition *
test_pattern(struct cursor *c, struct condition *t)
{
        const struct value *v = now_at(c);
        struct rules *r = c->b->rules;
        struct pattern *p;
        struct err err = {0};
        size_t at;

        if (v == NULL || v->kind != VALUE_PATTERN)
                return expected(c, "/a regular expression/");
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
        const struct value *v = now_at(c);
        const struct name *list;

        if (at_test_end(c))
                return expected(c, "the name of a list");
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

/* A comparison that is none, or not for this. */
static const struct condition *
how_wrong(struct cursor *c, const struct about *about, const struct guess *g)
{
        const struct value *v = now_at(c);

        c->failed = true;
        if (g != NULL && g->meant != NULL) {
                report_unknown(
                    c->b->report, v->at, "comparison", v->text, "", g, (struct place){0});
                return NULL;
        }
        report_error(c->b->report, v->at, "'%s' cannot stand behind '%s'",
            word_shown(c->b->a, v->text), about->word);
        if (value_at_is(c->s, c->i, "not"))
                report_advice(
                    c->b->report, "put it before the whole: not %s is …", about->word);
        else
                report_advice(c->b->report, "%s",
                    about->hows[1] == '\0'   ? "only 'is'"
                    : about->hows[3] == '\0' ? "is, contains or matches"
                                             : "is, contains, matches or in");
        return NULL;
}

static const struct condition *
test_how(struct cursor *c, struct condition *t, const struct about *about)
{
        const struct value *v = now_at(c);
        const struct how *how = NULL;
        struct guess g = GUESS_INIT;

        for (size_t i = 0; v != NULL && i < N_OF(hows); i++) {
                if (value_at_is(c->s, c->i, hows[i].word))
                        how = &hows[i];
                guess_offer(&g, v->text, hows[i].word);
        }
        if (v == NULL)
                return expected(
                    c, about->hows[1] == '\0' ? "'is'" : "is, contains, matches or in");
        if (how == NULL || strchr(about->hows, how->letter) == NULL)
                return how_wrong(c, about, how == NULL ? &g : NULL);
        c->i++;
        t->how = how->how;
        if (t->how == HOW_MATCHES)
                return test_pattern(c, t);
        return t->how == HOW_IN ? test_list(c, t) : test_values(c, t, about);
}

/* tagged vpn billing: any of them */
static const struct condition *
test_tagged(struct cursor *c)
{
        struct condition *t = condition_new(c, CONDITION_TEST);

        t->about = ABOUT_TAGGED;
        if (at_test_end(c))
                return expected(c, "a tag");
        for (; !at_test_end(c); c->i++) {
                const struct value *v = now_at(c);
                const struct name *tag = names_find(&c->b->tags, v->text);

                if (tag == NULL) {
                        names_unknown(&c->b->tags, c->b->report, v->at, "tag", v->text);
                        c->failed = true;
                        return NULL;
                }
                if (names_find(&c->b->tagged, v->text) == NULL) {
                        report_warning(c->b->report, v->at,
                            "nothing above sets the tag '%s'", v->text);
                        report_advice(c->b->report,
                            "it is set on %s; sentences apply in order",
                            place_name(tag->at, v->at.source, c->b->a));
                }
                t->values =
                    arena_grow(c->b->a, t->values, t->n_values, sizeof *t->values);
                t->values[t->n_values++] = tag->text;
        }
        return t;
}

static const struct condition *
about_unknown(struct cursor *c)
{
        const struct value *v = now_at(c);
        struct guess g = GUESS_INIT;

        if (v == NULL || v->kind != VALUE_WORD)
                return expected(c, "a condition");
        c->failed = true;
        if (word_is_one_of(v->text, later_abouts, N_OF(later_abouts)) ||
            (c->i + 2 < c->s->n_values + 1 && value_at_is(c->s, c->i + 1, "is") &&
                (value_at_is(c->s, c->i + 2, "open") ||
                    value_at_is(c->s, c->i + 2, "closed")))) {
                report_error(c->b->report, v->at,
                    "'%s' in a condition is not part of this version",
                    word_shown(c->b->a, v->text));
                report_advice(c->b->report, "take it out");
                return NULL;
        }
        for (size_t i = 0; i < N_OF(abouts); i++)
                guess_offer(&g, v->text, abouts[i].word);
        guess_offer(&g, v->text, "tagged");
        report_unknown(
            c->b->report, v->at, "condition", v->text, "", &g, (struct place){0});
        if (g.meant == NULL)
                report_advice(c->b->report, "one of: channel account from to cc subject "
                                            "text header language tagged priority");
        return NULL;
}

static const struct condition *
test_parse(struct cursor *c)
{
        struct condition *t;

        if (take(c, "tagged"))
                return test_tagged(c);
        for (size_t i = 0; i < N_OF(abouts); i++) {
                if (!take(c, abouts[i].word))
                        continue;
                t = condition_new(c, CONDITION_TEST);
                t->about = abouts[i].about;
                if (t->about == ABOUT_HEADER) {
                        if (at_test_end(c))
                                return expected(c, "the name of a header");
                        t->header = now_at(c)->text;
                        c->i++;
                }
                return test_how(c, t, &abouts[i]);
        }
        return about_unknown(c);
}

/* ---- and, or, not ---- */

static const struct condition *or_parse(struct cursor *c);

static const struct condition *
bracket_parse(struct cursor *c)
{
        const struct condition *inside;
        struct place open = now_at(c)->at;

        c->i++;
        inside = or_parse(c);
        if (c->failed)
                return NULL;
        if (now_at(c) == NULL || now_at(c)->kind != VALUE_CLOSE) {
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
        if (now_at(c) != NULL && now_at(c)->kind == VALUE_OPEN) {
                const struct condition *inside;

                c->depth++;
                inside = bracket_parse(c);
                c->depth--;
                return inside;
        }
        if (!take(c, "not"))
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

        while (!c->failed && take(c, word)) {
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

/* ---- sentences ---- */

/* Values up to `when`; what stands behind it into r->when. */
static size_t
head_length(const struct sentence *s)
{
        for (size_t i = 0; i < s->n_values; i++)
                if (value_at_is(s, i, "when"))
                        return i;
        return s->n_values;
}

static bool
when_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        struct cursor c = {b, s, head_length(s) + 1, 0, false};

        if (c.i > s->n_values)
                return true;
        r->when = or_parse(&c);
        if (!c.failed && now_at(&c) != NULL)
                expected(&c, "'and', 'or' or the end of the sentence");
        return !c.failed;
}

static bool
tags_compile(struct build *b, const struct sentence *s, size_t n, struct rule *r)
{
        r->tags = arena_alloc(b->a, n * sizeof *r->tags);
        for (size_t i = 0; i < n; i++) {
                if (!value_is_name(b, &s->values[i]))
                        return false;
                r->tags[r->n_tags++] = s->values[i].text;
        }
        return true;
}

static bool
skills_compile(struct build *b, const struct sentence *s, size_t n, struct rule *r)
{
        bool good = true;

        r->skills = arena_alloc(b->a, n * sizeof *r->skills);
        for (size_t i = 0; i < n; i++) {
                if (!value_skill(b, s, &s->values[i], &r->skills[r->n_skills]))
                        good = false;
                else if (r->kind == RULE_NEED)
                        names_add(
                            &b->needed, r->skills[r->n_skills++].name, s->values[i].at);
                else
                        r->n_skills++;
        }
        return good;
}

static bool
priority_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        struct guess g = GUESS_INIT;

        if (priority_parse(s->values[0].text, &r->priority))
                return true;
        for (int p = PRIORITY_LOW; p <= PRIORITY_URGENT; p++)
                guess_offer(&g, s->values[0].text, priority_name((enum priority)p));
        report_unknown(b->report, s->values[0].at, "priority", s->values[0].text, "", &g,
            (struct place){0});
        if (g.meant == NULL)
                report_advice(b->report, "%s", s->option->unit);
        return false;
}

static bool
template_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        r->template = s->values[0].text;
        r->place = s->values[0].at;
        return value_is_name(b, &s->values[0]);
}

static bool
route_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        r->route.name = s->values[0].text;
        if (s->block != NULL)
                build_block(b, s->block, &r->route);
        if (r->route.n_lines == 0) {
                r->route.lines = arena_alloc(b->a, sizeof *r->route.lines);
                r->route.lines[r->route.n_lines++] = b->c->lines[0].name;
        }
        if (b->last_route_name != NULL) {
                report_error(b->report, s->at, "this route is never reached");
                report_advice(b->report, "'%s' on %s takes everything; move it below",
                    b->last_route_name,
                    place_name(b->last_route_without, s->at.source, b->a));
                return false;
        }
        if (r->when == NULL && !s->bad) {
                b->last_route_name = r->route.name;
                b->last_route_without = s->at;
        }
        return true;
}

static enum rule_kind
rule_kind_of(const char *name)
{
        static const char *const names[] = {
            "tag", "need", "must", "priority", "acknowledge", "route"};
        size_t i = 0;

        while (strcmp(names[i], name) != 0)
                i++;
        return (enum rule_kind)i;
}

/* What stands before `when`, by kind. */
static bool
head_compile(struct build *b, const struct sentence *s, struct rule *r)
{
        size_t n = head_length(s);

        if (n == 0) {
                value_missing(b, s);
                return false;
        }
        if (n > 1 && r->kind >= RULE_PRIORITY) {
                value_surplus(b, s, &s->values[1]);
                return false;
        }
        switch (r->kind) {
        case RULE_TAG:
                return tags_compile(b, s, n, r);
        case RULE_NEED:
        case RULE_MUST:
                return skills_compile(b, s, n, r);
        case RULE_PRIORITY:
                return priority_compile(b, s, r);
        case RULE_ACKNOWLEDGE:
                return template_compile(b, s, r);
        case RULE_ROUTE:
                return route_compile(b, s, r);
        }
        return false;
}

void
rules_compile(struct build *b, const struct sentence *s)
{
        struct rules *rs = b->rules;
        struct rule r = {.kind = rule_kind_of(s->name),
            .at = place_full(s->at, b->a),
            .text = s->text,
            .priority = PRIORITY_NORMAL,
            .template = "",
            .place = s->at};
        bool good = s->bad || when_compile(b, s, &r);

        if (s->bad && r.kind != RULE_ROUTE)
                return;
        if (!good && r.kind == RULE_ROUTE && r.when == NULL)
                r.when = arena_alloc(b->a, sizeof *r.when); /* it had one */
        good = head_compile(b, s, &r) && good;
        for (size_t i = 0; i < r.n_tags; i++)
                names_add(&b->tagged, r.tags[i], s->at);
        if (!good || s->bad)
                return;
        if (r.kind == RULE_ROUTE) {
                rs->routes =
                    arena_grow(b->a, rs->routes, rs->n_routes, sizeof *rs->routes);
                rs->routes[rs->n_routes++] = r;
        } else {
                rs->rules = arena_grow(b->a, rs->rules, rs->n_rules, sizeof *rs->rules);
                rs->rules[rs->n_rules++] = r;
        }
}

/* ---- lint ---- */

static unsigned
best_level(const struct config *c, const char *skill)
{
        unsigned best = 0;

        for (size_t i = 0; i < c->n_agents; i++)
                for (size_t j = 0; j < c->agents[i].n_skills; j++)
                        if (strcmp(c->agents[i].skills[j].name, skill) == 0 &&
                            c->agents[i].skills[j].level > best)
                                best = c->agents[i].skills[j].level;
        return best;
}

static void
rule_lint(struct build *b, const struct rule *r)
{
        for (size_t i = 0; i < r->n_skills; i++) {
                const struct skill *s = &r->skills[i];

                if (best_level(b->c, s->name) >= s->level)
                        continue;
                report_warning(
                    b->report, r->place, "nobody has %s:%u", s->name, s->level);
                report_advice(b->report, "such tickets would wait for ever");
        }
}

/* The acknowledgement's default: one of the user's own may be wrong, and where
 * none is found, a warning will do: rules may say `acknowledge none`. */
static void
template_standard(struct build *b)
{
        struct err err = {0};
        const char *path;

        if (template_find(b->c, "standard", b->c->languages[0], b->a, &path, &err) ==
            -1) {
                report_warning(b->report, (struct place){0}, "%s", err.text);
                report_advice(
                    b->report, "without it nobody is told that his mail arrived");
                return;
        }
        for (size_t i = 0; i < b->c->n_languages; i++)
                if (template_check(b->c, "standard", b->c->languages[i], &err) == -1)
                        report_error(b->report, (struct place){0}, "%s", err.text);
}

/* Each template must be there and good in every language of the desk. */
void
rules_templates(struct build *b)
{
        if (!b->no_files && b->c->n_languages > 0)
                template_standard(b);
        for (size_t i = 0; i < b->rules->n_rules && !b->no_files; i++) {
                const struct rule *r = &b->rules->rules[i];

                if (r->kind != RULE_ACKNOWLEDGE || strcmp(r->template, "none") == 0)
                        continue;
                for (size_t j = 0; j < b->c->n_languages; j++) {
                        struct err err = {0};

                        if (template_check(b->c, r->template, b->c->languages[j], &err) ==
                            0)
                                continue;
                        report_error(b->report, r->place, "%s", err.text);
                        break;
                }
        }
}

static bool
line_has_agents(const struct config *c, const char *line)
{
        for (size_t i = 0; i < c->n_agents; i++)
                if (strcmp(c->agents[i].line, line) == 0)
                        return true;
        return false;
}

static void
route_lint(struct build *b, const struct rule *r)
{
        for (size_t i = 0; i < r->route.n_lines; i++)
                if (line_has_agents(b->c, r->route.lines[i]))
                        return;
        report_warning(
            b->report, r->place, "nobody is at home in the lines of this route");
        report_advice(b->report, "such tickets would wait for ever");
}

void
rules_lint(struct build *b)
{
        for (size_t i = 0; i < b->rules->n_routes && b->c->n_agents > 0; i++)
                route_lint(b, &b->rules->routes[i]);
        for (size_t i = 0; i < b->rules->n_rules; i++)
                rule_lint(b, &b->rules->rules[i]);
        if (b->needed.n > CLASS_MAX_NEEDS) {
                report_warning(b->report, b->needed.items[CLASS_MAX_NEEDS].at,
                    "up to %zu needs can meet on a ticket", b->needed.n);
                report_advice(b->report,
                    "only the first %d by the order of sentences count", CLASS_MAX_NEEDS);
        }
}
