/*
 * A mail as the pipe of a mail server gives it: pure text work, no I/O.
 */
#ifndef HELPLINE_TOOL_MAIL_H
#define HELPLINE_TOOL_MAIL_H

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"

/* As DATA wants it: CRLF line ends, dots doubled, the final dot; a leading mbox
 * "From " line is dropped. */
void mail_stuff(const char *p, size_t n, struct buf *out);
/* The value of the first header of this name, no further than its first line; NULL
 * when there is none. mail ends with a NUL. */
const char *mail_header(const char *mail, const char *name, struct arena *a);
/* The envelope's sender: given (NULL: not), the From_ line, Return-Path, From; ""
 * (nobody, as of a bounce) when that is empty or cannot stand in a MAIL command. */
const char *mail_sender(const char *given, const char *mail, struct arena *a);

#endif
