/*
 * Bytes of a text in some charset -> clean UTF-8. Never loses a text: what no
 * label explains is guessed, and what no guess explains keeps its ASCII.
 *
 * Order: a byte order mark, UTF-16 by its zeros, escape sequences, UTF-8 where it fits,
 * the declared charset where the letters do not refute it, then by letter frequency
 * (helper_mime_guess.h).
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
        /* a constant: "declared" (also plain ASCII), "valid UTF-8", "mostly UTF-8",
         * "byte order mark", "byte order", "escape sequences", "encoded twice",
         * "letter frequency", "no charset fits" */
        const char *why;
};
bool mime_text_decode_as(struct buf *out, const char *s, size_t n, const char *charset,
    size_t max, struct charset_verdict *v);

/* The same; hint (iconv's name, "" none) is what other parts of the mail are written in:
 * it decides where the letters do not. */
bool mime_text_decode_near(struct buf *out, const char *s, size_t n, const char *charset,
    const char *hint, size_t max, struct charset_verdict *v);
/* True: the bytes are no text in any charset that is known here. */
bool charset_verdict_is_garbage(const struct charset_verdict *v);
/* True: as declared (or plain ASCII), nothing an administrator would ask about. */
bool charset_verdict_is_ordinary(const struct charset_verdict *v);

/* Reads a label as it came ("\"cp-1251; format=flowed", "3Dutf-8", NULL): in declared
 * what it says, in name what iconv calls that, "" when it says nothing. A label that
 * nobody knows comes out in capitals. */
void mime_text_label(const char *label, char declared[40], char name[40]);
/* What a byte means in a single-byte charset (iconv's name), 0: nothing. */
unsigned mime_text_code_point(const char *charset, unsigned char byte);

/* The charset that bytes without (or with a wrong) label most likely have. */
const char *mime_text_guess(const char *s, size_t n);

/* RFC 3676: joins the flowed lines of text in place (DelSp as declared), keeping
 * quote depth. */
void mime_text_unflow(struct buf *text, bool delsp);

#endif
