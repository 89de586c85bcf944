/*
 * RESP; see resp.h. Requests and answers are read in two passes: the first only
 * walks the bytes and says whether all of it is there, the second copies. So a
 * header that promises much costs nothing until the bytes have come.
 *
 * Words of protocol errors are Redis's own: clients and people know them.
 */
#include "daemon/base/resp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any header line that means something ("*" and 20 digits). */
#define HEADER_MAX 32
#define LEVELS_MAX 32
/* The shortest item of an answer's array: "_\r\n". */
#define ITEM_MIN 3

static int
resp_broken(struct err *err, const char *what)
{
        err_code(err, ERR_REJECT, "ERR", "Protocol error: %s", what);
        return -1;
}

static int
resp_too_big(struct err *err, const char *what, size_t have, size_t max, const char *unit)
{
        err_code(err, ERR_LIMIT, "TOOBIG", "Protocol error: %s: %zu %s, at most %zu",
            what, have, unit, max);
        return -1;
}

/* Decimal as Redis takes it: no sign but '-', no leading zero, nothing else. */
static bool
resp_number(const char *s, size_t n, int64_t *out)
{
        bool minus = n > 0 && s[0] == '-';
        size_t i = minus ? 1 : 0;
        uint64_t v = 0, max = (uint64_t)INT64_MAX + minus;

        if (i == n || (s[i] == '0' && n > 1))
                return false;
        for (; i < n; i++) {
                unsigned digit = (unsigned char)s[i] - (unsigned)'0';

                if (digit > 9 || v > (max - digit) / 10)
                        return false;
                v = v * 10 + digit;
        }
        *out = (int64_t)(minus ? 0 - v : v);
        return true;
}

enum { LINE_MORE = -1, LINE_BROKEN = -2, LINE_LONG = -3 };

/* The line that begins at p: its length without CR LF, or one of the above (its
 * end is not there yet; CR without LF; no end within max bytes). */
static long
resp_line(const char *p, size_t n, size_t max)
{
        const char *cr = memchr(p, '\r', n <= max ? n : max + 1);

        if (cr == NULL)
                return n > max ? LINE_LONG : LINE_MORE;
        if ((size_t)(cr - p) + 1 == n)
                return LINE_MORE;
        return cr[1] == '\n' ? cr - p : LINE_BROKEN;
}

/* ---- requests: an array of bulk strings ---- */

/* The length line at p. Returns its bytes with CR LF, 0 (more), -1 (broken). */
static long
resp_length(const char *p, size_t n, const char *too_big, const char *invalid, int64_t *v,
    struct err *err)
{
        long len = resp_line(p, n, HEADER_MAX);

        if (len == LINE_MORE)
                return 0;
        if (len == LINE_LONG)
                return resp_broken(err, too_big);
        if (len == LINE_BROKEN || !resp_number(p + 1, (size_t)len - 1, v))
                return resp_broken(err, invalid);
        return len + 2;
}

static long
resp_no_dollar(char got, struct err *err)
{
        unsigned char c = (unsigned char)got;
        char text[40];

        if (c >= 0x20 && c < 0x7f)
                snprintf(text, sizeof text, "expected '$', got '%c'", c);
        else
                snprintf(text, sizeof text, "expected '$', got '\\x%02x'", c);
        return resp_broken(err, text);
}

/* One argument at p: sets its place. Returns bytes used, 0 with *want bytes
 * needed from p on, -1. used: bytes of the request before p. */
static long
resp_arg_scan(const char *p, size_t n, size_t used, const struct resp_limits *lim,
    struct resp_arg *arg, size_t *want, struct err *err)
{
        const char *invalid = "invalid bulk length";
        int64_t v;
        long head;
        size_t all;

        *want = n + 1; /* not more: a broken length is to be answered at once */
        if (n > 0 && p[0] != '$')
                return resp_no_dollar(p[0], err);
        head =
            n == 0 ? 0 : resp_length(p, n, "too big bulk count string", invalid, &v, err);
        if (head <= 0)
                return head;
        if (v < 0)
                return resp_broken(err, invalid);
        if ((uint64_t)v > lim->max_arg)
                return resp_too_big(err, invalid, (size_t)v, lim->max_arg, "bytes");
        all = (size_t)head + (size_t)v + 2;
        if (used + all > lim->max_request)
                return resp_too_big(
                    err, "too big request", used + all, lim->max_request, "bytes");
        *want = all;
        if (n < all)
                return 0;
        if (p[all - 2] != '\r' || p[all - 1] != '\n')
                return resp_broken(err, invalid);
        arg->s = p + head;
        arg->len = (size_t)v;
        return (long)all;
}

/* Second walk, over arguments known to be complete: copies them. */
static void
resp_args_copy(const char *p, size_t n, const struct resp_limits *lim, struct arena *a,
    struct resp_arg *argv, int argc)
{
        for (int i = 0; i < argc; i++) {
                size_t want;
                size_t used = (size_t)resp_arg_scan(p, n, 0, lim, &argv[i], &want, NULL);

                argv[i].s = arena_strndup(a, argv[i].s, argv[i].len);
                p += used;
                n -= used;
        }
}

static long
resp_multibulk(const char *p, size_t n, const struct resp_limits *lim, struct arena *a,
    struct resp_arg **argv, int *argc, size_t *need, struct err *err)
{
        const char *invalid = "invalid multibulk length";
        struct resp_arg arg;
        int64_t count;
        size_t pos, head, want;
        long used = resp_length(p, n, "too big mbulk count string", invalid, &count, err);

        if (used <= 0 || count <= 0)
                return used;
        if ((uint64_t)count > lim->max_args)
                return resp_too_big(
                    err, invalid, (size_t)count, lim->max_args, "arguments");
        pos = head = (size_t)used;
        for (int64_t i = 0; i < count; i++) {
                used = resp_arg_scan(p + pos, n - pos, pos, lim, &arg, &want, err);
                if (used == 0)
                        *need = pos + want;
                if (used <= 0)
                        return used;
                pos += (size_t)used;
        }
        *argv = arena_alloc(a, (size_t)count * sizeof **argv);
        *argc = (int)count;
        resp_args_copy(p + head, pos - head, lim, a, *argv, *argc);
        return (long)pos;
}

/* ---- requests: one inline line ---- */

static bool
resp_is_space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
resp_hex(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape at p, behind its backslash: one byte to out. Returns bytes read. */
static size_t
resp_escape(const char *p, size_t n, char *out)
{
        static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
        const char *at = strchr(from, p[0]);

        if (p[0] == 'x' && n > 2 && resp_hex(p[1]) >= 0 && resp_hex(p[2]) >= 0) {
                *out = (char)(resp_hex(p[1]) << 4 | resp_hex(p[2]));
                return 3;
        }
        *out = at != NULL && p[0] != '\0' ? to[at - from] : p[0];
        return 1;
}

/* The rest of a quoted word at p, behind its quote, appended to out. Returns
 * bytes read with the closing quote, 0 when it is missing or has no blank
 * behind it. */
static size_t
resp_quoted(const char *p, size_t n, char quote, struct buf *out)
{
        for (size_t i = 0; i < n;) {
                char c = p[i++];

                if (c == quote)
                        return i == n || resp_is_space(p[i]) ? i : 0;
                if (c == '\\' && i < n && quote == '"')
                        i += resp_escape(p + i, n - i, &c);
                else if (c == '\\' && i < n && p[i] == '\'')
                        c = p[i++];
                buf_addc(out, c);
        }
        return 0;
}

/* One word at p into out. Returns bytes read, 0 for unbalanced quotes. A quote
 * inside a word begins a quoted part that ends the word, as in Redis. */
static size_t
resp_word(const char *p, size_t n, struct buf *out)
{
        size_t i = 0;

        buf_clear(out);
        for (; i < n; i++) {
                if (p[i] == ' ' || p[i] == '\t' || p[i] == '\r')
                        return i;
                if (p[i] == '"' || p[i] == '\'') {
                        size_t used = resp_quoted(p + i + 1, n - i - 1, p[i], out);

                        return used == 0 ? 0 : i + 1 + used;
                }
                buf_addc(out, p[i]);
        }
        return i;
}

static int
resp_words(const char *p, size_t n, const struct resp_limits *lim, struct arena *a,
    struct resp_arg **argv, int *argc, struct err *err)
{
        struct buf word AUTO_BUF = BUF_INIT;
        size_t used;

        for (size_t i = 0;; i += used) {
                struct resp_arg *arg;

                while (i < n && resp_is_space(p[i]))
                        i++;
                if (i == n)
                        return 0;
                used = resp_word(p + i, n - i, &word);
                if (used == 0)
                        return resp_broken(err, "unbalanced quotes in request");
                if ((unsigned)*argc >= lim->max_args)
                        return resp_too_big(err, "too big inline request",
                            (size_t)*argc + 1, lim->max_args, "arguments");
                if (word.len > lim->max_arg)
                        return resp_too_big(err, "too big inline request", word.len,
                            lim->max_arg, "bytes in one argument");
                *argv = arena_grow(a, *argv, (size_t)*argc, sizeof **argv);
                arg = &(*argv)[(*argc)++];
                arg->s = arena_strndup(a, word.data, word.len);
                arg->len = word.len;
        }
}

static long
resp_inline(const char *p, size_t n, const struct resp_limits *lim, struct arena *a,
    struct resp_arg **argv, int *argc, struct err *err)
{
        size_t max =
            lim->max_inline < lim->max_request ? lim->max_inline : lim->max_request;
        size_t look = n <= max ? n : max + 1, len;
        const char *lf = memchr(p, '\n', look);

        if (lf == NULL)
                return n <= max
                           ? 0
                           : resp_too_big(err, "too big inline request", n, max, "bytes");
        len = (size_t)(lf - p);
        if (len > 0 && p[len - 1] == '\r')
                len--;
        if (memchr(p, '\0', len) != NULL) /* Redis never ends waiting for such a line */
                return resp_broken(err, "NUL in inline request, send an array instead");
        if (resp_words(p, len, lim, a, argv, argc, err) == -1) {
                *argc = 0;
                return -1;
        }
        return lf - p + 1;
}

long
resp_request_parse(const char *p, size_t n, const struct resp_limits *lim,
    struct arena *a, struct resp_arg **argv, int *argc, size_t *need, struct err *err)
{
        *argv = NULL;
        *argc = 0;
        *need = n + 1;
        if (n == 0)
                return 0;
        if (p[0] == '*')
                return resp_multibulk(p, n, lim, a, argv, argc, need, err);
        return resp_inline(p, n, lim, a, argv, argc, err);
}

void
resp_request_format(struct buf *b, int argc, const struct resp_arg *argv)
{
        resp_array(b, (size_t)argc);
        for (int i = 0; i < argc; i++)
                resp_bulk(b, argv[i].s, argv[i].len);
}

/* ---- answers, written ---- */

/* Text inside one line: what would end the line becomes a blank. */
static void
resp_add_line(struct buf *b, const char *s)
{
        size_t from = b->len;

        buf_adds(b, s);
        for (size_t i = from; i < b->len; i++)
                if (b->data[i] == '\r' || b->data[i] == '\n')
                        b->data[i] = ' ';
}

void
resp_simple(struct buf *b, const char *s)
{
        buf_addc(b, '+');
        resp_add_line(b, s);
        buf_adds(b, "\r\n");
}

void
resp_error(struct buf *b, const char *code, const char *text)
{
        buf_addc(b, '-');
        resp_add_line(b, code);
        buf_addc(b, ' ');
        resp_add_line(b, text);
        buf_adds(b, "\r\n");
}

void
resp_int(struct buf *b, int64_t v)
{
        buf_addf(b, ":%lld\r\n", (long long)v);
}

void
resp_bulk(struct buf *b, const void *s, size_t n)
{
        buf_addf(b, "$%zu\r\n", n);
        buf_add(b, s, n);
        buf_adds(b, "\r\n");
}

void
resp_bulks(struct buf *b, const char *s)
{
        resp_bulk(b, s, strlen(s));
}

void
resp_null(struct buf *b, int proto)
{
        buf_adds(b, proto == 3 ? "_\r\n" : "$-1\r\n");
}

void
resp_null_array(struct buf *b, int proto)
{
        buf_adds(b, proto == 3 ? "_\r\n" : "*-1\r\n");
}

void
resp_array(struct buf *b, size_t n)
{
        buf_addf(b, "*%zu\r\n", n);
}

void
resp_map(struct buf *b, int proto, size_t n_pairs)
{
        if (proto == 3)
                buf_addf(b, "%%%zu\r\n", n_pairs);
        else
                resp_array(b, n_pairs * 2);
}

void
resp_push(struct buf *b, int proto, size_t n)
{
        buf_addf(b, "%c%zu\r\n", proto == 3 ? '>' : '*', n);
}

void
resp_bool(struct buf *b, int proto, bool v)
{
        if (proto == 3)
                buf_adds(b, v ? "#t\r\n" : "#f\r\n");
        else
                resp_int(b, v);
}

/* The shortest of two forms that gives the same number back, with a point
 * whatever the locale. */
static void
resp_double_text(char *out, size_t room, double v)
{
        if (isnan(v) || isinf(v)) {
                snprintf(out, room, "%s", isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
                return;
        }
        snprintf(out, room, "%.15g", v);
        if (strtod(out, NULL) != v)
                snprintf(out, room, "%.17g", v);
        for (char *p = out; *p != '\0'; p++)
                if (strchr("0123456789+-e", *p) == NULL)
                        *p = '.';
}

void
resp_double(struct buf *b, int proto, double v)
{
        char text[40];

        resp_double_text(text, sizeof text, v);
        if (proto == 3)
                buf_addf(b, ",%s\r\n", text);
        else
                resp_bulks(b, text);
}

void
resp_verbatim(struct buf *b, int proto, const char *s, size_t n)
{
        if (proto != 3) {
                resp_bulk(b, s, n);
                return;
        }
        buf_addf(b, "=%zu\r\ntxt:", n + 4);
        buf_add(b, s, n);
        buf_adds(b, "\r\n");
}

/* ---- answers, read ---- */

struct resp_reader {
        const char *p;
        size_t n;
        size_t pos;
        size_t max; /* bytes an answer may have */
        struct arena *a; /* NULL in the first pass: only walk */
        struct err *err;
};

static int resp_read_value(struct resp_reader *r, struct resp_value *v, unsigned level);

/* The rest of the line, behind its type byte: 1 and its place, 0 (more), -1. */
static int
resp_read_line(struct resp_reader *r, const char **s, size_t *len)
{
        size_t left = r->n - r->pos;
        long got = resp_line(r->p + r->pos, left, r->max);

        if (got == LINE_MORE)
                return 0;
        if (got == LINE_LONG)
                return resp_too_big(r->err, "answer too long", left, r->max, "bytes");
        if (got == LINE_BROKEN)
                return resp_broken(r->err, "a line without its end in the answer");
        *s = r->p + r->pos;
        *len = (size_t)got;
        r->pos += (size_t)got + 2;
        return 1;
}

static int
resp_read_number(struct resp_reader *r, int64_t *v)
{
        const char *s;
        size_t len;
        int rc = resp_read_line(r, &s, &len);

        if (rc == 1 && !resp_number(s, len, v))
                return resp_broken(r->err, "invalid number in the answer");
        return rc;
}

static void
resp_keep(struct resp_reader *r, struct resp_value *v, const char *s, size_t len)
{
        v->s = r->a == NULL ? "" : arena_strndup(r->a, s, len);
        v->len = len;
}

static int
resp_read_text(struct resp_reader *r, struct resp_value *v, enum resp_type type)
{
        const char *s;
        size_t len;
        int rc = resp_read_line(r, &s, &len);

        v->type = type;
        if (rc == 1)
                resp_keep(r, v, s, len);
        return rc;
}

static int
resp_read_bulk(struct resp_reader *r, struct resp_value *v, enum resp_type type)
{
        int64_t len;
        size_t n;
        int rc = resp_read_number(r, &len);

        if (rc != 1)
                return rc;
        if (len == -1 && type == RESP_BULK)
                return 1; /* a null */
        if (len < 0)
                return resp_broken(r->err, "invalid bulk length in the answer");
        if ((uint64_t)len > r->max)
                return resp_too_big(
                    r->err, "answer too long", (size_t)len, r->max, "bytes");
        n = (size_t)len;
        if (r->n - r->pos < n + 2)
                return 0;
        if (memcmp(r->p + r->pos + n, "\r\n", 2) != 0)
                return resp_broken(r->err, "invalid bulk length in the answer");
        v->type = type;
        if (type == RESP_VERBATIM && n >= 4) /* without "txt:" */
                resp_keep(r, v, r->p + r->pos + 4, n - 4);
        else
                resp_keep(r, v, r->p + r->pos, n);
        r->pos += n + 2;
        return 1;
}

static int
resp_read_list(
    struct resp_reader *r, struct resp_value *v, enum resp_type type, unsigned level)
{
        const size_t each = type == RESP_MAP ? 2 : 1;
        struct resp_value walked;
        int64_t n;
        int rc = resp_read_number(r, &n);

        if (rc != 1)
                return rc;
        if (n == -1 && type == RESP_ARRAY)
                return 1; /* a null */
        if (n < 0 || level >= LEVELS_MAX)
                return resp_broken(r->err, "invalid or too deep array in the answer");
        if ((uint64_t)n > r->max / each / ITEM_MIN)
                return resp_too_big(r->err, "answer too long", (size_t)n,
                    r->max / each / ITEM_MIN, "items");
        v->type = type;
        v->n_items = (size_t)n * each;
        if (r->a != NULL)
                v->items = arena_alloc(r->a, v->n_items * sizeof *v->items);
        for (size_t i = 0; i < v->n_items; i++) {
                rc = resp_read_value(r, r->a == NULL ? &walked : &v->items[i], level + 1);
                if (rc != 1)
                        return rc;
        }
        return 1;
}

static int
resp_read_bool(struct resp_reader *r, struct resp_value *v)
{
        const char *s;
        size_t len;
        int rc = resp_read_line(r, &s, &len);

        if (rc != 1)
                return rc;
        if (len != 1 || (s[0] != 't' && s[0] != 'f'))
                return resp_broken(r->err, "invalid truth value in the answer");
        v->type = RESP_BOOL;
        v->i = s[0] == 't';
        return 1;
}

static int
resp_read_null(struct resp_reader *r)
{
        const char *s;
        size_t len;
        int rc = resp_read_line(r, &s, &len);

        return rc == 1 && len != 0 ? resp_broken(r->err, "invalid null in the answer")
                                   : rc;
}

static int
resp_read_typed(struct resp_reader *r, char type, struct resp_value *v, unsigned level)
{
        switch (type) {
        case '+':
                return resp_read_text(r, v, RESP_SIMPLE);
        case '-':
                return resp_read_text(r, v, RESP_ERROR);
        case ',':
                return resp_read_text(r, v, RESP_DOUBLE);
        case '(':
                return resp_read_text(r, v, RESP_BIGNUM);
        case ':':
                v->type = RESP_INT;
                return resp_read_number(r, &v->i);
        case '$':
                return resp_read_bulk(r, v, RESP_BULK);
        case '!':
                return resp_read_bulk(r, v, RESP_ERROR);
        case '=':
                return resp_read_bulk(r, v, RESP_VERBATIM);
        case '#':
                return resp_read_bool(r, v);
        case '_':
                return resp_read_null(r);
        case '*':
                return resp_read_list(r, v, RESP_ARRAY, level);
        case '~':
                return resp_read_list(r, v, RESP_SET, level);
        case '>':
                return resp_read_list(r, v, RESP_PUSH, level);
        case '%':
        case '|':
                return resp_read_list(r, v, RESP_MAP, level);
        default:
                return resp_broken(r->err, "unknown type byte in the answer");
        }
}

static void
resp_value_clear(struct resp_value *v)
{
        *v = (struct resp_value){.type = RESP_NULL, .s = ""};
}

static int
resp_read_value(struct resp_reader *r, struct resp_value *v, unsigned level)
{
        for (;;) {
                char type;
                int rc;

                resp_value_clear(v);
                if (r->pos == r->n)
                        return 0;
                type = r->p[r->pos++];
                rc = resp_read_typed(r, type, v, level);
                if (rc != 1 ||
                    type != '|') /* attributes come before the value: skipped */
                        return rc;
        }
}

long
resp_value_parse(const char *p, size_t n, size_t max, struct arena *a,
    struct resp_value *out, struct err *err)
{
        struct resp_reader r = {.p = p, .n = n, .max = max, .err = err};
        int rc = resp_read_value(&r, out, 0);

        if (rc == 0 && n > max)
                return resp_too_big(err, "answer too long", n, max, "bytes");
        if (rc == 1 && r.pos > max)
                return resp_too_big(err, "answer too long", r.pos, max, "bytes");
        if (rc != 1)
                return rc;
        r.pos = 0;
        r.a = a;
        resp_read_value(&r, out, 0);
        return (long)r.pos;
}
