/*
 * Time zones by name; see zone.h.
 *
 * A zone is a sorted list of changes and never altered once it is in the list of known
 * zones, so only the list itself needs the lock.
 */
#include "daemon/base/zone.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/base/arena.h"
#include "daemon/base/zone_impl.h"

#define NAME_MAX_LEN 100
#define PATH_SIZE (NAME_MAX_LEN + sizeof ZONEINFO + 2)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *known; /* under the lock; grows by one for each name ever asked for */

/* ---- finding ---- */

static bool
name_is_good(const char *name)
{
        size_t n = strlen(name);

        if (n == 0 || n > NAME_MAX_LEN || name[0] == '/' || strstr(name, "..") != NULL)
                return false;
        for (const char *p = name; *p != '\0'; p++)
                if (!isalnum((unsigned char)*p) && strchr("/_+-", *p) == NULL)
                        return false;
        return true;
}

bool
zone_exists(const char *name)
{
        char path[PATH_SIZE];
        struct stat st;

        if (!name_is_good(name))
                return false;
        snprintf(path, sizeof path, ZONEINFO "/%s", name);
        return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static struct zone *
zone_of_path(const char *path)
{
        size_t n;
        char *bytes AUTO_FREE = zone_file_read(path, &n);

        return bytes == NULL ? NULL : zone_parse(bytes, n, NULL);
}

/* The file of that name, or the rule that it is, as TZ may hold; NULL neither. */
static struct zone *
zone_of_name(const char *name)
{
        char path[PATH_SIZE];

        if (strcmp(name, "/etc/localtime") == 0)
                return zone_of_path(name);
        if (name_is_good(name)) {
                struct zone *z;

                snprintf(path, sizeof path, ZONEINFO "/%s", name);
                if ((z = zone_of_path(path)) != NULL)
                        return z;
        }
        return zone_parse_rule(name, NULL);
}

static const char *
system_zone(void)
{
        const char *tz = getenv("TZ");

        if (tz == NULL)
                return "/etc/localtime";
        return *tz == ':' ? tz + 1 : tz;
}

const struct zone *
zone_find(const char *name)
{
        struct zone *z;

        if (*name == '\0')
                name = system_zone();
        pthread_mutex_lock(&lock);
        for (z = known; z != NULL && strcmp(z->name, name) != 0; z = z->next)
                ;
        if (z == NULL) {
                if ((z = zone_of_name(name)) == NULL)
                        z = zone_new("");
                free(z->name);
                z->name = xstrdup(name);
                z->next = known;
                known = z;
        }
        pthread_mutex_unlock(&lock);
        return z;
}

void
zone_free(struct zone **z)
{
        if (*z == NULL)
                return;
        free((*z)->name);
        free((*z)->changes);
        free(*z);
        *z = NULL;
}

/* ---- asking ---- */

/* How many changes have come by then. */
static size_t
changes_by(const struct zone *z, int64_t utc_s)
{
        size_t low = 0, high = z->n_changes;

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (z->changes[mid].at_s <= utc_s)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

static struct zone_span
span_of(const struct zone *z, size_t n)
{
        return (struct zone_span){
            .from_s = n == 0 ? INT64_MIN : z->changes[n - 1].at_s,
            .until_s = n == z->n_changes ? INT64_MAX : z->changes[n].at_s,
            .offset_s = n == 0 ? z->first_offset_s : z->changes[n - 1].offset_s,
        };
}

struct zone_span
zone_span_at(const struct zone *z, int64_t utc_s)
{
        return span_of(z, changes_by(z, utc_s));
}

#define TWO_DAYS_S (2 * 86400)

int64_t
zone_first_s(const struct zone *z, int64_t local_s)
{
        /* no clock is two days from UTC: nothing earlier shows that time */
        int64_t utc_s = local_s - TWO_DAYS_S;

        for (size_t n = changes_by(z, utc_s);; n++) {
                struct zone_span s = span_of(z, n);
                int64_t at_s = local_s - s.offset_s;

                if (at_s < s.from_s)
                        return s.from_s; /* left out: the clock jumped over it */
                if (at_s < s.until_s)
                        return at_s;
        }
}

int64_t
zone_offset_us(const char *zone, int64_t local_us)
{
        const struct zone *z = zone_find(zone);
        int64_t local_s = local_us / 1000000;
        int64_t first_s = zone_first_s(z, local_s);
        struct zone_span s = zone_span_at(z, first_s);

        if (first_s + s.offset_s > local_s && s.from_s != INT64_MIN)
                s = zone_span_at(z, s.from_s - 1);
        return (int64_t)s.offset_s * 1000000;
}

void
zone_format(const char *zone, int64_t us, char out[20])
{
        int64_t utc_s = us / 1000000;
        struct zone_span s = zone_span_at(zone_find(zone), utc_s);
        time_t local = (time_t)(utc_s + s.offset_s);
        struct tm tm;

        if (gmtime_r(&local, &tm) == NULL ||
            strftime(out, 20, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                out[0] = '\0';
}
