/*
 * The log of an exchange under the hands of logrotate, and the channel above it with a
 * host that settles as the test says: channels/phone_tail.h, phone_log.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channels/phone_log.h"
#include "channels/phone_tail.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/model/message.h"

static char dir[64], path[96], rotated[96];

static int
begin(void **state)
{
        (void)state;
        snprintf(dir, sizeof dir, "/tmp/phone_tail.XXXXXX");
        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/Master.csv", dir);
        snprintf(rotated, sizeof rotated, "%s/Master.csv.1", dir);
        log_set_level(LOG_LEVEL_ERROR);
        return 0;
}

static int
end(void **state)
{
        (void)state;
        unlink(path);
        unlink(rotated);
        return rmdir(dir);
}

static void
put(const char *file, const char *text, bool anew)
{
        FILE *f = fopen(file, anew ? "w" : "a");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static void
append(const char *text)
{
        put(path, text, false);
}

/* All records there are now, each in brackets; *at: the place behind the last. */
static const char *
rest(struct phone_tail *t, struct tail_position *at)
{
        static struct buf b = BUF_INIT;
        const char *s;
        size_t n;

        buf_clear(&b);
        phone_tail_look(t);
        while (phone_tail_next(t, &s, &n, at)) {
                while (n > 0 && (s[n - 1] == '\n' || s[n - 1] == '\r'))
                        n--;
                buf_addf(&b, "[%.*s]", (int)n, s);
        }
        return buf_str(&b);
}

static void
test_first_seen(void **state)
{
        struct tail_position at;
        struct phone_tail *t;

        (void)state;
        append("old 1\nold 2\ntorn");
        t = phone_tail_open(path, NULL, &at);
        assert_string_equal(rest(t, &at), "");
        append(" end\nnew 1\nnew");
        assert_string_equal(rest(t, &at), "[][new 1]"); /* what was torn is old, too */
        append(" 2\r\n");
        assert_string_equal(rest(t, &at), "[new 2]");
        append("cr 1\rcr 2\r");
        assert_string_equal(rest(t, &at), "[cr 1][cr 2]");
        phone_tail_close(&t);
}

static void
test_no_file_yet(void **state)
{
        struct tail_position at, back;
        struct phone_tail *t = phone_tail_open(path, NULL, &at);
        char text[128];

        (void)state;
        tail_position_format(&at, text);
        assert_true(tail_position_parse(text, &back));
        assert_string_equal(rest(t, &at), "");
        phone_tail_close(&t);
        append("one\n"); /* begun while nobody looked: all of it is new */
        t = phone_tail_open(path, &back, &at);
        assert_string_equal(rest(t, &at), "[one]");
        phone_tail_close(&t);
}

static void
test_resume(void **state)
{
        struct tail_position at, back, start;
        struct phone_tail *t;
        char text[128];

        (void)state;
        append("one\n");
        t = phone_tail_open(path, NULL, &start);
        append("two\nthree\n");
        rest(t, &at);
        phone_tail_close(&t);
        append("four\n");
        tail_position_format(&at, text);
        assert_true(strlen(text) < 100 && tail_position_parse(text, &back));
        t = phone_tail_open(path, &back, &at);
        assert_string_equal(rest(t, &at), "[four]");
        phone_tail_close(&t);
        assert_false(tail_position_parse("nonsense", &back));
        assert_false(tail_position_parse("1 2 999 ab", &back));
}

static void
test_rename(void **state)
{
        struct tail_position at;
        struct phone_tail *t;

        (void)state;
        append("");
        t = phone_tail_open(path, NULL, &at);
        append("one\n");
        assert_string_equal(rest(t, &at), "[one]");
        append("two\n");
        rename(path, rotated);
        assert_string_equal(rest(t, &at), "[two]");
        put(path, "four\n", true);
        put(rotated, "three\nto", false); /* the exchange has it open still */
        assert_string_equal(rest(t, &at), "[three]");
        put(rotated, "rn", false);
        assert_string_equal(rest(t, &at), "");
        rest(t, &at);
        assert_string_equal(rest(t, &at), "[torn][four]");
        append("five\n");
        assert_string_equal(rest(t, &at), "[five]");
        phone_tail_close(&t);
}

/* Rotated while nobody looked: the rest of the old one, then the new one. */
static void
test_rename_unseen(void **state)
{
        struct tail_position at, start;
        struct phone_tail *t;

        (void)state;
        append("an old line that is long enough to tell this file\n");
        t = phone_tail_open(path, NULL, &start);
        append("one\n");
        assert_string_equal(rest(t, &at), "[one]");
        phone_tail_close(&t);
        append("two\n");
        rename(path, rotated);
        put(path, "three\n", true);
        t = phone_tail_open(path, &at, &start);
        assert_string_equal(rest(t, &at), "[two][three]");
        phone_tail_close(&t);
}

static void
test_copytruncate(void **state)
{
        struct tail_position at;
        struct phone_tail *t;

        (void)state;
        append("an old line that is long enough to tell this file\n");
        t = phone_tail_open(path, NULL, &at);
        append("one\n");
        assert_string_equal(rest(t, &at), "[one]");
        /* copied with what was not read yet, then truncated and written to */
        put(rotated, "an old line that is long enough to tell this file\none\ntwo\n",
            true);
        put(path, "three\n", true);
        assert_string_equal(rest(t, &at), "[two][three]");
        append("four\n");
        assert_string_equal(rest(t, &at), "[four]");
        phone_tail_close(&t);
}

/* Truncated and grown beyond the old place: its first bytes tell. */
static void
test_anew_and_longer(void **state)
{
        struct tail_position at;
        struct phone_tail *t;

        (void)state;
        append("one\n");
        t = phone_tail_open(path, NULL, &at);
        append("two\n");
        assert_string_equal(rest(t, &at), "[two]");
        put(path, "a longer beginning\nand more\n", true);
        assert_string_equal(rest(t, &at), "[a longer beginning][and more]");
        phone_tail_close(&t);
}

/* The same inode again after it was removed is another file. */
static void
test_inode_reused(void **state)
{
        struct tail_position at, start;
        struct phone_tail *t;

        (void)state;
        append("one\n");
        t = phone_tail_open(path, NULL, &start);
        append("two\n");
        rest(t, &at);
        phone_tail_close(&t);
        put(path, "another file altogether\n", true); /* in place: the same inode */
        t = phone_tail_open(path, &at, &start);
        assert_string_equal(rest(t, &at), "[another file altogether]");
        phone_tail_close(&t);
}

static void
test_too_long(void **state)
{
        struct tail_position at;
        struct phone_tail *t;

        (void)state;
        append("");
        t = phone_tail_open(path, NULL, &at);
        for (int i = 0; i < 3000; i++)
                append(
                    "0123456789012345678901234567890123456789012345678901234567890123");
        append("\nshort\n");
        assert_string_equal(rest(t, &at), "[][short]");
        phone_tail_close(&t);
}

/* ---- the channel ---- */

struct host { /* what stands in for intake and store */
        char cursor[128];
        struct channel_token tokens[100];
        char digests[100][64];
        char phones[100][32];
        size_t n;
        bool settle; /* at once; else the test does it */
        enum settlement as;
        bool full;
        struct loop *loop;
        void (*get)(void *arg, const struct err *err, const char *value);
        void (*set)(void *arg, const struct err *err);
        void *get_arg, *set_arg;
};

static void
host_settle_last(void *arg)
{
        struct host *h = arg;

        channel_settle(h->tokens[h->n - 1], h->as, "because", "7");
}

static void
host_deliver(void *arg, const struct arrival *a)
{
        struct host *h = arg;
        struct message *m = a->message;

        assert_true(h->n < 100);
        assert_string_equal(a->channel, "phone");
        assert_string_equal(a->account, "phone:office");
        h->tokens[h->n] = a->token;
        snprintf(h->digests[h->n], 64, "%s", m->digest);
        snprintf(h->phones[h->n++], 32, "%s", m->phone);
        message_free(&m);
        if (h->settle)
                loop_later(h->loop, host_settle_last, h);
}

static int
host_may_take(void *arg, struct err *err)
{
        const struct host *h = arg;

        return h->full ? err_code(err, ERR_RETRY, "452", "no room") : 0;
}

static void
host_got(void *arg)
{
        struct host *h = arg;
        struct err none = {.kind = ERR_NONE};

        h->get(h->get_arg, &none, h->cursor);
}

static void
host_get(void *arg, const char *account,
    void (*fn)(void *fn_arg, const struct err *err, const char *value), void *fn_arg)
{
        struct host *h = arg;

        (void)account;
        h->get = fn;
        h->get_arg = fn_arg;
        loop_later(h->loop, host_got, h);
}

static void
host_was_set(void *arg)
{
        struct host *h = arg;
        struct err none = {.kind = ERR_NONE};

        h->set(h->set_arg, &none);
}

static void
host_set(void *arg, const char *account, const char *value,
    void (*fn)(void *fn_arg, const struct err *err), void *fn_arg)
{
        struct host *h = arg;

        (void)account;
        snprintf(h->cursor, sizeof h->cursor, "%s", value);
        h->set = fn;
        h->set_arg = fn_arg;
        loop_later(h->loop, host_was_set, h);
}

static const char *const ours[] = {"200"};

static struct phone_log *
log_open(struct host *h, struct channel_host *ch, const char *file)
{
        static struct phone_options o;
        struct phone_log_options lo = {
            .phone = &o,
            .country = "7",
            .timezone = "UTC",
            .language = "en",
            .gather_ms = 40,
            .poll_ms = 10,
        };

        o = (struct phone_options){
            .name = "office",
            .account = "phone:office",
            .format = *file != '\0' ? PHONE_ASTERISK_CSV : PHONE_PUSH,
            .file = file,
            .ours = (const char **)ours,
            .n_ours = 1,
            .short_ms = 5000,
            .timezone = "",
            .token = "",
        };
        *ch = (struct channel_host){
            .arg = h,
            .may_take = host_may_take,
            .deliver = host_deliver,
            .cursor_get = host_get,
            .cursor_set = host_set,
        };
        return phone_log_open(h->loop, &lo, ch);
}

static void
turn(struct loop *loop, int64_t ms)
{
        int64_t until;

        clock_update();
        until = clock_read_mono_us() + ms * 1000;
        for (int i = 0; i < 10 || clock_read_mono_us() < until; i++)
                loop_turn(loop, 5); /* on a loaded machine time alone is no turn */
}

/* Until so many have been handed up, and a little longer: no more come. */
static void
turn_to(struct host *h, size_t n)
{
        for (int64_t end = clock_read_mono_us() + 60000000;
             h->n < n && clock_read_mono_us() < end;)
                loop_turn(h->loop, 5);
        turn(h->loop, 60);
        assert_int_equal(h->n, n);
}

static const char *
row(const char *linked, const char *src, const char *dst)
{
        static char out[2][512];
        static int i;

        i = !i;
        snprintf(out[i], sizeof out[i],
            "\"\",\"%s\",\"%s\",\"c\",\"x\",\"SIP/a-1\",\"SIP/"
            "b-1\",\"Dial\",\"\",\"2026-11-24 "
            "10:00:00\",\"\",\"2026-11-24 10:00:20\",20,0,\"NO "
            "ANSWER\",\"D\",\"%s\",\"\",\"\","
            "\"%s\",1\n",
            src, dst, linked, linked);
        return out[i];
}

static void
test_gather_and_cursor(void **state)
{
        struct host h = {.loop = loop_new(), .settle = false, .as = SETTLE_STORED};
        struct channel_host ch;
        struct phone_log *p;
        char before[128];

        (void)state;
        append("old\n");
        p = log_open(&h, &ch, path);
        turn(h.loop, 60);
        assert_true(h.cursor[0] != '\0'); /* at once: what comes now is not old */
        snprintf(before, sizeof before, "%s", h.cursor);
        append(row("1.1", "84950000001", "200"));
        append(row("1.2", "84950000002", "200"));
        append(row("1.1", "84950000001", "201")); /* a ring group */
        append("broken\n\n");
        turn_to(&h, 2);
        assert_string_equal(h.digests[0], "call-1.2"); /* by its last row */
        assert_string_equal(h.digests[1], "call-1.1");
        assert_string_equal(h.phones[1], "+74950000001");
        channel_settle(h.tokens[0], SETTLE_STORED, "", "8");
        turn(h.loop, 30);
        assert_string_equal(h.cursor, before); /* the first record is not settled */
        channel_settle(h.tokens[1], SETTLE_DUPLICATE, "", "7");
        turn(h.loop, 60);
        assert_string_not_equal(h.cursor, before);
        phone_log_free(&p);
        p = log_open(&h, &ch, path); /* goes on behind them */
        append(row("1.3", "84950000003", "200"));
        turn_to(&h, 3);
        phone_log_free(&p);
        loop_free(&h.loop);
}

static void
test_one_number_at_a_time(void **state)
{
        struct host h = {.loop = loop_new(), .as = SETTLE_STORED};
        struct channel_host ch;
        struct phone_log *p;

        (void)state;
        append("");
        p = log_open(&h, &ch, path);
        turn(h.loop, 60);
        append(row("2.1", "84950000001", "200"));
        append(row("2.2", "84950000001", "200"));
        append(row("2.3", "84950000001", "999")); /* not ours */
        turn_to(&h, 1);
        channel_settle(h.tokens[0], SETTLE_LATER, "away", "");
        turn(h.loop, 300);
        assert_int_equal(h.n, 1); /* it waits a little */
        turn_to(&h, 2);
        assert_string_equal(h.digests[1], "call-2.1"); /* the same again, in order */
        channel_settle(h.tokens[1], SETTLE_STORED, "", "1");
        turn(h.loop, 30);
        assert_string_equal(h.digests[2], "call-2.2");
        channel_settle(h.tokens[0], SETTLE_STORED, "", "1"); /* stale: nothing */
        channel_settle(h.tokens[2], SETTLE_STORED, "", "1");
        turn(h.loop, 30);
        phone_log_retire(&p);
        turn(h.loop, 30);
        assert_null(p);
        loop_free(&h.loop);
}

struct answer { /* of a push */
        unsigned n;
        struct phone_pushed p;
        char ticket[24];
};

static void
on_pushed(void *arg, const struct phone_pushed *p)
{
        struct answer *a = arg;

        a->n++;
        a->p = *p;
        snprintf(a->ticket, sizeof a->ticket, "%s", p->ticket);
}

static int
push(struct phone_log *p, const char *s, struct answer *a, struct err *err)
{
        *a = (struct answer){.n = 0};
        return phone_log_push(p, "", s, strlen(s), on_pushed, a, err);
}

static void
test_push(void **state)
{
        struct host h = {.loop = loop_new(), .settle = true, .as = SETTLE_STORED};
        struct channel_host ch;
        struct phone_log *p = log_open(&h, &ch, "");
        struct answer a, b;
        struct err err;

        (void)state;
        assert_int_equal(push(p, row("3.1", "84950000001", "200"), &a, &err), 0);
        assert_int_equal(push(p, row("3.1", "84950000001", "201"), &b, &err), 0);
        turn_to(&h, 1); /* one call of both */
        assert_int_equal(a.n + b.n, 2);
        assert_int_equal(a.p.settlement, SETTLE_STORED);
        assert_string_equal(b.ticket, "7");
        h.as = SETTLE_DUPLICATE;
        assert_int_equal(push(p, row("3.1", "84950000001", "200"), &a, &err), 0);
        turn(h.loop, 120);
        assert_int_equal(a.p.settlement, SETTLE_DUPLICATE);
        assert_int_equal(push(p, "nonsense\n", &a, &err), -1);
        assert_int_equal(err.kind, ERR_REJECT);
        assert_int_equal(push(p, "\n", &a, &err), -1);
        h.as = SETTLE_LATER;
        assert_int_equal(push(p,
                             "[{\"id\":\"x\",\"from\":\"+74950000009\",\"to\":\"200\","
                             "\"result\":\"missed\"},"
                             "{\"id\":\"y\"}]",
                             &a, &err),
            0);
        turn(h.loop, 120);
        assert_int_equal(a.n, 1);
        assert_int_equal(a.p.settlement, SETTLE_LATER);
        assert_int_equal(a.p.n_bad, 1);
        h.full = true;
        assert_int_equal(push(p, row("3.2", "84950000001", "200"), &a, &err), -1);
        assert_string_equal(err.code, "452");
        h.full = false;
        assert_int_equal(push(p, row("3.2", "84950000001", "200"), &a, &err), 0);
        phone_log_drain(p);
        turn(h.loop, 30);
        assert_int_equal(a.n, 1);
        assert_int_equal(a.p.settlement, SETTLE_LATER);
        phone_log_free(&p);
        loop_free(&h.loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(test_first_seen),
            TEST(test_no_file_yet),
            TEST(test_resume),
            TEST(test_rename),
            TEST(test_rename_unseen),
            TEST(test_copytruncate),
            TEST(test_anew_and_longer),
            TEST(test_inode_reused),
            TEST(test_too_long),
            TEST(test_gather_and_cursor),
            TEST(test_one_number_at_a_time),
            TEST(test_push),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
