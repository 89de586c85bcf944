/*
 * Templates; see template.h. A template is read, split into its subject and its
 * text, and filled in one pass; what is filled in is never looked at again, so a
 * customer cannot write a placeholder.
 */
#include "config/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/folders.h"
#include "config/report.h"
#include "daemon/base/utf8.h"

#define TEMPLATE_MAX 65536u

static const char *const placeholders[] = {
    "ticket", "subject", "name", "desk", "url", "text"};

static const char *
value_of(const struct template_values *v, size_t i)
{
        const char *const values[] = {
            v->ticket, v->subject, v->name, v->desk, v->url, v->text};

        return values[i] == NULL ? "" : values[i];
}

/* ---- where it lies ---- */

static bool
name_is_safe(const char *s)
{
        return s[0] != '\0' && s[0] != '.' && strchr(s, '/') == NULL && strlen(s) < 100;
}

int
template_find(const struct config *c, const char *name, const char *lang, struct arena *a,
    const char **path, struct err *err)
{
        const char *dirs[4];
        size_t n = data_folders(a, c->dir, "HELPLINE_TEMPLATES", "templates", dirs);
        struct buf looked AUTO_BUF = BUF_INIT;

        if (!name_is_safe(name) || !name_is_safe(lang))
                return err_set(
                    err, ERR_CONFIG, "'%.60s' cannot be the name of a template", name);
        for (size_t i = 0; i < n; i++) {
                *path = arena_printf(a, "%s/%s.%s.txt", dirs[i], name, lang);
                if (access(*path, R_OK) == 0)
                        return 0;
                buf_addf(&looked, "%s%s", i == 0 ? "" : ", ", dirs[i]);
        }
        return err_set(err, ERR_CONFIG, "there is no template %s.%s.txt in %s", name,
            lang, looked.data);
}

static int
template_read(const char *path, struct arena *a, const char **text, struct err *err)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char *bytes = arena_alloc(a, TEMPLATE_MAX + 1);
        struct stat st;
        ssize_t n = -1;

        if (fd == -1)
                return err_errno(
                    err, ERR_CONFIG, errno, "cannot read the template %s", path);
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                n = read(fd, bytes, TEMPLATE_MAX);
        close(fd);
        if (n < 0 || n == TEMPLATE_MAX)
                return err_set(err, ERR_CONFIG,
                    "the template %s cannot be read, or is over 64 KB", path);
        if (!utf8_valid(bytes, (size_t)n) || strlen(bytes) != (size_t)n)
                return err_set(err, ERR_CONFIG,
                    "the template %s is not UTF-8; save it as UTF-8", path);
        *text = bytes;
        return 0;
}

/* ---- filling ---- */

struct filling {
        const char *path;
        const char *start; /* of the file, for positions */
        const struct template_values *v;
        struct err *err;
};

static int
fill_error(
    const struct filling *f, const char *at, const char *what, const char *word, int n)
{
        size_t line = 1;
        const char *begin = f->start;

        for (const char *p = f->start; p < at; p++)
                if (*p == '\n') {
                        line++;
                        begin = p + 1;
                }
        return err_set(f->err, ERR_CONFIG, "%s:%zu:%zu: %s '%.*s'", f->path, line,
            utf8_length(begin, (size_t)(at - begin)) + 1, what, n, word);
}

static int
placeholder_unknown(const struct filling *f, const char *at, const char *word, size_t n)
{
        struct guess g = GUESS_INIT;
        char copy[40];

        snprintf(copy, sizeof copy, "%.*s", (int)(n < 39 ? n : 39), word);
        for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
                guess_offer(&g, copy, placeholders[i]);
        fill_error(f, at, "unknown placeholder", copy, 39);
        if (g.meant != NULL && f->err != NULL) {
                size_t len = strlen(f->err->text);

                snprintf(f->err->text + len, sizeof f->err->text - len,
                    "; did you mean '%s'?", g.meant);
        }
        return -1;
}

/* {name} or {name|otherwise}; s stands behind the brace. Moves *s behind it. */
static int
placeholder_fill(
    const struct filling *f, const char **s, const char *end, struct buf *out)
{
        const char *open = *s - 1, *close = memchr(*s, '}', (size_t)(end - *s)), *bar,
                   *value;
        size_t n;

        if (close == NULL || memchr(*s, '\n', (size_t)(close - *s)) != NULL)
                return fill_error(f, open, "this placeholder is never closed:", open,
                    (int)strcspn(open, "\r\n"));
        bar = memchr(*s, '|', (size_t)(close - *s));
        n = (size_t)((bar == NULL ? close : bar) - *s);
        for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++) {
                if (strlen(placeholders[i]) != n || memcmp(placeholders[i], *s, n) != 0)
                        continue;
                value = value_of(f->v, i);
                if (value[0] == '\0' && bar != NULL)
                        buf_add(out, bar + 1, (size_t)(close - bar - 1));
                else
                        buf_adds(out, value);
                *s = close + 1;
                return 0;
        }
        return placeholder_unknown(f, open, *s, n);
}

static int
fill(const struct filling *f, const char *s, const char *end, struct buf *out)
{
        while (s < end) {
                char c = *s++;

                if (c == '\r')
                        continue;
                if (c != '{') {
                        buf_addc(out, c);
                } else if (s < end && *s == '{') {
                        buf_addc(out, *s++);
                } else if (placeholder_fill(f, &s, end, out) == -1) {
                        return -1;
                }
        }
        return 0;
}

/* One header line; only Subject is known. */
static int
header_fill(
    const struct filling *f, const char *line, const char *end, struct buf *subject)
{
        const char *value = line + 8;

        if (end - line < 8 || strncasecmp(line, "Subject:", 8) != 0)
                return fill_error(f, line,
                    "a template begins with 'Subject: …' and an empty line, not with",
                    line, (int)(end - line < 30 ? end - line : 30));
        while (value < end && *value == ' ')
                value++;
        return fill(f, value, end, subject);
}

static int
template_fill(const struct filling *f, struct buf *subject, struct buf *text)
{
        const char *s = f->start;

        for (;;) {
                const char *end = s + strcspn(s, "\r\n");
                const char *next =
                    *end == '\r' && end[1] == '\n' ? end + 2 : end + (*end != '\0');

                if (end == s)
                        return fill(f, next, next + strlen(next), text);
                if (header_fill(f, s, end, subject) == -1)
                        return -1;
                s = next;
        }
}

/* A customer's subject must not begin a header of its own. */
static void
one_line(char *s)
{
        for (; *s != '\0'; s++)
                if ((unsigned char)*s < ' ' || *s == 0x7f)
                        *s = ' ';
}

static int
template_render_from(const char *path, const struct template_values *v, struct arena *a,
    struct template_mail *out, struct err *err)
{
        struct filling f = {path, "", v, err};
        struct buf subject AUTO_BUF = BUF_INIT, text AUTO_BUF = BUF_INIT;
        char *line;

        if (template_read(path, a, &f.start, err) == -1 ||
            template_fill(&f, &subject, &text) == -1)
                return -1;
        line = arena_strndup(a, buf_str(&subject), subject.len);
        one_line(line);
        out->subject = line;
        out->text = arena_strndup(a, buf_str(&text), text.len);
        return 0;
}

int
template_render(const struct config *c, const char *name, const char *lang,
    const struct template_values *v, struct arena *a, struct template_mail *out,
    struct err *err)
{
        const char *path = "";

        out->language = lang;
        if (template_find(c, name, lang, a, &path, NULL) == -1) {
                out->language = c->languages[0];
                if (template_find(c, name, c->languages[0], a, &path, err) == -1)
                        return -1;
        }
        return template_render_from(path, v, a, out, err);
}

int
template_check(
    const struct config *c, const char *name, const char *lang, struct err *err)
{
        static const struct template_values none = {"", "", "", "", "", ""};
        struct arena *a AUTO_ARENA = arena_new();
        struct template_mail mail;
        const char *path = "";

        if (template_find(c, name, lang, a, &path, NULL) == -1 &&
            template_find(c, name, c->languages[0], a, &path, err) == -1)
                return -1;
        return template_render_from(path, &none, a, &mail, err);
}
