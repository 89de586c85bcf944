/*
 * TNEF ([MS-OXTNEF]): what Outlook and Exchange wrap mails in (winmail.dat), read over
 * the bytes as they lie. Pure; no length is trusted, wrong checksums are told and
 * nothing is copied but names.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_TNEF_H
#define HELPLINE_CHANNELS_HELPER_MIME_TNEF_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/arena.h"

#define TNEF_MAX_FILES 100

struct tnef_file {
        const char *name; /* UTF-8, "" none */
        const char *type; /* "image/png", "" unknown */
        const char *content_id; /* "" none */
        const char *data; /* borrowed from the bytes read; "" none */
        size_t n;
        bool is_tnef; /* a message within: data is TNEF itself */
};

/* Texts are borrowed from the bytes read, {"" , 0} when there is none. */
struct tnef {
        struct tnef_file *files;
        size_t n_files;
        const char *text; /* in charset */
        size_t text_len;
        const char *html; /* in html_charset */
        size_t html_len;
        const char *rtf; /* compressed */
        size_t rtf_len;
        char charset[16]; /* "CP1251"; "UTF-16LE" where the text came as such */
        char html_charset[16]; /* "" unknown */
        const char *odd; /* a constant: what was wrong with it, NULL nothing */
};

bool mime_is_tnef(const char *s, size_t n);

/* Reads what can be read; false when it is no TNEF at all. */
bool mime_tnef_read(struct arena *a, const char *s, size_t n, struct tnef *out);

#endif
