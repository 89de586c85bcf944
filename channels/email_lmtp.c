/*
 * Mail in by LMTP: the server; the words are in email_lmtp_parse.c.
 *
 * A connection goes COMMAND -> DATA -> SETTLING -> COMMAND. In SETTLING the mail
 * has been handed up and nothing has been said to the client: 250 is said for a
 * recipient only when its account's token was settled, and in RCPT order. So when
 * we are killed the client has no answer and sends the mail again; when the
 * client is gone first, its token is stale and settling it does nothing here.
 *
 * Several recipients of one account are one arrival: each has its answer, the
 * message comes once.
 *
 * Every state has a deadline, kept by the one timer of the connection, and what
 * a client may make us hold is bounded: a line, 64 KB read ahead, 256 KB of a
 * mail in memory (the rest in a nameless spool file), 64 KB of unread answers,
 * 100 commands without a mail.
 */
#include "channels/email_lmtp.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channels/spool.h"
#include "daemon/base/arena.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/stream.h"

#define MEMORY_MAX ((size_t)256 * 1024) /* of a mail; the rest spools */
#define READ_AHEAD ((size_t)64 * 1024)
#define UNSENT_MAX ((size_t)64 * 1024)
#define ERRORS_MAX 20
#define IDLE_MAX 100
#define FAREWELL_MS 5000

enum lmtp_state { STATE_COMMAND, STATE_DATA, STATE_SETTLING, STATE_ENDED };

struct lmtp_recipient {
        unsigned account; /* which of the connection's accounts */
};

struct lmtp_account { /* one token each */
        const char *name; /* as configured */
        bool is_settled;
        char reply[320]; /* the answer of each of its recipients, once settled */
};

struct lmtp_conn {
        struct lmtp *lmtp;
        struct stream *stream;
        struct timer *deadline; /* of the state it is in */
        uint64_t id; /* source in its tokens */
        uint32_t serial; /* of the transaction; a token of an older one is stale */
        enum lmtp_state state;
        bool said_hello;
        bool has_mail; /* MAIL was accepted */
        bool delivering; /* inside host->deliver */
        bool eof; /* the client has ended its side */
        unsigned n_errors; /* since the last mail taken */
        unsigned n_idle; /* commands that bring no mail nearer, since then */

        struct arena *arena; /* of the transaction: the four below */
        char *envelope_from;
        struct lmtp_recipient *recipients;
        unsigned n_recipients;
        struct lmtp_account *accounts;
        unsigned n_accounts;
        unsigned n_answered; /* recipients whose answer has been said */

        struct lmtp_data feed; /* where in DATA it is */
        struct spool mail; /* its bytes */
        bool too_big;
        int64_t data_until_us; /* total_ms of this DATA */
        TAILQ_ENTRY(lmtp_conn) link;
};
TAILQ_HEAD(lmtp_conns, lmtp_conn);

struct lmtp {
        struct channel channel; /* first */
        struct loop *loop;
        struct lmtp_options options; /* strings are ours */
        char *spool_dir, *hostname;
        struct listener **listeners;
        size_t n_listeners;
        struct lmtp_conns conns;
        size_t n_conns;
        uint64_t last_id;
        bool draining;
};

static void conn_go_on(struct lmtp_conn *c);

/* ---- words to the client ---- */

static void
say(struct lmtp_conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One reply line; CR, LF and other controls inside become blanks. */
static void
say(struct lmtp_conn *c, const char *fmt, ...)
{
        char line[520];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(line, sizeof line, fmt, ap);
        va_end(ap);
        for (char *p = line; *p != '\0'; p++)
                if ((unsigned char)*p < ' ')
                        *p = ' ';
        stream_write(c->stream, line, strlen(line));
        stream_write(c->stream, "\r\n", 2);
}

/* ---- a transaction ---- */

/* Forget it: whatever is settled later of it is stale. */
static void
transaction_reset(struct lmtp_conn *c)
{
        c->serial++;
        c->has_mail = false;
        arena_free(&c->arena);
        c->arena = arena_new();
        c->envelope_from = NULL;
        c->recipients = NULL;
        c->accounts = NULL;
        c->n_recipients = c->n_accounts = c->n_answered = 0;
        memset(&c->feed, 0, sizeof c->feed);
        spool_fini(&c->mail);
        c->too_big = false;
}

/* ---- the life of a connection ---- */

static void
conn_reap(void *arg)
{
        struct lmtp_conn *c = arg;

        arena_free(&c->arena);
        free(c);
}

/* Everything but the memory; what was said still leaves when polite. */
static void
conn_end(struct lmtp_conn *c, bool polite)
{
        if (c->state == STATE_ENDED)
                return;
        transaction_reset(c);
        c->state = STATE_ENDED;
        timer_free(&c->deadline);
        if (polite)
                stream_close_after_write(&c->stream, FAREWELL_MS);
        else
                stream_close(&c->stream);
        TAILQ_REMOVE(&c->lmtp->conns, c, link);
        c->lmtp->n_conns--;
        loop_later(c->lmtp->loop, conn_reap, c);
}

static void
conn_state(struct lmtp_conn *c, enum lmtp_state s)
{
        const struct lmtp_options *o = &c->lmtp->options;
        int64_t ms = o->command_ms;

        c->state = s;
        if (s == STATE_SETTLING)
                ms = o->settle_ms;
        if (s == STATE_DATA) {
                int64_t left_ms = (c->data_until_us - clock_mono_us()) / 1000;

                ms = left_ms < o->data_ms ? left_ms : o->data_ms;
        }
        timer_set(c->deadline, ms);
}

/* ---- answers after DATA ---- */

/* Says what can be said in RCPT order; at the end of it goes on with commands. */
static void
settling_flush(struct lmtp_conn *c)
{
        while (c->n_answered < c->n_recipients) {
                struct lmtp_account *a =
                    &c->accounts[c->recipients[c->n_answered].account];

                if (!a->is_settled)
                        return;
                say(c, "%s", a->reply);
                c->n_answered++;
        }
        transaction_reset(c);
        conn_state(c, STATE_COMMAND);
}

static void
account_answer(
    struct lmtp_account *a, const char *code, const char *sentence, const char *why)
{
        bool has_why = why != NULL && *why != '\0';

        a->is_settled = true;
        snprintf(a->reply, sizeof a->reply, "%s %s%s%s", code, sentence,
            has_why ? ": " : "", has_why ? why : "");
}

static void
account_settle(struct lmtp_account *a, enum settlement s, const char *why)
{
        switch (s) {
        case SETTLE_STORED:
                account_answer(a, "250 2.0.0", "stored", NULL);
                break;
        case SETTLE_DUPLICATE:
                account_answer(a, "250 2.0.0", "stored before", NULL);
                break;
        case SETTLE_QUARANTINED:
                account_answer(a, "250 2.0.0", "kept for a person to look at", NULL);
                break;
        case SETTLE_LATER:
                account_answer(a, "451 4.3.0", "not taken, try again later", why);
                break;
        case SETTLE_FULL:
                account_answer(a, "452 4.3.1", "no room, try again later", why);
                break;
        }
}

static struct lmtp_conn *
conn_find(struct lmtp *l, uint64_t id)
{
        struct lmtp_conn *c;

        TAILQ_FOREACH(c, &l->conns, link)
        if (c->id == id)
                return c;
        return NULL;
}

static void
lmtp_settle(struct channel *ch, struct channel_token t, enum settlement s,
    const char *why, const char *ticket)
{
        struct lmtp_conn *c = conn_find((struct lmtp *)ch, t.source);

        (void)ticket; /* a mail server does not want to know */
        if (c == NULL || c->serial != t.serial || c->state != STATE_SETTLING ||
            t.index >= c->n_accounts || c->accounts[t.index].is_settled)
                return; /* the client is gone, or was told 451 meanwhile */
        account_settle(&c->accounts[t.index], s, why);
        if (c->delivering)
                return;
        settling_flush(c);
        conn_go_on(c);
}

/* The same answer for every recipient, without handing anything up. */
static void
data_refuse(struct lmtp_conn *c, const char *reply)
{
        for (unsigned i = 0; i < c->n_recipients; i++)
                say(c, "%s", reply);
        transaction_reset(c);
        conn_state(c, STATE_COMMAND);
}

static void
data_hand_up(struct lmtp_conn *c)
{
        const struct channel_host *host = c->lmtp->channel.host;
        struct arrival a = {.channel = "email",
            .bytes = c->mail.fd == -1 ? buf_str(&c->mail.memory) : NULL,
            .len = c->mail.len,
            .fd = c->mail.fd,
            .has_envelope = true,
            .envelope_from = c->envelope_from,
            .received_at_us = clock_now_us(),
            .token = {&c->lmtp->channel, c->id, 0, c->serial}};

        c->n_errors = c->n_idle = 0;
        conn_state(c, STATE_SETTLING);
        c->delivering = true;
        for (unsigned i = 0; i < c->n_accounts; i++) {
                a.account = c->accounts[i].name;
                a.token.index = i;
                host->deliver(host->arg, &a);
        }
        c->delivering = false;
        spool_fini(&c->mail);
        settling_flush(c);
}

/* CRLF.CRLF was seen. */
static void
data_end(struct lmtp_conn *c)
{
        char reply[128];

        if (c->too_big) {
                snprintf(reply, sizeof reply,
                    "552 5.3.4 the mail is larger than %zu bytes",
                    c->lmtp->options.max_message);
                data_refuse(c, reply);
        } else if (c->mail.failed) {
                data_refuse(c, "452 4.3.1 no room to spool the mail, try again later");
        } else {
                data_hand_up(c);
        }
}

/* ---- DATA ---- */

/* Bytes of the mail, dots already unstuffed. */
static void
data_take(void *arg, const char *p, size_t n)
{
        struct lmtp_conn *c = arg;

        if (!c->too_big && n > c->lmtp->options.max_message - c->mail.len) {
                c->too_big = true;
                spool_fini(&c->mail);
        }
        if (!c->too_big)
                spool_add(&c->mail, p, n);
}

static void
data_read(struct lmtp_conn *c)
{
        size_t n, used;
        const char *p = stream_input(c->stream, &n);
        bool ended;

        if (n == 0)
                return;
        used = lmtp_data_feed(&c->feed, p, n, data_take, c, &ended);
        stream_consume(c->stream, used);
        if (ended)
                data_end(c);
        else
                conn_state(c, STATE_DATA); /* a byte came: its deadline moves */
}

/* ---- commands ---- */

/* A command that was refused; too many end the connection. */
static void
refuse(struct lmtp_conn *c, const char *reply)
{
        say(c, "%s", reply);
        if (*reply == '5' && ++c->n_errors >= ERRORS_MAX) {
                say(c, "421 4.7.0 %d errors are too many, closing", ERRORS_MAX);
                conn_end(c, true);
        }
}

static void
on_lhlo(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        (void)cmd;
        transaction_reset(c);
        c->said_hello = true;
        say(c, "250-%s", c->lmtp->hostname);
        say(c, "250-PIPELINING");
        say(c, "250-8BITMIME");
        say(c, "250-ENHANCEDSTATUSCODES");
        say(c, "250 SIZE %zu", c->lmtp->options.max_message);
}

static void
on_mail(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        const struct channel_host *host = c->lmtp->channel.host;
        struct err err = {0};

        if (!c->said_hello) {
                refuse(c, "503 5.5.1 say LHLO first");
        } else if (c->has_mail) {
                refuse(c, "503 5.5.1 a mail is under way: RSET ends it");
        } else if (cmd->has_size && cmd->size > c->lmtp->options.max_message) {
                say(c, "552 5.3.4 a mail may have %zu bytes",
                    c->lmtp->options.max_message);
        } else if (host->may_take(host->arg, &err) == -1) {
                say(c, "%s %s", strcmp(err.code, "452") == 0 ? "452 4.3.1" : "451 4.3.0",
                    err.text);
        } else {
                c->has_mail = true;
                c->envelope_from = arena_strdup(c->arena, cmd->address);
                say(c, "250 2.1.0 sender noted");
        }
}

/* The transaction's account of that name, new when it is the first recipient of it. */
static unsigned
account_index(struct lmtp_conn *c, const char *name)
{
        unsigned i;

        for (i = 0; i < c->n_accounts; i++)
                if (strcmp(c->accounts[i].name, name) == 0)
                        return i;
        c->accounts =
            arena_grow(c->arena, c->accounts, c->n_accounts, sizeof *c->accounts);
        memset(&c->accounts[i], 0, sizeof *c->accounts);
        c->accounts[i].name = arena_strdup(c->arena, name);
        c->n_accounts++;
        return i;
}

static void
on_rcpt(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        const struct channel_host *host = c->lmtp->channel.host;
        const char *account;

        if (!c->has_mail) {
                refuse(c, "503 5.5.1 say MAIL FROM first");
                return;
        }
        if (c->n_recipients >= c->lmtp->options.max_recipients) {
                say(c, "452 4.5.3 a mail may have %u recipients here",
                    c->lmtp->options.max_recipients);
                return;
        }
        account = host->account_of(host->arg, cmd->address);
        if (account == NULL) {
                refuse(c, "550 5.1.1 no such address here");
                return;
        }
        c->recipients =
            arena_grow(c->arena, c->recipients, c->n_recipients, sizeof *c->recipients);
        c->recipients[c->n_recipients++].account = account_index(c, account);
        say(c, "250 2.1.5 recipient noted");
}

static void
on_data(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        (void)cmd;
        if (!c->has_mail) {
                refuse(c, "503 5.5.1 say MAIL FROM first");
        } else if (c->n_recipients == 0) {
                refuse(c, "503 5.5.1 no recipient was accepted");
        } else {
                say(c, "354 send the mail, end it with a line that is only a dot");
                c->data_until_us = clock_mono_us() + c->lmtp->options.total_ms * 1000;
                conn_state(c, STATE_DATA);
        }
}

static void
on_rset(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        (void)cmd;
        transaction_reset(c);
        say(c, "250 2.0.0 forgotten");
}

static void
on_noop(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        (void)cmd;
        say(c, "250 2.0.0 nothing done");
}

static void
on_quit(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        (void)cmd;
        say(c, "221 2.0.0 bye");
        conn_end(c, true);
}

static void
on_vrfy(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        (void)cmd;
        say(c, "252 2.5.2 RCPT TO tells");
}

static void
on_help(struct lmtp_conn *c, const struct lmtp_command *cmd)
{
        (void)cmd;
        say(c, "214 2.0.0 LHLO MAIL RCPT DATA RSET NOOP VRFY QUIT; see RFC 2033");
}

static void (*const command_table[])(struct lmtp_conn *, const struct lmtp_command *) = {
    [LMTP_LHLO] = on_lhlo,
    [LMTP_MAIL] = on_mail,
    [LMTP_RCPT] = on_rcpt,
    [LMTP_DATA] = on_data,
    [LMTP_RSET] = on_rset,
    [LMTP_NOOP] = on_noop,
    [LMTP_QUIT] = on_quit,
    [LMTP_VRFY] = on_vrfy,
    [LMTP_HELP] = on_help,
    /* LMTP_HELO and LMTP_UNKNOWN never come back from the parser */
};

/* Says why and closes: what follows cannot be told apart from the mistake. */
static void
conn_abort(struct lmtp_conn *c, const char *reply)
{
        log_info(
            "LMTP", "conn=%llu closed=%s", (unsigned long long)c->id, log_quote(reply));
        say(c, "%s", reply);
        conn_end(c, true);
}

/* A client may say these for ever, and hold its connection so. */
static bool
command_is_idle(enum lmtp_verb verb)
{
        return verb != LMTP_MAIL && verb != LMTP_RCPT && verb != LMTP_DATA &&
               verb != LMTP_QUIT;
}

/* One command, if a whole line of it is there. */
static bool
command_read(struct lmtp_conn *c)
{
        char line[LMTP_LINE_MAX];
        struct lmtp_command cmd;
        struct err err = {0};
        size_t n;
        const char *p = stream_input(c->stream, &n);
        long len = lmtp_line_find(p, n);

        if (len == 0)
                return false;
        if (len < 0) {
                conn_abort(c,
                    len == -1 ? "500 5.5.2 a line must end in CRLF and hold no other CR, "
                                "LF or NUL, closing"
                              : "500 5.5.2 the line is too long, closing");
                return false;
        }
        memcpy(line, p, (size_t)len);
        stream_consume(c->stream, (size_t)len);
        timer_set(c->deadline, c->lmtp->options.command_ms);
        if (lmtp_command_parse(line, (size_t)len - 2, &cmd, &err) == -1)
                refuse(c, err.text);
        else if (command_is_idle(cmd.verb) && ++c->n_idle > IDLE_MAX)
                conn_abort(c, "421 4.7.0 too many commands without a mail, closing");
        else
                command_table[cmd.verb](c, &cmd);
        return true;
}

/* ---- events ---- */

/* Between two mails: has the drain or the client's end of file its turn? */
static bool
conn_is_over(struct lmtp_conn *c)
{
        size_t n;

        if (c->state == STATE_ENDED)
                return true;
        if (c->state != STATE_COMMAND)
                return false;
        if (c->lmtp->draining) {
                say(c, "421 4.3.2 shutting down, try again later");
                conn_end(c, true);
                return true;
        }
        stream_input(c->stream, &n);
        if (c->eof && n == 0) {
                conn_end(c, true);
                return true;
        }
        return false;
}

/* As far as the input reaches and the client reads our answers. */
static void
conn_go_on(struct lmtp_conn *c)
{
        size_t before, after;

        while (!conn_is_over(c) && c->state != STATE_SETTLING &&
               stream_unsent(c->stream) <= UNSENT_MAX) {
                stream_input(c->stream, &before);
                if (c->state == STATE_DATA)
                        data_read(c);
                else if (before == 0 || !command_read(c))
                        break;
                if (c->state == STATE_ENDED)
                        return;
                stream_input(c->stream, &after);
                if (before == 0 || before == after)
                        break;
        }
        if (c->state != STATE_ENDED && c->state != STATE_SETTLING && c->eof &&
            stream_unsent(c->stream) <= UNSENT_MAX)
                conn_end(
                    c, true); /* half a command or half a mail: nothing of it counts */
}

static void
conn_on_read(void *arg)
{
        conn_go_on(arg);
}

static void
conn_on_eof(void *arg)
{
        struct lmtp_conn *c = arg;

        c->eof = true;
        conn_go_on(c);
}

static void
conn_on_close(void *arg, const struct err *why)
{
        (void)why;
        conn_end(arg, false);
}

static void
conn_on_deadline(void *arg)
{
        struct lmtp_conn *c = arg;

        switch (c->state) {
        case STATE_COMMAND:
                conn_abort(c, "421 4.4.2 no command in time, closing");
                return;
        case STATE_DATA:
                conn_abort(c, "421 4.4.2 the mail did not come in time, closing");
                return;
        case STATE_SETTLING:
                for (unsigned i = 0; i < c->n_accounts; i++)
                        if (!c->accounts[i].is_settled)
                                account_settle(&c->accounts[i], SETTLE_LATER,
                                    "the store takes too long");
                settling_flush(c);
                conn_go_on(c);
                return;
        case STATE_ENDED:
                return;
        }
}

static const struct stream_handlers conn_handlers = {
    .on_read = conn_on_read,
    .on_drain = conn_on_read, /* it reads our answers again: go on with its commands */
    .on_eof = conn_on_eof,
    .on_close = conn_on_close,
};

/* A flood must not hold descriptors: told at once, as far as the kernel takes it. */
static void
accept_refuse(int fd)
{
        static const char full[] = "421 4.3.2 too many connections, try again later\r\n";

        send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
}

static void
lmtp_on_accept(void *arg, int fd, const struct peer *peer)
{
        struct lmtp *l = arg;
        struct lmtp_conn *c;

        if (l->draining || l->n_conns >= l->options.max_connections) {
                accept_refuse(fd);
                return;
        }
        c = xcalloc(1, sizeof *c);
        c->lmtp = l;
        c->id = ++l->last_id;
        spool_init(&c->mail, l->spool_dir, MEMORY_MAX);
        c->arena = arena_new();
        c->stream = stream_new(l->loop, fd, &conn_handlers, c);
        c->deadline = timer_new(l->loop, conn_on_deadline, c);
        TAILQ_INSERT_TAIL(&l->conns, c, link);
        l->n_conns++;
        stream_limit_input(c->stream, READ_AHEAD);
        stream_keepalive(c->stream);
        log_debug("LMTP", "conn=%llu from=%s", (unsigned long long)c->id, peer->address);
        say(c, "220 %s LMTP helpline", l->hostname);
        conn_state(c, STATE_COMMAND);
}

static const struct channel_ops channel_lmtp = {
    .name = "email",
    .settle = lmtp_settle,
};

/* ---- the server ---- */

/* Made when missing; what an older process left there was never acknowledged. */
static int
spool_prepare(const char *dir, struct err *err)
{
        struct dirent *e;
        DIR *d;

        if (mkdir(dir, 0700) == -1 && errno != EEXIST)
                return err_errno(
                    err, ERR_CONFIG, errno, "cannot make the spool folder %s", dir);
        d = opendir(dir);
        if (d == NULL)
                return err_errno(
                    err, ERR_CONFIG, errno, "cannot read the spool folder %s", dir);
        while ((e = readdir(d)) != NULL)
                if (e->d_name[0] != '.')
                        unlinkat(dirfd(d), e->d_name, 0);
        closedir(d);
        return 0;
}

static void
options_take(struct lmtp *l, const struct lmtp_options *o)
{
        struct lmtp_options *to = &l->options;

        *to = *o;
        l->spool_dir = xstrdup(o->spool_dir);
        l->hostname = xstrdup(
            o->hostname == NULL || *o->hostname == '\0' ? "localhost" : o->hostname);
        to->listen = NULL; /* only while opening */
        to->spool_dir = l->spool_dir;
        to->hostname = l->hostname;
        if (to->max_message == 0)
                to->max_message = (size_t)25 * 1024 * 1024;
        if (to->max_connections == 0)
                to->max_connections = 100;
        if (to->max_recipients == 0)
                to->max_recipients = 100;
        if (to->command_ms == 0)
                to->command_ms = 60000;
        if (to->data_ms == 0)
                to->data_ms = 60000;
        if (to->total_ms == 0)
                to->total_ms = 600000;
        if (to->settle_ms == 0)
                to->settle_ms = 60000;
}

int
lmtp_open(struct loop *loop, const struct lmtp_options *o,
    const struct channel_host *host, struct lmtp **out, struct err *err)
{
        struct lmtp *l = xcalloc(1, sizeof *l);

        l->channel.ops = &channel_lmtp;
        l->channel.host = host;
        l->loop = loop;
        TAILQ_INIT(&l->conns);
        options_take(l, o);
        l->listeners = xcalloc(o->n_listen + 1, sizeof(struct listener *));
        if (spool_prepare(l->spool_dir, err) == -1) {
                lmtp_close(&l);
                return -1;
        }
        for (size_t i = 0; i < o->n_listen; i++) {
                l->listeners[i] =
                    listener_open(loop, o->listen[i], 0660, lmtp_on_accept, l, err);
                if (l->listeners[i] == NULL) {
                        lmtp_close(&l);
                        return -1;
                }
                l->n_listeners++;
        }
        *out = l;
        return 0;
}

static void
listeners_close(struct lmtp *l)
{
        for (size_t i = 0; i < l->n_listeners; i++)
                listener_close(&l->listeners[i]);
        l->n_listeners = 0;
}

void
lmtp_drain(struct lmtp *l)
{
        struct lmtp_conn *c, *next;

        l->draining = true;
        listeners_close(l);
        for (c = TAILQ_FIRST(&l->conns); c != NULL; c = next) {
                next = TAILQ_NEXT(c, link);
                conn_is_over(c);
        }
}

void
lmtp_close(struct lmtp **p)
{
        struct lmtp *l = *p;
        struct lmtp_conn *c;

        *p = NULL;
        if (l == NULL)
                return;
        listeners_close(l);
        while ((c = TAILQ_FIRST(&l->conns)) != NULL)
                conn_end(c, false);
        free(l->listeners);
        free(l->spool_dir);
        free(l->hostname);
        free(l);
}

size_t
lmtp_connections(const struct lmtp *l)
{
        return l->n_conns;
}

const char *
lmtp_address(const struct lmtp *l, size_t i)
{
        return i < l->n_listeners ? listener_address(l->listeners[i]) : "";
}
