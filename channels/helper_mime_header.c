/*
 * Header fields; see helper_mime_header.h.
 */
#include "channels/helper_mime_header.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

#define MAX_VALUE (256u << 10) /* bytes of one decoded value */
#define MAX_MAILBOXES 500
#define MAX_IDS 300
#define MAX_ID_LEN 998

/* ---- encoded words ---- */

/* One =?charset?encoding?text?= */
struct word {
        char charset[64];
        char encoding; /* B or Q */
        const char *text;
        size_t len;
        size_t used; /* bytes of it all */
};

/* Words of one charset that follow each other are decoded together, because
 * senders cut characters in the middle. */
struct decoder {
        struct buf *out;
        struct buf bytes; /* of the words not written yet */
        char charset[64]; /* theirs */
        bool no_end; /* no "?=" up to the end */
};

static bool
word_parse(struct decoder *d, const char *s, size_t n, struct word *w)
{
        const char *mark;
        const char *end;

        if (n < 8 || s[0] != '=' || s[1] != '?' || d->no_end)
                return false;
        mark =
            memchr(s + 2, '?', n - 2 < sizeof(w->charset) ? n - 2 : sizeof(w->charset));
        if (mark == NULL || mark == s + 2 || (size_t)(mark - s) + 3 > n ||
            mark[2] != '?' || strchr("bBqQ", mark[1]) == NULL)
                return false;
        w->encoding = (char)toupper((unsigned char)mark[1]);
        memcpy(w->charset, s + 2, (size_t)(mark - s) - 2);
        w->charset[mark - s - 2] = '\0';
        w->text = mark + 3;
        end = memmem(w->text, n - (size_t)(w->text - s), "?=", 2);
        d->no_end = end == NULL;
        if (end == NULL && w->encoding == 'Q')
                return false;
        w->len = end != NULL ? (size_t)(end - w->text) : n - (size_t)(w->text - s);
        w->used = (size_t)(w->text - s) + w->len + (end != NULL ? 2 : 0);
        return true;
}

static int
base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static void
add_base64(struct buf *out, const char *s, size_t n)
{
        uint32_t bits = 0;
        unsigned n_bits = 0;

        for (size_t i = 0; i < n; i++) {
                int v = base64_value(s[i]);

                if (s[i] == '=') {
                        n_bits = 0;
                        bits = 0;
                }
                if (v < 0)
                        continue;
                bits = bits << 6 | (uint32_t)v;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        buf_addc(out, (char)(bits >> n_bits));
                }
        }
}

static int
hex_value(char c)
{
        if (isdigit((unsigned char)c))
                return c - '0';
        return isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10 : -1;
}

static void
add_q(struct buf *out, const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '=' && i + 2 < n && hex_value(s[i + 1]) >= 0 &&
                    hex_value(s[i + 2]) >= 0) {
                        buf_addc(
                            out, (char)(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2])));
                        i += 2;
                } else {
                        buf_addc(out, s[i] == '_' ? ' ' : s[i]);
                }
        }
}

static void
decoder_flush(struct decoder *d)
{
        if (d->bytes.len > 0)
                mime_text_decode(
                    d->out, d->bytes.data, d->bytes.len, d->charset, MAX_VALUE);
        buf_clear(&d->bytes);
}

static void
decoder_word(struct decoder *d, const struct word *w)
{
        if (strcasecmp(d->charset, w->charset) != 0)
                decoder_flush(d);
        memcpy(d->charset, w->charset, sizeof(d->charset));
        if (w->encoding == 'B')
                add_base64(&d->bytes, w->text, w->len);
        else
                add_q(&d->bytes, w->text, w->len);
}

static bool
all_blank(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!isspace((unsigned char)s[i]))
                        return false;
        return true;
}

static void
decoder_plain(struct decoder *d, const char *s, size_t n)
{
        if (n == 0)
                return;
        decoder_flush(d);
        mime_text_decode(d->out, s, n, "", MAX_VALUE);
}

/* Tabs and line ends inside a value are blanks. */
static void
one_line(struct buf *b, size_t start)
{
        size_t to = start;

        for (size_t i = start; i < b->len; i++) {
                char c = b->data[i];

                if (c == '\n' || c == '\t')
                        c = ' ';
                b->data[to++] = c;
        }
        b->len = to;
        if (b->data != NULL)
                b->data[to] = '\0';
}

/* Removes CR and LF: what remains of a fold is its blank. */
static void
unfold(struct buf *out, const char *raw, size_t n)
{
        for (size_t i = 0; i < n && out->len < MAX_VALUE; i++)
                if (raw[i] != '\r' && raw[i] != '\n')
                        buf_addc(out, raw[i]);
}

void
mime_header_decode(struct buf *out, const char *raw, size_t n)
{
        struct buf line AUTO_BUF = BUF_INIT;
        struct decoder d = {.out = out, .bytes = BUF_INIT};
        struct word w;
        size_t start = out->len;
        size_t from = 0;
        bool after_word = false;

        unfold(&line, raw, n);
        for (size_t at = 0; at < line.len;) {
                if (!word_parse(&d, line.data + at, line.len - at, &w)) {
                        at++;
                        continue;
                }
                if (!after_word || !all_blank(line.data + from, at - from))
                        decoder_plain(&d, line.data + from, at - from);
                decoder_word(&d, &w);
                at += w.used;
                from = at;
                after_word = true;
        }
        if (line.len > from)
                decoder_plain(&d, line.data + from, line.len - from);
        decoder_flush(&d);
        buf_fini(&d.bytes);
        one_line(out, start);
}

const char *
mime_header_text(struct arena *a, const char *raw, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t from = 0;

        mime_header_decode(&b, raw, n);
        while (b.len > 0 && b.data[b.len - 1] == ' ')
                b.len--;
        while (from < b.len && b.data[from] == ' ')
                from++;
        return arena_strndup(a, b.len > 0 ? b.data + from : "", b.len - from);
}

/* ---- addresses ---- */

/* One element of an address list while it is read. */
struct mailbox {
        struct buf name; /* raw display name, quotes removed */
        struct buf comment; /* the last (comment) */
        struct buf address; /* between < and > */
        bool has_angle;
        size_t angle_at; /* how long the name was when it came */
        bool has_at; /* an @ outside < > and quotes */

        const char *last_at; /* of the whole field, so that none looks further: */
        const char *last_paren;
        const char *last_angle;
        const char *last_quote;
};

static void
mailbox_clear(struct mailbox *b)
{
        buf_clear(&b->name);
        buf_clear(&b->comment);
        buf_clear(&b->address);
        b->has_angle = false;
        b->has_at = false;
}

static void
trim(struct buf *b)
{
        size_t from = 0;

        while (b->len > 0 && isspace((unsigned char)b->data[b->len - 1]))
                b->len--;
        while (from < b->len && isspace((unsigned char)b->data[from]))
                from++;
        if (from > 0)
                buf_consume(b, from);
}

/* local@domain without blanks and controls, domain lower-case, no route. */
static const char *
clean_address(struct arena *a, const struct buf *raw)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const char *s = buf_str(raw);
        const char *route = s[0] == '@' ? strchr(s, ':') : NULL;
        unsigned depth = 0; /* of comments */
        char *address;
        char *at;

        if (strncasecmp(s, "mailto:", 7) == 0)
                route = s + 6;
        for (s = route != NULL ? route + 1 : s; *s != '\0'; s++) {
                depth += *s == '(';
                if (depth == 0 && (unsigned char)*s > 32 && *s != 127 &&
                    strchr("<>,;", *s) == NULL)
                        buf_addc(&b, *s);
                depth -= *s == ')' && depth > 0;
        }
        if (b.len > 1000)
                return "";
        address = arena_strdup(a, mime_header_text(a, buf_str(&b), b.len));
        at = strrchr(address, '@');
        if (at == NULL || at == address || at[1] == '\0' || strchr(address, ' ') != NULL)
                return "";
        for (; *at != '\0'; at++)
                *at = (char)tolower((unsigned char)*at);
        return address;
}

/* The first word of the name with an @ ("Anna anna@a.example") is the address. */
static void
find_bare_address(struct mailbox *b)
{
        struct buf rest AUTO_BUF = BUF_INIT;
        const char *s = buf_str(&b->name);
        const char *end = s + b->name.len;
        const char *from;
        const char *to;

        if (b->has_angle || !b->has_at || (from = memchr(s, '@', b->name.len)) == NULL)
                return;
        for (to = from; to < end && !isspace((unsigned char)*to); to++)
                ;
        while (from > s && !isspace((unsigned char)from[-1]))
                from--;
        buf_add(&b->address, from, (size_t)(to - from));
        buf_add(&rest, s, (size_t)(from - s));
        buf_add(&rest, to, (size_t)(end - to));
        buf_clear(&b->name);
        buf_add(&b->name, buf_str(&rest), rest.len);
        trim(&b->name);
}

static void
mailbox_finish(struct arena *a, struct mailbox *b, struct mail_address **list,
    size_t *n_list, size_t max)
{
        struct mail_address *to;
        const char *address;

        trim(&b->name);
        trim(&b->address);
        trim(&b->comment);
        find_bare_address(b);
        if ((b->name.len == 0 && b->address.len == 0) || *n_list >= max) {
                mailbox_clear(b);
                return;
        }
        address = clean_address(a, &b->address);
        if (b->name.len == 0 && b->comment.len > 0)
                buf_add(&b->name, b->comment.data, b->comment.len);
        if (address[0] == '\0' && b->name.len == 0)
                buf_add(&b->name, buf_str(&b->address), b->address.len);
        *list = arena_grow(a, *list, *n_list, sizeof(**list));
        to = &(*list)[(*n_list)++];
        to->address = address;
        to->name = mime_header_text(a, buf_str(&b->name), b->name.len);
        mailbox_clear(b);
}

/* "..." at s: appends its content to out, returns its length with the quotes. */
static size_t
read_quoted(struct buf *out, const char *s, size_t n)
{
        size_t i = 1;

        for (; i < n && s[i] != '"'; i++) {
                if (s[i] == '\\' && i + 1 < n)
                        i++;
                buf_addc(out, s[i]);
        }
        return i < n ? i + 1 : n;
}

static size_t
read_comment(struct buf *out, const char *s, size_t n)
{
        unsigned depth = 1;
        size_t i = 1;

        buf_clear(out);
        for (; i < n; i++) {
                depth += s[i] == '(';
                depth -= s[i] == ')';
                if (depth == 0)
                        break;
                if (s[i] == '\\' && i + 1 < n)
                        i++;
                buf_addc(out, s[i]);
        }
        return i < n ? i + 1 : n;
}

static size_t
read_angle(struct mailbox *b, const char *s, size_t n)
{
        const char *end = b->last_angle > s ? memchr(s, '>', n) : memchr(s, ',', n);
        size_t len = end != NULL ? (size_t)(end - s) : n;

        buf_clear(&b->address);
        buf_add(&b->address, s + 1, len - 1);
        b->has_angle = true;
        b->angle_at = b->name.len;
        return len + (end != NULL && *end == '>');
}

/* A second <...> without a comma before it: what came since the first is a name. */
static void
split_mailbox(struct arena *a, struct mailbox *b, struct mail_address **list,
    size_t *n_list, size_t max)
{
        struct buf name AUTO_BUF = BUF_INIT;

        buf_add(&name, buf_str(&b->name) + b->angle_at, b->name.len - b->angle_at);
        b->name.len = b->angle_at;
        mailbox_finish(a, b, list, n_list, max);
        buf_add(&b->name, buf_str(&name), name.len);
}

/* One step of the reader: what begins at s (n bytes left); returns its length. */
static size_t
read_part(struct mailbox *b, const char *s, size_t n)
{
        if (*s == '"' && b->last_quote > s)
                return read_quoted(&b->name, s, n);
        if (*s == '(' && b->last_paren > s)
                return read_comment(&b->comment, s, n);
        if (*s == '<' && (b->last_at > s || b->last_angle > s))
                return read_angle(b, s, n);
        b->has_at = b->has_at || *s == '@';
        if (*s == ':' && !b->has_angle && !b->has_at &&
            strcasecmp(buf_str(&b->name), "mailto") != 0)
                mailbox_clear(b); /* that was the name of a group */
        else if (*s != '"' && (*s != ',' || b->name.len > 0))
                buf_addc(&b->name, *s);
        return 1;
}

void
mime_header_addresses(struct arena *a, const char *raw, size_t n,
    struct mail_address **list, size_t *n_list, size_t max)
{
        struct buf line AUTO_BUF = BUF_INIT;
        struct mailbox b = {0};
        size_t at = 0;

        unfold(&line, raw, n);
        b.last_at = memrchr(buf_str(&line), '@', line.len);
        b.last_paren = memrchr(buf_str(&line), ')', line.len);
        b.last_angle = memrchr(buf_str(&line), '>', line.len);
        b.last_quote = memrchr(buf_str(&line), '"', line.len);
        while (at < line.len && *n_list < max) {
                char c = line.data[at];

                /* a comma does not end the family name in `Ivanov, Ivan <i@x>` */
                if (c == ';' || (c == ',' && (b.has_angle || b.has_at))) {
                        mailbox_finish(a, &b, list, n_list, max);
                        at++;
                } else if (c == '<' && b.has_angle) {
                        split_mailbox(a, &b, list, n_list, max);
                } else {
                        at += read_part(&b, line.data + at, line.len - at);
                }
        }
        mailbox_finish(a, &b, list, n_list, max);
        buf_fini(&b.name);
        buf_fini(&b.comment);
        buf_fini(&b.address);
}

/* ---- ids ---- */

static void
add_id(struct arena *a, const char *s, size_t n, const char ***list, size_t *n_list,
    size_t max)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct buf clean AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < n && b.len <= MAX_ID_LEN; i++)
                if ((unsigned char)s[i] > 32 && s[i] != 127 && s[i] != '<')
                        buf_addc(&b, s[i]);
        if (b.len == 0 || b.len > MAX_ID_LEN || *n_list >= max)
                return;
        utf8_add_clean(&clean, b.data, b.len);
        *list = arena_grow(a, (void *)*list, *n_list, sizeof(**list));
        (*list)[(*n_list)++] = arena_strndup(a, clean.data, clean.len);
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

        while ((open = memchr(s, '<', (size_t)(end - s))) != NULL &&
               (close = memchr(open, '>', (size_t)(end - open))) != NULL) {
                if (memchr(open, '@', (size_t)(close - open)) != NULL ||
                    before == *n_list)
                        add_id(
                            a, open + 1, (size_t)(close - open) - 1, list, n_list, max);
                s = close + 1;
        }
        if (*n_list > before || memchr(raw, '<', n) != NULL)
                return;
        /* no brackets: only a lonely word is an id, prose is not */
        while (n > 0 && isspace((unsigned char)raw[n - 1]))
                n--;
        while (n > 0 && isspace((unsigned char)*raw)) {
                raw++;
                n--;
        }
        for (size_t i = 0; i < n; i++)
                if (isspace((unsigned char)raw[i]))
                        return;
        if (n > 0)
                add_id(a, raw, n, list, n_list, max);
}

/* ---- dates ---- */

static int
month_of(const char *s)
{
        static const char *const names[] = {"jan", "feb", "mar", "apr", "may", "jun",
            "jul", "aug", "sep", "oct", "nov", "dec"};

        for (int i = 0; i < 12; i++)
                if (strncasecmp(s, names[i], 3) == 0)
                        return i;
        return -1;
}

/* Minutes east of UTC. */
static int
zone_of(const char *s)
{
        static const struct {
                const char *name;
                int hours;
        } zones[] = {{"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6}, {"MDT", -6},
            {"MST", -7}, {"PDT", -7}, {"PST", -8}, {"MSK", 3}, {"MSD", 4}, {"CET", 1},
            {"CEST", 2}, {"EET", 2}, {"EEST", 3}, {"BST", 1}};
        int v = 0;

        if (*s == '+' || *s == '-') {
                for (int i = 1; i <= 4 && isdigit((unsigned char)s[i]); i++)
                        v = v * 10 + s[i] - '0';
                v = v / 100 * 60 + v % 100;
                return v > 16 * 60 ? 0 : *s == '-' ? -v : v;
        }
        for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
                if (strncasecmp(s, zones[i].name, strlen(zones[i].name)) == 0)
                        return zones[i].hours * 60;
        return 0;
}

static const char *
skip_to(const char *s, bool digit)
{
        while (*s != '\0' &&
               (digit ? !isdigit((unsigned char)*s) : !isalpha((unsigned char)*s)))
                s++;
        return s;
}

/* A number of at most 4 digits; *s moves behind it. -1 when there is none. */
static int
number(const char **s)
{
        int v = 0;
        int n = 0;

        for (; isdigit((unsigned char)**s) && n < 4; n++)
                v = v * 10 + *(*s)++ - '0';
        return n > 0 ? v : -1;
}

int64_t
mime_header_date(const char *raw, size_t n)
{
        struct tm tm = {0};
        char text[128];
        const char *s = text;
        int64_t at;

        n = n < sizeof(text) - 1 ? n : sizeof(text) - 1;
        memcpy(text, raw, n);
        text[n] = '\0';
        s = skip_to(s, true); /* over the day of the week */
        tm.tm_mday = number(&s);
        s = skip_to(s, false);
        tm.tm_mon = month_of(s);
        s = skip_to(s, true);
        tm.tm_year = number(&s);
        if (tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_mon < 0 || tm.tm_year < 0)
                return 0;
        tm.tm_year += tm.tm_year < 50 ? 100 : tm.tm_year < 1000 ? 0 : -1900;
        s = skip_to(s, true);
        tm.tm_hour = number(&s);
        tm.tm_min = *s == ':' || *s == '.' ? (s++, number(&s)) : 0;
        tm.tm_sec = *s == ':' || *s == '.' ? (s++, number(&s)) : 0;
        if (tm.tm_hour < 0 || tm.tm_hour > 24 || tm.tm_min < 0 || tm.tm_min > 59 ||
            tm.tm_sec < 0 || tm.tm_sec > 60)
                return 0;
        while (isspace((unsigned char)*s))
                s++;
        at = (int64_t)timegm(&tm) - zone_of(s) * 60;
        return at < 315532800 || at > 4102444800 ? 0 : at * 1000000;
}

/* ---- the whole block ---- */

static bool
is_name(const struct raw_header *h, const char *name)
{
        return strlen(name) == h->name_len &&
               strncasecmp(h->name, name, h->name_len) == 0;
}

static void
read_mailboxes(struct message *m, const char *s, size_t len, struct mail_address *to)
{
        struct mail_address *list = NULL;
        size_t n = 0;

        mime_header_addresses(m->arena, s, len, &list, &n, MAX_MAILBOXES);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || (to->address[0] == '\0' && list[i].address[0] != '\0'))
                        *to = list[i];
}

static void
read_address(struct message *m, const struct raw_header *h, struct mail_address *to)
{
        if (to->address[0] != '\0')
                return;
        read_mailboxes(m, h->value, h->value_len, to);
        if (to->address[0] == '\0' && strchr(to->name, '<') != NULL &&
            strchr(to->name, '@') != NULL) /* some encode the whole of "Name <a@b>" */
                read_mailboxes(m, to->name, strlen(to->name), to);
}

static void
read_field(struct message *m, const struct raw_header *h)
{
        const char **ids = NULL;
        size_t n_ids = 0;

        if (is_name(h, "From"))
                read_address(m, h, &m->from);
        else if (is_name(h, "Reply-To"))
                read_address(m, h, &m->reply_to);
        else if (is_name(h, "To"))
                mime_header_addresses(
                    m->arena, h->value, h->value_len, &m->to, &m->n_to, MAX_MAILBOXES);
        else if (is_name(h, "Cc"))
                mime_header_addresses(
                    m->arena, h->value, h->value_len, &m->cc, &m->n_cc, MAX_MAILBOXES);
        else if (is_name(h, "Subject") && m->subject[0] == '\0')
                m->subject = mime_header_text(m->arena, h->value, h->value_len);
        else if (is_name(h, "Date") && m->sent_at_us == 0)
                m->sent_at_us = mime_header_date(h->value, h->value_len);
        else if (is_name(h, "In-Reply-To"))
                mime_header_ids(m->arena, h->value, h->value_len, &m->in_reply_to,
                    &m->n_in_reply_to, MAX_IDS);
        else if (is_name(h, "References"))
                mime_header_ids(m->arena, h->value, h->value_len, &m->references,
                    &m->n_references, MAX_IDS);
        else if (is_name(h, "Message-ID") && m->message_id[0] == '\0') {
                mime_header_ids(m->arena, h->value, h->value_len, &ids, &n_ids, 1);
                m->message_id = n_ids > 0 ? ids[0] : "";
        }
}

void
mime_header_read(struct message *m, const char *block, size_t n, size_t max)
{
        struct raw_header h;
        size_t total = 0;
        size_t pos = 0;

        while (mime_prescan_next(block, n, &pos, &h)) {
                struct header *to;

                read_field(m, &h);
                total += h.name_len + h.value_len;
                if (total > max || m->n_headers >= PRESCAN_MAX_HEADERS)
                        continue;
                m->headers =
                    arena_grow(m->arena, m->headers, m->n_headers, sizeof(*m->headers));
                to = &m->headers[m->n_headers++];
                to->name = arena_strndup(m->arena, h.name, h.name_len);
                to->value = mime_header_text(m->arena, h.value, h.value_len);
        }
}
