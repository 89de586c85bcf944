/*
 * The law of asking: questions to colleagues and suppliers, trainees, tickets made of
 * tickets.
 */
#include "queue/ticket_impl.h"

const struct law_row law_of_asking[] = {
    {0, NULL, 0, NULL},
};
