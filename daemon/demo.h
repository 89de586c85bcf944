/*
 * The demo desk: `helplined --demo [DIR]`, what `make run` starts.
 */
#ifndef HELPLINE_DAEMON_DEMO_H
#define HELPLINE_DAEMON_DEMO_H

#include "daemon/base/arena.h"
#include "daemon/desk.h"

/* Makes DIR and DIR/helpline.conf out of the built-in demo configuration when they
 * are missing; *file is its absolute path. */
int demo_prepare(const char *dir, struct arena *a, const char **file, struct err *err);
/* The desk is ready: makes a fresh token for the demo agent and prints where it
 * listens and what to try, the last lines ready to paste. */
void demo_show(struct desk *d);

#endif
