/*
 * What the parsers of call records share; not for others (channels/phone_parse.h is).
 */
#ifndef HELPLINE_CHANNELS_PHONE_IMPL_H
#define HELPLINE_CHANNELS_PHONE_IMPL_H

#include "channels/phone_parse.h"

/* Text of a record as UTF-8 in one line: windows-1251 where all its high bytes are
 * letters of it, else U+FFFD for what is none. */
const char *phone_text(struct arena *a, const char *s, size_t n);
/* %41 undone (a plus stays one): how FreeSWITCH writes its variables. */
const char *phone_percent_decode(struct arena *a, const char *s);
/* "2026-11-24 10:00:00[.123]" as if it were UTC; "" is 0. -1: it is none. */
int phone_time_parse(const char *s, int64_t *us);
/* A row of what all FreeSWITCH formats tell. */
struct freeswitch_leg {
        const char *uuid, *group, *name, *src, *dst, *context, *cause;
        const char *start, *answer,
            *end; /* stamps, or seconds or microseconds since 1970 */
        const char *duration, *billsec;
};
int freeswitch_row(const struct freeswitch_leg *l, struct arena *a, struct phone_row *out,
    struct err *err);
/* channels/phone_tree.c */
int phone_json_parse(
    const char *s, size_t n, struct arena *a, struct phone_row *out, struct err *err);
/* channels/phone_xml.c */
int phone_xml_parse(
    const char *s, size_t n, struct arena *a, struct phone_row *out, struct err *err);
/* An empty row: strings "", duration_s -1. */
struct phone_row phone_row_empty(void);
/* Digits as a number, -1 when it is none or absent. */
int64_t phone_seconds(const char *s);
/* `"Name" <1115>` : the name; with number (may be NULL) what stands in < >. */
const char *phone_clid_name(struct arena *a, const char *clid, const char **number);
/* uniqueid's epoch ("name-1700000000.12"), 0 none. */
int64_t phone_epoch(const char *uniqueid);
bool phone_is_answered(const struct phone_row *r);

#endif
