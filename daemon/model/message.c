/*
 * A message and its JSON, both ways; see message.h.
 *
 * Reading is for hostile input (the mime helper may have been taken over by the
 * mail it parsed): a member of a wrong type is an error that names it, what is
 * one line stays one line, and every list is bounded. Writing never fails.
 */
#include "daemon/model/message.h"
#include "daemon/model/message_extras.h"

#include <string.h>
#include <strings.h>

#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/utf8.h"

#define MESSAGE_JSON_MAX (8u << 20)
#define LIST_MAX 10000u /* members of one list */
#define LINE_MAX_BYTES 2000u /* of what is one line: subjects, ids, addresses */
#define NAME_MAX_BYTES 256u /* of a display name */
#define TIME_MAX_US 253402300799000000LL /* the last second of year 9999 */

static const char *const direction_names[] = {"in", "out", "note"};
static const char *const kind_names[] = {
    "message", "auto-reply", "bounce", "report", "list", "thanks", "call", "form"};

#define N_OF(array) (sizeof(array) / sizeof *(array))

const char *
message_direction_name(enum message_direction d)
{
        return direction_names[d];
}

const char *
message_kind_name(enum message_kind k)
{
        return kind_names[k];
}

bool
message_kind_parse(const char *s, enum message_kind *out)
{
        for (size_t i = 0; i < N_OF(kind_names); i++)
                if (strcmp(s, kind_names[i]) == 0) {
                        *out = (enum message_kind)i;
                        return true;
                }
        return false;
}

static bool
direction_parse(const char *s, enum message_direction *out)
{
        for (size_t i = 0; i < N_OF(direction_names); i++)
                if (strcmp(s, direction_names[i]) == 0) {
                        *out = (enum message_direction)i;
                        return true;
                }
        return false;
}

static struct message *
message_in(struct arena *a)
{
        static const struct mail_address nobody = {"", ""};
        struct message *m = arena_alloc(a, sizeof *m);

        m->arena = a;
        m->id = m->channel = m->account = m->author = "";
        m->from = m->reply_to = nobody;
        m->envelope_from = m->message_id = m->subject = m->text = m->new_text = "";
        m->language = m->machine = m->digest = m->phone = "";
        return m;
}

struct message *
message_new(void)
{
        return message_in(arena_new());
}

void
message_free(struct message **m)
{
        struct arena *a;

        if (*m == NULL)
                return;
        a = (*m)->arena;
        *m = NULL;
        arena_free(&a);
}

const char *
message_header(const struct message *m, const char *name)
{
        for (size_t i = 0; i < m->n_headers; i++)
                if (strcasecmp(m->headers[i].name, name) == 0)
                        return m->headers[i].value;
        return NULL;
}

/* ---- writing ---- */

static void
address_format(struct json_out *o, const struct mail_address *a)
{
        jo_open(o, '{');
        jo_kstring(o, "name", a->name);
        jo_kstring(o, "address", a->address);
        jo_close(o, '}');
}

static void
addresses_format(
    struct json_out *o, const char *key, const struct mail_address *a, size_t n)
{
        jo_key(o, key);
        jo_open(o, '[');
        for (size_t i = 0; i < n; i++)
                address_format(o, &a[i]);
        jo_close(o, ']');
}

static void
attachments_format(struct json_out *o, const struct message *m)
{
        jo_key(o, "attachments");
        jo_open(o, '[');
        for (size_t i = 0; i < m->n_attachments; i++) {
                const struct attachment *a = &m->attachments[i];

                jo_open(o, '{');
                jo_kstring(o, "part", a->part);
                jo_kstring(o, "name", a->name);
                jo_kstring(o, "type", a->type);
                jo_kint(o, "size", a->size);
                jo_kstring(o, "sha256", a->sha256);
                jo_kbool(o, "inline", a->is_inline);
                jo_close(o, '}');
        }
        jo_close(o, ']');
}

static void
raw_format(struct json_out *o, const struct blob_ref *raw)
{
        if (raw->segment == 0)
                return;
        jo_key(o, "raw");
        jo_open(o, '{');
        jo_kint(o, "segment", raw->segment);
        jo_kint(o, "offset", (int64_t)raw->offset);
        jo_kint(o, "length", (int64_t)raw->length);
        jo_kstring(o, "sha256", raw->sha256);
        jo_close(o, '}');
}

static void
who_format(struct json_out *o, const struct message *m)
{
        jo_kstring(o, "direction", message_direction_name(m->direction));
        jo_kstring(o, "kind", message_kind_name(m->kind));
        jo_kstring(o, "channel", m->channel);
        jo_kstring(o, "account", m->account);
        jo_kstring(o, "author", m->author);
        jo_key(o, "from");
        address_format(o, &m->from);
        addresses_format(o, "to", m->to, m->n_to);
        addresses_format(o, "cc", m->cc, m->n_cc);
        jo_key(o, "reply_to");
        if (m->reply_to.address[0] != '\0' || m->reply_to.name[0] != '\0')
                address_format(o, &m->reply_to);
        else
                jo_null(o);
        if (m->has_envelope)
                jo_kstring(o, "envelope_from", m->envelope_from);
        jo_kstring(o, "message_id", m->message_id);
        jo_kstrings(o, "in_reply_to", m->in_reply_to, m->n_in_reply_to);
        jo_kstrings(o, "references", m->references, m->n_references);
}

static void
what_format(struct json_out *o, const struct message *m)
{
        jo_ktime(o, "sent_at", m->sent_at_us);
        jo_ktime(o, "received_at", m->received_at_us);
        jo_kstring(o, "subject", m->subject);
        jo_kstring(o, "text", m->text);
        if (m->new_text[0] != '\0')
                jo_kstring(o, "new_text", m->new_text);
        jo_kbool(o, "from_html", m->from_html);
        jo_kbool(o, "truncated", m->truncated);
        jo_kbool(o, "header_only", m->header_only);
        jo_kstring(o, "language", m->language);
        jo_kstring(o, "machine", m->machine);
        attachments_format(o, m);
        raw_format(o, &m->raw);
        message_extras_format(o, m);
}

static void
headers_format(struct json_out *o, const struct message *m)
{
        if (m->n_headers > 0) {
                jo_key(o, "headers");
                jo_open(o, '[');
                for (size_t i = 0; i < m->n_headers; i++) {
                        jo_open(o, '[');
                        jo_string(o, m->headers[i].name);
                        jo_string(o, m->headers[i].value);
                        jo_close(o, ']');
                }
                jo_close(o, ']');
        }
        if (m->digest[0] != '\0')
                jo_kstring(o, "digest", m->digest);
        message_findings_format(o, m);
}

void
message_format_tail(const struct message *m, struct buf *out)
{
        struct json_out o;

        jo_init(&o, out);
        who_format(&o, m);
        what_format(&o, m);
        jo_close(&o, '}');
}

void
message_format(const struct message *m, struct buf *out)
{
        struct json_out o;

        jo_init(&o, out);
        jo_open(&o, '{');
        jo_kint(&o, "v", 1);
        jo_kstring(&o, "id", m->id);
        who_format(&o, m);
        what_format(&o, m);
        headers_format(&o, m);
        jo_close(&o, '}');
}

/* ---- reading ---- */

struct reader {
        struct arena *a;
        struct err *err;
        bool failed;
};

static void
reader_fail(struct reader *r, const char *member, const char *wanted)
{
        if (!r->failed)
                err_set(r->err, ERR_REJECT, "message: '%s' is not %s", member, wanted);
        r->failed = true;
}

/* What stands in one line of a header stays one line: controls become blanks; at
 * most max bytes of it. */
static const char *
one_line(struct arena *a, const char *s, size_t max)
{
        char *copy = arena_strndup(a, s, s == NULL ? 0 : utf8_cut(s, strlen(s), max));

        for (char *p = copy; *p != '\0'; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f)
                        *p = ' ';
        return copy;
}

static const char *
read_text(struct reader *r, const json_t *o, const char *member)
{
        const json_t *v = json_object_get(o, member);

        if (v == NULL || json_is_null(v))
                return "";
        if (!json_is_string(v)) {
                reader_fail(r, member, "a string");
                return "";
        }
        return arena_strdup(r->a, json_string_value(v));
}

static const char *
read_line(struct reader *r, const json_t *o, const char *member)
{
        return one_line(r->a, read_text(r, o, member), LINE_MAX_BYTES);
}

static bool
read_bool(struct reader *r, const json_t *o, const char *member)
{
        const json_t *v = json_object_get(o, member);

        if (v != NULL && !json_is_null(v) && !json_is_boolean(v))
                reader_fail(r, member, "true or false");
        return json_is_true(v);
}

/* A whole number from 0 to max; absent is 0. */
static int64_t
read_count(struct reader *r, const json_t *o, const char *member, int64_t max)
{
        const json_t *v = json_object_get(o, member);
        int64_t n;

        if (v == NULL || json_is_null(v))
                return 0;
        n = json_integer_value(v);
        if (!json_is_integer(v) || n < 0 || n > max) {
                reader_fail(r, member, "a number in its range");
                return 0;
        }
        return n;
}

static int64_t
read_time(struct reader *r, const json_t *o, const char *member)
{
        const char *s = read_text(r, o, member);
        int64_t us;

        if (s[0] == '\0')
                return 0;
        if (!clock_parse(s, &us) || us < 0 || us > TIME_MAX_US) {
                reader_fail(r, member, "a time (RFC 3339)");
                return 0;
        }
        return us;
}

/* The list member, its length in *n; NULL and 0 when absent or wrong. */
static const json_t *
read_list(struct reader *r, const json_t *o, const char *member, size_t *n)
{
        const json_t *v = json_object_get(o, member);

        *n = 0;
        if (v == NULL || json_is_null(v))
                return NULL;
        if (!json_is_array(v) || json_array_size(v) > LIST_MAX) {
                reader_fail(r, member, "a list of at most 10000");
                return NULL;
        }
        *n = json_array_size(v);
        return v;
}

static const char **
read_strings(struct reader *r, const json_t *o, const char *member, size_t *n)
{
        const json_t *list = read_list(r, o, member, n);
        const char **out = arena_alloc(r->a, (*n + 1) * sizeof *out);

        for (size_t i = 0; i < *n; i++) {
                const char *s = json_string_value(json_array_get(list, i));

                if (s == NULL)
                        reader_fail(r, member, "a list of strings");
                out[i] = one_line(r->a, s, LINE_MAX_BYTES);
        }
        return out;
}

static struct mail_address
read_address(struct reader *r, const json_t *v, const char *member)
{
        struct mail_address a = {"", ""};

        if (v == NULL || json_is_null(v))
                return a;
        if (!json_is_object(v)) {
                reader_fail(r, member, "an address");
                return a;
        }
        a.name = one_line(r->a, read_text(r, v, "name"), NAME_MAX_BYTES);
        a.address = read_line(r, v, "address");
        return a;
}

static struct mail_address *
read_addresses(struct reader *r, const json_t *o, const char *member, size_t *n)
{
        const json_t *list = read_list(r, o, member, n);
        struct mail_address *out = arena_alloc(r->a, (*n + 1) * sizeof *out);

        for (size_t i = 0; i < *n; i++)
                out[i] = read_address(r, json_array_get(list, i), member);
        return out;
}

static void
read_attachments(struct reader *r, const json_t *o, struct message *m)
{
        const json_t *list = read_list(r, o, "attachments", &m->n_attachments);

        m->attachments =
            arena_alloc(r->a, (m->n_attachments + 1) * sizeof *m->attachments);
        for (size_t i = 0; i < m->n_attachments; i++) {
                const json_t *v = json_array_get(list, i);
                struct attachment *a = &m->attachments[i];

                if (!json_is_object(v))
                        reader_fail(r, "attachments", "a list of objects");
                a->part = read_line(r, v, "part");
                a->name = read_line(r, v, "name");
                a->type = read_line(r, v, "type");
                a->size = read_count(r, v, "size", INT64_MAX);
                a->sha256 = read_line(r, v, "sha256");
                a->is_inline = read_bool(r, v, "inline");
        }
}

static bool
is_sha256(const char *s)
{
        return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static void
read_raw(struct reader *r, const json_t *o, struct blob_ref *raw)
{
        const json_t *v = json_object_get(o, "raw");
        const char *sum;

        if (v == NULL || json_is_null(v))
                return;
        sum = read_line(r, v, "sha256");
        raw->segment = (uint32_t)read_count(r, v, "segment", UINT32_MAX);
        raw->offset = (uint64_t)read_count(r, v, "offset", INT64_MAX);
        raw->length = (uint64_t)read_count(r, v, "length", INT64_MAX);
        if (!is_sha256(sum)) {
                reader_fail(r, "raw", "a reference to a blob");
                return;
        }
        memcpy(raw->sha256, sum, sizeof raw->sha256);
}

static void
read_headers(struct reader *r, const json_t *o, struct message *m)
{
        const json_t *list = read_list(r, o, "headers", &m->n_headers);

        m->headers = arena_alloc(r->a, (m->n_headers + 1) * sizeof *m->headers);
        for (size_t i = 0; i < m->n_headers; i++) {
                const json_t *pair = json_array_get(list, i);
                const char *name = json_string_value(json_array_get(pair, 0));
                const char *value = json_string_value(json_array_get(pair, 1));

                if (name == NULL || value == NULL)
                        reader_fail(r, "headers", "a list of name and value");
                m->headers[i].name = one_line(r->a, name, LINE_MAX_BYTES);
                m->headers[i].value = one_line(r->a, value, SIZE_MAX);
        }
        m->digest = read_line(r, o, "digest");
}

static void
read_findings(struct reader *r, const json_t *o, struct message *m)
{
        const json_t *list = read_list(r, o, "findings", &m->n_findings);

        /* grown as message_find grows it: more may come behind */
        for (size_t i = 0; i < m->n_findings; i++) {
                const json_t *v = json_array_get(list, i);
                const char *word[3];

                m->findings = arena_grow(r->a, m->findings, i, sizeof *m->findings);
                for (size_t k = 0; k < 3; k++) {
                        word[k] = json_string_value(json_array_get(v, k));
                        if (word[k] == NULL)
                                reader_fail(r, "findings", "a list of three words each");
                        word[k] = one_line(r->a, word[k], LINE_MAX_BYTES);
                }
                m->findings[i] = (struct finding){word[0], word[1], word[2]};
        }
}

static void
read_notices(struct reader *r, const json_t *o, struct message *m)
{
        const json_t *list = read_list(r, o, "notices", &m->n_notices);

        /* grown as message_notice grows it: more may come behind */
        for (size_t i = 0; i < m->n_notices; i++) {
                const json_t *v = json_array_get(list, i);

                m->notices = arena_grow(r->a, m->notices, i, sizeof *m->notices);
                if (!json_is_object(v))
                        reader_fail(r, "notices", "a list of objects");
                m->notices[i].kind = read_line(r, v, "kind");
                m->notices[i].part = read_line(r, v, "part");
                m->notices[i].text = read_line(r, v, "text");
        }
}

static void
read_recipient(struct reader *r, const json_t *v, struct report_recipient *x)
{
        if (!json_is_object(v))
                reader_fail(r, "recipients", "a list of objects");
        x->address = read_line(r, v, "address");
        x->action = read_line(r, v, "action");
        x->status = read_line(r, v, "status");
        x->reply = read_line(r, v, "reply");
        x->reason = read_line(r, v, "reason");
        x->permanent = read_bool(r, v, "permanent");
}

static void
read_report(struct reader *r, const json_t *o, struct message *m)
{
        const json_t *v = json_object_get(o, "report");
        struct mail_report *x;
        const json_t *list;

        if (v == NULL || json_is_null(v))
                return;
        if (!json_is_object(v)) {
                reader_fail(r, "report", "an object");
                return;
        }
        m->report = x = arena_alloc(r->a, sizeof *x);
        x->type = read_line(r, v, "type");
        x->system = read_line(r, v, "system");
        list = read_list(r, v, "recipients", &x->n_recipients);
        x->recipients = arena_alloc(r->a, (x->n_recipients + 1) * sizeof *x->recipients);
        for (size_t i = 0; i < x->n_recipients; i++)
                read_recipient(r, json_array_get(list, i), &x->recipients[i]);
        x->returned_ids = read_strings(r, v, "returned_ids", &x->n_returned_ids);
        x->returned_subject = read_line(r, v, "returned_subject");
}

static void
read_forwarded(struct reader *r, const json_t *o, struct message *m)
{
        const json_t *v = json_object_get(o, "forwarded");
        struct forwarded_mail *x;

        if (v == NULL || json_is_null(v))
                return;
        if (!json_is_object(v)) {
                reader_fail(r, "forwarded", "an object");
                return;
        }
        m->forwarded = x = arena_alloc(r->a, sizeof *x);
        x->name = one_line(r->a, read_text(r, v, "name"), NAME_MAX_BYTES);
        x->address = read_line(r, v, "address");
        x->subject = read_line(r, v, "subject");
        x->sent_at_us = read_time(r, v, "sent_at");
        x->message_id = read_line(r, v, "message_id");
        x->part = read_line(r, v, "part");
        x->text = read_text(r, v, "text");
        x->whole = read_bool(r, v, "whole");
}

static void
read_who(struct reader *r, const json_t *o, struct message *m)
{
        const char *direction = read_line(r, o, "direction");
        const char *kind = read_line(r, o, "kind");

        if (direction[0] != '\0' && !direction_parse(direction, &m->direction))
                reader_fail(r, "direction", "in, out or note");
        if (kind[0] != '\0' && !message_kind_parse(kind, &m->kind))
                reader_fail(r, "kind", "a known kind");
        m->id = read_line(r, o, "id");
        m->channel = read_line(r, o, "channel");
        m->account = read_line(r, o, "account");
        m->author = read_line(r, o, "author");
        m->from = read_address(r, json_object_get(o, "from"), "from");
        m->to = read_addresses(r, o, "to", &m->n_to);
        m->cc = read_addresses(r, o, "cc", &m->n_cc);
        m->reply_to = read_address(r, json_object_get(o, "reply_to"), "reply_to");
        m->envelope_from = read_line(r, o, "envelope_from");
        m->has_envelope = json_is_string(json_object_get(o, "envelope_from"));
        m->message_id = read_line(r, o, "message_id");
        m->in_reply_to = read_strings(r, o, "in_reply_to", &m->n_in_reply_to);
        m->references = read_strings(r, o, "references", &m->n_references);
}

static void
read_what(struct reader *r, const json_t *o, struct message *m)
{
        m->sent_at_us = read_time(r, o, "sent_at");
        m->received_at_us = read_time(r, o, "received_at");
        m->subject = read_line(r, o, "subject");
        m->text = read_text(r, o, "text");
        m->new_text = read_text(r, o, "new_text");
        m->from_html = read_bool(r, o, "from_html");
        m->truncated = read_bool(r, o, "truncated");
        m->header_only = read_bool(r, o, "header_only");
        m->language = read_line(r, o, "language");
        m->machine = read_line(r, o, "machine");
        read_attachments(r, o, m);
        read_raw(r, o, &m->raw);
        read_notices(r, o, m);
        read_report(r, o, m);
        read_forwarded(r, o, m);
        read_headers(r, o, m);
        read_findings(r, o, m);
}

int
message_parse(const char *json, size_t n, struct message **out, struct err *err)
{
        json_t *o = json_read(json, n, MESSAGE_JSON_MAX, err);
        struct message *m;
        struct reader r;

        if (o == NULL)
                return err_prefix(err, "message");
        if (!json_is_object(o)) {
                json_decref(o);
                return err_set(err, ERR_REJECT, "message: it is no JSON object");
        }
        m = message_new();
        r = (struct reader){m->arena, err, false};
        read_who(&r, o, m);
        read_what(&r, o, m);
        json_decref(o);
        if (r.failed) {
                message_free(&m);
                return -1;
        }
        *out = m;
        return 0;
}

/* ---- addresses ---- */

#define ADDRESS_MAX 254

/* Lower case, but ё stays: two mailboxes may differ by it. */
static uint32_t
address_lower(uint32_t cp)
{
        if (cp == 0x401 || cp == 0x451)
                return 0x451;
        return utf8_fold_char(cp);
}

static void
address_trim(const char **s, size_t *n)
{
        while (*n > 0 && strchr(" \t\r\n<", (*s)[0]) != NULL) {
                (*s)++;
                (*n)--;
        }
        while (*n > 0 && strchr(" \t\r\n>", (*s)[*n - 1]) != NULL)
                (*n)--;
        while (*n > 0 && (*s)[*n - 1] == '.')
                (*n)--;
}

const char *
address_normalise(struct arena *a, const char *address)
{
        size_t n = strlen(address), used;
        const char *at;
        struct buf b AUTO_BUF = BUF_INIT;

        if (n > 2 * ADDRESS_MAX)
                return "";
        address_trim(&address, &n);
        at = n == 0 ? NULL : memrchr(address, '@', n);
        if (at == NULL || at == address || at == address + n - 1 ||
            !utf8_valid(address, n))
                return "";
        for (size_t i = 0; i < n; i += used) {
                uint32_t cp = utf8_next(address + i, n - i, &used);

                if (cp <= ' ' || (cp >= 0x7f && cp <= 0xa0) || cp == '<' || cp == '>')
                        return "";
                utf8_add(&b, address_lower(cp));
        }
        if (b.len > ADDRESS_MAX)
                return "";
        return arena_strndup(a, b.data, b.len);
}

bool
address_is_safe(const char *address)
{
        size_t n = strlen(address);
        const char *at = strchr(address, '@');

        if (n == 0 || n > ADDRESS_MAX || at == NULL || at == address || at[1] == '\0' ||
            strchr(at + 1, '@') != NULL)
                return false;
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)address[i];

                if (c <= ' ' || c == 0x7f || c == '<' || c == '>')
                        return false;
        }
        return utf8_valid(address, n);
}
