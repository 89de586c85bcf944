/*
 * What a message has beyond a mail: the fields of a web form, a telephone call.
 * They are written into its document and read by clients, never by us again.
 */
#include "daemon/model/message_extras.h"

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

void
message_extras_format(struct json_out *o, const struct message *m)
{
        if (m->phone[0] != '\0')
                jo_kstring(o, "phone", m->phone);
        if (m->form != NULL)
                form_format(o, m->form);
        if (m->call != NULL)
                call_format(o, m->call);
}
