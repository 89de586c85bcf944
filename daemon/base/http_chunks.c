/*
 * Chunked bodies (RFC 9112 section 7.1), byte for byte; see http_gate.h.
 *
 * Strict: sizes are hex digits alone, lines end in CRLF, extensions are short and
 * ignored, trailers are checked like header lines and dropped.
 */
#include "daemon/base/http_gate.h"

#include <string.h>

enum chunk_state {
        CHUNK_SIZE,
        CHUNK_EXT,
        CHUNK_SIZE_LF,
        CHUNK_DATA,
        CHUNK_DATA_CR,
        CHUNK_DATA_LF,
        TRAILER_BEGIN, /* of a line, or of the empty one that ends it all */
        TRAILER_NAME,
        TRAILER_VALUE,
        TRAILER_LF,
        CHUNK_LAST_LF,
        CHUNK_DONE,
};

enum { SIZE_DIGITS_MAX = 10 };

#define refuse(err, status, ...) (err_set((err), ERR_REJECT, __VA_ARGS__), (status))

static bool
is_control(char c)
{
        return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* The end of a size line: data, or the trailers after a size of 0. */
static int
chunk_begin(struct http_chunks *c, uint64_t max, struct err *err)
{
        if (c->left > max || c->total > max - c->left)
                return refuse(err, 413, "the body is too large");
        c->total += c->left;
        c->state = c->left == 0 ? TRAILER_BEGIN : CHUNK_DATA;
        c->extra = 0;
        c->digits = 0;
        return 0;
}

static int
chunk_size_char(struct http_chunks *c, char ch, struct err *err)
{
        int v = ch >= '0' && ch <= '9'   ? ch - '0'
                : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
                : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                         : -1;

        if (v >= 0) {
                if (++c->digits > SIZE_DIGITS_MAX)
                        return refuse(err, 400, "the size of a chunk is too long");
                c->left = c->left << 4 | (unsigned)v;
                return 0;
        }
        if (c->digits == 0 || (ch != '\r' && ch != ';'))
                return refuse(err, 400, "the size of a chunk is no hex number");
        c->state = ch == '\r' ? CHUNK_SIZE_LF : CHUNK_EXT;
        return 0;
}

static int
chunk_ext_char(struct http_chunks *c, char ch, struct err *err)
{
        if (ch == '\r') {
                c->state = CHUNK_SIZE_LF;
                return 0;
        }
        if (is_control(ch) || ++c->extra > HTTP_CHUNK_EXT_MAX)
                return refuse(err, 400, "the extension of a chunk is bad or too long");
        return 0;
}

static int
trailer_char(struct http_chunks *c, char ch, struct err *err)
{
        if (++c->extra > HTTP_TRAILER_MAX)
                return refuse(err, 431, "the trailers are too long");
        if (c->state == TRAILER_BEGIN && ch == '\r') {
                c->state = CHUNK_LAST_LF;
        } else if (c->state == TRAILER_BEGIN && http_token_char((unsigned char)ch)) {
                c->state = TRAILER_NAME;
        } else if (c->state == TRAILER_NAME && ch == ':') {
                c->state = TRAILER_VALUE;
        } else if (c->state == TRAILER_VALUE && ch == '\r') {
                c->state = TRAILER_LF;
        } else if (!(c->state == TRAILER_NAME && http_token_char((unsigned char)ch)) &&
                   !(c->state == TRAILER_VALUE && !is_control(ch))) {
                return refuse(err, 400, "a bad trailer");
        }
        return 0;
}

/* ch must be want; then the next state. */
static int
chunk_expect(
    struct http_chunks *c, char ch, char want, enum chunk_state next, struct err *err)
{
        if (ch != want)
                return refuse(err, 400, "a line of the chunked body ends without CRLF");
        c->state = (int)next;
        return 0;
}

/* One byte that is not data. */
static int
chunk_char(struct http_chunks *c, char ch, uint64_t max, struct err *err)
{
        int status;

        switch ((enum chunk_state)c->state) {
        case CHUNK_SIZE:
                return chunk_size_char(c, ch, err);
        case CHUNK_EXT:
                return chunk_ext_char(c, ch, err);
        case CHUNK_SIZE_LF:
                status = chunk_expect(c, ch, '\n', CHUNK_DATA, err);
                return status != 0 ? status : chunk_begin(c, max, err);
        case CHUNK_DATA_CR:
                return chunk_expect(c, ch, '\r', CHUNK_DATA_LF, err);
        case CHUNK_DATA_LF:
                return chunk_expect(c, ch, '\n', CHUNK_SIZE, err);
        case TRAILER_BEGIN:
        case TRAILER_NAME:
        case TRAILER_VALUE:
                return trailer_char(c, ch, err);
        case TRAILER_LF:
                return chunk_expect(c, ch, '\n', TRAILER_BEGIN, err);
        case CHUNK_LAST_LF:
                return chunk_expect(c, ch, '\n', CHUNK_DONE, err);
        case CHUNK_DATA:
        case CHUNK_DONE:
                break;
        }
        return 0;
}

int
http_chunks_feed(struct http_chunks *c, const char *p, size_t n, uint64_t max, char *out,
    size_t *n_out, size_t *used, struct err *err)
{
        size_t i = 0;

        *n_out = 0;
        while (i < n && c->state != CHUNK_DONE) {
                int status;

                if (c->state == CHUNK_DATA) {
                        size_t k = n - i < c->left ? n - i : (size_t)c->left;

                        memcpy(out + *n_out, p + i, k);
                        *n_out += k;
                        i += k;
                        c->left -= k;
                        if (c->left == 0)
                                c->state = CHUNK_DATA_CR;
                        continue;
                }
                status = chunk_char(c, p[i], max, err);
                if (status != 0) {
                        *used = i;
                        return status;
                }
                i++;
        }
        *used = i;
        return c->state == CHUNK_DONE ? HTTP_CHUNKS_END : HTTP_CHUNKS_MORE;
}
