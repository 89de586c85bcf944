/*
 * Web forms: what was sent is checked field by field and becomes a message. The pages
 * and HTTP are in daemon/web; here is what a form means, and the channel through which
 * its message goes up.
 *
 * Killed before the answer: the person has none, sends again with the same one-time
 * token, and "seen before" gives the same ticket.
 */
#ifndef HELPLINE_CHANNELS_WEB_FORM_H
#define HELPLINE_CHANNELS_WEB_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channels/channel.h"
#include "channels/form_parse.h"
#include "config/config.h"
#include "daemon/model/message.h"

struct form_fault { /* what is wrong with one field */
        const char *field; /* its name */
        const char *text; /* one sentence for the person who filled it in */
};

/* What a person or a program has sent to a form. */
struct form_sent {
        const struct form_options *form;
        const struct form_part *parts; /* as parsed; unknown names are ignored */
        size_t n_parts;
        const char *language; /* of labels and sentences: "ru" or "en" */
        const char *country; /* of national telephone numbers */
        const char *client; /* address it came from, for the consent */
        int64_t now_us;
};

/* Its label in that language: as configured, else a usual one, else its name. */
const char *web_form_label(const struct field_options *f, const char *language);
/* The i-th value sent for a field (not files), NULL when there are no more. */
const char *web_form_value(const struct form_sent *s, const char *field, size_t i);

/* Is everything as the form wants it? Faults in the order of its fields; none: 0. Pure. */
size_t
web_form_check(const struct form_sent *s, struct arena *a, struct form_fault **faults);

/* The message of what web_form_check found right: kind form, channel "web", from and
 * phone of the first such fields, subject of a field `subject` or the first line of the
 * first text, a summary to read, attachments by their part. digest: for "seen before". */
struct message *web_form_message(const struct form_sent *s, const char *digest);

/* A digest of all that was sent: the same words and files give the same 64 digits. */
void web_form_fingerprint(const struct form_sent *s, char out[65]);

/* A JSON object as programs post it: strings, numbers, booleans and lists of strings by
 * field name. -1: ERR_REJECT with why. */
int web_form_read_json(const char *json, size_t n, struct arena *a,
    struct form_part **parts, size_t *n_parts, struct err *err);

/* ---- the channel ---- */

struct web_form;

/* The answer to one delivery, once; why and ticket are borrowed. */
typedef void (*web_form_fn)(
    void *arg, enum settlement s, const char *why, const char *ticket);

struct web_form *web_form_new(const struct channel_host *host);
/* Deliveries under way are forgotten, not answered. */
void web_form_free(struct web_form **w);

struct spool;
/* Hands a message up (it is taken over); raw: the bytes it came as, may be empty.
 * ticket: "" or the one it is for, proved. Returns a number to forget it by. */
uint64_t web_form_deliver(struct web_form *w, struct message *m, const char *account,
    const struct spool *raw, const char *ticket, web_form_fn fn, void *arg);
/* Nobody waits for that answer any more. */
void web_form_forget(struct web_form *w, uint64_t delivery);

#endif
