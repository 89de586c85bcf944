/*
 * Call records of telephone exchanges, exactly (MAIL.md, "Phone logs, exactly"):
 * Asterisk cdr_csv and cdr_custom, FreeSWITCH mod_cdr_csv, JSON and XML. Pure, linear,
 * bounded (64 KB a line, 256 KB a document).
 */
#ifndef HELPLINE_CHANNELS_PHONE_PARSE_H
#define HELPLINE_CHANNELS_PHONE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/err.h"
#include "daemon/model/call.h"

enum phone_syntax {
        PHONE_SYNTAX_ASTERISK, /* cdr_csv Master.csv, 16 to 21 columns */
        PHONE_SYNTAX_CUSTOM, /* cdr_custom, default order */
        PHONE_SYNTAX_FREESWITCH, /* mod_cdr_csv: values are not escaped */
        PHONE_SYNTAX_JSON, /* FreeSWITCH mod_json_cdr, and our own plain JSON */
        PHONE_SYNTAX_XML /* mod_xml_cdr */
};

struct phone_row { /* one row of one leg; several may make one call */
        const char *key; /* linkedid, else uniqueid + sequence + channel; uuid */
        const char
            *group; /* rows of one call share it: linkedid, else uniqueid, else key */
        const char *src, *dst; /* as written */
        const char *clid_name; /* out of "Name" <1115> */
        const char *channel, *dstchannel, *context, *lastapp;
        int64_t start_us, answer_us, end_us; /* 0 unknown */
        bool times_have_zone; /* else local times of the exchange, given as if UTC */
        int64_t
            epoch_us; /* of the channel, out of uniqueid: reveals the zone; 0 unknown */
        int64_t duration_s, billsec; /* duration_s -1 unknown */
        bool is_answered; /* by a person: ANSWERED by a queue's music is not */
        bool is_refused; /* BUSY, FAILED, CONGESTION: nobody hung up */
        bool has_direction; /* the record says itself which direction it had */
        enum call_direction direction;
        const char *disposition; /* as written */
};

enum {
        PHONE_LINE_MAX = 65536, /* bytes of a record that is a line */
        PHONE_DOCUMENT_MAX = 262144 /* of one in JSON or XML */
};

struct phone_syntax_options {
        enum phone_syntax syntax;
        bool column17_is_userfield;
};

/* One record without its line end. Strings live in a; bytes that are no UTF-8 become
 * windows-1251 or U+FFFD. -1: ERR_REJECT naming the column. */
int phone_row_parse(const char *s, size_t n, const struct phone_syntax_options *o,
    struct arena *a, struct phone_row *out, struct err *err);
/* Bytes of the first whole record at s including its line end (LF, CRLF, CR); quoted
 * fields of Asterisk do not hide line ends (it never escapes them). 0: not whole yet. */
size_t phone_record_length(const char *s, size_t n, bool at_end_of_file);

/* What was pushed: raw, `cdr=` of a form, or base64 (content_type "" : by its looks).
 * *out is in a or in s. -1: ERR_REJECT. */
int phone_push_unwrap(const char *content_type, const char *s, size_t n, struct arena *a,
    const char **out, size_t *out_n, struct err *err);
/* Bytes of the first record of pushed text, what separates it included: a JSON object
 * (also out of an array), a <cdr> element, or a line. 0: there is none. */
size_t phone_pushed_length(const char *s, size_t n);
/* Which syntax has this record? Lines by the column their first time stands in. */
enum phone_syntax phone_syntax_guess(const char *s, size_t n);

struct phone_sum_options {
        const char *const *ours; /* our numbers, normalised; none: all calls are ours */
        size_t n_ours;
        const char *country;
        int64_t zone_offset_us; /* of local times at that moment: subtracted */
};
/* All rows of one call become one call: answered when any row of it was, direction by
 * ours, times the outermost. false: a call that is not ours, or none at all (dst s, i, h
 * alone). */
bool phone_rows_sum(const struct phone_row *rows, size_t n,
    const struct phone_sum_options *o, struct arena *a, struct phone_call *out);

/* Did the caller hang up before so many ms? false when it is not known how long it rang. */
bool phone_rows_are_short(const struct phone_row *rows, size_t n, int64_t short_ms);

#endif
