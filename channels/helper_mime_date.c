/*
 * Date fields: RFC 5322, all that was before it, and what programs write that never
 * read it; see helper_mime_header.h. The text is read word by word, each word says by
 * its form what it is.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_words.h"
#include "daemon/base/utf8.h"

#define MAX_TEXT 200

/* What was read so far; -1: not yet. */
struct moment {
        int year, month, day; /* month 0 to 11 */
        int hour, minute, second;
        int zone; /* minutes east of UTC */
        bool zone_known; /* as a number */
        bool numbers; /* one was read: what follows is no day of the week */
        bool month_first; /* the month came before any number */
};

/* Beginnings of the months' names, small, in no language's order. */
static const struct {
        const char *name;
        int month;
} months[] = {
    {"jan", 0},
    {"feb", 1},
    {"mar", 2},
    {"apr", 3},
    {"may", 4},
    {"jun", 5},
    {"jul", 6},
    {"aug", 7},
    {"sep", 8},
    {"oct", 9},
    {"nov", 10},
    {"dec", 11},
    /* Russian, Ukrainian */
    {"янв", 0},
    {"фев", 1},
    {"мар", 2},
    {"апр", 3},
    {"май", 4},
    {"мая", 4},
    {"июн", 5},
    {"июл", 6},
    {"авг", 7},
    {"сен", 8},
    {"окт", 9},
    {"ноя", 10},
    {"дек", 11},
    {"січ", 0},
    {"лют", 1},
    {"бер", 2},
    {"квіт", 3},
    {"кві", 3},
    {"трав", 4},
    {"тра", 4},
    {"черв", 5},
    {"чер", 5},
    {"лип", 6},
    {"серп", 7},
    {"вер", 8},
    {"жов", 9},
    {"лист", 10},
    {"лис", 10},
    {"груд", 11},
    {"гру", 11},
    /* German, Dutch, French, Spanish, Italian, Portuguese */
    {"jän", 0},
    {"mär", 2},
    {"mrz", 2},
    {"mrt", 2},
    {"maart", 2},
    {"mai", 4},
    {"mei", 4},
    {"okt", 9},
    {"dez", 11},
    {"fév", 1},
    {"fev", 1},
    {"avr", 3},
    {"juin", 5},
    {"juil", 6},
    {"aoû", 7},
    {"aou", 7},
    {"déc", 11},
    {"ene", 0},
    {"abr", 3},
    {"ago", 7},
    {"dic", 11},
    {"gen", 0},
    {"mag", 4},
    {"giu", 5},
    {"lug", 6},
    {"set", 8},
    {"ott", 9},
    {"out", 9},
    /* Polish, Czech, Swedish, Finnish, Turkish */
    {"sty", 0},
    {"lut", 1},
    {"kwi", 3},
    {"maj", 4},
    {"cze", 5},
    {"lip", 6},
    {"sie", 7},
    {"wrz", 8},
    {"paź", 9},
    {"paz", 9},
    {"lis", 10},
    {"gru", 11},
    {"led", 0},
    {"úno", 1},
    {"bře", 2},
    {"dub", 3},
    {"kvě", 4},
    {"čvn", 5},
    {"čvc", 6},
    {"srp", 7},
    {"zář", 8},
    {"říj", 9},
    {"pro", 11},
    {"tammi", 0},
    {"helmi", 1},
    {"maalis", 2},
    {"huhti", 3},
    {"touko", 4},
    {"kesä", 5},
    {"heinä", 6},
    {"elo", 7},
    {"syys", 8},
    {"loka", 9},
    {"marras", 10},
    {"joulu", 11},
    {"oca", 0},
    {"şub", 1},
    {"nis", 3},
    {"haz", 5},
    {"tem", 6},
    {"ağu", 7},
    {"eyl", 8},
    {"eki", 9},
    {"kas", 10},
    {"ara", 11},
};

static const struct {
        const char *name;
        int minutes;
} zones[] = {
    {"gmt", 0},
    {"utc", 0},
    {"ut", 0},
    {"z", 0},
    {"wet", 0},
    {"west", 60},
    {"bst", 60},
    {"cet", 60},
    {"met", 60},
    {"mez", 60},
    {"cest", 120},
    {"mest", 120},
    {"mesz", 120},
    {"eet", 120},
    {"eest", 180},
    {"msk", 180},
    {"msd", 240},
    {"samt", 240},
    {"yekt", 300},
    {"omst", 360},
    {"novt", 420},
    {"krat", 420},
    {"irkt", 480},
    {"yakt", 540},
    {"vlat", 600},
    {"magt", 660},
    {"pett", 720},
    {"ist", 330},
    {"hkt", 480},
    {"sgt", 480},
    {"awst", 480},
    {"jst", 540},
    {"kst", 540},
    {"acst", 570},
    {"aest", 600},
    {"aedt", 660},
    {"nzst", 720},
    {"nzdt", 780},
    {"edt", -240},
    {"est", -300},
    {"cdt", -300},
    {"cst", -360},
    {"mdt", -360},
    {"mst", -420},
    {"pdt", -420},
    {"pst", -480},
    {"akdt", -480},
    {"akst", -540},
    {"hst", -600},
    {"ast", -240},
    {"adt", -180},
    {"nst", -210},
    {"ndt", -150},
    {"brt", -180},
    {"art", -180},
};

/* The month whose name the word begins with; the longest name counts. */
static int
month_of(const char *word)
{
        size_t best = 0;
        int month = -1;

        for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++) {
                size_t n = strlen(months[i].name);

                if (n > best && strncmp(word, months[i].name, n) == 0) {
                        best = n;
                        month = months[i].month;
                }
        }
        return month;
}

/* A number of at most 9 digits; *len is how many. */
static int
number(const char **s, int *len)
{
        int v = 0;

        for (*len = 0; isdigit((unsigned char)**s) && *len < 9; ++*len)
                v = v * 10 + *(*s)++ - '0';
        return v;
}

static int
full_year(int v, int len)
{
        return len >= 4 ? v : len == 3 ? v + 1900 : v < 50 ? v + 2000 : v + 1900;
}

/* +0300 +03:00 +3 +330, at the sign */
static void
read_zone(struct moment *t, const char **s)
{
        bool west = *(*s)++ == '-';
        int len, more;
        int v = number(s, &len);

        if (len > 4) /* no zone */
                v = 9999;
        if (**s == ':' && isdigit((unsigned char)(*s)[1])) {
                ++*s;
                v = v * 100 + number(s, &more) % 100;
        } else if (len <= 2) {
                v *= 100;
        }
        v = v / 100 * 60 + v % 100;
        t->zone = v > 16 * 60 ? 0 : west ? -v : v;
        t->zone_known = true;
}

/* :30:05.123 behind the hour; the separator may be a point. */
static void
read_time(struct moment *t, int hour, const char **s)
{
        char mark = *(*s)++;
        int len;

        t->hour = hour;
        t->minute = number(s, &len);
        t->second = 0;
        if (**s == mark && isdigit((unsigned char)(*s)[1])) {
                ++*s;
                t->second = number(s, &len);
        }
        if ((**s == '.' || **s == ',') && isdigit((unsigned char)(*s)[1])) {
                ++*s;
                number(s, &len);
        }
}

/* 2026-11-24, 24.11.2026, 11/24/2026; first is read, *s at the mark. */
static bool
read_numeric(struct moment *t, int first, int first_len, const char **s)
{
        char mark = **s;
        const char *p = *s + 1;
        int len, second, third;

        second = number(&p, &len);
        if (len < 1 || len > 2 || *p != mark || !isdigit((unsigned char)p[1]))
                return false;
        p++;
        third = number(&p, &len);
        if (first_len == 4) {
                t->year = first;
                t->month = second - 1;
                t->day = third;
        } else {
                /* with slashes it is American, if it can be */
                bool american = mark == '/' && second > 0 && first <= 12;

                t->year = full_year(third, len);
                t->month = (american ? first : second) - 1;
                t->day = american ? second : first;
        }
        *s = p;
        return true;
}

/* 20261124T100000 and 20261124100000 */
static void
read_packed(struct moment *t, int v, const char **s)
{
        int len;

        t->year = v / 10000;
        t->month = v / 100 % 100 - 1;
        t->day = v % 100;
        if (**s == 'T' || **s == 't')
                ++*s;
        if (!isdigit((unsigned char)**s))
                return;
        v = number(s, &len);
        t->hour = len == 6 ? v / 10000 : -1;
        t->minute = v / 100 % 100;
        t->second = v % 100;
}

/* 2026年11月24日 */
static bool
read_chinese(struct moment *t, int v, const char **s)
{
        static const char *const marks[] = {"年", "月", "日"};

        for (int i = 0; i < 3; i++)
                if (strncmp(*s, marks[i], 3) == 0) {
                        *(i == 0     ? &t->year
                            : i == 1 ? &t->month
                                     : &t->day) = i == 1 ? v - 1 : v;
                        *s += 3;
                        return true;
                }
        return false;
}

static void
read_number(struct moment *t, const char **s)
{
        const char *start = *s;
        int len;
        int v = number(s, &len);
        bool more = isdigit((unsigned char)(*s)[0] != '\0' ? (unsigned char)(*s)[1] : 0);

        t->numbers = true;
        if (len == 9) { /* YYYYMMDDhhmmss */
                *s = start + 8;
                read_packed(t, v / 10, s);
        } else if (t->day < 0 && len == 8) {
                read_packed(t, v, s);
        } else if (t->hour < 0 && len <= 2 && more &&
                   (**s == ':' || (**s == '.' && t->year >= 0))) {
                read_time(t, v, s);
        } else if (read_chinese(t, v, s) ||
                   (t->day < 0 && more && strchr("-/.", **s) != NULL &&
                       read_numeric(t, v, len, s))) {
                return;
        } else if (t->day < 0 && len <= 2) {
                t->day = v;
        } else if (t->year < 0 && len <= 4) {
                t->year = full_year(v, len);
        } else if (t->hour < 0 && len == 4) { /* 0700 */
                t->hour = v / 100;
                t->minute = v % 100;
        }
}

/* One word of letters, small; *s moves behind it. */
static void
take_word(const char **s, char word[32])
{
        size_t n = 0;

        while (isalpha((unsigned char)**s) || (unsigned char)**s >= 0x80) {
                size_t used;
                uint32_t cp = utf8_next(*s, strlen(*s), &used);
                struct buf b AUTO_BUF = BUF_INIT;

                utf8_add(&b, utf8_fold_char(cp));
                if (n + b.len < 31) {
                        memcpy(word + n, b.data, b.len);
                        n += b.len;
                }
                *s += used;
        }
        word[n] = '\0';
}

static void
read_word(struct moment *t, const char **s)
{
        char word[32];
        int month;

        take_word(s, word);
        if (t->hour >= 0 && (strcmp(word, "pm") == 0 || strcmp(word, "am") == 0)) {
                t->hour = t->hour % 12 + (word[0] == 'p' ? 12 : 0);
                return;
        }
        /* "mar, 24 nov": the first was a Tuesday */
        if ((t->month < 0 || (t->month_first && t->hour < 0)) &&
            (month = month_of(word)) >= 0) {
                t->month = month;
                t->month_first = !t->numbers;
                return;
        }
        for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
                if (t->hour >= 0 && !t->zone_known && strcmp(word, zones[i].name) == 0)
                        t->zone = zones[i].minutes;
}

/* Copies without comments and folds, at most MAX_TEXT bytes. */
static void
strip(const char *raw, size_t n, char text[MAX_TEXT + 1])
{
        unsigned depth = 0;
        size_t len = 0;

        for (size_t i = 0; i < n && len < MAX_TEXT; i++) {
                depth += raw[i] == '(';
                if (depth == 0 && raw[i] != '\0')
                        text[len++] = isspace((unsigned char)raw[i]) ? ' ' : raw[i];
                depth -= raw[i] == ')' && depth > 0;
        }
        text[len] = '\0';
        for (char *from = text, *to = text;; from++) { /* blanks around colons */
                if (*from == ':')
                        while (to > text && to[-1] == ' ')
                                to--;
                if (*from != ' ' || to == text || to[-1] != ':')
                        *to++ = *from;
                if (*from == '\0')
                        break;
        }
}

static int64_t
seconds_of(const struct moment *t)
{
        static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        struct tm tm = {.tm_year = t->year - 1900,
            .tm_mon = t->month,
            .tm_mday = t->day,
            .tm_hour = t->hour,
            .tm_min = t->minute,
            .tm_sec = t->second};
        bool leap = t->year % 4 == 0 && (t->year % 100 != 0 || t->year % 400 == 0);

        if (t->year < 0 || t->year > 9999 || t->month < 0 || t->month > 11 ||
            t->day < 1 || t->day > days[t->month] ||
            (t->month == 1 && t->day == 29 && !leap))
                return 0;
        if (t->hour > 24 || (t->hour == 24 && t->minute + t->second > 0) ||
            t->minute > 59 || t->second > 60)
                return 0;
        return (int64_t)timegm(&tm) - t->zone * 60;
}

static int64_t
date_of(const char *raw, size_t n)
{
        struct moment t = {.year = -1, .month = -1, .day = -1, .hour = -1};
        char text[MAX_TEXT + 1] = "";
        const char *s = text;

        strip(raw, n, text);
        while (*s != '\0') {
                if (isdigit((unsigned char)*s))
                        read_number(&t, &s);
                else if ((*s == '+' || *s == '-') && t.hour >= 0 &&
                         isdigit((unsigned char)s[1]) && !t.zone_known)
                        read_zone(&t, &s);
                else if (isalpha((unsigned char)*s) || (unsigned char)*s >= 0x80)
                        read_word(&t, &s);
                else
                        s++;
        }
        if (t.hour < 0)
                t.hour = 0;
        return seconds_of(&t);
}

int64_t
mime_header_date(const char *raw, size_t n)
{
        struct words w = {.hint = ""};
        struct buf text AUTO_BUF = BUF_INIT;
        int64_t at;
        bool plain = true;

        for (size_t i = 0; i < n && plain; i++)
                plain = (unsigned char)raw[i] < 0x80 && raw[i] != '?';
        if (!plain) { /* months in other languages */
                words_decode(&w, &text, raw, n);
                raw = buf_str(&text);
                n = text.len;
        }
        at = date_of(raw, n);
        return at < 315532800 || at > 4102444800 ? 0 : at * 1000000;
}
