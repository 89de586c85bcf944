/* Files of a configuration, read whole and bounded; see build.h. */
#include "config/build.h"

#include <errno.h>
#include <fcntl.h>
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

const struct source *
source_from(struct build *b, const char *path, const char *text, size_t n)
{
        struct source *s = arena_alloc(b->a, sizeof *s);

        if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                n -= 3;
        }
        s->path = arena_strdup(b->a, path);
        s->shown = source_shown(b, s->path);
        s->text = arena_strndup(b->a, text, n);
        s->len = n;
        s->order = b->n_sources++;
        source_index(s, b->a);
        b->c->files = arena_grow(b->a, b->c->files, b->c->n_files, sizeof *b->c->files);
        b->c->files[b->c->n_files++] = s->path;
        return s;
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

const struct source *
source_read(struct build *b, const char *path, const char **why)
{
        char *bytes AUTO_FREE = NULL;
        struct stat st;
        ssize_t n = -1;
        int fd = b->no_files ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        *why = strerror(b->no_files ? ENOENT : errno);
        if (fd == -1)
                return NULL;
        if (b->n_sources >= SOURCES_MAX) {
                *why = "there are more than 1000 files";
        } else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
                bytes = xcalloc(1, GRAMMAR_MAX_FILE + 2);
                n = read_all(fd, bytes, GRAMMAR_MAX_FILE + 1);
                *why = n == -1 ? strerror(errno) : "it is longer than 1 MB";
        } else {
                *why = "it is no file";
        }
        close(fd);
        if (n < 0 || (size_t)n > GRAMMAR_MAX_FILE)
                return NULL;
        return source_from(b, path, bytes, (size_t)n);
}
