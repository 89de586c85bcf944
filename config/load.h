/* Reading all files of a configuration (inside config/, and for tests). */
#ifndef HELPLINE_CONFIG_LOAD_H
#define HELPLINE_CONFIG_LOAD_H

#include "config/config.h"

/* As config_load, for a text in memory that is taken for the file `path`; nothing
 * else is read from disk: included files, secrets, lists are "not there". */
int config_load_text(const char *path, const char *text, size_t n, struct config **out,
    struct config_report *report);

struct block;
/* The sentences of all files, as config_show() tells them (show.c). */
void show_blocks(const struct block *top, bool json, struct arena *a, struct buf *out);

#endif
