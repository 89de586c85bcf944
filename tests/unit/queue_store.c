/*
 * The store client against a real redis-server: one ticket's whole life through every
 * call of queue/store.h, and what a lost connection may and may not do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "queue/store.h"
#include "queue/ticket.h"

struct seen { /* what the handlers and answers told */
        bool up, done;
        unsigned n_up, n_hints, n_events;
        char hint[64], event[512];
        struct err err;
        char ticket[32], message[32], text[4096], cursor[32];
        int outcome;
        size_t n;
        bool flag, flag2;
        int64_t number;
};

static struct seen seen;
static struct loop *loop;
static struct store *store;
static struct arena *mem;
static char dir[64] = "/tmp/hl-store-XXXXXX";
static pid_t server;

/* ---- handlers ---- */

static void
on_up(void *arg)
{
        (void)arg;
        seen.up = true;
        seen.n_up++;
}

static void
on_down(void *arg, const struct err *why)
{
        (void)arg;
        (void)why;
        seen.up = false;
}

static void
on_hint(void *arg, const struct hint *h)
{
        (void)arg;
        seen.n_hints++;
        snprintf(seen.hint, sizeof(seen.hint), "%d:%s", (int)h->kind, h->name);
}

static void
on_event(void *arg, const char *seq, const char *json, size_t len)
{
        (void)arg;
        (void)seq;
        seen.n_events++;
        snprintf(seen.event, sizeof(seen.event), "%.*s", (int)len, json);
}

static void
on_fatal(void *arg, const struct err *why)
{
        (void)arg;
        fail_msg("fatal: %s", why->text);
}

static const struct store_handlers handlers = {
    .on_up = on_up,
    .on_down = on_down,
    .on_hint = on_hint,
    .on_event = on_event,
    .on_fatal = on_fatal,
};

static void
wait_for(const bool *flag)
{
        int64_t end = clock_read_mono_us() + 60000000;

        while (!*flag) {
                assert_true(clock_read_mono_us() < end);
                loop_turn(loop, 20);
        }
}

static void
answered(const struct err *err)
{
        assert_false(seen.done);
        seen.done = true;
        seen.err = *err;
}

static void
wait_answer(void)
{
        wait_for(&seen.done);
        seen.done = false;
}

static void
wait_ok(void)
{
        wait_answer();
        if (seen.err.kind != ERR_NONE)
                fail_msg("%s", seen.err.text);
}

static void
on_done(void *arg, const struct err *err)
{
        (void)arg;
        answered(err);
}

/* ---- asking and waiting ---- */

static void
on_put(void *arg, const struct err *err, const struct put_answer *a)
{
        (void)arg;
        answered(err);
        if (err->kind != ERR_NONE)
                return;
        seen.outcome = (int)a->outcome;
        snprintf(seen.ticket, sizeof(seen.ticket), "%s", a->ticket);
        snprintf(seen.message, sizeof(seen.message), "%s", a->message);
        seen.flag = a->acknowledged;
        seen.flag2 = a->ack_suppressed;
}

static struct class *
a_class(void)
{
        static const char *lines[] = {"first"};
        struct class *k = arena_alloc(mem, sizeof(*k));

        k->route = "general";
        k->channel = "email";
        k->lines = lines;
        k->n_lines = 1;
        class_seal(k, mem);
        return k;
}

static struct message *
a_message(const char *subject)
{
        struct message *m = message_new();

        m->channel = "email";
        m->account = "support@romashka.ru";
        m->from.address = "ivan@example.ru";
        m->subject = arena_strdup(m->arena, subject);
        m->text = "Не работает «ВПН»";
        m->language = "ru";
        return m;
}

static void
put_new(const char *digest, const char *customer, const char *ack)
{
        struct message *m = a_message("$new");
        struct ticket_birth b = {.message = m,
            .class_doc = a_class(),
            .priority = PRIORITY_NORMAL,
            .line = "first",
            .route = "general",
            .why = "[]",
            .links = "[]",
            .counts = true,
            .now_ms = clock_now_ms()};
        struct change c;
        struct put p = {.digest = digest,
            .sender = "ivan@example.ru",
            .customer = customer,
            .customer_name = "Иван",
            .change = &c,
            .ack_template = ack,
            .ack_to = "ivan@example.ru",
            .ack_language = "ru",
            .ack_account = "support@romashka.ru",
            .ack_due_ms = clock_now_ms()};

        ticket_create(&b, mem, &c);
        change_learn_mid(&c, "first@example.ru");
        store_put(store, &p, on_put, NULL);
        assert_false(seen.done); /* never before the call has returned */
        wait_ok();
        message_free(&m);
}

static void
on_pull(void *arg, const struct err *err, const struct pull_answer *a)
{
        (void)arg;
        answered(err);
        if (err->kind != ERR_NONE)
                return;
        seen.outcome = (int)a->outcome;
        seen.n = a->n_tickets;
        snprintf(seen.ticket, sizeof(seen.ticket), "%s",
            a->n_tickets > 0 ? a->tickets[0] : "");
        snprintf(seen.text, sizeof(seen.text), "%s", a->code);
        seen.flag = a->repeated;
        seen.number = a->n_heads > 0 ? a->heads[0].v_us : -1;
}

static void
pull_send(const char *agent, const char *ticket, const char *idem)
{
        static const char *const leases[] = {"first", "60000"};
        const char *id = a_class()->id;
        struct pull_group k = {.classes = &id, .n_classes = 1, .cutoff_us = INT64_MAX};
        struct pull p = {.agent = agent,
            .groups = &k,
            .n_groups = 1,
            .own = true,
            .ticket = ticket,
            .holds = 3,
            .count = 1,
            .connection = "7",
            .leases = leases,
            .n_leases = 1,
            .default_lease_ms = 1000,
            .idem = idem,
            .idem_hash = "h",
            .hinted = id,
            .make_ready = true};

        store_pull(store, &p, on_pull, NULL);
}

static void
pull(const char *agent, const char *ticket, const char *idem)
{
        pull_send(agent, ticket, idem);
        wait_ok();
}

static struct ticket_view view; /* taken from the last read */

static void
on_read(void *arg, const struct err *err, struct ticket_view *v)
{
        (void)arg;
        answered(err);
        arena_free(&view.arena);
        if (v == NULL)
                return;
        view = *v;
        v->arena = NULL;
}

static void
read_ticket(const char *id, const char *idem)
{
        struct read_ticket r = {.id = id, .n_messages = 20, .log = true, .idem = idem};

        store_read(store, &r, on_read, NULL);
        wait_ok();
}

static void
on_commit(
    void *arg, const struct err *err, const char *stored, size_t len, const char *hash)
{
        (void)arg;
        answered(err);
        seen.flag = stored != NULL;
        snprintf(seen.text, sizeof(seen.text), "%.*s|%s", (int)len,
            stored != NULL ? stored : "", hash);
}

static void
commit_send(const struct change *c, const char *idem)
{
        struct commit m = {.change = c,
            .idem = idem,
            .idem_hash = "hash",
            .answer = "+OK\r\n",
            .answer_len = 5};

        store_commit(store, &m, on_commit, NULL);
}

static void
apply(const char *id, struct ticket_event *e, struct change *c)
{
        struct err err;

        read_ticket(id, "");
        e->now_ms = clock_now_ms();
        e->reopen_ms = 86400000;
        if (ticket_apply(&view.ticket, e, mem, c, &err) == -1)
                fail_msg("%s %s", err.code, err.text);
}

static void
event(const char *id, struct ticket_event e, const char *idem)
{
        struct change c;

        apply(id, &e, &c);
        commit_send(&c, idem);
        wait_ok();
}

static void
on_tick(void *arg, const struct err *err, const struct tick_answer *a)
{
        (void)arg;
        answered(err);
        if (err->kind != ERR_NONE)
                return;
        seen.n = a->n_outbox;
        snprintf(
            seen.ticket, sizeof(seen.ticket), "%s", a->n_outbox > 0 ? a->outbox[0] : "");
}

static void
tick(void)
{
        store_tick(store, 5, 60000, 900000, on_tick, NULL);
        wait_ok();
}

static void
on_outbox(void *arg, const struct err *err, const struct outbox_entry *e, size_t n,
    const char *cursor)
{
        (void)arg;
        answered(err);
        seen.n = n;
        snprintf(seen.text, sizeof(seen.text), "%s", n > 0 ? e->state : "");
        snprintf(seen.message, sizeof(seen.message), "%s", n > 0 ? e->message : "");
        snprintf(seen.cursor, sizeof(seen.cursor), "%s", cursor);
        if (n > 0)
                snprintf(seen.ticket, sizeof(seen.ticket), "%s", e->id);
}

/* ---- tests ---- */

static void
test_life(void **state)
{
        struct message *reply = a_message("Re: $new"), *again = a_message("ещё");
        const char *to[] = {"ivan@example.ru"};
        unsigned n_hints;
        char entry[32];

        (void)state;
        put_new("acc:one", "", "standard");
        assert_int_equal(seen.outcome, PUT_STORED);
        assert_string_equal(seen.ticket, "1");
        assert_string_equal(seen.message, "1.1");
        assert_true(seen.flag);
        assert_int_equal(seen.n_hints, 1);
        put_new("acc:one", "", "standard");
        assert_int_equal(seen.outcome, PUT_DUPLICATE);
        put_new("acc:two", "", "standard");
        assert_int_equal(seen.outcome, PUT_STALE);

        pull("anna", "", "anna:k1");
        assert_int_equal(seen.outcome, PULL_TAKEN);
        assert_string_equal(seen.ticket, "1");
        assert_true(seen.number == INT64_MAX);
        pull("anna", "", "anna:k1");
        assert_true(seen.flag && seen.n == 1);
        pull("boris", "", "");
        assert_int_equal(seen.outcome, PULL_NOTHING);
        pull("boris", "1", "");
        assert_int_equal(seen.outcome, PULL_REFUSED);
        assert_string_equal(seen.text, "STATE");

        event("1",
            (struct ticket_event){.type = EVENT_REPLY,
                .who = "anna",
                .agent = "anna",
                .message = reply,
                .to = to,
                .n_to = 1,
                .account = "support@romashka.ru"},
            "anna:k2");
        read_ticket("1", "anna:k2");
        assert_string_equal(view.idem_answer, "+OK\r\n");
        assert_string_equal(view.ticket.subject, "$new");
        assert_string_equal(view.ticket.last_in, "1.1");
        assert_int_equal(view.ticket.state, TICKET_WAITING);
        assert_int_equal(view.n_messages, 2);
        assert_string_equal(view.ticket.customer.emails[0], "ivan@example.ru");
        assert_string_equal(view.ticket.class_doc.route, "general");
        assert_int_equal(view.n_delivery, 1);
        assert_non_null(strstr(view.delivery[1], "\"state\":\"held\"")); /* rehearsal */

        tick();
        assert_int_equal(seen.n, 0);
        store_set_live(store, true, "root", on_done, NULL);
        wait_ok();
        assert_true(store_is_live(store));
        read_ticket("1", "");
        assert_non_null(strstr(view.delivery[1], "\"state\":\"queued\""));
        tick();
        assert_int_equal(seen.n, 2);
        snprintf(entry, sizeof(entry), "%s", seen.ticket);
        store_outbox_read(store, entry, on_outbox, NULL);
        wait_ok();
        assert_string_equal(seen.text, "claimed");
        store_outbox_retry(store, entry, "root", on_done, NULL);
        wait_answer();
        assert_string_equal(seen.err.code, "STATE");
        store_outbox_list(store, "0", 10, on_outbox, NULL);
        wait_ok();
        assert_int_equal(seen.n, 2);
        assert_string_equal(seen.cursor, "d0");

        /* The customer answers: kept for anna, nobody else gets it. */
        {
                struct ticket_event e = {.type = EVENT_MESSAGE,
                    .who = "customer",
                    .message = again,
                    .counts = true,
                    .own_ms = 60000};
                struct change c;
                struct put p = {.digest = "acc:three",
                    .sender = "ivan@example.ru",
                    .customer = "c1",
                    .change = &c};

                apply("1", &e, &c);
                n_hints = seen.n_hints;
                store_put(store, &p, on_put, NULL);
                wait_ok();
                assert_int_equal(seen.outcome, PUT_STORED);
                assert_int_equal(seen.n_hints, n_hints + 1);
                assert_string_equal(seen.hint, "1:anna");
        }
        pull("boris", "", "");
        assert_int_equal(seen.outcome, PULL_NOTHING);
        pull("anna", "", "");
        assert_string_equal(seen.ticket, "1");
        event("1",
            (struct ticket_event){.type = EVENT_RESOLVE, .who = "anna", .agent = "anna"},
            "");
        read_ticket("1", "");
        assert_int_equal(view.ticket.state, TICKET_RESOLVED);
        assert_string_equal(view.ticket.last_ans, "+OK\r\n");
        message_free(&reply);
        message_free(&again);
}

static void
on_facts(void *arg, const struct err *err, const struct facts_answer *f)
{
        (void)arg;
        answered(err);
        if (err->kind != ERR_NONE)
                fail_msg("%s", err->text);
        seen.n = f->n_tickets;
        snprintf(seen.message, sizeof(seen.message), "%s", f->duplicate);
        snprintf(seen.text, sizeof(seen.text), "%s %s %s", f->customer, f->customer_name,
            f->mid_tickets[0]);
}

static void
on_list(void *arg, const struct err *err, const char *cursor, struct ticket_view *views,
    size_t n)
{
        (void)arg;
        (void)views;
        answered(err);
        seen.n = n;
        snprintf(seen.cursor, sizeof(seen.cursor), "%s", cursor);
}

static void
on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
        (void)arg;
        answered(err);
        seen.number = st->tickets[TICKET_RESOLVED] * 100 + st->tickets[TICKET_QUEUED];
        seen.n = st->n_lines;
        snprintf(seen.text, sizeof(seen.text), "%s", st->durability);
}

static void
on_events(void *arg, const struct err *err, const char *const *seqs,
    const char *const *jsons, size_t n)
{
        (void)arg;
        (void)seqs;
        answered(err);
        seen.n = n;
        snprintf(seen.text, sizeof(seen.text), "%s", n > 0 ? jsons[0] : "");
}

static void
test_reads(void **state)
{
        const char *tickets[] = {"1", "99"}, *mids[] = {"first@example.ru", "other@x"};
        struct facts_query q = {.digest = "acc:one",
            .sender = "ivan@example.ru",
            .tickets = tickets,
            .n_tickets = 2,
            .mids = mids,
            .n_mids = 2};
        struct list_query l = {
            .state = "resolved", .line = "first", .cursor = "0", .count = 10};

        (void)state;
        store_facts(store, &q, on_facts, NULL);
        wait_ok();
        assert_int_equal(seen.n, 1);
        assert_string_equal(seen.message, "1.1");
        assert_string_equal(seen.text, "c1 Иван 1");
        store_list(store, &l, on_list, NULL);
        wait_ok();
        assert_int_equal(seen.n, 1);
        assert_string_equal(seen.cursor, "0");
        l.state = "";
        store_list(store, &l, on_list, NULL);
        wait_ok();
        assert_int_equal(seen.n, 0);
        store_stats(store, on_stats, NULL);
        wait_ok();
        assert_int_equal(seen.number, 100);
        assert_string_equal(seen.text, "always");
        store_events(store, "0", 3, on_events, NULL);
        wait_ok();
        assert_int_equal(seen.n, 3);
        assert_non_null(strstr(seen.text, "\"event\":\"message\",\"ticket\":\"1\""));
        for (int i = 0; i < 100 && seen.n_events < 8; i++)
                loop_turn(loop, 20);
        assert_true(seen.n_events >= 8);
}

static void
on_tokens(void *arg, const struct err *err, const struct token *t, size_t n)
{
        (void)arg;
        answered(err);
        seen.n = n;
        snprintf(seen.text, sizeof(seen.text), "%s", n > 0 ? t->agent : "");
}

static void
on_agent(void *arg, const struct err *err, const struct agent_state *a)
{
        (void)arg;
        answered(err);
        seen.outcome = (int)a->presence;
        seen.number = a->used;
}

static void
test_agents(void **state)
{
        struct token t = {.id = "abc",
            .agent = "anna",
            .sha256 = "00",
            .name = "laptop",
            .created_ms = 1};

        (void)state;
        store_token_new(store, &t, on_done, NULL);
        wait_ok();
        store_token_find(store, "abc", on_tokens, NULL);
        wait_ok();
        assert_string_equal(seen.text, "anna");
        store_token_used(store, "abc");
        store_token_list(store, "", on_tokens, NULL);
        wait_ok();
        assert_int_equal(seen.n, 1);
        store_token_drop(store, "abc", on_done, NULL);
        wait_ok();
        store_token_drop(store, "abc", on_done, NULL);
        wait_answer();
        assert_int_equal(seen.err.kind, ERR_NOTFOUND);
        store_token_list(store, "anna", on_tokens, NULL);
        wait_ok();
        assert_int_equal(seen.n, 0);
        store_agent(store, "anna", on_agent, NULL);
        wait_ok();
        assert_int_equal(seen.outcome, PRESENCE_READY);
        assert_int_equal(seen.number, 0);
        store_set_presence(store, "anna", PRESENCE_AWAY, "обед", "anna", on_done, NULL);
        wait_ok();
        pull("anna", "", "");
        assert_int_equal(seen.outcome, PULL_AWAY);
        store_set_presence(store, "anna", PRESENCE_READY, "", "anna", on_done, NULL);
        wait_ok();
        store_set_grace(store, "anna", false, clock_now_ms() + 1000, on_done, NULL);
        wait_ok();
        store_set_grace(store, "anna", false, 0, on_done, NULL);
        wait_ok();
}

static void
cli(const char *command)
{
        char line[256];

        snprintf(
            line, sizeof(line), "redis-cli -s %s/r.sock %s > /dev/null", dir, command);
        assert_int_equal(system(line), 0);
}

/* The connection goes with answers in flight: one effect, the same answer. */
static void
test_repeat(void **state)
{
        struct message *note = a_message("note");
        struct ticket_event e = {
            .type = EVENT_NOTE, .who = "anna", .agent = "anna", .message = note};
        unsigned n_up = seen.n_up, n;
        struct change c;
        char key[32];

        (void)state;
        read_ticket("1", "");
        n = view.ticket.n_messages;
        for (unsigned i = 1; i <= 10; i++) {
                apply("1", &e, &c);
                snprintf(key, sizeof(key), "anna:%u", i);
                if (i % 2)
                        key[0] = '\0';
                commit_send(&c, key);
                cli("CLIENT KILL TYPE normal SKIPME yes");
                wait_ok();
                read_ticket("1", "");
                assert_int_equal(view.ticket.n_messages, n + i);
                assert_int_equal(view.n_messages, n + i);
        }
        assert_true(seen.n_up > n_up);
        message_free(&note);
}

static void
test_noscript(void **state)
{
        (void)state;
        cli("SCRIPT FLUSH");
        tick();
        pull("boris", "77", "");
        assert_string_equal(seen.text, "NOSUCH");
}

/* A wrong type under a key: refused, and the text says what to do. */
static void
test_bad_key(void **state)
{
        (void)state;
        cli("SET {desk}:journal x");
        store_set_live(store, false, "root", on_done, NULL);
        wait_answer();
        assert_int_equal(seen.err.kind, ERR_REJECT);
        assert_non_null(strstr(seen.err.text, "helpline fsck"));
        assert_true(store_is_live(store));
        cli("DEL {desk}:journal");
}

static void
on_heads(void *arg, const struct err *err, const struct heads_answer *a)
{
        (void)arg;
        (void)a;
        assert_int_equal(err->kind, ERR_RETRY);
        seen.flag = true;
}

static void
on_stopped(void *arg)
{
        (void)arg;
        loop_stop(loop);
}

static void
test_away(void **state)
{
        struct err err;

        (void)state;
        assert_int_equal(store_may_take(store, &err), 0);
        assert_non_null(store_secret(store, store_secret_newest(store)));
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
        server = 0;
        for (int i = 0; i < 100 && store_is_up(store); i++)
                loop_turn(loop, 20);
        assert_false(store_is_up(store));
        assert_int_not_equal(store_may_take(store, &err), ERR_NONE);
        assert_string_equal(err.code, "451");
        store_heads(store, on_heads, NULL);
        seen.flag = false;
        store_stop(store, 1000, on_stopped, NULL);
        loop_run(loop);
        assert_true(seen.flag); /* answered before it ended */
}

/* ---- the server ---- */

static int
setup(void **state)
{
        struct store_options o = {0};
        char where[128];

        (void)state;
        assert_non_null(mkdtemp(dir));
        server = fork();
        if (server == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (freopen("/dev/null", "w", stdout) == NULL || dup2(1, 2) == -1)
                        _exit(126);
                execlp("redis-server", "redis-server", "--port", "0", "--dir", dir,
                    "--unixsocket", "r.sock", "--save", "", "--appendonly", "yes",
                    "--appendfsync", "always", "--loglevel", "warning", (char *)NULL);
                _exit(127);
        }
        snprintf(where, sizeof(where), "unix://%s/r.sock", dir);
        mem = arena_new();
        loop = loop_new();
        o.where = where;
        o.password = "";
        o.lock_fd = -1;
        o.command_ms = 3000;
        store = store_new(loop, &o, &handlers, NULL);
        store_start(store);
        wait_for(&seen.up);
        return 0;
}

static int
teardown(void **state)
{
        char line[128];

        (void)state;
        store_free(&store);
        arena_free(&view.arena);
        arena_free(&mem);
        loop_free(&loop);
        if (server > 0) {
                kill(server, SIGKILL);
                waitpid(server, NULL, 0);
        }
        snprintf(line, sizeof(line), "rm -rf %s", dir);
        return system(line);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_life),
            cmocka_unit_test(test_reads),
            cmocka_unit_test(test_agents),
            cmocka_unit_test(test_repeat),
            cmocka_unit_test(test_noscript),
            cmocka_unit_test(test_bad_key),
            cmocka_unit_test(test_away),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
