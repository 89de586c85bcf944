/*
 * The demo desk; see demo.h. Its configuration is built in (config/demo/), its
 * state lies in its folder, and it never leaves rehearsal: no mail goes out.
 *
 * Each start makes a fresh token for the demo agent and forgets the last one.
 */
#include "daemon/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channels/email_lmtp.h"
#include "daemon/agent/server.h"
#include "daemon/base/log.h"
#include "daemon/web/server.h"
#include "demo_conf.h" /* made from config/demo/helpline.conf by make */

#define DEMO_AGENT "anna"
#define DEMO_TOKEN "demo"

/* Whole or not at all: a demo that was killed here begins again. */
static int
write_file(const char *path, const void *bytes, size_t n, struct err *err)
{
        char tmp[PATH_MAX];
        int fd;

        snprintf(tmp, sizeof tmp, "%s.new", path);
        fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd == -1)
                return err_errno(err, ERR_CONFIG, errno, "cannot write %s", tmp);
        if (write(fd, bytes, n) != (ssize_t)n || close(fd) == -1 ||
            rename(tmp, path) == -1)
                return err_errno(err, ERR_CONFIG, errno, "cannot write %s", path);
        return 0;
}

int
demo_prepare(const char *dir, struct arena *a, const char **file, struct err *err)
{
        char *whole;

        if (mkdir(dir, 0755) == -1 && errno != EEXIST)
                return err_errno(
                    err, ERR_CONFIG, errno, "cannot make the folder %s", dir);
        whole = realpath(dir, NULL);
        if (whole == NULL)
                return err_errno(
                    err, ERR_CONFIG, errno, "cannot find the folder %s", dir);
        *file = arena_printf(a, "%s/helpline.conf", whole);
        free(whole);
        if (access(*file, F_OK) == 0)
                return 0;
        return write_file(*file, demo_conf, sizeof demo_conf - 1, err);
}

struct showing {
        struct desk *desk;
        char token[80];
};

static const char *
port_of(const char *address)
{
        const char *colon = strrchr(address, ':');

        return colon == NULL ? "7711" : colon + 1;
}

/* "/f/contact": the first form's path. */
static const char *
demo_form(const struct desk *d)
{
        static char path[300];

        snprintf(path, sizeof path, "/f/%.250s", d->config->forms[0].name);
        return path;
}

static void
on_token(void *arg, const struct err *err)
{
        struct showing *s = arg;
        struct desk *d = s->desk;
        const char *port = port_of(agents_address(d->agents));

        if (err->kind != ERR_NONE) {
                log_error("DEMO", "why=%s", log_quote(err->text));
                free(s);
                return;
        }
        printf("%s: the demo desk is ready (rehearsal: no mail leaves)\n"
               "  agents   127.0.0.1:%s (RESP: any Redis client), configuration %s\n"
               "  mail in  LMTP on %s\n"
               "  forms    %s%s%s in a browser\n"
               "Be the agent " DEMO_AGENT ", in another terminal (paste it):\n"
               "  redis-cli --raw -p %s <<'END'\n"
               "  AUTH %s\n"
               "  RESERVE\n"
               "  REPLY 1 \"Здравствуйте! Проверяем.\"\n"
               "END\n",
            d->config->name, port, d->config->file, lmtp_address(d->lmtp, 0),
            d->config->n_forms > 0 ? "http://" : "none",
            d->config->n_forms > 0 ? web_address(d->web) : "",
            d->config->n_forms > 0 ? demo_form(d) : "", port, s->token);
        fflush(stdout);
        free(s);
}

static void
on_dropped(void *arg, const struct err *err)
{
        (void)arg;
        if (err->kind != ERR_NONE)
                log_warn("DEMO", "why=%s", log_quote(err->text));
}

static void
on_tokens(void *arg, const struct err *err, const struct token *t, size_t n)
{
        struct showing *s = arg;

        for (size_t i = 0; err->kind == ERR_NONE && i < n; i++)
                if (strcmp(t[i].name, DEMO_TOKEN) == 0)
                        store_token_drop(s->desk->store, t[i].id, on_dropped, NULL);
        agents_token_new(s->desk, DEMO_AGENT, DEMO_TOKEN, s->token, on_token, s);
}

void
demo_show(struct desk *d)
{
        struct showing *s = xcalloc(1, sizeof *s);

        s->desk = d;
        store_token_list(d->store, DEMO_AGENT, on_tokens, s);
}
