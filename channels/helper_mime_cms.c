/*
 * CMS; see helper_mime_cms.h.
 */
#include "channels/helper_mime_cms.h"

#include <string.h>

#define MAX_DEPTH 20

enum tag {
        TAG_INTEGER = 0x02,
        TAG_OCTETS = 0x04,
        TAG_OID = 0x06,
        TAG_SEQUENCE = 0x30,
        TAG_SET = 0x31,
        TAG_OCTETS_PARTS = 0x24,
        TAG_CONTEXT_0 = 0xa0
};

/* The rest of something; of indefinite length: up to the end of what encloses it. */
struct ber {
        const unsigned char *s;
        size_t n;
};

struct element {
        unsigned tag;
        struct ber body;
        bool indefinite;
};

/* Takes the beginning of an element; its body, if indefinite, is all the rest. */
static bool
ber_open(struct ber *b, struct element *e)
{
        size_t length = 0;
        unsigned n_bytes;

        if (b->n < 2)
                return false;
        e->tag = b->s[0];
        n_bytes = b->s[1];
        b->s += 2;
        b->n -= 2;
        e->indefinite = n_bytes == 0x80;
        if (n_bytes < 0x80) {
                length = n_bytes;
        } else if (!e->indefinite) {
                n_bytes &= 0x7f;
                if (n_bytes > 4 || n_bytes > b->n)
                        return false;
                for (; n_bytes > 0; n_bytes--, b->s++, b->n--)
                        length = length << 8 | b->s[0];
        } else {
                length = b->n;
        }
        if (length > b->n) /* cut short: what is there */
                length = b->n;
        e->body = (struct ber){b->s, length};
        return true;
}

/* Steps behind an element just opened. */
static bool
ber_skip(struct ber *b, const struct element *e, unsigned depth)
{
        struct element inner;

        if (!e->indefinite) {
                b->s += e->body.n;
                b->n -= e->body.n;
                return true;
        }
        while (depth < MAX_DEPTH && ber_open(b, &inner)) {
                if (inner.tag == 0 && inner.body.n == 0)
                        return true;
                if (!ber_skip(b, &inner, depth + 1))
                        return false;
        }
        return false;
}

/* Goes into the next element when it has that tag. */
static bool
ber_enter(struct ber *b, unsigned tag)
{
        struct element e;

        if (!ber_open(b, &e) || e.tag != tag)
                return false;
        *b = e.body;
        return true;
}

static bool
ber_step(struct ber *b, unsigned tag)
{
        struct element e;

        return ber_open(b, &e) && e.tag == tag && ber_skip(b, &e, 0);
}

static bool
ber_oid(struct ber *b, const char *oid, size_t n)
{
        struct element e;

        if (!ber_open(b, &e) || e.tag != TAG_OID || e.body.n != n ||
            memcmp(e.body.s, oid, n) != 0)
                return false;
        return ber_skip(b, &e, 0);
}

/* The bytes of a string that may come in parts. */
static void
octets(struct buf *out, struct ber b, unsigned depth)
{
        struct element e;

        while (ber_open(&b, &e) && (e.tag == TAG_OCTETS || e.tag == TAG_OCTETS_PARTS)) {
                if (e.tag == TAG_OCTETS)
                        buf_add(out, e.body.s, e.body.n);
                else if (depth < MAX_DEPTH)
                        octets(out, e.body, depth + 1);
                if (e.indefinite)
                        return;
                ber_skip(&b, &e, 0);
        }
}

bool
mime_cms_content(struct buf *out, const char *s, size_t n)
{
        static const char signed_data[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
        static const char data[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
        struct ber b = {(const unsigned char *)s, n};
        size_t before = out->len;

        if (!ber_enter(&b, TAG_SEQUENCE) ||
            !ber_oid(&b, signed_data, sizeof(signed_data) - 1) ||
            !ber_enter(&b, TAG_CONTEXT_0) || !ber_enter(&b, TAG_SEQUENCE) ||
            !ber_step(&b, TAG_INTEGER) || !ber_step(&b, TAG_SET) ||
            !ber_enter(&b, TAG_SEQUENCE) || !ber_oid(&b, data, sizeof(data) - 1) ||
            !ber_enter(&b, TAG_CONTEXT_0))
                return false;
        octets(out, b, 0);
        return out->len > before;
}
