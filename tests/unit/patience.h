/*
 * What a test may do, and how long, in this build: under sanitizers everything is some
 * ten times slower and takes more memory. Limits are in CPU time, so that other
 * processes do not count.
 */
#ifndef HELPLINE_TESTS_PATIENCE_H
#define HELPLINE_TESTS_PATIENCE_H

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                     \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Of n turns, bytes, rows: those that show it in this build. */
#define FEWER(n) (SANITIZED ? (n) / 10 : (n))

#endif
