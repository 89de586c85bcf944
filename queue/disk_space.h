/*
 * The watch on the disk of the state directory: a full disk makes Redis exit, so
 * mail is refused long before.
 */
#ifndef HELPLINE_QUEUE_DISK_SPACE_H
#define HELPLINE_QUEUE_DISK_SPACE_H

#include <stdint.h>

#include "daemon/base/err.h"
#include "queue/redis_child.h"

struct disk_space;

struct disk_space *disk_space_new(const char *state_dir);
void disk_space_free(struct disk_space **d);
/* How full is it now; `why` says how much is free and how much there should be. Makes
 * the ballast file while there is plenty, gives it up when there is none. */
enum disk_level disk_space_level(struct disk_space *d, struct err *why);

#endif
