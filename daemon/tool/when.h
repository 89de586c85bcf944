/*
 * Times as people say them, in the local zone, in English and Russian: "15:00",
 * "fri 15:00", "tomorrow 9:00", "завтра в 9:00", "24.12", "2026-12-01 10:00", "2h",
 * "1h30m", "3d", "3pm", "now". Pure but for the zone (TZ); no I/O.
 */
#ifndef HELPLINE_TOOL_WHEN_H
#define HELPLINE_TOOL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/err.h"

enum when_side {
        WHEN_AHEAD, /* the next such moment; what is past is an error */
        WHEN_BACK /* the last such moment; what is to come is an error */
};

/* A day without a time means 9:00. Hours, minutes and seconds of a duration are real
 * time; its days and weeks keep the clock on the wall. A time that the clocks skip in
 * spring is an hour later; of one that comes twice the first is meant. */
int when_parse(
    const char *s, int64_t now_us, enum when_side side, int64_t *at_us, struct err *err);
/* The longest beginning of the words that is a time: how many words, 0 none (*err
 * then tells of the first word). */
int when_parse_words(int argc, const char *const *argv, int64_t now_us,
    enum when_side side, int64_t *at_us, struct err *err);
/* "90s", "15m", "2h", "1h30m", "3d", "2w" and "2ч", "30мин", "3дн", "2нед": as the protocol
 * writes it, into out; false when it is none. */
bool when_duration(const char *s, char out[64]);

/* For reading: "now", "3 min ago", "in 2 h", "14:05", "yesterday 14:05", "Nov 20 14:05",
 * "Nov 20 2025". */
void when_format(int64_t at_us, int64_t now_us, char out[48]);
/* How long, short: "45s", "12m", "3h05", "2d 4h". */
void when_span(int64_t s, char out[32]);

#endif
