/*
 * Tests of the rules, read: a message out of the sentences of a block; see trial.h. What is
 * expected of it is in trial_expect.c, the asking in trial_run.c.
 */
#include "config/trial.h"

#include <string.h>

#include "config/hours.h"
#include "daemon/base/utf8.h"
#include "daemon/base/zone.h"

/* ---- words ---- */

/* So many values, no more, no less than `least`. */
static bool
takes(struct build *b, const struct sentence *s, size_t least, size_t most)
{
        if (s->n_values < least)
                value_missing(b, s);
        else if (s->n_values > most)
                value_surplus(b, s, &s->values[most]);
        else
                return true;
        return false;
}

static bool
one_of(struct build *b, const struct sentence *s, const struct value *v,
    const char *const *words, size_t n, size_t *out)
{
        struct guess g = GUESS_INIT;

        for (*out = 0; *out < n; ++*out) {
                if (strcmp(words[*out], v->text) == 0)
                        return true;
                guess_offer(&g, v->text, words[*out]);
        }
        value_wrong(b, s, v);
        if (g.meant != NULL)
                report_advice(b->report, "did you mean '%s'?", g.meant);
        return false;
}

/* ---- when ---- */

static bool
clock_read(const char *s)
{
        return strlen(s) == 5 && s[2] == ':' && strspn(s, "0123456789") == 2 &&
               strspn(s + 3, "0123456789") == 2 && strcmp(s, "24") < 0 && s[3] < '6';
}

static void
at_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        int32_t day;

        if (s->n_values > 2 || s->n_values < 1) {
                takes(b, s, 1, 2);
                return;
        }
        if (!date_read(s->values[0].text, &day)) {
                value_wrong(b, s, &s->values[0]);
                report_advice(b->report, "at 2026-11-24 23:10");
                return;
        }
        if (s->n_values < 2 || !clock_read(s->values[1].text)) {
                if (s->n_values < 2)
                        report_error(b->report, place_after(s->values[0].at),
                            "a time of day is missing");
                else
                        value_wrong(b, s, &s->values[1]);
                report_advice(b->report, "at 2026-11-24 23:10");
                return;
        }
        t->day = s->values[0].text;
        t->time = s->values[1].text;
}

/* The first moment at which the desk's wall shows it. */
static int64_t
trial_now_ms(const struct build *b, const struct trial *t)
{
        int32_t day = 0;
        int64_t local_s;

        date_read(t->day, &day);
        local_s = day * 86400LL + ((t->time[0] - '0') * 10 + t->time[1] - '0') * 3600 +
                  ((t->time[3] - '0') * 10 + t->time[4] - '0') * 60;
        return zone_first_s(zone_find(b->c->timezone), local_s) * 1000;
}

/* ---- who ---- */

static void
from_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        const char *number;

        if (!takes(b, s, 1, 2))
                return;
        if (number_take(b, s->values[0].text, &number))
                t->m->phone = number;
        else if (!value_address(b, s, &s->values[0], &t->m->from.address))
                return;
        if (s->n_values == 2)
                t->m->from.name = s->values[1].text;
}

static void
addresses_sentence(
    struct build *b, const struct sentence *s, struct mail_address **list, size_t *n)
{
        if (s->n_values == 0)
                value_missing(b, s);
        for (size_t i = 0; i < s->n_values; i++) {
                struct mail_address one = {"", ""};

                if (!value_address(b, s, &s->values[i], &one.address))
                        continue;
                *list = arena_grow(b->a, *list, *n, sizeof **list);
                (*list)[(*n)++] = one;
        }
}

/* customer vip; customer known; customer COLUMN VALUE */
static void
customer_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        const struct customers_file *f = &b->c->customers;
        struct customer_row *row = t->customer;
        size_t column;

        if (!takes(b, s, 1, 2))
                return;
        if (b->customers == NULL) {
                report_error(b->report, s->at, "there is no customers file");
                report_advice(b->report, "customers file \"customers.csv\"");
                return;
        }
        if (row == NULL) {
                row = t->customer = arena_alloc(b->a, sizeof *row);
                row->address = row->phone = row->name = row->organisation = "";
                row->manager = "";
                row->values = arena_alloc(b->a, (f->n_columns + 1) * sizeof *row->values);
                for (size_t i = 0; i < f->n_columns; i++)
                        row->values[i] = "";
        }
        if (s->n_values == 1) {
                static const char *const words[] = {"vip", "known"};
                size_t which;

                if (one_of(b, s, &s->values[0], words, 2, &which))
                        row->vip = row->vip || which == 0;
                return;
        }
        column = customers_column(b, s->values[0].text);
        if (column == 0) {
                value_wrong(b, s, &s->values[0]);
                report_advice(b->report, "its columns: %s", customers_columns_shown(b));
                return;
        }
        row->values[column - 1] = s->values[1].text;
}

/* ---- how it came ---- */

static void
channel_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        static const char *const channels[] = {"email", "web", "phone"};
        size_t which;

        if (takes(b, s, 1, 1) && one_of(b, s, &s->values[0], channels, 3, &which))
                t->m->channel = channels[which];
}

static void
language_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        if (!takes(b, s, 1, 1))
                return;
        if (language_is_code(s->values[0].text))
                t->m->language = s->values[0].text;
        else
                value_wrong(b, s, &s->values[0]);
}

static void
kind_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        if (!takes(b, s, 1, 1))
                return;
        t->has_kind = message_kind_parse(s->values[0].text, &t->m->kind);
        if (!t->has_kind)
                value_wrong(b, s, &s->values[0]);
}

static void
form_sentence_of(struct build *b, const struct sentence *s, struct trial *t)
{
        const struct form_options *f;

        if (!takes(b, s, 1, 1))
                return;
        f = config_form(b->c, s->values[0].text);
        if (f == NULL) {
                names_unknown(
                    &b->forms, b->report, s->values[0].at, "form", s->values[0].text);
                return;
        }
        t->form = f;
        t->m->form =
            t->m->form == NULL ? arena_alloc(b->a, sizeof *t->m->form) : t->m->form;
        t->m->form->name = f->name;
}

/* field NAME VALUE… */
static void
field_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        struct form_data *f = t->m->form;
        struct form_field field = {"", "", NULL, 0};

        if (s->n_values < 2) {
                value_missing(b, s);
                return;
        }
        if (names_find(&b->form_fields, s->values[0].text) == NULL) {
                names_unknown(&b->form_fields, b->report, s->values[0].at, "field",
                    s->values[0].text);
                return;
        }
        if (f == NULL)
                f = t->m->form = arena_alloc(b->a, sizeof *f);
        field.name = s->values[0].text;
        field.values = arena_alloc(b->a, s->n_values * sizeof *field.values);
        for (size_t i = 1; i < s->n_values; i++)
                field.values[field.n_values++] = s->values[i].text;
        f->fields = arena_grow(b->a, f->fields, f->n_fields, sizeof *f->fields);
        f->fields[f->n_fields++] = field;
}

/* call missed; call answered out 3m */
static void
call_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        static const char *const words[] = {"answered", "missed", "in", "out"};
        struct phone_call *call = arena_alloc(b->a, sizeof *call);
        size_t which;
        int64_t ms = 0;

        if (!takes(b, s, 1, 3))
                return;
        *call = (struct phone_call){
            .id = "", .from = "", .to = "", .name = "", .result = CALL_ANSWERED};
        for (size_t i = 0; i < s->n_values; i++) {
                const struct value *v = &s->values[i];

                if (v->text[0] >= '0' && v->text[0] <= '9' && duration_read(v->text, &ms))
                        call->duration_s = ms / 1000;
                else if (!one_of(b, s, v, words, 4, &which))
                        return;
                else if (which < 2)
                        call->result = which == 0 ? CALL_ANSWERED : CALL_MISSED;
                else
                        call->direction = which == 2 ? CALL_IN : CALL_OUT;
        }
        t->m->call = call;
}

static void
header_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        struct message *m = t->m;

        if (s->n_values < 2 || s->n_values > 2) {
                takes(b, s, 2, 2);
                return;
        }
        m->headers = arena_grow(b->a, m->headers, m->n_headers, sizeof *m->headers);
        m->headers[m->n_headers++] =
            (struct header){s->values[0].text, s->values[1].text};
}

/* attachment "photo.jpg" image/jpeg 5MB */
static void
attachment_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        struct message *m = t->m;
        struct attachment file = {"2", "", "", 0, "", false};
        uint64_t bytes = 0;

        if (!takes(b, s, 1, 3))
                return;
        file.name = s->values[0].text;
        if (s->n_values > 1)
                file.type = s->values[1].text;
        if (s->n_values > 2 && !size_read(s->values[2].text, &bytes)) {
                value_wrong(b, s, &s->values[2]);
                report_advice(b->report, "attachment \"photo.jpg\" image/jpeg 5MB");
                return;
        }
        file.size = (int64_t)bytes;
        m->attachments =
            arena_grow(b->a, m->attachments, m->n_attachments, sizeof *m->attachments);
        m->attachments[m->n_attachments++] = file;
}

/* tagged vpn 10: so many were, just now */
static void
tagged_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        const struct tag_window *w;
        size_t n = rules_windows(b->c, &w);
        int64_t count;

        if (!takes(b, s, 2, 2))
                return;
        if (names_find(&b->tags, s->values[0].text) == NULL) {
                names_unknown(
                    &b->tags, b->report, s->values[0].at, "tag", s->values[0].text);
                return;
        }
        if (!number_read(s->values[1].text, 1000000, &count)) {
                value_wrong(b, s, &s->values[1]);
                report_advice(b->report, "tagged vpn 10");
                return;
        }
        for (size_t i = 0; i < n; i++) {
                if (strcmp(w[i].tag, s->values[0].text) != 0)
                        continue;
                t->counts = arena_grow(b->a, t->counts, t->n_counts, sizeof *t->counts);
                t->counts[t->n_counts++] =
                    (struct tag_count){w[i].tag, w[i].ms, (unsigned)count};
        }
}

static void
account_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        const char *text = s->n_values == 0 ? "" : s->values[0].text;

        if (!takes(b, s, 1, 1))
                return;
        if (config_mail(b->c, text) != NULL ||
            (strncmp(text, "web:", 4) == 0 && config_form(b->c, text + 4) != NULL) ||
            (strncmp(text, "phone:", 6) == 0 && config_phone(b->c, text + 6) != NULL)) {
                t->m->account = text;
                return;
        }
        value_wrong(b, s, &s->values[0]);
        report_advice(b->report, "a mail account, web:FORM or phone:NAME");
}

static void
text_sentence(struct build *b, const struct sentence *s, const char **out)
{
        if (takes(b, s, 1, 1))
                *out = s->values[0].text;
}

/* ---- the block ---- */

void
trial_sentence(struct build *b, const struct sentence *s, struct trial *t)
{
        static const struct {
                const char *name;
                void (*take)(struct build *, const struct sentence *, struct trial *);
        } words[] = {{"at", at_sentence}, {"from", from_sentence},
            {"customer", customer_sentence}, {"channel", channel_sentence},
            {"account", account_sentence}, {"language", language_sentence},
            {"kind", kind_sentence}, {"form", form_sentence_of},
            {"field", field_sentence}, {"call", call_sentence},
            {"header", header_sentence}, {"attachment", attachment_sentence},
            {"tagged", tagged_sentence}, {"expect", expect_sentence}};

        if (s->bad)
                return;
        if (strcmp(s->name, "subject") == 0)
                text_sentence(b, s, &t->m->subject);
        else if (strcmp(s->name, "text") == 0)
                text_sentence(b, s, &t->m->text);
        else if (strcmp(s->name, "to") == 0)
                addresses_sentence(b, s, &t->m->to, &t->m->n_to);
        else if (strcmp(s->name, "cc") == 0)
                addresses_sentence(b, s, &t->m->cc, &t->m->n_cc);
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (strcmp(words[i].name, s->name) == 0)
                        words[i].take(b, s, t);
}

/* What was not said: the channel, the kind, the account, who it is from, the language. */
static void
trial_complete(struct build *b, struct trial *t)
{
        struct message *m = t->m;
        const struct config *c = b->c;
        const char *text = *m->text != '\0' ? m->text : m->subject;

        t->now_ms = trial_now_ms(b, t);
        if (*m->channel == '\0')
                m->channel = m->form != NULL   ? "web"
                             : m->call != NULL ? "phone"
                                               : "email";
        if (!t->has_kind)
                m->kind = m->form != NULL   ? MESSAGE_FORM
                          : m->call != NULL ? MESSAGE_CALL
                                            : MESSAGE_MESSAGE;
        if (*m->account == '\0' && t->form != NULL)
                m->account = t->form->account;
        else if (*m->account == '\0' && m->call != NULL && c->n_phones > 0)
                m->account = c->phones[0].account;
        else if (*m->account == '\0' && c->n_mails > 0)
                m->account = c->mails[0].address;
        for (size_t i = 0; m->form != NULL && i < m->form->n_fields; i++)
                if (*m->from.address == '\0' &&
                    strchr(m->form->fields[i].values[0], '@') != NULL)
                        m->from.address = m->form->fields[i].values[0];
        if (m->call != NULL) {
                m->call->from = m->call->direction == CALL_IN ? m->phone : "";
                m->call->to = m->call->direction == CALL_IN ? "" : m->phone;
        }
        if (*m->language == '\0')
                m->language = utf8_language(text, strlen(text));
}

/* A record whose memory is the configuration's. */
static struct message *
trial_message(struct build *b)
{
        struct message *m = arena_alloc(b->a, sizeof *m), *empty = message_new();

        *m = *empty; /* its strings are literals: "" */
        m->arena = b->a;
        m->channel = m->account = m->subject = m->text = m->language = m->phone = "";
        m->from = (struct mail_address){"", ""};
        message_free(&empty);
        return m;
}

/* Something is expected, or what was meant so was told to be wrong. */
static bool
expects_anything(const struct block *block)
{
        for (size_t i = 0; i < block->n_sentences; i++)
                if (block->sentences[i].bad ||
                    strcmp(block->sentences[i].name, "expect") == 0)
                        return true;
        return false;
}

void
trial_compile(struct build *b, const struct sentence *s)
{
        struct rules *rs = b->rules;
        struct trial *t = arena_alloc(b->a, sizeof *t);

        *t = (struct trial){
            .name = "", .place = s->at, .day = TRIAL_DAY, .time = TRIAL_TIME};
        t->m = trial_message(b);
        if (s->n_values != 1)
                takes(b, s, 1, 1);
        else
                t->name = s->values[0].text;
        if (s->block == NULL && !s->bad && s->n_values > 0) {
                report_error(b->report, s->at, "a test without a block tests nothing");
                report_advice(b->report,
                    "test \"name\" { from a@b.example; expect route general }");
        }
        if (s->block == NULL)
                return;
        build_block(b, s->block, t);
        if (t->n_expects == 0 && !expects_anything(s->block)) {
                report_error(b->report, s->at, "this test expects nothing");
                report_advice(b->report, "expect route general");
        }
        trial_complete(b, t);
        rs->trials = arena_grow(b->a, rs->trials, rs->n_trials, sizeof *rs->trials);
        rs->trials[rs->n_trials++] = t;
}
