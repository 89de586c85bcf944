/*
 * The tree of parts; see helper_mime_tree.h.
 *
 * One pass: a part's end is the first line that is a boundary of any multipart it
 * stands in, the innermost counts first. Where a declared boundary is not found before
 * the end of what encloses it, one is guessed from the lines and the part read again.
 */
#include "channels/helper_mime_tree.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_prescan.h"

#define MAX_BOUNDARY 250 /* bytes; RFC 2046 allows 70 */
#define MAX_PATH_LEN 400 /* of "1.2.3" */
#define MAX_GUESSES 8
#define GUESS_LINES 2000 /* lines looked at for a boundary nobody declared */

struct open_boundary {
        const char *s;
        size_t n;
};

struct tree {
        struct arena *arena;
        const char *s; /* the bytes of the body of the root */
        size_t n;
        const char *prefix; /* of the path of its parts */
        struct open_boundary open[MIME_MAX_DEPTH + 1];
        unsigned n_open;
        unsigned n_parts;
        unsigned n_guessed; /* boundaries looked for that nobody declared */
};

/* A boundary line. */
struct hit {
        int level; /* of the open boundary; -1: none, the end of all */
        bool close;
        size_t at; /* where its line begins */
        size_t end; /* the end of what stands before: without its line end */
        size_t next; /* the line behind it */
};

static size_t
line_at(const char *s, size_t n, size_t at, size_t *next)
{
        const char *lf = at < n ? memchr(s + at, '\n', n - at) : NULL;
        size_t len = lf != NULL ? (size_t)(lf - s) - at : n - at;

        *next = at + len + (lf != NULL);
        return len;
}

static size_t
without_blanks(const char *s, size_t n)
{
        while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL && s[n - 1] != '\0')
                n--;
        return n;
}

/* ---- boundary lines ---- */

/* Which open boundary is the line (behind its "--")? -1: none. */
static int
match_boundary(const struct tree *t, const char *s, size_t n, bool *close)
{
        size_t len = without_blanks(s, n);

        for (int i = (int)t->n_open - 1; i >= 0; i--) {
                const struct open_boundary *b = &t->open[i];

                if (len < b->n || memcmp(s, b->s, b->n) != 0)
                        continue;
                *close = len >= b->n + 2 && s[b->n] == '-' && s[b->n + 1] == '-';
                if (len == b->n || (*close && len == b->n + 2))
                        return i;
        }
        return -1;
}

static void
next_boundary(const struct tree *t, size_t from, struct hit *h)
{
        size_t at = from;

        while (at < t->n) {
                const char *lf;
                size_t len;

                if (t->n - at >= 2 && t->s[at] == '-' && t->s[at + 1] == '-') {
                        len = line_at(t->s, t->n, at, &h->next);
                        h->level = match_boundary(t, t->s + at + 2, len - 2, &h->close);
                        if (h->level >= 0) {
                                h->at = at;
                                h->end = at;
                                if (h->end > from && t->s[h->end - 1] == '\n')
                                        h->end--;
                                if (h->end > from && t->s[h->end - 1] == '\r')
                                        h->end--;
                                return;
                        }
                }
                do { /* line by line: faster than memmem() for so few bytes */
                        lf = memchr(t->s + at, '\n', t->n - at);
                        at = lf != NULL ? (size_t)(lf - t->s) + 1 : t->n;
                } while (at < t->n && t->s[at] != '-');
        }
        *h = (struct hit){.level = -1, .at = t->n, .end = t->n, .next = t->n};
}

/* ---- parameters ---- */

static bool
is_separator(char c)
{
        return c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

/* The value at f->s[*i], behind the '='. */
static void
param_value(const struct mime_field *f, size_t *i, char *out, size_t room)
{
        const char *s = f->s;
        size_t len = 0;
        bool quoted;

        while (*i < f->n && strchr(" \t\r\n", s[*i]) != NULL)
                ++*i;
        quoted = *i < f->n && s[*i] == '"';
        for (*i += quoted; *i < f->n; ++*i) {
                char c = s[*i];

                if (quoted ? c == '"' : c != ',' && is_separator(c))
                        break;
                if (quoted && c == '\\' && *i + 1 < f->n)
                        c = s[++*i];
                if (c != '\r' && c != '\n' && len + 1 < room)
                        out[len++] = c;
        }
        *i += quoted && *i < f->n;
        out[len] = '\0';
}

bool
mime_field_param(const struct mime_field *f, const char *name, char *out, size_t room)
{
        size_t want = strlen(name);
        size_t i = 0;

        out[0] = '\0';
        while (i < f->n) {
                size_t from;
                char skipped[2];

                while (i < f->n && is_separator(f->s[i]))
                        i++;
                for (from = i; i < f->n && f->s[i] != '=' && !is_separator(f->s[i]); i++)
                        ;
                if (i == from && i < f->n) {
                        i++;
                        continue;
                }
                if (i == f->n || f->s[i] != '=')
                        continue;
                i++;
                if (i - 1 - from == want && strncasecmp(f->s + from, name, want) == 0) {
                        param_value(f, &i, out, room);
                        return out[0] != '\0';
                }
                param_value(f, &i, skipped, sizeof(skipped));
        }
        return false;
}

/* ---- the header of a part ---- */

static const struct {
        const char *name;
        size_t at;
} fields[] = {
    {"ype", offsetof(struct mime_part, type_field)},
    {"isposition", offsetof(struct mime_part, disposition)},
    {"d", offsetof(struct mime_part, id)},
    {"ocation", offsetof(struct mime_part, location)},
    {"escription", offsetof(struct mime_part, description)},
};

static bool
is_type_char(char c)
{
        return c > 32 && c < 127 && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* "text/html" out of a raw value, lower-case; NULL when it says nothing. */
static const char *
type_of(struct arena *a, const struct mime_field *f)
{
        char out[128];
        size_t i = 0;
        size_t len = 0;
        bool slash = false;

        while (i < f->n && strchr(" \t\r\n\"';", f->s[i]) != NULL && f->s[i] != '\0')
                i++;
        for (; i < f->n && len + 1 < sizeof(out); i++) {
                char c = f->s[i];

                if (c == '/' && !slash && len > 0)
                        slash = true;
                else if (!is_type_char(c))
                        break;
                out[len++] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
        }
        out[len] = '\0';
        if (strcmp(out, "text") == 0 || strcmp(out, "text/") == 0)
                return "text/plain";
        if (strcmp(out, "multipart") == 0 || strcmp(out, "multipart/") == 0)
                return "multipart/mixed";
        if (!slash || len < 3 || out[len - 1] == '/')
                return NULL;
        return arena_strdup(a, out);
}

static void
header_field(struct arena *a, struct mime_part *p, const struct raw_header *h)
{
        struct mime_field value = {h->value, h->value_len};
        const char *name = h->name + 8;

        if (h->name_len == 25 && strncasecmp(name, "transfer-encoding", 17) == 0 &&
            !p->coded) {
                p->coding = mime_coding_of(value.s, value.n);
                p->coded = true;
                return;
        }
        for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
                struct mime_field *to =
                    (struct mime_field *)(void *)((char *)p + fields[i].at);

                if ((*name | 32) != "tdild"[i] ||
                    h->name_len != 9 + strlen(fields[i].name) ||
                    strncasecmp(name + 1, fields[i].name, h->name_len - 9) != 0)
                        continue;
                if (i == 0 && !p->typed) {
                        const char *type = type_of(a, &value);

                        p->typed = type != NULL;
                        p->type = type != NULL ? type : p->type;
                        *to = value;
                } else if (to->n == 0) {
                        *to = value;
                }
                return;
        }
}

static void
read_header(struct arena *a, struct mime_part *p)
{
        struct raw_header h;
        size_t pos = 0;

        while (mime_prescan_next(p->header, p->header_len, &pos, &h))
                if (h.name_len > 8 && strncasecmp(h.name, "content-", 8) == 0)
                        header_field(a, p, &h);
}

static bool
is_header_line(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && s[i] > 32 && s[i] < 127 && s[i] != ':')
                i++;
        if (i == 0)
                return n > 0 && (s[0] == ' ' || s[0] == '\t');
        while (i < n && (s[i] == ' ' || s[i] == '\t'))
                i++;
        return i < n && s[i] == ':';
}

static bool
is_content_line(const char *s, size_t n)
{
        return n > 12 && strncasecmp(s, "content-", 8) == 0 && is_header_line(s, n);
}

/* The header that begins at `at`; gives where the body begins. */
static size_t
part_header(struct tree *t, struct mime_part *p, size_t at)
{
        size_t from = at;
        size_t next = at;
        size_t after;
        bool close;

        while (at < t->n) {
                size_t len = without_blanks(t->s + at, line_at(t->s, t->n, at, &next));

                if (len == 0) {
                        /* some programs begin a part with an empty line too many */
                        if (at > from || !is_content_line(t->s + next,
                                             line_at(t->s, t->n, next, &after)))
                                break;
                        from = next;
                } else if (t->s[at] == '-' && len > 2 && t->s[at + 1] == '-' &&
                           match_boundary(t, t->s + at + 2, len - 2, &close) >= 0) {
                        next = at;
                        break;
                } else if (!is_header_line(t->s + at, len) &&
                           (at == from || !is_content_line(t->s + next,
                                              line_at(t->s, t->n, next, &after)))) {
                        next = at;
                        p->odd = at > from ? "its header ends without an empty line"
                                           : "it has no header";
                        break;
                }
                at = next;
        }
        p->header = t->s + from;
        p->header_len = at > from ? at - from : 0;
        read_header(t->arena, p);
        return next;
}

/* ---- multiparts ---- */

static size_t tree_body(struct tree *t, struct mime_part *p, size_t at, struct hit *h);

static bool
declared_boundary(struct tree *t, const struct mime_part *p, struct open_boundary *b)
{
        char value[MAX_BOUNDARY];

        mime_field_param(&p->type_field, "boundary", value, sizeof(value));
        b->n = without_blanks(value, strlen(value));
        b->s = arena_strndup(t->arena, value, b->n);
        return b->n > 0;
}

/* A line "--something" that a part's header follows, before `end`. */
static bool
guess_boundary(struct tree *t, size_t at, size_t end, struct open_boundary *b)
{
        size_t next;
        size_t after;

        for (unsigned i = 0; at < end && i < GUESS_LINES; at = next, i++) {
                size_t len = without_blanks(t->s + at, line_at(t->s, end, at, &next));
                size_t follows;

                if (len < 3 || len >= MAX_BOUNDARY || t->s[at] != '-' ||
                    t->s[at + 1] != '-' || memchr(t->s + at, ' ', len) != NULL)
                        continue;
                follows = line_at(t->s, end, next, &after);
                if (!is_content_line(t->s + next, follows))
                        continue;
                b->s = t->s + at + 2;
                b->n = len - 2;
                return true;
        }
        return false;
}

static const char *
child_path(struct tree *t, const struct mime_part *p, unsigned number)
{
        const char *above = p->depth == 0 ? t->prefix : p->path;
        char path[MAX_PATH_LEN];

        snprintf(
            path, sizeof(path), "%s%s%u", above, above[0] != '\0' ? "." : "", number);
        return arena_strdup(t->arena, path);
}

static struct mime_part *
part_new(struct tree *t, struct mime_part *parent, unsigned number)
{
        struct mime_part *p = arena_alloc(t->arena, sizeof(*p));
        struct mime_field absent = {"", 0};

        p->header = p->body = "";
        p->type_field = p->disposition = p->id = p->location = p->description = absent;
        p->type = "text/plain";
        p->path = "";
        p->parent = parent;
        t->n_parts++;
        if (parent != NULL) {
                p->depth = parent->depth + 1;
                p->path = child_path(t, parent, number);
                if (strcmp(parent->type, "multipart/digest") == 0)
                        p->type = "message/rfc822";
        }
        return p;
}

/* Does a part follow the closing boundary after all (somebody closed too early)? */
static bool
reopened(struct tree *t, struct hit *h, const struct open_boundary *b)
{
        struct hit again;
        size_t after;

        if (t->n_open > MIME_MAX_DEPTH)
                return false;
        t->open[t->n_open++] = *b;
        next_boundary(t, h->next, &again);
        t->n_open--;
        if (again.level != (int)t->n_open || again.close ||
            !is_content_line(t->s + again.next, line_at(t->s, t->n, again.next, &after)))
                return false;
        *h = again;
        return true;
}

/* The parts between the boundaries b; *h is the first of them and becomes the line
 * that ends the multipart. */
static void
tree_parts(
    struct tree *t, struct mime_part *p, struct hit *h, const struct open_boundary *b)
{
        struct mime_part **last = &p->child;
        int level = (int)t->n_open - 1;
        unsigned number = 0;

        while (h->level == level) {
                struct mime_part *part;
                size_t at;

                if (h->close) {
                        t->n_open--;
                        if (!reopened(t, h, b)) {
                                next_boundary(t, h->next, h);
                                return;
                        }
                        t->n_open++;
                        p->odd = "parts stand behind its closing boundary";
                }
                if (t->n_parts >= TREE_MAX_PARTS)
                        break;
                part = part_new(t, p, ++number);
                at = part_header(t, part, h->next);
                at = tree_body(t, part, at, h);
                part->body = t->s + at;
                part->body_len = h->end > at ? h->end - at : 0;
                *last = part;
                last = &part->next;
        }
        if (h->level == -1 && p->odd == NULL)
                p->odd = "its boundary is never closed";
        t->n_open--;
}

/* What declares itself a multipart and is none: a text. */
static void
no_multipart(struct mime_part *p, const char *s, size_t n)
{
        size_t at = 0;

        p->odd = "it says that it has parts and has none";
        while (at < n && strchr(" \t\r\n", s[at]) != NULL && s[at] != '\0')
                at++;
        if (at == n)
                return; /* an empty one stays what it is */
        p->type = (n - at > 14 && strncasecmp(s + at, "<!doctype html", 14) == 0) ||
                          (n - at > 5 && strncasecmp(s + at, "<html", 5) == 0)
                      ? "text/html"
                      : "text/plain";
}

static void
tree_multipart(struct tree *t, struct mime_part *p, size_t at, struct hit *h)
{
        struct open_boundary b = {"", 0};
        bool declared = declared_boundary(t, p, &b);

        for (int attempt = 0; attempt < 2; attempt++) {
                if (b.n > 0) {
                        t->open[t->n_open++] = b;
                        next_boundary(t, at, h);
                        if (h->level == (int)t->n_open - 1) {
                                tree_parts(t, p, h, &b);
                                return;
                        }
                        t->n_open--;
                } else {
                        next_boundary(t, at, h);
                }
                if (attempt == 0 && t->n_guessed++ < MAX_GUESSES &&
                    guess_boundary(t, at, h->at, &b))
                        p->odd = declared ? "its boundary does not occur, another does"
                                          : "it names no boundary, one was found";
                else
                        break;
        }
        no_multipart(p, t->s + at, (h->end > at ? h->end : at) - at);
}

/* The body of a part that begins at `at`; *h becomes the line that ends it. */
static size_t
tree_body(struct tree *t, struct mime_part *p, size_t at, struct hit *h)
{
        if (mime_part_is_multipart(p) && p->depth < MIME_MAX_DEPTH)
                tree_multipart(t, p, at, h);
        else
                next_boundary(t, at, h);
        return at;
}

/* A mail that lost its Content-Type, but begins with a boundary and a part's header. */
static void
untyped_root(struct tree *t, struct mime_part *p)
{
        struct open_boundary b;

        if (p->typed || !guess_boundary(t, 0, t->n < 4096 ? t->n : 4096, &b))
                return;
        p->type = "multipart/mixed";
        p->odd = "it has parts and does not say so";
}

struct mime_part *
mime_tree(struct arena *a, const char *header, size_t header_len, const char *body,
    size_t body_len, const char *prefix, const char *path)
{
        struct tree t = {.arena = a, .s = body, .n = body_len, .prefix = prefix};
        struct mime_part *root = part_new(&t, NULL, 0);
        struct hit h;

        root->header = header;
        root->header_len = header_len;
        read_header(a, root);
        untyped_root(&t, root);
        tree_body(&t, root, 0, &h);
        root->body = body;
        root->body_len = body_len;
        if (root->child == NULL)
                root->path = path;
        return root;
}

struct mime_part *
mime_tree_next(const struct mime_part *p)
{
        if (p->child != NULL)
                return p->child;
        while (p != NULL && p->next == NULL)
                p = p->parent;
        return p != NULL ? p->next : NULL;
}

bool
mime_part_is(const struct mime_part *p, const char *type)
{
        size_t n = strlen(type);

        return n > 0 && type[n - 1] == '/' ? strncmp(p->type, type, n) == 0
                                           : strcmp(p->type, type) == 0;
}

bool
mime_part_is_multipart(const struct mime_part *p)
{
        return strncmp(p->type, "multipart/", 10) == 0;
}

bool
mime_part_disposed(const struct mime_part *p, const char *word)
{
        size_t n = strlen(word);
        size_t i = 0;

        while (i < p->disposition.n && strchr(" \t\r\n\"", p->disposition.s[i]) != NULL)
                i++;
        return p->disposition.n - i >= n &&
               strncasecmp(p->disposition.s + i, word, n) == 0 &&
               (p->disposition.n - i == n || is_separator(p->disposition.s[i + n]) ||
                   p->disposition.s[i + n] == '"');
}
