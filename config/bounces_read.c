/*
 * Reads one file of config/bounces; see bounces(5). The sentences are those of every
 * file of the project (a name, its values, the end of the line or `;`, # comments), but
 * there are no blocks, and what may stand in one is a table here. The first fault ends
 * the reading: file:line:column, and what to do.
 */
#include <string.h>

#include "config/bounces_impl.h"
#include "config/build.h"
#include "daemon/base/utf8.h"

#define MAX_VALUES 200u

struct token {
        const char *text; /* without quotes */
        const char *at; /* where it stands in the file */
        bool quoted;
};

struct reading {
        struct bounce_set *s;
        struct bounce_system *y;
        const char *path;
        const char *text; /* the whole file */
        const char *end;
        const char *p; /* where it is read */
        struct token name;
        struct token values[MAX_VALUES];
        size_t n;
        struct err *err;
};

static void
position(const struct reading *r, const char *at, unsigned *line, unsigned *column)
{
        const char *begin = r->text;

        *line = 1;
        for (const char *p = r->text; p < at; p++)
                if (*p == '\n') {
                        ++*line;
                        begin = p + 1;
                }
        *column = (unsigned)utf8_length(begin, (size_t)(at - begin)) + 1;
}

static int __attribute__((format(printf, 3, 4)))
wrong(const struct reading *r, const char *at, const char *fmt, ...)
{
        unsigned line, column;
        va_list ap;
        char text[300];

        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        position(r, at, &line, &column);
        return err_set(
            r->err, ERR_CONFIG, "%s:%u:%u: error: %s", r->path, line, column, text);
}

/* ---- sentences ---- */

static void
skip_blanks(struct reading *r)
{
        while (r->p < r->end && strchr(" \t\r,", *r->p) != NULL)
                r->p++;
        if (r->p < r->end && *r->p == '#')
                while (r->p < r->end && *r->p != '\n')
                        r->p++;
}

/* "text", behind its first quote. */
static int
read_quoted(struct reading *r, struct token *t)
{
        struct buf b AUTO_BUF = BUF_INIT;

        t->quoted = true;
        for (r->p++; r->p < r->end && *r->p != '"' && *r->p != '\n'; r->p++) {
                if (*r->p == '\\' && r->p + 1 < r->end &&
                    (r->p[1] == '"' || r->p[1] == '\\'))
                        r->p++;
                buf_addc(&b, *r->p);
        }
        if (r->p >= r->end || *r->p != '"')
                return wrong(r, t->at,
                    "this text is never closed; it ends on its own line: \"…\"");
        r->p++;
        t->text = arena_strndup(r->s->a, buf_str(&b), b.len);
        return 0;
}

static int
read_word(struct reading *r, struct token *t)
{
        const char *from = r->p;

        t->quoted = false;
        while (r->p < r->end && strchr(" \t\r\n,;#\"", *r->p) == NULL)
                r->p++;
        t->text = arena_strndup(r->s->a, from, (size_t)(r->p - from));
        if (strncmp(t->text, "«", 2) == 0 || strncmp(t->text, "“", 3) == 0 ||
            strncmp(t->text, "„", 3) == 0)
                return wrong(r, from, "typographic quotes; use straight ones: \"…\"");
        if (strpbrk(t->text, "{}()") != NULL)
                return wrong(
                    r, from, "'%.40s' holds a brace; put it in quotes: \"…\"", t->text);
        return 0;
}

static int
read_token(struct reading *r, struct token *t)
{
        t->at = r->p;
        return *r->p == '"' ? read_quoted(r, t) : read_word(r, t);
}

/* Does the sentence go on in the next line: does this one end in a comma? */
static bool
goes_on(const struct reading *r)
{
        const char *p = r->p;

        while (p > r->text && strchr(" \t\r", p[-1]) != NULL)
                p--;
        return p > r->text && p[-1] == ',';
}

/* 1: a sentence; 0: the end; -1. */
static int
read_sentence(struct reading *r)
{
        const char *comma = NULL;

        for (;;) {
                skip_blanks(r);
                if (r->p >= r->end)
                        return 0;
                if (*r->p != '\n' && *r->p != ';')
                        break;
                r->p++;
        }
        r->n = 0;
        if (read_token(r, &r->name) == -1)
                return -1;
        for (;;) {
                const char *before = r->p;

                skip_blanks(r);
                comma =
                    memchr(before, ',', (size_t)(r->p - before)) != NULL ? before : comma;
                if (r->p >= r->end || *r->p == ';' || (*r->p == '\n' && !goes_on(r)))
                        return 1;
                if (*r->p == '\n') {
                        r->p++;
                        continue;
                }
                if (r->n == MAX_VALUES)
                        return wrong(r, r->p,
                            "more than 200 values; begin another sentence '%.30s'",
                            r->name.text);
                if (read_token(r, &r->values[r->n++]) == -1)
                        return -1;
        }
}

/* ---- what they mean ---- */

static struct line_pattern *
read_pattern(struct reading *r, const struct token *t)
{
        struct line_pattern *p;
        const char *why;
        size_t at;

        if (!t->quoted) {
                wrong(r, t->at, "a pattern stands in quotes: \"%.60s\"", t->text);
                return NULL;
        }
        if (++r->y->n_patterns > BOUNCES_MAX_PATTERNS) {
                wrong(r, t->at, "more than 5000 patterns in one file; split it");
                return NULL;
        }
        p = line_pattern_new(r->s->a, t->text, &why, &at);
        if (p == NULL)
                wrong(r, t->at + 1 + at, "%s", why);
        return p;
}

static int
add_patterns(struct reading *r, enum bounce_list list)
{
        struct pattern_list *to = &r->y->lists[list];

        for (size_t i = 0; i < r->n; i++) {
                struct line_pattern *p = read_pattern(r, &r->values[i]);

                if (p == NULL)
                        return -1;
                if (list == BOUNCE_FAILED && !line_pattern_has(p, PART_ADDRESS))
                        return wrong(r, r->values[i].at,
                            "'failed' says where the recipient stands: {address} is "
                            "missing");
                if (list == BOUNCE_REPLY && !line_pattern_has(p, PART_REPLY) &&
                    !line_pattern_has(p, PART_STATUS) && !line_pattern_has(p, PART_CODE))
                        return wrong(r, r->values[i].at,
                            "'reply' says where the answer stands: one of {reply} "
                            "{status} {code} is missing");
                to->list = arena_grow(r->s->a, to->list, to->n, sizeof *to->list);
                to->list[to->n++] = p;
        }
        return 0;
}

static int
set_title(struct reading *r)
{
        if (r->n != 1)
                return wrong(
                    r, r->name.at, "'system' takes one text, its name: system \"…\"");
        if (r->y->title[0] != '\0')
                return wrong(r, r->name.at, "'system' stands twice; remove one");
        r->y->title = r->values[0].text;
        return 0;
}

static int
set_type(struct reading *r)
{
        static const char *const words[] = {"abuse", "disposition", "other"};

        for (size_t i = 0; r->n == 1 && i < sizeof words / sizeof *words; i++)
                if (strcmp(r->values[0].text, words[i]) == 0) {
                        r->y->type = words[i];
                        return 0;
                }
        return wrong(r, r->name.at,
            "'type' is one of abuse, disposition, other; without it these are reports of "
            "delivery");
}

static int
known_word(struct reading *r, size_t *i, struct known_condition *c)
{
        static const char *const words[] = {"from", "subject", "header", "text"};
        const struct token *t = &r->values[*i];

        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
                if (t->quoted || strcmp(t->text, words[k]) != 0)
                        continue;
                c->by = (enum known_by)k;
                c->header = "";
                if (k == KNOWN_HEADER && ++*i < r->n)
                        c->header = r->values[*i].text;
                if (++*i >= r->n)
                        return wrong(r, t->at, "behind '%s' a pattern is missing: %s",
                            t->text, k == KNOWN_HEADER ? "header X-Name \"…\"" : "\"…\"");
                c->pattern = read_pattern(r, &r->values[(*i)++]);
                return c->pattern == NULL ? -1 : 0;
        }
        return wrong(r, t->at,
            "'%.40s' is none of from, subject, header NAME, text: each before a pattern",
            t->text);
}

static int
add_known(struct reading *r)
{
        struct known_sentence k = {0};

        if (r->n == 0)
                return wrong(r, r->name.at,
                    "'known-by' what? from \"…\" subject \"…\" text \"…\"");
        for (size_t i = 0; i < r->n;) {
                k.conditions =
                    arena_grow(r->s->a, k.conditions, k.n, sizeof *k.conditions);
                if (known_word(r, &i, &k.conditions[k.n++]) == -1)
                        return -1;
        }
        k.written = arena_strndup(
            r->s->a, r->name.at, utf8_cut(r->name.at, (size_t)(r->p - r->name.at), 200));
        r->y->known =
            arena_grow(r->s->a, r->y->known, r->y->n_known, sizeof *r->y->known);
        r->y->known[r->y->n_known++] = k;
        return 0;
}

static int
add_means(struct reading *r)
{
        if (r->n < 2)
                return wrong(r, r->name.at,
                    "'means' takes a reason and patterns: means unknown-user \"*no such "
                    "user*\"");
        for (size_t i = 1; i < r->n; i++) {
                struct meaning m = {.reason_name = r->values[0].text};

                position(r, r->values[0].at, &m.line, &m.column);
                m.pattern = read_pattern(r, &r->values[i]);
                if (m.pattern == NULL)
                        return -1;
                r->y->meanings = arena_grow(
                    r->s->a, r->y->meanings, r->y->n_meanings, sizeof *r->y->meanings);
                r->y->meanings[r->y->n_meanings++] = m;
        }
        return 0;
}

/* "5.1.1", "5.1.*", "5.*" */
static bool
is_status(const char *s)
{
        size_t n = strspn(s, "0123456789.*");

        return s[n] == '\0' && n >= 3 && n < 12 && (s[0] == '4' || s[0] == '5') &&
               s[1] == '.' && (strchr(s, '*') == NULL || strchr(s, '*') == s + n - 1);
}

static int
add_status(struct reading *r)
{
        if (r->n < 2)
                return wrong(r, r->name.at,
                    "'status' takes a reason and statuses: status mailbox-full 5.2.2");
        for (size_t i = 1; i < r->n; i++) {
                struct status_meaning m = {
                    .status = r->values[i].text, .reason_name = r->values[0].text};

                if (!is_status(m.status))
                        return wrong(r, r->values[i].at,
                            "'%.20s' is no status of RFC 3463: 5.1.1, 4.2.2, 5.1.*",
                            m.status);
                position(r, r->values[0].at, &m.line, &m.column);
                r->s->statuses = arena_grow(
                    r->s->a, r->s->statuses, r->s->n_statuses, sizeof *r->s->statuses);
                r->s->statuses[r->s->n_statuses++] = m;
                r->s->statuses_path = r->path;
        }
        return 0;
}

static int
add_reason(struct reading *r)
{
        static const char *const words[] = {"temporary", "permanent", "by-status"};
        struct bounce_reason x = {0};
        size_t k = 0;

        if (r->n != 3)
                return wrong(r, r->name.at,
                    "'reason' takes a name, permanent, temporary or by-status, and a "
                    "status: reason mailbox-full temporary 5.2.2");
        for (size_t i = 0; i < r->s->n_reasons; i++)
                if (strcmp(r->s->reason_list[i].name, r->values[0].text) == 0)
                        return wrong(r, r->values[0].at,
                            "the reason '%.40s' stands twice; remove one",
                            r->values[0].text);
        while (k < 3 && strcmp(words[k], r->values[1].text) != 0)
                k++;
        if (k == 3)
                return wrong(r, r->values[1].at,
                    "'%.40s' is none of permanent, temporary, by-status",
                    r->values[1].text);
        if (!is_status(r->values[2].text) || strchr(r->values[2].text, '*') != NULL)
                return wrong(r, r->values[2].at,
                    "'%.20s' is no status of RFC 3463: 5.1.1", r->values[2].text);
        x.name = r->values[0].text;
        x.permanent = (enum bounce_permanence)k;
        x.status = r->values[2].text;
        r->s->reason_list = arena_grow(
            r->s->a, r->s->reason_list, r->s->n_reasons, sizeof *r->s->reason_list);
        r->s->reason_list[r->s->n_reasons++] = x;
        return 0;
}

static const struct {
        const char *name;
        int (*read)(struct reading *r); /* NULL: a list of patterns */
        enum bounce_list list;
} sentences[] = {
    {"system", set_title, 0},
    {"type", set_type, 0},
    {"known-by", add_known, 0},
    {"failed", NULL, BOUNCE_FAILED},
    {"reply", NULL, BOUNCE_REPLY},
    {"reply-after", NULL, BOUNCE_REPLY_AFTER},
    {"failure", NULL, BOUNCE_FAILURE},
    {"delayed", NULL, BOUNCE_DELAYED},
    {"delivered", NULL, BOUNCE_DELIVERED},
    {"original", NULL, BOUNCE_ORIGINAL},
    {"certain", NULL, BOUNCE_CERTAIN},
    {"not", NULL, BOUNCE_NOT},
    {"sender", NULL, BOUNCE_SENDER},
    {"means", add_means, 0},
    {"reason", add_reason, 0},
    {"status", add_status, 0},
};
#define N_SENTENCES (sizeof sentences / sizeof *sentences)

static int
unknown_sentence(struct reading *r)
{
        const char *meant = NULL;
        unsigned best = 3;

        for (size_t i = 0; i < N_SENTENCES; i++) {
                unsigned d = utf8_distance(r->name.text, sentences[i].name, 3);

                if (d < best) {
                        best = d;
                        meant = sentences[i].name;
                }
        }
        if (meant != NULL)
                return wrong(r, r->name.at,
                    "unknown sentence '%.40s'; did you mean '%s'?", r->name.text, meant);
        return wrong(
            r, r->name.at, "unknown sentence '%.40s'; see bounces(5)", r->name.text);
}

static int
understand(struct reading *r)
{
        for (size_t i = 0; i < N_SENTENCES; i++) {
                if (r->name.quoted || strcmp(sentences[i].name, r->name.text) != 0)
                        continue;
                if (sentences[i].read != NULL)
                        return sentences[i].read(r);
                if (r->n == 0)
                        return wrong(r, r->name.at,
                            "'%s' without a pattern; write one in quotes: %s \"…\"",
                            r->name.text, r->name.text);
                return add_patterns(r, sentences[i].list);
        }
        return unknown_sentence(r);
}

/* ---- files ---- */

static struct bounce_system *
system_new(struct bounce_set *s, const char *path, const char *name)
{
        struct bounce_system *y = arena_alloc(s->a, sizeof *y);

        y->name = arena_strdup(s->a, name);
        y->path = arena_strdup(s->a, path);
        y->title = "";
        y->type = "";
        s->systems = arena_grow(s->a, s->systems, s->n_systems, sizeof *s->systems);
        s->systems[s->n_systems++] = y;
        if (strcmp(name, "other") == 0)
                s->other = y;
        if (strcmp(name, "reasons") == 0)
                s->reasons = y;
        return y;
}

int
bounces_read_text(struct bounce_set *s, const char *path, const char *name,
    const char *text, size_t n, struct err *err)
{
        struct reading r = {
            .s = s, .path = path, .text = text, .end = text + n, .p = text, .err = err};
        int rc;

        if (!utf8_valid(text, n) || memchr(text, '\0', n) != NULL)
                return err_set(
                    err, ERR_CONFIG, "%s:1:1: error: not UTF-8; save it as UTF-8", path);
        if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
                r.p = r.text = text + 3;
        r.y = system_new(s, path, name);
        while ((rc = read_sentence(&r)) == 1)
                if (understand(&r) == -1)
                        return -1;
        if (rc == 0 && r.y->n_known == 0 && r.y != s->other && r.y != s->reasons)
                return wrong(&r, r.text,
                    "nothing says how a report of this system is known; add a sentence "
                    "known-by from \"…\" or subject \"…\" or text \"…\"");
        if (r.y->title[0] == '\0')
                r.y->title = r.y->name;
        return rc;
}

int
bounces_read(struct bounce_set *s, const char *path, const char *name, struct err *err)
{
        const char *why = "";
        size_t n = 0;
        char *bytes AUTO_FREE =
            file_read(path, BOUNCES_MAX_FILE, "it is longer than 256 KB", &n, &why);

        if (bytes == NULL)
                return err_set(err, ERR_CONFIG, "cannot read %s: %s", path, why);
        return bounces_read_text(s, path, name, bytes, n, err);
}
