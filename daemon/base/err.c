/*
 * Errors as values; see err.h. Nothing here allocates, so an error can always
 * be told. A text may quote what came from outside, and cut it: it is made one
 * line of UTF-8 for logs, terminals and clients.
 */
#include "daemon/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/utf8.h"

static void
err_fill(
    struct err *err, enum err_kind kind, const char *code, const char *fmt, va_list ap)
{
        err->kind = kind;
        snprintf(err->code, sizeof err->code, "%s", code);
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        utf8_make_line(err->text, strlen(err->text));
}

int
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
        va_list ap;

        if (err == NULL)
                return -1;
        va_start(ap, fmt);
        err_fill(err, kind, "", fmt, ap);
        va_end(ap);
        return -1;
}

int
err_code(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
{
        va_list ap;

        if (err == NULL)
                return -1;
        va_start(ap, fmt);
        err_fill(err, kind, code, fmt, ap);
        va_end(ap);
        return -1;
}

int
err_errno(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
{
        va_list ap;
        size_t n;

        if (err == NULL)
                return -1;
        va_start(ap, fmt);
        err_fill(err, kind, "", fmt, ap);
        va_end(ap);
        n = strlen(err->text);
        snprintf(err->text + n, sizeof err->text - n, ": %s", strerror(errnum));
        return -1;
}

int
err_prefix(struct err *err, const char *fmt, ...)
{
        char old[sizeof err->text];
        va_list ap;
        size_t n;

        if (err == NULL)
                return -1;
        memcpy(old, err->text, sizeof old);
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
        n = strlen(err->text);
        snprintf(
            err->text + n, sizeof err->text - n, ": %.*s", (int)(sizeof old - 1), old);
        utf8_make_line(err->text, strlen(err->text)); /* it may have been cut */
        return -1;
}

const char *
err_kind_name(enum err_kind kind)
{
        switch (kind) {
        case ERR_NONE:
                return "none";
        case ERR_RETRY:
                return "retry";
        case ERR_UNSURE:
                return "unsure";
        case ERR_REJECT:
                return "reject";
        case ERR_LIMIT:
                return "limit";
        case ERR_STALE:
                return "stale";
        case ERR_NOTFOUND:
                return "notfound";
        case ERR_CONFIG:
                return "config";
        case ERR_STATE:
                return "state";
        }
        return "unknown";
}
