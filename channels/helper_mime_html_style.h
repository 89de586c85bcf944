/*
 * What may stay of a style and of the values of attributes in sanitised HTML. Pure.
 *
 * Internal to helper_mime_html*.c. All of it is an allow-list: a value stays when it was
 * understood whole, and is gone otherwise.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_HTML_STYLE_H
#define HELPLINE_CHANNELS_HELPER_MIME_HTML_STYLE_H

#include "channels/helper_mime_html_token.h"

/* Appends the declarations of a style that neither load, hide, move nor cover anything,
 * in lower case. */
void html_style_clean(const char *style, size_t n, struct buf *out);

/* A colour: "#fff", "red", "rgb(1, 2, 3)". */
bool html_is_color(const struct html_value *v);
/* A length of min..max px with its unit, "%" counted of 1000 px. */
bool html_is_length(const struct html_value *v, double min, double max);
/* Letters and hyphens, maybe blanks between. */
bool html_is_words(const struct html_value *v);

/* An address that a link may have (http, https, mailto, tel), as it is to be written;
 * out is cleared first. False: none. */
bool html_address_clean(const char *s, size_t n, struct buf *out);

#endif
