/* Whole mails: parsed, their parts cut out again, their HTML taken. What is listed can
 * be cut out and has the size that was told; every text is clean UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_parse.h"
#include "daemon/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc;
        (void)argv;
        mime_parse_init();
        return 0;
}

static char *
copy_of(const uint8_t *data, size_t size)
{
        char *copy = malloc(size + 1);

        if (copy == NULL)
                abort();
        memcpy(copy, data, size);
        return copy;
}

static void
check_cut(char *raw, size_t size, const struct attachment *a)
{
        struct buf out AUTO_BUF = BUF_INIT;
        struct err err = {.kind = ERR_NONE};

        if (mime_parse_cut(raw, size, a->part, 0, MIME_MAX_CUT, &out, &err) == -1)
                abort();
        if (a->size <= MIME_MAX_CUT && (size_t)a->size != out.len)
                abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *raw = copy_of(data, size);
        struct buf html AUTO_BUF = BUF_INIT;
        struct err err = {.kind = ERR_NONE};
        struct message *m = NULL;

        if (mime_parse(raw, size, "a@b.example", &m, &err) == 0) {
                if (!utf8_valid(m->text, strlen(m->text)) ||
                    !utf8_valid(m->subject, strlen(m->subject)))
                        abort();
                for (size_t i = 0; i < m->n_attachments && i < 20; i++)
                        check_cut(raw, size, &m->attachments[i]);
                message_free(&m);
                mime_parse_html(raw, size, &html, &err);
        }
        m = mime_parse_header_only(raw, size, "a@b.example");
        message_free(&m);
        free(raw);
        return 0;
}
