/*
 * Words, addresses, ids, dates and parameters of a field over any bytes: each comes out
 * as one clean line of bounded length, and a whole mail's header with its findings too.
 * The first byte chooses the reader.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_words.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check_line(const char *s)
{
        CHECK(utf8_valid(s, strlen(s)));
        CHECK(strpbrk(s, "\r\n\t") == NULL);
}

static void
check_addresses(struct arena *a, const char *raw, size_t n)
{
        struct mail_address *list = NULL;
        size_t n_list = 0;

        mime_header_addresses(a, raw, n, &list, &n_list, 50);
        CHECK(n_list <= 50);
        for (size_t i = 0; i < n_list; i++) {
                const char *at = strrchr(list[i].address, '@');

                check_line(list[i].name);
                check_line(list[i].address);
                CHECK(list[i].name[0] != '\0' || list[i].address[0] != '\0');
                CHECK(list[i].address[0] == '\0' ||
                      (at != NULL && at > list[i].address && at[1] != '\0'));
        }
}

static void
check_ids(struct arena *a, const char *raw, size_t n)
{
        const char **list = NULL;
        size_t n_list = 0;

        mime_header_ids(a, raw, n, &list, &n_list, 50);
        CHECK(n_list <= 50);
        for (size_t i = 0; i < n_list; i++) {
                check_line(list[i]);
                CHECK(list[i][0] != '\0' && strpbrk(list[i], " <") == NULL);
        }
}

static void
check_mail(const char *raw, size_t n)
{
        struct message *m = message_new();
        struct prescan p;

        mime_prescan(raw, n, &p, NULL);
        if (p.header_len > PRESCAN_MAX_HEADER_BYTES)
                p.header_len = PRESCAN_MAX_HEADER_BYTES;
        if (p.has_header)
                mime_header_read_mail(m, raw, n, &p, 65536);
        check_line(m->subject);
        check_line(m->from.name);
        check_line(m->from.address);
        CHECK(m->n_references <= 300);
        for (size_t i = 0; i < m->n_findings; i++) {
                CHECK(utf8_valid(m->findings[i].why, strlen(m->findings[i].why)));
                CHECK(utf8_valid(m->findings[i].found, strlen(m->findings[i].found)));
        }
        message_free(&m);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        struct arena *a = arena_new();
        const char *raw = (const char *)data + 1;
        size_t n = size - 1;
        int64_t at;

        if (size > 0 && data[0] % 6 == 0) {
                check_line(mime_header_text(a, raw, n));
                CHECK(words_length(raw, n) <= n);
        } else if (size > 0 && data[0] % 6 == 1) {
                check_addresses(a, raw, n);
        } else if (size > 0 && data[0] % 6 == 2) {
                check_ids(a, raw, n);
        } else if (size > 0 && data[0] % 6 == 3) {
                at = mime_header_date(raw, n);
                CHECK(at == 0 || (at >= 315532800000000 && at <= 4102444800000000));
        } else if (size > 0 && data[0] % 6 == 4) {
                check_line(mime_header_parameter(a, raw, n, "filename", "KOI8-R"));
        } else if (size > 0) {
                check_mail(raw, n);
        }
        arena_free(&a);
        return 0;
}
