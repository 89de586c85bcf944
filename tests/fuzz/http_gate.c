/*
 * A whole connection through the gate's parser: headers and bodies one after the other,
 * once fed whole and once in pieces, which must say the same; what passes must hold
 * what http_gate.h promises.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/http_gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_MAX = 16384, BODY_MAX = 4096 };

static void
must(bool ok)
{
        if (!ok)
                abort();
}

/* Whoever reads the block line by line sees what we see. */
static void
check_block(const char *p, size_t len)
{
        must(memchr(p, '\0', len) == NULL);
        for (size_t i = 0; i < len; i++) {
                must(p[i] != '\n' || (i > 0 && p[i - 1] == '\r'));
                must(p[i] != '\r' || (i + 1 < len && p[i + 1] == '\n'));
                must(i < 2 || p[i - 1] != '\n' || (p[i] != ' ' && p[i] != '\t'));
        }
        must(memcmp(p + len - 4, "\r\n\r\n", 4) == 0);
        must(memmem(p, len - 1, "\r\n\r\n", 4) == NULL);
}

static void
check_head(const struct http_head *h)
{
        const char *host = http_head_field(h, "Host");

        must(h->method != HTTP_OTHER && h->minor <= 1);
        must(h->path[0] == '/' && strstr(h->path, "/../") == NULL);
        must(strpbrk(h->path, "\r\n\\") == NULL && strpbrk(h->query, "\r\n #") == NULL);
        must(!(h->chunked && h->length >= 0));
        must(h->length >= 0 || h->chunked || h->method != HTTP_POST);
        must(h->minor == 0 || *host != '\0');
        must(h->n_fields <= HTTP_FIELDS_MAX);
        for (size_t i = 0; i < h->n_fields; i++) {
                must(h->fields[i].name[0] != '\0');
                must(strpbrk(h->fields[i].name, " \t:\r\n") == NULL);
                must(strpbrk(h->fields[i].value, "\r\n") == NULL);
        }
}

static void
check_client(const struct http_head *h)
{
        static const char *const proxies[] = {"127.0.0.1", "::1"};
        char client[64];

        http_find_client(h, proxies, 2, "127.0.0.1", client);
        must(client[0] != '\0' && strlen(client) < sizeof client);
        http_find_client(h, proxies, 2, "192.0.2.1", client);
        must(strcmp(client, "192.0.2.1") == 0);
        (void)http_forwarded_secure(h);
}

/* A header block at p: its bytes, 0 when there is none (more is wanted, or refused). */
static size_t
take_head(struct arena *a, const char *p, size_t n, size_t piece, struct http_head *h)
{
        size_t len = 0, len_too = 0;
        struct err err = {0};
        int whole = http_head_find(p, n, HEAD_MAX, &len, &err), parts = 0;

        for (size_t k = piece; parts == 0 && len_too == 0 && k < n + piece; k += piece)
                parts = http_head_find(p, k < n ? k : n, HEAD_MAX, &len_too, &err);
        /* in pieces a fault behind the block is not seen, before it the same */
        if (len > 0)
                must(len_too == len && parts == 0);
        if (whole != 0 || len == 0)
                return 0;
        if (http_head_parse(a, p, len, h, &err) != 0) {
                must(http_gate_check(p, len, &err) != 0);
                return 0;
        }
        must(http_gate_check(p, len, &err) == 0);
        check_block(p, len);
        check_head(h);
        check_client(h);
        return len;
}

static int
feed_chunks(const char *p, size_t n, size_t piece, struct buf *out, size_t *used)
{
        struct http_chunks c = {0};
        char *room = malloc(n + 1);
        int rc = HTTP_CHUNKS_MORE;

        *used = 0;
        while (rc == HTTP_CHUNKS_MORE && *used < n) {
                size_t k = n - *used < piece ? n - *used : piece, n_out, took;
                struct err err;

                rc = http_chunks_feed(
                    &c, p + *used, k, BODY_MAX, room, &n_out, &took, &err);
                must(took <= k && n_out <= took && (rc != 0 || took == k));
                buf_add(out, room, n_out);
                *used += took;
        }
        free(room);
        return rc;
}

/* A chunked body at p: its bytes, 0 when it is not whole. */
static size_t
take_chunks(const char *p, size_t n, size_t piece)
{
        struct buf one AUTO_BUF = BUF_INIT, two AUTO_BUF = BUF_INIT;
        size_t used, used_too;
        int rc = feed_chunks(p, n, n + 1, &one, &used);

        must(feed_chunks(p, n, piece, &two, &used_too) == rc);
        must(used == used_too && one.len == two.len && one.len <= BODY_MAX);
        must(one.len == 0 || memcmp(one.data, two.data, one.len) == 0);
        must(rc != HTTP_CHUNKS_END || memcmp(p + used - 4, "\r\n\r\n", 4) == 0);
        return rc == HTTP_CHUNKS_END ? used : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *p = (const char *)data + 1, *end = (const char *)data + size;
        size_t piece;

        if (size == 0)
                return 0;
        piece = 1 + data[0] % 64;
        while (p < end) {
                struct arena *a AUTO_ARENA = arena_new();
                struct http_head h;
                size_t n = take_head(a, p, (size_t)(end - p), piece, &h);

                if (n == 0)
                        return 0;
                p += n;
                if (h.chunked)
                        n = take_chunks(p, (size_t)(end - p), piece);
                else
                        n = h.length > 0 ? (size_t)h.length : 0;
                if (n > (size_t)(end - p) || (h.chunked && n == 0))
                        return 0;
                p += n;
        }
        return 0;
}
