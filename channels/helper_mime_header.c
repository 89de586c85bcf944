/*
 * A whole header read into a message, and message ids; see helper_mime_header.h.
 * Words are read in helper_mime_words.c, addresses in helper_mime_address.c, dates in
 * helper_mime_date.c. Whatever was not as it should be leaves a finding.
 */
#include "channels/helper_mime_header.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_address.h"
#include "channels/helper_mime_guess.h"
#include "channels/helper_mime_words.h"
#include "daemon/base/utf8.h"

#define MAX_MAILBOXES 500
#define MAX_IDS 300
#define MAX_IDS_READ 20000
#define FIRST_IDS 20 /* kept of too many; the others are the last */
#define MAX_ID_LEN 998
#define MAX_SUBJECT 8000
#define MAX_BODY_LOOK (64u << 10)

/* ---- ids ---- */

static void
add_id(struct arena *a, const char *s, size_t n, const char ***list, size_t *n_list,
    size_t max)
{
        struct buf clean AUTO_BUF = BUF_INIT;
        char id[MAX_ID_LEN];
        size_t len = 0;
        unsigned depth = 0; /* of comments */
        bool plain = true;
        bool comments = memchr(s, ')', n) != NULL;

        if (*n_list >= max)
                return;
        for (size_t i = 0; i < n; i++) {
                depth -= depth > 0 && i > 0 && s[i - 1] == ')';
                depth += comments && s[i] == '(';
                if (depth > 0)
                        continue;
                if ((unsigned char)s[i] <= 32 || s[i] == 127 || s[i] == '<')
                        continue;
                if (len == MAX_ID_LEN)
                        return;
                plain = plain && (unsigned char)s[i] < 128;
                id[len++] = s[i];
        }
        if (len == 0)
                return;
        *list = arena_grow(a, (void *)*list, *n_list, sizeof(**list));
        if (!plain)
                utf8_add_clean(&clean, id, len);
        (*list)[(*n_list)++] =
            arena_strndup(a, plain ? id : buf_str(&clean), plain ? len : clean.len);
}

/* Without brackets: words with an @ are ids when no others stand there, a lonely word is
 * one, prose is none. */
static void
bare_ids(struct arena *a, const char *s, size_t n, const char ***list, size_t *n_list,
    size_t max)
{
        size_t n_words = 0;
        size_t n_at = 0;

        for (int pass = 0; pass < 2; pass++) {
                for (size_t i = 0, from; i < n; i++) {
                        while (i < n && (isspace((unsigned char)s[i]) || s[i] == ','))
                                i++;
                        for (from = i;
                             i < n && !isspace((unsigned char)s[i]) && s[i] != ','; i++)
                                ;
                        if (i == from)
                                break;
                        if (pass == 1)
                                add_id(a, s + from, i - from, list, n_list, max);
                        n_words++;
                        n_at += memchr(s + from, '@', i - from) != NULL;
                }
                if (n_words != n_at && n_words != 1)
                        return;
        }
}

void
mime_header_ids(struct arena *a, const char *raw, size_t n, const char ***list,
    size_t *n_list, size_t max)
{
        const char *s = raw;
        const char *end = raw + n;
        const char *open;
        const char *close;
        size_t before = *n_list;

        while ((open = memchr(s, '<', (size_t)(end - s))) != NULL && *n_list < max) {
                close = memchr(open, '>', (size_t)(end - open));
                if (close == NULL)
                        break;
                if (memchr(open, '@', (size_t)(close - open)) != NULL ||
                    before == *n_list)
                        add_id(
                            a, open + 1, (size_t)(close - open) - 1, list, n_list, max);
                s = close + 1;
        }
        if (*n_list > before)
                return;
        open = memchr(raw, '<', n);
        if (open != NULL) { /* never closed, or empty */
                raw = open + 1;
                n = (size_t)(end - raw);
                if (memchr(raw, '@', n) == NULL)
                        return;
        }
        bare_ids(a, raw, n, list, n_list, max);
}

/* Of too many the first, which tell the thread, and the last, which are nearest. */
static void
limit_ids(const char **list, size_t *n)
{
        if (*n <= MAX_IDS)
                return;
        memmove(list + FIRST_IDS, list + *n - (MAX_IDS - FIRST_IDS),
            (MAX_IDS - FIRST_IDS) * sizeof(*list));
        *n = MAX_IDS;
}

/* ---- the whole block ---- */

/* A header while it is read. */
struct reading {
        struct message *m;
        struct words w; /* of the field being read */
        unsigned n_from; /* From fields that say something */
        unsigned n_subjects;
        struct raw_header date; /* the first that says something */
        struct mail_address sender; /* of Sender, Return-Path: when From says nothing */
        struct mail_address path;
};

static bool
is_name(const struct raw_header *h, const char *name)
{
        return strlen(name) == h->name_len &&
               strncasecmp(h->name, name, h->name_len) == 0;
}

/* Raw text and wrong labels: the first of a field is told. */
static void
tell_charset(struct reading *r, const struct raw_header *h)
{
        const struct charset_verdict *v = &r->w.verdict;

        if (r->w.odd)
                message_find(r->m, "charset", v->charset, "%.*s: %s%s%s",
                    (int)h->name_len, h->name, v->why,
                    v->declared[0] != '\0' ? ", the label says " : "", v->declared);
        r->w.odd = false;
}

/* Of several mailboxes the first that has an address; what was passed over is told. */
static void
read_mailboxes(struct reading *r, const struct raw_header *h, struct mail_address *to)
{
        struct mail_address *list = NULL;
        size_t n = 0;

        if (to->address[0] != '\0')
                return;
        address_read(
            &r->w, r->m->arena, h->value, h->value_len, &list, &n, MAX_MAILBOXES);
        for (size_t i = 0; i < n; i++)
                if ((i == 0 && to->name[0] == '\0') ||
                    (to->address[0] == '\0' && list[i].address[0] != '\0'))
                        *to = list[i];
        if (to == &r->m->from && n > 1)
                message_find(r->m, "sender", to->address,
                    "From names %zu senders, the first with an address counts", n);
        tell_charset(r, h);
}

static void
read_from(struct reading *r, const struct raw_header *h)
{
        const char *before = r->m->from.address;

        if (h->value_len == 0)
                return;
        read_mailboxes(r, h, &r->m->from);
        if (r->n_from++ == 1)
                message_find(r->m, "sender", r->m->from.address,
                    "there are several From fields, the %s counts",
                    before[0] != '\0' ? "first" : "first with an address");
}

static void
read_subject(struct reading *r, const struct raw_header *h)
{
        struct message *m = r->m;
        const char *s;
        size_t len;

        if (m->subject[0] != '\0') {
                if (r->n_subjects++ == 1)
                        message_find(m, "subject", "the first",
                            "there are several Subject fields");
                return;
        }
        s = words_text(&r->w, m->arena, h->value, h->value_len);
        r->n_subjects += s[0] != '\0';
        len = strlen(s);
        if (len > MAX_SUBJECT) {
                s = arena_strndup(m->arena, s, utf8_cut(s, len, MAX_SUBJECT));
                message_find(m, "subject", "cut", "it has %zu bytes", len);
        }
        m->subject = s;
        tell_charset(r, h);
}

static void
read_date(struct reading *r, const struct raw_header *h)
{
        struct message *m = r->m;

        if (m->sent_at_us != 0)
                return;
        m->sent_at_us = mime_header_date(h->value, h->value_len);
        if (r->date.name == NULL && h->value_len > 0)
                r->date = *h;
}

static void
read_ids(struct reading *r, const struct raw_header *h, const char ***list, size_t *n)
{
        mime_header_ids(r->m->arena, h->value, h->value_len, list, n, MAX_IDS_READ);
        limit_ids(*list, n);
}

static void
read_recipients(
    struct reading *r, const struct raw_header *h, struct mail_address **list, size_t *n)
{
        address_read(&r->w, r->m->arena, h->value, h->value_len, list, n, MAX_MAILBOXES);
        r->w.odd = false;
}

static void
read_field(struct reading *r, const struct raw_header *h)
{
        struct message *m = r->m;
        const char **ids = NULL;
        size_t n_ids = 0;

        if (is_name(h, "From"))
                read_from(r, h);
        else if (is_name(h, "Reply-To"))
                read_mailboxes(r, h, &m->reply_to);
        else if (is_name(h, "Sender"))
                read_mailboxes(r, h, &r->sender);
        else if (is_name(h, "Return-Path"))
                read_mailboxes(r, h, &r->path);
        else if (is_name(h, "To"))
                read_recipients(r, h, &m->to, &m->n_to);
        else if (is_name(h, "Cc"))
                read_recipients(r, h, &m->cc, &m->n_cc);
        else if (is_name(h, "Subject"))
                read_subject(r, h);
        else if (is_name(h, "Date"))
                read_date(r, h);
        else if (is_name(h, "In-Reply-To"))
                read_ids(r, h, &m->in_reply_to, &m->n_in_reply_to);
        else if (is_name(h, "References"))
                read_ids(r, h, &m->references, &m->n_references);
        else if (is_name(h, "Message-ID") && m->message_id[0] == '\0') {
                mime_header_ids(m->arena, h->value, h->value_len, &ids, &n_ids, 1);
                m->message_id = n_ids > 0 ? ids[0] : "";
        }
}

/* From says no address: who else is named as the one who sent it? */
static void
find_sender(struct reading *r)
{
        struct message *m = r->m;
        const struct {
                const char *field;
                const struct mail_address *address;
        } others[] = {{"Sender", &r->sender}, {"Reply-To", &m->reply_to},
            {"Return-Path", &r->path}};

        if (m->from.address[0] != '\0')
                return;
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                const struct mail_address *from = others[i].address;

                if (from->address[0] == '\0')
                        continue;
                m->from.address = from->address;
                if (m->from.name[0] == '\0')
                        m->from.name = from->name;
                message_find(m, "sender", from->address, "%s, taken from %s",
                    r->n_from > 0 ? "From holds no address" : "there is no From",
                    others[i].field);
                return;
        }
        message_find(m, "sender", "unknown",
            r->n_from > 0 ? "From holds no address" : "there is no From");
}

static void
find_date(struct reading *r)
{
        if (r->date.name != NULL && r->m->sent_at_us == 0)
                message_find(r->m, "date", "unknown", "no date can be read from \"%s\"",
                    words_text(&r->w, r->m->arena, r->date.value,
                        r->date.value_len < 60 ? r->date.value_len : 60));
}

/* ---- raw bytes beyond ASCII ---- */

static bool
is_high(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)s[i] >= 0x80)
                        return true;
        return false;
}

/* What raw bytes in the header likely are: the charset of the mail's texts, as declared
 * or by their letters, else by the letters of the whole header. */
static const char *
hint_of(const char *raw, size_t n, const struct prescan *p, char name[40])
{
        const char *block = raw + p->header_at;
        const char *body = raw + p->body_at;
        size_t n_body = n - p->body_at < MAX_BODY_LOOK ? n - p->body_at : MAX_BODY_LOOK;
        char declared[40];

        mime_text_label(p->charset, declared, name);
        if (utf8_valid(block, p->header_len))
                return name;
        if (is_high(body, n_body) && !utf8_valid(body, n_body) &&
            (name[0] == '\0' || !mime_guess_fits(body, n_body, name)))
                return mime_text_guess(body, n_body);
        if (name[0] == '\0' || strcmp(name, "UTF-8") == 0 ||
            !mime_guess_fits(block, p->header_len, name))
                return mime_text_guess(block, p->header_len);
        return name;
}

void
mime_header_read_mail(
    struct message *m, const char *raw, size_t n, const struct prescan *p, size_t max)
{
        const char *block = raw + p->header_at;
        struct reading r = {.m = m,
            .sender = {.name = "", .address = ""},
            .path = {.name = "", .address = ""}};
        struct raw_header h;
        char name[40];
        size_t total = 0;
        size_t pos = 0;

        r.w.hint = hint_of(raw, n, p, name);
        while (mime_prescan_next(block, p->header_len, &pos, &h)) {
                struct header *to;

                read_field(&r, &h);
                total += h.name_len + h.value_len;
                if (total > max || m->n_headers >= PRESCAN_MAX_HEADERS)
                        continue;
                m->headers =
                    arena_grow(m->arena, m->headers, m->n_headers, sizeof(*m->headers));
                to = &m->headers[m->n_headers++];
                to->name = arena_strndup(m->arena, h.name, h.name_len);
                to->value = words_text(&r.w, m->arena, h.value, h.value_len);
                r.w.odd = false;
        }
        find_sender(&r);
        find_date(&r);
}

void
mime_header_read(struct message *m, const char *block, size_t n, size_t max)
{
        struct prescan p = {.has_header = true, .header_len = n, .body_at = n};

        mime_header_read_mail(m, block, n, &p, max);
}
