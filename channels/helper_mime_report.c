/*
 * Reports; see helper_mime_report.h. Here is decided what kind of report a mail is; how
 * each is read stands in helper_mime_report_*.c.
 *
 * A standard part in a mail that declares itself a report is believed. Everything else
 * needs a mark of a mail system on the outside (sender, null return path, a header that
 * only mail systems write) and words of failure inside: a person who writes about a
 * bounce has the words and not the mark, an absent person's machine the mark and not
 * the words.
 */
#include "channels/helper_mime_report.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_report_impl.h"
#include "daemon/base/utf8.h"

void
report_pieces_free(struct report_pieces *p)
{
        buf_fini(&p->status);
        buf_fini(&p->disposition);
        buf_fini(&p->feedback);
        buf_fini(&p->returned);
        buf_fini(&p->text);
}

/* ---- lines ---- */

static bool
is_blank_char(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct report_lines
report_split(struct arena *a, const char *s, size_t n)
{
        struct report_lines lines = {0};
        char *folded = arena_alloc(a, n + 1);

        bounces_fold(folded, s, n);
        for (size_t from = 0; from < n && lines.n < REPORT_MAX_LINES;) {
                const char *end = memchr(s + from, '\n', n - from);
                size_t to = end == NULL ? n : (size_t)(end - s), next = to + 1;
                struct bounce_line *l;

                while (from < to && is_blank_char(s[from]))
                        from++;
                while (to > from && is_blank_char(s[to - 1]))
                        to--;
                lines.list = arena_grow(a, lines.list, lines.n, sizeof *lines.list);
                l = &lines.list[lines.n++];
                l->s = s + from;
                l->folded = folded + from;
                l->n = to - from < REPORT_MAX_LINE ? to - from : REPORT_MAX_LINE;
                from = next;
        }
        return lines;
}

const char *
report_address_in(struct arena *a, const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                size_t len = bounces_address_at(s + i, n - i);

                if (len > 0)
                        return arena_strndup(a, s + i, len);
                while (i + 1 < n && s[i] != ' ' && s[i] != '<' && s[i] != ';' &&
                       s[i] != ':' && s[i] != '"')
                        i++;
        }
        return "";
}

struct draft *
report_add(struct reporting *r, const char *address)
{
        struct draft *d;

        for (size_t i = 0; i < r->n_drafts && address[0] != '\0'; i++)
                if (strcasecmp(r->drafts[i].address, address) == 0)
                        return &r->drafts[i];
        if (r->n_drafts >= REPORT_MAX_RECIPIENTS)
                return &r->drafts[r->n_drafts - 1];
        r->drafts = arena_grow(r->scratch, r->drafts, r->n_drafts, sizeof *r->drafts);
        d = &r->drafts[r->n_drafts++];
        d->address = address;
        d->final = d->action = d->status = d->diagnostic = d->words = "";
        d->after_data = false;
        return d;
}

bool
report_fits(const struct reporting *r, enum bounce_list list, const struct bounce_line *l,
    struct bounce_captures *c)
{
        if (r->set == NULL || l->n == 0)
                return false;
        return bounce_system_fits(r->system, list, l, c) ||
               bounce_system_fits(bounces_other(r->set), list, l, c);
}

/* ---- which kind ---- */

/* The value of a parameter of the Content-Type header; false: it is not there. */
static bool
type_is(const struct message *m, const char *word)
{
        const char *type = message_header(m, "Content-Type");

        return type != NULL && strcasestr(type, word) != NULL;
}

static const char *
fold_text(struct arena *a, const char *s)
{
        size_t n = strlen(s);
        char *to = arena_strndup(a, s, n);

        bounces_fold(to, s, n);
        return to;
}

static bool
text_fits(const struct reporting *r, enum bounce_list list, const char *s)
{
        struct bounce_line l = {
            .s = s, .folded = fold_text(r->scratch, s), .n = strlen(s)};

        return report_fits(r, list, &l, NULL);
}

/* Does the outside say that a mail system wrote it? The mark, "" none. */
static const char *
machine_mark(const struct reporting *r)
{
        const struct message *m = r->m;
        const char *path = message_header(m, "Return-Path");
        const char *from =
            arena_printf(r->scratch, "%s <%s>", m->from.name, m->from.address);

        if (message_header(m, "X-Failed-Recipients") != NULL)
                return "X-Failed-Recipients";
        if (m->has_envelope && m->envelope_from[0] == '\0')
                return "null sender";
        if (path != NULL && strcmp(path, "<>") == 0)
                return "null return path";
        if (text_fits(r, BOUNCE_SENDER, from) ||
            (path != NULL && text_fits(r, BOUNCE_SENDER, path)))
                return "sender is a mail system";
        return "";
}

/* A person's answer to a report, or the report passed on by one. */
static bool
is_answer(const struct reporting *r)
{
        static const char *const marks[] = {"re:", "fwd:", "fw:", "aw:", "wg:", "отв:",
            "ha:", "на:", "пересл:", "sv:", "vs:", "tr:", "rv:", "回复:", "转发:"};
        const char *subject = fold_text(r->scratch, r->m->subject);

        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
                if (strncmp(subject, marks[i], strlen(marks[i])) == 0)
                        return true;
        return false;
}

/* A report by its outside alone that says nothing readable. */
static bool
is_machine_report(struct reporting *r, const char *mark)
{
        const char *automatic = message_header(r->m, "Auto-Submitted");
        bool self = automatic != NULL && strncasecmp(automatic, "auto-", 5) == 0;

        if (mark[0] == '\0' &&
            !(self && r->set != NULL && bounces_subject(r->set, r->m->subject)))
                return false;
        if (text_fits(r, BOUNCE_NOT, r->m->subject))
                return false;
        return !is_answer(r) || strncmp(mark, "null", 4) == 0;
}

/* A filter of the recipient's refused the mail and said so with a disposition
 * "deleted" (Sieve's reject, RFC 5429). */
static bool
is_rejection(const struct reporting *r)
{
        return r->p->disposition.len > 0 &&
               strcasestr(buf_str(&r->p->disposition), "deleted") != NULL &&
               strcasestr(buf_str(&r->p->text), "automatically rejected") != NULL;
}

static bool
read_status_part(struct reporting *r, const char *mark)
{
        const char *end;
        size_t at;

        if (r->p->status.len > 0 && (type_is(r->m, "report") || mark[0] != '\0') &&
            report_status_read(r, buf_str(&r->p->status), r->p->status.len)) {
                r->how = "message/delivery-status";
                return true;
        }
        if (is_rejection(r) &&
            report_status_read(r, buf_str(&r->p->disposition), r->p->disposition.len)) {
                r->how = "disposition \"deleted\", automatically rejected";
                return true;
        }
        if (mark[0] == '\0' || (at = report_status_in_text(r)) >= r->lines.n)
                return false;
        end = r->end < r->lines.n ? r->lines.list[r->end].s
                                  : buf_str(&r->p->text) + r->p->text.len;
        if (!report_status_read(
                r, r->lines.list[at].s, (size_t)(end - r->lines.list[at].s)))
                return false;
        r->how = "delivery-status fields in the text";
        return true;
}

static void
recognise(struct reporting *r)
{
        size_t n = r->lines.n < 300 ? r->lines.n : 300;

        if (r->set != NULL)
                r->system = bounces_recognise(r->set, r->m, r->lines.list, n, &r->by);
}

/* failure, delay or success, from the fates of the recipients. */
static const char *
type_of(const struct reporting *r)
{
        const char *type = "success";

        for (size_t i = 0; i < r->n_drafts; i++) {
                if (strcmp(r->drafts[i].action, "failed") == 0 ||
                    r->drafts[i].action[0] == '\0')
                        return "failure";
                if (strcmp(r->drafts[i].action, "delayed") == 0)
                        type = "delay";
        }
        return r->n_drafts > 0 ? type : "failure";
}

static bool
read_delivery(struct reporting *r)
{
        const char *mark = machine_mark(r);
        size_t n;

        if (r->p->status.len == 0 && !is_rejection(r) && !is_machine_report(r, mark))
                return false;
        n = r->p->text.len < REPORT_MAX_PIECE ? r->p->text.len : REPORT_MAX_PIECE;
        r->lines = report_split(r->scratch, buf_str(&r->p->text), n);
        recognise(r);
        if (r->system != NULL && bounce_system_type(r->system)[0] != '\0') {
                r->type = bounce_system_type(r->system);
                r->how = r->by;
                return true;
        }
        r->end = report_find_end(r);
        if (read_status_part(r, mark)) {
                report_prose_complete(r);
                r->type = type_of(r);
                return true;
        }
        if (r->set == NULL || !is_machine_report(r, mark) || !report_prose_read(r))
                return false;
        r->how = r->by != NULL && r->by[0] != '\0' ? r->by : mark;
        return true;
}

/* RFC 5965: its recipients are no failures; what it is about stands in the returned
 * mail. */
static bool
read_special(struct reporting *r)
{
        if (r->p->feedback.len > 0 || type_is(r->m, "feedback-report")) {
                r->type = "abuse";
                r->how = "message/feedback-report";
        } else if (!is_rejection(r) && (r->p->disposition.len > 0 ||
                                           type_is(r->m, "disposition-notification"))) {
                r->type = "disposition";
                r->how = "message/disposition-notification";
        } else if (type_is(r->m, "multipart/report") && r->p->status.len == 0 &&
                   (type_is(r->m, "tlsrpt") || type_is(r->m, "dmarc"))) {
                r->type = "other";
                r->how = "multipart/report of another kind";
        }
        return r->type[0] != '\0';
}

/* ---- the report ---- */

static const char *
system_name(const struct reporting *r)
{
        if (strcmp(r->type, "abuse") == 0)
                return "rfc5965";
        if (strcmp(r->type, "disposition") == 0)
                return "rfc8098";
        if (r->system != NULL)
                return bounce_system_name(r->system);
        return r->p->status.len > 0 ? "rfc3464" : "";
}

static void
finish(struct reporting *r)
{
        struct mail_report *x = arena_alloc(r->a, sizeof *x);

        x->type = r->type;
        x->system = arena_strdup(r->a, system_name(r));
        x->returned_subject = "";
        x->recipients = arena_alloc(r->a, (r->n_drafts + 1) * sizeof *x->recipients);
        for (size_t i = 0; i < r->n_drafts; i++) {
                struct report_recipient *to = &x->recipients[x->n_recipients++];

                report_judge(r, &r->drafts[i], to);
                message_find(r->m, "report", to->address[0] != '\0' ? to->address : "?",
                    "%s, status %s, reason %s, %s", to->action,
                    to->status[0] != '\0' ? to->status : "unknown",
                    to->reason[0] != '\0' ? to->reason : "unknown",
                    to->permanent ? "permanent" : "not permanent");
        }
        report_ids(r, x);
        r->m->report = x;
        message_find(r->m, "report", x->type, "%s%s%s", x->system,
            x->system[0] != '\0' ? ": " : "", r->how);
}

void
mime_report(
    struct message *m, const struct report_pieces *p, const struct bounce_set *set)
{
        struct arena *scratch AUTO_ARENA = arena_new();
        struct reporting r = {.m = m,
            .a = m->arena,
            .scratch = scratch,
            .p = p,
            .set = set,
            .type = "",
            .how = "",
            .by = ""};

        m->report = NULL;
        if (read_special(&r) || read_delivery(&r))
                finish(&r);
}
