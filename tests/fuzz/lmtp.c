/*
 * LMTP's words: the first byte chooses lines and commands, or DATA fed whole and
 * fed in pieces, which must give the same bytes and the same end.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channels/email_lmtp.h"
#include "daemon/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take(void *arg, const char *p, size_t n)
{
        buf_add(arg, p, n);
}

static size_t
feed(const char *p, size_t n, size_t piece, struct buf *out, bool *ended)
{
        struct lmtp_data d = {0};
        size_t at = 0;

        *ended = false;
        while (at < n && !*ended) {
                size_t k = n - at < piece ? n - at : piece;

                at += lmtp_data_feed(&d, p + at, k, take, out, ended);
        }
        return at;
}

static void
try_data(const char *p, size_t n, size_t piece)
{
        struct buf whole AUTO_BUF = BUF_INIT, pieces AUTO_BUF = BUF_INIT;
        bool ended, ended_too;
        size_t at = feed(p, n, n + 1, &whole, &ended);

        if (feed(p, n, piece, &pieces, &ended_too) != at || ended != ended_too ||
            whole.len != pieces.len || whole.len > at)
                abort();
        if (whole.len > 0 && memcmp(whole.data, pieces.data, whole.len) != 0)
                abort();
        if (ended && (at < 3 || memcmp(p + at - 3, ".\r\n", 3) != 0 ||
                         (at > 3 && (at < 5 || memcmp(p + at - 5, "\r\n", 2) != 0))))
                abort(); /* only CRLF.CRLF ends it */
}

static void
try_lines(const char *p, size_t n)
{
        while (n > 0) {
                struct lmtp_command c;
                struct err err = {0};
                long len = lmtp_line_find(p, n);

                if (len <= 0)
                        return;
                if (lmtp_command_parse(p, (size_t)len - 2, &c, &err) == -1 &&
                    (err.text[0] != '5' || err.text[3] != ' '))
                        abort(); /* every refusal is a whole reply */
                if (strlen(c.address) >= sizeof c.address ||
                    strchr(c.address, '\n') != NULL)
                        abort();
                p += len;
                n -= (size_t)len;
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size == 0)
                return 0;
        if (data[0] & 1)
                try_data((const char *)data + 1, size - 1, 1 + (data[0] >> 1) % 16);
        else
                try_lines((const char *)data + 1, size - 1);
        return 0;
}
