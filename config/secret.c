/*
 * Secrets: read from a file that only its owner may read, or from systemd's
 * credentials; never from the configuration itself (see grammar.c). Nothing here
 * puts a secret into a message.
 */
#include "config/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 4096u

static bool
secret_refuse(
    struct build *b, const struct value *v, const char *what, const char *advice)
{
        report_error(b->report, (struct place){v->at.source, v->at.at, 0}, "%s", what);
        report_advice(b->report, "%s", advice);
        return false;
}

/* Ours or root's, and nobody else's to read. */
static bool
secret_is_safe(struct build *b, const struct value *v, int fd)
{
        struct stat st;

        if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
                return secret_refuse(
                    b, v, "this secret is no file", "name a file with one line");
        if ((st.st_mode & 077) != 0)
                return secret_refuse(b, v,
                    arena_printf(b->a, "others may read this secret (mode %04o)",
                        (unsigned)st.st_mode & 07777),
                    "chmod 600; owner root or helpline");
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return secret_refuse(b, v,
                    arena_printf(b->a, "this secret belongs to somebody else (user %u)",
                        (unsigned)st.st_uid),
                    "chown it to root or helpline");
        return true;
}

/* One line of text, without its line end. */
static bool
secret_content(
    struct build *b, const struct value *v, char *bytes, size_t n, const char **out)
{
        while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
                n--;
        bytes[n] = '\0';
        if (n == 0)
                return secret_refuse(
                    b, v, "this secret is empty", "write it into that file");
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
                        return secret_refuse(b, v,
                            "this secret is more than one line of text",
                            "one line, nothing else");
        *out = arena_strndup(b->a, bytes, n);
        return true;
}

static bool
secret_from(struct build *b, const struct value *v, const char *path, bool check,
    const char **out)
{
        char bytes[SECRET_MAX + 1];
        ssize_t n = -1;
        int fd = b->no_files ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        bool good;

        if (fd == -1)
                return secret_refuse(b, v,
                    arena_printf(b->a, "cannot read this secret: %s",
                        strerror(b->no_files ? ENOENT : errno)),
                    "a file with the secret in its one line, chmod 600");
        good = !check || secret_is_safe(b, v, fd);
        if (good)
                n = read(fd, bytes, SECRET_MAX);
        close(fd);
        if (!good)
                return false;
        if (n < 0 || n == SECRET_MAX)
                return secret_refuse(b, v,
                    "this secret cannot be read, or is longer than 4 KB",
                    "one line, nothing else");
        good = secret_content(b, v, bytes, (size_t)n, out);
        explicit_bzero(bytes, sizeof bytes);
        return good;
}

static bool
credential_read(struct build *b, const struct value *v, const char **out)
{
        const char *dir = getenv("CREDENTIALS_DIRECTORY");

        if (strchr(v->text, '/') != NULL || v->text[0] == '.' || v->text[0] == '\0')
                return secret_refuse(b, v, "this is no name of a credential",
                    "the NAME of LoadCredential=NAME:… in the unit");
        if (dir == NULL || dir[0] != '/')
                return secret_refuse(b, v, "there are no credentials here",
                    "they come from systemd: LoadCredential=NAME:… in the unit");
        return secret_from(b, v, arena_printf(b->a, "%s/%s", dir, v->text), false, out);
}

bool
secret_read(struct build *b, const struct sentence *s, const char **out)
{
        const struct value *v = s->n_values < 2 ? NULL : &s->values[1];

        if (v == NULL) {
                report_error(b->report, s->at, "'%s' takes %s, got nothing", s->name,
                    s->option->unit);
                report_advice(b->report,
                    "%s file \"…\" (chmod 600), or %s credential NAME", s->name, s->name);
                return false;
        }
        if (s->n_values > 2) {
                value_surplus(b, s, &s->values[2]);
                return false;
        }
        if (value_at_is(s, 0, "file"))
                return secret_from(
                    b, v, path_beside(b, v->at.source, v->text), true, out);
        return credential_read(b, v, out);
}
