/*
 * STARTTLS injection: bytes that stand behind "220 go ahead" in plain text are
 * kept by libesmtp and taken for the server's answers inside TLS, so that a third
 * party can make it believe that a mail was taken. The guard sees all that is read
 * and written (monitor callback) and knows whether the reply to STARTTLS came
 * after STARTTLS, whole, and with nothing behind it. Otherwise the handshake is
 * made to fail (helper_mailer_tls.c).
 */
#include <string.h>

#include "channels/helper_mailer_tls.h"

void
mailer_guard_wrote(struct mailer_guard *g, const char *p, size_t n)
{
        static const char starttls[] = "STARTTLS\r\n";
        const size_t len = sizeof starttls - 1;

        if (mailer_guard_is_clean(g))
                memset(g, 0, sizeof *g); /* inside TLS now: the watch is over */
        if (g->asked || n < len || memcmp(p + n - len, starttls, len) != 0)
                return;
        memset(g, 0, sizeof *g);
        g->asked = true;
}

void
mailer_guard_read(struct mailer_guard *g, const char *p, size_t n)
{
        if (!g->asked)
                return;
        for (size_t i = 0; i < n; i++) {
                if (g->answered) {
                        g->injected = true;
                        return;
                }
                if (g->n_line < sizeof g->line)
                        g->line[g->n_line] = p[i];
                g->n_line++;
                if (p[i] != '\n')
                        continue;
                g->answered = g->n_line < 5 || g->line[3] != '-';
                g->n_line = 0;
        }
}

bool
mailer_guard_is_clean(const struct mailer_guard *g)
{
        return g->asked && g->answered && !g->injected;
}
