/*
 * A raw mail -> struct message (daemon/model/message.h): facts only. What kind
 * of mail it is and where it belongs is decided by others from the headers.
 *
 * Runs in the helper process. The tree of parts is our own (helper_mime_tree.h): it only
 * remembers where in the raw bytes each part lies, so attachments are exactly what was
 * sent, broken boundaries are found again, and no mail takes more memory than its size.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_PARSE_H
#define HELPLINE_CHANNELS_HELPER_MIME_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/model/message.h"

#define MIME_MAX_TEXT (1u << 20) /* bytes of text in an answer */
#define MIME_MAX_HEADER (256u << 10) /* bytes of headers in an answer */
#define MIME_MAX_DEPTH 50 /* levels of parts walked; deeper ones are attachments */
#define MIME_MAX_ATTACHMENTS 1000 /* named in an answer */
#define MIME_MAX_CUT (4u << 20) /* bytes of a part given at once */

/* Once a process, before files are forbidden. */
void mime_parse_init(void);

/* The words of mail systems for mime_report(), NULL none. Kept, not owned; before or
 * after mime_parse_init(). */
struct bounce_set;
void mime_parse_set_bounces(const struct bounce_set *set);

/* All of it. raw is written to (line ends of CR only become LF), n may be 0.
 * Gives a new message. -1 with ERR_LIMIT when the pre-scan refuses. */
int mime_parse(
    char *raw, size_t n, const char *account, struct message **out, struct err *err);

/* What the header alone says, without the parts: always gives a message
 * (header_only set, its text the first bytes of a mail that has no header). */
struct message *mime_parse_header_only(char *raw, size_t n, const char *account);

/* Appends to out the decoded bytes from..from+count (at most MIME_MAX_CUT) of a
 * part numbered as in the attachments. -1: ERR_NOTFOUND, no such part, ERR_LIMIT. */
int mime_parse_cut(char *raw, size_t n, const char *part, size_t from, size_t count,
    struct buf *out, struct err *err);

/* Appends to out the mail's own HTML (its first text/html that is no attachment and not
 * inside another mail), decoded, as UTF-8, at most MIME_MAX_CUT bytes. -1:
 * ERR_NOTFOUND, it has none, ERR_LIMIT. */
int mime_parse_html(char *raw, size_t n, struct buf *out, struct err *err);

/* Appends sanitised HTML of that mail with each picture's "cid:" followed by the place of
 * the part that holds it, numbered as in the attachments; of unknown ones unchanged. */
void mime_parse_places(
    const char *raw, size_t n, const char *html, size_t len, struct buf *out);

#endif
