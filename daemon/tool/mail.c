/* A mail as the pipe of a mail server gives it; see mail.h. */
#include "daemon/tool/mail.h"

#include <string.h>
#include <strings.h>

#include "daemon/model/message.h"

void
mail_stuff(const char *p, size_t n, struct buf *out)
{
        const char *end = p + n;

        if (n > 5 && memcmp(p, "From ", 5) == 0) {
                const char *nl = memchr(p, '\n', n);

                p = nl == NULL ? end : nl + 1;
        }
        while (p < end) {
                const char *nl = memchr(p, '\n', (size_t)(end - p));
                const char *stop = nl == NULL ? end : nl;
                size_t len = (size_t)(stop - p);

                if (nl != NULL && len > 0 && p[len - 1] == '\r')
                        len--;
                if (len > 0 && *p == '.')
                        buf_addc(out, '.');
                buf_add(out, p, len);
                buf_adds(out, "\r\n");
                p = nl == NULL ? end : nl + 1;
        }
        buf_adds(out, ".\r\n");
}

const char *
mail_header(const char *mail, const char *name, struct arena *a)
{
        const char *p = mail;
        size_t n = strlen(name);

        while (*p != '\0' && *p != '\n' && !(p[0] == '\r' && p[1] == '\n')) {
                size_t len = strcspn(p, "\r\n");

                if (strncasecmp(p, name, n) == 0 && p[n] == ':') {
                        const char *value = p + n + 1;

                        value += strspn(value, " \t");
                        return arena_strndup(a, value, strcspn(value, "\r\n"));
                }
                p += len;
                p += *p == '\r';
                p += *p == '\n';
        }
        return NULL;
}

/* "Name <a@b>" or "a@b (Name)": a@b. */
static const char *
address_in(const char *value, struct arena *a)
{
        const char *open = strrchr(value, '<');
        const char *s = open != NULL ? open + 1 : value;

        return arena_strndup(a, s, strcspn(s, "> \t,"));
}

const char *
mail_sender(const char *given, const char *mail, struct arena *a)
{
        const char *s = given, *value;

        if (s == NULL && strncmp(mail, "From ", 5) == 0)
                s = arena_strndup(a, mail + 5, strcspn(mail + 5, " \r\n"));
        if (s == NULL && (value = mail_header(mail, "Return-Path", a)) != NULL)
                s = address_in(value, a);
        if (s == NULL && (value = mail_header(mail, "From", a)) != NULL)
                s = address_in(value, a);
        return s != NULL && address_is_safe(s) ? s : "";
}
