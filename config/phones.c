/* Telephone exchanges: `phone NAME { … }`; see build.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config/build.h"

/* asterisk file "…", freeswitch file "…", push: one of them. */
static void
log_build(struct build *b, const struct sentence *s, struct phone_build *p)
{
        enum phone_format format = (enum phone_format)s->option->min;

        if (s->bad)
                return;
        if (p->source != NULL) {
                report_error(
                    b->report, s->at, "'%s' beside '%s'", s->name, p->source->name);
                report_advice(b->report, "a phone has one source: write another phone");
                return;
        }
        p->source = s;
        p->phone.format = format;
        if (format == PHONE_PUSH) {
                if (s->n_values > 0)
                        value_surplus(b, s, &s->values[0]);
        } else if (s->n_values == 0) {
                value_missing(b, s);
        } else if (!value_at_is(s, 0, "file") || s->n_values < 2 ||
                   s->values[1].text[0] == '\0') {
                value_wrong(b, s, &s->values[0]);
                report_advice(b->report, "%s file \"/var/log/…\"", s->name);
        } else if (s->n_values > 2) {
                value_surplus(b, s, &s->values[2]);
        } else {
                p->phone.file = path_beside(b, s->at.source, s->values[1].text);
                if (!b->no_files && access(p->phone.file, R_OK) == -1) {
                        report_warning(b->report, s->values[1].at,
                            "cannot read this log now: %s", strerror(errno));
                        report_advice(b->report, "helplined reads it as soon as it may");
                }
        }
}

static void
phone_build(struct build *b, const struct sentence *s)
{
        struct phone_build p = {.phone = {.name = s->values[0].text, .file = ""}};
        unsigned n_errors = report_n_errors(b->report);
        struct config *c = b->c;

        value_defaults(b, BLOCK_PHONE, &p.phone);
        url_name_check(b, s);
        if (s->n_values > 1 && !s->bad)
                value_surplus(b, s, &s->values[1]);
        if (s->block != NULL)
                build_block(b, s->block, &p);
        if (p.source == NULL && !s->bad && report_n_errors(b->report) == n_errors) {
                report_error(
                    b->report, s->at, "where do the calls of this phone come from?");
                report_advice(
                    b->report, "asterisk file \"…\", freeswitch file \"…\", or push");
        }
        p.phone.account = arena_printf(b->a, "phone:%s", p.phone.name);
        c->phones = arena_grow(b->a, c->phones, c->n_phones, sizeof *c->phones);
        c->phones[c->n_phones++] = p.phone;
}

void
phone_sentence(struct build *b, struct sentence *s, void *target)
{
        if (s->option->type == TYPE_PHONE)
                phone_build(b, s);
        else
                log_build(b, s, target);
}

void
phones_finish(struct build *b)
{
        struct config *c = b->c;

        for (size_t i = 0; i < c->n_phones; i++)
                if (c->phones[i].timezone[0] == '\0')
                        c->phones[i].timezone = c->timezone;
}

void
phones_lint(struct build *b)
{
        const struct config *c = b->c;

        if (c->n_phones == 0 || c->country[0] != '\0')
                return;
        report_warning(b->report, names_find(&b->phones, c->phones[0].name)->at,
            "there is no country: national numbers stay as they are written");
        report_advice(b->report, "country 7, or another calling code");
}

const struct phone_options *
config_phone(const struct config *c, const char *name)
{
        for (size_t i = 0; i < c->n_phones; i++)
                if (strcmp(c->phones[i].name, name) == 0)
                        return &c->phones[i];
        return NULL;
}
