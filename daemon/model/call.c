/* A telephone call; see call.h. */
#include "daemon/model/call.h"

const char *
call_direction_name(enum call_direction d)
{
        return d == CALL_IN ? "in" : "out";
}

const char *
call_result_name(enum call_result r)
{
        return r == CALL_ANSWERED ? "answered" : "missed";
}
