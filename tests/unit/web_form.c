/* What a form means: faults field by field, and the message made of what was right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "channels/web_form.h"
#include "daemon/base/buf.h"

static const char *choices[] = {"Роутер", "Camera \"K\""};
static struct localised labels[] = {{"ru", "Изделие"}, {"en", "Product"}};
static struct field_options fields[] = {
    {.name = "name", .type = FIELD_LINE, .required = true, .limit = 100, .text = ""},
    {.name = "email", .type = FIELD_EMAIL, .required = true, .text = ""},
    {.name = "phone", .type = FIELD_PHONE, .text = ""},
    {.name = "age", .type = FIELD_NUMBER, .text = ""},
    {.name = "day", .type = FIELD_DATE, .text = ""},
    {.name = "product",
        .type = FIELD_CHOICES,
        .choices = choices,
        .n_choices = 2,
        .labels = labels,
        .n_labels = 2,
        .text = ""},
    {.name = "message", .type = FIELD_TEXT, .required = true, .limit = 50, .text = ""},
    {.name = "files", .type = FIELD_FILES, .at_most = 2, .limit = 1000, .text = ""},
    {.name = "consent",
        .type = FIELD_CONSENT,
        .required = true,
        .text = "I agree to all"},
};
static const struct form_options form = {
    .name = "contact", .account = "web:contact", .fields = fields, .n_fields = 9};

static struct form_part parts[20];
static size_t n_parts;

static void
add(const char *name, const char *value)
{
        parts[n_parts] = (struct form_part){.name = name,
            .filename = "",
            .type = "",
            .value = value,
            .len = strlen(value),
            .index = (unsigned)n_parts + 1};
        n_parts++;
}

static void
add_file(const char *name, const char *filename, const char *type, uint64_t size)
{
        add(name, "");
        parts[n_parts - 1].is_file = true;
        parts[n_parts - 1].filename = filename;
        parts[n_parts - 1].type = type;
        parts[n_parts - 1].size = size;
}

static struct form_sent
sent(const char *language)
{
        return (struct form_sent){.form = &form,
            .parts = parts,
            .n_parts = n_parts,
            .language = language,
            .country = "7",
            .client = "192.0.2.7",
            .now_us = 1700000000000000};
}

static void
good(void)
{
        n_parts = 0;
        add("name", " Иван\r\nПетров ");
        add("email", "Ivan@Customer.example");
        add("message", "\r\nНе работает\r\nсовсем\r\n");
        add("consent", "on");
}

/* Exactly this field is wrong (NULL: none). */
static void
check_fault(const char *field)
{
        struct arena *a AUTO_ARENA = arena_new();
        static const char *const languages[] = {"ru", "en"};

        for (int i = 0; i < 2; i++) {
                struct form_sent s = sent(languages[i]);
                struct form_fault *faults;
                size_t n = web_form_check(&s, a, &faults);

                if (field == NULL) {
                        assert_int_equal(n, 0);
                        continue;
                }
                assert_int_equal(n, 1);
                assert_string_equal(faults[0].field, field);
                assert_true(strlen(faults[0].text) > 10);
        }
}

static void
check_value(const char *field, const char *value, bool right)
{
        good();
        add(field, value);
        check_fault(right ? NULL : field);
}

static void
test_faults(void **state)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct form_sent s;
        struct form_fault *faults;

        (void)state;
        good();
        check_fault(NULL);
        n_parts = 0;
        add("name", " \t");
        s = sent("en");
        assert_int_equal(web_form_check(&s, a, &faults), 4);
        assert_string_equal(faults[0].field, "name");
        assert_string_equal(faults[3].field, "consent");
        good();
        parts[1].value = "not an address";
        parts[1].len = strlen(parts[1].value);
        check_fault("email");
        good();
        add("email", "second@x.example");
        check_fault("email");
        good();
        add("message", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        check_fault("message");
}

static void
test_types(void **state)
{
        (void)state;
        check_value("phone", "8 (495) 123-45-67", true);
        check_value("phone", "+44 20 7946 0018", true);
        check_value("phone", "12", false);
        check_value("phone", "call me", false);
        check_value("age", "12", true);
        check_value("age", "-3,5", true);
        check_value("age", "1e9", false);
        check_value("age", "twelve", false);
        check_value("age", ".", false);
        check_value("day", "2024-02-29", true);
        check_value("day", "29.02.2024", true);
        check_value("day", "2023-02-29", false);
        check_value("day", "2023-13-01", false);
        check_value("day", "0000-01-01", false);
        check_value("day", "tomorrow!!", false);
        check_value("product", "Camera \"K\"", true);
        check_value("product", "something else", false);
}

static void
test_files(void **state)
{
        (void)state;
        good();
        add_file("files", "", "application/octet-stream", 0); /* none chosen */
        check_fault(NULL);
        add_file("files", "a.txt", "text/plain", 500);
        add_file("files", "b.txt", "text/plain", 500);
        check_fault(NULL);
        add_file("files", "c.txt", "text/plain", 1);
        check_fault("files");
        good();
        add_file("files", "a.txt", "text/plain", 1001);
        check_fault("files");
        good();
        add_file("unknown", "a.txt", "text/plain", 5000);
        check_fault(NULL);
}

static void
test_message(void **state)
{
        struct form_sent s;
        struct message *m;

        (void)state;
        good();
        add("phone", "8 495 1234567");
        add("product", "Роутер");
        add("nobody asked", "x");
        add("day", "31.12.2026");
        add_file("files", "", "", 0);
        add_file("files", "a\nb.png", "image/png; x=y", 2000);
        add_file("other", "c", "", 1);
        s = sent("ru");
        m = web_form_message(&s, "digest");
        assert_int_equal(m->kind, MESSAGE_FORM);
        assert_string_equal(m->account, "web:contact");
        assert_string_equal(m->from.name, "Иван Петров");
        assert_string_equal(m->from.address, "Ivan@Customer.example");
        assert_string_equal(m->phone, "+74951234567");
        assert_string_equal(m->subject, "Не работает");
        assert_string_equal(m->language, "ru");
        assert_string_equal(m->digest, "digest");
        assert_string_equal(m->text,
            "Имя: Иван Петров\nЭлектронная почта: Ivan@Customer.example\nТелефон: "
            "+74951234567\nday: 2026-12-31\nИзделие: Роутер\n\nСообщение:\nНе "
            "работает\nсовсем\n\nФайлы: a b.png (2 КБ)\n");
        assert_int_equal(m->n_attachments, 1);
        assert_string_equal(m->attachments[0].part, "10");
        assert_string_equal(m->attachments[0].type, "image/png");
        assert_string_equal(m->form->consent_text, "I agree to all");
        assert_string_equal(m->form->consent_address, "192.0.2.7");
        assert_true(m->form->consent_at_us == s.now_us);
        assert_int_equal(m->form->n_fields, 6);
        message_free(&m);
}

static void
test_fingerprint(void **state)
{
        struct form_sent s;
        char one[65], two[65];

        (void)state;
        good();
        s = sent("ru");
        web_form_fingerprint(&s, one);
        add("_token", "changes each time");
        s = sent("en");
        web_form_fingerprint(&s, two);
        assert_string_equal(one, two);
        add("age", "1");
        s = sent("ru");
        web_form_fingerprint(&s, two);
        assert_string_not_equal(one, two);
}

static void
check_json(const char *json, int n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct form_part *p;
        struct err err = {0};
        size_t n_p;
        int rc = web_form_read_json(json, strlen(json), a, &p, &n_p, &err);

        assert_int_equal(rc, n < 0 ? -1 : 0);
        if (n >= 0)
                assert_int_equal(n_p, n);
        else
                assert_true(*err.text != '\0');
}

static void
test_json(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;

        (void)state;
        check_json(
            "{\"a\":\"b\",\"c\":[\"d\",1,true],\"e\":1.5,\"f\":null,\"g\":false}", 5);
        check_json("{}", 0);
        check_json("[]", -1);
        check_json("{\"a\":{}}", -1);
        check_json("{\"a\":[[]]}", -1);
        check_json("", -1);
        buf_adds(&b, "{\"a\":[0");
        for (int i = 0; i < 1000; i++)
                buf_adds(&b, ",0");
        buf_adds(&b, "]}");
        check_json(buf_str(&b), -1);
}

int
main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_faults),
            cmocka_unit_test(test_types),
            cmocka_unit_test(test_files),
            cmocka_unit_test(test_message),
            cmocka_unit_test(test_fingerprint),
            cmocka_unit_test(test_json),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
