/*
 * Addresses: RFC 5322 and what people write instead; see helper_mime_header.h. One
 * pass, byte by byte, over the field; what could only be closed behind its end (quotes,
 * comments, angles) is known beforehand and taken literally.
 */
#include "channels/helper_mime_address.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MAX_FIELD (256u << 10)
#define MAX_ADDRESS 1000

/* One element of an address list while it is read. */
struct mailbox {
        struct words *w;
        struct buf name; /* raw display name, quotes removed */
        struct buf comment; /* the last (comment) */
        struct buf address; /* between < and > */
        bool has_angle;
        size_t angle_at; /* how long the name was when it came */
        bool has_at; /* an @ outside < > and quotes */

        const char *last_at; /* of the whole field, so that none looks further: */
        const char *last_paren;
        const char *last_angle;
        const char *last_quote;
};

/* Where the mailboxes go. */
struct list {
        struct arena *a;
        struct mail_address **items;
        size_t *n;
        size_t max;
};

static void
mailbox_clear(struct mailbox *b)
{
        buf_clear(&b->name);
        buf_clear(&b->comment);
        buf_clear(&b->address);
        b->has_angle = false;
        b->has_at = false;
}

static void
trim(struct buf *b)
{
        size_t from = 0;

        while (b->len > 0 && isspace((unsigned char)b->data[b->len - 1]))
                b->len--;
        while (from < b->len && isspace((unsigned char)b->data[from]))
                from++;
        if (b->data != NULL)
                b->data[b->len] = '\0';
        if (from > 0)
                buf_consume(b, from);
}

/* ---- one address ---- */

/* Where an address begins that has words before it: "anna smith@b.example". Blanks
 * beside @ and points are only obsolete. */
static const char *
last_word(const char *s)
{
        const char *at = strrchr(s, '@');
        const char *from = at;

        if (at == NULL || at != strchr(s, '@') ||
            memchr(s, '"', (size_t)(at - s)) != NULL ||
            memchr(s, '(', (size_t)(at - s)) != NULL)
                return s;
        while (from > s && from[-1] == ' ')
                from--;
        for (; from > s; from--) {
                const char *before = from;

                if (from[-1] != ' ')
                        continue;
                while (before > s && before[-1] == ' ')
                        before--;
                if (before > s && before[-1] != '.' && *from != '.')
                        return from;
        }
        return s;
}

/* Comments, blanks and controls out, but for quoted blanks; "a(x)b" keeps a parenthesis
 * nobody closed. */
static void
squeeze(struct buf *out, const char *s)
{
        bool comments = strchr(s, ')') != NULL;
        bool quoted = false;
        unsigned depth = 0;

        for (; *s != '\0'; s++) {
                quoted = quoted != (*s == '"' && strchr(s, '@') != NULL);
                depth += comments && !quoted && *s == '(';
                if (depth == 0 && *s != 127 &&
                    ((quoted && *s == ' ') ||
                        ((unsigned char)*s > 32 && strchr("<>,;", *s) == NULL)))
                        buf_addc(out, *s);
                depth -= *s == ')' && depth > 0;
        }
}

/* The raw address without comments, blanks and controls, domain lower-case, no route;
 * "" when that is none. */
static const char *
clean_address(struct words *w, struct arena *a, const char *s)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const char *route = s[0] == '@' ? strchr(s, ':') : NULL;
        size_t len;
        char *address;
        char *at;

        if (strncasecmp(s, "mailto:", 7) == 0 || strncasecmp(s, "smtp:", 5) == 0)
                route = strchr(s, ':');
        squeeze(&b, last_word(route != NULL ? route + 1 : s));
        if (b.len > MAX_ADDRESS)
                return "";
        address = arena_strdup(a, words_text(w, a, buf_str(&b), b.len));
        len = strlen(address);
        while (len > 0 && strchr(".'\"", address[len - 1]) != NULL)
                address[--len] = '\0';
        if (address[0] == '\'' || (address[0] == '"' && strstr(address, "\"@") == NULL))
                address++;
        at = strrchr(address, '@');
        if (at == NULL || at == address || at[1] == '\0' || strchr(at, ' ') != NULL ||
            (address[0] != '"' && strchr(address, ' ') != NULL))
                return "";
        for (; *at != '\0'; at++)
                *at = (char)tolower((unsigned char)*at);
        return address;
}

static bool
is_edge(char c)
{
        return isspace((unsigned char)c) || strchr("<>()[]\",;", c) != NULL;
}

/* Where the domain from `to` on ends; blanks before a point belong to it (RFC 822). */
static size_t
address_end(const char *text, size_t n, size_t to)
{
        for (;;) {
                size_t next;

                while (to < n && !is_edge(text[to]))
                        to++;
                for (next = to; next < n && text[next] == ' '; next++)
                        ;
                if (next == to || next + 2 >= n || text[next] != '.')
                        return to;
                for (to = next + 1; to < n && text[to] == ' '; to++)
                        ;
        }
}

/* The first word with an @ in text: true with its place. */
static bool
find_address(const char *text, size_t n, size_t *from, size_t *to)
{
        const char *at = text;

        while ((at = memchr(at, '@', n - (size_t)(at - text))) != NULL) {
                *from = *to = (size_t)(at - text);
                if (*from > 1 && text[*from - 1] == '"') { /* "anna smith"@ */
                        const char *open = memrchr(text, '"', *from - 1);

                        /* over quotes that it holds; few, since every @ looks back */
                        for (int i = 0;
                             i < 8 && open != NULL && open > text && open[-1] == '\\';
                             i++)
                                open = memrchr(text, '"', (size_t)(open - text));
                        *from = open != NULL ? (size_t)(open - text) : *from;
                }
                while (*from > 0 && !is_edge(text[*from - 1]))
                        --*from;
                *to = address_end(text, n, *to);
                if (text + *from < at && (size_t)(at - text) + 1 < *to)
                        return true;
                at = text + (*to > (size_t)(at - text) ? *to : (size_t)(at - text) + 1);
        }
        return false;
}

/* "Anna anna@a.example" -> the address; name keeps the rest, brackets around it go. */
static const char *
take_address(struct words *w, struct arena *a, const char **name)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t n = strlen(*name);
        size_t from, to;
        const char *address;

        if (!find_address(*name, n, &from, &to))
                return "";
        address = clean_address(w, a, arena_strndup(a, *name + from, to - from));
        if (address[0] == '\0')
                return "";
        while (from > 0 && is_edge((*name)[from - 1]))
                from--;
        if (from >= 7 && strncasecmp(*name + from - 7, "mailto:", 7) == 0)
                from -= 7;
        while (to < n && is_edge((*name)[to]))
                to++;
        buf_add(&b, *name, from);
        if (from > 0 && to < n)
                buf_addc(&b, ' ');
        buf_add(&b, *name + to, n - to);
        trim(&b);
        *name = arena_strndup(a, buf_str(&b), b.len);
        return address;
}

/* "anna at a.example", as archives of lists write it. */
static const char *
spelled_address(struct words *w, struct arena *a, const char *text)
{
        static const char *const ats[] = {" at ", "[at]", " [at] "};

        for (size_t i = 0; i < sizeof(ats) / sizeof(ats[0]); i++) {
                const char *at = strstr(text, ats[i]);
                const char *domain = at != NULL ? at + strlen(ats[i]) : "";
                const char *dot = strchr(domain, '.');

                if (at == NULL || at == text || dot == NULL || dot == domain ||
                    dot[1] == '\0' || strpbrk(domain, " @<>,") != NULL ||
                    memchr(text, ' ', (size_t)(at - text)) != NULL)
                        continue;
                return clean_address(
                    w, a, arena_printf(a, "%.*s@%s", (int)(at - text), text, domain));
        }
        return "";
}

/* ---- the end of one ---- */

/* Quotes that an unquoting left: "\"Anna\"", and the single ones of Outlook. */
static const char *
bare_name(struct arena *a, const char *name)
{
        size_t n = strlen(name);

        while (n > 2 && (name[0] == '"' || name[0] == '\'') && name[n - 1] == name[0]) {
                name = arena_strndup(a, name + 1, n - 2);
                n -= 2;
        }
        return name;
}

/* What was read as the name holds the address, or a comment does. */
static const char *
hidden_address(struct mailbox *b, struct arena *a, const char **name)
{
        const char *comment = words_text(b->w, a, buf_str(&b->comment), b->comment.len);
        const char *address = take_address(b->w, a, name);

        if (address[0] != '\0') {
                /* "<Anna> anna@a.example" */
                if ((*name)[0] == '\0' && b->address.len > 0)
                        *name = words_text(b->w, a, b->address.data, b->address.len);
                if ((*name)[0] == '\0')
                        *name = comment;
                return address;
        }
        address = take_address(b->w, a, &comment);
        if (address[0] == '\0' && (address = spelled_address(b->w, a, *name))[0] != '\0')
                *name = comment;
        return address;
}

static void
mailbox_finish(struct list *l, struct mailbox *b)
{
        struct mail_address *to;
        const char *address;
        const char *name;

        trim(&b->name);
        trim(&b->address);
        trim(&b->comment);
        if ((b->name.len == 0 && b->address.len == 0 && b->comment.len == 0) ||
            *l->n >= l->max) {
                mailbox_clear(b);
                return;
        }
        address = clean_address(b->w, l->a, buf_str(&b->address));
        name = bare_name(l->a, words_text(b->w, l->a, buf_str(&b->name), b->name.len));
        if (address[0] == '\0')
                address = hidden_address(b, l->a, &name);
        if (name[0] == '\0' && b->comment.len > 0 &&
            memchr(b->comment.data, '@', b->comment.len) == NULL)
                name = words_text(b->w, l->a, b->comment.data, b->comment.len);
        if (address[0] == '\0' && name[0] == '\0')
                name = words_text(b->w, l->a, buf_str(&b->address), b->address.len);
        mailbox_clear(b);
        if (address[0] == '\0' && name[0] == '\0')
                return;
        *l->items = arena_grow(l->a, *l->items, *l->n, sizeof(**l->items));
        to = &(*l->items)[(*l->n)++];
        to->address = address;
        to->name = name;
}

/* ---- the parts of one ---- */

/* The length of "..." at s, with its quotes; n when it is not closed. */
static size_t
quoted_length(const char *s, size_t n)
{
        size_t i = 1;

        while (i < n && s[i] != '"')
                i += s[i] == '\\' && i + 1 < n ? 2 : 1;
        return i < n ? i + 1 : n;
}

/* "..." at s: appends its content to out, returns its length with the quotes. */
static size_t
read_quoted(struct buf *out, const char *s, size_t n)
{
        size_t i = 1;

        for (; i < n && s[i] != '"'; i++) {
                if (s[i] == '\\' && i + 1 < n)
                        i++;
                buf_addc(out, s[i]);
        }
        return i < n ? i + 1 : n;
}

/* "anna smith"@a.example: quotes that the address does not need are left out. */
static size_t
read_local(struct buf *out, const char *s, size_t n)
{
        struct buf local AUTO_BUF = BUF_INIT;
        size_t len = read_quoted(&local, s, n);
        bool plain = local.len > 0;

        for (size_t i = 0; i < local.len; i++)
                plain = plain && !is_edge(local.data[i]) && local.data[i] != '@';
        buf_add(out, plain ? local.data : s, plain ? local.len : len);
        return len;
}

static size_t
read_comment(struct buf *out, const char *s, size_t n)
{
        unsigned depth = 1;
        size_t i = 1;

        buf_clear(out);
        for (; i < n; i++) {
                depth += s[i] == '(';
                depth -= s[i] == ')';
                if (depth == 0)
                        break;
                if (s[i] == '\\' && i + 1 < n)
                        i++;
                buf_addc(out, s[i]);
        }
        return i < n ? i + 1 : n;
}

/* <...> at s. In "<<a@b>>" and "<Anna <a@b>>" the last opening one counts. */
static size_t
read_angle(struct mailbox *b, const char *s, size_t n)
{
        const char *end = b->last_angle > s ? memchr(s, '>', n) : memchr(s, ',', n);
        size_t len = end != NULL ? (size_t)(end - s) : n;
        const char *inner = memrchr(s, '<', len);

        buf_add(&b->name, s + 1, inner > s ? (size_t)(inner - s) - 1 : 0);
        buf_clear(&b->address);
        buf_add(&b->address, inner + 1, len - (size_t)(inner - s) - 1);
        b->has_angle = true;
        b->angle_at = b->name.len;
        while (len < n && s[len] == '>')
                len++;
        return len;
}

/* A second <...> without a comma before it: what came since the first is a name. */
static void
split_mailbox(struct list *l, struct mailbox *b)
{
        struct buf name AUTO_BUF = BUF_INIT;

        buf_add(&name, buf_str(&b->name) + b->angle_at, b->name.len - b->angle_at);
        b->name.len = b->angle_at;
        if (b->name.data != NULL)
                b->name.data[b->name.len] = '\0';
        mailbox_finish(l, b);
        buf_add(&b->name, buf_str(&name), name.len);
}

/* An encoded word whole: what it hides are no commas and angles of ours. One that has
 * no end is none. */
static size_t
read_word(struct mailbox *b, const char *s, size_t n)
{
        size_t len = s[1] == '?' ? words_length(s, n) : 0;

        if (len < 8 || memcmp(s + len - 2, "?=", 2) != 0)
                return 0;
        buf_add(&b->name, s, len);
        return len;
}

static bool
ends_in_scheme(const struct buf *name)
{
        return name->len >= 6 &&
               strncasecmp(name->data + name->len - 6, "mailto", 6) == 0;
}

/* "anna (at) b.example" */
static size_t
read_spelled_at(struct mailbox *b, const char *s, size_t n)
{
        size_t len = 4;

        if (n < 6 || b->name.len == 0 || b->has_angle || strncasecmp(s, "(at)", 4) != 0)
                return 0;
        while (len < n && s[len] == ' ')
                len++;
        trim(&b->name);
        buf_addc(&b->name, '@');
        b->has_at = true;
        return len;
}

/* One step of the reader: what begins at s (n bytes left); returns its length. */
static size_t
read_part(struct mailbox *b, const char *s, size_t n)
{
        size_t len;

        if (*s == '"' && b->last_quote > s) {
                len = quoted_length(s, n);
                if (len < n && s[len] == '@' && !b->has_angle)
                        return read_local(&b->name, s, n);
                return read_quoted(&b->name, s, n);
        }
        if (*s == '(' && !b->has_at && (len = read_spelled_at(b, s, n)) > 0)
                return len;
        if (*s == '(' && b->last_paren > s)
                return read_comment(&b->comment, s, n);
        if (*s == '<' && (b->last_at > s || b->last_angle > s))
                return read_angle(b, s, n);
        if (*s == '=' && n > 7 && (len = read_word(b, s, n)) > 0)
                return len;
        if (*s == '\\' && n > 1 && s[1] == '"')
                return 2;
        b->has_at = b->has_at || *s == '@';
        if (*s == ':' && !b->has_angle && !b->has_at && !ends_in_scheme(&b->name))
                mailbox_clear(b); /* that was the name of a group */
        else if (*s != '"' && *s != '>' && (*s != ',' || b->name.len > 0) &&
                 (*s != ' ' || b->name.len == 0 || b->name.data[b->name.len - 1] != ' '))
                buf_addc(&b->name, *s);
        return 1;
}

/* The field without line ends and NULs. */
static void
unfold(struct buf *out, const char *raw, size_t n)
{
        char *to = buf_reserve(out, n);

        for (size_t i = 0; i < n; i++)
                if (raw[i] != '\r' && raw[i] != '\n' && raw[i] != '\0')
                        to[out->len++] = raw[i];
        to[out->len] = '\0';
}

void
address_read(struct words *w, struct arena *a, const char *raw, size_t n,
    struct mail_address **list, size_t *n_list, size_t max)
{
        struct buf line AUTO_BUF = BUF_INIT;
        struct list l = {.a = a, .items = list, .n = n_list, .max = max};
        struct mailbox b = {.w = w};
        size_t at = 0;

        unfold(&line, raw, n < MAX_FIELD ? n : MAX_FIELD);
        b.last_at = memrchr(line.data, '@', line.len);
        b.last_paren = memrchr(line.data, ')', line.len);
        b.last_angle = memrchr(line.data, '>', line.len);
        b.last_quote = memrchr(line.data, '"', line.len);
        while (at < line.len && *n_list < max) {
                char c = line.data[at];

                /* a comma does not end the family name in `Ivanov, Ivan <i@x>` */
                if (c == ';' || (c == ',' && (b.has_angle || b.has_at))) {
                        mailbox_finish(&l, &b);
                        at++;
                } else if (c == '<' && b.has_angle) {
                        split_mailbox(&l, &b);
                } else {
                        at += read_part(&b, line.data + at, line.len - at);
                }
        }
        mailbox_finish(&l, &b);
        buf_fini(&b.name);
        buf_fini(&b.comment);
        buf_fini(&b.address);
}

void
mime_header_addresses(struct arena *a, const char *raw, size_t n,
    struct mail_address **list, size_t *n_list, size_t max)
{
        struct words w = {.hint = ""};

        address_read(&w, a, raw, n, list, n_list, max);
}
