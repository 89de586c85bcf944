/*
 * Named places to die at, for the tests that prove "store first, tell second".
 *
 *     HELPLINE_CRASH=NAME[:n][:stop][@FILE]
 *
 * makes the process end with SIGKILL at its n-th passing (default the first) of
 * crash_point("NAME"); with `stop` it stops itself (SIGSTOP) instead, so that a
 * test may kill a neighbour exactly there and let it go on. With @FILE it happens
 * once only: FILE is created by it, and where it exists already nothing happens
 * (a helper that is started again would else die for ever).
 *
 * Without the variable a point costs one comparison. Helpers inherit the variable.
 */
#ifndef HELPLINE_BASE_CRASH_H
#define HELPLINE_BASE_CRASH_H

/* name: a literal "module.moment"; the tests find the points by reading the sources. */
void crash_point(const char *name);

#endif
