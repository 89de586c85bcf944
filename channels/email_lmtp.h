/*
 * Mail in by LMTP (RFC 2033), with PIPELINING (2920), 8BITMIME (6152), SIZE
 * (1870) and ENHANCEDSTATUSCODES (2034, 3463).
 *
 * Only CRLF.CRLF ends DATA; bare CR or LF in a command line is refused; each
 * state has its limit and its deadline; mails over 256 KB spool to a file. After
 * DATA there is one answer a recipient, in RCPT order, each when it is settled.
 */
#ifndef HELPLINE_CHANNELS_EMAIL_LMTP_H
#define HELPLINE_CHANNELS_EMAIL_LMTP_H

#include "channels/channel.h"

struct lmtp;

struct lmtp_options {
        const char *const *listen; /* "unix:/path", "127.0.0.1:7724" */
        size_t n_listen;
        const char *spool_dir; /* made when missing; emptied at start */
        const char *hostname; /* in the greeting */
        size_t max_message; /* bytes; default 25 MB */
        size_t max_connections; /* default 100 */
        unsigned max_recipients; /* default 100 */
        int64_t command_ms; /* a command line must be whole within; default 60 s */
        int64_t data_ms; /* no byte of DATA for so long: closed; default 60 s */
        int64_t total_ms; /* a whole DATA; default 600 s */
        int64_t settle_ms; /* no settlement for so long: 451; default 60 s */
};

/* -1 with *err when an address cannot be listened on. host is borrowed. */
int lmtp_open(struct loop *loop, const struct lmtp_options *o,
    const struct channel_host *host, struct lmtp **out, struct err *err);
/* No new connections and no new DATA (421 after what is under way). */
void lmtp_drain(struct lmtp *l);
void lmtp_close(struct lmtp **l);
size_t lmtp_connections(const struct lmtp *l);
/* Where it really listens (port 0 resolved), in the order of the options. */
const char *lmtp_address(const struct lmtp *l, size_t i);

/* ---- pure, for tests and the fuzzer: channels/email_lmtp_parse.c ---- */
enum lmtp_verb {
        LMTP_LHLO,
        LMTP_MAIL,
        LMTP_RCPT,
        LMTP_DATA,
        LMTP_RSET,
        LMTP_NOOP,
        LMTP_QUIT,
        LMTP_VRFY,
        LMTP_HELP,
        LMTP_HELO, /* HELO, EHLO: refused, this is LMTP */
        LMTP_UNKNOWN
};
enum { LMTP_LINE_MAX = 2048 }; /* bytes of a command line with its CRLF */
struct lmtp_command {
        enum lmtp_verb verb;
        char address[330]; /* MAIL, RCPT: without < >, "" is the null sender */
        bool has_size;
        uint64_t size; /* SIZE= */
        bool is_8bit; /* BODY=8BITMIME */
        char word[32]; /* the verb as it came, for the error */
};
/* The first line of what came: its length with CRLF, 0 when more is needed, -1 when
 * it holds a bare CR or LF or a NUL, -2 when it is longer than LMTP_LINE_MAX. */
long lmtp_line_find(const char *p, size_t n);
/* One line without its CRLF. 0, or -1 with the whole reply line in err->text
 * ("501 5.5.4 ..."). */
int
lmtp_command_parse(const char *line, size_t n, struct lmtp_command *out, struct err *err);

/* The end of DATA and dot-unstuffing, fed in any pieces. Appends the message's
 * bytes to what `out` takes. Returns bytes eaten; *ended when CRLF.CRLF was
 * seen. A bare LF or CR is data and never an end (no smuggling). */
struct lmtp_data {
        unsigned state; /* zero-initialise: at the beginning of a line */
};
size_t lmtp_data_feed(struct lmtp_data *d, const char *p, size_t n,
    void (*out)(void *arg, const char *p, size_t n), void *arg, bool *ended);

#endif
