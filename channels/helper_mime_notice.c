/*
 * What an agent must be told of parts that are not opened, or not as sent: kept
 * elsewhere, cut in pieces, signed, encrypted, invitations, Outlook's own files. See
 * helper_mime_walk.h.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_calendar.h"
#include "channels/helper_mime_header.h"
#include "channels/helper_mime_walk.h"
#include "daemon/base/utf8.h"

#define MAX_WORD 120 /* bytes of a foreign word in a notice */

/* A parameter as a word that may stand in a sentence; "unknown" when absent. */
static const char *
word_of(struct walk *w, const struct mime_field *f, const char *name)
{
        char value[MAX_WORD];
        char *s;

        if (!mime_field_param(f, name, value, sizeof(value)))
                return "unknown";
        s = arena_strdup(w->scratch, value);
        utf8_make_line(s, strlen(s));
        return s;
}

static void
notice_partial(struct walk *w, const struct mime_part *p)
{
        message_notice(w->m, "partial", p->path,
            "this is piece %s of %s of a mail that was sent in pieces (id %s); the "
            "pieces "
            "are not joined",
            word_of(w, &p->type_field, "number"), word_of(w, &p->type_field, "total"),
            word_of(w, &p->type_field, "id"));
}

/* Where the content lies is told as it is written, and never fetched. */
static void
notice_external(struct walk *w, const struct mime_part *p)
{
        static const char *const where[] = {"url", "site", "server", "directory", "name"};
        struct buf b AUTO_BUF = BUF_INIT;
        char value[MAX_WORD];

        for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++)
                if (mime_field_param(&p->type_field, where[i], value, sizeof(value))) {
                        utf8_make_line(value, strlen(value));
                        buf_addf(&b, ", %s %s", where[i], value);
                }
        message_notice(w->m, "external-body", p->path,
            "a part of the mail is kept elsewhere (access by %s%s); it was not fetched",
            word_of(w, &p->type_field, "access-type"), buf_str(&b));
}

static void
notice_smime(struct walk *w, const struct mime_part *p)
{
        const char *kind = word_of(w, &p->type_field, "smime-type");

        if (strncasecmp(kind, "signed", 6) == 0)
                message_notice(w->m, "smime", p->path,
                    "the mail is signed with S/MIME; the signature was not checked, the "
                    "mail is kept as it came");
        else if (strncasecmp(kind, "certs", 5) == 0)
                message_notice(w->m, "smime", p->path, "certificates of S/MIME");
        else if (strncasecmp(kind, "compressed", 10) == 0)
                message_notice(w->m, "smime", p->path,
                    "the mail is compressed by S/MIME and was not opened; it is kept as "
                    "it "
                    "came");
        else
                message_notice(w->m, "smime", p->path,
                    "a part is encrypted or signed with S/MIME; it is kept as it came");
}

static void
notice_calendar(struct walk *w, const struct mime_part *p)
{
        struct buf hold AUTO_BUF = BUF_INIT;
        struct buf text AUTO_BUF = BUF_INIT;
        char method[40] = "";
        struct slice s;

        mime_field_param(&p->type_field, "method", method, sizeof(method));
        leaf_bytes(p, &hold, 256u << 10, &s);
        if (mime_calendar_text(&text, s.s, s.n, method))
                message_notice(w->m, "calendar", p->path, "%s", buf_str(&text));
}

/* A compound file that calls itself a mail of Outlook. */
static bool
is_outlook(const struct mime_part *p, const char *name)
{
        struct buf hold AUTO_BUF = BUF_INIT;
        size_t n = strlen(name);
        struct slice s;

        if (!mime_part_is(p, "application/vnd.ms-outlook") &&
            (n < 4 || strcasecmp(name + n - 4, ".msg") != 0))
                return false;
        leaf_bytes(p, &hold, 8, &s);
        return s.n == 8 && memcmp(s.s, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0;
}

static bool
ends_with(const char *s, const char *end)
{
        size_t n = strlen(s);
        size_t len = strlen(end);

        return n >= len && strcasecmp(s + n - len, end) == 0;
}

/* Part of a multipart that has told it already? */
static bool
is_within(const struct mime_part *p, const char *multipart)
{
        return p->parent != NULL && mime_part_is(p->parent, multipart);
}

void
notice_part(struct walk *w, const struct mime_part *p)
{
        const char *name = leaf_name(w->scratch, p);

        if (mime_part_is(p, "message/partial"))
                notice_partial(w, p);
        else if (mime_part_is(p, "message/external-body"))
                notice_external(w, p);
        else if (mime_part_is(p, "application/pkcs7-mime") ||
                 mime_part_is(p, "application/x-pkcs7-mime") || ends_with(name, ".p7m"))
                notice_smime(w, p);
        else if (mime_part_is(p, "text/calendar") ||
                 mime_part_is(p, "text/x-vcalendar") ||
                 mime_part_is(p, "application/ics"))
                notice_calendar(w, p);
        else if (mime_part_is(p, "application/pgp-encrypted") &&
                 !is_within(p, "multipart/encrypted"))
                message_notice(w->m, "pgp", p->path, "a part is encrypted with PGP");
        else if (is_outlook(p, name))
                message_notice(w->m, "outlook-msg", p->path,
                    "a mail in Outlook's own file format (.msg), which was not opened");
        if (p->coding == CODING_BINHEX || mime_part_is(p, "application/mac-binhex40"))
                message_notice(w->m, "structure", p->path,
                    "a part is encoded by BinHex, which was not decoded");
        if (p->coding == CODING_YENC)
                message_notice(w->m, "structure", p->path,
                    "a part is encoded by yEnc, which was not decoded");
}

void
notice_multipart(struct walk *w, const struct mime_part *p)
{
        const char *protocol;
        bool pgp;

        if (!mime_part_is(p, "multipart/signed") &&
            !mime_part_is(p, "multipart/encrypted"))
                return;
        protocol = word_of(w, &p->type_field, "protocol");
        pgp = strcasestr(protocol, "pgp") != NULL;
        if (mime_part_is(p, "multipart/encrypted"))
                message_notice(w->m, pgp ? "pgp" : "smime", p->path,
                    "the mail is encrypted with %s; it is kept as it came",
                    pgp ? "PGP" : "S/MIME");
        else
                message_notice(w->m, pgp ? "pgp" : "smime", p->path,
                    "the mail is signed with %s; the signature was not checked, the mail "
                    "is "
                    "kept as it came",
                    pgp ? "PGP" : "S/MIME");
}
