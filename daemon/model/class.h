/*
 * Class and profile: what routing makes of a ticket's demands and of an agent's
 * abilities (ROUTING.md, "The matching"). Pure.
 *
 * The class document is complete in itself and canonical (sorted members), so
 * equal demands are equal bytes; its id is taken from their SHA-256. Steps,
 * calendars and helped lines come later: "steps" and "calendar" are in the
 * document and empty now, and class_step() already answers in steps.
 */
#ifndef HELPLINE_MODEL_CLASS_H
#define HELPLINE_MODEL_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/arena.h"
#include "daemon/base/err.h"

struct skill {
        const char *name;
        unsigned level; /* 1..10 */
};

struct json_out;
/* "needs":{"network":3} of a document. */
void
class_format_skills(struct json_out *o, const char *key, const struct skill *s, size_t n);

#define CLASS_MAX_NEEDS 6
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
        int64_t head_ms; /* head start in all: the priority's and the route's */
};

/* Sorts needs and musts, fills text and id of *c (all else set by the caller);
 * strings of c must live in a. */
void class_seal(struct class *c, struct arena *a);
/* Back from its document. ERR_REJECT when it is not one (a newer version says so). */
int class_parse(
    const char *text, size_t n, struct arena *a, struct class *out, struct err *err);

struct profile {
        const char **lines; /* home first */
        size_t n_lines;
        struct skill *skills; /* sorted by name */
        size_t n_skills;
};

enum { STEP_NEVER = -1, STEP_AT_ONCE = 0 };
/* The step at which the profile first qualifies for the class: STEP_NEVER,
 * STEP_AT_ONCE, or k >= 1 (after the k-th step). */
int class_step(const struct class *c, const struct profile *p);
/* The first thing that stands against him, for WHY: "has network:2, needs
 * network:3", "is at home in line second, this waits in first". "" when he fits. */
const char *
class_against(const struct class *c, const struct profile *p, struct arena *a);

#endif
