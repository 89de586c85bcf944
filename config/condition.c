/*
 * Conditions asked about one message; see condition.h. Pure. Folded text is made
 * once a message and only when some condition asks for it.
 */
#include "config/condition.h"

#include <string.h>
#include <strings.h>

#include "daemon/base/utf8.h"

#define EVIDENCE_CHARS 80u
#define EVIDENCE_MAX 8u

static const char *
cut(struct arena *a, const char *s)
{
        size_t n = strlen(s);

        return n <= LOOKED_AT_MAX ? s
                                  : arena_strndup(a, s, utf8_cut(s, n, LOOKED_AT_MAX));
}

void
looked_at_init(struct looked_at *l, const struct message *m, struct arena *a)
{
        memset(l, 0, sizeof *l);
        l->a = a;
        l->m = m;
        l->subject = cut(a, m->subject);
        l->text = cut(a, m->text);
        l->priority = PRIORITY_NORMAL;
        l->patterns_left_us = PATTERNS_US;
}

/* "subject: ВПН": what a condition held on, in one line. */
static void
evidence(struct looked_at *l, const char *label, const char *s, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t n_chars = 0, used;

        if (l->n_on >= EVIDENCE_MAX)
                return;
        buf_addf(&b, "%s: ", label);
        for (size_t i = 0; i < n && n_chars < EVIDENCE_CHARS; i += used, n_chars++) {
                uint32_t cp = utf8_next(s + i, n - i, &used);

                utf8_add(&b, cp < ' ' || cp == 0x7f ? ' ' : cp);
        }
        if (n_chars == EVIDENCE_CHARS)
                buf_adds(&b, "…");
        l->on = arena_grow(l->a, l->on, l->n_on, sizeof *l->on);
        l->on[l->n_on++] = arena_strndup(l->a, b.data, b.len);
}

static const char *
fold(struct looked_at *l, const char *s)
{
        return utf8_fold(l->a, s, strlen(s));
}

/* Bytes of the first n characters of s. Folding keeps the number of characters,
 * so a place in folded text is found again in what was written. */
static size_t
bytes_of_chars(const char *s, size_t n)
{
        size_t len = strlen(s), i = 0, used;

        for (; n > 0 && i < len; n--, i += used)
                utf8_next(s + i, len - i, &used);
        return i;
}

static bool
text_contains(struct looked_at *l, const char *label, const char *text,
    const char *folded, const char *word)
{
        const char *at = strstr(folded, word);
        size_t from, n;

        if (at == NULL)
                return false;
        from = bytes_of_chars(text, utf8_length(folded, (size_t)(at - folded)));
        n = bytes_of_chars(text + from, utf8_length(word, strlen(word)));
        evidence(l, label, text + from, n);
        return true;
}

static bool
text_matches(
    struct looked_at *l, const char *label, const char *text, const struct pattern *p)
{
        size_t from, to;

        switch (pattern_find(p, text, strlen(text), &l->patterns_left_us, &from, &to)) {
        case PATTERN_YES:
                evidence(l, label, text + from, to - from);
                return true;
        case PATTERN_GAVE_UP:
                l->gave_up = true;
                evidence(l, label, "(the pattern takes too much work on this text)", 46);
                return false;
        case PATTERN_NO:
                break;
        }
        return false;
}

/* One text against all values of the condition. folded is made by the caller. */
static bool
text_holds(const struct condition *c, struct looked_at *l, const char *label,
    const char *text, const char *folded)
{
        if (c->how == HOW_MATCHES)
                return text_matches(l, label, text, c->pattern);
        for (size_t i = 0; i < c->n_values; i++) {
                if (c->how == HOW_CONTAINS &&
                    text_contains(l, label, text, folded, c->values[i]))
                        return true;
                if (c->how == HOW_IS && strcmp(folded, c->values[i]) == 0) {
                        evidence(l, label, text, strlen(text));
                        return true;
                }
        }
        return false;
}

static bool
subject_holds(const struct condition *c, struct looked_at *l)
{
        if (l->subject_folded == NULL)
                l->subject_folded = fold(l, l->subject);
        return text_holds(c, l, "subject", l->subject, l->subject_folded);
}

static bool
body_holds(const struct condition *c, struct looked_at *l)
{
        if (l->text_folded == NULL)
                l->text_folded = fold(l, l->text);
        return text_holds(c, l, "text", l->text, l->text_folded);
}

static bool
header_holds(const struct condition *c, struct looked_at *l)
{
        for (size_t i = 0; i < l->m->n_headers; i++) {
                const struct header *h = &l->m->headers[i];

                if (strcasecmp(h->name, c->header) == 0 &&
                    text_holds(c, l, h->name, h->value, fold(l, h->value)))
                        return true;
        }
        return false;
}

static bool
address_holds(const struct condition *c, struct looked_at *l, const char *label,
    const struct mail_address *who)
{
        const char *address = address_normalise(l->a, who->address), *whole;
        const char *at = strrchr(address, '@');

        if (c->how == HOW_IN) {
                if (!list_has(c->list, address))
                        return false;
                evidence(l, label, address, strlen(address));
                return true;
        }
        for (size_t i = 0; c->how == HOW_IS && i < c->n_values; i++)
                if (strcmp(address, c->values[i]) == 0 ||
                    (at != NULL && strcmp(at, c->values[i]) == 0)) {
                        evidence(l, label, address, strlen(address));
                        return true;
                }
        if (c->how == HOW_IS)
                return false;
        whole = who->name[0] == '\0'
                    ? who->address
                    : arena_printf(l->a, "%s <%s>", who->name, who->address);
        return text_holds(c, l, label, whole, fold(l, whole));
}

static bool
addresses_hold(const struct condition *c, struct looked_at *l, const char *label,
    const struct mail_address *who, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (address_holds(c, l, label, &who[i]))
                        return true;
        return false;
}

/* One word against the words of the condition. */
static bool
word_holds(
    const struct condition *c, struct looked_at *l, const char *label, const char *word)
{
        for (size_t i = 0; i < c->n_values; i++)
                if (strcmp(c->values[i], word) == 0) {
                        evidence(l, label, word, strlen(word));
                        return true;
                }
        return false;
}

static bool
tagged_holds(const struct condition *c, struct looked_at *l)
{
        for (size_t i = 0; i < l->n_tags; i++)
                if (word_holds(c, l, "tag", l->tags[i]))
                        return true;
        return false;
}

static bool
test_holds(const struct condition *c, struct looked_at *l)
{
        const struct message *m = l->m;

        switch (c->about) {
        case ABOUT_CHANNEL:
                return word_holds(c, l, "channel", m->channel);
        case ABOUT_ACCOUNT:
                return word_holds(c, l, "account", address_normalise(l->a, m->account));
        case ABOUT_FROM:
                return address_holds(c, l, "from", &m->from);
        case ABOUT_TO:
                return addresses_hold(c, l, "to", m->to, m->n_to);
        case ABOUT_CC:
                return addresses_hold(c, l, "cc", m->cc, m->n_cc);
        case ABOUT_SUBJECT:
                return subject_holds(c, l);
        case ABOUT_TEXT:
                return subject_holds(c, l) || body_holds(c, l);
        case ABOUT_HEADER:
                return header_holds(c, l);
        case ABOUT_LANGUAGE:
                return word_holds(c, l, "language", m->language);
        case ABOUT_TAGGED:
                return tagged_holds(c, l);
        case ABOUT_PRIORITY:
                return word_holds(c, l, "priority", priority_name(l->priority));
        }
        return false;
}

static bool
not_holds(const struct condition *c, struct looked_at *l)
{
        size_t n_on = l->n_on;
        bool holds = condition_holds(c->left, l);

        if (holds)
                l->n_on = n_on; /* what holds under a `not` is no evidence for it */
        return !holds;
}

static bool
and_holds(const struct condition *c, struct looked_at *l)
{
        size_t n_on = l->n_on;

        if (condition_holds(c->left, l) && condition_holds(c->right, l))
                return true;
        l->n_on = n_on; /* the left side alone is no evidence */
        return false;
}

bool
condition_holds(const struct condition *c, struct looked_at *l)
{
        switch (c->kind) {
        case CONDITION_AND:
                return and_holds(c, l);
        case CONDITION_OR:
                return condition_holds(c->left, l) || condition_holds(c->right, l);
        case CONDITION_NOT:
                return not_holds(c, l);
        case CONDITION_TEST:
                return test_holds(c, l);
        }
        return false;
}
