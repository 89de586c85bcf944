/*
 * helpline explain FILE: a form's body and a call record, as their channels read them.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channels/phone_message.h"
#include "channels/phone_parse.h"
#include "channels/web_form.h"
#include "daemon/base/clock.h"
#include "daemon/base/zone.h"
#include "daemon/tool/explain.h"

#define MAX_ROWS 200 /* of one call */

void
explained_note(struct explained *x, const char *fmt, ...)
{
        char text[500];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        x->notes = arena_grow(x->a, x->notes, x->n_notes, sizeof *x->notes);
        x->notes[x->n_notes++] = arena_strdup(x->a, text);
}

/* ---- which of the declared ones ---- */

const struct form_options *
explain_find_form(const struct config *c, const char *name, struct err *err)
{
        const struct form_options *f = NULL;

        if (name != NULL && *name != '\0')
                f = config_form(c, name);
        else if (c->n_forms == 1)
                f = &c->forms[0];
        if (f != NULL)
                return f;
        if (c->n_forms == 0 || c->forms == NULL)
                err_set(err, ERR_CONFIG, "%s declares no form", c->file);
        else if (name == NULL || *name == '\0')
                err_set(err, ERR_CONFIG, "there are %zu forms: which one? --form %s",
                    c->n_forms, c->forms[0].name);
        else
                err_set(err, ERR_CONFIG, "there is no form '%.60s'; one is '%s'", name,
                    c->forms[0].name);
        return NULL;
}

const struct phone_options *
explain_find_phone(const struct config *c, const char *name, struct err *err)
{
        const struct phone_options *p = NULL;

        if (name != NULL && *name != '\0')
                p = config_phone(c, name);
        else if (c->n_phones == 1)
                p = &c->phones[0];
        if (p != NULL)
                return p;
        if (c->n_phones == 0 || c->phones == NULL)
                err_set(err, ERR_CONFIG, "%s declares no phone", c->file);
        else if (name == NULL || *name == '\0')
                err_set(err, ERR_CONFIG, "there are %zu phones: which one? --phone %s",
                    c->n_phones, c->phones[0].name);
        else
                err_set(err, ERR_CONFIG, "there is no phone '%.60s'; one is '%s'", name,
                    c->phones[0].name);
        return NULL;
}

/* ---- a form ---- */

int
explain_form_parts(struct explained *x, const struct form_options *form,
    const struct form_part *parts, size_t n, const char *language, bool is_strict)
{
        struct form_fault *faults;
        struct form_sent s = {
            .form = form,
            .parts = parts,
            .n_parts = n,
            .language = language,
            .country = x->config->country,
            .client = "127.0.0.1",
            .now_us = clock_now_us(),
        };
        size_t n_faults = web_form_check(&s, x->a, &faults);

        for (size_t i = 0; i < n_faults; i++)
                explained_note(x, "%s %s: %s",
                    is_strict ? "refused (422), field"
                              : "not as sent by a browser: field",
                    faults[i].field, faults[i].text);
        x->is_refused = is_strict && n_faults > 0;
        x->makes_ticket = true;
        x->message = web_form_message(&s, "");
        return 0;
}

/* What stands before a body: header lines, perhaps under a request line. */
struct head {
        const char *type; /* of Content-Type, "" none */
        const char *form; /* out of /f/NAME, "" none */
        const char *language; /* of Accept-Language: two letters, "" none */
        size_t len; /* with the empty line; 0: there is no head */
};

static bool
head_line(struct head *h, struct arena *a, const char *line, size_t n)
{
        const char *path = n > 5 && strncmp(line, "POST ", 5) == 0 ? line + 5 : NULL;
        size_t name = strcspn(line, ":\r\n ");

        if (path != NULL) {
                if (strncmp(path, "/f/", 3) == 0)
                        h->form =
                            arena_strndup(a, path + 3, strcspn(path + 3, " ?/\r\n"));
                return true;
        }
        if (name == 0 || name >= n || line[name] != ':')
                return false;
        line = arena_strndup(a, line, n);
        if (strncasecmp(line, "Content-Type:", 13) == 0)
                h->type = line + 13 + strspn(line + 13, " \t");
        if (strncasecmp(line, "Accept-Language:", 16) == 0)
                h->language = arena_strndup(a, line + 16 + strspn(line + 16, " \t"), 2);
        return true;
}

static struct head
head_read(struct arena *a, const char *s, size_t len)
{
        struct head h = {"", "", "", 0}, none = h;
        size_t at = 0;

        while (at < len) {
                const char *end = memchr(s + at, '\n', len - at);
                size_t n = end == NULL ? len - at : (size_t)(end - (s + at));
                size_t next = at + n + (end != NULL);

                if (n > 0 && s[at + n - 1] == '\r')
                        n--;
                if (n == 0) {
                        h.len = next;
                        return at == 0 ? none : h;
                }
                if (!head_line(&h, a, s + at, n))
                        break;
                at = next;
        }
        return none;
}

static bool
type_is(const char *type, const char *name)
{
        return strncasecmp(type, name, strlen(name)) == 0;
}

bool
explain_is_form(const char *s, size_t len)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct head h = head_read(a, s, len < 65536 ? len : 65536);

        return *h.form != '\0' || type_is(h.type, "multipart/form-data") ||
               type_is(h.type, "application/x-www-form-urlencoded");
}

/* Without a head: by the looks of the body. */
static const char *
type_guess(struct arena *a, const char *s, size_t len)
{
        size_t n = 0;

        while (n < len && n < 80 && s[n] != '\r' && s[n] != '\n')
                n++;
        if (len > 0 && *s == '{')
                return "application/json";
        if (n > 2 && strncmp(s, "--", 2) == 0)
                return arena_printf(
                    a, "multipart/form-data; boundary=\"%.*s\"", (int)n - 2, s + 2);
        return "application/x-www-form-urlencoded";
}

static int
body_parse(struct explained *x, const struct form_options *form, const char *type,
    const char *s, size_t len, const struct form_part **parts, size_t *n, struct err *err)
{
        struct form_limits lim = {.max_parts = 200,
            .max_head = 8192,
            .max_value = 256 << 10,
            .max_values = 1 << 20};
        struct form_part *json_parts;
        struct form_parser *p;
        int rc;

        if (type_is(type, "application/json")) {
                rc = web_form_read_json(s, len, x->a, &json_parts, n, err);
                *parts = json_parts;
                return rc;
        }
        for (size_t i = 0; i < form->n_fields; i++)
                if (form->fields[i].type == FIELD_FILES)
                        lim.max_files += form->fields[i].limit;
        p = form_parser_new(type, &lim, x->a, err);
        if (p == NULL)
                return -1;
        rc = form_parser_feed(p, s, len, err) == -1 ? -1 : form_parser_end(p, err);
        *parts = form_parser_parts(p, n);
        form_parser_free(&p);
        return rc;
}

int
explain_form(
    struct explained *x, const char *name, const char *s, size_t len, struct err *err)
{
        struct head h = head_read(x->a, s, len);
        const struct form_options *form = explain_find_form(
            x->config, name == NULL && *h.form != '\0' ? h.form : name, err);
        const struct form_part *parts;
        const char *language = x->config->languages[0];
        size_t n;

        if (form == NULL)
                return -1;
        s += h.len;
        len -= h.len;
        if (*h.type == '\0')
                h.type = type_guess(x->a, s, len);
        if (type_is(h.type, "application/x-www-form-urlencoded"))
                while (len > 0 && (s[len - 1] == '\n' || s[len - 1] == '\r'))
                        len--;
        if (strcmp(h.language, "ru") == 0 || strcmp(h.language, "en") == 0)
                language = h.language;
        if (body_parse(x, form, h.type, s, len, &parts, &n, err) == -1)
                return -1;
        return explain_form_parts(x, form, parts, n, language, true);
}

/* ---- a call ---- */

static void
call_notes(struct explained *x, const struct phone_options *o, const struct phone_call *c,
    bool is_short)
{
        if (c->direction == CALL_OUT) {
                if (c->result == CALL_ANSWERED && c->duration_s * 1000 >= o->callback_ms)
                        explained_note(x, "our call, callback: it resolves an open "
                                          "ticket of that number");
                else
                        explained_note(x,
                            "our call, not answered or shorter than "
                            "callback: a note on the open ticket of that number's call");
        } else if (is_short) {
                explained_note(x, "hung up in under %lld s (short): counted, no ticket",
                    (long long)o->short_ms / 1000);
        } else if (c->result == CALL_MISSED && !o->missed_ticket) {
                explained_note(x, "missed ignore: no ticket");
        } else if (c->result == CALL_ANSWERED && o->answered == PHONE_ANSWERED_NOTE) {
                explained_note(x, "answered note: a note on the caller's open ticket, "
                                  "no ticket if there is none");
        } else if (c->result == CALL_ANSWERED && o->answered == PHONE_ANSWERED_IGNORE) {
                explained_note(x, "answered ignore: no ticket");
        } else {
                x->makes_ticket = true;
                explained_note(x,
                    "a ticket, or one more message on that of a call from "
                    "this number in the last %lld min (repeated)",
                    (long long)o->repeated_ms / 60000);
        }
}

void
explain_call(struct explained *x, const struct phone_options *o,
    const struct phone_call *c, bool is_short, const char *note)
{
        struct phone_words w = {
            .language = x->config->languages[0],
            .timezone = *o->timezone != '\0' ? o->timezone : x->config->timezone,
            .note = note,
        };

        x->makes_ticket = false;
        call_notes(x, o, c, is_short);
        x->message = phone_message(c, &w);
        x->message->channel = "phone";
        x->message->account = arena_strdup(x->message->arena, o->account);
}

/* The syntax is the configuration's for a file's line; pushed records show theirs. */
static struct phone_syntax_options
syntax_of(const struct phone_options *o, const char *s, size_t n)
{
        struct phone_syntax_options so = {
            .syntax = phone_syntax_guess(s, n),
            .column17_is_userfield = o->column17_is_userfield,
        };

        if (so.syntax == PHONE_SYNTAX_JSON || so.syntax == PHONE_SYNTAX_XML)
                return so;
        if (o->format == PHONE_ASTERISK_CSV)
                so.syntax = PHONE_SYNTAX_ASTERISK;
        else if (o->format == PHONE_ASTERISK_CUSTOM)
                so.syntax = PHONE_SYNTAX_CUSTOM;
        else if (o->format == PHONE_FREESWITCH_CSV)
                so.syntax = PHONE_SYNTAX_FREESWITCH;
        return so;
}

static bool
is_blank(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!isspace((unsigned char)s[i]))
                        return false;
        return true;
}

/* All rows of the first call; those of others are counted. */
static int
rows_of_first(struct explained *x, const struct phone_options *o, const char *s,
    size_t len, struct phone_row *rows, size_t *n_rows, struct err *err)
{
        size_t n_other = 0;

        *n_rows = 0;
        for (size_t at = 0, n; at < len; at += n) {
                struct phone_row row;
                struct phone_syntax_options so;

                n = phone_pushed_length(s + at, len - at);
                if (n == 0)
                        break;
                if (is_blank(s + at, n))
                        continue;
                so = syntax_of(o, s + at, n);
                if (phone_row_parse(s + at, n, &so, x->a, &row, err) == -1)
                        return -1;
                if (*n_rows > 0 && strcmp(rows[0].group, row.group) != 0)
                        n_other++;
                else if (*n_rows < MAX_ROWS)
                        rows[(*n_rows)++] = row;
        }
        if (n_other > 0)
                explained_note(
                    x, "%zu further rows are of other calls: this is the first", n_other);
        if (*n_rows == 0)
                return err_set(err, ERR_REJECT, "there is no call record in it");
        return 0;
}

int
explain_record(
    struct explained *x, const char *phone, const char *s, size_t len, struct err *err)
{
        const struct phone_options *o = explain_find_phone(x->config, phone, err);
        struct phone_row *rows = arena_alloc(x->a, MAX_ROWS * sizeof *rows);
        struct phone_sum_options so = {.country = x->config->country};
        struct phone_call c;
        size_t n;

        if (o == NULL || phone_push_unwrap("", s, len, x->a, &s, &len, err) == -1 ||
            rows_of_first(x, o, s, len, rows, &n, err) == -1)
                return -1;
        so.ours = o->ours;
        so.n_ours = o->n_ours;
        so.zone_offset_us = zone_offset_us(
            *o->timezone != '\0' ? o->timezone : x->config->timezone, rows[0].start_us);
        if (!phone_rows_sum(rows, n, &so, x->a, &c))
                return err_set(err, ERR_REJECT,
                    "this is a call to none of our numbers (ours), or none at all: it "
                    "is not kept");
        explain_call(x, o, &c,
            c.direction == CALL_IN && phone_rows_are_short(rows, n, o->short_ms), "");
        return 0;
}
