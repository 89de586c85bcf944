/*
 * RFC 4648 base64 with its padding, as JSON carries bytes.
 */
#ifndef HELPLINE_BASE_BASE64_H
#define HELPLINE_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"

void base64_add(struct buf *out, const void *p, size_t n);
/* The bytes (and a NUL behind them) in the arena; NULL when it is not base64 to the
 * letter: other characters, a wrong length, padding within, bits that are left over. */
char *base64_parse(const char *s, size_t n, struct arena *a, size_t *len);

#endif
