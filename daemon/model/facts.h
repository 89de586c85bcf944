/*
 * Facts: all that the rules may look at when they decide about one message.
 * Pure data, gathered by daemon/intake.c in one read.
 */
#ifndef HELPLINE_MODEL_FACTS_H
#define HELPLINE_MODEL_FACTS_H

#include "daemon/model/message.h"
#include "daemon/model/ticket.h"

/* How many tickets were tagged so within the time before this one. */
struct tag_count {
        const char *tag;
        int64_t window_ms;
        unsigned n; /* this one not counted */
};

struct facts {
        const struct message *message;
        const struct customer *customer; /* NULL: unknown so far */
        const struct ticket *ticket; /* the ticket it belongs to; NULL: a new one */
        int64_t now_ms;
        const struct tag_count *counts; /* what rules_windows() asks for; absent: none */
        size_t n_counts;
        /* For `customer` conditions config/rules looks the sender up in the customers file by
         * message->from.address and message->phone; nothing of it is stored. */
};

#endif
