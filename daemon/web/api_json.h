/*
 * Commands and their answers as JSON (docs/protocol.md, "Over HTTP"). Pure.
 */
#ifndef HELPLINE_DAEMON_WEB_API_JSON_H
#define HELPLINE_DAEMON_WEB_API_JSON_H

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/resp.h"

struct api_limits {
        size_t max_body; /* bytes */
        size_t max_arg; /* bytes of a word */
        unsigned max_args;
};

/* The words of a command from a body like ["REPLY", "1042", "text"]: strings, whole
 * numbers; an object is its own JSON text, {"base64": "..."} the bytes it means. In the
 * arena. -1 with *err: BADARG, or TOOBIG. */
int api_words(const char *body, size_t n, const struct api_limits *lim, struct arena *a,
    struct resp_arg **argv, int *argc, struct err *err);

/* With ID key among them, before a TEXT that must be last (text_last). */
void api_add_id(
    struct resp_arg **argv, int *argc, const char *key, bool text_last, struct arena *a);

/* An answer as JSON: documents stand in it as they are, bytes (is_bytes) as base64. */
void api_answer(const struct resp_value *v, bool is_bytes, struct buf *out);

/* {"error": {"code", "message"}}. */
void api_error(const char *code, const char *message, struct buf *out);
/* The HTTP status of an error's code. */
int api_status(const char *code);

/* The values of one name in a query ("channel=desk&channel=line%3Afirst"), decoded, in
 * order. -1: a bad escape, or more than max. */
int api_query(const char *query, const char *name, const char **values, size_t max,
    size_t *n, struct arena *a);

/* Ids of the journal ("1732442400123-0"): earlier than 0, equal, later. "" is first. */
int api_seq_compare(const char *x, const char *y);
bool api_seq_is_valid(const char *s);

#endif
