/* Inside of time zones: zone.c finds and asks them, zone_file.c reads them. */
#ifndef HELPLINE_BASE_ZONE_IMPL_H
#define HELPLINE_BASE_ZONE_IMPL_H

#include <stddef.h>
#include <stdint.h>

struct zone_change { /* from this moment on the clock is so far from UTC */
        int64_t at_s;
        int32_t offset_s;
};

struct zone {
        char *name; /* as it was asked for */
        struct zone *next; /* in the list of all that were found */
        int32_t first_offset_s; /* before the first change */
        struct zone_change *changes; /* by at_s; of equal ones the last counts */
        size_t n_changes;
};

struct zone *zone_new(const char *name);
void zone_add_change(struct zone *z, int64_t at_s, int32_t offset_s);
/* The bytes of a whole file, malloced; NULL when there is none that could be a zone's. */
char *zone_file_read(const char *path, size_t *n);

#endif
