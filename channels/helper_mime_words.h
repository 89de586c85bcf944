/*
 * How a raw header value becomes text: folds, encoded words (RFC 2047), raw bytes
 * beyond ASCII. For the readers of header fields; others use helper_mime_header.h.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_WORDS_H
#define HELPLINE_CHANNELS_HELPER_MIME_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/arena.h"
#include "daemon/base/buf.h"

/* What the readers of one mail's header know and learn. */
struct words {
        const char *hint; /* iconv's name of what raw bytes likely are, "" unknown */
        struct charset_verdict verdict; /* of the first text that was not as declared */
        bool odd; /* verdict is set */
};

/* Bytes of the encoded word that begins at s, 0: none does. One that never ends goes up
 * to the next one or to the end. */
size_t words_length(const char *s, size_t n);
/* Appends the value as one clean line. */
void words_decode(struct words *w, struct buf *out, const char *raw, size_t n);
/* The same as a string in the arena, blanks at its ends removed. */
const char *words_text(struct words *w, struct arena *a, const char *raw, size_t n);

/* base64 and the Q encoding of RFC 2047, percent escapes; what is none of them stays or
 * is left out, nothing fails. */
void words_add_base64(struct buf *out, const char *s, size_t n);
void words_add_percent(struct buf *out, const char *s, size_t n);

#endif
