/*
 * Time zones by their IANA names: what the clock on the wall shows elsewhere.
 *
 * The C library knows only the process's own zone, so the compiled files of package tzdata
 * (RFC 8536) are read here, each once in the life of the process. Any thread may ask.
 */
#ifndef HELPLINE_BASE_ZONE_H
#define HELPLINE_BASE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"

#define ZONEINFO "/usr/share/zoneinfo"

struct zone;

/* zone "" : the system's (TZ, else /etc/localtime). An unknown name is UTC; never NULL, and
 * lives as long as the process. */
const struct zone *zone_find(const char *name);
/* Could the name be one (no path, no "..") and is there a file of it? */
bool zone_exists(const char *name);

struct zone_span { /* so long the clock does not change: [from_s, until_s) */
        int64_t from_s, until_s; /* UTC; INT64_MIN, INT64_MAX at the ends */
        int32_t offset_s; /* local time less UTC */
};
struct zone_span zone_span_at(const struct zone *z, int64_t utc_s);
/* The first moment at which the wall shows that local time (given as if it were UTC) or a
 * later one: of the hour that comes twice the first, of one left out its end. */
int64_t zone_first_s(const struct zone *z, int64_t local_s);

/* What must be subtracted from a local time, given as if it were UTC, to have UTC. Of the
 * hour that comes twice the first is meant; in one that is left out what counted before. */
int64_t zone_offset_us(const char *zone, int64_t local_us);
/* "2026-11-24 10:00:00" on the wall at that moment, into out[20]. */
void zone_format(const char *zone, int64_t us, char out[20]);

/* The bytes of a file of tzdata; NULL when they are none. For tests: zones are found by name.
 * Free with zone_free. */
struct zone *zone_parse(const void *p, size_t n, struct err *err);
/* "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX, and the extensions of RFC 8536); NULL when it is none. */
struct zone *zone_parse_rule(const char *rule, struct err *err);
void zone_free(struct zone **z);

#endif
