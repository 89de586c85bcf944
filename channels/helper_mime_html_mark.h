/*
 * Where HTML says that a quote or a signature stands: by the classes, ids and styles
 * that mail programs write. Pure, linear.
 *
 * Internal to helper_mime_html*.c; another program's way is a line in the tables of
 * helper_mime_html_mark.c. Only the outermost quote is marked. What a person wrote after
 * or between the quotes of one container stays outside; so does a forwarded mail.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_HTML_MARK_H
#define HELPLINE_CHANNELS_HELPER_MIME_HTML_MARK_H

#include "channels/helper_mime_html_look.h"
#include "channels/helper_mime_html_token.h"
#include "channels/helper_mime_trim.h"

enum html_sign {
        SIGN_NONE,
        SIGN_QUOTE, /* all of the element is quoted */
        SIGN_INTRO, /* "On ... wrote:", the quote follows */
        SIGN_CONTAINER, /* an introduction, the quote, then maybe an answer */
        SIGN_BLOCKQUOTE, /* quoted when it stands in a container */
        SIGN_REST, /* all from here on */
        SIGN_REST_IF, /* the same, when the heads of a mail follow */
        SIGN_FORWARD, /* a forwarded mail: not ours to mark */
        SIGN_SIGNATURE
};
enum html_sign html_sign_of(enum html_element e, const struct html_attrs *a,
    const struct html_look *look, struct buf *scratch);
/* Do heads of a mail ("From: ...", "От: ...") begin in this HTML? */
bool html_heads_follow(const char *s, size_t n);

/* The marks of a text that is being written. */
struct html_marker {
        struct text_mark *list;
        size_t n;
        size_t room;
        bool open; /* a mark is */
        enum text_mark_kind kind;
        size_t from; /* where it begins in the text */
        int owner; /* the element that ends it; -1: the end of the text */
        int intro; /* the introduction that is open; -1 none */
        size_t intro_from, intro_to; /* the last one; both 0: none */
        int container; /* the outermost open one; -1 none */
        int forward; /* the element of a forwarded mail that is open; -1 none */
};
void html_marker_init(struct html_marker *m);
void html_marker_fini(struct html_marker *m);
/* Element number `index` of the stack opened / closed while text (of n bytes) stood. */
void html_marker_open(
    struct html_marker *m, enum html_sign sign, int index, const char *text, size_t n);
void html_marker_closed(struct html_marker *m, int index, const char *text, size_t n);
/* At the end of the text: gives the marks away. */
void html_marker_end(
    struct html_marker *m, const char *text, size_t n, struct text_marks *out);

#endif
