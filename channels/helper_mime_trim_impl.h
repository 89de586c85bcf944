/*
 * Inside of helper_mime_trim*.c: the lines of a text, what each is, and the words by
 * which mail programs mark them. Not for others.
 *
 * Everything that looks at words looks at the folded copy of a line, which has at most
 * TRIM_FOLD bytes: that is what makes the whole linear, whatever a line holds.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_TRIM_IMPL_H
#define HELPLINE_CHANNELS_HELPER_MIME_TRIM_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channels/helper_mime_trim.h"

#define TRIM_FOLD 320 /* bytes of a line that are looked at */

/* ---- words: helper_mime_trim_words.def says what each kind means ---- */
enum word_kind {
        WORD_WROTE,
        WORD_STARTER,
        WORD_SELF,
        WORD_QUOTING,
        WORD_FROM,
        WORD_DATE,
        WORD_TO,
        WORD_CC,
        WORD_SUBJECT,
        WORD_OTHER,
        WORD_ORIGINAL,
        WORD_FORWARD,
        WORD_MOBILE,
        WORD_DEVICE,
        WORD_EXCUSE,
        WORD_APP,
        WORD_CLOSING,
        WORD_CONTACT,
        WORD_BANNER,
        WORD_BANNER2,
        WORD_LEGAL,
        WORD_LEGAL1,
        WORD_FOOTER,
        WORD_ABOVE,
        WORD_RE,
        WORD_FWD,
        WORD_LINK,
        WORD_KINDS
};

/* s: folded text of n bytes, one line, blanks single. */
/* One of the kind's words is all of s. */
bool word_is(enum word_kind kind, const char *s, size_t n);
/* One of them begins s and ends with it or before no letter; its length, or 0. */
size_t word_begins(enum word_kind kind, const char *s, size_t n);
/* The same, whatever stands behind it. */
size_t word_starts(enum word_kind kind, const char *s, size_t n);
/* One of them stands anywhere in s (of WROTE, SELF and CONTACT: with no letter before or
 * behind it). Only of kinds that are said to stand in the table. */
bool word_stands(enum word_kind kind, const char *s, size_t n);
/* The same of all those kinds at once: a bit each. */
uint64_t word_kinds(const char *s, size_t n);
/* How many different ones stand in s. */
unsigned word_count(enum word_kind kind, const char *s, size_t n);
/* One of the patterns (with *) matches all of s. */
bool word_matches(enum word_kind kind, const char *s, size_t n);
/* Appends s folded: lower case, emphasis (*) and invisible characters dropped, every
 * blank a space, single, none at the ends; at most TRIM_FOLD bytes. */
void word_fold(struct buf *out, const char *s, size_t n);
/* May cp stand inside a word of a script that separates words? */
bool word_is_letter(uint32_t cp);

/* ---- lines ---- */
enum line_kind {
        LINE_EMPTY,
        LINE_TEXT,
        LINE_QUOTE, /* begins with > or the HTML said so */
        LINE_ATTRIBUTION, /* "On ... wrote:" */
        LINE_HEADER, /* of a quoted header block, and the rule above it */
        LINE_ORIGINAL, /* "-----Original Message-----" */
        LINE_FORWARD, /* "Begin forwarded message:" */
        LINE_ABOVE, /* "please reply above this line" */
        LINE_SIGNATURE, /* "Sent from my iPhone", or the HTML said so */
        LINE_ARMOUR /* of PGP: says nothing */
};

#define LINE_HAS_DATE 1u /* a year, a time of day or a numeric date */
#define LINE_HAS_TIME 2u
#define LINE_HAS_ADDRESS 4u /* something@something.something */
#define LINE_TAKEN 8u /* not in the new text */
#define LINE_STRONG 16u /* this attribution needs no quote behind it */
#define LINE_MARKED 32u /* what it is the HTML said */
#define LINE_FIRST 64u /* first of an attribution or header block */
#define LINE_VIEWED 128u /* the next two are known */
#define LINE_CONTACT 256u /* tells how to reach somebody */
#define LINE_OFFICIAL 512u /* words of a footer */

struct trim_line {
        uint32_t from, to; /* bytes of the text, without the line end */
        uint32_t fold; /* of the folded line, in trim.folded */
        uint64_t kinds; /* word_kinds() of it */
        uint16_t n_fold;
        uint16_t flags; /* LINE_... */
        uint8_t kind; /* enum line_kind */
        uint8_t depth; /* of quoting, as > say */
};

struct trim {
        struct message *m;
        const char *text;
        size_t n; /* bytes of it */
        struct trim_line *lines;
        size_t n_lines;
        struct buf folded; /* the folded lines, without what quotes them */
        size_t end; /* lines behind are taken, or belong to the forward */
        bool is_reply; /* the header or the subject says so */
        bool is_forward; /* the subject says so */
        bool has_attribution; /* something says that quotes are quotes */
        size_t first_text; /* first line of text that is no rule */
        size_t n_taken;
};

/* helper_mime_trim_lines.c: splits the text and says what each line is alone. */
void trim_lines_split(struct trim *t, const struct text_marks *marks);
const char *trim_folded(const struct trim *t, size_t i, size_t *n);
/* May a word of the kind stand in line i? */
static inline bool
trim_may(const struct trim *t, size_t i, enum word_kind kind)
{
        return t->lines[i].kinds >> kind & 1;
}
/* The next line from i on (before the end) that is not empty, or t->end. */
size_t trim_next(const struct trim *t, size_t i);
/* Is line i one of text that nobody took? */
bool trim_is_text(const struct trim *t, size_t i);
bool trim_has_text(const struct trim *t, size_t from, size_t to);
/* Only - _ = * ~ # and dashes: how many of them, else 0; *c: the character, '-' for
 * all dashes, 0 when they are mixed. */
size_t trim_rule(const struct trim *t, size_t i, char *c);
/* Takes lines [from, to) away and tells why. */
void trim_take(struct trim *t, size_t from, size_t to, const char *what, const char *why);

/* helper_mime_trim_marks.c: finds attributions, header blocks and markers. */
void trim_find_marks(struct trim *t);
/* The label of a header line ("From:", "*Тема:*"), or WORD_KINDS; *value: where in the
 * folded line its value begins. */
enum word_kind trim_label(const struct trim *t, size_t i, size_t *value);

/* helper_mime_trim_tail.c: takes what stands at the ends: quotes, signatures,
 * footers at the tail, banners at the head. */
void trim_tail(struct trim *t);
void trim_head(struct trim *t);
/* Takes the lines around i that a program or PGP appended; the line behind them. */
size_t trim_appended(struct trim *t, size_t i);

/* helper_mime_trim_forward.c: the line where a forwarded mail begins, or n_lines; and
 * what it says. */
size_t trim_forward_find(struct trim *t);
/* Sets m->forwarded (unless it is set); returns the first line of its own text. */
size_t trim_forward_read(struct trim *t, size_t at, bool whole);

#endif
