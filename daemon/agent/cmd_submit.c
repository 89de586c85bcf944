/*
 * SUBMIT: a ticket by hand or by a program. LOGCALL: an operator's note of a call, on a
 * new or a given ticket. Both read one JSON object and go the way of all messages
 * (intake_submit); a member we do not know is refused, so that a typing error is not lost
 * in silence. FEED: call records from a pipe, into the phone log of that name.
 *
 * Killed before the answer: the same command with the same key finds what was stored; a
 * call of FEED is known by its id.
 */
#include <stdio.h>
#include <string.h>

#include "channels/phone_message.h"
#include "daemon/agent/agent.h"
#include "daemon/base/clock.h"
#include "daemon/base/crash.h"
#include "daemon/base/utf8.h"
#include "daemon/intake.h"
#include "daemon/phones.h"

#define SUBJECT_MAX 1000
#define NAME_MAX_TEXT 256
#define FIELDS_MAX 100
#define FIELD_MAX 4096

/* ---- members ---- */

struct input { /* a JSON object of a command */
        const json_t *o;
        struct arena *a;
        struct err *err;
        bool bad;
};

static int
refuse(struct input *in, const char *name, const char *expected)
{
        if (!in->bad)
                err_code(
                    in->err, ERR_REJECT, "BADARG", "%s: expected %s", name, expected);
        in->bad = true;
        return -1;
}

/* Refuses any member that is not named here (NULL ends the list). */
static void
members_only(struct input *in, const json_t *o, const char *const *names)
{
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)o, key, value)
        {
                bool known = false;

                for (const char *const *n = names; *n != NULL; n++)
                        known = known || strcmp(*n, key) == 0;
                if (!known && !in->bad) {
                        err_code(in->err, ERR_REJECT, "BADARG", "unknown member '%.*s'",
                            (int)utf8_cut(key, strlen(key), 40), key);
                        in->bad = true;
                }
        }
}

/* A text member of at most max bytes, "" when it is absent or null. */
static const char *
text_member(struct input *in, const json_t *o, const char *name, size_t max)
{
        const json_t *v = json_object_get(o, name);
        struct buf b AUTO_BUF = BUF_INIT;

        if (v == NULL || json_is_null(v))
                return "";
        if (!json_is_string(v)) {
                refuse(in, name, "a text");
                return "";
        }
        if (json_string_length(v) > max) {
                refuse(in, name, arena_printf(in->a, "at most %zu bytes", max));
                return "";
        }
        utf8_add_clean(&b, json_string_value(v), json_string_length(v));
        return arena_strdup(in->a, buf_str(&b));
}

static const char *
line_member(struct input *in, const json_t *o, const char *name, size_t max)
{
        const char *s = text_member(in, o, name, max);

        if (strpbrk(s, "\n\t") != NULL)
                refuse(in, name, "one line");
        return s;
}

static const char *
ticket_member(struct input *in)
{
        const char *s = line_member(in, in->o, "ticket", 20);

        if (strspn(s, "0123456789") != strlen(s) || *s == '0')
                refuse(in, "ticket", "a ticket's number such as \"1042\"");
        return s;
}

static json_t *
input_read(struct call *c, struct input *in, struct err *err)
{
        const struct arg_value *v = call_value(c, "json");
        json_t *o = json_read(v->s, v->len, agents_limits.arg, err);

        if (o == NULL || !json_is_object(o)) {
                json_decref(o);
                err_code(err, ERR_REJECT, "BADARG", "json: expected an object%s%.200s",
                    o == NULL ? ": " : "", o == NULL ? err->text : "");
                return NULL;
        }
        *in = (struct input){.o = o, .a = c->arena, .err = err};
        return o;
}

/* ---- the end of both ---- */

static void
on_submitted(void *arg, const struct err *err, const char *ticket)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT;

        if (err->kind != ERR_NONE) {
                call_fail(c, err);
                return;
        }
        resp_bulks(&b, ticket);
        crash_point("submit.answer");
        call_answer(c, &b);
}

static bool
submit_sees(void *arg, const struct ticket *t)
{
        const struct call *c = arg;

        return identity_sees(c->agents, &c->me, t);
}

static void
submit(struct call *c, struct message **m, const char *ticket, bool is_note)
{
        struct desk *d = c->agents->desk;
        struct submission s = {
            .message = *m,
            .ticket = ticket,
            .who = c->me.who,
            .key = c->idem,
            .sees = submit_sees,
            .is_note = is_note,
        };
        struct err err = {.kind = ERR_NONE};
        const struct channel_host *h = intake_host(d->intake);

        if (h->may_take(h->arg, &err) == -1) {
                call_fail(c, &err);
                return;
        }
        *m = NULL;
        crash_point("submit.begin");
        intake_submit(d->intake, &s, on_submitted, c);
}

/* ---- SUBMIT ---- */

static void
read_from(struct input *in, const struct config *cfg, struct message *m)
{
        static const char *const names[] = {"name", "address", "phone", NULL};
        const json_t *from = json_object_get(in->o, "from");
        const char *phone;

        if (from == NULL || json_is_null(from))
                return;
        if (!json_is_object(from)) {
                refuse(in, "from", "an object with name, address, phone");
                return;
        }
        members_only(in, from, names);
        m->from.name = line_member(in, from, "name", NAME_MAX_TEXT);
        m->from.address = line_member(in, from, "address", 254);
        if (*m->from.address != '\0' && !address_is_safe(m->from.address))
                refuse(in, "address", "a mail address");
        phone = line_member(in, from, "phone", 64);
        m->phone = phone_normalise(m->arena, phone, cfg->country);
        if (*phone != '\0' && !phone_is_e164(m->phone))
                refuse(in, "phone", "a telephone number such as +74951234567");
}

static const char *
field_value(struct input *in, struct message *m, const json_t *v)
{
        if (json_is_string(v) && json_string_length(v) <= FIELD_MAX)
                return arena_strndup(
                    m->arena, json_string_value(v), json_string_length(v));
        if (json_is_integer(v))
                return arena_printf(m->arena, "%lld", (long long)json_integer_value(v));
        if (json_is_boolean(v))
                return json_is_true(v) ? "yes" : "no";
        refuse(in, "fields", "texts of at most 4 KB, or lists of them");
        return "";
}

static void
read_field(struct input *in, struct message *m, const char *key, const json_t *v)
{
        struct form_data *f = m->form;
        struct form_field *field;
        size_t n = json_is_array(v) ? json_array_size(v) : 1;

        if (f->n_fields == FIELDS_MAX || n > FIELDS_MAX || *key == '\0' ||
            strlen(key) > NAME_MAX_TEXT) {
                refuse(in, "fields", "at most 100 fields with names and 100 values each");
                return;
        }
        f->fields = arena_grow(m->arena, f->fields, f->n_fields, sizeof *f->fields);
        field = &f->fields[f->n_fields++];
        field->name = field->label = arena_strdup(m->arena, key);
        field->values = arena_alloc(m->arena, (n + 1) * sizeof *field->values);
        field->n_values = n;
        for (size_t i = 0; i < n; i++)
                field->values[i] =
                    field_value(in, m, json_is_array(v) ? json_array_get(v, i) : v);
}

static void
read_fields(struct input *in, struct message *m)
{
        json_t *o = json_object_get(in->o, "fields"), *value;
        const char *key;

        if (o == NULL || json_is_null(o) || json_object_size(o) == 0) {
                if (o != NULL && !json_is_null(o) && !json_is_object(o))
                        refuse(in, "fields", "an object");
                return;
        }
        m->form = arena_alloc(m->arena, sizeof *m->form);
        m->form->name = m->form->consent_text = m->form->consent_address = "";
        json_object_foreach(o, key, value)
        {
                read_field(in, m, key, value);
        }
}

static void
read_language(struct input *in, const struct config *cfg, struct message *m)
{
        m->language = line_member(in, in->o, "language", 16);
        for (size_t i = 0; i < cfg->n_languages; i++)
                if (strcmp(cfg->languages[i], m->language) == 0)
                        return;
        if (*m->language != '\0')
                refuse(in, "language", "a language of this desk");
}

static int
submit_read(struct input *in, const struct config *cfg, struct message *m)
{
        static const char *const names[] = {"from", "subject", "text", "fields",
            "language", "ticket", "attachments", NULL};
        const json_t *files = json_object_get(in->o, "attachments");

        members_only(in, in->o, names);
        read_from(in, cfg, m);
        m->subject = line_member(in, in->o, "subject", SUBJECT_MAX);
        m->text = text_member(in, in->o, "text", agents_limits.text);
        read_language(in, cfg, m);
        read_fields(in, m);
        if (files != NULL && !json_is_null(files) &&
            (!json_is_array(files) || json_array_size(files) > 0))
                refuse(in, "attachments", "none: files come by mail or by a form");
        if (*m->subject == '\0' && *m->text == '\0')
                refuse(in, "text", "a subject or a text");
        return in->bad ? -1 : 0;
}

/* It answers as mail does: by the first account. */
static const char *
submit_account(const struct config *cfg)
{
        return cfg->n_mails > 0 ? cfg->mails[0].address : "submit";
}

void
cmd_submit(struct call *c)
{
        struct message *m AUTO_MESSAGE = message_new();
        const struct config *cfg = c->agents->desk->config;
        const char *ticket = "";
        struct input in;
        struct err err;
        json_t *o = input_read(c, &in, &err);
        int rc = -1;

        if (o != NULL) {
                in.a = m->arena;
                rc = submit_read(&in, cfg, m);
                ticket = ticket_member(&in);
                rc = in.bad ? -1 : rc;
                json_decref(o);
        }
        if (rc == -1) {
                call_fail(c, &err);
                return;
        }
        m->channel = "email";
        m->account = arena_strdup(m->arena, submit_account(cfg));
        submit(c, &m, arena_strdup(c->arena, ticket), false);
}

/* ---- LOGCALL ---- */

static void
read_words(struct input *in, struct phone_call *call)
{
        const char *direction = line_member(in, in->o, "direction", 8);
        const char *result = line_member(in, in->o, "result", 16);

        call->direction = strcmp(direction, "out") == 0 ? CALL_OUT : CALL_IN;
        call->result = strcmp(result, "missed") == 0 ? CALL_MISSED : CALL_ANSWERED;
        if (*direction != '\0' &&
            strcmp(direction, call_direction_name(call->direction)) != 0)
                refuse(in, "direction", "in or out");
        if (*result != '\0' && strcmp(result, call_result_name(call->result)) != 0)
                refuse(in, "result", "answered or missed");
}

static void
read_times(struct input *in, struct phone_call *call)
{
        const json_t *duration = json_object_get(in->o, "duration_s");
        const char *started = line_member(in, in->o, "started_at", 40);

        call->started_at_us = clock_now_us();
        if (*started != '\0' && !clock_parse(started, &call->started_at_us))
                refuse(in, "started_at", "a time such as 2026-11-24T10:00:00Z");
        if (duration == NULL || json_is_null(duration))
                return;
        call->duration_s = json_integer_value(duration);
        if (!json_is_integer(duration) || call->duration_s < 0 ||
            call->duration_s > 7 * 86400)
                refuse(in, "duration_s", "seconds, at most a week");
}

static int
logcall_read(struct input *in, const struct config *cfg, struct phone_call *call,
    const char **text, const char **ticket)
{
        static const char *const names[] = {"ticket", "number", "name", "direction",
            "result", "duration_s", "started_at", "text", NULL};
        const char *number;

        *call = (struct phone_call){.id = "", .from = "", .to = ""};
        members_only(in, in->o, names);
        *ticket = ticket_member(in);
        number =
            phone_normalise(in->a, line_member(in, in->o, "number", 64), cfg->country);
        call->name = line_member(in, in->o, "name", NAME_MAX_TEXT);
        *text = text_member(in, in->o, "text", agents_limits.text);
        read_words(in, call);
        read_times(in, call);
        if (*number == '\0' && **ticket == '\0')
                refuse(in, "number", "the number of the other side");
        if (call->direction == CALL_IN)
                call->from = number;
        else
                call->to = number;
        return in->bad ? -1 : 0;
}

static struct message *
logcall_message(const struct call *c, const struct phone_call *call, const char *text)
{
        const struct config *cfg = c->agents->desk->config;
        const struct agent_options *agent = config_agent(cfg, c->me.agent);
        struct phone_words w = {
            .language = cfg->n_languages > 0 ? cfg->languages[0] : "en",
            .timezone = cfg->timezone,
            .note = text,
        };
        struct message *m = phone_message(call, &w);

        m->channel = "phone";
        m->account = cfg->n_phones > 0 ? arena_strdup(m->arena, cfg->phones[0].account)
                                       : "phone:hand";
        m->author = arena_strdup(m->arena, c->me.who);
        if (call->direction == CALL_OUT)
                m->from.name =
                    arena_strdup(m->arena, agent == NULL ? c->me.who : agent->full_name);
        return m;
}

void
cmd_logcall(struct call *c)
{
        struct message *m AUTO_MESSAGE = NULL;
        struct phone_call call;
        const char *text = "", *ticket = "";
        struct input in;
        struct err err;
        json_t *o = input_read(c, &in, &err);
        int rc = -1;

        if (o != NULL) {
                rc = logcall_read(&in, c->agents->desk->config, &call, &text, &ticket);
                json_decref(o);
        }
        if (rc == -1) {
                call_fail(c, &err);
                return;
        }
        m = logcall_message(c, &call, text);
        if (*ticket != '\0')
                m->direction = MESSAGE_NOTE;
        submit(c, &m, ticket, *ticket != '\0');
}

/* ---- FEED ---- */

static void
on_fed(void *arg, const struct phone_pushed *p)
{
        struct call *c = arg;
        struct buf b AUTO_BUF = BUF_INIT, doc AUTO_BUF = BUF_INIT;
        struct json_out o;

        if (p->settlement == SETTLE_LATER || p->settlement == SETTLE_FULL) {
                call_error(c, "TRYAGAIN", "%s", p->why);
                return;
        }
        jo_init(&o, &doc);
        jo_open(&o, '{');
        jo_kint(&o, "records", p->n_records);
        jo_kint(&o, "bad", p->n_bad);
        jo_kint(&o, "calls", p->n_calls);
        jo_kstring(&o, "outcome", settlement_name(p->settlement));
        jo_kstring_or_null(&o, "ticket", p->ticket);
        jo_close(&o, '}');
        resp_bulk(&b, doc.data, doc.len);
        call_answer(c, &b);
}

void
cmd_feed(struct call *c)
{
        const struct arg_value *record = call_value(c, "record");
        struct phone_log *log = phones_find(c->agents->desk->phones, call_arg(c, "name"));
        struct err err = {.kind = ERR_NONE};

        if (log == NULL) {
                call_error(c, "NOSUCH", "there is no phone %s in the configuration",
                    call_arg(c, "name"));
                return;
        }
        if (phone_log_push(log, "", record->s, record->len, on_fed, c, &err) == -1)
                call_fail(c, &err);
}
