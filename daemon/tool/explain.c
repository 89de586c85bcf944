/*
 * helpline explain: what the rules say of one mail, offline. It reads the same
 * configuration, asks the same helper and applies the same judgement and rules as
 * the daemon; only the store is not there, so the mail counts as a new ticket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/rules.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/loop.h"
#include "daemon/base/worker.h"
#include "daemon/helpers.h"
#include "daemon/intake.h"
#include "daemon/tool/tool.h"

#define MAX_MAIL (25 << 20)
#define PARSE_MS 10000

struct explaining {
        struct loop *loop;
        struct message *message; /* NULL until the helper has answered */
        struct err err;
};

static void
on_parsed(void *arg, enum job_result result, int type, const char *body, size_t len)
{
        struct explaining *x = arg;

        if (result != JOB_DONE)
                err_set(&x->err, ERR_REJECT,
                    "the parser failed on this mail (%s): it would be quarantined",
                    job_result_name(result));
        else if (type != 'M' && type != 'H')
                err_set(&x->err, ERR_REJECT, "%.*s", (int)(len < 300 ? len : 300), body);
        else
                message_parse(body, len, &x->message, &x->err);
        loop_stop(x->loop);
}

/* The mail in a memory file, whatever it came from: pipes have no length. */
static int
read_mail(const char *path, size_t *len, struct err *err)
{
        int in = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
        int out = memfd_create("mail", MFD_CLOEXEC);
        char part[65536];
        ssize_t n = 0;

        *len = 0;
        if (in == -1 || out == -1)
                return err_errno(err, ERR_CONFIG, errno, "cannot read %s", path);
        while (*len <= MAX_MAIL && (n = read(in, part, sizeof part)) > 0) {
                if (write(out, part, (size_t)n) != n)
                        return err_errno(
                            err, ERR_CONFIG, errno, "cannot keep %s in memory", path);
                *len += (size_t)n;
        }
        if (in != STDIN_FILENO)
                close(in);
        if (n < 0)
                return err_errno(err, ERR_CONFIG, errno, "cannot read %s", path);
        if (*len > MAX_MAIL)
                return err_set(err, ERR_LIMIT, "%s is larger than 25 MB", path);
        return out;
}

static int
parse_mail(struct explaining *x, const char *account, int fd, size_t len)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf body AUTO_BUF = BUF_INIT;
        const char *argv[] = {helper_path(a, "helpline-mime", &x->err), NULL};
        struct worker_options o = {.name = "mime",
            .argv = argv,
            .n_max = 1,
            .max_answer = 12 << 20,
            .job_ms = PARSE_MS,
            .max_queue = 1};
        struct worker_pool *pool;
        struct json_out j;

        if (argv[0] == NULL)
                return -1;
        jo_init(&j, &body);
        jo_open(&j, '{');
        jo_kint(&j, "offset", 0);
        jo_kint(&j, "length", (int64_t)len);
        jo_kstring(&j, "account", account);
        jo_close(&j, '}');
        pool = worker_pool_new(x->loop, &o);
        if (worker_submit(pool, 'P', body.data, body.len, fd, on_parsed, x, &x->err) == 0)
                loop_run(x->loop);
        worker_pool_free(&pool);
        return x->message == NULL ? -1 : 0;
}

/* ---- who could take it ---- */

static void
print_agents(const struct config *c, const struct class *class_doc)
{
        struct arena *a AUTO_ARENA = arena_new();

        puts("agents");
        for (size_t i = 0; i < c->n_agents; i++) {
                const char *against = class_against(class_doc, &c->agents[i].profile, a);

                printf("  %-12s %s%s\n", c->agents[i].name, *against ? "no: " : "yes",
                    against);
        }
}

static void
json_agents(const struct config *c, const struct class *class_doc, int64_t now_us,
    struct json_out *o)
{
        struct arena *a AUTO_ARENA = arena_new();

        jo_key(o, "agents");
        jo_open(o, '[');
        for (size_t i = 0; i < c->n_agents; i++) {
                const char *against = class_against(class_doc, &c->agents[i].profile, a);

                jo_open(o, '{');
                jo_kstring(o, "agent", c->agents[i].name);
                jo_kbool(o, "fits", *against == '\0');
                jo_ktime(o, "from", *against == '\0' ? now_us : 0);
                jo_kstring(o, "against", against);
                jo_close(o, '}');
        }
        jo_close(o, ']');
}

static void
print_message(const struct message *m)
{
        printf("from         %s <%s>\nsubject      %s\nkind         %s%s%s%s\n",
            m->from.name, m->from.address, m->subject, message_kind_name(m->kind),
            *m->machine ? " (" : "", m->machine,
            *m->machine ? ": no acknowledgement, reopens nothing)" : "");
        for (size_t i = 0; i < m->n_attachments; i++)
                printf("attached     %s (%s, %lld bytes)\n", m->attachments[i].name,
                    m->attachments[i].type, (long long)m->attachments[i].size);
}

static void
explain_message(struct tool *t, const struct config *c, struct message *m)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct facts f = {.message = m, .now_ms = clock_now_ms()};
        struct buf b AUTO_BUF = BUF_INIT;
        struct decision d;
        struct json_out o;

        mail_judge(m, c, false);
        rules_decide(c, &f, a, &d);
        if (t->json) {
                jo_init(&o, &b);
                jo_open(&o, '{');
                decision_format(&d, message_kind_name(m->kind), false, &o);
                json_agents(c, &d.class_doc, clock_now_us(), &o);
                jo_close(&o, '}');
                puts(buf_str(&b));
                return;
        }
        print_message(m);
        decision_print(&d, &b);
        fputs(buf_str(&b), stdout);
        print_agents(c, &d.class_doc);
}

int
verb_explain(struct tool *t, int argc, char **argv)
{
        struct explaining x = {.err = {.kind = ERR_NONE}};
        struct config_report report = {.text = BUF_INIT};
        struct config *c;
        size_t len;
        int fd;

        if (argc != 2)
                return tool_fail(TOOL_USAGE, "usage: helpline explain FILE|- [--json]");
        if (config_load(t->client.file, &c, &report) == -1) {
                fputs(buf_str(&report.text), stderr);
                config_report_fini(&report);
                return TOOL_USAGE;
        }
        config_report_fini(&report);
        fd = read_mail(argv[1], &len, &x.err);
        if (fd != -1) {
                x.loop = loop_new();
                clock_update();
                parse_mail(&x, c->n_mails > 0 ? c->mails[0].address : "", fd, len);
                loop_free(&x.loop);
                close(fd);
        }
        if (x.message != NULL)
                explain_message(t, c, x.message);
        config_free(&c);
        if (x.message == NULL)
                return tool_fail(TOOL_REFUSED, "%s", x.err.text);
        message_free(&x.message);
        return TOOL_DONE;
}
