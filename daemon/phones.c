/* The desk's phone logs; see phones.h. */
#include "daemon/phones.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/intake.h"

#define DEMO_GATHER_MS 500 /* who looks at the demo waits for it */

struct phones {
        struct desk *desk;
        struct phone_log **logs;
        size_t n;
};

/* 0: as the channel has it. HELPLINE_GATHER_MS is for tests that cannot wait so long. */
static int64_t
gather_ms(const struct desk *d)
{
        const char *s = getenv("HELPLINE_GATHER_MS");

        if (s != NULL)
                return strtol(s, NULL, 10);
        return d->demo ? DEMO_GATHER_MS : 0;
}

static struct phone_log_options
options_of(const struct desk *d, const struct phone_options *o)
{
        const struct config *c = d->config;

        return (struct phone_log_options){
            .phone = o,
            .country = c->country,
            .timezone = c->timezone,
            .language = c->n_languages > 0 ? c->languages[0] : "en",
            .gather_ms = gather_ms(d),
        };
}

static void
phones_add(struct phones *p, struct phone_log *log)
{
        p->logs = xrealloc(p->logs, (p->n + 1) * sizeof(struct phone_log *));
        p->logs[p->n++] = log;
}

struct phone_log *
phones_find(const struct phones *p, const char *name)
{
        for (size_t i = 0; i < p->n; i++)
                if (strcmp(phone_log_name(p->logs[i]), name) == 0)
                        return p->logs[i];
        return NULL;
}

struct phones *
phones_open(struct desk *d)
{
        struct phones *p = xcalloc(1, sizeof *p);

        p->desk = d;
        for (size_t i = 0; i < d->config->n_phones; i++) {
                struct phone_log_options o = options_of(d, &d->config->phones[i]);

                phones_add(p, phone_log_open(d->loop, &o, intake_host(d->intake)));
        }
        return p;
}

void
phones_reload(struct phones *p)
{
        const struct config *c = p->desk->config;
        struct phones fresh = {.desk = p->desk};

        for (size_t i = 0; i < p->n; i++) {
                const struct phone_options *o =
                    config_phone(c, phone_log_name(p->logs[i]));

                if (o == NULL || !phone_log_reads(p->logs[i], o->file))
                        phone_log_retire(&p->logs[i]);
        }
        for (size_t i = 0; i < c->n_phones; i++) {
                struct phone_log_options o = options_of(p->desk, &c->phones[i]);
                struct phone_log *log = NULL;

                for (size_t k = 0; k < p->n && log == NULL; k++)
                        if (p->logs[k] != NULL &&
                            strcmp(phone_log_name(p->logs[k]), c->phones[i].name) == 0)
                                log = p->logs[k];
                if (log != NULL)
                        phone_log_change(log, &o);
                else
                        log = phone_log_open(
                            p->desk->loop, &o, intake_host(p->desk->intake));
                phones_add(&fresh, log);
        }
        free(p->logs);
        p->logs = fresh.logs;
        p->n = fresh.n;
}

void
phones_drain(struct phones *p)
{
        for (size_t i = 0; i < p->n; i++)
                phone_log_drain(p->logs[i]);
}

void
phones_free(struct phones **pp)
{
        struct phones *p = *pp;

        if (p == NULL)
                return;
        for (size_t i = 0; i < p->n; i++)
                phone_log_free(&p->logs[i]);
        free(p->logs);
        free(p);
        *pp = NULL;
}

size_t
phones_count(const struct phones *p)
{
        return p->n;
}

struct phone_log *
phones_at(const struct phones *p, size_t i)
{
        return p->logs[i];
}
