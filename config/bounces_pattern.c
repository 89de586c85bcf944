/*
 * Patterns of one line; see bounces(5) and bounces_impl.h. Each part takes the first
 * place that fits and never another one: linear in line and pattern, without the
 * surprises of going back.
 */
#include <ctype.h>
#include <string.h>

#include "config/bounces_impl.h"
#include "daemon/base/utf8.h"

static const struct {
        const char *name;
        enum part_kind kind;
} captures[] = {
    {"address", PART_ADDRESS},
    {"status", PART_STATUS},
    {"code", PART_CODE},
    {"reply", PART_REPLY},
    {"id", PART_ID},
};

/* ---- folding ---- */

void
bounces_fold(char *to, const char *s, size_t n)
{
        for (size_t at = 0, used = 1; at < n; at += used) {
                unsigned char c = (unsigned char)s[at];
                struct buf b AUTO_BUF = BUF_INIT;

                used = 1;
                if (c < 0x80) {
                        to[at] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
                        continue;
                }
                utf8_add(&b, utf8_fold_char(utf8_next(s + at, n - at, &used)));
                memcpy(to + at, b.len == used ? b.data : s + at, used);
        }
}

/* ---- making ---- */

static struct pattern_part *
add_part(struct arena *a, struct line_pattern *p, enum part_kind kind)
{
        p->parts = arena_grow(a, p->parts, p->n_parts, sizeof *p->parts);
        p->parts[p->n_parts].kind = kind;
        p->parts[p->n_parts].text = "";
        p->parts[p->n_parts].n = 0;
        return &p->parts[p->n_parts++];
}

static void
flush_literal(struct arena *a, struct line_pattern *p, struct buf *literal)
{
        struct pattern_part *part;
        char *folded;

        if (literal->len == 0)
                return;
        part = add_part(a, p, PART_LITERAL);
        folded = arena_strndup(a, literal->data, literal->len);
        bounces_fold(folded, literal->data, literal->len);
        part->text = folded;
        part->n = literal->len;
        buf_clear(literal);
}

/* {name} at s; its kind, or -1. */
static int
capture_kind(const char *s, size_t *used)
{
        for (size_t i = 0; i < sizeof captures / sizeof *captures; i++) {
                size_t n = strlen(captures[i].name);

                if (strncmp(s + 1, captures[i].name, n) == 0 && s[n + 1] == '}') {
                        *used = n + 2;
                        return (int)captures[i].kind;
                }
        }
        return -1;
}

static bool
is_open(const struct line_pattern *p)
{
        enum part_kind last;

        if (p->n_parts == 0)
                return false;
        last = p->parts[p->n_parts - 1].kind;
        return last == PART_ANY || last == PART_REPLY;
}

static int
add_capture(struct arena *a, struct line_pattern *p, const char *s, size_t *used,
    const char **why)
{
        int kind = *s == '*' ? (int)PART_ANY : capture_kind(s, used);

        *why = "this is none of {address} {status} {code} {reply} {id}; a brace is "
               "written {{";
        if (kind == -1)
                return -1;
        *why = "two that take any text stand beside each other; put words between them";
        if ((kind == PART_ANY || kind == PART_REPLY) && is_open(p))
                return -1;
        *why = "it captures the same twice; use * for one of them";
        if (kind != PART_ANY && line_pattern_has(p, (enum part_kind)kind))
                return -1;
        add_part(a, p, (enum part_kind)kind);
        return 0;
}

struct line_pattern *
line_pattern_new(struct arena *a, const char *text, const char **why, size_t *at)
{
        struct line_pattern *p = arena_alloc(a, sizeof *p);
        struct buf literal AUTO_BUF = BUF_INIT;
        size_t used;

        p->written = arena_strdup(a, text);
        *at = 0;
        *why = "the pattern is empty";
        if (strcmp(text, "*") != 0 && text[strspn(text, " *")] == '\0')
                return NULL;
        *why = "the pattern is longer than 300 bytes; put * for a part of it";
        if (strlen(text) > BOUNCES_MAX_PATTERN)
                return NULL;
        for (const char *s = text; *s != '\0'; s += used) {
                used = 1;
                *at = (size_t)(s - text);
                *why = "the pattern has too many parts (at most 16)";
                if (p->n_parts >= BOUNCES_MAX_PARTS - 1)
                        return NULL;
                if ((*s == '{' && s[1] != '{') || *s == '*') {
                        flush_literal(a, p, &literal);
                        if (add_capture(a, p, s, &used, why) == -1)
                                return NULL;
                } else {
                        used += *s == '{';
                        if (*s != ' ' || literal.len == 0 ||
                            literal.data[literal.len - 1] != ' ')
                                buf_addc(&literal, *s);
                }
        }
        flush_literal(a, p, &literal);
        return p;
}

bool
line_pattern_has(const struct line_pattern *p, enum part_kind kind)
{
        for (size_t i = 0; i < p->n_parts; i++)
                if (p->parts[i].kind == kind)
                        return true;
        return false;
}

/* ---- what captures look like ---- */

static bool
is_local_char(unsigned char c)
{
        return isalnum(c) || c >= 0x80 ||
               (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool
is_domain_char(unsigned char c)
{
        return isalnum(c) || c >= 0x80 || c == '-' || c == '.' || c == '_';
}

static size_t
local_len(const char *s, size_t n)
{
        size_t i = 0;

        if (n > 2 && s[0] == '"') { /* "quoted part"@domain */
                for (i = 1; i < n && i < 65 && s[i] != '"' && s[i] != '\n'; i++)
                        i += s[i] == '\\';
                return i < n && i > 1 && s[i] == '"' ? i + 1 : 0;
        }
        while (i < n && i < 200 && is_local_char((unsigned char)s[i]))
                i++;
        return i;
}

size_t
bounces_address_at(const char *s, size_t n)
{
        size_t i = local_len(s, n), from;

        if (i == 0 || i + 1 >= n || s[i] != '@' || s[0] == '\'' || s[0] == '.')
                return 0;
        from = ++i;
        if (s[i] == '[') { /* an address literal */
                while (i < n && i - from < 60 && s[i] != ']' && s[i] != ' ')
                        i++;
                return i < n && s[i] == ']' ? i + 1 : 0;
        }
        while (i < n && i - from < 255 && is_domain_char((unsigned char)s[i]))
                i++;
        while (i > from && (s[i - 1] == '.' || s[i - 1] == '-' || s[i - 1] == '_'))
                i--;
        return i > from ? i : 0;
}

static size_t
status_at(const char *s, size_t n)
{
        size_t i = 1, k = 0;

        if (n < 5 || (s[0] != '2' && s[0] != '4' && s[0] != '5'))
                return 0;
        for (k = 0; k < 2; k++) {
                size_t from = i + 1;

                if (i >= n || s[i] != '.')
                        return 0;
                for (i = from; i < n && i < from + 3 && isdigit((unsigned char)s[i]); i++)
                        ;
                if (i == from)
                        return 0;
        }
        return i < n &&
                       (isdigit((unsigned char)s[i]) ||
                           (s[i] == '.' && i + 1 < n && isdigit((unsigned char)s[i + 1])))
                   ? 0
                   : i;
}

static size_t
code_at(const char *s, size_t n)
{
        return n >= 3 && s[0] >= '2' && s[0] <= '5' && isdigit((unsigned char)s[1]) &&
                       isdigit((unsigned char)s[2]) &&
                       (n == 3 || !isalnum((unsigned char)s[3]))
                   ? 3
                   : 0;
}

static size_t
id_at(const char *s, size_t n)
{
        size_t i = 0;
        bool at = false;

        for (; i < n && i < 998 && (unsigned char)s[i] > ' ' &&
               strchr("<>,;()", s[i]) == NULL;
             i++)
                at = at || s[i] == '@';
        return at ? i : 0;
}

static size_t
shape_at(enum part_kind kind, const char *s, size_t n)
{
        switch (kind) {
        case PART_ADDRESS:
                return bounces_address_at(s, n);
        case PART_STATUS:
                return status_at(s, n);
        case PART_CODE:
                return code_at(s, n);
        case PART_ID:
                return id_at(s, n);
        case PART_LITERAL:
        case PART_ANY:
        case PART_REPLY:
                break;
        }
        return 0;
}

/* May a shape begin here: not in the middle of a word? */
static bool
begins_here(enum part_kind kind, const char *s, size_t at)
{
        unsigned char before = at > 0 ? (unsigned char)s[at - 1] : ' ';

        if (kind == PART_ADDRESS)
                return !is_local_char(before) || s[at] == '"' || before == '\'';
        if (kind == PART_ID)
                return before == ' ' || before == '<';
        return !isalnum(before) && before != '.';
}

/* ---- fitting ---- */

struct fitting {
        const struct bounce_line *l;
        struct bounce_captures *c;
        size_t at;
        bool open; /* any text may stand before what comes */
        size_t open_from; /* where it begins */
        bool open_reply; /* it is the reply */
};

static void
close_open(struct fitting *f, size_t at)
{
        if (f->open && f->open_reply && f->c != NULL) {
                f->c->reply.s = f->l->s + f->open_from;
                f->c->reply.n = at - f->open_from;
        }
        f->open = false;
}

static bool
fit_literal(struct fitting *f, const struct pattern_part *part, bool last)
{
        const char *s = f->l->folded + f->at;
        size_t n = f->l->n - f->at;
        const char *found = s;

        if (last) { /* it is the end of the line */
                if (n < part->n || (!f->open && n != part->n))
                        return false;
                found = s + n - part->n;
        } else if (f->open) {
                found = memmem(s, n, part->text, part->n);
        }
        if (found == NULL || n < part->n || memcmp(found, part->text, part->n) != 0)
                return false;
        close_open(f, (size_t)(found - f->l->folded));
        f->at = (size_t)(found - f->l->folded) + part->n;
        return true;
}

static void
capture(struct fitting *f, enum part_kind kind, size_t n)
{
        struct bounce_capture *to = kind == PART_ADDRESS  ? &f->c->address
                                    : kind == PART_STATUS ? &f->c->status
                                    : kind == PART_CODE   ? &f->c->code
                                                          : &f->c->id;

        to->s = f->l->s + f->at;
        to->n = n;
}

static bool
fit_shape(struct fitting *f, enum part_kind kind)
{
        for (size_t at = f->at; at < f->l->n; at++) {
                size_t n = begins_here(kind, f->l->s, at)
                               ? shape_at(kind, f->l->s + at, f->l->n - at)
                               : 0;

                if (n > 0) {
                        close_open(f, at);
                        f->at = at;
                        if (f->c != NULL)
                                capture(f, kind, n);
                        f->at += n;
                        return true;
                }
                if (!f->open)
                        break;
        }
        return false;
}

bool
line_pattern_fits(
    const struct line_pattern *p, const struct bounce_line *l, struct bounce_captures *c)
{
        struct fitting f = {.l = l, .c = c};

        if (c != NULL)
                memset(c, 0, sizeof *c);
        for (size_t i = 0; i < p->n_parts; i++) {
                const struct pattern_part *part = &p->parts[i];

                if (part->kind == PART_ANY || part->kind == PART_REPLY) {
                        f.open = true;
                        f.open_from = f.at;
                        f.open_reply = part->kind == PART_REPLY;
                } else if (part->kind == PART_LITERAL) {
                        if (!fit_literal(&f, part, i + 1 == p->n_parts))
                                return false;
                } else if (!fit_shape(&f, part->kind)) {
                        return false;
                }
        }
        if (f.open)
                close_open(&f, l->n);
        else if (f.at != l->n)
                return false;
        return true;
}
