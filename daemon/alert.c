/* Alerts; see alert.h. After a restart each may be told once more. */
#include "daemon/alert.h"

#include "config/config.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"

static const char *
alert_name(enum alert what)
{
        switch (what) {
        case ALERT_STORE:
                return "store";
        case ALERT_ROOM:
                return "room";
        case ALERT_MAIL:
                return "mail";
        case ALERT_CLASSES:
                return "classes";
        case ALERT_LOOP:
                return "loop";
        case N_ALERTS:
                break;
        }
        return "";
}

void
alert_tell(struct alerts *a, const struct config *c, enum alert what, const char *why)
{
        int64_t now_ms = clock_now_ms();

        if (now_ms < a->silent_until_ms[what])
                return;
        for (size_t i = 0; i < c->n_alert; i++)
                log_error("ALERT", "to=%s what=%s why=%s", log_quote(c->alert[i]),
                    alert_name(what), log_quote(why));
        if (c->n_alert > 0)
                a->silent_until_ms[what] = now_ms + c->alert_silent_ms;
}
