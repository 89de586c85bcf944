/*
 * A mail attached to the mail: who wrote it first and what it says. See
 * helper_mime_walk.h.
 *
 * Its header is read apart and never mixed with ours; of its parts only the text counts,
 * and of that the first 64 KB.
 */
#include <string.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_walk.h"
#include "daemon/base/utf8.h"

#define MAX_FORWARD_HEADER (16u << 10) /* bytes of its header decoded */
#define FEW_WORDS 8 /* "FYI, please have a look" */

static struct forwarded_mail *
forward_new(struct arena *a, const struct message *of, const char *part)
{
        struct forwarded_mail *f = arena_alloc(a, sizeof(*f));

        f->name = arena_strdup(a, of->from.name);
        f->address = arena_strdup(a, of->from.address);
        f->subject = arena_strdup(a, of->subject);
        f->sent_at_us = of->sent_at_us;
        f->message_id = arena_strdup(a, of->message_id);
        f->part = arena_strdup(a, part);
        f->text = "";
        return f;
}

static void
forward_text(struct walk *w, const struct prescan *p, const struct slice *s,
    struct message *inner, struct forwarded_mail *f)
{
        struct walk v = {.m = inner, .inner = true, .max_text = MAX_FORWARD_TEXT};

        v.scratch = w->scratch;
        v.sha = w->sha;
        walk_root(&v, mime_tree(w->scratch, s->s + p->header_at, p->header_len,
                          s->s + p->body_at, s->n - p->body_at, "", "1"));
        f->text = arena_strndup(w->m->arena, buf_str(&v.text),
            utf8_cut(buf_str(&v.text), v.text.len, MAX_FORWARD_TEXT));
        buf_fini(&v.text);
        text_marks_free(&v.marks);
        report_pieces_free(&v.pieces);
}

void
forward_read(struct walk *w)
{
        struct buf hold AUTO_BUF = BUF_INIT;
        struct message *inner;
        struct slice s;
        struct prescan p;
        bool fit;

        if (w->forward == NULL || w->n_forwards != 1 || w->m->report != NULL)
                return;
        leaf_bytes(w->forward, &hold, MAX_FORWARD, &s);
        fit = mime_prescan(s.s, s.n, &p, NULL) == 0;
        if (!p.has_header)
                return;
        inner = message_new();
        mime_header_read(inner, s.s + p.header_at,
            p.header_len < PRESCAN_MAX_HEADER_BYTES ? p.header_len
                                                    : PRESCAN_MAX_HEADER_BYTES,
            MAX_FORWARD_HEADER);
        if (inner->from.address[0] != '\0' || inner->subject[0] != '\0') {
                w->m->forwarded = forward_new(w->m->arena, inner, w->forward->path);
                if (fit)
                        forward_text(w, &p, &s, inner, w->m->forwarded);
        }
        message_free(&inner);
}

static unsigned
count_words(const char *s)
{
        unsigned n = 0;

        for (s += strspn(s, " \t\n"); *s != '\0'; s += strspn(s, " \t\n")) {
                n++;
                s += strcspn(s, " \t\n");
        }
        return n;
}

void
forward_weigh(struct message *m)
{
        const char *says = m->new_text[0] != '\0' ? m->new_text : m->text;

        if (m->forwarded != NULL && m->forwarded->part[0] != '\0')
                m->forwarded->whole = count_words(says) <= FEW_WORDS;
}
