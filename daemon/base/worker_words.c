/*
 * What a helper process says on its standard output and error.
 *
 * Helpers hold hostile bytes, and libraries in them print what they like, as often
 * as they like. So their words go through here: whole lines, quoted, a bounded
 * number of bytes for each process, and then the pipe is closed (the helper ignores
 * SIGPIPE and goes on). Nobody can fill the disk or write lines of ours.
 */
#include "daemon/base/worker_words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/log.h"

#define WORDS_MAX 16384
#define LINE_MAX_BYTES 190 /* log_quote cuts at 200 */

struct worker_words {
        const char *name;
        pid_t pid;
        int fd; /* -1: at its end, or it has said too much */
        size_t n_read; /* bytes in all */
        size_t n_line; /* bytes of the line that is not whole yet */
        char line[LINE_MAX_BYTES + 1];
        struct watch *readable;
};

static void
words_line(struct worker_words *w)
{
        if (w->n_line == 0)
                return;
        w->line[w->n_line] = '\0';
        w->n_line = 0;
        log_warn(
            "HELPER", "name=%s pid=%d says=%s", w->name, (int)w->pid, log_quote(w->line));
}

static void
words_end(struct worker_words *w)
{
        words_line(w);
        watch_free(&w->readable);
        close(w->fd);
        w->fd = -1;
}

static void
words_take(struct worker_words *w, const char *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (p[i] == '\n' || w->n_line == LINE_MAX_BYTES)
                        words_line(w);
                if (p[i] != '\n')
                        w->line[w->n_line++] = (char)(p[i] == '\0' ? '?' : p[i]);
        }
        w->n_read += n;
        if (w->n_read < WORDS_MAX)
                return;
        words_end(w);
        log_warn("HELPER", "name=%s pid=%d says too much: the rest is not heard", w->name,
            (int)w->pid);
}

/* False: nothing more is there now. */
static bool
words_read(struct worker_words *w)
{
        char room[4096];
        ssize_t n;

        if (w->fd == -1)
                return false;
        n = read(w->fd, room, sizeof room);
        if (n > 0)
                words_take(w, room, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                words_end(w);
        return n > 0;
}

static void
words_on_readable(void *arg)
{
        words_read(arg);
}

struct worker_words *
worker_words_new(struct loop *loop, const char *name, pid_t pid, int fd)
{
        struct worker_words *w = xcalloc(1, sizeof *w);

        w->name = name;
        w->pid = pid;
        w->fd = fd;
        w->readable = watch_new(loop, fd, WATCH_READ, words_on_readable, w);
        return w;
}

void
worker_words_free(struct worker_words **wp)
{
        struct worker_words *w = *wp;

        while (words_read(w))
                ;
        if (w->fd != -1)
                words_end(w);
        free(w);
        *wp = NULL;
}
