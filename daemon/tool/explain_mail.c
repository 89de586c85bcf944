/*
 * helpline explain FILE: what is understood of a mail, and on which evidence. The helper
 * and the judgement are the daemon's own; what only the store knows (whose ticket, which
 * addresses take part) is said as what would be looked up.
 *
 * All that a mail says goes through screen.c.
 */
#include <stdio.h>
#include <string.h>

#include "channels/email_id.h"
#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"
#include "daemon/intake.h"
#include "daemon/model/message_extras.h"
#include "daemon/tool/explain.h"
#include "daemon/tool/screen.h"
#include "daemon/tool/words.h"

#define LABEL 13 /* columns before a value */
#define WIDTH 80
#define NEW_LINES 8 /* shown of what is new */
#define MAX_IDS 12

/* Characters; labels are of letters that take one column each. */
static size_t
columns_of(const char *s)
{
        size_t n = 0;

        for (; *s != '\0'; s++)
                n += ((unsigned char)*s & 0xc0) != 0x80;
        return n;
}

/* "label        value", broken at blanks, further lines under the value. */
static void
add_row(struct buf *out, const char *label, const char *value)
{
        struct buf clean AUTO_BUF = BUF_INIT, rows AUTO_BUF = BUF_INIT;
        size_t n = columns_of(label);

        screen_add_line(&clean, value, strlen(value));
        screen_add_wrapped(&rows, buf_str(&clean), WIDTH - LABEL, "             ");
        buf_adds(out, label);
        for (; n + 1 < LABEL; n++)
                buf_addc(out, ' ');
        buf_addc(out, ' ');
        buf_adds(out, rows.len > LABEL ? rows.data + LABEL : "\n");
}

static const char *
address_words(struct arena *a, const struct mail_address *x)
{
        if (*x->name == '\0')
                return *x->address != '\0' ? x->address : tr("unknown");
        return arena_printf(a, "%s <%s>", x->name, x->address);
}

static void
add_addresses(struct buf *out, struct arena *a, const char *label,
    const struct mail_address *list, size_t n)
{
        struct buf all AUTO_BUF = BUF_INIT;

        for (size_t i = 0; i < n && i < 20; i++)
                buf_addf(&all, "%s%s", i > 0 ? ", " : "", address_words(a, &list[i]));
        if (n > 20)
                buf_addf(&all, tr(" and %zu more"), n - 20);
        if (n > 0)
                add_row(out, label, buf_str(&all));
}

static void
add_head(struct buf *out, const struct explained *x)
{
        const struct message *m = x->message;
        char at[40] = "";

        add_row(out, tr("from"), address_words(x->a, &m->from));
        if (*m->reply_to.address != '\0')
                add_row(out, tr("reply to"), address_words(x->a, &m->reply_to));
        add_addresses(out, x->a, tr("to"), m->to, m->n_to);
        add_addresses(out, x->a, tr("copy"), m->cc, m->n_cc);
        add_row(
            out, tr("subject"), *m->subject != '\0' ? m->subject : tr("(no subject)"));
        if (m->sent_at_us != 0)
                clock_format(m->sent_at_us, at);
        add_row(out, tr("date"), m->sent_at_us != 0 ? at : tr("unknown or impossible"));
        add_row(out, tr("language"), *m->language != '\0' ? m->language : tr("unknown"));
}

/* Why he gets no acknowledgement, whatever the rules say. */
static const char *
silent_why(const struct explained *x)
{
        const struct mail_account *m = config_mail(x->config, x->message->account);

        if (*x->forwarded_by != '\0' && m != NULL && !m->acknowledge_forwards)
                return "it was forwarded (acknowledge-forwards no)";
        return mail_silence(x->message);
}

static void
add_kind(struct buf *out, const struct explained *x)
{
        const struct message *m = x->message;
        const char *silent = silent_why(x);

        add_row(out, tr("kind"),
            *m->machine == '\0'
                ? message_kind_name(m->kind)
                : arena_printf(x->a, "%s (%s)", message_kind_name(m->kind), m->machine));
        add_row(out, tr("acknowledged"),
            *silent == '\0' ? tr("yes, as the rules say")
                            : arena_printf(x->a, tr("no: %s"), silent));
}

static void
add_report(struct buf *out, const struct explained *x)
{
        const struct mail_report *r = x->message->report;

        if (r == NULL)
                return;
        add_row(out, tr("report"),
            *r->system == '\0' ? r->type
                               : arena_printf(x->a, "%s (%s)", r->type, r->system));
        for (size_t i = 0; i < r->n_recipients; i++) {
                const struct report_recipient *to = &r->recipients[i];

                add_row(out, tr("  recipient"),
                    arena_printf(x->a, "%s: %s %s%s%s%s%s%s",
                        *to->address != '\0' ? to->address : tr("unknown"), to->action,
                        to->status, to->permanent ? tr(" for good") : "",
                        *to->reason != '\0' ? ", " : "", to->reason,
                        *to->reply != '\0' ? ": " : "", to->reply));
        }
        if (*r->returned_subject != '\0')
                add_row(out, tr("  about"), r->returned_subject);
}

static void
add_forwarded(struct buf *out, const struct explained *x)
{
        const struct forwarded_mail *f = x->message->forwarded;
        struct mail_address from;

        if (*x->forwarded_by != '\0')
                add_row(out, tr("forwarded"),
                    arena_printf(x->a, tr("by %s: it counts as its first sender's mail"),
                        x->forwarded_by));
        if (f == NULL || *x->forwarded_by != '\0')
                return;
        from = (struct mail_address){f->name, f->address};
        add_row(out, tr("forwards"),
            arena_printf(x->a, "%s%s%s%s", address_words(x->a, &from),
                *f->subject != '\0' ? ": " : "", f->subject,
                f->whole ? tr(" (and says no more than a few words)") : ""));
}

static void
add_notices(struct buf *out, const struct explained *x)
{
        const struct message *m = x->message;

        for (size_t i = 0; i < m->n_notices; i++) {
                const struct notice *n = &m->notices[i];

                add_row(out, tr("notice"),
                    *n->part == '\0' ? n->text
                                     : arena_printf(x->a, "%s: %s", n->part, n->text));
        }
        for (size_t i = 0; i < m->n_attachments; i++)
                add_row(out, tr("attached"),
                    arena_printf(x->a, tr("%s: %s (%s, %lld bytes)%s"),
                        m->attachments[i].part, m->attachments[i].name,
                        m->attachments[i].type, (long long)m->attachments[i].size,
                        m->attachments[i].is_inline ? tr(", in the text") : ""));
}

/* ---- which ticket it would be looked up on ---- */

static void
thread_add(const struct explained *x, const char ***list, size_t *n, const char *id,
    const char *where)
{
        struct email_id own;

        if (*n == MAX_IDS || *id == '\0')
                return;
        *list = arena_grow(x->a, *list, *n, sizeof **list);
        (*list)[(*n)++] =
            email_id_parse(id, &own)
                ? arena_printf(x->a,
                      tr("ticket %s by %s, if the signature is right (entry %s)"),
                      own.ticket, where, own.entry)
                : arena_printf(
                      x->a, tr("%s in %s, if its sender takes part there"), id, where);
}

static size_t
thread_candidates(const struct explained *x, const char ***list)
{
        const struct message *m = x->message;
        const struct mail_report *r = m->report;
        size_t n = 0;
        char tag[20];

        *list = NULL;
        for (size_t i = 0; r != NULL && i < r->n_returned_ids; i++)
                thread_add(x, list, &n, r->returned_ids[i], tr("the returned mail"));
        for (size_t i = 0; i < m->n_in_reply_to; i++)
                thread_add(x, list, &n, m->in_reply_to[i], "In-Reply-To");
        for (size_t i = m->n_references; i > 0; i--)
                thread_add(x, list, &n, m->references[i - 1], "References");
        if (n < MAX_IDS && subject_tag_find(m->subject, tag)) {
                *list = arena_grow(x->a, *list, n, sizeof **list);
                (*list)[n++] = arena_printf(x->a,
                    tr("ticket %s by the subject, if its sender takes part there"), tag);
        }
        return n;
}

static void
add_thread(struct buf *out, const struct explained *x)
{
        const char **list;
        size_t n = thread_candidates(x, &list);

        for (size_t i = 0; i < n; i++)
                add_row(out, i == 0 ? tr("thread") : "", list[i]);
        if (n == 0)
                add_row(out, tr("thread"), tr("none: a new ticket"));
}

/* ---- what is new ---- */

static size_t
lines_of(const char *s)
{
        size_t n = 0;

        for (; *s != '\0'; s++)
                n += *s == '\n' || s[1] == '\0';
        return n;
}

/* How many lines were taken away as quotes and signatures. */
static size_t
lines_trimmed(const struct message *m)
{
        size_t all = lines_of(m->text), new = lines_of(m->new_text);

        return *m->new_text == '\0' || new >= all ? 0 : all - new;
}

static void
add_new(struct buf *out, const struct explained *x)
{
        const struct message *m = x->message;
        const char *s = *m->new_text != '\0' ? m->new_text : m->text;
        size_t n = 0, all = lines_of(s), trimmed = lines_trimmed(m);

        for (; *s != '\0' && n < NEW_LINES; n++) {
                size_t len = strcspn(s, "\n");

                add_row(out, n == 0 ? tr("new") : "",
                    arena_strndup(x->a, s, utf8_cut(s, len, 400)));
                s += len + (s[len] == '\n');
        }
        if (n == 0)
                add_row(out, tr("new"), tr("(no text)"));
        if (all > n)
                add_row(out, "", arena_printf(x->a, tr("(and %zu more lines)"), all - n));
        if (trimmed > 0)
                add_row(out, "",
                    arena_printf(x->a,
                        tr("(%zu lines of quotes and signatures left out)"), trimmed));
}

/* ---- the evidence ---- */

static void
add_findings(struct buf *out, const struct explained *x)
{
        const struct message *m = x->message;
        const char *about = "";

        if (m->n_findings > 0)
                buf_addf(out, "%s\n", tr("evidence"));
        for (size_t i = 0; i < m->n_findings; i++) {
                const struct finding *f = &m->findings[i];
                bool same = strcmp(f->about, about) == 0;

                if (strcmp(f->about, "acknowledgement") == 0)
                        continue; /* it has a row above */
                about = f->about;
                add_row(out, same ? "" : arena_printf(x->a, "  %.10s", f->about),
                    *f->why == '\0' ? f->found
                                    : arena_printf(x->a, "%s: %s", f->found, f->why));
        }
}

void
explain_mail_print(const struct explained *x, struct buf *out)
{
        add_head(out, x);
        add_kind(out, x);
        add_report(out, x);
        add_forwarded(out, x);
        add_notices(out, x);
        add_thread(out, x);
        add_new(out, x);
        add_findings(out, x);
}

void
explain_mail_json(const struct explained *x, struct json_out *o)
{
        const struct message *m = x->message;
        const char *silent = silent_why(x), **list;
        size_t n = thread_candidates(x, &list);

        jo_kbool(o, "acknowledged", *silent == '\0');
        jo_kstring(o, "silent", silent);
        jo_kstring(o, "from", m->from.address);
        jo_kstring(o, "subject", m->subject);
        jo_ktime(o, "sent_at", m->sent_at_us);
        jo_kstring(o, "text", m->text);
        jo_kstring(o, "new_text", m->new_text);
        jo_kint(o, "trimmed_lines", (int64_t)lines_trimmed(m));
        jo_kstring(o, "forwarded_by", x->forwarded_by);
        jo_kstrings(o, "thread", list, n);
        message_extras_format(o, m);
        message_findings_format(o, m);
}
