/*
 * Two small memories of bounded size, lost at a restart without harm: how often an
 * address has sent, and which ticket a one-time token has become. Pure but for the heap.
 */
#ifndef HELPLINE_DAEMON_WEB_RATE_H
#define HELPLINE_DAEMON_WEB_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate; /* who has sent how often */
struct rate *rate_new(void);
void rate_free(struct rate **r);
/* May this address (IPv6: its /64) send once more to `what`, at so many an hour? Counts
 * when it may. */
bool rate_take(struct rate *r, const char *address, const char *what, unsigned an_hour,
    int64_t now_us);

struct sent_tokens;
struct sent_tokens *sent_tokens_new(void);
void sent_tokens_free(struct sent_tokens **t);
void sent_tokens_note(struct sent_tokens *t, const char *id, const char *ticket);
/* The ticket it has become, "" when that is not known. */
const char *sent_tokens_find(const struct sent_tokens *t, const char *id);

#endif
