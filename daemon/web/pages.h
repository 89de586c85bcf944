/*
 * Pages for customers: HTML out of plain data, in Russian and English. Pure. Everything
 * that came from outside is escaped by the writer; pages need no JavaScript.
 */
#ifndef HELPLINE_DAEMON_WEB_PAGES_H
#define HELPLINE_DAEMON_WEB_PAGES_H

#include "channels/web_form.h"
#include "config/config.h"
#include "daemon/base/buf.h"
#include "daemon/model/message.h"
#include "daemon/model/ticket.h"

/* What the trap for robots is called: people do not see it. */
#define PAGE_TRAP "_website"
/* And the one-time token. */
#define PAGE_TOKEN "_token"

struct page {
        const char *desk; /* name of the support desk */
        const char *language; /* "ru" or "en" */
        const char *path; /* of this page, for the link to the other language */
        bool other_language; /* is there one? */
};

/* The language of a page: ?lang= first, then Accept-Language with its weights, among
 * those of the desk that we have pages in (ru, en); static. */
const char *
page_language(const struct config *c, const char *query, const char *accept_language);

enum page_notice { /* above the form */
        NOTICE_NONE,
        NOTICE_FAULTS, /* some fields are wrong */
        NOTICE_AGAIN, /* the page was open too long */
        NOTICE_BUSY, /* the store is away */
        NOTICE_FULL, /* no room */
        NOTICE_RATE /* too often */
};

struct page_form {
        struct page page;
        const char *token;
        const struct form_sent *sent; /* its form and what was filled in already */
        const struct form_fault *faults;
        size_t n_faults;
        enum page_notice notice;
};
void page_form(struct buf *b, const struct page_form *p);

/* The bare form for a page of another site, posting to url ("https://help.…", without a
 * slash at its end). */
void page_snippet(
    struct buf *b, const struct form_options *f, const char *language, const char *url);

/* After it was sent: ticket "" (a robot's) tells no number; status: path of its page. */
void
page_thanks(struct buf *b, const struct page *p, const char *ticket, const char *status);

struct page_status {
        struct page page;
        const struct ticket *ticket;
        bool known; /* false: only its number, the store is away */
        const struct message *const *messages; /* oldest first; notes are left out */
        size_t n_messages;
        bool cut; /* there are older ones */
        const char *token;
        const char *text; /* of the reply box, kept after an error */
        const char *fault; /* beside it, "" none */
        enum page_notice notice;
        bool sent; /* his answer has just been taken */
};
void page_status(struct buf *b, const struct page_status *p);

enum page_error {
        PAGE_NOT_FOUND,
        PAGE_FORBIDDEN, /* posted from a foreign site */
        PAGE_TOO_LARGE,
        PAGE_BROKEN, /* the body could not be read */
        PAGE_TYPE, /* neither form nor JSON */
        PAGE_STORE_AWAY
};
int page_error_status(enum page_error e);
/* For programs: one sentence in English. */
const char *page_error_sentence(enum page_error e);
void page_error(struct buf *b, const struct page *p, enum page_error e);

extern const char page_style[]; /* /style.css */

#endif
