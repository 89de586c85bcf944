/*
 * Class and profile: what routing makes of a ticket's demands and of an agent's
 * abilities (ROUTING.md, "The matching"). Pure.
 *
 * The class document is complete in itself and canonical (sorted members), so
 * equal demands are equal bytes; its id is taken from their SHA-256.
 *
 * Steps only widen, and whether step k has come for a ticket is v <= cut-off(k): so the
 * head of a class is always its most relaxed ticket, and nothing is ever moved by time.
 */
#ifndef HELPLINE_MODEL_CLASS_H
#define HELPLINE_MODEL_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/err.h"
#include "daemon/model/calendar.h"

struct skill {
        const char *name;
        unsigned level; /* 1..10 */
};

struct json_out;
/* "needs":{"network":3} of a document. */
void
class_format_skills(struct json_out *o, const char *key, const struct skill *s, size_t n);

enum step_does { STEP_ALSO, STEP_LOWER, STEP_DROP };
struct class_step { /* `after 30m also second`, `lower needs 2`, `drop needs` */
        struct open_time after; /* since `entered`, in the class's calendar */
        enum step_does does;
        const char **lines; /* ALSO */
        size_t n_lines;
        unsigned levels; /* LOWER: so many levels down; a need below 1 is gone */
};

#define CLASS_MAX_NEEDS 6
#define CLASS_MAX_STEPS 16
#define CLASS_ID_LEN 16

struct class
{
        char id[CLASS_ID_LEN +
                1]; /* lower-case hex of the first 8 bytes of SHA-256(text) */
        const char *text; /* canonical JSON document */
        const char *route;
        const char **lines; /* in the route's order; the first is where it waits */
        size_t n_lines;
        struct skill *needs; /* sorted by name; wanted, a step may lower them */
        size_t n_needs;
        struct skill *musts; /* sorted by name; never lowered */
        size_t n_musts;
        const char *channel;
        int64_t head_ms; /* head start in all: the priority's, the route's, `handed` */
        struct class_step *steps; /* by `after`, equal ones as written */
        size_t n_steps;
        const char *calendar; /* id of the calendar steps are counted in; "" real time */
        /* its document, where the class has just been made: for the store; else NULL or "" */
        const char *calendar_text;
};

/* Sorts needs and musts, fills text and id of *c (all else set by the caller);
 * strings of c must live in a. */
void class_seal(struct class *c, struct arena *a);
/* The class of all tickets of its route, channel and head start with these musts: without
 * needs and steps. */
void class_strip(struct class *c, struct arena *a);
/* Back from its document. ERR_REJECT when it is not one (a newer version says so). */
int class_parse(
    const char *text, size_t n, struct arena *a, struct class *out, struct err *err);

/* Only the line it waits in and its head start, of a document that class_seal() wrote:
 * where thousands are looked at every few seconds. False: it is none. */
bool class_glance(const char *text, struct arena *a, const char **line, int64_t *head_ms);

struct profile {
        const char **lines; /* home first, then those he helps */
        size_t n_lines;
        struct skill *skills; /* sorted by name */
        size_t n_skills;
        const char
            *only; /* `only reset`: nothing that did not name it; NULL or "" : all */
};

enum { STEP_NEVER = -1, STEP_AT_ONCE = 0 };
/* The step at which the profile first qualifies for the class: STEP_NEVER,
 * STEP_AT_ONCE, or k >= 1 (after the k-th step). */
int class_step(const struct class *c, const struct profile *p);
/* Is his home line not among its lines at the step at which he first qualifies? Then the
 * class is helped: it counts `help-delay` later for him, an order and not a veto. */
bool class_is_helped(const struct class *c, const struct profile *p);
/* Eligible when v <= this, in us: back(calendar, now, step) less the head start; INT64_MAX for
 * STEP_AT_ONCE. cal is the class's own (NULL: real time). Never goes back. */
int64_t class_cutoff_us(
    const struct class *c, int step, const struct calendar *cal, int64_t now_ms);
/* When step k comes for a ticket that entered then; entered_ms itself for 0. */
int64_t class_step_at(
    const struct class *c, int step, const struct calendar *cal, int64_t entered_ms);
/* The first thing that stands against him, for WHY: "has network:2, needs
 * network:3", "is at home in line second, this waits in first". "" when he fits. */
const char *
class_against(const struct class *c, const struct profile *p, struct arena *a);

#endif
