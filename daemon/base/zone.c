/* Time zones by name; see zone.h. */
#include "daemon/base/zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/arena.h"

struct borrowed { /* the process's TZ while another is in its place */
        char *old; /* NULL: it had none */
        bool changed;
};

static struct borrowed
zone_enter(const char *zone)
{
        struct borrowed b = {NULL, *zone != '\0'};
        const char *old = getenv("TZ");

        if (b.changed) {
                b.old = old == NULL ? NULL : xstrdup(old);
                setenv("TZ", zone, 1);
        }
        tzset();
        return b;
}

static void
zone_leave(struct borrowed *b)
{
        if (!b->changed)
                return;
        if (b->old != NULL)
                setenv("TZ", b->old, 1);
        else
                unsetenv("TZ");
        free(b->old);
        tzset();
}

int64_t
zone_offset_us(const char *zone, int64_t local_us)
{
        time_t local = (time_t)(local_us / 1000000);
        struct borrowed b;
        struct tm tm;
        time_t utc;

        gmtime_r(&local, &tm);
        b = zone_enter(zone);
        tm.tm_isdst = 1; /* of two, the first: before the clock went back */
        utc = mktime(&tm);
        if (tm.tm_isdst == 0) {
                gmtime_r(&local, &tm);
                tm.tm_isdst = 0;
                utc = mktime(&tm);
        }
        zone_leave(&b);
        return utc == (time_t)-1 ? 0 : (int64_t)(local - utc) * 1000000;
}

void
zone_format(const char *zone, int64_t us, char out[20])
{
        time_t t = (time_t)(us / 1000000);
        struct borrowed b = zone_enter(zone);
        struct tm tm;

        localtime_r(&t, &tm);
        if (strftime(out, 20, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                out[0] = '\0';
        zone_leave(&b);
}
