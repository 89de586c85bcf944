/* Digests and tokens; see digest.h. */
#include "daemon/base/digest.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "daemon/base/arena.h"

struct sha256 {
        EVP_MD_CTX *ctx;
};

static void
digest_check(int ok)
{
        if (ok == 1)
                return;
        fputs("helpline: libcrypto failed\n", stderr);
        abort();
}

struct sha256 *
sha256_new(void)
{
        struct sha256 *s = xcalloc(1, sizeof *s);

        s->ctx = EVP_MD_CTX_new();
        digest_check(
            s->ctx != NULL && EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) == 1);
        return s;
}

void
sha256_add(struct sha256 *s, const void *p, size_t n)
{
        digest_check(EVP_DigestUpdate(s->ctx, p, n));
}

void
sha256_end(struct sha256 **sp, char out[65])
{
        uint8_t md[EVP_MAX_MD_SIZE];

        digest_check(EVP_DigestFinal_ex((*sp)->ctx, md, NULL));
        EVP_MD_CTX_free((*sp)->ctx);
        free(*sp);
        *sp = NULL;
        hex_format(md, 32, out);
}

void
sha256_restart(struct sha256 *s, char out[65])
{
        uint8_t md[EVP_MAX_MD_SIZE];

        digest_check(EVP_DigestFinal_ex(s->ctx, md, NULL));
        digest_check(EVP_DigestInit_ex(s->ctx, NULL, NULL));
        hex_format(md, 32, out);
}

void
sha256_hex(const void *p, size_t n, char out[65])
{
        struct sha256 *s = sha256_new();

        sha256_add(s, p, n);
        sha256_end(&s, out);
}

void
hmac_sha256(const void *key, size_t key_len, const void *p, size_t n, uint8_t out[32])
{
        unsigned len = 32;

        digest_check(HMAC(EVP_sha256(), key, (int)key_len, p, n, out, &len) != NULL);
}

void
random_bytes(void *p, size_t n)
{
        char *at = p;

        while (n > 0) {
                ssize_t got = getrandom(at, n, 0);

                if (got == -1 && errno == EINTR)
                        continue;
                if (got <= 0) {
                        fputs("helpline: no random bytes\n", stderr);
                        abort();
                }
                at += got;
                n -= (size_t)got;
        }
}

bool
equal_constant_time(const void *a, const void *b, size_t n)
{
        return CRYPTO_memcmp(a, b, n) == 0;
}

static void
base_format(const uint8_t *p, size_t n, unsigned bits, const char *alphabet, char *out)
{
        uint32_t acc = 0;
        unsigned have = 0;

        for (size_t i = 0; i < n; i++) {
                acc = acc << 8 | p[i];
                for (have += 8; have >= bits; have -= bits)
                        *out++ = alphabet[acc >> (have - bits) & ((1u << bits) - 1)];
        }
        if (have > 0)
                *out++ = alphabet[acc << (bits - have) & ((1u << bits) - 1)];
        *out = '\0';
}

void
base32_format(const uint8_t *p, size_t n, char *out)
{
        base_format(p, n, 5, "abcdefghijklmnopqrstuvwxyz234567", out);
}

void
base64url_format(const uint8_t *p, size_t n, char *out)
{
        base_format(p, n, 6,
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", out);
}

void
hex_format(const uint8_t *p, size_t n, char *out)
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                *out++ = digits[p[i] >> 4];
                *out++ = digits[p[i] & 15];
        }
        *out = '\0';
}

static uint32_t crc_table[256];

static void
crc_table_make(void)
{
        for (uint32_t i = 0; i < 256; i++) {
                uint32_t c = i;

                for (int k = 0; k < 8; k++)
                        c = c & 1 ? 0x82f63b78u ^ c >> 1 : c >> 1;
                crc_table[i] = c;
        }
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
        static pthread_once_t once =
            PTHREAD_ONCE_INIT; /* the disk thread comes here, too */
        const uint8_t *s = p;

        pthread_once(&once, crc_table_make);
        crc = ~crc;
        while (n-- > 0)
                crc = crc_table[(crc ^ *s++) & 0xff] ^ crc >> 8;
        return ~crc;
}
