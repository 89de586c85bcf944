/*
 * Delivery status as RFC 3464 (and 6533) has it, and as it is written: groups without
 * empty lines between them or with some inside, fields of a recipient split off from
 * it, actions in any case or none, types of addresses invented or missing.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_report_impl.h"
#include "daemon/base/utf8.h"

struct group { /* of one recipient */
        const char *original, *final, *actual;
        const char *action, *status, *diagnostic, *remote;
};

struct status_reader {
        struct reporting *r;
        struct group g;
        bool any; /* something stands in g */
        size_t n_read; /* recipients so far */
};

static const struct group empty_group = {"", "", "", "", "", "", ""};

/* ---- values ---- */

static const char *
skip_blanks(const char *s)
{
        while (isspace((unsigned char)*s))
                s++;
        return s;
}

/* Behind "rfc822;", "LOCAL;", "x-unix;" ... */
static const char *
skip_type(const char *s)
{
        size_t n;

        s = skip_blanks(s);
        n = strcspn(s, "; \t<@\"");
        while (isspace((unsigned char)s[n]))
                n++;
        return s[n] == ';' ? skip_blanks(s + n + 1) : s;
}

/* "\x{2603}" (RFC 6533) -> the character. */
static const char *
unescape_utf8(struct arena *a, const char *s)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (strstr(s, "\\x{") == NULL)
                return s;
        while (*s != '\0') {
                char *end = NULL;
                unsigned long cp =
                    strncmp(s, "\\x{", 3) == 0 ? strtoul(s + 3, &end, 16) : 0;

                if (cp > 0 && cp <= 0x10ffff && *end == '}') {
                        utf8_add(&b, (uint32_t)cp);
                        s = end + 1;
                } else {
                        buf_addc(&b, *s++);
                }
        }
        return arena_strndup(a, buf_str(&b), b.len);
}

/* An address field: the address, or the name before a missing domain. */
static const char *
address_value(struct reporting *r, const char *value)
{
        const char *s = unescape_utf8(r->scratch, skip_type(value));
        const char *found = report_address_in(r->scratch, s, strlen(s));
        size_t n;

        if (found[0] != '\0')
                return found;
        s += strspn(s, "<\"' ");
        n = strcspn(s, ">\"' \t;()");
        return arena_strndup(r->scratch, s, n < 254 ? n : 254);
}

static bool
has_at(const char *s)
{
        return strchr(s, '@') != NULL;
}

/* ---- one recipient ---- */

static const char *
action_of(const struct group *g)
{
        static const struct {
                const char *begins;
                const char *action;
        } words[] = {{"fail", "failed"}, {"delay", "delayed"}, {"deliver", "delivered"},
            {"relay", "relayed"}, {"expand", "expanded"}, {"error", "failed"},
            {"expire", "failed"}, {"reject", "failed"}, {"undeliver", "failed"},
            {"bounce", "failed"}, {"transient", "delayed"}, {"perm", "failed"}};
        const char *s = skip_blanks(g->action);
        size_t skip = strspn(s, "\"'<(");

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (strncasecmp(s + skip, words[i].begins, strlen(words[i].begins)) == 0)
                        return words[i].action;
        if (*s != '\0' || skip_blanks(g->status)[0] == '5')
                return "failed";
        return skip_blanks(g->status)[0] == '2' ? "delivered" : "";
}

/* The text behind "smtp;". */
static const char *
diagnostic_of(struct arena *a, const char *value)
{
        const char *s = skip_type(value);
        struct buf b AUTO_BUF = BUF_INIT;

        for (; *s != '\0' && b.len < REPORT_MAX_WORDS; s++)
                if (!isspace((unsigned char)*s))
                        buf_addc(&b, *s);
                else if (b.len > 0 && b.data[b.len - 1] != ' ')
                        buf_addc(&b, ' ');
        while (b.len > 0 && b.data[b.len - 1] == ' ')
                b.len--;
        return arena_strndup(a, buf_str(&b), b.len);
}

static const char *
status_of(struct arena *a, const char *value)
{
        const char *s = skip_blanks(value);
        size_t n = strspn(s, "0123456789.");

        return n >= 5 && n < 12 && strchr("245", s[0]) != NULL && s[1] == '.'
                   ? arena_strndup(a, s, n)
                   : "";
}

static void
group_end(struct status_reader *x)
{
        struct group *g = &x->g;
        const char *original = address_value(x->r, g->original);
        const char *final = address_value(x->r, g->final);
        const char *actual = address_value(x->r, g->actual);
        const char *address = has_at(original)   ? original
                              : has_at(final)    ? final
                              : has_at(actual)   ? actual
                              : final[0] != '\0' ? final
                                                 : original;
        size_t before = x->r->n_drafts;
        struct draft *d;

        if (!x->any)
                return;
        if (x->n_read >= REPORT_MAX_RECIPIENTS)
                return;
        d = report_add(x->r, address);
        if (x->r->n_drafts > before || d->action[0] == '\0' ||
            strcmp(d->action, "failed") != 0) {
                d->final = has_at(final) ? final : "";
                d->action = action_of(g);
                d->status = status_of(x->r->scratch, g->status);
                d->diagnostic = diagnostic_of(x->r->scratch, g->diagnostic);
                d->words =
                    g->status; /* its comment: "4.0.0 (host name lookup failure)" */
        }
        x->n_read++;
        *g = empty_group;
        x->any = false;
}

/* ---- fields ---- */

static const char **
field_of(struct group *g, const char *name, size_t n)
{
        const struct {
                const char *name;
                const char **to;
        } fields[] = {{"Original-Recipient", &g->original},
            {"Final-Recipient", &g->final}, {"X-Actual-Recipient", &g->actual},
            {"Action", &g->action}, {"Status", &g->status},
            {"Diagnostic-Code", &g->diagnostic}, {"Remote-MTA", &g->remote},
            {"X-Notes-Item", NULL}};

        for (size_t i = 0; fields[i].to != NULL; i++)
                if (strlen(fields[i].name) == n &&
                    strncasecmp(fields[i].name, name, n) == 0)
                        return fields[i].to;
        return NULL;
}

static void
add_field(struct status_reader *x, const char *name, size_t n, const char *value)
{
        const char **to = field_of(&x->g, name, n);
        bool recipient;

        if (to == NULL || value[0] == '\0')
                return;
        recipient = to == &x->g.original || to == &x->g.final;
        if (recipient && x->any && **to != '\0') {
                group_end(x); /* the empty line between two is missing */
                to = field_of(&x->g, name, n);
        }
        if (recipient || to == &x->g.actual)
                x->any = true;
        if (**to == '\0')
                *to = value;
}

/* Diagnostic texts may fold without the blank that makes it a fold: a line without a
 * field's name goes on with the one before. */
static bool
is_field(const char *s, size_t n, size_t *name_len)
{
        size_t i = 0;

        while (i < n && i < 60 && (isalnum((unsigned char)s[i]) || s[i] == '-'))
                i++;
        *name_len = i;
        while (i < n && (s[i] == ' ' || s[i] == '\t'))
                i++;
        return *name_len > 0 && i < n && s[i] == ':';
}

static void
flush(struct status_reader *x, struct buf *name, struct buf *value)
{
        if (name->len > 0)
                add_field(x, buf_str(name), name->len,
                    arena_strndup(x->r->scratch, skip_blanks(buf_str(value)),
                        strlen(skip_blanks(buf_str(value)))));
        buf_clear(name);
        buf_clear(value);
}

static bool
is_empty(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!isspace((unsigned char)s[i]))
                        return false;
        return true;
}

static void
read_line(
    struct status_reader *x, const char *s, size_t n, struct buf *name, struct buf *value)
{
        const char *colon;
        size_t len = 0;

        if (is_empty(s, n)) {
                flush(x, name, value);
                /* an empty line ends a recipient that has said its fate */
                if (x->any && (x->g.action[0] != '\0' || x->g.status[0] != '\0'))
                        group_end(x);
        } else if (s[0] != ' ' && s[0] != '\t' && is_field(s, n, &len)) {
                flush(x, name, value);
                buf_add(name, s, len);
                colon = memchr(s, ':', n);
                buf_add(value, colon + 1, n - (size_t)(colon + 1 - s));
        } else if (name->len > 0 && value->len < REPORT_MAX_WORDS) {
                buf_addc(value, ' ');
                buf_add(value, s, n);
        }
}

bool
report_status_read(struct reporting *r, const char *s, size_t n)
{
        struct status_reader x = {.r = r, .g = empty_group};
        struct buf name AUTO_BUF = BUF_INIT, value AUTO_BUF = BUF_INIT;
        size_t next;

        for (size_t at = 0; at < n; at = next) {
                const char *end = memchr(s + at, '\n', n - at);
                size_t len = end == NULL ? n - at : (size_t)(end - s) - at;

                next = at + len + 1;
                if (len > 0 && s[at + len - 1] == '\r')
                        len--;
                read_line(&x, s + at, len, &name, &value);
        }
        flush(&x, &name, &value);
        group_end(&x);
        return x.n_read > 0;
}

size_t
report_status_in_text(const struct reporting *r)
{
        static const char *const words[] = {"final-recipient:", "original-recipient:"};

        for (size_t i = 0; i < r->end; i++)
                for (size_t k = 0; k < 2; k++)
                        if (r->lines.list[i].n > 20 &&
                            memcmp(r->lines.list[i].folded, words[k], strlen(words[k])) ==
                                0)
                                return i;
        return r->lines.n;
}
