/*
 * The tail of the append-only file.
 *
 * A power cut may leave the file longer than what was written: the rest is
 * zeros, and Redis does not start on them in spite of aof-load-truncated. All
 * that was acknowledged was synced before and so lies in front of them. So: only
 * when the last byte is zero, redis-check-aof says up to where the file is good;
 * when everything behind that is zeros, or one unfinished command or transaction
 * and then zeros, it is cut there. Whatever else stands behind is damage that a
 * person must look at, for it may have been acknowledged.
 *
 * Killed in the middle: nothing was changed, or the file is cut; both are fine.
 */
#include "queue/redis_tail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"

enum { TORN_MAX = 64 << 20, LINE_LEN = 512 };

/* ---- which file is written to ---- */

/* The last file of type i in the manifest; "" when there is none. */
static char *
tail_from_manifest(struct arena *a, const char *state_dir, const char *manifest)
{
        char line[LINE_LEN], name[LINE_LEN], type;
        char *path = arena_strdup(a, "");
        FILE *f = fopen(manifest, "re");

        if (f == NULL)
                return path;
        while (fgets(line, sizeof line, f) != NULL)
                if (sscanf(line, "file %511s seq %*s type %c", name, &type) == 2 &&
                    type == 'i')
                        path = arena_printf(a, "%s/appendonlydir/%s", state_dir, name);
        fclose(f);
        return path;
}

/* Redis 7 and Valkey write a folder of files, Redis 6 one file. "" : nothing yet. */
static char *
tail_find(struct arena *a, const char *state_dir)
{
        char *manifest =
            arena_printf(a, "%s/appendonlydir/appendonly.aof.manifest", state_dir);
        char *path;

        if (access(manifest, F_OK) == 0)
                return tail_from_manifest(a, state_dir, manifest);
        path = arena_printf(a, "%s/appendonly.aof", state_dir);
        return access(path, F_OK) == 0 ? path : arena_strdup(a, "");
}

static int64_t
tail_dir_bytes(const char *dir, bool only_aof)
{
        DIR *d = opendir(dir);
        struct dirent *e;
        struct stat st;
        int64_t sum = 0;

        if (d == NULL)
                return 0;
        while ((e = readdir(d)) != NULL)
                if ((!only_aof || strcmp(e->d_name, "appendonly.aof") == 0) &&
                    fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
                        sum += st.st_size;
        closedir(d);
        return sum;
}

int64_t
redis_tail_bytes(const char *state_dir)
{
        struct arena *a AUTO_ARENA = arena_new();

        return tail_dir_bytes(state_dir, true) +
               tail_dir_bytes(arena_printf(a, "%s/appendonlydir", state_dir), false);
}

/* ---- where the zeros begin ---- */

/* Offset of the first zero of the run of zeros at the end; the size when none. */
static int64_t
tail_zeros_at(int fd, int64_t size)
{
        char block[65536];

        for (int64_t end = size; end > 0;) {
                int64_t from =
                    end > (int64_t)sizeof block ? end - (int64_t)sizeof block : 0;
                ssize_t n = pread(fd, block, (size_t)(end - from), from);

                if (n != end - from)
                        return size;
                for (; n > 0 && block[n - 1] == '\0'; n--)
                        ;
                if (n > 0)
                        return from + n;
                end = from;
        }
        return 0;
}

/* ---- what stands between the last good command and the zeros ---- */

struct torn { /* a reader over those bytes */
        const char *p;
        size_t n;
        size_t at;
        bool ran_out; /* it needed a byte behind the end */
};

/* "*3\r\n" or "$5\r\n": its number; -1 broken or run out. */
static long
torn_number(struct torn *t, char mark)
{
        long v = 0;
        size_t i = t->at;

        for (; i < t->n && t->p[i] != '\r'; i++) {
                if (i == t->at ? t->p[i] != mark : t->p[i] < '0' || t->p[i] > '9')
                        return -1;
                if (i > t->at)
                        v = v * 10 + (t->p[i] - '0');
                if (v > 1L << 30)
                        return -1;
        }
        if (i + 1 >= t->n) {
                t->ran_out = true;
                return -1;
        }
        if (t->p[i + 1] != '\n' || i == t->at)
                return -1;
        t->at = i + 2;
        return v;
}

/* One command; false: broken or run out. */
static bool
torn_command(struct torn *t)
{
        long n = torn_number(t, '*'), len;

        for (; n > 0; n--) {
                if ((len = torn_number(t, '$')) < 0)
                        return false;
                if ((size_t)len + 2 > t->n - t->at) {
                        t->ran_out = true;
                        return false;
                }
                t->at += (size_t)len;
                if (t->p[t->at] != '\r' || t->p[t->at + 1] != '\n')
                        return false;
                t->at += 2;
        }
        return n == 0;
}

/* Are these bytes commands, of which the last may be cut short? */
static bool
torn_is_unfinished(const char *p, size_t n)
{
        struct torn t = {.p = p, .n = n};

        while (t.at < t.n)
                if (!torn_command(&t))
                        return t.ran_out;
        return true;
}

static int
tail_judge(int fd, const char *path, int64_t good, int64_t zeros_at, struct err *err)
{
        char *p AUTO_FREE = NULL;

        if (zeros_at <= good)
                return 0;
        if (zeros_at - good <= TORN_MAX) {
                p = xcalloc(1, (size_t)(zeros_at - good));
                if (pread(fd, p, (size_t)(zeros_at - good), good) == zeros_at - good &&
                    torn_is_unfinished(p, (size_t)(zeros_at - good)))
                        return 0;
        }
        return err_set(err, ERR_CONFIG,
            "%s is damaged from byte %lld on, and not only by a power cut: keep a copy "
            "of the "
            "folder, then bring back a sound one, or cut the file there with "
            "`redis-check-aof "
            "--fix` (what stands behind is lost)",
            path, (long long)good);
}

/* ---- redis-check-aof ---- */

/* Runs the checker, answers its question with yes; all it says goes to out. */
static int
check_run(const char *program, const char *path, bool fix, struct buf *out)
{
        int in[2], back[2], status = -1;
        char block[4096];
        ssize_t n;
        pid_t pid;

        if (pipe2(in, O_CLOEXEC) == -1)
                return -1;
        if (pipe2(back, O_CLOEXEC) == -1) {
                close(in[0]);
                close(in[1]);
                return -1;
        }
        pid = fork();
        if (pid == 0) {
                dup2(in[0], 0);
                dup2(back[1], 1);
                dup2(back[1], 2);
                if (fix)
                        execlp(program, program, "--fix", path, (char *)NULL);
                else
                        execlp(program, program, path, (char *)NULL);
                _exit(127);
        }
        close(in[0]);
        close(back[1]);
        if (write(in[1], "y\n", 2) != 2)
                status = -1;
        close(in[1]);
        while ((n = read(back[0], block, sizeof block)) > 0)
                if (out->len < 65536)
                        buf_add(out, block, (size_t)n);
        close(back[0]);
        if (pid == -1 || waitpid(pid, &status, 0) == -1)
                return -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* How far is it good? */
static int
check_good(const char **program, const char *path, int64_t *good, struct err *err)
{
        struct buf out AUTO_BUF = BUF_INIT;
        const char *word;

        *program = "redis-check-aof";
        if (check_run(*program, path, false, &out) == 127) {
                *program = "valkey-check-aof";
                buf_clear(&out);
                check_run(*program, path, false, &out);
        }
        word = strstr(buf_str(&out), "ok_up_to=");
        if (word == NULL)
                return err_set(err, ERR_CONFIG,
                    "%s ends in zero bytes (a power cut?) and redis-check-aof cannot be "
                    "run to "
                    "mend it: apt-get install redis-tools",
                    path);
        *good = strtoll(word + strlen("ok_up_to="), NULL, 10);
        return 0;
}

static int
check_fix(const char *program, const char *path, int64_t good, struct err *err)
{
        struct buf out AUTO_BUF = BUF_INIT;
        struct stat st;

        if (check_run(program, path, true, &out) == 0 && stat(path, &st) == 0 &&
            st.st_size == good)
                return 0;
        return err_set(err, ERR_CONFIG,
            "%s ends in zero bytes (a power cut?) and `%s --fix` did not mend it: %.200s",
            path, program, buf_str(&out));
}

static int
tail_mend_file(int fd, const char *path, int64_t *cut, struct err *err)
{
        const char *program;
        int64_t zeros_at, good = 0;
        struct stat st;

        if (fstat(fd, &st) == -1)
                return err_errno(err, ERR_CONFIG, errno, "cannot read %s", path);
        zeros_at = tail_zeros_at(fd, st.st_size);
        if (zeros_at == st.st_size)
                return 0;
        if (check_good(&program, path, &good, err) == -1 ||
            tail_judge(fd, path, good, zeros_at, err) == -1 ||
            check_fix(program, path, good, err) == -1)
                return -1;
        *cut = st.st_size - good;
        return 0;
}

int
redis_tail_mend(const char *state_dir, int64_t *cut, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *path = tail_find(a, state_dir);
        int fd, rc;

        *cut = 0;
        if (path[0] == '\0')
                return 0;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1 && errno == ENOENT)
                return 0; /* Redis itself says best what is missing */
        if (fd == -1)
                return err_errno(err,
                    errno == EMFILE || errno == ENFILE ? ERR_RETRY : ERR_CONFIG, errno,
                    "cannot read %s", path);
        rc = tail_mend_file(fd, path, cut, err);
        close(fd);
        return rc;
}
