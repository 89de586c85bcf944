/*
 * The walk over the parts: which of them are the text, which stand in the list. See
 * helper_mime_walk.h.
 *
 * A message in the message is an attachment and not looked into here: its header is not
 * ours (helper_mime_forward.c reads what is forwarded).
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_walk.h"

#define TOLD_PARTS 40 /* of the tree, in findings */

/* ---- several forms of the same ---- */

/* What one form of an alternative says. */
struct form {
        struct buf text;
        struct text_marks marks;
        bool html;
};

static void
form_free(struct form *f)
{
        buf_fini(&f->text);
        text_marks_free(&f->marks);
        *f = (struct form){.html = false};
}

/* Does the plain text only say that there is HTML? Then the HTML does not say so. */
static bool
is_excuse_for(const struct form *plain, const struct form *html)
{
        return text_is_excuse(&plain->text) &&
               (strcasestr(buf_str(&html->text), "html") == NULL ||
                   html->text.len > 3 * plain->text.len);
}

/* Is f better than what was found so far? Plain text before HTML, unless it is an
 * excuse; among equals the first. */
static bool
form_is_better(const struct form *f, const struct form *best)
{
        if (f->text.len == 0 || best->text.len == 0)
                return f->text.len > 0;
        if (f->html == best->html)
                return false;
        return f->html ? is_excuse_for(best, f) : !is_excuse_for(f, best);
}

/* Forms for devices, said again in text or HTML. */
static bool
is_for_devices(const struct mime_part *p)
{
        return mime_part_is(p, "text/x-amp-html") || mime_part_is(p, "text/watch-html") ||
               mime_part_is(p, "text/vnd.wap.wml");
}

static void
walk_form(
    struct walk *w, const struct mime_part *p, const struct place *at, struct form *f)
{
        w->text = (struct buf)BUF_INIT;
        w->marks = (struct text_marks){NULL, 0};
        w->html = false;
        w->last_words = 0;
        walk_part(w, p, at);
        f->text = w->text;
        f->marks = w->marks;
        f->html = w->html;
}

static void
walk_alternative(struct walk *w, const struct mime_part *multi, const struct place *at)
{
        struct form before = {w->text, w->marks, w->html};
        struct form best = {.html = false};
        bool skip_before = w->skip_html;

        for (const struct mime_part *p = multi->child; p != NULL; p = p->next) {
                struct place down = *at;
                struct form f;

                down.alternative = true;
                down.first = at->first && p == multi->child;
                w->skip_html = skip_before || (best.text.len > 0 && !best.html &&
                                                  !text_is_excuse(&best.text));
                walk_form(w, p, &down, &f);
                if (form_is_better(&f, &best)) {
                        form_free(&best);
                        best = f;
                } else {
                        form_free(&f);
                }
        }
        w->skip_html = skip_before;
        w->text = before.text;
        w->marks = before.marks;
        w->html = before.html || (best.text.len > 0 && best.html);
        text_join(w, buf_str(&best.text), best.text.len, &best.marks);
        form_free(&best);
}

/* ---- parts that belong together ---- */

/* The part that multipart/related shows, the others are its pictures. */
static const struct mime_part *
related_root(const struct mime_part *multi)
{
        char start[300];
        size_t n;

        if (mime_field_param(&multi->type_field, "start", start, sizeof(start))) {
                n = strlen(start);
                for (const struct mime_part *p = multi->child; p != NULL; p = p->next)
                        if (p->id.n >= n && memmem(p->id.s, p->id.n, start, n) != NULL)
                                return p;
        }
        for (const struct mime_part *p = multi->child; p != NULL; p = p->next)
                if (mime_part_is_multipart(p) || text_kind_of(p) != TEXT_NONE)
                        return p;
        return multi->child;
}

static void
walk_children(struct walk *w, const struct mime_part *multi, const struct place *at)
{
        bool related = mime_part_is(multi, "multipart/related");
        const struct mime_part *root = related ? related_root(multi) : NULL;

        for (const struct mime_part *p = multi->child; p != NULL; p = p->next) {
                struct place down = *at;

                down.related = at->related || (related && p != root);
                down.alternative = at->alternative && p == multi->child;
                down.first = at->first && (p == multi->child || p == root);
                down.report = at->report || mime_part_is(multi, "multipart/report");
                walk_part(w, p, &down);
        }
}

/* ---- leaves ---- */

/* Does it belong into the text? A text with a file name is an attachment, unless it is
 * what the mail begins with (then it is both) or a form of the text; what a picture's
 * neighbour names is shown by address, not read. */
static bool
is_body(const struct mime_part *p, const struct place *at, bool named)
{
        if (text_kind_of(p) == TEXT_NONE || mime_part_disposed(p, "attachment"))
                return false;
        if (at->related && (p->id.n > 0 || p->location.n > 0))
                return false;
        return !named || at->alternative || at->first;
}

static void
walk_leaf(struct walk *w, const struct mime_part *p, const struct place *at)
{
        struct source src;
        bool named;

        w->n_leaves++;
        if (w->wanted != NULL && strcmp(w->wanted, p->path) == 0) {
                src = leaf_source(p);
                w->found = true;
                source_write(&src, w->to, w->to_arg);
                return;
        }
        if (at->alternative && is_for_devices(p))
                return;
        if (leaf_report(w, p, at)) {
                if (mime_part_is(p, "message/rfc822") ||
                    mime_part_is(p, "message/global")) {
                        w->forward = w->n_forwards++ == 0 && !at->report ? p : w->forward;
                }
                return;
        }
        named = leaf_name(w->scratch, p)[0] != '\0';
        if (is_body(p, at, named)) {
                text_add(w, p);
                if (named && !at->alternative)
                        leaf_attach(w, p, at);
                return;
        }
        leaf_attach(w, p, at);
        if (w->wanted == NULL && !w->inner)
                notice_part(w, p);
        opaque_open(w, p);
}

void
walk_part(struct walk *w, const struct mime_part *p, const struct place *at)
{
        if (w->found || !walk_wants(w, p->path))
                return;
        if (p->odd != NULL && w->wanted == NULL && !w->inner)
                message_find(w->m, "structure", p->type, "part %s: %s",
                    p->path[0] != '\0' ? p->path : "0", p->odd);
        else if (p->depth > 0 && w->n_leaves < TOLD_PARTS && w->wanted == NULL &&
                 !w->inner)
                message_find(w->m, "structure", p->type, "part %s, %zu bytes", p->path,
                    p->body_len);
        if (p->child == NULL && mime_part_is_multipart(p) && p->depth < MIME_MAX_DEPTH)
                return; /* an empty one */
        if (p->child == NULL) {
                walk_leaf(w, p, at);
                return;
        }
        if (w->wanted == NULL && !w->inner)
                notice_multipart(w, p);
        if (mime_part_is(p, "multipart/alternative"))
                walk_alternative(w, p, at);
        else
                walk_children(w, p, at);
}

/* A mail that is nothing but one text "attachment" still says something. */
void
walk_root(struct walk *w, const struct mime_part *root)
{
        struct place at = {.first = true};

        walk_part(w, root, &at);
        if (w->wanted == NULL && w->text.len == 0 && root->child == NULL &&
            text_kind_of(root) != TEXT_NONE && mime_part_disposed(root, "attachment"))
                text_add(w, root);
}

void
walk_inside(struct walk *w, const char *s, size_t n, const char *path)
{
        struct place at = {.first = w->text.len == 0};
        struct mime_part *root;
        struct prescan p;

        if (mime_prescan(s, n, &p, NULL) == -1 || !p.has_header)
                return;
        root = mime_tree(w->scratch, s + p.header_at, p.header_len, s + p.body_at,
            n - p.body_at, path, arena_printf(w->scratch, "%s.1", path));
        walk_part(w, root, &at);
}
