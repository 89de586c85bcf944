/*
 * helpline feed NAME: call records on standard input, into the phone log of that name.
 *
 * Lines (Asterisk, FreeSWITCH), JSON or XML, as many as there are. Exits with 75 when the
 * daemon or its store is away; to feed the same again does no harm, since a call is known
 * by its id.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "channels/phone_parse.h"
#include "daemon/base/json.h"
#include "daemon/tool/tool.h"

#define PIECE_MAX 1000000 /* of one FEED; an argument is at most 1 MB */
#define INPUT_MAX (256 << 20)
#define ANSWER_MS 180000 /* it is given when the calls are settled */

struct fed { /* the sum of all answers */
        int64_t records, bad, calls;
};

static int
input_read(struct buf *b)
{
        for (;;) {
                ssize_t n = read(STDIN_FILENO, buf_reserve(b, 65536), 65536);

                if (n == -1 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n == 0 ? 0 : -1;
                b->len += (size_t)n;
                b->data[b->len] = '\0';
                if (b->len > INPUT_MAX)
                        return -1;
        }
}

/* As many whole records as one FEED may hold. */
static size_t
piece_length(const char *s, size_t n)
{
        size_t len = 0, used;

        if (n <= PIECE_MAX)
                return n;
        while (len < n && (used = phone_pushed_length(s + len, n - len)) > 0 &&
               (len == 0 || len + used <= PIECE_MAX))
                len += used;
        return len;
}

static int
feed_answer(const struct resp_value *v, struct fed *sum)
{
        json_t *o;
        struct err err;

        if (v->type == RESP_ERROR) {
                int code = tool_code_of(v->s);

                return tool_fail(
                    code == TOOL_AWAY ? EX_TEMPFAIL : code, "%.*s", (int)v->len, v->s);
        }
        o = json_read(v->s, v->len, 65536, &err);
        if (o == NULL)
                return tool_fail(
                    EX_TEMPFAIL, "the daemon's answer is no JSON: %s", err.text);
        sum->records += json_int(o, "records", 0);
        sum->bad += json_int(o, "bad", 0);
        sum->calls += json_int(o, "calls", 0);
        json_decref(o);
        return 0;
}

static int
feed_pieces(struct client *c, const char *name, const char *s, size_t n, struct fed *sum)
{
        int code = 0;

        while (n > 0 && code == 0) {
                struct arena *a AUTO_ARENA = arena_new();
                size_t len = piece_length(s, n);
                const char *piece = arena_strndup(a, s, len);
                struct resp_value v;
                struct err err;

                if (client_call(
                        c, 3, (const char *[]){"FEED", name, piece}, a, &v, &err) == -1)
                        return tool_fail(EX_TEMPFAIL, "%s", err.text);
                code = feed_answer(&v, sum);
                s += len;
                n -= len;
        }
        return code;
}

int
verb_feed(struct tool *t, int argc, char **argv)
{
        struct buf in AUTO_BUF = BUF_INIT;
        struct fed sum = {0, 0, 0};
        struct client *c;
        struct err err;
        int code;

        if (argc != 2)
                return tool_fail(TOOL_USAGE, "usage: helpline feed NAME < RECORDS");
        if (input_read(&in) == -1)
                return tool_fail(
                    EX_DATAERR, "cannot read standard input, or more than 256 MB");
        if (in.len > 0 && memchr(in.data, '\0', in.len) != NULL)
                return tool_fail(EX_DATAERR, "standard input is no text");
        t->client.timeout_ms = ANSWER_MS;
        c = client_open(&t->client, &code, &err);
        if (c == NULL)
                return tool_fail(code == TOOL_AWAY ? EX_TEMPFAIL : code, "%s", err.text);
        code = feed_pieces(c, argv[1], buf_str(&in), in.len, &sum);
        client_close(&c);
        fprintf(stderr, "records %lld, calls %lld, not understood %lld\n",
            (long long)sum.records, (long long)sum.calls, (long long)sum.bad);
        return code;
}
