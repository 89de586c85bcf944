/*
 * Host names looked up without waiting; only for daemon/base.
 */
#ifndef HELPLINE_BASE_LOOKUP_H
#define HELPLINE_BASE_LOOKUP_H

#include "daemon/base/err.h"
#include "daemon/base/loop.h"
#include "daemon/base/netaddr.h"

struct lookup;

/* addr is valid when err->kind is ERR_NONE, until the function returns. */
typedef void (*lookup_fn)(void *arg, const struct netaddr *addr, const struct err *err);

/* Look up "name:port"; fn is called once, in the loop, never before this returns.
 * It may take as long as the name servers do: the caller has the deadline. NULL: it
 * cannot be begun (ERR_RETRY). */
struct lookup *lookup_start(
    struct loop *loop, const char *address, lookup_fn fn, void *arg, struct err *err);
/* fn is not called any more. Also to be called inside or after fn; *l may be NULL. */
void lookup_free(struct lookup **l);

#endif
