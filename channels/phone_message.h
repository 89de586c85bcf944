/*
 * A call as a message for people: subject, text, who. Pure.
 */
#ifndef HELPLINE_CHANNELS_PHONE_MESSAGE_H
#define HELPLINE_CHANNELS_PHONE_MESSAGE_H

#include "daemon/model/message.h"

struct phone_words {
        const char *language; /* "ru", else English */
        const char *timezone; /* of the times in the text, "" the system's */
        const char *note; /* an operator's words, put before them; "" none */
};

/* "Missed call +74951234567", its summary, its number as the sender's; the caller of
 * our own call is us, so the number is whom we called. Digest "" when the call has no id.
 * The caller of this fills channel and account. */
struct message *phone_message(const struct phone_call *c, const struct phone_words *w);

#endif
