/*
 * What a helper process says on its standard output and error; only for worker.c.
 */
#ifndef HELPLINE_BASE_WORKER_WORDS_H
#define HELPLINE_BASE_WORKER_WORDS_H

#include <sys/types.h>

#include "daemon/base/loop.h"

struct worker_words;

/* Reads fd (non-blocking, owned from here on) until its end and logs each line under
 * the helper's name, which must outlive it. */
struct worker_words *
worker_words_new(struct loop *loop, const char *name, pid_t pid, int fd);
/* Takes what has come already; the end of the process. *w is NULL afterwards. */
void worker_words_free(struct worker_words **w);

#endif
