/*
 * Which charset have bytes that nobody labelled, or labelled wrongly? Each candidate
 * is a charset and a language's letters; the one under which the bytes cost the fewest
 * bits of surprise is taken. Pure, linear, looks at a few thousand bytes at most.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_GUESS_H
#define HELPLINE_CHANNELS_HELPER_MIME_GUESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the bytes cost under their label and under the likeliest charset, in half bits. */
struct guess {
        const char *charset; /* the likeliest, as iconv calls it */
        unsigned cost; /* of it */
        unsigned declared; /* of the declared charset; UINT_MAX: no model of it */
        unsigned n_high; /* bytes >= 0x80 looked at */
        bool garbage; /* no language costs so much: this is no text */
};

/* Fills *g. hint (iconv's name, "" none) is preferred where little speaks against it,
 * declared ("" none) is measured. */
void mime_guess(
    const char *s, size_t n, const char *hint, const char *declared, struct guess *g);

/* May bytes with that label be what it says, judged by it alone (no others are tried)?
 * True also for charsets that have no model here. */
bool mime_guess_fits(const char *s, size_t n, const char *charset);

/* The code points of the bytes 128 to 255 in a single-byte charset that is modelled here
 * (0: none), or NULL. */
const uint16_t *mime_guess_points(const char *charset);

#endif
