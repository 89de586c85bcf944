/*
 * The store's script, embedded: queue/lua/ in one, made by make.
 */
#include "queue/desk_script.h"

#include "desk_lua.h"

const char *
desk_script(size_t *len)
{
        *len = sizeof(desk_lua) - 1;
        return (const char *)desk_lua;
}
