/*
 * JSON: jansson for what comes from outside, a small writer for what we say.
 * jansson's only home; others get json_t through this header.
 */
#ifndef HELPLINE_BASE_JSON_H
#define HELPLINE_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"

/* Parse text that may be hostile: at most max_len bytes, 32 levels, 200,000
 * values, duplicate keys refused, valid UTF-8, no NUL in strings. Returns a new reference
 * (json_decref it) or NULL with *err naming the byte. */
json_t *json_read(const char *s, size_t n, size_t max_len, struct err *err);

/* Members of an object, with a default when absent or of another type. Strings
 * are borrowed from o. */
const char *json_str(const json_t *o, const char *key, const char *otherwise);
int64_t json_int(const json_t *o, const char *key, int64_t otherwise);
bool json_bool(const json_t *o, const char *key, bool otherwise);
/* The array member, or NULL; iterate with json_array_size/get (NULL is empty). */
const json_t *json_list(const json_t *o, const char *key);
const json_t *json_obj(const json_t *o, const char *key);

/* ---- the writer: appends to a buf, commas by itself ---- */
struct json_out {
        struct buf *b;
        bool comma; /* the next value needs one before it */
};
void jo_init(struct json_out *o, struct buf *b);
void jo_open(struct json_out *o, char bracket); /* '{' or '[' */
void jo_close(struct json_out *o, char bracket); /* '}' or ']' */
void jo_key(struct json_out *o, const char *key);
void jo_string(struct json_out *o, const char *s); /* bad UTF-8 becomes U+FFFD */
void jo_stringn(struct json_out *o, const char *s, size_t n); /* so does a NUL */
void jo_int(struct json_out *o, int64_t v);
void jo_bool(struct json_out *o, bool v);
void jo_null(struct json_out *o);
void jo_time(struct json_out *o, int64_t us); /* RFC 3339; 0: null */
void jo_raw(struct json_out *o, const char *json, size_t n); /* finished JSON */
/* key and value at once */
void jo_kstring(struct json_out *o, const char *key, const char *s);
void
jo_kstring_or_null(struct json_out *o, const char *key, const char *s); /* "" is null */
void jo_kint(struct json_out *o, const char *key, int64_t v);
void jo_kbool(struct json_out *o, const char *key, bool v);
void jo_ktime(struct json_out *o, const char *key, int64_t us);
/* lists of strings */
void jo_strings(struct json_out *o, const char *const *s, size_t n);
void jo_kstrings(struct json_out *o, const char *key, const char *const *s, size_t n);
void jo_kraw(struct json_out *o, const char *key, const char *json, size_t n);

#endif
