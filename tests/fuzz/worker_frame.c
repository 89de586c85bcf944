/*
 * What a helper that was taken over may send: the frames found do not depend on
 * how the bytes were cut into pieces, lie inside the input, keep the limit, and
 * a frame written again is the same bytes.
 *
 * The first byte chooses the limit and how the rest is cut.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/worker.h"

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was found: enough to compare two readings. */
struct found {
        size_t n_frames;
        size_t n_bytes; /* of whole frames */
        bool broken; /* a frame over the limit ends it */
};

static void
check_frame(const char *p, long n, size_t max, int type, const char *body, size_t len)
{
        char head[WORKER_FRAME_HEAD];

        CHECK((size_t)n == WORKER_FRAME_HEAD + len && len <= max);
        CHECK(body == p + WORKER_FRAME_HEAD);
        CHECK(type >= 0 && type <= 0xff);
        worker_frame_head(head, len, type);
        CHECK(memcmp(head, p, sizeof head) == 0);
}

/* Takes whole frames off the front of b. */
static void
take_frames(struct buf *b, size_t max, struct found *f)
{
        while (!f->broken) {
                const char *body;
                size_t len;
                int type;
                long n = worker_frame_parse(buf_str(b), b->len, max, &type, &body, &len);

                if (n == 0)
                        return;
                f->broken = n == -1;
                if (f->broken)
                        return;
                check_frame(buf_str(b), n, max, type, body, len);
                f->n_frames++;
                f->n_bytes += (size_t)n;
                buf_consume(b, (size_t)n);
        }
}

static struct found
read_in_pieces(const char *p, size_t n, size_t piece, size_t max)
{
        struct found f = {0};
        struct buf b AUTO_BUF = BUF_INIT;

        for (size_t at = 0; at < n && !f.broken; at += piece) {
                buf_add(&b, p + at, n - at < piece ? n - at : piece);
                take_frames(&b, max, &f);
        }
        return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        size_t max, piece;
        struct found whole, cut;

        if (size < 2)
                return 0;
        max = (size_t)1 << (data[0] & 15);
        piece = (size_t)(data[0] >> 4) + 1;
        whole = read_in_pieces((const char *)data + 1, size - 1, size, max);
        cut = read_in_pieces((const char *)data + 1, size - 1, piece, max);
        CHECK(whole.n_frames == cut.n_frames && whole.n_bytes == cut.n_bytes);
        CHECK(whole.broken == cut.broken);
        return 0;
}
