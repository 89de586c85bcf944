/*
 * Call records of any syntax: never crash, never read beyond, always move on. The first
 * byte chooses the syntax, the rest is what an exchange wrote.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "channels/phone_parse.h"
#include "daemon/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
row_check(const struct phone_row *r)
{
        const char *s[] = {r->key, r->group, r->src, r->dst, r->clid_name, r->channel,
            r->dstchannel, r->disposition};

        for (size_t i = 0; i < sizeof s / sizeof *s; i++)
                assert(utf8_valid(s[i], strlen(s[i])) && strpbrk(s[i], "\r\n") == NULL);
        assert(*r->group != '\0' && r->billsec >= 0);
}

static void
record(const char *s, size_t n, const struct phone_syntax_options *o, struct arena *a)
{
        static const char *const ours[] = {"200", "+74951234567"};
        struct phone_sum_options so = {ours, 2, "7", 0};
        struct phone_row r[2];
        struct phone_call c;
        struct err err;

        if (phone_row_parse(s, n, o, a, &r[0], &err) == -1)
                return;
        row_check(&r[0]);
        r[1] = r[0];
        phone_rows_sum(r, 2, &so, a, &c);
        so.n_ours = 0;
        phone_rows_sum(r, 2, &so, a, &c);
        phone_rows_are_short(r, 2, 5000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct phone_syntax_options o = {.syntax = PHONE_SYNTAX_ASTERISK};
        char *copy;
        const char *s;
        size_t n, used;

        if (size == 0)
                return 0;
        copy = malloc(size); /* its end is watched */
        memcpy(copy, data + 1, size - 1);
        s = copy;
        n = size - 1;
        o.column17_is_userfield = data[0] & 0x10;
        if ((data[0] & 7) < 5) {
                o.syntax = (enum phone_syntax)(data[0] & 7);
                record(s, n, &o, a);
                used = phone_record_length(s, n, data[0] & 0x20);
                assert(used <= n);
        } else if (phone_push_unwrap("", copy, n, a, &s, &n, NULL) == 0) {
                for (; n > 0; s += used, n -= used) {
                        used = phone_pushed_length(s, n);
                        assert(used > 0 && used <= n);
                        o.syntax = phone_syntax_guess(s, used);
                        record(s, used, &o, a);
                }
        }
        free(copy);
        return 0;
}
