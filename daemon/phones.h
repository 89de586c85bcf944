/*
 * The desk's phone logs: one channel for each `phone` of the configuration.
 */
#ifndef HELPLINE_DAEMON_PHONES_H
#define HELPLINE_DAEMON_PHONES_H

#include "channels/phone_log.h"
#include "daemon/desk.h"

struct phones;

/* After lmtp, before the store starts. */
struct phones *phones_open(struct desk *d);
/* After the configuration was swapped: those that are gone end when what they have under
 * way is settled, others go on with their new options. */
void phones_reload(struct phones *p);
void phones_drain(struct phones *p);
void phones_free(struct phones **p);
/* NULL: there is none of that name. */
struct phone_log *phones_find(const struct phones *p, const char *name);
size_t phones_count(const struct phones *p);
struct phone_log *phones_at(const struct phones *p, size_t i);

#endif
