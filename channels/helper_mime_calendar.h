/*
 * An invitation (iCalendar, RFC 5545 and 5546) -> one sentence. Pure and linear; times
 * are told as they are written.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_CALENDAR_H
#define HELPLINE_CHANNELS_HELPER_MIME_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"

/* Appends e.g. "invitation: Budget, 2026-11-24 10:00 (Europe/Moscow), at room 5".
 * method: what the part's type said, "" nothing. False: it is no calendar. */
bool mime_calendar_text(struct buf *out, const char *s, size_t n, const char *method);

#endif
