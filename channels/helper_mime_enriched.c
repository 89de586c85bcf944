/*
 * text/enriched (RFC 1896) and text/richtext (RFC 1341) -> text: commands left out,
 * paragraphs kept. Linear; see helper_mime_walk.h.
 */
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_walk.h"

#define MAX_COMMAND 60 /* bytes; longer ones are text */

struct enriched {
        struct buf *out;
        unsigned hidden; /* open <param> and <comment> */
        unsigned nofill; /* open <nofill>: line ends stand for themselves */
        bool richtext; /* line ends mean nothing, <nl> is one */
};

static void
command(struct enriched *e, const char *s, size_t n)
{
        bool close = n > 0 && s[0] == '/';
        const struct {
                const char *name;
                unsigned *count;
        } counted[] = {
            {"param", &e->hidden}, {"comment", &e->hidden}, {"nofill", &e->nofill}};

        s += close;
        n -= close;
        for (size_t i = 0; i < 3; i++) {
                if (strlen(counted[i].name) != n ||
                    strncasecmp(s, counted[i].name, n) != 0)
                        continue;
                if (!close)
                        ++*counted[i].count;
                else if (*counted[i].count > 0)
                        --*counted[i].count;
                return;
        }
        if (e->hidden == 0 && !close && n == 2 &&
            (strncasecmp(s, "nl", 2) == 0 || strncasecmp(s, "np", 2) == 0)) {
                e->richtext = true;
                buf_addc(e->out, '\n');
        }
        if (e->hidden == 0 && !close && n == 2 && strncasecmp(s, "lt", 2) == 0)
                buf_addc(e->out, '<');
        if (e->hidden == 0 && e->richtext && n == 9 &&
            strncasecmp(s, "paragraph", 9) == 0)
                buf_adds(e->out, "\n");
}

/* One line end is a blank, n of them are n - 1. */
static size_t
line_ends(struct enriched *e, const char *s, size_t n)
{
        size_t count = 0;

        while (count < n && s[count] == '\n')
                count++;
        for (size_t i = 0; i < count && e->hidden == 0; i++) {
                if (e->nofill > 0 || (i > 0 && !e->richtext))
                        buf_addc(e->out, '\n');
                else if (count == 1 || e->richtext)
                        buf_addc(e->out, ' ');
        }
        return count;
}

void
mime_enriched_text(struct buf *out, const char *s, size_t n)
{
        struct enriched e = {.out = out, .richtext = memmem(s, n, "<nl>", 4) != NULL};

        for (size_t i = 0; i < n; i++) {
                const char *end;

                if (s[i] == '\n') {
                        i += line_ends(&e, s + i, n - i) - 1;
                        continue;
                }
                if (s[i] == '<' && i + 1 < n && s[i + 1] == '<') {
                        i++;
                } else if (s[i] == '<') {
                        end =
                            memchr(s + i, '>', n - i < MAX_COMMAND ? n - i : MAX_COMMAND);
                        if (end != NULL) {
                                command(&e, s + i + 1, (size_t)(end - s) - i - 1);
                                i = (size_t)(end - s);
                                continue;
                        }
                }
                if (e.hidden == 0)
                        buf_addc(out, s[i]);
        }
}
