/*
 * The embedded store: a private redis-server.
 *
 * Life: start -> (the append-only file's tail is looked at) -> runs -> exits -> back-off
 * -> start. Three exits in a minute, or a damaged file: no more starts (on_fatal).
 * While the disk is critically full a start would only fail again, so it waits.
 *
 * Killed with the daemon: the child gets SIGTERM from the kernel when the forking
 * thread dies (PDEATHSIG), ends in order, and holds the lock of the state
 * directory until it is gone. What it acknowledged it has synced
 * (appendfsync always), so kill -9 of the child itself loses nothing either.
 */
#include "queue/redis_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "queue/disk_space.h"
#include "queue/redis_tail.h"

enum {
        EXITS_MAX = 3, /* so many exits ... */
        EXITS_WITHIN_S = 60, /* ... within so long: no more starts */
        RESTART_MIN_MS = 100,
        RESTART_FULL_DISK_MS = 2000,
        LINE_MAX_LEN = 1024,
        CHILD_LOCK_FD = 3,
        LISTEN_POLL_MS = 5, /* its socket is looked for so often ... */
        LISTEN_WAIT_MS = 20000, /* ... and so long */
};

struct redis_child {
        struct loop *loop;
        const struct redis_child_handlers *h;
        void *arg; /* of the handlers */
        char *dir; /* the state directory */
        char *address; /* unix:DIR/r.sock */
        char *program; /* full path of the server, NULL before the first start */
        int lock_fd; /* of the state directory; the caller's */
        pid_t pid; /* 0: none runs */
        int pidfd; /* readable when it has exited */
        struct watch *exited; /* on pidfd */
        int log_fd; /* what it prints; -1 */
        struct watch *logged; /* on log_fd */
        char line[LINE_MAX_LEN]; /* the unfinished last line of it */
        size_t line_len; /* of line */
        char last_words[256]; /* its last warning: why it exited */
        bool is_damaged; /* it said that its file is bad */
        int64_t started_us; /* the last start */
        int64_t exits_us[EXITS_MAX]; /* the last exits, newest first; 0 none */
        struct timer *listens; /* looks whether its socket is there */
        bool socket_seen; /* the file is there: bound, perhaps not yet listening */
        struct timer *restart; /* the next start */
        struct timer *kill; /* SIGKILL when it does not end */
        bool is_stopping; /* redis_child_stop was called */
        bool is_over; /* stopped for good, or on_fatal was called */
        loop_fn stopped; /* what redis_child_stop wants called */
        void *stopped_arg;
        struct disk_space *space; /* the watch on the disk */
};

/* ---- its options ---- */

/* Full path of the first of these programs in PATH, NULL when there is none. */
static char *
child_find_program(void)
{
        static const char *const names[] = {"redis-server", "valkey-server"};
        const char *path = getenv("PATH");
        char full[4096];

        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                for (const char *p = path != NULL ? path : "/usr/local/bin:/usr/bin:/bin";
                     *p != '\0'; p += strcspn(p, ":"), p += *p == ':') {
                        snprintf(full, sizeof full, "%.*s/%s", (int)strcspn(p, ":"), p,
                            names[i]);
                        if (full[0] == '/' && access(full, X_OK) == 0)
                                return xstrdup(full);
                }
        return NULL;
}

static const char *const child_options[] = {"--port", "0", "--unixsocketperm", "700",
    "--daemonize", "no", "--supervised", "no", "--pidfile", "", "--databases", "1",
    "--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no",
    "--aof-load-truncated", "yes", "--aof-use-rdb-preamble", "yes",
    "--auto-aof-rewrite-percentage", "100", "--auto-aof-rewrite-min-size", "64mb",
    "--save", "", "--maxmemory-policy", "noeviction", "--lua-time-limit", "1000",
    "--latency-monitor-threshold", "20", "--slowlog-log-slower-than", "5000", "--timeout",
    "0", "--disable-thp", "yes", "--oom-score-adj", "no", "--loglevel", "notice",
    "--logfile", ""};

enum { N_OPTIONS = sizeof child_options / sizeof *child_options };

/* Half of the machine's memory. */
static long long
child_memory(void)
{
        long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

        return pages > 0 && size > 0 ? (long long)pages * size / 2 : 0;
}

/* --dir first and then a bare name for the socket: Redis refuses paths over 107 bytes. */
static const char **
child_argv(const struct redis_child *c, struct arena *a)
{
        const char **argv = arena_alloc(a, (N_OPTIONS + 8) * sizeof *argv);
        size_t n = 0;

        argv[n++] = c->program;
        argv[n++] = "--dir";
        argv[n++] = c->dir;
        argv[n++] = "--unixsocket";
        argv[n++] = "r.sock";
        memcpy(argv + n, child_options, sizeof child_options);
        n += N_OPTIONS;
        argv[n++] = "--maxmemory";
        argv[n++] = arena_printf(a, "%lld", child_memory());
        argv[n] = NULL;
        return argv;
}

/* ---- what it prints ---- */

/* "123:M 23 Nov 2026 15:14:34.737 * Server initialized" -> its mark and the text. */
static const char *
child_line_text(const char *line, char *mark)
{
        int at = 0;
        char m;

        if (sscanf(line, "%*d:%*c %*d %*s %*d %*d:%*d:%*f %c %n", &m, &at) == 1 &&
            at > 0) {
                *mark = m;
                return line + at;
        }
        *mark = '#';
        return line;
}

static bool
child_line_is_normal(const char *text)
{
        return strstr(text, "overcommit_memory") != NULL ||
               strstr(text, "somaxconn") != NULL || strstr(text, "bye bye") != NULL ||
               strstr(text, "User requested shutdown") != NULL ||
               strstr(text, "Received SIGTERM") != NULL ||
               strstr(text, "oO0OoO0OoO0Oo") != NULL ||
               strstr(text, "just started") != NULL ||
               strstr(text, "Configuration loaded") != NULL ||
               strstr(text, "Server initialized") != NULL;
}

static void
child_take_line(struct redis_child *c, char *line)
{
        const char *text;
        char mark;

        if (line[strspn(line, " \t\r")] == '\0')
                return;
        text = child_line_text(line, &mark);
        if (mark != '#' || child_line_is_normal(text)) {
                log_debug("redis", "text=%s", log_quote(text));
                return;
        }
        log_warn("redis", "text=%s", log_quote(text));
        snprintf(c->last_words, sizeof c->last_words, "%.*s",
            (int)sizeof c->last_words - 1, text);
        if (strstr(text, "Bad file format reading the append only file") != NULL ||
            strstr(text, "Unexpected end of file reading the append only file") != NULL)
                c->is_damaged = true;
}

static void
child_take_bytes(struct redis_child *c, const char *p, size_t n)
{
        for (; n > 0; p++, n--) {
                if (*p != '\n' && c->line_len < sizeof c->line - 1) {
                        c->line[c->line_len++] = *p;
                        continue;
                }
                if (*p != '\n')
                        continue; /* too long: cut */
                c->line[c->line_len] = '\0';
                c->line_len = 0;
                child_take_line(c, c->line);
        }
}

static void
child_on_log(void *arg)
{
        struct redis_child *c = arg;
        char block[4096];
        ssize_t n = read(c->log_fd, block, sizeof block);

        if (n > 0)
                child_take_bytes(c, block, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                watch_free(&c->logged); /* closed: the exit follows */
}

/* ---- starting ---- */

/* In the new process, after fork in a program with threads: only what is safe there. */
static void __attribute__((noreturn)) child_run(
    const struct redis_child *c, const char **argv, pid_t parent, int null_fd, int out_fd)
{
        sigset_t none;

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
                _exit(1); /* died before prctl */
        setsid(); /* Ctrl-C on the terminal is the daemon's; he ends us in order */
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(null_fd, 0);
        dup2(out_fd, 1);
        dup2(out_fd, 2);
        if (c->lock_fd == CHILD_LOCK_FD)
                fcntl(CHILD_LOCK_FD, F_SETFD, 0);
        else if (c->lock_fd >= 0)
                dup2(c->lock_fd, CHILD_LOCK_FD);
        close_range(c->lock_fd >= 0 ? CHILD_LOCK_FD + 1 : CHILD_LOCK_FD, ~0U, 0);
        execv(argv[0], (char *const *)argv);
        _exit(127);
}

static int
child_fork(struct redis_child *c, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char **argv = child_argv(c, a);
        pid_t parent = getpid();
        int out[2], null_fd;

        /* Not blocking: Redis never waits for us to read its log. */
        if (pipe2(out, O_CLOEXEC | O_NONBLOCK) == -1)
                return err_errno(err, ERR_RETRY, errno, "cannot make a pipe");
        null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null_fd == -1) {
                err_errno(err, ERR_RETRY, errno, "cannot open /dev/null");
                close(out[0]);
                close(out[1]);
                return -1;
        }
        c->pid = fork();
        if (c->pid == 0)
                child_run(c, argv, parent, null_fd, out[1]);
        close(null_fd);
        close(out[1]);
        if (c->pid == -1) {
                c->pid = 0;
                close(out[0]);
                return err_errno(err, ERR_RETRY, errno, "cannot start %s", c->program);
        }
        c->log_fd = out[0];
        return 0;
}

static void child_on_exit(void *arg);

static int
child_spawn(struct redis_child *c, struct err *err)
{
        c->line_len = 0;
        c->last_words[0] = '\0';
        c->is_damaged = false;
        c->started_us = clock_mono_us();
        if (child_fork(c, err) == -1)
                return -1;
        c->pidfd = pidfd_open(c->pid, 0);
        if (c->pidfd == -1) {
                err_errno(err, errno == ENOSYS ? ERR_CONFIG : ERR_RETRY, errno,
                    "cannot watch %s (kernel before 5.3?)", c->program);
                kill(c->pid, SIGKILL);
                waitpid(c->pid, NULL, 0);
                c->pid = 0;
                close(c->log_fd);
                c->log_fd = -1;
                return -1;
        }
        c->exited = watch_new(c->loop, c->pidfd, WATCH_READ, child_on_exit, c);
        c->logged = watch_new(c->loop, c->log_fd, WATCH_READ, child_on_log, c);
        log_info("REDIS", "started program=%s pid=%ld dir=%s", log_quote(c->program),
            (long)c->pid, log_quote(c->dir));
        return 0;
}

static void
child_fatal(struct redis_child *c, const struct err *why)
{
        c->is_over = true;
        timer_clear(c->restart);
        if (c->h->on_fatal != NULL)
                c->h->on_fatal(c->arg, why);
}

/* Everything that must be right before a start. A stale socket is removed, lest
 * somebody connect to nothing; nobody else can be there, for we hold the lock. */
static int
child_prepare(struct redis_child *c, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        int64_t cut;

        if (c->program == NULL && (c->program = child_find_program()) == NULL)
                return err_set(err, ERR_CONFIG,
                    "neither redis-server nor valkey-server is in PATH: apt-get install "
                    "redis-server");
        if (redis_tail_mend(c->dir, &cut, err) == -1)
                return -1;
        if (cut > 0)
                log_warn("REDIS",
                    "mended the append-only file: a power cut left %lld bytes behind "
                    "the last whole change, they were cut off; nothing acknowledged is "
                    "lost",
                    (long long)cut);
        unlink(arena_printf(a, "%s/r.sock", c->dir));
        return 0;
}

/* No descriptors or processes left may pass; all else is for the administrator. */
static void
child_not_started(struct redis_child *c, const struct err *why)
{
        if (why->kind != ERR_RETRY) {
                child_fatal(c, why);
                return;
        }
        timer_set(c->restart, RESTART_MIN_MS * 10);
        if (c->h->on_exited != NULL)
                c->h->on_exited(c->arg, why);
}

static void
child_on_restart(void *arg)
{
        struct redis_child *c = arg;
        struct err err;

        if (c->is_over || c->is_stopping || c->pid != 0)
                return;
        if (disk_space_level(c->space, &err) == DISK_CRITICAL && c->exits_us[0] != 0) {
                timer_set(c->restart, RESTART_FULL_DISK_MS);
                return;
        }
        if (child_prepare(c, &err) == -1 || child_spawn(c, &err) == -1) {
                child_not_started(c, &err);
                return;
        }
        c->socket_seen = false;
        timer_set(c->listens, LISTEN_POLL_MS);
}

/* The old socket was removed, so the file is the new one. bind comes a moment before
 * listen: one look more. */
static void
child_on_listens(void *arg)
{
        struct redis_child *c = arg;
        struct arena *a AUTO_ARENA = arena_new();
        int64_t waited_us = clock_mono_us() - c->started_us;

        if (c->pid == 0 || c->is_stopping)
                return;
        if (!c->socket_seen && waited_us < LISTEN_WAIT_MS * (int64_t)1000) {
                c->socket_seen = access(arena_printf(a, "%s/r.sock", c->dir), F_OK) == 0;
                timer_set(c->listens, LISTEN_POLL_MS);
                return;
        }
        if (c->h->on_started != NULL)
                c->h->on_started(c->arg);
}

/* ---- its end ---- */

static void
child_forget(struct redis_child *c)
{
        watch_free(&c->exited);
        if (c->logged != NULL)
                watch_free(&c->logged);
        if (c->log_fd != -1)
                close(c->log_fd);
        if (c->pidfd != -1)
                close(c->pidfd);
        c->log_fd = c->pidfd = -1;
        c->pid = 0;
}

static void
child_describe_exit(const struct redis_child *c, int status, struct err *why)
{
        char how[64];

        if (WIFSIGNALED(status))
                snprintf(how, sizeof how, "was killed by signal %d", WTERMSIG(status));
        else
                snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
        err_set(why, ERR_RETRY, "%s %s after %lld ms%s%s", c->program, how,
            (long long)(clock_mono_us() - c->started_us) / 1000,
            c->last_words[0] != '\0' ? "; its last words: " : "", c->last_words);
}

/* Notes the exit; is it the third within a minute? */
static bool
child_exits_too_often(struct redis_child *c)
{
        int64_t now_us = clock_mono_us();

        memmove(c->exits_us + 1, c->exits_us, (EXITS_MAX - 1) * sizeof *c->exits_us);
        c->exits_us[0] = now_us;
        return c->exits_us[EXITS_MAX - 1] != 0 &&
               now_us - c->exits_us[EXITS_MAX - 1] < EXITS_WITHIN_S * (int64_t)1000000;
}

static int64_t
child_restart_ms(const struct redis_child *c)
{
        bool second = c->exits_us[1] != 0 &&
                      c->exits_us[0] - c->exits_us[1] < EXITS_WITHIN_S * (int64_t)1000000;

        return second ? RESTART_MIN_MS * 10 : RESTART_MIN_MS;
}

static void
child_exited(struct redis_child *c, struct err *why)
{
        struct err full;
        bool disk_is_full = disk_space_level(c->space, &full) == DISK_CRITICAL ||
                            strstr(c->last_words, "No space left") != NULL;

        if (c->is_damaged) {
                err_set(why, ERR_CONFIG,
                    "Redis cannot read its append-only file in %s: %.120s; bring back a "
                    "sound copy "
                    "of the folder, or mend it with redis-check-aof --fix (what stands "
                    "behind the "
                    "damage is lost)",
                    c->dir, c->last_words);
                child_fatal(c, why);
        } else if (!child_exits_too_often(c) || disk_is_full) {
                timer_set(c->restart,
                    disk_is_full ? RESTART_FULL_DISK_MS : child_restart_ms(c));
                if (c->h->on_exited != NULL)
                        c->h->on_exited(c->arg, why);
        } else {
                err_prefix(why, "Redis has ended three times within a minute and is not "
                                "started again: mend the cause, then restart helplined");
                why->kind = ERR_CONFIG;
                child_fatal(c, why);
        }
}

static void
child_done(void *arg)
{
        struct redis_child *c = arg;
        loop_fn done = c->stopped;

        c->stopped = NULL;
        if (done != NULL)
                done(c->stopped_arg);
}

static void
child_on_exit(void *arg)
{
        struct redis_child *c = arg;
        struct err why;
        int status = 0;

        if (c->pid == 0 || waitpid(c->pid, &status, WNOHANG) == 0)
                return;
        for (int i = 0; i < 64 && c->logged != NULL; i++)
                child_on_log(c); /* its last words may still be in the pipe */
        child_describe_exit(c, status, &why);
        child_forget(c);
        timer_clear(c->kill);
        if (c->is_stopping) {
                log_info("REDIS", "ended");
                c->is_over = true;
                child_done(c);
        } else {
                log_error("REDIS", "%s", why.text);
                child_exited(c, &why);
        }
}

static void
child_on_kill(void *arg)
{
        struct redis_child *c = arg;

        if (c->pid == 0)
                return;
        log_warn("REDIS",
            "does not end by itself and is killed (nothing acknowledged is lost)");
        kill(c->pid, SIGKILL);
}

/* ---- the owner's side ---- */

struct redis_child *
redis_child_new(struct loop *loop, const char *state_dir, int lock_fd,
    const struct redis_child_handlers *h, void *arg)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct redis_child *c = xcalloc(1, sizeof *c);

        c->loop = loop;
        c->h = h;
        c->arg = arg;
        c->dir = xstrdup(state_dir);
        c->address = xstrdup(arena_printf(a, "unix:%s/r.sock", state_dir));
        c->lock_fd = lock_fd;
        c->pidfd = c->log_fd = -1;
        c->listens = timer_new(loop, child_on_listens, c);
        c->restart = timer_new(loop, child_on_restart, c);
        c->kill = timer_new(loop, child_on_kill, c);
        c->space = disk_space_new(state_dir);
        return c;
}

void
redis_child_start(struct redis_child *c)
{
        timer_set(c->restart, 0); /* not before we return */
}

const char *
redis_child_address(const struct redis_child *c)
{
        return c->address;
}

int
redis_child_pid(const struct redis_child *c)
{
        return (int)c->pid;
}

enum disk_level
redis_child_disk(struct redis_child *c, struct err *why)
{
        return disk_space_level(c->space, why);
}

void
redis_child_stop(struct redis_child *c, int64_t deadline_ms, loop_fn done, void *arg)
{
        c->is_stopping = true;
        c->stopped = done;
        c->stopped_arg = arg;
        timer_clear(c->restart);
        if (c->pid == 0) {
                c->is_over = true;
                loop_later(c->loop, child_done, c);
                return;
        }
        kill(c->pid, SIGTERM);
        timer_set(c->kill, deadline_ms);
}

static void
child_reap(void *arg)
{
        struct redis_child *c = arg;

        timer_free(&c->listens);
        timer_free(&c->restart);
        timer_free(&c->kill);
        disk_space_free(&c->space);
        free(c->dir);
        free(c->address);
        free(c->program);
        free(c);
}

void
redis_child_free(struct redis_child **cp)
{
        struct redis_child *c = *cp;

        if (c == NULL)
                return;
        if (c->pid != 0) {
                kill(c->pid, SIGKILL);
                waitpid(c->pid, NULL, 0);
                child_forget(c);
        }
        c->is_over = true;
        c->stopped = NULL;
        timer_clear(c->listens);
        timer_clear(c->restart);
        timer_clear(c->kill);
        loop_later(c->loop, child_reap, c);
        *cp = NULL;
}
