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

struct message;

/* borrowed until deliver returns; the bytes and fd are copied or duplicated */
struct arrival {
        const char *channel; /* "email" "web" "phone" */
        const char *account; /* our address it was sent to, as configured */
        const void *bytes; /* the raw message, or NULL when it lies in fd */
        size_t len; /* its length, in memory or in fd */
        int fd; /* a spool file, read from its start; -1 */
        bool has_envelope;
        const char *envelope_from; /* "" : the null sender */
        int64_t received_at_us;
        struct channel_token token;
        /* Forms and calls are parsed by the channel itself: the message, taken over by
         * deliver (its digest set: seen before). The bytes are kept beside it when len > 0.
         * NULL: bytes are mail for helpline-mime. */
        struct message *message;
        /* The ticket it is for, proved by a signed link or token; "" : facts and rules decide. */
        const char *ticket;
};

struct channel_host {
        void *arg;
        /* The account this recipient address belongs to (as configured), NULL: unknown. */
        const char *(*account_of)(void *arg, const char *address);
        /* 0, or -1 with why messages cannot be taken now (err->code "452" or "451"). */
        int (*may_take)(void *arg, struct err *err);
        void (*deliver)(void *arg, const struct arrival *a);
        /* A cursor of the channel in the store (phone log positions): text of at most 1 KB.
         * get: "" when there is none. Both answer once, never before they have returned. */
        void (*cursor_get)(void *arg, const char *account,
            void (*fn)(void *fn_arg, const struct err *err, const char *value),
            void *fn_arg);
        void (*cursor_set)(void *arg, const char *account, const char *value,
            void (*fn)(void *fn_arg, const struct err *err), void *fn_arg);
};

struct channel_ops {
        const char *name;
        /* The answer to deliver; why: one sentence for LATER, FULL and QUARANTINED; ticket:
         * its number when it is on one, else "". */
        void (*settle)(struct channel *ch, struct channel_token t, enum settlement s,
            const char *why, const char *ticket);
};

struct channel { /* first member of every channel's own struct */
        const struct channel_ops *ops;
        const struct channel_host *host;
};

void channel_settle(
    struct channel_token t, enum settlement s, const char *why, const char *ticket);
const char *settlement_name(enum settlement s);

#endif
