/*
 * Starting one helper process; see worker_spawn.h.
 *
 * Between fork and exec only calls are made that are safe in a child of a
 * program with threads. The child keeps 0 (/dev/null), 1 and 2 (a pipe to us:
 * worker_words.c) and 3 (the socket); all else is closed, above all the descriptor that
 * holds the lock of the state directory. It is in a session of its own, so a
 * Ctrl-C at the terminal reaches the daemon, which ends its helpers in order,
 * and never a helper in the middle of a job.
 */
#include "daemon/base/worker_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/worker.h"

#define HELPER_FD 3

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAVE_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAVE_SANITIZER 1
#endif
#endif
#ifndef HAVE_SANITIZER
#define HAVE_SANITIZER 0
#endif

/* ---- in the child ---- */

static void
child_limit(int what, rlim_t soft, rlim_t hard)
{
        struct rlimit r = {soft, hard};

        setrlimit(what, &r);
}

/* Sanitizers reserve terabytes of addresses, so they and RLIMIT_AS exclude each
 * other. */
static void
child_limits(const struct worker_limits *limits)
{
        child_limit(RLIMIT_CORE, 0, 0);
        if (limits->memory_bytes > 0 && !HAVE_SANITIZER)
                child_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes);
        if (limits->cpu_s > 0)
                child_limit(RLIMIT_CPU, limits->cpu_s, (rlim_t)limits->cpu_s + 1);
}

static void
child_signals(void)
{
        struct sigaction dfl = {.sa_handler = SIG_DFL};
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                sigaction(i, &dfl, NULL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* fd becomes 3; dup2 onto itself would keep CLOEXEC. */
static void
child_descriptors(int fd, int words)
{
        int null;

        dup2(words, STDOUT_FILENO);
        dup2(words, STDERR_FILENO);
        if (fd == HELPER_FD)
                fcntl(fd, F_SETFD, 0);
        else
                dup2(fd, HELPER_FD);
        null = open("/dev/null", O_RDWR);
        if (null != STDIN_FILENO)
                dup2(null, STDIN_FILENO);
        close_range(HELPER_FD + 1, ~0U, 0);
}

static void __attribute__((noreturn)) child_main(const char *const *argv,
    const struct worker_limits *limits, int fd, int words, pid_t parent)
{
        char frame[WORKER_FRAME_HEAD + 4];

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(0); /* it died before it could kill us */
        setsid();
        child_descriptors(fd, words);
        child_limits(limits);
        child_signals();
        execv(argv[0], (char *const *)argv);
        worker_frame_head(frame, 4, WORKER_TYPE_NOEXEC);
        for (int i = 0; i < 4; i++)
                frame[WORKER_FRAME_HEAD + i] = (char)(errno >> (24 - 8 * i) & 0xff);
        send(HELPER_FD, frame, sizeof frame, MSG_NOSIGNAL);
        _exit(127);
}

/* ---- in the daemon ---- */

/* All signals are blocked around the fork: a handler of the daemon must not run in
 * the child. */
static pid_t
spawn_fork(const char *const *argv, const struct worker_limits *limits, int fd, int words)
{
        pid_t parent = getpid(), pid;
        sigset_t all, old;
        int errnum;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &old);
        pid = fork();
        if (pid == 0)
                child_main(argv, limits, fd, words, parent);
        errnum = errno;
        sigprocmask(SIG_SETMASK, &old, NULL);
        errno = errnum;
        return pid;
}

static void
spawn_undo(pid_t pid)
{
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
                ;
}

int
worker_spawn(const char *const *argv, const struct worker_limits *limits,
    struct worker_process *out, struct err *err)
{
        int pair[2], words[2];

        if (pipe2(words, O_CLOEXEC) == -1)
                return err_errno(
                    err, ERR_RETRY, errno, "cannot make a pipe for %s", argv[0]);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
                err_errno(err, ERR_RETRY, errno, "cannot make a socket for %s", argv[0]);
                close(words[0]);
                close(words[1]);
                return -1;
        }
        out->fd = pair[0];
        out->words = words[0];
        fcntl(pair[0], F_SETFL, O_NONBLOCK);
        fcntl(words[0], F_SETFL, O_NONBLOCK);
        out->pid = spawn_fork(argv, limits, pair[1], words[1]);
        close(pair[1]);
        close(words[1]);
        out->pidfd = out->pid == -1 ? -1 : pidfd_open(out->pid, 0);
        if (out->pidfd >= 0)
                return 0;
        err_errno(err, ERR_RETRY, errno, "cannot start %s", argv[0]);
        if (out->pid != -1)
                spawn_undo(out->pid);
        close(pair[0]);
        close(words[0]);
        return -1;
}
