/*
 * JSON; see json.h. What jansson does not bound (length, depth, number of values) is
 * bounded before it sees a byte; its messages are cut where they would quote the input,
 * because errors are logged and bodies are not.
 */
#include "daemon/base/json.h"

#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"

#define LEVELS_MAX 32
#define VALUES_MAX                                                                       \
        200000u /* each costs up to 250 bytes: 3 bytes of text are enough for one */

/* ---- reading ---- */

/* Is it nested too deep, or of too many values? Broken text is jansson's to find. */
static int
json_check_limits(const char *s, size_t n, struct err *err)
{
        unsigned levels = 0;
        size_t n_values = 0;
        bool in_string = false;

        for (size_t i = 0; i < n; i++) {
                if (in_string) {
                        if (s[i] == '\\')
                                i++;
                        else if (s[i] == '"')
                                in_string = false;
                } else if (s[i] == '"') {
                        in_string = true;
                } else if (s[i] == '{' || s[i] == '[') {
                        n_values++;
                        if (++levels > LEVELS_MAX)
                                return err_set(err, ERR_LIMIT,
                                    "the JSON text is nested more than %d levels deep at "
                                    "byte %zu",
                                    LEVELS_MAX, i);
                } else if (s[i] == ',') {
                        n_values++;
                } else if ((s[i] == '}' || s[i] == ']') && levels > 0) {
                        levels--;
                }
        }
        if (n_values > VALUES_MAX)
                return err_set(
                    err, ERR_LIMIT, "the JSON text has more than %u values", VALUES_MAX);
        return 0;
}

json_t *
json_read(const char *s, size_t n, size_t max_len, struct err *err)
{
        json_error_t why;
        json_t *o;
        char *near;

        if (n > max_len) {
                err_set(err, ERR_LIMIT,
                    "the JSON text has %zu bytes; at most %zu are allowed", n, max_len);
                return NULL;
        }
        if (json_check_limits(s, n, err) == -1)
                return NULL;
        o = json_loadb(s, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
        if (o != NULL)
                return o;
        near = strstr(why.text, " near ");
        if (near != NULL)
                *near = '\0';
        err_set(err, ERR_REJECT, "the JSON text is broken at byte %d: %s", why.position,
            why.text);
        return NULL;
}

const char *
json_str(const json_t *o, const char *key, const char *otherwise)
{
        const json_t *v = json_object_get(o, key);

        return json_is_string(v) ? json_string_value(v) : otherwise;
}

int64_t
json_int(const json_t *o, const char *key, int64_t otherwise)
{
        const json_t *v = json_object_get(o, key);

        return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool
json_bool(const json_t *o, const char *key, bool otherwise)
{
        const json_t *v = json_object_get(o, key);

        return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

const json_t *
json_list(const json_t *o, const char *key)
{
        const json_t *v = json_object_get(o, key);

        return json_is_array(v) ? v : NULL;
}

const json_t *
json_obj(const json_t *o, const char *key)
{
        const json_t *v = json_object_get(o, key);

        return json_is_object(v) ? v : NULL;
}

/* ---- writing ---- */

void
jo_init(struct json_out *o, struct buf *b)
{
        o->b = b;
        o->comma = false;
}

/* Before every value: the comma it needs. After it the next one needs one. */
static void
jo_value(struct json_out *o)
{
        if (o->comma)
                buf_addc(o->b, ',');
        o->comma = true;
}

void
jo_open(struct json_out *o, char bracket)
{
        jo_value(o);
        buf_addc(o->b, bracket);
        o->comma = false;
}

void
jo_close(struct json_out *o, char bracket)
{
        buf_addc(o->b, bracket);
        o->comma = true;
}

void
jo_key(struct json_out *o, const char *key)
{
        jo_string(o, key);
        buf_addc(o->b, ':');
        o->comma = false;
}

void
jo_string(struct json_out *o, const char *s)
{
        jo_stringn(o, s, strlen(s));
}

/* Bytes at the beginning of s that stand for themselves in a JSON string. */
static size_t
jo_plain_run(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
                i++;
        return i;
}

static void
jo_char(struct buf *b, uint32_t cp)
{
        static const char from[] = "\"\\\n\t\r\b\f", to[] = "\"\\ntrbf";
        const char *p = cp != 0 && cp < 0x80 ? strchr(from, (int)cp) : NULL;

        if (p != NULL) {
                buf_addc(b, '\\');
                buf_addc(b, to[p - from]);
        } else if (cp == 0) { /* no reader of ours takes one */
                utf8_add(b, 0xfffd);
        } else if (cp < 0x20 || cp == 0x7f) {
                buf_addf(b, "\\u%04x", (unsigned)cp);
        } else {
                utf8_add(b, cp);
        }
}

void
jo_stringn(struct json_out *o, const char *s, size_t n)
{
        size_t used;

        jo_value(o);
        buf_addc(o->b, '"');
        for (size_t i = 0; i < n; i += used) {
                used = jo_plain_run(s + i, n - i);
                if (used > 0)
                        buf_add(o->b, s + i, used);
                else
                        jo_char(o->b, utf8_next(s + i, n - i, &used));
        }
        buf_addc(o->b, '"');
}

void
jo_int(struct json_out *o, int64_t v)
{
        jo_value(o);
        buf_addf(o->b, "%lld", (long long)v);
}

void
jo_bool(struct json_out *o, bool v)
{
        jo_value(o);
        buf_adds(o->b, v ? "true" : "false");
}

void
jo_null(struct json_out *o)
{
        jo_value(o);
        buf_adds(o->b, "null");
}

void
jo_time(struct json_out *o, int64_t us)
{
        char text[25];

        if (us == 0) {
                jo_null(o);
                return;
        }
        clock_format(us, text);
        jo_string(o, text);
}

void
jo_raw(struct json_out *o, const char *json, size_t n)
{
        jo_value(o);
        buf_add(o->b, json, n);
}

void
jo_kstring(struct json_out *o, const char *key, const char *s)
{
        jo_key(o, key);
        jo_string(o, s);
}

void
jo_kstring_or_null(struct json_out *o, const char *key, const char *s)
{
        jo_key(o, key);
        if (*s == '\0')
                jo_null(o);
        else
                jo_string(o, s);
}

void
jo_kint(struct json_out *o, const char *key, int64_t v)
{
        jo_key(o, key);
        jo_int(o, v);
}

void
jo_kbool(struct json_out *o, const char *key, bool v)
{
        jo_key(o, key);
        jo_bool(o, v);
}

void
jo_ktime(struct json_out *o, const char *key, int64_t us)
{
        jo_key(o, key);
        jo_time(o, us);
}

void
jo_strings(struct json_out *o, const char *const *s, size_t n)
{
        jo_open(o, '[');
        for (size_t i = 0; i < n; i++)
                jo_string(o, s[i]);
        jo_close(o, ']');
}

void
jo_kstrings(struct json_out *o, const char *key, const char *const *s, size_t n)
{
        jo_key(o, key);
        jo_strings(o, s, n);
}

void
jo_kraw(struct json_out *o, const char *key, const char *json, size_t n)
{
        jo_key(o, key);
        jo_raw(o, json, n);
}
