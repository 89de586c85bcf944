/*
 * Calendars; see helper_mime_calendar.h. Only the first event (or task) is told.
 */
#include "channels/helper_mime_calendar.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/utf8.h"

#define MAX_VALUE 200 /* bytes of one value told */

enum value {
        V_METHOD,
        V_SUMMARY,
        V_START,
        V_LOCATION,
        V_ORGANIZER,
        V_ATTENDEE,
        N_VALUES
};

struct calendar {
        bool is_calendar;
        bool in_event;
        bool had_event;
        char value[N_VALUES][MAX_VALUE];
        char zone[60]; /* of the start */
        char answer[40]; /* PARTSTAT of the attendee */
        char organizer[MAX_VALUE]; /* its CN */
};

/* "\n", "\,", "\;" */
static void
unescape(char *s)
{
        char *to = s;

        for (; *s != '\0'; s++) {
                if (*s == '\\' && s[1] != '\0') {
                        s++;
                        *to++ = *s == 'n' || *s == 'N' ? ' ' : *s;
                } else {
                        *to++ = *s;
                }
        }
        *to = '\0';
}

/* NAME=value of the parameters between s and its colon. */
static void
parameter(const char *s, const char *name, char *out, size_t room)
{
        size_t n = strlen(name);
        bool quoted = false;

        for (; *s != '\0' && (quoted || *s != ':'); s++) {
                size_t len = 0;

                quoted = quoted != (*s == '"');
                if (quoted || *s != ';' || strncasecmp(s + 1, name, n) != 0 ||
                    s[1 + n] != '=')
                        continue;
                s += n + 2;
                quoted = *s == '"';
                s += quoted;
                while (s[len] != '\0' &&
                       (quoted ? s[len] != '"' : s[len] != ';' && s[len] != ':'))
                        len++;
                snprintf(out, room, "%.*s", (int)utf8_cut(s, len, room - 1), s);
                return;
        }
}

/* The value behind the colon that ends name and parameters; NULL: there is none. */
static const char *
value_of(const char *line)
{
        bool quoted = false;

        for (; *line != '\0'; line++) {
                quoted = quoted != (*line == '"');
                if (*line == ':' && !quoted)
                        return line + 1;
        }
        return NULL;
}

static void
event_line(struct calendar *c, const char *line)
{
        static const struct {
                const char *name;
                enum value value;
                bool anywhere; /* also outside of events */
        } names[] = {{"METHOD", V_METHOD, true}, {"SUMMARY", V_SUMMARY, false},
            {"DTSTART", V_START, false}, {"LOCATION", V_LOCATION, false},
            {"ORGANIZER", V_ORGANIZER, false}, {"ATTENDEE", V_ATTENDEE, false}};
        const char *value = value_of(line);

        for (size_t i = 0; value != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
                size_t n = strlen(names[i].name);
                char *to = c->value[names[i].value];

                if (strncasecmp(line, names[i].name, n) != 0 ||
                    (line[n] != ':' && line[n] != ';') || to[0] != '\0' ||
                    (!names[i].anywhere && !c->in_event))
                        continue;
                snprintf(to, MAX_VALUE, "%.*s",
                    (int)utf8_cut(value, strlen(value), MAX_VALUE - 1), value);
                unescape(to);
                if (names[i].value == V_START)
                        parameter(line, "TZID", c->zone, sizeof(c->zone));
                if (names[i].value == V_ATTENDEE)
                        parameter(line, "PARTSTAT", c->answer, sizeof(c->answer));
                if (names[i].value == V_ORGANIZER)
                        parameter(line, "CN", c->organizer, sizeof(c->organizer));
        }
}

static void
calendar_line(struct calendar *c, const char *line)
{
        bool begin = strncasecmp(line, "BEGIN:", 6) == 0;
        bool end = strncasecmp(line, "END:", 4) == 0;
        const char *what = line + (begin ? 6 : 4);

        if (begin && strncasecmp(what, "VCALENDAR", 9) == 0)
                c->is_calendar = true;
        if ((begin || end) &&
            (strncasecmp(what, "VEVENT", 6) == 0 || strncasecmp(what, "VTODO", 5) == 0)) {
                c->in_event = begin && !c->had_event;
                c->had_event = c->had_event || end;
        }
        if (!begin && !end)
                event_line(c, line);
}

/* Lines unfolded (RFC 5545 3.1), each handed on. */
static void
calendar_lines(struct calendar *c, const struct buf *text)
{
        struct buf line AUTO_BUF = BUF_INIT;
        const char *s = buf_str(text);
        size_t at = 0;

        while (at < text->len && !(c->had_event && c->value[V_METHOD][0] != '\0')) {
                const char *lf = memchr(s + at, '\n', text->len - at);
                size_t len = lf != NULL ? (size_t)(lf - s) - at : text->len - at;
                bool folded = len > 0 && (s[at] == ' ' || s[at] == '\t');

                if (!folded && line.len > 0) {
                        calendar_line(c, buf_str(&line));
                        buf_clear(&line);
                }
                if (line.len < 4 * MAX_VALUE)
                        buf_add(&line, s + at + folded, len - folded);
                at += len + 1;
        }
        if (line.len > 0)
                calendar_line(c, buf_str(&line));
}

/* "20261124T100000Z" -> "2026-11-24 10:00 UTC" */
static void
tell_start(struct buf *out, const char *s, const char *zone)
{
        if (strspn(s, "0123456789") < 8)
                return;
        buf_addf(out, ", %.4s-%.2s-%.2s", s, s + 4, s + 6);
        if (s[8] == 'T' && strspn(s + 9, "0123456789") >= 4)
                buf_addf(out, " %.2s:%.2s%s", s + 9, s + 11,
                    strchr(s + 9, 'Z') != NULL ? " UTC" : "");
        if (zone[0] != '\0')
                buf_addf(out, " (%s)", zone);
}

static const char *
tell_method(const struct calendar *c, const char *method)
{
        static const char *const words[][2] = {{"REQUEST", "invitation"},
            {"CANCEL", "a meeting was cancelled"}, {"REPLY", "answer to an invitation"},
            {"COUNTER", "another time was proposed"},
            {"DECLINECOUNTER", "a proposed time was declined"}};
        const char *m = c->value[V_METHOD][0] != '\0' ? c->value[V_METHOD] : method;

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (strcasecmp(m, words[i][0]) == 0)
                        return words[i][1];
        return "calendar entry";
}

bool
mime_calendar_text(struct buf *out, const char *s, size_t n, const char *method)
{
        struct calendar c = {.is_calendar = false};
        struct buf text AUTO_BUF = BUF_INIT;
        size_t from = out->len;
        bool is_reply;

        mime_text_decode(&text, s, n, "utf-8", 256u << 10);
        calendar_lines(&c, &text);
        if (!c.is_calendar)
                return false;
        is_reply = strcmp(tell_method(&c, method), "answer to an invitation") == 0;
        buf_addf(out, "%s: %s", tell_method(&c, method),
            c.value[V_SUMMARY][0] != '\0' ? c.value[V_SUMMARY] : "(without a name)");
        tell_start(out, c.value[V_START], c.zone);
        if (c.value[V_LOCATION][0] != '\0')
                buf_addf(out, ", at %s", c.value[V_LOCATION]);
        if (is_reply && c.answer[0] != '\0')
                buf_addf(out, ": %s", c.answer);
        else if (c.organizer[0] != '\0')
                buf_addf(out, ", by %s", c.organizer);
        utf8_make_line(out->data + from, out->len - from);
        return true;
}
