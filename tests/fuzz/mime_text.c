/*
 * Any bytes under any label become clean UTF-8 of bounded length, and nothing becomes
 * nothing. The input begins with the label, up to the first NUL.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        static const char *const hints[] = {"", "KOI8-R", "CP1251", "UTF-8"};
        const char *label = (const char *)data;
        const unsigned char *end = memchr(data, 0, size);
        struct buf out AUTO_BUF = BUF_INIT;
        struct charset_verdict v;
        const char *s;
        size_t n;
        bool cut;

        if (end == NULL)
                return 0;
        s = (const char *)end + 1;
        n = size - (size_t)(end - data) - 1;
        cut = mime_text_decode_near(&out, s, n, label, hints[size % 4], 1000, &v);
        CHECK(out.len <= 1000);
        CHECK(cut || utf8_valid(buf_str(&out), out.len));
        CHECK(memchr(v.charset, 0, sizeof(v.charset)) != NULL);
        CHECK(memchr(v.declared, 0, sizeof(v.declared)) != NULL);
        CHECK(v.why[0] != '\0');
        CHECK(strlen(mime_text_guess(s, n)) > 0);
        return 0;
}
