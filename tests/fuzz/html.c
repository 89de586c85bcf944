/*
 * HTML to text and the charset guesser over any bytes: within the limit, valid
 * UTF-8, never two empty lines, nothing invisible.
 */
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_html.h"
#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        static const char *const labels[] = {
            "", "utf-8", "koi8-r", "utf-16", "gb18030", "iso-2022-jp"};
        struct buf clean AUTO_BUF = BUF_INIT;
        struct buf text AUTO_BUF = BUF_INIT;
        char charset[40];
        bool cut;

        mime_html_charset((const char *)data, size, charset);
        CHECK(strlen(charset) < sizeof(charset));
        mime_text_decode(&clean, (const char *)data, size,
            size > 0 ? labels[data[0] % 6] : "", 1 << 20);
        CHECK(utf8_valid(buf_str(&clean), clean.len));
        cut = mime_html_text(&text, buf_str(&clean), clean.len, 2000);
        CHECK(text.len <= 2000);
        CHECK(cut || utf8_valid(buf_str(&text), text.len));
        CHECK(strstr(buf_str(&text), "\n\n\n") == NULL);
        CHECK(strlen(buf_str(&text)) == text.len);
        mime_text_unflow(&clean, size % 2 == 0);
        CHECK(utf8_valid(buf_str(&clean), clean.len));
        return 0;
}
