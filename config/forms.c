/*
 * Web forms: `form NAME { … }` with its fields; see build.h. What no single sentence
 * shows is looked at when the block, and when everything, has been read.
 */
#include <stdlib.h>
#include <string.h>

#include "config/build.h"
#include "daemon/base/utf8.h"

#define AGREED_MAX (64u << 10)
#define FIELDS_MAX 100u
#define TEXT_LIMIT_MAX (256u << 10)

static const char *const type_names[] = {
    "line", "text", "email", "phone", "number", "date", "choices", "files", "consent"};

const struct sentence *
block_sentence(const struct block *block, const char *name)
{
        for (size_t i = 0; block != NULL && i < block->n_sentences; i++)
                if (strcmp(block->sentences[i].name, name) == 0)
                        return &block->sentences[i];
        return NULL;
}

/* ---- one field ---- */

/* [LANGUAGE] TEXT */
static void
label_build(struct build *b, const struct sentence *s, struct field_options *f)
{
        const struct value *v = s->values;
        struct localised l = {"", ""};

        if (s->bad)
                return;
        if (s->n_values == 0) {
                value_missing(b, s);
                return;
        }
        if (s->n_values > 2) {
                value_surplus(b, s, &v[2]);
                return;
        }
        if (s->n_values == 2) {
                if (strcmp(v->text, "ru") != 0 && strcmp(v->text, "en") != 0) {
                        value_wrong(b, s, v);
                        report_advice(b->report, "ru and en are there");
                        return;
                }
                l.language = v->text;
                v++;
        }
        l.text = v->text;
        if (v->text[0] == '\0' || strlen(v->text) > 1000) {
                value_wrong(b, s, v);
                return;
        }
        for (size_t i = 0; i < f->n_labels; i++)
                if (strcmp(f->labels[i].language, l.language) == 0) {
                        report_error(b->report, s->at, "a second label %s%s",
                            *l.language == '\0' ? "for all languages" : "in ",
                            l.language);
                        return;
                }
        f->labels = arena_grow(b->a, f->labels, f->n_labels, sizeof *f->labels);
        f->labels[f->n_labels++] = l;
}

static void
agreed_refuse(struct build *b, const struct value *v, const char *why)
{
        report_error(b->report, v->at, "cannot read this text: %s", why);
}

/* What is agreed to, out of a file. */
static void
agreed_read(struct build *b, const struct value *v, struct field_options *f)
{
        const char *path = path_beside(b, v->at.source, v->text), *why = "", *from;
        char *bytes AUTO_FREE = NULL;
        size_t n = 0;

        data_note(b, path);
        if (b->no_files) {
                agreed_refuse(b, v, "No such file or directory");
                return;
        }
        bytes = file_read(path, AGREED_MAX, "it is longer than 64 KB", &n, &why);
        if (bytes == NULL) {
                agreed_refuse(b, v, why);
                return;
        }
        from = n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? bytes + 3 : bytes;
        n -= (size_t)(from - bytes);
        while (n > 0 && strchr(" \t\r\n", from[n - 1]) != NULL)
                n--;
        if (n == 0 || !utf8_valid(from, n) || memchr(from, '\0', n) != NULL) {
                agreed_refuse(b, v, n == 0 ? "it is empty" : "it is no text in UTF-8");
                return;
        }
        f->text = arena_strndup(b->a, from, n);
}

/* text "…", text file "…" */
static void
agreed_build(struct build *b, const struct sentence *s, struct field_options *f)
{
        if (s->bad)
                return;
        if (s->n_values == 0)
                value_missing(b, s);
        else if (value_at_is(s, 0, "file") && s->n_values == 2)
                agreed_read(b, &s->values[1], f);
        else if (s->n_values > 1)
                value_surplus(b, s, &s->values[1]);
        else if (s->values[0].text[0] == '\0')
                value_wrong(b, s, &s->values[0]);
        else
                f->text = s->values[0].text;
}

/* An option that another type of field has. */
static void
option_misplaced(struct build *b, const struct block *block, const char *name,
    enum field_type is, const char *advice)
{
        const struct sentence *s = block_sentence(block, name);

        if (s == NULL)
                return;
        report_error(
            b->report, s->at, "'%s' in a field of type %s", name, type_names[is]);
        report_advice(b->report, "%s", advice);
}

static void
limit_check(struct build *b, const struct block *block, const struct field_options *f)
{
        const struct sentence *s = block_sentence(block, "limit");

        if (s == NULL || f->type == FIELD_FILES || f->limit <= TEXT_LIMIT_MAX)
                return;
        report_error(
            b->report, s->values[0].at, "'limit' cannot be %s here", s->values[0].text);
        report_advice(b->report, "a text has at most %s; a field of files may have more",
            size_shown(b->a, TEXT_LIMIT_MAX));
}

static void
field_check(struct build *b, const struct sentence *s, struct field_options *f)
{
        if (f->type != FIELD_CHOICES)
                option_misplaced(b, s->block, "choices", f->type,
                    "without a type, or with type choices");
        else if (f->n_choices == 0) {
                report_error(b->report, s->values[0].at, "nothing to choose");
                report_advice(b->report, "choices \"…\" \"…\"");
        }
        if (f->type != FIELD_FILES)
                option_misplaced(
                    b, s->block, "at-most", f->type, "only a field of type files has it");
        if (f->type != FIELD_CONSENT)
                option_misplaced(
                    b, s->block, "text", f->type, "only a field of type consent has it");
        else if (f->text[0] == '\0') {
                report_error(b->report, s->values[0].at, "a consent without its text");
                report_advice(b->report, "text \"…\", or text file \"…\"");
        }
        if (f->type > FIELD_TEXT && f->type != FIELD_FILES)
                option_misplaced(b, s->block, "limit", f->type,
                    "only fields of type line, text and files have it");
        else
                limit_check(b, s->block, f);
}

static void
field_defaults(struct field_options *f)
{
        if (f->type == FIELD_FILES && f->at_most == 0)
                f->at_most = 5;
        if (f->limit == 0)
                f->limit = f->type == FIELD_FILES  ? 20u << 20
                           : f->type == FIELD_TEXT ? 64u << 10
                                                   : 4u << 10;
}

static bool
field_name(struct build *b, const struct sentence *s, struct form_build *form)
{
        const struct value *v = s->values;
        const struct name *twice;

        if (s->n_values == 0) {
                value_missing(b, s);
                return false;
        }
        if (s->n_values > 1)
                value_surplus(b, s, &v[1]);
        if (!value_is_name(b, v))
                return false;
        if (v->text[0] == '_') {
                report_error(b->report, v->at, "a field's name cannot begin with '_'");
                report_advice(b->report, "such fields are helpline's own");
                return false;
        }
        twice = names_add(&form->fields, v->text, v->at);
        if (twice != NULL) {
                report_error(b->report, v->at, "field '%s' stands twice", v->text);
                report_advice(
                    b->report, "first on %s", place_name(twice->at, v->at.source, b->a));
                return false;
        }
        return true;
}

static void
field_build(struct build *b, const struct sentence *s, struct form_build *form)
{
        struct field_options f = {.text = ""};
        unsigned n_errors = report_n_errors(b->report);
        bool good;

        value_defaults(b, BLOCK_FIELD, &f);
        good = field_name(b, s, form);
        if (s->block != NULL)
                build_block(b, s->block, &f);
        if (!good || s->bad)
                return;
        f.name = s->values[0].text;
        if (f.n_choices > 0 && block_sentence(s->block, "type") == NULL)
                f.type = FIELD_CHOICES;
        if (report_n_errors(b->report) == n_errors)
                field_check(b, s, &f);
        field_defaults(&f);
        if (form->form.n_fields == FIELDS_MAX) {
                report_error(b->report, s->at, "more than %u fields", FIELDS_MAX);
                return;
        }
        form->form.fields = arena_grow(
            b->a, form->form.fields, form->form.n_fields, sizeof *form->form.fields);
        form->form.fields[form->form.n_fields++] = f;
}

/* ---- the form ---- */

void
url_name_check(struct build *b, const struct sentence *s)
{
        const struct value *v = &s->values[0];

        for (const char *p = v->text; *p != '\0'; p++)
                if ((unsigned char)*p >= 0x80) {
                        report_error(b->report, v->at,
                            "the name of a %s stands in URLs: Latin letters only",
                            s->name);
                        report_advice(b->report, "letters, digits and - _ . inside");
                        return;
                }
}

static void
form_build(struct build *b, const struct sentence *s)
{
        struct form_build f = {.form = {.name = s->values[0].text}};
        unsigned n_errors = report_n_errors(b->report);
        const struct sentence *reply_as;
        struct config *c = b->c;

        value_defaults(b, BLOCK_FORM, &f.form);
        names_init(&f.fields, b->a);
        url_name_check(b, s);
        if (s->n_values > 1 && !s->bad)
                value_surplus(b, s, &s->values[1]);
        if (s->block != NULL)
                build_block(b, s->block, &f);
        if (f.form.n_fields == 0 && !s->bad && report_n_errors(b->report) == n_errors) {
                report_error(b->report, s->at, "a form without a field");
                report_advice(b->report, "field email { type email; required }");
        }
        reply_as = block_sentence(s->block, "reply-as");
        f.form.account = arena_printf(b->a, "web:%s", f.form.name);
        b->reply_as = arena_grow(b->a, b->reply_as, c->n_forms, sizeof *b->reply_as);
        b->reply_as[c->n_forms] =
            reply_as == NULL || reply_as->n_values == 0 ? s->at : reply_as->values[0].at;
        c->forms = arena_grow(b->a, c->forms, c->n_forms, sizeof *c->forms);
        c->forms[c->n_forms++] = f.form;
}

void
form_sentence(struct build *b, struct sentence *s, void *target)
{
        switch (s->option->type) {
        case TYPE_FORM:
                form_build(b, s);
                break;
        case TYPE_FIELD:
                field_build(b, s, target);
                break;
        case TYPE_LABEL:
                label_build(b, s, target);
                break;
        default:
                agreed_build(b, s, target);
        }
}

/* ---- when everything has been read ---- */

void
forms_finish(struct build *b)
{
        struct config *c = b->c;

        for (size_t i = 0; i < c->n_forms; i++) {
                struct form_options *f = &c->forms[i];

                if (f->reply_as[0] == '\0') {
                        f->reply_as = c->n_mails == 0 ? "" : c->mails[0].address;
                } else if (!config_is_ours(c, f->reply_as)) {
                        report_error(b->report, b->reply_as[i],
                            "'%s' is no mail account of this desk", f->reply_as);
                        report_advice(b->report, "mail %s { … }", f->reply_as);
                }
        }
}

static bool
form_can_answer(const struct form_options *f)
{
        for (size_t i = 0; i < f->n_fields; i++)
                if (f->fields[i].type == FIELD_EMAIL || f->fields[i].type == FIELD_PHONE)
                        return true;
        return false;
}

void
forms_lint(struct build *b)
{
        for (size_t i = 0; i < b->c->n_forms; i++) {
                const struct form_options *f = &b->c->forms[i];
                struct place at = names_find(&b->forms, f->name)->at;

                if (!form_can_answer(f)) {
                        report_warning(b->report, at,
                            "form '%s' asks for no address: nobody can be answered",
                            f->name);
                        report_advice(b->report, "field email { type email; required }");
                } else if (f->reply_as[0] == '\0') {
                        report_warning(b->report, at,
                            "answers to form '%s' cannot leave: there is no mail account",
                            f->name);
                        report_advice(b->report, "mail support@host.example");
                }
        }
}

const struct form_options *
config_form(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_forms; i++)
                if (strcmp(c->forms[i].name, name) == 0)
                        return &c->forms[i];
        return NULL;
}
