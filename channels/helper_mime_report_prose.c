/*
 * Reports in prose. A system that is known says in which lines its recipients stand;
 * for all others, and where those lines are missing, the same is guessed as a reader
 * would: an address that stands alone or before a colon, one beside words of failure,
 * one that the returned mail was sent to, and never the one whose mail it was.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_report_impl.h"
#include "daemon/base/utf8.h"

/* How good the place of an address is; the best that occurs counts. */
enum place {
        PLACE_OWN, /* the sender's own, a mail system's: only when nothing else is there */
        PLACE_SOMEWHERE,
        PLACE_OWN_SHAPE, /* the sender's own, and alone on its line: he wrote to himself */
        PLACE_SENT_TO, /* somewhere, and the returned mail went to it */
        PLACE_NEAR, /* words of failure on the same line, or the next */
        PLACE_SHAPE, /* alone on its line, <a@b>: ... */
        PLACE_LINE /* where the system puts it */
};

struct candidate {
        const char *address;
        size_t line;
        enum place place;
        struct bounce_captures c; /* of PLACE_LINE */
};

struct prose {
        struct reporting *r;
        struct returned_mail returned;
        struct candidate *list;
        size_t n;
        bool failure, delayed, delivered; /* words of it were seen */
        size_t failure_at; /* the first line with words of failure */
        char *failing; /* of each line: 0 not asked, 1 no, 2 has words of failure */
};

#define MAX_CANDIDATES 500u

/* ---- where the returned mail begins ---- */

static bool
begins_with(const struct bounce_line *l, const char *word)
{
        size_t n = strlen(word);

        return l->n >= n && memcmp(l->folded, word, n) == 0;
}

/* A line that only the header of a whole mail has. */
static bool
is_trace(const struct bounce_line *l)
{
        return begins_with(l, "received: from ") || begins_with(l, "received: by ") ||
               begins_with(l, "received: (") || begins_with(l, "dkim-signature:") ||
               begins_with(l, "mime-version: 1.0") || begins_with(l, "x-mailer:") ||
               begins_with(l, "content-type: ");
}

static bool
is_field(const struct bounce_line *l)
{
        size_t i = 0;

        while (i < l->n && i < 60 && (isalnum((unsigned char)l->s[i]) || l->s[i] == '-'))
                i++;
        return i > 0 && i < l->n && l->s[i] == ':' &&
               (i + 1 == l->n || l->s[i + 1] == ' ' || l->s[i + 1] == '\t');
}

/* Do fields stand here, and two that make a header of them? */
static bool
is_header(const struct reporting *r, size_t from)
{
        unsigned n = 0, n_trace = 0;

        for (size_t i = from; i < r->lines.n && i < from + 30; i++) {
                const struct bounce_line *l = &r->lines.list[i];

                if (l->n == 0)
                        break;
                n += is_field(l);
                n_trace += is_trace(l);
        }
        return n >= 3 && n_trace >= 1;
}

size_t
report_find_end(const struct reporting *r)
{
        bool any = false;

        for (size_t i = 0; i < r->lines.n; i++) {
                const struct bounce_line *l = &r->lines.list[i];

                if (l->n == 0)
                        continue;
                if (any && report_fits(r, BOUNCE_ORIGINAL, l, NULL))
                        return i + 1;
                if (any && is_field(l) && r->lines.list[i - 1].n == 0 && is_header(r, i))
                        return i;
                any = true;
        }
        return r->lines.n;
}

/* ---- candidates ---- */

static bool
same(const char *a, const char *b)
{
        return a[0] != '\0' && strcasecmp(a, b) == 0;
}

static bool
is_sender(const struct reporting *r, const char *address)
{
        struct bounce_line l = {.s = address, .n = strlen(address)};
        char *folded = arena_strdup(r->scratch, address);

        bounces_fold(folded, address, l.n);
        l.folded = folded;
        return report_fits(r, BOUNCE_SENDER, &l, NULL);
}

/* Of the one whose mail came back, or of the system that reports it? */
static bool
is_own(const struct prose *p, const char *address)
{
        const struct message *m = p->r->m;

        if (same(p->returned.from, address) || same(p->returned.sender, address) ||
            same(m->from.address, address) || same(m->account, address) ||
            same(m->envelope_from, address))
                return true;
        for (size_t i = 0; i < m->n_to; i++)
                if (same(m->to[i].address, address))
                        return true;
        return is_sender(p->r, address);
}

static bool
was_sent_to(const struct prose *p, const char *address)
{
        const char *at = strcasestr(p->returned.to, address);

        return at != NULL && address[0] != '\0';
}

static void
offer(struct prose *p, const char *address, size_t line, enum place place,
    const struct bounce_captures *c)
{
        struct candidate *x;

        if (p->n >= MAX_CANDIDATES || address[0] == '\0')
                return;
        if (place != PLACE_LINE && is_own(p, address))
                place = place == PLACE_SHAPE ? PLACE_OWN_SHAPE : PLACE_OWN;
        if (place == PLACE_SOMEWHERE && was_sent_to(p, address))
                place = PLACE_SENT_TO;
        p->list = arena_grow(p->r->scratch, p->list, p->n, sizeof *p->list);
        x = &p->list[p->n++];
        x->address = address;
        x->line = line;
        x->place = place;
        memset(&x->c, 0, sizeof x->c);
        if (c != NULL)
                x->c = *c;
}

/* Alone but for < > ( ) " : . and what follows a colon. */
static bool
stands_alone(const struct bounce_line *l, size_t at, size_t n)
{
        size_t before = 0, after = at + n;

        while (before < at && strchr("<(\"'*-: [", l->s[before]) != NULL)
                before++;
        if (before < at)
                return false;
        while (after < l->n && strchr(">)\"']", l->s[after]) != NULL)
                after++;
        return after >= l->n || strchr(":,;.-", l->s[after]) != NULL ||
               (after + 1 < l->n && strchr(" \t", l->s[after]) != NULL &&
                   (strchr("(:-", l->s[after + 1]) != NULL || at > 0));
}

/* Part of an id, a URL, a line of a mail's trace? */
static bool
is_foreign(const struct bounce_line *l, size_t at)
{
        static const char *const words[] = {"message-id", "message id", "mail from:",
            "received:", "from:", "sender:", "reply-to:", "return-path:", "x-",
            "cid:", "contact", "reporting-mta", "help", "envelope-from",
            "от:", "von:", "de:"};

        size_t from = at > 60 ? at - 60 : 0;

        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
                const char *found =
                    memmem(l->folded + from, at - from, words[i], strlen(words[i]));

                if (found != NULL && (words[i][1] != '-' || found == l->folded))
                        return true;
        }
        return false;
}

/* Asked once a line, however many addresses stand on it. */
static bool
says_failure(struct prose *p, size_t line)
{
        char *known = &p->failing[line];

        if (*known == 0)
                *known = report_fits(p->r, BOUNCE_FAILURE, &p->r->lines.list[line], NULL)
                             ? 2
                             : 1;
        return *known == 2;
}

static bool
near_failure(struct prose *p, size_t line)
{
        const struct report_lines *x = &p->r->lines;
        size_t before = line, after = line + 1;

        if (says_failure(p, line))
                return true;
        while (before > 0 && line - before < 2 && x->list[before - 1].n == 0)
                before--;
        if (before > 0 && says_failure(p, before - 1))
                return true;
        return after < p->r->end && says_failure(p, after);
}

static void
scan_line(struct prose *p, size_t line)
{
        const struct bounce_line *l = &p->r->lines.list[line];

        for (size_t i = 0; i < l->n && p->n < MAX_CANDIDATES; i++) {
                size_t n = bounces_address_at(l->s + i, l->n - i);
                const char *address;

                if (n == 0) {
                        while (i + 1 < l->n && (isalnum((unsigned char)l->s[i]) ||
                                                   (unsigned char)l->s[i] >= 0x80))
                                i++;
                        continue;
                }
                address = arena_strndup(p->r->scratch, l->s + i, n);
                if (stands_alone(l, i, n) && p->failure_at <= line)
                        offer(p, address, line, PLACE_SHAPE, NULL);
                else if (is_foreign(l, i))
                        offer(p, address, line, PLACE_OWN, NULL);
                else if (near_failure(p, line))
                        offer(p, address, line, PLACE_NEAR, NULL);
                else
                        offer(p, address, line, PLACE_SOMEWHERE, NULL);
                i += n - 1;
        }
}

static void
see_failure(struct prose *p, size_t line)
{
        p->failure_at = p->failure ? p->failure_at : line;
        p->failure = true;
}

static void
see_fate(struct prose *p, const struct bounce_line *l)
{
        if (report_fits(p->r, BOUNCE_DELAYED, l, NULL))
                p->delayed = true;
        if (report_fits(p->r, BOUNCE_DELIVERED, l, NULL))
                p->delivered = true;
}

/* The subject stands above the first line. */
static void
see_subject(struct prose *p)
{
        const char *s = p->r->m->subject;
        struct bounce_line l = {.s = s, .n = strlen(s)};
        char *folded = arena_strdup(p->r->scratch, s);

        bounces_fold(folded, s, l.n);
        l.folded = folded;
        see_fate(p, &l);
        if (report_fits(p->r, BOUNCE_FAILURE, &l, NULL))
                see_failure(p, 0);
}

static void
scan(struct prose *p, size_t from, size_t to)
{
        struct bounce_captures c;

        for (size_t i = from; i < to; i++) {
                const struct bounce_line *l = &p->r->lines.list[i];

                if (l->n == 0)
                        continue;
                see_fate(p, l);
                if (says_failure(p, i))
                        see_failure(p, i);
                if (report_fits(p->r, BOUNCE_FAILED, l, &c) && c.address.s != NULL)
                        offer(p, arena_strndup(p->r->scratch, c.address.s, c.address.n),
                            i, PLACE_LINE, &c);
                else
                        scan_line(p, i);
        }
}

/* ---- what is said about each ---- */

static void
add_line(struct buf *b, const struct bounce_line *l)
{
        if (b->len > 0)
                buf_addc(b, ' ');
        if (b->len < REPORT_MAX_WORDS)
                buf_add(b, l->s, l->n);
}

static bool
names(const struct bounce_line *l, const char *folded_address)
{
        size_t n = strlen(folded_address);

        return n > 0 && memmem(l->folded, l->n, folded_address, n) != NULL;
}

/* Is another recipient named here? */
static bool
begins_other(const struct prose *p, size_t line, const char *address, enum place best)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->list[i].line == line && p->list[i].place >= best &&
                    !same(p->list[i].address, address))
                        return true;
        return false;
}

static void
capture_reply(const struct prose *p, const struct bounce_line *l, struct draft *d)
{
        struct bounce_captures c;

        if (!bounce_system_fits(p->r->system, BOUNCE_REPLY, l, &c))
                return;
        if (c.status.s != NULL && d->status[0] == '\0')
                d->status = arena_strndup(p->r->scratch, c.status.s, c.status.n);
        if (c.reply.s != NULL && d->diagnostic[0] == '\0')
                d->diagnostic = arena_strndup(p->r->scratch, c.reply.s, c.reply.n);
}

/* The words from a line on, up to the next recipient. */
static void
read_block(const struct prose *p, const struct candidate *x, enum place best,
    struct draft *d, struct buf *words)
{
        unsigned n_blank = 0;

        for (size_t i = x->line; i < p->r->end; i++) {
                const struct bounce_line *l = &p->r->lines.list[i];

                if (i > x->line && begins_other(p, i, x->address, best))
                        break;
                n_blank = l->n == 0 ? n_blank + 1 : n_blank;
                if (n_blank >= 2 && words->len > strlen(x->address) + 20)
                        break;
                capture_reply(p, l, d);
                add_line(words, l);
        }
}

/* Was the answer to the text and not to the recipient? Postfix and Exim say so; Sendmail
 * says of a refused recipient "550 5.1.1 <a@b>... User unknown" and of a refused text
 * "554 5.0.0 Service unavailable". */
static bool
is_after_data(const struct reporting *r, const char *words)
{
        char *folded = arena_strdup(r->scratch, words);
        bool data = false;

        bounces_fold(folded, words, strlen(words));
        if (strstr(folded, "end of data") != NULL)
                return true;
        for (size_t i = 0; i < r->end && r->n_drafts <= 1; i++) {
                const struct bounce_line *l = &r->lines.list[i];

                if (begins_with(l, ">>> data") || begins_with(l, ">>> ."))
                        data = true;
                else if (data && begins_with(l, "554 5.0.0 service unavailable"))
                        return true;
        }
        return false;
}

/* Lines elsewhere that name the address and hold an answer, and the transcript. */
static void
read_elsewhere(const struct prose *p, const char *address, struct buf *words)
{
        char *folded = arena_strdup(p->r->scratch, address);

        bounces_fold(folded, address, strlen(address));
        for (size_t i = 0; i < p->r->end; i++) {
                const struct bounce_line *l = &p->r->lines.list[i];

                if (names(l, folded) && report_reply_at(l->s, l->n) < l->n) {
                        add_line(words, l);
                        if (i + 1 < p->r->end && p->r->lines.list[i + 1].n > 0)
                                add_line(words, &p->r->lines.list[i + 1]);
                }
        }
}

/* What stands behind "The error was:" */
static void
read_reply_after(const struct prose *p, struct buf *words)
{
        bool on = false;

        for (size_t i = 0; i < p->r->end; i++) {
                const struct bounce_line *l = &p->r->lines.list[i];
                struct bounce_captures c;

                if (report_fits(p->r, BOUNCE_REPLY_AFTER, l, &c)) {
                        on = true;
                        if (c.reply.s != NULL && words->len < REPORT_MAX_WORDS)
                                buf_add(words, c.reply.s, c.reply.n);
                } else if (on && l->n == 0 && words->len > 0) {
                        on = false;
                } else if (on) {
                        add_line(words, l);
                }
        }
}

/* Lines of the text that hold an answer and name no other recipient. */
static void
read_shared(
    const struct prose *p, const char *address, enum place best, struct buf *words)
{
        for (size_t i = 0; i < p->r->end; i++) {
                const struct bounce_line *l = &p->r->lines.list[i];

                if (l->n > 0 && report_reply_at(l->s, l->n) < l->n &&
                    !begins_other(p, i, address, best))
                        add_line(words, l);
        }
}

static bool
has_answer(const struct buf *b)
{
        return report_reply_at(buf_str(b), b->len) < b->len;
}

static const char *
answer_in(const struct prose *p, const struct buf *words)
{
        size_t at = report_reply_at(buf_str(words), words->len);

        return at < words->len
                   ? arena_strndup(p->r->scratch, words->data + at, words->len - at)
                   : "";
}

/* An answer behind the address goes on up to an empty line or the next recipient. */
static const char *
whole_reply(const struct prose *p, const struct candidate *x)
{
        struct buf b AUTO_BUF = BUF_INIT;

        buf_add(&b, x->c.reply.s, x->c.reply.n);
        for (size_t i = x->line + 1; i < p->r->end; i++) {
                const struct bounce_line *l = &p->r->lines.list[i];

                if (l->n == 0 || begins_other(p, i, x->address, PLACE_SHAPE))
                        break;
                add_line(&b, l);
        }
        return arena_strndup(p->r->scratch, b.data, b.len);
}

static void
describe(
    const struct prose *p, const struct candidate *x, enum place best, struct draft *d)
{
        struct buf words AUTO_BUF = BUF_INIT, after AUTO_BUF = BUF_INIT,
                         more AUTO_BUF = BUF_INIT;

        if (x->c.status.s != NULL)
                d->status = arena_strndup(p->r->scratch, x->c.status.s, x->c.status.n);
        if (x->c.reply.s != NULL && x->c.reply.n > 3)
                d->diagnostic = whole_reply(p, x);
        read_block(p, x, best, d, &words);
        read_reply_after(p, &after);
        if (!has_answer(&words))
                read_elsewhere(p, d->address, &more);
        if (!has_answer(&words) && !has_answer(&more) && !has_answer(&after))
                read_shared(p, d->address, best, &more);
        if (report_reply_at(d->diagnostic, strlen(d->diagnostic)) ==
            strlen(d->diagnostic)) {
                const char *answer = after.len > 0        ? buf_str(&after)
                                     : has_answer(&words) ? answer_in(p, &words)
                                                          : answer_in(p, &more);

                if (answer[0] != '\0')
                        d->diagnostic = arena_strdup(p->r->scratch, answer);
        }
        buf_addc(&words, ' ');
        buf_add(&words, buf_str(&more), more.len);
        d->words = arena_strndup(p->r->scratch, words.data, words.len);
        d->after_data = is_after_data(p->r, d->words);
}

/* ---- deciding ---- */

static enum place
best_place(const struct prose *p)
{
        enum place best = PLACE_OWN;

        for (size_t i = 0; i < p->n; i++)
                if (p->list[i].place > best)
                        best = p->list[i].place;
        return best;
}

static void
add_header_addresses(struct prose *p, const char *value, size_t max)
{
        struct mail_address *list = NULL;
        size_t n = 0;

        mime_header_addresses(
            p->r->scratch, value, strlen(value), &list, &n, REPORT_MAX_RECIPIENTS);
        for (size_t i = 0; i < n && n <= max; i++)
                if (list[i].address[0] != '\0')
                        report_add(p->r, list[i].address);
}

/* Those of X-Failed-Recipients, else the best of the text, else all that the returned
 * mail went to, else an unknown one. */
static void
choose(struct prose *p)
{
        const char *header = message_header(p->r->m, "X-Failed-Recipients");
        enum place best = best_place(p);

        if (header != NULL)
                add_header_addresses(p, header, REPORT_MAX_RECIPIENTS);
        for (size_t i = 0; i < p->n && p->r->n_drafts < REPORT_MAX_RECIPIENTS; i++)
                if (header == NULL && best > PLACE_SOMEWHERE && p->list[i].place == best)
                        report_add(p->r, p->list[i].address);
        if (p->r->n_drafts == 0)
                add_header_addresses(p, p->returned.to, 5);
        for (size_t i = 0; i < p->n && p->r->n_drafts == 0; i++)
                if (p->list[i].place == best && best == PLACE_SOMEWHERE)
                        report_add(p->r, p->list[i].address);
        if (p->r->n_drafts == 0)
                report_add(p->r, "");
}

static void
describe_all(struct prose *p)
{
        enum place best = best_place(p);
        static const struct candidate nowhere = {.address = ""};

        for (size_t i = 0; i < p->r->n_drafts; i++) {
                struct draft *d = &p->r->drafts[i];
                const struct candidate *x = NULL;

                for (size_t k = 0; k < p->n; k++)
                        if (same(p->list[k].address, d->address) &&
                            (x == NULL || p->list[k].place > x->place))
                                x = &p->list[k];
                describe(p, x != NULL ? x : &nowhere, best, d);
        }
}

static bool
says_not(const struct reporting *r)
{
        for (size_t i = 0; i < r->end && i < 100; i++)
                if (report_fits(r, BOUNCE_NOT, &r->lines.list[i], NULL))
                        return true;
        return false;
}

static bool
any_answer(const struct reporting *r)
{
        for (size_t i = 0; i < r->end; i++)
                if (report_reply_at(r->lines.list[i].s, r->lines.list[i].n) <
                    r->lines.list[i].n)
                        return true;
        return false;
}

/* Words of failure (or a header, or a subject that nobody else uses) and something that
 * failed: an address in its place, an answer, a returned mail. */
static bool
is_convincing(const struct prose *p, bool subject)
{
        const struct reporting *r = p->r;
        bool header = message_header(r->m, "X-Failed-Recipients") != NULL;
        bool thing = best_place(p) > PLACE_SOMEWHERE || any_answer(r) ||
                     r->p->returned.len > 0 || r->end < r->lines.n;

        if (r->system == NULL && says_not(r))
                return false;
        if (!p->failure && !p->delayed && !p->delivered && !subject && !header)
                return r->system != NULL && best_place(p) == PLACE_LINE && any_answer(r);
        return thing || header || (r->system != NULL && r->m->text[0] != '\0');
}

bool
report_prose_read(struct reporting *r)
{
        struct prose p = {.r = r,
            .failure_at = SIZE_MAX,
            .failing = arena_alloc(r->scratch, r->lines.n + 1)};
        bool subject = bounces_subject(r->set, r->m->subject);

        report_returned(r, &p.returned);
        see_subject(&p);
        scan(&p, 0, r->end);
        if (best_place(&p) < PLACE_SENT_TO && r->end < r->lines.n && p.failure)
                scan(&p, r->end, r->lines.n);
        if (!is_convincing(&p, subject))
                return false;
        r->type = p.delayed ? "delay" : p.delivered && !p.failure ? "success" : "failure";
        choose(&p);
        describe_all(&p);
        for (size_t i = 0; i < r->n_drafts; i++)
                r->drafts[i].action = p.delayed                         ? "delayed"
                                      : strcmp(r->type, "success") == 0 ? "delivered"
                                                                        : "failed";
        return true;
}

void
report_prose_complete(struct reporting *r)
{
        struct prose p = {.r = r,
            .failure_at = SIZE_MAX,
            .failing = arena_alloc(r->scratch, r->lines.n + 1)};

        if (r->set == NULL)
                return;
        report_returned(r, &p.returned);
        scan(&p, 0, r->end);
        for (size_t i = 0; i < r->n_drafts; i++) {
                struct draft *d = &r->drafts[i];
                struct draft said = *d;
                const struct candidate *x = NULL;

                for (size_t k = 0; k < p.n && x == NULL; k++)
                        if (same(p.list[k].address, d->address) ||
                            same(p.list[k].address, d->final))
                                x = &p.list[k];
                if (d->address[0] == '\0' && p.n > 0 && r->n_drafts == 1) {
                        choose(&p);
                        d = &r->drafts[0];
                }
                said.diagnostic = "";
                if (x != NULL)
                        describe(&p, x, PLACE_SHAPE, &said);
                if (d->diagnostic[0] == '\0')
                        d->diagnostic = said.diagnostic;
                d->words = arena_printf(r->scratch, "%.300s %s", d->words, said.words);
                d->after_data = is_after_data(r, d->words);
        }
}
