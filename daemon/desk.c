/*
 * The wiring, written once: who talks to whom.
 *
 *     lmtp, phones -> intake -> blobs, mime helper, store (put)
 *     store -> hints -> dispatch -> store (pull) -> agents
 *     agents -> store (commit) -> journal -> agents (events)
 *     janitor -> store (tick) -> outbox -> mailer helper -> store (commit)
 *
 * Opening goes from the floor up and each thing is freed in the opposite order.
 * The end of the daemon is in desk_stop.c.
 */
#include "daemon/desk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channels/email_lmtp.h"
#include "daemon/agent/server.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/clockwork.h"
#include "daemon/demo.h"
#include "daemon/helpers.h"
#include "daemon/intake.h"
#include "daemon/notify.h"
#include "daemon/outbox.h"
#include "daemon/phones.h"
#include "daemon/search.h"
#include "daemon/web/server.h"
#include "queue/redis_child.h"

#define LOCK_WAIT_MS 10000
#define MIME_JOB_MS 5000
#define MIME_MEMORY (128ULL << 20)
#define MIME_ANSWER (12 << 20)
#define MAILER_JOB_MS 300000
#define MAILER_PROCESSES 8

/* ---- helpers ---- */

static struct worker_pool *
helper_pool(
    struct desk *d, const char *name, const char *const *argv, struct worker_options *o)
{
        struct worker_pool *pool;

        if (argv == NULL || argv[0] == NULL)
                return NULL;
        o->name = name;
        o->argv = argv;
        pool = worker_pool_new(d->loop, o);
        o->argv = NULL; /* it has a copy, the caller's ends */
        return pool;
}

static int
open_helpers(struct desk *d, struct err *err)
{
        struct worker_options mime = {
            .n_max = 2,
            .max_answer = MIME_ANSWER,
            .job_ms = MIME_JOB_MS,
            .memory_bytes = MIME_MEMORY,
            .cpu_s = 600,
            .max_jobs = 1000,
            .max_queue = 2000,
        };
        struct worker_options mailer = {
            .n_max = MAILER_PROCESSES,
            .max_answer = 1 << 20,
            .job_ms = MAILER_JOB_MS,
            .max_jobs = 1000,
            .max_queue = 100,
        };

        struct arena *a AUTO_ARENA = arena_new();
        const char *argv[] = {NULL, NULL};

        d->mime = helper_pool(d, "mime", helper_mime_argv(a, d->config, err), &mime);
        if (d->mime == NULL)
                return -1;
        argv[0] = helper_path(a, "helpline-mailer", err);
        d->mailer = helper_pool(d, "mailer", argv, &mailer);
        return d->mailer == NULL ? -1 : 0;
}

/* ---- the store's voice ---- */

static void
announce_ready(struct desk *d)
{
        char state[128];

        snprintf(state, sizeof state, "READY=1\nSTATUS=%s, agents on %s",
            store_is_live(d->store) ? "live" : "rehearsal", agents_address(d->agents));
        notify_send(state);
        log_info("READY", "desk=%s agents=%s lmtp=%s web=%s live=%s",
            log_quote(d->config->name), agents_address(d->agents),
            log_quote(lmtp_address(d->lmtp, 0)), web_address(d->web),
            store_is_live(d->store) ? "yes" : "no");
        if (d->demo)
                demo_show(d);
}

static void
on_up(void *arg)
{
        struct desk *d = arg;

        if (d->stopping)
                return;
        desk_tell_agents(d);
        dispatch_reset_seq(d->dispatch, store_hintseq(d->store));
        agents_store_up(d->agents);
        dispatch_hint_all(d->dispatch, store_hintseq(d->store));
        desk_learn_classes(d);
        search_store_up(d->search);
        if (!d->announced)
                announce_ready(d);
        d->announced = true;
}

static void
on_down(void *arg, const struct err *why)
{
        struct desk *d = arg;

        if (!d->stopping)
                log_warn("STORE-DOWN", "why=%s", log_quote(why->text));
}

static void
on_hint(void *arg, const struct hint *h)
{
        desk_on_hint(arg, h);
}

static void
on_event(void *arg, const char *seq, const char *json, size_t len)
{
        struct desk *d = arg;

        agents_event(d->agents, seq, json, len);
        search_event(d->search);
}

static void
on_fatal(void *arg, const struct err *why)
{
        struct desk *d = arg;

        log_error("STORE-FATAL", "why=%s", log_quote(why->text));
        alert_tell(&d->alerts, d->config, ALERT_STORE, why->text);
        if (d->announced) /* agents and mail servers are told to come back; a person must look */
                return;
        d->exit_code = 1;
        desk_shutdown(d, "store");
}

static const struct store_handlers store_handlers = {
    on_up, on_down, on_hint, on_event, on_fatal};

/* ---- what takes a restart ---- */

static void
join(struct buf *b, const char *const *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                buf_addf(b, "%s\n", s[i]);
}

/* What is read at the start only: one text each, to be compared. */
static void
restart_note(const struct config *c, struct buf of[DESK_N_RESTART])
{
        for (size_t i = 0; i < DESK_N_RESTART; i++)
                buf_clear(&of[i]);
        buf_adds(&of[0], c->state);
        buf_adds(&of[1], c->store);
        join(&of[2], c->socket_listen, c->n_socket_listen);
        join(&of[3], c->lmtp_listen, c->n_lmtp_listen);
        join(&of[4], c->web_listen, c->n_web_listen);
        buf_adds(&of[4], "-\n");
        join(&of[4], c->web_proxy, c->n_web_proxy);
}

/* ---- opening ---- */

static int
make_state_dir(struct desk *d, struct err *err)
{
        const char *dir = d->config->state;
        struct stat st;

        if (mkdir(dir, 0700) == -1 && errno != EEXIST)
                return err_errno(err, ERR_CONFIG, errno,
                    "the state directory %s cannot be made (create it, owned by this "
                    "user)",
                    dir);
        if (stat(dir, &st) == -1 || !S_ISDIR(st.st_mode))
                return err_set(
                    err, ERR_CONFIG, "the state directory %s is not a directory", dir);
        if (access(dir, R_OK | W_OK | X_OK) == -1)
                return err_errno(err, ERR_CONFIG, errno,
                    "the state directory %s cannot be used by this user", dir);
        if ((st.st_mode & 027) != 0)
                log_warn("STATE",
                    "dir=%s mode=%03o why=\"others may enter it or change it: chmod "
                    "700\"",
                    log_quote(dir), (unsigned)st.st_mode & 0777);
        d->lock_fd = state_lock(dir, LOCK_WAIT_MS, err);
        return d->lock_fd == -1 ? -1 : 0;
}

static int
open_bytes(struct desk *d, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();

        d->disk = disk_new(d->loop);
        d->blobs =
            blobs_open(d->disk, arena_printf(a, "%s/blobs", d->config->state), err);
        return d->blobs == NULL ? -1 : 0;
}

static void
open_store(struct desk *d)
{
        struct store_options o = {
            .where = d->config->store,
            .password = d->config->store_password,
            .state_dir = d->config->state,
            .lock_fd = strcmp(d->config->store, "embedded") == 0 ? d->lock_fd : -1,
        };

        d->store = store_new(d->loop, &o, &store_handlers, d);
}

static int
open_lmtp(struct desk *d, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        char host[256] = "localhost";
        struct lmtp_options o = {
            .listen = d->config->lmtp_listen,
            .n_listen = d->config->n_lmtp_listen,
            .spool_dir = arena_printf(a, "%s/spool", d->config->state),
            .hostname = host,
        };

        gethostname(host, sizeof host - 1);
        return lmtp_open(d->loop, &o, intake_host(d->intake), &d->lmtp, err);
}

static int
open_all(struct desk *d, struct err *err)
{
        if (make_state_dir(d, err) == -1 || open_bytes(d, err) == -1 ||
            open_helpers(d, err) == -1)
                return -1;
        open_store(d);
        d->dispatch = dispatch_new(&desk_dispatch_ops, d);
        desk_set_agents(d);
        d->intake = intake_new(d);
        d->outbox = outbox_new(d);
        d->clockwork = clockwork_new(d);
        d->janitor = janitor_new(d);
        d->search = search_new(d);
        d->agents = agents_open(d, err);
        if (d->agents == NULL || open_lmtp(d, err) == -1)
                return -1;
        d->phones = phones_open(d);
        d->web = web_open(d, err);
        if (d->web == NULL)
                return -1;
        store_start(d->store);
        janitor_start(d->janitor);
        return 0;
}

struct desk *
desk_open(struct loop *loop, struct config *config, bool demo, struct err *err)
{
        struct desk *d = xcalloc(1, sizeof *d);

        d->loop = loop;
        d->config = config;
        d->demo = demo;
        d->lock_fd = -1;
        d->started_at_us = clock_now_us();
        restart_note(config, d->at_start);
        if (open_all(d, err) == -1)
                desk_free(&d);
        return d;
}

void
desk_free(struct desk **dp)
{
        struct desk *d = *dp;

        if (d == NULL)
                return;
        timer_free(&d->stop_timer);
        timer_free(&d->watchdog);
        /* Whoever owes an answer gives it first, while those who wait for it live. */
        disk_free(&d->disk);
        worker_pool_free(&d->mime);
        worker_pool_free(&d->mailer);
        store_free(&d->store);
        search_free(&d->search);
        web_close(&d->web);
        lmtp_close(&d->lmtp);
        phones_free(&d->phones);
        absences_free(d);
        agents_free(&d->agents);
        janitor_free(&d->janitor);
        clockwork_free(&d->clockwork);
        outbox_free(&d->outbox);
        intake_free(&d->intake);
        dispatch_free(&d->dispatch);
        blobs_close(&d->blobs);
        config_free(&d->config);
        for (size_t i = 0; i < DESK_N_RESTART; i++)
                buf_fini(&d->at_start[i]);
        if (d->lock_fd != -1)
                close(d->lock_fd);
        free(d);
        *dp = NULL;
}

/* ---- reload ---- */

/* A line may go only when nothing waits in it, nor can come back to it from an agent. */
static int
check_lines(struct desk *d, const struct config *fresh, struct err *err)
{
        for (size_t i = 0; i < d->config->n_lines; i++) {
                const char *name = d->config->lines[i].name;
                int64_t n = janitor_tickets(d->janitor, name);

                if (n > 0 && config_line(fresh, name) == NULL)
                        return err_code(err, ERR_CONFIG, "STATE",
                            "line '%s' is gone from the configuration while %lld of its "
                            "tickets "
                            "wait or are in hand: declare it until they are done",
                            name, (long long)n);
        }
        return 0;
}

/* Against what runs, not against the last reload: it stays said until the restart. */
static void
restart_find(struct desk *d)
{
        static const char *const names[DESK_N_RESTART] = {
            "state", "store", "socket", "lmtp", "web"};
        struct buf now[DESK_N_RESTART] = {BUF_INIT}, words AUTO_BUF = BUF_INIT;

        restart_note(d->config, now);
        for (size_t i = 0; i < DESK_N_RESTART; i++) {
                if (strcmp(buf_str(&now[i]), buf_str(&d->at_start[i])) != 0)
                        buf_addf(&words, "%s%s", words.len > 0 ? ", " : "", names[i]);
                buf_fini(&now[i]);
        }
        snprintf(d->needs_restart, sizeof d->needs_restart, "%s", buf_str(&words));
        if (words.len > 0)
                log_warn("RELOAD",
                    "restart=%s why=\"what changed there takes effect at the "
                    "next restart\"",
                    log_quote(d->needs_restart));
}

static void
on_forgotten(void *arg, const struct err *err)
{
        (void)arg;
        if (err->kind != ERR_NONE)
                log_warn("RELOAD", "why=%s", log_quote(err->text));
}

/* What is kept for them falls back into its classes. */
static void
forget_gone_agents(struct desk *d, const struct config *fresh)
{
        for (size_t i = 0; i < d->config->n_agents; i++)
                if (config_agent(fresh, d->config->agents[i].name) == NULL) {
                        dispatch_forget_agent(d->dispatch, d->config->agents[i].name);
                        store_set_presence(d->store, d->config->agents[i].name,
                            PRESENCE_OFFLINE, "", "helpline", on_forgotten, NULL);
                }
}

/* The line of the first error; warnings may stand before it. */
static const char *
report_first_error(const char *text)
{
        const char *line = text, *end;

        for (; *line != '\0'; line = *end == '\0' ? end : end + 1) {
                end = line + strcspn(line, "\n");
                if (memmem(line, (size_t)(end - line), ": error: ", 9) != NULL)
                        return line;
        }
        return text;
}

static int
reload_swap(struct desk *d, struct config_report *report, struct err *err)
{
        struct config *fresh, *old;

        if (config_load(d->config->file, &fresh, report) == -1) {
                const char *first = report_first_error(buf_str(&report->text));
                size_t n = strcspn(first, "\n");

                return err_code(err, ERR_CONFIG, "STATE",
                    "%u error%s, the old configuration stays; the first: %.*s",
                    report->n_errors, report->n_errors == 1 ? "" : "s",
                    (int)(n < 300 ? n : 300), first);
        }
        if (check_lines(d, fresh, err) == -1) {
                config_free(&fresh);
                return -1;
        }
        forget_gone_agents(d, fresh);
        old = d->config;
        d->config = fresh;
        desk_set_agents(d);
        desk_tell_agents(d);
        agents_reloaded(d->agents);
        phones_reload(d->phones);
        worker_pool_renew(d->mime); /* the words of mail systems may have changed */
        dispatch_hint_all(d->dispatch, store_hintseq(d->store));
        config_free(&old);
        restart_find(d);
        return 0;
}

int
desk_reload(struct desk *d, struct config_report *report, struct err *err)
{
        struct config_report own = {.text = BUF_INIT};
        struct config_report *r = report == NULL ? &own : report;
        int rc;

        notify_reloading();
        rc = reload_swap(d, r, err);
        if (rc == 0)
                log_info("RELOADED", "agents=%zu lines=%zu warnings=%u",
                    d->config->n_agents, d->config->n_lines, r->n_warnings);
        else
                log_error("RELOAD", "kept=old why=%s", log_quote(err->text));
        notify_send("READY=1");
        config_report_fini(&own);
        return rc;
}

/* ---- attachments ---- */

struct cutting {
        desk_part_fn fn;
        void *arg;
};

static void
on_cut(void *arg, enum job_result result, int type, const char *body, size_t len)
{
        struct cutting *c = arg;
        struct err err = {.kind = ERR_NONE};

        if (result != JOB_DONE)
                err_code(&err, ERR_RETRY, "TRYAGAIN",
                    "the attachment could not be cut out (%s)", job_result_name(result));
        else if (type != 'B')
                err_code(&err, ERR_NOTFOUND, "NOSUCH", "%.*s",
                    (int)(len < 300 ? len : 300), body);
        c->fn(c->arg, &err, err.kind == ERR_NONE ? body : "",
            err.kind == ERR_NONE ? len : 0);
        free(c);
}

static void
cut_submit(struct desk *d, const struct blob_ref *raw, const char *part, uint64_t from,
    uint64_t count, struct cutting *c, struct err *err)
{
        struct buf body AUTO_BUF = BUF_INIT;
        struct json_out o;
        uint64_t at;
        int fd = blob_open(d->blobs, raw, &at, err);

        if (fd == -1)
                return;
        jo_init(&o, &body);
        jo_open(&o, '{');
        jo_kint(&o, "offset", (int64_t)at);
        jo_kint(&o, "length", (int64_t)raw->length);
        jo_kstring(&o, "part", part);
        jo_kint(&o, "from", (int64_t)from);
        jo_kint(&o, "count", (int64_t)count);
        jo_close(&o, '}');
        worker_submit(d->mime, strcmp(part, "html") == 0 ? 'W' : 'C', body.data, body.len,
            fd, on_cut, c, err);
        close(fd);
}

void
desk_cut_part(struct desk *d, const struct blob_ref *raw, const char *part, uint64_t from,
    uint64_t count, desk_part_fn fn, void *arg)
{
        struct cutting *c = xcalloc(1, sizeof *c);
        struct err err = {.kind = ERR_NONE};

        c->fn = fn;
        c->arg = arg;
        cut_submit(d, raw, part, from, count, c, &err);
        if (err.kind == ERR_NONE)
                return;
        fn(arg, &err, "", 0);
        free(c);
}
