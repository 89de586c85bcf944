/*
 * What is new in a text: without quotes, signature, banners, legal footers. Pure and
 * linear in the text, whatever it holds; the words of languages are a table.
 *
 * Answers above, below and between quotes are kept; a text that is only a quote (or
 * only a forward) keeps itself: never trimmed to nothing.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_TRIM_H
#define HELPLINE_CHANNELS_HELPER_MIME_TRIM_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"
#include "daemon/model/message.h"

/* What the HTML said of a range of the text made from it. Ranges ascend, apart. */
enum text_mark_kind {
        TEXT_QUOTE, /* gmail_quote, a blockquote of an answer, divRplyFwdMsg ... */
        TEXT_SIGNATURE /* gmail_signature, moz-signature ... */
};
struct text_mark {
        enum text_mark_kind kind;
        size_t from, to; /* bytes of the text */
};
struct text_marks {
        struct text_mark *list; /* NULL: none */
        size_t n;
};
void text_marks_free(struct text_marks *m);

/* Sets m->new_text ("" when nothing was taken away) from m->text, m->forwarded when the
 * text holds a forwarded mail (and m->forwarded is NULL), and findings "trim". marks
 * may be NULL: the text came as text. */
void mime_trim(struct message *m, const struct text_marks *marks);

#endif
