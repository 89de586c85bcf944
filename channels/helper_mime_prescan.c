/*
 * The look before the leap; see helper_mime_prescan.h.
 *
 * The body is read by a machine of two states: inside the header of a part
 * (after a boundary line, or after the header of a message/... part) and
 * outside. It over-counts rather than under-counts: a line of text that looks
 * like a boundary opens a "header" that ends at the first blank line.
 */
#include "channels/helper_mime_prescan.h"

#include <string.h>
#include <strings.h>

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
        static const char *const known[] = {"From:", "To:", "Subject:", "Date:",
            "Received:", "Message-ID:", "Return-Path:", "MIME-Version:", "Content-Type:",
            "Cc:", "Delivered-To:", "Reply-To:", "Sender:", "X-", "DKIM-Signature:",
            "In-Reply-To:", "References:", "Content-Transfer-Encoding:", "ARC-",
            "Authentication-Results:", "List-", "Envelope-To:", "Auto-Submitted:"};

        if (name_length(l->s, l->len) == 0)
                return false;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (starts_with(l, known[i]))
                        return true;
        return false;
}

static bool
is_mbox_line(const struct line *l)
{
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

static bool
is_nested_type(const struct line *l)
{
        size_t at;

        if (!starts_with(l, "content-type"))
                return false;
        for (at = strlen("content-type"); at < l->len && strchr(" \t:", l->s[at]) != NULL;
             at++)
                ;
        return (l->len - at >= 10 && strncasecmp(l->s + at, "multipart/", 10) == 0) ||
               (l->len - at >= 8 && strncasecmp(l->s + at, "message/", 8) == 0);
}

static bool
is_message_type(const struct line *l)
{
        const char *slash = memchr(l->s, '/', l->len);

        return is_nested_type(l) && slash != NULL && slash - l->s >= 7 &&
               strncasecmp(slash - 7, "message", 7) == 0;
}

/* Walk the top header; *is_message tells whether the body begins with another. */
static void
scan_header(const char *raw, size_t n, struct prescan *p, bool *is_message)
{
        struct line l;
        size_t at = p->header_at;

        while (next_line(raw, n, at, &l) && l.len > 0) {
                if (!is_header_line(&l)) {
                        p->no_blank = true;
                        break;
                }
                p->n_headers++;
                p->n_nested += is_nested_type(&l);
                *is_message = *is_message || is_message_type(&l);
                at = l.next;
        }
        p->header_len = at - p->header_at;
        p->body_at = at;
        if (!p->no_blank && at < n && next_line(raw, n, at, &l))
                p->body_at = l.next;
}

static void
scan_body(const char *raw, size_t n, struct prescan *p, bool in_header)
{
        bool is_message = false;
        size_t at = p->body_at;
        struct line l;

        for (; next_line(raw, n, at, &l); at = l.next) {
                if (l.len >= 2 && l.s[0] == '-' && l.s[1] == '-') {
                        p->n_dashes++;
                        in_header = l.len > 2 && l.s[2] != ' ' && l.s[2] != '\t';
                        p->n_boundaries += in_header && l.s[l.len - 1] != '-';
                        is_message = false;
                } else if (in_header && l.len == 0) {
                        in_header = is_message;
                        is_message = false;
                } else if (in_header) {
                        p->n_part_headers++;
                        p->part_header_bytes += l.next - at;
                        p->n_nested += is_nested_type(&l);
                        is_message = is_message || is_message_type(&l);
                        in_header = is_header_line(&l) || is_message;
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
            {"lines that begin with --", p->n_dashes, PRESCAN_MAX_DASHES},
            {"nested parts", p->n_nested, PRESCAN_MAX_NESTED},
            {"header lines in its parts", p->n_part_headers, PRESCAN_MAX_PART_HEADERS},
            {"bytes of header in its parts", p->part_header_bytes,
                PRESCAN_MAX_PART_BYTES},
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
        bool is_message = false;

        memset(p, 0, sizeof(*p));
        find_header(raw, n, p);
        if (p->has_header)
                scan_header(raw, n, p, &is_message);
        scan_body(raw, n, p, is_message);
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
