/* What parts hold in formats of their own: the first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channels/helper_mime_calendar.h"
#include "channels/helper_mime_cms.h"
#include "channels/helper_mime_code.h"
#include "channels/helper_mime_rtf.h"
#include "channels/helper_mime_text.h"
#include "channels/helper_mime_tnef.h"
#include "channels/helper_mime_walk.h"

#define MAX_OUT (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc;
        (void)argv;
        mime_text_preload();
        return 0;
}

static bool
count(void *arg, const char *s, size_t n)
{
        size_t *total = arg;

        *total += n;
        return n == 0 || s[n - 1] != 'Q';
}

static void
check_tnef(const char *s, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct tnef t;

        if (!mime_tnef_read(a, s, n, &t))
                return;
        for (size_t i = 0; i < t.n_files; i++) {
                const struct tnef_file *f = &t.files[i];

                if (f->n > 0 && (f->data < s || f->data + f->n > s + n))
                        abort();
                if (strlen(f->name) + strlen(f->type) + strlen(f->content_id) > 10000)
                        abort();
        }
        if (t.text_len > n || t.html_len > n || t.rtf_len > n)
                abort();
}

static void
check_rtf(const char *s, size_t n)
{
        struct buf rtf AUTO_BUF = BUF_INIT;
        struct buf text AUTO_BUF = BUF_INIT;
        bool html;

        if (mime_rtf_unpack(&rtf, s, n, MAX_OUT))
                mime_rtf_text(&text, buf_str(&rtf), rtf.len, MAX_OUT, &html);
        if (rtf.len > MAX_OUT + 32)
                abort();
        buf_clear(&text);
        mime_rtf_text(&text, s, n, MAX_OUT, &html);
}

static void
check_codes(const char *s, size_t n)
{
        size_t total = 0;
        size_t at = 0;
        struct uu_file u;

        for (int c = CODING_NONE; c <= CODING_YENC; c++) {
                total = 0;
                mime_decode((enum mime_coding)c, s, n, count, &total);
                if (total > n)
                        abort();
                mime_coding_truth((enum mime_coding)c, c & 1, true, s, n);
        }
        mime_coding_of(s, n);
        while (mime_uu_next(s, n, at, &u)) {
                if (u.end <= u.at || u.end > n || u.at < at)
                        abort();
                total = 0;
                mime_uu_decode(s, &u, count, &total);
                at = u.end;
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct buf out AUTO_BUF = BUF_INIT;
        char *s;

        if (size == 0)
                return 0;
        s = malloc(size > 1 ? size - 1 : 1); /* exactly, so that a byte too far is seen */
        if (s == NULL)
                abort();
        memcpy(s, data + 1, size - 1);
        switch (data[0] % 6) {
        case 0:
                check_tnef(s, size - 1);
                break;
        case 1:
                check_rtf(s, size - 1);
                break;
        case 2:
                check_codes(s, size - 1);
                break;
        case 3:
                mime_cms_content(&out, s, size - 1);
                if (out.len > size)
                        abort();
                break;
        case 4:
                mime_calendar_text(&out, s, size - 1, "REQUEST");
                break;
        default:
                mime_enriched_text(&out, s, size - 1);
                break;
        }
        free(s);
        return 0;
}
