/* Open hours while they are built: hours.c reads the block, holidays.c the iCalendar file. */
#ifndef HELPLINE_CONFIG_HOURS_H
#define HELPLINE_CONFIG_HOURS_H

#include "config/build.h"

enum date_rank { /* of two words on one date the higher counts */
        DATE_HOLIDAY, /* of a file */
        DATE_RANGE, /* A .. B */
        DATE_SINGLE
};

struct date_build { /* one date as it was said somewhere */
        int32_t day; /* days since 1970-01-01 */
        enum date_rank rank;
        const struct open_span *spans;
        size_t n_spans;
        struct place at;
};

struct hours_build { /* an `hours` block while it is built */
        struct calendar calendar; /* week and zone */
        struct place week_at[7]; /* where a day was said */
        struct date_build *dates;
        size_t n_dates;
        bool told_many; /* too many dates: said once */
};

/* Is it the name of a sentence about days: mon, mon-fri? And which: a bit each, Monday first. */
bool days_read(const char *s, unsigned *days);
/* 2026-12-31; of the years 1970 to 2199. */
bool date_read(const char *s, int32_t *day);
/* Days from 1970-01-01 to that date. */
int32_t date_day(int year, int month, int day);
void hours_add_date(struct build *b, struct hours_build *h, struct date_build date);
/* `holidays file "holidays.ics"` */
void holidays_build(struct build *b, const struct sentence *s, struct hours_build *h);

#endif
