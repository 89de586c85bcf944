/*
 * A channel: a way in. It takes bytes from outside and hands them up, and it
 * acknowledges to its source only what has been settled. A channel never sees a
 * queue: the daemon gives it the few functions of struct channel_host.
 *
 *     channel: host->deliver(arrival)  ->  daemon: bytes durable, parsed, decided, put
 *     daemon:  channel_settle(token, outcome)  ->  channel: 250, 201, mail marked
 *
 * deliver is called once for each recipient account; each token is settled once,
 * in any order, never before deliver has returned. When a source is gone
 * meanwhile, the token is stale and settling it does nothing.
 */
#ifndef HELPLINE_CHANNELS_CHANNEL_H
#define HELPLINE_CHANNELS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"
#include "daemon/base/loop.h"

struct channel_token { /* names what waits for its settlement inside the channel */
        struct channel *channel;
        uint64_t source; /* connection, file, ... (0 is none) */
        uint32_t index; /* which recipient, record, ... of it */
        uint32_t serial; /* guards against reuse of source */
};

enum settlement {
        SETTLE_STORED, /* a message on a ticket, durably */
        SETTLE_DUPLICATE, /* was stored before: as good */
        SETTLE_QUARANTINED, /* not understood; kept whole, with a header-only ticket */
        SETTLE_LATER, /* not taken: the store is away; the source shall try again */
        SETTLE_FULL /* not taken: no room (LMTP 452, HTTP 507) */
};

/* borrowed until deliver returns; the bytes and fd are copied or duplicated */
struct arrival {
        const char *channel; /* "email" */
        const char *account; /* our address it was sent to, as configured */
        const void *bytes; /* the raw message, or NULL when it lies in fd */
        size_t len; /* its length, in memory or in fd */
        int fd; /* a spool file, read from its start; -1 */
        bool has_envelope;
        const char *envelope_from; /* "" : the null sender */
        int64_t received_at_us;
        struct channel_token token;
};

struct channel_host {
        void *arg;
        /* The account this recipient address belongs to (as configured), NULL: unknown. */
        const char *(*account_of)(void *arg, const char *address);
        /* 0, or -1 with why messages cannot be taken now (err->code "452" or "451"). */
        int (*may_take)(void *arg, struct err *err);
        void (*deliver)(void *arg, const struct arrival *a);
};

struct channel_ops {
        const char *name;
        /* The answer to deliver; why: one sentence for LATER, FULL and QUARANTINED. */
        void (*settle)(struct channel *ch, struct channel_token t, enum settlement s,
            const char *why);
};

struct channel { /* first member of every channel's own struct */
        const struct channel_ops *ops;
        const struct channel_host *host;
};

void channel_settle(struct channel_token t, enum settlement s, const char *why);
const char *settlement_name(enum settlement s);

#endif
