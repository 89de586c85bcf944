/*
 * Our Message-IDs and subject tags (PROTOCOL.md, "In mail"): pure text.
 *
 *     <t1042.e57.KSSSSSSSSSSSSSSSS@DOMAIN>
 *
 * ticket, outbox entry, key id (1 character), 16 characters of lower-case base32 of
 * HMAC-SHA-256 over "t1042.e57" with that key (80 bits). Threading trusts it.
 */
#ifndef HELPLINE_CHANNELS_EMAIL_ID_H
#define HELPLINE_CHANNELS_EMAIL_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"

struct email_id {
        char ticket[20];
        char entry[20];
        char key_id;
        char signature[17];
};

/* Without < >. */
const char *email_id_format(struct arena *a, const char *ticket, const char *entry,
    char key_id, const uint8_t secret[32], const char *domain);
/* Has it the shape of ours? (any domain; case of the local part ignored) */
bool email_id_parse(const char *message_id, struct email_id *out);
/* Is its signature right? Constant time. */
bool email_id_verify(const struct email_id *id, const uint8_t secret[32]);

/* The ticket of the first subject tag "[#1042]" in a decoded subject; false none. */
bool subject_tag_find(const char *subject, char ticket[20]);
/* The subject without our tags and the blanks around them; "Re:" and foreign tags stay. */
const char *subject_strip(struct arena *a, const char *subject);
/* "[#1042] Re: subject", one tag only, one Re: only. */
const char *
subject_for_answer(struct arena *a, const char *ticket, const char *subject, bool re);

#endif
