/* The log; see log.h. A line is built in one buffer and written at once. */
#include "daemon/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/utf8.h"

#define LINE_MAX_BYTES 2048
#define QUOTE_MAX 200

static enum log_level log_level = LOG_LEVEL_INFO;
static int log_fd = STDERR_FILENO;

void
log_set_level(enum log_level level)
{
        log_level = level;
}

void
log_set_fd(int fd)
{
        log_fd = fd;
}

static const char *
log_level_name(enum log_level level)
{
        switch (level) {
        case LOG_LEVEL_DEBUG:
                return "debug";
        case LOG_LEVEL_INFO:
                return "info";
        case LOG_LEVEL_WARN:
                return "warn";
        case LOG_LEVEL_ERROR:
                return "error";
        }
        return "info";
}

static int
log_journal_level(enum log_level level)
{
        switch (level) {
        case LOG_LEVEL_DEBUG:
                return 7;
        case LOG_LEVEL_INFO:
                return 6;
        case LOG_LEVEL_WARN:
                return 4;
        case LOG_LEVEL_ERROR:
                return 3;
        }
        return 6;
}

static size_t
log_prefix(char *line, size_t room, enum log_level level, const char *event)
{
        struct timespec ts;
        struct tm tm;
        char at[32];

        if (getenv("JOURNAL_STREAM") != NULL)
                return (size_t)snprintf(line, room, "<%d>%s %s ",
                    log_journal_level(level), log_level_name(level), event);
        clock_gettime(CLOCK_REALTIME, &ts);
        gmtime_r(&ts.tv_sec, &tm);
        strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &tm);
        return (size_t)snprintf(line, room, "%s.%03ldZ %s %s ", at, ts.tv_nsec / 1000000,
            log_level_name(level), event);
}

void
log_line(enum log_level level, const char *event, const char *fmt, ...)
{
        char line[LINE_MAX_BYTES];
        va_list ap;
        size_t n;
        int m;

        if (level < log_level)
                return;
        n = log_prefix(line, sizeof line - 1, level, event);
        va_start(ap, fmt);
        m = vsnprintf(line + n, sizeof line - 1 - n, fmt, ap);
        va_end(ap);
        if (m > 0)
                n += (size_t)m < sizeof line - 1 - n ? (size_t)m : sizeof line - 2 - n;
        while (n > 0 && line[n - 1] == ' ')
                n--;
        utf8_make_line(line, n);
        line[n++] = '\n';
        while (write(log_fd, line, n) == -1 && errno == EINTR)
                ;
}

static bool
log_is_plain(const char *s)
{
        if (*s == '\0')
                return false;
        for (; *s != '\0'; s++) {
                unsigned char c = (unsigned char)*s;

                if (c <= ' ' || c == 0x7f || c == '"' || c == '\\' || c == '=')
                        return false;
        }
        return true;
}

const char *
log_quote(const char *s)
{
        static char ring[8][QUOTE_MAX * 4 + 8];
        static unsigned next;
        char *out = ring[next++ % 8];
        size_t n = 0, len = strlen(s);

        if (len <= QUOTE_MAX && log_is_plain(s))
                return strcpy(out, s);
        out[n++] = '"';
        for (size_t i = 0; i < len && i < QUOTE_MAX; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c == '"' || c == '\\')
                        n += (size_t)sprintf(out + n, "\\%c", c);
                else if (c == '\n')
                        n += (size_t)sprintf(out + n, "\\n");
                else if (c < ' ' || c == 0x7f)
                        n += (size_t)sprintf(out + n, "\\x%02x", c);
                else
                        out[n++] = (char)c;
        }
        strcpy(out + n, len > QUOTE_MAX ? "...\"" : "\"");
        return out;
}
