/* Where the helper programs lie. */
#ifndef HELPLINE_DAEMON_HELPERS_H
#define HELPLINE_DAEMON_HELPERS_H

#include "config/config.h"
#include "daemon/base/arena.h"
#include "daemon/base/err.h"

/* "helpline-mime": $HELPLINE_LIBEXEC, else the folder of the running program, else
 * where make install puts it. NULL with *err when it cannot be run from there. */
const char *helper_path(struct arena *a, const char *name, struct err *err);

/* The arguments of helpline-mime: its path, the folders with the words of mail systems
 * (config/bounces.h), NULL; in the arena. NULL with *err as above. */
const char *const *
helper_mime_argv(struct arena *a, const struct config *c, struct err *err);

#endif
