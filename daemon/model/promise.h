/*
 * The clocks of a ticket: what was promised to its customer, and what else happens to it
 * because time passes (one line up, a reminder, giving up). Pure.
 *
 * All of it is one field of the ticket, complete in itself: a reload changes what is
 * promised to the next customer, never what was promised to this one. The law
 * (queue/ticket_clock.c) moves the clocks, and the daemon looks at a ticket when
 * clocks_next_ms() has come.
 */
#ifndef HELPLINE_MODEL_PROMISE_H
#define HELPLINE_MODEL_PROMISE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/json.h"
#include "daemon/model/calendar.h"

enum promise_kind {
        PROMISE_FIRST, /* a person's first answer or call-back */
        PROMISE_NEXT, /* the next one, after the customer has written again */
        PROMISE_RESOLUTION,
        PROMISE_HAND, /* DUE: made by hand */
        N_PROMISES
};
/* "first_response", as the ticket document calls it; "first response" for people. */
const char *promise_key(enum promise_kind k);
const char *promise_name(enum promise_kind k);

enum promise_told { TOLD_NOTHING, TOLD_AT_RISK, TOLD_BROKEN };

struct promise {
        struct open_time time; /* promised; 0 0: nothing (by hand: always) */
        int64_t warn_ms, due_ms; /* at risk, broken from then on; due 0: not begun */
        int64_t met_ms; /* kept, or ended; 0 not */
        const char *met_by; /* the message that did it, "" none: UNSEND undoes it */
        enum promise_told told; /* each is told once */
};

struct clocks {
        const char *name; /* of the promise, "" none */
        const char *calendar; /* id of the calendar all is counted in, "" real time */
        unsigned warn; /* share after which it is at risk, percent */
        struct promise of[N_PROMISES];
        const char *hand; /* DUE's text */
        int64_t answered_ms; /* when a person first answered; 0 nobody has */
        int64_t stood_ms; /* since when promises stand still, 0 they run */
        int64_t escalate_ms; /* one line up; 0 never */
        int64_t escalate_stood_ms; /* since when that stands still, 0 it runs */
        int64_t remind_ms, give_up_ms; /* the customer is reminded, given up; 0 not */
};

/* "" is a ticket without clocks. ERR_REJECT when it cannot be read. */
int clocks_parse(const char *text, struct arena *a, struct clocks *out, struct err *err);
void clocks_format(const struct clocks *k, struct buf *out);
/* Does anything of it run or may run again? */
bool clocks_empty(const struct clocks *k);

/* Has it begun and is not kept yet? */
bool promise_runs(const struct promise *p);
/* Begins at now; nothing when there is no such promise. */
void promise_start(
    struct clocks *k, enum promise_kind kind, const struct calendar *cal, int64_t now_ms);
/* Made by hand: by then. */
void promise_make(
    struct clocks *k, const struct calendar *cal, int64_t now_ms, int64_t due_ms);
void
promise_meet(struct clocks *k, enum promise_kind kind, int64_t now_ms, const char *by);
/* What runs stood still from then until then: as much open time later. What was made by
 * hand stands at its time. */
void promises_resume(
    struct clocks *k, const struct calendar *cal, int64_t from_ms, int64_t to_ms);
/* The same moment with the open time between two others added, for one clock. */
int64_t
clock_later(const struct calendar *cal, int64_t at_ms, int64_t from_ms, int64_t to_ms);
/* When a promise is to be told of next; 0 never. */
int64_t promise_next_ms(const struct promise *p);
/* When something is to be done; 0 never. What stands still does not count. */
int64_t clocks_next_ms(const struct clocks *k);

/* "promises": of a ticket document. */
void promises_format(const struct clocks *k, struct json_out *o);

#endif
