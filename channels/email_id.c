/*
 * Our Message-IDs and subject tags; see email_id.h. A signature is over ticket
 * and entry only: the domain may be rewritten on the way, the rest may not.
 */
#include "channels/email_id.h"

#include <string.h>
#include <strings.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"

#define SIGNED_BYTES 10 /* 80 bits, 16 characters */

static void
id_sign(const char *ticket, const char *entry, const uint8_t secret[32], char out[17])
{
        struct buf b AUTO_BUF = BUF_INIT;
        uint8_t mac[32];

        buf_addf(&b, "t%s.e%s", ticket, entry);
        hmac_sha256(secret, 32, b.data, b.len, mac);
        base32_format(mac, SIGNED_BYTES, out);
}

const char *
email_id_format(struct arena *a, const char *ticket, const char *entry, char key_id,
    const uint8_t secret[32], const char *domain)
{
        char signature[17];

        id_sign(ticket, entry, secret, signature);
        return arena_printf(
            a, "t%s.e%s.%c%s@%s", ticket, entry, key_id, signature, domain);
}

/* Digits without a leading zero into out[20]; NULL when there are none or too many. */
static const char *
id_number(const char *p, char out[20])
{
        size_t n = strspn(p, "0123456789");

        if (n == 0 || n > 18 || *p == '0')
                return NULL;
        memcpy(out, p, n);
        out[n] = '\0';
        return p + n;
}

static char
lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool
email_id_parse(const char *s, struct email_id *out)
{
        memset(out, 0, sizeof *out);
        if (lower(*s) != 't' || (s = id_number(s + 1, out->ticket)) == NULL)
                return false;
        if (s[0] != '.' || lower(s[1]) != 'e' ||
            (s = id_number(s + 2, out->entry)) == NULL || *s++ != '.')
                return false;
        out->key_id = lower(*s);
        if (!((out->key_id >= 'a' && out->key_id <= 'z') ||
                (out->key_id >= '0' && out->key_id <= '9')))
                return false;
        s++;
        for (size_t i = 0; i < 16; i++, s++) {
                char c = lower(*s);

                if (!((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')))
                        return false;
                out->signature[i] = c;
        }
        return s[0] == '@' && s[1] != '\0';
}

bool
email_id_verify(const struct email_id *id, const uint8_t secret[32])
{
        char signature[17];

        id_sign(id->ticket, id->entry, secret, signature);
        return equal_constant_time(signature, id->signature, 16);
}

/* Bytes of the subject tag that begins at s, 0 none. */
static size_t
tag_length(const char *s, char ticket[20])
{
        const char *end;

        if (s[0] != '[' || s[1] != '#' || (end = id_number(s + 2, ticket)) == NULL ||
            *end != ']')
                return 0;
        return (size_t)(end - s) + 1;
}

bool
subject_tag_find(const char *subject, char ticket[20])
{
        for (const char *p = subject; (p = strchr(p, '[')) != NULL; p++)
                if (tag_length(p, ticket) > 0)
                        return true;
        return false;
}

static bool
is_blank(char c)
{
        return c == ' ' || c == '\t';
}

const char *
subject_strip(struct arena *a, const char *subject)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char ticket[20];

        while (*subject != '\0') {
                size_t n = tag_length(subject, ticket);

                if (n == 0) {
                        buf_addc(&b, *subject++);
                        continue;
                }
                subject += n + strspn(subject + n, " \t");
                while (b.len > 0 && is_blank(b.data[b.len - 1]))
                        b.len--;
                if (b.len > 0 && *subject != '\0')
                        buf_addc(&b, ' ');
        }
        return arena_strndup(a, b.len == 0 ? "" : b.data, b.len);
}

/* Bytes of an answer's prefix ("Re:", "RE[2]:", "Ответ:") and the blanks behind it. */
static size_t
prefix_length(const char *s)
{
        static const char *const words[] = {
            "re", "aw", "sv", "Отв", "ОТВ", "отв", "Ответ", "ОТВЕТ", "ответ"};

        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
                size_t n = strlen(words[i]);

                if (strncasecmp(s, words[i], n) != 0)
                        continue;
                if (s[n] == '[' || s[n] == '(') {
                        n += 1 + strspn(s + n + 1, "0123456789");
                        if (s[n] != ']' && s[n] != ')')
                                continue;
                        n++;
                }
                if (s[n] == ':')
                        return n + 1 + strspn(s + n + 1, " \t");
        }
        return 0;
}

const char *
subject_for_answer(struct arena *a, const char *ticket, const char *subject, bool re)
{
        const char *rest = subject_strip(a, subject);
        size_t n;

        rest += strspn(rest, " \t");
        while (re && (n = prefix_length(rest)) > 0)
                rest += n;
        if (*rest == '\0')
                return arena_printf(a, "[#%s]", ticket);
        return arena_printf(a, "[#%s] %s%s", ticket, re ? "Re: " : "", rest);
}
