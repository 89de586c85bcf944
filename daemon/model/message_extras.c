/*
 * What a message has beyond the fields of a mail: the fields of a web form, a telephone
 * call; what was understood of it. The first two are written into its document and read
 * by clients, never by us again.
 */
#include "daemon/model/message_extras.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/utf8.h"

static void
field_format(struct json_out *o, const struct form_field *f)
{
        jo_key(o, f->name);
        if (f->n_values == 1) {
                jo_string(o, f->values[0]);
                return;
        }
        jo_strings(o, f->values, f->n_values);
}

static void
form_format(struct json_out *o, const struct form_data *f)
{
        jo_key(o, "form");
        jo_open(o, '{');
        jo_kstring(o, "name", f->name);
        jo_key(o, "fields");
        jo_open(o, '{');
        for (size_t i = 0; i < f->n_fields; i++)
                field_format(o, &f->fields[i]);
        jo_close(o, '}');
        if (f->consent_text[0] != '\0') {
                jo_key(o, "consent");
                jo_open(o, '{');
                jo_ktime(o, "at", f->consent_at_us);
                jo_kstring(o, "address", f->consent_address);
                jo_kstring(o, "text", f->consent_text);
                jo_close(o, '}');
        }
        jo_close(o, '}');
}

static void
call_format(struct json_out *o, const struct phone_call *c)
{
        jo_key(o, "call");
        jo_open(o, '{');
        jo_kstring(o, "id", c->id);
        jo_kstring(o, "from", c->from);
        jo_kstring(o, "to", c->to);
        jo_kstring(o, "name", c->name);
        jo_kstring(o, "direction", call_direction_name(c->direction));
        jo_ktime(o, "started_at", c->started_at_us);
        jo_ktime(o, "answered_at", c->answered_at_us);
        jo_ktime(o, "ended_at", c->ended_at_us);
        jo_kint(o, "duration_s", c->duration_s);
        jo_kstring(o, "result", call_result_name(c->result));
        jo_close(o, '}');
}

/* ---- what was understood ---- */

#define MAX_FINDINGS 200
#define MAX_NOTICES 100
#define MAX_WHY 300

void
message_find(
    struct message *m, const char *about, const char *found, const char *format, ...)
{
        char why[MAX_WHY];
        struct finding *to;
        va_list ap;

        if (m->n_findings >= MAX_FINDINGS)
                return;
        va_start(ap, format);
        vsnprintf(why, sizeof why, format, ap);
        va_end(ap);
        m->findings = arena_grow(m->arena, m->findings, m->n_findings, sizeof *to);
        to = &m->findings[m->n_findings++];
        to->about = arena_strdup(m->arena, about);
        to->found =
            arena_strndup(m->arena, found, utf8_cut(found, strlen(found), MAX_WHY));
        to->why = arena_strndup(m->arena, why, utf8_cut(why, strlen(why), MAX_WHY));
}

void
message_notice(
    struct message *m, const char *kind, const char *part, const char *format, ...)
{
        char text[MAX_WHY];
        struct notice *to;
        va_list ap;

        if (m->n_notices >= MAX_NOTICES)
                return;
        va_start(ap, format);
        vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        m->notices = arena_grow(m->arena, m->notices, m->n_notices, sizeof *to);
        to = &m->notices[m->n_notices++];
        to->kind = arena_strdup(m->arena, kind);
        to->part = arena_strdup(m->arena, part);
        to->text = arena_strndup(m->arena, text, utf8_cut(text, strlen(text), MAX_WHY));
}

static void
notices_format(struct json_out *o, const struct message *m)
{
        jo_key(o, "notices");
        jo_open(o, '[');
        for (size_t i = 0; i < m->n_notices; i++) {
                jo_open(o, '{');
                jo_kstring(o, "kind", m->notices[i].kind);
                jo_kstring(o, "part", m->notices[i].part);
                jo_kstring(o, "text", m->notices[i].text);
                jo_close(o, '}');
        }
        jo_close(o, ']');
}

static void
recipients_format(
    struct json_out *o, const char *key, const struct mail_report *r, bool only_failed)
{
        jo_key(o, key);
        jo_open(o, '[');
        for (size_t i = 0; i < r->n_recipients; i++) {
                const struct report_recipient *x = &r->recipients[i];

                if (only_failed && strcmp(x->action, "failed") != 0)
                        continue;
                jo_open(o, '{');
                jo_kstring(o, "address", x->address);
                if (!only_failed)
                        jo_kstring(o, "action", x->action);
                jo_kstring(o, "status", x->status);
                jo_kstring(o, "reply", x->reply);
                jo_kstring(o, "reason", x->reason);
                jo_kbool(o, "permanent", x->permanent);
                jo_close(o, '}');
        }
        jo_close(o, ']');
}

static void
report_format(struct json_out *o, const struct mail_report *r)
{
        jo_key(o, "report");
        jo_open(o, '{');
        jo_kstring(o, "type", r->type);
        jo_kstring(o, "system", r->system);
        recipients_format(o, "recipients", r, false);
        jo_kstrings(o, "returned_ids", r->returned_ids, r->n_returned_ids);
        jo_kstring(o, "returned_subject", r->returned_subject);
        jo_close(o, '}');
        if (strcmp(r->type, "failure") == 0)
                recipients_format(o, "failed_recipients", r, true);
}

static void
forwarded_format(struct json_out *o, const struct forwarded_mail *f)
{
        jo_key(o, "forwarded");
        jo_open(o, '{');
        jo_kstring(o, "name", f->name);
        jo_kstring(o, "address", f->address);
        jo_kstring(o, "subject", f->subject);
        jo_ktime(o, "sent_at", f->sent_at_us);
        jo_kstring(o, "message_id", f->message_id);
        jo_kstring(o, "part", f->part);
        jo_kstring(o, "text", f->text);
        jo_kbool(o, "whole", f->whole);
        jo_close(o, '}');
}

void
message_findings_format(struct json_out *o, const struct message *m)
{
        if (m->n_findings == 0)
                return;
        jo_key(o, "findings");
        jo_open(o, '[');
        for (size_t i = 0; i < m->n_findings; i++) {
                jo_open(o, '[');
                jo_string(o, m->findings[i].about);
                jo_string(o, m->findings[i].found);
                jo_string(o, m->findings[i].why);
                jo_close(o, ']');
        }
        jo_close(o, ']');
}

void
message_extras_format(struct json_out *o, const struct message *m)
{
        if (m->phone[0] != '\0')
                jo_kstring(o, "phone", m->phone);
        if (m->form != NULL)
                form_format(o, m->form);
        if (m->call != NULL)
                call_format(o, m->call);
        if (m->n_notices > 0)
                notices_format(o, m);
        if (m->report != NULL)
                report_format(o, m->report);
        if (m->forwarded != NULL)
                forwarded_format(o, m->forwarded);
}
