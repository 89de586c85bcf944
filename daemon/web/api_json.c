/*
 * JSON for commands; see api_json.h.
 *
 * A document is a bulk string of RESP that is one JSON object; all documents are written
 * by us, but other people's words come in bulk strings, too, so each is checked before it
 * is put in as it is.
 */
#include "daemon/web/api_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/base64.h"
#include "daemon/base/json.h"

#define DOCUMENT_MAX (4 << 20)

/* ---- words ---- */

static int
word_text(const json_t *v, struct arena *a, struct resp_arg *out)
{
        char *text AUTO_FREE = json_dumps(v, JSON_COMPACT);

        if (text == NULL)
                return -1;
        out->len = strlen(text);
        out->s = arena_strndup(a, text, out->len);
        return 0;
}

static int
word_bytes(const json_t *v, struct arena *a, struct resp_arg *out)
{
        out->s = base64_parse(json_string_value(v), json_string_length(v), a, &out->len);
        return out->s == NULL ? -1 : 0;
}

static int
word(const json_t *v, struct arena *a, struct resp_arg *out)
{
        const json_t *bytes;

        switch (json_typeof(v)) {
        case JSON_STRING:
                out->len = json_string_length(v);
                out->s = arena_strndup(a, json_string_value(v), out->len);
                return 0;
        case JSON_INTEGER:
                out->s = arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
                out->len = strlen(out->s);
                return 0;
        case JSON_OBJECT:
                bytes = json_object_get(v, "base64");
                if (bytes != NULL && json_object_size(v) == 1 && json_is_string(bytes))
                        return word_bytes(bytes, a, out);
                return word_text(v, a, out);
        case JSON_ARRAY:
        case JSON_REAL:
        case JSON_TRUE:
        case JSON_FALSE:
        case JSON_NULL:
                break;
        }
        return -1;
}

static int
words(const json_t *list, const struct api_limits *lim, struct arena *a,
    struct resp_arg **argv, int *argc, struct err *err)
{
        size_t n = json_array_size(list);

        if (!json_is_array(list) || n == 0)
                return err_code(err, ERR_REJECT, "BADARG",
                    "the body: expected a JSON array of words, like "
                    "[\"SHOW\", \"1042\"]");
        if (n > lim->max_args)
                return err_code(err, ERR_LIMIT, "TOOBIG",
                    "the body: expected at most %u words, got %zu", lim->max_args, n);
        *argv = arena_alloc(a, n * sizeof **argv);
        for (size_t i = 0; i < n; i++) {
                struct resp_arg *w = &(*argv)[i];

                if (word(json_array_get(list, i), a, w) == -1)
                        return err_code(err, ERR_REJECT, "BADARG",
                            "word %zu of the body: expected a string, a whole number, an "
                            "object, or {\"base64\": \"...\"} for bytes",
                            i + 1);
                if (w->len > lim->max_arg)
                        return err_code(err, ERR_LIMIT, "TOOBIG",
                            "word %zu of the body: expected at most %zu bytes, got %zu",
                            i + 1, lim->max_arg, w->len);
        }
        *argc = (int)n;
        return 0;
}

int
api_words(const char *body, size_t n, const struct api_limits *lim, struct arena *a,
    struct resp_arg **argv, int *argc, struct err *err)
{
        struct err why;
        json_t *list = json_read(body, n, lim->max_body, &why);
        int rc;

        *argc = 0;
        if (list == NULL)
                return err_code(err, why.kind == ERR_LIMIT ? ERR_LIMIT : ERR_REJECT,
                    why.kind == ERR_LIMIT ? "TOOBIG" : "BADARG", "the body: %s",
                    why.text);
        rc = words(list, lim, a, argv, argc, err);
        json_decref(list);
        return rc;
}

void
api_add_id(
    struct resp_arg **argv, int *argc, const char *key, bool text_last, struct arena *a)
{
        const int n = *argc;
        struct resp_arg *with = arena_alloc(a, ((size_t)n + 2) * sizeof *with);
        bool before = text_last && n > 2 && (*argv)[n - 2].len == 4 &&
                      strncasecmp((*argv)[n - 2].s, "TEXT", 4) == 0;
        int at = before ? n - 2 : n;

        for (int i = 0; i < n; i++)
                with[i < at ? i : i + 2] = (*argv)[i];
        with[at] = (struct resp_arg){"ID", 2};
        with[at + 1] = (struct resp_arg){key, strlen(key)};
        *argv = with;
        *argc = n + 2;
}

/* ---- answers ---- */

static bool
is_document(const struct resp_value *v)
{
        struct err err;
        json_t *o;
        bool is;

        if (v->type != RESP_BULK || v->len < 2 || v->s[0] != '{' ||
            v->s[v->len - 1] != '}')
                return false;
        o = json_read(v->s, v->len, DOCUMENT_MAX, &err);
        is = json_is_object(o);
        json_decref(o);
        return is;
}

static void
write_text(struct json_out *o, const struct resp_value *v, bool is_bytes)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (is_bytes && v->type == RESP_BULK) {
                base64_add(&b, v->s, v->len);
                jo_string(o, buf_str(&b));
        } else if (is_document(v))
                jo_raw(o, v->s, v->len);
        else
                jo_stringn(o, v->s, v->len);
}

/* Digits at *p, at least one. */
static bool
skip_digits(const char **p)
{
        size_t n = strspn(*p, "0123456789");

        *p += n;
        return n > 0;
}

/* As JSON writes numbers: no "+1", "01", "1.", "inf". */
static bool
is_number(const char *s)
{
        s += *s == '-';
        if (*s == '0')
                s++;
        else if (!skip_digits(&s))
                return false;
        if (*s == '.') {
                s++;
                if (!skip_digits(&s))
                        return false;
        }
        if (*s == 'e' || *s == 'E') {
                s += s[1] == '+' || s[1] == '-' ? 2 : 1;
                if (!skip_digits(&s))
                        return false;
        }
        return *s == '\0';
}

/* A number where JSON has one for it, else a text ("inf"). */
static void
write_double(struct json_out *o, const struct resp_value *v)
{
        if (v->len < 40 && strlen(v->s) == v->len && is_number(v->s))
                jo_raw(o, v->s, v->len);
        else
                jo_stringn(o, v->s, v->len);
}

static void write_value(struct json_out *o, const struct resp_value *v, bool is_bytes);

static void
write_map(struct json_out *o, const struct resp_value *v)
{
        jo_open(o, '{');
        for (size_t i = 0; i + 1 < v->n_items; i += 2) {
                const struct resp_value *k = &v->items[i];
                char number[24];

                snprintf(number, sizeof number, "%" PRId64, k->i);
                jo_key(o, k->type == RESP_INT ? number : k->s);
                write_value(o, &v->items[i + 1], false);
        }
        jo_close(o, '}');
}

static void
write_value(struct json_out *o, const struct resp_value *v, bool is_bytes)
{
        switch (v->type) {
        case RESP_SIMPLE:
        case RESP_BULK:
        case RESP_VERBATIM:
        case RESP_BIGNUM:
        case RESP_ERROR:
                write_text(o, v, is_bytes);
                return;
        case RESP_INT:
                jo_int(o, v->i);
                return;
        case RESP_NULL:
                jo_null(o);
                return;
        case RESP_BOOL:
                jo_bool(o, v->i != 0);
                return;
        case RESP_DOUBLE:
                write_double(o, v);
                return;
        case RESP_MAP:
                write_map(o, v);
                return;
        case RESP_ARRAY:
        case RESP_SET:
        case RESP_PUSH:
                jo_open(o, '[');
                for (size_t i = 0; i < v->n_items; i++)
                        write_value(o, &v->items[i], is_bytes);
                jo_close(o, ']');
                return;
        }
}

void
api_answer(const struct resp_value *v, bool is_bytes, struct buf *out)
{
        struct json_out o;

        jo_init(&o, out);
        write_value(&o, v, is_bytes);
}

/* ---- errors ---- */

void
api_error(const char *code, const char *message, struct buf *out)
{
        struct json_out o;

        jo_init(&o, out);
        jo_open(&o, '{');
        jo_key(&o, "error");
        jo_open(&o, '{');
        jo_kstring(&o, "code", code);
        jo_kstring(&o, "message", message);
        jo_close(&o, '}');
        jo_close(&o, '}');
}

int
api_status(const char *code)
{
        static const struct {
                const char *code;
                int status;
        } all[] = {{"NOAUTH", 401}, {"WRONGPASS", 401}, {"NOPERM", 403}, {"NOSUCH", 404},
            {"NOTHELD", 409}, {"STATE", 409}, {"STALE", 409}, {"CAPACITY", 409},
            {"TOOBIG", 413}, {"TRYAGAIN", 503}, {"UNSURE", 503}, {"DRAINING", 503}};

        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                if (strcmp(all[i].code, code) == 0)
                        return all[i].status;
        return 400; /* ERR, BADARG */
}

/* ---- queries ---- */

static int
hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char)(c | 32);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One value, with its escapes undone; NULL: a bad one, or a NUL. */
static const char *
query_decode(const char *p, size_t n, struct arena *a)
{
        char *out = arena_alloc(a, n + 1), *o = out;

        for (size_t i = 0; i < n; i++) {
                int hi, lo;

                if (p[i] != '%') {
                        *o++ = (char)(p[i] == '+' ? ' ' : p[i]);
                        continue;
                }
                hi = i + 2 < n ? hex_value(p[i + 1]) : -1;
                lo = i + 2 < n ? hex_value(p[i + 2]) : -1;
                if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
                        return NULL;
                *o++ = (char)(hi << 4 | lo);
                i += 2;
        }
        *o = '\0';
        return out;
}

int
api_query(const char *query, const char *name, const char **values, size_t max, size_t *n,
    struct arena *a)
{
        size_t len = strlen(name);

        *n = 0;
        for (const char *p = query; *p != '\0';) {
                size_t part = strcspn(p, "&");

                if (part > len && strncmp(p, name, len) == 0 && p[len] == '=') {
                        if (*n == max)
                                return -1;
                        values[*n] = query_decode(p + len + 1, part - len - 1, a);
                        if (values[(*n)++] == NULL)
                                return -1;
                }
                p += part + (p[part] == '&');
        }
        return 0;
}

/* ---- the journal's ids ---- */

bool
api_seq_is_valid(const char *s)
{
        size_t n = strspn(s, "0123456789"), k;

        if (n == 0 || n > 19)
                return false;
        if (s[n] == '\0')
                return true;
        k = strspn(s + n + 1, "0123456789");
        return s[n] == '-' && k > 0 && k <= 19 && s[n + 1 + k] == '\0';
}

static void
seq_read(const char *s, uint64_t out[2])
{
        char *end;

        out[0] = strtoull(s, &end, 10);
        out[1] = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
}

int
api_seq_compare(const char *x, const char *y)
{
        uint64_t a[2], b[2];

        seq_read(x, a);
        seq_read(y, b);
        for (int i = 0; i < 2; i++)
                if (a[i] != b[i])
                        return a[i] < b[i] ? -1 : 1;
        return 0;
}
