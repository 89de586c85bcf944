/*
 * RFC 3676: lines that go on; see helper_mime_text.h.
 */
#include <string.h>

#include "channels/helper_mime_text.h"

struct flow_line {
        const char *s;
        size_t len;
        size_t depth; /* how many > stand before it */
        bool flowed; /* ends in a blank: the next line goes on */
};

static void
flow_line_read(struct flow_line *l, const char *s, size_t len, bool delsp)
{
        l->depth = 0;
        while (len > 0 && *s == '>') {
                l->depth++;
                s++;
                len--;
        }
        if (len > 0 && *s == ' ') { /* space-stuffing */
                s++;
                len--;
        }
        l->flowed =
            len > 0 && s[len - 1] == ' ' && !(len == 3 && memcmp(s, "-- ", 3) == 0);
        if (l->flowed && delsp)
                len--;
        l->s = s;
        l->len = len;
}

void
mime_text_unflow(struct buf *text, bool delsp)
{
        struct buf out = BUF_INIT;
        size_t depth = 0;
        bool open = false;

        for (size_t at = 0; at < text->len;) {
                const char *end = memchr(text->data + at, '\n', text->len - at);
                size_t len =
                    end != NULL ? (size_t)(end - text->data) - at : text->len - at;
                struct flow_line l;

                flow_line_read(&l, text->data + at, len, delsp);
                if (open &&
                    (l.depth != depth || (l.len == 3 && memcmp(l.s, "-- ", 3) == 0))) {
                        buf_addc(&out, '\n');
                        open = false;
                }
                for (size_t i = 0; !open && i < l.depth; i++)
                        buf_addc(&out, '>');
                if (!open && l.depth > 0)
                        buf_addc(&out, ' ');
                buf_add(&out, l.s, l.len);
                depth = l.depth;
                open = l.flowed;
                if (!open && end != NULL)
                        buf_addc(&out, '\n');
                at += len + (end != NULL);
        }
        buf_fini(text);
        *text = out;
}
