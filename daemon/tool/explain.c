/*
 * helpline explain: what the rules say of one mail, form or call, offline. It reads the
 * same configuration, asks the same helper (the same parsers) and applies the same
 * judgement and rules as the daemon; only the store is not there, so it counts as a new
 * ticket.
 */
#include <assert.h>
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
#include "daemon/base/zone.h"
#include "daemon/helpers.h"
#include "daemon/intake.h"
#include "daemon/tool/explain.h"
#include "daemon/tool/tool.h"

#define MAX_FILE (25 << 20)
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

/* It in a memory file, whatever it came from: pipes have no length. */
static int
read_file(const char *path, size_t *len, struct err *err)
{
        int in = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
        int out = memfd_create("explain", MFD_CLOEXEC);
        char part[65536];
        ssize_t n = 0;

        *len = 0;
        if (in == -1 || out == -1)
                return err_errno(err, ERR_CONFIG, errno, "cannot read %s", path);
        while (*len <= MAX_FILE && (n = read(in, part, sizeof part)) > 0) {
                if (write(out, part, (size_t)n) != n)
                        return err_errno(
                            err, ERR_CONFIG, errno, "cannot keep %s in memory", path);
                *len += (size_t)n;
        }
        if (in != STDIN_FILENO)
                close(in);
        if (n < 0)
                return err_errno(err, ERR_CONFIG, errno, "cannot read %s", path);
        if (*len > MAX_FILE)
                return err_set(err, ERR_LIMIT, "%s is larger than 25 MB", path);
        return out;
}

static int
parse_mail(struct explaining *x, const struct config *c, int fd, size_t len)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf body AUTO_BUF = BUF_INIT;
        const char *const *argv = helper_mime_argv(a, c, &x->err);
        struct worker_options o = {.name = "mime",
            .argv = argv,
            .n_max = 1,
            .max_answer = 12 << 20,
            .job_ms = PARSE_MS,
            .max_queue = 1};
        struct worker_pool *pool;
        struct json_out j;

        if (argv == NULL)
                return -1;
        jo_init(&j, &body);
        jo_open(&j, '{');
        jo_kint(&j, "offset", 0);
        jo_kint(&j, "length", (int64_t)len);
        jo_kstring(&j, "account", c->n_mails > 0 ? c->mails[0].address : "");
        jo_close(&j, '}');
        pool = worker_pool_new(x->loop, &o);
        if (worker_submit(pool, 'P', body.data, body.len, fd, on_parsed, x, &x->err) == 0)
                loop_run(x->loop);
        worker_pool_free(&pool);
        return x->message == NULL ? -1 : 0;
}

/* ---- who could take it ---- */

static size_t
who_fits(const struct config *c, const struct decision *d, struct arena *a,
    struct who_fits **w)
{
        return rules_who_fits(c, &d->class_doc, d->calendar, d->now_ms, d->now_ms, a, w);
}

static void
print_agents(const struct config *c, const struct decision *d)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct who_fits *w;
        size_t n = who_fits(c, d, a, &w);

        puts("agents");
        for (size_t i = 0; i < n; i++) {
                char wall[20] = "";

                if (!w[i].fits && w[i].from_ms != 0)
                        zone_format(c->timezone, w[i].from_ms * 1000, wall);
                if (w[i].fits)
                        printf("  %-12s yes\n", w[i].agent->name);
                else if (*wall != '\0')
                        printf("  %-12s from %.16s on; now: %s\n", w[i].agent->name, wall,
                            w[i].against);
                else
                        printf("  %-12s no: %s\n", w[i].agent->name, w[i].against);
        }
}

static void
json_agents(const struct config *c, const struct decision *d, struct json_out *o)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct who_fits *w;
        size_t n = who_fits(c, d, a, &w);

        rules_agents_format(w, n, "", d->now_ms, o);
}

static void
print_message(const struct message *m)
{
        if (*m->from.address == '\0' && (*m->from.name != '\0' || *m->phone != '\0'))
                printf("from         %s%s%s\n", m->from.name,
                    *m->from.name != '\0' && *m->phone != '\0' ? ", " : "", m->phone);
        else
                printf("from         %s <%s>%s%s\n", m->from.name, m->from.address,
                    *m->phone != '\0' ? ", " : "", m->phone);
        printf("subject      %s\nkind         %s%s%s%s\n", m->subject,
            message_kind_name(m->kind), *m->machine ? " (" : "", m->machine,
            *m->machine ? ": no acknowledgement, reopens nothing)" : "");
        for (size_t i = 0; m->form != NULL && i < m->form->n_fields; i++)
                for (size_t k = 0; k < m->form->fields[i].n_values; k++)
                        printf("field        %s = %.*s\n", m->form->fields[i].name,
                            (int)strcspn(m->form->fields[i].values[k], "\n"),
                            m->form->fields[i].values[k]);
        if (m->call != NULL)
                printf("call         %s, %s, %lld s\n",
                    call_direction_name(m->call->direction),
                    call_result_name(m->call->result), (long long)m->call->duration_s);
        for (size_t i = 0; i < m->n_attachments; i++)
                printf("attached     %s (%s, %lld bytes)\n", m->attachments[i].name,
                    m->attachments[i].type, (long long)m->attachments[i].size);
}

static void
print_json(const struct explained *x, const struct decision *d)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        decision_format(d, message_kind_name(x->message->kind), false, &o);
        json_agents(x->config, d, &o);
        jo_kbool(&o, "makes_ticket", x->makes_ticket && !x->is_refused);
        jo_kstrings(&o, "notes", x->notes, x->n_notes);
        if (x->is_mail)
                explain_mail_json(x, &o);
        jo_close(&o, '}');
        puts(buf_str(&b));
}

static void
print_explained(const struct explained *x, const struct decision *d)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (x->is_mail)
                explain_mail_print(x, &b);
        else
                print_message(x->message);
        fputs(buf_str(&b), stdout);
        buf_clear(&b);
        for (size_t i = 0; i < x->n_notes; i++)
                printf("note         %s\n", x->notes[i]);
        if (x->is_refused || !x->makes_ticket)
                return;
        decision_print(d, &b);
        fputs(buf_str(&b), stdout);
        if (!d->shelve)
                print_agents(x->config, d);
}

static int
explain_message(struct tool *t, struct explained *x)
{
        struct facts f = {.message = x->message, .now_ms = clock_now_ms()};
        struct decision d;

        assert(x->message != NULL);
        if (strcmp(x->message->channel, "email") == 0)
                x->forwarded_by = mail_take_forwarded(x->message, x->config);
        if (strcmp(x->message->channel, "email") == 0)
                mail_judge(x->message, x->config, false);
        rules_decide(x->config, &f, x->a, &d);
        if (t->json)
                print_json(x, &d);
        else
                print_explained(x, &d);
        return x->is_refused ? TOOL_REFUSED : TOOL_DONE;
}

/* ---- what it is ---- */

/* Which of ours it was written to; the first when none is named. */
static const char *
mail_account_of(const struct config *c, const struct message *m)
{
        for (size_t i = 0; i < m->n_to + m->n_cc; i++) {
                const struct mail_address *x =
                    i < m->n_to ? &m->to[i] : &m->cc[i - m->n_to];
                const struct mail_account *acc = config_mail(c, x->address);

                if (acc != NULL)
                        return acc->address;
        }
        return c->n_mails > 0 ? c->mails[0].address : "";
}

static int
explain_mail(struct explained *x, int fd, size_t len, struct err *err)
{
        struct explaining e = {.loop = loop_new(), .err = {.kind = ERR_NONE}};
        const struct config *c = x->config;

        parse_mail(&e, c, fd, len);
        loop_free(&e.loop);
        x->message = e.message;
        x->makes_ticket = true;
        if (e.message == NULL) {
                *err = e.err;
                return -1;
        }
        x->is_mail = true;
        e.message->channel = "email";
        e.message->account = mail_account_of(c, e.message);
        return 0;
}

static int
explain_bytes(struct tool *t, struct explained *x, int fd, size_t len, struct err *err)
{
        char *s = len == 0 ? NULL : mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
        int rc;

        if (s == NULL || s == MAP_FAILED)
                return err_set(err, ERR_REJECT, "there is nothing in it");
        if (t->phone != NULL)
                rc = explain_record(x, t->phone, s, len, err);
        else if (t->form != NULL || explain_is_form(s, len))
                rc = explain_form(x, t->form, s, len, err);
        else
                rc = explain_mail(x, fd, len, err);
        munmap(s, len);
        return rc;
}

static int
explain_any(struct tool *t, struct explained *x, int argc, char **argv, struct err *err)
{
        size_t len;
        int fd, rc;

        if (explain_is_words(argc - 1, argv + 1))
                return explain_words(x, argc - 1, argv + 1, err);
        if (argc != 2)
                return err_set(err, ERR_CONFIG,
                    "usage: helpline explain FILE|- [--form NAME|--phone NAME] [--json], "
                    "or helpline explain WORD=... [--json]");
        fd = read_file(argv[1], &len, err);
        if (fd == -1)
                return -1;
        rc = explain_bytes(t, x, fd, len, err);
        close(fd);
        return rc;
}

int
verb_explain(struct tool *t, int argc, char **argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct explained x = {.a = a, .forwarded_by = ""};
        struct config_report report = {.text = BUF_INIT};
        struct err err = {.kind = ERR_NONE};
        struct config *c;
        int code;

        if (argc < 2)
                return tool_fail(
                    TOOL_USAGE, "usage: helpline explain FILE|-|WORD=... [--json]");
        if (config_load(t->client.file, &c, &report) == -1) {
                fputs(buf_str(&report.text), stderr);
                config_report_fini(&report);
                return TOOL_USAGE;
        }
        config_report_fini(&report);
        clock_update();
        x.config = c;
        if (explain_any(t, &x, argc, argv, &err) == -1)
                code = tool_fail(
                    err.kind == ERR_CONFIG ? TOOL_USAGE : TOOL_REFUSED, "%s", err.text);
        else
                code = explain_message(t, &x);
        message_free(&x.message);
        config_free(&c);
        return code;
}
