/*
 * Pictures of sanitised HTML get the places of the parts that hold them ("cid:2.1"), so
 * that who shows it can ask for them: Content-IDs are told to nobody.
 */
#include <ctype.h>
#include <string.h>

#include "channels/helper_mime_html_token.h"
#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_tree.h"
#include "daemon/base/arena.h"

#define MAX_PLACES 1000
#define SRC "src=\"cid:"

/* The parts that have a Content-ID. */
struct places {
        struct mime_field id[MAX_PLACES];
        const char *path[MAX_PLACES];
        size_t n;
};

/* "<a@b>" without its brackets and blanks. */
static struct mime_field
bare_id(struct mime_field id)
{
        while (id.n > 0 && (isspace((unsigned char)*id.s) || *id.s == '<')) {
                id.s++;
                id.n--;
        }
        while (
            id.n > 0 && (isspace((unsigned char)id.s[id.n - 1]) || id.s[id.n - 1] == '>'))
                id.n--;
        return id;
}

static void
places_read(struct places *p, struct arena *a, const char *raw, size_t n)
{
        struct prescan head;
        const struct mime_part *part;

        p->n = 0;
        if (mime_prescan(raw, n, &head, NULL) == -1 || !head.has_header)
                return;
        part = mime_tree(a, raw + head.header_at, head.header_len, raw + head.body_at,
            n - head.body_at, "", "1");
        for (; part != NULL && p->n < MAX_PLACES; part = mime_tree_next(part)) {
                struct mime_field id = bare_id(part->id);

                if (part->child != NULL || id.n == 0)
                        continue;
                p->id[p->n] = id;
                p->path[p->n++] = part->path;
        }
}

static int
hex_digit(char c)
{
        if (!isxdigit((unsigned char)c))
                return -1;
        return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

/* An address as it stands in an attribute: what is written with "&" or "%" is read. */
static void
address_read(const char *s, size_t n, struct buf *out)
{
        size_t used;

        buf_clear(out);
        for (size_t i = 0; i < n; i += used) {
                used = 1;
                if (s[i] == '&')
                        buf_addc(out, (char)html_entity(s + i, n - i, true, &used));
                else if (s[i] == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 &&
                         hex_digit(s[i + 2]) >= 0) {
                        buf_addc(
                            out, (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2])));
                        used = 3;
                } else
                        buf_addc(out, s[i]);
        }
}

static const char *
place_of(const struct places *p, const struct buf *id)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->id[i].n == id->len && memcmp(p->id[i].s, id->data, id->len) == 0)
                        return p->path[i];
        return NULL;
}

/* In sanitised HTML SRC stands nowhere but in pictures: elsewhere quotes are escaped. */
void
mime_parse_places(
    const char *raw, size_t n, const char *html, size_t len, struct buf *out)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf id AUTO_BUF = BUF_INIT;
        struct places *p = arena_alloc(a, sizeof(*p));
        const char *end = html + len;
        const char *src;
        const char *quote;

        places_read(p, a, raw, n);
        while ((src = memmem(html, (size_t)(end - html), SRC, strlen(SRC))) != NULL) {
                const char *place;

                src += strlen(SRC);
                quote = memchr(src, '"', (size_t)(end - src));
                if (quote == NULL)
                        break;
                buf_add(out, html, (size_t)(src - html));
                address_read(src, (size_t)(quote - src), &id);
                place = place_of(p, &id);
                if (place != NULL)
                        buf_adds(out, place);
                else
                        buf_add(out, src, (size_t)(quote - src));
                html = quote;
        }
        buf_add(out, html, (size_t)(end - html));
}
