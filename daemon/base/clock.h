/*
 * The one clock. Everything that needs the time asks here, so that tests own it.
 *
 * Time of day is in microseconds since 1970 (int64_t, suffix _us) or in
 * milliseconds (_ms). The loop calls clock_update() once a turn; between two
 * updates time stands still.
 */
#ifndef HELPLINE_BASE_CLOCK_H
#define HELPLINE_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time of day at the last update. It is the monotonic clock plus an offset that
 * clock_set_offset() keeps: a step of the system's clock does not move it. */
int64_t clock_now_us(void);
int64_t clock_now_ms(void);
/* Monotonic, from an arbitrary start, at the last update. */
int64_t clock_mono_us(void);

/* Read the system's clock; called by the loop once a turn. */
void clock_update(void);
/* The store's TIME was `store_us` when our monotonic clock was `mono_us`. */
void clock_set_offset(int64_t store_us, int64_t mono_us);
/* The monotonic clock, read now (for measuring a round trip). */
int64_t clock_read_mono_us(void);

/* For tests: stop the clock at this time of day; then only clock_test_advance
 * moves it. */
void clock_test_set(int64_t now_us);
void clock_test_advance(int64_t us);

/* "2026-11-24T10:00:00.123Z" (RFC 3339, UTC, milliseconds) into out[25]. */
void clock_format(int64_t us, char out[25]);
/* The reverse; accepts fractions of any length and numeric zones. */
bool clock_parse(const char *s, int64_t *us);

#endif
