/*
 * Parts that hold other parts in a format of their own: TNEF (winmail.dat) and mails
 * signed opaquely by S/MIME. What they hold is numbered beneath them and can be cut out
 * like any part. See helper_mime_walk.h.
 */
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_cms.h"
#include "channels/helper_mime_rtf.h"
#include "channels/helper_mime_tnef.h"
#include "channels/helper_mime_walk.h"

#define MAX_RTF (4u << 20) /* bytes unpacked */
#define MAX_TNEF_DEPTH 4 /* messages in messages */

/* ---- TNEF ---- */

static const char *
type_of_file(const struct tnef_file *f)
{
        const char *type = f->type;
        size_t n = strlen(type);

        if (f->is_tnef)
                return "application/ms-tnef";
        if (n < 3 || n > 120 || strchr(type, '/') == NULL)
                return "";
        for (size_t i = 0; i < n; i++)
                if (type[i] <= 32 || type[i] >= 127)
                        return "";
        return type;
}

static void
tnef_rtf(struct walk *w, const struct tnef *t, const char *path)
{
        struct buf rtf AUTO_BUF = BUF_INIT;
        struct buf text AUTO_BUF = BUF_INIT;
        struct slice s;
        bool is_html = false;

        if (!mime_rtf_unpack(&rtf, t->rtf, t->rtf_len, MAX_RTF))
                return;
        mime_rtf_text(&text, buf_str(&rtf), rtf.len, MAX_RTF, &is_html);
        s = (struct slice){buf_str(&text), text.len};
        text_add_inside(w, &s, is_html ? TEXT_HTML : TEXT_PLAIN, "utf-8", path);
}

static void
tnef_text(struct walk *w, const struct tnef *t, const char *path)
{
        struct slice text = {t->text, t->text_len};
        struct slice html = {t->html, t->html_len};

        if (w->wanted != NULL || w->text.len > 0)
                return;
        text_add_inside(w, &text, TEXT_PLAIN, t->charset, path);
        if (w->text.len == 0 && html.n > 0)
                text_add_inside(w, &html, TEXT_HTML, t->html_charset, path);
        else if (html.n > 0)
                leaf_refs(w, html.s, html.n < MAX_RAW_TEXT ? html.n : MAX_RAW_TEXT);
        if (w->text.len == 0)
                tnef_rtf(w, t, path);
}

static void
tnef_open(struct walk *w, const char *s, size_t n, const char *path, unsigned depth)
{
        struct tnef t;

        if (!mime_tnef_read(w->scratch, s, n, &t))
                return;
        for (size_t i = 0; i < t.n_files && !w->found; i++) {
                const struct tnef_file *f = &t.files[i];
                struct source src = {.s = f->data, .n = f->n};
                struct slice id = {f->content_id, strlen(f->content_id)};
                const char *inside = arena_printf(w->scratch, "%s.%zu", path, i + 1);

                if (!walk_wants(w, inside))
                        continue;
                leaf_attach_inside(w, &src, inside, f->name, type_of_file(f), id);
                if (f->is_tnef && depth < MAX_TNEF_DEPTH)
                        tnef_open(w, f->data, f->n, inside, depth + 1);
        }
        if (depth > 0)
                return;
        tnef_text(w, &t, path);
        if (w->wanted == NULL && !w->inner)
                message_notice(w->m, "tnef", path,
                    "the mail came in Outlook's own format (TNEF): %zu file%s taken out "
                    "of "
                    "it%s%s",
                    t.n_files, t.n_files == 1 ? " was" : "s were",
                    t.odd != NULL ? "; it is damaged: " : "", t.odd != NULL ? t.odd : "");
}

static bool
is_tnef_part(const struct mime_part *p, const char *name)
{
        return mime_part_is(p, "application/ms-tnef") ||
               mime_part_is(p, "application/vnd.ms-tnef") ||
               strcasecmp(name, "winmail.dat") == 0 || strcasecmp(name, "win.dat") == 0;
}

/* ---- S/MIME ---- */

static bool
is_signed_part(const struct mime_part *p, const char *name)
{
        size_t n = strlen(name);

        return mime_part_is(p, "application/pkcs7-mime") ||
               mime_part_is(p, "application/x-pkcs7-mime") ||
               (n > 4 && strcasecmp(name + n - 4, ".p7m") == 0);
}

static void
signed_open(struct walk *w, const struct slice *s, const char *path)
{
        struct buf content AUTO_BUF = BUF_INIT;

        if (mime_cms_content(&content, s->s, s->n))
                walk_inside(w, arena_strndup(w->scratch, buf_str(&content), content.len),
                    content.len, path);
}

bool
opaque_open(struct walk *w, const struct mime_part *p)
{
        const char *name = leaf_name(w->scratch, p);
        bool tnef = is_tnef_part(p, name);
        struct buf hold AUTO_BUF = BUF_INIT;
        struct slice s;

        if (w->n_opaque >= MAX_OPAQUE || (!tnef && !is_signed_part(p, name)))
                return false;
        w->n_opaque++;
        leaf_bytes(p, &hold, MAX_HELD, &s);
        if (tnef)
                tnef_open(w, s.s, s.n, p->path, 0);
        else
                signed_open(w, &s, p->path);
        return true;
}
