/*
 * A file that grows, is rotated, truncated, begun anew: its records in order, each with
 * the place behind it. Only reading; when to look and what to remember is phone_log.c's.
 */
#ifndef HELPLINE_CHANNELS_PHONE_TAIL_H
#define HELPLINE_CHANNELS_PHONE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAIL_HEAD = 256 }; /* first bytes of a file that tell it from others */

struct tail_position {
        uint64_t inode; /* 0: there was no file yet */
        uint64_t offset; /* behind the last record */
        uint32_t head_len; /* bytes the hash covers, at most TAIL_HEAD */
        char head[33]; /* hex, half a SHA-256 of them; "" of none */
};
/* "12345 4096 256 9f86d081…", at most 100 bytes. */
void tail_position_format(const struct tail_position *p, char out[128]);
bool tail_position_parse(const char *s, struct tail_position *out);

struct phone_tail;

/* From a position, or (NULL) from the end of what is there now: then *start gets the
 * place to remember. A file that is no longer there under its name is looked for beside
 * it (rotation while nobody looked). */
struct phone_tail *phone_tail_open(
    const char *path, const struct tail_position *from, struct tail_position *start);
void phone_tail_close(struct phone_tail **t);
bool phone_tail_is_open(const struct phone_tail *t);

/* Look whether the file was rotated or truncated; once a second, before reading. */
void phone_tail_look(struct phone_tail *t);
/* The next record with its line end, valid until the next call, and the place behind it.
 * len 0: something that was too long was skipped. false: nothing more for now, or enough
 * for one turn (is_paused): the next call goes on. */
bool phone_tail_next(
    struct phone_tail *t, const char **s, size_t *len, struct tail_position *after);
bool phone_tail_is_paused(const struct phone_tail *t);

#endif
