/* What all channels share; see channel.h. */
#include "channels/channel.h"

#include "daemon/base/log.h"

void
channel_settle(
    struct channel_token t, enum settlement s, const char *why, const char *ticket)
{
        log_debug("SETTLE", "channel=%s source=%llu index=%u outcome=%s",
            t.channel->ops->name, (unsigned long long)t.source, t.index,
            settlement_name(s));
        t.channel->ops->settle(t.channel, t, s, why, ticket);
}

const char *
settlement_name(enum settlement s)
{
        switch (s) {
        case SETTLE_STORED:
                return "stored";
        case SETTLE_DUPLICATE:
                return "duplicate";
        case SETTLE_QUARANTINED:
                return "quarantined";
        case SETTLE_LATER:
                return "later";
        case SETTLE_FULL:
                return "full";
        }
        return "unknown";
}
