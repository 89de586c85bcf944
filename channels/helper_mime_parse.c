/*
 * A raw mail -> struct message: the whole of it, in the order of its steps; see
 * helper_mime_parse.h. The parts are read by helper_mime_{tree,walk,leaf,texts}.c.
 *
 * Part numbers are IMAP's: "1" is a mail without parts, "2.1" the first part of the
 * second one.
 */
#include "channels/helper_mime_parse.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_html.h"
#include "channels/helper_mime_language.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_text.h"
#include "channels/helper_mime_tnef.h"
#include "channels/helper_mime_walk.h"
#include "daemon/base/utf8.h"

static const struct bounce_set *bounces; /* the words of mail systems; NULL: none */

void
mime_parse_init(void)
{
        mime_text_preload();
        mime_language_preload();
}

void
mime_parse_set_bounces(const struct bounce_set *set)
{
        bounces = set;
}

static void
fix_line_ends(char *raw, size_t n)
{
        if (!mime_prescan_cr_only(raw, n))
                return;
        for (size_t i = 0; i < n; i++)
                if (raw[i] == '\r')
                        raw[i] = '\n';
}

/* ---- what is no mail ---- */

/* A file that was given instead of a mail: its type by its first bytes; NULL: none. */
static const char *
file_type(const char *s, size_t n)
{
        size_t n_zero = 0;

        if (n >= 8 && memcmp(s, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0)
                return "application/vnd.ms-outlook";
        if (mime_is_tnef(s, n))
                return "application/ms-tnef";
        if (n >= 5 && memcmp(s, "%PDF-", 5) == 0)
                return "application/pdf";
        if (n >= 4 && memcmp(s, "PK\3\4", 4) == 0)
                return "application/zip";
        for (size_t i = 0; i < n && i < 512; i++)
                n_zero += s[i] == '\0';
        return n_zero > 8 && (n < 2 || n_zero * 3 < (n < 512 ? n : 512))
                   ? "application/octet-stream"
                   : NULL;
}

/* ---- the parts ---- */

static struct mime_part *
raw_tree(struct arena *a, const char *raw, size_t n, const struct prescan *p)
{
        if (!p->has_header)
                return mime_tree(a, raw, 0, raw, n, "", "1");
        return mime_tree(a, raw + p->header_at, p->header_len, raw + p->body_at,
            n - p->body_at, "", "1");
}

static void
walk_raw(struct walk *w, const char *raw, size_t n, const struct prescan *p)
{
        const char *type = p->has_header ? NULL : file_type(raw, n);
        struct mime_part *root = raw_tree(w->scratch, raw, n, p);

        if (type != NULL)
                root->type = type;
        walk_root(w, root);
}

static void
walk_begin(struct walk *w)
{
        w->scratch = arena_new();
        w->sha = sha256_new();
        w->max_text = MIME_MAX_TEXT;
}

static void
walk_end(struct walk *w)
{
        char hex[65];

        sha256_end(&w->sha, hex);
        arena_free(&w->scratch);
        buf_fini(&w->text);
        text_marks_free(&w->marks);
        report_pieces_free(&w->pieces);
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

        text_digest_add(sha, s, n);
        sha256_end(&sha, hex);
        sha256_add(digest, "\nraw ", 5);
        sha256_add(digest, hex, 64);
}

/* What a relay must not change: everything about the mail but its trace. Without a
 * Message-ID the subject and the recipients count, too: two alerts of one second differ in
 * nothing else. A mail with neither Message-ID nor Date has nothing else that tells it from the next of the
 * same words ("backup failed", every night): of those only a copy with the same
 * trace is the same. */
static struct sha256 *
digest_begin(const struct message *m, const char *raw, const struct prescan *p)
{
        struct sha256 *digest = sha256_new();
        const char *date = message_header(m, "Date");
        const char *from = message_header(m, "From");
        const char *to = message_header(m, "To");

        digest_field(digest, "account", m->account);
        digest_field(digest, "id", m->message_id);
        digest_field(digest, "date", date != NULL ? date : "");
        digest_field(digest, "from", from != NULL ? from : "");
        if (*m->message_id == '\0') {
                digest_field(digest, "subject", m->subject);
                digest_field(digest, "to", to != NULL ? to : "");
                digest_field(digest, "reply-to", m->reply_to.address);
        }
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
message_begin(const char *raw, size_t n, const struct prescan *p, const char *account)
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

/* The text is whole now: what does it report, forward, quote, and in which language? */
static void
message_finish(struct walk *w)
{
        struct message *m = w->m;
        size_t len = utf8_cut(buf_str(&w->text), w->text.len, MIME_MAX_TEXT);

        m->from_html = w->html;
        m->truncated = w->cut || len < w->text.len;
        m->text = arena_strndup(m->arena, buf_str(&w->text), len);
        w->pieces.text = w->text;
        w->text = (struct buf)BUF_INIT;
        leaf_mark_inline(w);
        mime_report(m, &w->pieces, bounces);
        forward_read(w);
        mime_trim(m, &w->marks);
        forward_weigh(m);
        mime_language(m);
}

int
mime_parse(
    char *raw, size_t n, const char *account, struct message **out, struct err *err)
{
        struct walk w = {0};
        struct prescan p;

        fix_line_ends(raw, n);
        if (mime_prescan(raw, n, &p, err) == -1)
                return -1;
        walk_begin(&w);
        w.m = message_begin(raw, n, &p, account);
        w.digest = digest_begin(w.m, raw, &p);
        walk_raw(&w, raw, n, &p);
        digest_finish(w.m, &w.digest);
        message_finish(&w);
        walk_end(&w);
        *out = w.m;
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
        walk_begin(&w);
        m = w.m = message_begin(raw, n, &p, account);
        m->header_only = true;
        digest = digest_begin(m, raw, &p);
        digest_raw(digest, raw + p.body_at, n - p.body_at);
        digest_finish(m, &digest);
        if (!p.has_header)
                w.cut = mime_text_decode(&w.text, raw, n, "", 4096);
        message_finish(&w);
        walk_end(&w);
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
        struct walk w = {.wanted = part, .to = window_chunk, .to_arg = &v};
        struct prescan p;

        assert(part != NULL);
        fix_line_ends(raw, n);
        if (mime_prescan(raw, n, &p, err) == -1)
                return -1;
        walk_begin(&w);
        w.m = message_new();
        walk_raw(&w, raw, n, &p);
        walk_end(&w);
        message_free(&w.m);
        if (!w.found)
                return err_set(err, ERR_NOTFOUND, "the mail has no part %.40s", part);
        return 0;
}

static bool
is_own_html(const struct mime_part *p)
{
        return p->child == NULL && text_kind_of(p) == TEXT_HTML &&
               !mime_part_disposed(p, "attachment");
}

int
mime_parse_html(char *raw, size_t n, struct buf *out, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf hold AUTO_BUF = BUF_INIT;
        const struct mime_part *part;
        struct prescan p;
        struct slice s;
        char charset[60];

        fix_line_ends(raw, n);
        if (mime_prescan(raw, n, &p, err) == -1)
                return -1;
        part = raw_tree(a, raw, n, &p);
        while (part != NULL && !is_own_html(part))
                part = mime_tree_next(part);
        if (part == NULL)
                return err_set(err, ERR_NOTFOUND, "the mail has no HTML of its own");
        leaf_bytes(part, &hold, MAX_RAW_TEXT, &s);
        if (!mime_field_param(&part->type_field, "charset", charset, sizeof(charset)))
                mime_html_charset(s.s, s.n, charset);
        mime_text_decode(out, s.s, s.n, charset, MIME_MAX_CUT);
        return 0;
}
