/*
 * helpline-mailer: hands mail to relays, one job at a time, for helplined.
 *
 * A helper process because libesmtp blocks: in connect(), in the name service, on
 * a relay that goes silent. Three fences: its own time-outs for each step, a
 * watchdog over the whole job that still tells what is known and ends the
 * process, and the daemon, which kills what takes longer still.
 *
 * It cannot start another program (seccomp): a relay that finds a hole in the
 * library gets no shell.
 */
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "channels/helper_mailer.h"
#include "daemon/base/crash.h"
#include "daemon/base/worker.h"

#define JOB_MAX ((size_t)64 * 1024 * 1024)

static void
no_exec(void)
{
        static const int calls[] = {SCMP_SYS(execve), SCMP_SYS(execveat)};
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

        if (filter == NULL)
                return;
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
                seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, calls[i], 0);
        if (seccomp_load(filter) != 0)
                fprintf(stderr, "helpline-mailer: seccomp is not to be had here\n");
        seccomp_release(filter);
}

/* The whole job takes too long: say what is known, and begin anew. */
static void
on_watchdog(int signo)
{
        const struct buf *known = mailer_known();

        (void)signo;
        if (known == NULL)
                _exit(3);
        worker_answer('R', known->data, known->len);
        _exit(0);
}

static void
watchdog_set(int64_t ms)
{
        struct itimerval t = {{0, 0}, {ms / 1000, ms % 1000 * 1000}};

        setitimer(ITIMER_REAL, &t, NULL);
}

static void
job_run(const char *body, size_t len)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf out AUTO_BUF = BUF_INIT;
        struct mailer_answer answer = {.why = ""};
        struct mailer_job job;
        struct err err = {0};

        if (mailer_job_parse(body, len, a, &job, &err) == -1) {
                answer.why = err.text;
        } else {
                watchdog_set(mailer_overall_ms(&job));
                mailer_send(&job, a, &answer);
                watchdog_set(0);
        }
        mailer_answer_format(&answer, &out);
        crash_point("mailer.answer");
        if (worker_answer('R', out.data, out.len) == -1)
                exit(0);
}

int
main(void)
{
        struct sigaction watchdog = {.sa_handler = on_watchdog};
        int type, fd, rc;
        char *body;
        size_t len;

        worker_child_setup();
        sigaction(SIGALRM, &watchdog, NULL);
        no_exec();
        while ((rc = worker_next(&type, &body, &len, &fd, JOB_MAX)) == 1) {
                if (fd >= 0)
                        close(fd);
                if (type != 'S')
                        return 2;
                crash_point("mailer.job");
                job_run(body, len);
                explicit_bzero(body, len); /* it held a password */
                free(body);
        }
        return rc == 0 ? 0 : 2;
}
