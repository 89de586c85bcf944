/*
 * Call records in JSON: FreeSWITCH's mod_json_cdr, and our own plain objects
 * ({"id", "from", "to", "name", "direction", "result", "started_at", ...}, Asterisk's
 * names understood too); and how pushed bytes are unwrapped and cut. See phone_parse.h.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "channels/phone_impl.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"

/* ---- mod_json_cdr ---- */

/* A member as text: strings, and numbers as their digits. */
static const char *
member(const json_t *o, const char *key, struct arena *a)
{
        const json_t *v = json_object_get(o, key);

        if (json_is_string(v))
                return phone_text(a, json_string_value(v), json_string_length(v));
        if (json_is_integer(v))
                return arena_printf(a, "%lld", (long long)json_integer_value(v));
        if (json_is_real(v))
                return arena_printf(a, "%.0f", json_real_value(v));
        return "";
}

static const char *
variable(const json_t *variables, const char *key, struct arena *a)
{
        return phone_percent_decode(a, member(variables, key, a));
}

static const char *
either(const char *s, const char *otherwise)
{
        return *s != '\0' && strcmp(s, "0") != 0 ? s : otherwise;
}

/* The profile the call came with: the oldest, behind all transfers. */
static const json_t *
caller_profile(const json_t *doc)
{
        const json_t *flow = json_object_get(doc, "callflow");

        if (json_is_array(flow) && json_array_size(flow) > 0)
                flow = json_array_get(flow, json_array_size(flow) - 1);
        return json_obj(flow, "caller_profile");
}

static int
freeswitch_json(
    const json_t *doc, struct arena *a, struct phone_row *out, struct err *err)
{
        const json_t *v = json_obj(doc, "variables"), *p = caller_profile(doc);
        struct freeswitch_leg l = {
            .uuid = either(variable(v, "uuid", a), variable(p, "uuid", a)),
            .group = either(variable(v, "call_uuid", a), variable(v, "originator", a)),
            .name = either(
                variable(p, "caller_id_name", a), variable(v, "caller_id_name", a)),
            .src = either(
                variable(p, "caller_id_number", a), variable(v, "caller_id_number", a)),
            .dst = either(variable(p, "destination_number", a),
                variable(v, "destination_number", a)),
            .context = variable(p, "context", a),
            .cause = variable(v, "hangup_cause", a),
            .start = either(variable(v, "start_epoch", a), variable(v, "start_stamp", a)),
            .answer =
                either(variable(v, "answer_epoch", a), variable(v, "answer_stamp", a)),
            .end = either(variable(v, "end_epoch", a), variable(v, "end_stamp", a)),
            .duration = variable(v, "duration", a),
            .billsec = variable(v, "billsec", a),
        };

        return freeswitch_row(&l, a, out, err);
}

/* ---- plain objects ---- */

static const char *
member_of(const json_t *o, const char *const *keys, struct arena *a)
{
        for (; *keys != NULL; keys++) {
                const char *s = member(o, *keys, a);

                if (*s != '\0')
                        return s;
        }
        return "";
}
#define MEMBER(o, a, ...) member_of(o, (const char *const[]){__VA_ARGS__, NULL}, a)

static int
plain_time(const char *s, const char *name, int64_t *us, bool *zone, struct err *err)
{
        size_t digits = strspn(s, "0123456789");

        *us = 0;
        if (digits >= 9 && digits <= 17 && s[digits] == '\0') {
                *us = strtoll(s, NULL, 10) * (digits <= 11      ? 1000000
                                                 : digits <= 14 ? 1000
                                                                : 1);
                *zone = true;
                return 0;
        }
        if (*s != '\0' && strlen(s) < 40 && clock_parse(s, us)) {
                *zone = true;
                return 0;
        }
        if (phone_time_parse(s, us) == 0)
                return 0;
        return err_set(err, ERR_REJECT,
            "%s: '%.40s' is no time (expected 2026-11-24T10:00:00Z)", name, s);
}

static int
plain_times(const json_t *o, struct arena *a, struct phone_row *r, struct err *err)
{
        if (plain_time(MEMBER(o, a, "started_at", "start"), "started_at", &r->start_us,
                &r->times_have_zone, err) == -1 ||
            plain_time(MEMBER(o, a, "answered_at", "answer"), "answered_at",
                &r->answer_us, &r->times_have_zone, err) == -1 ||
            plain_time(MEMBER(o, a, "ended_at", "end"), "ended_at", &r->end_us,
                &r->times_have_zone, err) == -1)
                return -1;
        r->duration_s = phone_seconds(MEMBER(o, a, "duration_s", "duration"));
        return 0;
}

static int
plain_words(const json_t *o, struct arena *a, struct phone_row *r, struct err *err)
{
        const char *direction = member(o, "direction", a),
                   *result = member(o, "result", a);

        r->has_direction = *direction != '\0';
        r->direction = strcasecmp(direction, "out") == 0 ? CALL_OUT : CALL_IN;
        if (r->has_direction && r->direction == CALL_IN &&
            strcasecmp(direction, "in") != 0)
                return err_set(err, ERR_REJECT,
                    "direction: '%.40s' is neither in nor out", direction);
        r->disposition = MEMBER(o, a, "disposition", "result");
        if (*result == '\0') {
                r->billsec = phone_seconds(member(o, "billsec", a));
                r->billsec = r->billsec > 0 ? r->billsec : 0;
                r->is_answered = phone_is_answered(r);
                return 0;
        }
        r->is_answered = strcasecmp(result, "answered") == 0;
        if (!r->is_answered && strcasecmp(result, "missed") != 0)
                return err_set(err, ERR_REJECT,
                    "result: '%.40s' is neither answered nor missed", result);
        if (r->is_answered)
                r->billsec = r->duration_s > 0 ? r->duration_s : 0;
        return 0;
}

static int
plain_json(const json_t *o, struct arena *a, struct phone_row *r, struct err *err)
{
        const char *number;

        r->group = MEMBER(o, a, "id", "linkedid", "uniqueid", "uuid");
        r->key = arena_printf(a, "%s/%s", r->group, MEMBER(o, a, "sequence", "channel"));
        r->clid_name = phone_clid_name(a, MEMBER(o, a, "name", "clid"), &number);
        r->src = MEMBER(o, a, "from", "src");
        r->dst = MEMBER(o, a, "to", "dst");
        if (*r->src == '\0')
                r->src = number;
        if (strcmp(r->clid_name, r->src) == 0)
                r->clid_name = "";
        r->channel = member(o, "channel", a);
        r->dstchannel = member(o, "dstchannel", a);
        r->lastapp = member(o, "lastapp", a);
        if (*r->src == '\0' && *r->dst == '\0')
                return err_set(err, ERR_REJECT, "from: no caller and no callee is named");
        if (*MEMBER(o, a, "result", "disposition") == '\0')
                return err_set(err, ERR_REJECT, "result: expected answered or missed");
        if (plain_times(o, a, r, err) == -1 || plain_words(o, a, r, err) == -1)
                return -1;
        r->epoch_us = phone_epoch(member(o, "uniqueid", a));
        if (*r->group == '\0')
                r->group =
                    arena_printf(a, "%lld-%s-%s", (long long)r->start_us, r->src, r->dst);
        return 0;
}

int
phone_json_parse(
    const char *s, size_t n, struct arena *a, struct phone_row *out, struct err *err)
{
        json_t *doc;
        int rc;

        while (n > 0 && (isspace((unsigned char)*s) || *s == '[' || *s == ',')) {
                s++;
                n--;
        }
        while (n > 0 && s[n - 1] != '}')
                n--;
        doc = json_read(s, n, PHONE_DOCUMENT_MAX, err);
        if (doc == NULL)
                return -1;
        if (json_is_object(doc))
                rc = json_is_object(json_object_get(doc, "variables"))
                         ? freeswitch_json(doc, a, out, err)
                         : plain_json(doc, a, out, err);
        else
                rc = err_set(err, ERR_REJECT, "a record is a JSON object");
        json_decref(doc);
        return rc;
}

/* ---- where a pushed record ends ---- */

static size_t
json_length(const char *s, size_t n)
{
        size_t depth = 0;
        bool in_string = false;

        for (size_t i = 0; i < n; i++) {
                if (in_string) {
                        if (s[i] == '\\')
                                i++;
                        else if (s[i] == '"')
                                in_string = false;
                } else if (s[i] == '"') {
                        in_string = true;
                } else if (s[i] == '{') {
                        depth++;
                } else if (s[i] == '}' && --depth == 0) {
                        return i + 1;
                }
        }
        return n;
}

static size_t
xml_length(const char *s, size_t n)
{
        const char *end = memmem(s, n, "</cdr>", 6);

        return end == NULL ? n : (size_t)(end - s) + 6;
}

size_t
phone_pushed_length(const char *s, size_t n)
{
        size_t from = 0;

        while (from < n && (isspace((unsigned char)s[from]) || strchr("[,]", s[from])))
                from++;
        if (from == n)
                return n;
        if (s[from] == '{')
                return from + json_length(s + from, n - from);
        if (s[from] == '<')
                return from + xml_length(s + from, n - from);
        from = 0; /* a line may well begin with a comma */
        while (from < n && (s[from] == '\n' || s[from] == '\r'))
                from++;
        return from + phone_record_length(s + from, n - from, true);
}

/* ---- what is around it ---- */

static int
base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* false: it is none. Line ends between the digits are left out. */
static bool
base64_decode(const char *s, size_t n, struct buf *out)
{
        uint32_t bits = 0;
        unsigned n_bits = 0;

        for (size_t i = 0; i < n; i++) {
                int v = base64_value(s[i]);

                if (s[i] == '\r' || s[i] == '\n')
                        continue;
                if (s[i] == '=')
                        break;
                if (v < 0)
                        return false;
                bits = bits << 6 | (uint32_t)v;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        buf_addc(out, (char)(bits >> n_bits & 0xff));
                }
        }
        return out->len > 0;
}

static int
nibble(char c)
{
        return isdigit((unsigned char)c)    ? c - '0'
               : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10
                                            : -1;
}

static void
form_decode(const char *s, size_t n, struct buf *out)
{
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '%' && i + 2 < n && nibble(s[i + 1]) >= 0 &&
                    nibble(s[i + 2]) >= 0) {
                        buf_addc(out, (char)(nibble(s[i + 1]) * 16 + nibble(s[i + 2])));
                        i += 2;
                } else {
                        buf_addc(out, (char)(s[i] == '+' ? ' ' : s[i]));
                }
        }
}

static bool
looks_like_document(const char *s, size_t n)
{
        while (n > 0 && isspace((unsigned char)*s)) {
                s++;
                n--;
        }
        return n > 0 && (*s == '{' || *s == '[' || *s == '<');
}

/* The value of cdr= in an urlencoded body; NULL: there is none. */
static const char *
form_value(const char *s, size_t n, size_t *len)
{
        while (n > 0) {
                const char *amp = memchr(s, '&', n);
                size_t part = amp == NULL ? n : (size_t)(amp - s);

                if (part >= 4 && memcmp(s, "cdr=", 4) == 0) {
                        *len = part - 4;
                        return s + 4;
                }
                s += part + (amp != NULL);
                n -= part + (amp != NULL);
        }
        return NULL;
}

int
phone_push_unwrap(const char *content_type, const char *s, size_t n, struct arena *a,
    const char **out, size_t *out_n, struct err *err)
{
        struct buf plain AUTO_BUF = BUF_INIT, decoded AUTO_BUF = BUF_INIT;
        const char *value = NULL;
        size_t len = n;
        bool is_base64 = strcasestr(content_type, "base64") != NULL;

        *out = s;
        *out_n = n;
        if (looks_like_document(s, n))
                return 0;
        if (n >= 4 &&
            (strncmp(s, "cdr=", 4) == 0 || strcasestr(content_type, "urlencoded") ||
                strncmp(s, "uuid=", 5) == 0 || is_base64))
                value = form_value(s, n, &len);
        if (value == NULL) {
                value = s;
                len = n;
        } else if (!is_base64) {
                form_decode(value, len, &plain);
                *out = arena_strndup(a, buf_str(&plain), plain.len);
                *out_n = plain.len;
                if (looks_like_document(*out, *out_n) ||
                    memchr(*out, ',', *out_n) != NULL)
                        return 0;
        }
        /* base64: %2B is a plus here, and a plus is no blank */
        buf_clear(&plain);
        for (size_t i = 0; i < len; i++) {
                if (value[i] == '%' && i + 2 < len && nibble(value[i + 1]) >= 0 &&
                    nibble(value[i + 2]) >= 0) {
                        buf_addc(&plain,
                            (char)(nibble(value[i + 1]) * 16 + nibble(value[i + 2])));
                        i += 2;
                } else {
                        buf_addc(&plain, value[i]);
                }
        }
        if (base64_decode(buf_str(&plain), plain.len, &decoded) &&
            (is_base64 || looks_like_document(decoded.data, decoded.len))) {
                *out = arena_strndup(a, decoded.data, decoded.len);
                *out_n = decoded.len;
                return 0;
        }
        if (value == s && !is_base64) { /* lines */
                *out = s;
                *out_n = n;
                return 0;
        }
        return err_set(
            err, ERR_REJECT, "cdr: neither JSON nor XML, nor base64 of one of them");
}
