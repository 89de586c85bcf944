/*
 * The log: one line an event on standard error.
 *
 *     2026-11-24T10:00:00.123Z info QUEUED ticket=1042 line=first
 *
 * level, event word, then key=value; ticket= whenever there is one. Values are
 * written through log_quote when they come from outside. Never a message body,
 * a token or a password. Under systemd (JOURNAL_STREAM set) the time is left to
 * the journal and the level becomes its <N> prefix.
 */
#ifndef HELPLINE_BASE_LOG_H
#define HELPLINE_BASE_LOG_H

#include <stddef.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* Lines below this level are dropped; default info. */
void log_set_level(enum log_level level);
/* Write to this descriptor instead of standard error. */
void log_set_fd(int fd);

void log_line(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_line(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)

/* A value for key=value: as it is when it is one plain word, else in double
 * quotes with \" \\ \n \xNN; cut at 200 bytes with "...". Up to 8 results may
 * be in use in one expression (a ring of static buffers; one thread only). */
const char *log_quote(const char *s);

#endif
