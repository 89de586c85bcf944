/* Call records of every syntax, and their traps: channels/phone_parse.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "channels/phone_parse.h"

static struct arena *arena;
static struct err err;

static int
parse(const char *s, enum phone_syntax syntax, struct phone_row *r)
{
        struct phone_syntax_options o = {.syntax = syntax};

        err.kind = ERR_NONE;
        return phone_row_parse(s, strlen(s), &o, arena, r, &err);
}

static struct phone_row
parsed(const char *s, enum phone_syntax syntax)
{
        struct phone_row r;

        if (parse(s, syntax, &r) == -1)
                fail_msg("%s: %s", s, err.text);
        return r;
}

static void
refused(const char *s, enum phone_syntax syntax, const char *why)
{
        struct phone_row r;

        assert_int_equal(parse(s, syntax, &r), -1);
        if (strstr(err.text, why) == NULL)
                fail_msg("%s: got '%s', expected '%s'", s, err.text, why);
}

#define HEAD "\"\",\"84951234567\",\"200\",\"from-trunk\","
#define CHANNELS "\"PJSIP/trunk-0001\",\"PJSIP/200-0002\",\"Dial\",\"PJSIP/200\","
#define TIMES "\"2026-11-24 10:00:00\",\"2026-11-24 10:00:05\",\"2026-11-24 10:01:00\","
#define SIXTEEN                                                                          \
        HEAD "\"\"\"Ivan\"\" <84951234567>\"," CHANNELS TIMES "60,55,\"ANSWERED\","      \
             "\"DOC\""
#define START 1795514400000000LL

static void
test_asterisk_columns(void **state)
{
        struct phone_syntax_options userfield = {PHONE_SYNTAX_ASTERISK, true};
        struct phone_row r = parsed(SIXTEEN, PHONE_SYNTAX_ASTERISK);
        const char *s = SIXTEEN ",\"mine\"";

        (void)state;
        assert_string_equal(r.src, "84951234567");
        assert_string_equal(r.dst, "200");
        assert_string_equal(r.clid_name, "Ivan");
        assert_true(r.start_us == START && r.answer_us == START + 5000000);
        assert_true(r.is_answered && r.billsec == 55 && r.duration_s == 60);
        assert_string_equal(r.group, "PJSIP/trunk-0001-2026-11-24 10:00:00");
        r = parsed(SIXTEEN ",\"1795503600.7\"", PHONE_SYNTAX_ASTERISK);
        assert_string_equal(r.group, "1795503600.7");
        assert_true(r.epoch_us == 1795503600000000LL);
        assert_int_equal(phone_row_parse(s, strlen(s), &userfield, arena, &r, &err), 0);
        assert_string_equal(r.group, "PJSIP/trunk-0001-2026-11-24 10:00:00");
        r = parsed(SIXTEEN ",\"1795503600.7\",\"mine\"", PHONE_SYNTAX_ASTERISK);
        assert_string_equal(r.group, "1795503600.7");
        r = parsed(SIXTEEN ",\"\",\"pbx-1795503600.3\",2", PHONE_SYNTAX_ASTERISK);
        assert_string_equal(r.group, "pbx-1795503600.3");
        assert_true(r.epoch_us == 1795503600000000LL);
        r = parsed(SIXTEEN ",\"1795503600.9\",\"\",\"\",\"1795503600.3\",2\r\n",
            PHONE_SYNTAX_ASTERISK);
        assert_string_equal(r.group, "1795503600.3");
        refused("1,2,3", PHONE_SYNTAX_ASTERISK, "3 columns");
        refused(SIXTEEN ",1,2,3,4,5,6", PHONE_SYNTAX_ASTERISK, "22 columns");
        refused("", PHONE_SYNTAX_ASTERISK, "1 columns");
}

static struct phone_row
with(const char *clid, const char *dst, const char *tail)
{
        return parsed(arena_printf(arena, "\"\",\"84951234567\",\"%s\",\"ctx\",%s,%s%s",
                          dst, clid, CHANNELS, tail),
            PHONE_SYNTAX_ASTERISK);
}
#define MISSED                                                                           \
        "\"2026-11-24 10:00:00\",\"\",\"2026-11-24 10:00:20\",20,0,\"NO "                \
        "ANSWER\",\"DOC\""

static void
test_asterisk_traps(void **state)
{
        struct phone_row r;

        (void)state;
        r = with("\"84951234567\"", "200", MISSED);
        assert_string_equal(r.clid_name, "");
        assert_false(r.is_answered);
        assert_true(r.answer_us == 0);
        r = with("\"\"Ivan\" <84951234567>\"", "200", MISSED); /* quotes not doubled */
        assert_string_equal(r.clid_name, "Ivan");
        r = with("\"\"\"O\"\"Neil, Sam\"\" <1115>\"", "200", MISSED);
        assert_string_equal(r.clid_name, "O\"Neil, Sam");
        r = with("\"\xc8\xe2\xe0\xed <1115>\"", "200", MISSED); /* windows-1251 */
        assert_string_equal(r.clid_name, "Иван");
        r = with("\"\xff\x80\x01x <1115>\"", "200", MISSED);
        assert_string_equal(r.clid_name, "\xef\xbf\xbd\xef\xbf\xbdx");
        r = with("\"\"", "s",
            "\"2026-11-24 10:00:00\",\"2026-11-24 10:00:01\",\"2026-11-24 10:00:01\",1,0,"
            "\"ANSWERED\",\"DOC\"");
        assert_false(r.is_answered); /* ANSWERED with billsec 0 */
        refused(HEAD "\"never closed", PHONE_SYNTAX_ASTERISK, "column 5");
        refused(HEAD "\"\"," CHANNELS "\"yesterday\",\"\",\"\",1,0,\"BUSY\",\"DOC\"",
            PHONE_SYNTAX_ASTERISK, "start");
        refused(HEAD "\"\"," CHANNELS
                     "\"2026-13-24 10:00:00\",\"\",\"\",1,0,\"BUSY\",\"DOC\"",
            PHONE_SYNTAX_ASTERISK, "start");
        refused(HEAD "\"\"," CHANNELS
                     "\"2026-11-24 10:00:00\",\"\",\"\",x,0,\"BUSY\",\"DOC\"",
            PHONE_SYNTAX_ASTERISK, "duration");
        refused(HEAD "\"\"," CHANNELS
                     "\"2026-11-24 10:00:00\",\"\",\"\",1,0,\"WHAT\",\"DOC\"",
            PHONE_SYNTAX_ASTERISK, "disposition");
}

/* A queue's music is no answer. */
static void
test_machine_answer(void **state)
{
        struct phone_row r =
            parsed(HEAD "\"\",\"PJSIP/trunk-1\",\"\",\"Queue\",\"support\"," TIMES
                        "60,55,\"ANSWERED\",\"DOC\"",
                PHONE_SYNTAX_ASTERISK);

        (void)state;
        assert_false(r.is_answered);
}

static void
test_custom(void **state)
{
        struct phone_row r = parsed(
            "\"\"\"Ivan\"\" "
            "<84951234567>\",\"84951234567\",\"200\",\"ctx\",\"SIP/a-1\",\"SIP/b-2\","
            "\"Dial\",\"x\"," TIMES
            "\"60\",\"55\",\"ANSWERED\",\"DOC\",\"\",\"1795503600.7\",\"\",\"12\"",
            PHONE_SYNTAX_CUSTOM);

        (void)state;
        assert_string_equal(r.group, "1795503600.7");
        assert_string_equal(r.key, "1795503600.7/12/SIP/a-1");
        assert_string_equal(r.clid_name, "Ivan");
        assert_true(r.is_answered && r.start_us == START);
        refused("\"a\",\"b\"", PHONE_SYNTAX_CUSTOM, "2 columns");
}

#define FS(name, answer, billsec)                                                        \
        "\"" name                                                                        \
        "\",\"+74951234567\",\"200\",\"public\",\"2026-11-24 10:00:00\",\"" answer       \
        "\",\"2026-11-24 10:01:00\",\"60\",\"" billsec                                   \
        "\",\"NORMAL_CLEARING\",\"u-1\",\"\",\"\",\"PCMA\",\"PCMA\""

static void
test_freeswitch(void **state)
{
        struct phone_row r =
            parsed(FS("Ivan", "2026-11-24 10:00:05", "55"), PHONE_SYNTAX_FREESWITCH);

        (void)state;
        assert_string_equal(r.clid_name, "Ivan");
        assert_string_equal(r.group, "u-1");
        assert_true(r.is_answered && r.start_us == START && !r.times_have_zone);
        r = parsed(FS("a\",\"b\"c,\"\"", "", "0"), PHONE_SYNTAX_FREESWITCH);
        assert_string_equal(
            r.src, "+74951234567"); /* nothing is escaped: a hostile name */
        assert_string_equal(r.dst, "200");
        assert_false(r.is_answered);
        r = parsed(
            FS("a\",\",\"b", "", "0"), PHONE_SYNTAX_FREESWITCH); /* quotes that overlap */
        assert_string_equal(r.dst, "200");
        refused("\"a\",\"b\"", PHONE_SYNTAX_FREESWITCH, "2 columns");
        refused(FS("x", "soon", "0"), PHONE_SYNTAX_FREESWITCH, "answer_stamp");
}

#define FS_JSON                                                                          \
        "{\"core-uuid\":\"c\",\"variables\":{\"uuid\":\"u-2\",\"call_uuid\":\"u-1\","    \
        "\"start_epoch\":\"1795514400\",\"answer_epoch\":\"0\",\"end_epoch\":"           \
        "\"1795514420\","                                                                \
        "\"duration\":\"20\",\"billsec\":\"0\",\"hangup_cause\":\"ORIGINATOR_CANCEL\"}," \
        "\"callflow\":[{\"caller_profile\":{\"caller_id_number\":\"5\"}},{\"caller_"     \
        "profile\":"                                                                     \
        "{\"caller_id_name\":\"%D0%98%D0%B2%D0%B0%D0%BD\",\"caller_id_number\":\"%"      \
        "2B7495123"                                                                      \
        "4567\",\"destination_number\":\"200\"}}]}"
#define FS_XML                                                                           \
        "<?xml version=\"1.0\"?>\n<cdr core-uuid=\"c\"><!-- x "                          \
        "--><variables><uuid>u-2</uuid>"                                                 \
        "<call_uuid>u-1</call_uuid><start_epoch>1795514400</start_epoch><answer_epoch>0" \
        "</answer_epoch><end_epoch>1795514420</end_epoch><duration>20</"                 \
        "duration><billsec>0"                                                            \
        "</billsec></"                                                                   \
        "variables><callflow><caller_profile><caller_id_name><![CDATA[I]]>v&amp;"        \
        "&#1072;</caller_id_name><caller_id_number>%2B74951234567</caller_id_number><x/" \
        ">"                                                                              \
        "<destination_number>200</destination_number></caller_profile></callflow></cdr>"

static void
test_documents(void **state)
{
        struct phone_row r = parsed(FS_JSON, PHONE_SYNTAX_JSON);

        (void)state;
        assert_string_equal(r.group, "u-1");
        assert_string_equal(r.clid_name, "Иван");
        assert_string_equal(r.src, "+74951234567");
        assert_true(r.times_have_zone && r.start_us == START && !r.is_answered);
        r = parsed(FS_XML, PHONE_SYNTAX_XML);
        assert_string_equal(r.group, "u-1");
        assert_string_equal(r.clid_name, "Iv&а");
        assert_string_equal(r.src, "+74951234567");
        assert_string_equal(r.dst, "200");
        assert_true(r.start_us == START);
        refused("<!DOCTYPE cdr []><cdr/>", PHONE_SYNTAX_XML, "declarations");
        refused("<cdr><variables></cdr>", PHONE_SYNTAX_XML, "never closed");
        refused("<cdr>", PHONE_SYNTAX_XML, "never closed");
        refused("<cdr></cdr>", PHONE_SYNTAX_XML, "uuid");
        refused("{\"variables\":{}}", PHONE_SYNTAX_JSON, "uuid");
        refused("{\"a\":", PHONE_SYNTAX_JSON, "");
}

static void
test_plain_json(void **state)
{
        struct phone_row r =
            parsed("{\"id\":\"x1\",\"from\":\"+74951234567\",\"to\":\"200\","
                   "\"name\":\"Ivan\",\"direction\":\"in\",\"result\":"
                   "\"missed\",\"started_at\":\"2026-11-24T13:00:00+03:00\"}",
                PHONE_SYNTAX_JSON);

        (void)state;
        assert_string_equal(r.group, "x1");
        assert_true(r.has_direction && r.start_us == START && r.duration_s == -1);
        r = parsed(
            "{\"src\":\"1\",\"dst\":\"200\",\"disposition\":\"ANSWERED\",\"billsec\":5,"
            "\"start\":\"2026-11-24 10:00:00\",\"uniqueid\":\"1795503600.7\"}",
            PHONE_SYNTAX_JSON);
        assert_true(r.is_answered && r.epoch_us != 0);
        refused("{\"from\":\"1\",\"result\":\"lost\"}", PHONE_SYNTAX_JSON, "result");
        refused("{\"result\":\"missed\"}", PHONE_SYNTAX_JSON, "from");
        refused("{\"from\":\"1\",\"result\":\"missed\",\"direction\":\"up\"}",
            PHONE_SYNTAX_JSON, "direction");
        refused("{\"from\":\"1\",\"result\":\"missed\",\"started_at\":\"noon\"}",
            PHONE_SYNTAX_JSON, "started_at");
}

static void
test_record_length(void **state)
{
        (void)state;
        assert_int_equal(phone_record_length("a,b", 3, false), 0);
        assert_int_equal(phone_record_length("a,b", 3, true), 3);
        assert_int_equal(phone_record_length("a\nb", 3, false), 2);
        assert_int_equal(phone_record_length("a\r\nb", 4, false), 3);
        assert_int_equal(phone_record_length("a\rb\r", 4, false), 2); /* CR alone */
        assert_int_equal(phone_record_length("\"a\nb\"\n", 6, false), 3);
        assert_int_equal(phone_pushed_length("[{\"a\":\"}\"},{}]", 14), 10);
        assert_int_equal(phone_pushed_length(",{}]", 4), 3);
        assert_int_equal(phone_pushed_length("]\n", 2), 2);
        assert_int_equal(phone_pushed_length("<cdr></cdr><cdr>", 16), 11);
        assert_int_equal(phone_pushed_length("\n,a\n,b\n", 7), 4);
        assert_int_equal(phone_pushed_length("{", 1), 1);
}

static void
unwraps(const char *type, const char *s, const char *expect)
{
        const char *out;
        size_t n;

        assert_int_equal(phone_push_unwrap(type, s, strlen(s), arena, &out, &n, &err), 0);
        assert_int_equal(n, strlen(expect));
        assert_memory_equal(out, expect, n);
}

static void
test_unwrap(void **state)
{
        const char *out;
        size_t n;

        (void)state;
        unwraps("application/json", "{\"a\":1}", "{\"a\":1}");
        unwraps(
            "application/x-www-form-urlencoded", "cdr=%7B%22a%22%3A+1%7D", "{\"a\": 1}");
        unwraps(
            "application/x-www-form-urlencoded", "uuid=a_1&cdr=%3Ccdr%2F%3E", "<cdr/>");
        unwraps("application/x-www-form-base64-encoded",
            "cdr=eyJhIjoiPj4+Pz8/In0=", "{\"a\":\">>>???\"}"); /* its plus is no blank */
        unwraps("", "eyJhIjoiPj4+Pz8/In0=", "{\"a\":\">>>???\"}");
        unwraps("text/csv", "a,b\n", "a,b\n");
        assert_int_equal(phone_push_unwrap("", "cdr=!!", 6, arena, &out, &n, &err), -1);
}

static void
test_guess(void **state)
{
        const char *samples[] = {SIXTEEN, FS("a\",\"b", "", "0"), " [{}]", "<cdr/>",
            "\"c\",\"84951234567\",\"200\",\"ctx\",\"SIP/a-1\",\"SIP/"
            "b-2\",\"Dial\",\"x\"," TIMES
            "\"60\",\"55\",\"ANSWERED\",\"DOC\",\"\",\"1795503600.7\",\"\",\"12\"\n"};
        enum phone_syntax expect[] = {PHONE_SYNTAX_ASTERISK, PHONE_SYNTAX_FREESWITCH,
            PHONE_SYNTAX_JSON, PHONE_SYNTAX_XML, PHONE_SYNTAX_CUSTOM};

        (void)state;
        for (size_t i = 0; i < 5; i++)
                assert_int_equal(
                    phone_syntax_guess(samples[i], strlen(samples[i])), expect[i]);
}

/* ---- the sum ---- */

static struct phone_row
leg(const char *src, const char *dst, int64_t start_s, int64_t billsec)
{
        return (struct phone_row){.key = "k",
            .group = "g",
            .src = src,
            .dst = dst,
            .clid_name = "",
            .channel = "",
            .dstchannel = "",
            .disposition = "",
            .start_us = START + start_s * 1000000,
            .answer_us = billsec > 0 ? START + (start_s + 5) * 1000000 : 0,
            .end_us = START + (start_s + 5 + billsec) * 1000000,
            .duration_s = 5 + billsec,
            .billsec = billsec,
            .is_answered = billsec > 0};
}

static const char *const ours[] = {"200", "201", "+78005553535"};
static const struct phone_sum_options office = {ours, 3, "7", 3 * 3600 * 1000000LL};

static void
test_ring_group(void **state)
{
        struct phone_row rows[] = {leg("84951234567", "201", 1, 0),
            leg("84951234567", "200", 0, 0), leg("84951234567", "202", 2, 30)};
        struct phone_call c;

        (void)state;
        assert_true(phone_rows_sum(rows, 2, &office, arena, &c));
        assert_int_equal(c.result, CALL_MISSED);
        assert_int_equal(c.direction, CALL_IN);
        assert_string_equal(c.from, "+74951234567");
        assert_string_equal(c.to, "200"); /* the first */
        assert_int_equal(c.duration_s, 6);
        assert_true(c.started_at_us == START - 3 * 3600 * 1000000LL);
        assert_true(phone_rows_sum(rows, 3, &office, arena, &c));
        assert_int_equal(c.result, CALL_ANSWERED);
        assert_int_equal(c.duration_s, 30);
        assert_string_equal(c.id, "g");
}

static void
test_directions(void **state)
{
        struct phone_sum_options all = {NULL, 0, "7", 0};
        struct phone_row out = leg("200", "84951234567", 0, 30);
        struct phone_row inside = leg("200", "201", 0, 30);
        struct phone_row others = leg("84951234567", "84957654321", 0, 30);
        struct phone_row number = leg("84951234567", "8 800 555-35-35", 0, 0);
        struct phone_row special = leg("84951234567", "s", 0, 0);
        struct phone_call c;

        (void)state;
        assert_true(phone_rows_sum(&out, 1, &office, arena, &c));
        assert_int_equal(c.direction, CALL_OUT);
        assert_string_equal(c.to, "+74951234567");
        assert_false(phone_rows_sum(&inside, 1, &office, arena, &c));
        assert_false(phone_rows_sum(&others, 1, &office, arena, &c));
        assert_true(phone_rows_sum(&number, 1, &office, arena, &c));
        assert_string_equal(c.to, "+78005553535");
        assert_false(phone_rows_sum(&special, 1, &office, arena, &c));
        assert_false(phone_rows_sum(&special, 1, &all, arena, &c));
        assert_false(phone_rows_sum(&special, 0, &all, arena, &c));
        special.dstchannel = "PJSIP/200-0001"; /* the dial plan rang a telephone from s */
        assert_true(phone_rows_sum(&special, 1, &office, arena, &c));
        assert_string_equal(c.to, "200");
        assert_true(phone_rows_sum(&others, 1, &all, arena, &c));
        assert_int_equal(c.direction, CALL_IN);
        assert_true(phone_rows_sum(&out, 1, &all, arena, &c));
        assert_int_equal(c.direction, CALL_OUT);
}

/* uniqueid's epoch tells the zone, unless the row came with a transfer. */
static void
test_zone(void **state)
{
        struct phone_row rows[] = {
            leg("84951234567", "200", 0, 0), leg("84951234567", "200", 600, 0)};
        struct phone_call c;

        (void)state;
        rows[0].epoch_us = rows[1].epoch_us = START - 5 * 3600 * 1000000LL;
        assert_true(phone_rows_sum(rows, 2, &office, arena, &c));
        assert_true(c.started_at_us == START - 5 * 3600 * 1000000LL);
        assert_true(phone_rows_sum(rows + 1, 1, &office, arena, &c));
        assert_true(c.started_at_us == START + 600 * 1000000LL - office.zone_offset_us);
        rows[0].times_have_zone = true;
        assert_true(phone_rows_sum(rows, 1, &office, arena, &c));
        assert_true(c.started_at_us == START);
}

static void
test_short(void **state)
{
        struct phone_row r = leg("84951234567", "200", 0, 0);

        (void)state;
        assert_false(phone_rows_are_short(&r, 1, 5000));
        assert_true(phone_rows_are_short(&r, 1, 6000));
        r.is_refused = true; /* busy is no short call */
        assert_false(phone_rows_are_short(&r, 1, 6000));
        r = leg("84951234567", "200", 0, 0);
        r.duration_s = -1;
        r.end_us = 0; /* not known */
        assert_false(phone_rows_are_short(&r, 1, 6000));
}

static int
begin(void **state)
{
        (void)state;
        arena = arena_new();
        return 0;
}

static int
end(void **state)
{
        (void)state;
        arena_free(&arena);
        return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(test_asterisk_columns),
            TEST(test_asterisk_traps),
            TEST(test_machine_answer),
            TEST(test_custom),
            TEST(test_freeswitch),
            TEST(test_documents),
            TEST(test_plain_json),
            TEST(test_record_length),
            TEST(test_unwrap),
            TEST(test_guess),
            TEST(test_ring_group),
            TEST(test_directions),
            TEST(test_zone),
            TEST(test_short),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
