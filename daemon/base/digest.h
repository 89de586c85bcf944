/*
 * Digests and tokens: SHA-256, HMAC-SHA-256, random bytes, base32, base64url
 * (OpenSSL's home is daemon/base).
 */
#ifndef HELPLINE_BASE_DIGEST_H
#define HELPLINE_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sha256; /* a running digest */
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *s, const void *p, size_t n);
/* Ends and frees it; out gets 64 lower-case hex digits and a NUL. */
void sha256_end(struct sha256 **s, char out[65]);
/* Ends it like sha256_end and begins anew: cheaper than a new one. */
void sha256_restart(struct sha256 *s, char out[65]);
/* All at once. */
void sha256_hex(const void *p, size_t n, char out[65]);
void
hmac_sha256(const void *key, size_t key_len, const void *p, size_t n, uint8_t out[32]);

/* n random bytes (getrandom; ends the process when there are none). */
void random_bytes(void *p, size_t n);
/* Equal? In time that does not depend on where they differ. */
bool equal_constant_time(const void *a, const void *b, size_t n);

/* RFC 4648 base32 in lower case without padding: out needs (n*8+4)/5+1 bytes. */
void base32_format(const uint8_t *p, size_t n, char *out);
/* RFC 4648 base64url without padding: out needs (n*4+2)/3+1 bytes. */
void base64url_format(const uint8_t *p, size_t n, char *out);
/* Lower-case hex: out needs 2n+1 bytes. */
void hex_format(const uint8_t *p, size_t n, char *out);
/* CRC-32C (Castagnoli), for records on disk; start with 0. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
