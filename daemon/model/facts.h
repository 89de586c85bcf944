/*
 * Facts: all that the rules may look at when they decide about one message.
 * Pure data, gathered by daemon/intake.c in one read.
 */
#ifndef HELPLINE_MODEL_FACTS_H
#define HELPLINE_MODEL_FACTS_H

#include "daemon/model/message.h"
#include "daemon/model/ticket.h"

struct facts {
        const struct message *message;
        const struct customer *customer; /* NULL: unknown so far */
        const struct ticket *ticket; /* the ticket it belongs to; NULL: a new one */
        int64_t now_ms;
        /* For `customer` conditions config/rules looks the sender up in the customers file by
         * message->from.address and message->phone; nothing of it is stored. */
};

#endif
