/*
 * TNEF; see helper_mime_tnef.h.
 *
 * A stream of attributes (level, id, length, data, checksum); two of them hold lists of
 * MAPI properties, where the long names and the bodies stand. Every step moves forward
 * and is checked against what is left.
 */
#include "channels/helper_mime_tnef.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "channels/helper_mime_text.h"
#include "daemon/base/buf.h"

#define SIGNATURE "\x78\x9f\x3e\x22"
#define MAX_NAME 1000 /* bytes of a name looked at */
#define MAX_PROPERTIES 10000u
#define MAX_VALUES 1000u

enum attribute {
        ATT_BODY = 0x800c,
        ATT_ATTACH_DATA = 0x800f,
        ATT_ATTACH_TITLE = 0x8010,
        ATT_ATTACH_RENDDATA = 0x9002,
        ATT_MSG_PROPS = 0x9003,
        ATT_ATTACHMENT = 0x9005,
        ATT_OEM_CODEPAGE = 0x9007
};

enum property {
        PR_BODY = 0x1000,
        PR_RTF_COMPRESSED = 0x1009,
        PR_BODY_HTML = 0x1013,
        PR_DISPLAY_NAME = 0x3001,
        PR_ATTACH_DATA = 0x3701,
        PR_ATTACH_FILENAME = 0x3704,
        PR_ATTACH_LONG_FILENAME = 0x3707,
        PR_ATTACH_MIME_TAG = 0x370e,
        PR_ATTACH_CONTENT_ID = 0x3712,
        PR_INTERNET_CPID = 0x3fde
};

enum property_type {
        PT_SHORT = 2,
        PT_LONG = 3,
        PT_FLOAT = 4,
        PT_DOUBLE = 5,
        PT_CURRENCY = 6,
        PT_APPTIME = 7,
        PT_ERROR = 10,
        PT_BOOLEAN = 11,
        PT_OBJECT = 13,
        PT_INT64 = 20,
        PT_STRING8 = 30,
        PT_UNICODE = 31,
        PT_SYSTIME = 64,
        PT_CLSID = 72,
        PT_BINARY = 258,
        PT_MULTIPLE = 0x1000
};

static const char message_iid[16] =
    "\x07\x03\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46";

struct reader {
        const unsigned char *s;
        size_t n;
        size_t at;
        bool short_of; /* more was asked for than there is */
};

struct property_value {
        unsigned id;
        unsigned type;
        const char *s;
        size_t n;
};

struct reading {
        struct arena *arena;
        struct tnef *out;
        struct tnef_file *file; /* the one being read */
        bool long_name; /* its name came from PR_ATTACH_LONG_FILENAME */
};

/* n bytes, or NULL when there are not so many. */
static const unsigned char *
take(struct reader *r, size_t n)
{
        const unsigned char *s = r->s + r->at;

        if (n > r->n - r->at) {
                r->short_of = true;
                r->at = r->n;
                return NULL;
        }
        r->at += n;
        return s;
}

static uint32_t
take32(struct reader *r)
{
        const unsigned char *s = take(r, 4);

        return s != NULL ? (uint32_t)s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 |
                               (uint32_t)s[3] << 24
                         : 0;
}

static unsigned
take16(struct reader *r)
{
        const unsigned char *s = take(r, 2);

        return s != NULL ? s[0] | (unsigned)s[1] << 8 : 0;
}

/* ---- names ---- */

static const char *
text_in(struct arena *a, const char *s, size_t n, const char *charset)
{
        struct buf b AUTO_BUF = BUF_INIT;

        n = n < MAX_NAME ? n : MAX_NAME & ~(size_t)1;
        mime_text_decode(&b, s, n, charset, MAX_NAME);
        return arena_strdup(a, buf_str(&b));
}

static const char *
string_of(const struct reading *r, const struct property_value *v)
{
        size_t n = v->n;

        if (v->type == PT_UNICODE) {
                n &= ~(size_t)1;
                while (n >= 2 && v->s[n - 1] == '\0' && v->s[n - 2] == '\0')
                        n -= 2;
                return text_in(r->arena, v->s, n, "UTF-16LE");
        }
        return text_in(r->arena, v->s, strnlen(v->s, n), r->out->charset);
}

static void
codepage(uint32_t cp, char out[16])
{
        if (cp == 65001)
                snprintf(out, 16, "UTF-8");
        else if (cp == 20866)
                snprintf(out, 16, "KOI8-R");
        else if (cp == 21866)
                snprintf(out, 16, "KOI8-U");
        else if (cp >= 28591 && cp <= 28605)
                snprintf(out, 16, "ISO-8859-%u", (unsigned)(cp - 28590));
        else if (cp == 932 || cp == 949)
                snprintf(out, 16, cp == 932 ? "SHIFT_JIS" : "UHC");
        else if (cp == 936 || cp == 54936)
                snprintf(out, 16, "GB18030");
        else if (cp == 50220 || cp == 50221)
                snprintf(out, 16, "ISO-2022-JP");
        else if (cp == 51932 || cp == 20127)
                snprintf(out, 16, cp == 51932 ? "EUC-JP" : "US-ASCII");
        else if (cp > 0 && cp < 10000)
                snprintf(out, 16, "CP%u", (unsigned)cp);
}

/* ---- properties ---- */

/* Bytes of a value of fixed length; 0: its length stands before it. */
static size_t
fixed_length(unsigned type)
{
        switch (type) {
        case PT_SHORT:
        case PT_LONG:
        case PT_FLOAT:
        case PT_ERROR:
        case PT_BOOLEAN:
                return 4;
        case PT_DOUBLE:
        case PT_CURRENCY:
        case PT_APPTIME:
        case PT_INT64:
        case PT_SYSTIME:
                return 8;
        case PT_CLSID:
                return 16;
        default:
                return 0;
        }
}

static bool
is_counted(unsigned type)
{
        return type == PT_STRING8 || type == PT_UNICODE || type == PT_BINARY ||
               type == PT_OBJECT;
}

/* A property of a named set: which set, and its number or name. */
static void
skip_name(struct reader *r)
{
        take(r, 16);
        if (take32(r) == 0)
                take32(r);
        else {
                uint32_t n = take32(r);

                take(r, n <= r->n ? (n + 3u) & ~(size_t)3 : r->n);
        }
}

/* All its values; the first is given. */
static bool
take_values(struct reader *r, struct property_value *v)
{
        unsigned type = v->type & ~(unsigned)PT_MULTIPLE;
        size_t length = fixed_length(type);
        uint32_t count = 1;

        if (length == 0 && !is_counted(type))
                return false;
        if (length == 0 || type != v->type)
                count = take32(r);
        if (count > MAX_VALUES)
                return false;
        for (uint32_t i = 0; i < count && !r->short_of; i++) {
                size_t n = length > 0 ? length : take32(r);
                const unsigned char *s = take(r, n);

                if (s == NULL)
                        return false;
                if (i == 0) {
                        v->s = (const char *)s;
                        v->n = n;
                }
                if (r->n - r->at >= (4 - n % 4) % 4)
                        r->at += (4 - n % 4) % 4;
        }
        v->type = type;
        return !r->short_of;
}

static void
file_data(struct reading *r, const struct property_value *v)
{
        struct tnef_file *f = r->file;
        const char *s = v->s;
        size_t n = v->n;
        bool is_message = false;

        if (v->type == PT_OBJECT && n >= 16) {
                is_message = memcmp(s, message_iid, 16) == 0;
                s += 16;
                n -= 16;
        }
        if (f->n > 0)
                return;
        f->data = s;
        f->n = n;
        f->is_tnef = is_message && mime_is_tnef(s, n);
}

static void
file_property(struct reading *r, const struct property_value *v)
{
        struct tnef_file *f = r->file;

        switch (v->id) {
        case PR_ATTACH_LONG_FILENAME:
                f->name = string_of(r, v);
                r->long_name = f->name[0] != '\0';
                break;
        case PR_ATTACH_FILENAME:
        case PR_DISPLAY_NAME:
                if (f->name[0] == '\0')
                        f->name = string_of(r, v);
                break;
        case PR_ATTACH_MIME_TAG:
                f->type = string_of(r, v);
                break;
        case PR_ATTACH_CONTENT_ID:
                f->content_id = string_of(r, v);
                break;
        case PR_ATTACH_DATA:
                if (v->type == PT_BINARY || v->type == PT_OBJECT)
                        file_data(r, v);
                break;
        default:
                break;
        }
}

static void
message_property(struct reading *r, const struct property_value *v)
{
        struct tnef *t = r->out;

        if (v->id == PR_INTERNET_CPID && v->type == PT_LONG) {
                struct reader cp = {.s = (const unsigned char *)v->s, .n = v->n};

                codepage(take32(&cp), t->html_charset);
        } else if (v->id == PR_BODY && v->n > 1 && is_counted(v->type)) {
                t->text = v->s;
                t->text_len = v->n;
                if (v->type == PT_UNICODE)
                        snprintf(t->charset, sizeof(t->charset), "UTF-16LE");
                else
                        t->text_len = strnlen(v->s, v->n);
        } else if (v->id == PR_BODY_HTML && is_counted(v->type)) {
                t->html = v->s;
                t->html_len = v->n;
        } else if (v->id == PR_RTF_COMPRESSED && v->type == PT_BINARY) {
                t->rtf = v->s;
                t->rtf_len = v->n;
        }
}

static void
read_properties(struct reading *r, const unsigned char *s, size_t n)
{
        struct reader props = {.s = s, .n = n};
        uint32_t count = take32(&props);

        if (count > MAX_PROPERTIES)
                count = MAX_PROPERTIES;
        for (uint32_t i = 0; i < count && props.at < n; i++) {
                struct property_value v = {.s = ""};

                v.type = take16(&props);
                v.id = take16(&props);
                if (v.id >= 0x8000)
                        skip_name(&props);
                if (!take_values(&props, &v)) {
                        r->out->odd = "a list of its properties is broken";
                        return;
                }
                if (r->file != NULL)
                        file_property(r, &v);
                else
                        message_property(r, &v);
        }
}

/* ---- attributes ---- */

static void
file_begin(struct reading *r)
{
        struct tnef *t = r->out;

        r->long_name = false;
        if (t->n_files >= TNEF_MAX_FILES) {
                t->odd = "it holds more files than are listed";
                r->file = NULL;
                return;
        }
        t->files = arena_grow(r->arena, t->files, t->n_files, sizeof(*t->files));
        r->file = &t->files[t->n_files++];
        *r->file =
            (struct tnef_file){.name = "", .type = "", .content_id = "", .data = ""};
}

static void
file_attribute(struct reading *r, unsigned id, const unsigned char *s, size_t n)
{
        struct tnef_file *f = r->file;

        if (id == ATT_ATTACH_DATA && n > 0) {
                f->data = (const char *)s;
                f->n = n;
                f->is_tnef = false;
        } else if (id == ATT_ATTACH_TITLE && !r->long_name) {
                f->name = text_in(r->arena, (const char *)s, strnlen((const char *)s, n),
                    r->out->charset);
        } else if (id == ATT_ATTACHMENT) {
                read_properties(r, s, n);
        }
}

static void
read_attribute(
    struct reading *r, unsigned level, unsigned id, const unsigned char *s, size_t n)
{
        struct reader cp = {.s = s, .n = n};
        struct tnef *t = r->out;

        if (id == ATT_ATTACH_RENDDATA) {
                file_begin(r);
        } else if (id == ATT_OEM_CODEPAGE) {
                codepage(take32(&cp), t->charset);
        } else if (level == 2) {
                if (r->file == NULL && t->n_files < TNEF_MAX_FILES)
                        file_begin(r);
                if (r->file != NULL)
                        file_attribute(r, id, s, n);
        } else if (id == ATT_MSG_PROPS) {
                r->file = NULL;
                read_properties(r, s, n);
        } else if (id == ATT_BODY && t->text_len == 0) {
                t->text = (const char *)s;
                t->text_len = strnlen((const char *)s, n);
        }
}

bool
mime_is_tnef(const char *s, size_t n)
{
        return n >= 6 && memcmp(s, SIGNATURE, 4) == 0;
}

static unsigned
checksum(const unsigned char *s, size_t n)
{
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += s[i];
        return sum & 0xffff;
}

bool
mime_tnef_read(struct arena *a, const char *s, size_t n, struct tnef *out)
{
        struct reader r = {.s = (const unsigned char *)s, .n = n, .at = 6};
        struct reading reading = {.arena = a, .out = out};

        *out = (struct tnef){.text = "", .html = "", .rtf = "", .charset = "CP1252"};
        if (!mime_is_tnef(s, n))
                return false;
        while (r.n - r.at >= 11) {
                unsigned level = *take(&r, 1);
                unsigned id = take16(&r);
                size_t length;
                const unsigned char *data;

                take16(&r); /* its type */
                length = take32(&r);
                data = take(&r, length);
                if ((level != 1 && level != 2) || data == NULL) {
                        out->odd = "it ends amid its data";
                        break;
                }
                if (take16(&r) != checksum(data, length) && !r.short_of)
                        out->odd = "a checksum in it is wrong";
                read_attribute(&reading, level, id, data, length);
        }
        return true;
}
