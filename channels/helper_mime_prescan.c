/*
 * The look before the leap; see helper_mime_prescan.h.
 *
 * The body is read by a machine of two states: inside the header of a part
 * (after a boundary line, or after the header of a message/... part) and
 * outside. It over-counts rather than under-counts: boundaries are not closed,
 * and a boundary declared in a way that only a full parser understands makes
 * every line with "--" one.
 */
#include "channels/helper_mime_prescan.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MAX_DECLARED 256
#define JUNK_MAX_BYTES 8192 /* how far before the header junk is looked over */

struct line {
        const char *s;
        size_t len; /* without the line end */
        size_t next; /* offset of the line behind */
};

static bool
next_line(const char *raw, size_t n, size_t at, struct line *l)
{
        const char *end;

        if (at >= n)
                return false;
        end = memchr(raw + at, '\n', n - at);
        l->s = raw + at;
        l->len = end != NULL ? (size_t)(end - l->s) : n - at;
        l->next = at + l->len + (end != NULL);
        if (l->len > 0 && l->s[l->len - 1] == '\r')
                l->len--;
        return true;
}

/* Length of the field name when the line is "Name:..." or "Name :...", else 0. */
static size_t
name_length(const char *s, size_t n)
{
        size_t len = 0;
        size_t at;

        while (len < n && s[len] > 32 && s[len] < 127 && s[len] != ':')
                len++;
        for (at = len; at < n && (s[at] == ' ' || s[at] == '\t'); at++)
                ;
        return len > 0 && at < n && s[at] == ':' ? len : 0;
}

static bool
is_blank(const struct line *l)
{
        for (size_t i = 0; i < l->len; i++)
                if (l->s[i] != ' ' && l->s[i] != '\t' && l->s[i] != '\r')
                        return false;
        return true;
}

static bool
is_fold(const struct line *l)
{
        return l->len > 0 && (l->s[0] == ' ' || l->s[0] == '\t');
}

static bool
starts_with(const struct line *l, const char *word)
{
        size_t n = strlen(word);

        return l->len >= n && strncasecmp(l->s, word, n) == 0;
}

/* Names that no prose begins with: they prove a header behind junk. */
static bool
is_known_header(const struct line *l)
{
        static const char *const known[] = {"From", "To", "Subject", "Date", "Received",
            "Message-ID", "Return-Path", "MIME-Version", "Content-Type", "Cc",
            "Delivered-To", "Reply-To", "Sender", "DKIM-Signature", "In-Reply-To",
            "References", "Content-Transfer-Encoding", "Authentication-Results",
            "Envelope-To", "Auto-Submitted"};
        static const char *const families[] = {"X-", "ARC-", "List-"};
        size_t n = name_length(l->s, l->len);

        if (n == 0)
                return false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strlen(known[i]) == n && strncasecmp(l->s, known[i], n) == 0)
                        return true;
        for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
                if (starts_with(l, families[i]))
                        return true;
        return false;
}

static bool
is_mbox_line(const struct line *l)
{
        if (name_length(l->s, l->len) > 0) /* "From : ..." is a field */
                return false;
        return starts_with(l, "From ") || starts_with(l, ">From ");
}

static bool
is_header_line(const struct line *l)
{
        return name_length(l->s, l->len) > 0 || is_fold(l) || is_mbox_line(l);
}

/* Does a block of header lines that begins at `at` hold a known name? */
static bool
block_is_header(const char *raw, size_t n, size_t at)
{
        struct line l;
        unsigned n_lines = 0;

        while (next_line(raw, n, at, &l) && l.len > 0 && is_header_line(&l) &&
               n_lines++ < PRESCAN_MAX_HEADERS) {
                if (is_known_header(&l))
                        return true;
                at = l.next;
        }
        return false;
}

static void
find_header(const char *raw, size_t n, struct prescan *p)
{
        struct line l;
        size_t at = 0;
        bool first = true;

        if (n >= 3 && memcmp(raw, "\xef\xbb\xbf", 3) == 0)
                at = 3;
        while (at <= JUNK_MAX_BYTES && next_line(raw, n, at, &l)) {
                bool skip = is_blank(&l) || is_mbox_line(&l);

                if (!skip &&
                    (is_known_header(&l) || (first && name_length(l.s, l.len) > 0 &&
                                                block_is_header(raw, n, at)))) {
                        p->has_header = true;
                        p->header_at = at;
                        return;
                }
                first = skip && first;
                at = l.next;
        }
}

/* What is known of the parts while the body is read. */
struct scan {
        uint64_t declared[MAX_DECLARED]; /* hashes of the boundaries declared so far */
        unsigned n_declared;
        bool wild; /* one was declared that we cannot read */
        bool digest; /* multipart/digest: its parts are messages unasked */
        bool is_message; /* the header being read declares a message */
        bool content; /* the field being read is one of the body, not of its way */
        bool is_coded; /* ... in base64 or quoted-printable: not looked into */
};

/* Where word stands in the line, or NULL. */
static const char *
find_word(const struct line *l, const char *word)
{
        size_t n = strlen(word);

        for (size_t i = 0; i + n <= l->len; i++)
                if ((l->s[i] | 32) == word[0] && strncasecmp(l->s + i, word, n) == 0)
                        return l->s + i;
        return NULL;
}

/* FNV-1a without the blanks at the end. */
static uint64_t
hash(const char *s, size_t n)
{
        uint64_t h = 14695981039346656037u;

        while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
                n--;
        for (size_t i = 0; i < n; i++)
                h = (h ^ (unsigned char)s[i]) * 1099511628211u;
        return h;
}

/* The value behind "boundary" when it is written plainly; false when not. */
static bool
plain_value(const char *s, size_t n, const char **value, size_t *len)
{
        size_t i = 0;
        char end = ';';

        while (i < n && (s[i] == ' ' || s[i] == '\t'))
                i++;
        if (i == n || s[i++] != '=')
                return false;
        while (i < n && (s[i] == ' ' || s[i] == '\t'))
                i++;
        if (i < n && s[i] == '"')
                end = s[i++];
        *value = s + i;
        for (*len = 0; i < n && s[i] != end; i++, ++*len)
                if (s[i] < 32 || s[i] == 127 || strchr("\\(", s[i]) != NULL ||
                    (s[i] == '=' && i + 1 < n && s[i + 1] == '?'))
                        return false;
        return *len > 0 && (end == ';' || i < n);
}

/* The first charset of the mail: what its header is written in too, likely. */
static void
note_charset(struct prescan *p, const struct line *l)
{
        const char *s = p->charset[0] == '\0' ? find_word(l, "charset=") : NULL;
        size_t n = 0;

        if (s == NULL)
                return;
        s += strlen("charset=");
        while (s + n < l->s + l->len && n < sizeof(p->charset) - 1 && s[n] != '\0') {
                p->charset[n] = s[n];
                n++;
        }
        p->charset[n] = '\0';
}

/* A line of a header: does it declare something that matters? */
static void
note_header(struct scan *c, struct prescan *p, const struct line *l)
{
        const char *boundary;
        const char *value;
        size_t len;

        if (!is_fold(l))
                c->content = starts_with(l, "content-");
        if (!c->content)
                return;
        boundary = find_word(l, "boundary");
        if (boundary != NULL) {
                boundary += strlen("boundary");
                if (c->n_declared == MAX_DECLARED ||
                    !plain_value(
                        boundary, l->len - (size_t)(boundary - l->s), &value, &len))
                        c->wild = true;
                else
                        c->declared[c->n_declared++] = hash(value, len);
        }
        if (starts_with(l, "content-transfer-encoding"))
                c->is_coded =
                    find_word(l, "base64") != NULL || find_word(l, "quoted") != NULL;
        if (!starts_with(l, "content-type") && !is_fold(l))
                return;
        note_charset(p, l);
        if (find_word(l, "message/") != NULL)
                c->is_message = true;
        c->digest = c->digest || find_word(l, "/digest") != NULL;
        p->n_nested +=
            find_word(l, "message/") != NULL || find_word(l, "multipart/") != NULL;
}

static bool
is_boundary(const struct scan *c, const struct line *l)
{
        size_t n = l->len;
        uint64_t whole;
        uint64_t closed;

        if (n < 3 || l->s[0] != '-' || l->s[1] != '-')
                return false;
        if (c->wild)
                return true;
        while (n > 2 && (l->s[n - 1] == ' ' || l->s[n - 1] == '\t'))
                n--;
        whole = hash(l->s + 2, n - 2);
        closed = n > 4 && l->s[n - 1] == '-' && l->s[n - 2] == '-' ? hash(l->s + 2, n - 4)
                                                                   : whole;
        for (unsigned i = 0; i < c->n_declared; i++)
                if (c->declared[i] == whole || c->declared[i] == closed)
                        return true;
        return false;
}

/* Does the header go on behind a line that is none of its? Then most lines up to the
 * empty one are header lines, a known one among them, or four are known; a body without an empty line
 * before it goes on with prose. */
static bool
goes_on(const char *raw, size_t n, size_t at)
{
        struct line l;
        unsigned n_lines = 0;
        unsigned n_prose = 0;
        unsigned n_known = 0;

        for (; next_line(raw, n, at, &l) && n_lines < 100; at = l.next, n_lines++) {
                if (l.len == 0)
                        return n_known > 3 || (n_known > 0 && n_prose * 3 < n_lines);
                n_known += is_known_header(&l);
                n_prose += !is_header_line(&l);
        }
        return false;
}

/* Walk the top header. */
static void
scan_header(const char *raw, size_t n, struct prescan *p, struct scan *c)
{
        struct line l;
        size_t at = p->header_at;

        while (next_line(raw, n, at, &l) && l.len > 0) {
                if (!is_header_line(&l) && !goes_on(raw, n, l.next)) {
                        p->no_blank = true;
                        break;
                }
                p->n_headers++;
                note_header(c, p, &l);
                at = l.next;
        }
        p->header_len = at - p->header_at;
        p->body_at = at;
        if (!p->no_blank && at < n && next_line(raw, n, at, &l))
                p->body_at = l.next;
}

/* Does another header follow the empty line that ends one? */
static bool
next_is_header(struct scan *c)
{
        bool next = c->is_message && !c->is_coded;

        c->is_message = false;
        c->is_coded = false;
        return next;
}

static void
scan_body(const char *raw, size_t n, struct prescan *p, struct scan *c)
{
        bool in_header = next_is_header(c);
        size_t at = p->body_at;
        struct line l;

        for (; next_line(raw, n, at, &l); at = l.next) {
                if (is_boundary(c, &l)) {
                        p->n_boundaries++;
                        in_header = true;
                        c->is_message = c->digest;
                        c->is_coded = false;
                } else if (in_header && l.len == 0) {
                        in_header = next_is_header(c);
                } else if (in_header && is_header_line(&l)) {
                        p->n_part_headers++;
                        p->part_header_bytes += l.next - at;
                        for (size_t i = 0; i < l.len; i++)
                                p->n_commas += l.s[i] == ',';
                        note_header(c, p, &l);
                }
        }
}

static int
check_limits(size_t n, const struct prescan *p, struct err *err)
{
        const struct {
                const char *what;
                size_t is;
                size_t max;
        } limits[] = {
            {"bytes", n, PRESCAN_MAX_BYTES},
            {"header lines", p->n_headers, PRESCAN_MAX_HEADERS},
            {"bytes of header", p->header_len, PRESCAN_MAX_HEADER_BYTES},
            {"boundary lines", p->n_boundaries, PRESCAN_MAX_BOUNDARIES},
            {"nested parts", p->n_nested, PRESCAN_MAX_NESTED},
            {"header lines in its parts", p->n_part_headers, PRESCAN_MAX_PART_HEADERS},
            {"bytes of header in its parts", p->part_header_bytes,
                PRESCAN_MAX_PART_BYTES},
            {"commas in the headers of its parts", p->n_commas, PRESCAN_MAX_COMMAS},
        };

        for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
                if (limits[i].is > limits[i].max)
                        return err_set(err, ERR_LIMIT,
                            "the mail has %zu %s, allowed are %zu", limits[i].is,
                            limits[i].what, limits[i].max);
        return 0;
}

int
mime_prescan(const char *raw, size_t n, struct prescan *p, struct err *err)
{
        struct scan c = {.n_declared = 0};

        memset(p, 0, sizeof(*p));
        find_header(raw, n, p);
        if (p->has_header)
                scan_header(raw, n, p, &c);
        scan_body(raw, n, p, &c);
        return check_limits(n, p, err);
}

bool
mime_prescan_cr_only(const char *raw, size_t n)
{
        return n > 0 && memchr(raw, '\r', n) != NULL && memchr(raw, '\n', n) == NULL;
}

bool
mime_prescan_next(const char *block, size_t n, size_t *pos, struct raw_header *h)
{
        struct line l;
        size_t end;

        while (next_line(block, n, *pos, &l)) {
                size_t len = is_fold(&l) ? 0 : name_length(l.s, l.len);

                *pos = l.next;
                if (len == 0)
                        continue;
                h->name = l.s;
                h->name_len = len;
                h->value = (const char *)memchr(l.s + len, ':', l.len - len) + 1;
                end = (size_t)(l.s - block) + l.len;
                while (next_line(block, n, *pos, &l) && is_fold(&l)) {
                        end = (size_t)(l.s - block) + l.len;
                        *pos = l.next;
                }
                h->value_len = end - (size_t)(h->value - block);
                return true;
        }
        return false;
}
