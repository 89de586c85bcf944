/*
 * Web forms: fields, faults, messages; see web_form.h. All but the channel at the end
 * is pure.
 *
 * The channel keeps a short list of deliveries that somebody waits for. A settlement
 * for one that is not there any more does nothing: the message is stored, and who sends
 * it again is told the same ticket.
 */
#include "channels/web_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "channels/spool.h"
#include "daemon/base/clock.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"
#include "daemon/base/utf8.h"

#define SUBJECT_MAX 120
#define JSON_VALUES_MAX 200
#define FILENAME_MAX_BYTES 200

/* ---- words ---- */

struct words {
        const char *ru, *en;
};

static const char *
pick(const struct words *w, const char *language)
{
        return strcmp(language, "ru") == 0 ? w->ru : w->en;
}

static const struct {
        const char *name;
        struct words label;
} usual[] = {
    {"name", {"Имя", "Name"}},
    {"email", {"Электронная почта", "Email"}},
    {"phone", {"Телефон", "Phone"}},
    {"subject", {"Тема", "Subject"}},
    {"message", {"Сообщение", "Message"}},
    {"text", {"Сообщение", "Message"}},
    {"files", {"Файлы", "Files"}},
    {"file", {"Файл", "File"}},
    {"product", {"Изделие", "Product"}},
    {"company", {"Организация", "Company"}},
    {"order", {"Номер заказа", "Order number"}},
    {"date", {"Дата", "Date"}},
    {"consent", {"Согласие", "Consent"}},
};

const char *
web_form_label(const struct field_options *f, const char *language)
{
        const char *any = NULL;

        for (size_t i = 0; i < f->n_labels; i++) {
                if (strcmp(f->labels[i].language, language) == 0)
                        return f->labels[i].text;
                if (any == NULL || *f->labels[i].language == '\0')
                        any = f->labels[i].text;
        }
        if (any != NULL)
                return any;
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
                if (strcmp(usual[i].name, f->name) == 0)
                        return pick(&usual[i].label, language);
        return f->name;
}

/* ---- values ---- */

static bool
is_blank(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strchr(" \t\r\n", s[i]) == NULL || s[i] == '\0')
                        return false;
        return true;
}

/* The i-th value that is not blank. */
static const struct form_part *
part_at(const struct form_sent *s, const char *field, size_t i)
{
        for (size_t k = 0; k < s->n_parts; k++) {
                const struct form_part *p = &s->parts[k];

                if (p->is_file || strcmp(p->name, field) != 0 ||
                    is_blank(p->value, p->len))
                        continue;
                if (i-- == 0)
                        return p;
        }
        return NULL;
}

const char *
web_form_value(const struct form_sent *s, const char *field, size_t i)
{
        const struct form_part *p = part_at(s, field, i);

        return p == NULL ? NULL : p->value;
}

/* Without controls, CR LF as LF, blanks at the ends gone; one line: on one. */
static const char *
clean(struct arena *a, const char *s, size_t n, bool one_line)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char *out;
        size_t len;

        utf8_add_clean(&b, s, n);
        out = arena_strndup(a, buf_str(&b), b.len);
        while (*out != '\0' && strchr(" \t\n", *out) != NULL)
                out++;
        len = strlen(out);
        while (len > 0 && strchr(" \t\n", out[len - 1]) != NULL)
                out[--len] = '\0';
        for (char *p = out; one_line && *p != '\0'; p++)
                if (*p == '\n' || *p == '\t')
                        *p = ' ';
        return out;
}

static const char *
value_clean(
    const struct form_sent *s, const struct field_options *f, size_t i, struct arena *a)
{
        const struct form_part *p = part_at(s, f->name, i);

        if (p == NULL)
                return NULL;
        return clean(a, p->value, p->len, f->type != FIELD_TEXT);
}

/* Ticked, or said by a program: what says no is no consent. */
static bool
consent_is_given(const struct form_sent *s, const struct field_options *f)
{
        static const char *const no[] = {"no", "false", "off", "0", "нет"};
        const char *value = web_form_value(s, f->name, 0);

        for (size_t i = 0; value != NULL && i < sizeof no / sizeof *no; i++)
                if (strcasecmp(value, no[i]) == 0)
                        return false;
        return value != NULL;
}

/* A chosen file: browsers send an empty one when none was. */
static bool
is_chosen(const struct form_part *p, const struct field_options *f)
{
        return p->is_file && strcmp(p->name, f->name) == 0 &&
               (*p->filename != '\0' || p->size > 0);
}

static bool
is_digits(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (s[i] < '0' || s[i] > '9')
                        return false;
        return n > 0;
}

/* "2026-12-31", or "31.12.2026" as people write it; out[11] gets the first form. */
static bool
date_read(const char *s, char out[16])
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        int y, m, d, max;

        if (strlen(s) != 10)
                return false;
        if (s[4] == '-' && s[7] == '-' && is_digits(s, 4) && is_digits(s + 5, 2) &&
            is_digits(s + 8, 2)) {
                y = atoi(s);
                m = atoi(s + 5);
                d = atoi(s + 8);
        } else if (s[2] == '.' && s[5] == '.' && is_digits(s, 2) && is_digits(s + 3, 2) &&
                   is_digits(s + 6, 4)) {
                y = atoi(s + 6);
                m = atoi(s + 3);
                d = atoi(s);
        } else {
                return false;
        }
        if (m < 1 || m > 12 || y < 1)
                return false;
        max = days[m - 1] +
              (m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0) ? 1 : 0);
        snprintf(out, 16, "%04d-%02d-%02d", y % 10000, m % 100, d % 100);
        return d >= 1 && d <= max;
}

static bool
number_is(const char *s)
{
        size_t n = *s == '-' || *s == '+' ? 1 : 0, whole;

        whole = strspn(s + n, "0123456789");
        n += whole;
        if (whole == 0)
                return false;
        if (s[n] == '.' || s[n] == ',') {
                size_t rest = strspn(s + n + 1, "0123456789");

                n += rest > 0 ? rest + 1 : 0;
        }
        return s[n] == '\0';
}

static bool
email_is(struct arena *a, const char *s)
{
        const char *address = address_normalise(a, s), *at = strchr(address, '@');

        return at != NULL && address_is_safe(address) && strchr(at, '.') != NULL &&
               at[1] != '.' && at[strlen(at) - 1] != '.' && strpbrk(s, ",;<>") == NULL;
}

/* E.164 where it can be told; without a country also a bare national number. */
static bool
phone_is(struct arena *a, const char *s, const char *country)
{
        size_t n = 0;

        if (phone_is_e164(phone_normalise(a, s, country)))
                return true;
        if (*country != '\0' || strspn(s, "+0123456789 ()-.") != strlen(s))
                return false;
        for (; *s != '\0'; s++)
                n += *s >= '0' && *s <= '9';
        return n >= 5 && n <= 15;
}

/* ---- faults ---- */

static const char *
size_words(struct arena *a, uint64_t n, const char *language)
{
        bool ru = strcmp(language, "ru") == 0;

        if (n >= 10 << 20 || (n >= 1 << 20 && n % (1 << 20) == 0))
                return arena_printf(
                    a, "%llu %s", (unsigned long long)(n >> 20), ru ? "МБ" : "MB");
        if (n >= 1024)
                return arena_printf(a, "%llu %s", (unsigned long long)((n + 1023) >> 10),
                    ru ? "КБ" : "KB");
        return arena_printf(a, "%llu %s", (unsigned long long)n, ru ? "байт" : "bytes");
}

static const struct words missing[] = {
    [FIELD_LINE] = {"Заполните это поле.", "Please fill this in."},
    [FIELD_TEXT] = {"Напишите здесь что-нибудь.", "Please write something here."},
    [FIELD_EMAIL] = {"Укажите адрес электронной почты.",
        "Please enter your email address."},
    [FIELD_PHONE] = {"Укажите номер телефона.", "Please enter your phone number."},
    [FIELD_NUMBER] = {"Укажите число.", "Please enter a number."},
    [FIELD_DATE] = {"Укажите дату.", "Please enter a date."},
    [FIELD_CHOICES] = {"Выберите один из вариантов.", "Please choose one."},
    [FIELD_FILES] = {"Приложите файл.", "Please attach a file."},
    [FIELD_CONSENT] = {"Без этого согласия мы не можем принять обращение.",
        "Without this consent we cannot take your request."},
};

static const struct words wrong[] = {
    [FIELD_LINE] = {"", ""},
    [FIELD_TEXT] = {"", ""},
    [FIELD_EMAIL] = {"Это не похоже на адрес почты. Он пишется так: ivan@example.ru",
        "This does not look like an email address. It is written like "
        "ivan@example.com"},
    [FIELD_PHONE] = {"Это не похоже на номер телефона. Он пишется так: +7 495 123-45-67",
        "This does not look like a phone number. It is written like +44 20 7946 0018"},
    [FIELD_NUMBER] = {"Это не число. Пишите цифрами: 12 или 3,5",
        "This is not a number. Use digits: 12 or 3.5"},
    [FIELD_DATE] = {"Такой даты нет. Она пишется так: 31.12.2026",
        "There is no such date. It is written like 2026-12-31"},
    [FIELD_CHOICES] = {"Выберите из предложенных вариантов.",
        "Please choose one of the options offered."},
    [FIELD_FILES] = {"", ""},
    [FIELD_CONSENT] = {"", ""},
};

static const char *
value_fault(const struct form_sent *s, const struct field_options *f, const char *value,
    struct arena *a)
{
        char date[16];
        bool good = true;

        switch (f->type) {
        case FIELD_LINE:
        case FIELD_TEXT:
        case FIELD_FILES:
        case FIELD_CONSENT:
                break;
        case FIELD_EMAIL:
                good = email_is(a, value);
                break;
        case FIELD_PHONE:
                good = phone_is(a, value, s->country);
                break;
        case FIELD_NUMBER:
                good = number_is(value);
                break;
        case FIELD_DATE:
                good = date_read(value, date);
                break;
        case FIELD_CHOICES:
                good = false;
                for (size_t i = 0; i < f->n_choices && !good; i++)
                        good = strcmp(f->choices[i], value) == 0;
                break;
        }
        if (!good)
                return pick(&wrong[f->type], s->language);
        if (f->limit > 0 && strlen(value) > f->limit)
                return arena_printf(a,
                    strcmp(s->language, "ru") == 0 ? "Слишком длинно: не больше %s."
                                                   : "This is too long: at most %s.",
                    size_words(a, f->limit, s->language));
        return NULL;
}

static const char *
files_fault(const struct form_sent *s, const struct field_options *f, struct arena *a)
{
        bool ru = strcmp(s->language, "ru") == 0;
        uint64_t size = 0;
        unsigned n = 0;

        for (size_t i = 0; i < s->n_parts; i++) {
                if (!is_chosen(&s->parts[i], f))
                        continue;
                n++;
                size += s->parts[i].size;
        }
        if (n == 0)
                return f->required ? pick(&missing[FIELD_FILES], s->language) : NULL;
        if (f->at_most > 0 && n > f->at_most)
                return arena_printf(a,
                    ru ? "Слишком много файлов: можно приложить не больше %u."
                       : "Too many files: you can attach at most %u.",
                    f->at_most);
        if (f->limit > 0 && size > f->limit)
                return arena_printf(a,
                    ru ? "Файлы вместе слишком велики: не больше %s."
                       : "The files are too big together: at most %s.",
                    size_words(a, f->limit, s->language));
        return NULL;
}

/* Several values: only what can be chosen repeatedly or written in any number of lines. */
static const char *
field_fault(const struct form_sent *s, const struct field_options *f, struct arena *a)
{
        const char *value, *fault = NULL;
        size_t n = 0;

        if (f->type == FIELD_FILES)
                return files_fault(s, f, a);
        if (f->type == FIELD_CONSENT && !consent_is_given(s, f))
                return f->required ? pick(&missing[f->type], s->language) : NULL;
        while (fault == NULL && (value = value_clean(s, f, n, a)) != NULL) {
                if (*value != '\0')
                        fault = value_fault(s, f, value, a);
                n++;
        }
        if (fault == NULL && n == 0 && f->required)
                fault = pick(&missing[f->type], s->language);
        if (fault == NULL && n > 1 &&
            (f->type == FIELD_EMAIL || f->type == FIELD_PHONE || f->type == FIELD_DATE))
                fault = strcmp(s->language, "ru") == 0 ? "Здесь нужно одно значение."
                                                       : "Only one value is wanted here.";
        return fault;
}

size_t
web_form_check(const struct form_sent *s, struct arena *a, struct form_fault **faults)
{
        size_t n = 0;

        *faults = arena_alloc(a, (s->form->n_fields + 1) * sizeof **faults);
        for (size_t i = 0; i < s->form->n_fields; i++) {
                const struct field_options *f = &s->form->fields[i];
                const char *text = field_fault(s, f, a);

                if (text != NULL)
                        (*faults)[n++] = (struct form_fault){f->name, text};
        }
        return n;
}

/* ---- the message ---- */

/* As it is kept: dates and numbers in one form, telephone numbers as E.164. */
static const char *
value_kept(const struct form_sent *s, const struct field_options *f, const char *value,
    struct arena *a)
{
        char date[16];

        if (f->type == FIELD_PHONE)
                return phone_normalise(a, value, s->country);
        if (f->type == FIELD_DATE && date_read(value, date))
                return arena_strdup(a, date);
        return value;
}

static void
take_field(const struct form_sent *s, const struct field_options *f, struct message *m)
{
        struct arena *a = m->arena;
        struct form_field *to;
        const char *value;

        m->form->fields =
            arena_grow(a, m->form->fields, m->form->n_fields, sizeof *m->form->fields);
        to = &m->form->fields[m->form->n_fields];
        memset(to, 0, sizeof *to);
        to->name = arena_strdup(a, f->name);
        to->label = arena_strdup(a, web_form_label(f, s->language));
        for (size_t i = 0; (value = value_clean(s, f, i, a)) != NULL; i++) {
                to->values = arena_grow(a, to->values, i, sizeof *to->values);
                to->values[i] = value_kept(s, f, value, a);
                to->n_values++;
        }
        if (to->n_values == 0)
                return;
        m->form->n_fields++;
        if (f->type == FIELD_EMAIL && *m->from.address == '\0')
                m->from.address = to->values[0];
        if (f->type == FIELD_PHONE && *m->phone == '\0' && phone_is_e164(to->values[0]))
                m->phone = to->values[0];
        if (f->type == FIELD_LINE && strcmp(f->name, "name") == 0)
                m->from.name = to->values[0];
}

static void
take_consent(const struct form_sent *s, const struct field_options *f, struct message *m)
{
        if (!consent_is_given(s, f))
                return;
        m->form->consent_text = arena_strdup(m->arena, f->text);
        m->form->consent_address = arena_strdup(m->arena, s->client);
        m->form->consent_at_us = s->now_us;
}

/* "image/png" without parameters; what is no type is bytes. */
static const char *
type_clean(struct arena *a, const char *type)
{
        size_t n = strspn(
            type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_/");

        if (n == 0 || n > 127 || memchr(type, '/', n) == NULL ||
            (type[n] != '\0' && type[n] != ';' && type[n] != ' '))
                return "application/octet-stream";
        return arena_strndup(a, type, n);
}

static void
take_files(const struct form_sent *s, const struct field_options *f, struct message *m)
{
        struct arena *a = m->arena;

        for (size_t i = 0; i < s->n_parts; i++) {
                const struct form_part *p = &s->parts[i];
                const char *name;
                struct attachment *to;

                if (!is_chosen(p, f))
                        continue;
                m->attachments =
                    arena_grow(a, m->attachments, m->n_attachments, sizeof *to);
                to = &m->attachments[m->n_attachments++];
                name = clean(a, p->filename, strlen(p->filename), true);
                to->part = arena_printf(a, "%u", p->index);
                to->name = arena_strndup(
                    a, name, utf8_cut(name, strlen(name), FILENAME_MAX_BYTES));
                to->type = type_clean(a, p->type);
                to->size = (int64_t)p->size;
                to->sha256 = arena_strdup(a, p->sha256);
                to->is_inline = false;
        }
}

static const struct form_field *
field_sent(const struct message *m, const char *name)
{
        for (size_t i = 0; i < m->form->n_fields; i++)
                if (strcmp(m->form->fields[i].name, name) == 0)
                        return &m->form->fields[i];
        return NULL;
}

/* First the short ones, a line each, then the texts, each under its label. */
static void
write_summary(const struct form_sent *s, struct message *m)
{
        struct buf b AUTO_BUF = BUF_INIT;

        for (int texts = 0; texts < 2; texts++) {
                for (size_t i = 0; i < s->form->n_fields; i++) {
                        const struct field_options *f = &s->form->fields[i];
                        const struct form_field *x = field_sent(m, f->name);

                        if (x == NULL || (f->type == FIELD_TEXT) != texts)
                                continue;
                        buf_addf(&b,
                            texts ? "%s%s:\n" : "%s%s: ", texts && b.len ? "\n" : "",
                            x->label);
                        for (size_t k = 0; k < x->n_values; k++)
                                buf_addf(&b, "%s%s",
                                    k == 0  ? ""
                                    : texts ? "\n\n"
                                            : ", ",
                                    x->values[k]);
                        buf_addc(&b, '\n');
                }
        }
        for (size_t i = 0; i < m->n_attachments; i++)
                buf_addf(&b, "%s%s (%s)%s",
                    i > 0                            ? ", "
                    : strcmp(s->language, "ru") == 0 ? "\nФайлы: "
                                                     : "\nFiles: ",
                    *m->attachments[i].name ? m->attachments[i].name : "?",
                    size_words(m->arena, (uint64_t)m->attachments[i].size, s->language),
                    i + 1 == m->n_attachments ? "\n" : "");
        m->text = arena_strndup(m->arena, buf_str(&b), b.len);
}

/* What the person wrote freely: the first text, else the first line. */
static const char *
first_words(const struct form_sent *s, const struct message *m, bool texts)
{
        for (size_t i = 0; i < s->form->n_fields; i++) {
                const struct field_options *f = &s->form->fields[i];
                const struct form_field *x = field_sent(m, f->name);

                if (x != NULL && f->type == (texts ? FIELD_TEXT : FIELD_LINE) &&
                    strcmp(f->name, "name") != 0)
                        return x->values[0];
        }
        return "";
}

static void
write_subject(const struct form_sent *s, struct message *m)
{
        const struct form_field *subject = field_sent(m, "subject");
        const char *words =
            subject != NULL ? subject->values[0] : first_words(s, m, true);
        size_t n, cut;

        if (*words == '\0')
                words = first_words(s, m, false);
        if (*words == '\0')
                words = s->form->name;
        n = strcspn(words, "\n");
        cut = utf8_cut(words, n, SUBJECT_MAX);
        m->subject = arena_printf(
            m->arena, "%.*s%s", (int)cut, words, cut < n ? "\xe2\x80\xa6" : "");
        m->subject = clean(m->arena, m->subject, strlen(m->subject), true);
}

struct message *
web_form_message(const struct form_sent *s, const char *digest)
{
        struct message *m = message_new();
        const char *words;

        m->kind = MESSAGE_FORM;
        m->channel = "web";
        m->account = arena_strdup(m->arena, s->form->account);
        m->digest = arena_strdup(m->arena, digest);
        m->sent_at_us = 0;
        m->form = arena_alloc(m->arena, sizeof *m->form);
        m->form->name = arena_strdup(m->arena, s->form->name);
        m->form->consent_text = m->form->consent_address = "";
        for (size_t i = 0; i < s->form->n_fields; i++) {
                const struct field_options *f = &s->form->fields[i];

                if (f->type == FIELD_FILES)
                        take_files(s, f, m);
                else if (f->type == FIELD_CONSENT)
                        take_consent(s, f, m);
                else
                        take_field(s, f, m);
        }
        write_summary(s, m);
        write_subject(s, m);
        words = first_words(s, m, true);
        m->language = *words != '\0' ? utf8_language(words, strlen(words))
                                     : arena_strdup(m->arena, s->language);
        return m;
}

static void
fingerprint_add(struct sha256 *sha, const void *p, size_t n)
{
        char len[32];

        snprintf(len, sizeof len, "%zu:", n);
        sha256_add(sha, len, strlen(len));
        sha256_add(sha, p, n);
}

void
web_form_fingerprint(const struct form_sent *s, char out[65])
{
        struct sha256 *sha = sha256_new();

        for (size_t i = 0; i < s->n_parts; i++) {
                const struct form_part *p = &s->parts[i];

                if (*p->name == '_') /* ours: the token, the trap */
                        continue;
                fingerprint_add(sha, p->name, strlen(p->name));
                fingerprint_add(sha, p->value, p->len);
                fingerprint_add(sha, p->filename, strlen(p->filename));
                fingerprint_add(sha, p->sha256, strlen(p->sha256));
        }
        sha256_end(&sha, out);
}

/* ---- JSON ---- */

static int
json_value(struct arena *a, const char *name, const json_t *v, struct form_part **parts,
    size_t *n, struct err *err)
{
        struct form_part p = {
            .name = arena_strdup(a, name), .filename = "", .type = "", .value = ""};

        if (json_is_string(v))
                p.value = arena_strdup(a, json_string_value(v));
        else if (json_is_integer(v))
                p.value = arena_printf(a, "%lld", (long long)json_integer_value(v));
        else if (json_is_real(v))
                p.value = arena_printf(a, "%.15g", json_real_value(v));
        else if (json_is_true(v))
                p.value = "yes";
        else if (json_is_null(v) || json_is_false(v))
                return 0;
        else
                return err_set(err, ERR_REJECT,
                    "\"%.60s\" must be a text, a number, yes or no, or a list of texts",
                    name);
        if (*n == JSON_VALUES_MAX)
                return err_set(err, ERR_LIMIT, "more than %d values", JSON_VALUES_MAX);
        p.len = strlen(p.value);
        p.index = (unsigned)*n + 1;
        *parts = arena_grow(a, *parts, *n, sizeof p);
        (*parts)[(*n)++] = p;
        return 0;
}

int
web_form_read_json(const char *json, size_t n, struct arena *a, struct form_part **parts,
    size_t *n_parts, struct err *err)
{
        json_t *o = json_read(json, n, 1 << 20, err), *v;
        const char *name;
        int rc = 0;

        *parts = NULL;
        *n_parts = 0;
        if (o == NULL)
                return -1;
        if (!json_is_object(o))
                rc = err_set(err, ERR_REJECT, "a JSON object with the fields is wanted");
        if (rc == 0)
                json_object_foreach(o, name, v)
                {
                        if (rc == 0 && !json_is_array(v))
                                rc = json_value(a, name, v, parts, n_parts, err);
                        for (size_t i = 0;
                             rc == 0 && json_is_array(v) && i < json_array_size(v); i++)
                                rc = json_value(
                                    a, name, json_array_get(v, i), parts, n_parts, err);
                }
        json_decref(o);
        return rc;
}

/* ---- the channel ---- */

struct delivery_wait {
        uint64_t id; /* source of its token */
        web_form_fn fn;
        void *arg;
        LIST_ENTRY(delivery_wait) link;
};

struct web_form {
        struct channel channel; /* first */
        uint64_t last_id;
        LIST_HEAD(delivery_waits, delivery_wait) waits;
};

static struct delivery_wait *
wait_find(struct web_form *w, uint64_t id)
{
        struct delivery_wait *d;

        LIST_FOREACH(d, &w->waits, link)
        if (d->id == id)
                return d;
        return NULL;
}

static void
web_settle(struct channel *ch, struct channel_token t, enum settlement s, const char *why,
    const char *ticket)
{
        struct delivery_wait *d = wait_find((struct web_form *)ch, t.source);
        web_form_fn fn;
        void *arg;

        if (d == NULL)
                return; /* nobody waits any more */
        fn = d->fn;
        arg = d->arg;
        LIST_REMOVE(d, link);
        free(d);
        fn(arg, s, why, ticket);
}

static const struct channel_ops channel_web = {
    .name = "web",
    .settle = web_settle,
};

uint64_t
web_form_deliver(struct web_form *w, struct message *m, const char *account,
    const struct spool *raw, const char *ticket, web_form_fn fn, void *arg)
{
        struct delivery_wait *d = xcalloc(1, sizeof *d);
        const struct channel_host *host = w->channel.host;
        struct arrival a = {.channel = "web",
            .account = account,
            .bytes = raw->fd == -1 ? buf_str(&raw->memory) : NULL,
            .len = raw->len,
            .fd = raw->fd,
            .envelope_from = "",
            .received_at_us = clock_now_us(),
            .token = {&w->channel, ++w->last_id, 0, 0},
            .message = m,
            .ticket = ticket};

        d->id = w->last_id;
        d->fn = fn;
        d->arg = arg;
        LIST_INSERT_HEAD(&w->waits, d, link);
        host->deliver(host->arg, &a);
        return a.token.source;
}

void
web_form_forget(struct web_form *w, uint64_t delivery)
{
        struct delivery_wait *d = wait_find(w, delivery);

        if (d == NULL)
                return;
        LIST_REMOVE(d, link);
        free(d);
}

struct web_form *
web_form_new(const struct channel_host *host)
{
        struct web_form *w = xcalloc(1, sizeof *w);

        w->channel.ops = &channel_web;
        w->channel.host = host;
        LIST_INIT(&w->waits);
        return w;
}

void
web_form_free(struct web_form **pw)
{
        struct web_form *w = *pw;
        struct delivery_wait *d;

        if (w == NULL)
                return;
        while ((d = LIST_FIRST(&w->waits)) != NULL) {
                LIST_REMOVE(d, link);
                free(d);
        }
        free(w);
        *pw = NULL;
}
