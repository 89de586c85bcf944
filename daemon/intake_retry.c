/*
 * QUARANTINE RETRY: the kept bytes go through intake once more; only when the message is
 * on its ticket the entry is dropped. See intake.h.
 */
#include <stdlib.h>

#include "daemon/intake_impl.h"

struct retry_end { /* what remains to be done when the message is on its ticket */
        struct desk *desk;
        char *id, *who;
        store_done_fn fn;
        void *arg;
};

static void
on_retried(void *arg, const struct err *err)
{
        struct retry_end *e = arg;

        if (err->kind == ERR_NONE)
                store_quarantine_drop(e->desk->store, e->id, e->who, e->fn, e->arg);
        else
                e->fn(e->arg, err);
        free(e->id);
        free(e->who);
        free(e);
}

static void
on_quarantined(void *arg, const struct err *err, const struct quarantined *q, size_t n,
    const char *cursor)
{
        struct retry_end *e = arg;
        struct job *j;
        struct err gone;

        (void)cursor;
        if (err->kind == ERR_NONE && n == 0) {
                err_code(&gone, ERR_NOTFOUND, "NOSUCH", "there is no quarantine entry %s",
                    e->id);
                err = &gone;
        }
        if (err->kind != ERR_NONE) {
                on_retried(e, err);
                return;
        }
        j = job_new(e->desk->intake);
        j->channel = "email";
        j->account = arena_strdup(j->keep, q->account);
        j->envelope_from = "";
        j->received_at_us = q->at_ms * 1000;
        j->raw = q->raw;
        j->retry_of = arena_strdup(j->keep, q->ticket);
        j->retry_fn = on_retried;
        j->retry_arg = e;
        job_parse(j);
}

void
intake_retry(struct intake *i, const char *quarantine_id, const char *who,
    store_done_fn fn, void *arg)
{
        struct retry_end *e = xcalloc(1, sizeof *e);

        e->desk = i->desk;
        e->id = xstrdup(quarantine_id);
        e->who = xstrdup(who);
        e->fn = fn;
        e->arg = arg;
        store_quarantine_read(i->desk->store, quarantine_id, on_quarantined, e);
}
