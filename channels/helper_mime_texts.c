/*
 * Text parts -> the text of the mail: charset, HTML, flowed lines, armour of PGP, files
 * within. See helper_mime_walk.h.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_html.h"
#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_text.h"
#include "channels/helper_mime_walk.h"
#include "daemon/base/arena.h"
#include "daemon/base/utf8.h"

#define MAX_EXCUSE 400 /* bytes of a text that only says that there is HTML */

enum text_kind
text_kind_of(const struct mime_part *p)
{
        /* texts that are files, not words to a person */
        static const char *const files[] = {"calendar", "vcard", "x-vcard", "directory",
            "csv", "tab-separated-values", "css", "javascript", "ecmascript", "xml",
            "rtf", "x-diff", "x-patch", "x-python", "x-sh", "x-csrc", "x-chdr", "x-c",
            "x-log", "x-java", "x-perl", "x-tex", "sgml", "x-vcalendar", "rfc822-headers",
            "rfc822", "uri-list", "x-amp-html", "watch-html", "vnd.wap.wml",
            "x-moz-deleted", "x-ms-odc", "x-sql", "json", "yaml"};

        if (!mime_part_is(p, "text/"))
                return TEXT_NONE;
        if (mime_part_is(p, "text/html") || mime_part_is(p, "text/xhtml"))
                return TEXT_HTML;
        if (mime_part_is(p, "text/enriched") || mime_part_is(p, "text/richtext"))
                return TEXT_ENRICHED;
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                if (strcmp(p->type + 5, files[i]) == 0)
                        return TEXT_NONE;
        return TEXT_PLAIN;
}

/* ---- what a text says ---- */

bool
text_is_blank(const struct buf *b)
{
        const char *s = buf_str(b);
        size_t used;

        for (size_t i = 0; i < b->len; i += used) {
                uint32_t cp = utf8_next(s + i, b->len - i, &used);

                if (cp > 32 && cp != 0xa0 && cp != 0xfeff && cp != 0x34f && cp != 0xad &&
                    (cp < 0x2000 || cp > 0x200f) && cp != 0x2060 && cp != 0x3000)
                        return false;
        }
        return true;
}

/* Nothing but signs, or "your program cannot show HTML". */
bool
text_is_excuse(const struct buf *b)
{
        const char *s = buf_str(b);
        bool says = false;

        if (b->len > MAX_EXCUSE)
                return false;
        for (size_t i = 0; i < b->len && !says; i++)
                says = ((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z') ||
                       (s[i] >= '0' && s[i] <= '9') || (unsigned char)s[i] >= 0xc3;
        return !says || strcasestr(s, "html") != NULL;
}

/* Hash of its letters and digits: the same words in another form have the same one. */
static uint64_t
words_hash(const struct buf *b)
{
        uint64_t h = 14695981039346656037u;
        const char *s = buf_str(b);

        for (size_t i = 0; i < b->len && i < 65536; i++) {
                unsigned char c = (unsigned char)s[i];

                if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                    (c >= 'a' && c <= 'z') || c >= 0xc3)
                        h = (h ^ c) * 1099511628211u;
        }
        return h;
}

static void
trim_end(struct buf *b)
{
        while (b->len > 0 && strchr(" \t\n", b->data[b->len - 1]) != NULL)
                b->data[--b->len] = '\0';
}

/* ---- joining ---- */

static void
marks_join(struct text_marks *to, struct text_marks *from, size_t at, size_t end)
{
        if (from->n > 0)
                to->list = xrealloc(to->list, (to->n + from->n) * sizeof(*to->list));
        for (size_t i = 0; i < from->n; i++) {
                struct text_mark k = from->list[i];

                k.from = k.from < end - at ? k.from + at : end;
                k.to = k.to < end - at ? k.to + at : end;
                if (k.from < k.to)
                        to->list[to->n++] = k;
        }
        text_marks_free(from);
}

void
text_join(struct walk *w, const char *s, size_t n, struct text_marks *marks)
{
        size_t at;

        if (n == 0) {
                text_marks_free(marks);
                return;
        }
        if (w->text.len > 0)
                buf_adds(&w->text, "\n\n");
        at = w->text.len;
        buf_add(&w->text, s, n);
        marks_join(&w->marks, marks, at, w->text.len);
}

/* ---- armour of PGP ---- */

/* The line at s starts with word. */
static bool
line_is(const char *s, const char *word)
{
        return strncmp(s, word, strlen(word)) == 0;
}

static const char *
line_after(const char *s)
{
        const char *lf = strchr(s, '\n');

        return lf != NULL ? lf + 1 : s + strlen(s);
}

/* Takes the armour of signed text away, in place; the words stay. */
static bool
pgp_unsign(struct buf *b)
{
        char *at = strstr(b->data, "-----BEGIN PGP SIGNED MESSAGE-----");
        char *to = at;
        const char *s;
        bool inside = true;

        if (at == NULL || (at > b->data && at[-1] != '\n'))
                return false;
        s = line_after(at);
        while (
            line_is(s, "Hash:") || line_is(s, "Charset:") || line_is(s, "NotDashEscaped"))
                s = line_after(s);
        s += *s == '\n';
        while (*s != '\0') {
                const char *next = line_after(s);

                if (line_is(s, "-----BEGIN PGP SIGNATURE-----"))
                        inside = false;
                if (inside) {
                        s += line_is(s, "- ") ? 2 : 0;
                        memmove(to, s, (size_t)(next - s));
                        to += next - s;
                } else if (line_is(s, "-----END PGP SIGNATURE-----")) {
                        inside = true;
                }
                s = next;
        }
        *to = '\0';
        b->len = (size_t)(to - b->data);
        return true;
}

static void
notice_text(struct walk *w, struct buf *text, const char *path)
{
        if (text->len == 0 || w->inner)
                return;
        if (strstr(text->data, "-----BEGIN PGP ") != NULL) {
                if (pgp_unsign(text))
                        message_notice(w->m, "pgp", path,
                            "the text is signed with PGP; the signature was not checked, "
                            "the mail is kept as it came");
                else if (strstr(text->data, "-----BEGIN PGP MESSAGE-----") != NULL)
                        message_notice(w->m, "pgp", path,
                            "the text is encrypted with PGP; the mail is kept as it "
                            "came");
        }
        if (strstr(text->data, "\n=ybegin line=") != NULL)
                message_notice(w->m, "structure", path,
                    "the text holds a file encoded by yEnc, which was not decoded");
        if (strstr(text->data, "(This file must be converted with BinHex") != NULL)
                message_notice(w->m, "structure", path,
                    "the text holds a file encoded by BinHex, which was not decoded");
}

/* ---- files in the text ---- */

/* Lists the uuencoded files of a text; gives the text without them (in hold) or as it
 * was. */
static struct slice
without_files(struct walk *w, struct slice s, const char *path, struct buf *hold)
{
        struct uu_file u;
        struct slice none = {"", 0};
        size_t at = 0;
        unsigned n = 0;

        while (n < MAX_INSIDE && mime_uu_next(s.s, s.n, at, &u)) {
                struct source src = {.s = s.s, .n = s.n, .uu = &u};
                const char *inside = arena_printf(w->scratch, "%s.%u", path, ++n);
                const char *name = clean_name(w->scratch, u.name, u.name_len);

                if (walk_wants(w, inside))
                        leaf_attach_inside(w, &src, inside, name, "", none);
                if (!w->inner && w->wanted == NULL)
                        message_find(w->m, "structure", "uuencode",
                            "part %s: file %u in its text, %s", path, n,
                            u.closed ? "with its end" : "its end is missing");
                buf_add(hold, s.s + at, u.at - at);
                at = u.end;
        }
        if (n == 0)
                return s;
        if (!w->inner && w->wanted == NULL)
                message_notice(w->m, "uuencode", path,
                    "%u file%s stood in the text by uuencode; %s listed as attachment%s",
                    n, n == 1 ? "" : "s", n == 1 ? "it is" : "they are",
                    n == 1 ? "" : "s");
        buf_add(hold, s.s + at, s.n - at);
        return (struct slice){buf_str(hold), hold->len};
}

/* ---- one text ---- */

static void
find_charset(struct walk *w, const struct charset_verdict *v, const char *path)
{
        if (w->inner || charset_verdict_is_ordinary(v))
                return;
        message_find(w->m, "charset", v->charset, "part %s declares %s: %s", path,
            v->declared[0] != '\0' ? v->declared : "nothing", v->why);
}

/* Decoded bytes -> text. */
static void
text_make(struct walk *w, struct slice s, enum text_kind kind, const char *charset,
    const char *path, struct buf *out, struct text_marks *marks)
{
        struct buf html AUTO_BUF = BUF_INIT;
        struct charset_verdict v = {.why = ""};
        char meta[40] = "";

        if (kind == TEXT_PLAIN) {
                w->cut |= mime_text_decode_as(out, s.s, s.n, charset, MIME_MAX_TEXT, &v);
        } else {
                if (charset[0] == '\0' && kind == TEXT_HTML)
                        mime_html_charset(s.s, s.n, meta);
                w->cut |= mime_text_decode_as(&html, s.s, s.n,
                    charset[0] != '\0' ? charset : meta, MAX_RAW_TEXT, &v);
        }
        find_charset(w, &v, path);
        if (kind == TEXT_HTML)
                w->cut |= mime_html_text_marked(
                    out, buf_str(&html), html.len, MIME_MAX_TEXT, marks);
        if (kind == TEXT_ENRICHED)
                mime_enriched_text(out, buf_str(&html), html.len);
}

static void
text_take(struct walk *w, struct buf *text, struct text_marks *marks, enum text_kind kind)
{
        uint64_t words;

        trim_end(text);
        if (text_is_blank(text)) {
                text_marks_free(marks);
                return;
        }
        words = w->alone ? 0 : words_hash(text);
        if (words != 0 && words == w->last_words && w->last_html != (kind == TEXT_HTML)) {
                text_marks_free(marks); /* the same once more, as if in an alternative */
                return;
        }
        w->last_words = words;
        w->last_html = kind == TEXT_HTML;
        w->html = w->html || kind == TEXT_HTML;
        text_join(w, buf_str(text), text->len, marks);
}

static bool
text_wanted(struct walk *w, const struct slice *s, enum text_kind kind)
{
        if (kind == TEXT_HTML && !w->inner)
                leaf_refs(w, s->s, s->n < MAX_RAW_TEXT ? s->n : MAX_RAW_TEXT);
        if (w->skip_html && kind != TEXT_PLAIN)
                return false;
        if (w->made > MAX_ALL_TEXT || w->text.len >= w->max_text) {
                w->cut = w->cut || s->n > 0;
                return false;
        }
        return true;
}

/* A relay may rewrite line ends: they are left out of a text's digest. */
void
text_digest_add(struct sha256 *sha, const char *s, size_t n)
{
        char block[4096];
        size_t len = 0;

        while (n > 0) {
                const char *cr = memchr(s, '\r', n);
                size_t run = cr != NULL ? (size_t)(cr - s) : n;

                if (len + run > sizeof(block)) {
                        sha256_add(sha, block, len);
                        len = 0;
                }
                if (run > sizeof(block)) {
                        sha256_add(sha, s, run);
                } else {
                        memcpy(block + len, s, run);
                        len += run;
                }
                s += run + (cr != NULL);
                n -= run + (cr != NULL);
        }
        sha256_add(sha, block, len);
}

static bool
digest_chunk(void *arg, const char *s, size_t n)
{
        text_digest_add(arg, s, n);
        return true;
}

static void
text_digest(struct walk *w, const struct mime_part *p, const struct slice *s, bool cut)
{
        struct source src = leaf_source(p);
        char sha[65];

        if (cut) /* all of it, not only what is kept */
                source_write(&src, digest_chunk, w->sha);
        else
                digest_chunk(w->sha, s->s, s->n);
        sha256_restart(w->sha, sha);
        sha256_add(w->digest, "\ntext ", 6);
        sha256_add(w->digest, sha, 64);
}

static void
text_flow(const struct mime_part *p, struct buf *text)
{
        char word[16];

        if (!mime_field_param(&p->type_field, "format", word, sizeof(word)) ||
            strcasecmp(word, "flowed") != 0)
                return;
        mime_field_param(&p->type_field, "delsp", word, sizeof(word));
        mime_text_unflow(text, strcasecmp(word, "yes") == 0);
}

void
text_add(struct walk *w, const struct mime_part *p)
{
        struct buf hold AUTO_BUF = BUF_INIT;
        struct buf rest AUTO_BUF = BUF_INIT;
        struct buf text AUTO_BUF = BUF_INIT;
        struct text_marks marks = {NULL, 0};
        enum text_kind kind = text_kind_of(p);
        char charset[60];
        struct slice s;
        bool cut;

        /* what is not encoded is not copied: a file by uuencode may be long */
        cut = leaf_bytes(p, &hold, hold.len + MAX_RAW_TEXT, &s);
        if (cut && hold.len == 0)
                s = (struct slice){p->body, p->body_len};
        if (!w->inner && w->wanted == NULL)
                text_digest(w, p, &s, cut && hold.len > 0);
        if (kind == TEXT_PLAIN)
                s = without_files(w, s, p->path, &rest);
        if (w->wanted != NULL || !text_wanted(w, &s, kind))
                return;
        w->alone = p->parent == NULL;
        w->cut |= s.n > MAX_RAW_TEXT || (cut && hold.len > 0);
        s.n = s.n < MAX_RAW_TEXT ? s.n : MAX_RAW_TEXT;
        mime_field_param(&p->type_field, "charset", charset, sizeof(charset));
        text_make(w, s, kind, charset, p->path, &text, &marks);
        if (kind == TEXT_PLAIN) {
                text_flow(p, &text);
                notice_text(w, &text, p->path);
        }
        w->made += text.len + s.n / 4;
        text_take(w, &text, &marks, kind);
}

void
text_add_inside(struct walk *w, const struct slice *s, enum text_kind kind,
    const char *charset, const char *path)
{
        struct buf text AUTO_BUF = BUF_INIT;
        struct text_marks marks = {NULL, 0};
        struct slice some = {s->s, s->n < MAX_RAW_TEXT ? s->n : MAX_RAW_TEXT};

        if (w->wanted != NULL || !text_wanted(w, &some, kind))
                return;
        text_make(w, some, kind, charset, path, &text, &marks);
        w->made += text.len + some.n / 4;
        text_take(w, &text, &marks, kind);
}
