/*
 * The pure half of the HTTP gate; see http_gate.h. The connections are in http.c.
 *
 * Every rule here is one that evhttp (2.1.12) or a common proxy reads differently: two
 * lengths, a length with a sign, blanks before the colon, bare LF, folded lines, NUL,
 * chunk sizes with "0x". A request is refused whole; nothing is repaired.
 */
#include "daemon/base/http_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/utf8.h"

/* A status and its sentence in one line. */
#define refuse(err, status, ...) (err_set((err), ERR_REJECT, __VA_ARGS__), (status))

/* ---- letters ---- */

bool
http_token_char(unsigned char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
               (c >= 'a' && c <= 'z') || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_token(const char *p, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!http_token_char((unsigned char)p[i]))
                        return false;
        return n > 0;
}

static bool
is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* In a header's value: all but controls, of which a tab may be. */
static bool
is_value_char(unsigned char c)
{
        return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static int
hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Does a list like "close, TE" hold this word? */
static bool
list_has(const char *list, const char *word)
{
        size_t n = strlen(word);

        while (*list != '\0') {
                size_t k;

                list += strspn(list, " \t,");
                k = strcspn(list, ",");
                while (k > 0 && is_blank(list[k - 1]))
                        k--;
                if (k == n && strncasecmp(list, word, n) == 0)
                        return true;
                list += strcspn(list, ",");
        }
        return false;
}

/* ---- the block ---- */

int
http_head_find(const char *p, size_t n, size_t max, size_t *len, struct err *err)
{
        const char *at = p, *end = p + n, *lf;
        size_t line_max = max < HTTP_LINE_MAX ? max : HTTP_LINE_MAX;

        *len = 0;
        if (n > 0 && !http_token_char((unsigned char)*p))
                return refuse(err, 400, "the request begins with no method");
        while ((lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
                if (lf == p || lf[-1] != '\r')
                        return refuse(err, 400, "a line ends in LF without CR");
                if (at == p && (size_t)(lf - p) > line_max)
                        return refuse(err, 414, "the address is too long");
                if ((size_t)(lf + 1 - p) > max)
                        break;
                if (lf == at + 1) {
                        *len = (size_t)(lf + 1 - p);
                        return 0;
                }
                at = lf + 1;
        }
        if (at == p && n > line_max)
                return refuse(err, 414, "the address is too long");
        if (n >= max)
                return refuse(err, 431, "the header is over %zu bytes", max);
        return 0;
}

static const struct {
        const char *name;
        enum http_method method; /* HTTP_OTHER: known, and not served */
} methods[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST},
    {"OPTIONS", HTTP_OPTIONS}, {"PUT", HTTP_OTHER}, {"DELETE", HTTP_OTHER},
    {"PATCH", HTTP_OTHER}, {"TRACE", HTTP_OTHER}, {"CONNECT", HTTP_OTHER}};

static int
parse_method(const char *p, size_t n, struct http_head *out, struct err *err)
{
        if (!is_token(p, n))
                return refuse(err, 400, "the method is no word");
        for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
                if (strlen(methods[i].name) != n || memcmp(methods[i].name, p, n) != 0)
                        continue;
                out->method = methods[i].method;
                if (out->method == HTTP_OTHER)
                        return refuse(err, 405, "%s is not served", methods[i].name);
                return 0;
        }
        return refuse(err, 501, "the method is not known");
}

static int
parse_version(const char *p, size_t n, struct http_head *out, struct err *err)
{
        if (n != 8 || memcmp(p, "HTTP/", 5) != 0 || p[5] < '0' || p[5] > '9' ||
            p[6] != '.' || p[7] < '0' || p[7] > '9')
                return refuse(err, 400, "the request line ends in no version");
        if (p[5] != '1' || p[7] > '1')
                return refuse(err, 505, "this version of HTTP is not spoken here");
        out->minor = (unsigned)(p[7] - '0');
        return 0;
}

/* One character of a decoded path; the status when it may not be there. */
static int
path_char(unsigned char c, bool escaped, struct err *err)
{
        if (c < 0x20 || c == 0x7f)
                return refuse(err, 400, "a control character in the path");
        if (c == '\\' || (escaped && c == '/'))
                return refuse(err, 400, "an escaped slash or a backslash in the path");
        return 0;
}

/* Is any segment "." or ".."? */
static bool
path_climbs(const char *path)
{
        while (*path != '\0') {
                size_t n = strcspn(path, "/");

                if ((n == 1 && path[0] == '.') ||
                    (n == 2 && path[0] == '.' && path[1] == '.'))
                        return true;
                path += n;
                path += *path == '/';
        }
        return false;
}

int
http_path_decode(
    struct arena *a, const char *p, size_t n, const char **path, struct err *err)
{
        char *out = arena_alloc(a, n + 1);
        size_t len = 0;

        *path = out;
        if (n == 0 || *p != '/')
                return refuse(err, 400, "the address is no path from /");
        for (size_t i = 0; i < n; i++) {
                bool escaped = p[i] == '%';
                unsigned char c = (unsigned char)p[i];
                int status;

                if (escaped) {
                        int hi = n - i > 2 ? hex_value(p[i + 1]) : -1;
                        int lo = n - i > 2 ? hex_value(p[i + 2]) : -1;

                        if (hi < 0 || lo < 0)
                                return refuse(err, 400, "a bad %% escape in the path");
                        c = (unsigned char)(hi << 4 | lo);
                        i += 2;
                }
                status = path_char(c, escaped, err);
                if (status != 0)
                        return status;
                out[len++] = (char)c;
        }
        out[len] = '\0';
        if (path_climbs(out))
                return refuse(err, 400, "a . or .. segment in the path");
        if (!utf8_valid(out, len))
                return refuse(err, 400, "the path is not UTF-8");
        return 0;
}

static int
parse_target(
    struct arena *a, const char *p, size_t n, struct http_head *out, struct err *err)
{
        const char *mark;
        size_t path_len;

        for (size_t i = 0; i < n; i++)
                if ((unsigned char)p[i] <= ' ' || (unsigned char)p[i] >= 0x7f ||
                    p[i] == '#')
                        return refuse(err, 400, "the address holds a bad character");
        if (n == 1 && *p == '*' && out->method == HTTP_OPTIONS)
                p = "/";
        mark = memchr(p, '?', n);
        path_len = mark == NULL ? n : (size_t)(mark - p);
        out->query = mark == NULL ? "" : arena_strndup(a, mark + 1, n - path_len - 1);
        return http_path_decode(a, p, path_len, &out->path, err);
}

/* METHOD SP TARGET SP VERSION, n bytes without the CRLF. */
static int
parse_request_line(
    struct arena *a, const char *p, size_t n, struct http_head *out, struct err *err)
{
        const char *one = memchr(p, ' ', n);
        const char *two = one == NULL ? NULL : memrchr(p, ' ', n);
        int status, version;

        if (memchr(p, '\r', n) != NULL)
                return refuse(err, 400, "CR inside the request line");
        if (one == NULL || one == two)
                return refuse(err, 400, "the request line is not three words");
        status = parse_method(p, (size_t)(one - p), out, err);
        if (status == 400)
                return status;
        /* how the line is made comes before whether we serve it */
        version = parse_version(two + 1, n - (size_t)(two + 1 - p), out, err);
        if (version != 0 || status != 0)
                return version != 0 ? version : status;
        return parse_target(a, one + 1, (size_t)(two - one - 1), out, err);
}

/* NAME: VALUE, n bytes without the CRLF. */
static int
parse_field(
    struct arena *a, const char *p, size_t n, struct http_head *out, struct err *err)
{
        const char *colon = memchr(p, ':', n), *value, *end = p + n;
        struct http_field *f;

        if (is_blank(*p))
                return refuse(err, 400, "a folded header line");
        if (colon == NULL || !is_token(p, (size_t)(colon - p)))
                return refuse(err, 400, "a header line without a proper name");
        if (out->n_fields == HTTP_FIELDS_MAX)
                return refuse(err, 431, "over %d header lines", HTTP_FIELDS_MAX);
        value = colon + 1;
        for (const char *q = value; q < end; q++)
                if (!is_value_char((unsigned char)*q))
                        return refuse(err, 400, "a control character in a header");
        while (value < end && is_blank(*value))
                value++;
        while (end > value && is_blank(end[-1]))
                end--;
        out->fields = arena_grow(a, out->fields, out->n_fields, sizeof *out->fields);
        f = &out->fields[out->n_fields++];
        f->name = arena_strndup(a, p, (size_t)(colon - p));
        f->value = arena_strndup(a, value, (size_t)(end - value));
        return 0;
}

/* ---- what the fields say together ---- */

static const char *const once_only[] = {"Host", "Content-Length", "Transfer-Encoding",
    "Content-Type", "Authorization", "Origin", "Expect", "Idempotency-Key"};

/* The field of that name, NULL: none; twice when it must not be: *twice. */
static const char *
field_single(const struct http_head *head, const char *name, bool *twice)
{
        const char *found = NULL;

        for (size_t i = 0; i < head->n_fields; i++) {
                if (strcasecmp(head->fields[i].name, name) != 0)
                        continue;
                *twice = *twice || found != NULL;
                found = head->fields[i].value;
        }
        return found;
}

static int
check_host(const struct http_head *head, const char *host, struct err *err)
{
        if (host == NULL)
                return head->minor == 0 ? 0 : refuse(err, 400, "there is no Host header");
        if (*host == '\0' || strlen(host) > 255 ||
            strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                         "-._~:[]") != strlen(host))
                return refuse(err, 400, "the Host header names no host");
        return 0;
}

/* How the body ends: by one length or by chunks, never by both. */
static int
check_framing(
    struct http_head *head, const char *length, const char *coding, struct err *err)
{
        head->length = -1;
        if (coding != NULL && length != NULL)
                return refuse(err, 400, "Transfer-Encoding beside Content-Length");
        if (coding != NULL && head->minor == 0)
                return refuse(err, 400, "Transfer-Encoding in HTTP/1.0");
        if (coding != NULL && strcasecmp(coding, "chunked") != 0)
                return refuse(err, 501, "the only Transfer-Encoding known is chunked");
        head->chunked = coding != NULL;
        if (length == NULL)
                return head->method == HTTP_POST && coding == NULL
                           ? refuse(err, 411, "POST without Content-Length")
                           : 0;
        if (*length == '\0' || strlen(length) > 18 ||
            strspn(length, "0123456789") != strlen(length))
                return refuse(err, 400, "Content-Length is not a number");
        head->length = 0;
        for (; *length != '\0'; length++)
                head->length = head->length * 10 + (*length - '0');
        return 0;
}

static void
read_connection(struct http_head *head)
{
        bool close = false, keep = false;

        for (size_t i = 0; i < head->n_fields; i++) {
                if (strcasecmp(head->fields[i].name, "Connection") != 0)
                        continue;
                close = close || list_has(head->fields[i].value, "close");
                keep = keep || list_has(head->fields[i].value, "keep-alive");
        }
        head->keep = !close && (head->minor == 1 || keep);
}

static int
check_fields(struct http_head *head, struct err *err)
{
        const char *length, *coding, *expect;
        bool twice = false;
        int status;

        for (size_t i = 0; i < sizeof once_only / sizeof *once_only; i++) {
                (void)field_single(head, once_only[i], &twice);
                if (twice)
                        return refuse(err, 400, "two %s headers", once_only[i]);
        }
        status = check_host(head, field_single(head, "Host", &twice), err);
        if (status != 0)
                return status;
        length = field_single(head, "Content-Length", &twice);
        coding = field_single(head, "Transfer-Encoding", &twice);
        status = check_framing(head, length, coding, err);
        if (status != 0)
                return status;
        expect = field_single(head, "Expect", &twice);
        if (expect != NULL && strcasecmp(expect, "100-continue") != 0)
                return refuse(err, 417, "the only Expect known is 100-continue");
        head->expect = expect != NULL && head->minor == 1;
        read_connection(head);
        return 0;
}

int
http_head_parse(
    struct arena *a, const char *p, size_t n, struct http_head *out, struct err *err)
{
        const char *end = p + n;
        bool first = true;

        memset(out, 0, sizeof *out);
        out->path = out->query = "";
        out->length = -1;
        while (p < end) {
                const char *lf = memchr(p, '\n', (size_t)(end - p));
                size_t len;
                int status;

                if (lf == NULL || lf == p || lf[-1] != '\r')
                        return refuse(err, 400, "a line does not end in CRLF");
                len = (size_t)(lf - 1 - p);
                if (len == 0 && !first)
                        return lf + 1 == end
                                   ? check_fields(out, err)
                                   : refuse(err, 400, "bytes behind the header");
                status = first ? parse_request_line(a, p, len, out, err)
                               : parse_field(a, p, len, out, err);
                if (status != 0)
                        return status;
                first = false;
                p = lf + 1;
        }
        return refuse(err, 400, "the header does not end");
}

int
http_gate_check(const char *head, size_t n, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct http_head out;
        size_t len;
        int status = http_head_find(head, n, n + 1, &len, err);

        if (status != 0)
                return status;
        return http_head_parse(a, head, n, &out, err);
}

const char *
http_head_field(const struct http_head *head, const char *name)
{
        for (size_t i = 0; i < head->n_fields; i++)
                if (strcasecmp(head->fields[i].name, name) == 0)
                        return head->fields[i].value;
        return "";
}

/* ---- who asks ---- */

bool
http_address_plain(const char *p, size_t n, char out[64])
{
        struct in6_addr a6;
        struct in_addr a4;
        char text[64];
        const char *colon;

        while (n > 0 && is_blank(*p)) {
                p++;
                n--;
        }
        while (n > 0 && is_blank(p[n - 1]))
                n--;
        if (n > 0 && *p == '[') {
                const char *close = memchr(p, ']', n);

                if (close == NULL || (close + 1 < p + n && close[1] != ':'))
                        return false;
                n = (size_t)(close - p - 1);
                p++;
        } else if ((colon = memchr(p, ':', n)) != NULL &&
                   memrchr(p, ':', n) == (const void *)colon) {
                n = (size_t)(colon - p);
        }
        if (n == 0 || n >= sizeof text || memchr(p, '\0', n) != NULL)
                return false;
        memcpy(text, p, n);
        text[n] = '\0';
        if (strcmp(text, "unix") == 0) {
                memcpy(out, text, n + 1);
                return true;
        }
        if (inet_pton(AF_INET, text, &a4) == 1)
                return inet_ntop(AF_INET, &a4, out, 64) != NULL;
        if (inet_pton(AF_INET6, text, &a6) != 1)
                return false;
        if (IN6_IS_ADDR_V4MAPPED(&a6))
                return inet_ntop(AF_INET, &a6.s6_addr[12], out, 64) != NULL;
        return inet_ntop(AF_INET6, &a6, out, 64) != NULL;
}

static bool
is_proxy(const char *const *proxies, size_t n, const char *address)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(proxies[i], address) == 0)
                        return true;
        return false;
}

void
http_find_client(const struct http_head *head, const char *const *proxies,
    size_t n_proxies, const char *peer, char out[64])
{
        char named[64];

        snprintf(out, 64, "%s", peer);
        for (size_t i = head->n_fields; i-- > 0;) {
                const char *list = head->fields[i].value;
                size_t end = strlen(list);

                if (strcasecmp(head->fields[i].name, "X-Forwarded-For") != 0)
                        continue;
                while (end > 0) {
                        size_t begin = end;

                        if (!is_proxy(proxies, n_proxies, out))
                                return;
                        while (begin > 0 && list[begin - 1] != ',')
                                begin--;
                        if (!http_address_plain(list + begin, end - begin, named) ||
                            strcmp(named, "unix") == 0)
                                return;
                        snprintf(out, 64, "%s", named);
                        end = begin > 0 ? begin - 1 : 0;
                }
        }
}

bool
http_forwarded_secure(const struct http_head *head)
{
        for (size_t i = head->n_fields; i-- > 0;) {
                const char *last;

                if (strcasecmp(head->fields[i].name, "X-Forwarded-Proto") != 0)
                        continue;
                last = strrchr(head->fields[i].value, ',');
                last = last == NULL ? head->fields[i].value : last + 1;
                last += strspn(last, " \t");
                return strcasecmp(last, "https") == 0;
        }
        return false;
}
