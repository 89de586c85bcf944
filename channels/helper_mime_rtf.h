/*
 * RTF as Outlook keeps bodies in: unpacked ([MS-OXRTFCP]) and made text, or the HTML
 * that was wrapped in it ([MS-OXRTFEX]). Pure and linear.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_RTF_H
#define HELPLINE_CHANNELS_HELPER_MIME_RTF_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"

/* Appends the unpacked RTF, at most max bytes; false when it is none. */
bool mime_rtf_unpack(struct buf *out, const char *s, size_t n, size_t max);

/* Appends what an RTF says as UTF-8, at most about max bytes. *is_html: it is the HTML
 * that was wrapped in it. */
void mime_rtf_text(struct buf *out, const char *s, size_t n, size_t max, bool *is_html);

#endif
