/*
 * Call records in XML: FreeSWITCH's mod_xml_cdr, by a scanner of our own that knows
 * elements, comments, CDATA and the five entities, and refuses DOCTYPE: nothing can be
 * declared, nothing is fetched, one pass. See phone_parse.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "channels/phone_impl.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"

#define DEPTH_MAX 32
#define NAME_SIZE 40

/* What is looked for, and whose child it is. The last one wins: the oldest profile of a
 * callflow stands last. */
enum wanted {
        X_UUID,
        X_CALL_UUID,
        X_ORIGINATOR,
        X_CAUSE,
        X_START,
        X_ANSWER,
        X_END,
        X_START_STAMP,
        X_ANSWER_STAMP,
        X_END_STAMP,
        X_DURATION,
        X_BILLSEC,
        X_NAME,
        X_NUMBER,
        X_DESTINATION,
        X_CONTEXT,
        X_WANTED
};
static const struct {
        const char *parent, *name;
} wanted[X_WANTED] = {
    [X_UUID] = {"variables", "uuid"},
    [X_CALL_UUID] = {"variables", "call_uuid"},
    [X_ORIGINATOR] = {"variables", "originator"},
    [X_CAUSE] = {"variables", "hangup_cause"},
    [X_START] = {"variables", "start_epoch"},
    [X_ANSWER] = {"variables", "answer_epoch"},
    [X_END] = {"variables", "end_epoch"},
    [X_START_STAMP] = {"variables", "start_stamp"},
    [X_ANSWER_STAMP] = {"variables", "answer_stamp"},
    [X_END_STAMP] = {"variables", "end_stamp"},
    [X_DURATION] = {"variables", "duration"},
    [X_BILLSEC] = {"variables", "billsec"},
    [X_NAME] = {"caller_profile", "caller_id_name"},
    [X_NUMBER] = {"caller_profile", "caller_id_number"},
    [X_DESTINATION] = {"caller_profile", "destination_number"},
    [X_CONTEXT] = {"caller_profile", "context"},
};

struct xml {
        const char *s; /* what is left */
        size_t n;
        struct arena *a;
        char open[DEPTH_MAX][NAME_SIZE];
        size_t depth;
        struct buf text; /* of the element that is open */
        const char *found[X_WANTED];
};

static void
xml_skip(struct xml *x, size_t n)
{
        x->s += n;
        x->n -= n;
}

/* To behind the next `end`. */
static int
xml_skip_to(struct xml *x, const char *end, struct err *err)
{
        const char *p = memmem(x->s, x->n, end, strlen(end));

        if (p == NULL)
                return err_set(err, ERR_REJECT, "XML: '%s' is missing", end);
        xml_skip(x, (size_t)(p - x->s) + strlen(end));
        return 0;
}

static void
xml_entity(struct xml *x)
{
        static const struct {
                const char *name;
                char c;
        } names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'},
            {"&apos;", '\''}};
        char digits[12] = "";
        long cp;
        size_t n;

        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                n = strlen(names[i].name);
                if (x->n >= n && memcmp(x->s, names[i].name, n) == 0) {
                        buf_addc(&x->text, names[i].c);
                        xml_skip(x, n);
                        return;
                }
        }
        for (n = 2; n < x->n && n < 11 && x->s[n] != ';'; n++)
                digits[n - 2] = x->s[n];
        if (x->n < 4 || x->s[1] != '#' || n >= x->n || x->s[n] != ';') {
                buf_addc(&x->text, '&');
                xml_skip(x, 1);
                return;
        }
        cp = digits[0] == 'x' ? strtol(digits + 1, NULL, 16) : strtol(digits, NULL, 10);
        utf8_add(&x->text, cp < 0x20 || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000)
                               ? 0xfffd
                               : (uint32_t)cp);
        xml_skip(x, n + 1);
}

static void
xml_found(struct xml *x)
{
        const char *name = x->open[x->depth - 1];
        const char *parent = x->depth > 1 ? x->open[x->depth - 2] : "";

        for (size_t i = 0; i < X_WANTED; i++)
                if (strcmp(wanted[i].name, name) == 0 &&
                    strcmp(wanted[i].parent, parent) == 0)
                        x->found[i] = phone_percent_decode(
                            x->a, phone_text(x->a, buf_str(&x->text), x->text.len));
}

static int
xml_close(struct xml *x, struct err *err)
{
        if (x->depth == 0)
                return err_set(err, ERR_REJECT, "XML: an end without a beginning");
        if (strncmp(x->s + 2, x->open[x->depth - 1], strlen(x->open[x->depth - 1])) != 0)
                return err_set(
                    err, ERR_REJECT, "XML: <%s> is never closed", x->open[x->depth - 1]);
        xml_found(x);
        x->depth--;
        buf_clear(&x->text);
        return xml_skip_to(x, ">", err);
}

static int
xml_open(struct xml *x, struct err *err)
{
        const char *gt = memchr(x->s, '>', x->n);
        size_t n = 1;

        if (gt == NULL)
                return err_set(err, ERR_REJECT, "XML: '>' is missing");
        if (x->depth == DEPTH_MAX)
                return err_set(err, ERR_REJECT, "XML: deeper than %d", DEPTH_MAX);
        while (x->s + n < gt && !isspace((unsigned char)x->s[n]) && x->s[n] != '/')
                n++;
        if (n == 1)
                return err_set(err, ERR_REJECT, "XML: an element without a name");
        if (gt[-1] != '/') {
                size_t len = n - 1 < NAME_SIZE - 1 ? n - 1 : NAME_SIZE - 1;

                memcpy(x->open[x->depth], x->s + 1, len);
                x->open[x->depth++][len] = '\0';
        }
        buf_clear(&x->text);
        xml_skip(x, (size_t)(gt - x->s) + 1);
        return 0;
}

static int
xml_markup(struct xml *x, struct err *err)
{
        const char *end;

        if (x->n >= 4 && memcmp(x->s, "<!--", 4) == 0)
                return xml_skip_to(x, "-->", err);
        if (x->n >= 9 && memcmp(x->s, "<![CDATA[", 9) == 0) {
                end = memmem(x->s, x->n, "]]>", 3);
                if (end == NULL)
                        return err_set(err, ERR_REJECT, "XML: ']]>' is missing");
                buf_add(&x->text, x->s + 9, (size_t)(end - x->s) - 9);
                xml_skip(x, (size_t)(end - x->s) + 3);
                return 0;
        }
        if (x->n >= 2 && x->s[1] == '!')
                return err_set(err, ERR_REJECT, "XML: declarations are refused");
        if (x->n >= 2 && x->s[1] == '?')
                return xml_skip_to(x, "?>", err);
        if (x->n >= 2 && x->s[1] == '/')
                return xml_close(x, err);
        return xml_open(x, err);
}

static int
xml_read(struct xml *x, struct err *err)
{
        while (x->n > 0) {
                if (*x->s == '<') {
                        if (xml_markup(x, err) == -1)
                                return -1;
                } else if (*x->s == '&') {
                        xml_entity(x);
                } else {
                        size_t n = 1;

                        while (n < x->n && x->s[n] != '<' && x->s[n] != '&')
                                n++;
                        buf_add(&x->text, x->s, n);
                        xml_skip(x, n);
                }
        }
        if (x->depth > 0)
                return err_set(
                    err, ERR_REJECT, "XML: <%s> is never closed", x->open[x->depth - 1]);
        return 0;
}

static const char *
stamp(const struct xml *x, enum wanted epoch, enum wanted local)
{
        const char *s = x->found[epoch];

        return *s != '\0' && strcmp(s, "0") != 0 ? s : x->found[local];
}

int
phone_xml_parse(
    const char *s, size_t n, struct arena *a, struct phone_row *out, struct err *err)
{
        struct xml x = {.s = s, .n = n, .a = a, .text = BUF_INIT};
        struct freeswitch_leg l;
        int rc;

        for (size_t i = 0; i < X_WANTED; i++)
                x.found[i] = "";
        rc = xml_read(&x, err);
        buf_fini(&x.text);
        if (rc == -1)
                return -1;
        l = (struct freeswitch_leg){
            .uuid = x.found[X_UUID],
            .group = *x.found[X_CALL_UUID] ? x.found[X_CALL_UUID] : x.found[X_ORIGINATOR],
            .name = x.found[X_NAME],
            .src = x.found[X_NUMBER],
            .dst = x.found[X_DESTINATION],
            .context = x.found[X_CONTEXT],
            .cause = x.found[X_CAUSE],
            .start = stamp(&x, X_START, X_START_STAMP),
            .answer = stamp(&x, X_ANSWER, X_ANSWER_STAMP),
            .end = stamp(&x, X_END, X_END_STAMP),
            .duration = x.found[X_DURATION],
            .billsec = x.found[X_BILLSEC],
        };
        return freeswitch_row(&l, a, out, err);
}
