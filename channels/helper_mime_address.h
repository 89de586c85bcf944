/*
 * Addresses of a header field, for the reader of a whole header; others use
 * mime_header_addresses().
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_ADDRESS_H
#define HELPLINE_CHANNELS_HELPER_MIME_ADDRESS_H

#include "channels/helper_mime_header.h"
#include "channels/helper_mime_words.h"

/* mime_header_addresses() with what is known of the mail's charset. */
void address_read(struct words *w, struct arena *a, const char *raw, size_t n,
    struct mail_address **list, size_t *n_list, size_t max);

#endif
