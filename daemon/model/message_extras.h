/* The members "phone", "form", "call", "notices", "report", "forwarded" of a message
 * document; inside daemon/model only. */
#ifndef HELPLINE_MODEL_MESSAGE_EXTRAS_H
#define HELPLINE_MODEL_MESSAGE_EXTRAS_H

#include "daemon/base/json.h"
#include "daemon/model/message.h"

/* Writes what is there of phone, form and call; what was understood of a mail. */
void message_extras_format(struct json_out *o, const struct message *m);

void message_findings_format(struct json_out *o, const struct message *m);

#endif
