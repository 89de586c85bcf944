/*
 * helpline explain key=value ...: a message out of words, for who asks "what if".
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/explain.h"

enum word {
        WORD_CHANNEL,
        WORD_ACCOUNT,
        WORD_FORM,
        WORD_PHONE,
        WORD_CALL,
        WORD_DIRECTION,
        WORD_NUMBER,
        WORD_CALLED,
        WORD_DURATION,
        WORD_NAME,
        WORD_FROM,
        WORD_TO,
        WORD_CC,
        WORD_SUBJECT,
        WORD_TEXT,
        WORD_LANGUAGE,
        N_WORDS
};
static const char *const names[N_WORDS] = {"channel", "account", "form", "phone", "call",
    "direction", "number", "called", "duration", "name", "from", "to", "cc", "subject",
    "text", "language"};

struct words {
        const char *value[N_WORDS]; /* NULL not given */
        struct form_part *fields; /* field.NAME=VALUE, in order */
        size_t n_fields;
        struct header *headers; /* header.NAME=VALUE */
        size_t n_headers;
};

/* ---- reading them ---- */

static int
word_find(const char *key, size_t n)
{
        for (int i = 0; i < N_WORDS; i++)
                if (strlen(names[i]) == n && strncmp(names[i], key, n) == 0)
                        return i;
        return -1;
}

static bool
word_is_of(const char *word, const char *prefix, const char *equals)
{
        size_t n = strlen(prefix);

        return strncmp(word, prefix, n) == 0 && word + n < equals;
}

/* A file may be called so, too: then it is the file. */
bool
explain_is_words(int n, char **words)
{
        for (int i = 0; i < n; i++) {
                size_t key = strcspn(words[i], "=/");

                if (key == 0 || words[i][key] != '=')
                        return false;
        }
        return n > 1 || (n == 1 && access(words[0], F_OK) == -1);
}

static void
words_add_field(struct words *w, struct arena *a, const char *name, const char *value)
{
        struct form_part *p;

        w->fields = arena_grow(a, w->fields, w->n_fields, sizeof *w->fields);
        p = &w->fields[w->n_fields++];
        memset(p, 0, sizeof *p);
        p->name = name;
        p->value = value;
        p->len = strlen(value);
        p->filename = p->type = "";
        p->index = (unsigned)w->n_fields;
}

static void
words_add_header(struct words *w, struct arena *a, const char *name, const char *value)
{
        w->headers = arena_grow(a, w->headers, w->n_headers, sizeof *w->headers);
        w->headers[w->n_headers++] = (struct header){name, value};
}

static int
word_unknown(struct arena *a, const char *word, size_t n, struct err *err)
{
        const char *all = "";

        for (int i = 0; i < N_WORDS; i++)
                all = arena_printf(a, "%s%s ", all, names[i]);
        return err_set(err, ERR_CONFIG,
            "unknown word '%.*s=': known are %sfield.NAME header.NAME", (int)n, word,
            all);
}

static int
words_read(struct words *w, struct arena *a, int n, char **argv, struct err *err)
{
        for (int i = 0; i < n; i++) {
                const char *equals = strchr(argv[i], '=');
                size_t len = (size_t)(equals - argv[i]);
                int word = word_find(argv[i], len);

                if (word_is_of(argv[i], "field.", equals))
                        words_add_field(w, a, arena_strndup(a, argv[i] + 6, len - 6),
                            arena_strdup(a, equals + 1));
                else if (word_is_of(argv[i], "header.", equals))
                        words_add_header(w, a, arena_strndup(a, argv[i] + 7, len - 7),
                            arena_strdup(a, equals + 1));
                else if (word == -1)
                        return word_unknown(a, argv[i], len, err);
                else if (w->value[word] != NULL)
                        return err_set(
                            err, ERR_CONFIG, "%s= stands there twice", names[word]);
                else
                        w->value[word] = arena_strdup(a, equals + 1);
        }
        return 0;
}

static const char *
words_or(const struct words *w, enum word word, const char *otherwise)
{
        return w->value[word] != NULL ? w->value[word] : otherwise;
}

/* Which of two words it is: its index, or -1. */
static int
word_choose(const struct words *w, enum word word, const char *const choices[2],
    int otherwise, struct err *err)
{
        const char *s = w->value[word];

        if (s == NULL)
                return otherwise;
        for (int i = 0; i < 2; i++)
                if (strcmp(s, choices[i]) == 0)
                        return i;
        return err_set(err, ERR_CONFIG, "%s=%.40s: expected %s or %s", names[word], s,
            choices[0], choices[1]);
}

/* ---- a form ---- */

static const struct field_options *
field_find(const struct form_options *f, const char *name)
{
        for (size_t i = 0; i < f->n_fields; i++)
                if (strcmp(f->fields[i].name, name) == 0)
                        return &f->fields[i];
        return NULL;
}

static int
words_check_fields(
    struct words *w, const struct form_options *f, struct arena *a, struct err *err)
{
        for (size_t i = 0; i < w->n_fields; i++) {
                struct form_part *p = &w->fields[i];
                const struct field_options *o = field_find(f, p->name);
                const char *all = "";

                if (o != NULL && o->type == FIELD_FILES) {
                        p->is_file = true;
                        p->filename = p->value;
                        p->type = "application/octet-stream";
                        p->size = 1;
                }
                if (o != NULL)
                        continue;
                for (size_t k = 0; k < f->n_fields; k++)
                        all = arena_printf(a, "%s %s", all, f->fields[k].name);
                return err_set(err, ERR_CONFIG, "form %s has no field '%.60s': it has%s",
                    f->name, p->name, all);
        }
        return 0;
}

static int
words_form(struct explained *x, struct words *w, struct err *err)
{
        const struct form_options *f =
            explain_find_form(x->config, w->value[WORD_FORM], err);

        if (f == NULL || words_check_fields(w, f, x->a, err) == -1)
                return -1;
        return explain_form_parts(x, f, w->fields, w->n_fields,
            words_or(w, WORD_LANGUAGE, x->config->languages[0]), false);
}

/* ---- a call ---- */

static int
words_call(struct explained *x, const struct words *w, struct err *err)
{
        static const char *const results[2] = {"missed", "answered"};
        static const char *const directions[2] = {"in", "out"};
        const struct phone_options *o =
            explain_find_phone(x->config, w->value[WORD_PHONE], err);
        int result = word_choose(w, WORD_CALL, results, 0, err);
        int direction = word_choose(w, WORD_DIRECTION, directions, 0, err);
        const char *country = x->config->country, *number, *called;
        struct phone_call c = {.id = ""};

        if (o == NULL || result == -1 || direction == -1)
                return -1;
        number = phone_normalise(x->a, words_or(w, WORD_NUMBER, ""), country);
        called = phone_normalise(
            x->a, words_or(w, WORD_CALLED, o->n_ours > 0 ? o->ours[0] : ""), country);
        c.from = direction == 0 ? number : called;
        c.to = direction == 0 ? called : number;
        c.name = words_or(w, WORD_NAME, "");
        c.direction = direction == 0 ? CALL_IN : CALL_OUT;
        c.result = result == 0 ? CALL_MISSED : CALL_ANSWERED;
        c.duration_s = strtoll(words_or(w, WORD_DURATION, "30"), NULL, 10);
        c.started_at_us = clock_now_us() - c.duration_s * 1000000;
        c.ended_at_us = clock_now_us();
        c.answered_at_us = c.result == CALL_ANSWERED ? c.started_at_us : 0;
        explain_call(x, o, &c,
            c.result == CALL_MISSED && c.duration_s * 1000 < o->short_ms,
            words_or(w, WORD_TEXT, ""));
        return 0;
}

/* ---- a mail ---- */

/* "Ivan <ivan@a.example>" or the address alone. */
static struct mail_address
address_of(struct arena *a, const char *text)
{
        const char *open = strrchr(text, '<');
        size_t n = open == NULL ? 0 : (size_t)(open - text);

        while (n > 0 && text[n - 1] == ' ')
                n--;
        return (struct mail_address){arena_strndup(a, text, n),
            open == NULL ? arena_strdup(a, text)
                         : arena_strndup(a, open + 1, strcspn(open + 1, ">"))};
}

static void
words_add_address(
    struct arena *a, struct mail_address **list, size_t *n, const char *text)
{
        if (text == NULL)
                return;
        *list = arena_alloc(a, sizeof **list);
        (*list)[0] = address_of(a, text);
        *n = 1;
}

static void
words_mail(struct explained *x, const struct words *w)
{
        const struct config *c = x->config;
        struct message *m = message_new();
        const char *account = c->n_mails > 0 ? c->mails[0].address : "";

        x->message = m;
        x->makes_ticket = true;
        m->channel = "email";
        m->account = arena_strdup(m->arena, words_or(w, WORD_ACCOUNT, account));
        words_add_address(m->arena, &m->to, &m->n_to, words_or(w, WORD_TO, m->account));
        words_add_address(m->arena, &m->cc, &m->n_cc, w->value[WORD_CC]);
        m->headers = w->headers;
        m->n_headers = w->n_headers;
}

/* What may be said of any of them. */
static void
words_common(const struct explained *x, const struct words *w)
{
        struct message *m = x->message;
        struct arena *a = m->arena;
        const char *text;

        if (w->value[WORD_FROM] != NULL)
                m->from = address_of(a, w->value[WORD_FROM]);
        if (w->value[WORD_NAME] != NULL)
                m->from.name = arena_strdup(a, w->value[WORD_NAME]);
        if (w->value[WORD_NUMBER] != NULL && *m->phone == '\0')
                m->phone = phone_normalise(a, w->value[WORD_NUMBER], x->config->country);
        if (w->value[WORD_SUBJECT] != NULL)
                m->subject = arena_strdup(a, w->value[WORD_SUBJECT]);
        if (w->value[WORD_TEXT] != NULL && m->kind != MESSAGE_CALL)
                m->text = arena_strdup(a, w->value[WORD_TEXT]);
        text = *m->text != '\0' ? m->text : m->subject;
        if (w->value[WORD_LANGUAGE] != NULL)
                m->language = arena_strdup(a, w->value[WORD_LANGUAGE]);
        else if (*m->language == '\0')
                m->language = utf8_language(text, strlen(text));
}

/* The channel: said, or told by what only one of them has. */
static const char *
words_channel(const struct words *w, struct err *err)
{
        bool form = w->value[WORD_FORM] != NULL || w->n_fields > 0;
        bool call = w->value[WORD_CALL] != NULL || w->value[WORD_PHONE] != NULL;
        const char *told = form ? "web" : call ? "phone" : "email";
        const char *said = words_or(w, WORD_CHANNEL, told);

        if (strcmp(said, "email") != 0 && strcmp(said, "web") != 0 &&
            strcmp(said, "phone") != 0) {
                err_set(
                    err, ERR_CONFIG, "channel=%.40s: expected email, web or phone", said);
                return NULL;
        }
        if ((form && call) || ((form || call) && strcmp(said, told) != 0)) {
                err_set(err, ERR_CONFIG,
                    "these words are of different channels: form= and field. are web's, "
                    "call= and phone= are phone's");
                return NULL;
        }
        return said;
}

int
explain_words(struct explained *x, int n, char **words, struct err *err)
{
        struct words w = {.fields = NULL};
        const char *channel;

        if (words_read(&w, x->a, n, words, err) == -1 ||
            (channel = words_channel(&w, err)) == NULL)
                return -1;
        if (strcmp(channel, "web") == 0) {
                if (words_form(x, &w, err) == -1)
                        return -1;
        } else if (strcmp(channel, "phone") == 0) {
                if (words_call(x, &w, err) == -1)
                        return -1;
        } else {
                words_mail(x, &w);
        }
        words_common(x, &w);
        return 0;
}
