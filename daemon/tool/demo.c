/*
 * helpline demo PORT TOKEN MAIL...: the screen of `make run`.
 *
 * Feeds the sample mails over LMTP as a mail server would, asks the daemon what
 * became of them and tells it on one screen of 24 lines and 80 columns. Sample mails
 * that were fed before are found again and not taken twice; when nothing is left
 * for the demo's agent, the first one is fed anew under another Message-ID.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/config.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/mail.h"
#include "daemon/tool/tool.h"

#define AGENT "anna"
#define MAX_MAILS 2
#define MAX_FILE (1 << 20)
#define MAX_PAGES 20
#define MAX_SENTENCES 4
#define COLUMNS 80

struct sample {
        const char *mail; /* its bytes, with a NUL behind */
        size_t len;
        const char *mid; /* its Message-ID, without < > */
        bool before; /* was stored by an earlier run */
        const char *ticket; /* "" not found */
        json_t *doc; /* the ticket; NULL not found */
        json_t *why;
};

struct screen {
        struct tool *tool;
        struct arena *arena;
        struct client *client;
        struct config *config;
        struct sample samples[MAX_MAILS];
        size_t n_samples;
};

/* ---- talking ---- */

/* The answer, or NULL when it is an error or none came. */
static struct resp_value *
ask(struct screen *s, int argc, const char *const *argv)
{
        struct resp_value *v = arena_alloc(s->arena, sizeof *v);
        struct err err;

        if (client_call(s->client, argc, argv, s->arena, v, &err) == -1) {
                tool_fail(TOOL_AWAY, "%s", err.text);
                return NULL;
        }
        if (v->type == RESP_ERROR) {
                tool_fail(TOOL_REFUSED, "%s: %.*s", argv[0], (int)v->len, v->s);
                return NULL;
        }
        return v;
}

static json_t *
ask_json(struct screen *s, const char *command, const char *word)
{
        struct resp_value *v = ask(s, 2, (const char *[]){command, word});

        return v == NULL ? NULL : json_read(v->s, v->len, 16 << 20, NULL);
}

/* ---- finding the ticket of a Message-ID ---- */

static bool
doc_has_message(const json_t *doc, const char *mid)
{
        const json_t *messages = json_list(doc, "messages");

        for (size_t i = 0; i < json_array_size(messages); i++) {
                const char *s = json_str(json_array_get(messages, i), "message_id", "");
                size_t skip = *s == '<' ? 1 : 0;

                if (strncmp(s + skip, mid, strlen(mid)) == 0 &&
                    (s[skip + strlen(mid)] == '\0' || s[skip + strlen(mid)] == '>'))
                        return true;
        }
        return false;
}

static bool
sample_is_in(struct screen *s, struct sample *m, const char *summary, size_t len)
{
        json_t *j = json_read(summary, len, 1 << 20, NULL);
        const char *id = arena_strdup(s->arena, json_str(j, "id", ""));
        json_t *doc = *id == '\0' ? NULL : ask_json(s, "SHOW", id);

        json_decref(j);
        if (doc == NULL || !doc_has_message(doc, m->mid)) {
                json_decref(doc);
                return false;
        }
        m->ticket = id;
        m->doc = doc;
        m->why = ask_json(s, "WHY", id);
        return true;
}

static void
sample_find(struct screen *s, struct sample *m, const char *state)
{
        const char *cursor = "0";

        for (int page = 0; page < MAX_PAGES && m->doc == NULL; page++) {
                struct resp_value *v =
                    ask(s, 5, (const char *[]){"LIST", "STATE", state, "AFTER", cursor});

                if (v == NULL || v->n_items != 2)
                        return;
                for (size_t i = 0; i < v->items[1].n_items && m->doc == NULL; i++)
                        sample_is_in(
                            s, m, v->items[1].items[i].s, v->items[1].items[i].len);
                cursor = v->items[0].s;
                if (strcmp(cursor, "0") == 0)
                        return;
        }
}

/* ---- feeding ---- */

static int
sample_feed(struct screen *s, struct sample *m)
{
        static const char *const states[] = {
            "queued", "held", "waiting", "resolved", "closed"};
        char reply[600];
        const char *sender = mail_sender(NULL, m->mail, s->arena);
        int code = mail_deliver(
            s->tool, s->config->mails[0].address, sender, m->mail, m->len, reply);

        if (code != EX_OK)
                return code;
        m->before = strstr(reply, "before") != NULL;
        for (size_t i = 0; i < sizeof states / sizeof *states && m->doc == NULL; i++)
                sample_find(s, m, states[i]);
        return 0;
}

static const char *
mid_of(const char *mail, struct arena *a)
{
        const char *mid = mail_header(mail, "Message-ID", a);

        if (mid == NULL)
                return "";
        mid += *mid == '<';
        return arena_strndup(a, mid, strcspn(mid, "> "));
}

static int
sample_read(struct screen *s, const char *path)
{
        struct sample *m = &s->samples[s->n_samples];
        char *bytes = arena_alloc(s->arena, MAX_FILE + 1);
        FILE *f = fopen(path, "re");

        if (f == NULL)
                return tool_fail(TOOL_USAGE, "cannot read the sample mail %s", path);
        m->len = fread(bytes, 1, MAX_FILE, f);
        fclose(f);
        bytes[m->len] = '\0';
        m->mail = bytes;
        m->mid = mid_of(bytes, s->arena);
        s->n_samples++;
        return 0;
}

/* The same words from the same person once more, as another mail. */
static void
sample_renew(struct screen *s, struct sample *m)
{
        const char *at = *m->mid == '\0' ? NULL : strstr(m->mail, m->mid);

        if (at == NULL)
                return;
        m->mail = arena_printf(s->arena, "%.*s%lld.%s", (int)(at - m->mail), m->mail,
            (long long)clock_now_ms(), at);
        m->len = strlen(m->mail);
        m->mid = mid_of(m->mail, s->arena);
        json_decref(m->doc);
        json_decref(m->why);
        m->doc = m->why = NULL;
}

/* ---- is there work for the agent? ---- */

static bool
sample_is_for(const struct sample *m, const char *agent)
{
        const json_t *agents = json_list(m->why, "agents");
        const char *state = json_str(m->doc, "state", "");

        if (strcmp(state, "held") == 0)
                return strcmp(json_str(m->doc, "holder", ""), agent) == 0;
        if (strcmp(state, "queued") != 0)
                return false;
        for (size_t i = 0; i < json_array_size(agents); i++) {
                const json_t *a = json_array_get(agents, i);

                if (strcmp(json_str(a, "agent", ""), agent) == 0)
                        return json_bool(a, "fits", false) ||
                               strcmp(json_str(a, "against", ""), "is offline") == 0;
        }
        return false;
}

static const char *
ticket_for(const struct screen *s, const char *agent)
{
        for (size_t i = 0; i < s->n_samples; i++)
                if (sample_is_for(&s->samples[i], agent))
                        return s->samples[i].ticket;
        return NULL;
}

/* ---- the screen ---- */

/* One line, cut where the terminal ends. */
static void
print_line(const struct buf *b)
{
        const char *s = buf_str(b);
        size_t n = 0, columns = 0, used;

        if (utf8_width(s, b->len) <= COLUMNS) {
                puts(s);
                return;
        }
        while (columns < COLUMNS - 3) {
                utf8_next(s + n, b->len - n, &used);
                columns += utf8_width(s + n, used);
                n += used;
        }
        printf("%.*s...\n", (int)n, s);
}

/* Paths as they are typed from here. */
static const char *
path_from_here(struct arena *a, const char *path)
{
        char *here = getcwd(NULL, 0);
        const char *shown = path;
        size_t n = here == NULL ? 0 : strlen(here);

        if (strncmp(shown, "unix:", 5) == 0)
                shown += 5;
        if (n > 0 && strncmp(shown, here, n) == 0 && shown[n] == '/')
                shown += n + 1;
        shown = arena_strdup(a, shown);
        free(here);
        return shown;
}

static void
print_head(struct screen *s, const char *port)
{
        const char *file = path_from_here(s->arena, s->config->file);
        struct buf b AUTO_BUF = BUF_INIT;

        buf_addf(&b, "%s: running, in rehearsal (no mail leaves). Ctrl-C ends it.",
            s->config->name);
        print_line(&b);
        printf("  agents  127.0.0.1:%s (any Redis client)\n", port);
        printf("  mail    LMTP on %s\n",
            path_from_here(s->arena, s->config->lmtp_listen[0]));
        printf("  files   %s, helplined.log beside it\n", file);
        printf("  look    build/release/helpline -c %s status\n", file);
}

static void
add_skills(struct buf *b, const char *word, const json_t *skills)
{
        const char *name, *before = word;
        json_t *level;

        json_object_foreach((json_t *)skills, name, level)
        {
                buf_addf(
                    b, "%s%s:%lld", before, name, (long long)json_integer_value(level));
                before = " ";
        }
}

static void
print_decision(const struct sample *m)
{
        const json_t *tags = json_list(m->doc, "tags");
        struct buf b AUTO_BUF = BUF_INIT;

        buf_addf(&b, "  line %s", json_str(m->doc, "line", "?"));
        add_skills(&b, ", needs ", json_obj(m->doc, "needs"));
        add_skills(&b, ", must have ", json_obj(m->doc, "musts"));
        for (size_t i = 0; i < json_array_size(tags); i++)
                buf_addf(&b, "%s%s", i == 0 ? ", tags " : " ",
                    json_string_value(json_array_get(tags, i)));
        buf_addf(&b, ", priority %s, language %s", json_str(m->doc, "priority", "?"),
            json_str(m->doc, "language", "?"));
        print_line(&b);
}

/* By which sentences: the first ones, and the route, which is the last. */
static void
print_sentences(const struct sample *m)
{
        const json_t *all = json_list(m->why, "sentences");
        const json_t *held[64];
        size_t n = 0;

        for (size_t i = 0; i < json_array_size(all) && n < 64; i++)
                if (json_bool(json_array_get(all, i), "holds", false))
                        held[n++] = json_array_get(all, i);
        for (size_t i = 0; i < n; i++) {
                struct buf b AUTO_BUF = BUF_INIT;

                if (n > MAX_SENTENCES && i >= MAX_SENTENCES - 1 && i < n - 1)
                        continue;
                buf_addf(&b, "    %s  %s", json_str(held[i], "at", ""),
                    json_str(held[i], "text", ""));
                print_line(&b);
        }
}

static void
print_sample(const struct sample *m)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (m->doc == NULL) {
                buf_addf(&b, "<%s>: stored%s; its ticket is not on the first pages",
                    m->mid, m->before ? " before" : "");
                print_line(&b);
                return;
        }
        buf_addf(&b, "Ticket %s (%s%s): %s", m->ticket, json_str(m->doc, "state", "?"),
            m->before ? "; the mail was there before: taken once" : "",
            json_str(m->doc, "subject", ""));
        print_line(&b);
        print_decision(m);
        print_sentences(m);
}

static void
print_screen(struct screen *s, const char *port, const char *token)
{
        const char *ticket = ticket_for(s, AGENT);

        print_head(s, port);
        for (size_t i = 0; i < s->n_samples; i++)
                print_sample(&s->samples[i]);
        printf(
            "Be the agent " AGENT ", in another terminal (paste it):\n"
            "  export REDISCLI_AUTH=%s\n"
            "  redis-cli --raw -p %s RESERVE\n"
            "  redis-cli --raw -p %s REPLY %s \"Проверяем сервер, ответим через час.\"\n",
            token, port, port, ticket == NULL ? "1" : ticket);
        fflush(stdout);
}

static int
demo_feed(struct screen *s, int n, char **paths)
{
        int code = 0;

        for (int i = 0; i < n && i < MAX_MAILS && code == 0; i++) {
                code = sample_read(s, paths[i]);
                if (code == 0)
                        code = sample_feed(s, &s->samples[i]);
        }
        if (code != 0 || ticket_for(s, AGENT) != NULL)
                return code;
        sample_renew(s, &s->samples[0]);
        return sample_feed(s, &s->samples[0]);
}

static void
screen_fini(struct screen *s)
{
        for (size_t i = 0; i < s->n_samples; i++) {
                json_decref(s->samples[i].doc);
                json_decref(s->samples[i].why);
        }
        client_close(&s->client);
        config_free(&s->config);
}

int
verb_demo(struct tool *t, int argc, char **argv)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct screen s = {.tool = t, .arena = a};
        struct config_report report = {.text = BUF_INIT};
        struct err err;
        int code;

        if (argc < 4)
                return tool_fail(TOOL_USAGE, "usage: helpline demo PORT TOKEN MAIL ...");
        clock_update();
        if (config_load(t->client.file, &s.config, &report) == -1) {
                fputs(buf_str(&report.text), stderr);
                config_report_fini(&report);
                return TOOL_USAGE;
        }
        config_report_fini(&report);
        if (s.config->n_mails == 0)
                code = tool_fail(TOOL_USAGE, "%s has no mail account", s.config->file);
        else if ((s.client = client_open(&t->client, &code, &err)) == NULL)
                tool_fail(code, "%s", err.text);
        else if ((code = demo_feed(&s, argc - 3, argv + 3)) == 0)
                print_screen(&s, argv[1], argv[2]);
        screen_fini(&s);
        return code;
}
