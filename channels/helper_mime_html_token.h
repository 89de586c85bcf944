/*
 * The words of HTML: tags, texts, attributes, character references. Pure, and linear:
 * the reader only goes forward, and what it once looked for in vain (the end of a quote,
 * of a comment, of a script) it never looks for again.
 *
 * Internal to helper_mime_html*.c. Who comes to know elements enters them in the list
 * of helper_mime_html_token.c.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_HTML_TOKEN_H
#define HELPLINE_CHANNELS_HELPER_MIME_HTML_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"

#define HTML_MAX_NAME 23

/* Sorted by name; HTML_OTHER is every other one. */
/* clang-format off */
enum html_element {
        HTML_A, HTML_ABBR, HTML_ADDRESS, HTML_AREA, HTML_ARTICLE, HTML_ASIDE,
        HTML_B, HTML_BASE, HTML_BIG, HTML_BLOCKQUOTE, HTML_BODY, HTML_BR, HTML_BUTTON,
        HTML_CAPTION, HTML_CENTER, HTML_CITE, HTML_CODE, HTML_COL, HTML_COLGROUP,
        HTML_DD, HTML_DEL, HTML_DETAILS, HTML_DFN, HTML_DIR, HTML_DIV, HTML_DL, HTML_DT,
        HTML_EM, HTML_EMBED, HTML_FIELDSET, HTML_FIGCAPTION, HTML_FIGURE, HTML_FONT,
        HTML_FOOTER, HTML_FORM, HTML_FRAME, HTML_H1, HTML_H2, HTML_H3, HTML_H4, HTML_H5,
        HTML_H6, HTML_HEAD, HTML_HEADER, HTML_HR, HTML_HTML, HTML_I, HTML_IFRAME,
        HTML_IMG, HTML_INPUT, HTML_INS, HTML_KBD, HTML_LI, HTML_LINK, HTML_LISTING,
        HTML_MAIN, HTML_MARK, HTML_MATH, HTML_MENU, HTML_META, HTML_NAV, HTML_NOBR,
        HTML_OBJECT, HTML_OL, HTML_OPTGROUP, HTML_OPTION, HTML_P, HTML_PARAM,
        HTML_PLAINTEXT, HTML_PRE, HTML_Q, HTML_S, HTML_SAMP, HTML_SCRIPT, HTML_SECTION,
        HTML_SELECT, HTML_SMALL, HTML_SOURCE, HTML_SPAN, HTML_STRIKE, HTML_STRONG,
        HTML_STYLE, HTML_SUB, HTML_SUMMARY, HTML_SUP, HTML_SVG, HTML_TABLE, HTML_TBODY,
        HTML_TD, HTML_TEMPLATE, HTML_TEXTAREA, HTML_TFOOT, HTML_TH, HTML_THEAD,
        HTML_TITLE, HTML_TR, HTML_TRACK, HTML_TT, HTML_U, HTML_UL, HTML_VAR, HTML_WBR,
        HTML_XML, HTML_XMP, HTML_OTHER, HTML_N
};
/* clang-format on */

/* What sort of element it is. */
#define HTML_VOID 1u /* has no content and no end */
#define HTML_BLOCK 2u /* stands on lines of its own */
#define HTML_SCOPE 4u /* what is closed inside does not close what is outside */
#define HTML_FORMAT 8u /* can be closed across blocks */
#define HTML_RAW 16u /* its content is no HTML */
#define HTML_UNSEEN 32u /* its content is nothing to read */
unsigned html_sort(enum html_element e);
const char *html_name(enum html_element e); /* "" of HTML_OTHER */

enum html_type { HTML_TEXT, HTML_OPEN, HTML_CLOSE };
struct html_token {
        enum html_type type;
        enum html_element element; /* of a tag; of a text: whose raw content it is */
        uint32_t hash; /* of the tag's name */
        bool empty; /* the tag ends in "/>" */
        bool raw; /* of a text: "&" is only an ampersand */
        const char *s; /* the text; of a tag what follows its name */
        size_t n;
};

struct html_reader {
        const char *s; /* the input */
        size_t n;
        size_t at;
        enum html_element content; /* raw content comes next; HTML_N: none */
        uint8_t no_end[HTML_N]; /* "</name" does not come any more */
        bool no_quote[2]; /* no " and no ' up to the end */
        bool no_gt; /* no > up to the end */
        bool no_comment_end; /* no --> up to the end */
};

void html_reader_init(struct html_reader *r, const char *s, size_t n);
/* The next token; false at the end. Comments and declarations are passed over. */
bool html_next(struct html_reader *r, struct html_token *t);

/* The attributes anybody here asks for, sorted. */
/* clang-format off */
enum html_attr {
        ATTR_ALIGN, ATTR_ALT, ATTR_BGCOLOR, ATTR_BORDER, ATTR_CELLPADDING,
        ATTR_CELLSPACING, ATTR_CITE, ATTR_CLASS, ATTR_COLOR, ATTR_COLSPAN,
        ATTR_DATA_EMOJI, ATTR_DATA_MARKER, ATTR_DATA_SIGNATURE_WIDGET,
        ATTR_DATA_SMARTMAIL, ATTR_DIR, ATTR_FACE, ATTR_HEIGHT, ATTR_HIDDEN, ATTR_HREF,
        ATTR_ID, ATTR_LANG, ATTR_NAME, ATTR_NOWRAP, ATTR_REVERSED, ATTR_ROLE,
        ATTR_ROWSPAN, ATTR_RULES, ATTR_SIZE, ATTR_SPAN, ATTR_SRC, ATTR_START, ATTR_STYLE,
        ATTR_TABINDEX, ATTR_TITLE, ATTR_TYPE, ATTR_VALIGN, ATTR_VALUE, ATTR_WIDTH, ATTR_N
};
/* clang-format on */
/* As written; s is NULL when absent. The first of the same name counts. */
struct html_value {
        const char *s;
        size_t n;
};
struct html_attrs {
        struct html_value v[ATTR_N];
};
void html_attributes(const struct html_token *t, struct html_attrs *a);
const char *html_attr_name(enum html_attr a);

/* The value with its character references read and without control characters, at most
 * about max bytes; out is cleared first. False when the attribute is absent. */
bool
html_value(const struct html_attrs *a, enum html_attr name, struct buf *out, size_t max);

/* The character behind "&..." at s (n bytes from the &), *used bytes of it; what is no
 * reference is an ampersand. In attributes only those with their semicolon count:
 * "?a=1&copy=2" is an address. */
uint32_t html_entity(const char *s, size_t n, bool in_attribute, size_t *used);

#endif
