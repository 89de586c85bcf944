/*
 * What the mime helper answers, as if it had been taken over: message_parse
 * takes anything, and what it takes survives being written and read again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/model/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct message *m = NULL, *again = NULL;
        struct buf one = BUF_INIT, two = BUF_INIT;

        if (message_parse((const char *)data, size, &m, NULL) == -1)
                return 0;
        message_format(m, &one);
        assert(message_parse(one.data, one.len, &again, NULL) == 0);
        message_format(again, &two);
        assert(strcmp(one.data, two.data) == 0);
        address_normalise(m->arena, m->from.address);
        address_is_safe(m->from.address);
        buf_fini(&one);
        buf_fini(&two);
        message_free(&m);
        message_free(&again);
        return 0;
}
