/* The language of any bytes: two letters or nothing, the same twice. */
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_language.h"
#include "daemon/base/utf8.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        static bool is_ready;
        struct buf clean AUTO_BUF = BUF_INIT;
        const char *language, *why = NULL;

        if (!is_ready)
                mime_language_preload();
        is_ready = true;
        utf8_add_clean(&clean, (const char *)data, size);
        language = mime_language_of("Printer", buf_str(&clean), &why);
        CHECK(why != NULL && (language[0] == '\0' || strlen(language) == 2));
        CHECK(mime_language_of("Printer", buf_str(&clean), NULL) == language);
        return 0;
}
