/*
 * Call records in lines: Asterisk cdr_csv and cdr_custom, FreeSWITCH mod_cdr_csv; and
 * what all syntaxes share. See phone_parse.h; documents are in phone_json.c and
 * phone_xml.c, the sum of a call in phone_sum.c.
 *
 * Nothing of a record is trusted: callers choose their names, and FreeSWITCH escapes
 * nothing. So columns are found from where they cannot be touched.
 */
#include "channels/phone_parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "channels/phone_impl.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"

#define COLUMNS_MAX 64

/* ---- text ---- */

/* Code point of a byte of windows-1251 that is a letter (or the number sign), else 0. */
static uint32_t
cyrillic_of(unsigned char c)
{
        if (c >= 0xc0)
                return 0x410 + (c - 0xc0u);
        return c == 0xa8 ? 0x401 : c == 0xb8 ? 0x451 : c == 0xb9 ? 0x2116 : 0;
}

static bool
is_windows_1251(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)s[i] >= 0x80 && cyrillic_of((unsigned char)s[i]) == 0)
                        return false;
        return true;
}

static void
text_add(struct buf *b, const char *s, size_t n)
{
        if (utf8_valid(s, n) || !is_windows_1251(s, n)) {
                utf8_add_clean(b, s, n);
                return;
        }
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c >= 0x80)
                        utf8_add(b, cyrillic_of(c));
                else if (c >= 0x20 && c != 0x7f)
                        buf_addc(b, (char)c);
        }
}

const char *
phone_text(struct arena *a, const char *s, size_t n)
{
        struct buf b AUTO_BUF = BUF_INIT;
        char *out;
        size_t from = 0, to;

        text_add(&b, s, n);
        out = arena_strndup(a, buf_str(&b), b.len);
        to = strlen(out);
        for (char *p = out; *p != '\0'; p++)
                if (*p == '\n' || *p == '\t')
                        *p = ' ';
        while (out[from] == ' ')
                from++;
        while (to > from && out[to - 1] == ' ')
                out[--to] = '\0';
        return out + from;
}

static int
hex_digit(char c)
{
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

const char *
phone_percent_decode(struct arena *a, const char *s)
{
        char *out = arena_strdup(a, s), *w = out;

        for (; *s != '\0'; s++) {
                if (*s == '%' && hex_digit(s[1]) >= 0 && hex_digit(s[2]) >= 0) {
                        *w++ = (char)(hex_digit(s[1]) * 16 + hex_digit(s[2]));
                        s += 2;
                } else {
                        *w++ = *s;
                }
        }
        return phone_text(a, out, (size_t)(w - out));
}

/* ---- values ---- */

struct phone_row
phone_row_empty(void)
{
        return (struct phone_row){
            .key = "",
            .group = "",
            .src = "",
            .dst = "",
            .clid_name = "",
            .channel = "",
            .dstchannel = "",
            .context = "",
            .lastapp = "",
            .disposition = "",
            .duration_s = -1,
        };
}

int
phone_time_parse(const char *s, int64_t *us)
{
        struct tm tm = {.tm_isdst = 0};
        int n = 0;

        *us = 0;
        if (*s == '\0')
                return 0;
        if (sscanf(s, "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
                &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6 ||
            n == 0 || tm.tm_year < 1970 || tm.tm_year > 9999 || tm.tm_mon < 1 ||
            tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 ||
            tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
            tm.tm_sec > 60)
                return -1;
        if (s[n] == '.')
                n += 1 + (int)strspn(s + n + 1, "0123456789");
        if (s[n] != '\0')
                return -1;
        tm.tm_year -= 1900;
        tm.tm_mon--;
        *us = (int64_t)timegm(&tm) * 1000000;
        return 0;
}

int64_t
phone_seconds(const char *s)
{
        size_t n = strspn(s, "0123456789");

        if (n == 0 || n > 9 || (s[n] != '\0' && s[n] != '.'))
                return -1;
        return strtoll(s, NULL, 10);
}

int64_t
phone_epoch(const char *uniqueid)
{
        const char *point = strrchr(uniqueid, '.'), *start = point;
        int64_t s;

        while (start != NULL && start > uniqueid && isdigit((unsigned char)start[-1]))
                start--;
        if (start == NULL || point - start < 9 || point - start > 11)
                return 0;
        s = strtoll(start, NULL, 10);
        return s * 1000000;
}

const char *
phone_clid_name(struct arena *a, const char *clid, const char **number)
{
        const char *lt = strrchr(clid, '<'), *gt = lt == NULL ? NULL : strchr(lt, '>');
        size_t n = lt == NULL ? strlen(clid) : (size_t)(lt - clid);
        const char *s = clid;

        if (number != NULL)
                *number =
                    gt == NULL ? "" : arena_strndup(a, lt + 1, (size_t)(gt - lt - 1));
        while (n > 0 && (*s == ' ' || *s == '"')) {
                s++;
                n--;
        }
        while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '"'))
                n--;
        return arena_strndup(a, s, n);
}

/* Applications that answer for the exchange: with nobody on the other side the caller
 * has heard music or a voice from the tape. */
static bool
is_machine_app(const char *app)
{
        static const char *const apps[] = {"Queue", "Playback", "BackGround",
            "Background", "MusicOnHold", "WaitExten", "Wait", "Answer", "VoiceMail",
            "Voicemail", "Hangup", "Congestion", "Busy"};

        for (size_t i = 0; i < sizeof apps / sizeof *apps; i++)
                if (strcasecmp(apps[i], app) == 0)
                        return true;
        return false;
}

bool
phone_is_answered(const struct phone_row *r)
{
        return strcasecmp(r->disposition, "ANSWERED") == 0 && r->billsec > 0 &&
               (*r->dstchannel != '\0' || !is_machine_app(r->lastapp));
}

/* ---- columns ---- */

struct columns {
        const char *s[COLUMNS_MAX];
        size_t n;
};

/* One quoted field from behind its opening quote: a quote ends it only where a comma or
 * the end follows, so that a name with bare quotes does not break the rest. */
static const char *
quoted_field(struct arena *a, const char *s, size_t n, size_t *used)
{
        struct buf b AUTO_BUF = BUF_INIT;
        size_t i = 0;

        for (; i < n; i++) {
                if (s[i] != '"') {
                        buf_addc(&b, s[i]);
                        continue;
                }
                if (i + 1 == n || s[i + 1] == ',')
                        break;
                buf_addc(&b, '"');
                if (s[i + 1] == '"')
                        i++;
        }
        *used = i < n ? i + 1 : n + 1; /* beyond: never closed */
        return phone_text(a, buf_str(&b), b.len);
}

/* Columns of Asterisk. -1: a quote is never closed, or there are too many. */
static int
columns_split(
    const char *s, size_t n, struct arena *a, struct columns *c, struct err *err)
{
        size_t i = 0, used;

        c->n = 0;
        for (;;) {
                if (c->n == COLUMNS_MAX)
                        return err_set(
                            err, ERR_REJECT, "more than %d columns", COLUMNS_MAX);
                if (i < n && s[i] == '"') {
                        c->s[c->n++] = quoted_field(a, s + i + 1, n - i - 1, &used);
                        i += 1 + used;
                        if (i > n)
                                return err_set(err, ERR_REJECT,
                                    "column %zu: its quote is never closed", c->n);
                } else {
                        const char *comma = i < n ? memchr(s + i, ',', n - i) : NULL;

                        used = comma == NULL ? n - i : (size_t)(comma - s) - i;
                        c->s[c->n++] = phone_text(a, s + i, used);
                        i += used;
                }
                if (i >= n)
                        return 0;
                i++; /* the comma */
        }
}

/* FreeSWITCH: quotes around each value and nothing escaped, so `","` separates; what is
 * too much belongs to the caller's name, the first. */
static int
columns_split_plain(const char *s, size_t n, size_t want, struct arena *a,
    struct columns *c, struct err *err)
{
        const char *cut[COLUMNS_MAX] = {NULL};
        size_t n_cut = 0, first;

        if (n < 2 || s[0] != '"' || s[n - 1] != '"')
                return columns_split(s, n, a, c, err);
        for (size_t i = 1; i + 3 < n; i++) {
                if (memcmp(s + i, "\",\"", 3) != 0)
                        continue;
                if (n_cut == COLUMNS_MAX)
                        return err_set(
                            err, ERR_REJECT, "more than %d columns", COLUMNS_MAX);
                cut[n_cut++] = s + i;
                i += 2; /* they never overlap */
        }
        c->n = 0;
        first = n_cut >= want ? n_cut - (want - 1) : 0;
        for (size_t k = first; k <= n_cut; k++) {
                const char *from = k == first ? s + 1 : cut[k - 1] + 3;
                const char *to = k == n_cut ? s + n - 1 : cut[k];

                c->s[c->n++] = phone_text(a, from, (size_t)(to - from));
        }
        return 0;
}

/* ---- Asterisk ---- */

enum asterisk_column {
        A_ACCOUNT,
        A_SRC,
        A_DST,
        A_CONTEXT,
        A_CLID,
        A_CHANNEL,
        A_DSTCHANNEL,
        A_LASTAPP,
        A_LASTDATA,
        A_START,
        A_ANSWER,
        A_END,
        A_DURATION,
        A_BILLSEC,
        A_DISPOSITION,
        A_AMAFLAGS,
        A_UNIQUEID,
        A_USERFIELD,
        A_LINKEDID,
        A_SEQUENCE,
        A_COLUMNS
};

/* Master.csv: 16 columns, then uniqueid and userfield, each on demand, then the three
 * of newer versions. */
static int
master_columns(
    const struct columns *c, bool userfield, const char *v[A_COLUMNS], struct err *err)
{
        size_t more, at = 16;

        if (c->n < 16 || c->n > 21)
                return err_set(err, ERR_REJECT,
                    "%zu columns: Master.csv has 16 to 21 (is the format right?)", c->n);
        for (size_t i = 0; i < 16; i++)
                v[i] = c->s[i];
        more = c->n - 16 - (c->n >= 19 ? 3 : 0);
        if (more == 2 || (more == 1 && !userfield))
                v[A_UNIQUEID] = c->s[at++];
        if (more == 2 || (more == 1 && userfield))
                v[A_USERFIELD] = c->s[at++];
        if (c->n >= 19) {
                v[A_LINKEDID] = c->s[at + 1];
                v[A_SEQUENCE] = c->s[at + 2];
        }
        return 0;
}

/* cdr_custom in the order of its sample; before there was a sequence, and with a
 * linkedid behind it. */
static int
custom_columns(const struct columns *c, const char *v[A_COLUMNS], struct err *err)
{
        static const enum asterisk_column order[] = {A_CLID, A_SRC, A_DST, A_CONTEXT,
            A_CHANNEL, A_DSTCHANNEL, A_LASTAPP, A_LASTDATA, A_START, A_ANSWER, A_END,
            A_DURATION, A_BILLSEC, A_DISPOSITION, A_AMAFLAGS, A_ACCOUNT, A_UNIQUEID,
            A_USERFIELD, A_SEQUENCE, A_LINKEDID};

        if (c->n < 18 || c->n > 20)
                return err_set(err, ERR_REJECT,
                    "%zu columns: cdr_custom has 18 to 20 in its default order", c->n);
        for (size_t i = 0; i < c->n; i++)
                v[order[i]] = c->s[i];
        return 0;
}

static int
asterisk_times(const char *v[A_COLUMNS], struct phone_row *r, struct err *err)
{
        static const char *const names[] = {"start", "answer", "end"};
        int64_t *us[] = {&r->start_us, &r->answer_us, &r->end_us};

        for (size_t i = 0; i < 3; i++)
                if (phone_time_parse(v[A_START + i], us[i]) == -1)
                        return err_set(err, ERR_REJECT,
                            "%s: '%.40s' is no time (expected 2026-11-24 10:00:00)",
                            names[i], v[A_START + i]);
        return 0;
}

static bool
is_disposition(const char *s)
{
        static const char *const words[] = {"ANSWERED", "NO ANSWER", "NOANSWER", "BUSY",
            "FAILED", "CONGESTION", "CANCEL", "UNKNOWN", "DOCUMENTATION"};

        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
                if (strcasecmp(words[i], s) == 0)
                        return true;
        return false;
}

static int
asterisk_check(const char *v[A_COLUMNS], struct phone_row *r, struct err *err)
{
        if (r->start_us == 0)
                return err_set(err, ERR_REJECT, "start: is empty");
        if (*v[A_DURATION] != '\0' && r->duration_s < 0)
                return err_set(
                    err, ERR_REJECT, "duration: '%.40s' is no number", v[A_DURATION]);
        if (*v[A_BILLSEC] != '\0' && phone_seconds(v[A_BILLSEC]) < 0)
                return err_set(
                    err, ERR_REJECT, "billsec: '%.40s' is no number", v[A_BILLSEC]);
        if (!is_disposition(r->disposition))
                return err_set(err, ERR_REJECT,
                    "disposition: '%.40s' is none of Asterisk's", r->disposition);
        return 0;
}

/* The names of a record and its call. Without any id (16 columns) what cannot be the
 * same twice: channel and time. */
static void
asterisk_ids(const char *v[A_COLUMNS], struct arena *a, struct phone_row *r)
{
        const char *unique = v[A_UNIQUEID], *linked = v[A_LINKEDID];
        const char *otherwise =
            *unique != '\0' ? unique : arena_printf(a, "%s-%s", r->channel, v[A_START]);

        r->key = *linked != '\0'
                     ? linked
                     : arena_printf(a, "%s/%s/%s", otherwise, v[A_SEQUENCE], r->channel);
        r->group = *linked != '\0' ? linked : otherwise;
        r->epoch_us = phone_epoch(*unique != '\0' ? unique : linked);
}

static int
asterisk_row(
    const char *v[A_COLUMNS], struct arena *a, struct phone_row *r, struct err *err)
{
        const char *number;

        r->src = v[A_SRC];
        r->dst = v[A_DST];
        r->clid_name = phone_clid_name(a, v[A_CLID], &number);
        if (*r->src == '\0')
                r->src = number;
        if (strcmp(r->clid_name, r->src) == 0)
                r->clid_name = "";
        r->channel = v[A_CHANNEL];
        r->dstchannel = v[A_DSTCHANNEL];
        r->context = v[A_CONTEXT];
        r->lastapp = v[A_LASTAPP];
        r->disposition = v[A_DISPOSITION];
        r->duration_s = phone_seconds(v[A_DURATION]);
        r->billsec = phone_seconds(v[A_BILLSEC]) > 0 ? phone_seconds(v[A_BILLSEC]) : 0;
        if (asterisk_times(v, r, err) == -1 || asterisk_check(v, r, err) == -1)
                return -1;
        asterisk_ids(v, a, r);
        r->is_answered = phone_is_answered(r);
        r->is_refused = strcasecmp(r->disposition, "BUSY") == 0 ||
                        strcasecmp(r->disposition, "FAILED") == 0 ||
                        strcasecmp(r->disposition, "CONGESTION") == 0;
        return 0;
}

static int
asterisk_parse(const char *s, size_t n, const struct phone_syntax_options *o,
    struct arena *a, struct phone_row *r, struct err *err)
{
        const char *v[A_COLUMNS];
        struct columns c;
        int rc;

        for (size_t i = 0; i < A_COLUMNS; i++)
                v[i] = "";
        if (columns_split(s, n, a, &c, err) == -1)
                return -1;
        rc = o->syntax == PHONE_SYNTAX_CUSTOM
                 ? custom_columns(&c, v, err)
                 : master_columns(&c, o->column17_is_userfield, v, err);
        return rc == -1 ? -1 : asterisk_row(v, a, r, err);
}

/* ---- FreeSWITCH ---- */

/* A stamp in local time, or seconds or microseconds since 1970. */
static int
freeswitch_time(
    const char *s, const char *column, int64_t *us, bool *zone, struct err *err)
{
        size_t n = strspn(s, "0123456789");

        *us = 0;
        if (n > 0 && s[n] == '\0' && n <= 17) {
                *us = strtoll(s, NULL, 10) * (n > 11 ? 1 : 1000000);
                *zone = true;
                return 0;
        }
        if (phone_time_parse(s, us) == 0)
                return 0;
        return err_set(err, ERR_REJECT, "%s: '%.40s' is no time", column, s);
}

static bool
is_refusal(const char *cause)
{
        static const char *const causes[] = {"USER_BUSY", "CALL_REJECTED",
            "NORMAL_TEMPORARY_FAILURE", "SWITCH_CONGESTION", "NORMAL_CIRCUIT_CONGESTION",
            "USER_NOT_REGISTERED", "SUBSCRIBER_ABSENT", "RECOVERY_ON_TIMER_EXPIRE"};

        for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
                if (strcasecmp(causes[i], cause) == 0)
                        return true;
        return false;
}

int
freeswitch_row(
    const struct freeswitch_leg *l, struct arena *a, struct phone_row *r, struct err *err)
{
        (void)a;
        if (*l->uuid == '\0')
                return err_set(err, ERR_REJECT, "uuid: is empty");
        r->key = l->uuid;
        r->group = *l->group != '\0' ? l->group : l->uuid;
        r->src = l->src;
        r->dst = l->dst;
        r->clid_name = strcmp(l->name, l->src) == 0 ? "" : l->name;
        r->context = l->context;
        r->disposition = l->cause;
        if (freeswitch_time(
                l->start, "start_stamp", &r->start_us, &r->times_have_zone, err) == -1 ||
            freeswitch_time(l->answer, "answer_stamp", &r->answer_us, &r->times_have_zone,
                err) == -1 ||
            freeswitch_time(l->end, "end_stamp", &r->end_us, &r->times_have_zone, err) ==
                -1)
                return -1;
        if (*l->duration != '\0' && phone_seconds(l->duration) < 0)
                return err_set(
                    err, ERR_REJECT, "duration: '%.40s' is no number", l->duration);
        r->duration_s = phone_seconds(l->duration);
        r->billsec = phone_seconds(l->billsec) > 0 ? phone_seconds(l->billsec) : 0;
        r->is_answered = r->answer_us != 0 && r->billsec > 0;
        r->is_refused = is_refusal(l->cause);
        return 0;
}

static int
freeswitch_parse(
    const char *s, size_t n, struct arena *a, struct phone_row *r, struct err *err)
{
        struct columns c;
        struct freeswitch_leg l;

        if (columns_split_plain(s, n, 15, a, &c, err) == -1)
                return -1;
        if (c.n != 15)
                return err_set(err, ERR_REJECT,
                    "%zu columns: mod_cdr_csv has 15 in its default template", c.n);
        l = (struct freeswitch_leg){.name = c.s[0],
            .src = c.s[1],
            .dst = c.s[2],
            .context = c.s[3],
            .start = c.s[4],
            .answer = c.s[5],
            .end = c.s[6],
            .duration = c.s[7],
            .billsec = c.s[8],
            .cause = c.s[9],
            .uuid = c.s[10],
            .group = ""};
        return freeswitch_row(&l, a, r, err);
}

/* ---- all of them ---- */

int
phone_row_parse(const char *s, size_t n, const struct phone_syntax_options *o,
    struct arena *a, struct phone_row *out, struct err *err)
{
        bool is_document =
            o->syntax == PHONE_SYNTAX_JSON || o->syntax == PHONE_SYNTAX_XML;

        *out = phone_row_empty();
        if (n > (is_document ? PHONE_DOCUMENT_MAX : PHONE_LINE_MAX))
                return err_set(err, ERR_REJECT, "the record is longer than %d KB",
                    (is_document ? PHONE_DOCUMENT_MAX : PHONE_LINE_MAX) / 1024);
        while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == '\n'))
                n--;
        switch (o->syntax) {
        case PHONE_SYNTAX_ASTERISK:
        case PHONE_SYNTAX_CUSTOM:
                return asterisk_parse(s, n, o, a, out, err);
        case PHONE_SYNTAX_FREESWITCH:
                return freeswitch_parse(s, n, a, out, err);
        case PHONE_SYNTAX_JSON:
                return phone_json_parse(s, n, a, out, err);
        case PHONE_SYNTAX_XML:
                return phone_xml_parse(s, n, a, out, err);
        }
        return -1;
}

/* A CR ends a record at once: the LF that may follow it is an empty record, and a file
 * with CR alone does not make its last call wait for the next. */
size_t
phone_record_length(const char *s, size_t n, bool at_end_of_file)
{
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '\n')
                        return i + 1;
                if (s[i] == '\r')
                        return i + 1 < n && s[i + 1] == '\n' ? i + 2 : i + 1;
        }
        return at_end_of_file ? n : 0;
}

enum phone_syntax
phone_syntax_guess(const char *s, size_t n)
{
        struct arena *a AUTO_ARENA = arena_new();
        struct columns c;
        int64_t us;

        while (n > 0 && (isspace((unsigned char)*s) || *s == '[' || *s == ',')) {
                s++;
                n--;
        }
        if (n > 0 && (*s == '{' || *s == '<'))
                return *s == '{' ? PHONE_SYNTAX_JSON : PHONE_SYNTAX_XML;
        while (n > 0 && (s[n - 1] == '\r' || s[n - 1] == '\n'))
                n--;
        if (n > PHONE_LINE_MAX)
                n = PHONE_LINE_MAX;
        if (columns_split(s, n, a, &c, NULL) == 0 && c.n >= 18 && *c.s[8] != '\0' &&
            phone_time_parse(c.s[8], &us) == 0 && is_disposition(c.s[13]))
                return PHONE_SYNTAX_CUSTOM;
        if (columns_split_plain(s, n, 15, a, &c, NULL) == 0 && c.n == 15 &&
            *c.s[4] != '\0' && phone_time_parse(c.s[4], &us) == 0)
                return PHONE_SYNTAX_FREESWITCH;
        return PHONE_SYNTAX_ASTERISK;
}
