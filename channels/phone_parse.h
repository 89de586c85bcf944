/*
 * Call records of telephone exchanges, exactly (MAIL.md, "Phone logs, exactly"):
 * Asterisk cdr_csv and cdr_custom, FreeSWITCH mod_cdr_csv, JSON and XML. Pure, linear,
 * bounded (64 KB a record).
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
        const char *group; /* rows of one call share it: linkedid, else key */
        const char *src, *dst; /* as written */
        const char *clid_name; /* out of "Name" <1115> */
        const char *channel, *dstchannel, *context, *lastapp;
        int64_t start_us, answer_us, end_us; /* 0 unknown */
        bool times_have_zone; /* else local times of the exchange, given as if UTC */
        int64_t duration_s, billsec;
        bool is_answered;
        const char *disposition; /* as written */
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

#endif
