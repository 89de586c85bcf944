/* The message record: JSON both ways, hostile JSON, addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/base/json.h"
#include "daemon/model/message.h"

static const char whole[] =
    "{\"v\":1,\"id\":\"1042.1\",\"direction\":\"in\",\"kind\":\"auto-reply\",\"channel\":"
    "\"email\","
    "\"account\":\"support@romashka.ru\",\"author\":\"\","
    "\"from\":{\"name\":\"Ольга\",\"address\":\"olga@b.example\"},"
    "\"to\":[{\"name\":\"\",\"address\":\"support@romashka.ru\"}],\"cc\":[],\"reply_to\":"
    "null,"
    "\"envelope_from\":\"\",\"message_id\":\"a.1@b.example\",\"in_reply_to\":[\"x@y\"],"
    "\"references\":[\"w@y\",\"x@y\"],\"sent_at\":\"2026-11-24T10:00:00.123Z\","
    "\"received_at\":\"2026-11-24T10:00:01.000Z\",\"subject\":\"Не подключается ВПН\","
    "\"text\":\"Ошибка 809\\nи всё\",\"new_text\":\"Ошибка 809\",\"from_html\":true,"
    "\"truncated\":false,\"header_only\":false,\"language\":\"ru\",\"machine\":\"null "
    "sender\","
    "\"attachments\":[{\"part\":\"2\",\"name\":\"кот.png\",\"type\":\"image/"
    "png\",\"size\":1234,"
    "\"sha256\":\"aa\",\"inline\":true}],"
    "\"raw\":{\"segment\":3,\"offset\":4096,\"length\":5000,\"sha256\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},"
    "\"headers\":[[\"X-Spam-Flag\",\"YES\"]],\"digest\":\"d1\"}";

static void
test_both_ways(void **state)
{
        struct message *m = NULL;
        struct buf b AUTO_BUF = BUF_INIT;
        struct err err;

        (void)state;
        assert_int_equal(message_parse(whole, strlen(whole), &m, &err), 0);
        assert_int_equal(m->kind, MESSAGE_AUTO_REPLY);
        assert_string_equal(m->from.name, "Ольга");
        assert_true(m->has_envelope);
        assert_string_equal(m->envelope_from, "");
        assert_int_equal(m->n_references, 2);
        assert_int_equal(m->sent_at_us, 1795514400123000LL);
        assert_int_equal(m->raw.segment, 3);
        assert_string_equal(message_header(m, "x-spam-flag"), "YES");
        assert_null(message_header(m, "X-Other"));
        message_format(m, &b);
        assert_string_equal(buf_str(&b), whole);
        message_free(&m);
        assert_null(m);
}

/* What the helper found is completed by intake: the lists read can be appended to. */
static void
test_found_more(void **state)
{
        (void)state;
        for (size_t n = 0; n < 40; n++) {
                struct buf b AUTO_BUF = BUF_INIT;
                struct message *m = NULL;
                struct err err;

                buf_adds(&b, "{\"findings\":[");
                for (size_t i = 0; i < n; i++)
                        buf_addf(&b, "%s[\"kind\",\"%zu\",\"why\"]", i ? "," : "", i);
                buf_adds(&b, "],\"notices\":[");
                for (size_t i = 0; i < n; i++)
                        buf_addf(
                            &b, "%s{\"kind\":\"pgp\",\"part\":\"%zu\"}", i ? "," : "", i);
                buf_adds(&b, "]}");
                assert_int_equal(message_parse(b.data, b.len, &m, &err), 0);
                message_find(m, "language", "ru", "letters");
                message_notice(m, "smime", "", "it is signed");
                assert_int_equal(m->n_findings, n + 1);
                assert_int_equal(m->n_notices, n + 1);
                assert_string_equal(m->findings[n].found, "ru");
                assert_string_equal(m->notices[n].kind, "smime");
                message_free(&m);
        }
}

static void
test_tail_is_what_put_completes(void **state)
{
        struct message *m = NULL;
        struct buf tail AUTO_BUF = BUF_INIT, done AUTO_BUF = BUF_INIT;
        struct message *again = NULL;

        (void)state;
        assert_int_equal(message_parse(whole, strlen(whole), &m, NULL), 0);
        message_format_tail(m, &tail);
        assert_memory_equal(tail.data, "\"direction\":\"in\",", 17);
        assert_null(strstr(tail.data, "X-Spam-Flag")); /* the helper's, not the store's */
        assert_null(strstr(tail.data, "digest"));
        buf_addf(&done, "{\"v\":1,\"id\":\"7.1\",%s", tail.data);
        assert_int_equal(message_parse(done.data, done.len, &again, NULL), 0);
        assert_string_equal(again->id, "7.1");
        assert_string_equal(again->text, m->text);
        message_free(&again);
        message_free(&m);
}

static void
test_absent_is_empty(void **state)
{
        struct message *m = NULL;

        (void)state;
        assert_int_equal(message_parse("{}", 2, &m, NULL), 0);
        assert_string_equal(m->subject, "");
        assert_false(m->has_envelope);
        assert_int_equal(m->n_to, 0);
        assert_int_equal(m->raw.segment, 0);
        assert_string_equal(m->reply_to.address, "");
        message_free(&m);
}

static void
test_hostile_is_refused_by_name(void **state)
{
        static const struct {
                const char *json, *error;
        } bad[] = {
            {"[]", "message: it is no JSON object"},
            {"{\"subject\":7}", "message: 'subject' is not a string"},
            {"{\"to\":{}}", "message: 'to' is not a list of at most 10000"},
            {"{\"to\":[1]}", "message: 'to' is not an address"},
            {"{\"references\":[[]]}", "message: 'references' is not a list of strings"},
            {"{\"kind\":\"spam\"}", "message: 'kind' is not a known kind"},
            {"{\"direction\":\"up\"}", "message: 'direction' is not in, out or note"},
            {"{\"sent_at\":\"yesterday\"}",
                "message: 'sent_at' is not a time (RFC 3339)"},
            {"{\"attachments\":[{\"size\":-1}]}",
                "message: 'size' is not a number in its range"},
            {"{\"attachments\":[3]}", "message: 'attachments' is not a list of objects"},
            {"{\"truncated\":1}", "message: 'truncated' is not true or false"},
            {"{\"raw\":{\"segment\":1}}", "message: 'raw' is not a reference to a blob"},
            {"{\"headers\":[[\"A\"]]}",
                "message: 'headers' is not a list of name and value"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                struct message *m = NULL;
                struct err err = {0};

                assert_int_equal(
                    message_parse(bad[i].json, strlen(bad[i].json), &m, &err), -1);
                assert_null(m);
                assert_string_equal(err.text, bad[i].error);
                assert_int_equal(err.kind, ERR_REJECT);
        }
}

static void
test_one_line_stays_one_line(void **state)
{
        static const char json[] =
            "{\"subject\":\"a\\r\\nBcc: x@y\",\"message_id\":\"m\\n@x\","
            "\"from\":{\"name\":\"a\\tb\",\"address\":\"a\\r@b\"}}";
        struct message *m = NULL;

        (void)state;
        assert_int_equal(message_parse(json, strlen(json), &m, NULL), 0);
        assert_string_equal(m->subject, "a  Bcc: x@y");
        assert_string_equal(m->message_id, "m @x");
        assert_string_equal(m->from.address, "a @b");
        message_free(&m);
}

/* A subject of 200 KB would make every list of tickets megabytes long. */
static void
test_long_lines_are_cut(void **state)
{
        struct message *m = message_new(), *back = NULL;
        struct buf b AUTO_BUF = BUF_INIT;
        static char text[200001];
        struct err err;

        (void)state;
        for (size_t i = 0; i + 1 < sizeof text; i += 2)
                memcpy(text + i, "щ", 2);
        m->subject = m->from.name = m->text = text;
        message_format(m, &b);
        message_free(&m);
        assert_int_equal(message_parse(b.data, b.len, &back, &err), 0);
        assert_int_equal(strlen(back->subject), 2000);
        assert_int_equal(strlen(back->from.name), 256);
        assert_int_equal(strlen(back->text), 200000);
        message_free(&back);
}

static void
test_address_normalise(void **state)
{
        static const struct {
                const char *in, *out;
        } t[] = {
            {"  <Support@Romashka.RU.> ", "support@romashka.ru"},
            {"ИВАН@ПОЧТА.РФ", "иван@почта.рф"},
            {"ЁЖ@b.example", "ёж@b.example"},
            {"a@b@c", "a@b@c"},
            {"no at", ""},
            {"@x", ""},
            {"x@", ""},
            {"x@.", ""},
            {"a b@c", ""},
            {"a\x01@c", ""},
            {"\xff@c", ""},
            {"", ""},
        };
        struct arena *a AUTO_ARENA = arena_new();
        char longer[300];

        (void)state;
        for (size_t i = 0; i < sizeof t / sizeof *t; i++)
                assert_string_equal(address_normalise(a, t[i].in), t[i].out);
        memset(longer, 'x', sizeof longer);
        memcpy(longer + sizeof longer - 5, "@b.c", 5);
        assert_string_equal(address_normalise(a, longer), "");
}

static void
test_address_is_safe(void **state)
{
        (void)state;
        assert_true(address_is_safe("a@b.example"));
        assert_false(address_is_safe("a@b@c"));
        assert_false(address_is_safe("a@b\r\nRCPT TO:<x@y>"));
        assert_false(address_is_safe("a b@c"));
        assert_false(address_is_safe("a@<b>"));
        assert_false(address_is_safe("@b"));
        assert_false(address_is_safe("a@"));
        assert_false(address_is_safe("\xff@b"));
}

/* What was read can be added to, however many there were. */
static void
test_more_findings_behind_those_read(void **state)
{
        (void)state;
        for (size_t n = 0; n <= 9; n++) {
                struct message *m = NULL;
                struct buf b AUTO_BUF = BUF_INIT;
                struct err err;

                buf_adds(&b, "{\"direction\":\"in\",\"kind\":\"message\",\"findings\":[");
                for (size_t i = 0; i < n; i++)
                        buf_addf(&b, "%s[\"a\",\"b\",\"%zu\"]", i > 0 ? "," : "", i);
                buf_adds(&b, "],\"notices\":[");
                for (size_t i = 0; i < n; i++)
                        buf_addf(&b, "%s{\"kind\":\"k\",\"part\":\"%zu\",\"text\":\"t\"}",
                            i > 0 ? "," : "", i);
                buf_adds(&b, "]}");
                assert_int_equal(message_parse(buf_str(&b), b.len, &m, &err), 0);
                for (size_t i = 0; i < 9; i++) {
                        message_find(m, "kind", "message", "%zu", i);
                        message_notice(m, "pgp", "", "%zu", i);
                }
                assert_int_equal(m->n_findings, n + 9);
                assert_int_equal(m->n_notices, n + 9);
                assert_string_equal(m->findings[n + 8].why, "8");
                message_free(&m);
        }
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_both_ways),
            cmocka_unit_test(test_found_more),
            cmocka_unit_test(test_tail_is_what_put_completes),
            cmocka_unit_test(test_absent_is_empty),
            cmocka_unit_test(test_hostile_is_refused_by_name),
            cmocka_unit_test(test_one_line_stays_one_line),
            cmocka_unit_test(test_long_lines_are_cut),
            cmocka_unit_test(test_more_findings_behind_those_read),
            cmocka_unit_test(test_address_normalise),
            cmocka_unit_test(test_address_is_safe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
