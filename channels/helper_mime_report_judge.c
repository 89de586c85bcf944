/*
 * One recipient's fate: status, answer, reason, and whether another try is of use.
 *
 * The status field is believed where it says something; a general one (5.0.0) gives way
 * to a precise one in the answer, none at all to the answer's code, and at last to the
 * reason that the words give.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_report_impl.h"
#include "daemon/base/utf8.h"

/* ---- codes in a text ---- */

/* SMTP codes that refuse; other numbers of three digits are something else. */
static bool
is_reply_code(const char *s)
{
        static const char *const codes =
            "421 422 431 432 441 442 446 447 449 450 451 452 453 454 455 458 459 471 500 "
            "501 502 503 504 505 510 511 512 513 515 516 517 519 520 521 522 523 524 525 "
            "530 531 533 534 535 538 540 541 543 544 546 547 550 551 552 553 554 555 556 "
            "557 559 570 571 572 573 574 577 582 587 590 591 592 594 597 598 599 ";
        char word[4] = {s[0], s[1], s[2], '\0'};

        return strstr(codes, word) != NULL;
}

static bool
code_begins(const char *s, size_t i, size_t n)
{
        unsigned char before = i > 0 ? (unsigned char)s[i - 1] : ' ';

        if (n - i < 3 || (s[i] != '4' && s[i] != '5') ||
            !isdigit((unsigned char)s[i + 1]) || !isdigit((unsigned char)s[i + 2]))
                return false;
        if (isalnum(before) || before == '.' || before == '-' || before == '@' ||
            before == '_' || before >= 0x80)
                return false;
        if (n - i > 3 && strchr(" -:;,#\"')\t<", s[i + 3]) == NULL)
                return false;
        return is_reply_code(s + i);
}

/* Bytes of an enhanced status (RFC 3463) at s + i, not part of an IP address. */
static size_t
status_len(const char *s, size_t i, size_t n)
{
        unsigned char before = i > 0 ? (unsigned char)s[i - 1] : ' ';
        size_t at = i + 1, digits = 0;

        if ((s[i] != '4' && s[i] != '5') || isalnum(before) || before == '.' ||
            before == '@' || before == '[')
                return 0;
        for (int k = 0; k < 2; k++) {
                if (at >= n || s[at] != '.')
                        return 0;
                for (digits = 0, at++; at < n && isdigit((unsigned char)s[at]); at++)
                        digits++;
                if (digits == 0 || digits > 3 || (k == 0 && digits > 2))
                        return 0;
        }
        if (at < n &&
            (isalnum((unsigned char)s[at]) ||
                (s[at] == '.' && at + 1 < n && isalnum((unsigned char)s[at + 1]))))
                return 0;
        return at - i;
}

size_t
report_reply_at(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (code_begins(s, i, n) || status_len(s, i, n) > 0)
                        return i;
        return n;
}

/* What the codes in a text say. */
struct codes {
        char reply; /* class of the first reply code: '4', '5', 0 none */
        char status[12]; /* the first enhanced status, or a later more precise one */
};

static bool
is_general(const char *status)
{
        return strlen(status) < 5 || strcmp(status + 1, ".0.0") == 0;
}

static struct codes
codes_in(const char *s)
{
        struct codes c = {0};
        size_t n = strlen(s);

        for (size_t i = 0; i < n; i++) {
                size_t len = status_len(s, i, n);

                if (len > 0 && len < sizeof c.status &&
                    (c.status[0] == '\0' || is_general(c.status)))
                        snprintf(c.status, sizeof c.status, "%.*s", (int)len, s + i);
                if (c.reply == 0 && code_begins(s, i, n))
                        c.reply = s[i];
        }
        return c;
}

/* ---- words ---- */

/* Folded, blanks single. */
static const char *
fold_words(struct arena *a, const char *s)
{
        size_t n = utf8_cut(s, strlen(s), REPORT_MAX_WORDS);
        char *to = arena_alloc(a, n + 1), *folded;
        size_t len = 0;

        for (size_t i = 0; i < n; i++)
                if (!isspace((unsigned char)s[i]))
                        to[len++] = s[i];
                else if (len > 0 && to[len - 1] != ' ')
                        to[len++] = ' ';
        folded = arena_strndup(a, to, len);
        bounces_fold(folded, to, len);
        return folded;
}

static const struct bounce_reason *
reason_of_words(const struct reporting *r, const char *words, const char **by)
{
        const char *folded;

        if (r->set == NULL || words[0] == '\0')
                return NULL;
        folded = fold_words(r->scratch, words);
        return bounces_reason(r->set, r->system, folded, strlen(folded), by);
}

/* The answer's own words; then a precise status; then all else that is said; then a
 * general status. */
static const struct bounce_reason *
find_reason(const struct reporting *r, const struct draft *d, const char *status)
{
        const struct bounce_reason *x;

        if (r->set == NULL)
                return NULL;
        x = reason_of_words(r, d->diagnostic, NULL);
        if (x == NULL && status[0] != '\0' && !is_general(status))
                x = bounces_reason_of_status(r->set, status);
        if (x == NULL)
                x = reason_of_words(r, d->words, NULL);
        if (x == NULL && status[0] != '\0')
                x = bounces_reason_of_status(r->set, status);
        return x;
}

/* ---- status ---- */

static const char *
choose_status(const struct reporting *r, const struct draft *d, const struct codes *c)
{
        const char *told = d->status;

        if (told[0] == '2' && strcmp(d->action, "failed") == 0)
                told = "";
        if (c->status[0] != '\0' && !is_general(c->status) &&
            (told[0] == '\0' ||
                (is_general(told) && (told[0] == c->status[0] || c->reply != 0))))
                return arena_strdup(r->a, c->status);
        if (told[0] != '\0')
                return told;
        return arena_strdup(r->a, c->status);
}

/* A status of class `class` after the reason's. */
static const char *
status_of_reason(const struct reporting *r, const struct bounce_reason *x, char class)
{
        char *s = arena_strdup(r->a, x != NULL ? x->status : "5.0.0");

        if (class != 0)
                s[0] = class;
        return s;
}

static const char *
complete_status(const struct reporting *r, const struct draft *d, const struct codes *c,
    const struct bounce_reason *x)
{
        if (strcmp(d->action, "delayed") == 0)
                return status_of_reason(r, x, '4');
        if (strcmp(d->action, "failed") != 0 && d->action[0] != '\0')
                return "";
        return status_of_reason(r, x, c->reply);
}

/* ---- the answer ---- */

/* One line, up to the rule before the returned mail. */
static const char *
reply_of(const struct reporting *r, const struct draft *d)
{
        struct buf clean AUTO_BUF = BUF_INIT, b AUTO_BUF = BUF_INIT;
        const char *s, *rule;
        size_t n;

        utf8_add_clean(&clean, d->diagnostic, strlen(d->diagnostic));
        for (size_t i = 0; i < clean.len; i++) {
                if ((unsigned char)clean.data[i] > ' ')
                        buf_addc(&b, clean.data[i]);
                else if (b.len > 0 && b.data[b.len - 1] != ' ')
                        buf_addc(&b, ' ');
        }
        s = buf_str(&b);
        rule = strstr(s, " -----");
        n = rule != NULL && rule > s ? (size_t)(rule - s) : b.len;
        while (n > 0 && s[n - 1] == ' ')
                n--;
        return arena_strndup(r->a, s, utf8_cut(s, n, REPORT_MAX_REPLY));
}

/* A server that took the recipient and refuses the text with "user unknown" has a filter
 * that pretends; one that says more is believed. */
static bool
is_certain(const struct reporting *r, const char *diagnostic)
{
        struct bounce_line l = {.s = diagnostic};

        l.folded = fold_words(r->scratch, diagnostic);
        l.n = strlen(l.folded);
        return report_fits(r, BOUNCE_CERTAIN, &l, NULL);
}

static bool
is_permanent(const struct reporting *r, const struct draft *d,
    const struct bounce_reason *x, const char *status)
{
        if (strcmp(d->action, "failed") != 0 || x == NULL ||
            (d->after_data && !is_certain(r, d->diagnostic)))
                return false;
        switch (x->permanent) {
        case BOUNCE_PERMANENT:
                return true;
        case BOUNCE_BY_STATUS:
                return status[0] == '5';
        case BOUNCE_TEMPORARY:
                break;
        }
        return false;
}

static const char *
default_action(const struct reporting *r, const char *status)
{
        if (status[0] == '2')
                return "delivered";
        if (strcmp(r->type, "delay") == 0)
                return "delayed";
        return "failed";
}

void
report_judge(struct reporting *r, const struct draft *d, struct report_recipient *to)
{
        struct draft x = *d;
        struct codes c = codes_in(d->diagnostic);
        const struct bounce_reason *reason;
        const char *status;

        if (c.reply == 0 && c.status[0] == '\0')
                c = codes_in(d->words);
        status = choose_status(r, d, &c);
        if (x.action[0] == '\0')
                x.action = default_action(r, status);
        reason = find_reason(r, &x, status);
        if (status[0] == '\0')
                status = complete_status(r, &x, &c, reason);
        if (strcmp(x.action, "failed") != 0 && strcmp(x.action, "delayed") != 0)
                reason = NULL;
        to->address = arena_strdup(r->a, d->address);
        to->action = x.action;
        to->status = arena_strdup(r->a, status);
        to->reply = reply_of(r, d);
        to->reason = reason != NULL ? arena_strdup(r->a, reason->name) : "";
        to->permanent = is_permanent(r, &x, reason, status);
}
