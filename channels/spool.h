/*
 * Bytes on their way in: few lie in memory, many in a nameless file. What an older
 * process left in the folder was never acknowledged to anybody.
 */
#ifndef HELPLINE_CHANNELS_SPOOL_H
#define HELPLINE_CHANNELS_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/buf.h"

struct spool {
        const char *dir; /* borrowed: must outlive it */
        size_t memory_max; /* bytes that are few */
        struct buf memory; /* all bytes while they are few */
        int fd; /* all bytes once they are many; -1 */
        uint64_t len;
        bool failed; /* no room or no file: errno was logged, further bytes are eaten */
};

void spool_init(struct spool *s, const char *dir, size_t memory_max);
/* Lets go of all bytes; may be used again. */
void spool_fini(struct spool *s);
/* false: it has failed. */
bool spool_add(struct spool *s, const void *p, size_t n);

#endif
