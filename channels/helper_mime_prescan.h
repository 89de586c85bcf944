/*
 * The look before the leap: one linear pass over a raw mail that finds its
 * header and counts what makes a MIME parser bloat. Pure; allocates nothing.
 *
 * Why each limit (GMime 3.2 measured): 1,000,000 header lines take 532 MB,
 * 200,000 parts 266 MB, 25,000 names without an address 3 s, while size alone
 * costs nothing. What a limit refuses still becomes a header-only ticket, and its
 * bytes are kept.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_PRESCAN_H
#define HELPLINE_CHANNELS_HELPER_MIME_PRESCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/err.h"

#define PRESCAN_MAX_BYTES (25u << 20) /* of the whole mail */
#define PRESCAN_MAX_HEADERS 2000u /* lines of the header, folded ones too */
#define PRESCAN_MAX_HEADER_BYTES (256u << 10) /* of the header */
#define PRESCAN_MAX_BOUNDARIES 1000u /* boundary lines in the body */
#define PRESCAN_MAX_NESTED 200u /* multipart and message types declared */
#define PRESCAN_MAX_PART_HEADERS 20000u /* header lines of all parts */
#define PRESCAN_MAX_PART_BYTES (2u << 20) /* bytes of them */
#define PRESCAN_MAX_COMMAS 5000u /* in them: quadratic in GMime's addresses */

struct prescan {
        bool has_header; /* false: all of it is body */
        bool no_blank; /* the header runs into the body without an empty line */
        size_t header_at; /* where the header begins: after blanks and junk */
        size_t header_len; /* its bytes, without the empty line */
        size_t body_at; /* the first byte after the empty line */
        unsigned n_headers; /* its lines */
        /* body lines that are "--" and a boundary declared before */
        unsigned n_boundaries;
        unsigned n_nested; /* declared types multipart/... and message/... */
        unsigned n_part_headers; /* header lines of parts and of messages within */
        size_t part_header_bytes; /* their bytes */
        size_t n_commas; /* in those lines */
        char charset[40]; /* the first that a text declares, as written; "" none */
};

/* One header line, folded parts included; borrowed from the block. */
struct raw_header {
        const char *name;
        size_t name_len;
        const char *value; /* raw: with folds, without the last line end */
        size_t value_len;
};

/* Scans n bytes. Always fills *p; -1 with ERR_LIMIT and a sentence that names
 * the limit when one is exceeded (then only the header is fit for reading). */
int mime_prescan(const char *raw, size_t n, struct prescan *p, struct err *err);

/* Has it line ends of bare CR only (then make them LF before all else)? */
bool mime_prescan_cr_only(const char *raw, size_t n);

/* The next header field of a block from *pos on; false at its end. Lines that
 * are no header are stepped over. */
bool mime_prescan_next(const char *block, size_t n, size_t *pos, struct raw_header *h);

#endif
