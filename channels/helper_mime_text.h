/*
 * Bytes of a text in some charset -> clean UTF-8. Never loses a text: what no
 * label explains is guessed, and what no guess explains keeps its ASCII.
 *
 * Order: a byte order mark, UTF-8 where it fits, the declared charset, then by
 * letter frequency windows-1251, KOI8-R or windows-1252.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_TEXT_H
#define HELPLINE_CHANNELS_HELPER_MIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"

/* Opens the converters of all usual charsets, so that none is loaded from disk
 * once files are forbidden. Call once, before the filter; others are unknown
 * from then on. */
void mime_text_preload(void);

/* Appends n bytes declared as charset ("" or NULL: nothing declared) to out as
 * clean UTF-8 (utf8_add_clean), at most max bytes. True when it was cut. */
bool mime_text_decode(
    struct buf *out, const char *s, size_t n, const char *charset, size_t max);

/* The same, and what it was taken for and why. */
struct charset_verdict {
        char charset[40]; /* as iconv calls it: "KOI8-R" */
        char declared[40]; /* what the label said, "" nothing */
        const char
            *why; /* a constant: "declared", "valid UTF-8", "letter frequency" ... */
};
bool mime_text_decode_as(struct buf *out, const char *s, size_t n, const char *charset,
    size_t max, struct charset_verdict *v);

/* The charset that bytes without (or with a wrong) label most likely have. */
const char *mime_text_guess(const char *s, size_t n);

/* RFC 3676: joins the flowed lines of text in place (DelSp as declared), keeping
 * quote depth. */
void mime_text_unflow(struct buf *text, bool delsp);

#endif
