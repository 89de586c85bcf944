/*
 * helpline demo PORT TOKEN WEB MAIL: the screen of `make run`.
 *
 * Hands in a mail over LMTP as a mail server would, a form over HTTP as a program would
 * and a missed call as an exchange would, asks the daemon what became of them and tells it
 * on one screen of 24 lines and 80 columns. What was fed before is found again and not
 * taken twice; when nothing is left for the demo's agent, the mail is fed anew under
 * another Message-ID.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/config.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/base/stream.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/mail.h"
#include "daemon/tool/tool.h"

#define AGENT "anna"
#define FORM_KEY "demo-form-1" /* its Idempotency-Key */
#define CALL_ID "demo-call-1"
#define HTTP_MS 20000
#define ANSWER_MS 30000 /* a call is answered for when it is settled */
#define N_SAMPLES 3
#define MAX_FILE (1 << 20)
#define MAX_PAGES 20
#define COLUMNS 80

struct sample {
        const char *what; /* "mail" "form" "call" */
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
        const char *web; /* "127.0.0.1:7780" */
        char began[25]; /* when this run did, as documents say it */
        struct sample samples[N_SAMPLES]; /* the mail first */
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
                const json_t *m = json_array_get(messages, i);
                const char *s = json_str(m, "message_id", "");
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
sample_find_in(struct screen *s, struct sample *m, const char *state)
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

static void
sample_find(struct screen *s, struct sample *m)
{
        static const char *const states[] = {
            "queued", "held", "waiting", "resolved", "closed"};

        for (size_t i = 0; i < sizeof states / sizeof *states && m->doc == NULL; i++)
                sample_find_in(s, m, states[i]);
}

/* ---- feeding ---- */

static int
mail_feed(struct screen *s, struct sample *m)
{
        char reply[600];
        const char *sender = mail_sender(NULL, m->mail, s->arena);
        int code = mail_deliver(
            s->tool, s->config->mails[0].address, sender, m->mail, m->len, reply);

        if (code != EX_OK)
                return code;
        sample_find(s, m);
        m->before = strstr(reply, "before") != NULL;
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

static struct sample *
sample_add(struct screen *s, const char *what)
{
        struct sample *m = &s->samples[s->n_samples++];

        m->what = what;
        m->ticket = m->mid = "";
        return m;
}

static int
sample_read(struct screen *s, const char *path)
{
        struct sample *m = sample_add(s, "mail");
        char *bytes = arena_alloc(s->arena, MAX_FILE + 1);
        FILE *f = fopen(path, "re");

        if (f == NULL)
                return tool_fail(TOOL_USAGE, "cannot read the sample mail %s", path);
        m->len = fread(bytes, 1, MAX_FILE, f);
        fclose(f);
        bytes[m->len] = '\0';
        m->mail = bytes;
        m->mid = mid_of(bytes, s->arena);
        return 0;
}

/* One request, the whole answer; NULL when there was none (the reason is told). */
static const char *
http_ask(struct screen *s, const char *request)
{
        struct err err;
        struct buf b AUTO_BUF = BUF_INIT;
        int fd = stream_connect_blocking(s->web, HTTP_MS, &err);
        struct timeval patience = {HTTP_MS / 1000, 0};
        char part[4096];
        ssize_t n;

        if (fd == -1) {
                tool_fail(TOOL_AWAY, "%s", err.text);
                return NULL;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        n = send(fd, request, strlen(request), MSG_NOSIGNAL);
        while (n > 0 && b.len < MAX_FILE && (n = recv(fd, part, sizeof part, 0)) > 0)
                buf_add(&b, part, (size_t)n);
        close(fd);
        return arena_strdup(s->arena, buf_str(&b));
}

/* What the gate and FEED answer: {"ticket": "2", ...}. */
static int
sample_answered(struct screen *s, struct sample *m, const char *json, size_t len)
{
        json_t *j = json_read(json, len, 4096, NULL);
        bool is_duplicate = strcmp(json_str(j, "outcome", ""), "duplicate") == 0;
        bool has_outcome = *json_str(j, "outcome", "") != '\0';

        m->ticket = arena_strdup(s->arena, json_str(j, "ticket", ""));
        json_decref(j);
        m->doc = *m->ticket == '\0' ? NULL : ask_json(s, "SHOW", m->ticket);
        if (m->doc == NULL)
                return tool_fail(TOOL_REFUSED, "the %s has become no ticket", m->what);
        m->why = ask_json(s, "WHY", m->ticket);
        m->before = has_outcome
                        ? is_duplicate
                        : strcmp(json_str(m->doc, "created_at", ""), s->began) < 0;
        return 0;
}

/* As a program sends it: the key says that it is the same one each time. */
static int
form_feed(struct screen *s, const char *form)
{
        static const char body[] =
            "{\"name\": \"Ольга Минина\", \"email\": \"olga@dacha.example\",\n"
            " \"phone\": \"8 495 777-01-02\", \"product\": \"Камера К-2\",\n"
            " \"message\": \"Камера не видит сеть после грозы. Мигает красным.\",\n"
            " \"consent\": true}\n";
        struct sample *m = sample_add(s, "form");
        const char *answer = http_ask(
            s, arena_printf(s->arena,
                   "POST /f/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                   "Idempotency-Key: " FORM_KEY "\r\nContent-Length: %zu\r\n"
                   "Connection: close\r\n\r\n%s",
                   form, s->web, sizeof body - 1, body));
        const char *end = answer == NULL ? NULL : strstr(answer, "\r\n\r\n");

        if (end == NULL || strncmp(answer, "HTTP/1.1 201", 12) != 0)
                return tool_fail(TOOL_REFUSED, "the form was not taken: %.200s",
                    answer == NULL ? "" : answer);
        return sample_answered(s, m, end + 4, strlen(end + 4));
}

/* A missed call, as an exchange tells it when it has ended. */
static int
call_feed(struct screen *s, const char *phone)
{
        struct sample *m = sample_add(s, "call");
        int64_t ended = clock_now_us();
        char started[25];
        const char *record;
        struct resp_value *v;

        clock_format(ended - 25 * 1000000LL, started);
        record = arena_printf(s->arena,
            "{\"id\": \"" CALL_ID "\", \"from\": \"8 (921) 555-01-77\", \"to\": "
            "\"+78005553535\", \"direction\": \"in\", \"result\": \"missed\", "
            "\"started_at\": \"%s\", \"duration_s\": 25}",
            started);
        v = ask(s, 3, (const char *[]){"FEED", phone, record});
        return v == NULL ? TOOL_REFUSED : sample_answered(s, m, v->s, v->len);
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

static int
sample_rank(const struct sample *m)
{
        static const char *const ranks[] = {"low", "normal", "high", "urgent"};
        const char *priority = json_str(m->doc, "priority", "");

        for (int i = 0; i < 4; i++)
                if (strcmp(priority, ranks[i]) == 0)
                        return i;
        return 0;
}

/* What RESERVE gives him: of samples as old as each other the most urgent one. */
static const char *
ticket_for(const struct screen *s, const char *agent)
{
        const struct sample *best = NULL;

        for (size_t i = 0; i < s->n_samples; i++)
                if (sample_is_for(&s->samples[i], agent) &&
                    (best == NULL || sample_rank(&s->samples[i]) > sample_rank(best)))
                        best = &s->samples[i];
        return best == NULL ? NULL : best->ticket;
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
        if (s->config->n_forms > 0)
                printf("  form    http://%s/f/%s   <- open it in a browser\n", s->web,
                    s->config->forms[0].name);
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

/* How much a sentence tells: what is needed before what it is. */
static int
sentence_weight(const json_t *sentence)
{
        static const char *const words[] = {"need ", "must ", "priority ", "tag "};
        const char *text = json_str(sentence, "text", "");

        for (int i = 0; i < 4; i++)
                if (strncmp(text, words[i], strlen(words[i])) == 0)
                        return 4 - i;
        return 0;
}

/* By which sentences: the most telling one, and the route, which is the last. */
static void
print_sentences(const struct sample *m)
{
        const json_t *all = json_list(m->why, "sentences");
        const json_t *best = NULL, *route = NULL;

        for (size_t i = 0; i < json_array_size(all); i++) {
                const json_t *x = json_array_get(all, i);

                if (!json_bool(x, "holds", false))
                        continue;
                if (best == NULL || sentence_weight(x) > sentence_weight(best))
                        best = x;
                route = x;
        }
        for (int i = best == route; i < 2; i++) {
                const json_t *x = i == 0 ? best : route;
                struct buf b AUTO_BUF = BUF_INIT;

                if (x == NULL)
                        continue;
                buf_addf(
                    &b, "    %s  %s", json_str(x, "at", ""), json_str(x, "text", ""));
                print_line(&b);
        }
}

static void
print_sample(const struct sample *m)
{
        struct buf b AUTO_BUF = BUF_INIT;

        if (m->doc == NULL) {
                buf_addf(&b, "The %s is stored; its ticket is not on the first pages",
                    m->what);
                print_line(&b);
                return;
        }
        buf_addf(&b, "Ticket %s (%s, %s%s): %s", m->ticket, m->what,
            json_str(m->doc, "state", "?"),
            m->before ? "; was there before: taken once" : "",
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
        printf("Be the agent " AGENT ", in another terminal (paste it):\n"
               "  redis-cli --raw -p %s <<'END'\n"
               "  AUTH %s\n"
               "  RESERVE\n"
               "  REPLY %s \"Проверяем сервер, ответим через час.\"\n"
               "END\n",
            port, token, ticket == NULL ? "1" : ticket);
        fflush(stdout);
}

/* Whoever has taken the form or the phone out of the demo's configuration does without. */
static int
demo_feed(struct screen *s, const char *path)
{
        const struct config *c = s->config;
        int code = sample_read(s, path);

        if (code == 0)
                code = mail_feed(s, &s->samples[0]);
        if (code == 0 && c->n_forms > 0)
                code = form_feed(s, c->forms[0].name);
        if (code == 0 && c->n_phones > 0)
                code = call_feed(s, c->phones[0].name);
        if (code != 0 || ticket_for(s, AGENT) != NULL)
                return code;
        sample_renew(s, &s->samples[0]);
        return mail_feed(s, &s->samples[0]);
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

        if (argc != 5)
                return tool_fail(
                    TOOL_USAGE, "usage: helpline demo PORT TOKEN HOST:PORT MAIL");
        clock_update();
        clock_format(clock_now_us(), s.began);
        s.web = argv[3];
        t->client.timeout_ms = ANSWER_MS;
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
        else if ((code = demo_feed(&s, argv[4])) == 0)
                print_screen(&s, argv[1], argv[2]);
        screen_fini(&s);
        return code;
}
