/*
 * Regular expressions of the rules (PCRE2's only home): UTF, Unicode properties,
 * compiled to machine code where the system allows it, bounded in the work one
 * match may do. ё = е as everywhere in the rules: in the pattern's letters, in
 * its character classes, and in the text.
 */
#ifndef HELPLINE_CONFIG_PATTERN_H
#define HELPLINE_CONFIG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/err.h"

struct pattern;

/* NULL with *err (one sentence) and *at, the byte of the pattern that is wrong. */
struct pattern *pattern_new(const char *text, bool any_case, size_t *at, struct err *err);
void pattern_free(struct pattern **p);

enum pattern_result { PATTERN_NO, PATTERN_YES, PATTERN_GAVE_UP };
/* Looks for it in the first 64 KB of text; *from and *to get the match, in bytes of
 * text. GAVE_UP: it would have taken more work than a rule may. *left_us is the
 * processor time there is, for all patterns on one message; what was used of it is
 * taken off. */
enum pattern_result pattern_find(const struct pattern *p, const char *text, size_t n,
    int64_t *left_us, size_t *from, size_t *to);

#endif
