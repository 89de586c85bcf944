/* The ticket record out of the store's fields, and its document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/base/json.h"
#include "daemon/model/message.h"
#include "daemon/model/ticket.h"

static int
from(const char *const *pairs, size_t n, struct arena *a, struct ticket *t,
    struct err *err)
{
        size_t lens[64];

        for (size_t i = 0; i < 2 * n; i++)
                lens[i] = strlen(pairs[i]);
        return ticket_from_fields("1042", pairs, lens, n, a, t, err);
}

static const char *const good[] = {"state", "held", "ver", "7", "class", "00aa", "v",
    "-1795514400123000", "prio", "high", "tags", "[\"vpn\",\"счёт\"]", "holder", "anna",
    "lease", "3", "lease_until", "1795514400123", "links", "[\"7\"]", "nm", "2", "ack",
    "1", "unknown", "x", "line", "first", "own", "0", "until", ""};

static void
test_fields(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct ticket t;

        (void)state;
        assert_int_equal(from(good, sizeof good / sizeof *good / 2, a, &t, NULL), 0);
        assert_string_equal(t.id, "1042");
        assert_int_equal(t.state, TICKET_HELD);
        assert_int_equal(t.version, 7);
        assert_int_equal(t.v_us, -1795514400123000LL);
        assert_int_equal(t.priority, PRIORITY_HIGH);
        assert_int_equal(t.n_tags, 2);
        assert_string_equal(t.tags[1], "счёт");
        assert_true(t.acknowledged);
        assert_false(t.in_own);
        assert_int_equal(t.until_ms, 0);
        assert_string_equal(t.owner, "");
        assert_string_equal(t.refs, "[]");
        assert_string_equal(t.links, "[\"7\"]");
}

static void
test_what_cannot_be(void **state)
{
        static const struct {
                const char *pairs[4];
                const char *error;
        } bad[] = {
            {{"ver", "7", "line", "a"},
                "ticket 1042: it has no state; run helpline fsck"},
            {{"state", "lost", "line", "a"},
                "ticket 1042: field 'state' cannot be 'lost'; run helpline fsck"},
            {{"state", "held", "v", "1e5"},
                "ticket 1042: field 'v' cannot be '1e5'; run helpline fsck"},
            {{"state", "held", "nm", "-1"},
                "ticket 1042: field 'nm' cannot be '-1'; run helpline fsck"},
            {{"state", "held", "created", "999999999999999999"},
                "ticket 1042: field 'created' cannot be '999999999999999999'; run "
                "helpline fsck"},
            {{"state", "held", "ver", "99999999999999999999"},
                "ticket 1042: field 'ver' cannot be '99999999999999999999'; run helpline "
                "fsck"},
            {{"state", "held", "tags", "[1]"},
                "ticket 1042: field 'tags' cannot be '[1]'; run helpline fsck"},
            {{"state", "held", "refs", "{}"},
                "ticket 1042: field 'refs' cannot be '{}'; run helpline fsck"},
        };
        struct arena *a AUTO_ARENA = arena_new();

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct ticket t;
                struct err err = {0};

                assert_int_equal(from(bad[i].pairs, 2, a, &t, &err), -1);
                assert_string_equal(err.text, bad[i].error);
        }
}

static void
test_summary(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        struct ticket t;
        struct ticket_document d = {.ticket = &t, .summary = true, .max_bytes = 262144};

        (void)state;
        assert_int_equal(from(good, sizeof good / sizeof *good / 2, a, &t, NULL), 0);
        ticket_document_format(&d, &b);
        assert_string_equal(buf_str(&b),
            "{\"id\":\"1042\",\"version\":7,\"state\":\"held\",\"line\":\"first\","
            "\"needs\":{},"
            "\"musts\":{},\"route\":\"\",\"priority\":\"high\",\"tags\":[\"vpn\","
            "\"счёт\"],"
            "\"subject\":\"\",\"language\":\"\",\"channel\":\"\",\"account\":\"\","
            "\"customer\":{\"id\":\"\",\"name\":\"\",\"emails\":[],\"phones\":[],"
            "\"organisation\":\"\",\"vip\":false,\"manager\":null},\"holder\":\"anna\","
            "\"owner\":null,\"lease\":3,\"lease_until\":\"2026-11-24T10:00:00.123Z\","
            "\"given\":0,"
            "\"given_back\":0,\"expired\":0,\"created_at\":null,\"queued_at\":null,"
            "\"until\":null,"
            "\"resolved_at\":null,\"code\":null,\"merged_into\":null,\"promises\":{},"
            "\"merged\":[],\"consultations\":[],\"approval\":null,\"n_messages\":2,"
            "\"last_in\":null}");
}

/* A message document of about n bytes of text. */
static const char *
letter(struct arena *a, const char *id, size_t n)
{
        struct message *m = message_new();
        struct buf b AUTO_BUF = BUF_INIT;
        char *text = arena_alloc(a, n + 1);
        const char *out;

        memset(text, 'x', n);
        m->id = id;
        m->text = text;
        message_format(m, &b);
        out = arena_strndup(a, b.data, b.len);
        message_free(&m);
        return out;
}

static void
test_document_is_bounded(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf b AUTO_BUF = BUF_INIT;
        const char *messages[4] = {letter(a, "1042.1", 20000),
            letter(a, "1042.2", 100000), letter(a, "1042.3", 10),
            letter(a, "1042.4", 20000)};
        const char *log[1] = {"{\"event\":\"queued\"}"};
        const char *delivery[2] = {
            "1042.3", "[{\"address\":\"a@b\",\"state\":\"sent\"}]"};
        struct ticket t;
        struct ticket_document d = {
            &t, messages, 4, log, 1, delivery, 1, NULL, false, 65536};
        json_t *o;
        const json_t *list;

        (void)state;
        assert_int_equal(from(good, sizeof good / sizeof *good / 2, a, &t, NULL), 0);
        ticket_document_format(&d, &b);
        assert_true(b.len <= d.max_bytes);
        o = json_read(b.data, b.len, b.len, NULL);
        assert_non_null(o);
        assert_true(json_bool(o, "truncated", false));
        list = json_list(o, "messages");
        assert_int_equal(json_array_size(list), 3);
        assert_int_equal(strlen(json_str(json_array_get(list, 0), "text", "")), 32768);
        assert_true(json_bool(json_array_get(list, 0), "truncated", false));
        assert_int_equal(
            json_array_size(json_list(json_array_get(list, 1), "delivery")), 1);
        assert_null(json_list(json_array_get(list, 2), "delivery"));
        assert_int_equal(json_array_size(json_list(o, "log")), 1);
        json_decref(o);
}

/* A mail with hundreds of long names in its header is shown all the same. */
static void
test_document_shows_the_newest(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct buf long_one AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
        struct message *m = message_new();
        struct ticket t;
        struct err err;
        const char *const fields[] = {"state", "queued"};
        const size_t lens[] = {5, 6};
        char name[601];

        (void)state;
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        m->id = "1042.1";
        m->text = "please help";
        m->n_to = 500;
        m->to = arena_alloc(m->arena, m->n_to * sizeof *m->to);
        for (size_t i = 0; i < m->n_to; i++)
                m->to[i] = (struct mail_address){name, "a@b.example"};
        message_format(m, &long_one);
        message_free(&m);
        assert_int_equal(ticket_from_fields("1042", fields, lens, 1, a, &t, &err), 0);
        {
                const char *const messages[] = {long_one.data};
                struct ticket_document d = {.ticket = &t,
                    .messages = messages,
                    .n_messages = 1,
                    .max_bytes = 262144};

                ticket_document_format(&d, &b);
        }
        assert_non_null(strstr(b.data, "please help"));
        assert_true(b.len < 65536);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_fields),
            cmocka_unit_test(test_what_cannot_be),
            cmocka_unit_test(test_summary),
            cmocka_unit_test(test_document_is_bounded),
            cmocka_unit_test(test_document_shows_the_newest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
