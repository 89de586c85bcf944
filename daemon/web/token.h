/*
 * What pages are signed with: the link to a ticket's status and the one-time token of a
 * form. Both are HMAC-SHA-256 with a desk secret, 16 characters of base32 (80 bits). Pure.
 */
#ifndef HELPLINE_DAEMON_WEB_TOKEN_H
#define HELPLINE_DAEMON_WEB_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

/* The secret of a key id, NULL when there is none (store_secret). */
typedef const uint8_t *(*token_key_fn)(void *arg, char key_id);

/* "1042-<16 characters>": behind /s/ it is the customer's page of that ticket. */
void status_token_format(const uint8_t secret[32], const char *ticket, char out[40]);
/* Is it one of ours, by any of the desk's secrets? Then ticket is its number. */
bool status_token_parse(const char *s, token_key_fn key, void *arg, char ticket[20]);

/* A form's one-time token: key id, second, 16 random characters, signature; good for the
 * form (or page) named and for a week. */
void form_token_format(const uint8_t secret[32], char key_id, const char *form,
    int64_t now_us, char out[64]);
/* true: ours, of that form and fresh; id is what names it. */
bool form_token_parse(const char *s, const char *form, int64_t now_us, token_key_fn key,
    void *arg, char id[17]);

#endif
