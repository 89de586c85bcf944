/*
 * The words of mail systems that report in prose: one file a system in config/bounces
 * (shipped) and CONFDIR/bounces (the administrator's, looked at first). Documented in
 * bounces(5). Read by helpline-mime before it locks itself in, and by `helpline check`.
 */
#ifndef HELPLINE_CONFIG_BOUNCES_H
#define HELPLINE_CONFIG_BOUNCES_H

#include <stddef.h>

#include "daemon/base/err.h"

struct bounce_set; /* immutable once loaded */

/* Reads all *.conf of the folders in this order, a name only once (the first wins). A
 * folder that is not there is empty. NULL with *err: file:line:column and what to do. */
struct bounce_set *bounces_load(const char *const *dirs, size_t n_dirs, struct err *err);
void bounces_free(struct bounce_set **s);
/* How many systems it knows. */
size_t bounces_count(const struct bounce_set *s);

#endif
