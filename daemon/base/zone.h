/*
 * Time zones by their IANA names: what the clock on the wall shows elsewhere.
 *
 * The C library knows only the process's own zone, so each call borrows TZ and puts it
 * back. For the loop's thread alone.
 */
#ifndef HELPLINE_BASE_ZONE_H
#define HELPLINE_BASE_ZONE_H

#include <stdint.h>

/* zone "" : the system's. An unknown name is UTC. */

/* What must be subtracted from a local time, given as if it were UTC, to have UTC. Of the
 * hour that comes twice the first is meant. */
int64_t zone_offset_us(const char *zone, int64_t local_us);
/* "2026-11-24 10:00:00" on the wall at that moment, into out[20]. */
void zone_format(const char *zone, int64_t us, char out[20]);

#endif
