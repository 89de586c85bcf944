/* Where the store is; see redis_where.h. Pure. */
#include "queue/redis_where.h"

#include <stdlib.h>
#include <string.h>

static int
where_parse_url(
    const char *url, struct arena *a, struct redis_where *out, struct err *err)
{
        const char *at = strrchr(url, '@');
        const char *host = at != NULL ? at + 1 : url;
        const char *slash = strchr(host, '/');
        const char *colon = at != NULL ? memchr(url, ':', (size_t)(at - url)) : NULL;
        size_t n = slash != NULL ? (size_t)(slash - host) : strlen(host);
        char *end = NULL;

        if (colon != NULL)
                out->password = arena_strndup(a, colon + 1, (size_t)(at - colon - 1));
        if (slash != NULL && slash[1] != '\0') {
                out->db = (unsigned)strtoul(slash + 1, &end, 10);
                if (*end != '\0')
                        return err_set(err, ERR_CONFIG,
                            "store: the database after the last / must be a number");
        }
        if (n == 0)
                return err_set(err, ERR_CONFIG, "store: expected redis://host:port/0");
        out->address = arena_strndup(a, host, n);
        if (strchr(out->address, ':') == NULL)
                out->address = arena_printf(a, "%s:6379", out->address);
        return 0;
}

int
redis_where_parse(
    const char *where, struct arena *a, struct redis_where *out, struct err *err)
{
        memset(out, 0, sizeof *out);
        out->address = out->password = "";
        if (strcmp(where, "embedded") == 0) {
                out->is_embedded = true;
                return 0;
        }
        if (strncmp(where, "unix://", 7) == 0 && where[7] == '/') {
                out->address = arena_printf(a, "unix:%s", where + 7);
                return 0;
        }
        if (strncmp(where, "redis://", 8) == 0)
                return where_parse_url(where + 8, a, out, err);
        return err_set(err, ERR_CONFIG,
            "store %.100s: expected embedded, unix:///path or redis://host:port/0",
            where);
}
