/*
 * base64; see base64.h. Strict: one text has one form, so that a repeated command has
 * the same words.
 */
#include "daemon/base/base64.h"

#include <stdint.h>
#include <string.h>

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_add(struct buf *out, const void *p, size_t n)
{
        const uint8_t *s = p;

        buf_reserve(out, (n + 2) / 3 * 4);
        for (size_t i = 0; i < n; i += 3) {
                uint32_t v = (uint32_t)s[i] << 16;

                v |= i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0;
                v |= i + 2 < n ? s[i + 2] : 0;
                buf_addc(out, letters[v >> 18]);
                buf_addc(out, letters[v >> 12 & 63]);
                buf_addc(out, (char)(i + 1 < n ? letters[v >> 6 & 63] : '='));
                buf_addc(out, (char)(i + 2 < n ? letters[v & 63] : '='));
        }
}

/* 0 to 63; -1: no letter of base64. */
static int
letter_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char *
base64_parse(const char *s, size_t n, struct arena *a, size_t *len)
{
        size_t n_letters = n, n_out = 0;
        uint32_t bits = 0;
        char *out;

        if (n % 4 != 0)
                return NULL;
        for (int i = 0; i < 2 && n_letters > 0 && s[n_letters - 1] == '='; i++)
                n_letters--;
        out = arena_alloc(a, n_letters / 4 * 3 + 4);
        for (size_t i = 0; i < n_letters; i++) {
                int v = letter_value(s[i]);

                if (v < 0)
                        return NULL;
                bits = bits << 6 | (uint32_t)v;
                if (i % 4 != 0)
                        out[n_out++] = (char)(bits >> (6 - 2 * (i % 4)));
        }
        if ((n_letters % 4 == 2 && (bits & 15) != 0) ||
            (n_letters % 4 == 3 && (bits & 3) != 0))
                return NULL;
        out[n_out] = '\0';
        *len = n_out;
        return out;
}
