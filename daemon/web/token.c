/* Signed links and one-time tokens; see token.h. */
#include "daemon/web/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/digest.h"

#define WEEK_S (7 * 86400)
#define AHEAD_S 300 /* a clock may have been set back */

static const char key_ids[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static void
sign(const uint8_t secret[32], const char *text, char out[17])
{
        uint8_t mac[32];

        hmac_sha256(secret, 32, text, strlen(text), mac);
        base32_format(mac, 10, out);
}

static bool
is_signed(const uint8_t secret[32], const char *text, const char *signature)
{
        char right[17];

        sign(secret, text, right);
        return strlen(signature) == 16 && equal_constant_time(right, signature, 16);
}

void
status_token_format(const uint8_t secret[32], const char *ticket, char out[40])
{
        char text[24], signature[17];

        snprintf(text, sizeof text, "s%.19s", ticket);
        sign(secret, text, signature);
        snprintf(out, 40, "%.19s-%s", ticket, signature);
}

bool
status_token_parse(const char *s, token_key_fn key, void *arg, char ticket[20])
{
        size_t n = strspn(s, "0123456789");
        char text[24];

        if (n == 0 || n > 18 || s[n] != '-' || strlen(s + n + 1) != 16)
                return false;
        snprintf(text, sizeof text, "s%.*s", (int)n, s);
        for (const char *id = key_ids; *id != '\0'; id++) {
                const uint8_t *secret = key(arg, *id);

                if (secret == NULL || !is_signed(secret, text, s + n + 1))
                        continue;
                snprintf(ticket, 20, "%.*s", (int)n, s);
                return true;
        }
        return false;
}

void
form_token_format(
    const uint8_t secret[32], char key_id, const char *form, int64_t now_us, char out[64])
{
        uint8_t random[10];
        char id[17], text[200], signature[17];
        long long now_s = now_us / 1000000;

        random_bytes(random, sizeof random);
        base32_format(random, sizeof random, id);
        snprintf(text, sizeof text, "form:%lld:%s:%.120s", now_s, id, form);
        sign(secret, text, signature);
        snprintf(out, 64, "%c%lld.%s.%s", key_id, now_s, id, signature);
}

bool
form_token_parse(const char *s, const char *form, int64_t now_us, token_key_fn key,
    void *arg, char id[17])
{
        int64_t now_s = now_us / 1000000;
        const uint8_t *secret;
        char text[200], *dot;
        long long at_s;

        if (strlen(s) > 60 || strchr(key_ids, s[0]) == NULL || s[0] == '\0' ||
            strspn(s + 1, "0123456789") == 0 || strspn(s + 1, "0123456789") > 12)
                return false;
        at_s = strtoll(s + 1, &dot, 10);
        if (*dot != '.' || strlen(dot) != 34 || dot[17] != '.')
                return false;
        if (at_s > now_s + AHEAD_S || now_s - at_s > WEEK_S)
                return false;
        secret = key(arg, s[0]);
        snprintf(text, sizeof text, "form:%lld:%.16s:%.120s", at_s, dot + 1, form);
        if (secret == NULL || !is_signed(secret, text, dot + 18))
                return false;
        snprintf(id, 17, "%.16s", dot + 1);
        return true;
}
