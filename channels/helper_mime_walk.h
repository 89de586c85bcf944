/*
 * The walk over the parts of one mail: what its pieces share. Only for
 * helper_mime_{parse,walk,leaf,texts,notice,forward,tnef...}.c.
 *
 * The same walk lists what is there (wanted NULL) and cuts one part out of it (wanted:
 * its path), so that both number the parts alike, also those found inside of others
 * (TNEF, uuencode): they stand beneath the part that holds them, "2.1" in "2".
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_WALK_H
#define HELPLINE_CHANNELS_HELPER_MIME_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channels/helper_mime_code.h"
#include "channels/helper_mime_report.h"
#include "channels/helper_mime_tree.h"
#include "channels/helper_mime_trim.h"
#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/model/message.h"

#define MAX_RAW_TEXT (4u << 20) /* bytes of one text part looked at */
#define MAX_ALL_TEXT (4u << 20) /* bytes of text made from all parts together */
#define MAX_HELD (20u << 20) /* bytes of a TNEF part held at once */
#define MAX_REFS 2000 /* pictures that HTML refers to */
#define MAX_OPAQUE 20 /* parts looked into that hold others in a format of their own */
#define MAX_INSIDE 100 /* files found inside one part */
#define MAX_FORWARD (512u << 10) /* bytes of an attached mail looked at */
#define MAX_FORWARD_TEXT (64u << 10) /* bytes of its text kept */

/* Where bytes come from. */
struct source {
        enum mime_coding coding;
        const char *s;
        size_t n;
        const struct uu_file *uu; /* lines in s; coding counts nothing */
};
bool source_write(const struct source *src, code_fn fn, void *arg);

/* Bytes, decoded: of the mail itself, or of a buffer. */
struct slice {
        const char *s;
        size_t n;
};

/* What may stand in the text instead of in the list. */
struct picture {
        uint64_t id; /* hash of its Content-ID; 0: none */
        uint64_t location; /* hash of its Content-Location; 0: none */
        bool related; /* stands in a multipart/related */
};

struct walk {
        struct message *m;
        struct arena *scratch; /* until the mail is read */
        struct sha256 *digest; /* for "seen before" */
        struct sha256 *sha; /* of one part after another */
        bool inner; /* a mail within the mail: nothing but its text counts */

        struct buf text; /* of the parts so far */
        struct text_marks marks; /* what HTML said of ranges of it */
        bool html; /* it was made from HTML */
        bool cut; /* something was left out of it */
        bool skip_html; /* the same was said in plain text: HTML is only looked at */
        uint64_t last_words; /* hash of the letters of the last text; 0: none */
        bool alone; /* the text is all there is: nothing is said twice */
        bool last_html; /* ... which was HTML */
        size_t made; /* bytes of text made so far, also what was dropped */
        size_t max_text;

        struct report_pieces pieces; /* for mime_report() */
        uint64_t *refs; /* hashes of what HTML shows */
        unsigned n_refs;
        bool has_html;
        struct picture *pictures; /* one an attachment, in the same order */
        const struct mime_part *forward; /* the first attached mail */
        unsigned n_forwards;
        unsigned n_leaves;
        unsigned n_opaque; /* parts looked into */

        const char *wanted; /* when cutting: the path looked for, else NULL */
        code_fn to; /* when cutting: where its bytes go */
        void *to_arg;
        bool found; /* when cutting: it was there */
};

/* Where the walk is. */
struct place {
        bool related; /* inside multipart/related, not its root */
        bool alternative; /* one of several forms of the same */
        bool first; /* nothing stands before it */
        bool report; /* inside multipart/report */
};

/* helper_mime_walk.c: the tree from this part on. */
void walk_part(struct walk *w, const struct mime_part *p, const struct place *at);
void walk_root(struct walk *w, const struct mime_part *root);
/* A mail found inside a part (signed, or in TNEF): its parts are numbered beneath. */
void walk_inside(struct walk *w, const char *s, size_t n, const char *path);

/* helper_mime_leaf.c */
/* The decoded bytes of a part, at most max: borrowed where it is not encoded, else in
 * hold. True when there are more. */
bool
leaf_bytes(const struct mime_part *p, struct buf *hold, size_t max, struct slice *out);
struct source leaf_source(const struct mime_part *p);
/* Lists a part (or gives it, when it is the wanted one). */
void leaf_attach(struct walk *w, const struct mime_part *p, const struct place *at);
/* Lists what was found inside a part; its name is cleaned, type "" is told by the name.
 * False: it is enough. */
bool leaf_attach_inside(struct walk *w, const struct source *src, const char *path,
    const char *name, const char *type, struct slice content_id);
const char *leaf_type_by_name(const char *name);
/* Is this what a report consists of? Its bytes are kept then. */
bool leaf_report(struct walk *w, const struct mime_part *p, const struct place *at);
/* The name of a part's file, "" when it has none. */
const char *leaf_name(struct arena *a, const struct mime_part *p);
/* A name without path and controls, decoded. */
const char *clean_name(struct arena *a, const char *raw, size_t n);
/* Notes which pictures HTML shows; sets is_inline of all attachments at the end. */
void leaf_refs(struct walk *w, const char *html, size_t n);
void leaf_mark_inline(struct walk *w);
bool walk_wants(const struct walk *w, const char *path);

/* helper_mime_texts.c */
enum text_kind { TEXT_NONE, TEXT_PLAIN, TEXT_HTML, TEXT_ENRICHED };
enum text_kind text_kind_of(const struct mime_part *p);
/* Adds a text part to the text of the mail; files inside it are listed. */
void text_add(struct walk *w, const struct mime_part *p);
/* Adds a text that was found inside a part. */
void text_add_inside(struct walk *w, const struct slice *s, enum text_kind kind,
    const char *charset, const char *path);
/* Adds text (and frees marks) behind what is there, an empty line between. */
void text_join(struct walk *w, const char *s, size_t n, struct text_marks *marks);
bool text_is_blank(const struct buf *b);
/* Is this plain text only a hint that there is HTML? */
bool text_is_excuse(const struct buf *b);

/* Into the digest of a text, without CRs. */
void text_digest_add(struct sha256 *sha, const char *s, size_t n);

/* helper_mime_enriched.c: text/enriched (RFC 1896) and richtext -> text. */
void mime_enriched_text(struct buf *out, const char *s, size_t n);

/* helper_mime_notice.c: what an agent must know of a part. */
void notice_part(struct walk *w, const struct mime_part *p);
/* ... and of a multipart that signs or encrypts. */
void notice_multipart(struct walk *w, const struct mime_part *p);

/* helper_mime_forward.c: m->forwarded out of an attached mail. */
void forward_read(struct walk *w);
/* ... after the text was trimmed: is it all that the mail says? */
void forward_weigh(struct message *m);

/* helper_mime_opaque.c: what is inside a part that is a container: TNEF, a mail signed
 * opaquely. True when it was looked into. */
bool opaque_open(struct walk *w, const struct mime_part *p);

#endif
