/*
 * SUBSCRIBE and its relatives. Each channel is confirmed by a frame of its own, as in
 * Redis; there is no other answer.
 */
#include <string.h>

#include "daemon/agent/agent.h"

/* May the connection have so many more? And does the line exist? */
static bool
may_subscribe(struct call *c)
{
        unsigned n = c->conn->n_subscriptions + c->n_values;

        if (n > agents_limits.subscriptions) {
                call_error(c, "BADARG", "channel: expected at most %u in all, got %u",
                    agents_limits.subscriptions, n);
                return false;
        }
        for (unsigned i = 0; i < c->n_values; i++) {
                const char *s = c->values[i].s;

                if (c->values[i].spec->type == ARG_SUBSCRIPTION &&
                    strncmp(s, "line:", 5) == 0 &&
                    (config_line(c->agents->desk->config, s + 5) == NULL ||
                        !identity_sees_line(c->agents, &c->me, s + 5))) {
                        call_error(c, "NOSUCH", "there is no line '%s'", s + 5);
                        return false;
                }
        }
        return true;
}

static void
each(
    struct call *c, bool pattern, void (*fn)(struct conn *c, const char *s, bool pattern))
{
        for (unsigned i = 0; i < c->n_values; i++)
                fn(c->conn, c->values[i].s, pattern);
        if (c->n_values == 0)
                fn(c->conn, NULL, pattern);
        call_answer(c, NULL);
}

void
cmd_subscribe(struct call *c)
{
        if (may_subscribe(c))
                each(c, false, events_subscribe);
}

void
cmd_psubscribe(struct call *c)
{
        if (may_subscribe(c))
                each(c, true, events_subscribe);
}

void
cmd_unsubscribe(struct call *c)
{
        each(c, false, events_unsubscribe);
}

void
cmd_punsubscribe(struct call *c)
{
        each(c, true, events_unsubscribe);
}
