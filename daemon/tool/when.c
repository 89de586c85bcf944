/* Times as people say them; see when.h. */
#include "daemon/tool/when.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/arena.h"
#include "daemon/base/utf8.h"
#include "daemon/base/zone.h"
#include "daemon/tool/words.h"

#define SECOND 1000000LL
#define DAY_S 86400LL
#define MAX_WORDS 4
#define N_OF(table) (sizeof(table) / sizeof *(table))

/* What the words have said so far. */
struct said {
        bool has_day, has_time, has_year;
        bool is_weekday; /* the day is the next or last one of its name */
        bool is_date; /* day and month, perhaps without a year */
        int weekday; /* 0 Sunday */
        int64_t days; /* from today, when neither of these */
        int year, month, day;
        int time_s; /* since midnight */
        int64_t span_s, span_days; /* of a duration */
        bool is_span;
};

/* ---- words ---- */

static const struct {
        const char *word; /* folded; its longer forms are beginnings of `whole` */
        const char *whole;
        int weekday;
} weekdays[] = {
    {"sun", "sunday", 0},
    {"mon", "monday", 1},
    {"tue", "tuesday", 2},
    {"wed", "wednesday", 3},
    {"thu", "thursday", 4},
    {"fri", "friday", 5},
    {"sat", "saturday", 6},
    {"вс", "воскресенье", 0},
    {"пн", "понедельник", 1},
    {"вт", "вторник", 2},
    {"ср", "среда", 3},
    {"ср", "среду", 3},
    {"чт", "четверг", 4},
    {"пт", "пятница", 5},
    {"пт", "пятницу", 5},
    {"сб", "суббота", 6},
    {"сб", "субботу", 6},
};

static const struct {
        const char *word;
        int days;
} near_days[] = {
    {"today", 0},
    {"tomorrow", 1},
    {"yesterday", -1},
    {"сегодня", 0},
    {"завтра", 1},
    {"послезавтра", 2},
    {"вчера", -1},
    {"позавчера", -2},
};

static const struct {
        const char *word;
        char unit; /* of the protocol */
        int64_t s;
} units[] = {
    {"s", 's', 1},
    {"sec", 's', 1},
    {"second", 's', 1},
    {"seconds", 's', 1},
    {"с", 's', 1},
    {"сек", 's', 1},
    {"секунд", 's', 1},
    {"m", 'm', 60},
    {"min", 'm', 60},
    {"minute", 'm', 60},
    {"minutes", 'm', 60},
    {"м", 'm', 60},
    {"мин", 'm', 60},
    {"минут", 'm', 60},
    {"минуты", 'm', 60},
    {"минуту", 'm', 60},
    {"h", 'h', 3600},
    {"hour", 'h', 3600},
    {"hours", 'h', 3600},
    {"ч", 'h', 3600},
    {"час", 'h', 3600},
    {"часа", 'h', 3600},
    {"часов", 'h', 3600},
    {"d", 'd', DAY_S},
    {"day", 'd', DAY_S},
    {"days", 'd', DAY_S},
    {"д", 'd', DAY_S},
    {"дн", 'd', DAY_S},
    {"дня", 'd', DAY_S},
    {"дней", 'd', DAY_S},
    {"день", 'd', DAY_S},
    {"w", 'w', 7 * DAY_S},
    {"week", 'w', 7 * DAY_S},
    {"weeks", 'w', 7 * DAY_S},
    {"н", 'w', 7 * DAY_S},
    {"нед", 'w', 7 * DAY_S},
    {"недели", 'w', 7 * DAY_S},
    {"недель", 'w', 7 * DAY_S},
    {"неделю", 'w', 7 * DAY_S},
};

static bool
word_weekday(const char *s, struct said *w)
{
        size_t n = strlen(s);

        for (size_t i = 0; i < N_OF(weekdays); i++)
                if (strcmp(s, weekdays[i].word) == 0 ||
                    (n >= 6 && strncmp(weekdays[i].whole, s, n) == 0)) {
                        w->weekday = weekdays[i].weekday;
                        w->is_weekday = w->has_day = true;
                        return true;
                }
        return false;
}

static bool
word_near_day(const char *s, struct said *w)
{
        for (size_t i = 0; i < N_OF(near_days); i++)
                if (strcmp(s, near_days[i].word) == 0) {
                        w->days = near_days[i].days;
                        return w->has_day = true;
                }
        return false;
}

/* Up to max digits; how many there were. */
static size_t
digits(const char *s, size_t max, int *out)
{
        size_t n = 0;

        *out = 0;
        while (n < max && isdigit((unsigned char)s[n]))
                *out = *out * 10 + (s[n++] - '0');
        return n;
}

static int
month_days(int year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        return month == 2 && leap ? 29 : days[month - 1];
}

/* 2026-12-01, 01.12.2026, 1.12 */
static bool
word_date(const char *s, struct said *w)
{
        int a, b, c = 0;
        size_t n = digits(s, 4, &a), k, m = 0;
        char mark = s[n];

        if (n == 0 || (mark != '-' && mark != '.'))
                return false;
        k = digits(s + n + 1, 2, &b);
        if (k == 0)
                return false;
        s += n + 1 + k;
        if (*s == mark)
                m = digits(s + 1, 4, &c);
        if (s[m > 0 ? m + 1 : 0] != '\0' &&
            !(mark == '.' && m == 0 && strcmp(s, ".") == 0))
                return false;
        w->is_date = w->has_day = true;
        w->has_year = m > 0;
        w->year = mark == '-' ? a : c;
        w->month = b;
        w->day = mark == '-' ? c : a;
        if (mark == '-' ? n != 4 || m == 0 || m > 2 : n > 2 || (m != 0 && m != 4))
                return false;
        return w->month >= 1 && w->month <= 12 && w->day >= 1 &&
               w->day <= month_days(w->has_year ? w->year : 2024, w->month) &&
               (!w->has_year || (w->year >= 1970 && w->year <= 9999));
}

/* 15:00, 9:05, 15:00:30, 3pm, 3:30pm */
static bool
word_time(const char *s, struct said *w)
{
        int h, m = 0, sec = 0;
        size_t n = digits(s, 2, &h), k = 0;
        bool pm;

        if (n == 0 || h > 24)
                return false;
        s += n;
        if (*s == ':') {
                k = digits(s + 1, 2, &m);
                if (k != 2 || m > 59)
                        return false;
                s += 3;
                if (*s == ':') {
                        if (digits(s + 1, 2, &sec) != 2 || sec > 59)
                                return false;
                        s += 3;
                }
        }
        pm = strcmp(s, "pm") == 0;
        if (pm || strcmp(s, "am") == 0) {
                if (h < 1 || h > 12)
                        return false;
                h = h % 12 + (pm ? 12 : 0);
        } else if (*s != '\0' || k == 0) {
                return false;
        }
        w->time_s = h * 3600 + m * 60 + sec;
        return w->has_time = w->time_s <= DAY_S && (h < 24 || w->time_s == DAY_S);
}

/* One number with its unit: bytes used, 0 when it is none. */
static size_t
span_part(const char *s, int *number, size_t *unit)
{
        size_t n = digits(s, 6, number), longest = 0;

        for (size_t i = 0; n > 0 && i < N_OF(units); i++) {
                size_t k = strlen(units[i].word);

                if (k > longest && strncmp(s + n, units[i].word, k) == 0) {
                        longest = k;
                        *unit = i;
                }
        }
        return longest == 0 ? 0 : n + longest;
}

static bool
word_span(const char *s, struct said *w)
{
        const char *p = s;

        while (*p != '\0') {
                int number;
                size_t unit = 0, n = span_part(p, &number, &unit);

                if (n == 0)
                        return false;
                if (units[unit].s >= DAY_S)
                        w->span_days += number * (units[unit].s / DAY_S);
                else
                        w->span_s += number * units[unit].s;
                p += n;
        }
        w->is_span = *s != '\0' && w->span_days <= 36600;
        return w->is_span && (w->span_s > 0 || w->span_days > 0);
}

static bool
is_filler(const char *s)
{
        static const char *const fillers[] = {
            "at", "on", "in", "в", "во", "через", "до", "by"};

        for (size_t i = 0; i < N_OF(fillers); i++)
                if (strcmp(s, fillers[i]) == 0)
                        return true;
        return false;
}

static bool
word_read(const char *s, struct said *w)
{
        if (w->is_span)
                return false;
        if (!w->has_day && !w->has_time && word_span(s, w))
                return true;
        *w = (struct said){.has_day = w->has_day,
            .has_time = w->has_time,
            .has_year = w->has_year,
            .is_weekday = w->is_weekday,
            .is_date = w->is_date,
            .weekday = w->weekday,
            .days = w->days,
            .year = w->year,
            .month = w->month,
            .day = w->day,
            .time_s = w->time_s};
        if (!w->has_day && (word_weekday(s, w) || word_near_day(s, w) || word_date(s, w)))
                return true;
        return !w->has_time && word_time(s, w);
}

/* ---- from what was said to a moment ---- */

static int64_t
local_s(int64_t at_us)
{
        char text[20];
        struct tm tm = {0};

        zone_format("", at_us, text);
        if (sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
                return at_us / SECOND;
        tm.tm_year -= 1900;
        tm.tm_mon--;
        return (int64_t)timegm(&tm);
}

static int64_t
from_local_us(int64_t s)
{
        return s * SECOND - zone_offset_us("", s * SECOND);
}

static int64_t
date_s(int year, int month, int day)
{
        struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

        return (int64_t)timegm(&tm);
}

static int
local_year(int64_t s)
{
        time_t t = (time_t)s;
        struct tm tm;

        gmtime_r(&t, &tm);
        return tm.tm_year + 1900;
}

/* The nearest year on this side in which the date with its time exists. */
static int64_t
date_near(const struct said *w, int64_t now_us, enum when_side side)
{
        int year = local_year(local_s(now_us)), step = side == WHEN_AHEAD ? 1 : -1;
        int64_t at = 0;

        for (int i = 0; i < 9; i++, year += step) {
                if (w->day > month_days(year, w->month))
                        continue;
                at = from_local_us(date_s(year, w->month, w->day) + w->time_s);
                if (side == WHEN_AHEAD ? at > now_us : at <= now_us)
                        break;
        }
        return at;
}

static int64_t
weekday_near(const struct said *w, int64_t now_us, enum when_side side)
{
        int64_t now_s = local_s(now_us), today = now_s - now_s % DAY_S;
        int64_t weekday = (today / DAY_S + 4) % 7; /* 1970 began on a Thursday */
        int64_t days = side == WHEN_AHEAD ? (w->weekday - weekday + 7) % 7
                                          : -((weekday - w->weekday + 7) % 7);
        int64_t at = from_local_us(today + days * DAY_S + w->time_s);

        if (side == WHEN_AHEAD && at <= now_us)
                at = from_local_us(today + (days + 7) * DAY_S + w->time_s);
        if (side == WHEN_BACK && at > now_us)
                at = from_local_us(today + (days - 7) * DAY_S + w->time_s);
        return at;
}

static int64_t
time_near(const struct said *w, int64_t now_us, enum when_side side)
{
        int64_t now_s = local_s(now_us), today = now_s - now_s % DAY_S;
        int64_t at = from_local_us(today + w->time_s);

        if (side == WHEN_AHEAD && at <= now_us)
                return from_local_us(today + DAY_S + w->time_s);
        if (side == WHEN_BACK && at > now_us)
                return from_local_us(today - DAY_S + w->time_s);
        return at;
}

static int64_t
span_from(const struct said *w, int64_t now_us, enum when_side side)
{
        int64_t sign = side == WHEN_AHEAD ? 1 : -1, at = now_us;

        if (w->span_days > 0) {
                int64_t s = local_s(now_us);

                at = from_local_us(s + sign * w->span_days * DAY_S) + now_us % SECOND;
        }
        return at + sign * w->span_s * SECOND;
}

static int64_t
said_moment(struct said *w, int64_t now_us, enum when_side side)
{
        int64_t now_s = local_s(now_us);

        if (w->is_span)
                return span_from(w, now_us, side);
        if (!w->has_day)
                return time_near(w, now_us, side);
        if (!w->has_time)
                w->time_s = 9 * 3600;
        if (w->is_weekday)
                return weekday_near(w, now_us, side);
        if (w->is_date && !w->has_year)
                return date_near(w, now_us, side);
        if (w->is_date)
                return from_local_us(date_s(w->year, w->month, w->day) + w->time_s);
        return from_local_us(now_s - now_s % DAY_S + w->days * DAY_S + w->time_s);
}

/* "30 min" becomes " 30min". */
static void
numbers_join(char *text)
{
        for (char *p = text; *p != '\0'; p++) {
                char *number = p;
                size_t n = strspn(p, "0123456789");

                if (n == 0 || (p > text && p[-1] != ' '))
                        continue;
                p += n;
                if (p[0] == ' ' && (isalpha((unsigned char)p[1]) || (p[1] & 0x80))) {
                        memmove(number + 1, number, n);
                        *number = ' ';
                }
                if (*p == '\0')
                        return;
        }
}

static int
said_check(
    int64_t at_us, int64_t now_us, enum when_side side, const char *s, struct err *err)
{
        if (side == WHEN_AHEAD && at_us <= now_us)
                return err_set(err, ERR_REJECT, tr("'%.100s' is past"), s);
        if (side == WHEN_BACK && at_us > now_us)
                return err_set(err, ERR_REJECT, tr("'%.100s' is still to come"), s);
        return 0;
}

int
when_parse(
    const char *s, int64_t now_us, enum when_side side, int64_t *at_us, struct err *err)
{
        struct arena *a AUTO_ARENA = arena_new();
        size_t n = strlen(s);
        char *text, *word, *rest = NULL;
        struct said w = {0};
        int n_words = 0;

        if (n > 200 || !utf8_valid(s, n))
                return err_set(err, ERR_REJECT, tr("that is no time"));
        text = arena_strndup(a, s, n);
        for (size_t i = 1; i < n; i++) /* 2026-12-01T10:00 */
                if (text[i] == 'T' && isdigit((unsigned char)text[i - 1]))
                        text[i] = ' ';
        text = utf8_fold(a, text, n);
        numbers_join(text);
        if (strcmp(text, "now") == 0 || strcmp(text, "сейчас") == 0) {
                *at_us = now_us;
                return 0;
        }
        for (word = strtok_r(text, " ,\t", &rest); word != NULL;
             word = strtok_r(NULL, " ,\t", &rest)) {
                if (is_filler(word))
                        continue;
                if (++n_words > MAX_WORDS || !word_read(word, &w)) {
                        n_words = 0;
                        break;
                }
        }
        if (n_words == 0)
                return err_set(err, ERR_REJECT,
                    tr("'%.100s' is no time: say 15:00, fri 15:00, tomorrow 9:00, 2h or "
                       "2026-12-01 10:00"),
                    s);
        *at_us = said_moment(&w, now_us, side);
        return said_check(*at_us, now_us, side, s, err);
}

int
when_parse_words(int argc, const char *const *argv, int64_t now_us, enum when_side side,
    int64_t *at_us, struct err *err)
{
        struct err first = {.kind = ERR_NONE};

        if (argc == 0) {
                err_set(err, ERR_REJECT, tr("a time is missing"));
                return 0;
        }
        for (int n = argc < MAX_WORDS + 2 ? argc : MAX_WORDS + 2; n > 0; n--) {
                char text[256] = "";

                for (int i = 0; i < n; i++) {
                        size_t at = strlen(text);

                        snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? " " : "",
                            argv[i]);
                }
                if (!is_filler(argv[n - 1]) &&
                    when_parse(text, now_us, side, at_us, &first) == 0)
                        return n;
        }
        if (err != NULL)
                *err = first;
        return 0;
}

bool
when_duration(const char *s, char out[64])
{
        size_t at = 0;

        out[0] = '\0';
        for (const char *p = s; *p != '\0';) {
                int number;
                size_t unit = 0, n = span_part(p, &number, &unit);

                if (n == 0 || at > 48)
                        return false;
                at +=
                    (size_t)snprintf(out + at, 64 - at, "%d%c", number, units[unit].unit);
                p += n;
        }
        return at > 0;
}

/* ---- for reading ---- */

static void
format_near(int64_t s, char out[48])
{
        bool ahead = s > 0;

        s = ahead ? s : -s;
        if (s < 60)
                snprintf(out, 48, "%s", ahead ? tr("in a moment") : tr("just now"));
        else if (s < 3600)
                snprintf(
                    out, 48, ahead ? tr("in %d min") : tr("%d min ago"), (int)(s / 60));
        else
                snprintf(
                    out, 48, ahead ? tr("in %d h") : tr("%d h ago"), (int)(s / 3600));
}

static const char *
month_name(int month)
{
        static const char *const en[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
            "Aug", "Sep", "Oct", "Nov", "Dec"};
        static const char *const ru[] = {"янв", "фев", "мар", "апр", "мая", "июн", "июл",
            "авг", "сен", "окт", "ноя", "дек"};

        return words_are_russian() ? ru[month % 12] : en[month % 12];
}

void
when_format(int64_t at_us, int64_t now_us, char out[48])
{
        int64_t at = local_s(at_us), now = local_s(now_us);
        int64_t days = at / DAY_S - now / DAY_S, s = (at_us - now_us) / SECOND;
        time_t t = (time_t)at;
        struct tm tm;
        char date[32];

        gmtime_r(&t, &tm);
        if (words_are_russian())
                snprintf(date, sizeof date, "%d %s", tm.tm_mday, month_name(tm.tm_mon));
        else
                snprintf(date, sizeof date, "%s %d", month_name(tm.tm_mon), tm.tm_mday);
        if (s > -3 * 3600 && s < 3 * 3600)
                format_near(s, out);
        else if (days == 0)
                snprintf(out, 48, "%02d:%02d", tm.tm_hour, tm.tm_min);
        else if (days == 1)
                snprintf(out, 48, tr("tomorrow %02d:%02d"), tm.tm_hour, tm.tm_min);
        else if (days == -1)
                snprintf(out, 48, tr("yesterday %02d:%02d"), tm.tm_hour, tm.tm_min);
        else if (days > -300 && days < 300)
                snprintf(out, 48, "%s %02d:%02d", date, tm.tm_hour, tm.tm_min);
        else
                snprintf(out, 48, "%s %d", date, tm.tm_year + 1900);
}

void
when_span(int64_t s, char out[32])
{
        long long n = s < 0 ? 0 : (long long)s;

        if (n < 60)
                snprintf(out, 32, tr("%llds"), n);
        else if (n < 3600)
                snprintf(out, 32, tr("%lldm"), n / 60);
        else if (n < DAY_S)
                snprintf(out, 32, tr("%lldh%02lld"), n / 3600, n / 60 % 60);
        else
                snprintf(out, 32, tr("%lldd %lldh"), n / DAY_S, n / 3600 % 24);
}
