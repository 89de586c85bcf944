/*
 * Conditions asked about one message; see condition.h. Pure. Folded text is made
 * once a message and only when some condition asks for it.
 */
#include "config/condition.h"

#include <string.h>
#include <strings.h>

#include "config/build.h"
#include "daemon/base/utf8.h"
#include "daemon/base/zone.h"

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
looked_at_init(
    struct looked_at *l, const struct config *c, const struct facts *f, struct arena *a)
{
        const struct message *m = f->message;

        memset(l, 0, sizeof *l);
        l->a = a;
        l->c = c;
        l->m = m;
        l->f = f;
        l->customer = customers_find(
            &c->customers, address_normalise(a, m->from.address), m->phone);
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

                if (strcasecmp(h->name, c->name) == 0 &&
                    text_holds(c, l, h->name, h->value, fold(l, h->value)))
                        return true;
        }
        return false;
}

/* An address (its @domain too) or a number against a list, or the values behind `is`. */
static bool
key_holds(
    const struct condition *c, struct looked_at *l, const char *label, const char *key)
{
        const char *at = strrchr(key, '@');
        bool holds = c->how == HOW_IN && list_has(c->list, key);

        for (size_t i = 0; c->how == HOW_IS && i < c->n_values && !holds; i++)
                holds = strcmp(key, c->values[i]) == 0 ||
                        (at != NULL && strcmp(at, c->values[i]) == 0);
        if (holds)
                evidence(l, label, key, strlen(key));
        return holds;
}

static bool
address_holds(const struct condition *c, struct looked_at *l, const char *label,
    const struct mail_address *who)
{
        const char *whole;

        if (c->how == HOW_IN || c->how == HOW_IS)
                return key_holds(c, l, label, address_normalise(l->a, who->address));
        whole = who->name[0] == '\0'
                    ? who->address
                    : arena_printf(l->a, "%s <%s>", who->name, who->address);
        return text_holds(c, l, label, whole, fold(l, whole));
}

/* Who wrote or called: his address, or his number. */
static bool
from_holds(const struct condition *c, struct looked_at *l)
{
        if (address_holds(c, l, "from", &l->m->from))
                return true;
        if (l->m->phone[0] == '\0')
                return false;
        if (c->how == HOW_IN || c->how == HOW_IS)
                return key_holds(c, l, "from", l->m->phone);
        return text_holds(c, l, "from", l->m->phone, l->m->phone);
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

/* A text out of a form or a table; in a list it is an address or a number. */
static bool
cell_holds(
    const struct condition *c, struct looked_at *l, const char *label, const char *text)
{
        const char *key;

        if (c->how != HOW_IN)
                return text_holds(c, l, label, text, fold(l, text));
        key = address_normalise(l->a, text);
        return key_holds(
            c, l, label, *key != '\0' ? key : phone_normalise(l->a, text, l->c->country));
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

/* ---- forms, attachments, customers, calls ---- */

static bool
field_holds(const struct condition *c, struct looked_at *l)
{
        const struct form_data *f = l->m->form;

        for (size_t i = 0; f != NULL && i < f->n_fields; i++)
                for (size_t j = 0;
                     strcmp(f->fields[i].name, c->name) == 0 && j < f->fields[i].n_values;
                     j++)
                        if (cell_holds(c, l, c->name, f->fields[i].values[j]))
                                return true;
        return false;
}

static bool
than_holds(const struct condition *c, struct looked_at *l, const char *label, int64_t n,
    const char *shown)
{
        bool holds = c->how == HOW_LESS ? n < c->than : n > c->than;

        if (holds)
                evidence(l, label, shown, strlen(shown));
        return holds;
}

static bool
attachment_holds(
    const struct condition *c, struct looked_at *l, const struct attachment *t)
{
        if (c->about == ABOUT_ATTACHMENT_NAME)
                return text_holds(c, l, "attachment name", t->name, fold(l, t->name));
        if (c->about == ABOUT_ATTACHMENT_TYPE)
                return text_holds(c, l, "attachment type", t->type, fold(l, t->type));
        return than_holds(c, l, "attachment size", t->size,
            arena_printf(l->a, "%lld bytes", (long long)t->size));
}

static bool
attachments_hold(const struct condition *c, struct looked_at *l)
{
        for (size_t i = 0; i < l->m->n_attachments; i++)
                if (attachment_holds(c, l, &l->m->attachments[i]))
                        return true;
        return false;
}

static bool
customer_holds(const struct condition *c, struct looked_at *l)
{
        const struct customer_row *r = l->customer;

        if (r == NULL)
                return false;
        if (c->about == ABOUT_CUSTOMER_COLUMN)
                return cell_holds(c, l, c->name, r->values[c->column - 1]);
        return (r->vip && word_holds(c, l, "customer", "vip")) ||
               word_holds(c, l, "customer", "known");
}

static bool
call_holds(const struct condition *c, struct looked_at *l)
{
        const struct phone_call *call = l->m->call;
        const char *other;

        if (call == NULL)
                return false;
        if (c->about == ABOUT_CALL)
                return word_holds(c, l, "call", call_result_name(call->result)) ||
                       word_holds(c, l, "call", call_direction_name(call->direction));
        if (c->about == ABOUT_CALL_DIRECTION)
                return word_holds(
                    c, l, "call direction", call_direction_name(call->direction));
        if (c->about == ABOUT_CALL_DURATION)
                return than_holds(c, l, "call duration", call->duration_s * 1000,
                    arena_printf(l->a, "%lld s", (long long)call->duration_s));
        other = call->direction == CALL_IN ? call->from : call->to;
        if (c->how == HOW_IS || c->how == HOW_IN)
                return key_holds(
                    c, l, "call number", phone_normalise(l->a, other, l->c->country));
        return text_holds(c, l, "call number", other, fold(l, other));
}

static bool
account_holds(const struct condition *c, struct looked_at *l)
{
        const char *address = address_normalise(l->a, l->m->account);

        return word_holds(c, l, "account", *address == '\0' ? l->m->account : address);
}

/* ---- counts, hours, time of day ---- */

/* Those before, and this one when it is tagged so. */
static bool
more_holds(const struct condition *c, struct looked_at *l)
{
        int64_t n = 0;
        const char *shown;

        for (size_t i = 0; i < l->f->n_counts; i++)
                if (l->f->counts[i].window_ms == c->window_ms &&
                    strcmp(l->f->counts[i].tag, c->name) == 0)
                        n = l->f->counts[i].n;
        for (size_t i = 0; i < l->n_tags; i++)
                n += strcmp(l->tags[i], c->name) == 0;
        if (n <= c->than)
                return false;
        shown = arena_printf(
            l->a, "%lld in %s", (long long)n, duration_shown(l->a, c->window_ms));
        evidence(l, arena_printf(l->a, "tagged %s", c->name), shown, strlen(shown));
        return true;
}

static bool
hours_hold(const struct condition *c, struct looked_at *l)
{
        bool open = calendar_is_open(c->hours, l->f->now_ms);

        if (open != (c->than != 0))
                return false;
        evidence(l, c->name, open ? "open" : "closed", open ? 4 : 6);
        return true;
}

static bool
time_holds(const struct condition *c, struct looked_at *l)
{
        char wall[20];
        unsigned now;

        zone_format(l->c->timezone, l->f->now_ms * 1000, wall);
        now = (unsigned)((wall[11] - '0') * 600 + (wall[12] - '0') * 60 +
                         (wall[14] - '0') * 10 + (wall[15] - '0'));
        for (size_t i = 0; i < c->n_spans; i++) {
                unsigned from = c->spans[i].from, to = c->spans[i].to;

                if (from < to ? now >= from && now < to : now >= from || now < to) {
                        evidence(l, "time", wall + 11, 5);
                        return true;
                }
        }
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
                return account_holds(c, l);
        case ABOUT_FROM:
                return from_holds(c, l);
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
        case ABOUT_KIND:
                return word_holds(c, l, "kind", message_kind_name(m->kind));
        case ABOUT_FORM:
                return m->form != NULL && word_holds(c, l, "form", m->form->name);
        case ABOUT_FIELD:
                return field_holds(c, l);
        case ABOUT_ATTACHMENT_NAME:
        case ABOUT_ATTACHMENT_TYPE:
        case ABOUT_ATTACHMENT_SIZE:
                return attachments_hold(c, l);
        case ABOUT_CUSTOMER:
        case ABOUT_CUSTOMER_COLUMN:
                return customer_holds(c, l);
        case ABOUT_CALL:
        case ABOUT_CALL_DIRECTION:
        case ABOUT_CALL_NUMBER:
        case ABOUT_CALL_DURATION:
                return call_holds(c, l);
        case ABOUT_TAGGED:
                return tagged_holds(c, l);
        case ABOUT_PRIORITY:
                return word_holds(c, l, "priority", priority_name(l->priority));
        case ABOUT_MORE:
                return more_holds(c, l);
        case ABOUT_HOURS:
                return hours_hold(c, l);
        case ABOUT_TIME:
                return time_holds(c, l);
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
