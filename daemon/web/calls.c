/*
 * POST /calls/NAME: an exchange (or what stands beside it) pushes its call records, with
 * `Authorization: Bearer` and the password of the phone block. The answer comes when
 * their calls are settled, so whoever pushes sends again what was not said to be taken;
 * calls sent twice are seen by their ids.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channels/phone_log.h"
#include "daemon/base/digest.h"
#include "daemon/base/json.h"
#include "daemon/base/log.h"
#include "daemon/phones.h"
#include "daemon/web/request.h"

#define PUSH_MAX (1 << 20)

static void
answer_sentence(struct web_request *q, int status, const char *sentence)
{
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring(&o, "error", sentence);
        jo_close(&o, '}');
        web_answer_json(q, status, &b);
}

/* Is it the password of this exchange? In constant time for its length. */
static bool
may_push(struct web_request *q, const struct phone_options *p)
{
        const char *given = http_header(q->http, "Authorization");
        char right[65], sent[65];

        if (*p->token == '\0' || strncasecmp(given, "Bearer ", 7) != 0)
                return false;
        given += 7 + strspn(given + 7, " ");
        sha256_hex(p->token, strlen(p->token), right);
        sha256_hex(given, strlen(given), sent);
        return equal_constant_time(right, sent, 64);
}

static int64_t
calls_head(struct web_request *q)
{
        const struct phone_options *p = config_phone(q->web->desk->config, q->rest);

        q->is_json = true; /* the body is kept, the answer is JSON */
        if (p == NULL) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return -1;
        }
        if (!may_push(q, p)) {
                log_info("CALLS-REFUSED", "phone=%s client=%s", log_quote(q->rest),
                    http_client(q->http));
                http_add_header(q->http, "WWW-Authenticate", "Bearer");
                answer_sentence(q, 401,
                    "the password of this phone block is wanted: "
                    "Authorization: Bearer ...");
                return -1;
        }
        return PUSH_MAX;
}

static void
on_pushed(void *arg, const struct phone_pushed *p)
{
        struct web_reading *r = arg;
        struct web_request *q = r->q;
        struct buf b AUTO_BUF = BUF_INIT;
        struct json_out o;

        free(r);
        if (q == NULL)
                return;
        q->reading = NULL;
        if (p->settlement == SETTLE_LATER || p->settlement == SETTLE_FULL) {
                answer_sentence(q, p->settlement == SETTLE_FULL ? 507 : 503, p->why);
                return;
        }
        jo_init(&o, &b);
        jo_open(&o, '{');
        jo_kstring_or_null(&o, "ticket", p->ticket);
        jo_kint(&o, "calls", p->n_calls);
        jo_kint(&o, "records", p->n_records);
        jo_kint(&o, "bad", p->n_bad);
        jo_close(&o, '}');
        web_answer_json(q, 200, &b);
}

static void
calls_end(struct web_request *q)
{
        struct phone_log *log = phones_find(q->web->desk->phones, q->rest);
        struct err err;

        if (log == NULL) {
                web_answer_error(q, PAGE_NOT_FOUND);
                return;
        }
        q->reading = xcalloc(1, sizeof *q->reading);
        q->reading->q = q;
        if (phone_log_push(log, http_header(q->http, "Content-Type"), buf_str(&q->json),
                q->json.len, on_pushed, q->reading, &err) == 0)
                return;
        free(q->reading);
        q->reading = NULL;
        answer_sentence(q, err.kind == ERR_RETRY ? 503 : 400, err.text);
}

const struct web_route web_call_routes[] = {
    {HTTP_POST, "/calls/", calls_head, calls_end},
};
const size_t n_web_call_routes = sizeof web_call_routes / sizeof *web_call_routes;
