/*
 * Forms as they come over the wire; see form_parse.h. Pure: no clock, no file.
 *
 * Multipart is a machine of six states fed byte by byte, with runs of data taken at
 * once. A delimiter is a line end, two hyphens and the boundary. Its first byte stands
 * nowhere else in it, so after a mismatch the search goes on with the byte that did not
 * fit: every byte is looked at once, whatever look-alikes the data hold. What follows
 * the boundary decides: a line end begins a part, two hyphens end the body, anything
 * else was data.
 *
 * The line end of the first delimiter holds for the whole body (some old clients send
 * bare LF). Preamble other than empty lines is refused: no browser sends one, and it
 * could make others see parts where we see none.
 */
#include "channels/form_parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/utf8.h"

#define BOUNDARY_MAX 200
#define PART_COST 64 /* what each part counts for beside its value */

enum state {
        AT_START, /* empty lines, then the first delimiter */
        AT_FIRST, /* behind it */
        AT_HEAD, /* header lines of a part */
        AT_DATA,
        AT_TAIL, /* behind a delimiter in data */
        AT_EPILOGUE
};
enum encoding { ENCODING_NONE, ENCODING_BASE64, ENCODING_QP };

struct form_parser {
        struct arena *arena; /* of the parts; the caller's */
        struct form_limits limits;
        bool is_multipart;
        bool broken; /* has failed: stays so */
        uint64_t at; /* bytes seen */

        struct form_part *parts;
        size_t n_parts;
        size_t n_values; /* bytes of names and values so far */
        uint64_t n_files; /* bytes of files so far */

        enum state state;
        char delimiter[BOUNDARY_MAX + 8]; /* CR LF - - boundary */
        size_t skip; /* bytes of it left out at its front: 0, 1 bare LF */
        size_t n_delimiter;
        size_t matched; /* bytes of the delimiter seen */
        char tail; /* the one byte seen behind it: '-', CR or 0 */
        size_t n_head; /* bytes of this part's header so far */
        struct buf line; /* header line; urlencoded: a pair */
        struct buf value; /* of the field under way */
        struct form_part part; /* under way */
        bool has_disposition, has_encoding;
        enum encoding encoding;
        uint32_t bits; /* base64: those not yet given out */
        unsigned n_bits;
        bool ended; /* base64: '=' was seen */
        char escape[3]; /* quoted-printable: '=' and what followed */
        unsigned n_escape;
        char decoded[1024]; /* not yet given on */
        size_t n_decoded;
        struct sha256 *sha; /* of the file under way */
};

static int
broken(struct form_parser *p, struct err *err, const char *what)
{
        const char *name = p->part.name == NULL ? "" : p->part.name;

        p->broken = true;
        return err_set(err, ERR_REJECT, "%s (byte %llu%s%.60s%s)", what,
            (unsigned long long)p->at, *name != '\0' ? ", field '" : "", name,
            *name != '\0' ? "'" : "");
}

static int
too_big(struct form_parser *p, struct err *err, const char *what, uint64_t max)
{
        const char *name = p->part.name == NULL ? "" : p->part.name;

        p->broken = true;
        return err_set(err, ERR_LIMIT, "%s: at most %llu (byte %llu%s%.60s%s)", what,
            (unsigned long long)max, (unsigned long long)p->at,
            *name != '\0' ? ", field '" : "", name, *name != '\0' ? "'" : "");
}

/* ---- parts ---- */

/* Text as UTF-8, whatever came: bad bytes become U+FFFD, nothing else changes. */
static const char *
text_of(struct arena *a, const char *s, size_t n, size_t *len)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t used;

        *len = n;
        if (utf8_valid(s, n))
                return arena_strndup(a, s, n);
        for (size_t i = 0; i < n; i += used)
                utf8_add(&b, utf8_next(s + i, n - i, &used));
        *len = b.len;
        return arena_strndup(a, buf_str(&b), b.len);
}

static int
part_add(struct form_parser *p, struct err *err)
{
        size_t cost = strlen(p->part.name) + p->part.len + PART_COST;

        if (p->n_parts == p->limits.max_parts)
                return too_big(p, err, "too many fields", p->limits.max_parts);
        if (cost > p->limits.max_values - p->n_values)
                return too_big(
                    p, err, "the fields are too long together", p->limits.max_values);
        p->n_values += cost;
        p->part.index = (unsigned)p->n_parts + 1;
        p->parts = arena_grow(p->arena, p->parts, p->n_parts, sizeof p->part);
        p->parts[p->n_parts++] = p->part;
        return 0;
}

static void
part_begin(struct form_parser *p)
{
        memset(&p->part, 0, sizeof p->part);
        p->part.name = p->part.filename = p->part.type = p->part.value = "";
        p->has_disposition = p->has_encoding = false;
        p->encoding = ENCODING_NONE;
        p->bits = 0;
        p->n_bits = p->n_escape = 0;
        p->n_decoded = 0;
        p->ended = false;
        p->n_head = 0;
        buf_clear(&p->line);
        buf_clear(&p->value);
}

/* ---- header lines ---- */

static bool
is_token(char c)
{
        return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

/* The escapes of browsers (%22 %0D %0A) undone. */
static const char *
undo_escapes(struct arena *a, const char *s, size_t n)
{
        char *out = arena_alloc(a, n + 1), *o = out;

        for (size_t i = 0; i < n; i++) {
                if (s[i] == '%' && i + 2 < n && s[i + 1] == '2' && s[i + 2] == '2')
                        *o++ = '"';
                else if (s[i] == '%' && i + 2 < n && strncasecmp(s + i, "%0D", 3) == 0)
                        *o++ = '\r';
                else if (s[i] == '%' && i + 2 < n && strncasecmp(s + i, "%0A", 3) == 0)
                        *o++ = '\n';
                else {
                        *o++ = s[i];
                        continue;
                }
                i += 2;
        }
        return text_of(a, out, (size_t)(o - out), &n);
}

/* The closing quote of the quoted string at p, NULL none. */
static const char *
quoted_end(const char *p)
{
        const char *last = NULL;

        for (p++; *p != '\0'; p++) {
                if (*p != '"')
                        continue;
                last = p;
                if (p[-1] != '\\')
                        return p;
        }
        return last; /* a path that ends in a backslash */
}

/* One `; name=value` at *s; false when there is none that can be read. The value is
 * copied, with \" undone (a backslash before anything else is one: Windows paths). */
static bool
parameter_next(struct arena *a, const char **s, const char **name, size_t *n_name,
    const char **value, size_t *n_value)
{
        const char *p = *s;
        char *out;

        p += strspn(p, " \t");
        if (*p != ';')
                return false;
        p += 1 + strspn(p + 1, " \t");
        *name = p;
        while (is_token(*p))
                p++;
        *n_name = (size_t)(p - *name);
        p += strspn(p, " \t");
        if (*n_name == 0 || *p != '=')
                return false;
        p += 1 + strspn(p + 1, " \t");
        if (*p == '"') {
                const char *end = quoted_end(p);

                if (end == NULL)
                        return false;
                *value = out = arena_alloc(a, (size_t)(end - p));
                for (p++; p < end; p++) {
                        if (*p == '\\' && p[1] == '"' && p + 1 < end)
                                p++;
                        *out++ = *p;
                }
                p++;
        } else {
                size_t n = strcspn(p, "; \t");

                *value = arena_strndup(a, p, n);
                out = (char *)*value + n;
                p += n;
        }
        *n_value = (size_t)(out - *value);
        *s = p;
        return true;
}

static const char *
last_component(const char *path)
{
        const char *last = path;

        for (const char *p = path; *p != '\0'; p++)
                if (*p == '/' || *p == '\\')
                        last = p + 1;
        return last;
}

static int
hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX undone; with plus, '+' is a blank. Broken escapes stay as they are. */
static const char *
percent_decode(struct arena *a, const char *s, size_t n, bool plus, size_t *len)
{
        char *out = arena_alloc(a, n + 1), *o = out;

        for (size_t i = 0; i < n; i++) {
                int high = i + 2 < n && s[i] == '%' ? hex_value(s[i + 1]) : -1;
                int low = high >= 0 ? hex_value(s[i + 2]) : -1;

                if (low >= 0) {
                        *o++ = (char)(high * 16 + low);
                        i += 2;
                } else {
                        *o++ = plus && s[i] == '+' ? ' ' : s[i];
                }
        }
        return text_of(a, out, (size_t)(o - out), len);
}

/* RFC 5987: UTF-8'lang'percent-encoded; others are left to the plain parameter. */
static const char *
extended_value(struct arena *a, const char *s, size_t n)
{
        const char *end = s + n, *quote;
        size_t len;

        if (n < 7 || strncasecmp(s, "utf-8'", 6) != 0)
                return "";
        quote = memchr(s + 6, '\'', n - 6);
        if (quote == NULL)
                return "";
        return percent_decode(a, quote + 1, (size_t)(end - quote - 1), false, &len);
}

static int
take_disposition(struct form_parser *p, const char *s, struct err *err)
{
        const char *name, *value, *extended = "";
        size_t n_name, n_value;
        bool has_name = false;

        if (strncasecmp(s, "form-data", 9) != 0 || is_token(s[9]) || p->has_disposition)
                return broken(p, err, "a part that is no form-data");
        p->has_disposition = true;
        s += 9;
        while (parameter_next(p->arena, &s, &name, &n_name, &value, &n_value)) {
                if (n_name == 4 && strncasecmp(name, "name", 4) == 0) {
                        p->part.name = undo_escapes(p->arena, value, n_value);
                        has_name = true;
                } else if (n_name == 8 && strncasecmp(name, "filename", 8) == 0) {
                        p->part.filename =
                            last_component(undo_escapes(p->arena, value, n_value));
                        p->part.is_file = true;
                } else if (n_name == 9 && strncasecmp(name, "filename*", 9) == 0) {
                        extended =
                            last_component(extended_value(p->arena, value, n_value));
                        p->part.is_file = true;
                }
        }
        s += strspn(s, " \t;");
        if (!has_name || *s != '\0')
                return broken(p, err, "a part without a readable name");
        if (*extended != '\0')
                p->part.filename = extended;
        return 0;
}

static int
take_encoding(struct form_parser *p, const char *s, struct err *err)
{
        size_t n = strcspn(s, " \t;");

        if (p->has_encoding)
                return broken(p, err, "two Content-Transfer-Encoding");
        p->has_encoding = true;
        if (n == 6 && strncasecmp(s, "base64", 6) == 0)
                p->encoding = ENCODING_BASE64;
        else if (n == 16 && strncasecmp(s, "quoted-printable", 16) == 0)
                p->encoding = ENCODING_QP;
        else if (!(n == 4 && (strncasecmp(s, "7bit", 4) == 0 ||
                                 strncasecmp(s, "8bit", 4) == 0)) &&
                 !(n == 6 && strncasecmp(s, "binary", 6) == 0))
                return broken(p, err, "an unknown Content-Transfer-Encoding");
        return 0;
}

/* One header line, without its end. */
static int
head_line(struct form_parser *p, struct err *err)
{
        const char *s = buf_str(&p->line), *value;
        size_t n = 0, len;

        if (strlen(s) != p->line.len)
                return broken(p, err, "a NUL in a header");
        while (is_token(s[n]))
                n++;
        if (n == 0 || s[n] != ':')
                return broken(p, err, "a header line that is none");
        value = s + n + 1 + strspn(s + n + 1, " \t");
        if (n == 19 && strncasecmp(s, "Content-Disposition", n) == 0)
                return take_disposition(p, value, err);
        if (n == 25 && strncasecmp(s, "Content-Transfer-Encoding", n) == 0)
                return take_encoding(p, value, err);
        if (n == 12 && strncasecmp(s, "Content-Type", n) == 0)
                p->part.type = text_of(p->arena, value, strlen(value), &len);
        return 0;
}

static int
head_end(struct form_parser *p, struct err *err)
{
        if (!p->has_disposition)
                return broken(p, err, "a part without Content-Disposition");
        if (p->part.is_file)
                p->sha = sha256_new();
        p->state = AT_DATA;
        p->matched = 0;
        return 0;
}

static int
head_byte(struct form_parser *p, char c, struct err *err)
{
        struct buf *l = &p->line;
        bool cr = l->len > 0 && l->data[l->len - 1] == '\r';

        if (++p->n_head > p->limits.max_head)
                return too_big(
                    p, err, "the header of a part is too long", p->limits.max_head);
        if (c != '\n') {
                if (cr)
                        return broken(p, err, "a bare CR in a header");
                buf_addc(l, c);
                return 0;
        }
        if (cr != (p->skip == 0))
                return broken(p, err, "a wrong line end in a header");
        if (cr)
                l->data[--l->len] = '\0';
        if (l->len == 0)
                return head_end(p, err);
        if (head_line(p, err) == -1)
                return -1;
        buf_clear(l);
        return 0;
}

/* ---- data ---- */

static int
sink(struct form_parser *p, const char *s, size_t n, struct err *err)
{
        if (!p->part.is_file) {
                if (n > p->limits.max_value - p->value.len)
                        return too_big(
                            p, err, "the field is too long", p->limits.max_value);
                buf_add(&p->value, s, n);
                return 0;
        }
        if (n > p->limits.max_files - p->n_files)
                return too_big(
                    p, err, "the files are too big together", p->limits.max_files);
        p->n_files += n;
        p->part.size += n;
        sha256_add(p->sha, s, n);
        return 0;
}

static int
base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decoded bytes go on in runs. */
static int
decoded_flush(struct form_parser *p, struct err *err)
{
        size_t n = p->n_decoded;

        p->n_decoded = 0;
        return n == 0 ? 0 : sink(p, p->decoded, n, err);
}

static int
decoded_add(struct form_parser *p, char c, struct err *err)
{
        p->decoded[p->n_decoded++] = c;
        return p->n_decoded == sizeof p->decoded ? decoded_flush(p, err) : 0;
}

static int
emit_base64(struct form_parser *p, const char *s, size_t n, struct err *err)
{
        for (size_t i = 0; i < n; i++) {
                int v = base64_value(s[i]);
                char out;

                if (s[i] == '=')
                        p->ended = true;
                if (v < 0 || p->ended)
                        continue;
                p->bits = p->bits << 6 | (uint32_t)v;
                p->n_bits += 6;
                if (p->n_bits < 8)
                        continue;
                p->n_bits -= 8;
                out = (char)(p->bits >> p->n_bits & 0xff);
                if (decoded_add(p, out, err) == -1)
                        return -1;
        }
        return 0;
}

/* What is held of an escape turns out to be plain text. */
static int
escape_flush(struct form_parser *p, struct err *err)
{
        unsigned n = p->n_escape;

        p->n_escape = 0;
        for (unsigned i = 0; i < n; i++)
                if (decoded_add(p, p->escape[i], err) == -1)
                        return -1;
        return 0;
}

static int
emit_qp(struct form_parser *p, const char *s, size_t n, struct err *err)
{
        for (size_t i = 0; i < n; i++) {
                char c = s[i], out;

                if (p->n_escape == 0 || c == '=') {
                        if (escape_flush(p, err) == -1 ||
                            (c != '=' && decoded_add(p, c, err) == -1))
                                return -1;
                        if (c == '=')
                                p->escape[p->n_escape++] = c;
                        continue;
                }
                if (c == '\n' && (p->n_escape == 1 || p->escape[1] == '\r')) {
                        p->n_escape = 0; /* a soft line end */
                        continue;
                }
                p->escape[p->n_escape++] = c;
                if (p->n_escape == 2 && (c == '\r' || hex_value(c) >= 0))
                        continue;
                if (p->n_escape == 3 && hex_value(p->escape[1]) >= 0 &&
                    hex_value(c) >= 0) {
                        out = (char)(hex_value(p->escape[1]) * 16 + hex_value(c));
                        p->n_escape = 0;
                        if (decoded_add(p, out, err) == -1)
                                return -1;
                        continue;
                }
                if (escape_flush(p, err) == -1)
                        return -1;
        }
        return 0;
}

static int
emit(struct form_parser *p, const char *s, size_t n, struct err *err)
{
        if (n == 0)
                return 0;
        if (p->encoding == ENCODING_BASE64)
                return emit_base64(p, s, n, err);
        if (p->encoding == ENCODING_QP)
                return emit_qp(p, s, n, err);
        return sink(p, s, n, err);
}

static int
part_end(struct form_parser *p, struct err *err)
{
        if (escape_flush(p, err) == -1 || decoded_flush(p, err) == -1)
                return -1;
        if (p->part.is_file)
                sha256_end(&p->sha, p->part.sha256);
        else
                p->part.value =
                    text_of(p->arena, buf_str(&p->value), p->value.len, &p->part.len);
        return part_add(p, err);
}

/* Some bytes of data; *used of them are done. */
static int
data_bytes(struct form_parser *p, const char *s, size_t n, size_t *used, struct err *err)
{
        const char *d = p->delimiter + p->skip;
        size_t n_d = p->n_delimiter - p->skip, had;

        if (p->matched == 0) {
                const char *hit = memchr(s, d[0], n);

                *used = hit == NULL ? n : (size_t)(hit - s) + 1;
                p->matched = hit != NULL;
                return emit(p, s, hit == NULL ? n : (size_t)(hit - s), err);
        }
        if (*s == d[p->matched]) {
                *used = 1;
                if (++p->matched == n_d) {
                        p->state = AT_TAIL;
                        p->tail = 0;
                }
                return 0;
        }
        *used = 0;
        had = p->matched;
        p->matched = 0;
        return emit(p, d, had, err);
}

/* Behind a delimiter: a part, the end, or it was none. */
static int
tail_byte(struct form_parser *p, char c, bool *used, struct err *err)
{
        bool lf = p->skip == 1;

        *used = true;
        if ((p->tail == '\r' || (p->tail == 0 && lf)) && c == '\n') {
                if (part_end(p, err) == -1)
                        return -1;
                part_begin(p);
                p->state = AT_HEAD;
                return 0;
        }
        if (p->tail == '-' && c == '-') {
                if (part_end(p, err) == -1)
                        return -1;
                p->state = AT_EPILOGUE;
                return 0;
        }
        if (p->tail == 0 && (c == '-' || (c == '\r' && !lf))) {
                p->tail = c;
                return 0;
        }
        *used = false;
        p->state = AT_DATA;
        p->matched = p->tail == '\r';
        if (emit(p, p->delimiter + p->skip, p->n_delimiter - p->skip, err) == -1)
                return -1;
        return p->tail == '-' ? emit(p, "-", 1, err) : 0;
}

/* ---- before the first part ---- */

static int
start_byte(struct form_parser *p, char c, struct err *err)
{
        const char *d = p->delimiter + 2;

        if (p->matched == 0 && (c == '\r' || c == '\n'))
                return 0;
        if (c != d[p->matched])
                return broken(p, err, "the body does not begin with its boundary");
        if (++p->matched == p->n_delimiter - 2)
                p->state = AT_FIRST;
        return 0;
}

static int
first_byte(struct form_parser *p, char c, struct err *err)
{
        if (p->tail == 0 && (c == '\r' || c == '-')) {
                p->tail = c;
                return 0;
        }
        if (c == '\n' && p->tail != '-') {
                p->skip = p->tail == '\r' ? 0 : 1;
                part_begin(p);
                p->state = AT_HEAD;
                return 0;
        }
        if (c == '-' && p->tail == '-') {
                p->state = AT_EPILOGUE;
                return 0;
        }
        return broken(p, err, "the first boundary is followed by something else");
}

static int
multipart_feed(struct form_parser *p, const char *s, size_t n, struct err *err)
{
        size_t i = 0;

        while (i < n) {
                size_t used = 1;
                bool one = true;
                int rc = 0;

                switch (p->state) {
                case AT_START:
                        rc = start_byte(p, s[i], err);
                        break;
                case AT_FIRST:
                        rc = first_byte(p, s[i], err);
                        break;
                case AT_HEAD:
                        rc = head_byte(p, s[i], err);
                        break;
                case AT_DATA:
                        rc = data_bytes(p, s + i, n - i, &used, err);
                        break;
                case AT_TAIL:
                        rc = tail_byte(p, s[i], &one, err);
                        used = one;
                        break;
                case AT_EPILOGUE:
                        used = n - i;
                        break;
                }
                if (rc == -1)
                        return -1;
                i += used;
                p->at += used;
        }
        return 0;
}

/* ---- urlencoded ---- */

/* One name=value, complete in p->line. */
static int
pair_end(struct form_parser *p, struct err *err)
{
        const char *s = buf_str(&p->line), *eq = memchr(s, '=', p->line.len);
        size_t n_name = eq == NULL ? p->line.len : (size_t)(eq - s), n_value, len;
        const char *name, *value = "";

        if (p->line.len == 0)
                return 0;
        if (p->n_values + p->line.len / 3 > p->limits.max_values)
                return too_big(
                    p, err, "the fields are too long together", p->limits.max_values);
        n_value = eq == NULL ? 0 : p->line.len - n_name - 1;
        name = percent_decode(p->arena, s, n_name, true, &len);
        len = 0;
        if (n_value > 0)
                value = percent_decode(p->arena, eq + 1, n_value, true, &len);
        part_begin(p); /* the line is emptied */
        p->part.name = name;
        p->part.value = value;
        p->part.len = len;
        if (len > p->limits.max_value)
                return too_big(p, err, "the field is too long", p->limits.max_value);
        return part_add(p, err);
}

static int
urlencoded_feed(struct form_parser *p, const char *s, size_t n, struct err *err)
{
        while (n > 0) {
                const char *end = memchr(s, '&', n);
                size_t take = end == NULL ? n : (size_t)(end - s);

                if (take > p->limits.max_value * 3 - p->line.len)
                        return too_big(
                            p, err, "the field is too long", p->limits.max_value);
                buf_add(&p->line, s, take);
                p->at += take;
                if (end != NULL) {
                        if (pair_end(p, err) == -1)
                                return -1;
                        p->at++;
                        take++;
                }
                s += take;
                n -= take;
        }
        return 0;
}

/* ---- the door ---- */

/* The parameter `boundary` of a multipart/form-data; -1 when it cannot be one. */
static int
take_boundary(struct form_parser *p, const char *s, struct err *err)
{
        const char *name, *value, *boundary = NULL;
        size_t n_name, n_value, n = 0;

        while (parameter_next(p->arena, &s, &name, &n_name, &value, &n_value)) {
                if (n_name != 8 || strncasecmp(name, "boundary", 8) != 0)
                        continue;
                if (boundary != NULL)
                        return err_set(err, ERR_REJECT, "two boundaries");
                boundary = value;
                n = n_value;
        }
        if (boundary == NULL || n == 0 || n > BOUNDARY_MAX || boundary[n - 1] == ' ')
                return err_set(err, ERR_REJECT,
                    "multipart/form-data without a boundary of 1 to %d characters",
                    BOUNDARY_MAX);
        for (size_t i = 0; i < n; i++)
                if (boundary[i] < ' ' || boundary[i] > '~')
                        return err_set(
                            err, ERR_REJECT, "a boundary of impossible characters");
        memcpy(p->delimiter, "\r\n--", 4);
        memcpy(p->delimiter + 4, boundary, n);
        p->n_delimiter = n + 4;
        return 0;
}

static bool
is_type(const char *content_type, const char *type)
{
        size_t n = strlen(type);

        return strncasecmp(content_type, type, n) == 0 &&
               (content_type[n] == '\0' || strchr("; \t", content_type[n]) != NULL);
}

struct form_parser *
form_parser_new(const char *content_type, const struct form_limits *lim, struct arena *a,
    struct err *err)
{
        struct form_parser *p = xcalloc(1, sizeof *p);

        p->arena = a;
        p->limits = *lim;
        part_begin(p);
        p->is_multipart = is_type(content_type, "multipart/form-data");
        if (p->is_multipart) {
                if (take_boundary(p, content_type + strlen("multipart/form-data"), err) ==
                    -1)
                        form_parser_free(&p);
        } else if (!is_type(content_type, "application/x-www-form-urlencoded")) {
                err_set(err, ERR_REJECT,
                    "a form is multipart/form-data or "
                    "application/x-www-form-urlencoded");
                form_parser_free(&p);
        }
        return p;
}

int
form_parser_feed(struct form_parser *p, const char *s, size_t n, struct err *err)
{
        if (p->broken)
                return err_set(err, ERR_REJECT, "the form is broken already");
        return p->is_multipart ? multipart_feed(p, s, n, err)
                               : urlencoded_feed(p, s, n, err);
}

int
form_parser_end(struct form_parser *p, struct err *err)
{
        if (p->broken)
                return err_set(err, ERR_REJECT, "the form is broken already");
        if (!p->is_multipart)
                return pair_end(p, err);
        if (p->state != AT_EPILOGUE)
                return broken(p, err, "the form breaks off before its last boundary");
        return 0;
}

const struct form_part *
form_parser_parts(const struct form_parser *p, size_t *n)
{
        *n = p->n_parts;
        return p->parts;
}

void
form_parser_free(struct form_parser **pp)
{
        struct form_parser *p = *pp;
        char hex[65];

        if (p == NULL)
                return;
        if (p->sha != NULL)
                sha256_end(&p->sha, hex);
        buf_fini(&p->line);
        buf_fini(&p->value);
        free(p);
        *pp = NULL;
}
