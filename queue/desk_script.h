/*
 * The store's script (desk.lua, made of queue/lua/).
 */
#ifndef HELPLINE_QUEUE_DESK_SCRIPT_H
#define HELPLINE_QUEUE_DESK_SCRIPT_H

#include <stddef.h>

/* Its text, NUL-terminated; *len without the NUL. */
const char *desk_script(size_t *len);

#endif
