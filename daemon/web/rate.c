/*
 * How often an address has sent; see rate.h.
 *
 * For each address the moment is kept at which all its sendings would be done at the
 * even pace allowed; it may be at most an hour ahead (the generic cell rate algorithm).
 * The slot is found by a keyed hash; when all near ones are taken, the one that is
 * nearest to being forgotten goes.
 */
#include "daemon/web/rate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/arena.h"
#include "daemon/base/digest.h"

#define SLOTS 8192
#define NEAR 8
#define HOUR_US (3600 * 1000000LL)

struct rate_slot {
        uint64_t who; /* hash; 0 free */
        int64_t done_us; /* when he would be done */
};

struct rate {
        uint8_t key[32];
        struct rate_slot slots[SLOTS];
};

struct rate *
rate_new(void)
{
        struct rate *r = xcalloc(1, sizeof *r);

        random_bytes(r->key, sizeof r->key);
        return r;
}

void
rate_free(struct rate **r)
{
        free(*r);
        *r = NULL;
}

static uint64_t
hash(const uint8_t key[32], const char *text)
{
        uint8_t mac[32];
        uint64_t h;

        hmac_sha256(key, 32, text, strlen(text), mac);
        memcpy(&h, mac, sizeof h);
        return h == 0 ? 1 : h;
}

static struct rate_slot *
slot_for(struct rate *r, uint64_t who)
{
        struct rate_slot *best = NULL;

        for (size_t i = 0; i < NEAR; i++) {
                struct rate_slot *s = &r->slots[(who + i) % SLOTS];

                if (s->who == who)
                        return s;
                if (best == NULL || s->done_us < best->done_us)
                        best = s;
        }
        best->who = who;
        best->done_us = 0;
        return best;
}

bool
rate_take(struct rate *r, const char *address, const char *what, unsigned an_hour,
    int64_t now_us)
{
        int64_t each_us = HOUR_US / (an_hour > 0 ? an_hour : 1);
        struct in6_addr in6;
        struct rate_slot *s;
        char who[200], net[INET6_ADDRSTRLEN];

        if (inet_pton(AF_INET6, address, &in6) == 1) {
                memset(in6.s6_addr + 8, 0, 8);
                address = inet_ntop(AF_INET6, &in6, net, sizeof net);
        }
        snprintf(who, sizeof who, "%.60s %.120s", address, what);
        s = slot_for(r, hash(r->key, who));
        if (s->done_us < now_us)
                s->done_us = now_us;
        if (s->done_us + each_us > now_us + HOUR_US)
                return false;
        s->done_us += each_us;
        return true;
}

/* ---- tokens ---- */

struct sent_slot {
        char id[17];
        char ticket[20];
};

struct sent_tokens {
        struct sent_slot slots[SLOTS];
};

struct sent_tokens *
sent_tokens_new(void)
{
        return xcalloc(1, sizeof(struct sent_tokens));
}

void
sent_tokens_free(struct sent_tokens **t)
{
        free(*t);
        *t = NULL;
}

/* The id is random: its first characters are as good as a hash. */
static size_t
slot_of(const char *id)
{
        size_t h = 0;

        for (size_t i = 0; i < 5 && id[i] != '\0'; i++)
                h = h * 31 + (unsigned char)id[i];
        return h % SLOTS;
}

void
sent_tokens_note(struct sent_tokens *t, const char *id, const char *ticket)
{
        struct sent_slot *s = &t->slots[slot_of(id)];

        if (*id == '\0' || *ticket == '\0')
                return;
        snprintf(s->id, sizeof s->id, "%s", id);
        snprintf(s->ticket, sizeof s->ticket, "%s", ticket);
}

const char *
sent_tokens_find(const struct sent_tokens *t, const char *id)
{
        const struct sent_slot *s = &t->slots[slot_of(id)];

        return *id != '\0' && strcmp(s->id, id) == 0 ? s->ticket : "";
}
