/*
 * Rules out of words: each byte chooses one of the words that sentences are made of, so that
 * what is tried is deep in the grammar. No choice makes it fall over; what is refused is
 * told; what is accepted decides the same about the same message, in classes that read back
 * as they were written.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config/load.h"
#include "config/rules.h"
#include "daemon/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char desk[] =
    "country 7\nlines first second third\nmail support@desk.example\n"
    "form contact { field email { type email }; field product; field message }\n"
    "phone office { push }\nagent anna { skills network:4; helps second }\n"
    "agent oleg { line third; skills network:8 }\nskills network billing en\n"
    "list partners boss@partner.example +74951234567\n"
    "hours office { mon-fri 09:00-13:00 14:00-18:00; 2026-12-31 closed }\n"
    "promise standard { hours office; first-response 1h; resolution 3d }\n";

/* The index is the byte; what is beyond the table is the byte itself. */
static const char *const words[] = {"\n", ";", "{", "}", "(", ")", "\n", " when ", "and",
    "or", "not", "is", "contains", "matches", "in", "<", ">", "tag", "need", "must",
    "priority", "tell", "ask", "acknowledge", "shelve", "route", "test", "expect",
    "lines", "after", "also", "lower", "drop", "needs", "ahead", "prefer", "last-agent",
    "manager", "promise", "channel", "account", "form", "field", "from", "to", "cc",
    "subject", "text", "header", "attachment", "name", "type", "size", "language",
    "customer", "vip", "known", "call", "missed", "answered", "direction", "number",
    "duration", "tagged", "more", "than", "time", "office", "open", "closed", "at",
    "agent", "line", "standard", "none", "high", "urgent", "low", "normal", "network:3",
    "network:9", "billing:1", "en:2", "vpn", "x", "general", "first", "second", "third",
    "anna", "oleg", "contact", "product", "message", "partners", "email", "web", "phone",
    "ru", "en", "10", "2", "15m", "1h", "1d", "3d2h", "-30m", "5MB", "09:00-18:00",
    "18:00-09:00", "2026-11-24", "23:10", "a@b.example", "boss@partner.example",
    "@vip.example", "+74951234567", "\"ВПН счёт\"", "\"vpn\"", "/\\bvpn\\b|впн/i",
    "/(a+)+b/", "tag vpn when text contains \"vpn\"\n", "tag x when ", "route general {",
    "test \"t\" {", "expect agent anna at 10m\n", "expect not ", "line third { steps { ",
    "support@desk.example", "web:contact", ",", "#", "steps", "skills", "customers",
    "list"};
#define N_WORDS (sizeof words / sizeof *words)

static void
text_make(struct buf *b, const uint8_t *data, size_t size)
{
        buf_adds(b, desk);
        for (size_t i = 0; i < size && i < 2000; i++) {
                if (data[i] < N_WORDS) {
                        buf_adds(b, words[data[i]]);
                        buf_addc(b, ' ');
                } else {
                        buf_addc(b, (char)data[i]);
                }
        }
        buf_addc(b, '\n');
}

static void
class_check(const struct class *k, struct arena *a)
{
        struct class again;
        struct err err;

        assert(k->n_lines > 0 && k->n_needs <= CLASS_MAX_NEEDS);
        assert(k->n_steps <= CLASS_MAX_STEPS);
        assert(class_parse(k->text, strlen(k->text), a, &again, &err) == 0);
        assert(strcmp(again.id, k->id) == 0);
        class_seal(&again, a);
        assert(strcmp(again.id, k->id) == 0);
}

/* What becomes of it later, and who could take it when: time only widens. */
static void
class_moves(const struct config *c, const struct decision *d, struct arena *a)
{
        struct ticket t = {.priority = d->priority, .class_doc = d->class_doc};
        struct who_fits *now, *later;
        struct class k;
        size_t n;

        rules_class_handed(c, &t, "third", a, &k);
        class_check(&k, a);
        rules_class_priority(c, &t, PRIORITY_URGENT, a, &k);
        class_check(&k, a);
        rules_class_need(c, &t, &(struct skill){"billing", 2}, a, &k);
        class_check(&k, a);
        n = rules_who_fits(c, &d->class_doc, d->calendar, d->now_ms, d->now_ms, a, &now);
        rules_who_fits(
            c, &d->class_doc, d->calendar, d->now_ms, d->now_ms + 3600000, a, &later);
        for (size_t i = 0; i < n; i++) {
                assert(!now[i].fits || later[i].fits);
                assert(now[i].fits == (now[i].against[0] == '\0'));
        }
}

static void
decide(const struct config *c)
{
        struct arena *a = arena_new();
        struct message *m = message_new();
        struct tag_count count = {"vpn", 900000, 11};
        struct facts f = {
            .message = m, .now_ms = 1780392000000, .counts = &count, .n_counts = 1};
        struct buf out = BUF_INIT;
        struct decision d, again;

        m->channel = "email";
        m->subject = "Не подключается ВПН";
        m->text = "my vpn: error 809 счёт aaaaaaaaaaaaaaaaaaaaaaaaaaa";
        m->language = "ru";
        m->from.address = "a@b.example";
        rules_decide(c, &f, a, &d);
        rules_decide(c, &f, a, &again);
        class_check(&d.class_doc, a);
        assert(strcmp(d.route, again.route) == 0);
        assert(d.n_tags == again.n_tags && d.n_tell == again.n_tell);
        class_moves(c, &d, a);
        decision_print(&d, &out);
        assert(out.len > 0);
        buf_fini(&out);
        message_free(&m);
        arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct config_report r = {0};
        struct buf text = BUF_INIT;
        struct config *c = NULL;
        int rc;

        text_make(&text, data, size);
        rc = config_load_text("/d/helpline.conf", text.data, text.len, &c, &r);
        assert((rc == 0) == (r.n_errors == 0) && (rc == 0) == (c != NULL));
        assert(rc == 0 || r.text.len > 0);
        if (c != NULL)
                decide(c);
        config_free(&c);
        config_report_fini(&r);
        buf_fini(&text);
        return 0;
}
