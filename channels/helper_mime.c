/*
 * helpline-mime: reads hostile mail so that the daemon need not.
 *
 * One job at a time over descriptor 3 (daemon/base/worker.h). It may crash, hang
 * or bloat: the daemon kills it, quarantines the mail and starts another. It
 * stores nothing and knows nothing, so it can die at any moment. Once set up it
 * can open no file, start no program and speak to nobody (seccomp). Its arguments are
 * folders with the words of mail systems (config/bounces.h; none: those shipped), read
 * before that; when they are wrong it says so and goes on without: a mail is never lost for them.
 *
 * Jobs: the body is JSON {"offset":n,"length":n,"account":"..."}; the descriptor
 * is a file with the raw mail at that place (length absent: up to its end).
 *   P  parse: M and the message (daemon/model/message.h); or H, the header-only
 *      message with "why", when the pre-scan refuses it
 *   R  only the header: H (for a mail that has killed P)
 *   C  cut out a part, {"part":"2.1","from":n,"count":m}: B and its bytes
 *   W  the mail's HTML, sanitised, {"from":n,"count":m}: B and bytes of it
 * E and a sentence: the job could not be done.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channels/helper_mime_html.h"
#include "channels/helper_mime_parse.h"
#include "config/bounces.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"
#include "daemon/base/worker.h"

#define MAX_BODY 65536u
#define MAX_HTML (1u << 20) /* bytes of sanitised HTML */
#define MAX_RAW (64u << 20) /* mapped at most; beyond 25 MB only the header is read */

/* Sanitizers need system calls of their own. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                     \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FILTERED false
#else
#define FILTERED true
#endif

/* What a job asks for. */
struct job {
        size_t offset; /* of the mail in the file */
        size_t length; /* of the mail; SIZE_MAX: to the end */
        const char *account;
        const char *part;
        size_t from;
        size_t count;
};

/* A mail as private memory: it may be written to without changing the file. */
struct raw {
        char *map; /* NULL: an empty mail */
        size_t size;
        char *data; /* the mail in it; never NULL */
        size_t len;
};

static int
raw_open(struct raw *r, int fd, const struct job *job, struct err *err)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t before = job->offset % page;
        static char nothing[1];
        struct stat st;

        memset(r, 0, sizeof(*r));
        r->data = nothing;
        if (fd == -1)
                return err_set(err, ERR_REJECT, "the job came without a file");
        if (fstat(fd, &st) == -1)
                return err_errno(err, ERR_RETRY, errno, "cannot look at the mail's file");
        if (job->offset > (size_t)st.st_size)
                return err_set(
                    err, ERR_REJECT, "the mail begins behind the end of its file");
        r->len = (size_t)st.st_size - job->offset;
        if (job->length != SIZE_MAX && job->length > r->len)
                return err_set(
                    err, ERR_REJECT, "the mail ends behind the end of its file");
        if (job->length < r->len)
                r->len = job->length;
        if (r->len > MAX_RAW)
                r->len = MAX_RAW;
        if (r->len == 0)
                return 0;
        r->size = r->len + before;
        r->map = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
            (off_t)(job->offset - before));
        if (r->map == MAP_FAILED) {
                r->map = NULL;
                return err_errno(err, ERR_RETRY, errno, "cannot map the mail");
        }
        r->data = r->map + before;
        return 0;
}

static void
raw_close(struct raw *r)
{
        if (r->map != NULL)
                munmap(r->map, r->size);
        r->map = NULL;
        if (r->len > (1u << 20)) /* give back what a big mail took */
                malloc_trim(0);
}

static int
answer_error(const struct err *err)
{
        return worker_answer('E', err->text, strlen(err->text));
}

static int
answer_message(int type, struct message **m, const char *why)
{
        struct buf out AUTO_BUF = BUF_INIT;
        struct json_out o;

        message_format(*m, &out);
        message_free(m);
        if (why[0] != '\0' && out.len > 0 && out.data[out.len - 1] == '}') {
                out.len--;
                buf_addc(&out, ',');
                jo_init(&o, &out);
                jo_kstring(&o, "why", why);
                buf_addc(&out, '}');
        }
        return worker_answer(type, out.data, out.len);
}

static int
job_parse(struct raw *r, const struct job *job)
{
        struct message *m = NULL;
        struct err err = {0};

        if (mime_parse(r->data, r->len, job->account, &m, &err) == 0)
                return answer_message('M', &m, "");
        m = mime_parse_header_only(r->data, r->len, job->account);
        return answer_message('H', &m, err.text);
}

static int
job_header(struct raw *r, const struct job *job)
{
        struct message *m = mime_parse_header_only(r->data, r->len, job->account);

        return answer_message('H', &m, "only the header was asked for");
}

static int
job_cut(struct raw *r, const struct job *job)
{
        struct buf out AUTO_BUF = BUF_INIT;
        struct err err = {0};

        if (mime_parse_cut(
                r->data, r->len, job->part, job->from, job->count, &out, &err) == -1)
                return answer_error(&err);
        return worker_answer('B', buf_str(&out), out.len);
}

static int
job_html(struct raw *r, const struct job *job)
{
        struct buf html AUTO_BUF = BUF_INIT;
        struct buf clean AUTO_BUF = BUF_INIT;
        struct buf out AUTO_BUF = BUF_INIT;
        struct err err = {0};
        size_t from;

        if (mime_parse_html(r->data, r->len, &html, &err) == -1)
                return answer_error(&err);
        mime_html_clean(&clean, buf_str(&html), html.len, MAX_HTML);
        mime_parse_places(r->data, r->len, buf_str(&clean), clean.len, &out);
        from = job->from < out.len ? job->from : out.len;
        return worker_answer('B', buf_str(&out) + from,
            job->count < out.len - from ? job->count : out.len - from);
}

static const struct {
        int type;
        int (*run)(struct raw *r, const struct job *job);
} kinds[] = {
    {'P', job_parse},
    {'R', job_header},
    {'C', job_cut},
    {'W', job_html},
};

static size_t
size_member(const json_t *o, const char *key, size_t otherwise)
{
        int64_t v = json_int(o, key, -1);

        return v >= 0 ? (size_t)v : otherwise;
}

static int
run_job(int type, const json_t *o, int fd)
{
        struct job job = {
            .offset = size_member(o, "offset", 0),
            .length = size_member(o, "length", SIZE_MAX),
            .account = json_str(o, "account", ""),
            .part = json_str(o, "part", ""),
            .from = size_member(o, "from", 0),
            .count = size_member(o, "count", SIZE_MAX),
        };
        struct err err = {0};
        struct raw raw;
        int rc;

        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                if (kinds[i].type != type)
                        continue;
                if (raw_open(&raw, fd, &job, &err) == -1)
                        return answer_error(&err);
                rc = kinds[i].run(&raw, &job);
                raw_close(&raw);
                return rc;
        }
        err_set(&err, ERR_REJECT, "there is no job of type %d", type);
        return answer_error(&err);
}

/* Calls that only a taken-over helper would make end it; all that is not listed
 * fails. Files were opened before (charsets) or come as descriptors; newfstatat is
 * how glibc says fstat. */
static int
forbid(void)
{
        static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(recvmsg),
            SCMP_SYS(sendmsg), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(close),
            SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(pread64),
            SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise),
            SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction),
            SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(futex),
            SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
            SCMP_SYS(time), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill),
            SCMP_SYS(restart_syscall), SCMP_SYS(poll), SCMP_SYS(sched_yield)};
        static const int deadly[] = {SCMP_SYS(execve), SCMP_SYS(execveat),
            SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(ptrace),
            SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(clone),
            SCMP_SYS(process_vm_writev)};
        static const int mapping[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int rc = ctx != NULL ? 0 : -1;

        for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
                rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
        for (size_t i = 0; rc == 0 && i < sizeof(deadly) / sizeof(deadly[0]); i++)
                rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
        for (size_t i = 0; rc == 0 && i < sizeof(mapping) / sizeof(mapping[0]); i++)
                rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, mapping[i], 1,
                    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (rc == 0)
                rc = seccomp_load(ctx);
        seccomp_release(ctx);
        return rc;
}

static void
load_bounces(char **dirs, int n)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *shipped[BOUNCES_MAX_DIRS];
        struct err err = {0};
        struct bounce_set *set =
            n > 0 ? bounces_load((const char *const *)dirs, (size_t)n, &err)
                  : bounces_load(shipped, bounces_dirs(a, NULL, shipped), &err);

        if (set == NULL) {
                fprintf(stderr,
                    "helpline-mime: %s; until then only the shipped bounce "
                    "formats are known\n",
                    err.text);
                set = bounces_load(shipped, bounces_dirs(a, NULL, shipped), &err);
        }
        mime_parse_set_bounces(set);
}

static void
set_up(char **dirs, int n_dirs)
{
        char hex[65];

        worker_child_setup();
        mime_parse_init();
        load_bounces(dirs, n_dirs);
        sha256_hex("", 0, hex); /* OpenSSL reads its files now or never */
        if (FILTERED && forbid() != 0) {
                fputs(
                    "helpline-mime: cannot set the seccomp filter; the kernel must have "
                    "CONFIG_SECCOMP_FILTER\n",
                    stderr);
                exit(1);
        }
}

int
main(int argc, char **argv)
{
        char *body = NULL;
        size_t len = 0;
        int type = 0;
        int fd = -1;
        int rc;

        set_up(argv + 1, argc - 1);
        while ((rc = worker_next(&type, &body, &len, &fd, MAX_BODY)) == 1) {
                struct err err = {0};
                json_t *o = json_read(body, len, MAX_BODY, &err);

                rc = o != NULL ? run_job(type, o, fd) : answer_error(&err);
                json_decref(o);
                free(body);
                if (fd != -1)
                        close(fd);
                if (rc == -1)
                        break;
        }
        return rc == 0 ? 0 : 1;
}
