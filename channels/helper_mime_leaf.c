/*
 * Parts without parts: attachments, their names, digests, which of them are pictures of
 * the text, and the pieces of reports. See helper_mime_walk.h.
 *
 * Every part is decoded once, in blocks, and never held as a whole.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_walk.h"
#include "daemon/base/utf8.h"

#define MAX_NAME 255 /* bytes of a file name */
#define MAX_RAW_NAME 4096

bool
source_write(const struct source *src, code_fn fn, void *arg)
{
        return src->uu != NULL ? mime_uu_decode(src->s, src->uu, fn, arg)
                               : mime_decode(src->coding, src->s, src->n, fn, arg);
}

struct source
leaf_source(const struct mime_part *p)
{
        bool is_text = mime_part_is(p, "text/");

        return (struct source){.coding = mime_coding_truth(
                                   p->coding, p->coded, is_text, p->body, p->body_len),
            .s = p->body,
            .n = p->body_len};
}

/* ---- bytes ---- */

struct keep {
        struct buf *to;
        size_t max;
        bool cut;
};

static bool
keep_chunk(void *arg, const char *s, size_t n)
{
        struct keep *k = arg;
        size_t room = k->max - k->to->len;

        buf_add(k->to, s, n < room ? n : room);
        k->cut = n > room;
        return !k->cut;
}

bool
leaf_bytes(const struct mime_part *p, struct buf *hold, size_t max, struct slice *out)
{
        struct source src = leaf_source(p);
        struct keep k = {hold, max, false};

        if (src.coding == CODING_BASE64 || src.coding == CODING_QUOTED ||
            src.coding == CODING_UU) {
                source_write(&src, keep_chunk, &k);
                *out = (struct slice){buf_str(hold), hold->len};
                return k.cut;
        }
        *out = (struct slice){src.s, src.n < max ? src.n : max};
        return src.n > max;
}

/* ---- names ---- */

const char *
clean_name(struct arena *a, const char *raw, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        const char *s;

        mime_header_decode(&b, raw, n < MAX_RAW_NAME ? n : MAX_RAW_NAME);
        for (s = buf_str(&b); strpbrk(s, "/\\") != NULL; s = strpbrk(s, "/\\") + 1)
                ;
        for (size_t left = strlen(s), used; left > 0; s += used, left -= used) {
                uint32_t cp = utf8_next(s, left, &used);

                if ((cp < 0x202a || cp > 0x202e) && (cp < 0x2066 || cp > 0x2069) &&
                    cp >= 32 && cp != 127)
                        buf_add(&out, s, used);
        }
        while (out.len > 0 && out.data[out.len - 1] == ' ')
                out.data[--out.len] = '\0';
        s = buf_str(&out);
        s += strspn(s, " ");
        if (strspn(s, ". ") == strlen(s))
                return "";
        return arena_strndup(a, s, utf8_cut(s, strlen(s), MAX_NAME));
}

/* Does it end like the name of a file: a dot and a few letters? */
static bool
has_extension(const char *s)
{
        const char *dot = strrchr(s, '.');
        size_t n = dot != NULL ? strlen(dot + 1) : 0;

        return n > 0 && n <= 5 && dot > s &&
               strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == n;
}

/* "http://x.example/a/b.png?c" -> "b.png" */
static const char *
location_name(struct arena *a, const struct mime_field *f)
{
        size_t n = 0;
        const char *name;

        while (n < f->n && f->s[n] != '?' && f->s[n] != '#')
                n++;
        name = clean_name(a, f->s, n);
        return has_extension(name) ? name : "";
}

/* A mail without a name is named by its subject. */
static const char *
mail_name(struct arena *a, const struct mime_part *p)
{
        struct buf hold AUTO_BUF = BUF_INIT;
        struct slice s;
        struct raw_header h;
        const char *name = "";
        size_t pos = 0;

        leaf_bytes(p, &hold, 16384, &s);
        while (mime_prescan_next(s.s, s.n, &pos, &h)) {
                if (h.name_len == 7 && strncasecmp(h.name, "subject", 7) == 0) {
                        name = clean_name(a, h.value, h.value_len);
                        break;
                }
                if (pos < s.n && (s.s[pos] == '\n' || s.s[pos] == '\r'))
                        break;
        }
        if (name[0] == '\0')
                return "";
        return arena_printf(
            a, "%.*s.eml", (int)utf8_cut(name, strlen(name), MAX_NAME - 4), name);
}

/* A file name out of a raw value. */
static const char *
named_by(struct arena *a, const struct mime_field *f, const char *parameter)
{
        const char *name =
            f->n > 0 ? mime_header_parameter(a, f->s, f->n, parameter, "") : "";

        return name[0] != '\0' ? clean_name(a, name, strlen(name)) : "";
}

const char *
leaf_name(struct arena *a, const struct mime_part *p)
{
        const char *name = named_by(a, &p->disposition, "filename");

        if (name[0] == '\0')
                name = named_by(a, &p->type_field, "name");
        if (name[0] == '\0')
                name = named_by(a, &p->disposition, "name");
        if (name[0] == '\0')
                name = named_by(a, &p->type_field, "filename");
        if (name[0] == '\0')
                name = named_by(a, &p->type_field, "file");
        if (name[0] == '\0' && p->description.n > 0) {
                name = clean_name(a, p->description.s, p->description.n);
                name = has_extension(name) ? name : "";
        }
        if (name[0] == '\0' && p->location.n > 0)
                name = location_name(a, &p->location);
        if (name[0] == '\0' &&
            (mime_part_is(p, "message/rfc822") || mime_part_is(p, "message/global")))
                name = mail_name(a, p);
        return name;
}

/* ---- pictures of the text ---- */

static int
hex_digit(char c)
{
        return c >= '0' && c <= '9'                 ? c - '0'
               : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                    : -1;
}

/* FNV-1a; "%40" is '@', as addresses in HTML have it. */
static uint64_t
hash_address(const char *s, size_t n)
{
        uint64_t h = 14695981039346656037u;

        for (size_t i = 0; i < n; i++) {
                int c = (unsigned char)s[i];

                if (c == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 &&
                    hex_digit(s[i + 2]) >= 0) {
                        c = hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]);
                        i += 2;
                }
                h = (h ^ (unsigned)c) * 1099511628211u;
        }
        return h != 0 ? h : 1;
}

static void
ref_add(struct walk *w, const char *s, size_t n)
{
        uint64_t h = hash_address(s, n);

        if (n == 0 || w->n_refs == MAX_REFS)
                return;
        for (unsigned i = w->n_refs; i > 0 && i + 8 > w->n_refs; i--)
                if (w->refs[i - 1] == h)
                        return;
        w->refs = arena_grow(w->scratch, w->refs, w->n_refs, sizeof(*w->refs));
        w->refs[w->n_refs++] = h;
}

/* The address at s: up to a quote, a blank, a bracket. */
static size_t
address_length(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && i < 1000 && s[i] > 32 && strchr("\"'<>)", s[i]) == NULL)
                i++;
        return i;
}

/* src="cid:a@b" and src="picture.png". */
void
leaf_refs(struct walk *w, const char *html, size_t n)
{
        size_t at = 0;
        const char *hit;

        w->has_html = true;
        while (at < n && (hit = memchr(html + at, ':', n - at)) != NULL) {
                at = (size_t)(hit - html) + 1;
                if (at > 3 && strncasecmp(hit - 3, "cid", 3) == 0)
                        ref_add(w, hit + 1, address_length(hit + 1, n - at));
        }
        at = 0;
        while (at < n && (hit = memchr(html + at, '=', n - at)) != NULL) {
                size_t skip;

                at = (size_t)(hit - html) + 1;
                if (at <= 4 || strncasecmp(hit - 3, "src", 3) != 0)
                        continue;
                skip = at < n && (html[at] == '"' || html[at] == '\'');
                ref_add(
                    w, html + at + skip, address_length(html + at + skip, n - at - skip));
        }
}

static bool
is_shown(const struct walk *w, uint64_t h)
{
        for (unsigned i = 0; h != 0 && i < w->n_refs; i++)
                if (w->refs[i] == h)
                        return true;
        return false;
}

void
leaf_mark_inline(struct walk *w)
{
        for (size_t i = 0; i < w->m->n_attachments; i++) {
                const struct picture *pic = &w->pictures[i];

                w->m->attachments[i].is_inline =
                    is_shown(w, pic->id) || is_shown(w, pic->location) ||
                    (pic->id != 0 && pic->related && w->n_refs == MAX_REFS);
        }
}

static uint64_t
field_hash(const struct mime_field *f)
{
        struct slice s = {f->s, f->n};

        while (s.n > 0 && strchr(" \t\r\n<\"", s.s[0]) != NULL && s.s[0] != '\0')
                s.s++, s.n--;
        while (s.n > 0 && strchr(" \t\r\n>\"", s.s[s.n - 1]) != NULL)
                s.n--;
        return s.n > 0 ? hash_address(s.s, s.n) : 0;
}

/* ---- the list ---- */

/* Is it the part to cut out, or does it hold that one? */
bool
walk_wants(const struct walk *w, const char *path)
{
        size_t n = strlen(path);

        return w->wanted == NULL ||
               (strncmp(w->wanted, path, n) == 0 &&
                   (n == 0 || w->wanted[n] == '\0' || w->wanted[n] == '.'));
}

struct leaf {
        struct sha256 *sha;
        int64_t size;
        struct buf *piece; /* of a report: its first bytes; else NULL */
};

static bool
leaf_chunk(void *arg, const char *s, size_t n)
{
        struct leaf *l = arg;
        size_t room;

        l->size += (int64_t)n;
        sha256_add(l->sha, s, n);
        if (l->piece != NULL && l->piece->len < REPORT_MAX_PIECE) {
                room = REPORT_MAX_PIECE - l->piece->len;
                buf_add(l->piece, s, n < room ? n : room);
        }
        return true;
}

/* Lists it, or gives its bytes when it is the wanted one. */
static struct attachment *
list_add(struct walk *w, const struct source *src, const char *path, struct buf *piece,
    const struct picture *pic)
{
        struct message *m = w->m;
        struct leaf l = {.sha = w->sha, .piece = piece};
        struct attachment *to;
        char sha[65];

        if (w->wanted != NULL) {
                if (strcmp(w->wanted, path) == 0 && !w->found) {
                        w->found = true;
                        source_write(src, w->to, w->to_arg);
                }
                return NULL;
        }
        source_write(src, leaf_chunk, &l);
        sha256_restart(w->sha, sha);
        sha256_add(w->digest, "\nattachment ", 12);
        sha256_add(w->digest, sha, 64);
        if (m->n_attachments >= MIME_MAX_ATTACHMENTS) {
                w->cut = true;
                return NULL;
        }
        w->pictures =
            arena_grow(w->scratch, w->pictures, m->n_attachments, sizeof(*w->pictures));
        w->pictures[m->n_attachments] = *pic;
        m->attachments =
            arena_grow(m->arena, m->attachments, m->n_attachments, sizeof(*to));
        to = &m->attachments[m->n_attachments++];
        *to = (struct attachment){.part = arena_strdup(m->arena, path),
            .name = "",
            .type = "application/octet-stream",
            .size = l.size,
            .sha256 = arena_strdup(m->arena, sha)};
        return to;
}

static void
attach(
    struct walk *w, const struct mime_part *p, const struct place *at, struct buf *piece)
{
        struct source src = leaf_source(p);
        struct picture pic = {.id = field_hash(&p->id),
            .location = field_hash(&p->location),
            .related = at->related};
        struct attachment *to;

        if (w->inner)
                return;
        to = list_add(w, &src, p->path, piece, &pic);
        if (to == NULL)
                return;
        to->name = leaf_name(w->m->arena, p);
        to->type = arena_strdup(w->m->arena, p->type);
}

void
leaf_attach(struct walk *w, const struct mime_part *p, const struct place *at)
{
        attach(w, p, at, NULL);
}

/* What a file is by its suffix, where nothing else tells it. */
const char *
leaf_type_by_name(const char *name)
{
        static const char *const types[][2] = {{"pdf", "application/pdf"},
            {"doc", "application/msword"}, {"xls", "application/vnd.ms-excel"},
            {"ppt", "application/vnd.ms-powerpoint"},
            {"docx", "application/"
                     "vnd.openxmlformats-officedocument.wordprocessingml.document"},
            {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
            {"pptx", "application/"
                     "vnd.openxmlformats-officedocument.presentationml.presentation"},
            {"odt", "application/vnd.oasis.opendocument.text"},
            {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
            {"rtf", "application/rtf"}, {"zip", "application/zip"},
            {"7z", "application/x-7z-compressed"}, {"rar", "application/vnd.rar"},
            {"gz", "application/gzip"}, {"tar", "application/x-tar"},
            {"xml", "application/xml"}, {"json", "application/json"},
            {"p7s", "application/pkcs7-signature"}, {"msg", "application/vnd.ms-outlook"},
            {"txt", "text/plain"}, {"log", "text/plain"}, {"csv", "text/csv"},
            {"htm", "text/html"}, {"html", "text/html"}, {"ics", "text/calendar"},
            {"vcf", "text/vcard"}, {"eml", "message/rfc822"}, {"jpg", "image/jpeg"},
            {"jpeg", "image/jpeg"}, {"png", "image/png"}, {"gif", "image/gif"},
            {"bmp", "image/bmp"}, {"tif", "image/tiff"}, {"tiff", "image/tiff"},
            {"webp", "image/webp"}, {"svg", "image/svg+xml"}, {"heic", "image/heic"},
            {"mp3", "audio/mpeg"}, {"wav", "audio/wav"}, {"ogg", "audio/ogg"},
            {"mp4", "video/mp4"}, {"mov", "video/quicktime"}, {"avi", "video/x-msvideo"}};
        const char *dot = strrchr(name, '.');

        for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
                if (strcasecmp(dot + 1, types[i][0]) == 0)
                        return types[i][1];
        return "application/octet-stream";
}

bool
leaf_attach_inside(struct walk *w, const struct source *src, const char *path,
    const char *name, const char *type, struct slice content_id)
{
        struct mime_field id = {content_id.s, content_id.n};
        struct picture pic = {.id = field_hash(&id)};
        struct attachment *to;

        if (w->inner || w->found)
                return false;
        to = list_add(w, src, path, NULL, &pic);
        if (to != NULL) {
                to->name = clean_name(w->m->arena, name, strlen(name));
                to->type = type[0] != '\0' ? arena_strdup(w->m->arena, type)
                                           : leaf_type_by_name(to->name);
        }
        return true;
}

/* ---- pieces of reports ---- */

static const struct {
        const char *type;
        size_t piece;
} report_types[] = {
    {"message/delivery-status", offsetof(struct report_pieces, status)},
    {"message/global-delivery-status", offsetof(struct report_pieces, status)},
    {"message/disposition-notification", offsetof(struct report_pieces, disposition)},
    {"message/global-disposition-notification",
        offsetof(struct report_pieces, disposition)},
    {"message/feedback-report", offsetof(struct report_pieces, feedback)},
    {"message/rfc822", offsetof(struct report_pieces, returned)},
    {"message/global", offsetof(struct report_pieces, returned)},
    {"message/rfc822-headers", offsetof(struct report_pieces, returned)},
    {"message/global-headers", offsetof(struct report_pieces, returned)},
    {"text/rfc822-headers", offsetof(struct report_pieces, returned)},
    {"text/rfc822", offsetof(struct report_pieces, returned)},
};

/* How they begin when their label is wrong. */
static const struct {
        const char *word;
        size_t piece;
} report_words[] = {
    {"Reporting-MTA:", offsetof(struct report_pieces, status)},
    {"Original-Envelope-Id:", offsetof(struct report_pieces, status)},
    {"Final-Recipient:", offsetof(struct report_pieces, status)},
    {"Original-Recipient:", offsetof(struct report_pieces, status)},
    {"Reporting-UA:", offsetof(struct report_pieces, disposition)},
    {"Feedback-Type:", offsetof(struct report_pieces, feedback)},
    {"Return-Path:", offsetof(struct report_pieces, returned)},
    {"Received:", offsetof(struct report_pieces, returned)},
};

static struct buf *
piece_of_words(struct walk *w, const struct mime_part *p)
{
        struct buf hold AUTO_BUF = BUF_INIT;
        struct slice s;

        leaf_bytes(p, &hold, 200, &s);
        while (s.n > 0 && strchr(" \t\r\n", s.s[0]) != NULL && s.s[0] != '\0')
                s.s++, s.n--;
        for (size_t i = 0; i < sizeof(report_words) / sizeof(report_words[0]); i++) {
                size_t len = strlen(report_words[i].word);

                if (s.n > len && strncasecmp(s.s, report_words[i].word, len) == 0)
                        return (struct buf *)(void *)((char *)&w->pieces +
                                                      report_words[i].piece);
        }
        return NULL;
}

static struct buf *
piece_of(struct walk *w, const struct mime_part *p, const struct place *at)
{
        for (size_t i = 0; i < sizeof(report_types) / sizeof(report_types[0]); i++)
                if (strcmp(report_types[i].type, p->type) == 0)
                        return (struct buf *)(void *)((char *)&w->pieces +
                                                      report_types[i].piece);
        if (p->parent != NULL && !at->first && !at->alternative &&
            (mime_part_is(p, "text/plain") || mime_part_is(p, "message/") ||
                mime_part_is(p, "application/octet-stream")))
                return piece_of_words(w, p);
        return NULL;
}

bool
leaf_report(struct walk *w, const struct mime_part *p, const struct place *at)
{
        struct buf *piece = w->inner ? NULL : piece_of(w, p, at);

        if (piece == NULL)
                return false;
        if (piece->len > 0)
                buf_adds(piece, "\n\n");
        attach(w, p, at, piece);
        return true;
}
