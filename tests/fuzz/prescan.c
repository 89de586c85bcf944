/*
 * The pre-scan and the header fields over any bytes: offsets stay inside, what
 * the limits let through is within them, and each field comes out as one clean
 * line.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_prescan.h"
#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check_line(const char *s)
{
        CHECK(utf8_valid(s, strlen(s)));
        CHECK(strpbrk(s, "\r\n") == NULL);
}

static void
check_message(const struct message *m)
{
        check_line(m->subject);
        check_line(m->from.name);
        check_line(m->from.address);
        check_line(m->message_id);
        for (size_t i = 0; i < m->n_to; i++) {
                check_line(m->to[i].name);
                check_line(m->to[i].address);
        }
        for (size_t i = 0; i < m->n_references; i++)
                check_line(m->references[i]);
        for (size_t i = 0; i < m->n_headers; i++) {
                check_line(m->headers[i].name);
                check_line(m->headers[i].value);
        }
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        const char *raw = (const char *)data;
        struct prescan p;
        struct err err = {0};
        struct message *m = message_new();
        int rc = mime_prescan(raw, size, &p, &err);

        CHECK((rc == -1) == (err.kind == ERR_LIMIT));
        CHECK(p.header_at <= size && p.body_at <= size);
        CHECK(p.header_at + p.header_len <= p.body_at);
        CHECK(p.has_header || (p.header_len == 0 && p.body_at == 0));
        if (rc == 0)
                CHECK(p.n_headers <= PRESCAN_MAX_HEADERS &&
                      p.n_nested <= PRESCAN_MAX_NESTED);
        mime_header_read(m, raw, size, 1 << 20);
        check_message(m);
        message_free(&m);
        return 0;
}
