/* Files of a configuration, read whole and bounded; see build.h. */
#include "config/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCES_MAX 1000u /* includes and lists together, a megabyte each at most */

/* As errors name it: relative to the folder of the main file. */
static const char *
source_shown(const struct build *b, const char *path)
{
        size_t n = strlen(b->c->dir);

        if (n > 0 && strncmp(path, b->c->dir, n) == 0 && path[n] == '/')
                return path + n + 1;
        return path;
}

/* The text and its lines in arena a. */
static const struct source *
source_new(struct build *b, struct arena *a, const char *path, const char *text, size_t n)
{
        struct source *s = arena_alloc(a, sizeof *s);

        if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                n -= 3;
        }
        s->path = arena_strdup(b->a, path);
        s->shown = source_shown(b, s->path);
        s->text = arena_strndup(a, text, n);
        s->len = n;
        s->order = b->n_sources++;
        source_index(s, a);
        b->c->files = arena_grow(b->a, b->c->files, b->c->n_files, sizeof *b->c->files);
        b->c->files[b->c->n_files++] = s->path;
        return s;
}

const struct source *
source_from(struct build *b, const char *path, const char *text, size_t n)
{
        return source_new(b, b->a, path, text, n);
}

const struct source *
source_scratch(struct build *b, const char *path, const char *text, size_t n)
{
        if (b->scratch == NULL)
                b->scratch = arena_new();
        return source_new(b, b->scratch, path, text, n);
}

/* Everything up to one byte more than is allowed. */
static ssize_t
read_all(int fd, char *to, size_t room)
{
        size_t n = 0;

        while (n < room) {
                ssize_t got = read(fd, to + n, room - n);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -1;
                if (got == 0)
                        break;
                n += (size_t)got;
        }
        return (ssize_t)n;
}

/* Room for what the file seems to hold, and one more byte to see that it holds more. */
static char *
fd_read(int fd, size_t max, const char *too_long, size_t *n, const char **why)
{
        struct stat st;
        size_t room;
        ssize_t got;
        char *bytes;

        if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
                *why = "it is no file";
                return NULL;
        }
        *why = too_long;
        if (st.st_size > (off_t)max)
                return NULL;
        room = st.st_size < 4096 ? 4096 : (size_t)st.st_size;
        bytes = xcalloc(1, room + 2);
        got = read_all(fd, bytes, room + 1);
        if (got == -1)
                *why = strerror(errno);
        else if ((size_t)got > room)
                *why = "it grew while it was read";
        if (got == -1 || (size_t)got > room || (size_t)got > max) {
                free(bytes);
                return NULL;
        }
        *n = (size_t)got;
        return bytes;
}

char *
file_read(const char *path, size_t max, const char *too_long, size_t *n, const char **why)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char *bytes;

        *why = strerror(errno);
        if (fd == -1)
                return NULL;
        bytes = fd_read(fd, max, too_long, n, why);
        close(fd);
        return bytes;
}

const struct source *
source_read(struct build *b, const char *path, const char **why)
{
        char *bytes AUTO_FREE = NULL;
        size_t n;

        *why = strerror(ENOENT);
        if (b->no_files)
                return NULL;
        *why = "there are more than 1000 files";
        if (b->n_sources >= SOURCES_MAX)
                return NULL;
        bytes = file_read(path, GRAMMAR_MAX_FILE, "it is longer than 1 MB", &n, why);
        return bytes == NULL ? NULL : source_from(b, path, bytes, n);
}
