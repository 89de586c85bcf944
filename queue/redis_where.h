/*
 * Where the store is, as the configuration writes it.
 */
#ifndef HELPLINE_QUEUE_REDIS_WHERE_H
#define HELPLINE_QUEUE_REDIS_WHERE_H

#include <stdbool.h>

#include "daemon/base/arena.h"
#include "daemon/base/err.h"

struct redis_where {
        bool is_embedded; /* our own child; address is "" */
        const char *address; /* as stream.h wants it */
        const char *password; /* of the URL, "" none */
        unsigned db; /* its number */
};

/* "embedded", "unix:///path", "redis://[user[:password]@]host[:port][/db]". Strings are
 * in a. -1: ERR_CONFIG. */
int redis_where_parse(
    const char *where, struct arena *a, struct redis_where *out, struct err *err);

#endif
