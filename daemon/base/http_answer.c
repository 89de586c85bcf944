/*
 * The head of an answer; see http_gate.h.
 *
 * Referrer-Policy is same-origin and not no-referrer: under no-referrer browsers send
 * "Origin: null" with our own forms, and a form could not be told from a stranger's.
 * Nothing of an address leaves for another site either way.
 */
#include "daemon/base/http_gate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "daemon/base/clock.h"

const char *
http_status_text(int status)
{
        static const struct {
                int status;
                const char *text;
        } all[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
            {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"},
            {304, "Not Modified"}, {307, "Temporary Redirect"},
            {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"},
            {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
            {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
            {410, "Gone"}, {411, "Length Required"}, {412, "Precondition Failed"},
            {413, "Content Too Large"}, {414, "URI Too Long"},
            {415, "Unsupported Media Type"}, {417, "Expectation Failed"},
            {422, "Unprocessable Content"}, {429, "Too Many Requests"},
            {431, "Request Header Fields Too Large"}, {500, "Internal Server Error"},
            {501, "Not Implemented"}, {503, "Service Unavailable"},
            {505, "HTTP Version Not Supported"}, {507, "Insufficient Storage"}};

        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                if (all[i].status == status)
                        return all[i].text;
        return "Unknown";
}

static const struct http_field security[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "same-origin"},
    {"Content-Security-Policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
        "'none'"},
    {"Cache-Control", "no-store"},
};

bool
http_lines_have(const char *lines, const char *name)
{
        size_t n = strlen(name);

        while (*lines != '\0') {
                const char *lf = strchr(lines, '\n');

                if (strncasecmp(lines, name, n) == 0 && lines[n] == ':')
                        return true;
                if (lf == NULL)
                        return false;
                lines = lf + 1;
        }
        return false;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT"; by hand, for strftime speaks the locale. */
static void
add_date(struct buf *out)
{
        static const char days[] = "SunMonTueWedThuFriSat";
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t now = (time_t)(clock_now_us() / 1000000);
        struct tm tm;

        gmtime_r(&now, &tm);
        buf_addf(out, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
            days + (size_t)tm.tm_wday * 3, tm.tm_mday, months + (size_t)tm.tm_mon * 3,
            tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
http_answer_head(struct buf *out, int status, const char *type, size_t n,
    const struct buf *own, const char *connection)
{
        const char *lines = buf_str(own);

        buf_addf(out, "HTTP/1.1 %d %s\r\n", status, http_status_text(status));
        add_date(out);
        if (*type != '\0')
                buf_addf(out, "Content-Type: %s\r\n", type);
        if (status != 204 && status != 304 && n != HTTP_NO_LENGTH)
                buf_addf(out, "Content-Length: %zu\r\n", n);
        if (*connection != '\0')
                buf_addf(out, "Connection: %s\r\n", connection);
        for (size_t i = 0; i < sizeof security / sizeof *security; i++)
                if (!http_lines_have(lines, security[i].name))
                        buf_addf(out, "%s: %s\r\n", security[i].name, security[i].value);
        buf_adds(out, lines);
        buf_adds(out, "\r\n");
}
