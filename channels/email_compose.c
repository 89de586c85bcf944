/*
 * Mail out: from a record to the bytes of a message; see email_compose.h.
 *
 * Everything passes one of three gates before it gets into a header: words
 * (cleaned, encoded where they are not plain ASCII), addresses (refused unless
 * they are plainly one address) and Message-IDs (dropped unless plainly one).
 * None of them lets a control character through, so no header can be added from
 * outside.
 */
#include "channels/email_compose.h"

#include <string.h>
#include <time.h>

#include "daemon/base/utf8.h"

#define COLUMNS 76 /* of a line, without CRLF */
#define ENCODED_MAX 75 /* of one encoded word */
#define WORD_MAX 900 /* longer ASCII words are encoded, to be cut */
#define ID_MAX 250 /* of a Message-ID that is passed on */
#define NAME_MAX_BYTES 200 /* of a display name */
#define VALUE_MAX 2000 /* of any other header's text */
#define REFERENCES_MAX 900 /* of all of them; the header line limit is 998 */

/* ---- folding ---- */

struct fold { /* a header being written */
        struct buf *out;
        size_t column;
};

static struct fold
fold_begin(struct buf *out, const char *name)
{
        buf_addf(out, "%s:", name);
        return (struct fold){out, strlen(name) + 1};
}

/* A token that cannot be cut, with `blanks` before it; on a new line when it is long. */
static void
fold_token(struct fold *f, const char *blanks, size_t n_blanks, const char *s, size_t n)
{
        if (f->column + n_blanks + n > COLUMNS && f->column > 1) {
                buf_adds(f->out, "\r\n");
                f->column = 0;
        }
        buf_add(f->out, blanks, n_blanks);
        buf_add(f->out, s, n);
        f->column += n_blanks + n;
}

static void
fold_end(struct fold *f)
{
        buf_adds(f->out, "\r\n");
}

/* ---- base64 ---- */

static void
base64_add(struct buf *out, const char *p, size_t n)
{
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const unsigned char *u = (const unsigned char *)p;

        for (; n > 0; u += 3) {
                uint32_t v = (uint32_t)u[0] << 16;
                size_t k = n < 3 ? n : 3;

                if (k > 1)
                        v |= (uint32_t)u[1] << 8;
                if (k > 2)
                        v |= u[2];
                buf_addc(out, digits[v >> 18]);
                buf_addc(out, digits[v >> 12 & 63]);
                buf_addc(out, k > 1 ? digits[v >> 6 & 63] : '=');
                buf_addc(out, k > 2 ? digits[v & 63] : '=');
                n -= k;
        }
}

/* ---- words ---- */

/* Clean UTF-8 in one line: cut, controls gone, line ends and tabs are blanks, trimmed. */
static void
one_line(struct buf *out, const char *s, size_t max)
{
        size_t from = 0;

        utf8_add_clean(out, s, utf8_cut(s, strlen(s), max));
        for (size_t i = 0; i < out->len; i++)
                if (out->data[i] == '\n' || out->data[i] == '\t')
                        out->data[i] = ' ';
        while (from < out->len && out->data[from] == ' ')
                from++;
        buf_consume(out, from);
        while (out->len > 0 && out->data[out->len - 1] == ' ')
                out->data[--out->len] = '\0';
}

static bool
word_is_plain(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (s[i] <= ' ' || s[i] >= 0x7f)
                        return false;
        return n <= WORD_MAX && memmem(s, n, "=?", 2) == NULL;
}

/* All of s as encoded words, each cut between characters. */
static void
fold_encoded(struct fold *f, const char *s, size_t n)
{
        static const char head[] = "=?utf-8?B?";
        const size_t most = (ENCODED_MAX - sizeof head + 1 - 2) / 4 * 3;

        while (n > 0) {
                struct buf word AUTO_BUF = BUF_INIT;
                size_t room = most, k;

                /* the rest of a line that has begun, when a few characters fit there */
                if (f->column + 1 + sizeof head + 1 + 16 < COLUMNS)
                        room = (COLUMNS - f->column - 1 - sizeof head + 1 - 2) / 4 * 3;
                k = utf8_cut(s, n, room < most ? room : most);
                if (k == 0)
                        k = n < most ? n : most; /* cannot be: it is clean UTF-8 */
                buf_adds(&word, head);
                base64_add(&word, s, k);
                buf_adds(&word, "?=");
                fold_token(f, " ", 1, word.data, word.len);
                s += k;
                n -= k;
        }
}

/* Plain words as they are, from the first that is not plain all encoded: tags and
 * "Re:" stay legible, and no blank is lost between two encoded words. */
static void
fold_words(struct fold *f, const char *s, size_t n)
{
        size_t at = 0;
        bool first = true;

        while (at < n) {
                size_t blanks = at, word;

                while (blanks < n && s[blanks] == ' ')
                        blanks++;
                word = blanks;
                while (word < n && s[word] != ' ')
                        word++;
                if (!word_is_plain(s + blanks, word - blanks) || blanks - at > 20) {
                        size_t from = first ? at : at + 1;

                        fold_encoded(f, s + from, n - from);
                        return;
                }
                if (first)
                        fold_token(f, " ", 1, s + blanks, word - blanks);
                else
                        fold_token(f, s + at, blanks - at, s + blanks, word - blanks);
                first = false;
                at = word;
        }
}

void
mail_header_add(struct buf *out, const char *name, const char *value)
{
        struct buf clean AUTO_BUF = BUF_INIT;
        struct fold f = fold_begin(out, name);

        one_line(&clean, value, VALUE_MAX);
        if (clean.len > 0)
                fold_words(&f, clean.data, clean.len);
        fold_end(&f);
}

/* ---- addresses ---- */

static bool
is_atext(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Dots and atoms, or one quoted string. */
static bool
local_is_plain(const char *s, size_t n)
{
        if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
                for (size_t i = 1; i < n - 1; i++) {
                        if (s[i] == '\\' && i + 1 < n - 1)
                                i++;
                        else if (s[i] == '"' || s[i] == '\\')
                                return false;
                }
                return true;
        }
        for (size_t i = 0; i < n; i++)
                if (!is_atext(s[i]) && s[i] != '.')
                        return false;
        return n > 0;
}

/* Plainly one address, ASCII, that means the same in a header and in an envelope? */
bool
mail_address_is_plain(const char *s)
{
        const char *at = strrchr(s, '@');
        const char *d = at == NULL ? "" : at + 1;
        size_t n = strlen(d);

        if (!address_is_safe(s) || at == NULL || n == 0)
                return false;
        for (const char *p = s; *p != '\0'; p++)
                if (*p <= ' ' || *p >= 0x7f)
                        return false;
        if (*d == '[')
                return local_is_plain(s, (size_t)(at - s)) && d[n - 1] == ']' &&
                       strcspn(d + 1, "[]\\()<>,;\"") == n - 2;
        for (const char *p = d; *p != '\0'; p++)
                if (!is_atext(*p) && *p != '.')
                        return false;
        return local_is_plain(s, (size_t)(at - s));
}

/* A display name: atoms as they are, other ASCII in quotes, the rest encoded. */
static void
fold_name(struct fold *f, const char *s, size_t n)
{
        struct buf quoted AUTO_BUF = BUF_INIT;
        bool atoms = true, ascii = true;

        for (size_t i = 0; i < n; i++) {
                atoms = atoms && (is_atext(s[i]) || s[i] == ' ');
                ascii = ascii && s[i] >= ' ' && s[i] < 0x7f;
        }
        if (!ascii || n > COLUMNS - 10 || memmem(s, n, "=?", 2) != NULL) {
                fold_encoded(f, s, n);
        } else if (atoms) {
                fold_words(f, s, n);
        } else {
                buf_addc(&quoted, '"');
                for (size_t i = 0; i < n; i++) {
                        if (s[i] == '"' || s[i] == '\\')
                                buf_addc(&quoted, '\\');
                        buf_addc(&quoted, s[i]);
                }
                buf_addc(&quoted, '"');
                fold_token(f, " ", 1, quoted.data, quoted.len);
        }
}

static int
addresses_add(struct buf *out, const char *name, const struct mail_address *list,
    size_t n, struct err *err)
{
        struct fold f = fold_begin(out, name);

        for (size_t i = 0; i < n; i++) {
                struct buf words AUTO_BUF = BUF_INIT, token AUTO_BUF = BUF_INIT;
                const char *comma = i + 1 < n ? "," : "";

                if (!mail_address_is_plain(list[i].address))
                        return err_set(err, ERR_REJECT,
                            "'%s' is no address a mail can be sent to", list[i].address);
                one_line(&words, list[i].name, NAME_MAX_BYTES);
                if (words.len > 0) {
                        fold_name(&f, words.data, words.len);
                        buf_addf(&token, "<%s>%s", list[i].address, comma);
                } else {
                        buf_addf(&token, "%s%s", list[i].address, comma);
                }
                fold_token(&f, " ", 1, token.data, token.len);
        }
        fold_end(&f);
        return 0;
}

/* ---- Message-IDs ---- */

static bool
id_is_plain(const char *s)
{
        size_t n = 0;

        for (; s[n] != '\0'; n++)
                if (s[n] <= ' ' || s[n] >= 0x7f || s[n] == '<' || s[n] == '>')
                        return false;
        return n > 0 && n <= ID_MAX;
}

static void
fold_id(struct fold *f, const char *id)
{
        char token[ID_MAX + 3];
        size_t n = strlen(id);

        token[0] = '<';
        memcpy(token + 1, id, n);
        token[n + 1] = '>';
        fold_token(f, " ", 1, token, n + 2);
}

/* The first, then as many of the last as there is room for; what is answered is the
 * last of them. */
static void
references_add(struct buf *out, const struct mail_out *m)
{
        const char *parent = id_is_plain(m->in_reply_to) ? m->in_reply_to : NULL;
        const char *first = NULL;
        size_t from = m->n_references, room = REFERENCES_MAX, at = 0;
        struct fold f;

        while (at < m->n_references && first == NULL) {
                if (id_is_plain(m->references[at]))
                        first = m->references[at];
                at++;
        }
        if (first == NULL && parent == NULL)
                return;
        room -= (parent == NULL ? 0 : strlen(parent) + 3) +
                (first == NULL ? 0 : strlen(first) + 3);
        for (; from > at; from--) {
                const char *id = m->references[from - 1];

                if (!id_is_plain(id) || (parent != NULL && strcmp(id, parent) == 0))
                        continue;
                if (strlen(id) + 3 > room)
                        break;
                room -= strlen(id) + 3;
        }
        f = fold_begin(out, "References");
        if (first != NULL && (parent == NULL || strcmp(first, parent) != 0))
                fold_id(&f, first);
        for (; from < m->n_references; from++) {
                const char *id = m->references[from];

                if (id_is_plain(id) && (parent == NULL || strcmp(id, parent) != 0))
                        fold_id(&f, id);
        }
        if (parent != NULL)
                fold_id(&f, parent);
        fold_end(&f);
}

static int
ids_add(struct buf *out, const struct mail_out *m, struct err *err)
{
        struct fold f;

        if (!id_is_plain(m->message_id))
                return err_set(
                    err, ERR_REJECT, "'%.100s' is no Message-ID", m->message_id);
        f = fold_begin(out, "Message-ID");
        fold_id(&f, m->message_id);
        fold_end(&f);
        if (id_is_plain(m->in_reply_to)) {
                f = fold_begin(out, "In-Reply-To");
                fold_id(&f, m->in_reply_to);
                fold_end(&f);
        }
        references_add(out, m);
        return 0;
}

/* ---- date ---- */

static void
date_add(struct buf *out, int64_t us)
{
        static const char days[] = "SunMonTueWedThuFriSat";
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t t = (time_t)(us / 1000000);
        struct tm tm;

        gmtime_r(&t, &tm);
        buf_addf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n",
            days + tm.tm_wday % 7 * 3, tm.tm_mday, months + tm.tm_mon % 12 * 3,
            tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- the text ---- */

/* ASCII, no long line, no line that a mailbox would change? Then it goes as it is. */
static bool
text_is_7bit(const char *s, size_t n)
{
        size_t line = 0;

        for (size_t i = 0; i < n; i++) {
                if (s[i] == '\n') {
                        if (line > 0 && s[i - 1] == ' ')
                                return false;
                        line = 0;
                        continue;
                }
                if (s[i] == '\0' || s[i] >= 0x7f || (s[i] < ' ' && s[i] != '\t'))
                        return false;
                if (line++ == 0 && strncmp(s + i, "From ", 5) == 0)
                        return false;
                if (line > 78)
                        return false;
        }
        return true;
}

static void
text_as_it_is(struct buf *out, const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '\n')
                        buf_addc(out, '\r');
                buf_addc(out, s[i]);
        }
}

/* May the byte at s[i] stand for itself? At the beginning of a line "." and the F of
 * "From " may not, at its end a blank may not. */
static bool
qp_is_plain(const char *s, size_t n, size_t i, size_t column)
{
        char c = s[i];

        if (column == 0 && (c == '.' || c == 'F'))
                return false;
        if (c == ' ' || c == '\t')
                return i + 1 < n && s[i + 1] != '\n';
        return c > ' ' && c < 0x7f && c != '=';
}

static void
text_as_qp(struct buf *out, const char *s, size_t n)
{
        size_t column = 0;

        for (size_t i = 0; i < n; i++) {
                bool plain;

                if (s[i] == '\n') {
                        buf_adds(out, "\r\n");
                        column = 0;
                        continue;
                }
                if (column + 3 > COLUMNS - 1) {
                        buf_adds(out, "=\r\n");
                        column = 0;
                }
                plain = qp_is_plain(s, n, i, column);
                if (plain)
                        buf_addc(out, s[i]);
                else
                        buf_addf(out, "=%02X", (unsigned char)s[i]);
                column += plain ? 1 : 3;
        }
}

static void
text_as_base64(struct buf *out, const char *s, size_t n)
{
        struct buf crlf AUTO_BUF = BUF_INIT;

        text_as_it_is(&crlf, s, n);
        for (size_t at = 0; at < crlf.len; at += 57) {
                size_t k = crlf.len - at < 57 ? crlf.len - at : 57;

                base64_add(out, crlf.data + at, k);
                buf_adds(out, "\r\n");
        }
}

static void
text_add(struct buf *out, const char *text)
{
        struct buf clean AUTO_BUF = BUF_INIT, qp AUTO_BUF = BUF_INIT;
        struct buf base64 AUTO_BUF = BUF_INIT;
        const struct buf *body = &qp;
        const char *how = "quoted-printable";

        utf8_add_clean(&clean, text, strlen(text));
        if (clean.len == 0 || clean.data[clean.len - 1] != '\n')
                buf_addc(&clean, '\n');
        if (text_is_7bit(clean.data, clean.len)) {
                how = "7bit";
                text_as_it_is(&qp, clean.data, clean.len);
        } else {
                text_as_qp(&qp, clean.data, clean.len);
                text_as_base64(&base64, clean.data, clean.len);
                if (base64.len < qp.len) {
                        how = "base64";
                        body = &base64;
                }
        }
        buf_addf(out, "Content-Transfer-Encoding: %s\r\n\r\n", how);
        buf_add(out, body->data, body->len);
}

static bool
language_is_plain(const char *s)
{
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

        return n > 0 && n < 20 && s[n] == '\0';
}

int
mail_compose(const struct mail_out *m, struct buf *out, struct err *err)
{
        date_add(out, m->date_us);
        if (addresses_add(out, "From", &m->from, 1, err) == -1)
                return -1;
        if (m->n_to == 0)
                buf_adds(out, "To: undisclosed-recipients:;\r\n");
        else if (addresses_add(out, "To", m->to, m->n_to, err) == -1)
                return -1;
        if (m->n_cc > 0 && addresses_add(out, "Cc", m->cc, m->n_cc, err) == -1)
                return -1;
        mail_header_add(out, "Subject", m->subject);
        if (ids_add(out, m, err) == -1)
                return -1;
        if (m->is_automatic)
                buf_adds(out, "Auto-Submitted: auto-replied\r\n"
                              "X-Auto-Response-Suppress: All\r\n");
        buf_adds(out, "MIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\n");
        if (language_is_plain(m->language))
                buf_addf(out, "Content-Language: %s\r\n", m->language);
        text_add(out, m->text);
        return 0;
}
