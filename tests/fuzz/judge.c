/*
 * Who wrote it, over any mail: bounded, always a kind, a machine always has a mark, the same
 * answer twice. Input: header lines, an empty line, the subject's line, the text.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8.h"
#include "daemon/intake.h"
#include "daemon/intake_marks.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct mail_account our_mail = {.address = "support@desk.example"};
static struct config config = {.mails = &our_mail, .n_mails = 1};

/* Headers up to the empty line; what is behind it. */
static const char *
headers_read(struct message *m, const char *s)
{
        while (*s != '\0' && *s != '\n') {
                size_t line = strcspn(s, "\n"), colon = strcspn(s, ":\n");
                struct header *h;

                m->headers =
                    arena_grow(m->arena, m->headers, m->n_headers, sizeof *m->headers);
                h = &m->headers[m->n_headers++];
                h->name = arena_strndup(m->arena, s, colon);
                h->value = colon < line
                               ? arena_strndup(m->arena, s + colon + 1, line - colon - 1)
                               : "";
                s += line + (s[line] == '\n');
        }
        return *s == '\n' ? s + 1 : s;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        struct buf clean AUTO_BUF = BUF_INIT;
        struct message *m = message_new();
        enum message_kind kind;
        const char *s, *from;
        size_t n;

        utf8_add_clean(&clean, (const char *)data, size);
        s = headers_read(m, buf_str(&clean));
        n = strcspn(s, "\n");
        m->subject = arena_strndup(m->arena, s, n);
        m->text = s + n;
        from = message_header(m, "From");
        m->from.address = from != NULL ? from : "ann@customer.example";
        m->has_envelope = size % 2 == 0;
        m->envelope_from = size % 4 == 0 ? "" : "ann@customer.example";
        mail_judge(m, &config, size % 64 == 63);
        kind = m->kind;
        CHECK(kind == MESSAGE_MESSAGE || kind == MESSAGE_THANKS || *m->machine != '\0');
        CHECK(*mail_silence(m) != '\0' || kind == MESSAGE_MESSAGE);
        n = m->n_findings;
        mail_judge(m, &config, size % 64 == 63);
        CHECK(m->kind == kind && m->n_findings == n);
        message_free(&m);
        return 0;
}
