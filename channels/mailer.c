/*
 * The frames between the daemon and helpline-mailer: fields in a fixed order,
 * numbers as 4 bytes big-endian, strings as such a length and their bytes.
 *
 * The daemon believes an answer only as far as it fits its job: it must tell of
 * exactly that many recipients, each fate must fit its code, and the words of a
 * server are cleaned and cut. The addresses are those of the job.
 */
#include "channels/mailer.h"

#include <stdint.h>
#include <string.h>

#include "daemon/base/utf8.h"

#define VERSION 1
#define RECIPIENTS_MAX 1000
#define REPLY_MAX 200
#define WHY_MAX 400

static void
add_number(struct buf *b, uint32_t v)
{
        char p[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};

        buf_add(b, p, 4);
}

static void
add_bytes(struct buf *b, const char *p, size_t n)
{
        add_number(b, (uint32_t)n);
        buf_add(b, p, n);
}

static void
add_string(struct buf *b, const char *s)
{
        add_bytes(b, s, strlen(s));
}

struct take { /* what is left of a frame; bad once anything did not fit */
        const char *p;
        size_t n;
        bool bad;
};

static uint32_t
take_number(struct take *t)
{
        const unsigned char *u = (const unsigned char *)t->p;

        if (t->bad || t->n < 4) {
                t->bad = true;
                return 0;
        }
        t->p += 4;
        t->n -= 4;
        return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* Bytes inside the frame; "" with *len 0 when bad. */
static const char *
take_bytes(struct take *t, size_t *len)
{
        const char *p;

        *len = take_number(t);
        if (t->bad || t->n < *len) {
                t->bad = true;
                *len = 0;
                return "";
        }
        p = t->p;
        t->p += *len;
        t->n -= *len;
        return p;
}

/* A copy; a NUL inside is bad. */
static const char *
take_string(struct take *t, struct arena *a)
{
        size_t len;
        const char *p = take_bytes(t, &len);

        if (len > 0 && memchr(p, '\0', len) != NULL)
                t->bad = true;
        return arena_strndup(a, p, len);
}

/* A server's words: one line of clean UTF-8, cut. */
static const char *
take_words(struct take *t, struct arena *a, size_t max)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t len;
        const char *p = take_bytes(t, &len);

        utf8_add_clean(&b, p, utf8_cut(p, len, max));
        for (size_t i = 0; i < b.len; i++)
                if (b.data[i] == '\n' || b.data[i] == '\t')
                        b.data[i] = ' ';
        return arena_strndup(a, buf_str(&b), utf8_cut(buf_str(&b), b.len, max));
}

void
mailer_job_format(const struct mailer_job *j, struct buf *out)
{
        add_number(out, VERSION);
        add_string(out, j->host);
        add_number(out, j->port);
        add_string(out, j->user);
        add_string(out, j->password);
        add_number(out, j->starttls);
        add_string(out, j->envelope_from);
        add_number(out, (uint32_t)j->timeout_ms);
        add_number(out, (uint32_t)j->n_to);
        for (size_t i = 0; i < j->n_to; i++)
                add_string(out, j->to[i]);
        add_bytes(out, j->bytes, j->len);
}

int
mailer_job_parse(
    const char *p, size_t n, struct arena *a, struct mailer_job *out, struct err *err)
{
        struct take t = {p, n, false};

        memset(out, 0, sizeof *out);
        if (take_number(&t) != VERSION)
                return err_set(err, ERR_REJECT,
                    "the job is of another version: helplined and helpline-mailer must "
                    "be "
                    "of one release");
        out->host = take_string(&t, a);
        out->port = take_number(&t);
        out->user = take_string(&t, a);
        out->password = take_string(&t, a);
        out->starttls = take_number(&t) != 0;
        out->envelope_from = take_string(&t, a);
        out->timeout_ms = take_number(&t);
        out->n_to = take_number(&t);
        if (t.bad || out->n_to == 0 || out->n_to > RECIPIENTS_MAX)
                return err_set(err, ERR_REJECT, "the job has no or too many recipients");
        out->to = arena_alloc(a, out->n_to * sizeof *out->to);
        for (size_t i = 0; i < out->n_to; i++)
                out->to[i] = take_string(&t, a);
        out->bytes = take_bytes(&t, &out->len);
        if (t.bad || t.n > 0)
                return err_set(err, ERR_REJECT, "the job's frame is broken");
        return 0;
}

void
mailer_answer_format(const struct mailer_answer *r, struct buf *out)
{
        add_number(out, VERSION);
        add_number(out, r->connected);
        add_string(out, r->why);
        add_number(out, (uint32_t)r->n_recipients);
        for (size_t i = 0; i < r->n_recipients; i++) {
                add_number(out, r->recipients[i].fate);
                add_number(out, (uint32_t)r->recipients[i].code);
                add_string(out, r->recipients[i].reply);
        }
}

/* May a code of the server mean this fate? */
static bool
fate_fits(uint32_t fate, uint32_t code)
{
        switch (fate) {
        case MAIL_SENT:
                return code / 100 == 2;
        case MAIL_REFUSED:
                return code / 100 == 5;
        case MAIL_DEFERRED:
                return code < 600;
        }
        return false;
}

int
mailer_answer_parse(const char *p, size_t n, const struct mailer_job *job,
    struct arena *a, struct mailer_answer *out, struct err *err)
{
        struct take t = {p, n, false};

        memset(out, 0, sizeof *out);
        if (take_number(&t) != VERSION)
                return err_set(
                    err, ERR_REJECT, "the mailer's answer is of another version");
        out->connected = take_number(&t) != 0;
        out->why = take_words(&t, a, WHY_MAX);
        out->n_recipients = take_number(&t);
        if (t.bad || out->n_recipients != job->n_to)
                return err_set(
                    err, ERR_REJECT, "the mailer's answer tells of other recipients");
        out->recipients = arena_alloc(a, out->n_recipients * sizeof *out->recipients);
        for (size_t i = 0; i < out->n_recipients; i++) {
                struct mailer_recipient *r = &out->recipients[i];
                uint32_t fate = take_number(&t), code = take_number(&t);

                r->address = job->to[i];
                r->reply = take_words(&t, a, REPLY_MAX);
                if (t.bad || !fate_fits(fate, code) ||
                    (fate == MAIL_SENT && !out->connected))
                        return err_set(err, ERR_REJECT,
                            "the mailer's answer for recipient %zu makes no sense",
                            i + 1);
                r->fate = (enum mail_fate)fate;
                r->code = (int)code;
        }
        if (t.n > 0)
                return err_set(err, ERR_REJECT, "the mailer's answer is too long");
        return 0;
}
