/*
 * How an element looks, as far as its attributes say: whether its content is seen at
 * all, keeps its blanks, is indented or barred. Pure, linear.
 *
 * Internal to helper_mime_html*.c. Style sheets are not read: what they hide, mail
 * programs without style sheets show too.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_HTML_LOOK_H
#define HELPLINE_CHANNELS_HELPER_MIME_HTML_LOOK_H

#include "channels/helper_mime_html_token.h"

enum html_say { SAYS_NOTHING, SAYS_YES, SAYS_NO };
struct html_look {
        bool hidden; /* nothing of its content is seen */
        enum html_say tiny; /* letters of no size; inherited */
        enum html_say invisible; /* visibility: hidden; inherited */
        enum html_say pre; /* blanks are kept; inherited */
        bool tight; /* a paragraph without a margin */
        bool indented; /* a blockquote that only indents: no bar, a margin */
        bool bar; /* a line at its left */
        bool top_bar; /* a line above it, in Word's units */
};

/* style is cleared and gets the style's text without its comments. */
void html_look(enum html_element e, const struct html_attrs *a, struct buf *style,
    struct html_look *look);

/* A declaration of a style attribute, blanks and "!important" cut off. */
struct html_declaration {
        struct html_value name;
        struct html_value value;
};
/* The next one at *at, which moves behind it; false at the end. */
bool html_declaration(const char **at, const char *end, struct html_declaration *d);
bool html_value_is(const struct html_value *v, const char *word);
/* The number a value begins with, -1 when with none (and of negative ones). */
double html_number(const struct html_value *v);

#endif
