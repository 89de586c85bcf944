/*
 * Any bytes as the pieces of a mail that has every mark of a report. A piece ends at a
 * byte 1; what comes out is bounded, and valid UTF-8.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_parse.h"
#include "channels/helper_mime_report.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const unsigned char *
piece(struct buf *to, const unsigned char *s, const unsigned char *end, bool clean)
{
        const unsigned char *stop = memchr(s, 1, (size_t)(end - s));

        stop = stop == NULL ? end : stop;
        if (clean)
                utf8_add_clean(to, (const char *)s, (size_t)(stop - s));
        else
                buf_add(to, s, (size_t)(stop - s));
        return stop < end ? stop + 1 : end;
}

static void
check(const struct mail_report *r)
{
        CHECK(r->n_recipients <= REPORT_MAX_RECIPIENTS);
        CHECK(r->n_returned_ids <= REPORT_MAX_IDS);
        CHECK(utf8_valid(r->returned_subject, strlen(r->returned_subject)));
        for (size_t i = 0; i < r->n_recipients; i++) {
                CHECK(strlen(r->recipients[i].reply) <= 500);
                CHECK(utf8_valid(r->recipients[i].reply, strlen(r->recipients[i].reply)));
        }
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        static struct bounce_set *set;
        const char *dirs[] = {"config/bounces"};
        struct report_pieces p = REPORT_PIECES_INIT;
        const unsigned char *end = data + size;
        struct message *m = message_new();
        struct buf subject AUTO_BUF = BUF_INIT;

        if (set == NULL) {
                mime_parse_init();
                set = bounces_load(dirs, 1, NULL);
                CHECK(set != NULL);
        }
        data = piece(&subject, data, end, true);
        data = piece(&p.status, data, end, false);
        data = piece(&p.returned, data, end, false);
        piece(&p.text, data, end, true);
        m->subject = arena_strdup(m->arena, buf_str(&subject));
        m->text = arena_strdup(m->arena, buf_str(&p.text));
        m->has_envelope = true;
        mime_report(m, &p, set);
        if (m->report != NULL)
                check(m->report);
        report_pieces_free(&p);
        message_free(&m);
        return 0;
}
