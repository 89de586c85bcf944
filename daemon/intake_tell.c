/*
 * What the rules decide beside the ticket itself: whom to tell, what to ask the customer,
 * and the counts that `more than N tagged T in D` looks at; see intake_impl.h.
 *
 * All of it goes into the put that makes the ticket, so it happens with it or not at all,
 * and not twice. That a sentence tells once in its window is decided there, by a key that
 * lives as long: many mails may be under way at once.
 */
#include <string.h>

#include "config/template.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/intake_impl.h"

void
job_query_counts(struct job *j, struct facts_query *q)
{
        const struct tag_window *w;
        size_t n = rules_windows(j->intake->desk->config, &w);
        struct tag_count *counts = arena_alloc(j->arena, (n + 1) * sizeof *counts);

        for (size_t i = 0; i < n; i++)
                counts[i] = (struct tag_count){w[i].tag, w[i].ms, 0};
        q->counts = counts;
        q->n_counts = n;
        q->now_ms = clock_now_ms();
}

/* This ticket counts for the next ones, as far as anybody asks. */
static void
job_count_tag(struct job *j, struct change *c, const char *tag)
{
        const struct tag_window *w;
        size_t n = rules_windows(j->intake->desk->config, &w);
        int64_t keep_ms = 0;
        unsigned max = 0;

        for (size_t i = 0; i < n; i++) {
                if (strcmp(w[i].tag, tag) != 0)
                        continue;
                keep_ms = w[i].ms > keep_ms ? w[i].ms : keep_ms;
                max = w[i].n > max ? w[i].n : max;
        }
        if (max > 0)
                change_count_tag(c, tag, keep_ms, max + 1);
}

static void
job_tell_one(struct job *j, struct change *c, const struct telling *t)
{
        const struct config *cfg = j->intake->desk->config;
        const struct agent_options *a = config_agent(cfg, t->agent);
        const struct mail_account *from = config_reply_mail(cfg, j->account);
        bool by_mail = a != NULL && a->notify_mail && from != NULL;
        struct telling_new n = {
            .key = t->key,
            .once_ms = t->once_ms,
            .event = "changed",
            .agent = t->agent,
            .line = j->decision.line,
            .who = "rules",
            .why = t->why,
            .mail = by_mail ? a->mail : "",
            .account = from == NULL ? "" : from->address,
            .language = cfg->languages[0],
        };

        change_tell(c, &n);
}

void
job_tell(struct job *j, struct change *c)
{
        const struct decision *d = &j->decision;

        if (d->shelve)
                return;
        for (size_t i = 0; i < d->n_tags; i++)
                job_count_tag(j, c, d->tags[i]);
        for (size_t i = 0; i < d->n_tell; i++)
                job_tell_one(j, c, &d->tell[i]);
}

/* The template's words; {ticket} is put in by the script, which alone knows it. */
static int
ask_words(struct job *j, struct template_mail *out)
{
        const struct config *c = j->intake->desk->config;
        struct template_values v = {.ticket = "{ticket}",
            .subject = j->message->subject,
            .name = j->message->from.name,
            .desk = c->name,
            .url = "",
            .text = ""};
        struct err err = {.kind = ERR_NONE};

        if (template_render(
                c, j->decision.ask, j->message->language, &v, j->arena, out, &err) == 0)
                return 0;
        log_error("ASK", "template=%s why=%s", j->decision.ask, log_quote(err.text));
        return -1;
}

void
job_ask(struct job *j, struct put *p)
{
        struct mail_address to = {j->message->from.name, p->ack_to};
        struct template_mail words;
        struct buf tail AUTO_BUF = BUF_INIT;
        struct message *m;

        if (!j->is_new || *j->decision.ask == '\0' || *p->ack_to == '\0' ||
            ask_words(j, &words) == -1)
                return;
        m = message_new();
        m->direction = MESSAGE_OUT;
        m->channel = "email";
        m->account = p->ack_account;
        m->author = "helpline";
        m->from = (struct mail_address){j->intake->desk->config->name, p->ack_account};
        m->to = &to;
        m->n_to = 1;
        m->received_at_us = p->now_ms * 1000;
        m->sent_at_us = p->now_ms * 1000;
        m->subject = words.subject;
        m->text = words.text;
        m->language = words.language;
        message_format_tail(m, &tail);
        p->ask = arena_strndup(j->arena, tail.data, tail.len);
        message_free(&m);
}
