/*
 * HTML -> text, in linear time whatever the input: a tokenizer, no tree. Pure.
 *
 * Paragraphs, lists, table cells, quotes ("> "), links ("text <address>"),
 * images' alternative texts; scripts, styles and titles are left out. Broken
 * HTML gives some text, never an error.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_HTML_H
#define HELPLINE_CHANNELS_HELPER_MIME_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "channels/helper_mime_trim.h"
#include "daemon/base/buf.h"

/* Appends the text of n bytes of UTF-8 HTML to out, at most max bytes; no blanks
 * at its ends, never two empty lines together. True when it was cut. */
bool mime_html_text(struct buf *out, const char *html, size_t n, size_t max);

/* The same, and where the HTML itself says that a quote or a signature stands (may be
 * NULL). The caller frees the marks. */
bool mime_html_text_marked(
    struct buf *out, const char *html, size_t n, size_t max, struct text_marks *marks);

/* Appends the HTML with only what is harmless (an allow-list of elements, attributes and
 * address schemes; no styles that hide or load, nothing fetched by itself: images only
 * as cid: of this mail), well-formed, at most max bytes (elements closed). True when it
 * was cut. */
bool mime_html_clean(struct buf *out, const char *html, size_t n, size_t max);

/* The charset named in a <meta> of the first 2 KB (any ASCII-like encoding);
 * "" when none. */
void mime_html_charset(const char *html, size_t n, char out[40]);

#endif
