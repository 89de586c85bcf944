/*
 * The limits, and how to change them: HELPLINE_LIMITS="per_address=100 grace_ms=60000"
 * in the daemon's environment.
 */
#include "daemon/agent/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/arena.h"

struct agents_limits agents_limits = {
    .arg = 1 << 20,
    .request = 4 << 20,
    .inline_line = 65536,
    .anonymous = 1024,
    .args = 64,
    .stretch = 1000,
    .behind_reserve = 65536,
    .anonymous_ms = 30000,
    .anonymous_near_ms = 60000,
    .connections = 10000,
    .per_address = 4096,
    .text = 65536,
    .word = 1024,
    .document = 256 * 1024,
    .reserve_answer = 1 << 20,
    .unread = 4 << 20,
    .unread_events = 8 << 20,
    .subscriptions = 256,
    .grace_ms = 120000,
    .watch_ms = 300,
    .gone_ms = 3600000,
    .empty_ms = 1000,
    .own_ms = 15 * 60000,
    .http_block_ms = 55000, /* proxies in front give up after 60 s */
    .heartbeat_ms = 15000,
    .repeat_ms = 86400000,
};

struct limit {
        const char *name;
        size_t *size; /* one of the three */
        unsigned *number;
        int64_t *ms;
};
#define SIZE(field)                                                                      \
        {                                                                                \
#field, &agents_limits.field, NULL, NULL                                 \
        }
#define NUMBER(field)                                                                    \
        {                                                                                \
#field, NULL, &agents_limits.field, NULL                                 \
        }
#define TIME(field)                                                                      \
        {                                                                                \
#field, NULL, NULL, &agents_limits.field                                 \
        }

static const struct limit limits[] = {
    SIZE(arg),
    SIZE(request),
    SIZE(inline_line),
    SIZE(anonymous),
    NUMBER(args),
    NUMBER(stretch),
    SIZE(behind_reserve),
    TIME(anonymous_ms),
    TIME(anonymous_near_ms),
    NUMBER(connections),
    NUMBER(per_address),
    SIZE(text),
    SIZE(word),
    SIZE(document),
    SIZE(reserve_answer),
    SIZE(unread),
    SIZE(unread_events),
    NUMBER(subscriptions),
    TIME(grace_ms),
    TIME(watch_ms),
    TIME(gone_ms),
    TIME(empty_ms),
    TIME(own_ms),
    TIME(http_block_ms),
    TIME(heartbeat_ms),
    TIME(repeat_ms),
};

static int
limit_set(const char *name, const char *value, struct err *err)
{
        char *end;
        long long n;

        errno = 0;
        n = strtoll(value, &end, 10);
        if (errno != 0 || *end != '\0' || end == value || n < 0 || n > 1LL << 40)
                return err_set(err, ERR_CONFIG,
                    "HELPLINE_LIMITS: %s: expected a number, got '%s'", name, value);
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
                const struct limit *l = &limits[i];

                if (strcmp(l->name, name) != 0)
                        continue;
                if (l->size != NULL)
                        *l->size = (size_t)n;
                else if (l->number != NULL)
                        *l->number = (unsigned)(n > INT32_MAX ? INT32_MAX : n);
                else
                        *l->ms = n;
                return 0;
        }
        return err_set(err, ERR_CONFIG, "HELPLINE_LIMITS: there is no limit '%s'", name);
}

int
limits_read(const char *text, struct err *err)
{
        char *copy AUTO_FREE = xstrdup(text == NULL ? "" : text), *save;

        for (char *w = strtok_r(copy, " ,", &save); w != NULL;
             w = strtok_r(NULL, " ,", &save)) {
                char *is = strchr(w, '=');

                if (is == NULL)
                        return err_set(err, ERR_CONFIG,
                            "HELPLINE_LIMITS: expected name=number, got '%s'", w);
                *is = '\0';
                if (limit_set(w, is + 1, err) == -1)
                        return -1;
        }
        return 0;
}
