/*
 * UTF-8: check, walk, fold, measure, cut. Pure; every function is linear.
 */
#ifndef HELPLINE_BASE_UTF8_H
#define HELPLINE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"

/* Is it well-formed UTF-8 (RFC 3629: no overlong forms, surrogates, > U+10FFFF)? */
bool utf8_valid(const char *s, size_t n);
/* One character from s (n > 0 bytes): its code point and in *used its bytes.
 * A byte that begins no well-formed sequence: U+FFFD, *used = 1. */
uint32_t utf8_next(const char *s, size_t n, size_t *used);
/* Append a code point. */
void utf8_add(struct buf *b, uint32_t cp);
/* Append s with each bad byte, NUL and control character other than \n and \t
 * replaced by U+FFFD (controls: dropped; CR LF and CR become LF). */
void utf8_add_clean(struct buf *b, const char *s, size_t n);
/* Makes of s one line that is valid UTF-8 and does nothing to a terminal: tabs and
 * line ends become blanks, other controls and bad bytes '?'. */
void utf8_make_line(char *s, size_t n);
/* Length of the longest prefix of at most max bytes that cuts no character. */
size_t utf8_cut(const char *s, size_t n, size_t max);
/* Characters (code points), and columns on a terminal (wide 2, combining 0). */
size_t utf8_length(const char *s, size_t n);
size_t utf8_width(const char *s, size_t n);
/* For comparison: simple case folding of Latin, Greek, Cyrillic and the rest of
 * towlower's range, and ё -> е. Same for both sides of every rule. */
uint32_t utf8_fold_char(uint32_t cp);
char *utf8_fold(struct arena *a, const char *s, size_t n);
/* More Cyrillic than Latin letters: "ru", else "en" (CONFIG.md). Static string. */
const char *utf8_language(const char *s, size_t n);
/* Is cp a letter of another script that looks like an ASCII letter (Cyrillic е,
 * о, с, р, а, х, ...; Greek ο)? Returns that ASCII letter, else 0. */
char utf8_lookalike(uint32_t cp);
/* Edit distance (insert, delete, replace, swap of neighbours) in characters, for
 * "did you mean"; stops counting above limit and returns limit + 1. */
unsigned utf8_distance(const char *a, const char *b, unsigned limit);

#endif
