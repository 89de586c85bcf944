/*
 * A telephone call, as one message tells it: a plain record, and numbers. Pure.
 */
#ifndef HELPLINE_MODEL_CALL_H
#define HELPLINE_MODEL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/arena.h"

enum call_direction { CALL_IN, CALL_OUT };
enum call_result { CALL_ANSWERED, CALL_MISSED };

struct phone_call { /* member "call" of a message document */
        const char *id; /* "id": linkedid, uuid; "" none */
        const char *from; /* "from": E.164 where it could be told, else as written */
        const char *to; /* "to" */
        const char *name; /* "name": the caller's, "" none */
        enum call_direction direction; /* "direction": in out, seen from the desk */
        enum call_result result; /* "result": answered missed */
        int64_t started_at_us; /* "started_at"; 0 unknown */
        int64_t answered_at_us; /* "answered_at"; 0 not */
        int64_t ended_at_us; /* "ended_at"; 0 unknown */
        int64_t
            duration_s; /* "duration_s": of the talk; of a missed one: how long it rang */
};
const char *call_direction_name(enum call_direction d);
const char *call_result_name(enum call_result r);

/* A number as people and exchanges write it, to E.164 ("+74951234567") with the
 * country's calling code ("7") for national ones: "8 495 123-45-67", "007...",
 * "+7 (495)...". Trunk prefix: 8 for country 7, else 0; international: +, 00, and
 * 810 for country 7. Short internal numbers (up to 5 digits) and what is no number
 * stay as they are, without blanks. country "" : only + and 00 are understood. */
const char *phone_normalise(struct arena *a, const char *number, const char *country);
/* Is it in E.164 form (a '+' and 7 to 15 digits)? */
bool phone_is_e164(const char *number);

#endif
