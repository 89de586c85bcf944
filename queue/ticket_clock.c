/*
 * The law of clocks: promises, reminders, escalation by time.
 */
#include "queue/ticket_impl.h"

const struct law_row law_of_clocks[] = {
    {0, NULL, 0, NULL},
};
