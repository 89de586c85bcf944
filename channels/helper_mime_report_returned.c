/*
 * The returned mail: what it was called, and by which ids it and what it answered are
 * known. Its header stands in a part of its own, or in the text behind a line that
 * says so.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "channels/email_id.h"
#include "channels/helper_mime_header.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_report_impl.h"
#include "daemon/base/utf8.h"

#define MAX_REFERENCES 100

struct returned_header { /* raw fields, borrowed; len 0: absent */
        struct raw_header from, sender, to, cc, subject, id, in_reply_to, references,
            path;
};

static void
keep(struct raw_header *to, const struct raw_header *h)
{
        if (to->value_len == 0)
                *to = *h;
}

static void
read_fields(const char *s, size_t n, struct returned_header *to)
{
        const struct {
                const char *name;
                struct raw_header *to;
        } fields[] = {{"From", &to->from}, {"Sender", &to->sender}, {"To", &to->to},
            {"Cc", &to->cc}, {"Subject", &to->subject}, {"Message-ID", &to->id},
            {"In-Reply-To", &to->in_reply_to}, {"References", &to->references},
            {"Return-Path", &to->path}};
        struct raw_header h;
        size_t pos = 0;

        while (mime_prescan_next(s, n, &pos, &h))
                for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
                        if (strlen(fields[i].name) == h.name_len &&
                            strncasecmp(fields[i].name, h.name, h.name_len) == 0)
                                keep(fields[i].to, &h);
}

/* The header only: up to the first empty line behind the first field. */
static size_t
header_len(const char *s, size_t n)
{
        bool any = false;

        for (size_t at = 0; at < n;) {
                const char *end = memchr(s + at, '\n', n - at);
                size_t len = end == NULL ? n - at : (size_t)(end - s) - at;
                bool blank = true;

                for (size_t i = at; i < at + len; i++)
                        blank = blank && isspace((unsigned char)s[i]);
                if (blank && any)
                        return at;
                any = any || (!blank && memchr(s + at, ':', len) != NULL);
                at += len + 1;
        }
        return n;
}

/* The text behind the line that begins the returned mail, blanks before each line
 * removed where all of it is indented. */
static void
returned_text(const struct reporting *r, struct buf *out)
{
        const char *end = buf_str(&r->p->text) + r->p->text.len;
        bool indented = false;

        for (size_t i = r->end; i < r->lines.n && out->len < REPORT_MAX_PIECE; i++) {
                const struct bounce_line *l = &r->lines.list[i];
                bool fold;

                if (l->n == 0 && out->len == 0)
                        continue;
                if (l->n == 0)
                        break;
                fold =
                    l->s > buf_str(&r->p->text) && (l->s[-1] == ' ' || l->s[-1] == '\t');
                indented = out->len == 0 ? fold : indented;
                if (fold && !indented)
                        buf_addc(out, ' ');
                if (l->s[0] == '>' && l->n > 2)
                        buf_add(out, l->s + 1 + (l->s[1] == ' '),
                            l->n - 1 - (l->s[1] == ' '));
                else
                        buf_add(out, l->s, l->n);
                buf_addc(out, '\n');
        }
        (void)end;
}

static void
read_returned(const struct reporting *r, struct buf *text, struct returned_header *h)
{
        const char *s = buf_str(&r->p->returned);
        size_t n = r->p->returned.len;

        memset(h, 0, sizeof *h);
        read_fields(s, header_len(s, n), h);
        if (h->from.value_len > 0 || h->to.value_len > 0 || h->id.value_len > 0)
                return;
        returned_text(r, text);
        read_fields(buf_str(text), text->len, h);
}

static const char *
one_address(struct arena *a, const struct raw_header *h)
{
        struct mail_address *list = NULL;
        size_t n = 0;

        if (h->value_len > 0)
                mime_header_addresses(a, h->value, h->value_len, &list, &n, 1);
        return n > 0 ? list[0].address : "";
}

void
report_returned(struct reporting *r, struct returned_mail *out)
{
        struct buf text AUTO_BUF = BUF_INIT;
        struct returned_header h;

        read_returned(r, &text, &h);
        out->from = one_address(r->scratch, &h.from);
        out->sender = one_address(r->scratch, h.path.value_len > 0 ? &h.path : &h.sender);
        out->subject = h.subject.value_len > 0
                           ? mime_header_text(r->a, h.subject.value, h.subject.value_len)
                           : "";
        out->to = arena_printf(r->scratch, "%.*s, %.*s", (int)h.to.value_len,
            h.to.value_len > 0 ? h.to.value : "", (int)h.cc.value_len,
            h.cc.value_len > 0 ? h.cc.value : "");
}

/* ---- ids ---- */

static void
add_id(struct reporting *r, struct mail_report *to, const char *id)
{
        if (id[0] == '\0' || to->n_returned_ids >= REPORT_MAX_IDS)
                return;
        for (size_t i = 0; i < to->n_returned_ids; i++)
                if (strcmp(to->returned_ids[i], id) == 0)
                        return;
        to->returned_ids = arena_grow(
            r->a, to->returned_ids, to->n_returned_ids, sizeof *to->returned_ids);
        to->returned_ids[to->n_returned_ids++] = arena_strdup(r->a, id);
}

static void
add_ids(
    struct reporting *r, struct mail_report *to, const struct raw_header *h, bool ours)
{
        const char **list = NULL;
        struct email_id parsed;
        size_t n = 0;

        if (h->value_len > 0)
                mime_header_ids(
                    r->scratch, h->value, h->value_len, &list, &n, MAX_REFERENCES);
        for (size_t i = 0; i < n; i++)
                if (!ours || email_id_parse(list[i], &parsed))
                        add_id(r, to, list[i]);
}

static bool
ends_id(char c)
{
        return (unsigned char)c <= ' ' || strchr("<>\"'(),;", c) != NULL;
}

/* Words of the shape t1042.e57.K...@domain. */
static void
find_ours(struct reporting *r, struct mail_report *to, const char *s, size_t n)
{
        struct email_id parsed;

        for (size_t i = 0; i < n; i++) {
                size_t len = 0;
                const char *id;

                if ((s[i] != 't' && s[i] != 'T') ||
                    (i > 0 && !ends_id(s[i - 1]) && s[i - 1] != ':') || i + 1 >= n ||
                    !isdigit((unsigned char)s[i + 1]))
                        continue;
                while (i + len < n && len < 300 && !ends_id(s[i + len]))
                        len++;
                id = arena_strndup(r->scratch, s + i, len);
                if (email_id_parse(id, &parsed))
                        add_id(r, to, id);
                i += len;
        }
}

void
report_ids(struct reporting *r, struct mail_report *to)
{
        struct buf text AUTO_BUF = BUF_INIT;
        struct returned_header h;

        read_returned(r, &text, &h);
        if (h.subject.value_len > 0)
                to->returned_subject =
                    mime_header_text(r->a, h.subject.value, h.subject.value_len);
        add_ids(r, to, &h.id, false);
        add_ids(r, to, &h.in_reply_to, true);
        add_ids(r, to, &h.references, true);
        find_ours(r, to, buf_str(&r->p->disposition), r->p->disposition.len);
        find_ours(r, to, buf_str(&r->p->status), r->p->status.len);
        find_ours(r, to, buf_str(&r->p->text), r->p->text.len);
        find_ours(r, to, buf_str(&r->p->returned), r->p->returned.len);
        for (size_t i = 0; i < r->m->n_in_reply_to && to->n_returned_ids == 0; i++)
                add_id(r, to, r->m->in_reply_to[i]);
}
