/*
 * Content transfer encodings (RFC 2045), uuencode, and what goes by their names without
 * being it. Pure and linear; every input decodes to something.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_CODE_H
#define HELPLINE_CHANNELS_HELPER_MIME_CODE_H

#include <stdbool.h>
#include <stddef.h>

enum mime_coding {
        CODING_NONE, /* 7bit, 8bit, binary, and what is no encoding at all */
        CODING_BASE64,
        CODING_QUOTED, /* quoted-printable */
        CODING_UU,
        CODING_BINHEX, /* known and not decoded: given as it is */
        CODING_YENC /* the same */
};

/* Gets each chunk of decoded bytes; false: enough, no more is given. */
typedef bool (*code_fn)(void *arg, const char *s, size_t n);

/* What a raw Content-Transfer-Encoding value means, however it is written. */
enum mime_coding mime_coding_of(const char *value, size_t n);

/* What the bytes of a body are, told to be `said`: base64 that is plain text is none,
 * text without a label (labelled false) that is nothing but base64 or quoted-printable
 * is that. */
enum mime_coding mime_coding_truth(
    enum mime_coding said, bool labelled, bool is_text, const char *s, size_t n);

/* Decodes n bytes; false when fn wanted no more. Base64: junk is stepped over, padding
 * may miss or stand between pieces. Quoted-printable: what is no escape stands for
 * itself. */
bool mime_decode(enum mime_coding c, const char *s, size_t n, code_fn fn, void *arg);

/* One file inside a text: "begin 644 name", lines, "end". */
struct uu_file {
        size_t at; /* where "begin" stands */
        size_t end; /* behind the line "end", or the last line that is uuencoded */
        size_t data; /* the first encoded line */
        const char *name; /* borrowed, name_len bytes */
        size_t name_len;
        bool closed; /* "end" was there */
};
/* The next file from `from` (the beginning of a line) on; false when there is none. */
bool mime_uu_next(const char *s, size_t n, size_t from, struct uu_file *u);
/* Decodes the lines of one. */
bool mime_uu_decode(const char *s, const struct uu_file *u, code_fn fn, void *arg);

#endif
