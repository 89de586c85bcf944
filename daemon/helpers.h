/* Where the helper programs lie. */
#ifndef HELPLINE_DAEMON_HELPERS_H
#define HELPLINE_DAEMON_HELPERS_H

#include "daemon/base/arena.h"
#include "daemon/base/err.h"

/* "helpline-mime": $HELPLINE_LIBEXEC, else the folder of the running program, else
 * where make install puts it. NULL with *err when it cannot be run from there. */
const char *helper_path(struct arena *a, const char *name, struct err *err);

#endif
