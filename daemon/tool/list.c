/*
 * helpline outbox and quarantine: NOUN [list | show N | retry N | drop N]. The
 * lists are read page by page to their end, as tables for people or (--json) one
 * document a line.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/json.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/tool.h"

#define MAX_PAGES 100000

struct noun {
        const char *command;
        void (*title)(void);
        void (*row)(const json_t *entry);
        void (*show)(const json_t *entry); /* NULL: the document as it is */
        const char *nothing; /* said of an empty list */
};

/* "2026-11-24 10:00" out of a document's time; "-" when it is null. */
static const char *
shown_time(const json_t *entry, const char *key, char out[20])
{
        const char *at = json_str(entry, key, "");

        if (strlen(at) < 16)
                return "-";
        snprintf(out, 20, "%.10s %.5s", at, at + 11);
        return out;
}

/* Columns that are wide on a terminal, not in bytes: width < 0 is left-aligned. */
static void
add_column(struct buf *b, const char *s, int width)
{
        struct buf clean AUTO_BUF = BUF_INIT;
        size_t room = (size_t)(width < 0 ? -width : width), used;

        screen_add_line(&clean, s, strlen(s));
        used = utf8_width(buf_str(&clean), clean.len);
        for (size_t i = used; width > 0 && i < room; i++)
                buf_addc(b, ' ');
        buf_adds(b, buf_str(&clean));
        for (size_t i = used; width < 0 && i < room; i++)
                buf_addc(b, ' ');
        buf_addc(b, ' ');
}

static void
row_end(struct buf *b)
{
        while (b->len > 0 && b->data[b->len - 1] == ' ')
                b->data[--b->len] = '\0';
        puts(buf_str(b));
}

static const char *
number(const json_t *e, const char *key, char out[24])
{
        snprintf(out, 24, "%lld", (long long)json_int(e, key, 0));
        return out;
}

static void
outbox_cells(const char *const cells[7])
{
        static const int widths[] = {6, 7, -6, -9, 5, -16, -1};
        struct buf b AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < 7; i++) {
                if (i >= 5)
                        buf_addc(&b, ' ');
                add_column(&b, cells[i], widths[i]);
        }
        row_end(&b);
}

static void
outbox_title(void)
{
        outbox_cells((const char *const[]){tr("entry"), tr("ticket"), tr("kind"),
            tr("state"), tr("tries"), tr("next try (UTC)"), tr("to")});
}

static void
outbox_row(const json_t *e)
{
        const json_t *to = json_list(e, "to");
        const char *last = json_str(e, "last", "");
        struct buf receivers AUTO_BUF = BUF_INIT, why AUTO_BUF = BUF_INIT;
        char at[20], tries[24];

        for (size_t i = 0; i < json_array_size(to); i++)
                buf_addf(&receivers, "%s%s", i == 0 ? "" : " ",
                    json_string_value(json_array_get(to, i)));
        outbox_cells((const char *const[]){json_str(e, "id", "?"),
            json_str(e, "ticket", "?"), json_str(e, "kind", "?"),
            json_str(e, "state", "?"), number(e, "tries", tries),
            shown_time(e, "next_at", at), buf_str(&receivers)});
        if (*last == '\0')
                return;
        buf_adds(&why, "       ");
        screen_add_line(&why, last, strlen(last));
        puts(buf_str(&why));
}

static void
outbox_show(const json_t *e)
{
        const char *subject = json_str(e, "subject", ""), *text = json_str(e, "text", "");
        struct buf b AUTO_BUF = BUF_INIT;

        outbox_title();
        outbox_row(e);
        buf_addf(&b, "%s  ", tr("subject"));
        screen_add_line(&b, subject, strlen(subject));
        buf_adds(&b, "\n\n");
        screen_add(&b, text, strlen(text));
        puts(buf_str(&b));
}

static void
quarantine_cells(const char *const cells[5])
{
        static const int widths[] = {6, 7, -17, 9, -1};
        struct buf b AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < 5; i++) {
                if (i == 2)
                        buf_addc(&b, ' ');
                add_column(&b, cells[i], widths[i]);
                if (i == 3)
                        buf_addc(&b, ' ');
        }
        row_end(&b);
}

static void
quarantine_title(void)
{
        quarantine_cells((const char *const[]){
            tr("entry"), tr("ticket"), tr("at (UTC)"), tr("bytes"), tr("why")});
}

static void
quarantine_row(const json_t *e)
{
        char at[20], bytes[24];

        quarantine_cells((const char *const[]){json_str(e, "id", "?"),
            json_str(e, "ticket", "-"), shown_time(e, "at", at),
            number(e, "bytes", bytes), json_str(e, "why", "?")});
}

static const struct noun nouns[] = {
    {"OUTBOX", outbox_title, outbox_row, outbox_show, "nothing waits to leave"},
    {"QUARANTINE", quarantine_title, quarantine_row, NULL, "the quarantine is empty"},
};

static unsigned
page_print(const struct tool *t, const struct noun *n, const struct resp_value *page,
    unsigned n_before)
{
        for (size_t i = 0; i < page->n_items; i++) {
                const struct resp_value *v = &page->items[i];
                json_t *entry;

                if (t->json) {
                        printf("%.*s\n", (int)v->len, v->s);
                        continue;
                }
                entry = json_read(v->s, v->len, 16 << 20, NULL);
                if (n_before + i == 0)
                        n->title();
                n->row(entry);
                json_decref(entry);
        }
        return n_before + (unsigned)page->n_items;
}

/* All pages; -1 when the daemon is gone in between. */
static int
list_print(const struct tool *t, const struct noun *n, struct client *c, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        const char *cursor = "0";
        unsigned n_shown = 0;
        struct resp_value v;

        for (int page = 0; page < MAX_PAGES; page++) {
                const char *first[] = {n->command, "LIST"};
                const char *next[] = {n->command, "LIST", "AFTER", cursor};

                if (client_call(
                        c, page == 0 ? 2 : 4, page == 0 ? first : next, a, &v, err) == -1)
                        return -1;
                if (v.type == RESP_ERROR)
                        return tool_fail(tool_code_of(v.s), "%.*s", (int)v.len, v.s);
                if (v.n_items != 2)
                        return err_set(err, ERR_REJECT, "the daemon's answer is no list");
                n_shown = page_print(t, n, &v.items[1], n_shown);
                cursor = v.items[0].s;
                if (strcmp(cursor, "0") == 0)
                        break;
        }
        if (n_shown == 0 && !t->json)
                puts(tr(n->nothing));
        return TOOL_DONE;
}

/* One entry, for people. */
static int
entry_print(const struct noun *n, const char *id, struct client *c, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct resp_value v;
        json_t *entry;

        if (client_call(c, 3, (const char *[]){n->command, "SHOW", id}, a, &v, err) == -1)
                return -1;
        if (v.type == RESP_ERROR)
                return tool_fail(tool_code_of(v.s), "%.*s", (int)v.len, v.s);
        entry = json_read(v.s, v.len, 16 << 20, err);
        if (entry == NULL)
                return -1;
        n->show(entry);
        json_decref(entry);
        return TOOL_DONE;
}

static int
verb_noun(struct tool *t, const struct noun *n, int argc, char **argv)
{
        static const char *const deeds[] = {"show", "retry", "drop"};
        bool show =
            argc == 3 && !t->json && n->show != NULL && strcasecmp(argv[1], "show") == 0;
        struct client *c;
        struct err err;
        int code;

        for (size_t i = 0; argc == 3 && !show && i < sizeof deeds / sizeof *deeds; i++)
                if (strcasecmp(argv[1], deeds[i]) == 0)
                        return tool_run(
                            t, 3, (const char *[]){n->command, argv[1], argv[2]});
        if ((argc > 2 && !show) || (argc == 2 && strcasecmp(argv[1], "list") != 0))
                return tool_fail(TOOL_USAGE,
                    tr("usage: helpline %s [list | show N | retry N | drop N]"), argv[0]);
        c = client_open(&t->client, &code, &err);
        if (c == NULL)
                return tool_fail(code, "%s", err.text);
        code = show ? entry_print(n, argv[2], c, &err) : list_print(t, n, c, &err);
        client_close(&c);
        return code == -1 ? tool_fail(TOOL_AWAY, "%s", err.text) : code;
}

int
verb_outbox(struct tool *t, int argc, char **argv)
{
        return verb_noun(t, &nouns[0], argc, argv);
}

int
verb_quarantine(struct tool *t, int argc, char **argv)
{
        return verb_noun(t, &nouns[1], argc, argv);
}
