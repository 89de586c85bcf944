/*
 * The tail of Redis's append-only file: what a power cut may leave there that Redis
 * would not start from.
 */
#ifndef HELPLINE_QUEUE_REDIS_TAIL_H
#define HELPLINE_QUEUE_REDIS_TAIL_H

#include <stdint.h>

#include "daemon/base/err.h"

/* Before redis-server is started on this folder. Zero bytes at the end (behind whole
 * commands, or behind one command or transaction that was being written when the
 * power went, so never acknowledged) are cut off by redis-check-aof --fix; *cut is
 * how many bytes went, 0 when nothing had to. -1: the file is damaged in
 * another way, or cannot be read or mended; err says what to do. Blocks. */
int redis_tail_mend(const char *state_dir, int64_t *cut, struct err *err);

/* Bytes of all append-only files of the folder. */
int64_t redis_tail_bytes(const char *state_dir);

#endif
