/*
 * Labels of charsets as they come, and what the sender's software really wrote; see
 * helper_mime_text.h. They are compared by their letters and digits only, because
 * every mailer puts its hyphens elsewhere.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "channels/helper_mime_text.h"

#define LABEL_LEN 40

static const struct {
        const char *key; /* letters and digits of the label, small */
        const char *charset;
} aliases[] = {
    {"utf8", "UTF-8"},
    {"unicode11utf8", "UTF-8"},
    {"unicode20utf8", "UTF-8"},
    {"utf8mb4", "UTF-8"},
    {"utf7", "UTF-7"},
    {"unicode11utf7", "UTF-7"},
    {"unicode20utf7", "UTF-7"},
    {"utf16", "UTF-16"},
    {"ucs2", "UTF-16"},
    {"unicode", "UTF-16"},
    {"iso10646ucs2", "UTF-16"},
    {"utf16le", "UTF-16LE"},
    {"utf16be", "UTF-16BE"},
    {"utf32", "UTF-32"},
    {"ucs4", "UTF-32"},
    {"utf32le", "UTF-32LE"},
    {"utf32be", "UTF-32BE"},
    {"latin1", "CP1252"},
    {"l1", "CP1252"},
    {"western", "CP1252"},
    {"latin2", "ISO-8859-2"},
    {"latin5", "CP1254"},
    {"latin9", "ISO-8859-15"},
    {"cyrillic", "ISO-8859-5"},
    {"greek", "ISO-8859-7"},
    {"hebrew", "ISO-8859-8"},
    {"logical", "ISO-8859-8"},
    {"visual", "ISO-8859-8"},
    {"tis620", "CP874"},
    {"koi8r", "KOI8-R"},
    {"koi8", "KOI8-R"},
    {"koi", "KOI8-R"},
    {"koi8u", "KOI8-U"},
    {"koi8ru", "KOI8-U"},
    {"koi8t", "KOI8-T"},
    {"maccyrillic", "MAC-CYRILLIC"},
    {"macukrainian", "MAC-CYRILLIC"},
    {"mac", "MACINTOSH"},
    {"macroman", "MACINTOSH"},
    {"macintosh", "MACINTOSH"},
    {"gb2312", "GB18030"},
    {"gb231280", "GB18030"},
    {"gbk", "GB18030"},
    {"gb18030", "GB18030"},
    {"euccn", "GB18030"},
    {"chinesegb", "GB18030"},
    {"hzgb2312", "HZ"},
    {"hz", "HZ"},
    {"big5", "BIG5-HKSCS"},
    {"xbig5", "BIG5-HKSCS"},
    {"big5hkscs", "BIG5-HKSCS"},
    {"shiftjis", "CP932"},
    {"sjis", "CP932"},
    {"windows31j", "CP932"},
    {"mskanji", "CP932"},
    {"eucjp", "EUC-JP-MS"},
    {"iso2022jp", "ISO-2022-JP-2"},
    {"iso2022jp1", "ISO-2022-JP-2"},
    {"iso2022jp2", "ISO-2022-JP-2"},
    {"iso2022jp3", "ISO-2022-JP-2"},
    {"iso2022jpms", "ISO-2022-JP-2"},
    {"jis", "ISO-2022-JP-2"},
    {"iso2022kr", "ISO-2022-KR"},
    {"ksc56011987", "UHC"},
    {"ksc5601", "UHC"},
    {"ksc56011989", "UHC"},
    {"euckr", "UHC"},
    {"uhc", "UHC"},
    {"korean", "UHC"},
    {"armscii8", "ARMSCII-8"},
    {"georgianps", "GEORGIAN-PS"},
    {"viscii", "VISCII"},
    {"pt154", "PT154"},
};

/* Labels that say nothing. */
static const char *const empty[] = {"usascii", "ascii", "ansix341968", "ansix34",
    "iso646us", "iso646", "default", "8bit", "7bit", "binary", "none", "null", "ansi",
    "auto", "userdefined", "us", "charset", "base64", "quotedprintable", "iso8859",
    "windows"};

/* Code pages of Windows that are not called "CP" and their number. */
static const struct {
        unsigned page;
        const char *charset;
} pages[] = {{65001, "UTF-8"}, {65000, "UTF-7"}, {1200, "UTF-16LE"}, {1201, "UTF-16BE"},
    {20866, "KOI8-R"}, {21866, "KOI8-U"}, {878, "KOI8-R"}, {10007, "MAC-CYRILLIC"},
    {10000, "MACINTOSH"}, {936, "GB18030"}, {54936, "GB18030"}, {20936, "GB18030"},
    {950, "BIG5-HKSCS"}, {949, "UHC"}, {51949, "UHC"}, {50220, "ISO-2022-JP-2"},
    {50221, "ISO-2022-JP-2"}, {50222, "ISO-2022-JP-2"}, {51932, "EUC-JP-MS"},
    {943, "CP932"}, {20127, ""}, {367, ""}, {819, "CP1252"}, {28591, "CP1252"},
    {28592, "ISO-8859-2"}, {28595, "ISO-8859-5"}, {28597, "ISO-8859-7"},
    {28605, "ISO-8859-15"}};

/* What stands between the junk that stands around a label. */
static void
cut_label(const char *s, char out[LABEL_LEN])
{
        const char *eq;
        size_t n = 0;

        out[0] = '\0';
        if (s == NULL)
                return;
        s += strspn(s, "\"'= \t\r\n_<(");
        if (strncasecmp(s, "charset", 7) == 0 && (eq = strchr(s, '=')) != NULL)
                s = eq + 1 + strspn(eq + 1, "\"'= \t");
        if (strncasecmp(s, "3D", 2) == 0) /* quoted-printable left on it */
                s += 2 + strspn(s + 2, "\"'= \t");
        while (s[n] > 32 && s[n] < 127 && strchr("\"';,*()<>$\\?=:", s[n]) == NULL &&
               n < LABEL_LEN - 1) {
                out[n] = s[n];
                n++;
        }
        out[n] = '\0';
}

static void
make_key(const char *label, char key[LABEL_LEN])
{
        size_t n = 0;

        for (; *label != '\0'; label++)
                if (isalnum((unsigned char)*label))
                        key[n++] = (char)tolower((unsigned char)*label);
        key[n] = '\0';
}

static bool
find_alias(const char *key, char name[LABEL_LEN])
{
        for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
                if (strcmp(key, aliases[i].key) == 0) {
                        snprintf(name, LABEL_LEN, "%s", aliases[i].charset);
                        return true;
                }
        return false;
}

/* "windows1251", "cp1251", "win1251", "ibm866", "866" */
static bool
find_page(const char *key, char name[LABEL_LEN])
{
        static const char *const prefixes[] = {"microsoftcp", "windows", "codepage",
            "win", "ansicp", "ansi", "ibm", "dos", "oem", "cp", "ms"};
        char *end;
        unsigned long page;

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
                if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0) {
                        key += strlen(prefixes[i]);
                        break;
                }
        page = isdigit((unsigned char)*key) ? strtoul(key, &end, 10) : 0;
        if (page < 300 || page > 99999 || *end != '\0')
                return false;
        for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
                if (pages[i].page == page) {
                        snprintf(name, LABEL_LEN, "%s", pages[i].charset);
                        return true;
                }
        snprintf(name, LABEL_LEN, "CP%lu", page);
        return true;
}

/* "iso88591", "88595", "iso88598i" */
static bool
find_iso(const char *key, char name[LABEL_LEN])
{
        unsigned long part;
        char *end;

        if (strncmp(key, "iso", 3) == 0)
                key += 3;
        if (strncmp(key, "8859", 4) != 0)
                return false;
        part = strtoul(key + 4, &end, 10);
        if (part < 1 || part > 16)
                return false;
        /* their authors used the Windows page that holds more */
        if (part == 1 || part == 9 || part == 11)
                snprintf(name, LABEL_LEN, "%s",
                    part == 1   ? "CP1252"
                    : part == 9 ? "CP1254"
                                : "CP874");
        else
                snprintf(name, LABEL_LEN, "ISO-8859-%lu", part);
        return true;
}

/* Some write more into a label than belongs there: its longest beginning counts. */
static bool
find_beginning(const char *key, char name[LABEL_LEN])
{
        size_t best = 0;

        for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
                size_t n = strlen(aliases[i].key);

                if (n >= 4 && n > best && strncmp(key, aliases[i].key, n) == 0 &&
                    !isdigit((unsigned char)key[n])) {
                        snprintf(name, LABEL_LEN, "%s", aliases[i].charset);
                        best = n;
                }
        }
        return best > 0;
}

static bool
says_nothing(const char *key)
{
        if (key[0] == '\0' || strncmp(key, "unknown", 7) == 0 ||
            strncmp(key, "usascii", 7) == 0)
                return true;
        for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
                if (strcmp(key, empty[i]) == 0)
                        return true;
        return false;
}

void
mime_text_label(const char *label, char declared[LABEL_LEN], char name[LABEL_LEN])
{
        char key[LABEL_LEN] = "";
        const char *bare = key;

        cut_label(label, declared);
        name[0] = '\0';
        if (strcasecmp(declared, "utf-8") == 0) { /* nearly always */
                snprintf(name, LABEL_LEN, "UTF-8");
                return;
        }
        make_key(declared, key);
        if (strncmp(bare, "cs", 2) == 0)
                bare += 2;
        while (*bare == 'x')
                bare++;
        if (says_nothing(bare) || find_alias(bare, name) || find_page(bare, name) ||
            find_iso(bare, name) || find_beginning(bare, name))
                return;
        for (size_t i = 0; (name[i] = (char)toupper((unsigned char)declared[i])) != '\0';
             i++)
                ;
}
