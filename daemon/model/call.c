/* A telephone call, and numbers; see call.h. */
#include "daemon/model/call.h"

#include <string.h>
#include <strings.h>

#define NUMBER_MAX 40 /* digits looked at; E.164 has at most 15 */
#define SHORT_MAX 5 /* digits of an internal number */

const char *
call_direction_name(enum call_direction d)
{
        return d == CALL_IN ? "in" : "out";
}

const char *
call_result_name(enum call_result r)
{
        return r == CALL_ANSWERED ? "answered" : "missed";
}

/* ---- numbers ---- */

struct digits { /* of one number as it was written */
        char s[NUMBER_MAX + 1];
        size_t n;
        bool plus; /* stood before them */
};

/* Bytes of what people put between digits; 0: something else. Beyond ASCII: no-break
 * spaces, the blanks, hyphens and dashes of U+2000-2015, U+202F, the minus sign. */
static size_t
separator_length(const char *s)
{
        const unsigned char *u = (const unsigned char *)s;

        if (*s != '\0' && strchr(" \t()-./", *s) != NULL)
                return 1;
        if (u[0] == 0xc2 && u[1] == 0xa0)
                return 2;
        if (u[0] == 0xe2 && u[1] == 0x80 &&
            ((u[2] >= 0x80 && u[2] <= 0x95) || u[2] == 0xaf))
                return 3;
        return u[0] == 0xe2 && u[1] == 0x88 && u[2] == 0x92 ? 3 : 0;
}

static bool
is_extension(const char *s)
{
        return *s == ',' || *s == ';' || *s == '#' || strncasecmp(s, "ext", 3) == 0 ||
               ((*s == 'x' || *s == 'X') && s[1] >= '0' && s[1] <= '9') ||
               strncmp(s, "доб", strlen("доб")) == 0;
}

/* false: it is no number. An extension behind a whole number is left out. */
static bool
digits_read(const char *s, struct digits *d)
{
        size_t n;

        *d = (struct digits){.n = 0};
        if (strncasecmp(s, "tel:", 4) == 0)
                s += 4;
        for (; *s != '\0'; s += n) {
                n = separator_length(s);
                if (d->plus && d->n > 0 && strncmp(s, "(0)", 3) == 0)
                        n = 3; /* +44 (0)20: the trunk prefix of calls at home */
                if (n > 0)
                        continue;
                n = 1;
                if (*s == '+' && d->n == 0 && !d->plus)
                        d->plus = true;
                else if (*s >= '0' && *s <= '9' && d->n < NUMBER_MAX)
                        d->s[d->n++] = *s;
                else if (d->n > SHORT_MAX + 1 && is_extension(s))
                        break;
                else
                        return false;
        }
        d->s[d->n] = '\0';
        return d->n > 0;
}

/* Countries whose national numbers have no trunk prefix; in Italy the 0 is part of it. */
static bool
has_no_trunk(const char *country)
{
        static const char *const codes[] = {"1", "30", "34", "39", "45", "47", "48",
            "351", "352", "356", "357", "370", "371", "372", "420"};

        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
                if (strcmp(codes[i], country) == 0)
                        return true;
        return false;
}

static const char *
international(struct arena *a, const char *country, const char *digits)
{
        size_t n = strlen(country) + strlen(digits);
        char first = *country != '\0' ? *country : *digits;

        if (n < 7 || n > 15 || first == '0')
                return NULL;
        return arena_printf(a, "+%s%s", country, digits);
}

/* Numbering plan of country 7: always ten digits. */
static const char *
from_seven(struct arena *a, const struct digits *d)
{
        if (d->n > 10 && strncmp(d->s, "810", 3) == 0)
                return international(a, "", d->s + 3);
        if (d->n == 11 && (d->s[0] == '8' || d->s[0] == '7'))
                return international(a, "7", d->s + 1);
        if (d->n == 10 && d->s[0] != '0')
                return international(a, "7", d->s);
        return NULL;
}

static const char *
from_country(struct arena *a, const struct digits *d, const char *country)
{
        size_t n_country = strlen(country);

        if (strcmp(country, "7") == 0)
                return from_seven(a, d);
        if (d->s[0] == '0' && strcmp(country, "39") != 0)
                return international(a, country, d->s + 1);
        if (d->n >= n_country + 8 && strncmp(d->s, country, n_country) == 0)
                return international(a, "", d->s);
        if (has_no_trunk(country) && d->n >= 8 && d->n <= 11)
                return international(a, country, d->s);
        return NULL;
}

static const char *
without_blanks(struct arena *a, const char *s)
{
        char *out = arena_strdup(a, s), *w = out;

        for (; *s != '\0'; s++)
                if (*s != ' ' && (unsigned char)*s >= 0x20 && *s != 0x7f)
                        *w++ = *s;
        *w = '\0';
        return out;
}

const char *
phone_normalise(struct arena *a, const char *number, const char *country)
{
        struct digits d;
        const char *e164 = NULL;

        if (!digits_read(number, &d) || d.n <= SHORT_MAX)
                return without_blanks(a, number);
        if (d.plus)
                e164 = international(a, "", d.s);
        else if (d.s[0] == '0' && d.s[1] == '0')
                e164 = international(a, "", d.s + 2);
        else if (*country != '\0')
                e164 = from_country(a, &d, country);
        return e164 != NULL ? e164 : without_blanks(a, number);
}

bool
phone_is_e164(const char *number)
{
        size_t n = strspn(number + (*number == '+'), "0123456789");

        return number[0] == '+' && number[1] != '0' && number[n + 1] == '\0' && n >= 7 &&
               n <= 15;
}
