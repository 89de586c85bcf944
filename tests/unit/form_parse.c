/* Forms from the wire: what browsers send, what hostile ones send, whole and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "channels/form_parse.h"
#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"
#include "tests/unit/patience.h"

#define MULTIPART "multipart/form-data; boundary=XX"
#define URLENCODED "application/x-www-form-urlencoded"
#define PART(head, body)                                                                 \
        "--XX\r\nContent-Disposition: form-data; " head "\r\n\r\n" body "\r\n"

static const struct form_limits wide = {200, 8192, 256 << 10, 1 << 20, 32 << 20};

struct result {
        struct arena *arena;
        const struct form_part *parts;
        size_t n;
        int rc;
        struct err err;
};

/* Fed in pieces of `step` bytes (0: all at once). */
static struct result
parse_steps(
    const char *type, const char *s, size_t n, size_t step, const struct form_limits *lim)
{
        struct result r = {.arena = arena_new()};
        struct form_parser *p = form_parser_new(type, lim, r.arena, &r.err);

        if (p == NULL) {
                r.rc = -1;
                return r;
        }
        if (step == 0)
                step = n > 0 ? n : 1;
        for (size_t i = 0; i < n && r.rc == 0; i += step)
                r.rc = form_parser_feed(p, s + i, n - i < step ? n - i : step, &r.err);
        if (r.rc == 0)
                r.rc = form_parser_end(p, &r.err);
        r.parts = form_parser_parts(p, &r.n);
        form_parser_free(&p);
        return r;
}

/* The same in steps of 1, 2, 3 and 7: all must agree. */
static struct result
parse_n(const char *type, const char *s, size_t n)
{
        static const size_t steps[] = {1, 2, 3, 7};
        struct result r = parse_steps(type, s, n, 0, &wide);

        for (size_t k = 0; k < 4; k++) {
                struct result o = parse_steps(type, s, n, steps[k], &wide);

                assert_int_equal(o.rc, r.rc);
                assert_int_equal(o.err.kind, r.err.kind);
                if (r.rc == 0)
                        assert_int_equal(o.n, r.n);
                for (size_t i = 0; i < r.n && r.rc == 0; i++) {
                        assert_string_equal(o.parts[i].name, r.parts[i].name);
                        assert_int_equal(o.parts[i].len, r.parts[i].len);
                        assert_memory_equal(
                            o.parts[i].value, r.parts[i].value, r.parts[i].len);
                        assert_string_equal(o.parts[i].sha256, r.parts[i].sha256);
                }
                arena_free(&o.arena);
        }
        return r;
}

static struct result
parse(const char *type, const char *s)
{
        return parse_n(type, s, strlen(s));
}

static void
check_value(const char *type, const char *body, const char *name, const char *value)
{
        struct result r = parse(type, body);

        if (r.rc == -1)
                fail_msg("%s", r.err.text);
        assert_int_equal(r.n, 1);
        assert_string_equal(r.parts[0].name, name);
        assert_int_equal(r.parts[0].len, strlen(value));
        assert_string_equal(r.parts[0].value, value);
        arena_free(&r.arena);
}

static void
check_refused(const char *type, const char *body)
{
        struct result r = parse(type, body);

        assert_int_equal(r.rc, -1);
        assert_int_equal(r.err.kind, ERR_REJECT);
        assert_true(*r.err.text != '\0');
        arena_free(&r.arena);
}

static void
test_fields_and_files(void **state)
{
        char sha[65];
        struct result r = parse(MULTIPART,
            PART("name=\"name\"", "Иван") PART("name=a", "")
                PART("name=\"f\"; filename=\"C:\\Documents\\photo.png\"\r\nContent-Type: "
                     "image/png",
                    "\r\n--X\r\n--XY\r\n--XX-\r\n--XX\rq\n") "--XX--\r\nepilogue");

        (void)state;
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.n, 3);
        assert_string_equal(r.parts[0].value, "Иван");
        assert_int_equal(r.parts[0].index, 1);
        assert_string_equal(r.parts[1].value, "");
        assert_true(r.parts[2].is_file);
        assert_string_equal(r.parts[2].filename, "photo.png");
        assert_string_equal(r.parts[2].type, "image/png");
        assert_int_equal(r.parts[2].index, 3);
        assert_int_equal(
            r.parts[2].size, strlen("\r\n--X\r\n--XY\r\n--XX-\r\n--XX\rq\n"));
        sha256_hex("\r\n--X\r\n--XY\r\n--XX-\r\n--XX\rq\n", r.parts[2].size, sha);
        assert_string_equal(r.parts[2].sha256, sha);
        arena_free(&r.arena);
}

static void
test_names(void **state)
{
        struct result r;

        (void)state;
        r = parse(MULTIPART,
            PART("name=\"a%22b%0D%0Ac\"; filename=\"\"", "")
                PART("name=f; filename=\"say \\\"hi\\\".txt\"", "")
                    PART("name=f; filename=\"../../etc/passwd\"", "") PART(
                        "name=f; filename=\"x.txt\"; filename*=UTF-8''%D0%B0.txt", "")
                        PART("filename=\"C:\\dir\\\"; name=f", "") "--XX--");
        assert_int_equal(r.rc, 0);
        assert_string_equal(r.parts[0].name, "a\"b\r\nc");
        assert_true(r.parts[0].is_file);
        assert_string_equal(r.parts[1].filename, "say \"hi\".txt");
        assert_string_equal(r.parts[2].filename, "passwd");
        assert_string_equal(r.parts[3].filename, "а.txt");
        assert_string_equal(r.parts[4].name, "f");
        arena_free(&r.arena);
}

static void
test_encodings(void **state)
{
        (void)state;
        check_value(MULTIPART,
            PART("name=a\r\nContent-Transfer-Encoding: base64",
                "VGVz\r\ndCAxMjM=") "--XX--",
            "a", "Test 123");
        check_value(MULTIPART,
            PART("name=a\r\nContent-Transfer-Encoding: quoted-printable",
                "foo=3Db=\r\nar =z=4 =") "--XX--",
            "a", "foo=bar =z=4 =");
        check_value(MULTIPART, PART("name=a", "\xff\xfe") "--XX--", "a",
            "\xef\xbf\xbd\xef\xbf\xbd");
        /* bare LF all through, as one old client sent */
        check_value(MULTIPART,
            "--XX\nContent-Disposition: form-data; name=a\n\none\r\n--XY\n--XX--", "a",
            "one\r\n--XY");
}

static void
test_refused(void **state)
{
        (void)state;
        check_refused(MULTIPART, "preamble\r\n--XX--");
        check_refused(MULTIPART, "--XXX\r\n");
        check_refused(MULTIPART, PART("name=a", "b")); /* no end */
        check_refused(MULTIPART, PART("name=a", "b") "--XX\r\n");
        check_refused(MULTIPART, "");
        check_refused(MULTIPART, "--XX\r\n\r\nb\r\n--XX--");
        check_refused(MULTIPART, PART("filename=a", "b") "--XX--");
        check_refused(MULTIPART, PART("name=\"a", "b") "--XX--");
        check_refused(
            MULTIPART, "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n");
        check_refused(MULTIPART, PART("name=a\r\n folded: b", "b") "--XX--");
        check_refused(MULTIPART, PART("name=a\nX: y", "b") "--XX--");
        check_refused(MULTIPART, PART("name=a\r\nX y: b", "b") "--XX--");
        check_refused(MULTIPART,
            PART("name=a\r\nContent-Disposition: form-data; name=b", "b") "--XX--");
        check_refused(
            MULTIPART, PART("name=a\r\nContent-Transfer-Encoding: x-y", "b") "--XX--");
        check_refused("multipart/form-data", "");
        check_refused("multipart/form-data; boundary=\"\"", "");
        check_refused("multipart/form-data; boundary=a; boundary=b", "");
        check_refused("multipart/mixed; boundary=a", "--a--");
        check_refused("text/plain", "a=b");
        check_refused("", "a=b");
}

static void
test_urlencoded(void **state)
{
        struct result r = parse(
            URLENCODED "; charset=utf-8", "&a=1&&b=%D0%B9+x&a=2&c&=d&bad=%zz%4&x==%FF&");

        (void)state;
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.n, 7);
        assert_string_equal(r.parts[1].value, "й x");
        assert_string_equal(r.parts[2].value, "2");
        assert_string_equal(r.parts[3].value, "");
        assert_string_equal(r.parts[4].name, "");
        assert_string_equal(r.parts[5].value, "%zz%4");
        assert_string_equal(r.parts[6].value, "=\xef\xbf\xbd");
        arena_free(&r.arena);
        r = parse(URLENCODED, "");
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.n, 0);
        arena_free(&r.arena);
        r = parse_n(URLENCODED, "a=b%00c\0d", 9);
        assert_int_equal(r.parts[0].len, 5);
        arena_free(&r.arena);
}

static void
check_limit(const char *type, const struct buf *b, const struct form_limits *lim)
{
        struct result r = parse_steps(type, b->data, b->len, 1000, lim);

        assert_int_equal(r.rc, -1);
        assert_int_equal(r.err.kind, ERR_LIMIT);
        assert_true(arena_size(r.arena) < 3 << 20);
        arena_free(&r.arena);
}

static void
test_limits(void **state)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct form_limits small = {3, 300, 100, 1000, 50};

        (void)state;
        for (int i = 0; i < 1000; i++)
                buf_adds(&b, PART("name=a", "b"));
        check_limit(MULTIPART, &b, &wide);
        buf_clear(&b);
        for (int i = 0; i < 200000; i++)
                buf_adds(&b, "a&");
        check_limit(URLENCODED, &b, &wide);
        buf_clear(&b);
        buf_adds(&b, "a=");
        for (int i = 0; i < 300000; i++)
                buf_addc(&b, 'x');
        check_limit(URLENCODED, &b, &wide);
        for (int i = 0; i < 1000000; i++)
                buf_addc(&b, '%');
        check_limit(URLENCODED, &b, &wide);
        buf_clear(&b);
        buf_adds(&b, "--XX\r\nContent-Disposition: form-data");
        for (int i = 0; i < 5000; i++)
                buf_adds(&b, ";a=b");
        check_limit(MULTIPART, &b, &wide);
        buf_clear(&b);
        buf_adds(&b, PART("name=f; filename=a", "0123456789012345678901234567890"));
        buf_adds(&b, PART("name=f; filename=a", "0123456789012345678901234567890"));
        check_limit(MULTIPART, &b, &small);
        buf_clear(&b);
        buf_adds(&b, "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n");
        for (int i = 0; i < 101; i++)
                buf_addc(&b, 'x');
        check_limit(MULTIPART, &b, &small);
}

/* Look-alikes everywhere: twice the bytes may take twice the time, not four times. */
static void
test_linear(void **state)
{
        double s[2];

        (void)state;
        for (int k = 0; k < 2; k++) {
                struct buf b AUTO_BUF = BUF_INIT;
                struct timespec t, u;
                struct result r;

                buf_adds(&b, PART("name=f; filename=a", ""));
                b.len -= 2;
                while (b.len < FEWER((size_t)1 << 21) << 2 * k)
                        buf_adds(&b, "\r\n--X\r\n--XX\r\r\n--XX-");
                buf_adds(&b, "\r\n--XX--");
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
                r = parse_steps(MULTIPART, b.data, b.len, 65536, &wide);
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &u);
                assert_int_equal(r.rc, 0);
                arena_free(&r.arena);
                s[k] =
                    (double)(u.tv_sec - t.tv_sec) + (double)(u.tv_nsec - t.tv_nsec) / 1e9;
        }
        assert_true(s[1] < s[0] * 10 + 0.2); /* of four times as much */
        assert_true(s[1] < 20);
}

/* ---- what others collected ---- */

static const char *
corpora(void)
{
        const char *dir = getenv("HELPLINE_CORPORA");

        return dir == NULL || *dir == '\0' ? "../shared/corpora" : dir;
}

static char *
slurp(const char *folder, const char *name, size_t *n)
{
        char path[600];
        char *s;
        FILE *f;
        long size;

        snprintf(path, sizeof path, "%s/webforms/%s/%s", corpora(), folder, name);
        f = fopen(path, "rb");
        if (f == NULL)
                return NULL;
        fseek(f, 0, SEEK_END);
        size = ftell(f);
        rewind(f);
        s = malloc((size_t)size + 1);
        assert_int_equal(fread(s, 1, (size_t)size, f), size);
        s[size] = '\0';
        fclose(f);
        *n = (size_t)size;
        return s;
}

static void
test_wpt(void **state)
{
        size_t n;
        char *s = slurp("wpt", "urlencoded-parser-data.json", &n);
        struct err err;
        json_t *all;

        (void)state;
        if (s == NULL) {
                print_message("SKIPPED: no corpora in %s\n", corpora());
                skip();
        }
        all = json_read(s, n, n, &err);
        assert_non_null(all);
        for (size_t i = 0; i < json_array_size(all); i++) {
                const json_t *v = json_array_get(all, i), *out = json_list(v, "output");
                struct result r = parse(URLENCODED, json_str(v, "input", ""));

                assert_int_equal(r.rc, 0);
                assert_int_equal(r.n, json_array_size(out));
                for (size_t k = 0; k < r.n; k++) {
                        const json_t *pair = json_array_get(out, k);

                        assert_string_equal(
                            r.parts[k].name, json_string_value(json_array_get(pair, 0)));
                        assert_string_equal(
                            r.parts[k].value, json_string_value(json_array_get(pair, 1)));
                }
                arena_free(&r.arena);
        }
        assert_true(json_array_size(all) > 20);
        json_decref(all);
        free(s);
}

static void
check_werkzeug(const char *name, const json_t *want)
{
        char path[200], type[200];
        size_t n, k = 0;
        const json_t *files = json_list(want, "files");
        struct result r;
        char *s;

        snprintf(path, sizeof path, "multipart/%s/request.http", name);
        s = slurp("werkzeug", path, &n);
        assert_non_null(s);
        snprintf(type, sizeof type, "multipart/form-data; boundary=%s",
            json_str(want, "boundary", ""));
        r = parse_n(type, s, n);
        if (r.rc == -1)
                fail_msg("%s: %s", name, r.err.text);
        for (size_t i = 0; i < r.n; i++) {
                const struct form_part *p = &r.parts[i];
                const json_t *f = json_array_get(files, k);
                char sha[65], *bytes;
                size_t size;

                if (!p->is_file) {
                        if (strcmp(p->name, "text") == 0)
                                assert_string_equal(p->value, json_str(want, "text", ""));
                        continue;
                }
                assert_string_equal(p->filename, json_string_value(json_array_get(f, 0)));
                assert_string_equal(p->name, json_string_value(json_array_get(f, 1)));
                assert_string_equal(p->type, json_string_value(json_array_get(f, 2)));
                snprintf(path, sizeof path, "multipart/%s/%s", name,
                    json_string_value(json_array_get(f, 3)));
                bytes = slurp("werkzeug", path, &size);
                sha256_hex(bytes, size, sha);
                assert_string_equal(p->sha256, sha);
                free(bytes);
                k++;
        }
        assert_int_equal(k, json_array_size(files));
        arena_free(&r.arena);
        free(s);
}

static void
test_werkzeug(void **state)
{
        static const char *const names[] = {"firefox3-2png1txt", "firefox3-2pnglongtext",
            "opera8-2png1txt", "webkit3-2png1txt", "ie6-2png1txt"};
        size_t n;
        char *s = slurp("werkzeug", "expected.json", &n);
        struct err err;
        struct result r;
        json_t *all;

        (void)state;
        if (s == NULL) {
                print_message("SKIPPED: no corpora in %s\n", corpora());
                skip();
        }
        all = json_read(s, n, n, &err);
        assert_non_null(all);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                assert_non_null(json_obj(all, names[i]));
                check_werkzeug(names[i], json_obj(all, names[i]));
        }
        json_decref(all);
        free(s);
        s = slurp("werkzeug", "multipart/ie7_full_path_request.http", &n);
        r = parse_n(
            "multipart/form-data; boundary=---------------------------7da36d1b4a0164", s,
            n);
        assert_int_equal(r.rc, 0);
        for (size_t i = 0; i < r.n; i++)
                if (r.parts[i].is_file) {
                        assert_string_equal(r.parts[i].name, "cb_file_upload_multiple");
                        assert_string_equal(r.parts[i].filename,
                            "Sellersburg Town Council Meeting 02-22-2010doc.doc");
                }
        arena_free(&r.arena);
        free(s);
}

/* `form_parse TYPE < body`: what was understood, as JSON (tests/model/corpora_forms.py). */
static int
dump(const char *type)
{
        struct buf in AUTO_BUF = BUF_INIT, out AUTO_BUF = BUF_INIT;
        struct json_out o;
        struct result r;
        size_t n;

        do {
                n = fread(buf_reserve(&in, 65536), 1, 65536, stdin);
                in.len += n;
        } while (n > 0);
        r = parse_steps(type, in.data, in.len, 1, &wide);
        jo_init(&o, &out);
        jo_open(&o, '{');
        jo_kstring(&o, "error", r.err.text);
        jo_key(&o, "parts");
        jo_open(&o, '[');
        for (size_t i = 0; i < r.n; i++) {
                jo_open(&o, '{');
                jo_kstring(&o, "name", r.parts[i].name);
                jo_kbool(&o, "file", r.parts[i].is_file);
                jo_kstring(&o, "filename", r.parts[i].filename);
                jo_kstring(&o, "type", r.parts[i].type);
                jo_kstring(&o, "value", r.parts[i].value);
                jo_kstring(&o, "sha256", r.parts[i].sha256);
                jo_close(&o, '}');
        }
        jo_close(&o, ']');
        jo_close(&o, '}');
        puts(buf_str(&out));
        arena_free(&r.arena);
        return 0;
}

int
main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_fields_and_files),
            cmocka_unit_test(test_names),
            cmocka_unit_test(test_encodings),
            cmocka_unit_test(test_refused),
            cmocka_unit_test(test_urlencoded),
            cmocka_unit_test(test_limits),
            cmocka_unit_test(test_linear),
            cmocka_unit_test(test_wpt),
            cmocka_unit_test(test_werkzeug),
        };

        if (argc == 2)
                return dump(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
