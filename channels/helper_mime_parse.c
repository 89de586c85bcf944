/*
 * The walk over the parts; see helper_mime_parse.h.
 *
 * Every part is decoded once, in chunks: its bytes go through the digest, and of
 * a text the beginning is kept. Part numbers are IMAP's: "1" is a mail without
 * parts, "2.1" the first part of the second one. A message in the message is an
 * attachment and not looked into: its header is not ours.
 */
#include "channels/helper_mime_parse.h"

#include <assert.h>
#include <gmime/gmime.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_html.h"
#include "channels/helper_mime_language.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_report.h"
#include "channels/helper_mime_sink.h"
#include "channels/helper_mime_text.h"
#include "channels/helper_mime_trim.h"
#include "daemon/base/digest.h"
#include "daemon/base/utf8.h"

#define MAX_RAW_TEXT (4u << 20) /* bytes of one text part looked at */
#define MAX_ALL_TEXT (4u << 20) /* bytes of text made from all parts together */
#define MAX_NAME 255 /* bytes of a file name */
#define MAX_PATH_LEN 400 /* of "1.2.3": MIME_MAX_DEPTH numbers */

struct walk {
        struct message *m;
        struct sha256 *digest; /* for "seen before" */
        struct buf text; /* of the parts so far */
        bool html; /* it was made from HTML */
        bool cut; /* something was left out of it */
        struct text_marks marks; /* what HTML said of ranges of text */
        struct report_pieces pieces; /* for mime_report() */
        size_t made; /* bytes of text made so far, also what was dropped */
        unsigned n_parts; /* leaves seen */
        GMimeFormatOptions *format; /* line ends as the mail has them */
        const char *wanted; /* when cutting: the path looked for, else NULL */
        GMimeStream *to; /* when cutting: where its bytes go */
        bool found; /* when cutting: it was there */
};

/* Where the walk is. */
struct place {
        char path[MAX_PATH_LEN];
        unsigned depth;
        bool related; /* inside multipart/related, not its first part */
        bool alternative; /* one of several forms of the same */
        bool first; /* nothing stands before it */
};

static const struct bounce_set *bounces; /* the words of mail systems; NULL: none */

static void walk_part(struct walk *w, GMimeObject *part, const struct place *at);

void
mime_parse_init(void)
{
        g_mime_init();
        mime_text_preload();
        mime_language_preload();
}

void
mime_parse_set_bounces(const struct bounce_set *set)
{
        bounces = set;
}

/* ---- decoding one part ---- */

struct leaf {
        struct sha256 *sha;
        int64_t size;
        struct buf *keep; /* of a text: its first bytes; else NULL */
        bool cut; /* there were more */
        struct buf *piece; /* of a report: its first bytes; else NULL */
};

/* A relay may rewrite line ends: they are left out of a text's digest. */
static void
digest_text(struct sha256 *sha, const char *s, size_t n)
{
        while (n > 0) {
                const char *cr = memchr(s, '\r', n);
                size_t len = cr != NULL ? (size_t)(cr - s) : n;

                sha256_add(sha, s, len);
                s += len + (cr != NULL);
                n -= len + (cr != NULL);
        }
}

static bool
leaf_chunk(void *arg, const char *s, size_t n)
{
        struct leaf *l = arg;
        size_t keep = 0;

        l->size += (int64_t)n;
        if (l->piece != NULL && l->piece->len < REPORT_MAX_PIECE)
                buf_add(l->piece, s,
                    n < REPORT_MAX_PIECE - l->piece->len
                        ? n
                        : REPORT_MAX_PIECE - l->piece->len);
        if (l->keep != NULL) {
                digest_text(l->sha, s, n);
                keep = MAX_RAW_TEXT - l->keep->len < n ? MAX_RAW_TEXT - l->keep->len : n;
                l->cut = l->cut || keep < n;
                buf_add(l->keep, s, keep);
        } else {
                sha256_add(l->sha, s, n);
        }
        return true;
}

/* Says base64 and is plain text: its beginning holds what base64 never does. */
static bool
is_false_base64(GMimeDataWrapper *content)
{
        GMimeStream *stream = g_mime_data_wrapper_get_stream(content);
        char bytes[2048];
        ssize_t n = 0;
        size_t n_foreign = 0;

        if (stream == NULL ||
            g_mime_data_wrapper_get_encoding(content) != GMIME_CONTENT_ENCODING_BASE64)
                return false;
        g_mime_stream_reset(stream);
        n = g_mime_stream_read(stream, bytes, sizeof(bytes));
        g_mime_stream_reset(stream);
        for (ssize_t i = 0; i < n; i++)
                n_foreign +=
                    !g_ascii_isalnum(bytes[i]) && strchr("+/=\r\n", bytes[i]) == NULL;
        return n > 0 && n_foreign * 20 > (size_t)n;
}

/* The decoded bytes of a part; of a message or an unwalked multipart its source. */
static void
write_part(const struct walk *w, GMimeObject *part, GMimeStream *to)
{
        GMimeDataWrapper *content;
        GMimeMessage *inner;

        if (GMIME_IS_PART(part)) {
                content = g_mime_part_get_content(GMIME_PART(part));
                if (content != NULL && is_false_base64(content))
                        g_mime_data_wrapper_set_encoding(
                            content, GMIME_CONTENT_ENCODING_8BIT);
                if (content != NULL)
                        g_mime_data_wrapper_write_to_stream(content, to);
        } else if (GMIME_IS_MESSAGE_PART(part)) {
                inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
                if (inner != NULL)
                        g_mime_object_write_to_stream(GMIME_OBJECT(inner), w->format, to);
        } else {
                g_mime_object_write_content_to_stream(part, w->format, to);
        }
}

static void
leaf_read(const struct walk *w, struct leaf *l, GMimeObject *part, char sha[65])
{
        GMimeStream *sink = mime_sink_new(leaf_chunk, l);

        l->sha = sha256_new();
        write_part(w, part, sink);
        g_object_unref(sink);
        sha256_end(&l->sha, sha);
}

/* ---- attachments ---- */

/* No path, no controls, nothing that turns the reading direction. */
static const char *
clean_name(struct arena *a, const char *raw)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        const char *s;

        if (raw == NULL)
                return "";
        mime_header_decode(&b, raw, strnlen(raw, 4096));
        for (s = buf_str(&b); strpbrk(s, "/\\") != NULL; s = strpbrk(s, "/\\") + 1)
                ;
        for (size_t n = strlen(s), used; n > 0; s += used, n -= used) {
                uint32_t cp = utf8_next(s, n, &used);

                if ((cp < 0x202a || cp > 0x202e) && (cp < 0x2066 || cp > 0x2069) &&
                    cp >= 32)
                        buf_add(&out, s, used);
        }
        s = buf_str(&out);
        if (strspn(s, ". ") == strlen(s))
                return "";
        return arena_strndup(a, s, utf8_cut(s, out.len, MAX_NAME));
}

static const char *
part_name(struct arena *a, GMimeObject *part)
{
        GMimeContentDisposition *d = g_mime_object_get_content_disposition(part);
        GMimeContentType *type = g_mime_object_get_content_type(part);
        const char *name =
            d != NULL ? g_mime_content_disposition_get_parameter(d, "filename") : NULL;
        GMimeMessage *inner;

        if (name == NULL && type != NULL)
                name = g_mime_content_type_get_parameter(type, "name");
        if (name != NULL || !GMIME_IS_MESSAGE_PART(part))
                return clean_name(a, name);
        inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
        name = inner != NULL ? g_mime_message_get_subject(inner) : NULL;
        name = clean_name(a, name);
        return name[0] != '\0' && strlen(name) < MAX_NAME - 4
                   ? arena_printf(a, "%s.eml", name)
                   : name;
}

static const char *
part_type(struct arena *a, GMimeObject *part)
{
        GMimeContentType *type = g_mime_object_get_content_type(part);
        const char *major =
            type != NULL ? g_mime_content_type_get_media_type(type) : NULL;
        const char *minor =
            type != NULL ? g_mime_content_type_get_media_subtype(type) : NULL;
        char *s;

        if (major == NULL || minor == NULL || strlen(major) + strlen(minor) > 126)
                return "application/octet-stream";
        s = arena_printf(a, "%s/%s", major, minor);
        for (char *p = s; *p != '\0'; p++)
                *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 32)
                     : *p > 32 && *p < 127  ? *p
                                            : '?';
        return s;
}

static bool
is_disposition(GMimeObject *part, const char *word)
{
        const char *d = g_mime_object_get_disposition(part);

        return d != NULL && strcasecmp(d, word) == 0;
}

static bool
is_inline(GMimeObject *part, const struct place *at)
{
        if (is_disposition(part, "attachment") && !at->related)
                return false;
        if (at->related)
                return g_mime_object_get_content_id(part) != NULL;
        return g_mime_object_get_content_id(part) != NULL &&
               is_disposition(part, "inline");
}

static struct buf *
report_piece(struct walk *w, const char *type)
{
        const struct {
                const char *type;
                struct buf *piece;
        } kinds[] = {{"message/delivery-status", &w->pieces.status},
            {"message/global-delivery-status", &w->pieces.status},
            {"message/disposition-notification", &w->pieces.disposition},
            {"message/feedback-report", &w->pieces.feedback},
            {"message/rfc822", &w->pieces.returned},
            {"text/rfc822-headers", &w->pieces.returned},
            {"message/global", &w->pieces.returned}};

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
                if (strcmp(kinds[i].type, type) == 0)
                        return kinds[i].piece;
        return NULL;
}

static void
add_attachment(struct walk *w, GMimeObject *part, const struct place *at)
{
        struct message *m = w->m;
        struct leaf l = {0};
        struct attachment *to;
        char sha[65];

        l.piece = report_piece(w, part_type(m->arena, part));
        leaf_read(w, &l, part, sha);
        sha256_add(w->digest, "\nattachment ", 12);
        sha256_add(w->digest, sha, 64);
        if (m->n_attachments >= MIME_MAX_ATTACHMENTS) {
                w->cut = true;
                return;
        }
        m->attachments =
            arena_grow(m->arena, m->attachments, m->n_attachments, sizeof(*to));
        to = &m->attachments[m->n_attachments++];
        to->part = arena_strdup(m->arena, at->path);
        to->name = part_name(m->arena, part);
        to->type = part_type(m->arena, part);
        to->size = l.size;
        to->sha256 = arena_strdup(m->arena, sha);
        to->is_inline = is_inline(part, at);
}

/* ---- texts ---- */

static bool
is_type(GMimeObject *part, const char *major, const char *minor)
{
        GMimeContentType *type = g_mime_object_get_content_type(part);

        return type != NULL && g_mime_content_type_is_type(type, major, minor);
}

/* "Content-Type: text" without a subtype, which GMime takes for bytes. */
static bool
is_bare_text(GMimeObject *part)
{
        const char *raw = g_mime_object_get_header(part, "Content-Type");

        return raw != NULL && strncasecmp(raw, "text", 4) == 0 &&
               strchr(" ;", raw[4]) != NULL;
}

/* Does it belong into the text of the mail? */
static bool
is_text(GMimeObject *part)
{
        return GMIME_IS_PART(part) && !is_disposition(part, "attachment") &&
               (is_type(part, "text", "plain") || is_type(part, "text", "html") ||
                   is_bare_text(part));
}

static const char *
type_parameter(GMimeObject *part, const char *name)
{
        GMimeContentType *type = g_mime_object_get_content_type(part);
        const char *value =
            type != NULL ? g_mime_content_type_get_parameter(type, name) : NULL;

        return value != NULL ? value : "";
}

/* Decoded bytes of a text part -> text, appended to out. */
static bool
text_of(
    GMimeObject *part, const struct buf *raw, struct buf *out, struct text_marks *marks)
{
        struct buf html AUTO_BUF = BUF_INIT;
        const char *charset = type_parameter(part, "charset");
        char meta[40];
        bool cut;

        if (!is_type(part, "text", "html")) {
                cut =
                    mime_text_decode(out, buf_str(raw), raw->len, charset, MIME_MAX_TEXT);
                if (strcasecmp(type_parameter(part, "format"), "flowed") == 0)
                        mime_text_unflow(
                            out, strcasecmp(type_parameter(part, "delsp"), "yes") == 0);
                return cut;
        }
        mime_html_charset(buf_str(raw), raw->len, meta);
        cut = mime_text_decode(&html, buf_str(raw), raw->len,
            charset[0] != '\0' ? charset : meta, MAX_RAW_TEXT);
        return mime_html_text_marked(
                   out, buf_str(&html), html.len, MIME_MAX_TEXT, marks) ||
               cut;
}

static bool
is_blank(const struct buf *b)
{
        return strspn(buf_str(b), " \t\n\xc2\xa0") == b->len;
}

static void
trim_text(struct buf *b)
{
        while (b->len > 0 && strchr(" \t\n", b->data[b->len - 1]) != NULL)
                b->data[--b->len] = '\0';
}

/* Adds marks of a piece of text that begins at `at` of the whole. */
static void
add_marks(struct text_marks *to, struct text_marks *from, size_t at, size_t end)
{
        to->list = xrealloc(to->list, (to->n + from->n) * sizeof(*to->list) + 1);
        for (size_t i = 0; i < from->n; i++) {
                struct text_mark k = from->list[i];

                k.from = k.from + at < end ? k.from + at : end;
                k.to = k.to + at < end ? k.to + at : end;
                if (k.from < k.to)
                        to->list[to->n++] = k;
        }
        text_marks_free(from);
}

static void
add_text(struct walk *w, GMimeObject *part)
{
        struct buf raw AUTO_BUF = BUF_INIT;
        struct buf text AUTO_BUF = BUF_INIT;
        struct leaf l = {.keep = &raw};
        struct text_marks marks = {NULL, 0};
        size_t at;
        char sha[65];

        leaf_read(w, &l, part, sha);
        sha256_add(w->digest, "\ntext ", 6);
        sha256_add(w->digest, sha, 64);
        if (w->made > MAX_ALL_TEXT || w->text.len >= MIME_MAX_TEXT) {
                w->cut = w->cut || l.size > 0;
                return;
        }
        w->cut = text_of(part, &raw, &text, &marks) || l.cut || w->cut;
        w->made += text.len + raw.len / 4;
        trim_text(&text);
        if (is_blank(&text)) {
                text_marks_free(&marks);
                return;
        }
        if (w->text.len > 0)
                buf_adds(&w->text, "\n\n");
        at = w->text.len;
        buf_add(&w->text, text.data, text.len);
        add_marks(&w->marks, &marks, at, w->text.len);
        w->html = w->html || is_type(part, "text", "html");
}

/* ---- the tree ---- */

static bool
place_down(const struct place *at, int i, struct place *to)
{
        int n;

        to->depth = at->depth + 1;
        to->related = at->related;
        to->alternative = false;
        to->first = at->first && i == 0;
        n = snprintf(to->path, sizeof(to->path), "%s%s%d", at->depth > 0 ? at->path : "",
            at->depth > 0 ? "." : "", i + 1);
        return n > 0 && (size_t)n < sizeof(to->path);
}

static void
walk_children(struct walk *w, GMimeMultipart *multi, const struct place *at)
{
        bool related = is_type(GMIME_OBJECT(multi), "multipart", "related");
        int n = g_mime_multipart_get_count(multi);

        for (int i = 0; i < n; i++) {
                struct place down;

                if (!place_down(at, i, &down))
                        return;
                down.related = at->related || (related && i > 0);
                walk_part(w, g_mime_multipart_get_part(multi, i), &down);
        }
}

/* The same in several forms: plain text where it says something, else the last
 * form that does. Attachments of all forms are listed. */
static void
walk_alternative(struct walk *w, GMimeMultipart *multi, const struct place *at)
{
        struct buf before = w->text;
        struct text_marks marks_before = w->marks;
        struct text_marks marks = {NULL, 0};
        struct buf best AUTO_BUF = BUF_INIT;
        bool html_before = w->html;
        bool best_html = true;
        int n = g_mime_multipart_get_count(multi);

        for (int i = 0; i < n; i++) {
                struct place down;

                if (!place_down(at, i, &down))
                        break;
                down.alternative = true;
                w->text = (struct buf)BUF_INIT;
                w->marks = (struct text_marks){NULL, 0};
                w->html = false;
                walk_part(w, g_mime_multipart_get_part(multi, i), &down);
                if (w->text.len > 0 && best_html) {
                        buf_fini(&best);
                        text_marks_free(&marks);
                        best = w->text;
                        marks = w->marks;
                        best_html = w->html;
                } else {
                        buf_fini(&w->text);
                        text_marks_free(&w->marks);
                }
        }
        w->text = before;
        w->html = html_before || (best.len > 0 && best_html);
        if (before.len > 0 && best.len > 0)
                buf_adds(&w->text, "\n\n");
        w->marks = marks_before;
        add_marks(&w->marks, &marks, w->text.len, w->text.len + best.len);
        buf_add(&w->text, buf_str(&best), best.len);
}

/* A text with a file name is an attachment, unless it is what the mail begins
 * with (then it is both) or a form of the text. */
static void
walk_leaf(struct walk *w, GMimeObject *part, const struct place *at)
{
        bool named = part_name(w->m->arena, part)[0] != '\0';

        if (is_text(part) && (!named || at->alternative || at->first))
                add_text(w, part);
        if (!is_text(part) || (named && !at->alternative))
                add_attachment(w, part, at);
}

static void
walk_part(struct walk *w, GMimeObject *part, const struct place *at)
{
        if (part == NULL || w->found)
                return;
        if (w->wanted != NULL && strcmp(w->wanted, at->path) == 0 &&
            (at->depth > 0 || !GMIME_IS_MULTIPART(part))) {
                w->found = true;
                write_part(w, part, w->to);
                return;
        }
        if (GMIME_IS_MULTIPART(part) && at->depth < MIME_MAX_DEPTH) {
                if (w->wanted == NULL && is_type(part, "multipart", "alternative"))
                        walk_alternative(w, GMIME_MULTIPART(part), at);
                else
                        walk_children(w, GMIME_MULTIPART(part), at);
                return;
        }
        if (w->wanted != NULL)
                return;
        w->n_parts++;
        walk_leaf(w, part, at);
}

/* A mail that is nothing but one text "attachment" still says something. */
static void
walk_root(struct walk *w, GMimeObject *root)
{
        struct place at = {.path = "1", .first = true};

        walk_part(w, root, &at);
        if (w->wanted == NULL && w->text.len == 0 && GMIME_IS_PART(root) &&
            w->m->n_attachments > 0 &&
            (is_type(root, "text", "plain") || is_type(root, "text", "html")))
                add_text(w, root);
}

/* ---- the whole ---- */

static void
fix_line_ends(char *raw, size_t n)
{
        if (!mime_prescan_cr_only(raw, n))
                return;
        for (size_t i = 0; i < n; i++)
                if (raw[i] == '\r')
                        raw[i] = '\n';
}

/* GMime's view of bytes it does not own. */
static GMimeStream *
stream_over(const char *s, size_t n)
{
        GByteArray *array;
        GMimeStream *stream;
        guint8 *bytes;

        memcpy(&bytes, &s, sizeof(bytes)); /* nobody writes to it */
        array = g_byte_array_new_take(bytes, n);
        stream = g_mime_stream_mem_new_with_byte_array(array);
        g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
        return stream;
}

static void
stream_release(GMimeStream *stream)
{
        GByteArray *array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));

        g_byte_array_free(array, FALSE);
        g_object_unref(stream);
}

static GMimeFormatOptions *
format_like(const char *s, size_t n)
{
        GMimeFormatOptions *format = g_mime_format_options_new();
        const char *lf = memchr(s, '\n', n);
        bool dos = lf != NULL && lf > s && lf[-1] == '\r';

        g_mime_format_options_set_newline_format(
            format, dos ? GMIME_NEWLINE_FORMAT_DOS : GMIME_NEWLINE_FORMAT_UNIX);
        return format;
}

/* The mail is read as a part and not as a message: GMime would parse all its
 * addresses, which takes minutes for 100,000 names without any. */
static void
walk_raw(struct walk *w, const char *raw, size_t n, const struct prescan *p)
{
        GMimeStream *stream;
        GMimeParser *parser;
        GMimeObject *root;

        if (!p->has_header)
                return;
        w->format = format_like(raw + p->header_at, n - p->header_at);
        stream = stream_over(raw + p->header_at, n - p->header_at);
        parser = g_mime_parser_new_with_stream(stream);
        root = g_mime_parser_construct_part(parser, NULL);
        if (root != NULL) {
                walk_root(w, root);
                g_object_unref(root);
        }
        g_object_unref(parser);
        stream_release(stream);
        g_mime_format_options_free(w->format);
}

static void
digest_field(struct sha256 *digest, const char *name, const char *value)
{
        sha256_add(digest, name, strlen(name));
        sha256_add(digest, "=", 1);
        sha256_add(digest, value, strlen(value));
        sha256_add(digest, "\n", 1);
}

static void
digest_raw(struct sha256 *digest, const char *s, size_t n)
{
        char hex[65];
        struct sha256 *sha = sha256_new();

        digest_text(sha, s, n);
        sha256_end(&sha, hex);
        sha256_add(digest, "\nraw ", 5);
        sha256_add(digest, hex, 64);
}

/* What a relay must not change: everything about the mail but its trace. A mail with
 * neither Message-ID nor Date has nothing else that tells it from the next of the
 * same words ("backup failed", every night): of those only a copy with the same
 * trace is the same. */
static struct sha256 *
digest_begin(const struct message *m, const char *raw, const struct prescan *p)
{
        struct sha256 *digest = sha256_new();
        const char *date = message_header(m, "Date");
        const char *from = message_header(m, "From");

        digest_field(digest, "account", m->account);
        digest_field(digest, "id", m->message_id);
        digest_field(digest, "date", date != NULL ? date : "");
        digest_field(digest, "from", from != NULL ? from : "");
        if (*m->message_id == '\0' && (date == NULL || *date == '\0'))
                digest_raw(digest, raw + p->header_at, p->header_len);
        return digest;
}

static void
digest_finish(struct message *m, struct sha256 **digest)
{
        char hex[65];

        sha256_end(digest, hex);
        m->digest = arena_strdup(m->arena, hex);
}

static struct message *
message_begin(
    const char *raw, size_t n, const struct prescan *p, const char *account)
{
        struct message *m = message_new();
        struct prescan header = *p;

        m->channel = "email";
        m->account = arena_strdup(m->arena, account);
        if (header.header_len > PRESCAN_MAX_HEADER_BYTES)
                header.header_len = PRESCAN_MAX_HEADER_BYTES;
        if (p->has_header)
                mime_header_read_mail(m, raw, n, &header, MIME_MAX_HEADER);
        return m;
}

static void
message_finish(struct message *m, struct walk *w)
{
        const struct buf *text = &w->text;
        size_t len = utf8_cut(buf_str(text), text->len, MIME_MAX_TEXT);

        m->truncated = m->truncated || len < text->len;
        m->text = arena_strndup(m->arena, buf_str(text), len);
        w->pieces.text = w->text;
        w->text = (struct buf)BUF_INIT;
        mime_report(m, &w->pieces, bounces);
        mime_trim(m, &w->marks);
        report_pieces_free(&w->pieces);
        text_marks_free(&w->marks);
        mime_language(m);
}

int
mime_parse(
    char *raw, size_t n, const char *account, struct message **out, struct err *err)
{
        struct walk w = {0};
        struct prescan p;
        struct message *m;

        fix_line_ends(raw, n);
        if (mime_prescan(raw, n, &p, err) == -1)
                return -1;
        m = w.m = message_begin(raw, n, &p, account);
        w.digest = digest_begin(m, raw, &p);
        walk_raw(&w, raw, n, &p);
        if (w.n_parts == 0 || (p.no_blank && w.text.len == 0 && m->n_attachments == 0)) {
                /* no header, or GMime made nothing of it: what is there is the text */
                digest_raw(w.digest, raw + p.body_at, n - p.body_at);
                w.cut = mime_text_decode(
                    &w.text, raw + p.body_at, n - p.body_at, "", MIME_MAX_TEXT);
                trim_text(&w.text);
        }
        digest_finish(m, &w.digest);
        m->from_html = w.html;
        m->truncated = w.cut;
        message_finish(m, &w);
        *out = m;
        return 0;
}

struct message *
mime_parse_header_only(char *raw, size_t n, const char *account)
{
        struct walk w = {0};
        struct sha256 *digest;
        struct prescan p;
        struct message *m;

        fix_line_ends(raw, n);
        mime_prescan(raw, n, &p, NULL);
        m = message_begin(raw, n, &p, account);
        m->header_only = true;
        digest = digest_begin(m, raw, &p);
        digest_raw(digest, raw + p.body_at, n - p.body_at);
        digest_finish(m, &digest);
        if (!p.has_header)
                m->truncated = mime_text_decode(&w.text, raw, n, "", 4096);
        message_finish(m, &w);
        return m;
}

/* ---- one part on demand ---- */

struct window {
        struct buf *out;
        size_t skip; /* bytes still to be left out */
        size_t left; /* bytes still wanted */
};

static bool
window_chunk(void *arg, const char *s, size_t n)
{
        struct window *v = arg;
        size_t skip = n < v->skip ? n : v->skip;

        v->skip -= skip;
        s += skip;
        n -= skip;
        if (n > v->left)
                n = v->left;
        buf_add(v->out, s, n);
        v->left -= n;
        return v->left > 0;
}

int
mime_parse_cut(char *raw, size_t n, const char *part, size_t from, size_t count,
    struct buf *out, struct err *err)
{
        struct window v = {.out = out,
            .skip = from,
            .left = count < MIME_MAX_CUT ? count : MIME_MAX_CUT};
        struct walk w = {.wanted = part};
        struct prescan p;

        assert(part != NULL);
        fix_line_ends(raw, n);
        if (mime_prescan(raw, n, &p, err) == -1)
                return -1;
        w.to = mime_sink_new(window_chunk, &v);
        walk_raw(&w, raw, n, &p);
        g_object_unref(w.to);
        if (!w.found)
                return err_set(err, ERR_NOTFOUND, "the mail has no part %.40s", part);
        return 0;
}
