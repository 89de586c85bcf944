/* Where data files lie: the administrator's beside helpline.conf, and those that came
 * with the program. */
#ifndef HELPLINE_CONFIG_FOLDERS_H
#define HELPLINE_CONFIG_FOLDERS_H

#include <stddef.h>

#include "daemon/base/arena.h"

/* Folders that may hold files called `what` ("templates"), in the order they are looked
 * at: CONFDIR/what (not when confdir is NULL), that of the environment variable (when
 * absolute), config/what of the tree this program was built in,
 * PREFIX/share/helpline/what. Returns how many, at most 4. */
size_t data_folders(struct arena *a, const char *confdir, const char *variable,
    const char *what, const char *out[4]);

#endif
