/* The members "phone", "form" and "call" of a message document; inside daemon/model only. */
#ifndef HELPLINE_MODEL_MESSAGE_EXTRAS_H
#define HELPLINE_MODEL_MESSAGE_EXTRAS_H

#include "daemon/base/json.h"
#include "daemon/model/message.h"

/* Writes what is there of phone, form and call; nothing for mail. */
void message_extras_format(struct json_out *o, const struct message *m);

#endif
