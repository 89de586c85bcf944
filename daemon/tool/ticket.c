/*
 * A ticket on the screen: a head of who, where and until when, then its messages from the
 * oldest to the newest, each under a line that tells whose it is. All of it is text of
 * other people and goes through screen.c.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"
#include "daemon/tool/tool.h"
#include "daemon/tool/when.h"

struct paper {
        struct buf *out;
        int64_t now_us;
        size_t columns;
        bool full;
};

static const char *
when_of(const struct paper *p, const json_t *o, const char *key, char out[48])
{
        int64_t at;

        out[0] = '\0';
        if (clock_parse(json_str(o, key, ""), &at))
                when_format(at, p->now_us, out);
        return out;
}

/* " · " between facts, nothing before the first. */
static void
add_fact(struct buf *b, const char *s)
{
        if (*s == '\0')
                return;
        if (b->len > 0)
                buf_adds(b, " · ");
        screen_add_line(b, s, strlen(s));
}

static void
add_facts(struct paper *p, const struct buf *facts)
{
        if (facts->len > 0)
                screen_add_wrapped(p->out, buf_str(facts), p->columns, "");
}

/* ---- the head ---- */

static enum style
style_of_state(const char *state)
{
        static const struct {
                const char *state;
                enum style style;
        } styles[] = {
            {"queued", STYLE_YELLOW}, {"held", STYLE_GREEN}, {"waiting", STYLE_CYAN}};

        for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
                if (strcmp(state, styles[i].state) == 0)
                        return styles[i].style;
        return STYLE_DIM;
}

static bool
is_pressing(const json_t *d)
{
        const char *priority = json_str(d, "priority", "normal");

        return strcmp(priority, "high") == 0 || strcmp(priority, "urgent") == 0;
}

static void
head_title(struct paper *p, const json_t *d)
{
        struct buf title AUTO_BUF = BUF_INIT;
        const char *subject = json_str(d, "subject", "");

        buf_addf(&title, "#%s  ", json_str(d, "id", "?"));
        screen_add_line(&title, *subject != '\0' ? subject : tr("(no subject)"),
            strlen(*subject != '\0' ? subject : tr("(no subject)")));
        buf_adds(p->out, screen_style(STYLE_BOLD));
        if (is_pressing(d))
                buf_adds(p->out, screen_style(STYLE_RED));
        screen_add_wrapped(p->out, buf_str(&title), p->columns, "");
        buf_adds(p->out, screen_style(STYLE_NONE));
}

/* "network:3", "+vpn": the state, who has it, where it is, what it needs. */
static void
head_where(struct paper *p, const json_t *d)
{
        const char *state = json_str(d, "state", "?"),
                   *holder = json_str(d, "holder", "");
        const char *priority = json_str(d, "priority", "normal"), *key;
        const json_t *tags = json_list(d, "tags");
        struct arena *a AUTO_ARENA = arena_new();
        struct buf facts AUTO_BUF = BUF_INIT, rows AUTO_BUF = BUF_INIT;
        size_t n = strlen(tool_name_of(state));
        json_t *level;
        char at[48];

        add_fact(&facts, *holder == '\0'
                             ? tool_name_of(state)
                             : arena_printf(a, "%s: %s", tool_name_of(state), holder));
        add_fact(&facts, arena_printf(a, "%s %s", tr("line"), json_str(d, "line", "?")));
        if (strcmp(priority, "normal") != 0)
                add_fact(&facts, tool_name_of(priority));
        json_object_foreach((json_t *)json_obj(d, "needs"), key, level)
        {
                add_fact(&facts, arena_printf(a, "%s:%lld", key,
                                     (long long)json_integer_value(level)));
        }
        for (size_t i = 0; i < json_array_size(tags); i++)
                add_fact(&facts,
                    arena_printf(a, "+%s", json_string_value(json_array_get(tags, i))));
        add_fact(&facts, when_of(p, d, "created_at", at));
        screen_add_wrapped(&rows, buf_str(&facts), p->columns, "");
        buf_adds(p->out, screen_style(style_of_state(state)));
        buf_add(p->out, buf_str(&rows), n < rows.len ? n : rows.len);
        buf_adds(p->out, screen_style(STYLE_NONE));
        buf_adds(p->out, n < rows.len ? buf_str(&rows) + n : "");
}

static void
head_customer(struct paper *p, const json_t *d)
{
        static const char *const lists[] = {"emails", "phones"};
        const json_t *c = json_obj(d, "customer");
        struct buf facts AUTO_BUF = BUF_INIT;

        add_fact(&facts, json_str(c, "name", ""));
        for (size_t i = 0; i < 2; i++) {
                const json_t *list = json_list(c, lists[i]);

                for (size_t k = 0; k < json_array_size(list) && k < 3; k++)
                        add_fact(&facts, json_string_value(json_array_get(list, k)));
        }
        add_fact(&facts, json_str(c, "organisation", ""));
        if (json_bool(c, "vip", false))
                add_fact(&facts, "VIP");
        if (*json_str(c, "manager", "") != '\0') {
                char text[128];

                snprintf(text, sizeof text, tr("manager %s"), json_str(c, "manager", ""));
                add_fact(&facts, text);
        }
        add_facts(p, &facts);
}

/* Mail to him came back: before anybody answers there again. */
static void
head_refused(struct paper *p, const json_t *d)
{
        const json_t *list = json_list(json_obj(d, "customer"), "refused");
        struct arena *a AUTO_ARENA = arena_new();

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *r = json_array_get(list, i);
                struct buf row AUTO_BUF = BUF_INIT;
                const char *s;
                char at[48];

                s = arena_printf(a, tr("mail to %.120s was refused (%s)%s: %s"),
                    json_str(r, "address", "?"), when_of(p, r, "at", at),
                    json_bool(r, "permanent", false) ? tr(" for good") : "",
                    *json_str(r, "reply", "") != '\0' ? json_str(r, "reply", "")
                                                      : json_str(r, "status", ""));
                screen_add_line(&row, s, strlen(s));
                buf_adds(p->out, screen_style(STYLE_RED));
                screen_add_wrapped(p->out, buf_str(&row), p->columns, "");
                buf_adds(p->out, screen_style(STYLE_NONE));
        }
}

static const char *
promise_name(const char *key)
{
        if (strcmp(key, "first_response") == 0)
                return tr("first answer");
        return strcmp(key, "resolution") == 0 ? tr("solution") : key;
}

static void
head_promises(struct paper *p, const json_t *d)
{
        struct buf facts AUTO_BUF = BUF_INIT;
        const char *name;
        json_t *promise;
        char at[48], text[160];

        json_object_foreach((json_t *)json_obj(d, "promises"), name, promise)
        {
                if (*json_str(promise, "met", "") != '\0' ||
                    json_is_true(json_object_get(promise, "met")) ||
                    *when_of(p, promise, "due", at) == '\0')
                        continue;
                snprintf(text, sizeof text, tr("%.60s by: %s%s"), promise_name(name), at,
                    json_bool(promise, "paused", false) ? tr(" (stopped)") : "");
                add_fact(&facts, text);
        }
        if (*json_str(d, "lease_until", "") != '\0' &&
            strcmp(json_str(d, "state", ""), "held") == 0) {
                snprintf(text, sizeof text, tr("yours until: %s"),
                    when_of(p, d, "lease_until", at));
                add_fact(&facts, text);
        }
        add_facts(p, &facts);
}

/* What it belongs to, how it was solved, when it comes back. Links are numbers, or objects
 * with one. */
static void
head_links(struct paper *p, const json_t *d)
{
        const json_t *links = json_list(d, "links");
        struct arena *a AUTO_ARENA = arena_new();
        struct buf facts AUTO_BUF = BUF_INIT;
        char at[48];

        for (size_t i = 0; i < json_array_size(links); i++) {
                const json_t *link = json_array_get(links, i);
                const char *id = json_is_string(link) ? json_string_value(link)
                                                      : json_str(link, "ticket", "");

                buf_adds(&facts, i == 0 ? tr("linked: ") : ", ");
                screen_add_line(&facts, id, strlen(id));
        }
        if (*json_str(d, "merged_into", "") != '\0')
                add_fact(&facts,
                    arena_printf(a, tr("part of: %s"), json_str(d, "merged_into", "")));
        if (*json_str(d, "code", "") != '\0')
                add_fact(
                    &facts, arena_printf(a, tr("code: %s"), json_str(d, "code", "")));
        if (*when_of(p, d, "until", at) != '\0')
                add_fact(&facts, arena_printf(a, tr("comes back: %s"), at));
        add_facts(p, &facts);
}

/* Questions without an answer yet, and an answer that waits for its approval. */
static void
head_questions(struct paper *p, const json_t *d)
{
        const json_t *list = json_list(d, "consultations"), *a = json_obj(d, "approval");
        struct buf facts AUTO_BUF = BUF_INIT;
        struct arena *arena AUTO_ARENA = arena_new();

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *q = json_array_get(list, i);
                static const char *const keys[] = {"agent", "line", "to"};
                const char *whom = "?";

                if (*json_str(q, "answered_at", "") != '\0')
                        continue;
                for (size_t k = 0; k < 3; k++)
                        if (*json_str(q, keys[k], "") != '\0')
                                whom = json_str(q, keys[k], "");
                add_fact(&facts, arena_printf(arena, tr("%.60s asks %.100s (%.40s): %s"),
                                     json_str(q, "by", "?"), whom, json_str(q, "id", "?"),
                                     json_str(q, "question", "")));
        }
        if (*json_str(a, "message", "") != '\0')
                add_fact(&facts, arena_printf(arena,
                                     tr("the answer %.40s of %.60s waits for approval"),
                                     json_str(a, "message", ""), json_str(a, "by", "?")));
        if (facts.len == 0)
                return;
        buf_adds(p->out, screen_style(STYLE_YELLOW));
        add_facts(p, &facts);
        buf_adds(p->out, screen_style(STYLE_NONE));
}

/* ---- messages ---- */

static const char *
person(const json_t *who)
{
        const char *name = json_str(who, "name", "");

        if (*name == '\0' && *json_str(who, "phone", "") != '\0')
                return json_str(who, "phone", "");
        return *name != '\0' ? name : json_str(who, "address", "");
}

static void
message_title(struct paper *p, const json_t *m)
{
        const char *direction = json_str(m, "direction", "");
        const char *kind = json_str(m, "kind", "message");
        bool in = strcmp(direction, "in") == 0, note = strcmp(direction, "note") == 0;
        struct buf title AUTO_BUF = BUF_INIT, row AUTO_BUF = BUF_INIT;
        const char *who = person(json_obj(m, "from"));
        const json_t *receivers = json_list(m, "to");
        const char *to = person(json_array_get(receivers, 0));
        const char *at = *json_str(m, "received_at", "") ? "received_at" : "sent_at";
        char when[48];
        size_t used;

        buf_adds(&title, note ? "·· " : "── ");
        if (!in && *json_str(m, "author", "") != '\0')
                who = json_str(m, "author", "");
        if (*who == '\0')
                who = json_str(json_obj(m, "call"), in ? "from" : "to", "?");
        screen_add_line(&title, who, strlen(who));
        if (!in && !note && *to != '\0') {
                buf_adds(&title, " → ");
                screen_add_line(&title, to, strlen(to));
        }
        if (note)
                buf_addf(&title, ", %s", tr("note"));
        else if (strcmp(kind, "message") != 0)
                buf_addf(&title, ", %s", tool_name_of(kind));
        if (*when_of(p, m, at, when) != '\0')
                buf_addf(&title, ", %s", when);
        buf_addf(&title, "  %s ", json_str(m, "id", ""));
        used = screen_add_cut(&row, buf_str(&title), p->columns);
        while (used++ < p->columns)
                buf_adds(&row, note ? "·" : "─");
        buf_adds(p->out, screen_style(in ? STYLE_BOLD : STYLE_DIM));
        buf_adds(p->out, buf_str(&row));
        buf_adds(p->out, screen_style(STYLE_NONE));
        buf_addc(p->out, '\n');
}

static size_t
n_lines(const char *s)
{
        size_t n = 0;

        for (; *s != '\0'; s++)
                n += *s == '\n' || s[1] == '\0';
        return n;
}

/* What could not be shown, who forwarded it, whom a mail of ours did not reach. */
static void
message_notices(struct paper *p, const json_t *m)
{
        const json_t *notices = json_list(m, "notices");
        const json_t *failed = json_list(m, "failed_recipients");
        struct arena *a AUTO_ARENA = arena_new();

        for (size_t i = 0; i < json_array_size(notices) + json_array_size(failed); i++) {
                bool is_notice = i < json_array_size(notices);
                const json_t *x =
                    is_notice ? json_array_get(notices, i)
                              : json_array_get(failed, i - json_array_size(notices));
                struct buf row AUTO_BUF = BUF_INIT;
                const char *s =
                    is_notice ? json_str(x, "text", "")
                              : arena_printf(a, tr("not reached: %s %s %s"),
                                    json_str(x, "address", ""), json_str(x, "status", ""),
                                    json_str(x, "reply", ""));

                screen_add_line(&row, s, strlen(s));
                buf_adds(p->out, screen_style(STYLE_YELLOW));
                screen_add_wrapped(p->out, buf_str(&row), p->columns, "");
                buf_adds(p->out, screen_style(STYLE_NONE));
        }
}

/* Without trailing blank lines. */
static void
message_text(struct paper *p, const json_t *m)
{
        const char *all = json_str(m, "text", ""), *new = json_str(m, "new_text", "");
        const char *s = p->full || *new == '\0' ? all : new;
        struct buf clean AUTO_BUF = BUF_INIT;

        screen_add(&clean, s, strlen(s));
        while (clean.len > 0 && strchr(" \t\n", clean.data[clean.len - 1]) != NULL)
                clean.data[--clean.len] = '\0';
        if (clean.len > 0)
                screen_add_wrapped(p->out, clean.data, p->columns, "");
        if (!p->full && *new != '\0' && n_lines(all) > n_lines(new)) {
                buf_adds(p->out, screen_style(STYLE_DIM));
                buf_addf(p->out, tr("… %zu lines quoted: --full shows them"),
                    n_lines(all) - n_lines(new));
                buf_adds(p->out, screen_style(STYLE_NONE));
                buf_addc(p->out, '\n');
        }
        if (json_bool(m, "truncated", false))
                buf_addf(p->out, "%s\n", tr("(the text is longer)"));
}

static void
size_format(int64_t n, char out[32])
{
        if (n < 1000)
                snprintf(out, 32, tr("%lld bytes"), (long long)n);
        else if (n < 1000000)
                snprintf(out, 32, tr("%lld KB"), (long long)(n + 500) / 1000);
        else
                snprintf(out, 32, tr("%.1f MB"), (double)n / 1e6);
}

static void
message_parts(struct paper *p, const json_t *m)
{
        const json_t *parts = json_list(m, "attachments");

        for (size_t i = 0; i < json_array_size(parts); i++) {
                const json_t *part = json_array_get(parts, i);
                struct buf row AUTO_BUF = BUF_INIT;
                const char *name = json_str(part, "name", ""),
                           *type = json_str(part, "type", "");
                char size[32];

                size_format(json_int(part, "size", 0), size);
                buf_addf(&row, tr("attached %s: "), json_str(part, "part", "?"));
                screen_add_line(&row, name, strlen(name));
                buf_adds(&row, " (");
                screen_add_line(&row, type, strlen(type));
                buf_addf(&row, ", %s)", size);
                screen_add_wrapped(p->out, buf_str(&row), p->columns, "");
        }
}

/* Only what is not well: mail that is held, late or refused. */
static void
message_delivery(struct paper *p, const json_t *m)
{
        const json_t *list = json_list(m, "delivery");

        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *e = json_array_get(list, i);
                const char *state = json_str(e, "state", "");
                const char *address = json_str(e, "address", "");
                bool bad = strcmp(state, "refused") == 0;

                if (strcmp(state, "sent") == 0)
                        continue;
                buf_adds(p->out, screen_style(bad ? STYLE_RED : STYLE_DIM));
                screen_add_line(p->out, address, strlen(address));
                buf_addf(p->out, ": %s", tool_name_of(state));
                if (*json_str(e, "reply", "") != '\0') {
                        buf_adds(p->out, ", ");
                        screen_add_line(p->out, json_str(e, "reply", ""),
                            strlen(json_str(e, "reply", "")));
                }
                buf_adds(p->out, screen_style(STYLE_NONE));
                buf_addc(p->out, '\n');
        }
}

static void
messages_format(struct paper *p, const json_t *d)
{
        const json_t *list = json_list(d, "messages");
        size_t n = json_array_size(list);
        long long n_all = (long long)json_int(d, "n_messages", (int64_t)n);

        if (n > 0 && n_all > (long long)n) {
                const char *first = json_str(json_array_get(list, 0), "id", "");

                buf_addf(p->out,
                    tr("(%zu of %lld messages; what was before: helpline show "
                       "%s --before %s)"),
                    n, n_all, json_str(d, "id", ""), first);
                buf_addc(p->out, '\n');
        }
        for (size_t i = 0; i < n; i++) {
                const json_t *m = json_array_get(list, i);

                buf_addc(p->out, '\n');
                message_title(p, m);
                message_notices(p, m);
                message_text(p, m);
                message_parts(p, m);
                message_delivery(p, m);
        }
}

static void
log_format(struct paper *p, const json_t *d)
{
        const json_t *list = json_list(d, "log");

        buf_addf(p->out, "\n%s%s%s\n", screen_style(STYLE_BOLD), tr("What happened"),
            screen_style(STYLE_NONE));
        for (size_t i = 0; i < json_array_size(list); i++) {
                const json_t *e = json_array_get(list, i);
                static const char *const keys[] = {"who", "event", "from", "to", "why"};
                struct buf row AUTO_BUF = BUF_INIT;
                char at[48];

                buf_adds(&row, when_of(p, e, "at", at));
                for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
                        const char *s = json_str(e, keys[k], "");

                        if (*s == '\0')
                                continue;
                        buf_adds(&row, k == 2   ? "  "
                                       : k == 3 ? " → "
                                       : k == 4 ? ": "
                                                : "  ");
                        s = k == 1 ? tool_name_of(s) : s;
                        screen_add_line(&row, s, strlen(s));
                }
                screen_add_wrapped(p->out, buf_str(&row), p->columns, "");
        }
}

void
ticket_format(const json_t *doc, int64_t now_us, size_t columns, bool full, bool with_log,
    struct buf *out)
{
        struct paper p = {out, now_us, columns > 100 ? 100 : columns, full};
        const char *draft = json_str(json_obj(doc, "draft"), "text", "");

        head_title(&p, doc);
        head_where(&p, doc);
        head_customer(&p, doc);
        head_refused(&p, doc);
        head_promises(&p, doc);
        head_links(&p, doc);
        head_questions(&p, doc);
        messages_format(&p, doc);
        if (*draft != '\0') {
                struct buf clean AUTO_BUF = BUF_INIT;

                screen_add(&clean, draft, strlen(draft));
                buf_addf(out, "\n%s%s%s\n", screen_style(STYLE_BOLD),
                    tr("Unfinished answer"), screen_style(STYLE_NONE));
                screen_add_wrapped(out, buf_str(&clean), p.columns, "");
        }
        if (with_log)
                log_format(&p, doc);
}

void
ticket_print(struct tool *t, const char *json, size_t len)
{
        struct resp_value v = {.type = RESP_BULK, .s = json, .len = len};
        struct buf b AUTO_BUF = BUF_INIT;
        json_t *doc;

        if (t->json) {
                print_value(&v, false);
                return;
        }
        doc = tool_document(&v);
        if (doc == NULL)
                return;
        if (t->csv) {
                struct table *table = tickets_table();

                tickets_table_add(table, doc, clock_now_us());
                tool_table(t, table);
                table_free(&table);
                json_decref(doc);
                return;
        }
        ticket_format(doc, clock_now_us(), screen_columns(),
            tool_option(t, "full") != NULL, tool_option(t, "log") != NULL, &b);
        fwrite(buf_str(&b), 1, b.len, stdout);
        json_decref(doc);
}
