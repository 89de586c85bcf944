/*
 * The words inside a mail that S/MIME signed opaquely (RFC 5652 SignedData): BER walked
 * just so far. The signature is not looked at. Pure and linear.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_CMS_H
#define HELPLINE_CHANNELS_HELPER_MIME_CMS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"

/* Appends the signed content; false when it is no signed data or holds none. */
bool mime_cms_content(struct buf *out, const char *s, size_t n);

#endif
