/*
 * Any text, with any marks: what is new is made of its lines, in their order, and is
 * never nothing.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "channels/helper_mime_trim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The first byte says which subject the mail has and whether the HTML marked anything. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        static const char *const subjects[] = {"", "Re: x", "Fwd: x", "Ответ: x"};
        struct text_mark list[2];
        struct text_marks marks = {list, 2};
        struct message *m;

        if (n < 3)
                return 0;
        m = message_new();
        m->subject = subjects[data[0] & 3];
        m->text = arena_strndup(m->arena, data + 3, n - 3);
        n = strlen(m->text);
        list[0] = (struct text_mark){TEXT_QUOTE, data[1] % (n + 1), n / 2};
        list[1] = (struct text_mark){TEXT_SIGNATURE, n / 2 + data[2] % (n / 2 + 1), n};
        mime_trim(m, data[0] & 4 ? &marks : NULL);
        assert(strlen(m->new_text) <= n);
        assert(m->forwarded == NULL || m->forwarded->text != NULL);
        message_free(&m);
        return 0;
}
