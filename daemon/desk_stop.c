/*
 * The end of the daemon: drain, then everything down within 2 s.
 *
 *     DRAINING    no new mail, no new tickets; arrivals and mails under way may end
 *     AGENTS      parked agents have their -DRAINING, answers are flushed
 *     STORE       what is in flight is answered, the child gets SHUTDOWN
 *
 * What is cut off by a deadline was not acknowledged, so its source tries again.
 */
#include "channels/email_lmtp.h"
#include "daemon/agent/server.h"
#include "daemon/base/log.h"
#include "daemon/desk.h"
#include "daemon/intake.h"
#include "daemon/notify.h"
#include "daemon/outbox.h"
#include "daemon/phones.h"
#include "daemon/web/server.h"

#define POLL_MS 10
#define DRAIN_POLLS 60 /* 600 ms for what is under way */
#define AGENTS_MS 300
#define STORE_MS 900

void
desk_drain(struct desk *d, const char *who)
{
        if (d->draining)
                return;
        log_info("DRAINING", "who=%s", log_quote(who));
        d->draining = true;
        lmtp_drain(d->lmtp);
        phones_drain(d->phones);
        agents_drain(d->agents);
        dispatch_drain(d->dispatch);
}

static void
on_store_stopped(void *arg)
{
        struct desk *d = arg;

        log_info("STOPPED", "exit=%d", d->exit_code);
        loop_stop(d->loop);
}

static void
on_agents_stopped(void *arg)
{
        struct desk *d = arg;

        store_stop(d->store, STORE_MS, on_store_stopped, d);
}

static void
on_stop_turn(void *arg)
{
        struct desk *d = arg;

        if (++d->stop_phase < DRAIN_POLLS &&
            intake_pending(d->intake) + outbox_pending(d->outbox) > 0) {
                timer_set(d->stop_timer, POLL_MS);
                return;
        }
        agents_stop(d->agents, AGENTS_MS, on_agents_stopped, d);
}

void
desk_shutdown(struct desk *d, const char *who)
{
        if (d->stopping)
                return;
        notify_send("STOPPING=1");
        desk_drain(d, who);
        web_drain(d->web); /* not before: agents over HTTP finish what they hold */
        d->stopping = true;
        d->stop_timer = timer_new(d->loop, on_stop_turn, d);
        timer_set(d->stop_timer, POLL_MS);
}
