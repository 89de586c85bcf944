/* Inside config/bounces*.c: what a set is made of, and its patterns. */
#ifndef HELPLINE_CONFIG_BOUNCES_IMPL_H
#define HELPLINE_CONFIG_BOUNCES_IMPL_H

#include "config/bounces.h"

#define BOUNCES_MAX_FILE (256u << 10)
#define BOUNCES_MAX_FILES 500u
#define BOUNCES_MAX_PATTERNS 5000u /* of one file */
#define BOUNCES_MAX_PARTS 16u /* of one pattern */
#define BOUNCES_MAX_PATTERN 300u /* bytes of one as written */

enum part_kind {
        PART_LITERAL,
        PART_ANY, /* * */
        PART_ADDRESS,
        PART_STATUS,
        PART_CODE,
        PART_REPLY,
        PART_ID
};

struct pattern_part {
        enum part_kind kind;
        const char *text; /* of a literal, folded */
        size_t n;
};

/* A pattern of one line; anchored at both ends unless * stands there. */
struct line_pattern {
        const char *written;
        struct pattern_part *parts;
        size_t n_parts;
};

/* Makes one of text; NULL with *why (static) and *at, the byte that is wrong. */
struct line_pattern *
line_pattern_new(struct arena *a, const char *text, const char **why, size_t *at);
/* Has it a capture of this kind? */
bool line_pattern_has(const struct line_pattern *p, enum part_kind kind);
bool line_pattern_fits(
    const struct line_pattern *p, const struct bounce_line *l, struct bounce_captures *c);

struct pattern_list {
        struct line_pattern **list;
        size_t n;
};

enum known_by { KNOWN_FROM, KNOWN_SUBJECT, KNOWN_HEADER, KNOWN_TEXT };

struct known_condition {
        enum known_by by;
        const char *header; /* its name; of KNOWN_HEADER */
        struct line_pattern *pattern;
};

/* One sentence known-by: all of its conditions hold. */
struct known_sentence {
        const char *written;
        struct known_condition *conditions;
        size_t n;
};

struct meaning { /* words -> reason */
        struct line_pattern *pattern;
        const struct bounce_reason *reason;
        const char *reason_name; /* as written, until all files are read */
        unsigned line, column;
};

struct status_meaning {
        const char *status; /* "5.1.1", or "5.1.*" */
        const char *reason_name;
        const struct bounce_reason *reason;
        unsigned line, column;
};

struct bounce_system {
        const char *name;
        const char *title;
        const char *type; /* "" a report of delivery */
        const char *path;
        struct known_sentence *known;
        size_t n_known;
        struct pattern_list lists[BOUNCE_N_LISTS];
        struct meaning *meanings;
        size_t n_meanings;
        size_t n_patterns;
};

struct bounce_set {
        struct arena *a;
        struct bounce_system **systems; /* in the order of names */
        size_t n_systems;
        struct bounce_system *other; /* one of them, or NULL */
        struct bounce_system *reasons; /* one of them, or NULL */
        struct bounce_reason *reason_list;
        size_t n_reasons;
        struct status_meaning *statuses;
        size_t n_statuses;
        const char *statuses_path;
};

/* Reads one file into a new system of the set. -1 with *err. */
int
bounces_read(struct bounce_set *s, const char *path, const char *name, struct err *err);
/* For the fuzzer and tests: the text of such a file. */
int bounces_read_text(struct bounce_set *s, const char *path, const char *name,
    const char *text, size_t n, struct err *err);
struct bounce_set *bounces_new(void);
/* Once all files are read: reasons found by their names, systems in order. */
int bounces_finish(struct bounce_set *s, struct err *err);

#endif
