/*
 * The open elements, with the end tags that HTML lets one leave out. Every step costs
 * the same however deep the elements are: each knows the next open one of its name and
 * the next that bounds it.
 *
 * Internal to helper_mime_html*.c.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_HTML_STACK_H
#define HELPLINE_CHANNELS_HELPER_MIME_HTML_STACK_H

#include "channels/helper_mime_html_look.h"
#include "channels/helper_mime_html_token.h"

struct html_open {
        enum html_element element;
        uint32_t hash; /* of its name, to tell the other ones apart */
        bool dead; /* closed although something inside is open */
        bool hidden; /* nothing inside is seen */
        bool tiny; /* letters have no size */
        bool invisible;
        bool pre; /* blanks are kept */
        unsigned effects; /* the user's own */
        int same; /* the next below of the same name, -1 none */
        int block; /* the nearest block at or below it, -1 none */
        int scope; /* the nearest at or below it that bounds end tags, -1 none */
};

struct html_stack {
        struct html_open *list;
        int n;
        int room;
        int max; /* elements deeper than that are not entered */
        int over; /* of those how many are open */
        int top[HTML_N]; /* the innermost open one of each name, -1 none */
        /* An element was closed; it is still at its place. */
        void (*closed)(void *arg, struct html_open *o, int index);
        void *arg;
};

void html_stack_init(struct html_stack *st, int max,
    void (*closed)(void *arg, struct html_open *o, int index), void *arg);
void html_stack_fini(struct html_stack *st); /* calls nothing */

/* Closes what the start of such an element ends: <p> before a block, <li> before <li>. */
void html_stack_imply(struct html_stack *st, enum html_element e);
/* Enters an element that has content; NULL when that is too deep. */
struct html_open *html_stack_push(
    struct html_stack *st, const struct html_token *t, const struct html_look *look);
/* At an end tag: closes its element and what is open inside; a stray one does nothing.
 * A formatting element may be closed across blocks: lenient leaves those open. */
void html_stack_close(struct html_stack *st, const struct html_token *t, bool lenient);
void html_stack_close_all(struct html_stack *st);
/* Is text here seen? */
bool html_stack_seen(const struct html_stack *st);
bool html_stack_pre(const struct html_stack *st);

#endif
