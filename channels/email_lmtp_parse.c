/*
 * The words of LMTP: command lines, and the end of DATA. Pure.
 *
 * What is lenient here: blanks after "FROM:", source routes (dropped), 8-bit
 * addresses that are UTF-8. What is not: line ends. A line that does not end in
 * CRLF, and a dot that does not stand between two CRLFs, is what mail smugglers
 * use to hide a second mail in the first.
 */
#include "channels/email_lmtp.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/utf8.h"

#define ADDRESS_MAX 320 /* local part 64, @, domain 255 */

long
lmtp_line_find(const char *p, size_t n)
{
        size_t seen = n < LMTP_LINE_MAX ? n : LMTP_LINE_MAX;
        const char *lf = n == 0 ? NULL : memchr(p, '\n', seen);
        size_t text = lf == NULL ? seen : (size_t)(lf - p);
        const char *cr = text == 0 ? NULL : memchr(p, '\r', text);

        if (text > 0 && memchr(p, '\0', text) != NULL)
                return -1;
        /* a CR may only be the last byte: before the LF, or of what came so far */
        if (cr != NULL && (size_t)(cr - p) != text - 1)
                return -1;
        if (lf == NULL)
                return n < LMTP_LINE_MAX ? 0 : -2;
        return cr == NULL ? -1 : (long)text + 1;
}

static const struct {
        const char *word;
        enum lmtp_verb verb;
} verbs[] = {
    {"LHLO", LMTP_LHLO},
    {"MAIL", LMTP_MAIL},
    {"RCPT", LMTP_RCPT},
    {"DATA", LMTP_DATA},
    {"RSET", LMTP_RSET},
    {"NOOP", LMTP_NOOP},
    {"QUIT", LMTP_QUIT},
    {"VRFY", LMTP_VRFY},
    {"HELP", LMTP_HELP},
    {"HELO", LMTP_HELO},
    {"EHLO", LMTP_HELO},
};

struct scan { /* what is left of the line */
        const char *p, *end;
};

static void
scan_blanks(struct scan *s)
{
        while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
                s->p++;
}

/* "FROM:" or "TO:" in any case; blanks around it are let pass. */
static bool
scan_word(struct scan *s, const char *word)
{
        size_t n = strlen(word);

        scan_blanks(s);
        if ((size_t)(s->end - s->p) < n || strncasecmp(s->p, word, n) != 0)
                return false;
        s->p += n;
        scan_blanks(s);
        return true;
}

/* The end of a path that began with '<': its '>' outside of quotes; NULL none. */
static const char *
path_end(const char *p, const char *end)
{
        bool quoted = false;

        for (; p < end; p++) {
                if (*p == '\\' && quoted && p + 1 < end)
                        p++;
                else if (*p == '"')
                        quoted = !quoted;
                else if (*p == '>' && !quoted)
                        return p;
                else if (*p == '<' && !quoted)
                        return NULL;
        }
        return NULL;
}

/* "<local@domain>" into out, without a source route. */
static int
scan_path(struct scan *s, struct lmtp_command *out, struct err *err)
{
        const char *from, *to;
        size_t n;

        if (s->p == s->end || *s->p != '<')
                return err_set(err, ERR_REJECT,
                    "501 5.5.4 the address must stand in < >, as in <anna@example.org>");
        from = s->p + 1;
        to = path_end(from, s->end);
        if (to == NULL)
                return err_set(
                    err, ERR_REJECT, "501 5.5.4 the > that ends the address is missing");
        s->p = to + 1;
        if (from < to && *from == '@') {
                const char *colon = memchr(from, ':', (size_t)(to - from));

                if (colon == NULL)
                        return err_set(err, ERR_REJECT,
                            "501 5.1.3 a source route without an address");
                from = colon + 1;
        }
        n = (size_t)(to - from);
        if (n > ADDRESS_MAX)
                return err_set(err, ERR_LIMIT,
                    "501 5.1.3 an address has at most %d bytes, this one has %zu",
                    ADDRESS_MAX, n);
        if (!utf8_valid(from, n))
                return err_set(err, ERR_REJECT, "501 5.1.3 the address is not UTF-8");
        memcpy(out->address, from, n);
        out->address[n] = '\0';
        return 0;
}

static int
size_parse(const char *p, size_t n, struct lmtp_command *out, struct err *err)
{
        if (n == 0 || n > 20)
                return err_set(
                    err, ERR_REJECT, "501 5.5.4 SIZE= takes a number of bytes");
        out->size = 0;
        for (size_t i = 0; i < n; i++) {
                if (p[i] < '0' || p[i] > '9')
                        return err_set(
                            err, ERR_REJECT, "501 5.5.4 SIZE= takes a number of bytes");
                if (__builtin_mul_overflow(out->size, 10, &out->size) ||
                    __builtin_add_overflow(out->size, (uint64_t)(p[i] - '0'), &out->size))
                        out->size = UINT64_MAX / 16; /* too large whatever the limit is */
        }
        out->has_size = true;
        return 0;
}

/* Has the parameter at p (n bytes) this name? Then *value is what stands behind "=". */
static bool
param_is(const char *p, size_t n, const char *name, const char **value, size_t *value_len)
{
        size_t len = strlen(name);

        if (n < len || strncasecmp(p, name, len) != 0 || (n > len && p[len] != '='))
                return false;
        *value = n > len ? p + len + 1 : p + n;
        *value_len = n > len ? n - len - 1 : 0;
        return true;
}

static int
param_parse(const char *p, size_t n, struct lmtp_command *out, struct err *err)
{
        const char *v;
        size_t len;

        if (out->verb == LMTP_MAIL && param_is(p, n, "SIZE", &v, &len))
                return size_parse(v, len, out, err);
        if (out->verb == LMTP_MAIL && param_is(p, n, "BODY", &v, &len)) {
                out->is_8bit = len == 8 && strncasecmp(v, "8BITMIME", 8) == 0;
                if (out->is_8bit || (len == 4 && strncasecmp(v, "7BIT", 4) == 0))
                        return 0;
                return err_set(
                    err, ERR_REJECT, "501 5.5.4 BODY= takes 7BIT or 8BITMIME here");
        }
        return err_set(err, ERR_REJECT, "555 5.5.4 a parameter that was not offered");
}

static int
params_parse(struct scan *s, struct lmtp_command *out, struct err *err)
{
        while (s->p < s->end) {
                const char *p;

                if (*s->p != ' ' && *s->p != '\t')
                        return err_set(err, ERR_REJECT,
                            "501 5.5.4 a blank must stand between address and "
                            "parameters");
                scan_blanks(s);
                p = s->p;
                while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
                        s->p++;
                if (s->p > p && param_parse(p, (size_t)(s->p - p), out, err) == -1)
                        return -1;
        }
        return 0;
}

static int
path_command(struct scan *s, const char *word, struct lmtp_command *out, struct err *err)
{
        if (!scan_word(s, word))
                return err_set(err, ERR_REJECT, "501 5.5.4 say %s %s<address>",
                    out->verb == LMTP_MAIL ? "MAIL" : "RCPT", word);
        if (scan_path(s, out, err) == -1 || params_parse(s, out, err) == -1)
                return -1;
        if (out->verb == LMTP_RCPT && *out->address == '\0')
                return err_set(err, ERR_REJECT, "501 5.1.3 a recipient needs an address");
        return 0;
}

/* The first word: its verb, and the word itself fit to be said back. */
static void
verb_parse(struct scan *s, struct lmtp_command *out)
{
        const char *p = s->p;
        size_t n = 0;

        while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
                s->p++;
        out->verb = LMTP_UNKNOWN;
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
                if ((size_t)(s->p - p) == 4 && strncasecmp(p, verbs[i].word, 4) == 0)
                        out->verb = verbs[i].verb;
        for (; p + n < s->p && n < sizeof out->word - 1; n++)
                out->word[n] = p[n] > ' ' && p[n] < 0x7f ? p[n] : '?';
        out->word[n] = '\0';
}

int
lmtp_command_parse(const char *line, size_t n, struct lmtp_command *out, struct err *err)
{
        struct scan s = {line, line + n};

        memset(out, 0, sizeof *out);
        verb_parse(&s, out);
        for (const char *p = line; p < s.end; p++)
                if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
                        return err_set(err, ERR_REJECT,
                            "500 5.5.2 a control character in a command");
        switch (out->verb) {
        case LMTP_MAIL:
                return path_command(&s, "FROM:", out, err);
        case LMTP_RCPT:
                return path_command(&s, "TO:", out, err);
        case LMTP_LHLO:
                scan_blanks(&s);
                if (s.p == s.end)
                        return err_set(
                            err, ERR_REJECT, "501 5.5.4 say LHLO and your host name");
                return 0;
        case LMTP_DATA:
        case LMTP_RSET:
        case LMTP_QUIT:
                scan_blanks(&s);
                if (s.p < s.end)
                        return err_set(err, ERR_REJECT,
                            "501 5.5.4 nothing may stand behind %s", out->word);
                return 0;
        case LMTP_HELO:
                return err_set(err, ERR_REJECT,
                    "500 5.5.1 this is LMTP: say LHLO, not %s", out->word);
        case LMTP_UNKNOWN:
                return err_set(
                    err, ERR_REJECT, "500 5.5.2 unknown command '%s'", out->word);
        case LMTP_NOOP:
        case LMTP_VRFY:
        case LMTP_HELP:
                return 0;
        }
        return 0;
}

/* ---- DATA ---- */

enum data_state {
        DATA_BEGIN, /* behind a CRLF, or behind the command DATA */
        DATA_DOT, /* a dot at the beginning of a line: held back */
        DATA_DOT_CR, /* ... and a CR: held back */
        DATA_TEXT, /* inside a line */
        DATA_CR /* behind a CR inside a line */
};

/* Text up to and with the next CR. Returns bytes eaten. */
static size_t
data_text(struct lmtp_data *d, const char *p, size_t n)
{
        const char *cr = memchr(p, '\r', n);

        d->state = cr == NULL ? DATA_TEXT : DATA_CR;
        return cr == NULL ? n : (size_t)(cr - p) + 1;
}

size_t
lmtp_data_feed(struct lmtp_data *d, const char *p, size_t n,
    void (*out)(void *arg, const char *p, size_t n), void *arg, bool *ended)
{
        size_t at = 0; /* bytes looked at */
        size_t from = 0; /* bytes given out or dropped */

        *ended = false;
        while (at < n) {
                switch ((enum data_state)d->state) {
                case DATA_BEGIN:
                        if (p[at] != '.') {
                                at += data_text(d, p + at, n - at);
                                break;
                        }
                        if (at > from)
                                out(arg, p + from, at - from);
                        from = ++at;
                        d->state = DATA_DOT;
                        break;
                case DATA_DOT:
                        if (p[at] == '\r') {
                                from = ++at;
                                d->state = DATA_DOT_CR;
                        } else {
                                at += data_text(d, p + at, n - at);
                        }
                        break;
                case DATA_DOT_CR:
                        if (p[at] == '\n') {
                                d->state = DATA_BEGIN;
                                *ended = true;
                                return at + 1;
                        }
                        out(arg, "\r", 1);
                        d->state = DATA_CR;
                        break;
                case DATA_TEXT:
                        at += data_text(d, p + at, n - at);
                        break;
                case DATA_CR:
                        if (p[at] == '\n') {
                                d->state = DATA_BEGIN;
                                at++;
                        } else {
                                at += data_text(d, p + at, n - at);
                        }
                        break;
                }
        }
        if (at > from)
                out(arg, p + from, at - from);
        return at;
}
